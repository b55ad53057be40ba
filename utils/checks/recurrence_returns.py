"""Exercises of lesson 12: a scan in rounds, a selective step, RWKV's mean, a step of an mLSTM, what must be kept."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from utils.checking import Lesson, normal, uniform

lesson = Lesson("12", __name__)

# --- 12.1 a scan in rounds ------------------------------------------------------------------------------------------


@lesson.exercise(
    points=3,
    hint="A stretch of steps is a pair (A, B): it takes h to A h + B. In each round every place joins its stretch with the one that ends just before it, `shift` places to the left; then shift doubles.",
)
def scan_rounds(a, b):
    """h_t = a_t h_{t−1} + b_t for a and b (T,), by doubling: the (T,) numbers B after each round, as a list."""
    A, B, shift, rounds = a, b, 1, []
    while shift < len(a):
        earlier_A, earlier_B = (F.pad(part[:-shift], (shift, 0), value=none) for part, none in ((A, 1.0), (B, 0.0)))
        A, B, shift = A * earlier_A, A * earlier_B + B, 2 * shift
        rounds.append(B)
    return rounds


@scan_rounds.cases
def _(rng):
    for a, b in (([0.5, 0.5], [4, 1]), ([0.5, 2, 0.5], [4, 1, 8]), ([2.0] * 4, [1, 0, 0, 0]), ([1.0] * 5, [1] * 5)):
        yield torch.tensor(a), torch.tensor(b).float()
    yield torch.tensor([3.0]), torch.tensor([2.0])  # nothing to join
    for T in (6, 8, 9, 13, 16, 17):
        yield uniform(rng, T), normal(rng, T)


@scan_rounds.recipe
def _(
    a, b,
    join_A=lambda A, early: A * early, join_B=lambda A, early_A, B, early_B: A * early_B + B, begin=1,
    grow=lambda shift: 2 * shift, more=lambda shift, T: shift < T, kept=True, give=lambda rounds, b: rounds,
):  # fmt: skip
    A, B, shift, rounds = a, b, begin, []
    while more(shift, len(a)) and len(rounds) < len(a):
        early_A, early_B, A_here, B_here = A[:-shift], B[:-shift], A[shift:], B[shift:]
        B = torch.cat([B[:shift], join_B(A_here, early_A, B_here, early_B)])
        A = torch.cat([A[:shift], join_A(A_here, early_A)]) if kept else A
        shift = grow(shift)
        rounds.append(B)
    return give(rounds, b)


scan_rounds.slip("decays_not_joined", kept=False).says(
    "You joined the B and left the decays as they were. A stretch of two has two decays: A times the A of the earlier one."
)
scan_rounds.slip("shift_grows_by_one", grow=lambda shift: shift + 1).says(
    "Your shift grows by 1. After a round each place covers twice as many steps, so the stretch before it ends twice as far away: shifts 1, 2, 4, 8."
)
scan_rounds.slip("shift_stays", grow=lambda shift: shift).says(
    "Your shift stays 1. Each place has then joined the same neighbour again, and some steps count twice: double it."
)
scan_rounds.slip("earlier_decay_taken", join_B=lambda A, early_A, B, early_B: early_A * early_B + B).says(
    "You multiplied the earlier B by its own decays. It has those already. What it has gathered passes through the LATER stretch: A times it."
)
scan_rounds.slip("wrong_order", join_B=lambda A, early_A, B, early_B: early_A * B + early_B).says(
    "You joined in the wrong order: the later stretch works on what the earlier one has left, A · (earlier B) + B."
)
scan_rounds.slip("nothing_decays", join_B=lambda A, early_A, B, early_B: early_B + B).says(
    "You added the two B. On its way through the later stretch, the earlier one decays by A."
)
scan_rounds.slip("decays_added", join_A=lambda A, early: A + early).says(
    "You added the decays. One after the other they multiply."
)
scan_rounds.slip("last_round_missing", more=lambda shift, T: 2 * shift <= T).says(
    "The last round is missing where T is no power of two. Go on while shift < T: T = 3 takes two rounds."
)
scan_rounds.slip("last_states_alone", give=lambda rounds, b: rounds[-1] if rounds else b).says(
    "You returned the final states. Asked for is a list with the B of each round; the final states are its last entry."
)
scan_rounds.slip("input_counted_as_a_round", give=lambda rounds, b: [b, *rounds]).says(
    "Your list begins with b itself. It holds what is there after each round, so for T = 2 it has one entry."
)


scan_rounds.slip("rounds_overwritten", give=lambda rounds, b: rounds[-1:] * len(rounds)).says(
    "All your rounds are the same tensor, which each round overwrites. Make a new one each time, or append B.clone()."
)


@scan_rounds.mistake(
    "You overwrote A first, and then used the new A for B. Within a round everything is made of the old values: compute both, then assign."
)
def decay_updated_first(a, b):
    A, B, shift, rounds = a, b, 1, []
    while shift < len(a):
        A = torch.cat([A[:shift], A[shift:] * A[:-shift]])
        B = torch.cat([B[:shift], A[shift:] * B[:-shift] + B[shift:]])
        shift *= 2
        rounds.append(B)
    return rounds


@scan_rounds.mistake(
    "You went through the places from left to right and wrote into the list that you read from, so that later places saw new values. Read from a copy."
)
def read_what_was_just_written(a, b):
    A, B, shift, rounds = a.clone(), b.clone(), 1, []
    while shift < len(a):
        for t in range(shift, len(a)):
            A[t], B[t] = A[t] * A[t - shift], A[t] * B[t - shift] + B[t]
        shift *= 2
        rounds.append(B.clone())
    return rounds


@scan_rounds.mistake(
    "The last places came round to the front, as torch.roll does. Places t < shift reach back to the beginning already: they stay as they are."
)
def rolled_around(a, b):
    A, B, shift, rounds = a, b, 1, []
    while shift < len(a):
        A, B = A * A.roll(shift), A * B.roll(shift) + B
        shift *= 2
        rounds.append(B)
    return rounds


# --- 12.2 a selective step ------------------------------------------------------------------------------------------


@lesson.exercise(
    points=3,
    returns=("y", "h"),
    hint="First what the input decides: Δ (one number for each channel, softplus), B and C (N numbers each). Then decay and write the (C, N) state, and read it with C.",
)
def selective_step(x, h, A, W_delta, b_delta, W_B, W_C, D):
    """One step: x (C,), h and A (C, N), W_delta (C, C), b_delta (C,), W_B and W_C (N, C), D (C,); y (C,), h (C, N)."""
    delta = F.softplus(W_delta @ x + b_delta)
    h = torch.exp(torch.einsum("c,cn->cn", delta, A)) * h + torch.outer(delta * x, W_B @ x)
    return torch.einsum("cn,n->c", h, W_C @ x) + D * x, h


@selective_step.cases
def _(rng):
    one, zero = torch.ones(1), torch.zeros(1)
    for x, h, A, b, D in ((0, 1, -1, 0, 0), (1, 0, -1, 0, 0), (1, 1, -1, 0, 0), (1, 0, -1, 2, 3), (-1, 1, -2, -1, 1)):
        yield dict(
            x=x * one, h=h * one[None], A=A * one[None], W_delta=zero[None], b_delta=b * one,
            W_B=one[None], W_C=2 * one[None], D=D * one,
        )  # fmt: skip
    for C, N in ((1, 2), (2, 1), (2, 2), (3, 2), (2, 3), (4, 4)):
        yield dict(
            x=normal(rng, C), h=normal(rng, C, N), A=-0.2 - uniform(rng, C, N), W_delta=normal(rng, C, C),
            b_delta=normal(rng, C), W_B=normal(rng, N, C), W_C=normal(rng, N, C), D=normal(rng, C),
        )  # fmt: skip


@selective_step.recipe
def _(
    x, h, A, W_delta, b_delta, W_B, W_C, D,
    positive=F.softplus, bias=1, decay=lambda delta, A: torch.exp(delta[:, None] * A), step=lambda delta: delta,
    source=lambda x: x, shown=lambda new, old: new, swap=False, skip=1, give=lambda y, h: (y, h),
):  # fmt: skip
    delta = positive(W_delta @ x + bias * b_delta)
    B, C = (W_C @ x, W_B @ x) if swap else (W_B @ x, W_C @ x)
    new = decay(delta, A) * h + (step(delta) * source(x))[:, None] * B
    return give(shown(new, h) @ C + skip * D * x, new)


selective_step.slip("no_softplus", positive=lambda s: s).says(
    "Δ is not made positive. Without softplus it can be negative, and exp(ΔA) larger than 1: the state grows."
)
selective_step.slip("sigmoid_for_softplus", positive=torch.sigmoid).says(
    "You took a sigmoid for Δ. It is a length of time, any number above 0: softplus, ln(1 + eˢ)."
)
selective_step.slip("exp_for_softplus", positive=torch.exp).says("You took exp for Δ. Here it is softplus, ln(1 + eˢ).")
selective_step.slip("bias_missing", bias=0).says("The bias b_delta is missing: Δ = softplus(W_delta x + b_delta).")
selective_step.slip("decay_without_exp", decay=lambda delta, A: delta[:, None] * A).says(
    "The decay is Δ A itself. A is negative, and what is kept is exp(Δ A), between 0 and 1."
)
selective_step.slip("decay_ignores_delta", decay=lambda delta, A: torch.exp(A).expand(len(delta), -1)).says(
    "Your decay is exp(A), the same at each step. Δ decides how much time passes: exp(Δ A)."
)
selective_step.slip("sign_of_A", decay=lambda delta, A: torch.exp(-delta[:, None] * A)).says(
    "You put a minus before A. A is negative already, so exp(−ΔA) is larger than 1 and the state grows."
)
selective_step.slip("written_without_delta", step=lambda delta: 1.0).says(
    "Δ is missing where the step writes: Δ B x. A step that lets little time pass writes little, too."
)
selective_step.slip("written_without_x", source=lambda x: torch.ones_like(x)).says(
    "You wrote Δ B, without x. B says where to write, and x what."
)
selective_step.slip("old_state_read", shown=lambda new, old: old).says(
    "You read the old state. y comes from the new one, so update h first."
)
selective_step.slip("B_and_C_swapped", swap=True).says("B and C are swapped: B writes, and C reads.")
selective_step.slip("skip_missing", skip=0).says("The direct way D x is missing in y.")
selective_step.slip("state_first", give=lambda y, h: (h, y)).says("You returned h, y. The order is y, h.")


@selective_step.mistake("You read the new state and returned the old one. Return the state after this step.")
def old_state_returned(x, h, *weights):
    return selective_step.reference(x, h, *weights)[0], h


@selective_step.mistake(
    "You multiplied what is kept and what is written. The new state is their SUM: exp(Δ A) h + Δ B x."
)
def multiplied(x, h, A, W_delta, b_delta, W_B, W_C, D):
    delta = F.softplus(W_delta @ x + b_delta)[:, None]
    h = torch.exp(delta * A) * h * (delta * x[:, None] * (W_B @ x))
    return h @ (W_C @ x) + D * x, h


# --- 12.3 RWKV's mean -----------------------------------------------------------------------------------------------


@lesson.exercise(
    points={"small keys": 2, "large keys": 1},
    hint="For each step t gather the exponents of all weights: k_i minus (t − 1 − i) w for those before, u + k_t for its own. A mean whose weights are exponentials is a softmax.",
)
def wkv(k, v, w, u):
    """RWKV's mean: k and v (T, C), w > 0 and u (C,); the mean of v up to each step (T, C)."""
    T = len(k)
    steps = torch.arange(T)
    ago = (steps[:, None] - 1 - steps)[..., None]  # (T, T, 1): row t, column i
    exponents = torch.where(ago >= 0, k - ago * w, torch.where(ago == -1, k + u, -torch.inf))  # (T, T, C)
    return (exponents.softmax(1) * v).sum(1)


@wkv.cases
def _(rng):
    ln2 = math.log(2)
    for v, k, w, u in (
        ([8.0], [0.0], 1, 1), ([0.0, 8.0], [0.0, 0.0], ln2, 0), ([0.0, 8.0], [0.0, 0.0], 1, ln2),
        ([0.0, 8.0], [ln2, 0.0], 1, 0), ([8.0, 0.0, 0.0], [0.0] * 3, ln2, 0), ([8.0, 0.0, 0.0, 0.0], [0.0] * 4, ln2, ln2),
    ):  # fmt: skip
        yield torch.tensor(k)[:, None], torch.tensor(v)[:, None], torch.tensor([float(w)]), torch.tensor([float(u)])
    for T, C in ((3, 2), (5, 3), (8, 2), (12, 4)):
        yield normal(rng, T, C), normal(rng, T, C), 0.1 + uniform(rng, C), normal(rng, C)


@wkv.cases("large keys")
def _(rng):
    for size in (100, 400):
        for T in (2, 5, 9):
            yield size * normal(rng, T, 2), normal(rng, T, 2), 0.1 + uniform(rng, 2), normal(rng, 2)
    yield -300 + normal(rng, 6, 2), normal(rng, 6, 2), 0.1 + uniform(rng, 2), normal(rng, 2)


@wkv.recipe
def _(
    k, v, w, u,
    age=lambda ago: ago, sign=-1, own=lambda k, u: k + u, key=lambda k: k, join=torch.softmax, value=True,
    future=False, last=True,
):  # fmt: skip
    T = len(k)
    steps = torch.arange(T)
    ago = (steps[:, None] - 1 - steps)[..., None]
    past = key(k) + sign * age(ago) * w
    now = own(key(k), u).expand(T, *k.shape) if last else torch.full_like(past, -1e30)
    later = past if future else torch.full_like(past, -torch.inf)
    exponents = torch.where(ago >= 0, past, torch.where(ago == -1, now, later))
    return (join(exponents, 1) * (v if value else 1)).sum(1)


def _unsafe(exponents: Tensor, dim: int) -> Tensor:
    weights = exponents.exp()
    return weights / weights.sum(dim, keepdim=True)


wkv.slip("overflow", join=_unsafe).says(
    "Right for small keys. For large ones exp overflows (nan), and for very negative ones all weights are 0 / 0. Take the largest exponent of each mean away before exp, or use softmax."
)
wkv.slip("bonus_missing", own=lambda k, u: k).says(
    "The bonus u is missing, or all steps have it, which comes to the same: it cancels. The newest step alone weighs e^{u + k_t}."
)
wkv.slip("newest_faded", age=lambda ago: ago + 1).says(
    "Everything before fades one step too much. The step just before has weight e^{k_i}: it is t − 1 − i = 0 steps old."
)
wkv.slip("own_step_left_out", last=False).says(
    "The mean leaves the newest step out. It counts as well, with the weight e^{u + k_t}."
)
wkv.slip("nothing_fades", age=lambda ago: 0 * ago).says(
    "Nothing fades: the weight of step i falls by e^{−w} with every further step."
)
wkv.slip("grows_with_age", sign=1).says(
    "Older steps weigh more in yours. The sign of w is minus: e^{−(t−1−i) w + k_i}."
)
wkv.slip("keys_ignored", key=lambda k: 0 * k).says("The keys have no say. Each weight has the factor e^{k_i}.")
wkv.slip("not_divided", join=lambda exponents, dim: exponents.exp()).says(
    "You did not divide. It is a weighted MEAN: divide by the sum of the weights."
)
wkv.slip("weights_alone", value=False).says("That is a sum of the weights. Multiply each one by its v_i first.")
wkv.slip("future_seen", future=True).says(
    "Later steps have a weight in your mean. The sum runs over i < t, and the newest step t."
)


@wkv.mistake(
    "The newest step counts twice: once among those before and once with its bonus. Read the mean first, then add this step to the sums."
)
def newest_step_twice(k, v, w, u):
    steps = torch.arange(len(k))
    ago = (steps[:, None] - steps)[..., None]
    past = torch.where(ago >= 0, k - ago * w, -torch.inf)  # (T, T, C), the newest among them
    exponents = torch.cat([past, (k + u)[:, None]], 1)  # (T, T + 1, C)
    values = torch.cat([v.expand(len(k), -1, -1), v[:, None]], 1)
    return (exponents.softmax(1) * values).sum(1)


# --- 12.4 a step of an mLSTM ----------------------------------------------------------------------------------------


@lesson.exercise(
    points={"small gates": 2, "large gates": 1},
    returns=("h", "C", "n", "m"),
    hint="First the new m, the larger of ln σ(f) + m and i. Then both gates relative to it: exp(ln σ(f) + m − new m) and exp(i − new m). Then the matrix, the normaliser, and the answer to the query.",
)
def mlstm_step(q, k, v, i, f, C, n, m):
    """One head, one step: q, k, v, n (D,), C (D, D), numbers i, f, m; returns h (D,) and the new C, n, m."""
    new_m = torch.maximum(F.logsigmoid(f) + m, i)
    keep, write = (F.logsigmoid(f) + m - new_m).exp(), (i - new_m).exp()
    C, n = keep * C + write * torch.outer(v, k), keep * n + write * k
    return C @ q / torch.maximum((n @ q).abs(), (-new_m).exp()), C, n, new_m


def _mlstm_case(q, k, v, i, f, C, n, m):
    numbers = (torch.tensor(float(number)) for number in (i, f, m))
    i, f, m = numbers
    return dict(q=q, k=k, v=v, i=i, f=f, C=C, n=n, m=m)


@mlstm_step.cases
def _(rng):
    def numbers(*values):
        return torch.tensor([float(value) for value in values])

    one, none = numbers(1), torch.zeros(1)
    yield _mlstm_case(3 * one, one, 2 * one, 0, 0, none[None], none, -math.inf)  # an empty memory
    yield _mlstm_case(one, none, none, -9, 0, 6 * one[None], 2 * one, 0)  # nothing is written
    yield _mlstm_case(-one, one, 2 * one, 0, 0, one[None], 4 * one, 0)
    yield _mlstm_case(one / 4, one, 2 * one, 0, 0, none[None], none, 0)  # the 1 of the formula counts
    yield _mlstm_case(one / 4, one, 2 * one, 1, 1, none[None], none, 0.5)
    e, o = numbers(1, 0), numbers(0, 1)
    yield _mlstm_case(o, o, 3 * e, 0, 1, torch.zeros(2, 2), numbers(0, 0), 0)
    for D in (2, 2, 3, 4):
        q, k, v, n = normal(rng, 4, D)
        i, f, m = normal(rng, 3).tolist()
        yield _mlstm_case(2 * q, k, v, i, f, normal(rng, D, D), n, m)


@mlstm_step.cases("large gates")
def _(rng):
    for i, f, m in (
        (200, 0, 0),
        (200, 3, 205),
        (-200, 2, -190),
        (300, -200, 100),
        (-200, -150, 0),
        (-500, 1, -math.inf),
    ):
        D = 2
        C, n = (normal(rng, D, D), normal(rng, D)) if m > -math.inf else (torch.zeros(D, D), torch.zeros(D))
        yield _mlstm_case(normal(rng, D), normal(rng, D), normal(rng, D), i, f, C, n, m)


@mlstm_step.recipe
def _(
    q, k, v, i, f, C, n, m,
    log_f=F.logsigmoid, write=torch.exp, outer=lambda v, k: torch.outer(v, k), add=lambda k: k,
    size=lambda n, q, top: torch.maximum((n @ q).abs(), torch.exp(-top)), shown=lambda new, old: new,
    top=lambda kept, i: torch.maximum(kept, i), old_m=True, give=lambda h, C, n, m: (h, C, n, m),
):  # fmt: skip
    new_m = top(log_f(f) + m, i)
    keep, add_gate = torch.exp(log_f(f) + (m if old_m else 0) - new_m), write(i - new_m)
    new_C, new_n = keep * C + add_gate * outer(v, k), keep * n + add_gate * add(k)
    seen_C, seen_n = shown((new_C, new_n), (C, n))
    return give(seen_C @ q / size(seen_n, q, new_m), new_C, new_n, new_m)


mlstm_step.slip("key_and_value_turned", outer=lambda v, k: torch.outer(k, v)).says(
    "You stored k vᵀ. With C q the query has to meet the KEYS, so they belong to the columns: v kᵀ, torch.outer(v, k)."
)
mlstm_step.slip("one_instead_of_its_share", size=lambda n, q, top: (n @ q).abs().clamp(min=1)).says(
    "You took max(|n·q|, 1). Everything is stored times e^{−m}, so the 1 of the formula is e^{−m} here."
)
mlstm_step.slip("no_absolute_value", size=lambda n, q, top: torch.maximum(n @ q, torch.exp(-top))).says(
    "The absolute value is missing: |n · q|. The normaliser may be negative along q."
)
mlstm_step.slip("not_divided", size=lambda n, q, top: 1.0).says("You returned C q. Divide it by max(|n · q|, e^{−m}).")
mlstm_step.slip("not_at_least_one", size=lambda n, q, top: (n @ q).abs()).says(
    "You divided by |n · q| alone, which may be 0. It is at least e^{−m}: max(|n · q|, e^{−m})."
)
mlstm_step.slip("value_in_the_normaliser", add=lambda k: torch.ones_like(k)).says(
    "The normaliser gathers the keys, as C does the pairs: n = f n + i k."
)
mlstm_step.slip("old_memory_asked", shown=lambda new, old: old).says(
    "You asked the old memory. Write first, then ask: C and n of this step."
)
mlstm_step.slip("forget_gate_without_sigmoid", log_f=lambda f: f).says(
    "You took f itself for the logarithm of the forget gate. The gate is σ(f), and its logarithm F.logsigmoid(f)."
)
mlstm_step.slip("forget_gate_without_logarithm", log_f=torch.sigmoid).says(
    "You put σ(f) where its logarithm belongs. m is an exponent: ln σ(f) + m."
)
mlstm_step.slip("logarithm_of_the_sigmoid", log_f=lambda f: f.sigmoid().log()).says(
    "You took the logarithm of the sigmoid. For very negative f the sigmoid is 0 and its logarithm −∞, so that the memory is lost: F.logsigmoid(f)."
)
mlstm_step.slip("input_gate_with_a_sigmoid", write=torch.sigmoid).says(
    "You took a sigmoid for the input gate. Here it is an exponential, which may be larger than 1."
)
mlstm_step.slip("old_stabiliser_forgotten", old_m=False).says(
    "The old m is missing in what is kept. C and n are stored times e^{−m}, so the gate is exp(ln σ(f) + m − new m)."
)
mlstm_step.slip("smaller_exponent", top=torch.minimum).says(
    "You took the smaller exponent for m. With the larger one, no exponential is above 1."
)
mlstm_step.slip("memory_first", give=lambda h, C, n, m: (C, n, m, h)).says("You returned C, n, m, h. h comes first.")


@mlstm_step.mistake(
    "You left the stabiliser out: m comes back as it was, and exp(i) is taken as it is. Compute the new m first, and take it out of both exponents."
)
def no_stabiliser(q, k, v, i, f, C, n, m):
    C, n = f.sigmoid() * C + i.exp() * torch.outer(v, k), f.sigmoid() * n + i.exp() * k
    return C @ q / (n @ q).abs().clamp(min=1), C, n, m


@mlstm_step.mistake(
    "Right as long as the gates are small: you computed exp(i) itself, which overflows for large i. Take the new m out of both exponents first."
)
def overflows(q, k, v, i, f, C, n, m):
    new_m = torch.maximum(F.logsigmoid(f) + m, i)
    keep, write = torch.sigmoid(f) * m.exp() / new_m.exp(), i.exp() / new_m.exp()
    C, n = keep * C + write * torch.outer(v, k), keep * n + write * k
    return C @ q / torch.maximum((n @ q).abs(), 1 / new_m.exp()), C, n, new_m


# --- 12.5 what must be kept -----------------------------------------------------------------------------------------

KINDS = ("attention", "LSTM", "SSM", "RWKV", "mLSTM")


@lesson.exercise(
    points=2,
    hint="Walk through the layers and add up the numbers that each keeps for one text. Only attention's grow with the length. At the end, four bytes a number, or two.",
)
def kept_bytes(layers, length, width, heads, state, precision):
    """Bytes that a stack keeps for its next token: a list of kinds, tokens read so far, C, H, N, bytes a number."""
    one = {
        "attention": 2 * width * length,
        "LSTM": 2 * width,
        "SSM": width * state,
        "RWKV": 4 * width,
        "mLSTM": heads * ((width // heads) ** 2 + width // heads + 1),
    }
    return precision * sum(one[kind] for kind in layers)


@kept_bytes.cases
def _(rng):
    def case(layers, length=10, width=4, heads=2, state=3, precision=4):
        return dict(layers=layers, length=length, width=width, heads=heads, state=state, precision=precision)

    for kind in KINDS:
        yield case([kind])
    yield case(["attention"], length=11)
    yield case(["attention"], heads=4, length=7)
    yield case(["mLSTM"], heads=1)
    yield case(["SSM", "SSM", "attention"])
    yield case(["SSM"], precision=2, state=16, width=8)
    yield case([])
    for _ in range(8):
        heads = int(rng.integers(1, 4))
        kinds = [KINDS[int(number)] for number in rng.integers(0, len(KINDS), 3)]
        yield case(kinds, int(rng.integers(1, 99)), 2 * heads * int(rng.integers(1, 5)), heads, int(rng.integers(1, 9)), int(rng.choice([2, 4])))  # fmt: skip


@kept_bytes.recipe
def _(
    layers, length, width, heads, state, precision,
    pairs=lambda C, H, T: 2 * C * T, cells=2, ssm=lambda C, N: C * N, rwkv=4,
    matrix=lambda C, H: H * ((C // H) ** 2 + C // H + 1), bytes_of=lambda precision: precision, grows=False,
):  # fmt: skip
    one = {
        "attention": pairs(width, heads, length),
        "LSTM": cells * width,
        "SSM": ssm(width, state),
        "RWKV": rwkv * width,
        "mLSTM": matrix(width, heads),
    }
    times = {kind: length if grows and kind != "attention" else 1 for kind in one}
    return bytes_of(precision) * sum(times[kind] * one[kind] for kind in layers)


kept_bytes.slip("keys_alone", pairs=lambda C, H, T: C * T).says(
    "Your attention keeps one vector for each token. It needs two: a key and a value."
)
kept_bytes.slip("weights_kept", pairs=lambda C, H, T: T * T * H).says(
    "You counted T² weights. They are made anew for each query and thrown away; keys and values are what is kept."
)
kept_bytes.slip("heads_multiply_attention", pairs=lambda C, H, T: 2 * C * T * H).says(
    "You multiplied the cache by the heads. They share the C channels among them, C / H each."
)
kept_bytes.slip("length_ignored", pairs=lambda C, H, T: 2 * C).says(
    "Your cache does not grow. Attention keeps a key and a value of EVERY token that it has read."
)
kept_bytes.slip("states_grow", grows=True).says(
    "Your states grow with the length. A recurrent layer keeps its last state, whatever it has read."
)
kept_bytes.slip("hidden_state_alone", cells=1).says("An LSTM keeps two vectors, its cell c and its hidden state h.")
kept_bytes.slip("four_gates_kept", cells=4).says(
    "You counted the four gates of an LSTM. They are made anew at each step; c and h are kept."
)
kept_bytes.slip("one_state_for_all_channels", ssm=lambda C, N: N).says(
    "Each of the C channels of a state-space layer has N numbers of its own: C · N."
)
kept_bytes.slip("one_matrix", matrix=lambda C, H: C * C + C + 1).says(
    "You counted one C × C matrix. Each of the H heads has a matrix of its own, D × D with D = C / H: C² / H numbers in all."
)
kept_bytes.slip("matrix_alone", matrix=lambda C, H: H * (C // H) ** 2).says(
    "You counted the matrices of the mLSTM alone. Each head also keeps n, D numbers, and m, one number."
)
kept_bytes.slip("sums_alone", rwkv=2).says(
    "RWKV keeps four vectors: numerator, denominator, the largest exponent, and the last input."
)
kept_bytes.slip("numbers_not_bytes", bytes_of=lambda precision: 1).says(
    "That is how many NUMBERS are kept. Each takes `precision` bytes."
)
kept_bytes.slip("bits", bytes_of=lambda precision: 8 * precision).says(
    "You multiplied by 8. `precision` is in bytes already, and bytes are asked for."
)
