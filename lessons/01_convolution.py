# %% [markdown] question="what does one kernel buy?" write="conv2d by loops and by unfold, sizes, counts, pooling" minutes=75
# # 01 · Convolution: what does one kernel buy?
#
# A dense layer connects every input to every output. A convolution connects each output to a small window,
# and uses the same few weights in every window. That is a strong promise about images. What does it buy?
#
# When you are done (about 75 minutes) you can
#
# - write a convolution by hand, with stride, padding and dilation, and get exactly what PyTorch gets;
# - predict the size, the parameters and the reach of a layer before you run it;
# - say where a convolution follows a moving image exactly, and where it does not.

# %% setup=true
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from utils import notebook, reach
from utils.checks import convolution as check
from utils.notebook import payoff
from utils.plotting.costs import plot_parameter_counts
from utils.plotting.images import plot_images, plot_impulse_responses, plot_windows
from utils.plotting.maps import plot_error_maps
from utils.widgets.kernel_painter import kernel_painter

notebook.setup()
# %% [markdown]
# ## One window, one number
#
# Start in one dimension. Output $t$ looks at a window of the input around $t$, and weighs it:
#
# $$y_t = \sum_{i=-r}^{r} W_i\, x_{t+i} + b$$
#
# | symbol | in code | shape |
# | --- | --- | --- |
# | $x_t$ | `x` | (T,): one number for each position |
# | $r$ | `r` | how far the window goes to each side (lesson 00 called it $k$) |
# | $W_i$ | `w` | (2r + 1,): one weight for each *offset* i, the same at every position t |
# | $b$ | `b` | a single number, 0 in the example |
# | $y_t$ | `y` | (T − 2r,): one number for each window that fits, so for t = r … T − 1 − r |
#
# From the next section on, $k = 2r + 1$ is the size of the whole kernel, as in `kernel_size`.
#
# **Predict**: the input below is zero but for a single 1. What does the output look like?

# %%
x = torch.tensor([0.0, 0, 0, 1, 0, 0, 0])
w, r = torch.tensor([1.0, 2, 3]), 1
y = torch.stack([(w * x[t - r : t + r + 1]).sum() for t in range(r, len(x) - r)])
y

# %% [markdown]
# The kernel 1, 2, 3 comes out as 3, 2, 1. The window slides to the right, so the 1 passes through it from the
# right end to the left.
#
# Mathematicians turn the kernel around first, and call the result *convolution*. Without the turn it is
# *cross-correlation*. NumPy has both. Which one is PyTorch's?

# %%
# NBVAL_CHECK_OUTPUT
print("convolution      ", np.convolve(x, w, mode="valid"))
print("cross-correlation", np.correlate(x, w, mode="valid"))
print("F.conv1d         ", F.conv1d(x[None, None], w[None, None]).flatten().numpy())

# %% [markdown]
# `F.conv1d` computes the cross-correlation, and so does every layer that is called a convolution. For learned
# weights it makes no difference: a network that needs the turned kernel learns it turned. It matters when you
# write a kernel by hand. From here on we say *convolution*, as everybody does, and do not turn.

# %% [markdown]
# ## Where windows fit
#
# Three settings change which windows there are. **Padding** adds zeros around the input. **Stride** is how far
# the window moves at each step. **Dilation** spreads the kernel's taps, with gaps between them.
#
# One bright pixel and a kernel of ones show all three: every output that lights up has seen the pixel.

# %%
# The same 3×3 kernel of ones and the same bright pixel, under four settings.
settings = {
    "plain": dict(),
    "padding 1": dict(padding=1),
    "stride 2": dict(stride=2),
    "dilation 2": dict(dilation=2),
}
plot_impulse_responses(settings)

# %% [markdown]
# How large is the output? Along one side, the window covers
# $\text{reach} = d\,(k-1) + 1$ pixels. It starts at the left edge, and moves by $s$ while it still fits:
#
# $$\text{out} = \left\lfloor \frac{n + 2p - \text{reach}}{s} \right\rfloor + 1$$
#
# | symbol | in code | meaning |
# | --- | --- | --- |
# | $n$ | `size` | side of the input, in pixels |
# | $k$, $s$, $p$, $d$ | `kernel`, `stride`, `padding`, `dilation` | settings of the layer |
# | $\lfloor\cdot\rfloor$ | `//` | round down: a window that does not fit is left out |
#
# **Predict**: a 28×28 image, a 5×5 kernel, nothing else. Which side has the output?

# %% [markdown]
# ### Exercise 1.1 · output size
# ●○○ · about 5 minutes · 1 point
#
# Write `output_size(size, kernel, stride, padding, dilation)`. It returns one whole number: how many pixels wide the
# output is.


# %% answer="output_size"
def output_size(
    size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    """Side of the output of a convolution, in pixels.

    >>> output_size(5, 3)
    3
    """
    ### BEGIN SOLUTION
    window = dilation * (kernel - 1) + 1
    return (size + 2 * padding - window) // stride + 1
    ### END SOLUTION


# %% check="output_size"
check.output_size(output_size)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Pad first: the side grows at both ends. How far can the window travel from its first place? How many steps of
# the stride fit into that way? The first place counts too.
# </details>
# <details><summary>Help: I am off by one</summary>
#
# A way of 0 steps still leaves one window. Count the steps, then add 1.
# </details>
# <details><summary>Help: I get 13.5</summary>
#
# `/` gives fractions; `//` rounds down.
# </details>

# %% payoff="output_size"
with payoff("output_size"):
    for kernel, stride, padding in [(5, 1, 0), (3, 1, 1), (3, 2, 1)]:
        side = nn.Conv2d(1, 1, kernel, stride, padding)(torch.zeros(1, 28, 28)).shape[-1]
        mine = output_size(28, kernel, stride, padding, 1)
        print(f"kernel {kernel}, stride {stride}, padding {padding}: you {mine}, torch {side}")

# %% [markdown]
# The middle one is the most common layer of all: kernel 3 with padding 1 keeps the size.

# %% [markdown]
# ## Two dimensions, several channels
#
# An image has rows, columns and channels. The window becomes a box: all channels, $k_H$ rows, $k_W$ columns.
# Each output channel $o$ has a kernel and a bias of its own:
#
# $$y_{o,i,j} = b_o + \sum_{c}\sum_{u}\sum_{v} W_{o,c,u,v}\; x_{c,\; i s + u d,\; j s + v d}$$
#
# | symbol | in code | shape |
# | --- | --- | --- |
# | $x$ | `x` | (C_in, H, W), padded with zeros first |
# | $W$ | `weight` | (C_out, C_in, kH, kW) |
# | $b$ | `bias` | (C_out,) |
# | $y$ | `out` | (C_out, H_out, W_out) |
#
# Follow the first window by eye, then **predict** the number in place of the question mark.

# %%
image = torch.arange(9.0).reshape(1, 3, 3)
kernel = torch.tensor([[[[1.0, 0.0], [0.0, 2.0]]]])
plot_windows(image, kernel)

# %% [markdown]
# Written down? The last window holds 4, 5, 7 and 8. Two of its weights are zero.

# %%
# NBVAL_CHECK_OUTPUT
F.conv2d(image[None], kernel)[0, 0, -1, -1]

# %% [markdown]
# ### Exercise 1.2 · conv2d by loops
# ●●○ · about 25 minutes · 3 points
#
# Write `conv2d(x, weight, bias, stride, padding, dilation)`, with `padding` zeros on each of the four sides. Loop over
# the output positions; take each window out of the padded image with a slice, multiply, sum. Return a tensor. Loops
# are slow and that is fine here. Images and kernels need not be square.


# %% answer="conv2d"
def conv2d(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> torch.Tensor:
    """Convolution of one image: x (C_in, H, W), weight (C_out, C_in, kH, kW), bias (C_out,).

    Returns (C_out, H_out, W_out).

    >>> conv2d(torch.ones(1, 2, 2), torch.ones(1, 1, 2, 2), torch.zeros(1))
    tensor([[[4.]]])
    """
    ### BEGIN SOLUTION
    x = F.pad(x, (padding, padding, padding, padding))  # left, right, top, bottom
    c_out, _, rows, columns = weight.shape
    height = (x.shape[1] - dilation * (rows - 1) - 1) // stride + 1
    width = (x.shape[2] - dilation * (columns - 1) - 1) // stride + 1
    out = torch.zeros(c_out, height, width)
    for i in range(height):
        for j in range(width):
            top, left = i * stride, j * stride
            bottom, right = top + dilation * (rows - 1) + 1, left + dilation * (columns - 1) + 1
            window = x[:, top:bottom:dilation, left:right:dilation]  # (C_in, kH, kW)
            out[:, i, j] = (weight * window).sum((1, 2, 3)) + bias
    return out
    ### END SOLUTION


# %% check="conv2d"
check.conv2d(conv2d)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Two loops, over the rows i and the columns j of the *output*. Inside, one window of the input and one sum.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# `F.pad(x, (left, right, top, bottom))` pads the last two dimensions. A slice `a:b:d` takes every d-th row.
# A window has shape (C_in, kH, kW), `weight * window` has (C_out, C_in, kH, kW), and its sum over the last three
# dimensions has (C_out,): one number for each output channel, all at once.
# </details>
# <details><summary>Help: I get "The size of tensor a must match the size of tensor b"</summary>
#
# A window at the edge is too small: a slice that runs over the end is cut off in silence. Compute how many windows
# fit *after* padding.
# </details>
# <details><summary>Help: only the cases with one channel pass</summary>
#
# Sum over the input channels too. They share nothing but the sum.
# </details>

# %% [markdown]
# Now use it. These kernels were written by hand long before networks learned theirs. The third picture answers to
# horizontal edges, the fourth to vertical edges.

# %%
scene = F.pad(torch.ones(1, 8, 10), (7, 7, 8, 8))  # a bright box in the dark
edges = torch.tensor([[[1.0, 1, 1], [0, 0, 0], [-1, -1, -1]]])
hand_written = torch.stack([torch.full((1, 3, 3), 1 / 9), edges, edges.transpose(1, 2)])

# %% payoff="conv2d"
with payoff("conv2d"):
    answers = torch.as_tensor(conv2d(scene, hand_written, torch.zeros(3), 1, 1, 1)).detach()
    plot_images(
        [scene, *answers], ["the scene", "blur", "horizontal edges", "vertical edges"], signed=True
    )

# %% [markdown]
# Blue is negative, red positive. A kernel is a pattern, and its map says where the image looks like it.

# %% [markdown]
# ## Paint a kernel
#
# Choose a kernel, or set its nine weights one by one, and watch the map. Try: find the kernel that leaves the image as
# it is; move the image by one pixel; keep the edges of the disc and turn its inside white, which is zero.

# %%
kernel_painter()

# %% [markdown]
# ## The same sum as one matrix product
#
# Loops make the machine wait. `F.unfold` lays each window out as a *column*. Then all windows of all kernels are one
# matrix product, and that is what processors are fast at.

# %%
# NBVAL_CHECK_OUTPUT
columns = F.unfold(image[None], kernel_size=2)  # (N, C·kH·kW, number of windows)
columns[0].int()

# %% [markdown]
# | step | shape |
# | --- | --- |
# | images `x` | (N, C_in, H, W) |
# | `F.unfold(x, (kH, kW), …)` | (N, C_in·kH·kW, L), with L = H_out·W_out windows |
# | kernels as rows, `weight.flatten(1)` | (C_out, C_in·kH·kW) |
# | product, plus the bias | (N, C_out, L) |
# | reshaped | (N, C_out, H_out, W_out) |
#
# **Predict**: unfold copies pixels. How many copies of an inner pixel are there for a 3×3 kernel?

# %% [markdown]
# ### Exercise 1.3 · conv2d by unfold
# ●●○ · about 15 minutes · 2 points
#
# Write `conv2d_unfold(x, weight, bias, stride, padding)` for a whole batch of N images. `F.unfold` and one matrix
# product do it: you need no loop. Images and kernels need not be square.


# %% answer="conv2d_unfold"
def conv2d_unfold(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, stride: int = 1, padding: int = 0
) -> torch.Tensor:
    """Convolution of a batch: x (N, C_in, H, W), weight (C_out, C_in, kH, kW), bias (C_out,).

    Returns (N, C_out, H_out, W_out).

    >>> conv2d_unfold(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 2), torch.zeros(1)).shape
    torch.Size([1, 1, 1, 1])
    """
    ### BEGIN SOLUTION
    n, _, height, width = x.shape
    c_out, _, rows, columns = weight.shape
    windows = F.unfold(x, (rows, columns), stride=stride, padding=padding)  # (N, C_in·kH·kW, L)
    out = weight.flatten(1) @ windows + bias[:, None]  # (N, C_out, L)
    height = (height + 2 * padding - rows) // stride + 1
    width = (width + 2 * padding - columns) // stride + 1
    return out.reshape(n, c_out, height, width)
    ### END SOLUTION


# %% check="conv2d_unfold"
check.conv2d_unfold(conv2d_unfold)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Row times column is exactly one window's sum. Kernels are the rows, windows the columns.
# </details>
# <details><summary>Help: the shapes fit, the numbers do not</summary>
#
# `reshape` never moves a number; `transpose` does. If the product came out as (N, L, C_out), swap the last two
# dimensions before you reshape.
# </details>
# <details><summary>Help: "shape … is invalid for input of size …"</summary>
#
# The sizes that you reshape to do not multiply to the numbers that you have. Height and width of the output come from the
# formula of 1.1, each from its own side of image and kernel. The root of L is right for square outputs alone.
# </details>

# %% payoff="conv2d_unfold"
with payoff("conv2d_unfold"):
    layer = nn.Conv2d(3, 64, 3, padding=1).requires_grad_(False)
    batch = torch.randn(8, 3, 32, 32)
    mine = torch.as_tensor(conv2d_unfold(batch, layer.weight, layer.bias, 1, 1)).detach()
    difference = (mine - layer(batch)).abs().max()
    print(f"{mine.numel():,} numbers, largest difference from torch: {difference:.1e}")

# %% [markdown]
# And the copies? Folding the windows back adds every copy of a pixel up. With ones, that counts them:

# %%
# NBVAL_CHECK_OUTPUT
ones = torch.ones(1, 1, 6, 6)
F.fold(F.unfold(ones, 3), (6, 6), 3)[0, 0].int()

# %% [markdown]
# Nine copies of an inner pixel, one of a corner. Speed was bought with memory.

# %% [markdown]
# ## How few weights
#
# `nn.Conv2d(3, 64, 3, padding=1)` turns a 32×32 colour image into 64 maps of the same size. A dense layer could do
# the same. It would have a weight for every pair of an input number and an output number.
#
# | layer | weights | biases |
# | --- | --- | --- |
# | convolution | C_out · C_in · k² | C_out |
# | dense | (C_in·H·W) · (C_out·H·W) | C_out·H·W |
#
# **Predict**: a thousand times more? A hundred thousand times?

# %% [markdown]
# ### Exercise 1.4 · parameter counts
# ●○○ · about 5 minutes · 1 point
#
# Write `parameter_counts(c_in, c_out, kernel, height, width)`. It returns a dict: under `"conv"` the parameters of the
# convolution, under `"dense"` those of the dense layer from (c_in, height, width) to (c_out, height, width). Biases
# count, and both numbers are exact, however large.


# %% answer="parameter_counts"
def parameter_counts(c_in: int, c_out: int, kernel: int, height: int, width: int) -> dict[str, int]:
    """Parameters, with biases, of a convolution that keeps the size and of a dense layer instead.

    >>> parameter_counts(1, 1, 3, 2, 2)
    {'conv': 10, 'dense': 20}
    """
    ### BEGIN SOLUTION
    pixels = height * width
    conv = c_out * (c_in * kernel**2 + 1)
    dense = (c_in * pixels) * (c_out * pixels) + c_out * pixels
    return {"conv": conv, "dense": dense}
    ### END SOLUTION


# %% check="parameter_counts"
check.parameter_counts(parameter_counts)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Draw one output number. In a convolution, which weights reach it, and which *other* output numbers use the same ones?
# In a dense layer, none are shared.
# </details>
# <details><summary>Help: it runs too long, or out of memory</summary>
#
# You have built the dense layer to count its weights. Do not make it: count with the formula of the table.
# </details>

# %% payoff="parameter_counts"
with payoff("parameter_counts"):
    sides = [8, 16, 32, 64]
    plot_parameter_counts(sides, [parameter_counts(3, 64, 3, side, side) for side in sides])
    print(parameter_counts(3, 64, 3, 32, 32))

# %% [markdown]
# The convolution's count does not depend on the size of the image at all. It bought this by two promises: each output
# looks at a *small* window (local connectivity), and every window uses the *same* weights (parameter sharing).
# Torch's own layers confirm the numbers, without making the large one:

# %%
# NBVAL_CHECK_OUTPUT
conv = nn.Conv2d(3, 64, 3, padding=1)
dense = nn.Linear(3 * 32 * 32, 64 * 32 * 32, device="meta")  # "meta": shapes without memory
[sum(p.numel() for p in layer.parameters()) for layer in (conv, dense)]

# %% [markdown]
# ## Local: which pixels reach one output?
#
# The gradient of one output with respect to the image tells which pixels it depends on. That is the course's ruler,
# `reach.influence`. **Predict** its picture for the unit in the middle, for one and for two 3×3 layers.

# %%
one = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1))
two = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 1, 3, padding=1))
seen = [reach.influence(model, torch.randn(1, 1, 9, 9), at="centre") for model in (one, two)]
plot_images(seen, [f"{int((s > 0).sum())} of 81 pixels" for s in seen])

# %% [markdown]
# One layer sees 9 pixels, two see 25, whatever the weights are. Lesson 03 is about how this grows.

# %% [markdown]
# ## Pooling
#
# Pooling takes one number out of each window: the largest (max pooling) or the mean (average pooling). It has no
# weights and keeps the channels apart. With a stride it makes the map smaller, so that later windows see more.

# %% [markdown]
# ### Exercise 1.5 · max pooling
# ●○○ · about 10 minutes · 1 point
#
# Write `max_pool2d(x, kernel, stride)` for one image, without padding. The window is `kernel` × `kernel` pixels and moves
# by `stride`. A window that does not fit is left out, as in 1.1.


# %% answer="max_pool2d"
def max_pool2d(x: torch.Tensor, kernel: int, stride: int) -> torch.Tensor:
    """Largest value in each window: x (C, H, W) -> (C, H_out, W_out).

    >>> max_pool2d(torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]), kernel=2, stride=2)
    tensor([[[4.]]])
    """
    ### BEGIN SOLUTION
    windows = x.unfold(1, kernel, stride).unfold(
        2, kernel, stride
    )  # (C, H_out, W_out, kernel, kernel)
    return windows.amax((3, 4))
    ### END SOLUTION


# %% check="max_pool2d"
check.max_pool2d(max_pool2d)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Your loops from `conv2d` do it: the same windows, `amax((1, 2))` of each in place of the weighted sum.
# </details>
# <details><summary>Help: negative numbers come out as 0</summary>
#
# Somewhere the search for the maximum starts at 0. Fill the output from the windows themselves.
# </details>

# %% payoff="max_pool2d"
with payoff("max_pool2d"):
    noisy = scene + 0.3 * torch.randn(1, 24, 24, generator=torch.Generator().manual_seed(0))
    largest = torch.as_tensor(max_pool2d(noisy, 3, 3)).detach()
    shown = [noisy, largest, F.avg_pool2d(noisy, 3, 3)]
    plot_images(shown, ["24×24, noisy", "max, 3×3", "average, 3×3"])

# %% [markdown]
# The average smooths the noise away, the maximum keeps the brightest speck. *Adaptive* pooling chooses its windows so
# that the output has a size that you name, whatever the input has:

# %%
# NBVAL_CHECK_OUTPUT
[tuple(F.adaptive_avg_pool2d(torch.zeros(1, side, side + 3), 4).shape) for side in (8, 13, 28)]

# %% [markdown]
# ## Move the image: does the answer move with it?
#
# A layer is **equivariant** to a shift if *shift, then layer* gives the same as *layer, then shift*. It is
# **invariant** if the answer does not change at all. The two are often mixed up.
#
# A convolution uses the same weights everywhere, so it should be equivariant. We cut a piece out of random pictures, cut
# it again with everything moved down and right, and compare the two answers at each output position. As a yardstick
# we take the difference between the answers to two *unrelated* pictures: 0 % is the same answer, 100 % is as
# different as unrelated.
#
# **Predict** for each of these six: is the error zero? Everywhere, or where not?
#
# | | moved by 1 | moved by 2 |
# | --- | --- | --- |
# | convolution 3×3, no padding | ? | |
# | convolution 3×3, zero padding 1 | ? | |
# | convolution 3×3, stride 2 | ? | ? |
# | convolution 3×3, then max pooling 2×2 with stride 2 | ? | ? |

# %%
pictures = torch.randn(64, 1, 24, 24, generator=torch.Generator().manual_seed(0))


def piece(shift: int, pictures=pictures) -> torch.Tensor:
    """A piece (64, 1, 16, 16) of each picture, in which everything has moved down and right."""
    return pictures[:, :, 4 - shift : 20 - shift, 4 - shift : 20 - shift]


def unrelated(answers: torch.Tensor) -> torch.Tensor:
    """Mean squared difference between the answers to one picture and to the next."""
    return (answers - answers.roll(1, dims=0)).square().mean()


# %%
def equivariance_error(layer, shift: int, stride: int = 1) -> torch.Tensor:
    """Map (H, W): how far 'shift, then layer' is from 'layer, then shift'. 1 is unrelated."""
    before, after = layer(piece(0)), layer(piece(shift))
    steps = shift // stride  # how far the answer should have moved
    moved = before[:, :, : before.shape[2] - steps, : before.shape[3] - steps]
    difference = (after[:, :, steps:, steps:] - moved).square().mean((0, 1))
    return (difference / unrelated(before)).sqrt().detach()


# %% figure="equivariance"
torch.manual_seed(0)
no_padding, padded = nn.Conv2d(1, 8, 3), nn.Conv2d(1, 8, 3, padding=1)
strided, pooled = nn.Conv2d(1, 8, 3, stride=2), nn.Sequential(nn.Conv2d(1, 8, 3), nn.MaxPool2d(2))
errors = {
    "no padding, shift 1": equivariance_error(no_padding, 1),
    "stride 2, shift 1": equivariance_error(strided, 1, stride=2),
    "max pool 2, shift 1": equivariance_error(pooled, 1, stride=2),
    "zero padding, shift 1": equivariance_error(padded, 1),
    "stride 2, shift 2": equivariance_error(strided, 2, stride=2),
    "max pool 2, shift 2": equivariance_error(pooled, 2, stride=2),
}
plot_error_maps(errors)

# %% [markdown]
# - **Without padding** the error is zero everywhere: the convolution is exactly equivariant.
# - **Zero padding** breaks it at the border, and only there: the border sees zeros that were not in the picture.
# - **With stride 2** a shift by 2 is followed exactly. A shift by 1 would need half a step, and the answer is about as
#   far off as that to another picture. (Ours are white noise: neighbouring pixels have nothing in common.)
# - **Max pooling** with stride 2 has the same flaw, and is hardly better.
#
# So "a CNN is translation equivariant" holds for each convolution, away from the border, and for shifts by whole
# strides. And *invariance*? That takes a step that forgets the position, such as a mean over the whole map. The same
# yardstick, for an image that moves by one pixel. In the second column the pictures are dark but for a patch in the middle,
# so that nothing enters or leaves at the border. **Predict** which of the six numbers are zero.


# %%
def invariance_error(layer, pictures: torch.Tensor) -> float:
    """How far the answer moves when the image does, by one pixel. 1 is unrelated."""
    before, after = layer(piece(0, pictures)), layer(piece(1, pictures))
    return ((after - before).square().mean() / unrelated(before)).sqrt().item()


# %%
# NBVAL_CHECK_OUTPUT
global_mean = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
patch = F.pad(pictures[:, :, 8:15, 8:15], (8, 9, 8, 9))  # dark but for the middle
layers = {"convolution": no_padding, "max pool 2": pooled, "global mean": global_mean}
for name, layer in layers.items():
    full, dark = (100 * invariance_error(layer, images) for images in (pictures, patch))
    print(f"{name:12} full picture {full:4.0f} %   patch on dark {dark:4.0f} %")

# %% [markdown]
# A convolution is equivariant and not at all invariant: its answer to the moved image is as far from the first as that
# to an unrelated image. A small max pooling changes little about that. The mean over the whole map forgets the
# position, and where nothing enters or leaves at the border, its answer does not change at all.

# %% [markdown]
# ## Quiz
#
# One question, one point. Choose, and say why in a sentence.

# %% [markdown] quiz="same_output_size" points=1
# A layer `nn.Conv2d(8, 8, 3, padding=1)` is replaced by `nn.Conv2d(8, 8, 3, padding=2, dilation=2)`. What changes?
#
# - **a** The output is larger, since there is more padding.
# - **b** The number of parameters grows, since the kernel is larger.
# - **c** Each output reads nine pixels spread over 5×5, in place of a full 3×3; size and parameters stay.
# - **d** Nothing: dilation and padding cancel.
#
# ### BEGIN SOLUTION
# **c**. The nine taps spread over 5×5 pixels; padding 2 keeps the size, and nine weights stay nine weights.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice would mean</summary>
#
# - **a**: the padding grew by 2 on both sides together, and the window's reach grew by 2 as well. Put both into 1.1.
# - **b**: dilation moves the taps apart. It adds none.
# - **c**: right. That is what dilation is for: reach without weights.
# - **d**: the *size* stays; what an output sees does not. Look at the fourth impulse response above.
# </details>

# %% [markdown]
# ## What we measured
#
# **What does one kernel buy?** Weights that do not grow with the image, and an answer that moves with it.

# %%
inner, edge = errors["zero padding, shift 1"][2:-2, 2:-2], errors["zero padding, shift 1"][-1]
notebook.headline(
    conv_parameters=sum(p.numel() for p in conv.parameters()),
    dense_parameters=sum(p.numel() for p in dense.parameters()),
    equivariance_error_inside=inner.max().item(),
    equivariance_error_at_the_border=edge.mean().item(),
    equivariance_error_stride_2_shift_1=errors["stride 2, shift 1"].mean().item(),
)

# %% [markdown]
# - A convolution is a window, a product and a sum; by loops or as one matrix product, it equals PyTorch's.
# - Its size follows from one formula, its parameters from another, and neither needs the machine.
# - It is equivariant inside the image and for whole strides. It is not invariant. A mean over the whole map is, but for
#   what enters and leaves at the border.
#
# <!-- next -->
#
# **References**. LeCun, Bottou, Bengio, Haffner (1998), *Gradient-based learning applied to document recognition*.
# Dumoulin, Visin (2016), *A guide to convolution arithmetic for deep learning*. Zhang (2019), *Making convolutional
# networks shift-invariant again*.
