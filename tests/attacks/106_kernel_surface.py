"""Calls what no exercise needs of the kernel: other sockets in pairs, its own input and output, urgent bytes, watches."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import os
import platform
import socket

calls = {
    "io_setup": (206, 64, bytes(8)),
    "io_submit": (209, 0, 0, 0),
    "splice": (275, 0, 0, 1, 0, 1, 0),
    "tee": (276, 0, 1, 1, 0),
    "vmsplice": (278, 1, 0, 0, 0),
    "inotify_init1": (294, 0),
    "inotify_init": (253,),
    "fanotify_init": (300, 0, 0),
    "modify_ldt": (154, 0, bytes(64), 64),
    "kcmp": (312, 1, 1, 0, 0, 0),
    "process_madvise": (440, 0, 0, 0, 0, 0),
    "remap_file_pages": (216, 0, 0, 0, 0, 0),
    "lease of a file": (72, 0, 1024, 0),
    "watch on a folder": (72, os.open("/", os.O_RDONLY), 1026, 1),
}
if platform.machine() == "x86_64":
    for name, words in calls.items():
        if system_call(*words) >= 0:
            got(name)


# %% own
import ctypes
import errno

for family in range(2, 50):  # the kernel's own answer to these would be "unknown", or a module that it loads
    ctypes.set_errno(0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.socketpair(family, 1, 0, (ctypes.c_int * 2)()) == 0 or ctypes.get_errno() != errno.EPERM:
        got("a pair of sockets of family", family, ctypes.get_errno())

# %% own
for channel in channels():
    for what, function in {
        "out of band": lambda: channel.send(b"!", socket.MSG_OOB),
        "out of band, as a message": lambda: channel.sendmsg([b"!"], [], socket.MSG_OOB),
        "handle of the judge": lambda: channel.getsockopt(socket.SOL_SOCKET, 77, 4),
        "handles of senders": lambda: channel.setsockopt(socket.SOL_SOCKET, 76, 1) or "set",
        "program for a socket": lambda: channel.setsockopt(socket.SOL_SOCKET, 26, bytes(16)) or "set",
    }.items():
        if attempt(function) is not None:
            got(what)
