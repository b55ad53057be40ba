"""The bubblewrap command around the warm process, and what to say where it cannot be had.

What is in the sandbox: the system's programs and libraries, the interpreter with its packages, the course's public
library, the data folder; all read-only. What is not: a network, the home folder, the class, the course's checks.

Source: bwrap(1).
"""

import functools
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from grading.problems import GradingError
from grading.sandbox.mounts import copies_within, library_options

SYSTEM = (
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/bin",
    "/sbin",
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/fonts",
)
LIBRARY = "/reach"
DATA = "/data"
SCRATCH = "/scratch"  # and not /tmp, where somebody's interpreter may lie
MEMORY_FOR_FILES = 64_000_000  # bytes, of each file system that the warm process may write
RIGHTS = ("CAP_SYS_ADMIN", "CAP_SETPCAP")  # to make namespaces, and to give rights up
RIGHTS_OF_ROOT = (*RIGHTS, "CAP_SETUID", "CAP_SETGID", "CAP_KILL")
START = "from grading.worker import warm; warm.main(int(sys.argv[1]), isolated={}, brief={})"

HELP = """Grading runs submissions in a sandbox, and cannot make one here.
{reason}
It needs Linux with bubblewrap (Debian, Ubuntu: apt install bubblewrap; Fedora: dnf install bubblewrap) and user \
namespaces. On macOS or Windows, on a locked-down server, or in a container that forbids namespaces, use a virtual \
machine, or a container started with --privileged.
For files that you wrote yourself there is --unsafe-no-sandbox. Never use it for anyone else's."""


class NoSandbox(GradingError):
    """This machine cannot make a sandbox; the message says how to get one."""

    def __init__(self, reason: str):
        super().__init__(HELP.format(reason=reason))


@functools.cache
def check_available() -> None:
    """Raises NoSandbox, with the reason, unless a sandbox can be made here."""
    if sys.platform != "linux":
        raise NoSandbox(f"This is {sys.platform}, not Linux.")
    if shutil.which("bwrap") is None:
        raise NoSandbox("The program bwrap is not installed.")
    tried = subprocess.run([*command(None), "/usr/bin/env", "true"], capture_output=True, text=True)
    if tried.returncode:
        raise NoSandbox(f"bwrap said: {tried.stderr.strip()}")


def start_command(data: Path | None, library: frozenset[str] | None, control: int, brief: bool = False) -> list[str]:
    """The whole command that starts the warm process, which inherits the file descriptor `control`.

    `brief`: it imports only what every submission needs.
    """
    # -I: no variable and no file in the current folder has a say in what is imported.
    start = f"import sys; sys.path.insert(0, {LIBRARY!r}); {START.format(True, brief)}"
    return [*command(data, library), sys.executable, "-I", "-c", start, str(control)]


def unsafe_command(control: int, brief: bool = False) -> list[str]:
    """Starts the warm process with no sandbox around it, for files that one wrote oneself."""
    return [sys.executable, "-c", f"import sys; {START.format(False, brief)}", str(control)]


def command(data: Path | None, library: frozenset[str] | None = None) -> list[str]:
    """`bwrap` and its options; what it should run comes after.

    `data` is a folder that may be read, or None; `library` the files of `utils` that are there, or None for all.
    """
    words = ["bwrap", *_namespaces(), "--die-with-parent", "--new-session", "--as-pid-1", "--clearenv"]
    for name, value in environment(data).items():
        words += ["--setenv", name, value]
    words += ["--dev", "/dev", "--proc", "/proc"]
    for folder in (SCRATCH, "/dev/shm"):
        words += ["--size", str(MEMORY_FOR_FILES), "--tmpfs", folder]
    for path in SYSTEM:
        words += ["--ro-bind-try", path, path]
    folders = interpreter_folders()
    if not any(folder.is_relative_to("/tmp") for folder in folders):
        words += ["--symlink", SCRATCH, "/tmp"]
    for parent in sorted({parent for folder in folders for parent in folder.parents if parent.name}):
        words += ["--perms", "0755", "--dir", str(parent)]  # else only root could pass through them
    for folder in folders:
        words += ["--ro-bind", str(folder), str(folder)]
    for hidden in copies_within(folders):
        words += ["--tmpfs", str(hidden)]
    words += library_options(LIBRARY, library)
    words += ["--ro-bind", str(data), DATA] if data else []
    return [*words, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", SCRATCH]


def environment(data: Path | None) -> dict[str, str]:
    """All the variables that a submission sees."""
    one_thread = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    fixed = {
        "PATH": "/usr/bin:/bin",
        "HOME": SCRATCH,
        "TMPDIR": SCRATCH,
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "REACH_PROGRESS": "off",
    }
    matplotlib = {"MPLCONFIGDIR": f"{SCRATCH}/matplotlib", "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    return fixed | matplotlib | dict.fromkeys(one_thread, "1") | ({"REACH_DATA": DATA} if data else {})


def interpreter_folders() -> list[Path]:
    """The interpreter and its packages: the environment, and the installation that it is based on."""
    names = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, sysconfig.get_path("purelib")}
    folders = sorted({Path(name).resolve() for name in names} | {Path(name) for name in names})
    return [one for one in folders if not one.is_relative_to("/usr") and not _inside_another(one, folders)]


def in_sight(path: Path, data: Path | None) -> bool:
    """Whether submissions could read what is at `path`: in the system, the interpreter's folders or the data."""
    open_folders = [*map(Path, SYSTEM), *interpreter_folders(), *([data.resolve()] if data else [])]
    return any(path.resolve().is_relative_to(folder) for folder in open_folders)


def _inside_another(path: Path, others: list[Path]) -> bool:
    return any(path != other and path.is_relative_to(other) for other in others)


def _namespaces() -> list[str]:
    """Root may make namespaces already; an ordinary user may, inside a user namespace."""
    apart = [
        "--unshare-ipc",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-uts",
        "--hostname",
        "sandbox",
        "--unshare-cgroup-try",
    ]
    if os.getuid() == 0:
        rights = [word for right in RIGHTS_OF_ROOT for word in ("--cap-add", right)]
        return [*apart, "--cap-drop", "ALL", *rights]
    rights = [word for right in RIGHTS for word in ("--cap-add", right)]
    return [*apart, "--unshare-user", "--disable-userns", "--uid", "65534", "--gid", "65534", *rights]
