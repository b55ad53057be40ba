"""Exercises of lesson 10: the scaled dot product, who sees whom, a test for leaks, several heads, sinusoids.

Shapes: B texts, T queries, S keys, C channels, H heads of D = C / H channels each.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from utils.checking import Lesson, normal

lesson = Lesson("10", __name__)


def _as_it_is(x: Tensor) -> Tensor:
    return x


# --- 10.1 the scaled dot product ------------------------------------------------------------------------------------


@lesson.exercise(
    points=3,
    returns=("z", "alpha"),
    hint="Scores for all pairs, divided by the root of d_k; -inf where a key is hidden; a softmax over the keys; a weighted sum of the values. And a row that sees nothing has only zeros.",
)
def scaled_dot_product(q, k, v, visible):
    """q (…, T, d_k), k (…, S, d_k), v (…, S, d_v), visible (…, T, S) of booleans; z (…, T, d_v), alpha (…, T, S)."""
    identity = torch.eye(k.shape[-2]).expand(*k.shape[:-2], -1, -1)  # values that say which key they belong to
    looked = (F.scaled_dot_product_attention(q, k, values, visible) for values in (v, identity))
    return tuple(found.nan_to_num(0.0) for found in looked)  # before torch 2.5, a query that sees nothing gives nan


@scaled_dot_product.cases
def _(rng):
    def one(*rows):
        return torch.tensor(rows).float()

    every = torch.ones(1, 2).bool()
    first, last = torch.tensor([[True, False]]), torch.tensor([[False, True]])
    zero, values = torch.zeros(2, 1), one([2], [4])
    yield dict(q=one([1]), k=zero, v=values, visible=every)  # by hand: both alike, so 3
    yield dict(q=one([1]), k=zero, v=values, visible=last)  # 4
    yield dict(q=one([1]), k=zero, v=values, visible=~every)  # nothing to see: 0
    yield dict(q=one([1]), k=one([0], [1]), v=values, visible=every)  # d_k = 1: the root is 1
    yield dict(q=one([2, 0, 0, 0]), k=one([0, 0, 0, 0], [1, 0, 0, 0]), v=values, visible=every)  # a score of 1
    yield dict(q=one([1], [1]), k=one([0], [2]), v=one([1, 0, 0], [0, 1, 0]), visible=torch.cat([every, first]))
    yield dict(q=one([1], [3]), k=one([0], [1]), v=one([1, 0, 0, 0], [0, 1, 0, 0]), visible=torch.cat([last, ~every]))
    for shape, of_mask in (((), ()), ((3,), (3,)), ((2, 3), ()), ((2, 3), (2, 1)), ((2, 2), (1, 2))):
        T, S, d_k, d_v = (int(rng.integers(2, 5)) for _ in range(4))
        visible = torch.from_numpy(rng.random((*of_mask, T, S)) < 0.6)
        visible[..., 0, :] = False  # one row sees nothing
        yield normal(rng, *shape, T, d_k), normal(rng, *shape, S, d_k), normal(rng, *shape, S, d_v), visible


@scaled_dot_product.recipe
def _(
    q, k, v, visible,
    root=lambda q, k, v: math.sqrt(q.shape[-1]), hidden=-math.inf, shown=_as_it_is, over=-1, empty=0.0,
    give=lambda z, alpha: (z, alpha), mixed=lambda k, v: v,
):  # fmt: skip
    visible = shown(visible)
    alpha = (q @ k.mT / root(q, k, v)).masked_fill(~visible, hidden).softmax(over)
    alpha = alpha if empty is None else alpha.masked_fill(~visible.any(-1, keepdim=True), empty)
    return give(alpha @ mixed(k, v), alpha)


scaled_dot_product.slip("nothing_visible_is_nan", empty=None).says(
    "A query that sees nothing gives nan: a softmax over nothing but -inf is 0 / 0. Set the weights of such a row to 0, with nan_to_num or masked_fill."
)
scaled_dot_product.slip("nothing_visible_is_everything", hidden=-1e9, empty=None).says(
    "A query that sees nothing has shared its weight among all keys. That is what a large negative number does instead of -inf where every score has it. Set such a row to 0."
)
scaled_dot_product.slip("weights_first", give=lambda z, alpha: (alpha, z)).says(
    "You returned the weights first. The order is z, alpha."
)
scaled_dot_product.slip("keys_mixed", mixed=lambda k, v: k).says(
    "You mixed the keys. The keys decide the weights; what is mixed with them are the values v."
)
scaled_dot_product.slip("mask_ignored", shown=torch.ones_like).says(
    "The mask has no effect. Where visible is False, set the score to -inf before the softmax, so that the weight is 0."
)
AND_EMPTY = " After that, look at the queries that see nothing: their weights and z are 0."
for _also, _empty, _more in (("", 0.0, ""), ("_and_empty_rows", None, AND_EMPTY)):
    for _name, _root, _sentence in (
        ("root_missing", lambda q, k, v: 1, "The root is missing. Divide the scores by the square root of d_k."),
        ("divided_by_d_k", lambda q, k, v: q.shape[-1], "You divided by d_k. Divide by its square root."),
        (
            "root_of_the_keys",
            lambda q, k, v: math.sqrt(k.shape[-2]),
            "You divided by the root of the number of keys. It is the root of d_k, of how many numbers a key has: k.shape[-1].",
        ),
        (
            "root_of_the_values",
            lambda q, k, v: math.sqrt(v.shape[-1]),
            "You divided by the root of d_v. A score is a sum over the d_k numbers of query and key: q.shape[-1].",
        ),
        ("times_the_root", lambda q, k, v: q.shape[-1] ** -0.5, "You multiplied by the root of d_k. Divide by it."),
    ):
        scaled_dot_product.slip(f"{_name}{_also}", root=_root, empty=_empty).says(_sentence + _more)
    scaled_dot_product.slip(f"mask_inverted{_also}", shown=torch.logical_not, empty=_empty).says(
        "You hid what may be seen. Here True means: may be seen. masked_fill fills where its mask is True, so give it ~visible."
        + _more
    )
    scaled_dot_product.slip(f"masked_with_zero{_also}", hidden=0.0, empty=_empty).says(
        "You set hidden scores to 0. A score of 0 gets the weight e⁰ = 1 before the sum is divided. It takes -inf to get the weight 0."
        + _more
    )
    scaled_dot_product.slip(f"softmax_over_queries{_also}", over=-2, empty=_empty).says(
        "The softmax ran over the queries. Each query shares out a weight of 1 among the keys: the last axis, dim=-1."
        + _more
    )


@scaled_dot_product.mistake(
    "The mask came after the softmax, so the weights of a row no longer sum to 1. Mask the scores, then take the softmax."
)
def mask_after_softmax(q, k, v, visible):
    alpha = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1) * visible
    return alpha @ v, alpha


# --- 10.2 who sees whom -----------------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="Three conditions on the pair (i, j), joined by &: the same document, no padding, and j not after i if causal. Compare a column of documents with a row of them.",
)
def who_sees_whom(documents, causal):
    """Document numbers (B, T), 0 for padding: booleans (B, 1, T, T), True where position i may look at position j."""
    rows = [
        [[a == b != 0 and (j <= i or not causal) for j, b in enumerate(row)] for i, a in enumerate(row)]
        for row in documents.tolist()
    ]
    return torch.tensor(rows)[:, None]


@who_sees_whom.cases
def _(rng):
    for documents in ([1, 1], [1, 0], [1, 2], [1, 1, 2], [1, 2, 0], [1, 1, 0, 0], [1, 1, 2, 2, 0]):
        for causal in (False, True):
            yield dict(documents=torch.tensor([documents]), causal=causal)
    yield dict(documents=torch.tensor([[1, 1], [1, 0]]), causal=True)
    yield dict(documents=torch.tensor([[1, 1, 1]]), causal=True)  # more than one place lies ahead
    yield dict(documents=torch.tensor([[2, 2, 1]]), causal=True)  # a number is only a name
    for documents in ([1, 2, 1], [1, 0, 1], [2, 1, 1, 2]):  # one text in two pieces
        yield dict(documents=torch.tensor([documents]), causal=False)
    for _ in range(8):
        B, T = int(rng.integers(2, 4)), int(rng.integers(3, 7))
        rows = [sorted(rng.integers(1, 4, T).tolist()) for _ in range(B)]
        documents = torch.tensor(rows)
        for row, padding in enumerate(rng.integers(0, T - 1, B)):
            documents[row, T - int(padding) :] = 0
        yield dict(documents=documents, causal=bool(rng.integers(2)))


@who_sees_whom.recipe
def _(
    documents, causal,
    same=torch.eq, real=lambda i, j: (i != 0) & (j != 0), past=torch.tril, when=_as_it_is, called=_as_it_is,
    form=lambda seen: seen[:, None], turn=_as_it_is,
):  # fmt: skip
    i, j = documents[:, :, None], documents[:, None, :]
    names = called(documents)
    seen = same(names[:, :, None], names[:, None, :]) & real(i, j)
    if when(causal):
        seen = seen & past(torch.ones(seen.shape[1:], dtype=torch.bool))
    return form(turn(seen))


def _everything(i: Tensor, j: Tensor) -> Tensor:
    return (i == i) & (j == j)


who_sees_whom.slip("padding_sees_padding", real=_everything).says(
    "Padding looks at padding: 0 equals 0. A position of padding looks at nobody, and nobody looks at it."
)
who_sees_whom.slip("documents_mixed", same=_everything).says(
    "Positions look into other documents. Only those with the same number may see each other."
)
who_sees_whom.slip("padding_looks", same=_everything, real=lambda i, j: _everything(i, j) & (j != 0)).says(
    "Padding is hidden as a key, but it still looks, and documents are mixed. Compare the two document numbers as well."
)
who_sees_whom.slip("everything_visible", same=_everything, real=_everything).says(
    "The documents make no difference. Position i may look at j only where both have the same number, and not 0."
)
who_sees_whom.slip("earlier_documents_visible", same=torch.ge).says(
    "You compared with >=, so that a position sees the documents with smaller numbers too. The numbers must be equal."
)
who_sees_whom.slip(
    "runs_counted", called=lambda documents: (documents.diff(prepend=documents[:, :1]) != 0).cumsum(1)
).says(
    "You numbered the runs of equal numbers. Positions with the same number see each other wherever they stand, also with another text or padding between them."
)
who_sees_whom.slip("always_causal", when=lambda causal: True).says(
    "Your mask is always causal. With causal=False a position sees its whole document, later positions too."
)
who_sees_whom.slip("never_causal", when=lambda causal: False).says(
    "With causal=True, position i sees only positions j <= i: multiply by torch.tril of ones, or compare places."
)
who_sees_whom.slip("causal_the_other_way", when=lambda causal: not causal).says(
    "It is causal where it should not be, and the other way round."
)
who_sees_whom.slip("past_hidden", past=torch.triu).says(
    "Your triangle is upside down: row i is who looks, column j who is looked at, and j <= i stays. That is tril."
)
who_sees_whom.slip("itself_hidden", past=lambda ones: ones.tril(-1)).says(
    "With causal=True a position may still see itself: the diagonal stays."
)
who_sees_whom.slip("next_one_visible", past=lambda ones: ones.tril(1)).says(
    "With causal=True each position sees the next one too: tril(), not tril(1)."
)
who_sees_whom.slip("inverted", turn=torch.logical_not).says(
    "Your mask is True where something is hidden, as nn.MultiheadAttention wants it. Here, as in F.scaled_dot_product_attention, True means: may be seen."
)
who_sees_whom.slip("heads_forgotten", form=_as_it_is).says(
    "The axis for the heads is missing: (B, 1, T, T). Against scores (B, H, T, T), a mask (B, T, T) would count texts as heads. Write mask[:, None]."
)
who_sees_whom.slip("heads_in_front", form=lambda seen: seen[None]).says(
    "The axis for the heads stands in front. It comes after the texts: (B, 1, T, T), mask[:, None]."
)
who_sees_whom.slip("as_numbers", form=lambda seen: seen[:, None].float()).says(
    "You returned numbers. The mask is of booleans: leave out .float(), or compare with > 0."
)
who_sees_whom.slip(
    "as_scores", form=lambda seen: torch.zeros(seen.shape)[:, None].masked_fill(~seen[:, None], -math.inf)
).says("You returned 0 and -inf, to be added to the scores. The mask is of booleans: True where i may look at j.")

# --- 10.3 a test for leaks ----------------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="For each output position take the gradient of each of its numbers by x, and find the last row of x that is not zero in any of them.",
)
def reads_ahead(model, x):
    """How far ahead each output of `model`, (T, C) to (T, C_out), sees: T whole numbers, 0 for one that sees no later."""
    jacobian: Tensor = torch.autograd.functional.jacobian(model, x)  # pyright: ignore[reportAssignmentType]
    return [max([0, *(j - i for j in range(i, len(x)) if jacobian[i, :, j].any())]) for i in range(len(x))]


class Mixer:
    """A model whose influences are known: x (T, C) to (T, C_out), by a matrix of places and one of channels."""

    def __init__(self, places: Tensor, channels: Tensor, end: str):
        self.places, self.channels, self.end = places, channels, end

    def __call__(self, x: Tensor) -> Tensor:
        y = torch.sin(self.places.to(x) @ x) @ self.channels.to(x)
        ends = {"softmax": lambda: y.softmax(-1), "relu": y.relu}
        return ends[self.end]() if self.end else y


def _mixer(places, channels=((1.0,),), end: str = "") -> dict:
    return {"places": torch.as_tensor(places).float(), "channels": torch.as_tensor(channels).float(), "end": end}


@reads_ahead.cases
def _(rng):
    def inputs(T: int, C: int = 1) -> Tensor:
        return torch.arange(T * C).reshape(T, C) / 8

    yield _mixer([[1, 0], [1, 1]]), inputs(2)
    yield _mixer([[1, 1], [1, 1]]), inputs(2)
    yield _mixer([[1, -1], [1, 1]]), inputs(2)
    yield _mixer([[0, 0], [0, 0]]), inputs(2)  # it looks at nothing at all
    yield _mixer([[0, 1], [0, 1]], [[1, -1]]), inputs(2)  # the two channels of each output sum to 0
    yield _mixer([[0, 1], [0, 1]], [[1, 2]], "softmax"), inputs(2)  # and here always to 1
    yield _mixer([[1, 1], [1, 1]], [[0], [1]]), inputs(2, 2)  # nothing comes from the first channel
    yield _mixer([[1, 1], [1, 1]], [[0, 1]]), inputs(2)  # the first channel of each output is constant
    yield _mixer([[1, 1], [1, 1]], [[1, 0]]), inputs(2)  # here the last one
    yield _mixer([[1, 1], [1, 1]], [[1], [-1]]), torch.ones(2, 2) / 8  # gradients by the two channels cancel
    yield _mixer([[1, 1e-7], [1, 1]]), inputs(2)  # a small leak is a leak
    yield _mixer([[1, 0, 0], [1, 1, 0], [1, 1, 1]]), inputs(3)
    yield _mixer([[1, 0, 1], [1, 1, 0], [1, 1, 1]]), inputs(3)  # one far ahead, not the one between
    yield _mixer([[1, 1, -1], [1, 1, 0], [1, 1, 1]]), inputs(3)
    next_ones = torch.eye(4) + torch.eye(4).roll(1, 1).triu()  # each sees itself and the next one
    yield _mixer(next_ones, [[-1]], "relu"), inputs(4) + 1 / 8  # at this x every ReLU is shut, elsewhere it need not be
    yield _mixer(next_ones, [[-1]], "relu"), -inputs(4) - 1 / 8  # and here every one is open
    for lift in (0, 1, 2, -1, 4):
        T, C, outputs = 5, int(rng.integers(1, 4)), int(rng.integers(1, 4))
        places = torch.from_numpy(rng.choice([-1.0, -0.5, 0.5, 1.0], (T, T))).float().tril(lift)
        end = "softmax" if outputs > 1 and lift % 2 else ""
        yield _mixer(places, normal(rng, C, outputs), end), normal(rng, T, C) / 2


@reads_ahead.ask
def _(answer, model, x):
    return answer(Mixer(**model), x)


@reads_ahead.recipe
def _(
    model, x,
    parts=lambda y: y.unbind(-1), strength=lambda g: g.abs().amax(-1), of=lambda y, i: y[i],
    far=lambda i, j: j - i, among=lambda i, T: range(i + 1, T), count=lambda found: max([0, *found]),
):  # fmt: skip
    model = model if callable(model) else Mixer(**model)
    x = x.detach().clone().requires_grad_()
    y = model(x)
    found = []
    for i in range(len(x)):
        gradients = [torch.autograd.grad(part, x, retain_graph=True)[0] for part in parts(of(y, i))]
        seen = torch.stack([strength(gradient) for gradient in gradients]).amax(0) > 0
        found.append(count([far(i, j) for j in among(i, len(x)) if seen[j]]))
    return found


reads_ahead.slip("channels_summed", parts=lambda y: [y.sum()]).says(
    "You took the gradient of the sum over the channels of an output. There they can cancel: after a softmax the sum is always 1, and its gradient 0. Take each channel on its own, or give them random weights."
)
reads_ahead.slip("first_output_channel", parts=lambda y: [y[0]]).says(
    "You looked at the first channel of each output alone. A leak may be in any of them."
)
reads_ahead.slip("last_output_channel", parts=lambda y: [y[-1]]).says(
    "You looked at the last channel of each output alone. A leak may be in any of them."
)
reads_ahead.slip("first_input_channel", strength=lambda g: g[:, 0].abs()).says(
    "You looked at the gradient of the first channel of the inputs alone. A position is seen if any of its channels is."
)
reads_ahead.slip("signs_kept", strength=lambda g: g.amax(-1)).says(
    "A negative gradient is influence too: compare with != 0, or take the absolute value first."
)
reads_ahead.slip("small_ones_overlooked", strength=lambda g: (g.abs().amax(-1) - 1e-3).relu()).says(
    "You took a small gradient for none. Whatever is not 0 has been seen, and the first leak may be small: compare with != 0, not with a threshold."
)
reads_ahead.slip("input_channels_summed", strength=lambda g: g.sum(-1).abs()).says(
    "You summed the gradient over the channels of an input, where signs can cancel. Take the absolute values first, or any()."
)
reads_ahead.slip("positions_counted", count=len).says(
    "You counted the later positions that are seen. Asked is how far the farthest one is: j - i."
)
reads_ahead.slip("nearest_taken", count=lambda found: min(found, default=0)).says(
    "You took the nearest later position that is seen. Asked is the farthest one."
)
reads_ahead.slip("place_of_the_last", far=lambda i, j: j).says(
    "You returned the place j of the last position that is seen. Asked is how far ahead it is: j - i."
)
reads_ahead.slip("itself_counted", among=range, far=lambda i, j: j - i + 1).says(
    "Your numbers are one too large: the position itself is not ahead. The next one is 1 ahead."
)
reads_ahead.slip("both_sides", among=lambda i, T: range(T), far=lambda i, j: abs(j - i)).says(
    "You looked to both sides. Looking back is allowed; asked is how far AHEAD an output sees."
)
reads_ahead.slip("backwards", among=lambda i, T: range(i), far=lambda i, j: i - j).says(
    "You measured how far BACK an output sees. A leak is a later position, j > i."
)
reads_ahead.slip("yes_or_no", count=lambda found: int(bool(found))).says(
    "You returned 1 for a leak and 0 for none. Asked is how far ahead the output sees."
)
reads_ahead.slip("outputs_up_to_here", of=lambda y, i: y[: i + 1].sum(0)).says(
    "You took all outputs up to i together, so that an early leak is counted again in all later ones. Take output i alone."
)


@reads_ahead.mistake(
    "You looked at the whole output at once, so every position gets the same. Take the outputs one by one."
)
def largest_for_all(model, x):
    found = reads_ahead.variant()(model, x)
    return [max(found)] * len(x)


@reads_ahead.mistake(
    "You return one number for the whole model. Asked is a list with one number for each output position."
)
def one_number(model, x):
    return max(reads_ahead.variant()(model, x))


# --- 10.4 several heads -------------------------------------------------------------------------------------------------


@lesson.exercise(
    points=3,
    returns=("output", "alpha"),
    hint="Queries from x, keys and values from memory, each with its third of the matrix and of the bias. Split into heads, look, put the heads side by side, and one more matrix with its bias.",
)
def multi_head(x, memory, weights, heads, padding):
    """x (B, T, C) looks at memory (B, S, C); padding (B, S), True where ignored. (B, T, C), alpha (B, H, T, S)."""
    output, alpha = F.multi_head_attention_forward(
        x.transpose(0, 1), memory.transpose(0, 1), memory.transpose(0, 1), x.shape[-1], heads,
        weights["in_proj_weight"], weights["in_proj_bias"], None, None, False, 0.0,
        weights["out_proj.weight"], weights["out_proj.bias"],
        key_padding_mask=padding, average_attn_weights=False, training=False,
    )  # fmt: skip
    return output.transpose(0, 1), alpha


@multi_head.cases
def _(rng):
    eye = torch.eye(2)

    def of(C: int, *, thirds=None, in_bias=None, out=None, out_bias=None) -> dict:
        thirds = torch.eye(C).repeat(3, 1) if thirds is None else thirds
        return {
            "in_proj_weight": thirds,
            "in_proj_bias": torch.zeros(3 * C) if in_bias is None else torch.tensor(in_bias).float(),
            "out_proj.weight": torch.eye(C) if out is None else out,
            "out_proj.bias": torch.zeros(C) if out_bias is None else torch.tensor(out_bias).float(),
        }

    one, two = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[0.0, 0.0], [2.0, 4.0]]])
    nothing, second = torch.zeros(1, 2).bool(), torch.tensor([[False, True]])
    none = torch.zeros(3, 2)
    yield one, two, of(2, thirds=torch.cat([none[:2], none[:2], eye])), 1, nothing  # by hand: the mean, (1, 2)
    yield one, two, of(2, thirds=torch.cat([none[:2], none[:2], eye])), 1, second  # the first alone
    yield one, two, of(2, thirds=0 * eye.repeat(3, 1), in_bias=[0, 0, 0, 0, 3, 5]), 1, nothing
    yield one, two, of(2, thirds=0 * eye.repeat(3, 1), out_bias=[3, 5]), 1, nothing
    yield one, two, of(2, out=torch.tensor([[0.0, 1.0], [0.0, 0.0]])), 1, second
    yield one, two, of(2), 2, nothing
    for T, S, H, D in ((2, 3, 1, 2), (3, 3, 2, 2), (2, 4, 2, 3), (3, 2, 3, 2), (4, 3, 2, 2)):
        C = H * D
        weights = {
            "in_proj_weight": normal(rng, 3 * C, C),
            "in_proj_bias": normal(rng, 3 * C),
            "out_proj.weight": normal(rng, C, C),
            "out_proj.bias": normal(rng, C),
        }
        padding = torch.from_numpy(rng.random((2, S)) < 0.4)
        padding[:, int(rng.integers(S))] = False
        yield normal(rng, 2, T, C), normal(rng, 2, S, C), weights, H, padding


def _split(part: Tensor, heads: int) -> Tensor:
    """(B, T, C) to (B, H, T, D)."""
    return part.unflatten(-1, (heads, -1)).transpose(1, 2)


def _merge(z: Tensor) -> Tensor:
    """(B, H, T, D) to (B, T, C)."""
    return z.transpose(1, 2).flatten(2)


@multi_head.recipe
def _(
    x, memory, weights, heads, padding,
    sources=lambda x, memory: (x, memory, memory), order=(0, 1, 2), in_bias=1, out_bias=1, out=torch.t,
    split=_split, merge=_merge, root=lambda D, C: math.sqrt(D), hide=_as_it_is, give=_as_it_is, over=-1,
    rows=lambda w, heads: w, hidden=-math.inf, shown=lambda padding: 1,
):  # fmt: skip
    W, b = rows(weights["in_proj_weight"], heads).chunk(3), rows(weights["in_proj_bias"], heads).chunk(3)
    parts = zip(sources(x, memory), order, strict=True)
    q, k, v = (split(source @ W[third].T + in_bias * b[third], heads) for source, third in parts)
    scores = q @ k.mT / root(q.shape[-1], x.shape[-1])
    alpha = scores.masked_fill(hide(padding)[:, None, None, :], hidden).softmax(over) * shown(padding)
    output = merge(alpha @ v) @ out(weights["out_proj.weight"]) + out_bias * weights["out_proj.bias"]
    return output, give(alpha)


multi_head.slip(
    "heads_without_a_transpose", split=lambda part, heads: part.reshape(len(part), heads, part.shape[1], -1)
).says("Reshaping (B, T, C) to (B, heads, T, D) cuts across positions. Make it (B, T, heads, D), then transpose.")
multi_head.slip("merged_without_a_transpose", merge=lambda z: z.reshape(len(z), z.shape[2], -1)).says(
    "On the way back (B, heads, T, D) was reshaped to (B, T, C), which mixes positions. Transpose to (B, T, heads, D) first."
)
multi_head.slip(
    "no_transpose_at_all",
    split=lambda part, heads: part.reshape(len(part), heads, part.shape[1], -1),
    merge=lambda z: z.reshape(len(z), z.shape[2], -1),
).says(
    "Heads are split and merged without a transpose, which cuts across positions. Go through (B, T, heads, D) both times."
)
multi_head.slip("channels_dealt_out", split=lambda part, heads: part.unflatten(-1, (-1, heads)).movedim(-1, 1)).says(
    "You dealt the channels out to the heads in turn. The first D channels belong to head 0, the next D to head 1: unflatten(-1, (heads, D))."
)
multi_head.slip("root_of_all_channels", root=lambda D, C: math.sqrt(C)).says(
    "You divided by the root of C. A head compares D = C / heads numbers: divide by the root of D."
)
multi_head.slip("root_missing", root=lambda D, C: 1).says("The root of D is missing under the scores.")
multi_head.slip("padding_ignored", hide=torch.zeros_like).says(
    "The padding gets weight. Where padding is True, set the scores to -inf: padding[:, None, None, :] fits (B, H, T, S)."
)
multi_head.slip("padding_inverted", hide=torch.logical_not).says(
    "You hid the real positions. In nn.MultiheadAttention, True in a padding mask means: ignore. In F.scaled_dot_product_attention it is the other way round."
)
multi_head.slip("masked_with_zero", hidden=0.0).says(
    "You set the scores of the padding to 0. A score of 0 gets the weight e⁰ = 1 before the sum is divided. It takes -inf to get the weight 0."
)
multi_head.slip("mask_after_softmax", hide=torch.zeros_like, shown=lambda padding: ~padding[:, None, None, :]).says(
    "The mask came after the softmax, so the weights of a row no longer sum to 1. Mask the scores, then take the softmax."
)
multi_head.slip("in_bias_missing", in_bias=0).says("The bias of queries, keys and values is missing: in_proj_bias.")
multi_head.slip("out_bias_missing", out_bias=0).says("The last bias is missing: out_proj.bias.")
multi_head.slip("both_biases_missing", in_bias=0, out_bias=0).says(
    "Both biases are missing: in_proj_bias and out_proj.bias."
)
multi_head.slip("last_matrix_missing", out=lambda W: torch.eye(len(W))).says(
    "The last matrix is missing: it mixes what the heads have found, @ out_proj.weight.T."
)
multi_head.slip("last_matrix_transposed", out=_as_it_is).says(
    "The last matrix is transposed. As in nn.Linear, outputs come first: multiply by out_proj.weight.T."
)
multi_head.slip("keys_and_values_swapped", order=(0, 2, 1)).says(
    "Keys and values have changed places. The thirds of in_proj_weight are queries, keys, values."
)
multi_head.slip("keys_first", order=(1, 0, 2)).says(
    "The thirds of in_proj_weight are queries, keys, values, in this order."
)
multi_head.slip(
    "heads_in_turn", rows=lambda w, heads: w.unflatten(0, (heads, 3, -1)).transpose(0, 1).flatten(0, 2)
).says(
    "You read in_proj_weight head by head. It holds all queries, then all keys, then all values: cut it in three first, then into heads."
)
multi_head.slip("values_of_x", sources=lambda x, memory: (x, memory, x[:, :1].expand_as(memory))).says(
    "The values come from memory, as the keys do."
)
multi_head.slip("softmax_over_the_queries", over=-2).says(
    "The softmax ran over the queries. Each query shares out a weight of 1 among the keys: dim=-1."
)
multi_head.slip("weights_averaged", give=lambda alpha: alpha.mean(1)).says(
    "You returned the mean of the weights over the heads, as nn.MultiheadAttention does unless told. Return them for each head: (B, H, T, S)."
)


@multi_head.mistake("x looked at itself. Only the queries come from x; keys and values come from memory.")
def memory_forgotten(x, memory, weights, heads, padding):
    hidden = padding if x.shape == memory.shape else torch.zeros(x.shape[:2]).bool()
    return multi_head.variant()(x, x, weights, heads, hidden)


# --- 10.5 sinusoids -----------------------------------------------------------------------------------------------------

BASE = 10_000.0


@lesson.exercise(
    points=2,
    hint="One angle for each position and pair: a column of places times a row of width / 2 speeds. Its sine goes into the even channel of the pair, its cosine into the odd one.",
)
def sinusoids(places, width):
    """Vectors for positions: places (T,) and an even width; (T, width), sines in even channels, cosines in odd ones."""
    rows = [
        [(math.cos if c % 2 else math.sin)(place * BASE ** (-(c - c % 2) / width)) for c in range(width)]
        for place in places.tolist()
    ]
    return torch.tensor(rows)


@sinusoids.cases
def _(rng):
    yield dict(places=torch.tensor([0]), width=2)  # by hand: 0 and 1
    yield dict(places=torch.tensor([1]), width=2)
    yield dict(places=torch.tensor([1, 0]), width=2)
    yield dict(places=torch.tensor([0, 1, 2]), width=2)
    yield dict(places=torch.tensor([1]), width=4)
    yield dict(places=torch.tensor([3]), width=8)
    yield dict(places=torch.tensor([0, 1, 2, 3]), width=4)
    yield dict(places=torch.tensor([5, 100]), width=6)
    yield dict(places=torch.tensor([0.5, 2.5]), width=4)
    for _ in range(5):
        T, pairs = int(rng.integers(2, 6)), int(rng.integers(2, 6))
        yield dict(places=torch.from_numpy(rng.integers(0, 200, T)), width=2 * pairs)


@sinusoids.recipe
def _(
    places, width,
    where=_as_it_is, speeds=lambda i, width: BASE ** (-2 * i / width),
    join=lambda s, c: torch.stack([s, c], -1).flatten(1), first=torch.sin, second=torch.cos,
):  # fmt: skip
    angles = where(places.double())[:, None] * speeds(torch.arange(width // 2), width)
    return join(first(angles), second(angles)).float()


sinusoids.slip("halves", join=lambda s, c: torch.cat([s, c], -1)).says(
    "All sines first, then all cosines: many programs do that, but here they alternate, sine in channel 2i and cosine in channel 2i + 1."
)
sinusoids.slip("cosine_first", first=torch.cos, second=torch.sin).says(
    "Sine and cosine have changed places: the even channel of a pair gets the sine. Position 0 gives 0, 1, 0, 1 and so on."
)
sinusoids.slip("only_sines", second=torch.sin).says("Both channels of a pair got a sine. The odd one gets the cosine.")
sinusoids.slip("half_the_exponent", speeds=lambda i, width: BASE ** (-i / width)).says(
    "The exponent is -2 i / width, with i the number of the PAIR. You left out the 2."
)
sinusoids.slip("twice_the_exponent", speeds=lambda i, width: BASE ** (-4 * i / width)).says(
    "The exponent is -2 i / width, with i the number of the pair. Yours is twice that: did you take the channel 2i for i?"
)
sinusoids.slip("one_speed", speeds=lambda i, width: torch.ones(width // 2)).says(
    "All pairs turn at the same speed. Pair i turns by 10000^(-2 i / width) radians per position."
)
sinusoids.slip("exponent_positive", speeds=lambda i, width: BASE ** (2 * i / width)).says(
    "Later pairs turn faster and faster. The exponent is negative: pair 0 is the fastest."
)
sinusoids.slip("speeds_to_the_end", speeds=lambda i, width: BASE ** (-i / max(1, width // 2 - 1))).says(
    "Your slowest pair turns at exactly 1 / 10000. Divide 2 i by the width, so that i / (width / 2) stays below 1."
)
sinusoids.slip("base_1000", speeds=lambda i, width: 1000.0 ** (-2 * i / width)).says("The base is 10000, not 1000.")
sinusoids.slip("counted_from_1", where=lambda places: places + 1).says(
    "You counted from 1. Take the places as they are given: place 0 has the angle 0."
)
sinusoids.slip("places_ignored", where=lambda places: torch.arange(len(places)).double()).says(
    "You numbered the rows 0, 1, 2, … Take the places that are given: they need not begin at 0 nor be whole."
)
sinusoids.slip("places_cut_off", where=torch.floor).says(
    "You rounded the places to whole numbers. A place may be 2.5, and its angle is then half-way."
)
sinusoids.slip("in_degrees", where=torch.deg2rad).says(
    "You turned degrees into radians. The angles are radians already."
)


@sinusoids.mistake(
    "Each channel has a speed of its own. The two channels of a pair share one: the exponent is -2 i / width for channels 2i and 2i + 1 alike."
)
def speed_for_each_channel(places, width):
    channels = torch.arange(width)
    angles = places.double()[:, None] * BASE ** (-channels / width)
    return torch.where(channels % 2 == 0, angles.sin(), angles.cos()).float()


@sinusoids.mistake(
    "You put the number of the channel into the formula. There i counts PAIRS: channels 2i and 2i + 1 have the exponent -2 i / width, so channel 3 has i = 1."
)
def channels_for_pairs(places, width):
    channels = torch.arange(width)
    angles = places.double()[:, None] * BASE ** (-2 * channels / width)
    return torch.where(channels % 2 == 0, angles.sin(), angles.cos()).float()


@sinusoids.mistake("The axes have changed places: a row for each position, (T, width).")
def transposed(places, width):
    return sinusoids.reference(places, width).T
