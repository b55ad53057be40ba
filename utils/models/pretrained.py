"""The trained weights that the course ships in data/weights/, each with a card that says how it was made."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from torch import Tensor

from utils.download import DataError
from utils.models.handwriting import Scribe
from utils.models.images import cnn
from utils.models.text import CharLSTM, Transformer
from utils.models.wavenet import WaveNet
from utils.paths import WEIGHTS

ARCHITECTURES = {
    "CharLSTM": CharLSTM,
    "Scribe": Scribe,
    "Transformer": Transformer,
    "WaveNet": WaveNet,
    "cnn": cnn,
}
NAMES = ("char_lstm", "char_transformer", "char_wavenet", "python_lstm", "mnist_cnn", "scribe")


def pretrained(name: str, folder: Path = WEIGHTS) -> Any:
    """A trained model, in evaluation mode, on the CPU, in float32: "char_lstm", "char_transformer", "char_wavenet",
    "python_lstm", "mnist_cnn" or "scribe".

    Text models know the characters that they read: `encode(text, model.alphabet)`. `card(name)` says how the model
    was trained and how well it does. The file holds half precision, which costs less than 0.001 bits.

    Raises ValueError for another name, and DataError, with what to do, where the file is missing or not the one that
    its card describes.
    """
    described = card(name, folder)
    model: Any = ARCHITECTURES[described["architecture"]["class"]](**described["architecture"]["arguments"])
    model.load_state_dict(verified(name, described, folder))  # copies into float32
    if "alphabet" in described:
        model.alphabet = described["alphabet"]
    return model.eval()


def card(name: str, folder: Path = WEIGHTS) -> dict[str, Any]:
    """What there is to know about a trained model: architecture, recipe, seconds, data, and how well it does.

    `card(name)["measured"]["shipped"]` is its figure as `pretrained(name)` gives it, and `card(name)["looks"]` lists
    how it got there. data/weights/README.md explains each entry.

    Raises ValueError for an unknown name, and DataError where the card is missing or cannot be read.
    """
    if name not in NAMES:
        raise ValueError(f"there is no trained model {name!r}; there are {', '.join(NAMES)}.")
    path = folder / f"{name}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"The trained model {name} is not here: {path} does not exist. {what_to_do(name)}") from None
    except (OSError, ValueError) as error:
        raise DataError(
            f"The card of the model {name}, {path}, cannot be read ({error}). {what_to_do(name)}"
        ) from error


def verified(name: str, described: dict[str, Any], folder: Path) -> dict[str, Tensor]:
    """The tensors of a file whose size and hash are those on its card. Raises DataError."""
    from safetensors.torch import load

    path, expected = folder / described["file"]["name"], described["file"]
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"The weights of {name}, {path}, cannot be read ({error.strerror}). {what_to_do(name)}"
        ) from error
    if len(content) != expected["bytes"]:
        problem = f"has {len(content):,} bytes, and its card says {expected['bytes']:,}"
    elif (found := sha256(content).hexdigest()) != expected["sha256"]:
        problem = f"has the SHA-256 {found[:12]}…, and its card says {expected['sha256'][:12]}…"
    else:
        return load(content)
    raise DataError(f"{path} is not what its card describes: it {problem}. {what_to_do(name)}")


def what_to_do(name: str) -> str:
    return (
        f"It comes with the course: `git checkout -- data/weights` brings it back in a clone, and "
        f"`make weights MODELS={name}` trains it again; where pip installed the course, "
        "`pip install --force-reinstall --no-deps reach-course` brings it back."
    )
