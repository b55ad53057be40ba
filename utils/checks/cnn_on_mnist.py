"""Exercises of lesson 02: the model, one training step, evaluation, overfitting one batch, a dense baseline."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from utils.checking import Lesson, models, normal, steps, training, uniform
from utils.checking.describe import number
from utils.checking.graph import Graph

lesson = Lesson("02", __name__)

# --- 2.1 the model ----------------------------------------------------------------------------------------------

MAX_PARAMETERS = 60_000
IMAGES = 6
CONVOLUTIONS = "conv2d", "convolution"


@dataclass(frozen=True, kw_only=True)
class CNN(models.Facts):
    """`convolutions` have kernels of their own; `untrained` ones use what nobody trains. `seeing`: for each of the
    first, whether it takes something of the image on to the logits. `bent`: whether something that is not linear
    stands between it and what comes next."""

    convolutions: int = 0
    untrained: int = 0
    seeing: list[bool] = field(default_factory=list)
    bent: list[bool] = field(default_factory=list)


@lesson.exercise(
    points=3,
    hint="Follow the size of the maps, layer by layer, with lesson 01's formula. The dense layer takes channels × height × width numbers.",
    compare=False,
    facts=CNN,
)
def build_cnn(side):
    """A model with two convolutions: images (N, 1, side, side) in, logits (N, 10) out."""
    convolutions = nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1)
    maps = (layer for convolution in convolutions for layer in (convolution, nn.ReLU(), nn.MaxPool2d(2)))
    return nn.Sequential(*maps, nn.Flatten(), nn.Linear(16 * (side // 4) ** 2, 10))


@build_cnn.cases
def _(rng):
    yield dict(side=8)
    yield dict(side=28)


@build_cnn.ask
def _(answer, side):
    return models.ask(answer, (side,), torch.rand(IMAGES, 1, side, side))


@build_cnn.measure
def _(sent, side):
    facts = models.measure(sent, (IMAGES, 10), lambda: torch.rand(IMAGES, 1, side, side))
    if not facts.runs:
        return facts
    model = Graph(sent["model"])
    own, dense = models.layers(model, *CONVOLUTIONS), models.layers(model, "linear")
    return CNN(
        **vars(facts),
        convolutions=len(own),
        untrained=models.untrained(model, *CONVOLUTIONS),
        seeing=[_sees(model, number, side) for number in own],
        bent=models.bends(model, own, dense, torch.rand(IMAGES, 1, side, side)),
    )


def _sees(model: Graph, number: int, side: int) -> bool:
    """Whether a convolution, made of other images, moves the logits; with some weights all ReLUs behind it are silent."""
    images, others = torch.rand(2, IMAGES, 1, side, side)
    draws = (models.draw_again(model.weights) for _ in range(models.DRAWS))
    return any(models.carries(model, weights, number, images, others) for weights in draws)


@build_cnn.recipe
def _(
    side,
    kernel=3,
    padding=1,
    extra=nn.Identity,
    taken=8,
    first=nn.ReLU,
    second=nn.ReLU,
    pool=nn.MaxPool2d,
    flatten=1,
    left=None,
    dense=lambda numbers: nn.Linear(numbers, 10),
):
    one, two = nn.Conv2d(1, 8, kernel, padding=padding), nn.Conv2d(taken, 16, kernel, padding=padding)
    maps = one, extra(), first(), pool(2), two, second(), pool(2)
    return nn.Sequential(*maps, nn.Flatten(flatten), dense(16 * (left or side // 4) ** 2))


build_cnn.slip("batch_mixed_up", flatten=0, seen=models.mixed_up).says(
    "The first dimension is no longer the batch: numbers of one image were counted as several images, or all images as one. Use nn.Flatten(), or x.flatten(1), which leaves dimension 0 alone."
)
build_cnn.slip("sized_for_one_side", left=7, seen=models.does_not_fit).says(
    "The dense layer expects another number of values than the last maps hold. Work that number out from `side`: channels × height × width after both convolutions and poolings."
)
build_cnn.slip("channels_do_not_fit", taken=6, seen=models.raised("channels", "running_mean")).says(
    "Two neighbouring layers disagree about the number of channels: what one gives, the next one (a normalisation too) must take. The image itself has one channel."
)
build_cnn.slip("nothing_left_of_the_maps", kernel=5, padding=0, seen=models.raised("Kernel size", "too small")).says(
    "The maps shrink until nothing is left. Use padding, or a smaller kernel where the side is small."
)

models.usual(build_cnn, "class_returned", "lazy_layer", "pair_returned", "argmax_in_the_model")
models.form(build_cnn, "layer_left_out", "frozen_weights")


def _in_a_list(side):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            *self.features, self.head = build_cnn.reference(side)
            self.features = list(self.features)

        def forward(self, x):
            for layer in self.features:
                x = layer(x)
            return self.head(x)

    return Net()


def _counted(wrong: Callable[[int], bool]) -> Callable:
    """A finding about how many convolutions there are with kernels of their own."""

    def seen(facts: CNN, side: int) -> str | None:
        found = f"{facts.convolutions} convolution{'s' * (facts.convolutions != 1)}"
        return f"The model has {found} to be trained, expected 2." if wrong(facts.convolutions) else None

    return seen


build_cnn.wrong(
    "convolutions_in_a_list",
    _in_a_list,
    seen=lambda facts, side: (
        "The model convolves with kernels that are not among its parameters, so they are never trained."
        if facts.convolutions < 2 and facts.untrained
        else None
    ),
).says(
    "A convolution in a plain Python list, or one that is made inside `forward`, is not found by the optimizer: use nn.Sequential, nn.ModuleList, or `self.conv = …` in `__init__`."
)
build_cnn.wrong(
    "no_convolution",
    lambda side: nn.Sequential(nn.Flatten(), nn.Linear(side**2, 16), nn.ReLU(), nn.Linear(16, 10)),
    seen=_counted(lambda count: count == 0),
).says("There is no convolution. A dense model comes later in this lesson, to be compared with this one.")
build_cnn.wrong(
    "one_convolution",
    lambda side: nn.Sequential(nn.Conv2d(1, 8, 4, 4), nn.ReLU(), nn.Flatten(), nn.Linear(8 * (side // 4) ** 2, 10)),
    seen=_counted(lambda count: count == 1),
).says("There is one convolution. The exercise asks for two, each with kernels of its own.")
build_cnn.slip("three_convolutions", extra=lambda: nn.Conv2d(8, 8, 1), seen=_counted(lambda count: count > 2)).says(
    "There are more than two convolutions. The question of this lesson is what two can do."
)
build_cnn.slip(
    "too_many_parameters",
    dense=lambda numbers: nn.Sequential(nn.Linear(numbers, 1024), nn.ReLU(), nn.Linear(1024, 10)),
    seen=lambda facts, side: (
        f"The model has {facts.parameters:,} parameters, expected at most {MAX_PARAMETERS:,}."
        if facts.parameters > MAX_PARAMETERS
        else None
    ),
).says(
    "The dense layers hold too much. Let pooling shrink the maps first, use fewer channels, and let one dense layer make the ten logits."
)

models.usual(build_cnn, "dropout_never_off", "softmax_at_the_end", "log_softmax_at_the_end", "softmax_over_the_batch")
models.usual(build_cnn, "relu_at_the_end", "squeezed_output", "depends_on_the_batch", "same_for_all", "without_effect")


class _Beside(nn.Module):
    """A dense model of the image, and a convolutional one of a constant."""

    def __init__(self, side: int):
        super().__init__()
        self.convolutional = build_cnn.reference(side)
        self.dense = nn.Sequential(nn.Flatten(), nn.Linear(side**2, 16), nn.ReLU(), nn.Linear(16, 10))

    def forward(self, images: Tensor) -> Tensor:
        return self.dense(images) + self.convolutional(torch.ones_like(images))


build_cnn.wrong(
    "convolution_without_the_image",
    _Beside,
    seen=lambda facts, side: (
        None
        if all(facts.seeing)
        else "Its logits stay as they are when a convolution gets another image than the rest."
    ),
).says(
    "A convolution is not on the way from the image to the logits: what it makes is the same for all images, or goes nowhere. The image goes into the first one, its maps into the second, and theirs into the dense layer."
)


def _straight(facts: CNN, side: int) -> str | None:
    if all(facts.bent):
        return None
    where = "Behind the second convolution" if facts.bent[0] else "Between the first convolution and the second"
    return f"{where} everything is linear."


build_cnn.slip(
    "no_nonlinearity",
    first=nn.Identity,
    second=nn.Identity,
    pool=nn.AvgPool2d,
    seen=models.USUAL["no_nonlinearity"].seen,
).says(
    "Nothing bends between the layers: stacked linear maps are one linear map. Put a ReLU (or a max pooling) after each convolution."
)
build_cnn.slip("one_nonlinearity", second=nn.Identity, pool=nn.AvgPool2d, seen=_straight).says(
    "A nonlinearity belongs after *each* convolution. Without one between them, two convolutions are one larger convolution; without one behind the second, it is a part of the dense layer. Average pooling and batch normalisation are linear."
)


# --- 2.2 one training step ----------------------------------------------------------------------------------------


class Dense(nn.Module):
    """One dense layer (classes, pixels) without bias, after dropout: images (N, 1, H, W) in, logits (N, classes) out."""

    def __init__(self, weight: Tensor, dropout: float = 0.0):
        super().__init__()
        self.weight, self.dropout = nn.Parameter(weight.clone()), nn.Dropout(dropout)

    def forward(self, images: Tensor) -> Tensor:
        return self.dropout(images.flatten(1)) @ self.weight.T


@lesson.exercise(
    points=2,
    hint="Training mode, clear the gradients, forward, loss, backward, step. Then hand the loss out as a plain number.",
    facts=steps.Facts,
)
def training_step(model, optimizer, images, labels):
    """One step on images (N, 1, H, W) and labels (N,). Returns the loss before the step, in nats."""
    model.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


@training_step.cases
def _(rng):
    plain, heavy = {"learning rate": 1.0}, {"learning rate": 1.0, "momentum": 0.5}
    blank, pixels = {"weight": torch.zeros(2, 1)}, torch.tensor([1.0, 2.0]).reshape(2, 1, 1, 1)
    yield blank, plain, pixels[:1], torch.tensor([1])  # by hand: the loss is ln 2, the weights move by a half
    yield blank, plain, pixels, torch.tensor([1, 1])
    yield blank, heavy, pixels[:1], torch.tensor([1])
    for _ in range(3):
        classes, count, height, width = (int(rng.integers(2, 5)) for _ in range(4))
        labels = torch.from_numpy(rng.integers(0, classes, count))
        yield {"weight": normal(rng, classes, height * width)}, plain, uniform(rng, count, 1, height, width), labels


@training_step.ask
def _(answer, model, optimizer, images, labels):
    """Two steps on the same batch, with the model put into evaluation mode between them, as a validation would."""
    dense = Dense(model["weight"])
    sgd = steps.sgd(dense, optimizer)
    return steps.take(lambda: answer(dense, sgd, images, labels), dense, sgd)


@training_step.recipe
def _(
    model,
    optimizer,
    images,
    labels,
    train=True,
    loss=F.cross_entropy,
    update=steps.update,
    give=Tensor.item,
    after=False,
):
    model.train(train or model.training)
    before = loss(model(images), labels)
    update(optimizer, before)
    return give(loss(model(images), labels) if after else before)


steps.usual(training_step, *steps.USUAL)


# --- 2.3 accuracy ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Evaluation:
    """What `accuracy` returned, and whether it asked the model in evaluation mode alone."""

    accuracy: Any
    evaluation_mode: bool


@lesson.exercise(
    points=2,
    hint="Evaluation mode first. Count the images that are right and the images that there are, over all batches; divide once, at the end.",
    facts=Evaluation,
)
@torch.no_grad()
def accuracy(model, batches):
    """Share of images that the model reads right; batches of (images (N, 1, H, W), labels (N,))."""
    model.eval()
    right = sum(int((model(images).argmax(1) == labels).sum()) for images, labels in batches)
    return right / sum(len(labels) for _, labels in batches)


@accuracy.cases
def _(rng):
    model = {"weight": torch.tensor([[1.0], [-1.0]])}  # reads every bright pixel as class 0
    yield model, [_batch([3, 2], [0, 1])]
    yield model, [_batch([2, 1], [0, 0]), _batch([3], [1])]
    many = _batch([1] * 270, [0] * 265 + [1] * 5), _batch([1] * 30, [0] * 10 + [1] * 20)
    yield model, [*many]  # more right images than a byte can count
    for _ in range(5):
        classes, height, width = (int(rng.integers(2, 5)) for _ in range(3))
        model = {"weight": normal(rng, classes, height * width)}
        size = int(rng.integers(4, 8))
        batches = [_labelled(rng, model, n, (1, height, width)) for n in (size, size, int(rng.integers(1, 3)))]
        yield model, batches


def _batch(pixels: list[int], labels: list[int]) -> dict[str, Tensor]:
    """Images of one pixel each."""
    return {"images": torch.tensor(pixels).float().reshape(-1, 1, 1, 1), "labels": torch.tensor(labels)}


def _labelled(rng, model: dict, count: int, shape: tuple) -> dict[str, Tensor]:
    """A batch of which this model has about two thirds right."""
    images = normal(rng, count, *shape)
    best, classes = (images.flatten(1) @ model["weight"].T).argmax(1), len(model["weight"])
    wrong = torch.from_numpy(rng.random(count) < 1 / 3)
    return {"images": images, "labels": torch.where(wrong, (best + 1) % classes, best)}


@accuracy.ask
def _(answer, model, batches):
    """The model comes in training mode, with dropout in it, as it is after a training step."""
    dense, modes = Dense(model["weight"], dropout=0.5), []
    dense.dropout.register_forward_pre_hook(lambda layer, _: modes.append(layer.training))
    value = answer(dense, [(batch["images"], batch["labels"]) for batch in batches])
    return None if value is None else Evaluation(value, not any(modes))


@accuracy.recipe
@torch.no_grad()
def _(
    model,
    batches,
    evaluate=True,
    used=slice(None),
    read=lambda logits: logits.argmax(1),
    share=lambda right, counts: sum(right) / sum(counts),
):
    model.train(not evaluate)
    right = [int((read(model(images)) == labels).sum()) for images, labels in batches[used]]
    return share(right, [len(labels) for _, labels in batches[used]])


accuracy.slip(
    "dropout_live_in_evaluation",
    evaluate=False,
    seen=lambda facts, *case: None if facts.evaluation_mode else "The model was asked in training mode.",
).says(
    "The model was in training mode while you measured: dropout drops, and normalisation uses the batch at hand. Call model.eval() before the first batch."
)
accuracy.slip("mean_over_batches", share=lambda right, counts: float(np.mean(np.divide(right, counts)))).says(
    "You took the mean over the batches. The last one is smaller, so its images counted for more: add up the right ones and divide once."
)
accuracy.slip("argmax_over_the_images", read=lambda logits: logits.argmax(0)).says(
    "argmax went over the images (dim 0). The logits have the shape (N, classes); the largest of each row counts: argmax(1)."
)
accuracy.slip("count_in_place_of_a_share", share=lambda right, counts: sum(right)).says(
    "You returned the number of right images. Divide it by the number of all images."
)
accuracy.slip("percent", share=lambda right, counts: 100 * sum(right) / sum(counts)).says(
    "You returned percent. Return a share between 0 and 1."
)
accuracy.slip("error_in_place_of_accuracy", share=lambda right, counts: 1 - sum(right) / sum(counts)).says(
    "You returned the share of wrong images, the error. Accuracy is the share of right ones."
)
accuracy.slip("last_batch_only", used=slice(-1, None)).says(
    "Only the last batch counted. Add up over all batches: the sums begin before the loop."
)
accuracy.slip("first_batch_only", used=slice(1)).says(
    "Only the first batch counted: a `return` inside the loop ends it there."
)
accuracy.slip("batches_taken_as_equal", share=lambda right, counts: sum(right) / (len(counts) * counts[0])).says(
    "You took every batch to be as large as the first. The last one is smaller: count the labels of each."
)
accuracy.slip("divided_by_batches", share=lambda right, counts: sum(right) / len(counts)).says(
    "You divided by the number of batches. Divide by the number of images."
)
accuracy.slip("divided_to_a_whole_number", share=lambda right, counts: sum(right) // sum(counts)).says(
    "You rounded the share down to a whole number. Divide with /, not with //."
)
accuracy.slip("logit_compared_with_label", read=lambda logits: logits.amax(1)).says(
    "You compared the largest logit with the label. Compare *where* it stands: argmax(1), or the second value of max(1)."
)


# --- 2.4 overfit one batch -------------------------------------------------------------------------------------------

MEMORISED = 0.05  # mean loss in nats
HIDDEN = 32


@lesson.exercise(
    points=2,
    hint="One optimizer, made once. Repeat the training step on the same batch, keep each loss, stop when it is below 0.05.",
    seconds=10.0,
    compare=False,
    facts=training.Facts,
)
def overfit(model, images, labels):
    """Train on images (N, 1, H, W) and labels (N,) until the loss is below 0.05. Returns the loss of each step."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    losses = []
    while not losses or losses[-1] > MEMORISED / 5 and len(losses) < 500:
        losses.append(training_step.reference(model, optimizer, images, labels))
    return losses


@overfit.cases
def _(rng):
    """Images of noise with random labels: nothing helps here but memorising them."""
    for count in (8, 64):
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(int(rng.integers(2**31)))
            weights = parameters_to_vector(_net().parameters()).detach()
        labels = torch.from_numpy(rng.integers(0, 10, count))
        yield {"hidden units": HIDDEN, "weights": weights}, normal(rng, count, 1, 8, 8), labels


def _net() -> nn.Sequential:
    """Images (N, 1, 8, 8) in, logits (N, 10) out."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 10))


@overfit.ask
def _(answer, model, images, labels):
    return training.ask(answer, _net(), model["weights"], images, labels)


@overfit.measure
def _(sent, model, images, labels):
    return training.measure(sent, _net(), model["weights"], images, labels, goal=MEMORISED)


@overfit.recipe
def _(
    model,
    images,
    labels,
    rounds=40,
    rate=0.02,
    trained=nn.Module.parameters,
    loss=F.cross_entropy,
    cut=lambda images, labels: [(images, labels)],
    keep=list,
):
    optimizer, losses = torch.optim.AdamW(trained(model), rate), []
    for _ in range(rounds):
        for some, theirs in cut(images, labels):
            value = loss(model(some), theirs)
            steps.update(optimizer, value)
            losses.append(value.item())
    return keep(losses)


overfit.slip(
    "softmax_while_overfitting",
    rounds=100,
    loss=lambda logits, labels: F.cross_entropy(logits.softmax(1), labels),
    seen=lambda facts, *case: (
        f"Your list ends with {number(facts.losses[-1])}, and the true loss is {number(facts.after)}."
        if facts.losses and all(1.46 < loss < 2.47 and loss > facts.after + 0.3 for loss in facts.losses[-9:])
        else None
    ),
).says(
    "You took a softmax before F.cross_entropy: the loss in your list cannot fall below 1.46, however well the images are known."
)
training.usual(overfit, *(name for name in training.USUAL if name not in training.LAST))
training.goal(overfit)


# --- 2.5 a dense baseline of the same size --------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="Count the parameters for h hidden units first: the first layer, the layers between, the normalisations, the logits. Then look for the largest h that fits.",
)
def hidden_units(budget, side, classes=10, layers=1):
    """The most hidden units per layer that `budget` parameters can pay for, a whole number."""
    square, each = layers - 1, side**2 + 2 * layers + classes  # square · h² + each · h + classes are to be paid
    if square == 0:
        return (budget - classes) // each
    hidden = (math.isqrt(each**2 + 4 * square * (budget - classes)) - each) // (2 * square)
    return hidden


@hidden_units.cases
def _(rng):
    yield dict(budget=18, side=2, classes=2, layers=1)  # by hand: 8 for each hidden unit, 2 for the classes, none left
    yield dict(budget=17, side=2, classes=2, layers=1)
    yield dict(budget=35, side=3, classes=1, layers=1)
    yield dict(budget=26, side=2, classes=2, layers=2)  # by hand: 2 units cost 8 + 4 + 8 + 4, the classes 2
    yield dict(budget=25, side=2, classes=2, layers=2)
    yield dict(budget=38, side=2, classes=2, layers=3)
    yield dict(budget=27_418, side=28, classes=10, layers=1)
    yield dict(budget=27_418, side=28, classes=10, layers=2)
    yield dict(budget=9_114, side=8, classes=10, layers=1)
    for _ in range(6):  # few, so that an answer may build each model to count its parameters
        side, classes, layers = int(rng.integers(2, 33)), int(rng.integers(2, 101)), int(rng.integers(1, 5))
        hidden = int(rng.integers(1, 60))
        spent, more = (_parameters(h, side, classes, layers) for h in (hidden, hidden + 1))
        for budget in (spent, int(rng.integers(spent, more)), more - 1):
            yield dict(budget=budget, side=side, classes=classes, layers=layers)


def _parameters(hidden: int, side: int, classes: int, layers: int) -> int:
    """Of a dense model with `layers` hidden layers of `hidden` units each."""
    weights = side**2 * hidden + (layers - 1) * hidden**2 + classes * hidden
    return weights + 2 * layers * hidden + classes


@hidden_units.recipe
def _(
    budget,
    side,
    classes=10,
    layers=1,
    power=2,
    between=lambda layers: layers - 1,
    normed=lambda layers: layers,
    norm=2,
    out=1,
    paid=1,
    over=0,
    fits=lambda spent, budget: spent <= budget,
):
    def spent(h):
        weights = side**power * h + between(layers) * h**2 + out * classes * h
        return weights + norm * normed(layers) * h + paid * classes

    hidden = 0
    while fits(spent(hidden + 1), budget):
        hidden += 1
    return hidden + over


hidden_units.slip("hidden_to_hidden_left_out", between=lambda layers: 0).says(
    "You left out the weights from one hidden layer to the next: h × h of them, for each layer after the first."
)
hidden_units.slip("one_square_too_many", between=lambda layers: layers).says(
    "You counted one h × h too many. The first hidden layer reads the pixels; only the layers after it read h units."
)
hidden_units.slip("one_square_whatever_the_layers", between=lambda layers: min(layers - 1, 1)).says(
    "You counted h × h once. There is one such matrix for each hidden layer after the first."
)
hidden_units.slip("normalised_once", normed=lambda layers: 1).says(
    "You counted the normalisation of one hidden layer. Every hidden layer has its own: a scale and a shift for each unit."
)
hidden_units.slip("layers_ignored", between=lambda layers: 0, normed=lambda layers: 1).says(
    "Your answer is the one for a single hidden layer, whatever `layers` says."
)
hidden_units.slip("bias_counted_too", norm=3).says(
    "You gave each hidden unit a bias as well. The normalisation's shift takes its place."
)
hidden_units.slip("normalisation_left_out", norm=0).says(
    "You left the normalisation out. It has two numbers for each hidden unit: a scale and a shift."
)
hidden_units.slip("one_bias_in_place_of_two", norm=1).says(
    "You counted one number of normalisation for each hidden unit. It has two: a scale and a shift."
)
hidden_units.slip("outgoing_weights_left_out", out=0).says(
    "You left out the weights from the last hidden units to the classes, one for each class."
)
hidden_units.wrong(
    "all_layers_read_the_pixels",
    lambda budget, side, classes=10, layers=1: (budget - classes) // (layers * (side**2 + 2) + classes),
).says("You let every hidden layer read the pixels. Only the first one does; the others read h units each.")
hidden_units.slip("class_biases_left_out", paid=0).says(
    "You left out the classes' biases. They are paid once, before anything is left for hidden units."
)
hidden_units.slip("side_not_squared", power=1).says(
    "An image of side `side` has side² pixels, and a unit of the first hidden layer has a weight for each."
)
hidden_units.slip("over_the_budget", over=1).says(
    "That is one unit too many: the model has more parameters than the budget allows. Stop before the first one that does not fit."
)
hidden_units.slip("exact_budget_refused", fits=lambda spent, budget: spent < budget).says(
    "One unit too few where the budget is spent to the last parameter. *At most* `budget` includes it: <=, not <."
)


@hidden_units.mistake("You returned a fraction of a unit, which cannot be built. Round down to a whole number.")
def fraction_of_a_unit(budget, side, classes=10, layers=1):
    square, each, left = layers - 1, side**2 + 2 * layers + classes, budget - classes
    return left / each if square == 0 else (math.sqrt(each**2 + 4 * square * left) - each) / (2 * square)


hidden_units.wrong(
    "ten_classes_always",
    lambda budget, side, classes=10, layers=1: hidden_units.reference(budget, side, 10, layers),
).says("You counted ten classes, whatever `classes` says.")
