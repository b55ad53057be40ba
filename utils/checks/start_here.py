"""Exercises of lesson 00: distance, reach maps, path lengths, influence by autograd."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.autograd.functional import jacobian

from utils.checking import exercise, normal

# --- 0.1 distance -----------------------------------------------------------------------------------------------


@exercise(
    lesson="00",
    points=1,
    hint="Subtract one position from the other, then think of the case in which the first one is the smaller.",
)
def distance(i, j):
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


@distance.mistake("The sign is still there. A distance is never negative: it is the same in both directions.")
def sign_kept(i, j):
    return i - j


@distance.mistake("You counted j - i and kept its sign. A distance is the same in both directions.")
def sign_kept_the_other_way(i, j):
    return j - i


@distance.mistake("You counted both words as well as the way between them. Count the steps from one to the other.")
def both_ends_counted(i, j):
    return abs(i - j) + 1


@distance.mistake("You counted the words that lie between. Count the steps: neighbours are 1 apart.")
def words_between(i, j):
    return abs(i - j) - 1


@distance.mistake("You cut negative distances off at 0. A word before and a word after may be equally far away.")
def negative_cut_off(i, j):
    return max(i - j, 0)


@distance.mistake(
    "You subtracted i from j and cut negative distances off at 0. A word before and a word after may be equally far away."
)
def negative_cut_off_the_other_way(i, j):
    return max(j - i, 0)


@distance.mistake("You added the positions. Subtract one from the other.")
def positions_added(i, j):
    return i + j


@distance.mistake("You squared the difference. Take its absolute value.")
def squared_difference(i, j):
    return (i - j) ** 2


# --- 0.2 reach map ----------------------------------------------------------------------------------------------

KINDS = ("cnn", "rnn", "attention", "causal attention")


def _offsets(length: int) -> Tensor:
    """(length, length): at [i, j] how far input j lies before output i; negative where it lies after."""
    positions = torch.arange(length)
    return positions[:, None] - positions


def _map(kind: str, length: int, **rules) -> Tensor:
    """A map in which each kind follows the right rule, but for those that are given: rule(offsets) -> bool."""
    return rules[kind.replace(" ", "_")](_offsets(length)).long()


def _right(layers: int, width: int) -> dict:
    half = width // 2
    return {
        "cnn": lambda d: d.abs() <= layers * half,
        "rnn": lambda d: d >= 0,
        "attention": lambda d: d == d,
        "causal_attention": lambda d: d >= 0,
    }


@exercise(
    lesson="00",
    points=3,
    hint="Compare i with j. For each kind, write down the one condition that lets input j reach output i.",
)
def reach_map(kind, length, layers=1, width=3):
    return _map(kind, length, **_right(layers, width))


@reach_map.ask
def _(answer, kind, length, layers, width):
    reached = answer(kind, length, layers, width)
    is_mask = isinstance(reached, Tensor | np.ndarray) and str(reached.dtype).endswith("bool")
    return reached * 1 if is_mask else reached  # True and False are as good as 1 and 0


@reach_map.cases
def _(rng):
    yield "attention", 3, 1, 3
    yield "rnn", 3, 1, 3
    yield "causal attention", 3, 1, 3
    yield "cnn", 5, 1, 3
    yield "rnn", 5, 2, 3
    yield "causal attention", 4, 2, 5
    yield "cnn", 6, 2, 3
    yield "cnn", 6, 1, 5
    yield "cnn", 8, 3, 3
    yield "cnn", 6, 3, 5
    yield "attention", 5, 2, 3
    for _ in range(16):
        kind = KINDS[int(rng.integers(4))]
        yield kind, int(rng.integers(6, 20)), int(rng.integers(1, 5)), 2 * int(rng.integers(1, 5)) + 1


def _wrong(kind: str, length: int, layers: int, width: int, **rules) -> Tensor:
    return _map(kind, length, **{**_right(layers, width), **rules})


@reach_map.mistake("Rows and columns are swapped. Row i is an output, column j is an input: entry [i, j].")
def rows_and_columns_swapped(kind, length, layers=1, width=3):
    return reach_map.reference(kind, length, layers, width).T


@reach_map.mistake(
    "Your RNN sees every word. The state at position i is computed before the later words are read: only j ≤ i can reach it."
)
def rnn_sees_the_future(kind, length, layers=1, width=3):
    return _wrong(kind, length, layers, width, rnn=lambda d: d == d)


@reach_map.mistake("In your RNN, inputs reach earlier outputs. An RNN reads from left to right: j must not exceed i.")
def rnn_reads_backwards(kind, length, layers=1, width=3):
    return _wrong(kind, length, layers, width, rnn=lambda d: d <= 0)


@reach_map.mistake("Your RNN state does not see its own word. h_t is made of h_(t-1) and of x_t, so j = i counts.")
def rnn_without_its_own_word(kind, length, layers=1, width=3):
    return _wrong(kind, length, layers, width, rnn=lambda d: d > 0)


@reach_map.mistake(
    "Your RNN looks one word back. It reads only h_(t-1), but that state already holds all words before."
)
def rnn_one_step_back(kind, length, layers=1, width=3):
    return _wrong(kind, length, layers, width, rnn=lambda d: (d >= 0) & (d <= 1))


@reach_map.mistake(
    "Your RNN looks back one word for each layer. One layer is enough: the state is carried all the way."
)
def rnn_one_word_for_each_layer(kind, length, layers=1, width=3):
    return _wrong(kind, length, layers, width, rnn=lambda d: (d >= 0) & (d <= layers))


@reach_map.mistake(
    "Your CNN looks back only. This kernel is centred: it reads as many words after position i as before it."
)
def cnn_looks_back_only(kind, length, layers=1, width=3):
    return _wrong(kind, length, layers, width, cnn=lambda d: (d >= 0) & (d <= layers * (width // 2)))


@reach_map.mistake(
    "Your CNN ignores `layers`. Each layer reads the neighbours of the layer below, and reaches further."
)
def layers_ignored(kind, length, layers=1, width=3):
    return _wrong(kind, length, layers, width, cnn=lambda d: d.abs() <= width // 2)


@reach_map.mistake("Your CNN has width 3 whatever `width` says. A kernel of that width reads width // 2 words a side.")
def width_ignored(kind, length, layers=1, width=3):
    return _wrong(kind, length, layers, width, cnn=lambda d: d.abs() <= layers)


@reach_map.mistake(
    "Your CNN reaches `width` words to each side for every layer. The width covers both sides: half of it."
)
def whole_width_on_each_side(kind, length, layers=1, width=3):
    return _wrong(kind, length, layers, width, cnn=lambda d: d.abs() <= layers * width)


@reach_map.mistake(
    "Your CNN reaches width - 1 words to each side for every layer. That is what the window grows by in all: half of it on each side."
)
def growth_on_each_side(kind, length, layers=1, width=3):
    return _wrong(kind, length, layers, width, cnn=lambda d: d.abs() <= layers * (width - 1))


@reach_map.mistake(
    "You added the widths of the layers. Windows overlap: a layer adds width // 2 words on each side, not its whole width."
)
def widths_added(kind, length, layers=1, width=3):
    return _wrong(kind, length, layers, width, cnn=lambda d: d.abs() <= layers * width // 2)


@reach_map.mistake("You multiplied the widths of the layers. Windows overlap: each layer adds width // 2 words a side.")
def widths_multiplied(kind, length, layers=1, width=3):
    return _wrong(kind, length, layers, width, cnn=lambda d: d.abs() <= width**layers // 2)


@reach_map.mistake("Your CNN stops one word short: you wrote < where the outermost word of the window counts too (≤).")
def cnn_one_word_short(kind, length, layers=1, width=3):
    return _wrong(kind, length, layers, width, cnn=lambda d: d.abs() < layers * (width // 2))


@reach_map.mistake(
    "Your CNN sees every later word: you compared i - j without its sign. Take the absolute value: abs(i - j)."
)
def cnn_sees_all_later_words(kind, length, layers=1, width=3):
    return _wrong(kind, length, layers, width, cnn=lambda d: d <= layers * (width // 2))


@reach_map.mistake(
    "Your CNN sees every earlier word: you compared j - i without its sign. Take the absolute value: abs(i - j)."
)
def cnn_sees_all_earlier_words(kind, length, layers=1, width=3):
    return _wrong(kind, length, layers, width, cnn=lambda d: -d <= layers * (width // 2))


@reach_map.mistake(
    "Your CNN stops one word short on the right. A range and a slice leave their end out: end them one later."
)
def cnn_one_word_short_on_the_right(kind, length, layers=1, width=3):
    half = layers * (width // 2)
    return _wrong(kind, length, layers, width, cnn=lambda d: (d <= half) & (d > -half))


@reach_map.mistake("Your CNN wraps around, from the last word to the first. Beyond the ends there are only zeros.")
def cnn_wraps_around(kind, length, layers=1, width=3):
    half = layers * (width // 2)
    return _wrong(kind, length, layers, width, cnn=lambda d: torch.minimum(d % length, -d % length) <= half)


@reach_map.mistake(
    "Your attention looks back only. Without a mask every word looks at all words, also at those that follow."
)
def attention_looks_back_only(kind, length, layers=1, width=3):
    return _wrong(kind, length, layers, width, attention=lambda d: d >= 0)


@reach_map.mistake(
    "In your attention no word looks at itself. It does: word i is among the words that it compares with."
)
def attention_without_itself(kind, length, layers=1, width=3):
    return _wrong(kind, length, layers, width, attention=lambda d: d != 0)


@reach_map.mistake('You forgot the mask. "causal attention" hides the words that come after i.')
def mask_forgotten(kind, length, layers=1, width=3):
    return _wrong(kind, length, layers, width, causal_attention=lambda d: d == d)


@reach_map.mistake("Your mask is the wrong way round: it hides the past. It must hide the words that come after i.")
def mask_the_wrong_way_round(kind, length, layers=1, width=3):
    return _wrong(kind, length, layers, width, causal_attention=lambda d: d <= 0)


@reach_map.mistake("Your mask hides the word itself. A word may look at the words before it and at itself: j ≤ i.")
def mask_hides_the_word_itself(kind, length, layers=1, width=3):
    return _wrong(kind, length, layers, width, causal_attention=lambda d: d > 0)


# --- 0.3 path length --------------------------------------------------------------------------------------------


def _shortest(kind: str, i: int, j: int, width: int) -> float:
    if kind == "attention":
        return 1
    if kind == "rnn":
        return i - j + 1 if j <= i else math.inf
    return max(1, math.ceil(abs(i - j) / (width // 2)))


@exercise(
    lesson="00",
    points=2,
    hint="Put a finger on input j, walk along the arrows to output i, and count how many you walk along.",
)
def path_length(kind, i, j, width=3):
    return _shortest(kind, i, j, width)


@path_length.cases
def _(rng):
    yield "attention", 3, 1, 3
    yield "attention", 2, 2, 3
    yield "rnn", 0, 0, 3
    yield "rnn", 3, 1, 3
    yield "rnn", 1, 3, 3
    yield "cnn", 1, 0, 3
    yield "cnn", 2, 2, 3
    yield "cnn", 0, 3, 3
    yield "cnn", 0, 5, 3
    yield "cnn", 4, 1, 5
    yield "cnn", 8, 1, 5
    for _ in range(24):
        kind = ("cnn", "cnn", "rnn", "attention")[int(rng.integers(4))]
        yield kind, int(rng.integers(0, 40)), int(rng.integers(0, 40)), 2 * int(rng.integers(1, 6)) + 1


@path_length.mistake(
    "In your RNN the way from x_j into the state h_j is missing. That is an arrow too, so the path has i - j + 1 of them."
)
def first_arrow_missing(kind, i, j, width=3):
    return i - j if kind == "rnn" and j <= i else _shortest(kind, i, j, width)


@path_length.mistake("Your RNN finds a path backwards. Where j lies after i there is none: return math.inf.")
def path_backwards(kind, i, j, width=3):
    return abs(i - j) + 1 if kind == "rnn" else _shortest(kind, i, j, width)


@path_length.mistake(
    "Your RNN returns i - j + 1 also where j lies after i. There is no path, and no number of steps below 1: return math.inf."
)
def future_not_told_apart(kind, i, j, width=3):
    return i - j + 1 if kind == "rnn" else _shortest(kind, i, j, width)


@path_length.mistake("Where an RNN has no path you return 0. That would be the shortest of all: return math.inf.")
def no_path_is_zero(kind, i, j, width=3):
    return 0 if kind == "rnn" and j > i else _shortest(kind, i, j, width)


@path_length.mistake(
    "Where an RNN has no path you return -1. The exercise asks for math.inf, which is longer than all."
)
def no_path_is_minus_one(kind, i, j, width=3):
    return -1 if kind == "rnn" and j > i else _shortest(kind, i, j, width)


@path_length.mistake("You swapped i and j in the RNN: j is the input, i the output.")
def output_and_input_swapped(kind, i, j, width=3):
    return _shortest(kind, j, i, width)


@path_length.mistake("You divided by the whole width. One layer carries a word width // 2 positions: half the width.")
def divided_by_the_width(kind, i, j, width=3):
    return max(1, math.ceil(abs(i - j) / width)) if kind == "cnn" else _shortest(kind, i, j, width)


@path_length.mistake("You divided by width - 1. That is the reach of both sides; to one side it is half: width // 2.")
def divided_by_both_sides(kind, i, j, width=3):
    return max(1, math.ceil(abs(i - j) / (width - 1))) if kind == "cnn" else _shortest(kind, i, j, width)


@path_length.mistake(
    "You counted how many windows, side by side, cover the way. A layer carries a word from the middle of its window to the edge: width // 2 positions."
)
def windows_side_by_side(kind, i, j, width=3):
    return math.ceil((abs(i - j) + 1) / width) if kind == "cnn" else _shortest(kind, i, j, width)


@path_length.mistake(
    "You divided by the width and then by 2: `a / width // 2` runs from left to right. Put brackets around (width // 2)."
)
def brackets_missing(kind, i, j, width=3):
    return max(1, math.ceil(abs(i - j) / width // 2)) if kind == "cnn" else _shortest(kind, i, j, width)


@path_length.mistake("You rounded to the nearest. A word that is not quite reached needs one layer more: round up.")
def rounded_to_the_nearest(kind, i, j, width=3):
    return max(1, round(abs(i - j) / (width // 2))) if kind == "cnn" else _shortest(kind, i, j, width)


@path_length.mistake(
    "Your CNN counts i - j with its sign, so that later words are too near. The kernel looks to both sides: take abs(i - j)."
)
def sign_kept_in_the_cnn(kind, i, j, width=3):
    return max(1, math.ceil((i - j) / (width // 2))) if kind == "cnn" else _shortest(kind, i, j, width)


@path_length.mistake(
    "Your CNN counts i - j with its sign, and returns 0 or less for the word itself and for later ones. Take abs(i - j), and at least 1."
)
def sign_and_zero_kept_in_the_cnn(kind, i, j, width=3):
    return math.ceil((i - j) / (width // 2)) if kind == "cnn" else _shortest(kind, i, j, width)


@path_length.mistake("You rounded down. A word that is not quite reached needs one layer more: round up.")
def rounded_down(kind, i, j, width=3):
    return max(1, abs(i - j) // (width // 2)) if kind == "cnn" else _shortest(kind, i, j, width)


@path_length.mistake("You did not round. There is no half layer: round up, as math.ceil does.")
def not_rounded(kind, i, j, width=3):
    return max(1, abs(i - j) / (width // 2)) if kind == "cnn" else _shortest(kind, i, j, width)


@path_length.mistake(
    "You added 1 after dividing. Where the distance divides evenly that is one layer too many: round up."
)
def one_added_in_place_of_rounding_up(kind, i, j, width=3):
    return abs(i - j) // (width // 2) + 1 if kind == "cnn" else _shortest(kind, i, j, width)


@path_length.mistake(
    "For i = j your CNN returns 0. An output lies at least one layer above every input, its own word included: at least 1."
)
def no_layer_for_the_word_itself(kind, i, j, width=3):
    return math.ceil(abs(i - j) / (width // 2)) if kind == "cnn" else _shortest(kind, i, j, width)


@path_length.mistake(
    "Your CNN walks one position a layer, whatever the width. A layer carries a word width // 2 positions."
)
def one_position_a_layer(kind, i, j, width=3):
    return max(1, abs(i - j)) if kind == "cnn" else _shortest(kind, i, j, width)


@path_length.mistake("Your CNN has no path from later words. The kernel is centred and looks to both sides.")
def cnn_only_from_the_past(kind, i, j, width=3):
    return math.inf if kind == "cnn" and j > i else _shortest(kind, i, j, width)


@path_length.mistake("Your attention takes longer for words that are far away. Every pair has a direct link: always 1.")
def attention_walks(kind, i, j, width=3):
    return max(1, abs(i - j)) if kind == "attention" else _shortest(kind, i, j, width)


@path_length.mistake("Your attention returns 0 for i = j. A word reaches its own output through the layer as well: 1.")
def attention_skips_itself(kind, i, j, width=3):
    return int(i != j) if kind == "attention" else _shortest(kind, i, j, width)


@path_length.mistake(
    "Your attention returns 0. A word goes through the layer to get anywhere, and that is one arrow: 1."
)
def attention_without_a_step(kind, i, j, width=3):
    return 0 if kind == "attention" else _shortest(kind, i, j, width)


@path_length.mistake(
    "Your attention returns 2. Looking and adding up happen in the same layer: one arrow from x_j to z_i."
)
def attention_in_two_steps(kind, i, j, width=3):
    return 2 if kind == "attention" else _shortest(kind, i, j, width)


@path_length.mistake(
    "Your attention has no path from later words. Without a mask a word looks at those that follow, too."
)
def attention_only_from_the_past(kind, i, j, width=3):
    return math.inf if kind == "attention" and j > i else _shortest(kind, i, j, width)


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


@exercise(
    lesson="00",
    points=3,
    hint="The Jacobian has one number for every (i, output channel, j, input channel). Sum over both channels, not over i and j.",
)
def influence_map(model, x):
    return jacobian(model, x).square().sum((1, 3)).sqrt()


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
    yield "-2 * x.flip(0)", normal(rng, 3, 2)
    yield "x[:-1] - x[1:]", normal(rng, 4, 3)
    yield "x.sum(1, keepdim=True)", normal(rng, 3, 4)
    for formula in MODELS:
        channels = 2 if "tensor" in formula else int(rng.integers(2, 5))
        yield formula, normal(rng, int(rng.integers(3, 7)), channels)


def _blocks(model, x) -> Tensor:
    """The Jacobian (T_out, C_out, T_in, C_in)."""
    return jacobian(model, x)


@influence_map.mistake("You forgot the square root: a norm is the root of the sum of squares.")
def root_forgotten(model, x):
    return _blocks(model, x).square().sum((1, 3))


@influence_map.mistake("You summed the derivatives with their signs, so that they cancel. Square them before the sum.")
def signs_cancel(model, x):
    return _blocks(model, x).sum((1, 3))


@influence_map.mistake(
    "You added up the output channels before you took the gradient, so that they cancel or pile up. Take the gradient of each channel, square, then sum."
)
def output_channels_summed_first(model, x):
    return _blocks(model, x).sum(1).norm(dim=-1)


@influence_map.mistake("You summed over the input channels before you squared. Square each derivative first, then sum.")
def input_channels_summed_first(model, x):
    return _blocks(model, x).sum(3).norm(dim=1)


@influence_map.mistake("You summed absolute values. This norm is Frobenius's: square, sum, take the root.")
def absolute_values_summed(model, x):
    return _blocks(model, x).abs().sum((1, 3))


@influence_map.mistake("You took a mean over the channels in place of a sum. The norm sums the squares.")
def squares_averaged(model, x):
    return _blocks(model, x).square().mean((1, 3)).sqrt()


@influence_map.mistake(
    "You took a mean over the output channels in place of a sum. The squares of all derivatives are summed."
)
def output_channels_averaged(model, x):
    return _blocks(model, x).square().mean(1).sum(-1).sqrt()


@influence_map.mistake(
    "You took a norm for each output channel, then their mean. Square all derivatives, sum once over both channels, then take one root."
)
def mean_of_norms_of_output_channels(model, x):
    return _blocks(model, x).norm(dim=3).mean(1)


@influence_map.mistake(
    "You took a norm for each output channel and added the norms up. Sum the squares over both channels first, then take one root."
)
def norms_of_output_channels_added(model, x):
    return _blocks(model, x).norm(dim=3).sum(1)


@influence_map.mistake(
    "You took a norm for each input channel and added the norms up. Sum the squares over both channels first, then take one root."
)
def norms_of_input_channels_added(model, x):
    return _blocks(model, x).norm(dim=1).sum(-1)


@influence_map.mistake(
    "You took the gradient of the length of each output vector. Take the gradient of each of its channels, square, then sum."
)
def gradient_of_the_norm(model, x):
    return jacobian(lambda x: model(x).norm(dim=1), x).norm(dim=-1)


@influence_map.mistake(
    "You squared the outputs before you took the gradient. Take the gradient of each channel first, then square."
)
def outputs_squared_first(model, x):
    return jacobian(lambda x: model(x).square().sum(1), x).norm(dim=-1)


@influence_map.mistake("You took the largest derivative of each block. The norm sums the squares of all of them.")
def largest_derivative(model, x):
    return _blocks(model, x).abs().amax((1, 3))


@influence_map.mistake(
    "You took the largest singular value of each block (the spectral norm). The exercise asks for the Frobenius norm: root of the sum of squares."
)
def spectral_norm(model, x):
    return torch.linalg.matrix_norm(_blocks(model, x).permute(0, 2, 1, 3), 2)


@influence_map.mistake("You measured the first output channel alone. Every output channel counts: sum their squares.")
def first_output_channel(model, x):
    return _blocks(model, x)[:, 0].norm(dim=-1)


@influence_map.mistake("You measured the first input channel alone. Every input channel counts: sum their squares.")
def first_input_channel(model, x):
    return _blocks(model, x)[..., 0].norm(dim=1)


@influence_map.mistake("Rows and columns are swapped. Row i is the output position, column j the input position.")
def positions_swapped(model, x):
    return influence_map.reference(model, x).T


@influence_map.mistake(
    "Gradients of earlier outputs are still in yours: backward() adds to x.grad. Set x.grad = None before each call, or use torch.autograd.grad."
)
def gradients_pile_up(model, x):
    blocks = _blocks(model, x)
    return blocks.flatten(0, 1).cumsum(0).reshape(blocks.shape).square().sum((1, 3)).sqrt()


@influence_map.mistake(
    "Gradients of earlier rows are still in yours: backward() adds to x.grad. Set x.grad = None before each call. Then take the gradient of each channel on its own, square, and sum."
)
def gradients_of_rows_pile_up(model, x):
    return _blocks(model, x).sum(1).cumsum(0).norm(dim=-1)


@influence_map.mistake(
    "You took one gradient, that of the sum of all outputs: one number for each input. Take the gradient of each output position on its own."
)
def one_gradient_for_all(model, x):
    return _blocks(model, x).sum((0, 1)).norm(dim=-1)


@influence_map.mistake("Only the last output position came back. There is one row for each output position.")
def last_output_alone(model, x):
    return influence_map.reference(model, x)[-1]


@influence_map.mistake("You returned the whole Jacobian. Reduce each block, over both channel axes, to one number.")
def whole_jacobian(model, x):
    return _blocks(model, x)


@influence_map.mistake("You multiplied the gradient by the input. Influence is the gradient alone.")
def gradient_times_input(model, x):
    return (_blocks(model, x) * x).square().sum((1, 3)).sqrt()


@influence_map.mistake("You divided each row by its sum. The exercise asks for the norms themselves.")
def rows_normalised(model, x):
    influences = influence_map.reference(model, x)
    return influences / influences.sum(1, keepdim=True)


@influence_map.mistake("You divided each column by its sum. The exercise asks for the norms themselves.")
def columns_normalised(model, x):
    influences = influence_map.reference(model, x)
    return influences / influences.sum(0)


@influence_map.mistake("You divided by the largest influence. The exercise asks for the norms themselves.")
def largest_is_one(model, x):
    influences = influence_map.reference(model, x)
    return influences / influences.max()
