"""Takes all the kernel has to give to a user: watches, timers, event queues, message queues, pipes, segments."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import ctypes
import os
import select

C, held = ctypes.CDLL(None), []
for _ in range(300):
    held.append(C.inotify_init1(0))
    for _ in range(200):
        C.inotify_add_watch(held[-1], b"/usr", 0xFFF)
while True:
    made = attempt(os.pipe)
    if not made:
        break
    attempt(lambda: C.fcntl(made[0], 1031, 1 << 20))
for _ in range(2000):
    if C.msgget(0, 0o1777) < 0 and C.semget(0, 250, 0o1777) < 0 and C.shmget(0, 1 << 20, 0o1777) < 0:
        break
for number in range(300):
    C.mq_open(b"/left%d" % number, 0o102, 0o777, None)
for _ in range(300):
    attempt(select.epoll)
    timer = ctypes.c_void_p()
    C.timer_create(0, None, ctypes.byref(timer))


# %% output_size
def output_size(*case):
    return 0
