"""Exercises of lesson 13: patches, a front-end for sound, a step up in a U-Net, a sample and its divergence, hidden letters."""

import torch
import torch.nn.functional as F
from torch import Tensor, distributions

from utils.checking import Lesson, normal, uniform
from utils.tasks.languages import NOT_ASKED

lesson = Lesson("13", __name__)

# --- 13.1 patches ---------------------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="Make the sides divisible first. Then split both H and W into (patches, pixels of a patch), bring the two patch axes to the front, and flatten what is left of each patch.",
)
def patchify(images, side):
    """Images (B, C, H, W), zeros added below and at the right, cut row by row; (B, N, C · side · side), channels first."""
    down, right = -images.shape[2] % side, -images.shape[3] % side
    return F.unfold(F.pad(images, (0, right, 0, down)), side, stride=side).transpose(1, 2)


@patchify.cases
def _(rng):
    def count(*shape):
        return torch.arange(1.0, 1 + torch.Size(shape).numel()).view(shape)

    yield dict(images=count(1, 1, 2, 2), side=2)
    yield dict(images=count(1, 1, 2, 4), side=2)
    yield dict(images=count(1, 1, 4, 2), side=2)
    yield dict(images=count(1, 1, 4, 4), side=2)
    yield dict(images=count(1, 2, 2, 2), side=2)  # two channels of one patch
    yield dict(images=count(1, 1, 2, 3), side=2)  # one column is missing
    yield dict(images=count(1, 1, 3, 2), side=2)
    yield dict(images=count(2, 1, 1, 2), side=1)
    for _ in range(8):
        B, C, H, W = (int(rng.integers(1, high)) for high in (3, 4, 8, 8))
        yield normal(rng, B, C, H, W), int(rng.integers(1, 4))


@patchify.recipe
def _(
    images, side,
    missing=lambda length, side: -length % side, before=False, drop=False, axes=(0, 2, 4, 1, 3, 5), move=True,
    give=lambda vectors: vectors,
):  # fmt: skip
    H, W = images.shape[2:]
    down, right = missing(H, side), missing(W, side)
    if drop:
        images = images[:, :, : H - H % side, : W - W % side]
    else:
        images = F.pad(images, (right, 0, down, 0) if before else (0, right, 0, down))
    B, C, H, W = images.shape
    h, w = H // side, W // side
    cut = images.reshape(B, C, h, side, w, side)
    return give((cut.permute(axes) if move else cut).reshape(B, h * w, C * side * side))


patchify.slip("rest_dropped", drop=True).says(
    "You dropped the pixels that fill no whole patch. Here zeros are added below and at the right, so that none is lost."
)
patchify.slip("zeros_before", before=True).says(
    "You added the zeros above and at the left. They belong below and at the right. F.pad counts (left, right, top, bottom)."
)
patchify.slip("zeros_always", missing=lambda length, side: side - length % side).says(
    "You add a whole row of patches of zeros where the side is divisible already. What is missing is −H % side, which is then 0."
)
patchify.slip("columns_first", axes=(0, 4, 2, 1, 3, 5)).says(
    "You went through the patches column by column. Read them as a page: the first row from left to right, then the next."
)
patchify.slip("channels_last", axes=(0, 2, 4, 3, 5, 1)).says(
    "Within a patch you put the channels last. First all pixels of channel 0, then all of channel 1, as in the weight of a Conv2d."
)
patchify.slip("patches_turned", axes=(0, 2, 4, 1, 5, 3)).says(
    "Each patch is transposed: you read its pixels column by column. Read them row by row."
)
patchify.slip("axes_not_moved", move=False).says(
    "You reshaped without moving the axes. A reshape cuts memory in its order, and that gives strips of rows, not squares. Split H and W, permute, then flatten."
)
patchify.slip("numbers_before_patches", give=lambda v: v.transpose(1, 2)).says(
    "The last two axes are swapped: (B, N, numbers) is asked for, one row for each patch. F.unfold gives (B, numbers, N)."
)
patchify.slip("batch_flattened", give=lambda v: v.flatten(0, 1)).says(
    "You put the patches of all images into one axis. Keep the batch apart: (B, N, numbers)."
)


@patchify.mistake("Your patches overlap: you moved by one pixel. The stride of a cut is the side of a patch.")
def overlapping(images, side):
    down, right = -images.shape[2] % side, -images.shape[3] % side
    return F.unfold(F.pad(images, (0, right, 0, down)), side).transpose(1, 2)


# --- 13.2 a front-end for sound --------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    returns=("tokens", "per_second", "field"),
    hint="The spectrogram is the first layer: its kernel is the window and its stride the hop, in samples. Carry three numbers along: how many there are, the jump and the size, both in samples. Convert to seconds at the very end.",
)
def front_end(samples, rate, window, hop, layers):
    """A sound of `samples` at `rate` per second, windows without padding, then layers (kernel, stride, padding).

    Returns the number of tokens, tokens per second, and the receptive field of one of them in milliseconds.
    """
    count, size, jump = samples, 1, 1
    for kernel, stride, padding in [(window, hop, 0), *layers]:
        count = (count + 2 * padding - kernel) // stride + 1
        size, jump = size + (kernel - 1) * jump, jump * stride
    return count, rate / jump, 1000 * size / rate


@front_end.cases
def _(rng):
    yield dict(samples=1_000, rate=1_000, window=20, hop=10, layers=[])
    yield dict(samples=95, rate=1_000, window=20, hop=10, layers=[])  # the last window would stick out
    yield dict(samples=100, rate=1_000, window=20, hop=10, layers=[(3, 1, 1)])
    yield dict(samples=100, rate=1_000, window=20, hop=10, layers=[(3, 1, 0)])
    yield dict(samples=100, rate=1_000, window=20, hop=10, layers=[(3, 2, 1)])
    yield dict(samples=160, rate=2_000, window=40, hop=10, layers=[(3, 2, 1), (3, 1, 1)])
    yield dict(samples=16_000, rate=16_000, window=400, hop=160, layers=[(3, 1, 1), (3, 2, 1)])
    for _ in range(8):
        layers = [tuple(int(rng.integers(low, 4)) for low in (1, 1, 0)) for _ in range(int(rng.integers(1, 4)))]
        window = int(rng.integers(2, 6)) * 100
        yield int(rng.integers(40, 90)) * 1_000 + 37, 8_000, window, int(rng.integers(1, 4)) * 40, layers


@front_end.recipe
def _(
    samples, rate, window, hop, layers,
    frames=lambda n, window, hop: (n - window) // hop + 1, pads=2, walk=lambda kernel, stride: stride, more=1,
    first=lambda window, hop: window, grow=lambda kernel, jump, stride: (kernel - 1) * jump,
    often=lambda rate, hop, jump, tokens, samples: rate / jump, unit=lambda size, rate: 1000 * size / rate,
):  # fmt: skip
    count, size, jump = frames(samples, window, hop), first(window, hop), hop
    for kernel, stride, padding in layers:
        count = (count + pads * padding - kernel) // walk(kernel, stride) + more
        size += grow(kernel, jump, stride)
        jump *= walk(kernel, stride)
    return count, often(rate, hop, jump, count, samples), unit(size, rate)


front_end.slip("windows_that_stick_out", frames=lambda n, window, hop: n // hop + 1).says(
    "You counted windows that would stick out at the end. The last one has to fit: (samples − window) // hop + 1."
)
front_end.slip("last_window_forgotten", frames=lambda n, window, hop: (n - window) // hop).says(
    "One window is missing: (samples − window) // hop counts the moves, and there is one window more than there are moves."
)
front_end.slip("samples_over_hop", frames=lambda n, window, hop: n // hop).says(
    "You divided the samples by the hop. That forgets the length of the window: (samples − window) // hop + 1."
)
front_end.slip("padding_on_one_side", pads=1).says(
    "You counted the padding once. It is added at both ends: 2 · padding."
)
front_end.slip("padding_ignored", pads=0).says("The padding of the layers is missing: it adds 2 · padding positions.")
front_end.slip("strides_ignored", walk=lambda kernel, stride: 1).says(
    "The strides of the layers are missing: a stride of 2 halves the tokens and doubles the jump."
)
front_end.slip("last_position_forgotten", more=0).says(
    "Each layer has one position too few: (n + 2 · padding − kernel) // stride + 1."
)
front_end.slip("window_forgotten", first=lambda window, hop: hop).says(
    "Your field begins with the hop. One frame hears a whole window, so the size begins with the window."
)
front_end.slip("field_from_one_sample", first=lambda window, hop: 1).says(
    "Your field begins with one sample. The first layer is the window itself: begin with its length."
)
front_end.slip("jump_first", grow=lambda kernel, jump, stride: (kernel - 1) * jump * stride).says(
    "You multiplied the jump by the stride before the field grew. A kernel spans positions of its INPUT: grow first, then multiply."
)
front_end.slip("jump_left_out", grow=lambda kernel, jump, stride: kernel - 1).says(
    "The field grows by (kernel − 1) jumps, and a jump is at least the hop: you added (kernel − 1) samples."
)
front_end.slip("kernel_without_minus_one", grow=lambda kernel, jump, stride: kernel * jump).says(
    "A kernel of k adds k − 1 jumps: one of its positions has been counted already."
)
front_end.slip("frames_per_second", often=lambda rate, hop, jump, n, samples: rate / hop).says(
    "You gave frames per second. The strides of the layers make fewer tokens of them: rate / jump."
)
front_end.slip("tokens_over_seconds", often=lambda rate, hop, jump, n, samples: n * rate / samples).says(
    "You divided the tokens by the seconds of this sound. Its two ends have a share in that. The rate between them is rate / jump, for any length."
)
front_end.slip("seconds_for_a_token", often=lambda rate, hop, jump, n, samples: jump / rate).says(
    "You gave the seconds of a token. Tokens per second are the other way round: rate / jump."
)
front_end.slip("field_in_samples", unit=lambda size, rate: size).says(
    "Your field is in samples. In milliseconds it is 1000 · size / rate."
)
front_end.slip("field_in_seconds", unit=lambda size, rate: size / rate).says(
    "Your field is in seconds. Give milliseconds: 1000 · size / rate."
)

# --- 13.3 one step up in a U-Net -------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="Four lines: enlarge, cut to the sides of the skip, join along the channels, convolve and take the ReLU. Only the deep map is enlarged.",
)
def up_step(deep, skip, W, b):
    """deep (B, C, h, w) doubled and cut to the sides of skip (B, S, H, W'); relu of a 3×3 convolution of [skip, deep]."""
    H, width = skip.shape[2:]
    large = deep.repeat_interleave(2, 2).repeat_interleave(2, 3)[:, :, :H, :width]
    return F.conv2d(torch.cat([skip, large], 1), W, b, padding=1).relu()


def _only(*taps):
    """A kernel (1, channels, 3, 3) that reads the middle of its window, times `taps`."""
    kernel = torch.zeros(1, len(taps), 3, 3)
    kernel[0, :, 1, 1] = torch.tensor([float(tap) for tap in taps])
    return kernel


@up_step.cases
def _(rng):
    none, zeros, deep = torch.zeros(1), torch.zeros(1, 1, 2, 2), torch.tensor([[[[2.0]]]])
    four = torch.arange(1.0, 5).view(1, 1, 2, 2)
    yield dict(deep=deep, skip=four, W=_only(1, 0), b=none)  # the skip alone
    yield dict(deep=deep, skip=zeros, W=_only(0, 1), b=none)  # what comes from below, alone
    yield dict(deep=four, skip=torch.zeros(1, 1, 4, 4), W=_only(0, 1), b=none)
    yield dict(deep=four, skip=torch.zeros(1, 1, 3, 4), W=_only(0, 1), b=none)  # odd sides: one is cut off
    yield dict(deep=four, skip=torch.zeros(1, 1, 4, 3), W=_only(0, 1), b=none)
    yield dict(deep=deep, skip=four, W=_only(1, -1), b=none)  # the ReLU
    yield dict(deep=deep, skip=-four, W=_only(-1, 1), b=none)  # no ReLU before
    yield dict(deep=deep, skip=four, W=_only(1, 1), b=torch.tensor([0.5]))
    for _ in range(8):
        B, C, S, h, w, outputs = (int(rng.integers(1, 4)) for _ in range(6))
        H, width = (2 * side - int(rng.integers(0, 2)) for side in (h, w))
        weights = normal(rng, outputs, S + C, 3, 3), normal(rng, outputs)
        yield normal(rng, B, C, h, w), normal(rng, B, S, H, width), *weights


@up_step.recipe
def _(
    deep, skip, W, b,
    enlarge=lambda deep: deep.repeat_interleave(2, 2).repeat_interleave(2, 3),
    cut=lambda large, H, width: large[:, :, :H, :width], join=lambda skip, large: torch.cat([skip, large], 1),
    bias=1, padding=1, before=lambda x: x, squash=torch.relu,
):  # fmt: skip
    large = cut(enlarge(deep), *skip.shape[2:])
    return squash(F.conv2d(before(join(skip, large)), W, bias * b, padding=padding))


def _smooth(deep):
    return F.interpolate(deep, scale_factor=2, mode="bilinear", align_corners=False)


def _spread(deep):
    large = deep.new_zeros(*deep.shape[:2], 2 * deep.shape[2], 2 * deep.shape[3])
    large[:, :, ::2, ::2] = deep
    return large


up_step.slip("deep_first", join=lambda skip, large: torch.cat([large, skip], 1)).says(
    "You joined them as [deep, skip]. The first channels of W belong to the skip: [skip, deep]."
)
up_step.slip("skip_left_out", join=lambda skip, large: torch.cat([0 * skip, large], 1)).says(
    "The skip has no say in your result. Join it with what comes from below, along the channels."
)
up_step.slip("deep_left_out", join=lambda skip, large: torch.cat([skip, 0 * large], 1)).says(
    "What comes from below has no say in your result. Enlarge it and join it with the skip."
)
up_step.slip("smooth", enlarge=_smooth).says(
    "You enlarged by linear interpolation. Here each value simply stands twice in each direction: mode=“nearest”, or repeat_interleave."
)
up_step.slip("tiled", enlarge=lambda deep: deep.repeat(1, 1, 2, 2)).says(
    "You laid four copies of the map side by side. Each VALUE is to be doubled, not the whole map: repeat_interleave instead of repeat."
)
up_step.slip("zeros_between", enlarge=_spread).says(
    "You put zeros between the values. Each value stands four times, in a square of 2 × 2."
)
up_step.slip("cut_at_the_start", cut=lambda large, H, width: large[:, :, -H:, -width:]).says(
    "Where the sides are odd you cut off the first row or column. Cut off the last: [:H, :W]."
)
up_step.slip("skip_turned_negative", before=torch.relu).says(
    "You took the ReLU before the convolution. The maps come in as they are; the ReLU follows the convolution."
)
up_step.slip("no_relu", squash=lambda x: x).says("The ReLU after the convolution is missing.")
up_step.slip("no_bias", bias=0).says("The bias is missing: b is added to each output channel, before the ReLU.")
up_step.slip("no_padding", padding=0).says(
    "Your map has lost a pixel at each side. A 3×3 convolution keeps the sides with padding=1."
)

# --- 13.4 a sample and its divergence --------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    returns=("z", "kl"),
    hint="The standard deviation is the root of the variance, exp(½ · log variance). For the divergence put μ₂ = 0, σ₂ = 1 and σ₁² = exp(log variance) into the formula, and sum over all numbers of an image.",
)
def sample_and_kl(mean, log_variance, noise):
    """All (B, L) or (B, L, h, w): the sample z of that shape, and the divergence from N(0, 1), (B,), in nats."""
    spread = (0.5 * log_variance).exp()
    code, standard = distributions.Normal(mean, spread), distributions.Normal(0.0, 1.0)
    return mean + spread * noise, distributions.kl_divergence(code, standard).flatten(1).sum(1)


@sample_and_kl.cases
def _(rng):
    zero, one = torch.zeros(1, 1), torch.ones(1, 1)
    yield dict(mean=zero, log_variance=zero, noise=one)
    yield dict(mean=2 * one, log_variance=zero, noise=zero)
    yield dict(mean=zero, log_variance=2 * one, noise=one)
    yield dict(mean=zero, log_variance=-2 * one, noise=one)
    yield dict(mean=torch.ones(1, 3), log_variance=torch.zeros(1, 3), noise=torch.zeros(1, 3))  # summed over L
    yield dict(mean=torch.tensor([[1.0], [2.0]]), log_variance=torch.zeros(2, 1), noise=torch.zeros(2, 1))
    yield dict(mean=torch.ones(1, 1, 2, 2), log_variance=torch.zeros(1, 1, 2, 2), noise=torch.zeros(1, 1, 2, 2))
    for grid in (False, True) * 4:
        shape = [int(rng.integers(1, 4)) for _ in range(4 if grid else 2)]
        yield normal(rng, *shape), normal(rng, *shape), normal(rng, *shape)


@sample_and_kl.recipe
def _(
    mean, log_variance, noise,
    spread=lambda v: (v / 2).exp(), centre=1, variance=torch.exp, square=lambda m: m * m, minus=1, log=lambda v: v,
    factor=0.5, add=lambda each: each.flatten(1).sum(1),
):  # fmt: skip
    each = factor * (variance(log_variance) + square(mean) - minus - log(log_variance))
    return centre * mean + spread(log_variance) * noise, add(each)


sample_and_kl.slip("variance_as_spread", spread=torch.exp).says(
    "You multiplied the noise by the variance, exp(log_variance). The standard deviation is its root: exp(log_variance / 2)."
)
sample_and_kl.slip("log_as_spread", spread=lambda v: v).says(
    "You multiplied the noise by the LOGARITHM of the variance. Take exp of half of it."
)
sample_and_kl.slip("noise_as_it_is", spread=torch.ones_like).says(
    "You added the noise as it is. It is scaled by the standard deviation, exp(log_variance / 2)."
)
sample_and_kl.slip("no_noise", spread=torch.zeros_like).says(
    "Your sample is the mean: the noise has no say. z = mean + standard deviation · noise."
)
sample_and_kl.slip("noise_alone", centre=0).says("The mean is missing in z = mean + standard deviation · noise.")
sample_and_kl.slip("half_missing", factor=1).says(
    "Your divergence is twice too large: the ½ belongs to every term, the logarithm included (log σ is half of log σ²)."
)
sample_and_kl.slip("sign", factor=-0.5).says(
    "Your divergence is negative. It is 0 where both distributions agree and positive everywhere else; turn the sign."
)
sample_and_kl.slip("one_missing", minus=0).says(
    "The −1 is missing. Test it: for mean 0 and log variance 0 the divergence is 0."
)
sample_and_kl.slip("mean_not_squared", square=lambda m: m).says("The mean enters the divergence squared.")
sample_and_kl.slip("mean_left_out", square=torch.zeros_like).says(
    "The mean has no say in your divergence. A code far from 0 costs mean² / 2."
)
sample_and_kl.slip("log_left_out", log=torch.zeros_like).says(
    "The logarithm is missing. Without it a variance of 0 would be the cheapest."
)
sample_and_kl.slip("log_variance_as_log_deviation", log=lambda v: 2 * v).says(
    "You took log_variance for ln σ. It is ln σ², so ln σ is half of it."
)
sample_and_kl.slip("deviation_for_variance", variance=lambda v: (v / 2).exp()).says(
    "You put the standard deviation where the variance belongs: σ² = exp(log_variance)."
)
sample_and_kl.slip("mean_over_the_code", add=lambda each: each.flatten(1).mean(1)).says(
    "You took the mean over the numbers of a code. They are independent, so their divergences ADD; with a mean, the pixels would outweigh them."
)
sample_and_kl.slip("summed_over_one_axis", add=lambda each: each.sum(1)).says(
    "You summed over one axis. A grid has three behind the batch: .flatten(1).sum(1)."
)
sample_and_kl.slip("summed_over_the_batch", add=lambda each: each.sum()).says(
    "You summed over the batch as well. Return one number for each image, (B,)."
)
sample_and_kl.slip("not_summed", add=lambda each: each).says(
    "You returned a divergence for each number. Sum over all axes but the first."
)


@sample_and_kl.mistake(
    "You took the divergence the other way round: from N(0, 1) to the code. Code first, N(0, 1) second."
)
def other_way_round(mean, log_variance, noise):
    spread = (0.5 * log_variance).exp()
    code, standard = distributions.Normal(mean, spread), distributions.Normal(0.0, 1.0)
    return mean + spread * noise, distributions.kl_divergence(standard, code).flatten(1).sum(1)


# --- 13.5 hidden letters ---------------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    returns=("inputs", "targets"),
    hint="Three masks of True and False: chosen; chosen and coin < 0.8; chosen and 0.8 ≤ coin < 0.9. The first one decides about targets, the other two about inputs.",
)
def hide(tokens, draw, coin, others, mask):
    """BERT's recipe: tokens, draw, coin, others (B, T); chosen are those with draw < 0.15. Inputs and targets (B, T)."""
    chosen = draw < 0.15
    inputs = torch.where(chosen & (coin < 0.8), mask, tokens)
    inputs = torch.where(chosen & (coin >= 0.8) & (coin < 0.9), others, inputs)
    return inputs, torch.where(chosen, tokens, NOT_ASKED)


@hide.cases
def _(rng):
    tokens, others = torch.tensor([[3, 4, 5, 6]]), torch.tensor([[0, 1, 2, 0]])
    here, there = torch.tensor([[0.5, 0.1, 0.14, 0.5]]), torch.tensor([[0.1, 0.5, 0.1, 0.1]])  # 0.14 is no coin
    for value in (0.5, 0.85, 0.95):
        yield dict(tokens=tokens, draw=here, coin=torch.full((1, 4), value), others=others, mask=9)
    yield dict(tokens=tokens, draw=there, coin=torch.tensor([[0.1, 0.2, 0.82, 0.97]]), others=others, mask=9)
    yield dict(tokens=tokens, draw=torch.full((1, 4), 0.5), coin=here, others=others, mask=9)
    yield dict(tokens=tokens, draw=torch.full((1, 4), 0.1), coin=torch.full((1, 4), 0.3), others=others, mask=7)
    for _ in range(8):
        shape = int(rng.integers(1, 4)), int(rng.integers(6, 12))
        symbols = [torch.from_numpy(rng.integers(0, 9, shape)) for _ in range(2)]
        yield symbols[0], uniform(rng, *shape) / 3 + 0.001, uniform(rng, *shape), symbols[1], 9


@hide.recipe
def _(
    tokens, draw, coin, others, mask,
    choose=lambda draw: draw < 0.15, covered=lambda coin: coin < 0.8, swapped=lambda coin: (coin >= 0.8) & (coin < 0.9),
    among=lambda chosen: chosen, asked=lambda chosen, coin: chosen, target=lambda tokens, inputs: tokens, rest=NOT_ASKED,
):  # fmt: skip
    chosen = choose(draw)
    inputs = torch.where(among(chosen) & covered(coin), mask, tokens)
    inputs = torch.where(among(chosen) & swapped(coin), others, inputs)
    return inputs, torch.where(asked(chosen, coin), target(tokens, inputs), rest)


hide.slip("asked_everywhere", asked=lambda chosen, coin: torch.ones_like(chosen)).says(
    "You ask for every letter. Only chosen places have a target, the others −100; the rest would be copied from the input, for nothing."
)
hide.slip("kept_not_asked", asked=lambda chosen, coin: chosen & (coin < 0.9)).says(
    "A chosen letter that stays as it is must be asked for too. Otherwise the model learns that a letter which it sees is never the question."
)
hide.slip("only_covered_asked", asked=lambda chosen, coin: chosen & (coin < 0.8)).says(
    "You ask only where the mask stands. ALL chosen places have a target, also those with another letter and those that stay."
)
hide.slip("target_from_inputs", target=lambda tokens, inputs: inputs).says(
    "Your targets were taken from the changed inputs. The answer is the true letter: keep the tokens, and change a copy."
)
hide.slip("always_covered", covered=lambda coin: coin < 2, swapped=lambda coin: coin > 2).says(
    "You put the mask on every chosen letter. 80 % get it (coin < 0.8), 10 % another letter, 10 % stay."
)
hide.slip("nothing_stays", swapped=lambda coin: coin >= 0.8).says(
    "You replaced all that are not covered. Only coins from 0.8 to 0.9 get another letter; from 0.9 on the letter stays."
)
hide.slip("others_over_the_mask", swapped=lambda coin: coin < 0.9).says(
    "Your second test catches the masked ones too, and writes over them: from 0.8 to below 0.9."
)
hide.slip("swapped_at_the_upper_end", swapped=lambda coin: coin >= 0.9).says(
    "You exchanged the letters at the upper end. From 0.9 on a chosen letter stays; from 0.8 to below 0.9 it is exchanged."
)
hide.slip("nothing_swapped", swapped=lambda coin: coin > 2).says(
    "No letter is exchanged for another one. Where the coin lies from 0.8 to below 0.9, put the letter of `others`."
)
hide.slip("chosen_turned", choose=lambda draw: draw >= 0.15).says(
    "You chose where draw is at least 0.15, which is 85 % of the letters. Choose where it is LESS than 0.15."
)
hide.slip("coin_everywhere", among=lambda chosen: torch.ones_like(chosen)).says(
    "You changed letters that were not chosen. The coin counts at chosen places alone."
)
hide.slip("rest_zero", rest=0).says(
    "You wrote 0 where nothing is asked. 0 is a letter. The value that cross_entropy leaves out is −100."
)
hide.slip("rest_mask", rest=-1).says(
    "You wrote −1 where nothing is asked. The value that cross_entropy leaves out is −100."
)


@hide.finding
def _(value, *case):
    for name, part in zip(("inputs", "targets"), value, strict=False) if isinstance(value, tuple | list) else ():
        if isinstance(part, Tensor) and part.is_floating_point():
            return f"The {name} are floats. They are places in the alphabet, or −100: whole numbers, as `tokens` are."
    return None


@hide.mistake(
    "You used `draw` for both decisions. `draw` says whether a place is chosen, and `coin` what stands there."
)
def draw_as_coin(tokens, draw, coin, others, mask):
    return hide.reference(tokens, draw, draw / 0.15, others, mask)


@hide.mistake("Your targets are the NEXT letters. That is GPT's task; here each target is the letter at its own place.")
def next_ones(tokens, draw, coin, others, mask):
    inputs, targets = hide.reference(tokens, draw, coin, others, mask)
    return inputs, torch.where(targets != NOT_ASKED, tokens.roll(-1, 1), NOT_ASKED)
