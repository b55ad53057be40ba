"""Returns lists, dicts and tensors without end, or that contain themselves."""

raise SystemExit("Text for a sandbox: never run it.")


# %% output_size
def output_size(*case):
    endless = []
    endless += [endless] * 10_000
    return endless


# %% parameter_counts
from collections.abc import Mapping


class Endless(Mapping):
    def __getitem__(self, key):
        return self

    def __len__(self):
        return 2

    def __iter__(self):
        while True:
            yield "conv"

    def items(self):
        return (("conv", 1) for _ in iter(int, 1))


def parameter_counts(*case):
    return Endless()


# %% max_pool2d
def max_pool2d(*case):
    return torch.zeros(1).expand(10**6, 10**6)
