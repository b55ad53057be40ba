# %% [markdown] question="which pixels reach this output?" write="the field in closed form and by gradient" minutes=75
# # 03 · Receptive field: which pixels reach this output?
#
# A unit deep in a network gives one number. Some pixels of the image can change that number, all others cannot.
# Which ones can, and how much does each of them count?
#
# You will be able to
# - compute the receptive field of any stack of convolutions and pools, by hand and in code,
# - check it by gradient, and tell what a unit *can* see from what it *does* use,
# - say how many layers it takes until one word sees another.
#
# About 75 minutes. It builds on lesson 01 (stride, padding, dilation).

# %% setup=true
import warnings

import torch
import torch.nn.functional as F
from torch import nn

from utils import data, models, notebook, reach, training
from utils.checks import receptive_field as check
from utils.notebook import payoff
from utils.plotting import fields
from utils.plotting.images import plot_image, plot_images
from utils.plotting.maps import plot_influence_by_depth
from utils.widgets.layer_builder import layer_builder

notebook.setup()

# %% [markdown]
# ## 1 · How big is the window?
#
# Stack three convolutions with 3×3 kernels and stride 1. A unit of the third layer reads 3×3 units of the second.
# Each of those reads 3×3 units of the first, and each of those 3×3 pixels.
#
# What holds for rows holds for columns, so one axis is enough: we count pixels in a row.
#
# **Predict** before you read on: how many pixels in a row can the unit see? Is it 27, or 9, or something else?

# %% [markdown]
# Go down from the top by hand. Write down which units are read, and drop those that are there already.

# %% same_output=true
seen = {10}  # one unit of layer 3, straight above pixel 10
for layer in (3, 2, 1):
    seen = {unit + tap for unit in seen for tap in (-1, 0, 1)}
    print(f"layer {layer} reads {len(seen)} below it: {sorted(seen)}")

# %% [markdown]
# Seven. Here is the same count as a picture. Each line is one weight at work.

# %%
layers = [(3, 1), (3, 1), (3, 1)]  # (kernel, stride), input side first
fields.plot_pyramid(layers)

# %% [markdown]
# ### What 9 and 27 count
#
# The stack has 3 + 3 + 3 = **9** weights along the axis. From the top to the pixels there are 3 · 3 · 3 = **27** paths.
# Both are right answers to other questions. Neighbouring windows overlap, so many paths end at the same pixel.
#
# We let the computer count them: with all weights 1, a convolution adds up paths.


# %% same_output=true
def count_paths(dilations: list[int]) -> torch.Tensor:
    """Paths from each pixel to one unit, through one layer of kernel 3 for each dilation."""
    paths = torch.ones(1, 1, 1)
    for dilation in dilations:
        paths = F.conv1d(paths, torch.ones(1, 1, 3), dilation=dilation, padding=2 * dilation)
    return paths.flatten()


paths = count_paths([1, 1, 1])
print(f"{len(paths)} pixels, {paths.sum():.0f} paths: {paths.int().tolist()}")

# %%
fields.plot_paths(paths, "The middle pixel has seven paths to the unit, the outer ones have one")
# %% [markdown]
# Keep this picture in mind. It comes back in section 4, where it decides what a unit really uses.
#
# ### Now with stride 2
#
# With stride 2, neighbouring units of the first layer read windows that stand two pixels apart.
# **Predict**: all three layers have stride 2. How many pixels in a row does one unit of the last layer see?

# %% same_output=true
seen = {0}  # the first unit of layer 3
for layer in (3, 2, 1):
    seen = {2 * unit + tap for unit in seen for tap in (0, 1, 2)}
    print(f"layer {layer} reads {len(seen)} below it")

# %% [markdown]
# Fifteen. Going down works, but you can also go up. Then two numbers travel with you:
#
# $$\text{size} \leftarrow \text{size} + (k - 1)\cdot\text{jump} \qquad\qquad \text{jump} \leftarrow \text{jump}\cdot s$$
#
# | symbol | in code | meaning | before any layer |
# | --- | --- | --- | --- |
# | size | `size` | pixels in a row that one unit of this layer sees | 1 |
# | jump | `jump` | distance, in pixels, between neighbouring units of this layer | 1 |
# | $k$, $s$ | `kernel, stride` | of the layer that comes next | |
#
# A kernel of $k$ taps makes $k - 1$ steps from its first tap to its last. Each step is as long as the units *below* stand apart.

# %% [markdown]
# ### Exercise 3.1 · receptive field
# ●○○ · about 10 minutes · 2 points
#
# Write `receptive_field(layers)`. It takes a list of `(kernel, stride)` pairs, input side first, with at least one layer.
# It returns one whole number: the side of the square that one unit of the last layer sees.


# %% answer="receptive_field"
def receptive_field(layers: list[tuple[int, int]]) -> int:
    """Side of the receptive field, in input pixels.

    >>> receptive_field([(5, 1)])
    5
    """
    ### BEGIN SOLUTION
    size, jump = 1, 1
    for kernel, stride in layers:
        size += (kernel - 1) * jump
        jump *= stride
    return size
    ### END SOLUTION


# %% check="receptive_field"
check.receptive_field(receptive_field)

# %% [markdown]
# <details><summary>Hint 1: the idea</summary>
#
# Start with one pixel: size 1, jump 1. Each layer adds <code>kernel - 1</code> steps to the window. How long is one step?
# </details>
# <details><summary>Hint 2: the order</summary>
#
# One pass over the list, two lines in the loop. Ask of each line: does it speak of the units that this layer reads,
# or of the units that it makes?
# </details>
# <details><summary>Help: I get 29 in place of 15</summary>
#
# Your jump already counts the layer's own stride. The window grows in steps between the units that the layer *reads*.
# So grow first, then update the jump.
# </details>
# <details><summary>Help: I get 27, 9 or 10 in place of 7</summary>
#
# 27 multiplies the kernels and so counts paths. 9 adds them up and so counts weights. 10 starts at 1 and adds whole
# kernels. One tap of every kernel falls on what was seen already: add <code>kernel - 1</code>.
# </details>
# <details><summary>Help: I get 7 for every stride</summary>
#
# Your jump never changes. It is multiplied by the stride after each layer.
# </details>

# %% payoff="receptive_field"
with payoff("receptive_field"):
    for stride in (1, 2):
        layers = [(3, stride)] * 3
        fields.plot_pyramid(
            layers, title=f"Stride {stride}: your answer is {receptive_field(layers)}"
        )

# %% [markdown]
# With stride 2 the window more than doubles, for the same nine weights a layer. What did it cost?
# Neighbouring units of the last layer now stand 8 pixels apart: the map has lost detail.
#
# The course has a ruler, `utils.reach`. It should agree with you on any stack.

# %% payoff="receptive_field"
with payoff("receptive_field"):
    draw = torch.Generator().manual_seed(0)
    stacks = [torch.randint(1, 6, (5, 2), generator=draw).tolist() for _ in range(200)]
    agree = sum(receptive_field(stack) == reach.receptive_field(stack).size for stack in stacks)
    print(f"You and the ruler agree on {agree} of {len(stacks)} random stacks of five layers.")

# %% [markdown]
# ### One stride of 2: does it matter where?
#
# **Predict**: only one of the three layers has stride 2. Is the field largest when it is the first, the second or the third?

# %% same_output=true
sizes = {
    strides: reach.receptive_field([(3, stride) for stride in strides]).size
    for strides in [(1, 1, 1), (2, 2, 2), (2, 1, 1), (1, 2, 1), (1, 1, 2)]
}
for strides, size in sizes.items():
    print(f"strides {strides}: {size} pixels")

# %% [markdown]
# A stride widens the steps of all layers *above* it. In the first layer it widens two of them, in the last layer none.
# So the last stride never counts for the field of its own units.
#
# And 29? It is the answer to another question, too.

# %% same_output=true
size, jump = 1, 1
for kernel, stride in [(3, 2)] * 3:
    jump *= stride  # too early
    size += (kernel - 1) * jump
print("jump before growth:                      ", size)
print(
    "a 1×1 layer of stride 2 below the stack: ", reach.receptive_field([(1, 2), *[(3, 2)] * 3]).size
)
print("three layers with stride 3, no overlap:  ", reach.receptive_field([(3, 3)] * 3).size)

# %% [markdown]
# Who updates the jump too early has, without knowing it, put a layer of stride 2 under the stack.
# And 27 is right where windows do not overlap: with stride 3 each pixel has one path.

# %% [markdown] quiz="last_stride" points=1
# **Quiz.** You change the stride of the *last* layer from 1 to 2. What happens to the receptive field of one of its units?
#
# - A. It doubles.
# - B. It grows by one jump.
# - C. It stays as it is.
# - D. It depends on the kernel of that layer.
#
# ### BEGIN SOLUTION
# C. The unit reads the same window as before. Only its neighbours have moved away from it.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - A. The *jump* doubles: the distance to the next unit. One unit's own window does not know about the next unit.
# - B. That would be so if a wider kernel were added. A stride adds no taps.
# - C. Right. Strides (1, 1, 2) gave 7, as strides (1, 1, 1) did.
# - D. The kernel counts in both cases, and in the same way.
# </details>

# %% [markdown]
# ## 2 · Where does it look? Padding and dilation
#
# Size and jump say how large the windows are and how far apart. One number is missing: where does the first one begin?
# That is the work of padding. And dilation makes a window wide without more weights.
#
# Before you compute, look. We put one bright pixel into the middle of a dark 9×9 image and convolve with a 3×3 kernel of ones.
# What comes out is the *impulse response*: all outputs that this pixel reaches.
# **Predict** for stride 2 and for dilation 2: how many outputs light up?

# %%
spot = torch.zeros(1, 1, 9, 9)
spot[..., 4, 4] = 1
settings = {
    "plain": {},
    "padding 1": {"padding": 1},
    "stride 2": {"stride": 2},
    "dilation 2": {"dilation": 2},
}
responses = [F.conv2d(spot, torch.ones(1, 1, 3, 3), **setting)[0] for setting in settings.values()]
plot_images(
    responses,
    [f"{name}\n{len(r[0])}×{len(r[0])}" for name, r in zip(settings, responses, strict=True)],
)

# %% [markdown]
# Padding makes room at the border. Stride 2 keeps every second window, and four of those hold our pixel.
# Dilation 2 lights nine outputs again, but with gaps: the taps stand two pixels apart.
# (The sizes 7, 9, 4 and 5 follow from the output-size formula of lesson 01.)
#
# A receptive field asks the same thing backwards: not "which outputs does this pixel reach", but "which pixels reach this output".

# %% [markdown]
# A kernel of $k$ taps with dilation $d$ spans $d\,(k-1)+1$ positions: there are $k-1$ gaps, each $d$ wide.
# By hand, for $k = 3$ and $d = 2$: the taps stand at 0, 2 and 4, so it spans 5.
#
# With padding $p$ the first window begins $p$ steps before the first position. Put together:
#
# $$\text{size} \leftarrow \text{size} + d\,(k - 1)\cdot\text{jump} \qquad \text{start} \leftarrow \text{start} - p\cdot\text{jump} \qquad \text{jump} \leftarrow \text{jump}\cdot s$$
#
# | symbol | in code | meaning | before any layer |
# | --- | --- | --- | --- |
# | size, jump | `size, jump` | as before | 1, 1 |
# | start | `start` | first pixel that unit 0 sees; below 0 it lies in the padding | 0 |
# | $k$, $s$, $p$, $d$ | `kernel, stride, padding, dilation` | of the layer | |
#
# Unit $i$ sees the pixels from $\text{start} + i\cdot\text{jump}$ to $\text{start} + i\cdot\text{jump} + \text{size} - 1$.
# The recursion is that of Araujo, Norris and Sim (2019).

# %% [markdown]
# ### Exercise 3.2 · size, jump and start
# ●●○ · about 10 minutes · 2 points
#
# Write `full_field(layers)`. It takes a list of `(kernel, stride, padding, dilation)`, input side first.
# It returns three whole numbers, in this order: size, jump, start.


# %% answer="full_field"
def full_field(layers: list[tuple[int, int, int, int]]) -> tuple[int, int, int]:
    """Size, jump and start of the receptive field, in input pixels.

    >>> full_field([(3, 2, 1, 1)])
    (3, 2, -1)
    """
    ### BEGIN SOLUTION
    size, jump, start = 1, 1, 0
    for kernel, stride, padding, dilation in layers:
        size += dilation * (kernel - 1) * jump
        start -= padding * jump
        jump *= stride
    return size, jump, start
    ### END SOLUTION


# %% check="full_field"
check.full_field(full_field)

# %% [markdown]
# <details><summary>Hint 1: the idea</summary>
#
# Padding and taps are both counted in positions of the layer's *input*. Those stand one jump apart.
# </details>
# <details><summary>Hint 2: the order</summary>
#
# Three lines in the loop. Size and start use the jump of the layer below, so the jump is updated last.
# </details>
# <details><summary>Help: the size is too large by a few pixels</summary>
#
# A dilated kernel does not span <code>dilation * kernel</code>. Draw three taps with gaps of 2 and count.
# </details>
# <details><summary>Help: the start is right for one layer and wrong for two</summary>
#
# One step of padding before the second layer is one *unit* of the first layer. How many pixels is that?
# </details>

# %% payoff="full_field"
with payoff("full_field"):
    layers = [(3, 2, 1, 1), (3, 1, 1, 1), (3, 2, 1, 1)]
    size, jump, start = full_field(layers)
    unit = 3
    title = f"Unit {unit} sees pixels {start + unit * jump} to {start + unit * jump + size - 1}"
    fields.plot_pyramid(layers, title=f"{title}: size {size}, jump {jump}, start {start}", image=24)

# %% [markdown]
# The picture is drawn by the ruler, the title by you. The unit stands in the middle of its layer.
#
# ### Dilation: reach for free?
#
# Double the dilation from layer to layer: 1, 2, 4. The field grows as fast as with stride 2, and the map keeps its detail.
# **Predict**: three layers of dilation 2, 2, 2 instead. Does a unit see *every* pixel of its field?

# %% same_output=true
for dilations in ([1, 2, 4], [2, 2, 2]):
    paths = count_paths(dilations)
    size = reach.receptive_field([(3, 1, 0, dilation) for dilation in dilations]).size
    print(f"dilations {dilations}: size {size}, {int((paths > 0).sum())} of these pixels are seen")

# %%
fields.plot_paths(count_paths([1, 2, 4]), "Dilations 1, 2, 4: every pixel of the field is seen")
fields.plot_paths(
    count_paths([2, 2, 2]), "Dilations 2, 2, 2: every second pixel has no path at all"
)
# %% [markdown]
# The closed form gives the smallest *box* around what a unit sees. With dilation the box can have holes.
# This is called gridding; a first layer of dilation 1 avoids it here.
#
# ### A field larger than the image
#
# Nothing keeps the formula from giving 63 for an image of 28 pixels. The ruler says so.

# %% same_output=true
with warnings.catch_warnings(record=True) as reported:
    warnings.simplefilter("always")
    field = reach.receptive_field([(3, 2, 1)] * 5, image=28)
print(field)
print("reported:", reported[0].message)

# %% [markdown]
# The ruler also reads modules. Here are the convolutions and pools of the network that passes 99 % in lesson 02.

# %% same_output=true
print("convolutions and pools:", reach.receptive_field(models.cnn()[:8]))
print("with the dense layer:  ", reach.receptive_field(models.cnn()))

# %% [markdown]
# Its last map has units that see 16×16 of 28×28 pixels. The dense layer reads all of the map, and so all of the image.
#
# ### Build your own
#
# Change a number and watch size, jump, start, the output's side and the parameters. Three things to try:
# 1. Reach 27 pixels with three layers, without a hole. How many ways do you find?
# 2. Put the only stride of 2 first, then last. Which number changes, which does not?
# 3. Keep the output's side at 28 (padding!) and reach 15.

# %%
layer_builder([(3, 2, 1, 1), (3, 1, 1, 1), (3, 2, 1, 1)], image=28)

# %% [markdown]
# ## 3 · Ask the network
#
# The formula knows nothing about weights. It says which pixels *could* matter.
# To know which do, ask the network itself: change a pixel a little, and see whether the output moves.
# That is what a gradient measures, for all pixels at once.
#
# Take one 3×3 convolution and one unit of its output. **Predict**: what does the gradient look like?

# %%
one_layer = nn.Conv2d(1, 1, 3)
image = torch.rand(1, 1, 7, 7, requires_grad=True)
unit = one_layer(image)[0, 0, 2, 2]  # the middle of a 5×5 map
(gradient,) = torch.autograd.grad(unit, image)
print(
    "inside its window the gradient is the kernel:",
    torch.equal(gradient[0, 0, 2:5, 2:5], one_layer.weight[0, 0]),
)

# %%
plot_image(gradient[0], "One unit, one layer:\nits kernel, and zero elsewhere", signed=True)

# %% [markdown]
# With more layers the gradient is a sum over all paths. With ReLU it also depends on the image, so we average over images.
#
# $$\text{field}_{ij} \;=\; \frac{1}{N}\sum_{n=1}^{N}\left|\frac{\partial\, y^{(n)}_{c}}{\partial\, x^{(n)}_{ij}}\right|$$
#
# | symbol | in code | shape | meaning |
# | --- | --- | --- | --- |
# | $x$ | `images` | (N, 1, H, W) | the images |
# | $y$ | `model(images)` | (N, 1, h, w) | the output map, one channel |
# | $y_c$ | | (N,) | its unit in the middle: row `h // 2`, column `w // 2` |
# | field | the result | (H, W) | influence of each pixel on that unit |

# %% [markdown]
# ### Exercise 3.3 · the field by gradient
# ●●○ · about 15 minutes · 3 points
#
# Write `empirical_field(model, images)`. The model maps (N, 1, H, W) to (N, 1, h, w).
# Return a map (H, W): the absolute gradient of the middle unit, averaged over the images.


# %% answer="empirical_field"
def empirical_field(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Influence of each pixel on the middle unit of the output: (N, 1, H, W) in, (H, W) out.

    >>> empirical_field(nn.Identity(), torch.rand(1, 1, 3, 3)).tolist()
    [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    ### BEGIN SOLUTION
    inputs = images.detach().clone().requires_grad_()
    output = model(inputs)
    height, width = output.shape[2:]
    middle = output[:, 0, height // 2, width // 2]
    (gradient,) = torch.autograd.grad(middle.sum(), inputs)
    return gradient.abs().mean(0)[0]
    ### END SOLUTION


# %% check="empirical_field"
check.empirical_field(empirical_field)

# %% [markdown]
# <details><summary>Hint 1: the idea</summary>
#
# An image's gradient comes from its own output alone. So you may sum the middle unit over the batch and go back once.
# </details>
# <details><summary>Hint 2: the shapes</summary>
#
# images (N, 1, H, W) → output (N, 1, h, w) → middle unit (N,) → its sum () → gradient (N, 1, H, W) → absolute value → mean over N: (H, W).
# </details>
# <details><summary>Help: "element 0 of tensors does not require grad"</summary>
#
# The images do not ask for a gradient. Work on a copy that does: <code>images.clone().requires_grad_()</code>.
# </details>
# <details><summary>Help: "grad can be implicitly created only for scalar outputs"</summary>
#
# Autograd starts from a single number. Sum the middle unit over the batch first.
# </details>
# <details><summary>Help: my map is too wide, or lights up everywhere</summary>
#
# You went back from the whole output. Pick one unit of it.
# </details>
# <details><summary>Help: some pixels are too weak</summary>
#
# Positive and negative gradients have cancelled. Take absolute values of each image's gradient, then the mean.
# </details>


# %%
def three_layers(stride: int) -> nn.Sequential:
    """Three 3×3 convolutions with random weights: one channel in, eight between them, one out."""
    torch.manual_seed(0)
    convolutions = [
        nn.Conv2d(1, 8, 3, stride),
        nn.Conv2d(8, 8, 3, stride),
        nn.Conv2d(8, 1, 3, stride),
    ]
    return nn.Sequential(convolutions[0], nn.ReLU(), convolutions[1], nn.ReLU(), convolutions[2])


# %% payoff="empirical_field"
with payoff("empirical_field"):
    noise = torch.rand(16, 1, 15, 15)
    measured = {}
    for stride in (1, 2):
        field = empirical_field(three_layers(stride), noise)
        measured[f"Stride {stride}: {int(field.any(0).sum())} columns are seen"] = field
    fields.plot_fields(measured, boxes=[(4, 7), (0, 15)])  # (first pixel, side) by the formula

# %% [markdown]
# The gradient ends where the dashed box of the formula ends: 7 and 15, found a second time, without the formula.
# The ruler's `influence(…, at="centre")` does what you wrote, and for several channels takes the norm over them.
#
# ### A trap: the black image
#
# A gradient is measured *at* an image. **Predict**: the same network without biases, and an image that is black everywhere. What comes out?

# %% same_output=true
torch.manual_seed(0)
no_bias = nn.Sequential(nn.Conv2d(1, 8, 3, bias=False), nn.ReLU(), nn.Conv2d(8, 1, 3, bias=False))
for name, image in {"black": torch.zeros(1, 1, 9, 9), "noise": torch.rand(1, 1, 9, 9)}.items():
    field = reach.influence(no_bias, image, at="centre")
    print(f"{name}: {int((field > 0).sum())} pixels with influence")

# %% [markdown]
# At a black image every ReLU sits exactly at 0, and there PyTorch's gradient is 0. Nothing passes.
# Random images avoid that. Remember it: MNIST is mostly black.

# %% [markdown]
# ## 4 · What a unit really uses
#
# Remember the paths: seven for the middle pixel, one for the outer ones. Add layers and the middle wins by more.
# So a unit should hear its middle loudly and its border hardly at all. Luo et al. (2016) call what is left the *effective* receptive field.
#
# We measure it as the side of the smallest square that holds 95 % of the influence.
# **Predict**: the theoretical field grows in proportion to the depth. How does the effective one grow?


# %%
def deep_stack(depth: int, channels: int = 8) -> nn.Sequential:
    """`depth` 3×3 convolutions, each followed by ReLU, with PyTorch's random weights."""
    inputs = [1] + [channels] * (depth - 1)
    return nn.Sequential(*[part for c in inputs for part in (nn.Conv2d(c, channels, 3), nn.ReLU())])


def side_at_depth(depth: int, seed: int) -> int:
    """Side that holds 95 % of the influence on the unit of a stack whose field fits the image."""
    torch.manual_seed(seed)
    size = reach.receptive_field([(3, 1)] * depth).size
    return reach.effective_side(
        reach.influence(deep_stack(depth), torch.randn(8, 1, size, size), at="centre")
    )


# %%
depths, seeds = [1, 2, 4, 8, 16], [0, 1, 2, 3, 4]
theory = [reach.receptive_field([(3, 1)] * depth).size for depth in depths]
sides = [[side_at_depth(depth, seed) for depth in depths] for seed in seeds]
fields.plot_growth(
    depths, theory, sides, "The effective field falls behind as the stack gets deeper"
)
# %%
log_growth = torch.tensor(sides).float().mean(0).log2().diff()
for depth, size, step in zip(depths[1:], theory[1:], log_growth, strict=True):
    measured = [row[depths.index(depth)] for row in sides]
    print(f"{depth:2d} layers: theory {size}, measured {measured}, exponent {step:.2f}")

# %% [markdown]
# The exponent says how the measured side grows when the depth doubles: 1 is in proportion, 0.5 is like the square root.
# Paths to a pixel are counted by repeated sums, and repeated sums tend to a bell curve whose width grows like √depth.
# From 4 layers on the exponents come down toward 0.5, and at 16 layers they have not quite arrived.
#
# ### Before and after training
#
# That was with random weights. Does training change it? We train a small CNN whose field fits the image.
# It averages its last map, so no dense layer hides what a unit sees.

# %%
images = data.mnist()
PLANS = {
    "mnist": {"strides": [2, 1, 1, 1, 1, 1, 1], "images": 16_000, "epochs": 1},
    "digits": {"strides": [1, 1, 1], "images": 1_197, "epochs": 20},  # where MNIST is not at hand
}
plan = PLANS[images.name]
print(images)


# %%
def small_cnn(strides: list[int], channels: int = 12) -> nn.Sequential:
    """Body: (N, 1, H, W) to a map (N, channels, h, w). Head: mean over the map, then ten logits."""
    body = nn.Sequential()
    for inputs, stride in zip([1] + [channels] * (len(strides) - 1), strides, strict=True):
        body += nn.Sequential(nn.Conv2d(inputs, channels, 3, stride, padding=1, bias=False))
        body += nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU())
    return nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


body = reach.receptive_field(small_cnn(plan["strides"])[0])
print(f"{images.name}: {body}")

# %% [markdown]
# We look at one unit, in the middle of the last map, at three kinds of image: digits from the validation split, noise, and all black.
# Noise treats every pixel alike, and black is the trap of section 3: they are the controls. Three seeds, before and after training.
# **Predict**: does the effective field grow, shrink or stay?

# %%
(train_x, train_y), (validation_x, validation_y) = images.split()
train = training.Batches(train_x[: plan["images"]], train_y[: plan["images"]], shuffle=True)
validation = training.Batches(validation_x, validation_y, size=500)
probes = {
    "digits": validation_x[:64],
    "noise": torch.randn(64, *validation_x.shape[1:]),
    "black": torch.zeros(1, *validation_x.shape[1:]),
}


def measure(model: nn.Module) -> dict[str, torch.Tensor]:
    """For each probe, the influence of each pixel on the middle unit of the body's map."""
    return {name: reach.influence(model[0], probe, at="centre") for name, probe in probes.items()}


# %%
before, after, accuracies = [], [], []
for seed in (0, 1, 2):
    training.seed_everything(seed)
    model = small_cnn(plan["strides"])
    before.append(measure(model))
    history = training.fit(
        model, train, validation, epochs=plan["epochs"], validations=1, label=f"seed {seed}"
    )
    after.append(measure(model))
    accuracies.append(history.best)


# %%
def sides_of(runs: list[dict], probe: str, share: float) -> list[int]:
    """One side for each seed."""
    return [reach.effective_side(run[probe], share) for run in runs]


print(f"{images.name}, validation accuracy: {[f'{accuracy:.1%}' for accuracy in accuracies]}")
for probe in probes:
    for share in (0.5, 0.95):
        was, now = (sides_of(runs, probe, share) for runs in (before, after))
        print(f"{probe:6s}, side that holds {share:.0%}: {was} before, {now} after training")

# %%
for share in (0.5, 0.95):
    square = f"{body.size}×{body.size}"
    print(f"if all {square} pixels counted alike, {share:.0%}: {body.size * share**0.5:.1f}")

# %% figure="effective_field"
middle = validation_x.shape[-1] // 2 // body.stride  # the unit in the middle of the map
box = (body.start + middle * body.stride, body.size)
seed_0 = {}
for when, runs in {"Before": before, "After": after}.items():
    side = sides_of(runs, "digits", 0.95)[0]
    title = f"{when} training: 95 % in {side} pixels,\n{body.size} in theory (dashed)"
    seed_0[title] = runs[0]["digits"]
fields.plot_fields(seed_0, boxes=[box, box])

# %%
for probe in ("digits", "noise"):
    runs = {"before training": before, "after training": after}
    maps = {name: torch.stack([run[probe] for run in three]) for name, three in runs.items()}
    fields.plot_profiles(maps, box, f"Measured at {probe}: a bell in the box of the theory")

# %% [markdown]
# The dashed box is what the formula promises. On MNIST, what a unit uses is a blob in its middle, before training and after.
# (The zigzag on MNIST is the stride: with kernel 3 and stride 2, every second pixel lies in two windows, the others in one.)
#
# Luo et al. report that the effective field *grows* in training. Compare the probes in the table before you agree.
# On MNIST the side at digits grows clearly, at noise it hardly moves. The black image tells why. These convolutions have no biases,
# so before training a black background holds the ReLUs at 0, and nothing passes: a side of 0. Training shifts them, and the background conducts.
# So most of the growth at digits is the background, not the kernels.
# On the embedded 8×8 digits the field is only 7 wide: too few layers for a narrow blob, and little room to grow.

# %% [markdown] quiz="covers_the_image" points=1
# **Quiz.** A network's receptive field is larger than the image. What follows?
#
# - A. Every unit uses the whole image.
# - B. Every pixel can reach the unit; how much each counts has to be measured.
# - C. All pixels count alike.
# - D. More layers could not change what a unit uses.
#
# ### BEGIN SOLUTION
# B. The theoretical field says where there is a path. How strong the paths are, the gradient says.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - A. It could. Our trained units had a field that filled most of the image, and used its middle.
# - B. Right, as long as dilation leaves no holes and the unit stands where the field covers the image.
# - C. Count the paths: pixels in the middle have many more.
# - D. The effective side went on growing with depth, more slowly than the theory's.
# </details>

# %% [markdown]
# ## 5 · From `it` to `animal`
#
# The same arithmetic holds for text. Put a vector on each word and convolve along the sentence.
# In "The animal did not cross the street because it was tired", `it` means the animal.
# A kernel of 3 around `it` sees "because it was". How many layers until it sees `animal`?
#
# There are two versions of this sentence around. Count the positions from `animal` to `it` in both. **Predict**: is it the same number?

# %% same_output=true
SENTENCES = [
    "The animal did not cross the street because it was tired",
    "The animal didn't cross the street because it was too tired",
]
both = [sentence.split() for sentence in SENTENCES]
distances = [words.index("it") - words.index("animal") for words in both]
for sentence, distance in zip(SENTENCES, distances, strict=True):
    print(f"{distance} positions apart, {distance - 1} words between: {sentence}")

# %% [markdown]
# "didn't" is one word where "did not" is two. (Some tokenizers cut "didn't" into pieces. Then count the pieces.)
# Mind the difference between the distance and the words in between. Who says "five words ago" of the second sentence
# counts those in between; a stack has to cross the distance.
#
# By hand, for kernel 3 without dilation: one layer carries information one position to each side. So 7 positions take 7 layers.
#
# $$\text{reach} \;=\; \sum_{n=0}^{L-1} d_n\,\frac{k-1}{2} \;\ge\; \text{distance}, \qquad d_n = g^{\,n}$$
#
# | symbol | in code | meaning |
# | --- | --- | --- |
# | $L$ | the result | number of layers, the smallest that is enough |
# | $k$ | `kernel` | odd, centred on the word, the same in all layers |
# | $g$ | `growth` | each layer's dilation is `growth` times that of the layer below; the first has dilation 1 |
# | distance | `distance` | positions from `animal` to `it` |

# %% [markdown]
# ### Exercise 3.4 · layers needed
# ●○○ · about 10 minutes · 1 point
#
# Write `layers_needed(distance, kernel, growth=1)`. It returns the smallest number of layers with which a word sees
# another one that stands `distance` positions away.


# %% answer="layers_needed"
def layers_needed(distance: int, kernel: int, growth: int = 1) -> int:
    """Layers until a centred stack reaches `distance` positions to one side.

    >>> layers_needed(2, kernel=3)
    2
    """
    ### BEGIN SOLUTION
    reached, layers = 0, 0
    while reached < distance:
        reached += growth**layers * (kernel - 1) // 2
        layers += 1
    return layers
    ### END SOLUTION


# %% check="layers_needed"
check.layers_needed(layers_needed)

# %% [markdown]
# <details><summary>Hint 1: the idea</summary>
#
# Add layers one by one, and add up how far they reach to one side. Stop when that is far enough.
# </details>
# <details><summary>Hint 2: how</summary>
#
# A <code>while</code> loop with two numbers: how far you reach, and how many layers that took. Layer n, counted from 0, has dilation <code>growth ** n</code>.
# </details>
# <details><summary>Help: I get 4 in place of 7</summary>
#
# You used the whole width of the field. Half of it lies on the other side of `it`.
# </details>
# <details><summary>Help: I get one layer too many, but only sometimes</summary>
#
# When the reach equals the distance, the word is seen. Compare <code>&lt;</code> with <code>&lt;=</code>.
# </details>

# %% payoff="layers_needed"
with payoff("layers_needed"):
    for distance in distances:
        for kernel, growth in [(3, 1), (5, 1), (3, 2)]:
            count = layers_needed(distance, kernel, growth)
            print(f"distance {distance}, kernel {kernel}, growth {growth}: {count} layers")

# %% [markdown]
# Now measure it: random stacks of one to eight layers, and the influence of each word on `it`.


# %%
def influence_by_depth(
    words: list[str], kernel: int = 3, growth: int = 1, depth: int = 8, seed: int = 0
) -> torch.Tensor:
    """Influence of each word on `it` after 1, 2, … layers: (depth, words)."""
    torch.manual_seed(seed)
    vectors, layers, rows = torch.randn(8, len(words)), [], []
    for dilation in [growth**level for level in range(depth)]:
        padding = dilation * (kernel - 1) // 2
        layers += [nn.Conv1d(8, 8, kernel, padding=padding, dilation=dilation), nn.Tanh()]
        rows.append(
            reach.influence(nn.Sequential(*layers), vectors, layout="CT", at=words.index("it"))
        )
    return torch.stack(rows)


# %%
for words, distance in zip(both, distances, strict=True):
    title = f"“it” sees “animal” from layer {distance} on (white: no influence)"
    plot_influence_by_depth(influence_by_depth(words), words, "animal", "it", title)

# %% same_output=true
first_layers = {}
for kernel, growth in [(3, 1), (5, 1), (3, 2)]:
    maps = [influence_by_depth(words, kernel, growth) for words in both]
    seen = [
        (m[:, words.index("animal")] > 0).int().argmax().item() + 1
        for m, words in zip(maps, both, strict=True)
    ]
    first_layers[kernel, growth] = seen
    print(f"kernel {kernel}, growth {growth}: `animal` first reaches `it` at layers {seen}")

# %%
shares = []
for seed in range(5):
    row = influence_by_depth(both[0], seed=seed)[distances[0] - 1]
    shares.append((row[1] / row.sum()).item())
print(f"share of `animal` in the influence on `it`, {distances[0]} layers, 5 seeds:")
print(f"{min(shares):.2%} to {max(shares):.2%}; if all words counted alike: {1 / len(both[0]):.1%}")

# %% [markdown]
# The first layer at which `animal` appears is the number that you computed. Dilation gets there in three layers.
# But to be reached is not to be heard. Of the 3⁷ = 2,187 paths that end at `it`, one comes from `animal`.
# A trained network can strengthen that path; it starts from very little. Lesson 10 shows a layer that looks at `animal` directly.

# %% [markdown]
# ## What we measured
#
# - **How big is the window?** Three 3×3 layers see 7 pixels in a row with stride 1 and 15 with stride 2. 9 counts weights, 27 counts paths, 29 has a stride too many.
# - **Does it matter where the stride is?** Yes: 11, 9 and 7 for stride 2 on the first, second or third layer alone.
# - **Where does it look?** Padding moves the start. Dilation widens the box and can leave holes in it.
# - **Does the network agree?** Yes: the gradient ends where the formula says.
# - **What does a unit use?** A blob in the middle. With depth its side grows more slowly than the field. Part of what looks like growth in training depends on where you measure.
# - **How many layers from `it` to `animal`?** 7 or 6, by the wording; 3 when the dilation doubles.
#
# The cell below states the numbers of this run.

# %%
assert [sizes[s] for s in [(1, 1, 1), (2, 2, 2), (2, 1, 1), (1, 2, 1), (1, 1, 2)]] == [
    7,
    15,
    11,
    9,
    7,
]
assert first_layers == {(3, 1): [7, 6], (5, 1): [4, 3], (3, 2): [3, 3]}
notebook.headline(
    images.name,
    stride_1=sizes[1, 1, 1],
    stride_2=sizes[2, 2, 2],
    stride_2_on_one_layer=[sizes[2, 1, 1], sizes[1, 2, 1], sizes[1, 1, 2]],
    layers_from_it_to_animal=first_layers[3, 1],
    theoretical_side_16_layers=theory[-1],
    effective_side_16_layers=[row[-1] for row in sides],
    theoretical_side=body.size,
    effective_side_before=sides_of(before, "digits", 0.95),
    effective_side_after=sides_of(after, "digits", 0.95),
    effective_side_before_at_noise=sides_of(before, "noise", 0.95),
    effective_side_after_at_noise=sides_of(after, "noise", 0.95),
)

# %% [markdown]
# <!-- next -->
#
# ## References
#
# - Araujo, Norris, Sim: *Computing Receptive Fields of Convolutional Neural Networks*. Distill, 2019. [doi:10.23915/distill.00021](https://doi.org/10.23915/distill.00021)
# - Luo, Li, Urtasun, Zemel: *Understanding the Effective Receptive Field in Deep Convolutional Neural Networks*. NeurIPS 2016. [arXiv:1701.04128](https://arxiv.org/abs/1701.04128)
# - Dumoulin, Visin: *A guide to convolution arithmetic for deep learning*, 2016. [arXiv:1603.07285](https://arxiv.org/abs/1603.07285)
# - Yu, Koltun: *Multi-Scale Context Aggregation by Dilated Convolutions*. ICLR 2016. [arXiv:1511.07122](https://arxiv.org/abs/1511.07122)
