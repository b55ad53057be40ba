"""Stops itself, so that no reply ever comes.

Ends: at a limit
Named: ran too long|still running
"""

raise SystemExit("Text for a sandbox: never run it.")


# %% output_size
def output_size(*case):
    import os
    import signal

    os.kill(os.getpid(), signal.SIGSTOP)
    os.kill(os.getpid(), signal.SIGTSTP)
    import time

    time.sleep(1000)
