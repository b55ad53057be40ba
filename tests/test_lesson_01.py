"""Lesson 01: right answers in other styles, wrong ones that are on no list, its figures."""

import itertools
import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from utils import costs
from utils.plotting import images, maps
from utils.widgets import kernel_painter


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


# --- right answers in other styles --------------------------------------------------------------------------------


def size(pixels, kernel, stride=1, padding=0, dilation=1):
    return (pixels + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def size_by_walking(size, kernel, stride, padding, dilation):
    starts = range(0, size + 2 * padding - dilation * (kernel - 1), stride)
    return np.int64(len(starts))


def size_by_torch(size, kernel, stride, padding, dilation):
    layer = nn.Conv1d(1, 1, kernel, stride, padding, dilation, device="meta")
    return layer(torch.empty(1, 1, size, device="meta")).shape[-1]


def conv2d_number_by_number(x, weight, bias, stride, padding, dilation):
    """Lists of lists; pixels outside the image are passed over instead of padded."""
    height, width = (
        size(*sides, stride, padding, dilation) for sides in zip(x.shape[1:], weight.shape[2:], strict=True)
    )
    out = [[[bias[o].item()] * width for _ in range(height)] for o in range(len(weight))]
    for o, i, j, c, u, v in np.ndindex(len(weight), height, width, *weight.shape[1:]):
        row, column = i * stride + u * dilation - padding, j * stride + v * dilation - padding
        if 0 <= row < x.shape[1] and 0 <= column < x.shape[2]:
            out[o][i][j] += (x[c, row, column] * weight[o, c, u, v]).item()
    return torch.tensor(out)


def conv2d_by_kernel_taps(x, weight, bias, stride, padding, dilation):
    """One tap of the kernel at a time, for all windows at once."""
    x = F.pad(x, (padding,) * 4).double()
    rows, columns = weight.shape[2:]
    height, width = size(x.shape[1], rows, stride, 0, dilation), size(x.shape[2], columns, stride, 0, dilation)
    out = bias.double()[:, None, None].repeat(1, height, width)
    for u, v in np.ndindex(rows, columns):
        below, right = x[:, u * dilation :: stride], slice(v * dilation, None, stride)
        pixels = below[:, :height, right][:, :, :width]
        out += torch.einsum("oc,chw->ohw", weight[:, :, u, v].double(), pixels)
    return out


def conv2d_by_numpy(x, weight, bias, stride=1, padding=0, dilation=1):
    x = np.pad(x.numpy(), ((0, 0), (padding, padding), (padding, padding)))
    shape = [dilation * (side - 1) + 1 for side in weight.shape[2:]]
    windows = np.lib.stride_tricks.sliding_window_view(x, shape, (1, 2))[:, ::stride, ::stride, ::dilation, ::dilation]
    return np.einsum("chwuv,ocuv->ohw", windows, weight.numpy()) + bias.numpy()[:, None, None]


def conv2d_by_fourier(x, weight, bias, stride, padding, dilation):
    x = F.pad(x, (padding,) * 4).double()
    spread = torch.zeros(*weight.shape[:2], *(dilation * (side - 1) + 1 for side in weight.shape[2:])).double()
    spread[:, :, ::dilation, ::dilation] = weight
    product = (torch.fft.rfft2(x) * torch.fft.rfft2(spread, s=x.shape[1:]).conj()).sum(1)
    height, width = (side - tap + 1 for side, tap in zip(x.shape[1:], spread.shape[2:], strict=True))
    return torch.fft.irfft2(product, s=x.shape[1:])[:, :height:stride, :width:stride] + bias[:, None, None]


def conv2d_by_vmap(x, weight, bias, stride, padding, dilation):
    columns = F.unfold(x[None], weight.shape[2:], dilation, padding, stride)[0]
    out = torch.func.vmap(lambda window: weight.flatten(1) @ window + bias, in_dims=1, out_dims=1)(columns)
    return out.unflatten(1, (size(x.shape[1], weight.shape[2], stride, padding, dilation), -1))


def conv2d_by_module(x, weight, bias, stride, padding, dilation):
    layer = nn.Conv2d(*weight.shape[1::-1], weight.shape[2:], stride, padding, dilation)
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer(x)


def at_half_precision(x, weight, bias, *settings):
    return F.conv2d(x.half(), weight.half(), bias.half(), *settings)


class ByFold:
    def __call__(self, x, weight, bias, stride=1, padding=0):
        columns = F.unfold(x, weight.shape[2:], stride=stride, padding=padding)
        return (weight.flatten(1) @ columns + bias[:, None]).unflatten(
            -1, (size(x.shape[2], weight.shape[2], stride, padding), -1)
        )


def windows_as_rows(x, weight, bias, stride, padding):
    rows = F.unfold(x, tuple(weight.shape[2:]), stride=stride, padding=padding).transpose(1, 2)
    out = (rows @ weight.reshape(len(weight), -1).T + bias).transpose(1, 2)
    return out.reshape(len(x), len(weight), size(x.shape[2], weight.shape[2], stride, padding), -1)


def unfolded_by_fold(x, weight, bias, stride, padding):
    out = weight.flatten(1) @ nn.Unfold(weight.shape[2:], stride=stride, padding=padding)(x) + bias[:, None]
    sides = [size(*pair, stride, padding) for pair in zip(x.shape[2:], weight.shape[2:], strict=True)]
    return F.fold(out, sides, 1)


def unfolded_by_view(x, weight, bias, stride, padding):
    x = nn.ZeroPad2d(padding)(x)
    windows = x.unfold(2, weight.shape[2], stride).unfold(3, weight.shape[3], stride)
    return torch.einsum("nchwuv,ocuv->nohw", windows, weight) + bias[:, None, None]


def counts_by_torch(c_in, c_out, kernel, height, width):
    pixels = height * width
    layers = {
        "conv": [nn.Conv2d(c_in, c_out, kernel, device="meta")],
        "separable": [
            nn.Conv2d(c_in, c_in, kernel, groups=c_in, device="meta"),
            nn.Conv2d(c_in, c_out, 1, device="meta"),
        ],
        "local": [nn.Conv2d(c_in, c_out * pixels, kernel, device="meta")],
        "dense": [nn.Linear(c_in * pixels, c_out * pixels, device="meta")],
    }
    return {name: sum(p.numel() for layer in parts for p in layer.parameters()) for name, parts in layers.items()}


def counts_by_numpy(c_in, c_out, kernel, height, width):
    inputs, outputs, area = np.prod([c_in, height, width]), np.prod([c_out, height, width]), np.square(kernel)
    weights = {"dense": inputs, "local": c_in * area, "conv": c_in * area}
    counts = {name: (own + 1) * (c_out if name == "conv" else outputs) for name, own in weights.items()}
    return counts | {"separable": np.dot([area + 1, c_in + 1], [c_in, c_out])}


def counts_as_floats(*case):
    return {name: float(count) for name, count in counts_by_torch(*case).items()}


def pool_by_loops(x, kernel, stride):
    height, width = ((side - kernel) // stride + 1 for side in x.shape[1:])
    out = torch.full((len(x), height, width), -torch.inf)
    for i, j in np.ndindex(height, width):
        out[:, i, j] = x[:, i * stride : i * stride + kernel, j * stride : j * stride + kernel].amax((1, 2))
    return out


def pool_number_by_number(x, kernel, stride):
    height, width = ((side - kernel) // stride + 1 for side in x.shape[1:])
    out = torch.zeros(len(x), height, width)
    for c, i, j in np.ndindex(out.shape):
        best = x[c, i * stride, j * stride]
        for u, v in np.ndindex(kernel, kernel):
            best = max(best, x[c, i * stride + u, j * stride + v])
        out[c, i, j] = best
    return out


def pool_by_numpy(x, kernel, stride):
    return np.lib.stride_tricks.sliding_window_view(x.numpy(), (kernel, kernel), (1, 2))[:, ::stride, ::stride].max(
        (3, 4)
    )


def pool_by_unfold(x, kernel, stride):
    return F.unfold(x[:, None], kernel, stride=stride).amax(1).unflatten(1, (size(x.shape[1], kernel, stride), -1))


RIGHT = {
    "output_size": {
        "walking": size_by_walking,
        "torch's own": size_by_torch,
        "rounded down by math": lambda n, k, s, p, d: math.floor((n + 2 * p - d * (k - 1) - 1) / s) + 1,
        "rounded up": lambda n, k, s, p, d: math.ceil((n + 2 * p - d * (k - 1)) / s),
        "a tensor": lambda *case: torch.tensor(size(*case)),
        "a float": lambda *case: float(size(*case)),
    },
    "conv2d": {
        "torch's own": F.conv2d,
        "number by number": conv2d_number_by_number,
        "tap by tap": conv2d_by_kernel_taps,
        "numpy": conv2d_by_numpy,
        "Fourier": conv2d_by_fourier,
        "vmap": conv2d_by_vmap,
        "a module": conv2d_by_module,
        "half precision": at_half_precision,
        "double precision": lambda *case: F.conv2d(*case).double(),
        "every window, then every s-th": lambda x, w, b, s, p, d: F.conv2d(x, w, b, 1, p, d)[:, ::s, ::s],
    },
    "conv2d_unfold": {
        "an object": ByFold(),
        "windows as rows": windows_as_rows,
        "fold": unfolded_by_fold,
        "a view": unfolded_by_view,
        "image by image": lambda x, *case: torch.stack([F.conv2d(image, *case) for image in x]),
        "numpy": lambda *case: F.conv2d(*case).numpy(),
        "half precision": at_half_precision,
    },
    "parameter_counts": {"torch's layers": counts_by_torch, "numpy": counts_by_numpy, "floats": counts_as_floats},
    "max_pool2d": {
        "loops": pool_by_loops,
        "number by number": pool_number_by_number,
        "numpy": pool_by_numpy,
        "unfold": pool_by_unfold,
        "a module": lambda x, kernel, stride: nn.MaxPool2d(kernel, stride)(x),
        "rows, then columns": lambda x, k, s: x.unfold(1, k, s).amax(-1).unfold(2, k, s).amax(-1),
        "from the lowest float on": lambda *case: F.max_pool2d(*case).clamp(min=torch.finfo(torch.float32).min),
    },
}


# --- wrong answers ------------------------------------------------------------------------------------------------


def conv2d(x, weight, bias, stride=1, padding=0, dilation=1):
    return F.conv2d(x, weight, bias, stride, padding, dilation)


def each_channel(x, weight, bias, *settings):
    return torch.stack([F.conv2d(x[c : c + 1], weight[:, c : c + 1], bias, *settings) for c in range(len(x))])


def settings_of(rows, columns):
    """conv2d with settings of its own for rows and for columns, each made of (stride, padding, dilation)."""

    def answer(x, weight, bias, *settings):
        return F.conv2d(x, weight, bias, *zip(rows(*settings), columns(*settings), strict=True))

    return answer


def same(s, p, d):
    return s, p, d


def reshaped(*sides, stride=True, padding=True):
    """conv2d_unfold whose unfold may miss a setting, and whose last reshape is to these sides."""

    def answer(x, w, b, s, p):
        columns = F.unfold(x, w.shape[2:], stride=s if stride else 1, padding=p if padding else 0)
        right = F.conv2d(x, w, b, s, p)
        chosen = [right.shape[side] if side > 0 else side for side in sides or (2, 3)]
        return (w.flatten(1) @ columns + b[:, None]).reshape(len(x), len(w), *chosen)

    return answer


def unfold_to_the_input_size(x, weight, bias, stride, padding):
    columns = F.unfold(x, weight.shape[2:], stride=stride, padding=padding)
    return (weight.flatten(1) @ columns + bias[:, None]).reshape(len(x), len(weight), *x.shape[2:])


def counts(**wrong):
    """Right counts but for these, each given as a function of (c_in, c_out, kernel, pixels)."""

    def answer(c_in, c_out, kernel, height, width):
        case = c_in, c_out, kernel, height * width
        right = counts_by_torch(c_in, c_out, kernel, height, width)
        return right | {name: one(*case) for name, one in wrong.items()}

    return answer


def built_to_be_counted(c_in, c_out, kernel, height, width):
    layer = nn.Linear(c_in * height * width, c_out * height * width)
    right = counts_by_torch(c_in, c_out, kernel, height, width)
    return right | {"dense": sum(weight.numel() for weight in layer.parameters())}


def maximum_from(start):
    return lambda *case: F.max_pool2d(*case).clamp(min=start)


def of_each_window(choose):
    """max_pool2d with another choice from each window, given as its numbers in one row."""
    return lambda x, kernel, stride: choose(x.unfold(1, kernel, stride).unfold(2, kernel, stride).flatten(3))


WRONG = {
    "output_size": {
        "negative": (lambda n, k, s, p, d: -n, "", "expected"),
        "always 1": lambda *case: 1,
        "the size of the input": lambda n, *rest: n,
        "rounded to the nearest": lambda n, k, s, p, d: round((n + 2 * p - d * (k - 1) - 1) / s) + 1,
        "dilation put between the taps": (
            lambda n, k, s, p, d: (n + 2 * p - k - (k - 1) * d) // s + 1,
            "dilation_between_the_taps",
        ),
        "dilation added once": (lambda n, k, s, p, d: (n + 2 * p - (k + d - 1)) // s + 1, "stretched_once"),
        "reach without its + 1": (lambda n, k, s, p, d: (n + 2 * p - d * (k - 1)) // s + 1, "reach_one_short"),
        "dilation times the stride": lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // (s * d) + 1,
        "kernel and stride swapped": lambda n, k, s, p, d: (n + 2 * p - d * (s - 1) - 1) // k + 1,
        "two sides": (lambda *case: (size(*case), size(*case)), "", "expected a whole number, got a tuple"),
        "printed": (lambda *case: print(size(*case)), "", "return it instead"),
    },
    "conv2d": {
        "a list": (lambda *case: conv2d(*case).tolist(), "", "expected a tensor of shape (1, 1, 1), got a list"),
        "relu": (lambda *case: conv2d(*case).relu(), "", "expected"),
        "rounded": lambda *case: conv2d(*case).round(),
        "whole numbers": (lambda *case: conv2d(*case).long(), "", "cannot hold fractions"),
        "zeros": lambda *case: torch.zeros_like(conv2d(*case)),
        "channels not summed": (each_channel, "channels_kept_apart"),
        "stride of the rows alone": settings_of(same, lambda s, p, d: (1, p, d)),
        "stride of the columns alone": settings_of(lambda s, p, d: (1, p, d), same),
        "padding of the rows alone": settings_of(same, lambda s, p, d: (s, 0, d)),
        "padding of the columns alone": settings_of(lambda s, p, d: (s, 0, d), same),
        "dilation of the rows alone": settings_of(same, lambda s, p, d: (s, p, 1)),
        "dilation of the columns alone": settings_of(lambda s, p, d: (s, p, 1), same),
        "stride applied after cropping": (
            lambda x, w, b, s, p, d: conv2d(x, w, b, 1, p, d)[:, :-1:s, :-1:s],
            None,
        ),
        "padded at the end": lambda x, w, b, s, p, d: F.pad(conv2d(x, w, b, s, 0, d), (p,) * 4),
        "read on at the opposite border": (
            lambda x, w, b, s, p, d: conv2d(F.pad(x, (p,) * 4, mode="circular"), w, b, s, 0, d),
            "border_wrapped",
        ),
        "flipped from left to right alone": lambda x, w, *case: conv2d(x, w.flip(3), *case),
        "bias twice": lambda x, w, b, *case: conv2d(x, w, 2 * b, *case),
        "three channels at most": lambda x, w, *case: conv2d(x[:3], w[:, :3], *case),
        "kernels of three at most": lambda x, w, *case: conv2d(x, w[:, :, :3, :3], *case),
        "square images alone": lambda x, *case: conv2d(x[:, : min(x.shape[1:]), : min(x.shape[1:])], *case),
        "square kernels alone": lambda x, w, *case: conv2d(x, w[..., : min(w.shape[2:]), : min(w.shape[2:])], *case),
        "a padding of one at most": lambda x, w, b, s, p, d: conv2d(x, w, b, s, min(p, 1), d),
    },
    "conv2d_unfold": {
        "the size of the input": (unfold_to_the_input_size, "", "is invalid for input of size"),
        "unfold without the stride": (reshaped(stride=False), "stride_not_passed", "is invalid for input of size"),
        "unfold without the padding": (reshaped(padding=False), "padding_not_passed", "is invalid for input of size"),
        "the width for both sides": (reshaped(3, 3), "one_side_for_both"),
        "not reshaped": (reshaped(-1), "not_reshaped"),
        "the columns themselves": lambda x, w, b, s, p: F.unfold(x, w.shape[2:], stride=s, padding=p),
        "channels last": lambda *case: F.conv2d(*case).permute(0, 2, 3, 1),
        "the first image for all": lambda *case: F.conv2d(*case)[:1].expand_as(F.conv2d(*case)),
        "images and channels mixed": lambda *case: F.conv2d(*case).transpose(0, 1).reshape(F.conv2d(*case).shape),
        "zeros": lambda *case: torch.zeros_like(F.conv2d(*case)),
    },
    "parameter_counts": {
        "a number": (lambda *case: 10, "", "expected a dict"),
        "two numbers": (lambda *case: tuple(counts()(*case).values()), "", "expected a dict, got a tuple"),
        "other keys": (lambda *case: {"Conv": 2, "Dense": 2}, "", "expected the keys"),
        "a bias for each pair of channels": counts(conv=lambda i, o, k, n: o * i * (k**2 + 1)),
        "a kernel for each input channel": counts(conv=lambda i, o, k, n: i * (k**2 + 1)),
        "a map for each pair of channels": counts(separable=lambda i, o, k, n: i * o * (k**2 + 1) + o * (i + 1)),
        "a window of every channel for each pixel": (
            counts(local=lambda i, o, k, n: n * (i * k**2 + 1)),
            None,
        ),
        "only two": (
            lambda *case: {name: counts()(*case)[name] for name in ("conv", "dense")},
            "",
            "expected the keys",
        ),
        "dense from pixel to pixel": (counts(dense=lambda i, o, k, n: i * n * o + o * n), "dense_pixel_to_pixel"),
        "dense without input channels": counts(dense=lambda i, o, k, n: n * o * n + o * n),
        "at single precision": counts(dense=lambda i, o, k, n: np.float32((i * n + 1) * o * n)),
        "at 32 bits": (
            counts(dense=lambda i, o, k, n: np.int64((i * n + 1) * o * n).astype(np.int32)),
            "wrapped_at_32_bits",
        ),
        "built to be counted": (built_to_be_counted, "", "raised an error"),
    },
    "max_pool2d": {
        "a list": (lambda *case: F.max_pool2d(*case).tolist(), "", "expected a tensor of shape"),
        "whole numbers": (lambda *case: F.max_pool2d(*case).long(), "", "cannot hold fractions"),
        "at least 0": (maximum_from(0.0), "maximum_starts_at_zero"),
        "at least -1": (maximum_from(-1.0), "maximum_starts_too_high"),
        "at least -50": (maximum_from(-50.0), "maximum_starts_too_high"),
        "at least -1e9": (maximum_from(-1e9), "maximum_starts_too_high", "No number of yours is below -1e+09"),
        "at least 1": maximum_from(1.0),
        "zeros": lambda *case: torch.zeros_like(F.max_pool2d(*case)),
        "the image": lambda x, kernel, stride: x,
        "the first": of_each_window(lambda windows: windows[..., 0]),
        "the last": of_each_window(lambda windows: windows[..., -1]),
        "the median": of_each_window(lambda windows: windows.median(-1).values),
        "the largest magnitude": of_each_window(lambda windows: windows.abs().amax(-1)),
        "where it is": (lambda *case: F.max_pool2d(*case, return_indices=True)[1], ""),
        "with where it is": (lambda *case: F.max_pool2d(*case, return_indices=True), "", "return it alone"),
        "padded": lambda x, kernel, stride: F.max_pool2d(x, kernel, stride, padding=kernel // 2),
        "rows alone": lambda x, kernel, stride: x.unfold(1, kernel, stride).amax(-1),
        "square images alone": lambda x, *case: F.max_pool2d(x[:, : min(x.shape[1:]), : min(x.shape[1:])], *case),
        "one channel for all": (
            lambda *case: F.max_pool2d(*case).amax(0, keepdim=True).expand_as(F.max_pool2d(*case)),
            "one_maximum_for_all_channels",
        ),
    },
}


# --- figures ------------------------------------------------------------------------------------------------------


def test_the_last_output_is_left_to_the_reader():
    image, kernel = torch.arange(9.0).reshape(1, 3, 3), torch.ones(1, 1, 2, 2)
    axes = images.plot_windows(image, kernel)
    assert [text.get_text() for text in axes[2].texts] == ["8", "12", "20", "?"]


def test_where_no_connection_is_no_weight_is_drawn():
    axes = images.plot_weights({"dense": torch.full((4, 4), 2.0), "local": torch.eye(4)})
    assert [ax.images[0].get_array().count() for ax in axes] == [16, 4]
    assert {ax.images[0].get_clim() for ax in axes} == {(-2, 2)}


def test_images_with_a_bar_share_one_scale_and_others_do_not():
    dark, bright = torch.tensor([[0.0, 0.5]]), torch.tensor([[0.0, 2.0]])
    assert {ax.images[0].get_clim() for ax in images.plot_images([dark, bright], bar="brightness").flat} == {(0, 2)}
    assert [ax.images[0].get_clim() for ax in images.plot_images([dark, bright]).flat] == [(0, 0.5), (0, 2)]
    signed = images.plot_images([dark, bright], bar="weight", signed=True)
    assert {ax.images[0].get_clim() for ax in signed.flat} == {(-2, 2)}


def test_a_color_image_keeps_its_colors():
    drawn = images.plot_image(torch.rand(3, 4, 5)).images[0]
    assert drawn.get_array().shape == (4, 5, 3)


def test_errors_of_shifts_are_a_dot_for_each_draw():
    ax = maps.plot_shift_errors({"pool": {"noise": [0.5, 0.7], "digits": [0.2, 0.2]}})
    dots = [line.get_xdata() for line in ax.lines if line.get_linestyle() == "None"]
    assert np.allclose(dots, [[50, 70], [20, 20]])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["noise", "digits"]


def test_error_maps_share_one_scale():
    axes = maps.plot_error_maps({"small": torch.full((3, 3), 0.1), "large": torch.ones(4, 4)}, columns=2)
    assert {ax.images[0].get_clim() for ax in axes.flat} == {(0, 100)}


# --- its measurements ---------------------------------------------------------------------------------------------


def test_calls_take_turns_on_one_thread(monkeypatch):
    monkeypatch.setattr(
        costs.time, "thread_time", itertools.count(0.0, 1.0).__next__
    )  # each measurement takes a second
    before, said = torch.get_num_threads(), []
    taken = costs.processor_seconds(
        {name: lambda name=name: said.append((name, torch.get_num_threads())) for name in "ab"}, rounds=2
    )
    assert taken == {"a": [1, 1], "b": [1, 1]} and torch.get_num_threads() == before
    assert "".join(name for name, _ in said[-4:]) == "abab" and {threads for _, threads in said} == {1}


def test_a_quick_call_is_repeated_until_it_can_be_measured(monkeypatch):
    monkeypatch.setattr(costs.time, "thread_time", itertools.count(0.0, 0.001).__next__)  # a millisecond each
    said = []
    [seconds] = costs.processor_seconds({"quick": lambda: said.append(1)}, rounds=1)["quick"]
    assert len(said) == 2 + 20 or len(said) == 2 + 21
    assert seconds == pytest.approx(0.001 / (len(said) - 2))


def test_the_painter_has_both_images_and_draws_the_scale_of_the_map():
    for image in kernel_painter.IMAGES.values():
        figure = kernel_painter.draw(torch.eye(3), image())
        assert [len(ax.images) for ax in figure.axes[:3]] == [1, 1, 1]
        assert figure.axes[-1].get_ylabel() == "output"


def test_the_book_of_the_painter_holds_what_the_lesson_asks_for():
    image = kernel_painter.shapes()
    same, moved, edges = (
        F.conv2d(image[None], torch.tensor(weights, dtype=torch.float32).reshape(1, 1, 3, 3), padding=1)[0]
        for weights in kernel_painter.TO_BE_FOUND.values()
    )
    assert torch.equal(same, image) and torch.equal(moved[..., 1:], image[..., :-1])
    assert edges[0, 16, 15].abs() < 1e-5 and edges[0, 16].max() > 0.5  # the middle of the disc, and its edge
