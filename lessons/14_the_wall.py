# %% [markdown] question="which architecture for this problem?" write="a sum over all alignments, a mixture density, a step of a pen, dilated causal layers, the wall as a table" minutes=150
# # 14 · The wall: which architecture for this problem?
#
# You have built convolutions, recurrences and attention, and measured how far each of them reaches. Now they go to work: on sounds whose
# letters nobody has marked, on a pen that may go two ways, and on the text that you know. Then all of them hang side by side
# on one wall, and you choose.
#
# When you are done (about 150 minutes) you can
#
# - train on sequences without an alignment, by summing over all of them;
# - let a network say "here *or* there" instead of the point between, and draw from what it says;
# - write WaveNet's convolution, and tell its field from its horizon;
# - fill in, for ten kinds of layer, what a path costs, what has to be kept and what limits the reach;
# - choose an architecture for a problem, and defend the choice with numbers.
#
# You need lessons 08 and 11, and lesson 12 for the state-space layer, RWKV and xLSTM.

# %% setup=true
import json
import math
from functools import partial
from itertools import product

import torch
import torch.nn.functional as F
from torch import nn

from utils import data, models, notebook, paths, reach
from utils.checks import the_wall as check
from utils.claims import claim
from utils.models import wall as on_the_wall
from utils.models.handwriting import Scribe, mean_nll, mixture, stroke_nll, write
from utils.models.speech import Listener, collapse, ctc, decode_greedily
from utils.models.wavenet import WaveNet
from utils.notebook import payoff
from utils.plotting.handwriting import plot_line, plot_lines
from utils.plotting.horizons import plot_horizons_by_seed
from utils.plotting.maps import plot_influences
from utils.plotting.speech import plot_utterance
from utils.plotting.timeline import plot_timeline
from utils.plotting.wall import plot_progression, plot_right_by_distance, plot_the_wall
from utils.tasks import speech, strokes
from utils.text import decode, encode
from utils.training import Batches, count_parameters, fit, in_parallel, seed_everything
from utils.widgets.pen import pen

notebook.setup()
torch.set_num_threads(1)

# %% [markdown]
# ## 1 · Letters without a place
#
# A sound has a hundred frames a second, a word has a few letters, and nobody has written down which frames belong to which letter. So
# what is the target of frame 17? **Connectionist temporal classification** (CTC, Graves et al. 2006) does not choose. At each frame the
# network names a letter or a **blank**, "nothing new". Such a *path* is read by a rule: first merge what repeats, then leave out the
# blanks.
#
# By hand, with `-` as the blank. **Predict** what each path says. Which one has a double letter?

# %% same_output=true
for path in ("-aa-kk", "aaaakk", "ak----", "a-akk-", "aa--ak"):
    tokens = torch.tensor([speech.ALPHABET.index(letter) for letter in path])
    print(path, "says", speech.read_word(collapse(tokens)))

# %% [markdown]
# Many paths say the same word. What the network is asked for is the probability of the word, so add up all of its paths:
#
# $$p(\text{word} \mid x) = \sum_{\text{paths that say it}}\ \prod_{t=1}^{T} p_t(\text{path}_t)$$
#
# For three frames and three tokens there are 27 paths, and one can try them all. **Predict**: how many of them say `ae`?

# %% same_output=true
log_p = torch.tensor([[0.2, 0.7, 0.1], [0.5, 0.2, 0.3], [0.3, 0.1, 0.6]]).log()  # blank, a, e
paths_of_ae = [
    path for path in product(range(3), repeat=3) if collapse(torch.tensor(path)).tolist() == [1, 2]
]
by_hand = sum(math.exp(sum(log_p[t, k] for t, k in enumerate(path))) for path in paths_of_ae)
print(len(paths_of_ae), "paths:", paths_of_ae, f"\ntogether {by_hand:.3f}")

# %% [markdown]
# For 100 frames and nine tokens there are more paths than atoms in the universe. But you need not list them, because paths that have got equally far can be added up on
# the way. Write the word with a blank before, between and after its letters: `-a-e-`, 2L + 1 *places*. Let $\alpha_t(s)$ (the paper's letter, and no weight of attention) be the probability of all
# beginnings of paths that stand at place $s$ after frame $t$. A path at $s$ came from $s$ itself, from $s-1$, or from $s-2$:
#
# $$\alpha_t(s) = p_t(\text{token}_s)\,\bigl[\alpha_{t-1}(s) + \alpha_{t-1}(s-1) + \alpha_{t-1}(s-2)\bigr]$$
#
# The last of the three counts only over a blank between two different letters.
#
# | symbol | variable | shape or meaning |
# | --- | --- | --- |
# | $\log p_t$ | `log_p` | (T, V), token 0 is the blank |
# | | `word` | a list of L ≥ 1 tokens, none of them 0 |
# | $\alpha_1(s)$ | | $p_1$ of the token at the first two places, 0 elsewhere |
# | result | | $\log$ of what stands at the last two places after frame T, one number |
#
# ### Exercise 14.1 · all alignments at once
# ●●● · about 25 minutes · 3 points
#
# Write `ctc_log_likelihood(log_p, word)`. One of the checks has 90 frames, whose probability is smaller than any number in float32. So
# add logarithms, and use `torch.logsumexp` for the sums.


# %% answer="ctc_log_likelihood" covers="65"
def ctc_log_likelihood(log_p: torch.Tensor, word: list[int]) -> torch.Tensor:
    """log_p (T, V) and the tokens of a word in; the log of what its paths add up to out, a number.

    >>> log_p = torch.tensor([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]).log()
    >>> round(ctc_log_likelihood(log_p, [1]).exp().item(), 4)  # -a, a- and aa: 0.15 + 0.15 + 0.09
    0.39
    """
    ### BEGIN SOLUTION
    places = [0]
    for token in word:
        places += [token, 0]
    alpha = torch.full((len(places),), -math.inf)
    alpha[:2] = log_p[0, places[:2]]
    for frame in log_p[1:]:
        new = torch.empty_like(alpha)
        for s, token in enumerate(places):
            ways = alpha[max(s - 1, 0) : s + 1]
            if s >= 2 and token != 0 and token != places[s - 2]:
                ways = alpha[s - 2 : s + 1]
            new[s] = torch.logsumexp(ways, 0) + frame[token]
        alpha = new
    return torch.logsumexp(alpha[-2:], 0)
    ### END SOLUTION


# %% check="ctc_log_likelihood"
check.ctc_log_likelihood(ctc_log_likelihood)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Keep one list of 2L + 1 numbers and make a new one for each frame. A place takes over what stood at itself, one place to the left, and
# sometimes two places to the left.
# </details>
# <details><summary>Hint: when two places?</summary>
#
# If the token here is a letter (not the blank), and not the same letter as two places to the left. Between two equal letters the blank
# must be visited, or they would be merged.
# </details>
# <details><summary>Help: I get nan</summary>
#
# Start with `-math.inf` for "impossible" and add with `torch.logsumexp`. `log(exp(a) + exp(b))` by hand is `log(0)` as soon as both
# are small.
# </details>

# %% payoff="ctc_log_likelihood"
with payoff("ctc_log_likelihood"):
    torch.manual_seed(0)
    long, word = torch.randn(200, 9).log_softmax(1), [3, 1, 1, 6]
    theirs = -F.ctc_loss(long[:, None], torch.tensor([word]), [200], [4], reduction="sum")
    mine = ctc_log_likelihood(long, word)
    claim(
        "Your sum over all paths is torch's, and for three frames that of all 27 paths",
        abs(mine - theirs) < 0.01 and abs(ctc_log_likelihood(log_p, [1, 2]).exp() - by_hand) < 1e-5,
        yours=float(mine),
        torch=float(theirs),
    )

# %% [markdown] covers="65"
# <details><summary>Card: speech and translation before attention</summary>
#
# - **Deep Speech** (Hannun et al., December 2014) recognised English from spectrograms, end to end, with CTC. It had five layers, of which one was recurrent and
#   bidirectional, all with a ReLU that is clipped at 20. It used no LSTM, on purpose: gates would have cost too much time per step. You will read that it was
#   "a large LSTM", which is a mistake.
# - **Moses** (Koehn et al. 2007) was the open toolkit of *phrase-based* translation: tables of pieces of sentences with counts, a language model of n-grams
#   (lesson 05), and a beam search. Systems like it were the state of the art until about 2015.
# - **GNMT**, Google's neural translation, came in **2016** (Wu et al.): eight layers of LSTM to read, the first in both directions, eight to write, and attention
#   between them (lesson 09). It replaced a phrase-based system.
#
# All three used recurrence, and what each one did about the *alignment* between input and output differs: CTC sums over all alignments that keep the order, Moses
# counted word alignments beforehand, attention learns a soft one.
# </details>

# %% [markdown] quiz="merge_first" points=1
# ### Quiz · which comes first
#
# A decoder leaves out the blanks first and merges repeats afterwards. What does it get wrong?
#
# - A. Nothing, the order does not matter.
# - B. Words with a double letter, such as `aak`.
# - C. Words that begin with a blank.
# - D. Long letters: it writes them several times.
#
# ### BEGIN SOLUTION
# **B.** The blank between two equal letters is what tells "twice" from "long". If it is left out first, they merge.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A**: try `a-ak` in both orders.
# - **B** is right.
# - **C**: a word has no blanks, paths have.
# - **D** would happen if nothing were merged.
# </details>

# %% [markdown]
# ## 2 · A listener in both directions
#
# Now a whole recogniser, small. We make the sounds: a word of three to six letters, each a pattern of 16 bands that lasts three to seven
# frames, swells and fades, runs into its neighbours, and is covered with noise. The network, `Listener`, is a small Deep Speech: a dense layer, one ReLU
# recurrence in both directions whose states are added, a dense layer. Targets are words, without times. **Predict**: will it find out *when* each letter
# sounds?

# %%
sounds, words, _ = speech.utterances(3_200, seed=0)
heard, spoken, truth = speech.utterances(400, seed=99)  # for looking, and for the figures below
seed_everything(0)
listener = Listener(speech.BANDS, len(speech.ALPHABET))
train = Batches(sounds, words, 32, shuffle=True, seed=0)
recipe = dict(lr=0.006, weight_decay=0, clip=1.0, loss=ctc, metric="error")
history = fit(listener, train, Batches(heard, spoken, 200), epochs=5, validations=5, **recipe)

# %% covers="22 65"
with torch.no_grad():
    logits = listener(heard)
said = [speech.read_word(word) for word in decode_greedily(logits)]
meant = [speech.read_word(word) for word in spoken]
wrong = sum(speech.edits(a, b) for a, b in zip(said, meant, strict=True))
letter_errors = 100 * wrong / sum(map(len, meant))
print(*(f"{b}: heard {a}" for a, b in zip(said[:5], meant, strict=False)), sep="\n")
claim(
    "Trained on words without times, it gets most letters of new words right",
    letter_errors < 15,
    unit="%",
    letter_errors=letter_errors,
)

# %% covers="65"
of_five = [i for i in range(400) if len(meant[i]) == 5]
example = min(of_five, key=lambda i: speech.edits(said[i], meant[i]))
title = f"“{meant[example]}”: the network found the times by itself"
plot_utterance(heard[example], logits[example].softmax(-1), truth[example], speech.ALPHABET, title)

# %%
named = logits.argmax(-1)
new = (named > 0) & (named != F.pad(named[:, :-1], (1, 0)))  # a letter begins here
inside = (truth == named)[new].float().mean().item()
lasts = {"named": (named > 0).sum() / new.sum(), "sounds": (truth > 0).sum() / (spoken > 0).sum()}
claim(
    "Most letters are named while they sound, though nobody told it when that is",
    inside > 0.7,
    named_while_they_sound=f"{100 * inside:.0f} %",
    frames_that_a_letter_is_named=lasts["named"].item(),
    frames_that_it_sounds=lasts["sounds"].item(),
)

# %% [markdown]
# CTC does not ask for that. One frame for each letter and blanks everywhere else is just as good for the sum, and large networks that are trained for long often answer in such spikes.
#
# ### What both directions cost
#
# The ruler shows what "both directions" means here. **Predict** the three maps: a listener in one direction and one in both, untrained, and this one.

# %%
seed_everything(0)
one_way = Listener(speech.BANDS, len(speech.ALPHABET), width=68, both=False)
two_ways = Listener(speech.BANDS, len(speech.ALPHABET))
listeners = {
    "one direction, untrained": one_way,
    "both directions, untrained": two_ways,
    "both directions, trained": listener,
}
plot_influences({name: reach.influence(model, heard[example]) for name, model in listeners.items()})

# %% [markdown]
# Frame t also listens to what comes after it, so recognition can only begin when the sound is over. If somebody speaks into a microphone *now*, you can let the
# listener read in pieces: everything up to here, then k frames more, and so on. What it has said of a piece stays. **Predict** the letter errors for pieces of 4, 8 and 16
# frames. (A letter lasts three to seven.)


# %%
@torch.no_grad()
def in_pieces(k: int) -> float:
    """Letter errors in %, if the listener hears nothing after the k frames that it names."""
    ends = range(k, speech.FRAMES + 1, k)
    heard_so_far = torch.cat([listener(heard[:, :end])[:, -k:] for end in ends], 1)
    said = [speech.read_word(word) for word in decode_greedily(heard_so_far)]
    wrong = sum(speech.edits(a, b) for a, b in zip(said, meant, strict=True))
    return 100 * wrong / sum(map(len, meant))


errors = {k: in_pieces(k) for k in (4, 8, 16, 48)}
claim(
    "With pieces of four frames it makes over twice the errors that it makes at the end",
    errors[4] > 2 * errors[48],
    unit="%",
    **{f"pieces of {k}".replace(" ", "_"): error for k, error in errors.items()},
)

# %% [markdown]
# So the price of the second direction is a wait. (Longer pieces need not be better at once: at a seam a letter may be named twice, or not at all.) A system that must answer at once reads in one direction, or is trained on short pieces.
#
# ## 3 · Here or there, not between
#
# In 2013 Alex Graves let an LSTM write by hand. At each point the network is asked for the next step of the pen, $(\Delta x, \Delta y)$, and whether the pen is **lifted**
# after it. We make the strokes ourselves (`utils/tasks/strokes.py`): looped letters from a few control points, with dots and bars for which the pen leaves the paper.

# %% covers="22 66"
lines = strokes.lines(3, 150, seed=5)
plot_line(lines[0], "One line, point by point: at the orange points the pen is lifted", dots=True)
first = [[round(number, 2) for number in step] for step in lines[0, :3].tolist()]
print("the first steps (dx, dy, lift):", first)

# %% [markdown]
# Why not predict the step and train on the squared error? At the end of a letter the pen may go up for an `l` or round for an `a`. **Predict** what the
# best guess under a squared error is, and what the writing looks like if every step is that guess.
#
# To see it, take the network that the course ships, and let it always take the *mean* of what it believes.


# %%
@torch.no_grad()
def by_the_mean(model: Scribe, points: int) -> torch.Tensor:
    """A line (points, 3) in which each step is the mean of the mixture, and the pen stays down."""
    step, state, written = torch.zeros(1, 1, 3), None, []
    for _ in range(points):
        raw, state = model(step, state)
        m = mixture(raw[0, 0])
        share = m.log_weight.exp()
        step = torch.stack([(share * m.mean_x).sum(), (share * m.mean_y).sum(), torch.zeros(())])
        step = step[None, None]
        written.append(step[0, 0])
    return torch.stack(written)


scribe = models.pretrained("scribe")
drawn = write(scribe, 150, generator=torch.Generator().manual_seed(1), lines=2)
written = {"always the mean": [by_the_mean(scribe, 150)], "drawn from the mixture": [*drawn]}
plot_lines(written, "The same network, read in two ways")

# %% [markdown]
# The mean chooses nothing: it soon repeats one wave, and could never end a stroke. So the network has to give a *distribution* with several peaks, and one has to draw from it. A **mixture density network** gives K bivariate normal distributions with
# weights $\pi_k$, and one probability of a lift:
#
# $$p(\Delta x, \Delta y) = \sum_{k=1}^{K} \pi_k\, \mathcal N_k, \qquad
# \mathcal N_k = \frac{1}{2\pi\,\sigma_x\sigma_y\sqrt{1-\rho^2}}\;\exp\!\Bigl(-\frac{x^2 + y^2 - 2\rho\,x\,y}{2\,(1-\rho^2)}\Bigr), \qquad
# x = \frac{\Delta x - \mu_x}{\sigma_x},\ \ y = \frac{\Delta y - \mu_y}{\sigma_y}$$
#
# (The μ, σ and ρ, and so x and y, are those of component k.) The last layer gives $6K + 1$ sums, in this order, and each is bent into the range that it needs:
#
# | symbol | columns of `raw` (N, 6K + 1) | made by |
# | --- | --- | --- |
# | $\pi$ | first K | softmax over the K |
# | $\mu_x$, $\mu_y$ | second and third K | as they are |
# | $\sigma_x$, $\sigma_y$ | fourth and fifth K | exp: they are logarithms |
# | $\rho$ | sixth K | tanh |
# | probability of a lift | the last one | sigmoid |
#
# | symbol | variable | shape or meaning |
# | --- | --- | --- |
# | $\Delta x$, $\Delta y$, lift | `steps` | (N, 3), lift is 0 or 1 |
#
# By hand: one component, all sums 0, and the step (0, 0) with the pen down. **Predict** the surprise, $-\log p$, in nats.

# %% same_output=true
place, pen_down = math.log(2 * math.pi), math.log(2)
print(f"place {place:.3f} + pen {pen_down:.3f} = {place + pen_down:.3f} nats")

# %% [markdown]
# ### Exercise 14.2 · how surprised a mixture is
# ●●● · about 25 minutes · 3 points
#
# Write `mixture_nll(raw, steps)`: for each step the surprise in nats, $-\log p(\Delta x, \Delta y) - \log p(\text{lift})$, where the second term is the binary cross-entropy of the
# pen. It must stay finite for steps that lie far from every component, and where the network is wrong about the pen and very sure of it.


# %% answer="mixture_nll" covers="66"
def mixture_nll(raw: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
    """Sums raw (N, 6 K + 1) and steps (N, 3) in; the surprise of each step (N,), in nats, out.

    >>> mixture_nll(torch.zeros(1, 7), torch.zeros(1, 3))  # log 2π + log 2
    tensor([2.5310])
    """
    ### BEGIN SOLUTION
    weight, mean_x, mean_y, log_x, log_y, rho = raw[:, :-1].chunk(6, dim=1)  # (N, K) each
    rho = rho.tanh()
    x = (steps[:, 0:1] - mean_x) / log_x.exp()
    y = (steps[:, 1:2] - mean_y) / log_y.exp()
    rest = 1 - rho**2
    exponent = -(x**2 + y**2 - 2 * rho * x * y) / (2 * rest)
    log_density = exponent - math.log(2 * math.pi) - log_x - log_y - rest.log() / 2
    where = torch.logsumexp(weight.log_softmax(1) + log_density, dim=1)
    lift = F.binary_cross_entropy_with_logits(raw[:, -1], steps[:, 2], reduction="none")
    return lift - where
    ### END SOLUTION


# %% check="mixture_nll"
check.mixture_nll(mixture_nll)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Work with logarithms from the start: log π + log 𝒩 for each component, and `torch.logsumexp` over the components. The product in front of the exponential
# becomes a sum of five terms.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# `raw[:, :-1].chunk(6, dim=1)` gives six tensors (N, K). `steps[:, 0:1]` is (N, 1), so that it is compared with all K components.
# </details>
# <details><summary>Help: inf or nan for some steps</summary>
#
# Far away every density is 0 in float32, and log 0 is −inf. If `exp` and `log` of a density both stand in your code, leave both out. For the pen,
# `F.binary_cross_entropy_with_logits` is safe where `log(sigmoid(…))` is not.
# </details>
#
# What do several peaks buy? Two small networks learn to write for the same 150 updates: one with a single normal distribution, one with ten. **Predict** by how
# many nats per point they differ. (A density may be larger than 1, so that these surprises may be negative.)


# %%
def shifted(lines: torch.Tensor) -> torch.Tensor:
    """What the pen had done before each point of lines (L, T, 3)."""
    return F.pad(lines[:, :-1], (0, 0, 1, 0))


fresh, unseen = strokes.lines(16 * 75, 100, seed=1), strokes.held_out()[:64, :100]


def writer_with(components: int) -> float:
    """Surprise on unseen lines, in nats per point."""
    model = scribes[components]
    batches = Batches(shifted(fresh), fresh, 16)
    recipe = dict(lr=0.01, weight_decay=0, clip=1.0, loss=mean_nll, metric="error", label="")
    return fit(
        model, batches, Batches(shifted(unseen), unseen, 64), epochs=2, validations=1, **recipe
    ).best


# %%
scribes = {}
for components in (1, 10):
    seed_everything(0)
    scribes[components] = Scribe(64, components)
surprise = in_parallel({k: partial(writer_with, k) for k in scribes}, "two at a time")
with torch.no_grad():
    shipped = mean_nll(scribe(shifted(unseen))[0], unseen).item()
claim(
    "Ten components are less surprised than one after as many updates, one seed",
    surprise[10] < surprise[1] - 0.1,
    unit="nats per point",
    one=surprise[1],
    ten=surprise[10],
    the_shipped_network=shipped,
)

# %% payoff="mixture_nll"
with payoff("mixture_nll"):
    with torch.no_grad():
        raw = scribe(shifted(lines[:1]))[0][0]
        mine = mixture_nll(raw, lines[0])
    apart = (mine - stroke_nll(raw, lines[0])).abs().max().item()
    least, most = mine.argmin().item(), mine.argmax().item()
    print(f"least surprised at point {least}, most at {most}: {mine[least]:.1f}, {mine[most]:.1f}")
    claim(
        "Your surprise is that with which the network was trained",
        apart < 1e-3,
        largest_difference=apart,
    )

# %% [markdown]
# ## 4 · The pen moves
#
# To write, draw: a component with probability $\pi_k$, then a place in it, then whether the pen is lifted. Then the step is the next input. Graves adds one knob, the **bias** $b \ge 0$,
# which makes the writing tidier: weights $\operatorname{softmax}\bigl((1 + b)\,\hat\pi\bigr)$, deviations $\exp(\log\sigma - b)$.
#
# A number $e_0$ from the standard normal distribution moves x, and y is moved along with it if they are correlated:
#
# $$\Delta x = \mu_x + \sigma_x\, e_0, \qquad \Delta y = \mu_y + \sigma_y\,\bigl(\rho\, e_0 + \sqrt{1 - \rho^2}\; e_1\bigr)$$
#
# **Predict**: why does the variance of $\Delta y$ stay $\sigma_y^2$, whatever ρ is?
#
# | symbol | variable | shape or meaning |
# | --- | --- | --- |
# | | `raw` | (6K + 1,), in the order of the table above |
# | $b$ | `bias` | a number, 0 changes nothing |
# | | `u` | (2,), numbers from 0 to 1: `u[0]` picks the component, the first whose *cumulative* weight is above it; the pen is lifted if `u[1]` is below the probability of a lift |
# | $e_0, e_1$ | `e` | (2,), standard normal |
#
# ### Exercise 14.3 · one step of the pen
# ●●○ · about 15 minutes · 2 points
#
# Write `next_step(raw, bias, u, e)`, which returns the step (3,): Δx, Δy, and 1.0 for a lift, else 0.0. The random numbers come from outside, so that a check can tell
# right from wrong.


# %% answer="next_step" covers="66"
def next_step(raw: torch.Tensor, bias: float, u: torch.Tensor, e: torch.Tensor) -> torch.Tensor:
    """Sums raw (6 K + 1,), a bias, u (2,) and e (2,) in; a step of the pen (3,) out.

    >>> raw = torch.tensor([0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0])  # one component around (1, 2)
    >>> next_step(raw, 0.0, torch.tensor([0.5, 0.4]), torch.tensor([0.5, 0.0]))
    tensor([1.5000, 2.0000, 1.0000])
    """
    ### BEGIN SOLUTION
    weight, mean_x, mean_y, log_x, log_y, rho = raw[:-1].chunk(6)
    cumulative = ((1 + bias) * weight).softmax(0).cumsum(0)
    k = min(int((cumulative <= u[0]).sum()), len(weight) - 1)
    r = rho[k].tanh()
    dx = mean_x[k] + (log_x[k] - bias).exp() * e[0]
    dy = mean_y[k] + (log_y[k] - bias).exp() * (r * e[0] + (1 - r**2).sqrt() * e[1])
    lift = (u[1] < raw[-1].sigmoid()).float()
    return torch.stack([dx, dy, lift])
    ### END SOLUTION


# %% check="next_step"
check.next_step(next_step)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# `weights.cumsum(0)` are the ends of K pieces of the line from 0 to 1. `u[0]` falls into one of them; how many ends lie at or below it?
# </details>
# <details><summary>Hint: the shapes</summary>
#
# `raw[:-1].chunk(6)` gives six tensors (K,). After the component is picked, everything is a single number.
# </details>
# <details><summary>Help: right for bias 0, wrong for others</summary>
#
# The bias acts in two places: the factor 1 + b *before* the softmax, and − b in the logarithm of both deviations. It leaves the pen alone.
# </details>

# %% payoff="next_step"
with payoff("next_step"):
    generator = torch.Generator().manual_seed(2)
    step, state, mine = torch.zeros(1, 1, 3), None, []
    for _ in range(150):
        raw, state = scribe(step, state)
        u, e = torch.rand(2, generator=generator), torch.randn(2, generator=generator)
        mine.append(next_step(raw[0, 0].detach(), 0.5, u, e))
        step = mine[-1][None, None]
    plot_line(torch.stack(mine), "Written by your function, one step after the other")

# %% [markdown]
# Here the pen has written a line with bias 0.5, as far as you let it. Blue dots show where it may go next, on the right enlarged: at some points there is one cloud, at others there are several. Raise the bias,
# which moves the blue dots alone. What happens to the clouds, to their size and to their number?

# %%
pen()

# %% [markdown]
# **Predict**: with a bias of 3, which letters are written? All eleven, but more neatly?

# %% figure="bias" covers="66"
samples = {
    f"bias {b:g}": write(scribe, 150, b, torch.Generator().manual_seed(1), lines=64)
    for b in (0.0, 1.0, 3.0)
}
real = strokes.held_out()[64:128]
shown = {name: [*made[:5]] for name, made in samples.items()} | {"from our strokes": [*real[:5]]}
plot_lines(shown)

# %%
with torch.no_grad():
    own = {
        n: mean_nll(scribe(shifted(s))[0], s).item() for n, s in {**samples, "ours": real}.items()
    }
lifts = {name: 100 * s[..., 2].mean().item() for name, s in {**samples, "ours": real}.items()}
claim(
    "Drawn without a bias, the writing is about as surprising as ours; with one, much less",
    abs(own["bias 0"] - own["ours"]) < 0.3 and own["bias 3"] < own["ours"] - 0.5,
    unit="nats per point",
    **{name.replace(" ", "_"): value for name, value in own.items()},
)
claim(
    "It lifts the pen about as often as we do",
    0.7 < lifts["bias 0"] / lifts["ours"] < 1.4,
    unit="%",
    bias_0=lifts["bias 0"],
    ours=lifts["ours"],
)

# %% [markdown]
# Less surprising is not better. With a large bias, look which letters are left. All eleven are equally frequent in our strokes, but where the pen may go several ways, it now takes the likeliest way nearly always: l, t, m, n and u again and
# again, and hardly an a, a g or an o. It is the temperature of lesson 08 in another form.
#
# ### Can you tell them apart?
#
# You will read that Graves's samples were "indistinguishable from human handwriting". The paper itself says that they *often* cannot be told apart, and reports no test. Let us make one, for
# our strokes. A small convolutional network sees half of the lines, real or sampled, and has to judge the others. **Predict** its accuracy; if they could not be told apart, it would be 50 %.


# %%
def judged(made: torch.Tensor, seed: int) -> float:
    """% of unseen lines that a small CNN, trained on others, tells right: real or made."""
    count = len(made)
    lines = torch.cat([strokes.lines(count, 150, seed=77 + seed), made])
    labels = torch.arange(2).repeat_interleave(count)
    seed_everything(seed)
    layers = [nn.Conv1d(3, 16, 7, stride=2), nn.ReLU(), nn.Conv1d(16, 16, 7, stride=2), nn.ReLU()]
    judge = nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(16, 2))
    train, test = slice(None, None, 2), slice(1, None, 2)
    batches = Batches(lines[train].mT, labels[train], 32, shuffle=True, seed=seed)
    fit(judge, batches, batches, epochs=20, lr=0.01, validations=1, label="")
    with torch.no_grad():
        return 100 * (judge(lines[test].mT).argmax(1) == labels[test]).float().mean().item()


# %%
verdicts = {}
for b in (0.0, 3.0):
    made = write(scribe, 150, b, torch.Generator().manual_seed(9), lines=400)
    verdicts[b] = [judged(made, seed) for seed in (0, 1)]
claim(
    "A small judge hardly tells lines with bias 0 from ours, and nearly always those with bias 3",
    max(verdicts[0.0]) < 75 and min(verdicts[3.0]) > 85,
    unit="%",
    bias_0=verdicts[0.0],
    bias_3=verdicts[3.0],
)

# %% [markdown]
# So "indistinguishable" needs two words more: by whom, and after how many lines? A judge with more lines, or one that reads letters, may see more.

# %% [markdown] quiz="mean_step" points=1
# ### Quiz · the step between
#
# At a fork the pen goes up with probability ½ and down with probability ½, never straight on. A network with *one* normal distribution is trained on that for long. What does it say?
#
# - A. Up or down, whichever it saw more often.
# - B. Straight on, with a large deviation in y.
# - C. Straight on, with a small deviation.
# - D. The loss does not converge.
#
# ### BEGIN SOLUTION
# **B.** The likelihood of a normal distribution is largest at the mean and the variance of the data. The mean is a place where the pen never goes.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A** is what a mixture can say, with both.
# - **B** is right.
# - **C**: a small deviation would make every real step very surprising.
# - **D**: it converges, to the best of a bad family.
# </details>

# %% [markdown]
# ## 5 · A convolution that writes
#
# Sound has 16,000 samples a second. In 2016 WaveNet generated them one by one, without recurrence: by a *causal* convolution, whose output at t reads nothing later than t, with gaps
# that double from layer to layer, so that a few layers see far. Lesson 03 has the arithmetic; here you write the layers.
#
# By hand: kernel (1, 10) on 1, 2, 3, 4. The last weight belongs to the newest position. **Predict** both rows.

# %% same_output=true
ramp, kernel = torch.tensor([[[1.0, 2.0, 3.0, 4.0]]]), torch.tensor([[[1.0, 10.0]]])
for dilation in (1, 2):
    out = F.conv1d(F.pad(ramp, (dilation, 0)), kernel, dilation=dilation)
    print(f"dilation {dilation}: {out[0, 0].tolist()}")

# %% [markdown]
# $$y_t = b + \sum_{k=0}^{K-1} W_k\; x_{t - (K - 1 - k)\,d} \qquad\qquad \text{field} = 1 + \sum_{\text{layers}} (K - 1)\,d$$
#
# | symbol | variable | shape |
# | --- | --- | --- |
# | $x$ | `x` | (B, C, T); what lies before the first position is 0 |
# | $W, b, d$ | `layers` | a list of (W (C_out, C_in, K), b (C_out,), dilation), a ReLU between two layers and none after the last |
# | $y$ | `output` | (B, C_out, T), as long as the input |
# | | `field` | how many positions of the input one output can see, itself included |
#
# ### Exercise 14.4 · causal and dilated
# ●●○ · about 15 minutes · 2 points
#
# Write `dilated_stack(x, layers)`, which returns the output and the field. `F.conv1d` is allowed, and so is a loop over the K weights.


# %% answer="dilated_stack"
def dilated_stack(x: torch.Tensor, layers: list) -> tuple[torch.Tensor, int]:
    """x (B, C, T) and layers of (W, b, dilation) in; the output (B, C_out, T) and the field out.

    >>> W, b = torch.tensor([[[1.0, 10.0]]]), torch.zeros(1)
    >>> output, field = dilated_stack(torch.tensor([[[1.0, 2.0, 3.0]]]), [(W, b, 1)])
    >>> output.tolist(), field
    ([[[10.0, 21.0, 32.0]]], 2)
    """
    ### BEGIN SOLUTION
    field = 1
    for number, (W, b, dilation) in enumerate(layers):
        past = (W.shape[2] - 1) * dilation
        x = F.conv1d(F.pad(x, (past, 0)), W, b, dilation=dilation)
        if number < len(layers) - 1:
            x = x.relu()
        field += past
    return x, field
    ### END SOLUTION


# %% check="dilated_stack"
check.dilated_stack(dilated_stack)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Before each layer put zeros on the left of x, just as many as the layer would otherwise take away: (K − 1) · dilation.
# </details>
# <details><summary>Hint: the shapes</summary>
#
# `F.pad(x, (left, right))` pads the last axis, which is time here. After the convolution it is T long again.
# </details>
# <details><summary>Help: the values are right, but shifted</summary>
#
# Half of the zeros stand on the right. That is what `padding="same"` does, and then position t reads the future.
# </details>

# %% payoff="dilated_stack"
with payoff("dilated_stack"):
    torch.manual_seed(0)
    five = [(torch.randn(16, 16, 2) / 4, torch.zeros(16), 2**i) for i in range(5)]
    x = torch.randn(1, 16, 48)
    found = reach.influence(lambda x: dilated_stack(x, five)[0], x, layout="BCT")
    seen = (found[-1] > 0).sum().item()
    plot_influences({f"your five layers: {seen} positions wide": found})
    claim(
        "Your field is as wide as the ruler finds it, and no output sees the future",
        seen == dilated_stack(x, five)[1] and found.triu(1).max() == 0,
        field=seen,
    )

# %% [markdown]
# ### On the text of lesson 08
#
# `WaveNet` in `utils/models/wavenet.py` has this convolution, gates (tanh of one times sigmoid of another, as you know them from the LSTM), residual steps, and a sum of skips. With
# dilations 1 to 32 it sees 64 characters. First as in lesson 11: the same text, about as many parameters as the two models there, and 250,000 characters of training. **Predict**
# its place between the LSTM and the transformer.

# %%
corpus = data.corpus("tiny_shakespeare")
train_text, unseen_text = (encode(t, corpus.alphabet) for t in (corpus.train, corpus.validation))
race = json.loads((paths.RECORDED / "lstm_and_transformer.json").read_text())


def windows_of(text: torch.Tensor, size: int, shuffle: bool = False) -> Batches:
    """The whole text in windows of 64 characters."""
    cut = text.unfold(0, 65, 64)
    return Batches(cut[:, :-1], cut[:, 1:], size, shuffle)


# %%
seed_everything(0)
small = WaveNet(len(corpus.alphabet), 38, (1, 2, 4, 8, 16, 32))
batches = windows_of(train_text, 8, shuffle=True)
share = 250_000 / 64 / 8 / len(batches)  # of a pass through the text
recipe = dict(lr=0.02, clip=1.0, metric="bits per character", validations=1)
quick = fit(small, batches, windows_of(unseen_text, 128), epochs=share, **recipe).best
sizes = {name: race["sizes"][f"large {name}"]["250000"] for name in ("LSTM", "transformer")}
print(count_parameters(small), {name: race["parameters"][f"large {name}"] for name in sizes})

# %%
claim(
    "After as many characters the small WaveNet reads better than the transformer, one seed",
    quick < min(sizes["transformer"]) - 0.03,
    of="tiny_shakespeare",
    unit="bits",
    WaveNet=quick,
    LSTM=sizes["LSTM"],
    transformer=sizes["transformer"],
)

# %% [markdown]
# That is one seed and a short run, at one of the two learning rates that were tried; the recipes of the other two were chosen for longer runs. The LSTM is a little ahead of it, by less than such a run can settle. For a longer look the course ships a larger one, `char_wavenet`, beside the models of lessons 08 and 11. They have
# different sizes and have read different amounts, so this is no race. How far does it look back? Its field says 64. **Predict**: is its *horizon*, where the loss stops falling, at 64 as well?

# %%
wavenet, lstm = models.pretrained("char_wavenet"), models.pretrained("char_lstm")
known = {
    model: encode("".join(c for c in corpus.validation if c in model.alphabet), model.alphabet)
    for model in (wavenet, lstm)
}
tokens = known[wavenet][:80]
vectors = wavenet.embedding(tokens).detach()
visible = reach.influence(wavenet.read, vectors[None], layout="BTC", at=-1) > 0
field = reach.receptive_field(wavenet.layers).size
claim(
    "By arithmetic and by gradient, its last output sees exactly as many characters",
    int(visible.sum()) == field and bool(visible[-field:].all()),
    unit="characters",
    field=field,
    with_a_gradient=int(visible.sum()),
)

# %%
lengths = (1, 2, 4, 8, 16, 32, 64, 128)
readers = {"WaveNet, field 64": wavenet, "LSTM of lesson 08": lstm}
look = partial(reach.context_horizon, lengths=lengths, positions=400)
found = {name: look(model, known[model]) for name, model in readers.items()}
title = f"A field of {field} characters, and what it is used for (mark: the horizon)"
plot_horizons_by_seed({name: [one] for name, one in found.items()}, title=title)

# %%
net = dict(zip(lengths, found["WaveNet, field 64"].bits, strict=True))
claim(
    "Beyond its field the convolution gains nothing, and from 8 to 64 characters under 0.25 bits",
    abs(net[128] - net[64]) < 1e-3 and net[8] - net[64] < 0.25,
    of="tiny_shakespeare",
    unit="bits",
    **{f"{k} visible".replace(" ", "_"): net[k] for k in (1, 8, 32, 64, 128)},
)
eight, sixty_four = lengths.index(8), lengths.index(64)
for name, one in found.items():
    gain, error = one.bits[eight] - one.bits[sixty_four], one.excess_spread[eight]
    print(f"{name:18} from 9 to 64: {gain:.2f} bits, give or take {error:.2f}")

# %%
shipped_bits = {
    n: models.card(n)["measured"]["shipped"]
    for n in ("char_wavenet", "char_lstm", "char_transformer")
}
print({name: round(value, 3) for name, value in shipped_bits.items()}, "bits per character")

# %% [markdown]
# The dot says 64, by a hair: from 32 to 64 characters the loss falls by 0.02 bits, where the rule tolerates 0.01, and the error of that fall is about 0.01, too. Look how little it falls at all: the first 8 characters bring over three bits, the other 56 a tenth of one. A field is a limit of the architecture: beyond it, exactly nothing. What the
# characters inside are worth depends on training. (The LSTM, which has no field, gains a little more from the same 56 characters. The difference is no larger than its error: 400 places do not tell.) (At k = 1 both curves are too high for another reason as well: so short a past is strange to them, see lesson 08.) What does it write?

# %%
start = encode("ROMEO:\n", wavenet.alphabet)
draws = torch.Generator().manual_seed(0)
text = models.generate(wavenet, start, 200, 0.7, draws, context=field)
print(decode(text, wavenet.alphabet))

# %%
floor = json.loads((paths.RECORDED / "text_floor.json").read_text())
table = floor["tables"]["1"]["6"]  # that of lesson 08, counted on the same text
claim(
    "On the whole validation text it does not even reach the 6-gram of lesson 08",
    shipped_bits["char_wavenet"] > table + 0.05,
    of="tiny_shakespeare",
    unit="bits",
    WaveNet=shipped_bits["char_wavenet"],
    six_gram=table,
)

# %% [markdown]
# A wide field is no merit by itself: what counts is what training has made of it.
#
# In generation WaveNet keeps the last inputs of each layer, 63 vectors in all here: more than an LSTM and, in the long run, less than a cache.

# %% [markdown] quiz="sound" points=1
# ### Quiz · sixteen thousand a second
#
# One layer for each dilation 1, 2, 4, …, 512 with kernel 2, three such blocks one after the other, on sound with 16,000 samples a second. How far back does one output hear?
#
# - A. About 0.06 seconds, since the largest dilation counts.
# - B. About 0.19 seconds, since dilations add up.
# - C. Without end, since the blocks repeat.
# - D. About 19 hours, since fields multiply.
#
# ### BEGIN SOLUTION
# **B.** 3 · (1 + 2 + … + 512) + 1 = 3,070 samples. A vowel fits in, a word does not.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A** takes one block, or its last layer.
# - **B** is right: WaveNet's own fields were 0.24 and 0.3 seconds (the paper's figures). To speak sentences it was told, from outside, what to say and in which voice.
# - **C**: a stack of finite fields has a finite field.
# - **D**: the dilations double from layer to layer. What they add to the field is a sum.
# </details>

# %% [markdown]
# ## 6 · The wall
#
# Now all of them, ten kinds, each with about 9,000 parameters, a dense layer before and one after, and the same ruler. First **untrained**, and here is the task that they will learn afterwards: sequences of
# fillers with a symbol here and there, and at *each* position the question which of four symbols came last (the *flip-flop* of Liu et al. 2023). Attention has no position vectors here: each head subtracts a learned amount per step of distance from its scores, as in
# ALiBi (Press et al. 2022), so that it can read longer sequences at all. So the map that a network *should* have is known. **Predict** the ten maps: which show a band,
# which a triangle, which a square? Which fade?

# %%
tokens, _ = on_the_wall.last_symbol(1, seed=7)  # the sequence of all maps
shown = F.one_hot(tokens, on_the_wall.TOKENS).float()
print("".join("ABCD...."[token] for token in tokens[0]))
untrained = {}
for kind in on_the_wall.MIXERS:
    seed_everything(0)
    untrained[kind] = reach.influence(on_the_wall.OnTheWall(kind).read, shown)

# %%
record = json.loads((paths.RECORDED / "the_wall.json").read_text())
trained = {kind: on_the_wall.unpacked(record["maps"][kind]) for kind in on_the_wall.MIXERS}
print(record["command"], "·", record["steps"], "updates of", record["batch"], "sequences")

# %% figure="wall"
plot_the_wall(
    {"untrained": untrained, "trained": trained},
    "Ten ways to move information: the last symbol is what matters",
)

# %% [markdown]
# Look for columns. In the trained maps of causal attention, RWKV and xLSTM there is a bright column below each symbol, and it gets much darker where the next symbol stands: that is nearly the map that the task asks for. Full attention keeps looking back at the old symbols, too. The CNN has
# only its band, in which most of the columns cannot be seen. And the plain RNN? How much of each row lies in the column that matters:

# %%
wanted = F.one_hot(on_the_wall.last_place(tokens)[0], 48).bool()  # (T, T): the column that matters


def share_on_target(found: torch.Tensor) -> float:
    """% of a row's influence that comes from the last symbol, on average."""
    return 100 * (found * wanted).sum(1).div(found.sum(1)).mean().item()


on_target = {
    "untrained": {kind: share_on_target(one) for kind, one in untrained.items()},
    "trained": {kind: share_on_target(one) for kind, one in trained.items()},
}
for kind in trained:
    print(f"{kind:17} {on_target['untrained'][kind]:5.1f} % → {on_target['trained'][kind]:5.1f} %")

# %% [markdown]
# And do they *know* the symbol? The record has the accuracy by the distance to it, on sequences of 256, where symbols lie further apart than in training (48). **Predict** who
# keeps the symbol more than twice as long as anything in training.

# %% figure="right"
plot_right_by_distance(
    {kind: record["right_longer"][kind] for kind in trained},
    48,
    "The last symbol, named right (%), mean of three seeds",
)


# %%
def right(kind: str, group: str) -> list[float]:
    """% of right answers for a group of distances, a number for each seed."""
    return [100 * seed[group] for seed in record["right_longer"][kind]]


claim(
    "A convolution guesses beyond its field: 7 positions, or 64 with dilation (three seeds each)",
    max(right("CNN", "16")) < 40
    and max(right("dilated CNN", "64")) < 40
    and min(right("dilated CNN", "8")) > 80,
    unit="%",
    CNN_at_16=right("CNN", "16"),
    dilated_at_8=right("dilated CNN", "8"),
    dilated_at_64=right("dilated CNN", "64"),
)

# %%
keepers, lost = (
    ("plain RNN", "LSTM", "GRU"),
    ("causal attention", "full attention", "RWKV", "xLSTM"),
)
claim(
    "At 128 steps and more, plain RNN, LSTM and GRU still know the symbol; four others do not",
    min(min(right(kind, "128")) for kind in keepers) > 90
    and max(max(right(kind, "128")) for kind in lost) < 60,
    unit="%",
    **{kind.replace(" ", "_"): right(kind, "128") for kind in (*keepers, *lost)},
)

# %%
claim(
    "Little of the influence on the trained plain RNN is the symbol's, and much of attention's",
    on_target["trained"]["plain RNN"] < 15 and on_target["trained"]["causal attention"] > 40,
    unit="%",
    plain_RNN=on_target["trained"]["plain RNN"],
    causal_attention=on_target["trained"]["causal attention"],
)

# %% [markdown]
# Did you expect one of the two oldest rows to win? Two things are worth a second look.
#
# **The maps and the answers disagree.** The plain RNN knows the symbol at any distance that we asked, and its map hardly shows it. There is no mistake in either. The ruler measures how a *small change* of an input changes the output. This network has made four stable
# states, one for each symbol, and a state that is stable does not react to small changes: like a light switch, it stays where it is. Influence maps show paths along which an output can be *tuned*. They do not show everything that is *known*. (And gradients fade along such a switch, which is why it is hard to learn:
# Bengio et al. 1994.) Why could it be learned here, and not in lesson 06, with the same start, over 40 steps? We suspect the reason that lesson 06 found with its growing gap: here every position is asked, the near ones too, and near ones teach the switch.
#
# Do you doubt it? Then do not change the input a little, change it altogether. Train such a network here, exchange its first symbol for another one, and see what it says 40 steps later.

# %%
seed_everything(0)
switch = on_the_wall.OnTheWall("plain RNN")
sequences = Batches(*on_the_wall.last_symbol(16 * 600, seed=0), size=16)
recipe = dict(lr=0.01, weight_decay=0, clip=1.0, validations=1, label="")
fit(switch, sequences, Batches(*on_the_wall.last_symbol(256, seed=999)), **recipe)
fillers = on_the_wall.last_symbol(4, seed=1)[0].clamp(min=on_the_wall.SYMBOLS)[:1]
four = fillers.repeat(4, 1)
four[:, 0] = torch.arange(4)  # the same fillers after each of the four symbols
with torch.no_grad():
    told = switch(four)[:, 40].argmax(-1)
vectors = F.one_hot(four, on_the_wall.TOKENS).float()
small_change = reach.influence(switch.read, vectors, layout="BTC", at=40)[:41]

# %%
claim(
    "Another first symbol changes the answer 40 steps on; a small change of it hardly does",
    told.tolist() == [0, 1, 2, 3] and small_change[0] < 0.01 * small_change.sum(),
    answers="".join("ABCD"[k] for k in told),
    share_of_the_influence=(small_change[0] / small_change.sum()).item(),
)

# %% [markdown]
# **Who was right as far as training went, and lost it later?** The figure has the answer, and here it is in numbers:

# %%
early, at_64 = right("full attention", "48"), {kind: right(kind, "64") for kind in lost}
claim(
    "Full attention falls behind at 48 steps, three more at 64, the state-space layer at 128",
    max(early) < 90
    and max(map(max, at_64.values())) < 95 < min(right("state-space", "64"))
    and max(right("state-space", "128")) < 95,
    unit="%",
    full_attention_at_48=early,
    **{f"{kind.replace(' ', '_')}_at_64": found for kind, found in at_64.items()},
    state_space_at_64=right("state-space", "64"),
    state_space_at_128=right("state-space", "128"),
)

# %% [markdown]
# Attention shares its weights among all positions, and what it learned about 48 of them does not say how to treat 200. State-space layer, RWKV and xLSTM (here an mLSTM) are *linear* in their state: what leaks away at a step is never restored. The three with a switch feed the state
# through a squashing function, which pushes it back at each step. That is a reading which fits these ten models; a task that needs many symbols would rank them differently, as lessons 11 and 12 have measured.

# %% [markdown]
# ## 7 · The wall as a table
#
# Maps show what *is*. A table says what *must be*, before anything is trained. Fill it in, for an input of n ≥ 2 positions and C channels, one row for each of the ten kinds:
#
# | column | what to count |
# | --- | --- |
# | `"path"` | arrows on the shortest path from the first input to the last output, as in lesson 00. Recurrent kinds have one layer: an arrow into the state of the first step, and one for each step after it. For the two CNNs, the number of layers that it takes |
# | `"looks"` | how many times one position is looked at by another (or by itself), counted over all positions and layers. A kernel of K looks K times at each position of each layer, padding included; a recurrent step twice, at its input and at the state before; attention once for each pair that is not masked. The CNNs have as many layers as in `"path"` |
# | `"kept"` | numbers that have to be kept between two steps of generation, after n positions, for one sequence and one layer; for the CNNs again for all their layers. `"none"` if this kind cannot generate step by step |
# | `"limit"` | what limits the reach, one word: `"field"` (nothing beyond a fixed number of positions), `"fade"` (each step multiplies a small change by the same matrix, and by a slope), `"decay"` (by a learned number that does not depend on the input), `"gate"` (by a number that the input chooses), `"nothing"` (all positions are in reach, and only the cost grows) |
#
# The rows: `"CNN"` is causal with kernels of 3. `"dilated CNN"` is causal with kernels of 2 and dilations 1, 2, 4, … `"plain RNN"`, `"LSTM"` and `"GRU"` are torch's. `"causal attention"` keeps keys and values, `"full attention"` has no mask.
# `"state-space"` is the selective core of Mamba with 16 numbers for each channel, without its short convolution. `"RWKV"` is the time-mix of lesson 12. `"xLSTM"` is an mLSTM with 4 heads; 4 divides C. Its state has three parts (lesson 12).
#
# By hand: a causal CNN and n = 4. One layer of kernel 3 reaches back 2 positions. **Predict** its row before you look.

# %% same_output=true
n, C = 4, 8
layers = math.ceil((n - 1) / 2)
print(f"path {layers}, looks {3 * n * layers}, kept {2 * C * layers}, limit: field")

# %% [markdown]
# ### Exercise 14.5 · the table
# ●●● · about 30 minutes · 4 points
#
# Write `wall(kind, column, n, C)`, which returns one entry: a whole number, or a word for the limit. A dictionary with ten rows is a good form. Each column gives one point.


# %% answer="wall"
def wall(kind: str, column: str, n: int, C: int) -> int | str:
    """One entry of the table, for n positions and C channels.

    >>> [wall("CNN", column, 4, 8) for column in ("path", "looks", "kept", "limit")]
    [2, 24, 32, 'field']
    """
    ### BEGIN SOLUTION
    layers, doublings = math.ceil((n - 1) / 2), math.ceil(math.log2(n))
    step = dict(path=n, looks=2 * n)
    table = {
        "CNN": dict(path=layers, looks=3 * n * layers, kept=2 * C * layers, limit="field"),
        "dilated CNN": dict(
            path=doublings, looks=2 * n * doublings, kept=(2**doublings - 1) * C, limit="field"
        ),
        "plain RNN": dict(**step, kept=C, limit="fade"),
        "LSTM": dict(**step, kept=2 * C, limit="gate"),
        "GRU": dict(**step, kept=C, limit="gate"),
        "causal attention": dict(path=1, looks=n * (n + 1) // 2, kept=2 * n * C, limit="nothing"),
        "full attention": dict(path=1, looks=n * n, kept="none", limit="nothing"),
        "state-space": dict(**step, kept=16 * C, limit="gate"),
        "RWKV": dict(**step, kept=4 * C, limit="decay"),
        "xLSTM": dict(**step, kept=C * C // 4 + C + 4, limit="gate"),
    }
    return table[kind][column]
    ### END SOLUTION


# %% check="wall"
check.wall(wall)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Write down one row completely before you begin the next. For the CNNs, find the number of layers first; all other entries follow from it.
# </details>
# <details><summary>Hint: what is kept</summary>
#
# Ask of each layer: if the next character comes, which numbers from before do I need? A convolution needs the last (K − 1) · dilation inputs of *each* layer. For the state-space layer, RWKV and the mLSTM
# look at `start` in `utils/models/`: it makes the state.
# </details>
# <details><summary>Help: the dilated CNN is wrong for some n</summary>
#
# L layers see $2^L$ positions. For n = 9 three layers see eight, one too few. Round up.
# </details>
#
# Do you believe your table? Count, in the layers themselves: how many numbers does each one keep after n steps?

# %% payoff="wall"
with payoff("wall"):
    n, C = 40, 16
    counted = on_the_wall.numbers_kept(n, C)
    mine = {kind: wall(kind, "kept", n, C) for kind in counted}
    for kind, number in counted.items():
        print(f"{kind:17} counted {number:6,}, in your table {mine[kind]:6,}")
    claim("What the layers keep is what your table says", counted == mine, **counted)

# %% [markdown]
# Read your columns against one another. A short path was bought with looks, or with numbers that are kept. No row is the best in all of them, and that is the reason why there are ten.

# %% [markdown]
# ## 8 · Remove the constraint, not the symptom
#
# Look back at how the rows came about. Each step of the story began with something that did not work, and there were always two answers: *treat the symptom*, with more of the same, or *remove the constraint* that
# causes it. A CNN does not see far enough. **Predict**: what do four times the weights buy it, and what do the gaps of dilation, which cost no weights?

# %% covers="68"
wider, gaps = right("CNN, twice as wide", "16"), right("dilated CNN", "16")
claim(
    "At 16 to 31 steps four times the weights still guess, and gaps between them do not",
    max(wider) < 40 and min(gaps) > 70,
    unit="%",
    four_times_the_weights=wider,
    dilated=gaps,
)
print({k: record["parameters"][k] for k in ("CNN", "CNN, twice as wide", "dilated CNN")})

# %% [markdown]
# The field was the constraint, and no number of weights changes it. The others of this course, in the order in which they were removed:

# %% covers="68" figure="progression"
plot_progression("Each step removes a constraint, and some bring one back")

# %% [markdown]
# - **1997**: better starts treat the symptom of a gradient that fades (lesson 06; clipping does not even that, it only tames gradients that explode). A path on which nothing is multiplied but a gate removes the cause (lesson 07).
# - **2014**: a wider state treats the symptom of a sentence that does not fit. Looking back at all states removes the one vector (lesson 09).
# - **2017**: faster routines treat the symptom of a slow loop. A layer without a loop removes the wait (lessons 10 and 11), and brings in all pairs.
# - **2023, 2024**: shorter contexts treat the symptom of n². A recurrence that a scan can compute removes the pairs, and everything must again fit into a state (lesson 12); what does not fit leaks away, at a rate that is learned or chosen instead of forced.
# - **Hybrids** take some layers of each, and accept some of each cost.
#
# (In 2014 pairs were compared as well, but between a sentence and its translation, not within a text.)
#
# Two cautions. "Removed" is too strong where a constraint has only been moved: attention has no fading path, and pays with its cache. And the figure is drawn after the fact; at the time nobody knew
# which of the two answers an idea was. The years are these, of architectures alone. (CTC, 2006, falls into the gap: it is a loss, not a network.)

# %% covers="67"
plot_timeline(title="1986 to 2024: three flows, side by side")

# %% [markdown]
# ## 9 · Choose, and defend your choice
#
# There is no right answer to the following question, but there are well and badly defended ones. Before you begin, go through these four questions for each problem: *Where can the input that matters lie? What may one step
# cost, and may the answer wait? What must be kept? How much data is there?*

# %% [markdown] quiz="choose" points=5 unclaimed="what the problem demands"
# ### Five problems
#
# Choose an architecture for each problem and defend it in three to five sentences. Name (1) where the information lies that matters, and the row of the wall that reaches it, (2) one number, from your table or measured in this course, (3) what
# your choice costs, and (4) what would make you change your mind. A hybrid counts, if you say which part does what.
#
# - **A. A hearing aid** removes noise from speech. It may delay the sound by 8 milliseconds, and has 200 kilobytes of memory.
# - **B. A search in contracts**: documents of 200 pages, questions like "does clause 47 contradict the definition on page 3?". An answer may take a minute.
# - **C. Cells under a microscope**: 300 labelled pictures of 2,000 × 2,000 pixels; every pixel is to be marked as cell or background.
# - **D. A log of a factory**: one reading each second, for years; an alarm must be given if a pattern of the last week returns. The device keeps at most 10,000 numbers.
# - **E. A writer of code** on a laptop: it continues files of up to 30,000 characters, and names that were defined far above must be spelled the same way.
#
# ### BEGIN SOLUTION
# **Rubric for the instructor** · one point for each problem, in halves: ½ for a choice whose reach fits the problem *and* is argued from where the information lies, ½ for a number that is used correctly together with a cost or a condition under which the choice would change. No point for a name without
# an argument; full points for an unusual choice that is well defended. Take away ½ of a problem for a statement that the course has measured to be false ("an LSTM forgets after 20 steps", "attention has no cost in generation").
#
# - **A**: causal, small, constant memory. A GRU or LSTM (C or 2C numbers), a causal dilated CNN with a field of a few hundred milliseconds, or a state-space layer. Full attention and both directions wait for the end, which is ruled out by the 8 milliseconds. Number: kept, or the wait of section 2.
# - **B**: the clause and the definition may stand anywhere, and the question decides which. Attention over the whole text, or retrieval first and attention over what was found; full attention (or an encoder) is allowed, since the text is there. Number: n² looks, or 2nC of a cache; the cost must be faced (200 pages are about half a million characters: chunks, or subwords, or a hybrid).
# - **C**: local, few labels, large pictures. A U-Net or another CNN (lesson 13), with a receptive field larger than a cell; all-pairs attention over 4 million pixels is out of the question. Number: the receptive field, or the pairs. A pre-trained encoder is a good addition.
# - **D**: a week is 604,800 steps. A cache is impossible (2nC), a window too. A recurrence with a state below 10,000 numbers: state-space or RWKV with time scales up to a week, or a hierarchy (means for each minute, then a GRU). A good answer says that a gate must be open for 600,000 steps and that no recurrence of the course was trained nearly as far.
# - **E**: exact copying of names from anywhere: attention, causal, with a cache of 2nC per layer (state the number); a hybrid of state-space layers with a few attention layers is a very good answer. A pure recurrence has to be defended against the recall experiments of lesson 12.
# ### END SOLUTION

# %% [markdown] quiz="wall_reading" points=1 unclaimed="an imagined network"
# ### Quiz · reading a map
#
# A trained network has a map that fades to a thousandth after 20 steps. Its accuracy at a distance of 100 steps is 100 %. What follows?
#
# - A. One of the two was measured wrongly.
# - B. The answer at distance 100 is guessed.
# - C. The map shows how a small change of an input changes the output, here and now. A network that holds a symbol as a stable state does not react to small changes.
# - D. The network reads the future.
#
# ### BEGIN SOLUTION
# **C.** A light switch does not move when it is touched lightly, and stays where it is for years. A small derivative says that the output is *insensitive*, and not that it knows nothing.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice says</summary>
#
# - **A**: both can be right.
# - **B**: with four symbols a guess is right once in four times.
# - **C** is right. It is also the reason why such a switch is hard to *learn*: gradients through a stable state vanish (Bengio et al. 1994, lesson 06).
# - **D**: the map would show it, above the diagonal.
# </details>

# %% [markdown]
# ## What we measured
#
# *Which architecture for this problem?* The numbers of this lesson:

# %%
notebook.headline(
    corpus.name,
    letter_errors=letter_errors,
    letter_errors_by_piece={f"{k} frames": error for k, error in errors.items()},
    nats_per_point_by_components=surprise,
    nats_of_the_shipped_scribe=shipped,
    judged_right_by_bias=verdicts,
    bits_of_WaveNet_after_250_000=quick,
    bits_of_shipped_models=shipped_bits,
    horizon_of_WaveNet=found["WaveNet, field 64"].horizon,
    influence_from_the_last_symbol=on_target["trained"],
    named_128_steps_on={kind: right(kind, "128") for kind in trained},
)

# %% [markdown]
# - **Is an alignment needed?** Not if all of them can be summed: 2L + 1 places and T frames are enough. The network finds the times by itself.
# - **What does a second direction cost?** A wait. In a stream that is the number that decides.
# - **What if two answers are right?** Then say both. A mixture draws one of them; the mean of both is often neither.
# - **Field or horizon?** The field is what a convolution can see, to the character. The horizon is as far as it has learned to use it: here the last 56 of 64 characters bring a tenth of a bit, and the last 32 next to nothing.
# - **Which row of the wall is the best?** None. A path, a state, a cache, a wait: each row pays with something else, and the problem says which price you can afford.
#
# ## If you have an hour more
#
# All ten networks learned to hold *one* symbol. Ask for two: the last symbol and the one before it. Then for the last symbol *of each kind* of filler. Copy `last_symbol`, change the targets, and train the same ten with
# `bench/record_wall.py` as the pattern. Which rows still manage, and which break first? Does the table of section 7 tell you beforehand? We do not know for all ten.
#
# <!-- next -->
#
# ## References
#
# - Graves, Fernández, Gomez, Schmidhuber: *Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with Recurrent Neural Networks*. ICML 2006.
# - Hannun et al.: *Deep Speech: Scaling up end-to-end speech recognition*, 2014. [arXiv:1412.5567](https://arxiv.org/abs/1412.5567)
# - Koehn et al.: *Moses: Open Source Toolkit for Statistical Machine Translation*. ACL 2007.
# - Wu et al.: *Google's Neural Machine Translation System: Bridging the Gap between Human and Machine Translation*, 2016. [arXiv:1609.08144](https://arxiv.org/abs/1609.08144)
# - Bishop: *Mixture Density Networks*. Aston University, 1994.
# - Graves: *Generating Sequences With Recurrent Neural Networks*, 2013. [arXiv:1308.0850](https://arxiv.org/abs/1308.0850)
# - van den Oord et al.: *WaveNet: A Generative Model for Raw Audio*, 2016. [arXiv:1609.03499](https://arxiv.org/abs/1609.03499)
# - Liu et al.: *Exposing Attention Glitches with Flip-Flop Language Modeling*. NeurIPS 2023. [arXiv:2306.00946](https://arxiv.org/abs/2306.00946)
# - Press, Smith, Lewis: *Train Short, Test Long: Attention with Linear Biases Enables Input Length Extrapolation*. ICLR 2022. [arXiv:2108.12409](https://arxiv.org/abs/2108.12409)
# - Bengio, Simard, Frasconi: *Learning long-term dependencies with gradient descent is difficult*. IEEE Transactions on Neural Networks 5(2), 1994.
