"""`python -m bench.record_bottleneck`: what one vector holds, and what teacher forcing does. Writes bottleneck.json.

Encoder-decoders learn to turn round strings of 2 to 12 random digits, from fresh batches of 64, and then write on their
own: without attention at four widths, and with it at one. Then three ways to feed a decoder in training. One core,
three seeds; about ten minutes. The record in docs/recorded/ grows seed by seed.
"""

import argparse
import sys
from typing import Any

from torch import nn

from bench.machine import prepare
from bench.recording import record
from utils.models.seq2seq import EncoderDecoder, SelfFed, write
from utils.paths import RECORDED
from utils.tasks.translation import reversal, reversals
from utils.training import Batches, fit, seed_everything

RECORD = RECORDED / "bottleneck.json"
LONGEST = 12
LENGTHS = tuple(range(2, LONGEST + 1))
MODELS = {
    "16 numbers": (16, False),
    "32 numbers": (32, False),
    "64 numbers": (64, False),
    "128 numbers": (128, False),
    "32 numbers, attention": (32, True),
}
"""{name: width and whether with attention}."""
FED = {"right tokens": 0.0, "half and half": 0.5, "its own tokens": 1.0}
"""{what a decoder is fed in training: the share of its own tokens}."""
FED_WIDTH, FED_LENGTH = 32, 8
BATCH, RATE, UNSEEN = 64, 0.01, 500


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
    parser.add_argument("--updates", type=int, default=1_500)
    parser.add_argument("--fed-updates", type=int, default=1_500)
    parser.add_argument("--seeds", type=int, default=3)
    wanted = parser.parse_args(arguments)
    prepare()
    content: dict[str, Any] = dict(
        batch=BATCH, rate=RATE, updates=wanted.updates, fed_updates=wanted.fed_updates, fed_length=FED_LENGTH,
        lengths=list(LENGTHS), symbols={name: [] for name in MODELS}, strings={name: [] for name in MODELS},
        fed={name: [] for name in FED},
    )  # fmt: skip
    for seed in range(wanted.seeds):
        for name, (width, attention) in MODELS.items():
            seed_everything(seed)
            model = EncoderDecoder(width, attention)
            train(model, LONGEST, wanted.updates, seed)
            found = [shares(model, length) for length in LENGTHS]
            content["symbols"][name].append([symbols for symbols, _ in found])
            content["strings"][name].append([strings for _, strings in found])
            print(f"seed {seed}, {name}: {content['symbols'][name][-1]}", flush=True)
            record(RECORD, "record_bottleneck", **content)
        for name, share in FED.items():
            seed_everything(seed)
            model = EncoderDecoder(FED_WIDTH, attention=False)
            train(model if share == 0 else SelfFed(model, share), FED_LENGTH, wanted.fed_updates, seed)
            content["fed"][name].append(shares(model, FED_LENGTH)[0])
            print(f"seed {seed}, fed {name}: {content['fed'][name][-1]}", flush=True)
            record(RECORD, "record_bottleneck", **content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
