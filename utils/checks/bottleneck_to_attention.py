"""Exercises of lesson 09: the decoder's loop, additive scores, a masked softmax, a soft lookup, beam search."""

import math

import torch
from torch import Tensor

from utils.checking import Lesson, normal

lesson = Lesson("09", __name__)

# --- 9.1 the decoder's loop -------------------------------------------------------------------------------------------


@lesson.exercise(
    points={"fed what is right": 1, "fed what it wrote": 2},
    returns=("chosen", "logits"),
    hint="One loop for both: a token goes in, logits and the next state come out, the likeliest token is noted. All that differs is which token goes in next, and when the loop ends.",
)
def decode(step, state, start, end, limit, targets):
    """`step(token, state)` gives logits (V,) and the next state. The tokens chosen, a list; all logits (steps, V)."""
    token, chosen, logits = start, [], []
    for place in range(limit if targets is None else len(targets)):
        one, state = step(token, state)
        logits.append(one)
        chosen.append(int(one.argmax()))
        token = chosen[-1] if targets is None else targets[place]
        if targets is None and token == end:
            break
    return chosen, torch.stack(logits)


class Cell:
    """A decoder to follow by hand: its state is `keep` times the one before plus 1 at the token, its logits state · table."""

    def __init__(self, table: Tensor, keep: float):
        self.table, self.keep = table, keep

    def __call__(self, token, state: Tensor) -> tuple[Tensor, Tensor]:
        seen = torch.zeros(len(self.table))
        seen[int(token)] = 1
        state = self.keep * state + seen
        return state @ self.table, state


def _cells(rng, given: bool):
    chain = torch.tensor([[0.0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0]])  # 0 → 2 → 3 → 1
    endless = torch.tensor([[0.0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]])  # 0 → 2 → 3 → 2 → …
    zero, held = torch.zeros(4), torch.tensor([0.0, 0, 0, 2])
    for table, keep, state, limit, targets in (
        (chain, 0.0, zero, 5, [2, 3, 1]),
        (chain, 0.0, zero, 3, [3, 2, 3, 1]),
        (chain, 0.0, zero, 2, [2, 2, 1]),
        (endless, 0.0, zero, 3, [3, 3, 1]),
        (chain + 2 * endless, 1.0, held, 4, [2, 1]),
    ):
        step = {"table": table, "keep": keep}
        yield dict(step=step, state=state, start=0, end=1, limit=limit, targets=targets if given else None)
    for _ in range(8):
        V, limit = int(rng.integers(3, 6)), int(rng.integers(2, 6))
        step = {"table": normal(rng, V, V), "keep": 0.5}
        start, end = (int(token) for token in rng.permutation(V)[:2])
        targets = [int(token) for token in rng.integers(0, V, int(rng.integers(2, 6)))]
        yield dict(
            step=step, state=normal(rng, V), start=start, end=end, limit=limit, targets=targets if given else None
        )


@decode.cases
def _(rng):
    yield from _cells(rng, given=True)


@decode.cases("fed what it wrote")
def _(rng):
    yield from _cells(rng, given=False)


@decode.ask
def _(answer, step, state, start, end, limit, targets):
    return answer(Cell(**step), state, start, end, limit, targets)


@decode.recipe
def _(
    step, state, start, end, limit, targets,
    first=lambda start, targets, end: start, following=lambda targets, place: targets[place], teach=True, carry=True,
    stops=lambda token, end, targets: targets is None and token == end, late=False, noted=lambda chosen, end: chosen,
    steps=lambda limit, targets: limit if targets is None else len(targets), made=lambda logits: logits,
):  # fmt: skip
    token, chosen, logits = first(start, targets, end), [], []
    for place in range(steps(limit, targets)):
        one, new = step(token, state)
        state = new if carry else state
        logits.append(one)
        chosen.append(int(one.argmax()))
        token = following(targets, place) if targets is not None and teach else chosen[-1]
        if stops(chosen[-1], end, targets):
            break
    return noted(chosen, end), made(torch.stack(logits))


decode.slip("state_not_carried", carry=False).says(
    "Every step began with the first state. The state that comes out of one step goes into the next."
)
decode.slip("always_its_own", teach=False).says(
    "You fed back what the decoder chose although the targets are given. Teacher forcing: the next step gets the right token, whatever was chosen."
)


def _next_one(targets, place):
    return targets[min(place + 1, len(targets) - 1)]


decode.slip(
    "answer_fed", first=lambda start, targets, end: start if targets is None else targets[0], following=_next_one
).says("Step t was fed target t, which is what it is to predict. Feed START first, and target t − 1 at step t.")
decode.slip("one_too_late", following=lambda targets, place: targets[max(place - 1, 0)] if place else targets[0]).says(
    "Your targets come one step too late: after START the decoder gets targets[0], then targets[1], and so on."
)
decode.slip("begun_with_end", first=lambda start, targets, end: end).says(
    "The first token that went in was END. A decoder begins with START."
)
decode.slip("never_stops", stops=lambda token, end, targets: False).says(
    "Your decoder goes on behind END. Without targets it stops as soon as it has chosen END."
)
decode.slip("stops_though_taught", stops=lambda token, end, targets: token == end).says(
    "You stopped when the decoder chose END although targets were given. With targets there is one step for each of them."
)
decode.slip("end_left_out", noted=lambda chosen, end: chosen[:-1] if chosen[-1:] == [end] else chosen).says(
    "END is missing in what was chosen. Choosing END is a step like any other: note it, then stop."
)
decode.slip(
    "cut_by_the_limit", steps=lambda limit, targets: limit if targets is None else min(limit, len(targets))
).says("`limit` cut the given targets short. It counts only where there are none.")
decode.slip(
    "limit_for_both", steps=lambda limit, targets: limit, following=lambda targets, place: (targets * 9)[place]
).says("You made `limit` steps although targets were given. With targets, make one step for each of them.")
decode.slip(
    "one_loop_for_both", steps=lambda limit, targets: limit, following=lambda targets, place: (targets * 9)[place],
    stops=lambda token, end, targets: token == end,
).says("With targets there is one step for each of them: neither `limit` nor an END that was chosen ends the loop.")  # fmt: skip
decode.slip("one_step_too_few", steps=lambda limit, targets: (limit if targets is None else len(targets)) - 1).says(
    "One step is missing at the end."
)
decode.slip("probabilities", made=lambda logits: logits.softmax(-1)).says(
    "You returned probabilities. Return the logits as the step gives them; losses take the softmax themselves."
)
decode.slip("log_probabilities", made=lambda logits: logits.log_softmax(-1)).says(
    "You returned log-probabilities. Return the logits as the step gives them."
)


@decode.mistake("You returned the tokens that went in. Return those that were chosen: the likeliest at each step.")
def tokens_fed(step, state, start, end, limit, targets):
    chosen, logits = decode.reference(step, state, start, end, limit, targets)
    return [start, *(chosen if targets is None else targets)][: len(chosen)], logits


# --- 9.2 additive scores ----------------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="Every query meets every key. Multiply the queries by W once and the keys by U once; give one an axis for the keys and the other an axis for the queries; add, take tanh, and let v make one number of the last axis.",
)
def additive_scores(queries, keys, W, U, v):
    """Scores (T, S) of queries (T, H) and keys (S, K): v (A,) · tanh(W (A, H) query + U (A, K) key)."""
    return torch.stack([torch.stack([v @ (W @ query + U @ key).tanh() for key in keys]) for query in queries])


@additive_scores.cases
def _(rng):
    one = torch.ones(1, 1)
    yield dict(queries=one, keys=2 * one, W=one, U=0.5 * one, v=torch.tensor([2.0]))
    yield dict(queries=one, keys=torch.tensor([[1.0], [2.0]]), W=one, U=-one, v=torch.tensor([1.0]))
    yield dict(
        queries=one, keys=one, W=torch.tensor([[1.0], [0]]), U=torch.tensor([[0.0], [2]]), v=torch.tensor([1.0, -1])
    )
    for T, S, H, K, A in (
        (2, 2, 2, 2, 2),
        (3, 3, 2, 2, 2),
        (1, 3, 2, 1, 2),
        (3, 1, 1, 2, 3),
        (2, 4, 3, 2, 4),
        (4, 2, 2, 3, 3),
    ):
        yield normal(rng, T, H), normal(rng, S, K), normal(rng, A, H), normal(rng, A, K), normal(rng, A)


def _pairs(a: Tensor, b: Tensor) -> Tensor:
    return a[:, None] + b[None]


@additive_scores.recipe
def _(
    queries, keys, W, U, v,
    turn=lambda W, x: x @ W.T, meet=_pairs, bend=torch.tanh, reduce=lambda bent, v: bent @ v, end=lambda scores: scores,
    parts=(1, 1),
):  # fmt: skip
    return end(reduce(bend(meet(parts[0] * turn(W, queries), parts[1] * turn(U, keys))), v))


additive_scores.slip("tanh_missing", bend=lambda sums: sums).says(
    "The tanh is missing. Without it the query adds the same number to the scores of all keys, and the softmax takes that out again: nobody would be asked anything."
)
additive_scores.slip(
    "tanh_of_each_part", meet=lambda a, b: a.tanh()[:, None] + b.tanh()[None], bend=lambda sums: sums
).says("You took tanh of each part and added. Add first: only inside the tanh do query and key meet.")
additive_scores.slip("tanh_at_the_end", bend=lambda sums: sums, end=torch.tanh).says(
    "You took tanh of the finished score. It stands between the two layers: v · tanh(W q + U k)."
)
additive_scores.slip("tanh_twice", end=torch.tanh).says("There is a second tanh, of the score. v comes last.")
additive_scores.slip("sigmoid", bend=torch.sigmoid).says("You took a sigmoid. The score of the paper has tanh.")
additive_scores.slip("relu", bend=torch.relu).says("You took a ReLU. The score of the paper has tanh.")
additive_scores.slip("multiplied", meet=lambda a, b: a[:, None] * b[None]).says(
    "You multiplied the two parts. This score is the *additive* one: W q + U k."
)
additive_scores.slip("v_left_out", reduce=lambda bent, v: bent.sum(-1)).says(
    "You added the A numbers up. v weighs them: the score is their dot product with v."
)
additive_scores.slip("v_averaged", reduce=lambda bent, v: (bent * v).mean(-1)).says(
    "You took the mean over the A numbers. A dot product is their sum."
)
additive_scores.slip("divided_by_the_root", reduce=lambda bent, v: bent @ v / len(v) ** 0.5).says(
    "You divided by the root of A. That belongs to the dot product of lesson 10, not to this score."
)
additive_scores.slip("turned", end=lambda scores: scores.T).says(
    "Rows and columns are swapped. There is a row for each query and a column for each key: (T, S)."
)
additive_scores.slip("softmax_taken", end=lambda scores: scores.softmax(-1)).says(
    "You took the softmax already. These are the scores; the weights come in the next exercise."
)
additive_scores.slip("keys_alone", parts=(0, 1)).says("The queries have no say. Add W · query inside the tanh.")
additive_scores.slip("queries_alone", parts=(1, 0)).says("The keys have no say. Add U · key inside the tanh.")


@additive_scores.mistake(
    "Each query met only the key of its own number. Every query meets every key: add axes, (T, 1, A) and (1, S, A)."
)
def one_key_each(queries, keys, W, U, v):
    return (queries @ W.T + keys @ U.T).tanh() @ v


@additive_scores.mistake("W and U changed places: W belongs to the queries, U to the keys.")
def weights_swapped(queries, keys, W, U, v):
    return additive_scores.reference(queries, keys, U, W, v)


@additive_scores.mistake("You multiplied by W and U from the wrong side. Row by row it is x @ W.T, since W is (A, H).")
def not_transposed(queries, keys, W, U, v):
    return ((queries @ W)[:, None] + (keys @ U)[None]).tanh() @ v


# --- 9.3 masked softmax -----------------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="Padding must have no share, before anything is divided: give it the score −∞. Then think of two rows: one with very large scores, and one in which nothing is visible.",
)
def masked_softmax(scores, visible):
    """Weights (B, T, S) of scores (B, T, S) where `visible` (B, S) is true; 0 elsewhere, and in rows that see nothing."""
    return scores.masked_fill(~visible[:, None], -math.inf).softmax(-1).nan_to_num(0)


@masked_softmax.cases
def _(rng):
    for scores, visible in (
        ([[[0.0, 0]]], [[1, 1]]), ([[[0.0, 0, 5]]], [[1, 1, 0]]), ([[[0.0, 9]]], [[1, 0]]), ([[[1.0, 2]]], [[0, 0]]),
        ([[[0.0, 0], [0, 0]]], [[1, 0]]), ([[[-40.0, 0]]], [[1, 0]]), ([[[1000.0, 1000]]], [[1, 1]]),
        ([[[0.0, 0, 1000]]], [[1, 1, 0]]), ([[[-1000.0, -1000, 0]]], [[1, 1, 0]]), ([[[2.0, 0, 1]], [[1, 3, 3]]], [[0, 0, 0], [0, 1, 1]]),
    ):  # fmt: skip
        yield torch.tensor(scores), torch.tensor(visible).bool()
    for B, T, S in ((1, 3, 3), (2, 2, 3), (3, 3, 3), (2, 4, 5)):
        visible = torch.from_numpy(rng.random((B, S)) < 0.6)
        visible[:, 0], visible[-1, -1] = True, False
        yield 2 * normal(rng, B, T, S), visible


@masked_softmax.recipe
def _(
    scores, visible,
    along=lambda visible: visible[:, None], hidden=lambda scores: -math.inf, soften=lambda scores: scores.softmax(-1),
    after=lambda weights, seen: weights, empty=0.0,
):  # fmt: skip
    seen = along(visible).expand_as(scores)
    weights = soften(torch.where(seen, scores, torch.as_tensor(hidden(scores))))
    return after(weights if empty is None else weights.nan_to_num(empty), seen)


def _not_hidden(scores):
    return scores


masked_softmax.slip("mask_ignored", hidden=_not_hidden).says(
    "The mask has had no effect: padding got its share of the weights."
)
masked_softmax.slip("masked_afterwards", hidden=_not_hidden, after=lambda weights, seen: weights * seen).says(
    "You took the softmax first and set padding to 0 then. What padding had taken is lost: a row no longer adds up to 1. Mask the scores."
)
masked_softmax.slip("masked_with_zero", hidden=lambda scores: 0.0, after=lambda w, seen: w).says(
    "You gave padding the score 0. That is an ordinary score, e⁰ = 1; only −∞ gets nothing."
)
masked_softmax.slip("zero_and_masked_afterwards", hidden=lambda scores: 0.0, after=lambda w, seen: w * seen).says(
    "You gave padding the score 0 and took its weight away afterwards. Rows no longer add up to 1: use −∞."
)
for _number in (10.0, 100.0):
    masked_softmax.slip(f"masked_with_minus_{_number:g}", hidden=lambda scores, low=-_number: low).says(
        f"You gave padding the score −{_number:g}. It is low, but other scores can be lower still. Take −∞."
    )
masked_softmax.slip("empty_row_shared_out", hidden=lambda scores: -1e9).says(
    "A row that sees nothing got equal weights for its padding: where all scores are equally low, the softmax shares out evenly. Set such a row to 0."
)
masked_softmax.slip("empty_row_nan", empty=None).says(
    "A row that sees nothing is nan: 0 divided by 0. Set such a row to 0."
)
masked_softmax.slip("mask_turned_round", along=lambda visible: ~visible[:, None]).says(
    "You hid what is visible. `visible` is true for tokens and false for padding."
)
masked_softmax.slip("softmax_over_the_queries", soften=lambda scores: scores.softmax(1)).says(
    "Your columns add up to 1. Each query shares out its own weights, along the last axis."
)
masked_softmax.slip("softmax_over_the_batch", soften=lambda scores: scores.softmax(0)).says(
    "You took the softmax along the batch. The weights of a query add up along the last axis."
)


def _exponentials(scores: Tensor) -> Tensor:
    return scores.exp() / scores.exp().sum(-1, keepdim=True)


masked_softmax.slip("overflow", soften=_exponentials).says(
    "e to the power of a large score is infinite, and ∞/∞ is no number. Subtract the largest score of a row first; torch's softmax does."
)
masked_softmax.slip("overflow_and_nan", soften=_exponentials, empty=None).says(
    "e to the power of a large score is infinite, and a row without anything visible divides 0 by 0. torch's softmax takes care of the first; set the second to 0."
)


@masked_softmax.mistake(
    "You subtracted the largest of ALL scores, padding included. Where padding has the largest one, nothing is left of the visible ones. Mask first, then take the maximum."
)
def largest_of_all(scores, visible):
    shares = (scores - scores.amax(-1, keepdim=True)).exp() * visible[:, None]
    return (shares / shares.sum(-1, keepdim=True)).nan_to_num(0)


@masked_softmax.mistake("The weights of a row do not add up to 1: divide by the sum over what is visible.")
def not_divided(scores, visible):
    low = scores.masked_fill(~visible[:, None], -math.inf)
    return (low - low.amax(-1, keepdim=True)).exp().nan_to_num(0)


@masked_softmax.mistake(
    "You put the mask along the queries. `visible` speaks of the sources: visible[:, None], (B, 1, S)."
)
def along_the_queries(scores, visible):
    return scores.masked_fill(~visible[:, :, None], -math.inf).softmax(-1).nan_to_num(0)


# --- 9.4 soft lookup --------------------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="Dot products say how well each key fits, the softmax of sharpness times them makes weights, and the weights mix the values. For an infinite sharpness, ask which fits are equal to the best one.",
)
def soft_lookup(query, keys, values, sharpness):
    """The mix (C,) of values (S, C) by softmax(sharpness · keys (S, D) · query (D,)); the best ones' mean if infinite."""
    fits = keys @ query
    if sharpness == math.inf:
        return values[fits == fits.max()].mean(0)
    return (sharpness * fits).softmax(0) @ values


@soft_lookup.cases
def _(rng):
    keys, values = torch.eye(2), torch.tensor([[10.0], [20.0]])
    query = torch.tensor([1.0, 0.0])
    for sharpness in (0.0, 1.0, 3.0, 1e4, math.inf):
        yield dict(query=query, keys=keys, values=values, sharpness=sharpness)
    for second in (2.0, 1.0):  # keys of other lengths; two that fit equally
        yield dict(
            query=query,
            keys=torch.tensor([[1.0, 0], [second, 1], [0, 1]]),
            values=torch.tensor([[10.0], [20], [40]]),
            sharpness=math.inf,
        )
    yield dict(
        query=-query,
        keys=torch.tensor([[1.0, 0], [2, 0], [3, 0]]),
        values=torch.tensor([[10.0], [20], [40]]),
        sharpness=math.inf,
    )
    yield dict(query=torch.zeros(2), keys=torch.eye(2), values=values, sharpness=math.inf)
    for number in range(8):
        S, D = (int(rng.integers(2, 5)) for _ in range(2))
        C = D if number % 2 else int(rng.integers(1, 4))
        sharpness = math.inf if number < 2 else float(rng.choice([0.5, 1.0, 2.0, 5.0]))
        yield normal(rng, D), normal(rng, S, D), normal(rng, S, C), sharpness


@soft_lookup.recipe
def _(
    query, keys, values, sharpness,
    fit=lambda keys, query: keys @ query, sharpen=lambda fits, sharpness: (sharpness * fits).softmax(0),
    best=lambda fits: (fits == fits.max()) / (fits == fits.max()).sum(), mix=lambda weights, keys, values: weights @ values,
    hard=lambda sharpness: sharpness == math.inf,
):  # fmt: skip
    fits = fit(keys, query)
    weights = best(fits).float() if hard(sharpness) else sharpen(fits, sharpness)
    return mix(weights, keys, values)


soft_lookup.slip("infinity_in_the_softmax", hard=lambda sharpness: False).says(
    "With an infinite sharpness you get nan: ∞ times 0, or ∞ minus ∞. Treat it as a case of its own."
)
soft_lookup.slip("sharpness_left_out", sharpen=lambda fits, sharpness: fits.softmax(0)).says(
    "The sharpness has no effect: multiply the dot products by it, inside the softmax."
)
soft_lookup.slip("divided_by_the_sharpness", sharpen=lambda fits, sharpness: (fits / sharpness).softmax(0)).says(
    "You divided by the sharpness. That is a temperature; a sharpness multiplies, so that a larger one decides more clearly."
)
soft_lookup.slip("sharpened_afterwards", sharpen=lambda fits, sharpness: sharpness * fits.softmax(0)).says(
    "You multiplied the weights by the sharpness. They no longer add up to 1: it belongs inside the softmax."
)
soft_lookup.slip("softmax_left_out", sharpen=lambda fits, sharpness: sharpness * fits).says(
    "You mixed by the dot products themselves. Make weights of them first, with a softmax."
)
soft_lookup.slip("always_hard", hard=lambda sharpness: True).says(
    "You took the best key in every case. That is the dictionary; with a finite sharpness all values take part."
)
soft_lookup.slip("first_of_the_best", best=lambda fits: torch.eye(len(fits))[fits.argmax()]).says(
    "Where several keys fit equally well you took the first. The softmax treats them alike, however sharp it is: take the mean of their values."
)
soft_lookup.slip("sum_of_the_best", best=lambda fits: fits == fits.max()).says(
    "Where several keys fit equally well you added their values. Take the mean."
)
soft_lookup.slip("keys_mixed", mix=lambda weights, keys, values: weights @ keys).says(
    "You mixed the keys. Keys are what the query is compared with; what is handed out are the values."
)
soft_lookup.slip("asked_the_values", fit=lambda keys, query: keys @ query, mix=lambda w, keys, values: w).says(
    "You returned the weights. Mix the values with them."
)
soft_lookup.slip("cosine", fit=lambda keys, query: torch.cosine_similarity(keys, query[None], dim=1)).says(
    "You divided by the lengths of query and keys. Here the dot product counts as it is: a longer key may fit better."
)
soft_lookup.slip(
    "divided_by_the_root",
    sharpen=lambda fits, s: (s * fits / 2**0.5).softmax(0),
    fit=lambda keys, query: keys @ query * (2 / len(query)) ** 0.5,
).says(
    "You divided by the root of D. That comes in lesson 10; here the sharpness alone says how strongly the fits are weighed."
)
soft_lookup.slip("distance", fit=lambda keys, query: -(keys - query).norm(dim=1)).says(
    "You took the distance between query and key. Here a key fits as well as its dot product with the query is large."
)
soft_lookup.slip(
    "best_by_size", best=lambda fits: (fits.abs() == fits.abs().max()) / (fits.abs() == fits.abs().max()).sum()
).says("You took the largest fit regardless of its sign. A dot product of −3 fits worse than one of −1.")

# --- 9.5 beam search --------------------------------------------------------------------------------------------------


@lesson.exercise(
    points=3,
    returns=("tokens", "log-probability"),
    hint="Keep a list of pairs: what has been written, and the sum of its log-probabilities. At each step make a longer list, those that have ended as they are and the others with every symbol behind them; sort it; keep the first `width`.",
)
def beam_search(step, width, end, limit):
    """`step(written)` gives log-probabilities (V,). The best text of `limit` tokens at most, and its log-probability."""
    beam: list[tuple[list[int], float]] = [([], 0.0)]
    for _ in range(limit):
        longer = [one for one in beam if one[0][-1:] == [end]]
        for written, total in beam:
            if written[-1:] != [end]:
                longer += [([*written, token], total + float(more)) for token, more in enumerate(step(written))]
        beam = sorted(longer, key=lambda one: one[1], reverse=True)[:width]
    return beam[0]


class Speaker:
    """Log-probabilities of what comes next, by how much has been written and by the last token: a table (steps, V, V)."""

    def __init__(self, chances: Tensor):
        self.logs = chances.double().log().float()

    def __call__(self, written) -> Tensor:
        last = int(written[-1]) if len(written) else 0
        return self.logs[min(len(written), len(self.logs) - 1), last].clone()


def _tables():
    """Chances (steps, V, V) by hand: END is 0. Each begins with the row of token 0, as nothing has been written yet."""
    # a (1) is likelier first, b (2) is better: .6 · .5 = .3 and .4 · .9 = .36
    yield [[[0.0, 0.6, 0.4]] * 3, [[1, 0, 0], [0.5, 0.3, 0.2], [0.9, 0.06, 0.04]], [[1.0, 0, 0]] * 3], 2
    # to end at once is likelier than anything else at first, and in the end not: .4 against .6 · .9 · .9
    yield (
        [
            [[0.4, 0.35, 0.25]] * 3,
            [[1, 0, 0], [0.01, 0.95, 0.04], [0.3, 0.6, 0.1]],
            [[1, 0, 0], [0.93, 0.05, 0.02], [0.9, 0.07, 0.03]],
        ],
        3,
    )
    # what has ended keeps its place
    yield (
        [
            [[0.5, 0.3, 0.2]] * 3,
            [[1, 0, 0], [0.6, 0.3, 0.1], [0.95, 0.03, 0.02]],
            [[1, 0, 0], [0.5, 0.3, 0.2], [0.7, 0.2, 0.1]],
        ],
        3,
    )
    # what has ended with .25 falls out of a beam of 2 at the second step, and would have won at the end
    yield (
        [
            [[0.25, 0.6, 0.15]] * 3,
            [[1, 0, 0], [0.05, 0.5, 0.45], [0.9, 0.06, 0.04]],
            [[1, 0, 0], [0.4, 0.3, 0.3], [0.5, 0.3, 0.2]],
        ],
        3,
    )
    # what is third at the second step, and so falls out of a beam of 2, would have won at the end
    yield (
        [
            [[0.02, 0.59, 0.38, 0.01]] * 4,
            [[1, 0, 0, 0], [0.01, 0.5, 0.48, 0.01], [0.02, 0.12, 0.12, 0.74], [1, 0, 0, 0]],
            [[1, 0, 0, 0], [0.4, 0.2, 0.2, 0.2], [0.4, 0.2, 0.2, 0.2], [0.95, 0.02, 0.02, 0.01]],
        ],
        3,
    )
    # three steps, of which the second is what counts
    yield (
        [
            [[0.02, 0.5, 0.48]] * 3,
            [[1, 0, 0], [0.34, 0.36, 0.3], [0.03, 0.95, 0.02]],
            [[1, 0, 0], [0.8, 0.15, 0.05], [0.6, 0.3, 0.1]],
        ],
        3,
    )


@beam_search.cases
def _(rng):
    for table, limit in _tables():
        for width in (1, 2, 3):
            yield dict(step=torch.tensor(table), width=width, end=0, limit=limit)
    for _ in range(24):
        V, limit = int(rng.integers(3, 6)), int(rng.integers(2, 6))
        chances = (1.5 * normal(rng, limit, V, V)).softmax(-1)
        yield chances, int(rng.integers(1, 4)), int(rng.integers(0, V)), limit


@beam_search.ask
def _(answer, step, width, end, limit):
    return answer(Speaker(step), width, end, limit)


Beam = list[tuple[list[int], float]]


def _cut(beam: Beam, width: int, end: int, done: list) -> Beam:
    return sorted(beam, key=lambda one: one[1], reverse=True)[:width]


def _each_cut(beam: Beam, width: int, end: int, done: list) -> Beam:
    """The best `width` behind each beginning, not of all."""
    behind: dict[tuple, Beam] = {}
    steps = max(len(written) for written, _ in beam)  # what is shorter has ended before
    for one in _cut(beam, len(beam), end, done):
        behind.setdefault(tuple(one[0][: steps - 1]), []).append(one)
    return [one for group in behind.values() for one in group[:width]]


def _set_aside(beam: Beam, width: int, end: int, done: list) -> Beam:
    kept = _cut([one for one in beam if one[0][-1:] != [end]], width, end, done)
    done += [one for one in beam if one[0][-1:] == [end]]
    return kept


def _moved_aside(beam: Beam, width: int, end: int, done: list) -> Beam:
    kept = _cut(beam, width, end, done)
    done += [one for one in kept if one[0][-1:] == [end]]
    return [one for one in kept if one[0][-1:] != [end]]


def _best(beam: Beam, end: int) -> tuple[list[int], float]:
    return max(beam, key=lambda one: one[1])


def _best_for_its_length(beam: Beam, end: int) -> tuple[list[int], float]:
    return max(beam, key=lambda one: one[1] / len(one[0]))


def _best_ended(beam: Beam, end: int) -> tuple[list[int], float]:
    return _best([one for one in beam if one[0][-1:] == [end]] or beam, end)


@beam_search.recipe
def _(
    step, width, end, limit,
    add=lambda total, more: total + more, ended=lambda written, end: written[-1:] == [end], stays=True, cut=_cut,
    best=_best, stop=lambda beam, end: False, steps=lambda limit: limit, wide=lambda width: width,
    give=lambda written, total: (written, total), first=(),
):  # fmt: skip
    beam, done = [(list(first), 0.0)], []
    for _ in range(steps(limit)):
        longer = [one for one in beam if stays and ended(one[0], end)]
        for written, total in beam:
            if not ended(written, end):
                longer += [([*written, token], add(total, float(more))) for token, more in enumerate(step(written))]
        if not longer:
            break
        beam = cut(longer, wide(width), end, done)
        if stop(beam, end):
            break
    written, total = best([*beam, *done], end)
    return give(written, total)


beam_search.slip("greedy", wide=lambda width: 1).says(
    "You kept only the best one at each step. That is greedy search; a beam keeps `width` of them."
)
beam_search.slip("last_step_counts", add=lambda total, more: more).says(
    "You compared the log-probabilities of the last step alone. A text has the sum of all its steps."
)
beam_search.slip("probability_returned", give=lambda written, total: (written, math.exp(total))).says(
    "You returned the probability. Return its logarithm: the sum of the log-probabilities."
)
beam_search.slip("probabilities_added", add=lambda total, more: total + math.exp(more)).says(
    "You added probabilities. Probabilities multiply, and their logarithms add: `step` gives logarithms already."
)
beam_search.slip("logarithms_multiplied", add=lambda total, more: (total or 1) * more).says(
    "You multiplied log-probabilities. The probabilities multiply; their logarithms add."
)
beam_search.slip("goes_on_behind_end", ended=lambda written, end: False).says(
    "You went on behind END. What has ended stays in the beam as it is."
)
beam_search.slip("ended_dropped", stays=False).says(
    "What had ended was lost at the next step. It stays in the beam, and competes with the rest."
)
beam_search.slip("ended_set_aside", cut=_set_aside).says(
    "You put what had ended aside, so that it took up no place. Other programs do so; here it stays in the beam and takes one of the `width` places."
)
beam_search.slip("moved_aside", cut=_moved_aside).says(
    "You moved what had ended out of the beam, where nothing can push it out any more. Here it stays, and falls out if it is not among the `width` best of all."
)
for name, cut in {"best_of_those_set_aside": _set_aside, "best_of_those_moved": _moved_aside}.items():
    beam_search.slip(name, cut=cut, best=_best_ended).says(
        "You answer with a text that has ended, though one that has not is likelier. Here the best one of the beam counts, ended or not; and what has ended goes on competing for a place in the beam."
    )
beam_search.slip("width_for_each", cut=_each_cut).says(
    "You kept `width` continuations of EACH beginning, so that the beam grows. Keep the best `width` of all together."
)
beam_search.slip("stopped_at_the_first_end", stop=lambda beam, end: any(one[0][-1:] == [end] for one in beam)).says(
    "You stopped as soon as one had ended. Another one that is still being written may turn out better."
)
beam_search.slip("stopped_when_the_best_ends", stop=lambda beam, end: False, best=_best_ended).says(
    "You returned the best one that had ended although a better one was not finished. The best counts, finished or not."
)
beam_search.slip("divided_by_length", best=_best_for_its_length).says(
    "You divided by the length before you chose. That is done against short answers; here the log-probability itself counts."
)
beam_search.slip("worst_kept", cut=lambda beam, width, end, done: sorted(beam, key=lambda one: one[1])[:width]).says(
    "You kept the least likely ones. A log-probability is negative: the best is the one nearest to 0."
)
beam_search.slip("worst_returned", best=lambda beam, end: min(beam, key=lambda one: one[1])).says(
    "You returned the last of the beam. The best is the one whose log-probability is nearest to 0."
)
beam_search.slip("one_step_too_few", steps=lambda limit: max(1, limit - 1)).says(
    "You made one step too few: a text may have `limit` tokens, END included."
)
beam_search.slip("one_step_too_many", steps=lambda limit: limit + 1).says(
    "You made one step too many: a text has `limit` tokens at most, END included."
)


@beam_search.mistake(
    "END is missing in what you return. It is a token like the others, and its log-probability is in the sum."
)
def end_left_out(step, width, end, limit):
    written, total = beam_search.reference(step, width, end, limit)
    return written[:-1] if written[-1:] == [end] else written, total
