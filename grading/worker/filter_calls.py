"""A system-call filter: what no exercise needs, and what escapes are made of, answers "not permitted".

It comes on top of the namespaces and the lost capabilities. It is a list of what is denied, since a list of what torch
may need would break with its next version.

File locks stay, although two submissions that run together could signal with one on a file that both may read: SQLite
and torch.compile take locks, a filter cannot tell on which file, and the load of the machine carries a signal as well.

Sources: seccomp(2); the kernel's Documentation/userspace-api/seccomp_filter.rst; syscall numbers from the kernel's
arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h, options and flags from its
include/uapi/asm-generic/socket.h, include/linux/socket.h and include/uapi/linux/fcntl.h.
"""

import ctypes
import errno
import platform
import struct
from typing import NamedTuple

# name: (x86_64, aarch64); None where the architecture lacks it.
DENIED = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsmount": (432, 432),
    "mount_setattr": (442, 442),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "kexec_load": (246, 104),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "syslog": (103, 116),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "swapon": (167, 224),
    "reboot": (169, 142),
    "personality": (135, 92),
    "vhangup": (153, 58),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "mq_open": (240, 180),
    "shmget": (29, 194),
    # Input and output of the kernel's own: the contexts of the first are counted for the whole machine.
    "io_setup": (206, 0),
    "io_submit": (209, 2),
    "splice": (275, 76),
    "tee": (276, 77),
    "vmsplice": (278, 75),
    # Whoever watches a file that others read sees when they read it.
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "fanotify_init": (300, 262),
    "lookup_dcookie": (212, 18),
    "kcmp": (312, 272),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "remap_file_pages": (216, 234),
    "modify_ldt": (154, None),
    "iopl": (172, None),
    "ioperm": (173, None),
    "uselib": (134, None),
    "kexec_file_load": (320, 294),
    "swapoff": (168, 225),
}
CLONE3 = (435, 435)
NEW_NAMESPACES = 0x7E020000  # every CLONE_NEW… flag but CLONE_NEWTIME, which clone does not take
AF_UNIX = 1
MSG_OOB = 1
SOL_SOCKET, SO_ATTACH_FILTER, SO_ATTACH_BPF, SO_PASSPIDFD, SO_PEERPIDFD = 1, 26, 50, 76, 77
F_SETLEASE, F_NOTIFY = 1024, 1026

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT, ARGUMENT_SIZE = 0, 4, 16, 8  # offsets in struct seccomp_data
ALLOW, DENY, KILL = 0x7FFF0000, 0x00050000, 0x80000000
X32 = 0x40000000  # the x32 calls of x86_64 have other numbers
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2


class Condition(NamedTuple):
    """That an argument, counted from 0, equals this value, has one of its bits, or (`unless`) neither of the two."""

    argument: int
    value: int
    test: int = EQUAL
    unless: bool = False


class Rule(NamedTuple):
    """A call that is denied where all the conditions hold. These arguments have 32 bits, for the kernel and for us."""

    numbers: tuple[int, int]  # x86_64, aarch64
    conditions: tuple[Condition, ...]


# Sockets of this machine only: there is no network in here in any case, but each family is code of the kernel's.
_NOT_LOCAL = (Condition(0, AF_UNIX, unless=True),)
_SOCKET_OPTION = Condition(1, SOL_SOCKET)
DENIED_WITH = {
    "clone": [Rule((56, 220), (Condition(0, NEW_NAMESPACES, ANY_BIT),))],
    "socket": [Rule((41, 198), _NOT_LOCAL)],
    "socketpair": [Rule((53, 199), _NOT_LOCAL)],
    # Bytes that overtake others, on a channel whose other end is the judge.
    "sendto": [Rule((44, 206), (Condition(3, MSG_OOB, ANY_BIT),))],
    "sendmsg": [Rule((46, 211), (Condition(2, MSG_OOB, ANY_BIT),))],
    "sendmmsg": [Rule((307, 269), (Condition(3, MSG_OOB, ANY_BIT),))],
    # A handle of the process at the other end, which is the judge; programs that the kernel runs for a socket.
    "getsockopt": [Rule((55, 209), (_SOCKET_OPTION, Condition(2, SO_PEERPIDFD)))],
    "setsockopt": [
        Rule((54, 208), (_SOCKET_OPTION, Condition(2, option)))
        for option in (SO_PASSPIDFD, SO_ATTACH_FILTER, SO_ATTACH_BPF)
    ],
    "fcntl": [Rule((72, 25), (Condition(1, command),)) for command in (F_SETLEASE, F_NOTIFY)],
}


def program(machine: str) -> bytes:
    """The filter for this machine ("x86_64" or "aarch64"), in the kernel's classic BPF.

    Raises KeyError for another machine.
    """
    column = list(AUDIT_ARCH).index(machine)
    not_permitted, not_there = _return(DENY | errno.EPERM), _return(DENY | errno.ENOSYS)
    code = [
        _load(ARCHITECTURE),
        *(_jump(EQUAL, AUDIT_ARCH[machine], 1, 0), _return(KILL)),
        _load(NUMBER),
        *(_jump(AT_LEAST, X32, 0, 1), _return(KILL)),
    ]
    for numbers in DENIED.values():
        if numbers[column] is not None:
            code += [_jump(EQUAL, numbers[column], 0, 1), not_permitted]
    # clone3 hides its flags behind a pointer. "Not there" makes the C library fall back to clone.
    code += [_jump(EQUAL, CLONE3[column], 0, 1), not_there]
    for rules in DENIED_WITH.values():
        for rule in rules:
            code += _deny_where(rule, column, not_permitted)
    return b"".join([*code, _return(ALLOW)])


def _deny_where(rule: Rule, column: int, not_permitted: bytes) -> list[bytes]:
    """What denies a call by its arguments. It leaves the call's number where it was found."""
    tests = []
    for place, (argument, value, test, unless) in enumerate(rule.conditions):
        over = 2 * (len(rule.conditions) - place) - 1  # to the line that loads the number again
        tests.append(_load(FIRST_ARGUMENT + ARGUMENT_SIZE * argument))
        tests.append(_jump(test, value, over if unless else 0, 0 if unless else over))
    return [_jump(EQUAL, rule.numbers[column], 0, len(tests) + 2), *tests, not_permitted, _load(NUMBER)]


def install(libc: ctypes.CDLL) -> None:
    """Put this process, and all that it starts, under the filter. It cannot be taken off again."""
    code = program(platform.machine())
    buffer = ctypes.create_string_buffer(code, len(code))

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    whole = Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(whole), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the system-call filter was refused")


def _load(offset: int) -> bytes:
    return struct.pack("=HBBI", LOAD, 0, 0, offset)


def _jump(test: int, value: int, if_true: int, if_false: int) -> bytes:
    return struct.pack("=HBBI", test, if_true, if_false, value)


def _return(value: int) -> bytes:
    return struct.pack("=HBBI", RETURN, 0, 0, value)
