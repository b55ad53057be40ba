"""Exercises of lesson 01: output size, convolution by loops and by unfold, parameter counts, pooling."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from utils.checking import Lesson, normal

lesson = Lesson("01", __name__)


def _same(value):
    """What a switch of a recipe does to a value as long as nothing slips."""
    return value


# --- 1.1 output size --------------------------------------------------------------------------------------------


@lesson.exercise(
    points=1,
    hint="Pad first. Then ask how far the window can travel, and how many steps of the stride fit into that distance.",
)
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    """Pixels along one side of the output of a convolution; every argument is a whole number."""
    reach = dilation * (kernel - 1) + 1
    return (size + 2 * padding - reach) // stride + 1


@output_size.cases
def _(rng):
    yield dict(size=3, kernel=2, stride=1, padding=0, dilation=1)
    yield dict(size=3, kernel=2, stride=1, padding=1, dilation=1)
    yield dict(size=4, kernel=2, stride=2, padding=0, dilation=1)
    yield dict(size=5, kernel=2, stride=2, padding=0, dilation=1)  # the last pixel is left over
    yield dict(size=4, kernel=2, stride=1, padding=0, dilation=2)
    yield dict(size=5, kernel=3, stride=1, padding=0, dilation=2)
    yield dict(size=28, kernel=5, stride=1, padding=0, dilation=1)
    for _ in range(30):
        kernel, dilation = int(rng.integers(1, 6)), int(rng.integers(1, 4))
        stride, padding = int(rng.integers(1, 5)), int(rng.integers(0, 4))
        yield dilation * (kernel - 1) + 1 + int(rng.integers(0, 20)), kernel, stride, padding, dilation


@output_size.recipe
def _(
    size, kernel, stride=1, padding=0, dilation=1,
    sides=2, reach=lambda k, d: d * (k - 1) + 1, divide=lambda way, stride: way // stride, first=1,
):  # fmt: skip
    return divide(size + sides * padding - reach(kernel, dilation), stride) + first


output_size.slip("no_first_window", first=0).says(
    "You left out the + 1. The first window is there before anything has moved."
)
output_size.slip("one_window_too_many", first=2).says(
    "You added 2 after the division. Only one window is there before anything has moved: add 1."
)
output_size.slip("padding_counted_once", sides=1).says("You added the padding once. There is padding at both ends.")
output_size.slip("padding_ignored", sides=0).says("You ignored the padding.")
output_size.slip("rounded_up", divide=lambda way, stride: -(-way // stride)).says(
    "You rounded up. A window that does not fit is not computed, so the division rounds down."
)
output_size.slip("not_rounded", divide=lambda way, stride: way / stride).says(
    "You divided with /, which leaves a fraction. Sizes are whole: round down, as // does."
)
output_size.slip("dilation_ignored", reach=lambda k, d: k).says(
    "You ignored the dilation. It stretches the kernel over dilation · (kernel - 1) + 1 positions."
)
output_size.slip("dilation_times_kernel", reach=lambda k, d: d * k).says(
    "You stretched the kernel to dilation · kernel. There are only kernel - 1 gaps between its taps."
)
output_size.slip("reach_one_short", reach=lambda k, d: d * (k - 1)).says(
    "You took dilation · (kernel - 1) for the reach of the kernel. That is the distance from its first tap to its last: add 1 for the first tap."
)
output_size.slip("dilation_between_the_taps", reach=lambda k, d: k + (k - 1) * d).says(
    "You put `dilation` positions between two taps. They are `dilation` apart: with a dilation of 1 nothing lies between."
)
output_size.slip("stretched_once", reach=lambda k, d: k + d - 1).says(
    "You stretched the kernel by dilation - 1 in all. It is stretched by that much in each of its kernel - 1 gaps."
)
output_size.slip("stride_ignored", divide=lambda way, stride: way).says(
    "You ignored the stride. The window moves by that many positions at each step."
)
output_size.slip("one_inside_the_division", divide=lambda way, stride: (way + 1) // stride, first=0).says(
    "You added the 1 before you divided. Count the steps first, then add the window at the start."
)
output_size.wrong(
    "divided_too_early",
    lambda size, kernel, stride, padding, dilation: (size + 2 * padding) // stride - dilation * (kernel - 1),
).says("You divided by the stride first. Take the kernel's reach off the padded size, then divide.")


# --- 1.2 conv2d by loops ----------------------------------------------------------------------------------------


@lesson.exercise(
    points=3,
    hint="One output number is one window of the padded input times the kernel, summed over channels, rows and columns, plus the bias.",
)
def conv2d(x, weight, bias, stride=1, padding=0, dilation=1):
    """Image x (C_in, H, W), weight (C_out, C_in, kH, kW) and bias (C_out,) to (C_out, H_out, W_out)."""
    return F.conv2d(x[None], weight, bias, stride=stride, padding=padding, dilation=dilation)[0]


def _layer(x, weight, bias=(0,), **settings) -> dict:
    """A case made by hand, from nested lists of whole numbers; settings that it does not name change nothing."""
    x, weight, bias = (torch.tensor(numbers, dtype=torch.float32) for numbers in (x, weight, bias))
    return dict(x=x, weight=weight, bias=bias, stride=1, padding=0) | settings


@conv2d.cases
def _(rng):
    layer = partial(_layer, dilation=1)
    yield layer([[[2]]], [[[[3]]]], bias=[1])
    yield layer([[[1, 2, 3]]], [[[[1]]]], stride=2)
    yield layer([[[1, 2, 3]]], [[[[1, 10]]]], dilation=2)
    yield layer([[[1]], [[2]]], [[[[10]], [[100]]]])  # two channels in
    yield layer([[[2]]], [[[[1]]], [[[10]]]], bias=[3, 4])  # two channels out
    yield layer([[[1, 2], [3, 4]]], [[[[1]]]], padding=1)
    yield layer([[[1, 2], [3, 4]]], [[[[1, 10], [100, 1000]]]])
    yield layer([[[1, 2], [3, 4]]], [[[[1, 10], [100, 1000]]]], padding=1)
    yield layer([[[1, 2, 3], [4, 5, 6]]], [[[[1], [10]]]])
    yield layer([[[0, 1, 2], [3, 4, 5], [6, 7, 8]]], [[[[1, 2], [3, 4]]]], bias=[1])
    for _ in range(14):
        stride, padding, dilation = (int(rng.integers(low, 4)) for low in (1, 0, 1))
        yield *_random_layer(rng, dilation), stride, padding, dilation


def _random_layer(rng, dilation: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """Image (C_in, H, W), kernels (C_out, C_in, kH, kW) and bias (C_out,); kernels and images are not square."""
    c_out, c_in, k_h, k_w = (int(side) for side in rng.integers(1, 5, 4))
    height = dilation * (k_h - 1) + 1 + int(rng.integers(2, 6))
    width = dilation * (k_w - 1) + 1 + int(rng.integers(2, 6))
    return normal(rng, c_in, height, width), normal(rng, c_out, c_in, k_h, k_w), normal(rng, c_out)


def _pad(x, padding):
    return F.pad(x, (padding,) * 4)


def _windows(x, sides, stride, dilation=1):
    """All windows of an image (C, H, W) with these two sides: (C, H_out, W_out, kH, kW)."""
    for dimension, side in enumerate(sides, start=1):
        x = x.unfold(dimension, dilation * (side - 1) + 1, stride)
    return x[..., ::dilation, ::dilation]


@conv2d.recipe
def _(
    x, weight, bias, stride=1, padding=0, dilation=1,
    settings=lambda s, p, d: (s, p, d), pad=_pad, channels=slice(None),
    kernels=_same, sum_products="chwuv,ocuv->ohw", biases=lambda bias, weight: bias, finish=_same,
):  # fmt: skip
    stride, padding, dilation = settings(stride, padding, dilation)
    used = kernels(weight)[:, channels]
    windows = _windows(pad(x, padding)[channels], used.shape[2:], stride, dilation)
    sums = torch.einsum(sum_products, windows, used)  # (C_out, H_out, W_out)
    return finish(sums + biases(bias, weight)[:, None, None])


conv2d.slip("flipped_kernel", kernels=lambda weight: weight.flip(2, 3)).says(
    "You turned the kernel by 180°. Mathematics calls that convolution; every deep-learning library computes cross-correlation, without the flip."
)
conv2d.slip("kernel_transposed", kernels=lambda weight: weight.transpose(2, 3)).says(
    "You used the kernel with rows and columns swapped."
)
conv2d.slip("first_kernel_for_all", kernels=lambda weight: weight[:1].expand_as(weight)).says(
    "Every output channel came out of the first kernel. Output channel o has the kernel weight[o] of its own."
)
conv2d.slip("window_averaged", kernels=lambda weight: weight / weight[0].numel()).says(
    "You took the mean over the window. The products are summed."
)
conv2d.slip("channels_averaged", kernels=lambda weight: weight / weight.shape[1]).says(
    "You took the mean over the input channels. They are summed."
)
conv2d.slip("channels_not_summed", channels=slice(1)).says(
    "You used the first input channel alone. An output number sums over all input channels."
)
conv2d.slip("last_channel_alone", channels=slice(-1, None)).says(
    "You used the last input channel alone. Is the sum over the channels overwritten in each round? Add to it."
)
conv2d.slip("output_channels_summed", sum_products="chwuv,ocuv->hw").says(
    "You summed over the output channels too: in weight (C_out, C_in, kH, kW), sum over (1, 2, 3). The first dimension stays."
)
conv2d.slip("channels_kept_apart", sum_products="chwuv,ocuv->cohw").says(
    "You returned a map for each input channel. An output number sums over all input channels."
)
conv2d.slip("bias_forgotten", biases=lambda bias, weight: 0 * bias).says(
    "You forgot the bias: one number for each output channel, added everywhere."
)
conv2d.slip("first_bias_for_all", biases=lambda bias, weight: bias[:1]).says(
    "You added bias[0] to every output channel. Output channel o has the bias bias[o] of its own."
)
conv2d.slip("bias_in_the_sum", biases=lambda bias, weight: bias * weight[0].numel()).says(
    "You added the bias inside the sum, once for each product. It is added once, after the sum."
)
conv2d.slip("bias_for_each_input_channel", biases=lambda bias, weight: bias * weight.shape[1]).says(
    "You added the bias once for each input channel. It belongs to the output channel: add it once."
)
conv2d.slip("stride_ignored_by_windows", settings=lambda s, p, d: (1, p, d)).says(
    "You ignored the stride. Window (i, j) begins at row i · stride and column j · stride."
)
conv2d.slip("dilation_ignored_by_taps", settings=lambda s, p, d: (s, p, 1)).says(
    "You ignored the dilation: neighbouring taps of the kernel read pixels that are `dilation` apart."
)
conv2d.slip("stride_and_dilation_swapped", settings=lambda s, p, d: (d, p, s)).says(
    "You swapped stride and dilation. The stride moves the window; the dilation spreads the taps inside it."
)
conv2d.slip("dilation_moves_the_window", settings=lambda s, p, d: (s * d, p, d)).says(
    "Your windows begin `stride · dilation` pixels apart. The dilation spreads the taps inside a window; the stride alone moves it."
)
conv2d.slip("padding_ignored_by_windows", settings=lambda s, p, d: (s, 0, d)).says(
    "You ignored the padding: `padding` zeros on each of the four sides come first."
)
conv2d.slip("padded_twice", settings=lambda s, p, d: (s, 2 * p, d)).says(
    "You padded twice. There are `padding` zeros on each side: pad the image once, then use no padding."
)
conv2d.slip("padding_on_two_sides", pad=lambda x, padding: F.pad(x, (0, padding, 0, padding))).says(
    "You padded on two sides only, right and bottom. There are zeros on all four sides."
)
conv2d.slip("padding_on_the_first_two_sides", pad=lambda x, padding: F.pad(x, (padding, 0, padding, 0))).says(
    "You padded on two sides only, left and top. There are zeros on all four sides."
)
conv2d.slip("padded_with_ones", pad=lambda x, padding: F.pad(x, (padding,) * 4, value=1)).says(
    "You padded with ones. This padding is with zeros."
)
conv2d.slip("border_mirrored", pad=lambda x, padding: F.pad(x, (padding,) * 4, mode="reflect")).says(
    "You mirrored the image at its border. This padding is with zeros."
)
conv2d.slip("border_wrapped", pad=lambda x, padding: F.pad(x, (padding,) * 4, mode="circular")).says(
    "Your windows read on at the opposite border of the image. This padding is with zeros."
)
conv2d.slip("border_repeated", pad=lambda x, padding: F.pad(x, (padding,) * 4, mode="replicate")).says(
    "You repeated the border pixels. This padding is with zeros."
)
conv2d.slip("output_transposed", finish=lambda out: out.transpose(1, 2)).says(
    "Rows and columns of the output are swapped: i counts rows (height), j counts columns (width)."
)
conv2d.slip("last_window_missing", finish=lambda out: out[:, :-1, :-1]).says(
    "The last row and column of windows are missing: the output size is one too small. Mind the + 1."
)
conv2d.slip("loops_one_short", finish=lambda out: F.pad(out[:, :-1, :-1], (0, 1, 0, 1))).says(
    "The last row and column of your output are still 0: the loops end one too early. range(height) already leaves its end out."
)
conv2d.slip("batch_dimension_kept", finish=lambda out: out[None]).says(
    "You kept a batch dimension of size 1. Here an image has the shape (channels, height, width)."
)


def _cut(answer, size_of):
    """What `answer` gives, cut to the size of what `size_of` gives."""

    def cut(*case):
        height, width = size_of(*case).shape[1:]
        return answer(*case)[:, :height, :width]

    return cut


conv2d.wrong(
    "stride_in_the_size_only",
    _cut(conv2d.variant(settings=lambda s, p, d: (1, p, d)), conv2d.reference),
).says(
    "The output has the right size for this stride, but the windows move by 1. Window (i, j) begins at row i · stride and column j · stride."
)
conv2d.wrong(
    "dilation_in_the_size_only",
    _cut(conv2d.variant(settings=lambda s, p, d: (s, p, 1)), conv2d.reference),
).says(
    "The output has the right size for this dilation, but the taps read neighbouring pixels. They are `dilation` pixels apart."
)
conv2d.wrong(
    "size_before_padding",
    _cut(conv2d.reference, conv2d.variant(settings=lambda s, p, d: (s, 0, d))),
).says("You computed the output size before you padded. Pad first: the padded image has room for more windows.")


@conv2d.mistake("You padded so that the output keeps the size of the input. Pad by `padding`, whatever the kernel.")
def always_same_padding(x, weight, bias, stride=1, padding=0, dilation=1):
    rows, columns = (dilation * (side - 1) for side in weight.shape[2:])
    padded = F.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))
    return conv2d.reference(padded, weight, bias, stride, 0, dilation)


# --- 1.3 conv2d by unfold ---------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="F.unfold lays each window out as a column. With the kernels as rows, one matrix product does all the sums.",
)
def conv2d_unfold(x, weight, bias, stride=1, padding=0):
    """Images x (N, C_in, H, W), weight (C_out, C_in, kH, kW) and bias (C_out,) to (N, C_out, H_out, W_out)."""
    return F.conv2d(x, weight, bias, stride=stride, padding=padding)


@conv2d_unfold.cases
def _(rng):
    yield _layer([[[[2]]]], [[[[3]]]], bias=[1])
    yield _layer([[[[1]]], [[[2]]]], [[[[10]]]])  # two images
    yield _layer([[[[1, 2, 3]]]], [[[[1]]]], stride=2)
    yield _layer([[[[1, 2]]]], [[[[1]]], [[[10]]]], bias=[0, 0])  # two channels out
    yield _layer([[[[1, 2]]]], [[[[1, 10]]], [[[100, 1000]]]], bias=[0, 0])
    yield _layer([[[[1, 2]], [[3, 4]]]], [[[[1, 10]], [[100, 1000]]]])  # two channels in
    yield _layer([[[[1, 2], [3, 4]]]], [[[[1]]]], padding=1)
    yield _layer([[[[1, 2, 3], [4, 5, 6]]]], [[[[1]]]])
    yield _layer([[[[1, 2, 3, 4], [5, 6, 7, 8]]]], [[[[1], [10]]]])
    yield _layer([[[[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]]], [[[[1, 2]]]], bias=[1])
    for _ in range(12):
        image, weight, bias = _random_layer(rng)
        batch = torch.cat([image[None], normal(rng, int(rng.integers(0, 3)), *image.shape)])
        yield batch, weight, bias, int(rng.integers(1, 3)), int(rng.integers(0, 3))


@conv2d_unfold.recipe
def _(
    x, weight, bias, stride=1, padding=0,
    unfolded=lambda s, p: (s, p), sized=lambda s, p: (s, p), rows=lambda weight: weight.flatten(1), biased=True,
    turn=_same, sides=lambda height, width: (height, width), finish=_same,
):  # fmt: skip
    step, zeros = unfolded(stride, padding)
    columns = F.unfold(x, weight.shape[2:], stride=step, padding=zeros)  # (N, C_in·kH·kW, L)
    out = rows(weight) @ columns + biased * bias[:, None]  # (N, C_out, L)
    pairs = zip(x.shape[2:], weight.shape[2:], strict=True)  # (H, kH), (W, kW)
    size = [output_size.reference(*pair, *sized(stride, padding)) for pair in pairs]
    return finish(turn(out).reshape(len(x), len(weight), *sides(*size)))


conv2d_unfold.slip("no_bias_in_the_product", biased=False).says(
    "You forgot the bias: reshape it to (C_out, 1), so that it is added to every column."
)
conv2d_unfold.slip("stride_not_passed", unfolded=lambda s, p: (1, p)).says(
    "unfold did not get the stride: pass stride=stride."
)
conv2d_unfold.slip("padding_not_passed", unfolded=lambda s, p: (s, 0)).says(
    "unfold did not get the padding: pass padding=padding."
)
conv2d_unfold.slip("stride_left_out", unfolded=lambda s, p: (1, p), sized=lambda s, p: (1, p)).says(
    "The stride is missing, in unfold and in the size of the output: windows begin `stride` pixels apart."
)
conv2d_unfold.slip("padding_left_out", unfolded=lambda s, p: (s, 0), sized=lambda s, p: (s, 0)).says(
    "The padding is missing, in unfold and in the size of the output: `padding` zeros on each of the four sides come first."
)
conv2d_unfold.slip("reshaped_without_transpose", turn=lambda out: out.transpose(1, 2)).says(
    "The result was (positions, channels) and was reshaped to (channels, height, width) without a transpose. A reshape does not move numbers."
)
conv2d_unfold.slip("kernel_in_another_order", rows=lambda weight: weight.permute(0, 2, 3, 1).flatten(1)).says(
    "The kernels were laid out in another order than the windows. unfold runs over channels, then rows, then columns, as weight.flatten(1) does."
)
conv2d_unfold.slip("weight_reshaped_to_fit", rows=lambda weight: weight.reshape(-1, len(weight)).T).says(
    "The weight was reshaped to (C·k·k, C_out) to make the product fit. That mixes the kernels: flatten to (C_out, C·k·k), then transpose if you must."
)
conv2d_unfold.slip("flipped_kernel_rows", rows=lambda weight: weight.flip(2, 3).flatten(1)).says(
    "You turned the kernel by 180°. No library does: this is cross-correlation."
)
conv2d_unfold.slip("height_and_width_swapped", sides=lambda height, width: (width, height)).says(
    "Height and width are swapped in the last reshape. Columns run along a row first."
)
conv2d_unfold.slip("square_output_assumed", sides=lambda height, width: 2 * (int((height * width) ** 0.5),)).says(
    "You took √L for both sides of the output. That holds for a square output only: compute height and width from the formula of 1.1."
)
conv2d_unfold.slip("height_from_a_root", sides=lambda height, width: (int((height * width) ** 0.5), -1)).says(
    "You took √L for the height of the output. That holds for a square output only: compute height and width from the formula of 1.1."
)
conv2d_unfold.slip("one_side_for_both", sides=lambda height, width: (height, height)).says(
    "You took one side of the output for both. Compute height and width each from its own side of image and kernel."
)
conv2d_unfold.slip("not_reshaped", sides=lambda height, width: (height * width,)).says(
    "The windows are still in one row, (N, C_out, L). Reshape the L of them to H_out rows of W_out."
)
conv2d_unfold.slip("squeezed", finish=lambda out: out.squeeze()).says(
    "A squeeze() dropped every dimension of size 1. The result has four dimensions, whatever their sizes are."
)
conv2d_unfold.slip("batch_of_one_squeezed", finish=lambda out: out.squeeze(0)).says(
    "You dropped the batch dimension of a batch of one image. One image is a batch as well: N = 1."
)
conv2d_unfold.slip("batch_lost", finish=lambda out: out[0]).says(
    "Only the first image of the batch came back, or all came back as one."
)


# --- 1.4 parameter counts ---------------------------------------------------------------------------------------


@lesson.exercise(
    points=1,
    hint="For each layer ask twice: how many weights does one output number have, and how many output numbers share them? Biases go with the weights.",
)
def parameter_counts(c_in, c_out, kernel, height, width):
    """Four whole numbers, "dense", "local", "conv" and "separable", for maps of height · width pixels in and out."""
    inputs, outputs, window = c_in * height * width, c_out * height * width, c_in * kernel**2
    return {
        "dense": outputs * (inputs + 1),
        "local": outputs * (window + 1),
        "conv": c_out * (window + 1),
        "separable": c_in * (kernel**2 + 1) + c_out * (c_in + 1),
    }


@parameter_counts.cases
def _(rng):
    yield 1, 1, 1, 1, 1
    yield 2, 1, 1, 1, 1
    yield 1, 2, 1, 1, 1
    yield 1, 1, 3, 1, 1
    yield 1, 1, 1, 1, 2
    yield 1, 1, 3, 2, 2
    for _ in range(12):
        yield tuple(int(rng.integers(low, high)) for low, high in [(1, 9), (1, 9), (1, 8), (2, 12), (2, 12)])
    yield 3, 64, 3, 225, 225  # too many for 32 bits, and for the memory of a layer that is built to be counted


def _one(*numbers):
    return 1


@parameter_counts.recipe
def _(
    c_in, c_out, kernel, height, width,
    biases=1, dense_biases=_same, conv_biases=_same, local_biases=lambda outputs, c_out: outputs,
    window=lambda c_in, kernel: c_in * kernel**2, places=lambda pixels: 1, local_kernels=lambda outputs, pixels: outputs,
    meets=_same, outputs=lambda c_out, pixels: c_out * pixels,
    depthwise=lambda c_in, c_out, area: c_in * (area + 1), pointwise=lambda c_in, c_out: c_out * (c_in + 1),
    join=lambda one, other: one + other, finish=_same,
):  # fmt: skip
    pixels, area = height * width, kernel**2
    numbers, dense_numbers, weights = c_out * pixels, outputs(c_out, pixels), window(c_in, kernel)
    separable = join(depthwise(c_in, c_out, area), pointwise(c_in, c_out))
    return finish(
        {
            "dense": c_in * meets(pixels) * dense_numbers + biases * dense_biases(dense_numbers),
            "local": local_kernels(numbers, pixels) * weights + biases * local_biases(numbers, c_out),
            "conv": (c_out * weights + biases * conv_biases(c_out)) * places(pixels),
            "separable": separable - (0 if biases else c_in + c_out),
        }
    )


parameter_counts.slip("biases_left_out", biases=0).says(
    "You left the biases out: one for each kernel, and in dense and local layers one for each output number."
)
parameter_counts.slip("conv_bias_left_out", conv_biases=lambda c_out: 0).says(
    "The convolution's biases are missing: one for each output channel."
)
parameter_counts.slip("dense_bias_left_out", dense_biases=lambda outputs: 0).says(
    "The dense layer's biases are missing: one for each output number, c_out · height · width of them."
)
parameter_counts.slip("local_bias_left_out", local_biases=lambda outputs, c_out: 0).says(
    "The local layer's biases are missing: one for each output number, since it shares nothing."
)
parameter_counts.slip("conv_one_bias_in_all", conv_biases=_one).says(
    "You counted one bias for the whole convolution. There is one for each output channel."
)
parameter_counts.wrong(
    "dense_bias_for_each_channel",
    lambda c_in, c_out, kernel, height, width: (
        parameter_counts.reference(c_in, c_out, kernel, height, width)
        | {"dense": c_out * height * width * c_in * height * width + c_out}
    ),
).says("In the dense layer you counted one bias for each channel. Each output *number* has its own.")
parameter_counts.slip("dense_one_bias_in_all", dense_biases=_one).says(
    "You counted one bias for the whole dense layer. There is one for each output number."
)
parameter_counts.slip(
    "one_bias_in_all", conv_biases=_one, dense_biases=_one, local_biases=lambda outputs, c_out: 1
).says(
    "You counted one bias for each layer: it is one for each kernel (conv), one for each output number (dense, local)."
)
parameter_counts.slip("local_bias_for_each_channel", local_biases=lambda outputs, c_out: c_out).says(
    "In the local layer you counted one bias for each channel. It shares nothing, so each output *number* has its own."
)
parameter_counts.slip("local_shared", local_kernels=lambda outputs, pixels: outputs // pixels).says(
    "You counted one kernel for each channel of the local layer. It shares nothing: each output *number* has a kernel of its own."
)
parameter_counts.slip("local_kernel_for_each_pixel", local_kernels=lambda outputs, pixels: pixels).says(
    "You counted one kernel for each pixel of the local layer. Each pixel has c_out output numbers, and each has a kernel."
)
parameter_counts.slip("dense_output_not_a_map", outputs=lambda c_out, pixels: c_out).says(
    "The dense layer's output is a whole map: c_out · height · width numbers, and each has a weight for every input number."
)
parameter_counts.slip("dense_pixel_to_pixel", meets=lambda pixels: 1).says(
    "You joined each pixel to itself alone. A dense layer joins every input number to every output number: height · width comes in twice."
)
parameter_counts.slip("kernel_not_squared", window=lambda c_in, kernel: c_in * kernel).says(
    "A kernel is square: kernel² numbers for each input channel."
)
parameter_counts.slip("input_channels_left_out", window=lambda c_in, kernel: kernel**2).says(
    "A kernel has kernel² numbers for each *input channel*: multiply by c_in."
)
parameter_counts.slip("kernels_not_shared", places=_same).says(
    'You gave every position of the convolution a kernel of its own. That is the layer "local"; a convolution shares one.'
)
parameter_counts.slip("depthwise_left_out", depthwise=lambda c_in, c_out, area: 0).says(
    "The separable layer has two steps, and the first is missing: one kernel × kernel window for each input channel."
)
parameter_counts.slip("pointwise_left_out", pointwise=lambda c_in, c_out: 0).says(
    "The separable layer has two steps, and the second is missing: a 1×1 convolution from c_in to c_out channels."
)
parameter_counts.slip("depthwise_over_all_channels", depthwise=lambda c_in, c_out, area: c_in * (c_in * area + 1)).says(
    "In the first step of the separable layer your kernels read all channels. Each reads one: kernel² weights."
)
parameter_counts.slip("depthwise_for_each_output", depthwise=lambda c_in, c_out, area: c_out * (area + 1)).says(
    "You gave the first step of the separable layer a kernel for each *output* channel. It has one for each input channel."
)
parameter_counts.slip("first_step_without_bias", depthwise=lambda c_in, c_out, area: c_in * area).says(
    "The first step of the separable layer has biases too, as any layer does here: one for each of its c_in kernels."
)
parameter_counts.slip("steps_multiplied", join=lambda one, other: one * other).says(
    "You multiplied the parameters of the two steps. Two layers, one after the other, have the sum of both."
)
parameter_counts.slip(
    "keys_swapped", finish=lambda counts: counts | {"conv": counts["dense"], "dense": counts["conv"]}
).says('Two keys are swapped: "conv" holds the count of the dense layer.')
parameter_counts.slip(
    "wrapped_at_32_bits", finish=lambda counts: counts | {"dense": (counts["dense"] + 2**31) % 2**32 - 2**31}
).says("Your count ran over the end of a 32-bit integer. Python's own int has no end; a tensor or array needs int64.")


# --- 1.5 max pooling --------------------------------------------------------------------------------------------


@lesson.exercise(points=1, hint="The same windows as in conv2d; a maximum instead of the sum, channel by channel.")
def max_pool2d(x, kernel, stride):
    """Image x (C, H, W) to (C, H_out, W_out): the largest number of each window that fits."""
    return F.max_pool2d(x, kernel, stride)


@max_pool2d.cases
def _(rng):
    yield torch.tensor([[[0.5]]]), 1, 1
    yield torch.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2, 2
    yield torch.tensor([[[-1.0, -2.0], [-4.0, -3.0]]]), 2, 2
    yield torch.tensor([[[-1e30, -2e30], [-4e30, -3e30]]]), 2, 2  # below whatever a search may start at
    yield torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]), 2, 1
    yield torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]), 2, 2  # the last column is left over
    yield torch.tensor([[[1.0]], [[2.0]]]), 1, 1  # two channels
    yield torch.arange(16.0).reshape(1, 4, 4), 2, 2
    for _ in range(12):
        kernel, stride = int(rng.integers(1, 4)), int(rng.integers(1, 4))
        height, width = (kernel + int(rng.integers(1, 6)) for _ in range(2))
        yield normal(rng, int(rng.integers(1, 4)), height, width), kernel, stride


@max_pool2d.recipe
def _(
    x, kernel, stride,
    settings=lambda k, s: (k, s), take=lambda windows: windows.amax((3, 4)), finish=_same,
):  # fmt: skip
    side, step = settings(kernel, stride)
    return finish(take(_windows(x, (side, side), step)))


max_pool2d.slip("averaged", take=lambda windows: windows.mean((3, 4))).says(
    "You took the mean of each window: that is average pooling."
)
max_pool2d.slip("summed", take=lambda windows: windows.sum((3, 4))).says("You summed each window.")
max_pool2d.slip("minimum", take=lambda windows: windows.amin((3, 4))).says(
    "You took the smallest number of each window."
)
max_pool2d.slip("stride_taken_for_kernel", settings=lambda k, s: (k, k)).says(
    "You moved the window by its own side. Move it by `stride`."
)
max_pool2d.slip("stride_of_one", settings=lambda k, s: (k, 1)).says("You moved the window by 1. Move it by `stride`.")
max_pool2d.slip("kernel_and_stride_swapped", settings=lambda k, s: (s, k)).says(
    "You swapped kernel and stride: the window has the side `kernel` and moves by `stride`."
)
max_pool2d.slip("channels_pooled", finish=lambda out: out.amax(0, keepdim=True)).says(
    "You took the maximum over the channels as well. Pooling keeps every channel apart."
)
max_pool2d.slip("one_maximum_for_all_channels", finish=lambda out: out.amax(0, keepdim=True).expand_as(out)).says(
    "Every channel got the largest number of all channels. Pooling keeps every channel apart."
)
max_pool2d.slip("last_window_left_out", finish=lambda out: out[:, :-1, :-1]).says(
    "The last row and column of windows are missing: mind the + 1 of the output size."
)
max_pool2d.wrong(
    "windows_over_the_edge", lambda x, kernel, stride: F.max_pool2d(x, kernel, stride, ceil_mode=True)
).says("Windows that hang over the edge were pooled too. A window that does not fit is left out.")


def _floor(value, *case) -> float | None:
    """The number, 0 or less, at which all is cut off that should be below it, where that is all that is wrong."""
    right = max_pool2d.reference(*case)
    if not isinstance(value, Tensor) or value.shape != right.shape or not value.is_floating_point():
        return None
    lowest = value.min().item()
    cut_off = torch.allclose(value.to(right), right.clamp(min=lowest))
    return lowest if lowest <= 0 and cut_off and (right < lowest).any() else None


def _starts_at_zero(value, *case) -> str | None:
    return "Where all numbers of a window are negative, yours is 0." if _floor(value, *case) == 0 else None


def _starts_too_high(value, *case) -> str | None:
    floor = _floor(value, *case)
    return None if floor is None else f"No number of yours is below {floor:g}, where all numbers of a window are."


max_pool2d.slip("maximum_starts_at_zero", seen=_starts_at_zero, finish=lambda out: out.clamp(min=0)).says(
    "Your maximum starts at 0, so a window of negative numbers comes out as 0. Start at -infinity, or let torch find it."
)
max_pool2d.slip("maximum_starts_too_high", seen=_starts_too_high, finish=lambda out: out.clamp(min=-100)).says(
    "Your maximum starts at a number that a whole window may lie below. Start at -infinity, or let torch find it."
)
