# %% [markdown] question="how far back does it look?" write="streams, truncated backpropagation, a sampler, the horizon" minutes=100
# # 08 · The char-LSTM: how far back does it look?
#
# A language model reads a text and says, at each place, which character comes next. Nothing tells it how much of the
# past to use. You train one on Shakespeare, let it write, and then **measure** how many characters back it looks.
#
# When you are done (about 100 minutes) you can
#
# - cut a text into streams, and train an LSTM on them by truncated backpropagation through time;
# - draw text from it at a temperature, and say what the temperature does;
# - measure its horizon with a stated rule, and search its cells for what they keep track of.

# %% setup=true
import contextlib
import io
import json
import math
import statistics
import sys
from concurrent.futures import ThreadPoolExecutor

import torch
import torch.nn.functional as F
from sklearn.linear_model import Ridge
from tqdm import tqdm

from utils import data, notebook, paths
from utils.checks import char_lstm as check
from utils.models import CharLSTM, NGram, generate
from utils.notebook import payoff
from utils.plotting.curves import plot_fade, plot_training
from utils.plotting.horizons import plot_excess, plot_horizons, plot_tolerances
from utils.plotting.maps import plot_influence
from utils.plotting.runs import plot_bits, plot_strengths
from utils.plotting.text import plot_colored_text, plot_probabilities, plot_streams
from utils.reach import Horizon, context_horizon, influence
from utils.source_code import indentation, inside_quotes, line_position, whole_definitions
from utils.text import decode, encode
from utils.training import Streams, count_parameters, fit, seed_everything
from utils.widgets.char_sampler import char_sampler

device = notebook.setup()

# %% [markdown]
# ## The text, and what it takes to beat it
#
# Tiny Shakespeare has 1.1 million characters. The last tenth is put aside for **validation**: all that we compare, we
# compare there. No network and no copy? Then you get English text that Python ships, and all of the lesson runs on
# it. The numbers in the *text* are Shakespeare's; the numbers below the cells are yours.

# %%
corpus = data.corpus("tiny_shakespeare")
alphabet = corpus.alphabet
train_tokens, validation_tokens = (
    encode(part, alphabet) for part in (corpus.train, corpus.validation)
)
print(corpus)
print(corpus.train[:120])

# %% [markdown] unclaimed="ln 2, and a tolerance that the lesson chooses"
# A model gives each next character a probability. Its loss is the surprise, on average over the text:
#
# $$\text{bits per character} = -\frac1N \sum_n \log_2 p(x_n \mid x_1 \dots x_{n-1})$$
#
# `F.cross_entropy` takes the natural logarithm, so its unit is the **nat**. One bit is ln 2 = 0.693 nats: divide.
#
# Two models need no training to speak of. *Uniform* gives each of the V characters 1/V. *Unigram* knows how frequent
# each is. An **n-gram** counts which characters followed the last n − 1 ones. Long contexts are rare, so its counts are
# mixed with those of shorter ones ("smoothing", here Kneser and Ney's). It is the baseline for everything in this lesson.
#
# **Predict**: with 6-grams, five characters of context: how many bits?

# %%
vocabulary = len(alphabet)
baselines = {"uniform": math.log2(vocabulary)}
ngrams = {order: NGram(order, vocabulary).fit(train_tokens) for order in range(1, 7)}
for order, ngram in ngrams.items():
    baselines["unigram" if order == 1 else f"{order}-gram"] = ngram.bits(validation_tokens)
ax = plot_bits(
    {name: [bits] for name, bits in baselines.items()}, "Counting alone: five characters help a lot"
)

# %% [markdown]
# Each character more of context helps less than the one before. To go on, counting needs more text than there is: most
# contexts of nine characters are seen once or never. Can a network do better with its memory?
#
# ## Streams
#
# An LSTM reads in order and carries a state. One text, one state, one character after the other: a CPU would be idle most
# of the time. So you cut the text into B pieces and read all of them **side by side**, a little of each at a time.
#
# The target at each place is the next character. **Predict**: how many pairs of input and target does "hello" give?

# %% same_output=true
for seen, following in zip("hello", "hello"[1:], strict=False):
    print(f"input {seen}  target {following}")

# %% [markdown]
# Cut the text x₀ … x_{N−1} into B pieces of L = (N − 1) // B characters. Stream b starts at b·L. Batch s takes the steps
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
# ●●○ · about 20 minutes · 2 points
#
# Write `stream_batches(text, alphabet, streams, length)`. It encodes the text and returns the list of batches in order, each
# a pair `(inputs, targets)`.


# %% answer="stream_batches"
def stream_batches(text: str, alphabet: str, streams: int, length: int) -> list:
    """Batches of (inputs, targets), each a tensor (streams, length); the last one may be shorter.

    >>> stream_batches("abcde", "abcde", streams=2, length=2)
    [(tensor([[0, 1], [2, 3]]), tensor([[1, 2], [3, 4]]))]
    """
    ### BEGIN SOLUTION
    tokens = torch.tensor([alphabet.index(character) for character in text])
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
# Encode; cut `tokens[: B * L]` into rows, and `tokens[1 : B * L + 1]` as well; walk along the columns.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# `reshape(streams, each)` puts running text into each row. `tensor.split(length, dim=1)` cuts the columns into batches.
# </details>
# <details><summary>Help: why (N − 1), not N?</summary>
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
    ax = plot_streams(pairs[:2], alphabet, "Four streams: each row goes on in the next batch")

# %% [markdown]
# Read along a row: running text, and below each character the one that follows. Row 1 of batch 2 goes on where row 1
# of batch 1 ended.
#
# ## Backpropagation, cut off
#
# The loss at step 1,000 depends on the state of step 999, which depends on … the whole text. To go back through all of it would
# take memory and time without end. So you cut: the *numbers* of the state are carried on, their *history* is not.
# **Truncated backpropagation through time.** A gradient sees at most T steps; the state has no such limit.
#
# By hand: h grows by the factor w at each of two steps. **Predict** both gradients of h₂ = w·(w·1) by w at w = 2.

# %% same_output=true
w = torch.tensor(2.0, requires_grad=True)
for name, cut in {"whole": lambda h: h, "cut": lambda h: h.detach()}.items():
    h = cut(w * torch.tensor(1.0))  # step 1
    (gradient,) = torch.autograd.grad(w * h, w)  # step 2
    print(f"{name:5}: h = {(w * h).item():.0f}, gradient {gradient:.0f}")

# %% [markdown]
# The value is the same, the gradient is not: the cut one knows of the last factor only.
#
# $$(s_t, c_t) = \text{LSTM}(x_t,\ s_{t-1},\ c_{t-1}) \qquad p_t = \text{softmax}(W s_t + b)$$
#
# | symbol | in code | shape |
# | --- | --- | --- |
# | $x$ | `inputs` | (B, T) |
# | $z$ | `logits, state = model(inputs, state)` | logits (B, T, V) |
# | $s, c$ | `state = (h, c)`, or `None` at the start of the text | each (1, B, C) |
# | | `targets` | (B, T) |
#
# The model is `CharLSTM` from `utils/models`: an embedding, one `nn.LSTM`, one linear layer. With V characters, C units
# and embeddings as wide as the layer it has V·C + 4C(2C + 2) + V(C + 1) parameters.

# %%
width = 128
model = CharLSTM(vocabulary, width)
logits, state = model(torch.zeros(16, 64, dtype=torch.long))
print(f"logits {tuple(logits.shape)}, state {[tuple(part.shape) for part in state]}")
print(f"{count_parameters(model):,} parameters")
formula = vocabulary * width + 4 * width * (2 * width + 2) + vocabulary * (width + 1)
assert count_parameters(model) == formula

# %% [markdown]
# ### Exercise 8.2 · one step, truncated
# ●●○ · about 15 minutes · 3 points
#
# Write `truncated_step(model, optimizer, inputs, targets, state)`. It makes one training step on the mean cross-entropy (in
# nats), and returns a pair: the loss before the step **in bits per character**, as a plain number, and the new state,
# **detached**, ready for the next batch.


# %% answer="truncated_step"
def truncated_step(model, optimizer, inputs: torch.Tensor, targets: torch.Tensor, state) -> tuple:
    """One step on inputs and targets (B, T), from `state` (None, or h and c) on.

    Returns (bits per character, state after the last column, cut off from its history).
    """
    ### BEGIN SOLUTION
    optimizer.zero_grad()
    logits, state = model(inputs, state)
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    loss.backward()
    optimizer.step()
    return loss.item() / math.log(2), tuple(part.detach() for part in state)
    ### END SOLUTION


# %% check="truncated_step"
check.truncated_step(truncated_step)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# The step of lesson 02, with a state that goes in and comes out. `h, c = state`, then `h.detach()` and `c.detach()`.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# `F.cross_entropy` wants (N, V) and (N,). `logits.flatten(0, 1)` is (B·T, V), `targets.flatten()` is (B·T,).
# </details>
# <details><summary>Help: "Trying to backward through the graph a second time"</summary>
#
# The state that you handed back still holds the graph of the step before. PyTorch offers `retain_graph=True`; do not take
# it. Detach the state: both parts.
# </details>
# <details><summary>Help: my first loss is 4.2 instead of 6</summary>
#
# 4.17 is ln 65, and 6.02 is log₂ 65: nats for bits.
# </details>

# %% [markdown]
# 150 of your steps, 16 streams of 64. **Predict** what an untrained model starts with, and which baseline it passes.

# %% payoff="truncated_step"
with payoff("truncated_step"):
    seed_everything(0)
    mine, state, seen = CharLSTM(vocabulary, width), None, []
    optimizer = torch.optim.AdamW(mine.parameters(), lr=0.005)
    for (inputs, targets), _ in zip(Streams(train_tokens, 16, 64), range(150), strict=False):
        bits, state = truncated_step(mine, optimizer, inputs, targets, state)
        seen.append(bits)
    levels = {name: baselines[name] for name in ("uniform", "unigram", "2-gram", "3-gram")}
    ax = plot_training({"yours": seen}, levels, "150 of your steps, in bits")

# %% [markdown]
# It starts at log₂ V, as one that knows nothing must, falls to the unigram at once, and then has to learn about context.
#
# ## The run
#
# Now the experiment of this lesson. Truncation may be the reason why a model forgets: one that is trained with T = 16
# has never been told about anything further back. So we train with **T = 16, 64 and 256**, three seeds each. Every run
# reads the same characters the same number of times, and every step has 1,024 characters: 64 streams of 16, 16 of 64,
# 4 of 256. Two more runs: T = 64 with an eighth of the reading, and one on Python's own source code, for the end of the
# lesson.
#
# A small LSTM cannot use two cores, as each step waits for the one before it. Two models can: they train side by side.

# %%
python = data.corpus("python")
python_train = encode(python.train, python.alphabet)
python_validation = encode(python.validation, python.alphabet)
texts = {"play": (train_tokens, validation_tokens, alphabet)}
texts["python"] = (python_train, python_validation, python.alphabet)
CHARACTERS = 600_000  # that a run reads, unless told


# %%
def train(text: str, length: int, seed: int, times: float) -> float:
    """Train `models[text, length, seed, times]`; its validation loss in bits per character."""
    train_text, validation_text, letters = texts[text]
    model = models[text, length, seed, times]
    streams = Streams(train_text, 1024 // length, length)
    options = dict(epochs=times * CHARACTERS / len(train_text), lr=0.01, clip=1.0, validations=1)
    validation = Streams(validation_text, 32, 256)
    return fit(model, streams, validation, metric="bits per character", **options).best


# %%
jobs = [("play", length, seed, 1) for seed in range(3) for length in (256, 64, 16)]
jobs += [("play", 64, 0, 1 / 8), ("python", 64, 0, 2)]
models = {}
for job in jobs:  # one after the other, as the seeds are everybody's; training itself draws nothing
    seed_everything(job[2])
    models[job] = CharLSTM(len(texts[job[0]][2]), width)

# %%
torch.set_num_threads(1)
bar = tqdm(total=len(jobs), desc="two at a time", unit=" models", file=sys.stdout)
with ThreadPoolExecutor(2) as pool, contextlib.redirect_stdout(io.StringIO()):
    bits = {}
    for job, best in zip(jobs, pool.map(lambda job: train(*job), jobs), strict=True):
        bits[job] = best
        bar.update()
bar.close()

# %%
lengths = (16, 64, 256)
of_length = {T: [bits["play", T, seed, 1] for seed in range(3)] for T in lengths}
shorter = bits["play", 64, 0, 1 / 8]
shown = {name: [value] for name, value in baselines.items() if name != "uniform"}
shown |= {f"LSTM, T = {T}": of_length[T] for T in lengths} | {
    "LSTM, T = 64, ⅛ of the reading": [shorter]
}
ax = plot_bits(shown, "The LSTM against counting, on the same validation text")

# %%
for T in lengths:
    spread = statistics.stdev(of_length[T])
    print(f"T = {T:3}: {statistics.mean(of_length[T]):.3f} ± {spread:.3f} bits (three seeds)")
best_ngram = min(baselines.values())
print(f"best n-gram {best_ngram:.3f}, T = 64 with an eighth of the reading {shorter:.3f}")

# %% [markdown]
# Two findings, and neither is what one expects.
#
# **Counting wins, at this budget.** The 6-gram is far ahead of every LSTM here. It needs no training to speak of, and it has
# read all of the text; the LSTMs have read 600,000 characters of a million. With more units and more reading the LSTM
# closes the gap; a recorded run below shows how far.
#
# **T = 16 is the best of the three, T = 256 the worst**, by several times the spread of the seeds. A likely reason: with
# 1,024 characters in a step, T = 16 reads at 64 places of the text at once, T = 256 at four. Its gradients are averages over
# more different text. To test that, give T = 16 only four streams, and four times the steps.
#
# ## Let it write
#
# To write, the model reads a prompt, you draw a character from its probabilities, it reads that one, and so on. The
# **temperature** τ says how boldly to draw:
#
# $$p_i = \frac{e^{z_i/\tau}}{\sum_j e^{z_j/\tau}}$$
#
# | symbol | in code | meaning |
# | --- | --- | --- |
# | $z$ | `logits[0, -1]` | (V,), after the last character read |
# | $\tau$ | `temperature` | below 1: favourites gain; above 1: the others gain |
# | | `state` | what the model has kept of the text so far |
#
# **Predict**: logits 2, 1, 0. What happens to the probabilities at τ = 0.5?

# %% same_output=true
for temperature in (0.5, 1.0, 2.0):
    probabilities = (torch.tensor([2.0, 1.0, 0.0]) / temperature).softmax(0)
    print(temperature, [round(value, 2) for value in probabilities.tolist()])

# %% [markdown]
# ### Exercise 8.3 · continue a prompt
# ●●○ · about 20 minutes · 2 points
#
# Write `continue_prompt(model, prompt, count, temperature)`. The model reads the prompt once and starts without a state. Then
# you draw `count` characters, one at a time, and let it read each. Return the new tokens, without the prompt.


# %% answer="continue_prompt" covers="40"
def continue_prompt(model, prompt: torch.Tensor, count: int, temperature: float) -> list[int]:
    """`count` new tokens after the prompt (T,), each drawn from softmax(logits / temperature)."""
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
# Before the loop: read the whole prompt. In the loop: logits → probabilities → draw → keep → read it, with the state.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# The model reads (B, T). A prompt (T,) becomes (1, T) with `prompt[None]`, one token becomes (1, 1). `logits[0, -1]` is (V,).
# </details>
# <details><summary>Help: it writes "the the the the"</summary>
#
# You take the most likely character each time. Draw: `torch.multinomial(probabilities, 1)`.
# </details>
# <details><summary>Help: it writes letters in a salad</summary>
#
# Does the model get the state of the step before? Without it, it sees one character at a time.
# </details>

# %% payoff="continue_prompt"
with payoff("continue_prompt"):
    seed_everything(1)
    prompt = "KING " if corpus.name == "tiny_shakespeare" else "The "
    tokens = continue_prompt(models["play", 64, 0, 1], encode(prompt, alphabet), 300, 0.7)
    print(prompt + decode(torch.tensor(tokens), alphabet))

# %% [markdown]
# Names, colons, line breaks: the form is there. Most of the words are words. It means nothing at all.
#
# ### What the temperature does
#
# **Predict** what you will read at 0.3, and at 1.5.

# %%
writer = models["play", 64, 0, 1]
prompt = "KING " if corpus.name == "tiny_shakespeare" else "The "
temperatures = (0.3, 0.7, 1.0, 1.5)
for temperature in temperatures:
    draws = torch.Generator().manual_seed(0)
    tokens = generate(writer, encode(prompt, alphabet), 160, temperature, draws)
    print(f"--- temperature {temperature}\n{prompt}{decode(tokens, alphabet)}\n")

# %%
with torch.no_grad():
    z = writer(encode(prompt, alphabet)[None])[0][0, -1]
after_prompt = {f"τ = {t}": (z / t).softmax(0) for t in (0.3, 1.0, 1.5)}
ax = plot_probabilities(after_prompt, alphabet, title=f"After {prompt!r}: low sharpens")

# %% [markdown]
# Two numbers say what you have read. How many of the words that it writes stand in the training text? And how many
# *different* words does it use?


# %%
def words_written(temperature: float, seed: int) -> tuple[float, float]:
    """The share of its words that are known, and that are different, of 600 characters."""
    draws = torch.Generator().manual_seed(seed)
    tokens = generate(writer, encode(prompt, alphabet), 600, temperature, draws)
    words = decode(tokens, alphabet).split()[:-1]  # the last one may be cut off
    return sum(word in known for word in words) / len(words), len(set(words)) / len(words)


known = set(corpus.train.split())
for temperature in temperatures:
    right, different = zip(*[words_written(temperature, seed) for seed in range(3)], strict=True)
    said = ", ".join(f"{value:.0%}" for value in right)
    print(f"τ = {temperature}: known {said}; different {statistics.mean(different):.0%}")

# %% [markdown]
# Low temperatures write known words, and the same ones over and over. High ones write many different words, most of
# which do not exist. There is no right temperature; there is a trade.
#
# Try it: your own prompt, your own temperature.

# %%
char_sampler(writer, alphabet, prompt)

# %% [markdown] unclaimed="ln 2, and a tolerance that the lesson chooses"
# ## How far back?
#
# Now the question. Show the model only the last k characters before a place, with an empty state, and measure the loss
# on what comes there. With k = 1 it is blind but for one character. The more it sees, the better, until more no longer helps:
# what lies further back, it has forgotten, or never used. The method is that of Khandelwal and others (2018).
#
# Where does a curve stop falling? That needs a rule. Ours: **the horizon is the smallest k whose loss is within 0.01 bits of the
# lowest.** **Predict** the horizon that the rule reads off the curve below.

# %% same_output=true
visible, curve = [1, 2, 4, 8, 16], [3.0, 2.5, 2.32, 2.306, 2.3]
for k, value in zip(visible, curve, strict=True):
    print(f"{k:2} visible: {value:.3f} bits, {value - min(curve):.3f} above the lowest")

# %% [markdown]
# Eight. Sixteen is the lowest, and eight is close enough. For place p and length k:
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
# ### Exercise 8.4 · the horizon
# ●●● · about 25 minutes · 3 points
#
# Write `measure_horizon(model, tokens, places, lengths, tolerance)`. It returns a pair: the list of the losses in bits, one for
# each length, and the horizon.


# %% answer="measure_horizon" covers="39"
def measure_horizon(
    model, tokens: torch.Tensor, places: torch.Tensor, lengths: list[int], tolerance: float
) -> tuple[list[float], int]:
    """(bits per character for each length, smallest length within `tolerance` of the lowest)."""
    ### BEGIN SOLUTION
    bits = []
    for k in lengths:
        windows = tokens[places[:, None] - k + torch.arange(k)]  # (P, k)
        with torch.no_grad():
            logits, _ = model(windows)
        bits.append(F.cross_entropy(logits[:, -1], tokens[places]).item() / math.log(2))
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
# `places[:, None] - k + torch.arange(k)` is (P, k): row p holds the places p − k … p − 1. `logits[:, -1]` is (P, V).
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
    places = torch.arange(300, len(validation_tokens), len(validation_tokens) // 400)
    looked = [1, 2, 4, 8, 16, 32, 64]
    found, k = measure_horizon(writer, validation_tokens, places, looked, 0.01)
    print("  ".join(f"{n}: {value:.2f}" for n, value in zip(looked, found, strict=True)))
    print(f"your measurement, {len(places)} places: the model looks {k} characters back")

# %% [markdown]
# Four hundred places are few: how often must you measure? Each place has a loss of its own, and they differ by several
# bits. `context_horizon` from `utils/reach` does what you did, at more places, and gives the standard error with it.
#
# First a model whose horizon we know: the 6-gram looks five characters back, no more. **Predict** its curve.

# %%
VISIBLE = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 256)
known_one = context_horizon(ngrams[6], validation_tokens, (1, 2, 3, 4, 5, 6, 8, 12))
assert known_one.horizon <= 5
for k, value in zip(known_one.lengths, known_one.bits, strict=True):
    print(f"{k}: {value:.2f}", end="  ")
print(f"\nthe 6-gram's horizon: {known_one.horizon}")

# %% [markdown]
# Flat from five on, exactly. Now the LSTMs.

# %%
play_jobs = [job for job in jobs if job[0] == "play"]
with ThreadPoolExecutor(2) as pool:
    measured = pool.map(
        lambda job: context_horizon(models[job], validation_tokens, VISIBLE, positions=600),
        play_jobs,
    )
    horizons = dict(zip(play_jobs, measured, strict=True))

# %% figure="horizons"
curves = {f"T = {T}": [horizons["play", T, seed, 1] for seed in range(3)] for T in lengths}
curves["T = 64, ⅛ of the reading"] = [horizons["play", 64, 0, 1 / 8]]
found = {name: [horizon.horizon for horizon in group] for name, group in curves.items()}
ax = plot_horizons(curves, "Beyond some tens of characters, more context does not help")

# %% [markdown]
# Where the curves are flat, the eye cannot tell them apart. So look at what is left to gain, on a scale of ratios. Each line is
# one seed; where it dips under the dashed line, there is its horizon.

# %%
ax = plot_excess(curves, 0.01, "What is left to gain with more context")

# %%
for name, group in curves.items():
    error = max(max(horizon.excess_spread[4:]) for horizon in group)
    lost = statistics.mean(h.bits[VISIBLE.index(8)] - h.best for h in group)
    print(
        f"{name:24} horizon {found[name]}; with 8 characters {lost:.3f} bits above its best; ",
        end="",
    )
    print(f"standard error beyond that at most {error:.3f}")

# %% [markdown]
# The curves fall steeply up to 8 characters, and from 48 on hardly anything is left to gain. You have seen that LSTMs forget.
#
# "A char-LSTM forgets past about 50 characters", one reads. Is that so? Most of ours forget sooner. *About 50* is no constant
# of the LSTM. It depends on
#
# - **how long it was trained.** After an eighth of the reading the horizon is 8. What is near is learned first.
# - **the rule.** Below, the same curves are read with other tolerances.
# - **the seed.** Two models that differ in nothing else can have horizons of 24 and of 48. And the standard error of these
#   small differences can be as large as the tolerance: one step on the grid of lengths means little.
# - **the truncation?** Not in the way one expects: the models that were trained with T = 256 do not look further.

# %%
tolerances = (0.005, 0.01, 0.02, 0.05, 0.1)
ax = plot_tolerances(curves, tolerances, "The same curves, other rules: other horizons")

# %% [markdown]
# And a larger model that reads more? That takes minutes rather than seconds, so it was run once and recorded: 256 units,
# always Shakespeare. `python -m bench.record_horizon` makes the record again. **Predict** the order of the three, now.

# %%
record = paths.RECORDED / "char_lstm_horizon.json"
record = json.loads(record.read_text())
fields = ("lengths", "bits", "spread", "excess_spread")
recorded = {
    f"T = {T}, recorded": [Horizon(*(tuple(run[f]) for f in fields), run["tolerance"])]
    for T, run in record["runs"].items()
}
title = f"{record['width']} units, {record['characters'] / 1e6:.1f} million characters read"
ax = plot_horizons(recorded, title)

# %%
print(f"recorded on {record['machine']}")
for T, run in record["runs"].items():
    print(f"T = {T:3}: {run['bits_per_character']:.3f} bits, horizon {run['horizon']}", end="; ")
    print(f"{run['parameters']:,} parameters, {run['seconds']} s")

# %% [markdown]
# With more units and more reading, all three horizons are 48. So "about 50" can be found, and the truncation plays no part in
# it: with T = 16 no gradient ever went back further than 16 characters, and the model looks 48 back all the same.
#
# Why 48? Look at the curves again. They rest between 12 and 24 characters, and then fall once more. (That is why a rule must
# not stop at the first flat step.) What lies 24 to 48 characters back in this text? A guess: the beginning of the line. A model
# that knows where the line began knows whether it may end soon. If that is right, the gain must sit at the **line ends**, and
# nowhere else. Test it, on our own model from above.


# %%
def bits_with(k: int, places: torch.Tensor) -> float:
    """What the writer loses at these places, with k characters visible."""
    windows = validation_tokens[places[:, None] + torch.arange(-k, 0)]
    with torch.no_grad():
        logits = writer(windows)[0][:, -1]
    return F.cross_entropy(logits, validation_tokens[places]).item() / math.log(2)


line_ends = (validation_tokens[64:] == alphabet.index("\n")).nonzero().flatten() + 64
inside_lines = (validation_tokens[64:] != alphabet.index("\n")).nonzero().flatten() + 64
in_lines = sorted(map(len, corpus.text.split("\n")))
print(f"nine of ten lines have at most {in_lines[len(in_lines) * 9 // 10]} characters")
for name, places in {"line ends": line_ends, "all others": inside_lines}.items():
    some = places[:: len(places) // 500]
    print(f"{name:10}", *(f"{k}: {bits_with(k, some):.2f} " for k in (8, 16, 24, 32, 48, 64)))

# %% [markdown]
# There it is. At line ends the loss goes on falling up to 32 characters. At all other places it is flat from 8 or 16 on. What this
# model keeps for long is how long the line already is; of what was *said* it keeps a word or two. On another text, its horizon
# would be another number.
#
# ### Cut its memory while it writes
#
# The same prompt, the same random numbers. Each line hides all but the last k characters: from the prompt, and then also from
# what the model has written itself. **Predict** from which k on it writes sensibly.

# %%
start = validation_tokens[5000:5200]
print("... " + decode(start[-60:], alphabet).replace("\n", " / "))
for k in (1, 3, 8, 24, 100):
    draws = torch.Generator().manual_seed(3)
    tokens = generate(writer, start, 90, 0.5, draws, context=k)
    print(f"k = {k:3}: {decode(tokens, alphabet)!r}")

# %% [markdown]
# With one character it babbles. With three there are short words, with eight there are sentences of a kind. And with 24 or 100
# it also breaks its lines: now it sees where they began. So much for the claim that such a model is coherent for about 100
# characters: by the loss, nothing in it depends on what stands that far back.
#
# ### The other ruler
#
# The loss asks what context is *worth*. `influence` asks something else: by how much would the logits change if an earlier
# character changed a little? A Jacobian norm, as in lesson 00.

# %%
piece = validation_tokens[2000:2028]
by_gradient = influence(writer.read, writer.embedding(piece[None]).detach())
letters = [alphabet[token].replace("\n", "↵") for token in piece.tolist()]
ax = plot_influence(by_gradient, letters, "An LSTM's reach: a triangle that fades")
ax.figure.set_size_inches(5.2, 4.4)

# %%
places = torch.linspace(0, len(validation_tokens) - 200, 6).long()
passages = validation_tokens[places[:, None] + torch.arange(100)]
fades = {}
for T in lengths:
    of_seeds = []
    for seed in range(3):
        one = models["play", T, seed, 1]
        at_the_end = influence(one.read, one.embedding(passages).detach(), at=-1)
        of_seeds.append(at_the_end.flip(0) / at_the_end.max())
    fades[f"T = {T}"] = torch.stack(of_seeds)
ax = plot_fade(fades, "Influence on the last place, by distance (three seeds)", floor=1e-6)

# %%
for name, fade in fades.items():
    far = [(row >= 0.01).nonzero().max().item() for row in fade]
    print(f"{name:8} influence above 1 % of the largest up to {far} characters back")

# %% [markdown]
# By the gradient, the reach of an LSTM is a triangle that fades: a factor of about a thousand in the first 30 characters, then more
# slowly. It has no edge. Loss and gradient answer different questions: a tiny influence may still decide where a line ends, and
# a large one may be worth nothing. In order of magnitude they agree: tens of characters, not hundreds.

# %% [markdown] quiz="truncation" points=1
# A model was trained with T = 16: its gradients never went further back than 16 characters. Yet its loss goes on falling when it
# may see more than 16. How can that be?
#
# - **a** It cannot be; the measurement must be noise.
# - **b** The state is carried from batch to batch, so the model *reads* further back than its gradients go.
# - **c** The streams overlap, so it saw longer texts than it was told.
# - **d** `detach` only makes gradients smaller.
#
# ### BEGIN SOLUTION
# **b**. Truncation cuts the gradient, not the state. What was learned for short distances also keeps things for longer ones.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice would mean</summary>
#
# - **a**: then the curves of three seeds would not agree. Look at the bands.
# - **b**: right. A cell that learned to keep something for 16 characters does not know that it should stop at 17. What is
#   never learned is what *only* pays off beyond T.
# - **c**: they do not. Each character is read once in a pass, in one stream.
# - **d**: `detach` stops the gradient altogether. Nothing flows through it.
# </details>

# %% [markdown]
# ## What do the cells keep track of?
#
# In 2015 Karpathy looked into a char-RNN and found a cell that was high inside quotes, one that counted the place in the
# line, and one for the depth of indentation. Are there such cells in *our* LSTM? We ask the one that has read Python's
# standard library, where quotes and indentation mean something. Nobody told it about either.
#
# A cell that tells quoted places from others should be higher in one kind than in the other. **AUROC** says how well: take one
# place inside quotes and one outside; how often is the cell higher inside? One half is chance, 1 and 0 are perfect.
# **Predict** the AUROC of the cell below.

# %% same_output=true
inside, outside = [0.9, 0.4], [0.1, 0.5]
wins = [high > low for high in inside for low in outside]
print(wins, sum(wins) / len(wins))

# %% [markdown]
# $$\text{AUROC} = \frac{1}{n_1 n_0}\sum_{i:\,f_i}\ \sum_{j:\,\lnot f_j} \Big([a_i > a_j] + \tfrac12 [a_i = a_j]\Big)
# = \frac{\sum_{i:\,f_i} r_i - n_1(n_1+1)/2}{n_1\, n_0}$$
#
# | symbol | in code | shape |
# | --- | --- | --- |
# | $a$ | `cells` | (N, C): each place, each cell |
# | $f$ | `flags` | (N,), True or False |
# | $n_1, n_0$ | `flags.sum()`, `(~flags).sum()` | numbers |
# | $r$ | ranks of one cell's values, from 1; equal ones share their mean rank | (N, C) |
#
# ### Exercise 8.5 · AUROC of every cell at once
# ●●○ · about 15 minutes · 2 points
#
# Write `auroc(cells, flags)`. It returns one AUROC for each cell, a tensor (C,). No loop over the cells is needed: compare all
# pairs at once, or take ranks, as you like.


# %% answer="auroc" covers="41 42"
def auroc(cells: torch.Tensor, flags: torch.Tensor) -> torch.Tensor:
    """How often a flagged place has the larger value, for each cell: (N, C) and (N,) in, (C,) out.

    >>> auroc(torch.tensor([[0.9], [0.4], [0.1], [0.5]]), torch.tensor([True, True, False, False]))
    tensor([0.7500])
    """
    ### BEGIN SOLUTION
    flagged, others = cells[flags][:, None], cells[~flags][None]  # (n1, 1, C) and (1, n0, C)
    wins = (flagged > others).float() + 0.5 * (flagged == others).float()
    return wins.mean((0, 1))
    ### END SOLUTION


# %% check="auroc"
check.auroc(auroc)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# `cells[flags]` and `cells[~flags]` are the two groups. Compare each of the one with each of the other by broadcasting.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# (n₁, 1, C) against (1, n₀, C) gives (n₁, n₀, C). The mean over the first two leaves (C,).
# </details>
# <details><summary>Help: my ranks give almost the right numbers</summary>
#
# Ties. `argsort` twice gives equal values different ranks; `scipy.stats.rankdata(cells, axis=0)` shares them.
# </details>

# %% [markdown]
# The passage comes from the validation part: the model has not read it. Python's own tokenizer says where strings are.
# Then let the model read, one character at a time, and write down all its cells (the c of its state). The passage is cut
# into two halves, each read from an empty state: the first to search in, the second to test on.

# %%
reader = models["python", 64, 0, 2]
source = whole_definitions(python.validation, 14_000)
half = len(source) // 2
halves = encode(source[: 2 * half], python.alphabet).view(2, half)
print(f"two halves of {half:,} characters; loss {bits['python', 64, 0, 2]:.2f} bits on all of it")


# %%
@torch.no_grad()
def cells_of(model, halves):
    """The cell c after each character of tokens (2, T): (2, T, C)."""
    state, seen = None, []
    for column in halves.T:
        _, state = model(column[:, None], state)
        seen.append(state[1][0])
    return torch.stack(seen, 1)


seed_everything(0)
untrained = CharLSTM(len(python.alphabet), width)
WARM = 200  # characters that only fill the memory
cells = cells_of(reader, halves)[:, WARM:]
cells_untrained = cells_of(untrained, halves)[:, WARM:]

# %%
properties = {
    "inside a string": inside_quotes(source),
    "inside a short string": inside_quotes(source, most_lines=1),
    "place in the line": line_position(source),
    "indentation": indentation(source),
}
properties = {name: value[: 2 * half].view(2, half)[:, WARM:] for name, value in properties.items()}
for name, values in properties.items():
    print(f"{name:22} mean {values.float().mean():.2f}, largest {values.max()}")

# %% payoff="auroc"
with payoff("auroc"):
    rows = torch.randperm(half - WARM)[:300]
    quoted = properties["inside a string"][0][rows]
    mine = auroc(cells[0][rows], quoted)
    by_luck = auroc(cells[0][rows], quoted[torch.randperm(300)])
    best, lucky = ((areas - 0.5).abs().argmax() for areas in (mine, by_luck))
    print(f"your AUROC, 300 places: of {width} cells, cell {best} is the best: {mine[best]:.2f}")
    print(f"with the flags shuffled, cell {lucky} is the best:  {by_luck[lucky]:.2f}")

# %% [markdown]
# The second line is the point. Among 128 cells *some* cell looks good by luck. So compare with the **best of 128 under
# shuffled flags**. And a plain shuffle is too kind a control: quotes come in long runs, and so do the values of a slow cell. We
# *shift* the flags around the text instead, by random amounts. That keeps the runs and breaks the link.
#
# More traps, and what we do about each:
#
# - **The cell was picked because it is good here.** Pick it on the first half of the passage, report it on the second.
# - **The last character tells already.** After `"` one is often inside. So: what does the last character alone achieve?
# - **An untrained network also remembers.** The same search on random weights.
# - **One cell is not the only way to know.** A linear probe reads all cells together.
#
# For true-or-false the strength is 2·|AUROC − ½|, for numbers the correlation. Both are 0 at chance and 1 at best.


# %%
def strengths(cells, values):
    """How well each cell tells the property: (N, C) and (N,) in, (C,) out, from 0 to 1."""
    if values.dtype != torch.bool:
        both = torch.cat([cells, values[:, None].float()], 1)
        return torch.corrcoef(both.T)[-1, :-1].abs().nan_to_num()
    ranks = cells.argsort(0).argsort(0).double() + 1  # trained cells hardly ever tie
    few, many = values.sum(), (~values).sum()
    area = (ranks[values].sum(0) - few * (few + 1) / 2) / (few * many)
    return (2 * (area - 0.5).abs()).float()


# %%
def picked(cells, values):
    """The best cell of the first half, and its strength on the second."""
    best = int(strengths(cells[0], values[0]).argmax())
    return best, float(strengths(cells[1][:, best : best + 1], values[1]))


def shifted(cells, values, times=10):
    """The same search, from start to end, with the flags shifted along the text."""
    amounts = torch.randint(500, values.shape[1] - 500, (times,)).tolist()
    return [picked(cells, values.roll(by, 1))[1] for by in amounts]


# %%
def probed(features, values):
    """The strength of a linear readout of all features together, fitted on the first half."""
    linear = Ridge(1.0).fit(features[0], values[0].float())
    read = torch.as_tensor(linear.predict(features[1])).float()[:, None]
    return float(strengths(read + 1e-4 * torch.randn(read.shape), values[1]))  # noise breaks ties


# %%
last_character = F.one_hot(halves[:, WARM:], len(python.alphabet)).float()
table, chosen = {}, {}
for name, values in properties.items():
    chosen[name], strength = picked(cells, values)
    table[name] = {
        "best cell": strength,
        "best cell, untrained": picked(cells_untrained, values)[1],
        "best cell, flags shifted": shifted(cells, values),
        "last character alone": probed(last_character, values),
        "probe of all cells": probed(cells, values),
        "probe, untrained": probed(cells_untrained, values),
    }

# %%
ax = plot_strengths(table, "What the cells of an LSTM tell about Python source")

# %%
controls = ("best cell, flags shifted", "last character alone", "best cell, untrained")
found_cells = {}
for name, row in table.items():
    rival = max(max(row[c]) if isinstance(row[c], list) else row[c] for c in controls)
    found_cells[name] = row["best cell"] > rival
    verdict = "found" if found_cells[name] else "NOT found"
    print(f"{name:22} {verdict}: cell {chosen[name]} has {row['best cell']:.2f}, ", end="")
    print(f"the best control {rival:.2f}")

# %% [markdown]
# Read the verdicts: they are the finding, whatever they say. Another Python has another library, so that your model, and your
# verdicts, may differ from those that are stored with this course. What we see in ours:
#
# - **Short strings**: one cell tells them well, and far above every control. Nobody asked for it. That is what is meant by
#   *emergent*: it helps to predict the closing quote, so it was learned. It is not a quote cell, though: in the picture below it
#   takes the same values in some other places, too.
# - **Docstrings and all other strings together: no such cell.** The best one of the first half is no better on the second
#   than a search with shifted flags. Without the second half, we would have reported it.
# - **Place in the line**: an *untrained* network tells it as well, and so does the last character alone. A memory that is merely
#   shaken by every line break knows something about line breaks. Without these controls, the cell would count as a discovery.
# - **Indentation**: found, and moderate: one cell is higher where the code is deeper, and does not count spaces.
#
# The probe of all cells nearly always beats the best cell: what the network knows is spread over many cells, and a single one that
# can be read is the exception. And mind that the probe of *random* weights is no zero. (For rare kinds of places, such as
# short strings, a least-squares probe is a poor reader, and one good cell can beat it.)

# %%
begin = source.find("\n\n", half + 1000) + 2
passage = slice(begin - half - WARM, begin - half - WARM + 520)  # in the second half
for name in ("inside a short string", "place in the line", "indentation"):
    title = f"Cell {chosen[name]}: {name!r} {'found' if found_cells[name] else 'not found'}"
    coloured = cells[1][passage, chosen[name]]
    ax = plot_colored_text(source[begin : begin + 520], coloured, title)

# %% [markdown]
# A picture of a cell is a good way to get an idea and a bad way to prove one: with 128 cells and a passage of your choice there is
# always one that looks right. The numbers above decide.
#
# ## What we measured

# %%
horizon = {str(T): [horizons["play", T, seed, 1].horizon for seed in range(3)] for T in lengths}
notebook.headline(
    corpus.name,
    bits_per_character=statistics.mean(of_length[64]),
    horizon=horizon,
    horizon_after_an_eighth=horizons["play", 64, 0, 1 / 8].horizon,
    best_ngram_bits=best_ngram,
    cells_found=[name for name, was_found in found_cells.items() if was_found],
)

# %% [markdown]
# - **How far back does it look?** In these short runs 8 to 48 characters, after an eighth of the reading 8, and in a longer, recorded run
#   48, whatever the truncation. "About 50" is a finding about a model, a text and a rule.
# - **What does it look at?** Almost all that it gains beyond 8 or 16 characters, it gains at the ends of lines.
# - **Is it better than counting?** Not at this budget: the 6-gram wins, and by far. Not in the recorded run either.
# - **What does a longer truncation buy?** Here, nothing: at equal reading T = 16 had the lowest loss.
# - **Do cells keep track of things?** Some do, most do not, and some that seem to are found in a random network, too.
#
# <!-- next -->
#
# **References**. Khandelwal, He, Qi, Jurafsky (2018), *Sharp nearby, fuzzy far away: how neural language models use
# context*. Karpathy, Johnson, Fei-Fei (2015), *Visualizing and understanding recurrent networks*. Williams, Peng (1990),
# *An efficient gradient-based algorithm for on-line training of recurrent network trajectories* (truncation). Hochreiter,
# Schmidhuber (1997), *Long short-term memory*. Kneser, Ney (1995), *Improved backing-off for m-gram language modeling*.
