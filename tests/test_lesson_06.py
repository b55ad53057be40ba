"""Lesson 06: right answers in other styles, wrong ones that are on no list, its arithmetic, its figures, its widget."""

import json
import math
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

from bench import record_recall_rnn as recorder
from tests.browser import repeat
from utils import paths
from utils.checks import why_rnns_forget as check
from utils.models.recall import Recaller, delayed_recall, tanh_layer
from utils.plotting import gradients
from utils.reach import recurrent
from utils.widgets import gain_explorer


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


# --- right answers in other styles --------------------------------------------------------------------------------


def product_by_diag(W_h, states):
    product = torch.diag(1 - states[-1] ** 2) @ W_h
    for state in states[1:-1].flip(0):  # from the last step back
        product = product @ torch.diag(1 - state**2) @ W_h
    return product


def product_by_loops(W_h, states):
    H = len(W_h)
    product = [[float(i == j) for j in range(H)] for i in range(H)]
    for state in states[1:].tolist():
        product = [
            [(1 - state[i] ** 2) * sum(W_h[i, k].item() * product[k][j] for k in range(H)) for j in range(H)]
            for i in range(H)
        ]
    return torch.tensor(product)


def product_by_autograd(W_h, states):
    inputs = states[1:].double().atanh() - states[:-1].double() @ W_h.double().T

    def last(h):
        for x in inputs:
            h = torch.tanh(W_h.double() @ h + x)
        return h

    return torch.autograd.functional.jacobian(last, states[0].double())


def product_by_multi_dot(W_h, states):
    factors = torch.einsum("ti,ij->tij", 1 - states[1:] ** 2, W_h)
    return torch.linalg.multi_dot([*factors.flip(0)]) if len(factors) > 1 else factors[0]


def bptt_by_jacobians(W_h, states, gradients):
    """Every loss on its own, with the products of Jacobians: slow, and right."""
    total = torch.zeros_like(W_h)
    for end in range(1, len(states)):
        back = gradients[end - 1]
        for t in range(end, 0, -1):
            delta = back * (1 - states[t] ** 2)
            total += delta[:, None] * states[t - 1]
            back = delta @ W_h
    return total


def bptt_by_autograd(W_h, states, gradients):
    W = W_h.clone().requires_grad_()
    inputs = states[1:].atanh() - states[:-1] @ W_h.T
    h, loss = states[0], 0
    for x, gradient in zip(inputs, gradients, strict=True):
        h = torch.tanh(W @ h + x)
        loss = loss + (gradient * h).sum()
    loss.backward()
    return W.grad


def bptt_in_numpy(W_h, states, gradients):
    W, h, g = (tensor.double().numpy() for tensor in (W_h, states, gradients))
    deltas, later = [], np.zeros(len(W))
    for t in range(len(g) - 1, -1, -1):
        deltas.append((g[t] + later) * (1 - h[t + 1] ** 2))
        later = W.T @ deltas[-1]
    return np.array(deltas[::-1]).T @ h[:-1]


def horizon_by_the_ruler(W_h, states, share):
    return recurrent.gradient_horizon(W_h, states, share)


def horizon_from_scratch(W_h, states, share):
    for gap in range(1, len(states)):
        J = check.jacobian_product.reference(W_h.double(), states[-gap - 1 :].double())
        if torch.linalg.svdvals(J).max() < share:
            return gap
    return len(states)


def horizon_with_ord_two(W_h, states, share):
    J, gap = np.eye(len(W_h)), 0
    while gap < len(states) - 1:
        J = J @ np.diag(1 - states[len(states) - 1 - gap].double().numpy() ** 2) @ W_h.double().numpy()
        gap += 1
        if np.linalg.norm(J, 2) < share:
            return torch.tensor(gap)
    return gap + 1


def clip_by_torch(gradients, limit):
    weights = [nn.Parameter(torch.zeros_like(gradient)) for gradient in gradients]
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad = gradient.clone()
    norm = nn.utils.clip_grad_norm_(weights, limit)
    return tuple(weight.grad for weight in weights), norm


def clip_with_an_epsilon(gradients, limit):
    norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
    factor = (limit / (norm + 1e-6)).clamp(max=1)
    return [gradient * factor for gradient in gradients], norm.item()


def clip_in_place(gradients, limit):
    norm = math.sqrt(sum(number**2 for gradient in gradients for number in gradient.flatten().tolist()))
    if norm > limit:
        for gradient in gradients:
            gradient *= limit / norm
    return gradients, norm


def clip_flattened(gradients, limit):
    whole = torch.cat([gradient.reshape(-1) for gradient in gradients]).double()
    norm = torch.linalg.vector_norm(whole)
    whole = torch.where(norm > limit, whole * limit / norm, whole)
    parts = whole.split([gradient.numel() for gradient in gradients])
    return [part.view(gradient.shape) for part, gradient in zip(parts, gradients, strict=True)], norm


def batch_by_loops(count, gap, symbols, fillers):
    rows = []
    for _ in range(count):
        row = [int(torch.randint(0, symbols, ()))]
        row += [int(torch.randint(symbols, symbols + fillers, ())) for _ in range(gap)]
        rows.append(row)
    tokens = torch.tensor(rows)
    return tokens, tokens[:, 0]


def batch_by_overwriting(count, gap, symbols, fillers):
    tokens = torch.randint(symbols, symbols + fillers, (count, gap + 1))
    tokens[:, 0] = torch.randint(0, symbols, (count,))
    return tokens, tokens[:, 0].clone()


def batch_in_numpy(count, gap, symbols, fillers):
    draw = np.random.default_rng()
    labels = draw.integers(0, symbols, (count, 1))
    return np.hstack([labels, draw.integers(symbols, symbols + fillers, (count, gap))]), labels[:, 0]


RIGHT = {
    "jacobian_product": {
        "diag, from the end": product_by_diag,
        "loops": product_by_loops,
        "autograd": product_by_autograd,
        "multi_dot": product_by_multi_dot,
    },
    "bptt": {
        "each loss alone": bptt_by_jacobians,
        "autograd": bptt_by_autograd,
        "numpy, all outer products at once": bptt_in_numpy,
    },
    "gradient_horizon": {
        "the ruler": horizon_by_the_ruler,
        "each gap afresh": horizon_from_scratch,
        "numpy, a tensor": horizon_with_ord_two,
    },
    "clip_by_norm": {
        "torch's own, a tuple": clip_by_torch,
        "an epsilon": clip_with_an_epsilon,
        "flattened and cut again": clip_flattened,
    },
    "recall_batch": {
        "loops": batch_by_loops,
        "overwritten": batch_by_overwriting,
        "numpy": batch_in_numpy,
        "the course's own": lambda *case: delayed_recall(*case[:2], int(torch.randint(10**6, ())), *case[2:]),
    },
}


# --- wrong answers ------------------------------------------------------------------------------------------------


def power_of_the_mean_factor(W_h, states):
    factor = (1 - states[1:] ** 2).mean(0)[:, None] * W_h
    return torch.linalg.matrix_power(factor, len(states) - 1)


def bptt_twice(W_h, states, gradients):
    return 2 * check.bptt.reference(W_h, states, gradients)


def horizon_of_all_below(W_h, states, share):
    norms = recurrent.jacobian_norms(W_h, states)
    return int((norms >= share).sum())


def clip_to_half(gradients, limit):
    clipped, norm = check.clip_by_norm.reference(gradients, limit / 2)
    return clipped, norm


def draw_from_one_seed(count, gap, symbols, fillers):
    torch.manual_seed(0)
    labels = torch.randint(symbols, (count,))
    return torch.cat([labels[:, None], symbols + (labels[:, None] + torch.arange(gap)) % fillers], 1), labels


def labels_in_turn(count, gap, symbols, fillers):
    labels = torch.arange(count) % symbols
    return torch.cat([labels[:, None], torch.randint(symbols, symbols + fillers, (count, gap))], 1), labels


def only_even_symbols(count, gap, symbols, fillers):
    tokens, labels = delayed_recall(count, gap, 1, symbols, fillers)
    tokens[:, 0] = labels = labels // symbols
    return tokens, labels


WRONG = {
    "jacobian_product": {
        "the power of W_h": (lambda W, h: torch.linalg.matrix_power(W, len(h) - 1), "no_tanh"),
        "by the mean slope": power_of_the_mean_factor,
        "turned": (lambda W, h: check.jacobian_product.reference(W, h).T, None),
        "the identity": lambda W, h: torch.eye(len(W)),
        "another order": (
            lambda W, h: check.jacobian_product.variant(multiply=lambda p, f: p @ f)(W, h),
            "wrong_order",
        ),
    },
    "bptt": {
        "twice as much": bptt_twice,
        "turned": (lambda *case: check.bptt.reference(*case).T, "gradient_transposed"),
        "zeros": lambda W, *rest: torch.zeros_like(W),
        "the last loss only": (
            lambda W, h, g: check.bptt.reference(W, h, torch.cat([0 * g[:-1], g[-1:]])),
            "own_gradients_lost",
        ),
    },
    "gradient_horizon": {
        "the largest entry": (check.gradient_horizon.variant(norm=lambda p: p.abs().max()), "largest_entry"),
        "one too small": (lambda *case: check.gradient_horizon.reference(*case) - 1, "one_too_small"),
        "gaps at or above, counted": lambda *case: horizon_of_all_below(*case) + 1,
        "the whole length": lambda W, h, share: len(h),
        "always 3": lambda *case: 3,
    },
    "clip_by_norm": {
        "to half of the limit": clip_to_half,
        "in place": (clip_in_place, "", "in place"),
        "one tensor": (
            lambda gradients, limit: (gradients[0], check.clip_by_norm.reference(gradients, limit)[1]),
            "",
            "expected",
        ),
        "the gradients as they are": (
            lambda gradients, limit: (gradients, check.clip_by_norm.reference(gradients, limit)[1]),
            "never_clipped",
        ),
        "0 / 0": (
            lambda gradients, limit: (
                [
                    g * (limit / check.clip_by_norm.reference(gradients, limit)[1] if g.any() else math.nan)
                    for g in gradients
                ],
                check.clip_by_norm.reference(gradients, limit)[1],
            ),
            None,
        ),
    },
    "recall_batch": {
        "fillers follow the label": (draw_from_one_seed, "fillers_tell_the_symbol"),
        "a seed of its own": (lambda *case: delayed_recall(case[0], case[1], 3, *case[2:]), "", "Two calls"),
        "labels in turn": (labels_in_turn, "", "Two calls"),
        "int32": (lambda *case: tuple(part.int() for part in check.recall_batch.reference(*case)), "", "int64"),
        "one symbol": (only_even_symbols, "same_symbol_in_every_row"),
        "tokens alone": (lambda *case: check.recall_batch.reference(*case)[0], "", "Expected a pair"),
        "floats": (lambda *case: tuple(part.float() for part in check.recall_batch.reference(*case)), "", "int64"),
        "from 0 on": (
            lambda count, gap, symbols, fillers: (
                torch.cat([(y := torch.randint(symbols, (count,)))[:, None], torch.randint(fillers, (count, gap))], 1),
                y,
            ),
            None,
        ),
    },
}


# --- the lesson's arithmetic --------------------------------------------------------------------------------------


@pytest.fixture
def chain():
    torch.manual_seed(0)
    layer, vectors = nn.RNN(3, 5, batch_first=True).double(), torch.randn(9, 3).double()
    return layer, vectors, recurrent.states_of(layer, vectors)


def test_the_product_of_jacobians_is_that_of_torchs_layer(chain):
    layer, vectors, states = chain
    by_autograd = torch.autograd.functional.jacobian(
        lambda h: layer(vectors[None], h[None, None])[1][0, 0], torch.zeros(5).double()
    )
    torch.testing.assert_close(check.jacobian_product.reference(layer.weight_hh_l0.detach(), states), by_autograd)


def test_backpropagation_through_time_is_that_of_torchs_layer(chain):
    layer, vectors, states = chain
    gradients = torch.randn(9, 5).double()
    loss = (layer(vectors[None])[0][0] * gradients).sum()
    (by_torch,) = torch.autograd.grad(loss, layer.weight_hh_l0)
    torch.testing.assert_close(check.bptt.reference(layer.weight_hh_l0.detach(), states, gradients), by_torch)


def test_the_norms_of_a_chain_are_those_of_its_products(chain):
    layer, _, states = chain
    norms = recurrent.jacobian_norms(layer.weight_hh_l0, states)
    assert len(norms) == 10 and norms[0] == 1
    for gap in (1, 4, 9):
        J = check.jacobian_product.reference(layer.weight_hh_l0.detach(), states[-gap - 1 :])
        torch.testing.assert_close(norms[gap], torch.linalg.svdvals(J)[0])


def test_states_by_hand_are_those_of_the_layer(chain):
    layer, vectors, states = chain
    inputs = vectors @ layer.weight_ih_l0.T + layer.bias_ih_l0 + layer.bias_hh_l0
    torch.testing.assert_close(recurrent.tanh_states(layer.weight_hh_l0, inputs).detach(), states)


def test_the_lopsided_matrix_grows_to_a_norm_near_19():
    norms = recurrent.jacobian_norms(torch.tensor([[0.9, 5.0], [0.0, 0.9]]), None, 100)
    assert 19 < norms.max() < 20 and norms[100] < 0.1
    assert recurrent.jacobian_norms(torch.eye(3), None, 4).tolist() == [1.0] * 5


@pytest.mark.parametrize(("share", "horizon"), [(0.3, 2), (0.25, 3), (0.001, 6)])
def test_the_horizon_is_the_first_gap_below(share, horizon):
    assert recurrent.gradient_horizon(torch.tensor([[0.5]]), torch.zeros(6, 1), share) == horizon


# --- delayed recall -----------------------------------------------------------------------------------------------


def test_delayed_recall_is_a_symbol_and_then_fillers():
    tokens, labels = delayed_recall(500, 7, seed=1)
    assert tokens.shape == (500, 8) and tokens.dtype == labels.dtype == torch.int64
    assert (tokens[:, 0] == labels).all() and set(labels.tolist()) == {0, 1, 2, 3}
    assert set(tokens[:, 1:].flatten().tolist()) == {4, 5, 6, 7}
    assert torch.equal(tokens, delayed_recall(500, 7, seed=1)[0])
    assert not torch.equal(tokens, delayed_recall(500, 7, seed=2)[0])
    fresh = check.recall_batch.judge(lambda *case: delayed_recall(*case[:2], int(torch.randint(10**6, ())), *case[2:]))
    assert fresh.passed


@pytest.mark.parametrize(("count", "gap"), [(0, 3), (3, 0)])
def test_a_task_without_a_gap_or_a_sequence_is_refused(count, gap):
    with pytest.raises(ValueError, match="at least 1"):
        delayed_recall(count, gap, seed=0)


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_reader_takes_any_recurrent_layer(kind, bidirectional):
    layer = kind(8, 6, batch_first=True, bidirectional=bidirectional)
    model, (tokens, _) = Recaller(layer), delayed_recall(5, 3, seed=0)
    assert model(tokens).shape == (5, 4)
    torch.testing.assert_close(model(tokens), model.head(layer(model.vectors(tokens))[0][:, -1]))


def test_the_reader_refuses_a_layer_that_reads_time_first():
    with pytest.raises(ValueError, match="batch_first"):
        Recaller(nn.RNN(8, 6))


def test_a_tanh_layer_begins_as_it_is_told():
    W = tanh_layer(16, "orthogonal").weight_hh_l0
    torch.testing.assert_close(W @ W.T, torch.eye(16))
    assert torch.equal(tanh_layer(4, "identity").weight_hh_l0, torch.eye(4))
    assert tanh_layer(16).weight_hh_l0.abs().max() <= 0.25
    with pytest.raises(ValueError, match="unknown"):
        tanh_layer(4, "zeros")


# --- the recorded run ---------------------------------------------------------------------------------------------


def test_the_record_has_what_the_lesson_draws():
    record = json.loads((paths.RECORDED / "recall_of_tanh.json").read_text())
    assert set(record["runs"]["400"]) == set(record["horizons"]) == set(recorder.STARTS)
    assert len(record["growing"]["accuracies"]) == record["seeds"] == recorder.SEEDS
    for of_start in record["runs"].values():
        for by_gap in of_start.values():
            assert all(len(found) == record["seeds"] for found in by_gap.values())


def test_the_recorder_goes_on_where_it_stopped(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(recorder, "RECORD", tmp_path / "recall.json")
    monkeypatch.setattr(recorder, "GROWS_TO", 3)
    arguments = ["--gaps", "1", "2", "--steps", "1", "2", "--seeds", "1"]
    assert recorder.main(arguments) == 0
    first = json.loads(recorder.RECORD.read_text())
    assert set(first["runs"]) == {"1", "2"} and list(first["runs"]["1"]["torch"]) == ["1", "2"]
    written = capsys.readouterr().out.count("Written")
    assert recorder.main(arguments) == 0
    assert json.loads(recorder.RECORD.read_text()) == first
    assert capsys.readouterr().out.count("Written") == 1 < written


def test_a_growing_gap_ends_where_it_is_told():
    gaps = [tokens.shape[1] - 1 for tokens, _ in recorder.Growing(steps=8, last=4, seed=0)]
    assert gaps == [1, 1, 2, 2, 3, 3, 4, 4]


# --- figures ------------------------------------------------------------------------------------------------------


def test_norms_are_drawn_with_their_level_and_band():
    ax = gradients.plot_norms({"a": torch.tensor([1.0, 0.1]), "b": torch.tensor([[1.0, 0.2], [1.0, 0.4]])}, "t")
    assert [line.get_label() for line in ax.lines[:2]] == ["a", "b"]
    assert ax.lines[1].get_ydata().tolist() == pytest.approx([1, 0.3])
    assert len(ax.collections) == 1 and set(ax.lines[2].get_ydata()) == {0.01}


def test_contributions_are_shares():
    (line,) = gradients.plot_contributions({"a": [3.0, 1.0]}).lines
    assert line.get_ydata().tolist() == [75, 25]


def test_recall_is_drawn_with_medians_seeds_and_horizons():
    ax = gradients.plot_recall({"a": {5: [1.0, 0.9, 0.2], 20: [0.25]}}, "t", {"a": 11})
    line, first, second, horizon, guessing = ax.lines
    assert line.get_ydata().tolist() == [90, 25] and len(first.get_ydata()) == 3 and len(second.get_ydata()) == 1
    assert set(horizon.get_xdata()) == {11} and set(guessing.get_ydata()) == {25}


def test_recalls_share_one_scale_and_one_legend():
    results = {"a": {5: [1.0], 20: [0.25]}}
    first, second = gradients.plot_recalls({"one": results, "two": results}, "t")
    assert first.get_legend() is second.get_legend() is None and len(first.figure.legends) == 1
    assert first.get_xlim() == second.get_xlim()


def test_the_wall_has_a_panel_for_each_walk():
    panels = gradients.plot_wall(torch.arange(3.0), torch.arange(3.0), {"a": ([0, 1], [0, 1]), "b": ([0], [0])}, "t")
    assert [ax.get_title(loc="left") + ax.get_title() for ax in panels.flat] == ["a", "b"]


# --- the gain explorer --------------------------------------------------------------------------------------------


def test_an_orthogonal_chain_holds_without_tanh_and_fades_with_it():
    norms = gain_explorer.curves("orthogonal", 1.0)
    torch.testing.assert_close(norms["linear"], torch.ones_like(norms["linear"]))
    assert norms["with tanh"][-1] < 0.01
    assert "not under 1 % in 80 steps; with tanh: never grows, under 1 %" in gain_explorer.summary("orthogonal", 1.0)


def test_the_lopsided_pairs_are_those_of_the_text():
    W = 0.9 * gain_explorer.start("lopsided")
    torch.testing.assert_close(W[:2, :2], torch.tensor([[0.9, 5.0], [0.0, 0.9]], dtype=torch.float64))
    assert "spectral radius 0.90" in gain_explorer.summary("lopsided", 0.9)


@pytest.mark.parametrize("kind", gain_explorer.KINDS)
@pytest.mark.parametrize("gain", [0.5, 1.5])
def test_every_setting_is_drawn(kind, gain):
    left, right = gain_explorer.draw(kind, gain).axes
    assert left.get_xlabel() == "real part" and right.get_ylim() == (1e-6, 1e6)


def test_gain_explorer(lab):
    from playwright.sync_api import expect

    widget = "gain_explorer"
    with lab.run(widget, f"from utils.widgets.{widget} import {widget}\n{widget}()") as page:
        explorer = page.locator(".gain-explorer")
        said, picture, slider = (
            explorer.get_by_role("status"),
            explorer.get_by_role("img"),
            explorer.get_by_role("slider"),
        )
        expect(said).to_contain_text("Gain 1.00: spectral radius 1.00")
        before = picture.get_attribute("src")

        def says(text):
            return lambda patience: expect(said).to_contain_text(re.compile(text), timeout=patience)

        def press(key):
            slider.focus()
            slider.press(key)

        repeat(lambda: press("Home"), says("Gain 0.50: spectral radius 0.50"))
        expect(picture).not_to_have_attribute("src", before)
        repeat(lambda: press("End"), says("Gain 1.50: .*linear: peaks at"))
        repeat(lambda: explorer.get_by_label("W_h:").select_option("lopsided"), says("largest singular value 8"))
