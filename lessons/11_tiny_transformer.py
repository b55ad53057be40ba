# %% [markdown] question="which wins, at which budget?" write="causal attention, the block, the model, a cache" minutes=100
# # 11 · The tiny transformer: which wins, at which budget?
#
# In lesson 08 an LSTM read Shakespeare character by character. It carried everything it knew in one state.
# A transformer carries nothing. It looks back. Everybody knows who won in the end. But who wins *here*, with sixty thousand
# parameters and the seconds that a laptop can spare? You build the transformer, and then you let them race.
#
# When you are done (about 100 minutes) you can
#
# - write causal self-attention, the block and the model, and prove that none of them sees the future;
# - compare two models so that the comparison holds: equal parameters, equal characters, equal seconds, several seeds;
# - say what length costs, in training and for each generated character, and measure it.

# %% setup=true
import contextlib
import copy
import io
import json
import math
import re
import time
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from utils import data, models, notebook, paths, reach
from utils.checks import tiny_transformer as check
from utils.costs import crossing
from utils.models import NGram
from utils.notebook import payoff
from utils.plotting.costs import plot_costs
from utils.plotting.curves import plot_losses, plot_race
from utils.plotting.horizons import plot_horizons_by_seed
from utils.plotting.maps import plot_influence, plot_influences
from utils.plotting.runs import plot_budgets, plot_runs
from utils.plotting.scaling import plot_against
from utils.text import decode, encode
from utils.training import (
    Batches,
    LearningCurve,
    Streams,
    count_parameters,
    evaluate,
    fit,
    seed_everything,
)
from utils.widgets.attention_viewer import attention_viewer
from utils.widgets.side_by_side import side_by_side

device = notebook.setup()
torch.set_num_threads(1)  # models this small gain little from a second core

# %% [markdown]
# ## The text, and what counting achieves
#
# The text is tiny Shakespeare, a million characters. The last tenth is kept for validation: nothing is trained on it.
# No network and no copy? Then it is the English text that Python ships. All cells run on it too; the numbers in the
# *text* are tiny Shakespeare's.
#
# We count in **bits per character**: the mean of −log₂ of the probability that the model gave to what came.
# Before any network runs, let tables of counts set the mark: which character followed these two, these four? They are
# the smoothed n-grams of lesson 08.

# %%
corpus = data.corpus("tiny_shakespeare")
alphabet = corpus.alphabet
train_text, validation_text = (encode(part, alphabet) for part in (corpus.train, corpus.validation))
print(corpus)

# %%
digits = (
    data.mnist()
)  # for section 8: cut out now, while memory is free, as all of them take 220 MB
some, held_images = (
    [part[:count].clone() for part in group]
    for group, count in zip(digits.split(), (3000, 2000), strict=True)
)
pictures_of, side = digits.name, digits.train_images.shape[-1]
del digits

# %%
V = len(alphabet)
counted = {
    f"{n}-gram": NGram(n, V).fit(train_text).bits(validation_text[:50_000]) for n in (1, 3, 5)
}
print(f"all {V} characters alike: {math.log2(V):.2f} bits")
for name, bits in counted.items():
    print(f"{name}: {bits:.2f} bits")

# %% [markdown]
# ## 1 · Look back, never ahead
#
# Each position asks a question (its *query*), and every position offers a *key* and a *value*. Query and key are
# compared, a softmax makes weights of the scores, and the weights mix the values. Lesson 10 has all of it in slow motion.
#
# Here one rule is added. A model that predicts the next character must not see it. So the scores of later positions are
# set to −∞ **before** the softmax, which makes their weights exactly 0.
#
# **Predict**: three positions, all scores equal. What are the weights of the three rows?

# %% same_output=true
scores = torch.zeros(3, 3)
later = torch.ones(3, 3).triu(1) == 1
scores.masked_fill(later, -math.inf).softmax(dim=-1)

# %% [markdown]
# $$\alpha_{ij} = \underset{j \le i}{\text{softmax}}\ \frac{q_i \cdot k_j}{\sqrt D} \qquad\qquad z_i = \sum_{j \le i} \alpha_{ij}\, v_j$$
#
# Several **heads** do this side by side, each with its own piece of queries, keys and values.
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
# ### Exercise 11.1 · causal self-attention
# ●●○ · about 20 minutes · 3 points
#
# Write `causal_attention(x, w_in, w_out, heads)`. `w_in` (3C, C) holds the rows for all queries, then all keys, then all
# values. The first D channels belong to the first head, and so on. Return the output (B, T, C).
# By loops or by matrix products, both pass.


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
    q, k, v = (x @ w_in.T).chunk(3, dim=-1)
    q, k, v = (
        t.view(batch, time_steps, heads, -1).transpose(1, 2) for t in (q, k, v)
    )  # (B, H, T, D)
    scores = q @ k.transpose(-1, -2) / math.sqrt(width // heads)  # (B, H, T, T)
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
# One product with <code>w_in.T</code>, cut in three. Then heads, scores, mask, softmax, mix, heads together, <code>w_out</code>.
# With loops: for each text, head and position i, a softmax over the positions up to i.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# (B, T, C) → <code>view(B, T, heads, D)</code> → <code>transpose(1, 2)</code> → (B, heads, T, D). The way back is the same two
# steps in reverse.
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
# It compares two texts that differ at their last position alone. If an output before it differs, your mask lets the future
# through.
# </details>

# %% [markdown]
# The leak test as a picture: the influence of each input on each output of *your* function. Grey means exactly nothing.
# **Predict** where the grey is.

# %% payoff="causal_attention"
with payoff("causal_attention"):
    x = torch.randn(1, 24, 8)
    w_in, w_out = torch.randn(24, 8) / 2, torch.randn(8, 8) / 2
    seen = reach.influence(lambda x: causal_attention(x, w_in, w_out, heads=2), x)
    ax = plot_influence(seen, title="The future is grey")
    print(f"largest influence of a later input: {seen.triu(1).max():.1f}")

# %% [markdown]
# ## 2 · The block
#
# Attention moves news between positions. Then each position thinks about it alone: two matrices with a nonlinearity between
# them. Both parts only **add** to a stream that runs through the whole model. So there is always a short way down to
# the input, however deep the stack (lesson 04).
#
# What a part reads is normalised first, so that it always meets numbers of size 1. RMS norm divides by the root of the mean square.
# **Predict**: what does it make of (3, 4)?

# %% same_output=true
x = torch.tensor([3.0, 4.0])
size = x.square().mean().sqrt()
print(f"root mean square {size:.4f}, normalised {(x / size).tolist()}")

# %% [markdown]
# $$\text{norm}(x) = \frac{x}{\sqrt{\frac1C \sum_c x_c^2}} \qquad x \leftarrow x + \text{attend}(\text{norm}(x)) \qquad x \leftarrow x + \text{feed\_forward}(\text{norm}(x))$$
#
# | symbol | in code | shape |
# | --- | --- | --- |
# | $x$ | `x`, the stream | (…, T, C) |
# | attend | `attend`, a function: positions exchange news | (…, T, C) to (…, T, C) |
# | feed_forward | `feed_forward`, a function: each position by itself | (…, T, C) to (…, T, C) |
#
# ### Exercise 11.2 · the block
# ●○○ · about 10 minutes · 2 points
#
# Write `block(x, attend, feed_forward)`. It returns the stream after both steps. Each position has its own norm, whether x
# is one text (T, C) or several (B, T, C). Write the norm yourself or use `F.rms_norm`.


# %% answer="block"
def block(x: torch.Tensor, attend, feed_forward) -> torch.Tensor:
    """The stream x (…, T, C) after attention and feed-forward, each on a normalised copy.

    >>> block(torch.ones(1, 2), lambda s: 0 * s, lambda s: s)
    tensor([[2., 2.]])
    """

    ### BEGIN SOLUTION
    def norm(s):
        return s / s.square().mean(dim=-1, keepdim=True).sqrt()

    x = x + attend(norm(x))
    return x + feed_forward(norm(x))
    ### END SOLUTION


# %% check="block"
check.block(block)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Two lines, one for each part. Both have the form x + part(norm(x)).
# </details>
# <details><summary>Hint: the shapes</summary>
#
# The mean runs over the channels: <code>mean(dim=-1, keepdim=True)</code>. With <code>keepdim</code> it stays (…, T, 1) and divides each row.
# </details>
# <details><summary>Help: my numbers are smaller than expected</summary>
#
# You normalised the stream itself, or after adding. The stream is never normalised on its way, only what the parts read.
# </details>

# %% [markdown]
# Stack your block, with random weights. **Predict**: after eight of them, does a position still depend most on itself?


# %%
def look_back(s, mix):
    """Causal attention whose queries, keys and values are the stream itself."""
    return F.scaled_dot_product_attention(s, s, s, is_causal=True) @ mix


# %% payoff="block"
with payoff("block"):
    C, maps = 16, {}
    draw = torch.Generator().manual_seed(0)
    random = partial(torch.randn, generator=draw)
    layers = [[random(C, C) / 8 for _ in range(3)] for _ in range(8)]

    def stack(x, depth):
        for mix, up, down in layers[:depth]:
            look = partial(look_back, mix=mix)
            x = block(x, look, lambda s, up=up, down=down: (s @ up).relu() @ down)
        return x

    for depth in (1, 2, 8):
        maps[f"{depth} block{'s' * (depth > 1)}"] = reach.influence(
            partial(stack, depth=depth), random(1, 24, C)
        )
    axes = plot_influences(maps)

# %% [markdown]
# The diagonal stays the strongest: that is the stream. All earlier positions are one step away, in the first block already.
# No window has to grow, as in lesson 03, and nothing has to be handed on from state to state.

# %% [markdown]
# ## 3 · The model
#
# Tokens in, logits out. An embedding turns each character into C numbers. The blocks work on them. A last norm and one linear
# layer make V logits, and F.cross_entropy does the rest.
#
# One thing is missing. Attention sees a *set*: the weights depend on what is there, not on where. **Predict**: the first two of
# five characters change places. Which outputs notice, after one layer? And after two?

# %% same_output=true
x = torch.randn(1, 5, 4, generator=torch.Generator().manual_seed(1))
swapped = x[:, [1, 0, 2, 3, 4]]
look = lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True)  # noqa: E731
for layers, stack in {"one layer": look, "two layers": lambda x: look(look(x))}.items():
    noticed = ~torch.isclose(stack(x), stack(swapped), atol=1e-6).all(dim=-1)
    print(f"{layers}: positions that notice: {noticed[0].nonzero().flatten().tolist()}")

# %% [markdown]
# With one layer, nobody notices from position 2 on. With two, the causal mask gives the order away: the first two positions have
# seen different things. That is a weak hint. So positions are told: by a learned vector for each place, added to the
# embedding, or by turning queries and keys (rotary, which the course's model does). Both are right here.
#
# | symbol | in code | shape |
# | --- | --- | --- |
# | tokens | `tokens` | (B, T), whole numbers from 0 to V − 1 |
# | V, C | `vocabulary`, `width` | |
# | logits | `model(tokens)` | (B, T, V): at each position, for the character *after* it |
#
# ### Exercise 11.3 · the model
# ●●● · about 30 minutes · 3 points
#
# Write `build_transformer(vocabulary, width, heads, layers)`. It returns an `nn.Module` that turns tokens (B, T) into logits
# (B, T, vocabulary), for any B and any T up to 256. Its stream is `width` wide, and it knows where each token stands. It has
# `layers` blocks, each with weights of its own. A block adds two things to the stream: causal attention with `heads` heads,
# and a feed-forward part, 4 × `width` wide inside, with a nonlinearity there. Where the norms stand, how the scores are
# scaled and how the weights begin is up to you.
#
# A class with `__init__(self, vocabulary, width, heads, layers)` will do: `class build_transformer(nn.Module)`. Your
# `block` is a good part, and so is your `causal_attention` if it has no loops over positions, which take too long here.
# torch's own layers are allowed.


# %% answer="build_transformer"
class build_transformer(nn.Module):
    """Tokens (B, T) in, logits (B, T, vocabulary) out.

    >>> build_transformer(65, 48, 4, 2)(torch.zeros(3, 7, dtype=torch.long)).shape
    torch.Size([3, 7, 65])
    """

    def __init__(self, vocabulary: int, width: int, heads: int, layers: int):
        super().__init__()
        ### BEGIN SOLUTION
        self.heads = heads
        self.tokens = nn.Embedding(vocabulary, width)
        self.places = nn.Embedding(256, width)
        self.w_in = nn.ModuleList(nn.Linear(width, 3 * width, bias=False) for _ in range(layers))
        self.w_out = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(layers))
        self.feed_forward = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
            for _ in range(layers)
        )
        self.head = nn.Linear(width, vocabulary)
        ### END SOLUTION

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        ### BEGIN SOLUTION
        x = self.tokens(tokens) + self.places(torch.arange(tokens.shape[1], device=tokens.device))
        for w_in, w_out, think in zip(self.w_in, self.w_out, self.feed_forward, strict=True):
            attend = partial(
                causal_attention, w_in=w_in.weight, w_out=w_out.weight, heads=self.heads
            )
            x = block(x, attend, think)
        return self.head(F.rms_norm(x, x.shape[-1:]))
        ### END SOLUTION


# %% check="build_transformer"
check.build_transformer(build_transformer)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Four parts in <code>__init__</code>: an embedding for tokens, one for 256 places, the layers, a linear layer to the logits. Then
# <code>forward</code> is one line.
# </details>
# <details><summary>Hint: the weights of a block</summary>
#
# Each layer has <code>nn.Linear(width, 3 * width, bias=False)</code> and <code>nn.Linear(width, width, bias=False)</code>, whose
# <code>.weight</code> your <code>causal_attention</code> takes, and a feed-forward <code>nn.Sequential</code>. Keep them in three
# <code>nn.ModuleList</code>s, or write a small class for one layer.
# </details>
# <details><summary>Help: one more layer adds no parameters</summary>
#
# <code>[layer] * 2</code> lists the same layer twice. Make a new one each time, in <code>nn.Sequential(*[Layer(…) for _ in range(layers)])</code>.
# A plain Python list hides its layers from the optimizer.
# </details>
# <details><summary>Help: the logits of a text change with its neighbours in the batch</summary>
#
# torch's attention layers take (T, B, C) unless you say <code>batch_first=True</code>.
# </details>
# <details><summary>Help: __init__ looks fine and the check still says "not attempted"</summary>
#
# It says which function raised NotImplementedError. <code>forward</code> has a stub of its own, and so have the functions that it uses.
# </details>

# %% [markdown]
# Train it for some seconds. All runs of this lesson read the same batches: 16 places of the text at once, 64 characters from each.

# %%
STREAMS, CONTEXT = 16, 64
train = Streams(train_text, STREAMS, CONTEXT)
validation = Streams(validation_text[:16_385], STREAMS, CONTEXT)
batch_tokens = STREAMS * CONTEXT


def trained(model: nn.Module, tokens: float, label: str = "", validations: int = 5):
    """Train on so many characters, by the same recipe for all; return what `fit` saw."""
    quiet = contextlib.nullcontext() if label else contextlib.redirect_stdout(io.StringIO())
    options = dict(lr=0.01, clip=1.0, metric="bits per character", validations=validations)
    with quiet:
        epochs = tokens / batch_tokens / len(train)
        return fit(model, train, validation, epochs=epochs, label=label, **options)


# %% payoff="build_transformer"
with payoff("build_transformer"):
    seed_everything(0)
    mine = build_transformer(V, 48, 4, 2)
    losses = trained(mine, 80_000, label="your transformer", validations=1).losses
    levels = {name: bits * math.log(2) for name, bits in counted.items()}
    ax = plot_losses(
        {"yours": losses}, levels, "Eighty thousand characters, and what counting achieves"
    )

# %% [markdown]
# It passes the 1-gram in a few steps. The tables of counts have read all of the text; yours has read a twelfth of it.
#
# How large is such a model? A block has 3C² weights for queries, keys and values, C² for `w_out`, and twice 4C² for the
# feed-forward part: 12C². Here are the parameters of the course's own model, `models.Transformer`, which the rest of the
# lesson uses. It turns queries and keys (rotary positions), has a scale in each norm, and no biases.

# %% same_output=true
C, L = 48, 2
norms, ends = (2 * L + 1) * C, 2 * 65 * C  # a scale for each channel; embedding and head
counted_by_hand = L * 12 * C**2 + norms + ends
in_torch = count_parameters(models.Transformer(65, C, heads=4, layers=L))
print(f"{counted_by_hand:,} by hand, {in_torch:,} in torch")

# %% [markdown] unclaimed="arithmetic, an example, and runs that are recorded"
# ## 4 · A fair race
#
# "A beats B" means nothing until it says *at equal what*. Here is what we hold equal, and what usually goes wrong:
#
# | equal | how | the usual slip |
# | --- | --- | --- |
# | text and split | the same batches in the same order, the same validation text | training loss reported |
# | unit | bits per character for both | nats taken for bits: a "gain" of 31 % |
# | parameters | within ±5 % | the newer model is also the larger one |
# | recipe | same optimizer, schedule, rate, clipping | one of the two was tuned for a week |
# | budget | once the same characters, once the same seconds | only one of the two |
# | chance | three seeds | one |
#
# First the parameters. The LSTM of lesson 08 has an embedding (V × C), four gates, each with two C × C matrices and *two* biases
# (torch keeps one beside each matrix), and a linear layer to V logits with its bias. **Predict**: the transformer below is 48
# wide, with two blocks. Is an LSTM of the same size wider or narrower?

# %% same_output=true
for name, p in models.CharLSTM(vocabulary=2, width=1).named_parameters():
    print(f"{name:20} {tuple(p.shape)}")

# %% [markdown]
# $$P_{\text{LSTM}}(C) = \underbrace{VC}_{\text{embedding}} + \underbrace{4\,(C\cdot C + C\cdot C + C + C)}_{\text{four gates}} + \underbrace{CV + V}_{\text{logits}}$$
#
# | symbol | in code | meaning |
# | --- | --- | --- |
# | $P$ | `budget` | parameters that it may have |
# | $V$ | `vocabulary` | how many characters there are |
# | $C$ | the answer | width of the embedding and of the state |
#
# ### Exercise 11.4 · an LSTM of the same size
# ●○○ · about 10 minutes · 1 point
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
        if 2 * vocabulary * wider + vocabulary + 4 * (2 * wider**2 + 2 * wider) > budget:
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
    budget = count_parameters(models.Transformer(V, 48, 4, 2))
    width = lstm_width(budget, V)
    found = count_parameters(models.CharLSTM(V, width))
    more = f"{found / budget - 1:+.1%}"
    print(f"transformer {budget:,} parameters; LSTM of width {width}: {found:,} ({more})")

# %%
budget = count_parameters(models.Transformer(V, 48, 4, 2))
width = max(c for c in range(1, 120) if count_parameters(models.CharLSTM(V, c)) <= budget)
builders = {
    "LSTM": partial(models.CharLSTM, V, width),
    "transformer": partial(models.Transformer, V, 48, 4, 2),
}
sizes = {name: count_parameters(build()) for name, build in builders.items()}
print(f"{sizes}: they differ by {abs(sizes['LSTM'] / sizes['transformer'] - 1):.1%}")

# %% [markdown] quiz="fair" points=1 unclaimed="arithmetic, an example, and runs that are recorded"
# **Quiz.** A blog post says: "Our transformer reaches a loss of 1.45, the LSTM 2.05. Same data, same number of
# epochs." Which question has to be asked *first*?
#
# - A. Whether both numbers have the same unit and come from the same validation text.
# - B. How many heads the transformer has.
# - C. Whether the LSTM used dropout.
# - D. Which of the two was easier to write.
#
# ### BEGIN SOLUTION
# A. 1.45 nats are 2.09 bits. If one number is in nats and the other in bits, the LSTM is ahead.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - A. Right: 1.45 / ln 2 = 2.09. And a training loss beside a validation loss says nothing at all.
# - B. A detail of one model. It can explain a difference, once there is one.
# - C. The same. After unit and split come parameters, budget and seeds.
# - D. Worth knowing, and no answer to who predicts better.
# </details>

# %% [markdown]
# ### Equal characters, then equal seconds
#
# Both read the same characters. Then whoever was faster gets more characters, as many as fit into the seconds of the slower
# one. Every run is trained from start to finish with its own schedule, and three times.
#
# **Predict** both races. Who learns more from the same text? Who learns more in the same time?


# %%
def race(build, tokens: float, seed: int):
    """Train one model; return it, and its run: bits against characters and against seconds."""
    seed_everything(seed)
    model = build()
    history = trained(
        model, tokens
    )  # its seconds are those of one core, whatever else the machine does
    seen = [step * batch_tokens for step in history.steps]
    return model, LearningCurve(seen, history.seconds, history.validation)


# %%
TOKENS = 250 * batch_tokens
SEEDS = range(3)
equal_tokens = {name: [] for name in builders}
for seed in SEEDS:  # in turn, so that a busy minute of the machine disturbs both
    for name, build in builders.items():
        equal_tokens[name].append(race(build, TOKENS, seed))
seconds = {name: sum(run.seconds[-1] for _, run in runs) / 3 for name, runs in equal_tokens.items()}
for name, value in seconds.items():
    print(f"{name}: {TOKENS:,} characters in {value:.1f} s, {TOKENS / value:,.0f} a second")

# %%
slower = max(seconds, key=seconds.get)
faster = min(seconds, key=seconds.get)
more = TOKENS * seconds[slower] / seconds[faster]
equal_seconds = {
    slower: equal_tokens[slower],
    faster: [race(builders[faster], more, seed) for seed in SEEDS],
}
print(f"the {faster} has time for {more:,.0f} characters")

# %% figure="race" covers="56 59"
best_known = {"5-gram": counted["5-gram"]}
shown = {f"{name}, equal characters": [run for _, run in equal_tokens[name]] for name in builders}
shown[f"{faster}, equal seconds"] = [run for _, run in equal_seconds[faster]]
plot_race(shown, best_known, "The same race, with two rulers: characters and seconds")

# %%
final = {
    f"equal {what}": {name: [min(run.bits) for _, run in runs[name]] for name in builders}
    for what, runs in {"characters": equal_tokens, "seconds": equal_seconds}.items()
}
ax = plot_budgets(final, "Bits at the end, three seeds each: further left is better")

# %%
for what, bits in final.items():
    mean = {name: sum(values) / len(values) for name, values in bits.items()}
    winner = min(mean, key=mean.get)
    apart = max(bits[winner]) < min(min(v) for name, v in bits.items() if name != winner)
    margin = max(mean.values()) - min(mean.values())
    print(
        f"{what}: {winner} by {margin:.2f} bits; {'no overlap' if apart else 'the seeds overlap'}"
    )

# %% [markdown]
# On tiny Shakespeare and a CPU the LSTM wins both races: by little at equal characters, clearly at equal seconds, because it
# reads more characters in a second. The seeds of a race lie close together, so this is no accident. On a GPU, or on another
# text, believe the cell above and not this paragraph. And both are far behind the 5-gram, which has counted the whole text.
#
# One thing was *not* equal: the LSTM carries its state through the validation text. The transformer gets windows of 64, and
# at the first character of each it knows nothing. So here are both on the same windows, the LSTM from a zero state.

# %%
pieces = [torch.cat(part) for part in zip(*validation, strict=True)]  # 256 windows of 64 characters
for what, runs in {"equal characters": equal_tokens, "equal seconds": equal_seconds}.items():
    fresh = {
        name: [evaluate(model, Batches(*pieces), "bits per character") for model, _ in runs[name]]
        for name in builders
    }
    print(f"{what}, windows alone:", {n: [round(bits, 2) for bits in b] for n, b in fresh.items()})

# %% [markdown]
# The lead shrinks a little and stays.
#
# ### Two sizes, two budgets
#
# More parameters can hold more, and cost more for each character. Here are both models with a quarter of the parameters, and both
# sizes with a quarter of the characters.
#
# **Predict**: you have a small model, trained with little text, and may now spend four times the operations. Do you make it four
# times larger, or let it read four times as much?

# %%
small = {
    "LSTM": partial(models.CharLSTM, V, 38),
    "transformer": partial(models.Transformer, V, 24, 4, 2),
}
for name, build in small.items():
    print(f"small {name}: {count_parameters(build()):,} parameters, large: {sizes[name]:,}")


def bits_after(build, tokens: float) -> list[float]:
    """Bits per character of each seed after so many training characters."""
    bits = []
    for seed in SEEDS:
        seed_everything(seed)
        bits.append(trained(build(), tokens, validations=1).best)
    return bits


# %%
few, all_of_it = TOKENS // 4, TOKENS
scaling = {
    f"small {name}": {few: bits_after(build, few), all_of_it: bits_after(build, all_of_it)}
    for name, build in small.items()
}
for name, build in builders.items():
    scaling[f"large {name}"] = {
        few: bits_after(build, few),
        all_of_it: final["equal characters"][name],
    }
ax = plot_against(
    scaling,
    "training characters",
    "bits per character",
    "Four times the text, or four times the size?",
)

# %%
for name in builders:
    start, read_more, larger, both = (
        sum(scaling[f"{size} {name}"][tokens]) / 3
        for size in ("small", "large")
        for tokens in (few, all_of_it)
    )
    print(
        f"{name}: {start:.2f} bits; four times the text {read_more - start:+.2f}, "
        f"four times the size {larger - start:+.2f}, both {both - start:+.2f}"
    )

# %% [markdown]
# Both help, and text helps more: at equal operations, the small model that has read four times as much is ahead of the large one, for
# both kinds. At equal text the large one is ahead, at both budgets, as Kaplan and others (2020) found for far larger ones. Which
# size is best depends on what you hold equal. Hoffmann and others (2022) weigh one against the other: for a given number of
# operations, size and text should grow together.
#
# ### What they write
#
# The same prompt, continued by both, from the race with equal seconds. The transformer was trained on windows of 64 characters, so
# it reads the last 64; the LSTM carries its state.

# %%
finalists = {name: equal_seconds[name][0][0] for name in builders}


def writer(name: str):
    """Continue a prompt with one of the finalists."""
    context = CONTEXT if name == "transformer" else None

    def write(prompt: str, count: int, temperature: float, seed: int) -> str:
        draw = torch.Generator().manual_seed(seed)
        start = encode(prompt, alphabet)
        tokens = models.generate(finalists[name], start, count, temperature, draw, context)
        return decode(tokens, alphabet)

    return write


# %%
opening = corpus.validation.partition("\n\n")[2]  # from the first new speaker, or paragraph, on
prompt = opening[: opening.index("\n") + 1]
side_by_side({name: writer(name) for name in builders}, prompt, alphabet)

# %% [markdown] unclaimed="arithmetic, an example, and runs that are recorded"
# Whether one of them *writes* better cannot be seen at this size. That is why there is a ruler.
#
# ### How far back do they look?
#
# The course's ruler: hide all but the last k characters, predict the same 400 places of the validation text, and see what is lost.
# The horizon is the smallest k whose loss is within 0.01 bits of the best.
#
# **Predict**: whose horizon is longer? And what does each of them do beyond 64, where it was never trained?

# %%
lengths = (1, 2, 4, 8, 16, 32, 64, 128, 256)
horizons = {
    name: [
        reach.context_horizon(model, validation_text[:40_000], lengths, positions=400)
        for model, _ in equal_seconds[name]
    ]
    for name in builders
}

# %% figure="two_horizons"
ax = plot_horizons_by_seed(
    horizons, CONTEXT, "Loss against visible context: a dot where each stops gaining"
)

# %%
horizon = {name: [seed.horizon for seed in seeds] for name, seeds in horizons.items()}
at = lengths.index(CONTEXT)
for name, seeds in horizons.items():
    within, beyond = (
        sum(seed.bits[end] - seed.bits[start] for seed in seeds) / len(seeds)
        for start, end in ((0, at), (at, -1))
    )
    print(f"{name}: horizons {horizon[name]}, in characters")
    print(f"   bits from 1 to {CONTEXT}: {within:+.2f}", end="; ")
    print(f"from {CONTEXT} to {lengths[-1]}: {beyond:+.2f}")

# %% [markdown]
# Read the figure from the left. With one or two visible characters the LSTM is the worse one. That may be because a state that
# begins from zero is something that it hardly ever met. From eight on it is ahead: of the characters between, the transformer makes less. Both gain
# little after that, so the dots sit on a nearly flat curve and jump from seed to seed: read them as "some tens of
# characters", no finer.
#
# Beyond 64 the two part. The LSTM stays flat: no gain, no harm. The transformer gets *worse*, by more than it ever gained. It could
# look that far, but its rotary angles for such distances never occurred in training. **To be able to see is not to have learned to look.**
#
# The ruler's other end: the influence of each earlier character on each prediction, on one line of the validation text.

# %%
line = validation_text[:40]
maps = {
    name: reach.influence(model.read, model.embedding(line[None]).detach())
    for name, model in finalists.items()
}
axes = plot_influences(maps)

# %% [markdown]
# Both maps are triangles. The LSTM's fades with distance, in every row. The transformer's has columns and specks: what it
# reads depends on what is there. Which head does that? Choose a layer, a head and a character.

# %%
weights = finalists["transformer"].attention(line[None, :32])[:, 0]
attention_viewer(weights, decode(line[:32], alphabet))

# %%
T = 32
back = (torch.arange(T)[:, None] - torch.arange(T)).clamp(min=0)  # how far back each weight looks
even = torch.ones(T, T).tril() / torch.arange(1, T + 1)[:, None]  # all that is visible, alike
mean_back = lambda weights: (weights * back).sum(-1)[..., 8:].mean(-1)  # noqa: E731
for layer, heads in enumerate(mean_back(weights).tolist(), start=1):
    print(
        f"layer {layer}: each head looks back by {', '.join(f'{d:.1f}' for d in heads)} characters"
    )
print(f"an even spread would look back by {mean_back(even):.1f}")

# %% [markdown]
# The first layer is not far from an even spread. That is a reason for the result of the race, and one that can be seen: what came
# last is in the LSTM's state already, while a transformer has to learn *where to look* before looking pays. A weight says where
# a head looks, and not yet what the prediction owes to it: that was the influence map (lesson 10 has more on the difference).
#
# ### And with more time?
#
# The race above lasts seconds. `python -m bench.record_comparison` lets both run longer, on one core, with three seeds, and
# stores what came out: the file `docs/recorded/lstm_and_transformer.json`. This figure shows such a record.

# %%
stored = paths.RECORDED / "lstm_and_transformer.json"
record = json.loads(stored.read_text())
curves = {
    "LSTM, its state carried along": ("LSTM", "bits"),
    "LSTM, windows alone": ("LSTM", "bits_in_windows"),
    "transformer, windows": ("transformer", "bits_in_windows"),
}
recorded = {
    label: {float(s): [run[key] for run in seeds] for s, seeds in record["runs"][name].items()}
    for label, (name, key) in curves.items()
}
ax = plot_against(
    recorded,
    "training time of the whole run (s, one core)",
    "bits per character",
    "Equal seconds, from short runs to long ones (recorded)",
)
print(f"recorded with {record['parameters']} parameters on {record['machine']}")

# %%
for budget in record["runs"]["LSTM"]:
    read = [runs[budget][0]["characters"] / 1e6 for runs in record["runs"].values()]
    print(f"{budget} s: the LSTM reads {read[0]:.1f} million characters", end=", ")
    print(f"the transformer {read[1]:.1f}")
    for label, budgets in recorded.items():
        bits = budgets[float(budget)]
        print(f"   {label}: {sum(bits) / len(bits):.2f} bits")

# %% [markdown] unclaimed="arithmetic, an example, and runs that are recorded"
# Two answers, and both hold.
#
# - Whoever has a state may carry it along. Then the LSTM is ahead at every budget. Its lead gets smaller with each.
# - Let both have the same 64 characters and nothing before them. Then it **turns over** between 32 and 128 seconds: the transformer
#   is slower to begin and gains for longer.
#
# The second race is the transformer's home: it was trained on such windows, and the LSTM on a text in order, with a state. So "which
# wins" needs three things said: the budget, what is held equal, and what each may know. `--budgets 512` looks further out.
#
# ## 5 · What length costs
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
contenders = {"LSTM": builders["LSTM"](), "causal CNN": CausalCNN(V, 60)}
contenders["transformer"] = builders["transformer"]()
print({name: count_parameters(model) for name, model in contenders.items()})
long_text = train_text[:4097].clone()  # a storage of its own, so that its bytes can be told apart


def loss_of(model: nn.Module, n: int) -> torch.Tensor:
    """The loss of one text of n characters."""
    output = model(long_text[None, :n])
    logits = output[0] if isinstance(output, tuple) else output
    return F.cross_entropy(logits[0], long_text[1 : n + 1])


# %% [markdown]
# **Predict** the slopes on two logarithmic axes: slope 1 means that twice the length takes twice the time, slope 2 four times.


# %%
def best_time(work, times: int = 2) -> float:
    """Seconds of one core for the fastest of a few runs: the others were disturbed."""
    taken = []
    for _ in range(times):
        start = time.process_time()  # other programs' time is not counted
        work()
        taken.append(time.process_time() - start)
    return min(taken)


# %%
def kept_bytes(model: nn.Module, n: int) -> int:
    """Memory that the forward pass keeps for the backward pass, parameters not counted."""
    kept, own = {}, {p.untyped_storage().data_ptr() for p in model.parameters()}

    def keep(tensor):
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = loss_of(model, n)
    del loss
    return sum(size for place, size in kept.items() if place not in own)


# %%
ns = (128, 256, 512, 1024, 2048, 4096)
step_seconds = {
    name: {n: best_time(lambda m=model, n=n: loss_of(m, n).backward()) for n in ns}
    for name, model in contenders.items()
}
ax = plot_costs(
    step_seconds,
    "seconds for one text, forward and back",
    "Time of a training step: who bends upwards?",
)

# %% [markdown]
# The LSTM and the CNN stay near slope 1, as twice the text is twice the work. The transformer bends upwards. A part of its work
# for a character does not depend on n (the 12C² weights of each block); another part, the look back, grows with n. Once that is
# the larger one the slope goes towards 2.


# %%
memory = {name: {n: kept_bytes(model, n) / 2**20 for n in ns} for name, model in contenders.items()}
with sdpa_kernel(SDPBackend.MATH):
    memory["transformer, weights written down"] = {
        n: kept_bytes(contenders["transformer"], n) / 2**20 for n in ns[:3]
    }
ax = plot_costs(memory, "memory kept for the way back (MB)", "Memory of a training step")

# %% [markdown]
# The square is not a law of attention. It comes from writing the T × T weights down. torch's fused function never does: it works
# through them in tiles and computes them again on the way back (Rabe and Staats 2021, Dao and others 2022). Then memory grows
# with slope 1, as for the others. The *time* still has the square.
#
# ### Where they cross
#
# The textbook says: a recurrent layer costs n · d², attention n² · d, so they cross where **n ≈ d**. Count the multiply-adds of
# both, for width d and length n: an LSTM layer, and attention's two products (scores, and mixing the values).
#
# **Predict**: do they cross at n = d exactly?


# %%
def operations(work) -> int:
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def attention_products(n: int, d: int):
    x = torch.zeros(n, d)
    return (x @ x.T) @ x


def lstm_products(n: int, d: int):
    x = torch.zeros(n, d)
    return [x @ torch.zeros(d, 4 * d) for _ in range(2)]  # from the input, from the state


# %% same_output=true
for d in (32, 64, 128):
    n = next(
        n
        for n in range(16, 2000, 16)
        if operations(lambda n=n, d=d: attention_products(n, d))
        >= operations(lambda n=n, d=d: lstm_products(n, d))
    )
    print(f"d = {d:3}: attention's products cost more from n = {n} on, that is {n / d:.0f} d")

# %% [markdown]
# n ≈ d is right as an order of magnitude; with an LSTM's eight matrices the count says 4 d. A clock says something else
# again. **Predict** where the *seconds* of one layer cross, for d = 64.

# %%
d = 64
recurrent = nn.LSTM(d, d)
runs = {
    "LSTM layer": lambda x: recurrent(x),
    "attention": lambda x: F.scaled_dot_product_attention(*3 * [x[None, None]], is_causal=True),
}
with torch.no_grad():
    layer_seconds = {
        name: {n: best_time(lambda w=work, n=n: w(torch.randn(n, d)), 3) for n in ns}
        for name, work in runs.items()
    }

# %%
meet = crossing(layer_seconds["attention"], layer_seconds["LSTM layer"])
ax = plot_costs(
    layer_seconds,
    "seconds, forward only",
    f"One layer, d = {d}: by the clock they meet at n ≈ {meet:,.0f}, by the count at {4 * d}",
)

# %% [markdown]
# The count and the clock need not agree. The LSTM *waits*: each of its n steps is a small product that has to be finished before the
# next one begins, and a processor with many cores cannot help. Attention does its operations in larger products. Where the
# two meet is a property of the machine: run it on yours.
#
# How much of the machine does training use at all? A large matrix product shows what one core can do. Learning from one character
# takes 6 operations for each weight in a matrix: 2 forward, 4 back. **Predict** the share, for both.

# %%
big = torch.randn(1024, 1024)
peak = 2 * 1024**3 / best_time(lambda: big @ big, 10)  # operations a second
for name, model in finalists.items():
    matrices = [p for p in model.parameters() if p.dim() == 2 and p is not model.embedding.weight]
    done = 6 * sum(p.numel() for p in matrices) * TOKENS / seconds[name]
    print(
        f"{name}: {TOKENS / seconds[name]:,.0f} characters a second, {done / peak:.0%} of the peak"
    )

# %% [markdown]
# The LSTM makes more of the machine than the transformer. What is missing goes into all that is not a large product. So a
# comparison by seconds is one of *programs on a machine*. Larger models, or a GPU, may turn it round.

# %% [markdown]
# ## 6 · One character after the other
#
# In training the transformer has all positions at once. When it writes, it has not: each new character comes last. Naively
# the model reads everything again for each of them. But nothing about the earlier characters has changed. Their
# keys and values can be *kept*: the **key–value cache**.
#
# **Predict**: with a cache, does one more character cost the same at position 100 and at position 4,000?

# %% same_output=true
keys = torch.tensor([[1.0, 0.0]])  # what is kept of the first position
values = torch.tensor([[5.0, 0.0]])
q, k, v = torch.tensor([0.0, 0.0]), torch.tensor([0.0, 1.0]), torch.tensor([0.0, 7.0])
keys, values = torch.cat([keys, k[None]]), torch.cat([values, v[None]])
print(
    "weights", (keys @ q).softmax(0).tolist(), "output", ((keys @ q).softmax(0) @ values).tolist()
)

# %% [markdown]
# | symbol | in code | shape |
# | --- | --- | --- |
# | $x_n$ | `x`, the new position alone | (C,) |
# | $k_0 \dots k_{n-1}$ | `keys`, of the positions before it | (n, C), n may be 0 |
# | $v_0 \dots v_{n-1}$ | `values` | (n, C) |
# | | `w_in`, `w_out`, `heads` | as in 11.1 |
#
# ### Exercise 11.5 · attention with a cache
# ●●○ · about 15 minutes · 2 points
#
# Write `cached_attention(x, keys, values, w_in, w_out, heads)`. It returns three things: the output (C,) at the new
# position, and keys and values (n + 1, C) with the new row at their end. Change nothing in place.


# %% answer="cached_attention" covers="55"
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
# Head h owns D columns of <code>keys</code> and <code>values</code>, and D numbers of the query. Its weights are (n + 1,).
# </details>
# <details><summary>Help: the first position is right and the second is not</summary>
#
# With an empty cache, many mistakes are invisible. Does your query see old rows *and* its own? Is √D the root of one head's size?
# </details>

# %% payoff="cached_attention"
with payoff("cached_attention"):
    C, x = 16, torch.randn(40, 16)
    w_in, w_out = torch.randn(48, 16) / 4, torch.randn(16, 16) / 4
    keys = values = torch.zeros(0, C)
    one_by_one = []
    for position in x:
        z, keys, values = cached_attention(position, keys, values, w_in, w_out, 4)
        one_by_one.append(z)
    q, k, v = (t.view(40, 4, 4).transpose(0, 1) for t in (x @ w_in.T).chunk(3, dim=-1))
    at_once = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(0, 1).reshape(40, C)
    gap = (torch.stack(one_by_one) - at_once @ w_out.T).abs().max()
    print(f"forty positions one by one and all at once differ by {gap:.0e}")
    print(f"the cache has {len(keys)} rows")

# %% [markdown]
# The course's model has the same cache in every layer. Does it write the same text with and without? Is it faster?

# %%
model, start = finalists["transformer"], validation_text[:16]
began = time.process_time()
with_cache = models.generate(model, start, 300, temperature=0)
middle = time.process_time()
without = models.generate(
    model, start, 300, temperature=0, context=10_000
)  # reads all of it each time
ended = time.process_time()
assert torch.equal(with_cache, without)
ratio = (ended - middle) / (middle - began)
print(f"the same 300 characters: {middle - began:.2f} s with a cache", end=", ")
print(f"{ended - middle:.2f} s without ({ratio:.1f} ×)")


# %%
@torch.no_grad()
def next_character(read, n: int) -> float:
    """Seconds for one more character after n of them: `read` has read n, and gets one more."""
    read(long_text[None, :n])
    return best_time(lambda: read(long_text[None, n : n + 1]), 8)


@torch.no_grad()
def read_again(model: nn.Module, n: int) -> float:
    """Seconds for one more character when the last n are read anew."""
    return best_time(lambda: model(long_text[None, :n]), 2)


# %%
lstm, cnn = finalists["LSTM"], contenders["causal CNN"]
character = {
    "LSTM, one state": [next_character(lstm.reader(), n) for n in ns],
    "causal CNN, last 63": [read_again(cnn, 63) for _ in ns],
    "transformer, cache": [next_character(model.reader(), n) for n in ns],
    "transformer, all again": [read_again(model, n) for n in ns],
}
ax = plot_costs(
    {name: dict(zip(ns, values, strict=True)) for name, values in character.items()},
    "seconds for one more character",
    "One more character: flat, flat, nearly flat, steep",
)

# %% [markdown]
# The LSTM is the cheapest and flat, whatever came before. The CNN is flat too: it forgets what has left its window. Reading all again
# is steep. The cache takes that away; the slopes are those of the last three points. But should it not grow with n, as each
# character looks at all before it? It does, under something larger that does not.

# %%
empty = min(next_character(model.reader(), 1) for _ in range(5))
for n, value in zip(ns, character["transformer, cache"], strict=True):
    print(
        f"{n:>5}: {1000 * value:.2f} ms, {1000 * (value - empty):+.2f} more than at the beginning"
    )

# %% [markdown]
# The fixed part is the price of calling some dozens of functions for one character, on a model so small. Take it off and what
# is left grows with n.
#
# And in memory? What each has to keep for the next character can be counted exactly: a state, the last 62 characters (the 63rd is the
# new one), a cache.

# %% same_output=true
kept = {"LSTM, one state": [], "causal CNN, last 62": [], "transformer, cache": []}
with torch.no_grad():
    for n in ns:
        text, cache = torch.zeros(1, n, dtype=torch.long), models.Cache()
        models.Transformer(65, 48, 4, 2)(text, cache)
        _, state = models.CharLSTM(65, 79)(text)
        parts = sum(part.nbytes for part in state), text[:, -62:].nbytes, cache.bytes
        for values, size in zip(kept.values(), parts, strict=True):
            values.append(size)
for name, values in kept.items():
    print(f"{name}: {values[0]:,} bytes after {ns[0]} characters, {values[-1]:,} after {ns[-1]:,}")
print(f"one character in the cache: {cache.bytes / ns[-1]:.0f} bytes")

# %%
ax = plot_costs(
    {name: dict(zip(ns, values, strict=True)) for name, values in kept.items()},
    "kept for the next character (bytes)",
    "Memory while writing: two are flat, one has slope 1",
)

# %% [markdown]
# The state of the LSTM is smaller than what the transformer keeps of its *first* character. That is the trade of this lesson in one
# line: the LSTM forgets and stays small; the transformer keeps everything and pays for it. Lesson 12 looks for what lies between.

# %% [markdown] quiz="cache" points=1
# **Quiz.** A chat model with a cache answers a long prompt. Which statement is true?
#
# - A. With the cache, each new character costs the same, however long the text is.
# - B. With the cache, one new character costs time proportional to the length so far; a whole text of n still costs n².
# - C. The cache changes the text that is written, a little.
# - D. An LSTM would need a cache of the same size to write the same text.
#
# ### BEGIN SOLUTION
# B. The new query is compared with all n keys. Without the cache a single character already costs n².
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - A. It looks so while the fixed costs of a call are larger than the look back. The cell above takes them off.
# - B. Right. 1 + 2 + … + n is about n² / 2.
# - C. The numbers are the same up to rounding; the cell above compared 300 characters.
# - D. An LSTM keeps one state of fixed size. That it cannot write the same text is another matter.
# </details>

# %% [markdown]
# ## 7 · Pre-train, then fine-tune
#
# Labels are rare, text is not. So train first on text alone, then on a few labels. There are two ways to learn from text alone:
#
# - **next character** (as GPT does): predict what follows, look back only;
# - **masked characters** (as BERT does): hide some characters, predict them, look both ways.
#
# The task: all spaces and punctuation are taken out of the text. **At which letters does a new word begin?** A person would mark some lines
# by hand; those are the labels. Here is a line, with the letters that begin a word in capitals.

# %%
words = re.findall("[a-z']+", corpus.train.lower())
letters = "".join(words)
letter_alphabet = "".join(sorted(set(letters)))
begins = torch.zeros(len(letters), dtype=torch.long)
begins[torch.tensor([0] + [len(w) for w in words[:-1]]).cumsum(0)] = 1
stream, MASK = encode(letters, letter_alphabet), len(letter_alphabet)
print(
    "".join(c.upper() if b else c for c, b in zip(letters[:70], begins[:70].tolist(), strict=True))
)


# %%
def cut(first: int, last: int, count: int, seed: int, length: int = 48):
    """Windows of letters, and whether a word begins at each: two tensors (count, length)."""
    starts = torch.randint(
        first, last - length, (count,), generator=torch.Generator().manual_seed(seed)
    )
    rows = starts[:, None] + torch.arange(length)
    return stream[rows], begins[rows]


half = (
    len(stream) // 2
)  # the first half without labels, then some with labels, the rest to measure on
held_out = cut(len(stream) * 3 // 4, len(stream), 200, seed=1)
print(f"a word begins at {held_out[1].float().mean():.0%} of the letters")


# %%
def unlabelled(kind: str, count: int = 10_000):
    """Inputs and targets made of text alone; the target -100 is one that the loss leaves out."""
    text = cut(0, half, count, seed=0)[0]
    if kind == "next":
        return text[:, :-1], text[:, 1:]
    hidden = torch.rand(text.shape, generator=torch.Generator().manual_seed(0)) < 0.25
    return text.masked_fill(hidden, MASK), text.masked_fill(~hidden, -100)


# %%
def pretrained(kind: str) -> nn.Module:
    seed_everything(0)
    model = models.Transformer(MASK + 1, 48, 4, 2, causal=kind == "next")
    batches = Batches(*unlabelled(kind), size=16, shuffle=True)
    sample = Batches(*[part[:200] for part in unlabelled(kind)], size=200)
    fit(
        model,
        batches,
        sample,
        lr=0.01,
        clip=1.0,
        metric="bits per character",
        validations=1,
        label=kind,
    )
    return model


# %%
starts = {f"pre-trained, {kind}": pretrained(kind) for kind in ("next", "masked")}

# %% [markdown]
# Now take the last layer off, put one with two logits on (begins here, or not), and train all of it on a few labelled windows.
# Beside them, the same two models without pre-training. **Predict** the order with 8 windows, and with 128.

# %%
starts["from scratch, looks back"] = models.Transformer(MASK + 1, 48, 4, 2)
starts["from scratch, both ways"] = models.Transformer(MASK + 1, 48, 4, 2, causal=False)


def fine_tuned(start: nn.Module, windows: int, seed: int, steps: int = 40) -> float:
    """Share of held-out letters judged right after training on so many labelled windows."""
    seed_everything(seed)
    model = copy.deepcopy(start)
    model.head = nn.Linear(48, 2)
    labelled = Batches(*cut(half, len(stream) * 3 // 4, windows, seed), size=16, shuffle=True)
    with contextlib.redirect_stdout(io.StringIO()):
        options = dict(epochs=steps / len(labelled), lr=0.005, validations=1)
        return fit(model, labelled, Batches(*held_out, size=200), **options).best


# %%
tuned = {
    name: {count * 48: [fine_tuned(start, count, seed) for seed in SEEDS] for count in (8, 32, 128)}
    for name, start in starts.items()
}
ax = plot_against(
    tuned,
    "labelled letters",
    "letters judged right (share)",
    "Where does a word begin? Pre-training buys labels",
    level=("never", 1 - held_out[1].float().mean().item()),
)

# %% [markdown]
# Both kinds of pre-training help, whatever the number of labels. Compare across the figure: with pre-training, a quarter of the
# labels does more than all of them without. And with 384 labels, a model from scratch is worse than the dashed line:
# *never* would be the better guess.
#
# Next characters help more than masked ones here. For larger models it is often told the other way. Look at what each was given: the
# same windows, but a masked one asks for a quarter of its letters and the other for all. That is a statement about this budget
# and not about BERT.
#
# ## 8 · The same block on pictures
#
# Nothing in the block knows about letters. Vectors in a row may be frames of sound, or the amino acids of a protein. Leave the positions out as well, and it reads a
# *set*: shuffle what goes in, and the same comes out, shuffled. Let each position see only its neighbours, and it reads a *graph*.


# %% same_output=true
def look(x, mask=None):
    """One head without positions: queries, keys and values are x itself."""
    return F.scaled_dot_product_attention(x, x, x, mask)


x, order = torch.randn(6, 4), torch.tensor([3, 0, 5, 1, 4, 2])
print("the same, shuffled:", torch.allclose(look(x)[order], look(x[order]), atol=1e-5))

# %% same_output=true
chain = (
    torch.ones(6, 6).tril(1).triu(-1) == 1
)  # a graph: each node sees itself and its two neighbours
once = reach.influence(lambda x: look(x, chain), x)
twice = reach.influence(lambda x: look(look(x, chain), chain), x)
for layers, seen in {"one layer": once, "two layers": twice}.items():
    print(f"{layers}: node 0 hears of nodes {seen[0].nonzero().flatten().tolist()}")

# %% [markdown]
# Cut an image into patches, make a vector of each by one linear layer, add a
# vector for its place, and let the same blocks run, without the mask (Dosovitskiy and others 2021). Beside it stands the CNN of
# lesson 02, with the same number of parameters. Both get the same few thousand digits, the same number of passes and the same
# recipe. **Predict** who is ahead, and why.

# %%
patch, wide, passes = {"mnist": (7, 32, 3), "digits": (2, 20, 10)}[pictures_of]


class PatchTransformer(nn.Module):
    """Images (N, 1, side, side) in, ten logits out: a transformer looking both ways, on patches."""

    def __init__(self):
        super().__init__()
        self.blocks = models.Transformer(10, wide, 2, 2, causal=False)
        self.blocks.embedding = nn.Linear(patch * patch, wide)
        self.places = nn.Parameter(0.5 * torch.randn((side // patch) ** 2, wide))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        patches = F.unfold(images, patch, stride=patch).transpose(1, 2)  # (N, patches, pixels)
        vectors = self.blocks.embedding(patches) + self.places  # (N, patches, wide)
        return self.blocks.read(vectors).mean(1)  # (N, 10)


# %%
seeing = {
    "CNN": {
        "mnist": partial(models.cnn, (16, 48)),
        "digits": partial(models.cnn, (16, 56), kernel=3, padding=1, side=8),
    }[pictures_of],
    "transformer on patches": PatchTransformer,
}
for name, build in seeing.items():
    print(f"{name}: {count_parameters(build()):,} parameters")


# %%
def seen(build, seed: int) -> float:
    """Validation accuracy after a few passes over the few images."""
    seed_everything(seed)
    model = build()
    with contextlib.redirect_stdout(io.StringIO()):
        batches, checked = Batches(*some, size=32, shuffle=True), Batches(*held_images, size=500)
        options = dict(epochs=passes, lr=0.01, clip=1.0, validations=1)
        return fit(model, batches, checked, **options).best


pictures = {name: [seen(build, seed) for seed in SEEDS] for name, build in seeing.items()}
ax = plot_runs(pictures, "Equal parameters, equal images: the CNN has been told what a picture is")

# %% [markdown]
# The CNN is clearly ahead. It has been told that neighbours belong together and that a stroke is a stroke wherever it lies; the
# transformer has to find both out from a few thousand digits. Dosovitskiy and others found the same at the other end of the scale:
# below millions of images the CNN wins, above them the gap closes.
#
# ## What we measured
#
# **Which wins, at which budget?** Once more, in numbers, for this machine and this text:

# %%
for what, bits in final.items():
    for name, values in bits.items():
        spread = f"({min(values):.2f} to {max(values):.2f})"
        print(f"{what:17} {name:12} {sum(values) / 3:.2f} bits {spread}")
for name, values in horizon.items():
    print(f"horizon           {name:12} {values} characters")
for name, scores in tuned.items():
    shares = ", ".join(f"{sum(scores[count]) / 3:.1%}" for count in scores)
    print(f"few labels        {name}: {shares}")
for name, values in pictures.items():
    print(f"pictures          {name}: {sum(values) / 3:.1%}")

# %%
results = {
    name: {
        "parameters": sizes[name],
        "bits_at_equal_characters": final["equal characters"][name],
        "bits_at_equal_seconds": final["equal seconds"][name],
        "horizon": horizon[name],
    }
    for name in builders
}
notebook.headline(corpus.name, lstm=results["LSTM"], transformer=results["transformer"])

# %% [markdown]
# - **Which wins?** The table says it for three seeds, one unit, one split, equal parameters. At these budgets it is the LSTM. In the
#   recorded run its lead shrinks with time, and turns over where neither may know more than 64 characters.
# - **Larger, or more text?** Both help. At equal operations it was the text.
# - **How far do they look?** Some tens of characters, both. The transformer is helpless beyond the length that it was trained with.
# - **What does length cost?** In time n² for attention, sooner or later. In memory n² only if the weights are written down. When
#   writing, one state against a cache that grows with each character.
# - **What is the block good for?** For letters, for labels, for pictures: the same few lines. Without a good guess about its data
#   it needs more of them.
#
# <!-- next -->
#
# **References**
#
# - Vaswani and others, *Attention Is All You Need*, 2017. Table 1 has the n · d² and n² · d of section 5.
# - Radford and others, *Improving Language Understanding by Generative Pre-Training*, 2018. Devlin and others, *BERT*, 2019.
# - Xiong and others, *On Layer Normalization in the Transformer Architecture*, 2020: the norm before each part.
# - Zhang and Sennrich, *Root Mean Square Layer Normalization*, 2019. Su and others, *RoFormer* (rotary positions), 2021.
# - Khandelwal and others, *Sharp Nearby, Fuzzy Far Away*, 2018: loss against visible context.
# - Kaplan and others, *Scaling Laws for Neural Language Models*, 2020. Hoffmann and others, *Training Compute-Optimal Large
#   Language Models*, 2022.
# - Rabe and Staats, *Self-attention Does Not Need O(n²) Memory*, 2021. Dao and others, *FlashAttention*, 2022.
# - Dosovitskiy and others, *An Image is Worth 16x16 Words*, 2021.
