"""`python -m bench.record_comparison`: the race of lesson 11, run longer than a lesson may take. Writes docs/recorded/.

First the same tuning effort for both: three learning rates each, and the best on the validation text stays. Then both
models, with about as many parameters, are trained for the same seconds, from short runs to long ones, and in two
sizes for the same characters, each run from start to finish with its own learning-rate schedule. One core, three
seeds; about half an hour with the default budgets. The clock counts the processor's seconds, so that other programs
disturb it little, and stands still during validation. The file is written again after each stage.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from statistics import median
from time import process_time
from typing import Any

import torch
from torch import nn

from bench.machine import THREADS
from bench.recording import record
from utils import data, models
from utils.paths import RECORDED
from utils.text import encode
from utils.training import Batches, Streams, count_parameters, cross_entropy, evaluate, fit, seed_everything

RECORD = RECORDED / "lstm_and_transformer.json"
BUDGETS = (2.0, 8.0, 32.0, 128.0)  # seconds of training
CHARACTERS = (250_000, 1_000_000)  # of a run in two sizes
RATES = {"LSTM": (0.01, 0.02, 0.04), "transformer": (0.00625, 0.0125, 0.025)}
TUNED_WITH = 8.0  # seconds of each of these runs
BATCH, CONTEXT = 8, 64
SEEDS = 3
METRIC = "bits per character"

Build = Callable[[], nn.Module]


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


def seconds_a_step(build: dict[str, Build], train: Batches, steps: int = 100) -> dict[str, float]:
    """Median time of a training step of each model, measured in turn, on models that are thrown away."""
    models = {name: make() for name, make in build.items()}
    optimizers = {name: torch.optim.AdamW(model.parameters(), 1e-3, fused=True) for name, model in models.items()}
    times = {name: [] for name in models}
    for _, (inputs, targets) in zip(range(steps), train, strict=False):
        for name, model in models.items():
            start = process_time()
            output = model(inputs)
            optimizers[name].zero_grad()
            cross_entropy(output[0] if isinstance(output, tuple) else output, targets).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizers[name].step()
            times[name].append(process_time() - start)
    return {name: median(values) for name, values in times.items()}


class Race:
    """Runs on one text. Each validates once, at its end, so that no weights are chosen by looking."""

    def __init__(self, train: torch.Tensor, validation: torch.Tensor):
        self.train, self.validation = windows(train, BATCH, shuffle=True), windows(validation, 128)
        self.stream = Streams(validation, 16, CONTEXT)

    def run(self, build: Build, steps: int, lr: float, seed: int) -> dict:
        """Train one model from start to finish; what it used and what it reached on the whole validation text.

        "bits_in_windows" are measured on windows of 64 characters, where neither model knows what came before;
        "bits_carried" on the text in order, where the LSTM carries its state along.
        """
        seed_everything(seed)
        model = build()
        history = fit(
            model, self.train, self.validation, epochs=steps / len(self.train), lr=lr, clip=1.0, metric=METRIC,
            validations=1, label="",
        )  # fmt: skip
        reached = {"bits_in_windows": round(history.best, 4)}
        if isinstance(model, models.CharLSTM):
            reached["bits_carried"] = round(evaluate(model, self.stream, METRIC), 4)
        return reached | {"seconds": round(history.seconds[-1], 1), "characters": steps * BATCH * CONTEXT}


def tuned(race: Race, build: dict[str, Build], steps: dict[str, int], seed: int) -> dict[str, dict[str, float]]:
    """Bits of each learning rate of each model, by its name and the rate's."""
    return {
        name: {f"{lr:g}": race.run(build[name], steps[name], lr, seed)["bits_in_windows"] for lr in rates}
        for name, rates in RATES.items()
    }


def best_rates(tuning: dict[str, dict[str, float]]) -> dict[str, float]:
    return {name: float(min(tried, key=lambda lr: tried[lr])) for name, tried in tuning.items()}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budgets", type=float, nargs="+", default=BUDGETS, help="seconds of training of a run")
    parser.add_argument("--characters", type=int, nargs="*", default=CHARACTERS, help="of a run in two sizes")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    wanted = parser.parse_args(arguments)
    torch.set_num_threads(THREADS)
    corpus = data.corpus("tiny_shakespeare")
    race = Race(*(encode(part, corpus.alphabet) for part in (corpus.train, corpus.validation)))
    large, small = builders(len(corpus.alphabet)), small_builders(len(corpus.alphabet))
    step, seeds = seconds_a_step(large, race.train), range(wanted.seeds)
    sized = {
        f"{size} {name}": make for size, group in (("small", small), ("large", large)) for name, make in group.items()
    }

    def steps(seconds: float) -> dict[str, int]:
        return {name: round(seconds / each) for name, each in step.items()}

    tuning = tuned(race, large, steps(TUNED_WITH), seed=wanted.seeds)  # a seed that does not race
    rates = best_rates(tuning)
    content: dict[str, Any] = dict(
        data=corpus.name,
        parameters={name: count_parameters(make()) for name, make in sized.items()},
        tuning=tuning,
        rates=rates,
        runs={name: {} for name in large},
        sizes={name: {} for name in sized},
    )
    for seconds in wanted.budgets:
        for name in large:
            content["runs"][name][f"{seconds:g}"] = []
        for seed in seeds:  # in turn, so that what slows the machine down slows both
            for name, make in large.items():
                run = race.run(make, steps(seconds)[name], rates[name], seed)
                content["runs"][name][f"{seconds:g}"].append(run)
        record(RECORD, "record_comparison", **content)
    for characters in wanted.characters:
        for name, make in sized.items():
            runs = [race.run(make, round(characters / BATCH / CONTEXT), rates[name.split()[1]], seed) for seed in seeds]
            content["sizes"][name][str(characters)] = [run["bits_in_windows"] for run in runs]
        record(RECORD, "record_comparison", **content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
