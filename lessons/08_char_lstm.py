# %% [markdown] question="how far back does it look?" write="streams, truncated backpropagation, a sampler with top-k and top-p, the horizon" minutes=120
# # 08 · The char-LSTM: how far back does it look?
#
# A language model reads a text and says, at each place, which character will come next. Nothing tells it how much of
# the past to use. You train one on Shakespeare, let it write, and then **measure** how many characters back it looks.
#
# When you are done (about 120 minutes) you can
#
# - cut a text into streams, and train an LSTM on them by truncated backpropagation through time;
# - compare models in bits per character, and say what a table of counts already achieves;
# - draw text from a model with a temperature, with top-k and with top-p, and say what each of them does;
# - measure a model's horizon, with the control that such a measurement needs;
# - search its cells for what they keep track of, without fooling yourself.
#
# You need lesson 02: a training step, validation. You have not met an LSTM yet? Section 2 says what you need.

# %% setup=true
import json
import math
import statistics
from functools import partial
from itertools import islice

import torch
import torch.nn.functional as F
from torch import nn

from utils import data, models, notebook, paths
from utils.checks import char_lstm as check
from utils.claims import claim
from utils.models import CharLSTM, NGram, generate
from utils.neurons import Search, cells_of, probe
from utils.notebook import payoff
from utils.plotting.curves import plot_fade, plot_reading, plot_training
from utils.plotting.horizons import plot_excess
from utils.plotting.runs import plot_bits, plot_strengths
from utils.plotting.text import plot_colored_text, plot_probabilities, plot_streams
from utils.reach import context_excess, context_horizon, influence, losses
from utils.source_code import (
    indentation,
    inside_quotes,
    line_position,
    open_brackets,
    open_parentheses,
    whole_definitions,
)
from utils.text import decode, encode
from utils.training import (
    Batches,
    LearningCurve,
    Streams,
    count_parameters,
    evaluate,
    fit,
    in_parallel,
    seed_everything,
    windows,
)
from utils.widgets.char_sampler import char_sampler

notebook.setup()
torch.set_num_threads(1)  # small models, one character at a time: a second thread would mostly wait

# %% [markdown]
# ## 1 · The text, and what it takes to beat it
#
# Tiny Shakespeare has 1.1 million characters. The last tenth is put aside for **validation**: everything that we compare,
# we compare there. If there is no network and no copy on your machine, you get English text that Python ships, and the
# whole lesson runs on that. The numbers in the *text* are always Shakespeare's; when you run a cell, the numbers below it are yours.

# %%
corpus = data.corpus("tiny_shakespeare")
alphabet = corpus.alphabet
train_tokens = encode(corpus.train, alphabet)
validation_tokens = encode(corpus.validation, alphabet)
print(corpus)
print(corpus.train[:120])

# %% [markdown]
# A model gives each possible next character a probability. Its loss is its surprise, averaged over the text:
#
# $$\text{bits per character} = -\frac1N \sum_n \log_2 p(x_n \mid x_1 \dots x_{n-1})$$
#
# `F.cross_entropy` uses the natural logarithm, so its unit is the **nat**. One bit is ln 2 = 0.693 nats: to get bits, divide.
#
# Most papers report **perplexity** instead, which is 2 to the power of the bits. A model with perplexity 8 is as unsure as
# if it chose among 8 characters that are equally likely. **Predict** the second row.

# %% same_output=true
for bits in (1, 2, 3, math.log2(65)):
    print(f"{bits:.2f} bits per character: perplexity {2**bits:4.1f}")

# %% [markdown]
# Some models need almost no training. *Uniform* gives each of the V characters the probability 1/V. *Unigram*, the 1-gram of lesson 05, knows how
# frequent each character is. An **n-gram** counts which characters followed the last n − 1 ones. Long contexts are rare, so
# its counts are mixed with those of shorter ones ("smoothing"; ours is that of Kneser and Ney). These tables are the
# baseline for everything in this lesson.
#
# **Predict**: how many bits does a 6-gram need, with five characters of context?

# %%
vocabulary = len(alphabet)
ngrams = {order: NGram(order, vocabulary).fit(train_tokens) for order in range(1, 7)}
tables = {"uniform": math.log2(vocabulary)}
for order, ngram in ngrams.items():
    tables["unigram" if order == 1 else f"{order}-gram"] = ngram.bits(validation_tokens)
best_table = tables["6-gram"]
title = "Counting alone: each character of context helps, and less each time"
plot_bits({name: [bits] for name, bits in tables.items()}, title)

# %%
bits_in_order = [*tables.values()]
gains = [before - after for before, after in zip(bits_in_order, bits_in_order[1:], strict=False)]
claim(
    "Each further character of context helps, from the second one on less than the one before",
    all(a > b > 0 for a, b in zip(gains[1:], gains[2:], strict=False)),
    of="tiny_shakespeare",
    unit="bits",
    **{f"gain_of_{name}": gain for name, gain in zip([*tables][1:], gains, strict=True)},
)

# %% [markdown]
# Why not simply count longer contexts? Because there is not enough text. **Predict**: how many stretches of nine characters of
# the validation text occur anywhere in the 1 million characters before it?


# %%
def share_seen(length: int) -> float:
    """How many % of the stretches of the validation text occur in the training text."""
    train, unseen = corpus.train, corpus.validation
    known = {train[i : i + length] for i in range(len(train) - length + 1)}
    places = range(len(unseen) - length + 1)
    return 100 * sum(unseen[i : i + length] in known for i in places) / len(places)


def table_from(share: int) -> float:
    """Bits of a 6-gram that has counted the last part of the training text, 1 / share of it."""
    part = train_tokens[-(len(train_tokens) // share) :]
    return NGram(6, vocabulary).fit(part).bits(validation_tokens)


# %%
by_size = [*map(table_from, (8, 4, 2)), best_table]
for share, bits in zip((8, 4, 2, 1), by_size, strict=True):
    print(f"6-gram counted on the last 1/{share} of the text: {bits:.2f} bits")

# %%
claim(
    "Most stretches of nine characters are new",
    (seen := share_seen(9)) < 50,
    of="tiny_shakespeare",
    unit="%",
    seen_before=seen,
)
doublings = [before - after for before, after in zip(by_size, by_size[1:], strict=False)]
claim(
    "Every doubling of the text makes the table better, by more than a twentieth of a bit",
    min(doublings) > 0.05,
    of="tiny_shakespeare",
    unit="bits",
    gains=doublings,
)

# %% [markdown]
# So a table is limited by the amount of text: it knows nothing about a context that it has not seen. Can a network do better with the
# same million characters, because it *generalises* from similar contexts, and because its memory has no fixed length?
#
# ## 2 · The LSTM in short
#
# Lesson 07 builds the LSTM (long short-term memory, Hochreiter and Schmidhuber 1997) and measures what its gates are worth. If you come straight
# from lesson 03, here is what you need. An LSTM reads one character after the other and carries a **state** with two parts. The **cell** $c_t$ is
# its memory. The **hidden state** $h_t$ is what it shows to the outside: to the layer that predicts, and to its own gates at the next step.
#
# $$c_t = f_t \odot c_{t-1} + i_t \odot g_t \qquad h_t = o_t \odot \tanh(c_t)$$
#
# The **gates** $f_t$, $i_t$ and $o_t$ are numbers between 0 and 1 that the network makes of $x_t$ and $h_{t-1}$. They say how much of the old cell is
# *kept*, how much of a new value $g_t$ is written, and how much of the cell is shown. No matrix multiplies the old cell, only its forget gate does.
#
# Our model is `CharLSTM` from `utils/models`: an embedding of E numbers per character, one LSTM layer of H cells, one linear layer.
# With V characters in the alphabet it has V·E + 4H(E + H + 2) + V(H + 1) parameters. Four, for three gates and a candidate; two, for
# the two biases.

# %%
model = CharLSTM(vocabulary, width=128, embedding=32)
logits, (h, c) = model(torch.zeros(16, 32, dtype=torch.long))
print(f"logits {tuple(logits.shape)}, h {tuple(h.shape)}, c {tuple(c.shape)}")
V, E, H = vocabulary, 32, 128
by_formula = V * E + 4 * H * (E + H + 2) + V * (H + 1)
print(f"{count_parameters(model):,} parameters; by the formula {by_formula:,}")

# %% [markdown]
# ## 3 · Streams
#
# An LSTM reads in order. With one text, one state and one character after the other, a processor would be idle most of the time. So
# you cut the text into B pieces and read all of them **side by side**, a few characters of each at a time.
#
# The target at each place is the next character. **Predict**: how many pairs of input and target does "hello" give?

# %% same_output=true
for seen, following in zip("hello", "hello"[1:], strict=False):
    print(f"input {seen}  target {following}")

# %% [markdown]
# Cut the text $x_0 \dots x_{N-1}$ into B pieces of L = (N − 1) // B characters. Stream b starts at b·L. Batch s takes the steps
# s·T to (s + 1)·T − 1 of every stream:
#
# $$\text{input}_{b,t} = x_{bL + t} \qquad \text{target}_{b,t} = x_{bL + t + 1}$$
#
# | symbol | in code | shape or meaning |
# | --- | --- | --- |
# | $x$ | `text`, as numbers: each character's place in `alphabet` | (N,), 0 to V − 1 |
# | $B$ | `streams` | rows of a batch |
# | $T$ | `length` | columns of a batch; the last batch has what is left |
# | | one `(inputs, targets)` | each (B, T), int64 |
#
# Row b of one batch continues row b of the batch before. That is why its state can be carried on.
#
# ### Exercise 8.1 · streams of batches
# ●●○ · about 15 minutes · 2 points
#
# Write `stream_batches(text, alphabet, streams, length)`. It encodes the text and returns the list of batches in order, each of
# them a pair `(inputs, targets)`.


# %% answer="stream_batches" covers="39"
def stream_batches(text: str, alphabet: str, streams: int, length: int) -> list:
    """Batches of (inputs, targets), each a tensor (streams, length); the last one may be shorter.

    >>> stream_batches("abcde", "abcde", streams=2, length=2)
    [(tensor([[0, 1], [2, 3]]), tensor([[1, 2], [3, 4]]))]
    """
    ### BEGIN SOLUTION
    place = {character: token for token, character in enumerate(alphabet)}
    tokens = torch.tensor([place[character] for character in text])
    each = (len(tokens) - 1) // streams
    inputs = tokens[: streams * each].reshape(streams, each)
    targets = tokens[1 : streams * each + 1].reshape(streams, each)
    return list(zip(inputs.split(length, dim=1), targets.split(length, dim=1), strict=True))
    ### END SOLUTION


# %% check="stream_batches"
check.stream_batches(stream_batches)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Encode the text. Cut `tokens[: B * L]` into rows, and `tokens[1 : B * L + 1]` as well. Then walk along the columns.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# `reshape(streams, each)` puts running text into each row. `tensor.split(length, dim=1)` cuts the columns into batches.
# </details>
# <details><summary>Help: why (N − 1), and not N?</summary>
#
# The last character of the text has no target. It can only be a target itself.
# </details>
# <details><summary>Help: encoding the whole text takes seconds</summary>
#
# `alphabet.index` searches the alphabet for each character. Make a dict once: `{c: i for i, c in enumerate(alphabet)}`.
# </details>

# %% payoff="stream_batches"
with payoff("stream_batches"):
    pairs = stream_batches(corpus.train[:205], alphabet, streams=4, length=12)
    plot_streams(pairs[:2], alphabet, "Four streams: each row goes on in the next batch")

# %% [markdown]
# Read along a row: running text, and below each character the one that follows. Row 1 of batch 2 goes on where row 1
# of batch 1 ended.
#
# ## 4 · Backpropagation, cut off
#
# The loss at step 1,000 depends on the state of step 999, which depends on … the whole text. Going back through all of it would
# cost far too much memory and time. So you cut: you carry on the *numbers* of the state, but not their *history*. This is
# **truncated backpropagation through time**. A gradient sees at most T steps; the state has no such limit.
#
# By hand: h grows by the factor w at each of two steps. **Predict** both gradients of h₂ = w·(w·1) with respect to w, at w = 2.

# %% same_output=true
w = torch.tensor(2.0, requires_grad=True)
for name, cut in {"whole": lambda h: h, "cut": lambda h: h.detach()}.items():
    h = cut(w * torch.tensor(1.0))  # step 1
    (gradient,) = torch.autograd.grad(w * h, w)  # step 2
    print(f"{name:5}: h = {(w * h).item():.0f}, gradient {gradient:.0f}")

# %% [markdown]
# The value is the same and the gradient is not: the one that was cut knows about the last factor only.
#
# One more thing belongs to every training of an RNN. Now and then a gradient is very long, because it is a product over many steps.
# A single step along it would throw the weights far away. So you look at its length, over **all** weights together, and shorten it
# if it is longer than a limit; its direction stays. This is called **gradient clipping**: `nn.utils.clip_grad_norm_(weights, limit)`,
# between `backward` and `step`. **Predict**: what becomes of the gradient (3, 4) with a limit of 1?

# %% same_output=true
weight = torch.zeros(2, requires_grad=True)
weight.grad = torch.tensor([3.0, 4.0])
length = nn.utils.clip_grad_norm_([weight], 1.0)
print(f"length {length:.0f}, clipped to {[round(value, 2) for value in weight.grad.tolist()]}")

# %% [markdown]
# $$(h_t, c_t) = \text{LSTM}(x_t,\ h_{t-1},\ c_{t-1}) \qquad p_t = \text{softmax}(W h_t + b)$$
#
# | symbol | in code | shape |
# | --- | --- | --- |
# | $x$ | `inputs` | (B, T) |
# | $W h + b$ | `logits, state = model(inputs, state)` | logits (B, T, V) |
# | $h, c$ | `state = (h, c)`, or `None` at the start of the text | each (1, B, H) |
# | | `targets` | (B, T) |
#
# ### Exercise 8.2 · one step, truncated and clipped
# ●●○ · about 15 minutes · 3 points
#
# Write `truncated_step(model, optimizer, inputs, targets, state)`. It makes one training step on the mean cross-entropy in nats, with
# the gradient of all of the model's weights clipped to norm 1. It returns a pair: the loss before the step **in bits per character**,
# as a plain number, and the new state, **detached**, ready for the next batch.


# %% answer="truncated_step" covers="39"
def truncated_step(model, optimizer, inputs: torch.Tensor, targets: torch.Tensor, state) -> tuple:
    """One step on inputs and targets (B, T), starting from `state` (None, or h and c).

    Returns (bits per character, state after the last column, cut off from its history).

    >>> model = CharLSTM(vocabulary=2, width=1)
    >>> for weight in model.parameters():
    ...     _ = nn.init.zeros_(weight)  # so that both characters are equally likely
    >>> text = torch.tensor([[0, 1, 1]])
    >>> bits, (h, c) = truncated_step(
    ...     model, torch.optim.SGD(model.parameters(), lr=0.1), text[:, :-1], text[:, 1:], None
    ... )
    >>> round(bits, 3), tuple(h.shape), h.requires_grad
    (1.0, (1, 1, 1), False)
    """
    ### BEGIN SOLUTION
    optimizer.zero_grad()
    logits, state = model(inputs, state)
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item() / math.log(2), tuple(part.detach() for part in state)
    ### END SOLUTION


# %% check="truncated_step"
check.truncated_step(truncated_step)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# The step of lesson 02, with a state that goes in and comes out, and one line more between `backward` and `step`. For the state:
# `h, c = state`, then `h.detach()` and `c.detach()`.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# `F.cross_entropy` wants (N, V) and (N,). `logits.flatten(0, 1)` is (B·T, V), `targets.flatten()` is (B·T,).
# </details>
# <details><summary>Help: "Trying to backward through the graph a second time"</summary>
#
# The state that you handed back still holds the graph of the step before. PyTorch offers `retain_graph=True`; do not take
# it. Detach the state, both parts of it.
# </details>
# <details><summary>Help: my first loss is 4.2 instead of 6</summary>
#
# 4.17 is ln 65, and 6.02 is log₂ 65: you returned nats instead of bits.
# </details>

# %% [markdown]
# Now train with it. Your step reads 200,000 characters in 8 streams of 64. The rate rises to 0.03 and falls again ("one cycle", as in
# lesson 02). AdamW follows a running mean of the gradients. The steps are few, so it should forget quickly: 0.7 of the old mean stays at each
# step, instead of the usual 0.9. **Predict**: with what loss does an untrained model start, and which of the tables will yours beat on the
# validation text?

# %%
STEPS = 391
print(f"{STEPS} steps of 8 × 64 characters: {STEPS * 8 * 64:,} characters of {len(train_tokens):,}")

# %% payoff="truncated_step"
with payoff("truncated_step"):
    seed_everything(0)
    mine, state, seen = CharLSTM(vocabulary, width=128, embedding=32), None, []
    optimizer = torch.optim.AdamW(mine.parameters(), lr=0.03, betas=(0.7, 0.95))
    cycle = partial(torch.optim.lr_scheduler.OneCycleLR, anneal_strategy="linear")
    schedule = cycle(optimizer, 0.03, total_steps=STEPS, cycle_momentum=False)
    for inputs, targets in islice(Streams(train_tokens, 8, 64), STEPS):
        bits, state = truncated_step(mine, optimizer, inputs, targets, state)
        schedule.step()
        seen.append(bits)
    unseen_bits = evaluate(mine, Streams(validation_tokens, 32, 256), "bits per character")
    levels = {name: tables[name] for name in ("uniform", "unigram", "2-gram", "3-gram")}
    title = "Your steps, one by one, and the mean of 20"
    plot_training({"yours": seen}, levels, title, unseen={"yours": unseen_bits})
    print(f"Yours needs {unseen_bits:.2f} bits on the validation text. It writes:")
    start = encode("The ", alphabet)
    drawn = generate(mine, start, 200, 0.7, torch.Generator().manual_seed(0))
    print(decode(torch.cat([start, drawn]), alphabet))
    passed = [name for name, bits in tables.items() if unseen_bits < bits]
    claim(
        "On unseen text it needs more than on what it was reading in its last 20 steps",
        unseen_bits > statistics.mean(seen[-20:]),
        of="tiny_shakespeare",
        unit="bits",
        while_reading=statistics.mean(seen[-20:]),
        unseen=unseen_bits,
        tables_beaten=", ".join(passed),
    )

# %% [markdown]
# It starts at log₂ V, as a model that knows nothing must. Within a few steps it knows how frequent the characters are (the unigram).
# After that it has to learn about context, and that takes longer. Most of what it writes are words, or nearly.
#
# Which tables does it beat? Do not read that off the curve. The curve is the loss on text that it is just learning from, eight places at
# which it stays for a long time; the dashed lines are losses on *validation* text. Only the dot at the end can be compared with them.
#
# ## 5 · What to read, and where to cut
#
# Two experiments, and you may be surprised twice. Within each of them all models have the same size, learn with the same optimizer and the
# same schedule, and read equally many characters. A small LSTM cannot use two cores, as each step waits for the one before it. Two models
# can: `in_parallel` trains them side by side.
#
# **First**: does it pay to read in order? Your streams carried their state from batch to batch. Instead you could take windows of 64
# characters from random places, each read with an empty state. **Predict**: which teaches more?

# %%
on_unseen = Streams(validation_tokens, 32, 256)
recipe = dict(lr=0.03, betas=(0.7, 0.95), fall="linear", clip=1.0)
recipe |= dict(metric="bits per character", validations=1)


def in_order(seed: int) -> Streams:
    """The text in 8 streams; `fit` carries the state along."""
    return Streams(train_tokens, 8, 64)


def at_random(seed: int) -> Batches:
    """As many batches of 8 windows, from random places; each window begins without a state."""
    return Batches(*windows(train_tokens, 64, 8 * STEPS, seed), size=8)


# %%
kinds, seeds = {"in order": in_order, "at random": at_random}, (0, 1, 2)
trained = {}
for kind in kinds:
    for seed in seeds:  # one after the other: the generator of random numbers is shared
        seed_everything(seed)
        trained[kind, seed] = CharLSTM(vocabulary, width=128, embedding=32)


def train(kind: str, seed: int) -> float:
    """Bits per character on the validation text, read in order, with the state carried along."""
    batches = kinds[kind](seed)
    passes = STEPS / len(batches)
    return fit(trained[kind, seed], batches, on_unseen, epochs=passes, **recipe).best


# %%
bits_of = in_parallel({key: partial(train, *key) for key in trained}, "two at a time")
by_kind = {kind: [bits_of[kind, seed] for seed in seeds] for kind in kinds}
shown = {f"LSTM, read {kind}": bits for kind, bits in by_kind.items()}
plot_bits(shown, "The same number of characters, in order or at random", {"6-gram": best_table})

# %%
claim(
    "Windows at random places teach more than streams, three seeds",
    max(by_kind["at random"]) < min(by_kind["in order"]) - 0.03,
    of="tiny_shakespeare",
    unit="bits",
    **{kind.replace(" ", "_"): bits for kind, bits in by_kind.items()},
)
claim(
    "After 200,000 characters a table of counts is far ahead, three seeds",
    min(by_kind["at random"]) > best_table + 0.2,
    of="tiny_shakespeare",
    unit="bits",
    LSTM=by_kind["at random"],
    table=best_table,
)

# %% [markdown]
# Reading at random wins, although those models never had a state to start with, and are now tested with one. A likely reason:
# eight streams stand at eight places of the text for a long time, so that the gradients of neighbouring steps repeat each other.
#
# And counting wins against all of them. That is no accident of this run: the table has read the whole million characters, the networks
# a fifth of it, and once. Section 6 shows what it takes to change that.
#
# **Second**: where do you cut? Perhaps a model that is trained with T = 16 cannot learn about anything further back, because no
# gradient has ever told it. To find out, *everything* else must stay the same: the text, the batch, the number of updates. So
# every model reads the same batches of 16 streams of 256 characters, and makes one update per batch. Only the place of the cut differs:
# inside a batch the state is detached every 16, every 64 or every 256 characters.


# %% covers="39"
class Truncated(nn.Module):
    """A char-LSTM whose gradients reach back T characters; what it computes is the same."""

    def __init__(self, model: CharLSTM, T: int):
        super().__init__()
        self.model, self.T = model, T

    def forward(self, tokens, state=None):
        logits = []
        for part in tokens.split(self.T, dim=1):
            state = state and tuple(number.detach() for number in state)
            found, state = self.model(part, state)
            logits.append(found)
        return torch.cat(logits, 1), state


# %%
cuts, runs = (16, 64, 256), {}
for seed in seeds:
    for T in cuts:
        seed_everything(seed)
        runs[T, seed] = Truncated(CharLSTM(vocabulary, width=64, embedding=32), T)


def train_cut(T: int, seed: int) -> float:
    """40 updates on 4,096 characters each; validation loss in bits per character."""
    streams = Streams(train_tokens, 16, 256)
    passes = 40 / len(streams)
    return fit(runs[T, seed], streams, on_unseen, epochs=passes, **recipe).best


bits_of_cut = in_parallel({key: partial(train_cut, *key) for key in runs}, "two at a time")
by_cut = {T: [bits_of_cut[T, seed] for seed in seeds] for T in cuts}
for T, found in by_cut.items():
    print(f"detached every {T:3} characters: {', '.join(f'{value:.3f}' for value in found)} bits")

# %%
means = [statistics.mean(found) for found in by_cut.values()]
claim(
    "Where the state is detached makes less than 0.05 bits of difference here, three seeds",
    max(means) - min(means) < 0.05,
    of="tiny_shakespeare",
    unit="bits",
    **{f"every_{T}": found for T, found in by_cut.items()},
)

# %% [markdown]
# Hardly any difference. But these models have read little, and what lies far back is learned last. So here is a recorded run
# of a larger model that read ten times as much, always with T = 16 (256 cells; `python -m bench.record_horizon`, in the course's folder, makes it again).
# **Predict**: can it make use of more than 16 characters, though no gradient ever went back further?

# %%
record = json.loads((paths.RECORDED / "char_lstm_horizon.json").read_text())
short = record["runs"]["16"]
lowest = min(short["bits"])
for k, bits, error in zip(short["lengths"], short["bits"], short["excess_spread"], strict=True):
    if 8 <= k <= 64:
        print(f"{k:2} visible: {bits:.3f} bits, {bits - lowest:.3f} ± {error:.3f} above the best")

# %%
at_16 = short["lengths"].index(16)
gain, error = short["bits"][at_16] - lowest, short["excess_spread"][at_16]
claim(
    "With gradients that reached back 16 characters, a model uses more (one recorded run)",
    gain > 4 * error,
    unit="bits",
    gained_beyond_16=gain,
    standard_error=error,
)

# %% [markdown] quiz="truncation" points=1
# ### Quiz · looking further than the gradient
#
# That model was trained with T = 16: its gradients never went further back than 16 characters. Yet its loss goes on falling when it
# may see more than 16. How can that be?
#
# - A. It cannot be. The measurement must be noise.
# - B. The state is carried from batch to batch, so the model *reads* further back than its gradients go.
# - C. The streams overlap, so it saw longer texts than it was told.
# - D. `detach` only makes gradients smaller.
#
# ### BEGIN SOLUTION
# **B.** Truncation cuts the gradient, not the state. What was learned for short distances also keeps things for longer ones.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A**: the gain is several times its standard error.
# - **B** is right. A cell that learned to keep something for 16 characters does not know that it should stop at 17. What cannot be
#   learned is what pays off *only* beyond T.
# - **C**: they do not. Each character is read once in a pass, in one stream.
# - **D**: `detach` stops the gradient altogether. Nothing flows through it.
# </details>

# %% [markdown]
# ## 6 · A model that was trained for longer
#
# What would you see if you did not have to wait? We have waited for you. `char_lstm` has 512 cells, and it has read the million
# characters **twelve times**, in 16 streams of 128, which took half an hour of one core. While it trained, four in ten numbers of its
# embedding and of its output were set to zero at random (dropout), so that it could not simply memorise. The course ships its
# weights, and its card says how they were made.
#
# **Predict**: how many times did it have to read the text before it was better than the table?

# %%
writer = models.pretrained("char_lstm")
card = models.card("char_lstm")
read, looked = ([look[what] for look in card["looks"]] for what in ("read", "validation"))
curve = LearningCurve(read, [look["seconds"] for look in card["looks"]], looked)
title = "Slowly, with many passes, the LSTM passes the table"
plot_reading({"char_lstm": curve}, {"6-gram": best_table}, title)

# %% [markdown]
# The curve is from its card. Let us measure the end of it ourselves, on the same validation text as everything else: `losses` reads it
# in 16 rows side by side, and gives the loss at every single place. (Not Shakespeare on your machine? Then what the model has no
# character for is left out.)

# %%
readable = "".join(character for character in corpus.validation if character in writer.alphabet)
rows = Streams(encode(readable, writer.alphabet), 16, 256)
pairs = zip(rows.inputs.split(8), rows.targets.split(8), strict=True)
parts = in_parallel({n: partial(losses, writer, *pair) for n, pair in enumerate(pairs)})
full = torch.cat([*parts.values()])  # (16, characters of a row), in bits
shipped_bits = full.mean().item()
print(f"{count_parameters(writer):,} parameters, {shipped_bits:.3f} bits per character")
print(f"perplexity {2**shipped_bits:.2f}; that of the table {2**best_table:.2f}")

# %%
claim(
    "A well-trained LSTM reads the whole validation text better than the best table",
    shipped_bits < best_table - 0.1,
    of="tiny_shakespeare",
    unit="bits",
    LSTM=shipped_bits,
    table=best_table,
)
passed = (count for count, bits in zip(read, looked, strict=True) if bits < best_table)
crossed = next(passed, math.inf)  # not at all, perhaps, with another text
claim(
    "It had to read the text more than twice to get there",
    crossed > 2 * len(train_tokens),
    of="tiny_shakespeare",
    million_characters_read=crossed / 1e6,
)

# %% [markdown]
# So counting can be beaten, with the same million characters, and with patience. Why does the curve end at about two bits, and not lower?
# **Predict**: how many bits does the model need for a text that it *has* read, twelve times?

# %%
shakespeare = corpus.name == "tiny_shakespeare"
familiar = encode(corpus.train[-60_001:], alphabet) if shakespeare else rows.inputs[0]
known_rows = Streams(familiar, 16, 256)
familiar_bits = losses(writer, known_rows.inputs, known_rows.targets).mean().item()
claim(
    "On text that it has trained on it needs at least 0.2 bits less",
    familiar_bits < shipped_bits - 0.2,
    of="tiny_shakespeare",
    unit="bits",
    trained_on=familiar_bits,
    unseen=shipped_bits,
)
claim(
    "The last two of its twelve passes brought less than a hundredth of a bit (by its card)",
    looked[-3] - looked[-1] < 0.01,
    of="tiny_shakespeare",
    unit="bits",
    gained=looked[-3] - looked[-1],
)

# %% [markdown]
# The gap is what it knows about *this* text and not about English. You saw the same from the other side when the table had less text to
# count. A million characters put a floor under both of them, and the last passes of the training hardly lowered it (its rate falls to 0 there);
# [data/weights/README.md](../data/weights/README.md) measures how much half of the text costs. Large language models are trained on millions of times more.
#
# From here on we study this model. It has something to remember.
#
# ## 7 · Let it write
#
# To write, the model reads a prompt, you draw a character from its probabilities, it reads that character, and so on. The
# **temperature** τ says how boldly you draw:
#
# $$p_i = \frac{e^{z_i/\tau}}{\sum_j e^{z_j/\tau}}$$
#
# | symbol | in code | meaning |
# | --- | --- | --- |
# | $z$ | `logits[0, -1]` | (V,), after the last character that was read |
# | $\tau$ | `temperature` | below 1 the favourites gain; above 1 all the others gain |
# | $h, c$ | `state` | what the model has kept of the text so far |
#
# **Predict**: the logits are 2, 1 and 0. What happens to the probabilities at τ = 0.5?

# %% same_output=true
for temperature in (0.5, 1.0, 2.0):
    probabilities = (torch.tensor([2.0, 1.0, 0.0]) / temperature).softmax(0)
    print(temperature, [round(value, 2) for value in probabilities.tolist()])

# %% [markdown]
# ### Exercise 8.3 · continue a prompt
# ●●○ · about 15 minutes · 2 points
#
# Write `continue_prompt(model, prompt, count, temperature)`. The model reads the prompt once and starts without a state. Then
# you draw `count` characters, one at a time, and let the model read each of them. Return the new tokens, without the prompt.


# %% answer="continue_prompt" covers="39 40"
def continue_prompt(model, prompt: torch.Tensor, count: int, temperature: float) -> list[int]:
    """`count` new tokens after the prompt (T,), each drawn from softmax(logits / temperature).

    >>> one_letter = CharLSTM(vocabulary=1, width=2)  # has no choice
    >>> continue_prompt(one_letter, torch.tensor([0, 0]), count=3, temperature=1.0)
    [0, 0, 0]
    """
    ### BEGIN SOLUTION
    drawn = []
    with torch.no_grad():
        logits, state = model(prompt[None])
        for _ in range(count):
            probabilities = (logits[0, -1] / temperature).softmax(0)
            token = torch.multinomial(probabilities, 1)
            drawn.append(token.item())
            logits, state = model(token[None], state)
    return drawn
    ### END SOLUTION


# %% check="continue_prompt"
check.continue_prompt(continue_prompt)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Before the loop, read the whole prompt. In the loop: logits → probabilities → draw → keep → let the model read it, with the state.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# The model reads (B, T). A prompt (T,) becomes (1, T) with `prompt[None]`, one token becomes (1, 1). `logits[0, -1]` is (V,).
# </details>
# <details><summary>Help: it writes "the the the the"</summary>
#
# You take the most likely character each time. Draw one instead: `torch.multinomial(probabilities, 1)`.
# </details>
# <details><summary>Help: it writes random letters</summary>
#
# Does the model get the state of the step before? Without it, it sees one character at a time.
# </details>

# %% payoff="continue_prompt"
with payoff("continue_prompt"):
    seed_everything(1)
    prompt = "ROMEO:\n"
    tokens = continue_prompt(writer, encode(prompt, writer.alphabet), 900, 0.7)
    print(prompt + decode(torch.tensor(tokens), writer.alphabet))

# %% [markdown]
# Speakers, lines of verse, sentences that almost make sense: your loop, and a model that looks at one character at a time. Has it copied
# all this from the text that it read twelve times? **Predict**: how long is the longest piece of a page that stands word for word in the
# training text?


# %%
def longest_copied(text: str) -> str:
    """The longest piece of a text that also stands in the training text."""
    best = ""
    for start in range(len(text)):
        while text[start : start + len(best) + 1] in corpus.train and start + len(best) < len(text):
            best = text[start : start + len(best) + 1]
    return best


# %%
prompt = encode("ROMEO:\n", writer.alphabet)
page = decode(generate(writer, prompt, 900, 0.7, torch.Generator().manual_seed(0)), writer.alphabet)
copied = longest_copied(page)
print(f"the longest of {len(page)} characters: {copied!r}")
claim(
    "On a page of its own it copies no more than 60 characters in a row",
    len(copied) <= 60,
    of="tiny_shakespeare",
    unit="characters",
    longest=len(copied),
)

# %% [markdown]
# ### What the temperature does
#
# **Predict** what you will read at 0.3, and what at 1.5.

# %%
temperatures = (0.3, 0.7, 1.0, 1.5)
for temperature in temperatures:
    draws = torch.Generator().manual_seed(0)
    tokens = generate(writer, prompt, 160, temperature, draws)
    print(f"--- temperature {temperature}\n{decode(tokens, writer.alphabet)}\n")

# %% [markdown]
# Two numbers say what you have read. How many of the words that it writes stand in the training text? And how many
# *different* words does it use?

# %%
known_words = set(corpus.train.split())


def words_written(temperature: float, seed: int, keep=None) -> tuple[float, float]:
    """Of the words in 300 characters: how many % are known, how many % are different."""
    draws = torch.Generator().manual_seed(seed)
    tokens = generate(writer, prompt, 300, temperature, draws, keep=keep)
    words = decode(tokens, writer.alphabet).split()[:-1]  # the last one may be cut off
    known = sum(word in known_words for word in words)
    return 100 * known / len(words), 100 * len(set(words)) / len(words)


# %%
known, different = {}, {}
for temperature in temperatures:
    pairs = [words_written(temperature, seed) for seed in seeds]
    known[temperature], different[temperature] = map(list, zip(*pairs, strict=True))
    print(
        f"τ = {temperature}: {statistics.mean(known[temperature]):.0f} % of its words are known, "
        f"{statistics.mean(different[temperature]):.0f} % are different"
    )

# %% covers="40"
claim(
    "At a low temperature it writes known words, at a high one it invents them, three texts each",
    min(known[0.3]) > max(known[1.5]) + 10,
    of="tiny_shakespeare",
    unit="%",
    known_at_0_3=known[0.3],
    known_at_1_5=known[1.5],
)
claim(
    "At a low temperature it repeats itself more, three texts each",
    statistics.mean(different[0.3]) < statistics.mean(different[1.5]) - 10,
    of="tiny_shakespeare",
    unit="%",
    different_at_0_3=different[0.3],
    different_at_1_5=different[1.5],
)

# %% [markdown]
# There is no right temperature; there is a trade. But look at what goes wrong at 1.5. Sixty characters are unlikely at most places, and a high
# temperature helps all of them at once; together they are drawn often (a claim below measures it). Two methods cut this tail off. **Top-k** keeps the k most
# likely characters. **Top-p** (nucleus sampling, Holtzman et al. 2020) keeps the fewest that together have the probability p. Then you draw
# among those that are left.
#
# **Predict**: the probabilities are ½, ¼, ⅛ and ⅛. Which characters does top-p keep with p = 0.7? And which with p = 0.5?
#
# | | keeps | rescaled |
# | --- | --- | --- |
# | top-k, k = 2 | ½, ¼ | ⅔, ⅓ |
# | top-p, p = 0.7 | ½, ¼ (together ¾; the first one alone is not enough) | ⅔, ⅓ |
# | top-p, p = 0.5 | ? | ? |
#
# ### Exercise 8.4 · top-k and top-p
# ●●○ · about 15 minutes · 2 points
#
# Write `keep_likely(probabilities, k, p)`. It takes probabilities (V,) in any order.
#
# 1. Keep the k largest, and rescale them so that their sum is 1.
# 2. Of these, keep the fewest whose sum is at least p (the largest first), and rescale again.
#
# Return probabilities (V,): each character in its own place, and 0 for those that were cut off. No two probabilities are equal where it
# would matter.


# %% answer="keep_likely" covers="40"
def keep_likely(probabilities: torch.Tensor, k: int, p: float) -> torch.Tensor:
    """The probabilities (V,) that are left after top-k and then top-p.

    >>> keep_likely(torch.tensor([0.125, 0.5, 0.25, 0.125]), k=3, p=0.6)
    tensor([0.0000, 0.6667, 0.3333, 0.0000])
    """
    ### BEGIN SOLUTION
    ranked, places = probabilities.sort(descending=True)
    ranked = ranked[:k] / ranked[:k].sum()
    before = ranked.cumsum(0) - ranked  # what the likelier ones have already
    ranked[before >= p - 1e-6] = 0
    kept = torch.zeros_like(probabilities)
    kept[places[:k]] = ranked / ranked.sum()
    return kept
    ### END SOLUTION


# %% check="keep_likely"
check.keep_likely(keep_likely)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Sort from the likeliest down, and keep the indices. A character stays if the sum of those *before* it has not reached p yet.
# </details>
# <details><summary>Hint: how</summary>
#
# `ranked, places = probabilities.sort(descending=True)`, and `ranked.cumsum(0)` gives running sums. At the end, put the values back:
# `kept[places] = ranked`.
# </details>
# <details><summary>Help: the right numbers in the wrong places</summary>
#
# You return them sorted. `places` says which character each of them belongs to.
# </details>
# <details><summary>Help: one character too few</summary>
#
# The character with which the sum reaches p still belongs to those that are kept.
# </details>

# %% payoff="keep_likely"
with payoff("keep_likely"):
    with torch.no_grad():
        after_prompt = writer(encode("The king", writer.alphabet)[None])[0][0, -1].softmax(0)
    cut = {"all": after_prompt, "top-k, k = 5": keep_likely(after_prompt, 5, 1.0)}
    cut["top-p, p = 0.9"] = keep_likely(after_prompt, len(writer.alphabet), 0.9)
    plot_probabilities(cut, writer.alphabet, title="After 'The king': no tail, and the rest grows")
    nucleus = partial(keep_likely, k=len(writer.alphabet), p=0.9)
    for name, keep in {"all of them": None, "your top-p, p = 0.9": nucleus}.items():
        share = statistics.mean(words_written(1.2, seed, keep)[0] for seed in seeds)
        print(f"τ = 1.2, drawn from {name}: {share:.0f} % of the words are known")

# %% [markdown]
# Top-k has a weakness: the right k changes from place to place. In the middle of *th* one character is nearly certain; at the beginning of a
# word, a dozen are possible. Top-p adapts. **Predict**: how many characters make up 90 % of the probability?

# %%
with torch.no_grad():
    seen_logits = writer(rows.inputs[:4, 500:1000])[0].flatten(0, 1)  # (2000, V)
ranked = {tau: (seen_logits / tau).softmax(1).sort(1, descending=True).values for tau in (1.0, 1.5)}
nucleus_size = 1 + (ranked[1.0].cumsum(1) < 0.9).sum(1)  # (2000,)
for least, most in ((1, 1), (2, 4), (5, 9), (10, 65)):
    share = ((nucleus_size >= least) & (nucleus_size <= most)).float().mean()
    print(f"{least} to {most} characters: at {share:.0%} of the places")

# %%
tail = {tau: 100 * values[:, 10:].sum(1).mean().item() for tau, values in ranked.items()}
claim(
    "At temperature 1.5 all but the ten likeliest are drawn at least twice as often as at 1",
    tail[1.5] > 2 * tail[1.0],
    of="tiny_shakespeare",
    unit="% of the draws",
    at_1=tail[1.0],
    at_1_5=tail[1.5],
)
one, many = (nucleus_size == 1).float().mean(), (nucleus_size >= 8).float().mean()
claim(
    "90 % of the probability is often on one character, and often on eight or more",
    min(one, many) > 0.05,
    of="tiny_shakespeare",
    unit="% of the places",
    one=100 * one.item(),
    eight_or_more=100 * many.item(),
)

# %% [markdown]
# Try it: another prompt, another temperature. (Where the notebook runs, the prompt is yours to write.)

# %%
char_sampler(writer, writer.alphabet, "ROMEO:\n")

# %% [markdown]
# ## 8 · How far back does it look?
#
# Now the question of this lesson. "An LSTM forgets after about 50 characters", you will often read. Is it true?
#
# Show the model only the last k characters before a place, and measure the loss on what comes there. With k = 1 it is nearly
# blind. As a rule, the more it sees, the better it gets, until more no longer helps: what lies further back it has forgotten, or has never
# used.
# (The method is that of Khandelwal et al. 2018.)
#
# Where does a curve stop falling? That needs a rule. Ours: **the context horizon, or horizon for short, is the smallest k whose loss is within
# a tolerance of the lowest.** (Lesson 06's *gradient horizon* asked how far back a gradient reaches. This one asks how far back
# anything is of use.) **Predict** the horizon that this rule reads off the curve below, with a tolerance of 0.01 bits.

# %% same_output=true
visible, example = [1, 2, 4, 8, 16], [3.0, 2.5, 2.32, 2.306, 2.3]
for k, value in zip(visible, example, strict=True):
    print(f"{k:2} visible: {value:.3f} bits, {value - min(example):.3f} above the lowest")

# %% [markdown]
# It is 8: the loss is lowest at 16, and 8 is close enough. For a place p and a length k:
#
# $$\ell_k = -\frac1P\sum_p \log_2 p(x_p \mid x_{p-k} \dots x_{p-1}) \qquad
# \text{horizon} = \min\{k : \ell_k \le \min_j \ell_j + \varepsilon\}$$
#
# | symbol | in code | shape |
# | --- | --- | --- |
# | $x$ | `tokens` | (N,) |
# | $p$ | `places`, the same ones for every k | (P,), each at least as large as the largest k |
# | $k$ | one of `lengths`, rising | a list |
# | $\varepsilon$ | `tolerance`, in bits | a number |
#
# ### Exercise 8.5 · the horizon
# ●●● · about 20 minutes · 3 points
#
# Write `measure_horizon(model, tokens, places, lengths, tolerance)`. It returns a pair: the list of the losses in bits, one for
# each length, and the horizon. The model begins each window without a state.


# %% answer="measure_horizon" covers="39"
def measure_horizon(
    model, tokens: torch.Tensor, places: torch.Tensor, lengths: list[int], tolerance: float
) -> tuple[list[float], int]:
    """(bits per character for each length, smallest length within `tolerance` of the lowest).

    >>> sure = CharLSTM(vocabulary=1, width=2)  # it has one character, so nothing can surprise it
    >>> measure_horizon(sure, torch.zeros(9, dtype=torch.long), torch.tensor([4, 8]), [1, 4], 0.1)
    ([0.0, 0.0], 1)
    """
    ### BEGIN SOLUTION
    bits = []
    for k in lengths:
        windows = tokens[places[:, None] + torch.arange(-k, 0)]  # (P, k)
        with torch.no_grad():
            logits, _ = model(windows)
        loss = F.cross_entropy(logits[:, -1], tokens[places])
        bits.append(abs(loss.item()) / math.log(2))
    within = [k for k, value in zip(lengths, bits, strict=True) if value <= min(bits) + tolerance]
    return bits, within[0]
    ### END SOLUTION


# %% check="measure_horizon"
check.measure_horizon(measure_horizon)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# One pass for each k: gather the windows, run the model, compare the logits after the last column with `tokens[places]`.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# `places[:, None] + torch.arange(-k, 0)` is (P, k): its rows hold the places p − k … p − 1. `logits[:, -1]` is (P, V).
# </details>
# <details><summary>Help: my loss at k = 1 is too good</summary>
#
# The window holds the character that is to be predicted. It has to end one place before.
# </details>
# <details><summary>Help: the losses are right and the horizon is not</summary>
#
# Compare with the *lowest* loss of all, and return the length itself, not its place in the list.
# </details>

# %% payoff="measure_horizon"
with payoff("measure_horizon"):
    tokens = encode(readable, writer.alphabet)
    places = torch.arange(300, len(tokens), len(tokens) // 300)
    looked_at = [1, 2, 4, 8, 16, 32, 64, 128]
    found, k = measure_horizon(writer, tokens, places, looked_at, 0.01)
    print("  ".join(f"{n}: {value:.2f}" for n, value in zip(looked_at, found, strict=True)))
    print(f"your measurement, {len(places)} places: the model looks {k} characters back")

# %% [markdown]
# Is 16 worse than 8 in your measurement? That is no accident of these places. Keep it in mind: *Cut its memory while it writes*, below,
# suggests a reason.
#
# Can the ruler be trusted? Try it on a model whose horizon we know: the 6-gram looks five characters back, and no further.
# `context_horizon` from `utils.reach` does what you did, at more places. **Predict** its curve.

# %%
known_one = context_horizon(ngrams[6], validation_tokens, (1, 2, 3, 4, 5, 6, 8, 12))
for k, value in zip(known_one.lengths, known_one.bits, strict=True):
    print(f"{k}: {value:.2f}", end="  ")
claim(
    "The ruler finds that the 6-gram looks back no further than five characters",
    known_one.horizon <= 5 and known_one.bits[-1] == known_one.bits[4],
    unit="characters",
    horizon=known_one.horizon,
)

# %% [markdown]
# ### The control: a wrong past instead of none
#
# There is a doubt left. In training this model carried its state along, so it hardly ever saw an empty one. If it is bad at k = 4, is
# that because it misses what lies further back, or because an empty state is strange to it? And at k = 60, is it good because it
# has forgotten what came before, or because it can do without?
#
# Khandelwal et al. (2018) had the idea for a control: do not take the past away, **replace** it. The model reads 100 characters from a quite
# different place of the text, and then the last k true ones. If it is then as good as with the true past, it really has forgotten.
#
# The ruler for this, `context_excess`, measures at nearly all places of the validation text how many bits are *lost* compared with
# the whole true past. To use every place once, it takes ranges of lengths: its mark at 24 stands for 17 to 24 visible characters, the one at
# 64 for 49 to 64. **Predict**: which is worse at k = 4, no past or a wrong one? And at k = 64?

# %%
barely, small = trained["at random", 0], Streams(validation_tokens, 16, 256)
small_full = losses(barely, small.inputs, small.targets)
of_writer = partial(context_excess, writer, rows.inputs, rows.targets, full)
of_small = partial(context_excess, barely, small.inputs, small.targets, small_full)
measured = in_parallel(
    {
        "foreign": partial(of_writer, foreign=100),
        "nothing": of_writer,
        "young": partial(of_small, foreign=100),
    }
)
foreign, nothing, young = measured.values()

# %% figure="horizons" covers="39"
curves = {
    "k characters behind foreign text": foreign,
    "k characters and an empty state": nothing,
    "k behind foreign text, a model that has read little": young,
}
title = "Beyond some 50 characters, this LSTM has forgotten"
plot_excess(curves, 0.01, title)

# %% [markdown]
# Each band reaches one standard error up and one down. What is below 0.001 is drawn at 0.001. A hollow marker says that what is left is
# smaller than that, or than its error, so there is nothing to see.

# %%
lost = {k: (f, n) for k, f, n in zip(foreign.lengths, foreign.bits, nothing.bits, strict=True)}
past_64 = [lost[k][0] for k in foreign.lengths if k > 64]
claim(
    "It forgets: behind 64 true characters, foreign text costs less than 0.01 bits",
    max(past_64) < 0.01,
    of="tiny_shakespeare",
    unit="bits",
    lost_beyond_64=max(past_64),
)
claim(
    "It does remember: 25 to 32 true characters are not enough",
    lost[32][0] > 0.02,
    of="tiny_shakespeare",
    unit="bits",
    lost=lost[32][0],
)
claim(
    "At four characters a wrong past is worse than none; beyond 24 they are about equal",
    lost[4][0] > lost[4][1] + 0.1
    and all(abs(f - n) < 0.05 for k, (f, n) in lost.items() if k > 24),
    of="tiny_shakespeare",
    unit="bits",
    lost_at_4_foreign=lost[4][0],
    lost_at_4_empty=lost[4][1],
    lost_at_32_foreign=lost[32][0],
    lost_at_32_empty=lost[32][1],
)

# %% [markdown]
# So the saying holds, and now we know what it means. Behind more than 48 true characters even a *wrong* past leaves no trace: that is
# forgetting, and not merely doing without. The control was worth it, too. With a few characters visible, a wrong state does much more harm than an empty one: what
# looks like "needs more context" is partly the wrong state, or the missing one. From two dozen characters on, the two curves agree, so an empty
# state is good enough to find the horizon.
#
# But "about 50" is not a constant of the LSTM. It depends on the rule, and on the training. Here are the same curves, read with other tolerances. (This
# horizon is the mark from which on a curve *stays* within the tolerance, so one lucky dip does not count.)

# %%
tolerances = (0.005, 0.01, 0.02, 0.05, 0.1)
print("tolerance in bits:     ", *(f"{tolerance:6}" for tolerance in tolerances))
horizons = {name: [e.within(tolerance) for tolerance in tolerances] for name, e in curves.items()}
for name, row in zip(("foreign", "empty", "barely trained"), horizons.values(), strict=True):
    print(f"{name:23}", *(f"{k:6}" for k in row))

# %%
claim(
    "The stricter the rule, the further the same model looks",
    foreign.within(0.005) > foreign.within(0.1),
    of="tiny_shakespeare",
    unit="characters",
    tolerance_0_005=foreign.within(0.005),
    tolerance_0_1=foreign.within(0.1),
)
claim(
    "And it depends on training: the model that has read little looks less far",
    young.within(0.03) < foreign.within(0.03),
    of="tiny_shakespeare",
    unit="characters",
    after_200_thousand=young.within(0.03),
    after_12_million=foreign.within(0.03),
)

# %% [markdown]
# ### What is it that it remembers?
#
# What lies 20 to 50 characters back in this text? A guess: the beginning of the line. A model that knows where the line began
# knows whether the line may end soon.
#
# This can be measured exactly. The loss at each place has two parts: one for the **decision** whether a line break comes or not, and one
# for which of the other characters comes, if it does not. `losses(…, event=…)` gives the first part alone. **Predict**: what share of the whole loss
# is the decision about line breaks? And what share of what is lost with only 17 to 32 characters visible?

# %%
of_lines = sorted(len(line) for line in readable.split("\n") if line)
print(f"nine of ten lines have at most {of_lines[len(of_lines) * 9 // 10]} characters")
newline = writer.alphabet.index("\n")
some, wanted = rows.inputs[:5], rows.targets[:5]  # a third of the text is enough
decision = losses(writer, some, wanted, event=newline)
behind_foreign = partial(context_excess, writer, some, wanted, foreign=100)
lost_all, lost_breaks = in_parallel(
    {
        "all": partial(behind_foreign, full[:5]),
        "breaks": partial(behind_foreign, decision, event=newline),
    }
).values()
for k, all_of_it, part in zip(lost_all.lengths, lost_all.bits, lost_breaks.bits, strict=True):
    if 8 <= k <= 48:
        print(f"up to {k:2} visible: {all_of_it:.3f} bits lost, {part:.3f} of them on line breaks")

# %%
two = [lost_all.lengths.index(24), lost_all.lengths.index(32)]  # 17 to 24, and 25 to 32
lost_share = 100 * sum(lost_breaks.bits[i] for i in two) / sum(lost_all.bits[i] for i in two)
whole_share = 100 * (decision.mean() / full[:5].mean()).item()
claim(
    "Line breaks are a small part of the loss, and a large part of what distant context is for",
    lost_share > 33 and whole_share < 5,
    of="tiny_shakespeare",
    unit="%",
    of_the_whole_loss=whole_share,
    of_what_is_lost_with_17_to_32_visible=lost_share,
)

# %% [markdown]
# One decision, the one about line breaks, makes up a few percent of the loss, but about half of what is lost when the model cannot see the
# beginning of the line. So a large part of its long memory is for **how long the line already is**. (The rest we have not explained. It could be
# who is speaking, or the metre.) On another text its horizon would be another number: "about 50" says as much about Shakespeare's verse as about the LSTM.
#
# ### Cut its memory while it writes
#
# Twenty texts for each k. The model sees only the last k characters: first of the prompt, and then also of what it has written itself. If
# it needs its memory to know where a line began, then its lines should become irregular when you shorten it. **Predict** from which k on
# its lines look like Shakespeare's.


# %%
length = rows.inputs.shape[1]
starts = (length // 7, 3 * length // 7)  # two places in each row


@torch.no_grad()
def write_with(k: int, texts: int = 20, count: int = 120) -> list[str]:
    """Texts that a model writes which sees its last k characters, at temperature 0.7."""
    draws = torch.Generator().manual_seed(0)
    tokens = torch.cat([rows.inputs[:, start : start + 64] for start in starts])[:texts]
    for _ in range(count):
        logits, _ = writer(tokens[:, -k:])
        drawn = torch.multinomial((logits[:, -1] / 0.7).softmax(-1), 1, generator=draws)
        tokens = torch.cat([tokens, drawn], 1)
    return [decode(row[64:], writer.alphabet) for row in tokens]


def regular(texts: list[str]) -> float:
    """Of the whole lines, how many % have the length of verse: 30 to 50 characters."""
    lines = [line for text in texts for line in text.split("\n")[1:-1] if len(line) > 15]
    return 100 * sum(30 <= len(line) <= 50 for line in lines) / max(1, len(lines))


# %%
written = in_parallel({k: partial(write_with, k) for k in (64, 16, 4)})
regular_with = {k: regular(written[k]) for k in (4, 16, 64)}
for k, share in regular_with.items():
    print(f"k = {k:2}: {share:3.0f} % of the lines are verse; {written[k][0][:70]!r}")
print(f"Shakespeare's own: {regular([readable]):.0f} %")

# %%
claim(
    "Its lines have the length of verse if it sees 64 characters, and not if it sees 4 or 16",
    regular_with[64] > max(regular_with[4], regular_with[16]) + 15,
    of="tiny_shakespeare",
    unit="%",
    with_4=regular_with[4],
    with_16=regular_with[16],
    with_64=regular_with[64],
)

# %% [markdown]
# With 16 characters visible almost every line is too short. An empty state looks like the beginning of a line to this model, so it believes that the
# line is never longer than what it sees. That is a likely reason why 16 visible characters were worse than 8
# in your measurement; we have not tested it.
#
# ### The other ruler
#
# The loss asks what context is *worth*. `influence` asks something else: by how much would the logits change if an earlier
# character changed a little? It is a Jacobian norm, as in lesson 00.


# %%
def by_distance(text):
    """The influence of each character of a text on its last place, as a share of the largest."""
    seen = influence(writer.read, writer.embedding(text[None]).detach(), at=-1)
    return seen.flip(0) / seen.max()


passages = dict(enumerate(rows.inputs[:4, starts[1] : starts[1] + 100]))
fades = in_parallel({number: partial(by_distance, row) for number, row in passages.items()})
fade = torch.stack([*fades.values()])
plot_fade({"char_lstm": fade}, "Influence on the last place fades, and has no edge", floor=1e-6)

# %%
far = [(row >= 0.01).nonzero().max().item() for row in fade]
claim(
    "No character further back than 60 has 1 % of the largest influence, in four passages",
    max(far) < 60,
    of="tiny_shakespeare",
    unit="characters",
    farthest_above_1_percent=far,
)

# %% [markdown]
# The line is the median of four passages, the band reaches from the tenth to the ninetieth percentile. By the gradient, too, the reach of an LSTM fades.
# It has no edge. Loss and gradient answer different questions: a tiny
# influence may still decide where a line ends, and a large one may be worth nothing. In order of magnitude they agree: tens of characters,
# not hundreds.

# %% [markdown] quiz="foreign_past" points=1
# ### Quiz · a wrong past
#
# You replace everything that lies more than 30 characters back by a recipe for soup. The loss rises by 0.05 bits. You take the same part
# *away*, and the loss rises by 0.05 bits as well. What do you conclude?
#
# - A. The model has forgotten everything that lies more than 30 characters back.
# - B. The model uses something that lies more than 30 characters back, and does without it equally badly in both ways.
# - C. The model has understood that soup does not belong here.
# - D. Nothing: the two experiments contradict each other.
#
# ### BEGIN SOLUTION
# **B.** If it had forgotten, neither change could make a difference.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A**: then the loss would not rise. The horizon is where *both* curves have come down.
# - **B** is right. It misses the true past, and a false one does no harm of its own.
# - **C**: perhaps, but then the foreign past should cost more than an empty one.
# - **D**: they agree. One asks whether the true past is missed, the other also whether a false one misleads.
# </details>

# %% [markdown]
# ## 9 · What do the cells keep track of?
#
# In 2015 Karpathy, Johnson and Fei-Fei looked into a char-RNN and found a cell that was active inside quotes, one that counted the place in
# the line, and one for the depth of indentation. Are there such cells in *our* LSTM? We ask one that has read Python's standard library,
# where quotes, brackets and indentation mean something. Nobody told it about any of them.
#
# A cell that tells quoted places from others should have larger (or smaller) values there. **AUROC** says how well it does: take one
# place inside quotes and one outside. How often is the value inside the larger one? One half is chance; 1 and 0 are both perfect.
# **Predict** the AUROC of the cell below.

# %% same_output=true
inside, outside = [0.9, 0.4], [0.1, 0.5]
wins = [high > low for high in inside for low in outside]
print(wins, sum(wins) / len(wins))

# %% [markdown]
# | symbol | in code | shape |
# | --- | --- | --- |
# | $a$ | `cells`: the value of each cell at each place, in two halves of a text | (2, N, H) |
# | $f$ | `flags`: whether a place has the property | (2, N), True or False |
# | AUROC | share of pairs (one flagged place, one other) in which the flagged one has the larger value; a tie counts ½ | a number for each cell |
#
# There is a trap. Among hundreds of cells, *some* cell looks good by luck. So the cell is **picked on the first half** of a text and
# **tested on the second**.
#
# ### Exercise 8.6 · find the cell
# ●●○ · about 20 minutes · 3 points
#
# Write `find_cell(cells, flags)`. It takes the AUROC of every cell in the first half, and picks the cell that is farthest from one half,
# above or below. It returns a pair: the number of that cell, and its AUROC in the **second** half.
#
# Compare all pairs at once, or take ranks, as you like. A helper function of your own will make it shorter.


# %% answer="find_cell" covers="41"
def find_cell(cells: torch.Tensor, flags: torch.Tensor) -> tuple[int, float]:
    """The best cell of the first half, and its AUROC in the second: (2, N, H) and (2, N) in.

    >>> cells = torch.tensor([[[0.5, 0.9], [0.5, 0.1]], [[0.3, 0.2], [0.1, 0.8]]])
    >>> find_cell(cells, torch.tensor([[True, False], [True, False]]))
    (1, 0.0)
    """

    ### BEGIN SOLUTION
    def auroc(values: torch.Tensor, flag: torch.Tensor) -> torch.Tensor:
        flagged, others = values[flag][:, None], values[~flag][None]  # (n1, 1, H) and (1, n0, H)
        wins = (flagged > others).float() + 0.5 * (flagged == others).float()
        return wins.mean((0, 1))

    first = auroc(cells[0], flags[0])
    best = (first - 0.5).abs().argmax().item()
    return best, auroc(cells[1], flags[1])[best].item()
    ### END SOLUTION


# %% check="find_cell"
check.find_cell(find_cell)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# First write the AUROC of all cells on one half. `values[flag]` and `values[~flag]` are the two groups: compare each of the one with each
# of the other. Then use it twice.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# (n₁, 1, H) against (1, n₀, H) gives (n₁, n₀, H). The mean over the first two leaves (H,).
# </details>
# <details><summary>Help: my ranks give almost the right numbers</summary>
#
# Ties. `argsort` twice gives equal values different ranks; `scipy.stats.rankdata(values, axis=0)` shares them.
# </details>
# <details><summary>Help: the cell is wrong and its AUROC looks plausible</summary>
#
# A cell with an AUROC of 0.1 tells more than one with 0.8. And is the cell picked on the first half alone?
# </details>

# %% [markdown]
# The passage comes from the validation part of Python's own library. Its tokenizer says where strings and brackets are. The model reads one
# character at a time, and `cells_of` writes down all its cells, the c of its state. The passage is cut into two halves, each
# of them read from an empty state.
#
# We ask for six properties. A *short* string begins and ends on one line. *Brackets of code* are round, square or curly, as the tokenizer sees
# them, so none in strings or comments. *Any parentheses* are round ones, wherever they stand.

# %%
reader = models.pretrained("python_lstm")
python = data.corpus("python")
source = whole_definitions(python.validation, 14_000)
source = "".join(character for character in source if character in reader.alphabet)
half, WARM = len(source) // 2, 200  # the first characters only fill the memory
halves = encode(source[: 2 * half], reader.alphabet).view(2, half)
cells = cells_of(reader, halves)[:, WARM:]  # (2, N, H)
seed_everything(0)
untrained = CharLSTM(**models.card("python_lstm")["architecture"]["arguments"])
cells_untrained = cells_of(untrained, halves)[:, WARM:]
print(f"two halves of {half:,} characters, {cells.shape[2]} cells")

# %%
properties = {
    "inside a string": inside_quotes(source),
    "inside a short string": inside_quotes(source, most_lines=1),
    "inside brackets of code": open_brackets(source) > 0,
    "inside any parentheses": open_parentheses(source) > 0,
    "place in the line": line_position(source),
    "indentation": indentation(source),
}
properties = {name: value[: 2 * half].view(2, half)[:, WARM:] for name, value in properties.items()}
for name, values in properties.items():
    print(f"{name:23} mean {values.float().mean():5.2f}, largest {int(values.max())}")

# %% payoff="find_cell"
with payoff("find_cell"):
    some = torch.randperm(half - WARM)[:300]  # all pairs of more places would fill the memory
    flags = properties["inside any parentheses"][:, some]
    cell, area = find_cell(cells[:, some], flags)
    print(f"your search, 300 places in each half: cell {cell}, AUROC {area:.2f} in the second half")
    cell, area = find_cell(cells[:, some], flags[:, torch.randperm(300)])
    print(f"the same search with shuffled flags:  cell {cell}, AUROC {area:.2f}")

# %% [markdown]
# ### Four traps
#
# Your second half avoids one trap. There are more, and this is what we do about each:
#
# - **A plain shuffle is too kind a control.** Quotes come in long runs, and so do the values of a slow cell. So we *shift* the flags along the text
#   instead, by random amounts: that keeps the runs and breaks the link.
# - **The last character tells already.** After `"` one is often inside. So: what does the last character alone achieve?
# - **An untrained network also remembers.** So: the same search on random weights.
# - **One cell is not the only way to know.** A linear probe reads all cells together.
#
# The strength is 2·AUROC − 1 for a property that is true or false, and the correlation for a number. It has a **sign**: above 0 the cell is high
# where the property holds (or where the number is large), below 0 it is low there. The size is 0 at chance and 1 at best.


# %%
def best_cells(values_of_cells: torch.Tensor) -> dict:
    """For each property, the cell that tells it best."""
    search = Search(values_of_cells)
    return {name: search.best(values) for name, values in properties.items()}


search, of_untrained = Search(cells), best_cells(cells_untrained)
last_character = F.one_hot(halves[:, WARM:], len(reader.alphabet)).float()
table, chosen, shifted = {}, {}, {}
seed_everything(0)
for name, values in properties.items():
    chosen[name], shifted[name] = search.best(values), search.by_luck(values, times=100)
    table[name] = {
        "best cell": abs(chosen[name].strength),
        "best cell, untrained": abs(of_untrained[name].strength),
        "best cell, flags shifted": [abs(found.strength) for found in shifted[name]],
        "last character alone": probe(last_character, values),
        "probe of all cells": probe(cells, values),
        "probe, untrained": probe(cells_untrained, values),
    }

# %% covers="41 42"
plot_strengths(
    table, "A cell is found where it beats the last character, the untrained cell and luck"
)

# %%
found_cells, rivals, luck = {}, {}, {}
for name, row in table.items():
    rivals[name] = max(row["last character alone"], row["best cell, untrained"])
    luck[name] = sum(size >= row["best cell"] for size in row["best cell, flags shifted"])
    found_cells[name] = row["best cell"] > rivals[name] and luck[name] <= 1
    verdict, best = "found" if found_cells[name] else "NOT found", chosen[name]
    print(f"{name:23} {verdict:9}: cell {best.cell:3} has {best.strength:+.2f}", end="")
    print(f" ({best.picked:+.2f} where it was picked);", end=" ")
    print(f"others ±{rivals[name]:.2f}, {luck[name]:2} of 100 shifts do as well")

# %% [markdown]
# A cell counts as found if it beats the last character and the best cell of the untrained network, and if at most one shift in a hundred
# does as well. (The two probes read all cells at once: they are no rivals of a single one.)
# Read the verdicts: they are the finding, whatever they say. (Another version of Python has another library, so yours may differ from those
# that are stored with the course.)
#
# - **A cell that was found was never asked for.** Knowing that a string or a bracket is open helps to predict what will close it, so training found it.
#   That is what is meant by *emergent*.
# - **Not found does not mean not known.** For most properties the probe of all cells tells more than the best cell does: what the network
#   knows is mostly spread over many cells. Only round brackets have a cell that tells nearly everything alone.
# - **An untrained network knows something as well**, most of all about the place in the line. A memory that is merely shaken by every line break
#   tells how long ago the last one was. Without this control, such a cell would count as a discovery.
# - **The second half is needed, and not enough.** With the flags shifted there is nothing to find. Still, where it was picked, the best of
#   hundreds of cells looks like something, and on the other half more of that is left than nothing: long runs agree by chance. So compare
#   with the shifts.

# %%
name = "place in the line"
claim(
    "In an untrained network, too, there is a cell that tells the place in the line",
    table[name]["best cell, untrained"] > 0.1,
    of="python",
    strength=table[name]["best cell, untrained"],
)
claim(
    "At least one property has a cell that beats every control of single cells",
    any(found_cells.values()),
    of="python",
    found=", ".join(name for name, was_found in found_cells.items() if was_found) or "none",
)
claim(
    "One cell tells nearly every place inside round brackets from every other",
    abs(chosen["inside any parentheses"].strength) > 0.9,
    of="python",
    strength=chosen["inside any parentheses"].strength,
    best_control=max(
        rivals["inside any parentheses"],
        *table["inside any parentheses"]["best cell, flags shifted"],
    ),
)
spread_out = [name for name, row in table.items() if row["probe of all cells"] > row["best cell"]]
claim(
    "For most properties all cells together tell more than the best one",
    len(spread_out) > len(table) / 2,
    of="python",
    properties=", ".join(spread_out),
)
by_chance = [found for name in properties for found in shifted[name]]
picked_on = statistics.mean(abs(found.picked) for found in by_chance)
tested_on = statistics.mean(abs(found.strength) for found in by_chance)
claim(
    "With shifted flags, the half on which a cell is picked promises far more than it holds",
    picked_on > 1.5 * tested_on,
    of="python",
    where_it_was_picked=picked_on,
    on_the_other_half=tested_on,
)

# %%
begin = source.find("\n\n", half + 1000) + 2
passage = slice(begin - half - WARM, begin - half - WARM + 400)  # in the second half
for name in ("inside any parentheses", "inside a string", "indentation"):
    found = chosen[name]
    side = "high" if found.strength > 0 else "low"
    words = "where there is more of it" if name == "indentation" else "there (underlined)"
    marks = properties[name][1][passage] if properties[name].dtype == torch.bool else None
    verdict = "found" if found_cells[name] else "not found"
    title = f"Cell {found.cell}, {name}: {verdict}; {side} {words}"
    plot_colored_text(
        source[begin : begin + 400], cells[1][passage, found.cell], title, underlined=marks
    )

# %% [markdown]
# A picture of a cell is a good way to get an idea and a bad way to prove one: with hundreds of cells and a passage of your choice there is
# always one that looks right. The numbers above decide.
#
# But compare the two rows about brackets. Python's tokenizer counts none in comments and docstrings. Does the cell? The property that you have
# defined is not always the one that a cell keeps track of, and then "not found" says as much about your definition as about the network.
#
# ## What we measured

# %%
notebook.headline(
    corpus.name,
    bits_per_character=shipped_bits,
    best_ngram_bits=best_table,
    bits_after_200_000_characters=by_kind["at random"],
    horizon_behind_foreign_text=foreign.within(0.01),
    horizon_from_an_empty_state=nothing.within(0.01),
    horizon_after_200_000_characters=young.within(0.01),
    cells_found=[name for name, was_found in found_cells.items() if was_found],
)

# %% [markdown]
# - **Does a network beat counting?** Not after a few seconds. With many passes and dropout it does, on the same million characters.
# - **How far back does it look?** Some tens of characters. Behind 64 true ones, even a wrong past costs next to nothing: it has forgotten.
#   "About 50" is a finding about a model, a text and a rule.
# - **What does it look at?** Beyond a dozen characters, to a large part at where the line began.
# - **What does a longer truncation buy?** With everything else equal, here next to nothing. Windows from random places bought more.
# - **Do cells keep track of things?** Some do. Some that seem to are found in a random network, too.
#
# ## If you have an hour more
#
# An open problem: this LSTM looks some 50 characters back to a large part because lines are that long. What if they were not? Replace every line break of the
# training text by a space, train a model of 256 cells on it, and measure its horizon behind foreign text. Does it become shorter, because there is
# nothing left to count? Or longer, because the cells are free for what was said? We do not know, and the answer may depend on how long you train.
#
# <!-- next -->
#
# ## References
#
# - Hochreiter, Schmidhuber: *Long Short-Term Memory*. Neural Computation, 1997. The forget gate: Gers, Schmidhuber, Cummins: *Learning to Forget*. Neural
#   Computation, 2000.
# - Williams, Peng: *An Efficient Gradient-Based Algorithm for On-Line Training of Recurrent Network Trajectories*. Neural Computation, 1990 (truncation).
# - Pascanu, Mikolov, Bengio: *On the Difficulty of Training Recurrent Neural Networks*. ICML 2013 (clipping by the norm).
# - Kneser, Ney: *Improved Backing-off for M-gram Language Modeling*. ICASSP 1995.
# - Khandelwal, He, Qi, Jurafsky: *Sharp Nearby, Fuzzy Far Away: How Neural Language Models Use Context*. ACL 2018.
# - Holtzman, Buys, Du, Forbes, Choi: *The Curious Case of Neural Text Degeneration*. ICLR 2020 (top-p).
# - Karpathy, Johnson, Fei-Fei: *Visualizing and Understanding Recurrent Networks*, 2015.
