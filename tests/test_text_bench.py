"""The text benches without their minutes: what they compare, and how they count."""

import math

import pytest
import torch
from torch import nn

from bench import __main__ as runner
from bench import text_reference, text_speedup
from utils.models import CharLSTM, Transformer
from utils.training import History, count_parameters, seed_everything

BIT = math.log(2)  # nats


def finish(*nats: float) -> text_speedup.Run:
    bits = [loss / BIT for loss in nats]
    history = History("bits per character", steps=[10, 20, 30], seconds=[1.0, 2.0, 3.0], validation=bits)
    return text_speedup.finish(nn.Linear(10, 100), history, batch=16)


def test_the_clock_is_read_at_the_first_measurement_at_the_goal():
    run = finish(2.0, 1.88, 1.87)
    assert (run.seconds, run.loss) == (2.0, pytest.approx(1.88))
    assert run.characters_per_second == 20 * 16 * 64 / 2.0
    assert run.gflops == pytest.approx(run.characters_per_second * 6 * 1000 / 1e9)


def test_a_recipe_that_ends_above_the_goal_counts_with_its_whole_time():
    assert finish(2.0, 1.95, 1.89).seconds == 3.0


def test_the_windows_hold_each_character_once_with_the_next_as_target():
    tokens = torch.arange(64 * 5 + 1)
    inputs, targets = text_speedup.windows(tokens)
    assert inputs.shape == targets.shape == (5, 64)
    assert torch.equal(inputs.flatten(), tokens[:-1]) and torch.equal(targets.flatten(), tokens[1:])


def test_operations_counted_by_hand():
    assert text_speedup.operations(CharLSTM(65, 128)) == 6 * (4 * 128 * (128 + 128) + 65 * 128)
    layers = 2 * 12 * 64 * 64 + 64 * 65
    assert text_speedup.operations(Transformer(65, 64, 4, 2), attention=2 * 64) == 6 * (layers + 2 * 64 * 64)


def test_the_peak_counts_a_product_and_a_sum_for_each_triple(monkeypatch):
    ticks = iter(range(1000))
    monkeypatch.setattr(text_speedup, "process_time", lambda: float(next(ticks)))  # each product takes a second
    assert text_speedup.matrix_peak(torch.float32, side=8) == pytest.approx(2 * 8**3 / 1e9)


# --- the well-known recipe


def model() -> text_reference.Reference:
    seed_everything(0)
    return text_reference.Reference(65)


def test_its_parameters_counted_by_hand():
    layer = 12 * 128 * 128 + 2 * 128
    assert count_parameters(model()) == (65 + 64) * 128 + 4 * layer + 128 == 804_096


def test_it_starts_at_chance_and_does_not_look_ahead():
    reference, tokens = model(), torch.arange(64)[None]
    logits = reference(tokens)
    assert nn.functional.cross_entropy(logits[0], tokens[0].flip(0)).item() == pytest.approx(math.log(65), abs=0.2)
    later = tokens.clone()
    later[0, 40:] = 7
    torch.testing.assert_close(reference(later)[:, :40], logits[:, :40])
    assert not torch.allclose(reference(later)[:, 40:], logits[:, 40:])


def test_its_rate_rises_for_100_steps_and_falls_to_a_tenth():
    rates = [text_reference.rate(step) for step in range(text_reference.STEPS + 1)]
    assert max(rates) == rates[100] == 1.0
    assert rates[:101] == sorted(rates[:101]) and rates[100:] == sorted(rates[100:], reverse=True)
    assert rates[1050] == pytest.approx(0.55) and rates[-1] == pytest.approx(0.1)


def test_only_its_matrices_decay():
    decay = {
        p: group["weight_decay"] for group in text_reference.optimizer_of(model()).param_groups for p in group["params"]
    }
    assert len(decay) == len(list(model().parameters()))
    assert all(weight == (0.1 if parameter.dim() == 2 else 0.0) for parameter, weight in decay.items())


def test_its_batches_are_windows_of_the_text():
    inputs, targets = text_reference.random_windows(torch.arange(70))
    assert inputs.shape == (12, 64)
    assert torch.equal(targets, inputs + 1) and torch.equal(inputs.diff(), torch.ones(12, 63, dtype=torch.int64))


# --- the race


@pytest.fixture
def short_race(monkeypatch):
    """Three recipes that need 1, 2 and 30 seconds, on a text of a few windows."""
    text = type("Text", (), {"train": "abcd" * 100, "validation": "abcd" * 50, "alphabet": "abcd"})
    monkeypatch.setattr(text_speedup, "corpus", lambda name: text)
    monkeypatch.setattr(text_speedup, "matrix_peak", lambda kind: 100.0)
    recipes = {
        name: lambda *_, seconds=seconds: text_speedup.Run(seconds, 1.88, 1000.0, 50.0)
        for name, seconds in {"lesson 08": 1.0, "lesson 11": 2.0, "reference": 30.0}.items()
    }
    monkeypatch.setattr(text_speedup, "RECIPES", recipes)
    text_speedup.race.cache_clear()
    yield recipes
    text_speedup.race.cache_clear()


def test_both_ratios_come_from_one_race(short_race):
    for bench, ratio in ((text_speedup.lstm_speedup, 30), (text_speedup.transformer_speedup, 15)):
        measured, details = bench()
        assert measured == ratio and details["fraction_of_peak"] == 0.5
        assert len(details["seconds"]) == len(details["reference_seconds"]) == text_speedup.SEEDS
    assert text_speedup.race.cache_info().misses == 1


def test_a_lesson_that_misses_the_goal_gives_no_number(short_race):
    short_race["lesson 11"] = lambda *_: text_speedup.Run(1.0, 1.9, 1000.0, 50.0)
    with pytest.raises(RuntimeError, match="lesson 11 did not reach"):
        text_speedup.transformer_speedup()


@pytest.mark.parametrize("recipe", text_speedup.RECIPES)
def test_each_recipe_learns_and_is_measured_on_the_way(recipe, monkeypatch, capsys):
    monkeypatch.setattr(text_speedup, "GOAL", 0)  # so that the last measurement counts
    monkeypatch.setattr(text_reference, "STEPS", 20)
    monkeypatch.setattr(text_reference, "WARM_UP", 2)
    tokens = torch.arange(20_000) % 4
    validation = text_speedup.Batches(*text_speedup.windows(tokens[:1000]))
    seed_everything(0)
    run = text_speedup.RECIPES[recipe](tokens, validation, 4)
    assert run.loss < math.log(4) and run.seconds > 0 and run.gflops > 0


def test_the_runner_knows_both():
    assert runner.BENCHES["lstm_speedup"] == (text_speedup.lstm_speedup, 45)
    assert runner.BENCHES["transformer_speedup"] == (text_speedup.transformer_speedup, 12)
