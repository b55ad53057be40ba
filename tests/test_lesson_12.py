"""Lesson 12: right answers in other styles, wrong ones that are on no list, tasks, record, figures, widget."""

import json
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from bench import record_selective
from tests.browser import repeat
from utils.checks import recurrence_returns as check
from utils.models.scan import scan_loop
from utils.models.stateful import LSTM, CausalAttention, Forecaster, state_bytes
from utils.paths import RECORDED
from utils.plotting import memory as plots
from utils.tasks.languages import GO, NOISE, associations, selective_copying, swings
from utils.widgets import selectivity as widget

# --- right answers in other styles ----------------------------------------------------------------------------------


def rounds_by_lists(a, b):
    A, B, shift, rounds = a.tolist(), b.tolist(), 1, []
    while shift < len(A):
        old_A, old_B = list(A), list(B)
        for t in range(shift, len(A)):
            A[t], B[t] = old_A[t] * old_A[t - shift], old_A[t] * old_B[t - shift] + old_B[t]
        rounds.append(torch.tensor(B))
        shift += shift
    return rounds


def rounds_in_numpy(a, b):
    A, B = a.numpy().astype(np.float64), b.numpy().astype(np.float64)
    rounds = []
    for power in range(math.ceil(math.log2(len(A)))):
        s = 2**power
        B = np.concatenate([B[:s], A[s:] * B[:-s] + B[s:]])
        A = np.concatenate([A[:s], A[s:] * A[:-s]])
        rounds.append(B)
    return rounds


def rounds_by_rolling(a, b):
    A, B, rounds = a.clone(), b.clone(), []
    places = torch.arange(len(a))
    for power in range((len(a) - 1).bit_length()):
        early = places < 2**power
        A_before, B_before = A.roll(2**power).masked_fill(early, 1), B.roll(2**power).masked_fill(early, 0)
        A, B = A * A_before, torch.addcmul(B, A, B_before)
        rounds.append(B)
    return tuple(rounds)


def selective_by_loops(x, h, A, W_delta, b_delta, W_B, W_C, D):
    C, N = h.shape
    delta = [math.log1p(math.exp(float(W_delta[c] @ x + b_delta[c]))) for c in range(C)]
    new, y = torch.zeros(C, N), torch.zeros(C)
    for c in range(C):
        for n in range(N):
            new[c, n] = math.exp(delta[c] * A[c, n]) * h[c, n] + delta[c] * (W_B[n] @ x) * x[c]
        y[c] = new[c] @ (W_C @ x) + D[c] * x[c]
    return y, new


def selective_by_einsum(x, h, A, W_delta, b_delta, W_B, W_C, D):
    delta = (1 + (torch.einsum("cd,d->c", W_delta, x) + b_delta).exp()).log()
    h = h * (delta.unsqueeze(1) * A).exp() + torch.einsum("c,n,c->cn", delta, W_B.mv(x), x)
    return [torch.einsum("cn,n->c", h, W_C.mv(x)) + x * D, h]


def selective_in_doubles(*case):
    return check.selective_step.reference(*(part.double() for part in case))


def wkv_by_states(k, v, w, u):
    top, bottom, p, means = torch.zeros_like(w), torch.zeros_like(w), torch.full_like(w, -1e38), []
    for key, value in zip(k, v, strict=True):
        q = torch.maximum(p, u + key)
        old, new = (p - q).exp(), (u + key - q).exp()
        means.append((old * top + new * value) / (old * bottom + new))
        q = torch.maximum(p - w, key)
        old, new = (p - w - q).exp(), (key - q).exp()
        top, bottom, p = old * top + new * value, old * bottom + new, q
    return torch.stack(means)


def wkv_in_numpy(k, v, w, u):
    k, v, w, u = (part.numpy().astype(np.float64) for part in (k, v, w, u))
    means = np.zeros_like(v)
    for t in range(len(k)):
        e = np.array([k[i] - (t - 1 - i) * w if i < t else k[i] + u for i in range(t + 1)])
        weights = np.exp(e - e.max(0))
        means[t] = (weights * v[: t + 1]).sum(0) / weights.sum(0)
    return means


def wkv_channel_by_channel(k, v, w, u):
    columns = []
    for c in range(k.shape[1]):
        rows = []
        for t in range(len(k)):
            exponents = [k[i, c] - (t - 1 - i) * w[c] for i in range(t)] + [u[c] + k[t, c]]
            weights = torch.stack(exponents).softmax(0)
            rows.append(weights @ v[: t + 1, c])
        columns.append(torch.stack(rows))
    return torch.stack(columns, 1)


def mlstm_by_loops(q, k, v, i, f, C, n, m):
    log_f = -math.log1p(math.exp(-float(f))) if f > -50 else float(f)
    top = max(log_f + float(m), float(i))
    keep, write = math.exp(log_f + float(m) - top), math.exp(float(i) - top)
    D = len(q)
    new_C = torch.tensor([[keep * C[r, c] + write * v[r] * k[c] for c in range(D)] for r in range(D)])
    new_n = torch.tensor([keep * n[d] + write * k[d] for d in range(D)])
    lowest = math.exp(min(-top, 700.0))
    size = max(abs(sum(float(new_n[d] * q[d]) for d in range(D))), lowest)
    h = [float(sum(new_C[r, c] * q[c] for c in range(D))) / size for r in range(D)]
    return torch.tensor(h), new_C, new_n, torch.tensor(top)


def mlstm_in_doubles(*case):
    h, C, n, m = check.mlstm_step.reference(*(part.double() for part in case))
    return [h, C, n, m]


def mlstm_by_broadcasting(q, k, v, i, f, C, n, m):
    log_f = -F.softplus(-f)
    top = torch.stack([log_f + m, i]).max()
    keep, write = (log_f + m - top).exp(), (i - top).exp()
    C, n = C * keep + v[:, None] * k * write, torch.add(n * keep, k * write)
    return (C * q).sum(1) / torch.clamp((n * q).sum().abs(), min=(-top).exp()), C, n, top


def bytes_by_table(layers, length, width, heads, state, precision):
    D = width / heads
    numbers = {"attention": length * width * 2, "LSTM": width + width, "SSM": state * width, "RWKV": width * 4}
    numbers["mLSTM"] = heads * (D**2 + D + 1)
    return int(sum(numbers[kind] for kind in layers) * precision)


def bytes_by_match(layers, length, width, heads, state, precision):
    total = 0
    for kind in layers:
        match kind:
            case "attention":
                total += precision * length * 2 * width
            case "LSTM":
                total += precision * 2 * width
            case "SSM":
                total += precision * width * state
            case "RWKV":
                total += precision * 4 * width
            case _:
                total += precision * (width * width // heads + width + heads)
    return np.int64(total)


def bytes_by_counting(layers, length, width, heads, state, precision):
    one = {"attention": length * 2 * width, "LSTM": 2 * width, "SSM": width * state, "RWKV": 4 * width}
    one["mLSTM"] = width**2 // heads + width + heads
    return sum(one[kind] * layers.count(kind) for kind in set(layers)) * precision


RIGHT = {
    "scan_rounds": {"lists": rounds_by_lists, "numpy, doubles": rounds_in_numpy, "roll, a tuple": rounds_by_rolling},
    "selective_step": {"loops": selective_by_loops, "einsum": selective_by_einsum, "doubles": selective_in_doubles},
    "wkv": {"a state": wkv_by_states, "numpy": wkv_in_numpy, "channel by channel": wkv_channel_by_channel},
    "mlstm_step": {"loops": mlstm_by_loops, "doubles": mlstm_in_doubles, "broadcasting": mlstm_by_broadcasting},
    "kept_bytes": {"a table": bytes_by_table, "match": bytes_by_match, "counting": bytes_by_counting},
}

# --- wrong answers ----------------------------------------------------------------------------------------------------


def rounds_of_the_loop(a, b):
    h, states = torch.tensor(0.0), []
    for decay, value in zip(a, b, strict=True):
        h = decay * h + value
        states.append(h)
    return [torch.stack(states)]


def rounds_in_place(a, b):
    A, B, shift, rounds = a.clone(), b.clone(), 1, []
    while shift < len(a):
        B[shift:] += A[shift:] * B[:-shift]
        A[shift:] *= A[:-shift].clone()
        rounds.append(B)  # the same tensor each time
        shift *= 2
    return rounds


def selective_without_selection(x, h, A, W_delta, b_delta, W_B, W_C, D):
    return check.selective_step.reference(x, h, A, 0 * W_delta, b_delta, W_B, W_C, D)


def wkv_by_cumsum(k, v, w, u):
    weights = k.exp()
    return (weights * v).cumsum(0) / weights.cumsum(0)


def wkv_updated_first(k, v, w, u):
    top, bottom, means = 0 * w, 0 * w, []
    for key, value in zip(k, v, strict=True):
        top, bottom = top * (-w).exp() + key.exp() * value, bottom * (-w).exp() + key.exp()
        own = (u + key).exp()
        means.append((top + own * value) / (bottom + own))
    return torch.stack(means)


def mlstm_naive(q, k, v, i, f, C, n, m):
    C, n = f.sigmoid() * C + i.exp() * torch.outer(v, k), f.sigmoid() * n + i.exp() * k
    return C @ q / (n @ q).abs().clamp(min=1), C, n, m


WRONG = {
    "scan_rounds": {
        "the states of a loop": rounds_of_the_loop,
        "one tensor, overwritten": (rounds_in_place, "rounds_overwritten"),
        "the states alone": (lambda a, b: scan_loop(a[None], b[None])[0] if len(a) > 1 else b, "last_states_alone"),
        "a sum": lambda a, b: [b.cumsum(0)],
        "decays left": (check.scan_rounds.variant(kept=False), "decays_not_joined"),
    },
    "selective_step": {
        "nothing selected": selective_without_selection,
        "the state alone": lambda *case: check.selective_step.reference(*case)[1],
        "swapped": (lambda *case: check.selective_step.reference(*case)[::-1], "state_first"),
        "zeros": lambda x, h, *rest: (0 * x, 0 * h),
        "no softplus": (check.selective_step.variant(positive=lambda s: s), "no_softplus"),
    },
    "wkv": {
        "no age, no bonus": wkv_by_cumsum,
        "the values": lambda k, v, w, u: v,
        "counted twice": (wkv_updated_first, "newest_step_twice"),
        "decay off by one": (check.wkv.variant(age=lambda ago: ago + 1), "newest_faded"),
        "overflow": (check.wkv.variant(join=check._unsafe), "overflow"),
    },
    "mlstm_step": {
        "no stabiliser": (mlstm_naive, "no_stabiliser"),
        "log of sigmoid": (check.mlstm_step.variant(log_f=lambda f: f.sigmoid().log()), "logarithm_of_the_sigmoid"),
        "the state as it was": lambda q, k, v, i, f, C, n, m: (v, C, n, m),
        "k vᵀ": (check.mlstm_step.variant(outer=lambda v, k: torch.outer(k, v)), "key_and_value_turned"),
        "at least 1": (
            check.mlstm_step.variant(size=lambda n, q, top: (n @ q).abs().clamp(min=1)),
            "one_instead_of_its_share",
        ),
    },
    "kept_bytes": {
        "0": lambda *case: 0,
        "numbers": (lambda *case: check.kept_bytes.reference(*case[:-1], 1), "numbers_not_bytes"),
        "keys alone": (check.kept_bytes.variant(pairs=lambda C, H, T: C * T), "keys_alone"),
        "one layer": lambda layers, *rest: check.kept_bytes.reference(layers[:1], *rest),
    },
}


# --- tasks ------------------------------------------------------------------------------------------------------------


def test_the_symbols_of_selective_copying_stand_in_their_order_among_noise():
    tokens, answers = selective_copying(50, 20, 3, seed=1)
    assert tokens.shape == (50, 23) and (tokens[:, 20:] == GO).all()
    for row, answer in zip(tokens[:, :20], answers, strict=True):
        assert row[row < NOISE].tolist() == answer.tolist()
    assert len({tuple((row < NOISE).nonzero()[:, 0].tolist()) for row in tokens[:, :20]}) > 40
    with pytest.raises(ValueError, match="do not fit"):
        selective_copying(1, 2, 3, seed=0)


def test_pairs_are_asked_again_with_the_same_values():
    tokens, answers = associations(50, 6, seed=1)
    assert tokens.shape == (50, 24) and answers.shape == (50, 6)
    for row, answer in zip(tokens.tolist(), answers.tolist(), strict=True):
        told = dict(zip(row[0:12:2], row[1:12:2], strict=True))
        assert len(told) == 6 and answer == [told[key] for key in row[12::2]] == row[13::2]
    assert tokens[:, ::2].max() < 16 <= tokens[:, 1::2].min()
    with pytest.raises(ValueError, match="as many keys"):
        associations(1, 17, seed=0)


def test_who_knows_the_period_forecasts_a_pendulum_up_to_its_push():
    series = swings(400, 300, seed=0, periods=(12, 12))[..., 0]
    forecast = 2 * 0.97 * math.cos(2 * math.pi / 12) * series[:, 1:-1] - 0.97**2 * series[:, :-2]
    assert (series[:, 2:] - forecast).square().mean().item() == pytest.approx(0.09, rel=0.05)
    assert torch.equal(series, swings(400, 300, seed=0, periods=(12, 12))[..., 0])


def test_a_forecaster_steps_as_it_reads():
    torch.manual_seed(0)
    for layer in (LSTM(8), CausalAttention(8)):
        model, series, states, steps = Forecaster(8, [layer]), torch.randn(2, 12, 1), None, []
        for value in series.unbind(1):
            forecast, states = model.step(value, states)
            steps.append(forecast)
        torch.testing.assert_close(torch.stack(steps, 1), model(series), atol=1e-5, rtol=1e-4)


# --- the record -------------------------------------------------------------------------------------------------------


def test_the_record_has_each_model_three_seeds_and_its_command():
    record = json.loads((RECORDED / "selective.json").read_text())
    assert record["command"] == "python -m bench.record_selective"
    for task, wanted in record_selective.TASKS.items():
        assert set(record[task]) == set(wanted["models"])
        for name, one in record[task].items():
            assert len(one["accuracy"]) == 3 and one["bytes"] == record_selective.kept(task, name)


def test_the_recorder_leaves_the_other_task_as_it_was(tmp_path, monkeypatch):
    for name in ("CUDA_VISIBLE_DEVICES", "REACH_STRICT", "REACH_TRAINING"):
        monkeypatch.setenv(name, "")  # the recorder sets them; here they are set back
    monkeypatch.setattr(record_selective, "RECORD", tmp_path / "selective.json")
    for task in record_selective.TASKS.values():
        monkeypatch.setitem(task, "models", dict(list(task["models"].items())[:2]))
    assert record_selective.main(["--steps", "1", "--seeds", "1"]) == 0
    first = json.loads((tmp_path / "selective.json").read_text())
    assert record_selective.main(["--steps", "1", "--seeds", "2", "--only", "copying"]) == 0
    second = json.loads((tmp_path / "selective.json").read_text())
    assert second["associations"] == first["associations"]
    assert [len(one["accuracy"]) for one in second["copying"].values()] == [2, 2]


# --- bytes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, name", [("LSTM", "LSTM"), ("SSM", "selective SSM, N = 4"), ("RWKV", "RWKV"),
                                        ("mLSTM", "mLSTM, 2 heads"), ("attention", "attention")])  # fmt: skip
def test_counted_bytes_are_those_that_the_layers_hold(kind, name):
    layer = record_selective.KINDS[name](8)
    _, state = layer.by_steps(torch.randn(1, 13, 8))
    assert state_bytes(state) == check.kept_bytes.reference([kind], 13, 8, 2, 4, 4)


# --- figures ----------------------------------------------------------------------------------------------------------


def test_answers_have_a_column_for_each_token_and_a_row_for_each_question():
    (panel,) = plots.plot_answers({"heard": torch.rand(3, 5)}, list("ab··?"))
    assert [label.get_text() for label in panel.get_xticklabels()] == list("ab··?")
    assert panel.images[0].get_array().shape == (3, 5)


def test_each_model_stands_at_its_bytes():
    ax = plots.plot_by_bytes({"LSTM": (640, [0.1, 0.2]), "attention": (8576, [1.0])}, 1 / 8, "recall")
    assert [list(line.get_xdata()) for line in ax.lines[:2]] == [[640, 640], [8576]]
    assert {text.get_text() for text in ax.texts} == {"LSTM", "attention", "guessing"}


def test_delays_and_openness_are_drawn():
    ax = plots.plot_delays({"LSTM": [0.1, 0.2, 0.1]}, "stream")
    assert list(ax.lines[0].get_xdata()) == [1, 2, 3]
    ax = plots.plot_openness({"layer 1": torch.tensor([1.0, 2.0])}, ["A", "·"], "time")
    assert list(ax.lines[0].get_ydata()) == [1.0, 2.0]


# --- the widget -------------------------------------------------------------------------------------------------------


def test_shares_add_up_and_selectivity_leaves_the_letters():
    for time in (0.001, 0.1, 10):
        for s in (0, 2, 5):
            assert widget.weights(time, s).sum() == pytest.approx(1)
    small = widget.weights(0.001, 0)
    assert small.max() < 1.1 * small.min()  # hardly any time passes: all tokens weigh about the same
    letters = [token.isalpha() for token in widget.TOKENS]
    assert widget.weights(0.1, 5)[letters].sum() > 0.99
    assert widget.weights(0.1, 0)[letters].sum() < 0.3


def test_selectivity(lab):
    from playwright.sync_api import expect

    with lab.run("selectivity", "from utils.widgets.selectivity import selectivity\nselectivity()") as page:
        explorer = page.locator(".selectivity")
        said, picture = explorer.get_by_role("status"), explorer.get_by_role("img")
        time, chosen = explorer.get_by_role("slider").nth(0), explorer.get_by_role("slider").nth(1)
        expect(said).to_have_text(widget.describe(0.1, 0))
        before = picture.get_attribute("src") or ""

        def press(slider, key):
            slider.focus()
            slider.press(key)

        def says(text):
            return lambda patience: expect(said).to_have_text(text, timeout=patience)

        repeat(lambda: press(chosen, "End"), says(widget.describe(0.1, 5)))
        expect(picture).not_to_have_attribute("src", before)
        repeat(lambda: press(time, "Home"), says(widget.describe(0.001, 5)))
