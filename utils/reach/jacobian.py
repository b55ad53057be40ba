"""`influence`: how strongly does output position i depend on input position j? Measured by gradient."""

from collections.abc import Callable
from typing import Literal, SupportsIndex

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utils.modes import evaluation_mode

LAYOUTS = {2: "TC", 3: "BTC", 4: "BCHW"}  # what a tensor of so many dimensions is, unless told
CHUNK = 2**17  # gradient entries computed at a time: what the layers between need for them is a multiple of it


def influence(
    model: nn.Module | Callable[[Tensor], Tensor],
    inputs: Tensor,
    *,
    layout: str | None = None,
    at: int | tuple[int, ...] | Literal["centre"] | None = None,
) -> Tensor:
    """How strongly each output position depends on each input position, at these inputs.

    The influence of input position j on output position i is the Frobenius norm of the Jacobian
    ∂ output[i] / ∂ input[j], a matrix with one row for each output channel and one column for each input
    channel. Over a batch it is the mean of the maps of its samples.

    =====================  ====================================  ============================
    inputs                 layout                                map
    =====================  ====================================  ============================
    (T, C) or (B, T, C)    the default                           (T_out, T_in)
    (C, T) or (B, C, T)    "CT", as `nn.Conv1d` wants            (T_out, T_in)
    (B, C, H, W)           the default                           (H_out, W_out, H_in, W_in)
    (C, H, W)              "CHW"                                 (H_out, W_out, H_in, W_in)
    any other              its letters, such as "TBC" or "HW"    positions out, positions in
    =====================  ====================================  ============================

    In `layout` B is the batch, C the channels, and every other letter an axis of positions; a leading B
    may be left out. The model is called once, with `inputs` as they are, and its output has the same
    layout; only the sizes may differ. Of several outputs, as `nn.LSTM` gives, the first is measured.

    With `at`, only one output position is measured and the map has the input's positions alone: an int
    for sequences, (row, column) for images, negative ones count from the end, or "centre". The map of one
    unit, averaged over a batch, is the *effective receptive field* of Luo, Li, Urtasun and Zemel,
    "Understanding the Effective Receptive Field in Deep Convolutional Neural Networks", NeurIPS 2016.

    It takes one backward pass for each number in the output, many at a time: one to three seconds of one core for
    128 positions of 32 channels. Whole maps of images are large, so prefer `at` there.

    The result lies on the CPU, with the dtype of the inputs. A module is measured in evaluation mode and
    left as it was: its modes, gradients and statistics do not change. A plain function is called as it is,
    so put the modules that it uses in evaluation mode yourself. The samples of a batch must not depend on
    each other.

    Raises TypeError for inputs that have no gradient, such as tokens; ValueError where the shapes do not
    fit the layout, or where inputs or gradients are not finite; IndexError for `at` outside the output.
    """
    layout = _checked_layout(layout, inputs)
    # cuDNN has no backward pass through a recurrent layer in evaluation mode.
    cudnn = torch.backends.cudnn.flags(enabled=False)
    with torch.inference_mode(False), torch.enable_grad(), evaluation_mode(model), cudnn:
        source = inputs.detach().clone().requires_grad_()
        outputs = _positions_first(_output_tensor(model(source), layout), layout)  # (*P_out, B, C)
        if at is not None:
            outputs = outputs[_position(at, outputs.shape[:-2])]
        squared = _squared_jacobian(outputs, source, layout)  # (*P_out, *P_in, B)
    influences = squared.sqrt().mean(-1).to(inputs.dtype)
    if not influences.isfinite().all():
        raise ValueError(
            "the influence is not finite: the gradient exploded or was never defined. "
            "Try inputs and model in double precision, or smaller weights."
        )
    return influences


def effective_side(influences: Tensor, share: float = 0.95) -> int:
    """Side of the smallest square window that holds `share` of all influence on one unit.

    `influences` is a map over input positions, (H, W) or (T,), as `influence(…, at=…)` gives it; for
    (T,) the window is an interval. The window may lie anywhere. 0 where nothing has any influence.
    """
    if influences.dim() not in (1, 2) or not 0 < share <= 1:
        raise ValueError(
            f"expected a map (H, W) or (T,) and a share in (0, 1], got shape {tuple(influences.shape)} "
            f"and share {share}"
        )
    if not influences.any():
        return 0
    axes, longest = influences.dim(), max(influences.shape)
    pool = F.avg_pool1d if axes == 1 else F.avg_pool2d
    missing = [amount for side in reversed(influences.shape) for amount in (0, longest - side)]
    square = F.pad(influences.double(), missing)[None]
    needed = share * square.sum() * (1 - 1e-12)  # forgives rounding where share is 1
    sides = range(1, longest + 1)
    return next(side for side in sides if (pool(square, side, stride=1) * side**axes).max() >= needed)


def _squared_jacobian(outputs: Tensor, source: Tensor, layout: str) -> Tensor:
    """Squared Frobenius norms (*P_out, *P_in, B) of outputs (*P_out, B, C) by the source, in float64.

    float64, because the square of an influence of 1e-25 is 0 in float32.
    """
    *out_shape, _, channels = outputs.shape
    *in_shape, batch, _ = _positions_first(source, layout).shape
    # One unit for each position and channel. Summing over the batch keeps its samples apart all the same:
    # the gradient at a sample's input comes from that sample's output.
    units = outputs.sum(-2).flatten()
    squared = torch.zeros(units.numel() // channels, *in_shape, batch, dtype=torch.float64)
    for chunk in torch.arange(units.numel()).split(max(1, CHUNK // source.numel())):
        gradients = _gradients(units, source, chunk)
        if gradients is not None:
            norms = _positions_first(gradients, "U" + layout).cpu().double().square().sum(-1)
            squared.index_add_(0, chunk // channels, norms)
    return squared.reshape(*out_shape, *in_shape, batch)


def _gradients(units: Tensor, source: Tensor, chunk: Tensor) -> Tensor | None:
    """Gradients (units of the chunk, *source.shape), in one batched backward pass.

    None where no unit depends on the source.
    """
    if not units.requires_grad:
        return None
    one_hot = F.one_hot(chunk, units.numel()).to(units)
    return torch.autograd.grad(units, source, one_hot, retain_graph=True, is_grads_batched=True, allow_unused=True)[0]


def _positions_first(tensor: Tensor, layout: str) -> Tensor:
    """The same tensor as (*positions, B, C), with B and C of size 1 where the layout has none."""
    positions = [axis for axis, letter in enumerate(layout) if letter not in "BC"]
    rest = [layout.index(letter) for letter in "BC" if letter in layout]
    tensor = tensor.permute(*positions, *rest)
    if "B" not in layout:
        tensor = tensor.unsqueeze(len(positions))
    return tensor if "C" in layout else tensor.unsqueeze(-1)


def _position(at: int | tuple[int, ...] | Literal["centre"], shape: torch.Size) -> tuple[int, ...]:
    if at == "centre":
        return tuple(side // 2 for side in shape)
    position = at if isinstance(at, tuple) else (at,)
    if not all(isinstance(index, SupportsIndex) for index in position):
        raise TypeError(f'at is {at!r}; expected an int, a tuple of ints or "centre"')
    if len(position) != len(shape) or not all(-n <= i < n for i, n in zip(position, shape, strict=True)):
        raise IndexError(f"at is {at!r}, but the positions of the output have shape {tuple(shape)}")
    return position


def _checked_layout(layout: str | None, inputs: Tensor) -> str:
    if not isinstance(inputs, Tensor):
        raise TypeError(f"inputs are a {type(inputs).__name__}; expected a torch.Tensor")
    if not inputs.is_floating_point():
        raise TypeError(
            f"inputs of type {inputs.dtype} have no gradient. For tokens, measure from their embeddings: "
            "influence(rest_of_the_model, embedding(tokens))"
        )
    if not inputs.isfinite().all():
        raise ValueError("inputs hold NaN or infinity; there is no influence to measure there")
    chosen = layout or LAYOUTS.get(inputs.dim(), "")
    if len(chosen) + 1 == inputs.dim() and "B" not in chosen:
        chosen = "B" + chosen
    if len(chosen) != inputs.dim() or len(set(chosen)) != len(chosen) or not set(chosen) - set("BC"):
        raise ValueError(
            f"inputs of shape {tuple(inputs.shape)} do not fit layout {layout!r}: one letter for each axis, "
            'B the batch, C the channels, the others positions, such as "BTC", "BCT" or "BCHW"'
        )
    if inputs.numel() == 0:
        raise ValueError(f"inputs of shape {tuple(inputs.shape)} are empty")
    return chosen


def _output_tensor(outputs, layout: str) -> Tensor:
    first = outputs[0] if isinstance(outputs, tuple | list) else outputs
    if not isinstance(first, Tensor):
        raise TypeError(f"the model returned a {type(first).__name__}; expected a tensor")
    if first.dim() != len(layout):
        raise ValueError(
            f"the model's output has shape {tuple(first.shape)}, its input the layout {layout!r}: they need "
            "the same axes. Wrap the model in a function that adds the missing ones."
        )
    if not first.is_floating_point():
        raise TypeError(f"the model's output has type {first.dtype}, which has no gradient")
    return first
