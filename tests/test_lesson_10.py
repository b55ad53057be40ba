"""Lesson 10: right answers in other styles, wrong ones on no list, the lookup model and its tasks, the widget."""

import json
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bench import record_masked
from tests.browser import repeat
from utils import reach
from utils.checks import self_attention as check
from utils.models.lookup import Lookup, clipped, sinusoids
from utils.models.text import Transformer
from utils.paths import RECORDED
from utils.plotting import attention as plots
from utils.tasks import lookup as tasks
from utils.tasks.masked import masked_windows, share_by_counting, share_found
from utils.widgets import it_explorer as widget

# --- right answers in other styles ----------------------------------------------------------------------------------


def product_by_loops(q, k, v, visible):
    *front, T, d_k = q.shape
    S, d_v = v.shape[-2:]
    visible = visible.expand(*front, T, S)
    alpha, z = torch.zeros(*front, T, S), torch.zeros(*front, T, d_v)
    for at in np.ndindex(*front, T):
        before = at[:-1]
        seen = [j for j in range(S) if visible[(*at, j)]]
        shares = {j: math.exp(float(q[at] @ k[(*before, j)]) / math.sqrt(d_k)) for j in seen}
        for j in seen:
            alpha[(*at, j)] = shares[j] / sum(shares.values())
            z[at] += alpha[(*at, j)] * v[(*before, j)]
    return z, alpha


def product_by_einsum(q, k, v, visible):
    scores = torch.einsum("...td,...sd->...ts", q, k) * k.shape[-1] ** -0.5
    alpha = torch.where(visible, scores, torch.tensor(-torch.inf)).softmax(-1).nan_to_num(0)
    return [torch.einsum("...ts,...sd->...td", alpha, v), alpha]


def product_in_double(q, k, v, visible):
    shares = (q.double() @ k.double().transpose(-1, -2) / np.sqrt(q.size(-1))).exp() * visible
    alpha = shares / shares.sum(-1, keepdim=True).clamp(min=1e-30)
    return alpha @ v.double(), alpha


def mask_by_loops(documents, causal):
    B, T = documents.shape
    seen = torch.zeros(B, 1, T, T, dtype=torch.bool)
    for b in range(B):
        for i in range(T):
            for j in range(i + 1 if causal else T):
                seen[b, 0, i, j] = documents[b, i] == documents[b, j] and documents[b, j] > 0
    return seen


def mask_by_one_hot(documents, causal):
    names = documents.unique()
    member = (documents[..., None] == names[names > 0]).float()
    seen = (member @ member.mT > 0).unsqueeze(1)
    return seen.tril() if causal else seen


def mask_in_numpy(documents, causal):
    d = documents.numpy()
    seen = (d[:, None, :, None] == d[:, None, None, :]) & (d != 0)[:, None, None, :]
    return seen & np.tri(d.shape[1], dtype=bool) if causal else seen


def leaks_by_jacobian(model, x):
    jacobian = torch.autograd.functional.jacobian(model, x)
    seen = jacobian.abs().amax((1, 3)) > 0
    return torch.tensor([max([0, *(j - i for j in range(i, len(x)) if seen[i, j])]) for i in range(len(x))])


def leaks_by_the_ruler(model, x):
    seen = reach.influence(model, x).triu(1) > 0
    return [int(row.nonzero().max()) - i if row.any() else 0 for i, row in enumerate(seen)]


def leaks_by_random_directions(model, x):
    x = x.clone().requires_grad_()
    found = []
    for i in range(x.shape[0]):
        x.grad = None
        y = model(x)[i]
        (y * torch.randn(y.shape, dtype=y.dtype)).sum().backward()
        later = [j for j in range(i + 1, len(x)) if x.grad[j].abs().sum() > 0]
        found.append(later[-1] - i if later else 0)
    return found


def heads_in_a_loop(x, memory, weights, heads, padding):
    C, D = x.shape[-1], x.shape[-1] // heads
    W, b = weights["in_proj_weight"], weights["in_proj_bias"]
    q, k, v = (F.linear(s, W[n * C :][:C], b[n * C :][:C]) for n, s in enumerate((x, memory, memory)))
    found, alphas = [], []
    for h in range(heads):
        part = slice(h * D, (h + 1) * D)
        scores = q[..., part] @ k[..., part].transpose(1, 2) / D**0.5
        scores[padding[:, None].expand_as(scores)] = -torch.inf
        alphas.append(scores.softmax(-1))
        found.append(alphas[-1] @ v[..., part])
    output = F.linear(torch.cat(found, -1), weights["out_proj.weight"], weights["out_proj.bias"])
    return output, torch.stack(alphas, 1)


def heads_by_torchs_layer(x, memory, weights, heads, padding):
    layer = nn.MultiheadAttention(x.shape[-1], heads, batch_first=True)
    layer.load_state_dict(weights)
    return layer(x, memory, memory, key_padding_mask=padding, average_attn_weights=False)


def heads_by_einsum(x, memory, weights, heads, padding):
    W = weights["in_proj_weight"].view(3, heads, -1, x.shape[-1]).double()
    b = weights["in_proj_bias"].view(3, heads, 1, -1).double()
    q, k, v = (torch.einsum("btc,hdc->bhtd", s.double(), W[n]) + b[n] for n, s in enumerate((x, memory, memory)))
    scores = torch.einsum("bhtd,bhsd->bhts", q, k) / math.sqrt(q.shape[-1])
    alpha = (scores + torch.zeros_like(scores).masked_fill(padding[:, None, None], -torch.inf)).softmax(-1)
    z = torch.einsum("bhts,bhsd->bthd", alpha, v).flatten(2)
    return z @ weights["out_proj.weight"].double().T + weights["out_proj.bias"].double(), alpha


def sinusoids_by_loops(places, width):
    vectors = torch.empty(len(places), width)
    for row, t in enumerate(places.tolist()):
        for i in range(width // 2):
            angle = t / 10_000 ** (2 * i / width)
            vectors[row, 2 * i], vectors[row, 2 * i + 1] = math.sin(angle), math.cos(angle)
    return vectors


def sinusoids_in_numpy(places, width):
    angles = places.numpy()[:, None] * np.exp(-np.log(1e4) * np.arange(0, width, 2) / width)
    return np.stack([np.sin(angles), np.cos(angles)], -1).reshape(len(places), width)


def sinusoids_by_complex_numbers(places, width):
    speeds = 10_000.0 ** -(torch.arange(0, width, 2) / width)
    turned = torch.polar(torch.ones(len(places), width // 2), torch.outer(places.float(), speeds))
    return torch.stack([turned.imag, turned.real], 2).reshape(len(places), width)


RIGHT = {
    "scaled_dot_product": {"loops": product_by_loops, "einsum, a list": product_by_einsum, "double": product_in_double},
    "who_sees_whom": {"loops": mask_by_loops, "one-hot": mask_by_one_hot, "numpy": mask_in_numpy},
    "reads_ahead": {
        "Jacobian, a tensor": leaks_by_jacobian,
        "the ruler": leaks_by_the_ruler,
        "random directions": leaks_by_random_directions,
    },
    "multi_head": {"a loop": heads_in_a_loop, "torch's layer": heads_by_torchs_layer, "einsum": heads_by_einsum},
    "sinusoids": {
        "loops": sinusoids_by_loops,
        "numpy": sinusoids_in_numpy,
        "complex": sinusoids_by_complex_numbers,
        "the model's": sinusoids,
    },
}


# --- wrong answers ----------------------------------------------------------------------------------------------------


def product_with_a_large_number(q, k, v, visible):
    alpha = (q @ k.mT / math.sqrt(q.shape[-1])).masked_fill(~visible, -1e9).softmax(-1)
    return alpha @ v, alpha


def product_of_first_text(q, k, v, visible):
    alpha = (q @ k.transpose(0, 1) / q.shape[-1] ** 0.5).softmax(-1)
    return alpha @ v, alpha


def mask_of_padding_alone(documents, causal):
    return (documents != 0)[:, None, None, :].expand(-1, 1, documents.shape[1], -1)


def mask_of_runs(documents, causal):
    runs = torch.cat([documents[:, :1] * 0, (documents[:, 1:] != documents[:, :-1]).cumsum(1)], 1)
    return mask_by_loops((runs + 1) * (documents != 0), causal)


def leaks_above(threshold, model, x):
    seen = torch.autograd.functional.jacobian(model, x).abs().amax((1, 3)) > threshold
    return [max([0, *(j - i for j in range(i, len(x)) if seen[i, j])]) for i in range(len(x))]


def leaks_of_the_sum(model, x):
    x = x.clone().requires_grad_()
    found = []
    for i in range(len(x)):
        (gradient,) = torch.autograd.grad(model(x)[i].sum(), x)
        later = (gradient != 0).any(1).nonzero().flatten()
        found.append(max(0, int(later.max()) - i) if len(later) else 0)
    return found


def heads_with_the_average(x, memory, weights, heads, padding):
    layer = nn.MultiheadAttention(x.shape[-1], heads, batch_first=True)
    layer.load_state_dict(weights)
    return layer(x, memory, memory, key_padding_mask=padding)


def sinusoids_in_halves(places, width):
    return torch.cat([sinusoids(places, width)[:, 0::2], sinusoids(places, width)[:, 1::2]], 1)


WRONG = {
    "scaled_dot_product": {
        "-1e9": (product_with_a_large_number, "nothing_visible_is_everything"),
        "z alone": lambda *case: product_by_einsum(*case)[0],
        "first axes transposed": (product_of_first_text, None),
        "zeros": lambda q, k, v, visible: (0 * q @ k.mT @ v, 0 * q @ k.mT),
        "hidden keys shown": (check.scaled_dot_product.variant(shown=torch.logical_not), "mask_inverted"),
    },
    "who_sees_whom": {
        "padding alone": mask_of_padding_alone,
        "numbers": (lambda *case: mask_by_loops(*case).float(), "as_numbers"),
        "no heads": (lambda *case: mask_by_loops(*case)[:, 0], "heads_forgotten"),
        "hidden": (lambda *case: ~mask_by_loops(*case), "inverted"),
        "runs": (mask_of_runs, "runs_counted"),
        "ones": lambda documents, causal: torch.ones(*documents.shape, 1, documents.shape[1]) == 1,
    },
    "reads_ahead": {
        "the sum": (leaks_of_the_sum, "channels_summed"),
        "a threshold": (lambda *case: leaks_above(1e-3, *case), "small_ones_overlooked"),
        "a smaller threshold": (lambda *case: leaks_above(1e-6, *case), "small_ones_overlooked"),
        "at another x": lambda model, x: leaks_by_jacobian(model, torch.randn_like(x)),
        "at zero": lambda model, x: leaks_by_jacobian(model, torch.zeros_like(x)),
        "at one": lambda model, x: leaks_by_jacobian(model, torch.ones_like(x)),
        "zeros": lambda model, x: [0] * len(x),
        "booleans": lambda model, x: [found > 0 for found in leaks_by_jacobian(model, x).tolist()],
        "one number": (lambda model, x: max(leaks_by_jacobian(model, x).tolist()), "one_number"),
        "a map": lambda model, x: reach.influence(model, x),
    },
    "multi_head": {
        "the average": (heads_with_the_average, "weights_averaged"),
        "output alone": lambda *case: heads_in_a_loop(*case)[0],
        "padding inverted": (
            lambda x, m, w, h, padding: check.multi_head.variant(hide=torch.logical_not)(x, m, w, h, padding),
            "padding_inverted",
        ),
        "x": lambda x, memory, weights, heads, padding: (x, torch.zeros(len(x), heads, x.shape[1], memory.shape[1])),
        "self": (lambda x, m, w, h, p: check.multi_head.variant(root=lambda D, C: 1)(x, m, w, h, p), "root_missing"),
    },
    "sinusoids": {
        "halves": (sinusoids_in_halves, "halves"),
        "numbered": (lambda places, width: sinusoids(torch.arange(len(places)), width), "places_ignored"),
        "sines": (check.sinusoids.variant(second=torch.sin), "only_sines"),
        "zeros": lambda places, width: torch.zeros(len(places), width),
    },
}


# --- the model of lookups -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("positions", ["none", "learned", "sinusoidal", "rotary"])
@pytest.mark.parametrize("causal", [False, True])
def test_a_lookup_sees_the_future_only_if_it_is_not_causal(positions, causal):
    torch.manual_seed(0)
    model = Lookup(5, 3, width=8, heads=2, layers=2, positions=positions, causal=causal)
    tokens = torch.randint(5, (1, 6))
    seen = reach.influence(model.read, model.vectors(tokens).detach())
    assert model(tokens).shape == (1, 6, 3)
    assert bool(seen.triu(1).any()) == (not causal) and (seen.tril() > 0).sum() == 21


def test_a_look_is_torchs_attention():
    torch.manual_seed(0)
    model, x = Lookup(5, 3, width=8, heads=2), torch.randn(2, 4, 8)
    look, layer = model.looks[0], nn.MultiheadAttention(8, 2, bias=False, batch_first=True)
    with torch.no_grad():
        layer.in_proj_weight.copy_(look.qkv.weight)
        layer.out_proj.weight.copy_(look.out.weight)
    theirs, weights = layer(x, x, x, average_attn_weights=False)
    mine, found = look(x)
    torch.testing.assert_close(mine, theirs)
    torch.testing.assert_close(found, weights)


def test_weights_are_those_that_were_used_and_masks_may_differ_by_layer():
    torch.manual_seed(0)
    model, tokens = Lookup(5, 3, width=8, layers=2, positions="learned"), torch.tensor([[1, 2, 3]])
    hidden = torch.ones(3, 3, dtype=torch.bool)
    hidden[2, 0] = False
    first, last = (model.weights(tokens, masks)[:, 0, 0, 2, 0] for masks in ([hidden, None], [None, hidden]))
    assert first[0] == last[1] == 0 and min(first[1], last[0]) > 0
    assert not torch.equal(model(tokens, [hidden, None]), model(tokens, [None, hidden]))
    torch.testing.assert_close(model(tokens, [hidden, hidden]), model(tokens, hidden))


def test_rotary_scores_depend_on_the_distance():
    torch.manual_seed(0)
    model = Lookup(5, 3, width=8, positions="rotary")
    weights = model.weights(torch.zeros(1, 7, dtype=torch.long))[0, 0, 0].log()
    scores = weights - weights.diagonal()[:, None]
    assert scores[2, 0].item() == pytest.approx(scores[6, 4].item(), abs=1e-5)


def test_clipped_distances_change_nothing_near_and_all_far_ones_are_alike():
    torch.manual_seed(0)
    model, tokens = Lookup(5, 3, width=8, heads=2, positions="rotary", causal=True), torch.zeros(1, 9, dtype=torch.long)
    as_it_is, at_3 = (one.weights(tokens)[0, 0] for one in (model, clipped(model, 3)))
    torch.testing.assert_close(at_3[:, :4], as_it_is[:, :4])
    torch.testing.assert_close(clipped(model, 8)(tokens), model(tokens))
    last = at_3[:, 8]  # one token everywhere: the scores tell distances and nothing else
    assert (last > 0).all() and not torch.allclose(last, as_it_is[:, 8], rtol=0.01)
    torch.testing.assert_close(last[:, :6], last[:, 5:6].expand(-1, 6))
    torch.testing.assert_close(last[:, 5:] / last[:, 8:], as_it_is[:, 3, :4] / as_it_is[:, 3, 3:4])


@pytest.mark.parametrize("wrong", [dict(positions="absolute"), dict(width=6, heads=2), dict(width=7)])
def test_a_lookup_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="is unknown|does not split"):
        Lookup(5, 3, **wrong)


# --- tasks -----------------------------------------------------------------------------------------------------------


def test_letters_stand_where_the_tasks_say():
    tokens, targets = tasks.reversal(3, 5, seed=1)
    assert torch.equal(targets[:, 0], tokens[:, 4])
    tokens, targets = tasks.letters_back(3, 6, seed=1, back=(1, 3))
    assert targets.shape == (3, 6, 2) and torch.equal(targets[:, 3:, 1], tokens[:, :3])
    assert (targets[:, 0, 0] == tasks.NOT_ASKED).all() and (targets[:, :3, 1] == tasks.NOT_ASKED).all()
    assert tasks.letters_back(3, 6, seed=1)[1].shape == (3, 6)
    tokens, places = tasks.where_am_i(2, 4, seed=0)
    assert (tokens[:, 0] == 0).all() and (tokens[:, 1:] > 0).all() and places[1].tolist() == [0, 1, 2, 3]


def test_right_answers_are_counted_where_something_is_asked():
    logits = F.one_hot(torch.tensor([[1, 0], [1, 1]]), 2).float()
    shares = tasks.right(logits, torch.tensor([[tasks.NOT_ASKED, 0], [tasks.NOT_ASKED, 0]]))
    assert shares[0].isnan() and shares[1] == 0.5


def test_it_is_the_one_that_the_quality_fits():
    tired, wide = (tasks.sentence("animal", "street", quality) for quality in ("tired", "wide"))
    assert (tired.meant, wide.meant) == ("animal", "street")
    assert tired.words[tired.it] == "it" and " ".join(tired.words[:2]) == "the animal"
    assert tasks.sentence("dog", "lake", "deep", frame=1).words[:2] == ["the", "lake"]


def test_the_famous_pair_is_never_trained_and_each_kind_is_meant_as_often():
    seen, unseen = tasks.coreference(True), tasks.coreference(False)
    pairs = [{(s.words[1], s.words[6]) for s in part} for part in (seen, unseen)]
    assert ("animal", "street") in pairs[1] and ("animal", "street") not in pairs[0]
    assert len(seen) + len(unseen) == 14 * 14 * 12 * 2
    assert sum(s.meant in tasks.ANIMALS for s in unseen) == len(unseen) / 2
    tokens, targets = tasks.as_tokens(unseen)
    assert tokens.shape == targets.shape == (720, 12) and ((targets != tasks.NOT_ASKED).sum(1) == 1).all()
    assert len(set(tasks.KNOWN_WORDS)) == len(tasks.KNOWN_WORDS) == 49


def test_one_layer_set_by_hand_names_the_right_noun_without_choosing():
    model = tasks.set_to_add(Lookup(49, 49))
    assert tasks.share_named(model, tasks.coreference(True)) == tasks.share_named(model, tasks.coreference(False)) == 1
    tokens, _ = tasks.as_tokens([tasks.sentence("animal", "street", "tired")])
    torch.testing.assert_close(model.weights(tokens), torch.full((1, 1, 1, 11, 11), 1 / 11))


def test_a_hidden_word_is_seen_by_itself_alone():
    visible = tasks.hidden_from_others(4, [1])
    assert visible[:, 1].tolist() == [False, True, False, False] and visible[:, [0, 2, 3]].all()
    one = tasks.sentence("animal", "street", "tired")
    assert (~tasks.hidden_from_it(one, [1])).nonzero().tolist() == [[one.it, 1]]
    model = tasks.set_to_add(Lookup(49, 49))
    assert tasks.cost_of_hiding(model, one, [1]) == tasks.cost_of_hiding(model, one, 1, layer=0) > 0
    assert tasks.cost_of_hiding(model, one, [1, 10]) > tasks.cost_of_hiding(model, one, 1)


def test_effects_are_zero_for_what_no_one_reads():
    torch.manual_seed(0)
    model, one = Lookup(49, 49, layers=2), tasks.sentence("animal", "street", "tired")
    with torch.no_grad():
        for look in model.looks:
            look.out.weight.zero_()
    assert not tasks.effects(model, one).any() and tasks.cost_of_hiding(model, one, 1, layer=0) == 0
    assert sum(tasks.answers(model, one).values()) == pytest.approx(1)


# --- masked characters -----------------------------------------------------------------------------------------------


def test_hidden_characters_are_asked_and_no_others():
    text = torch.arange(50) % 7
    inputs, targets = masked_windows(text, 7, 10, 200, seed=0)
    hidden = inputs == 7
    assert torch.equal(hidden, targets != tasks.NOT_ASKED) and 0.1 < hidden.float().mean() < 0.2


def test_the_character_between_is_found_by_counting():
    train, test = torch.tensor([0, 1, 2] * 20), torch.tensor([0, 1, 2] * 4)
    assert share_by_counting(train, test, (-1, 1)) == 1
    assert share_by_counting(train, torch.tensor([2, 1, 0] * 4), (-1, 1)) == 0
    mixed = torch.tensor([0, 1, 0, 1, 0, 2] * 20)
    assert share_by_counting(mixed, torch.tensor([0, 1, 0, 2, 0]), (-1,)) == pytest.approx(2 / 3)


def test_the_share_found_counts_hidden_places_alone():
    class Ones(nn.Module):
        def forward(self, tokens):
            return F.one_hot(torch.ones_like(tokens), 3).float()

    targets = torch.tensor([[1, tasks.NOT_ASKED, 0]])
    assert share_found(Ones(), torch.zeros(1, 3, dtype=torch.long), targets) == 0.5


def test_a_transformer_without_its_mask_sees_both_sides():
    torch.manual_seed(0)
    for causal in (True, False):
        model = Transformer(5, 8, 2, 1, causal=causal)
        nn.init.normal_(model.blocks[0].attention.out.weight)
        above = reach.influence(model.read, torch.randn(1, 5, 8)).triu(1)
        assert bool(above.any()) == (not causal)


def test_the_record_has_each_seed_and_its_command():
    record = json.loads((RECORDED / "masked.json").read_text())
    assert record["command"] == "python -m bench.record_masked"
    assert all(len(shares) == 2 for shares in record["accuracy"].values())


def test_the_recorder_trains_both(tmp_path, monkeypatch):
    for name, value in {"CUDA_VISIBLE_DEVICES": "", "REACH_STRICT": "", "REACH_TRAINING": ""}.items():
        monkeypatch.setenv(name, value)  # the recorder sets them; here they are set back
    monkeypatch.setattr(record_masked, "RECORD", tmp_path / "masked.json")
    monkeypatch.setattr(record_masked, "LENGTH", 8)
    assert record_masked.main(["--steps", "1", "--seeds", "1"]) == 0
    record = json.loads((tmp_path / "masked.json").read_text())
    assert [*record["accuracy"]] == ["causal", "both directions"]


# --- figures and the widget ------------------------------------------------------------------------------------------


def test_looks_are_drawn_with_their_words_and_the_framed_row():
    panels = plots.plot_looks({"one": torch.eye(3), "two": torch.eye(3)}, ["a", "b", "c"], row=1)
    assert [ax.get_title() for ax in panels] == ["one", "two"]
    assert [label.get_text() for label in panels[0].get_xticklabels()] == ["a", "b", "c"]


def test_influences_are_drawn_with_one_row_framed():
    panels = plots.plot_influences_on({"one": torch.eye(3), "two": torch.eye(3)}, row=1)
    assert [ax.patches[-1].get_bbox().bounds[1] for ax in panels] == [0.5, 0.5]


def test_places_at_which_nothing_is_asked_are_not_drawn():
    shares = torch.tensor([[math.nan, 0.5, 1.0], [math.nan, 1.0, 1.0]])
    ax = plots.plot_by_place({"one": shares}, "title", trained_to=2, chance=0.1)
    assert ax.lines[0].get_xdata().tolist() == [1, 2] and ax.lines[0].get_ydata().tolist() == [75, 100]


def test_entropy_has_a_line_and_a_band_for_each_way():
    ax = plots.plot_entropy({"with": {1: [3.0, 3.5], 4: [3.0, 3.0]}}, {"all alike": 4}, "title")
    assert ax.lines[0].get_ydata().tolist() == [3.25, 3.0]


def a_model():
    torch.manual_seed(0)
    return Lookup(49, 49, layers=2, positions="learned").requires_grad_(False)


def test_the_widget_says_where_a_word_looks_and_what_is_hidden():
    model, one = a_model(), tasks.sentence("animal", "street", "tired")
    place = int(model.weights(tasks.as_tokens([one])[0])[1, 0, 0, one.it].argmax())
    said = widget.describe(model, one, 1, 0, one.it)
    assert said.startswith("Layer 2, head 1: “it” (word 8) looks most at") and f"(word {place}," in said
    assert "With “animal” (word 1) hidden:" in widget.describe(model, one, 0, 0, 8, hidden=1)
    bars = widget.draw(model, one, 0, 0, 8, hidden=1).axes[0].patches
    assert bars[1].get_height() == 0 and sum(bar.get_height() for bar in bars) == pytest.approx(1, abs=1e-5)


def test_the_book_hides_what_the_word_looks_at_most(monkeypatch):
    model = a_model()
    sentences = {word: tasks.sentence("animal", "street", word) for word in ("tired", "wide")}
    seen = {
        int(model.weights(tasks.as_tokens([one])[0])[layer, 0, 0, one.it].argmax())
        for one in sentences.values()
        for layer in (0, 1)
    }
    assert widget.looked_at(model, sentences.values()) == seen
    shown = []
    monkeypatch.setattr("utils.widgets.still.show", lambda *arguments: shown.append(arguments))
    widget.it_explorer(model, sentences)
    *_, looks, hide = shown[0][-1].controls
    assert {*hide.stops.values()} == {-1, 1, 6, 10} | seen
    assert {*looks.stops.values()} == {8} | seen - {1, 6, 10} and [*looks.stops.values()][looks.start] == 8


def test_it_explorer(lab):
    from playwright.sync_api import expect

    code = """
import torch
from utils.tasks.lookup import sentence
from utils.models.lookup import Lookup
from utils.widgets.it_explorer import it_explorer
torch.manual_seed(0)
model = Lookup(49, 49, layers=2, positions="learned").requires_grad_(False)
it_explorer(model, {word: sentence("animal", "street", word) for word in ("tired", "wide")})
"""
    with lab.run("it_explorer", code) as page:
        explorer = page.locator(".it-explorer")
        said, picture = explorer.get_by_role("status"), explorer.get_by_role("img")
        expect(said).to_contain_text("Layer 2, head 1: “it” (word 8)")
        before = picture.get_attribute("src") or ""

        def says(text):
            return lambda patience: expect(said).to_contain_text(text, timeout=patience)

        looks, hide = explorer.get_by_label("looks:"), explorer.get_by_label("hide:")
        repeat(lambda: hide.select_option("1 animal"), says("With “animal” (word 1) hidden"))
        repeat(lambda: looks.select_option("6 street"), says("“street” (word 6)"))
        repeat(lambda: explorer.get_by_role("button", name="1", exact=True).first.click(), says("Layer 1, head 1"))
        repeat(lambda: explorer.get_by_role("button", name="wide").click(), says("“street” (word 6)"))
        expect(picture).not_to_have_attribute("src", before)
