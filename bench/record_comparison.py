"""`python -m bench.record_comparison`: the race of lesson 11, run longer than a lesson may take. Writes docs/recorded/.

First the same tuning effort for both: eighteen recipes each (windows in a step, optimizer, learning rate) for the same
seconds, and the best on the validation text stays. Then both models, with about as many parameters, are trained for the
same seconds, from short runs to long ones, and in two sizes for the same characters, each run from start to finish with
its own learning-rate schedule. One core, three seeds; about half an hour with the default budgets. The clock counts the
processor's seconds, so that other programs disturb it little, and stands still during validation. The file is written
again after each stage.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import torch
from torch import nn

from bench.machine import prepare
from bench.recording import record
from utils import data, models
from utils.paths import RECORDED
from utils.text import encode
from utils.training import Batches, Streams, count_parameters, evaluate, fit, seed_everything

RECORD = RECORDED / "lstm_and_transformer.json"
BUDGETS = (2.0, 8.0, 32.0, 128.0)  # seconds of training
CHARACTERS = (250_000, 1_000_000)  # of a run in two sizes
RATES = {"LSTM": (0.01, 0.02, 0.04), "transformer": (0.00625, 0.0125, 0.025)}
MUON = 2.5  # its rate, in rates of AdamW, which learns what Muon does not
SIZES = (4, 8, 16)  # windows in a step
TUNED_WITH = 8.0  # seconds of each of these runs
CONTEXT = 64
SEEDS = 3
METRIC = "bits per character"

Build = Callable[[], nn.Module]
Recipe = dict[str, Any]  # "size" for `windows`, "lr" and "muon" for `fit`


def builders(vocabulary: int) -> dict[str, Build]:
    """The two models of lesson 11; their sizes differ by less than 5 %."""
    return {
        "LSTM": partial(models.CharLSTM, vocabulary, 79),
        "transformer": partial(models.Transformer, vocabulary, 48, 3, 2),
    }


def small_builders(vocabulary: int) -> dict[str, Build]:
    """Both with about a quarter of the parameters."""
    return {
        "LSTM": partial(models.CharLSTM, vocabulary, 38),
        "transformer": partial(models.Transformer, vocabulary, 24, 3, 2),
    }


def windows(text: torch.Tensor, size: int, shuffle: bool = False) -> Batches:
    """The whole text in windows of 64 characters, one after the other."""
    cut = text.unfold(0, CONTEXT + 1, CONTEXT)
    return Batches(cut[:, :-1], cut[:, 1:], size, shuffle)


def recipes(name: str) -> list[Recipe]:
    """What is tried for a model: as many for each."""
    optimizers = product(SIZES, RATES[name], (None, MUON))
    return [{"size": size, "lr": lr, "muon": muon and round(muon * lr, 6)} for size, lr, muon in optimizers]


class Race:
    """Runs on one text. Each validates once, at its end, so that no weights are chosen by looking."""

    def __init__(self, train: torch.Tensor, validation: torch.Tensor):
        self.train = {size: windows(train, size, shuffle=True) for size in SIZES}
        self.validation, self.stream = windows(validation, 128), Streams(validation, 16, CONTEXT)

    def steps(self, seconds: float, build: Build, recipe: Recipe, tried: int = 60) -> int:
        """How many steps fit into the seconds, by the time of a few on a model that is thrown away."""
        return round(seconds / self.run(build, tried, recipe, seed=0)["seconds"] * tried)

    def run(self, build: Build, steps: int, recipe: Recipe, seed: int) -> dict[str, float]:
        """Train one model from start to finish; what it used and what it reached on the whole validation text.

        "bits_in_windows" are measured on windows of 64 characters, where neither model knows what came before;
        "bits_carried" on the text in order, where the LSTM carries its state along.
        """
        seed_everything(seed)
        model, train = build(), self.train[recipe["size"]]
        history = fit(
            model, train, self.validation, epochs=steps / len(train), lr=recipe["lr"], muon=recipe["muon"], clip=1.0,
            metric=METRIC, validations=1, label="",
        )  # fmt: skip
        reached = {"bits_in_windows": round(history.best, 4)}
        if isinstance(model, models.CharLSTM):
            reached["bits_carried"] = round(evaluate(model, self.stream, METRIC), 4)
        read = steps * recipe["size"] * CONTEXT
        return reached | {"seconds": round(history.seconds[-1], 2), "characters": read}


def tuned(race: Race, build: dict[str, Build], seed: int) -> dict[str, list[Recipe]]:
    """What is tried for each model, the best first, with its "bits"."""
    tried: dict[str, list[Recipe]] = {}
    for name, make in build.items():
        runs = [
            recipe | {"bits": race.run(make, race.steps(TUNED_WITH, make, recipe), recipe, seed)["bits_in_windows"]}
            for recipe in recipes(name)
        ]
        tried[name] = sorted(runs, key=lambda recipe: recipe["bits"])
        print(f"{name}: the best of {len(runs)} recipes is {tried[name][0]}", flush=True)
    return tried


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budgets", type=float, nargs="+", default=BUDGETS, help="seconds of training of a run")
    parser.add_argument("--characters", type=int, nargs="*", default=CHARACTERS, help="of a run in two sizes")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    wanted = parser.parse_args(arguments)
    prepare()
    corpus = data.corpus("tiny_shakespeare")
    race = Race(*(encode(part, corpus.alphabet) for part in (corpus.train, corpus.validation)))
    large, small = builders(len(corpus.alphabet)), small_builders(len(corpus.alphabet))
    seeds, named = range(wanted.seeds), {"small": small, "large": large}
    sized = {f"{size} {name}": make for size, group in named.items() for name, make in group.items()}

    tuning = tuned(race, large, seed=wanted.seeds)  # a seed that does not race
    best = {name: tried[0] for name, tried in tuning.items()}
    content: dict[str, Any] = dict(
        data=corpus.name,
        parameters={name: count_parameters(make()) for name, make in sized.items()},
        tuning=tuning,
        runs={name: {} for name in large},
        sizes={name: {} for name in sized},
    )
    for seconds in wanted.budgets:
        steps = {name: race.steps(seconds, make, best[name]) for name, make in large.items()}
        for name in large:
            content["runs"][name][f"{seconds:g}"] = []
        for seed in seeds:  # in turn, so that what slows the machine down slows both
            for name, make in large.items():
                content["runs"][name][f"{seconds:g}"].append(race.run(make, steps[name], best[name], seed))
        record(RECORD, "record_comparison", **content)
    for characters in wanted.characters:
        for name, make in sized.items():
            recipe = best[name.split()[1]]
            steps = round(characters / recipe["size"] / CONTEXT)
            runs = [race.run(make, steps, recipe, seed) for seed in seeds]
            content["sizes"][name][str(characters)] = [run["bits_in_windows"] for run in runs]
        record(RECORD, "record_comparison", **content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
