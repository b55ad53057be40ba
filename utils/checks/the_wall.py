"""Exercises of lesson 14: the sum over all alignments, a mixture density, a step of a pen, dilated causal layers, the wall."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from utils.checking import Lesson, normal

lesson = Lesson("14", __name__)

# --- 14.1 the likelihood of a word, by CTC ----------------------------------------------------------------------------


@lesson.exercise(
    points=3,
    hint="Put a blank before, between and after the letters. At each frame a path stays where it is, goes one place on, or jumps over a blank if the letters on both sides differ. Add up what arrives, in logarithms.",
)
def ctc_log_likelihood(log_p, word):
    """log_p (T, V), token 0 is the blank; word, a list of tokens. The log of the sum over all paths that collapse to it."""
    T, wanted = len(log_p), torch.tensor([word])
    sizes = torch.tensor([T]), torch.tensor([len(word)])
    return -F.ctc_loss(log_p.double()[:, None], wanted, *sizes, reduction="sum").float()


@ctc_log_likelihood.cases
def _(rng):
    half = torch.tensor([0.5, 0.3, 0.2]).log()
    yield half[None], [1]  # by hand: one frame, one letter
    yield half.repeat(2, 1), [1]  # a-, -a, aa
    yield half.repeat(2, 1), [1, 2]
    yield torch.tensor([[0.1, 0.6, 0.3], [0.7, 0.2, 0.1], [0.2, 0.5, 0.3]]).log(), [1, 1]  # needs a blank between
    yield torch.tensor([[0.1, 0.6, 0.3], [0.7, 0.2, 0.1], [0.2, 0.5, 0.3]]).log(), [1, 2]
    for T, word in ((4, [2]), (5, [1, 1]), (6, [1, 2, 1]), (7, [3, 3, 2]), (9, [2, 1, 1, 3])):
        yield normal(rng, T, 4).log_softmax(-1), word
    yield normal(rng, 90, 12).log_softmax(-1), [5, 3, 3, 7]  # too unlikely for a product of probabilities


def _with_blanks(word):
    return [0, *(token for letter in word for token in (letter, 0))]


def _added(terms: Tensor, dim: int = 0) -> Tensor:
    return terms.logsumexp(dim)


@ctc_log_likelihood.recipe
def _(
    log_p, word, places=_with_blanks, first=2, last=2, join=_added, collect=_added, stays=True, scale=lambda log_p: log_p,
    jumps=lambda here, before: here != 0 and here != before, finish=lambda total, T: total,
    least=2,
):  # fmt: skip
    tokens, none = places(word), torch.full((), -math.inf)
    log_p = scale(log_p)
    alpha = [log_p[0, token] if place < first else none for place, token in enumerate(tokens)]
    for frame in log_p[1:]:
        new = []
        for place, token in enumerate(tokens):
            ways = [alpha[place]] * stays + alpha[max(place - 1, 0) : place]
            if place >= least and jumps(token, tokens[place - 2]):
                ways.append(alpha[place - 2])
            new.append(join(torch.stack(ways or [none])) + frame[token])
        alpha = new
    return finish(collect(torch.stack(alpha[-last:])), len(log_p))


BEST_ALONE = "You kept the best path alone. The likelihood is the SUM over all paths: logsumexp where you have max."


def _likeliest(terms: Tensor) -> Tensor:
    return terms.amax(0)


ctc_log_likelihood.slip("best_path_alone", join=_likeliest, collect=_likeliest).says(BEST_ALONE)
ctc_log_likelihood.slip("best_way_at_each_frame", join=_likeliest).says(BEST_ALONE)
ctc_log_likelihood.slip("no_blanks", places=lambda word: list(word), first=1, last=1).says(
    "There are no blanks between the letters. Put one before, between and after them: 2 L + 1 places."
)
ctc_log_likelihood.slip("blanks_between_alone", places=lambda word: _with_blanks(word)[1:-1], first=1, last=1).says(
    "You put blanks between the letters alone. A path may also begin and end with blanks."
)
ctc_log_likelihood.slip("blanks_never_skipped", jumps=lambda here, before: False).says(
    "A path has to pass through every blank in your sum. Between two DIFFERENT letters it may jump over the blank."
)
ctc_log_likelihood.slip("blank_skipped_between_equals", jumps=lambda here, before: here != 0).says(
    "You jump over the blank between two equal letters as well. Such a path collapses to one letter instead of two."
)
ctc_log_likelihood.slip("letters_skipped", jumps=lambda here, before: True).says(
    "You may jump two places from everywhere, also from blank to blank, which leaves out a letter. Jump to a letter alone."
)
ctc_log_likelihood.slip("index_wraps_round", least=1).says(
    "At the first letter you read alpha[s − 2] with s = 1. In Python alpha[−1] is the LAST place. Jump from s = 2 on alone."
)
ctc_log_likelihood.slip("must_start_with_blank", first=1).says(
    "All your paths begin with the blank. They may also begin with the first letter: two places have a start."
)
ctc_log_likelihood.slip("must_end_with_blank", last=1).says(
    "You took the last place alone, the blank. A path may also end with the last letter: add up the last two places."
)
ctc_log_likelihood.slip("must_move", stays=False).says(
    "In your sum no path stays where it is. A letter, or a blank, may last for many frames."
)
ctc_log_likelihood.slip("per_frame", finish=lambda total, T: total / T).says(
    "You divided by the number of frames. The likelihood is of the whole word."
)
ctc_log_likelihood.slip("sign_turned", finish=lambda total, T: -total).says(
    "The sign is turned. A log-likelihood is at most 0; the LOSS is its negative."
)
ctc_log_likelihood.slip("likelihood_itself", finish=lambda total, T: total.exp()).says(
    "You returned the probability. The answer is its logarithm."
)


@ctc_log_likelihood.mistake("You divided by the length of the word, as torch's reduction='mean' does. Take 'sum'.")
def divided_by_the_word(log_p, word):
    return ctc_log_likelihood.reference(log_p, word) / len(word)


@ctc_log_likelihood.mistake(
    "You wrote into the list that you were reading: place s took what place s − 1 had just become. Make a new list for each frame."
)
def written_in_place(log_p, word):
    tokens = _with_blanks(word)
    alpha = [log_p[0, token] if s < 2 else torch.tensor(-math.inf) for s, token in enumerate(tokens)]
    for frame in log_p[1:]:
        for s, token in enumerate(tokens):
            jump = [alpha[s - 2]] if s > 1 and token and token != tokens[s - 2] else []
            alpha[s] = _added(torch.stack([*alpha[max(s - 1, 0) : s + 1], *jump])) + frame[token]
    return _added(torch.stack(alpha[-2:]))


@ctc_log_likelihood.mistake(
    "Your product of probabilities is too small for a float: after 90 frames it is 0, and log 0 is −inf. Add logarithms instead, and use logsumexp for the sums."
)
def product_too_small(log_p, word):
    tokens, p = _with_blanks(word), log_p.exp()
    alpha = [p[0, token] * (place < 2) for place, token in enumerate(tokens)]
    for frame in p[1:]:
        ways = [
            alpha[s] + sum(alpha[max(s - 1, 0) : s])
            + (alpha[s - 2] if s > 1 and token and token != tokens[s - 2] else 0)
            for s, token in enumerate(tokens)
        ]  # fmt: skip
        alpha = [way * frame[token] for way, token in zip(ways, tokens, strict=True)]
    return torch.stack(alpha[-2:]).sum().log()


# --- 14.2 how surprised a mixture is ----------------------------------------------------------------------------------

FAR = torch.tensor([[40.0, -30.0, 1.0]])  # a step so unlikely that its density is 0 in any float


@lesson.exercise(
    points=3,
    hint="For each component, the logarithm of its weight plus the logarithm of its density; over the components, logsumexp. The pen has a term of its own.",
)
def mixture_nll(raw, steps):
    """raw (N, 6 K + 1): weights, two means, two log deviations, correlation, pen; steps (N, 3). The surprise (N,), in nats."""
    raw, steps = raw.double(), steps.double()
    weight, x, y, log_x, log_y, rho = raw[:, :-1].chunk(6, 1)
    a, b, r = log_x.exp(), log_y.exp(), rho.tanh()
    covariance = torch.stack([torch.stack([a * a, r * a * b], -1), torch.stack([r * a * b, b * b], -1)], -1)
    normals = MultivariateNormal(torch.stack([x, y], -1), covariance)
    where = MixtureSameFamily(Categorical(logits=weight), normals).log_prob(steps[:, :2])
    pen = F.binary_cross_entropy_with_logits(raw[:, -1], steps[:, 2], reduction="none")
    return (pen - where).float()


@mixture_nll.cases
def _(rng):
    zero, K = torch.zeros(1, 7), 3
    yield zero, torch.zeros(1, 3)  # by hand: log 2π for the place, log 2 for the pen
    yield zero, torch.tensor([[1.0, 0.0, 0.0]])
    for place in range(1, 7):
        yield zero + F.one_hot(torch.tensor([place]), 7), torch.tensor([[1.0, 0.5, 1.0]])
    two = torch.tensor([[0.0, 2.0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0]])
    yield two, torch.tensor([[0.5, 0.5, 0.0]])
    yield torch.cat([two, -two]), torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    for N in (1, 2, 5):
        yield normal(rng, N, 6 * K + 1), torch.cat([normal(rng, N, 2), (normal(rng, N, 1) > 0).float()], 1)
    yield torch.zeros(1, 13), FAR
    for sure, lift in ((120.0, 0.0), (-120.0, 1.0)):  # a pen that the network was sure of, wrongly
        yield torch.tensor([[0.0] * 6 + [sure]]), torch.tensor([[0.0, 0.0, lift]])


@mixture_nll.recipe
def _(
    raw, steps, order=(0, 1, 2, 3, 4, 5), log_weight=lambda w: w.log_softmax(-1), deviation=torch.exp, squash=torch.tanh,
    half=0.5, cross=2.0, over=lambda r: 1 - r**2, norm=lambda r: math.log(2 * math.pi) + (1 - r**2).log() / 2,
    spread=lambda a, b: a.log() + b.log(), join=lambda w, d: (w + d).logsumexp(-1), pen=1.0, lifted=lambda s: s[:, 2],
    judge=lambda s, lift: F.binary_cross_entropy_with_logits(s, lift, reduction="none"), give=lambda loss: loss,
):  # fmt: skip
    columns = raw[:, :-1].chunk(6, 1)
    weight, x, y, log_x, log_y, rho = (columns[place] for place in order)
    a, b, r = deviation(log_x), deviation(log_y), squash(rho)
    dx, dy = (steps[:, :1] - x) / a, (steps[:, 1:2] - y) / b
    density = -half * (dx**2 + dy**2 - cross * r * dx * dy) / over(r) - norm(r) - spread(a, b)
    where = join(log_weight(weight), density)
    return give(pen * judge(raw[:, -1], lifted(steps)) - where)


mixture_nll.slip("log_of_exp_sum", join=lambda w, d: (w.exp() * d.exp()).sum(-1).log()).says(
    "Far from all components the densities are 0 in any float, and log 0 is −inf. Stay with logarithms: logsumexp of log weight plus log density."
)


def _small_number(value, raw, steps):
    """Less than the logarithm of any float, where the density is smaller than all of them."""
    if not torch.equal(steps, FAR) or not isinstance(value, Tensor) or value.numel() != 1 or not 5 < value.item() < 110:
        return None
    return f"A step whose density is 0 in any float is only as surprising as a density of e^−{value.item():.0f}."


mixture_nll.slip(
    "small_number_added", join=lambda w, d: ((w.exp() * d.exp()).sum(-1) + 1e-20).log(), seen=_small_number
).says(
    "You added a small number before the log, or clamped. It makes every far step equally surprising, and its gradient 0. Stay with logarithms: logsumexp."
)
mixture_nll.slip("mean_of_logs", join=lambda w, d: (w.exp() * d).sum(-1)).says(
    "You took the weighted mean of the LOG densities. The densities are what is mixed: logsumexp of log weight plus log density."
)
mixture_nll.slip("best_component_alone", join=lambda w, d: (w + d).amax(-1)).says(
    "You took the best component alone. All of them add to the density."
)
mixture_nll.slip("weights_not_normalised", log_weight=lambda w: w).says(
    "The weights do not add up to 1. The first K numbers need a softmax, or here log_softmax."
)
mixture_nll.slip("softmax_over_steps", log_weight=lambda w: w.log_softmax(0)).says(
    "Your weights add up to 1 over the steps. The softmax is over the K components of each step: dim=1."
)
mixture_nll.slip("weights_missing", log_weight=lambda w: 0 * w).says("The weights are missing: add their logarithm.")
mixture_nll.slip("deviations_as_they_are", deviation=lambda s: s.abs() + 1e-6).says(
    "You used the numbers as deviations. They are LOGARITHMS of deviations: take exp."
)
mixture_nll.slip("variances", deviation=lambda s: (s / 2).exp()).says(
    "You took exp(…) as the variance. It is the standard deviation: divide by it before you square."
)
mixture_nll.slip("correlation_not_squashed", squash=lambda r: r.clamp(-0.99, 0.99)).says(
    "The correlation needs a tanh, so that it stays between −1 and 1."
)
mixture_nll.slip("correlation_as_it_is", squash=lambda r: r).says(
    "ρ needs its tanh: outside of −1 to 1 there is no such distribution, and the root gives nan."
)
mixture_nll.slip("no_correlation", squash=lambda r: 0 * r).says("The correlation ρ is missing.")
mixture_nll.slip("sign_of_the_product", cross=-2.0).says(
    "The term with ρ has the wrong sign: x² + y² − 2 ρ x y. Steps along the correlation are the likely ones."
)
mixture_nll.slip("one_product", cross=1.0).says("The product of x and y counts twice: − 2 ρ x y.")
mixture_nll.slip("not_divided", over=lambda r: 1 + 0 * r).says("In the exponent, divide by 1 − ρ².")
mixture_nll.slip("root_missing", norm=lambda r: math.log(2 * math.pi) + 0 * r).says(
    "The root of 1 − ρ² is missing under the fraction in front of the exponential: − log(1 − ρ²) / 2."
)
mixture_nll.slip("root_above", norm=lambda r: math.log(2 * math.pi) - (1 - r**2).log() / 2).says(
    "The root of 1 − ρ² stands below the fraction in front of the exponential: − ½ log(1 − ρ²) in the density."
)
mixture_nll.slip("two_pi_missing", norm=lambda r: (1 - r**2).log() / 2).says(
    "The factor 1 / 2π of the normal distribution in two dimensions is missing: − log 2π."
)
mixture_nll.slip("two_pi_of_one_dimension", norm=lambda r: math.log(2 * math.pi) / 2 + (1 - r**2).log() / 2).says(
    "You have 1 / √2π, which belongs to one dimension. In two it is 1 / 2π."
)
mixture_nll.slip("half_missing", half=1.0).says("The half in the exponent is missing: −½ (…) / (1 − ρ²).")
mixture_nll.slip("density_not_divided", spread=lambda a, b: 0 * a).says(
    "A wide normal distribution is a low one: divide by both deviations, − log σx − log σy."
)
mixture_nll.slip("mean_over_the_pens", judge=F.binary_cross_entropy_with_logits).says(
    "The pen's surprise is the mean over all steps in yours. One number for each step: reduction='none'."
)
mixture_nll.slip("pen_missing", pen=0.0).says("The pen is missing: add its binary cross-entropy.")
mixture_nll.slip(
    "log_of_sigmoid", judge=lambda s, lift: -torch.where(lift > 0, s.sigmoid(), 1 - s.sigmoid()).log()
).says(
    "You took the log of a sigmoid: 1 − sigmoid(120) is 0 in float32. F.binary_cross_entropy_with_logits stays finite."
)
mixture_nll.slip("cut_at_100", judge=lambda s, lift: F.binary_cross_entropy(s.sigmoid(), lift, reduction="none")).says(
    "F.binary_cross_entropy cuts a surprise off at 100 nats, since the log of a sigmoid may be −inf. F.binary_cross_entropy_with_logits takes the sum itself."
)
mixture_nll.slip(
    "sigmoid_twice", judge=lambda s, lift: F.binary_cross_entropy_with_logits(s.sigmoid(), lift, reduction="none")
).says(
    "You took the sigmoid twice: F.binary_cross_entropy_with_logits takes it itself. Give it the last number as it is."
)
mixture_nll.slip("pen_turned", lifted=lambda s: 1 - s[:, 2]).says(
    "The pen is turned: sigmoid of the last number is the probability of a LIFT, steps[:, 2] = 1."
)
mixture_nll.slip("sign_turned", give=lambda loss: -loss).says(
    "You returned the log-likelihood. The loss is minus that."
)
mixture_nll.slip("one_number", give=lambda loss: loss.mean()).says(
    "You returned a mean. Return one number for each step."
)

# --- 14.3 one step of the pen -----------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="Sharpen first: weights times 1 + b before the softmax, log deviations minus b. Then u[0] picks a component, e moves inside it, and u[1] decides on the pen.",
)
def next_step(raw, bias, u, e):
    """raw (6 K + 1,), a bias, two numbers u from 0 to 1, two standard normal ones e. The step (3,): dx, dy, lift."""
    weight, x, y, log_x, log_y, rho = raw[:-1].view(6, -1)
    k = torch.searchsorted(((1 + bias) * weight).softmax(0).cumsum(0), u[:1], right=True)[0]
    a, b, r = log_x[k].sub(bias).exp(), log_y[k].sub(bias).exp(), rho[k].tanh()
    turned = r * e[0] + (1 - r**2).sqrt() * e[1]
    return torch.stack([x[k] + a * e[0], y[k] + b * turned, (u[1] < raw[-1].sigmoid()).to(raw)])


@next_step.cases
def _(rng):
    def case(raw, bias, u, e):
        return dict(raw=torch.tensor(raw).float(), bias=bias, u=torch.tensor(u), e=torch.tensor(e))

    yield case([0, 1, 2, 0, 0, 0, 0], 0.0, [0.5, 0.9], [0.0, 0.0])  # by hand: the mean, pen down
    yield case([0, 1, 2, 0, 0, 0, 3], 0.0, [0.5, 0.9], [0.0, 0.0])  # 0.9 < sigmoid(3): a lift
    yield case([0, 1, 2, 0, 0, 0, 0.4], 0.0, [0.5, 0.5], [0.0, 0.0])  # 0.5 < sigmoid(0.4), but not below 0.4
    yield case([0, 1, 2, 0, 0, 0, -3], 0.0, [0.5, 0.01], [0.0, 0.0])  # an unlikely lift happens
    yield case([0, 0, 0, 1, 0, 0, 0], 0.0, [0.5, 0.9], [1.0, 0.5])
    yield case([0, 0, 0, 0, 0, 1, 0], 0.0, [0.5, 0.9], [1.0, 0.5])
    yield case([0, 0, 0, 1, 0.5, 0, 0], 1.0, [0.5, 0.9], [1.0, -1.0])
    two = [1.0, 0, 3, -3, 1, 2, 0, 0, 0, 0, 0, 0, 0]
    for bias, first in ((0.0, 0.6), (0.0, 0.8), (1.0, 0.8), (1.0, 0.95)):  # weights 0.73 and 0.27, sharpened 0.88, 0.12
        yield case(two, bias, [first, 0.7], [0.0, 0.0])
    yield case([2.0, 0, 0, 1, 2, 3, 1, 1, 1] + [0] * 10, 0.0, [0.95, 0.7], [0.0, 0.0])
    for bias in (0.0, 0.5, 2.0):
        for _ in range(3):
            u = torch.from_numpy(rng.random(2)).float()
            yield dict(raw=normal(rng, 25), bias=bias, u=u, e=normal(rng, 2))


@next_step.recipe
def _(
    raw, bias, u, e, weights=lambda w, b: ((1 + b) * w).softmax(0), deviation=lambda s, b: (s - b).exp(),
    pick=lambda w, u: (w.cumsum(0) <= u).sum().clamp(max=len(w) - 1), squash=torch.tanh,
    turn=lambda r, e: r * e[0] + (1 - r**2).sqrt() * e[1], lift=lambda p, u: u < p, uses=(0, 1), mean=False,
):  # fmt: skip
    weight, x, y, log_x, log_y, rho = raw[:-1].view(6, -1)
    w = weights(weight, bias)
    k = pick(w, u[uses[0]])
    a, b, r = deviation(log_x[k], bias), deviation(log_y[k], bias), squash(rho[k])
    at = ((w * x).sum(), (w * y).sum()) if mean else (x[k], y[k])
    return torch.stack([at[0] + a * e[0], at[1] + b * turn(r, e), lift(raw[-1].sigmoid(), u[uses[1]]).float()])


next_step.slip("weights_not_sharpened", weights=lambda w, b: w.softmax(0)).says(
    "The bias does not reach the weights: softmax of (1 + b) times the first K numbers."
)
next_step.slip("deviations_not_sharpened", deviation=lambda s, b: s.exp()).says(
    "The bias does not reach the deviations: exp(log σ − b)."
)
next_step.slip("bias_ignored", weights=lambda w, b: w.softmax(0), deviation=lambda s, b: s.exp()).says(
    "The bias is not used: it sharpens the weights, and makes the deviations smaller."
)
next_step.slip("deviations_divided", deviation=lambda s, b: s.exp() / (1 + b)).says(
    "You divided the deviations by 1 + b. The factor 1 + b belongs to the weights; deviations are exp(log σ − b)."
)
next_step.slip("bias_outside_the_exponential", deviation=lambda s, b: s.exp() - b).says(
    "You took the bias off after the exponential, where a deviation may fall below 0: exp(log σ − b)."
)
next_step.slip("sharpened_after_the_softmax", weights=lambda w, b: ((1 + b) * w.softmax(0)).softmax(0)).says(
    "You took the softmax twice. The factor 1 + b belongs to the numbers before their one softmax."
)
next_step.slip("bias_turned", deviation=lambda s, b: (s + b).exp()).says(
    "Your bias makes the deviations larger. A larger bias means tidier writing: exp(log σ − b)."
)
next_step.slip("weights_times_bias", weights=lambda w, b: (b * w).softmax(0)).says(
    "You multiplied the first K numbers by b, so that with b = 0 all weights are equal. The factor is 1 + b."
)
next_step.slip("likeliest_component", pick=lambda w, u: w.argmax()).says(
    "You always took the likeliest component. u[0] picks one: the first whose cumulative weight is above u[0]."
)
next_step.slip("component_after", pick=lambda w, u: ((w.cumsum(0) <= u).sum() + 1).clamp(max=len(w) - 1)).says(
    "You took the component after the right one. It is the FIRST whose cumulative weight is above u[0]."
)
next_step.slip("component_by_weight_alone", pick=lambda w, u: (w <= u).sum().clamp(max=len(w) - 1)).says(
    "You compared u[0] with the weights themselves. Compare it with their cumulative sum."
)
next_step.slip("mean_of_means", mean=True).says(
    "You moved around the mean of all components. Between two likely places there may be an unlikely one: pick one component."
)
next_step.slip("second_not_shrunk", turn=lambda r, e: r * e[0] + e[1]).says(
    "The second number is not shrunk: ρ e₀ + √(1 − ρ²) e₁ has variance 1, and ρ e₀ + e₁ has more."
)
next_step.slip("not_correlated", turn=lambda r, e: e[1]).says(
    "The correlation is missing: y moves along with e[0], too."
)
next_step.slip("root_missing", turn=lambda r, e: r * e[0] + (1 - r**2) * e[1]).says("The root is missing: √(1 − ρ²).")
next_step.slip("correlation_not_squashed", squash=lambda r: r.clamp(-1, 1)).says("The correlation needs its tanh.")
next_step.slip("variances", deviation=lambda s, b: ((s - b) / 2).exp()).says(
    "You took a root too much: exp(log σ − b) is the standard deviation itself."
)
next_step.slip("logs_as_deviations", deviation=lambda s, b: s - b).says(
    "You moved by log σ. The network gives logarithms of the deviations: exp(log σ − b)."
)
next_step.slip("lift_by_threshold", lift=lambda p, u: p > 0.5).says(
    "You lift the pen whenever that is likelier than not. Then the pen hardly ever leaves the paper. Draw: u[1] < probability."
)
next_step.slip("lift_without_sigmoid", lift=lambda p, u: u < p.logit()).says(
    "You compared u[1] with the last sum itself. It is a logit: the probability of a lift is its sigmoid."
)
next_step.slip("lift_turned", lift=lambda p, u: u > p).says("The pen is turned: it is lifted where u[1] < probability.")
next_step.slip("same_number_twice", uses=(0, 0)).says("You used u[0] for the pen as well. u[1] decides on the pen.")
next_step.slip("numbers_swapped", uses=(1, 0)).says("u[0] picks the component, and u[1] decides on the pen.")

# --- 14.4 causal and dilated ------------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    returns=("output", "field"),
    hint="Pad (kernel − 1) · dilation zeros on the left, so that the output is as long as the input. Each layer widens the field by the same number.",
)
def dilated_stack(x, layers):
    """x (B, C, T); layers, a list of (W (C_out, C_in, K), b (C_out,), dilation). Output (B, C_out, T); positions seen."""
    field = 1
    for number, (W, b, dilation) in enumerate(layers):
        past = (W.shape[2] - 1) * dilation
        x = F.conv1d(F.pad(x, (past, 0)), W, b, dilation=dilation)
        x = x.relu() if number < len(layers) - 1 else x
        field += past
    return x, field


@dilated_stack.cases
def _(rng):
    ramp, zero = torch.tensor([[[1.0, 2, 3, 4, 5]]]), torch.zeros(1)

    def kernel(*numbers):
        return torch.tensor([[numbers]]).float()

    yield ramp, [(kernel(1, 10), zero, 1)]  # by hand: 10, 21, 32, 43, 54, and a field of 2
    yield ramp, [(kernel(1, 10), zero, 2)]
    yield ramp, [(kernel(1, 10, 100), zero, 1)]
    yield ramp, [(kernel(1, -10), zero + 0.5, 1)]  # negative outputs of the last layer stay
    yield ramp, [(kernel(1, -1), zero, 1), (kernel(1, 1), zero, 2)]
    yield ramp, [(kernel(-1, 1), zero + 1, 1), (kernel(1, 1), zero, 2), (kernel(1, 1, 1), zero - 1, 3)]
    for dilations, K in (((1, 2, 4), 2), ((1, 3), 3), ((5,), 2), ((2, 1), 4)):
        widths, layers = [int(rng.integers(1, 4)) for _ in range(len(dilations) + 1)], []
        for into, out, dilation in zip(widths, widths[1:], dilations, strict=False):
            layers.append((normal(rng, out, into, K), normal(rng, out), dilation))
        yield normal(rng, 2, widths[0], 12), layers


@dilated_stack.recipe
def _(
    x, layers, pad=lambda past: (past, 0), turn=lambda W: W, spaced=lambda d: d, bias=1, bend=lambda last: not last,
    start=1, grows=lambda K, d: (K - 1) * d,
):  # fmt: skip
    field = start
    for number, (W, b, dilation) in enumerate(layers):
        d = spaced(dilation)
        x = F.conv1d(F.pad(x, pad((W.shape[2] - 1) * d)), turn(W), bias * b, dilation=d)
        x = x.relu() if bend(number == len(layers) - 1) else x
        field += grows(W.shape[2], dilation)
    return x, field


dilated_stack.slip("padded_on_both_sides", pad=lambda past: (past // 2, past - past // 2)).says(
    "You padded on both sides, so that each position reads later ones. All zeros belong on the left."
)
dilated_stack.slip("padded_on_the_right", pad=lambda past: (0, past)).says(
    "Position t reads what comes after it: you padded on the right, or kept the last T of an output that is too long. Put (K − 1) · dilation zeros on the left, and none on the right."
)
dilated_stack.slip("not_padded", pad=lambda past: (0, 0)).says(
    "You did not pad, so that the output is shorter than the input. Put (K − 1) · dilation zeros on the left."
)
dilated_stack.slip("kernel_turned", turn=lambda W: W.flip(2)).says(
    "The kernel is turned round. As in nn.Conv1d, its last weight belongs to the newest position."
)
dilated_stack.slip("dilation_ignored", spaced=lambda d: 1).says(
    "The dilation is not used. The weights lie `dilation` positions apart."
)
dilated_stack.slip("bias_missing", bias=0).says("The bias is missing.")
dilated_stack.slip("bent_at_the_end", bend=lambda last: True).says(
    "You put a ReLU after the last layer as well. There is one between two layers alone."
)
dilated_stack.slip("never_bent", bend=lambda last: False).says("The ReLU between the layers is missing.")
dilated_stack.slip("field_without_itself", start=0).says(
    "The field lacks the position itself: it is 1 before the first layer."
)
dilated_stack.slip("field_by_kernels", grows=lambda K, d: K * d).says(
    "You added K · dilation. K weights span K − 1 gaps: (K − 1) · dilation."
)
dilated_stack.slip("field_without_dilation", grows=lambda K, d: K - 1).says(
    "Your field leaves out the dilation: each layer adds (K − 1) · dilation."
)
dilated_stack.slip("field_of_dilations", grows=lambda K, d: d).says(
    "You added the dilations alone, which is right for kernels of 2. In general a layer adds (K − 1) · dilation."
)

# --- 14.5 the wall, as a table ----------------------------------------------------------------------------------------

KINDS = (
    "CNN", "dilated CNN", "plain RNN", "LSTM", "GRU", "causal attention", "full attention", "state-space", "RWKV", "xLSTM",
)  # fmt: skip
N, H = 16, 4  # numbers of state for each channel of a state-space layer, heads of an xLSTM


@lesson.exercise(
    points={"path": 1, "looks": 1, "kept": 1, "limit": 1},
    hint="A dictionary with a row for each kind and a value for each column. The layers of the two CNNs come first: how many does it take until the last position sees the first?",
)
def wall(kind, column, n, C):
    """One entry of the table, for n positions and C channels; `column` is "path", "looks", "kept" or "limit"."""
    return _table(n, C)[kind][column]


def _table(n: int, C: int) -> dict[str, dict]:
    layers, doublings = -(-(n - 1) // 2), (n - 1).bit_length()
    kept = dict(zip(KINDS[2:], (C, 2 * C, C, 2 * n * C, "none", N * C, 4 * C, C * C // H + C + H), strict=True))
    limit = dict(zip(KINDS[2:], ("fade", "gate", "gate", "nothing", "nothing", "gate", "decay", "gate"), strict=True))
    rows = {
        "CNN": dict(path=layers, looks=3 * n * layers, kept=2 * C * layers, limit="field"),
        "dilated CNN": dict(path=doublings, looks=2 * n * doublings, kept=(2**doublings - 1) * C, limit="field"),
    }
    for kind in KINDS[2:]:
        rows[kind] = dict(path=n, looks=2 * n, kept=kept[kind], limit=limit[kind])
    rows["causal attention"] |= dict(path=1, looks=n * (n + 1) // 2)
    rows["full attention"] |= dict(path=1, looks=n * n)
    return rows


def _cases(column):
    def cases(rng):
        for n, C in ((4, 8), (9, 12), (64, 32)):
            for kind in KINDS:
                yield dict(kind=kind, column=column, n=n, C=C)

    return cases


for column in ("path", "looks", "kept", "limit"):
    wall.cases(column)(_cases(column))


@wall.recipe
def _(kind, column, n, C, edit=lambda row, kind, n, C: {}):
    row = _table(n, C)[kind]
    return (row | edit(row, kind, n, C))[column]


RECURRENT = {"plain RNN", "LSTM", "GRU", "state-space", "RWKV", "xLSTM"}
CONVOLUTIONS = {"CNN": 3, "dilated CNN": 2}


def _slip(name: str, kinds, says: str, **values) -> None:
    """A wrong value of a column, a function of n, C and the right row, for these kinds."""

    def edit(row, kind, n, C):
        return {column: value(n, C, row) for column, value in values.items()} if kind in kinds else {}

    wall.slip(name, edit=edit).says(says)


_slip("steps_between", RECURRENT, "Count the arrow from the first input into its state as well: n arrows, as in lesson 00.", path=lambda n, C, row: n - 1)  # fmt: skip
_slip("kernel_as_reach", {"CNN"}, "A causal kernel of 3 reaches back 2 positions in each layer, so it takes ⌈(n − 1) / 2⌉ layers.", path=lambda n, C, row: -(-(n - 1) // 3))  # fmt: skip
_slip("rounded_down", {"CNN"}, "A layer that is needed in part is needed: round (n − 1) / 2 up.", path=lambda n, C, row: (n - 1) // 2)  # fmt: skip
_slip("doublings_rounded_down", {"dilated CNN"}, "L layers with dilations 1, 2, 4, … see 2^L positions. For 9 positions three are too few: round log₂ n up.", path=lambda n, C, row: n.bit_length() - 1)  # fmt: skip
_slip("one_layer_of_each", CONVOLUTIONS, "One layer does not see the first position. Count the layers that it takes.", path=lambda n, C, row: 1)  # fmt: skip
_slip("attention_walks", {"causal attention", "full attention"}, "Attention goes to any position in one step, near or far.", path=lambda n, C, row: n)  # fmt: skip
_slip("scan_as_path", {"state-space", "RWKV", "xLSTM"}, "A scan is COMPUTED in few rounds. The information still passes through every state in between, and fades at each.", path=lambda n, C, row: (n - 1).bit_length())  # fmt: skip
_slip("looks_of_one_layer", CONVOLUTIONS, "You counted one layer. Count all those that it takes until the last position sees the first.", looks=lambda n, C, row: row["looks"] // max(row["path"], 1))  # fmt: skip
_slip("causal_counts_all", {"causal attention"}, "A causal position looks at itself and at those before it: 1 + 2 + … + n.", looks=lambda n, C, row: n * n)  # fmt: skip
_slip("causal_without_itself", {"causal attention"}, "A position sees itself, too: 1 + 2 + … + n = n (n + 1) / 2.", looks=lambda n, C, row: n * (n - 1) // 2)  # fmt: skip
_slip("half_of_full", {"full attention"}, "Without a mask each of n positions looks at all n.", looks=lambda n, C, row: n * (n + 1) // 2)  # fmt: skip
_slip("input_not_counted", RECURRENT, "Each step looks at two things, its input and the state before: 2 n.", looks=lambda n, C, row: n)  # fmt: skip
_slip("pairs_for_recurrence", RECURRENT, "A recurrent layer does not look at all pairs: each step looks at its input and at one state.", looks=lambda n, C, row: n * n)  # fmt: skip
_slip("cell_forgotten", {"LSTM"}, "An LSTM keeps its cell and its hidden state: two numbers for each channel.", kept=lambda n, C, row: C)  # fmt: skip
_slip("cell_in_a_gru", {"GRU"}, "A GRU has no cell apart from its state: one number for each channel.", kept=lambda n, C, row: 2 * C)  # fmt: skip
_slip("keys_alone", {"causal attention"}, "A cache holds a key AND a value of each position: 2 n C.", kept=lambda n, C, row: n * C)  # fmt: skip
_slip("cache_of_nothing", {"causal attention"}, "Attention needs all that came before at each new step: a key and a value of each position.", kept=lambda n, C, row: 0)  # fmt: skip
_slip("full_attention_generates", {"full attention"}, "Full attention reads what is to be generated, so it does not generate step by step: write 'none'.", kept=lambda n, C, row: 2 * n * C)  # fmt: skip
_slip("state_of_one", {"state-space"}, "A state-space layer has N = 16 numbers of state for EACH channel.", kept=lambda n, C, row: C)  # fmt: skip
_slip(
    "state_without_channels", {"state-space"}, "16 numbers for each channel, so 16 C in all.", kept=lambda n, C, row: N
)
_slip("numerator_alone", {"RWKV"}, "RWKV keeps four numbers for each channel: the last input, numerator, denominator, and the largest exponent.", kept=lambda n, C, row: C)  # fmt: skip
_slip("last_input_forgotten", {"RWKV"}, "RWKV also keeps the last input, for its token shift: 4 C.", kept=lambda n, C, row: 3 * C)  # fmt: skip
_slip("kept_in_one_layer", {"CNN"}, "Each of the layers keeps its last two inputs: times the number of layers.", kept=lambda n, C, row: 2 * C)  # fmt: skip
_slip("one_head", {"xLSTM"}, "You counted one head. Four heads of C / 4 channels have matrices of C² / 4 numbers together, and four stabilisers.", kept=lambda n, C, row: C * C + C + 1)  # fmt: skip
_slip("none_as_zero", {"full attention"}, "Full attention cannot generate step by step at all: write 'none', not 0.", kept=lambda n, C, row: 0)  # fmt: skip
_slip("ratio_of_two", {"RWKV"}, "Besides numerator and denominator, RWKV keeps the last input and the largest exponent: 4 C.", kept=lambda n, C, row: 2 * C)  # fmt: skip
_slip("one_big_matrix", {"xLSTM"}, "With four heads there are four small matrices of (C / 4)², a normaliser of C numbers, and four stabilisers.", kept=lambda n, C, row: C * C)  # fmt: skip
_slip("matrices_alone", {"xLSTM"}, "Beside its matrices an mLSTM keeps a normaliser, C numbers, and a stabiliser for each head.", kept=lambda n, C, row: C * C // H)  # fmt: skip
_slip("one_stabiliser", {"xLSTM"}, "Each of the four heads has a stabiliser of its own: four numbers, not one.", kept=lambda n, C, row: C * C // H + C + 1)  # fmt: skip
_slip("one_number_per_layer", CONVOLUTIONS, "Each layer keeps the last (K − 1) · dilation inputs, of C numbers each. You kept one input for each layer.", kept=lambda n, C, row: row["path"] * C)  # fmt: skip
_slip("one_number_per_dilated_layer", {"dilated CNN"}, "A layer with a gap keeps all inputs in it, too, for the positions to come: (K − 1) · dilation of them, not one.", kept=lambda n, C, row: row["path"] * C)  # fmt: skip
_slip("window_of_one_layer", CONVOLUTIONS, "Each layer keeps the inputs that its kernel still needs: (K − 1) · dilation of them. Add up all layers.", kept=lambda n, C, row: 2 * C)  # fmt: skip
_slip("convolutions_keep_nothing", CONVOLUTIONS, "A convolution that goes on with the next position needs the last (K − 1) · dilation inputs of each layer.", kept=lambda n, C, row: 0)  # fmt: skip
_slip("rnn_has_gates", {"plain RNN"}, "A plain RNN has no gate: every step multiplies by the same matrix, and the influence fades (or explodes).", limit=lambda n, C, row: "gate")  # fmt: skip
_slip("rnn_decays", {"plain RNN"}, "A plain RNN has no number of its own for the decay: each step multiplies by the same matrix, and by the slope of tanh. That is called fade here.", limit=lambda n, C, row: "decay")  # fmt: skip
_slip("gates_only_fade", {"LSTM", "GRU"}, "What decides in an LSTM and a GRU is the gate: open, it keeps for hundreds of steps.", limit=lambda n, C, row: "fade")  # fmt: skip
_slip("lstm_only_fades", {"LSTM"}, "The cell of an LSTM is multiplied by the forget gate, which the input chooses: a gate.", limit=lambda n, C, row: "fade")  # fmt: skip
_slip("gru_only_fades", {"GRU"}, "The state of a GRU is multiplied by its update gate, which the input chooses: a gate.", limit=lambda n, C, row: "fade")  # fmt: skip
_slip("rwkv_has_gates", {"RWKV"}, "The decays of RWKV-4 are learned, but they do not depend on the input: they are no gates.", limit=lambda n, C, row: "gate")  # fmt: skip
_slip("selection_forgotten", {"state-space"}, "In a SELECTIVE state-space layer the step size is made from the input, so the decay is a gate.", limit=lambda n, C, row: "decay")  # fmt: skip
_slip("xlstm_decays", {"xLSTM"}, "The forget gate of an mLSTM is made from the input: a gate.", limit=lambda n, C, row: "decay")  # fmt: skip
_slip("attention_has_a_field", {"causal attention", "full attention"}, "Within its input attention sees every position. What limits it is the cost.", limit=lambda n, C, row: "field")  # fmt: skip
_slip("dilation_removes_the_field", {"dilated CNN"}, "Dilation widens the field. It still has an end.", limit=lambda n, C, row: "nothing")  # fmt: skip
