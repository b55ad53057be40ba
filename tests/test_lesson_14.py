"""Lesson 14: right answers in other styles, wrong ones on no list, speech, strokes, WaveNet, the wall, the pen."""

import itertools
import json
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bench import record_wall
from tests.browser import repeat
from tools.train_weights import handwriting, wavenet
from utils import reach
from utils.checks import the_wall as check
from utils.data import Corpus
from utils.models import handwriting as scribes
from utils.models import speech
from utils.models import wall as on_the_wall
from utils.models.pretrained import card, pretrained
from utils.models.wavenet import CausalConv, WaveNet
from utils.paths import RECORDED
from utils.plotting.handwriting import plot_line, plot_lines
from utils.plotting.speech import plot_utterance
from utils.plotting.wall import CONSTRAINTS, PROGRESSION, plot_progression, plot_right_by_distance, plot_the_wall
from utils.tasks import speech as task
from utils.tasks import strokes
from utils.widgets import pen as widget

# --- right answers in other styles ----------------------------------------------------------------------------------


def ctc_in_doubles(log_p, word):
    """Probabilities themselves, which float64 still holds."""
    p, places = log_p.double().exp(), [0]
    for token in word:
        places += [token, 0]
    alpha = torch.zeros(len(places), dtype=torch.float64)
    alpha[:2] = p[0, places[:2]]
    for t in range(1, len(p)):
        one, two = F.pad(alpha[:-1], (1, 0)), F.pad(alpha[:-2], (2, 0))
        may = torch.tensor([s >= 2 and k != 0 and k != places[s - 2] for s, k in enumerate(places)])
        alpha = (alpha + one + two * may) * p[t, places]
    return alpha[-2:].sum().log().item()


def ctc_by_recursion(log_p, word):
    """Suffixes instead of prefixes: what is still to come."""
    places = [0, *itertools.chain(*((token, 0) for token in word))]
    later = [0.0 if s >= len(places) - 2 else -math.inf for s in range(len(places))]
    for t in range(len(log_p) - 1, 0, -1):
        arrive = [later[s] + float(log_p[t, k]) for s, k in enumerate(places)]
        later = []
        for s, token in enumerate(places):
            ways = arrive[s : s + 2]
            if s + 2 < len(places) and token != places[s + 2] and places[s + 2] != 0:
                ways = arrive[s : s + 3]
            later.append(float(np.logaddexp.reduce(ways)))
    return np.logaddexp(later[0] + float(log_p[0, 0]), later[1] + float(log_p[0, word[0]]))


def ctc_of_torch(log_p, word):
    sizes = torch.tensor([len(log_p)]), torch.tensor([len(word)])
    return -F.ctc_loss(log_p[:, None], torch.tensor([word]), *sizes, reduction="sum")


def nll_one_step_at_a_time(raw, steps):
    found = []
    for numbers, (dx, dy, lift) in zip(raw.double(), steps.double(), strict=True):
        w, mx, my, sx, sy, r = numbers[:-1].view(6, -1)
        r, sx, sy = r.tanh(), sx.exp(), sy.exp()
        x, y = (dx - mx) / sx, (dy - my) / sy
        z = x**2 - 2 * r * x * y + y**2
        log_n = -z / (2 * (1 - r**2)) - torch.log(2 * math.pi * sx * sy * torch.sqrt(1 - r**2))
        pen = F.logsigmoid(numbers[-1]) if lift else F.logsigmoid(-numbers[-1])
        found.append(-torch.logsumexp(w - torch.logsumexp(w, 0) + log_n, 0) - pen)
    return torch.stack(found)


def nll_of_distributions(raw, steps):
    return check.mixture_nll.reference(raw, steps)


def nll_with_the_largest_taken_out(raw, steps):
    w, mx, my, lx, ly, r = raw[:, :-1].unflatten(1, (6, -1)).unbind(1)
    r = torch.tanh(r)
    x, y = (steps[:, [0]] - mx) * torch.exp(-lx), (steps[:, [1]] - my) * torch.exp(-ly)
    inner = ((x - r * y) ** 2 + (1 - r**2) * y**2) / (1 - r**2)  # the square completed
    terms = F.log_softmax(w, 1) - inner / 2 - lx - ly - 0.5 * torch.log1p(-(r**2)) - math.log(2 * math.pi)
    top = terms.max(1, keepdim=True).values
    where = top[:, 0] + (terms - top).exp().sum(1).log()
    return F.softplus(raw[:, -1]) - steps[:, 2] * raw[:, -1] - where


def step_by_a_loop(raw, bias, u, e):
    K = (len(raw) - 1) // 6
    w = torch.softmax((1 + bias) * raw[:K], 0).tolist()
    total, k = w[0], 0
    while total <= u[0] and k < K - 1:
        k += 1
        total += w[k]
    mx, my, lx, ly, r = (float(raw[part * K + k]) for part in range(1, 6))
    r = math.tanh(r)
    dx = mx + math.exp(lx - bias) * float(e[0])
    dy = my + math.exp(ly - bias) * (r * float(e[0]) + math.sqrt(1 - r * r) * float(e[1]))
    return torch.tensor([dx, dy, float(u[1] < 1 / (1 + math.exp(-float(raw[-1]))))])


def step_by_searchsorted(raw, bias, u, e):
    return check.next_step.reference(raw.double(), bias, u.double(), e.double())


def step_by_cholesky(raw, bias, u, e):
    w, mx, my, lx, ly, r = raw[:-1].reshape(6, -1)
    k = int(np.argmax(np.cumsum(F.softmax(w * (1 + bias), dim=0).numpy()) > u[0].item()))
    a, b, r = torch.exp(lx[k] - bias), torch.exp(ly[k] - bias), torch.tanh(r[k])
    L = torch.linalg.cholesky(torch.stack([torch.stack([a * a, r * a * b]), torch.stack([r * a * b, b * b])]))
    dx, dy = torch.stack([mx[k], my[k]]) + L @ e
    return np.array([float(dx), float(dy), 1.0 if u[1] < torch.sigmoid(raw[-1]) else 0.0], dtype=np.float32)


def stack_by_loops(x, layers):
    field = 1
    for number, (W, b, d) in enumerate(layers):
        K, T = W.shape[2], x.shape[2]
        out = b[None, :, None].expand(len(x), -1, T).clone()
        for k in range(K):
            back = (K - 1 - k) * d
            moved = F.pad(x, (back, 0))[..., :T]
            out = out + torch.einsum("oi,bit->bot", W[:, :, k], moved)
        x = torch.relu(out) if number + 1 < len(layers) else out
        field = field + (K - 1) * d
    return x, field


def stack_cut_at_the_end(x, layers):
    T = x.shape[-1]
    for number, (W, b, d) in enumerate(layers):
        x = F.conv1d(x, W, b, padding=(W.shape[-1] - 1) * d, dilation=d)[..., :T]
        x = x if number == len(layers) - 1 else x.clamp(min=0)
    return x, 1 + sum((W.shape[-1] - 1) * d for W, _, d in layers)


def stack_of_modules(x, layers):
    steps = nn.Sequential()
    for number, (W, b, d) in enumerate(layers):
        conv = CausalConvHere(W, b, d)
        steps.extend([conv] if number == len(layers) - 1 else [conv, nn.ReLU()])
    with torch.no_grad():
        return steps(x), torch.tensor(1 + sum((W.shape[2] - 1) * d for W, _, d in layers))


class CausalConvHere(nn.Module):
    def __init__(self, W, b, d):
        super().__init__()
        self.W, self.b, self.d = W, b, d

    def forward(self, x):
        zeros = x.new_zeros(*x.shape[:2], (self.W.shape[2] - 1) * self.d)
        return F.conv1d(torch.cat([zeros, x], 2), self.W, self.b, dilation=self.d)


def wall_by_branches(kind, column, n, C):
    layers = -(-(n - 1) // 2) if kind == "CNN" else (n - 1).bit_length()
    if column == "path":
        return layers if "CNN" in kind else 1 if "attention" in kind else n
    if column == "looks":
        if "CNN" in kind:
            return (3 if kind == "CNN" else 2) * n * layers
        return {"causal attention": n * (n + 1) // 2, "full attention": n**2}.get(kind, 2 * n)
    if column == "limit":
        names = {"plain RNN": "fade", "RWKV": "decay"}
        return "field" if "CNN" in kind else "nothing" if "attention" in kind else names.get(kind, "gate")
    kept = {"CNN": layers * 2 * C, "dilated CNN": sum(2**i for i in range(layers)) * C, "LSTM": 2 * C}
    kept |= {"causal attention": 2 * n * C, "full attention": "none", "state-space": 16 * C, "RWKV": 4 * C}
    return kept.get(kind, C) if kind != "xLSTM" else 4 * (C // 4) ** 2 + C + 4


def wall_in_numpy(kind, column, n, C):
    value = wall_by_branches(kind, column, n, C)
    return value if isinstance(value, str) else np.int64(value)


def wall_in_floats(kind, column, n, C):
    value = wall_by_branches(kind, column, n, C)
    return value if isinstance(value, str) else float(value)


RIGHT = {
    "ctc_log_likelihood": {"doubles": ctc_in_doubles, "suffixes": ctc_by_recursion, "torch": ctc_of_torch},
    "mixture_nll": {
        "step by step": nll_one_step_at_a_time,
        "distributions": nll_of_distributions,
        "the largest taken out": nll_with_the_largest_taken_out,
    },
    "next_step": {"loop": step_by_a_loop, "searchsorted": step_by_searchsorted, "Cholesky": step_by_cholesky},
    "dilated_stack": {"loops": stack_by_loops, "cut": stack_cut_at_the_end, "modules": stack_of_modules},
    "wall": {"branches": wall_by_branches, "numpy": wall_in_numpy},
}


# --- wrong answers ----------------------------------------------------------------------------------------------------


def ctc_loss_itself(log_p, word):
    return -ctc_of_torch(log_p, word)


def ctc_with_a_negative_index(log_p, word):
    places = [0, *itertools.chain(*((token, 0) for token in word))]
    alpha = torch.full((len(places),), -math.inf)
    alpha[:2] = log_p[0, places[:2]]
    for frame in log_p[1:]:
        new = alpha.clone()
        new[1:] = torch.logaddexp(alpha[1:], alpha[:-1])
        for s, k in enumerate(places):
            if k != 0 and k != places[s - 2]:
                new[s] = torch.logaddexp(new[s], alpha[s - 2])
        alpha = new + frame[places]
    return alpha[-2:].logsumexp(0)


def ctc_best_alignment(log_p, word):
    """Viterbi's algorithm: right in everything but the sum."""
    places = [0, *itertools.chain(*((token, 0) for token in word))]
    best = [float(log_p[0, k]) if s < 2 else -math.inf for s, k in enumerate(places)]
    for frame in log_p[1:].tolist():
        new = []
        for s, k in enumerate(places):
            jump = s > 1 and k != 0 and k != places[s - 2]
            new.append(max(best[max(s - 1 - jump, 0) : s + 1]) + frame[k])
        best = new
    return max(best[-2:])


def nll_of_the_place_alone(raw, steps):
    return nll_with_the_largest_taken_out(raw, steps) - F.binary_cross_entropy_with_logits(
        raw[:, -1], steps[:, 2], reduction="none"
    )


def nll_with_a_small_number(raw, steps, least=1e-8):
    pen = F.binary_cross_entropy_with_logits(raw[:, -1], steps[:, 2], reduction="none")
    return pen - ((pen - nll_with_the_largest_taken_out(raw, steps)).exp() + least).log()


def nll_by_log_sigmoid(raw, steps):
    p, lift = raw[:, -1].sigmoid(), steps[:, 2]
    pen = -(lift * p.log() + (1 - lift) * (1 - p).log())
    return pen + nll_of_the_place_alone(raw, steps)


def nll_by_cross_entropy_of_sigmoid(raw, steps):
    return nll_of_the_place_alone(raw, steps) + F.binary_cross_entropy(
        raw[:, -1].sigmoid(), steps[:, 2], reduction="none"
    )


def nll_with_two_sigmoids(raw, steps):
    return nll_of_the_place_alone(raw, steps) + F.binary_cross_entropy_with_logits(
        raw[:, -1].sigmoid(), steps[:, 2], reduction="none"
    )


def nll_with_weights_over_the_steps(raw, steps):
    K = raw.shape[1] // 6
    weights = raw[:, :K].log_softmax(0)
    raw = torch.cat([weights, raw[:, K:]], 1)
    return nll_with_the_largest_taken_out(raw, steps) - weights.logsumexp(1)  # they do not add up to 1 over the K


def step_with_divided_deviations(raw, bias, u, e):
    K = len(raw) // 6
    shift = torch.zeros_like(raw)
    shift[3 * K : 5 * K] = bias - math.log(1 + bias)
    return step_by_a_loop(raw + shift, bias, u, e)


def step_without_sigmoid(raw, bias, u, e):
    step = step_by_a_loop(raw, bias, u, e)
    return torch.stack([step[0], step[1], (u[1] < raw[-1]).float()])


def stack_with_same(x, layers):
    for number, (W, b, d) in enumerate(layers):
        x = F.conv1d(x, W, b, padding="same", dilation=d)
        x = x if number == len(layers) - 1 else x.relu()
    return x, 1 + sum((W.shape[-1] - 1) * d for W, _, d in layers)


def wall_without_the_cell(kind, column, n, C):
    return C if (kind, column) == ("LSTM", "kept") else wall_by_branches(kind, column, n, C)


def wall_with_one_input_for_each_layer(kind, column, n, C):
    value = wall_by_branches(kind, column, n, C)
    return C * (n - 1).bit_length() if (kind, column) == ("dilated CNN", "kept") else value


def wall_where_a_plain_rnn_decays(kind, column, n, C):
    return "decay" if (kind, column) == ("plain RNN", "limit") else wall_by_branches(kind, column, n, C)


def wall_where_an_lstm_fades(kind, column, n, C):
    return "fade" if (kind, column) == ("LSTM", "limit") else wall_by_branches(kind, column, n, C)


def wall_where_a_gru_fades(kind, column, n, C):
    return "fade" if (kind, column) == ("GRU", "limit") else wall_by_branches(kind, column, n, C)


def wall_with_one_stabiliser(kind, column, n, C):
    return C * C // 4 + C + 1 if (kind, column) == ("xLSTM", "kept") else wall_by_branches(kind, column, n, C)


def wall_with_a_short_cache(kind, column, n, C):
    return n * C if (kind, column) == ("causal attention", "kept") else wall_by_branches(kind, column, n, C)


WRONG = {
    "ctc_log_likelihood": {
        "the loss": (ctc_loss_itself, "sign_turned"),
        "the best path": (ctc_best_alignment, "best_path_alone"),
        "a negative index": (ctc_with_a_negative_index, "index_wraps_round"),
        "zero": lambda log_p, word: 0.0,
        "frames added": lambda log_p, word: log_p[:, word].sum(),
    },
    "mixture_nll": {
        "no pen": (nll_of_the_place_alone, "pen_missing"),
        "a likelihood": (lambda raw, steps: -nll_one_step_at_a_time(raw, steps), "sign_turned"),
        "a mean": (lambda raw, steps: nll_one_step_at_a_time(raw, steps).mean(), None),
        "1e-8 before the log": (nll_with_a_small_number, "small_number_added"),
        "1e-38 before the log": (lambda raw, steps: nll_with_a_small_number(raw, steps, 1e-38), "small_number_added"),
        "log of a sigmoid": (nll_by_log_sigmoid, "log_of_sigmoid"),
        "two sigmoids": (nll_with_two_sigmoids, "sigmoid_twice"),
        "cross-entropy of a sigmoid": (nll_by_cross_entropy_of_sigmoid, "cut_at_100"),
        "softmax over the steps": (nll_with_weights_over_the_steps, "softmax_over_steps"),
        "squared error": lambda raw, steps: (steps[:, :2] ** 2).sum(1),
    },
    "next_step": {
        "bias ignored": (lambda raw, bias, u, e: step_by_a_loop(raw, 0.0, u, e), "bias_ignored"),
        "deviations divided": (step_with_divided_deviations, "deviations_divided"),
        "no sigmoid": (step_without_sigmoid, "lift_without_sigmoid"),
        "zeros": lambda raw, bias, u, e: torch.zeros(3),
        "no noise": lambda raw, bias, u, e: step_by_a_loop(raw, bias, u, 0 * e),
        "two numbers": lambda raw, bias, u, e: step_by_a_loop(raw, bias, u, e)[:2],
    },
    "dilated_stack": {
        "same": (stack_with_same, "padded_on_both_sides"),
        "the output alone": lambda x, layers: stack_by_loops(x, layers)[0],
        "a field of 1": lambda x, layers: (stack_by_loops(x, layers)[0], 1),
        "x": lambda x, layers: (x, 2),
    },
    "wall": {
        "no cell": (wall_without_the_cell, "cell_forgotten"),
        "an input for each dilated layer": (wall_with_one_input_for_each_layer, "one_number_per_dilated_layer"),
        "a plain RNN decays": (wall_where_a_plain_rnn_decays, "rnn_decays"),
        "an LSTM fades": (wall_where_an_lstm_fades, "lstm_only_fades"),
        "a GRU fades": (wall_where_a_gru_fades, "gru_only_fades"),
        "one stabiliser": (wall_with_one_stabiliser, "one_stabiliser"),
        "keys alone": (wall_with_a_short_cache, "keys_alone"),
        "n": lambda kind, column, n, C: n,
        "gate": lambda kind, column, n, C: "gate",
    },
}


# --- speech -----------------------------------------------------------------------------------------------------------


def test_a_path_says_a_word_and_all_paths_together_say_something():
    assert speech.collapse(torch.tensor([0, 1, 1, 0, 1, 2])).tolist() == [1, 1, 2]
    log_p = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)).log_softmax(1)
    said = {tuple(speech.collapse(torch.tensor(path)).tolist()) for path in itertools.product(range(3), repeat=4)}
    total = sum(math.exp(check.ctc_log_likelihood.reference(log_p, list(word))) for word in said if word)
    assert total + log_p[:, 0].sum().exp().item() == pytest.approx(1, abs=1e-4)


def test_ctc_is_the_mean_of_the_losses_of_each_utterance():
    torch.manual_seed(0)
    logits, words = torch.randn(3, 20, 5), torch.tensor([[1, 2, 0], [3, 0, 0], [4, 4, 1]])
    each = []
    for row, word in zip(logits, words, strict=True):
        each.append(check.ctc_log_likelihood.reference(row.log_softmax(1), [t for t in word.tolist() if t]))
    torch.testing.assert_close(speech.ctc(logits, words), -torch.stack(each).mean())
    assert [word.tolist() for word in speech.decode_greedily(F.one_hot(torch.tensor([[0, 2, 2, 0, 2]]), 3))] == [[2, 2]]


def test_utterances_are_the_same_for_a_seed_and_their_truth_is_their_word():
    sounds, words, truth = task.utterances(20, seed=3)
    again, _, _ = task.utterances(20, seed=3)
    assert torch.equal(sounds, again) and sounds.shape == (20, task.FRAMES, task.BANDS)
    for word, frames in zip(words, truth, strict=True):
        heard = frames.unique_consecutive()
        assert set(heard[heard > 0].tolist()) == set(word[word > 0].tolist())
        assert 3 <= (word > 0).sum() <= 6


@pytest.mark.parametrize(
    "one, other, count", [("", "ab", 2), ("kitten", "sitting", 3), ("aks", "aks", 0), ("ab", "ba", 2)]
)
def test_edits_are_counted(one, other, count):
    assert task.edits(one, other) == count


@pytest.mark.parametrize("both", [False, True])
def test_a_listener_hears_the_future_in_both_directions_alone(both):
    torch.manual_seed(0)
    listener = speech.Listener(4, 3, width=8, both=both)
    found = reach.influence(listener, torch.randn(6, 4))
    assert bool(found.triu(1).any()) == both


# --- handwriting ------------------------------------------------------------------------------------------------------


def test_lines_are_the_same_for_a_seed_and_lift_the_pen():
    lines = strokes.lines(4, 120, seed=1)
    assert torch.equal(lines, strokes.lines(4, 120, seed=1)) and lines.shape == (4, 120, 3)
    assert set(lines[..., 2].unique().tolist()) == {0.0, 1.0} and lines[..., 2].mean() < 0.1
    assert strokes.positions(lines[0])[-1, 0] > 5  # from left to right
    for letter in strokes.LETTERS.values():
        assert letter[0][0] == (0, 0) and letter[0][-1][1] == 0  # from base line to base line
    with pytest.raises(ValueError, match="at least 1"):
        strokes.lines(0, 5, seed=1)


def test_the_surprise_is_that_of_the_check():
    torch.manual_seed(0)
    raw, steps = torch.randn(2, 5, 25), torch.cat([torch.randn(2, 5, 2), torch.rand(2, 5, 1).round()], 2)
    expected = check.mixture_nll.reference(raw.flatten(0, 1), steps.flatten(0, 1))
    torch.testing.assert_close(scribes.stroke_nll(raw, steps).flatten(), expected, rtol=1e-4, atol=1e-4)
    assert scribes.mean_nll(raw, steps).item() == pytest.approx(expected.mean().item(), abs=1e-4)


def test_draws_follow_the_mixture():
    raw = torch.tensor([0.0, 1.0, -4.0, 4.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0, 0.5, 0.5, 0.3])
    drawn = scribes.draw(raw.expand(40_000, -1), generator=torch.Generator().manual_seed(0))
    right = drawn[:, 0] > 0
    assert right.float().mean() == pytest.approx(1 / (1 + math.exp(-1)), abs=0.02)
    cloud = drawn[right, :2]
    torch.testing.assert_close(cloud.mean(0), torch.tensor([4.0, 1.0]), rtol=0, atol=0.02)
    torch.testing.assert_close(cloud.std(0), torch.full((2,), math.exp(-1)), rtol=0.05, atol=0)
    assert torch.corrcoef(cloud.T)[0, 1] == pytest.approx(math.tanh(0.5), abs=0.03)
    assert drawn[:, 2].mean() == pytest.approx(torch.sigmoid(torch.tensor(0.3)).item(), abs=0.02)
    sharp = scribes.draw(raw.expand(4_000, -1), bias=3.0, generator=torch.Generator().manual_seed(0))
    assert sharp[sharp[:, 0] > 0, 0].std() < 0.03 and (sharp[:, 0] > 0).float().mean() > 0.95


def test_the_shipped_scribe_is_as_surprised_as_its_card_says():
    lines = strokes.held_out()
    with torch.no_grad():
        found = scribes.mean_nll(pretrained("scribe")(handwriting.shifted(lines))[0], lines).item()
    assert found == pytest.approx(card("scribe")["measured"]["shipped"], abs=1e-3)


def test_a_written_line_repeats_with_its_generator():
    torch.manual_seed(0)
    model = scribes.Scribe(8, 3).eval()
    one, other = (scribes.write(model, 12, 0.5, torch.Generator().manual_seed(4), lines=2) for _ in range(2))
    assert torch.equal(one, other) and one.shape == (2, 12, 3)


def test_the_recipe_of_the_scribe_learns():
    training = handwriting.ScribeTraining(width=16, components=2, steps=3, batch=2)
    assert training.loss(0).isfinite() and math.isfinite(training.measure())
    lines = strokes.lines(2, 5, seed=0)
    assert torch.equal(handwriting.shifted(lines)[:, 1:], lines[:, :-1]) and not handwriting.shifted(lines)[:, 0].any()


# --- WaveNet ----------------------------------------------------------------------------------------------------------


def test_a_causal_convolution_is_torchs_with_zeros_on_the_left():
    torch.manual_seed(0)
    conv, x = CausalConv(3, 5, kernel=3, dilation=4), torch.randn(2, 3, 20)
    plain = nn.Conv1d(3, 5, 3, dilation=4)
    plain.load_state_dict(conv.state_dict())
    torch.testing.assert_close(conv(x), plain(F.pad(x, (8, 0))))


def test_wavenet_sees_its_field_and_no_future():
    torch.manual_seed(0)
    model = WaveNet(7, 6, (1, 2, 4))
    vectors = model.embedding(torch.randint(7, (1, 20)))
    seen = reach.influence(model.read, vectors.detach())
    assert reach.receptive_field(model.layers).size == 8 == (seen[-1] > 0).sum()
    assert not seen.triu(1).any()


def test_bits_of_a_wavenet_do_not_depend_on_how_the_text_is_cut():
    torch.manual_seed(0)
    model, tokens = WaveNet(7, 6, (1, 2, 4)), torch.randint(7, (90,))
    whole = wavenet.wavenet_bits(model, tokens, length=1_000)
    assert wavenet.wavenet_bits(model, tokens, length=16) == pytest.approx(whole, abs=1e-5)
    assert whole == pytest.approx(
        F.cross_entropy(model(tokens[None])[0, :-1], tokens[1:]).item() / math.log(2), abs=1e-5
    )


def test_the_recipe_of_wavenet_takes_a_step():
    text = "to be or not to be, that is the question. " * 40
    training = wavenet.WaveNetTraining(Corpus("tiny", text), channels=4, dilations=(1, 2), steps=2, batch=2, length=16)
    assert training.loss(0).isfinite() and math.isfinite(training.measure())


# --- the wall ---------------------------------------------------------------------------------------------------------


def test_the_last_symbol_is_the_last_one():
    tokens, labels = on_the_wall.last_symbol(30, seed=2, often=0.2)
    for row, wanted in zip(tokens.tolist(), labels.tolist(), strict=True):
        last = None
        for token, label in zip(row, wanted, strict=True):
            last = token if token < on_the_wall.SYMBOLS else last
            assert label == last
    places = on_the_wall.last_place(tokens)
    assert torch.equal(tokens.gather(1, places), labels)


@pytest.mark.parametrize("kind", on_the_wall.MIXERS)
def test_all_on_the_wall_are_of_one_size_and_only_full_attention_sees_the_future(kind):
    torch.manual_seed(0)
    model = on_the_wall.OnTheWall(kind)
    assert 8_000 < sum(p.numel() for p in model.parameters()) < 10_000
    tokens, _ = on_the_wall.last_symbol(1, seed=0, length=20)
    found = reach.influence(model.read, F.one_hot(tokens, on_the_wall.TOKENS).float())
    assert bool(found.triu(1).any()) == (kind == "full attention")
    if kind in on_the_wall.FIELDS:
        width = on_the_wall.FIELDS[kind]
        assert not found.tril(-width).any()


def test_what_is_kept_is_what_the_table_says():
    for n, C in ((5, 8), (33, 12)):
        for kind, number in on_the_wall.numbers_kept(n, C).items():
            assert number == check.wall.reference(kind, "kept", n, C), (kind, n, C)


def test_a_map_survives_packing():
    found = torch.rand(48, 48, generator=torch.Generator().manual_seed(0)).pow(8)
    found[found < 1e-5] = 0
    found /= found.max()
    back = on_the_wall.unpacked(on_the_wall.packed(found))
    assert torch.equal(back > 0, found > 0)
    torch.testing.assert_close(back, found, rtol=0.03, atol=0)


def test_the_record_has_each_kind_and_each_seed():
    record = json.loads((RECORDED / "the_wall.json").read_text())
    assert record["command"] == "python -m bench.record_wall"
    assert [*record["maps"]] == [*on_the_wall.MIXERS, *on_the_wall.SYMPTOMS]
    for kind, seeds in record["right_longer"].items():
        assert len(seeds) == 3 and [*seeds[0]] == [str(first) for first in record["distances"]]
        assert on_the_wall.unpacked(record["maps"][kind]).shape == (48, 48)


def test_the_recorder_records(tmp_path, monkeypatch):
    for name in ("CUDA_VISIBLE_DEVICES", "REACH_STRICT", "REACH_TRAINING"):
        monkeypatch.setenv(name, "")  # the recorder sets them; here they are set back
    monkeypatch.setattr(record_wall, "RECORD", tmp_path / "wall.json")
    monkeypatch.setattr(record_wall, "MIXERS", {"CNN": on_the_wall.MIXERS["CNN"]})
    monkeypatch.setattr(record_wall, "SYMPTOMS", {})
    assert record_wall.main(["--steps", "1", "--seeds", "2"]) == 0
    record = json.loads((tmp_path / "wall.json").read_text())
    assert len(record["right"]["CNN"]) == 2 and record["parameters"]["CNN"] == 8_584


# --- figures ----------------------------------------------------------------------------------------------------------


def test_a_line_is_cut_where_the_pen_is_lifted():
    line = torch.tensor([[1.0, 0, 0], [1, 0, 1], [1, 1, 0], [0, 1, 0]])
    ax = plot_line(line)
    assert [np.size(piece.get_xdata()) for piece in ax.lines] == [2, 2]
    assert plot_lines({"one": [line], "two": [line, line]}).shape == (2, 2)


def test_an_utterance_shows_a_line_for_each_token():
    truth = torch.tensor([0, 1, 1, 2, 2, 0, 0, 0, 0, 0])
    panels = plot_utterance(torch.rand(10, 16), torch.rand(10, 3).softmax(1), truth, "-ae")
    labels = [text.get_text() for text in panels[1].get_legend().get_texts()]
    assert labels == ["blank", "a", "e"]


def test_the_wall_has_a_panel_for_each_kind_and_state():
    maps = {kind: torch.rand(6, 6) for kind in on_the_wall.MIXERS}
    panels = plot_the_wall({"untrained": maps, "trained": maps})
    assert (
        panels.shape == (4, 5) and panels[0, 0].get_title() == "CNN" and panels[2, 0].get_title() == "causal attention"
    )
    right = {"CNN": [{"0": 1.0, "8": 0.25, "48": 0.2}], "LSTM": [{"0": 1.0, "8": 1.0, "48": 1.0}]}
    texts = [text.get_text() for text in plot_right_by_distance(right, 8).texts]
    assert texts == ["100", "25", "20", "100", "100", "100"]


def test_the_progression_has_a_column_for_each_step():
    assert all(len(holds) == len(CONSTRAINTS) for holds in PROGRESSION.values())
    ax = plot_progression()
    assert len(ax.get_xticklabels()) == len(PROGRESSION)
    assert "gone" in {text.get_text() for text in ax.texts}


# --- the widget -------------------------------------------------------------------------------------------------------


def test_the_pen_writes_the_same_line_again():
    assert torch.equal(widget.line(3), widget.line.__wrapped__(3))
    assert "60 of 150 points" in widget.describe(0.5, 60, 1)
    calm, wild = (widget.next_steps(widget.line(1)[:40], bias).std(0).sum() for bias in (5.0, 0.0))
    assert calm < wild


def test_pen(lab):
    from playwright.sync_api import expect

    with lab.run("pen", "from utils.widgets.pen import pen\npen()") as page:
        explorer = page.locator(".pen")
        said, picture = explorer.get_by_role("status"), explorer.get_by_role("img")
        bias, points = explorer.get_by_role("slider").nth(0), explorer.get_by_role("slider").nth(1)
        expect(said).to_contain_text("60 of 150 points")
        before = picture.get_attribute("src") or ""

        def press(slider, key):
            slider.focus()
            slider.press(key)

        def says(text):
            return lambda patience: expect(said).to_contain_text(text, timeout=patience)

        repeat(lambda: press(points, "End"), says("150 of 150 points"))
        expect(picture).not_to_have_attribute("src", before)
        repeat(lambda: press(bias, "End"), says("Bias 5:"))
