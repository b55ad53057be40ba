"""The filter of system calls, by what it answers: run here line by line as the kernel would, for either processor."""

import errno
import struct

import pytest

from grading.worker import filter_calls
from grading.worker.filter_calls import ALLOW, AUDIT_ARCH, DENIED, DENIED_WITH, DENY, KILL, program
from grading.worker.isolation import Limits

MACHINES = list(AUDIT_ARCH)
NOT_PERMITTED = DENY | errno.EPERM
UNIX, NETLINK, INET = 1, 16, 2
STREAM = 1


def answer(machine: str, number: int, *arguments: int, architecture: int | None = None) -> int:
    """What the filter says of a call. The language is the kernel's classic BPF, of which the filter uses five words."""
    words = [*arguments, 0, 0, 0, 0, 0, 0][:6]
    data = struct.pack("=iIQ6Q", number, architecture or AUDIT_ARCH[machine], 0, *(word % 2**64 for word in words))
    lines = [struct.unpack_from("=HBBI", program(machine), at) for at in range(0, len(program(machine)), 8)]
    line, register = 0, 0
    while True:
        code, if_true, if_false, value = lines[line]
        line += 1
        if code == filter_calls.RETURN:
            return value
        if code == filter_calls.LOAD:
            (register,) = struct.unpack_from("=I", data, value)
            continue
        tests = {
            filter_calls.EQUAL: register == value,
            filter_calls.AT_LEAST: register >= value,
            filter_calls.ANY_BIT: bool(register & value),
        }
        line += if_true if tests[code] else if_false


def number_of(call: str, machine: str) -> int:
    return DENIED_WITH[call][0].numbers[MACHINES.index(machine)]


@pytest.mark.parametrize("machine", MACHINES)
def test_what_is_on_the_list_is_denied_whatever_its_arguments(machine):
    for name, numbers in DENIED.items():
        number = numbers[MACHINES.index(machine)]
        if number is not None:
            assert answer(machine, number, 1, 2, 3) == NOT_PERMITTED, name


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("call", "denied", "allowed"),
    [
        ("socket", [(INET, STREAM), (NETLINK, 3), (0,), (UNIX | 64,)], [(UNIX, STREAM), (2**32 + UNIX, STREAM)]),
        ("socketpair", [(INET, STREAM), (NETLINK, 3), (40, 5)], [(UNIX, STREAM), (UNIX, 5)]),
        ("sendto", [(3, 0, 1, 1), (3, 0, 1, 0x4001)], [(3, 0, 1, 0x4000), (1, 1, 1, 0)]),
        ("sendmsg", [(3, 0, 1), (3, 0, 0x41)], [(3, 1, 0x4040)]),
        ("sendmmsg", [(3, 0, 1, 1)], [(3, 1, 1, 0)]),
        ("getsockopt", [(3, 1, 77)], [(3, 1, 3), (3, 6, 77), (77, 1, 17)]),
        ("setsockopt", [(3, 1, 76), (3, 1, 26), (3, 1, 50)], [(3, 1, 16), (3, 0, 26)]),
        ("fcntl", [(3, 1024, 0), (3, 1026, 0)], [(3, 6, 0), (3, 1030, 0)]),
        ("clone", [(0x10000000 | 17,), (0x40000000,)], [(17,), (0x3D0F00,)]),
    ],
)
def test_what_depends_on_its_arguments(machine, call, denied, allowed):
    number = number_of(call, machine)
    for arguments in denied:
        assert answer(machine, number, *arguments) == NOT_PERMITTED, arguments
    for arguments in allowed:
        assert answer(machine, number, *arguments) == ALLOW, arguments


@pytest.mark.parametrize("machine", MACHINES)
def test_other_numbers_and_architectures(machine):
    assert answer(machine, 0 if machine == "x86_64" else 63) == ALLOW  # read
    assert answer(machine, 435) == DENY | errno.ENOSYS  # clone3
    assert answer(machine, 0x4000_0000 + 39) == KILL
    assert answer(machine, 39, architecture=0x40000003) == KILL  # the 32-bit calls of a PC


def test_the_kernel_holds_to_it_and_python_can_still_work(sandbox):
    student = sandbox.start_process(Limits())
    source = """
import asyncio, contextlib, ctypes, fcntl, multiprocessing, os, shutil, socket, sqlite3, subprocess
def refused(function, *args):
    try:
        function(*args)
    except PermissionError:
        return True
    return False
one, other = socket.socketpair()
libc = ctypes.CDLL(None, use_errno=True)
print(refused(socket.socketpair, socket.AF_INET), refused(socket.socketpair, socket.AF_NETLINK))
print(refused(one.send, b"x", socket.MSG_OOB), refused(one.sendmsg, [b"x"], [], socket.MSG_OOB))
print(refused(one.getsockopt, socket.SOL_SOCKET, 77, 4), refused(one.setsockopt, socket.SOL_SOCKET, 76, 1))
one.send(b"x"), one.sendmsg([b"y"])
print(other.recv(2), one.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE))
async def work():
    process = await asyncio.create_subprocess_exec("echo", "a child", stdout=subprocess.PIPE)
    return (await process.communicate())[0]
print(asyncio.run(work()))
with sqlite3.connect("a.db") as database:
    database.execute("create table t (x)")
with open("lock", "w") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
shutil.copyfile("a.db", "b.db")
print(os.path.getsize("a.db") == os.path.getsize("b.db") > 0)
"""
    try:
        outputs = student.ask({"do": "run", "source": source}, 60)
    finally:
        student.end()
    text = "".join(output.get("text", str(output)) for output in outputs)
    assert text.splitlines() == ["True True", "True True", "True True", "b'xy' 1", "b'a child\\n'", "True"]
