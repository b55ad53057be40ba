"""Uses every open file descriptor that it was born with: reads, writes, seeks, passes them on."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import os
import stat

for number in range(256):
    kind = attempt(os.fstat, number)
    if kind is None or number in {channel.fileno() for channel in channels()}:
        continue
    where = attempt(os.readlink, f"/proc/self/fd/{number}") or ""
    if stat.S_ISDIR(kind.st_mode) and not where.startswith(("/tmp", "/proc")):
        got("an open folder", where, attempt(os.listdir, number))
    if stat.S_ISREG(kind.st_mode) and not where.startswith(("/tmp", "/proc", "/usr", "/lib")):
        got("an open file", where)


# %% output_size
def output_size(*case):
    import os
    import socket

    for channel in channels():  # each of them would count against the judge's open files
        for _ in range(2000):
            attempt(socket.send_fds, channel, [b"x"], [os.open("/dev/zero", os.O_RDONLY)])
