"""Messages between the judge and a student's process: JSON for structure, safetensors for arrays, nothing that runs.

A frame is two big-endian 32-bit lengths, of the JSON and of the arrays, and then these two parts. In the JSON a tensor
is {"tensor": number}, a tuple {"tuple": [...]}, a dict {"dict": [[key, value], ...]}; all else stands for itself.

Whoever is at the other end may send anything, at any pace. What arrives is plain values within these limits, or a
`BadMessage`. Source of the arrays' format: https://huggingface.co/docs/safetensors.
"""

import json
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import safetensors.torch
import torch

LENGTHS = struct.Struct(">II")
MAX_JSON = 4_000_000  # bytes
MAX_ARRAYS = 64_000_000  # bytes
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
        return _decode(json.loads(text), _unpack_tensors(arrays))
    except BadMessage:
        raise
    except (ValueError, RecursionError, KeyError, TypeError, IndexError) as error:
        raise BadMessage(f"it does not follow the format ({type(error).__name__})") from None


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
    if isinstance(value, list):
        return [_decode(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    [(kind, content)] = value.items()
    if kind == "tensor":
        return tensors[str(content)]
    if kind == "tuple":
        return tuple(_decode(item, tensors) for item in content)
    if kind == "dict":
        return {_key(key): _decode(item, tensors) for key, item in content}
    raise BadMessage(f"it holds a part of the unknown kind {kind[:20]!r}")


def _key(key: Any) -> str | int:
    if type(key) not in (str, int):
        raise BadMessage("it holds a dict whose keys are neither strings nor whole numbers")
    return key


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
    try:
        tensors = safetensors.torch.load(arrays)
    except Exception as error:  # safetensors has an error type of its own, and torch raises several
        raise BadMessage(f"its arrays cannot be read ({type(error).__name__})") from None
    if unknown := {tensor.dtype for tensor in tensors.values()} - DTYPES:
        raise BadMessage(f"it holds a tensor of {unknown.pop()}")
    return tensors
