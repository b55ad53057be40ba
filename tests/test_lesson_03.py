"""Lesson 03: right answers in other styles, wrong ones that are on no list, its figures, and its layer builder."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

from utils import reach
from utils.checks import receptive_field as check
from utils.plotting import fields, maps
from utils.widgets import layer_builder


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


# --- right answers in other styles --------------------------------------------------------------------------------


def size_from_the_top(layers):
    size = 1
    for kernel, stride in reversed(layers):
        size = (size - 1) * stride + kernel
    return size


def size_by_a_closed_sum(layers):
    kernels, strides = np.array(layers).T
    return 1 + ((kernels - 1) * np.cumprod([1, *strides[:-1]])).sum()


def size_by_walking_down(layers):
    seen = {0}
    for kernel, stride in reversed(layers):
        seen = {unit * stride + tap for unit in seen for tap in range(kernel)}
    return max(seen) - min(seen) + 1


def size_as_a_tensor(layers):
    return torch.tensor(size_from_the_top(layers))


class SizeOfStack:
    def __call__(self, layers):
        return float(size_from_the_top(layers))


def field_by_the_ruler(layers):
    field = reach.receptive_field(layers)
    return [field.size, field.jump, field.start]


def field_as_an_array(layers):
    return np.array(field_by_the_ruler(layers))


def field_from_the_top(layers):
    first, last = 0, 0
    for kernel, stride, padding, dilation in reversed(layers):
        first, last = first * stride - padding, last * stride - padding + dilation * (kernel - 1)
    return last - first + 1, math.prod(stride for _, stride, *_ in layers), first


def map_by_the_ruler(model, images):
    return reach.influence(model, images, at="centre")


def map_image_by_image(model, images):
    total = torch.zeros(images.shape[2:], dtype=torch.float64)
    for image in images:
        image = image[None].clone().requires_grad_()
        output = model(image)
        output[0, 0, output.shape[2] // 2, output.shape[3] // 2].backward()
        total += image.grad[0, 0].abs()
    return total / len(images)


def map_by_backward_as_numpy(model, images):
    images.requires_grad_()
    output = model(images)
    output[..., output.size(2) // 2, output.size(3) // 2].sum().backward()
    return images.grad.abs().mean(dim=(0, 1)).numpy()


def map_by_jacobian(model, images):
    def middle(image):
        output = model(image[None])[0, 0]
        return output[output.shape[0] // 2, output.shape[1] // 2]

    gradients = [torch.autograd.functional.jacobian(middle, image) for image in images]
    return torch.stack(gradients).abs().mean(0).squeeze(0)


def map_by_vmap(model, images):
    def middle(image):
        output = model(image[None])[0, 0]
        return output[output.shape[0] // 2, output.shape[1] // 2]

    return torch.func.vmap(torch.func.grad(middle))(images).abs().mean((0, 1))


def layers_in_closed_form(distance, kernel, growth=1):
    steps = -(-distance // ((kernel - 1) // 2))
    if growth == 1:
        return steps
    layers = 0
    while (growth**layers - 1) // (growth - 1) < steps:
        layers += 1
    return layers


def layers_by_recursion(distance, kernel, growth=1, dilation=1):
    if distance <= 0:
        return 0
    return 1 + layers_by_recursion(distance - dilation * (kernel // 2), kernel, growth, dilation * growth)


def layers_by_the_ruler(distance, kernel, growth=1):
    stack = []
    while (reach.receptive_field(stack).size - 1) // 2 < distance:
        stack.append((kernel, 1, 0, growth ** len(stack)))
    return np.int64(len(stack))


def pixels_by_sums(layers):
    seen, jump = [0], 1
    for kernel, stride, dilation in layers:
        steps = [tap * dilation * jump for tap in range(kernel)]
        seen = sorted({pixel + step for pixel in seen for step in steps})
        jump *= stride
    return seen


def pixels_by_recursion(layers, unit=0):
    if not layers:
        return [unit]
    *below, (kernel, stride, dilation) = layers
    return sorted(
        {pixel for tap in range(kernel) for pixel in pixels_by_recursion(below, unit * stride + tap * dilation)}
    )


def pixels_by_gradient(layers):
    size = reach.receptive_field([(kernel, stride, 0, dilation) for kernel, stride, dilation in layers]).size
    row = torch.zeros(1, 1, size, dtype=torch.float64, requires_grad=True)
    maps = row
    for kernel, stride, dilation in layers:
        weight = torch.ones(1, 1, kernel, dtype=torch.float64)
        maps = nn.functional.conv1d(maps, weight, stride=stride, dilation=dilation)
    maps[0, 0, 0].backward()
    return row.grad[0, 0].nonzero().flatten()


RIGHT = {
    "receptive_field": {
        "from the top": size_from_the_top,
        "a closed sum": size_by_a_closed_sum,
        "walking down": size_by_walking_down,
        "a tensor": size_as_a_tensor,
        "an object, a float": SizeOfStack(),
        "the ruler": lambda layers: reach.receptive_field(layers).size,
    },
    "full_field": {
        "the ruler, a list": field_by_the_ruler,
        "an array": field_as_an_array,
        "from the top": field_from_the_top,
    },
    "seen_pixels": {
        "sums on the way up": pixels_by_sums,
        "recursion": pixels_by_recursion,
        "the gradient, a tensor": pixels_by_gradient,
        "an array": lambda layers: np.array(pixels_by_sums(layers)),
        "a tuple": lambda layers: tuple(pixels_by_sums(layers)),
    },
    "empirical_field": {
        "the ruler": map_by_the_ruler,
        "image by image": map_image_by_image,
        "backward, numpy": map_by_backward_as_numpy,
        "jacobian": map_by_jacobian,
        "vmap of grad": map_by_vmap,
    },
    "layers_needed": {
        "closed form": layers_in_closed_form,
        "recursion": layers_by_recursion,
        "the ruler": layers_by_the_ruler,
    },
}


# --- wrong answers that are on no list ----------------------------------------------------------------------------


def size_for_three_layers_only(layers):
    return {((3, 1),) * 3: 7, ((3, 2),) * 3: 15}.get(tuple(layers), 1)


def starts_with_the_jump(layers):
    size, jump, start = field_by_the_ruler(layers)
    return jump, size, start


def shifted(layers, by):
    size, jump, start = field_from_the_top(layers)
    return size, jump, start + by


def endless(distance, kernel, growth=1):
    layers = 0
    while True:
        layers += 0


def map_of_ones(model, images):
    return torch.ones(images.shape[2:])


def layers_for_the_sentences_only(distance, kernel, growth=1):
    return {7: 7, 6: 6}.get(distance, 1)


def forgets_requires_grad(model, images):
    output = model(images)
    return torch.autograd.grad(output[:, 0, 0, 0].sum(), images)[0]


def goes_back_from_a_map(model, images):
    images.requires_grad_()
    model(images).backward()
    return images.grad


WRONG = {
    "receptive_field": {
        "three layers only": size_for_three_layers_only,
        "always 1": lambda layers: 1,
        "pairs swapped": (
            lambda layers: check.receptive_field.reference([pair[::-1] for pair in layers]),
            "kernel_and_stride_swapped",
        ),
        "the output's side": lambda layers: (28 - check.receptive_field.reference(layers)) // 2,
    },
    "full_field": {
        "jump first": (starts_with_the_jump, "jump_before_size"),
        "start half a pixel off": (lambda layers: shifted(layers, 0.5), "start_off_by_a_half"),
        "start one pixel off": lambda layers: shifted(layers, 1),
        "two numbers": (lambda layers: field_from_the_top(layers)[:2], "", "expected 3 values (size, jump, start)"),
    },
    "seen_pixels": {
        "pixel 0 alone": lambda layers: [0],
        "the box": (lambda layers: list(range(pixels_by_sums(layers)[-1] + 1)), "box_returned"),
        "without the last tap": lambda layers: pixels_by_sums([(max(k - 1, 1), s, d) for k, s, d in layers]),
    },
    "empirical_field": {
        "ones": map_of_ones,
        "no requires_grad": (forgets_requires_grad, None, "RuntimeError"),
        "backward from a map": (goes_back_from_a_map, None, "RuntimeError"),
    },
    "layers_needed": {
        "those of the text only": layers_for_the_sentences_only,
        "one too few": (lambda *case: check.layers_needed.reference(*case) - 1, "one_layer_too_few"),
        "an endless loop": (endless, "", "loop that never ends"),
        "always 1": lambda *case: 1,
        "the distance": lambda distance, kernel, growth: distance,
    },
}


@pytest.mark.parametrize("answer", [forgets_requires_grad, goes_back_from_a_map])
def test_an_error_from_autograd_is_shown_with_the_learners_own_line(answer):
    assert f"of `{answer.__name__}`" in check.empirical_field.judge(answer).problem


# --- the lesson's arithmetic --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strides", "size"), [((1, 1, 1), 7), ((2, 2, 2), 15), ((2, 1, 1), 11), ((1, 2, 1), 9), ((1, 1, 2), 7)]
)
def test_the_ruler_the_reference_and_the_gradient_agree_on_three_layers(strides, size):
    layers = [(3, stride) for stride in strides]
    assert check.receptive_field.reference(layers) == reach.receptive_field(layers).size == size
    model = nn.Sequential(*[nn.Conv2d(1, 1, 3, stride) for stride in strides])
    field = check.empirical_field.reference(model, torch.randn(4, 1, 31, 31))
    assert int(field.any(0).sum()) == int(field.any(1).sum()) == size


def test_closed_form_and_gradient_agree_on_where_a_unit_looks():
    layers = [(3, 2, 1, 1), (3, 1, 2, 2), (3, 2, 1, 1)]
    size, jump, start = check.full_field.reference(layers)
    model = nn.Sequential(*[nn.Conv1d(1, 1, *layer) for layer in layers])
    unit = 4
    seen = reach.influence(model, torch.randn(1, 64), layout="CT", at=unit).nonzero().flatten()
    assert (seen.min(), seen.max()) == (start + unit * jump, start + unit * jump + size - 1)


# --- figures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layers", [[(3, 1)] * 3, [(3, 2)] * 3, [(5, 1, 0, 2)], [(1, 1)], [(2, 2), (3, 1)]])
def test_the_pyramid_lights_up_the_pixels_that_the_unit_sees(layers):
    ax = fields.plot_pyramid(layers)
    _, seen, *_ = ax.collections  # first the input, then what is seen of it
    field = reach.receptive_field(layers)
    positions = np.asarray(seen.get_offsets())[:, 0]
    assert (positions.min(), positions.max()) == (field.start, field.start + field.size - 1)
    assert str(field.size) in ax.get_title(loc="left") + ax.get_title()


def test_a_pyramid_does_not_go_on_below_padding():
    layers = [(3, 1, 1, 1)] * 4
    ax = fields.plot_pyramid(layers, image=3)
    drawn = np.concatenate([np.asarray(c.get_offsets()) for c in ax.collections if len(c.get_offsets())])
    assert drawn[:, 0].min() == -1
    assert drawn[:, 0].max() == 3


def test_a_pyramid_shows_the_unit_that_is_asked_for():
    ax = fields.plot_pyramid([(3, 2, 1, 1)] * 2, image=12, unit=1)
    _, seen, *_ = ax.collections
    pixels = np.asarray(seen.get_offsets())[:, 0]
    assert (pixels.min(), pixels.max()) == reach.receptive_field([(3, 2, 1)] * 2).interval(1)


def test_each_network_has_a_panel_with_its_reach():
    panels = fields.plot_by_distance({"near": [[1.0, 0.5], [0.9, 0.5]], "far": [[1.0, 1.0]]}, [1, 2], "who sees whom")
    assert [ax.get_title() for ax in panels.flat] == ["near", "far"]
    means, *runs, edge, guess = panels.flat[0].lines
    assert means.get_ydata().tolist() == [95, 50] and len(runs) == 2
    assert set(edge.get_xdata()) == {1.5} and set(guess.get_ydata()) == {50}


def test_a_field_is_drawn_on_a_scale_of_its_own_and_with_its_box():
    field = torch.zeros(9, 9)
    field[2:7, 2:7] = 1e-6
    ax = fields.plot_field(field, "a field", box=(2, 5))
    assert ax.images[0].get_array().max() == 1
    assert (ax.patches[0].get_xy(), ax.patches[0].get_width()) == ((1.5, 1.5), 5)


def test_words_without_influence_stay_white():
    influences = torch.tensor([[0.0, 0.2, 0.8], [0.1, 0.2, 0.7]])
    ax = maps.plot_influence_by_depth(influences, ["animal", "because", "it"], "animal", "it")
    assert ax.images[0].get_array().mask.tolist() == [[True, False, False], [False, False, False]]


# --- the layer builder --------------------------------------------------------------------------------------------


def press(button):
    button.click()


def test_the_numbers_of_the_layer_builder():
    rows = layer_builder.describe([(3, 2, 1, 1), (3, 1, 2, 2)], image=28, channels=16)
    assert rows[0] == layer_builder.Row(size=3, seen=3, jump=2, start=-1, side=14, parameters=16 * 10)
    assert rows[1] == layer_builder.Row(size=11, seen=9, jump=2, start=-5, side=14, parameters=16 * (16 * 9 + 1))


def test_the_builder_counts_holes():
    rows = layer_builder.describe([(1, 2, 0, 1), (3, 1, 0, 1)], 28, 16)
    assert (rows[1].size, rows[1].seen) == (5, 3)
    assert "sees 3 × 3 of 5 × 5 pixels" in layer_builder.summary(rows, 28)


def test_parameters_and_sides_are_those_of_the_module():
    layers, channels = [(5, 2, 1, 1), (3, 1, 1, 2), (2, 2, 0, 1)], 4
    convolutions = [
        nn.Conv2d(channels if number else 1, channels, kernel, stride, padding, dilation)
        for number, (kernel, stride, padding, dilation) in enumerate(layers)
    ]
    image = torch.zeros(1, 1, 30, 30)
    for row, convolution in zip(layer_builder.describe(layers, 30, channels), convolutions, strict=True):
        image = convolution(image)
        assert row.side == image.shape[-1]
        assert row.parameters == sum(weight.numel() for weight in convolution.parameters())


def test_a_field_larger_than_the_image_is_reported():
    small = [(3, 2, 1, 1)] * 2
    large = [(3, 2, 1, 1)] * 5
    for layers, told in ((small, False), (large, True)):
        text = layer_builder.summary(layer_builder.describe(layers, 28, 16), 28)
        assert ("larger than the image" in text) == told


def test_changes_in_the_layer_builder_reach_its_text():
    builder = layer_builder.LayerBuilder([(3, 1, 0, 1)] * 3)
    text = builder.children[-1]
    assert "sees 7 × 7" in text.value
    first = builder.children[1].children[0]
    kernel, stride, padding, dilation = first.children[1:-1]
    stride.value = 2
    assert "sees 11 × 11" in text.value
    dilation.value = 2
    assert "sees 7 × 7 of 13 × 13 pixels" in text.value  # a stride of 2 below a dilation of 2 leaves holes
    press(first.children[-1])
    assert builder.layers == [(3, 1, 0, 1)] * 2
    assert "sees 5 × 5" in text.value


def test_the_layer_builder_keeps_at_least_one_layer_and_at_most_eight():
    builder = layer_builder.LayerBuilder([(3, 1, 1, 1)])
    add = builder.children[0].children[-1]
    assert builder.children[1].children[0].children[-1].disabled
    while not add.disabled:
        press(add)
    assert len(builder.layers) == layer_builder.MOST_LAYERS
    assert not builder.children[1].children[0].children[-1].disabled


def test_a_kernel_that_does_not_fit_is_explained_and_can_be_put_right():
    builder = layer_builder.LayerBuilder([(3, 1, 0, 1)] * 2, image=5)
    kernel = builder.children[1].children[1].children[1]
    kernel.value = 7
    assert "layer 2 does not fit: its kernel spans 7 positions, and there are 3" in builder.children[-1].value
    kernel.value = 3
    assert "sees 5 × 5" in builder.children[-1].value


def test_the_layer_builder_is_shown_with_a_still_picture(monkeypatch):
    shown = []
    monkeypatch.setattr(layer_builder, "show", lambda *args: shown.append(args))
    layer_builder.layer_builder([(3, 2, 0, 1)] * 3)
    ((widget, still, alt, _),) = shown
    assert isinstance(widget, layer_builder.LayerBuilder)
    assert still.axes
    assert "15 × 15" in alt
