"""Cases follow from the seed, and the seed does not follow from them."""

import json

import numpy as np
import pytest

from grading import batch
from grading.classroom import Classroom
from grading.judging.grade import Rules
from grading.judging.job import Job
from utils.checking import judging, seeds
from utils.checking.seeds import derived, new_seed
from utils.checks import exercises

LARGE = 2**127 + 12_345


def test_a_seed_that_is_drawn_has_128_bits(monkeypatch):
    asked = []
    monkeypatch.setattr(seeds.secrets, "randbits", lambda bits: asked.append(bits) or 2**bits - 1)
    assert new_seed() == 2**128 and asked == [128]


@pytest.mark.parametrize("exercise", exercises(), ids=lambda exercise: f"{exercise.lesson}-{exercise.name}")
def test_every_bit_of_a_seed_counts(exercise):
    def drawn(seed: int) -> str:
        return str(exercise.draw_cases(seed))

    same, *others = map(drawn, (LARGE, LARGE + 1, LARGE % 2**32, LARGE % 2**64, LARGE + 2**130))
    assert drawn(LARGE) == same
    if drawn(1) != drawn(2):  # else nothing in its cases is drawn
        assert same not in others


def test_no_generator_starts_from_the_seed_and_no_two_exercises_from_one_number():
    """Else whoever computes the state behind one exercise's numbers has the others'."""
    begun = []

    class Drawn(Exception):
        pass

    def default_rng(start):
        begun.append(start)
        raise Drawn

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np.random, "default_rng", default_rng)
        for exercise in exercises():
            with pytest.raises(Drawn):
                exercise.draw_cases(LARGE)
    assert len(set(begun)) == len(exercises()) and min(begun) > 2**200
    assert not any(abs(start - LARGE) < 10**6 for start in begun)


def test_what_a_measurement_draws_from_tells_nothing_of_the_next():
    one, *_ = exercises()
    secrets = [judging._secret(one, LARGE, index) for index in range(100)]
    assert len(set(secrets)) == 100 and all(0 <= secret < 2**63 for secret in secrets)
    gaps = {later - earlier for earlier, later in zip(secrets, secrets[1:], strict=False)}
    assert len(gaps) == 99 and not {LARGE + index for index in range(100)} & set(secrets)


def test_purposes_do_not_run_into_each_other():
    assert len({derived(1, "a", "bc"), derived(1, "ab", "c"), derived(1, "abc"), derived(11, "abc")}) == 4


def test_a_batch_keeps_its_seed_whole(tmp_path):
    classroom = Classroom(tmp_path)
    classroom.batch("01_convolution").parent.mkdir(parents=True)
    job, _ = batch._with_seed(Job("01_convolution", "", Rules()), classroom, again=False)
    kept = json.loads(classroom.batch("01_convolution").read_text(encoding="utf-8"))
    assert kept["seed"] == job.rules.seed > 2**90
    assert batch._with_seed(Job("01_convolution", "", Rules()), classroom, again=False)[0].rules.seed == job.rules.seed
    assert batch._with_seed(Job("01_convolution", "", Rules(seed=LARGE)), classroom, again=False)[0].rules.seed == LARGE
