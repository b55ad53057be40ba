# %% [markdown] question="who can influence whom?" write="reach maps, path lengths, influence by autograd" minutes=60
# # 00 · Start here: three flows
#
# **The question of this course: how does information move through a network, and how far?**
#
# You read the word *it* in a sentence, and you know at once which word it stands for. A network does not.
# Something has to carry the earlier word to *it*. Convolutions, recurrence and attention are three ways to do that.
# This lesson puts all three on one sentence and asks of each: **who can influence whom?**
#
# After it you can
# - predict, for each of the three, which word can influence which, and count the steps on the way;
# - measure influence yourself, in three lines of autograd;
# - read the notation of this course, and what its checks tell you.
#
# About 60 minutes. Nothing is trained and nothing is downloaded; the CPU of any laptop will do. You need some Python and the
# idea of a matrix product.

# %% setup=true
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from utils import notebook, progress, reach
from utils.checks import start_here as check
from utils.notebook import payoff
from utils.plotting.costs import plot_costs
from utils.plotting.curves import plot_fade, plot_path_lengths
from utils.plotting.maps import plot_influences, plot_reach, plot_reaches
from utils.plotting.scaling import plot_spread
from utils.plotting.text import plot_words
from utils.plotting.timeline import plot_timeline
from utils.widgets.flow_stepper import flow_stepper

device = notebook.setup()

# %% [markdown]
# ## Where you stand
#
# One square for each exercise of the course. It fills when the check of that exercise passes.
# The record is a file on this machine, `.reach/progress.json`. Nothing is sent anywhere. Delete it and you start anew.

# %% stored=false
ax = progress.plot_progress()

# %% [markdown]
# ## How a lesson works
#
# Run a cell with **Shift + Enter**, from the top down. You will meet four kinds of cells:
#
# - **Examples** are complete. Run them, then change a number and run them again. You cannot break anything.
# - **Exercises** hold a function without a body. You write 1 to 20 lines.
# - **Checks** stand below an exercise. They call your function and say what they found.
# - **Payoffs** draw a picture with *your* function. They wait until you have written it.
#
# Stuck? Each exercise has folded hints. The notebook with all answers lies in `solutions/`; come back from it with an
# answer in your own words. <!-- being written -->
#
# ## How a check talks
#
# The warm-up below asks for the distance between two positions. Before you write it, watch the check judge four
# answers that we have prepared. First, what it says of a function without a body:


# %%
def untouched(i, j):
    raise NotImplementedError


check.distance.judge(untouched).show()


# %% [markdown]
# Next, a slip that everybody makes once. This function prints its result. It does not return it.


# %%
def prints_it(i, j):
    print(abs(i - j))


check.distance.judge(prints_it).show()


# %% [markdown]
# Now a wrong idea. The check shows the smallest case that fails, what it expected and what it got.
# Many wrong ideas it knows by name, and it tells you which one is yours.


# %%
def counts_words_between(i, j):
    return abs(i - j) - 1


check.distance.judge(counts_words_between).show()


# %% [markdown]
# And a right answer. There are many right ways to write it, and every one of them passes.


# %%
def larger_minus_smaller(i, j):
    return max(i, j) - min(i, j)


check.distance.judge(larger_minus_smaller).show()

# %% [markdown]
# ### Exercise 0.1 · distance
# ●○○ · about 2 minutes · 1 point
#
# Your turn, and your own way. Write `distance(i, j)`. It takes two positions (whole numbers, counted from 0) and returns
# how many steps lie between them. Replace the line that raises, run the cell, then run the check.


# %% answer="distance"
def distance(i: int, j: int) -> int:
    """Steps from position i to position j, never negative.

    >>> distance(2, 5)
    3
    """
    ### BEGIN SOLUTION
    return abs(i - j)
    ### END SOLUTION


# %% check="distance"
check.distance(distance)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Subtract. Then make sure that the sign is gone: Python has `abs`.
# </details>
# <details><summary>Help: it still says "not attempted"</summary>
#
# The check sees the function as it was when you last ran its cell. Run the answer cell again, then the check.
# Is the line with `NotImplementedError` gone?
# </details>
#
# ## One sentence
#
# Here is the sentence that we follow through all three networks. What does *it* stand for: the animal or the street?

# %%
sentence = "The animal did not cross the street because it was tired"
words = sentence.split()
animal, it, tired = (words.index(word) for word in ("animal", "it", "tired"))
print(f"{len(words)} words; animal at {animal}, it at {it}, tired at {tired}")

# %% payoff="distance"
with payoff("distance"):
    from_it = [float(distance(it, j)) for j in range(len(words))]
    title = f"From it to animal: {from_it[animal]:.0f} steps (your function)"
    plot_words(from_it, words, "steps from “it”", title)

# %% [markdown]
# A network reads vectors, not words. So each word of the vocabulary gets a vector of `C` numbers, drawn at random.
# Both *the* get the same one.
#
# Shapes are written in the letters of the field: **B** for the batch, **T** for positions in time or text, **C** for
# channels (the length of a vector), **H** and **W** for the height and width of an image.
# Here is one sentence, so there is no B: `x` has the shape (T, C).

# %%
vocabulary = sorted({word.lower() for word in words})
embedding = nn.Embedding(len(vocabulary), 16)
tokens = torch.tensor([vocabulary.index(word.lower()) for word in words])
x = embedding(tokens).detach()
T, C = x.shape
print(f"x: (T, C) = ({T}, {C})")

# %% [markdown]
# ## Three ways to mix words
#
# Each of the three turns `x` into as many new vectors, one for each position. The new vector at *it* should know more
# than the word *it*. The weights are fresh from torch's generator: **no network in this lesson has learned anything**.
# So what you will see is what the *architecture* does, before any training.
#
# **Recurrence** reads from left to right and keeps one state:
#
# $$h_t = \tanh(W_x x_t + W_h h_{t-1} + b)$$

# %%
rnn = nn.RNN(C, C).requires_grad_(False)
W_x, W_h, b = rnn.weight_ih_l0, rnn.weight_hh_l0, rnn.bias_ih_l0 + rnn.bias_hh_l0


def recur(x):
    h = [torch.zeros(C)]
    for x_t in x:
        h.append(torch.tanh(W_x @ x_t + W_h @ h[-1] + b))
    return torch.stack(h[1:])  # (T, C): one state for each word


# %% [markdown]
# **Convolution** slides one window over the sentence. This one is centred, so it reads $k$ words on *both* sides,
# and there are zeros beyond the ends:
#
# $$y_t = \sum_{i=-k}^{k} W_i\, x_{t+i}$$

# %%
k = 1
conv = nn.Conv1d(C, C, kernel_size=2 * k + 1, padding=k, bias=False).requires_grad_(False)
W = {i: conv.weight[:, :, i + k] for i in range(-k, k + 1)}  # W[-1], W[0], W[1]: (C, C) each


def convolve(x):
    padded = F.pad(x, (0, 0, k, k))  # (k + T + k, C)
    return sum(padded[k + i : k + i + len(x)] @ W[i].T for i in W)


# %% [markdown]
# **Self-attention** lets each word ask all words. Word $i$ compares its query $q_i$ with every key $k_j$.
# A softmax over $j$ turns the scores into weights that sum to 1, and the values $v_j$ are added up by these weights:
#
# $$\alpha_{ij} = \operatorname{softmax}_j\!\left(\frac{q_i \cdot k_j}{\sqrt{d_k}}\right) \qquad z_i = \sum_j \alpha_{ij} v_j
# \qquad\text{or, all at once,}\qquad Z = \operatorname{softmax}\!\left(\frac{QK^\top}{\sqrt{d_k}}\right)V$$
#
# You will also see the formula for one word written without $\sqrt{d_k}$. It belongs there too; lesson 10 shows why.

# %%
d_k = C
W_q, W_k, W_v = (nn.Linear(C, d_k, bias=False).weight.detach() for _ in range(3))


def look(x):
    Q, K = x @ W_q.T, x @ W_k.T
    return (Q @ K.T / d_k**0.5).softmax(dim=1)  # alpha: (T, T), row i holds what word i looks at


def attend(x):
    return look(x) @ (x @ W_v.T)


# %% [markdown]
# Three formulas, a few lines each. Are they what the library computes? Trust nothing that you can check:

# %%
Q, K, V = x @ W_q.T, x @ W_k.T, x @ W_v.T
torch.testing.assert_close(recur(x), rnn(x)[0])
torch.testing.assert_close(convolve(x), conv(x.T).T)
torch.testing.assert_close(attend(x), F.scaled_dot_product_attention(Q[None], K[None], V[None])[0])
print("recur, convolve and attend agree with torch.")

# %% [markdown]
# ## The notation of the course
#
# | symbol | in code | what it is | shape |
# | --- | --- | --- | --- |
# | $x_t$ | `x[t]` | input vector at position $t$ | (C,) |
# | $h_t$ | `h[t]` | hidden state of an RNN at position $t$ | (H,) |
# | $W_x$, $W_h$ | `W_x`, `W_h` | weights for the input and for the state before | (H, C), (H, H) |
# | $y_t$ | `y[t]` | output of a convolution at position $t$ | (C_out,) |
# | $W_i$ | `W[i]` | weights of the window at offset $i$ | (C_out, C) |
# | $Q$, $K$, $V$ | `Q`, `K`, `V` | all queries, keys and values, one row a word | (T, d_k), (T, d_k), (T, d_v) |
# | $q_i$, $k_j$, $v_j$ | `Q[i]`, `K[j]`, `V[j]` | query of word $i$, key and value of word $j$ | (d_k,), (d_k,), (d_v,) |
# | $d_k$ | `d_k` | length of a key | a number |
# | $\alpha_{ij}$ | `alpha[i, j]` | how much word $i$ looks at word $j$ | a number |
# | $z_i$ | `z[i]` | what word $i$ gets: its context vector | (d_v,) |
#
# Letters do double duty in every textbook. $H$ is the size of a hidden state here and the height of an image elsewhere,
# $W$ is a weight or a width, $k$ is half a window or a key. Mind the direction of $\alpha_{ij}$ as well: word $i$ looks at
# word $j$, so the information flows from $j$ **to** $i$.
#
# In this lesson H, d_k and d_v all equal C. The same ten lines again, as tensors that exist:

# %%
# NBVAL_CHECK_OUTPUT
t, i, j = it, it, animal
h, y, alpha, z = recur(x), convolve(x), look(x), attend(x)
table = {"x_t": x[t], "h_t": h[t], "W_x": W_x, "W_h": W_h, "y_t": y[t], "W_i": W[-1], "Q, K, V": Q}
table |= {"q_i": Q[i], "k_j": K[j], "v_j": V[j], "alpha_ij": alpha[i, j], "z_i": z[i]}
for symbol, tensor in table.items():
    print(f"{symbol:9}{tuple(tensor.shape) or 'a number'}")
print(f"{'d_k':9}{d_k}")

# %%
by_hand = sum(alpha[i, j] * V[j] for j in range(T))  # z_i for one word, as the formula has it
torch.testing.assert_close(by_hand, z[i])
print(f"alpha[it] sums to {alpha[it].sum():.3f}; the sum of alpha_ij v_j is z_i.")

# %% [markdown]
# ## Predict: who can influence whom?
#
# Change the word *animal*, and some of the new vectors change with it. Which ones? The answer is a table of
# zeros and ones: row $i$ is an **output** position, column $j$ an **input** position, and a 1 says that
# input $j$ can reach output $i$. We call it the **reach map**.
#
# Here is one by hand. Network: $y_t = x_t + x_{t-1}$ over four words. Word 0 has nothing before it.

# %%
by_hand = torch.tensor(
    [
        [1, 0, 0, 0],  # y_0 = x_0
        [1, 1, 0, 0],  # y_1 = x_1 + x_0
        [0, 1, 1, 0],  # y_2 = x_2 + x_1
        [0, 0, 1, 1],  # y_3 = x_3 + x_2
    ]
)
ax = plot_reach(by_hand, ["0", "1", "2", "3"], "Each output reads itself and one back")

# %% [markdown]
# **Predict**, with pencil and paper, the 11 × 11 map of our sentence for
# 1. three convolutions of width 3 on top of each other;
# 2. an RNN;
# 3. one self-attention layer;
# 4. one self-attention layer with a *causal mask*, which hides from each word all the words after it.
#
# Which of the four can tell *it* about *tired*, the word that settles what *it* means?
#
# ### Exercise 0.2 · reach map
# ●●○ · about 10 minutes · 3 points
#
# Write `reach_map(kind, length, layers, width)`. It returns a `(length, length)` tensor of 0 and 1. A NumPy array will
# do as well, here and in every exercise; a list of lists will not.
#
# | argument | values |
# | --- | --- |
# | `kind` | `"cnn"`, `"rnn"`, `"attention"` or `"causal attention"` |
# | `length` | number of words, $T$ |
# | `layers` | how many layers of this kind stand on top of each other, at least 1 |
# | `width` | width $2k + 1$ of each convolution, odd: 3, 5, …; the other kinds ignore it |
#
# Convolutions are centred, with stride 1 and zeros beyond the ends, as in `convolve`.


# %% answer="reach_map"
def reach_map(kind: str, length: int, layers: int = 1, width: int = 3) -> torch.Tensor:
    """Which input j (column) can influence which output i (row): 1 where it can, 0 where not.

    >>> reach_map("cnn", length=4, layers=1, width=3)
    tensor([[1, 1, 0, 0],
            [1, 1, 1, 0],
            [0, 1, 1, 1],
            [0, 0, 1, 1]])
    """
    ### BEGIN SOLUTION
    i = torch.arange(length)[:, None]
    j = torch.arange(length)[None, :]
    if kind == "cnn":
        reached = (i - j).abs() <= layers * (width // 2)
    elif kind == "attention":
        reached = torch.ones(length, length)
    else:  # an RNN has read what came before, and a causal mask leaves just that
        reached = j <= i
    return reached.long()
    ### END SOLUTION


# %% check="reach_map"
check.reach_map(reach_map)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Ask of a single pair: can input j reach output i? For each kind it is one comparison. An RNN at position i has read
# the words 0 to i. A causal mask says the same in other words.
# </details>
# <details><summary>Hint: how far does a stack of convolutions reach?</summary>
#
# One layer of width 3 carries a word one position to the left and to the right. The next layer carries that on, by one
# more. So how far do three layers carry it? And three layers of width 5?
# </details>
# <details><summary>Hint: a table without loops</summary>
#
# `i = torch.arange(length)[:, None]` is a column, `j = torch.arange(length)` a row. Compare them, as in `j <= i`, and you
# get the whole table of True and False. Two loops over a tensor of zeros are just as right.
# </details>
# <details><summary>Help: my map is right, but mirrored</summary>
#
# The first index is the output (row), the second the input (column). For an RNN the ones lie on and *below* the diagonal.
# </details>

# %% payoff="reach_map"
with payoff("reach_map"):
    kinds = ("cnn", "rnn", "attention", "causal attention")
    predicted = [torch.as_tensor(reach_map(kind, T, 3, 3)).detach() for kind in kinds]
    titles = [f"you predict: {kind}" for kind in kinds]
    plot_reaches(dict(zip(titles, predicted, strict=True)), words)

# %% [markdown]
# ## Measure: the first influence maps
#
# Now ask the networks. `reach.influence` is the ruler of this course. For each pair it measures how strongly output
# $i$ moves when input $j$ is nudged. You will build it yourself in exercise 0.4; for now, use it.
#
# The convolution gets two more layers, with a ReLU after each. RNN and attention stay as they are: one layer.

# %%
layers = [layer for _ in range(3) for layer in (nn.Conv1d(C, C, 3, padding=1), nn.ReLU())]
stack = nn.Sequential(*layers).requires_grad_(False)


def convolve_deep(x):
    return stack(x.T).T  # Conv1d wants (C, T)


# %% figure="three_flows"
flows = {
    "CNN: a band (3 layers)": convolve_deep,
    "RNN: a fading triangle": recur,
    "attention: everywhere": attend,
}
maps = {name: reach.influence(flow, x) for name, flow in flows.items()}
axes = plot_influences(maps, words)

# %% [markdown]
# These are the three flows of the course. Take your time with them:
#
# - **A band.** A CNN hears a few neighbours, on both sides. Depth and width decide how broad the band is (gaps in the
#   window do as well: lesson 03). The weights do not.
# - **A triangle.** An RNN hears everything before, and nothing after: the upper right is exactly zero. And it fades from
#   the diagonal down to the left, by orders of magnitude.
# - **Everywhere.** Attention connects all pairs in a single layer, near or far.
#
# Look at row *it*, column *tired*. The reader learns from *tired* that *it* must be the animal: streets do not get tired.
# The RNN, at *it*, cannot know that yet.

# %%
for name, influences in maps.items():
    from_animal, from_tired = influences[it, animal], influences[it, tired]
    print(f"{name:24} animal → it {from_animal:.1e}   tired → it {from_tired:.1e}")

# %% [markdown]
# Does your prediction hold for every single pair? Zero must be zero, and one must be more than zero.

# %% payoff="reach_map"
with payoff("reach_map"):
    for kind, influences in zip(["cnn", "rnn", "attention"], maps.values(), strict=True):
        predicted = torch.as_tensor(reach_map(kind, T, 3, 3)).detach()
        agree = (influences > 0) == (predicted > 0)
        print(f"{kind:10} prediction and measurement agree on {agree.sum()} of {T * T} pairs")

# %% [markdown]
# How much of the table does each architecture open? Count the pairs that have any influence at all.

# %%
# NBVAL_CHECK_OUTPUT
share = {name: (influences > 0).float().mean().item() for name, influences in maps.items()}
for name, value in share.items():
    print(f"{name:24}{value:.1%} of the pairs")

# %% [markdown]
# CNN and RNN open about half of the table each, but not the same half. Neither lets *animal* and *tired* both reach *it*:
# one is too far for this CNN, the other comes too late for the RNN.
#
# ## How long is the way?
#
# A 1 in the reach map says that there is a path. It does not say how long it is. Why care? On each step the signal is
# multiplied by weights and squeezed by a nonlinearity, forwards and, in training, backwards. Lesson 06 measures what that
# does to learning.
#
# Step through the four workflows below. (Attention has two: without positions it does not know which word came first.)
# Orange diamonds have heard of *animal*. The ring marks *it*. **Predict** the number of steps before you move the slider.

# %%
flow_stepper(words, source=animal, target=it, weights=look(x)[it].tolist())

# %% [markdown]
# What the pictures show, in words:
#
# | workflow | one step | at the same time? |
# | --- | --- | --- |
# | recurrent | read one word, update the state; the state at *it* is its context | no: word after word |
# | convolutional | every position combines its window; stack layers until the window is wide enough | yes, layer after layer |
# | self-attention | make q, k, v; compare all pairs; softmax; add up the values | yes |
# | … with positions | first add to each word a vector that says where it stands | yes |
#
# Those were steps of *computation*. The RNN starts with the first word, so it takes 9 to get to *it*; attention takes 4 for
# its one layer. Now count something else. A **path** from input $j$ to output $i$ is a chain of arrows that carries $j$ to
# $i$, and its length is the number of arrows:
#
# | network | the arrows | from *animal* (1) to *it* (8) |
# | --- | --- | --- |
# | RNN | from $x_j$ into $h_j$, then from state to state | ? |
# | stack of convolutions | one for each layer; use as many layers as the way needs, at least one | ? |
# | self-attention | from $x_j$ to $z_i$: one layer | ? |
#
# ### Exercise 0.3 · path length
# ●●○ · about 10 minutes · 2 points
#
# Write `path_length(kind, i, j, width)`: the number of arrows on the shortest path from input `j` to output `i`, for
# `kind` `"cnn"`, `"rnn"` or `"attention"`. Where there is no path, however many layers you add, return `math.inf`.


# %% answer="path_length"
def path_length(kind: str, i: int, j: int, width: int = 3) -> float:
    """Arrows on the shortest path from input j to output i; math.inf where there is none.

    >>> path_length("rnn", i=2, j=0)  # x_0 → h_0 → h_1 → h_2
    3
    """
    ### BEGIN SOLUTION
    if kind == "attention":
        return 1
    if kind == "rnn":
        return i - j + 1 if j <= i else math.inf
    return max(1, math.ceil(abs(i - j) / (width // 2)))
    ### END SOLUTION


# %% check="path_length"
check.path_length(path_length)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# RNN: one arrow into the chain, then one for each step along it. CNN: how many positions does one layer carry a word?
# Attention: how many layers lie between any word and any other?
# </details>
# <details><summary>Hint: layers are whole</summary>
#
# With width 5 a layer carries a word 2 positions. For a distance of 7 you need 3.5 layers, so you need 4. Python rounds up
# with `math.ceil`. And even for a distance of 0 the word passes through one layer.
# </details>
# <details><summary>Help: I get 2 in place of 3 for the RNN</summary>
#
# The word has to get into the state first: from x_0 to h_0 is an arrow, too.
# </details>
# <details><summary>Help: it says that I return None</summary>
#
# Either one of the three kinds has no `return`, or you return None where there is no path. Return `math.inf` there.
# </details>

# %% payoff="path_length"
with payoff("path_length"):
    lines = {"RNN": ("rnn", 3), "CNN, width 3": ("cnn", 3), "CNN, width 5": ("cnn", 5)}
    lines["attention"] = ("attention", 3)
    lengths = {
        name: [float(path_length(kind, d, 0, width)) for d in range(11)]
        for name, (kind, width) in lines.items()
    }
    plot_path_lengths(lengths, it - animal, "For attention, far is as near as next door")
    print("From animal to it:", {name: values[it - animal] for name, values in lengths.items()})

# %% [markdown]
# Is it true? Stack convolutions of width 3 until *it* first hears of *animal*.

# %%
# NBVAL_CHECK_OUTPUT
for depth in (5, 6, 7, 8):
    deep = nn.Sequential(*[nn.Conv1d(C, C, 3, padding=1) for _ in range(depth)])
    heard = reach.influence(deep, x.T, layout="CT")[it, animal] > 0
    print(f"{depth} layers: {'it has heard of animal' if heard else 'nothing'}")

# %% [markdown]
# For *animal* and *it*, seven positions apart, that is 8 arrows in the RNN, 7 layers of width 3 or 4 of width 5, and a
# single step of attention. The paper that gave us the transformer makes the same comparison (Vaswani et al. 2017, Table 1).
#
# A wider window, or one with gaps (*dilation*, lesson 03), shortens the CNN's way. The RNN has to take every step.
#
# ## Build the ruler
#
# "How strongly does output $i$ depend on input $j$?" Nudge $x_j$ a little, see how far $y_i$ moves. For tiny nudges that is
# the derivative. But $x_j$ and $y_i$ are vectors, so there is one derivative for each pair of their channels:
# a small matrix, the block $J_{ij} = \partial y_i / \partial x_j$ of the Jacobian. We sum it up in one number, its Frobenius norm:
#
# $$\text{influence}_{ij} = \lVert J_{ij} \rVert_F = \sqrt{\sum_{a} \sum_{b} \left(\frac{\partial y_{i,a}}{\partial x_{j,b}}\right)^2}$$
#
# By hand: let $y_1 = 2 x_0 - x_1$, with three channels. Then $J_{10}$ is the 3 × 3 matrix with 2 on its diagonal.
# **Predict** its norm.

# %%
J_10 = 2 * torch.eye(3)
print(J_10)
print(f"norm: {J_10.square().sum().sqrt():.4f} = 2 · √3")

# %% [markdown]
# Autograd finds such blocks for any network. `torch.autograd.functional.jacobian(model, x)` gives all of them at once:

# %%
J = torch.autograd.functional.jacobian(recur, x)
print(f"J of the RNN: {tuple(J.shape)} = (T_out, C_out, T_in, C_in)")

# %% [markdown]
# | symbol | in code | shape |
# | --- | --- | --- |
# | $x$ | `x` | (T_in, C_in) |
# | $y$ | `model(x)` | (T_out, C_out) |
# | $\partial y_{i,a} / \partial x_{j,b}$ | `J[i, a, j, b]` | (T_out, C_out, T_in, C_in) |
# | influence | what you return | (T_out, T_in) |
#
# ### Exercise 0.4 · influence by autograd
# ●●○ · about 10 minutes · 3 points
#
# Write `influence_map(model, x)`. `model` is any function from a tensor (T_in, C_in) to a tensor (T_out, C_out); the two
# lengths may differ, and so may the channels. Return the map of norms, a tensor of shape `(T_out, T_in)`. Use `jacobian`,
# or loop over outputs with `torch.autograd.grad`: both are right. The check hands you models whose Jacobian is known.


# %% answer="influence_map"
def influence_map(model, x: torch.Tensor) -> torch.Tensor:
    """Frobenius norm of ∂ output[i] / ∂ input[j] for each position i (row) and j (column).

    >>> influence_map(lambda x: 3 * x, torch.tensor([[1.0], [2.0]]))
    tensor([[3., 0.],
            [0., 3.]])
    """
    ### BEGIN SOLUTION
    J = torch.autograd.functional.jacobian(model, x)  # (T_out, C_out, T_in, C_in)
    return J.square().sum(dim=(1, 3)).sqrt()
    ### END SOLUTION


# %% check="influence_map"
check.influence_map(influence_map)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Square every derivative, sum over the channels of the output *and* of the input, take the root. Positions stay.
# </details>
# <details><summary>Hint: which axes?</summary>
#
# The Jacobian has the axes (T_out, C_out, T_in, C_in), numbered 0 to 3. Channels are the axes 1 and 3.
# </details>
# <details><summary>Help: "element 0 of tensors does not require grad"</summary>
#
# You work with `torch.autograd.grad` or `backward`, and torch was not told to follow `x`. Begin with
# `x = x.detach().clone().requires_grad_()`, then call `model(x)`.
# </details>
# <details><summary>Help: "Trying to backward through the graph a second time"</summary>
#
# In a loop, each call but the last needs `retain_graph=True`.
# </details>
# <details><summary>Help: "expected a tensor, got a list"</summary>
#
# Your rows are right and lie in a list. Make one tensor of them: `torch.stack(rows)`, or `torch.tensor(rows)` where they
# hold plain numbers.
# </details>
# <details><summary>Help: my rows grow and grow</summary>
#
# `backward()` *adds* to `x.grad`. Set `x.grad = None` before each call, or use `torch.autograd.grad`, which keeps no sum.
# </details>

# %% payoff="influence_map"
with payoff("influence_map"):
    yours = {name: influence_map(flow, x.clone()) for name, flow in flows.items()}
    yours = {name: torch.as_tensor(value).detach() for name, value in yours.items()}
    worst = max((yours[name] - maps[name]).abs().max().item() for name in maps)
    print(f"Largest difference between your ruler and reach.influence: {worst:.1e}")
    plot_influences({f"yours, {name}": value for name, value in yours.items()}, words)

# %% [markdown]
# You have built the instrument that every lesson of this course uses. `utils/reach` does the same for images, batches,
# and larger networks.
#
# ## How fast does the triangle fade?
#
# You will often read that an RNN "forgets". Here is the fade, measured: how much does the *last* state of an untrained RNN
# depend on the word $d$ positions back? We draw 10 networks and 10 random sentences of 40 words, and then do it again with
# $W_h$ multiplied by 2 and by 3. **Predict**: which of the three curves falls, and by how much for each word?


# %%
def last_state_by_distance(seed, scale):
    torch.manual_seed(seed)
    network = nn.RNN(C, C).requires_grad_(False)
    network.weight_hh_l0.mul_(scale)
    return reach.influence(network, torch.randn(40, C), at=-1).flip(0)  # (40,), nearest first


fades = {
    f"W_h × {scale}": torch.stack([last_state_by_distance(s, scale) for s in range(10)])
    for scale in (1, 2, 3)
}
ax = plot_fade(fades, "An untrained RNN fades by a factor a word, and W_h sets that factor")

# %%
fade_per_word = {name: (curves[:, 20] / curves[:, 0]) ** (1 / 20) for name, curves in fades.items()}
for name, factors in fade_per_word.items():
    spread = f"{factors.median():.2f}, from {factors.min():.2f} to {factors.max():.2f}"
    print(f"{name}: each word back multiplies the influence by {spread}")

# %% [markdown]
# The line shows the median of ten networks, the shade their middle 80 %; below $10^{-8}$ nothing is drawn. A straight line
# on this axis is a fixed factor a word. With torch's own initialisation the influence about halves with every word. With $W_h$ twice as large it fades
# more slowly. With $W_h$ three times as large the ten networks disagree: most hardly fade, some even amplify.
#
# So "RNNs forget" is not a law of recurrence. It depends on $W_h$, and training can change $W_h$. Why the middle way is
# so narrow, and what happens on either side of it, is lesson 06. What gates do about it is lesson 07.
#
# ## Everywhere, but to whom?
#
# Attention reaches every word. Does an untrained one *choose* any? Count the words that a row of $\alpha$ spreads over:
# $e^{\text{entropy}}$ is 11 when all weights are equal and 1 when a single word gets everything. Then multiply the scores
# by 3, 10 and 30.


# %%
def words_looked_at(seed, scale):
    torch.manual_seed(seed)
    queries, keys = (nn.Linear(C, d_k, bias=False)(x) for _ in range(2))
    weights = (scale * queries @ keys.T / d_k**0.5).softmax(dim=1)
    return torch.special.entr(weights).sum(dim=1).exp().mean().item()


words_seen = {
    scale: [words_looked_at(seed, scale) for seed in range(10)] for scale in (1, 3, 10, 30)
}
fewest, most = min(words_seen[1]), max(words_seen[1])
title = f"Untrained attention spreads over {fewest:.1f} to {most:.1f} of 11 words"
ax = plot_spread(words_seen, "factor on the scores", "words that a row spreads over", title)

# %% [markdown]
# An untrained layer is close to an average over all words: it can reach *animal*, but it has no reason to prefer it.
# Larger scores make it choose. That is what training has to find: queries and keys that match where it matters. You
# train it to do so in lesson 10.
#
# One more property, and it is easy to miss. Both *the* of our sentence have the same vector. What comes out for them?

# %%
first, second = [position for position, word in enumerate(words) if word.lower() == "the"]
for name, flow in flows.items():
    gap = (flow(x)[first] - flow(x)[second]).norm()
    print(f"{name:24} the two “the” differ by {gap:.3f}")
positions = torch.randn(T, C)
gap = (attend(x + positions)[first] - attend(x + positions)[second]).norm()
print(f"{'attention with positions':24} the two “the” differ by {gap:.3f}")

# %% [markdown]
# Attention returns the same vector twice: it sees a bag of words. Recurrence and convolution know the order from the
# way they read. Attention must be told, by a vector for each position that is added to the word. That is the fourth
# workflow of the stepper above.
#
# ## What does it cost?
#
# All pairs at once has a price. Here torch counts the multiply-adds of one layer of each kind, for texts of 16 to 512 words.
# The fourth line is a fair question in return: what does a CNN cost that reaches *every* word from *every* word? With
# width 3 that takes $T - 1$ layers. **Predict**: which of the four lines is the steepest, and which one is on top?


# %%
def multiply_adds(network, inputs):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(inputs)
    return counter.get_total_flops() / 2  # a multiply-add is two operations


sizes = (16, 32, 64, 128, 256, 512)
networks = {"attention": attend, "CNN": lambda x: conv(x.T), "RNN": rnn}
costs = {
    name: {n: multiply_adds(network, torch.randn(n, C)) for n in sizes}
    for name, network in networks.items()
}
costs["CNN, all pairs"] = {n: (n - 1) * costs["CNN"][n] for n in sizes}
title = "All pairs cost the square of the length, whoever connects them"
ax = plot_costs(costs, "multiply-adds", title, "words in the text")

# %%
# NBVAL_CHECK_OUTPUT
for name, cost in costs.items():
    print(f"{name:15} from 256 to 512 words: {cost[512] / cost[256]:.2f} times the multiply-adds")
ratio = costs["CNN, all pairs"][512] / costs["attention"][512]
print(f"At 512 words, all pairs by convolution cost {ratio:.0f} times as much as by attention.")

# %% [markdown]
# Attention is quadratic in the length, as everybody says. What is said less often: so is the plain stack of
# convolutions that does the same job, at many times the price. All pairs is what costs. The RNN is the cheapest here, but it
# must take its $T$ steps one after another, while the others do all positions at once. Multiply-adds are not seconds;
# lessons 11 and 12 take the time.
#
# ## Three flows, side by side
#
# | | convolution | recurrence | self-attention |
# | --- | --- | --- | --- |
# | **picture** | a window that widens with depth | a message handed on, word by word | everybody asks everybody |
# | **reaches** | a band, both sides | all before, nothing after | all (with a mask: all before) |
# | **path over distance $d$** | $\lceil d/k \rceil$ layers | $d + 1$ steps | 1 |
# | **steps that must wait** | one for each layer | one for each word | one for each layer |
# | **multiply-adds of a layer** | grow with $T$ | grow with $T$ | grow with $T^2$ for long texts |
# | **knows the order** | yes | yes | only if told |
# | **memory while it streams** | the window | one state, of fixed size | keys and values of all words so far |
# | **good at** | local patterns, small machines | streams, sensors, tight memory | links over any distance, training in parallel |
# | **bad at** | far links, unless deep or dilated | far links; training in parallel | very long inputs |
#
# Rows two to six you have counted or measured in this lesson. The last three are promises, and the lessons to come measure
# them: 02 and 03 for convolution, 05 to 08 for recurrence, 10 to 12 for attention.
#
# Which one? Ask three questions. *How far apart are the things that belong together?* Near: convolution. Anywhere: attention.
# *Does the input arrive bit by bit, and must memory stay small?* Recurrence. *How long is the input, and who pays?* A text
# of 100,000 words has ten billion pairs. Real systems mix them: a convolution in front to shorten the
# input, attention on top, or recurrent and attention layers in turn. In lesson 13 you choose one and defend it.
#
# ## Where they come from
#
# The three are no dynasty in which each one dethrones the last. They grew side by side, and recurrence is back.

# %%
ax = plot_timeline(title="1986 to 2024: three flows, side by side")

# %% [markdown] quiz="zero_or_small" points=1
# ### Quiz · zero, or small?
#
# In the measured map of the RNN, the entry [*it*, *tired*] is exactly 0, and the entry [*it*, *animal*] is small.
# You may now train the network for as long as you like, on any data. Which entries can become large?
#
# - A. Both.
# - B. Only [*it*, *animal*].
# - C. Only [*it*, *tired*].
# - D. Neither: an RNN forgets.
#
# ### BEGIN SOLUTION
# **B.** Architecture decides which entries may differ from zero, and training decides how large those are. No weights let a
# state depend on a word that has not been read yet. The fade depends on $W_h$, which training changes.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A** would let the RNN read ahead. There is no arrow from a later word to an earlier state, so the derivative is zero
#   whatever the weights are. An RNN from right to left, beside the first, would open that half: lesson 07.
# - **B** is right. You have measured it: with a larger $W_h$ the same architecture hardly fades.
# - **C** swaps the two: zero by architecture stays zero, small by weights does not have to stay small.
# - **D** is the folklore. The fade that you measured is that of one initialisation.
# </details>
#
# ## What we measured
#
# *Who can influence whom?* Here are the answers of this lesson, as numbers.

# %%
cnn_share, rnn_share, attention_share = (round(value, 3) for value in share.values())
notebook.headline(
    None,
    share_of_pairs_cnn_3_layers=cnn_share,
    share_of_pairs_rnn=rnn_share,
    share_of_pairs_attention=attention_share,
    rnn_fade_per_word=[round(factor, 3) for factor in fade_per_word["W_h × 1"].tolist()],
    attention_words_of_11=[round(number, 2) for number in words_seen[1]],
)

# %% [markdown]
# - A stack of three convolutions and an RNN each open about half of the pairs: a band, and a triangle. Attention opens all.
# - From *animal* to *it* the RNN takes 8 steps, a CNN of width 3 takes 7 layers, attention takes 1.
# - Untrained, the RNN's influence fades by the factor above with each word, and the factor moves with $W_h$.
# - Untrained attention spreads over nearly all words, and it does not know their order unless told.
# - One layer of attention is quadratic in the length; reaching all pairs by convolutions of width 3 is as well, and dearer.
#
# <!-- next -->
#
# Before you go: run the cell under *Where you stand* again, and look at your squares.
#
# <details><summary>References</summary>
#
# - Jordan, *Serial Order: A Parallel Distributed Processing Approach*, ICS report 8604, UC San Diego, 1986
# - LeCun et al., *Backpropagation Applied to Handwritten Zip Code Recognition*, Neural Computation 1(4), 1989
# - Elman, *Finding Structure in Time*, Cognitive Science 14(2), 1990
# - Hochreiter, *Untersuchungen zu dynamischen neuronalen Netzen*, diploma thesis, TU München, 1991; Bengio, Simard and Frasconi,
#   *Learning Long-Term Dependencies with Gradient Descent is Difficult*, IEEE Transactions on Neural Networks 5(2), 1994
# - Hochreiter and Schmidhuber, *Long Short-Term Memory*, Neural Computation 9(8), 1997
# - LeCun, Bottou, Bengio and Haffner, *Gradient-Based Learning Applied to Document Recognition*, Proceedings of the IEEE 86(11), 1998
# - Krizhevsky, Sutskever and Hinton, *ImageNet Classification with Deep Convolutional Neural Networks*, NeurIPS 2012
# - Cho et al., *Learning Phrase Representations using RNN Encoder–Decoder for Statistical Machine Translation*, EMNLP 2014 (the GRU)
# - Sutskever, Vinyals and Le, *Sequence to Sequence Learning with Neural Networks*, NeurIPS 2014
# - Simonyan and Zisserman, *Very Deep Convolutional Networks for Large-Scale Image Recognition*, arXiv 2014, ICLR 2015
# - Bahdanau, Cho and Bengio, *Neural Machine Translation by Jointly Learning to Align and Translate*, arXiv 2014, ICLR 2015
# - He, Zhang, Ren and Sun, *Deep Residual Learning for Image Recognition*, arXiv 2015, CVPR 2016
# - Vaswani et al., *Attention Is All You Need*, NeurIPS 2017
# - Radford et al., *Improving Language Understanding by Generative Pre-Training*, OpenAI 2018; Devlin et al., *BERT*, arXiv 2018, NAACL 2019
# - Tan and Le, *EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks*, ICML 2019
# - Dosovitskiy et al., *An Image is Worth 16x16 Words*, arXiv 2020, ICLR 2021
# - Liu et al., *A ConvNet for the 2020s*, CVPR 2022
# - Peng et al., *RWKV: Reinventing RNNs for the Transformer Era*, EMNLP Findings 2023
# - Gu and Dao, *Mamba: Linear-Time Sequence Modeling with Selective State Spaces*, arXiv 2023
# - Beck et al., *xLSTM: Extended Long Short-Term Memory*, arXiv 2024
# </details>
