"""Exercises of lesson 00: distance, reach maps, path lengths, influence by autograd."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.autograd.functional import jacobian

from utils.checking import Lesson, normal

lesson = Lesson("00", __name__)

# --- 0.1 distance -----------------------------------------------------------------------------------------------


@lesson.exercise(
    points=1,
    hint="Subtract one position from the other, then think of the case in which the first one is the smaller.",
)
def distance(i, j):
    """Steps from position i to position j: two whole numbers in, one out."""
    return abs(i - j)


@distance.cases
def _(rng):
    yield 1, 0
    yield 0, 2
    yield 3, 3
    yield 8, 1
    yield 1, 8
    for _ in range(15):
        yield int(rng.integers(0, 1000)), int(rng.integers(0, 1000))


@distance.recipe
def _(i, j, turn=abs, more=0):
    return turn(i - j) + more


distance.slip("sign_kept", turn=lambda d: d).says(
    "The sign is still there. A distance is never negative: it is the same in both directions."
)
distance.slip("sign_kept_the_other_way", turn=lambda d: -d).says(
    "You counted j - i and kept its sign. A distance is the same in both directions."
)
distance.slip("always_negative", turn=lambda d: -abs(d)).says(
    "Your distance is never positive. Take the absolute value itself, without a minus in front of it."
)
distance.slip("both_ends_counted", more=1).says(
    "You counted both end points as well as the steps between them. Count only the steps from one to the other."
)
distance.slip("words_between", more=-1).says(
    "You counted the words that lie between. Count the steps: neighbours are 1 apart."
)
distance.slip("negative_cut_off", turn=lambda d: max(d, 0)).says(
    "You cut negative distances off at 0. A word before and a word after may be equally far away."
)
distance.slip("negative_cut_off_the_other_way", turn=lambda d: max(-d, 0)).says(
    "You subtracted i from j and cut negative distances off at 0. A word before and a word after may be equally far away."
)
distance.slip("squared_difference", turn=lambda d: d**2).says("You squared the difference. Take its absolute value.")
distance.wrong("positions_added", lambda i, j: i + j).says("You added the positions. Subtract one from the other.")


# --- 0.2 reach map ----------------------------------------------------------------------------------------------

KINDS = ("cnn", "rnn", "attention", "causal attention")


@lesson.exercise(
    points=3,
    hint="Compare i with j. For each kind, write down the one condition that lets input j reach output i.",
)
def reach_map(kind, length, layers=1, width=3):
    """Which input j (column) can influence which output i (row), of `length` words: 0 and 1, (length, length)."""
    i, j = torch.meshgrid(torch.arange(length), torch.arange(length), indexing="ij")
    rules = {"cnn": (i - j).abs() <= layers * (width // 2), "attention": i == i}
    return rules.get(kind, j <= i).long()


@reach_map.ask
def _(answer, kind, length, layers, width):
    reached = answer(kind, length, layers, width)
    is_mask = isinstance(reached, Tensor | np.ndarray) and str(reached.dtype).endswith("bool")
    return reached * 1 if is_mask else reached  # True and False are as good as 1 and 0


@reach_map.cases
def _(rng):
    yield dict(kind="attention", length=3, layers=1, width=3)
    yield dict(kind="rnn", length=3, layers=1, width=3)
    yield dict(kind="causal attention", length=3, layers=1, width=3)
    yield dict(kind="cnn", length=5, layers=1, width=3)
    yield dict(kind="rnn", length=5, layers=2, width=3)
    yield dict(kind="causal attention", length=4, layers=2, width=5)
    yield dict(kind="cnn", length=6, layers=2, width=3)
    yield dict(kind="cnn", length=6, layers=1, width=5)
    yield dict(kind="cnn", length=8, layers=3, width=3)
    yield dict(kind="cnn", length=6, layers=3, width=5)
    yield dict(kind="attention", length=5, layers=2, width=3)
    for _ in range(16):
        kind = KINDS[int(rng.integers(4))]
        yield kind, int(rng.integers(6, 20)), int(rng.integers(1, 5)), 2 * int(rng.integers(1, 5)) + 1


def _far(layers, width, length):
    """How many words a stack of convolutions reaches to each side."""
    return layers * (width // 2)


@reach_map.recipe
def _(
    kind, length, layers=1, width=3,
    far=_far,
    cnn=lambda d, far: d.abs() <= far,
    rnn=lambda d, layers: d >= 0,
    attention=lambda d: d == d,
    causal=lambda d: d >= 0,
    turn=lambda reached: reached,
):  # fmt: skip
    """Each kind is a rule about d, how far input j lies before output i: negative where it lies after."""
    d = torch.arange(length)[:, None] - torch.arange(length)
    rules = {
        "cnn": lambda: cnn(d, far(layers, width, length)),
        "rnn": lambda: rnn(d, layers),
        "attention": lambda: attention(d),
        "causal attention": lambda: causal(d),
    }
    return turn(rules[kind]().long())


reach_map.slip("rows_and_columns_swapped", turn=lambda reached: reached.T).says(
    "Rows and columns are swapped. Row i is an output, column j is an input: entry [i, j]."
)
reach_map.slip("rnn_sees_the_future", rnn=lambda d, n: d == d).says(
    "Your RNN sees every word. The state at position i is computed before the later words are read: only j ≤ i can reach it."
)
reach_map.slip("rnn_reads_backwards", rnn=lambda d, n: d <= 0).says(
    "In your RNN, inputs reach earlier outputs. An RNN reads from left to right: j must not exceed i."
)
reach_map.slip("rnn_without_its_own_word", rnn=lambda d, n: d > 0).says(
    "Your RNN state does not see its own word. h_t is made of h_(t-1) and of x_t, so j = i counts."
)
reach_map.slip("rnn_one_step_back", rnn=lambda d, n: (d >= 0) & (d <= 1)).says(
    "Your RNN looks one word back. It reads only h_(t-1), but that state already holds all words before."
)
reach_map.slip("rnn_one_word_for_each_layer", rnn=lambda d, n: (d >= 0) & (d <= n)).says(
    "Your RNN looks back one word for each layer. One layer is enough: the state is carried all the way."
)
reach_map.slip("cnn_looks_back_only", cnn=lambda d, far: (d >= 0) & (d <= far)).says(
    "Your CNN looks back only. This kernel is centred: it reads as many words after position i as before it."
)
reach_map.slip("cnn_window_behind_the_word", cnn=lambda d, far: (d >= 0) & (d <= 2 * far)).says(
    "Your CNN looks back only, over its whole window. This kernel is centred: it reads as many words after position i as before it."
)
reach_map.slip("layers_ignored", far=lambda n, w, T: w // 2).says(
    "Your CNN ignores `layers`. Each layer reads the neighbours of the layer below, and reaches further."
)
reach_map.slip("width_ignored", far=lambda n, w, T: n).says(
    "Your CNN has width 3 whatever `width` says. A kernel of that width reads width // 2 words on each side."
)
reach_map.slip("whole_width_on_each_side", far=lambda n, w, T: n * w).says(
    "Your CNN reaches `width` words to each side for every layer. The width covers both sides: half of it."
)
reach_map.slip("growth_on_each_side", far=lambda n, w, T: n * (w - 1)).says(
    "Your CNN reaches width - 1 words to each side for every layer. That is what the window grows by in all: half of it on each side."
)
reach_map.slip("widths_added", far=lambda n, w, T: n * w // 2).says(
    "You added the widths of the layers. Windows overlap: a layer adds width // 2 words on each side, not its whole width."
)
reach_map.slip("widths_multiplied", far=lambda n, w, T: w**n // 2).says(
    "You multiplied the widths of the layers. Windows overlap: each layer adds width // 2 words on each side."
)
reach_map.slip("cnn_one_word_short", far=lambda n, w, T: n * (w // 2) - 1).says(
    "Your CNN stops one word short: you wrote < where the outermost word of the window counts too (≤)."
)
reach_map.slip("cnn_sees_all_later_words", cnn=lambda d, far: d <= far).says(
    "Your CNN sees every later word: you compared i - j without its sign. Take the absolute value: abs(i - j)."
)
reach_map.slip("cnn_sees_all_earlier_words", cnn=lambda d, far: -d <= far).says(
    "Your CNN sees every earlier word: you compared j - i without its sign. Take the absolute value: abs(i - j)."
)
reach_map.slip("cnn_one_word_short_on_the_right", cnn=lambda d, far: (d <= far) & (d > -far)).says(
    "Your CNN stops one word short on the right. A range and a slice leave their end out: end them one later."
)
reach_map.slip("cnn_wraps_around", cnn=lambda d, far: torch.minimum(d % len(d), -d % len(d)) <= far).says(
    "Your CNN wraps around, from the last word to the first. Beyond the ends there are only zeros."
)
reach_map.slip("attention_looks_back_only", attention=lambda d: d >= 0).says(
    "Your attention looks back only. Without a mask every word looks at all words, also at those that follow."
)
reach_map.slip("attention_without_itself", attention=lambda d: d != 0).says(
    "In your attention no word looks at itself. It does: word i is among the words that it compares with."
)
reach_map.slip("mask_forgotten", causal=lambda d: d == d).says(
    'You forgot the mask. "causal attention" hides the words that come after i.'
)
reach_map.slip("mask_the_wrong_way_round", causal=lambda d: d <= 0).says(
    "Your mask is the wrong way round: it hides the past. It must hide the words that come after i."
)
reach_map.slip("mask_hides_the_word_itself", causal=lambda d: d > 0).says(
    "Your mask hides the word itself. A word may look at the words before it and at itself: j ≤ i."
)


# --- 0.3 path length --------------------------------------------------------------------------------------------

WAYS = ("cnn", "dilated cnn", "rnn", "bidirectional rnn", "attention")


@lesson.exercise(
    points=3,
    hint="Put a finger on input j, walk along the arrows to output i, and count how many you walk along.",
)
def path_length(kind, i, j, width=3):
    """Arrows on the shortest path from input j to output i: a whole number, or math.inf where there is none."""
    if kind == "attention":
        return 1
    if kind.endswith("rnn"):
        return math.inf if kind == "rnn" and j > i else abs(i - j) + 1
    return _layers(i - j, lambda n: width // 2 * (n if kind == "cnn" else 2**n - 1))


def _layers(d, far, least=1):
    """How many layers, from `least` on, it takes until `far(layers)` words to each side are d words or more."""
    layers = least
    while far(layers) < abs(d):
        layers += 1
    return layers


@path_length.cases
def _(rng):
    for i, j in [(0, 0), (3, 1), (2, 2), (1, 3)]:
        yield "attention", i, j, 3
    for i, j in [(0, 0), (1, 0), (3, 1), (1, 3), (0, 3)]:
        yield "rnn", i, j, 3
        yield "bidirectional rnn", i, j, 3
    for i, j in [(1, 0), (2, 2), (0, 1), (0, 3), (3, 0), (0, 5)]:
        yield "cnn", i, j, 3
    for i, j in [(1, 0), (3, 0), (0, 3), (4, 0), (4, 1), (5, 0), (8, 1), (0, 7)]:
        yield "cnn", i, j, 5
    yield "cnn", 4, 0, 7
    for i, j in [(0, 0), (1, 0), (2, 0), (0, 3), (4, 0), (6, 0), (8, 1), (0, 8), (15, 0), (0, 16)]:
        yield "dilated cnn", i, j, 3
    for i, j in [(2, 0), (0, 3), (6, 0), (0, 7), (8, 1)]:
        yield "dilated cnn", i, j, 5
    for _ in range(30):
        kind = WAYS[int(rng.integers(len(WAYS)))]
        yield kind, int(rng.integers(0, 40)), int(rng.integers(0, 40)), 2 * int(rng.integers(1, 6)) + 1


@path_length.recipe
def _(
    kind, i, j, width=3,
    rnn=lambda d: d + 1 if d >= 0 else math.inf,
    both=lambda d: abs(d) + 1,
    cnn=lambda d, width: max(1, math.ceil(abs(d) / (width // 2))),
    dilated=lambda n, width: width // 2 * (2**n - 1),
    least=1,
    attention=lambda d: 1,
):  # fmt: skip
    """Each kind is a formula of d, how far input j lies before output i; `dilated` is the reach of n layers."""
    ways = {
        "rnn": lambda d: rnn(d),
        "bidirectional rnn": lambda d: both(d),
        "cnn": lambda d: cnn(d, width),
        "dilated cnn": lambda d: _layers(d, lambda n: dilated(n, width), least),
        "attention": lambda d: attention(d),
    }
    return ways[kind](i - j)


path_length.slip("first_arrow_missing", rnn=lambda d: d if d >= 0 else math.inf, both=abs).says(
    "In your RNN the way from x_j into the state h_j is missing. That is an arrow too, so the path has |i - j| + 1 of them."
)
path_length.wrong(
    "no_arrow_for_the_word_itself",
    lambda kind, i, j, width=3: 0 if i == j else path_length.reference(kind, i, j, width),
).says("For i = j you return 0. A word reaches its own output through a layer, or into a state: one arrow.")
path_length.slip("path_backwards", rnn=lambda d: abs(d) + 1).says(
    "Your RNN finds a path backwards. It reads from left to right, so where j lies after i there is none: return math.inf."
)
path_length.slip("future_not_told_apart", rnn=lambda d: d + 1).says(
    "Your RNN returns i - j + 1 also where j lies after i. There is no path, and no number of steps below 1: return math.inf."
)
path_length.slip("no_path_is_zero", rnn=lambda d: d + 1 if d >= 0 else 0).says(
    "Where an RNN has no path you return 0. That would be the shortest of all: return math.inf."
)
path_length.slip("no_path_is_minus_one", rnn=lambda d: d + 1 if d >= 0 else -1).says(
    "Where an RNN has no path you return -1. The exercise asks for math.inf, which is longer than all."
)
path_length.slip("output_and_input_swapped", rnn=lambda d: 1 - d if d <= 0 else math.inf).says(
    "You swapped i and j in the RNN: j is the input, i the output."
)
path_length.slip("one_direction_only", both=lambda d: d + 1 if d >= 0 else math.inf).says(
    "Your bidirectional RNN has no path from later words. Its second half reads from right to left, and carries them."
)
path_length.slip("later_words_not_told_apart", both=lambda d: d + 1).says(
    "Your bidirectional RNN counts i - j with its sign. From a later word the path is just as long: take abs(i - j)."
)
path_length.slip("both_directions_walked", both=lambda d: 2 * (abs(d) + 1)).says(
    "Your bidirectional RNN walks both ways. One direction is enough: the one that starts at j and meets i."
)
path_length.slip("divided_by_the_width", cnn=lambda d, w: max(1, math.ceil(abs(d) / w))).says(
    "You divided by the whole width. One layer carries a word width // 2 positions: half the width."
)
path_length.slip("divided_by_both_sides", cnn=lambda d, w: max(1, math.ceil(abs(d) / (w - 1)))).says(
    "You divided by width - 1. That is the reach of both sides; to one side it is half: width // 2."
)
path_length.slip("windows_side_by_side", cnn=lambda d, w: math.ceil((abs(d) + 1) / w)).says(
    "You counted how many windows, side by side, cover the way. A layer carries a word from the middle of its window to the edge: width // 2 positions."
)
path_length.slip("brackets_missing", cnn=lambda d, w: max(1, math.ceil(abs(d) / w // 2))).says(
    "You divided by the width and then by 2: `a / width // 2` runs from left to right. Put brackets around (width // 2)."
)
path_length.slip("rounded_to_the_nearest", cnn=lambda d, w: max(1, round(abs(d) / (w // 2)))).says(
    "You rounded to the nearest. A word that is not quite reached needs one more layer: round up."
)
path_length.slip("sign_kept_in_the_cnn", cnn=lambda d, w: max(1, math.ceil(d / (w // 2)))).says(
    "Your CNN counts i - j with its sign, so later words seem too near. The kernel looks to both sides: take abs(i - j)."
)
path_length.slip("sign_and_zero_kept_in_the_cnn", cnn=lambda d, w: math.ceil(d / (w // 2))).says(
    "Your CNN counts i - j with its sign, and returns 0 or less for the word itself and for later ones. Take abs(i - j), and at least 1."
)
path_length.slip("rounded_down", cnn=lambda d, w: max(1, abs(d) // (w // 2))).says(
    "You rounded down. A word that is not quite reached needs one more layer: round up."
)
path_length.slip("not_rounded", cnn=lambda d, w: max(1, abs(d) / (w // 2))).says(
    "You did not round. There is no half layer: round up, as math.ceil does."
)
path_length.slip("one_added_instead_of_rounding_up", cnn=lambda d, w: abs(d) // (w // 2) + 1).says(
    "You added 1 after dividing. Where the distance divides evenly that is one layer too many: round up."
)
path_length.slip("no_layer_for_the_word_itself", cnn=lambda d, w: math.ceil(abs(d) / (w // 2))).says(
    "For i = j your CNN returns 0. An output lies at least one layer above every input, its own word included: at least 1."
)
path_length.slip("no_layer_in_either_stack", cnn=lambda d, w: math.ceil(abs(d) / (w // 2)), least=0).says(
    "For i = j your two CNNs return 0. An output lies at least one layer above every input, its own word included: at least 1."
)
path_length.slip("one_position_a_layer", cnn=lambda d, w: max(1, abs(d)), dilated=lambda n, w: 2**n - 1).says(
    "Your CNN ignores the width: it is that of width 3. A layer carries a word width // 2 positions, times its dilation."
)
path_length.slip("width_ignored_without_dilation", cnn=lambda d, w: max(1, abs(d))).says(
    "Your CNN without dilation walks one position per layer, whatever the width. A layer carries a word width // 2 positions."
)
path_length.slip(
    "cnn_only_from_the_past", cnn=lambda d, w: max(1, math.ceil(d / (w // 2))) if d >= 0 else math.inf
).says("Your CNN has no path from later words. The kernel is centred and looks to both sides.")
path_length.slip("dilation_ignored", dilated=lambda n, w: w // 2 * n).says(
    "Your dilated CNN is the plain one. Layer n has gaps: it carries a word width // 2 times 1, 2, 4, 8, … positions."
)
path_length.slip("last_dilation_alone", dilated=lambda n, w: w // 2 * 2 ** (n - 1)).says(
    "You counted only what the last dilated layer carries. The layers below it carry the word too: add up 1, 2, 4 and so on."
)
path_length.slip("dilated_layers_twice_too_far", dilated=lambda n, w: w // 2 * (2 ** (n + 1) - 2)).says(
    "Your dilated layers carry a word twice as far as they should. The dilations begin with 1, not 2; and half of the window lies on each side, width // 2."
)
path_length.slip("sum_of_dilations_one_too_large", dilated=lambda n, w: w // 2 * 2**n).says(
    "You let n dilated layers carry a word 2 ** n times width // 2 positions. Add them up: 1 + 2 + 4 is 7, not 8."
)
path_length.slip("dilations_times_the_whole_width", dilated=lambda n, w: w * (2**n - 1)).says(
    "Your dilated layers carry a word by their whole width, times the dilation. To one side it is half: width // 2."
)
path_length.slip("dilations_grow_by_the_width", dilated=lambda n, w: w // 2 * sum(w**m for m in range(n))).says(
    "Your dilations grow by the width of the window. In this exercise they double: 1, 2, 4, 8."
)
path_length.slip("dilations_count_up", dilated=lambda n, w: w // 2 * n * (n + 1) // 2).says(
    "Your dilations are 1, 2, 3, … In this exercise they double: 1, 2, 4, 8."
)
path_length.slip("attention_walks", attention=lambda d: max(1, abs(d))).says(
    "Your attention takes longer for words that are far away. Every pair has a direct link: always 1."
)
path_length.slip("attention_skips_itself", attention=lambda d: int(d != 0)).says(
    "Your attention returns 0 for i = j. A word reaches its own output through the layer as well: 1."
)
path_length.slip("attention_without_a_step", attention=lambda d: 0).says(
    "Your attention returns 0. A word goes through the layer to get anywhere, and that is one arrow: 1."
)
path_length.slip("attention_in_two_steps", attention=lambda d: 2).says(
    "Your attention returns 2. Looking and adding up happen in the same layer: one arrow from x_j to z_i."
)
path_length.slip("attention_only_from_the_past", attention=lambda d: 1 if d >= 0 else math.inf).says(
    "Your attention has no path from later words. Without a mask a word looks at those that follow, too."
)


# --- 0.4 influence by autograd ----------------------------------------------------------------------------------

MODELS = {
    "x": lambda x: x * 1,
    "3 * x": lambda x: 3 * x,
    "-2 * x.flip(0)": lambda x: -2 * x.flip(0),
    "x.cumsum(0)": lambda x: x.cumsum(0),
    "x[:-1] - x[1:]": lambda x: x[:-1] - x[1:],
    "x.sum(1, keepdim=True)": lambda x: x.sum(1, keepdim=True),
    "x @ torch.tensor([[1., -2.], [3., 4.]])": lambda x: x @ torch.tensor([[1.0, -2.0], [3.0, 4.0]]).to(x),
    "x * x": lambda x: x * x,
    "torch.tanh(x.cumsum(0))": lambda x: torch.tanh(x.cumsum(0)),
    "torch.cat([x, x.roll(1, 0) ** 2], 1)": lambda x: torch.cat([x, x.roll(1, 0) ** 2], 1),
    "torch.softmax(x @ x.T, 1) @ x": lambda x: torch.softmax(x @ x.T, 1) @ x,
}
"""What an answer is asked to measure, by the formula that a verdict shows. x has the shape (T, C)."""


@lesson.exercise(
    points=3,
    hint="The Jacobian has one number for every (i, output channel, j, input channel). Sum over both channels, not over i and j.",
)
def influence_map(model, x):
    """Frobenius norm of each block of the Jacobian: `model` maps (T, C) to (T', C'), the result is (T', T)."""
    return torch.linalg.matrix_norm(jacobian(model, x).permute(0, 2, 1, 3))


@influence_map.ask
def _(answer, model, x):
    return answer(_model(model), x)


def _model(formula: str):
    def model(x):
        if x.dim() != 2:
            raise ValueError(f"this model takes x of shape (T, C), not {tuple(x.shape)}; there is no batch")
        return MODELS[formula](x)

    return model


@influence_map.cases
def _(rng):
    yield "3 * x", torch.tensor([[1.0], [2.0]])
    yield "x.cumsum(0)", torch.tensor([[1.0], [2.0], [3.0]])
    yield "x @ torch.tensor([[1., -2.], [3., 4.]])", torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    yield "x.sum(1, keepdim=True)", torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    yield "-2 * x.flip(0)", torch.tensor([[1.0], [2.0], [3.0]])
    yield "x[:-1] - x[1:]", normal(rng, 4, 3)
    for formula in MODELS:
        channels = 2 if "tensor" in formula else int(rng.integers(2, 4))
        yield formula, normal(rng, int(rng.integers(3, 5)), channels)


@influence_map.recipe
def _(
    model, x,
    before=lambda model: model,
    blocks=lambda J: J,
    reduce=lambda J: J.square().sum((1, 3)).sqrt(),
    after=lambda influences: influences,
):  # fmt: skip
    """J is the Jacobian (T_out, C_out, T_in, C_in)."""
    return after(reduce(blocks(jacobian(before(model), x))))


influence_map.slip("root_forgotten", reduce=lambda J: J.square().sum((1, 3))).says(
    "You forgot the square root: a norm is the root of the sum of squares."
)
influence_map.slip("signs_cancel", reduce=lambda J: J.sum((1, 3))).says(
    "You summed the derivatives with their signs, so that they cancel. Square them before the sum."
)
influence_map.slip("output_channels_summed_first", reduce=lambda J: J.sum(1).norm(dim=-1)).says(
    "You added up the output channels before you took the gradient, so that they cancel or pile up. Take the gradient of each channel, square, then sum."
)
influence_map.slip("input_channels_summed_first", reduce=lambda J: J.sum(3).norm(dim=1)).says(
    "You summed over the input channels before you squared. Square each derivative first, then sum."
)
influence_map.slip("absolute_values_summed", reduce=lambda J: J.abs().sum((1, 3))).says(
    "You summed absolute values. This norm is Frobenius's: square, sum, take the root."
)
influence_map.slip("squares_averaged", reduce=lambda J: J.square().mean((1, 3)).sqrt()).says(
    "You took a mean over the channels instead of a sum. The norm sums the squares."
)
influence_map.slip("output_channels_averaged", reduce=lambda J: J.square().mean(1).sum(-1).sqrt()).says(
    "You took a mean over the output channels instead of a sum. The squares of all derivatives are summed."
)
influence_map.slip("mean_of_norms_of_output_channels", reduce=lambda J: J.norm(dim=3).mean(1)).says(
    "You took a norm for each output channel, then their mean. Square all derivatives, sum once over both channels, then take one root."
)
influence_map.slip("norms_of_output_channels_added", reduce=lambda J: J.norm(dim=3).sum(1)).says(
    "You took a norm for each output channel and added the norms up. Sum the squares over both channels first, then take one root."
)
influence_map.slip("norms_of_input_channels_added", reduce=lambda J: J.norm(dim=1).sum(-1)).says(
    "You took a norm for each input channel and added the norms up. Sum the squares over both channels first, then take one root."
)
influence_map.slip("gradient_of_the_norm", before=lambda model: lambda x: model(x).norm(dim=1, keepdim=True)).says(
    "You took the gradient of the length of each output vector. Take the gradient of each of its channels, square, then sum."
)
influence_map.slip("outputs_squared_first", before=lambda model: lambda x: model(x).square().sum(1, keepdim=True)).says(
    "You squared the outputs before you took the gradient. Take the gradient of each channel first, then square."
)
influence_map.slip("largest_derivative", reduce=lambda J: J.abs().amax((1, 3))).says(
    "You took the largest derivative of each block. The norm sums the squares of all of them."
)
influence_map.slip("spectral_norm", reduce=lambda J: torch.linalg.matrix_norm(J.permute(0, 2, 1, 3), 2)).says(
    "You took the largest singular value of each block (the spectral norm). The exercise asks for the Frobenius norm: root of the sum of squares."
)
influence_map.slip("first_output_channel", blocks=lambda J: J[:, :1]).says(
    "You measured only the first output channel. Every output channel counts: sum their squares."
)
influence_map.slip("first_input_channel", blocks=lambda J: J[..., :1]).says(
    "You measured only the first input channel. Every input channel counts: sum their squares."
)
influence_map.slip("positions_swapped", after=lambda influences: influences.T).says(
    "Rows and columns are swapped. Row i is the output position, column j the input position."
)
influence_map.slip("gradients_pile_up", blocks=lambda J: J.flatten(0, 1).cumsum(0).reshape(J.shape)).says(
    "Gradients of earlier outputs are still in yours: backward() adds to x.grad. Set x.grad = None before each call, or use torch.autograd.grad."
)
influence_map.slip("gradients_of_rows_pile_up", reduce=lambda J: J.sum(1).cumsum(0).norm(dim=-1)).says(
    "Gradients of earlier rows are still in yours: backward() adds to x.grad. Set x.grad = None before each call. Then take the gradient of each channel on its own, square, and sum."
)
influence_map.slip("one_gradient_for_all", reduce=lambda J: J.sum((0, 1)).norm(dim=-1)).says(
    "You took one gradient, that of the sum of all outputs: one number for each input. Take the gradient of each output position on its own."
)
influence_map.slip("last_output_alone", after=lambda influences: influences[-1]).says(
    "You returned only the last output position. The map has one row per output position."
)
influence_map.slip("whole_jacobian", reduce=lambda J: J).says(
    "You returned the whole Jacobian. Reduce each block, over both channel axes, to one number."
)
influence_map.wrong("gradient_times_input", lambda model, x: (jacobian(model, x) * x).square().sum((1, 3)).sqrt()).says(
    "You multiplied the gradient by the input. Influence is the gradient alone."
)
influence_map.slip("rows_normalised", after=lambda influences: influences / influences.sum(1, keepdim=True)).says(
    "You divided each row by its sum. The exercise asks for the norms themselves."
)
influence_map.slip("columns_normalised", after=lambda influences: influences / influences.sum(0)).says(
    "You divided each column by its sum. The exercise asks for the norms themselves."
)
influence_map.slip("largest_is_one", after=lambda influences: influences / influences.max()).says(
    "You divided by the largest influence. The exercise asks for the norms themselves."
)
influence_map.slip("reached_or_not", after=lambda influences: (influences > 0).float()).says(
    "You returned which inputs reach, as 0 and 1. The exercise asks how strongly they reach."
)
