"""Exercises of lesson 04: a residual block, its shortcut, the paths of a stack, the cost of a block, compound scaling."""

import math
from functools import reduce

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from utils.checking import Lesson, normal

lesson = Lesson("04", __name__)

# --- 4.1 residual block -----------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="Convolve, scale and shift, ReLU; convolve, scale and shift. Then add the x that came in, and take the last ReLU of the sum.",
)
def residual_block(x, kernels, scales, shifts):
    """relu(x + branch(x)), two 3×3 layers in the branch: x (B, C, H, W), kernels (2, C, C, 3, 3), scales and shifts (2, C)."""
    channels = x.shape[1]
    layers: list[nn.Module] = []
    for kernel, scale, shift in zip(kernels, scales, shifts, strict=True):
        convolution = nn.Conv2d(channels, channels, 3, padding=1, bias=False).to(x)
        norm = nn.BatchNorm2d(channels, eps=0.0).to(x).eval()  # of mean 0 and variance 1: a scale and a shift
        convolution.weight.data, norm.weight.data, norm.bias.data = kernel, scale, shift
        layers += [convolution, norm, nn.ReLU()]
    with torch.no_grad():
        return torch.relu(nn.Sequential(*layers[:-1])(x) + x)


def _block_case(x, kernels, scales=1.0, shifts=0.0):
    """A case of one channel: a list of pixels in a row, the middle weights of the two kernels, the rest by numbers."""
    weights = torch.zeros(2, 1, 1, 3, 3)
    weights[:, 0, 0, 1, 1] = torch.tensor(kernels)
    two = torch.ones(2, 1)
    return dict(x=torch.tensor([[[x]]]), kernels=weights, scales=scales * two, shifts=shifts * two)


def _two_channels(scales, shifts):
    """A case of two channels of two pixels, whose kernels hand every pixel on."""
    kernels = torch.zeros(2, 2, 2, 3, 3)
    kernels[:, [0, 1], [0, 1], 1, 1] = 1
    x = torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]])
    return dict(x=x, kernels=kernels, scales=torch.tensor([scales] * 2), shifts=torch.tensor([shifts] * 2))


@residual_block.cases
def _(rng):
    yield _block_case([3.0], [0.0, 0.0])
    yield _block_case([-3.0], [0.0, 0.0])
    yield _block_case([3.0], [1.0, 1.0])
    yield _block_case([3.0], [1.0, -0.5])
    yield _block_case([-3.0], [2.0, 1.0])
    yield _block_case([2.0], [1.0, 1.0], scales=3.0)
    yield _block_case([2.0], [1.0, 1.0], shifts=1.0)
    yield _block_case([1.0], [2.0, 0.5])
    yield _block_case([2.0], [-1.0, 1.0], shifts=1.0)
    yield _two_channels([1.0, 2.0], [0.0, 0.0])
    yield _two_channels([1.0, 1.0], [0.0, 1.0])
    for _ in range(10):
        B, C, H, W = (int(rng.integers(1, 4)) for _ in range(4))
        yield normal(rng, B, C, H, W), normal(rng, 2, C, C, 3, 3), normal(rng, 2, C), normal(rng, 2, C)


@residual_block.recipe
def _(
    x,
    kernels,
    scales,
    shifts,
    middle=torch.relu,
    inner=lambda y: y,
    skip=lambda x: x,
    last=torch.relu,
    first=0,
    scale=1,
    shift=1,
    early=0,
    axis=lambda one: one.view(-1, 1, 1),
):
    def layer(y, number):
        y = F.conv2d(y, kernels[number], padding=1)
        factor = axis(scales[number]) if scale else 1.0
        return y * factor + shift * axis(shifts[number])

    hidden = middle(layer(x, first) + early * x)
    return last(inner(layer(hidden, 1)) + skip(x))


residual_block.slip("no_skip", skip=lambda x: 0).says(
    "The skip is missing: this is a plain block. Add the x that came in before the last ReLU."
)
residual_block.slip("no_last_relu", last=lambda y: y).says("The ReLU after the sum is missing: relu(x + branch(x)).")
residual_block.slip("relu_before_the_sum", inner=torch.relu, last=lambda y: y).says(
    "You took the ReLU of the branch and then added x. A branch that is never negative can only add. Add first, then take the ReLU of the sum."
)
residual_block.slip("relu_on_both_sides", inner=torch.relu).says(
    "You took a ReLU of the branch before the sum as well. The branch ends with scale and shift, so that it can subtract from x."
)
residual_block.slip("no_relu_in_the_middle", middle=lambda y: y).says(
    "The ReLU between the two layers is missing. Without it they are a single linear layer."
)
residual_block.slip("first_layer_twice", first=1).says("You used the second kernel, scale and shift for both layers.")
residual_block.slip("no_scale", scale=0).says("The scale of each layer is missing: multiply each channel by it.")
residual_block.slip("no_shift", shift=0).says("The shift of each layer is missing: add it to each channel.")
residual_block.slip("along_the_columns", axis=lambda one: one).says(
    "Your scales and shifts have met the columns: (C,) goes with the last axis. Give them the shape (C, 1, 1), one for each channel."
)
residual_block.slip("skip_over_one_layer", early=1, skip=lambda x: 0).says(
    "You added x after the first layer. The skip leads past both layers."
)
residual_block.slip("skip_over_each_layer", early=1).says(
    "You added x twice, after each layer. The skip leads past both."
)
residual_block.slip("skip_bent", skip=torch.relu).says(
    "You added relu(x). The skip adds x as it came in; only the sum is bent."
)


@residual_block.mistake("You added the output of the first layer. The skip begins at x, before both layers.")
def skip_from_the_middle(x, kernels, scales, shifts):
    first = _layer(x, kernels, scales, shifts, 0)
    return torch.relu(_layer(torch.relu(first), kernels, scales, shifts, 1) + torch.relu(first))


@residual_block.mistake("You shifted first and then scaled. Normalisation ends with y · scale + shift.")
def shifted_before_scaled(x, kernels, scales, shifts):
    return residual_block.reference(x, kernels, scales, shifts * scales)


def _layer(x, kernels, scales, shifts, number):
    y = F.conv2d(x, kernels[number], padding=1)
    return y * scales[number].view(-1, 1, 1) + shifts[number].view(-1, 1, 1)


# --- 4.2 shortcut -----------------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="Keep every stride-th row and column, beginning with the first. Then mix the channels by the matrix, or put maps of zeros behind those that are there.",
)
def shortcut(x, channels, stride, weight):
    """x (B, C, H, W) in the shape of the branch: a 1×1 convolution by weight (channels, C), or without one zeros."""
    if weight is not None:
        return F.conv2d(x, weight[:, :, None, None], stride=stride)
    kept = F.avg_pool2d(x, 1, stride)
    return F.pad(kept, (0, 0, 0, 0, 0, channels - x.shape[1]))


@shortcut.cases
def _(rng):
    rows = torch.arange(1.0, 10.0).view(1, 1, 3, 3)
    yield dict(x=rows[..., :1, :2], channels=1, stride=1, weight=None)
    yield dict(x=rows[..., :1, :1], channels=2, stride=1, weight=None)
    yield dict(x=rows, channels=1, stride=2, weight=None)
    yield dict(x=rows[..., :2, :2], channels=1, stride=2, weight=None)
    yield dict(x=rows[..., :1, :1], channels=2, stride=1, weight=torch.tensor([[2.0], [-1.0]]))
    yield dict(x=-rows[..., :1, :2], channels=1, stride=1, weight=torch.tensor([[2.0]]))
    two = torch.tensor([1.0, 10.0]).view(1, 2, 1, 1)
    yield dict(x=two, channels=2, stride=1, weight=torch.tensor([[1.0, 2.0], [0.0, 1.0]]))
    yield dict(x=two, channels=4, stride=1, weight=None)
    yield dict(x=rows, channels=1, stride=2, weight=torch.tensor([[3.0]]))
    for _ in range(12):
        B, C, more, stride = (int(rng.integers(1, 4)) for _ in range(4))
        H, W = (int(rng.integers(1, 7)) for _ in range(2))
        outputs = C + more - 1
        weight = normal(rng, outputs, C) if rng.integers(2) else None
        yield normal(rng, B, C, H, W), outputs, stride, weight


@shortcut.recipe
def _(
    x,
    channels,
    stride,
    weight,
    keep=lambda x, stride: x[:, :, ::stride, ::stride],
    mix=lambda x, weight: torch.einsum("oc,bchw->bohw", weight, x),
    fill=lambda x, missing: F.pad(x, (0, 0, 0, 0, 0, missing)),
    last=lambda y: y,
):
    kept = keep(x, stride)
    return last(fill(kept, channels - x.shape[1]) if weight is None else mix(kept, weight))


def _mean_of_windows(x, stride):
    return F.avg_pool2d(x, stride, ceil_mode=True)


def _largest_of_windows(x, stride):
    return F.max_pool2d(x, stride, ceil_mode=True)


shortcut.slip("stride_forgotten", keep=lambda x, stride: x).says(
    "The stride is missing: the branch's map is smaller, so keep every stride-th row and column."
)
shortcut.slip("stride_on_rows_only", keep=lambda x, stride: x[:, :, ::stride]).says(
    "You kept every stride-th row and all columns. The stride acts on both."
)
shortcut.slip("second_pixel_kept", keep=lambda x, stride: x[:, :, stride - 1 :: stride, stride - 1 :: stride]).says(
    "You began with the last pixel of each window. A kernel of size 1 reads pixel 0 first, then pixel `stride`."
)
shortcut.slip("mean_of_windows", keep=_mean_of_windows).says(
    "You took the mean of each window. The paper's shortcut keeps one pixel of it, the first."
)
shortcut.slip("largest_of_windows", keep=_largest_of_windows).says(
    "You took the largest value of each window. The paper's shortcut keeps one pixel of it, the first."
)
shortcut.slip("zeros_in_front", fill=lambda x, missing: F.pad(x, (0, 0, 0, 0, missing, 0))).says(
    "You put the maps of zeros in front. They come behind the channels that are there."
)
shortcut.slip("channels_repeated", fill=lambda x, missing: x[:, torch.arange(x.shape[1] + missing) % x.shape[1]]).says(
    "You repeated the channels. New channels hold zeros, so that only the branch fills them."
)
shortcut.slip("zeros_left_out", fill=lambda x, missing: x).says(
    "Without a weight there are as many channels as before. Put maps of zeros behind them until there are `channels`."
)
shortcut.slip("relu_on_the_shortcut", last=torch.relu).says(
    "A ReLU stands on the shortcut. It is linear; the block's ReLU comes after the sum."
)


@shortcut.mistake("The matrix is turned: weight[o, c] says how much of input channel c goes into output channel o.")
def weight_turned(x, channels, stride, weight):
    if weight is not None and weight.shape[0] == weight.shape[1]:
        weight = weight.T
    return shortcut.reference(x, channels, stride, weight)


@shortcut.mistake("You put zeros around the map as well. Zeros fill new channels only.")
def map_padded(x, channels, stride, weight):
    return F.pad(shortcut.reference(x, channels, stride, weight), (1, 1, 1, 1))


@shortcut.mistake("You left out the weight: with one, the channels are mixed by it.")
def weight_ignored(x, channels, stride, weight):
    return shortcut.reference(x, channels, stride, None)


# --- 4.3 paths --------------------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    seconds=2.0,
    hint="Go block by block. A path that is k layers long so far goes on in two ways: past the branch, still k long, or through it, k + layers long.",
)
def count_paths(blocks):
    """How many paths go through 0, 1, 2, … layers of blocks (layers, skip), up to the longest: a list of whole numbers."""
    ways = [[int(skip), *[0] * (layers - 1), 1] for layers, skip in blocks]  # of one block, by length
    return [int(count) for count in reduce(np.convolve, ways, [1])]


@count_paths.cases
def _(rng):
    yield dict(blocks=[(1, True)])
    yield dict(blocks=[(1, False)])
    yield dict(blocks=[(2, True)])
    yield dict(blocks=[(1, True)] * 2)
    yield dict(blocks=[(2, False), (1, True)])
    yield dict(blocks=[(1, False), (2, False)])
    yield dict(blocks=[(1, True), (2, True)])
    yield dict(blocks=[(1, True), (1, False), (1, True)])
    yield dict(blocks=[(1, True)] * 4)
    yield dict(blocks=[(2, True)] * 8)
    for _ in range(12):
        yield dict(blocks=[(int(rng.integers(1, 4)), bool(rng.integers(3))) for _ in range(int(rng.integers(2, 8)))])
    yield dict(blocks=[(2, True)] * 54)  # more paths than anybody can list


@count_paths.recipe
def _(
    blocks,
    length=lambda layers: layers,
    past=lambda skip: skip,
    through=lambda skip: True,
    past_length=0,
    give=lambda counts: counts,
):
    counts = [1]
    for layers, skip in blocks:
        after = [0] * (len(counts) + max(length(layers), past_length))
        for k, paths in enumerate(counts):
            after[k + length(layers)] += paths * through(skip)
            after[k + past_length] += paths * past(skip)
        counts = after
    return give(counts)


count_paths.slip("blocks_counted", length=lambda layers: 1).says(
    "You counted blocks. A path through a branch is longer by all the layers of that branch."
)
count_paths.slip("skip_everywhere", past=lambda skip: True).says(
    "You let paths past blocks that have no skip. There, every path goes through."
)
count_paths.slip("no_skip_anywhere", past=lambda skip: False).says(
    "All your paths go through all branches. At a skip a path can also go past."
)
count_paths.slip("skip_or_branch", through=lambda skip: not skip).says(
    "Your paths always take the skip where there is one. They can go through the branch too."
)
count_paths.slip("skip_counts_as_a_layer", past_length=1).says(
    "You counted a skip as one layer. A path that goes past a branch goes through none of its layers."
)
count_paths.slip("zero_left_out", give=lambda counts: counts[1:]).says(
    "Your list begins with paths of one layer. Its first number is about paths of no layer at all."
)
count_paths.slip("total_returned", give=sum).says(
    "You returned how many paths there are in all. Return a list: how many of each length."
)
count_paths.slip("longest_first", give=lambda counts: counts[::-1]).says(
    "Your list begins with the longest paths. Its first number is about paths of no layer."
)
count_paths.slip("shares_returned", give=lambda counts: [paths / sum(counts) for paths in counts]).says(
    "You returned shares. The numbers of paths are asked for."
)


@count_paths.mistake(
    "You write into the list that you are reading, so that a path goes through the same branch again and again. Collect the new numbers in a second list."
)
def written_while_read(blocks):
    counts = [1]
    for layers, skip in blocks:
        counts = counts + [0] * layers
        for k in range(len(counts) - layers):
            counts[k + layers] += counts[k]
            counts[k] *= skip
    return counts


@count_paths.mistake(
    "You added up what each block alone allows. Paths of different blocks combine: their numbers multiply."
)
def blocks_added(blocks):
    counts = [0] * (sum(layers for layers, _ in blocks) + 1)
    for layers, skip in blocks:
        counts[layers] += 1
        counts[0] += skip
    return counts


@count_paths.mistake(
    "Binomial coefficients count paths where all blocks have a skip and branches of one layer. Here layers and skips differ."
)
def binomial_coefficients(blocks):
    return [math.comb(len(blocks), k) for k in range(len(blocks) + 1)]


# --- 4.4 cost of a block ----------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="One unit of the output is a sum of kernel · kernel · inputs / groups products. A layer has that many weights for each output channel, and uses each of them once for each pixel of its output.",
    returns=("parameters", "multiply_adds"),
)
def block_cost(layers, side):
    """Weights and multiply-adds of layers (inputs, outputs, kernel, stride, groups), for a square image of this side."""
    parameters = multiply_adds = 0
    with torch.device("meta"):
        maps = torch.empty(1, layers[0][0], side, side)
        for inputs, outputs, kernel, stride, groups in layers:
            layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
            maps = layer(maps)
            parameters += layer.weight.numel()
            multiply_adds += layer.weight.numel() * maps.shape[2] * maps.shape[3]
    return parameters, multiply_adds


@block_cost.cases
def _(rng):
    yield dict(layers=[(1, 1, 3, 1, 1)], side=1)
    yield dict(layers=[(1, 1, 3, 1, 1)], side=2)
    yield dict(layers=[(2, 3, 1, 1, 1)], side=1)
    yield dict(layers=[(1, 1, 1, 2, 1)], side=4)
    yield dict(layers=[(1, 1, 1, 2, 1)], side=5)
    yield dict(layers=[(4, 4, 1, 1, 2)], side=1)
    yield dict(layers=[(1, 1, 1, 2, 1), (1, 1, 1, 1, 1)], side=4)
    yield dict(layers=[(64, 64, 3, 1, 1)] * 2, side=56)
    yield dict(layers=[(256, 64, 1, 1, 1), (64, 64, 3, 1, 1), (64, 256, 1, 1, 1)], side=56)
    for _ in range(12):
        groups = int(rng.integers(1, 4))
        widths = [groups * int(rng.integers(1, 5)) for _ in range(4)]
        kernels = [2 * int(rng.integers(0, 4)) + 1 for _ in range(3)]
        strides = [int(rng.integers(1, 4)) for _ in range(3)]
        layers = list(zip(widths[:-1], widths[1:], kernels, strides, [groups] * 3, strict=True))
        yield dict(layers=layers, side=int(rng.integers(7, 20)))


@block_cost.recipe
def _(
    layers,
    side,
    area=lambda kernel: kernel**2,
    share=lambda inputs, groups: inputs // groups,
    smaller=lambda side, stride: -(-side // stride),
    pixels=lambda before, after: after**2,
    bias=0,
    factor=1,
    kept=False,
    turned=False,
):
    parameters = multiply_adds = 0
    for inputs, outputs, kernel, stride, groups in layers:
        before, after = side, smaller(side, stride)
        side = before if kept else after
        weights = outputs * (area(kernel) * share(inputs, groups) + bias)
        parameters += weights
        multiply_adds += factor * weights * pixels(before, after)
    return (multiply_adds, parameters) if turned else (parameters, multiply_adds)


block_cost.slip("groups_ignored", share=lambda inputs, groups: inputs).says(
    "You ignored the groups. An output channel reads the channels of its own group alone, inputs / groups of them."
)
block_cost.slip("kernel_not_squared", area=lambda kernel: kernel).says(
    "You counted one row of the kernel. It has kernel · kernel weights for each pair of channels."
)
block_cost.slip("pixels_of_the_input", pixels=lambda before, after: before**2).says(
    "You multiplied by the pixels of a layer's input. Its weights are used once for each pixel of its *output*."
)
block_cost.slip("one_row_of_pixels", pixels=lambda before, after: after).says(
    "You multiplied by the side of the map. It has side · side pixels."
)
block_cost.slip("stride_ignored", smaller=lambda side, stride: side).says(
    "You ignored the stride. The map behind it is smaller, and weights are used at fewer pixels."
)
block_cost.slip("rounded_down", smaller=lambda side, stride: side // stride).says(
    "You rounded the side down. Padded this way, a layer keeps pixel 0 and every stride-th one after it: round up."
)
block_cost.slip("side_not_passed_on", kept=True).says(
    "Each of your layers starts from the side of the image. Behind a stride, the following layers work on the smaller map."
)
block_cost.slip("biases_counted", bias=1).says(
    "You counted a bias for each output channel. These layers have none; normalisation follows them."
)
block_cost.slip("operations_counted", factor=2).says(
    "Your second number is twice the right one: a multiplication and the addition behind it count as one multiply-add."
)
block_cost.slip("numbers_swapped", turned=True).says("Your numbers come in another order: parameters first.")
block_cost.slip("groups_divide_twice", share=lambda inputs, groups: inputs / groups**2).says(
    "You divided by the groups twice. Each group has outputs / groups channels, but there are `groups` of them."
)


@block_cost.mistake("You counted the weights once. Each of them multiplies once for each pixel of the output.")
def weights_for_multiply_adds(layers, side):
    parameters, _ = block_cost.reference(layers, side)
    return parameters, parameters


# --- 4.5 compound scaling ---------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="Channels: times width, then to the nearest multiple of 8, upwards from the middle; if that lost more than a tenth, one multiple more. Repeats: times depth, rounded up.",
)
def scaled(stages, width, depth):
    """Stages (channels, repeats) of a wider and deeper network: a list of pairs of whole numbers."""
    return [(_in_eights(channels * width), math.ceil(repeats * depth)) for channels, repeats in stages]


def _in_eights(wanted):
    nearest = 8 * math.floor(wanted / 8 + 0.5)
    return nearest + 8 if nearest < 0.9 * wanted else nearest


@scaled.cases
def _(rng):
    yield dict(stages=[(16, 1)], width=1.0, depth=1.0)
    yield dict(stages=[(16, 1)], width=2.0, depth=1.0)
    yield dict(stages=[(16, 2)], width=1.0, depth=2.0)
    yield dict(stages=[(16, 2)], width=1.0, depth=1.1)
    yield dict(stages=[(32, 1)], width=1.2, depth=1.0)
    yield dict(stages=[(40, 1)], width=1.1, depth=1.0)
    yield dict(stages=[(40, 1)], width=0.5, depth=1.0)
    yield dict(stages=[(24, 1)], width=1.5, depth=1.0)
    yield dict(stages=[(8, 1)], width=0.25, depth=1.0)
    yield dict(stages=[(104, 1)], width=0.5, depth=1.0)
    yield dict(stages=[(19, 1)], width=1.0, depth=1.0)  # 16 is nearest, and less than 90 % of it
    yield dict(stages=[(24, 1)], width=0.8, depth=1.0)
    yield dict(stages=[(16, 1)], width=1.12, depth=1.0)  # 17.92: 16 is less than 90 % of it, and not of 17
    yield dict(stages=[(8, 1)], width=1.075, depth=1.0)  # 8.6: 8 is not less than 90 % of it, but of 9
    yield dict(stages=[(40, 5)], width=1.0, depth=1.2)
    yield dict(stages=[(16, 1), (24, 2), (40, 3)], width=1.1, depth=1.2)
    for _ in range(12):
        stages = [(8 * int(rng.integers(1, 40)), int(rng.integers(1, 5))) for _ in range(int(rng.integers(1, 5)))]
        width, depth = (round(float(rng.uniform(0.5, 2.0)), 2) + 0.003 for _ in range(2))  # no product is whole
        yield dict(stages=stages, width=width, depth=depth)


def _floats(value, stages, width, depth):
    pairs = [pair for pair in value if isinstance(pair, list | tuple)] if isinstance(value, list | tuple) else []
    found = [number for pair in pairs for number in pair if isinstance(number, float)]
    return f"Expected whole numbers, got {found[0]!r}." if found else None


@scaled.recipe
def _(
    stages,
    width,
    depth,
    eights=lambda wanted: math.floor(wanted / 8 + 0.5),
    enough=0.9,
    whole=lambda wanted: wanted,
    repeat=math.ceil,
    widen=lambda channels, repeats, width, depth: channels * width,
    deepen=lambda channels, repeats, width, depth: repeats * depth,
    number=lambda near: near,
):
    found = []
    for channels, repeats in stages:
        wanted = whole(widen(channels, repeats, width, depth))
        near = 8 * eights(wanted)
        near += 8 if near < enough * wanted else 0
        found.append((number(near), repeat(deepen(channels, repeats, width, depth))))
    return found


scaled.slip("channels_rounded_down", eights=lambda wanted: math.floor(wanted / 8)).says(
    "You rounded the channels down to a multiple of 8. Take the nearest one."
)
scaled.slip("channels_rounded_up", eights=lambda wanted: math.ceil(wanted / 8)).says(
    "You rounded the channels up to a multiple of 8. Take the nearest one."
)
scaled.slip("middle_rounded_to_even", eights=lambda wanted: round(wanted / 8)).says(
    "Python's round() takes 2.5 to 2 and 3.5 to 4. From the middle between two multiples go up: floor(… + 0.5)."
)
scaled.slip("tenth_forgotten", enough=0.0).says(
    "One rule is missing: where rounding lost more than a tenth of the channels, take one multiple of 8 more."
)
scaled.slip("floats", number=float, seen=_floats).says(
    "A layer cannot have 24.0 channels. `//` and `math.floor` of a float are floats where you calculate on with them: end with int(…)."
)
for name, whole in {"cut_off_too_early": math.floor, "rounded_too_early": round}.items():
    scaled.slip(name, whole=whole).says(
        "You made channels · width a whole number first. Both rules compare with what was wanted, before any rounding."
    )
scaled.slip("repeats_rounded_down", repeat=math.floor).says("You rounded the repeats down. They are rounded up.")
scaled.slip("repeats_rounded", repeat=round).says("You rounded the repeats to the nearest number. They are rounded up.")
scaled.slip(
    "width_and_depth_swapped",
    widen=lambda channels, repeats, width, depth: channels * depth,
    deepen=lambda channels, repeats, width, depth: repeats * width,
).says("You swapped the two: `width` multiplies channels, `depth` multiplies repeats.")
scaled.slip("depth_ignored", deepen=lambda channels, repeats, width, depth: repeats).says(
    "The repeats are those of the small network. Multiply them by `depth`, and round up."
)
scaled.wrong(
    "no_multiples_of_8",
    lambda stages, width, depth: [(round(c * width), math.ceil(r * depth)) for c, r in stages],
).says("Your channels are no multiples of 8. Round channels · width to the nearest one.")
scaled.wrong(
    "width_squared",
    lambda stages, width, depth: scaled.reference(stages, width**2, depth),
).says("You multiplied by the width twice. Channels grow with `width`; it is the *cost* that grows with its square.")
