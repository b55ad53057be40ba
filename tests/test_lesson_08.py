"""Lesson 08: right answers of other styles, wrong ones without a name, the figures, the source reader, the widget."""

import json
import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from bench import record_horizon
from utils.checks import char_lstm as check
from utils.data import Corpus
from utils.models import CharLSTM
from utils.plotting import curves, horizons, runs
from utils.plotting import text as text_plots
from utils.reach import Horizon
from utils.source_code import indentation, inside_quotes, line_position, whole_definitions
from utils.text import encode
from utils.training import Streams
from utils.widgets import char_sampler as sampler


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


# --- right answers in other styles ----------------------------------------------------------------------------------


def streams_by_loops(text, alphabet, streams, length):
    numbers = {character: number for number, character in enumerate(alphabet)}
    each = (len(text) - 1) // streams
    batches = []
    for start in range(0, each, length):
        end = min(start + length, each)
        rows = [[numbers[text[b * each + t]] for t in range(start, end)] for b in range(streams)]
        after = [[numbers[text[b * each + t + 1]] for t in range(start, end)] for b in range(streams)]
        batches.append((np.array(rows), np.array(after)))
    return batches


def streams_of_the_package(text, alphabet, streams, length):
    return [[x.to(torch.int32), y] for x, y in Streams(encode(text, alphabet), streams, length)]


def detached_on_entry(model, optimizer, inputs, targets, state):
    if state is not None:
        h, c = state
        state = (h.detach(), c.detach())
    scores, state = model(inputs, state)
    loss = torch.nn.functional.cross_entropy(scores.transpose(1, 2), targets)
    optimizer.zero_grad(set_to_none=False)
    loss.backward()
    optimizer.step()
    return np.float64(loss.item() / math.log(2)), state


def by_log_softmax(model, optimizer, inputs, targets, state):
    scores, (h, c) = model(inputs, state) if state is not None else model(inputs)
    loss = -scores.log_softmax(-1).gather(2, targets[..., None]).mean()
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return torch.log2(torch.exp(loss.detach())), [h.clone().detach(), c.data]


def whole_text_anew(model, prompt, count, temperature):
    text = prompt.clone()
    for _ in range(count):
        with torch.no_grad():
            chances = F.softmax(model(text[None])[0][0, -1].double() / temperature, dim=0)
        text = torch.cat([text, torch.multinomial(chances, 1)])
    return text[len(prompt) :]


def with_numpy(model, prompt, count, temperature):
    rng = np.random.default_rng(int(torch.randint(1000, (1,))))
    tokens, state = prompt.tolist(), None
    unread = tokens
    for _ in range(count):
        scores, state = model(torch.tensor([unread]), state)
        z = scores[0, -1].detach().numpy() / temperature
        p = np.exp(z - z.max())
        unread = [rng.choice(len(p), p=p / p.sum())]
        tokens += unread
    return tuple(tokens[-count:])


def gumbel(model, prompt, count, temperature):
    out = []
    with torch.inference_mode():
        scores, state = model(prompt.unsqueeze(0))
        while len(out) < count:
            noise = -torch.empty_like(scores[0, -1]).exponential_().log()
            out.append((scores[0, -1] / temperature + noise).argmax())
            scores, state = model(out[-1].reshape(1, 1), state)
    return out


def place_by_place(model, tokens, places, lengths, tolerance):
    curve = []
    for k in lengths:
        total = 0.0
        for p in places.tolist():
            scores, _ = model(tokens[p - k : p].unsqueeze(0))
            total -= scores[0, -1].log_softmax(0)[tokens[p]].item() / math.log(2)
        curve.append(total / len(places))
    for k, value in zip(lengths, curve, strict=True):
        if value - min(curve) <= tolerance:
            return curve, np.int64(k)


def with_unfold(model, tokens, places, lengths, tolerance):
    bits = torch.stack(
        [
            F.cross_entropy(model(tokens.unfold(0, k, 1)[places - k])[0][:, -1], tokens[places]) / math.log(2)
            for k in lengths
        ]
    )
    return bits.detach(), torch.tensor(lengths)[(bits <= bits.min() + tolerance)][0]


def by_ranks(cells, flags):
    from scipy.stats import rankdata

    ranks = rankdata(cells.numpy(), axis=0)
    n1, n0 = int(flags.sum()), int((~flags).sum())
    return (ranks[flags.numpy()].sum(0) - n1 * (n1 + 1) / 2) / (n1 * n0)


def by_sklearn(cells, flags):
    from sklearn.metrics import roc_auc_score

    return torch.tensor([roc_auc_score(flags, column) for column in cells.T.numpy()])


def by_signs(cells, flags):
    pairs = torch.einsum("ic,j->ijc", cells[flags], torch.ones(int((~flags).sum()))) - cells[~flags]
    return pairs.sign().double().add(1).div(2).mean(dim=(0, 1))


RIGHT = {
    "stream_batches": {"loops": streams_by_loops, "the package's": streams_of_the_package},
    "truncated_step": {"detached on entry": detached_on_entry, "log_softmax": by_log_softmax},
    "continue_prompt": {"whole text anew": whole_text_anew, "numpy": with_numpy, "Gumbel noise": gumbel},
    "measure_horizon": {"place by place": place_by_place, "unfold": with_unfold},
    "auroc": {"ranks": by_ranks, "scikit-learn": by_sklearn, "signs": by_signs},
}


# --- wrong answers that are not on the list -------------------------------------------------------------------------


def only_h_detached(model, optimizer, inputs, targets, state):
    scores, (h, c) = model(inputs, state)
    loss = F.cross_entropy(scores.flatten(0, 1), targets.flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item() / math.log(2), (h.detach(), c)


def loss_alone(model, optimizer, inputs, targets, state):
    return check.truncated_step.reference(model, optimizer, inputs, targets, state)[0]


def divided_after_the_softmax(model, prompt, count, temperature):
    drawn = []
    scores, state = model(prompt[None])
    for _ in range(count):
        drawn.append(int(torch.multinomial(scores[0, -1].softmax(0) / temperature, 1)))
        scores, state = model(torch.tensor([[drawn[-1]]]), state)
    return drawn


def stops_at_the_flat_part_of_nats(model, tokens, places, lengths, tolerance):
    bits, _ = check.measure_horizon.reference(model, tokens, places, lengths, tolerance)
    return bits


WRONG = {
    "stream_batches": {"nothing": lambda text, alphabet, streams, length: []},
    "truncated_step": {
        "only h detached": (only_h_detached, "state_not_detached"),
        "the loss alone": (loss_alone, "", "Expected a pair"),
    },
    "continue_prompt": {
        "divided after the softmax": (divided_after_the_softmax, "temperature_without_effect"),
        "a string": lambda model, prompt, count, temperature: "to be",
        "no such token": lambda model, prompt, count, temperature: [99] * count,
        "one too few": lambda model, prompt, count, temperature: [0] * (count - 1),
    },
    "measure_horizon": {
        "the curve alone": (stops_at_the_flat_part_of_nats, "", "Expected a pair"),
        "lengths for bits": lambda model, tokens, places, lengths, tolerance: (lengths, lengths[0]),
    },
    "auroc": {"zeros": lambda cells, flags: torch.zeros(cells.shape[1])},
}


def test_the_reference_batches_are_those_of_the_package():
    text, alphabet = (
        "the quick brown fox jumps over the lazy dog",
        "".join(sorted(set("the quick brown fox jumps over the lazy dog"))),
    )
    ours = list(Streams(encode(text, alphabet), 3, 5))
    theirs = check.stream_batches.reference(text, alphabet, 3, 5)
    assert len(ours) == len(theirs)
    for (inputs, targets), (x, y) in zip(ours, theirs, strict=True):
        assert torch.equal(inputs, x) and torch.equal(targets, y)


def test_the_model_of_the_horizon_check_has_the_memory_that_it_claims():
    echo = check.Echo(3, torch.tensor([0.5, 0.0, 2.0]))
    tokens = torch.tensor([[0, 1, 2, 2, 1, 0]])
    whole, _ = echo(tokens)
    changed = tokens.clone()
    changed[0, 2] = 0  # four characters before the end: out of reach of the last scores, within that of the others
    other, _ = echo(changed)
    assert torch.equal(whole[0, 5], other[0, 5])
    assert not torch.equal(whole[0, 4], other[0, 4])
    first, state = echo(tokens[:, :2])
    rest, _ = echo(tokens[:, 2:], state)
    assert torch.equal(torch.cat([first, rest], 1), whole)


# --- what a reader of source code keeps in mind ---------------------------------------------------------------------


def marked(source, **options):
    return "".join("1" if flag else "0" for flag in inside_quotes(source, **options))


def test_quotes_open_after_the_first_and_close_with_the_last():
    assert marked('x = "ab" + y\n') == "0000111000000"
    assert marked("# it's a comment\n") == "0" * 17
    assert marked("s = 'a\\'b'\n") == "00001111100"


def test_f_strings_count_as_one_string():
    assert marked('f"a{b}c"\n') == "111111100"


def test_long_strings_can_be_left_out():
    source = '"""one\ntwo"""\nx = "y"\n'
    assert inside_quotes(source).sum() == 12 + 2
    assert inside_quotes(source, most_lines=1).sum() == 2


def test_a_text_cut_off_is_refused():
    with pytest.raises(ValueError, match="tokenizer cannot read"):
        inside_quotes('x = """open\n')


def test_form_feeds_do_not_move_the_quotes():
    assert marked('\x0c\nx = "a"\n') == "00" + "00001100"


def test_line_position_and_indentation():
    source = "if x:\n    y = 1\n\nz"
    assert line_position(source).tolist() == [1, 2, 3, 4, 5, 0, *range(1, 10), 0, 0, 1]
    assert indentation(source).tolist() == [0] * 6 + [1, 2, 3, 4, 4, 4, 4, 4, 4, 0, 0, 0]


def test_whole_definitions_begin_and_end_outside_of_statements():
    source = 'x = """a\n\n\ndef f():\n    pass\n\n\nclass C:\n    y = (1,\n         2)\n\n\ndef g():\n    """open'
    cut = whole_definitions(source, 1000)
    assert cut.startswith("def f") and cut.endswith("2)\n\n\n")
    assert whole_definitions(source, 40) == "class C:\n    y = (1,\n         2)\n\n\n"
    with pytest.raises(ValueError, match="no two top-level"):
        whole_definitions("x = 1\n", 1000)


# --- figures --------------------------------------------------------------------------------------------------------


def test_streams_are_drawn_letter_by_letter():
    pairs = check.stream_batches.reference("abcdefghi", "abcdefghi", 2, 2)
    ax = text_plots.plot_streams(pairs, "abcdefghi")
    letters = [text.get_text() for text in ax.texts if len(text.get_text()) == 1]
    assert sorted(letters) == sorted("abcdbcdeefghfghi"[:8] + "efghfghi")


def test_every_model_has_its_row_and_its_number():
    ax = runs.plot_bits({"unigram": [4.5], "LSTM": [2.0, 2.2]})
    assert [label.get_text() for label in ax.get_yticklabels()] == ["unigram", "LSTM"]
    assert [text.get_text() for text in ax.texts] == ["4.50", "2.10"]


def curve(*bits, lengths=(1, 2, 4, 8)):
    return Horizon(lengths, bits, (0.0,) * len(bits), (0.0,) * len(bits), 0.01)


def test_horizons_are_drawn_where_they_are():
    ax = horizons.plot_horizons({"T = 16": [curve(3, 2, 1.005, 1), curve(3, 2, 1.5, 1)]})
    (triangles,) = [line for line in ax.lines if line.get_marker() == "v"]
    assert list(triangles.get_xdata()) == [4, 8]


def test_excess_is_zero_at_the_best_and_drawn_at_the_floor():
    ax = horizons.plot_excess({"one": [curve(3, 2, 1.5, 1), curve(3, 1, 2, 2)]}, 0.01)
    assert list(ax.lines[0].get_ydata()) == pytest.approx([2, 1, 0.5, horizons.LEAST])
    assert ax.lines[1].get_ydata()[1] == horizons.LEAST
    assert [text.get_text() for text in ax.texts] == ["tolerance"]


def test_a_wider_tolerance_reads_a_shorter_horizon():
    horizon = curve(3, 2, 1.05, 1)
    assert [horizon.within(tolerance) for tolerance in (0.01, 0.1, 1.0, 2.0)] == [8, 4, 2, 1]
    ax = horizons.plot_tolerances({"one": [horizon]}, (0.01, 0.1))
    assert list(ax.lines[0].get_ydata()) == [8, 4]


def test_probabilities_show_spaces_and_line_ends():
    ax = text_plots.plot_probabilities({"one": torch.tensor([0.5, 0.2, 0.3])}, " a\n", count=3)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["·", "↵", "a"]


def test_training_levels_are_named():
    ax = curves.plot_training({"yours": [3.0] * 30}, {"unigram": 2.5})
    assert [text.get_text() for text in ax.texts] == ["unigram"]


def test_strengths_have_a_marker_for_each_reader():
    ax = runs.plot_strengths(
        {"quotes": {"cell": 0.5, "shifted": [0.1, 0.2]}, "line": {"cell": 0.9, "shifted": [0.3, 0.1]}}
    )
    assert len(ax.lines) == 4
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["cell", "shifted"]


def test_colored_text_breaks_lines_as_the_text_does():
    ax = text_plots.plot_colored_text("ab\ncdefg", torch.arange(8.0), columns=4)
    assert [text.get_text() for text in ax.texts] == list("ab↵cdefg")
    assert [text.get_position() for text in ax.texts][-2:] == [(3, 1), (0, 2)]
    assert ax.images[0].get_array().shape == (3, 4)


# --- the recorded run ------------------------------------------------------------------------------------------------


def test_a_recorded_run_is_what_the_lesson_reads(tmp_path, monkeypatch):
    corpus = Corpus("rhyme", "one two three " * 800)
    run = record_horizon.long_run(corpus, 16, width=8, characters=4096, positions=50)
    assert run["horizon"] in run["lengths"] and len(run["lengths"]) == len(run["bits"])
    assert 0 < run["bits_per_character"] < math.log2(len(corpus.alphabet)) + 1
    monkeypatch.setattr(record_horizon, "RECORD", tmp_path / "deep" / "record.json")
    monkeypatch.setattr(record_horizon.data, "corpus", lambda name: corpus)
    monkeypatch.setattr(record_horizon, "long_run", lambda *options: run)
    assert record_horizon.main(["--width", "8", "--characters", "4096"]) == 0
    stored = json.loads(record_horizon.RECORD.read_text())
    assert (stored["width"], stored["characters"], stored["data"]) == (8, 4096, "rhyme")
    fields = (tuple(stored["runs"]["16"][name]) for name in ("lengths", "bits", "spread", "excess_spread"))
    assert Horizon(*fields, stored["runs"]["16"]["tolerance"]).horizon == run["horizon"]
    assert [path.name for path in record_horizon.RECORD.parent.iterdir()] == ["record.json"]


# --- the widget -----------------------------------------------------------------------------------------------------

ALPHABET = "\n abcde"


@pytest.fixture
def model():
    torch.manual_seed(0)
    return CharLSTM(len(ALPHABET), 8)


def test_a_prompt_that_cannot_be_read_is_explained():
    assert sampler.problem("abc", ALPHABET) == ""
    assert "at least one" in sampler.problem("", ALPHABET)
    assert "'z'" in sampler.problem("az", ALPHABET)


def test_a_continuation_depends_on_its_seed_and_nothing_else(model):
    one, same, other = (sampler.continuation(model, ALPHABET, "ab", 1.0, seed) for seed in (1, 1, 2))
    assert one == same != other
    assert len(one) == sampler.COUNT and set(one) <= set(ALPHABET)


def test_a_low_temperature_sharpens(model):
    low, high = (sampler.probabilities(model, ALPHABET, "ab", temperature) for temperature in (0.1, 2.0))
    assert low.sum() == pytest.approx(1) and high.sum() == pytest.approx(1)
    assert low.max() > high.max()


def test_the_sampler_listens(model, monkeypatch):
    shown = []
    monkeypatch.setattr("utils.widgets.still.show", lambda widget, still, alt: shown.append((widget, still, alt)))
    sampler.char_sampler(model, ALPHABET, "ab", 1.0)
    ((widget, still, alt),) = shown
    (prompt, side), said, canvas = widget.children[0].children, *widget.children[1:]
    slider, again = side.children
    assert "'ab" in alt and len(still.axes) == 2
    seen = [(said.value, canvas.value)]

    def changed():
        seen.append((said.value, canvas.value))
        return seen[-2][0] != seen[-1][0], seen[-2][1] != seen[-1][1]

    slider.value = 0.1
    assert changed() == (True, True)
    again.click()
    prompt.value = "cde"
    assert changed() == (True, True)
    assert "<b>cde</b>" in said.value
    prompt.value = "z"
    assert "has no" in said.value and canvas.value == ""
    prompt.value = "a"
    assert "<b>a</b>" in said.value and canvas.value
