"""The mechanism of a check: what it says to answers of every kind, right, wrong and hostile."""

import contextlib
import subprocess
import sys
import threading
import time
import warnings
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch.utils._pytree import tree_flatten

from tests.test_notebook import run
from utils.checking import CheckBroken, CheckFailed, Lesson, Status, deadline
from utils.checking.calling import Outcome, Problem, call, call_each
from utils.checking.compare import difference
from utils.checking.plain import NotPlain, copied, to_plain
from utils.checking.trials import Case, reference_value
from utils.checks import convolution as check
from utils.checks.convolution import conv2d, max_pool2d, output_size

lesson = Lesson("99", __name__)


def exercise(**declared):
    """As `@lesson.exercise`, in a lesson of its own, for an exercise that only one test has."""
    return Lesson("99", __name__).exercise(**dict(points=1, hint="Think.") | declared)


def burn(seconds):
    """Use the processor for so long, and give True."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass
    return True


@lesson.exercise(points=1, hint="Double it.")
def double(values, factor):
    """Values of any shape, times a number."""
    return values * factor


@double.cases
def _(rng):
    yield torch.tensor([1.0, 2.0]), 2
    yield torch.tensor([[1.0, -2.0], [0.5, 4.0]]), 3


@double.mistake("You added.")
def added(values, factor):
    return values + factor


def failed(answer):
    verdict = double.judge(answer)
    assert verdict.status is Status.FAILED
    assert 'File "' not in verdict.text()
    return verdict.text()


# --- answers that break ---


def test_an_answer_that_raises_is_shown_with_its_own_line():
    def answer(values, factor):
        return values[100]

    text = failed(answer)
    assert "IndexError" in text
    assert "return values[100]" in text
    assert "utils/checking" not in text


def test_an_error_deep_in_a_library_points_to_the_learners_line():
    def answer(values, factor):
        return torch.zeros(3) @ torch.zeros(4)

    assert "torch.zeros(3) @ torch.zeros(4)" in failed(answer)


def test_returning_nothing_is_named():
    assert "returned None" in failed(lambda values, factor: None)


def test_a_result_that_is_printed_is_to_be_returned():
    text = failed(lambda values, factor: print(values * factor))
    assert "It returned None, and printed" in text and "tensor([2., 4.])" in text
    assert "You print the result; return it instead." in text
    assert "does not count against it" not in text


def test_a_generator_is_to_be_collected():
    assert "return list(...)" in failed(lambda values, factor: (value * factor for value in values))


@pytest.mark.parametrize("value", [object(), torch.nn.Linear(1, 1), np.array([object()])])
def test_a_value_that_no_check_compares_is_the_wrong_type(value):
    assert "returned the wrong type" in failed(lambda values, factor: value)


def test_a_string_or_a_list_in_place_of_a_tensor_is_named():
    assert "expected a tensor of shape (2,), got a string" in failed(lambda values, factor: "2, 4")
    assert "got a list" in failed(lambda values, factor: (values * factor).tolist())


def test_changed_arguments_are_named_by_the_parameter():
    def answer(values, factor):
        values *= factor
        return values

    assert "changed `values` in place" in failed(answer)


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, RecursionError, MemoryError])
def test_an_answer_cannot_leave_through_any_exception(error):
    def answer(values, factor):
        raise error

    assert error.__name__ in failed(answer)


def test_an_error_whose_message_breaks_is_still_reported():
    class Hostile(Exception):
        def __str__(self):
            raise RuntimeError

    def answer(values, factor):
        raise Hostile

    assert "Hostile" in failed(answer)


def test_printing_is_kept_short_and_does_not_count():
    def answer(values, factor):
        print("here\n" * 100_000)
        return values * factor

    verdict = double.judge(answer)
    assert verdict.passed
    assert "It printed" in verdict.text()
    assert len(verdict.text()) < 1_000


def test_a_long_line_is_shortened():
    verdict = double.judge(lambda values, factor: print("x" * 10**6) or values * factor)
    assert verdict.passed
    assert max(map(len, verdict.text().splitlines())) < 300


def test_figures_of_an_answer_are_closed_and_those_of_the_notebook_stay():
    mine = plt.figure().number
    shown = []

    def answer(values, factor):
        plt.figure()
        plt.show()
        shown.append(plt.gcf().number)
        return values * factor

    assert double.judge(answer).passed
    assert shown and plt.get_fignums() == [mine]
    plt.close("all")


def test_in_a_kernel_displays_figures_and_exit_stay_inside_the_answer():
    answers = """
from utils.checks import convolution as check
import matplotlib.pyplot as plt
from IPython.display import display
right = check.output_size.reference
def output_size(size, kernel, stride, padding, dilation):
    display("noise")
    plt.plot([0, 1])
    plt.show()
    return right(size, kernel, stride, padding, dilation)
def leaves(size, kernel, stride, padding, dilation):
    exit()
"""
    checks = "check.output_size(output_size)\ncheck.output_size(leaves)\nprint('the kernel goes on')"
    passed, left, said = run(answers, checks)
    assert "output_size: passed" in passed["data"]["text/html"]
    assert "SystemExit" in left["data"]["text/html"] and "the kernel goes on" in said["text"]


def test_printing_does_not_reach_the_notebook(capsys):
    double.judge(lambda values, factor: print("noise"))
    assert "noise" not in capsys.readouterr().out


# --- answers that are no such function ---


def test_the_wrong_number_of_parameters_is_said_before_anything_runs():
    text = failed(lambda values: values)
    assert "2 values (values, factor)" in text
    assert "yours takes 1 (values)" in text


def test_a_value_in_place_of_a_function_is_explained():
    assert "Pass the function itself" in failed(torch.zeros(2))


def test_a_class_in_place_of_an_object_is_explained():
    assert "You passed the class _Doubler." in failed(_Doubler)


def test_extra_parameters_with_defaults_are_fine():
    assert double.judge(lambda values, factor, verbose=False: values * factor).passed


def test_a_stub_that_another_answer_calls_is_named():
    def helper(values):
        raise NotImplementedError

    verdict = double.judge(lambda values, factor: helper(values))
    assert verdict.status is Status.NOT_ATTEMPTED
    assert "`helper`" in verdict.text()


def test_a_not_implemented_error_from_a_library_is_an_error_not_a_stub():
    def answer(values, factor):
        return values.to("meta").cpu()

    assert "raised an error" in failed(answer)


# --- right answers in other styles ---


class _Doubler:
    def __call__(self, values, factor):
        return values * factor


@pytest.mark.parametrize(
    "answer",
    [
        lambda values, factor: values.numpy() * factor,
        lambda values, factor: values.double() * factor,
        lambda values, factor: values.half() * factor,
        lambda values, factor: values.bfloat16() * factor,
        lambda values, factor: torch.einsum("...,->...", values, torch.tensor(float(factor))),
        lambda values, factor: torch.nn.Parameter(values) * factor,
        lambda values, factor: torch.stack([row * factor for row in values]),
        _Doubler(),
    ],
)
def test_right_answers_in_other_styles_pass(answer):
    assert double.judge(answer).passed


@pytest.mark.parametrize("make", [float, np.int64, np.float32, lambda n: torch.tensor(n), lambda n: np.array(n)])
def test_a_number_may_come_in_any_numeric_type(make):
    def answer(size, kernel, stride=1, padding=0, dilation=1):
        return make(output_size.reference(size, kernel, stride, padding, dilation))

    assert output_size.judge(answer).passed


def test_conv2d_by_loops_passes():
    def answer(x, weight, bias, stride, padding, dilation):
        c_in, height, width = x.shape
        c_out, _, rows, columns = weight.shape
        padded = np.zeros((c_in, height + 2 * padding, width + 2 * padding))
        padded[:, padding : padding + height, padding : padding + width] = x
        out_height = (height + 2 * padding - dilation * (rows - 1) - 1) // stride + 1
        out_width = (width + 2 * padding - dilation * (columns - 1) - 1) // stride + 1
        out = np.empty((c_out, out_height, out_width))
        for o, i, j in np.ndindex(out.shape):
            total = float(bias[o])
            for c, u, v in np.ndindex(c_in, rows, columns):
                total += padded[c, i * stride + u * dilation, j * stride + v * dilation] * float(weight[o, c, u, v])
            out[o, i, j] = total
        return out

    assert conv2d.judge(answer).passed


def test_max_pool_by_unfold_passes():
    def answer(x, kernel, stride):
        return x.unfold(1, kernel, stride).unfold(2, kernel, stride).amax((3, 4))

    assert max_pool2d.judge(answer).passed


# --- diagnosis ---


def test_the_smallest_failing_case_is_shown_with_expected_and_got():
    verdict = double.judge(lambda values, factor: values * (factor + 1))
    assert "values = [1 2]" in verdict.case
    assert "expected\n    [2 4]\ngot\n    [3 6]" in verdict.case


def test_a_case_that_failed_can_be_tried_by_hand():
    double(lambda values, factor: values * (factor if values.dim() == 1 else 0))
    torch.set_default_device("meta")
    try:
        values, factor = double.case()
    finally:
        torch.set_default_device(None)
    assert torch.equal(values, torch.tensor([[1.0, -2.0], [0.5, 4.0]])) and factor == 3
    values.zero_()
    assert double.case()[0].any()
    double(double.reference)
    with pytest.raises(LookupError, match="no case that fails"):
        double.case()


def test_an_error_on_some_cases_may_tell_the_mistake_and_one_on_all_does_not():
    @exercise()
    def last(values, count):
        return values[-count:]

    last.cases(lambda rng: [(torch.arange(4), 1), (torch.arange(4), 2), (torch.arange(4), 3)])
    last.wrong("one_by_one", lambda values, count: values[-1:] if count == 1 else values[-count : 1 / 0]).says("…")
    verdict = last.judge(lambda values, count: values[-1:] if count == 1 else values["two"])
    assert verdict.mistake == "one_by_one" and "IndexError" in verdict.problem
    assert last.judge(lambda values, count: values["two"]).mistake == ""


@exercise()
def successor(x):
    """The next whole number."""
    return x + 1


successor.cases(lambda rng: [(x,) for x in (90, 14, 16, 20, 30, 40, 50, 60)])
successor.wrong("doubled", lambda x: 2 * x).says("You doubled it.")
successor.wrong("small_ones_lost", lambda x: 0 if x < 20 else x + 1).says("Small ones are lost.")


def test_the_smallest_of_numbers_is_shown():
    assert "x = 14" in successor.judge(lambda x: 0).case


def test_numbers_that_agree_by_chance_are_no_diagnosis():
    assert successor.judge(lambda x: 2 * x).mistake == "doubled"
    assert successor.judge(lambda x: 2 * x if x < 16 else 3 * x).mistake == ""
    nearly = successor.judge(lambda x: 2 * x if x < 90 else 3 * x)
    assert nearly.mistake == "doubled" and "Not every case fits this exactly" in nearly.explanation


@pytest.mark.parametrize("constant", [0, 1, 28, -1])
def test_a_constant_answer_is_given_no_name(constant):
    assert successor.judge(lambda x: constant).mistake == ""
    assert conv2d.judge(lambda *case: torch.full_like(conv2d.reference(*case), constant)).mistake == ""


def test_a_wrong_answer_that_is_no_known_mistake_gets_no_name():
    assert double.judge(lambda values, factor: values * 0).mistake == ""


def test_of_two_mistakes_the_one_that_explains_the_smallest_case_is_named():
    def flipped_and_without_bias(x, weight, bias, stride=1, padding=0, dilation=1):
        return conv2d.reference(x, weight.flip(2, 3), None, stride, padding, dilation)

    verdict = conv2d.judge(flipped_and_without_bias)
    assert verdict.mistake == "bias_forgotten"  # a single pixel shows it, and no flip
    assert "Not every case fits this exactly" in verdict.explanation


def test_shape_comes_before_values():
    assert "expected shape (2,), got (1,)" in failed(lambda values, factor: torch.zeros(1))


def test_whole_numbers_in_place_of_fractions_are_a_matter_of_dtype():
    def answer(values, factor):
        return (values * factor).long()

    verdict = double.judge(answer)
    assert "cannot hold fractions" in verdict.problem


@exercise(returns=("total", "mean"))
def sums(values):
    """Sum over rows and mean of a tensor (R, C): (C,) and a number."""
    return values.sum(0), values.mean()


sums.cases(lambda rng: [(torch.tensor([[1.0, 2.0], [3.0, 6.0]]),)])


def test_parts_of_an_answer_are_told_by_their_names():
    verdict = sums.judge(lambda values: (values.sum(0), values.mean() + 1))
    assert verdict.problem == "mean: expected 3, got 4"
    assert verdict.case.endswith("expected as mean\n    3\ngot\n    4")
    assert sums.judge(lambda values: [values.sum(0), values.mean()]).passed


def test_how_many_parts_are_expected_is_said_with_their_names():
    alone = sums.judge(lambda values: values.sum(0))
    assert alone.problem == "expected 2 values (total, mean), got a tensor of shape (2,)"
    assert "expected 2 values (total, mean), got 3" in sums.judge(lambda values: (values.sum(0), 3.0, 0)).problem


def test_a_tuple_looks_like_one_and_a_list_is_as_good():
    @exercise()
    def pair(x):
        return x, x + 1

    pair.cases(lambda rng: [(3,)])
    verdict = pair.judge(lambda x: (x,))
    assert "expected\n    (3, 4)\ngot\n    (3,)" in verdict.case
    assert verdict.problem == "expected a tuple of 2, got 1"
    assert pair.judge(lambda x: [x, x + 1]).passed


def test_numbers_of_tensors_with_several_matrices_are_shown():
    @exercise()
    def grid(x):
        return torch.arange(8).reshape(2, 2, 2)

    grid.cases(lambda rng: [(3,)])
    text = grid.judge(lambda x: torch.zeros(2, 2, 2)).case
    assert "[0 1]" in text and "[6 7]]  (shape (2, 2, 2))" in text


def test_whole_numbers_are_shown_to_the_last_digit():
    assert difference(492078240000, float(np.float32(492078240000))) == "expected 492078240000, got 492078235648"


def test_nan_is_a_wrong_value():
    assert "nan" in failed(lambda values, factor: values * float("nan"))


# --- an answer has no say in its grade ---


class _AlwaysEqual(float):
    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0


class _HostileTensor(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return torch.tensor(True)


def test_operators_of_a_subclass_take_no_part():
    assert not output_size.judge(lambda *case: _AlwaysEqual(0)).passed
    assert not double.judge(lambda values, factor: torch.zeros(2).as_subclass(_HostileTensor)).passed


def test_an_answer_cannot_reach_the_expected_value_through_its_arguments():
    seen = []

    def answer(values, factor):
        seen.append(values)
        values.zero_()
        return values * factor

    assert not double.judge(answer).passed


def test_what_the_reference_gave_is_kept_as_it_was():
    case = Case((torch.tensor([1.0, 2.0]), 2), 0, 0)
    before = reference_value(double, case).clone()

    def answer(values, factor):
        return values.mul_(factor).numpy()

    double.judge(answer)
    double.judge(double.reference)
    assert torch.equal(reference_value(double, case), before)
    assert torch.equal(case.args[0], torch.tensor([1.0, 2.0]))


def test_random_numbers_outside_a_check_go_on_as_before():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    double.judge(lambda values, factor: torch.rand(2))
    assert torch.equal(torch.rand(3), expected)


# --- plain values ---


def test_plain_values_are_copies_without_gradient():
    value = torch.ones(2, requires_grad=True)
    plain = to_plain({"a": (value, np.float64(1.5), True, None)})
    assert plain["a"][1:] == (1.5, True, None)
    assert not plain["a"][0].requires_grad
    assert plain["a"][0].data_ptr() != value.data_ptr()


def test_a_value_that_contains_itself_is_refused():
    loop = []
    loop.append(loop)
    with pytest.raises(NotPlain, match="20 levels"):
        to_plain(loop)


BIG = torch.zeros(1_500_000)
ENDLESS: list = []
ENDLESS += [ENDLESS] * 100


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([BIG, BIG, BIG], "4,000,000 numbers in all"),
        ({"a": [BIG], "b": {"c": (BIG, BIG.numpy())}}, "4,000,000 numbers in all"),
        ([[0] * 9_000] * 12, "100,000 items in all"),
        ({key: [[]] * 9_000 for key in "abcdefghijkl"}, "100,000 items in all"),
        ([torch.zeros(())] * 9_000 + [[torch.zeros(())] * 9_000] * 11, "a list of|items in all"),
        (ENDLESS, "items in all|20 levels"),
        ({2**61 - 1: 0}, "very large numbers"),
        (torch.zeros(10**9, 0), "a side of more than"),
    ],
)
def test_the_parts_of_a_value_have_one_budget(value, why):
    with pytest.raises(NotPlain, match=why):
        to_plain(value)


def test_a_value_within_the_budget_is_copied_whole():
    value = [[torch.zeros(1_000_000)] * 3, {number: [number] * 90 for number in range(900)}]
    assert difference(value, to_plain(value)) is None


def test_of_values_that_are_far_too_large_only_the_first_are_asked():
    from utils.checks.convolution import output_size

    asked = []

    def vast(*case):
        asked.append(case)
        return BIG

    verdict = output_size.judge(vast)
    assert verdict.status is Status.FAILED and len(asked) == 3 < len(output_size.draw_cases(0))


@pytest.mark.parametrize("make", [lambda n: [0.5] * n, lambda n: {f"k{i}": i for i in range(n)}, lambda n: [[1]] * n])
def test_what_is_long_is_described_by_its_ends(make, monkeypatch):
    """No more than those are looked at that are still seen when the whole is shortened."""
    from utils.checking import describe

    counted, original = [], describe.shorten

    def shorten(text, limit=describe.MAX_CHARACTERS):
        counted.append(len(text))
        return original(text, limit)

    monkeypatch.setattr(describe, "shorten", shorten)
    short, long = describe.describe(make(1_000)), describe.describe(make(9_000))
    assert max(map(len, (short, long))) <= describe.MAX_CHARACTERS
    assert max(counted) < 30 * describe.MAX_CHARACTERS


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        (3, 3.0, True),
        (3, True, False),
        (1.0, 1, True),
        (True, True, True),
        ([1, 2], (1, 2), True),
        ([1, 2], [1, 2, 3], False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ("a", "a", True),
        ("a", 1, False),
        (None, 0, False),
        (10**30, 10**30, True),
        (float("nan"), float("nan"), True),
        (float("inf"), 1e300, False),
        (torch.tensor([True]), torch.tensor([1.0]), False),
        (torch.ones(2), torch.ones(1, 2), False),
    ],
)
def test_difference(expected, got, same):
    found = difference(to_plain(expected), to_plain(got))
    assert (found is None) is same, found


# --- how a verdict reaches the learner ---


def test_strict_mode_raises_with_the_verdict_and_no_traceback(monkeypatch):
    monkeypatch.setenv("REACH_STRICT", "checks")
    with pytest.raises(CheckFailed, match="added") as caught:
        double(added)
    assert "added" in caught.value._render_traceback_()[0]


@pytest.mark.parametrize("strictness", ["", "data"])
def test_without_strict_mode_a_failing_check_only_speaks(monkeypatch, capsys, strictness):
    monkeypatch.setenv("REACH_STRICT", strictness)
    double(added)
    assert "You added." in capsys.readouterr().out


def test_under_nbgrader_a_failing_check_raises(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(CheckFailed):
        double(added)


def test_html_says_in_words_what_colour_says_and_escapes_the_rest():
    verdict = double.judge(lambda values, factor: "<script>alert(1)</script>")
    html = verdict.html()
    assert "<script>" not in html
    assert "aria-label='Check of double: not yet'" in html
    assert "double: not yet" in html


def test_a_check_introduces_itself_and_asks_for_an_answer(capsys):
    assert repr(double) == "<the check of double: call it with your answer, check.double(double)>"
    double()
    assert "double: not attempted. Give it your answer: check.double(double)." in capsys.readouterr().out


def test_a_misspelt_check_is_guessed():
    with pytest.raises(AttributeError, match=r"Lesson 01 has no check 'conv2'. Did you mean check.conv2d\?"):
        _ = check.conv2
    with pytest.raises(AttributeError, match="There are output_size, conv2d"):
        _ = check.attention


@pytest.mark.parametrize("breaks", [lambda x: 1 / 0, lambda x: None, lambda x: object(), lambda x: burn(60)])
def test_a_reference_that_breaks_is_not_the_answers_fault(breaks, monkeypatch, capsys):
    own = exercise(seconds=0.02)(breaks)
    own.cases(lambda rng: [(1,)])
    with pytest.raises(CheckBroken):
        own.judge(lambda x: x)
    own(lambda x: x)
    assert "this check could not run" in capsys.readouterr().out
    monkeypatch.setenv("REACH_STRICT", "checks")
    with pytest.raises(CheckFailed, match="could not run"):
        own(lambda x: x)


def test_a_check_never_calls_the_answer_itself():
    """The same judge grades an answer that lives elsewhere: every question goes through the caller."""
    asked = []

    class Elsewhere:
        def signature_problem(self, answer, parameters, count):
            return None

        def call_each(self, answer, cases, **options):
            for outcome in call_each(double.reference, cases, **options):
                asked.append(answer)
                yield outcome

    assert double.judge("by its name", caller=Elsewhere()).passed
    assert asked == ["by its name", "by its name"]


# --- what is measured instead of what was sent ---


def measured_sum(measure, compare=True):
    """An exercise whose `ask` sends numbers and their sum, and whose `measure` is this one."""

    @exercise(compare=compare)
    def numbers(count):
        return list(range(count))

    numbers.cases(lambda rng: [(3,), (5,)])
    numbers.ask(lambda answer, count: {"numbers": answer(count), "sum": sum(answer(count))})
    numbers.measure(measure)
    return numbers


def test_what_is_measured_is_judged_and_what_was_sent_is_not():
    numbers = measured_sum(lambda sent, count: {"sum": sum(sent["numbers"])}, compare=False)
    numbers.finding(lambda value, count: None if value == {"sum": sum(range(count))} else "wrong sum")
    assert numbers.judge(numbers.reference).passed
    assert numbers.judge(lambda count: [0] * count).problem == "wrong sum"


def test_references_and_mistakes_are_measured_as_answers_are():
    numbers = measured_sum(lambda sent, count: sum(sent["numbers"]))
    numbers.wrong("one_too_many", lambda count: list(range(count + 1))).says("One too many.")
    assert numbers.judge(lambda count: [count * (count - 1) // 2]).passed
    assert numbers.judge(lambda count: [count * (count + 1) // 2]).explanation == "One too many."


def test_what_cannot_be_measured_is_no_pass_and_no_error():
    numbers = measured_sum(lambda sent, count: sum(sent["figures"]))
    verdict = numbers.judge(numbers.reference)
    assert verdict.status is Status.FAILED
    assert Problem.MALFORMED in verdict.headline and "KeyError: 'figures'" in verdict.problem


def test_a_measurement_has_a_time_limit_and_random_numbers_of_its_own():
    drawn = []
    numbers = measured_sum(lambda sent, count: drawn.append(torch.rand(()).item()) or sent, compare=False)
    assert numbers.judge(numbers.reference, 0).passed and numbers.judge(numbers.reference, 5).passed
    assert len(set(drawn)) == 4
    endless = measured_sum(lambda sent, count: [None for _ in iter(int, 1)], compare=False)
    endless.seconds = 0.05
    verdict = endless.judge(endless.reference)
    assert Problem.MALFORMED in verdict.headline and "took longer than 0.5 s" in verdict.problem


def test_an_answer_is_not_to_blame_when_its_measurement_takes_longer_than_the_answer_may():
    numbers = measured_sum(lambda sent, count: time.sleep(1.2) or sum(sent["numbers"]))
    numbers.seconds = 0.2
    assert numbers.judge(numbers.reference).passed


# --- findings ---


@dataclass
class Facts:
    """What the `ask` of `spread` reports."""

    lowest: int
    highest: int


@exercise(compare=False, facts=Facts)
def spread(count):
    """Numbers on both sides of 0, `count` of them or more."""
    return list(range(-count, count + 1))


spread.cases(lambda rng: [(3,), (5,)])
spread.ask(lambda answer, count: Facts(min(answer(count)), max(answer(count))))
spread.wrong(
    "all_positive",
    lambda count: list(range(1, count)),
    seen=lambda facts, count: f"The lowest is {facts.lowest}." if facts.lowest > 0 else None,
).says("Begin below 0.")
spread.finding(lambda facts, count: f"The highest is {facts.highest}." if facts.highest < count else None)


def test_a_finding_says_what_was_seen_and_names_the_mistake_that_it_belongs_to():
    assert spread.judge(spread.reference).passed
    verdict = spread.judge(lambda count: [2, count])
    assert (verdict.mistake, verdict.problem, verdict.explanation) == (
        "all_positive",
        "The lowest is 2.",
        "Begin below 0.",
    )
    verdict = spread.judge(lambda count: [-1, 1])
    assert (verdict.mistake, verdict.problem) == ("", "The highest is 1.")


def test_of_two_findings_the_one_that_was_declared_first_counts():
    assert spread.judge(lambda count: [1]).problem == "The lowest is 1."


def test_facts_that_no_ask_sends_are_a_wrong_answer():
    class Forges:
        def __init__(self, sent):
            self.sent = sent

        def signature_problem(self, answer, parameters, count):
            return None

        def call_each(self, answer, cases, **options):
            for _ in cases:
                yield Outcome(to_plain(self.sent))

    for sent in (
        {"lowest": -5},
        {"lowest": -5, "highest": "5"},
        {"lowest": -5, "highest": 5, "more": 0},
        [-5, 5],
        None,
    ):
        verdict = spread.judge(None, caller=Forges(sent))
        assert verdict.status is Status.FAILED and not verdict.mistake
        assert "It came back in a form that no check sends." in verdict.headline
    assert spread.judge(None, caller=Forges({"lowest": -5, "highest": 5})).passed


def test_a_finding_that_hands_on_what_is_no_text_is_no_verdict_of_its_own():
    numbers = measured_sum(lambda sent, count: {"said": [None]}, compare=False)
    numbers.finding(lambda value, count: value["said"])
    verdict = numbers.judge(numbers.reference)
    assert Problem.MALFORMED in verdict.text()


def test_a_finding_about_plain_values_shows_expected_and_got():
    verdict = max_pool2d.judge(lambda *case: max_pool2d.reference(*case).clamp(min=-5))
    assert verdict.mistake == "maximum_starts_too_high"
    assert "expected" in verdict.case and "[-5]" in verdict.case


# --- what an author declares wrongly ---


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (3, "case 2 is int, which is no tuple"),
        ([3, 4], "case 2 is list, which is no tuple"),
        ((), "case 2 has 0 values"),
        ((1, 2, 3), "case 2 has 3 values"),
        (dict(x=1, z=2), "case 2 has the names x, z"),
        (dict(y=1), "case 2 has the names y"),
        (dict(x=1, y=2, z=3), "case 2 has the names x, y, z"),
    ],
    ids=str,
)
def test_a_case_that_does_not_fit_the_arguments_is_refused(case, said):
    @exercise()
    def add(x, y=0):
        return x + y

    add.cases(lambda rng: [(1, 2), case])
    with pytest.raises(ValueError, match=said) as refused:
        add.judge(add.reference)
    assert r"yield a tuple of values for (x, y), or a dict by these names" in str(refused.value)


def test_cases_by_name_come_in_the_order_of_the_arguments():
    @exercise()
    def add(x, y=0):
        return x - y

    add.cases(lambda rng: [dict(y=1, x=3), dict(x=3), (3, 1)])
    assert add.draw_cases(0) == [(3, 1), (3,), (3, 1)]


@pytest.mark.parametrize("cases", [None, lambda rng: []])
def test_a_check_needs_cases(cases):
    @exercise()
    def empty(x):
        return x

    if cases:
        empty.cases(cases)
    with pytest.raises(ValueError, match="empty has no cases"):
        empty.judge(lambda x: x)


def test_a_recipe_takes_what_the_reference_takes_and_slips_by_its_switches():
    @exercise()
    def add(x, y):
        return x + y

    with pytest.raises(ValueError, match="add has no recipe that could slip"):
        add.slip("early", sign=-1)
    with pytest.raises(ValueError, match=r"The recipe of add begins with \(x, y\), then its switches"):
        add.recipe(lambda y, x, sign=1: x + sign * y)
    add.recipe(lambda x, y, sign=1, more=0: x + sign * y + more)
    with pytest.raises(ValueError, match="add has a recipe already"):
        add.recipe(lambda x, y: x + y)
    with pytest.raises(ValueError, match="no switch 'plus'. It has sign, more"):
        add.slip("misspelt", plus=1)
    assert add.variant(sign=-1, more=10)(5, 2) == 13
    assert add.mistakes == []


def test_a_slip_and_a_wrong_answer_are_named_by_their_values():
    @exercise()
    def add(x, y):
        return x + y

    add.cases(lambda rng: [(1, 2), (5, 5), (9, 4)])
    add.recipe(lambda x, y, sign=1: x + sign * y)
    add.slip("subtracted", sign=-1).says("You subtracted.")
    add.wrong("multiplied", lambda x, y: x * y).says("You multiplied.")

    @add.mistake("You took the larger one.")
    def larger(x, y):
        return max(x, y)

    for answer, name in [(lambda x, y: x - y, "subtracted"), (lambda x, y: y * x, "multiplied"), (larger, "larger")]:
        assert add.judge(answer).mistake == name
    assert add.judge(lambda x, y: x - y).explanation == "You subtracted."


def test_a_name_is_given_once():
    own = Lesson("99", __name__)

    def add(x):
        return x + 1

    own.exercise(points=1, hint="Add.")(add)
    with pytest.raises(ValueError, match="declares 'add' twice, in lines"):
        own.exercise(points=1, hint="Add.")(add)
    one = own.exercises["add"]
    one.wrong("nothing_added", lambda x: x)
    with pytest.raises(ValueError, match="add has two mistakes called nothing_added"):
        one.wrong("nothing_added", lambda x: x - 1)


@pytest.mark.parametrize(
    ("number", "topic", "said"),
    [
        ("05", "convolution", "is for lesson '05'.*no lessons/05_convolution.py; there is lessons/01_convolution.py"),
        ("01", "pooling", "no lessons/01_pooling.py; there is lessons/01_convolution.py"),
        ("98", "pooling", "no lessons/98_pooling.py$"),
    ],
)
def test_a_module_of_checks_belongs_to_a_lesson(number, topic, said):
    with pytest.raises(ValueError, match=said):
        Lesson(number, f"utils.checks.{topic}")


@pytest.mark.parametrize("value", [2**1023 - 1, -(2**1023) + 1, 1e308, float("nan"), "\ud800", {"\ud800": 1}])
def test_extreme_values_have_a_verdict_that_can_be_written_down(value):
    for one in (output_size, max_pool2d, double):
        verdict = one.judge(lambda *case: value)
        assert verdict.status is Status.FAILED
        (verdict.text() + verdict.html()).encode()


def test_halves_of_characters_in_prints_and_errors_can_be_written_down():
    def answer(values, factor):
        print("\ud800")
        raise ValueError("\udfff")

    double.judge(answer).text().encode()


def test_outcome_of_an_interrupted_answer(monkeypatch):
    outcome = call(lambda: sys.exit(3), ())
    assert outcome.problem is Problem.RAISED


# --- values that are no answer: a sentence, never a traceback, and never a pass ---


class _Endless(list):
    def __iter__(self):
        while True:
            yield 0


class _Stubborn(int):
    def __int__(self):
        raise RuntimeError


class _Liar:
    @property
    def __class__(self):
        return torch.Tensor


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (torch.tensor(1, device="meta"), "meta"),
        (torch.eye(2).to_sparse(), "sparse"),
        (torch.zeros(1).expand(10**13), "10,000,000,000,000 numbers"),
        (np.broadcast_to(np.zeros(1), (10**9,)), "numbers"),
        (np.ma.masked_all(2), "masked array"),
        (10**5000, "300 digits"),
        (_Endless(), "more than 10,000 items"),
        ({i: i for i in range(20_000)}, "more than 10,000 items"),
        (_Liar(), "returned the wrong type"),
        ((torch.tensor([2.0, 4.0]), torch.tensor([0, 1])), "its item 0 has that shape"),
    ],
    ids=range(10),
)
def test_what_cannot_be_compared_is_said_to_be_so(value, said):
    assert said in failed(lambda values, factor: value)


def test_odd_numbers_are_taken_for_what_they_are():
    assert to_plain(_Stubborn(3)) == 3
    assert to_plain(np.longdouble(1.5)) == 1.5
    assert difference(to_plain(3), to_plain(10**300)) == f"expected 3, got {10**300}"
    assert difference(1.5, 10**300) is not None
    assert torch.equal(to_plain(np.arange(3, dtype=">f4")), torch.arange(3.0))


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float16, torch.bfloat16])
def test_a_coarse_dtype_excuses_rounding_alone(dtype):
    assert not conv2d.judge(lambda *case: torch.zeros_like(conv2d.reference(*case)).to(dtype)).passed
    assert not double.judge(lambda values, factor: (values * factor * 1.05).to(dtype)).passed


def test_an_async_answer_is_told_to_be_a_plain_one():
    async def answer(values, factor):
        return values * factor

    assert "Write `def`" in failed(answer)


def test_parameters_that_take_no_position_are_named():
    def answer(values, *, factor):
        return values * factor

    assert "factor can only be given by name" in failed(answer)


def test_what_an_answer_sets_in_torch_does_not_stay():
    def answer(values, factor):
        torch.set_default_dtype(torch.float64)
        return values * factor

    double.judge(answer)
    assert torch.get_default_dtype() == torch.float32


def test_an_answer_that_was_given_up_leaves_the_random_numbers_alone():
    release = threading.Event()

    def answer(x):
        while not release.is_set():
            with contextlib.suppress(BaseException):
                release.wait()

    brief.judge(answer)
    torch.manual_seed(7)
    state = torch.get_rng_state()
    release.set()
    time.sleep(0.2)
    assert torch.equal(torch.get_rng_state(), state)


def test_warnings_are_noted_without_a_path():
    def answer(values, factor):
        warnings.warn("take care", stacklevel=1)
        return values * factor

    note = double.judge(answer).text()
    assert "UserWarning: take care" in note
    assert ".py" not in note


# --- time: the processor's, with a limit by the clock behind it ---


@lesson.exercise(points=1, hint="Add one.", seconds=0.4)
def brief(x):
    """The next whole number, within a short time."""
    return x + 1


brief.cases(lambda rng: [(1,), (2,), (3,), (4,)])


@pytest.fixture
def patient_clock(monkeypatch):
    """The processor's time alone counts, so that these tests say the same on a machine that is busy."""
    monkeypatch.setattr(deadline, "WALL_FACTOR", 1_000)


def test_an_endless_loop_is_stopped(patient_clock):
    def answer(x):
        while True:
            pass

    text = brief.judge(answer).text()
    assert "It ran too long." in text
    assert "It had not ended after 0.4 s of the processor's time, or 1.6 s of the clock's." in text
    assert "of `answer`: while True" in text and "Is there a loop that never ends?" in text


def test_an_endless_comprehension_is_stopped(patient_clock):
    assert "never ends" in brief.judge(lambda x: [None for _ in iter(int, 1)]).text()


@pytest.mark.parametrize(("later", "loops"), [([1, 2, 1], True), ([1, 1, 2], False)])
def test_a_loop_of_several_lines_is_seen_to_go_back(later, loops):
    frame = sys._getframe()
    lines = [frame.f_lineno - 2 + step for step in later]
    said = deadline.Sightings(looks=len(lines), lines={frame: lines}).sentence(seconds=1.0)
    assert ("never ends" in said) is loops


def test_no_loop_is_guessed_where_none_was_seen(patient_clock):
    def answer(x):
        x += burn(0.3)
        return x + burn(0.3)  # one call for all of it

    text = brief.judge(answer).text()
    assert "ran too long" in text and "`answer`" in text
    assert "never ends" not in text


def test_a_loop_that_swallows_exceptions_is_stopped_too():
    def answer(x):
        while True:
            with contextlib.suppress(Exception):
                time.sleep(0.001)

    assert "ran too long" in brief.judge(answer).text()


def test_a_loop_that_swallows_everything_gives_the_kernel_back():
    stop = []

    def answer(x):
        while not stop:
            with contextlib.suppress(BaseException):
                time.sleep(0.001)

    assert "restart the kernel" in brief.judge(answer).text()
    stop.append(True)


def test_an_answer_that_waits_is_stopped_by_the_clock_and_told_that_it_waited():
    release = threading.Event()

    def answer(x):
        release.wait(60)
        return x + 1

    text = brief.judge(answer).text()
    release.set()
    assert "It used no processor: it waited in line" in text and "release.wait(60)" in text
    assert "never ends" not in text


def test_an_answer_that_is_kept_waiting_is_not_stopped(patient_clock):
    @exercise(seconds=1.0)
    def waits(x):
        return x + 1

    waits.cases(lambda rng: [(1,)])
    assert waits.judge(lambda x: time.sleep(1.2) or x + 1).passed


def test_an_answer_that_shares_the_processor_has_the_time_that_it_needs():
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:

        @exercise(seconds=5.0)
        def works(x):
            return x + 1

        works.cases(lambda rng: [(1,), (2,)])
        assert works.judge(lambda x: x + burn(0.1)).passed
    finally:
        for other in others:
            other.kill()
            other.wait()


def test_the_first_case_has_its_time_alone(patient_clock):
    assert brief.judge(lambda x: x + burn(0.3 if x == 1 else 0.05)).passed


def test_a_slow_answer_is_told_from_an_endless_one(patient_clock):
    text = brief.judge(lambda x: x + burn(0.16)).text()
    assert "2 cases took 0.3 s of the 0.4 s for all. Can it do less work for each?" in text
    assert "never ends" not in text


def test_an_answer_that_imports_for_a_long_time_is_asked_once_more(tmp_path, monkeypatch, patient_clock):
    names = [f"slow_to_import_{letter}" for letter in "abc"]
    for name in names:
        work = "import time\nend = time.thread_time() + 0.18\nwhile time.thread_time() < end:\n    pass\n"
        (tmp_path / f"{name}.py").write_text(work)
    monkeypatch.syspath_prepend(tmp_path)

    def answer(x):
        for name in names:
            __import__(name)
        return x + 1

    assert brief.judge(answer).passed
    for name in names:
        del sys.modules[name]


def test_an_answer_that_imports_nothing_is_asked_once(patient_clock):
    asked = []

    def answer(x):
        asked.append(x)
        burn(60)

    brief.judge(answer)
    assert asked == [1]


NESTED = {
    "a tensor": torch.arange(6.0).reshape(2, 3),
    "a turned tensor": torch.arange(6.0).reshape(2, 3).T,
    "a parameter": torch.nn.Parameter(torch.ones(2)),
    "a list in a tuple": ([1, [torch.ones(2), "text"]], {"key": [torch.zeros(1)]}),
}


@pytest.mark.parametrize("value", NESTED.values(), ids=NESTED)
def test_a_copy_of_a_case_is_equal_and_shares_nothing(value):
    copy = copied(value)
    ours, theirs = tree_flatten(copy), tree_flatten(value)
    assert ours[1] == theirs[1]
    for one, other in zip(ours[0], theirs[0], strict=True):
        assert type(one) is type(other)
        if not isinstance(other, torch.Tensor):
            assert one == other
            continue
        assert torch.equal(one, other) and one.stride() == other.stride() and one.requires_grad == other.requires_grad
        assert one.data_ptr() != other.data_ptr()
    if isinstance(value, tuple):
        copy[0][1].append("more")
        assert len(value[0][1]) == 2
