# %% [markdown] question="what makes direct lookup work?" write="the scaled dot product, masks, a test for leaks, several heads, sinusoids" minutes=120
# # 10 · Self-attention: what makes direct lookup work?
#
# In lesson 09 a decoder looked back at the states of an encoder, because one vector could not hold them all. Take the idea one
# step further: let every position of a text look at every other one, and leave out the recurrence. No state has to carry
# anything, since whatever is needed can be looked up. This lesson builds that lookup from an average, and then takes it apart
# again: what is each piece for, and what goes wrong without it?
#
# When you are done (about 120 minutes) you can
#
# - build attention from an average, step by step, and get exactly what PyTorch gets;
# - say what the root in the formula is for, and measure it;
# - write the masks that practice needs, and find out whether a model sees the future;
# - split a layer into heads, and say what two heads can do that one cannot;
# - tell a model where its words stand, in three ways, and know what each of them does in a longer text;
# - look at attention weights without taking them for an explanation.
#
# You need lesson 00. Lesson 09 tells where attention came from.

# %% setup=true
import json
import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from utils import data, models, notebook, paths, reach
from utils.checks import self_attention as check
from utils.claims import claim
from utils.models.lookup import Lookup, clipped
from utils.notebook import payoff
from utils.plotting import attention as plots
from utils.plotting.curves import plot_fade
from utils.plotting.maps import plot_influences, plot_reaches
from utils.plotting.runs import plot_runs
from utils.tasks.lookup import (
    answers,
    as_tokens,
    coreference,
    cost_of_hiding,
    effects,
    letters_back,
    reversal,
    right,
    sentence,
    set_to_add,
    share_named,
    where_am_i,
)
from utils.tasks.masked import masked_windows, share_by_counting, share_found
from utils.text import encode
from utils.training import Batches, fit, in_parallel, seed_everything
from utils.widgets.it_explorer import it_explorer

notebook.setup()
torch.set_num_threads(1)  # models this small gain nothing from a second core

# %% [markdown]
# ## 1 · From an average to attention
#
# How could a position collect something from those before it? The simplest way is an average. Here are four positions with two
# numbers each. **Predict** the third row: the mean of the first three.

# %% same_output=true
x = torch.tensor([[2.0, 0.0], [4.0, 0.0], [0.0, 6.0], [2.0, 2.0]])  # (T, C) = (4, 2)
by_loop = torch.stack([x[: i + 1].mean(dim=0) for i in range(4)])
print(by_loop.numpy().round(2))

# %% [markdown]
# A mean is a weighted sum in which all weights are alike, and a weighted sum for every row at once is a product of matrices.
# Row i holds the weights of position i. **Predict** the last row of the matrix.

# %% same_output=true
ones = torch.ones(4, 4).tril()  # 1 where j ≤ i
weights = ones / ones.sum(dim=1, keepdim=True)
by_matrix = weights @ x
print(weights.numpy().round(2), "\nthe same:", torch.allclose(by_matrix, by_loop))

# %% [markdown]
# The same weights a third time, now as a **softmax**. It takes any *scores* and makes weights of them that are positive and sum
# to 1: equal scores give equal weights, and a score of −∞ gives the weight 0. So "j must not be later than i" becomes: set
# these scores to −∞. That is a **mask**.

# %% same_output=true
later = ones == 0  # True where j > i
scores = torch.zeros(4, 4).masked_fill(later, -math.inf)
by_softmax = scores.softmax(dim=-1) @ x
print(scores.numpy(), "\nthe same:", torch.allclose(by_softmax, by_loop))

# %% [markdown]
# Nothing has changed so far, except that there is a place now where something other than zeros can stand. Let the scores depend
# on *what* the positions hold: the dot product of their vectors, which is large where they point the same way. It is divided by
# √2, the root of the number of channels (section 2 says why). **Predict**: whom does the last position, (2, 2), prefer?

# %% same_output=true
scores = (x @ x.T / math.sqrt(2)).masked_fill(later, -math.inf)
weights = scores.softmax(dim=-1)
by_content = weights @ x
print("scores\n", scores.numpy().round(1))
print("weights\n", weights.numpy().round(2))

# %% [markdown]
# The third position, (0, 6), has the largest product with it, and nearly all weight goes there. Long vectors shout.
#
# One vector plays three parts here: it asks, it is compared, and it is handed over. Three matrices set the parts free. They
# make of each $x_i$ a **query** (what am I looking for?), a **key** (what do I offer?) and a **value** (what do I hand over?).
# With three identity matrices, we must be back at the step before.

# %%
W_q, W_k, W_v = torch.eye(2), torch.eye(2), torch.eye(2)
Q, K, V = x @ W_q.T, x @ W_k.T, x @ W_v.T
scores = (Q @ K.T / math.sqrt(2)).masked_fill(later, -math.inf)
by_parts = scores.softmax(dim=-1) @ V
from_torch = F.scaled_dot_product_attention(Q[None], K[None], V[None], is_causal=True)[0]
claim(
    "Each step gives what the one before gave: loop, matrix, softmax; then content and three parts",
    all(
        torch.allclose(a, b)
        for a, b in (
            (by_loop, by_matrix),
            (by_matrix, by_softmax),
            (by_content, by_parts),
            (by_parts, from_torch),
        )
    ),
    largest_difference=(by_parts - from_torch).abs().max().item(),
)

# %% [markdown] covers="48 49"
# That is all of attention:
#
# $$\alpha_{ij} = \operatorname{softmax}_j\left(\frac{q_i \cdot k_j}{\sqrt{d_k}}\right) \qquad z_i = \sum_j \alpha_{ij}\, v_j \qquad
# \text{or}\quad Z = \operatorname{softmax}\left(\frac{Q K^\top}{\sqrt{d_k}}\right) V$$
#
# ### The ten symbols
#
# You met these in lesson 00, for one sentence. In a layer that people use there are B texts and H heads in front. T positions
# ask, S are asked; in *self*-attention the two are the same positions.
#
# | symbol | name | shape |
# | --- | --- | --- |
# | $x_t$ | input vector at position $t$ | (C,), all of them (B, T, C) |
# | $h_t$ | hidden state of an RNN: what attention does without | (H,) in lesson 05, where H was the size of the state; here H counts heads |
# | $W_x$, $W_h$ | an RNN's weights for input and state; here there are $W_q$, $W_k$, $W_v$ instead | (H, C), (H, H) there; (C, C) each here |
# | $y_t$ | output of a convolution at position $t$; here it is $z_t$ | (C,) |
# | $W_i$ | weights for the offset $i$ of a convolution; here weights come from content, $\alpha_{ij}$ | |
# | $Q$, $K$, $V$ | all queries, keys, values | (B, H, T, d_k), (B, H, S, d_k), (B, H, S, d_v) |
# | $q_i$, $k_j$, $v_j$ | one of each | (d_k,), (d_k,), (d_v,) |
# | $d_k$ | length of a query and of a key | a number; with H heads on C channels $d_k = d_v = C / H$, for which we write D from section 4 on |
# | $\alpha_{ij}$ | how much position $i$ takes from position $j$ | a number; all of them (B, H, T, S) |
# | $z_i$ | what position $i$ has collected | (d_v,); all of them (B, H, T, d_v) |
#
# Here are those of attention as tensors, from torch's own function:

# %% same_output=true covers="49"
B, H, T, d_k, d_v = 2, 3, 5, 4, 6
Q, K, V = torch.randn(B, H, T, d_k), torch.randn(B, H, T, d_k), torch.randn(B, H, T, d_v)
alpha, Z = (Q @ K.mT / math.sqrt(d_k)).softmax(-1), F.scaled_dot_product_attention(Q, K, V)
for name, tensor in {"Q": Q, "K": K, "V": V, "alpha": alpha, "Z": Z, "z_i": Z[0, 0, 2]}.items():
    print(f"{name:6}{tuple(tensor.shape)}")

# %% [markdown]
# ### Exercise 10.1 · the scaled dot product
# ●●○ · about 15 minutes · 3 points
#
# Write `scaled_dot_product(q, k, v, visible)`. It returns `z` and the weights `alpha`. `visible` is True where a query may look
# at a key; any pattern can occur, and a query that may look at *nothing* gets weights 0 and z = 0. There may be more axes in
# front, such as texts and heads. Where `visible` has size 1 there, it holds for all of them. Use tensors, not torch's attention
# function.


# %% answer="scaled_dot_product" covers="48"
def scaled_dot_product(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, visible: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """q (…, T, d_k), k (…, S, d_k), v (…, S, d_v), visible (…, T, S). Returns z and alpha.

    >>> q, k, v = torch.ones(1, 1), torch.zeros(3, 1), torch.tensor([[3.0], [5.0], [9.0]])
    >>> scaled_dot_product(q, k, v, torch.tensor([[True, True, False]]))
    (tensor([[4.]]), tensor([[0.5000, 0.5000, 0.0000]]))
    """
    ### BEGIN SOLUTION
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (…, T, S)
    scores = scores.masked_fill(~visible, -math.inf)
    alpha = scores.softmax(dim=-1)
    blind = ~visible.any(dim=-1, keepdim=True)  # (…, T, 1): queries that see nothing
    alpha = alpha.masked_fill(blind, 0.0)
    return alpha @ v, alpha
    ### END SOLUTION


# %% check="scaled_dot_product"
check.scaled_dot_product(scaled_dot_product)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Four steps: scores for all pairs, −∞ where a key is hidden, a softmax over the keys, a weighted sum of the values. Then the
# rows that saw nothing.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# `k.transpose(-2, -1)` is (…, d_k, S), so that the product is (…, T, S) whatever stands in front. `masked_fill` repeats axes of
# size 1 by itself.
# </details>
# <details><summary>Help: I get nan</summary>
#
# A row in which every score is −∞ has a softmax of 0 / 0. `visible.any(dim=-1, keepdim=True)` tells these rows apart.
# </details>

# %% [markdown]
# Your function beside torch's, on random tensors with random masks, and the weights of a small example.

# %% payoff="scaled_dot_product" covers="48"
with payoff("scaled_dot_product"):
    visible = torch.rand(B, 1, T, T) < 0.6
    mine, alpha = scaled_dot_product(Q, K, V, visible)
    theirs = F.scaled_dot_product_attention(Q, K, V, visible)
    apart = (mine - theirs).abs().max().item()
    causal, _ = scaled_dot_product(Q, K, V, torch.ones(T, T).tril() == 1)
    theirs = F.scaled_dot_product_attention(Q, K, V, is_causal=True)
    claim(
        "Your function gives what F.scaled_dot_product_attention gives, with any mask and causal",
        max(apart, (causal - theirs).abs().max().item()) < 1e-5,
        largest_difference=apart,
    )
    plots.plot_looks({"any mask": alpha[0, 0], "another text": alpha[1, 0]}, list("abcde"))

# %% [markdown]
# ## 2 · What is the root for?
#
# Some texts write $\alpha_{ij} = \operatorname{softmax}(q_i \cdot k_j)$, without the root. What is the difference? A dot
# product is a sum of $d_k$ products. If queries and keys have independent numbers of size 1, each product has mean 0 and
# variance 1, and the sum has variance $d_k$: typical scores are $\pm\sqrt{d_k}$. (In the words of lesson 09: the root sets the
# sharpness to $1/\sqrt{d_k}$, and without it the sharpness is 1.)
#
# By hand, with two keys and scores $+s$ and $-s$: the softmax gives the first one $1/(1 + e^{-2s})$. **Predict** its weight for
# $d_k$ = 1, 16 and 256, with $s = \sqrt{d_k}$.

# %% same_output=true
for length in (1, 16, 256):
    s = math.sqrt(length)
    print(
        f"d_k = {length:3}: scores ±{s:4.0f}, weight of the first {1 / (1 + math.exp(-2 * s)):.6f}"
    )

# %% [markdown]
# So without the root, a *new* layer with long keys has made up its mind before it has learned anything. To see how much, we
# take 16 random keys and measure the **entropy** of the weights in bits: 4 when all 16 are alike (2⁴ = 16), 0 when one has
# everything. **Predict** both curves, with and without the root.


# %%
def drawn_scores(length, seed, root):
    """Scores (64, 16) of 64 queries and 16 keys with random numbers of size 1."""
    draw = torch.Generator().manual_seed(seed)
    q, k = (torch.randn(rows, length, generator=draw) for rows in (64, 16))
    return q @ k.T / (math.sqrt(length) if root else 1)


def bits(weights):
    return torch.special.entr(weights).sum(-1).mean().item() / math.log(2)


# %% figure="entropy" covers="48"
lengths = (1, 4, 16, 64, 256, 1024)
entropy = {
    name: {d: [bits(drawn_scores(d, s, root).softmax(-1)) for s in range(5)] for d in lengths}
    for name, root in {"with the root": True, "without": False}.items()
}
levels = {"all 16 keys alike": 4.0}
plots.plot_entropy(entropy, levels, "Without the root, long keys make up their mind at random")

# %% covers="48"
with_root = [value for values in entropy["with the root"].values() for value in values]
claim(
    "With the root the entropy stays near 3.4 bits for every d_k; without, it falls below 0.6",
    min(with_root) > 2.9 and max(with_root) < 3.9 and max(entropy["without"][256]) < 0.6,
    unit="bits",
    with_the_root=with_root,
    without_at_256=entropy["without"][256],
    without_at_1024=entropy["without"][1024],
)

# %% [markdown]
# Why does that matter? Because of the way back. The derivative of weight $\alpha_j$ by score $l$ is
# $\alpha_j(\delta_{jl} - \alpha_l)$, where $\delta_{jl}$ is 1 for $j = l$ and 0 otherwise. Where one weight is almost 1 and the others almost 0, all of these are almost 0, and the
# scores hear nothing from the loss. **Predict** by what factor the gradient shrinks at $d_k$ = 256.


# %%
def gradient_by_scores(length, seed, root):
    """Mean size of the derivative of a weighted sum of random values by its scores."""
    scores = drawn_scores(length, seed, root).requires_grad_()
    values = torch.randn(16, generator=torch.Generator().manual_seed(seed + 100))
    (scores.softmax(-1) @ values).sum().backward()
    return scores.grad.norm(dim=-1).median().item()


# %% covers="48"
passed = {
    root: [gradient_by_scores(256, seed, root) for seed in range(5)] for root in (True, False)
}
claim(
    "At d_k = 256 the typical query without the root passes less than a tenth of the gradient",
    max(passed[False]) < min(passed[True]) / 10,
    with_the_root=passed[True],
    without=passed[False],
    times_smaller=sum(passed[True]) / sum(passed[False]),
)

# %% [markdown] quiz="the_root" points=1
# ### Quiz · the root
#
# A colleague leaves out the root, but draws the weights of $W_q$ so small that all scores begin near 0. What do you expect?
#
# - A. The layer cannot learn, because the formula is wrong.
# - B. At the start it behaves as with a root. The root is a choice of scale, and weights can learn another one.
# - C. The softmax saturates as before, because d_k is as large as before.
# - D. The weights no longer sum to 1.
#
# ### BEGIN SOLUTION
# **B.** What matters is the size of the scores. Dividing by the root, or smaller weights, sets it at the start.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A**: nothing that attention can compute is lost. It is where training starts, and how fast scores grow, that changes.
# - **B** is right. The root makes the same start work for heads of every size, which is why it stands in the formula.
# - **C** forgets that the scores also grow with the size of queries and keys.
# - **D**: a softmax sums to 1 whatever its scores are.
# </details>

# %% [markdown] covers="54"
# ## 3 · Who may look at whom?
#
# Attention looks everywhere unless it is told not to. Three wishes come up again and again:
#
# - **causal**: a model that predicts the next token must not see it;
# - **padding**: short texts are filled up to the length of the batch, and nobody should look at the filling;
# - **packing**: several short texts share one row, to waste no room, and must not see each other.
#
# By hand: a row with two texts, `1 1 2 2 0`, where 0 is padding. **Predict** whom position 3, the second of text 2, may see,
# causally.

# %% same_output=true
row = [1, 1, 2, 2, 0]
print("position 3 may see", [j for j in range(5) if row[j] == row[3] != 0 and j <= 3])
print("position 4 may see", [j for j in range(5) if row[j] == row[4] != 0 and j <= 4])

# %% [markdown]
# $$\text{visible}_{ij} \;=\; (\text{doc}_i = \text{doc}_j)\ \wedge\ (\text{doc}_i \ne 0)\ \wedge\ (j \le i \ \text{if causal})$$
#
# | symbol | variable | shape |
# | --- | --- | --- |
# | $\text{doc}$ | `documents`, whole numbers: 1 and more for texts, 0 for padding | (B, T) |
# | | `causal`, True or False | |
# | $\text{visible}$ | what you return, booleans | (B, 1, T, T): the 1 is for the heads, which share the mask |
#
# ### Exercise 10.2 · who sees whom
# ●●○ · about 12 minutes · 2 points
#
# Write `who_sees_whom(documents, causal)`. Padding looks at nobody, and nobody looks at padding. The numbers are names: a text
# may have any number from 1 on, and may stand in pieces, with something else between them.


# %% answer="who_sees_whom" covers="54"
def who_sees_whom(documents: torch.Tensor, causal: bool) -> torch.Tensor:
    """Document numbers (B, T), 0 for padding: booleans (B, 1, T, T), True where i may look at j.

    >>> who_sees_whom(torch.tensor([[1, 1, 0]]), causal=True).int().tolist()
    [[[[1, 0, 0], [1, 1, 0], [0, 0, 0]]]]
    """
    ### BEGIN SOLUTION
    asks, asked = documents[:, :, None], documents[:, None, :]  # (B, T, 1) and (B, 1, T)
    visible = (asks == asked) & (asks != 0)  # (B, T, T)
    if causal:
        T = documents.shape[1]
        visible = visible & (torch.ones(T, T).tril() == 1)
    return visible[:, None]
    ### END SOLUTION


# %% check="who_sees_whom"
check.who_sees_whom(who_sees_whom)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# One condition after the other, each a table of booleans, joined by `&`.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# `documents[:, :, None]` is (B, T, 1), one row for who looks; `documents[:, None, :]` is (B, 1, T). Compared, they give (B, T, T).
# </details>
# <details><summary>Help: padding sees padding</summary>
#
# 0 equals 0. The second condition is there for that.
# </details>

# %% [markdown]
# Your masks for a row of three texts and some padding. (A warning for practice: `F.scaled_dot_product_attention` wants True
# where something may be *seen*, as here. `nn.MultiheadAttention` wants True where something is *hidden*. Both accept the wrong
# one without a word.)

# %% payoff="who_sees_whom" covers="54"
with payoff("who_sees_whom"):
    packed = torch.tensor([[1, 1, 1, 2, 2, 2, 2, 3, 3, 0, 0]])
    words = [str(number) if number else "pad" for number in packed[0].tolist()]
    maps = {
        "causal": who_sees_whom(packed, True)[0, 0],
        "not causal": who_sees_whom(packed, False)[0, 0],
    }
    plot_reaches(maps, words)

# %% [markdown]
# ### Does it leak?
#
# A mask is soon written, and soon wrong. A language model that sees the future reports a wonderful loss and is worthless
# (lesson 07 had one). There is a test that needs no knowledge of the code: the derivative of an early output by a later input.
# If it is anything but 0, the model has looked ahead.
#
# By hand: an output $y_0 = (x_1, -x_1)$, with two channels. Does it depend on $x_1$? **Predict** what the gradient of its *sum*
# says.

# %% same_output=true
x1 = torch.tensor(3.0, requires_grad=True)
y0 = torch.stack([x1, -x1])
print("gradient of the sum:", torch.autograd.grad(y0.sum(), x1, retain_graph=True)[0].item())
print(
    "of each channel:",
    [torch.autograd.grad(channel, x1, retain_graph=True)[0].item() for channel in y0],
)

# %% [markdown]
# The sum of both channels says 0, and it depends on $x_1$ all the same. (After a softmax that happens to every model: its
# channels always sum to 1.)
#
# | symbol | variable | shape |
# | --- | --- | --- |
# | $x$ | `x` | (T, C) |
# | $y$ | `model(x)`; `model` is any function | (T, C_out) |
# | $\max \{ j - i : \partial y_i / \partial x_j \ne 0 \}$ | one number for each output $i$ | a list of T whole numbers, 0 where no $j > i$ is seen |
#
# ### Exercise 10.3 · a test for leaks
# ●●○ · about 15 minutes · 2 points
#
# Write `reads_ahead(model, x)`: how many positions ahead does each output see, at the most, by the gradient at this `x`? However
# small a derivative is, it counts if it is not 0. A model without a leak gives zeros.


# %% answer="reads_ahead" covers="54"
def reads_ahead(model, x: torch.Tensor) -> list[int]:
    """How far ahead each output of model, (T, C) to (T, C_out), sees: T whole numbers.

    >>> reads_ahead(lambda x: x + x.flip(0), torch.ones(3, 1))  # position 0 sees position 2
    [2, 0, 0]
    """
    ### BEGIN SOLUTION
    x = x.detach().clone().requires_grad_()
    y = model(x)
    farthest = [0] * len(x)
    for i in range(len(x)):
        for channel in y[i]:
            (gradient,) = torch.autograd.grad(channel, x, retain_graph=True)  # (T, C)
            seen = (gradient != 0).any(dim=1).nonzero().flatten().tolist()
            farthest[i] = max([farthest[i], *(j - i for j in seen)])
    return farthest
    ### END SOLUTION


# %% check="reads_ahead"
check.reads_ahead(reads_ahead)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# For output i, take the gradient of each of its channels by the whole x. Rows j > i that are not all 0 have been seen. Keep the
# largest j − i.
# </details>
# <details><summary>Hint: with one call</summary>
#
# `torch.autograd.functional.jacobian(model, x)` is (T, C_out, T, C). Position i sees j where `jacobian[i, :, j]` has anything
# but zeros.
# </details>
# <details><summary>Help: "element 0 of tensors does not require grad"</summary>
#
# torch has to follow x: begin with `x = x.detach().clone().requires_grad_()` and then call the model.
# </details>

# %% [markdown]
# Six suspects. Each was meant to be causal. **Predict** who leaks, and how far, before your test says it.


# %%
def attention_with(past, after=False):
    """Attention of x with itself, masked by `past` before or after the softmax."""

    def model(x):
        scores, visible = x @ x.T / math.sqrt(x.shape[-1]), past(torch.ones(len(x), len(x))) == 1
        if after:
            return (scores.softmax(-1) * visible) @ x
        return scores.masked_fill(~visible, -math.inf).softmax(-1) @ x

    return model


# %%
causal = attention_with(torch.tril)
suspects = {
    "the mask before the softmax": causal,
    "the mask after the softmax": attention_with(torch.tril, after=True),
    "tril(1) instead of tril()": attention_with(lambda ones: ones.tril(1)),
    "mean over positions taken away": lambda x: causal(x - x.mean(dim=0)),
    "a centred convolution first": lambda x: causal(F.avg_pool1d(x.T[None], 3, 1, 1)[0].T),
    "mean over channels taken away": lambda x: causal(x - x.mean(dim=1, keepdim=True)),
}

# %% payoff="reads_ahead" covers="54"
with payoff("reads_ahead"):
    x = torch.randn(8, 4)
    found = {name: reads_ahead(model, x) for name, model in suspects.items()}
    for name, ahead in found.items():
        print(f"{name:32} {ahead}")
    claim(
        "A mask after the softmax leaks to the very end; one before it does not leak",
        not any(found["the mask before the softmax"])
        and found["the mask after the softmax"][0] == 7,
        before=max(found["the mask before the softmax"]),
        after=max(found["the mask after the softmax"]),
    )

# %% [markdown]
# The second suspect is the treacherous one. Its weights for the future are 0, so that a picture of the weights looks innocent.
# But the softmax divided by a sum over *all* scores, those of the future too. The ruler of the course shows it. Grey is exactly
# nothing; **predict** the colour above the diagonal of the second map.

# %% covers="54"
names = [
    "the mask before the softmax",
    "the mask after the softmax",
    "mean over positions taken away",
]
x = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
short = ("mask before the softmax", "mask after the softmax", "mean over positions gone")
leaks = {name: reach.influence(suspects[key], x) for name, key in zip(short, names, strict=True)}
plot_influences(leaks)

# %% [markdown] quiz="innocent" points=1
# ### Quiz · an innocent picture
#
# All attention weights above the diagonal of your trained model are exactly 0, in every layer and head. What follows?
#
# - A. The model does not see the future.
# - B. Nothing for sure: the future can come in through the size of the weights, or past the attention altogether.
# - C. The model sees the future, since a causal model has weights above the diagonal.
# - D. The mask was applied before the softmax.
#
# ### BEGIN SOLUTION
# **B.** A mask after the softmax, or a norm over positions, leaves the picture of the weights clean and leaks. The gradient tells.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A** was true of the first suspect and of the sixth, and not of the second, the fourth and the fifth.
# - **B** is right.
# - **C** has it the wrong way round.
# - **D**: a mask after the softmax gives the same zeros.
# </details>

# %% [markdown] covers="53"
# ## 4 · Several heads
#
# One softmax has one weight of 1 to share out. What if a position needs two things from two places? It can mix the two, but a
# mixture no longer says which part came from where. So the channels are split among **heads**, and each head has scores of its
# own.
#
# By hand, four channels and two heads. **Predict** the shapes on the way there and back.

# %% same_output=true
x = torch.arange(12.0).view(3, 4)  # (T, C) = (3, 4)
heads = x.view(3, 2, 2).transpose(0, 1)  # (T, H, D) to (H, T, D)
print("head 0\n", heads[0].numpy(), "\nhead 1\n", heads[1].numpy())
print("back again:", torch.equal(heads.transpose(0, 1).reshape(3, 4), x))
print("view(2, 3, 2) has the same shape, and head 0 is\n", x.view(2, 3, 2)[0].numpy())

# %% [markdown]
# The last lines show the classic mistake: straight to (H, T, D) cuts across positions, and no error tells you.
#
# The layer in PyTorch is `nn.MultiheadAttention`. It keeps three matrices in one, with a bias, and a last matrix that mixes
# what the heads have found. Its queries may come from one text and its keys and values from another, as in the decoder of
# lesson 09:
#
# $$q = W_q x + b_q \qquad k, v = W_{k,v}\, m + b_{k,v} \qquad z^{(h)} = \operatorname{attention}(q^{(h)}, k^{(h)}, v^{(h)}) \qquad \text{output} = W_o\,[z^{(1)}, \dots, z^{(H)}] + b_o$$
#
# | symbol | variable | shape |
# | --- | --- | --- |
# | $x$, $m$ | `x`, `memory` | (B, T, C), (B, S, C) |
# | $W_q, W_k, W_v$ | the thirds of `weights["in_proj_weight"]`, in this order | (3C, C) |
# | $b_q, b_k, b_v$ | the thirds of `weights["in_proj_bias"]` | (3C,) |
# | $W_o$, $b_o$ | `weights["out_proj.weight"]`, `weights["out_proj.bias"]` | (C, C), (C,) |
# | | `padding`, True where `memory` is to be **ignored** | (B, S) |
# | $z^{(h)}$ | the channels of head h: the first D = C / H belong to the first | (B, H, T, D) |
#
# ### Exercise 10.4 · several heads
# ●●● · about 25 minutes · 3 points
#
# Write `multi_head(x, memory, weights, heads, padding)`. It returns the output (B, T, C) and the weights of every head (B, H,
# T, S). At least one position of each memory is real. You may call your `scaled_dot_product`.


# %% answer="multi_head" covers="53"
def multi_head(
    x: torch.Tensor, memory: torch.Tensor, weights: dict, heads: int, padding: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """x (B, T, C) looks at memory (B, S, C); padding (B, S). Output (B, T, C), alpha (B, H, T, S).

    >>> layer = nn.MultiheadAttention(4, 2, batch_first=True)
    >>> x, memory, padding = torch.ones(1, 3, 4), torch.ones(1, 5, 4), torch.zeros(1, 5) == 1
    >>> output, alpha = multi_head(x, memory, layer.state_dict(), 2, padding)
    >>> output.shape, alpha.shape
    (torch.Size([1, 3, 4]), torch.Size([1, 2, 3, 5]))
    """

    ### BEGIN SOLUTION
    def split(part):
        return part.unflatten(-1, (heads, -1)).transpose(1, 2)  # (B, …, C) to (B, H, …, D)

    (W_q, W_k, W_v), (b_q, b_k, b_v) = (
        weights[name].chunk(3) for name in ("in_proj_weight", "in_proj_bias")
    )
    q, k, v = split(x @ W_q.T + b_q), split(memory @ W_k.T + b_k), split(memory @ W_v.T + b_v)
    scores = q @ k.mT / math.sqrt(q.shape[-1])  # (B, H, T, S)
    alpha = scores.masked_fill(padding[:, None, None, :], -math.inf).softmax(dim=-1)
    z = (alpha @ v).transpose(1, 2).flatten(2)  # (B, H, T, D) to (B, T, C)
    return z @ weights["out_proj.weight"].T + weights["out_proj.bias"], alpha
    ### END SOLUTION


# %% check="multi_head"
check.multi_head(multi_head)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Cut matrix and bias in three, make q, k and v, split each into heads, attend, put the heads side by side, and apply the last
# matrix and its bias.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# (B, T, C) → `unflatten(-1, (heads, -1))` → (B, T, H, D) → `transpose(1, 2)` → (B, H, T, D). `padding[:, None, None, :]` is (B,
# 1, 1, S).
# </details>
# <details><summary>Help: right with one head, wrong with two</summary>
#
# A reshape straight to (B, heads, T, D) cuts across positions. And √D belongs to one head: D is C / heads.
# </details>

# %% [markdown]
# The weights of torch's own layer, copied into yours:

# %% payoff="multi_head" covers="53"
with payoff("multi_head"):
    layer = nn.MultiheadAttention(12, 3, batch_first=True)
    # its biases begin with zeros, which would hide one that is left out
    nn.init.normal_(layer.in_proj_bias)
    x, memory = torch.randn(2, 4, 12), torch.randn(2, 6, 12)
    padding = torch.arange(6) >= torch.tensor([[6], [4]])
    mine, alpha = multi_head(x, memory, layer.state_dict(), 3, padding)
    theirs, weights = layer(x, memory, memory, key_padding_mask=padding, average_attn_weights=False)
    apart = max((mine - theirs).abs().max().item(), (alpha - weights).abs().max().item())
    claim(
        "With its weights copied, your function gives what nn.MultiheadAttention gives",
        apart < 1e-5,
        largest_difference=apart,
    )

# %% [markdown]
# ### What can two heads do that one cannot?
#
# A task that needs two places at once: random letters, and at each place the model has to name the letter **one** back and the
# letter **three** back. The model is a single layer of attention, 32 channels wide, with one head or with two of half the size:
# as many weights either way. Its answers are linear in what it has collected. **Predict** the share of places at which both
# letters are right.


# %%
def two_places(heads, seed):
    """The share of places at which both letters are named right, and the trained model."""
    seed_everything(seed)
    model = nn.Sequential(Lookup(8, 16, heads=heads, positions="learned"), nn.Unflatten(-1, (2, 8)))
    drawn = Batches(*letters_back(64 * 500, 12, seed, back=(1, 3)), size=64)
    unseen, targets = letters_back(1_000, 12, seed=99, back=(1, 3))
    fit(model, drawn, Batches(unseen, targets, 500), weight_decay=0, validations=1, label="")
    with torch.no_grad():
        named = (model(unseen).argmax(-1) == targets)[:, 3:]
    return named.all(-1).float().mean().item(), model


# %% covers="53"
seeds = (0, 1, 2)
trained = {heads: [two_places(heads, seed) for seed in seeds] for heads in (1, 2)}
both_right = {heads: [share for share, _ in found] for heads, found in trained.items()}
names = {1: "one head of 32", 2: "two heads of 16"}
plot_runs(
    {names[heads]: shares for heads, shares in both_right.items()},
    "The letters one and three back: both right?",
    xlabel="unseen sequences, both letters right (%): a dot for each seed, a bar at the mean",
)

# %% covers="53"
claim(
    "Two heads of half the size fetch both letters far more often than one head, three seeds",
    min(both_right[2]) > max(both_right[1]) + 0.1,
    one_head=both_right[1],
    two_heads=both_right[2],
)

# %% [markdown]
# And who looks where? The two heads of the first model with two, on one sequence.

# %% covers="53"
lookup = trained[2][0][1][0]
shown = letters_back(1, 12, seed=5)[0]
heads = lookup.weights(shown)[0, 0]
plots.plot_looks({"head 1": heads[0], "head 2": heads[1]}, [str(place) for place in range(12)])

# %% [markdown]
# Two stripes beside the diagonal, one for each task: where there is a letter to fetch, each head has specialised. Which head
# does what is decided by chance. (The first rows are asked for nothing, or for one letter only.)
#
# ## 5 · Who stands where?
#
# Scores compare what two positions hold, and not where they are. Shuffle the words, and each word still collects the same.
# **Predict**: what happens to the outputs of a layer without positions if its inputs change places? And with a causal mask?


# %%
def moves_along(model, count=20, T=8):
    """By how much outputs do anything but change places when the inputs do."""
    worst, tokens = 0.0, torch.arange(T)[None]
    for seed in range(count):
        order = torch.randperm(T, generator=torch.Generator().manual_seed(seed))
        worst = max(worst, (model(tokens[:, order]) - model(tokens)[:, order]).abs().max().item())
    return worst


# %% covers="52"
kinds = ("none", "learned", "sinusoidal", "rotary")
seed_everything(0)
told = {kind: Lookup(8, 8, positions=kind).requires_grad_(False) for kind in kinds}
differences = {f"positions {kind}": moves_along(model) for kind, model in told.items()}
causal_model = Lookup(8, 8, causal=True).requires_grad_(False)
differences["positions none, causal mask"] = moves_along(causal_model)
for name, difference in differences.items():
    print(f"{name:28} {difference:.1e}")

# %% covers="52"
shuffled, *others = differences.values()
claim(
    "Without positions the outputs move along with the words; positions, or a mask, break that",
    shuffled < 1e-5 and min(others) > 1e-2,
    without=shuffled,
    least_of_the_others=min(others),
)

# %% [markdown]
# "Attention needs positions, or it does not know which word came first" is true of full attention. A causal mask already breaks
# the symmetry: the first position sees one word, the second two. Is that enough to *know* where one stands? By hand: every
# position holds 0, except for a start that holds 1. All scores are equal. **Predict** what the causal average gives at
# positions 0, 1, 2, 3.

# %% same_output=true
x = torch.tensor([1.0, 0.0, 0.0, 0.0])
print([round(x[: i + 1].mean().item(), 3) for i in range(4)])

# %% [markdown]
# The share of the start is $1/(i + 1)$: the mask has counted. A model can learn to use that. Sequences of 16 random letters
# behind a start; each position has to say which one it is. There is no positional encoding in either model. **Predict** the
# accuracy with full attention and with a causal mask.


# %%
def knows_its_place(causal, seed):
    """The share of right answers at each place (16,), after 400 updates."""
    seed_everything(seed)
    model = Lookup(8, 16, causal=causal)
    drawn = Batches(*where_am_i(64 * 400, 16, seed), size=64)
    unseen, places = where_am_i(1_000, 16, seed=99)
    fit(model, drawn, Batches(unseen, places, 500), weight_decay=0, validations=1, label="")
    with torch.no_grad():
        return right(model(unseen), places)


counted = {
    causal: torch.stack([knows_its_place(causal, s) for s in seeds]) for causal in (False, True)
}
named = {"full attention": counted[False], "causal mask": counted[True]}
plots.plot_by_place(named, "Where am I? Two models without any positions", chance=1 / 16)

# %% covers="52"
claim(
    "With full attention and no positions it guesses; the causal mask alone tells where it stands",
    counted[False].mean(1).max() < 0.25 and counted[True].mean(1).min() > 0.9,
    full=counted[False].mean(1).tolist(),
    causal=counted[True].mean(1).tolist(),
)

# %% [markdown]
# (The start itself is always right, since its token tells. And $1/(i + 1)$ is ever harder to tell from $1/(i + 2)$; sixteen
# places are still easy.) Language models without any positional encoding have been found to work, and the authors suspect this
# reason (Haviv et al. 2022).
#
# ### Three ways to tell
#
# - **learned**: a table with a vector for each place, trained like an embedding, and added to the word;
# - **sinusoidal** (Vaswani et al. 2017): a fixed vector of sines and cosines, added to the word;
# - **rotary** (Su et al. 2021): nothing is added; queries and keys are turned, so that scores depend on distances. You write it in lesson 11.
#
# The sinusoids are clocks: each pair of channels is a hand that turns at its own speed. By hand, with two clocks, one turning
# by 1 radian for each position and the other by 1/100. **Predict** which of the two tells position 3 from 4, and which one
# tells 3 from 47.

# %% same_output=true
for place in (3, 4, 47):
    hands = [f"({math.sin(place * s):+.2f}, {math.cos(place * s):+.2f})" for s in (1.0, 0.01)]
    print(f"position {place:3}: fast hand {hands[0]}, slow hand {hands[1]}")

# %% [markdown]
# Seven turns later the fast hand is back where it was; the slow one is not. Together, and with more speeds between, they tell all
# places apart:
#
# $$\text{PE}(t, 2i) = \sin\left(t \cdot 10000^{-2i/C}\right) \qquad \text{PE}(t, 2i + 1) = \cos\left(t \cdot 10000^{-2i/C}\right)$$
#
# | symbol | variable | shape or meaning |
# | --- | --- | --- |
# | $t$ | `places`, any numbers: they need not begin at 0 | (T,) |
# | $C$ | `width`, an even number of channels | a number |
# | $i$ | 0, 1, …, C / 2 − 1: which pair | |
# | PE | what you return | (T, C) |
#
# ### Exercise 10.5 · sinusoids
# ●●○ · about 12 minutes · 2 points
#
# Write `sinusoids(places, width)`. Sines stand in the even channels, cosines in the odd ones.


# %% answer="sinusoids" covers="52"
def sinusoids(places: torch.Tensor, width: int) -> torch.Tensor:
    """Vectors for positions: places (T,) and an even width; (T, width).

    >>> sinusoids(torch.tensor([0, 1]), 2)
    tensor([[0.0000, 1.0000],
            [0.8415, 0.5403]])
    """
    ### BEGIN SOLUTION
    pairs = torch.arange(width // 2)
    speeds = 10_000.0 ** (-2 * pairs / width)  # radians for each position
    angles = places[:, None] * speeds  # (T, width / 2)
    vectors = torch.zeros(len(places), width)
    vectors[:, 0::2] = angles.sin()
    vectors[:, 1::2] = angles.cos()
    return vectors
    ### END SOLUTION


# %% check="sinusoids"
check.sinusoids(sinusoids)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# First a table of angles, one row for each place and one column for each pair. Then its sines and cosines in turn.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# `places[:, None] * speeds` is (T, width / 2). `vectors[:, 0::2] = …` writes every second channel.
# </details>
# <details><summary>Help: width 2 is right, width 4 is wrong</summary>
#
# The exponent counts pairs: i is 0 for channels 0 and 1, and 1 for channels 2 and 3.
# </details>

# %% [markdown]
# Why sines *and* cosines? To move a clock by k steps, turn its hand by a fixed angle: that is a matrix, the same one for every
# $t$. So a layer can learn "five back" once. Is there one matrix that takes your PE(t) to PE(t + 5), for all t? Least squares
# finds the best one on every seventh place, and tries it on every ninth.

# %% payoff="sinusoids" covers="52"
with payoff("sinusoids"):
    some, others = torch.arange(0, 8_000, 7), torch.arange(1, 8_000, 9)
    before, after = (torch.as_tensor(sinusoids(t, 16)).double() for t in (some, some + 5))
    step = torch.linalg.lstsq(before, after).solution  # (16, 16)
    moved = torch.as_tensor(sinusoids(others, 16)).double() @ step
    error = (moved - torch.as_tensor(sinusoids(others + 5, 16))).abs().max().item()
    claim(
        "One matrix moves your sinusoids five places on, wherever they are",
        error < 1e-2,
        largest_error=error,
    )
    table = torch.as_tensor(sinusoids(torch.arange(60), 16))
    plots.plot_positions(table, "Your sinusoids: sixteen channels, eight clocks")

# %% [markdown] covers="52"
# ### And on longer texts?
#
# A length test. At each place the model has to name the letter **two** back, which is the same job everywhere. It trains on
# sequences of 20 and is then asked on sequences of 60. One layer, causal: three kinds of positions with three seeds each, and
# none with one. **Predict** for each kind what happens at place 20.


# %%
def two_back(kind, seed):
    """A model that names the letter two back, trained on 20 places."""
    seed_everything(seed)
    model = Lookup(8, 8, positions=kind, causal=True)
    drawn = Batches(*letters_back(64 * 500, 20, seed), size=64)
    unseen = Batches(*letters_back(500, 20, seed=99), 500)
    fit(model, drawn, unseen, weight_decay=0, validations=1, label="")
    return model


def on_60(model):
    """The share of right answers at each place (60,)."""
    longer, targets = letters_back(1_000, 60, seed=98)
    with torch.no_grad():
        return right(model(longer), targets)


# %% figure="length_test" covers="52"
lookers = {kind: [two_back(kind, seed) for seed in seeds] for kind in kinds[1:]}
lookers["none"] = [two_back("none", 0)]
by_place = {kind: torch.stack([on_60(one) for one in found]) for kind, found in lookers.items()}
plots.plot_by_place(by_place, "The letter two back, trained on 20 places", 20, 1 / 8)

# %% covers="52"
inside = {kind: by_place[kind][:, 2:20].mean(1).tolist() for kind in kinds[1:]}
beyond = {kind: by_place[kind][:, 20:].mean(1).tolist() for kind in kinds[1:]}
claim(
    "On trained lengths all three know the letter two back",
    min(min(shares) for shares in inside.values()) > 0.9,
    **inside,
)
claim(
    "Beyond, a learned table guesses, sinusoids do better, rotary positions do best",
    max(beyond["learned"]) < 0.25
    and sum(beyond["learned"]) < sum(beyond["sinusoidal"]) < sum(beyond["rotary"])
    and min(beyond["rotary"]) > 0.5,
    **beyond,
)

# %% [markdown]
# Without positions a model can only guess among the letters that it has seen: the more of them, the worse.
# The learned table has rows for places up to 63, but those from 20 on were never trained: they are noise. The sinusoids of new
# places are new vectors, too, which the layer has never learned to read. In rotary scores the distance is all there is, and a
# distance of 2 is as good at place 50 as at place 5. What is it, then, that still goes wrong? There are two suspects. At place
# 50 there are more keys than ever before. And some of them are more than 19 back, at distances that never occurred in training.
# So let the same models take every distance above 19 for 19, and see all keys as before. **Predict**: does that help?

# %% covers="52"
nearer = torch.stack([on_60(clipped(model, 19)) for model in lookers["rotary"]])[:, 20:].mean(1)
claim(
    "With every distance above 19 taken for 19, rotary models lose hardly anything beyond 20",
    nearer.min() > 0.98 and nearer.mean() > sum(beyond["rotary"]) / len(seeds),
    as_they_are=beyond["rotary"],
    with_19_at_the_most=nearer.tolist(),
)

# %% [markdown]
# So here it was the new distances alone: now and then a key far back fitted by accident. Forty more keys do no harm to a match
# as sharp as this one. Lesson 11 tries both suspects in a language model, where the growing number of keys does harm of its own.
# Rotary positions make it possible to read on; they do not make it safe.
#
# ## 6 · A pattern that is known
#
# Does training find the *right* place to look, or some trick? For that we need a task where the right place is known. Reverse a
# sequence: of 10 letters, place $i$ has to name the letter at place $9 - i$. **Predict** the picture of the weights.


# %%
def reverser(seed):
    """A trained model that reverses, and its mean weight on the place that has the answer."""
    seed_everything(seed)
    model = Lookup(8, 8, positions="learned")
    drawn, unseen = Batches(*reversal(64 * 400, 10, seed), size=64), reversal(500, 10, seed=99)
    history = fit(model, drawn, Batches(*unseen, 500), weight_decay=0, validations=1, label="")
    there = model.weights(unseen[0])[0, :, 0].flip(-1).diagonal(dim1=-2, dim2=-1)
    return model, history.best, there.mean().item()


reversers = [reverser(seed) for seed in seeds]
shown = reversal(1, 10, seed=5)[0]
maps = {"the true alignment": torch.eye(10).flip(1)}
maps |= {
    f"found, seed {seed}": one.weights(shown)[0, 0, 0] for seed, (one, *_) in enumerate(reversers)
}
plots.plot_looks(maps, [str(place) for place in range(10)])

# %%
claim(
    "One layer learns to reverse, and its weights lie where the answer stands, three seeds",
    min(best for _, best, _ in reversers) > 0.95 and min(there for *_, there in reversers) > 0.8,
    accuracy=[best for _, best, _ in reversers],
    weight_on_the_right_place=[there for *_, there in reversers],
)

# %% [markdown]
# With one layer and one head there is no other way: whatever a place answers has come straight from where it looked. Keep that
# in mind for section 8, where there will be two layers.

# %% [markdown] covers="51"
# ## 7 · Position 1 and position 512
#
# "Position 1 and position 512 have a direct connection, of the same distance as positions 1 and 2." As a statement about paths,
# that is lesson 00: one step. But does *influence* not depend on the distance? **Predict** three curves: how strongly does the
# last of 513 outputs depend on the input d back, in an untrained tanh layer, an LSTM, and a layer of attention without
# positions?


# %%
class Looker(nn.Module):
    """One untrained head: x (B, T, 16) to what it has collected."""

    def __init__(self, width=16):
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(width, width, bias=False) for _ in range(3))

    def forward(self, x):
        return F.scaled_dot_product_attention(self.q(x), self.k(x), self.v(x), is_causal=True)


def by_distance(build, seed, change=lambda x: x):
    """Influence of the input d back on the last output, d = 0 … 512."""
    torch.manual_seed(seed)
    layer = build(16)
    x = change(torch.randn(1, 513, 16))
    return reach.influence(layer, x, at=-1).flip(0)


# %% figure="position_512" covers="51"
builders = {
    "attention": Looker,
    "LSTM": lambda width: nn.LSTM(width, width, batch_first=True),
    "tanh": lambda width: nn.RNN(width, width, batch_first=True),
}
far = {name: torch.stack([by_distance(b, s) for s in range(5)]) for name, b in builders.items()}
plot_fade(far, "Attention hears position 512 as well as its neighbour", floor=1e-12)

# %% covers="51"
near_over_far = (far["attention"][:, 1:65].mean(1) / far["attention"][:, 449:].mean(1)).tolist()
claim(
    "In untrained attention, inputs 449 to 512 back count as much as those 1 to 64 back",
    min(near_over_far) > 0.5 and max(near_over_far) < 2,
    near_over_far=near_over_far,
    LSTM_at_100_back=far["LSTM"][:, 100].max().item(),
    tanh_at_100_back=far["tanh"][:, 100].max().item(),
)

# %% [markdown]
# Flat. Distance does not count. But look how low the line lies: each position gets about one 513th of the weight. So the direct
# connection is there, and it is *shared*. The more positions there are, the less each of them says, until training finds
# queries and keys that match. By hand: we let the first key match the last query, by making the two vectors alike and large.
# **Predict** what becomes of the curve, at its end and before.


# %%
def matched(x):
    """The first and the last position hold the same large vector."""
    strong = x.clone()
    strong[:, 0] = strong[:, -1] = 2 * x[:, 0]
    return strong


def alike(width):
    """A head whose queries and keys are the inputs themselves."""
    layer = Looker(width)
    for part in (layer.q, layer.k):
        nn.init.eye_(part.weight)
    return layer


# %% covers="51"
ends = torch.stack([by_distance(alike, seed, matched) for seed in range(5)])
curves = {"no match": far["attention"], "position 0 matches the last one": ends}
plot_fade(curves, "A match at distance 512", floor=1e-12)

# %% covers="51"
dilution, between = far["attention"][:, 512].tolist(), ends[:, 1:512].median(dim=1).values
claim(
    "A match at 512 positions makes its influence over ten times what it was; the others go quiet",
    ends[:, 512].min() > 10 * max(dilution) and between.max() < far["attention"].median() / 10,
    without_a_match=dilution,
    with_a_match=ends[:, 512].tolist(),
    those_between=between.tolist(),
)

# %% [markdown] quiz="far_and_near" points=1
# ### Quiz · far and near
#
# What does "attention has no vanishing gradient over distance" leave out?
#
# - A. Nothing: the path is one step, so the gradient is 1.
# - B. The gradient is multiplied by a weight that is small where a position is one of many and does not match.
# - C. With a causal mask, the gradient vanishes for early positions.
# - D. Softmax has no gradient.
#
# ### BEGIN SOLUTION
# **B.** The path is short, and what flows along it is $\alpha_{ij} W_v$ plus the way through the scores. Both are small where
# $\alpha_{ij}$ is.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A** takes a short path for a strong one.
# - **B** is right. Influence falls with the number of competitors, not with the distance.
# - **C**: the mask hides later positions; early ones are visible to all.
# - **D**: it has one, which is small where the softmax is saturated (section 2).
# </details>

# %% [markdown] covers="50"
# ## 8 · What does *it* look at?
#
# The famous sentence: "The animal did not cross the street because it was **tired**." Here *it* is the animal. With "**wide**"
# it is the street. You will find pictures in which attention draws a thick line from *it* to *animal*, as if that were how the
# model knows. Let us train a model on it, and test the picture.
#
# Our small language has 14 animals, 14 places, 6 qualities of each kind, and two ways to say it ("the street was not crossed by
# the animal because it was wide"). At *it*, the model has to name the noun that is meant. Thirty pairs of animal and place are
# kept for the test, and (animal, street) is among them: the famous sentence is never seen in training.

# %% same_output=true
for quality in ("tired", "wide"):
    one = sentence("animal", "street", quality)
    print(" ".join(one.words), "→", one.meant)
seen, unseen = coreference(seen=True), coreference(seen=False)
print(len(seen), "sentences to train on,", len(unseen), "with unseen pairs")

# %% [markdown]
# One layer first, with one head. Think: the query of *it* is made of the word "it" and its place, so it is the same whether the
# sentence ends with "tired" or with "wide". This look cannot *choose* the noun. (It could still *add*: collect both nouns and the
# quality, and let the quality vote for all nouns of its kind.) **Predict** what training finds with one layer, and with two.


# %%
def resolver(layers, seed):
    """A model that says what `it` stands for, and its accuracy on unseen pairs."""
    seed_everything(seed)
    model = Lookup(49, 49, layers=layers, positions="learned")
    drawn, tested = Batches(*as_tokens(seen), 64, shuffle=True), Batches(*as_tokens(unseen), 720)
    recipe = dict(epochs=6, lr=0.005, weight_decay=0, validations=1, label="")
    fit(model, drawn, tested, **recipe)
    return model, share_named(model, unseen)


# %% covers="50"
resolvers = {1: [resolver(1, seed) for seed in seeds], 2: [resolver(2, seed) for seed in range(8)]}
known = {layers: [accuracy for _, accuracy in found] for layers, found in resolvers.items()}
claim(
    "On unseen pairs one layer, trained like this, is right half the time; two nearly always",
    max(known[1]) < 0.8 and min(known[2]) > 0.9,
    one_layer=known[1],
    two_layers=known[2],
)

# %% [markdown]
# With one layer, training has found neither the choice nor the sum. Is there such a sum at all? We set one layer by hand. Queries
# and keys are 0, so that *it* looks at all words alike. A noun hands over a channel of its own, and a quality the channel of its
# kind. To name a noun, its own channel counts twice, and the channel of its kind once. **Predict** what is right then, and
# whether the trained layers at least know the sentences that they were trained on.

# %% covers="50"
by_hand = set_to_add(Lookup(49, 49))  # one layer, one head, as wide as the trained ones
summed = {"seen": share_named(by_hand, seen), "unseen": share_named(by_hand, unseen)}
fitted = [share_named(model, seen) for model, _ in resolvers[1]]
claim(
    "One layer with equal weights, set by hand, is right every time; training has not found it",
    min(summed.values()) == 1 and max(fitted) < 0.8,
    by_hand=summed["unseen"],
    trained_on_their_own_sentences=fitted,
)

# %% [markdown]
# So one layer is not too weak for this; it is hard to find what it could do. With a second layer, one look can build on another:
# a first one reads the quality, a second one fetches the noun that fits. That is one way to do it, and these models do it for
# nouns that they have never seen together. (It is not the only way, as you will see.)
#
# Now the picture: the weights in the last layer of the first of these two-layer models, for both sentences. The row of *it* is
# framed. **Predict** where the dark square of that row is.

# %% covers="50"
model = resolvers[2][0][0]
tired, wide = (sentence("animal", "street", quality) for quality in ("tired", "wide"))
maps = {
    f"… because it was {one.words[-1]}": model.weights(as_tokens([one])[0])[-1, 0, 0]
    for one in (tired, wide)
}
words = [*tired.words[:-1], "tired / wide"]
plots.plot_looks({name: weights[:11, :11] for name, weights in maps.items()}, words, row=tired.it)

# %% [markdown]
# With "tired" the dark square of that row should be on *animal*, and with "wide" on *street*. Is it? And is it so in all eight
# models, which differ in nothing but their seed? Let us ask a second question, too, the one that counts: what happens to the
# answer when a word is **hidden** from all others? (In both layers its column of the mask is closed, except for the word
# itself.) **Predict**: will the two maps agree?

# %% figure="looked_and_needed" covers="50"
looks = torch.stack(
    [one.weights(as_tokens([wide])[0])[-1, 0, 0, wide.it, :11] for one, _ in resolvers[2]]
)
needs = torch.stack([effects(one, wide)[:11] for one, _ in resolvers[2]])
title = "“because it was wide”: what it looks at, and what the answer needs"
plots.plot_looked_and_needed(looks, needs, wide.words, title)

# %% covers="50"
of_noun, of_quality = (needs[:, wide.words.index(word)] for word in ("street", "wide"))
claim(
    "Without street the answer is lost in nearly all models; without wide in some, and not in all",
    of_noun.median() > 0.7 and of_quality.max() > 0.7 and of_quality.min() < 0.3,
    without_street=of_noun.tolist(),
    without_wide=of_quality.tolist(),
)

# %% [markdown]
# What is looked at differs from model to model. All of them need *street*, but only some need *wide*: the others say "street"
# unless they are told otherwise. In numbers, for both sentences: to which word does *it* give the largest weight, what is the
# answer, and by how much does the probability of the right answer fall if *that* word is hidden from *it*? (A negative cost: the
# model is surer without it.)


# %%
def largest(model, one):
    """The place to which `it` gives most, in the last layer, and how much that is."""
    row = model.weights(as_tokens([one])[0])[-1, 0, 0, one.it, : len(one.words)]
    return int(row.argmax()), row.max().item()


for one in (tired, wide):
    print(f"because it was {one.words[-1]}: “it” looks at …")
    for model, _ in resolvers[2]:
        (place, weight), taken = largest(model, one), answers(model, one)
        named, cost = max(taken, key=taken.get), cost_of_hiding(model, one, place)
        print(f"  {one.words[place]:8} {weight:.2f}; says {named}; hidden, it costs {cost:.2f}")

# %% covers="50"
cases = [(model, one) for model, _ in resolvers[2] for one in (tired, wide)]
on_another = [pair for pair in cases if pair[1].words[largest(*pair)[0]] != pair[1].meant]
meant_hidden = [effects(model, one)[one.words.index(one.meant)].item() for model, one in cases]
claim(
    "In several of 16 cases the largest weight of it is on a word that is not meant",
    len(on_another) >= 2,
    on_another_word=len(on_another),
    of_cases=len(cases),
)
claim(
    "In a typical case the answer is lost without the noun that is meant (median)",
    sorted(meant_hidden)[len(cases) // 2] > 0.7,
    probability_lost=meant_hidden,
)

# %% covers="50"
strong = [pair for pair in cases if largest(*pair)[1] > 0.9]
costs = [cost_of_hiding(*pair, largest(*pair)[0]) for pair in strong] or [0.0]
claim(
    "To hide a word with a weight above 0.9 costs nearly all in some cases, and little in others",
    min(costs) < 0.5 and max(costs) > 0.8,
    cases=len(strong),
    probability_lost=costs,
)

# %% [markdown]
# How can a weight of almost 1 have hardly any effect? Each layer *adds* to what is there already. If *it* has picked up the
# noun in the **first** layer, it carries it along in its own vector, and what the last layer looks at need not matter. We can
# test that, because our model takes one mask for each layer: hide *street* from *it* in the first layer alone, or in the last
# layer alone, or hide everything from it in the last layer. **Predict** which one costs the answer.

# %% covers="50"
street = wide.words.index("street")
all_others = [place for place in range(len(wide.words)) if place != wide.it]
hidden = {
    "street, in the first layer": (street, 0),
    "street, in the last layer": (street, 1),
    "everything, in the last layer": (all_others, 1),
}
in_layer = {
    name: [cost_of_hiding(model, wide, places, layer) for model, _ in resolvers[2]]
    for name, (places, layer) in hidden.items()
}
for name, costs in in_layer.items():
    print(f"{name:30}", *(f"{round(cost, 2) + 0.0:6.2f}" for cost in costs))

# %% covers="50"
late = in_layer["street, in the last layer"]
claim(
    "In some models the last layer may lose sight of street at no cost",
    min(late) < 0.2,
    probability_lost=late,
)

# %% [markdown]
# Read the three lines seed by seed. Where the second number is large, the last layer has fetched *street*, as the famous picture
# has it. Where only the first one is large, *it* had picked up *street* before the layer that we were looking at. (If the third
# one is large as well, the last look is not idle even then: it asks another word, one that has read *wide*, and without that the
# answer is lost, too.) Where the first two are small, the noun has come by another way: other words had read it, and *it* has
# asked one or more of them. The data, the recipe and the accuracy are the same; the seed alone decides which way is found. A
# weight names a **position** in one layer. It does not say what had been collected there by then, and it does not say what the
# result is used for.
#
# So there are three different questions, and they have different answers. *Where does it look?* The weights say that. *What
# does the answer depend on?* To find out, take something away, or measure the influence by a gradient. *Why does the model say
# street?* Neither says that alone; you would have to follow what each layer has put where. Jain and Wallace (2019) and
# Wiegreffe and Pinter (2019) are the two sides of a long discussion about it.
#
# Choose a sentence, a layer and a word, and hide a word from all others. Can you find a word that gets much weight and can be
# hidden without any harm? And one with hardly any weight, without which the answer changes?

# %% covers="50"
it_explorer(resolvers[2][0][0], {"tired": tired, "wide": wide})

# %% [markdown] quiz="explanation" points=1
# ### Quiz · an explanation
#
# In a model with six layers, a head of the last layer gives 0.97 of the weight of *it* to *animal*. What do you know?
#
# - A. The model thinks that *it* is the animal.
# - B. That head takes nearly everything from the position of *animal*; what was there after five layers, and whether it counts, you do not know.
# - C. The model would answer something else without the word *animal*.
# - D. The other heads look elsewhere.
#
# ### BEGIN SOLUTION
# **B.** A weight names a position, not a content, and not an effect.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A** is what the picture suggests. Several of our models look at one word and name another.
# - **B** is right.
# - **C** may be so. Hide the word and see.
# - **D**: heads may well agree, or be idle.
# </details>

# %% [markdown] covers="60"
# ## 9 · With one eye or with two
#
# A causal model reads from the left. If a character is hidden in the *middle* of a text, there is something on its right, too.
# How much is that worth? You can see it without any network, by counting. Which character stood most often behind these two?
# Which one stood most often *between* these two? **Predict** the share of right answers for two neighbours, on the left or one
# on each side, and for four.

# %%
corpus = data.corpus("tiny_shakespeare")
train, validation = (encode(text, corpus.alphabet) for text in (corpus.train, corpus.validation))
neighbours = {
    "two on the left": (-2, -1),
    "one on each side": (-1, 1),
    "four on the left": (-4, -3, -2, -1),
    "two on each side": (-2, -1, 1, 2),
}
by_counting = {
    name: share_by_counting(train, validation, places) for name, places in neighbours.items()
}
print({name: round(share, 3) for name, share in by_counting.items()})

# %% covers="60"
claim(
    "As many neighbours tell more if they stand on both sides",
    by_counting["one on each side"] > by_counting["two on the left"] + 0.05
    and by_counting["two on each side"] > by_counting["four on the left"] + 0.1,
    of="tiny_shakespeare",
    **{name.replace(" ", "_"): share for name, share in by_counting.items()},
)

# %% [markdown]
# Now two networks. In each text 15 % of the characters are replaced by a blank, and the model has to say what they were. (The
# idea is that of Devlin et al. 2019. BERT's tokens are pieces of words, and its own recipe is more careful: lesson 13.) It is the
# transformer of lesson 11, small, once with its causal mask and once without. **Predict** who is ahead after 150 updates.


# %%
V = len(corpus.alphabet)
hidden_texts = masked_windows(validation, V, 32, 1_000, seed=999)


def fill_in(model, seed):
    """The share of hidden characters found, after 150 updates."""
    drawn = Batches(*masked_windows(train, V, 32, 32 * 150, seed), size=32)
    fit(model, drawn, Batches(*hidden_texts, 250), lr=0.01, muon=0.02, validations=1, label="")
    return share_found(model, *hidden_texts)


made = {}
for causal in (True, False):
    seed_everything(0)
    made[causal] = models.Transformer(V + 1, 48, 3, 2, causal=causal)
filled = in_parallel(
    {causal: partial(fill_in, made[causal], 0) for causal in made}, "two at a time"
)
print({"causal": round(filled[True], 3), "both directions": round(filled[False], 3)})

# %% [markdown]
# That was seconds, and the tables of counts are far ahead: they have seen a million characters, and none of *their*
# neighbours was hidden. The same comparison with a wider model, windows of 64 and 2,400 updates was recorded, with two seeds
# (`python -m bench.record_masked`; some eight minutes of one core).

# %% covers="60"
record = json.loads((paths.RECORDED / "masked.json").read_text())
recorded = record["accuracy"]
plot_runs(
    recorded,
    "Which character is hidden? Recorded, two seeds",
    xlabel="hidden characters found (%): a dot for each seed, a bar at the mean",
)

# %% covers="60"
claim(
    "The model that reads both sides finds more hidden characters, live and recorded",
    filled[False] > filled[True] + 0.01
    and min(recorded["both directions"]) > max(recorded["causal"]) + 0.05,
    of="tiny_shakespeare",
    causal=filled[True],
    both=filled[False],
    recorded_causal=recorded["causal"],
    recorded_both=recorded["both directions"],
)

# %% [markdown]
# Even so the tables stay ahead. They have an easier job: in a text of which 15 % is hidden, all four neighbours are there only
# about half the time (0.85⁴ is 52 %). Compare the two models with each other, not a model with a table.
#
# Why then is every model that *writes* causal? Because what is on the right does not exist yet when it writes. Non-causal is
# the default of attention; causal is what generation asks for. Which one you want depends on whether the whole text is there.
#
# What does each of the two trained models use? The ruler, on twenty texts in which character 12 is hidden; its row is framed.
# **Predict** the two rows.

# %% covers="60"
texts = hidden_texts[0][:20, :24].clone()
texts[:, 12] = V
maps = {
    name: reach.influence(made[causal].read, made[causal].embedding(texts).detach())
    for name, causal in {"causal": True, "both directions": False}.items()
}
plots.plot_influences_on(maps, row=12)

# %% covers="60"
used = {name: influences[12] / influences[12].sum() for name, influences in maps.items()}
both = used["both directions"]
near, far_off = (
    both[[10, 11, 13, 14]].mean().item(),
    both[[*range(10), *range(15, 24)]].mean().item(),
)
claim(
    "For a hidden character one model uses its right side too, and the neighbours more than others",
    used["causal"][13:].sum() == 0 and both[13:].sum() > 0.2 and near > 2.5 * far_off,
    right_side_causal=used["causal"][13:].sum().item(),
    right_side_both=both[13:].sum().item(),
    each_neighbour=near,
    each_of_the_others=far_off,
)

# %% [markdown]
# The causal model cannot use anything on the right: grey, exactly nothing. The other one uses both sides, and the next neighbours
# most. (The large value in the middle is the place itself: each layer adds to what stands there.)

# %% [markdown]
# ## What we measured
#
# *What makes direct lookup work?* Here are the answers of this lesson, as numbers.

# %%
notebook.headline(
    corpus.name,
    entropy_in_bits_at_d_k_256={
        name: sum(values[256]) / len(values[256]) for name, values in entropy.items()
    },
    both_letters_with_one_head=both_right[1],
    both_letters_with_two=both_right[2],
    knows_its_place_by_the_mask_alone=counted[True].mean(1).tolist(),
    two_back_beyond_the_trained_length=beyond,
    weight_on_the_right_place_in_reversal=[there for *_, there in reversers],
    unseen_pairs_by_layers={str(layers): shares for layers, shares in known.items()},
    it_looks_at_another_word=f"{len(on_another)} of {len(cases)} cases",
    masked_characters_recorded=recorded,
)

# %% [markdown]
# - **What is attention?** A weighted average whose weights come from content. Each step from the plain average gave the same numbers as the step before.
# - **What is the root for?** For the start: with it, scores have size 1 whatever $d_k$ is. Without it, long keys saturate the softmax, and little gradient comes back.
# - **What does a mask do?** It belongs before the softmax. Behind it, the weights look right, and the future leaks in through the sum in the denominator.
# - **Why heads?** One softmax has one weight of 1 to share out. Two places at once, kept apart, take two heads.
# - **Why positions?** Full attention does not see order at all. A causal mask tells a position where it is. Learned tables end where training ended; rotary positions went on for longer.
# - **Is position 512 as near as position 1?** As a path, yes, and in influence, too. But the weight is shared among all that can be seen, until training finds a match.
# - **Is a weight an explanation?** It says where a head took something. In two layers, models that all know what *it* is look at different words, and some of the words with the largest weight could be hidden without any harm.
#
# ## If you have an hour more
#
# Our two-layer models look at very different words, because the first layer can carry information to any position. Can you
# train one whose *weights* tell the truth? Try a penalty on the entropy of the first layer, or a first layer in which only the
# nouns and *it* may look at anything (give `Lookup` a `visible` mask while it trains). Does it cost accuracy? And do the maps
# of "looks" and "needs" then agree for all seeds? We do not know a recipe that makes them agree without costing anything.
#
# <!-- next -->
#
# ## References
#
# - Vaswani et al.: *Attention Is All You Need*. NeurIPS 2017. [arXiv:1706.03762](https://arxiv.org/abs/1706.03762)
# - Su et al.: *RoFormer: Enhanced Transformer with Rotary Position Embedding*, 2021. [arXiv:2104.09864](https://arxiv.org/abs/2104.09864)
# - Haviv et al.: *Transformer Language Models without Positional Encodings Still Learn Positional Information*. Findings of EMNLP 2022. [arXiv:2203.16634](https://arxiv.org/abs/2203.16634)
# - Jain, Wallace: *Attention is not Explanation*. NAACL 2019. [arXiv:1902.10186](https://arxiv.org/abs/1902.10186)
# - Wiegreffe, Pinter: *Attention is not not Explanation*. EMNLP 2019. [arXiv:1908.04626](https://arxiv.org/abs/1908.04626)
# - Devlin et al.: *BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding*. NAACL 2019. [arXiv:1810.04805](https://arxiv.org/abs/1810.04805)
