"""`python -m bench.record_comparison`: the race of lesson 11, run longer than a lesson may take. Writes docs/recorded/.

Both models, with about as many parameters, are trained for the same seconds, from short runs to long ones, each
run from start to finish with its own learning-rate schedule. One core, three seeds; about twenty minutes with the
default budgets. The clock counts the processor's seconds, so that other programs disturb it little, and stands still
during validation.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from statistics import median
from time import process_time

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
STREAMS, CONTEXT = 16, 64
SEEDS = 3


def builders(vocabulary: int) -> dict[str, Callable[[], nn.Module]]:
    """The two models of lesson 11; their sizes differ by less than 5 %."""
    return {
        "LSTM": partial(models.CharLSTM, vocabulary, 79),
        "transformer": partial(models.Transformer, vocabulary, 48, 4, 2),
    }


def seconds_a_step(build: dict[str, Callable], train: Streams, steps: int = 100) -> dict[str, float]:
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


def one_run(build: Callable, steps: int, train: Streams, validation: Streams, seed: int) -> dict:
    """Train one model from start to finish; what it used and what it reached.

    "bits" are measured on the text in order, where the LSTM carries its state along; "bits_in_windows" on windows
    of 64 characters, where neither model knows what came before.
    """
    seed_everything(seed)
    model = build()
    epochs = steps / len(train)
    history = fit(
        model, train, validation, epochs=epochs, lr=0.01, clip=1.0, metric="bits per character", validations=1
    )
    inputs, targets = (torch.cat(batches) for batches in zip(*list(validation)[:-1], strict=True))
    in_windows = evaluate(model, Batches(inputs, targets), "bits per character")
    return {
        "bits": round(history.best, 4),
        "bits_in_windows": round(in_windows, 4),
        "seconds": round(history.seconds[-1], 1),
        "characters": steps * STREAMS * CONTEXT,
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budgets", type=float, nargs="+", default=BUDGETS, help="seconds of training of a run")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    wanted = parser.parse_args(arguments)
    torch.set_num_threads(THREADS)
    corpus = data.corpus("tiny_shakespeare")
    train = Streams(encode(corpus.train, corpus.alphabet), STREAMS, CONTEXT)
    validation = Streams(encode(corpus.validation, corpus.alphabet), STREAMS, CONTEXT)
    build = builders(len(corpus.alphabet))
    step = seconds_a_step(build, train)
    runs = {name: {f"{budget:g}": [] for budget in wanted.budgets} for name in build}
    for budget in wanted.budgets:
        for name in build:
            for seed in range(wanted.seeds):
                run = one_run(build[name], round(budget / step[name]), train, validation, seed)
                runs[name][f"{budget:g}"].append(run)
    parameters = {name: count_parameters(make()) for name, make in build.items()}
    record(RECORD, "record_comparison", data=corpus.name, parameters=parameters, runs=runs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
