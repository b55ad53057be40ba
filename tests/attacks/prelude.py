"""What every attack may use; the test puts it in front as a cell of the student's own.

An attack that got hold of what it should not have says so with `got`, and the test looks for that.
"""

raise SystemExit("Text for a sandbox: never run it.")


# %% own
def got(*what):
    """Report a success; put together here, so that a traceback with this line in it is none."""
    print("LOOT" + ":", *what, flush=True)


def attempt(function, *args):
    """What the function returns, or None where it raises."""
    try:
        return function(*args)
    except Exception:
        return None


def channels():
    """Every connected socket that this process holds: one of them leads to the judge."""
    import os
    import socket
    import stat

    numbers = [one for one in range(3, 256) if stat.S_ISSOCK(getattr(attempt(os.fstat, one), "st_mode", 0))]
    return [socket.socket(fileno=os.dup(one)) for one in numbers]


def system_call(number, *args):
    """The kernel's own answer, below 0 where it refuses."""
    import ctypes

    return ctypes.CDLL(None).syscall(ctypes.c_long(number), *(ctypes.c_long(a) if type(a) is int else a for a in args))
