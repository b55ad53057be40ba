# %% [markdown] question="who can influence whom?" write="reach maps, path lengths, influence by autograd" minutes=90
# # 00 · Start here: three flows
#
# **The question of this course: how does information move through a network, and how far?**
#
# When you read the word *it* in a sentence, you know at once which word it stands for. A network does not.
# Something has to carry the earlier word to *it*. Convolution, recurrence and attention are three ways to do that.
# This lesson puts all three to work on one sentence and asks of each: **who can influence whom?**
#
# After this lesson you can
# - predict, for each of the three, which word can influence which, and count the steps in between;
# - measure influence yourself, with a few lines of autograd;
# - say what attention buys, and what it costs;
# - read the notation of this course, and make sense of what its checks tell you.
#
# About 90 minutes. Nothing is trained and nothing is downloaded, so the CPU of any laptop will do. You need some Python
# and the idea of a matrix product.

# %% setup=true
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from utils import notebook, progress, reach
from utils.checks import start_here as check
from utils.claims import claim
from utils.notebook import payoff
from utils.plotting.costs import plot_costs
from utils.plotting.curves import plot_fade, plot_path_lengths
from utils.plotting.maps import plot_influences, plot_reach, plot_reaches
from utils.plotting.scaling import plot_spread
from utils.plotting.symbols import plot_symbols
from utils.plotting.text import plot_words
from utils.plotting.timeline import longest_gap, plot_timeline
from utils.widgets.flow_stepper import flow_stepper

device = notebook.setup()

# %% [markdown]
# ## You are here
#
# <!-- map -->
#
# The minutes are the authors' estimates for reading, predicting and writing every answer; nobody has timed a class yet.
# If you are in a hurry, take the short path, and look into the lessons under *builds on* when a word is new to you.
# <!-- being written -->
#
# ## Where you stand
#
# In your own notebook the next cell draws one square for each exercise of the course. A square fills when you pass the
# check of that exercise. The record is a file on your machine, `.reach/progress.json`. Nothing is sent anywhere. Delete the file to start over.

# %% stored=false
ax = progress.plot_progress()

# %% [markdown]
# ## How a lesson works
#
# Run a cell with **Shift + Enter**, from the top down. You will meet four kinds of code cells:
#
# - **Examples** are complete. Run them, then change a number and run them again. You cannot break anything.
# - **Exercises** contain a function without a body. You write the body, up to 20 lines.
# - **Checks** come right after an exercise. They call your function and tell you what they found.
# - **Payoffs** draw a picture with *your* function. They wait until you have written it.
#
# Below some experiments you will see a small line that starts with ✓. It is a **claim**: a sentence of the lesson, with the
# numbers that it rests on, measured on your machine a moment ago. If a claim fails on your machine, the line says so.
#
# Are you stuck? Every exercise has folded hints. The notebook with all the answers is in `solutions/`. If you look
# there, close it again and write the answer in your own words.
#
# ## How a check talks
#
# The warm-up below asks for the distance between two positions. Before you write it, watch the check judge four
# answers that we have prepared. First, here is what it says about a function without a body:


# %%
def untouched(i, j):
    raise NotImplementedError


check.distance.judge(untouched).show()


# %% [markdown]
# Next, a slip that everybody makes once. This function prints its result instead of returning it.


# %%
def prints_it(i, j):
    print(abs(i - j))


check.distance.judge(prints_it).show()


# %% [markdown]
# Now a wrong idea. The check shows you the smallest case that fails, what it expected and what it got.
# It knows many wrong ideas by name, and it tells you when it recognises yours.


# %%
def counts_words_between(i, j):
    return abs(i - j) - 1


check.distance.judge(counts_words_between).show()


# %% [markdown]
# And finally a right answer. There are many right ways to write it, and every one of them passes.


# %%
def larger_minus_smaller(i, j):
    return max(i, j) - min(i, j)


check.distance.judge(larger_minus_smaller).show()

# %% [markdown]
# ### Exercise 0.1 · distance, a warm-up
# ●○○ · about 2 minutes · 1 point
#
# Now it is your turn. This one is short on purpose, so that you get to know the check before the work begins.
# Write `distance(i, j)`. It takes two positions (whole numbers, counted from 0) and returns how many steps lie between
# them. Replace the line that raises, run the cell, then run the check.


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
# Subtract one position from the other. Then get rid of the sign: Python has `abs` for that.
# </details>
# <details><summary>Help: it still says "not attempted"</summary>
#
# The check sees the function as it was when you last ran its cell. Run the answer cell again, then run the check.
# Is the line with `NotImplementedError` gone?
# </details>
#
# ## 1 · One sentence
#
# This is the sentence that we will follow through all three networks. What does *it* stand for, the animal or the street?

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
# Both occurrences of *the* get the same vector.
#
# We write shapes in the letters that the field uses: **B** for the batch, **T** for positions in time or text, **C** for
# channels (the length of a vector), **H** and **W** for the height and width of an image. (Lessons 01 to 03 write N for the number of images,
# as PyTorch does.)
# We have only one sentence, so there is no B here: `x` has the shape (T, C).

# %%
vocabulary = sorted({word.lower() for word in words})
embedding = nn.Embedding(len(vocabulary), 16)
tokens = torch.tensor([vocabulary.index(word.lower()) for word in words])
x = embedding(tokens).detach()
T, C = x.shape
print(f"x: (T, C) = ({T}, {C})")

# %% [markdown]
# ## 2 · Three ways to mix words
#
# Each of the three turns `x` into the same number of new vectors, one per position. The new vector at *it* should know
# more than the word *it*. The weights come straight from torch's random generator: **no network in this lesson has learned
# anything**. What you will see is what the *architecture* does, before any training.
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
    return torch.stack(h[1:])  # (T, C): one state per word


# %% [markdown]
# **Convolution** slides one window over the sentence. This window is centred, so it reads $k$ words on *both* sides,
# and it finds zeros beyond the ends:
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
# A softmax over $j$ turns the scores into weights that sum to 1, and the values $v_j$ are added up with these weights:
#
# $$\alpha_{ij} = \operatorname{softmax}_j\!\left(\frac{q_i \cdot k_j}{\sqrt{d_k}}\right) \qquad z_i = \sum_j \alpha_{ij} v_j
# \qquad\text{or, all at once,}\qquad Z = \operatorname{softmax}\!\left(\frac{QK^\top}{\sqrt{d_k}}\right)V$$
#
# You will also see the formula for a single word without $\sqrt{d_k}$. The root belongs there too; lesson 10 shows why.

# %%
d_k = C
W_q, W_k, W_v = (nn.Linear(C, d_k, bias=False).weight.detach() for _ in range(3))


def look(x):
    Q, K = x @ W_q.T, x @ W_k.T
    return (Q @ K.T / d_k**0.5).softmax(dim=1)  # alpha: (T, T), row i holds what word i looks at


def attend(x):
    return look(x) @ (x @ W_v.T)


# %% [markdown]
# Three formulas, a few lines of code each. Do they compute what the library computes? Never take that on trust when you can
# check it:

# %%
Q, K, V = x @ W_q.T, x @ W_k.T, x @ W_v.T
torch.testing.assert_close(recur(x), rnn(x)[0])
torch.testing.assert_close(convolve(x), conv(x.T).T)
torch.testing.assert_close(attend(x), F.scaled_dot_product_attention(Q[None], K[None], V[None])[0])
print("recur, convolve and attend agree with torch.")

# %% [markdown] covers="49"
# ### The notation of the course
#
# | symbol | in code | what it is | shape |
# | --- | --- | --- | --- |
# | $x_t$ | `x[t]` | input vector at position $t$ | (C,) |
# | $h_t$ | `h[t]` | hidden state of an RNN at position $t$ | (H,) |
# | $W_x$, $W_h$ | `W_x`, `W_h` | weights for the input and for the previous state | (H, C), (H, H) |
# | $y_t$ | `y[t]` | output of a convolution at position $t$ | (C_out,) |
# | $W_i$ | `W[i]` | weights of the window at offset $i$ | (C_out, C) |
# | $Q$, $K$, $V$ | `Q`, `K`, `V` | all queries, keys and values, one row per word | (T, d_k), (T, d_k), (T, d_v) |
# | $q_i$, $k_j$, $v_j$ | `Q[i]`, `K[j]`, `V[j]` | query of word $i$, key and value of word $j$ | (d_k,), (d_k,), (d_v,) |
# | $d_k$ | `d_k` | length of a key | a number |
# | $\alpha_{ij}$ | `alpha[i, j]` | how much word $i$ looks at word $j$ | a number |
# | $z_i$ | `z[i]` | what word $i$ gets: its context vector | (d_v,) |
#
# Every textbook uses some letters twice, and so do we. $H$ is the size of a hidden state here, the height of an image
# elsewhere, and the number of heads from lesson 10 on; $W$ is a weight or a width; $V$ is the values, or the size of a
# vocabulary; $k$ is half a window, a key, or how many steps back. Where a lesson gives a letter a new meaning, its table says
# so. *Position* and *place* are one thing: where something stands in a row, counted from its beginning. In a recurrent network we also
# say *step*, because there the positions are read one after the other. Mind the direction of $\alpha_{ij}$ too: word $i$ looks
# at word $j$, so the information flows from $j$ **to** $i$. At the end of the lesson you find all of this on one page to print.
#
# In this lesson H, d_k and d_v all equal C. Here are the same symbols again, as tensors that exist:

# %% same_output=true covers="49"
t, i, j = it, it, animal
h, y, alpha, z = recur(x), convolve(x), look(x), attend(x)
table = {"x_t": x[t], "h_t": h[t], "W_x": W_x, "W_h": W_h, "y_t": y[t], "W_i": W[-1], "Q, K, V": Q}
table |= {"q_i": Q[i], "k_j": K[j], "v_j": V[j], "alpha_ij": alpha[i, j], "z_i": z[i]}
for symbol, tensor in table.items():
    print(f"{symbol:9}{tuple(tensor.shape) or 'a number'}")
print(f"{'d_k':9}{d_k}")

# %%
by_hand = sum(alpha[i, j] * V[j] for j in range(T))  # z_i for one word, exactly as in the formula
torch.testing.assert_close(by_hand, z[i])
print(f"alpha[it] sums to {alpha[it].sum():.3f}; the sum of alpha_ij v_j is z_i.")

# %% [markdown]
# ## 3 · Predict: who can influence whom?
#
# Change the word *animal*, and some of the new vectors change with it. Which ones? The answer is a table of
# zeros and ones: row $i$ is an **output** position, column $j$ an **input** position, and a 1 means that
# input $j$ can reach output $i$. We call this table the **reach map**.
#
# Here is one by hand. The network is $y_t = x_t + x_{t-1}$, over four words. Word 0 has nothing before it.

# %%
by_hand = torch.tensor(
    [
        [1, 0, 0, 0],  # y_0 = x_0
        [1, 1, 0, 0],  # y_1 = x_1 + x_0
        [0, 1, 1, 0],  # y_2 = x_2 + x_1
        [0, 0, 1, 1],  # y_3 = x_3 + x_2
    ]
)
ax = plot_reach(by_hand, ["0", "1", "2", "3"], "Each output reads itself and one word back")

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
# Write `reach_map(kind, length, layers, width)`. It returns a `(length, length)` tensor of zeros and ones. Here and in every
# exercise a NumPy array will do as well; a list of lists will not.
#
# | argument | values |
# | --- | --- |
# | `kind` | `"cnn"`, `"rnn"`, `"attention"` or `"causal attention"` |
# | `length` | number of words, $T$ |
# | `layers` | how many layers of this kind are stacked, at least 1 |
# | `width` | width $2k + 1$ of each convolution, odd: 3, 5, …; the other kinds ignore it |
#
# Convolutions are centred, with stride 1 and zeros beyond the ends, as in `convolve`.


# %% answer="reach_map"
def reach_map(kind: str, length: int, layers: int = 1, width: int = 3) -> torch.Tensor:
    """Which input j (column) can influence which output i (row): 1 if it can, 0 if not.

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
    else:  # an RNN has read what came before, and a causal mask leaves exactly that
        reached = j <= i
    return reached.long()
    ### END SOLUTION


# %% check="reach_map"
check.reach_map(reach_map)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Think about a single pair: can input j reach output i? For each kind this is one comparison. An RNN at position i has read
# the words 0 to i. A causal mask says the same thing in other words.
# </details>
# <details><summary>Hint: how far does a stack of convolutions reach?</summary>
#
# One layer of width 3 carries a word one position to the left and one to the right. The next layer carries it one position
# further. So how far do three layers carry it? And three layers of width 5?
# </details>
# <details><summary>Hint: a table without loops</summary>
#
# `i = torch.arange(length)[:, None]` is a column, `j = torch.arange(length)` is a row. Compare them, as in `j <= i`, and you
# get the whole table of True and False. Two loops over a tensor of zeros are just as good.
# </details>
# <details><summary>Help: my map is right, but mirrored</summary>
#
# The first index is the output (row), the second is the input (column). For an RNN the ones lie on and *below* the diagonal.
# </details>

# %% payoff="reach_map"
with payoff("reach_map"):
    kinds = ("cnn", "rnn", "attention", "causal attention")
    predicted = [torch.as_tensor(reach_map(kind, T, 3, 3)).detach() for kind in kinds]
    titles = [f"you predict: {kind}" for kind in kinds]
    plot_reaches(dict(zip(titles, predicted, strict=True)), words)

# %% [markdown]
# ## 4 · Measure: the first influence maps
#
# Now ask the networks themselves. `reach.influence` is the ruler of this course. For each pair it measures how strongly
# output $i$ moves when input $j$ is nudged. You will build it yourself in exercise 0.4; for now, just use it.
#
# The RNN and the attention layer stay as they are. The convolution becomes a stack of three layers, with a ReLU after each.
# The function below can also leave gaps in the windows (*dilation*); we will need that in section 5.


# %%
def convolutions(dilations):
    """A stack of convolutions of width 3, one for each number in `dilations`; 1 means no gaps."""
    layers = []
    for dilation in dilations:
        layers += [nn.Conv1d(C, C, 3, padding=dilation, dilation=dilation), nn.ReLU()]
    stack = nn.Sequential(*layers).requires_grad_(False)
    return lambda x: stack(x.T).T  # Conv1d wants (C, T)


# %% figure="three_flows" covers="61"
flows = {
    "CNN: a band (3 layers)": convolutions([1, 1, 1]),
    "RNN: a fading triangle": recur,
    "attention: everywhere": attend,
}
maps = {name: reach.influence(flow, x) for name, flow in flows.items()}
axes = plot_influences(maps, words)

# %% [markdown]
# These are the three flows of the course. Take your time with them:
#
# - **A band.** In a CNN each position hears a few neighbours, on both sides. How broad the band is depends on the number
#   of layers and on their windows, not on the weights.
# - **A triangle.** In an RNN each position hears everything before it and nothing after it: the upper right is exactly
#   zero. And the influence fades from the diagonal down to the lower left. Mind the scale: each step of the colour bar is
#   a factor of ten.
# - **Everywhere.** Attention connects all pairs in a single layer, near or far.
#
# Does the shape really come from the architecture? Draw ten fresh sets of weights for each network, and compare the
# pattern of zeros with the maps above.


# %%
def same_zeros(seed):
    """For each flow, with fresh weights: on how many pairs, in %, zero or not is as above."""
    torch.manual_seed(seed)
    q, k, v = (nn.Linear(C, C, bias=False) for _ in range(3))
    fresh = [convolutions([1, 1, 1]), nn.RNN(C, C)]
    fresh.append(lambda x: (q(x) @ k(x).T / d_k**0.5).softmax(dim=1) @ v(x))
    opened = [reach.influence(network, x) > 0 for network in fresh]
    pairs = zip(opened, maps.values(), strict=True)
    return [100 * (new == (old > 0)).float().mean().item() for new, old in pairs]


# %%
cnn_same, rnn_same, attention_same = zip(*[same_zeros(seed) for seed in range(10)], strict=True)
claim(
    "The zeros belong to the architecture: fresh weights leave the same pairs at zero",
    min(cnn_same + rnn_same + attention_same) == 100,
    CNN=cnn_same,
    RNN=rnn_same,
    attention=attention_same,
    unit="% of the pairs",
)

# %% [markdown]
# Look at row *it*, column *tired*. The reader learns from *tired* that *it* must be the animal, because streets do not get
# tired. The RNN, when it is at *it*, cannot know that yet.

# %%
for name, influences in maps.items():
    from_animal, from_tired = influences[it, animal], influences[it, tired]
    print(f"{name:24} animal → it {from_animal:.1e}   tired → it {from_tired:.1e}")

# %% [markdown]
# Does your prediction hold for every single pair? Where you wrote 0 the influence must be zero, and where you wrote 1 it must
# be more than zero.

# %% payoff="reach_map"
with payoff("reach_map"):
    for kind, influences in zip(["cnn", "rnn", "attention"], maps.values(), strict=True):
        predicted = torch.as_tensor(reach_map(kind, T, 3, 3)).detach()
        agree = (influences > 0) == (predicted > 0)
        print(f"{kind:10} prediction and measurement agree on {agree.sum()} of {T * T} pairs")

# %% [markdown]
# How much of the table does each architecture open? Count the pairs that have any influence at all.

# %% same_output=true
share = {name: (influences > 0).float().mean().item() for name, influences in maps.items()}
for name, value in share.items():
    print(f"{name:24}{value:.1%} of the pairs")

# %%
cnn, rnn_map, attention = maps.values()
claim(
    "Of these three, only attention lets both animal and tired reach it",
    cnn[it, animal] == 0 and rnn_map[it, tired] == 0 and bool((attention[it] > 0).all()),
    CNN_from_animal=cnn[it, animal].item(),
    RNN_from_tired=rnn_map[it, tired].item(),
    attention_from_animal=attention[it, animal].item(),
    attention_from_tired=attention[it, tired].item(),
)

# %% [markdown]
# The CNN and the RNN open about half of the table each, but not the same half. For this CNN *animal* is too far away, and for
# the RNN *tired* comes too late.
#
# ## 5 · How long is the path?
#
# A 1 in the reach map says that there is a path. It does not say how long that path is. Why should you care? At each step
# the signal is multiplied by weights and squeezed by a nonlinearity, on the way forward and, in training, on the way back.
# Section 7 measures what that does to the influence, and lesson 06 what it does to learning.
#
# Step through the four workflows below. (There are two for attention, because without positions it does not know which word
# came first.) An orange diamond has heard of *animal*. The ring marks *it*. **Predict** the number of steps before you move
# the slider.

# %% covers="62"
flow_stepper(words, source=animal, target=it, weights=look(x)[it].tolist())

# %% [markdown] covers="62"
# Here is what the pictures show, in words:
#
# | workflow | one step | at the same time? |
# | --- | --- | --- |
# | recurrent | read one word, update the state; the state at *it* is its context | no: one word after another |
# | convolutional | every position combines its window; stack layers until the window is wide enough | yes, layer after layer |
# | self-attention | make q, k, v; compare all pairs; softmax; add up the values | yes |
# | … with positions | first add to each word a vector that says where the word stands | yes |
#
# Those were steps of *computation*. The RNN starts at the first word, so it needs 9 of them to get to *it*; attention needs
# 4 for its one layer. Now count something else. A **path** from input $j$ to output $i$ is a chain of arrows that carries
# $j$ to $i$, and its length is the number of arrows.
#
# Two of the networks below are new:
# - In a **dilated** stack the windows have gaps. A layer with dilation 2 and width 3 reads the words $t-2$, $t$ and $t+2$.
#   The dilation doubles from layer to layer: 1, 2, 4, 8, … The layers add up: those with dilations 1 and 2 carry a word
#   1, 2 or 3 positions to either side. (Yu and Koltun 2015; lesson 03 has more.)
# - A **bidirectional** RNN is two RNNs. One reads from left to right, the other from right to left, and the output at $i$
#   is made of both states at $i$. (Schuster and Paliwal 1997.)
#
# **Predict** the right column. *animal* is word 1, *it* is word 8.
#
# | network | the arrows | from *animal* to *it* |
# | --- | --- | --- |
# | RNN | from $x_j$ into $h_j$, then from state to state | ? |
# | stack of convolutions, width 3 | one per layer; use as many layers as the path needs, at least one | ? |
# | dilated stack, width 3 | one per layer; dilations 1, 2, 4, …, as many layers as the path needs | ? |
# | self-attention | from $x_j$ to $z_i$: one layer | ? |
#
# ### Exercise 0.3 · path length
# ●●○ · about 15 minutes · 3 points
#
# Write `path_length(kind, i, j, width)`: the number of arrows on the shortest path from input `j` to output `i`. `kind` is
# `"cnn"`, `"dilated cnn"`, `"rnn"`, `"bidirectional rnn"` or `"attention"`. If there is no path, however many layers you add,
# return `math.inf`.


# %% answer="path_length"
def path_length(kind: str, i: int, j: int, width: int = 3) -> float:
    """Arrows on the shortest path from input j to output i; math.inf if there is none.

    >>> path_length("rnn", i=2, j=0)  # x_0 → h_0 → h_1 → h_2
    3
    >>> path_length("dilated cnn", i=0, j=3)  # dilations 1 and 2 reach 3 positions
    2
    """
    ### BEGIN SOLUTION
    d, k = abs(i - j), width // 2
    if kind == "attention":
        return 1
    if kind == "rnn" and j > i:
        return math.inf
    if kind in ("rnn", "bidirectional rnn"):
        return d + 1
    layers, reached = 1, k
    while reached < d:
        reached += k if kind == "cnn" else k * 2**layers
        layers += 1
    return layers
    ### END SOLUTION


# %% check="path_length"
check.path_length(path_length)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# RNN: one arrow into the chain, then one for each step along it. CNN: how many positions does one layer carry a word?
# Attention: how many layers lie between any word and any other?
# </details>
# <details><summary>Hint: add layers until you arrive</summary>
#
# A plain layer of width 5 carries a word 2 positions. For a distance of 7 you need 3.5 layers, so you need 4. A `while` loop
# finds that: start with one layer and what it reaches, and add layers until the distance is covered. In the dilated stack
# each new layer adds twice as much as the one before. Even for a distance of 0 the word passes through one layer.
# </details>
# <details><summary>Help: I get 2 instead of 3 for the RNN</summary>
#
# The word has to get into the state first: the way from x_0 to h_0 is an arrow, too.
# </details>
# <details><summary>Help: it says that I return None</summary>
#
# Either one of the five kinds has no `return`, or you return None when there is no path. Return `math.inf` there.
# </details>

# %% payoff="path_length"
with payoff("path_length"):
    lines = {"RNN, either direction": ("bidirectional rnn", 3), "CNN, width 3": ("cnn", 3)}
    lines |= {"CNN, width 5": ("cnn", 5), "dilated CNN, width 3": ("dilated cnn", 3)}
    lines["attention"] = ("attention", 3)
    lengths = {
        name: [float(path_length(kind, d, 0, width)) for d in range(25)]
        for name, (kind, width) in lines.items()
    }
    plot_path_lengths(
        lengths, it - animal, "Attention needs one step at any distance; dilation, a few"
    )
    print("From animal to it:", {name: values[it - animal] for name, values in lengths.items()})

# %% [markdown]
# Is it true? Stack convolutions of width 3, first without gaps and then dilated, until *it* first hears of *animal*.

# %% same_output=true
first_heard = {}
for name, dilations in {"plain": [1] * 8, "dilated": [1, 2, 4, 8]}.items():
    for depth in range(len(dilations), 0, -1):
        if reach.influence(convolutions(dilations[:depth]), x)[it, animal] > 0:
            first_heard[name] = depth
print(f"Layers until it hears of animal: {first_heard}")

# %%
claim(
    "It takes seven plain layers of width 3 until it hears of animal, and three dilated ones",
    first_heard == {"plain": 7, "dilated": 3},
    unit="layers",
    **first_heard,
)

# %% [markdown]
# *animal* and *it* are seven positions apart. That means 8 arrows in the RNN, 7 layers of width 3 or 4 layers of width 5,
# 3 dilated layers, and a single step of attention. The paper that introduced the transformer makes the same comparison
# (Vaswani et al. 2017, Table 1).

# %% [markdown]
# ## 6 · Build the ruler
#
# "How strongly does output $i$ depend on input $j$?" Nudge $x_j$ a little and see how far $y_i$ moves. For tiny nudges that is
# the derivative. But $x_j$ and $y_i$ are vectors, so there is one derivative for each pair of their channels. Together they form
# a small matrix, the block $J_{ij} = \partial y_i / \partial x_j$ of the Jacobian. We sum it up in one number, its Frobenius norm:
#
# $$\text{influence}_{ij} = \lVert J_{ij} \rVert_F = \sqrt{\sum_{a} \sum_{b} \left(\frac{\partial y_{i,a}}{\partial x_{j,b}}\right)^2}$$
#
# Try it by hand: let $y_1 = 2 x_0 - x_1$, with three channels. Then $J_{10}$ is the 3 × 3 matrix with 2 on its diagonal.
# **Predict** its norm.

# %%
J_10 = 2 * torch.eye(3)
print(J_10)
print(f"norm: {J_10.square().sum().sqrt():.4f} = 2 · √3")

# %% [markdown]
# Autograd finds the derivatives for any network, one output number at a time. Here is channel 0 of the RNN's state at *it*. It
# is a single number, and its gradient has the shape of `x`: one row for each word that could have moved it.

# %%
watched = x.clone().requires_grad_()
(gradient,) = torch.autograd.grad(recur(watched)[it, 0], watched)
print(f"gradient: {tuple(gradient.shape)} = (T_in, C_in)")
for word, row in zip(words, gradient, strict=True):
    print(f"{word:8} moves channel 0 of the state at it by {row.norm():.4f}")

# %% [markdown]
# That was one output number. A map needs all of them.
#
# | symbol | in code | shape |
# | --- | --- | --- |
# | $x$ | `x` | (T_in, C_in) |
# | $y$ | `model(x)` | (T_out, C_out) |
# | $\partial y_{i,a} / \partial x_{j,b}$, for one $i$ and $a$ | the gradient of `y[i, a]` | (T_in, C_in) |
# | influence | what you return | (T_out, T_in) |
#
# ### Exercise 0.4 · influence by autograd
# ●●○ · about 15 minutes · 3 points
#
# Write `influence_map(model, x)`. `model` is any function from a tensor (T_in, C_in) to a tensor (T_out, C_out); the two
# lengths may differ, and so may the numbers of channels. Return the map of norms, a tensor of shape `(T_out, T_in)`. Loop over
# the output numbers as above, or use any other way that autograd offers. The check gives you models whose Jacobian is known.


# %% answer="influence_map"
def influence_map(model, x: torch.Tensor) -> torch.Tensor:
    """Frobenius norm of ∂ output[i] / ∂ input[j] for each position i (row) and j (column).

    >>> influence_map(lambda x: 3 * x, torch.tensor([[1.0], [2.0]]))
    tensor([[3., 0.],
            [0., 3.]])
    """
    ### BEGIN SOLUTION
    x = x.detach().clone().requires_grad_()
    y = model(x)
    squares = torch.zeros(len(y), len(x))
    for i in range(y.shape[0]):
        for a in range(y.shape[1]):
            (gradient,) = torch.autograd.grad(y[i, a], x, retain_graph=True)  # (T_in, C_in)
            squares[i] += gradient.square().sum(dim=1)
    return squares.sqrt()
    ### END SOLUTION


# %% check="influence_map"
check.influence_map(influence_map)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# For each output position, add up the squares of its derivatives over the channels of the output *and* of the input. Take
# the root at the very end. The positions stay.
# </details>
# <details><summary>Hint: the loop</summary>
#
# Call the model once. Start with a tensor of zeros, `(T_out, T_in)`. Two loops go over `i` and `a`; each time the gradient of
# `y[i, a]` has the shape (T_in, C_in), and the sum of its squares over the channels belongs in row `i`.
# </details>
# <details><summary>Help: "element 0 of tensors does not require grad"</summary>
#
# You work with `torch.autograd.grad` or `backward`, and torch was not told to follow `x`. Begin with
# `x = x.detach().clone().requires_grad_()`, then call `model(x)`.
# </details>
# <details><summary>Help: "Trying to backward through the graph a second time"</summary>
#
# In a loop, each call except the last needs `retain_graph=True`.
# </details>
# <details><summary>Help: "expected a tensor, got a list"</summary>
#
# Your rows are right, but they are in a list. Make one tensor of them: `torch.stack(rows)`, or `torch.tensor(rows)` if they
# hold plain numbers.
# </details>
# <details><summary>Help: my rows grow and grow</summary>
#
# `backward()` *adds* to `x.grad`. Set `x.grad = None` before each call, or use `torch.autograd.grad`, which does not add up.
# </details>

# %% payoff="influence_map"
with payoff("influence_map"):
    yours = {name: influence_map(flow, x.clone()) for name, flow in flows.items()}
    yours = {name: torch.as_tensor(value).detach() for name, value in yours.items()}
    worst = max((yours[name] - maps[name]).abs().max().item() for name in maps)
    print(f"Largest difference between your ruler and reach.influence: {worst:.1e}")
    plot_influences({f"yours, {name}": value for name, value in yours.items()}, words)

# %% [markdown]
# You have built the instrument that every lesson of this course uses. `utils/reach` does the same for images, batches
# and larger networks. And torch can return all the blocks at once, in a tensor with four axes; if you had known, two lines
# would have done:

# %%
J = torch.autograd.functional.jacobian(recur, x)
print(f"J of the RNN: {tuple(J.shape)} = (T_out, C_out, T_in, C_in)")
torch.testing.assert_close(J.square().sum(dim=(1, 3)).sqrt(), reach.influence(recur, x))

# %% [markdown]
# ## 7 · How fast does the triangle fade?
#
# You will often read that an RNN "forgets". Here is that fade, measured: how much does the *last* state of an untrained RNN
# depend on the word $d$ positions back? We draw 10 networks and 10 random sentences of 40 words. Then we do it again with
# $W_h$ multiplied by 2 and by 3. **Predict**: which of the three curves fall, and by what factor per word?


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
ax = plot_fade(fades, "In an untrained RNN, W_h decides how fast influence fades")

# %% [markdown]
# Each line is the median of ten networks, and the shaded band holds the middle 80 % of them. Nothing below $10^{-8}$ is
# drawn. On this axis a straight line means a constant factor per word.


# %%
def factor_per_word(curves, start, end):
    """By what factor each word back multiplies the influence: one number per network."""
    return ((curves[:, end] / curves[:, start]) ** (1 / (end - start))).tolist()


fade_per_word = {name: factor_per_word(curves, 0, 20) for name, curves in fades.items()}
for name, factors in fade_per_word.items():
    spread = f"{min(factors):.2f} to {max(factors):.2f}"
    print(f"{name}: each word back multiplies the influence by {spread}")

# %%
claim(
    "With torch's own initialisation each word back about halves the influence, near and far alike",
    all(
        0.35 < factor < 0.65
        for start in (0, 10)
        for factor in factor_per_word(fades["W_h × 1"], start, start + 10)
    ),
    unit="times the influence",
    words_0_to_10=factor_per_word(fades["W_h × 1"], 0, 10),
    words_10_to_20=factor_per_word(fades["W_h × 1"], 10, 20),
)

# %%
once, twice, thrice = fade_per_word.values()
claim(
    "Twice as large a W_h fades more slowly; three times as large, it amplifies in some networks",
    max(once) < min(twice) and max(twice) < 1 and min(thrice) < 0.9 and max(thrice) > 1,
    unit="times per word",
    twice_as_large=twice,
    three_times_as_large=thrice,
)

# %% [markdown]
# So "RNNs forget" is not a law of recurrence. It depends on $W_h$, and training can change $W_h$. Why there is so little
# room between fading and exploding is the subject of lesson 06. What gates do about it is the subject of lesson 07.
#
# ## 8 · Everywhere, but to whom?
#
# Attention reaches every word. Does an untrained layer *choose* any of them? Count how many words a row of $\alpha$ spreads
# over: $e^{\text{entropy}}$ is 11 when all weights are equal, and 1 when a single word gets everything. **Predict** the count
# for fresh weights. Then multiply the scores by 3, 10 and 30: which way does it go?


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

# %%
claim(
    "An untrained layer is close to an average over all words, and larger scores make it choose",
    min(words_seen[1]) > 9 and max(words_seen[30]) < 3,
    unit="of 11 words",
    scores_as_they_are=words_seen[1],
    scores_times_30=words_seen[30],
)

# %% [markdown]
# An untrained layer can reach *animal*, but it has no reason to prefer it. Training has to find queries and keys that match
# where it matters. You will train a layer to do so in lesson 10.
#
# You can see what such a match can do without any training. Set a layer by hand: let query and key both be the word itself,
# with the scores doubled. Then each word looks for words like itself. Shuffle the sentence 100 times. **Predict**: in how many of
# the orders does the second *the* find the first one? And in how many would a convolution of width 3 connect the two?

# %%
first, second = [position for position, word in enumerate(words) if word.lower() == "the"]
found, connected = [], []
for seed in range(100):
    order = torch.randperm(T, generator=torch.Generator().manual_seed(seed))
    shuffled, one, other = x[order], *(order.argsort()[[first, second]].tolist())
    weights = (2 * shuffled @ shuffled.T / C**0.5).softmax(dim=1)
    found.append(weights[other, [one, other]].sum().item())  # the weight on both
    connected.append(abs(one - other) <= 1)
print(f"attention: at least {min(found):.2f} of the weight lies on the two “the”, in every order")
print(f"convolution of width 3: connected in {sum(connected)} of 100 orders")

# %%
claim(
    "Attention finds the other “the” in every order, a window only when it happens to be near",
    min(found) > 0.9 and sum(connected) < 50,
    least_weight_on_both=min(found),
    orders_in_which_the_window_connects=sum(connected),
    of_orders=100,
)

# %% [markdown]
# This is the difference that matters. The weights of a convolution belong to *places*: $W_{-1}$ is for the word to the left,
# whichever word that is. The weights of attention belong to *content*: they are computed from the words of each sentence.
#
# There is one more property that is easy to miss. In our sentence both occurrences of *the* have the same vector. **Predict**
# for each flow: do the two get different vectors in return?

# %%
gaps = {name: (flow(x)[first] - flow(x)[second]).norm().item() for name, flow in flows.items()}
positions = torch.randn(T, C)
told = attend(x + positions)
gaps["attention with positions"] = (told[first] - told[second]).norm().item()
for name, gap in gaps.items():
    print(f"{name:24} the two “the” differ by {gap:.3f}")

# %%
cnn_gap, rnn_gap, attention_gap, told_gap = gaps.values()
claim(
    "Attention returns the same vector for both “the”, unless it is told the positions",
    attention_gap < 1e-5 < 1e-2 < min(cnn_gap, rnn_gap, told_gap),
    CNN=cnn_gap,
    RNN=rnn_gap,
    attention=attention_gap,
    attention_with_positions=told_gap,
)

# %% [markdown]
# To attention the sentence is a bag of words. Recurrence and convolution know the order from the way they read. Attention
# must be told, by a vector for each position that is added to the word. That is the fourth workflow of the stepper above.
#
# ## 9 · What does it cost to connect every pair?
#
# Attention links every pair of words directly. But it is not the only network that connects them all. Here are four that
# do, for a text of $T$ words:
#
# | network | layers | longest path |
# | --- | --- | --- |
# | plain convolutions, width 3 | $T - 1$ | $T - 1$ |
# | attention | 1 | 1 |
# | dilated convolutions, width 3, dilations 1, 2, 4, … | $\lceil \log_2 T \rceil$ | $\lceil \log_2 T \rceil$ |
# | bidirectional RNN | 1 | $T$ |
#
# The ruler first: does each of them really open all pairs?


# %%
def all_pairs(length):
    """Four networks in which each of `length` words can reach every other."""
    doubling = [2**n for n in range(math.ceil(math.log2(length)))]  # 1, 2, 4, …
    return {
        "plain convolutions": convolutions([1] * (length - 1)),
        "attention": attend,
        "dilated convolutions": convolutions(doubling),
        "bidirectional RNN": nn.RNN(C, C, bidirectional=True).requires_grad_(False),
    }


# %%
def ruled(length, seed):
    torch.manual_seed(seed)
    text = torch.randn(length, C)
    return {name: reach.influence(net, text) for name, net in all_pairs(length).items()}


# %%
measured = [ruled(32, seed) for seed in range(3)]
opened = {
    name: [100 * (run[name] > 0).float().mean().item() for run in measured] for name in measured[0]
}
claim(
    "All four networks connect all pairs of 32 words",
    all(min(shares) == 100 for shares in opened.values()),
    unit="% of the pairs",
    **{name.replace(" ", "_"): shares for name, shares in opened.items()},
)

# %% [markdown]
# Now the price. Torch counts the multiply-adds, for texts of 16 to 512 words. **Predict**: which of the four lines is on
# top at 512 words? Which is at the bottom? Which ones grow with the square of the length?


# %%
def multiply_adds(network, inputs):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(inputs)
    return counter.get_total_flops() / 2  # a multiply-add is two operations


# %%
costs = {name: {} for name in all_pairs(2)}
for length in (16, 32, 64, 128, 256, 512):
    for name, network in all_pairs(length).items():
        costs[name][length] = multiply_adds(network, torch.randn(length, C))
title = "A direct link per pair costs the square of the length;\nconnecting all pairs need not"
ax = plot_costs(costs, "multiply-adds", title, "words in the text")

# %% same_output=true
for name, cost in costs.items():
    to_attention = cost[512] / costs["attention"][512]
    print(
        f"{name:21} {cost[512] / 1e6:6.2f} million at 512 words, {to_attention:5.2f} × attention; "
        f"twice the length costs {cost[512] / cost[256]:.2f} times as much"
    )

# %%
at_512 = {name: cost[512] / costs["attention"][512] for name, cost in costs.items()}
claim(
    "To connect all pairs of 512 words, a dilated stack takes less than half of attention's "
    "multiply-adds, a bidirectional RNN less than a tenth, a plain stack more than tenfold",
    at_512["dilated convolutions"] < 0.5
    and at_512["bidirectional RNN"] < 0.1
    and at_512["plain convolutions"] > 10,
    unit="times attention",
    **{name.replace(" ", "_"): ratio for name, ratio in at_512.items()},
)

# %%
growth = {name.replace(" ", "_"): cost[512] / cost[256] for name, cost in costs.items()}
claim(
    "Twice the length: nearly fourfold for attention and fourfold for the plain stack, "
    "a little more than twofold for the dilated stack, twofold for the RNN",
    growth["attention"] > 3.5
    and growth["plain_convolutions"] > 3.5
    and growth["dilated_convolutions"] < 2.5
    and growth["bidirectional_RNN"] < 2.5,
    unit="times",
    **growth,
)

# %% [markdown]
# Attention is quadratic in the length, as everybody says: it computes a weight for each of the $T^2$ pairs. But in long
# texts all pairs can be connected for less. A dilated stack takes about $T \log T$, and a bidirectional RNN takes $T$. The
# plain stack pays the square as well, and its paths are long all the same.
#
# "Long" depends on the number of channels. Each layer of the stack multiplies by $C \times C$ matrices; attention does so
# only for its queries, keys and values, and its $T^2$ weights cost just $2C$ multiply-adds each. At which length does the dilated
# stack become cheaper? **Predict**: with 16 channels, and with 256?


# %%
def dilated_is_cheaper(channels):
    """The first length, of 16, 32, 64, …, at which the dilated stack takes fewer multiply-adds."""
    length = 16
    while math.log2(length) * 3 * channels**2 > 3 * channels**2 + 2 * length * channels:
        length *= 2  # left: per word, by the stack; right: by attention
    return length


# %%
dilated, direct = costs["dilated convolutions"], costs["attention"]
counted = next(length for length in direct if dilated[length] < direct[length])
from_length = {channels: dilated_is_cheaper(channels) for channels in (16, 64, 256)}
claim(
    "The more channels, the longer a text must be before the dilated stack is the cheaper one",
    counted == from_length[16] < from_length[64] < from_length[256],
    unit="words",
    counted_by_torch=counted,
    **{f"with_{channels}_channels": length for channels, length in from_length.items()},
)

# %% [markdown]
# So what does attention buy? Two things, and you have measured both. Every path has **length 1** (section 5). And its weights
# are **chosen by content**, not by place (section 8). Does the length of the path matter? Compare, in the maps that we have just
# measured, the faintest link with the strongest one. **Predict** the order of the four.

# %%
faintest = {
    name: [(run[name].min() / run[name].max()).item() for run in measured] for name in opened
}
for name, ratios in faintest.items():
    print(f"{name:21} faintest link: {min(ratios):.0e} to {max(ratios):.0e} of the strongest")

# %%
short = faintest["attention"] + faintest["dilated convolutions"]
long = faintest["plain convolutions"] + faintest["bidirectional RNN"]
claim(
    "Untrained, short paths keep every pair audible, and long ones do not",
    min(short) > 1e-3 and max(long) < 1e-4,
    unit="of the strongest link",
    **{name.replace(" ", "_"): ratios for name, ratios in faintest.items()},
)

# %% [markdown]
# Reachable is not the same as audible. All four networks connect all pairs, but in the two with long paths almost nothing
# of the far words is left, before training. How much is left depends on the weights, as in section 7.
#
# Multiply-adds are not seconds. The RNN is the cheapest here, but it must take its $T$ steps one after another, while
# attention and the dilated stack work on all positions at once, in few layers. (The plain stack needs so many layers
# that it waits as often as the RNN.) Lessons 11 and 12 measure the time.

# %% [markdown] quiz="what_attention_buys" points=1
# ### Quiz · what does attention buy?
#
# A colleague says: "We need attention here, because only attention lets every word reach every other word." What do you
# reply?
#
# - A. Right: the other networks leave some entries of the reach map at zero.
# - B. Other networks reach every pair as well, in long texts for less. Attention makes every path short and picks its
#   weights by content.
# - C. Right, and it is also the cheapest way to connect them.
# - D. Wrong: a bidirectional RNN does the same job, so attention buys nothing.
#
# ### BEGIN SOLUTION
# **B.** A deep enough stack of convolutions and a bidirectional RNN open every pair, and with 16 channels a dilated stack
# does so with fewer multiply-adds than attention at 512 words. What they lack is a path of length 1 and weights that depend on the words.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A** is true of three convolutions and of a single RNN, but not of the four networks in section 9.
# - **B** is right. Whether it is worth the square of the length depends on the task: that is what the course is about.
# - **C** was measured in section 9: at 512 words two of the four are cheaper.
# - **D** forgets the path. Over a distance $d$ it has $d + 1$ arrows, and before training almost nothing arrives from far away.
# </details>
#
# ## 10 · Three flows, side by side
#
# | | convolution | recurrence | self-attention |
# | --- | --- | --- | --- |
# | **picture** | a window that widens with depth | a message passed on, word by word | everybody asks everybody |
# | **reaches** | a band, both sides | all before, nothing after (both, if bidirectional) | all (with a mask: all before) |
# | **path over distance $d$** | $\lceil d/k \rceil$ layers; about $\log_2 d$ with dilation | $d + 1$ steps | 1 |
# | **steps that must wait** | one per layer | one per word | one per layer |
# | **cost of connecting all pairs** | grows with $T^2$; with $T \log T$ if dilated | grows with $T$, in both directions | grows with $T^2$ |
# | **weights depend on** | the offset | nothing: the same at every step | the content |
# | **knows the order** | yes | yes | only if told, or with a mask (lesson 10) |
# | **memory while it streams** | the window | one state, of fixed size | keys and values of all words so far |
# | **good at** | local patterns, small machines | streams, sensors, tight memory | links over any distance, training in parallel |
# | **bad at** | far links, unless deep or dilated | far links; training in parallel | very long inputs |
#
# You have counted or measured rows two to seven in this lesson. The last three are promises, and the lessons to come measure
# them: 02 and 03 for convolution, 05 to 08 for recurrence, 10 to 12 for attention.
#
# Which one should you take? Ask three questions. *How far apart are the things that belong together?* If they are near, take
# convolution; if they can be anywhere, attention. *Does the input arrive bit by bit, and must the memory stay small?* Then
# recurrence. *How long is the input, and what may it cost?* A text of 100,000 words has ten billion pairs. Real systems
# mix the three: a convolution in front to shorten the input and attention on top, or recurrent and attention layers in turn. In
# lesson 14 you choose one and defend your choice.
#
# ## 11 · Where they come from
#
# This is not a succession of kings. The three grew up side by side, and recurrence is back. **Predict** before you run the
# cell: how long is the longest pause in the list?

# %% covers="67"
start, end = longest_gap()
ax = plot_timeline(title=f"Three flows side by side, with a long pause: {start} to {end}")

# %% [markdown]
# The pause is one of this list, not of research: in those years the LSTM got its forget gate (Gers et al. 2000), for example.
# AlexNet, which ends it, is a LeNet grown up: 60 million parameters instead of 60 thousand, and 1.2 million images to train on,
# with two GPUs (numbers from the two papers). Before you call an idea dead, ask whether it only lacked data and a faster machine.

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
# **B.** The architecture decides which entries can differ from zero, and training decides how large those are. No weights
# can make a state depend on a word that has not been read yet. The fade depends on $W_h$, which training changes.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A** would let the RNN read ahead. There is no arrow from a later word to an earlier state, so the derivative is zero
#   whatever the weights are. A second RNN from right to left would open that half: a bidirectional RNN, lesson 07.
# - **B** is right. You have measured it: with a larger $W_h$ the influence fades more slowly in the same architecture.
# - **C** swaps the two. Zero by architecture stays zero, but small by weights does not have to stay small.
# - **D** is what people say. The fade that you measured is that of one initialisation.
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
    rnn_fade_per_word=[round(factor, 3) for factor in fade_per_word["W_h × 1"]],
    attention_words_of_11=[round(number, 2) for number in words_seen[1]],
    multiply_adds_at_512_over_attention={name: round(at_512[name], 2) for name in at_512},
)

# %% [markdown]
# - A stack of three convolutions and an RNN each open about half of the pairs: a band, and a triangle. Attention opens all.
# - From *animal* to *it* the RNN takes 8 steps, a CNN of width 3 takes 7 layers, a dilated one 3, attention 1.
# - In an untrained RNN with torch's own weights the influence about halves with each word, and that factor moves with $W_h$.
# - Untrained attention spreads over nearly all words. It chooses by content, and it does not know the order unless told.
# - In long texts a dilated stack or a bidirectional RNN connects all pairs for less than attention does. Attention is quadratic
#   in the length, and buys paths of length 1 and weights by content.
#
# ## If you have an hour more
#
# Dilations 1, 2, 4, … connect every pair of a text, and with $n$ layers of width 3 the longest text for which that works has
# $2^n$ words: 8 for three layers, 16 for four. Is doubling the best choice?
#
# Look for dilations that do better. With three layers 10 words are possible. How many can you do with four? Write
# `connects(dilations, length)`, with `reach.influence(convolutions(dilations), …)` or with plain sets, and search. Two things
# to think about: why does 1, 3, 9, 27 *not* connect 41 words, although every distance up to 40 is a sum of ±1, ±3, ±9 and ±27? And
# does the order of the layers matter? We have not found a rule that gives the best dilations for any number of layers.
#
# ## The symbols on one page
#
# Print this picture and keep it beside you for the rest of the course. It is also a file of its own:
# [docs/figures/00_symbols.png](../docs/figures/00_symbols.png).

# %% figure="symbols"
ax = plot_symbols()

# %% [markdown]
# <!-- next -->
#
# Before you go: run the cell under *Where you stand* again, and look at your squares.
#
# ## References
#
# - Jordan: *Serial Order: A Parallel Distributed Processing Approach*. ICS report 8604, UC San Diego, 1986.
# - LeCun et al.: *Backpropagation Applied to Handwritten Zip Code Recognition*. Neural Computation 1(4), 1989.
# - Elman: *Finding Structure in Time*. Cognitive Science 14(2), 1990.
# - Hochreiter: *Untersuchungen zu dynamischen neuronalen Netzen*. Diploma thesis, TU München, 1991; Bengio, Simard and Frasconi:
#   *Learning Long-Term Dependencies with Gradient Descent is Difficult*. IEEE Transactions on Neural Networks 5(2), 1994.
# - Hochreiter and Schmidhuber: *Long Short-Term Memory*. Neural Computation 9(8), 1997.
# - Schuster and Paliwal: *Bidirectional Recurrent Neural Networks*. IEEE Transactions on Signal Processing 45(11), 1997.
# - LeCun, Bottou, Bengio and Haffner: *Gradient-Based Learning Applied to Document Recognition*. Proceedings of the IEEE 86(11), 1998.
# - Gers, Schmidhuber and Cummins: *Learning to Forget: Continual Prediction with LSTM*. Neural Computation 12(10), 2000.
# - Krizhevsky, Sutskever and Hinton: *ImageNet Classification with Deep Convolutional Neural Networks*. NeurIPS 2012.
# - Cho et al.: *Learning Phrase Representations using RNN Encoder–Decoder for Statistical Machine Translation*. EMNLP 2014 (the GRU).
# - Sutskever, Vinyals and Le: *Sequence to Sequence Learning with Neural Networks*. NeurIPS 2014.
# - Simonyan and Zisserman: *Very Deep Convolutional Networks for Large-Scale Image Recognition*. arXiv 2014, ICLR 2015.
# - Bahdanau, Cho and Bengio: *Neural Machine Translation by Jointly Learning to Align and Translate*. arXiv 2014, ICLR 2015.
# - Yu and Koltun: *Multi-Scale Context Aggregation by Dilated Convolutions*. arXiv 2015, ICLR 2016.
# - He, Zhang, Ren and Sun: *Deep Residual Learning for Image Recognition*. arXiv 2015, CVPR 2016.
# - van den Oord et al.: *WaveNet: A Generative Model for Raw Audio*. 2016.
# - Vaswani et al.: *Attention Is All You Need*. NeurIPS 2017.
# - Radford et al.: *Improving Language Understanding by Generative Pre-Training*. OpenAI 2018; Devlin et al.: *BERT*. arXiv 2018, NAACL 2019.
# - Tan and Le: *EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks*. ICML 2019.
# - Dosovitskiy et al.: *An Image is Worth 16x16 Words*. arXiv 2020, ICLR 2021.
# - Liu et al.: *A ConvNet for the 2020s*. CVPR 2022.
# - Peng et al.: *RWKV: Reinventing RNNs for the Transformer Era*. EMNLP Findings 2023.
# - Gu and Dao: *Mamba: Linear-Time Sequence Modeling with Selective State Spaces*. arXiv 2023.
# - Beck et al.: *xLSTM: Extended Long Short-Term Memory*. arXiv 2024.
