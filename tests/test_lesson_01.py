"""Lesson 01: right answers in other styles, wrong ones that are on no list, its figures."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from utils.checks import convolution as check
from utils.plotting import images, maps


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


# --- right answers in other styles --------------------------------------------------------------------------------


def size_by_walking(size, kernel, stride, padding, dilation):
    starts = range(0, size + 2 * padding - dilation * (kernel - 1), stride)
    return np.int64(len(starts))


def conv2d_by_kernel_taps(x, weight, bias, stride, padding, dilation):
    """One tap of the kernel at a time, for all windows at once."""
    x = F.pad(x, (padding,) * 4).double()
    rows, columns = weight.shape[2:]
    height = check.output_size.reference(x.shape[1], rows, stride, 0, dilation)
    width = check.output_size.reference(x.shape[2], columns, stride, 0, dilation)
    out = bias.double()[:, None, None].repeat(1, height, width)
    for u in range(rows):
        for v in range(columns):
            top, left = u * dilation, v * dilation
            pixels = x[
                :, top : top + (height - 1) * stride + 1 : stride, left : left + (width - 1) * stride + 1 : stride
            ]
            out += torch.einsum("oc,chw->ohw", weight[:, :, u, v].double(), pixels)
    return out


def conv2d_by_numpy(x, weight, bias, stride=1, padding=0, dilation=1):
    x = np.pad(x.numpy(), ((0, 0), (padding, padding), (padding, padding)))
    shape = [dilation * (side - 1) + 1 for side in weight.shape[2:]]
    windows = np.lib.stride_tricks.sliding_window_view(x, shape, (1, 2))[:, ::stride, ::stride, ::dilation, ::dilation]
    return np.einsum("chwuv,ocuv->ohw", windows, weight.numpy()) + bias.numpy()[:, None, None]


class ByFold:
    def __call__(self, x, weight, bias, stride=1, padding=0):
        columns = F.unfold(x, weight.shape[2:], stride=stride, padding=padding)
        height = check.output_size.reference(x.shape[2], weight.shape[2], stride, padding)
        return (weight.flatten(1) @ columns + bias[:, None]).unflatten(-1, (height, -1))


def counts_by_torch(c_in, c_out, kernel, height, width):
    pixels = height * width
    conv = torch.nn.Conv2d(c_in, c_out, kernel, device="meta")
    dense = torch.nn.Linear(c_in * pixels, c_out * pixels, device="meta")
    return {name: sum(p.numel() for p in layer.parameters()) for name, layer in [("dense", dense), ("conv", conv)]}


def pool_by_loops(x, kernel, stride):
    height, width = ((side - kernel) // stride + 1 for side in x.shape[1:])
    out = torch.full((len(x), height, width), -torch.inf)
    for i in range(height):
        for j in range(width):
            out[:, i, j] = x[:, i * stride : i * stride + kernel, j * stride : j * stride + kernel].amax((1, 2))
    return out


RIGHT = {
    "output_size": {"walking": size_by_walking},
    "conv2d": {"torch's own": F.conv2d, "tap by tap": conv2d_by_kernel_taps, "numpy": conv2d_by_numpy},
    "conv2d_unfold": {"an object": ByFold(), "numpy": lambda *case: F.conv2d(*case).numpy()},
    "parameter_counts": {"torch's layers": counts_by_torch},
    "max_pool2d": {"loops": pool_by_loops},
}


# --- wrong answers ------------------------------------------------------------------------------------------------


def unfold_to_the_input_size(x, weight, bias, stride, padding):
    columns = F.unfold(x, weight.shape[2:], stride=stride, padding=padding)
    return (weight.flatten(1) @ columns + bias[:, None]).reshape(len(x), len(weight), *x.shape[2:])


def each_channel(x, weight, bias, *settings):
    return torch.stack([F.conv2d(x[c : c + 1], weight[:, c : c + 1], bias, *settings) for c in range(len(x))])


def maximum_from(start):
    return lambda *case: F.max_pool2d(*case).clamp(min=start)


WRONG = {
    "output_size": {"negative": (lambda size, kernel, stride, padding, dilation: -size, "", "expected")},
    "conv2d": {
        "a list": (lambda *case: F.conv2d(*case).tolist(), "", "expected a tensor of shape (1, 1, 1), got a list"),
        "relu": (lambda *case: F.conv2d(*case).relu(), "", "expected"),
        "channels not summed": (each_channel, "channels_kept_apart"),
    },
    "conv2d_unfold": {"the size of the input": (unfold_to_the_input_size, "", "is invalid for input of size")},
    "parameter_counts": {"a number": (lambda *case: 10, "", "expected a dict")},
    "max_pool2d": {
        "a list": (lambda *case: F.max_pool2d(*case).tolist(), "", "expected a tensor of shape (1, 1, 1)"),
        "at least -1": (maximum_from(-1.0), "maximum_starts_too_high"),
        "at least -50": (maximum_from(-50.0), "maximum_starts_too_high"),
        "at least -1e5": (maximum_from(-1e5), "maximum_starts_too_high"),
    },
}


# --- figures ------------------------------------------------------------------------------------------------------


def test_the_last_output_is_left_to_the_reader():
    image, kernel = torch.arange(9.0).reshape(1, 3, 3), torch.ones(1, 1, 2, 2)
    axes = images.plot_windows(image, kernel)
    assert [text.get_text() for text in axes[2].texts] == ["8", "12", "20", "?"]


def test_error_maps_share_one_scale():
    axes = maps.plot_error_maps({"small": torch.full((3, 3), 0.1), "large": torch.ones(4, 4)}, columns=2)
    assert {ax.images[0].get_clim() for ax in axes.flat} == {(0, 100)}
