# %% [markdown] question="why can networks be deep?" write="a residual block and its shortcut, paths, costs, compound scaling" minutes=110
# # 04 · Depth and skips: why can networks be deep?
#
# In 1998 a network that read digits had seven layers with weights. In 2015 one that recognised photographs had 152. What had
# stopped people in between, and what changed? The short answer is "they added the input to the output". This lesson measures
# what that buys, and what it does not.
#
# When you are done (about 110 minutes) you can
#
# - say what becomes of a gradient on its way through 2 to 100 layers, and why;
# - write a residual block and its shortcut, and read its Jacobian, I + J;
# - tell *vanishing gradients* from *degradation*, two problems that are often taken for one;
# - count the paths of a network with skips, and say which of them carry the gradient;
# - compute what a block costs, and check six blocks from LeNet to ConvNeXt against their papers.
#
# You need lesson 01 for the convolution and lesson 03 for the receptive field.

# %% setup=true
import copy
import json
import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from utils import costs, data, notebook, paths, reach, training
from utils.checks import depth_and_skips as check
from utils.claims import claim
from utils.gradients import gradient_by_path_length, gradient_norms
from utils.models import families, lineage, published, vision
from utils.models.deep import DeepBlock, DeepCNN
from utils.notebook import payoff
from utils.plotting import depth as depth_plots
from utils.plotting.costs import plot_costs
from utils.plotting.fields import plot_fields
from utils.plotting.images import plot_images
from utils.plotting.runs import plot_runs
from utils.widgets.depth_explorer import depth_explorer

notebook.setup()
torch.set_num_threads(1)  # these networks are tiny: a second thread would mostly wait
dataset = data.mnist()
train_set, validation_set = dataset.split()
if train_set[0].shape[-1] != 28:  # the small digits that stand in where MNIST cannot be had
    larger = [(F.interpolate(drawn, 28), names) for drawn, names in (train_set, validation_set)]
    train_set, validation_set = larger
images, labels = train_set[0][:32], train_set[1][:32]

# %% [markdown]
# ## 1 · What is left of a gradient?
#
# The lowest layer of a network learns from a gradient that has come down through all the others. Each layer on its way
# multiplies it by something. Take the smallest case: every layer is a single number $w$, and there are fifty layers.
#
# A plain layer computes $y = w\,x$. A layer with a **skip** adds its input to its output: $y = x + w\,x$.
#
# **Predict**: how large is $\partial y / \partial x$ through fifty plain layers with $w = 0.9$? With skips and $w = 0.02$?
# And with skips and $w = 0.9$?

# %% same_output=true
by_hand = {"plain, w = 0.9": 0.9**50, "skips, w = 0.02": 1.02**50, "skips, w = 0.9": 1.9**50}
for name, through in by_hand.items():
    print(f"{name:15}  {through:.3g}")

# %%
claim(
    "Fifty factors of 0.9 leave almost nothing, and fifty skips can make a gradient explode",
    by_hand["plain, w = 0.9"] < 0.01 and by_hand["skips, w = 0.9"] > 1e12,
    plain=by_hand["plain, w = 0.9"],
    skips_with_small_weights=by_hand["skips, w = 0.02"],
    skips_with_large_weights=by_hand["skips, w = 0.9"],
)

# %% [markdown]
# A skip turns the factor $w$ into $1 + w$. That rescues the gradient as long as $w$ is small, and it does harm if $w$ is not.
# Keep both halves of that sentence.
#
# ### A hundred real layers
#
# `DeepCNN` is a stack of equal 3×3 layers with ReLU, on digits. We ask it for the gradient of the loss above its last block
# and below its first one, and divide: 1 means that all of it got through. Blocks have two layers, with or without a skip
# around them, and with or without batch normalisation. Nothing is trained yet.
#
# And two kinds of first weights: those that PyTorch draws, and the larger ones that He et al. made for ReLU.
#
# **Predict** for each of the four, with PyTorch's weights: after 100 layers, has the gradient vanished, survived or exploded?

# %%
settings = {
    "plain": dict(skips=False, norm=False),
    "plain, He's weights": dict(skips=False, norm=False, initial="he"),
    "plain, normalised": dict(skips=False),
    "skips": dict(norm=False),
    "skips, He's weights": dict(norm=False, initial="he"),
    "skips, normalised": dict(),
}


def left_below(layers: int, seed: int, **setting) -> float:
    """Gradient norm below the first block, with 1 above the last."""
    torch.manual_seed(seed)
    return gradient_norms(DeepCNN(layers, **setting), images, labels)[0]


# %% covers="8"
depths, seeds = [2, 6, 20, 50, 100], [0, 1, 2]
ratios = {
    name: {layers: [left_below(layers, seed, **setting) for seed in seeds] for layers in depths}
    for name, setting in settings.items()
}

# %% figure="gradients" covers="8"
depth_plots.plot_gradients(
    ratios, "Skips with normalisation grow slowly; the rest is far off, or depends on the weights"
)

# %% covers="8"
at_100 = {name: by_depth[100] for name, by_depth in ratios.items()}
claim(
    "Through 100 plain layers with PyTorch's weights the gradient vanishes, three seeds",
    max(at_100["plain"]) < 1e-20,
    left=at_100["plain"],
)
claim(
    "With the weights that He et al. drew, plain layers lose far less of it, three seeds",
    min(at_100["plain, He's weights"]) > 1e-6,
    left=at_100["plain, He's weights"],
)
claim(
    "With normalisation and no skips it does not vanish but explodes, three seeds",
    min(at_100["plain, normalised"]) > 1e4,
    left=at_100["plain, normalised"],
)
claim(
    "With skips and normalisation it grows by less than a factor of 500 in 100 layers, three seeds",
    min(at_100["skips, normalised"]) > 1 and max(at_100["skips, normalised"]) < 500,
    left=at_100["skips, normalised"],
)
claim(
    "Without normalisation it depends on the weights whether skips keep it or make it explode",
    max(at_100["skips"]) < 20 and min(at_100["skips, He's weights"]) > 1e5,
    PyTorch=at_100["skips"],
    He=at_100["skips, He's weights"],
)

# %% [markdown] covers="8"
# (The line of the plain network leaves the picture; the first claim has its end.) You will often read that the gradient flows
# through the addition unchanged and that this solves vanishing gradients. Here is what the picture says, more exactly:
#
# - **Plain networks need not vanish.** With the weights that PyTorch draws, each layer shrinks the gradient. He et al. drew
#   larger ones, made for ReLU, and most of the problem was gone *before* there were skips.
# - **Normalisation without skips explodes.** Each layer rescales the signal on its way up, and the gradient pays for that on
#   its way down (Yang et al. 2019).
# - **Skips alone can explode**, as $1.9^{50}$ does. Each block adds to the signal, so without normalisation its variance can
#   double at every block.
# - **Both together** grow slowly. Each normalised branch adds about as much as the one before, so a late branch changes a
#   *larger* sum by a *smaller* share.
#
# Try it yourself. Three questions for the explorer:
# 1. Which settings get a gradient through 100 layers within a factor of 100?
# 2. Multiply what is skipped by 0.9 instead of 1. What happens with normalisation, and what without?
# 3. Where in the network does the curve bend, if it does?

# %%
depth_explorer()

# %% [markdown] covers="35"
# ### Why exactly 1?
#
# The skip multiplies by 1, and no weight can change that. What if it were a little less? **Predict**: with factors of 0.9 and
# 0.5, PyTorch's weights and no normalisation, how much of the gradient is left after 100 layers?

# %% covers="35"
scales = {1.0: at_100["skips"]}
for scale in (0.9, 0.5):
    scales[scale] = [left_below(100, seed, norm=False, scale=scale) for seed in seeds]
claim(
    "With these weights a skip of 0.9 loses what a skip of 1 keeps, and one of 0.5 leaves nothing",
    min(scales[1.0]) > 0.3 and max(scales[0.9]) < 0.1 and max(scales[0.5]) < 1e-9,
    times_1=scales[1.0],
    times_0_9=scales[0.9],
    times_0_5=scales[0.5],
)

# %% [markdown] covers="35"
# Fifty blocks, each keeping 0.9: that is $0.9^{50}$ again, now on the direct path. A network called Highway (Srivastava et
# al., May 2015) had learned factors there, *gates* between 0 and 1, and took them from the LSTM (1997). ResNet, half a year
# later, left the gates out. The two ideas are alike in this: both add what was there to what is new, so that there is a path
# along which the gradient is multiplied by a known number. They differ in that number. A gate can close and forget; a skip
# cannot. Lesson 07 lays one over the other.

# %% [markdown] quiz="one_at_a_time" points=1
# ### Quiz · what did it?
#
# A colleague trains a plain network of 60 layers with batch normalisation. It fails. "Vanishing gradients," she says,
# "normalisation was not enough." Which answer fits what you measured?
#
# - A. She is right: normalisation slows the vanishing down, and 60 layers are too many.
# - B. At the start the gradient explodes in such a network; if something vanishes, it must be shown.
# - C. With normalisation the gradient keeps its norm, so the cause lies elsewhere.
# - D. She should draw smaller weights.
#
# ### BEGIN SOLUTION
# **B.** Plain with normalisation grows from bottom to top of the figure: the gradient at the lowest layers is thousands of
# times larger than at the highest ones.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A** is what most people would guess. The figure has this network *above* 1, not below.
# - **B** is right. "Vanishing" is a measurement, not a name for all that goes wrong in deep networks.
# - **C** is nearer to what skips *and* normalisation do. Normalisation alone does not.
# - **D** changes nothing: the layer that follows divides by the size of what it gets.
# </details>

# %% [markdown]
# ## 2 · The residual block
#
# If a few layers should turn $x$ into a wanted $y$, let them compute the *difference* $F(x) = y - x$ instead, and add $x$
# afterwards. If nothing needs to be changed, $F$ only has to be zero. He, Zhang, Ren and Sun (2015) called this a
# **residual** block:
#
# $$y = \mathrm{relu}\big(x + F(x)\big), \qquad F(x) = \mathrm{norm}_2\big(K_2 * \mathrm{relu}(\mathrm{norm}_1(K_1 * x))\big)$$
#
# In evaluation mode, batch normalisation is nothing but a scale and a shift for each channel, so $\mathrm{norm}_i(u) =
# \gamma_i \cdot u + \beta_i$. **Predict** for one pixel and one channel, with both kernels zero: what does the block make of
# 3? And of −3?

# %% same_output=true
for pixel in (3.0, -3.0):
    branch = 0 * pixel  # kernels of zeros
    print(f"{pixel:+.0f} becomes {max(0.0, pixel + branch):.0f}")

# %% [markdown]
# The branch says nothing, and the block passes 3 on. But −3 becomes 0: in this block the sum still goes through a ReLU. So
# "unchanged" is not quite true of the original ResNet, and below you will measure by how much.
#
# | symbol | in code | shape | meaning |
# | --- | --- | --- | --- |
# | $x$ | `x` | (B, C, H, W) | what comes in |
# | $K_1, K_2$ | `kernels` | (2, C, C, 3, 3) | kernels without bias; with a padding of 1 the map keeps its size |
# | $\gamma_1, \gamma_2$ | `scales` | (2, C) | one factor for each channel, for each layer |
# | $\beta_1, \beta_2$ | `shifts` | (2, C) | one number to add for each channel, for each layer |
# | $y$ | the result | (B, C, H, W) | what goes out |

# %% [markdown]
# ### Exercise 4.1 · the residual block
# ●●○ · about 15 minutes · 2 points
#
# Write `residual_block(x, kernels, scales, shifts)`: the formula above, from `x` to `y`. `F.conv2d` is allowed.


# %% answer="residual_block" covers="8"
def residual_block(
    x: torch.Tensor, kernels: torch.Tensor, scales: torch.Tensor, shifts: torch.Tensor
) -> torch.Tensor:
    """relu(x + branch(x)), with two normalised 3×3 layers in the branch: (B, C, H, W) in and out.

    >>> x = torch.tensor([[[[3.0, -3.0]]]])
    >>> residual_block(x, torch.zeros(2, 1, 1, 3, 3), torch.ones(2, 1), torch.ones(2, 1)).tolist()
    [[[[4.0, 0.0]]]]
    """
    ### BEGIN SOLUTION
    y = x
    for layer in (0, 1):
        y = F.conv2d(y, kernels[layer], padding=1)
        y = scales[layer].view(-1, 1, 1) * y + shifts[layer].view(-1, 1, 1)
        if layer == 0:
            y = torch.relu(y)
    return torch.relu(x + y)
    ### END SOLUTION


# %% check="residual_block"
check.residual_block(residual_block)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Write the branch as if there were no skip: convolve, scale and shift, ReLU, convolve, scale and shift. Keep `x` under its
# own name until the end.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# `scales[0]` has the shape (C,), and the map (B, C, H, W). `scales[0].view(-1, 1, 1)` is (C, 1, 1), which stretches over rows
# and columns.
# </details>
# <details><summary>Help: "The size of tensor a must match the size of tensor b"</summary>
#
# Either the map shrank, because `padding=1` is missing, or (C,) met the columns (W) instead of the channels.
# </details>

# %% payoff="residual_block"
with payoff("residual_block"):
    draw = torch.Generator().manual_seed(0)
    maps = torch.rand(1, 8, 7, 7, generator=draw, requires_grad=True)
    heights = [maps]
    for _ in range(50):
        kernels = 0.05 * torch.randn(2, 8, 8, 3, 3, generator=draw)
        heights.append(residual_block(heights[-1], kernels, torch.ones(2, 8), torch.zeros(2, 8)))
    gradients = torch.autograd.grad(heights[-1].norm(), heights)
    norms = torch.stack([gradient.norm() for gradient in gradients])
    depth_plots.plot_profile((norms / norms[-1]).tolist(), "The gradient in 50 of your blocks")

# %% [markdown]
# That is a hundred of your layers. With such small kernels, each branch adds little, and the line stays close to 1.
#
# ### The Jacobian of a block
#
# The Jacobian of $x + F(x)$ is $I + J_F$: the identity, plus that of the branch. In the original block there is a ReLU after
# the sum. It multiplies from the left by a diagonal matrix $D$ of zeros and ones: $D\,(I + J_F)$.
#
# **Predict**: a block of 2 channels on a map of 4×4 pixels has a Jacobian of 32×32. What do you see on its diagonal?

# %% covers="8"
torch.manual_seed(0)
block, here = DeepBlock(2, norm=False), torch.randn(32)


def jacobian(function) -> torch.Tensor:
    """∂ output / ∂ input at `here`, with maps written as 32 numbers: (32, 32)."""
    maps = here.view(1, 2, 4, 4)
    return torch.autograd.functional.jacobian(function, maps).view(32, 32)


of_branch, of_block = jacobian(block.branch), jacobian(block)
opened = (here + block.branch(here.view(1, 2, 4, 4)).flatten() > 0).float()
formula = opened[:, None] * (torch.eye(32) + of_branch)

# %%
three = {"J": of_branch, "I + J": torch.eye(32) + of_branch, "the block: D (I + J)": of_block}
plot_images([*three.values()], [*three], bar="∂ output / ∂ input", signed=True)

# %% covers="8"
closed = int((opened == 0).sum())
claim(
    "The Jacobian of a block is D (I + J), where D closes the rows of units at 0",
    torch.allclose(formula, of_block, atol=1e-5) and closed > 0,
    largest_difference=(formula - of_block).abs().max().item(),
    closed_rows=closed,
    rows=32,
)

# %% [markdown]
# So in the original block the path around the branch is free only where the ReLU is open. A year later He et al. moved
# normalisation and ReLU *into* the branch, so that nothing stands after the sum (pre-activation). Transformers do the same:
# lesson 11's blocks are $x + F(\mathrm{norm}(x))$, and its Jacobian has an undisturbed $I$.
#
# ### When the shapes differ
#
# $x + F(x)$ needs two maps of one shape. But at some places a network halves its side and doubles its channels. There the
# **shortcut** has to change its shape as well. The paper tried two ways:
#
# - **A, without weights**: keep every second row and column, beginning with the first, and fill the new channels with zeros;
# - **B, a projection**: a 1×1 convolution with the stride of the branch, $y_o = \sum_c W_{oc}\, x_c$ at each pixel that is
#   kept.
#
# | symbol | in code | shape | meaning |
# | --- | --- | --- | --- |
# | $x$ | `x` | (B, C, H, W) | what comes in |
# | | `channels`, `stride` | | what the branch makes of it: so many channels, every stride-th row and column |
# | $W$ | `weight` | (channels, C) or `None` | the projection, if there is one |
# | | the result | (B, channels, ⌈H / stride⌉, ⌈W / stride⌉) | what is added to the branch |

# %% [markdown]
# ### Exercise 4.2 · the shortcut
# ●●○ · about 10 minutes · 2 points
#
# Write `shortcut(x, channels, stride, weight)`. With a weight it is the projection, without one (`None`) it is way A.
# `channels` is at least C. Nothing else stands on a shortcut: no bias, no ReLU. (The paper's projection is normalised, too;
# we leave that out.)


# %% answer="shortcut"
def shortcut(
    x: torch.Tensor, channels: int, stride: int, weight: torch.Tensor | None
) -> torch.Tensor:
    """x (B, C, H, W) in the shape of the branch: (B, channels, ⌈H / stride⌉, ⌈W / stride⌉).

    >>> shortcut(torch.ones(1, 1, 2, 2), 2, 2, None).tolist()
    [[[[1.0]], [[0.0]]]]
    """
    ### BEGIN SOLUTION
    kept = x[:, :, ::stride, ::stride]
    if weight is not None:
        return torch.einsum("oc,bchw->bohw", weight, kept)
    missing = channels - kept.shape[1]
    zeros = kept.new_zeros(kept.shape[0], missing, *kept.shape[2:])
    return torch.cat([kept, zeros], dim=1)
    ### END SOLUTION


# %% check="shortcut"
check.shortcut(shortcut)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Two things happen, and one of them is the same both times: `x[:, :, ::stride, ::stride]` keeps the pixels that a 1×1 kernel
# with that stride would read. What is left is about channels alone.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# `torch.einsum("oc,bchw->bohw", weight, x)` mixes channels. `F.conv2d` does it too, if the weight has the shape (channels, C,
# 1, 1).
# </details>
# <details><summary>Help: right with a weight, wrong without one</summary>
#
# How many maps of zeros are missing, and on which side of those that are there? They come behind them.
# </details>

# %% payoff="shortcut"
with payoff("shortcut"):
    digit = images[:1]
    draw = torch.Generator().manual_seed(1)
    shapes = {"A": None, "B": torch.randn(3, 1, generator=draw)}
    both = [shortcut(digit, 3, 2, weight)[0] for weight in shapes.values()]
    names = [f"{way}, channel {channel}" for way in shapes for channel in range(3)]
    plot_images([channel for maps in both for channel in maps], names, bar="value", signed=True)

# %% [markdown]
# Way A: the digit at half its size, and two empty maps for the branch to fill. Way B: three multiples of it. The paper found
# B slightly better and kept it where shapes change; everywhere else its shortcuts are identities.

# %% [markdown]
# ## 3 · Degradation: worse where it should be better
#
# Here is the experiment that led to all this. Stack more layers on a network that works. It may overfit, so its *validation*
# error may rise. But its **training** error should fall, since it can do all that the smaller one can: let the new layers do
# nothing.
#
# First let us see whether they can. We train a plain network of 8 layers, put 24 layers on top whose kernels pass everything
# on (a 1 in the middle), and measure again. **Predict**: what happens to the training error?
#
# Then we train 32 layers from scratch. **Predict**: is the training error of the plain network with 32 layers lower than,
# equal to or higher than that of the one with 8? And with skips?

# %%
LEARN = 8_000  # images, each of them seen once
seen = training.Batches(train_set[0][:LEARN], train_set[1][:LEARN], 500)
validation = training.Batches(validation_set[0][:2_000], validation_set[1][:2_000], 500)


def prepare(layers: int, skips: bool, seed: int):
    """A normalised network, and its training, ready to start."""
    training.seed_everything(seed)
    net = DeepCNN(layers, skips=skips)
    batches = training.Batches(seen.inputs, seen.targets, 64, shuffle=True, seed=seed)
    return net, partial(training.fit, net, batches, validation, validations=1, label="")


# %% covers="8"
runs = {
    (layers, skips, seed): prepare(layers, skips, seed)
    for layers in (8, 32)
    for skips in (False, True)
    for seed in (0, 1)
}
training.in_parallel({run: task for run, (_, task) in runs.items()}, "two at a time")
nets = {run: net for run, (net, _) in runs.items()}
fit_seen = {run: training.evaluate(net, seen) for run, net in nets.items()}


# %% covers="8"
def training_errors(layers: int, skips: bool) -> list[float]:
    """In %, one for each seed."""
    return [100 - 100 * fit_seen[layers, skips, seed] for seed in (0, 1)]


named = {(False, 8): "plain, 8 layers", (False, 32): "plain, 32 layers"}
named |= {(True, 8): "skips, 8 layers", (True, 32): "skips, 32 layers"}
accuracies = {
    name: [1 - error / 100 for error in training_errors(layers, skips)]
    for (skips, layers), name in named.items()
}
plot_runs(
    accuracies,
    "Accuracy on the images that were trained on: plain and deep is worst",
    xlabel="training accuracy (%)",
)

# %% [markdown]
# Now the layers that do nothing, on top of the plain network with 8.

# %%
widened = copy.deepcopy(nets[8, False, 0])
for _ in range(12):
    idle = DeepBlock(16, skip=False).eval()
    for layer in idle.branch:
        if isinstance(layer, nn.Conv2d):
            nn.init.dirac_(layer.weight)  # a 1 in the middle, from each channel to itself
    widened.blocks.append(idle)
built = 100 - 100 * training.evaluate(widened, seen)

# %% covers="8"
claim(
    "The plain network of 32 layers has a higher training error than that of 8, two seeds",
    min(training_errors(32, False)) > 10 + max(training_errors(8, False)),
    of="mnist",
    unit="%",
    layers_8=training_errors(8, False),
    layers_32=training_errors(32, False),
)
claim(
    "With skips 32 layers fit these images about as well as 8 do, two seeds",
    max(training_errors(32, True)) < 5 + max(training_errors(8, True)),
    of="mnist",
    unit="%",
    layers_8=training_errors(8, True),
    layers_32=training_errors(32, True),
)
claim(
    "32 plain layers that fit as well as 8 exist: 24 of them pass everything on",
    abs(built - training_errors(8, False)[0]) < 0.5,
    unit="%",
    training_error_of_8=training_errors(8, False)[0],
    with_24_more=built,
)

# %% [markdown]
# So it is not overfitting, because the error on the *training* images rose. And the good solution exists: you have just built
# it. The optimizer does not find it. He et al. called this **degradation**. With skips, doing nothing is the easy thing: $F =
# 0$.
#
# Is it the vanishing gradient, then? The authors thought that unlikely, since their plain networks were normalised. Your
# figure in section 1 agrees in part: normalised plain networks do not vanish at the start, they explode. What exactly makes
# them hard to train is still argued about, and the name of the problem is not an explanation.
#
# ### Is it only slower?
#
# Each image was seen once. `python -m bench.record_depth` trained longer, with three seeds; here is its record.

# %%
record = json.loads((paths.RECORDED / "depth_and_families.json").read_text())
longer = {
    name.replace("residual", "skips"): [run["training"] for run in runs_of]
    for name, runs_of in record["depth"].items()
}
steps = round(2 * record["passes"] * record["images"] / record["size"])
plot_runs(
    longer,
    f"Accuracy on the training images after {steps} steps (recorded)",
    xlabel="training accuracy (%)",
)

# %% covers="8"
claim(
    "After four times through the images the deep plain network is still behind (recorded)",
    max(longer["plain, 32 layers"]) < min(longer["plain, 8 layers"]) - 0.01,
    unit="%",
    plain_8=[100 * share for share in longer["plain, 8 layers"]],
    plain_32=[100 * share for share in longer["plain, 32 layers"]],
    skips_32=[100 * share for share in longer["skips, 32 layers"]],
)

# %% [markdown]
# So, partly. With four times as many steps (6,000 images, in batches of 48) the plain network of 32 layers has come far, while all
# others are within half a point of 99 %. He et al. trained three times longer than usual and still saw the gap. We did not train until it closes.

# %% [markdown] quiz="degradation" points=1
# ### Quiz · which curve?
#
# You double the depth of a network. Training accuracy falls from 98 to 91, validation accuracy from 96 to 90. What is it?
#
# - A. Overfitting: the larger network has too many weights.
# - B. Degradation: the larger network fits even its training images worse.
# - C. Too little data.
# - D. It cannot be told without the test set.
#
# ### BEGIN SOLUTION
# **B.** The training accuracy fell. Overfitting is the other way round: training accuracy rises, and validation accuracy
# falls.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A** would show a *rising* training accuracy. The gap between the two has even become smaller.
# - **B** is right, and more regularisation would make it worse.
# - **C**: more data lowers the gap between training and validation. There is hardly any.
# - **D**: the test set is for one last number, not for finding out what is wrong.
# </details>

# %% [markdown]
# ## 4 · A deep network is many shallow ones
#
# At each block a signal has two ways: past the branch, or through it. So a stack of blocks is a bundle of **paths**, and most
# of them are shorter than the stack. Here are all paths through three blocks, written out. **Predict**: how many go through
# exactly one branch?

# %% same_output=true
ways = [(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)]  # 1: through the branch
for through in range(4):
    listed = ["".join("·F"[bit] for bit in way) for way in ways if sum(way) == through]
    print(f"through {through}: {len(listed)} {listed}")

# %% [markdown]
# That is Pascal's triangle: 1, 3, 3, 1, and $2^3$ paths in all. For $n$ blocks with one layer each, $\binom{n}{k}$ paths go
# through $k$ of them. Real stacks are less tidy. A branch has several layers, and a layer without a skip lies on every path.
#
# | symbol | in code | meaning |
# | --- | --- | --- |
# | | `blocks` | list of pairs `(layers, skip)`, input side first |
# | | `layers` | how many layers the branch of a block has, at least 1 |
# | | `skip` | `True` if a path can go past the branch |
# | $N_k$ | `counts[k]` | how many paths go through $k$ layers in all |

# %% [markdown]
# ### Exercise 4.3 · count the paths
# ●●○ · about 15 minutes · 2 points
#
# Write `count_paths(blocks)`. It returns the list $N_0, N_1, \dots$ up to the longest path. Do not list the paths: a ResNet
# with 54 blocks has $2^{54}$ of them.


# %% answer="count_paths" covers="8"
def count_paths(blocks: list[tuple[int, bool]]) -> list[int]:
    """How many paths go through 0, 1, 2, … layers, up to the longest.

    >>> count_paths([(1, False), (2, True)])
    [0, 1, 0, 1]
    """
    ### BEGIN SOLUTION
    counts = [1]
    for layers, skip in blocks:
        after = [0] * (len(counts) + layers)
        for k, paths_so_far in enumerate(counts):
            after[k + layers] += paths_so_far
            if skip:
                after[k] += paths_so_far
        counts = after
    return counts
    ### END SOLUTION


# %% check="count_paths"
check.count_paths(count_paths)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Before any block there is one path, of length 0: `counts = [1]`. What does one more block make of each path that you have?
# </details>
# <details><summary>Hint: one block</summary>
#
# Make a new list that is longer by `layers`. Every path of length k goes on to length k + layers, and if there is a skip,
# also to length k.
# </details>
# <details><summary>Help: my numbers grow too fast within one block</summary>
#
# You write into the list that you are reading. Collect the new numbers in a second list.
# </details>

# %% payoff="count_paths"
with payoff("count_paths"):
    counts = count_paths([(2, True)] * 16)
    longest = len(counts) - 1
    middle = sum(counts[12:21]) / sum(counts)
    print(f"32 layers in 16 blocks: {sum(counts):,} paths, the longest through {longest} layers.")
    print(f"{middle:.0%} of them go through 12 to 20 layers, and {counts[longest]} through all.")

# %% [markdown]
# ### Which paths carry the gradient?
#
# Most paths go through about half of the branches. But a path through many branches is multiplied by many Jacobians. If these
# are small, long paths carry little, however many they are. Veit, Wilber and Belongie (2016) sampled paths to find out. We
# can do it exactly: the product of all $I + J_i$ is the sum over all paths, and `gradient_by_path_length` sorts that sum by
# the number of branches, with the same recursion that you have just written.
#
# **Predict**: in a network of 16 blocks, which paths carry most of the gradient, those through 0, 3, 8 or 16 branches?


# %%
def shares_by_length(net: DeepCNN) -> list[float]:
    """What paths through 0, 1, … branches carry, the whole being 1: median of 64 images."""
    net.eval()
    below = net.stem(validation_set[0][:64]).detach().requires_grad_()
    above = net.blocks(below)
    loss = F.cross_entropy(net.head(above), validation_set[1][:64], reduction="sum")
    (gradient,) = torch.autograd.grad(loss, above)
    parts = gradient_by_path_length(list(net.blocks), below, gradient).flatten(2)
    return (parts.norm(dim=2) / parts.sum(0).norm(dim=1)).median(1).values.tolist()


# %%
torch.manual_seed(0)
shares = {
    "untrained": shares_by_length(DeepCNN(32)),
    "trained": shares_by_length(nets[32, True, 0]),
}
heaviest = {name: values.index(max(values)) for name, values in shares.items()}

# %% payoff="count_paths"
with payoff("count_paths"):
    depth_plots.plot_paths_and_shares(
        count_paths([(1, True)] * 16),
        shares,
        "Most paths are long, and the gradient prefers the short ones",
    )

# %% covers="8"
claim(
    "The paths that carry most of the gradient are shorter than the typical one, which takes 8",
    max(heaviest.values()) < 8,
    of="mnist",
    unit="branches",
    untrained=heaviest["untrained"],
    trained=heaviest["trained"],
)
longest_share = max(values[16] for values in shares.values())
claim(
    "Paths through all 16 branches carry nothing to speak of",
    longest_share < 1e-4,
    largest_share=longest_share,
)

# %% [markdown]
# In an untrained network (whose normalisation has not seen any data yet) the direct path alone carries most of it. Training
# moves the weight to paths through a few branches, still well below the eight of a typical path. So a deep residual network
# is, for its gradient, an ensemble of networks of modest depth. That is one reason why depth does not hurt. (The parts are
# vectors, and partly cancel, so that their norms add up to more than 1.)
#
# ### Take a block away
#
# If this is right, a single block should not matter much: without it, half of all paths are left as they were. In a plain
# network each block lies on the only path. **Predict**: we remove one block at a time from the trained networks, and train
# nothing again. What happens to the accuracy?


# %%
def without_each_block(net: DeepCNN) -> list[float]:
    """Validation accuracy, in %, without block 0, 1, …"""
    found = []
    for number in range(len(net.blocks)):
        cut = copy.deepcopy(net)
        cut.blocks[number] = nn.Identity()
        found.append(100 * training.evaluate(cut, validation))
    return found


# %%
one_missing = {
    name: without_each_block(nets[layers, skips, 0])
    for (skips, layers), name in named.items()
    if name != "plain, 32 layers"  # there is nothing to lose
}
plot_runs(
    {name: [a / 100 for a in found] for name, found in one_missing.items()},
    "One block removed: a dot for each block",
    xlabel="validation accuracy (%) without one block",
)

# %% covers="8"
plain_best, deep_skips = max(one_missing["plain, 8 layers"]), one_missing["skips, 32 layers"]
whole = 100 * training.evaluate(nets[32, True, 0], validation)
claim(
    "Without any one of its blocks the plain network is lost",
    plain_best < 60,
    of="mnist",
    unit="%",
    best_without_one=plain_best,
)
claim(
    "With skips at least 12 of 16 blocks can each be missing at a loss of less than 5 points",
    sum(accuracy > whole - 5 for accuracy in deep_skips) >= 12,
    of="mnist",
    all_blocks=f"{whole:.1f} %",
    each_missing=f"{min(deep_skips):.1f} to {max(deep_skips):.1f} %",
)

# %% [markdown]
# Not every block is spare: look at the dots at the left. With only four blocks, some cannot be missed either. The robustness
# comes with depth.
#
# ### What skips do to the reach
#
# Skips leave the *theoretical* field as it is, since the longest path decides it. The *effective* field of lesson 03 follows
# the paths that carry something. **Predict**: with skips, is it wider or narrower than without?

# %%
torch.manual_seed(0)
noise, effective, fields_of = torch.randn(4, 8, 41, 41).double(), {}, {}
for name, skips in {"plain": False, "skips": True}.items():
    effective[name] = []
    for seed in seeds:
        torch.manual_seed(seed)
        stack = nn.Sequential(*[DeepBlock(8, skips, norm=False) for _ in range(8)]).double()
        fields_of[name] = reach.influence(stack, noise, at="centre")
        effective[name].append(reach.effective_side(fields_of[name]))

# %% figure="fields"
sides = {
    name: f"{name}: 95 % in {found[-1]}×{found[-1]} pixels" for name, found in effective.items()
}
plot_fields({sides[name]: field for name, field in fields_of.items()}, boxes=[(4, 33)] * 2)

# %%
claim(
    "With PyTorch's weights skips make the effective field narrower: 16 layers, three seeds",
    max(effective["skips"]) < 0.75 * min(effective["plain"]),
    unit="pixels",
    **effective,
)

# %% [markdown]
# Short paths see little. The skips that bring the gradient down also keep a unit listening close to its own place, until
# training moves the weight to longer paths. Depth on paper is not reach.

# %% [markdown]
# ## 5 · Six blocks, 1998 to 2022
#
# The history of these networks can be told in one block from each. All six are in `utils/models/lineage.py`, a few lines
# each; have a look.
#
# | year | network | its block | what was new |
# | --- | --- | --- | --- |
# | 1998 | LeNet-5 | 5×5 convolution, learned subsampling, tanh | shared weights, trained end to end |
# | 2012 | AlexNet | large kernels, ReLU, local normalisation, overlapping max pooling | ReLU, two GPUs: hence two *groups* of channels |
# | 2014 | VGG | two or three 3×3 layers, then pooling | small kernels, many layers |
# | 2015 | ResNet | two 3×3 layers, or 1×1, 3×3, 1×1 (*bottleneck*), and a skip | depth by skips |
# | 2019 | EfficientNet | 1×1 up, *depthwise* k×k, squeeze and excitation, 1×1 down, a skip | wide in the middle; size by rule |
# | 2022 | ConvNeXt | depthwise 7×7, layer norm, 1×1 up, GELU, 1×1 down, a skip | a transformer's block, with a convolution where attention was |
#
# *Depthwise* means that each channel is convolved for itself: as many groups as channels. *Squeeze and excitation* multiplies
# each channel by a number that a small network makes of the means of all channels.
#
# Why these shapes? Because of what they cost. A layer with $C_{in}$ channels in and $C_{out}$ out, kernel $k$, stride $s$ and
# $g$ groups reads $C_{in} / g$ channels for each unit of its output. **Predict**: which has more weights, three 3×3 layers or
# one 7×7 layer with the same field? By how much?

# %% same_output=true
C = 64
print(f"three 3×3 layers: {3 * 9 * C * C:,} weights; one 7×7 layer: {49 * C * C:,} weights")

# %% [markdown]
# | symbol | in code | meaning |
# | --- | --- | --- |
# | $C_{in}$, $C_{out}$ | `inputs`, `outputs` | channels; whole multiples of the groups |
# | $k$, $s$, $g$ | `kernel`, `stride`, `groups` | kernel × kernel, with k odd |
# | | `side` | of the square image; the map behind a layer has the side ⌈side / s⌉, by padding |
# | | `parameters` | weights in all; no biases (normalisation follows) |
# | | `multiply_adds` | products in one forward pass of one image; each with its addition counts once |

# %% [markdown]
# ### Exercise 4.4 · what a block costs
# ●●○ · about 15 minutes · 2 points
#
# Write `block_cost(layers, side)`. It takes a list of `(inputs, outputs, kernel, stride, groups)`, input side first, and the
# side of the image. It returns two whole numbers: parameters and multiply-adds of all layers together.


# %% answer="block_cost" covers="7"
def block_cost(layers: list[tuple[int, int, int, int, int]], side: int) -> tuple[int, int]:
    """Weights, and multiply-adds for one image of side × side, of a stack of convolutions.

    >>> block_cost([(1, 1, 3, 2, 1)], 4)
    (9, 36)
    """
    ### BEGIN SOLUTION
    parameters, multiply_adds = 0, 0
    for inputs, outputs, kernel, stride, groups in layers:
        side = -(-side // stride)  # rounded up
        weights = outputs * (inputs // groups) * kernel * kernel
        parameters += weights
        multiply_adds += weights * side * side
    return parameters, multiply_adds
    ### END SOLUTION


# %% check="block_cost"
check.block_cost(block_cost)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# How many weights does *one* output channel have? Multiply by the output channels. And how often is each weight used? Once
# for each pixel of the output.
# </details>
# <details><summary>Hint: the order</summary>
#
# Layer by layer: first the side of the map that this layer makes, then its weights, then both sums. The next layer starts
# from the new side.
# </details>
# <details><summary>Help: right for one layer, wrong for two</summary>
#
# A stride makes the map smaller for all layers that follow. Do you keep the new side?
# </details>
# <details><summary>Help: wrong with groups only</summary>
#
# There are still `outputs` output channels. Each of them reads `inputs / groups` channels instead of all.
# </details>

# %% payoff="block_cost"
with payoff("block_cost"):
    designs = {
        "one 7×7 layer, 64 channels": [(64, 64, 7, 1, 1)],
        "three 3×3 layers (VGG)": [(64, 64, 3, 1, 1)] * 3,
        "basic: two 3×3 layers (ResNet)": [(64, 64, 3, 1, 1)] * 2,
        "bottleneck 256-64-64-256 (ResNet)": [
            (256, 64, 1, 1, 1),
            (64, 64, 3, 1, 1),
            (64, 256, 1, 1, 1),
        ],
        "MBConv 40-240-40, 5×5": [(40, 240, 1, 1, 1), (240, 240, 5, 1, 240), (240, 40, 1, 1, 1)],
        "ConvNeXt 96-384-96, 7×7": [(96, 96, 7, 1, 96), (96, 384, 1, 1, 1), (384, 96, 1, 1, 1)],
    }
    depth_plots.plot_block_costs(
        {name: block_cost(design, 56) for name, design in designs.items()},
        "What your function says",
    )

# %% [markdown]
# A bottleneck handles four times as many channels as a basic block and costs a little less, as the ResNet paper says. And in
# ConvNeXt the large kernel is nearly free: nearly all of the cost is in the 1×1 layers around it. In MBConv the kernel works on
# the *widened* channels, and takes a quarter.

# %% covers="7"
kernels = {"ConvNeXt": 49 * 96, "MBConv": 25 * 240}
around = {"ConvNeXt": 2 * 96 * 384, "MBConv": 2 * 40 * 240}  # the two 1×1 layers
share_of_kernel = {name: 100 * own / (own + around[name]) for name, own in kernels.items()}
claim(
    "The depthwise kernel is a small part of a ConvNeXt block and a quarter of an MBConv",
    share_of_kernel["ConvNeXt"] < 10 and 20 < share_of_kernel["MBConv"] < 30,
    unit="% of the weights",
    **share_of_kernel,
)

# %% [markdown]
# So where the kernel stands decides what it costs.
#
# ### Six blocks, counted
#
# Here is one block of each network, with the sizes that it has in the paper. LeNet's first layer is in its paper with 156
# parameters and 122,304 connections, where a connection is a product or a bias.


# %% covers="7"
def counted(build, *shape: int) -> costs.Cost:
    """Parameters and multiply-adds for images of this shape, without computing anything."""
    with torch.device("meta"):
        return costs.cost(build(), torch.empty(1, *shape))


one_block = {
    "LeNet: C1 and S2": (partial(lineage.LeNetBlock, 1, 6), 1, 32),
    "AlexNet: layer 2": (partial(lineage.AlexNetBlock, 96, 256, groups=2), 96, 27),
    "VGG-16: stage 3": (partial(lineage.VGGBlock, 128, 256), 128, 56),
    "ResNet-34: basic": (partial(lineage.BasicBlock, 64, 64), 64, 56),
    "ResNet-50: bottleneck": (partial(lineage.Bottleneck, 256, 256), 256, 56),
    "ResNet-50: projection": (partial(lineage.Bottleneck, 256, 512, 2), 256, 56),
    "EfficientNet-B0: MBConv": (partial(lineage.MBConv, 40, 40, 5), 40, 28),
    "ConvNeXt-T: block": (partial(lineage.ConvNeXtBlock, 96), 96, 56),
}
print(f"{'':24} {'input':>9}  parameters  multiply-adds")
for name, (build, channels, side) in one_block.items():
    cost = counted(build, channels, side, side)
    print(f"{name:24} {channels:3}×{side}×{side} {cost.parameters:11,} {cost.multiply_adds:14,}")

# %% covers="7"
c1 = counted(lambda: lineage.LeNetBlock(1, 6).convolution, 1, 32, 32)
basic, bottleneck, convnext = (
    counted(*one_block[name][:1], channels, 56, 56)
    for name, channels in {
        "ResNet-34: basic": 64,
        "ResNet-50: bottleneck": 256,
        "ConvNeXt-T: block": 96,
    }.items()
)
claim(
    "LeNet's first layer has the 156 parameters and 122,304 connections of its paper",
    (c1.parameters, c1.multiply_adds + 6 * 28 * 28) == (156, 122_304),
    parameters=c1.parameters,
    connections=c1.multiply_adds + 6 * 28 * 28,
)
claim(
    "Multiply-adds of three blocks are those of the arithmetic above",
    [basic.multiply_adds, bottleneck.multiply_adds, convnext.multiply_adds]
    == [
        2 * 9 * 64 * 64 * 56**2,
        (256 * 64 + 9 * 64 * 64 + 64 * 256) * 56**2,
        (49 * 96 + 2 * 96 * 384) * 56**2,
    ],
    basic=basic.multiply_adds,
    bottleneck=bottleneck.multiply_adds,
    ConvNeXt=convnext.multiply_adds,
)

# %% [markdown]
# ### Are these the real blocks?
#
# It is easy to build something that only looks like the original. So let us check our blocks against their papers: with
# nothing but these blocks, `utils/models/published.py` builds the whole networks, on a "device" where tensors have shapes and
# no numbers. If a single block were wrong, the sums would not fit.


# %% covers="7"
whole_networks = {
    "LeNet-5": (counted(published.lenet_5, 1, 32, 32), "60,000", ""),
    "AlexNet": (counted(published.alexnet, 3, 227, 227), "60 million", ""),
    "VGG-16": (counted(published.vgg_16, 3, 224, 224), "138 million", ""),
    "ResNet-34": (counted(partial(published.resnet, 34), 3, 224, 224), "", "3.6 billion"),
    "ResNet-50": (counted(partial(published.resnet, 50), 3, 224, 224), "", "3.8 billion"),
    "ResNet-152": (counted(partial(published.resnet, 152), 3, 224, 224), "", "11.3 billion"),
    "EfficientNet-B0": (
        counted(published.efficientnet, 3, 224, 224),
        "5.3 million",
        "0.39 billion",
    ),
    "ConvNeXt-T": (counted(published.convnext, 3, 224, 224), "29 million", "4.5 billion"),
}

# %% covers="7"
print(f"{'':16} {'parameters':>12} {'the paper':>12} {'multiply-adds':>16} {'the paper':>13}")
for name, (cost, parameters, multiply_adds) in whole_networks.items():
    print(
        f"{name:16} {cost.parameters:12,} {parameters:>12}"
        f" {cost.multiply_adds:16,} {multiply_adds:>13}"
    )

# %% covers="7"
ours = {name: cost for name, (cost, *_) in whole_networks.items()}
claim(
    "The blocks add up to the parameters that the papers give, within 2 %",
    ours["LeNet-5"].parameters == 60_000
    and all(
        abs(ours[name].parameters / 1e6 / millions - 1) < 0.02
        for name, millions in {
            "AlexNet": 60,
            "VGG-16": 138,
            "EfficientNet-B0": 5.3,
            "ConvNeXt-T": 29,
        }.items()
    ),
    LeNet_5=ours["LeNet-5"].parameters,
    AlexNet=ours["AlexNet"].parameters,
    VGG_16=ours["VGG-16"].parameters,
    EfficientNet_B0=ours["EfficientNet-B0"].parameters,
    ConvNeXt_T=ours["ConvNeXt-T"].parameters,
)
claim(
    "And to the multiply-adds, within a tenth of a billion",
    abs(ours["ResNet-34"].multiply_adds / 1e9 - 3.6) < 0.1
    and abs(ours["ResNet-50"].multiply_adds / 1e9 - 3.8) < 0.1
    and abs(ours["ResNet-152"].multiply_adds / 1e9 - 11.3) < 0.1
    and abs(ours["EfficientNet-B0"].multiply_adds / 1e9 - 0.39) < 0.01
    and abs(ours["ConvNeXt-T"].multiply_adds / 1e9 - 4.5) < 0.1,
    ResNet_34=ours["ResNet-34"].multiply_adds,
    ResNet_50=ours["ResNet-50"].multiply_adds,
    ResNet_152=ours["ResNet-152"].multiply_adds,
    EfficientNet_B0=ours["EfficientNet-B0"].multiply_adds,
    ConvNeXt_T=ours["ConvNeXt-T"].multiply_adds,
)

# %% [markdown]
# Most papers round, and some count differently. LeNet's is exact. ResNet-152 has almost ten times as many layers as VGG-16,
# less than half of its parameters, and fewer multiply-adds. Its depth was not bought by size.
#
# ### The same budget for all
#
# Now a small network of each family, for digits: about 30,000 parameters each, the same images, the same number of steps, and
# the better of two learning rates, 0.01 and 0.03, chosen on validation data. Training all of them takes longer than a lesson
# may, so `python -m bench.record_depth` did it once, with three seeds.
#
# The table has the field as well, in pixels: one of more than 28 sees a whole digit, and "image" means all, whatever the size.
#
# **Predict**: is the order of the accuracies the order of the years?


# %% covers="7"
def side_of_field(net: families.SmallNetwork) -> int | None:
    """Pixels in a row that reach the middle unit of the last map; None for the whole image."""
    torch.manual_seed(0)
    seen_by = reach.influence(net.maps, torch.rand(4, 1, 61, 61), at="centre")
    side = int((seen_by > 0).any(0).sum())
    return None if side == 61 else side


trained = {}
for name, build in families.FAMILIES.items():
    net = build()
    cost = costs.cost(net, torch.zeros(1, 1, 28, 28))
    reached = [run["validation"] for run in record["networks"][name]]
    size = cost.parameters, cost.multiply_adds
    trained[name] = depth_plots.Trained(*size, side_of_field(net), reached)

# %% covers="7"
print(f"{'':20} parameters  multiply-adds     field  accuracy, three seeds")
for name, one in trained.items():
    field = "image" if one.field is None else one.field
    reached = " ".join(f"{share:.1%}" for share in one.accuracies)
    print(f"{name:20} {one.parameters:10,} {one.multiply_adds:14,} {field!s:>9}  {reached}")

# %% figure="lineage" covers="7"
depth_plots.plot_lineage(trained, "Small networks of six families, the same steps (recorded)")

# %% [markdown]
# A record should be possible to repeat. Here is one of its rows, trained now.

# %% covers="7"
tuned = record["tuning"]["LeNet (1998)"]
chosen = {"epochs": record["passes"], "lr": float(max(tuned, key=lambda rate: tuned[rate]))}
first = [part[: record["images"]] for part in train_set]
training.seed_everything(0)
once_more = training.fit(
    families.lenet(),
    training.Batches(*first, size=record["size"], shuffle=True),
    training.Batches(*validation_set, 500),
    validations=1,
    label="LeNet",
    **chosen,
)
claim(
    "Trained here and now, LeNet reads about as well as in the record",
    abs(once_more.best - trained["LeNet (1998)"].accuracies[0]) < 0.02,
    of="mnist",
    here=once_more.best,
    recorded=trained["LeNet (1998)"].accuracies[0],
)

# %% covers="7"
reached = {name: [100 * share for share in one.accuracies] for name, one in trained.items()}
worst, best = (
    min(reached, key=lambda n: max(reached[n])),
    max(reached, key=lambda n: min(reached[n])),
)
claim(
    "The order of the accuracies is not that of the years: the youngest is last (recorded)",
    (worst, best) == ("ConvNeXt (2022)", "EfficientNet (2019)"),
    unit="%",
    ConvNeXt=reached["ConvNeXt (2022)"],
    LeNet=reached["LeNet (1998)"],
    EfficientNet=reached["EfficientNet (2019)"],
)
damped = [100 * run["validation"] for run in record["networks"]["ConvNeXt, branches at a tenth"]]
claim(
    "If ConvNeXt's branches begin at a tenth of their scale, it is far worse still (recorded)",
    max(damped) < min(reached["ConvNeXt (2022)"]) - 5,
    unit="%",
    at_full_scale=reached["ConvNeXt (2022)"],
    at_a_tenth=damped,
)
old, newer = trained["LeNet (1998)"], trained["VGG (2014)"]
claim(
    "LeNet is within 2 points of VGG at less than a tenth of the multiply-adds (recorded)",
    min(reached["VGG (2014)"]) - min(reached["LeNet (1998)"]) < 2
    and 10 * old.multiply_adds < newer.multiply_adds,
    LeNet=old.multiply_adds,
    VGG=newer.multiply_adds,
)

# %% [markdown] unclaimed="the length of ConvNeXt's training is the paper's"
# The youngest is last. Does that mean that ConvNeXt is bad? Its paper trains for 300 passes through ImageNet; here it got two
# passes through a few thousand digits. And the paper multiplies each branch by a weight that begins at 0.000001, which is a
# careful start for so long a training. In ours the branches begin at full scale. With a tenth of it ConvNeXt falls behind by a
# great deal, so a table like this one compares ways to begin as much as it compares blocks.
#
# EfficientNet is ahead, and the network of 1998 stays within about a point of one that costs ten times as much. Read the table for what it can
# say: how quickly these networks get going on a small and easy task. It cannot say which block is best. With more steps, more
# data or harder images the order may well be another one.
#
# One thing it shows besides: the field of the small EfficientNet is the whole image. That is not its kernels' work, but that
# of squeeze and excitation, whose means run over all pixels.

# %% [markdown]
# ### How to grow: compound scaling
#
# Given a good small network and eight times the budget, what should grow: its depth, its width (channels), or the resolution
# of the images? Tan and Le (2019) let all three grow together, $d = 1.2^\phi$, $w = 1.1^\phi$ and $r = 1.15^\phi$.
# **Predict**: by how much does the cost grow from $\phi$ to $\phi + 1$?

# %% same_output=true
alpha, beta, gamma = 1.2, 1.1, 1.15
print(f"cost times {alpha * beta**2 * gamma**2:.2f}: depth once, width and resolution squared")

# %% [markdown]
# Channels and layers are whole numbers, so the rule needs rounding, and its details decide the size of every network in the
# table of the paper. The authors' code does this:
#
# - **channels**: multiply by the width, and round to the nearest multiple of 8, upwards from the middle; if that is less than
#   90 % of what was wanted, take one multiple of 8 more;
# - **repeats**: multiply by the depth, and round up.
#
# | symbol | in code | meaning |
# | --- | --- | --- |
# | | `stages` | list of `(channels, repeats)`: a stage is a block with so many channels, so many times |
# | $w$ | `width` | factor for the channels |
# | $d$ | `depth` | factor for the repeats |

# %% [markdown]
# ### Exercise 4.5 · compound scaling
# ●●○ · about 10 minutes · 2 points
#
# Write `scaled(stages, width, depth)`. It returns the stages of the larger network, as a list of pairs of whole numbers.


# %% answer="scaled" covers="7"
def scaled(stages: list[tuple[int, int]], width: float, depth: float) -> list[tuple[int, int]]:
    """The stages (channels, repeats) of a network `width` times as wide, `depth` times as deep.

    >>> scaled([(24, 2), (40, 2)], 1.1, 1.2)
    [(24, 3), (48, 3)]
    """
    ### BEGIN SOLUTION
    larger = []
    for channels, repeats in stages:
        wanted = channels * width
        eights = 8 * math.floor(wanted / 8 + 0.5)
        if eights < 0.9 * wanted:
            eights += 8
        larger.append((eights, math.ceil(repeats * depth)))
    return larger
    ### END SOLUTION


# %% check="scaled"
check.scaled(scaled)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Work in units of 8: `wanted / 8` is a number between two whole ones. Which of them is nearer? Adding 0.5 and rounding down
# answers that, and goes up from the middle.
# </details>
# <details><summary>Hint: the last rule</summary>
#
# Compare the rounded channels with 0.9 times the *unrounded* ones.
# </details>
# <details><summary>Help: a few channels are 8 too few</summary>
#
# `round(2.5)` is 2 in Python: it rounds from the middle to the even number. Use `math.floor(… + 0.5)`.
# </details>

# %% payoff="scaled"
with payoff("scaled"):
    printed = {1: (7.8, 0.70), 2: (9.2, 1.0), 3: (12, 1.8)}
    for number, (width, depth, side) in enumerate(
        [(1.0, 1.1, 240), (1.1, 1.2, 260), (1.2, 1.4, 300)], 1
    ):
        stages = scaled(published.EFFICIENTNETS["B0"][0], width, depth)
        single = [(channels, 1) for channels, _ in (stages[0], stages[-1])]  # stem and last layer
        grown = partial(published.efficientnet, [single[0], *stages[1:-1], single[1]])
        cost, (millions, billions) = counted(grown, 3, side, side), printed[number]
        print(
            f"B{number}: {cost.parameters:,} parameters (paper: {millions} million), "
            f"{cost.multiply_adds:,} multiply-adds (paper: {billions} billion)"
        )

# %% [markdown]
# If your rounding is right, you have just computed the published networks: B1, B2 and B3 with their widths, depths and
# resolutions from the authors' code. Here are the same networks from the course's table, as a claim.

# %% covers="7"
paper = {"B0": (5.3, 0.39), "B1": (7.8, 0.70), "B2": (9.2, 1.0), "B3": (12.0, 1.8)}
grown = {
    name: counted(partial(published.efficientnet, stages), 3, side, side)
    for name, (stages, side) in published.EFFICIENTNETS.items()
}
claim(
    "Scaled by the rule, B0 to B3 have the published parameters and multiply-adds within 3 %",
    all(
        abs(cost.parameters / 1e6 / paper[name][0] - 1) < 0.03
        and abs(cost.multiply_adds / 1e9 / paper[name][1] - 1) < 0.03
        for name, cost in grown.items()
    ),
    B0=grown["B0"].parameters,
    B1=grown["B1"].parameters,
    B2=grown["B2"].parameters,
    B3=grown["B3"].parameters,
)

# %% covers="7"
steps_of_phi = {phi: (1.1**phi, 1.2**phi, round(224 * 1.15**phi)) for phi in (0.5, 1, 2)}
for phi, (width, depth, side) in steps_of_phi.items():
    print(f"φ = {phi:3}: width {width:.2f}, depth {depth:.2f}, side {side}")

# %% [markdown]
# Compare: B1 has 1.0, 1.1 and 240, B2 has 1.1, 1.2 and 260, B3 has 1.2, 1.4 and 300. So these are $\phi$ = ½, 1 and 2,
# rounded to taste. "Principled scaling" is a rule found by a search on the smallest network, then applied with rounding; it
# is not a law.

# %% [markdown] quiz="large_kernel" points=1
# ### Quiz · a large kernel
#
# In a ConvNeXt block with 96 channels you replace the depthwise 7×7 kernel by a depthwise 3×3 kernel. The multiply-adds of
# the block fall …
#
# - A. to 9/49 of what they were.
# - B. by about half.
# - C. by about 5 %.
# - D. not at all.
#
# ### BEGIN SOLUTION
# **C.** 7×7 depthwise: 96 · 49 = 4,704 products per pixel, 3×3: 864. The two 1×1 layers: 2 · 96 · 384 = 73,728. Of 78,432
# products, 3,840 are saved.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A** would be true of a full 7×7 layer, alone.
# - **B**: see C; the large kernel is a small part of the block.
# - **C** is right. A depthwise kernel has no sum over channels.
# - **D**: there is something to save, but little. (In *time* it can be more: depthwise layers use a processor badly.)
# </details>

# %% [markdown] covers="9"
# ## 6 · When to use a CNN today
#
# A vision transformer cuts the image into patches and lets each patch look at all the others. A convolution looks at its
# neighbours. Lesson 00 has counted the pairs: with $n$ patches there are $n^2$ of them. How much does that matter in
# practice? We let the side of the image grow. **Predict**: for an image of twice the side, how many times longer does the CNN
# take, and how many times longer the transformer?

# %% covers="9"
small_cnn, small_vit = families.resnet().eval(), vision.SmallViT(vision.patches(32)).eval()
seconds = {"ResNet": {}, "ViT, patches of 4×4": {}}
with torch.no_grad():
    for side in (32, 64, 128, 256):
        image = torch.rand(1, 1, side, side)
        calls = {
            "ResNet": partial(small_cnn, image),
            "ViT, patches of 4×4": partial(small_vit, image),
        }
        for name, rounds in costs.processor_seconds(calls, rounds=5).items():
            seconds[name][side] = min(rounds)

# %% covers="9"
plot_costs(
    seconds,
    "processor time of one image (s)",
    "The CNN's time grows with the pixels, the transformer's faster",
    xlabel="side of the image, in pixels",
    last=2,
)

# %% covers="9"
doubled = {name: times[256] / times[128] for name, times in seconds.items()}
claim(
    "From side 128 to 256 the transformer's time grows by a larger factor than the CNN's",
    doubled["ViT, patches of 4×4"] > 1.4 * doubled["ResNet"],
    unit="times",
    CNN=doubled["ResNet"],
    transformer=doubled["ViT, patches of 4×4"],
)
at_32 = seconds["ViT, patches of 4×4"][32] / seconds["ResNet"][32]
claim(
    "At side 32 the two are within a factor of four of each other",
    0.25 < at_32 < 4,
    unit="times",
    transformer_to_CNN=at_32,
)

# %% [markdown] covers="9"
# Four times as many pixels: the CNN takes at most about four times as long. In the transformer, the part that treats each
# patch alone grows by four as well, and the part that compares all pairs by sixteen; the larger the image, the more that part
# counts. One often reads that CNNs are cheaper "at small resolutions". At the small end of this figure the two are close; it
# is at *large* ones that the pairs cost. (Transformers for large images therefore look at windows, or shrink the map on the
# way. Larger patches help too, and lose detail.)
#
# ### A convolutional stem under a transformer
#
# The two can be combined. Instead of cutting the image into patches, let two 3×3 layers of stride 2 make as many vectors,
# from neighbourhoods that overlap. Then the transformer goes on as before (Xiao et al. 2021). **Predict**: with the same
# number of steps, which of them reads digits better?

# %% covers="9"
fronts = {name: record["networks"][name] for name in ("ViT, patches", "ViT, convolutional stem")}
reached = {name: [run["validation"] for run in runs_of] for name, runs_of in fronts.items()}
reached["the ResNet of section 5"] = list(trained["ResNet (2015)"].accuracies)
plot_runs(reached, f"The same {steps // 2} steps: the stem helps the transformer (recorded)")

# %% covers="9"
weights = {
    name: training.count_parameters(vision.SmallViT(front(32)))
    for name, front in {"patches": vision.patches, "stem": vision.stem}.items()
}
claim(
    "A stem helps the transformer, and a CNN of its size is still ahead (recorded)",
    min(reached["ViT, convolutional stem"]) > max(reached["ViT, patches"])
    and min(reached["the ResNet of section 5"]) > max(reached["ViT, convolutional stem"]),
    unit="%",
    patches=[100 * share for share in reached["ViT, patches"]],
    stem=[100 * share for share in reached["ViT, convolutional stem"]],
    ResNet=[100 * share for share in reached["the ResNet of section 5"]],
)
print(f"parameters: {weights}")

# %% [markdown] covers="9"
# Forty-nine vectors for each digit, made in two ways, and the same transformer on top: the front makes the difference. Both
# stay behind the CNN of about the same size. That neighbours belong together is built into a convolution. A transformer has
# to learn it from examples, and here it has few. With very many images the transformer catches up and overtakes (Dosovitskiy
# et al. 2021); that we did not measure.
#
# So, in 2026: a CNN where images are large, data or steps are few, the machine is small, and what matters is local. A
# transformer where there is plenty of data and far-apart places have to be compared. And a convolutional front, or a whole
# CNN, below a transformer where you want some of both. Lessons 13 and 14 come back to this choice.

# %% [markdown]
# ## What we measured
#
# *Why can networks be deep?* Here are the answers of this lesson, as numbers.

# %%
notebook.headline(
    dataset.name,
    gradient_left_after_100_layers_plain=at_100["plain"],
    plain_normalised=at_100["plain, normalised"],
    skips_normalised=at_100["skips, normalised"],
    training_error_plain_8=training_errors(8, False),
    training_error_plain_32=training_errors(32, False),
    training_error_skips_32=training_errors(32, True),
    branches_on_the_heaviest_paths=heaviest,
    effective_side_plain=effective["plain"],
    effective_side_skips=effective["skips"],
    accuracy_of_families={name: list(one.accuracies) for name, one in trained.items()},
)

# %% [markdown]
# - **What is left of a gradient?** It depends on weights, normalisation and skips together. Plain networks can vanish,
#   normalised plain ones explode, and so can skips alone. With skips and normalisation it grows slowly.
# - **What does a skip do to the Jacobian?** It becomes $I + J$, and in the original block $D\,(I + J)$. The 1 matters: with
#   PyTorch's weights and no normalisation, a skip of 0.9 leaves less than a tenth of the gradient in 100 layers.
# - **What was the paper about?** Degradation: the deep plain network has the higher *training* error, although a good
#   solution exists.
# - **What does an unrolled network look like?** $2^n$ paths. Most are long, and those that carry the gradient are short. One
#   block more or less seldom matters.
# - **Six blocks**: they add up to the published networks. Small networks of all families read digits; which of them is ahead
#   depends on the budget.
# - **When to use a CNN?** When images are large, data or steps are few, and what matters is local. A convolutional stem
#   brings some of that to a transformer.
#
# ## If you have an hour more
#
# Start every branch at zero: set the last scale of each branch (`block.branch[-1].weight`) to 0, so that the whole network is
# the identity at first ("zero-init", Goyal et al. 2017). Two questions:
#
# 1. What does the figure of section 1 look like now, with and without normalisation? Can you train 32 layers *without*
#    normalisation? And 100?
# 2. Without skips and without normalisation, kernels that pass everything on (`nn.init.dirac_`, as in section 3) also keep
#    the gradient at 1. Does such a network train? If not, what else do skips do?
#
# <!-- next -->
#
# ## References
#
# - He, Zhang, Ren, Sun: *Deep Residual Learning for Image Recognition*. CVPR 2016. [arXiv:1512.03385](https://arxiv.org/abs/1512.03385)
# - He, Zhang, Ren, Sun: *Identity Mappings in Deep Residual Networks*. ECCV 2016. [arXiv:1603.05027](https://arxiv.org/abs/1603.05027)
# - He, Zhang, Ren, Sun: *Delving Deep into Rectifiers*. ICCV 2015. [arXiv:1502.01852](https://arxiv.org/abs/1502.01852)
# - Srivastava, Greff, Schmidhuber: *Highway Networks*, 2015. [arXiv:1505.00387](https://arxiv.org/abs/1505.00387)
# - Veit, Wilber, Belongie: *Residual Networks Behave Like Ensembles of Relatively Shallow Networks*. NeurIPS 2016. [arXiv:1605.06431](https://arxiv.org/abs/1605.06431)
# - Yang, Pennington, Rao, Sohl-Dickstein, Schoenholz: *A Mean Field Theory of Batch Normalization*. ICLR 2019. [arXiv:1902.08129](https://arxiv.org/abs/1902.08129)
# - Goyal et al.: *Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour*, 2017. [arXiv:1706.02677](https://arxiv.org/abs/1706.02677)
# - LeCun, Bottou, Bengio, Haffner: *Gradient-Based Learning Applied to Document Recognition*. Proceedings of the IEEE, 1998.
# - Krizhevsky, Sutskever, Hinton: *ImageNet Classification with Deep Convolutional Neural Networks*. NeurIPS 2012.
# - Simonyan, Zisserman: *Very Deep Convolutional Networks for Large-Scale Image Recognition*. ICLR 2015. [arXiv:1409.1556](https://arxiv.org/abs/1409.1556)
# - Hu, Shen, Sun: *Squeeze-and-Excitation Networks*. CVPR 2018. [arXiv:1709.01507](https://arxiv.org/abs/1709.01507)
# - Sandler, Howard, Zhu, Zhmoginov, Chen: *MobileNetV2: Inverted Residuals and Linear Bottlenecks*. CVPR 2018. [arXiv:1801.04381](https://arxiv.org/abs/1801.04381)
# - Tan, Le: *EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks*. ICML 2019. [arXiv:1905.11946](https://arxiv.org/abs/1905.11946)
# - Liu, Mao, Wu, Feichtenhofer, Darrell, Xie: *A ConvNet for the 2020s*. CVPR 2022. [arXiv:2201.03545](https://arxiv.org/abs/2201.03545)
# - Dosovitskiy et al.: *An Image is Worth 16x16 Words*. ICLR 2021. [arXiv:2010.11929](https://arxiv.org/abs/2010.11929)
# - Xiao, Singh, Mintun, Darrell, Dollár, Girshick: *Early Convolutions Help Transformers See Better*. NeurIPS 2021. [arXiv:2106.14881](https://arxiv.org/abs/2106.14881)
