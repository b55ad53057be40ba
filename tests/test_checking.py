"""The mechanism of a check: what it says to answers of every kind, right, wrong and hostile."""

import contextlib
import sys
import threading
import time
import warnings

import numpy as np
import pytest
import torch

from utils.checking import CheckFailed, Status, exercise
from utils.checking.calling import Problem, call
from utils.checking.compare import difference
from utils.checking.plain import NotPlain, to_plain
from utils.checks.convolution import conv2d, max_pool2d, output_size


@exercise(lesson="99", points=1, hint="Double it.", seconds=1.0)
def double(values, factor):
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


@pytest.mark.parametrize("value", [(x for x in ()), object(), torch.nn.Linear(1, 1), np.array([object()])])
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


def test_an_endless_loop_is_stopped():
    def answer(values, factor):
        while True:
            pass

    assert "still running at the end of the 1 s" in failed(answer)


def test_a_loop_that_swallows_exceptions_is_stopped_too():
    def answer(values, factor):
        while True:
            with contextlib.suppress(Exception):
                time.sleep(0.001)

    assert "ran too long" in failed(answer)


def test_a_loop_that_swallows_everything_gives_the_kernel_back():
    stop = []

    def answer(values, factor):
        while not stop:
            with contextlib.suppress(BaseException):
                time.sleep(0.001)

    assert "restart the kernel" in failed(answer)
    stop.append(True)


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


def test_a_wrong_answer_that_is_no_known_mistake_gets_no_name():
    assert double.judge(lambda values, factor: values * 0).mistake == ""


def test_of_two_mistakes_the_one_that_explains_the_smallest_case_is_named():
    def flipped_and_without_bias(x, weight, bias, stride=1, padding=0, dilation=1):
        return conv2d.reference(x, weight.flip(2, 3), None, stride, padding, dilation)

    verdict = conv2d.judge(flipped_and_without_bias)
    assert verdict.mistake == "flipped_kernel"
    assert "second mistake" in verdict.explanation


def test_shape_comes_before_values():
    assert "expected shape (2,), got (1,)" in failed(lambda values, factor: torch.zeros(1))


def test_whole_numbers_in_place_of_fractions_are_a_matter_of_dtype():
    def answer(values, factor):
        return (values * factor).long()

    verdict = double.judge(answer)
    assert "cannot hold fractions" in verdict.problem


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
    assert plain["a"][1:] == [1.5, True, None]
    assert not plain["a"][0].requires_grad
    assert plain["a"][0].data_ptr() != value.data_ptr()


def test_a_value_that_contains_itself_is_refused():
    loop = []
    loop.append(loop)
    with pytest.raises(NotPlain, match="20 levels"):
        to_plain(loop)


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


def test_a_check_needs_cases():
    @exercise(lesson="99", points=1, hint="None.")
    def empty(x):
        return x

    with pytest.raises(ValueError, match="empty has no cases"):
        empty.judge(lambda x: x)


def test_a_check_never_calls_the_answer_itself():
    """The same judge grades an answer that lives elsewhere: every question goes through the caller."""
    asked = []

    class Elsewhere:
        def signature_problem(self, answer, parameters, count):
            return None

        def call(self, answer, args, **options):
            asked.append(answer)
            return call(double.reference, args, **options)

    assert double.judge("by its name", caller=Elsewhere()).passed
    assert asked == ["by its name", "by its name"]


# --- what is measured in place of what was sent ---


def measured_sum(measure):
    """An exercise whose `ask` sends numbers and their sum, and whose `measure` is this one."""

    @exercise(lesson="99", points=1, hint="Add them.")
    def numbers(count):
        return list(range(count))

    numbers.cases(lambda rng: [(3,), (5,)])
    numbers.ask(lambda answer, count: {"numbers": answer(count), "sum": sum(answer(count))})
    numbers.measure(measure)
    return numbers


def test_what_is_measured_is_judged_and_what_was_sent_is_not():
    numbers = measured_sum(lambda sent, count: {"sum": sum(sent["numbers"])})
    numbers.expect(lambda value, count: None if value == {"sum": sum(range(count))} else "wrong sum")
    assert numbers.judge(numbers.reference).passed
    assert numbers.judge(lambda count: [0] * count).problem == "wrong sum"


def test_references_and_mistakes_are_measured_as_answers_are():
    numbers = measured_sum(lambda sent, count: sum(sent["numbers"]))
    numbers.mistake("One too many.")(lambda count: list(range(count + 1)))
    assert numbers.judge(lambda count: [count * (count - 1) // 2]).passed
    assert numbers.judge(lambda count: [count * (count + 1) // 2]).explanation == "One too many."


def test_what_cannot_be_measured_is_no_pass_and_no_error():
    numbers = measured_sum(lambda sent, count: sum(sent["figures"]))
    verdict = numbers.judge(numbers.reference)
    assert verdict.status is Status.FAILED
    assert Problem.MALFORMED in verdict.headline and "KeyError: 'figures'" in verdict.problem


def test_a_measurement_has_a_time_limit_and_random_numbers_of_its_own():
    drawn = []
    numbers = measured_sum(lambda sent, count: drawn.append(torch.rand(()).item()) or sent)
    numbers.expect(lambda value, count: None)
    assert numbers.judge(numbers.reference, 0).passed and numbers.judge(numbers.reference, 5).passed
    assert len(set(drawn)) == 4
    endless = measured_sum(lambda sent, count: [None for _ in iter(int, 1)])
    endless.expect(lambda value, count: None)
    endless.seconds = 0.2
    assert Problem.MALFORMED in endless.judge(endless.reference).headline


def test_an_expectation_that_breaks_on_a_value_is_a_wrong_answer():
    @exercise(lesson="99", points=1, hint="Pick.")
    def pick(x):
        return {"a": x}

    pick.cases(lambda rng: [(1,)])
    pick.expect(lambda value, x: None if value["a"] == x else "not that one")
    pick.mistake("Another.", symptom=lambda value, x: value["a"] > x)(lambda x: {"a": x + 1})
    assert pick.judge(lambda x: {"a": 3}).mistake
    verdict = pick.judge(lambda x: {"b": x})
    assert verdict.problem == "It came back in a form that no check sends." and not verdict.mistake
    assert not pick.judge(lambda x: [x]).passed


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


def test_a_slow_answer_is_told_from_an_endless_one():
    @exercise(lesson="99", points=1, hint="Add one.", seconds=0.6)
    def slow(x):
        return x + 1

    slow.cases(lambda rng: [(1,), (2,), (3,)])
    text = slow.judge(lambda x: time.sleep(0.25) or x + 1).text()
    assert "2 cases took 0.5 s" in text
    assert "never ends" not in text


def test_what_an_answer_sets_in_torch_does_not_stay():
    def answer(values, factor):
        torch.set_default_dtype(torch.float64)
        return values * factor

    double.judge(answer)
    assert torch.get_default_dtype() == torch.float32


def test_an_answer_that_was_given_up_leaves_the_random_numbers_alone():
    release = threading.Event()

    def answer(values, factor):
        while not release.is_set():
            with contextlib.suppress(BaseException):
                release.wait()

    double.judge(answer)
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


def test_the_smallest_of_numbers_is_shown():
    @exercise(lesson="99", points=1, hint="Add one.")
    def plus_one(x):
        return x + 1

    plus_one.cases(lambda rng: [(90,), (14,), (16,)])
    assert "x = 14" in plus_one.judge(lambda x: 0).case


def test_an_endless_comprehension_is_stopped():
    assert "never ends" in failed(lambda values, factor: [None for _ in iter(int, 1)])
