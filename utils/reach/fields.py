"""`receptive_field`: which part of the input can one unit see?"""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from math import inf
from typing import Any

from torch import nn

from utils.reach.tracing import windows_of_module
from utils.reach.windows import START, Windows, broadcast, layer_windows, stack

Layer = tuple[int, int] | tuple[int, int, int] | tuple[int, int, int, int]
"""(kernel, stride), then padding (0 unless told) and dilation (1 unless told)."""

FullLayer = tuple[int, int, int, int]  # kernel, stride, padding, dilation
Sides = int | tuple[int, ...]  # one number for every axis, or one for each
# A number, None, or a tuple of them. Any, because the caller knows which one from the network that it passed.
Numbers = Any


@dataclass(frozen=True, repr=False)
class ReceptiveField:
    """The part of the input that the units of a layer can see.

    Unit `i` sees the `size` positions from `start + i * jump` on. Positions count from 0, as the
    pixels of an image do; below 0 lies padding. Each number is plain where it is the same along every axis
    and a tuple with one number for each axis where it is not.

    `size` is `math.inf` where a unit sees the whole input (after flattening, a dense layer or global
    pooling); the other numbers are then None. `padding`, `start` and `centre` are also None where
    they depend on the size of the input.
    """

    windows: Windows

    @property
    def size(self) -> Numbers:
        """Positions from the first to the last that one unit sees, both included."""
        return self._each(lambda window: window.size)

    @property
    def jump(self) -> Numbers:
        """Distance, in input positions, between neighbouring units. Papers call it the *effective stride*."""
        return self._each(lambda window: window.stride)

    @property
    def stride(self) -> Numbers:
        """The `jump`, under the name that papers have for it."""
        return self.jump

    @property
    def padding(self) -> Numbers:
        """How far, in input positions, the field of unit 0 begins before the input (its effective padding)."""
        return self._each(lambda window: window.padding)

    @property
    def start(self) -> Numbers:
        """First position that unit 0 sees, which is minus the effective padding."""
        return self._each(lambda window: window.start)

    @property
    def centre(self) -> Numbers:
        """Middle of the field of unit 0; the middle of position 0 is 0.0."""
        return self._each(lambda window: window.centre)

    def interval(self, index: int | tuple[int, ...]):
        """First and last position, both included, that a unit sees. They may lie in the padding.

        For an int, a pair `(first, last)`. For a tuple such as (row, column), one pair for each axis.
        Raises ValueError where the padding, and so the interval, is not known.
        """
        if isinstance(index, tuple):
            windows = broadcast(self.windows, len(index))
            return tuple(window.interval(i) for window, i in zip(windows, index, strict=True))
        return self._each(lambda window: window.interval(index))

    def covers(self, image: Sides) -> bool:
        """Is the field at least as large as an image of this side (or of these sides) along every axis?"""
        return all(window.size >= side for window, side in self._beside(image))

    def _beside(self, image: Sides):
        """Pairs of a window and the image's side along its axis."""
        sides = image if isinstance(image, tuple) else (image,) * len(self.windows)
        return zip(broadcast(self.windows, len(sides)), sides, strict=True)

    def _each(self, number):
        numbers = tuple(number(window) for window in self.windows)
        return numbers[0] if len(set(numbers)) == 1 else numbers

    def __repr__(self) -> str:
        numbers = (f"{name}={getattr(self, name)}" for name in ("size", "jump", "start"))
        return f"ReceptiveField({', '.join(numbers)})"


def receptive_field(network: nn.Module | Iterable, *, image: Sides | None = None) -> ReceptiveField:
    """The receptive field of one output unit, in closed form.

    `network` is either

    - a list of layers, input side first. A layer is `(kernel, stride)`, `(kernel, stride, padding)`,
      `(kernel, stride, padding, dilation)` or a module. A number may be a tuple with one for each axis.
      Padding may also be "same", "valid" or None (not known). No layers at all: a unit sees itself.
    - a module in PyTorch's convolution layout (B, C, …). Its branches (residual, parallel) are followed
      with torch.fx from its first argument on; the field is their union.

    >>> receptive_field([(3, 1)] * 3)
    ReceptiveField(size=7, jump=1, start=0)

    The field of a unit far from the border is meant, in evaluation mode. It is the smallest box around
    what the unit can see: dilation and strides may leave holes in it, and near the border part of it lies
    in the padding (also where that repeats pixels: reflected, circular). With `image`, the side or sides
    of the input, a field that is larger is reported with a warning.

    Raises TypeError or ValueError for what is no layer, UnsupportedLayer for a layer whose field this
    arithmetic cannot tell, and MisalignedBranches where branches meet that look at different places.

    Source: Araujo, Norris and Sim, Distill 2019, doi 10.23915/distill.00021. `start` is the paper's
    left-most coordinate for output 0. In the older guide of Dang Ha The Hien (2017) start is
    `centre + 0.5`, since there the first pixel has its middle at 0.5.
    """
    windows = windows_of_module(network) if isinstance(network, nn.Module) else _windows_of_list(network)
    # Axes that agree are stored once, so that fields compare equal however they were written down.
    field = ReceptiveField(windows if len(set(windows)) > 1 else windows[:1])
    if image is not None:
        _report_if_larger(field, image)
    return field


def _windows_of_list(layers: Iterable) -> Windows:
    if isinstance(layers, str) or not isinstance(layers, Iterable):
        raise TypeError(f"expected a list of layers or a torch.nn.Module, got {layers!r}")
    return reduce(stack, (_windows_of_layer(layer) for layer in layers), START)


def _windows_of_layer(layer) -> Windows:
    if isinstance(layer, nn.Module):
        return windows_of_module(layer)
    if not isinstance(layer, tuple | list) or not 2 <= len(layer) <= 4:
        raise TypeError(
            f"{layer!r} is no layer; expected (kernel, stride), (kernel, stride, padding), "
            "(kernel, stride, padding, dilation) or a torch.nn.Module"
        )
    try:
        return layer_windows(*layer)
    except (TypeError, ValueError) as error:
        raise type(error)(f"layer {layer!r}: {error}") from None


def _report_if_larger(field: ReceptiveField, image: Sides) -> None:
    if any(side < window.size < inf for window, side in field._beside(image)):
        warnings.warn(
            f"the receptive field ({field.size}) is larger than the image ({image}): "
            "every unit also reads padding, and sees less of the image than its size says",
            stacklevel=3,
        )


def full_layer(layer: Layer) -> FullLayer:
    """The layer with its padding and dilation, which may be left out of `Layer`."""
    kernel, stride, padding, dilation = (*layer, *(0, 1)[len(layer) - 2 :])
    return kernel, stride, padding, dilation


def output_sides(layers: Sequence[Layer], image: int) -> list[int]:
    """Side of the input and of each layer's output, in pixels, for layers (kernel, stride, padding, dilation).

    Raises ValueError where a layer has no window that fits.
    """
    sides = [image]
    for number, layer in enumerate(layers, start=1):
        kernel, stride, padding, dilation = full_layer(layer)
        side = (sides[-1] + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        if side < 1:
            raise ValueError(
                f"layer {number} does not fit: its kernel spans {dilation * (kernel - 1) + 1} positions, "
                f"and there are {sides[-1]} with {padding} of padding at each end"
            )
        sides.append(side)
    return sides
