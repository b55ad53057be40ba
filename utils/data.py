"""The data of the course: handwritten digits and text, from this machine or fetched once and verified.

`python -m utils.data` fetches all of it ahead of time and shows what is there.
"""

import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from utils.download import DataError, DataFile, fetch, notice
from utils.strict import strict

# The primary site of MNIST (yann.lecun.com/exdb/mnist) refuses programs; these two serve the same bytes.
MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
SHAKESPEARE_MIRRORS = (
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
    "https://storage.googleapis.com/download.tensorflow.org/data/shakespeare.txt",
)


_loaded: set[str] = set()


def loaded() -> frozenset[str]:
    """The names of the data sets that this process has used so far: "digits" where MNIST could not be had."""
    return frozenset(_loaded)


def _mnist_file(name: str, size: int, sha256: str) -> DataFile:
    # Beside our own layout: the files as they come, and the folder that torchvision makes.
    places = tuple(folder + name for folder in ("mnist/", "", "MNIST/raw/"))
    return DataFile(places, size, sha256, tuple(f"{mirror}{name}.gz" for mirror in MNIST_MIRRORS))


MNIST = (
    _mnist_file(
        "train-images-idx3-ubyte",
        47_040_016,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    _mnist_file("train-labels-idx1-ubyte", 60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    _mnist_file(
        "t10k-images-idx3-ubyte",
        7_840_016,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    _mnist_file("t10k-labels-idx1-ubyte", 10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
)
TINY_SHAKESPEARE = DataFile(
    ("tinyshakespeare/input.txt",),
    1_115_394,
    "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    SHAKESPEARE_MIRRORS,
)

PYTHON_CHARACTERS = 1_000_000  # about the size of tiny Shakespeare


@dataclass(frozen=True, repr=False, eq=False)
class Images:
    """Grey images of the ten digits, with the test images apart.

    Images have shape (N, 1, H, W), float32, 0 (paper) to 1 (ink): what a convolution takes, with no
    conversion to forget. All of MNIST is 220 MB that way. Labels have shape (N,), int64.
    """

    name: str  # "mnist" or "digits"
    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor
    validation: int  # how many training images split() puts aside by default

    def __post_init__(self):
        _loaded.add(self.name)

    def split(self, validation: int | None = None) -> tuple[tuple[torch.Tensor, torch.Tensor], ...]:
        """((train images, labels), (validation images, labels)): the last `validation` images put aside.

        The same images each time, and views rather than copies, so a split costs no memory. Choose
        between models on the validation images; use the test images once, at the end.
        """
        count = self.validation if validation is None else validation
        if not 0 < count < len(self.train_images):
            raise ValueError(f"validation must be between 1 and {len(self.train_images) - 1} images, not {count}")
        return (
            (self.train_images[:-count], self.train_labels[:-count]),
            (self.train_images[-count:], self.train_labels[-count:]),
        )

    def __repr__(self) -> str:
        height, width = self.train_images.shape[2:]
        return (
            f"Images({self.name}: {len(self.train_images):,} training and {len(self.test_images):,} test "
            f"images of {height}×{width})"
        )


@dataclass(frozen=True, repr=False)
class Corpus:
    """A text, with its last tenth apart for validation."""

    name: str  # "tiny_shakespeare", "python" or "english"
    text: str

    def __post_init__(self):
        _loaded.add(self.name)

    @property
    def train(self) -> str:
        return self.text[: len(self.text) * 9 // 10]

    @property
    def validation(self) -> str:
        return self.text[len(self.text) * 9 // 10 :]

    @property
    def alphabet(self) -> str:
        """Each character of the text once, sorted: the vocabulary of a character model."""
        return "".join(sorted(set(self.text)))

    def __repr__(self) -> str:
        return f"Corpus({self.name}: {len(self.text):,} characters, {len(self.alphabet)} different ones)"


def mnist() -> Images:
    """MNIST (LeCun, Cortes, Burges 1998): 60,000 training and 10,000 test images of 28×28, in file order.

    Where it cannot be had, the result is `digits()` and a notice says so; look at `.name`.
    Raises DataError instead of that where REACH_STRICT has "data".
    """
    try:
        contents = fetch("MNIST", MNIST)
    except DataError as error:
        if strict("data"):
            raise
        notice(f"{error}\nThis run uses the 8×8 digits that scikit-learn ships instead.")
        return digits()
    train_images, train_labels, test_images, test_labels = map(_read_idx, contents)
    return Images(
        "mnist",
        _as_images(train_images, full_ink=255),
        torch.from_numpy(train_labels.astype(np.int64)),
        _as_images(test_images, full_ink=255),
        torch.from_numpy(test_labels.astype(np.int64)),
        validation=5000,
    )


def digits() -> Images:
    """The 1,797 handwritten digits of 8×8 that scikit-learn ships: 1,437 for training and 360 for testing.

    The split is ours: stratified, shuffled, always the same. (Alpaydin and Kaynak 1998, UCI repository.)
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    source: Any = load_digits()  # scikit-learn has no annotations: a guess of their types would be wrong
    parts: Any = train_test_split(source.images, source.target, test_size=360, stratify=source.target, random_state=0)
    train_images, test_images, train_labels, test_labels = parts
    return Images(
        "digits",
        _as_images(train_images, full_ink=16),
        torch.from_numpy(train_labels.astype(np.int64)),
        _as_images(test_images, full_ink=16),
        torch.from_numpy(test_labels.astype(np.int64)),
        validation=240,
    )


def photograph() -> torch.Tensor:
    """A colour photograph, a tower by a lake: (3, 427, 640), float32, 0 to 1. scikit-learn ships it.

    By D. Büchele, CC BY 2.0 (flickr.com/photos/danielbuechele/6061409035).
    """
    from sklearn.datasets import load_sample_image

    pixels: Any = load_sample_image("china.jpg")  # (H, W, 3), 0 to 255
    return torch.tensor(pixels).permute(2, 0, 1).float().div_(255)


def corpus(name: str) -> Corpus:
    """A text to learn from: "tiny_shakespeare", "python" (standard library) or "english" (Python's manual).

    Where tiny Shakespeare cannot be had, the result is "english" and a notice says so; look at `.name`.
    Raises DataError instead of that where REACH_STRICT has "data", and ValueError for another name.
    """
    readers = {"tiny_shakespeare": _tiny_shakespeare, "python": _python_source, "english": _english}
    if name not in readers:
        raise ValueError(f"there is no corpus {name!r}; there are {', '.join(readers)}")
    return readers[name]()


def _tiny_shakespeare() -> Corpus:
    try:
        (content,) = fetch("tiny Shakespeare", [TINY_SHAKESPEARE])
    except DataError as error:
        if strict("data"):
            raise
        notice(f"{error}\nThis run uses English text that Python ships (pydoc_data.topics) instead.")
        return _english()
    return Corpus("tiny_shakespeare", content.decode("ascii"))


def _python_source() -> Corpus:
    """Modules of the standard library in alphabetical order, whole, until a million characters are full.

    Private modules are left out, since some hold settings of one machine, and so are modules with other
    characters than ASCII, to keep the alphabet small. The text differs between Python versions.
    """
    import sysconfig

    library = Path(sysconfig.get_path("stdlib"))
    modules, length = [], 0
    for path in sorted(library.glob("[a-z]*.py")):
        try:
            source = path.read_text("ascii")
        except UnicodeDecodeError:
            continue
        if length + len(source) > PYTHON_CHARACTERS:
            break
        modules.append(source)
        length += len(source)
    if not modules:
        raise DataError(f"This Python has no source of its standard library in {library}.")
    return Corpus("python", "".join(modules))


def _english() -> Corpus:
    """The topics of Python's interactive help, one after another, sorted by name."""
    from pydoc_data.topics import topics

    return Corpus("english", "\n\n".join(topics[name] for name in sorted(topics)))


def _read_idx(content: bytes) -> np.ndarray:
    """An IDX file of bytes: two zeros, the type, the number of axes, their sizes (big-endian), the values."""
    axes = content[3]
    shape = struct.unpack_from(f">{axes}I", content, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def _as_images(pixels: np.ndarray, full_ink: int) -> torch.Tensor:
    """(N, H, W) in 0..full_ink to (N, 1, H, W), float32, in 0..1."""
    return torch.from_numpy(pixels.astype(np.float32)).unsqueeze(1).div_(full_ink)


def main() -> int:
    """Fetch all, show what is there. Returns 0 where nothing is missing, else 1."""
    from rich.console import Console
    from rich.table import Table

    from utils.terminal import write_in_any_encoding

    write_in_any_encoding()
    wanted = {
        "mnist": mnist,
        "digits": digits,
        "tiny_shakespeare": lambda: corpus("tiny_shakespeare"),
        "python": lambda: corpus("python"),
        "english": lambda: corpus("english"),
    }
    table = Table("data set", "state", "content")
    complete = True
    for name, load in wanted.items():
        try:
            found = load()
            state = "ready" if found.name == name else f"missing, {found.name} used"
            table.add_row(name, state, repr(found))
        except DataError as error:
            state = "missing"
            table.add_row(name, state, "")
            print(error)
        complete &= state == "ready"
    Console().print(table)
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
