"""Points for a part of an exercise: what is earned, what is said of the rest, and what earns nothing."""

import pytest
import torch

from utils.checking import CheckFailed, Lesson, Share, Status, normal, proof


def exercise(reference, **declared):
    """`reference` as an exercise of a lesson of its own."""
    return Lesson("99", __name__).exercise(**dict(points=1, hint="Think.") | declared)(reference)


def weighted(values, weights):
    """Running sums of values (T,), each weighed by weights (T,): position t sees none that come later."""
    return (values * weights).cumsum(0)


def by_parts():
    made = exercise(weighted, points={"values": 2, "no leak": 1})

    @made.cases
    def _(rng):
        yield dict(values=torch.tensor([3.0]), weights=torch.tensor([2.0]))
        yield dict(values=torch.tensor([1.0]), weights=torch.tensor([5.0]))

    @made.cases("no leak")
    def _(rng):
        for _ in range(3):
            yield dict(values=normal(rng, 4), weights=torch.ones(4))

    made.wrong("leaks", lambda values, weights: (values * weights).sum().expand(len(values))).says("It sees all.")
    return made


def by_share(points=3):
    made = exercise(doubled, points=Share(points))
    made.cases(lambda rng: [(number,) for number in (0, 0, 1, 2, 3, 4, 5, 6)])  # a constant 0 has two of the eight
    return made


def doubled(n):
    """Twice the whole number n."""
    return 2 * n


def unweighted(values, weights):
    return values.cumsum(0)


def unfinished(values, weights):
    if len(values) > 1:
        raise NotImplementedError
    return values * weights


def endless(values, weights):
    while len(values) == 1:
        pass
    return weighted(values, weights)


# --- by parts ---


def test_a_part_is_earned_where_all_its_cases_agree_and_the_rest_says_why():
    leaks = by_parts().mistakes[0].answer
    verdict = by_parts().judge(leaks)
    assert verdict.status is Status.FAILED and verdict.mistake == "leaks" and verdict.share == pytest.approx(2 / 3)
    assert [(one.part, one.points, one.of) for one in verdict.credit] == [("values", 2, 2), ("no leak", 0, 1)]
    assert "2 of 3 points. 3 of 5 cases fail." in verdict.headline
    said = verdict.text()
    assert "Points: ✓ values: 2 of 2\n" in said and "✗ no leak: 0 of 1, because 3 of 4 values differ" in said
    assert "values: 2 of 2" in verdict.html()


def test_a_later_part_may_be_earned_without_the_first():
    verdict = by_parts().judge(unweighted)
    assert verdict.share == pytest.approx(1 / 3) and "✓ no leak: 1 of 1" in verdict.text()


def test_all_parts_are_a_pass_without_a_word_on_points():
    verdict = by_parts().judge(weighted)
    assert verdict.passed and verdict.share == 1 and "points" not in verdict.text().lower()


@pytest.mark.parametrize(
    "answer",
    [
        lambda values, weights: torch.zeros(len(values)),
        lambda values, weights: torch.full((len(values),), 6.0),
        lambda values, weights: weights,
        lambda values, weights: values,
        lambda values, weights: 1 / 0,
        lambda values, weights: None,
        lambda values: values,
        3,
    ],
)
def test_what_computes_nothing_earns_nothing(answer):
    easy = by_parts()
    easy.cases("no leak")(lambda rng: [(torch.ones(1), torch.ones(1)), (torch.zeros(2), torch.zeros(2))])
    for one in (by_parts(), easy):
        verdict = one.judge(answer)
        assert verdict.status is Status.FAILED and verdict.share == 0


def test_a_stub_is_not_attempted_and_a_part_that_is_left_is_said():
    def weighted(values, weights):
        raise NotImplementedError

    stub = by_parts().judge(weighted)
    assert stub.status is Status.NOT_ATTEMPTED and stub.share == 0 and stub.credit == []
    verdict = by_parts().judge(unfinished)
    assert verdict.status is Status.FAILED and verdict.share == pytest.approx(2 / 3)
    assert "because it was not attempted" in verdict.text()
    assert "`unfinished` still raises NotImplementedError here." in verdict.text()


def test_the_time_of_one_part_is_not_taken_from_another():
    made = exercise(weighted, points={"values": 2, "no leak": 1}, seconds=0.2)
    made._cases = by_parts()._cases
    verdict = made.judge(endless)
    assert verdict.share == pytest.approx(1 / 3) and "because it ran too long" in verdict.text()


# --- by the share of the cases ---


def test_a_share_counts_what_no_idle_answer_has_in_tenths_rounded_down():
    verdict = by_share().judge(lambda n: 2 * n if n < 4 else -1)  # five of eight, two of which count nothing
    assert verdict.share == pytest.approx(0.5) and "1.5 of 3 points" in verdict.headline
    assert "5 of 8 agree, of which 2 count nothing" in verdict.text()
    assert by_share(1).judge(lambda n: 2 * n if n < 3 else 1 / 0).credit[0].points == 0.3  # two of six
    assert by_share().judge(doubled).share == 1


@pytest.mark.parametrize("answer", [lambda n: 0, lambda n: 4, lambda n: n, lambda n: 0 if n else 0.0, lambda n: 1 / 0])
def test_no_share_is_earned_without_computing(answer):
    assert by_share().judge(answer).share == 0


def test_what_agrees_with_no_more_than_a_constant_would_earns_nothing():
    assert by_share().judge(lambda n: 0 if n == 0 else n + 1).credit[0].points == 0.5  # 1 + 1 is right, too
    assert by_share().judge(lambda n: 0 if n == 0 else n + 100).share == 0


# --- what the default is, and what an author says wrongly ---


def test_all_or_nothing_is_the_default():
    made = exercise(doubled)
    made.cases(lambda rng: [(1,), (2,), (3,)])
    verdict = made.judge(lambda n: 2 if n == 1 else 4)
    assert verdict.share == 0 and verdict.credit == [] and "points" not in verdict.text().lower()


def test_the_points_of_parts_add_up_for_the_build():
    assert by_parts().points == 3 and by_share().points == 3


@pytest.mark.parametrize("points", [{"values": 2}, {"values": 2, "": 1}, {"values": 2, "rest": 0}, {"a": 1.5, "b": 1}])
def test_parts_are_several_names_with_points(points):
    with pytest.raises(ValueError, match="two or more names, each with a whole number above 0"):
        exercise(doubled, points=points)


def test_cases_belong_to_a_part_that_there_is_and_each_part_has_some():
    made = exercise(doubled, points={"small": 1, "large": 1})
    with pytest.raises(ValueError, match="doubled has no part 'lagre': its points name 'small', 'large'"):
        made.cases("lagre")
    with pytest.raises(ValueError, match="doubled has no part 'large': its points name no parts"):
        exercise(doubled).cases("large")
    made.cases(lambda rng: [(1,)])
    with pytest.raises(ValueError, match=r"no cases for its part 'large': declare them with @doubled.cases\('large'\)"):
        made.judge(doubled)


def test_a_share_needs_values_that_are_compared():
    with pytest.raises(ValueError, match="Give its points by parts instead"):
        exercise(doubled, points=Share(2), compare=False)


def test_the_proof_names_a_part_that_an_idle_answer_passes():
    assert list(proof.idle_problems(by_parts())) == []
    made = by_parts()
    made.cases("no leak")(lambda rng: [(torch.zeros(size), torch.ones(size)) for size in (2, 3)])
    (problem,) = proof.idle_problems(made)
    assert "passes all cases of its part 'no leak': add a case with another value" in problem
    assert problem in proof.problems(made)
    assert list(proof.idle_problems(by_share())) == []


# --- under nbgrader ---


def test_under_autograde_a_check_gives_the_points_that_are_earned_in_part(monkeypatch):
    made, leaks = by_parts(), by_parts().mistakes[0].answer
    assert made(leaks) is None
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert made(leaks) == 2 and made(weighted) is None
    with pytest.raises(CheckFailed):
        made(lambda values, weights: values)
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    with pytest.raises(CheckFailed, match="2 of 3 points"):
        made(leaks)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    monkeypatch.setenv("REACH_STRICT", "checks")
    with pytest.raises(CheckFailed):
        made(leaks)
