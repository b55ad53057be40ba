"""Exercises of lesson 01: output size, convolution by loops and by unfold, parameter counts, pooling."""

import torch
import torch.nn.functional as F
from torch import Tensor

from utils.checking import exercise, normal

# --- 1.1 output size --------------------------------------------------------------------------------------------


@exercise(
    lesson="01",
    points=1,
    hint="Pad first. Then ask how far the window can travel, and how many steps of the stride fit into that way.",
)
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    reach = dilation * (kernel - 1) + 1
    return (size + 2 * padding - reach) // stride + 1


@output_size.cases
def _(rng):
    yield 5, 3, 1, 0, 1
    yield 5, 3, 1, 1, 1
    yield 6, 3, 2, 0, 1
    yield 7, 3, 2, 1, 1
    yield 7, 3, 1, 0, 2
    yield 28, 5, 1, 0, 1
    for _ in range(30):
        kernel, dilation = int(rng.integers(1, 6)), int(rng.integers(1, 4))
        stride, padding = int(rng.integers(1, 5)), int(rng.integers(0, 4))
        yield dilation * (kernel - 1) + 1 + int(rng.integers(0, 20)), kernel, stride, padding, dilation


@output_size.mistake("You left out the + 1. The first window is there before anything has moved.")
def no_first_window(size, kernel, stride=1, padding=0, dilation=1):
    return output_size.reference(size, kernel, stride, padding, dilation) - 1


@output_size.mistake("You added 2 after the division. Only one window is there before anything has moved: add 1.")
def one_window_too_many(size, kernel, stride=1, padding=0, dilation=1):
    return output_size.reference(size, kernel, stride, padding, dilation) + 1


@output_size.mistake("You added the padding once. There is padding at both ends.")
def padding_counted_once(size, kernel, stride=1, padding=0, dilation=1):
    return (size + padding - dilation * (kernel - 1) - 1) // stride + 1


@output_size.mistake("You ignored the padding.")
def padding_ignored(size, kernel, stride=1, padding=0, dilation=1):
    return (size - dilation * (kernel - 1) - 1) // stride + 1


@output_size.mistake("You rounded up. A window that does not fit is not computed, so the division rounds down.")
def rounded_up(size, kernel, stride=1, padding=0, dilation=1):
    return -(-(size + 2 * padding - dilation * (kernel - 1) - 1) // stride) + 1


@output_size.mistake("You divided with /, which leaves a fraction. Sizes are whole: round down, as // does.")
def not_rounded(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1


@output_size.mistake("You ignored the dilation. It stretches the kernel over dilation · (kernel - 1) + 1 positions.")
def dilation_ignored(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - kernel) // stride + 1


@output_size.mistake("You stretched the kernel to dilation · kernel. There are only kernel - 1 gaps between its taps.")
def dilation_times_kernel(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * kernel) // stride + 1


@output_size.mistake("You ignored the stride. The window moves by that many positions at each step.")
def stride_ignored(size, kernel, stride=1, padding=0, dilation=1):
    return size + 2 * padding - dilation * (kernel - 1)


@output_size.mistake("You divided by the stride first. Take the kernel's reach off the padded size, then divide.")
def divided_too_early(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding) // stride - dilation * (kernel - 1)


@output_size.mistake("You added the 1 before you divided. Count the steps first, then add the window at the start.")
def one_inside_the_division(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel - 1)) // stride


# --- 1.2 conv2d by loops ----------------------------------------------------------------------------------------


@exercise(
    lesson="01",
    points=3,
    hint="One output number is one window of the padded input times the kernel, summed over channels, rows and columns, plus the bias.",
)
def conv2d(x, weight, bias, stride=1, padding=0, dilation=1):
    return F.conv2d(x[None], weight, bias, stride=stride, padding=padding, dilation=dilation)[0]


@conv2d.cases
def _(rng):
    # The by-hand cases are the smallest, so that one of them is shown where one of them fails.
    ramp = torch.arange(9.0).reshape(1, 3, 3)
    four, digits = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]), torch.tensor([[[[1.0, 10.0], [100.0, 1000.0]]]])
    corner = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    yield four, digits, torch.zeros(1), 1, 0, 1
    yield four, digits, torch.zeros(1), 1, 1, 1
    yield ramp, corner, torch.zeros(1), 1, 0, 1
    yield ramp, corner, torch.ones(1), 1, 0, 1
    yield ramp, torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), torch.zeros(1), 1, 0, 1
    yield torch.arange(16.0).reshape(1, 4, 4), corner, torch.zeros(1), 2, 0, 1
    yield ramp, corner.flip(3), torch.zeros(1), 1, 0, 2
    for _ in range(14):
        stride, padding, dilation = (int(rng.integers(low, 4)) for low in (1, 0, 1))
        yield _random_layer(rng, dilation) + (stride, padding, dilation)


def _random_layer(rng, dilation: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """Image (C_in, H, W), kernels (C_out, C_in, kH, kW) and bias (C_out,); kernels and images are not square."""
    c_out, c_in = (int(rng.integers(1, 4)) for _ in range(2))
    k_h, k_w = (int(rng.integers(1, 4)) for _ in range(2))
    height = dilation * (k_h - 1) + 1 + int(rng.integers(2, 6))
    width = dilation * (k_w - 1) + 1 + int(rng.integers(2, 6))
    return normal(rng, c_in, height, width), normal(rng, c_out, c_in, k_h, k_w), normal(rng, c_out)


@conv2d.mistake(
    "You turned the kernel by 180°. Mathematics calls that convolution; every deep-learning library computes cross-correlation, without the flip."
)
def flipped_kernel(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d.reference(x, weight.flip(2, 3), bias, stride, padding, dilation)


@conv2d.mistake("You forgot the bias: one number for each output channel, added everywhere.")
def bias_forgotten(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d.reference(x, weight, None, stride, padding, dilation)


@conv2d.mistake("You added bias[0] to every output channel. Output channel o has the bias bias[o] of its own.")
def first_bias_for_all(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d.reference(x, weight, bias[:1].expand_as(bias), stride, padding, dilation)


@conv2d.mistake("You added the bias inside the sum, once for each product. It is added once, after the sum.")
def bias_in_the_sum(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d.reference(x, weight, bias * weight[0].numel(), stride, padding, dilation)


@conv2d.mistake("You added the bias once for each input channel. It belongs to the output channel: add it once.")
def bias_for_each_input_channel(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d.reference(x, weight, bias * len(x), stride, padding, dilation)


@conv2d.mistake("You used the first input channel alone. An output number sums over all input channels.")
def channels_not_summed(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d.reference(x[:1], weight[:, :1], bias, stride, padding, dilation)


@conv2d.mistake(
    "You used the last input channel alone. Is the sum over the channels overwritten in each round? Add to it."
)
def last_channel_alone(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d.reference(x[-1:], weight[:, -1:], bias, stride, padding, dilation)


@conv2d.mistake("You returned a map for each input channel. An output number sums over all input channels.")
def channels_kept_apart(x, weight, bias, stride=1, padding=0, dilation=1):
    pairs = zip(x.split(1), weight.split(1, dim=1), strict=True)
    return torch.stack([conv2d.reference(one, kernel, bias, stride, padding, dilation) for one, kernel in pairs])


@conv2d.mistake("You took the mean over the input channels. They are summed.")
def channels_averaged(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d.reference(x, weight / len(x), bias, stride, padding, dilation)


@conv2d.mistake("You took the mean over the window. The products are summed.")
def window_averaged(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d.reference(x, weight / weight[0].numel(), bias, stride, padding, dilation)


@conv2d.mistake(
    "Every output channel came out of the first kernel. Output channel o has the kernel weight[o] of its own."
)
def first_kernel_for_all(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d.reference(x, weight[:1].expand_as(weight), bias, stride, padding, dilation)


@conv2d.mistake("You ignored the stride. Window (i, j) begins at row i · stride and column j · stride.")
def stride_ignored_by_windows(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d.reference(x, weight, bias, 1, padding, dilation)


@conv2d.mistake(
    "The output has the right size for this stride, but the windows move by 1. Window (i, j) begins at row i · stride and column j · stride."
)
def stride_in_the_size_only(x, weight, bias, stride=1, padding=0, dilation=1):
    height, width = conv2d.reference(x, weight, bias, stride, padding, dilation).shape[1:]
    return conv2d.reference(x, weight, bias, 1, padding, dilation)[:, :height, :width]


@conv2d.mistake("You ignored the padding: `padding` zeros on each of the four sides come first.")
def padding_ignored_by_windows(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d.reference(x, weight, bias, stride, 0, dilation)


@conv2d.mistake("You padded on two sides only, right and bottom. There are zeros on all four sides.")
def padding_on_two_sides(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d.reference(F.pad(x, (0, padding, 0, padding)), weight, bias, stride, 0, dilation)


@conv2d.mistake("You padded on two sides only, left and top. There are zeros on all four sides.")
def padding_on_the_first_two_sides(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d.reference(F.pad(x, (padding, 0, padding, 0)), weight, bias, stride, 0, dilation)


@conv2d.mistake("You padded twice. There are `padding` zeros on each side: pad the image once, then use no padding.")
def padded_twice(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d.reference(x, weight, bias, stride, 2 * padding, dilation)


@conv2d.mistake("You padded with ones. This padding is with zeros.")
def padded_with_ones(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d.reference(F.pad(x, (padding,) * 4, value=1), weight, bias, stride, 0, dilation)


@conv2d.mistake("You mirrored the image at its border. This padding is with zeros.")
def border_mirrored(x, weight, bias, stride=1, padding=0, dilation=1):
    padded = F.pad(x[None], (padding,) * 4, mode="reflect")[0]
    return conv2d.reference(padded, weight, bias, stride, 0, dilation)


@conv2d.mistake(
    "You computed the output size before you padded. Pad first: the padded image has room for more windows."
)
def size_before_padding(x, weight, bias, stride=1, padding=0, dilation=1):
    height, width = conv2d.reference(x, weight, bias, stride, 0, dilation).shape[1:]
    return conv2d.reference(x, weight, bias, stride, padding, dilation)[:, :height, :width]


@conv2d.mistake("You repeated the border pixels. This padding is with zeros.")
def border_repeated(x, weight, bias, stride=1, padding=0, dilation=1):
    padded = F.pad(x[None], (padding,) * 4, mode="replicate")[0]
    return conv2d.reference(padded, weight, bias, stride, 0, dilation)


@conv2d.mistake("You padded so that the output keeps the size of the input. Pad by `padding`, whatever the kernel.")
def always_same_padding(x, weight, bias, stride=1, padding=0, dilation=1):
    rows, columns = (dilation * (side - 1) for side in weight.shape[2:])
    padded = F.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))
    return conv2d.reference(padded, weight, bias, stride, 0, dilation)


@conv2d.mistake("You ignored the dilation: neighbouring taps of the kernel read pixels that are `dilation` apart.")
def dilation_ignored_by_taps(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d.reference(x, weight, bias, stride, padding, 1)


@conv2d.mistake(
    "The output has the right size for this dilation, but the taps read neighbouring pixels. They are `dilation` pixels apart."
)
def dilation_in_the_size_only(x, weight, bias, stride=1, padding=0, dilation=1):
    height, width = conv2d.reference(x, weight, bias, stride, padding, dilation).shape[1:]
    return conv2d.reference(x, weight, bias, stride, padding, 1)[:, :height, :width]


@conv2d.mistake(
    "You swapped stride and dilation. The stride moves the window; the dilation spreads the taps inside it."
)
def stride_and_dilation_swapped(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d.reference(x, weight, bias, dilation, padding, stride)


@conv2d.mistake("You used the kernel with rows and columns swapped.")
def kernel_transposed(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d.reference(x, weight.transpose(2, 3), bias, stride, padding, dilation)


@conv2d.mistake("Rows and columns of the output are swapped: i counts rows (height), j counts columns (width).")
def output_transposed(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d.reference(x, weight, bias, stride, padding, dilation).transpose(1, 2)


@conv2d.mistake("The last row and column of windows are missing: the output size is one too small. Mind the + 1.")
def last_window_missing(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d.reference(x, weight, bias, stride, padding, dilation)[:, :-1, :-1]


@conv2d.mistake(
    "The last row and column of your output are still 0: the loops end one too early. range(height) already leaves its end out."
)
def loops_one_short(x, weight, bias, stride=1, padding=0, dilation=1):
    return F.pad(conv2d.reference(x, weight, bias, stride, padding, dilation)[:, :-1, :-1], (0, 1, 0, 1))


@conv2d.mistake("You kept a batch dimension of size 1. Here an image has the shape (channels, height, width).")
def batch_dimension_kept(x, weight, bias, stride=1, padding=0, dilation=1):
    return conv2d.reference(x, weight, bias, stride, padding, dilation)[None]


# --- 1.3 conv2d by unfold ---------------------------------------------------------------------------------------


@exercise(
    lesson="01",
    points=2,
    hint="F.unfold lays each window out as a column. With the kernels as rows, one matrix product does all the sums.",
)
def conv2d_unfold(x, weight, bias, stride=1, padding=0):
    return F.conv2d(x, weight, bias, stride=stride, padding=padding)


@conv2d_unfold.cases
def _(rng):
    yield torch.arange(9.0).reshape(1, 1, 3, 3), torch.eye(2)[None, None], torch.zeros(1), 1, 0
    yield torch.arange(8.0).reshape(1, 1, 2, 4), torch.tensor([[[[1.0], [10.0]]]]), torch.zeros(1), 1, 0
    yield torch.arange(12.0).reshape(1, 1, 3, 4), torch.tensor([[[[1.0, 2.0]]]]), torch.ones(1), 1, 0
    for _ in range(12):
        image, weight, bias = _random_layer(rng)
        batch = torch.cat([image[None], normal(rng, int(rng.integers(0, 3)), *image.shape)])
        yield batch, weight, bias, int(rng.integers(1, 3)), int(rng.integers(0, 3))


def _columns(x, weight, stride, padding):
    """Windows as columns (N, C·kH·kW, L) and the size of the output."""
    columns = F.unfold(x, weight.shape[2:], stride=stride, padding=padding)
    return columns, F.conv2d(x, weight, stride=stride, padding=padding).shape[2:]


@conv2d_unfold.mistake("You forgot the bias: reshape it to (C_out, 1), so that it is added to every column.")
def no_bias_in_the_product(x, weight, bias, stride=1, padding=0):
    return F.conv2d(x, weight, None, stride=stride, padding=padding)


@conv2d_unfold.mistake(
    "The result was (positions, channels) and was reshaped to (channels, height, width) without a transpose. A reshape does not move numbers."
)
def reshaped_without_transpose(x, weight, bias, stride=1, padding=0):
    columns, (height, width) = _columns(x, weight, stride, padding)
    out = columns.transpose(1, 2) @ weight.flatten(1).T + bias
    return out.reshape(len(x), len(weight), height, width)


@conv2d_unfold.mistake("Height and width are swapped in the last reshape. Columns run along a row first.")
def height_and_width_swapped(x, weight, bias, stride=1, padding=0):
    columns, (height, width) = _columns(x, weight, stride, padding)
    out = weight.flatten(1) @ columns + bias[:, None]
    return out.reshape(len(x), len(weight), width, height)


@conv2d_unfold.mistake(
    "The kernels were laid out in another order than the windows. unfold runs over channels, then rows, then columns, as weight.flatten(1) does."
)
def kernel_in_another_order(x, weight, bias, stride=1, padding=0):
    columns, (height, width) = _columns(x, weight, stride, padding)
    rows = weight.permute(0, 2, 3, 1).flatten(1)
    return (rows @ columns + bias[:, None]).reshape(len(x), len(weight), height, width)


@conv2d_unfold.mistake(
    "The weight was reshaped to (C·k·k, C_out) to make the product fit. That mixes the kernels: flatten to (C_out, C·k·k), then transpose if you must."
)
def weight_reshaped_to_fit(x, weight, bias, stride=1, padding=0):
    columns, (height, width) = _columns(x, weight, stride, padding)
    rows = weight.reshape(-1, len(weight)).T
    return (rows @ columns + bias[:, None]).reshape(len(x), len(weight), height, width)


@conv2d_unfold.mistake(
    "You took √L for both sides of the output. That holds for a square output only: compute height and width from the formula of 1.1."
)
def square_output_assumed(x, weight, bias, stride=1, padding=0):
    columns, _ = _columns(x, weight, stride, padding)
    side = int(columns.shape[-1] ** 0.5)
    return (weight.flatten(1) @ columns + bias[:, None]).reshape(len(x), len(weight), side, side)


@conv2d_unfold.mistake(
    "You took √L for the height of the output. That holds for a square output only: compute height and width from the formula of 1.1."
)
def height_from_a_root(x, weight, bias, stride=1, padding=0):
    columns, _ = _columns(x, weight, stride, padding)
    side = int(columns.shape[-1] ** 0.5)
    return (weight.flatten(1) @ columns + bias[:, None]).reshape(len(x), len(weight), side, -1)


@conv2d_unfold.mistake(
    "A squeeze() dropped every dimension of size 1. The result has four dimensions, whatever their sizes are."
)
def squeezed(x, weight, bias, stride=1, padding=0):
    return conv2d_unfold.reference(x, weight, bias, stride, padding).squeeze()


@conv2d_unfold.mistake("You dropped the batch dimension of a batch of one image. One image is a batch as well: N = 1.")
def batch_of_one_squeezed(x, weight, bias, stride=1, padding=0):
    return conv2d_unfold.reference(x, weight, bias, stride, padding).squeeze(0)


@conv2d_unfold.mistake("You turned the kernel by 180°. No library does: this is cross-correlation.")
def flipped_kernel_rows(x, weight, bias, stride=1, padding=0):
    return F.conv2d(x, weight.flip(2, 3), bias, stride=stride, padding=padding)


@conv2d_unfold.mistake("unfold did not get the stride: pass stride=stride.")
def stride_not_passed(x, weight, bias, stride=1, padding=0):
    return F.conv2d(x, weight, bias, padding=padding)


@conv2d_unfold.mistake("unfold did not get the padding: pass padding=padding.")
def padding_not_passed(x, weight, bias, stride=1, padding=0):
    return F.conv2d(x, weight, bias, stride=stride)


@conv2d_unfold.mistake("Only the first image of the batch came back, or all came back as one.")
def batch_lost(x, weight, bias, stride=1, padding=0):
    return F.conv2d(x, weight, bias, stride=stride, padding=padding)[0]


# --- 1.4 parameter counts ---------------------------------------------------------------------------------------


@exercise(
    lesson="01",
    points=1,
    hint="Count the numbers in one kernel, times the kernels, plus one bias each. A dense layer has a weight for every pair (input number, output number).",
)
def parameter_counts(c_in, c_out, kernel, height, width):
    pixels = height * width
    dense = (c_in * pixels) * (c_out * pixels) + c_out * pixels
    return {"conv": c_out * (c_in * kernel**2 + 1), "dense": dense}


@parameter_counts.cases
def _(rng):
    yield 1, 1, 1, 1, 1
    yield 1, 1, 3, 2, 2
    yield 2, 3, 3, 2, 4
    yield 3, 64, 3, 32, 32
    for _ in range(20):
        yield tuple(int(rng.integers(low, high)) for low, high in [(1, 20), (1, 65), (1, 8), (2, 40), (2, 40)])
    yield 3, 64, 3, 224, 224  # too many for 32 bits


def _counted_wrong(explanation: str, name: str, conv, dense):
    """Declare a mistake whose two counts are given by formulas."""

    def answer(c_in, c_out, kernel, height, width):
        case = (c_in, c_out, kernel, height, width)
        return {"conv": conv(*case), "dense": dense(*case)}

    answer.__name__ = name
    parameter_counts.mistake(explanation)(answer)


def _conv(c_in, c_out, kernel, height, width):
    return parameter_counts.reference(c_in, c_out, kernel, height, width)["conv"]


def _dense(c_in, c_out, kernel, height, width):
    return parameter_counts.reference(c_in, c_out, kernel, height, width)["dense"]


_counted_wrong(
    "You left the biases out: one for each output channel (conv), one for each output number (dense).",
    "biases_left_out",
    lambda ci, co, k, h, w: co * ci * k * k,
    lambda ci, co, k, h, w: ci * h * w * co * h * w,
)
_counted_wrong(
    "The convolution's biases are missing: one for each output channel.",
    "conv_bias_left_out",
    lambda ci, co, k, h, w: co * ci * k * k,
    _dense,
)
_counted_wrong(
    "The dense layer's biases are missing: one for each output number, c_out · height · width of them.",
    "dense_bias_left_out",
    _conv,
    lambda ci, co, k, h, w: ci * h * w * co * h * w,
)
_counted_wrong(
    "You counted one bias for the whole convolution. There is one for each output channel.",
    "conv_one_bias_in_all",
    lambda ci, co, k, h, w: co * ci * k * k + 1,
    _dense,
)
_counted_wrong(
    "You counted one bias for the whole dense layer. There is one for each output number.",
    "dense_one_bias_in_all",
    _conv,
    lambda ci, co, k, h, w: ci * h * w * co * h * w + 1,
)
_counted_wrong(
    "You counted one bias for each layer: it is one for each output channel (conv), one for each output number (dense).",
    "one_bias_in_all",
    lambda ci, co, k, h, w: co * ci * k * k + 1,
    lambda ci, co, k, h, w: ci * h * w * co * h * w + 1,
)
_counted_wrong(
    'The two keys are swapped: "conv" holds the count of the dense layer.',
    "keys_swapped",
    _dense,
    _conv,
)
_counted_wrong(
    "Your count ran over the end of a 32-bit integer. Python's own int has no end; a tensor or array needs int64.",
    "wrapped_at_32_bits",
    _conv,
    lambda *case: (_dense(*case) + 2**31) % 2**32 - 2**31,
)
_counted_wrong(
    "A kernel is square: kernel² numbers for each input channel.",
    "kernel_not_squared",
    lambda ci, co, k, h, w: co * (ci * k + 1),
    _dense,
)
_counted_wrong(
    "A kernel has kernel² numbers for each *input channel*: multiply by c_in.",
    "input_channels_left_out",
    lambda ci, co, k, h, w: co * (k * k + 1),
    _dense,
)
_counted_wrong(
    "You gave every position a kernel of its own. The point of a convolution is that all positions share one.",
    "kernels_not_shared",
    lambda ci, co, k, h, w: co * (ci * k * k + 1) * h * w,
    _dense,
)
_counted_wrong(
    "The dense layer's output is a whole map: c_out · height · width numbers, and each has a weight for every input number.",
    "dense_output_not_a_map",
    _conv,
    lambda ci, co, k, h, w: ci * h * w * co + co,
)
_counted_wrong(
    "The dense layer has one bias for each output *number*, not one for each channel.",
    "dense_bias_for_each_channel",
    _conv,
    lambda ci, co, k, h, w: ci * h * w * co * h * w + co,
)


# --- 1.5 max pooling --------------------------------------------------------------------------------------------


@exercise(
    lesson="01", points=1, hint="The same windows as in conv2d; a maximum in place of the sum, channel by channel."
)
def max_pool2d(x, kernel, stride):
    return F.max_pool2d(x, kernel, stride)


@max_pool2d.cases
def _(rng):
    yield torch.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2, 2
    yield torch.tensor([[[-1e6, -2e6], [-4e6, -3e6]]]), 2, 2
    yield torch.arange(16.0).reshape(1, 4, 4), 2, 2
    yield -torch.arange(12.0).reshape(1, 3, 4), 2, 1
    for _ in range(12):
        kernel, stride = int(rng.integers(1, 4)), int(rng.integers(1, 4))
        height, width = (kernel + int(rng.integers(1, 6)) for _ in range(2))
        yield normal(rng, int(rng.integers(1, 4)), height, width), kernel, stride


@max_pool2d.mistake("You took the mean of each window: that is average pooling.")
def averaged(x, kernel, stride):
    return F.avg_pool2d(x, kernel, stride)


@max_pool2d.mistake("You summed each window.")
def summed(x, kernel, stride):
    return F.avg_pool2d(x, kernel, stride) * kernel**2


@max_pool2d.mistake("You took the smallest number of each window.")
def minimum(x, kernel, stride):
    return -F.max_pool2d(-x, kernel, stride)


@max_pool2d.mistake("You moved the window by its own side. Move it by `stride`.")
def stride_taken_for_kernel(x, kernel, stride):
    return F.max_pool2d(x, kernel, kernel)


@max_pool2d.mistake("You moved the window by 1. Move it by `stride`.")
def stride_of_one(x, kernel, stride):
    return F.max_pool2d(x, kernel, 1)


@max_pool2d.mistake("You swapped kernel and stride: the window has the side `kernel` and moves by `stride`.")
def kernel_and_stride_swapped(x, kernel, stride):
    return F.max_pool2d(x, stride, kernel)


@max_pool2d.mistake("You took the maximum over the channels as well. Pooling keeps every channel apart.")
def channels_pooled(x, kernel, stride):
    return F.max_pool2d(x, kernel, stride).amax(0, keepdim=True)


@max_pool2d.mistake(
    "Your maximum starts at 0, so a window of negative numbers comes out as 0. Start at -infinity, or let torch find it."
)
def maximum_starts_at_zero(x, kernel, stride):
    return F.max_pool2d(x, kernel, stride).clamp(min=0)


def _is_cut_off_below(value, x, kernel, stride) -> bool:
    """Whether all that is wrong with `value` is that nothing in it is below a certain number."""
    right = max_pool2d.reference(x, kernel, stride)
    same_shape = isinstance(value, Tensor) and value.shape == right.shape
    return same_shape and torch.allclose(value.to(right), right.clamp(min=value.min().item()))


@max_pool2d.mistake(
    "Your maximum starts at a number that a whole window may lie below. Start at -infinity, or let torch find it.",
    symptom=_is_cut_off_below,
)
def maximum_starts_too_high(x, kernel, stride):
    return F.max_pool2d(x, kernel, stride).clamp(min=-100)


@max_pool2d.mistake("Windows that hang over the edge were pooled too. A window that does not fit is left out.")
def windows_over_the_edge(x, kernel, stride):
    return F.max_pool2d(x, kernel, stride, ceil_mode=True)


@max_pool2d.mistake("The last row and column of windows are missing: mind the + 1 of the output size.")
def last_window_left_out(x, kernel, stride):
    return F.max_pool2d(x, kernel, stride)[:, :-1, :-1]
