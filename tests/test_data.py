"""Data: found, fetched and verified, with each way that this can go wrong played by a mirror of our own."""

import argparse
import calendar
import dataclasses
import errno
import gzip
import hashlib
import inspect
import os
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
import tqdm

from utils import data, download
from utils.download import DataError, DataFile, fetch
from utils.paths import DATA
from utils.strict import KINDS, strict

REAL_DATA = Path(os.environ.get("REACH_DATA") or DATA)
real_mnist = pytest.mark.skipif(not (REAL_DATA / "mnist").is_dir(), reason=f"no MNIST in {REAL_DATA}")
real_shakespeare = pytest.mark.skipif(
    not (REAL_DATA / "tinyshakespeare").is_dir(), reason=f"no tiny Shakespeare in {REAL_DATA}"
)

CONTENT = np.random.default_rng(0).integers(0, 256, 50_000, np.uint8).tobytes()
THREE_WAYS = ("Set REACH_DATA", "Put the same into", "Go online")


class Mirror(ThreadingHTTPServer):
    """A mirror on this machine. `files` maps a path to decompressed bytes; `mood` says how it behaves."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), MirrorHandler)
        self.address = f"http://127.0.0.1:{self.server_address[1]}/"
        self.files: dict[str, bytes] = {}
        self.mood = "good"
        self.asked: list[str] = []
        self.closing = threading.Event()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self):
        self.closing.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        """A client that gave up is what some tests are about."""


class MirrorHandler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        mood, content = self.server.mood, self.server.files[self.path.lstrip("/")]
        body = gzip.compress(content, mtime=0)
        if mood.isdigit():
            return self.answer(b"no", status=int(mood))
        bodies = {
            "plain": content,
            "html": b"\n<!DOCTYPE html><title>Please log in</title>",
            "short": body[: len(body) // 2],
            "other content": bytes(len(content)),
        }
        sent = bodies.get(mood, body)
        only_first = len(sent) // 2 if mood in ("cut off", "stalled") else None
        self.answer(sent, only_first=only_first)
        if mood == "stalled":
            self.server.closing.wait()

    def answer(self, body, status=200, only_first=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:only_first])
        self.wfile.flush()

    def log_message(self, *_):
        pass


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of the test's own, and nothing left of earlier tests or of the environment."""
    monkeypatch.setattr(download, "DATA", tmp_path / "cache")
    monkeypatch.setattr(download, "_notices", set())
    for name in ("REACH_DATA", "REACH_STRICT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    return tmp_path / "cache"


@pytest.fixture
def mirror():
    server = Mirror()
    yield server
    server.close()


@pytest.fixture
def second_mirror():
    server = Mirror()
    yield server
    server.close()


def offer(*mirrors: Mirror, content: bytes = CONTENT, name: str = "set/numbers") -> DataFile:
    """A file that these mirrors have."""
    stem = name.rpartition("/")[2]
    for server in mirrors:
        server.files[stem] = content
    addresses = tuple(server.address + stem for server in mirrors)
    return DataFile((name, stem), len(content), hashlib.sha256(content).hexdigest(), addresses)


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


# --- mirrors ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mood", ["good", "plain"])
def test_a_download_is_verified_decompressed_and_kept(mirror, cache, capsys, mood):
    file = offer(mirror)
    mirror.mood = mood
    assert fetch("numbers", [file]) == [CONTENT]
    assert files_below(cache) == ["set/numbers"]
    assert (cache / "set/numbers").read_bytes() == CONTENT
    assert fetch("numbers", [file]) == [CONTENT]
    assert len(mirror.asked) == 1, "the second time it comes from the cache"
    assert capsys.readouterr().out == ""


def test_a_download_moves_a_progress_bar(mirror, monkeypatch):
    bars = []

    class RecordedBar(tqdm.tqdm):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.steps = []
            bars.append(self)

        def update(self, n=1):
            self.steps.append(n)
            return super().update(n)

    monkeypatch.setattr(tqdm, "tqdm", RecordedBar)
    fetch("numbers", [offer(mirror)])
    (bar,) = bars
    assert "numbers" in bar.desc and len(bar.steps) > 3
    assert bar.n == bar.total == len(gzip.compress(CONTENT))


@pytest.mark.parametrize(
    ("mood", "reason"),
    [
        ("403", "answers 403 Forbidden"),
        ("500", "answers 500 Internal Server Error"),
        ("html", "44 bytes where 50,000 are expected"),
        ("cut off", "cannot be fetched (ChunkedEncodingError)"),
        ("short", "truncated or damaged gzip"),
        ("other content", "not the right content"),
    ],
)
def test_a_mirror_that_misbehaves_is_named_and_works_once_it_behaves(mirror, cache, mood, reason):
    file = offer(mirror)
    mirror.mood = mood
    with pytest.raises(DataError) as caught:
        fetch("numbers", [file])
    message = str(caught.value)
    assert reason in message and mirror.address in message
    assert all(way in message for way in THREE_WAYS)
    assert files_below(cache) == []
    mirror.mood = "good"
    assert fetch("numbers", [file]) == [CONTENT]
    assert files_below(cache) == ["set/numbers"]


def test_a_mirror_that_falls_silent_is_given_up(mirror, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", (10.0, 0.2))
    mirror.mood = "stalled"
    with pytest.raises(DataError, match="cannot be fetched"):
        fetch("numbers", [offer(mirror)])


def test_no_network_is_one_error_with_three_ways(mirror):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/numbers"
    file = dataclasses.replace(offer(), mirrors=(address,))
    with pytest.raises(DataError, match=r"cannot be fetched \(ConnectionError\)") as caught:
        fetch("numbers", [file])
    assert all(way in str(caught.value) for way in THREE_WAYS)
    assert fetch("numbers", [dataclasses.replace(file, mirrors=(address, *offer(mirror).mirrors))])


@pytest.mark.parametrize("mood", ["403", "html"])
def test_the_next_mirror_is_asked_without_a_fuss(mirror, second_mirror, capsys, mood):
    mirror.mood = mood
    assert fetch("numbers", [offer(mirror, second_mirror)]) == [CONTENT]
    assert capsys.readouterr().out == ""


# --- folders ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["set/numbers", "set/numbers.gz", "numbers", "numbers.gz"])
@pytest.mark.parametrize("folder", ["own", "cache"])
def test_each_layout_is_found_without_a_mirror(tmp_path, monkeypatch, mirror, place, folder):
    monkeypatch.setenv("REACH_DATA", str(tmp_path / "own"))
    (tmp_path / "own").mkdir()
    put(tmp_path / folder / place, gzip.compress(CONTENT) if place.endswith(".gz") else CONTENT)
    assert fetch("numbers", [offer(mirror)]) == [CONTENT]
    assert mirror.asked == []
    assert files_below(tmp_path) == [f"{folder}/{place}"], "nothing is copied"


def test_reach_data_comes_before_the_cache(tmp_path, monkeypatch, cache):
    put(tmp_path / "own/numbers", CONTENT)
    put(cache / "numbers", b"wrong, and never looked at")
    monkeypatch.setenv("REACH_DATA", str(tmp_path / "own"))
    monkeypatch.setenv("REACH_STRICT", "1")
    assert fetch("numbers", [offer()]) == [CONTENT]


WRONG = {"truncated": gzip.compress(CONTENT)[:-100], "another file": b"my thesis", "empty": b""}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_a_users_wrong_file_is_named_passed_over_and_left_alone(tmp_path, monkeypatch, mirror, capsys, content):
    wrong = put(tmp_path / "own/set/numbers", content)
    monkeypatch.setenv("REACH_DATA", str(tmp_path / "own"))
    file = offer(mirror)

    monkeypatch.setenv("REACH_STRICT", "data")
    with pytest.raises(DataError) as caught:
        fetch("numbers", [file])
    assert str(wrong) in str(caught.value) and all(way in str(caught.value) for way in THREE_WAYS)

    monkeypatch.delenv("REACH_STRICT")
    for _ in range(2):
        assert fetch("numbers", [file]) == [CONTENT]
    printed = capsys.readouterr().out
    assert printed.count(str(wrong)) == 1 and all(way in printed for way in THREE_WAYS)
    assert wrong.read_bytes() == content


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_a_wrong_file_in_the_cache_is_replaced(cache, mirror, capsys, content):
    wrong = put(cache / "set/numbers", content)
    assert fetch("numbers", [offer(mirror)]) == [CONTENT]
    assert wrong.read_bytes() == CONTENT
    assert f"{wrong} has been replaced" in capsys.readouterr().out


def test_a_folder_in_the_place_of_a_file_is_named(cache, mirror, capsys):
    put(cache / "set/numbers/notes.txt", b"mine")
    assert fetch("numbers", [offer(mirror)]) == [CONTENT]
    assert "could not be kept" in capsys.readouterr().out
    assert files_below(cache) == ["set/numbers/notes.txt"]


def test_an_unreadable_file_is_named_and_works_once_it_is_readable(tmp_path, monkeypatch):
    path = put(tmp_path / "own/numbers", CONTENT)
    monkeypatch.setenv("REACH_DATA", str(tmp_path / "own"))
    read_bytes = Path.read_bytes

    def refuse(self):  # instead of chmod, which does not stop root
        if self == path:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return read_bytes(self)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        with pytest.raises(DataError, match="cannot be read") as caught:
            fetch("numbers", [offer()])
    assert str(path) in str(caught.value) and "Permission denied" in str(caught.value)
    assert fetch("numbers", [offer()]) == [CONTENT]


def test_a_reach_data_that_is_no_folder_is_named(tmp_path, monkeypatch, mirror, capsys):
    monkeypatch.setenv("REACH_DATA", str(tmp_path / "mistyped"))
    assert fetch("numbers", [offer(mirror)]) == [CONTENT]
    assert f"{tmp_path / 'mistyped'}, which is not a folder" in capsys.readouterr().out
    monkeypatch.setenv("REACH_STRICT", "data")
    with pytest.raises(DataError, match="not a folder"):
        fetch("numbers", [offer(mirror)])


# --- writing ---------------------------------------------------------------------------------------------


def test_a_full_disk_costs_only_the_cache(mirror, cache, monkeypatch, capsys):
    def full(path, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(download, "write_whole", full)
        assert fetch("numbers", [offer(mirror)]) == [CONTENT]
    assert os.strerror(errno.ENOSPC) in capsys.readouterr().out
    assert fetch("numbers", [offer(mirror)]) == [CONTENT]
    assert files_below(cache) == ["set/numbers"] and len(mirror.asked) == 2


def test_two_notebooks_may_fetch_at_once(mirror, cache):
    file, results = offer(mirror), []
    threads = [threading.Thread(target=lambda: results.append(fetch("numbers", [file]))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[CONTENT]] * 4
    assert files_below(cache) == ["set/numbers"]


# --- what the lessons call -------------------------------------------------------------------------------


def idx(values: np.ndarray) -> bytes:
    return bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


@pytest.fixture
def small_mnist(mirror, monkeypatch):
    """Forty made-up images in the place of MNIST, on a mirror. Returns the training pixels and labels."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (40, 28, 28), np.uint8)
    labels = rng.integers(0, 10, 40, np.uint8)
    arrays = (pixels[:30], labels[:30], pixels[30:], labels[30:])
    files = tuple(
        offer(mirror, content=idx(values), name=file.places[0]) for file, values in zip(data.MNIST, arrays, strict=True)
    )
    monkeypatch.setattr(data, "MNIST", files)
    return pixels[:30], labels[:30]


@pytest.fixture
def small_shakespeare(mirror, monkeypatch):
    text = "What say you, citizens?\n" * 20
    monkeypatch.setattr(data, "TINY_SHAKESPEARE", offer(mirror, content=text.encode(), name="a/input.txt"))
    return text


def test_mnist_gives_the_pixels_of_the_files(small_mnist, cache):
    pixels, labels = small_mnist
    images = data.mnist()
    assert images.name == "mnist"
    assert images.train_images.shape == (30, 1, 28, 28) and images.train_images.dtype == torch.float32
    assert images.test_images.shape == (10, 1, 28, 28) and images.test_labels.shape == (10,)
    np.testing.assert_allclose(images.train_images[:, 0].numpy() * 255, pixels, atol=1e-4)
    assert images.train_labels.dtype == torch.int64 and images.train_labels.tolist() == labels.tolist()
    assert len(files_below(cache)) == 4


def test_without_mnist_the_digits_take_its_place_with_one_notice(small_mnist, mirror, capsys):
    mirror.mood = "403"
    assert data.mnist().name == "digits" and data.mnist().name == "digits"
    printed = capsys.readouterr().out
    assert printed.count("scikit-learn") == 1 and printed.count("MNIST is not at hand") == 1
    assert all(way in printed for way in THREE_WAYS)
    mirror.mood = "good"
    assert data.mnist().name == "mnist"


def test_without_shakespeare_english_takes_its_place_with_one_notice(small_shakespeare, mirror, capsys):
    mirror.mood = "html"
    assert data.corpus("tiny_shakespeare").name == data.corpus("tiny_shakespeare").name == "english"
    printed = capsys.readouterr().out
    assert printed.count("pydoc_data") == 1 and all(way in printed for way in THREE_WAYS)
    mirror.mood = "good"
    assert data.corpus("tiny_shakespeare") == data.Corpus("tiny_shakespeare", small_shakespeare)


@pytest.mark.parametrize("load", [data.mnist, lambda: data.corpus("tiny_shakespeare")])
def test_strict_mode_has_no_fallback(small_mnist, small_shakespeare, mirror, monkeypatch, load):
    monkeypatch.setenv("REACH_STRICT", "data")
    mirror.mood = "404"
    with pytest.raises(DataError) as caught:
        load()
    assert all(way in str(caught.value) for way in THREE_WAYS)
    mirror.mood = "good"
    assert load().name in ("mnist", "tiny_shakespeare")


def test_the_photograph_is_in_color_and_at_hand_without_a_network():
    photo = data.photograph()
    assert photo.shape == (3, 427, 640) and photo.dtype == torch.float32
    assert 0 <= photo.min() < 0.1 and 0.9 < photo.max() <= 1


def test_digits_are_split_the_same_way_each_time_with_all_classes_in_proportion():
    first, again = data.digits(), data.digits()
    assert first.name == "digits"
    assert first.train_images.shape == (1437, 1, 8, 8) and first.test_images.shape == (360, 1, 8, 8)
    assert torch.equal(first.test_images, again.test_images)
    assert first.train_images.dtype == torch.float32 and first.train_labels.dtype == torch.int64
    assert first.train_images.min() == 0 and first.train_images.max() == 1
    assert set(torch.bincount(first.test_labels).tolist()) <= {35, 36, 37}


def test_a_split_puts_the_same_images_aside_and_copies_nothing():
    images = data.digits()
    (train_images, train_labels), (validation_images, validation_labels) = images.split()
    assert len(validation_images) == len(validation_labels) == 240
    assert torch.equal(torch.cat([train_images, validation_images]), images.train_images)
    assert torch.equal(torch.cat([train_labels, validation_labels]), images.train_labels)
    assert train_images.data_ptr() == images.train_images.data_ptr()
    assert torch.bincount(validation_labels).min() > 0
    assert len(images.split(validation=7)[1][0]) == 7
    for impossible in (0, -1, 1437):
        with pytest.raises(ValueError, match="between 1 and 1436"):
            images.split(impossible)


@pytest.mark.parametrize("name", ["python", "english"])
def test_the_texts_that_python_ships(name):
    corpus = data.corpus(name)
    assert corpus == data.corpus(name), "the same each time"
    assert 300_000 < len(corpus.text) <= data.PYTHON_CHARACTERS
    assert corpus.train + corpus.validation == corpus.text
    assert len(corpus.validation) == pytest.approx(len(corpus.text) / 10, abs=1)
    assert set(corpus.text) == set(corpus.alphabet) and len(corpus.alphabet) < 150
    assert len(repr(corpus)) < 100


def test_the_python_corpus_is_whole_modules_with_nesting():
    corpus = data.corpus("python")
    assert inspect.getsource(argparse) in corpus.text and inspect.getsource(calendar) in corpus.text
    assert corpus.text.isascii() and "            return " in corpus.text


def test_an_unknown_corpus_is_an_error_that_lists_the_known():
    with pytest.raises(ValueError, match="tiny_shakespeare, python, english"):
        data.corpus("shakespeare")


def test_the_command_shows_what_is_there(small_mnist, small_shakespeare, mirror, monkeypatch, capsys):
    assert data.main() == 0
    assert "missing" not in capsys.readouterr().out
    for file in files_below(download.DATA):
        (download.DATA / file).unlink()
    mirror.mood = "500"
    assert data.main() == 1
    assert capsys.readouterr().out.count("missing") == 2
    monkeypatch.setenv("REACH_STRICT", "data")
    assert data.main() == 1
    assert capsys.readouterr().out.count("missing") == 2


# --- the real thing --------------------------------------------------------------------------------------


@real_mnist
def test_the_real_mnist(monkeypatch):
    monkeypatch.setenv("REACH_DATA", str(REAL_DATA))
    monkeypatch.setenv("REACH_STRICT", "data")
    images = data.mnist()
    assert images.train_images.shape == (60_000, 1, 28, 28)
    assert images.test_images.shape == (10_000, 1, 28, 28)
    assert images.train_images.mean().item() == pytest.approx(0.1307, abs=1e-4)
    assert images.train_images.std().item() == pytest.approx(0.3081, abs=1e-4)
    assert torch.bincount(images.test_labels).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
    assert images.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    (train_images, _), (validation_images, validation_labels) = images.split()
    assert len(train_images) == 55_000 and len(validation_images) == 5_000
    assert torch.bincount(validation_labels).min() > 400


@real_shakespeare
def test_the_real_tiny_shakespeare(monkeypatch):
    monkeypatch.setenv("REACH_DATA", str(REAL_DATA))
    monkeypatch.setenv("REACH_STRICT", "data")
    corpus = data.corpus("tiny_shakespeare")
    assert len(corpus.text) == 1_115_394 and len(corpus.alphabet) == 65
    assert corpus.text.startswith("First Citizen:\nBefore we proceed any further, hear me speak.")


def test_the_readme_names_each_file_with_its_size_and_hash():
    readme = (DATA / "README.md").read_text("utf-8")
    for file in (*data.MNIST, data.TINY_SHAKESPEARE):
        assert len(file.mirrors) >= 2
        assert all(fact in readme for fact in (file.places[0], file.sha256, f"{file.size:,}"))


# --- strict ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", set()),
        ("0", set()),
        ("1", {"data", "checks", "claims"}),
        ("data", {"data"}),
        ("checks", {"checks"}),
        (" Data , checks ", {"data", "checks"}),
        ("claims", {"claims"}),
    ],
)
def test_strict_reads_its_variable(monkeypatch, value, words):
    monkeypatch.setenv("REACH_STRICT", value)
    assert {word for word in KINDS if strict(word)} == words


def test_strict_is_lenient_by_default_and_refuses_unknown_words(monkeypatch):
    assert not strict("data") and not strict("checks")
    with pytest.raises(ValueError, match="dta"):
        strict("dta")
    for value in ("true", "data,chekcs"):
        monkeypatch.setenv("REACH_STRICT", value)
        with pytest.raises(ValueError, match="REACH_STRICT"):
            strict("data")
