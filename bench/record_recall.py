"""`python -m bench.record_recall`: recall against the gap, for six recurrent layers. Writes docs/recorded/recall.json.

Each layer of 32 units learns `utils.models.recall.delayed_recall` at one gap, from 600 batches of 32 fresh sequences,
and is tested on 512 others. Layers that recall less than half at a gap with every seed are not tried at longer ones.
The LSTMs that learned the gap of 500 are then tested, as they are, on longer ones, and an LSTM is trained at 2,000. One
core, three seeds; about fifteen minutes. The record grows gap by gap.
"""

import argparse
import sys
from collections.abc import Callable
from typing import Any

from torch import nn

from bench.machine import prepare
from bench.recording import record
from utils.models.gated import chrono, open_forget_gates
from utils.models.recall import FILLERS, SYMBOLS, Recaller, delayed_recall, tanh_layer
from utils.paths import RECORDED
from utils.training import Batches, evaluate, fit, seed_everything

RECORD = RECORDED / "recall.json"
GAPS = (10, 30, 100, 500)
LONGER = (1_000, 2_000, 5_000)  # tested without further training
VERY_LONG = 2_000  # an LSTM alone is trained there
WIDTH, BATCH, RATE = 32, 32, 0.01
GIVEN_UP = 0.5  # recalled by the best of the seeds; of 4 symbols one in four is guessed
TOKENS = SYMBOLS + FILLERS

LAYERS: dict[str, Callable[[int], nn.RNNBase]] = {
    "tanh": lambda gap: tanh_layer(WIDTH),
    "tanh, orthogonal": lambda gap: tanh_layer(WIDTH, "orthogonal"),
    "GRU": lambda gap: nn.GRU(TOKENS, WIDTH, batch_first=True),
    "GRU, time scales to the gap": lambda gap: chrono(nn.GRU(TOKENS, WIDTH, batch_first=True), gap),
    "LSTM, forget bias 1": lambda gap: open_forget_gates(nn.LSTM(TOKENS, WIDTH, batch_first=True), 1.0),
    "LSTM, time scales to the gap": lambda gap: chrono(nn.LSTM(TOKENS, WIDTH, batch_first=True), gap),
}


def held_out(gap: int) -> Batches:
    return Batches(*delayed_recall(512, gap, seed=999), size=64)


def train(layer: str, gap: int, steps: int, seed: int) -> tuple[Recaller, float]:
    """One model from start to finish, and its accuracy on unseen sequences."""
    seed_everything(seed)
    model = Recaller(LAYERS[layer](gap))
    fresh = Batches(*delayed_recall(steps * BATCH, gap, seed=seed), size=BATCH)
    history = fit(model, fresh, held_out(gap), lr=RATE, weight_decay=0, clip=1.0, validations=1, label="")
    return model, round(history.best, 4)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=3)
    wanted = parser.parse_args(arguments)
    prepare()
    seeds = range(wanted.seeds)
    content: dict[str, Any] = dict(
        width=WIDTH, batch=BATCH, steps=wanted.steps, gaps=list(GAPS), chance=1 / SYMBOLS,
        accuracy={name: {} for name in LAYERS}, tested_longer={}, trained_at={},
    )  # fmt: skip
    tried, kept = list(LAYERS), {}
    for gap in GAPS:
        for name in list(tried):
            trained = [train(name, gap, wanted.steps, seed) for seed in seeds]
            content["accuracy"][name][str(gap)] = [accuracy for _, accuracy in trained]
            kept[name] = [model for model, _ in trained]
            print(f"gap {gap}, {name}: {content['accuracy'][name][str(gap)]}", flush=True)
            if max(accuracy for _, accuracy in trained) < GIVEN_UP:
                tried.remove(name)
            record(RECORD, "record_recall", **content)
    name = "LSTM, time scales to the gap"
    for gap in LONGER:
        content["tested_longer"][str(gap)] = [round(evaluate(model, held_out(gap)), 4) for model in kept[name]]
        record(RECORD, "record_recall", **content)
    content["trained_at"][str(VERY_LONG)] = [train(name, VERY_LONG, wanted.steps, seed)[1] for seed in seeds]
    record(RECORD, "record_recall", **content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
