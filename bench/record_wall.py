"""`python -m bench.record_wall`: ten small models learn one task, and their reach maps. Writes docs/recorded/.

The task is `utils.models.wall.last_symbol`: which symbol came last? Each model has about 9,000 parameters and takes 600
updates of 16 sequences of 48. Recorded are, for each seed, the accuracy by the distance to the symbol, on sequences as
long as in training and on longer ones; and the reach map on one sequence, the mean over the seeds. One core, three
seeds; about five minutes. The record grows model by model.
"""

import argparse
import sys
from typing import Any

import torch
from torch import Tensor

from bench.machine import prepare
from bench.recording import record
from utils.models.wall import LENGTH, MIXERS, SYMPTOMS, OnTheWall, last_place, last_symbol, packed
from utils.paths import RECORDED
from utils.reach import influence
from utils.training import Batches, count_parameters, fit, seed_everything

RECORD = RECORDED / "the_wall.json"
BATCH, RATE = 16, 0.01
DISTANCES = (0, 1, 8, 16, 32, 48, 64, 128)
"""Where the groups of distances begin. A group ends before the next one; the last has none after it."""

LONG = 256
SHOWN = 7  # the seed of the sequence whose map is drawn


def tests() -> list[tuple[Tensor, Tensor]]:
    """Sequences of the training's length, and longer ones with symbols far apart."""
    return [last_symbol(512, seed=999), last_symbol(64, seed=998, length=LONG, often=1 / 96)]


@torch.no_grad()
def right_by_distance(model: OnTheWall, tokens: Tensor, labels: Tensor) -> dict[str, float]:
    """Accuracy for each group of distances that occurs."""
    right = (model(tokens).argmax(-1) == labels).float()
    distance = torch.arange(tokens.shape[1]) - last_place(tokens)
    found = {}
    for first, end in zip(DISTANCES, (*DISTANCES[1:], LONG), strict=True):
        group = (distance >= first) & (distance < end)
        if group.sum() > 50:
            found[str(first)] = round(right[group].mean().item(), 4)
    return found


def map_of(model: OnTheWall) -> Tensor:
    """The influence (T, T) of each input on each output, relative to the largest, for one sequence."""
    tokens, _ = last_symbol(1, SHOWN)
    found = influence(model.read, torch.nn.functional.one_hot(tokens[0], 8).float()[None])
    return found / found.max()


def train(name: str, steps: int, seed: int) -> OnTheWall:
    seed_everything(seed)
    model = OnTheWall(name)
    fresh = Batches(*last_symbol(BATCH * steps, seed), size=BATCH)
    fit(model, fresh, Batches(*tests()[0]), lr=RATE, weight_decay=0, clip=1.0, validations=1, label="")
    return model


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=3)
    wanted = parser.parse_args(arguments)
    prepare()
    content: dict[str, Any] = dict(
        steps=wanted.steps, batch=BATCH, length=LENGTH, longer=LONG, shown=SHOWN, distances=list(DISTANCES),
        parameters={}, maps={}, right={}, right_longer={},
    )  # fmt: skip
    for name in (*MIXERS, *SYMPTOMS):
        models = [train(name, wanted.steps, seed) for seed in range(wanted.seeds)]
        content["parameters"][name] = count_parameters(models[0])
        content["maps"][name] = packed(torch.stack([map_of(model) for model in models]).mean(0))
        for what, batch in zip(("right", "right_longer"), tests(), strict=True):
            content[what][name] = [right_by_distance(model, *batch) for model in models]
        print(f"{name}: {content['right_longer'][name][0]}", flush=True)
        record(RECORD, "record_wall", **content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
