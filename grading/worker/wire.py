"""Messages between the judge and a student's process: JSON for structure, safetensors for arrays, nothing that runs.

A frame is two big-endian 32-bit lengths, of the JSON and of the arrays, and then these two parts. In the JSON a tensor
is {"tensor": number}, a tuple {"tuple": [...]}, a dict {"dict": [[key, value], ...]}; all else stands for itself.

Whoever is at the other end may send anything, at any pace. What arrives is plain values within these limits, or a
`BadMessage`. The limits hold for the message as a whole and are looked at before anything of it is built: a tensor
that is named twice, or a million empty lists, would be small on the way and large here.

Source of the arrays' format: https://huggingface.co/docs/safetensors.
"""

import json
import re
import socket
import struct
import time
from collections.abc import Callable
from itertools import accumulate
from typing import Any, NamedTuple

import safetensors.torch
import torch

LENGTHS = struct.Struct(">II")
MAX_JSON = 4_000_000  # bytes
MAX_ARRAYS = 40_000_000  # bytes; `utils.checking.plain` lets fewer numbers through
MAX_HEADER = 1_000_000  # bytes of the arrays' names and shapes, so some thousand tensors
MAX_SIDE = 100_000_000  # of a tensor, which may have no numbers and still a long side
MAX_ITEMS = 300_000  # of all lists and dicts together
MAX_DEPTH = 100  # of JSON, where a dict takes three levels
MAX_DIGITS = 400  # in a row
MAX_KEY = 2**31  # below it no two whole numbers share a hash by design, which would make a dict slow
HEADER = struct.Struct("<Q")
STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
LONG_NUMBER = re.compile(rb"[0-9]{%d}" % MAX_DIGITS)
LEVELS = {ord(bracket): 1 for bracket in "[{"} | {ord(bracket): -1 for bracket in "]}"}
DTYPES = {
    *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64),
}


class BadMessage(Exception):
    """What came over the wire is no message: malformed, too large, or broken off."""


class Gone(BadMessage):
    """The process at the other end has ended."""


class TooSlow(Exception):
    """No whole message came within the time."""


class _Marked(NamedTuple):
    """A JSON object of one item: {"tensor": 0}, {"tuple": [...]} or {"dict": [...]}."""

    kind: str
    content: Any


def pack(message: Any) -> bytes:
    """One frame. Raises BadMessage for what is not plain or too large."""
    tensors: list[torch.Tensor] = []
    try:
        text = json.dumps(_encode(message, tensors)).encode()
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"it cannot be written as JSON ({error})") from None
    arrays = _pack_tensors(tensors)
    if len(text) > MAX_JSON or len(arrays) > MAX_ARRAYS:
        raise BadMessage(f"it takes {len(text) + len(arrays):,} bytes, which is too large")
    return LENGTHS.pack(len(text), len(arrays)) + text + arrays


def receive(channel: socket.socket, seconds: float, meanwhile: Callable[[], None] = lambda: None) -> Any:
    """The next message on `channel`.

    Args:
        channel: a connected stream socket.
        seconds: for the whole frame, however slowly it drips.
        meanwhile: called every tenth of a second; what it raises ends the wait.

    Raises:
        TooSlow: if no whole frame came in time.
        BadMessage: if what came is not one, or the other end is gone.
    """
    deadline = time.monotonic() + seconds
    text_size, arrays_size = LENGTHS.unpack(_read(channel, LENGTHS.size, deadline, meanwhile))
    if text_size > MAX_JSON or arrays_size > MAX_ARRAYS:
        raise BadMessage(f"it announced {text_size + arrays_size:,} bytes, which is too large")
    text = _read(channel, text_size, deadline, meanwhile)
    return unpack(text, _read(channel, arrays_size, deadline, meanwhile))


def unpack(text: bytes, arrays: bytes) -> Any:
    """The message that these two parts of a frame hold. Raises BadMessage."""
    try:
        _check_size(text)
        tensors = _unpack_tensors(arrays)
        message = _decode(json.loads(text, object_pairs_hook=_marked), tensors)
    except BadMessage:
        raise
    except (ValueError, RecursionError, KeyError, TypeError, IndexError) as error:
        raise BadMessage(f"it does not follow the format ({type(error).__name__})") from None
    if tensors:
        raise BadMessage("it holds arrays that stand nowhere in it")
    return message


def _check_size(text: bytes) -> None:
    """Raises BadMessage for JSON that would be too much once it is built; strings weigh no more than their bytes."""
    bare = STRING.sub(b"", text)
    if bare.count(b",") + bare.count(b"[") + bare.count(b"{") > MAX_ITEMS:
        raise BadMessage(f"it holds more than {MAX_ITEMS:,} items")
    if max(accumulate(LEVELS.get(byte, 0) for byte in bare), default=0) > MAX_DEPTH:
        raise BadMessage(f"it is nested more than {MAX_DEPTH} levels deep")
    if LONG_NUMBER.search(bare):
        raise BadMessage(f"it holds a number of more than {MAX_DIGITS} digits")


def _marked(pairs: list[tuple[str, Any]]) -> _Marked:
    [pair] = pairs  # anything else is none of ours, and so is a key that stands there twice
    return _Marked(*pair)


def _read(channel: socket.socket, count: int, deadline: float, meanwhile: Callable[[], None]) -> bytes:
    data = bytearray()
    while len(data) < count:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TooSlow
        channel.settimeout(min(left, 0.1))
        try:
            part = channel.recv(min(count - len(data), 1 << 20))
        except TimeoutError:
            meanwhile()
            continue
        except OSError:
            part = b""
        if not part:
            raise Gone("the other end is gone")
        data += part
    return bytes(data)


def _encode(value: Any, tensors: list[torch.Tensor]) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is torch.Tensor:
        tensors.append(value)
        return {"tensor": len(tensors) - 1}
    if type(value) is list:
        return [_encode(item, tensors) for item in value]
    if type(value) is tuple:
        return {"tuple": [_encode(item, tensors) for item in value]}
    if type(value) is dict:
        return {"dict": [[_encode(key, tensors), _encode(item, tensors)] for key, item in value.items()]}
    raise BadMessage(f"it holds a {type(value).__name__}, which is no plain value")


def _decode(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """The value that JSON stands for. Each tensor is taken out of `tensors`: nobody but a forger names one twice."""
    if isinstance(value, list):
        return [_decode(item, tensors) for item in value]
    if not isinstance(value, _Marked):
        return value
    if value.kind == "tensor":
        return tensors.pop(str(value.content))
    if value.kind == "tuple":
        return tuple(_decode(item, tensors) for item in value.content)
    if value.kind == "dict":
        decoded = {_key(key): _decode(item, tensors) for key, item in value.content}
        if len(decoded) < len(value.content):
            raise BadMessage("it holds a dict with a key that stands there twice")
        return decoded
    raise BadMessage(f"it holds a part of the unknown kind {value.kind[:20]!r}")


def _key(key: Any) -> str | int:
    if type(key) is str or type(key) is int and abs(key) < MAX_KEY:
        return key
    raise BadMessage("it holds a dict whose keys are neither strings nor small whole numbers")


def _pack_tensors(tensors: list[torch.Tensor]) -> bytes:
    if not tensors:
        return b""
    if unknown := {tensor.dtype for tensor in tensors} - DTYPES:
        raise BadMessage(f"it holds a tensor of {unknown.pop()}")
    # A copy of each: safetensors refuses tensors that share memory.
    named = {str(index): tensor.detach().clone().contiguous() for index, tensor in enumerate(tensors)}
    return safetensors.torch.save(named)


def _unpack_tensors(arrays: bytes) -> dict[str, torch.Tensor]:
    if not arrays:
        return {}
    if len(arrays) < HEADER.size or HEADER.unpack_from(arrays)[0] > MAX_HEADER:
        raise BadMessage("its arrays cannot be read, or are too many")
    try:
        tensors = safetensors.torch.load(arrays)
    except Exception as error:  # safetensors has an error type of its own, and torch raises several
        raise BadMessage(f"its arrays cannot be read ({type(error).__name__})") from None
    if unknown := {tensor.dtype for tensor in tensors.values()} - DTYPES:
        raise BadMessage(f"it holds a tensor of {unknown.pop()}")
    if any(side > MAX_SIDE for tensor in tensors.values() for side in tensor.shape):
        raise BadMessage(f"it holds a tensor with a side of more than {MAX_SIDE:,}")
    return tensors
