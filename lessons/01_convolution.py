# %% [markdown] question="what does one kernel buy?" write="conv2d by loops and by unfold, sizes, counts, pooling" minutes=100
# # 01 · Convolution: what does one kernel buy?
#
# A dense layer connects every input to every output. A convolution connects each output to a small window,
# and uses the same few weights in every window. Those are two strong assumptions about images. What do they buy?
#
# When you are done (about 100 minutes) you can
#
# - say how a convolution comes out of a dense layer, and draw its matrix;
# - write a convolution by hand, with stride, padding and dilation, and get exactly what PyTorch gets;
# - predict the size, the parameters and the reach of a layer before you run it;
# - learn a kernel by gradient descent, and say what kind of image makes that easy;
# - say where a convolution follows a moving image exactly, and where it does not.

# %% setup=true
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from utils import data, notebook, reach
from utils.checks import convolution as check
from utils.claims import claim
from utils.costs import processor_seconds
from utils.notebook import payoff
from utils.plotting.costs import plot_parameter_counts
from utils.plotting.fields import plot_fields
from utils.plotting.images import (
    plot_images,
    plot_impulse_responses,
    plot_weights,
    plot_windows,
)
from utils.plotting.maps import plot_error_maps, plot_shift_errors
from utils.widgets.kernel_painter import kernel_painter

notebook.setup()

# %% [markdown]
# ## 1 · Why a convolution?
#
# Here is a photograph, and beside it the same photograph with its pixels shuffled.

# %%
photo = F.avg_pool2d(data.photograph(), 5)  # (3, 85, 128): a fifth of its size, for speed
order = torch.randperm(85 * 128, generator=torch.Generator().manual_seed(0))
shuffled = photo.flatten(1)[:, order].reshape(photo.shape)
plot_images([photo, shuffled], ["a photograph", "the same pixels, shuffled"])

# %% [markdown]
# <small>Photograph: D. Büchele, CC BY 2.0; scikit-learn ships it.</small>
#
# To you these are very different images. To a dense layer they are equally good: shuffle its columns of weights in the
# same way, and it gives the same answers as before. It does not know which pixels are neighbours. (A claim below, marked
# with ✓, tests that. You will meet many of them: each is a sentence with what this run measured.)
#
# But neighbours are special. **Predict**: how strongly are two pixels correlated that lie 1 pixel apart? 16? 64? And in
# the shuffled image?


# %%
def correlation(image: torch.Tensor, distance: int) -> float:
    """Between the pixels of a grey image (1, H, W) and those `distance` pixels to their right."""
    left, right = image[..., :-distance].flatten(), image[..., distance:].flatten()
    return torch.corrcoef(torch.stack([left, right]))[0, 1].item()


# %%
grey, grey_shuffled = (image.mean(0, keepdim=True) for image in (photo, shuffled))
for distance in (1, 4, 16, 64):
    as_it_is, mixed = correlation(grey, distance), correlation(grey_shuffled, distance)
    print(f"{distance:2} pixels apart: {as_it_is:5.2f} in the photograph, {mixed:5.2f} shuffled")

# %%
claim(
    "Neighbouring pixels of the photograph are nearly equal; distant or shuffled ones are not",
    correlation(grey, 1) > 0.9 > 0.6 > correlation(grey, 64) > 0.1 > correlation(grey_shuffled, 1),
    correlation_of_neighbours=correlation(grey, 1),
    at_64_pixels=correlation(grey, 64),
    of_neighbours_when_shuffled=correlation(grey_shuffled, 1),
)

# %% [markdown]
# So what belongs together lies close together. And an edge is an edge, wherever in the image it lies. A dense layer has
# to discover both from examples. We can also build them in.
#
# Take a row of 12 numbers instead of an image, and a layer that turns it into 12 others. The layer is a matrix: row t
# holds the weights of output t. **Assume locality**: an output needs only its neighbourhood, so all weights far from the
# diagonal are zero. **Assume sharing**: what is useful in one place is useful in every place, so all rows hold the same
# weights, each one step further to the right.
#
# **Predict**: a dense layer has 12 × 12 = 144 weights here. How many are left after each assumption, with windows of 3?

# %%
size, w = 12, torch.tensor([1.0, 2.0, 3.0])
dense = torch.randn(size, size)
local = dense.triu(-1).tril(1)  # one step to each side of the diagonal
shared = (
    w[0] * torch.ones(size - 1).diag(-1)
    + w[1] * torch.ones(size).diag()
    + w[2] * torch.ones(size - 1).diag(1)
)
plot_weights(
    {
        "dense: 144 weights": dense,
        f"local: {int((local != 0).sum())} weights": local,
        f"local and shared: {len(w)} weights": shared,
    }
)

# %% [markdown]
# The matrix on the right is a **convolution**: a band, with the same weights all along it. PyTorch never stores that
# matrix. It keeps the three weights and slides them over the input. The result is the same.

# %%
row = torch.randn(size)
by_sliding = F.conv1d(row[None], w[None, None], padding=1)[0]
claim(
    "The banded matrix and torch's convolution give the same answer",
    torch.allclose(shared @ row, by_sliding, atol=1e-5),
    largest_difference=(shared @ row - by_sliding).abs().max().item(),
)
mixed = torch.randperm(size)
difference = (dense @ row - dense[:, mixed] @ row[mixed]).abs().max().item()
claim(
    "A dense layer whose columns are shuffled like its input gives the same answer as before",
    difference < 1e-4,
    largest_difference=difference,
)

# %% [markdown]
# You have met this band before: in lesson 00 it was the reach map of a convolution.

# %% [markdown]
# ## 2 · One window, one number
#
# Written as a formula, output $t$ looks at a window of the input around $t$ and forms a weighted sum:
#
# $$y_t = \sum_{i=-r}^{r} W_i\, x_{t+i} + b$$
#
# | symbol | in code | shape |
# | --- | --- | --- |
# | $x_t$ | `x` | (T,): one number for each position |
# | $r$ | `r` | how far the window extends to each side (lesson 00 called it $k$) |
# | $W_i$ | `w` | (2r + 1,): one weight for each *offset* i, the same at every position t |
# | $b$ | `b` | a single number, 0 in the example |
# | $y_t$ | `y` | (T − 2r,): one number for each window that fits, so for t = r … T − 1 − r |
#
# From the next section on, $k = 2r + 1$ is the size of the whole kernel, as in `kernel_size`.
#
# **Predict**: the input below is zero except for a single 1. What does the output look like?

# %% covers="1"
x, r = torch.tensor([0.0, 0, 0, 1, 0, 0, 0]), 1
y = torch.stack([(w * x[t - r : t + r + 1]).sum() for t in range(r, len(x) - r)])
y

# %% [markdown]
# The kernel 1, 2, 3 comes out as 3, 2, 1. As the window slides to the right, the 1 passes through it from the right end
# to the left.
#
# Mathematicians turn the kernel around first, and call the result *convolution*. Without the turn it is called
# *cross-correlation*. NumPy has both. **Predict**: which one is PyTorch's?

# %% same_output=true covers="1"
print("convolution      ", np.convolve(x, w, mode="valid"))
print("cross-correlation", np.correlate(x, w, mode="valid"))
print("F.conv1d         ", F.conv1d(x[None, None], w[None, None]).flatten().numpy())

# %% [markdown]
# `F.conv1d` computes the cross-correlation, and so does every layer that is called a convolution. When the weights are
# learned it makes no difference: a network that needs the turned kernel learns it turned (section 6 shows one doing so).
# It matters when you write a kernel by hand. From here on we say *convolution*, as everybody does, and do not turn.

# %% [markdown]
# ## 3 · Where windows fit
#
# Three settings decide which windows there are. **Padding** adds zeros around the input. **Stride** is how far the window
# moves at each step. **Dilation** spreads the weights of the kernel apart, with gaps between them.
#
# One bright pixel and a 3×3 kernel of ones show all three: every output that lights up has seen the pixel.
# **Predict** for each setting: how many outputs light up, and how large is the output?

# %% covers="5"
settings = {
    "plain": dict(),
    "padding 1": dict(padding=1),
    "stride 2": dict(stride=2),
    "dilation 2": dict(dilation=2),
}
plot_impulse_responses(settings)

# %% [markdown]
# ### Exercise 1.1 · output size
# ●●○ · about 10 minutes · 1 point
#
# Five numbers decide the width of an output: the width of the input, the size of the kernel, and the three settings above.
# We give no formula. Look at the pictures, draw a row of pixels, and find the rule yourself.
#
# Write `output_size(size, kernel, stride, padding, dilation)`. It returns one whole number: how many windows fit next
# to each other, which is how many pixels wide the output is. A window that does not fit as a whole is left out.


# %% answer="output_size" covers="5"
def output_size(
    size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    """Width of the output of a convolution, in pixels.

    >>> output_size(5, 3)  # windows begin at pixels 0, 1 and 2
    3
    """
    ### BEGIN SOLUTION
    first_tap, last_tap = 0, dilation * (kernel - 1)
    window = last_tap - first_tap + 1  # pixels from the first weight to the last, gaps included
    room = size + 2 * padding - window  # how far the first window can move
    steps = room // stride
    return steps + 1
    ### END SOLUTION


# %% check="output_size"
check.output_size(output_size)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Pad first: the row grows at both ends. How many pixels does one window cover, from its first weight to its last? How
# far can it travel from its first place? How many steps of the stride fit into that distance? The first place counts too.
# </details>
# <details><summary>Help: I am off by one</summary>
#
# A window that cannot move at all is still one window. Count the steps, then add 1.
# </details>
# <details><summary>Help: I get 13.5</summary>
#
# `/` gives fractions; `//` rounds down.
# </details>
#
# Now use your rule where you cannot count by eye. **Predict** first: a 28×28 image and a 5×5 kernel, nothing else. How
# many pixels wide is the output?

# %% payoff="output_size"
with payoff("output_size"):
    for kernel, stride, padding in [(5, 1, 0), (3, 1, 1), (3, 2, 1)]:
        width = nn.Conv2d(1, 1, kernel, stride, padding)(torch.zeros(1, 28, 28)).shape[-1]
        mine = output_size(28, kernel, stride, padding, 1)
        print(f"kernel {kernel}, stride {stride}, padding {padding}: you {mine}, torch {width}")

# %% [markdown]
# The second one is the most common layer of all: kernel 3 with padding 1 keeps the size. As a formula, the rule that you
# found is
#
# $$\text{out} = \left\lfloor \frac{n + 2p - \bigl(d\,(k-1) + 1\bigr)}{s} \right\rfloor + 1$$
#
# | symbol | in code | meaning |
# | --- | --- | --- |
# | $n$ | `size` | width of the input, in pixels |
# | $k$, $s$, $p$, $d$ | `kernel`, `stride`, `padding`, `dilation` | settings of the layer |
# | $d\,(k-1) + 1$ | `window` | how many pixels the window covers, gaps included |
# | $\lfloor\cdot\rfloor$ | `//` | round down: a window that does not fit is left out |

# %% [markdown]
# ## 4 · Two dimensions, several channels
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
# Follow the first window by eye, then **predict** the number that belongs where the question mark is.

# %%
image = torch.arange(9.0).reshape(1, 3, 3)
kernel = torch.tensor([[[[1.0, 0.0], [0.0, 2.0]]]])
plot_windows(image, kernel)

# %% [markdown]
# Have you written it down? The last window holds 4, 5, 7 and 8. Two of its weights are zero.

# %% same_output=true
F.conv2d(image[None], kernel)[0, 0, -1, -1]

# %% [markdown]
# ### Exercise 1.2 · conv2d by loops
# ●●○ · about 25 minutes · 3 points
#
# Write `conv2d(x, weight, bias, stride, padding, dilation)`, with `padding` zeros on each of the four sides. Loop over
# the output positions; take each window out of the padded image with a slice, multiply, sum. Return a tensor. Loops
# are slow, and that is fine here. Images and kernels need not be square.


# %% answer="conv2d" covers="1 5"
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
# A window at the edge is too small, because a slice that runs past the end is cut off without a warning. Compute how
# many windows fit *after* padding.
# </details>
# <details><summary>Help: only the cases with one channel pass</summary>
#
# Sum over the input channels too: an output number is one sum over the whole box.
# </details>
#
# Now use it on the photograph. These kernels were written by hand, long before networks learned theirs. **Predict**: which
# parts of the tower will the second kernel show, and which the third?

# %%
edges = torch.tensor([[[1.0, 1, 1], [0, 0, 0], [-1, -1, -1]]])
hand_written = torch.stack([torch.full((1, 3, 3), 1 / 9), edges, edges.transpose(1, 2)])
hand_written[:, 0]

# %% payoff="conv2d"
with payoff("conv2d"):
    answers = torch.as_tensor(conv2d(grey, hand_written, torch.zeros(3), 1, 0, 1)).detach()
    plot_images([grey, answers[0]], ["the photograph", "blurred"], bar="brightness")
    titles = ["horizontal edges", "vertical edges"]
    plot_images(answers[1:], titles, signed=True, bar="output of the kernel")

# %% [markdown]
# Red is positive: in the first map bright above dark, in the second bright to the left of dark. Blue is the opposite. A
# kernel is a small pattern, and its map says where the image looks like that pattern. The roofs stand out in one map, the
# sides of the tower in the other.

# %% [markdown]
# ## 5 · Paint a kernel
#
# Choose a kernel and watch the map. In a running notebook you can also set its nine weights one by one. Can you find the
# kernel that leaves the image as it is? One that moves the image by one pixel? One that keeps the edge of the disc but
# makes its inside zero (white)? (The painter pads with zeros, so that the frame of an image is an edge, too.)

# %%
kernel_painter()

# %% [markdown]
# ## 6 · Let the gradient find the kernel
#
# Today nobody writes kernels by hand. Suppose that you have an image and the map that some *unknown* kernel made of it.
# Start with nine random weights, measure how far off their map is, move each weight a little against its gradient, and
# repeat.


# %%
def learn_kernel(image, target, steps=20, rate=0.1, seed=0) -> torch.Tensor:
    """Gradient descent on nine weights: the kernel at the start and after each step, stacked."""
    kernel = torch.randn(1, 1, 3, 3, generator=torch.Generator().manual_seed(seed))
    path = [kernel]
    for _ in range(steps):
        kernel.requires_grad_()
        error = (F.conv2d(image, kernel) - target).square().mean()
        (gradient,) = torch.autograd.grad(error, kernel)
        kernel = kernel.detach() - rate * gradient
        path.append(kernel)
    return torch.stack(path).detach()[:, 0, 0]


# %% [markdown]
# The image is noise, and the unknown kernel is the one for horizontal edges. **Predict**: after 20 steps, will the nine
# weights be close to it, or only have begun to move?


# %%
def noise(seed: int) -> torch.Tensor:
    """An image (1, 1, 64, 64) whose pixels have nothing to do with each other."""
    return torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(100 + seed))


path = learn_kernel(noise(0), F.conv2d(noise(0), edges[None]))
shown = {"wanted": edges[0]} | {
    f"after {n} steps": path[n].round(decimals=1) for n in (0, 2, 5, 10, 20)
}
plot_images(list(shown.values()), list(shown), bar="weight", signed=True, numbers=True)


# %%
def off(learned: torch.Tensor, wanted: torch.Tensor) -> float:
    """Distance between two kernels, as a share of the length of the wanted one."""
    return ((learned - wanted).norm() / wanted.norm()).item()


seeds = range(5)
found = [
    off(learn_kernel(noise(s), F.conv2d(noise(s), edges[None]), seed=s)[-1], edges[0])
    for s in seeds
]
claim(
    "Twenty steps find the kernel from its map of a noise image, five times out of five",
    max(found) < 0.1,
    distance_from_the_wanted_kernel=found,
)

# %% [markdown]
# Section 2 promised that a network which needs the turned kernel learns it turned. Let a mathematician's convolution make
# the target, with a kernel that holds the numbers 1 to 9. **Predict** what our layer learns.

# %%
numbered = torch.arange(1.0, 10).reshape(3, 3)
target = F.conv2d(noise(0), numbered.flip(0, 1)[None, None])  # turned first: a true convolution
turned = learn_kernel(noise(0), target, steps=40)[-1]
plot_images(
    [numbered, turned.round(decimals=1)],
    ["the mathematician's", "ours, learned"],
    bar="weight",
    numbers=True,
)

# %%
claim(
    "Our layer has learned the mathematician's kernel turned by 180 degrees",
    off(turned, numbered.flip(0, 1)) < 0.05,
    distance_from_the_turned_kernel=off(turned, numbered.flip(0, 1)),
    distance_from_the_kernel_itself=off(turned, numbered),
)

# %% [markdown]
# And from a photograph? Section 1 showed that its neighbouring pixels are almost equal. If two pixels are always equal,
# their two weights can be exchanged without changing the map, so the map says little about either. As a test of this
# explanation, we also blur the noise, which makes *its* neighbours alike. **Predict**: from which of the three
# images do twenty steps find the kernel?


# %%
def standard(image: torch.Tensor) -> torch.Tensor:
    """The image with mean 0 and standard deviation 1, so that one learning rate suits all."""
    return (image - image.mean()) / image.std()


images = {
    "noise": standard(noise(0)),
    "blurred noise": standard(F.avg_pool2d(noise(0), 3, stride=1)),
    "photograph": standard(grey[None]),
}
learned, distances = {"wanted": edges[0]}, {}
for name, picture in images.items():
    paths = [learn_kernel(picture, F.conv2d(picture, edges[None]), seed=s) for s in seeds]
    learned[name] = paths[0][-1].round(decimals=2)
    distances[name] = [off(path[-1], edges[0]) for path in paths]
plot_images(list(learned.values()), list(learned), bar="weight", signed=True, numbers=True)

# %%
for name, picture in images.items():
    claim(
        f"Twenty steps on the {name}: the kernel is {'found' if name == 'noise' else 'not found'}",
        max(distances[name]) < 0.1 if name == "noise" else min(distances[name]) > 0.2,
        correlation_of_neighbours=correlation(picture, 1),
        distance_from_the_wanted_kernel=distances[name],
    )

# %% [markdown]
# The more alike the neighbours, the less twenty steps find. The gradient descent is the same, and so is the kernel: what
# can be learned also depends on what there is to see. Would the photograph only need a larger rate?

# %%
too_fast = learn_kernel(images["photograph"], F.conv2d(images["photograph"], edges[None]), rate=0.2)
claim(
    "At twice the rate the photograph's kernel explodes",
    off(too_fast[-1], edges[0]) > 100,
    distance_after_twenty_steps=off(too_fast[-1], edges[0]),
)

# %% [markdown]
# No: the rate that all three share is close to the largest that the photograph allows.

# %% [markdown]
# ## 7 · All windows in one matrix product
#
# In section 1 a convolution was a large matrix, mostly empty, that multiplies the image. There is a second way to see it
# as a matrix product, without the empty entries: lay each *window* out as a column. `F.unfold` does that.

# %% same_output=true
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

    >>> conv2d_unfold(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 2), torch.zeros(1))
    tensor([[[[4.]]]])
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
# Row times column is exactly one window's sum. The kernels are the rows, the windows are the columns.
# </details>
# <details><summary>Help: the shapes fit, the numbers do not</summary>
#
# `reshape` never moves a number; `transpose` does. If the product came out as (N, L, C_out), swap the last two
# dimensions before you reshape.
# </details>
# <details><summary>Help: "shape … is invalid for input of size …"</summary>
#
# The sizes that you reshape to do not multiply to the number of elements you have. Height and width of the output come
# from the rule of 1.1, each from its own side of image and kernel. The square root of L is right only for square outputs.
# Or the bias has stretched the product: give it the shape (C_out, 1), so that it is added to every column.
# </details>

# %% payoff="conv2d_unfold"
with payoff("conv2d_unfold"):
    layer = nn.Conv2d(3, 64, 3, padding=1).requires_grad_(False)
    batch = torch.randn(8, 3, 32, 32)
    mine = torch.as_tensor(conv2d_unfold(batch, layer.weight, layer.bias, 1, 1)).detach()
    difference = (mine - layer(batch)).abs().max()
    print(f"{mine.numel():,} numbers, largest difference from torch: {difference:.1e}")

# %% [markdown]
# You now have two convolutions of your own, and PyTorch has a third. **Predict**: how many times faster than your loops is
# your matrix product? Three times? Thirty? Three hundred?
#
# The cell below needs both of your functions. All three get one image of 3×32×32 and a layer of 16 kernels. They take
# turns, on one thread, and only the processor's time counts, so other programs on your machine hardly matter.

# %% payoff="conv2d"
with payoff("conv2d"):
    one, layer = torch.randn(1, 3, 32, 32), nn.Conv2d(3, 16, 3, padding=1).requires_grad_(False)
    seconds = processor_seconds(
        {
            "your loops": lambda: conv2d(one[0], layer.weight, layer.bias, 1, 1, 1),
            "your matrix product": lambda: conv2d_unfold(one, layer.weight, layer.bias, 1, 1),
            "torch": lambda: layer(one),
        }
    )
    for name, each in seconds.items():
        print(f"{name:20} {1000 * min(each):7.2f} to {1000 * max(each):6.2f} ms")
    loops, product = seconds["your loops"], seconds["your matrix product"]
    ratios = [slow / fast for slow, fast in zip(loops, product, strict=True)]
    claim(
        "The matrix product needs less than a tenth of the loops' processor time",
        min(ratios) > 10,
        unit="times",
        loops_over_product=ratios,
    )

# %% [markdown]
# Both do the same multiplications. But the loops make several small calls for each of the 1,024 windows, and the matrix
# product is one large call. (If your `conv2d` loops over the weights of the kernel instead of the windows, it makes only nine
# calls, and it is much faster than we expect here. And whether PyTorch's own layer beats your matrix product, and by how much, depends on the
# machine and on the sizes: look at the third line.)
#
# The speed has a price. **Predict**: unfold copies pixels. How many copies of an inner pixel are there for a 3×3
# kernel? Folding the windows back adds all copies of a pixel up. With ones, that counts them:

# %% same_output=true
ones = torch.ones(1, 1, 6, 6)
F.fold(F.unfold(ones, 3), (6, 6), 3)[0, 0].int()

# %%
claim(
    "With padding 1, the columns of a 3×3 kernel take nine times the memory of the image",
    F.unfold(photo[None], 3, padding=1).numel() == 9 * photo.numel(),
    unit="numbers",
    image=photo.numel(),
    columns=F.unfold(photo[None], 3, padding=1).numel(),
)

# %% [markdown]
# Nine copies of an inner pixel, one of a corner: here, speed is bought with memory.

# %% [markdown]
# ## 8 · A kernel of one pixel
#
# What is the use of a 1×1 kernel? It cannot see a pattern: its window is a single pixel. But that pixel has *channels*,
# and the kernel mixes them. The first kernel below weighs red, green and blue with 0.3, 0.6 and 0.1, as television does to
# get the brightness (rounded from ITU-R BT.601). The second subtracts green and blue from red. **Predict** what each will show of the photograph.

# %%
mix = torch.tensor([[0.3, 0.6, 0.1], [1.0, -0.5, -0.5]])[:, :, None, None]  # (2, 3, 1, 1)
brightness, redness = F.conv2d(photo[None], mix)[0]
plot_images([photo, brightness, redness.clamp(min=0)], ["the photograph", "brightness", "redness"])

# %% [markdown]
# A 1×1 convolution is a small dense layer from channels to channels, applied to every pixel on its own. Networks use it
# to change the number of channels (Lin et al. 2013).

# %%
pixels = photo.permute(1, 2, 0)  # (H, W, 3): the channels last, as a dense layer wants them
by_dense = F.linear(pixels, mix[:, :, 0, 0]).permute(2, 0, 1)
difference = (by_dense - torch.stack([brightness, redness])).abs().max().item()
claim(
    "A 1×1 convolution gives what a dense layer gives, pixel by pixel",
    difference < 1e-5,
    largest_difference=difference,
)

# %% [markdown]
# ## 9 · How few weights?
#
# Back to the two assumptions of section 1, now in numbers. The task: turn an image of c_in channels into c_out maps of the
# same size. Four layers can do it, from the one that assumes nothing to the one that assumes most:
#
# | layer | what it assumes |
# | --- | --- |
# | dense | nothing: every output number has a weight for every input number |
# | local | locality: every output number has a kernel × kernel window of weights over all input channels, and shares it with nobody |
# | convolution | locality and sharing: all positions of an output channel use the same kernel |
# | separable | also that space and channels can be treated separately: one kernel × kernel window for each *input* channel alone, then a 1×1 convolution to c_out channels |
#
# Every layer has biases: one for each kernel, and where nothing is shared, one for each output number. The separable layer
# is two layers, and both have biases. A weight that only ever meets the padding counts as well.
#
# **Predict**: from 3 to 64 channels, on 32×32 pixels, how many times the parameters of the convolution does the dense
# layer have? A thousand times? A hundred thousand times?

# %% [markdown]
# ### Exercise 1.4 · parameter counts
# ●●○ · about 10 minutes · 1 point
#
# Write `parameter_counts(c_in, c_out, kernel, height, width)`. It returns a dict with the exact number of parameters,
# biases included, under `"dense"`, `"local"`, `"conv"` and `"separable"`.


# %% answer="parameter_counts" covers="4"
def parameter_counts(c_in: int, c_out: int, kernel: int, height: int, width: int) -> dict[str, int]:
    """Parameters of four layers from (c_in, height, width) to (c_out, height, width).

    >>> parameter_counts(1, 1, 3, 2, 2)
    {'dense': 20, 'local': 40, 'conv': 10, 'separable': 12}
    """
    ### BEGIN SOLUTION
    inputs, outputs = c_in * height * width, c_out * height * width
    window = c_in * kernel**2  # the weights of one output number
    depthwise, pointwise = c_in * (kernel**2 + 1), c_out * (c_in + 1)
    return {
        "dense": outputs * (inputs + 1),
        "local": outputs * (window + 1),
        "conv": c_out * (window + 1),
        "separable": depthwise + pointwise,
    }
    ### END SOLUTION


# %% check="parameter_counts"
check.parameter_counts(parameter_counts)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Draw one output number. How many weights reach it? Which *other* output numbers use the same ones? In the dense and in
# the local layer, none do.
# </details>
# <details><summary>Hint: the example of the docstring</summary>
#
# One channel of 2×2 pixels to one channel of 2×2: four numbers in, four numbers out. Dense: 4 outputs, each with 4
# weights and a bias. Local: 4 outputs, each with 9 weights and a bias.
# </details>
# <details><summary>Help: it runs too long, or out of memory</summary>
#
# You have built the dense layer to count its weights. Do not build it: multiply.
# </details>

# %% payoff="parameter_counts"
with payoff("parameter_counts"):
    sides = [8, 16, 32, 64]
    plot_parameter_counts(sides, [parameter_counts(3, 64, 3, side, side) for side in sides])
    print(parameter_counts(3, 64, 3, 32, 32))

# %% [markdown]
# Look at the left end. On 8×8 pixels the local layer still has more than a tenth of the dense layer's parameters: each output
# number has 3·3·3 weights and a bias instead of 3·8·8 and a bias. Locality alone saves little on a small image, and the
# count still grows with the image. It is *sharing* that makes it independent of the size.
# PyTorch's own layers confirm the numbers, without making the large ones:

# %% same_output=true
conv = nn.Conv2d(3, 64, 3, padding=1)
dense = nn.Linear(3 * 32 * 32, 64 * 32 * 32, device="meta")  # "meta": shapes without memory
local = nn.Conv2d(3, 64 * 32 * 32, 3, device="meta")  # a kernel for every output number
separable = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1, groups=3), nn.Conv2d(3, 64, 1))
layers = {"dense": dense, "local": local, "conv": conv, "separable": separable}
count = {name: sum(p.numel() for p in layer.parameters()) for name, layer in layers.items()}
count

# %%
claim(
    "The dense layer has over a hundred thousand times the parameters of the convolution",
    count["dense"] > 100_000 * count["conv"],
    unit="parameters",
    **count,
)

# %% [markdown]
# ## 10 · Local: which pixels reach one output?
#
# The gradient of one output with respect to the image tells which pixels it depends on. That is the course's ruler,
# `reach.influence`. **Predict** its picture for the unit in the middle of a 9×9 map: for a 1×1 kernel, for one 3×3
# layer, and for two of them.

# %% covers="3"
stacks = {
    "one 1×1 layer": nn.Sequential(nn.Conv2d(1, 1, 1)),
    "one 3×3 layer": nn.Sequential(nn.Conv2d(1, 1, 3, padding=1)),
    "two 3×3 layers": nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 1, 3, padding=1)),
}
seen = {
    name: reach.influence(s, torch.randn(1, 1, 9, 9), at="centre") for name, s in stacks.items()
}
reached = {name: int((field > 0).sum()) for name, field in seen.items()}
titled = {f"{name}:\n{reached[name]} of 81 pixels": field for name, field in seen.items()}
plot_fields(titled, boxes=[(4, 1), (3, 3), (2, 5)])

# %%
claim(
    "A 1×1 layer sees 1 pixel, a 3×3 layer 9, and two of them 25",
    list(reached.values()) == [1, 9, 25],
    unit="pixels",
    **reached,
)

# %% [markdown]
# The dashed box is the window that the kernel sizes allow. Inside, yellow is the strongest influence of each map. *How*
# strongly a pixel counts depends on the weights; some count so little that they look dark, but none is zero. Lesson 03 is about how this box grows.

# %% [markdown]
# ## 11 · Pooling
#
# Pooling takes one number out of each window: the largest (max pooling) or the mean (average pooling). It has no
# weights and keeps the channels apart. With a stride it makes the map smaller, so that a later window of the same size
# covers more of the image.

# %% [markdown]
# ### Exercise 1.5 · max pooling
# ●○○ · about 10 minutes · 1 point
#
# Write `max_pool2d(x, kernel, stride)` for one image, without padding. The window is `kernel` × `kernel` pixels and moves
# by `stride`. A window that does not fit is left out, as in 1.1. (Use your own loops rather than torch's function.)


# %% answer="max_pool2d" covers="6"
def max_pool2d(x: torch.Tensor, kernel: int, stride: int) -> torch.Tensor:
    """Largest value in each window: x (C, H, W) -> (C, H_out, W_out).

    >>> max_pool2d(torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]), kernel=2, stride=2)
    tensor([[[4.]]])
    """
    ### BEGIN SOLUTION
    height = (x.shape[1] - kernel) // stride + 1
    width = (x.shape[2] - kernel) // stride + 1
    out = torch.zeros(len(x), height, width)
    for i in range(height):
        for j in range(width):
            top, left = i * stride, j * stride
            out[:, i, j] = x[:, top : top + kernel, left : left + kernel].amax((1, 2))
    return out
    ### END SOLUTION


# %% check="max_pool2d"
check.max_pool2d(max_pool2d)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Your loops from `conv2d` do it: the same windows, and `amax((1, 2))` of each instead of the weighted sum.
# </details>
# <details><summary>Help: negative numbers come out as 0</summary>
#
# Somewhere the search for the maximum starts at 0. Fill the output from the windows themselves.
# </details>
#
# A bright box on a dark ground, with noise. **Predict**: which kind of pooling leaves the dark ground darker?

# %%
scene = F.pad(torch.ones(1, 8, 10), (7, 7, 8, 8))  # a bright box in the dark, 24×24
noisy = scene + 0.3 * torch.randn(100, 1, 24, 24, generator=torch.Generator().manual_seed(0))

# %% payoff="max_pool2d"
with payoff("max_pool2d"):
    largest = torch.as_tensor(max_pool2d(noisy[0], 3, 3)).detach()
    pooled = [noisy[0], largest, F.avg_pool2d(noisy[0], 3, 3)]
    plot_images(pooled, ["24×24, noisy", "max, 3×3", "average, 3×3"], bar="brightness")

# %% [markdown]
# On one scale you see it: in every window the maximum keeps the brightest speck, so the dark ground turns grey. The average
# cancels the noise instead. Over a hundred such images:

# %%
ground = noisy[..., :6, :]  # the six rows above the box: nothing but noise
by_maximum, by_average = F.max_pool2d(ground, 3), F.avg_pool2d(ground, 3)
claim(
    "Max pooling lifts the dark ground; average pooling leaves it where it is",
    by_maximum.mean() > 0.3 and by_average.mean().abs() < 0.05,
    unit="of the box's brightness",
    before=ground.mean().item(),
    maximum=by_maximum.mean().item(),
    average=by_average.mean().item(),
)
claim(
    "Average pooling reduces the noise more than max pooling does",
    by_average.std() < 0.8 * by_maximum.std() < 0.8 * ground.std(),
    unit="(standard deviation)",
    before=ground.std().item(),
    maximum=by_maximum.std().item(),
    average=by_average.std().item(),
)

# %% [markdown]
# *Adaptive* pooling chooses its windows so that the output has a size that you name, whatever size the input has:

# %% same_output=true covers="6"
[tuple(F.adaptive_avg_pool2d(torch.zeros(1, side, side + 3), 4).shape) for side in (8, 13, 28)]

# %% [markdown]
# ## 12 · Move the image: does the answer move with it?
#
# A layer is **equivariant** to a shift if *shift, then layer* gives the same as *layer, then shift*. It is
# **invariant** if the answer does not change at all. The two are often mixed up.
#
# A convolution uses the same weights everywhere, so it should be equivariant. To test that, we cut a piece out of each of
# many images, cut it again with everything moved down and right, and compare the two answers at each output position.
# As a yardstick we take the difference between the answers to two *unrelated* images: 0 % is the same answer, 100 % is as
# different as unrelated.
#
# We use two kinds of images. **Noise** is the hardest case, because neighbouring pixels have nothing in common.
# **Digits** are what the next lesson reads; around them we leave so much empty paper that no ink enters or leaves.

# %%
digits = data.mnist()
pictures = {
    "noise": torch.randn(128, 1, 24, 24, generator=torch.Generator().manual_seed(0)),
    "digits": F.pad(digits.train_images[:128], (8, 8, 8, 8)),
}


def piece(images: torch.Tensor, shift: int) -> torch.Tensor:
    """All but a frame of 4 pixels of each image (N, 1, H, W), moved down and right by `shift`."""
    begin, end = 4 - shift, -4 - shift
    return images[:, :, begin:end, begin:end]


def unrelated(answers: torch.Tensor) -> torch.Tensor:
    """Mean squared difference between the answers to one image and to the next."""
    return (answers - answers.roll(1, dims=0)).square().mean()


# %%
plot_images(
    [piece(images, shift)[0] for images in pictures.values() for shift in (0, 2)],
    ["noise", "noise, moved by 2", "a digit", "the digit, moved by 2"],
)

# %% [markdown]
# **Predict** for each of these, on noise: is the error zero? Everywhere, or where not?
#
# | | moved by 1 | moved by 2 |
# | --- | --- | --- |
# | convolution 3×3, no padding | ? | |
# | convolution 3×3, zero padding 1 | ? | |
# | convolution 3×3, stride 2 | ? | ? |
# | convolution 3×3, then max pooling 2×2 with stride 2 | ? | ? |


# %%
@torch.no_grad()
def equivariance_error(layer, images, shift: int, stride: int = 1) -> torch.Tensor:
    """Map (H, W): how far 'shift, then layer' is from 'layer, then shift'. 1 is unrelated."""
    before, after = layer(piece(images, 0)), layer(piece(images, shift))
    steps = shift // stride  # how far the answer should have moved
    moved = before[:, :, : before.shape[2] - steps, : before.shape[3] - steps]
    difference = (after[:, :, steps:, steps:] - moved).square().mean((0, 1))
    return (difference / unrelated(before)).sqrt()


# %% figure="equivariance" covers="2"
torch.manual_seed(0)
no_padding, padded = nn.Conv2d(1, 8, 3), nn.Conv2d(1, 8, 3, padding=1)
strided, pooled = nn.Conv2d(1, 8, 3, stride=2), nn.Sequential(nn.Conv2d(1, 8, 3), nn.MaxPool2d(2))
errors = {
    "no padding, shift 1": equivariance_error(no_padding, pictures["noise"], 1),
    "stride 2, shift 1": equivariance_error(strided, pictures["noise"], 1, stride=2),
    "max pool 2, shift 1": equivariance_error(pooled, pictures["noise"], 1, stride=2),
    "zero padding, shift 1": equivariance_error(padded, pictures["noise"], 1),
    "stride 2, shift 2": equivariance_error(strided, pictures["noise"], 2, stride=2),
    "max pool 2, shift 2": equivariance_error(pooled, pictures["noise"], 2, stride=2),
}
plot_error_maps(errors)

# %% [markdown]
# **Without padding** the error is zero everywhere: the convolution is exactly equivariant. **Zero padding** breaks it at
# the border, and only there, because the border sees zeros that were not in the image.

# %%
inner, edge = errors["zero padding, shift 1"][2:-2, 2:-2], errors["zero padding, shift 1"][-1]
claim(
    "A convolution follows the image exactly, except at a border that is padded with zeros",
    errors["no padding, shift 1"].max() < 1e-3 and inner.max() < 1e-3 and edge.mean() > 0.2,
    unit="%",
    no_padding=100 * errors["no padding, shift 1"].max().item(),
    padded_inside=100 * inner.max().item(),
    padded_at_the_border=100 * edge.mean().item(),
)

# %% [markdown]
# **With stride 2** a shift by 2 is followed exactly. A shift by 1 would need half a step, and then, on noise, the answer is
# about as wrong as the answer to a different image. **Max pooling** with stride 2 has the same flaw.
#
# Is it as bad on digits? There the image itself changes less when it moves: a stroke is two or three pixels wide.
# **Predict** the two errors for digits. Eight draws of the weights each:


# %%
def draws(error, build, *rest) -> dict[str, list[float]]:
    """The mean error on each kind of image, for eight draws of the weights of a layer."""
    found = {kind: [] for kind in pictures}
    for seed in range(8):
        torch.manual_seed(seed)
        layer = build()
        for kind, images in pictures.items():
            found[kind].append(float(error(layer, images, *rest).square().mean().sqrt()))
    return found


def conv3x3(stride: int = 1, channels: int = 1) -> nn.Conv2d:
    """A 3×3 convolution to 8 channels, without padding."""
    return nn.Conv2d(channels, 8, 3, stride)


half_steps = {
    "stride 2, shift 1": draws(equivariance_error, lambda: conv3x3(2), 1, 2),
    "max pool 2, shift 1": draws(
        equivariance_error, lambda: nn.Sequential(conv3x3(), nn.MaxPool2d(2)), 1, 2
    ),
}
plot_shift_errors(half_steps, "Half a step cannot be followed, on noise or on digits")

# %%
whole = draws(equivariance_error, lambda: conv3x3(2), 2, 2)
claim(
    "With stride 2, a shift by two pixels is followed exactly",
    max(whole["noise"] + whole["digits"]) < 1e-3,
    unit="%",
    noise=[100 * error for error in whole["noise"]],
    digits=[100 * error for error in whole["digits"]],
)
strided_by_one, pooled_by_one = half_steps.values()
claim(
    "With stride 2, noise moved by one pixel: about as wrong as the answer to other noise",
    all(0.8 < error < 1.25 for error in strided_by_one["noise"]),
    unit="%",
    stride_2=[100 * error for error in strided_by_one["noise"]],
)
claim(
    "Digits moved by one pixel: more than 40 % as wrong as the answer to another digit",
    min(strided_by_one["digits"] + pooled_by_one["digits"]) > 0.4,
    of="mnist",
    unit="%",
    stride_2=[100 * error for error in strided_by_one["digits"]],
    max_pool_2=[100 * error for error in pooled_by_one["digits"]],
)

# %% [markdown]
# How can a dot lie above 100 %? The two windows that are compared lie one pixel apart, down and right, so they share 2×2 of
# their nine pixels. Where the weights on a shared pixel have opposite signs, the two outputs are pushed apart, and become
# even less alike than unrelated ones. If that is the reason, then on noise the weights alone predict each dot:


# %%
def predicted(seed: int) -> float:
    """The error on noise with stride 2 and shift 1, from the weights on shared pixels."""
    torch.manual_seed(seed)
    W = conv3x3(2).weight.detach()
    shared = (W[..., 1:, 1:] * W[..., :-1, :-1]).sum() / W.square().sum()
    return (1 - shared).sqrt().item()


by_weights = [predicted(seed) for seed in range(8)]
claim(
    "The weights alone predict the error on noise",
    np.allclose(by_weights, strided_by_one["noise"], atol=0.03),
    unit="%",
    predicted=[100 * error for error in by_weights],
    measured=[100 * error for error in strided_by_one["noise"]],
)

# %% [markdown]
# So "a CNN is translation equivariant" holds for each convolution, away from the border, and for shifts by whole strides.
#
# And *invariance*? "Pooling forgets the exact place", one often reads. The same yardstick, for images that move by one
# pixel, and now the answer should not move at all. **Predict** the order of the six layers in the cell below:


# %%
@torch.no_grad()
def invariance_error(layer, images: torch.Tensor) -> torch.Tensor:
    """How far the answer moves when the image does, by one pixel. 1 is unrelated."""
    before, after = layer(piece(images, 0)), layer(piece(images, 1))
    return ((after - before).square().mean() / unrelated(before)).sqrt()


layers = {
    "the image itself": nn.Identity,
    "convolution": conv3x3,
    "convolution, max pool 2": lambda: nn.Sequential(conv3x3(), nn.MaxPool2d(2)),
    "convolution, max pool 4": lambda: nn.Sequential(conv3x3(), nn.MaxPool2d(4)),
    "twice: convolution, ReLU, max pool 2": lambda: nn.Sequential(
        conv3x3(), nn.ReLU(), nn.MaxPool2d(2), conv3x3(1, 8), nn.ReLU(), nn.MaxPool2d(2)
    ),
    "convolution, ReLU, mean over the map": lambda: nn.Sequential(
        conv3x3(), nn.ReLU(), nn.AdaptiveAvgPool2d(1)
    ),
}
moves = {name: draws(invariance_error, build) for name, build in layers.items()}
plot_shift_errors(moves, "Pooling softens a shift by one pixel; on digits, the mean removes it")

# %%
on_digits = {name: errors["digits"] for name, errors in moves.items()}
image_itself, convolved = on_digits["the image itself"][0], on_digits["convolution"]
claim(
    "On digits, the answer of a convolution moves about as far as the image itself",
    0.8 * image_itself < min(convolved) and max(convolved) < 1.25 * image_itself,
    of="mnist",
    image=image_itself,
    convolution=convolved,
)
pool_2, pool_4 = on_digits["convolution, max pool 2"], on_digits["convolution, max pool 4"]
claim(
    "Max pooling softens the shift a little, and a larger window softens it more",
    sum(pool_4) < 0.95 * sum(pool_2) < 0.95**2 * sum(convolved) and min(pool_4) > 0.35,
    of="mnist",
    max_pool_2=pool_2,
    max_pool_4=pool_4,
)
twice = on_digits["twice: convolution, ReLU, max pool 2"]
claim(
    "Two rounds of convolution and pooling leave over two thirds of the image's own movement",
    sum(twice) / len(twice) > 2 / 3 * image_itself,
    of="mnist",
    image=image_itself,
    two_rounds=twice,
)
mean_of_map = moves["convolution, ReLU, mean over the map"]
claim(
    "The mean over the map does not change where nothing enters or leaves the image",
    max(mean_of_map["digits"]) < 1e-3 < 0.1 < min(mean_of_map["noise"]),
    digits=mean_of_map["digits"],
    noise=mean_of_map["noise"],
)

# %% [markdown]
# A convolution is equivariant and not at all invariant: its answer moves about as far as the image does. A max pooling
# of 2×2 changes that only a little, even on digits, and so do two rounds of it. Only the mean over the whole map forgets
# the position. On noise even the mean changes, because new pixels enter at the border.

# %% [markdown] quiz="same_output_size" points=1
# ### Quiz · holes in the kernel
#
# A layer `nn.Conv2d(8, 8, 3, padding=1)` is replaced by `nn.Conv2d(8, 8, 3, padding=2, dilation=2)`. What changes?
#
# - A. The output is larger, since there is more padding.
# - B. The number of parameters grows, since the kernel is larger.
# - C. Each output reads nine pixels spread over 5×5 instead of a full 3×3; size and parameters stay.
# - D. Nothing: dilation and padding cancel.
#
# ### BEGIN SOLUTION
# **C.** The nine weights are spread over 5×5 pixels; padding 2 keeps the size, and nine weights stay nine weights.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A**: the padding grew by 1 on each side, and the window grew by 1 on each side as well. Put both into your
#   `output_size`.
# - **B**: dilation moves the weights apart. It adds none.
# - **C** is right. That is what dilation is for: more reach without more weights.
# - **D**: the *size* stays; what an output sees does not. Look at the fourth impulse response in section 3.
# </details>

# %% [markdown]
# ## What we measured
#
# **What does one kernel buy?** Weights that do not grow with the image, and an answer that moves with it.

# %%
notebook.headline(
    digits.name,
    conv_parameters=count["conv"],
    dense_parameters=count["dense"],
    distance_from_the_wanted_kernel_on_noise=distances["noise"],
    distance_from_the_wanted_kernel_on_the_photograph=distances["photograph"],
    equivariance_error_inside=inner.max().item(),
    equivariance_error_at_the_border=edge.mean().item(),
    equivariance_error_stride_2_shift_1=half_steps["stride 2, shift 1"]["digits"],
)

# %% [markdown]
# - A convolution is a dense layer with two assumptions built in: locality and sharing. Its matrix is a band.
# - By loops or as one matrix product, yours equals PyTorch's. The matrix product takes a small part of the loops' time.
# - Its size follows from one rule and its parameters from another; you can work out both without running anything.
# - Its weights can be learned from examples. How fast depends on the images: neighbours that are alike slow it down.
# - It is equivariant inside the image and for whole strides. It is not invariant, and pooling makes it only a little more
#   so. A mean over the whole map is invariant, except for what enters and leaves at the border.
#
# ## If you have an hour more
#
# In section 6, twenty steps did not find the kernel from the photograph. Make them find it. You may change how the weights
# move (momentum? another optimizer? a rate for each direction?), or what the layer is shown (can you make neighbouring
# pixels less alike, without losing what the kernel needs?), but not the number of steps. Your measure is
# `off(learned, edges[0])`, over five seeds: below 0.1 every time. Then ask the harder question: does your method still
# work when a little noise is added to the *target*?
#
# <!-- next -->
#
# ## References
#
# - LeCun, Bottou, Bengio, Haffner: *Gradient-based learning applied to document recognition*. Proceedings of the IEEE, 1998.
# - Lin, Chen, Yan: *Network in network*, 2013.
# - Dumoulin, Visin: *A guide to convolution arithmetic for deep learning*, 2016.
# - Zhang: *Making convolutional networks shift-invariant again*. ICML 2019.
