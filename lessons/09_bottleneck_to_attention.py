# %% [markdown] question="what does one vector lose?" write="the decoder's loop, additive scores, a masked softmax, a soft lookup, beam search" minutes=120
# # 09 · From bottleneck to attention: what does one vector lose?
#
# A translation may be longer or shorter than its original, and its words may come in another order. So one network reads, and a
# second one writes. In 2014 all that passed between them was a single vector. What gets lost there, and what happens if the writer may
# look back?
#
# When you are done (about 120 minutes) you can
#
# - write the loop of a decoder, and say what it costs that training feeds it something else than use does;
# - measure how much one vector carries, and tell its size in bits from what training puts into it;
# - write additive attention, score, mask and softmax, and hold its alignment against the true one;
# - explain query, key and value as a soft dictionary, and sharpen it until it is a hard one;
# - write beam search, and show a case in which greedy search is wrong.
#
# You need lesson 05: a recurrent state. The GRU used here is that of lesson 07; to know that it is a recurrent layer is enough.

# %% setup=true
import json
import math
from functools import partial

import torch

from utils import notebook, paths, reach
from utils.checks import bottleneck_to_attention as check
from utils.claims import claim
from utils.models.seq2seq import (
    AdditiveScore,
    EncoderDecoder,
    as_function,
    next_symbol,
    stepper,
    write,
)
from utils.notebook import payoff
from utils.plotting import alignment as plots
from utils.plotting.maps import plot_influences
from utils.plotting.runs import plot_runs
from utils.tasks.translation import (
    END,
    START,
    dates,
    half_right,
    reversal,
    reversals,
    text_of,
)
from utils.training import Batches, count_parameters, fit, in_parallel, seed_everything
from utils.widgets.decoder_stepper import Steps, decoder_stepper

notebook.setup()
torch.set_num_threads(1)  # one step waits for the one before it: a second thread would mostly wait

# %% [markdown] covers="44"
# ## 1 · One reads, one writes
#
# The **encoder** reads the source $x_1 \dots x_S$ and keeps its last state: one vector $c$. The **decoder** begins there and writes one
# symbol at a time. Each symbol that it has written is what it reads next. Two extra symbols frame the text: START is fed before
# anything is written, and END is written when nothing is left to say. So the decoder decides itself how long its text gets.
#
# By hand: let a decoder be nothing but a table that says which symbol follows which. **Predict** what it writes.

# %% same_output=true
follows = {"START": "y", "y": "e", "e": "s", "s": "END"}
symbol = "START"
while symbol != "END":
    symbol = follows[symbol]
    print(symbol)

# %% [markdown] covers="44"
# A table knows the last symbol alone: it could never write *eye*. A recurrent decoder has a state, and it has $c$:
#
# $$\text{encoder: } h_s = \text{GRU}(x_s, h_{s-1}) \qquad c = h_S$$
# $$\text{decoder: } g_t = \text{GRU}([y_{t-1}, c], g_{t-1}) \qquad g_0 = \tanh(W c + b) \qquad y_0 = \operatorname{START}$$
# $$p(y_t \mid y_1 \dots y_{t-1}, x) = \operatorname{softmax}(W_o g_t + b')$$
#
# In *use* $y_{t-1}$ is what the decoder has just chosen. In *training* the right text is known, and the decoder is fed that instead,
# whatever it would have chosen. This is called **teacher forcing**. Say the right text is *yes*. **Predict** the four symbols that go in,
# and the four that are to come out.
#
# | symbol | variable | meaning |
# | --- | --- | --- |
# | one step | `step(token, state)` | returns the logits (V,), one number for each symbol, and the next state |
# | $g_0$ | `state` | the state to begin with ($c$ and $g$ are not the cell and the candidate of lesson 07) |
# | START, END | `start`, `end` | two tokens, whole numbers |
# | $y_1 \dots y_T$ | `targets` | the right tokens, a list that ends with END; or `None` in use |
# | | `limit` | in use: how many steps at most |
#
# ### Exercise 9.1 · the loop of a decoder
# ●●○ · about 15 minutes · 3 points
#
# Write `decode(step, state, start, end, limit, targets)`. Feed `start` first. Note at each step the likeliest token. Return two things: `chosen`,
# the list of these tokens, and `logits`, all of them as one tensor (steps, V).
#
# - With `targets` (one point) there is one step for each target, and after each step the right token goes in.
# - With `targets=None` (two points) what was chosen goes in. Stop after `limit` steps, or when END was chosen, which is noted like any other.
#
# The decoder of the check can be followed by hand. Its state is `keep` times the one before, plus 1 at the place of the token; its logits are state @
# table.


# %% answer="decode" covers="44"
def decode(
    step, state, start: int, end: int, limit: int, targets: list[int] | None
) -> tuple[list[int], torch.Tensor]:
    """Tokens chosen, and logits (steps, V), of a decoder that is fed `targets`, or what it chooses.

    >>> table = torch.tensor([[0.0, 0, 9], [0, 0, 0], [0, 9, 0]])  # 0 is START, 1 is END
    >>> decode(lambda token, state: (table[token], state), None, 0, 1, 5, None)[0]
    [2, 1]
    """
    ### BEGIN SOLUTION
    token, chosen, logits = start, [], []
    for place in range(limit if targets is None else len(targets)):
        one, state = step(token, state)
        logits.append(one)
        chosen.append(int(one.argmax()))
        if targets is not None:
            token = targets[place]
        elif chosen[-1] == end:
            break
        else:
            token = chosen[-1]
    return chosen, torch.stack(logits)
    ### END SOLUTION


# %% check="decode"
check.decode(decode)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# One variable holds the token that goes in next. Before the loop it is `start`. At the end of each round it becomes either the right token of
# this place or the one just chosen.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# Collect the logits of each step, (V,) each, in a list. `torch.stack` makes (steps, V) of it.
# </details>
# <details><summary>Help: with targets, my first logits are right and the rest are not</summary>
#
# At step t the decoder has to *predict* target t, so it may only be fed target t − 1. And the state that comes out of one step goes into the
# next.
# </details>

# %% [markdown]
# ## 2 · Fed by a teacher
#
# A task that cannot be guessed: read up to 12 random digits, and write them in reverse order. Each written digit has one source digit, so that we
# shall know what a perfect decoder must look at. In the course's tensors a source and what the decoder is fed stand in one row:

# %% same_output=true
rows, targets = reversal(count=1, length=5, seed=0)
print("read:     ", text_of(rows[0, :5]))
print("fed:      ", "START", text_of(rows[0, 5:]))
print("to write: ", text_of(targets[0]), "END")

# %% [markdown]
# Six models learn it: encoder and decoder with 32 numbers of state, and the same with *attention*, which comes in section 4; three seeds each. Two
# more have one vector of 16 and of 64 numbers. Their encoders read from both ends (lesson 07), so that $h_s$ and $c$ have one half of their numbers
# from each side. Each model gets 600 batches of 64 fresh strings. Make your prediction meanwhile: how many of 12 digits come out right if everything
# has to pass through 32 numbers?

# %%
LONGEST, UPDATES, SEEDS = 12, 600, (0, 1, 2)
held_out = Batches(*reversal(256, LONGEST, seed=999), size=256)


def learn(model: EncoderDecoder, seed: int) -> EncoderDecoder:
    """Train on strings of 2 to 12 digits, with teacher forcing."""
    fresh = reversals(UPDATES, 64, LONGEST, seed)
    recipe = dict(lr=0.01, weight_decay=0, clip=1.0, validations=2, label="")
    fit(model, fresh, held_out, **recipe)
    return model


# %%
kinds = [(32, attention, seed) for attention in (False, True) for seed in SEEDS]
tasks = {}
for width, attention, seed in [*kinds, (16, False, 0), (64, False, 0)]:
    seed_everything(seed)
    tasks[width, attention, seed] = partial(learn, EncoderDecoder(width, attention), seed)
trained = in_parallel(tasks, "two at a time")
one_vector = [trained[32, False, seed] for seed in SEEDS]

# %% [markdown]
# First only those with one vector. Your own loop lets one of them write a few strings, once fed the right digits and once its own.

# %% payoff="decode"
with payoff("decode"):
    rows, targets = reversal(4, LONGEST, seed=5)
    for source, right in zip(rows[:, :LONGEST], targets.tolist(), strict=True):
        step, state = stepper(one_vector[0], source)
        forced, _ = decode(step, state, START, END, 13, right)
        alone, _ = decode(step, state, START, END, 13, None)
        print(f"right {text_of(right)}   forced {text_of(forced):12}   alone {text_of(alone)}")

# %% [markdown]
# Now a thousand strings. **Predict**: after the decoder has written its first wrong digit, how well does it go on?


# %%
def right_at_each_place(model: EncoderDecoder, length: int, count: int = 1_000):
    """Which symbols are right, fed the right ones, and fed its own: (count, length + 1) each."""
    rows, targets = reversal(count, length, seed=1_000 + length)
    with torch.no_grad():
        forced = model(rows).argmax(-1) == targets
    return forced, write(model, rows[:, :length], length + 1).tokens == targets


by_place = [right_at_each_place(model, LONGEST) for model in one_vector]

# %% figure="exposure"
means = zip(*[[right.float().mean(0).tolist() for right in pair] for pair in by_place], strict=True)
fed = dict(zip(["fed the right symbols", "fed its own"], means, strict=True))
plots.plot_written_right(fed, "One vector of 32 numbers, 12 digits: alone, it loses the thread")


# %%
def after_a_mistake(forced: torch.Tensor, own: torch.Tensor) -> tuple[float, float]:
    """Shares right behind the first own mistake, fed the right symbols, and fed its own."""
    behind = (~own).cumsum(1).roll(1, 1) > 0
    behind[:, 0] = False
    return forced[behind].float().mean().item(), own[behind].float().mean().item()


led, lost = zip(*[after_a_mistake(*pair) for pair in by_place], strict=True)
claim(
    "Behind its first mistake a decoder left alone gets far fewer right than one that is led",
    max(lost) < min(led) - 0.15,
    fed_its_own=[100 * share for share in lost],
    fed_the_right_ones=[100 * share for share in led],
    unit="%",
)

# %% [markdown]
# (Place 13 is END, which is the same symbol in every string of 12.) That is what teacher forcing costs when the text is generated. The figures that training shows, always with the right symbols fed, look better than
# what you get in use. Two things are mixed in it. In training the decoder never met a wrong beginning, so it never learned to go on from one
# (**exposure bias**). And a teacher helps: each right symbol may tell the decoder where in the text it is.
#
# Look now at the strings that come out right *as a whole*:

# %%
at_8 = [right_at_each_place(model, 8) for model in one_vector]
differ = [int((forced.all(1) != own.all(1)).sum()) for forced, own in [*by_place, *at_8]]
claim(
    "The same strings are right as a whole, forced or alone",
    sum(differ) <= 2,  # two logits that are equal but for rounding may change places
    of_1000_strings_differ=differ,
    of_8_digits_right=[int(own.all(1).sum()) for _, own in at_8],
)

# %% [markdown] quiz="whole_strings" points=1
# ### Quiz · why exactly the same?
#
# Left alone, the decoder gets far fewer symbols right. Why does it not get fewer *whole* strings right?
#
# - A. Chance: with more strings a difference would appear.
# - B. Long strings are all wrong anyway.
# - C. Up to its first mistake a greedy decoder has fed itself the right symbols, so both runs are the same run until then.
# - D. END is counted as a symbol.
#
# ### BEGIN SOLUTION
# **C.** A string that is right as a whole was never fed anything wrong. Exposure costs what comes behind the first mistake.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A**: the two agree string by string, not only on average.
# - **B** is nearly true of 12 digits. The comparison with 8 digits has strings that are right.
# - **C** is right. So measure what you care about: symbols, or whole texts. They tell different stories.
# - **D**: END is counted in both.
# </details>

# %% [markdown]
# If a decoder suffers from never having met its own mistakes, the cure is to feed it its own symbols in training. It was tried, with one vector of 32
# numbers, strings of at most 8 digits and 1,500 batches, three seeds (recorded by `python -m bench.record_bottleneck`, in the course's folder). **Predict** which of the three
# decoders writes best *alone*.

# %%
record = json.loads((paths.RECORDED / "bottleneck.json").read_text())
ways = record["fed"]
title = "Fed in training with …, then writing 8 digits alone"
plot_runs(ways, title, xlabel="symbols right, alone (%): a dot for each seed, a bar at the mean")

# %%
claim(
    "Whoever was taught with the right symbols writes best alone, three seeds",
    max(ways["its own tokens"] + ways["half and half"]) < min(ways["right tokens"]) - 0.03,
    unit="%",
    **{name.replace(" ", "_"): [100 * share for share in shares] for name, shares in ways.items()},
)

# %% [markdown]
# So the cure was worse than the disease, here. A likely reason: a decoder that knows little writes nonsense, and to go on from nonsense teaches
# little. *Scheduled sampling* (Bengio et al. 2015) therefore begins with a teacher and lets go by and by. Teacher forcing has one more advantage: all
# inputs of the decoder are known beforehand, so that training need not wait for its choices.

# %% [markdown] covers="45"
# ## 3 · The bottleneck
#
# The same models, by the length of the string. All lengths from 2 to 12 were in training, equally often. **Predict**: what doubles when you double
# the vector?


# %%
def right_alone(model: EncoderDecoder, lengths) -> tuple[list[float], list[float]]:
    """Shares of symbols, and of whole strings, that it writes right on its own, for each length."""
    found = []
    for length in lengths:
        rows, targets = reversal(500, length, seed=1_000 + length)
        found.append(write(model, rows[:, :length], length + 1).tokens == targets)
    return [o.float().mean().item() for o in found], [o.all(1).float().mean().item() for o in found]


# %% covers="45"
lengths = range(2, LONGEST + 1)
live = {
    f"{width} numbers": [right_alone(trained[width, False, seed], lengths)[0] for seed in seeds]
    for width, seeds in {16: [0], 32: SEEDS, 64: [0]}.items()
}
plots.plot_by_length(
    live, lengths, "One vector: the wider it is, the longer the strings that it carries"
)

# %%
at_8_digits = {name: [one[lengths.index(8)] for one in rows] for name, rows in live.items()}
claim(
    "At 8 digits, 64 numbers carry more than 32, and 32 more than 16",
    min(at_8_digits["64 numbers"])
    > max(at_8_digits["32 numbers"])
    > min(at_8_digits["32 numbers"])
    > max(at_8_digits["16 numbers"]),
    unit="%",
    **{f"{name}:": [100 * share for share in shares] for name, shares in at_8_digits.items()},
)

# %% [markdown]
# Is 32 numbers simply too little room for 12 digits? Count.

# %% covers="45"
needed, room = 12 * math.log2(10), 32 * 32
claim(
    "Twelve digits are a small part of what 32 numbers of 32 bits could hold",
    needed < room / 20,
    unit="bits",
    twelve_digits=needed,
    the_vector=room,
)

# %% [markdown]
# So the vector is not too small. What is scarce is what a network *learns to write into it and to read out of it*. Then more training must help.
# Here it is: two and a half times as many batches, three seeds, and one vector of 128 numbers besides (recorded, same command).

# %% figure="bottleneck" covers="45"
recorded = {name: rows for name, rows in record["strings"].items() if "attention" not in name}
title = "Recorded, 1,500 batches: whole strings right, against their length"
plots.plot_by_length(recorded, record["lengths"], title, what="strings written right (%)")

# %% covers="45"
symbols = {name: [one[-1] for one in rows] for name, rows in record["symbols"].items()}
claim(
    "At 12 digits each doubling of the vector helps, and none of them writes it all, three seeds",
    max(symbols["16 numbers"]) < min(symbols["32 numbers"])
    and max(symbols["32 numbers"]) < min(symbols["64 numbers"])
    and max(symbols["64 numbers"]) < min(symbols["128 numbers"])
    and max(one[-1] for one in record["strings"]["128 numbers"]) < 0.9,
    unit="%",
    **{
        name.replace(" ", "_"): [100 * share for share in shares]
        for name, shares in symbols.items()
        if "attention" not in name
    },
)

# %% covers="45"
more = [live["32 numbers"][seed][-1] for seed in SEEDS]
claim(
    "With more training the same 32 numbers carry more of 12 digits",
    min(symbols["32 numbers"]) > max(more),
    unit="%",
    after_600_batches=[100 * share for share in more],
    after_1500=[100 * share for share in symbols["32 numbers"]],
)

# %% covers="45"
half = {name: half_right(record["lengths"], rows) for name, rows in recorded.items()}
narrow, middling, wide, widest = half.values()
claim(
    "Twice the vector: about two digits more until half of the strings are wrong",
    all(1.5 < more < 3 for more in (middling - narrow, wide - middling)) and math.isinf(widest),
    unit="digits",
    with_16=narrow,
    with_32=middling,
    with_64=wide,
)

# %% [markdown]
# Twice the vector does not carry twice the string. Here, after 1,500 batches, it carries about two digits more. (128 numbers write over half of even the longest strings of
# the training, so that theirs is not known.)
#
# You will read that "the better the compression, the more is lost", or that the vector "cannot hold" a long sentence. More precisely: a vector of
# fixed size holds some number of symbols well, that number grows with its width and with training, and sooner or later a text is
# longer.
#
# ## 4 · Let the decoder look back
#
# The encoder has made a state $h_s$ at *every* place, and all but the last were thrown away. Keep them. Before each step the decoder asks: which of
# them do I need now? It gives each a **score**, turns the scores into **weights** that add up to 1, and reads the weighted mean, the **context**.
# Then $c$ is a new one at each step.
#
# By hand: three states of one number each, 10, 20 and 40, and the weights ½, ½ and 0. **Predict** the context.

# %% same_output=true
states, weights = [10.0, 20.0, 40.0], [0.5, 0.5, 0.0]
print(sum(weight * state for weight, state in zip(weights, states, strict=True)))

# %% [markdown] covers="46"
# Nobody says which state is the right one. The score is a small network of its own, learned together with the rest (Bahdanau, Cho and Bengio 2015):
#
# $$e_{t,s} = v^\top \tanh(W g_{t-1} + U h_s) \qquad \alpha_{t,s} = \frac{\exp e_{t,s}}{\sum_{s'} \exp e_{t,s'}}$$
# $$c_t = \sum_s \alpha_{t,s}\, h_s \qquad g_t = \text{GRU}([y_{t-1}, c_t], g_{t-1})$$
#
# It is called *additive*, because query and key are added. Note the index: the decoder asks with the state that it has *before* the step, $g_{t-1}$.
# Some texts write $g_t$, which belongs to a later variant (Luong et al. 2015).
#
# | symbol | variable | shape |
# | --- | --- | --- |
# | $g_{t-1}$ | `queries` | (T, H): one for each step |
# | $h_s$ | `keys` | (S, K): one for each place of the source |
# | $W$, $U$ | `W`, `U` | (A, H), (A, K) |
# | $v$ | `v` | (A,) |
# | $e_{t,s}$ | what you return | (T, S) |
#
# (A is the number of hidden units of the score, K that of the numbers in a key. In our model A = K = H.)
#
# ### Exercise 9.2 · additive scores
# ●●○ · about 10 minutes · 2 points
#
# Write `additive_scores(queries, keys, W, U, v)`: every query meets every key. Loops are fine; so are two axes more.


# %% answer="additive_scores" covers="46"
def additive_scores(
    queries: torch.Tensor, keys: torch.Tensor, W: torch.Tensor, U: torch.Tensor, v: torch.Tensor
) -> torch.Tensor:
    """Queries (T, H), keys (S, K), W (A, H), U (A, K), v (A,) in; scores (T, S) out.

    >>> one = torch.ones(1, 1)
    >>> additive_scores(one, torch.tensor([[1.0], [-1.0]]), one, one, torch.tensor([1.0]))
    tensor([[0.9640, 0.0000]])
    """
    ### BEGIN SOLUTION
    asked = queries @ W.T  # (T, A)
    offered = keys @ U.T  # (S, A)
    meeting = torch.tanh(asked[:, None] + offered[None])  # (T, S, A)
    return meeting @ v
    ### END SOLUTION


# %% check="additive_scores"
check.additive_scores(additive_scores)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Turn the queries by W and the keys by U, once each. Then add each pair, bend the sum with tanh, and weigh its A numbers with v.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# `(T, 1, A) + (1, S, A)` is (T, S, A). `… @ v` makes one number of the last axis.
# </details>
# <details><summary>Help: my scores are right for one query and one key alone</summary>
#
# With as many queries as keys, `queries @ W.T + keys @ U.T` adds row to row: each query then meets one key instead of all of them.
# </details>

# %% [markdown]
# What is the tanh good for? Here are weights made by hand, with A = 2. Each key holds a place and a 1, the query is a place, and the score is
# $\tanh(q - k + 1) - 0.8 \tanh(q - k - 1)$. Let the query run along a line, and watch the scores of three keys. **Predict**: at which query is the score of a key highest, and can another key be the
# best one without tanh?

# %% payoff="additive_scores" covers="46"
with payoff("additive_scores"):
    line, keys = torch.linspace(-3, 3, 61), torch.tensor([[-1.5, 1.0], [0.0, 1.0], [1.5, 1.0]])
    W, U, v = torch.ones(2, 1), torch.tensor([[-1.0, 1.0], [-1.0, -1.0]]), torch.tensor([1.0, -0.8])
    bent = additive_scores(line[:, None], keys, W, U, v)
    straight = (line[:, None] @ W.T @ v)[:, None] + (keys @ U.T @ v)[None]
    panels = {"yours, with tanh": bent, "without tanh": straight}
    plots.plot_scores(line.tolist(), panels, "Only with tanh does the best key depend on the query")

# %%
torch.manual_seed(0)
score, queries, keys = AdditiveScore(6), torch.randn(50, 6), torch.randn(7, 6)
with torch.no_grad():
    bent = score(queries, score.U(keys).expand(50, -1, -1)).softmax(1)
    no_tanh = (score.v(score.W(queries))[:, None] + score.v(score.U(keys))[None])[..., 0].softmax(1)
claim(
    "Without tanh all queries get the very same weights; with it they differ",
    no_tanh.std(0).max() < 1e-5 < 1e-3 < bent.std(0).max(),
    spread_without_tanh=no_tanh.std(0).max().item(),
    spread_with_tanh=bent.std(0).max().item(),
)

# %% [markdown] quiz="why_tanh" points=1
# ### Quiz · why do the weights not move without tanh?
#
# - A. Because v is the same for all queries.
# - B. Without tanh the score is a part for the query plus a part for the key. The query's part is the same for all keys, and a softmax does not
#   notice what is added to all scores.
# - C. Because tanh keeps the scores small.
# - D. Because W and U would have to be larger.
#
# ### BEGIN SOLUTION
# **B.** Query and key meet only inside the tanh. (In a dot product they meet by multiplication: lesson 10.)
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A**: it is, with tanh as well.
# - **B** is right.
# - **C**: true, and not the reason. A sum that is not bent stays a sum, however small.
# - **D**: larger weights make a larger sum.
# </details>

# %% [markdown]
# ### Weights, and what is no source
#
# Sources of a batch differ in length, and the short ones are padded. Padding must get no weight at all. **Predict**: two scores, 0 and 0, and the
# second is padding. You take the softmax first and set the padding to 0 afterwards. What is the weight of the first?
#
# $$\alpha_{b,t,s} = \frac{m_{b,s}\, \exp e_{b,t,s}}{\sum_{s'} m_{b,s'} \exp e_{b,t,s'}} \qquad m_{b,s} = 1 \text{ for a token, } 0 \text{ for padding}$$
#
# Two things to watch. Where a row has *nothing* visible the formula is 0/0; let its weights be 0, so that its context is 0 and nothing becomes nan.
# And
# $\exp(1000)$ is infinite, although the weights are not.
#
# | symbol | variable | shape |
# | --- | --- | --- |
# | $e$ | `scores` | (B, T, S) |
# | $m$ | `visible` | (B, S): true for a token, false for padding; the same for all T queries |
# | $\alpha$ | what you return | (B, T, S) |
#
# ### Exercise 9.3 · masked softmax
# ●●○ · about 10 minutes · 2 points
#
# Write `masked_softmax(scores, visible)`. Rows add up to 1, or are 0 where nothing is visible. Scores may be as large as 1,000, those of padding too.


# %% answer="masked_softmax" covers="46"
def masked_softmax(scores: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    """Scores (B, T, S), visible (B, S); weights (B, T, S), 0 where nothing is visible.

    >>> masked_softmax(torch.tensor([[[0.0, 0.0, 5.0]]]), torch.tensor([[True, True, False]]))
    tensor([[[0.5000, 0.5000, 0.0000]]])
    """
    ### BEGIN SOLUTION
    mask = visible[:, None]  # (B, 1, S): the same for every query
    low = scores.masked_fill(~mask, -torch.inf)
    weights = torch.softmax(low, dim=-1)
    return torch.where(mask, weights, 0.0)  # in rows without anything visible, nan becomes 0
    ### END SOLUTION


# %% check="masked_softmax"
check.masked_softmax(masked_softmax)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Give padding a score that no visible one can be below, −∞, before the softmax. Then repair the rows in which everything is −∞.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# `visible[:, None]` is (B, 1, S) and goes with scores of (B, T, S).
# </details>
# <details><summary>Help: I get nan</summary>
#
# Either a row sees nothing (0/0), or you took `exp` of large scores yourself. `torch.softmax` subtracts the largest score first.
# </details>

# %% payoff="masked_softmax"
with payoff("masked_softmax"):
    words = dates(6, seed=1).texts
    visible = torch.tensor([[place < len(word) for place in range(24)] for word in words])
    even = masked_softmax(torch.zeros(6, 1, 24), visible)[:, 0]
    for word, row in zip(words, even, strict=True):
        padding = row[len(word) :].sum()
        print(f"{word:24} each of {len(word):2} gets {row[0]:.4f}, padding {padding:.1f}")

# %% [markdown] covers="46"
# ## 5 · With and without
#
# Here are the three models with attention that were trained in section 2. Encoder and decoder are what they were; the score adds some weights:

# %%
sizes = {name: count_parameters(EncoderDecoder(32, name == "with")) for name in ("without", "with")}
print(sizes, "parameters")

# %% [markdown]
# **Predict** the curve of the three models with attention, up to 12 digits, and then beyond: strings of 14, 16 and 20 digits were never in training.

# %% figure="with_attention" covers="46"
looking = [trained[32, True, seed] for seed in SEEDS]
far = [2, 4, 6, 8, 10, 12, 14, 16, 20]
both = {"32 numbers, attention": looking, "32 numbers": one_vector}
alone = {name: [right_alone(model, far) for model in models] for name, models in both.items()}
symbols_right = {name: [one[0] for one in rows] for name, rows in alone.items()}
plots.plot_by_length(
    symbols_right, far, "The same width, the same training, with attention", seen=LONGEST
)

# %% covers="46"
strings = {
    length: [[100 * one[1][far.index(length)] for one in alone[name]] for name in both]
    for length in (12, 16)
}
claim(
    "Strings of 12 digits: nearly all are right with attention, nearly none without, three seeds",
    min(strings[12][0]) > 85 and max(strings[12][1]) < 15,
    unit="%",
    attention=strings[12][0],
    one_vector=strings[12][1],
)

# %%
claim(
    "Strings of 16 digits, longer than any in training: attention loses most of them, too",
    max(strings[16][0]) < 50,
    unit="%",
    attention=strings[16][0],
)

# %% covers="46"
recorded = {name: [one[-1] for one in rows] for name, rows in record["strings"].items()}
claim(
    "Trained longer (recorded): 32 numbers with attention write what 128 without do not",
    min(recorded["32 numbers, attention"]) > max(recorded["128 numbers"]) + 0.2,
    unit="%",
    attention_32=[100 * share for share in recorded["32 numbers, attention"]],
    one_vector_of_128=[100 * share for share in recorded["128 numbers"]],
)

# %% [markdown]
# Within the lengths of training the bottleneck is gone. You will read that attention finds what it needs "regardless of length". Not this model: it
# was never asked to look 16 places back, and what it has learned is where to look in strings of up to 12.
#
# ### Where does it look?
#
# In this task we *know* where each digit comes from: written digit t is read digit 13 − t. **Predict** the picture.

# %%
rows, targets = reversal(200, LONGEST, seed=3)
sources, right = rows[:, :LONGEST], torch.eye(LONGEST).flip(1)
written = write(looking[0], sources, LONGEST + 1)
first = {"true alignment": right, "what it looks at": written.weights[0, :LONGEST]}
source, target = text_of(sources[0]), text_of(targets[0])

# %% figure="alignment" covers="46"
plots.plot_alignments(
    first, source, target, "Twelve digits turned round: the true alignment, and the learned one"
)


places = torch.arange(LONGEST)
apart = (places[None] - places.flip(0)[:, None]).abs()  # (written, read): 0 at the true place


# %% covers="46"
def weight_near(model: EncoderDecoder, within: int) -> float:
    """How much of the weight lies on the true place or at most so many places beside it, in %."""
    weights = write(model, sources, LONGEST + 1).weights[:, :LONGEST]  # (N, written, read)
    return 100 * (weights * (apart <= within)).sum(2).mean().item()


# %% covers="46"
exact, beside = ([weight_near(model, within) for model in looking] for within in (0, 1))
claim(
    "Over three quarters of the weight lies on the true place or next to it, three seeds",
    min(beside) > 75,
    unit="%",
    on_it_or_next_to_it=beside,
    untrained=weight_near(EncoderDecoder(32, True), 1),
)
claim("Less than two thirds lies on the true place itself", max(exact) < 67, unit="%", on_it=exact)

# %% [markdown]
# Nobody told it about alignments; it learned where to look in order to write. But it does not look exactly where we would. Each $h_s$ has read its
# neighbours too, so the digit of place s can be had from the state next door. **A weight says which state was read, and not which symbol counted.**
# For that there is the ruler: how strongly does each written digit depend on each digit of the source? (What the decoder is fed is held fixed.)
# **Predict** both maps.

# %%
sample, _ = reversal(4, LONGEST, seed=5)


def influence_map(model: EncoderDecoder) -> torch.Tensor:
    """Influence of each digit that is read on each that is written, (12, 12)."""
    function, vectors = as_function(model, sample)
    return reach.influence(function, vectors)[:LONGEST]


# %% figure="reach" covers="46"
maps = {name: [influence_map(model) for model in models] for name, models in both.items()}
numbered = [str(place + 1) for place in range(LONGEST)]
titles = dict(zip(maps, ("with attention", "through one vector"), strict=True))
plot_influences({titles[name]: found[0] for name, found in maps.items()}, numbered, floor=1e-2)

# %% covers="46"
near = {
    name: [100 * (one * (apart <= 1)).sum().item() / one.sum().item() for one in found]
    for name, found in maps.items()
}
with_it, without_it = near.values()
even_map = 100 * (apart <= 1).float().mean().item()
claim(
    "With attention about half of all influence comes from the true place or next to it",
    min(with_it) > 40,
    unit="%",
    attention=with_it,
    even_map=even_map,
)

# %%
claim(
    "Through one vector, the true place and its neighbours have no larger share "
    "than in a map that is the same everywhere",
    max(without_it) < even_map + 2 < min(with_it),
    unit="%",
    one_vector=without_it,
    even_map=even_map,
)
ends = [(one[:, -4:].sum() / one[:, :4].sum()).item() for one in maps["32 numbers"]]
claim(
    "Through one vector the last four digits weigh over one and a half times the first four",
    min(ends) > 1.5,
    last_four_by_first_four=ends,
)

# %% [markdown]
# Rows are what is written, columns what is read. With attention the map has the diagonal of the task, from the upper right to the lower left. Through
# one vector there is none: whatever is written, the same digits of the source weigh most, those near its end, which were read last from the left and
# are written first.
#
# From any state $h_s$ to the decoder it is now one step, wherever s is; before, it was a walk to one of the ends of the source.
#
# The weights and the map do not agree in everything. Influence also flows around attention: through the state that the decoder begins with, and
# through the encoder, where each state depends on those before and behind it. And both networks still walk: a step of the encoder waits for the one
# before, and so does a step of the decoder. Attention took away the one *vector*, not the recurrence. Lesson 10 does that.

# %% [markdown] quiz="weights_say" points=1
# ### Quiz · what a weight says
#
# A translation model with attention writes *it*, with a weight of 0.9 on the last word of the source. What do you know?
#
# - A. *it* was translated from the last word.
# - B. The state at the last place was read almost alone. What that state holds, and from which words, is a question of its own.
# - C. The other words have no influence on *it*.
# - D. The encoder forgot the other words.
#
# ### BEGIN SOLUTION
# **B.** Weights are shares of states. A state speaks for everything that was read on the way to it.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A** takes a state for a word. In the figure above much of the weight lies next to the true place.
# - **B** is right. The last state of an encoder is, after all, the one vector of section 3.
# - **C**: they reach it through that state, and the influence map would show it.
# - **D**: perhaps the opposite. It may be read because so much is in it.
# </details>

# %% [markdown] covers="46"
# ### Dates
#
# Now something nearer to translation: dates in eight forms, to be written as ISO 8601 has them. Which characters an ISO character is made of we know
# here too, since we made the texts.

# %% same_output=true
lesson_of_dates = dates(5_000 * 4, seed=1)
for text, row in zip(lesson_of_dates.texts[:4], lesson_of_dates.targets, strict=False):
    print(f"{text:24} → {text_of(row)}")

# %%
seed_everything(0)
translator, validation = EncoderDecoder(32, attention=True), dates(256, seed=98)
fit(
    translator,
    Batches(lesson_of_dates.rows, lesson_of_dates.targets, 64),
    Batches(validation.rows, validation.targets, 256),
    **dict(epochs=1.6, lr=0.01, weight_decay=0, clip=1.0, validations=3, label="dates"),
)
unseen = dates(256, seed=99, but_not=lesson_of_dates.texts)
done = write(translator, unseen.sources, 11)

# %%
for text, row in list(zip(unseen.texts, done.tokens, strict=True))[:5]:
    print(f"{text:24} → {text_of(row)}")
exactly = 100 * (done.tokens == unseen.targets).all(1).float().mean().item()
claim(
    "Over four fifths of unseen dates are written without a mistake",
    exactly > 80,
    unit="%",
    right=exactly,
)

# %% figure="dates" covers="46"
chosen = next(number for number, text in enumerate(unseen.texts) if text.startswith("the "))
text, iso = unseen.texts[chosen], text_of(unseen.targets[chosen])
pair = {
    "made of (by construction)": unseen.alignment[chosen],
    "what it looks at": done.weights[chosen, :10],
}
plots.plot_alignments(
    pair, text, iso, "A date: what each character is made of, and where attention looks"
)

# %% covers="46"
fields = {"year": slice(0, 4), "month": slice(5, 7), "day": slice(8, 10)}
within = (done.weights[:, :10] * unseen.alignment).sum(2).mean(0)  # weight on the own field
in_field = {name: 100 * within[part].mean().item() for name, part in fields.items()}
claim(
    "Over four fifths of a year's weight lies on the year, over three fifths for month and day",
    in_field["year"] > 80 and min(in_field["month"], in_field["day"]) > 60,
    unit="%",
    **in_field,
)

# %% [markdown]
# For the hyphens nothing is needed, and the weights may lie anywhere. Go through it step by step:

# %%
examples = [
    Steps(unseen.texts[n], done.tokens[n], done.weights[n], done.logits[n].softmax(-1))
    for n in (chosen, 1, 2, 3)
]
decoder_stepper(examples)

# %% [markdown] covers="47"
# ## 6 · A dictionary that is soft
#
# What the decoder did has a more general name. It came with a **query** (its state), compared it with **keys** (one for each place), and got back a
# mean of **values**. A dictionary does the same with a single key: it returns the value of the key that *equals* the query, or nothing. The soft one
# always returns something, and it has a derivative: so it can be learned.
#
# In section 4 keys and values were the same states $h_s$ (the score multiplied the keys by U first). From here on they may be anything, and the fit of key and query
# is their **dot product**. One number says how strongly the fits are weighed, the **sharpness** β (one over the temperature of lesson 08):
#
# $$\alpha_s = \operatorname{softmax}_s(\beta\, k_s \cdot q) \qquad z = \sum_s \alpha_s v_s$$
#
# By hand: the keys (1, 0) and (0, 1) have the values 10 and 20, the query is (1, 0). **Predict** the answer for β = 0, for β = 1, and for a β without
# end.

# %% same_output=true
for beta in (0, 1, 10):
    share = math.exp(beta) / (math.exp(beta) + 1)
    mixed = 10 * share + 20 * (1 - share)
    print(f"β = {beta:2}: {share:.4f} of 10 and {1 - share:.4f} of 20 is {mixed:.4f}")

# %% [markdown]
# | symbol | variable | shape |
# | --- | --- | --- |
# | $q$ | `query` | (D,) |
# | $k_s$ | `keys` | (S, D) |
# | $v_s$ | `values` | (S, C) |
# | $\beta$ | `sharpness` | a number from 0 on, or `math.inf` |
# | $z$ | what you return | (C,) |
#
# ### Exercise 9.4 · soft lookup
# ●●○ · about 10 minutes · 2 points
#
# Write `soft_lookup(query, keys, values, sharpness)`. With `math.inf` it is the dictionary: the value of the best-fitting key. Where several keys fit
# equally well, return the mean of their values, as the softmax does on its way there.


# %% answer="soft_lookup" covers="47"
def soft_lookup(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, sharpness: float
) -> torch.Tensor:
    """A query (D,), keys (S, D), values (S, C); their mix (C,) by how well each key fits.

    >>> keys, values = torch.eye(2), torch.tensor([[10.0], [20.0]])
    >>> soft_lookup(torch.tensor([1.0, 0.0]), keys, values, math.inf)
    tensor([10.])
    """
    ### BEGIN SOLUTION
    fits = keys @ query  # (S,)
    if math.isinf(sharpness):
        best = fits == fits.max()
        weights = best / best.sum()
    else:
        weights = torch.softmax(sharpness * fits, dim=0)
    return weights @ values
    ### END SOLUTION


# %% check="soft_lookup"
check.soft_lookup(soft_lookup)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Fits, weights, mix: three lines. Only the middle one depends on the sharpness.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# `keys @ query` is (S,); weights (S,) `@ values` (S, C) is (C,).
# </details>
# <details><summary>Help: nan where the sharpness is infinite</summary>
#
# ∞ · 0 is no number, and neither is ∞ − ∞ inside the softmax. Ask which fits equal the largest one, and share the weight among them.
# </details>

# %% payoff="soft_lookup" covers="47"
with payoff("soft_lookup"):
    phone = {"ann": [1.0, 0.0], "bob": [0.8, 0.6], "cem": [0.0, 1.0], "dee": [-1.0, 0.0]}
    query, sharpness = torch.tensor([0.98, 0.2]), [0.1 * 1.5**step for step in range(17)]
    weights = [
        soft_lookup(query, torch.tensor([*phone.values()]), torch.eye(4), b).tolist()
        for b in sharpness
    ]
    plots.plot_sharpening(sharpness, weights, list(phone), "From a mean of all values to one entry")

# %% [markdown]
# With the identity for values, what comes back are the weights. At the left they are nearly the same for all; at the right the best key has
# everything. Somewhere between lies what a network needs: sharp enough to choose, soft enough that a gradient says whom to choose instead.
# **Predict**: at which end does the query get no gradient?

# %% covers="47"
keys, values = torch.eye(4)[:, :3], torch.tensor([[10.0], [20.0], [30.0], [40.0]])
slopes = {}
for beta in (0.0, 1.0, 5.0, 100.0):
    query = torch.tensor([0.9, 0.5, 0.1], requires_grad=True)
    ((beta * (keys @ query)).softmax(0) @ values).backward()
    slopes[beta] = query.grad.norm().item()
claim(
    "Neither a flat nor a very sharp lookup tells the query where to go; one in between does",
    slopes[0.0] == 0 and slopes[100.0] < 1e-6 and min(slopes[1.0], slopes[5.0]) > 1,
    **{f"gradient_at_sharpness_{beta:g}": slope for beta, slope in slopes.items()},
)

# %% [markdown] quiz="dictionary" points=1
# ### Quiz · a word that is not there
#
# A soft lookup with moderate sharpness gets a query that fits none of its keys: all dot products are 0. What does it return?
#
# - A. Nothing, or an error, like a dictionary.
# - B. Zero.
# - C. The plain mean of all values.
# - D. The value of the first key.
#
# ### BEGIN SOLUTION
# **C.** Equal scores make equal weights. Attention cannot say "nothing fits": it always hands out a whole.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A** is what a hard dictionary does.
# - **B**: the weights add up to 1, whatever the scores are. In your masked softmax a row is 0 only where nothing is visible.
# - **C** is right. For the hyphens of the dates the decoder had to look somewhere, too.
# - **D** would need a better fit of the first key.
# </details>

# %% [markdown]
# ## 7 · Greedy search, and a wider one
#
# The decoder gives each text a probability: the product over its steps. `decode` took the likeliest symbol at each step. Is the text that comes out
# the likeliest *text*? By hand:

# %% same_output=true
first = {"a": 0.6, "b": 0.4}
then = {"a": {"END": 0.5, "x": 0.5}, "b": {"END": 0.9, "x": 0.1}}
for one, chance in first.items():
    for two, next_chance in then[one].items():
        print(f"{one} {two:3}: {chance} · {next_chance} = {chance * next_chance:.2f}")

# %% [markdown]
# Greedy search takes *a*, and can then reach 0.30 at best. The best text begins with *b*. A **beam** keeps several beginnings alive. With
# log-probabilities, which add up where probabilities multiply:
#
# $$\log p(y_1 \dots y_T \mid x) = \sum_t \log p(y_t \mid y_1 \dots y_{t-1}, x)$$
#
# 1. Begin with one text: nothing written, log-probability 0.
# 2. At most `limit` times: continue each text that has not ended by *every* symbol. Those that have ended with END stay as they are. Of **all** these
#    keep the `width` best.
# 3. The answer is the best one of the beam, ended or not, with its log-probability.
#
# | symbol | variable | meaning |
# | --- | --- | --- |
# | $\log p(y_t \mid \dots)$ | `step(written)` | from a list of tokens to log-probabilities (V,) of the next one |
# | | `width` | how many texts are kept |
# | END | `end` | a token |
# | $T$ | `limit` | tokens that a text may have at most, END included |
#
# ### Exercise 9.5 · beam search
# ●●● · about 25 minutes · 3 points
#
# Write `beam_search(step, width, end, limit)`. It returns the tokens of the best text, a list, and its log-probability.
#
# The step of the check looks its probabilities up in a table: first by how many tokens are written, then by the last of them (before the first one,
# by token 0). It hands out their logarithms.


# %% answer="beam_search"
def beam_search(step, width: int, end: int, limit: int) -> tuple[list[int], float]:
    """The best text found by a beam, with its log-probability. `step(written)` gives logs (V,).

    >>> chances = {(): [0.0, 0.6, 0.4], (1,): [0.5, 0.5, 0.0], (2,): [0.9, 0.1, 0.0]}
    >>> step = lambda written: torch.tensor(chances[tuple(written)]).log()
    >>> tokens, log = beam_search(step, 2, 0, 2)
    >>> tokens, round(math.exp(log), 2)
    ([2, 0], 0.36)
    """
    ### BEGIN SOLUTION
    beam = [([], 0.0)]
    for _ in range(limit):
        candidates = []
        for written, total in beam:
            if written and written[-1] == end:
                candidates.append((written, total))
                continue
            for token, log in enumerate(step(written).tolist()):
                candidates.append(([*written, token], total + log))
        candidates.sort(key=lambda one: one[1], reverse=True)
        beam = candidates[:width]
    return beam[0]
    ### END SOLUTION


# %% check="beam_search"
check.beam_search(beam_search)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Keep a list of pairs (tokens, sum). Each round makes a longer list of pairs from it, sorts it by the sum, and cuts it.
# </details>
# <details><summary>Hint: what a round looks like</summary>
#
# For each pair: if its last token is END, take it over unchanged. Otherwise, for each symbol, a new pair `([*written, token], total + log)`.
# </details>
# <details><summary>Help: width 1 is right, larger ones are not</summary>
#
# Cut once per round, after *all* texts have been continued, and not once for each text. And do not stop at the first END.
# </details>

# %% payoff="beam_search"
with payoff("beam_search"):
    model, (rows, targets) = one_vector[0], reversal(8, 8, seed=55)
    for source, right in zip(rows[:, :8], targets, strict=True):
        found = [beam_search(next_symbol(model, source), width, END, 9) for width in (1, 5)]
        one, five = [f"{text_of(tokens):9} p = {math.exp(log):.3f}" for tokens, log in found]
        print(f"right {text_of(right)}   width 1: {one}   width 5: {five}")

# %% [markdown]
# Width 1 is greedy search. **Predict**, for a hundred strings of 8 digits and the decoder that has only one
# vector: how often does a beam of 5 find a likelier text?


# %%
def searched(width: int, count: int = 100, length: int = 8) -> tuple[list[float], int]:
    """Log-probabilities of the texts found, and how many of them are right."""
    rows, targets = reversal(count, length, seed=77)
    logs, right = [], 0
    for source, target in zip(rows[:, :length], targets.tolist(), strict=True):
        symbols = next_symbol(one_vector[0], source)
        tokens, log = check.beam_search.reference(symbols, width, END, length + 1)
        logs.append(log)
        right += tokens == target
    return logs, right


(narrow, narrow_right), (wide, wide_right) = searched(1), searched(5)
likelier = sum(w > n + 1e-4 for n, w in zip(narrow, wide, strict=True))
less_likely = sum(w < n - 1e-4 for n, w in zip(narrow, wide, strict=True))

# %%
claim(
    "In over a fifth of the cases the beam finds a likelier text, in hardly any a less likely one",
    likelier > 20 and less_likely < 5,
    of_100_likelier=likelier,
    less_likely=less_likely,
    right_by_greedy_search=narrow_right,
    right_by_the_beam=wide_right,
)

# %% [markdown]
# Compare how many texts got likelier with how many more came out right: most of the likelier texts are still wrong. Search finds what the *model* takes for likely. Where the model is wrong, a likelier text is not a better one, and no
# beam puts back what the vector lost. A beam is no proof of the best text either: a beginning that falls out of it is gone.

# %% [markdown] quiz="wider" points=1
# ### Quiz · wider and wider
#
# You double the width of a beam again and again. What is certain?
#
# - A. The text found gets likelier, or stays as likely, with every doubling.
# - B. More texts come out right.
# - C. Once nothing has to be cut any more, the likeliest text of at most `limit` symbols is found.
# - D. The time stays the same, since a beam is one batch.
#
# ### BEGIN SOLUTION
# **C.** Then the search looks at everything. Before that it is a matter of what happens to be cut.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A** is usual and not certain: in a wider beam other beginnings survive, and they may push out the one that would have won.
# - **B** depends on the model, as you have seen.
# - **C** is right. But there are as many texts as the number of symbols to the power of the length.
# - **D**: each text of the beam takes a step of the decoder, and there are twice as many.
# </details>

# %% [markdown]
# ## What we measured
#
# *What does one vector lose?* Here are the answers of this lesson, as numbers.

# %%
notebook.headline(
    None,
    symbols_right_of_8_digits=at_8_digits,
    symbols_right_of_12_digits_after_1500_batches=symbols,
    behind_a_mistake_fed_its_own=list(lost),
    behind_a_mistake_fed_the_right_ones=list(led),
    strings_of_12_right_with_attention=strings[12][0],
    strings_of_12_right_with_one_vector=strings[12][1],
    strings_of_16_right_with_attention=strings[16][0],
    weight_on_the_true_place_or_next_to_it=beside,
    influence_from_there_with_attention=with_it,
    influence_from_there_with_one_vector=without_it,
    dates_right=exactly,
    likelier_by_a_beam_of_5_in_100=likelier,
)

# %% [markdown]
# - **What does one vector lose?** Beyond a certain length, most of the text. That length grows with training, and with the width of the vector: by about two digits for each doubling, here. It is
#   no matter of bits: there is room for far more than is learned to be used.
# - **What does teacher forcing cost?** What comes behind the first mistake gets worse; the texts that are right as a whole are the same ones. Without
#   a teacher less was learned.
# - **What does attention buy?** A fresh context at each step. The same width and the same training then write strings that one vector cannot, up to
#   the lengths of training, and not much further.
# - **Does it look where it should?** At the true place or next to it. A weight names a state, and what the state has read is another question.
# - **Query, key, value?** A dictionary that is soft, so that it can be learned. Sharpened, it is a hard one.
# - **Greedy or beam?** A beam finds likelier texts. Whether these are better ones, the model decides.
#
# ## If you have an hour more
#
# At 16 digits attention loses its place, though nothing has to fit into one vector any more. What is missing? Does the decoder lose count, or does
# the score not know how to go one place on? Look at the alignment of a string of 20 digits. Then try to help: train on lengths up to 24; or add to
# each score a number that depends on the distance to the place that had the most weight at the step before. We have no full answer.
#
# <!-- next -->
#
# ## References
#
# - Cho et al.: *Learning Phrase Representations using RNN Encoder–Decoder for Statistical Machine Translation*. EMNLP 2014. [arXiv:1406.1078](https://arxiv.org/abs/1406.1078)
# - Sutskever, Vinyals, Le: *Sequence to Sequence Learning with Neural Networks*. NeurIPS 2014. [arXiv:1409.3215](https://arxiv.org/abs/1409.3215)
# - Bahdanau, Cho, Bengio: *Neural Machine Translation by Jointly Learning to Align and Translate*. ICLR 2015. [arXiv:1409.0473](https://arxiv.org/abs/1409.0473)
# - Luong, Pham, Manning: *Effective Approaches to Attention-based Neural Machine Translation*. EMNLP 2015. [arXiv:1508.04025](https://arxiv.org/abs/1508.04025)
# - Bengio, Vinyals, Jaitly, Shazeer: *Scheduled Sampling for Sequence Prediction with Recurrent Neural Networks*. NeurIPS 2015. [arXiv:1506.03099](https://arxiv.org/abs/1506.03099)
# - Williams, Zipser: *A Learning Algorithm for Continually Running Fully Recurrent Neural Networks*. Neural Computation 1(2), 1989, which has teacher forcing.
