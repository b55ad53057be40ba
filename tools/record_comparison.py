"""`python -m tools.record_comparison`: the race of lesson 11, run longer than a lesson may take. Writes docs/recorded/.

Both models, with about as many parameters, are trained for the same seconds, from short runs to long ones, each
run from start to finish with its own learning-rate schedule. One core, three seeds; about five minutes with the
default budgets. The validation text plays no part in the seconds.
"""

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import nn

from bench.__main__ import processor
from utils import data, models
from utils.text import Streams, encode
from utils.training import count_parameters, cross_entropy, fit, seed_everything

RECORD = Path(__file__).parents[1] / "docs/recorded/lstm_and_transformer.json"
BUDGETS = (2.0, 8.0, 32.0)  # seconds of training
STREAMS, CONTEXT = 16, 64
SEEDS = 3


def builders(vocabulary: int) -> dict[str, Callable[[], nn.Module]]:
    """The two models of lesson 11; their sizes differ by less than 5 %."""
    return {
        "LSTM": partial(models.CharLSTM, vocabulary, 79),
        "transformer": partial(models.Transformer, vocabulary, 48, 4, 2),
    }


def seconds_a_step(model: nn.Module, train: Streams, steps: int = 15) -> float:
    """Median time of a training step, measured on a model that is thrown away."""
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, fused=True)
    times = []
    for _, (inputs, targets) in zip(range(steps), train, strict=False):
        start = time.perf_counter()
        output = model(inputs)
        optimizer.zero_grad()
        cross_entropy(output[0] if isinstance(output, tuple) else output, targets).backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    return sorted(times)[steps // 2]


def train_for(seconds: float, build: Callable, train: Streams, validation: Streams, seed: int) -> dict:
    """One run that is planned to last so long; what it used and what it reached."""
    steps = max(1, round(seconds / seconds_a_step(build(), train)))
    seed_everything(seed)
    options = dict(lr=0.01, clip=1.0, metric="bits per character", validations=2)
    history = fit(build(), train, validation, epochs=steps / len(train), **options)
    return {"bits": history.best, "seconds": history.seconds[-1], "characters": steps * STREAMS * CONTEXT}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budgets", type=float, nargs="+", default=BUDGETS, help="seconds of training of a run")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    wanted = parser.parse_args(arguments)
    torch.set_num_threads(1)
    corpus = data.corpus("tiny_shakespeare")
    train = Streams(encode(corpus.train, corpus.alphabet), STREAMS, CONTEXT)
    validation = Streams(encode(corpus.validation, corpus.alphabet)[:50_000], STREAMS, CONTEXT)
    build = builders(len(corpus.alphabet))
    runs = {name: {f"{budget:g}": [] for budget in wanted.budgets} for name in build}
    for budget in wanted.budgets:
        for name in build:
            for seed in range(wanted.seeds):
                runs[name][f"{budget:g}"].append(train_for(budget, build[name], train, validation, seed))
    write(runs, {name: count_parameters(make()) for name, make in build.items()}, corpus.name)
    return 0


def write(runs: dict, parameters: dict, text: str) -> None:
    """Store the record, whole or not at all."""
    bits = {name: {b: [run["bits"] for run in seeds] for b, seeds in budgets.items()} for name, budgets in runs.items()}
    record = {
        "command": "python -m tools.record_comparison",
        "machine": f"{processor()}, 1 thread, torch {torch.__version__}, Python {platform.python_version()}",
        "data": text,
        "parameters": parameters,
        "bits": bits,
        "runs": runs,
    }
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    whole = RECORD.with_suffix(".tmp")
    whole.write_text(json.dumps(record, indent=1) + "\n")
    whole.replace(RECORD)
    print(f"Written: {RECORD}")


if __name__ == "__main__":
    sys.exit(main())
