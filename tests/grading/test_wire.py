"""Messages cross unchanged; what is no message is refused, quickly and whatever its form."""

import contextlib
import json
import math
import socket
import struct
import threading
import time

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grading.worker import wire

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=5) | st.integers(1 - 2**31, 2**31 - 1), inner, max_size=3)
    ),
    max_leaves=20,
)


def across(message):
    """The message as it comes out at the other end of a socket."""
    here, there = socket.socketpair()
    with here, there:
        sender = threading.Thread(target=here.sendall, args=(wire.pack(message),))
        sender.start()
        received = wire.receive(there, 10)
        sender.join()
    return received


def received_from(data: bytes, seconds: float = 1.0):
    here, there = socket.socketpair()
    with here, there:
        here.sendall(data)
        here.shutdown(socket.SHUT_WR)
        return wire.receive(there, seconds)


def frame(text: bytes, arrays: bytes = b"") -> bytes:
    return wire.LENGTHS.pack(len(text), len(arrays)) + text + arrays


@given(PLAIN)
@settings(max_examples=200)
def test_plain_values_cross_unchanged(value):
    found = across(value)
    assert found == value and repr(found) == repr(value)


@pytest.mark.parametrize("dtype", sorted(wire.DTYPES, key=str), ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3)])
def test_tensors_cross_unchanged(dtype, shape):
    value = {"a": torch.ones(shape).to(dtype), "b": [torch.arange(6).reshape(2, 3).T]}
    found = across(value)
    assert found["a"].dtype == dtype and torch.equal(found["a"], value["a"])
    assert torch.equal(found["b"][0], value["b"][0])


def test_tensors_that_share_memory_cross_as_copies():
    one = torch.zeros(2)
    first, second = across([one, one])
    first += 1
    assert second.sum() == 0


def test_values_that_are_no_numbers_cross():
    found = across([math.inf, -math.inf, math.nan, torch.tensor([math.nan])])
    assert found[:2] == [math.inf, -math.inf] and math.isnan(found[2]) and found[3].isnan().all()


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, b"x", torch.nn.Linear(1, 1), torch.zeros(1, dtype=torch.complex128)]
)
def test_what_is_not_plain_is_not_sent(value):
    with pytest.raises(wire.BadMessage):
        wire.pack([value])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        frame(b"[1")[:-1],
        struct.pack(">II", 2**31, 0),
        struct.pack(">II", 2, 2**31) + b"{}",
        frame(b"nothing like JSON"),
        frame(b"\xff\xfe"),
        frame(b"[" * 100_000 + b"]" * 100_000),
        frame(b"1" * 10_000),
        frame(b"{}"),
        frame(b'{"tensor": 0}'),
        frame(b'{"tensor": [0]}'),
        frame(b'{"a": 1, "b": 2}'),
        frame(b'{"pickle": "gASVAA=="}'),
        frame(b'{"dict": 3}'),
        frame(b'{"dict": [[[1], 2]]}'),
        frame(b'{"dict": [[1]]}'),
        frame(b'{"tuple": null}'),
        frame(b"[]", b"no arrays at all"),
        frame(b"[]", struct.pack("<Q", 2**60) + b"{}"),
        frame(b"[]", struct.pack("<Q", 60) + json.dumps({"0": {"dtype": "F32", "shape": [10**9]}}).encode().ljust(60)),
    ],
)
def test_what_is_no_message_is_refused(data):
    with pytest.raises(wire.BadMessage):
        received_from(data)


def stored(*tensors: torch.Tensor) -> bytes:
    return safetensors.torch.save({str(index): tensor for index, tensor in enumerate(tensors)})


ONE = stored(torch.zeros(3))
TWICE = b'[{"tensor": 0}, {"tensor": 0}]'
TOO_MUCH = {
    "one tensor twice": (TWICE, ONE),
    "one tensor twice, deep inside": (b'{"dict": [["a", [%s]], ["b", {"tuple": [{"tensor": 0}]}]]}' % TWICE, ONE),
    "a tensor that stands nowhere": (b"[]", ONE),
    "lists in a list": (b"[" + b"[]," * wire.MAX_ITEMS + b"[]]", b""),
    "numbers": (b"[" + b"1," * wire.MAX_ITEMS + b"1]", b""),
    "lists in lists of a dict": (b'{"dict": [["a", [' + b"[[]]," * (wire.MAX_ITEMS // 2) + b"[]]]]}", b""),
    "levels": (b"[" * (wire.MAX_DEPTH + 1) + b"]" * (wire.MAX_DEPTH + 1), b""),
    "levels of dicts": (b'{"dict": [["a", ' * 40 + b"0" + b"]]}" * 40, b""),
    "digits": (b"[1, -%s]" % (b"9" * wire.MAX_DIGITS), b""),
    "digits of a fraction": (b"[0.%s]" % (b"0" * wire.MAX_DIGITS), b""),
    "keys that share a hash": (b'{"dict": [[%d, 0], [%d, 0]]}' % (2**61 - 1, 2 * (2**61 - 1)), b""),
    "negative keys that share a hash": (b'{"dict": [[-%d, 0]]}' % (2**61 - 1), b""),
    "a key twice": (b'{"dict": [["a", 0], ["a", 1]]}', b""),
    "a mark twice": (b'{"tensor": 0, "tensor": 0}', ONE),
    "names of arrays": (b"[]", struct.pack("<Q", wire.MAX_HEADER + 1) + b"{}".ljust(wire.MAX_HEADER + 1)),
    "a side without numbers": (b'{"tensor": 0}', stored(torch.zeros(wire.MAX_SIDE + 1, 0))),
}


@pytest.mark.parametrize("what", TOO_MUCH)
def test_a_message_has_one_budget(what):
    with pytest.raises(wire.BadMessage):
        wire.unpack(*TOO_MUCH[what])


@pytest.mark.parametrize("what", ["lists in a list", "numbers", "levels", "digits", "lists in lists of a dict"])
def test_what_is_too_much_is_refused_before_any_of_it_is_built(what, monkeypatch):
    monkeypatch.setattr(wire.json, "loads", lambda *_, **__: pytest.fail("it was built"))
    with pytest.raises(wire.BadMessage, match="it holds|it is nested"):
        wire.unpack(*TOO_MUCH[what])


def test_commas_and_brackets_in_a_string_are_text():
    text = '[{"a": 1}, ' * 40_000 + '\\" \\\\' + "1" * 1_000
    assert across([text, {"a": text}]) == [text, {"a": text}]


@given(st.binary(max_size=200), st.binary(max_size=200))
@settings(max_examples=300)
def test_no_bytes_do_anything_else_than_be_refused_or_read(text, arrays):
    with contextlib.suppress(wire.BadMessage):
        wire.unpack(text, arrays)


def test_a_frame_in_drips_has_one_deadline():
    here, there = socket.socketpair()
    stop = threading.Event()

    def drip():
        for byte in wire.pack("x" * 1000):
            if stop.wait(0.05):
                return
            here.send(bytes([byte]))

    with here, there:
        thread = threading.Thread(target=drip)
        thread.start()
        started = time.monotonic()
        with pytest.raises(wire.TooSlow):
            wire.receive(there, 0.5)
        waited = time.monotonic() - started
        stop.set()
        thread.join()
    assert waited < 10  # of the 50 s that the drips would take


def test_what_is_watched_meanwhile_can_end_the_wait():
    class Enough(Exception):
        pass

    def look():
        raise Enough

    here, there = socket.socketpair()
    with here, there, pytest.raises(Enough):
        wire.receive(there, 60, meanwhile=look)
