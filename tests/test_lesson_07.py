"""Lesson 07: right answers in other styles, wrong ones that are on no list, gated cells against torch's, the widget."""

import json
import math
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bench import record_recall
from tests.browser import repeat
from utils import reach
from utils.checks import lstm_and_gru as check
from utils.models.gated import GatedGRU, GatedLSTM, between_cells, chrono, open_forget_gates
from utils.models.recall import Recaller, delayed_recall
from utils.paths import RECORDED
from utils.plotting import gates as plots
from utils.widgets import forget_gate as widget

# --- right answers in other styles ----------------------------------------------------------------------------------


def lstm_with_matrices_apart(x, h, c, W, b):
    C = h.shape[1]
    seen = torch.cat((h, x), -1)
    sums = [F.linear(seen, W[k * C : (k + 1) * C], b[k * C : (k + 1) * C]) for k in range(4)]
    f, i, o = (1 / (1 + torch.exp(-sums[k])) for k in (0, 1, 3))
    new = f * c + i * sums[2].tanh()
    return [o * new.tanh(), new]


def lstm_in_numpy(x, h, c, W, b):
    z = np.concatenate([h.numpy(), x.numpy()], 1).astype(np.float64) @ W.numpy().T + b.numpy()
    f, i, g, o = np.split(z, 4, axis=1)
    squash = lambda s: 1 / (1 + np.exp(-s))  # noqa: E731
    new = squash(f) * c.numpy() + squash(i) * np.tanh(g)
    return squash(o) * np.tanh(new), new


def lstm_by_einsum(x, h, c, W, b):
    C = h.shape[1]
    z = torch.einsum("bc,oc->bo", h, W[:, :C]) + torch.einsum("be,oe->bo", x, W[:, C:]) + b
    f, i, g, o = z.view(len(x), 4, C).unbind(1)
    new = torch.addcmul(f.sigmoid() * c, i.sigmoid(), g.tanh())
    return o.sigmoid() * new.tanh(), new


def kept_by_products(gates):
    T = len(gates)
    left = [[math.prod(gates[s + 1 : t + 1].tolist()) if s <= t else 0.0 for s in range(T)] for t in range(T)]
    return torch.tensor(left), next((t for t in range(T) if left[t][0] <= 0.5), None)


def kept_with_doubles(gates):
    left = torch.eye(len(gates), dtype=torch.float64)
    for t in range(1, len(gates)):
        left[t, :t] = left[t - 1, :t] * gates[t]
    below = (left[:, 0] <= 0.5).nonzero()
    return left, int(below[0]) if len(below) else None


def kept_by_cumulative_products(gates):
    T = len(gates)
    left = torch.zeros(T, T)
    for s in range(T):
        left[s:, s] = torch.cat([torch.ones(1), gates[s + 1 :]]).cumprod(0)
    half = np.argmax(left[:, 0].numpy() <= 0.5)
    return left, int(half) if left[half, 0] <= 0.5 else None


def gru_gate_by_gate(x, h, W_x, W_h, b_x, b_h, after):
    C = h.shape[-1]
    parts = [(W_x[k : k + C], W_h[k : k + C], b_x[k : k + C], b_h[k : k + C]) for k in (0, C, 2 * C)]
    r, z = (torch.sigmoid(x @ W.T + a + h @ U.T + b) for W, U, a, b in parts[:2])
    W, U, a, b = parts[2]
    old = r * (h @ U.T + b) if after else (r * h) @ U.T + b
    n = torch.tanh(x @ W.T + a + old)
    return n + z * (h - n)


def gru_by_torch_where_it_can(x, h, W_x, W_h, b_x, b_h, after):
    if after:
        return torch.gru_cell(x, h, W_x, W_h, b_x, b_h)
    return gru_gate_by_gate(x.double(), h.double(), *(w.double() for w in (W_x, W_h, b_x, b_h)), False)


def gru_row_by_row(x, h, W_x, W_h, b_x, b_h, after):
    rows = [gru_gate_by_gate(a[None], b[None], W_x, W_h, b_x, b_h, after)[0] for a, b in zip(x, h, strict=True)]
    return torch.stack(rows)


def parameters_by_recursion(kind, inputs, cells, layers, both):
    if layers == 0:
        return 0
    one = {"tanh": 1, "GRU": 3, "LSTM": 4}[kind] * (cells * inputs + cells**2 + 2 * cells) * (2 if both else 1)
    return one + parameters_by_recursion(kind, 2 * cells if both else cells, cells, layers - 1, both)


def parameters_in_closed_form(kind, inputs, cells, layers, both):
    d = 1 + both
    return np.int64({"tanh": 1, "GRU": 3, "LSTM": 4}[kind] * d * cells) * (
        inputs + (layers - 1) * d * cells + layers * (cells + 2)
    )


def parameters_of_torch(kind, inputs, cells, layers, both):
    layer = {"tanh": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}[kind](inputs, cells, layers, bidirectional=both)
    return torch.nn.utils.parameters_to_vector(layer.parameters()).numel()


def both_by_index(x, lengths, ahead, back):
    T = x.shape[1]
    index = torch.arange(T).repeat(len(lengths), 1)
    for row, length in enumerate(lengths):
        index[row, :length] = torch.arange(length - 1, -1, -1)
    turned = x.gather(1, index[..., None].expand_as(x))
    from_right = back(turned)
    from_right = from_right.gather(1, index[..., None].expand_as(from_right))
    inside = torch.arange(T)[None] < torch.tensor(lengths)[:, None]
    return torch.cat([ahead(x), from_right], -1) * inside[..., None]


def both_row_by_row(x, lengths, ahead, back):
    rows = []
    for row, length in zip(x, lengths, strict=True):
        own = row[:length][None]
        states = torch.cat([ahead(own)[0], torch.flip(back(torch.flip(own, [1]))[0], [0])], 1)
        rows.append(torch.cat([states, torch.zeros(len(row) - length, states.shape[1])]))
    return torch.stack(rows)


def both_by_rolling(x, lengths, ahead, back):
    def turned(v):
        return torch.stack([row.flip(0).roll(n - len(row), 0) for row, n in zip(v, lengths, strict=True)])

    states = torch.cat([ahead(x), turned(back(turned(x)))], 2)
    for row, length in enumerate(lengths):
        states[row, length:] = 0
    return states


RIGHT = {
    "lstm_step": {
        "matrices apart, a list": lstm_with_matrices_apart,
        "numpy, doubles": lstm_in_numpy,
        "einsum": lstm_by_einsum,
    },
    "kept": {
        "products": kept_by_products,
        "doubles": kept_with_doubles,
        "cumulative products": kept_by_cumulative_products,
    },
    "gru_step": {
        "gate by gate": gru_gate_by_gate,
        "torch's own": gru_by_torch_where_it_can,
        "row by row": gru_row_by_row,
    },
    "recurrent_parameters": {
        "recursion": parameters_by_recursion,
        "closed form, numpy": parameters_in_closed_form,
        "torch": parameters_of_torch,
    },
    "both_directions": {"gather": both_by_index, "row by row": both_row_by_row, "roll": both_by_rolling},
}


# --- wrong answers ----------------------------------------------------------------------------------------------------


def lstm_without_memory(x, h, c, W, b):
    return h, c


def lstm_like_torch(x, h, c, W, b):
    C = h.shape[1]
    return torch.lstm_cell(x, (h, c), W[:, C:], W[:, :C], b, torch.zeros_like(b))


def lstm_updated_too_early(x, h, c, W, b):
    f, i, g, o = (torch.cat([h, x], 1) @ W.T + b).chunk(4, 1)
    h = o.sigmoid() * c.tanh()
    return h, f.sigmoid() * c + i.sigmoid() * g.tanh()


def lstm_cut_along_the_batch(x, h, c, W, b):
    f, i, g, o = (torch.cat([h, x], 1) @ W.T + b).chunk(4)
    return h, c


def kept_by_division(gates):
    product = gates.cumprod(0)
    left = (product[:, None] / product).tril()
    return left, next((t for t in range(len(gates)) if left[t, 0] <= 0.5), None)


def gru_that_keeps_everything(x, h, W_x, W_h, b_x, b_h, after):
    return h


def gru_turned(x, h, W_x, W_h, b_x, b_h, after):
    C = h.shape[1]
    x_r, x_z, x_n = (x @ W_x.T + b_x).chunk(3, 1)
    h_r, h_z, h_n = (h @ W_h.T + b_h).chunk(3, 1)
    r, z = (x_r + h_r).sigmoid(), (x_z + h_z).sigmoid()
    old = r * h_n if after else (r * h) @ W_h[2 * C :].T + b_h[2 * C :]
    return (1 - z) * h + z * (x_n + old).tanh()


WRONG = {
    "lstm_step": {
        "unchanged": lstm_without_memory,
        "torch's order": (lstm_like_torch, "order_of_torch"),
        "shown too early": (lstm_updated_too_early, "old_cell_shown"),
        "chunks of the batch": (lstm_cut_along_the_batch, None),
        "the cell alone": lambda x, h, c, W, b: lstm_by_einsum(x, h, c, W, b)[1],
    },
    "kept": {
        "the matrix alone": lambda gates: kept_by_products(gates)[0],
        "ones": lambda gates: (torch.ones(len(gates), len(gates)), None),
        "by division": (kept_by_division, "products_divided"),
        "the identity": lambda gates: (torch.eye(len(gates)), 1),
        "1 − f": (lambda gates: kept_by_products(1 - gates), "forgotten_instead_of_kept"),
    },
    "gru_step": {
        "the old state": gru_that_keeps_everything,
        "the update gate turned": (gru_turned, "update_gate_turned"),
        "torch's for both": (lambda *case: check.gru_step.reference(*case[:-1], True), "always_after"),
        "zeros": lambda x, h, *rest: torch.zeros_like(h),
        "rows z, r, n": (check.gru_step.variant(order=(1, 0, 2)), "order_z_r_n"),
    },
    "recurrent_parameters": {
        "one bias": (
            lambda kind, E, C, layers, both: (
                parameters_of_torch(kind, E, C, layers, both)
                - {"tanh": 1, "GRU": 3, "LSTM": 4}[kind] * C * layers * (1 + both)
            ),
            "one_bias",
        ),
        "a head as well": lambda kind, E, C, layers, both: parameters_of_torch(kind, E, C, layers, both) + C + 1,
        "0": lambda *case: 0,
        "text": lambda kind, *rest: kind,
        "one direction": (lambda *case: parameters_of_torch(*case[:-1], False), "one_direction_only"),
    },
    "both_directions": {
        "one direction": lambda x, lengths, ahead, back: ahead(x),
        "flip of whole rows": (
            lambda x, lengths, ahead, back: torch.cat([ahead(x), back(x.flip(1)).flip(1)], 2),
            "lengths_ignored",
        ),
        "zeros": lambda x, lengths, ahead, back: 0 * torch.cat([ahead(x), back(x)], 2),
        "readers swapped": (lambda x, n, ahead, back: both_by_index(x, n, back, ahead), "readers_swapped"),
        "added": (
            lambda x, n, ahead, back: sum(both_by_index(x, n, ahead, back).chunk(2, 2)),
            "states_added",
        ),
    },
}


# --- the references against torch's layers -----------------------------------------------------------------------


def test_both_directions_are_those_of_a_packed_bidirectional_lstm():
    torch.manual_seed(0)
    layer, x, lengths = nn.LSTM(3, 4, batch_first=True, bidirectional=True), torch.randn(3, 6, 3), [6, 2, 4]
    readers = []
    for end in ("l0", "l0_reverse"):
        half = nn.LSTM(3, 4, batch_first=True)
        half.load_state_dict({name: getattr(layer, name.replace("l0", end)) for name in half.state_dict()})
        readers.append(lambda x, half=half: half(x)[0])
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    expected, _ = nn.utils.rnn.pad_packed_sequence(layer(packed)[0], batch_first=True)
    torch.testing.assert_close(check.both_directions.reference(x, lengths, *readers), expected)


@pytest.mark.parametrize("B, T, E, C", [(1, 1, 1, 1), (2, 5, 3, 4), (3, 7, 6, 2)])
def test_gated_cells_compute_what_torch_computes(B, T, E, C):
    torch.manual_seed(B)
    x = torch.randn(B, T, E)
    for gated, layer in ((GatedLSTM, nn.LSTM), (GatedGRU, nn.GRU)):
        theirs = layer(E, C, batch_first=True)
        torch.testing.assert_close(gated(E, C).copy(theirs)(x), theirs(x)[0])
    for gated, cell in ((GatedLSTM, nn.LSTMCell), (GatedGRU, nn.GRUCell)):
        theirs = cell(E, C)
        state = theirs(x[:, 0])
        torch.testing.assert_close(gated(E, C).copy(theirs)(x)[:, 0], state[0] if isinstance(state, tuple) else state)


def test_the_gru_of_the_paper_is_the_reference():
    torch.manual_seed(0)
    layer, x = nn.GRUCell(3, 4), torch.randn(2, 1, 3)
    gated = GatedGRU(3, 4, after=False).copy(layer)
    h = torch.randn(2, 4)
    weights = [weight.detach() for weight in layer.parameters()]
    torch.testing.assert_close(gated.step(x[:, 0], h), check.gru_step.reference(x[:, 0], h, *weights, False))


def test_a_trace_shows_gates_and_an_emptied_cell_stays_empty():
    torch.manual_seed(0)
    lstm, x = GatedLSTM(3, 4), torch.randn(2, 6, 3)
    trace = lstm.trace(x)
    assert all((gate > 0).all() and (gate < 1).all() for gate in (trace.f, trace.i, trace.o))
    before = F.pad(trace.c[:, :-1], (0, 0, 1, 0))
    torch.testing.assert_close(trace.c, trace.f * before + trace.i * trace.g)
    alive = torch.tensor([[1.0, 1, 0, 1], [1, 1, 1, 1]])
    without = lstm.trace(x, alive)
    assert not without.c[0, :, 2].any() and not without.h[0, :, 2].any()
    torch.testing.assert_close(without.h[1], trace.h[1])
    assert (GatedLSTM(3, 4, forgets=False).trace(x).f == 1).all()


def test_alone_the_whole_is_the_direct_path_and_the_product_of_the_gates():
    torch.manual_seed(0)
    lstm, x = GatedLSTM(3, 16), torch.randn(2, 9, 3)
    direct, whole = between_cells(lstm, x, alone=True, probes=2_000)
    torch.testing.assert_close(direct, whole, rtol=0.1, atol=0)
    f = lstm.trace(x).f
    torch.testing.assert_close(direct[:, 3], f[:, -3:].prod(1).norm(dim=1))
    _, free = between_cells(lstm, x, probes=2_000)
    assert (free[:, 1] - whole[:, 1]).abs().max() > 1e-3


def test_the_whole_is_the_norm_of_the_jacobian():
    torch.manual_seed(0)
    lstm, x = GatedLSTM(2, 5), 2 * torch.randn(1, 4, 2)
    h = c = torch.zeros(1, 5)
    *_, c, h = lstm.step(x[:, 0], h, c)
    o = lstm.step(x[:, 0], torch.zeros(1, 5), torch.zeros(1, 5))[3].detach()

    def last(cell):
        state, shown = cell[None], o * cell[None].tanh()
        for vector in x[:, 1:].unbind(1):
            *_, state, shown = lstm.step(vector, shown, state)
        return state[0]

    jacobian = torch.autograd.functional.jacobian(last, c[0].detach())
    _, whole = between_cells(lstm, x, probes=5_000)
    torch.testing.assert_close(whole[0, 3], jacobian.norm(), rtol=0.05, atol=0)


@pytest.mark.parametrize("layer", [nn.LSTM(3, 4), nn.GRU(3, 4, num_layers=2, bidirectional=True)])
def test_gates_begin_as_they_are_told(layer):
    open_forget_gates(layer, 2.5)
    for name, value in layer.named_parameters():
        if "bias" in name:
            assert (value[4:8] == (2.5 if "bias_ih" in name else 0)).all()


def test_time_scales_begin_between_two_steps_and_the_longest():
    torch.manual_seed(0)
    for layer in (nn.LSTM(3, 200), nn.GRU(3, 200)):
        bias = chrono(layer, 50).bias_ih_l0[200:400].detach()
        scales = -1 / torch.sigmoid(bias).log()
        assert 1.4 < scales.min() < 5 and 45 < scales.max() < 50.5
    with pytest.raises(ValueError, match="at least 3"):
        chrono(nn.GRU(3, 4), 2)


def test_a_task_has_its_symbol_first_and_its_gap_behind():
    tokens, labels = delayed_recall(50, 7, seed=1)
    assert tokens.shape == (50, 8) and torch.equal(tokens[:, 0], labels)
    assert labels.max() < 4 <= tokens[:, 1:].min()
    assert Recaller(nn.GRU(8, 5, batch_first=True))(tokens).shape == (50, 4)


def test_both_directions_see_the_future_and_one_does_not():
    torch.manual_seed(0)
    x = torch.randn(6, 3)
    for both in (False, True):
        layer = nn.LSTM(3, 4, batch_first=True, bidirectional=both)
        above = reach.influence(lambda v, layer=layer: layer(v[None])[0][0], x).triu(1)
        assert bool(above.any()) == both


def test_the_record_has_each_seed_and_its_command():
    record = json.loads((RECORDED / "recall.json").read_text())
    assert record["command"] == "python -m bench.record_recall"
    longest = record["accuracy"]["LSTM, time scales to the gap"]
    assert [*longest] == [str(gap) for gap in record["gaps"]] and record["gaps"][-1] == 500
    for by_gap in record["accuracy"].values():
        given_up = [gap for gap, shares in by_gap.items() if max(shares) < 0.5]
        assert given_up in ([], [[*by_gap][-1]])
        assert all(len(shares) == 3 for shares in by_gap.values())


def test_the_recorder_tries_each_layer_and_gives_up_on_those_that_guess(tmp_path, monkeypatch):
    for name, value in {"CUDA_VISIBLE_DEVICES": "", "REACH_STRICT": "", "REACH_TRAINING": ""}.items():
        monkeypatch.setenv(name, value)  # the recorder sets them; here they are set back
    monkeypatch.setattr(record_recall, "RECORD", tmp_path / "recall.json")
    monkeypatch.setattr(record_recall, "GAPS", (3, 4))
    monkeypatch.setattr(record_recall, "LONGER", (5,))
    monkeypatch.setattr(record_recall, "VERY_LONG", 6)
    answers = {"tanh": 0.3, "GRU": 0.9}
    layers = {name: record_recall.LAYERS[name] for name in (*answers, "LSTM, time scales to the gap")}
    monkeypatch.setattr(record_recall, "LAYERS", layers)
    train = record_recall.train
    monkeypatch.setattr(record_recall, "train", lambda name, *case: (train(name, *case)[0], answers.get(name, 1.0)))
    assert record_recall.main(["--steps", "1", "--seeds", "2"]) == 0
    record = json.loads((tmp_path / "recall.json").read_text())
    assert record["accuracy"]["tanh"] == {"3": [0.3, 0.3]}
    assert [*record["accuracy"]["GRU"]] == ["3", "4"]
    assert len(record["tested_longer"]["5"]) == len(record["trained_at"]["6"]) == 2


# --- figures ----------------------------------------------------------------------------------------------------------


def test_gates_are_drawn_with_a_column_for_each_character():
    panels = plots.plot_gates({"forget gate": torch.rand(5, 3), "input gate": torch.rand(5, 3)}, "a b\nc", "gates")
    assert [ax.get_ylabel() for ax in panels] == ["forget gate", "input gate"]
    assert [label.get_text() for label in panels[-1].get_xticklabels()] == ["a", "·", "b", "↵", "c"]
    assert panels[0].images[0].get_array().shape == (3, 5)


def test_saturation_shows_shares_of_all_values():
    ends, middle = torch.tensor([0.01, 0.99]), torch.tensor([0.5, 0.5])
    panels = plots.plot_saturation({"f": ends}, {"f": middle})
    untrained, trained = (patch.get_data().values for patch in panels.flat[0].patches)
    assert trained[0] == trained[-1] == 50 and untrained.max() == 100


# --- the widget -------------------------------------------------------------------------------------------------------


def test_half_lives_and_what_is_left():
    assert widget.half_life(0.5) == pytest.approx(1)
    assert widget.half_life(widget.gate_of(5)) == pytest.approx(103.2, abs=0.1)
    assert "half is left after 2.2 steps" in widget.describe(1)
    ax = widget.draw(0).axes[0]
    half = next(line for line in ax.lines if line.get_marker() == "o")
    assert (half.get_xdata()[0], half.get_ydata()[0]) == (pytest.approx(1), pytest.approx(50))


def test_forget_gate(lab):
    from playwright.sync_api import expect

    with lab.run("forget_gate", "from utils.widgets.forget_gate import forget_gate\nforget_gate()") as page:
        explorer = page.locator(".forget-gate")
        said, picture, slider = (
            explorer.get_by_role("status"),
            explorer.get_by_role("img"),
            explorer.get_by_role("slider"),
        )
        expect(said).to_contain_text("half is left after 14.3 steps")
        before = picture.get_attribute("src") or ""

        def press(key):
            slider.focus()
            slider.press(key)

        def says(text):
            return lambda patience: expect(said).to_contain_text(text, timeout=patience)

        repeat(lambda: press("Home"), says("half is left after 0.3 steps"))
        expect(picture).not_to_have_attribute("src", before)
        repeat(lambda: press("End"), says("f = 0.9997"))
        expect(said).to_have_text(re.compile("after 500 steps 85 %"))
