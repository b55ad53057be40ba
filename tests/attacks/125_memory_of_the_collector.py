"""Goes through all objects that the collector knows, for the right value of a case before it has been computed."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import gc
import types


def everything():
    gc.collect()
    yield from gc.get_objects()
    for thing in gc.get_objects():
        yield from gc.get_referents(thing)


# %% conv2d
def conv2d(x, weight, bias, stride=1, padding=0, dilation=1):
    held = [thing for thing in everything() if type(thing) is torch.Tensor]
    right = F.conv2d(x[None], weight, bias, stride, padding, dilation)[0]
    for thing in held:
        if thing is not right and thing.shape == right.shape and thing.numel() > 4 and torch.allclose(thing, right):
            got("the right value, before it was computed")
    return torch.zeros(())


# %% output_size
def output_size(*case):
    for thing in everything():
        if isinstance(thing, types.FunctionType) and str(thing.__module__).startswith(
            ("utils.checks", "grading.judging")
        ):
            got("a function of the judge's", thing.__qualname__)
        if isinstance(thing, np.random.Generator):
            got("a generator", thing.bit_generator.state) if thing is not np.random.mtrand._rand else None
        if isinstance(thing, types.ModuleType) and thing.__name__.startswith(("grading.judging", "grading.gradebook")):
            got("a module of the judge's", thing.__name__)
    return 0
