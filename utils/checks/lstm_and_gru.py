"""Exercises of lesson 07: a step of an LSTM, what its gates keep, a step of a GRU, parameters, both directions."""

import math

import torch
from torch import Tensor, nn

from utils.checking import Lesson, normal, uniform

lesson = Lesson("07", __name__)

# --- 7.1 one step of an LSTM ----------------------------------------------------------------------------------------


@lesson.exercise(
    points=3,
    returns=("h", "c"),
    hint="One product gives the sums of all four parts. Cut it into f, i, g, o; squash three of them with a sigmoid and g with tanh. Then two lines: what becomes of the cell, and what it shows.",
)
def lstm_step(x, h, c, W, b):
    """One step: x (B, C), h and c (B, H), W (4H, H + C) for [h, x] and b (4H,), rows f, i, g, o; new h and c (B, H)."""
    H = h.shape[1]
    order = torch.cat([torch.arange(H) + part * H for part in (1, 0, 2, 3)])  # torch's is i, f, g, o
    W, b = W[order], b[order]
    return torch.lstm_cell(x, (h, c), W[:, H:], W[:, :H], b, torch.zeros_like(b))


@lstm_step.cases
def _(rng):
    zero, one, flat = torch.zeros(1, 1), torch.ones(1, 1), torch.zeros(4, 2)
    for f, i, g, o in ((0, 0, 0, 0), (2, 0, 0, 0), (0, 2, 1, 0), (0, 0, 1, 2)):
        yield dict(x=zero, h=zero, c=one, W=flat, b=torch.tensor([f, i, g, o]).float())
    for row in range(4):  # one part listens to h, and not to x
        W = flat.clone()
        W[row, 0] = 2
        yield dict(x=zero, h=one, c=one, W=W, b=torch.tensor([1.0, 0, 0.5, 0]))
    for _ in range(8):
        B, C, H = (int(rng.integers(1, 4)) for _ in range(3))
        yield normal(rng, B, C), normal(rng, B, H), normal(rng, B, H), normal(rng, 4 * H, H + C), normal(rng, 4 * H)


@lstm_step.recipe
def _(
    x, h, c, W, b,
    joined=lambda h, x: torch.cat([h, x], 1), bias=1, order=(0, 1, 2, 3), gate=torch.sigmoid, candidate=torch.tanh,
    cell=lambda f, i, g, c: f * c + i * g, shown=lambda o, new, old: o * new.tanh(), give=lambda h, c: (h, c),
):  # fmt: skip
    parts = (joined(h, x) @ W.T + bias * b).chunk(4, 1)
    f, i, g, o = (parts[place] for place in order)
    new = cell(gate(f), gate(i), candidate(g), c)
    return give(shown(gate(o), new, c), new)


lstm_step.slip("order_of_torch", order=(1, 0, 2, 3)).says(
    "You read the rows as i, f, g, o, which is PyTorch's order. Here they are f, i, g, o."
)
lstm_step.slip("candidate_last", order=(0, 1, 3, 2)).says(
    "You read the rows as f, i, o, g. Here the candidate g is the third part and the output gate the last."
)
lstm_step.slip("x_before_h", joined=lambda h, x: torch.cat([x, h], 1)).says(
    "You put x before h. The columns of W belong to [h, x]: first h, then x."
)
lstm_step.slip("no_bias", bias=0).says("The bias is missing: add b to the sums, before they are squashed.")
lstm_step.slip("tanh_on_the_gates", gate=torch.tanh).says(
    "You took tanh for the gates. A gate is a share from 0 to 1, so f, i and o need a sigmoid; tanh could turn the sign of a memory."
)
lstm_step.slip("sigmoid_on_the_candidate", candidate=torch.sigmoid).says(
    "You took a sigmoid for the candidate as well. It is no gate but a new value, which may be negative: tanh."
)
lstm_step.slip("nothing_squashed", gate=lambda s: s, candidate=lambda s: s).says(
    "The sums are used as they are. Squash them first: sigmoid for f, i and o, tanh for g."
)
lstm_step.slip("forget_gate_forgets", cell=lambda f, i, g, c: (1 - f) * c + i * g).says(
    "You kept the share 1 − f. In spite of its name, the forget gate is the share that is KEPT: f = 1 keeps all."
)
lstm_step.slip("input_gate_missing", cell=lambda f, i, g, c: f * c + g).says(
    "The input gate is missing: the candidate is written with the weight i."
)
lstm_step.slip("gates_coupled", cell=lambda f, i, g, c: f * c + (1 - f) * g).says(
    "You wrote with the weight 1 − f. An LSTM has an input gate of its own, i, so that it can keep all and write all."
)
lstm_step.slip("old_cell_dropped", cell=lambda f, i, g, c: i * g).says(
    "The old cell is gone: the new one is f ⊙ c plus what is written."
)
lstm_step.slip("cell_squashed", cell=lambda f, i, g, c: (f * c + i * g).tanh()).says(
    "You put the new cell itself through tanh. Only what is SHOWN is squashed, h = o ⊙ tanh(c). The cell stays as it is, or it would fade."
)
lstm_step.slip(
    "cell_squashed_for_good", cell=lambda f, i, g, c: (f * c + i * g).tanh(), shown=lambda o, new, old: o * new
).says(
    "Your h is right, and your c has been through the tanh as well. Hand on c = f ⊙ c + i ⊙ g as it is, and squash only what h shows of it."
)
lstm_step.slip("cell_shown_as_it_is", shown=lambda o, new, old: o * new).says(
    "The tanh is missing in h = o ⊙ tanh(c). The cell may be larger than 1, what is shown may not."
)
lstm_step.slip("output_gate_missing", shown=lambda o, new, old: new.tanh()).says(
    "The output gate is missing: h = o ⊙ tanh(c)."
)
lstm_step.slip("old_cell_shown", shown=lambda o, new, old: o * old.tanh()).says(
    "You showed the old cell. h is made of the new one, so update c first."
)
lstm_step.slip("cell_first", give=lambda h, c: (c, h)).says("You returned c, h. The order is h, c.")

# --- 7.2 what the gates keep ----------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    returns=("left", "half_life"),
    hint="What step s wrote is multiplied by the forget gate of every LATER step: s + 1, …, t. For the half-life look down the first column.",
)
def kept(gates):
    """Forget gates (T,) of one cell: left (T, T), row t and column s; the half-life of step 0's in steps, or None."""
    T = len(gates)
    left = torch.stack([torch.stack([gates[s + 1 : t + 1].prod() * (s <= t) for s in range(T)]) for t in range(T)])
    return left, next((t for t in range(T) if left[t, 0] <= 0.5), None)


@kept.cases
def _(rng):
    for gates in ([1.0], [0.25, 0.75], [0.25, 0.75, 0.5], [0.0, 0.5], [0.5, 1, 1], [0.75, 0.875, 0.75, 0.5]):
        yield dict(gates=torch.tensor(gates))
    yield dict(gates=torch.tensor([0.25, 0.75, 0, 0.75]))  # a gate that erases
    yield dict(gates=torch.tensor([0.875, 0.75, 0.5, 0.75, 0.875, 0.5]))
    for low in (0.2, 0.5, 0.6, 0.8):
        yield dict(gates=low + (1 - low) * uniform(rng, int(rng.integers(4, 9))))


@kept.recipe
def _(
    gates, share=lambda f: f, join=torch.prod, first=1, last=1, above=False, turn=lambda left: left,
    column=lambda left: left[:, 0], within=lambda value: value <= 0.5, later=0,
    never=lambda T: None,
):  # fmt: skip
    T, f = len(gates), share(gates)
    rows = [
        [join(f[s + first : t + last]) if s <= t else join(f[t + first : s + last]) * above for s in range(T)]
        for t in range(T)
    ]
    left = torch.tensor([[float(value) for value in row] for row in rows])
    return turn(left), next((t + later for t, value in enumerate(column(left)) if within(value)), never(T))


kept.slip("own_gate_counted", first=0).says(
    "You multiplied by the gate of step s itself. That gate has done its work on what was there BEFORE; what step s writes meets the gates from s + 1 on, so the diagonal is 1."
)
kept.slip("last_gate_left_out", last=0).says(
    "The gate of step t is missing. The product runs from s + 1 up to t, and t counts: range(s + 1, t + 1)."
)
kept.slip("gates_one_step_early", first=0, last=0).says(
    "Your gates are one step early. Between row t − 1 and row t it is the gate of step t that acts, not that of step t − 1."
)
kept.slip("forgotten_instead_of_kept", share=lambda f: 1 - f).says(
    "You multiplied the shares 1 − f. The forget gate is the share that is KEPT."
)
kept.slip("gates_added", join=torch.sum).says("You added the gates. Shares of shares multiply.")
kept.slip("mean_of_gates", join=lambda f: f.mean().nan_to_num(1.0)).says(
    "You took the mean of the gates between. Each one takes its share of what the one before has left: multiply."
)
kept.slip("smallest_gate", join=lambda f: f.min() if len(f) else torch.tensor(1.0)).says(
    "You took the smallest gate on the way. All of them act, one after the other: multiply."
)


@kept.mistake(
    "You divided one cumulative product by another, which is 0 / 0 after a gate that is 0. Multiply row by row instead, or take one cumulative product for each column."
)
def products_divided(gates):
    product = gates.cumprod(0)
    left = (product[:, None] / product).tril()
    return left, next((t for t in range(len(gates)) if left[t, 0] <= 0.5), None)


kept.slip("future_kept", above=True).says(
    "There are numbers above the diagonal. Before step s there is nothing of what it writes: 0 for s > t."
)
kept.slip("turned", turn=lambda left: left.T).says(
    "Rows and columns are swapped. Row t is when you look, column s is when it was written."
)
kept.slip("only_the_last_gate", join=lambda f: f[-1] if len(f) else torch.tensor(1.0)).says(
    "You took the gate of step t alone. All gates from s + 1 to t have had a share of it."
)
kept.slip("strictly_less_than_half", within=lambda value: value < 0.5).says(
    "The half-life is reached when exactly half is left, too: at most 0.5, not less than 0.5."
)
kept.slip("half_life_of_e", within=lambda value: value <= math.exp(-1)).says(
    "You waited until 1/e is left. That is the time scale; the half-life ends at one half."
)
kept.slip("half_life_from_one", later=1).says(
    "Your half-life is one step too long. Count steps after step 0: row t of the first column is t steps later."
)
kept.slip("half_life_in_the_last_row", column=lambda left: left[-1].flip(0)).says(
    "You looked for the half in the last row, from the end. That belongs to different steps. What step 0 wrote stands in column 0, from the top down."
)
for what, never in {"the_end": lambda T: T, "the_last_step": lambda T: T - 1, "zero": lambda T: 0}.items():
    kept.slip(f"{what}_instead_of_none", never=never).says(
        "More than half is left to the end here, and you return a number all the same. Then the half-life is None."
    )
kept.slip("always_none", within=lambda value: value > 2).says(
    "You return None in every case. The half-life is None only where more than half is left to the end."
)

# --- 7.3 one step of a GRU ------------------------------------------------------------------------------------------


@lesson.exercise(
    points={"after the product": 2, "before the product": 1},
    hint="Make the sums of x and the sums of h apart, each cut into r, z, n. The gates add both. In the candidate r stands between them: it weighs what comes from h, and nothing of x.",
)
def gru_step(x, h, W_x, W_h, b_x, b_h, after):
    """One step: x (B, C), h (B, H), W_x (3H, C), W_h (3H, H), biases (3H,), rows r, z, n; the new h (B, H)."""
    if after:
        return torch.gru_cell(x, h, W_x, W_h, b_x, b_h)
    (_, _, W), (_, _, b) = W_h.chunk(3), b_h.chunk(3)
    r, z, n = (x @ W_x.T + b_x).chunk(3, 1)
    from_r, from_z, _ = (h @ W_h.T + b_h).chunk(3, 1)
    r, z = (r + from_r).sigmoid(), (z + from_z).sigmoid()
    return torch.lerp((n + (r * h) @ W.T + b).tanh(), h, z)


def _gru_cases(rng, after: bool):
    zero, one, flat = torch.zeros(1, 1), torch.ones(1, 1), torch.zeros(3, 1)
    for r, z, n in ((0, 0, 0), (0, 2, 1), (0, -2, 1)):
        biases = torch.tensor([r, z, n]).float(), torch.zeros(3)
        yield dict(x=zero, h=one, W_x=flat, W_h=flat, b_x=biases[0], b_h=biases[1], after=after)
    heard = torch.tensor([[0.0], [0.0], [2.0]])  # by the candidate alone
    for r, b in ((-2, 0), (2, 0), (-2, 1)):
        biases = torch.tensor([r, 0, 0.5]), torch.tensor([0.0, 0, b])
        yield dict(x=one, h=one, W_x=flat, W_h=heard, b_x=biases[0], b_h=biases[1], after=after)
    crossed = torch.zeros(6, 2)
    crossed[4, 1] = 2  # unit 0 listens to unit 1, and their reset gates differ
    biases = torch.tensor([-2.0, 2, 0, 0, 0, 0])
    yield dict(
        x=zero, h=torch.ones(1, 2), W_x=torch.zeros(6, 1), W_h=crossed, b_x=biases, b_h=torch.zeros(6), after=after
    )
    for _ in range(6):
        B, C, H = int(rng.integers(1, 4)), int(rng.integers(1, 4)), int(rng.integers(2, 4))
        parts = normal(rng, B, C), normal(rng, B, H), normal(rng, 3 * H, C), normal(rng, 3 * H, H)
        yield *parts, normal(rng, 3 * H), normal(rng, 3 * H), after


@gru_step.cases
def _(rng):
    yield from _gru_cases(rng, after=True)


@gru_step.cases("before the product")
def _(rng):
    yield from _gru_cases(rng, after=False)


@gru_step.recipe
def _(
    x, h, W_x, W_h, b_x, b_h, after,
    order=(0, 1, 2), gate=torch.sigmoid, squash=torch.tanh, second=1, places=lambda after: after,
    late=lambda r, product, b: r * (product + b), early=lambda r, h, W, b: (r * h) @ W.T + b, x_reset=False,
    mix=lambda z, h, n: z * h + (1 - z) * n,
):  # fmt: skip
    from_x, from_h = (x @ W_x.T + b_x).chunk(3, 1), (h @ W_h.T + second * b_h).chunk(3, 1)
    r, z, n = order
    r, z = gate(from_x[r] + from_h[r]), gate(from_x[z] + from_h[z])
    W, b = W_h.chunk(3)[n], second * b_h.chunk(3)[n]
    old = late(r, h @ W.T, b) if places(after) else early(r, h, W, b)
    return mix(z, h, squash((r * from_x[n] if x_reset else from_x[n]) + old))


gru_step.slip("update_gate_turned", mix=lambda z, h, n: (1 - z) * h + z * n).says(
    "You kept 1 − z and wrote z. Many texts do, but in PyTorch and here z is the share of the old state that is KEPT: z ⊙ h + (1 − z) ⊙ n."
)
gru_step.slip("order_z_r_n", order=(1, 0, 2)).says("You read the rows as z, r, n. They are r, z, n.")
gru_step.slip("reset_missing", late=lambda r, p, b: p + b, early=lambda r, h, W, b: h @ W.T + b).says(
    "The reset gate is missing in the candidate: it weighs what comes from the old state."
)
gru_step.slip("always_after", places=lambda after: True).says(
    "You always put the reset gate after the product. With after=False it weighs h first: U_n (r ⊙ h)."
)
gru_step.slip("always_before", places=lambda after: False).says(
    "You always put the reset gate before the product. With after=True the product comes first: r ⊙ (U_n h + b′_n)."
)
gru_step.slip("places_swapped", places=lambda after: not after).says(
    "You swapped the two: after=True means that r weighs the finished product, as PyTorch has it."
)
gru_step.slip("bias_outside_the_reset", late=lambda r, p, b: r * p + b).says(
    "The reset gate must weigh the bias b_h of the candidate as well: r ⊙ (U_n h + b′_n)."
)
gru_step.slip("bias_inside_the_reset_before", early=lambda r, h, W, b: (r * h) @ W.T + r * b).says(
    "With after=False the reset gate weighs h alone, not the bias: U_n (r ⊙ h) + b′_n."
)
gru_step.slip("product_weighed_before_the_bias", early=lambda r, h, W, b: r * (h @ W.T) + b).says(
    "You weighed the product, and only left the bias out. With after=False r weighs h before it is multiplied: U_n (r ⊙ h) + b′_n."
)
gru_step.slip("reset_weighs_x_too", x_reset=True).says(
    "Your reset gate weighs the sums of x as well. It is there to ignore the old state, not the input."
)
gru_step.slip("second_bias_missing", second=0).says("The bias b_h is missing. PyTorch keeps two.")
gru_step.slip("tanh_on_the_gates", gate=torch.tanh).says("You took tanh for the gates. They are shares: sigmoid.")
gru_step.slip("sigmoid_on_the_candidate", squash=torch.sigmoid).says(
    "You took a sigmoid for the candidate. It is a new value that may be negative: tanh."
)
gru_step.slip("old_state_gone", mix=lambda z, h, n: n).says(
    "You returned the candidate. The update gate mixes it with the old state: z ⊙ h + (1 − z) ⊙ n."
)
gru_step.slip("kept_and_all_written", mix=lambda z, h, n: z * h + n).says(
    "You wrote the whole candidate. A GRU has one gate for both: what is not kept, 1 − z, is written."
)
gru_step.slip("mixed_by_the_reset_gate", order=(1, 0, 2), mix=lambda z, h, n: (1 - z) * h + z * n).says(
    "You read the rows as z, r, n and turned the update gate as well. The rows are r, z, n, and z is the share that is kept."
)

# --- 7.4 parameters ---------------------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="Count one layer in one direction first: 1, 3 or 4 sets of weights, each with a matrix for what comes in, a matrix for the state, and two biases. Then ask what comes into the second layer.",
)
def recurrent_parameters(kind, inputs, cells, layers, both):
    """Parameters of torch's layer `kind` ("tanh", "GRU" or "LSTM"), stacked `layers` high, in one direction or both."""
    layer = {"tanh": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}[kind](inputs, cells, layers, bidirectional=both)
    return sum(weight.numel() for weight in layer.parameters())


@recurrent_parameters.cases
def _(rng):
    for kind in ("tanh", "GRU", "LSTM"):
        yield dict(kind=kind, inputs=1, cells=1, layers=1, both=False)
        yield dict(kind=kind, inputs=3, cells=2, layers=1, both=False)
    yield dict(kind="tanh", inputs=3, cells=2, layers=1, both=True)
    yield dict(kind="tanh", inputs=3, cells=2, layers=2, both=False)
    yield dict(kind="tanh", inputs=3, cells=2, layers=3, both=True)
    for _ in range(6):
        kind, both = str(rng.choice(["tanh", "GRU", "LSTM"])), bool(rng.integers(2))
        inputs, cells, layers = (int(rng.integers(low, high)) for low, high in ((1, 9), (2, 9), (1, 4)))
        yield kind, inputs, cells, layers, both


SETS = {"tanh": 1, "GRU": 3, "LSTM": 4}


@recurrent_parameters.recipe
def _(
    kind, inputs, cells, layers, both,
    sets=SETS, one=lambda C, H: H * (C + H + 2), above=lambda C, H, ways: ways * H, ways=lambda both: 1 + both,
    rest=lambda sets, H: 0,
):  # fmt: skip
    ways = ways(both)
    entering = [inputs] + [above(inputs, cells, ways)] * (layers - 1)
    return sum(ways * (sets[kind] * one(C, cells) + rest(sets[kind], cells)) for C in entering)


recurrent_parameters.slip("one_bias", one=lambda C, H: H * (C + H + 1)).says(
    "You counted one bias per set. PyTorch keeps two, one beside each matrix."
)
recurrent_parameters.slip("no_bias", one=lambda C, H: H * (C + H)).says(
    "The biases are missing: two of them for each set, with one number for each cell."
)
recurrent_parameters.slip("biases_once", one=lambda C, H: H * (C + H), rest=lambda sets, H: 2 * H).says(
    "You counted the biases of one set only. Every gate and the candidate have their own."
)
recurrent_parameters.slip("gates_alone", sets=SETS | {"GRU": 2, "LSTM": 3}).says(
    "You counted the gates and forgot the candidate. It has weights like a gate: 3 sets in a GRU, 4 in an LSTM."
)
recurrent_parameters.slip("gru_and_lstm_swapped", sets=SETS | {"GRU": 4, "LSTM": 3}).says(
    "You swapped GRU and LSTM: 2 gates and a candidate make 3, 3 gates and a candidate make 4."
)
recurrent_parameters.slip("sets_ignored", sets=dict.fromkeys(SETS, 1)).says(
    "You counted every layer as a tanh layer. A GRU has 3 sets of these weights, an LSTM 4."
)
recurrent_parameters.slip("state_matrix_missing", one=lambda C, H: H * (C + 2)).says(
    "The matrix of the state is missing: H × H in each set."
)
recurrent_parameters.slip("input_matrix_missing", one=lambda C, H: H * (H + 2)).says(
    "The matrix of the input is missing: H × C in each set."
)
recurrent_parameters.slip("inputs_squared", one=lambda C, H: H * C + C * C + 2 * H).says(
    "Your matrix of the state is C × C. The state has H numbers, so it is H × H."
)
recurrent_parameters.slip("layers_all_alike", above=lambda C, H, ways: C).says(
    "You multiplied the first layer by the number of layers. What comes into the second one is the state of the first."
)
recurrent_parameters.slip("one_direction_only", ways=lambda both: 1).says(
    "You counted one direction. Each direction has weights of its own, and the layers above read both."
)
recurrent_parameters.slip("one_direction_read_above", above=lambda C, H, ways: H).says(
    "Above a layer that reads in both directions, 2H numbers come in, not H."
)
recurrent_parameters.slip("first_layer_alone", above=lambda C, H, ways: -H - 2, rest=lambda sets, H: 0).says(
    "You counted the first layer alone. Each of the `layers` has weights of its own."
)

# --- 7.5 both directions ----------------------------------------------------------------------------------------------


@lesson.exercise(
    points=3,
    hint="Turn each sequence round, its own part of it and not the padding; let `back` read that; turn the states round in the same way, so that state t belongs to position t; and put both next to each other along the channels.",
)
def both_directions(x, lengths, ahead, back):
    """x (B, T, C), the lengths of its sequences, two readers from (B, T, C) to (B, T, H); states (B, T, 2H), 0 after the end."""
    rows = []
    for row, length in zip(x, lengths, strict=True):
        own = row[None, :length]
        states = torch.cat([ahead(own), back(own.flip(1)).flip(1)], 2)[0]  # (length, 2H)
        rows.append(nn.functional.pad(states, (0, 0, 0, len(row) - length)))
    return torch.stack(rows)


@both_directions.cases
def _(rng):
    ahead, back = ({"W": torch.tensor([[weight]]), "keep": 1.0} for weight in (1.0, 10.0))
    for numbers, lengths in (([1, 2], [2]), ([1, 2, 4], [3]), ([1, 2, 9], [2]), ([3, 9, 9], [1])):
        yield torch.tensor(numbers).float().view(1, -1, 1), lengths, ahead, back
    for B, T, C, H, lengths in (
        (2, 3, 2, 1, [3, 3]), (2, 3, 1, 2, [3, 1]), (2, 4, 3, 2, [2, 4]), (3, 5, 2, 3, [5, 3, 4]), (3, 4, 2, 2, [1, 4, 2]),
    ):  # fmt: skip
        weights = [{"W": normal(rng, H, C), "keep": float(rng.uniform(0.3, 0.9))} for _ in range(2)]
        yield normal(rng, B, T, C), lengths, *weights


class Reader:
    """A recurrence as a function from x (B, T, C) to its states (B, T, H): each is keep · the one before + W x."""

    def __init__(self, W: Tensor, keep: float):
        self.W, self.keep = W, keep

    def __call__(self, x: Tensor) -> Tensor:
        state, states = x.new_zeros(x.shape[0], len(self.W)), []
        for vector in x.unbind(1):
            state = self.keep * state + vector @ self.W.to(x).T
            states.append(state)
        return torch.stack(states, 1)


@both_directions.ask
def _(answer, x, lengths, ahead, back):
    return answer(x, lengths, Reader(**ahead), Reader(**back))


def _turned(x: Tensor, lengths) -> Tensor:
    """Each sequence (B, T, …) turned round within its own length; the padding stays where it is."""
    return torch.stack([torch.cat([row[:n].flip(0), row[n:]]) for row, n in zip(x, lengths, strict=True)])


def _whole(x: Tensor, lengths) -> Tensor:
    return x.flip(1)


@both_directions.recipe
def _(
    x, lengths, ahead, back,
    there=_turned, again=_turned, first=lambda x, lengths: x, who=lambda ahead, back: (ahead, back),
    join=lambda a, b: torch.cat([a, b], 2), end=0,
):  # fmt: skip
    ahead, back = who(ahead, back)
    states = join(ahead(first(x, lengths)), again(back(there(x, lengths)), lengths))
    inside = torch.arange(states.shape[1]) < torch.as_tensor(lengths)[:, None] + end  # (B, T)
    return states * inside[..., None]


both_directions.slip("not_turned_back", again=lambda states, lengths: states).says(
    "The backward states are in backward order: at position 0 stands what `back` saw first, the end. Turn them round again."
)
both_directions.slip("never_turned", there=lambda x, n: x, again=lambda states, n: states).says(
    "Both readers read from left to right. Turn x round before `back` reads it, and its states afterwards."
)
both_directions.slip("only_the_states_turned", there=lambda x, n: x).says(
    "`back` read from left to right, and then its states were turned. Turn x round first."
)
both_directions.slip("padding_read_first", there=_whole, again=_whole).says(
    "You turned the whole rows round, so `back` read the padding of short sequences first and its state was no longer empty. Turn only the first `length` positions of each row."
)
both_directions.slip("lengths_ignored", there=_whole, again=_whole, end=math.inf).says(
    "You did not use the lengths. `back` has read the padding of the short sequences first, and after their end there are states that should be 0."
)
both_directions.slip("states_turned_as_a_whole", again=_whole).says(
    "You turned x within its length, and the states as a whole row: those of short sequences ended up in the padding."
)
both_directions.slip("padding_not_emptied", end=math.inf).says(
    "After the end of a short sequence there are still states. Set them to 0, as PyTorch's packed sequences do."
)
both_directions.slip("one_step_too_few", end=-1).says(
    "The last position of each sequence is missing: a sequence of length n has the positions 0 to n − 1."
)
both_directions.slip("back_first", join=lambda a, b: torch.cat([b, a], 2)).says(
    "Your first H channels are those of `back`. The forward states come first."
)
both_directions.slip("states_added", join=lambda a, b: a + b).says(
    "You added the two states. They are kept apart, next to each other: (B, T, 2H)."
)
both_directions.slip("states_averaged", join=lambda a, b: (a + b) / 2).says(
    "You averaged the two states. They are kept apart, next to each other: (B, T, 2H)."
)
both_directions.slip("one_reader_for_both", who=lambda ahead, back: (ahead, ahead)).says(
    "The same reader went both ways. The two directions have weights of their own: use `back`."
)
both_directions.slip("readers_swapped", who=lambda ahead, back: (back, ahead)).says(
    "You swapped the readers: `ahead` reads from left to right, `back` from right to left."
)
both_directions.slip("both_turned", first=_turned).says(
    "You turned x round for both readers. `ahead` reads it as it is."
)
both_directions.slip("channels_turned", there=lambda x, n: x.flip(2), again=lambda states, n: states.flip(2)).says(
    "You turned the channels round. The axis of time is axis 1 of (B, T, C)."
)
