"""Loops for ever, catches everything that would stop it, and ignores signals.

Ends: at a limit
Named: still running
"""

raise SystemExit("Text for a sandbox: never run it.")


# %% output_size
def output_size(*case):
    while True:
        try:
            while True:
                pass
        except BaseException:
            continue


# %% max_pool2d
def max_pool2d(x, kernel, stride):
    import re
    import signal

    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))
    re.fullmatch(r"(a|a)*b", "a" * 64)  # inside C, where no exception arrives
