"""Exercises of lesson 06: the product of Jacobians, backpropagation through time, the gradient horizon, clipping, recall."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from utils.checking import Lesson, normal
from utils.checking.compare import shape_or_type
from utils.checking.declaration import Seen
from utils.models.recall import delayed_recall

lesson = Lesson("06", __name__)

# --- 6.1 the product of Jacobians -----------------------------------------------------------------------------------


def _chain(rng, T: int, H: int, gain: float = 1.0) -> tuple[Tensor, Tensor]:
    """Weights (H, H) and the states (T + 1, H) of a tanh layer that reads random inputs."""
    W_h = gain * normal(rng, H, H) / math.sqrt(H)
    states = [normal(rng, H).tanh()]
    for _ in range(T):
        states.append(torch.tanh(W_h @ states[-1] + 0.5 * normal(rng, H)))
    return W_h, torch.stack(states)


@lesson.exercise(
    points=2,
    hint="One factor for each step, diag(1 − h_t²) W_h, with the state that the step *made*. The factor of the last step stands on the left.",
)
def jacobian_product(W_h, states):
    """∂h_T / ∂h_0 of h_t = tanh(W_h h_{t−1} + …): (H, H) from W_h (H, H) and the states h_0 to h_T, (T + 1, H)."""
    product = torch.eye(len(W_h), dtype=W_h.dtype)
    for state in states[1:]:
        product = (1 - state**2)[:, None] * (W_h @ product)
    return product


@jacobian_product.cases
def _(rng):
    yield dict(W_h=torch.tensor([[2.0]]), states=torch.tensor([[0.0], [0.0]]))  # tanh' = 1: 2
    yield dict(W_h=torch.tensor([[2.0]]), states=torch.tensor([[0.0], [0.5]]))  # 2 · 0.75
    yield dict(W_h=torch.tensor([[2.0]]), states=torch.tensor([[0.5], [0.0]]))  # h_0 has no say
    yield dict(W_h=torch.tensor([[2.0]]), states=torch.zeros(4, 1))  # 2³
    yield dict(W_h=torch.tensor([[1.0, 2], [0, 1]]), states=torch.zeros(2, 2))
    yield dict(W_h=torch.tensor([[1.0, 2], [0, 1]]), states=torch.tensor([[0.0, 0], [0.5, 0]]))
    yield dict(W_h=torch.tensor([[1.0, 2], [0, 1]]), states=torch.tensor([[0.0, 0], [0.5, 0], [0, 0]]))
    for T, H in [(2, 3), (3, 2), (5, 4), (8, 3)]:
        yield _chain(rng, T, H)


def _rows(states: Tensor, slope=lambda h: 1 - h**2, first: int = 1, last: int | None = None) -> Tensor:
    """tanh' at each step: (T, H)."""
    return slope(states[first:last])


@jacobian_product.recipe
def _(
    W_h, states, slopes=_rows, factor=lambda slope, W: slope[:, None] * W,
    multiply=lambda product, factor: factor @ product, skip=0,
):  # fmt: skip
    product = torch.eye(len(W_h), dtype=W_h.dtype)
    for slope in slopes(states)[skip:]:
        product = multiply(product, factor(slope, W_h))
    return product


jacobian_product.slip("no_tanh", factor=lambda slope, W: W).says(
    "That is W_h to the power T: tanh' is missing. Each step also multiplies by diag(1 − h_t²)."
)
jacobian_product.slip("wrong_order", multiply=lambda product, factor: product @ factor).says(
    "The factors are in the wrong order. h_0 goes through step 1 first, so the factor of step 1 stands on the right, next to what it multiplies, and each later one is multiplied from the left."
)
jacobian_product.slip("transposed", factor=lambda slope, W: slope[:, None] * W.T).says(
    "W_h is transposed. Row i of ∂h_t/∂h_{t−1} belongs to unit i of h_t, as row i of W_h does."
)
jacobian_product.slip("slope_on_the_columns", factor=lambda slope, W: W * slope).says(
    "tanh' scales the columns of W_h. It belongs to the unit that comes *out*, so it scales the rows: diag(1 − h_t²) W_h, not W_h diag(1 − h_t²)."
)
jacobian_product.slip("state_before", slopes=lambda states: _rows(states, first=0, last=-1)).says(
    "You took tanh' from the state *before* each step. The tanh of step t made h_t, so its derivative is 1 − h_t²."
)
jacobian_product.slip("slope_of_the_state", slopes=lambda states: _rows(states, lambda h: 1 - h.tanh() ** 2)).says(
    "You took the tanh of the state once more: 1 − tanh(h)². The state is a tanh already, so the derivative is 1 − h²."
)
jacobian_product.slip("slope_not_squared", slopes=lambda states: _rows(states, lambda h: 1 - h)).says(
    "The derivative of tanh is 1 − tanh², so it is 1 − h², with a square."
)
jacobian_product.slip("one_factor_too_few", skip=1).says(
    "One factor is missing. From h_0 to h_T it is T steps, so there are T factors, one for each state but the first."
)
jacobian_product.slip("slope_as_a_matrix", factor=lambda slope, W: slope * torch.ones_like(W) @ W).says(
    "You multiplied by a full matrix. diag(v) has v on its diagonal and zeros elsewhere: torch.diag(v) @ W_h, or v[:, None] * W_h."
)


jacobian_product.slip("one_factor_too_many", slopes=lambda states: _rows(states, first=0)).says(
    "One factor too many: h_0 was made by no step. There is one for each state from h_1 on."
)


@jacobian_product.mistake(
    "This is the transpose, as backpropagation uses it. Asked is ∂h_T/∂h_0, whose row i belongs to unit i of h_T."
)
def jacobian_transposed(W_h, states):
    return jacobian_product.reference(W_h, states).T


@jacobian_product.mistake("The factors were added up. A chain of functions has the product of their derivatives.")
def factors_added(W_h, states):
    return sum((1 - state**2)[:, None] * W_h for state in states[1:])


@jacobian_product.mistake(
    "You multiplied element by element (*). These are matrices, so the factors are multiplied by @."
)
def elementwise(W_h, states):
    product = torch.ones_like(W_h)
    for state in states[1:]:
        product = product * ((1 - state**2)[:, None] * W_h)
    return product


# --- 6.2 backpropagation through time -------------------------------------------------------------------------------


@lesson.exercise(
    points=3,
    hint="Walk back from the last step. At each step: add the loss's own gradient to what came back, multiply by 1 − h_t², add the outer product with h_{t−1} to the sum, and send it back through W_hᵀ.",
)
def bptt(W_h, states, gradients):
    """∂L / ∂W_h (H, H), for W_h (H, H), states (T + 1, H) and gradients (T, H): what step t's own loss has by h_t."""
    W, states = W_h.double(), states.double()
    with torch.enable_grad():
        W = W.detach().clone().requires_grad_()
        inputs = states[1:].atanh() - states[:-1] @ W.detach().T  # what else went into each tanh
        state, loss = states[0], torch.zeros((), dtype=W.dtype)
        for x, gradient in zip(inputs, gradients.double(), strict=True):
            state = torch.tanh(W @ state + x)
            loss = loss + gradient @ state
        (found,) = torch.autograd.grad(loss, W)
    return found.to(W_h.dtype)


@bptt.cases
def _(rng):
    one = torch.tensor([[2.0]])
    yield dict(W_h=one, states=torch.tensor([[0.25], [0.0]]), gradients=torch.tensor([[1.0]]))  # 0.25
    yield dict(W_h=one, states=torch.tensor([[0.25], [0.5]]), gradients=torch.tensor([[4.0]]))  # 4 · 0.75 · 0.25
    yield dict(W_h=one, states=torch.tensor([[0.5], [0.25], [0.0]]), gradients=torch.tensor([[0.0], [1.0]]))
    yield dict(W_h=one, states=torch.tensor([[0.5], [0.25], [0.0]]), gradients=torch.tensor([[1.0], [0.0]]))
    yield dict(W_h=one, states=torch.tensor([[0.5], [0.25], [0.0]]), gradients=torch.tensor([[1.0], [1.0]]))
    yield dict(
        W_h=torch.tensor([[1.0, 2], [0, 1]]),
        states=torch.tensor([[0.5, 0], [0, 0]]),
        gradients=torch.tensor([[1.0, 2]]),
    )
    for T, H in [(2, 2), (3, 3), (5, 2), (6, 4)]:
        W_h, states = _chain(rng, T, H)
        yield W_h, states, normal(rng, T, H)


@bptt.recipe
def _(
    W_h, states, gradients, slope=lambda after, before: 1 - after**2, outer=torch.outer,
    earlier=lambda after, before: before, own=lambda gradients: gradients, back=lambda W, delta: W.T @ delta,
    join=lambda own, later, slope: (own + later) * slope, order=list, share=lambda total, T: total, far=1,
):  # fmt: skip
    total, later = torch.zeros_like(W_h), torch.zeros(len(W_h), dtype=W_h.dtype)
    steps = zip(own(gradients).flip(0), states[:-1].flip(0), states[1:].flip(0), strict=True)
    for gradient, before, after in order(steps):
        delta = join(gradient, later, slope(after, before))
        total = total + outer(delta, earlier(after, before))
        later = far * back(W_h, delta)
    return share(total, len(gradients))


bptt.slip("one_step_back", far=0).says(
    "Each loss went back one step only. h_{t−1} depends on W_h too, so send W_hᵀ δ_t further back, to the step before."
)
bptt.slip("own_gradients_lost", own=lambda g: torch.cat([0 * g[:-1], g[-1:]])).says(
    "Only the last loss counted. Each step may have a loss of its own: on the way back add its gradient to what comes from later."
)
bptt.slip("no_tanh", slope=lambda after, before: torch.ones_like(after)).says(
    "tanh' is missing: δ_t is what arrives at h_t, times 1 − h_t²."
)
bptt.slip("slope_of_the_state_before", slope=lambda after, before: 1 - before**2).says(
    "You took tanh' from the state before the step. The tanh of step t made h_t: 1 − h_t²."
)
bptt.slip("slope_of_the_state", slope=lambda after, before: 1 - after.tanh() ** 2).says(
    "You took the tanh of the state once more. The state is a tanh already: 1 − h_t²."
)
bptt.slip("not_transposed", back=lambda W, delta: W @ delta).says(
    "On the way back you multiplied by W_h. The way back is transposed: W_h.T @ delta."
)
bptt.slip("gradient_transposed", outer=lambda delta, state: torch.outer(state, delta)).says(
    "The gradient is transposed. W_h[i, j] leads from unit j to unit i, so its entry is δ[i] · h_{t−1}[j]."
)
bptt.slip("state_after", earlier=lambda after, before: after).says(
    "You took the outer product with h_t. W_h multiplied the state *before*: h_{t−1}."
)
bptt.slip("mean_over_steps", share=lambda total, T: total / T).says(
    "You took the mean over the steps. The same W_h is used at each of them, so their contributions add up."
)
bptt.slip("slope_skipped_on_the_way", back=lambda W, delta: delta).says(
    "What goes back to the step before did not pass through W_h. It is W_h.T @ delta."
)


bptt.slip("walked_forwards", order=lambda steps: list(steps)[::-1]).says(
    "You walked from the first step to the last. What comes from later steps is known only if you begin with the last one."
)
bptt.slip("first_step_left_out", order=lambda steps: list(steps)[:-1]).says(
    "You stopped one step too early. The first step, from h_0 to h_1, uses W_h as well."
)
bptt.slip("own_gradient_past_the_tanh", join=lambda own, later, slope: own + later * slope).says(
    "A step's own gradient skipped the tanh. It is added to what comes from later steps *before* both pass the tanh."
)


@bptt.mistake(
    "You sent back what arrived at h_t, and left out tanh' on the way. It must pass the tanh first: W_h.T @ delta, with the same delta as in the outer product."
)
def tanh_passed_once(W_h, states, gradients):
    total, later = torch.zeros_like(W_h), torch.zeros(len(W_h), dtype=W_h.dtype)
    for t in range(len(gradients), 0, -1):
        arrived = gradients[t - 1] + later
        total = total + torch.outer(arrived * (1 - states[t] ** 2), states[t - 1])
        later = W_h.T @ arrived
    return total


@bptt.mistake(
    "Only the first step's contribution is there. W_h is used at every step: add up the outer products of all of them."
)
def last_contribution_only(W_h, states, gradients):
    later = torch.zeros(len(W_h), dtype=W_h.dtype)
    for t in range(len(gradients), 0, -1):
        delta = (gradients[t - 1] + later) * (1 - states[t] ** 2)
        total = torch.outer(delta, states[t - 1])
        later = W_h.T @ delta
    return total


# --- 6.3 the gradient horizon ---------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="Begin at the end: the product for a gap of k + 1 is the one for k, times the factor of one step earlier, from the right. Stop at the first gap whose largest singular value is below the share.",
)
def gradient_horizon(W_h, states, share):
    """The first gap k with ‖∂h_T/∂h_{T−k}‖₂ < share, for W_h (H, H) and states (T + 1, H); T + 1 if there is none."""
    product = torch.eye(len(W_h), dtype=torch.float64)
    for gap, state in enumerate(states[1:].double().flip(0), start=1):
        product = product @ ((1 - state**2)[:, None] * W_h.double())
        if torch.linalg.matrix_norm(product, 2) < share:
            return gap
    return len(states)


def _clear(W_h, states, share) -> bool:
    """Whether no norm lies so near the share that rounding could decide."""
    product = torch.eye(len(W_h), dtype=torch.float64)
    for state in states[1:].double().flip(0):
        product = product @ ((1 - state**2)[:, None] * W_h.double())
        if abs(torch.linalg.matrix_norm(product, 2).item() / share - 1) < 1e-3:
            return False
    return True


@gradient_horizon.cases
def _(rng):
    half, zeros = torch.tensor([[0.5]]), torch.zeros(6, 1)
    yield dict(W_h=half, states=zeros, share=0.3)  # 0.5, 0.25
    yield dict(W_h=half, states=zeros, share=0.01)  # never in 5 steps: 6
    yield dict(W_h=half, states=zeros, share=0.25)  # reached at 2, below at 3
    last = torch.tensor([[0.0], [0.0], [0.0], [0.9]])  # the end of the chain is what counts
    yield dict(W_h=torch.tensor([[1.0]]), states=last, share=0.5)  # 0.19 at once
    yield dict(W_h=torch.tensor([[1.0]]), states=last.flip(0), share=0.5)  # h_0 has no say: never
    yield dict(W_h=torch.tensor([[2.0]]), states=last, share=0.5)  # below it at once, and above it again later
    grows = torch.tensor([[0.5, 4], [0, 0.5]])  # grows before it decays
    yield dict(W_h=grows, states=torch.zeros(9, 2), share=0.2)
    yield dict(W_h=0.6 * torch.eye(4), states=torch.zeros(8, 4), share=0.5)  # two norms differ
    yield dict(W_h=torch.full((2, 2), 0.4), states=torch.zeros(7, 2), share=0.5)  # 0.8, 0.64, 0.51, 0.41; entries 0.4
    both = torch.tensor([[0.0, 1], [0, 1]])  # here the order of the factors decides: 3, and not 2
    yield dict(W_h=both, states=torch.tensor([[0.0, 0], [0.9, 0.9], [0.9, 0], [0, 0.9]]), share=0.5)
    yield dict(
        W_h=torch.tensor([[0.3, 1], [0, 0.1]]), states=torch.tensor([[0.0, 0], [0, 0], [0.9, 0], [0, 0.5]]), share=0.4
    )
    drawn = 0
    while drawn < 5:
        H = int(rng.integers(2, 5))
        W_h, states = _chain(rng, 14, H, 0.8)
        case = W_h, states, float(rng.choice([0.02, 0.1, 0.3]))
        if _clear(*case):
            drawn += 1
            yield case


def _spectral(product: Tensor) -> Tensor:
    return torch.linalg.matrix_norm(product, 2)


@gradient_horizon.recipe
def _(
    W_h, states, share, slope=lambda h: 1 - h**2, walk=lambda states: states[1:].flip(0), norm=_spectral,
    multiply=torch.matmul, below=lambda norm, share: norm < share, count=0, never=lambda T: T + 1,
):  # fmt: skip
    product = torch.eye(len(W_h), dtype=torch.float64)
    for gap, state in enumerate(walk(states.double()), start=1):
        product = multiply(product, slope(state)[:, None] * W_h.double())
        if below(norm(product), share):
            return gap + count
    return never(len(states) - 1)


gradient_horizon.slip("from_the_start", walk=lambda s: s[1:], multiply=lambda p, f: f @ p).says(
    "You measured ∂h_k/∂h_0, away from the first state. Asked is ∂h_T/∂h_{T−k}: begin with the *last* step and go back."
)
gradient_horizon.slip("frobenius", norm=lambda p: p.norm()).says(
    "You took the Frobenius norm (torch.norm's default). Asked is the largest singular value: torch.linalg.matrix_norm(J, 2)."
)
gradient_horizon.slip("reached_counts", below=lambda n, s: n <= s * (1 + 1e-9)).says(
    "Where the norm is exactly the share, it is not *below* it yet. Compare with <."
)
gradient_horizon.slip("one_too_small", count=-1).says(
    "One too small: you returned the last gap that is still above the share, or counted gaps from 0. Asked is the first one below."
)
gradient_horizon.slip("no_tanh", slope=torch.ones_like).says(
    "That is the horizon of the powers of W_h. tanh' is missing: each step back multiplies by diag(1 − h²) W_h."
)
gradient_horizon.slip("state_before", walk=lambda s: s[:-1].flip(0)).says(
    "You took tanh' from the state before each step. The tanh of step t made h_t."
)
gradient_horizon.slip("wrong_order", multiply=lambda p, f: f @ p).says(
    "The factors are in the wrong order. Going back, each earlier step is multiplied from the *right*."
)
gradient_horizon.slip("never_is_the_end", never=lambda T: T).says(
    "Where the norm never falls below the share, return T + 1: T would say that it does so at the last step."
)
gradient_horizon.slip("each_factor_alone", multiply=lambda p, f: f).says(
    "You looked at each factor on its own. What counts is their product from the end up to there."
)
gradient_horizon.slip("largest_entry", norm=lambda p: p.abs().max()).says(
    "You took the largest number in the Jacobian. Many small ones add up: asked is the largest singular value, torch.linalg.matrix_norm(J, 2)."
)
gradient_horizon.slip("spectral_radius", norm=lambda p: torch.linalg.eigvals(p).abs().max()).says(
    "You took the largest eigenvalue. How much a vector can grow is said by the largest singular value: torch.linalg.matrix_norm(J, 2)."
)


# --- 6.4 clipping ---------------------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    returns=("clipped", "norm"),
    hint="One norm for all tensors together: the root of the sum of all squares. If it is larger than the limit, multiply every tensor by limit / norm; otherwise leave them as they are.",
)
def clip_by_norm(gradients, limit):
    """Tensors whose norm, all together, is at most `limit`, in the same direction; and the norm before."""
    weights = [torch.zeros_like(gradient) for gradient in gradients]
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad = gradient.clone()
    norm = clip_grad_norm_(weights, limit)
    return [weight.grad for weight in weights], norm.item()


@clip_by_norm.cases
def _(rng):
    yield dict(gradients=[torch.tensor([3.0, 4.0])], limit=1.0)
    yield dict(gradients=[torch.tensor([3.0, 4.0])], limit=10.0)  # short enough
    yield dict(gradients=[torch.tensor([0.6, -8.0])], limit=2.0)
    yield dict(gradients=[torch.tensor([3.0]), torch.tensor([[4.0]])], limit=2.5)  # together 5, each alone 3 and 4
    yield dict(gradients=[torch.tensor([2.0]), torch.tensor([2.0, 2, 2])], limit=3.0)
    yield dict(gradients=[torch.zeros(2)], limit=1.0)
    for limit in (0.5, 1.0, 3.0, 100.0):
        yield [normal(rng, 2, 3), 3 * normal(rng, 4), normal(rng, 1)], limit


def _together(gradients) -> Tensor:
    return torch.cat([gradient.flatten() for gradient in gradients]).norm()


@clip_by_norm.recipe
def _(
    gradients, limit, norm=_together, factor=lambda limit, norm: min(1.0, (limit / (norm + 1e-6)).item()),
    scale=lambda gradient, factor, limit: gradient * factor, said=lambda before, clipped: before,
):  # fmt: skip
    before = norm(gradients)
    clipped = [scale(gradient, factor(limit, before), limit) for gradient in gradients]
    return clipped, said(before, clipped).item()


clip_by_norm.slip("by_value", scale=lambda g, factor, limit: g.clamp(-limit, limit)).says(
    "You cut each number at the limit: that is clipping by value, and it turns the gradient. Multiply all of them by one factor."
)
clip_by_norm.slip("each_tensor_alone", scale=lambda g, f, limit: g * min(1.0, limit / (g.norm().item() + 1e-6))).says(
    "You clipped each tensor by its own norm, which changes the direction of the whole. The norm is that of all tensors together."
)
clip_by_norm.slip("always_the_limit", factor=lambda limit, norm: (limit / (norm + 1e-6)).item()).says(
    "You made every gradient as long as the limit. One that is shorter stays as it is."
)
clip_by_norm.slip("to_norm_one", factor=lambda limit, n: (1 / (n + 1e-6)).item() if n > limit else 1.0).says(
    "You shortened to a norm of 1. The norm afterwards is the limit: multiply by limit / norm."
)
clip_by_norm.slip("never_clipped", factor=lambda limit, norm: 1.0).says(
    "Nothing was shortened. Where the norm is above the limit, multiply by limit / norm."
)
clip_by_norm.slip("norms_added", norm=lambda gradients: sum(g.norm() for g in gradients)).says(
    "You added up the norms of the tensors. The norm of all together is the root of the sum of their *squares*."
)
clip_by_norm.slip("no_root", norm=lambda gradients: _together(gradients) ** 2).says(
    "The root is missing: you compared the sum of squares with the limit."
)
clip_by_norm.slip("largest_number", norm=lambda gradients: torch.stack([g.abs().max() for g in gradients]).max()).says(
    "You took the largest number for the norm. The norm is the root of the sum of squares."
)
clip_by_norm.slip("norm_after", said=lambda before, clipped: _together(clipped)).says(
    "You returned the norm after clipping. The one before says how often the limit is needed."
)
clip_by_norm.slip("factor_upside_down", factor=lambda limit, n: (n / limit).item() if n > limit else 1.0).says(
    "The factor is upside down: you made a long gradient longer. It is limit / norm."
)


@clip_by_norm.finding
def _(value, gradients, limit):
    clipped = value[0] if isinstance(value, tuple | list) and len(value) == 2 else None
    missing = isinstance(clipped, list | tuple) and any(isinstance(g, Tensor) and g.isnan().any() for g in clipped)
    return "There is nan among the gradients: 0 / 0, where all of them are zero." if missing else None


# --- 6.5 a batch of delayed recall ----------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    compare=False,
    hint="Draw the labels, (count,), from 0 to symbols − 1, and the fillers, (count, gap), from symbols to symbols + fillers − 1. Put the labels in front as a column.",
)
def recall_batch(count, gap, symbols, fillers):
    """Tokens (count, gap + 1) and labels (count,): a symbol first, which is the label, then `gap` fillers."""
    return delayed_recall(count, gap, int(torch.randint(2**31, ())), symbols, fillers)


@recall_batch.cases
def _(rng):
    yield dict(count=200, gap=1, symbols=3, fillers=5)
    yield dict(count=200, gap=3, symbols=3, fillers=6)
    yield dict(count=200, gap=2, symbols=4, fillers=3)
    for _ in range(3):
        yield 300, int(rng.integers(4, 9)), int(rng.integers(2, 5)), int(rng.integers(3, 6))


@recall_batch.ask
def _(answer, *case):
    """The batch of one call, and whether a second call gives the same labels."""
    batch, other = answer(*case), answer(*case)
    again = _is_pair(batch) and _is_pair(other) and torch.equal(batch[1], other[1])
    return {"batch": batch, "again": again}


def _is_pair(batch) -> bool:
    return isinstance(batch, tuple | list) and len(batch) == 2 and all(isinstance(part, Tensor) for part in batch)


@recall_batch.recipe
def _(
    count, gap, symbols, fillers, length=0, low=lambda symbols: symbols, high=lambda symbols, fillers: symbols + fillers,
    first=lambda labels: labels, rest=lambda fillers, labels, low: fillers, join=lambda first, rest: (first, rest),
    label=lambda labels, symbols: labels, tokens=lambda tokens: tokens,
):  # fmt: skip
    labels = first(torch.randint(symbols, (count,)))
    drawn = torch.randint(low(symbols), high(symbols, fillers), (count, gap + length))
    batch = torch.cat(join(labels[:, None], rest(drawn, labels, symbols)), 1)
    return tokens(batch), label(labels, symbols)


@recall_batch.finding
def _(value, count, gap, symbols, fillers):
    if _is_pair(value["batch"]):
        return None
    return f"Expected a pair of tensors, tokens and labels; got {shape_or_type(value['batch'])}."


def _shaped(shape) -> Seen:
    """Tokens of another shape: `shape(count, gap)`, or any with so many axes."""

    def seen(value, count, gap, *_) -> str | None:
        found = tuple(value["batch"][0].shape)
        wanted = shape(count, gap) if callable(shape) else None
        wrong = found == wanted if wanted else len(found) == shape
        return f"Expected tokens of shape {(count, gap + 1)}, got {found}." if wrong else None

    return seen


recall_batch.slip(
    "batch_and_time_swapped", tokens=lambda tokens: tokens.T, seen=_shaped(lambda count, gap: (gap + 1, count))
).says("Batch and time are swapped: one row for each sequence.")
recall_batch.slip("one_token_too_few", length=-1, seen=_shaped(lambda count, gap: (count, gap))).says(
    "The gap counts the fillers. With the symbol before them a sequence has gap + 1 tokens."
)
recall_batch.slip("one_token_too_many", length=1, seen=_shaped(lambda count, gap: (count, gap + 2))).says(
    "There is a filler too many: after the symbol come exactly `gap` of them."
)
recall_batch.slip("one_hot", tokens=lambda tokens: F.one_hot(tokens), seen=_shaped(3)).says(
    "Return the tokens as whole numbers. Whoever reads them makes one-hot vectors of them."
)


@recall_batch.finding
def _(value, count, gap, symbols, fillers):
    tokens, labels = value["batch"]
    for name, part, shape in (("tokens", tokens, (count, gap + 1)), ("labels", labels, (count,))):
        if part.shape != shape:
            return f"Expected {name} of shape {shape}, got {tuple(part.shape)}."
        if part.dtype != torch.int64:
            return f"The {name} are {str(part.dtype).removeprefix('torch.')}. Asked for are whole numbers, int64."
    return None


def _seen(look) -> Seen:
    """`look(first, rest, labels, symbols, fillers)` at the columns: the first token (count,), the others (count, gap)."""

    def seen(value, count, gap, symbols, fillers) -> str | None:
        tokens, labels = value["batch"]
        return look(tokens[:, 0], tokens[:, 1:], labels, symbols, fillers)

    return seen


@_seen
def _label_at_the_end(first, rest, labels, symbols, fillers):
    last = (rest[:, -1] == labels).all() and (first != labels).any()
    return "The label stands at the end of each sequence, and not at its start." if last else None


@_seen
def _label_elsewhere(first, rest, labels, symbols, fillers):
    wrong = int((first != labels).sum())
    return f"In {wrong} of {len(labels)} sequences the label is not the first token." if wrong else None


@_seen
def _fillers_from_zero(first, rest, labels, symbols, fillers):
    low = int(rest.min()) == 0 and int(rest.max()) < fillers
    return f"The fillers are drawn from 0 to {fillers - 1}." if low else None


@_seen
def _symbol_in_the_gap(first, rest, labels, symbols, fillers):
    inside = int((rest < symbols).any(1).sum())
    return f"In {inside} of {len(labels)} sequences a symbol stands in the gap." if inside else None


@_seen
def _told_by_the_gap(first, rest, labels, symbols, fillers):
    for place, column in enumerate(rest.T, start=1):
        of_label = [set(column[labels == label].tolist()) for label in labels.unique()]
        if len(of_label) > 1 and sum(map(len, of_label)) == len(set().union(*of_label)):
            return f"The filler at place {place} tells the label."
    return None


@_seen
def _last_one_missing(first, rest, labels, symbols, fillers):
    last, varied = symbols + fillers - 1, (rest != rest[0]).any()
    return f"Token {last} never occurs." if int(rest.max()) == last - 1 and varied else None


@_seen
def _last_symbol_missing(first, rest, labels, symbols, fillers):
    return f"Symbol {symbols - 1} never occurs." if symbols > 2 and int(labels.max()) == symbols - 2 else None


@_seen
def _fillers_end_too_early(first, rest, labels, symbols, fillers):
    early = int(rest.min()) == symbols and int(rest.max()) == fillers - 1
    return f"The fillers are drawn from {symbols} to {fillers - 1}." if early else None


@_seen
def _same_in_every_row(first, rest, labels, symbols, fillers):
    return "The fillers are the same in every sequence." if (rest == rest[0]).all() else None


@_seen
def _same_along_the_row(first, rest, labels, symbols, fillers):
    same = rest.shape[1] > 1 and (rest == rest[:, :1]).all()
    return "Within a sequence all fillers are the same." if same else None


@_seen
def _same_symbol(first, rest, labels, symbols, fillers):
    return "All sequences have the same label." if (labels == labels[0]).all() else None


recall_batch.slip("symbol_at_the_end", join=lambda first, rest: (rest, first), seen=_label_at_the_end).says(
    "The symbol comes last, right where the question is asked: nothing has to be remembered. It comes first."
)
recall_batch.slip(
    "labels_drawn_again", label=lambda labels, symbols: torch.randint(symbols, labels.shape), seen=_label_elsewhere
).says("The label is what has to be recalled: the first token. Draw the symbols once, and use them twice.")
recall_batch.slip(
    "fillers_from_zero", low=lambda s: 0, high=lambda symbols, fillers: fillers, seen=_fillers_from_zero
).says("These are numbers of symbols. The fillers come after them: from symbols to symbols + fillers − 1.")
recall_batch.slip("symbols_in_the_gap", low=lambda symbols: 0, seen=_symbol_in_the_gap).says(
    "Nothing in the gap may look like an answer: draw the fillers from `symbols` on, and not from 0."
)
recall_batch.slip(
    "fillers_tell_the_symbol",
    rest=lambda drawn, labels, low: low + labels[:, None] % 3 + 0 * drawn,
    seen=_told_by_the_gap,
).says(
    "The gap repeats what it should hide: symbols and fillers came from the same numbers, as with one seed for both. Draw them one after the other."
)
recall_batch.wrong(
    "last_symbol_missing",
    lambda count, gap, symbols, fillers: (
        (labels := torch.randint(max(symbols - 1, 1), (count,))),
        torch.cat([labels[:, None], torch.randint(symbols, symbols + fillers, (count, gap))], 1),
    )[::-1],
    seen=_last_symbol_missing,
).says("The last symbol is never drawn. torch.randint leaves out its upper bound: that bound is `symbols`.")
recall_batch.slip(
    "fillers_end_too_early",
    high=lambda symbols, fillers: max(fillers, symbols + 1),
    seen=_fillers_end_too_early,
).says("The upper bound is symbols + fillers. You left out the symbols that come before the fillers.")
recall_batch.slip(
    "last_filler_missing", high=lambda symbols, fillers: symbols + fillers - 1, seen=_last_one_missing
).says("The last filler is never drawn. torch.randint leaves out its upper bound: that bound is symbols + fillers.")
recall_batch.slip(
    "same_fillers_in_every_row",
    rest=lambda drawn, labels, low: drawn[:1].expand(len(drawn), -1),
    seen=_same_in_every_row,
).says("The fillers were drawn once for all sequences. Draw (count, gap) of them.")
recall_batch.slip(
    "one_filler_per_row",
    rest=lambda drawn, labels, low: drawn[:, :1].expand(-1, drawn.shape[1]),
    seen=_same_along_the_row,
).says("One filler was drawn for each sequence and repeated. Draw (count, gap) of them.")
recall_batch.slip(
    "same_symbol_in_every_row", first=lambda labels: labels[:1].expand(len(labels)), seen=_same_symbol
).says("One symbol was drawn for the whole batch: there is nothing to tell apart. Draw `count` of them.")


@recall_batch.finding
@_seen
def _(first, rest, labels, symbols, fillers):
    never = sorted(
        {*range(symbols)} - {*first.tolist()} | {*range(symbols, symbols + fillers)} - {*rest.unique().tolist()}
    )
    if never:
        return f"In {len(labels)} sequences these tokens never occur where they belong: {never}."
    if int(first.min()) < 0 or int(first.max()) >= symbols or int(rest.max()) >= symbols + fillers:
        return f"Symbols are 0 to {symbols - 1} and fillers {symbols} to {symbols + fillers - 1}; there are others."
    share = torch.bincount(first, minlength=symbols) / len(first)
    if (share - 1 / symbols).abs().max() > 6 / math.sqrt(symbols * len(first)):
        return "Some symbols come far more often than others. Draw each with the same probability."
    return None


@recall_batch.finding
def _(value, count, gap, symbols, fillers):
    if value["again"]:
        return (
            "Two calls in a row give the same labels in the same order. Draw them afresh, without a seed of your own."
        )
    return None
