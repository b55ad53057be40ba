"""Returns objects whose copying, comparing, hashing and printing run code of the student's."""

raise SystemExit("Text for a sandbox: never run it.")

# %% output_size
import os


class Hooked(int):
    def _run(self, *args):
        got("a hook ran outside the sandbox", os.getuid()) if os.path.exists("/the/classroom") else None
        return self

    __reduce__ = __reduce_ex__ = __deepcopy__ = __copy__ = __getstate__ = _run
    __repr__ = __str__ = __format__ = lambda self, *args: "\ud800" * 10**6
    __int__ = __index__ = bit_length = _run


def output_size(*case):
    return Hooked(1)


# %% conv2d
def conv2d(*case):
    return torch.nn.Linear(2, 2)


# %% max_pool2d
def max_pool2d(*case):
    return max_pool2d
