"""Data files that are verified: found in a folder or fetched from a mirror, and never half written."""

import hashlib
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from utils.files import write_whole
from utils.paths import DATA
from utils.strict import strict

TIMEOUT = (3.0, 10.0)  # seconds that a mirror may take to answer, and be silent afterwards

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
            where = f"REACH_DATA ({_reach_data() or 'not set'}), then {DATA}, then {len(file.mirrors)} mirrors"
            raise DataError(_report(f"{title} is not at hand. Looked in {where}:", [*wrong, *failures], ways))
        wrong += _keep(content, DATA / file.places[0])
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
        f"  2. Put the same into {DATA}.\n"
        f"  3. Go online and run this again: it is fetched once and kept in {DATA}."
    )


# --- folders ---------------------------------------------------------------------------------------------


def _search_folders(file: DataFile) -> tuple[bytes | None, list[str]]:
    """The content, if a folder has it, and a sentence about each wrong thing met on the way."""
    wrong = []
    for folder in dict.fromkeys(filter(None, (_reach_data(), DATA))):
        if folder != DATA and not folder.is_dir():
            wrong.append(f"REACH_DATA is {folder}, which is not a folder.")
            continue
        for path in (folder / (place + ending) for place in file.places for ending in ("", ".gz")):
            try:
                return _verified(path.read_bytes(), file), wrong
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                wrong.append(f"{path} cannot be read ({error.strerror}).")
            except DataError as error:
                wrong.append(f"{path} {error}.")
    return None, wrong


def _reach_data() -> Path | None:
    value = os.environ.get("REACH_DATA")
    return Path(value).expanduser().absolute() if value else None


def _verified(raw: bytes, file: DataFile) -> bytes:
    """The decompressed bytes of the file, whether `raw` is gzip or not. Raises DataError."""
    if raw.startswith(b"\x1f\x8b"):
        try:
            raw = zlib.decompress(raw, wbits=31, bufsize=file.size)  # 31: the gzip format
        except zlib.error as error:
            raise DataError(f"is a truncated or damaged gzip file ({error})") from error
    if len(raw) != file.size:
        raise DataError(f"has {len(raw):,} bytes where {file.size:,} are expected")
    if hashlib.sha256(raw).hexdigest() != file.sha256:
        raise DataError(f"has the right size but not the right content (sha256 is not {file.sha256[:12]}…)")
    return raw


def _keep(content: bytes, path: Path) -> list[str]:
    """Put a download into the cache, replacing a wrong file if there is one. Returns what the user should know."""
    replaced = [f"{path} has been replaced by a good copy."] if path.is_file() else []
    try:
        write_whole(path, content)
    except OSError as error:
        return [f"It could not be kept as {path} ({error.strerror}), so it will be fetched again next time."]
    return replaced


# --- mirrors ---------------------------------------------------------------------------------------------


def _download(file: DataFile) -> tuple[bytes | None, list[str]]:
    """The content from the first mirror that gives it, and a sentence about each that did not."""
    failures = []
    for url in file.mirrors:
        try:
            return _verified(_get(url), file), failures
        except DataError as error:
            failures.append(f"{url} {error}.")
    return None, failures


def _get(url: str) -> bytes:
    """The body behind `url`, with a progress bar. Raises DataError."""
    import requests
    from tqdm import tqdm

    name = url.rpartition("/")[2]
    try:
        with requests.get(url, stream=True, timeout=TIMEOUT) as response:
            response.raise_for_status()
            size = int(response.headers.get("Content-Length", 0)) or None
            body = bytearray()
            with tqdm(desc=f"fetching {name}", total=size, unit="B", unit_scale=True, leave=False, delay=0.5) as bar:
                for chunk in response.iter_content(1 << 13):
                    body += chunk
                    bar.update(len(chunk))
            return bytes(body)
    except requests.HTTPError as error:
        assert error.response is not None  # raise_for_status hands it over
        raise DataError(f"answers {error.response.status_code} {error.response.reason}") from error
    except Exception as error:  # requests lets exceptions of several other packages through
        raise DataError(f"cannot be fetched ({type(error).__name__})") from error
