"""A model as plain values: the steps that it takes from its inputs to its output, which can be run elsewhere.

`trace` writes down, beside an answer, which of torch's operations a model applies to what. `Graph` runs such a record
in a process that never saw the model, with other inputs and other weights, so that a check need not believe what
the answer's process says about its model. It calls nothing but the operations that are listed here: arithmetic,
shapes, the layers of a network. What else a record may hold is refused.

Source of the operations: torch's own list, aten/src/ATen/native/native_functions.yaml.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from utils.checking.plain import MAX_ITEMS

MAX_NUMBERS = 20_000_000  # of one intermediate result
_NAMES = """
abs acos adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d
adaptive_max_pool3d add addbmm addcdiv addcmul addmm addmv affine_grid_generator alias all alpha_dropout amax amin
aminmax angle any arange argmax argmin argsort asin atan atan2 avg_pool1d avg_pool2d avg_pool3d baddbmm batch_norm
bernoulli bitwise_and bitwise_not bitwise_or bitwise_xor bmm broadcast_tensors broadcast_to bucketize cat ceil celu
channel_shuffle chunk clamp clamp_max clamp_min clone col2im column_stack complex concat concatenate conj conj_physical
constant_pad_nd contiguous conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d convolution copy cos
cosh cosine_similarity cummax cummin cumprod cumsum deg2rad detach diag diag_embed diagonal diff dist div divide dot
dropout dsplit einsum elu embedding empty empty_like eq erf erfc erfinv exp exp2 expand expand_as expm1 eye
feature_dropout fill flatten flip fliplr flipud float_power floor floor_divide fmax fmin fmod frac
fractional_max_pool2d full full_like gather ge gelu glu greater greater_equal grid_sampler grid_sampler_2d group_norm
gru gru_cell gt hardshrink hardsigmoid hardswish hardtanh heaviside hsplit hstack hypot im2col imag index index_add
index_copy index_fill index_put index_select inner instance_norm inverse isfinite isinf isnan kron layer_norm ldexp le
leaky_relu lerp less less_equal lift_fresh linalg_norm linalg_vector_norm linear linspace log log10 log1p log2
log_sigmoid log_softmax logaddexp logcumsumexp logical_and logical_not logical_or logical_xor logit logspace logsumexp
lstm lstm_cell lt mH mT masked_fill masked_scatter masked_select matmul matrix_H max max_pool1d max_pool2d
max_pool2d_with_indices max_pool3d max_pool3d_with_indices max_unpool2d maximum mean median meshgrid min minimum mish
mm moveaxis movedim mul multiply mv nan_to_num nansum narrow native_batch_norm native_group_norm native_layer_norm ne
neg negative new_empty new_full new_ones new_zeros norm normal not_equal numpy_T one_hot ones ones_like outer pad
pairwise_distance permute pixel_shuffle pixel_unshuffle polar pow prelu prod rand rand_like randn randn_like randperm
ravel real reciprocal reflection_pad1d reflection_pad2d relu relu6 remainder repeat repeat_interleave replication_pad1d
replication_pad2d reshape reshape_as resolve_conj rms_norm rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell roll rot90
round rrelu rsqrt rsub scalar_tensor scaled_dot_product_attention scatter scatter_add select selu sgn sigmoid sign silu
sin sinh slice softmax softplus softshrink sort special_expit split split_with_sizes sqrt square squeeze stack std
std_mean sub subtract sum swapaxes swapdims t take take_along_dim tan tanh tensor_split tensordot threshold tile to
topk trace transpose tril tril_indices triu triu_indices true_divide trunc type_as unbind unflatten unfold uniform
unsafe_chunk unsafe_split unsqueeze upsample_bicubic2d upsample_bilinear2d upsample_linear1d upsample_nearest1d
upsample_nearest2d upsample_nearest3d upsample_trilinear3d var var_mean vdot view view_as view_as_complex view_as_real
vsplit vstack where xlogy zero zeros zeros_like __and__ __or__ __xor__ _adaptive_avg_pool2d _adaptive_avg_pool3d _conj
_log_softmax _safe_softmax _softmax _to_copy _unsafe_view _upsample_bicubic2d_aa _upsample_bilinear2d_aa
_upsample_nearest_exact2d _weight_norm
"""
FUNCTIONS = frozenset(_NAMES.split())
CONSTANTS = {
    str(value).removeprefix("torch."): value
    for value in (
        *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
        *(torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64),
        *(torch.contiguous_format, torch.preserve_format, torch.channels_last, torch.strided, torch.device("cpu")),
    )
}


class Untraceable(ValueError):
    """A model does what no record can hold. The message says what, as a noun: "a model that …"."""


def trace(model: nn.Module, *inputs: Tensor) -> dict[str, Any]:
    """The steps of `model(*inputs)` in evaluation mode, as plain values once `to_plain` has copied them.

    Decisions that the model takes in Python are written down as they fell for these inputs.

    Returns:
        "weights": the parameters by name; "constants": all other tensors that the model holds or reads; "steps":
        lists [operation, arguments, arguments by name]; "output": where the result is found. In arguments, a dict of
        one item stands for a tensor, {"input": 0}, {"weight": name}, {"constant": 0}, {"step": [3, 0]}, for one of
        torch's constants, {"torch": "float32"}, or for a complex number, {"complex": [0.0, 1.0]}.

    Raises:
        Untraceable: for operations that are not among `FUNCTIONS`, and for more than 10,000 steps.
    """
    weights = dict(model.named_parameters())
    record = _Record(weights, inputs)
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # it fuses whole layers into one operation
    try:
        with torch.inference_mode(), record:  # without autograd, layers arrive as they were written: linear, conv2d
            output = model.eval()(*inputs)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    where = record.encode(output)
    return {"weights": weights, "constants": record.constants, "steps": record.steps, "output": where}


class _Record(TorchDispatchMode):
    """While it is entered, writes down each operation that torch runs."""

    def __init__(self, weights: Mapping[str, Tensor], inputs: tuple[Tensor, ...]):
        super().__init__()
        self.steps: list[list] = []
        self.constants: list[Tensor] = []
        self._known: dict[int, tuple[Tensor, dict]] = {}  # by id; the tensors are kept, so that no id is used twice
        for name, weight in weights.items():
            self._remember(weight, {"weight": name})
        for index, tensor in enumerate(inputs):
            self._remember(tensor, {"input": index})

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else torch imports its compiler, for seconds, to keep it away from the next function

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        step = [str(function), self.encode(args), self.encode(kwargs or {})]  # before an operation in place
        result = function(*args, **(kwargs or {}))
        tensors = _tensors(result)
        if tensors or function._schema.is_mutable:
            _operation(step[0])
            if len(self.steps) == MAX_ITEMS:
                raise Untraceable(f"a model that takes more than {MAX_ITEMS:,} steps")
            for item, tensor in enumerate(tensors):
                self._remember(tensor, {"step": [len(self.steps), item]})
            self.steps.append(step)
        return result

    def encode(self, value: Any) -> Any:
        """Arguments as plain values. A tensor that no step made is a constant, as it is now."""
        if isinstance(value, Tensor):
            if id(value) not in self._known:
                self.constants.append(value.detach().clone())
                self._remember(value, {"constant": len(self.constants) - 1})
            return self._known[id(value)][1]
        if isinstance(value, list | tuple):
            return [self.encode(item) for item in value]
        if isinstance(value, dict):
            return {name: self.encode(item) for name, item in value.items()}
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, complex):
            return {"complex": [value.real, value.imag]}
        name = str(value).removeprefix("torch.")
        if name in CONSTANTS:
            return {"torch": name}
        raise Untraceable(f"a model that hands {name} to one of torch's functions")

    def _remember(self, tensor: Tensor, where: dict) -> None:
        self._known[id(tensor)] = tensor, where


Given = Tensor | Callable[..., Tensor]  # instead of a step


class Step(NamedTuple):
    """One step of a record: torch's operation, by name and to be called, and its arguments as `trace` wrote them."""

    name: str
    operation: Callable
    args: list
    kwargs: dict[str, Any]


class Graph:
    """A record of `trace`, to be run: `Graph(sent)(weights, *inputs)`.

    Raises, here or when it is run, whatever fits where the record is forged: nothing in it is believed.
    """

    def __init__(self, sent: dict[str, Any]):
        self.weights: dict[str, Tensor] = {str(name): weight.detach() for name, weight in sent["weights"].items()}
        self.steps = [Step(name, _operation(name), args, kwargs) for name, args, kwargs in sent["steps"]]
        self._constants: list[Tensor] = sent["constants"]
        self._output = sent["output"]

    def __call__(self, weights: dict[str, Tensor], *inputs: Tensor) -> Tensor:
        """The output for these weights and inputs, none of which it changes."""
        return self.run(weights, *inputs)[0]

    def run(
        self,
        weights: dict[str, Tensor],
        *inputs: Tensor,
        given: Mapping[int, Given] | None = None,
        layers: Sequence[int] = (),
    ) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """The output, and of the steps with the numbers `layers` their first argument and their result.

        Steps with the numbers in `given` are not taken: they give these tensors, or what these functions make of their
        arguments.
        """
        given, seen = given or {}, {}
        found = {
            "input": [tensor.clone() for tensor in inputs],
            "weight": weights,
            "constant": [tensor.clone() for tensor in self._constants],
            "step": [],
        }
        for number, step in enumerate(self.steps):
            args, kwargs, instead = _decode(step.args, found), _arguments(step.kwargs, found), given.get(number)
            if isinstance(instead, Tensor):
                tensors = [instead.clone()]
            else:
                tensors = _tensors((instead or step.operation)(*args, **kwargs))
            if any(tensor.numel() > MAX_NUMBERS for tensor in tensors):
                raise ValueError(f"an intermediate result of more than {MAX_NUMBERS:,} numbers")
            if number in layers:
                seen[number] = args[0].clone(), tensors[0].clone()  # a later step may write into them
            found["step"].append(tensors)
        return _decode(self._output, found), [seen[number] for number in layers]

    def calls(
        self,
        weights: dict[str, Tensor],
        *inputs: Tensor,
        of: Iterable[int],
        given: Mapping[int, Callable[..., Tensor]] | None = None,
    ) -> dict[int, tuple[list, dict[str, Any]]]:
        """Arguments, and those by name, of the steps with these numbers; for `given`, see `run`."""
        given, found = given or {}, {}

        def noting(number: int) -> Callable[..., Any]:
            take = given.get(number, self.steps[number].operation)

            def note(*args: Any, **kwargs: Any) -> Any:
                found[number] = [one.clone() if isinstance(one, Tensor) else one for one in args], kwargs
                return take(*args, **kwargs)

            return note

        self.run(weights, *inputs, given={**given, **{number: noting(number) for number in of}})
        return found

    def origins(self) -> list[list[frozenset[str]]]:
        """For each step, for each of its arguments by position, the names of the weights on which it rests."""
        steps: list[list[frozenset[str]]] = []

        def rests_on(value: Any) -> frozenset[str]:
            if isinstance(value, list):
                return frozenset().union(*map(rests_on, value))
            if not isinstance(value, dict):
                return frozenset()
            ((kind, where),) = value.items()
            if kind == "step":
                return frozenset().union(*steps[where[0]])
            return frozenset([where] if kind == "weight" else [])

        for step in self.steps:
            steps.append([*map(rests_on, step.args), *map(rests_on, step.kwargs.values())])
        return steps

    def gradients(self, weights: dict[str, Tensor], *inputs: Tensor) -> dict[str, Tensor | None]:
        """The gradient of the output's sum of squares for each weight; None where the output does not rest on it."""
        leaves = {name: weight.clone().requires_grad_() for name, weight in weights.items()}
        output = self(leaves, *inputs)
        if not output.requires_grad:
            return dict.fromkeys(leaves)
        found = torch.autograd.grad(output.square().sum(), list(leaves.values()), allow_unused=True)
        return dict(zip(leaves, found, strict=True))


def _decode(value: Any, found: dict[str, Any]) -> Any:
    """The argument that a plain value stands for."""
    if isinstance(value, list):
        return [_decode(item, found) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, where),) = value.items()
    if kind == "torch":
        return CONSTANTS[where]
    if kind == "complex":
        return complex(*where)
    if kind == "step":
        step, item = where
        return found[kind][step][item]
    return found[kind][where]


def _arguments(kwargs: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    return {name: _decode(value, found) for name, value in kwargs.items()}


def _tensors(result: Any) -> list[Tensor]:
    """The tensors among what an operation returned, in order."""
    return [item for item in (result if isinstance(result, list | tuple) else [result]) if isinstance(item, Tensor)]


@cache
def _operation(name: str) -> Callable:
    """torch's operation of this name, "aten.add.Tensor". Raises Untraceable for what is not on the list."""
    space, _, rest = name.partition(".")
    function, _, overload = rest.partition(".")
    if space == "aten" and (function in FUNCTIONS or function.removesuffix("_") in FUNCTIONS):
        packet = getattr(torch.ops.aten, function, None)
        if packet is not None and overload in packet.overloads():
            operation = getattr(packet, overload)
            if not any(argument.is_out for argument in operation._schema.arguments):
                return _cleared(operation) if "empty" in function else operation
    raise Untraceable(f"a model that uses torch's {name.removeprefix('aten.')}, which this check cannot follow")


def _cleared(operation: Callable) -> Callable:
    """An operation that leaves its result as it found the memory, made to leave zeros."""
    return lambda *args, **kwargs: operation(*args, **kwargs).zero_()
