"""Hands in callables whose signature, name and call attributes run code when looked at."""

raise SystemExit("Text for a sandbox: never run it.")


# %% output_size
class Callable:
    __name__ = property(lambda self: got("outside") if os.path.exists("/the/classroom") else "output_size")

    @property
    def __signature__(self):
        os._exit(0)

    def __call__(self, *case):
        return 1


import os

output_size = Callable()


# %% conv2d
def conv2d(*case, **settings):
    return conv2d


conv2d.__signature__ = "(" * 10_000
conv2d.__wrapped__ = conv2d
