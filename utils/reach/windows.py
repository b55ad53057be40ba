"""Where a layer looks, in closed form: the arithmetic of receptive fields, one axis at a time.

The recursion and the names (effective stride, effective padding) are those of Araujo, Norris and Sim,
"Computing Receptive Fields of Convolutional Neural Networks", Distill 2019, doi 10.23915/distill.00021.
"""

import operator
from dataclasses import dataclass
from functools import reduce
from math import inf
from typing import SupportsIndex


@dataclass(frozen=True)
class Window:
    """What the units of a layer read along one axis.

    Unit `i` reads the `size` positions from `i * stride - padding` on. Positions count from 0;
    those below 0 or past the end lie in the padding. A stack of layers is such a layer too: a big one.

    `size` is `inf` where a unit reads the whole axis; stride and padding then mean nothing and are
    None. `padding` alone is None where it cannot be known without the size of the input.
    """

    size: int | float
    stride: int | None = 1
    padding: int | None = 0

    def then(self, layer: "Window") -> "Window":
        """This window with one more layer on top: the whole recursion of the receptive field."""
        if inf in (self.size, layer.size):
            return WHOLE
        assert self.stride is not None and layer.stride is not None  # as their sizes are finite
        padding = None if self.padding is None or layer.padding is None else self.padding + layer.padding * self.stride
        return Window(
            size=self.size + (layer.size - 1) * self.stride,
            stride=self.stride * layer.stride,
            padding=padding,
        )

    @property
    def start(self) -> int | None:
        """First position that unit 0 reads, below 0 where there is padding."""
        return None if self.padding is None else -self.padding

    @property
    def centre(self) -> float | None:
        """Middle of what unit 0 reads, where position 0 has its middle at 0.0."""
        return None if self.padding is None else (self.size - 1) / 2 - self.padding

    def interval(self, index: int) -> tuple[int | float, int | float]:
        """First and last position that unit `index` reads, both included."""
        if self.size == inf:
            return -inf, inf
        assert self.stride is not None  # as the size is finite
        if self.padding is None:
            raise ValueError("the padding depends on the size of the input, so the interval is not known")
        first = index * self.stride - self.padding
        return first, first + self.size - 1


Windows = tuple[Window, ...]  # one for each axis, or a single one that holds for every axis

Setting = int | tuple[int, ...]  # of a layer: for every axis, or for each

START: Windows = (Window(size=1),)  # before any layer, a unit is one position of the input
WHOLE = Window(size=inf, stride=None, padding=None)


class MisalignedBranches(ValueError):
    """Branches meet whose units do not look at the same place, so no single window describes them."""


def stack(below: Windows, above: Windows) -> Windows:
    """The windows of two layers on top of each other, axis by axis."""
    axes = max(len(below), len(above))
    return tuple(low.then(high) for low, high in zip(broadcast(below, axes), broadcast(above, axes), strict=True))


def broadcast(windows: Windows, axes: int) -> Windows:
    """One window for each of `axes` axes."""
    if len(windows) not in (1, axes):
        raise ValueError(f"layers for {len(windows)} and for {axes} axes cannot follow each other")
    return windows * axes if len(windows) == 1 else windows


def union(branches: list[Windows]) -> Windows:
    """The windows of branches that meet in a sum, a product or a concatenation.

    Aligned windows share stride and centre, so they lie inside each other, and the largest is their union.

    Raises MisalignedBranches where strides or centres differ.
    """
    axes = max(map(len, branches))
    by_axis = zip(*(broadcast(branch, axes) for branch in branches), strict=True)
    return tuple(reduce(_join, windows) for windows in by_axis)


def _join(one: Window, other: Window) -> Window:
    if inf in (one.size, other.size):
        return WHOLE
    if one.stride != other.stride:
        raise MisalignedBranches(f"effective strides {one.stride} and {other.stride}")
    if one.centre != other.centre:
        raise MisalignedBranches(f"windows centred at {one.centre} and {other.centre}")
    return max(one, other, key=lambda window: window.size)


def layer_windows(
    kernel: Setting, stride: Setting = 1, padding: Setting | str | None = 0, dilation: Setting = 1
) -> Windows:
    """The windows of one layer, each number for every axis (an int) or for each axis (a tuple of ints).

    `padding` counts the positions added *before* the first one: the start of a window does not depend on
    those after the last. Besides a number it may be "valid" (none), "same" (the output has ceil(n / stride)
    positions, as TensorFlow defines it; for stride 1 PyTorch agrees) or None (not known).

    Raises ValueError or TypeError for a number that no layer can have.
    """
    settings = (kernel, stride, padding, dilation)
    axes = max((len(setting) for setting in settings if isinstance(setting, tuple)), default=1)
    return tuple(_window(*axis) for axis in zip(*(_for_each_axis(s, axes) for s in settings), strict=True))


def _for_each_axis(setting, axes: int) -> tuple:
    if not isinstance(setting, tuple):
        return (setting,) * axes
    if len(setting) != axes:
        raise ValueError(f"{setting} has {len(setting)} numbers where the layer has {axes} axes")
    return setting


def _window(kernel, stride, padding, dilation) -> Window:
    kernel = _whole_number("kernel", kernel, at_least=1)
    stride = _whole_number("stride", stride, at_least=1)
    dilation = _whole_number("dilation", dilation, at_least=1)
    size = (kernel - 1) * dilation + 1
    if padding is None:
        return Window(size, stride, None)
    if isinstance(padding, str):
        return Window(size, stride, _named_padding(padding, size, stride))
    return Window(size, stride, _whole_number("padding", padding, at_least=0))


def _named_padding(name: str, size: int, stride: int) -> int | None:
    if name == "valid":
        return 0
    if name != "same":
        raise ValueError(f'padding is {name!r}; expected a whole number, "same", "valid" or None')
    # "same" adds at least size - stride and at most size - 1 positions in all, which of them depends on
    # the input's size; half of them, rounded down, go before the first.
    fewest, most = max(size - stride, 0) // 2, (size - 1) // 2
    return fewest if fewest == most else None


def _whole_number(name: str, value, at_least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise TypeError(f"{name} is {value!r}; expected a whole number")
    number = operator.index(value)
    if number < at_least:
        raise ValueError(f"{name} is {number}; expected at least {at_least}")
    return number
