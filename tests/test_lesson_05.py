"""Lesson 05: right answers in other styles, wrong ones on no list, its models, its small languages, the widget."""

import itertools
import json
import math
from collections import Counter, defaultdict

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bench import record_stack
from tests.browser import repeat
from utils import reach
from utils.checks import recurrence as check
from utils.models.hmm import HMM
from utils.models.recurrent import ContextTagger, CutElman, ElmanNetwork, JordanNetwork, TanhRNN
from utils.plotting import states as plots
from utils.tasks.languages import (
    BANK_WORDS,
    MINUS,
    NOT_ASKED,
    PLUS,
    WORDS,
    agreement,
    brackets,
    last_mark,
    sines,
    two_banks,
)
from utils.training import Batches, count_parameters, fit
from utils.widgets import state_explorer as widget

# --- right answers in other styles ---------------------------------------------------------------------------------


def cell_by_loops(x, h, W_x, W_h, b_x, b_h):
    new = torch.zeros_like(h)
    for n, i in itertools.product(range(len(h)), range(h.shape[1])):
        total = b_x[i] + b_h[i]
        total = total + sum(W_x[i, c] * x[n, c] for c in range(x.shape[1]))
        total = total + sum(W_h[i, j] * h[n, j] for j in range(h.shape[1]))
        new[n, i] = math.tanh(total)
    return new


def cell_by_einsum(x, h, W_x, W_h, b_x, b_h):
    return (torch.einsum("bc,hc->bh", x, W_x) + torch.einsum("bk,hk->bh", h, W_h) + b_x + b_h).tanh()


def cell_in_one_matrix(x, h, W_x, W_h, b_x, b_h):
    return torch.tanh(torch.cat([x, h], 1).double() @ torch.cat([W_x, W_h], 1).double().T + b_x + b_h)


def cell_in_numpy(x, h, W_x, W_h, b_x, b_h):
    return np.tanh(x.numpy() @ W_x.numpy().T + h.numpy() @ W_h.numpy().T + b_x.numpy() + b_h.numpy())


class Cell:
    def __call__(self, x, h, W_x, W_h, b_x, b_h):
        return F.linear(x, W_x, b_x).add(F.linear(h, W_h, b_h)).tanh()


def unroll_text_by_text(x, lengths, W_x, W_h, b):
    rows, last = [], []
    for text, length in zip(x, lengths, strict=True):
        h, states = torch.zeros(len(b)), []
        for x_t in text:
            h = torch.tanh(W_x @ x_t + W_h @ h + b)
            states.append(h)
        rows.append(torch.stack(states))
        last.append(states[int(length) - 1])
    return torch.stack(rows), torch.stack(last)


def unroll_into_a_tensor(x, lengths, W_x, W_h, b):
    B, T, _ = x.shape
    states = x.new_zeros(B, T, len(b))
    h = x.new_zeros(B, len(b))
    for t in range(T):
        h = (F.linear(x[:, t], W_x, b) + F.linear(h, W_h)).tanh()
        states[:, t] = h
    index = (lengths - 1)[:, None, None].expand(-1, 1, len(b))
    return [states, states.gather(1, index)[:, 0]]


def unroll_by_torch(x, lengths, W_x, W_h, b):
    layer = nn.RNN(x.shape[2], len(b), batch_first=True)
    layer.load_state_dict({"weight_ih_l0": W_x, "weight_hh_l0": W_h, "bias_ih_l0": b, "bias_hh_l0": 0 * b})
    with torch.no_grad():
        states = layer(x)[0]
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return states, layer(packed)[1][0]


def jordan_by_einsum(x, context, W_x, W_s, b, W_y, b_y, keep):
    hidden = torch.tanh(torch.einsum("bc,hc->bh", x, W_x) + torch.einsum("bv,hv->bh", context, W_s) + b)
    grown = torch.exp(torch.einsum("bh,vh->bv", hidden, W_y) + b_y)
    output = grown / grown.sum(1, keepdim=True)
    return output, context * keep + output


def jordan_row_by_row(x, context, W_x, W_s, b, W_y, b_y, keep):
    outputs = [F.softmax(W_y @ torch.tanh(W_x @ row + W_s @ s + b) + b_y, 0) for row, s in zip(x, context, strict=True)]
    return torch.stack(outputs), torch.stack([keep * s + y for s, y in zip(context, outputs, strict=True)])


def jordan_in_numpy(x, context, W_x, W_s, b, W_y, b_y, keep):
    x, context, W_x, W_s, b, W_y, b_y = (
        np.asarray(one, dtype=np.float64) for one in (x, context, W_x, W_s, b, W_y, b_y)
    )
    logits = np.tanh(x @ W_x.T + context @ W_s.T + b) @ W_y.T + b_y
    output = np.exp(logits - logits.max(1, keepdims=True))
    output /= output.sum(1, keepdims=True)
    return [output, keep * context + output]


def bits_by_nested_dicts(train, test, order, vocabulary):
    follows = defaultdict(Counter)
    for i in range(order - 1, len(train)):
        follows[train[i - order + 1 : i]][train[i]] += 1
    total = 0.0
    for i in range(order - 1, len(test)):
        seen = follows[test[i - order + 1 : i]]
        total -= math.log((seen[test[i]] + 1) / (seen.total() + vocabulary), 2)
    return total / (len(test) - order + 1)


def bits_by_str_count(train, test, order, vocabulary):
    def count(piece, text):
        return sum(text.startswith(piece, i) for i in range(len(text)))

    probabilities = []
    for i in range(len(test) - order + 1):
        gram = test[i : i + order]
        context = len(train) if order == 1 else count(gram[:-1], train[:-1])
        probabilities.append((count(gram, train) + 1) / (context + vocabulary))
    return -np.log2(probabilities).mean()


def bits_as_a_tensor(train, test, order, vocabulary):
    return torch.tensor(check.ngram_bits.reference(train, test, order, vocabulary))


def probe_by_pinv(states, tokens, lag, classes):
    T = states.shape[1]
    inputs = [np.concatenate([states[n, lag:].double().numpy(), np.ones((T - lag, 1))], 1) for n in (0, 1)]
    goal = np.eye(classes)[tokens[0, : T - lag].numpy()]
    guesses = (inputs[1] @ (np.linalg.pinv(inputs[0]) @ goal)).argmax(1)
    return (guesses == tokens[1, : T - lag].numpy()).mean()


def probe_by_normal_equations(states, tokens, lag, classes):
    T = states.shape[1]
    inputs = F.pad(states[:, lag:].double(), (1, 0), value=1.0)
    goal = F.one_hot(tokens[:, : T - lag], classes).double()
    weights = torch.linalg.solve(inputs[0].T @ inputs[0], inputs[0].T @ goal[0])
    return ((inputs[1] @ weights).argmax(-1) == tokens[1, : T - lag]).float().mean()


def probe_pair_by_pair(states, tokens, lag, classes):
    def rows(text):
        pairs = [(states[text, t].tolist() + [1.0], int(tokens[text, t - lag])) for t in range(lag, states.shape[1])]
        inputs, targets = zip(*pairs, strict=True)
        return torch.tensor(inputs, dtype=torch.float64), torch.tensor(targets)

    inputs, targets = rows(0)
    weights = torch.linalg.lstsq(inputs, torch.eye(classes, dtype=torch.float64)[targets]).solution
    inputs, targets = rows(1)
    right = sum(int((row @ weights).argmax()) == int(target) for row, target in zip(inputs, targets, strict=True))
    return right / len(targets)


RIGHT = {
    "rnn_cell": {
        "loops": cell_by_loops,
        "einsum": cell_by_einsum,
        "one matrix, float64": cell_in_one_matrix,
        "numpy": cell_in_numpy,
        "a class": Cell(),
        "torch's own": lambda x, h, W_x, W_h, b_x, b_h: torch.rnn_tanh_cell(x, h, W_x, W_h, b_x, b_h),
    },
    "unroll": {
        "text by text": unroll_text_by_text,
        "into a tensor, a list": unroll_into_a_tensor,
        "torch's layer, packed": unroll_by_torch,
    },
    "jordan_step": {
        "einsum": jordan_by_einsum,
        "row by row": jordan_row_by_row,
        "numpy, a list": jordan_in_numpy,
    },
    "ngram_bits": {
        "nested dicts": bits_by_nested_dicts,
        "counting again and again": bits_by_str_count,
        "a tensor": bits_as_a_tensor,
    },
    "probe_accuracy": {
        "pseudo-inverse": probe_by_pinv,
        "normal equations, a tensor": probe_by_normal_equations,
        "pair by pair": probe_pair_by_pair,
    },
}

# --- wrong answers -------------------------------------------------------------------------------------------------


def cell_squared(x, h, W_x, W_h, b_x, b_h):
    return torch.tanh(x @ W_x.T + h**2 @ W_h.T + b_x + b_h)


def cell_for_columns(x, h, W_x, W_h, b_x, b_h):
    return torch.tanh(W_x @ x + W_h @ h + b_x + b_h)


def last_column(x, lengths, W_x, W_h, b):
    states, _ = check.unroll.reference(x, lengths, W_x, W_h, b)
    return states, states[:, -1]


def zeros_after_the_end(x, lengths, W_x, W_h, b):
    states, last = check.unroll.reference(x, lengths, W_x, W_h, b)
    return states * (torch.arange(x.shape[1]) < lengths[:, None])[..., None], last


def states_as_a_list(x, lengths, W_x, W_h, b):
    states, last = check.unroll.reference(x, lengths, W_x, W_h, b)
    return list(states.unbind(1)), last


def jordan_without_output_weights(x, context, W_x, W_s, b, W_y, b_y, keep):
    output = torch.tanh(x @ W_x.T + context @ W_s.T + b).softmax(-1)
    return output, output


def no_smoothing(train, test, order, vocabulary):
    grams, contexts = (Counter(train[i : i + n] for i in range(len(train) - order + 1)) for n in (order, order - 1))
    pieces = [test[i : i + order] for i in range(len(test) - order + 1)]
    return -sum(math.log2(grams[piece] / contexts[piece[:-1]]) for piece in pieces) / len(pieces)


def unseen_costs_infinity(train, test, order, vocabulary):
    grams, contexts = (Counter(train[i : i + n] for i in range(len(train) - order + 1)) for n in (order, order - 1))
    pieces = [test[i : i + order] for i in range(len(test) - order + 1)]
    with np.errstate(divide="ignore"):
        return -np.log2([grams[piece] / max(contexts[piece[:-1]], 1) for piece in pieces]).mean()


def later_token(states, tokens, lag, classes):
    T = states.shape[1]
    return check.probe_accuracy.reference(states[:, : T - lag], tokens[:, lag:], 0, classes)


def probe_of_batches(states, tokens, lag, classes):
    return check.probe_accuracy.reference(states.mean(0, keepdim=True).expand(2, -1, -1), tokens, lag, classes)


WRONG = {
    "rnn_cell": {
        "the state squared": cell_squared,
        "no tanh": (lambda x, h, W_x, W_h, b_x, b_h: x @ W_x.T + h @ W_h.T + b_x + b_h, "no_tanh"),
        "columns": (cell_for_columns, None, "RuntimeError"),
        "W_h transposed": (
            lambda x, h, W_x, W_h, b_x, b_h: torch.tanh(x @ W_x.T + h @ W_h + b_x + b_h),
            "state_weight_transposed",
        ),
        "the old state": lambda x, h, W_x, W_h, b_x, b_h: h,
    },
    "unroll": {
        "the last column": (last_column, "last_of_the_padding", "2 of 3 points"),
        "zeros after the end": (zeros_after_the_end, "zeros_after_the_end", "2 of 3 points"),
        "the inputs": lambda x, lengths, W_x, W_h, b: (x @ W_x.T, x[:, -1] @ W_x.T),
        "a list of states": (states_as_a_list, "", "states"),
        "time first": (
            lambda *case: (check.unroll.reference(*case)[0].transpose(0, 1), check.unroll.reference(*case)[1]),
            "batch_and_time_swapped",
        ),
    },
    "jordan_step": {
        "no output weights": jordan_without_output_weights,
        "the output alone": (lambda *case: check.jordan_step.reference(*case)[0], "", "2 values (output, context)"),
        "the context replaced": (
            lambda *case: (check.jordan_step.reference(*case)[0],) * 2,
            "context_replaced",
        ),
        "zeros": lambda x, context, *rest: (0 * context, 0 * context),
    },
    "ngram_bits": {
        "no smoothing": (no_smoothing, None),
        "no smoothing, infinity": (unseen_costs_infinity, "no_smoothing"),
        "nats": (lambda *case: check.ngram_bits.reference(*case) * math.log(2), "nats"),
        "half an order": lambda train, test, order, V: check.ngram_bits.reference(train, test, 1, V),
        "uniform": lambda train, test, order, vocabulary: math.log2(vocabulary),
    },
    "probe_accuracy": {
        "later tokens": (later_token, "token_of_the_future"),
        "the states averaged": probe_of_batches,
        "always right": lambda states, tokens, lag, classes: 1.0,
        "guessing": lambda states, tokens, lag, classes: 1 / classes,
    },
}


# --- models --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("B", "T", "C", "H"), [(1, 1, 1, 1), (3, 7, 2, 5), (2, 12, 6, 3)])
def test_the_layer_written_out_equals_torchs(B, T, C, H):
    mine, theirs = TanhRNN(C, H), nn.RNN(C, H, batch_first=True)
    mine.load_state_dict(theirs.state_dict())
    x, h = torch.randn(B, T, C), torch.randn(B, H)
    for ours, expected in ((mine(x), theirs(x)), (mine(x, h), theirs(x, h[None]))):
        torch.testing.assert_close(ours[0], expected[0])
        torch.testing.assert_close(ours[1], expected[1][0])


def test_elmans_network_has_the_parameters_that_it_says_and_goes_on_from_its_state():
    V, H, E = 7, 5, 3
    network = ElmanNetwork(V, H, E)
    assert count_parameters(network) == V * E + H * (E + H + 2) + V * (H + 1)
    tokens = torch.randint(0, V, (2, 9))
    whole, last = network(tokens)
    _, state = network(tokens[:, :4])
    rest, end = network(tokens[:, 4:], state)
    torch.testing.assert_close(whole[:, 4:], rest)
    torch.testing.assert_close(last, end)
    torch.testing.assert_close(network.states(tokens)[:, -1], last[0])


def test_the_cut_network_says_the_same_and_hears_of_no_earlier_word():
    whole, cut = ElmanNetwork(7, 5), CutElman(7, 5)
    cut.load_state_dict(whole.state_dict())
    tokens = torch.arange(6)[None]
    for network in (whole, cut):
        network(tokens)[0][0, -1].sum().backward()
    torch.testing.assert_close(cut(tokens)[0], whole(tokens)[0])
    torch.testing.assert_close(cut(tokens)[1], whole(tokens)[1])
    heard = {network: network.embedding.weight.grad[:6].norm(dim=1) > 0 for network in (whole, cut)}
    assert heard[whole].all() and heard[cut].tolist() == [False] * 5 + [True]


@pytest.mark.parametrize(
    ("context", "order", "before"),
    [("the word alone", False, False), ("bag of words", False, True), ("recurrent", True, True)],
)
def test_a_tagger_sees_the_context_that_it_is_named_after(context, order, before):
    torch.manual_seed(0)
    tagger = ContextTagger(context, 9)
    last = {
        name: tagger(torch.tensor([tokens]))[0, -1]
        for name, tokens in {"a": [1, 2, 3], "b": [2, 1, 3], "c": [4, 2, 3]}.items()
    }
    assert last["a"].shape == (2,)
    assert torch.allclose(last["a"], last["b"], atol=1e-6) != order
    assert torch.allclose(last["a"], last["c"], atol=1e-6) != before


def test_jordans_network_takes_the_steps_of_the_exercise():
    network = JordanNetwork(4, 3, keep=0.3)
    tokens = torch.randint(0, 4, (2, 5))
    logits, last = network(tokens)
    context = torch.zeros(2, 4)
    weights = (
        network.from_input.weight, network.from_context.weight, network.from_input.bias, network.head.weight,
        network.head.bias,
    )  # fmt: skip
    for t, token in enumerate(tokens.unbind(1)):
        output, context = check.jordan_step.reference(network.embedding(token), context, *weights, 0.3)
        torch.testing.assert_close(output, logits[:, t].softmax(-1))
    torch.testing.assert_close(context, last)


def chance_by_all_paths(model: HMM, text: list[int]) -> float:
    """P(text), summed over all sequences of hidden states."""
    total = 0.0
    for path in itertools.product(range(len(model.start)), repeat=len(text)):
        chance = float(model.start[path[0]])
        for before, after in itertools.pairwise(path):
            chance *= float(model.transition[before, after])
        for state, token in zip(path, text, strict=True):
            chance *= float(model.emission[state, token])
        total += chance
    return total


def test_the_forward_algorithm_sums_over_all_paths():
    model = HMM(3, 4, seed=1)
    model.start = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    texts = torch.tensor([[0, 3, 1, 2, 2], [1, 1, 0, 3, 0]])
    beliefs, surprises = model.forward(texts)
    for text, logs in zip(texts.tolist(), surprises, strict=True):
        assert math.isclose(math.exp(logs.sum()), chance_by_all_paths(model, text), rel_tol=1e-9)
    torch.testing.assert_close(beliefs.sum(-1), torch.ones(2, 5, dtype=torch.float64))
    assert math.isclose(model.bits(texts), float(-surprises.mean()) / math.log(2), rel_tol=1e-6)


def test_a_long_text_does_not_underflow():
    assert math.isfinite(HMM(2, 3).bits(torch.randint(0, 3, (1, 3000))))


def test_baum_welch_never_makes_it_worse_and_finds_a_known_machine():
    torch.manual_seed(0)
    cycle = torch.arange(300).remainder(3).view(6, 50)  # three states, one after the other
    model = HMM(3, 3, seed=2)
    course = model.fit(cycle, 60)
    assert all(after < before + 1e-6 for before, after in itertools.pairwise(course))
    assert model.bits(cycle) < 0.1
    for table in (model.start, model.transition, model.emission):
        torch.testing.assert_close(table.sum(-1), torch.ones(table.shape[:-1], dtype=torch.float64))


def test_the_expected_counts_of_baum_welch_are_those_of_all_paths():
    model, text = HMM(2, 3, seed=3), [0, 2, 1, 1]
    counts, total = torch.zeros(2, 2, dtype=torch.float64), 0.0
    for path in itertools.product(range(2), repeat=len(text)):
        chance = float(model.start[path[0]])
        for before, after in itertools.pairwise(path):
            chance *= float(model.transition[before, after])
        for state, token in zip(path, text, strict=True):
            chance *= float(model.emission[state, token])
        total += chance
        for before, after in itertools.pairwise(path):
            counts[before, after] += chance
    model.fit(torch.tensor([text]), 1)
    torch.testing.assert_close(model.transition, counts / counts.sum(1, keepdim=True), rtol=1e-5, atol=1e-6)


# --- small languages -----------------------------------------------------------------------------------------------


def test_every_verb_agrees_with_the_first_noun_whatever_stands_between():
    sentences = agreement(300, most=4, seed=0)
    between_disagrees = 0
    for tokens, verb, count in zip(
        sentences.tokens, sentences.verb.tolist(), sentences.modifiers.tolist(), strict=True
    ):
        words = [WORDS[token] for token in tokens]
        assert words[verb] == ("were" if words[1].endswith("s") else "was")
        between = words[2:verb]
        assert sum(between.count(word) for word in ("that", "near")) == count
        between_disagrees += any(
            noun in between for noun in (("cat", "dog") if words[1].endswith("s") else ("cats", "dogs"))
        )
        assert words[verb + 1] in ("happy", "hungry") and set(words[verb + 2 :]) == {"."}
    assert between_disagrees > 50
    assert torch.equal(sentences.distance, sentences.verb - 1)


def test_brackets_close_their_partner_and_are_no_deeper_than_told():
    tokens, distances = brackets(50, 40, seed=0, deepest=3)
    for row, back in zip(tokens.tolist(), distances.tolist(), strict=True):
        depth = 0
        for place, (token, distance) in enumerate(zip(row, back, strict=True)):
            depth += 1 if token % 2 == 0 else -1
            assert 0 <= depth <= 3
            assert (distance == 0) == (token % 2 == 0)
            if distance:
                assert row[place - distance] == token - 1


def test_both_banks_stand_behind_their_own_word():
    tokens, targets = two_banks(200, seed=0)
    bank = BANK_WORDS.index("bank")
    for row, asked in zip(tokens.tolist(), targets.tolist(), strict=True):
        assert sorted(row) == sorted(tokens[0].tolist())
        places = [place for place, target in enumerate(asked) if target != NOT_ASKED]
        assert places == [place for place, token in enumerate(row) if token == bank]
        for place in places:
            clue = next(BANK_WORDS[t] for t in reversed(row[:place]) if BANK_WORDS[t] in ("river", "savings"))
            assert clue == ("river", "savings")[asked[place]]
    assert 0.3 < (targets[:, -1] == 0).float().mean() < 0.7


@pytest.mark.parametrize("marks", [1, 2])
def test_the_last_mark_is_the_answer(marks):
    lengths = set()
    for tokens, answers in last_mark(30, 16, marks, seed=0):
        lengths.add(tokens.shape[1])
        for row, answer in zip(tokens.tolist(), answers.tolist(), strict=True):
            seen = [token for token in row if token]
            assert len(seen) == marks and seen[-1] == (PLUS if answer else MINUS)
            assert len(set(seen)) == marks
    assert len(lengths) > 5 and min(lengths) >= 3 and max(lengths) <= 20


def test_fit_walks_through_batches_of_many_lengths():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = ElmanNetwork(3, 4)
            self.head = nn.Linear(4, 2)

        def forward(self, tokens):
            return self.head(self.network.states(tokens)[:, -1])

    history = fit(Last(), last_mark(4, 8, 1, seed=0), last_mark(2, 8, 1, seed=1), label="", validations=1)
    assert 0 <= history.best <= 1


def test_sines_have_the_periods_that_were_asked_for():
    waves = sines(20, 200, (10, 10), seed=0)
    assert waves.shape == (20, 200, 1)
    torch.testing.assert_close(waves[:, 10:], waves[:, :-10], rtol=0, atol=1e-4)
    assert waves.abs().max() <= 1
    assert Batches(waves[:, :-1], waves[:, 1:])


# --- the recorded run ----------------------------------------------------------------------------------------------


def test_a_pile_is_what_was_open_on_top_of_a_bracket():
    tokens = torch.tensor([[0, 2, 3, 2, 0, 1, 3, 1]])  # ( [ ] [ ( ) ] )
    distances = torch.tensor([[0, 0, 1, 0, 0, 1, 3, 7]])
    assert record_stack.piled_up(tokens, distances).tolist() == [[0, 0, 0, 0, 0, 0, 1, 2]]


def test_a_network_that_knows_the_language_closes_every_bracket():
    class Knows(nn.Module):
        def forward(self, tokens):
            logits = torch.zeros(*tokens.shape, 4)
            for row, text in enumerate(tokens.tolist()):
                stack = []
                for place, token in enumerate(text):
                    stack = [*stack, token] if token % 2 == 0 else stack[:-1]
                    if stack:
                        logits[row, place, stack[-1] + 1] = 1
            return logits, None

    tokens, distances = brackets(100, 40, seed=0, deepest=8)
    piles = record_stack.piled_up(tokens, distances)
    shares = record_stack.accuracies(Knows(), tokens, distances, piles)
    assert all(share == 1 or math.isnan(share) for share in shares) and shares[0] == 1


def test_the_record_is_written_with_its_command(tmp_path, monkeypatch):
    monkeypatch.setattr(record_stack, "RECORD", tmp_path / "record.json")
    monkeypatch.setattr(record_stack, "WIDTHS", (2,))
    monkeypatch.setattr(record_stack, "SEEDS", (0,))
    monkeypatch.setattr(record_stack, "prepare", lambda: None)
    assert record_stack.main(["--strings", "64", "--epochs", "1"]) == 0
    stored = json.loads(record_stack.RECORD.read_text())
    assert stored["command"] == "python -m bench.record_stack" and stored["strings"] == 64
    assert len(stored["by_pile"]["2"][0]) == stored["deepest"] == 8


# --- figures -------------------------------------------------------------------------------------------------------


def test_states_that_are_not_there_yet_stay_empty():
    ax = plots.plot_states(torch.full((2, 3), 0.5), ["a", "b", "c"])
    grid = np.ma.filled(ax.images[0].get_array(), np.nan)
    assert grid.shape == (3, 3)
    assert np.isnan(grid[:, 2]).all() and (grid[:, :2] == 0.5).all()


@pytest.mark.parametrize(("outputs", "count"), [("every", 4), ("last", 1)])
def test_the_unrolled_network_has_an_output_where_it_says(outputs, count):
    ax = plots.plot_unrolled(list("abcd"), outputs)
    assert sum(text.get_text().startswith("$y") for text in ax.texts) == count


def test_accuracies_are_drawn_in_per_cent_with_a_dot_for_each_seed():
    ax = plots.plot_accuracies({"one": [[1.0, 0.5], [0.5, 0.5]]}, [0, 1], "lag", chance=0.5, seen=0.5)
    means, first, second, level = ax.lines
    assert list(means.get_ydata()) == [75, 50]
    assert list(first.get_ydata()) == [100, 50] and list(second.get_ydata()) == [50, 50]
    assert set(level.get_ydata()) == {50}


# --- the widget ----------------------------------------------------------------------------------------------------


def small_network() -> ElmanNetwork:
    torch.manual_seed(0)
    return ElmanNetwork(len(WORDS), 8)


def test_a_reading_has_the_rulers_influence_and_the_distance_of_the_swap():
    network, tokens = small_network(), torch.tensor([0, 1, 5, 6])
    reading = widget.read(network, tokens, place=1, other=2)
    torch.testing.assert_close(reading.influences, reach.influence(network.rnn, network.embedding(tokens).detach()))
    assert reading.moved[0] == 0 and (reading.moved[1:] > 0).all()
    other = network.states(torch.tensor([[0, 2, 5, 6]]))[0]
    torch.testing.assert_close(reading.moved, (other - network.states(tokens[None])[0]).norm(dim=1).detach())


def test_the_sentence_says_what_was_measured_and_what_was_not_read():
    words = ["the", "cat", "that"]
    reading = widget.read(small_network(), torch.tensor([0, 1, 5]), place=1, other=2)
    assert "has not been read" in widget.sentence(reading, words, 0, 1, "cats")
    said = widget.sentence(reading, words, 2, 1, "cats")
    row = reading.influences[2] / reading.influences[2].sum()
    assert f"{row[1]:.1%} of the influence" in said and f"{reading.moved[2]:.2f} away" in said


def test_the_explorer_is_shown_with_a_still_of_the_word_that_is_asked_for(monkeypatch):
    import utils.widgets.still as still

    shown = []
    monkeypatch.setattr(still, "show", lambda *args: shown.append(args))
    widget.state_explorer({"fresh": small_network()}, WORDS, "the cat that we saw", "cat", "cats", at="we")
    ((_, figure, alt, _),) = shown
    assert "after “we”" in figure.axes[0].get_title() + figure.axes[0].get_title(loc="left")
    assert "After “we”" in alt


def test_state_explorer(lab):
    from playwright.sync_api import expect

    cell = (
        "import torch\nfrom utils.models.recurrent import ElmanNetwork\n"
        "from utils.widgets.state_explorer import state_explorer\nfrom utils.tasks.languages import WORDS\n"
        "torch.manual_seed(0)\npair = {'one': ElmanNetwork(len(WORDS), 8), 'two': ElmanNetwork(len(WORDS), 8)}\n"
        "state_explorer(pair, WORDS, 'the cat that we saw', 'cat', 'cats', at='saw')"
    )
    with lab.run("state_explorer", cell) as page:
        explorer = page.locator(".state-explorer")
        said, picture = explorer.get_by_role("status"), explorer.get_by_role("img")
        slider = explorer.get_by_role("slider")
        expect(said).to_have_text("After “the”: “cat” has not been read.")
        before = picture.get_attribute("src")

        def says(text):
            return lambda patience: expect(said).to_contain_text(text, timeout=patience)

        def to_the(key):
            slider.focus()
            slider.press(key)

        repeat(lambda: to_the("End"), says("After “saw”"))
        expect(said).to_contain_text("of the influence is that of “cat”")
        expect(picture).not_to_have_attribute("src", before)
        drawn, first = picture.get_attribute("src"), said.text_content()
        repeat(
            explorer.get_by_role("button", name="two").click,
            lambda patience: expect(said).not_to_have_text(first, timeout=patience),
        )
        expect(picture).not_to_have_attribute("src", drawn)
        repeat(lambda: to_the("Home"), says("has not been read"))
