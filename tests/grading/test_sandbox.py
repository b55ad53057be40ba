"""The sandbox as it is seen from inside and from outside; what every attack has to get past."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from grading.sandbox import (
    Ended,
    MachineAtFault,
    Sandbox,
    SandboxLost,
    StudentProcess,
    TooMuchMemory,
    TooMuchTime,
    bubblewrap,
    cgroup,
    process,
    was_starved,
)
from grading.sandbox.bubblewrap import interpreter_folders
from grading.sandbox.cgroup import MemoryGroup, OutOfMemory, memory_group
from grading.sandbox.usage import queue_seconds
from grading.worker import filter_calls, wire
from grading.worker.isolation import Limits
from utils.paths import COURSE, NOTEBOOKS, SOLUTIONS


def can_make_groups() -> bool:
    group = memory_group(100)
    if group:
        group.remove()
    return group is not None


in_a_group = pytest.mark.skipif(not can_make_groups(), reason="no control group can be made here")


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


def test_what_the_kernel_keeps_of_a_process_cannot_be_written(student):
    code = """
import os
def opens(path):
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        return True
    except OSError:
        return False
walks = [*os.walk("/proc/self"), *os.walk("/proc/sys")]
files = [f"{folder}/{name}" for folder, below, names in walks for name in names]
print([path for path in files if not os.path.islink(path) and opens(path)])
print(open("/proc/self/oom_score_adj").read() if os.path.exists("/proc/self/oom_score_adj") else "1000")
"""
    opened, first_to_go = said(student, code).split()
    assert (opened, first_to_go) == ("[]", "1000")


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


@in_a_group
def test_a_control_group_ends_what_takes_more_and_not_the_warm_process():
    with Sandbox(most_megabytes=700) as sandbox:
        student = sandbox.start_process(Limits(memory_megabytes=100_000))
        hoard = "import mmap\nhoard = mmap.mmap(-1, 2_000_000_000)\nfor at in range(0, len(hoard), 4096): hoard[at] = 1"
        with pytest.raises(TooMuchMemory):
            student.ask({"do": "run", "source": hoard}, 60)
        student.end()
        assert not sandbox.lost()


@in_a_group
def test_who_is_ended_below_its_own_limit_is_not_to_blame(monkeypatch):
    """A group inside a smaller one, as on a machine that has less memory than its workers may use together."""
    machine = memory_group(700)
    limit = next(name for name in ("memory.max", "memory.limit_in_bytes") if (machine._folder / name).is_file())
    monkeypatch.setattr(cgroup, "_places", lambda mount: [(machine._folder, limit)])
    with Sandbox(most_megabytes=4_000) as sandbox:
        if sandbox.start_process(Limits()).end() and sandbox._group is None:
            pytest.skip("no group can be made inside another here")
        student = sandbox.start_process(Limits(memory_megabytes=3_000))
        hoard = "import mmap\nhoard = mmap.mmap(-1, 2_000_000_000)\nfor at in range(0, len(hoard), 4096): hoard[at] = 1"
        with pytest.raises(MachineAtFault, match=r"no memory left|from outside"):  # the warm process may go with it
            student.ask({"do": "run", "source": hoard}, 60)
        student.end()
    machine.remove()


ENDS = {"do": "run", "source": "import os; os._exit(0)"}


@pytest.mark.parametrize(
    ("counted", "peak", "blamed"),
    [
        (OutOfMemory(0), 0.0, wire.Gone),
        (OutOfMemory(1), 0.0, MachineAtFault),
        (OutOfMemory(1, limits_reached=1), 0.0, TooMuchMemory),
        (OutOfMemory(1), 5_000.0, TooMuchMemory),
        (OutOfMemory(0, limits_reached=1), 5_000.0, wire.Gone),
    ],
)
def test_whose_fault_an_end_was(counted, peak, blamed, sandbox, monkeypatch):
    """As the kernel would have counted: an end for want of memory, at the own limit or below it."""
    monkeypatch.setattr(sandbox, "out_of_memory", lambda: OutOfMemory(0))
    student = sandbox.start_process(Limits())
    monkeypatch.setattr(sandbox, "out_of_memory", lambda: counted)
    end_process = sandbox.end_process
    monkeypatch.setattr(sandbox, "end_process", lambda number: Ended(end_process(number).seconds, peak))
    with pytest.raises(blamed):
        student.ask(ENDS, 60)
    student.end()


@pytest.mark.parametrize(
    ("files", "counted"),
    [
        ({"memory.events": "low 0\nhigh 0\nmax 9\noom 2\noom_kill 3\n"}, OutOfMemory(3, 2)),
        ({"memory.oom_control": "oom_kill_disable 0\noom_kill 4\n", "memory.failcnt": "7\n"}, OutOfMemory(4, 7)),
        ({}, OutOfMemory(0)),
    ],
)
def test_the_kernels_counts_are_read_in_both_versions_of_control_groups(files, counted, tmp_path):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert MemoryGroup(tmp_path).out_of_memory() == counted


def test_without_a_control_group_the_machines_count_is_taken(sandbox, monkeypatch):
    monkeypatch.setattr(sandbox, "_group", None)
    assert sandbox.out_of_memory().kills >= 0 and sandbox.out_of_memory().limits_reached == 0


@in_a_group
def test_groups_of_killed_processes_are_taken_away_and_those_in_use_are_not():
    mine = memory_group(100)
    parent = mine._folder.parent
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    names = [f"reach-{ended.pid}-1", f"reach-{os.getppid()}-1", "reach-of-somebody-else"]
    for name in names:
        (parent / name).mkdir()
    other = memory_group(100)
    assert [(parent / name).is_dir() for name in names] == [False, True, True]
    assert mine._folder.is_dir()
    for group in (mine, other, *(MemoryGroup(parent / name) for name in names[1:])):
        group.remove()


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


@pytest.mark.parametrize("source", ["while True: pass", "import time; time.sleep(1000)"])
def test_who_got_no_processor_is_not_to_blame(source, student, monkeypatch):
    """As on a machine so busy that the process waits in the queue all the time."""
    monkeypatch.setattr(process, "queue_seconds", lambda processes: {(1, "1"): time.monotonic()})
    monkeypatch.setattr(process, "processor_seconds", lambda processes: 0.0)
    with pytest.raises(MachineAtFault, match="too busy"):
        student.ask({"do": "run", "source": source}, 0.5)
    assert student.starved > 1


@pytest.mark.skipif(not Path("/proc/self/schedstat").is_file(), reason="this kernel does not tell who waits")
def test_who_is_crowded_out_is_not_to_blame(student, monkeypatch):
    """The one processor that it may use has eight others to serve, all of which come first."""
    monkeypatch.setattr(process, "queue_seconds", queue_seconds)
    one = min(os.sched_getaffinity(0))
    crowd_out = f"import os; os.sched_setaffinity(0, [{one}])\nwhile True: pass"
    others = [subprocess.Popen([sys.executable, "-c", crowd_out], start_new_session=True) for _ in range(8)]
    submission = psutil.Process(student._process.pid)
    submission.cpu_affinity([one])
    submission.nice(19)
    try:
        while any(sum(psutil.Process(other.pid).cpu_times()[:2]) < 0.05 for other in others):
            time.sleep(0.05)
        with pytest.raises(MachineAtFault, match="too busy"):
            student.ask({"do": "run", "source": "while True: pass"}, 1)
    finally:
        for other in others:
            other.kill()
            other.wait()


def test_who_waits_for_its_own_processes_got_the_processor(student, monkeypatch):
    """Many that take turns wait for each other, and the machine is not to blame for that."""
    monkeypatch.setattr(process, "queue_seconds", lambda processes: {(1, "1"): time.monotonic()})
    monkeypatch.setattr(process, "processor_seconds", lambda processes: time.monotonic())
    with pytest.raises(TooMuchTime):
        student.ask({"do": "run", "source": "while True: pass"}, 1)
    assert student.starved < 0.1


def test_who_was_stopped_does_not_wait_for_a_processor(student, monkeypatch):
    monkeypatch.setattr(process, "queue_seconds", queue_seconds)
    psutil.Process(student._process.pid).send_signal(signal.SIGSTOP)
    with pytest.raises(wire.TooSlow):
        student.ask({"do": "run", "source": "1"}, 0.5)
    assert student.starved < 0.2


def test_what_waits_in_the_queue_is_measured():
    """Two that would both work all the time on one processor: each waits while the other works."""
    one = min(os.sched_getaffinity(0))
    pin = f"import os; os.sched_setaffinity(0, [{one}])\nwhile True: pass"
    workers = [subprocess.Popen([sys.executable, "-c", pin]) for _ in range(2)]
    waited, deadline = 0.0, time.monotonic() + 120
    while waited < 0.2 and time.monotonic() < deadline:
        waited = sum(queue_seconds([psutil.Process(worker.pid) for worker in workers]).values())
        time.sleep(0.05)
    for worker in workers:
        worker.kill()
        worker.wait()
    if not Path("/proc/self/schedstat").is_file():
        pytest.skip("this kernel does not tell")
    assert waited >= 0.2
    assert queue_seconds([psutil.Process(os.getpid())]).keys() >= {(os.getpid(), str(os.getpid()))}


def test_a_tenth_of_the_time_is_what_a_busy_machine_may_take():
    assert not was_starved(0.0, 4.0) and not was_starved(0.3, 4.0)
    assert was_starved(0.5, 4.0)


def test_a_process_that_the_machine_cannot_start_in_time_is_the_machines_fault(monkeypatch):
    monkeypatch.setattr(process, "START_SECONDS", 0.05)
    ended = []
    silent = SimpleNamespace(out_of_memory=lambda: OutOfMemory(0), lost=lambda: False, end_process=ended.append)
    channel, other_end = socket.socketpair()
    with other_end, pytest.raises(MachineAtFault, match="could not start"):
        StudentProcess(silent, 7, channel, Limits())
    assert ended == [7]


def test_a_sandbox_that_was_killed_is_lost_by_no_fault_of_a_submission_and_the_next_gets_another():
    with Sandbox() as sandbox:
        student = sandbox.start_process(Limits())
        sandbox._warm.kill()
        with pytest.raises(SandboxLost):
            student.ask({"do": "run", "source": "import time; time.sleep(1000)"}, 60)
        student.end()
        another = sandbox.start_process(Limits())
        assert said(another, "print(1)") == "1\n"
        another.end()


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
    assert run.returncode == 0 and "6 passed" in run.stdout, run.stdout + run.stderr


def test_an_installed_course_is_hidden_with_its_solutions_and_weights(monkeypatch):
    monkeypatch.setattr(bubblewrap, "interpreter_folders", lambda: [*folders, COURSE])
    folders = interpreter_folders()
    told = subprocess.run([*bubblewrap.command(None), "/usr/bin/find", COURSE, "-mindepth", "2"], capture_output=True)
    inside = [COURSE / one for one in ("solutions", "notebooks", "data", "utils", "grading") if (COURSE / one).is_dir()]
    assert SOLUTIONS in inside
    seen = [Path(line) for line in told.stdout.decode().splitlines()]
    interpreter = Path(sys.prefix).resolve()
    assert told.returncode == 0 and not [path for path in seen if not path.is_relative_to(interpreter.parent)]
    assert not [path for path in seen if any(path.is_relative_to(one) for one in inside)]
