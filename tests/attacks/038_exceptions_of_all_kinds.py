"""Raises what is meant to end Python: SystemExit, KeyboardInterrupt, GeneratorExit, an own BaseException."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
raise SystemExit("</script><script>document.title = 1</script>")


# %% output_size
def output_size(*case):
    raise KeyboardInterrupt


# %% conv2d
def conv2d(*case):
    class Unprintable(BaseException):
        __str__ = __repr__ = lambda self: 1 / 0
        __name__ = property(lambda self: 1 / 0)

    raise Unprintable from Unprintable()


# %% max_pool2d
def max_pool2d(*case):
    error = ValueError("x" * 10**7)
    error.__cause__ = error
    raise ExceptionGroup("y" * 10**7, [error] * 1000)
