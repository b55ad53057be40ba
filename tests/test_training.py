import copy
import math
from functools import partial

import pytest
import torch
from torch import nn

from utils import training
from utils.training import Batches, count_parameters, cross_entropy, evaluate, fit, seed_everything

GPU = torch.cuda.is_available()


def two_clouds(count: int = 256) -> tuple[torch.Tensor, torch.Tensor]:
    """Points (N, 2) around (2, 2) and (-2, -2): a straight line separates them."""
    labels = torch.arange(count) % 2
    return torch.randn(count, 2) * 0.5 + 4.0 * labels[:, None] - 2.0, labels


class Scripted:
    """A training source that gives the same batches each pass and, before some of them, does something."""

    contiguous = False

    def __init__(self, batches, before=()):
        self.batches, self.before = list(batches), dict(before)

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        for number, batch in enumerate(self.batches, start=1):
            self.before.get(number, lambda: None)()
            yield batch


def interrupt():
    raise KeyboardInterrupt


def good_then_bad(before=()) -> tuple[nn.Module, Scripted, Batches]:
    """15 batches with right labels, then 25 with exchanged ones: after a good start the model gets worse."""
    seed_everything(0)
    points, labels = two_clouds(40 * 16)
    labels[15 * 16 :] = 1 - labels[15 * 16 :]
    return nn.Linear(2, 2), Scripted(Batches(points, labels, 16), before), Batches(*two_clouds(200))


def same(state: dict, other: dict) -> bool:
    return all(torch.equal(state[name], other[name]) for name in state)


def test_learns_what_a_line_can_separate():
    seed_everything(0)
    model = nn.Linear(2, 2)
    history = fit(model, Batches(*two_clouds(), size=16, shuffle=True), Batches(*two_clouds()), epochs=3, lr=0.1)
    assert evaluate(model, Batches(*two_clouds(1000))) > 0.99
    assert history.losses[-1] < history.losses[0] / 2
    assert len(history.losses) == history.steps[-1] == 48
    assert history.seconds == sorted(history.seconds) and history.seconds[0] > 0
    assert not history.interrupted and not model.training


def test_same_seed_same_weights_bit_for_bit():
    def trained(seed):
        seed_everything(seed)
        model = nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.2), nn.ReLU(), nn.Linear(8, 2))
        data = Batches(*two_clouds(), size=32, shuffle=True)
        losses = fit(model, data, data, epochs=2).losses
        return losses, model.cpu().state_dict()

    (losses, state), (again, twin), (_, other) = trained(1), trained(1), trained(2)
    assert losses == again and same(state, twin)
    assert not same(state, other)


@pytest.mark.parametrize("asked, steps", [("", 48), ("short", 4)])  # of which each is validated
def test_a_rehearsal_takes_few_steps_and_all_validations(monkeypatch, asked, steps):
    monkeypatch.setenv("REACH_TRAINING", asked)
    history = fit(nn.Linear(2, 2), Batches(*two_clouds(), size=16), Batches(*two_clouds()), epochs=3)
    assert len(history.losses) == steps and len(history.validation) == 4


def test_a_rehearsal_of_a_long_training_is_a_twentieth(monkeypatch):
    monkeypatch.setenv("REACH_TRAINING", "short")
    assert len(fit(nn.Linear(2, 2), Batches(*two_clouds(), size=2), Batches(*two_clouds())).losses) == 6
    monkeypatch.setenv("REACH_TRAINING", "long")
    with pytest.raises(ValueError, match="'long'. Set it to short"):
        fit(nn.Linear(2, 2), Batches(*two_clouds()), Batches(*two_clouds()))


def test_the_best_validation_weights_are_kept_when_training_gets_worse():
    model, train, validation = good_then_bad()
    history = fit(model, train, validation, lr=0.5, validations=8)
    assert history.validation[-1] < 0.5 < 0.99 < history.best
    assert evaluate(model, validation) == history.best


def test_an_interrupt_leaves_the_best_weights_so_far(capsys):
    model, train, validation = good_then_bad(before={38: interrupt})
    history = fit(model, train, validation, lr=0.5, validations=8)
    assert history.interrupted and len(history.losses) == 37 and history.steps[-1] == 35
    assert history.validation[-1] < history.best == evaluate(model, validation)
    assert not model.training
    assert "interrupted" in capsys.readouterr().out


def test_an_interrupt_while_validating_leaves_a_history_that_fits_together(monkeypatch):
    model, train, validation = good_then_bad()
    values = iter([0.5])  # the second validation is interrupted
    monkeypatch.setitem(fit.__globals__, "evaluate", lambda *_: next(values, None) or interrupt())
    history = fit(model, train, validation, validations=4)
    assert history.interrupted and history.validation == [0.5]
    assert len(history.steps) == len(history.seconds) == 1


def test_an_interrupt_before_the_first_validation_keeps_what_was_learned():
    model, train, validation = good_then_bad(before={15: interrupt})
    untrained = copy.deepcopy(model.state_dict())
    history = fit(model, train, validation, lr=0.5, validations=1)
    assert history.interrupted and math.isnan(history.best)
    assert not same(model.state_dict(), untrained)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_is_explained_and_undone(value):
    model, train, validation = good_then_bad()
    states = []
    calls = 0

    def breaking_loss(logits, targets):
        nonlocal calls
        if torch.is_grad_enabled():  # not while validating
            calls += 1
            if calls == 12:
                return logits.sum() * value
        else:
            states.append(copy.deepcopy(model.state_dict()))
        return cross_entropy(logits, targets)

    with pytest.raises(FloatingPointError) as error:
        fit(model, train, validation, loss=breaking_loss, validations=4)  # step 10 is the only one validated
    message = str(error.value)
    assert "Step 12" in message and "learning rate 0.0" in message and "`lr`" in message and "clip" in message
    assert ("nan" in message) if math.isnan(value) else ("inf" in message)
    assert same(model.state_dict(), states[-1]) and not model.training


def test_broken_inputs_leave_the_untrained_weights():
    model, train, validation = good_then_bad()
    untrained = copy.deepcopy(model.state_dict())
    train.batches[0][0][0, 0] = math.nan
    with pytest.raises(FloatingPointError, match="Step 1: the loss is nan"):
        fit(model, train, validation)
    assert same(model.state_dict(), untrained)


def test_the_bar_shows_loss_accuracy_validation_and_time_left(capsys):
    model, train, validation = good_then_bad()
    fit(model, train, validation, label="two clouds")
    last = capsys.readouterr().out.split("\r")[-1]
    assert last.startswith("two clouds: 100%") and "40/40" in last and "<00:00" in last
    assert "loss " in last and "accuracy " in last and "validation " in last


class Uniform(nn.Module):
    """Gives each of `size` characters the same probability at every place: (B, T) in, (B, T, size) out."""

    def __init__(self, size: int):
        super().__init__()
        self.size = size

    def forward(self, characters):
        return torch.zeros(*characters.shape, self.size)


@pytest.mark.parametrize("size", [2, 7, 65])
def test_bits_per_character_of_the_uniform_distribution(size):
    text = torch.randint(0, size, (10, 6))
    bits = evaluate(Uniform(size), Batches(text, text, size=4), "bits per character")
    assert bits == pytest.approx(math.log2(size), rel=1e-5)


def test_learns_which_character_comes_next(capsys):
    seed_everything(0)
    text = (torch.arange(9)[None] + torch.arange(32)[:, None]) % 5  # abcdeabcd, bcdeabcde, …
    data = Batches(text[:, :-1], text[:, 1:], size=8, shuffle=True)
    model = nn.Sequential(nn.Embedding(5, 8), nn.Linear(8, 5))
    history = fit(model, data, data, epochs=10, lr=0.1, metric="bits per character")
    assert history.best == min(history.validation) < 0.1 < history.validation[0]
    assert evaluate(model, data, "bits per character") == pytest.approx(history.best)
    assert evaluate(model, data) == 1.0  # accuracy counts characters
    assert "bits per character" in capsys.readouterr().out


class FirstFeature(nn.Module):
    """Says 0 or 1 as its input does; in training mode it says the opposite."""

    def forward(self, x):
        logits = torch.cat([1 - x, x], dim=1)
        return logits.flip(1) if self.training else logits


def test_evaluation_mode_and_a_small_last_batch():
    model = FirstFeature().train()
    inputs, targets = torch.tensor([[0.0], [1.0], [0.0], [1.0], [0.0]]), torch.tensor([0, 1, 0, 0, 1])
    assert evaluate(model, Batches(inputs, targets, size=4)) == 3 / 5  # the mean of batches would be 3/8
    assert model.training

    whole = evaluate(model, Batches(inputs, targets, size=5), "bits per character")
    parts = evaluate(model, Batches(inputs, targets, size=4), "bits per character")
    assert parts == pytest.approx(whole)


def test_training_mode_with_gradients_in_training_and_neither_in_validation():
    model, train, validation = good_then_bad()
    model.eval()
    modes = []
    model.register_forward_hook(lambda module, args, out: modes.append((module.training, out.requires_grad)))
    fit(model, train, validation, validations=4)
    assert modes.count((True, True)) == 40
    assert modes.count((False, False)) == len(modes) - 40 == 4 * len(validation)


def test_clip_limits_the_norm_of_the_gradient():
    model, train, validation = good_then_bad()

    def steep(logits, targets):
        return 1e3 * cross_entropy(logits, targets)

    def norm():
        return torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item()

    fit(model, train, validation, loss=steep)
    assert norm() > 1
    fit(model, train, validation, loss=steep, clip=0.5)
    assert norm() <= 0.5 * (1 + 1e-4)


def test_batches_hold_each_example_once_and_shuffle_anew():
    inputs = torch.arange(10)
    plain = Batches(inputs, -inputs, size=4)
    assert [x.tolist() for x, _ in plain] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]] and len(plain) == 3

    shuffled = Batches(inputs, -inputs, size=4, shuffle=True)
    first, second = (torch.cat([x for x, _ in shuffled]) for _ in range(2))
    assert sorted(first.tolist()) == inputs.tolist() and first.tolist() != second.tolist()
    assert all(torch.equal(x, -y) for x, y in shuffled)


@pytest.mark.parametrize("counts", [(3, 4), (0, 0)])
def test_batches_refuse_what_does_not_match(counts):
    with pytest.raises(ValueError, match="one target"):
        Batches(torch.zeros(counts[0], 2), torch.zeros(counts[1]))


@pytest.mark.parametrize("wrong", [{"metric": "perplexity"}, {"epochs": 0}, {"validations": 0}])
def test_what_cannot_be_trained_is_refused_before_it_starts(wrong):
    model, train, validation = good_then_bad()
    untrained = copy.deepcopy(model.state_dict())
    with pytest.raises(ValueError, match="Choose one of: accuracy, bits per character|at least 1"):
        fit(model, train, validation, **wrong)
    assert same(model.state_dict(), untrained)


def test_an_error_in_the_model_is_the_learners_to_see():
    _, train, validation = good_then_bad()
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        fit(nn.Linear(3, 2), train, validation)


def test_count_parameters_leaves_out_the_frozen_ones():
    model = nn.Linear(3, 2)
    assert count_parameters(model) == 3 * 2 + 2
    model.bias.requires_grad_(False)
    assert count_parameters(model) == 3 * 2


@pytest.mark.parametrize("available, expected", [(True, "cuda"), (False, "cpu")])
def test_the_device_is_what_is_there(monkeypatch, available, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    assert training.pick_device().type == expected


@pytest.mark.skipif(not GPU, reason="needs a GPU")
def test_a_model_is_trained_on_the_gpu_and_comes_home():
    model, train, validation = good_then_bad()
    seen = set()
    model.register_forward_hook(lambda module, args, out: seen.add((out.device.type, out.dtype)))
    fit(model, train, validation)
    assert {device for device, _ in seen} == {"cuda"}
    assert next(model.parameters()).device.type == "cpu"


def test_without_a_label_there_is_no_bar(capsys):
    inputs, targets = torch.randn(8, 2), torch.randint(2, (8,))
    fit(nn.Linear(2, 2), Batches(inputs, targets), Batches(inputs, targets), label="")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("threads, clock", [(1, "thread_time"), (2, "process_time")])
def test_the_stopwatch_stands_still_while_it_is_paused(threads, clock, monkeypatch):
    now = iter([0.0, 10.0, 10.0, 14.0, 20.0])
    monkeypatch.setattr(training.stopwatch.torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr(training.stopwatch.time, clock, lambda: next(now))
    watch = training.Stopwatch()
    assert watch.seconds == 10
    with watch.paused():
        pass
    assert watch.seconds == 16  # 4 of the 20 seconds were a pause


def test_trainings_side_by_side_are_timed_each_by_its_own_seconds():
    def work(steps: int) -> float:
        watch = training.Stopwatch()
        for _ in range(steps):
            torch.randn(200, 200) @ torch.randn(200, 200)
        return watch.seconds

    taken = training.in_parallel({"short": partial(work, 20), "long": partial(work, 2000)})
    assert taken["short"] < taken["long"] / 3


class Convolutional(nn.Module):
    """Its normalisation is frozen: in evaluation mode while the rest is trained."""

    def __init__(self, memory_format: torch.memory_format):
        super().__init__()
        self.convolution, self.norm, self.head = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2)
        self.to(memory_format=memory_format)
        self.norm.eval()

    def forward(self, images):
        return self.head(self.norm(self.convolution(images)).mean((2, 3)))


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_evaluate_and_fit_give_the_model_back_as_it_was(memory_format):
    model = Convolutional(memory_format)
    data = Batches(torch.rand(8, 3, 6, 6), torch.arange(8) % 2)

    def layout():
        return {name: (value.device, value.stride()) for name, value in model.state_dict().items()}

    before = layout()
    evaluate(model, data)
    assert layout() == before
    assert [part.training for part in model.modules()] == [True, True, False, True]
    fit(model, data, data)
    assert layout() == before
    model.convolution.weight.flatten(1)
    evaluate(model.eval(), data)
    assert not any(part.training for part in model.modules())


def test_what_is_not_cut_into_batches_is_explained():
    with pytest.raises(TypeError, match="is a list; expected batches"):
        evaluate(nn.Linear(2, 2), [(torch.zeros(1, 2), torch.zeros(1))])


def test_batches_with_a_seed_have_an_order_of_their_own():
    numbers = torch.arange(50)
    orders = [list(Batches(numbers, numbers, 7, shuffle=True, seed=seed)) for seed in (3, 3, 4)]
    first, same, other = (torch.cat([inputs for inputs, _ in order]) for order in orders)
    assert torch.equal(first, same) and not torch.equal(first, other)
    assert torch.equal(first.sort().values, numbers)
