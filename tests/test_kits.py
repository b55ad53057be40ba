"""The kits of exercises that build a model and of exercises that make a training step, on small ones of each kind."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import vector_to_parameters

from utils.checking import Exercise, Status, models, normal, proof, steps

# --- models ---------------------------------------------------------------------------------------------------------


def build_vectors(width):
    """A model: vectors (N, 4) in, logits (N, 3) out."""
    return nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 3))


class Reader(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.embed, self.gru = nn.Embedding(7, width), nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, 7)

    def forward(self, tokens):
        return self.head(self.gru(self.embed(tokens))[0])


def build_reader(width):
    """A model: tokens (B, T) in, logits (B, T, 7) out."""
    return Reader(width)


class Steered(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.one, self.two = nn.Conv2d(1, width, 3, padding=1), nn.Linear(2, width)

    def forward(self, images, conditions):
        return torch.tanh(self.one(images)) * self.two(conditions)[..., None, None]


def build_steered(width):
    """A model: images (N, 1, H, W) and conditions (N, 2) in, maps (N, width, H, W) out."""
    return Steered(width)


FORM = ("class_returned", "lazy_layer", "pair_returned", "argmax_in_the_model", "layer_left_out", "frozen_weights")
BEHAVIOUR = (
    *("softmax_at_the_end", "log_softmax_at_the_end", "softmax_over_the_batch", "relu_at_the_end", "squeezed_output"),
    *("dropout_never_off", "depends_on_the_batch", "same_for_all", "without_effect"),
)


def exercise_on(reference, shape, make, behaviour=BEHAVIOUR) -> Exercise:
    exercise = Exercise(reference, lesson="99", points=1, hint="Build.", compare=False, facts=models.Facts)

    @exercise.cases
    def _(rng):
        yield (8,)

    @exercise.ask
    def _(answer, width):
        inputs = make()
        return models.ask(answer, (width,), *(inputs if isinstance(inputs, tuple) else (inputs,)))

    @exercise.measure
    def _(sent, width):
        return models.measure(sent, shape, make)

    models.form(exercise, *FORM)
    models.usual(exercise, *behaviour)
    return exercise


BUILDERS = {
    "vectors": exercise_on(build_vectors, (6, 3), lambda: torch.rand(6, 4), (*BEHAVIOUR, "no_nonlinearity")),
    "tokens": exercise_on(build_reader, (4, 5, 7), lambda: torch.randint(7, (4, 5))),
    "two inputs": exercise_on(build_steered, (4, 8, 5, 5), lambda: (torch.rand(4, 1, 5, 5), torch.rand(4, 2))),
}
SPOILT = [(kind, one.name) for kind, exercise in BUILDERS.items() for one in exercise.mistakes]


@pytest.mark.parametrize("exercise", BUILDERS.values(), ids=BUILDERS)
def test_a_right_model_of_any_kind_passes(exercise):
    assert not [*proof.right_answer_problems(exercise, 0)]


@pytest.mark.parametrize(("kind", "name"), SPOILT)
def test_usual_mistakes_are_named_in_a_model_of_any_kind(kind, name):
    assert not proof.mistake_problem(BUILDERS[kind], name)


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda width: 3, "It gave a whole number"),
        (build_vectors(8), "a finished model"),
        (lambda width: nn.Linear(5, 3), "With an input of shape (6, 4) the model raised RuntimeError"),
        (lambda width: nn.Linear(4, 5), "shape (6, 5), expected (6, 3)"),
        (lambda width: nn.Sequential(build_vectors(width), Roots()), "nan or infinity"),
        (lambda width: nn.Sequential(build_vectors(width), Spectrum()), "no mistake"),
    ],
)
def test_what_is_no_model_or_does_not_run_is_said(build, said):
    assert said in BUILDERS["vectors"].judge(build).problem


class Roots(nn.Module):
    def forward(self, x):
        return (-x.abs() - 1).sqrt()


class Spectrum(nn.Module):
    def forward(self, x):
        return torch.fft.fft(x).abs()


def test_a_last_layer_that_begins_with_zeros_is_right():
    def build(width):
        model = build_vectors(width)
        nn.init.zeros_(model[-1].weight)
        return model

    assert BUILDERS["vectors"].judge(build).passed


def test_nothing_passes_that_was_not_measured():
    careless = Exercise(build_vectors, lesson="99", points=1, hint="Build.", compare=False, facts=models.Facts)
    careless.cases(lambda rng: iter([(8,)]))
    careless.ask(BUILDERS["vectors"].ask_function)
    careless.measure(BUILDERS["vectors"].measure_function)
    models.usual(careless, "dropout_never_off")
    assert careless.judge(lambda width: nn.Linear(5, 5)).status is Status.FAILED


# --- steps -----------------------------------------------------------------------------------------------------------


def training_step(model, optimizer, inputs, labels):
    """One step on vectors (N, 2) and labels (N,); the loss before it."""
    model.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(inputs), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


step = Exercise(training_step, lesson="99", points=1, hint="Step.", facts=steps.Facts)


@step.cases
def _(rng):
    for options in ({"learning rate": 1.0}, {"learning rate": 0.5, "momentum": 0.9}):
        yield normal(rng, 9), options, 4 * normal(rng, 5, 2), torch.from_numpy(rng.integers(0, 3, 5))


@step.ask
def _(answer, model, optimizer, inputs, labels):
    net = nn.Sequential(nn.Linear(2, 3))
    vector_to_parameters(model.clone(), net.parameters())
    sgd = steps.sgd(net, optimizer)
    return steps.take(lambda: answer(net, sgd, inputs, labels), net, sgd)


@step.recipe
def _(
    model,
    optimizer,
    inputs,
    labels,
    train=True,
    loss=F.cross_entropy,
    update=steps.update,
    give=Tensor.item,
    after=False,
):
    model.train(train or model.training)
    value = loss(model(inputs), labels)
    update(optimizer, value)
    return give(loss(model(inputs), labels) if after else value)


steps.usual(step, *steps.USUAL)


def test_the_usual_step_is_right():
    assert not [*proof.right_answer_problems(step, 0)]


@pytest.mark.parametrize("name", steps.USUAL)
def test_usual_mistakes_of_a_step_are_named(name):
    assert not proof.mistake_problem(step, name)


def by_a_closure(model, optimizer, inputs, labels):
    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs), labels)
        loss.backward()
        return loss

    model.train()
    return float(optimizer.step(closure))


def with_gradients_of_its_own(model, optimizer, inputs, labels):
    model.train()
    loss = F.cross_entropy(model(inputs), labels)
    for weight, gradient in zip(model.parameters(), torch.autograd.grad(loss, [*model.parameters()]), strict=True):
        weight.grad = gradient
    optimizer.step()
    return loss.detach()


def cleared_afterwards(model, optimizer, inputs, labels):
    model.train()
    loss = F.cross_entropy(model(inputs), labels)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=False)
    return loss.item()


@pytest.mark.parametrize("answer", [by_a_closure, with_gradients_of_its_own, cleared_afterwards])
def test_a_step_is_judged_by_what_it_does(answer):
    verdict = step.judge(answer)
    assert verdict.passed, verdict.text()


def step_of_the_last_gradient(model, optimizer, inputs, labels):
    model.train()
    optimizer.step()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(inputs), labels)
    loss.backward()
    return loss.item()


def only_a_loss(model, optimizer, inputs, labels):
    return F.cross_entropy(model.train()(inputs), labels).item()


def moved_by_hand(model, optimizer, inputs, labels):
    loss = F.cross_entropy(model.train()(inputs), labels)
    loss.backward()
    with torch.no_grad():
        for weight in model.parameters():
            weight -= weight.grad
            weight.grad = None
    return loss.item()


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (step_of_the_last_gradient, "step_before_backward"),
        (only_a_loss, "no_step"),
        (moved_by_hand, "optimizer_of_its_own"),
    ],
)
def test_other_ways_to_make_no_step_are_told_apart(answer, name):
    verdict = step.judge(answer)
    assert verdict.status is Status.FAILED
    assert verdict.mistake == name, verdict.text()
