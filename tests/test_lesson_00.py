"""Lesson 00: right answers in other styles, wrong ones that are on no list, its figures, and its stepper."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from utils import paths
from utils.checking import Status
from utils.checks import start_here as check
from utils.plotting import curves, maps, symbols, timeline
from utils.widgets import flow_stepper

WORDS = ["The", "animal", "did", "not", "cross", "the", "street", "because", "it", "was", "tired"]
ANIMAL, IT = 1, 8


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


# --- right answers in other styles --------------------------------------------------------------------------------


def reach_by_loops(kind, length, layers=1, width=3):
    rows = []
    for i in range(length):
        row = []
        for j in range(length):
            near = abs(i - j) <= layers * (width - 1) // 2
            row.append(near if kind == "cnn" else kind == "attention" or j <= i)
        rows.append(row)
    return np.array(rows)


def reach_by_numpy(kind, length, layers=1, width=3):
    ones = np.ones((length, length))
    if kind == "cnn":
        half = layers * (width // 2)
        return np.tril(np.triu(ones, -half), half)
    return ones if kind == "attention" else np.tril(ones)


def reach_by_steps(kind, length, layers, width):
    """Follow the arrows, layer by layer, as a graph."""
    if kind in ("rnn", "causal attention"):
        return torch.ones(length, length, dtype=torch.bool).tril()
    if kind == "attention":
        return torch.ones(length, length, dtype=torch.bool)
    one = torch.tensor([[abs(i - j) <= width // 2 for j in range(length)] for i in range(length)]).float()
    return torch.linalg.matrix_power(one, layers) > 0


def path_by_walking(kind, i, j, width=3):
    if kind == "attention":
        return np.int64(1)
    if kind.endswith("rnn"):
        behind = kind == "rnn" and j > i
        return float("inf") if behind else float(1 + sum(1 for _ in range(min(i, j), max(i, j))))
    reached, layers = {j}, 0
    while layers == 0 or i not in reached:
        dilation = 2**layers if kind == "dilated cnn" else 1
        taps = [dilation * tap for tap in range(-(width // 2), width // 2 + 1)]
        reached = {position + tap for position in reached for tap in taps}
        layers += 1
    return torch.tensor(layers)


def path_by_logarithms(kind, i, j, width=3):
    d, half = abs(i - j), width // 2
    match kind:
        case "cnn":
            return max(1, -(-d // half))
        case "dilated cnn":
            return max(1, math.ceil(math.log2(d / half + 1)))
        case "attention":
            return 1
    return d + 1 if kind == "bidirectional rnn" or j <= i else np.inf


def influence_by_grad(model, x):
    x = x.detach().clone().requires_grad_()
    rows = []
    for output in model(x):
        squares = torch.zeros(len(x))
        for channel in output:
            (gradient,) = torch.autograd.grad(channel, x, retain_graph=True)
            squares += (gradient**2).sum(1)
        rows.append(squares.sqrt())
    return torch.stack(rows)


def influence_by_backward(model, x):
    x = x.double().requires_grad_()
    y = model(x)
    influences = np.zeros((len(y), len(x)))
    for i in range(len(y)):
        for channel in range(y.shape[1]):
            x.grad = None
            y[i, channel].backward(retain_graph=True)
            influences[i] += x.grad.square().sum(1).numpy()
    return np.sqrt(influences)


def influence_by_jacrev(model, x):
    return torch.func.jacrev(model)(x).norm(dim=(1, 3))


class Distance:
    def __call__(self, i, j):
        return float(np.hypot(i - j, 0))


RIGHT = {
    "distance": {"an object, with np.hypot": Distance(), "numpy": lambda i, j: np.abs(np.int64(i) - j)},
    "reach_map": {"loops": reach_by_loops, "numpy": reach_by_numpy, "step by step": reach_by_steps},
    "path_length": {
        "walking": path_by_walking,
        "logarithms": path_by_logarithms,
        "a float": lambda *case: float(check.path_length.reference(*case)),
    },
    "influence_map": {
        "autograd.grad": influence_by_grad,
        "backward, in float64": influence_by_backward,
        "jacrev": influence_by_jacrev,
        "jacfwd, float64": lambda model, x: torch.func.jacfwd(model)(x.double()).norm(dim=(1, 3)),
    },
}


# --- wrong answers that are on no list ----------------------------------------------------------------------------


def _dilated(kind, i, j, width, sum_of_dilations):
    if kind != "dilated cnn":
        return check.path_length.reference(kind, i, j, width)
    layers = 1
    while width // 2 * sum_of_dilations(layers) < abs(i - j):
        layers += 1
    return layers


def reach_unfinished(kind, length, layers, width):
    if kind == "cnn":
        return reach_by_numpy(kind, length, layers, width)


def reach_as_a_vector(kind, length, layers, width):
    return torch.ones(length)


def reach_ragged(kind, length, layers, width):
    return [[1] * (i + 1) for i in range(length)]


def reach_as_a_list(kind, length, layers, width):
    return reach_by_loops(kind, length, layers, width).tolist()


def influence_as_a_list(model, x):
    return list(torch.autograd.functional.jacobian(model, x, create_graph=True).norm(dim=(1, 3)))


def influence_of_a_batch(model, x):
    return torch.autograd.functional.jacobian(model, x[None])[0, :, :, 0].norm(dim=(1, 3))


def no_influence(model, x):
    return torch.zeros(len(model(x)), len(x))


def influence_without_requires_grad(model, x):
    return torch.stack([torch.autograd.grad(y.sum(), x)[0].norm(dim=1) for y in model(x)])


WRONG = {
    "distance": {
        "a constant": (lambda i, j: 7, "", "expected 1, got 7"),
        "one parameter": (lambda i: i, "", "wrong number of parameters"),
        "never positive": (lambda i, j: -abs(i - j), "always_negative"),
        "a root": lambda i, j: abs(i - j) ** 0.5,
    },
    "reach_map": {
        "no return": (reach_unfinished, "", "returned None"),
        "a vector": (reach_as_a_vector, "", "expected shape (3, 3), got (3,)"),
        "ragged": (reach_ragged, "", "expected a tensor of shape (3, 3)"),
        "a list": (reach_as_a_list, "", "expected a tensor of shape (3, 3), got a list"),
        "the other words": lambda *case: 1 - check.reach_map.reference(*case),
        "every word alone": lambda kind, length, layers, width: torch.eye(length),
    },
    "path_length": {
        "a word": (lambda kind, i, j, width: "far", "", "expected a whole number, got a string"),
        "a list": (lambda kind, i, j, width: [1], "", "expected a whole number"),
        "always 1": lambda kind, i, j, width: 1,
        "a long way instead of none": lambda *case: min(check.path_length.reference(*case), 10**9),
        "dilations added up wrongly": (lambda *case: _dilated(*case, lambda n: 2**n), "sum_of_dilations_one_too_large"),
        "one way only": (lambda kind, *case: check.path_length.reference(kind.split()[-1], *case), None),
        "width ignored": (lambda kind, i, j, width: check.path_length.reference(kind, i, j), "one_position_a_layer"),
    },
    "influence_map": {
        "a list": (influence_as_a_list, "", "expected a tensor of shape (2, 2), got a list"),
        "a batch": (influence_of_a_batch, "", "takes x of shape (T, C), not (1, 2, 1)"),
        "zeros": (no_influence, "", "expected 3, got 0"),
        "the outputs": (lambda model, x: model(x), "", "expected shape (2, 2), got (2, 1)"),
        "no requires_grad": (influence_without_requires_grad, "", "does not require grad"),
        "reached or not": (lambda *case: check.influence_map.reference(*case) > 0, None, "expected"),
        "0 and 1": (lambda *case: (check.influence_map.reference(*case) > 0).float(), "reached_or_not"),
        "measured at zero": lambda model, x: check.influence_map.reference(model, torch.zeros_like(x)),
    },
}


def test_a_message_names_no_file_of_the_course():
    assert "start_here" not in check.influence_map.judge(influence_of_a_batch).text()


def test_two_mistakes_at_once_are_told_one_after_the_other():
    def two(kind, length, layers, width):
        if kind == "rnn":
            return check.reach_map.reference("attention", length)  # sees the future
        if kind == "cnn":
            return reach_by_numpy(kind, length, 1, width)  # ignores the layers
        return reach_by_numpy(kind, length, layers, width)

    verdict = check.reach_map.judge(two)
    assert verdict.status is Status.FAILED
    assert "kind = 'rnn'" in verdict.case
    assert verdict.mistake == "rnn_sees_the_future"
    assert "Not every case fits this exactly" in verdict.explanation


def test_the_influence_of_a_linear_map_is_its_matrix():
    mix, weight, x = torch.randn(4, 3), torch.randn(2, 5), torch.randn(3, 5)
    expected = mix.abs() * weight.norm()
    measured = check.influence_map.reference(lambda x: mix @ x @ weight.T, x)
    torch.testing.assert_close(measured, expected)


# --- figures ------------------------------------------------------------------------------------------------------


def test_influences_are_drawn_with_nothing_left_out():
    shown = {"lower": torch.rand(3, 3).tril() + torch.eye(3), "tiny": torch.full((3, 3), 1e-9) + torch.eye(3)}
    lower, tiny = (ax.images[0].get_array() for ax in maps.plot_influences(shown, WORDS[:3]))
    assert np.ma.getmaskarray(lower).tolist() == np.triu(np.ones((3, 3), bool), 1).tolist()  # grey where it is zero
    assert not np.ma.getmaskarray(tiny).any()  # however small, it is not nothing


def test_an_endless_path_is_not_drawn():
    ax = curves.plot_path_lengths({"rnn": [1, 2, math.inf]}, mark=1)
    assert ax.lines[0].get_xdata().tolist() == [0, 1]


def test_the_cells_of_a_map_can_be_counted():
    for ax in (maps.plot_reach(torch.eye(4)), maps.plot_influence(torch.eye(4) + 1e-3, WORDS[:4])):
        assert [*ax.get_xticks(minor=True)] == [*ax.get_yticks(minor=True)] == [0.5, 1.5, 2.5]


def test_the_timeline_is_complete_and_its_years_are_equally_long():
    years = [year for year, _, _ in timeline.EVENTS]
    assert years == sorted(years)
    ax = timeline.plot_timeline()
    drawn = {text.get_text(): text.get_position()[1] for text in ax.texts}
    for year, name, _ in timeline.EVENTS:
        assert any(name in text.split(", ") or name == text for text, at in drawn.items() if at == year), name
    assert ax.get_yscale() == "linear"


def test_the_longest_gap_of_the_timeline():
    assert timeline.longest_gap() == (1998, 2012)
    assert timeline.longest_gap([(1, "a", "x"), (2, "b", "x"), (2, "c", "y"), (9, "d", "x")]) == (2, 9)


def test_the_sheet_of_symbols_says_what_the_lesson_says():
    lesson = (paths.LESSONS / "00_start_here.py").read_text(encoding="utf-8")
    for symbol, code, meaning, shape in symbols.SYMBOLS:
        in_code = ", ".join(f"`{part}`" for part in code.split(", ") if part) if "," not in shape[:2] else code
        in_code = in_code.replace("`alpha[i`, `j]`", "`alpha[i, j]`")
        assert f"| {symbol} | {in_code} | {meaning} | {shape} |" in lesson
    drawn = {text.get_text() for text in symbols.plot_symbols().texts}
    assert {part for row in [*symbols.SYMBOLS, *symbols.LETTERS, *symbols.FLOWS] for part in row} <= drawn


# --- what the lesson says of dilations ----------------------------------------------------------------------------


def connects(dilations, length):
    """Whether a stack of width 3 opens every pair: by sets, one layer after the other."""
    reached = [{i} for i in range(length)]
    for d in dilations:
        near = [[i + tap for tap in (-d, 0, d) if 0 <= i + tap < length] for i in range(length)]
        reached = [set().union(*(reached[j] for j in window)) for window in near]
    return all(len(one) == length for one in reached)


@pytest.mark.parametrize("layers", [1, 2, 3, 4, 5])
def test_doubling_connects_exactly_two_to_the_number_of_layers(layers):
    doubling = [2**n for n in range(layers)]
    assert connects(doubling, 2**layers) and not connects(doubling, 2**layers + 1)


def test_the_open_problem_is_as_the_lesson_says():
    assert connects([3, 1, 5], 10)  # three layers, ten words
    assert not connects([1, 3, 9, 27], 41)  # although every distance up to 40 is a sum of these


# --- the stepper --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "target"), [(1, 8), (0, 1), (3, 3), (0, 10)])
def test_the_news_arrives_at_the_last_step_and_not_before(source, target):
    for flow in flow_stepper.workflows(WORDS, source, target):
        goal = (len(flow.levels) - 1, target)
        steps = len(flow.steps)
        assert goal in flow_stepper.informed(flow, source, steps), flow.name
        assert goal not in flow_stepper.informed(flow, source, steps - 1), flow.name


def test_the_convolutional_workflow_has_as_many_layers_as_the_path_is_long():
    for width in (3, 5, 7):
        flow = flow_stepper.convolutional(WORDS, ANIMAL, IT, width)
        assert len(flow.steps) == check.path_length.reference("cnn", IT, ANIMAL, width)


def test_a_recurrent_state_never_hears_of_a_later_word():
    flow = flow_stepper.recurrent(WORDS, IT)
    assert flow_stepper.informed(flow, IT + 1, len(flow.steps)) == {(0, IT + 1)}


def test_what_the_stepper_lights_is_what_a_network_can_reach():
    flow = flow_stepper.convolutional(WORDS, ANIMAL, IT)
    for layers in range(1, len(flow.steps) + 1):
        top = [t for level, t in flow_stepper.informed(flow, ANIMAL, layers) if level == layers]
        reached = check.reach_map.reference("cnn", len(WORDS), layers, 3)[:, ANIMAL].nonzero().flatten().tolist()
        assert sorted(top) == reached


def test_the_slider_starts_over_with_another_workflow():
    stepper = flow_stepper.FlowStepper(WORDS, ANIMAL, IT)
    stepper.slider.value = stepper.slider.max
    assert "“it” has heard of “animal”" in stepper.caption.value
    before = stepper.picture.value
    stepper.choice.value = "self-attention"
    assert (stepper.slider.value, stepper.slider.max) == (0, 4)
    assert stepper.picture.value != before
    assert "has heard of “animal”" not in stepper.caption.value


def test_the_still_picture_shows_all_four_workflows():
    stepper = flow_stepper.FlowStepper(WORDS, ANIMAL, IT, weights=[0.5, *[0.05] * 10])
    titles = [ax.get_title() or ax.get_title(loc="left") for ax in stepper.figure(list(stepper.flows)).axes]
    assert [title.split(":")[0] for title in titles] == list(stepper.flows)
    assert len(titles) == 4
