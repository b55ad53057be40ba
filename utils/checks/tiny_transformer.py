"""Exercises of lesson 11: causal self-attention, the block, the model, a fair size, attention with a cache."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utils.checking import exercise, normal
from utils.checking.graph import Graph, Untraceable, trace
from utils.checking.plain import type_name

# --- 11.1 causal self-attention ---------------------------------------------------------------------------------


@exercise(
    lesson="11",
    points=3,
    hint="Follow the shapes: (B, T, C) to three of (B, heads, T, D), scores (B, heads, T, T), and back to (B, T, C).",
)
def causal_attention(x, w_in, w_out, heads):
    return _merge(F.scaled_dot_product_attention(*_split(x, w_in, heads), is_causal=True), w_out)


def _split(x: Tensor, w_in: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values, each (B, heads, T, D)."""
    return tuple(part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in (x @ w_in.T).chunk(3, dim=-1))


def _merge(z: Tensor, w_out: Tensor) -> Tensor:
    return z.transpose(1, 2).flatten(2) @ w_out.T


def _scores(q: Tensor, k: Tensor) -> Tensor:
    return q @ k.mT / math.sqrt(q.shape[-1])


def _seen(scores: Tensor, diagonal: int = 0) -> Tensor:
    """True where a query (row) may see a key (column)."""
    return torch.ones_like(scores, dtype=torch.bool).tril(diagonal)


def _masked(scores: Tensor, diagonal: int = 0) -> Tensor:
    return scores.masked_fill(~_seen(scores, diagonal), -math.inf)


@causal_attention.cases
def _(rng):
    x = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    yield x, torch.eye(2).repeat(3, 1), torch.eye(2), 1  # by hand: the first position sees itself alone
    for batch, time, heads, size in [(1, 3, 1, 3), (1, 4, 2, 2), (2, 4, 2, 3), (2, 5, 3, 2), (3, 7, 4, 2)]:
        width = heads * size
        yield normal(rng, batch, time, width), normal(rng, 3 * width, width), normal(rng, width, width), heads


LEAK = "change of earlier outputs when the last input changes"


@causal_attention.ask
def _(answer, x, w_in, w_out, heads):
    """The answer's output, and a leak test: no output may change because of what comes after it."""
    output = answer(x, w_in, w_out, heads)
    if output is None:
        return None
    if type_name(output) != "a tensor" or output.shape != x.shape:
        return {LEAK: 0.0, "output": output}
    other = torch.cat([x[:, :-1], x[:, -1:] + 1], dim=1)
    change = (answer(other, w_in, w_out, heads) - output)[:, :-1].abs().max()
    return {LEAK: change, "output": output}


@causal_attention.mistake(
    "The future is visible: no scores are masked. Before the softmax, set the scores of later positions to -inf."
)
def future_visible(x, w_in, w_out, heads):
    return _merge(F.scaled_dot_product_attention(*_split(x, w_in, heads)), w_out)


@causal_attention.mistake(
    "You masked the past and kept the future: the triangle is upside down. Row i may see the columns up to i: torch.tril."
)
def past_hidden(x, w_in, w_out, heads):
    q, k, v = _split(x, w_in, heads)
    scores = _scores(q, k)
    return _merge(scores.masked_fill(~_seen(scores).mT, -math.inf).softmax(-1) @ v, w_out)


def _hides_itself(value, x, w_in, w_out, heads) -> bool:
    """Whatever the first position gets, which then sees nothing at all."""
    output, expected = value["output"], token_hidden_from_itself(x, w_in, w_out, heads)
    fits = isinstance(output, Tensor) and output.shape == expected.shape and x.shape[1] > 1
    return fits and torch.allclose(output[:, 1:].to(expected), expected[:, 1:], rtol=1e-3, atol=1e-4)


@causal_attention.mistake(
    "The mask hides each token from itself, so the first position sees nothing and its softmax has nothing to share out. The diagonal stays visible.",
    symptom=_hides_itself,
)
def token_hidden_from_itself(x, w_in, w_out, heads):
    q, k, v = _split(x, w_in, heads)
    return _merge(_masked(_scores(q, k), -1).softmax(-1) @ v, w_out)


@causal_attention.mistake(
    "The mask came after the softmax, so the weights of a row no longer sum to 1. Mask the scores, then take the softmax."
)
def mask_after_softmax(x, w_in, w_out, heads):
    q, k, v = _split(x, w_in, heads)
    scores = _scores(q, k)
    return _merge(scores.softmax(-1) * _seen(scores) @ v, w_out)


@causal_attention.mistake(
    "You set masked scores to 0. The softmax gives a score of 0 the weight e⁰ = 1. It takes -inf to get the weight 0."
)
def masked_with_zero(x, w_in, w_out, heads):
    q, k, v = _split(x, w_in, heads)
    scores = _scores(q, k)
    return _merge((scores * _seen(scores)).softmax(-1) @ v, w_out)


@causal_attention.mistake(
    "The softmax ran over the queries. Each query shares out a weight of 1 among the keys: the last axis, dim=-1."
)
def softmax_over_the_queries(x, w_in, w_out, heads):
    q, k, v = _split(x, w_in, heads)
    return _merge(_masked(_scores(q, k)).softmax(-2).nan_to_num() @ v, w_out)


@causal_attention.mistake("√D is missing: divide the scores by the square root of the size of one head.")
def scale_missing(x, w_in, w_out, heads):
    q, k, v = _split(x, w_in, heads)
    return _merge(_masked(q @ k.mT).softmax(-1) @ v, w_out)


@causal_attention.mistake("You divided by √C, the whole width. The dot product runs over one head, so divide by √D.")
def scaled_by_the_width(x, w_in, w_out, heads):
    q, k, v = _split(x, w_in, heads)
    return _merge(_masked(q @ k.mT / math.sqrt(x.shape[-1])).softmax(-1) @ v, w_out)


@causal_attention.mistake("You divided by D. Divide by its square root: that is how large a sum of D products gets.")
def scaled_without_root(x, w_in, w_out, heads):
    q, k, v = _split(x, w_in, heads)
    return _merge(_masked(q @ k.mT / q.shape[-1]).softmax(-1) @ v, w_out)


@causal_attention.mistake(
    "Heads and positions were mixed up: reshaping (B, T, C) to (B, heads, T, D) cuts across positions. Make it (B, T, heads, D), then transpose."
)
def heads_without_a_transpose(x, w_in, w_out, heads):
    batch, time, width = x.shape
    q, k, v = (part.reshape(batch, heads, time, width // heads) for part in (x @ w_in.T).chunk(3, dim=-1))
    return _merge(_masked(_scores(q, k)).softmax(-1) @ v, w_out)


@causal_attention.mistake(
    "On the way back (B, heads, T, D) was reshaped to (B, T, C), which mixes positions. Transpose to (B, T, heads, D) first."
)
def merged_without_a_transpose(x, w_in, w_out, heads):
    z = F.scaled_dot_product_attention(*_split(x, w_in, heads), is_causal=True)
    return z.reshape(x.shape) @ w_out.T


@causal_attention.mistake(
    "Heads without a transpose, there and back: reshaping (B, T, C) to (B, heads, T, D) cuts across positions. Make it (B, T, heads, D), then transpose."
)
def no_transpose_at_all(x, w_in, w_out, heads):
    batch, time, width = x.shape
    q, k, v = (part.reshape(batch, heads, time, width // heads) for part in (x @ w_in.T).chunk(3, dim=-1))
    return (_masked(_scores(q, k)).softmax(-1) @ v).reshape(x.shape) @ w_out.T


@causal_attention.mistake(
    "The heads came out in the wrong order of axes: `w_in` holds all queries, then all keys, then all values, not head by head."
)
def interleaved_heads(x, w_in, w_out, heads):
    q, k, v = (x @ w_in.T).unflatten(-1, (heads, 3, -1)).permute(3, 0, 2, 1, 4)
    return _merge(F.scaled_dot_product_attention(q, k, v, is_causal=True), w_out)


@causal_attention.mistake(
    "You used one head, whatever `heads` says. Cut queries, keys and values into `heads` pieces of C / heads numbers."
)
def heads_ignored(x, w_in, w_out, heads):
    return causal_attention.reference(x, w_in, w_out, 1)


@causal_attention.mistake(
    "Queries and keys have changed places. Row i of the scores belongs to the query at i: q @ k transposed."
)
def queries_and_keys_swapped(x, w_in, w_out, heads):
    q, k, v = _split(x, w_in, heads)
    return _merge(_masked(_scores(k, q)).softmax(-1) @ v, w_out)


@causal_attention.mistake(
    "Keys and values have changed places. The first third of `w_in` makes queries, the second keys, the last values."
)
def keys_and_values_swapped(x, w_in, w_out, heads):
    q, k, v = _split(x, w_in, heads)
    return _merge(_masked(_scores(q, v)).softmax(-1) @ k, w_out)


@causal_attention.mistake(
    "`w_out` needs a transpose, as in nn.Linear: its rows belong to the outputs, so it is z @ w_out.T."
)
def output_not_transposed(x, w_in, w_out, heads):
    return causal_attention.reference(x, w_in, w_out.T, heads)


@causal_attention.mistake("The last step is missing: after the heads are side by side again, multiply with w_out.T.")
def output_projection_missing(x, w_in, w_out, heads):
    return causal_attention.reference(x, w_in, torch.eye(x.shape[-1]), heads)


# --- 11.2 the block -----------------------------------------------------------------------------------------------


@exercise(
    lesson="11",
    points=2,
    hint="The stream x is only ever added to. Each part reads a normalised copy of it.",
)
def block(x, attend, feed_forward):
    x = x + attend(_norm(x))
    return x + feed_forward(_norm(x))


def _norm(x: Tensor) -> Tensor:
    return x / x.square().mean(-1, keepdim=True).sqrt()


@block.cases
def _(rng):
    x = torch.tensor([[3.0, 4.0]])
    yield x, {"mix": torch.ones(1, 1)}, {"up": 2 * torch.eye(2), "down": torch.eye(2)}
    for time, width in [(2, 3), (3, 2), (3, 4), (4, 4), (6, 5)]:
        mix = normal(rng, time, time).tril()
        weights = {"up": normal(rng, 2 * width, width), "down": normal(rng, width, 2 * width)}
        x = 10 * normal(rng, time, width) + 3  # so large that no usual eps in the norm can be seen
        yield x, {"mix": mix}, weights


@block.ask
def _(answer, x, attend, feed_forward):
    """`attend` mixes positions with fixed weights; `feed_forward` is two matrices with a ReLU between them."""

    def mixing(stream):
        return attend["mix"].to(stream) @ stream

    def two_layers(stream):
        return (stream @ feed_forward["up"].to(stream).T).relu() @ feed_forward["down"].to(stream).T

    return answer(x, mixing, two_layers)


@block.mistake("You normalised after adding (post-norm). In this course's block each part reads a normalised copy.")
def normalised_after_adding(x, attend, feed_forward):
    x = _norm(x + attend(x))
    return _norm(x + feed_forward(x))


@block.mistake("The stream itself was normalised. Normalise what a part reads, and add to the stream as it was.")
def stream_normalised(x, attend, feed_forward):
    x = _norm(x)
    x = _norm(x + attend(x))
    return x + feed_forward(x)


@block.mistake("Both residuals are missing: x is replaced by what the parts return. Add it: x + attend(…).")
def residuals_missing(x, attend, feed_forward):
    return feed_forward(_norm(attend(_norm(x))))


@block.mistake("The first residual is missing: attention replaces the stream. Add it: x + attend(…).")
def first_residual_missing(x, attend, feed_forward):
    x = attend(_norm(x))
    return x + feed_forward(_norm(x))


@block.mistake("The second residual is missing: the last part replaces the stream. Add it: x + feed_forward(…).")
def second_residual_missing(x, attend, feed_forward):
    return feed_forward(_norm(x + attend(_norm(x))))


@block.mistake(
    "Both parts read the stream as it came in (a parallel block). Here feed_forward reads what attention has added to."
)
def parts_in_parallel(x, attend, feed_forward):
    return x + attend(_norm(x)) + feed_forward(_norm(x))


@block.mistake("The second residual starts from the old x, so what attention added is lost. Give the first sum a name.")
def old_stream_kept(x, attend, feed_forward):
    return x + feed_forward(_norm(x + attend(_norm(x))))


@block.mistake("No norm at all: attend and feed_forward each read norm(x).")
def norm_left_out(x, attend, feed_forward):
    x = x + attend(x)
    return x + feed_forward(x)


@block.mistake("feed_forward reads the bare stream. It reads a normalised copy too.")
def second_norm_left_out(x, attend, feed_forward):
    x = x + attend(_norm(x))
    return x + feed_forward(x)


@block.mistake("attend reads the bare stream. It reads a normalised copy too.")
def first_norm_left_out(x, attend, feed_forward):
    x = x + attend(x)
    return x + feed_forward(_norm(x))


@block.mistake("feed_forward came before attention. First positions exchange news, then each thinks about it.")
def parts_swapped(x, attend, feed_forward):
    x = x + feed_forward(_norm(x))
    return x + attend(_norm(x))


def _with_norm(norm, x, attend, feed_forward):
    x = x + attend(norm(x))
    return x + feed_forward(norm(x))


@block.mistake("The mean was subtracted: that is layer norm. RMS norm only divides by the root of the mean square.")
def mean_subtracted(x, attend, feed_forward):
    return _with_norm(lambda s: F.layer_norm(s, s.shape[-1:], eps=1e-12), x, attend, feed_forward)


@block.mistake(
    "You divided by the root of the *sum* of squares. Take their mean: then the numbers have size 1, however many there are."
)
def sum_in_place_of_the_mean(x, attend, feed_forward):
    return _with_norm(lambda s: s / s.norm(dim=-1, keepdim=True), x, attend, feed_forward)


@block.mistake("The root is missing: you divided by the mean square.")
def root_missing(x, attend, feed_forward):
    return _with_norm(lambda s: s / s.square().mean(-1, keepdim=True), x, attend, feed_forward)


@block.mistake(
    "The norm ran over the positions, so that later ones have a say in earlier ones. Each position has its own: dim=-1."
)
def norm_over_the_positions(x, attend, feed_forward):
    return _with_norm(lambda s: s / s.square().mean(-2, keepdim=True).sqrt(), x, attend, feed_forward)


@block.mistake("One norm was taken over all numbers of x. Each position has its own: mean(-1, keepdim=True).")
def norm_over_everything(x, attend, feed_forward):
    return _with_norm(lambda s: s / s.square().mean().sqrt(), x, attend, feed_forward)


# --- 11.3 the model -----------------------------------------------------------------------------------------------

LENGTH = 96  # more than a learner tries by hand, less than the 256 that the exercise asks for
SHORT = 3


@exercise(
    lesson="11",
    points=3,
    hint="Embed the tokens, add positions, run the blocks, normalise, and map to one score for each character.",
)
def build_transformer(vocabulary, width, heads, layers):
    return Encoder(vocabulary, width, heads, layers)


class Encoder(nn.Module):
    """torch's own layers: with a causal mask an encoder is what everybody calls a decoder-only transformer."""

    def __init__(self, vocabulary, width, heads, layers, sees=torch.tril, positions=256, batch_first=True):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.places = nn.Embedding(positions, width) if positions else None
        self.layers = nn.ModuleList(_layer(width, heads, batch_first) for _ in range(layers))
        self.head = nn.Linear(width, vocabulary)
        self.sees, self.batch_first = sees, batch_first

    def forward(self, tokens):
        x = self.embed(tokens)
        if self.places is not None:
            x = x + self.places(torch.arange(tokens.shape[1]))
        mixed = x.shape[1 if self.batch_first else 0]
        hidden = self.sees(torch.ones(mixed, mixed)) == 0
        for layer in self.layers:
            x = layer(x, src_mask=hidden)
        return self.head(x)


def _layer(width: int, heads: int, batch_first: bool = True) -> nn.Module:
    return nn.TransformerEncoderLayer(width, heads, 4 * width, 0.0, norm_first=True, batch_first=batch_first)


@build_transformer.cases
def _(rng):
    yield 5, 8, 2, 1  # with one layer, order is invisible without positions
    yield 11, 12, 3, 2
    yield 65, 16, 4, 3


@build_transformer.ask
def _(answer, vocabulary, width, heads, layers):
    """The steps and the weights of the model and of its neighbours. What is reported in their place can only fail."""
    if isinstance(answer, nn.Module):
        return {"instead": "a finished model: pass the function that builds it, or the class"}
    model = answer(vocabulary, width, heads, layers)
    if not isinstance(model, nn.Module):
        return None if model is None else {"instead": type_name(model)}
    tokens = torch.randint(vocabulary, (2, LENGTH))
    try:
        scores = model.eval()(tokens)
    except (RuntimeError, IndexError) as error:
        if isinstance(error, NotImplementedError):
            raise
        return {"error": f"{type(error).__name__}: {error}"}
    if not isinstance(scores, Tensor):
        return {"output": type_name(scores)}
    try:
        sent = {"model": trace(model, tokens), "without gradient": _without_gradient(model, scores)}
        if scores.shape == (2, LENGTH, vocabulary):
            sent["shorter"] = trace(model, tokens[:, :SHORT])
            sent["deeper"] = trace(answer(vocabulary, width, heads, layers + 1), tokens[:, :SHORT])
            sent["one head"] = trace(answer(vocabulary, width, 1, layers), tokens)
    except Untraceable as error:
        return {"instead": str(error)}
    return sent


def _without_gradient(model: nn.Module, scores: Tensor) -> list[str]:
    """Seen beside the model, since a record of its steps does not tell what ran under no_grad."""
    if scores.requires_grad:
        scores.square().sum().backward()
    return [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None]


@build_transformer.measure
def _(sent, vocabulary, width, heads, layers):
    """Run the steps on other tokens than the answer saw. Weights are drawn anew: some begin with zeros and show nothing."""
    if "instead" in sent or "output" in sent or "error" in sent:
        return sent
    model = Graph(sent["model"])
    weights, tokens = _draw_weights(model.weights), torch.randint(vocabulary, (2, LENGTH))
    scores = model(weights, tokens)
    facts = {"shape": list(scores.shape), "finite": bool(scores.isfinite().all())}
    if facts["shape"] != [2, LENGTH, vocabulary] or not facts["finite"]:
        return facts
    gradients = model.gradients(weights, tokens)
    without = [name for name, grad in gradients.items() if grad is None or name in sent["without gradient"]]
    if without:
        return facts | {"without gradient": without}
    shorter, deeper, one_head = (Graph(sent[name]) for name in ("shorter", "deeper", "one head"))
    few = tokens[:, :SHORT]
    return {
        **facts,
        "of one more layer": _count(deeper, few) - _count(shorter, few),
        **_behaviour(lambda given: model(weights, given), tokens, scores, vocabulary),
        "shorter": (shorter(weights, few) - scores[:, :SHORT]).abs().max(),
        "heads": _heads(weights, tokens, scores, one_head),
    }


def _draw_weights(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: torch.randn_like(w) * w.shape[-1] ** -0.5 if w.dim() > 1 else w for name, w in weights.items()}


def _count(model: Graph, tokens: Tensor) -> int:
    """How many parameters the scores rest on."""
    gradients = model.gradients(_draw_weights(model.weights), tokens)
    return sum(grad.numel() for grad in gradients.values() if grad is not None and grad.any())


def _behaviour(model: Callable[[Tensor], Tensor], tokens: Tensor, scores: Tensor, vocabulary: int) -> dict:
    middle = LENGTH // 2

    def change(*at) -> Tensor:
        """How much the scores (2, T) move when one token, or a row of them, becomes another."""
        other = tokens.clone()
        other[at] = (other[at] + 1) % vocabulary
        return (model(other) - scores).abs().amax(dim=2)

    early, late = change(slice(None), 0).amax(0), change(slice(None), middle).amax(0)
    # Two different tokens change places, and the last position is asked whether it noticed.
    pair = tokens.clone()
    pair[:, 0], pair[:, 1] = 0, 1
    swapped = pair.clone()
    swapped[:, 0], swapped[:, 1] = 1, 0
    rows = scores.exp().sum(-1)
    return {
        "repeatable": (model(tokens) - scores).abs().max(),
        "leak": late[:middle].max(),
        "first to last": early[-1],
        "first to second": early[1],
        "order": (model(pair) - model(swapped))[:, -1].abs().max(),
        "alone": change(0)[1].max(),
        "sums": [(scores.sum(-1) - 1).abs().max(), (rows - 1).abs().max()],
    }


def _heads(weights: dict[str, Tensor], tokens: Tensor, scores: Tensor, one_head: Graph) -> bool:
    """Whether one head in place of several changes anything, with the same weights."""
    mine, others = list(weights.values()), one_head.weights
    if [w.shape for w in mine] != [w.shape for w in others.values()]:
        return True
    return not torch.allclose(one_head(dict(zip(others, mine, strict=True)), tokens), scores, atol=1e-5)


TINY, VISIBLE = 1e-3, 1e-5  # rounding stays below the first, what a position notices is above the second


@build_transformer.expect
def _(value, vocabulary, width, heads, layers):
    """The first thing that is wrong, in the order in which one would repair it."""
    call = f"build_transformer({vocabulary}, {width}, {heads}, {layers})"
    if "instead" in value:
        return f"{call} gave {value['instead']}. Expected an nn.Module."
    if "output" in value:
        return f"For tokens (2, {LENGTH}) the model gave {value['output']}. Expected a tensor: the scores and nothing else."
    if "error" in value:
        return f"With tokens of shape (2, {LENGTH}) the model raised {value['error']}"
    if value["shape"] != [2, LENGTH, vocabulary]:
        return f"Tokens (2, {LENGTH}) gave scores {tuple(value['shape'])}, expected {(2, LENGTH, vocabulary)}."
    if not value["finite"]:
        return "The scores hold nan or infinity."
    if "without gradient" in value:
        return f"The scores send no gradient to {', '.join(value['without gradient'])}."
    if not value["of one more layer"] >= 6 * width**2:
        return f"One more layer adds {value['of one more layer']:,} parameters. A block has about {12 * width**2:,}."
    if value["sums"][0] < TINY or value["sums"][1] < TINY:
        return "The output is a softmax of the scores, or its logarithm. Expected the scores themselves."
    if not value["repeatable"] <= TINY:
        return "In evaluation mode the same tokens gave two different results."
    if not value["leak"] <= TINY:
        return f"A token was changed at position {LENGTH // 2}, and scores *before* it moved by {value['leak']:.3g}."
    if not value["alone"] <= TINY:
        return "The scores of a sequence change with the other sequence of its batch."
    if not (value["first to second"] >= VISIBLE and value["first to last"] >= 1e-9):
        return "A token was changed at position 0, and the scores of later positions did not move."
    if not value["shorter"] <= TINY:
        return f"The scores of the first {SHORT} positions are others when the sequence is cut off behind them."
    if not value["order"] >= VISIBLE:
        return "The first two tokens changed places, and the last position did not notice."
    if not value["heads"]:
        return f"With 1 head in place of {heads} the same weights give the same scores."
    return None


# In the order of what `expect` looks at, so that the first that fits is the one to repair first.


@build_transformer.mistake(
    "You returned the class in place of a model made from it. Call it: `return Model(vocabulary, …)`.",
    symptom=lambda value, *case: value.get("instead", "").startswith("the class"),
)
def class_in_place_of_a_model(vocabulary, width, heads, layers):
    return Encoder


@build_transformer.mistake(
    "There are fewer positions than tokens. The model takes sequences of up to 256.",
    symptom=lambda value, *case: (
        "out of range" in value.get("error", "") or "must match the size" in value.get("error", "")
    ),
)
def too_few_positions(vocabulary, width, heads, layers):
    return Encoder(vocabulary, width, heads, layers, positions=64)


@build_transformer.mistake(
    "You returned the scores of one position. Every position predicts its next character: (B, T, vocabulary).",
    symptom=lambda value, vocabulary, *rest: value.get("shape") == [2, vocabulary],
)
def last_position_only(vocabulary, width, heads, layers):
    class Last(Encoder):
        def forward(self, tokens):
            return super().forward(tokens)[:, -1]

    return Last(vocabulary, width, heads, layers)


@build_transformer.mistake(
    "The last map is missing: the output still has `width` numbers. A linear layer turns them into one score for each character.",
    symptom=lambda value, vocabulary, width, *rest: value.get("shape", [0])[-1] == width != vocabulary,
)
def head_missing(vocabulary, width, heads, layers):
    model = Encoder(vocabulary, width, heads, layers)
    model.head = nn.Identity()
    return model


@build_transformer.mistake(
    "A row of weights came out as nan: a position that may see nothing, not even itself, has nothing to share out.",
    symptom=lambda value, *case: value.get("finite") is False,
)
def first_position_sees_nothing(vocabulary, width, heads, layers):
    class Blind(Encoder):
        def forward(self, tokens):
            x = self.embed(tokens)
            return self.head(_masked(_scores(x, x), -1).softmax(-1) @ x)

    return Blind(vocabulary, width, heads, layers)


@build_transformer.mistake(
    "One more layer adds no weights of its own. Is `layers` used? `[block] * layers` is one block, listed many times, and a plain list hides its blocks from model.parameters(). Make a new one for each layer, in nn.Sequential or nn.ModuleList.",
    symptom=lambda value, vocabulary, width, *rest: 0 <= value.get("of one more layer", 10**9) < 6 * width**2,
)
def layer_without_weights(vocabulary, width, heads, layers):
    model = Encoder(vocabulary, width, heads, 1)
    model.layers = nn.ModuleList([model.layers[0]] * layers)
    return model


@build_transformer.mistake(
    "A softmax stands at the end. F.cross_entropy does that itself. Return the raw scores.",
    symptom=lambda value, *case: min(value.get("sums", [1])) < TINY,
)
def softmax_in_the_model(vocabulary, width, heads, layers):
    return nn.Sequential(Encoder(vocabulary, width, heads, layers), nn.Softmax(-1))


@build_transformer.mistake(
    "The future is visible. Every attention layer needs the causal mask, in every block.",
    symptom=lambda value, *case: value.get("leak", 0) > TINY and max(value["alone"], value["repeatable"]) <= TINY,
)
def model_sees_the_future(vocabulary, width, heads, layers):
    return Encoder(vocabulary, width, heads, layers, sees=torch.ones_like)


@build_transformer.mistake(
    "Batch and time have changed places, so that the sequences of a batch attend to each other. torch's attention layers want batch_first=True.",
    symptom=lambda value, *case: value.get("alone", 0) > TINY and value["repeatable"] <= TINY,
)
def batch_and_time_swapped(vocabulary, width, heads, layers):
    return Encoder(vocabulary, width, heads, layers, batch_first=False)


@build_transformer.mistake(
    "No position hears of another: there is no attention in the blocks, or its result goes nowhere.",
    symptom=lambda value, *case: value.get("first to second", 1) < VISIBLE,
)
def attention_missing(vocabulary, width, heads, layers):
    return Encoder(vocabulary, width, heads, layers, sees=lambda ones: ones.diag().diag())


@build_transformer.mistake(
    "The model does not know the order of its tokens. Add a vector for each position to the embeddings, or rotate queries and keys.",
    symptom=lambda value, *case: value.get("order", 1) < VISIBLE and value["first to last"] >= 1e-9,
)
def positions_missing(vocabulary, width, heads, layers):
    return Encoder(vocabulary, width, heads, layers, positions=0)


@build_transformer.mistake(
    "The number of heads has no effect. Hand it on to every block.",
    symptom=lambda value, *case: value.get("heads") is False and value["first to second"] >= VISIBLE,
)
def heads_not_handed_on(vocabulary, width, heads, layers):
    return Encoder(vocabulary, width, 1, layers)


# --- 11.4 an LSTM of the same size --------------------------------------------------------------------------------


@exercise(
    lesson="11",
    points=1,
    hint="Count the three parts: an embedding, four gates with two matrices and two biases each, a linear layer.",
)
def lstm_width(budget, vocabulary):
    return _widest(budget, lambda c: _lstm_parameters(vocabulary, c))


def _lstm_parameters(vocabulary: int, width: int, gates: int = 4, biases: int = 2) -> int:
    return 2 * vocabulary * width + vocabulary + gates * width * (2 * width + biases)


def _widest(budget: int, count) -> int:
    width = 0
    while count(width + 1) <= budget:
        width += 1
    return width


@lstm_width.cases
def _(rng):
    yield 22, 2  # by hand: 4 + 4 (1 + 1 + 2) + 2
    yield 21, 2
    yield 62_000, 65
    yield _lstm_parameters(100, 10) + 240, 100  # more than half of what one unit more would cost
    for _ in range(12):  # few and narrow, so that an answer which builds real models is quick enough
        vocabulary, width = int(rng.integers(2, 120)), int(rng.integers(1, 60))
        exact = _lstm_parameters(vocabulary, width)
        yield exact, vocabulary
        yield exact - 1, vocabulary
        yield exact + int(rng.integers(0, 16 * width)), vocabulary


@lstm_width.mistake(
    "You counted one bias for each gate and unit. torch has two, one beside each matrix (bias_ih and bias_hh)."
)
def one_bias(budget, vocabulary):
    return _widest(budget, lambda c: _lstm_parameters(vocabulary, c, biases=1))


@lstm_width.mistake("You left the gates' biases out. torch has two for each gate and unit.")
def no_bias(budget, vocabulary):
    return _widest(budget, lambda c: _lstm_parameters(vocabulary, c, biases=0))


@lstm_width.mistake("You counted three gates. An LSTM has four: input, forget, candidate and output.")
def three_gates(budget, vocabulary):
    return _widest(budget, lambda c: _lstm_parameters(vocabulary, c, gates=3))


@lstm_width.mistake("You counted one gate. There are four of them, each with both matrices and both biases.")
def one_gate(budget, vocabulary):
    return _widest(budget, lambda c: _lstm_parameters(vocabulary, c, gates=1))


@lstm_width.mistake(
    "You counted one matrix for each gate. There are two: one reads the input, one the hidden state, both C × C here."
)
def one_matrix(budget, vocabulary):
    return _widest(budget, lambda c: 2 * vocabulary * c + vocabulary + 4 * c * (c + 2))


@lstm_width.mistake("You left the embedding out: one row of C numbers for each character.")
def embedding_left_out(budget, vocabulary):
    return _widest(budget, lambda c: _lstm_parameters(vocabulary, c) - vocabulary * c)


@lstm_width.mistake("You left out the linear layer behind the LSTM: C weights and a bias for each character.")
def head_left_out(budget, vocabulary):
    return _widest(budget, lambda c: _lstm_parameters(vocabulary, c) - vocabulary * (c + 1))


@lstm_width.mistake("You left out the biases of the last layer: one for each character.")
def bias_of_the_head_left_out(budget, vocabulary):
    return _widest(budget, lambda c: _lstm_parameters(vocabulary, c) - vocabulary)


@lstm_width.mistake(
    "The LSTM alone was counted. The embedding before it and the linear layer behind it are parameters too."
)
def lstm_alone(budget, vocabulary):
    return _widest(budget, lambda c: 4 * c * (2 * c + 2))


@lstm_width.mistake("Your width is one too large: that LSTM costs more than the budget.")
def one_too_wide(budget, vocabulary):
    return lstm_width.reference(budget, vocabulary) + 1


@lstm_width.mistake("Your width is one too small where the budget is spent to the last parameter: use <=, not <.")
def exact_budget_refused(budget, vocabulary):
    return _widest(budget - 1, lambda c: _lstm_parameters(vocabulary, c))


@lstm_width.mistake("You rounded to the nearest width. The budget is a limit: round down.")
def rounded_to_the_nearest(budget, vocabulary):
    return round(fractional_width(budget, vocabulary))


@lstm_width.mistake("A fraction of a unit cannot be built. Round down to a whole number.")
def fractional_width(budget, vocabulary):
    linear = 2 * vocabulary + 8
    return (math.sqrt(linear**2 + 32 * (budget - vocabulary)) - linear) / 16


# --- 11.5 attention with a cache ----------------------------------------------------------------------------------


@exercise(
    lesson="11",
    points=2,
    hint="One query, and a key and a value more than before. Nothing needs a mask: the future is not there yet.",
)
def cached_attention(x, keys, values, w_in, w_out, heads):
    q, k, v = (x @ w_in.T).chunk(3)
    keys, values = torch.cat([keys, k[None]]), torch.cat([values, v[None]])
    return [_look_up(q, keys, values, heads) @ w_out.T, keys, values]


def _look_up(q: Tensor, keys: Tensor, values: Tensor, heads: int, scale: float = 0.0, axis: int = -1) -> Tensor:
    """One query (C,) among n keys and values (n, C): the values' weighted sum (C,)."""
    query, k, v = (t.reshape(-1, heads, t.shape[-1] // heads).transpose(0, 1) for t in (q, keys, values))
    scores = query @ k.mT / (scale or math.sqrt(q.shape[-1] // heads))  # (heads, 1, n)
    return (scores.softmax(axis) @ v).flatten()


@cached_attention.cases
def _(rng):
    eye = torch.eye(2)
    yield torch.tensor([1.0, 0.0]), torch.zeros(0, 2), torch.zeros(0, 2), eye.repeat(3, 1), eye, 1
    yield torch.tensor([0.0, 1.0]), eye[:1], eye[:1], eye.repeat(3, 1), eye, 1
    for seen, heads, size in [(1, 1, 3), (2, 2, 2), (3, 2, 3), (4, 3, 2), (6, 2, 2)]:
        width = heads * size
        cache = normal(rng, seen, width), normal(rng, seen, width)
        yield normal(rng, width), *cache, normal(rng, 3 * width, width), normal(rng, width, width), heads


def _new(x: Tensor, keys: Tensor, values: Tensor, w_in: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The query (C,), and keys and values with the new position at their end."""
    q, k, v = (x @ w_in.T).chunk(3)
    return q, torch.cat([keys, k[None]]), torch.cat([values, v[None]])


@cached_attention.mistake(
    "The new position looks at the cache before it has joined it, so it cannot see itself. Append its key and value first."
)
def new_position_left_out(x, keys, values, w_in, w_out, heads):
    q, longer, more = _new(x, keys, values, w_in)
    return [_look_up(q, keys, values, heads) @ w_out.T, longer, more]


@cached_attention.mistake(
    "The output is right and the cache is the old one. Return keys and values with the new row at the end."
)
def cache_not_grown(x, keys, values, w_in, w_out, heads):
    return [cached_attention.reference(x, keys, values, w_in, w_out, heads)[0], keys, values]


@cached_attention.mistake(
    "The new row stands at the front of the cache. Time goes on: append it at the end.",
)
def new_row_in_front(x, keys, values, w_in, w_out, heads):
    output = cached_attention.reference(x, keys, values, w_in, w_out, heads)[0]
    _, k, v = (x @ w_in.T).chunk(3)
    return [output, torch.cat([k[None], keys]), torch.cat([v[None], values])]


@cached_attention.mistake("The position attends to itself alone: the cache that came in is not read.")
def cache_not_read(x, keys, values, w_in, w_out, heads):
    q, longer, more = _new(x, keys, values, w_in)
    return [_look_up(q, longer[-1:], more[-1:], heads) @ w_out.T, longer, more]


@cached_attention.mistake("The cache forgets: return all keys and values, the old ones and the new one.")
def old_rows_dropped(x, keys, values, w_in, w_out, heads):
    output, longer, more = cached_attention.reference(x, keys, values, w_in, w_out, heads)
    return [output, longer[-1:], more[-1:]]


@cached_attention.mistake("You stored x itself. The cache holds its key and its value: x times `w_in`, cut in three.")
def inputs_stored(x, keys, values, w_in, w_out, heads):
    q, *_ = (x @ w_in.T).chunk(3)
    keys, values = torch.cat([keys, x[None]]), torch.cat([values, x[None]])
    return [_look_up(q, keys, values, heads) @ w_out.T, keys, values]


@cached_attention.mistake(
    "Keys and values have changed places. The first third of `w_in` makes the query, the second the key, the last the value."
)
def cached_keys_and_values_swapped(x, keys, values, w_in, w_out, heads):
    q, v, k = (x @ w_in.T).chunk(3)
    keys, values = torch.cat([keys, k[None]]), torch.cat([values, v[None]])
    return [_look_up(q, keys, values, heads) @ w_out.T, keys, values]


@cached_attention.mistake("√D is missing: divide the scores by the square root of the size of one head.")
def cached_scale_missing(x, keys, values, w_in, w_out, heads):
    q, longer, more = _new(x, keys, values, w_in)
    return [_look_up(q, longer, more, heads, scale=1.0) @ w_out.T, longer, more]


@cached_attention.mistake("You divided by √C, the whole width. The dot product runs over one head, so divide by √D.")
def cached_scaled_by_the_width(x, keys, values, w_in, w_out, heads):
    q, longer, more = _new(x, keys, values, w_in)
    return [_look_up(q, longer, more, heads, scale=math.sqrt(len(x))) @ w_out.T, longer, more]


@cached_attention.mistake("You used one head, whatever `heads` says. Each head compares its own piece of C / heads.")
def cached_heads_ignored(x, keys, values, w_in, w_out, heads):
    return cached_attention.reference(x, keys, values, w_in, w_out, 1)


@cached_attention.mistake("The last step is missing: multiply what the heads have found with w_out.T.")
def cached_output_projection_missing(x, keys, values, w_in, w_out, heads):
    return cached_attention.reference(x, keys, values, w_in, torch.eye(len(x)), heads)


@cached_attention.mistake("`w_out` needs a transpose, as in nn.Linear: its rows belong to the outputs.")
def cached_output_not_transposed(x, keys, values, w_in, w_out, heads):
    return cached_attention.reference(x, keys, values, w_in, w_out.T, heads)


@cached_attention.mistake(
    "The softmax ran over the heads. Each head shares out a weight of 1 among the positions: the last axis."
)
def softmax_over_the_heads(x, keys, values, w_in, w_out, heads):
    q, longer, more = _new(x, keys, values, w_in)
    return [_look_up(q, longer, more, heads, axis=0) @ w_out.T, longer, more]
