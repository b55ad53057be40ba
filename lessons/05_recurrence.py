# %% [markdown] question="what does one state carry?" write="the cell, its unrolling, Jordan's step, n-grams in bits, a probe" minutes=120
# # 05 · Recurrence: what does one state carry?
#
# You read this sentence word by word, and by its end you still know how it began. A recurrent network reads in the same
# way. After each word it has one **state**, a list of numbers of fixed size, and nothing else: whatever it will ever know
# about the past has to be in there. What fits in? What is kept, and what is written over?
#
# When you are done (about 120 minutes) you can
#
# - write the recurrent cell and unroll it, and get exactly what PyTorch gets, for texts of different lengths;
# - say what Elman's network feeds back and what Jordan's does, and what that changes;
# - compare models that know about order (n-grams, a hidden Markov model, a recurrent network) in bits per character;
# - read from a state, with a probe, which word came $k$ steps ago;
# - tell three things apart that are easily confused: a unit that is dim, a word whose influence has faded, and a word that
#   is forgotten.
#
# You need lesson 00: the notation, and influence by gradient.

# %% setup=true
import json
import math
import re
from functools import partial
from statistics import fmean

import torch
import torch.nn.functional as F
from torch import nn

from utils import data, notebook, paths, reach
from utils.checks import recurrence as check
from utils.claims import claim
from utils.models import NGram
from utils.models.hmm import HMM
from utils.models.recurrent import (
    ContextTagger,
    CutElman,
    ElmanNetwork,
    JordanNetwork,
    TanhRNN,
)
from utils.notebook import payoff
from utils.plotting import states as plots
from utils.plotting.maps import plot_influences
from utils.plotting.runs import plot_bits
from utils.tasks.languages import (
    BANK_WORDS,
    BRACKETS,
    NOT_ASKED,
    WORDS,
    Agreement,
    agreement,
    brackets,
    last_mark,
    sines,
    two_banks,
)
from utils.text import encode
from utils.training import (
    Batches,
    Streams,
    count_parameters,
    fit,
    in_parallel,
    seed_everything,
    windows,
)
from utils.widgets.state_explorer import state_explorer

notebook.setup()
torch.set_num_threads(1)  # one step waits for the one before: a second thread would mostly wait

# %% [markdown]
# ## 1 · One step
#
# A recurrent cell makes a new state out of two things: the input of this step, and the state before it. Begin with a cell
# that has a single unit, so that its state is a single number. The input weight is 1, there is no bias, and `w` is the weight
# from the old state to the new one:
#
# $$h_t = \tanh(x_t + w\,h_{t-1})$$
#
# The input is 1 at the first step and 0 ever after. **Predict**: what is left of it after three steps with $w = 0.5$? And
# with $w = 2$?

# %% same_output=true
for w in (0.5, 2.0):
    h, states = 0.0, []
    for x in (1.0, 0.0, 0.0, 0.0):
        h = math.tanh(x + w * h)
        states.append(round(h, 3))
    print(f"w = {w}: {states}")

# %% [markdown]
# With $w = 0.5$ the number fades: each step halves it, or nearly so. With $w = 2$ it *grows*, up to the place where
# tanh stops it. Keep this in mind: a single unit can hold on to what it has once heard.
#
# With C inputs and H units the weights become matrices. PyTorch keeps two biases, one for each matrix, and so do we:
#
# $$h_t = \tanh(W_x x_t + b_x + W_h h_{t-1} + b_h)$$
#
# | symbol | in code | shape |
# | --- | --- | --- |
# | $x_t$ | `x` | (B, C): one row for each text of the batch |
# | $h_{t-1}$ | `h` | (B, H) |
# | $W_x$, $W_h$ | `W_x`, `W_h` | (H, C), (H, H): one row for each unit of the *new* state |
# | $b_x$, $b_h$ | `b_x`, `b_h` | (H,) each |
#
# ### Exercise 5.1 · the cell
# ●○○ · about 10 minutes · 2 points
#
# Write `rnn_cell(x, h, W_x, W_h, b_x, b_h)`. It returns the new state, (B, H). The formula is for one text, as a column;
# a batch holds one text in each *row*. Matrix products, sums and one tanh are all that it takes.


# %% answer="rnn_cell" covers="14"
def rnn_cell(
    x: torch.Tensor,
    h: torch.Tensor,
    W_x: torch.Tensor,
    W_h: torch.Tensor,
    b_x: torch.Tensor,
    b_h: torch.Tensor,
) -> torch.Tensor:
    """The state after one step: x (B, C), h (B, H), W_x (H, C), W_h (H, H), b_x and b_h (H,).

    Returns (B, H).

    >>> one, none = torch.ones(1, 1), torch.zeros(1)
    >>> rnn_cell(0 * one, 100 * one, W_x=one, W_h=one, b_x=none, b_h=none)
    tensor([[1.]])
    """
    ### BEGIN SOLUTION
    from_input = x @ W_x.T + b_x  # (B, H)
    from_state = h @ W_h.T + b_h  # (B, H)
    return torch.tanh(from_input + from_state)
    ### END SOLUTION


# %% check="rnn_cell"
check.rnn_cell(rnn_cell)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Two products and two biases are added up. Then there is one tanh, around all of it.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# `x` is (B, C) and `W_x` is (H, C). To get (B, H) the shared axis C has to meet C: `x @ W_x.T`.
# </details>
# <details><summary>Help: "mat1 and mat2 shapes cannot be multiplied"</summary>
#
# You wrote `W_x @ x`, as the formula does for a single column. For rows, turn it round: `x @ W_x.T`.
# </details>
#
# Your cell, with a single unit, for many steps. The first input is 1, and all others are 0.

# %% payoff="rnn_cell"
with payoff("rnn_cell"):
    one, none = torch.ones(1, 1), torch.zeros(1)
    runs = {}
    for w in (0.5, 0.9, 1.0, 2.0):
        h, run = rnn_cell(one, 0 * one, one, w * one, none, none), []
        for _ in range(30):
            run.append(h.item())
            h = rnn_cell(0 * one, h, one, w * one, none, none)
        runs[f"w = {w}"] = torch.tensor(run)
    steps = [str(t) if t % 5 == 0 else "" for t in range(30)]
    title = "One input, then silence: what is left depends on w"
    plots.plot_lines_by_word(runs, steps, "state", title, xlabel="step")

# %% [markdown]
# ### A bit that stays, and a slope that does not
#
# The unit with $w = 2$ settles at 0.958, where $h = \tanh(2h)$. Had the first input been −1, it would have settled at
# −0.958. So it keeps one bit, "was the first input positive?", for as long as you like.
#
# And how strongly does it still *depend* on that first input? A small change of the input changes the state after each step
# by the slope of tanh, which is $1 - h^2$, times $w$. **Predict**: after 20 steps, is that influence near 1 or near 0?


# %%
def latch(first: torch.Tensor, w: float, steps: int) -> torch.Tensor:
    """The state of one unit so many steps after its first input; all later inputs are 0."""
    h = torch.tanh(first)
    for _ in range(steps):
        h = torch.tanh(w * h)
    return h


first = torch.tensor([1.0, -1.0], dtype=torch.float64, requires_grad=True)
kept = latch(first, w=2.0, steps=20)
(influence_left,) = torch.autograd.grad(kept.sum(), first)
print(f"states {kept.tolist()}, influence of the first input {influence_left.tolist()}")

# %%
claim(
    "A unit with w = 2 still tells a first input of 1 from one of −1 after 1,000 steps",
    (latch(first, 2.0, 1000)[0] > 0.95).item() and (latch(first, 2.0, 1000)[1] < -0.95).item(),
    after_plus_1=latch(first, 2.0, 1000)[0].item(),
    after_minus_1=latch(first, 2.0, 1000)[1].item(),
)
claim(
    "and yet the influence of that input, by gradient, is next to nothing after 20 steps",
    influence_left.max().item() < 1e-10,
    influence=influence_left.max().item(),
)

# %% [markdown]
# Both are true. The sign of the first input is kept for ever, *because* the unit does not listen to small changes any
# more. By gradient it looks forgotten. We shall meet this again in section 5, in a network that has learned a grammar.
# Learning such a bit in the first place can be hard for the same reason, because training sees the world through
# gradients. That is lesson 06.
#
# ### tanh and its slope
#
# tanh does two things to a state. It keeps every number between −1 and 1, however many steps there are. And it
# multiplies every influence by its slope $1 - h^2$, at each step. That slope is never more than 1. **Predict**: if you
# make the weights $W_h$ three times as large, do the slopes become larger or smaller?


# %%
def slopes_of(gain: float, seed: int = 0) -> torch.Tensor:
    """1 − h² for all states of a random network; its W_h is `gain` times torch's."""
    seed_everything(seed)
    rnn = nn.RNN(32, 32, batch_first=True).requires_grad_(False)
    rnn.weight_hh_l0 *= gain
    return 1 - rnn(torch.randn(8, 200, 32))[0] ** 2


slopes = {f"W_h × {gain}": slopes_of(gain) for gain in (1, 3, 6)}

# %% covers="16"
plots.plot_slopes(slopes, "The larger the weights, the more units stand where tanh is flat")

# %%
mean_slopes = {gain: [slopes_of(gain, s).mean().item() for s in range(5)] for gain in (1, 6)}
largest_state = max((1 - one.min()).sqrt().item() for one in slopes.values())
claim(
    "No state leaves the range from −1 to 1; larger weights mean flatter places, five draws each",
    largest_state <= 1 and max(mean_slopes[6]) < min(mean_slopes[1]),
    largest_state=largest_state,
    mean_slope_at_gain_1=mean_slopes[1],
    mean_slope_at_gain_6=mean_slopes[6],
)

# %% [markdown]
# That is why one says that tanh is part of the trouble. You cannot simply make $W_h$ large so that influence
# lasts longer: the slopes shrink in return. Lesson 06 multiplies the two.

# %% [markdown] quiz="what_tanh_buys" points=1
# ### Quiz · what the squashing does
#
# A friend replaces tanh by nothing at all, so that $h_t = W_x x_t + W_h h_{t-1}$. What is true of the new cell?
#
# - A. It forgets at once, because nothing holds the state.
# - B. Its states stay between −1 and 1 all the same.
# - C. Whether a state grows or fades is decided by $W_h$ alone, and no unit can pull its state back to one of two values as ours did with $w = 2$.
# - D. It can do exactly the same things, since tanh is nearly a straight line.
#
# ### BEGIN SOLUTION
# **C.** Without a bend, twice the input gives twice the state, so there is no level at which a unit would settle: with
# $w = 2$ the state doubles at each step for ever.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A**: with $W_h$ the identity, a linear cell adds up all its inputs and forgets nothing.
# - **B** is what tanh was there for. A linear state can grow without bound.
# - **C** is right. Lesson 12 comes back to linear cells: what they lose in this way they gain in speed.
# - **D** is true near 0 only. The latch lives where tanh bends.
# </details>
#
# ## 2 · Many steps: the network unrolled
#
# One cell, used again and again, can be drawn once for each step. That is called **unrolling**. What you get looks like
# a deep network, one layer for each word, in which all layers have the *same* weights.

# %% covers="24"
sentence = ["The", "cat", "that", "we", "saw", "yesterday", "was", "happy"]
plots.plot_unrolled(sentence, "every", "Many-to-many: one output for each word")

# %% covers="21"
plots.plot_unrolled(sentence, "last", "Many-to-one: the last state answers for the whole text")

# %% [markdown]
# The output is a linear layer on top of the state, $y_t = W_y h_t$. With an output at each step the network is
# **many-to-many**: a tag for each word, or the next word at each place. With one at the end it is **many-to-one**: is
# this review friendly or not? In both cases the inputs set the pace. A translation may be longer or shorter than its
# original, so it needs a second network that writes at its own pace. No recurrent network is *sequence-to-sequence* by
# itself; lesson 09 builds that one from two.
#
# Texts of a batch differ in length. The short ones are filled up (*padded*) to make a tensor, and something has to know
# where each of them ended. **Predict**: a text of 2 words stands in a batch of length 4. Which of its four states
# answers for it?
#
# $$h_0 = 0 \qquad h_t = \tanh(W_x x_t + W_h h_{t-1} + b) \qquad \text{last}_n = h_{L_n}\ \text{of text } n$$
#
# | symbol | in code | shape |
# | --- | --- | --- |
# | $x_1, x_2, \dots$ | `x[:, 0]`, `x[:, 1]`, … | (B, C) each; `x` is (B, T, C) |
# | $L_n$ | `lengths[n]` | (B,), whole numbers from 1 to T |
# | $h_1, h_2, \dots$ | `states[:, 0]`, `states[:, 1]`, … | (B, H) each; `states` is (B, T, H) |
# | $\text{last}_n$ | `last[n]` | (H,); `last` is (B, H) |
# | $b$ | `b` | (H,), both biases in one |
#
# From here on the words are counted from 1, so that $h_0$ is the state before the first of them. (Lesson 00 counted from 0, as Python does.)
#
# ### Exercise 5.2 · unroll
# ●●○ · about 15 minutes · 3 points
#
# Write `unroll(x, lengths, W_x, W_h, b)`. It returns two tensors: all states, and for each text the state after its own
# last word. Go on through the padding as if it were input; those states are computed like all others, and nobody reads
# them. Two of the three points are for batches in which all texts are as long as the tensor, the third is for texts
# that end earlier.


# %% answer="unroll" covers="21 24"
def unroll(
    x: torch.Tensor, lengths: torch.Tensor, W_x: torch.Tensor, W_h: torch.Tensor, b: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """All states (B, T, H) and each text's own last one (B, H): x (B, T, C), lengths (B,), b (H,).

    >>> x, one = torch.tensor([[[100.0], [0.0]]]), torch.ones(1, 1)
    >>> states, last = unroll(x, torch.tensor([1]), W_x=one, W_h=0 * one, b=torch.zeros(1))
    >>> states, last
    (tensor([[[1.],
             [0.]]]), tensor([[1.]]))
    """
    ### BEGIN SOLUTION
    h = torch.zeros(len(x), len(b), dtype=x.dtype)
    states = []
    for t in range(x.shape[1]):
        h = torch.tanh(x[:, t] @ W_x.T + h @ W_h.T + b)
        states.append(h)
    states = torch.stack(states, dim=1)  # (B, T, H)
    return states, states[torch.arange(len(x)), lengths - 1]
    ### END SOLUTION


# %% check="unroll"
check.unroll(unroll)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# A loop over the steps, and one variable `h` that each round reads and then replaces. Append it to a list after each round.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# T tensors of shape (B, H) become one of shape (B, T, H) by `torch.stack(states, dim=1)`. To pick one step for each
# text, index with two lists at once: `states[torch.arange(B), lengths - 1]`.
# </details>
# <details><summary>Help: I get 2 of 3 points</summary>
#
# Your `last` is probably the last column for all texts. A text that is shorter has ended before; what comes after is padding.
# </details>
#
# Does it equal `nn.RNN`? Here it is against PyTorch's layer with the same weights, on a batch of random texts.

# %% payoff="unroll"
with payoff("unroll"):
    layer = nn.RNN(5, 8, batch_first=True).requires_grad_(False)
    x, lengths = torch.randn(4, 30, 5), torch.tensor([30, 3, 17, 1])
    weights = layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0 + layer.bias_hh_l0
    states, last = unroll(x, lengths, *weights)
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    apart = (states - layer(x)[0]).abs().max(), (last - layer(packed)[1][0]).abs().max()
    print(f"largest difference from nn.RNN: states {apart[0]:.0e}, last states {apart[1]:.0e}")
    title = "The states of your first text, unrolled"
    plots.plot_states(states[0], [str(t + 1) if t % 5 == 4 else "" for t in range(30)], title)

# %% [markdown]
# The course has the same loop as a module, `TanhRNN` in `utils/models/recurrent.py`. It takes the weights of `nn.RNN`
# as they are, and the one-step form is `nn.RNNCell`.

# %% covers="14"
layer, written_out, cell = nn.RNN(5, 8, batch_first=True), TanhRNN(5, 8), nn.RNNCell(5, 8)
written_out.load_state_dict(layer.state_dict())
cell.load_state_dict(
    {name.removesuffix("_l0"): value for name, value in layer.state_dict().items()}
)
x = torch.randn(3, 40, 5)
h = torch.zeros(3, 8)
for x_t in x.unbind(1):
    h = cell(x_t, h)
apart = {
    "unrolled": (written_out(x)[0] - layer(x)[0]).abs().max().item(),
    "cell": (h - layer(x)[1][0]).abs().max().item(),
}
claim(
    "Forty steps by hand, by nn.RNNCell and by nn.RNN give the same states",
    max(apart.values()) < 1e-5,
    largest_difference=max(apart.values()),
)

# %% [markdown]
# ### The same weights at step 1 and at step 1,000
#
# Nothing in the formula knows at which step it is. **Predict**: how many parameters does the layer have if it reads
# 1,000 words instead of 10? And if you put it, at step 1, into the state that it would have before step 1,000: what
# does it do?

# %% covers="15"
long_text = torch.randn(1, 1000, 5)
states, _ = layer(long_text)
before_the_last, last_word = states[:, 998], long_text[:, 999:]
as_step_1, _ = layer(last_word, before_the_last[None])
claim(
    "In the same state, the same word does the same at step 1 and at step 1,000",
    (difference := (as_step_1[:, 0] - states[:, 999]).abs().max().item()) < 1e-5,
    largest_difference=difference,
    parameters=count_parameters(layer),
)

# %% [markdown]
# The unrolled picture helps to say what training does with shared weights. Suppose that each of the T copies of $W_h$
# were a matrix of its own. Each would get its own gradient. Sharing adds them up.

# %%
W_x, W_h, b = (torch.randn(shape) * 0.4 for shape in ((6, 5), (6, 6), (6,)))
copies = [W_h.clone().requires_grad_() for _ in range(12)]
shared = W_h.clone().requires_grad_()


def final(matrices: list[torch.Tensor]) -> torch.Tensor:
    """The sum of the last state, with a matrix of its own for each step."""
    h = torch.zeros(6)
    for x_t, W in zip(long_text[0], matrices, strict=False):
        h = torch.tanh(W_x @ x_t + W @ h + b)
    return h.sum()


one_by_one = torch.autograd.grad(final(copies), copies)
(of_shared,) = torch.autograd.grad(final([shared] * 12), shared)
claim(
    "The gradient of the shared matrix is the sum of the gradients of its twelve copies",
    (difference := (sum(one_by_one) - of_shared).abs().max().item()) < 1e-5,
    largest_difference=difference,
)

# %% [markdown]
# ### T = 3 and T = 300
#
# Because the weights do not depend on the step, one network reads texts of any length. You will hear that this is what
# recurrence is *for*, and that convolutions need inputs of a fixed size. Only the first half is right. A stack of
# convolutions followed by a **global pooling** (the largest value over all positions) has no fixed size either.
#
# What differs is what each of them can find out. Take texts of blanks with one mark in them, `+` or `-`, anywhere, and
# ask *which of the two is it?* Then take texts with two marks, one of each kind, and ask *which comes last?* Both
# networks are trained on texts of 3 to 20 steps. **Predict** who answers which question at 300 steps.


# %%
class ReadToTheEnd(nn.Module):
    """Many-to-one: an RNN over tokens (B, T), and two logits (B, 2) from its last state."""

    def __init__(self, width: int = 8):
        super().__init__()
        self.embedding, self.rnn = nn.Embedding(3, width), nn.RNN(width, width, batch_first=True)
        self.head = nn.Linear(width, 2)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.head(self.rnn(self.embedding(tokens))[0][:, -1])


class PoolOverAll(nn.Module):
    """Two convolutions over tokens (B, T), the largest value of all places, two logits (B, 2)."""

    def __init__(self, width: int = 8):
        super().__init__()
        self.embedding = nn.Embedding(3, width)
        self.convolutions = nn.Sequential(
            nn.Conv1d(width, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv1d(16, 16, 3, padding=1),
            nn.ReLU(),
        )
        self.head = nn.Linear(16, 2)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.head(self.convolutions(self.embedding(tokens).mT).amax(-1))


# %%
LENGTHS = (3, 10, 20, 100, 300)


def accuracies(make: type[nn.Module], marks: int, seed: int) -> list[float]:
    """Train on texts of 3 to 20 steps; accuracy on new texts of each of LENGTHS."""
    seed_everything(seed)
    model = make()
    train, unseen = last_mark(400, 32, marks, seed=1), last_mark(20, 32, marks, seed=2)
    fit(
        model,
        train,
        unseen,
        epochs=1,
        lr=0.02,
        clip=1.0,  # shortens long gradients: lesson 06
        validations=2,
        label=f"{make.__name__} {seed}",
    )
    found = []
    for length in LENGTHS:
        ((tokens, answers),) = last_mark(1, 1000, marks, seed=3, lengths=(length, length))
        found.append((model(tokens).argmax(1) == answers).float().mean().item())
    return found


kinds = {"RNN": ReadToTheEnd, "CNN, pooled": PoolOverAll}
which_last = {
    name: [accuracies(kind, 2, seed) for seed in (0, 1, 2)] for name, kind in kinds.items()
}
is_there = {name: [accuracies(kind, 1, seed=0)] for name, kind in kinds.items()}

# %% covers="17"
title = "“Which mark comes last?” Both read any length, and one of them knows"
label = "length of the text, in steps (trained on 3 to 20)"
plots.plot_accuracies(which_last, LENGTHS, label, title, 0.5, log=True)

# %%
claim(
    "Trained on 3 to 20 steps, both networks still see at 300 steps which mark it is",
    min(min(run[0], run[-1]) for runs in is_there.values() for run in runs) > 0.95,
    unit="%",
    RNN_at_300=[100 * run[-1] for run in is_there["RNN"]],
    CNN_at_300=[100 * run[-1] for run in is_there["CNN, pooled"]],
)
claim(
    "Which mark came last, at 300 steps only the recurrent one can tell, three seeds",
    min(run[-1] for run in which_last["RNN"]) > 0.95
    and max(run[-1] for run in which_last["CNN, pooled"]) < 0.7,
    unit="%",
    RNN_at_300=[100 * run[-1] for run in which_last["RNN"]],
    CNN_at_300=[100 * run[-1] for run in which_last["CNN, pooled"]],
)

# %% [markdown]
# So variable length is not the difference. The pooled network sees five steps at a time, and then only *that* something
# was seen and not *where*. (Near an end of the text it also sees the padding, which is enough for short texts.) In the
# middle of a long one, two marks that are further apart than its window have no order for it. The recurrent one
# has to keep a bit and to turn it over at each mark, as the latch of section 1 could.

# %% [markdown] quiz="how_many_outputs" points=1
# ### Quiz · how many outputs?
#
# A single recurrent layer with a linear layer on top reads a French sentence of 7 words. You want the English
# translation, which has 9 words. What can the network give you, as it stands?
#
# - A. Nine words, if the last state is large enough.
# - B. One output for each French word, or one for the whole sentence, but not nine.
# - C. Any number of outputs, since an RNN handles variable length.
# - D. Nothing: recurrent networks cannot translate.
#
# ### BEGIN SOLUTION
# **B.** Inputs set the pace: seven inputs give seven states. For nine outputs a second network must write, fed with its
# own words.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A**: the size of the state says how much it can hold. It does not say how many steps there are.
# - **B** is right: many-to-many has one output for each input, many-to-one has one.
# - **C** confuses the length of the input, which may vary, with that of the output, which follows it.
# - **D**: two of them can, from 2014 on. One reads, one writes: lesson 09.
# </details>
#
# ## 3 · What comes back? Jordan and Elman
#
# A network with a loop can feed back more than one thing. **Jordan** (1986) fed back the network's own *output*: what
# it has just said. **Elman** (1990) fed back its *hidden state*: what it has just thought. Elman's is the cell that you
# have written. Here is Jordan's, with a context $s$ that fades by a factor and gets each output added. (His outputs
# were single numbers between 0 and 1. Ours are probabilities, since we ask for a word.)
#
# $$u_t = \tanh(W_x x_t + W_s s_{t-1} + b) \qquad y_t = \operatorname{softmax}(W_y u_t + b_y) \qquad s_t = \lambda\, s_{t-1} + y_t$$
#
# By hand, with two words and $\lambda = 0.5$. **Predict** the third context: at each step the output is one half for
# each word.

# %% same_output=true
context = torch.zeros(2)
for step in (1, 2, 3):
    context = 0.5 * context + torch.tensor([0.5, 0.5])
    print(f"context after step {step}: {context.tolist()}")

# %% [markdown]
# | symbol | in code | shape |
# | --- | --- | --- |
# | $x_t$ | `x` | (B, C) |
# | $s_{t-1}$, $s_t$ | `context`, and the second result | (B, V): as long as the output |
# | $u_t$ | | (B, H), hidden |
# | $y_t$ | the first result | (B, V): each row sums to 1 |
# | $W_x$, $W_s$, $b$ | `W_x`, `W_s`, `b` | (H, C), (H, V), (H,) |
# | $W_y$, $b_y$ | `W_y`, `b_y` | (V, H), (V,) |
# | $\lambda$ | `keep` | a number from 0 to 1 |
#
# ### Exercise 5.3 · Jordan's step
# ●●○ · about 12 minutes · 2 points
#
# Write `jordan_step(x, context, W_x, W_s, b, W_y, b_y, keep)`. It returns the output and the new context.


# %% answer="jordan_step" covers="20"
def jordan_step(
    x: torch.Tensor,
    context: torch.Tensor,
    W_x: torch.Tensor,
    W_s: torch.Tensor,
    b: torch.Tensor,
    W_y: torch.Tensor,
    b_y: torch.Tensor,
    keep: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Output and new context, (B, V) each, from x (B, C) and the old context (B, V).

    >>> two = torch.eye(2)
    >>> jordan_step(torch.zeros(1, 2), 2 * torch.ones(1, 2), two, two, 0, two, 0, keep=0.25)
    (tensor([[0.5000, 0.5000]]), tensor([[1., 1.]]))
    """
    ### BEGIN SOLUTION
    hidden = torch.tanh(x @ W_x.T + context @ W_s.T + b)  # (B, H)
    output = (hidden @ W_y.T + b_y).softmax(dim=-1)  # (B, V)
    return output, keep * context + output
    ### END SOLUTION


# %% check="jordan_step"
check.jordan_step(jordan_step)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Three lines, in the order of the three formulas. The old context is read in the first and in the last of them.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# The hidden numbers are (B, H), and the output is (B, V). The context has the shape of the *output*.
# </details>
# <details><summary>Help: the rows of my output do not sum to 1</summary>
#
# Along which axis is your softmax? Each row is one text: `softmax(dim=-1)`.
# </details>
#
# ### One small grammar
#
# Which of the two can learn a language? Elman asked his network for the next word of simple sentences, and so do we.
# There are fifteen words. Each sentence has a subject, up to three things said about it, and a verb that must agree
# with the *subject*:

# %%
train, unseen = agreement(4000, most=3, seed=1), agreement(400, most=3, seed=2)
test = agreement(3000, most=6, seed=3)  # up to twice as many
for tokens in train.tokens[:4]:
    print(" ".join(WORDS[token] for token in tokens).replace(" .", "") + " .")

# %% [markdown]
# The nouns in between are there to mislead: *the cats near the dog* **were** *happy*. At the verb we look at the two
# logits of *was* and *were*. A network that guesses is right half of the time.
#
# In the middle of the sentence the right answer to "which word is next?" is the same for *cat* and *cats*. **Predict**: which
# network has a problem with that?
#
# Both have 16 hidden units, and both are trained through all steps of the loop, as one does today. In 1990 one did not:
# the old state was taken for one more input, and the gradient ended there. So there is a third one, Elman's network with
# the gradient **cut** at each step (`CutElman`). All three learn to say the next word. (Their
# loss is counted in bits: nats divided by ln 2. Section 4 says what a bit is.)


# %%
def learn(network: nn.Module, seed: int, sentences: Agreement = train) -> None:
    """Train a network to say the next word."""
    batches = Batches(
        sentences.tokens[:, :-1], sentences.tokens[:, 1:], 32, shuffle=True, seed=seed
    )
    held_out = Batches(unseen.tokens[:, :-1], unseen.tokens[:, 1:], size=400)
    fit(
        network, batches, held_out, epochs=12, clip=1.0, metric="bits",
        validations=3, label=f"{type(network).__name__}, seed {seed} (bits per word)",
    )  # fmt: skip


# %% [markdown]
# And this is what we ask afterwards, in new sentences with up to twice as many nouns in between:


# %%
@torch.no_grad()
def agrees(network: nn.Module) -> list[float]:
    """How often *was* and *were* are told apart, with 0, 1, … modifiers before the verb."""
    rows = torch.arange(len(test.tokens))
    at_verb = network(test.tokens[:, :-1])[0][rows, test.verb - 1]  # (N, V)
    was, were = WORDS.index("was"), WORDS.index("were")
    says_were = at_verb[:, were] > at_verb[:, was]
    right = (says_were == (test.tokens[rows, test.verb] == were)).float()
    return [right[test.modifiers == count].mean().item() for count in range(7)]


# %%
families = {"Elman": ElmanNetwork, "Jordan": JordanNetwork, "Elman, cut": CutElman}
networks: dict[str, list] = {name: [] for name in families}
trainings = {}
for name, family in families.items():
    for seed in (0,) if name == "Elman, cut" else (0, 1, 2):
        seed_everything(seed)
        networks[name].append(family(len(WORDS), width=16))
        trainings[name, seed] = partial(learn, networks[name][-1], seed)
in_parallel(trainings, "seven networks, two at a time")
agreeing = {name: [agrees(network) for network in trained] for name, trained in networks.items()}

# %% covers="20 22" figure="elman_and_jordan"
title = "The verb agrees with a subject far back, if the hidden state comes back"
label = "modifiers between subject and verb (3 to 4 words each)"
plots.plot_accuracies(agreeing, range(7), label, title, 0.5, seen=3.5)


# %%
def percent_at(name: str, modifiers: int) -> list[float]:
    """Accuracy with so many modifiers, in %, one number for each seed."""
    return [100 * run[modifiers] for run in agreeing[name]]


claim(
    "Right behind the subject all networks agree",
    min(run[0] for runs in agreeing.values() for run in runs) > 0.95,
    unit="%",
    **{name.replace(", ", "_"): percent_at(name, 0) for name in agreeing},
)
claim(
    "With three modifiers Elman's network still agrees, and Jordan's is far behind, three seeds",
    fmean(percent_at("Elman", 3)) > max(85, fmean(percent_at("Jordan", 3)) + 10),
    unit="%",
    Elman=percent_at("Elman", 3),
    Jordan=percent_at("Jordan", 3),
)
claim(
    "If the gradient is cut at each step, Elman's network guesses, too (one seed)",
    max(percent_at("Elman, cut", 3)) < 65,
    unit="%",
    Elman_cut=percent_at("Elman, cut", 3),
)

# %% [markdown]
# Jordan's network can only remember what it has *said*. After *the cat that we* the best thing to say is *saw*, and
# after *the cats that we* it is the same. The number of the subject is not in the right answer, so it does not come
# back by itself. It would have to be smuggled in, through small differences between probabilities that hardly cost
# anything. That is possible, and with a single modifier the three runs do it in part. But the loss does not ask for it.
#
# You can watch it with your own step. Here it reads *the cat that we saw yesterday* with the weights of a trained
# Jordan network, and once more with *cats*. How far apart are the two contexts, and how far apart are the two hidden
# states of an Elman network?

# %% payoff="jordan_step"
with payoff("jordan_step"):
    jordan, elman = networks["Jordan"][0].requires_grad_(False), networks["Elman"][0]
    pairs = [f"the {noun} that we saw yesterday".split() for noun in ("cat", "cats")]
    both = torch.tensor([[WORDS.index(word) for word in words] for words in pairs])  # (2, T)
    read_x, read_s, say = jordan.from_input, jordan.from_context, jordan.head
    context, apart = torch.zeros(2, len(WORDS)), []
    for word in both.unbind(1):
        x = jordan.embedding(word)
        _, context = jordan_step(
            x, context, read_x.weight, read_s.weight, read_x.bias, say.weight, say.bias, jordan.keep
        )
        apart.append((context[0] - context[1]).norm().item())
    hidden = elman.states(both).detach()
    distances = {
        "Elman: hidden states": (hidden[0] - hidden[1]).norm(dim=1),
        "Jordan: your contexts": torch.tensor(apart),
    }
    title = "What comes back still tells “cat” from “cats” in one of the two"
    plots.plot_lines_by_word(distances, pairs[0], "distance", title)

# %% [markdown]
# Elman's network is free to hold what it does not say. Nobody told it what to keep. It keeps the number of the subject,
# because that lowers the loss some ten words later. Look at the grey part of the figure before, too: it does so over
# distances that it has never seen. "A recurrent network forgets after so many steps" is not true of everything that it
# knows. This is one bit, and one bit is what a latch can hold.
#
# And the third curve says that the loop alone is not enough. To *learn* what to keep, the error at the verb has to
# travel back to the subject. Where the gradient is cut, no weight ever hears that the subject mattered. (Elman's own
# networks did learn such things with a cut gradient, from easier sentences and with much more training.)
#
# ## 4 · Order matters
#
# ### Bags and banks
#
# The simplest way to read a text is to forget its order and to count: a **bag of words**. **Predict**: which of these
# two pairs can a bag tell apart?

# %% same_output=true
for one, other in [("dog bites man", "man bites dog"), ("the river bank", "the savings bank")]:
    same = sorted(one.split()) == sorted(other.split())
    print(f"{one} / {other}: {'the same bag' if same else 'two bags'}")

# %% [markdown]
# People often give *river bank* and *savings bank* as an example of order. They are one of **context**: read alone,
# *bank* is ambiguous, and a bag of the whole text resolves it. Where the bag fails is a text that holds both. Each
# *bank* needs the *river* or the *savings* that was last said before it:

# %%
sentences, targets = two_banks(2000, seed=0)
for tokens in sentences[:3]:
    print(" ".join(BANK_WORDS[token] for token in tokens))

# %% [markdown]
# Three taggers say which bank each one is. They differ in what they see beside the word: nothing, the mean over the
# sentence, or the state of a recurrent layer that has read so far (`ContextTagger` in `utils/models/recurrent.py`).


# %%
def which_bank(kind: str, seed: int) -> float:
    """Train a tagger; the share of banks in new sentences that it gets right."""
    seed_everything(seed)
    model, (asked, truth) = ContextTagger(kind, len(BANK_WORDS)), two_banks(1000, seed=2)
    read, held_out = Batches(sentences, targets, 32, shuffle=True), Batches(*two_banks(200, seed=1))
    fit(model, read, held_out, epochs=3, metric="bits", validations=1, label=kind)
    at = truth != NOT_ASKED
    return (model(asked).argmax(-1)[at] == truth[at]).float().mean().item()


kinds_of_context = ("the word alone", "bag of words", "recurrent")
banks = {kind: [which_bank(kind, seed) for seed in (0, 1, 2)] for kind in kinds_of_context}
claim(
    "With both banks in every sentence, word and bag guess, and the recurrent reader knows",
    max(banks["the word alone"] + banks["bag of words"]) < 0.55 and min(banks["recurrent"]) > 0.95,
    unit="%",
    **{kind.replace(" ", "_"): [100 * share for share in banks[kind]] for kind in banks},
)

# %% [markdown]
# Word and bag are not a little worse. They *cannot* do better than half, whatever the training, because both banks of a
# sentence get the same two vectors. (And this reader goes from left to right. In *the bank of the river* the clue comes
# too late: lesson 07 reads in both directions.)
#
# ### n-grams: a window on the order
#
# Markov counted, in 1913, how often a vowel follows a vowel in Pushkin's verses. An **n-gram** model does the same for
# all characters: it looks at the last $n - 1$ of them and nothing else. Its state is those characters themselves, and
# everything before them does not exist.
#
# $$P(c \mid \text{context}) = \frac{\text{count}(\text{context}\,c) + 1}{\text{count}(\text{context}) + V} \qquad\qquad
# \text{bits} = -\frac1N \sum \log_2 P$$
#
# The 1 stands for what has not been seen yet: without it, one new pair would cost infinitely many bits. By hand: after
# *a* the text `aab` goes on with *a* once and with *b* once. With $V = 3$ characters, **predict** the probability of a
# *b* after *a*, and of *c*.

# %% same_output=true
for count, letter in ((1, "b"), (0, "c")):
    print(f"P({letter} | a) = ({count} + 1) / (2 + 3) = {(count + 1) / 5}")

# %% [markdown]
# | symbol | in code | meaning |
# | --- | --- | --- |
# | $n$ | `order` | characters of a gram; its context has one less |
# | $\text{count}(\text{context}\,c)$ | from `train` | how often the whole stretch occurs |
# | $\text{count}(\text{context})$ | from `train` | how often the context occurs *with a character after it* |
# | $V$ | `vocabulary` | how many characters there are |
# | $N$ | from `test` | predicted characters: all but the first $n - 1$ |
#
# ### Exercise 5.4 · n-grams in bits
# ●●○ · about 15 minutes · 2 points
#
# Write `ngram_bits(train, test, order, vocabulary)`. Both texts are strings. It counts in `train` and returns the mean
# bits per predicted character of `test`.


# %% answer="ngram_bits" covers="18"
def ngram_bits(train: str, test: str, order: int, vocabulary: int) -> float:
    """Mean −log2 P of the characters of `test` from place order − 1 on, with add-one smoothing.

    >>> ngram_bits("aabb", "ab", order=1, vocabulary=2)
    1.0
    """
    ### BEGIN SOLUTION
    grams, contexts = {}, {}
    for i in range(len(train) - order + 1):
        gram = train[i : i + order]
        grams[gram] = grams.get(gram, 0) + 1
        contexts[gram[:-1]] = contexts.get(gram[:-1], 0) + 1
    bits = []
    for i in range(len(test) - order + 1):
        gram = test[i : i + order]
        p = (grams.get(gram, 0) + 1) / (contexts.get(gram[:-1], 0) + vocabulary)
        bits.append(-math.log2(p))
    return sum(bits) / len(bits)
    ### END SOLUTION


# %% check="ngram_bits"
check.ngram_bits(ngram_bits)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Two dictionaries: one counts stretches of `order` characters, the other counts the same stretches without their last
# character, `gram[:-1]`. For order 1 that is the empty string, a context like any other.
# </details>
# <details><summary>Help: "ZeroDivisionError"</summary>
#
# A text of T characters has T − order + 1 stretches. `range(len(test) - order)` leaves the last one out, and of a text of one
# character nothing is left.
# </details>
# <details><summary>Help: "math domain error"</summary>
#
# You took the logarithm of 0. A stretch that was never counted has the count 0; the 1 and the V of the formula are for it.
# </details>
# <details><summary>Help: my numbers are 0.69 times the right ones</summary>
#
# You took the natural logarithm. `math.log2` gives bits.
# </details>

# %%
corpus = data.corpus("tiny_shakespeare")
alphabet, vocabulary = corpus.alphabet, len(corpus.alphabet)
read, held_out = encode(corpus.train, alphabet), encode(corpus.validation, alphabet)
print(corpus)

# %% payoff="ngram_bits"
with payoff("ngram_bits"):
    some, new = corpus.train[:200_000], corpus.validation[:20_000]
    yours = {
        f"your {order}-gram": [ngram_bits(some, new, order, vocabulary)]
        for order in (1, 2, 3, 4, 5)
    }
    plot_bits(yours, "Add-one smoothing: a longer context helps, until it has been seen too seldom")

# %% [markdown]
# With add-one smoothing the numbers turn at the 4-gram: many contexts of three characters have hardly been seen, and the
# ones that you added outweigh them. Better smoothing repairs that. `NGram` has the one of Kneser and Ney, and is the baseline with
# which lesson 08 compares the LSTM.
#
# **The permutation test.** Shuffle all characters of the validation text. **Predict** what that does to a 1-gram, and
# to a 3-gram.

# %% covers="18"
tables = {order: NGram(order, vocabulary).fit(read) for order in (1, 2, 3)}
shuffled = held_out[torch.randperm(len(held_out), generator=torch.Generator().manual_seed(0))]
in_order = {order: table.bits(held_out) for order, table in tables.items()}
permuted = {order: table.bits(shuffled) for order, table in tables.items()}
claim(
    "A 1-gram does not notice a shuffled text, and the 3-gram would be better off not to look",
    abs(in_order[1] - permuted[1]) < 1e-6
    and permuted[3] > permuted[1] > in_order[1] - 1e-6
    and in_order[3] < in_order[2] < in_order[1],
    of="tiny_shakespeare",
    unit="bits",
    **{f"{order}_gram_in_order": bits for order, bits in in_order.items()},
    **{f"{order}_gram_shuffled": bits for order, bits in permuted.items()},
)

# %% [markdown]
# ### A hidden Markov model: a state that is a belief
#
# An n-gram's context is exact and short. The **hidden Markov model** (HMM) was the first step away from that. It
# supposes that the text was made by a machine with S hidden states, which emits a character and goes over to its next
# state, by tables of probabilities. Nobody sees the states. So a reader carries a *belief*: the probability of each of
# them, given all that was read.
#
# $$\text{belief}_t(s) \;\propto\; P(x_t \mid s)\, \sum_{r} \text{belief}_{t-1}(r)\, P(s \mid r)$$
#
# Look at its form: a vector of fixed size, a matrix, the new input, and something that keeps the numbers in bounds (the
# sum must be 1). That is a recurrence, the **forward algorithm**. What the sum was before it is set to 1 is the
# probability of the character. Here a reader with two states reads *abb*. **Predict** the first line.

# %% same_output=true
transition = torch.tensor([[0.9, 0.1], [0.2, 0.8]])  # from row to column
emission = torch.tensor([[0.7, 0.3], [0.1, 0.9]])  # a row for each state: of a and of b
belief = torch.tensor([0.5, 0.5])
for character in (0, 1, 1):
    joint = belief * emission[:, character]
    print(
        f"P({'ab'[character]}) = {joint.sum():.3f}, belief {(joint / joint.sum()).numpy().round(3)}"
    )
    belief = joint / joint.sum() @ transition

# %% [markdown]
# `HMM` in `utils/models/hmm.py` has this loop, and **Baum–Welch** to learn the tables: read forwards and backwards,
# find out how likely each state was at each place, and take these counts for the new tables. No step makes the text
# less likely. But it ends in the nearest best place, and that depends on where it began.
#
# Two states, and letters without a hint about what they are. **Predict** what the two states will stand for.

# %%
letters = " abcdefghijklmnopqrstuvwxyz"
plain = encode(re.sub("[^a-z]+", " ", corpus.train.lower())[:40_000], letters).view(400, 100)
starts = [HMM(2, len(letters), seed) for seed in range(5)]
courses = [model.fit(plain, 60) for model in starts]
best = min(range(5), key=lambda start: courses[start][-1])
emission = starts[best].emission  # (2, letters)
vowels = emission[:, letters.index("e")].argmax()
belongs = emission[vowels] / emission.sum(0)
print(f"bits after 60 steps, by start: {[round(course[-1], 3) for course in courses]}")

# %%
title = "The best of five starts has found the vowels (· is the space)"
plots.plot_shares(belongs, letters, title)

# %%
never_worse = all(
    after < before + 1e-6
    for course in courses
    for before, after in zip(course, course[1:], strict=False)
)
claim(
    "Two hidden states find the vowels without being told; no step of Baum–Welch makes it worse",
    never_worse
    and all(belongs[letters.index(vowel)] > 0.5 for vowel in "aeiou")
    and sum(belongs[letters.index(other)] < 0.5 for other in "bcdfglmnprstvw").item() >= 12,
    of="tiny_shakespeare",
    bits_of_the_starts=[course[-1] for course in courses],
)

# %% [markdown]
# The five starts end in different places, and we took the one under which the text is likeliest, not the one that we
# liked best.
#
# Now the race in bits per character, on the validation text: tables, beliefs over 8 and 32 hidden states, and a
# recurrent network with 64 units that is trained for some seconds. Baum–Welch takes its time, so the hidden Markov models
# learn from 64,000 characters, and two of the tables do as well, to be fair. **Predict** where the HMM with 32 states ends up:
# before the 1-gram, the 2-gram, the 3-gram?

# %%
hmms = {states: HMM(states, vocabulary) for states in (8, 32)}
for model in hmms.values():
    model.fit(read[:64_000].view(640, 100), 40)
pieces = held_out[: len(held_out) // 200 * 200].view(-1, 200)
hmm_bits = {states: model.bits(pieces) for states, model in hmms.items()}
same_text = {n: NGram(n, vocabulary).fit(read[:64_000]).bits(held_out) for n in (2, 3)}

# %%
seed_everything(0)
reader = ElmanNetwork(vocabulary, width=64, embedding=16)
batches = Batches(*windows(read, 64, count=1100 * 16, seed=0), size=16)
history = fit(
    reader, batches, Streams(held_out, 64, 256), lr=0.01, clip=1.0, metric="bits per character",
    validations=1, label="64 units",
)  # fmt: skip

# %% covers="18"
race = {"uniform": [math.log2(vocabulary)]}
race |= {f"{order}-gram": [bits] for order, bits in in_order.items()}
race |= {f"{order}-gram of 64,000": [bits] for order, bits in same_text.items()}
race |= {f"HMM, {states} states": [bits] for states, bits in hmm_bits.items()}
race["recurrent, 64 units"] = [history.best]
plot_bits(race, "What a state can be: nothing, characters, a belief, numbers")

# %%
claim(
    "More hidden states help: from the same text, 32 of them pass the 2-gram and not the 3-gram",
    same_text[3] < hmm_bits[32] < same_text[2] < hmm_bits[8],
    of="tiny_shakespeare",
    unit="bits",
    HMM_8=hmm_bits[8],
    HMM_32=hmm_bits[32],
    two_gram=same_text[2],
    three_gram=same_text[3],
)
claim(
    "A small recurrent network passes the 2-gram and both hidden Markov models",
    history.best < min(in_order[2], hmm_bits[32]) - 0.2,
    of="tiny_shakespeare",
    unit="bits",
    recurrent=history.best,
    three_gram=in_order[3],
)

# %% [markdown]
# The machine behind a belief over 32 states has only 32 kinds of past, five bits in all, and nearly as many are needed to
# say which character was the last one. The belief says which of them is likely, so it knows a little more than that. The
# recurrent network has 64 numbers, and they need not sum to 1. To say as much with a belief, a machine would need one hidden state for each *combination* of what there is to remember. That is the gain of
# a **distributed** state. Lesson 08 trains an LSTM on the same text, for longer, and asks how far back it looks.

# %% [markdown] quiz="which_state" points=1
# ### Quiz · what is in the state?
#
# A text says, 40 characters ago, whether its speaker is a man or a woman, and never again. Which of these models can
# still use it *in principle*?
#
# - A. The 5-gram, the HMM and the RNN.
# - B. The HMM and the RNN.
# - C. The RNN alone.
# - D. None: 40 characters are too many for all three.
#
# ### BEGIN SOLUTION
# **B.** Both carry something from step to step without a fixed end. An HMM needs two copies of its states for it, one
# for each case; an RNN needs one latch. Whether training finds it is another question.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A**: a 5-gram reads four characters. What lies before them does not exist for it, with any amount of data.
# - **B** is right.
# - **C** overlooks that a belief is carried on, too. With few states it fades, as they are needed for other things.
# - **D**: section 3 has just shown a bit that was held over more than twenty words.
# </details>
#
# ## 5 · What does one state hold?
#
# "The state is a summary of everything that was read." Is it? There is a way to ask. A **probe** is a linear reader:
# given $h_t$, name the word that came $k$ steps before. It is fitted on one text and tested on another. What it finds
# is in the state, in a form that a linear layer such as $W_y$ can use.
#
# By hand: a state of two numbers, made of 0-or-1 tokens, that holds this token and the one before it. **Predict** the
# probe's accuracy for $k = 0$, 1 and 2.

# %% same_output=true
bits = torch.randint(0, 2, (8,), generator=torch.Generator().manual_seed(1))
register = torch.stack([bits, bits.roll(1)], dim=1)
for t in range(1, 5):  # before step 0 there was nothing
    print(f"token {bits[t]}, state {register[t].tolist()}")

# %% [markdown]
# 100 % for 0 and 1, and about one half for 2: what the state does not hold, a probe can only guess.
#
# Fit by **least squares**: the inputs are the states with a 1 appended, the targets are one-hot tokens. The largest of
# the V answers is the guess.
#
# $$\min_W \sum_{t} \lVert\, [h_t, 1]\, W - \text{onehot}(x_{t-k}) \rVert^2 \qquad\qquad \hat x_{t-k} = \arg\max\, [h_t, 1]\, W$$
#
# | symbol | in code | shape |
# | --- | --- | --- |
# | $h_t$ | `states[0, t]` to fit, `states[1, t]` to test | (H,); `states` is (2, T, H) |
# | $x_t$ | `tokens[0, t]`, `tokens[1, t]` | `tokens` is (2, T), whole numbers below V |
# | $k$ | `lag` | 0 is the token that the state has just read |
# | $V$ | `classes` | |
# | $W$ | | (H + 1, V) |
#
# ### Exercise 5.5 · the probe
# ●●● · about 18 minutes · 3 points
#
# Write `probe_accuracy(states, tokens, lag, classes)`. Fit on text 0, test on text 1, and return the share of right
# guesses. The first `lag` states have no token to name: leave them out. `torch.linalg.lstsq(A, Y).solution` solves
# least squares.


# %% answer="probe_accuracy" covers="19"
def probe_accuracy(states: torch.Tensor, tokens: torch.Tensor, lag: int, classes: int) -> float:
    """Share of tokens t − lag that a linear probe of h_t names: states (2, T, H), tokens (2, T).

    >>> tokens = torch.tensor([[0, 1, 0, 0, 1, 1, 0, 1], [1, 1, 0, 1, 0, 0, 0, 1]])
    >>> probe_accuracy(tokens[:, :, None].float(), tokens, lag=0, classes=2)
    1.0
    """

    ### BEGIN SOLUTION
    def pairs(text: int) -> tuple[torch.Tensor, torch.Tensor]:
        late = states[text, lag:].double()  # (T - lag, H)
        ones = torch.ones(len(late), 1, dtype=late.dtype)
        return torch.cat([late, ones], dim=1), tokens[text, : len(late)]

    inputs, targets = pairs(0)
    weights = torch.linalg.lstsq(inputs, F.one_hot(targets, classes).double()).solution
    inputs, targets = pairs(1)
    guesses = (inputs @ weights).argmax(dim=1)
    return (guesses == targets).double().mean().item()
    ### END SOLUTION


# %% check="probe_accuracy"
check.probe_accuracy(probe_accuracy)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# First the pairs: state t goes with token t − lag, so drop the first `lag` states and the last `lag` tokens. Write that
# once, and use it for both texts.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# (T − lag, H + 1) times (H + 1, V) is (T − lag, V). `F.one_hot(targets, classes).double()` is (T − lag, V) as well.
# </details>
# <details><summary>Help: with lag 0 I get an empty tensor, or my accuracy is too high to be true</summary>
#
# `tokens[:-0]` is empty: write `tokens[: T - lag]`. And if the accuracy is too high, are the weights fitted on text 0
# and tested on text 1? Does each state come *after* its token?
# </details>
#
# ### A state is a budget
#
# The tokens are drawn at random from eight, so that none tells anything about another, and guessing is right one time
# in eight. The networks have **learned nothing**. They have 32 units, and three kinds of weights:
#
# - *as PyTorch draws them*;
# - *orthogonal*: $W_h$ turns the state without making it shorter;
# - *orthogonal, small inputs*: each word adds only a tenth, so that tanh stays nearly straight.
#
# **Predict**: which of the three remembers longest? Which knows the last word best?


# %%
TOKENS, LAGS = 8, range(16)
random_tokens = torch.randint(0, TOKENS, (2, 4000), generator=torch.Generator().manual_seed(0))


def untrained(kind: str, seed: int, width: int = 32) -> ElmanNetwork:
    """A network that has learned nothing, with weights of this kind."""
    seed_everything(seed)
    network = ElmanNetwork(TOKENS, width).requires_grad_(False)
    if kind != "as drawn":
        nn.init.orthogonal_(network.rnn.weight_hh_l0)
    if kind == "orthogonal, small inputs":
        for weight in (network.rnn.weight_ih_l0, network.rnn.bias_ih_l0, network.rnn.bias_hh_l0):
            weight *= 0.1
    return network


# %% [markdown]
# The probe is fitted to the states of one random text by least squares, as in your exercise, and asked about a second text.


# %%
@torch.no_grad()
def probed(network: ElmanNetwork, lag: int) -> tuple[torch.Tensor, torch.Tensor]:
    """What a probe says in the second text, and what is right: (T - lag, V) each."""
    states = network.states(random_tokens).double()[:, lag:]
    inputs = torch.cat([states, torch.ones(*states.shape[:2], 1)], 2)
    targets = F.one_hot(random_tokens[:, : states.shape[1]], TOKENS).double()
    return inputs[1] @ torch.linalg.lstsq(inputs[0], targets[0]).solution, targets[1]


def linear_probe(network: ElmanNetwork, lag: int) -> float:
    """The accuracy of the probe on the random tokens."""
    said, truth = probed(network, lag)
    return (said.argmax(1) == truth.argmax(1)).float().mean().item()


# %%
kinds_of_weights = ("as drawn", "orthogonal", "orthogonal, small inputs")
held = {
    kind: [[linear_probe(untrained(kind, seed), lag) for lag in LAGS] for seed in (0, 1, 2)]
    for kind in kinds_of_weights
}

# %% covers="19" figure="probe_by_lag"
label = "lag k: how many steps ago the token was read"
plots.plot_accuracies(held, LAGS, label, "A state can know little well, or much badly", 1 / TOKENS)

# %%
claim(
    "As drawn, 32 units know the last three tokens nearly surely, and nothing ten steps back",
    min(min(run[:3]) for run in held["as drawn"]) > 0.85
    and max(run[10] for run in held["as drawn"]) < 0.2,
    unit="%",
    of_lag_2=[100 * run[2] for run in held["as drawn"]],
    of_lag_10=[100 * run[10] for run in held["as drawn"]],
)
claim(
    "With small inputs they know something 15 steps back, and are less sure of the last token",
    min(run[15] for run in held["orthogonal, small inputs"]) > 0.25
    and max(run[0] for run in held["orthogonal, small inputs"]) < 0.9,
    unit="%",
    of_lag_0=[100 * run[0] for run in held["orthogonal, small inputs"]],
    of_lag_15=[100 * run[15] for run in held["orthogonal, small inputs"]],
)

# %% payoff="probe_accuracy"
with payoff("probe_accuracy"):
    widths = {8: [], 32: [], 128: []}
    for width, row in widths.items():
        states = untrained("as drawn", 0, width).states(random_tokens)
        row += [probe_accuracy(states, random_tokens, lag, TOKENS) for lag in range(10)]
    curves = {f"{width} units": [row] for width, row in widths.items()}
    title = "Your probe: four times the units do not remember four times as far"
    plots.plot_accuracies(curves, range(10), label, title, 1 / TOKENS)

# %% [markdown]
# A large input writes over what was there. A small one leaves more of the old, and is itself hard to read. And your own
# picture says that more units help less than one would hope: with four times as many, the
# probe reaches back one or two steps further.
#
# How large is the budget? A token from eight carries seven independent numbers (its eight one-hot numbers sum to 1).
# For each lag, count how much of their variance the probe recovers, as a part of seven. For inputs which tell nothing
# about each other, the sum over *all* lags is never more than H, the number of units (Jaeger 2001; in this generality
# Dambre et al. 2012). **Predict**: how much of the 32 do our three networks use?


# %%
def recovered(network: ElmanNetwork, lag: int) -> float:
    """How many of the seven numbers of a token are recovered: 7 times the share of variance."""
    said, truth = probed(network, lag)
    left = (said - truth).square().sum() / (truth - truth.mean(0)).square().sum()
    return max(0.0, 7 * (1 - left.item()))


budgets = {
    kind: [sum(recovered(untrained(kind, seed), lag) for lag in range(40)) for seed in (0, 1)]
    for kind in kinds_of_weights
}
claim(
    "No network recovers more than its 32 numbers, and the one with small inputs comes nearest",
    max(max(sums) for sums in budgets.values()) < 32
    and min(budgets["orthogonal, small inputs"])
    > max(budgets["as drawn"] + budgets["orthogonal"]) + 2,
    unit="numbers",
    **{kind.replace(", ", "_").replace(" ", "_"): sums for kind, sums in budgets.items()},
)

# %% [markdown]
# That is the exact sense in which a state is a *budget*: what is spent on old words is missing for new ones. (It holds
# for linear readers. A reader that bends may find more.)
#
# ### Training decides what the budget is spent on
#
# Now a network with 32 units **learns to name the token of four steps ago**, at each step. To do that it must hold the
# last five at all times. **Predict** its curve: what happens at $k = 4$, and what at $k = 5$?

# %%
DELAY = 4


def delayed(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Random tokens (N, 40), and for each place the token of four steps ago."""
    tokens = torch.randint(0, TOKENS, (count, 40), generator=torch.Generator().manual_seed(seed))
    targets = F.pad(tokens[:, :-DELAY], (DELAY, 0), value=NOT_ASKED)
    return tokens, targets


# %%
def learned_to_delay(seed: int) -> ElmanNetwork:
    seed_everything(seed)
    network = ElmanNetwork(TOKENS, 32)
    examples = Batches(*delayed(4000, 1), size=32, shuffle=True)
    fit(
        network, examples, Batches(*delayed(200, 2)), epochs=4, clip=1.0,
        metric="bits", validations=2, label=f"four steps ago, seed {seed}",
    )  # fmt: skip
    return network


held["trained to say k = 4"] = [
    [linear_probe(network, lag) for lag in LAGS] for network in map(learned_to_delay, (0, 1))
]

# %%
shown = {kind: held[kind] for kind in ("as drawn", "trained to say k = 4")}
plots.plot_accuracies(
    shown, LAGS, label, "What it is asked for is kept, and then dropped", 1 / TOKENS
)

# %%
trained_to_say = held["trained to say k = 4"]
claim(
    "Training moves the edge to where the question is: sure at lag 4, and lost two lags later",
    min(run[4] for run in trained_to_say) > 0.9
    and max(run[4] for run in held["as drawn"]) < 0.5
    and max(run[6] for run in trained_to_say) < 0.4,
    unit="%",
    lag_4_before=[100 * run[4] for run in held["as drawn"]],
    lag_4_after=[100 * run[4] for run in trained_to_say],
    lag_6_after=[100 * run[6] for run in trained_to_say],
)

# %% [markdown]
# So "how much does a state remember?" has no single answer. It holds what the task asks for, as far as the units
# suffice and training finds the way.
#
# ### Eight numbers over one sentence
#
# Back to the grammar of section 3 and to one of its sentences: *The cat that we saw yesterday was happy*. Four words
# stand between the subject and its verb. You will find pictures of such a state, in which the units that lit up at
# *cat* grow dim by *was*, with the comment that the cat is being forgotten. Here are three measurements for the same
# sentence:
#
# 1. the **state** itself, 8 numbers for each word;
# 2. the **influence** of each earlier word on it, by gradient, with the ruler of the course;
# 3. a **swap**: read *cats* instead of *cat*. How far apart are the two states?
#
# There are two networks of eight units: one has learned nothing, the other has learned this grammar with at most one
# modifier. The slider stands at *yesterday*, the last word before the verb. **Predict** first: for which network is the
# influence of *cat* larger? For which does the swap make a difference? Then change the network, and move along the sentence.

# %% covers="23"
seed_everything(1)
pair = {
    "untrained": ElmanNetwork(len(WORDS), width=8),
    "trained": ElmanNetwork(len(WORDS), width=8),
}
learn(pair["trained"], seed=1, sentences=agreement(4000, most=1, seed=5))
text = "the cat that we saw yesterday was happy"
state_explorer(pair, WORDS, text, word="cat", other="cats", at="yesterday")

# %% [markdown]
# The ruler draws the influences as whole maps. Each row is a state, each column a word that it has read.

# %%
words = text.split()
tokens = torch.tensor([WORDS.index(word) for word in words])
maps = {
    name: reach.influence(network.rnn, network.embedding(tokens).detach())
    for name, network in pair.items()
}
plot_influences(maps, words)


# %%
@torch.no_grad()
def moved_by_swap(network: ElmanNetwork, one: str, other: str) -> torch.Tensor:
    """How far the states lie apart, word by word, if `one` is replaced by `other`: (T,)."""
    swapped = torch.where(tokens == WORDS.index(one), WORDS.index(other), tokens)
    states = network.states(torch.stack([tokens, swapped]))
    return (states[0] - states[1]).norm(dim=1)


random_networks = []
for seed in (0, 1, 2):
    seed_everything(seed)
    random_networks.append(ElmanNetwork(len(WORDS), width=16))
swaps = {
    "untrained": torch.stack([moved_by_swap(one, "cat", "cats") for one in random_networks]),
    "trained": torch.stack([moved_by_swap(one, "cat", "cats") for one in networks["Elman"]]),
}
ylabel = "distance of the two states"
title = "“cat” or “cats”: kept up to the verb, then dropped"
plots.plot_lines_by_word(swaps, words, ylabel, title)

# %%
before_verb, at_end = words.index("yesterday"), words.index("happy")
claim(
    "Just before the verb a trained state still tells cat from cats, an untrained one hardly",
    swaps["trained"][:, before_verb].min().item()
    > 5 * swaps["untrained"][:, before_verb].max().item(),
    trained=swaps["trained"][:, before_verb].tolist(),
    untrained=swaps["untrained"][:, before_verb].tolist(),
)
claim(
    "Two words later, when nothing depends on it any more, they have let go of most of it",
    (swaps["trained"][:, at_end].mean() < 0.5 * swaps["trained"][:, before_verb].mean()).item(),
    before_the_verb=swaps["trained"][:, before_verb].tolist(),
    at_the_end=swaps["trained"][:, at_end].tolist(),
)

# %% [markdown]
# Look at what the trained network does. It keeps the number of its subject across the clause, and lets go of most of it
# once the verb has been said. Here it does not forget because it must, but because it may.
#
# Would the ruler have told us? The swap moves the trained state some thirty times as far as the untrained one. **Predict**:
# how many times larger is the influence of *cat*?


# %%
def share_of_subject(network: ElmanNetwork) -> float:
    """How much of all influence on the state before the verb is that of the subject, in %."""
    row = reach.influence(network.rnn, network.embedding(tokens).detach(), at=before_verb)
    return (100 * row[1] / row.sum()).item()


shares = {
    "untrained": [share_of_subject(network) for network in random_networks],
    "trained": [share_of_subject(network) for network in networks["Elman"]],
}
by_gradient = fmean(shares["trained"]) / fmean(shares["untrained"])
by_swap = (
    swaps["trained"][:, before_verb].mean() / swaps["untrained"][:, before_verb].mean()
).item()
claim(
    "Trained or not, the subject has a small share of the influence; the swap tells more",
    max(shares["trained"]) < 30 and by_swap > 2 * by_gradient,
    trained_share_in_per_cent=shares["trained"],
    untrained_share_in_per_cent=shares["untrained"],
    ratio_by_influence=by_gradient,
    ratio_by_swap=by_swap,
)

# %% [markdown]
# The gradient asks what a *small* change of *cat* would do, and much of this bit sits in units that small changes do
# not move. A swap is a large change, and the only one that the grammar knows. Neither of the two is wrong. They answer
# different questions, so ask both.
#
# And now the brightness of the units. **Predict**: on which units does *cat* still have influence by gradient, on the
# bright ones or on the dim ones?


# %%
def bright_and_moved(network: ElmanNetwork) -> tuple[torch.Tensor, torch.Tensor]:
    """State of each unit before the verb, and the influence of the subject on it: (N · H,) each."""
    longer = agreement(12, most=1, seed=4, fewest=1)
    states, influences = [], []
    for row, verb in zip(longer.tokens, longer.verb.tolist(), strict=True):
        vectors = network.embedding(row[:verb]).detach()
        hidden = network.rnn(vectors)[0][-1].detach()
        for unit in range(len(hidden)):
            of_unit = partial(lambda v, u: network.rnn(v)[0][:, u : u + 1], u=unit)
            influences.append(reach.influence(of_unit, vectors, at=verb - 1)[1])
        states.append(hidden)
    return torch.cat(states), torch.stack(influences)


units = [bright_and_moved(network) for network in networks["Elman"]]
correlations = [
    torch.corrcoef(torch.stack([h.abs(), influence.log()]))[0, 1].item() for h, influence in units
]

# %%
states, influences = (torch.cat(part) for part in zip(*units, strict=True))
title = "A dim unit is not a unit that has forgotten: it is one that still listens"
plots.plot_bright_and_moved(states, influences, title)

# %%
claim(
    "The brighter a unit, the less an earlier word moves it, in each of three trained networks",
    max(correlations) < -0.2,
    correlation_of_brightness_and_log_influence=correlations,
)

# %% [markdown]
# It has to be so. The last factor of every influence on a unit is its own slope, $1 - h^2$: 1 for a unit at 0, and
# nearly nothing for a unit at ±1. The bright units of a heatmap are those that have made up their minds. So three
# things have to be kept apart:
#
# - **A unit is dim.** That says nothing about memory. Zero is a value like any other, and the place where a unit is most easily moved.
# - **The influence of a word has faded** (by gradient). Small changes of the word do not matter any more. Training will find it hard to
#   change how the word is used: lesson 06.
# - **A word is forgotten.** No swap of it changes the state, and no probe can find it. Only this is forgetting, and the latch of section 1 shows
#   that the second does not imply it.

# %% [markdown] quiz="dim_unit" points=1
# ### Quiz · a dim unit
#
# In a heatmap of states, unit 3 was at 0.9 after *cat* and is at 0.02 five words later. What may you conclude?
#
# - A. The network has forgotten the cat.
# - B. Unit 3 has forgotten the cat, but other units may remember it.
# - C. Nothing about the cat. Swap the word, or fit a probe, and see whether the state changes.
# - D. The gradient has vanished at unit 3.
#
# ### BEGIN SOLUTION
# **C.** 0.02 may be what this unit shows after *cat*, and 0.4 what it would show after *cats*. A value alone cannot
# tell: only a comparison can.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A** reads a picture as if bright meant remembered.
# - **B** sounds careful, and makes the same mistake for one unit: without knowing its value after *another* word you cannot say.
# - **C** is right.
# - **D** has it backwards: near 0 the slope of tanh is near 1, its largest.
# </details>
#
# ## 6 · What they were used for
#
# Counting brackets, agreement, forecasts: these were the demonstrations that such a network learns more than a table.
# You have seen agreement. Here are the other two.
#
# ### Closing brackets
#
# A random string of two kinds of brackets, nested up to four deep. Where one closes, *which kind* must it be? The
# partner may be one place back or twenty. A 3-gram sees the last two characters, and the network has 16 units.
# **Predict** both curves.

# %%
print("".join(BRACKETS[token] for token in brackets(1, 40, seed=0)[0][0]))


# %%
def bracket_reader(seed: int, width: int = 16, deepest: int = 4) -> ElmanNetwork:
    """A network that has learned to say the next bracket."""
    seed_everything(seed)
    network = ElmanNetwork(len(BRACKETS), width)
    tokens, unseen = brackets(4000, 30, 1, deepest)[0], brackets(300, 30, 2, deepest)[0]
    examples = Batches(tokens[:, :-1], tokens[:, 1:], 32, shuffle=True)
    fit(
        network, examples, Batches(unseen[:, :-1], unseen[:, 1:]), epochs=6, clip=1.0,
        metric="bits", validations=2, label=f"brackets, seed {seed}",
    )  # fmt: skip
    return network


@torch.no_grad()
def closes(logits: torch.Tensor, tokens: torch.Tensor, which: torch.Tensor) -> float:
    """How often the right closing bracket gets more than the other, at the places `which`."""
    says_square = logits[..., 3] > logits[..., 1]
    return (says_square == (tokens == 3))[which].float().mean().item()


# %%
strings, partner = brackets(1500, 60, seed=3)
asked, distance = strings[:, 1:], partner[:, 1:]
DISTANCES = (1, 3, 5, 9, 13, 17, 21)
by_distance = {"recurrent, 16 units": [], "3-gram": []}
bracket_readers = [bracket_reader(seed) for seed in (0, 1)]
for network in bracket_readers:
    logits = network(strings[:, :-1])[0]
    by_distance["recurrent, 16 units"].append(
        [closes(logits, asked, distance == d) for d in DISTANCES]
    )
table = NGram(3, len(BRACKETS)).fit(brackets(4000, 30, seed=1)[0].flatten())
contexts = strings.unfold(1, 2, 1)[:, :-1].reshape(-1, 2)  # of the third character on
logits = table(contexts).view(len(strings), -1, len(BRACKETS))
by_distance["3-gram"].append(
    [closes(logits, strings[:, 2:], partner[:, 2:] == d) for d in DISTANCES]
)

# %% covers="22"
label = "places back to where the bracket opened"
plots.plot_accuracies(
    by_distance, DISTANCES, label, "A state closes brackets that a window cannot", 0.5
)

# %%
claim(
    "Sixteen units close brackets that were opened up to 21 places ago; a 3-gram guesses from 5 on",
    min(min(run) for run in by_distance["recurrent, 16 units"]) > 0.9
    and max(by_distance["3-gram"][0][2:]) < 0.65,
    unit="%",
    recurrent_at_21=[100 * run[-1] for run in by_distance["recurrent, 16 units"]],
    table_at_1=100 * by_distance["3-gram"][0][0],
    table_at_5=100 * by_distance["3-gram"][0][2],
)

# %% [markdown]
# Distance is not what is hard here: what is held stays as it is. What costs is **depth**, because each bracket that is
# opened on top is one more bit to hold. How many fit into a state? Here is a recorded run, with networks of 2 to 32
# units that learned strings nested up to eight deep, three seeds each (`python -m bench.record_stack`, in the course's
# folder, makes it again, in some minutes). A bracket is closed after at most 0, 1, … others were open on top of it. **Predict**: up to how many
# can 4 units hold, and 32?

# %%
record = json.loads((paths.RECORDED / "brackets_in_a_state.json").read_text())
by_units = record["by_pile"]
piles = range(7)  # seven on top of it: only the outermost of eight
curves = {f"{units} units": [run[:7] for run in runs] for units, runs in by_units.items()}

# %% figure="brackets_in_a_state"
label = "other brackets that were open on top of it, at most"
title = "More units hold more, up to a point (a recorded run)"
plots.plot_accuracies(curves, piles, label, title, 0.5)


# %%
def holds(units: str, least: float = 0.9) -> int:
    """The largest pile under which a bracket is still closed rightly, by the mean of the seeds."""
    means = [fmean(run[pile] for run in by_units[units]) for pile in piles]
    return max((pile for pile in piles if min(means[: pile + 1]) > least), default=-1)


held_under = {units: holds(units) for units in by_units}
claim(
    "Up to 16 units, more units hold a bracket under more others; 32 hold no more "
    "(one recorded run, three seeds)",
    held_under["2"] < held_under["4"] < held_under["8"] < held_under["16"] == held_under["32"],
    unit="brackets on top",
    **{f"with_{units}_units": pile for units, pile in held_under.items()},
)
best_of_two = max(run[5] for run in by_units["2"])
claim(
    "One network of two units still closes most brackets that have five others on top",
    best_of_two > 0.7,
    unit="%",
    best_of_three_seeds=100 * best_of_two,
    the_other_two=sorted(100 * run[5] for run in by_units["2"])[:2],
)

# %% [markdown]
# Two things to notice. A unit is not a bit: in one of three runs *two* units still close four of five brackets rightly
# that have five others on top. A number has many digits. And 32 units do no better than 16 here. From there on it is
# not room that is missing. Training, of the same length for all of them, has not found a way to use it. What *fits*
# into a state and what a network *learns* to put there are two questions, and the second has the smaller answer.
#
# ### A forecast
#
# The same cell reads numbers. It sees a sine wave, whose period lies between 20 and 30 steps and begins anywhere, and
# learns to say the next value. After 60 steps it is left alone: each forecast becomes its next input. **Predict**: how
# long does it stay on the wave? And what does it do with a period of 12, which it has never seen?


# %%
class Forecaster(nn.Module):
    """Numbers (B, T, 1) and a state in, the next number at each step and the next state out."""

    def __init__(self, width: int = 32):
        super().__init__()
        self.rnn, self.head = nn.RNN(1, width, batch_first=True), nn.Linear(width, 1)

    def forward(self, x: torch.Tensor, state: torch.Tensor | None = None) -> tuple:
        states, state = self.rnn(x, state)
        return self.head(states), state


def squared_error(said: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    return (said - truth).square().mean()


@torch.no_grad()
def go_on_alone(model: Forecaster, waves: torch.Tensor, read: int) -> torch.Tensor:
    """Read so many steps of waves (B, T, 1), then go on by itself: (B, T, 1)."""
    said, state = model(waves[:, :read])
    forecast = [waves[:, :read], said[:, -1:]]
    for _ in range(waves.shape[1] - read - 1):
        said, state = model(forecast[-1], state)
        forecast.append(said)
    return torch.cat(forecast, 1)


# %%
seed_everything(1)
forecaster = Forecaster()
waves, other_waves = sines(2000, 81, (20, 30), seed=1), sines(200, 81, (20, 30), seed=2)
examples = Batches(waves[:, :-1], waves[:, 1:], 32, shuffle=True)
others = Batches(other_waves[:, :-1], other_waves[:, 1:])
of_sines = fit(
    forecaster, examples, others, epochs=8, lr=0.005, clip=1.0, loss=squared_error,
    metric="error", validations=2, label="a sine",
)  # fmt: skip

# %%
READ = 60
truth = {
    "period 20 to 30": sines(200, 140, (20, 30), seed=3),
    "period 12": sines(200, 140, (12, 12), 3),
}
said = {name: go_on_alone(forecaster, waves, READ) for name, waves in truth.items()}
names = {"period 20 to 30": "as in training", "period 12": "never seen"}
shown = {
    f"{name}, {said_of_it}": (truth[name][0, :110, 0], said[name][0, :110, 0])
    for name, said_of_it in names.items()
}

# %% covers="22"
plots.plot_forecasts(shown, READ, "It goes on with what it knows, and drifts")


# %%
def error(name: str, ahead: int) -> float:
    """Root mean squared error so many steps after the last one that was read."""
    at = READ + ahead - 1
    return squared_error(said[name][:, at], truth[name][:, at]).sqrt().item()


stays = truth["period 20 to 30"]
persistence = squared_error(stays[:, READ - 1], stays[:, READ]).sqrt().item()
near, far, unknown = (
    error("period 20 to 30", 1), error("period 20 to 30", 80), error("period 12", 5)
)  # fmt: skip
claim(
    "One step ahead it is better than “as before”; alone for 80 steps it has lost the wave, "
    "and on a period that it never saw it is lost within five steps",
    near < 0.5 * persistence and far > 5 * near and unknown > 5 * near,
    one_ahead=near,
    as_before=persistence,
    eighty_ahead=far,
    other_period_five_ahead=unknown,
)

# %% [markdown]
# The root mean square of a wave of height 1 is 0.71, so an error of that size means that the forecast is worth nothing.
# Each forecast is a little off, the next one is made from it, and the errors add up. Keep that in mind when somebody
# shows you a forecast one step ahead: it is the easy part. And the network has not learned "continue the wave". It has
# learned the waves of its training.
#
# ## What we measured
#
# *What does one state carry?* Here are the answers of this lesson, as numbers.

# %%
notebook.headline(
    corpus.name,
    agreement_with_3_modifiers={
        name: [round(run[3], 3) for run in agreeing[name]] for name in agreeing
    },
    agreement_with_6_modifiers=[round(run[6], 3) for run in agreeing["Elman"]],
    bits_2_gram=in_order[2],
    bits_3_gram=in_order[3],
    bits_hmm_32_states=hmm_bits[32],
    bits_recurrent_64_units=history.best,
    probe_at_lag_4_untrained=[round(run[4], 3) for run in held["as drawn"]],
    probe_at_lag_4_trained=[round(run[4], 3) for run in trained_to_say],
    brightness_and_influence=[round(value, 2) for value in correlations],
    brackets_21_places_back=[round(run[-1], 3) for run in by_distance["recurrent, 16 units"]],
)

# %% [markdown]
# - **What is a recurrent network?** One cell, used at every step with the same weights. Unrolled it is a deep network with tied layers.
# - **What is it for?** Not for variable length as such: a pooled convolution has that too. It carries something from any distance, in order.
# - **What comes back?** The hidden state (Elman). A network that hears only its own output (Jordan) hardly keeps what it does not say.
# - **What is order worth?** Half of the banks, and more than a bit per character. An n-gram has it exactly and briefly, a hidden Markov model as a
#   belief, a recurrent network as numbers.
# - **What fits in?** A budget that untrained weights spend on the last few words, and trained ones on what the task asks for. One bit can last
#   for a thousand steps.
# - **Is a dim unit a forgotten word?** No. Compare two states, or fit a probe.
#
# ## If you have an hour more
#
# How many bits does a unit hold? A stack of $d$ brackets is $d$ bits. One unit could hold several of them, as the
# digits of its number: push by $h \leftarrow \tfrac13 h \pm \tfrac23$, pop by undoing it. Write such a unit by hand and
# find out how deep it gets in float32, and how deep if each step adds noise of one per cent. Then look at what the
# trained networks of the recorded run do: do they count in digits, or does each bracket get a latch of its own? A probe
# for "the kind of the bracket that is $d$ deep" on their states would tell. We do not know how many bits a unit of a
# *trained* network holds, nor what sets the limit.
#
# <!-- next -->
#
# ## References
#
# - Jordan: *Serial Order: A Parallel Distributed Processing Approach*. ICS report 8604, UC San Diego, 1986.
# - Elman: *Finding Structure in Time*. Cognitive Science 14(2), 1990; agreement across clauses: *Distributed Representations, Simple Recurrent Networks, and
#   Grammatical Structure*. Machine Learning 7, 1991.
# - Markov: *An Example of Statistical Investigation of the Text Eugene Onegin Concerning the Connection of Samples in Chains*, 1913. English in Science in Context 19(4), 2006.
# - Baum, Petrie, Soules, Weiss: *A Maximization Technique Occurring in the Statistical Analysis of Probabilistic Functions of Markov Chains*. Annals of Mathematical
#   Statistics 41(1), 1970; Rabiner: *A Tutorial on Hidden Markov Models and Selected Applications in Speech Recognition*. Proceedings of the IEEE 77(2), 1989.
# - Vowels and consonants: Cave, Neuwirth: *Hidden Markov Models for English*, in *Hidden Markov Models for Speech*, IDA-CRD, 1980.
# - Jaeger: *Short Term Memory in Echo State Networks*. GMD report 152, 2001; Dambre, Verstraeten, Schrauwen, Massar: *Information Processing Capacity of Dynamical Systems*.
#   Scientific Reports 2, 2012.
# - The latch and what it does to gradients: Bengio, Simard, Frasconi: *Learning Long-Term Dependencies with Gradient Descent is Difficult*. IEEE Transactions on Neural Networks 5(2), 1994.
# - Linzen, Dupoux, Goldberg: *Assessing the Ability of LSTMs to Learn Syntax-Sensitive Dependencies*. TACL 4, 2016.
