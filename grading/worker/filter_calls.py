"""A system-call filter: what no exercise needs, and what escapes are made of, answers "not permitted".

It comes on top of the namespaces and the lost capabilities. It is a list of what is denied, since a list of what torch
may need would break with its next version.

Sources: seccomp(2); the kernel's Documentation/userspace-api/seccomp_filter.rst; syscall numbers from the kernel's
arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
"""

import ctypes
import errno
import platform
import struct

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
}
CLONE = (56, 220)
CLONE3 = (435, 435)
SOCKET = (41, 198)
NEW_NAMESPACES = 0x7E020000  # every CLONE_NEW… flag but CLONE_NEWTIME, which clone does not take
AF_UNIX = 1

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
ALLOW, DENY, KILL = 0x7FFF0000, 0x00050000, 0x80000000
X32 = 0x40000000  # the x32 calls of x86_64 have other numbers
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2


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
        code += [_jump(EQUAL, numbers[column], 0, 1), not_permitted]
    # clone3 hides its flags behind a pointer. "Not there" makes the C library fall back to clone.
    code += [_jump(EQUAL, CLONE3[column], 0, 1), not_there]
    code += [_jump(EQUAL, CLONE[column], 0, 3), _load(FIRST_ARGUMENT), _jump(ANY_BIT, NEW_NAMESPACES, 0, 1)]
    code += [not_permitted, _load(NUMBER)]
    # Sockets of this machine only. There is no network in here in any case.
    code += [_jump(EQUAL, SOCKET[column], 0, 3), _load(FIRST_ARGUMENT), _jump(EQUAL, AF_UNIX, 1, 0), not_permitted]
    return b"".join([*code, _return(ALLOW)])


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
