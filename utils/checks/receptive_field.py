"""Exercises of lesson 03: the field in closed form, pixel by pixel and by gradient; the layers that a reach takes."""

import math
from typing import Any

import torch
from torch import nn

from utils.checking import Lesson, uniform

lesson = Lesson("03", __name__)

# --- 3.1 receptive field ----------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="Two numbers change on the way up: the size so far, and the jump between neighbouring units. A kernel of 3 takes two steps from its first tap to its last. How long is one step?",
)
def receptive_field(layers):
    """Side of the field, in input pixels, of a stack of (kernel, stride) layers, input side first: a whole number."""
    first, last = 0, 0
    for kernel, stride in reversed(layers):
        first, last = first * stride, last * stride + kernel - 1
    return last - first + 1


@receptive_field.cases
def _(rng):
    for layers in ([(3, 1)], [(5, 1)], [(3, 2)], [(3, 1)] * 3, [(3, 2)] * 3, [(3, 2), (3, 1), (3, 1)]):
        yield dict(layers=layers)
    yield dict(layers=[(3, 1), (3, 1), (3, 2)])
    yield dict(layers=[(1, 1)])
    yield dict(layers=[(1, 2), (2, 1)])
    yield dict(layers=[(4, 2), (2, 3)])
    for _ in range(30):
        length = int(rng.integers(1, 6))
        yield dict(layers=[(int(rng.integers(1, 6)), int(rng.integers(1, 4))) for _ in range(length)])


@receptive_field.recipe
def _(layers, size=1, grow=lambda k, s, jump: (k - 1) * jump, move=lambda s, jump: jump * s, early=False):
    jump = 1
    for kernel, stride in layers:
        before, jump = jump, move(stride, jump)
        size += grow(kernel, stride, jump if early else before)
    return size


def _from_the_top(layers, size, span):
    """The recursion that runs from the last layer down: `size` units of a layer span so many of the one below."""
    for kernel, stride in reversed(layers):
        size = span(size, kernel, stride)
    return size


def _jump(layers) -> int:
    return math.prod(stride for _, stride in layers)


receptive_field.wrong("kernels_multiplied", lambda layers: math.prod(kernel for kernel, _ in layers)).says(
    "You multiplied the kernel sizes. That counts the paths from pixels to the unit, and neighbouring windows overlap: many paths share a pixel. A field grows by (kernel - 1) times the jump."
)
receptive_field.slip("kernels_summed", size=0, grow=lambda k, s, jump: k).says(
    "You summed the kernel sizes. A window that slides over a field adds kernel - 1 steps to it, and each step is one jump wide."
)
receptive_field.slip("jump_updated_before_growth", early=True).says(
    "You updated the jump before the size grew, so each layer's own stride already counts. A layer grows by the distance between the units that it reads: grow first, then update the jump."
)
receptive_field.slip("stride_ignored", move=lambda s, jump: 1).says(
    "You ignored the strides. After a stride of 2, neighbouring units are two steps apart, and later layers grow in those wider steps."
)
receptive_field.wrong(
    "last_stride_counted_in", lambda layers: 1 + sum((kernel - 1) * _jump(layers) for kernel, _ in layers)
).says(
    "You used the product of all strides for every layer. A layer's steps are the product of the strides below it, so the last stride never counts."
)
receptive_field.slip("jump_replaced", move=lambda s, jump: s).says(
    "You let each layer's stride replace the jump. Strides multiply: a stride of 2 on top of a stride of 2 makes steps of 4."
)
receptive_field.slip("own_stride_alone", grow=lambda k, s, jump: (k - 1) * s).says(
    "You grew each layer by its own stride alone. A layer reads units that are as far apart as the product of all strides below it."
)
receptive_field.slip("strides_added", move=lambda s, jump: jump + s).says(
    "You added the strides to the jump. They multiply: a stride of 2 on top of a stride of 2 makes steps of 4."
)
receptive_field.slip("grown_by_whole_kernels", grow=lambda k, s, jump: k * jump).says(
    "You grew the field by kernel times the jump. One of the kernel's taps falls on what was seen already: it adds kernel - 1 steps."
)
receptive_field.slip("size_starts_at_zero", size=0).says(
    "Your size starts at 0. Before any layer a unit sees one pixel, itself: start at 1."
)
receptive_field.wrong("order_reversed", lambda layers: receptive_field.reference(layers[::-1])).says(
    "You read the list from the wrong end, or used the formula that runs from the last layer down on layers that come input side first."
)
receptive_field.wrong(
    "kernel_and_stride_swapped",
    lambda layers: receptive_field.reference([(stride, kernel) for kernel, stride in layers]),
).says("You read each pair as (stride, kernel). It is (kernel, stride).")
receptive_field.wrong(
    "one_step_too_many_going_down", lambda layers: _from_the_top(layers, 1, lambda r, k, s: r * s + k - 1)
).says(
    "Going down from the top, r units span (r - 1) · stride + kernel positions: there are steps between units, and none after the last. You took r · stride + kernel - 1."
)
receptive_field.slip("parentheses_missing", grow=lambda k, s, jump: k - 1 * jump).says(
    "You wrote kernel - 1 * jump, which is kernel - (1 * jump). The steps are counted first: (kernel - 1) * jump."
)
receptive_field.wrong(
    "no_unit_at_the_top", lambda layers: _from_the_top(layers, 0, lambda r, k, s: (r - 1) * s + k)
).says("Going down from the top, you began with no unit at all. Begin with 1: the unit whose field is asked for.")
receptive_field.wrong(
    "size_multiplied_by_stride", lambda layers: _from_the_top(layers[::-1], 1, lambda r, k, s: r * s + k - 1)
).says(
    "You multiplied the size by the stride on the way up. The stride widens the steps of later layers, not what has been seen so far."
)
receptive_field.wrong("last_layer_left_out", lambda layers: receptive_field.reference(layers[:-1])).says(
    "The last layer is missing. Its stride does not count, but its kernel does."
)
receptive_field.slip("one_side_only", grow=lambda k, s, jump: (k - 1) // 2 * jump).says(
    "You counted one side only. A kernel of 3 reaches one step to the left and one to the right: it adds kernel - 1 steps in all."
)
receptive_field.wrong("jump_returned", _jump).says(
    "You returned the jump, the distance between neighbouring units of the last layer. The size is asked for."
)
receptive_field.wrong("size_and_jump_returned", lambda layers: (receptive_field.reference(layers), _jump(layers))).says(
    "You returned size and jump. Only the size is asked for: one number."
)
receptive_field.wrong("area_returned", lambda layers: receptive_field.reference(layers) ** 2).says(
    "You returned the area. The side of the square is asked for."
)
receptive_field.wrong(
    "output_size_returned", lambda layers: _from_the_top(layers[::-1], 28, lambda side, k, s: (side - k) // s + 1)
).says(
    "You returned the size of the output. The question runs the other way: start from one unit of the last layer and ask how much of the input it sees."
)


# --- 3.2 size, jump and start -----------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="Dilation spreads the taps of one kernel, padding moves the first window to the left. Both are counted in steps of this layer's input, and a step is one jump wide.",
    returns=("size", "jump", "start"),
)
def full_field(layers):
    """Size, jump and start of the field of a stack of (kernel, stride, padding, dilation): three whole numbers."""
    first, last = 0, 0
    for kernel, stride, padding, dilation in reversed(layers):
        first, last = first * stride - padding, last * stride - padding + dilation * (kernel - 1)
    return last - first + 1, math.prod(stride for _, stride, *_ in layers), first


@full_field.cases
def _(rng):
    for layer in [(3, 1, 0, 1), (3, 1, 0, 2), (3, 1, 1, 1), (3, 2, 1, 1), (2, 1, 0, 1), (2, 1, 0, 2), (5, 1, 0, 1)]:
        yield dict(layers=[layer])
    yield dict(layers=[(3, 2, 1, 1), (3, 1, 1, 1)])
    yield dict(layers=[(3, 2, 0, 1), (3, 2, 1, 1)])
    yield dict(layers=[(3, 1, 0, 1), (3, 1, 0, 2), (3, 1, 0, 4)])
    for _ in range(30):
        yield dict(layers=[_random_layer(rng) for _ in range(int(rng.integers(1, 5)))])


def _random_layer(rng) -> tuple[int, int, int, int]:
    limits = [(1, 6), (1, 4), (0, 4), (1, 4)]
    kernel, stride, padding, dilation = (int(rng.integers(low, high)) for low, high in limits)
    return kernel, stride, padding, dilation


@full_field.recipe
def _(
    layers,
    grow=lambda k, s, p, d, jump: d * (k - 1) * jump,
    shift=lambda k, s, p, d, jump: p * jump,
    move=lambda k, s, p, d, jump: jump * s,
    third=lambda size, start: start,
    give=lambda *numbers: numbers,
):
    size, jump, start = 1, 1, 0
    for layer in layers:
        size += grow(*layer, jump)
        start -= shift(*layer, jump)
        jump = move(*layer, jump)
    return give(size, jump, third(size, start))


full_field.slip("dilation_ignored", grow=lambda k, s, p, d, jump: (k - 1) * jump).says(
    "You ignored the dilation: neighbouring taps of the kernel read units that are `dilation` apart."
)
full_field.slip("dilation_times_kernel", grow=lambda k, s, p, d, jump: (d * k - 1) * jump).says(
    "You stretched the kernel to dilation · kernel. There are kernel - 1 gaps between its taps, each `dilation` wide: it spans dilation · (kernel - 1) + 1."
)
full_field.slip("dilation_added_once", grow=lambda k, s, p, d, jump: (k - 1 + d - 1) * jump).says(
    "You added the dilation once. It stands in each of the kernel - 1 gaps between the taps: multiply."
)
full_field.slip("dilation_moves_the_jump", move=lambda k, s, p, d, jump: jump * s * d).says(
    "You multiplied the jump by the dilation. Dilation spreads the taps of one kernel; the next layer's units stand no further apart."
)
full_field.slip(
    "jump_updated_first",
    grow=lambda k, s, p, d, jump: d * (k - 1) * jump * s,
    shift=lambda k, s, p, d, jump: p * jump * s,
).says(
    "You updated the jump before size and start. Both are counted in steps of the units that the layer reads: update the jump last."
)
full_field.slip("start_moved_after_the_jump", shift=lambda k, s, p, d, jump: p * jump * s).says(
    "The start moved after the jump was updated. Padding is counted in steps of the units that the layer reads: update the jump last."
)
full_field.slip("start_to_the_right", third=lambda size, start: -start).says(
    "You moved the start to the right. Padding lies before pixel 0, so the start goes below 0."
)
full_field.slip("padding_in_pixels", shift=lambda k, s, p, d, jump: p).says(
    "You counted every padding in pixels. Padding before a later layer is counted in that layer's steps, which are one jump wide."
)
full_field.slip("padding_at_both_ends", shift=lambda k, s, p, d, jump: 2 * p * jump).says(
    "You counted the padding at both ends. Only what lies before pixel 0 moves the start."
)
full_field.slip("padding_ignored", shift=lambda k, s, p, d, jump: 0).says(
    "Your start is always 0. Padding moves it below 0: it may be negative, and is not cut off."
)
full_field.slip("padding_added_to_the_size", grow=lambda k, s, p, d, jump: (d * (k - 1) + 2 * p) * jump).says(
    "You added the padding to the size. Padding moves the window; it does not make it larger, and a unit reads as many positions as before."
)
full_field.slip("padding_taken_off_the_size", grow=lambda k, s, p, d, jump: (d * (k - 1) - 2 * p) * jump).says(
    "You took padding off the size. The size counts positions in the padding too."
)
full_field.slip("strides_ignored", move=lambda k, s, p, d, jump: jump).says(
    "You ignored the strides: your jump stays 1."
)
full_field.slip("centre_given_as_start", third=lambda size, start: start + (size - 1) / 2).says(
    "Your third number is the middle of the first window. The start is its first pixel."
)
full_field.slip("end_given_as_start", third=lambda size, start: start + size - 1).says(
    "Your third number is the last pixel of the first window. The start is its first pixel."
)
full_field.slip("start_guessed_from_the_size", third=lambda size, start: -(size // 2)).says(
    "You guessed the start from the size. It depends on the padding alone."
)
full_field.slip("start_off_by_a_half", third=lambda size, start: start + 0.5).says(
    "Your start lies half a pixel beside the right one. The start is the first pixel of the window, and pixels are counted from 0."
)
full_field.slip("dilation_moves_the_start", shift=lambda k, s, p, d, jump: p * d * jump).says(
    "You multiplied the padding by the dilation. Dilation spreads the taps; padding counts single positions of the layer's input."
)
full_field.slip("centre_of_an_older_guide", third=lambda size, start: start + size / 2).says(
    "Your third number is the middle of the first window, with the first pixel's middle at 0.5, as in an older guide. The start is the window's first pixel, counted from 0."
)
full_field.slip("dict_returned", give=lambda size, jump, start: dict(size=size, jump=jump, start=start)).says(
    "You returned a dict. Return the three numbers one after another: size, jump, start."
)
full_field.slip("size_alone", give=lambda size, jump, start: size).says(
    "You returned the size alone. Return three numbers: size, jump, start."
)
full_field.slip("jump_before_size", give=lambda size, jump, start: (jump, size, start)).says(
    "Your numbers come in another order: first the jump, then the size. Return size, jump, start."
)


# --- 3.3 the pixels behind the box ------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="Walk down from the top, one layer at a time. Unit u of a layer reads `kernel` positions, `dilation` apart, from u * stride on. Keep each position once.",
)
def seen_pixels(layers):
    """Pixels that unit 0 of a stack of (kernel, stride, dilation) sees, input side first: a sorted list of ints."""
    pixels, jump = {0}, 1
    for kernel, stride, dilation in layers:  # on the way up, each tap moves what is seen by a whole number of jumps
        pixels = {pixel + tap * dilation * jump for pixel in pixels for tap in range(kernel)}
        jump *= stride
    return sorted(pixels)


@seen_pixels.cases
def _(rng):
    for layers in ([(3, 1, 1)], [(3, 1, 2)], [(3, 2, 1)], [(2, 1, 3)], [(3, 1, 1)] * 2, [(3, 1, 2)] * 2):
        yield dict(layers=layers)
    yield dict(layers=[(3, 2, 1), (3, 1, 1)])
    yield dict(layers=[(2, 3, 1), (2, 1, 1)])  # a stride that is larger than the kernel leaves a hole
    yield dict(layers=[(2, 1, 2), (2, 1, 1)])
    yield dict(layers=[(2, 2, 1), (3, 1, 2)])
    yield dict(layers=[(3, 1, 1), (3, 1, 2), (3, 1, 4)])
    for _ in range(20):
        length = int(rng.integers(1, 4))
        yield dict(layers=[tuple(int(rng.integers(1, 4)) for _ in range(3)) for _ in range(length)])


@seen_pixels.recipe
def _(
    layers,
    order=lambda layers: layers[::-1],
    read=lambda unit, tap, stride, dilation: unit * stride + tap * dilation,
    first_tap=lambda kernel: 0,
    collect=set,
    give=sorted,
):
    seen = [0]
    for kernel, stride, dilation in order(layers):
        taps = range(first_tap(kernel), first_tap(kernel) + kernel)
        seen = collect(read(unit, tap, stride, dilation) for unit in seen for tap in taps)
    return give(seen)


@seen_pixels.finding
def _(seen, layers):
    right = isinstance(seen, list) and seen != sorted(seen) and sorted(seen) == seen_pixels.reference(layers)
    return "These are the right pixels, in another order. Return sorted(…)." if right else None


receptive_field.wrong(
    "pixels_counted", lambda layers: len(seen_pixels.reference([(kernel, stride, 1) for kernel, stride in layers]))
).says(
    "You counted the pixels that are seen. Where a stride is larger than the kernel, some in between are skipped: the side goes from the first to the last, max - min + 1."
)
seen_pixels.slip("order_reversed", order=lambda layers: layers).says(
    "You walked from the first layer of the list on. The unit is at the top: begin with the last layer and end at the pixels."
)
seen_pixels.slip("dilation_ignored", read=lambda unit, tap, stride, dilation: unit * stride + tap).says(
    "You ignored the dilation: neighbouring taps read positions that are `dilation` apart."
)
seen_pixels.slip("stride_ignored", read=lambda unit, tap, stride, dilation: unit + tap * dilation).says(
    "You ignored the stride: the window of unit u begins at u * stride."
)
seen_pixels.slip("tap_times_stride", read=lambda unit, tap, stride, dilation: unit + tap * dilation * stride).says(
    "You multiplied the taps by the stride. The stride moves the whole window: it begins at u * stride, and the taps are `dilation` apart."
)
seen_pixels.slip("unit_times_dilation", read=lambda unit, tap, stride, dilation: (unit * stride + tap) * dilation).says(
    "You multiplied the unit by the dilation as well. Dilation moves the taps apart, not the windows: u * stride + tap * dilation."
)
seen_pixels.slip("paths_kept_apart", collect=list).says(
    "Some of your pixels come several times, once for each path. Keep each pixel once, as a set does."
)
seen_pixels.slip("window_around_the_unit", first_tap=lambda kernel: -(kernel // 2)).says(
    "You put the window around the unit. There is no padding here: the first tap of unit u reads position u * stride."
)
seen_pixels.slip("box_returned", give=lambda seen: list(range(max(seen) + 1))).says(
    "You returned the whole box, from the first pixel to the last. Leave out the pixels without a path."
)
seen_pixels.slip("holes_returned", give=lambda seen: sorted(set(range(max(seen) + 1)) - set(seen))).says(
    "You returned the holes. The pixels that are seen are asked for."
)
seen_pixels.slip("number_returned", give=len).says(
    "You returned how many pixels are seen. Return the pixels themselves, as a sorted list."
)
seen_pixels.slip("flags_returned", give=lambda seen: [int(pixel in seen) for pixel in range(max(seen) + 1)]).says(
    "You returned a 1 or a 0 for each pixel of the box. Return the positions of the pixels that are seen."
)
seen_pixels.slip("descending", give=lambda seen: sorted(seen, reverse=True)).says(
    "Your pixels come in descending order. Sort them in ascending order."
)
seen_pixels.wrong("last_layer_alone", lambda layers: seen_pixels.reference(layers[-1:])).says(
    "You returned what the last layer reads, which are units of the layer below. Walk on down to the pixels."
)


# --- 3.4 the field by gradient ----------------------------------------------------------------------------------


@lesson.exercise(
    points=3,
    hint="Pick the one unit of the output, sum it over the batch, and ask autograd for the gradient at the images. Take absolute values before any mean.",
)
def empirical_field(model, images):
    """Absolute gradient of the middle unit, averaged over the images: (N, 1, H, W) in, (H, W) out."""

    def middle(images):
        output = model(images)
        return output[:, 0, output.shape[2] // 2, output.shape[3] // 2].sum()

    return torch.autograd.functional.jacobian(middle, images).abs().mean((0, 1))


@empirical_field.ask
def _(answer, model, images):
    return answer(_build(model), images)


@empirical_field.cases
def _(rng):
    yield "conv 3", torch.ones(1, 1, 5, 5)
    yield "conv 3", torch.tensor([1.0, 2.0]).reshape(2, 1, 1, 1).expand(2, 1, 4, 4).clone()
    yield "conv 3, relu, conv 3", uniform(rng, 2, 1, 7, 7)
    for model in ("conv 3 stride 2, relu, conv 3", "conv 3 padding 1, relu, conv 3 dilation 2", "conv 2, relu, conv 3"):
        height = int(rng.integers(10, 12))
        yield model, uniform(rng, 2, 1, height, height + 2)
        yield model, uniform(rng, 3, 1, height + 1, height + 3)


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
        options: dict[str, Any] = dict(zip(names[::2], map(int, names[1::2]), strict=True))
        outputs = 1 if number == len(steps) - 1 else 4
        layers.append(nn.Conv2d(channels, outputs, int(kernel), **options))
        channels = outputs
    return nn.Sequential(*layers)


@empirical_field.recipe
def _(
    model, images,
    unit=lambda maps: maps[:, maps.shape[1] // 2, maps.shape[2] // 2],
    at=lambda images: images,
    reduce=lambda gradients: gradients.abs().mean(0),
    after=lambda field: field,
):  # fmt: skip
    """`unit` picks from the maps (N, h, w), `reduce` makes one field (H, W) of the gradients (N, H, W)."""
    inputs = at(images).detach().clone().requires_grad_()
    value = unit(model(inputs)[:, 0])
    return after(reduce(torch.autograd.grad(value.sum(), inputs)[0][:, 0]))


empirical_field.slip("all_units_at_once", unit=lambda maps: maps).says(
    "You took the gradient of the whole output map. Each pixel reaches some unit, so all of them light up: pick one unit."
)
empirical_field.slip("corner_unit", unit=lambda maps: maps[:, 0, 0]).says(
    "You picked the unit in the corner. The middle one is asked for: row h // 2, column w // 2 of the output."
)
empirical_field.slip(
    "unit_before_the_middle", unit=lambda maps: maps[:, (maps.shape[1] - 1) // 2, (maps.shape[2] - 1) // 2]
).says("Your unit stands one step before the middle. Take row h // 2 and column w // 2, also where h or w is even.")
empirical_field.slip("unit_with_swapped_axes", unit=lambda maps: maps[:, maps.shape[2] // 2, maps.shape[1] // 2]).says(
    "Rows and columns of the unit are swapped: the output has shape (N, 1, h, w), rows first."
)
empirical_field.slip("mean_of_all_units", unit=lambda maps: maps / maps.numel()).says(
    "You took the gradient of the mean over all units of the output. Each pixel reaches some unit, so all of them light up: pick one unit."
)
empirical_field.slip("signs_kept", reduce=lambda gradients: gradients.mean(0)).says(
    "You forgot the absolute value. A negative gradient is influence too, and in the mean it cancels a positive one."
)
empirical_field.slip("absolute_value_too_late", reduce=lambda gradients: gradients.mean(0).abs()).says(
    "You took the absolute value after the mean. By then gradients of opposite sign have cancelled: abs first."
)
empirical_field.slip("absolute_value_of_the_sum", reduce=lambda gradients: gradients.sum(0).abs()).says(
    "You took the absolute value of the sum over the images. Gradients of opposite sign cancel there: abs first, then the mean over the images."
)
empirical_field.slip("averaged_twice", reduce=lambda gradients: gradients.abs().mean(0) / len(gradients)).says(
    "You averaged over the images twice: before you went back, and again at the end. Sum before, average after."
)
empirical_field.slip("summed_over_images", reduce=lambda gradients: gradients.abs().sum(0)).says(
    "You summed over the images. The mean is asked for, so that more images do not count more."
)
empirical_field.slip("first_image_alone", reduce=lambda gradients: gradients[0].abs()).says(
    "You measured the first image alone. Take the mean over all of them."
)
empirical_field.slip("largest_over_images", reduce=lambda gradients: gradients.abs().amax(0)).says(
    "You took the largest value over the images. The mean is asked for."
)
empirical_field.slip("squared", reduce=lambda gradients: gradients.square().mean(0)).says(
    "You squared the gradients. Their absolute values are asked for."
)
empirical_field.slip("images_kept_apart", reduce=lambda gradients: gradients.abs()).says(
    "You kept the map of each image apart. Take the mean over the images: one map (H, W)."
)
empirical_field.slip("measured_at_zero", at=torch.zeros_like).says(
    "You measured at an image of zeros. Which ReLUs let a gradient pass depends on the image: use the images that are given."
)
empirical_field.slip("measured_at_one", at=torch.ones_like).says(
    "You measured at an image of your own, all ones. Which ReLUs let a gradient pass depends on the image: use the images that are given."
)
empirical_field.slip("scaled_to_one", after=lambda field: field / field.max()).says(
    "You scaled the map so that its largest value is 1. Return the gradients as they are."
)
empirical_field.slip("scaled_to_sum_one", after=lambda field: field / field.sum()).says(
    "You scaled the map so that it sums to 1. Return the gradients as they are."
)
empirical_field.slip("seen_or_not", after=lambda field: (field > 0).float()).says(
    "You returned which pixels are seen, as 0 and 1 or False and True. How strongly they are seen is asked for."
)
empirical_field.slip("seen_or_not_as_bool", after=lambda field: field > 0).says(
    "You returned which pixels are seen, not how strongly. Leave out the comparison with zero."
)
empirical_field.slip("channel_dimension_kept", after=lambda field: field[None]).says(
    "You kept a channel dimension of size 1. One map of shape (H, W) is asked for."
)
empirical_field.slip("batch_dimension_kept", after=lambda field: field[None, None]).says(
    "You kept batch and channel dimensions of size 1. One map of shape (H, W) is asked for."
)
empirical_field.slip("map_transposed", after=lambda field: field.T).says(
    "Rows and columns of your map are swapped: it has the shape of an image, (H, W)."
)
empirical_field.wrong(
    "middle_of_the_image",
    lambda model, images: empirical_field.variant(
        unit=lambda maps: maps[:, images.shape[2] // 2, images.shape[3] // 2]
    )(model, images),
).says("You looked for the middle by the size of the image. The output map is smaller: use its own height and width.")
empirical_field.wrong(
    "times_the_image",
    lambda model, images: empirical_field.variant(reduce=lambda gradients: (gradients * images[:, 0]).abs().mean(0))(
        model, images
    ),
).says("You multiplied the gradient by the image. The gradient alone is asked for.")
empirical_field.wrong("output_in_place_of_gradient", lambda model, images: model(images)[:, 0].abs().mean(0)).says(
    "You returned the output of the model. The gradient at the images is asked for."
)


# --- 3.5 layers that a reach takes ------------------------------------------------------------------------------


@lesson.exercise(
    points=1,
    hint="Only one side counts: the unit stands in the middle of its field, and `distance` positions to its left must lie inside.",
)
def layers_needed(distance, kernel, growth=1):
    """Fewest layers of an odd `kernel`, dilated 1, growth, growth², …, that reach `distance` to one side: an int."""
    layers = 0
    while sum(growth**layer * (kernel // 2) for layer in range(layers)) < distance:
        layers += 1
    return layers


@layers_needed.cases
def _(rng):
    for distance, kernel, growth in [(1, 3, 1), (2, 3, 1), (3, 3, 1), (4, 5, 1), (5, 5, 1), (7, 3, 1), (3, 3, 2)]:
        yield distance, kernel, growth
    for distance, kernel, growth in [(1, 5, 2), (4, 3, 2), (6, 5, 2), (7, 3, 2), (8, 3, 2), (4, 3, 3), (5, 3, 3)]:
        yield distance, kernel, growth
    for _ in range(30):
        yield int(rng.integers(1, 61)), int(rng.choice([3, 5, 7])), int(rng.integers(1, 4))


@layers_needed.recipe
def _(
    distance, kernel, growth=1,
    step=lambda kernel: (kernel - 1) // 2,
    first=lambda growth: 1,
    widen=lambda dilation, growth: dilation * growth,
    goal=0,
    give=lambda layers, reach: layers,
):  # fmt: skip
    reach, layers, dilation = 0, 0, first(growth)
    while reach < distance + goal:
        reach += step(kernel) * dilation
        dilation = widen(dilation, growth)
        layers += 1
    return give(layers, reach)


def _last_layer_alone(distance, kernel, growth=1):
    if growth == 1:
        return layers_needed.reference(distance, kernel, growth)
    layers = 1
    while growth ** (layers - 1) * (kernel // 2) < distance:
        layers += 1
    return layers


def _rounded_down(distance, kernel, growth=1):
    exact = layers_needed.reference(distance, kernel, growth)
    return exact if layers_needed.reference(distance + 1, kernel, growth) > exact else exact - 1


def _not_rounded(distance, kernel, growth=1):
    step = (kernel - 1) / 2
    return distance / step if growth == 1 else math.log(distance * (growth - 1) / step + 1, growth)


layers_needed.slip("both_sides_counted", step=lambda kernel: kernel - 1).says(
    "You counted both sides of the window. Words on the right do not help to reach one on the left: a layer reaches (kernel - 1) / 2 · dilation positions to each side."
)
layers_needed.slip("whole_kernel_counted", step=lambda kernel: kernel).says(
    "You let a layer reach `kernel` positions. The tap in the middle reaches none, and half of the others look the wrong way: (kernel - 1) / 2 · dilation."
)
layers_needed.slip("field_as_wide_as_the_distance", step=lambda kernel: kernel - 1, goal=-1).says(
    "You stopped when the whole field is as wide as the distance. Half of it lies on the other side of the unit: only (size - 1) / 2 positions lie on the left."
)
layers_needed.slip("growth_ignored", widen=lambda dilation, growth: 1).says(
    "You ignored `growth`. Layer n has the dilation growth ** n, counted from 0."
)
layers_needed.slip("growth_added", widen=lambda dilation, growth: dilation + growth - 1).says(
    "You added `growth` to the dilation from layer to layer. It multiplies: 1, growth, growth ** 2, and so on."
)
layers_needed.slip("first_layer_dilated", first=lambda growth: growth).says(
    "Your first layer is dilated already. The first layer has dilation growth ** 0, which is 1."
)
layers_needed.slip("exact_fit_refused", goal=1).says(
    "You have one layer too many where the reach fits exactly. A reach equal to the distance is enough: mind `<` and `<=`."
)
layers_needed.slip("words_between", goal=-1).says(
    "You counted the words between the two. The distance is the difference of the positions, one more than the words between."
)
layers_needed.slip("input_counted_as_a_layer", give=lambda layers, reach: layers + 1).says(
    "You have one layer too many: you counted the input as a layer, or counted once more after the loop."
)
layers_needed.slip("one_layer_too_few", give=lambda layers, reach: layers - 1).says(
    "You have one layer too few. Count the layer that reaches the distance, too."
)
layers_needed.slip("reach_returned", give=lambda layers, reach: reach).says(
    "You returned how far the stack reaches. The number of layers is asked for."
)
layers_needed.slip("size_returned", give=lambda layers, reach: 2 * reach + 1).says(
    "You returned the size of the field. The number of layers is asked for."
)
layers_needed.wrong(
    "first_dilation_twice",
    lambda distance, kernel, growth=1: (
        0 if distance < 1 else 1 + layers_needed.reference(max(distance - kernel // 2, 0), kernel, growth)
    ),
).says("Two of your layers have dilation 1. Layer n has the dilation growth ** n, counted from 0.")
layers_needed.wrong("last_layer_alone", _last_layer_alone).says(
    "You stopped when the last layer alone spans the distance. What the layers below reach adds up."
)
layers_needed.wrong("rounded_down", _rounded_down).says(
    "You rounded down. If the last layer is needed in part, it is needed."
)
layers_needed.wrong("not_rounded", _not_rounded).says(
    "You divided with /, which leaves a fraction. Layers are whole: round up."
)
