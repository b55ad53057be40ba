"""The windows of any module: torch.fx writes its computation down, and we walk along it."""

import inspect

from torch import fx, nn

from utils.reach.layers import UnsupportedLayer, windows_of_call
from utils.reach.windows import START, MisalignedBranches, Windows


def windows_of_module(model: nn.Module) -> Windows:
    """One window for each axis (or one for all), from the module's first argument to its output.

    Raises UnsupportedLayer or MisalignedBranches, with the name of the step where it happened.
    """
    if fx.Tracer().is_leaf_module(model, ""):
        model = nn.Sequential(model)  # a layer of torch.nn is a single step only inside another module
    return _walk(model, _trace(model))


def _trace(model: nn.Module) -> fx.Graph:
    # Optional arguments (masks, flags) keep their defaults.
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(model.forward).parameters.items()
        if parameter.default is not parameter.empty
    }
    try:
        return fx.Tracer().trace(model, concrete_args=defaults)
    except Exception as error:  # the model's own code runs here, so any error is possible
        raise UnsupportedLayer(
            f"torch.fx cannot follow {type(model).__name__} ({error}). "
            "Write the network as a list of layers, or measure it with influence()."
        ) from error


def _walk(model: nn.Module, graph: fx.Graph) -> Windows:
    windows: dict[fx.Node, Windows | None] = {}  # None: a step that does not depend on the input
    source = next(node for node in graph.nodes if node.op == "placeholder")
    for node in graph.nodes:
        inputs = [known for n in node.all_input_nodes if (known := windows[n]) is not None]
        if node is source:
            windows[node] = START
        elif node.op == "output":
            return _single_output(node, inputs)
        elif inputs:
            windows[node] = _windows_after(model, node, inputs)
        else:
            windows[node] = None
    raise UnsupportedLayer(f"{type(model).__name__} returns nothing")


def _windows_after(model: nn.Module, node: fx.Node, inputs: list[Windows]) -> Windows | None:
    try:
        return windows_of_call(model, node, inputs)
    except (UnsupportedLayer, MisalignedBranches) as error:
        sources = ", ".join(str(n) for n in node.all_input_nodes)
        raise type(error)(f"at {_place(node)}, which reads {sources}: {error}") from None


def _place(node: fx.Node) -> str:
    scope = list(node.meta.get("nn_module_stack", {}))
    return f"{node.name!r} (in {scope[-1]!r})" if scope and scope[-1] else repr(node.name)


def _single_output(node: fx.Node, inputs: list[Windows]) -> Windows:
    if not isinstance(node.args[0], fx.Node):
        raise UnsupportedLayer("the module returns several things; wrap it so that it returns one tensor")
    if not inputs:
        raise UnsupportedLayer("the output does not depend on the input")
    return inputs[0]
