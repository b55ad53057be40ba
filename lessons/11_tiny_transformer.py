# %% [markdown] question="which wins, at which budget?" write="causal attention, rotary positions, the block, the model, a cache" minutes=120
# # 11 · The tiny transformer: which wins, at which budget?
#
# In lesson 08 an LSTM read Shakespeare character by character, and carried everything it knew in one state. A transformer
# carries no state. It looks back. You know which of the two took over the world. But which one wins *here*, with sixty thousand
# parameters and the seconds that a laptop can spare? You will build a transformer from its parts, let it write, and let it
# race against an LSTM of the same size.
#
# When you are done (about 120 minutes) you can
#
# - write causal self-attention with rotary positions, the block and the model, and show that none of them sees the future;
# - take a part away and measure what it was worth;
# - compare two models so that the comparison holds: equal text, parameters and tuning, then equal characters or equal seconds;
# - say what length costs, in training and for each character that is written.
#
# You need lesson 08. Lesson 10 has attention in slow motion; section 1 repeats what you need of it. If you come from there,
# begin at exercise 11.1.

# %% setup=true
import json
import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from utils import data, models, notebook, paths, reach
from utils.checks import tiny_transformer as check
from utils.claims import claim
from utils.costs import crossing, memory_kept, processor_seconds, slope
from utils.models.text import rotate
from utils.notebook import payoff
from utils.plotting.costs import plot_costs
from utils.plotting.curves import plot_fade, plot_race, plot_scores_by_distance, plot_training
from utils.plotting.horizons import plot_horizon_panels, plot_horizons_by_seed
from utils.plotting.maps import plot_influence, plot_influences
from utils.plotting.runs import plot_bits, plot_heads
from utils.plotting.scaling import plot_against
from utils.plotting.style import VISIBLE
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
from utils.widgets.attention_viewer import attention_viewer
from utils.widgets.side_by_side import side_by_side

device = notebook.setup()
torch.set_num_threads(1)  # models this small gain little from a second core

# %% [markdown]
# ## The text, and what counting achieves
#
# The text is tiny Shakespeare, about a million characters. The last tenth is the **validation text**: nothing is trained on it,
# and every number of this lesson is measured on the whole of it. (No network and no copy of the text? Then you get English text
# that ships with Python. All cells run on it too, but the numbers in the prose are tiny Shakespeare's.)
#
# Our unit is **bits per character**: the mean of −log₂ of the probability that a model gave to the character that came next.
# Before any network runs, tables of counts set the mark. Which character followed these two, these four, these five?
# These are the smoothed n-grams of lesson 08.

# %%
corpus = data.corpus("tiny_shakespeare")
alphabet = corpus.alphabet
train_text, validation_text = (encode(part, alphabet) for part in (corpus.train, corpus.validation))
print(corpus)

# %%
V = len(alphabet)
counted = {n: models.NGram(n, V).fit(train_text).bits(validation_text) for n in (1, 3, 5, 6)}
print(f"all {V} characters alike: {math.log2(V):.2f} bits")
for n, bits in counted.items():
    print(f"{n}-gram: {bits:.2f} bits")

# %%
claim(
    "Longer tables read better, up to six characters",
    counted[1] > counted[3] > counted[5] > counted[6],
    of="tiny_shakespeare",
    unit="bits",
    three=counted[3],
    five=counted[5],
    six=counted[6],
)

# %% [markdown]
# Keep the last number in mind. The networks that you train in this lesson learn for seconds and will not reach it. In section 7
# you will meet two that learned for longer.
#
# ## 1 · Look back, never ahead
#
# Three positions, each with a vector of two numbers. The last position wants to know what stands before it. It compares
# its vector with each of the others: the dot product is the **score**. A softmax turns the scores into **weights** that add up
# to 1, and the weights mix the vectors. (The scores are divided by the root of the number of channels, here √2, so that they do
# not grow with it.)
#
# **Predict** before you run the cell: the last vector is (1, 1). To which of the three vectors will it give the largest weight?

# %% same_output=true
x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])  # (T, C) = (3, 2)
scores = [float(x[2] @ x[j]) / math.sqrt(2) for j in range(3)]
shares = [math.exp(score) for score in scores]
weights = [share / sum(shares) for share in shares]
mix = sum(weight * vector for weight, vector in zip(weights, x, strict=True))
print("scores ", [round(score, 2) for score in scores])
print("weights", [round(weight, 2) for weight in weights])
print("mix    ", [round(value, 2) for value in mix.tolist()])

# %% [markdown]
# To itself: half of the weight, and a quarter each to the other two.
#
# That was one position, in a loop. One matrix product does all three positions at once. But there is a rule to add: a
# model that predicts the next character must not see it. So the scores of *later* positions are set to −∞ **before** the softmax,
# and their weights become exactly 0.
#
# **Predict** the first row of the weights.

# %% same_output=true
later = torch.ones(3, 3).triu(1) == 1  # True above the diagonal
scores = (x @ x.T / math.sqrt(2)).masked_fill(later, -math.inf)
weights = scores.softmax(dim=-1)  # each row adds up to 1
print("scores\n", scores.numpy().round(2))
print("weights\n", weights.numpy().round(2))
print("mixes\n", (weights @ x).numpy().round(2))

# %% [markdown]
# The first position sees only itself. The last row is the one that you know.
#
# ### Two heads
#
# One set of weights can look for one thing only. So the channels are split among several **heads**, and each head compares
# its own channels. Here head 1 gets the first channel and head 2 the second. **Predict**: where will the last
# position look with head 1?

# %% same_output=true
heads = x.view(3, 2, 1).transpose(0, 1)  # (T, C) to (T, H, D) to (H, T, D), with D = C / H = 1
in_a_loop = torch.zeros(2, 3, 1)
for h, part in enumerate(heads):  # one head after the other; √D is 1
    weights = (part @ part.T).masked_fill(later, -math.inf).softmax(dim=-1)
    in_a_loop[h] = weights @ part
    print(f"head {h + 1}: the last position looks with weights {weights[2].numpy().round(2)}")

# %% [markdown]
# Each head prefers the positions that have its channel. A product of tensors with an axis for the heads does both at once, and
# the way back puts the heads side by side again.

# %%
scores = heads @ heads.mT  # (H, T, D) times (H, D, T) gives (H, T, T)
mixed = scores.masked_fill(later, -math.inf).softmax(dim=-1) @ heads  # (H, T, D)
output = mixed.transpose(0, 1).reshape(3, 2)  # (H, T, D) to (T, H, D) to (T, C)
claim(
    "One product over all heads gives what the loop over heads gives",
    torch.allclose(mixed, in_a_loop),
    largest_difference=float((mixed - in_a_loop).abs().max()),
)

# %% [markdown]
# A batch of texts is one more axis in front: (B, H, T, D). That is all there is to the four letters.
#
# One thing is missing. Above, a vector was compared with itself and mixed as it was. A trained layer has three matrices. They
# make of each vector a **query** (what am I looking for?), a **key** (what do I offer?) and a **value** (what do I hand over?):
#
# $$\alpha_{ij} = \underset{j \le i}{\text{softmax}}\ \frac{q_i \cdot k_j}{\sqrt D} \qquad\qquad z_i = \sum_{j \le i} \alpha_{ij}\, v_j$$
#
# | symbol | in code | shape |
# | --- | --- | --- |
# | $x$ | `x`: B texts, T positions, C channels | (B, T, C) |
# | $q, k, v$ | the three thirds of `x @ w_in.T` | (B, T, C) each; with H heads (B, H, T, D), D = C / H |
# | $q_i \cdot k_j / \sqrt D$ | scores | (B, H, T, T), a row for each query |
# | $\alpha$ | softmax of the scores along each row | (B, H, T, T) |
# | $z$ | `alpha @ v`, heads side by side again | (B, T, C) |
# | output | `z @ w_out.T` | (B, T, C) |
#
# (D is the $d_k$ of lessons 00 and 10: queries, keys and values of a head all have C / H channels here.)

# %% [markdown]
# ### Exercise 11.1 · causal self-attention
# ●●○ · about 20 minutes · 3 points
#
# Write `causal_attention(x, w_in, w_out, heads)`. `w_in` (3C, C) holds the rows for all queries, then those for all keys, then
# those for all values. The first D channels belong to the first head, and so on. Return the output (B, T, C). By loops or by
# matrix products, both pass.


# %% answer="causal_attention"
def causal_attention(
    x: torch.Tensor, w_in: torch.Tensor, w_out: torch.Tensor, heads: int
) -> torch.Tensor:
    """Self-attention of x (B, T, C), looking back only; w_in (3C, C), w_out (C, C). (B, T, C) out.

    >>> eye = torch.eye(2)
    >>> causal_attention(torch.tensor([[[1.0, 0.0]]]), eye.repeat(3, 1), eye, heads=1)
    tensor([[[1., 0.]]])
    """
    ### BEGIN SOLUTION
    batch, time_steps, width = x.shape
    thirds = (x @ w_in.T).chunk(3, dim=-1)
    q, k, v = (t.view(batch, time_steps, heads, -1).transpose(1, 2) for t in thirds)  # (B, H, T, D)
    scores = q @ k.mT / math.sqrt(width // heads)  # (B, H, T, T)
    later = torch.ones(time_steps, time_steps, device=x.device).triu(1) == 1
    weights = scores.masked_fill(later, -math.inf).softmax(dim=-1)
    z = (weights @ v).transpose(1, 2).reshape(batch, time_steps, width)
    return z @ w_out.T
    ### END SOLUTION


# %% check="causal_attention"
check.causal_attention(causal_attention)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# One product with `w_in.T`, cut in three. Then heads, scores, mask, softmax, mix, heads together, `w_out`.
# With loops: for each text, head and position i, take a softmax over the positions up to i.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# (B, T, C) → `view(B, T, heads, D)` → `transpose(1, 2)` → (B, heads, T, D). The way back is the same two steps in reverse.
# </details>
# <details><summary>Help: I get nan</summary>
#
# A row whose scores are all −∞ has nothing to share out. A position may see itself: keep the diagonal.
# </details>
# <details><summary>Help: right with one head, wrong with two</summary>
#
# A reshape from (B, T, C) straight to (B, heads, T, D) has the right shape and the wrong numbers: it cuts across
# positions. Split the last axis, then transpose. And √D belongs to one head.
# </details>
# <details><summary>Help: the check speaks of a look into the future</summary>
#
# It compares two texts that differ only at their last position. If an earlier output differs, your mask lets the future
# through.
# </details>

# %% [markdown]
# Here is a leak test as a picture: the influence of each input on each output of *your* function. Grey means exactly nothing.
# **Predict** where the grey is.

# %% payoff="causal_attention"
with payoff("causal_attention"):
    x = torch.randn(1, 24, 8)
    w_in, w_out = torch.randn(24, 8) / 2, torch.randn(8, 8) / 2
    seen = reach.influence(lambda x: causal_attention(x, w_in, w_out, heads=2), x)
    ax = plot_influence(seen, title="The future is grey")
    print(f"largest influence of a later input: {seen.triu(1).max():.1f}")

# %% [markdown]
# ## 2 · Who stands where?
#
# The scores compare *what* is at two positions. They do not know *where* the two are. **Predict**: the first two of five vectors
# change places. Which outputs notice, after one layer of attention? And after two?


# %% same_output=true
def look(x):
    """Causal attention in which each vector is its own query, key and value."""
    return F.scaled_dot_product_attention(x, x, x, is_causal=True)


x = torch.randn(1, 5, 4, generator=torch.Generator().manual_seed(1))
swapped = x[:, [1, 0, 2, 3, 4]]
for layers, stack in {"one layer": look, "two layers": lambda x: look(look(x))}.items():
    noticed = ~torch.isclose(stack(x), stack(swapped), atol=1e-6).all(dim=-1)
    print(f"{layers}: positions that notice: {noticed[0].nonzero().flatten().tolist()}")

# %% [markdown]
# With one layer, nobody from position 2 on notices that the order has changed: a position can find out how many stand before it
# (lesson 10), but not in which order. With two, the causal mask gives it away, because the first two positions have themselves
# seen different things. That is little to go by.
#
# The first transformer *added* a vector for each place to its inputs (Vaswani et al. 2017). Many later ones have **rotary
# positions** instead (Su et al. 2021), and so will yours. Think of a pair of channels as an arrow in the plane. Turn the
# query at position 5 by 5 steps, and the key at position 3 by 3 steps. What is left in their dot product? **Predict** which of
# the four scores below are equal.


# %% same_output=true
def turned(arrow, angle):
    """An arrow (a, b), turned by an angle in radians."""
    (a, b), c, s = arrow, math.cos(angle), math.sin(angle)
    return torch.tensor([a * c - b * s, a * s + b * c])


query, key = (1.0, 0.0), (0.8, 0.6)
for i, j in [(2, 0), (5, 3), (105, 103), (5, 0)]:
    score = turned(query, i) @ turned(key, j)
    print(f"query at {i:3}, key at {j:3}: score {score:+.3f}")

# %% [markdown]
# The first three are equal. If both arrows are turned by the same angle, the angle between them stays. So the score depends on
# what the two hold and on their **distance** $i - j$, and on nothing else.
#
# One speed is not enough: after a full turn, far looks like near again. So each pair has a speed of its own, from 1
# radian per position down to almost none. Fast pairs tell neighbours apart, slow ones tell near from far. For pair
# $(a, b)$ number $i$ at position $t$:
#
# $$\theta = t \cdot 10000^{-2i/D} \qquad a' = a\cos\theta - b\sin\theta \qquad b' = a\sin\theta + b\cos\theta$$
#
# | symbol | in code | meaning |
# | --- | --- | --- |
# | $D$ | `x.shape[-1]` | channels of a head, an even number |
# | $t$ | 0, 1, … T − 1 | the position, along `x.shape[-2]` |
# | $i$ | 0, 1, … D / 2 − 1 | which pair |
# | $a$, $b$ | channels $i$ and $i + D/2$ | the two of a pair: the first half of the channels and the second |

# %% [markdown]
# ### Exercise 11.2 · rotary positions
# ●●○ · about 12 minutes · 2 points
#
# Write `rotary(x)`. It takes queries or keys x (…, T, D), with any axes in front, and returns them in the same shape, each pair
# turned according to its position.


# %% answer="rotary"
def rotary(x: torch.Tensor) -> torch.Tensor:
    """Queries or keys x (…, T, D), each pair (i, i + D / 2) turned by its angle.

    >>> rotary(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor([[3., 4.],
            [0., 0.]])
    """
    ### BEGIN SOLUTION
    half = x.shape[-1] // 2
    speeds = 10_000.0 ** -(torch.arange(half, device=x.device) / half)  # (D / 2,)
    angles = torch.arange(x.shape[-2], device=x.device)[:, None] * speeds  # (T, D / 2)
    cosine, sine = angles.cos(), angles.sin()
    a, b = x.chunk(2, dim=-1)  # (…, T, D / 2) each
    return torch.cat([a * cosine - b * sine, a * sine + b * cosine], dim=-1)
    ### END SOLUTION


# %% check="rotary"
check.rotary(rotary)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# First all angles, a table with a row for each position and a column for each pair. Then the two formulas, on whole tensors.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# `positions[:, None] * speeds` is (T, D / 2). `x.chunk(2, dim=-1)` gives two tensors (…, T, D / 2), and the angles fit both,
# whatever stands in front.
# </details>
# <details><summary>Help: right for D = 2, wrong for D = 4</summary>
#
# Each pair has its own speed, and pairs are not neighbours: channel 0 goes with channel D / 2, not with channel 1.
# </details>
# <details><summary>Help: position 0 changes</summary>
#
# Its angle is 0, so cos = 1 and sin = 0, and nothing may change. Count from 0, and look whether sine and cosine are swapped.
# </details>

# %% [markdown]
# If it works, then the score of a query and a key depends on their distance alone. Here is one query at position 63 and the
# same one at position 255, and 60 equal keys before each.

# %% payoff="rotary"
with payoff("rotary"):
    arrows = rotary(torch.ones(256, 16)) / 4  # 256 positions that all hold the same
    scores = {
        f"query at position {place}": [float(arrows[place] @ arrows[place - d]) for d in range(60)]
        for place in (255, 63)
    }
    plot_scores_by_distance(scores, "Your rotary: the score depends on the distance alone")
    far, near = (torch.tensor(values) for values in scores.values())
    claim(
        "With rotary positions, the score depends on the distance alone",
        torch.allclose(far, near, atol=1e-3),
        largest_difference=float((far - near).abs().max()),
    )

# %% [markdown]
# The waves are the fast pairs and the slow slope is the slow ones. A trained head weighs the pairs as it needs them.
#
# ## 3 · The block
#
# Attention moves information between positions. Then each position processes it on its own: a matrix makes the vector four
# times as long, a nonlinearity bends it, and a second matrix brings it back. That is the **feed-forward** part. Both parts only
# *add* to a stream that runs through the whole model: each is a **residual** step (lesson 04). So there is always a short way back to the input, however deep the stack.
#
# What a part reads is normalised first, so that it always meets numbers of about the same size. RMS norm divides a vector by
# the root of the mean of its squares. **Predict**: what does it make of (3, 4)?

# %% same_output=true
x = torch.tensor([3.0, 4.0])
size = x.square().mean().sqrt()
print(f"root mean square {size:.3f}, normalised {[round(v, 3) for v in (x / size).tolist()]}")

# %% [markdown]
# $$x \leftarrow x + \text{attend}(\text{norm}(x)) \qquad\qquad x \leftarrow x + W_{\text{down}}\ \text{relu}(W_{\text{up}}\ \text{norm}(x))$$
#
# | symbol | in code | shape |
# | --- | --- | --- |
# | $x$ | `x`, the stream | (…, T, C) |
# | attend | `attend`, a function: positions exchange information | (…, T, C) to (…, T, C) |
# | $W_{\text{up}}$ | `w_up` | (4C, C) |
# | $W_{\text{down}}$ | `w_down` | (C, 4C) |
# | norm | yours to write, or `F.rms_norm` | (…, T, C) to (…, T, C) |

# %% [markdown]
# ### Exercise 11.3 · the block
# ●●○ · about 10 minutes · 2 points
#
# Write `block(x, attend, w_up, w_down)`. It returns the stream after both steps. Each position has its own norm, whether x
# is one text (T, C) or several (B, T, C).


# %% answer="block"
def block(x: torch.Tensor, attend, w_up: torch.Tensor, w_down: torch.Tensor) -> torch.Tensor:
    """The stream x (…, T, C) after attention and feed-forward, each on a normalised copy.

    >>> block(torch.ones(1, 2), lambda s: 0 * s, torch.eye(2), torch.eye(2))
    tensor([[2., 2.]])
    """

    ### BEGIN SOLUTION
    def norm(s):
        return s / s.square().mean(dim=-1, keepdim=True).sqrt()

    x = x + attend(norm(x))
    inside = (norm(x) @ w_up.T).relu()  # (…, T, 4C)
    return x + inside @ w_down.T
    ### END SOLUTION


# %% check="block"
check.block(block)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Two steps of the form x = x + part(norm(x)). The second part is two products with a ReLU between them.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# The mean runs over the channels: `mean(dim=-1, keepdim=True)`. With `keepdim` it stays (…, T, 1) and divides each row.
# Matrices are stored as in `nn.Linear`, outputs first, so multiply by `w_up.T`.
# </details>
# <details><summary>Help: my numbers are smaller than expected</summary>
#
# You normalised the stream itself, or after adding. The stream is never normalised on its way, only what the parts read.
# </details>

# %% [markdown]
# Stack your block, with random weights. **Predict**: after eight blocks, does a position still depend most on itself?


# %%
def look_back(s, mix):
    """Causal attention whose queries, keys and values are the stream itself."""
    return F.scaled_dot_product_attention(s, s, s, is_causal=True) @ mix


# %% payoff="block"
with payoff("block"):
    random = partial(torch.randn, generator=torch.Generator().manual_seed(0))
    layers = [(random(16, 16) / 8, random(64, 16) / 8, random(16, 64) / 8) for _ in range(8)]

    def stack(x, depth):
        for mix, up, down in layers[:depth]:
            x = block(x, partial(look_back, mix=mix), up, down)
        return x

    names = {1: "1 block", 2: "2 blocks", 8: "8 blocks"}
    start = random(1, 24, 16)
    maps = {name: reach.influence(partial(stack, depth=n), start) for n, name in names.items()}
    plot_influences(maps)
    first = (maps["8 blocks"].argmax(dim=1) == torch.arange(24)).float().mean()
    claim(
        "After eight random blocks, most positions still depend most on themselves",
        bool(first > 0.8),
        share_of_positions=float(first),
    )

# %% [markdown]
# The bright diagonal is the stream. And every earlier position is one step away, in the first block already: no window has to
# grow, as in lesson 03, and nothing has to be handed on from state to state.
#
# ## 4 · The model
#
# Tokens go in and logits come out. An embedding turns each character into C numbers, and the blocks work on them. After a last
# norm, one linear layer makes V logits per position, and `F.cross_entropy` does the rest.
#
# | symbol | in code | shape |
# | --- | --- | --- |
# | tokens | `tokens` | (B, T), whole numbers from 0 to V − 1 |
# | V, C | `vocabulary`, `width` | |
# | logits | `model(tokens)` | (B, T, V): at each position, for the character *after* it |

# %% [markdown]
# ### Exercise 11.4 · the model
# ●●● · about 25 minutes · 3 points
#
# Write `build_transformer(vocabulary, width, heads, layers)`. It returns an `nn.Module` that turns tokens (B, T) into logits
# (B, T, vocabulary), for any B and any T up to 256. Its stream is `width` wide, and it knows where each token stands. It has
# `layers` blocks, each with weights of its own. A block adds two things to the stream: causal attention with `heads` heads, and
# a feed-forward part, 4 × `width` wide inside, with a nonlinearity there. Where the norms stand, how the model is told
# positions, how the scores are scaled and how the weights begin is up to you.
#
# A class will do: `class build_transformer(nn.Module)`. Your `block` and your `rotary` are good parts. For the attention, write a
# method that turns queries and keys before it compares them. You may use `F.scaled_dot_product_attention(q, k, v,
# is_causal=True)`, which is fast; you have written it by hand once. This model will race, and it will write.


# %% answer="build_transformer"
class build_transformer(nn.Module):
    """Tokens (B, T) in, logits (B, T, vocabulary) out.

    >>> build_transformer(65, 48, 3, 2)(torch.zeros(3, 7, dtype=torch.long)).shape
    torch.Size([3, 7, 65])
    """

    def __init__(self, vocabulary: int, width: int, heads: int, layers: int):
        super().__init__()

        ### BEGIN SOLUTION
        def matrices(rows: int, columns: int) -> nn.ModuleList:
            return nn.ModuleList(nn.Linear(columns, rows, bias=False) for _ in range(layers))

        self.heads = heads
        self.embedding = nn.Embedding(vocabulary, width)
        self.w_in, self.w_out = matrices(3 * width, width), matrices(width, width)
        self.w_up, self.w_down = matrices(4 * width, width), matrices(width, 4 * width)
        self.head = nn.Linear(width, vocabulary)
        ### END SOLUTION

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        ### BEGIN SOLUTION
        x = self.embedding(tokens)  # (B, T, C)
        for layer, (up, down) in enumerate(zip(self.w_up, self.w_down, strict=True)):
            x = block(x, partial(self.attend, layer=layer), up.weight, down.weight)
        return self.head(F.rms_norm(x, x.shape[-1:]))

    def attend(self, x: torch.Tensor, layer: int) -> torch.Tensor:
        thirds = self.w_in[layer](x).chunk(3, dim=-1)
        q, k, v = (t.unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in thirds)
        z = F.scaled_dot_product_attention(rotary(q), rotary(k), v, is_causal=True)
        return self.w_out[layer](z.transpose(1, 2).flatten(2))
        ### END SOLUTION


# %% check="build_transformer"
check.build_transformer(build_transformer)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# In `__init__`: an embedding, the four matrices of each layer, a linear layer to the logits. In `forward`: embed, one call of
# `block` per layer, norm, logits.
# </details>
# <details><summary>Hint: the weights of a block</summary>
#
# Each layer has `nn.Linear`s from width to 3 × width, to width, to 4 × width and back to width. Their `.weight` is what
# `block` takes. Keep them in `nn.ModuleList`s, or write a small class for one layer.
# </details>
# <details><summary>Help: one more layer adds no parameters</summary>
#
# `[layer] * 2` lists the same layer twice. Make a new one each time, in `nn.ModuleList(Layer(…) for _ in range(layers))`.
# A plain Python list hides its layers from the optimizer.
# </details>
# <details><summary>Help: the logits of a text change with its neighbours in the batch</summary>
#
# torch's attention layers take (T, B, C) unless you say `batch_first=True`.
# </details>
# <details><summary>Help: __init__ looks fine and the check still says "not attempted"</summary>
#
# It says which function raised NotImplementedError. `forward` has a stub of its own, and so have the functions that it uses.
# </details>

# %% [markdown]
# ### Overfit one batch
#
# Before you train a new model on a million characters, train it on very few, again and again. If it cannot memorise them,
# something is broken. This test has found more mistakes than any other. **Predict**: eight windows of 64 characters, 150 steps.
# How many bits per character will be left?

# %%
CONTEXT = 64  # characters of a window
whole_text = validation_text.unfold(0, CONTEXT + 1, CONTEXT)  # in windows, one after the other
validation = Batches(whole_text[:, :-1], whole_text[:, 1:], size=64)


def trained(model, recipe, characters, seed, looks=1):
    """Train on windows from random places; return what `fit` saw of the whole validation text."""
    inputs, targets = windows(train_text, CONTEXT, round(characters / CONTEXT), seed)
    options = dict(lr=recipe["lr"], muon=recipe["muon"], clip=1.0, metric="bits per character")
    batches = Batches(inputs, targets, size=recipe["size"])
    return fit(model, batches, validation, validations=looks, label="", **options)


# %% payoff="build_transformer"
with payoff("build_transformer"):
    seed_everything(0)
    one_batch = Batches(*windows(train_text, CONTEXT, 8, seed=0), size=8)
    options = dict(lr=0.0125, clip=1.0, metric="bits per character", validations=1, label="")
    model = build_transformer(V, 48, 3, 2)
    history = fit(model, one_batch, validation, epochs=150, **options)
    bits = [loss / math.log(2) for loss in history.losses]
    plot_training(
        {"yours": bits}, {}, "Eight windows, again and again: each step, and the mean of 20"
    )
    claim(
        "It can memorise 512 characters, which says nothing about text it has not seen",
        bits[-1] < 0.5 and history.best > 4,
        of="tiny_shakespeare",
        unit="bits",
        on_them=bits[-1],
        on_the_validation_text=history.best,
    )

# %% [markdown]
# How large is such a model? A block has 3C² weights for queries, keys and values, C² for `w_out`, and twice 4C² for the
# feed-forward part: 12C² in all. Here are the parameters of the course's own model, `models.Transformer`. It has rotary
# positions, too, a scale for each channel in its norms, and no biases.

# %% same_output=true
C, L = 48, 2
norms, ends = (2 * L + 1) * C, 2 * 65 * C  # a scale for each channel; embedding and head
counted_by_hand = L * 12 * C**2 + norms + ends
in_torch = count_parameters(models.Transformer(65, C, heads=3, layers=L))
print(f"{counted_by_hand:,} by hand, {in_torch:,} in torch")

# %% [markdown]
# ## 5 · Each part earns its place
#
# Heads, positions, residuals, norms: are all of them needed? Take one away, train again, and see. Each variant reads the same
# number of characters, with three seeds. They are made of the course's model, so that only one thing differs.
#
# **Predict** the order: which part would you miss most? Which one least?


# %%
def replacing(block, x, rotation, cache=None):
    """A block whose parts replace the stream instead of adding to it."""
    return block.mlp(block.norm2(block.attention(block.norm1(x), rotation, cache)))


def variant(name):
    """The course's model without one of its parts."""
    model = models.Transformer(V, 48, 1 if name == "one head" else 3, 2)
    for block in model.blocks:
        # The course's model begins these two at 0: without residuals, nothing would pass.
        block.attention.out.reset_parameters()
        block.mlp[-1].reset_parameters()
        if name == "no residuals":
            block.forward = partial(replacing, block)
        if name == "no norms":
            block.norm1 = block.norm2 = nn.Identity()
    if name == "no norms":
        model.norm = nn.Identity()
    if name == "no positions":  # all angles are 0
        model.rotation = lambda x, past=0: (x.new_ones(1, 8), x.new_zeros(1, 8))
    return model


# %%
FEW, SEEDS = 80_000, range(3)
names = ("all parts", "one head", "no norms", "no residuals", "no positions")
quick = dict(size=8, lr=0.0125, muon=0.03125)  # windows in a step, and two rates: see section 6
variants = {}
for name in names:
    for seed in SEEDS:
        seed_everything(seed)
        variants[name, seed] = variant(name)


def train_variant(name, seed):
    return trained(variants[name, seed], quick, FEW, seed).best


bits_of = in_parallel({key: partial(train_variant, *key) for key in variants}, "two at a time")
parts = {name: [bits_of[name, seed] for seed in SEEDS] for name in names}

# %% figure="parts"
plot_bits(parts, f"What each part is worth after {FEW:,} characters")

# %%
mean = {name: sum(bits) / len(bits) for name, bits in parts.items()}
everything = parts["all parts"]
claim(
    "Without positions, and without residuals, it reads clearly worse",
    min(parts["no positions"] + parts["no residuals"]) > max(everything) + 0.05,
    of="tiny_shakespeare",
    unit="bits",
    all_parts=everything,
    no_positions=parts["no positions"],
    no_residuals=parts["no residuals"],
)
claim(
    "One head instead of three changes little here, and without norms it is no worse",
    abs(mean["one head"] - mean["all parts"]) < 0.1 and mean["no norms"] < mean["all parts"] + 0.05,
    of="tiny_shakespeare",
    unit="bits",
    all_parts=everything,
    one_head=parts["one head"],
    no_norms=parts["no norms"],
)

# %% [markdown]
# Each dot is a seed, so you can see which gaps are larger than chance. All this holds for two blocks and a few seconds of
# training. Residuals and norms are there for *depth*, and two blocks are not deep (lesson 04 takes a hundred). Even so, these
# two read worse without residuals. (A likely reason: without the stream, each character is replaced by a mixture, and nothing
# says which one was the last.) The norms were not needed at all, and one head was enough: lesson 10 has a task that one head cannot
# do, but a few seconds of Shakespeare do not ask for two places at once yet. These are findings about a small budget: do not
# take the parts out of a deep network because of them.
#
# ## 6 · A fair race
#
# "A beats B" means nothing until you say *at equal what*. Here is what we hold equal, and what usually goes wrong:
#
# | equal | how | the usual slip |
# | --- | --- | --- |
# | text | the same training text, the same validation text, all of it | training loss reported |
# | unit | bits per character for both | nats taken for bits: a "gain" of 31 % |
# | parameters | within ±5 % | the newer model is also the larger one |
# | tuning | eighteen recipes each, the best one stays | one of the two was tuned for a week |
# | budget | once the same characters, once the same seconds | only one of the two |
# | what each may know | windows of 64 characters, nothing before them | one has read the whole text before |
# | chance | three seeds | one |
#
# ### The same effort of tuning
#
# "The same learning rate for both" sounds fair and is not: a rate that suits one architecture may cripple the other. What is
# fair is the same *effort*. Each model got eighteen recipes, each in a run of eight seconds, and the best stays: 4, 8 or 16 windows in
# a step; three learning rates; and one of two optimizers. AdamW you know. **Muon** (Jordan et al. 2024) takes a whole matrix of
# weights at once, and makes the step equally long in all directions in which its gradient points. (Embedding, biases and logits
# stay with AdamW.) All that took too long for a lesson, so `python -m bench.record_comparison` did it once and stored what came
# out. **Predict**: will both models want the same recipe?

# %%
record = json.loads((paths.RECORDED / "lstm_and_transformer.json").read_text())
recipes = {name: tried[0] for name, tried in record["tuning"].items()}
for name, tried in record["tuning"].items():
    print(f"{name}, the best and the worst three of {len(tried)}:")
    for recipe in tried[:3] + tried[-3:]:
        size, lr, muon, bits = recipe.values()
        optimizer = f"Muon at {muon:g} and AdamW" if muon else "AdamW"
        print(f"  {bits:.2f} bits: {size:2} windows, {optimizer} at {lr:g}")

# %%
by_optimizer = {
    name: {
        "AdamW": min(recipe["bits"] for recipe in tried if not recipe["muon"]),
        "Muon": min(recipe["bits"] for recipe in tried if recipe["muon"]),
    }
    for name, tried in record["tuning"].items()
}
for name, bits in by_optimizer.items():
    print(f"{name}: best with AdamW {bits['AdamW']:.2f} bits, best with Muon {bits['Muon']:.2f}")
claim(
    "In eight seconds Muon brings the transformer further than AdamW (recorded)",
    by_optimizer["transformer"]["Muon"] < by_optimizer["transformer"]["AdamW"] - 0.05,
    unit="bits",
    **by_optimizer["transformer"],
)
claim(
    "For the LSTM the two differ by less than a twentieth of a bit (recorded)",
    abs(by_optimizer["LSTM"]["Muon"] - by_optimizer["LSTM"]["AdamW"]) < 0.05,
    unit="bits",
    **by_optimizer["LSTM"],
)

# %% [markdown]
# Both end up with Muon and with 16 windows, the largest batch that was tried. For the transformer the optimizer matters. For the LSTM the
# difference is no larger than what another seed makes. And do not expect these bits again: the best of eighteen single runs is a lucky one.
# Later on each model is trained with its best recipe and three seeds.

# %% [markdown]
# ### The same size
#
# The LSTM of lesson 08 has an embedding (V × C), four gates, each with two C × C matrices and *two* biases
# (torch keeps one beside each matrix), and a linear layer to V logits with its bias. **Predict**: the transformer is 48
# wide, with two blocks. Is an LSTM of the same size wider or narrower?

# %% same_output=true
for name, p in models.CharLSTM(vocabulary=2, width=1).named_parameters():
    print(f"{name:20} {tuple(p.shape)}")

# %% [markdown]
# So $P_{\text{LSTM}}(C)$, the parameters of an LSTM that is C wide, is the sum of three parts:
#
# $$\text{embedding: } VC \qquad \text{four gates: } 4\,(C\cdot C + C\cdot C + C + C) \qquad \text{logits: } CV + V$$
#
# | symbol | in code | meaning |
# | --- | --- | --- |
# | $P$ | `budget` | parameters that it may have |
# | $V$ | `vocabulary` | how many characters there are |
# | $C$ | the answer | width of the embedding and of the state |

# %% [markdown]
# ### Exercise 11.5 · an LSTM of the same size
# ●○○ · about 8 minutes · 1 point
#
# Write `lstm_width(budget, vocabulary)`. It returns the largest width C whose LSTM has at most `budget` parameters. The budget
# always pays for a width of 1.


# %% answer="lstm_width"
def lstm_width(budget: int, vocabulary: int) -> int:
    """The widest LSTM that `budget` parameters pay for; embedding and state have the same width.

    >>> lstm_width(22, 2)
    1
    """
    ### BEGIN SOLUTION
    width = 0
    while True:
        wider = width + 1
        gates = 4 * (2 * wider**2 + 2 * wider)
        if 2 * vocabulary * wider + vocabulary + gates > budget:
            return width
        width = wider
    ### END SOLUTION


# %% check="lstm_width"
check.lstm_width(lstm_width)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Count for C = 1, 2, 3, … until it is too much. Or solve the quadratic equation and round down.
# </details>
# <details><summary>Help: I am a little too wide</summary>
#
# Something is missing from your count. The shapes above show everything there is; most often it is the second bias.
# </details>

# %% payoff="lstm_width"
with payoff("lstm_width"):
    budget = count_parameters(models.Transformer(V, 48, 3, 2))
    width = lstm_width(budget, V)
    found = count_parameters(models.CharLSTM(V, width))
    print(f"transformer {budget:,} parameters, an LSTM {width} wide {found:,}")

# %% [markdown]
# Here are the two that will race. If you have written `build_transformer`, the transformer is **yours**.

# %%
entrant, whose = partial(models.Transformer, V, 48, 3, 2), "the course's transformer"

# %% payoff="build_transformer"
with payoff("build_transformer"):
    build_transformer(V, 48, 3, 2)
    entrant, whose = partial(build_transformer, V, 48, 3, 2), "your transformer"

# %%
budget = count_parameters(entrant())
width = max(c for c in range(1, 120) if count_parameters(models.CharLSTM(V, c)) <= budget)
builders = {"LSTM": partial(models.CharLSTM, V, width), "transformer": entrant}
sizes = {name: count_parameters(build()) for name, build in builders.items()}
print(f"An LSTM of {sizes['LSTM']:,} parameters against {whose} of {sizes['transformer']:,}.")
claim(
    "The two that race differ by less than 5 % in size",
    abs(sizes["LSTM"] / sizes["transformer"] - 1) < 0.05,
    whose=whose,
    unit="parameters",
    **sizes,
)

# %% [markdown] quiz="fair" points=1
# ### Quiz · what to ask first
#
# A blog post says: "Our transformer reaches a loss of 1.45, the LSTM 2.05. Same data, same number of
# epochs." Which question do you ask *first*?
#
# - A. Do both numbers have the same unit, and do they come from the same validation text?
# - B. How many heads does the transformer have?
# - C. Did the LSTM use dropout?
# - D. Which of the two was easier to write?
#
# ### BEGIN SOLUTION
# **A.** 1.45 nats are 2.09 bits. If one number is in nats and the other in bits, the LSTM is ahead.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A** is right: 1.45 / ln 2 = 2.09. And a training loss beside a validation loss says nothing at all.
# - **B** is a detail of one model. It can explain a difference, once there is one.
# - **C**: the same. After unit and split come parameters, tuning, budget and seeds.
# - **D** is worth knowing, but does not say which one predicts better.
# </details>

# %% [markdown]
# ### Equal characters, then equal seconds
#
# First both read the same number of characters. Then the faster one gets more of them, as many as fit into the seconds of the
# slower one. Every run is trained from start to finish with its own schedule, and there are three seeds of each.
#
# **Predict** both races. Which one learns more from the same text? Which one learns more in the same time?


# %%
def train_racer(model, name, characters, seed):
    """Train one model; return its bits against characters and against seconds."""
    history = trained(model, recipes[name], characters, seed, looks=2)
    seen = [step * recipes[name]["size"] * CONTEXT for step in history.steps]
    return LearningCurve(seen, history.seconds, history.validation)


def race(characters):
    """Train three seeds of each of these models, two at a time: {name: [(model, run), …]}."""
    racers, tasks = {}, {}
    for seed in SEEDS:
        for name, count in characters.items():
            seed_everything(seed)
            racers[name, seed] = builders[name]()
            tasks[name, seed] = partial(train_racer, racers[name, seed], name, count, seed)
    runs = in_parallel(tasks, "two at a time")
    return {name: [(racers[name, seed], runs[name, seed]) for seed in SEEDS] for name in characters}


# %%
CHARACTERS = 140_000
equal_characters = race(dict.fromkeys(builders, CHARACTERS))
seconds = {n: sum(run.seconds[-1] for _, run in runs) / 3 for n, runs in equal_characters.items()}
for name, value in seconds.items():
    print(f"{name}: {CHARACTERS / value:,.0f} characters per second")

# %%
slower, faster = max(seconds, key=seconds.get), min(seconds, key=seconds.get)
more = CHARACTERS * seconds[slower] / seconds[faster]
equal_seconds = {slower: equal_characters[slower]} | race({faster: more})
print(f"in the seconds of the {slower}, the {faster} reads {more:,.0f} characters")

# %% figure="race" covers="59"
runs = {name: [run for _, run in equal_characters[name]] for name in builders}
runs[f"{faster}, equal seconds"] = [run for _, run in equal_seconds[faster]]
plot_race(
    runs, {"6-gram": counted[6]}, "One race, two rulers: three seeds each, a mark where a run ends"
)

# %%
final = {
    what: {name: [run.bits[-1] for _, run in group[name]] for name in builders}
    for what, group in {"characters": equal_characters, "seconds": equal_seconds}.items()
}
for what, bits in final.items():
    claim(
        f"At equal {what}, for a few seconds, the LSTM reads better: no seed of it is behind",
        max(bits["LSTM"]) < min(bits["transformer"]),
        of="tiny_shakespeare",
        whose=whose,
        unit="bits",
        **bits,
    )

# %% [markdown]
# Both start far behind the table of counts, which has counted the whole training text before the race begins.
#
# In this race each model meets every window as if nothing had come before. An LSTM need not: it can carry its state from one
# window to the next, as in lesson 08. **Predict**: how much does that give, for a model that has never been trained to do it?

# %%
in_order = Streams(validation_text, 16, CONTEXT)
carried = [evaluate(model, in_order, "bits per character") for model, _ in equal_seconds["LSTM"]]
alone = final["seconds"]["LSTM"]
claim(
    "The LSTM reads better when it may carry its state along",
    all(a > b for a, b in zip(alone, carried, strict=True)),
    of="tiny_shakespeare",
    whose=whose,
    unit="bits",
    windows_alone=alone,
    state_carried=carried,
)

# %% [markdown]
# That is why "what each may know" is a row of the table.
#
# ### And with more time?
#
# Races of seconds reward a quick start. The record holds longer ones: the course's transformer and the LSTM, from short runs to
# long ones, each with a schedule of its own, one core, three seeds.
#
# **Predict**: does the LSTM stay ahead, or does the order turn over?

# %% figure="longer" covers="59"
curves = {
    "LSTM, its state carried along": ("LSTM", "bits_carried"),
    "LSTM, windows alone": ("LSTM", "bits_in_windows"),
    "transformer, windows": ("transformer", "bits_in_windows"),
}
recorded = {
    label: {int(s): [run[key] for run in seeds] for s, seeds in record["runs"][name].items()}
    for label, (name, key) in curves.items()
}
plot_against(
    recorded,
    "training time of the whole run (s, one core)",
    "bits per character",
    "The same seconds for both, from short runs to long ones (recorded)",
    level=("6-gram", counted[6]),
)

# %%
lstm, transformer = recorded["LSTM, windows alone"], recorded["transformer, windows"]
leads = {
    f"lead_after_{seconds}_s": [b - a for a, b in zip(bits, transformer[seconds], strict=True)]
    for seconds, bits in lstm.items()
}
shortest, *_, longest = leads.values()
claim(
    "On windows alone, the lead shrinks as the runs get longer: after two minutes none is left",
    min(shortest) > 0.3 and abs(sum(longest) / 3) < 0.03,
    unit="bits",
    **leads,
)
claim(
    "With its state carried along, the LSTM is ahead after two minutes as well",
    max(recorded["LSTM, its state carried along"][128]) < min(transformer[128]),
    unit="bits",
    LSTM=recorded["LSTM, its state carried along"][128],
    transformer=transformer[128],
)

# %% [markdown]
# Four times the seconds, and the gap on windows alone is half of what it was, or less. A short race rewards a quick start. The
# longer the race, the more it rewards what an architecture can use. Where the LSTM may carry its state, it keeps an advantage
# of its own, as the transformer has nothing to carry from window to window. (Both used the recipe that was best in eight
# seconds, which may not be the best one for two minutes.)
#
# So "which wins?" is no question until three things are said: the budget, what is held equal, and what each may know. The option
# `--budgets 512` of the recorder looks further out.
#
# ### Larger, or more text?
#
# The record also has both architectures with about a quarter of the parameters, after few characters and after four times as
# many. **Predict**: you have a small model, trained on little text, and may now spend four times the operations. Do you make it
# four times larger, or let it read four times as much?

# %% covers="56"
scaling = {
    name: {int(characters): bits for characters, bits in group.items()}
    for name, group in record["sizes"].items()
}
plot_against(
    scaling,
    "training characters",
    "bits per character",
    "Four times the text, or four times the size? (recorded)",
)

# %%
few, many = scaling["small LSTM"]
for name in builders:
    small, large = scaling[f"small {name}"], scaling[f"large {name}"]
    claim(
        f"For the {name}, four times the text helps more than four times the size",
        sum(small[many]) < sum(large[few]),
        of="tiny_shakespeare",
        unit="bits",
        small=small[few],
        larger=large[few],
        read_more=small[many],
        both=large[many],
    )

# %% [markdown]
# Both help, and at these sizes text helps more: for the same operations, the small model that has read four times as much is
# ahead of the large one. At equal text the larger one is ahead, as Kaplan et al. (2020) found for far larger models. Which size
# is best depends on what you hold equal: for a given number of operations, size and text should grow together (Hoffmann et al.
# 2022).
#
# ## 7 · What they write, and where they look
#
# Here are two models that had more time. They come with the course, with a card that says how they were made. The LSTM has one
# layer of 512 cells, the transformer has two blocks, so yours is its little sister.

# %%
best = {
    "LSTM": models.pretrained("char_lstm"),
    "transformer": models.pretrained("char_transformer"),
}
cards = {"LSTM": models.card("char_lstm"), "transformer": models.card("char_transformer")}
for name, card in cards.items():
    size, read = card["architecture"]["parameters"], card["read"]
    print(f"{name}: {size:,} parameters, {read / 1e6:.1f} million characters read", end=", ")
    print(f"{card['seconds'] / 60:.0f} minutes of one core")

# %%
measured = {name: card["measured"]["shipped"] for name, card in cards.items()}
claim(
    "Both read the validation text better than the best table of counts",
    max(measured.values()) < counted[6],
    of="tiny_shakespeare",
    unit="bits",
    six_gram=counted[6],
    **measured,
)

# %% [markdown]
# So the tables can be beaten, in half an hour of one core and many passes over the text. (These two are no race: the LSTM has
# three times the parameters.)
#
# ### What they write
#
# The same prompt, continued by three writers: these two, and the transformer that has just raced. **Predict**: what will yours
# get right after a few seconds of training, and what not?


# %%
def writer(model, context=None):
    """Continue a prompt with one of the models, which reads the last `context`, or all."""
    letters = getattr(model, "alphabet", alphabet)

    def write(prompt: str, count: int, temperature: float, seed: int) -> str:
        start, draw = encode(prompt, letters), torch.Generator().manual_seed(seed)
        tokens = models.generate(model, start, count, temperature, draw, context)
        return decode(tokens, letters)

    return write


# %%
writers = {f"the trained {name}": writer(model) for name, model in best.items()}
writers[f"{whose}, after seconds"] = writer(equal_characters["transformer"][0][0], CONTEXT)
letters = "".join(c for c in best["LSTM"].alphabet if c in alphabet)
side_by_side(writers, "GREMIO:\n", letters, count=180)

# %% [markdown]
# Yours has learned that there are words, and about how long they are. The trained ones know the speakers, the verse, a good
# deal of grammar, and nothing of what they are talking about.
#
# ### How far back does it help to look?
#
# The course's ruler: hide all but the last k characters, predict the same places of the validation text, and see what is lost. The
# **horizon** is the smallest k whose loss is within 0.01 bits of the best.
#
# There is a trap in it. A model that sees only k characters starts from nothing, in the middle of a word, and it hardly ever
# met that in training. Does it lack what it cannot see, or is it only not used to such a start? Khandelwal et al. (2018) have a
# control: put text from *another place* in front, so that only the last k characters are true. Then nothing begins in the
# middle.
#
# **Predict**: will the foreign text help, or mislead? Up to which k? And whose horizon is longer? (The transformer has read a quarter
# more, see above.)

# %%
known = set(best["LSTM"].alphabet)  # other data may have characters that these two never met
reading, elsewhere = (
    encode("".join(c for c in part if c in known), best["LSTM"].alphabet)
    for part in (corpus.validation, corpus.train[:100_000])
)
foreign = elsewhere.unfold(0, 48, 1000)  # (100, 48): pieces from other places


def behind_foreign(model):
    """The model, but with 48 characters from another place in front of what it reads."""

    def read(tokens):
        pieces = foreign[torch.arange(len(tokens)) % len(foreign)]
        return model(torch.cat([pieces, tokens], dim=1))

    return read


# %%
lengths = (1, 2, 4, 8, 16, 32, 64, 128)
ruler = partial(reach.context_horizon, text=reading, lengths=lengths, positions=150)
readers = {(name, "nothing before"): model for name, model in best.items()}
readers |= {(name, "foreign text before"): behind_foreign(model) for name, model in best.items()}
found = in_parallel({key: partial(ruler, model) for key, model in readers.items()})
horizons = {
    name: {what: found[name, what] for what in ("nothing before", "foreign text before")}
    for name in best
}

# %% figure="two_horizons"
plot_horizon_panels(horizons, "Only the last k characters are true: what is lost?")

# %%
differ = {}
for name, pair in horizons.items():
    plain, control = (dict(zip(lengths, one.bits, strict=True)) for one in pair.values())
    differ[name] = {k: control[k] - plain[k] for k in lengths}
    claim(
        f"For the {name}, wrong text in front is worse than none, and at 64 it is forgotten",
        differ[name][1] > 0.5 and abs(differ[name][64]) < 0.05,
        of="tiny_shakespeare",
        unit="bits",
        worse_at_1=differ[name][1],
        at_8=differ[name][8],
        at_64=differ[name][64],
    )
claim(
    "The transformer drops wrong text sooner than the LSTM does",
    differ["transformer"][8] < differ["LSTM"][8] / 2,
    of="tiny_shakespeare",
    unit="bits",
    **{f"{name}_worse_at_8": by_length[8] for name, by_length in differ.items()},
)

# %%
gained, error, beyond = {}, {}, {}
for name, pair in horizons.items():
    plain = pair["nothing before"]
    bits = dict(zip(lengths, plain.bits, strict=True))
    gained[name], beyond[name] = bits[16] - bits[64], bits[64] - bits[128]
    error[name] = plain.excess_spread[lengths.index(16)]
    print(f"{name:12} from 17 to 64: {gained[name]:.3f} bits, give or take {error[name]:.3f}")
claim(
    "The trained LSTM gains from characters 17 to 64",
    gained["LSTM"] > 1.5 * error["LSTM"],
    of="tiny_shakespeare",
    unit="bits",
    gained=gained["LSTM"],
    standard_error=error["LSTM"],
)
claim(
    "Beyond 64 characters neither of the two gains anything",
    max(map(abs, beyond.values())) < 0.02,
    of="tiny_shakespeare",
    unit="bits",
    **beyond,
)

# %% [markdown]
# The marker stands at the horizon, and the band is one standard error to each side (150 places). Compare the transformer's gain with its
# error: by so few places its horizon may be 64, or as well 16.
#
# The start from nothing is not what hurts at small k: with wrong text in front it is worse, because the models believe it.
# Behind 64 true characters nothing is left of the wrong ones. The saying that an LSTM "forgets past about 50 characters" fits
# what you see here. But the transformer, which could look back 256, gains nothing beyond 64 either. At this size, it is the
# *use* of the past that ends there.
#
# ### The same, at equal reading
#
# These two have not read the same amount. Your racers have: here are their horizons after equal characters, three seeds each.
# **Predict**: how much do they gain beyond 16 characters?

# %%
short = (1, 2, 4, 8, 16, 32, 64)
equal_reading = {
    name: [
        reach.context_horizon(model, validation_text, short, positions=400)
        for model, _ in equal_characters[name]
    ]
    for name in builders
}
plot_horizons_by_seed(
    equal_reading, None, f"After {CHARACTERS:,} characters of training, both stop gaining early"
)

# %%
gains = {
    name: [seed.bits[short.index(16)] - seed.bits[-1] for seed in seeds]
    for name, seeds in equal_reading.items()
}
claim(
    "After so little reading, neither gains much from what lies more than 16 characters back",
    max(max(values) for values in gains.values()) < 0.1,
    of="tiny_shakespeare",
    whose=whose,
    unit="bits",
    **gains,
)
early = {name: [seed.horizon for seed in seeds] for name, seeds in equal_reading.items()}
claim(
    "Their horizons are 32 characters at most, and the LSTM's are no longer than the transformer's",
    max(map(max, early.values())) <= 32 and max(early["LSTM"]) <= min(early["transformer"]),
    of="tiny_shakespeare",
    whose=whose,
    unit="characters",
    **early,
)

# %% [markdown]
# The transformer even gets a little worse with more than 16 or 32 characters: it has hardly learned to choose, so more text is more noise.
# The horizon is not a property of the architecture alone. It grows with what a model has learned. That is why a study of
# forgetting needs a model that had something to remember.
#
# ### Farther than ever before
#
# All models of section 5 were trained on windows of 64 characters. Rotary positions work for any length, so nothing keeps them
# from reading 256. **Predict**: will four times the context help, do nothing, or harm?
#
# If it harms, there are two suspects. The *angles* of such distances never occurred in training. Or the softmax has four times as
# many keys to share its weight among (*dilution*). To tell them apart, we let three models read 256 characters in three ways: as
# they are; with every distance above 63 replaced by 63, so that no angle is new; and with everything more than 63 back hidden.


# %%
def reading_far(attention, far, x, rotation, cache=None):
    """Attention (B, T, C) in which keys more than 63 back are turned as if at 63, or hidden."""
    back = torch.arange(x.shape[1])[:, None] - torch.arange(x.shape[1])
    q, k, v = attention.project(x, rotation)  # queries and keys turned by their positions
    scores = q @ k.mT
    if far == "far keys as if at 63":
        q, k, _ = attention.project(x, (torch.ones(1, 8), torch.zeros(1, 8)))  # not turned
        scores = torch.where(back > 63, rotate(q, *(part[63] for part in rotation)) @ k.mT, scores)
    if far == "far keys hidden":
        scores = scores.masked_fill(back > 63, -math.inf)
    scores = scores.masked_fill(back < 0, -math.inf) / q.shape[-1] ** 0.5
    return attention.out((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))


# %%
FAR = ("as it is", "far keys as if at 63", "far keys hidden")


def bits_far(model):
    """Loss behind 64 and behind 256 characters, for each way to treat far keys."""
    bits = {}
    for far in FAR:
        for block in model.blocks:
            block.attention.forward = partial(reading_far, block.attention, far)
        bits[far] = reach.context_horizon(model, validation_text, (64, 256), positions=100).bits
    for block in model.blocks:
        del block.attention.forward
    return bits


read_far = in_parallel({seed: partial(bits_far, variants["all parts", seed]) for seed in SEEDS})
ways = {far: [read_far[seed][far] for seed in SEEDS] for far in FAR}
results = {"64 characters": [bits[0] for bits in ways["as it is"]]}
results |= {f"256, {far}": [bits[1] for bits in found] for far, found in ways.items()}
plot_bits(results, "Trained on windows of 64: what do 256 characters do?")

# %%
as_it_is, clamped, hidden = list(results.values())[1:]
near = results["64 characters"]
claim(
    "Four times the trained length harms, as it is",
    min(a - b for a, b in zip(as_it_is, near, strict=True)) > 0.1,
    of="tiny_shakespeare",
    unit="bits",
    at_64=near,
    at_256=as_it_is,
)
average = {name: sum(bits) / len(bits) for name, bits in results.items()}
base, harm, without_angles, without_far = average.values()
claim(
    "Without new angles, a part of the harm is gone, but not all",
    0.03 < without_angles - base < 0.85 * (harm - base),
    of="tiny_shakespeare",
    unit="bits",
    as_if_at_63=clamped,
)
claim(
    "With the far keys hidden, all of it is gone",
    max(abs(h - n) for h, n in zip(hidden, near, strict=True)) < 0.05,
    of="tiny_shakespeare",
    unit="bits",
    hidden=hidden,
)

# %% [markdown]
# Both suspects are guilty. What goes when no angle is new was the angles' doing. What is left must come from the keys
# themselves: there are four times as many as ever before, and each takes its share. Models that are to read more than they
# were trained on need a remedy for both.
#
# ### Who listens to whom?
#
# Back to the trained transformer. How many characters does a head really listen to? Lesson 00 had a measure: the exponential of
# the entropy of its weights. It is 1 if one character gets everything, and n if n characters get equal shares.
#
# **Predict**: before training, are the heads near 1 or near n? And after?


# %%
def listened_to(model, tokens):
    """Characters that each head listens to (layers, H), the mean over half the text."""
    entropy = torch.special.entr(model.attention(tokens[None])[:, 0]).sum(-1)  # (layers, H, T)
    return entropy.exp()[..., len(tokens) // 2 :].mean(-1)


fresh = models.Transformer(**cards["transformer"]["architecture"]["arguments"])
before, after = (listened_to(model, reading[:128]) for model in (fresh, best["transformer"]))
even = sum(range(65, 129)) / 64  # all that are visible, alike

# %%
seen = {"before training": before.flatten().tolist()}
seen |= {f"trained, layer {i}": heads.tolist() for i, heads in enumerate(after, start=1)}
plot_heads(seen, even, "Training makes heads choose")

# %%
claim(
    "Before training, every head listens to nearly all characters",
    float(before.min()) > 0.8 * even,
    unit="characters",
    fewest=float(before.min()),
    even=even,
)
claim(
    "Trained heads choose, and not all alike: some listen to a few characters, others to many",
    float(after.min()) < even / 4 and float(after.max()) > 2 * float(after.min()),
    of="tiny_shakespeare",
    unit="characters",
    fewest=float(after.min()),
    most=float(after.max()),
    even=even,
)

# %% [markdown]
# A wide head is not a lazy one: an average over many characters is information, too, such as "this is a list of names". Choose
# a layer, a head and a character, and see.

# %%
shown = reading[:32]
weights = best["transformer"].attention(shown[None])[:, 0]
attention_viewer(weights, decode(shown, best["transformer"].alphabet))

# %% [markdown]
# A weight says where a head looks. It does not say what the prediction owes to it (lesson 10 has more on the difference). For
# that there is the ruler of lesson 00: the influence of each input on the logarithm of the probability of the character that
# really came.
#
# Each row is on its own scale. **Predict**: where do the rows of the LSTM fall steeply? And which characters do many rows of the
# transformer depend on?


# %%
def answers(model, tokens):
    """What `influence` needs: from vectors to the log-probability of each next character."""

    def read(vectors):
        output = model.read(vectors)
        logits = output[0] if isinstance(output, tuple) else output
        return logits.log_softmax(-1).gather(-1, tokens[None, 1:, None])  # (1, T, 1)

    return read


def influence_of(model, tokens, at=None):
    vectors = model.embedding(tokens[None, :-1]).detach()
    return reach.influence(answers(model, tokens), vectors, at=at)


line = reading[:25]
letters = list(decode(line[:-1], best["LSTM"].alphabet).translate(VISIBLE))
maps = {name: influence_of(model, line) for name, model in best.items()}
by_row = {name: each / each.amax(dim=1, keepdim=True) for name, each in maps.items()}
plot_influences(by_row, letters, "influence, relative to the largest of its row (grey: none)")

# %% [markdown]
# In this passage the LSTM forgets in steps: what stands before a line break weighs much less after it. The transformer picks single
# characters, near ones and far ones.
#
# And over long distances? Thirty texts of 192 characters, the influence of each on the last prediction, as a share of all
# influence in its text.

# %%
starts = torch.linspace(0, len(reading) - 194, 30).long().tolist()
shares = {}
for name, model in best.items():
    found = [influence_of(model, reading[s : s + 193], at=-1).flip(0) for s in starts]
    shares[name] = torch.stack([one / one.sum() for one in found])  # (texts, distances)
title = "The LSTM fades, the transformer keeps listening (30 texts)"
plot_fade(shares, title, ylabel="share of all influence")

# %%
beyond = {name: float(100 * values[:, 64:].sum(1).mean()) for name, values in shares.items()}
claim(
    "What lies beyond 64 characters influences the transformer far more than the LSTM",
    beyond["transformer"] > 3 * beyond["LSTM"],
    of="tiny_shakespeare",
    unit="% of all influence",
    **beyond,
)

# %% [markdown]
# In the LSTM, influence fades by about the same factor with each step, over many powers of ten. (Its line ends where it falls
# below 10⁻⁸; the influence goes on falling.) In the transformer it falls at
# first and then hardly any more: every character is one step away, and a little of each is always mixed in. But the horizon has
# shown that it gains nothing from there. **To be able to see is not to have learned to look.**
#
# ## 8 · What length costs
#
# An LSTM waits: T characters are T steps, one after the other. Attention does all positions at once, and compares every pair: T²
# comparisons. Here is a third one to compare with, a causal CNN of the same size, which sees a window of 63 characters.


# %%
class CausalCNN(nn.Module):
    """Five convolutions, kernel 3, dilations 1, 2, 4, 8, 16, padded on the left only: reach 63."""

    def __init__(self, vocabulary: int, width: int):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.layers = nn.ModuleList(nn.Conv1d(width, width, 3, dilation=2**i) for i in range(5))
        self.head = nn.Linear(width, vocabulary)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.embedding(tokens).transpose(1, 2)  # (B, C, T)
        for layer in self.layers:
            x = x + layer(F.pad(x, (2 * layer.dilation[0], 0))).relu()
        return self.head(x.transpose(1, 2))  # (B, T, V)


# %%
contenders = {
    "LSTM": models.CharLSTM(V, 79),
    "causal CNN": CausalCNN(V, 60),
    "transformer": models.Transformer(V, 48, 3, 2),
}
print({name: count_parameters(model) for name, model in contenders.items()})
long_text = train_text[:4097].clone()


def loss_of(model: nn.Module, n: int) -> torch.Tensor:
    """The loss of one text of n characters."""
    output = model(long_text[None, :n])
    logits = output[0] if isinstance(output, tuple) else output
    return F.cross_entropy(logits[0], long_text[1 : n + 1])


# %% [markdown]
# Both axes of the next figure are logarithmic, so a slope of 1 means that twice the length takes twice the time, and a slope of
# 2 means four times. **Predict** the three slopes.


# %% covers="55"
def fastest(calls, rounds=2):
    """Processor seconds of the fastest of a few calls of each: the others were disturbed."""
    return {name: min(taken) for name, taken in processor_seconds(calls, rounds).items()}


ns = (128, 256, 512, 1024, 2048, 4096)
step_seconds = {
    name: fastest({n: lambda m=model, n=n: loss_of(m, n).backward() for n in ns})
    for name, model in contenders.items()
}
plot_costs(
    step_seconds,
    "processor seconds per text, there and back",
    "Time of a training step: who bends upwards?",
)

# %%
last = {name: slope({n: by_length[n] for n in ns[-3:]}) for name, by_length in step_seconds.items()}
claim(
    "The time of a step grows in proportion for the LSTM, and faster than that for the transformer",
    0.7 < last["LSTM"] < 1.3 < last["transformer"],
    **{f"slope_of_the_{name}".replace(" ", "_"): value for name, value in last.items()},
)

# %% [markdown]
# Twice the text is twice the work for the LSTM and the CNN. The transformer bends upwards. A part of its work for a character
# does not depend on n (the 12C² weights of each block). Another part, the look back, grows with n. Once that is the larger one,
# the slope goes towards 2.
#
# **Predict** the slopes for the memory that has to be kept for the way back: for the LSTM, for the transformer with torch's fused attention,
# and for one that writes its weights down.

# %% covers="55"
memory = {
    name: {n: memory_kept(partial(loss_of, model, n), model) / 2**20 for n in ns}
    for name, model in contenders.items()
}
with sdpa_kernel(SDPBackend.MATH):
    model = contenders["transformer"]
    memory["transformer, weights written down"] = {
        n: memory_kept(partial(loss_of, model, n), model) / 2**20 for n in ns[:4]
    }

# %%
grows = {name: slope(dict(list(values.items())[-3:])) for name, values in memory.items()}
claim(
    "Memory grows faster than the length only where the weights are written down",
    grows["transformer"] < 1.2 < 1.4 < grows["transformer, weights written down"],
    LSTM=grows["LSTM"],
    fused=grows["transformer"],
    written_down=grows["transformer, weights written down"],
)

# %% [markdown]
# The square is not a law of attention. It comes from writing the T × T weights down. torch's fused function never does: it works
# through them in tiles and computes them again on the way back (Rabe and Staats 2021, Dao et al. 2022). Then memory grows
# in proportion, as for the others. The *time* still has the square.
#
# ### Where they cross
#
# The textbook says: a recurrent layer costs n · d², attention n² · d, so they cross where **n ≈ d**. (n is its letter for our T, and d for
# our C.) Let us count more exactly. An
# LSTM layer of width d multiplies each character with eight d × d matrices, four for the input and four for the state: 8 n d².
# Attention has two products, the scores and the mixing of the values: 2 n² d. They are equal where n = 4 d. For d = 64 that is
# n = 256.
#
# A clock may say something else. **Predict** where the *seconds* of one layer cross, for d = 64.

# %% covers="55"
d = 64
recurrent = nn.LSTM(d, d)
runs = {
    "LSTM layer": lambda x: recurrent(x),
    "attention": lambda x: F.scaled_dot_product_attention(*3 * [x[None, None]], is_causal=True),
}
with torch.no_grad():
    layer_seconds = {
        name: fastest({n: lambda w=work, n=n: w(torch.randn(n, d)) for n in ns})
        for name, work in runs.items()
    }
meet = crossing(layer_seconds["attention"], layer_seconds["LSTM layer"])
print(f"by the clock they meet at n = {meet:,.0f}, by the count at {4 * d}")

# %% [markdown]
# Count and clock need not agree. The LSTM *waits*: each of its n steps is a small product that has to be finished before the
# next one begins, and a processor with many cores cannot help. Attention does its operations in larger products. Where the
# two meet is a property of the machine, so this is a number without a claim: run it on yours.
#
# ## 9 · One character after the other
#
# In training the transformer has all positions at once. When it writes, it does not: each new character comes last. If you are
# naive, the model reads everything again for each of them. But nothing about the earlier characters has changed. Their keys and
# values can be *kept*: that is the **key–value cache**.
#
# **Predict**: with a cache, does one more character cost the same at position 100 and at position 4,000?

# %% same_output=true
keys = torch.tensor([[1.0, 0.0]])  # what is kept of the first position
values = torch.tensor([[5.0, 0.0]])
q, k, v = torch.tensor([0.0, 0.0]), torch.tensor([0.0, 1.0]), torch.tensor([0.0, 7.0])
keys, values = torch.cat([keys, k[None]]), torch.cat([values, v[None]])
weights = (keys @ q).softmax(0)
print("weights", weights.tolist(), "output", (weights @ values).tolist())

# %% [markdown]
# | symbol | in code | shape |
# | --- | --- | --- |
# | $x_n$ | `x`, the new position alone | (C,) |
# | $k_0 \dots k_{n-1}$ | `keys`, of the positions before it | (n, C), n may be 0 |
# | $v_0 \dots v_{n-1}$ | `values` | (n, C) |
# | | `w_in`, `w_out`, `heads` | as in 11.1 |

# %% [markdown]
# ### Exercise 11.6 · attention with a cache
# ●●○ · about 15 minutes · 2 points
#
# Write `cached_attention(x, keys, values, w_in, w_out, heads)`. It returns three things: the output (C,) at the new
# position, and keys and values (n + 1, C) with the new row at their end. Change nothing in place.


# %% answer="cached_attention"
def cached_attention(
    x: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    w_in: torch.Tensor,
    w_out: torch.Tensor,
    heads: int,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The output (C,) of one new position x (C,), and the cache (n + 1, C) that it leaves behind.

    >>> eye, none = torch.eye(2), torch.zeros(0, 2)
    >>> cached_attention(torch.tensor([1.0, 0.0]), none, none, eye.repeat(3, 1), eye, heads=1)[0]
    tensor([1., 0.])
    """
    ### BEGIN SOLUTION
    q, k, v = (x @ w_in.T).chunk(3)
    keys, values = torch.cat([keys, k[None]]), torch.cat([values, v[None]])
    outputs = []
    for query, key, value in zip(
        q.chunk(heads), keys.chunk(heads, dim=1), values.chunk(heads, dim=1), strict=True
    ):
        weights = (key @ query / math.sqrt(len(query))).softmax(dim=0)  # (n + 1,)
        outputs.append(weights @ value)
    return torch.cat(outputs) @ w_out.T, keys, values
    ### END SOLUTION


# %% check="cached_attention"
check.cached_attention(cached_attention)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Append first, then look. The new position may see all rows, its own included, so no mask is needed.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# Head h owns D columns of `keys` and `values`, and D numbers of the query. Its weights are (n + 1,).
# </details>
# <details><summary>Help: the first position is right and the second is not</summary>
#
# With an empty cache, many mistakes are invisible. Does your query see old rows *and* its own? Is √D the root of one head's size?
# </details>

# %% payoff="cached_attention"
with payoff("cached_attention"):
    x = torch.randn(40, 16)
    w_in, w_out = torch.randn(48, 16) / 4, torch.randn(16, 16) / 4
    keys = values = torch.zeros(0, 16)
    one_by_one = []
    for position in x:
        z, keys, values = cached_attention(position, keys, values, w_in, w_out, 4)
        one_by_one.append(z)
    q, k, v = (t.view(40, 4, 4).transpose(0, 1) for t in (x @ w_in.T).chunk(3, dim=-1))
    at_once = (
        F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(0, 1).reshape(40, 16)
    )
    apart = float((torch.stack(one_by_one) - at_once @ w_out.T).abs().max())
    print(f"the cache has {len(keys)} rows")
    claim(
        "Forty positions one by one give what all at once give, up to rounding",
        apart < 1e-4,
        largest_difference=apart,
    )

# %% [markdown]
# The course's model keeps such a cache in each layer. Does it write the same text with and without it? Is it faster?

# %%
model, start = best["transformer"], reading[:16]
with_cache = models.generate(model, start, 100, temperature=0)
without = models.generate(model, start, 100, temperature=0, context=10_000)  # reads all again
taken = processor_seconds(
    {
        "with": lambda: models.generate(model, start, 100, temperature=0),
        "without": lambda: models.generate(model, start, 100, temperature=0, context=10_000),
    },
    rounds=2,
)
ratios = [b / a for a, b in zip(taken["with"], taken["without"], strict=True)]
claim(
    "With a cache the model writes the same 100 characters, faster",
    torch.equal(with_cache, without) and min(ratios) > 1.2,
    times_as_fast=ratios,
)


# %% [markdown]
# And how does the time of one more character depend on how many came before? **Predict** the slopes of four ways to write: an
# LSTM with its state, the causal CNN on the last 63 characters, the transformer with a cache, and the transformer that reads
# all again.


# %%
def one_more(model, n: int):
    """A call that reads one more character, of a model that has read n and kept what it needs."""
    read = model.reader()
    read(long_text[None, :n])
    return lambda: read(long_text[None, n : n + 1])


lstm, cnn, model = contenders.values()
with torch.no_grad():
    character = {
        "LSTM, one state": fastest({n: one_more(lstm, n) for n in ns}),
        "causal CNN, last 63": fastest({n: lambda: cnn(long_text[None, :63]) for n in ns}),
        "transformer, cache": fastest({n: one_more(model, n) for n in ns}),
        "transformer, all again": fastest({n: lambda n=n: model(long_text[None, :n]) for n in ns}),
    }
plot_costs(
    character,
    "processor seconds per character",
    "One more character: flat, flat, nearly flat, steep",
)

# %%
ends = {name: by_length[4096] / by_length[128] for name, by_length in character.items()}
claim(
    "One more character costs an LSTM the same behind 4,096 as behind 128; to read all again, not",
    ends["LSTM, one state"] < 2 and ends["transformer, all again"] > 10,
    unit="times",
    LSTM=ends["LSTM, one state"],
    cache=ends["transformer, cache"],
    all_again=ends["transformer, all again"],
)

# %% [markdown]
# The LSTM is the cheapest and flat, whatever came before. The CNN is flat too: it forgets what has left its window. Reading
# everything again is steep, and the cache takes most of that away. Most, and not all: each character still looks at all before
# it. In a model this small, the fixed price of calling some dozens of functions hides that at first. Behind some thousand characters you
# can see it.
#
# And in memory? What each has to keep for the next character can be counted exactly: a state; the last 62 characters (the 63rd
# is the new one); a cache.

# %% same_output=true
kept = {"LSTM, one state": {}, "causal CNN, last 62": {}, "transformer, cache": {}}
with torch.no_grad():
    for n in ns:
        text, cache = torch.zeros(1, n, dtype=torch.long), models.Cache()
        models.Transformer(65, 48, 3, 2)(text, cache)
        _, state = models.CharLSTM(65, 79)(text)
        parts = sum(part.nbytes for part in state), text[:, -62:].nbytes, cache.bytes
        for by_length, size in zip(kept.values(), parts, strict=True):
            by_length[n] = size
for name, by_length in kept.items():
    print(f"{name}: {by_length[128]:,} bytes after 128 characters, {by_length[4096]:,} after 4,096")
print(f"one character in the cache: {cache.bytes / 4096:.0f} bytes")

# %% [markdown]
# The state of the LSTM is smaller than what the transformer keeps of its *first* character. That is the trade of this lesson in
# one line: the LSTM forgets and stays small; the transformer keeps everything and pays for it. Lesson 12 looks for what lies
# between.

# %% [markdown] quiz="cache" points=1
# ### Quiz · the price of a character
#
# A chat model with a cache answers a long prompt. Which statement is true?
#
# - A. With the cache, each new character costs the same, however long the text is.
# - B. With the cache, the look back for one new character grows in proportion to the length; for a whole text of n it still adds up to n².
# - C. The cache changes the text that is written, a little.
# - D. An LSTM would need a cache of the same size to write the same text.
#
# ### BEGIN SOLUTION
# **B.** The new query is compared with all n keys. Without the cache a single character already costs n².
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A** seems to be true while the fixed price of a call is larger than the look back.
# - **B** is right: 1 + 2 + … + n is about n² / 2.
# - **C**: the numbers are the same up to rounding. The claim above compared 100 characters.
# - **D**: an LSTM keeps one state of fixed size. That it cannot write the same text is another matter.
# </details>

# %% [markdown]
# ## What we measured
#
# *Which wins, at which budget?* Once more, in numbers, for this machine and this text:

# %%
notebook.headline(
    corpus.name,
    six_gram=counted[6],
    without_each_part=mean,
    parameters=sizes,
    bits_at_equal_characters=final["characters"],
    bits_at_equal_seconds=final["seconds"],
    bits_of_the_trained_models=measured,
    horizon_of_the_trained_models={
        name: pair["nothing before"].horizon for name, pair in horizons.items()
    },
    bits_at_256_after_training_at_64=as_it_is,
)

# %% [markdown]
# - **Which wins?** In a race of seconds the LSTM, at equal characters and more so at equal seconds. The longer both train, the
#   smaller its lead on windows alone, and after two minutes it is gone.
# - **What is each part worth?** At two blocks and a few seconds, positions and residuals most. Heads and norms made little
#   difference.
# - **Larger, or more text?** Both help. For the same operations, at these sizes, it was the text.
# - **Can tables of counts be beaten?** Yes, by half an hour of training and many passes; not by seconds.
# - **How far do they look?** After seconds of training, some 8 to 16 characters; after half an hour the LSTM up to 64, and the transformer no further than that. The LSTM fades
#   with distance; the transformer goes on listening and gains nothing from it. Beyond the length that it was trained with it gets
#   worse, because of angles that it never met and because of so many keys.
# - **What does length cost?** In time, n² for attention, sooner or later. In memory, n² only if the weights are written down. When
#   writing, one state against a cache that grows with each character.
#
# ## If you have an hour more
#
# Section 7 stopped the harm of reading 256 characters after training with 64. It did not make anything *better*: nobody gained
# from the 192 characters more. Can you make a model that gains? Train on windows of 64 only, a few minutes if you must, and
# read 256. You may change the angles in training (random places for the windows? positions with gaps? slower pairs?), or at
# reading time (all positions divided by 2?), or leave the rotary positions out of one of the heads. Your measure is
# `bits_far(model)["as it is"]`: the second number below the first, with three seeds. We do not know a way that works in so
# little training.
#
# <!-- next -->
#
# ## References
#
# - Vaswani et al.: *Attention Is All You Need*. NeurIPS 2017. Its Table 1 has the n · d² and n² · d of section 8.
# - Su et al.: *RoFormer: Enhanced Transformer with Rotary Position Embedding*. arXiv 2021.
# - Xiong et al.: *On Layer Normalization in the Transformer Architecture*. ICML 2020: the norm before each part.
# - Zhang and Sennrich: *Root Mean Square Layer Normalization*. NeurIPS 2019.
# - Jordan et al.: *Muon: An Optimizer for Hidden Layers in Neural Networks*. 2024.
# - Khandelwal, He, Qi and Jurafsky: *Sharp Nearby, Fuzzy Far Away: How Neural Language Models Use Context*. ACL 2018.
# - Kaplan et al.: *Scaling Laws for Neural Language Models*. arXiv 2020; Hoffmann et al.: *Training Compute-Optimal Large Language
#   Models*. NeurIPS 2022.
# - Rabe and Staats: *Self-attention Does Not Need O(n²) Memory*. arXiv 2021; Dao et al.: *FlashAttention*. NeurIPS 2022.
