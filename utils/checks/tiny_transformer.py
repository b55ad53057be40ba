"""Exercises of lesson 11: causal attention, rotary positions, the block, the model, a fair size, a cache.

Shapes: B texts, T positions, C channels, H heads of D = C / H channels each.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utils.checking import Lesson, models, normal, sequences
from utils.checking.declaration import Mistake

lesson = Lesson("11", __name__)
EYE = torch.eye(2)
THIRDS = torch.tensor([[1, 0], [0, 1], [1, 1], [0, 1], [2, 0], [0, 3]]).float()  # for queries, keys, values


def _as_it_is(x: Tensor) -> Tensor:
    return x


# --- 11.1 causal self-attention ---------------------------------------------------------------------------------


@lesson.exercise(
    points=3,
    hint="Follow the shapes: (B, T, C) to three of (B, heads, T, D), scores (B, heads, T, T), and back to (B, T, C).",
)
def causal_attention(x, w_in, w_out, heads):
    """Self-attention of x (B, T, C) that looks back only; w_in (3C, C), w_out (C, C). Returns (B, T, C)."""
    q, k, v = (_split(part, heads) for part in (x @ w_in.T).chunk(3, dim=-1))
    return _merge(F.scaled_dot_product_attention(q, k, v, is_causal=True)) @ w_out.T


def _split(part: Tensor, heads: int) -> Tensor:
    """(…, T, C) to (…, H, T, D)."""
    return part.unflatten(-1, (heads, -1)).transpose(-3, -2)


def _merge(z: Tensor) -> Tensor:
    """(…, H, T, D) to (…, T, C)."""
    return z.transpose(-3, -2).flatten(-2)


def _masked(scores: Tensor, visible: Callable[[Tensor], Tensor], hidden: float) -> Tensor:
    """Scores (…, T, T), a row for each query, in which `hidden` stands for those that are not visible."""
    return scores.masked_fill(visible(torch.ones_like(scores)) == 0, hidden)


def _look(
    q, k, v, heads, w_out,
    split=_split, root=lambda D, C: math.sqrt(D), mask=_as_it_is, over=-1, after=_as_it_is, merge=_merge, out=torch.t,
):  # fmt: skip
    """What queries (…, T, C) find among keys and values (…, n, C): (…, T, C). With the switches of both recipes."""
    query, key, value = (split(part, heads) for part in (q, k, v))
    scores = mask(query @ key.mT / root(query.shape[-1], q.shape[-1]))  # (…, H, T, n)
    return merge(after(scores.softmax(over)) @ value) @ out(w_out)


@causal_attention.cases
def _(rng):
    """Nearly all begin with two equal texts: an output that is drawn at random is then seen to be."""
    yield torch.tensor([[[1.0, 2.0]]]).repeat(2, 1, 1), THIRDS, torch.tensor([[1.0, 1.0], [0.0, 1.0]]), 1  # (8, 6)
    yield EYE[None], EYE.repeat(3, 1), EYE, 1  # by hand: the first position sees itself alone
    yield torch.tensor([[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]]), EYE.repeat(3, 1), EYE, 1
    yield EYE.repeat(2, 1, 1), THIRDS, EYE, 1
    yield EYE.repeat(2, 1, 1), THIRDS, EYE, 2
    for time, heads, size in [(3, 1, 3), (4, 2, 2), (4, 2, 3), (5, 3, 2), (7, 4, 2)]:
        width = heads * size
        text, another = normal(rng, 2, time, width)
        x = torch.stack([text, text, torch.cat([text[:-1], another[-1:]]), another])
        yield x, normal(rng, 3 * width, width), normal(rng, width, width), heads


@causal_attention.recipe
def _(x, w_in, w_out, heads, order=(0, 1, 2), visible=torch.tril, hidden=-math.inf, look=_look):
    parts = (x @ w_in.T).chunk(3, dim=-1)
    q, k, v = (parts[index] for index in order)
    return look(q, k, v, heads, w_out, mask=partial(_masked, visible=visible, hidden=hidden))


def _fits(output: Any, x: Tensor) -> bool:
    return isinstance(output, Tensor) and output.shape == x.shape


@causal_attention.finding
def _(output, x, *_):
    if _fits(output, x) and output.isnan().any():
        return f"{output.isnan().sum()} of {output.numel()} numbers are nan."


def _seen_at_random(output, x, *_):
    if _fits(output, x) and len(x) > 1 and not torch.allclose(output[0], output[1], rtol=1e-2):
        return "The first two texts of the batch are equal, and their outputs are not."


@causal_attention.finding
def _(output, x, *_):
    if _fits(output, x) and len(x) > 2 and not torch.allclose(output[0, :-1], output[2, :-1], rtol=1e-2):
        return "Two texts differ at their last position alone, and so do outputs *before* it: a look into the future."


causal_attention.slip(
    "output_at_random",
    seen=_seen_at_random,
    look=partial(_look, after=lambda weights: weights * torch.rand_like(weights)),
).says("Nothing in attention is random, and no text hears of another one in its batch. Does a dropout stay on?")
causal_attention.slip("future_visible", visible=_as_it_is).says(
    "The future is visible. Before the softmax, set the scores of all later positions to -inf."
)
causal_attention.slip("next_one_visible", visible=lambda ones: ones.tril(1)).says(
    "Each position sees the next one too. What is hidden begins right above the diagonal: triu(1)."
)
causal_attention.slip("past_hidden", visible=torch.triu).says(
    "You masked the past and kept the future: the triangle is upside down. Row i may see the columns up to i: torch.tril."
)
causal_attention.slip("mask_inverted", visible=lambda ones: ones.triu(1)).says(
    "You masked what may be seen and kept the rest. masked_fill fills where the mask is True: at later positions."
)
for name, hidden in {"token_hidden_from_itself": -math.inf, "token_hidden_by_a_large_number": -1e9}.items():
    causal_attention.slip(name, visible=lambda ones: ones.tril(-1), hidden=hidden).says(
        "The mask hides each token from itself, so the first position sees nothing and its softmax has nothing to share out. The diagonal stays visible."
    )
causal_attention.slip("mask_after_softmax", visible=_as_it_is, look=partial(_look, after=torch.tril)).says(
    "The mask came after the softmax, so the weights of a row no longer sum to 1. Mask the scores, then take the softmax."
)
causal_attention.slip("masked_with_zero", hidden=0).says(
    "You set masked scores to 0. The softmax gives a score of 0 the weight e⁰ = 1. It takes -inf to get the weight 0."
)
causal_attention.slip("softmax_over_the_queries", look=partial(_look, over=-2)).says(
    "The softmax ran over the queries. Each query shares out a weight of 1 among the keys: the last axis, dim=-1."
)
cut_across = {"split": lambda part, heads: part.reshape(len(part), heads, part.shape[1], -1)}
merged_across = {"merge": lambda z: z.reshape(len(z), z.shape[2], -1)}
CUT = "Reshaping (B, T, C) to (B, heads, T, D) cuts across positions. Make it (B, T, heads, D), then transpose."
causal_attention.slip("heads_without_a_transpose", look=partial(_look, **cut_across)).says(CUT)
causal_attention.slip("merged_without_a_transpose", look=partial(_look, **merged_across)).says(
    "On the way back (B, heads, T, D) was reshaped to (B, T, C), which mixes positions. Transpose to (B, T, heads, D) first."
)
causal_attention.slip("no_transpose_at_all", look=partial(_look, **cut_across, **merged_across)).says(
    f"{CUT} The way back needs a transpose, too."
)
causal_attention.wrong(
    "interleaved_heads",
    lambda x, w_in, w_out, heads: causal_attention.reference(
        x, w_in.unflatten(0, (heads, 3, -1)).transpose(0, 1).flatten(0, 2), w_out, heads
    ),
).says(
    "`w_in` holds all queries, then all keys, then all values, and not head by head. Cut in three first, then into heads."
)


# --- 11.2 rotary positions ----------------------------------------------------------------------------------------

BASE = 10_000.0
Pair = tuple[Tensor, Tensor]


@lesson.exercise(
    points=2,
    hint="A column of positions times a row of speeds gives all angles (T, D / 2). Then the two formulas, and one cat.",
)
def rotary(x):
    """Queries or keys x (…, T, D), each pair of channels (i, i + D / 2) turned by t · 10000^(-2 i / D). Same shape."""
    half = x.shape[-1] // 2
    turn = torch.polar(torch.ones(x.shape[-2], half), _angles(x.shape[-2], half))
    turned = torch.complex(*x.float().chunk(2, -1)) * turn
    return torch.cat([turned.real, turned.imag], -1)


def _angles(time: int, half: int, first: int = 0, speed: Callable[[Tensor, int], Tensor] | None = None) -> Tensor:
    """Radians (T, D / 2). `speed` is a function of i = 0, 1, …, D / 2 - 1 and of D / 2."""
    places, channels = torch.arange(first, first + time), torch.arange(half)
    return places[:, None] * (speed or (lambda i, half: BASE ** -(i / half)))(channels, half)


@rotary.cases
def _(rng):
    yield (torch.tensor([[1.0, 0.0], [1.0, 0.0]]),)  # by hand: (1, 0), then (cos 1, sin 1)
    yield (torch.tensor([[0.0, 2.0], [0.0, 2.0]]),)
    yield (torch.tensor([[1.0, 0.0]] * 3),)  # the third is turned twice as far
    yield (torch.ones(2, 4),)  # a fast pair and a slow one
    yield (torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]]).repeat(1, 3, 1),)  # two texts
    for shape in [(4, 6), (2, 3, 4), (2, 3, 5, 8), (3, 2, 4, 2)]:
        yield (normal(rng, *shape),)


def _halves(x: Tensor) -> Pair:
    first, second = x.chunk(2, -1)
    return first, second


def _side_by_side(a: Tensor, b: Tensor) -> Tensor:
    return torch.cat([a, b], -1)


@rotary.recipe
def _(
    x, angles=_angles, split=_halves, join=_side_by_side, down=-1, up=1, axis=-2, cosine=torch.cos, sine=torch.sin,
    keep=0, source=lambda old, new: old,
):  # fmt: skip
    x = x.transpose(axis, -2)
    a, b = split(x)
    turn = angles(x.shape[-2], x.shape[-1] // 2)
    c, s = cosine(turn), sine(turn)
    first = a * c + down * b * s
    second = up * source(a, first) * s + b * c
    return (keep * x + join(first, second)).transpose(axis, -2)


rotary.slip("second_formula_with_the_new_a", source=lambda old, new: new).says(
    "The second formula used the new a. Both take the old a and the old b: compute the two before you replace either."
)
rotary.slip("turned_backwards", down=1, up=-1).says(
    "Each pair turns the other way round. The first channel gets a cos - b sin, the second a sin + b cos."
)
rotary.slip("no_minus", down=1).says("A minus is missing: the first channel of a pair gets a cos - b sin.")
rotary.slip("minus_twice", up=-1).says("One minus too many: the second channel of a pair gets a sin + b cos.")
rotary.slip("sine_and_cosine_swapped", cosine=torch.sin, sine=torch.cos).says(
    "Sine and cosine have changed places. At position 0 the angle is 0, and nothing may change there."
)
rotary.slip("first_position_is_one", angles=partial(_angles, first=1)).says(
    "You count positions from 1. The first one is 0, so it is not turned at all."
)
rotary.slip("one_speed_for_all", angles=partial(_angles, speed=lambda i, half: torch.ones(half))).says(
    "All pairs turn at the same speed. Pair i turns by 10000^(-2 i / D) radians per position."
)
rotary.slip("half_the_exponent", angles=partial(_angles, speed=lambda i, half: BASE ** -(i / (2 * half)))).says(
    "The exponent is -2 i / D, with i from 0 to D / 2 - 1. You divided i by D, without the 2."
)
rotary.slip("exponent_positive", angles=partial(_angles, speed=lambda i, half: BASE ** (i / half))).says(
    "Later pairs turn faster and faster. The exponent is negative: pair 0 is the fastest."
)
rotary.slip("speeds_in_reverse", angles=lambda *size: _angles(*size).flip(-1)).says(
    "The speeds stand in reverse order. Pair 0 is the fastest, with 1 radian per position."
)
rotary.slip(
    "neighbours_paired",
    split=lambda x: (x[..., ::2], x[..., 1::2]),
    join=lambda a, b: torch.stack([a, b], -1).flatten(-2),
).says("You paired neighbours, channels 2 i and 2 i + 1. Some models do. Here channel i belongs to channel i + D / 2.")
rotary.slip("halves_swapped", join=lambda a, b: torch.cat([b, a], -1)).says(
    "The two halves came back in the other order: first all first channels, then all second ones."
)
rotary.slip("interleaved_at_the_end", join=lambda a, b: torch.stack([a, b], -1).flatten(-2)).says(
    "The pairs are turned right, and put back in another order: one of each in turn. First come all first channels, then all second ones."
)
rotary.slip("added_to_the_input", keep=1).says("The turned vectors were added to x. They replace it.")
rotary.slip("only_cosine", down=0, up=0).says(
    "Each channel was only scaled by a cosine. A turn mixes the two of a pair."
)


@rotary.mistake(
    "You turned along another axis. Positions are the last axis but one: x.shape[-2] of them, whatever stands before."
)
def along_the_first_axis(x):
    return rotary.variant(axis=0)(x) if x.dim() > 2 else rotary.reference(x)


# --- 11.3 the block -----------------------------------------------------------------------------------------------


@lesson.exercise(points=2, hint="The stream x is only ever added to. Each part reads a normalised copy of it.")
def block(x, attend, w_up, w_down):
    """The stream x (…, T, C) after `attend`, a function, and two matrices: w_up (4C, C), w_down (C, 4C)."""
    x = x + attend(_norm(x))
    return x + F.linear(F.linear(_norm(x), w_up).relu(), w_down)


def _norm(x: Tensor, axis: int | None = -1, root: Callable[[Tensor], Tensor] = torch.sqrt) -> Tensor:
    return x / root(x.square().mean(axis, keepdim=True))


@block.cases
def _(rng):
    up, down = 5 * EYE, EYE
    yield torch.tensor([[2.0, 2.0]]), {"mix": torch.ones(1, 1)}, up, down  # by hand: (3, 3), then (8, 8)
    yield torch.tensor([[[1.0, 7.0]], [[7.0, 1.0]]]), {"mix": torch.ones(1, 1)}, up, down  # two texts of one position
    mix = torch.tensor([[1.0, 0.0], [3.0, 0.0]])
    yield torch.tensor([[2.0, 2.0], [4.0, -4.0]]), {"mix": mix}, up, down  # (3, 3), (7, -1), then (8, 8), (14, -1)
    yield torch.tensor([[2.0, 2.0]]), {"mix": torch.ones(1, 1)}, up, -down  # what is taken away stays taken away
    for *texts, time, width in [(2, 3), (3, 2), (2, 4, 3), (2, 2, 3, 4)]:
        x = 10 * normal(rng, *texts, time, width) + 3  # so large that no usual eps in the norm can be seen
        up, down = normal(rng, 4 * width, width), normal(rng, width, 4 * width)
        yield x, {"mix": normal(rng, time, time).tril()}, up, down


@block.ask
def _(answer, x, attend, w_up, w_down):
    """`attend` mixes positions with fixed weights."""

    def mixing(stream):
        return attend["mix"].to(stream) @ stream

    return answer(x, mixing, w_up, w_down)


def two_steps(x, attend, think, reads=(_norm, _norm), keep=(1, 1), stream=_as_it_is, after=_as_it_is, order=1):
    """The stream (…, T, C) after two functions of (…, T, C), with the switches of the block."""
    for part, read, kept in zip((attend, think)[::order], reads, keep, strict=True):
        x = stream(x)
        x = after(kept * x + part(read(x)))
    return x


def _think(w_up: Tensor, w_down: Tensor, bend: Callable = torch.relu, end: Callable = _as_it_is) -> Callable:
    return lambda x: end(bend(x @ w_up.T) @ w_down.T)


@block.recipe
def _(x, attend, w_up, w_down, think=_think, steps=two_steps):
    return steps(x, attend, think(w_up, w_down))


def _steps(**switches: Any) -> dict[str, Callable]:
    return {"steps": partial(two_steps, **switches)}


BARE = (_as_it_is, _as_it_is)
block.slip("normalised_after_adding", **_steps(reads=BARE, after=_norm)).says(
    "You normalised after adding (post-norm). In this course's block each part reads a normalised copy."
)
block.slip("stream_normalised", **_steps(stream=_norm)).says(
    "The stream itself was normalised. Normalise what a part reads, and add to the stream as it was."
)
block.slip("residuals_missing", **_steps(keep=(0, 0))).says(
    "The parts replace the stream. Add what they return: x + attend(…)."
)
block.slip("first_residual_missing", **_steps(keep=(0, 1))).says(
    "Attention replaces the stream. Add it: x + attend(…)."
)
block.slip("second_residual_missing", **_steps(keep=(1, 0))).says(
    "The feed-forward part replaces the stream. Add what comes out of w_down to it."
)
block.wrong(
    "parts_in_parallel",
    lambda x, attend, w_up, w_down: x + attend(_norm(x)) + _think(w_up, w_down)(_norm(x)),
).says(
    "Both parts read the stream as it came in (a parallel block). Here the feed-forward part reads what attention has added to."
)
block.wrong(
    "old_stream_kept",
    lambda x, attend, w_up, w_down: x + _think(w_up, w_down)(_norm(x + attend(_norm(x)))),
).says("The second residual starts from the old x, so what attention added is lost. Give the first sum a name.")
block.slip("parts_swapped", **_steps(order=-1)).says(
    "The feed-forward part came first. Positions exchange information, then each processes it on its own."
)
block.slip("norm_left_out", **_steps(reads=BARE)).says("Both parts read the bare stream. Each reads a normalised copy.")
block.slip("first_norm_left_out", **_steps(reads=(_as_it_is, _norm))).says(
    "attend reads the bare stream, not a normalised copy."
)
block.slip("second_norm_left_out", **_steps(reads=(_norm, _as_it_is))).says(
    "The feed-forward part reads the bare stream. It reads a normalised copy, too."
)
block.slip("relu_missing", think=partial(_think, bend=_as_it_is)).says(
    "The ReLU is missing. Without it, w_up and w_down are one matrix in two pieces."
)
block.slip("relu_at_the_end", think=partial(_think, bend=_as_it_is, end=torch.relu)).says(
    "The ReLU came after w_down. It stands between the two matrices; what is added may well be negative."
)
block.slip("relu_twice", think=partial(_think, end=torch.relu)).says(
    "There is a second ReLU after w_down. What is added to the stream may well be negative."
)


def _norm_slip(name: str, norm: Callable[[Tensor], Tensor]) -> Mistake:
    return block.slip(name, **_steps(reads=(norm, norm)))


_norm_slip("mean_subtracted", lambda x: F.layer_norm(x, x.shape[-1:])).says(
    "The mean was subtracted: that is layer norm. RMS norm only divides by the root of the mean square."
)
_norm_slip("sum_in_place_of_the_mean", partial(F.normalize, dim=-1)).says(
    "You divided by the root of the *sum* of squares. Take their mean: then the numbers have size 1, however many there are."
)
_norm_slip("root_missing", partial(_norm, root=_as_it_is)).says("The root is missing: you divided by the mean square.")
_norm_slip("norm_over_the_positions", partial(_norm, axis=-2)).says(
    "The norm ran over the positions, so that later ones have a say in earlier ones. Each position has its own: dim=-1."
)
_norm_slip("norm_over_axis_1", partial(_norm, axis=1)).says(
    "The norm ran over axis 1. With several texts that is the positions; the channels come last: dim=-1."
)
_norm_slip("norm_over_everything", partial(_norm, axis=None)).says(
    "One norm was taken over all numbers of x. Each position has its own: mean(-1, keepdim=True)."
)


# --- 11.4 the model -----------------------------------------------------------------------------------------------

LENGTH = 256  # of the longest text that the exercise asks for


@lesson.exercise(
    points=3,
    hint="Embed the tokens, add positions, run the blocks, normalise, and map to one logit for each character.",
    compare=False,
    facts=sequences.Facts,
    seconds=15,
)
def build_transformer(vocabulary, width, heads, layers):
    """A model: tokens (B, T) in, logits (B, T, vocabulary) out, for T up to 256."""
    return Decoder(vocabulary, width, heads, layers)


class Decoder(nn.Module):
    """Embedding, learned positions, blocks, one linear layer: made of the exercises before this one."""

    def __init__(
        self, vocabulary, width, heads, layers,
        attend=causal_attention.reference, arrange=two_steps, inside=4, bend=nn.GELU, places=LENGTH,
        head=nn.Linear, finish=_as_it_is,
    ):  # fmt: skip
        super().__init__()
        self.heads, self.attend, self.arrange, self.finish = heads, attend, arrange, finish
        self.embed, self.places = nn.Embedding(vocabulary, width), nn.Embedding(places, width) if places else None
        self.blocks = nn.ModuleList()
        for _ in range(layers):
            think = nn.Sequential(nn.Linear(width, inside * width), bend(), nn.Linear(inside * width, width))
            look = [nn.Linear(width, rows, bias=False) for rows in (3 * width, width)]
            self.blocks.append(nn.ModuleList([*look, think]))
        self.head = head(width, vocabulary)

    def forward(self, tokens):
        x = self.embed(tokens)  # (B, T, C)
        if self.places:
            x = x + self.places(torch.arange(tokens.shape[1]))
        for parts in self.blocks:
            w_in, w_out, think = parts.children()
            look = partial(self.attend, w_in=w_in.weight, w_out=w_out.weight, heads=self.heads)
            x = self.arrange(x, look, think)
        return self.finish(self.head(_norm(x)))


build_transformer.recipe(Decoder)


@build_transformer.cases
def _(rng):
    yield 5, 8, 2, 1  # with one layer, order is invisible without positions
    yield 65, 12, 3, 2


@build_transformer.ask
def _(answer, vocabulary, width, heads, layers):
    neighbours = {"deeper": (vocabulary, width, heads, layers + 1), "one_head": (vocabulary, width, 1, layers)}
    return sequences.ask(answer, (vocabulary, width, heads, layers), vocabulary, LENGTH, **neighbours)


@build_transformer.measure
def _(sent, vocabulary, width, heads, layers):
    return sequences.measure(sent, vocabulary, LENGTH)


# In the order in which one would repair them: the first that is seen counts.


def _seen_turned(facts, *case):
    B, T, V = facts.expected_shape
    return f"The logits have the shape {(B, V, T)}." if facts.shape == [B, V, T] else None


build_transformer.slip("vocabulary_before_time", seen=_seen_turned, finish=lambda logits: logits.mT).says(
    "Vocabulary and positions have changed places. The logits are (B, T, vocabulary)."
)
build_transformer.slip("too_few_positions", seen=sequences.too_short(LENGTH), places=LENGTH - 1).says(
    "Something is made for shorter texts, positions or a mask: the model takes 256 tokens. Or the embedding has fewer rows than there are characters."
)

build_transformer.slip("last_position_only", seen=sequences.one_position, finish=lambda logits: logits[:, -1]).says(
    "Every position predicts its next character: (B, T, vocabulary)."
)
build_transformer.slip(
    "head_missing",
    seen=lambda facts, V, width, *_: (
        f"Each position got {width} numbers." if facts.shape[-1:] == [width] != [V] else None
    ),
    head=lambda width, vocabulary: nn.Identity(),
).says("The last map is missing: a linear layer makes one logit for each character of these numbers.")
build_transformer.slip(
    "first_position_sees_nothing",
    seen=sequences.not_finite,
    attend=causal_attention.variant(visible=lambda ones: ones.tril(-1)),
).says(
    "A position that may see nothing, not even itself, has nothing to share out: the diagonal of the mask stays visible."
)
models.form(build_transformer, "class_returned", "pair_returned", "layer_left_out")
models.usual(build_transformer, "same_for_all")
build_transformer.wrong(
    "width_not_handed_on",
    lambda vocabulary, width, heads, layers: Decoder(vocabulary, 48, heads, layers),
    seen=sequences.without_width(lambda vocabulary, width, *_: width),
).says("The model is not `width` wide. Hand it on to every part.")
build_transformer.slip(
    "feed_forward_of_another_width",
    seen=sequences.without_width(lambda vocabulary, width, *_: 4 * width),
    inside=2,
).says(
    "The feed-forward part is 4 × `width` wide: nn.Linear(width, 4 * width), a nonlinearity, nn.Linear(4 * width, width)."
)


def _seen_few_weights(facts, vocabulary, width, *_):
    if facts.added < 10 * width**2:
        return f"One more layer adds {facts.added:,} parameters. A block has about {12 * width**2:,}."


@build_transformer.mistake(
    "One more layer adds no weights of its own, or not all. Is `layers` used? `[block] * layers` is one block, listed many times, and a plain list hides its blocks from model.parameters(). Make a new one for each layer, in nn.Sequential or nn.ModuleList.",
    seen=_seen_few_weights,
)
def layer_without_weights(vocabulary, width, heads, layers):
    model = Decoder(vocabulary, width, heads, 1)
    model.blocks = nn.ModuleList([model.blocks[0]] * layers)
    return model


@build_transformer.mistake(
    "Several blocks use the same weights. Each has its own: make all of them again for each layer.",
    seen=sequences.shares_weights,
)
def weights_shared_by_blocks(vocabulary, width, heads, layers):
    model = Decoder(vocabulary, width, heads, layers)
    _, w_out, _ = model.blocks[0].children()
    for parts in model.blocks:
        parts.add_module("1", w_out)
    return model


models.usual(build_transformer, "softmax_at_the_end", "log_softmax_at_the_end", "dropout_never_off")
build_transformer.slip(
    "batch_and_time_swapped",
    seen=models.USUAL["depends_on_the_batch"].seen,
    attend=lambda x, **others: causal_attention.reference(x.transpose(0, 1), **others).transpose(0, 1),
).says(
    "The texts of a batch attend to each other, or are normalised together. torch's attention layers want batch_first=True."
)
build_transformer.slip(
    "model_sees_the_future", seen=sequences.looks_ahead, attend=causal_attention.variant(visible=_as_it_is)
).says(
    "The future is visible. Every attention layer needs the causal mask, in every block. A norm over positions lets it through, too."
)
build_transformer.slip(
    "attention_missing",
    seen=sequences.attends_to_nothing,
    attend=causal_attention.variant(visible=lambda ones: ones.tril().triu()),
).says(
    "Each position attends to all before it. Here attention is missing, its result goes nowhere, or its mask hides too much."
)

build_transformer.slip(
    "mean_of_the_past",
    seen=sequences.shares_evenly,
    attend=causal_attention.variant(look=partial(_look, root=lambda D, C: math.inf)),
).says(
    "Every position takes the plain mean of what it sees. Queries and keys make the weights: the scores are q · k, of each pair."
)


def _by_distance(scores: Tensor) -> Tensor:
    """Scores of places alone: the nearer, the higher."""
    places = torch.arange(scores.shape[-1])
    return 0 * scores + places


build_transformer.slip(
    "weights_without_words",
    seen=sequences.looks_at_no_words,
    attend=causal_attention.variant(
        look=lambda *parts, mask: _look(*parts, mask=lambda scores: mask(_by_distance(scores)))
    ),
).says(
    "What a position reads is to depend on the words: on its own, by the query, and on each that it may read, by the key. Weights that come from places, or from one of the two, are the same whatever the others say. Some are, too, where a reshape cuts across positions: split (B, T, C) into (B, T, heads, D), then transpose."
)


def _seen_other_heads(facts, vocabulary, width, heads, layers):
    here, there = facts.softmaxed["short"], facts.softmaxed["one_head"]
    if here != heads * there:
        return f"With {heads} heads it has {here} attention weights that look at the words, with one head {there}."


build_transformer.slip(
    "heads_not_handed_on",
    seen=_seen_other_heads,
    attend=causal_attention.variant(look=partial(_look, split=lambda part, heads: _split(part, 1))),
).says("The number of heads is not the one that was asked for. Hand `heads` on to every block.")


def _seen_other_blocks(facts, vocabulary, width, heads, layers):
    here, there = facts.softmaxed["short"], facts.softmaxed["deeper"]
    if here * (layers + 1) != there * layers:
        return f"With layers={layers} {here} attention weights look at the words, with layers={layers + 1} {there}."


build_transformer.wrong(
    "number_of_blocks",
    lambda vocabulary, width, heads, layers: Decoder(vocabulary, width, heads, layers + 1),
    seen=_seen_other_blocks,
).says("The number of blocks is not `layers`: range(layers) counts as many.")


def _seen_straight(facts, vocabulary, width, heads, layers):
    here, there = (facts.bent[name].count(4 * width) for name in ("short", "deeper"))
    if here < layers or there <= here:
        return f"Not in every block does a nonlinearity take the {4 * width} numbers inside the feed-forward part."


build_transformer.slip("feed_forward_without_nonlinearity", seen=_seen_straight, bend=nn.Identity).says(
    "Two matrices in a row are one matrix. A nonlinearity stands between them, such as GELU or ReLU."
)
build_transformer.slip(
    "residual_missing", seen=sequences.has_no_way_past, arrange=partial(two_steps, keep=(0, 1))
).says(
    "A part replaces the stream. Attention and feed-forward are both *added* to it: x + attend(…), then x + feed_forward(…)."
)
build_transformer.slip("positions_missing", seen=sequences.ignores_order, places=0).says(
    "The model does not know the order of its tokens. Add a vector for each position to the embeddings, or rotate queries and keys. If you rotate them: `rotary` counts positions along the last axis but one, so transpose to (B, heads, T, D) first."
)
build_transformer.finding(sequences.rests_on_the_end)

# --- 11.5 an LSTM of the same size --------------------------------------------------------------------------------


@lesson.exercise(
    points=1,
    hint="Count the three parts: an embedding, four gates with two matrices and two biases each, a linear layer.",
)
def lstm_width(budget, vocabulary):
    """Units of the widest LSTM that at most `budget` parameters pay for, a whole number; 1 or more in all cases."""
    linear = 2 * vocabulary + 8  # 8 C² + linear C + vocabulary <= budget
    return (math.isqrt(linear**2 + 32 * (budget - vocabulary)) - linear) // 16


def _parameters(vocabulary, width, gates=4, matrices=2, biases=2, embedding=1, head=1, head_bias=1) -> int:
    """Of all three parts; how many there are of each kind."""
    ends = (embedding + head) * vocabulary * width + head_bias * vocabulary
    return ends + gates * width * (matrices * width + biases)


def _fraction(budget: int, vocabulary: int) -> float:
    linear = 2 * vocabulary + 8
    return (math.sqrt(linear**2 + 32 * (budget - vocabulary)) - linear) / 16


@lstm_width.cases
def _(rng):
    """On both sides of each boundary. Nearly all are narrow, so that an answer which builds models is quick enough."""
    yield 22, 2  # by hand: 4 + 4 (1 + 1 + 2) + 2
    yield 57, 2
    yield 58, 2
    yield 62_000, 65
    yield 500_000, 90
    yield 1_880, 100  # what the embedding and an LSTM of 10 units cost
    yield _parameters(100, 10, biases=0), 100
    yield _parameters(100, 10) + 240, 100  # more than half of what one unit more would cost
    for _ in range(8):
        vocabulary, width = int(rng.integers(2, 120)), int(rng.integers(2, 40))
        exact = _parameters(vocabulary, width)
        yield exact, vocabulary
        yield exact - 1, vocabulary
        yield exact + int(rng.integers(0, 16 * width)), vocabulary


@lstm_width.recipe
def _(budget, vocabulary, cost=_parameters, spare=0):
    width = 0
    while cost(vocabulary, width + 1) <= budget - spare:
        width += 1
    return width


def _counted(name: str, **counts: int) -> Mistake:
    return lstm_width.slip(name, cost=partial(_parameters, **counts))


_counted("one_bias", biases=1).says("torch has two biases for each gate and unit, one beside each matrix.")
_counted("no_bias", biases=0).says("You left the gates' biases out. torch has two for each gate and unit.")
_counted("three_gates", gates=3).says("You counted three gates. An LSTM has four: input, forget, candidate and output.")
_counted("one_gate", gates=1).says("You counted one gate. There are four, each with both matrices and both biases.")
_counted("one_matrix", matrices=1).says("Each gate has two matrices, both C × C here: for the input and the state.")
_counted("embedding_left_out", embedding=0).says("You left the embedding out: C numbers for each character.")
_counted("head_left_out", head=0, head_bias=0).says(
    "The linear layer is missing: C weights and a bias for each character."
)
_counted("bias_of_the_head_left_out", head_bias=0).says("The last layer has biases too: one for each character.")
_counted("lstm_alone", embedding=0, head=0, head_bias=0).says(
    "The LSTM alone was counted. The embedding before it and the linear layer behind it are parameters too."
)
lstm_width.slip("exact_budget_refused", spare=1).says("A budget may be spent to the last parameter: <=, not <.")


def _from_fraction(whole: Callable[[float], float]) -> Callable:
    return lambda budget, vocabulary: whole(_fraction(budget, vocabulary))


lstm_width.wrong("one_too_wide", _from_fraction(lambda width: int(width) + 1)).says(
    "Your width is one too large: that LSTM costs more than the budget."
)
lstm_width.wrong("rounded_up", _from_fraction(math.ceil)).says("You rounded up, which costs more than the budget.")
lstm_width.wrong("rounded_to_the_nearest", _from_fraction(round)).says("You rounded to the nearest: round down.")
lstm_width.wrong("fractional_width", _fraction).says("A fraction of a unit cannot be built: round down.")


# --- 11.6 attention with a cache ----------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="One query, and a key and a value more than before. Nothing needs a mask: the future is not there yet.",
    returns=("output", "keys", "values"),
)
def cached_attention(x, keys, values, w_in, w_out, heads):
    """The output (C,) at a new position x (C,), and keys and values (n, C) with its own as one row more, (n + 1, C)."""
    q, k, v = (x @ w_in.T).chunk(3)
    keys, values = torch.cat([keys, k[None]]), torch.cat([values, v[None]])
    query, key, value = (_split(part, heads) for part in (q[None], keys, values))  # (H, 1 or n + 1, D)
    z = F.scaled_dot_product_attention(query, key, value)
    return z.flatten() @ w_out.T, keys, values


@cached_attention.cases
def _(rng):
    turn = torch.tensor([[1.0, 1.0], [0.0, 1.0]])
    yield torch.tensor([1.0, 2.0]), torch.zeros(0, 2), torch.zeros(0, 2), THIRDS, turn, 1  # itself alone: (8, 6)
    yield torch.tensor([0.0, 1.0]), EYE[:1], EYE[:1], EYE.repeat(3, 1), EYE, 1
    yield torch.tensor([2.0, 1.0]), EYE[:1], 3 * EYE[:1], THIRDS, EYE, 1
    yield torch.tensor([2.0, 1.0]), EYE[:1], 3 * EYE[:1], THIRDS, EYE, 2
    for seen, heads, size in [(1, 1, 3), (2, 2, 2), (3, 2, 3), (4, 3, 2), (6, 2, 2)]:
        width = heads * size
        cache = normal(rng, seen, width), normal(rng, seen, width)
        yield normal(rng, width), *cache, normal(rng, 3 * width, width), normal(rng, width, width), heads


def _appended(rows: Tensor, new: Tensor) -> Tensor:
    return torch.cat([rows, new[None]])


@cached_attention.recipe
def _(
    x, keys, values, w_in, w_out, heads,
    order=(0, 1, 2), store=lambda x, k, v: (k, v), append=_appended, visible=slice(None), look=_look, leave=_as_it_is,
    leave_pair=lambda keys, values: (keys, values),
):  # fmt: skip
    parts = (x @ w_in.T).chunk(3)
    q, k, v = (parts[index] for index in order)
    longer = [append(rows, new) for rows, new in zip((keys, values), store(x, k, v), strict=True)]
    output = look(q[None], *(rows[visible] for rows in longer), heads, w_out)[0]
    return output, *leave_pair(*map(leave, longer))


cached_attention.slip("new_position_left_out", visible=slice(0, -1)).says(
    "The new position looks at the cache before it has joined it, so it cannot see itself. Append its key and value first."
)
cached_attention.slip("cache_not_read", visible=slice(-1, None)).says(
    "The position attends to itself alone: the cache that came in is not read."
)
cached_attention.slip("cache_not_grown", leave=lambda rows: rows[:-1]).says(
    "The output is right and the cache is the old one. Return keys and values with the new row at the end."
)
cached_attention.slip("old_rows_dropped", leave=lambda rows: rows[-1:]).says(
    "The cache forgets: return all keys and values, the old ones and the new one."
)
cached_attention.slip("new_row_in_front", append=lambda rows, new: torch.cat([new[None], rows])).says(
    "The new row stands at the front of the cache. Time goes on: append it at the end."
)
cached_attention.slip(
    "causal_with_one_query", look=lambda q, k, v, heads, w_out: _look(q, k[:1], v[:1], heads, w_out)
).says(
    "The new position sees the first row of the cache alone: with one query, is_causal=True lines it up with the first key. It may see every row, so it needs no mask."
)
cached_attention.slip("cache_swapped", leave_pair=lambda keys, values: (values, keys)).says(
    "Keys and values came back in the other order. Return (output, keys, values)."
)
cached_attention.slip("inputs_stored", store=lambda x, k, v: (x, x)).says(
    "You stored x itself. The cache holds its key and its value: x times `w_in`, cut in three."
)

# --- what goes wrong in attention with and without a cache ---

ORDER = "The first third of `w_in` is for queries, the second for keys, the last for values."
for exercise in (causal_attention, cached_attention):
    exercise.slip("queries_and_keys_swapped", order=(1, 0, 2)).says(f"Queries and keys have changed places. {ORDER}")
    exercise.slip("keys_and_values_swapped", order=(0, 2, 1)).says(f"Keys and values have changed places. {ORDER}")
    exercise.slip("scale_missing", look=partial(_look, root=lambda D, C: 1)).says(
        "√D is missing: divide the scores by the square root of the size of one head."
    )
    exercise.slip("scaled_by_the_width", look=partial(_look, root=lambda D, C: math.sqrt(C))).says(
        "You divided by √C, the whole width. The dot product runs over one head, so divide by √D."
    )
    exercise.slip("scaled_without_root", look=partial(_look, root=lambda D, C: D)).says(
        "You divided by D. Divide by its square root: that is how large a sum of D products gets."
    )
    exercise.slip("softmax_over_the_heads", look=partial(_look, over=-3)).says(
        "The softmax ran over the heads. Each head shares out a weight of 1 among the keys: the last axis, dim=-1."
    )
    exercise.slip("heads_ignored", look=partial(_look, split=lambda part, heads: _split(part, 1))).says(
        "You used one head, whatever `heads` says. Each head compares a piece of its own, C / heads numbers wide."
    )
    exercise.slip("output_not_transposed", look=partial(_look, out=_as_it_is)).says(
        "`w_out` needs a transpose, as in nn.Linear: its rows belong to the outputs, so it is z @ w_out.T."
    )
    exercise.slip("output_projection_missing", look=partial(_look, out=lambda w_out: torch.eye(len(w_out)))).says(
        "The last step is missing: when the heads are side by side again, multiply with w_out.T."
    )
