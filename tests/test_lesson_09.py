"""Lesson 09: right answers in other styles, wrong ones, models and tasks checked by hand, figures, the widget."""

import heapq
import json
import math
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from bench import record_bottleneck
from tests.browser import repeat
from utils import reach
from utils.checks import bottleneck_to_attention as check
from utils.models import seq2seq
from utils.models.seq2seq import AdditiveScore, EncoderDecoder, SelfFed
from utils.paths import RECORDED
from utils.plotting import alignment as plots
from utils.tasks.translation import (
    CHARACTERS,
    END,
    PAD,
    START,
    dates,
    half_right,
    reversal,
    reversals,
    text_of,
    tokens_of,
)
from utils.widgets import decoder_stepper as widget

# --- right answers in other styles ----------------------------------------------------------------------------------


def decode_in_two_loops(step, state, start, end, limit, targets):
    logits = []
    if targets is not None:
        for token in [start, *targets[:-1]]:
            one, state = step(token, state)
            logits.append(one.double())
        return torch.stack(logits).argmax(1).tolist(), torch.stack(logits)
    chosen = [start]
    while len(chosen) <= limit and not (len(chosen) > 1 and chosen[-1] == end):
        one, state = step(torch.tensor(chosen[-1]), state)
        logits.append(one)
        chosen.append(one.argmax().item())
    return chosen[1:], torch.stack(logits)


def decode_by_recursion(step, state, start, end, limit, targets):
    one, state = step(start, state)
    best = int(torch.argmax(one))
    rest = targets[1:] if targets is not None else None
    over = not rest if targets is not None else (best == end or limit == 1)
    if over:
        return [best], one[None]
    following = targets[0] if targets is not None else best
    chosen, logits = decode_by_recursion(step, state, following, end, limit - 1, rest)
    return [best, *chosen], torch.cat([one[None], logits])


def decode_with_tensors_chosen(step, state, start, end, limit, targets):
    fed, chosen, logits = start, (), []
    for place in range(len(targets) if targets is not None else limit):
        one, state = step(fed, state)
        logits += [one]
        chosen += (one.argmax(),)
        if targets is None and chosen[-1] == end:
            break
        fed = chosen[-1] if targets is None else targets[place]
    return [int(token) for token in chosen], torch.stack(logits).numpy()


def scores_by_loops(queries, keys, W, U, v):
    scores = torch.zeros(len(queries), len(keys))
    for t, query in enumerate(queries):
        for s, key in enumerate(keys):
            scores[t, s] = sum(v[a] * math.tanh(W[a] @ query + U[a] @ key) for a in range(len(v)))
    return scores


def scores_by_einsum(queries, keys, W, U, v):
    asked, offered = torch.einsum("th,ah->ta", queries, W), torch.einsum("sk,ak->sa", keys, U)
    return torch.einsum("tsa,a->ts", (asked.unsqueeze(1) + offered.unsqueeze(0)).tanh(), v)


def scores_by_joining(queries, keys, W, U, v):
    """One matrix [W U] for query and key side by side, which is the other way to write it."""
    T, S = len(queries), len(keys)
    both = torch.cat([queries[:, None].expand(-1, S, -1), keys[None].expand(T, -1, -1)], 2)
    return F.linear(both, torch.cat([W, U], 1)).tanh().matmul(v[:, None]).squeeze(-1)


def scores_in_numpy(queries, keys, W, U, v):
    q, k = queries.numpy().astype(np.float64) @ W.numpy().T, keys.numpy() @ U.numpy().T
    return np.tanh(q[:, None] + k[None]) @ v.numpy()


def softmax_by_hand(scores, visible):
    mask = visible[:, None].float()
    low = scores.masked_fill(mask == 0, float("-inf"))
    top = low.amax(-1, keepdim=True)
    shares = torch.exp(low - torch.where(top.isinf(), 0.0, top))
    return shares / shares.sum(-1, keepdim=True).clamp(min=1e-20)


def softmax_row_by_row(scores, visible):
    weights = torch.zeros(scores.shape)
    for b, row in enumerate(scores):
        seen = visible[b].nonzero()[:, 0]
        if len(seen):
            weights[b][:, seen] = row[:, seen].softmax(-1)
    return weights


def softmax_low_and_masked(scores, visible):
    return F.softmax(torch.where(visible[:, None], scores.double(), -1e9), -1) * visible[:, None]


def lookup_by_loop(query, keys, values, sharpness):
    fits = [float(torch.dot(key, query)) for key in keys]
    top = max(fits)
    if sharpness == math.inf:
        shares = [float(fit == top) for fit in fits]
    else:
        shares = [math.exp(sharpness * (fit - top)) for fit in fits]
    return sum(share * value for share, value in zip(shares, values, strict=True)) / sum(shares)


def lookup_by_attention(query, keys, values, sharpness):
    if sharpness < math.inf:
        return F.scaled_dot_product_attention(query[None, None], keys[None], values[None], scale=sharpness)[0, 0]
    scores = query @ keys.T
    return values[torch.where(scores == scores.max())[0]].mean(dim=0)


def lookup_in_doubles(query, keys, values, sharpness):
    fits = (keys * query).sum(1).double()
    weights = torch.nan_to_num(fits - fits.max(), 0) * (sharpness if sharpness < math.inf else 1)
    weights = (weights == 0).double() if sharpness == math.inf else weights.exp()
    return (weights / weights.sum()) @ values.double()


def beam_with_a_heap(step, width, end, limit):
    beam = [(0.0, [])]
    for _ in range(limit):
        longer = []
        for log, written in beam:
            if written[-1:] == [end]:
                longer.append((log, written))
            else:
                longer.extend((log + p, [*written, token]) for token, p in enumerate(step(written).tolist()))
        beam = heapq.nlargest(width, longer)
    log, written = beam[0]
    return written, log


def beam_by_top_k(step, width, end, limit):
    beam = [((), torch.zeros(()))]
    for _ in range(limit):
        if all(written and written[-1] == end for written, _ in beam):
            break
        longer = [one for one in beam if one[0] and one[0][-1] == end]
        for written, total in beam:
            if not written or written[-1] != end:
                logs, tokens = step(list(written)).topk(min(width, len(step(list(written)))))
                longer += [((*written, int(token)), total + log) for log, token in zip(logs, tokens, strict=True)]
        beam = sorted(longer, key=lambda one: -float(one[1]))[:width]
    return list(beam[0][0]), beam[0][1]


def beam_with_flags(step, width, end, limit):
    texts = [{"tokens": [], "log": 0.0, "over": False}]
    for _ in range(limit):
        new = []
        for text in texts:
            if text["over"]:
                new.append(text)
                continue
            logs = step(text["tokens"])
            for token in range(len(logs)):
                new.append(
                    {"tokens": text["tokens"] + [token], "log": text["log"] + logs[token].item(), "over": token == end}
                )
        texts = sorted(new, key=lambda text: text["log"])[::-1][:width]
    best = max(texts, key=lambda text: text["log"])
    return best["tokens"], best["log"]


RIGHT = {
    "decode": {
        "two loops, doubles": decode_in_two_loops,
        "recursion": decode_by_recursion,
        "tokens as tensors, numpy": decode_with_tensors_chosen,
    },
    "additive_scores": {
        "loops": scores_by_loops,
        "einsum": scores_by_einsum,
        "joined": scores_by_joining,
        "numpy": scores_in_numpy,
    },
    "masked_softmax": {
        "by hand": softmax_by_hand,
        "row by row": softmax_row_by_row,
        "low and masked, doubles": softmax_low_and_masked,
    },
    "soft_lookup": {
        "loop": lookup_by_loop,
        "torch's attention": lookup_by_attention,
        "doubles": lookup_in_doubles,
    },
    "beam_search": {"heap": beam_with_a_heap, "top k, tensors": beam_by_top_k, "flags": beam_with_flags},
}


# --- wrong answers ----------------------------------------------------------------------------------------------------


def decode_that_looks_at_its_answer(step, state, start, end, limit, targets):
    if targets is None:
        return decode_in_two_loops(step, state, start, end, limit, None)
    logits = []
    for token in targets:
        one, state = step(token, state)
        logits.append(one)
    return torch.stack(logits).argmax(1).tolist(), torch.stack(logits)


def decode_without_teacher(step, state, start, end, limit, targets):
    return decode_in_two_loops(step, state, start, end, len(targets) if targets else limit, None)


def decode_with_start_noted(step, state, start, end, limit, targets):
    chosen, logits = decode_in_two_loops(step, state, start, end, limit, targets)
    return [start, *chosen], logits


def softmax_then_mask(scores, visible):
    return scores.softmax(-1) * visible[:, None]


def beam_cut_for_each_text(step, width, end, limit):
    beam = [([], 0.0)]
    for _ in range(limit):
        longer = []
        for written, total in beam:
            if written[-1:] == [end]:
                longer.append((written, total))
                continue
            logs, tokens = step(written).topk(min(width, len(step(written))))
            longer += [([*written, t], total + p) for p, t in zip(logs.tolist(), tokens.tolist(), strict=True)]
        beam = longer
    return max(beam, key=lambda one: one[1])


def beam_of_one(step, width, end, limit):
    written, total = [], 0.0
    while len(written) < limit and written[-1:] != [end]:
        log, token = step(written).max(0)
        written.append(int(token))
        total += float(log)
    return written, total


WRONG = {
    "decode": {
        "fed what it is to say": (decode_that_looks_at_its_answer, "answer_fed"),
        "no teacher": (decode_without_teacher, None),
        "START noted": decode_with_start_noted,
        "the tokens alone": lambda *case: decode_in_two_loops(*case)[0],
        "the state thrown away": (check.decode.variant(carry=False), "state_not_carried"),
        "goes on behind END": (check.decode.variant(stops=lambda *_: False), "never_stops"),
    },
    "additive_scores": {
        "no tanh": (lambda q, k, W, U, v: (q @ W.T)[:, None] @ v + k @ U.T @ v, "tanh_missing"),
        "a dot product": lambda q, k, W, U, v: (q @ W.T) @ (k @ U.T).T,
        "turned": (lambda *case: scores_by_einsum(*case).T, "turned"),
        "zeros": lambda q, k, W, U, v: torch.zeros(len(q), len(k)),
        "weights already": (lambda *case: scores_by_einsum(*case).softmax(-1), "softmax_taken"),
    },
    "masked_softmax": {
        "masked afterwards": (softmax_then_mask, "masked_afterwards"),
        "nan in empty rows": (
            lambda scores, visible: scores.masked_fill(~visible[:, None], -torch.inf).softmax(-1),
            "empty_row_nan",
        ),
        "no mask": (lambda scores, visible: scores.softmax(-1), "mask_ignored"),
        "−1e9": (
            lambda scores, visible: scores.masked_fill(~visible[:, None], -1e9).softmax(-1),
            "empty_row_shared_out",
        ),
        "the mask": (lambda scores, visible: visible[:, None].expand_as(scores).float(), None),
    },
    "soft_lookup": {
        "∞ in the softmax": (
            lambda q, k, v, sharpness: (sharpness * (k @ q)).softmax(0) @ v,
            "infinity_in_the_softmax",
        ),
        "the mean": lambda q, k, v, sharpness: v.mean(0),
        "the first of the best": (
            lambda q, k, v, sharpness: (
                v[(k @ q).argmax()] if sharpness == math.inf else lookup_by_loop(q, k, v, sharpness)
            ),
            "first_of_the_best",
        ),
        "a temperature": (
            lambda q, k, v, sharpness: lookup_by_loop(
                q, k, v, sharpness if sharpness in (0, math.inf) else 1 / sharpness
            ),
            None,
        ),
        "the weights": lambda q, k, v, sharpness: (k @ q).softmax(0),
    },
    "beam_search": {
        "greedy": (beam_of_one, "greedy"),
        "cut for each text": (beam_cut_for_each_text, "width_for_each"),
        "ended ones kept apart": (check.beam_search.variant(cut=check._moved_aside), "moved_aside"),
        "the tokens alone": lambda *case: beam_with_a_heap(*case)[0],
        "nothing": lambda *case: ([], 0.0),
        "a probability": (
            lambda *case: (beam_with_a_heap(*case)[0], math.exp(beam_with_a_heap(*case)[1])),
            "probability_returned",
        ),
    },
}


# --- what the lesson says ---------------------------------------------------------------------------------------------


def everything(step, end, limit, written=(), total=0.0):
    """All texts with their log-probabilities."""
    if len(written) == limit or written[-1:] == (end,):
        yield total, list(written)
        return
    for token, log in enumerate(step(list(written)).tolist()):
        yield from everything(step, end, limit, (*written, token), total + log)


def test_a_beam_that_is_never_cut_finds_the_likeliest_text():
    for seed in range(5):
        torch.manual_seed(seed)
        step = check.Speaker(torch.randn(3, 3, 3).softmax(-1))
        best, text = max(everything(step, 0, 3))
        found, log = check.beam_search.reference(step, 3**3, 0, 3)
        assert found == text and log == pytest.approx(best, abs=1e-5)


def test_greedy_search_is_wrong_where_it_was_made_to_be():
    step = check.Speaker(torch.tensor([[[0.0, 0.6, 0.4]] * 3, [[1, 0, 0], [0.5, 0.3, 0.2], [0.9, 0.06, 0.04]]]))
    greedy, beam = (check.beam_search.reference(step, width, 0, 2) for width in (1, 2))
    assert greedy[0] == [1, 0] and math.exp(greedy[1]) == pytest.approx(0.3)
    assert beam[0] == [2, 0] and math.exp(beam[1]) == pytest.approx(0.36)


# --- models -----------------------------------------------------------------------------------------------------------


def test_scores_are_those_of_the_exercise():
    torch.manual_seed(0)
    score, queries, keys = AdditiveScore(4), torch.randn(3, 4), torch.randn(5, 4)
    weights = [layer.weight.detach() for layer in (score.W, score.U)]
    expected = check.additive_scores.reference(queries, keys, *weights, score.v.weight[0].detach())
    given = score(queries, score.U(keys).expand(3, -1, -1))
    torch.testing.assert_close(given.detach(), expected)


def test_without_attention_it_is_two_layers_of_torchs():
    torch.manual_seed(0)
    model, (rows, _) = EncoderDecoder(6, attention=False), reversal(3, 4, seed=1)
    source, fed = seq2seq.split(rows)
    assert torch.equal(source, rows[:, :4]) and (fed[:, 0] == START).all()
    _, last = model.encoder(model.embedding(source))
    vector = torch.cat([last[0], last[1]], 1)
    inputs = torch.cat([model.embedding(fed), vector[:, None].expand(-1, 5, -1)], 2)
    states, _ = model.decoder(inputs, model.begin(vector).tanh()[None])
    torch.testing.assert_close(model(rows), model.head(states))


@pytest.mark.parametrize("attention", [False, True])
def test_all_steps_at_once_are_the_steps_one_by_one(attention):
    torch.manual_seed(0)
    model, (rows, _) = EncoderDecoder(6, attention), reversal(3, 4, seed=1)
    source, fed = seq2seq.split(rows)
    reading, state = model.read(source)
    for place, token in enumerate(fed.unbind(1)):
        logits, state, weights = model.step(token, state, reading)
        torch.testing.assert_close(logits, model(rows)[:, place])
        assert (weights is None) != attention
    step, state = seq2seq.stepper(model, source[1])
    chosen, logits = check.decode.reference(step, state, START, END, 9, fed[1, 1:].tolist() + [END])
    torch.testing.assert_close(logits, model(rows)[1])
    assert chosen == model(rows)[1].argmax(-1).tolist()


@pytest.mark.parametrize("attention", [False, True])
def test_padding_changes_nothing(attention):
    torch.manual_seed(0)
    model, short, long = EncoderDecoder(8, attention), tokens_of("3 may"), tokens_of("3 march 2")
    padded = torch.tensor([short + [PAD] * 4, long])
    alone = seq2seq.write(model, torch.tensor([short]), 4)
    among = seq2seq.write(model, padded, 4)
    torch.testing.assert_close(alone.logits[0], among.logits[0])
    if attention:
        assert not among.weights[0, :, len(short) :].any()
        torch.testing.assert_close(among.weights.sum(2), torch.ones(2, 4))


def test_what_it_writes_is_what_it_is_fed():
    torch.manual_seed(0)
    model, (rows, _) = EncoderDecoder(8, attention=True), reversal(5, 6, seed=2)
    written = seq2seq.write(model, rows[:, :6], 7)
    again = torch.cat([rows[:, :7], written.tokens[:, :-1]], 1)
    torch.testing.assert_close(model(again), written.logits)
    assert torch.equal(written.tokens, written.logits.argmax(-1))
    torch.testing.assert_close(SelfFed(model, 1.0)(rows), written.logits)
    torch.testing.assert_close(SelfFed(model, 0.0)(rows), model(rows))


def test_log_probabilities_of_the_next_symbol_are_those_of_the_model():
    torch.manual_seed(0)
    model, (rows, _) = EncoderDecoder(8, attention=True), reversal(1, 5, seed=2)
    step, expected = seq2seq.next_symbol(model, rows[0, :5]), model(rows)[0].log_softmax(-1)
    for place in (3, 0, 5):
        torch.testing.assert_close(step(rows[0, 6 : 6 + place].tolist()), expected[place])


def test_influence_comes_by_way_of_the_encoder():
    torch.manual_seed(0)
    model, (rows, _) = EncoderDecoder(8, attention=True), reversal(2, 4, seed=2)
    function, vectors = seq2seq.as_function(model, rows)
    torch.testing.assert_close(function(vectors), model(rows)[..., 3:13])
    assert reach.influence(function, vectors).shape == (5, 4)


# --- tasks ------------------------------------------------------------------------------------------------------------


def test_digits_are_turned_round():
    rows, targets = reversal(20, 6, seed=1)
    assert torch.equal(rows[:, :6].flip(1), targets[:, :6]) and (targets[:, 6] == END).all()
    assert torch.equal(rows[:, 7:], targets[:, :6]) and (rows[:, 6] == START).all()
    assert text_of(targets[0]) == text_of(rows[0, :6])[::-1]
    assert torch.equal(reversal(20, 6, seed=1)[0], rows)
    lengths = {(rows.shape[1] - 1) // 2 for rows, _ in reversals(60, 2, 5, seed=0)}
    assert lengths == {2, 3, 4, 5}


def test_dates_say_what_they_are_made_of():
    made = dates(300, seed=3)
    for text, target, alignment in zip(made.texts, made.targets, made.alignment, strict=True):
        iso = text_of(target)
        assert re.fullmatch(r"(19|20)\d\d-\d\d-\d\d", iso)
        year, month, day = ("".join(c for c, on in zip(text, alignment[p], strict=False) if on) for p in (0, 5, 8))
        assert year == iso[:4] and int(day) == int(iso[8:])
        assert month in (str(int(iso[5:7])), *(name for name in [month] if name.isalpha()))
        assert not alignment[4].any() and not alignment[7].any()
    assert made.sources.shape[1] == made.alignment.shape[2] == made.rows.shape[1] - 11
    with pytest.raises(ValueError):
        tokens_of("É")
    assert text_of([*tokens_of(CHARACTERS), END, *tokens_of("1")]) == CHARACTERS


# --- the record -------------------------------------------------------------------------------------------------------


def test_the_record_has_each_model_and_its_command():
    record = json.loads((RECORDED / "bottleneck.json").read_text())
    assert record["command"] == "python -m bench.record_bottleneck"
    assert [*record["symbols"]] == [*record_bottleneck.MODELS] and [*record["fed"]] == [*record_bottleneck.FED]
    for rows in record["symbols"].values():
        assert len(rows) == 3 and all(len(row) == len(record["lengths"]) for row in rows)


def test_the_recorder_trains_each_model(tmp_path, monkeypatch):
    for name, value in {"CUDA_VISIBLE_DEVICES": "", "REACH_STRICT": "", "REACH_TRAINING": ""}.items():
        monkeypatch.setenv(name, value)  # the recorder sets them; here they are set back
    monkeypatch.setattr(record_bottleneck, "RECORD", tmp_path / "bottleneck.json")
    monkeypatch.setattr(record_bottleneck, "LENGTHS", (2, 3))
    monkeypatch.setattr(record_bottleneck, "MODELS", {"4 numbers": (4, False), "4, attention": (4, True)})
    assert record_bottleneck.main(["--updates", "2", "--fed-updates", "2", "--seeds", "1"]) == 0
    record = json.loads((tmp_path / "bottleneck.json").read_text())
    assert {len(rows[0]) for rows in record["strings"].values()} == {2}


# --- figures ----------------------------------------------------------------------------------------------------------


def test_models_have_the_same_colour_in_all_figures():
    one = plots.plot_by_length({"32 numbers": [[0.5, 1.0]], "16 numbers": [[0.2, 0.4]]}, [2, 3])
    other = plots.plot_by_length({"16 numbers": [[0.2, 0.4]]}, [2, 3], seen=2)
    assert one.lines[1].get_color() == other.lines[0].get_color() != one.lines[0].get_color()
    assert list(one.lines[0].get_ydata()) == [50, 100]


def test_an_alignment_has_a_row_for_each_character_written():
    weights = torch.rand(5, 9)
    ax = plots.plot_alignment(weights, "3 may", "05-03")
    assert ax.images[0].get_array().shape == (5, 5)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["3", "·", "m", "a", "y"]
    assert len(plots.plot_alignments({"a": weights, "b": weights}, "3 may", "05-03")) == 2


def test_sharpening_and_scores_have_a_line_for_each_key():
    assert len(plots.plot_sharpening([0.1, 1], [[0.5, 0.5], [0.9, 0.1]], ["a", "b"]).lines) == 2
    panels = plots.plot_scores([0, 1], {"x": torch.rand(2, 3), "y": torch.rand(2, 3)})
    assert [len(ax.lines) for ax in panels] == [3, 3]
    assert len(plots.plot_written_right({"forced": [[1, 0.5]], "alone": [[1, 0.2]]}).lines) == 4


# --- the widget -------------------------------------------------------------------------------------------------------


def worked(source: str = "3 may", written: str = "05-03") -> widget.Steps:
    tokens = torch.tensor([*tokens_of(written), END])
    weights = F.one_hot(torch.arange(6) % len(source), 8).float()
    return widget.Steps(source, tokens, weights, 0.9 * F.one_hot(tokens, len(CHARACTERS) + 3) + 0.001)


def test_steps_are_told_in_words():
    said = widget.describe(worked(), 3)
    assert "Step 4: “05-” is written. It looks at “a” at place 4 (100%)" in said
    assert "writes “0” (90%)" in said
    assert widget.describe(worked(), 0).startswith("Step 1: Nothing is written yet.")
    assert "writes END" in widget.describe(worked(), 5)
    assert "␣" in widget.describe(worked(), 1)


def test_the_picture_shows_steps_so_far():
    upper, lower = widget.draw(worked(), 1).axes
    assert not upper.images[0].get_array()[2:].any() and upper.images[0].get_array()[:2].any()
    assert [label.get_text() for label in upper.get_yticklabels()][:3] == ["0", "5", ""]
    assert lower.get_xticklabels()[0].get_text() == "5"


CELL = """import torch
from utils.tasks.translation import tokens_of
from utils.widgets.decoder_stepper import Steps, decoder_stepper

def made(source, written):
    chances = torch.nn.functional.one_hot(torch.tensor(tokens_of(written)), 44).float()
    return Steps(source, torch.tensor(tokens_of(written)), torch.eye(5), chances)

decoder_stepper([made("12345", "54321"), made("67890", "09876")])"""


def test_decoder_stepper(lab):
    from playwright.sync_api import expect

    with lab.run("decoder_stepper", CELL) as page:
        stepper = page.locator(".decoder-stepper")
        said, picture, slider = stepper.get_by_role("status"), stepper.get_by_role("img"), stepper.get_by_role("slider")
        expect(said).to_contain_text("Step 1: Nothing is written yet. It looks at “1” at place 1")
        before = picture.get_attribute("src") or ""

        def press(key):
            slider.focus()
            slider.press(key)

        def says(text):
            return lambda patience: expect(said).to_contain_text(text, timeout=patience)

        repeat(lambda: press("End"), says("Step 5: “5432” is written. It looks at “5” at place 5"))
        expect(picture).not_to_have_attribute("src", before)
        menu = stepper.get_by_role("combobox")
        repeat(lambda: menu.select_option("67890"), says("Step 5: “0987” is written"))


def test_half_right_lies_between_two_lengths_or_nowhere():
    assert half_right([2, 4, 6], [[1.0, 0.8, 0.3], [1.0, 0.6, 0.1]]) == pytest.approx(4.8)  # means 0.7 and 0.2
    assert half_right([2, 4], [[1.0, 0.5]]) == math.inf


def test_dates_that_are_known_are_drawn_again():
    known = dates(300, seed=1).texts
    fresh = dates(300, seed=1, but_not=known)
    assert len(fresh.texts) == 300 and not set(fresh.texts) & set(known)
    assert dates(20, seed=2).texts == dates(20, seed=2, but_not=["no date"]).texts
