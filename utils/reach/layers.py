"""The window of each kind of layer that PyTorch has: a table from modules and functions to arithmetic.

Layers are met in PyTorch's convolution layout (B, C, …) and in evaluation mode: there dropout and batch
normalisation act on each position alone.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import torch.nn.functional as F
from torch import fx, nn
from torch.nn.modules import batchnorm, dropout, instancenorm, padding, pooling

from utils.reach.windows import WHOLE, Window, Windows, layer_windows, stack, union


class UnsupportedLayer(ValueError):
    """A layer whose field this arithmetic cannot tell."""


CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
POOLS = (pooling._MaxPoolNd, pooling._AvgPoolNd, pooling._LPPoolNd)
PADS = (padding._ConstantPadNd, padding._ReflectionPadNd, padding._ReplicationPadNd, padding._CircularPadNd)
ADAPTIVE_POOLS = (pooling._AdaptiveAvgPoolNd, pooling._AdaptiveMaxPoolNd)
POINTWISE = (
    *(nn.Identity, nn.LocalResponseNorm, nn.Softmax2d, batchnorm._BatchNorm, dropout._DropoutNd),
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU, nn.SiLU),
    *(nn.Mish, nn.Sigmoid, nn.LogSigmoid, nn.Tanh, nn.Softplus, nn.Softsign, nn.Hardtanh, nn.Hardsigmoid),
    *(nn.Hardswish, nn.Hardshrink, nn.Softshrink, nn.Tanhshrink, nn.Threshold),
)
# Group and instance normalisation take their mean over every position, so every position is seen.
GLOBAL = (nn.Flatten, nn.GroupNorm, instancenorm._InstanceNorm)

# Functions and methods by name, without the trailing underscore of those that act in place.
POINTWISE_NAMES = {
    *("add", "iadd", "sub", "isub", "mul", "imul", "truediv", "itruediv", "div", "neg", "abs", "pow"),
    *("square", "sqrt", "rsqrt", "exp", "log", "sin", "cos", "clamp", "clip", "maximum", "minimum"),
    *("relu", "relu6", "leaky_relu", "prelu", "elu", "celu", "selu", "gelu", "silu", "mish", "sigmoid"),
    *("logsigmoid", "tanh", "softplus", "softsign", "hardtanh", "hardsigmoid", "hardswish"),
    *("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"),
    *("batch_norm", "contiguous", "clone", "detach", "to", "float", "double", "half", "type"),
}
RESHAPING_NAMES = {"flatten", "view", "reshape"}
REDUCTION_NAMES = {"mean", "sum", "amax"}
SHAPE_NAMES = {"size", "dim"}

CONVOLUTION_ARGUMENTS = ("input", "weight", "bias", "stride", "padding", "dilation")
FUNCTION_ARGUMENTS = {
    **dict.fromkeys((F.conv1d, F.conv2d, F.conv3d), CONVOLUTION_ARGUMENTS),
    **dict.fromkeys(
        (F.max_pool1d, F.max_pool2d, F.max_pool3d), ("input", "kernel_size", "stride", "padding", "dilation")
    ),
    **dict.fromkeys((F.avg_pool1d, F.avg_pool2d, F.avg_pool3d), ("input", "kernel_size", "stride", "padding")),
}


def windows_of_call(model: nn.Module, node: fx.Node, inputs: list[Windows]) -> Windows | None:
    """The windows after one step of a traced module, from the windows of the tensors that it reads.

    None where the step gives no tensor that depends on the input's values, such as its shape.
    Raises UnsupportedLayer, or MisalignedBranches from the union of branches.
    """
    if all(window == WHOLE for windows in inputs for window in windows):
        return inputs[0]  # more than everything cannot be seen
    if node.op == "call_module":
        return _after_module(model.get_submodule(str(node.target)), inputs[0])
    if node.target in FUNCTION_ARGUMENTS:
        return stack(inputs[0], _function_windows(model, node))
    name = node.target if isinstance(node.target, str) else node.target.__name__
    return _after_function(name.removesuffix("_"), node, inputs)


def _after_module(module: nn.Module, below: Windows) -> Windows:
    if isinstance(module, POINTWISE):
        return below
    if isinstance(module, CONVOLUTIONS):
        return stack(below, layer_windows(module.kernel_size, module.stride, module.padding, module.dilation))
    if isinstance(module, POOLS):
        return stack(below, _pool_windows(module))
    if isinstance(module, PADS):
        return stack(below, _pad_windows(module.padding))
    if isinstance(module, GLOBAL) or (isinstance(module, ADAPTIVE_POOLS) and _is_global(module.output_size)):
        return (WHOLE,)
    if isinstance(module, nn.Linear):
        return _after_linear(below)
    raise UnsupportedLayer(_advice(type(module).__name__))


def _pool_windows(pool: Any) -> Windows:  # one of POOLS: torch declares their attributes class by class
    # Rounding the output's size up (ceil_mode) adds units at the far end; the others stay where they are.
    stride = pool.kernel_size if pool.stride is None else pool.stride
    return layer_windows(pool.kernel_size, stride, getattr(pool, "padding", 0), getattr(pool, "dilation", 1))


def _pad_windows(amounts: Sequence[int]) -> Windows:
    # PyTorch lists (before, after) of the last axis first. A negative amount crops.
    return tuple(Window(size=1, padding=before) for before in reversed(amounts[::2]))


def _is_global(output_size) -> bool:
    return all(side == 1 for side in (output_size if isinstance(output_size, tuple | list) else (output_size,)))


def _after_linear(below: Windows) -> Windows:
    if len(below) > 1:
        raise UnsupportedLayer("a Linear layer on an unflattened map mixes its last axis only; flatten first")
    return (WHOLE,)


def _function_windows(model: nn.Module, node: fx.Node) -> Windows:
    given: dict[str, Any] = dict(zip(FUNCTION_ARGUMENTS[node.target], node.args, strict=False)) | node.kwargs
    if "weight" in given:
        kernel = _kernel_of(model, given["weight"])
        stride = given.get("stride", 1)
    else:
        kernel = given["kernel_size"]
        stride = kernel if given.get("stride") is None else given["stride"]
    settings = (kernel, stride, given.get("padding", 0), given.get("dilation", 1))
    return layer_windows(*(tuple(s) if isinstance(s, list) else s for s in settings))


def _kernel_of(model: nn.Module, weight: fx.Node) -> tuple[int, ...]:
    if weight.op != "get_attr":
        raise UnsupportedLayer("the kernel is computed, not a parameter, so its size is not known")
    return tuple(attrgetter(str(weight.target))(model).shape[2:])


def _after_function(name: str, node: fx.Node, inputs: list[Windows]) -> Windows | None:
    if name in POINTWISE_NAMES:
        return union(inputs)
    if name in SHAPE_NAMES or (name == "getattr" and node.args[1] in ("shape", "ndim", "device", "dtype")):
        return None
    if name in RESHAPING_NAMES:
        return (WHOLE,)
    if name in ("cat", "concat", "concatenate"):
        return _after_concatenation(node, inputs)
    if name in REDUCTION_NAMES and _reads_every_position(node, inputs[0]):
        return (WHOLE,)
    if name.startswith("adaptive_") and _is_global(_argument(node, 1, "output_size")):
        return (WHOLE,)
    if name == "pad":
        return stack(inputs[0], _pad_windows(tuple(_argument(node, 1, "pad"))))
    raise UnsupportedLayer(_advice(f".{node.args[1]}" if name == "getattr" else name))


def _after_concatenation(node: fx.Node, inputs: list[Windows]) -> Windows:
    windows = union(inputs)
    dim = _argument(node, 1, "dim", 0)
    if dim not in (1, -1 - len(windows)):
        raise UnsupportedLayer(f"branches are joined along dimension {dim}; expected the channels, dim=1")
    return windows


def _reads_every_position(node: fx.Node, below: Windows) -> bool:
    dims = _argument(node, 1, "dim")
    if dims is None:
        return True
    dims = tuple(dims) if isinstance(dims, tuple | list) else (dims,)
    positions = range(2, 2 + len(dims))
    return len(below) in (1, len(dims)) and {d % (2 + len(dims)) for d in dims} == set(positions)


def _argument(node: fx.Node, place: int, name: str, default: Any = None) -> Any:
    return node.args[place] if len(node.args) > place else node.kwargs.get(name, default)


def _advice(name: str) -> str:
    return (
        f"{name} has no receptive field that this arithmetic knows. Leave it out, cut the network before "
        "it, or measure the field with influence()."
    )
