"""Calls what escapes are made of: ptrace, namespaces, mounts, chroot, keys, bpf, io_uring, pidfds, modules."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
calls = {
    "ptrace attach": (101, 16, 1),
    "process_vm_readv": (310, 1, 0, 0, 0, 0, 0),
    "unshare user": (272, 0x1000_0000),
    "unshare all": (272, 0x7C02_0000),
    "setns": (308, 0, 0),
    "mount": (165, 0, b"/tmp", b"tmpfs", 0, 0),
    "umount": (166, b"/tmp", 2),
    "pivot_root": (155, b"/tmp", b"/tmp"),
    "chroot": (161, b"/"),
    "open_tree": (428, -100, b"/", 1),
    "fsopen": (430, b"tmpfs", 0),
    "add_key": (248, b"user", b"LEFT-BY-AN-ATTACK", b"x", 1, -4),
    "keyctl": (250, 0, -5, 0),
    "bpf": (321, 0, b"\0" * 64, 64),
    "perf_event_open": (298, b"\0" * 128, 0, -1, -1, 0),
    "userfaultfd": (323, 0),
    "io_uring_setup": (425, 1, b"\0" * 120),
    "pidfd_getfd": (438, 3, 0, 0),
    "clone3 new user": (435, (0x1000_0000).to_bytes(8, "little") + bytes(56), 64),
    "init_module": (175, b"", 0, b""),
    "reboot": (169, 0, 0, 0),
    "swapon": (167, b"/tmp/x", 0),
    "syslog": (103, 3, b"\0" * 64, 64),
    "personality": (135, 0x40000),
    "setuid root": (105, 0),
    "capset": (126, (0x2008_0522).to_bytes(4, "little") + bytes(4), b"\xff" * 24),
    "x32 getpid": (0x4000_0000 + 39,),
}
import os
import platform

if platform.machine() == "x86_64":
    for name, words in calls.items():
        child = os.fork()
        if child == 0:
            os._exit(7 if system_call(*words) >= 0 and name != "x32 getpid" else 0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7:
            got(name)
