# %% [markdown] question="what is built from these parts?" write="patches, a front-end for sound, a step of a U-Net, a sample of an autoencoder, hidden letters" minutes=120
# # 13 · Building blocks: what is built from these parts?
#
# You know the parts: convolutions, skips, attention, a block. Systems that recognise speech, denoise pictures or read text are
# built from them, and from little else. What is new in each is mostly one idea about *what becomes a token* or *where the
# detail goes*. This lesson builds a small version of each, and asks of all of them: who can hear whom?
#
# When you are done (about 120 minutes) you can
#
# - turn images and sound into tokens, and say how much of the input one token hears;
# - compare a vision transformer with a CNN so that the comparison means something;
# - build a U-Net and say what its skips carry;
# - sample from a variational autoencoder, and read its map;
# - pre-train a model on text alone and fine-tune it on a handful of labels;
# - make the same block read a set or a graph.
#
# You need lesson 02 (training on images) and lesson 11 (the block). Each section stands on its own.

# %% setup=true
import json

import torch
import torch.nn.functional as F
from torch import nn

from utils import data, notebook, paths, reach
from utils.checks import building_blocks as check
from utils.claims import claim
from utils.models import audio, tagging
from utils.models.autoencoder import VAE, Bound, bound
from utils.models.relational import OneAnswer, OnGraph, SetNetwork, path_graph
from utils.models.unet import UNet
from utils.notebook import payoff
from utils.plotting import latents
from utils.plotting.fields import plot_fields
from utils.plotting.images import plot_images
from utils.plotting.maps import plot_influence, plot_influences
from utils.plotting.runs import plot_runs
from utils.plotting.scaling import plot_against
from utils.plotting.sound import plot_spectrogram
from utils.tasks.languages import NOT_ASKED
from utils.tasks.sets import distinct, lights
from utils.tasks.word_starts import word_starts
from utils.training import Batches, evaluate, fit, in_parallel, seed_everything
from utils.widgets.latent_map import latent_map

notebook.setup()
torch.set_num_threads(1)  # small steps: a second thread would mostly wait

# %%
digits = data.mnist()
(images, labels), (held_images, held_labels) = digits.split()
side = images.shape[-1]
record = json.loads((paths.RECORDED / "few_labels.json").read_text())

# %% [markdown]
# ## 1 · An image as tokens
#
# A transformer reads vectors in a row. An image is a square of pixels. Dosovitskiy et al. (2021) cut it into square patches and
# take each patch for a word. A transformer alone, without convolutions: that is how the story is often told. Is it so?
#
# By hand: an image of 4×4, patches of 2×2. **Predict** the second patch, as four numbers in a row.

# %% same_output=true
tiny = torch.arange(16).view(4, 4)
print(tiny)
print("patches 0 and 1:", tiny[0:2, 0:2].flatten().tolist(), tiny[0:2, 2:4].flatten().tolist())

# %% [markdown]
# $$x_n = \big(\,I_{c,\; pr + i,\; ps + j}\,\big)_{c,\,i,\,j} \qquad n = r \cdot \lceil W/p \rceil + s$$
#
# | symbol | variable | shape or meaning |
# | --- | --- | --- |
# | $I$ | `images` | (B, C, H, W) |
# | $p$ | `side` | pixels along one side of a patch |
# | $r$, $s$ | | row and column of the patch; patches are read like a page |
# | $x_n$ | the answer | (B, N, C · p · p): first all pixels of channel 0, row by row, then channel 1 |
#
# ### Exercise 13.1 · patches
# ●●○ · about 12 minutes · 2 points
#
# Write `patchify(images, side)`. Where a side of the image is not divisible, add as many rows and columns of zeros as are missing, below and at
# the right.


# %% answer="patchify" covers="10"
def patchify(images: torch.Tensor, side: int) -> torch.Tensor:
    """Images (B, C, H, W) in, patches (B, N, C · side · side) out.

    >>> patchify(torch.arange(6.0).view(1, 1, 2, 3), 2).tolist()
    [[[0.0, 1.0, 3.0, 4.0], [2.0, 0.0, 5.0, 0.0]]]
    """
    ### BEGIN SOLUTION
    B, C, H, W = images.shape
    images = F.pad(images, (0, -W % side, 0, -H % side))
    h, w = images.shape[2] // side, images.shape[3] // side
    cut = images.view(B, C, h, side, w, side)
    return cut.permute(0, 2, 4, 1, 3, 5).reshape(B, h * w, C * side * side)
    ### END SOLUTION


# %% check="patchify"
check.patchify(patchify)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Split H into (h, side) and W into (w, side). Of the six axes that you have then, two say which patch it is. Bring them to the front.
# Or cut with two loops and `torch.stack`.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# (B, C, H, W) → (B, C, h, side, w, side) → (B, h, w, C, side, side) → (B, h · w, C · side · side).
# </details>
# <details><summary>Help: my patches look like stripes</summary>
#
# A reshape does not move numbers, it only cuts the same row of numbers in other places. `permute` has to come between.
# </details>

# %% payoff="patchify" covers="10"
with payoff("patchify"):
    cut = patchify(images[:1], 4)[0]
    title = f"One digit, cut into {len(cut)} patches of 4×4"
    plot_images(cut.view(-1, 4, 4), columns=-(-side // 4), title=title, wide=4.0, limits=(0, 1))

# %% [markdown] covers="10"
# Each patch then goes through one linear layer. Now compare what that layer computes with a convolution whose **stride is its kernel**: its
# windows do not overlap, they are the patches. **Predict**: are the two the same?

# %% payoff="patchify" covers="10"
with payoff("patchify"):
    conv = nn.Conv2d(1, 32, kernel_size=4, stride=4)
    linear = patchify(images[:8], 4) @ conv.weight.flatten(1).T + conv.bias
    tokens = conv(images[:8]).flatten(2).transpose(1, 2)  # (B, 32, 7, 7) to (B, 49, 32)
    apart = (linear - tokens).abs().max().item()
    claim(
        "Patches and a linear layer are a convolution whose stride is its kernel",
        apart < 1e-4,
        largest_difference=apart,
    )

# %% [markdown]
# So there is a convolution in every vision transformer, and libraries write it as one. Its receptive field is one patch, and neighbours share
# nothing. Lesson 04 has put a stem of two overlapping convolutions in its place, and the transformer read digits better.

# %% [markdown] quiz="smaller_patches" points=1
# ### Quiz · smaller patches
#
# A vision transformer reads images of 224×224 in patches of 16×16. You take patches of 8×8. What happens to the number of tokens, and to the pairs that
# attention compares in each layer?
#
# - A. Twice the tokens, twice the pairs.
# - B. Twice the tokens, four times the pairs.
# - C. Four times the tokens, four times the pairs.
# - D. Four times the tokens, sixteen times the pairs.
#
# ### BEGIN SOLUTION
# **D.** 14 · 14 = 196 tokens become 28 · 28 = 784, and pairs grow with the square: 196² to 784².
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A** counts patches along one side only, and forgets the pairs.
# - **B** has the right square, of the wrong number: half the side means twice as many patches in *both* directions.
# - **C** forgets that each token is compared with each other one.
# - **D** is right. That is the price of detail.
# </details>

# %% [markdown]
# ## 2 · A vision transformer against a CNN
#
# A CNN is told that neighbours belong together and that a stroke is a stroke wherever it lies. A transformer on patches has to find that out. What does it
# take: more images, or more steps?
#
# "At equal what" is the question of lesson 11. Here both have about the same parameters, the same number of steps and images per step, and the same *effort of tuning*: at each
# amount of data three learning rates, one run each, the best of them by validation images. Then three seeds with that rate, on the test images. A third curve gives the transformer four times the steps. It was too long for a lesson:
# `python -m bench.record_few_labels` did it once. **Predict** the three curves.

# %%
print(record["parameters"], "parameters;", record["steps_of_images"], "steps each")
for name, tried in record["rates_of_images"].items():
    print(name, {count: max(rates, key=rates.get) for count, rates in tried.items()}, "chosen")

# %% figure="few_images" covers="9 58"
accuracy = {
    name: {int(count): [100 * share for share in seeds] for count, seeds in by_count.items()}
    for name, by_count in record["images"].items()
}
plot_against(
    accuracy,
    "training images",
    "test accuracy (%)",
    "The CNN needs fewer images and fewer steps (recorded)",
)

# %% covers="9"
longer = accuracy[f"ViT, {record['times']} times the steps"]
for count in (100, 1_000, 10_000):
    cnn, vit = accuracy["CNN"][count], accuracy["ViT"][count]
    claim(
        f"From {count:,} images the CNN reads more digits right, whatever the seed (recorded)",
        min(cnn) > max(vit) and min(cnn) > max(longer[count]),
        unit="%",
        CNN=cnn,
        ViT=vit,
        ViT_longer=longer[count],
    )
gained = {count: min(longer[count]) - max(accuracy["ViT"][count]) for count in longer}
claim(
    "Four times the steps help the transformer where there are many images (recorded)",
    gained[10_000] > 5 > gained[100],
    unit="%",
    at_least_with_10000=gained[10_000],
    with_100=gained[100],
)

# %% [markdown] covers="9 58"
# At equal steps the CNN is far ahead everywhere, and the transformer hardly gains from the last of its images: it has had too few steps to use them. Four times the steps bring it a good deal closer where there are
# many images. With 100 images they do not: 250 steps had shown it each image many times already. So it takes both, images and steps, to find out what the CNN has been told.
#
# This is a small transformer on small images. Trained on hundreds of millions of images, transformers overtook CNNs (Dosovitskiy et al. 2021); that we cannot measure here. Lesson 04 has the time that both take as the
# image grows, and the convolutional stem that helps the transformer along.

# %% [markdown]
# ## 3 · Sound as tokens
#
# A second of speech has 16,000 samples. That would be far too many tokens, and a single sample says nothing. Whisper (Radford et al. 2022) first makes a **log-mel
# spectrogram**: every 10 ms it takes a window of 25 ms, asks by Fourier transform how strong each frequency is, sums up the frequencies in 80 bands that get wider
# towards the top, as our hearing does, and takes the logarithm. Two convolutions follow, and the second has stride 2. What comes out are the tokens of a
# transformer.
#
# We make a sound ourselves: four notes, each with five overtones. **Predict** what one note looks like in the lower picture.

# %% covers="10"
sound = audio.notes([262, 330, 392, 523])  # a chord, note by note; Hz
mels = audio.log_mel(sound)
print(tuple(sound.shape), "samples →", tuple(mels.shape), "mel bands × frames")
plot_spectrogram(sound, mels, audio.RATE, audio.HOP, audio.WINDOW)

# %% [markdown]
# Each note is a ladder, its fundamental the lowest rung and the overtones above. A higher note has its ladder further up. The convolutions that follow run over *time* alone, and the 80 bands are their channels: a pattern is found whenever
# it sounds, but a note that is moved up is another pattern.
#
# Now the numbers. The spectrogram is itself a layer: its *kernel* is the window and its *stride* the hop, both in samples. By hand, with 100 samples at 1,000 per
# second, windows of 20 and a hop of 10: **predict** how many windows fit, and how many milliseconds one of them hears.

# %% same_output=true
starts = list(range(0, 100 - 20 + 1, 10))
print(len(starts), "windows, the last from", starts[-1], "to", starts[-1] + 19, "; each 20 ms")

# %% [markdown]
# | symbol | variable | meaning |
# | --- | --- | --- |
# | | `samples`, `rate` | length of the sound; samples per second |
# | | `window`, `hop` | samples of a window, samples from one window to the next; no padding |
# | $k$, $s$, $p$ | `layers` | a list of (kernel, stride, padding), over frames; padding at both ends |
# | | `tokens` | how many come out |
# | | `per_second` | tokens per second, for a sound of any length: the rate over the jump |
# | | `field` | how much sound one token hears, in **milliseconds** |
#
# ### Exercise 13.2 · a front-end
# ●●○ · about 12 minutes · 2 points
#
# Write `front_end(samples, rate, window, hop, layers)`. It returns `tokens`, `per_second` and `field`, in this order. The recursion is that of lesson 03, in other units:
# size and jump are counted in samples here, and converted at the end.


# %% answer="front_end" covers="10"
def front_end(
    samples: int, rate: int, window: int, hop: int, layers: list[tuple[int, int, int]]
) -> tuple[int, float, float]:
    """Tokens, tokens per second, and what one token hears in milliseconds.

    >>> front_end(100, 1000, 20, 10, [(3, 1, 1)])
    (9, 100.0, 40.0)
    """
    ### BEGIN SOLUTION
    tokens = (samples - window) // hop + 1
    size, jump = window, hop
    for kernel, stride, padding in layers:
        tokens = (tokens + 2 * padding - kernel) // stride + 1
        size += (kernel - 1) * jump
        jump *= stride
    return tokens, rate / jump, 1000 * size / rate
    ### END SOLUTION


# %% check="front_end"
check.front_end(front_end)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Begin with the spectrogram: (samples − window) // hop + 1 frames, size = window, jump = hop. Each layer changes all three numbers.
# </details>
# <details><summary>Hint: the order</summary>
#
# A kernel spans (kernel − 1) jumps of its *input*. So let the size grow first, and multiply the jump by the stride afterwards.
# </details>
# <details><summary>Help: my tokens per second are a little off</summary>
#
# Do not divide the tokens by the seconds: the windows that do not fit at the end would count. Two neighbouring tokens are `jump` samples apart.
# </details>

# %% payoff="front_end" covers="10"
with payoff("front_end"):
    whisper = [(3, 1, 1), (3, 2, 1)]
    tokens, per_second, field = front_end(30 * 16_000, 16_000, 400, 160, whisper)
    print(f"30 s of speech: {tokens:,} tokens, {per_second:g} per second; one hears {field:g} ms")
    start = (16 * 2 - 2) * 160 / 16_000  # of what token 16 hears: two frames before frame 32
    part = sound[:8_000]  # two notes
    plot_spectrogram(part, audio.log_mel(part), 16_000, 160, 400, (start, start + field / 1000))

# %% [markdown] covers="10"
# The orange frame is what token 16 hears. (Whisper pads the sound so that its last window fits too; then it is 1,500 tokens.) A stressed vowel often lasts longer than one token hears, and a word always: words have to be put together by the transformer.
#
# Now ask the ruler. It measures, by gradient, which samples have any influence on token 16 of a real front-end. **Predict**: exactly as many as the formula says?

# %% covers="10"
torch.manual_seed(0)
front, noise = audio.front_end(), torch.randn(1, 8_000)
heard = reach.influence(
    lambda sound: front(audio.log_mel(sound[0])[None])[0], noise, layout="CT", at=16
)
first, last = heard.nonzero().flatten()[[0, -1]].tolist()
formula = reach.receptive_field([(400, 160), (3, 1, 1), (3, 2, 1)])
print(f"{16_000 / formula.jump:g} tokens per second, {1000 * formula.size / 16_000:g} ms each")
claim(
    "The samples that a token hears lie in the field of the formula, all but the first",
    last - first + 1 == formula.size - 1,
    unit="samples",
    heard=last - first + 1,
    formula=formula.size,
)

# %% [markdown]
# One is missing: the window fades in and out, and weighs its very first sample by zero. Reachable is not the same as heard.
#
# The map of the two convolutions alone has two frames per token. It is a band, as of any convolution; where the transformer begins, the band ends.

# %%
some_frames = audio.log_mel(noise[0])[:, :24]  # (80, frames)
plot_influence(
    reach.influence(lambda x: front(x[None])[0], some_frames, layout="CT"),
    title="12 tokens hear 24 frames",
)

# %% [markdown]
# ## 4 · A U-Net
#
# To remove noise from a picture, a network needs two things at once. It must see *widely*, to know that this is a 7; and it must know *exactly where* the edge runs, to the pixel.
# Strides give the first and destroy the second. A **U-Net** (Ronneberger et al. 2015) goes down to a small map and up again, and on the way up it joins each map with the one of the same size from the way down: a
# **skip**.
#
# Not quite the skip of lesson 04: there the input was *added*, here it is *laid beside* it, as further channels.
#
# By hand: enlarge a map of 2×2 so that each value stands four times. The map that it meets has sides 3×4. **Predict** the result.

# %% same_output=true
deep = torch.tensor([[1, 2], [3, 4]])
large = deep.repeat_interleave(2, dim=0).repeat_interleave(2, dim=1)
print(large[:3, :4])

# %% [markdown]
# Odd sides come from halving: a side of 7 becomes 4, and 4 doubled is 8. One row too many, so the last one is cut off.
#
# $$u = \text{relu}\big(W * [\,s,\ \text{cut}(\text{enlarge}(d))\,] + b\big)$$
#
# | symbol | variable | shape |
# | --- | --- | --- |
# | $d$ | `deep` | (B, C, h, w), from below |
# | $s$ | `skip` | (B, S, H, W), H = 2h or 2h − 1, and W likewise |
# | $W$, $b$ | `W`, `b` | (O, S + C, 3, 3) and (O,): the first S channels belong to the skip |
# | $u$ | the answer | (B, O, H, W) |
#
# ### Exercise 13.3 · one step up
# ●●○ · about 12 minutes · 2 points
#
# Write `up_step(deep, skip, W, b)`. The convolution keeps the sides.


# %% answer="up_step" covers="10"
def up_step(
    deep: torch.Tensor, skip: torch.Tensor, W: torch.Tensor, b: torch.Tensor
) -> torch.Tensor:
    """deep (B, C, h, w) and skip (B, S, H, W) in, (B, O, H, W) out.

    >>> kernel = torch.zeros(1, 2, 3, 3)
    >>> kernel[0, 1, 1, 1] = 1  # takes what comes from below, as it is
    >>> up_step(torch.tensor([[[[5.0]]]]), torch.zeros(1, 1, 1, 2), kernel, torch.zeros(1)).tolist()
    [[[[5.0, 5.0]]]]
    """
    ### BEGIN SOLUTION
    large = deep.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    large = large[:, :, : skip.shape[2], : skip.shape[3]]
    joined = torch.cat([skip, large], dim=1)
    return F.conv2d(joined, W, b, padding=1).relu()
    ### END SOLUTION


# %% check="up_step"
check.up_step(up_step)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Enlarge `deep` alone. The skip has the right size already, and tells you where to cut.
# </details>
# <details><summary>Hint: the functions</summary>
#
# `repeat_interleave(2, dim=…)` twice, or `F.interpolate(deep, scale_factor=2, mode="nearest")`. Then `torch.cat(…, dim=1)` and `F.conv2d(…, padding=1)`.
# </details>
# <details><summary>Help: sizes of tensors must match</summary>
#
# `torch.cat` along the channels wants equal heights and widths. Cut the enlarged map to the sides of the skip first.
# </details>
#
# Your step at work: below stands a digit of half the side, averaged. The skip carries only what the average has lost, the detail. A kernel that adds both should give the digit
# back.

# %% payoff="up_step" covers="10"
with payoff("up_step"):
    digit = images[:1]
    coarse = F.avg_pool2d(digit, 2)
    detail = digit - F.interpolate(coarse, scale_factor=2)
    adds = torch.zeros(1, 2, 3, 3)
    adds[:, :, 1, 1] = 1
    parts = coarse, detail, up_step(coarse, detail, adds, torch.zeros(1))
    plot_images([part[0] for part in parts], ["from below", "the skip", "after your step"])
    apart = (parts[2] - digit).abs().max().item()
    claim("What the average has lost, the skip brings back", apart < 1e-5, largest_difference=apart)

# %% [markdown]
# ### With and without
#
# The class `UNet` of `utils/models/unet.py` has three such steps. Its deepest map is small. We train it to remove noise, once as it is and once with zeros instead of every skip: as many weights, and all information has to pass the
# bottom. **Predict** what the second one will still manage.


# %%
def with_noise(pictures: torch.Tensor, seed: int, spread: float = 0.4) -> torch.Tensor:
    """The same pictures with normal noise on every pixel."""
    draw = torch.Generator().manual_seed(seed)
    return pictures + spread * torch.randn(pictures.shape, generator=draw)


clean, clean_held = images[:3_200], held_images[:300]
noisy_held = with_noise(clean_held, seed=99)
to_learn = {seed: with_noise(clean, seed) for seed in (0, 1)}


# %%
def denoiser(skips: bool, seed: int) -> tuple[UNet, float]:
    """A U-Net trained on noisy digits, and its mean squared error on unseen ones."""
    model = denoisers[skips, seed]
    train = Batches(to_learn[seed], clean, size=32, shuffle=True, seed=seed)
    unseen = Batches(noisy_held, clean_held, size=100)
    options = dict(lr=0.006, loss=F.mse_loss, metric="error", validations=1, label="")
    return model, fit(model, train, unseen, **options).best


# %% covers="10"
denoisers = {}
for skips, seed in [(True, 0), (False, 0), (True, 1), (False, 1)]:
    seed_everything(seed)
    denoisers[skips, seed] = UNet((8, 12, 12, 12), skips)
jobs = {key: (lambda key=key: denoiser(*key)) for key in denoisers}
errors = {key: error for key, (_, error) in in_parallel(jobs, "U-Nets").items()}
both = {skips: [errors[skips, seed] for seed in (0, 1)] for skips in (True, False)}

# %% figure="denoised" covers="10"
with torch.no_grad():
    cleaned = [denoisers[skips, 0](noisy_held[:6])[:, 0] for skips in (True, False)]
rows = [clean_held[:6, 0], noisy_held[:6, 0], *cleaned]
names = ("true", "noisy", "with skips", "without")
plot_images(torch.cat(rows), [name for name in names for _ in range(6)], columns=6, limits=(0, 1))

# %% covers="10"
noise_left = F.mse_loss(noisy_held, clean_held).item()
claim(
    "With skips the error is smaller, and both remove most of the noise, two seeds",
    max(both[True]) < 0.6 * min(both[False]) and max(both[False]) < noise_left / 2,
    of="mnist",
    unit="(mean square)",
    noise=noise_left,
    with_skips=both[True],
    without=both[False],
)

# %% [markdown]
# Without skips all has to pass the deepest map, which holds far fewer numbers than the image. The network draws what it takes for the digit, a blurred guess. With skips it keeps the strokes
# that are there. The ruler says why: here is which pixels have influence on the middle pixel of the output (the dashed frame is the border of the image).

# %%
fields = {
    name: reach.influence(denoisers[skips, 0], noisy_held[:20], at="centre")
    for name, skips in (("with skips", True), ("without skips", False))
}
plot_fields(fields, [(0, side)] * 2)

# %% covers="10"
middle = side // 2
near = {
    name: (field[middle - 1 : middle + 2, middle - 1 : middle + 2].sum() / field.sum()).item()
    for name, field in fields.items()
}
claim(
    "With skips a larger share of the influence comes from the nearest 3×3 pixels",
    near["with skips"] > 1.5 * near["without skips"],
    of="mnist",
    with_skips=near["with skips"],
    without=near["without skips"],
)

# %% [markdown]
# Both see more than the nearest pixels, since the way through the bottom is there in both: with skips, too, about half of the influence comes from outside the 3×3, which these colours hardly show. The skip adds a second, short way. Diffusion models denoise step by step, and for years a U-Net with attention in
# its middle did it (Ho et al. 2020).

# %% [markdown]
# ## 5 · A variational autoencoder
#
# An **autoencoder** squeezes an image into a few numbers, its *code*, and makes the image again. What lies *between* two codes? In a plain one, nobody knows: nothing was ever decoded from there.
#
# A **variational** autoencoder (Kingma and Welling 2014) says for each image not a point but a small cloud: a mean and a spread. It decodes a random point of that cloud, and pays for clouds that lie far from the middle or are too small. So
# the clouds move together, until neighbours overlap. The price is a divergence, in nats:
#
# $$\text{KL}\big(\mathcal N(\mu_1, \sigma_1^2)\,\|\,\mathcal N(\mu_2, \sigma_2^2)\big) = \ln\frac{\sigma_2}{\sigma_1} + \frac{\sigma_1^2 + (\mu_1 - \mu_2)^2}{2\sigma_2^2} - \frac12$$
#
# Here the second distribution is always the standard normal one, $\mu_2 = 0$ and $\sigma_2 = 1$. **Predict** what it costs to have the mean at 2 and the spread at 1.

# %% same_output=true
wide, narrow = torch.distributions.Normal(2.0, 1.0), torch.distributions.Normal(0.0, 0.1)
for code in (wide, narrow):
    price = torch.distributions.kl_divergence(code, torch.distributions.Normal(0.0, 1.0))
    print(f"mean {code.mean:.0f}, spread {code.stddev:.1f}: {price:.2f} nats")

# %% [markdown]
# One trick is needed. "Draw a random point" has no gradient. But a point of the cloud is $z = \mu + \sigma\,\varepsilon$ with $\varepsilon$ from the standard normal, and *that* has one: the noise is drawn outside, and μ and σ are only arithmetic.
# It is called the **reparameterisation trick**.
#
# The encoder gives $\ln \sigma^2$ rather than σ, which may then be any number.
#
# | symbol | variable | shape |
# | --- | --- | --- |
# | $\mu$ | `mean` | (B, L), or (B, L, h, w) |
# | $\ln\sigma^2$ | `log_variance` | the same |
# | $\varepsilon$ | `noise` | the same, drawn already |
# | $z$ | `z` | the same |
# | KL | `kl` | (B,): the sum over all numbers of one code, in nats |
#
# ### Exercise 13.4 · a sample and its price
# ●●○ · about 15 minutes · 2 points
#
# Write `sample_and_kl(mean, log_variance, noise)`. It returns `z` and `kl`. First put the standard normal into the formula above, on paper, and write σ by means of `log_variance`.


# %% answer="sample_and_kl" covers="10"
def sample_and_kl(
    mean: torch.Tensor, log_variance: torch.Tensor, noise: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes (B, L) or (B, L, h, w); a sample of the same shape, and the divergence (B,) in nats.

    >>> z, kl = sample_and_kl(torch.tensor([[2.0]]), torch.zeros(1, 1), torch.tensor([[0.5]]))
    >>> z.tolist(), kl.tolist()
    ([[2.5]], [2.0])
    """
    ### BEGIN SOLUTION
    z = mean + torch.exp(log_variance / 2) * noise
    each = (log_variance.exp() + mean**2 - 1 - log_variance) / 2
    return z, each.flatten(1).sum(1)
    ### END SOLUTION


# %% check="sample_and_kl"
check.sample_and_kl(sample_and_kl)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# σ² = exp(log_variance), so σ = exp(log_variance / 2), and ln σ = log_variance / 2.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# `.flatten(1).sum(1)` sums over everything but the batch, whatever the shape of a code.
# </details>
# <details><summary>Help: my divergence is negative</summary>
#
# It never is. ln(σ₂ / σ₁) with σ₂ = 1 is *minus* ln σ₁. Test: mean 0, log variance 0 must give 0.
# </details>

# %% payoff="sample_and_kl" covers="10"
with payoff("sample_and_kl"):
    mean, log_variance = torch.tensor([1.5, -1.0]), torch.tensor([-2.0, 0.0])
    clouds = [torch.randn(20_000, 2) for _ in range(2)]
    z, kl = sample_and_kl(mean.expand(20_000, 2), log_variance.expand(20_000, 2), clouds[0])
    spread = z.std(0)
    claim(
        "Your samples have the mean and the spread that they should have",
        (z.mean(0) - mean).abs().max() < 0.05
        and (spread - (log_variance / 2).exp()).abs().max() < 0.05,
        first_mean=z[:, 0].mean().item(),
        first_spread=spread[0].item(),
        price_in_nats=kl[0].item(),
    )

# %% [markdown]
# ### A map of digits
#
# The whole loss is "how badly are the pixels told, plus KL", both in nats. With only **two** numbers for a digit, the codes can be drawn on paper. The encoder is two convolutions of stride 2, the decoder goes the same way back. Training takes some
# seconds. **Predict**: which digits will lie next to each other?


# %%
def trained(vae: VAE, count: int, seed: int = 0) -> tuple[VAE, float]:
    """A VAE after one pass over so many digits, and its loss on unseen ones, in nats per image."""
    seed_everything(seed)
    train = Batches(images[:count], labels[:count], size=64, shuffle=True, seed=seed)
    unseen = Batches(held_images[:1_000], held_labels[:1_000], size=500)
    options = dict(lr=0.004, loss=bound, metric="error", validations=1, label="codes")
    return vae, fit(Bound(vae), train, unseen, **options).best


seed_everything(0)
vae, nats = trained(VAE(side), 32_000)

# %% covers="10"
with torch.no_grad():
    codes = vae.encode(held_images[:1_000]).mean
latents.plot_codes(codes[:600], held_labels[:600], "Nobody told it what a digit is")

# %% covers="10"
near = torch.cdist(codes, codes).fill_diagonal_(torch.inf).argmin(1)
alike = (held_labels[near] == held_labels[:1_000]).float().mean().item()
claim(
    "The nearest neighbour on the map is the same digit far more often than one in ten",
    alike > 0.3,
    of="mnist",
    same_digit=alike,
)

# %% [markdown]
# (With MNIST, 0 and 1 lie apart, at the two sides; 4, 7 and 9 share the lower half, and 2, 3, 5, 6 and 8 the middle.)
#
# Now decode not the codes of images but a regular grid of codes: a **latent grid**. Most of these places belong to no image at all.


# %% figure="latent_grid" covers="10"
def decode(codes: torch.Tensor) -> torch.Tensor:
    """Codes (N, 2) in, images of 0 to 1 out."""
    return vae.decode(codes).sigmoid()


latents.plot_atlas(latents.atlas(decode), "Every place of the map is an image")

# %% [markdown]
# Move through it. Is there a place between two digits that is neither? Which digits never turn into each other directly?

# %% covers="10"
latent_map(decode)

# %% [markdown] covers="10"
# ### The other latent grid
#
# Image generators of today use a bigger code: not two numbers but a *grid* of them, one small vector for each place of a shrunken image. That, too, is called a latent grid, and it is made of convolutions alone.
# We take one number for each place of a quarter of the side. **Predict**: is the picture told better? And if you change one number of the grid, what changes in the picture?

# %% covers="10"
seed_everything(0)
grid_vae, grid_nats = trained(VAE(side, latents=1, grid=True), 12_000)
numbers = {"two numbers": 2, "a grid": grid_vae.encode(held_images[:1]).mean.numel()}
again = {"true": held_images[:6]}
with torch.no_grad():
    again |= {
        name: one(held_images[:6])[0].sigmoid()
        for name, one in (("two numbers", vae), ("a grid", grid_vae))
    }
plot_images(
    torch.cat([*again.values()])[:, 0],
    [name for name in again for _ in range(6)],
    columns=6,
    limits=(0, 1),
)

# %% covers="10"
with torch.no_grad():
    squares = {
        name: F.mse_loss(one(held_images[:500])[0].sigmoid(), held_images[:500]).item()
        for name, one in (("two", vae), ("grid", grid_vae))
    }
claim(
    "A grid of numbers gives the picture back more exactly than two numbers do",
    squares["grid"] < 0.7 * squares["two"],
    of="mnist",
    unit="(mean square)",
    two_numbers=squares["two"],
    **{f"grid_of_{numbers['a grid']}": squares["grid"]},
)

# %% [markdown]
# And one number of the grid? The ruler, turned to the decoder: which pixels does the code at the centre reach? For the grid a patch of the picture; for each of two numbers, all of it.


# %%
def reached(one: VAE, code: torch.Tensor, number: int) -> torch.Tensor:
    """How strongly each pixel (side, side) answers to one number of a code (1, …)."""
    slope = torch.zeros_like(code).flatten()
    slope[number] = 1
    change = torch.func.jvp(one.decode, (code,), (slope.view_as(code),))[1]
    return change[0, 0].abs().detach()


small = side // 4
answers = {
    "one number of the grid": reached(
        grid_vae, grid_vae.encode(held_images[:1]).mean.detach(), small * (small // 2) + small // 2
    ),
    "one of two numbers": reached(vae, vae.encode(held_images[:1]).mean.detach(), 0),
}
plot_fields(answers, [(0, side)] * 2)

# %% covers="10"
touched = {name: (answer > 0).float().mean().item() for name, answer in answers.items()}
claim(
    "One number of the grid reaches a patch of the picture, one of two numbers all of it",
    touched["one number of the grid"] < 0.5 and touched["one of two numbers"] > 0.99,
    of="mnist",
    share_for_the_grid=touched["one number of the grid"],
    share_for_two_numbers=touched["one of two numbers"],
)

# %% [markdown] covers="10" unclaimed="figures of the paper's"
# > **Card: the diffusion transformer.** A latent grid is a small image whose pixels are vectors, so everything in this lesson applies to it. *Latent diffusion* (Rombach et al. 2022) trains an autoencoder like this one, once, and
# > then a denoising U-Net on its grids. **DiT** (Peebles and Xie 2023) takes the U-Net away: it cuts the *latent grid* into patches, as in section 1, and lets a plain transformer denoise them. For images of 256×256 the grid is 32×32 with 4 numbers
# > at each place, and with patches of 2×2 that makes 256 tokens. The more computation its forward pass took, the better its images became.
# > There is no skip from one size to another in it: attention reaches everything at each layer, so that there is no small map in the middle to come back from.

# %% [markdown]
# ## 6 · Pre-train, then fine-tune
#
# Labels are rare, text is not. So train on text alone first, then on the few labels. There are two ways to learn from text alone, and you know both flows:
#
# - **next letters**, as GPT (Radford et al. 2018): look back only, and predict what follows;
# - **hidden letters**, as BERT (Devlin et al. 2019): look both ways, and predict what is hidden.
#
# The task: all spaces are taken out of the text, all capitals, and all punctuation but the apostrophe. **At which letters does a word begin?** The labels are what a patient person would mark in it; here they are in capitals. **Predict**: how much of
# that could you mark in a language that you have read a lot, but where nobody ever told you what a word is?

# %%
corpus = data.corpus("tiny_shakespeare")
task = word_starts(corpus.train)
letters, begins = (row[0] for row in task.windows("report", 1, seed=3))
line = "".join(task.alphabet[i] for i in letters.tolist())
print("".join(c.upper() if b else c for c, b in zip(line, begins.tolist(), strict=True)))

# %% [markdown]
# For next letters, inputs and targets are the same text, shifted by one (lesson 08). For hidden letters BERT has a recipe. 15 % of the places are *chosen*. The model is asked for the letter at each of them, and at no other. What it sees
# there is a throw of the coin:
#
# | coin | the model sees | why |
# | --- | --- | --- |
# | below 0.8 | the mask | this is what it has to fill in |
# | 0.8 to below 0.9 | some other letter | so that it cannot trust what it sees |
# | 0.9 and above | the letter itself | in the later task nothing is masked: what is there must be read as well |
#
# By hand: places 1 and 3 are chosen, and their coins are 0.5 and 0.95. **Predict** what the model sees at these two places, and what it is asked for.

# %% same_output=true
word, chosen, coins = "reach", (1, 3), {1: 0.5, 3: 0.95}
print("sees: r _ a", word[3] if coins[3] >= 0.9 else "_", "h;  is asked for: · e · c ·")

# %% [markdown]
# | symbol | variable | shape |
# | --- | --- | --- |
# | | `tokens`, `others` | (B, T) whole numbers: the text, and a letter to put instead |
# | | `draw`, `coin` | (B, T) numbers from 0 to 1: chosen where `draw` is below 0.15 |
# | | `mask` | the token that stands for "hidden" |
# | | `inputs`, `targets` | (B, T); a target of −100 is one that `F.cross_entropy` leaves out |
#
# ### Exercise 13.5 · hidden letters
# ●●○ · about 12 minutes · 2 points
#
# Write `hide(tokens, draw, coin, others, mask)`. It returns `inputs` and `targets`.


# %% answer="hide" covers="57"
def hide(
    tokens: torch.Tensor, draw: torch.Tensor, coin: torch.Tensor, others: torch.Tensor, mask: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """BERT's inputs and targets, both (B, T).

    >>> tokens, others = torch.tensor([[4, 5, 6]]), torch.tensor([[1, 2, 3]])
    >>> draw, coin = torch.tensor([[0.9, 0.1, 0.1]]), torch.tensor([[0.1, 0.1, 0.85]])
    >>> inputs, targets = hide(tokens, draw, coin, others, 7)
    >>> inputs.tolist(), targets.tolist()
    ([[4, 7, 3]], [[-100, 5, 6]])
    """
    ### BEGIN SOLUTION
    chosen = draw < 0.15
    covered = chosen & (coin < 0.8)
    swapped = chosen & (coin >= 0.8) & (coin < 0.9)
    inputs = tokens.masked_fill(covered, mask)
    inputs = torch.where(swapped, others, inputs)
    return inputs, tokens.masked_fill(~chosen, -100)
    ### END SOLUTION


# %% check="hide"
check.hide(hide)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Make the masks first: `chosen`, and within it those for the mask and those for another letter. Each is one line of comparisons joined by `&`.
# </details>
# <details><summary>Hint: the functions</summary>
#
# `x.masked_fill(where, value)` and `torch.where(where, a, b)` both give a new tensor and leave the old one alone.
# </details>
# <details><summary>Help: my targets are the mask</summary>
#
# You changed `tokens` and made the targets afterwards. Make the targets from the true letters.
# </details>

# %% payoff="hide" covers="57"
with payoff("hide"):
    draws, coins = torch.rand(1, len(line)), torch.rand(1, len(line))
    others = torch.randint(task.mask, (1, len(line)))
    seen, asked = hide(letters[None], draws, coins, others, task.mask)
    shown = task.alphabet + "_"
    print("".join(shown[i] for i in seen[0].tolist()))
    print("".join(" " if i == NOT_ASKED else shown[i] for i in asked[0].tolist()), "← asked for")

# %% [markdown] covers="57"
# Watch one, by next letters, since it learns from every letter and so takes least time. It reads text alone for some seconds. Then its last layer (its *output head*, not one of the heads of its attention) is
# taken off, one with two logits for each letter is put on, and all of it is trained on **eight** labelled windows of 48 letters. Beside it stands the same network without the first part. **Predict** the gain.

# %% covers="57"
reader, history = tagging.pretrain(task, "next", steps=500, label="next letters")
starts = {"from scratch": tagging.body(task, causal=True), "pre-trained": reader}
live = {
    name: [
        tagging.fine_tune(tagging.tagger(start), task, 8, seed, lr=0.003, steps=60)
        for seed in range(3)
    ]
    for name, start in starts.items()
}

# %% covers="57"
never = 1 - task.windows("report", 400, seed=0)[1].float().mean().item()
claim(
    "After seconds of text without labels it marks more letters right, whatever the seed",
    min(live["pre-trained"]) > max(live["from scratch"]),
    of="tiny_shakespeare",
    from_scratch=live["from scratch"],
    pre_trained=live["pre-trained"],
)
claim(
    "From scratch, eight windows do worse than always saying no, three seeds",
    max(live["from scratch"]) < never,
    of="tiny_shakespeare",
    from_scratch=live["from scratch"],
    always_no=never,
)

# %% [markdown]
# From scratch, eight windows teach less than nothing: whoever says "no" at every letter is right more often. The record has it all: both kinds of pre-training, each asked for as many letters (so the one that hides a quarter read four times the text), from 2 to 128 labelled windows, and again with the same effort of tuning everywhere. One variant more: with the body **frozen**, only the new head
# is trained. **Predict** where freezing costs little and where it costs much. (Unlike BERT, the recording chose a quarter of the letters instead of 15 %, and put the mask on all of them.)

# %% figure="few_labels" covers="57"
shares = {
    name: {int(windows): [100 * share for share in runs] for windows, runs in by_windows.items()}
    for name, by_windows in record["words"].items()
}
axis = f"labelled windows of {record['letters_of_a_window']} letters"
level = "always “no”", 100 * record["never"]
whole = {name: by_count for name, by_count in shares.items() if "frozen" not in name}
plot_against(
    whole,
    axis,
    "letters judged right (%)",
    "Where does a word begin? Text without labels helps (recorded)",
    level=level,
    below=True,
)

# %% covers="57"
for name in ("looks back, next letters (GPT)", "looks both ways, hidden letters (BERT)"):
    alone = shares[f"{name.split(',')[0]}, from scratch"]
    claim(
        f"{name}: 32 labelled windows do more than 128 from scratch (recorded)",
        min(shares[name][32]) > max(alone[128]),
        of="tiny_shakespeare",
        unit="%",
        pre_trained_32=shares[name][32],
        from_scratch_32=alone[32],
        from_scratch_128=alone[128],
    )

# %% [markdown] covers="57"
# With two windows, 96 letters, hardly anything beats the dashed line, which always says "no". Then the curves part. Read the figure *across*: to get as far from scratch as a pre-trained model gets with
# 32 windows, four times the labels are not enough. That is what pre-training is for: it stands in for labels.
#
# Between the two ways to pre-train there is little to choose here. But look at what they were given. Both were asked for as many letters, and hidden ones are a quarter of a text: the one that looks both ways has read four
# times as much. Which of them is ahead at equal text we did not measure. It is a statement about this budget, and not about GPT and BERT.

# %% covers="57"
weaker_first = sorted(
    (name for name in shares if "(" in name), key=lambda name: "frozen" not in name
)
plot_against(
    {name: shares[name] for name in weaker_first},
    axis,
    "letters judged right (%)",
    "All of it trained, or the head alone (recorded)",
    level=level,
    below=True,
)

# %% covers="57"
for name in ("looks back, next letters (GPT)", "looks both ways, hidden letters (BERT)"):
    whole, head = (shares[f"{name}{end}"][128] for end in ("", ", body frozen"))
    claim(
        f"{name}: with 128 labelled windows, all of it is better than the head alone (recorded)",
        min(whole) > max(head),
        of="tiny_shakespeare",
        unit="%",
        all_of_it=whole,
        head_alone=head,
    )

# %% [markdown] covers="57"
# A frozen body is the cheapest fine-tuning: many tasks can share it, and what it makes of a text need be computed only once. With the fewest labels it loses little. With many it loses a lot: the body was made to
# tell *letters*, and one matrix on top of it finds only part of what there is to know about words.

# %% [markdown] quiz="which_pretraining" points=1
# ### Quiz · which of the two?
#
# You have ten thousand unlabelled radiology reports and two hundred labelled ones, and want to mark in each report the words that name an organ. Which model would you try first, and why?
#
# - A. One that looks back only, because generation is the harder task.
# - B. One that looks both ways, because a report is complete when it is marked, and what follows a word says much about it.
# - C. One without pre-training, because the labels decide.
# - D. One that looks both ways, and it should then also write the reports.
#
# ### BEGIN SOLUTION
# **B.** Nothing has to be written, and the whole report is there. Lesson 07 has shown what the future is worth, and where it leaks.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A** is not absurd, since large models that look back do such tasks well today. But each word would be marked without what follows it.
# - **B** is right as a first try. Try the other one too: which is better is a question for validation data.
# - **C** was on average worse than both pre-trained models at each number of labels above, where all of the model was trained. (A frozen one can be worse still.)
# - **D**: one that sees the future cannot be used as it is to write it.
# </details>

# %% [markdown]
# ## 7 · One block for sets and graphs
#
# Nothing in the block knows about letters. It reads vectors, and lets them look at each other. The order comes from outside, as positions. Leave them out and the block reads a **set** (Zaheer et al. 2017, Lee et al. 2019). Give it a mask of who knows whom, and it reads a **graph** (Veličković et al. 2018).
#
# By hand: three elements, one head, no positions. **Predict** what happens to the outputs if you swap two of the inputs.

# %% same_output=true
x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
for order in ([0, 1, 2], [2, 1, 0]):
    z = F.scaled_dot_product_attention(x[order], x[order], x[order])
    print(order, [[round(value, 2) for value in row] for row in z.tolist()])

# %% [markdown] covers="58"
# The same rows, in the new order: attention is **equivariant** to permutations, in the sense of lesson 01. If you then take the mean over all elements, the order is gone altogether, and the answer is **invariant**.
#
# Is that of use? A task on sets: eight symbols of six kinds. How many *different* kinds are there? Each element has to find its equals. In the training data the symbols happen to stand in order, as if from a sorted list. We train the
# same block twice, with and without a vector for each place. **Predict** what each will do when the lists come unsorted.

# %% covers="58"
ordered, shuffled = (Batches(*distinct(1_000, 77, ordered), size=500) for ordered in (True, False))
sets = {}
for positions in (0, 8):
    for seed in (0, 1):
        seed_everything(seed)
        sets[positions, seed] = OneAnswer(6, 7, positions=positions)


# %%
def counted(positions: int, seed: int) -> tuple[float, float]:
    """Train on sorted sets; accuracy on sorted ones, and on the same ones shuffled."""
    model, train = sets[positions, seed], Batches(*distinct(64 * 250, seed, True), size=64)
    fit(model, train, ordered, lr=0.01, validations=1, label="")
    return evaluate(model, ordered), evaluate(model, shuffled)


jobs = {key: (lambda key=key: counted(*key)) for key in sets}
right = in_parallel(jobs, "sets")
runs = {
    f"{'with' if positions else 'no'} positions, {what}": [
        right[positions, seed][i] for seed in (0, 1)
    ]
    for positions in (8, 0)
    for i, what in enumerate(("sorted", "shuffled"))
}
plot_runs(runs, "How many kinds? Trained on sorted lists")

# %% covers="58"
apart = max(abs(right[0, seed][0] - right[0, seed][1]) for seed in (0, 1))
lost = [right[8, seed][0] - right[8, seed][1] for seed in (0, 1)]
claim(
    "Without positions the order cannot matter; with them, shuffling costs accuracy",
    apart < 0.005 and min(lost) > 0.1,
    difference_without=apart,
    lost_with_positions=lost,
)

# %% [markdown] covers="58"
# The network with positions had learned something that was true of the training data, and not of the task. Where you know that there is no order, say so by the architecture.
#
# ### A graph
#
# Now let each element see only itself and its neighbours: the adjacency matrix is the **mask** of the attention. The simplest graph is a path, each node connected with the one before and the one after. Here is the ruler for a set, and for a path with one, two and three layers.
# **Predict** the maps. Where have you seen them?

# %% covers="58"
edges = path_graph(16)


def heard_on(edges: torch.Tensor | None, layers: int) -> torch.Tensor:
    """The influence map (16, 16) of an untrained network of so many layers."""
    torch.manual_seed(layers)
    network = SetNetwork(4, 4, layers=layers)
    for block in network.blocks:  # they begin at zero, and would pass on nothing
        nn.init.normal_(block.attention.out.weight, std=0.3)
    return reach.influence(lambda x: network(x[None], edges)[0], torch.randn(16, 4))


maps = {
    f"a path, {layers} layer{'s' * (layers > 1)}": heard_on(edges, layers) for layers in (1, 2, 3)
}
plot_influences({"a set, 1 layer": heard_on(None, 1)} | maps)

# %% covers="58"
hops = {name: int((one[8] > 0).sum()) for name, one in maps.items()}
claim(
    "On a path a node hears 3, 5, 7 nodes after 1, 2, 3 layers, as with kernels of 3",
    [*hops.values()] == [3, 5, 7],
    unit="nodes",
    **{name[8:].replace(" ", "_"): count for name, count in hops.items()},
)

# %% [markdown] covers="58"
# Those are the bands of a CNN with kernels of 3. A convolution is like attention to the neighbours on a path, but its weights depend on the side and not on the content: a kernel knows left from right, a mask does not. The transformer without a mask is the
# same on the complete graph.
#
# Does depth matter as it did in lesson 03? A tenth of the nodes carry a lamp that is on. Each node is asked whether one is on **within three steps**. **Predict** the accuracy for one to four layers.

# %% covers="58"
graphs = {}
for layers in (1, 2, 3, 4):
    seed_everything(0)
    graphs[layers] = OnGraph(SetNetwork(1, 2, layers=layers), edges)


def lit(layers: int) -> float:
    """Train on lamps; the share of nodes of unseen paths that are judged right."""
    train, unseen = Batches(*lights(32 * 250, 0), size=32), Batches(*lights(1_000, 99), size=500)
    return fit(graphs[layers], train, unseen, lr=0.01, validations=1, label="").best


found = in_parallel({layers: (lambda layers=layers: lit(layers)) for layers in graphs}, "lamps")

# %% covers="58"
plot_runs(
    {f"{layers} layer{'s' * (layers > 1)}": [share] for layers, share in found.items()},
    "A lamp three steps away needs three layers",
    xlabel="nodes judged right (%)",
)

# %% covers="58"
claim(
    "Three layers judge nearly all nodes right; one and two layers fall short",
    found[1] < found[2] - 0.03 and found[2] < found[3] - 0.03 and found[3] > 0.97,
    one=found[1],
    two=found[2],
    three=found[3],
    four=found[4],
)

# %% [markdown] quiz="proteins" points=1
# ### Quiz · a protein
#
# A protein is a chain of amino acids that folds up, so that some which are far apart in the chain touch in space. You have the chain, and for training a list of contacts. Which arrangement lets touching neighbours influence each other after **one** layer, whatever their distance in the
# chain?
#
# - A. A CNN over the chain with kernels of 3.
# - B. The block with the path graph as its mask.
# - C. The block without a mask, or with the contacts as its mask.
# - D. None, because information needs as many layers as there are steps in the chain.
#
# ### BEGIN SOLUTION
# **C.** Path length is one for everyone who may look at each other directly.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A** and **B** have the same map, a band of three.
# - **C** is right. The mask of contacts is cheaper if there are few; without a mask the contacts have to be found, and that can be the whole point.
# - **D** holds for A and B.
# </details>

# %% [markdown]
# ## What we measured
#
# *What is built from these parts?* Here are the answers of this lesson, as numbers.

# %%
notebook.headline(
    digits.name,
    CNN_from_1000_images=accuracy["CNN"][1_000],
    ViT_from_1000_images=accuracy["ViT"][1_000],
    a_token_hears_ms=1000 * formula.size / audio.RATE,
    error_with_skips=both[True],
    error_without_skips=both[False],
    nats_of_two_numbers=nats,
    same_digit_next_door=alike,
    words_from_scratch=live["from scratch"],
    words_pre_trained=live["pre-trained"],
    lost_by_positions=lost,
    lamps_by_layers={str(layers): share for layers, share in found.items()},
)

# %% [markdown]
# - **What becomes a token?** A patch of an image: a convolution whose stride is its kernel. A few hundredths of a second of sound: a spectrogram and two convolutions. A place in a latent grid. A node of a graph.
# - **Who hears whom?** That is in the front and in the mask. Convolutions and paths give bands, attention without a mask everyone, and a skip a short way past a long one.
# - **Where does the detail go?** Through the skips of a U-Net. Without them it has to pass the bottom.
# - **What lies between two digits?** In a variational autoencoder, other digits and blends of digits, since it pays for clouds that lie apart.
# - **What do few labels need?** Much text without labels. From scratch they teach next to nothing.
# - **What should you tell a network?** What you know: that neighbours belong together, that there is no order, who is connected. Where you say nothing, it has to learn that from data.
#
# ## If you have an hour more
#
# Put the parts together: a **diffusion transformer in miniature**. Encode the digits with `grid_vae`, add noise of random strength to the grids, cut them into patches with your `patchify`, and train `Transformer(…, causal=False)` to give the clean grid back, with the strength of the
# noise as one more token. Then start from pure noise and denoise in 20 small steps. Do you get digits? Does a U-Net of the same size do better on such a small grid? We have not tried which of the two wins at this size.
#
# <!-- next -->
#
# ## References
#
# - Dosovitskiy et al.: *An Image is Worth 16x16 Words*. ICLR 2021. [arXiv:2010.11929](https://arxiv.org/abs/2010.11929)
# - Radford, Kim, Xu, Brockman, McLeavey, Sutskever: *Robust Speech Recognition via Large-Scale Weak Supervision*, 2022 (Whisper). [arXiv:2212.04356](https://arxiv.org/abs/2212.04356)
# - Ronneberger, Fischer, Brox: *U-Net: Convolutional Networks for Biomedical Image Segmentation*. MICCAI 2015. [arXiv:1505.04597](https://arxiv.org/abs/1505.04597)
# - Ho, Jain, Abbeel: *Denoising Diffusion Probabilistic Models*. NeurIPS 2020. [arXiv:2006.11239](https://arxiv.org/abs/2006.11239)
# - Kingma, Welling: *Auto-Encoding Variational Bayes*. ICLR 2014. [arXiv:1312.6114](https://arxiv.org/abs/1312.6114)
# - Rombach, Blattmann, Lorenz, Esser, Ommer: *High-Resolution Image Synthesis with Latent Diffusion Models*. CVPR 2022. [arXiv:2112.10752](https://arxiv.org/abs/2112.10752)
# - Peebles, Xie: *Scalable Diffusion Models with Transformers*. ICCV 2023. [arXiv:2212.09748](https://arxiv.org/abs/2212.09748)
# - Devlin, Chang, Lee, Toutanova: *BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding*. NAACL 2019. [arXiv:1810.04805](https://arxiv.org/abs/1810.04805)
# - Radford, Narasimhan, Salimans, Sutskever: *Improving Language Understanding by Generative Pre-Training*. OpenAI, 2018.
# - Zaheer, Kottur, Ravanbakhsh, Poczos, Salakhutdinov, Smola: *Deep Sets*. NeurIPS 2017. [arXiv:1703.06114](https://arxiv.org/abs/1703.06114)
# - Lee, Lee, Kim, Kosiorek, Choi, Teh: *Set Transformer*. ICML 2019. [arXiv:1810.00825](https://arxiv.org/abs/1810.00825)
# - Veličković, Cucurull, Casanova, Romero, Liò, Bengio: *Graph Attention Networks*. ICLR 2018. [arXiv:1710.10903](https://arxiv.org/abs/1710.10903)
