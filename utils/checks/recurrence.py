"""Exercises of lesson 05: the cell, its unrolling over padded texts, Jordan's step, n-grams in bits, the probe."""

import math
from collections import Counter

import torch
import torch.nn.functional as F

from utils.checking import Lesson, normal

lesson = Lesson("05", __name__)

# --- 5.1 the cell -------------------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="Weigh the input, weigh the state before, add both biases, and squash the sum once.",
)
def rnn_cell(x, h, W_x, W_h, b_x, b_h):
    """One step: x (B, C), h (B, H), W_x (H, C), W_h (H, H), b_x and b_h (H,); returns the new state (B, H)."""
    return torch.rnn_tanh_cell(x, h, W_x, W_h, b_x, b_h)


@rnn_cell.cases
def _(rng):
    one, none = torch.ones(1, 1), torch.zeros(1)
    yield dict(x=one, h=0 * one, W_x=one, W_h=0 * one, b_x=none, b_h=none)
    yield dict(x=0 * one, h=one, W_x=one, W_h=one, b_x=none, b_h=none)
    yield dict(x=0 * one, h=0 * one, W_x=one, W_h=one, b_x=none + 1, b_h=none)
    yield dict(x=0 * one, h=0 * one, W_x=one, W_h=one, b_x=none, b_h=none + 1)
    yield dict(x=-one, h=2 * one, W_x=one, W_h=one, b_x=none, b_h=none)
    zeros, shift = torch.zeros(2), torch.tensor([[0.0, 1.0], [0.0, 0.0]])  # from unit 1 to unit 0
    yield dict(x=torch.zeros(1, 2), h=torch.tensor([[0.0, 1.0]]), W_x=torch.eye(2), W_h=shift, b_x=zeros, b_h=zeros)
    yield dict(x=torch.tensor([[0.0, 1.0]]), h=torch.zeros(1, 2), W_x=shift, W_h=torch.eye(2), b_x=zeros, b_h=zeros)
    for _ in range(8):
        B, C, H = (int(rng.integers(1, 4)) for _ in range(3))
        yield normal(rng, B, C), normal(rng, B, H), normal(rng, H, C), normal(rng, H, H), normal(rng, H), normal(rng, H)


@rnn_cell.recipe
def _(
    x, h, W_x, W_h, b_x, b_h,
    squash=torch.tanh, state=1, turn=True, first=1, second=1, weigh=True, end=lambda new, old: new,
):  # fmt: skip
    past = h @ (W_h.T if turn else W_h) if weigh else h
    return end(squash(x @ W_x.T + state * past + first * b_x + second * b_h), h)


rnn_cell.slip("no_tanh", squash=lambda s: s).says("The tanh is missing. Without it the states can grow without bound.")
rnn_cell.slip("state_forgotten", state=0).says(
    "The state before is missing: add W_h h. Without it the cell knows nothing but its input."
)
rnn_cell.slip("state_weight_transposed", turn=False).says(
    "W_h is transposed. Its rows belong to the new state: for a batch of rows, write h @ W_h.T."
)
rnn_cell.slip("state_bias_missing", second=0).says("The bias b_h is missing. torch keeps two of them.")
rnn_cell.slip("input_bias_missing", first=0).says("The bias b_x is missing. torch keeps two of them.")
rnn_cell.slip("both_biases_missing", first=0, second=0).says("Both biases are missing: b_x and b_h.")
rnn_cell.slip("sigmoid", squash=torch.sigmoid).says(
    "You squashed with a sigmoid, which gives numbers from 0 to 1. This cell squashes with tanh, from −1 to 1."
)
rnn_cell.slip("relu", squash=F.relu).says("You squashed with a ReLU. This cell squashes with tanh.")
rnn_cell.slip("state_not_weighed", weigh=False).says(
    "You added the state as it was. It goes through its own weights first: W_h h."
)
rnn_cell.slip("state_added_once_more", end=lambda new, old: new + old).says(
    "You added the old state to the new one. That is a residual connection; this cell replaces its state."
)


@rnn_cell.mistake("You took tanh of each part and added. Add first, and take tanh of the sum.")
def tanh_of_each_part(x, h, W_x, W_h, b_x, b_h):
    return torch.tanh(x @ W_x.T + b_x) + torch.tanh(h @ W_h.T + b_h)


@rnn_cell.mistake("Your tanh stands around the input alone. It stands around the whole sum, state and all.")
def state_outside(x, h, W_x, W_h, b_x, b_h):
    return torch.tanh(x @ W_x.T + b_x) + h @ W_h.T + b_h


@rnn_cell.mistake("You took tanh of W_h h alone and added the input outside. Add first, and take tanh of the sum.")
def input_outside(x, h, W_x, W_h, b_x, b_h):
    return x @ W_x.T + b_x + torch.tanh(h @ W_h.T + b_h)


# --- 5.2 unrolled over texts of different lengths -----------------------------------------------------------------


@lesson.exercise(
    points={"every state": 2, "own last state": 1},
    returns=("states", "last"),
    hint="Begin with zeros. Walk along the steps; each new state is made of this step's input and of the state before it. Keep all of them, and then pick for each text the state after its own last input.",
)
def unroll(x, lengths, W_x, W_h, b):
    """x (B, T, C), lengths (B,), W_x (H, C), W_h (H, H), b (H,): all states (B, T, H), and each text's last (B, H)."""
    none = x.new_zeros(1, len(x), len(b))
    states, _ = torch.rnn_tanh(x, none, [W_x, W_h, b, 0 * b], True, 1, 0.0, False, False, True)
    return states, states[torch.arange(len(x)), lengths - 1]


@unroll.cases
def _(rng):
    one, none = torch.ones(1, 1), torch.zeros(1)
    yield dict(x=torch.ones(1, 1, 1), lengths=torch.tensor([1]), W_x=one, W_h=one, b=none)
    yield dict(x=torch.tensor([[[1.0], [0.0]]]), lengths=torch.tensor([2]), W_x=one, W_h=one, b=none)
    yield dict(x=torch.tensor([[[0.0], [1.0], [0.0]]]), lengths=torch.tensor([3]), W_x=one, W_h=one, b=none)
    yield dict(x=torch.tensor([[[1.0], [0.0]], [[0.0], [0.0]]]), lengths=torch.tensor([2, 2]), W_x=one, W_h=one, b=none)
    shift = torch.tensor([[0.0, 1.0], [0.0, 0.0]])
    yield dict(x=torch.eye(2)[None, [1, 0]], lengths=torch.tensor([2]), W_x=torch.eye(2), W_h=shift, b=torch.zeros(2))
    for _ in range(5):
        yield _texts(rng, ragged=False)


@unroll.cases("own last state")
def _(rng):
    one, none = torch.ones(1, 1), torch.zeros(1)
    yield dict(x=torch.tensor([[[1.0], [0.0]]]), lengths=torch.tensor([1]), W_x=one, W_h=one, b=none)
    yield dict(
        x=torch.tensor([[[1.0], [0.0], [2.0]], [[0.0], [1.0], [1.0]]]), lengths=torch.tensor([1, 3]), W_x=one, W_h=one,
        b=none,
    )  # fmt: skip
    for _ in range(6):
        yield _texts(rng, ragged=True)


def _texts(rng, ragged: bool) -> dict:
    B, T, C, H = (int(rng.integers(2, 5)) for _ in range(4))
    lengths = torch.from_numpy(rng.integers(1, T + 1, B)) if ragged else torch.full((B,), T)
    if ragged:
        lengths[0] = 1  # at least one text is shorter than the longest
        lengths[1] = T
    x, W_x, W_h, b = normal(rng, B, T, C), normal(rng, H, C), normal(rng, H, H), normal(rng, H)
    return dict(x=x, lengths=lengths, W_x=W_x, W_h=W_h, b=b)


def _own_last(states, lengths, x):
    return states[torch.arange(len(states)), lengths - 1]


@unroll.recipe
def _(
    x, lengths, W_x, W_h, b,
    start=lambda h, x, b: h, carry=lambda new, old: new, keep=lambda new, old: new, squash=torch.tanh, turn=True,
    order=lambda x: x.unbind(1), stack=lambda states: torch.stack(states, 1), pick=_own_last, give=lambda s, last: (s, last),
):  # fmt: skip
    h = start(x.new_zeros(len(x), len(b)), x, b)
    states = []
    for x_t in order(x):
        new = squash(x_t @ W_x.T + h @ (W_h.T if turn else W_h) + b)
        states.append(keep(new, h))
        h = carry(new, h)
    every = torch.stack(states, 1)
    return give(stack(states), pick(every, lengths, x))


unroll.slip("state_not_carried", carry=lambda new, old: old).says(
    "Every step begins from zeros again. The state that one step makes is what the next step begins with: h = …, then on."
)
unroll.slip("states_one_step_late", keep=lambda new, old: old).says(
    "Your states are one step late: the first is the zeros that you began with. Keep each state *after* its input is read."
)
unroll.slip("batch_and_time_swapped", stack=lambda states: torch.stack(states, 0)).says(
    "Batch and time are swapped: stack the states along dim=1, so that they are (B, T, H)."
)
unroll.slip("read_backwards", order=lambda x: x.flip(1).unbind(1)).says(
    "You read the texts from the end to the beginning. Step 0 comes first."
)
unroll.slip("no_tanh", squash=lambda s: s).says("The tanh is missing: each step squashes its sum.")
unroll.slip("state_weight_transposed", turn=False).says(
    "W_h is transposed. Its rows belong to the new state: for a batch of rows, write h @ W_h.T."
)
unroll.slip("starts_with_ones", start=lambda h, x, b: h + 1).says(
    "Your first state is 1 everywhere. Before anything is read the state is 0."
)
unroll.slip("starts_with_the_bias", start=lambda h, x, b: h + b).says(
    "You began with the bias as the state. Before anything is read the state is 0; each step adds the bias."
)
unroll.slip("first_input_again_and_again", order=lambda x: [x[:, 0]] * x.shape[1]).says(
    "Each step reads the first input again. Step t reads x[:, t]."
)
unroll.slip("only_the_last", give=lambda states, last: last).says(
    "You returned the last states alone. Both are asked for: all states, and each text's last one."
)
unroll.slip("parts_swapped", give=lambda states, last: (last, states)).says(
    "You returned the last states first. The order is: all states (B, T, H), then each text's last one (B, H)."
)
unroll.slip("last_of_the_padding", pick=lambda states, lengths, x: states[:, -1]).says(
    "Your last state is the one of step T for every text. A shorter text has ended before, and what follows is padding: take the state of step lengths[n] - 1."
)
unroll.slip(
    "one_step_too_far",
    pick=lambda s, n, x: s[torch.arange(len(s)), n.clamp(max=s.shape[1] - 1)],
).says("Your last state is one step too far. A text of length 1 has read step 0: the index is lengths[n] - 1.")
unroll.slip("index_is_the_length", pick=lambda s, n, x: s[torch.arange(len(s)), n]).says(
    "Your index is lengths[n]. Steps are counted from 0, lengths from 1: the state after the last word stands at lengths[n] - 1."
)
unroll.slip(
    "mean_of_the_states",
    pick=lambda s, n, x: torch.stack([row[:length].mean(0) for row, length in zip(s, n.tolist(), strict=True)]),
).says("You averaged the states. The state after the last input is asked for: it has read the whole text.")


@unroll.mistake(
    "Your states are 0 after the end of a text, as those of a packed sequence are. Here you go on through the padding as if it were input."
)
def zeros_after_the_end(x, lengths, W_x, W_h, b):
    states, last = unroll.reference(x, lengths, W_x, W_h, b)
    return states * (torch.arange(x.shape[1]) < lengths[:, None])[..., None], last


@unroll.mistake(
    "You froze the state at a text's end. Here you go on through the padding as if it were input; only `last` is taken where the text ends."
)
def frozen_after_the_end(x, lengths, W_x, W_h, b):
    states, last = unroll.reference(x, lengths, W_x, W_h, b)
    ended = torch.arange(x.shape[1]) >= lengths[:, None]
    return torch.where(ended[..., None], last[:, None], states), last


@unroll.mistake(
    "The state of one text went over into the next one. Each text of a batch begins from zeros, whatever was read before."
)
def carried_across_texts(x, lengths, W_x, W_h, b):
    h, rows, last = x.new_zeros(len(b)), [], []
    for text, length in zip(x, lengths.tolist(), strict=True):
        states = []
        for x_t in text:
            h = torch.tanh(W_x @ x_t + W_h @ h + b)
            states.append(h)
        rows.append(torch.stack(states))
        last.append(states[length - 1])
    return torch.stack(rows), torch.stack(last)


# --- 5.3 Jordan's step --------------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    returns=("output", "context"),
    hint="Hidden numbers from the input and the old context, the output from the hidden numbers; and only then the new context, from the old one and the output.",
)
def jordan_step(x, context, W_x, W_s, b, W_y, b_y, keep):
    """x (B, C), context (B, V), W_x (H, C), W_s (H, V), b (H,), W_y (V, H), b_y (V,): output and context, (B, V) each."""
    hidden = F.linear(x, W_x, b) + F.linear(context, W_s)
    output = F.linear(hidden.tanh(), W_y, b_y).softmax(-1)
    return output, keep * context + output


@jordan_step.cases
def _(rng):
    one, two = torch.ones(1, 1), torch.eye(2)
    by_hand = dict(W_x=two, W_s=0 * two, b=torch.zeros(2), W_y=two, b_y=torch.zeros(2))
    yield dict(x=torch.zeros(1, 2), context=torch.zeros(1, 2), keep=0.5, **by_hand)
    yield dict(x=torch.zeros(1, 2), context=torch.tensor([[1.0, 3.0]]), keep=0.5, **by_hand)
    yield dict(x=torch.tensor([[2.0, 0.0]]), context=torch.zeros(1, 2), keep=0.5, **by_hand)
    yield dict(x=torch.zeros(1, 2), context=torch.tensor([[2.0, 0.0]]), keep=0.0, **(by_hand | dict(W_s=two)))
    yield dict(x=one, context=one, W_x=one, W_s=one, b=torch.zeros(1), W_y=one, b_y=torch.zeros(1), keep=0.25)
    yield dict(x=0 * two[:1], context=0 * two[:1], keep=0.5, **(by_hand | dict(b=torch.tensor([2.0, 0.0]))))
    crossed = torch.tensor([[0.0, 2.0], [0.0, 0.0]])  # only the first hidden number listens, to the second word
    yield dict(x=0 * two[:1], context=two[1:], keep=0.5, **(by_hand | dict(W_s=crossed)))
    for _ in range(8):
        B, C, H, V = (int(rng.integers(2, 5)) for _ in range(4))
        yield (
            normal(rng, B, C), normal(rng, B, V).softmax(-1), normal(rng, H, C), normal(rng, H, V), normal(rng, H),
            normal(rng, V, H), normal(rng, V), float(rng.integers(1, 9)) / 10,
        )  # fmt: skip


def _softmax(logits):
    return logits.softmax(-1)


@jordan_step.recipe
def _(
    x, context, W_x, W_s, b, W_y, b_y, keep,
    share=1, squash=torch.tanh, choose=_softmax, bias=1, inner=1, turn=lambda W: W.T, read=lambda context, keep: context,
    after=lambda old, output, hidden, logits, keep: keep * old + output, give=lambda output, context: (output, context),
    say=lambda output, logits: output,
):  # fmt: skip
    hidden = squash(x @ W_x.T + share * read(context, keep) @ turn(W_s) + inner * b)
    logits = hidden @ W_y.T + bias * b_y
    output = choose(logits)
    return give(say(output, logits), after(context, output, hidden, logits, keep))


jordan_step.slip("no_softmax", choose=lambda logits: logits).says(
    "The softmax is missing: the output is a row of probabilities, and so is what comes back."
)
jordan_step.slip("logits_returned", say=lambda output, logits: logits).says(
    "You returned logits and fed back the output: your context is right. The output that you return is the row of probabilities."
)
jordan_step.slip("logits_fed_back", after=lambda old, out, hidden, logits, keep: keep * old + logits).says(
    "Your context keeps the logits. What comes back is the output y, after its softmax."
)
jordan_step.slip("softmax_over_the_batch", choose=lambda logits: logits.softmax(0)).says(
    "Your softmax runs over the batch, so that the texts share out each word. Every row sums to 1: softmax(dim=-1)."
)
jordan_step.slip("context_replaced", after=lambda old, out, hidden, logits, keep: out).says(
    "Your new context is the output alone. It also keeps a share of what it was: keep * context + output."
)
jordan_step.slip("context_averaged", after=lambda old, out, hidden, logits, keep: keep * old + (1 - keep) * out).says(
    "You averaged old context and output. Jordan adds the whole output: keep * context + output."
)
jordan_step.slip("keep_on_the_wrong_term", after=lambda old, out, hidden, logits, keep: old + keep * out).says(
    "You kept all of the old context and a share of the output. It is the other way round: keep * context + output."
)
jordan_step.slip("faded_before_it_is_read", read=lambda context, keep: keep * context).says(
    "You let the context fade before the hidden layer read it. The hidden layer reads the old context as it is; only the new one is made of keep * context + output."
)
jordan_step.slip("nothing_fades", after=lambda old, out, hidden, logits, keep: old + out).says(
    "Your context never fades: multiply the old one by `keep` before you add the output."
)
jordan_step.slip("context_not_read", share=0).says(
    "The hidden numbers do not read the context: add W_s s to the sum inside the tanh."
)
jordan_step.slip("no_tanh", squash=lambda s: s).says("The tanh is missing: the hidden numbers are tanh of their sum.")
jordan_step.slip("hidden_bias_missing", inner=0).says("The bias b of the hidden numbers is missing.")
jordan_step.slip("context_weight_transposed", turn=lambda W: W).says("W_s is transposed: write context @ W_s.T.")
jordan_step.slip("hidden_is_the_context", after=lambda old, out, hidden, logits, keep: hidden).says(
    "You returned the hidden numbers as the new context: that is Elman's network. In Jordan's, the *output* comes back, added to what is kept."
)
jordan_step.slip("output_bias_missing", bias=0).says("The bias b_y of the output is missing.")
jordan_step.slip("parts_swapped", give=lambda output, context: (context, output)).says(
    "You returned the context first. The order is: output, context."
)


@jordan_step.mistake("You fed the hidden numbers back: that is Elman's network. In Jordan's, the *output* comes back.")
def hidden_fed_back(x, context, W_x, W_s, b, W_y, b_y, keep):
    hidden = torch.tanh(x @ W_x.T + context @ W_s.T + b)
    output = _softmax(hidden @ W_y.T + b_y)
    return output, keep * context + hidden  # an error where there are not as many hidden numbers as words


# --- 5.4 n-grams in bits ------------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="Count, in the training text, how often each stretch of `order` characters occurs, and how often each of its contexts was followed by anything. Then walk along the test text and average −log2 of the smoothed share.",
)
def ngram_bits(train, test, order, vocabulary):
    """Mean −log2 P(character | the order − 1 before it) over the test text from place order − 1 on, add-one smoothing."""
    grams, contexts = _counted(train, order)
    pieces = [test[i : i + order] for i in range(len(test) - order + 1)]
    return sum(math.log2((contexts[g[:-1]] + vocabulary) / (grams[g] + 1)) for g in pieces) / len(pieces)


def _counted(text: str, order: int) -> tuple[Counter, Counter]:
    grams = Counter(text[i : i + order] for i in range(len(text) - order + 1))
    contexts = Counter(text[i : i + order - 1] for i in range(len(text) - order + 1))
    return grams, contexts


@ngram_bits.cases
def _(rng):
    yield dict(train="aaab", test="a", order=1, vocabulary=2)
    yield dict(train="abab", test="ab", order=2, vocabulary=2)
    yield dict(train="abab", test="ba", order=2, vocabulary=2)  # the last b of the training text is followed by nothing
    yield dict(train="aab", test="bb", order=2, vocabulary=3)  # never seen
    yield dict(train="aabab", test="abab", order=2, vocabulary=4)
    yield dict(train="abcabcab", test="abca", order=3, vocabulary=3)
    for _ in range(8):
        letters, order = "abcd"[: int(rng.integers(2, 5))], int(rng.integers(1, 4))
        train, test = ("".join(rng.choice(list(letters), int(rng.integers(*ends)))) for ends in ((20, 40), (6, 12)))
        yield train, test, order, len(letters) + int(rng.integers(0, 3))


@ngram_bits.recipe
def _(
    train, test, order, vocabulary,
    counted=_counted, added=1, below=lambda contexts, gram, train, vocabulary: contexts[gram[:-1]] + vocabulary,
    log=math.log2, average=lambda surprises, test: sum(surprises) / len(surprises), give=lambda bits: bits,
):  # fmt: skip
    grams, contexts = counted(train, order)
    pieces = [test[i : i + order] for i in range(len(test) - order + 1)]
    return give(average([-log((grams[g] + added) / below(contexts, g, train, vocabulary)) for g in pieces], test))


ngram_bits.slip("nats", log=math.log).says(
    "You took the natural logarithm, which gives nats. For bits, take math.log2, or divide by ln 2."
)
ngram_bits.slip("base_ten", log=math.log10).says("You took the logarithm to base 10. For bits, take math.log2.")
ngram_bits.slip("vocabulary_not_added", below=lambda c, g, train, V: max(c[g[:-1]], 1)).says(
    "You added 1 above and nothing below, so that the probabilities of a context sum to more than 1. Each of the V characters got one count more: add V below."
)
ngram_bits.slip("one_added_below", below=lambda c, g, train, V: c[g[:-1]] + 1).says(
    "You added 1 below. Each of the V characters got one count more: add V below."
)
ngram_bits.slip("joint_probability", below=lambda c, g, train, V: sum(c.values()) + V).says(
    "You divided by the number of all n-grams. That is how likely the whole stretch is; asked for is the character *given* its context: divide by how often that context was followed by anything."
)
ngram_bits.slip("sum_not_mean", average=lambda s, test: sum(s)).says(
    "You summed the bits. Bits *per character* are asked for: divide by the number of characters that were predicted."
)
ngram_bits.slip("divided_by_the_whole_text", average=lambda s, test: sum(s) / len(test)).says(
    "You divided by the length of the test text. The first order − 1 characters of the test text are not predicted."
)
ngram_bits.slip(
    "mean_of_the_probabilities", average=lambda s, test: -math.log2(sum(2**-one for one in s) / len(s))
).says(
    "You averaged the probabilities and took the logarithm of the mean. Take the logarithm of each, and average those."
)
ngram_bits.slip("perplexity", give=lambda bits: 2**bits).says(
    "You returned the perplexity, 2 to the power of the bits."
)
ngram_bits.slip("negative", give=lambda bits: -bits).says(
    "Your bits are negative: the logarithm of a probability is. Surprise is *minus* that."
)


ngram_bits.slip("vocabulary_of_the_text", below=lambda c, g, train, V: c[g[:-1]] + len(set(train))).says(
    "You counted the characters of the training text. V is `vocabulary`: there may be characters that it does not use."
)


def _last_stretch_left_out(text: str, order: int) -> tuple[Counter, Counter]:
    return _counted(text[:-1], order)


ngram_bits.slip("last_stretch_not_counted", counted=_last_stretch_left_out).says(
    "The last stretch of the training text is not counted: a text of T characters has T − order + 1 stretches, so range(len(train) - order + 1)."
)


@ngram_bits.mistake(
    "You smoothed only what was never seen. The 1 above and the V below belong to every count, or a context's probabilities sum to more than 1."
)
def smoothed_only_if_unseen(train, test, order, vocabulary):
    grams, contexts = _counted(train, order)
    pieces = [test[i : i + order] for i in range(len(test) - order + 1)]
    shares = [
        grams[piece] / contexts[piece[:-1]] if grams[piece] else 1 / (contexts[piece[:-1]] + vocabulary)
        for piece in pieces
    ]
    return -sum(map(math.log2, shares)) / len(shares)


def _contexts_to_the_end(text: str, order: int) -> tuple[Counter, Counter]:
    grams, _ = _counted(text, order)
    return grams, Counter(text[i : i + order - 1] for i in range(len(text) - order + 2))


ngram_bits.slip("context_at_the_end_counted", counted=_contexts_to_the_end).says(
    "You counted the context at the very end of the training text too. Nothing follows it there: count contexts that were followed by a character."
)


ngram_bits.wrong(
    "context_counted_by_str_count",
    lambda train, test, order, vocabulary: ngram_bits.variant(counted=_contexts_to_the_end if order > 1 else _counted)(
        train, test, order, vocabulary
    ),
).says(
    "You counted the context at the very end of the training text too, as train.count(context) does. Nothing follows it there: count contexts that were followed by a character."
)


@ngram_bits.mistake(
    "You did not smooth: what was never counted has the probability 0, and costs infinitely many bits. Add 1 above and V below."
)
def no_smoothing(train, test, order, vocabulary):
    grams, contexts = _counted(train, order)
    pieces = [test[i : i + order] for i in range(len(test) - order + 1)]
    shares = [grams[piece] / max(contexts[piece[:-1]], 1) for piece in pieces]
    return sum(-math.log2(share) if share else math.inf for share in shares) / len(shares)


@ngram_bits.mistake("You counted the test text. What is to be predicted must not be in the counts.")
def counted_on_the_test(train, test, order, vocabulary):
    return ngram_bits.reference(test, test, order, vocabulary)


@ngram_bits.mistake("Your contexts have `order` characters. An n-gram is n characters in all: a context of n − 1.")
def context_too_long(train, test, order, vocabulary):
    return ngram_bits.reference(train, test, order + 1, vocabulary)


@ngram_bits.mistake("Your contexts are the characters that *follow*. A reader knows only what came before.")
def read_backwards(train, test, order, vocabulary):
    return ngram_bits.reference(train[::-1], test[::-1], order, vocabulary)


# --- 5.5 the probe ------------------------------------------------------------------------------------------------


@lesson.exercise(
    points=3,
    hint="Pair each state with the token that was read `lag` steps earlier. Fit states (and a column of ones) to one-hot tokens by least squares in the first text; in the second, the largest answer is the guess.",
)
def probe_accuracy(states, tokens, lag, classes):
    """states (2, T, H), tokens (2, T): the share of tokens t − lag that a linear probe of h_t names in the second text."""
    (fit, target), (test, truth) = (_pairs(states[text], tokens[text], lag) for text in (0, 1))
    weights = _least_squares(fit, F.one_hot(target, classes).double())
    return ((test @ weights).argmax(1) == truth).double().mean().item()


def _pairs(states, tokens, lag, shift=0):
    """States (N, H + 1), with a column of ones, and the tokens (N,) that were read so many steps earlier."""
    back = lag + shift
    late, early = states[max(back, 0) :], tokens[: len(tokens) - back]
    count = min(len(late), len(early))
    return torch.cat([late[:count].double(), torch.ones(count, 1).double()], 1), early[:count]


def _least_squares(inputs, targets):
    return torch.linalg.lstsq(inputs, targets, driver="gelsd").solution


@probe_accuracy.cases
def _(rng):
    yield dict(**_shift_register(rng, 24), lag=0, classes=2)
    yield dict(**_shift_register(rng, 24), lag=1, classes=2)
    yield dict(**_shift_register(rng, 24), lag=2, classes=2)  # no longer held
    for lag in (0, 1, 2, 3, 1, 2):
        T, H, classes = int(rng.integers(40, 60)), int(rng.integers(2, 5)), int(rng.integers(2, 5))
        tokens = torch.from_numpy(rng.integers(0, classes, (2, T)))
        x = normal(rng, classes, H)[tokens]
        W = 0.9 * torch.linalg.qr(normal(rng, H, H))[0]
        h, states = torch.zeros(2, H), []
        for x_t in x.unbind(1):
            h = torch.tanh(0.7 * x_t + h @ W.T)
            states.append(h)
        yield dict(states=torch.stack(states, 1) + 1, tokens=tokens, lag=lag, classes=classes)


def _shift_register(rng, length: int) -> dict:
    """A state that holds this token and the one before it, each as a number."""
    tokens = torch.from_numpy(rng.integers(0, 2, (2, length + 1)))
    tokens[:, :6] = torch.tensor([0, 0, 1, 0, 1, 1])  # each pair of tokens occurs
    return dict(states=torch.stack([tokens[:, 1:], tokens[:, :-1]], 2).float(), tokens=tokens[:, 1:].clone())


@probe_accuracy.recipe
def _(
    states, tokens, lag, classes,
    pairs=_pairs, texts=(0, 1), ones=True, give=lambda right: right.double().mean().item(),
):  # fmt: skip
    (fit, target), (test, truth) = (pairs(states[text], tokens[text], lag) for text in texts)
    columns = slice(None) if ones else slice(-1)
    weights = _least_squares(fit[:, columns], F.one_hot(target, classes).double())
    return give((test[:, columns] @ weights).argmax(1) == truth)


def _future(states, tokens, lag):
    late = states[: len(states) - lag].double()
    return torch.cat([late, torch.ones(len(late), 1).double()], 1), tokens[lag:]


def _rolled(states, tokens, lag):
    return _pairs(states, tokens.roll(lag), 0)


probe_accuracy.slip("token_of_the_future", pairs=_future).says(
    "You paired each state with the token `lag` steps *later*, which it has not read. h_t goes with token t − lag: states[lag:] with tokens[:-lag]."
)
probe_accuracy.slip("one_step_too_far", pairs=lambda s, x, lag: _pairs(s, x, lag, 1)).says(
    "Your pairs are one step too far apart: lag 0 is the token that the state has just read."
)
probe_accuracy.slip("lag_ignored", pairs=lambda s, x, lag: _pairs(s, x, 0)).says(
    "You ignored the lag: every state goes with the token that it has just read."
)
probe_accuracy.slip("wrapped_around", pairs=_rolled).says(
    "`roll` brings the tokens of the end to the beginning, so that the first states are paired with tokens that come later. Cut them off instead."
)
probe_accuracy.slip("tested_where_it_was_fitted", texts=(0, 0)).says(
    "You tested the probe on the text that it was fitted to. With enough numbers a probe fits anything: test it on the second text."
)
probe_accuracy.slip("texts_swapped", texts=(1, 0)).says(
    "You fitted the probe on the second text and tested it on the first. It is the other way round."
)
probe_accuracy.slip("fitted_again_on_the_second", texts=(1, 1)).says(
    "You fitted the probe on the second text, where it is tested. Fit it on the first."
)
probe_accuracy.slip("no_column_of_ones", ones=False).says(
    "The probe has no bias: append a column of ones to the states, in both texts."
)
probe_accuracy.slip("share_of_errors", give=lambda right: 1 - right.double().mean().item()).says(
    "You returned the share of errors. The share of right answers is asked for."
)
probe_accuracy.slip("per_cent", give=lambda right: 100 * right.double().mean().item()).says(
    "You returned per cent. A share lies between 0 and 1."
)
probe_accuracy.slip("count_of_right_answers", give=lambda right: int(right.sum())).says(
    "You returned how many answers are right. Divide by how many there are."
)


@probe_accuracy.mistake(
    "You fitted the token's *number*, as if token 2 lay between 1 and 3. Tokens have no order: fit one column for each (one-hot)."
)
def number_fitted(states, tokens, lag, classes):
    (fit, target), (test, truth) = (_pairs(states[text], tokens[text], lag) for text in (0, 1))
    guess = (test @ _least_squares(fit, target.double()[:, None]))[:, 0].round().clamp(0, classes - 1)
    return (guess == truth).double().mean().item()
