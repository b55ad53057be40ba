"""`python -m bench.record_floor`: what the size of the text costs. Writes docs/recorded/text_floor.json.

The same LSTM learns from the whole training text of tiny Shakespeare, from its last half and from its last quarter.
Each run reads as many characters in all, so that only the number of *different* ones changes, and is measured on the
whole validation text. Tables of counts are filled from the same parts. Last, the LSTM that the course ships is measured
on text that it was trained on. One core, one seed; about ten minutes. The record grows part by part.
"""

import argparse
import sys

from bench.machine import prepare
from bench.recording import record
from tools.train_weights.lstm import LSTMTraining, lstm_bits
from tools.train_weights.trainer import advance
from utils import data
from utils.models import NGram, pretrained
from utils.paths import RECORDED
from utils.text import encode

RECORD = RECORDED / "text_floor.json"
PARTS = (1, 2, 4)  # the whole, a half, a quarter
TABLES = (1, 2, 4, 8)
ORDERS = (4, 5, 6)


def one_part(corpus: data.Corpus, part: int, width: int, passes: int) -> dict[str, float | int]:
    """Train on a part, as often as makes `passes` of the whole; bits of training (with dropout) and of validation."""
    training = LSTMTraining(corpus, width=width, epochs=passes * part, part=part)
    peaks = [[group["lr"] for group in optimizer.param_groups] for optimizer in training.optimizers]
    for step in range(training.steps):
        advance(training, step, peaks)
    length = len(training.validation_tokens)
    return {
        "characters": len(training.train_tokens),
        "read": training.steps * training.reads,
        "training": round(lstm_bits(training.model, training.train_tokens[-length:]), 4),
        "validation": round(training.final(), 4),
    }


def tables(corpus: data.Corpus, part: int) -> dict[str, float]:
    """Bits of n-gram models that counted the same part."""
    train, validation = (encode(text, corpus.alphabet) for text in (corpus.train, corpus.validation))
    train, size = train[-(len(train) // part) :], len(corpus.alphabet)
    return {str(order): round(NGram(order, size).fit(train).bits(validation), 4) for order in ORDERS}


def shipped(corpus: data.Corpus) -> dict[str, float]:
    """Bits of the LSTM in data/weights/ on the first tenth of its training text, and on the validation text."""
    model = pretrained("char_lstm")
    train, validation = (encode(text, model.alphabet) for text in (corpus.train, corpus.validation))
    return {
        "training": round(lstm_bits(model, train[: len(validation)]), 4),
        "validation": round(lstm_bits(model, validation), 4),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--passes", type=int, default=3, help="through the whole training text, in characters")
    wanted = parser.parse_args(arguments)
    prepare()
    corpus = data.corpus("tiny_shakespeare")
    counted = {str(part): tables(corpus, part) for part in TABLES}
    content = dict(data=corpus.name, **vars(wanted), shipped=shipped(corpus), tables=counted)
    parts: dict[str, dict[str, float | int]] = {}
    for part in PARTS:
        parts[str(part)] = one_part(corpus, part, wanted.width, wanted.passes)
        print(f"1 / {part} of the text: {parts[str(part)]}", flush=True)
        record(RECORD, "record_floor", **content, parts=parts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
