"""`python -m bench.record_bottleneck`: what one vector holds, and what teacher forcing does. Writes bottleneck.json.

Encoder-decoders learn to turn round strings of 2 to 20 random digits, from fresh batches of 64, and then write on their
own. First without attention, at four widths, and with it at the smallest but one; then one width without attention for
longer. After that three ways to feed a decoder in training, on strings of at most 10 digits. One core, three seeds;
about ten minutes. The record in docs/recorded/ grows model by model.
"""

import argparse
import sys
from typing import Any

from torch import nn

from bench.machine import prepare
from bench.recording import record
from utils.models.seq2seq import EncoderDecoder, SelfFed, write
from utils.paths import RECORDED
from utils.toy_translation import reversal, reversals
from utils.training import Batches, count_parameters, fit, seed_everything

RECORD = RECORDED / "bottleneck.json"
WIDTHS = (16, 32, 64, 128)
WITH_ATTENTION, LONGER = 32, 64  # the widths that are also trained with attention, and twice as long
LENGTHS = tuple(range(2, 21, 2))
SHARES = (0.0, 0.5, 1.0)  # of its own tokens that a decoder is fed in training
SHORT, BATCH, RATE, UNSEEN = 10, 64, 0.01, 500


def train(model: nn.Module, longest: int, updates: int, seed: int) -> None:
    """Fit a model to fresh strings of 2 to `longest` digits."""
    validation = Batches(*reversal(256, longest, seed=999), size=256)
    recipe = dict(lr=RATE, weight_decay=0, clip=1.0, validations=2, label="")
    fit(model, reversals(updates, BATCH, longest, seed), validation, **recipe)  # pyright: ignore[reportArgumentType]


def shares(model: EncoderDecoder, length: int) -> tuple[float, float]:
    """Which share of the symbols, and of the strings, it writes right on its own; END counts as a symbol."""
    rows, targets = reversal(UNSEEN, length, seed=1_000 + length)
    right = write(model, rows[:, :length], length + 1).tokens == targets
    return round(right.float().mean().item(), 4), round(right.all(1).float().mean().item(), 4)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=2_000)
    parser.add_argument("--fed-updates", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=3)
    wanted = parser.parse_args(arguments)
    prepare()
    content: dict[str, Any] = dict(
        batch=BATCH, rate=RATE, updates=wanted.updates, fed_updates=wanted.fed_updates, lengths=list(LENGTHS),
        parameters={}, symbols={}, strings={}, fed={}, fed_length=SHORT,
    )  # fmt: skip
    runs = {f"{width} numbers": (width, False, 1) for width in WIDTHS}
    runs[f"{WITH_ATTENTION} numbers, attention"] = WITH_ATTENTION, True, 1
    runs[f"{LONGER} numbers, twice the updates"] = LONGER, False, 2
    for name, (width, attention, times) in runs.items():
        found = []
        for seed in range(wanted.seeds):
            seed_everything(seed)
            model = EncoderDecoder(width, attention)
            train(model, LENGTHS[-1], times * wanted.updates, seed)
            found.append([shares(model, length) for length in LENGTHS])
        content["parameters"][name] = count_parameters(model)
        content["symbols"][name] = [[symbols for symbols, _ in one] for one in found]
        content["strings"][name] = [[strings for _, strings in one] for one in found]
        print(name, content["symbols"][name], flush=True)
        record(RECORD, "record_bottleneck", **content)
    for share in SHARES:
        found = []
        for seed in range(wanted.seeds):
            seed_everything(seed)
            model = EncoderDecoder(LONGER, attention=False)
            train(model if share == 0 else SelfFed(model, share), SHORT, wanted.fed_updates, seed)
            found.append(shares(model, SHORT))
        content["fed"][str(share)] = [list(one) for one in found]
        print(f"fed {share:.0%} of its own:", content["fed"][str(share)], flush=True)
        record(RECORD, "record_bottleneck", **content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
