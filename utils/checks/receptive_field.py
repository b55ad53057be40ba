"""Exercises of lesson 03: the receptive field in closed form and by gradient, and the layers that a reach takes."""

import math

import torch
from torch import Tensor, nn

from utils.checking import exercise, uniform

# --- 3.1 receptive field ----------------------------------------------------------------------------------------


@exercise(
    lesson="03",
    points=2,
    hint="Two numbers travel up the stack: the size so far, and the jump between neighbouring units. Each layer reads the jump of the layer below.",
)
def receptive_field(layers):
    size, jump = 1, 1
    for kernel, stride in layers:
        size += (kernel - 1) * jump
        jump *= stride
    return size


@receptive_field.cases
def _(rng):
    yield ([(3, 1)],)
    yield ([(5, 1)],)
    yield ([(3, 2)],)
    yield ([(3, 1), (3, 1), (3, 1)],)
    yield ([(3, 2), (3, 2), (3, 2)],)
    yield ([(3, 2), (3, 1), (3, 1)],)
    yield ([(3, 1), (3, 1), (3, 2)],)
    for _ in range(30):
        length = int(rng.integers(1, 6))
        yield ([(int(rng.integers(1, 6)), int(rng.integers(1, 4))) for _ in range(length)],)


def _final_jump(layers) -> int:
    return math.prod(stride for _, stride in layers)


@receptive_field.mistake(
    "You multiplied the kernel sizes. That counts the paths from pixels to the unit, and neighbouring windows overlap: many paths share a pixel. A field grows by (kernel - 1) times the jump."
)
def kernels_multiplied(layers):
    return math.prod(kernel for kernel, _ in layers)


@receptive_field.mistake(
    "You summed the kernel sizes. A window that slides over a field adds kernel - 1 steps to it, and each step is one jump wide."
)
def kernels_summed(layers):
    return sum(kernel for kernel, _ in layers)


@receptive_field.mistake(
    "You updated the jump before the size grew, so each layer's own stride already counts. A layer grows by the distance between the units that it reads: grow first, then update the jump."
)
def jump_updated_before_growth(layers):
    size, jump = 1, 1
    for kernel, stride in layers:
        jump *= stride
        size += (kernel - 1) * jump
    return size


@receptive_field.mistake(
    "You ignored the strides. After a stride of 2, neighbouring units are two steps apart, and later layers grow in those wider steps."
)
def stride_ignored(layers):
    return 1 + sum(kernel - 1 for kernel, _ in layers)


@receptive_field.mistake(
    "You used the product of all strides for every layer. A layer's steps are the product of the strides below it, so the last stride never counts."
)
def last_stride_counted_in(layers):
    return 1 + sum((kernel - 1) * _final_jump(layers) for kernel, _ in layers)


@receptive_field.mistake(
    "You let each layer's stride replace the jump. Strides multiply: a stride of 2 on top of a stride of 2 makes steps of 4."
)
def jump_replaced(layers):
    size, jump = 1, 1
    for kernel, stride in layers:
        size += (kernel - 1) * jump
        jump = stride
    return size


@receptive_field.mistake(
    "You grew each layer by its own stride alone. A layer reads units that are as far apart as the product of all strides below it."
)
def own_stride_alone(layers):
    return 1 + sum((kernel - 1) * stride for kernel, stride in layers)


@receptive_field.mistake(
    "You added the strides to the jump. They multiply: a stride of 2 on top of a stride of 2 makes steps of 4."
)
def strides_added(layers):
    size, jump = 1, 1
    for kernel, stride in layers:
        size += (kernel - 1) * jump
        jump += stride
    return size


@receptive_field.mistake(
    "You grew the field by kernel times the jump. One of the kernel's taps falls on what was seen already: it adds kernel - 1 steps."
)
def grown_by_whole_kernels(layers):
    size, jump = 1, 1
    for kernel, stride in layers:
        size += kernel * jump
        jump *= stride
    return size


@receptive_field.mistake("Your size starts at 0. Before any layer a unit sees one pixel, itself: start at 1.")
def size_starts_at_zero(layers):
    return receptive_field.reference(layers) - 1


@receptive_field.mistake(
    "You read the list from the wrong end, or used the formula that runs from the last layer down on layers that come input side first."
)
def order_reversed(layers):
    return receptive_field.reference(layers[::-1])


@receptive_field.mistake(
    "Going down from the top, r units span (r - 1) · stride + kernel positions: there are steps between units, and none after the last. You took r · stride + kernel - 1."
)
def one_step_too_many_going_down(layers):
    size = 1
    for kernel, stride in reversed(layers):
        size = size * stride + kernel - 1
    return size


@receptive_field.mistake(
    "You wrote kernel - 1 * jump, which is kernel - (1 * jump). The steps are counted first: (kernel - 1) * jump."
)
def parentheses_missing(layers):
    size, jump = 1, 1
    for kernel, stride in layers:
        size += kernel - 1 * jump
        jump *= stride
    return size


@receptive_field.mistake(
    "Going down from the top, you began with no unit at all. Begin with 1: the unit whose field is asked for."
)
def no_unit_at_the_top(layers):
    size = 0
    for kernel, stride in reversed(layers):
        size = (size - 1) * stride + kernel
    return size


@receptive_field.mistake(
    "You multiplied the size by the stride on the way up. The stride widens the steps of later layers, not what has been seen so far."
)
def size_multiplied_by_stride(layers):
    size = 1
    for kernel, stride in layers:
        size = size * stride + kernel - 1
    return size


@receptive_field.mistake("The last layer is missing. Its stride does not count, but its kernel does.")
def last_layer_left_out(layers):
    return receptive_field.reference(layers[:-1])


@receptive_field.mistake(
    "You counted one side only. A kernel of 3 reaches one step to the left and one to the right: it adds kernel - 1 steps in all."
)
def one_side_only(layers):
    size, jump = 1, 1
    for kernel, stride in layers:
        size += (kernel - 1) // 2 * jump
        jump *= stride
    return size


@receptive_field.mistake(
    "You returned the jump, the distance between neighbouring units of the last layer. The size is asked for."
)
def jump_returned(layers):
    return _final_jump(layers)


@receptive_field.mistake("You returned size and jump. Only the size is asked for: one number.")
def size_and_jump_returned(layers):
    return receptive_field.reference(layers), _final_jump(layers)


@receptive_field.mistake("You returned the area. The side of the square is asked for.")
def area_returned(layers):
    return receptive_field.reference(layers) ** 2


@receptive_field.mistake(
    "You returned the size of the output. The question runs the other way: start from one unit of the last layer and ask how much of the input it sees."
)
def output_size_returned(layers, side=28):
    for kernel, stride in layers:
        side = (side - kernel) // stride + 1
    return side


# --- 3.2 size, jump and start -----------------------------------------------------------------------------------


@exercise(
    lesson="03",
    points=2,
    hint="Dilation spreads the taps of one kernel, padding moves the first window to the left. Both are counted in steps of this layer's input, and a step is one jump wide.",
)
def full_field(layers):
    size, jump, start = 1, 1, 0
    for kernel, stride, padding, dilation in layers:
        size += dilation * (kernel - 1) * jump
        start -= padding * jump
        jump *= stride
    return size, jump, start


@full_field.cases
def _(rng):
    yield ([(3, 1, 0, 1)],)
    yield ([(3, 1, 0, 2)],)
    yield ([(3, 1, 1, 1)],)
    yield ([(3, 2, 1, 1)],)
    yield ([(3, 2, 1, 1), (3, 1, 1, 1)],)
    yield ([(3, 1, 0, 1), (3, 1, 0, 2), (3, 1, 0, 4)],)
    for _ in range(30):
        yield ([_random_layer(rng) for _ in range(int(rng.integers(1, 5)))],)


def _random_layer(rng) -> tuple[int, int, int, int]:
    return tuple(int(rng.integers(low, high)) for low, high in [(1, 6), (1, 4), (0, 4), (1, 4)])


def _fold(layers, grow=None, shift=None, move=None) -> tuple[int, int, int]:
    """The recursion with one step replaced: each of the three gets (kernel, stride, padding, dilation, jump)."""
    size, jump, start = 1, 1, 0
    for layer in layers:
        kernel, stride, padding, dilation = layer
        size += grow(*layer, jump) if grow else dilation * (kernel - 1) * jump
        start -= shift(*layer, jump) if shift else padding * jump
        jump = move(*layer, jump) if move else jump * stride
    return size, jump, start


@full_field.mistake("You ignored the dilation: neighbouring taps of the kernel read units that are `dilation` apart.")
def dilation_ignored(layers):
    return _fold(layers, grow=lambda k, s, p, d, jump: (k - 1) * jump)


@full_field.mistake(
    "You stretched the kernel to dilation · kernel. There are kernel - 1 gaps between its taps, each `dilation` wide: it spans dilation · (kernel - 1) + 1."
)
def dilation_times_kernel(layers):
    return _fold(layers, grow=lambda k, s, p, d, jump: (d * k - 1) * jump)


@full_field.mistake("You added the dilation once. It stands in each of the kernel - 1 gaps between the taps: multiply.")
def dilation_added_once(layers):
    return _fold(layers, grow=lambda k, s, p, d, jump: (k - 1 + d - 1) * jump)


@full_field.mistake(
    "You multiplied the jump by the dilation. Dilation spreads the taps of one kernel; the next layer's units stand no further apart."
)
def dilation_moves_the_jump(layers):
    return _fold(layers, move=lambda k, s, p, d, jump: jump * s * d)


@full_field.mistake(
    "You updated the jump before size and start. Both are counted in steps of the units that the layer reads: update the jump last."
)
def jump_updated_first(layers):
    return _fold(
        layers,
        grow=lambda k, s, p, d, jump: d * (k - 1) * jump * s,
        shift=lambda k, s, p, d, jump: p * jump * s,
    )


@full_field.mistake(
    "The start moved after the jump was updated. Padding is counted in steps of the units that the layer reads: update the jump last."
)
def start_moved_after_the_jump(layers):
    return _fold(layers, shift=lambda k, s, p, d, jump: p * jump * s)


@full_field.mistake("You moved the start to the right. Padding lies before pixel 0, so the start goes below 0.")
def start_to_the_right(layers):
    size, jump, start = full_field.reference(layers)
    return size, jump, -start


@full_field.mistake(
    "You counted every padding in pixels. Padding before a later layer is counted in that layer's steps, which are one jump wide."
)
def padding_in_pixels(layers):
    return _fold(layers, shift=lambda k, s, p, d, jump: p)


@full_field.mistake("You counted the padding at both ends. Only what lies before pixel 0 moves the start.")
def padding_at_both_ends(layers):
    return _fold(layers, shift=lambda k, s, p, d, jump: 2 * p * jump)


@full_field.mistake("You ignored the padding: your start never moves.")
def padding_ignored(layers):
    return _fold(layers, shift=lambda k, s, p, d, jump: 0)


@full_field.mistake(
    "You added the padding to the size. Padding moves the window; it does not make it larger, and a unit reads as many positions as before."
)
def padding_added_to_the_size(layers):
    return _fold(layers, grow=lambda k, s, p, d, jump: (d * (k - 1) + 2 * p) * jump)


@full_field.mistake("You took padding off the size. The size counts positions in the padding too.")
def padding_taken_off_the_size(layers):
    return _fold(layers, grow=lambda k, s, p, d, jump: (d * (k - 1) - 2 * p) * jump)


@full_field.mistake("You ignored the strides: your jump stays 1.")
def strides_ignored(layers):
    return _fold(layers, move=lambda k, s, p, d, jump: jump)


@full_field.mistake("Your third number is the middle of the first window. The start is its first pixel.")
def centre_given_as_start(layers):
    size, jump, start = full_field.reference(layers)
    return size, jump, start + (size - 1) / 2


@full_field.mistake("Your third number is the last pixel of the first window. The start is its first pixel.")
def end_given_as_start(layers):
    size, jump, start = full_field.reference(layers)
    return size, jump, start + size - 1


@full_field.mistake("You guessed the start from the size. It depends on the padding alone.")
def start_guessed_from_the_size(layers):
    size, jump, _ = full_field.reference(layers)
    return size, jump, -(size // 2)


@full_field.mistake(
    "You multiplied the padding by the dilation. Dilation spreads the taps; padding counts single positions of the layer's input."
)
def dilation_moves_the_start(layers):
    return _fold(layers, shift=lambda k, s, p, d, jump: p * d * jump)


@full_field.mistake(
    "Your third number is the middle of the first window, with the first pixel's middle at 0.5, as in an older guide. The start is the window's first pixel, counted from 0."
)
def centre_of_an_older_guide(layers):
    size, jump, start = full_field.reference(layers)
    return size, jump, start + size / 2


@full_field.mistake("You returned a dict. Return the three numbers one after another: size, jump, start.")
def dict_returned(layers):
    return dict(zip(("size", "jump", "start"), full_field.reference(layers), strict=True))


@full_field.mistake("You returned the size alone. Return three numbers: size, jump, start.")
def size_alone(layers):
    return full_field.reference(layers)[0]


# --- 3.3 the field by gradient ----------------------------------------------------------------------------------


@exercise(
    lesson="03",
    points=3,
    hint="Pick the one unit of the output, sum it over the batch, and ask autograd for the gradient at the images. Take absolute values before any mean.",
)
def empirical_field(model, images):
    return _gradients(model, images).abs().mean(0)


@empirical_field.ask
def _(answer, model, images):
    return answer(_build(model), images)


@empirical_field.cases
def _(rng):
    yield "conv 3", torch.ones(1, 1, 5, 5)
    yield "conv 3, relu, conv 3", uniform(rng, 2, 1, 7, 7)
    for model in ("conv 3 stride 2, relu, conv 3", "conv 3 padding 1, relu, conv 3 dilation 2", "conv 2, relu, conv 3"):
        for _ in range(3):
            height = int(rng.integers(10, 14))
            yield model, uniform(rng, int(rng.integers(2, 5)), 1, height, height + 2)


def _build(text: str) -> nn.Sequential:
    """The model that a case describes, such as "conv 3 stride 2, relu": one channel out, four in between.

    torch's random numbers start from the same seed for every answer, and so do these weights.
    """
    steps = [step.split() for step in text.split(", ")]
    layers: list[nn.Module] = []
    channels = 1
    for number, (kind, *settings) in enumerate(steps):
        if kind == "relu":
            layers.append(nn.ReLU())
            continue
        kernel, *names = settings
        options = dict(zip(names[::2], map(int, names[1::2]), strict=True))
        outputs = 1 if number == len(steps) - 1 else 4
        layers.append(nn.Conv2d(channels, outputs, int(kernel), **options))
        channels = outputs
    return nn.Sequential(*layers)


def _gradients(model: nn.Module, images: Tensor, unit=None) -> Tensor:
    """Gradient (N, H, W) of one output unit of each image, or of what `unit` makes of the maps (N, h, w)."""
    inputs = images.detach().clone().requires_grad_()
    maps = model(inputs)[:, 0]
    height, width = maps.shape[1:]
    value = unit(maps) if unit else maps[:, height // 2, width // 2]
    return torch.autograd.grad(value.sum(), inputs)[0][:, 0]


@empirical_field.mistake(
    "You took the gradient of the whole output map. Each pixel reaches some unit, so all of them light up: pick one unit."
)
def all_units_at_once(model, images):
    return _gradients(model, images, lambda maps: maps).abs().mean(0)


@empirical_field.mistake(
    "You picked the unit in the corner. The middle one is asked for: row h // 2, column w // 2 of the output."
)
def corner_unit(model, images):
    return _gradients(model, images, lambda maps: maps[:, 0, 0]).abs().mean(0)


@empirical_field.mistake(
    "Your unit stands one step before the middle. Take row h // 2 and column w // 2, also where h or w is even."
)
def unit_before_the_middle(model, images):
    return (
        _gradients(model, images, lambda maps: maps[:, (maps.shape[1] - 1) // 2, (maps.shape[2] - 1) // 2])
        .abs()
        .mean(0)
    )


@empirical_field.mistake(
    "You looked for the middle by the size of the image. The output map is smaller: use its own height and width."
)
def middle_of_the_image(model, images):
    rows, columns = (side // 2 for side in images.shape[2:])
    return _gradients(model, images, lambda maps: maps[:, rows, columns]).abs().mean(0)


@empirical_field.mistake("Rows and columns of the unit are swapped: the output has shape (N, 1, h, w), rows first.")
def unit_with_swapped_axes(model, images):
    return _gradients(model, images, lambda maps: maps[:, maps.shape[2] // 2, maps.shape[1] // 2]).abs().mean(0)


@empirical_field.mistake(
    "You forgot the absolute value. A negative gradient is influence too, and in the mean it cancels a positive one."
)
def signs_kept(model, images):
    return _gradients(model, images).mean(0)


@empirical_field.mistake(
    "You took the absolute value after the mean. By then gradients of opposite sign have cancelled: abs first."
)
def absolute_value_too_late(model, images):
    return _gradients(model, images).mean(0).abs()


@empirical_field.mistake(
    "You took the absolute value of the sum over the images. Gradients of opposite sign cancel there: abs first, then the mean over the images."
)
def absolute_value_of_the_sum(model, images):
    return _gradients(model, images).sum(0).abs()


@empirical_field.mistake(
    "You took the gradient of the mean over all units of the output. Each pixel reaches some unit, so all of them light up: pick one unit."
)
def mean_of_all_units(model, images):
    return _gradients(model, images, lambda maps: maps / maps.numel()).abs().mean(0)


@empirical_field.mistake(
    "You averaged over the images twice: before you went back, and again at the end. Sum before, average after."
)
def averaged_twice(model, images):
    return _gradients(model, images).abs().mean(0) / len(images)


@empirical_field.mistake("You summed over the images. The mean is asked for, so that more images do not count more.")
def summed_over_images(model, images):
    return _gradients(model, images).abs().sum(0)


@empirical_field.mistake("You measured the first image alone. Take the mean over all of them.")
def first_image_alone(model, images):
    return _gradients(model, images[:1]).abs().mean(0)


@empirical_field.mistake("You squared the gradients. Their absolute values are asked for.")
def squared(model, images):
    return _gradients(model, images).square().mean(0)


@empirical_field.mistake(
    "You measured at an image of zeros. Which ReLUs let a gradient pass depends on the image: use the images that are given."
)
def measured_at_zero(model, images):
    return _gradients(model, torch.zeros_like(images)).abs().mean(0)


@empirical_field.mistake(
    "You measured at an image of your own, all ones. Which ReLUs let a gradient pass depends on the image: use the images that are given."
)
def measured_at_one(model, images):
    return _gradients(model, torch.ones_like(images)).abs().mean(0)


@empirical_field.mistake("You multiplied the gradient by the image. The gradient alone is asked for.")
def times_the_image(model, images):
    return (_gradients(model, images) * images[:, 0]).abs().mean(0)


@empirical_field.mistake("You scaled the map so that its largest value is 1. Return the gradients as they are.")
def scaled_to_one(model, images):
    field = _gradients(model, images).abs().mean(0)
    return field / field.max()


@empirical_field.mistake("You scaled the map so that it sums to 1. Return the gradients as they are.")
def scaled_to_sum_one(model, images):
    field = _gradients(model, images).abs().mean(0)
    return field / field.sum()


@empirical_field.mistake(
    "You returned which pixels are seen, as 0 and 1 or False and True. How strongly they are seen is asked for."
)
def seen_or_not(model, images):
    return (_gradients(model, images).abs().mean(0) > 0).float()


@empirical_field.mistake("You returned which pixels are seen, not how strongly. Leave out the comparison with zero.")
def seen_or_not_as_bool(model, images):
    return _gradients(model, images).abs().mean(0) > 0


@empirical_field.mistake("You kept the map of each image apart. Take the mean over the images: one map (H, W).")
def images_kept_apart(model, images):
    return _gradients(model, images).abs()


@empirical_field.mistake("You kept a channel dimension of size 1. One map of shape (H, W) is asked for.")
def channel_dimension_kept(model, images):
    return _gradients(model, images).abs().mean(0, keepdim=True)


@empirical_field.mistake("You kept batch and channel dimensions of size 1. One map of shape (H, W) is asked for.")
def batch_dimension_kept(model, images):
    return _gradients(model, images).abs().mean(0)[None, None]


@empirical_field.mistake("Rows and columns of your map are swapped: it has the shape of an image, (H, W).")
def map_transposed(model, images):
    return _gradients(model, images).abs().mean(0).T


@empirical_field.mistake("You returned the output of the model. The gradient at the images is asked for.")
def output_in_place_of_gradient(model, images):
    return model(images)[:, 0].abs().mean(0)


# --- 3.4 layers that a reach takes ------------------------------------------------------------------------------


@exercise(
    lesson="03",
    points=1,
    hint="Only one side counts: the unit stands in the middle of its field, and `distance` positions to its left must lie inside.",
)
def layers_needed(distance, kernel, growth=1):
    reach, dilation, layers = 0, 1, 0
    while reach < distance:
        reach += dilation * (kernel - 1) // 2
        dilation *= growth
        layers += 1
    return layers


@layers_needed.cases
def _(rng):
    yield 1, 3, 1
    yield 2, 3, 1
    yield 4, 5, 1
    yield 5, 5, 1
    yield 3, 3, 2
    yield 4, 3, 2
    yield 7, 3, 1
    yield 7, 3, 2
    for _ in range(30):
        yield int(rng.integers(1, 61)), int(rng.choice([3, 5, 7])), int(rng.integers(1, 4))


def _count(distance, step, growth=1, dilation=1) -> int:
    """How many layers it takes when a layer adds `step` positions times a dilation that grows."""
    reach, layers = 0, 0
    while reach < distance:
        reach += step * dilation
        dilation *= growth
        layers += 1
    return layers


@layers_needed.mistake(
    "You counted both sides of the window. Words on the right do not help to reach one on the left: a layer reaches (kernel - 1) / 2 · dilation positions to each side."
)
def both_sides_counted(distance, kernel, growth=1):
    return _count(distance, kernel - 1, growth)


@layers_needed.mistake(
    "You let a layer reach `kernel` positions. The tap in the middle reaches none, and half of the others look the wrong way: (kernel - 1) / 2 · dilation."
)
def whole_kernel_counted(distance, kernel, growth=1):
    return _count(distance, kernel, growth)


@layers_needed.mistake(
    "You stopped when the whole field is as wide as the distance. Half of it lies on the other side of the unit: only (size - 1) / 2 positions lie on the left."
)
def field_as_wide_as_the_distance(distance, kernel, growth=1):
    return _count(distance - 1, kernel - 1, growth)


@layers_needed.mistake("You ignored `growth`. Layer n has the dilation growth ** n, counted from 0.")
def growth_ignored(distance, kernel, growth=1):
    return _count(distance, (kernel - 1) // 2)


@layers_needed.mistake(
    "You added `growth` to the dilation from layer to layer. It multiplies: 1, growth, growth ** 2, and so on."
)
def growth_added(distance, kernel, growth=1):
    reach, dilation, layers = 0, 1, 0
    while reach < distance:
        reach += (kernel - 1) // 2 * dilation
        dilation += growth - 1
        layers += 1
    return layers


@layers_needed.mistake("Your first layer is dilated already. The first layer has dilation growth ** 0, which is 1.")
def first_layer_dilated(distance, kernel, growth=1):
    return _count(distance, (kernel - 1) // 2, growth, dilation=growth)


@layers_needed.mistake("You stopped when the last layer alone spans the distance. What the layers below reach adds up.")
def last_layer_alone(distance, kernel, growth=1):
    if growth == 1:
        return layers_needed.reference(distance, kernel, growth)
    layers = 1
    while growth ** (layers - 1) * ((kernel - 1) // 2) < distance:
        layers += 1
    return layers


@layers_needed.mistake("You rounded down. If the last layer is needed in part, it is needed.")
def rounded_down(distance, kernel, growth=1):
    exact = layers_needed.reference(distance, kernel, growth)
    return exact if layers_needed.reference(distance + 1, kernel, growth) > exact else exact - 1


@layers_needed.mistake(
    "You have one layer too many where the reach fits exactly. A reach equal to the distance is enough: mind `<` and `<=`."
)
def exact_fit_refused(distance, kernel, growth=1):
    return layers_needed.reference(distance + 1, kernel, growth)


@layers_needed.mistake(
    "You counted the words between the two. The distance is the difference of the positions, one more than the words between."
)
def words_between(distance, kernel, growth=1):
    return layers_needed.reference(distance - 1, kernel, growth)


@layers_needed.mistake(
    "You have one layer too many: you counted the input as a layer, or counted once more after the loop."
)
def input_counted_as_a_layer(distance, kernel, growth=1):
    return layers_needed.reference(distance, kernel, growth) + 1


@layers_needed.mistake("You returned how far the stack reaches. The number of layers is asked for.")
def reach_returned(distance, kernel, growth=1):
    layers = layers_needed.reference(distance, kernel, growth)
    return sum(growth**layer * (kernel - 1) // 2 for layer in range(layers))


@layers_needed.mistake("You returned the size of the field. The number of layers is asked for.")
def size_returned(distance, kernel, growth=1):
    return 2 * reach_returned(distance, kernel, growth) + 1


@layers_needed.mistake("You divided with /, which leaves a fraction. Layers are whole: round up.")
def not_rounded(distance, kernel, growth=1):
    step = (kernel - 1) / 2
    return distance / step if growth == 1 else math.log(distance * (growth - 1) / step + 1, growth)
