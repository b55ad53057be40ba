"""`python -m bench.record_recall_rnn`: the delayed recall of lesson 06 with more steps. Writes docs/recorded/.

A layer of 32 units, three ways to begin, is trained at one gap at a time with 400 steps and, where that did not do for
all seeds, with 1,600. Then torch's start once more, with 1,600 steps whose gap grows from 1 to 40. About ten minutes of
one core. The file is written again after each gap; interrupted, the command goes on from there.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import torch
from torch import Tensor

from bench.machine import prepare
from bench.recording import record
from utils.models.recall import Recaller, delayed_recall, tanh_layer
from utils.paths import RECORDED
from utils.reach.recurrent import gradient_horizon, states_of
from utils.training import Batches, BatchSource, evaluate, fit, seed_everything

RECORD = RECORDED / "recall_of_tanh.json"
STARTS = ("torch", "identity", "orthogonal")
GAPS = (5, 10, 20, 30, 40, 60, 80, 120)
MOST = 1600 * 80  # training steps times gap: what would take longer is left out
STEPS = (400, 1600)
SEEDS = 5
WIDTH, BATCH, RATE, CLIP = 32, 32, 0.003, 1.0
GROWS_TO = 40
SOLVED = 0.95


class Growing:
    """Batches of delayed recall whose gap grows evenly from 1 to `last` over `steps` steps."""

    contiguous = False

    def __init__(self, steps: int, last: int, seed: int):
        self.steps, self.last, self.seed = steps, last, seed

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for step in range(self.steps):
            gap = 1 + step * self.last // self.steps
            yield delayed_recall(BATCH, gap, seed=self.seed * self.steps + step)


def unseen(gap: int) -> Batches:
    """2,000 sequences that no training reads."""
    return Batches(*delayed_recall(2000, gap, seed=10**9), size=2000)


def train(start: str, gap: int, steps: int, seed: int, grow: bool = False) -> float:
    """Accuracy on unseen sequences of this gap, after its one training."""
    seed_everything(seed)
    model = Recaller(tanh_layer(WIDTH, start))
    if grow:
        batches: BatchSource = Growing(steps, gap, seed + 1)
    else:
        batches = Batches(*delayed_recall(steps * BATCH, gap, seed), size=BATCH)
    fit(model, batches, unseen(gap), epochs=1, lr=RATE, clip=CLIP, validations=1, label="")
    return round(evaluate(model, unseen(gap)), 4)


def horizon(start: str, seed: int) -> int:
    """The gradient horizon of the untrained layer on one sequence of 200 fillers."""
    seed_everything(seed)
    model = Recaller(tanh_layer(WIDTH, start))
    tokens, _ = delayed_recall(1, 200, seed)
    return gradient_horizon(model.layer.get_parameter("weight_hh_l0"), states_of(model.layer, model.vectors(tokens)[0]))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gaps", type=int, nargs="+", default=GAPS)
    parser.add_argument("--steps", type=int, nargs="+", default=STEPS)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    wanted = parser.parse_args(arguments)
    prepare()
    torch.set_num_threads(1)
    seeds = range(wanted.seeds)
    runs: dict[str, Any] = {str(steps): {start: {} for start in STARTS} for steps in wanted.steps}
    content: dict[str, Any] = dict(
        width=WIDTH, batch=BATCH, rate=RATE, clip=CLIP, seeds=wanted.seeds, guessing=0.25, runs=runs, growing={},
        horizons={start: [horizon(start, seed) for seed in seeds] for start in STARTS},
    )  # fmt: skip
    if RECORD.exists():
        begun = json.loads(RECORD.read_text(encoding="utf-8"))
        if all(begun.get(name) == content[name] for name in ("width", "batch", "rate", "clip", "seeds", "horizons")):
            content["runs"] = runs = {
                str(steps): begun["runs"].get(str(steps), runs[str(steps)]) for steps in wanted.steps
            }
    for steps, start in product(wanted.steps, STARTS):
        done = runs[str(steps)][start]
        for gap in [gap for gap in wanted.gaps if steps * gap <= MOST]:
            if any(min(runs[str(fewer)][start].get(str(gap), [0])) > SOLVED for fewer in wanted.steps if fewer < steps):
                continue  # nothing to gain
            if str(gap) not in done:
                done[str(gap)] = [train(start, gap, steps, seed) for seed in seeds]
                record(RECORD, "record_recall_rnn", **content)
            print(steps, start, gap, done[str(gap)], flush=True)
            if max(done[str(gap)]) < 0.6 and gap >= GROWS_TO:
                break  # longer gaps are no easier
    content["growing"] = {
        "gap": GROWS_TO,
        "steps": max(wanted.steps),
        "accuracies": [train("torch", GROWS_TO, max(wanted.steps), seed, grow=True) for seed in seeds],
    }
    record(RECORD, "record_recall_rnn", **content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
