"""`python -m tools.record_horizon`: the horizons of lesson 08, with more units and more reading than fit in a lesson.

One core, one seed; about five minutes. Writes docs/recorded/, which the lesson draws beside its own, shorter runs.
"""

import argparse
import json
import platform
import sys
from pathlib import Path

import torch

from bench.__main__ import processor
from utils import data
from utils.models import CharLSTM
from utils.reach import context_horizon
from utils.text import Streams, encode
from utils.training import count_parameters, fit, seed_everything

RECORD = Path(__file__).parents[1] / "docs/recorded/char_lstm_horizon.json"
TRUNCATIONS = (16, 64, 256)
VISIBLE = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)


def long_run(corpus: data.Corpus, truncation: int, width: int, characters: int, positions: int = 1500) -> dict:
    """Train one model and measure its horizon; plain values for the record."""
    train, validation = (encode(part, corpus.alphabet) for part in (corpus.train, corpus.validation))
    seed_everything(0)
    model = CharLSTM(len(corpus.alphabet), width)
    options = dict(lr=0.005, clip=1.0, metric="bits per character", label=f"T = {truncation}")
    epochs = characters / len(train)
    history = fit(
        model, Streams(train, 1024 // truncation, truncation), Streams(validation, 32, 256), epochs=epochs, **options
    )
    curve = context_horizon(model, validation, VISIBLE, positions=positions)
    return {
        "bits_per_character": history.best,
        "lengths": list(curve.lengths),
        "bits": [round(value, 4) for value in curve.bits],
        "spread": [round(value, 4) for value in curve.spread],
        "excess_spread": [round(value, 4) for value in curve.excess_spread],
        "tolerance": curve.tolerance,
        "horizon": curve.horizon,
        "parameters": count_parameters(model),
        "seconds": round(history.seconds[-1]),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--characters", type=int, default=1_600_000, help="that each run reads")
    wanted = parser.parse_args(arguments)
    torch.set_num_threads(1)
    corpus = data.corpus("tiny_shakespeare")
    runs = {str(T): long_run(corpus, T, wanted.width, wanted.characters) for T in TRUNCATIONS}
    write(runs, wanted.width, wanted.characters, corpus.name)
    return 0


def write(runs: dict, width: int, characters: int, text: str) -> None:
    """Store the record, whole or not at all."""
    record = {
        "command": "python -m tools.record_horizon",
        "machine": f"{processor()}, 1 thread, torch {torch.__version__}, Python {platform.python_version()}",
        "data": text,
        "width": width,
        "characters": characters,
        "runs": runs,
    }
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    whole = RECORD.with_suffix(".tmp")
    whole.write_text(json.dumps(record, indent=1) + "\n")
    whole.replace(RECORD)
    print(f"Written: {RECORD}")


if __name__ == "__main__":
    sys.exit(main())
