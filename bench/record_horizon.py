"""`python -m bench.record_horizon`: the horizon of a model whose gradients reach back 16 characters, for lesson 08.

It has more units and reads more than fits in a lesson. One core, one seed; about a minute. Writes docs/recorded/, which
the lesson reads. How far a gradient reaches is the only thing that this run shows: runs with other truncations would
differ in their batches as well.
"""

import argparse
import sys

from bench.machine import prepare
from bench.recording import record
from utils import data
from utils.models import CharLSTM
from utils.paths import RECORDED
from utils.reach import context_horizon
from utils.text import encode
from utils.training import Streams, count_parameters, fit, seed_everything

RECORD = RECORDED / "char_lstm_horizon.json"
TRUNCATIONS = (16,)
VISIBLE = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)


def long_run(corpus: data.Corpus, truncation: int, width: int, characters: int, positions: int = 1500) -> dict:
    """Train one model and measure its horizon; plain values for the record."""
    train, validation = (encode(part, corpus.alphabet) for part in (corpus.train, corpus.validation))
    seed_everything(0)
    model = CharLSTM(len(corpus.alphabet), width)
    history = fit(
        model,
        Streams(train, 1024 // truncation, truncation),
        Streams(validation, 32, 256),
        epochs=characters / len(train),
        lr=0.005,
        clip=1.0,
        metric="bits per character",
        label=f"T = {truncation}",
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
    prepare()
    corpus = data.corpus("tiny_shakespeare")
    runs = {str(T): long_run(corpus, T, wanted.width, wanted.characters) for T in TRUNCATIONS}
    record(RECORD, "record_horizon", data=corpus.name, **vars(wanted), runs=runs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
