"""The sandbox as it is seen from inside and from outside; what every attack has to get past."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grading.sandbox import Sandbox, TooMuchMemory, TooMuchTime
from grading.sandbox.cgroup import memory_group
from grading.worker import filter_calls, wire
from grading.worker.isolation import Limits
from utils.paths import COURSE, NOTEBOOKS, SOLUTIONS


@pytest.fixture
def student(sandbox):
    student = sandbox.start_process(Limits())
    yield student
    student.end()


def said(student, source: str) -> str:
    """What a cell prints in the sandbox."""
    outputs = student.ask({"do": "run", "source": source}, 60)
    assert all(output["output_type"] == "stream" for output in outputs), outputs
    return "".join(output["text"] for output in outputs)


def test_it_is_nobody_without_rights_alone_in_its_namespaces(student):
    code = "import os\nprint(os.getpid(), os.getuid() != 0)\nprint(open('/proc/self/status').read())"
    lines = said(student, code).splitlines()
    status = dict(line.split(":\t", 1) for line in lines[1:] if ":\t" in line)
    assert lines[0] == "1 True"
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert said(student, "import os\nprint(sorted(int(p) for p in os.listdir('/proc') if p.isdigit()))") == "[1]\n"


def test_it_sees_the_library_and_neither_the_checks_nor_the_course(student):
    said(student, "import os, subprocess, utils.reach, utils.checks, utils.checks.convolution as c")
    assert "convolution.py" in said(student, "print(os.listdir(utils.checks.__path__[0]))")
    assert said(student, "print(c.conv2d(1), utils.checks.exercises())") == "None []\n"
    for place in (NOTEBOOKS, SOLUTIONS, COURSE / "utils", COURSE / "tests", Path.home() / ".bashrc"):
        assert said(student, f"print(os.path.exists({str(place)!r}))") == "False\n", place
    found = "print(subprocess.run(['grep', '-rl', 'flipped_kernel', '/reach'], capture_output=True).stdout)"
    assert said(student, found) == "b''\n"


def test_nothing_can_be_written_but_private_scratch_of_a_limited_size(student):
    code = """
import os
def writes(path):
    try:
        with open(path, "wb") as file:
            file.write(b"x" * 10_000_000)
        return True
    except OSError:
        return False
folders = ("/", "/reach", "/usr", "/etc", "/proc", "/dev", "/root", "/scratch", "/dev/shm")
print([writes(f"{folder}/new") for folder in folders])
print(sum(writes(f"/scratch/{n}") for n in range(20)))
"""
    first, second = said(student, code).splitlines()
    assert first == "[False, False, False, False, False, False, False, True, True]"
    assert int(second) <= 6  # of 64 MB


def test_nothing_of_one_submission_is_left_for_the_next(sandbox):
    first = sandbox.start_process(Limits())
    said(first, "for folder in ('/scratch', '/dev/shm'):\n    open(f'{folder}/left', 'w').write('x')")
    said(first, "import utils; utils.left = torch = 1")
    said(first, "import subprocess; run = subprocess.Popen(['sleep', '1000'], start_new_session=True)")
    first.end()
    second = sandbox.start_process(Limits())
    said(second, "import os, utils")
    look = "print(os.listdir('/scratch'), os.listdir('/dev/shm'), hasattr(utils, 'left'), 'torch' in globals())"
    assert said(second, look) == "[] [] False False\n"
    second.end()
    left = subprocess.run(["pgrep", "-f", "^sleep 1000$"], capture_output=True, text=True)
    assert left.stdout == ""


def test_there_is_no_network(student):
    outputs = student.ask({"do": "run", "source": "import socket; socket.create_connection(('127.0.0.1', 80), 1)"}, 60)
    assert outputs[-1]["ename"] == "PermissionError"


@pytest.mark.parametrize("call", sorted(filter_calls.DENIED))
def test_system_calls_that_escapes_are_made_of_are_denied(call, student):
    number = filter_calls.DENIED[call][list(filter_calls.AUDIT_ARCH).index(os.uname().machine)]
    if number is None:
        pytest.skip("this processor has no such call")
    said(student, "import ctypes; libc = ctypes.CDLL(None, use_errno=True)")
    assert said(student, f"print(libc.syscall({number}, 0, 0, 0, 0, 0), ctypes.get_errno())") == "-1 1\n"


def test_new_namespaces_are_denied_and_threads_are_not(student):
    code = """
import ctypes, threading
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall(56 if ctypes.sizeof(ctypes.c_void_p) == 8 else 120, 0x10000000 | 17, 0, 0, 0, 0), ctypes.get_errno())
thread = threading.Thread(target=print, args=("a thread",)); thread.start(); thread.join()
"""
    if os.uname().machine != "x86_64":
        pytest.skip("the number of clone is that of x86_64")
    assert said(student, code) == "-1 1\na thread\n"


def test_a_flood_of_processes_is_held_back(student):
    code = """
import os, time
children = 0
try:
    while children < 1000:
        if os.fork() == 0:
            time.sleep(60); os._exit(0)
        children += 1
except OSError:
    pass
print(children)
"""
    assert int(said(student, code)) < 100


def test_memory_of_many_processes_is_counted_together(sandbox):
    """By the kernel where there is a control group, and by the judge, who looks from outside."""
    many = """
import os, time
for _ in range(12):
    if os.fork() == 0:
        hoard = bytearray(150_000_000)
        time.sleep(60)
time.sleep(60)
"""
    student = sandbox.start_process(Limits(memory_megabytes=600))
    with pytest.raises(TooMuchMemory):
        student.ask({"do": "run", "source": many}, 50)
    student.end()


@pytest.mark.skipif(memory_group(100) is None, reason="no control group can be made here")
def test_a_control_group_ends_what_takes_more_and_not_the_warm_process():
    with Sandbox(most_megabytes=700) as sandbox:
        student = sandbox.start_process(Limits(memory_megabytes=100_000))
        hoard = "import mmap\nhoard = mmap.mmap(-1, 2_000_000_000)\nfor at in range(0, len(hoard), 4096): hoard[at] = 1"
        with pytest.raises(TooMuchMemory):
            student.ask({"do": "run", "source": hoard}, 60)
        student.end()
        assert not sandbox.lost()


def test_control_groups_that_cannot_be_made_are_done_without(tmp_path):
    assert memory_group(100, mount=tmp_path / "nowhere") is None


def test_what_sleeps_uses_no_time_and_what_its_children_did_is_counted(student):
    before = student.seconds()
    said(student, "import time; time.sleep(2)")
    asleep = student.seconds() - before
    work = "import time\nwhile time.process_time() < 0.5: pass"
    said(student, f"import subprocess, sys; run = subprocess.run([sys.executable, '-c', {work!r}])")
    assert asleep < 1.5
    assert student.seconds() - before - asleep > 0.4


@pytest.mark.parametrize("source", ["while True: pass", "import time; time.sleep(1000)"])
def test_what_works_or_sleeps_for_ever_is_ended(source, student):
    with pytest.raises((TooMuchTime, wire.TooSlow)):
        student.ask({"do": "run", "source": source}, 1)


def test_a_process_that_ends_is_noticed_at_once(student):
    started = time.monotonic()
    with pytest.raises(wire.Gone):
        student.ask({"do": "run", "source": "import os; os._exit(0)"}, 60)
    assert time.monotonic() - started < 30


@pytest.mark.skipif(os.getuid() != 0, reason="already an ordinary user")
def test_an_ordinary_user_gets_the_same_sandbox(tmp_path):
    """These tests once more, as nobody. The interpreter is put where nobody can read it, in a namespace of its own."""
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("no mount namespace can be made here")
    script = """
set -e
prefix="$1"; shift
if ! setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$prefix/bin/python3"; then
    mkdir "$TMP/prefix"; mount --bind "$prefix" "$TMP/prefix"
    top=/$(echo "$prefix" | cut -d/ -f2)
    mount -t tmpfs -o mode=755 tmpfs "$top"; mkdir -p "$prefix"; mount --move "$TMP/prefix" "$prefix"
fi
cd "$1"; shift
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
"""
    tmp_path.chmod(0o777)
    tests = [
        str(Path(__file__)),
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "-k",
        "nobody or library or written or left or flood",
    ]
    command = [
        "unshare",
        "-m",
        "bash",
        "-c",
        script,
        "-",
        sys.base_prefix,
        str(COURSE),
        sys.executable,
        "-m",
        "pytest",
        *tests,
    ]
    environment = os.environ | {"TMP": str(tmp_path), "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"PYTEST_ADDOPTS": f"--basetemp={tmp_path / 'base'}"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert run.returncode == 0 and "5 passed" in run.stdout, run.stdout + run.stderr
