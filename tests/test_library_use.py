"""An answer that uses the course's own library: a learner's check says so, or does not let it count."""

import functools

import pytest
import torch

from utils import notebook, plotting, reach, text
from utils.checking import Lesson, Status
from utils.checking.library_use import library_used
from utils.plotting import fields
from utils.plotting.images import plot_image
from utils.reach import receptive_field as borrowed

FIELD = "utils.reach.receptive_field"

lesson = Lesson("99", __name__)


@lesson.exercise(points=1, hint="Double it.")
def double(x):
    """Twice x (T,)."""
    return 2 * x


double.cases(lambda rng: [(torch.ones(size),) for size in (1, 3)])


def helper(x):
    return 2 * x if callable(reach.receptive_field) else x


def circle(x):
    return helper(x) if len(x) < 2 else circle(x)


class Doubler:
    def __call__(self, x):
        return self.twice(x)

    @staticmethod
    def twice(x):
        return helper(x)


def enclosing():
    inside = reach

    def answer(x):
        return inside.receptive_field(x)

    return answer


def unfinished():
    def answer(x):
        return later(x)

    if False:
        later = reach
    return answer


USES = {
    "a call": lambda x: reach.receptive_field(x).size,
    "a function inside": lambda x: [reach.receptive_field(one) for one in x],
    "helpers in a circle": circle,
    "a partial": functools.partial(helper),
    "a closure": enclosing(),
    "a class": Doubler,
    "a method": Doubler().__call__,
}
HONEST = {
    "its own": lambda x: 2 * x,
    "torch": torch.nn.functional.conv2d,
    "a picture": lambda x: plot_image(x, "so far"),
    "a picture, by its module": lambda x: fields.plot_fields(torch.ones(1)),
    "a picture, by all modules": lambda x: plotting.images.plot_image(x, "so far"),
    "a helper of the notebook": lambda x: notebook.setup() or x,
    "a local name": lambda reach: reach.receptive_field,
    "a closure that is empty": unfinished(),
    "no function": 3,
}


@pytest.mark.parametrize("way", USES)
def test_what_an_answer_uses_is_named(way):
    assert library_used(USES[way]) == [FIELD]


@pytest.mark.parametrize("way", HONEST)
def test_an_honest_answer_uses_nothing(way):
    assert library_used(HONEST[way]) == []


def test_what_was_imported_by_its_name_is_named_by_its_home():
    home = f"{borrowed.__module__}.receptive_field"
    assert library_used(borrowed) == library_used(lambda x: borrowed(x)) == [home]
    assert library_used(borrowed, ["utils.reach"]) == []


def test_what_a_helper_module_only_passes_on_is_named():
    """`utils.plotting.fields` draws, and imports what answers lesson 03."""
    assert library_used(lambda x: fields.receptive_field(x)) == ["utils.plotting.fields.receptive_field"]
    assert library_used(lambda x: getattr(fields, "receptive" + "_field")(x)) == ["utils.plotting.fields"]


def test_what_the_exercise_allows_is_not_named():
    assert library_used(lambda x: text.encode(x), ["utils.text"]) == []
    assert library_used(lambda x: text.encode(x)) == ["utils.text.encode"]


def test_a_learner_hears_that_grading_names_it():
    verdict = double._verdict(helper)
    assert verdict.passed and f"`{FIELD}`" in verdict.text()
    assert not double._verdict(lambda x: 2 * x).notes


def test_a_learner_hears_that_it_does_not_count(monkeypatch):
    monkeypatch.setattr(double, "library_counts", False)
    verdict = double._verdict(helper)
    assert verdict.status is Status.FAILED and f"`{FIELD}`" in verdict.text() and "your own" in verdict.text()
    assert double._verdict(lambda x: 2 * x).passed
