"""Data files that are verified: found in a folder or fetched from a mirror, and never half written."""

import hashlib
import io
import os
import secrets
import threading
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from utils.strict import strict

CACHE = Path(__file__).resolve().parents[1] / "data"

# Seconds that a mirror may stay silent: before its first byte, between bytes, and before the first byte
# when its host was silent before in this process (so that being offline is paid for once).
FIRST_BYTE, STALL, FIRST_BYTE_AGAIN = 3.0, 10.0, 2.0

_silent_hosts: set[str] = set()
_notices: set[str] = set()


class DataError(RuntimeError):
    """A data set cannot be had. The message says why, and what to do."""


@dataclass(frozen=True)
class DataFile:
    """A file whose content is known beforehand.

    `size` and `sha256` are those of the decompressed bytes, because mirrors wrap the same bytes in
    different gzip files. `places` are relative to a data folder; the first is where we keep the file.
    """

    places: tuple[str, ...]
    size: int
    sha256: str
    mirrors: tuple[str, ...]


def fetch(title: str, files: Sequence[DataFile]) -> list[bytes]:
    """The decompressed, verified bytes of each file: from $REACH_DATA, the cache folder, or a mirror.

    A wrong file in a folder is passed over with a notice (an error where REACH_STRICT has "data").
    Raises DataError, with the ways to get the files, when a file cannot be had.
    """
    ways = _three_ways(title, files)
    return [_fetch_one(title, file, ways) for file in files]


def notice(text: str) -> None:
    """Print `text`, once in this process."""
    if text not in _notices:
        _notices.add(text)
        print(text, flush=True)


def _fetch_one(title: str, file: DataFile, ways: str) -> bytes:
    content, wrong = _search_folders(file)
    if wrong and strict("data"):
        raise DataError(_report(f"{title}: this has to be put right (REACH_STRICT is set).", wrong, ways))
    if content is None:
        content, failures = _download(file)
        if content is None:
            where = f"{_described_reach_data()}, then {CACHE}, then {len(file.mirrors)} mirrors"
            raise DataError(_report(f"{title} is not at hand. Looked in {where}:", [*wrong, *failures], ways))
        wrong += _keep(content, file)
    if wrong:
        notice(_report(f"{title}: a good copy was found, but something needs a look.", wrong, ways))
    return content


def _report(headline: str, reasons: Sequence[str], ways: str) -> str:
    return "\n".join([headline, *(f"  - {reason}" for reason in reasons), ways])


def _three_ways(title: str, files: Sequence[DataFile]) -> str:
    names = ", ".join(file.places[0] for file in files)
    return (
        f"Three ways to get {title}:\n"
        f"  1. Set REACH_DATA to a folder that holds {names} (plain or .gz).\n"
        f"  2. Put the same into {CACHE}.\n"
        f"  3. Go online and run this again: it is fetched once and kept in {CACHE}."
    )


# --- folders ---------------------------------------------------------------------------------------------


def _search_folders(file: DataFile) -> tuple[bytes | None, list[str]]:
    """The content, if a folder has it, and a sentence about each wrong thing met on the way."""
    wrong = []
    for folder in dict.fromkeys(filter(None, (_reach_data(), CACHE))):
        if folder != CACHE and not os.path.isdir(folder):
            wrong.append(f"REACH_DATA is {folder}, which is not a folder.")
            continue
        for path in (folder / (place + ending) for place in file.places for ending in ("", ".gz")):
            try:
                if (content := _read(path, file)) is not None:
                    return content, wrong
            except DataError as error:
                wrong.append(f"{path} {error}.")
    return None, wrong


def _reach_data() -> Path | None:
    value = os.environ.get("REACH_DATA")
    return Path(os.path.abspath(os.path.expanduser(value))) if value else None


def _described_reach_data() -> str:
    return f"REACH_DATA ({_reach_data() or 'not set'})"


def _read(path: Path, file: DataFile) -> bytes | None:
    """The verified content; None where there is no such file. Raises DataError where it is wrong."""
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})") from error
    return _verified(raw, file)


def _verified(raw: bytes, file: DataFile) -> bytes:
    """The decompressed bytes of the file, whether `raw` is gzip or not. Raises DataError."""
    if raw.startswith(b"\x1f\x8b"):
        try:
            raw = zlib.decompress(raw, wbits=31, bufsize=file.size)  # 31: the gzip format
        except zlib.error as error:
            raise DataError(f"is a truncated or damaged gzip file ({error})") from error
    if hashlib.sha256(raw).hexdigest() == file.sha256:
        return raw
    if raw.lstrip()[:9].lower().startswith((b"<!doctype", b"<html")):
        raise DataError("is a web page (HTML) in place of the data")
    if len(raw) != file.size:
        raise DataError(f"has {len(raw):,} bytes where {file.size:,} are expected")
    raise DataError(f"has the right size but not the right content (sha256 is not {file.sha256[:12]}…)")


def _keep(content: bytes, file: DataFile) -> list[str]:
    """Put a download into the cache, whole or not at all. Returns what the user should know."""
    path = CACHE / file.places[0]
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(part, "xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            remarks = _set_wrong_file_aside(path, file)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        return [
            f"The download could not be kept as {path} ({error.strerror}): it is used from memory now "
            "and fetched again next time."
        ]
    return remarks


def _set_wrong_file_aside(path: Path, file: DataFile) -> list[str]:
    """A wrong file in the place of a cached one may be the user's own: it is renamed, never deleted."""
    try:
        _read(path, file)
    except DataError:
        aside = path.with_name(path.name + ".bad")
        os.replace(path, aside)
        return [f"{path} is now called {aside.name}, and a good copy has its place."]
    return []


# --- mirrors ---------------------------------------------------------------------------------------------


def _download(file: DataFile) -> tuple[bytes | None, list[str]]:
    """The content from the first mirror that gives it, and a sentence about each that did not."""
    failures = []
    for url in sorted(file.mirrors, key=lambda url: urlsplit(url).netloc in _silent_hosts):
        try:
            return _verified(_get(url, file.size), file), failures
        except DataError as error:
            failures.append(f"{url} {error}.")
    return None, failures


def _get(url: str, size: int) -> bytes:
    """The body behind `url`, with a progress bar. Raises DataError."""
    import pooch
    from requests import HTTPError
    from tqdm import tqdm

    host = urlsplit(url).netloc
    name = url.rpartition("/")[2]
    # Small chunks, so that a slow mirror is not taken for a silent one. The total is only until the mirror
    # states its own; pooch takes a bar without one for no bar.
    options = {"total": size, "unit": "B", "unit_scale": True, "leave": False, "delay": 0.5}
    try:
        with tqdm(desc=f"fetching {name}", **options) as bar:
            load = pooch.HTTPDownloader(progressbar=bar, chunk_size=1 << 13, timeout=2 * STALL)
            body = _Transfer(load, url).wait(FIRST_BYTE_AGAIN if host in _silent_hosts else FIRST_BYTE)
    except HTTPError as error:
        raise DataError(f"answers {error.response.status_code} {error.response.reason}".rstrip()) from error
    except Exception as error:  # requests lets exceptions of several other packages through
        _silent_hosts.add(host)
        raise DataError(_in_words(error)) from error
    _silent_hosts.discard(host)
    return body


class _Transfer(threading.Thread):
    """A download in the background that can be given up.

    The time-outs of requests leave out the look-up of the name and count for each address of a host, so
    an unreachable host can take a minute. Here a host has so many seconds to be heard from, all told.
    """

    def __init__(self, load: Callable, url: str):
        super().__init__(daemon=True)
        self.load, self.url = load, url
        self.body = io.BytesIO()
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self.load(self.url, self.body, None)
        except Exception as error:  # for the thread that waits
            self.error = error

    def wait(self, first_byte: float) -> bytes:
        """Start, and return the body. Raises what went wrong, or TimeoutError at too long a silence."""
        self.start()
        arrived, patience = 0, first_byte
        while True:
            self.join(patience)
            if not self.is_alive():
                break
            if self.body.tell() == arrived:
                raise TimeoutError
            arrived, patience = self.body.tell(), STALL
        if self.error:
            raise self.error
        return self.body.getvalue()


def _in_words(error: Exception) -> str:
    from requests import ConnectionError
    from requests.exceptions import ChunkedEncodingError, SSLError

    if isinstance(error, TimeoutError):
        return "does not answer in time"
    if isinstance(error, ChunkedEncodingError):
        return "broke off in the middle"
    if isinstance(error, SSLError):
        return "has no secure connection that this machine trusts"
    if isinstance(error, ConnectionError):
        return "cannot be reached"
    return f"cannot be fetched ({type(error).__name__}: {error})"
