"""`python -m tools.train_weights [name …]`: train these models again, or those that data/weights/ lacks."""

import os
import string
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch

from tools.train_weights.handwriting import ScribeTraining
from tools.train_weights.images import CNNTraining
from tools.train_weights.lstm import LSTMTraining
from tools.train_weights.shipping import ship, write_table
from tools.train_weights.trainer import Training, train
from tools.train_weights.transformer import TransformerTraining
from tools.train_weights.wavenet import WaveNetTraining
from utils.data import Corpus, Images, corpus, mnist
from utils.download import DataError
from utils.models import pretrained
from utils.models.pretrained import NAMES
from utils.paths import COURSE, WEIGHTS

CHECKPOINTS = COURSE / ".reach" / "weights"
PRINTABLE = "".join(sorted(string.printable))  # all that Python source in ASCII may hold, in any version of Python


class Model(NamedTuple):
    title: str
    start: Callable[[], Training]


MODELS = {
    "char_lstm": Model(
        "An LSTM with one layer that writes plays: characters of tiny Shakespeare.",
        lambda: LSTMTraining(text("tiny_shakespeare")),
    ),
    "mnist_cnn": Model("The convolutional network of lesson 02 on MNIST.", lambda: CNNTraining(digits())),
    "char_transformer": Model(
        "A transformer with two layers that writes plays: characters of tiny Shakespeare.",
        lambda: TransformerTraining(text("tiny_shakespeare")),
    ),
    "char_wavenet": Model(
        "A causal dilated CNN, WaveNet's, that writes plays: characters of tiny Shakespeare.",
        lambda: WaveNetTraining(text("tiny_shakespeare")),
    ),
    "python_lstm": Model(
        "An LSTM with one layer that reads Python: characters of the standard library's source.",
        lambda: LSTMTraining(text("python"), epochs=6, alphabet=PRINTABLE),
    ),
    "scribe": Model("An LSTM with a mixture of normal distributions that writes looped letters.", ScribeTraining),
}


def text(name: str) -> Corpus:
    """The corpus of this name and no other. Raises DataError."""
    found = corpus(name)
    if found.name != name:
        raise DataError(f"{name} is not at hand, and weights are not trained on {found.name} instead.")
    return found


def digits() -> Images:
    """MNIST and nothing else. Raises DataError."""
    found = mnist()
    if found.name != "mnist":
        raise DataError(f"MNIST is not at hand, and weights are not trained on {found.name} instead.")
    return found


def missing(folder: Path) -> list[str]:
    """Which models the folder lacks, or has in a form that does not load."""
    found = []
    for name in MODELS:
        try:
            pretrained(name, folder)
        except DataError:
            found.append(name)
    return found


def main(names: list[str], folder: Path = WEIGHTS, checkpoints: Path = CHECKPOINTS) -> int:
    """Train and ship, one after the other. Returns 1 where data were missing, 2 for an unknown name, else 0."""
    if unknown := set(names) - set(MODELS):
        print(f"No model is called {', '.join(sorted(unknown))}. There are: {', '.join(MODELS)}.", file=sys.stderr)
        return 2
    os.environ.update(REACH_STRICT="data", REACH_TRAINING="", CUDA_VISIBLE_DEVICES="")
    torch.set_num_threads(1)
    for name in names or missing(folder):
        checkpoint = checkpoints / f"{name}.checkpoint"
        print(f"{name}: {MODELS[name].title}", flush=True)
        try:
            training = MODELS[name].start()
        except DataError as error:
            print(error, file=sys.stderr)
            return 1
        run = train(training, checkpoint, log=lambda line: print(f"  {line}", flush=True))
        card = ship(name, MODELS[name].title, training, run, folder)
        checkpoint.unlink(missing_ok=True)
        print(f"  {card['measured']['shipped']:.4f} {training.unit}, {card['file']['bytes']:,} bytes", flush=True)
    write_table(folder)
    return 0


assert sorted(MODELS) == sorted(NAMES)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
