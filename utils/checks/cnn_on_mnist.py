"""Exercises of lesson 02: the model, one training step, evaluation, 64 images by heart, a dense baseline.

The first four answers build, train or measure a model, so they are asked through a function that runs beside them
and comes back with plain values: the steps of the model, its weights, numbers, what was called in which order.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from utils.checking import exercise, normal, uniform
from utils.checking.describe import number
from utils.checking.graph import Graph, Untraceable, trace
from utils.checking.plain import type_name

# --- 2.1 the model ----------------------------------------------------------------------------------------------

MAX_PARAMETERS = 60_000
IMAGES = 6


@exercise(
    lesson="02",
    points=3,
    hint="Follow the size of the maps, layer by layer, with lesson 01's formula. The dense layer takes channels × height × width numbers.",
)
def build_cnn(side):
    return _stack(side, nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1))


def _stack(side: int, first: nn.Module, second: nn.Module, activation=nn.ReLU, pool=nn.MaxPool2d) -> nn.Sequential:
    """A right answer where the defaults are kept, and the body of most wrong ones. `second` has 16 outputs."""
    maps = (first, activation(), pool(2), second, activation(), pool(2))
    return nn.Sequential(*maps, nn.Flatten(), nn.Linear(16 * (side // 4) ** 2, 10))


def _convolutions() -> tuple[nn.Conv2d, nn.Conv2d]:
    return nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1)


@build_cnn.cases
def _(rng):
    yield (28,)
    yield (8,)


@build_cnn.ask
def _(answer, side):
    """The steps and the weights of the model. What is reported in their place can only fail."""
    images = torch.rand(IMAGES, 1, side, side)
    if isinstance(answer, nn.Module):
        return {"instead": "a finished model: pass the function that builds it, or the class"}
    model = answer(side)
    if not isinstance(model, nn.Module):
        return None if model is None else {"instead": type_name(model)}
    if any(nn.parameter.is_lazy(p) for p in model.parameters()):
        return {"instead": "a model with lazy layers, whose parameters do not exist before its first batch"}
    try:
        scores = model(images)
    except RuntimeError as error:
        if isinstance(error, NotImplementedError):
            raise
        return {"error": f"{type(error).__name__}: {error}"}
    if not isinstance(scores, Tensor):
        return {"instead": f"a model whose output is {type_name(scores)}"}
    try:
        return {"model": trace(model, images), "without_gradient": _without_gradient(model, scores)}
    except Untraceable as error:
        return {"instead": str(error)}


def _without_gradient(model: nn.Module, scores: Tensor) -> list[str]:
    """Seen beside the model, since a record of its steps does not tell what ran under no_grad."""
    if scores.requires_grad:
        scores.square().sum().backward()
    return [name for name, p in model.named_parameters() if p.grad is None]


@build_cnn.measure
def _(sent, side):
    """Run the steps on other images than the answer saw, also with other weights."""
    if "instead" in sent or "error" in sent:
        return sent
    model = Graph(sent["model"])
    images = torch.rand(IMAGES, 1, side, side)
    facts = {
        "shape": list(model(model.weights, images).shape),
        "parameters": sum(weight.numel() for weight in model.weights.values()),
    }
    if facts["shape"] != [IMAGES, 10]:
        return facts
    gradients = model.gradients(model.weights, images)
    without = [name for name, grad in gradients.items() if grad is None or name in sent["without_gradient"]]
    if without:
        return facts | {"without_gradient": without}
    return {
        **facts,
        "convolutions": _count_convolutions(model, images),
        "without_effect": _without_effect(model, images),
        **_behaviour(model, images),
    }


def _count_convolutions(model: Graph, images: Tensor) -> int:
    """How many convolutions the scores rest on; those with the same kernels, or with kernels not to train, do not count."""
    leaves = {name: weight.clone().requires_grad_() for name, weight in model.weights.items()}
    kernels = set()
    for node in _behind(model(leaves, images).grad_fn):
        if node.name().startswith("ConvolutionBackward") and node._saved_weight.dim() == 4:
            kernel, _ = node.next_functions[1]
            kernels.add(frozenset(id(origin.variable) for origin in _behind(kernel) if hasattr(origin, "variable")))
    return len(kernels - {frozenset()})


def _behind(node) -> set:
    """Everything that autograd would go through, from this node back to the weights."""
    found, to_visit = set(), [node]
    while to_visit:
        node = to_visit.pop()
        if node is not None and node not in found:
            found.add(node)
            to_visit += [earlier for earlier, _ in node.next_functions]
    return found


DRAWS = 16  # a small layer of ReLUs may be silent for all images with some weights, but not with all of these


def _draw_again(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same weights, with kernels and matrices replaced by normal numbers of the usual size."""
    return {
        name: torch.randn_like(weight) * weight[0].numel() ** -0.5 if weight.dim() > 1 else weight
        for name, weight in weights.items()
    }


def _without_effect(model: Graph, images: Tensor) -> list[str]:
    """The weights that can be changed a little without any change of the scores."""
    silent = set(model.weights)
    for _ in range(DRAWS):
        gradients = model.gradients(_draw_again(model.weights), images)
        silent -= {name for name, grad in gradients.items() if grad is not None and grad.any()}
    return [name for name in model.weights if name in silent]


@torch.no_grad()
def _behaviour(model: Graph, images: Tensor) -> dict:
    others = torch.rand_like(images)
    scores, other_scores, again, black, both, half = (
        model(model.weights, given)
        for given in (images, others, images, 0 * images, images + others, torch.cat([images[:3], others[3:]]))
    )
    rows, columns = scores.exp().sum(1), scores.sum(0)
    extreme = torch.cat([model(_draw_again(model.weights), factor * images) for factor in (1e4, -1e4, 1e4, -1e4)])
    bent = both - scores - other_scores + black
    return {
        "repeatable": _close(scores, again),
        "independent": _close(half, torch.cat([scores[:3], other_scores[3:]])),
        "same_for_all": _close(scores, scores[:1].expand_as(scores), 1e-6),
        "sums": [scores.sum(1).sub(1).abs().max(), rows.sub(1).abs().max(), columns.sub(1).abs().max()],
        "lowest": extreme.min(),
        "highest": extreme.max(),
        "linear": _close(bent, torch.zeros_like(bent), 1e-5),
    }


def _close(one: Tensor, other: Tensor, atol: float = 1e-4) -> bool:
    return torch.allclose(one, other, rtol=1e-3, atol=atol)


def _sum_to_one(value: dict, which: int) -> bool:
    """Which: 0 the scores of an image, 1 their exponentials, 2 the scores of a class over the batch."""
    return "sums" in value and value["sums"][which] < 1e-3


@build_cnn.expect
def _(value, side):
    """The first thing that is wrong, in the order in which one would repair it."""
    if "instead" in value:
        return f"build_cnn({side}) gave {value['instead']}. Expected an nn.Module with ordinary layers."
    if "error" in value:
        return f"With images of shape ({IMAGES}, 1, {side}, {side}) the model raised {value['error']}"
    if value["shape"] != [IMAGES, 10]:
        return f"{IMAGES} images gave scores of shape {tuple(value['shape'])}, expected ({IMAGES}, 10)."
    if "without_gradient" in value:
        return f"The loss sends no gradient to {', '.join(value['without_gradient'])}."
    if value["convolutions"] != 2:
        return f"The scores rest on {value['convolutions']} convolutions with kernels of their own, expected 2."
    if not value["parameters"] <= MAX_PARAMETERS:
        return f"The model has {value['parameters']:,} parameters, expected at most {MAX_PARAMETERS:,}."
    if not value["repeatable"]:
        return "In evaluation mode the same images gave two different results."
    if any(_sum_to_one(value, which) for which in range(3)):
        return "The output is a softmax of the scores, expected the scores themselves."
    if not value["lowest"] < 0 or value["lowest"] == -1 and value["highest"] == 1:
        return (
            f"Whatever the image, the scores stay between {_range(value)}. Expected raw scores, of any size and sign."
        )
    if not value["independent"]:
        return "In evaluation mode the scores of an image change with the other images of its batch."
    if value["same_for_all"]:
        return f"All {IMAGES} images have the same scores."
    if value["linear"]:
        return "The scores are a linear function of the pixels: score(a + b) = score(a) + score(b) - score(0)."
    if value["without_effect"]:
        return f"The scores stay the same whatever {', '.join(value['without_effect'])} may be."
    return None


def _range(value: dict) -> str:
    return f"{number(float(value['lowest']))} and {number(float(value['highest']))}"


@build_cnn.mistake(
    "A softmax stands at the end. F.cross_entropy does that itself; twice, it flattens the gradient and the loss cannot fall below 1.46. Return the raw scores.",
    symptom=lambda value, side: _sum_to_one(value, 0) and value["lowest"] >= 0,
)
def softmax_at_the_end(side):
    return nn.Sequential(build_cnn.reference(side), nn.Softmax(1))


@build_cnn.mistake(
    "A log-softmax stands at the end. F.cross_entropy does that itself. Here the model returns the raw scores.",
    symptom=lambda value, side: _sum_to_one(value, 1),
)
def log_softmax_at_the_end(side):
    return nn.Sequential(build_cnn.reference(side), nn.LogSoftmax(1))


@build_cnn.mistake(
    "A softmax runs over the batch (dim=0), so that images compete with each other. Return the raw scores.",
    symptom=lambda value, side: _sum_to_one(value, 2),
)
def softmax_over_the_batch(side):
    return nn.Sequential(build_cnn.reference(side), nn.Softmax(0))


@build_cnn.mistake(
    "A ReLU stands after the last layer and cuts all negative scores off. The last layer is the dense one, with nothing behind it.",
    symptom=lambda value, side: value.get("lowest", -1) == 0 and value["highest"] > 1,
)
def relu_on_the_scores(side):
    return nn.Sequential(build_cnn.reference(side), nn.ReLU())


@build_cnn.mistake(
    "A sigmoid or tanh stands after the last layer and squeezes the scores. Return them as they are.",
    symptom=lambda value, side: value.get("highest") == 1 and value["lowest"] in (0, -1),
)
def squeezed_scores(side):
    return nn.Sequential(build_cnn.reference(side), nn.Sigmoid())


@build_cnn.mistake(
    "You returned the class in place of a model made from it. Call it: `return Net(side)`.",
    symptom=lambda value, side: value.get("instead", "").startswith("the class"),
)
def class_returned(side):
    return nn.Sequential


@build_cnn.mistake(
    "Lazy layers find their sizes when the first batch comes, which is after the optimizer asked for the parameters. Work the size out with lesson 01's formula.",
    symptom=lambda value, side: "lazy" in value.get("instead", ""),
)
def lazy_layer(side):
    return nn.Sequential(*list(build_cnn.reference(side))[:-1], nn.LazyLinear(10))


@build_cnn.mistake(
    "No convolution is among the model's layers. One that sits in a plain Python list, or is made inside `forward`, is not found by the optimizer either: use nn.Sequential, nn.ModuleList, or `self.conv = …` in `__init__`.",
    symptom=lambda value, side: value.get("convolutions") == 0,
)
def convolutions_in_a_list(side):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            whole = build_cnn.reference(side)
            self.features, self.head = list(whole)[:-1], whole[-1]

        def forward(self, x):
            for layer in self.features:
                x = layer(x)
            return self.head(x)

    return Net()


@build_cnn.mistake(
    "There is one convolution. The exercise asks for two, each with kernels of its own.",
    symptom=lambda value, side: value.get("convolutions") == 1,
)
def one_convolution(side):
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * (side // 2) ** 2, 10)
    )


@build_cnn.mistake(
    "There are more than two convolutions. The question of this lesson is what two can do.",
    symptom=lambda value, side: value.get("convolutions", 0) > 2,
)
def three_convolutions(side):
    first, second = _convolutions()
    return _stack(side, nn.Sequential(first, nn.Conv2d(8, 8, 1)), second)


@build_cnn.mistake(
    "Nothing bends between the layers: stacked linear maps are one linear map. Put a ReLU (or a max pooling) after each convolution.",
    symptom=lambda value, side: bool(value.get("linear")),
)
def no_nonlinearity(side):
    return _stack(side, *_convolutions(), activation=nn.Identity, pool=nn.AvgPool2d)


@build_cnn.mistake(
    "The dense layer expects another number of values than the last maps hold. Work that number out from `side`: channels × height × width after both convolutions and poolings.",
    symptom=lambda value, side: "mat1 and mat2" in value.get("error", ""),
)
def sized_for_one_side(side):
    return build_cnn.reference(28)


@build_cnn.mistake(
    "Two neighbouring layers disagree about the number of channels: what one gives, the next one (a normalisation too) must take. The image itself has one channel.",
    symptom=lambda value, side: any(word in value.get("error", "") for word in ("channels", "running_mean")),
)
def channels_do_not_fit(side):
    return _stack(side, nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(6, 16, 3, padding=1))


@build_cnn.mistake(
    "The maps shrink until nothing is left. Use padding, or a smaller kernel where the side is small.",
    symptom=lambda value, side: any(word in value.get("error", "") for word in ("Kernel size", "too small")),
)
def nothing_left_of_the_maps(side):
    left = max((side - 4) // 2 - 4, 2) // 2
    maps = nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 5), nn.ReLU(), nn.MaxPool2d(2)
    return nn.Sequential(*maps, nn.Flatten(), nn.Linear(16 * left**2, 10))


@build_cnn.mistake(
    "The first dimension is no longer the batch: numbers of one image were counted as several images, or all images as one. Use nn.Flatten(), or x.flatten(1), which leaves dimension 0 alone.",
    symptom=lambda value, side: len(value.get("shape", [])) == 2 and value["shape"][0] != IMAGES,
)
def batch_mixed_up(side):
    maps = list(build_cnn.reference(side))[:6]
    return nn.Sequential(*maps, nn.Flatten(0), nn.Unflatten(0, (-1, 16)), nn.Linear(16, 10))


@build_cnn.mistake(
    "The model returns one class for each image. Return all ten scores: argmax has no gradient, and it belongs to evaluation.",
    symptom=lambda value, side: value.get("shape") == [IMAGES],
)
def argmax_in_the_model(side):
    class Net(nn.Sequential):
        def forward(self, x):
            return super().forward(x).argmax(1)

    return Net(*build_cnn.reference(side))


@build_cnn.mistake(
    "The dense layers hold too much. Let pooling shrink the maps first, use fewer channels, and let one dense layer make the ten scores.",
    symptom=lambda value, side: value.get("parameters", 0) > MAX_PARAMETERS,
)
def too_many_parameters(side):
    whole = build_cnn.reference(side)
    whole[-1] = nn.Linear(whole[-1].in_features, 1024)
    return nn.Sequential(*whole, nn.ReLU(), nn.Linear(1024, 10))


@build_cnn.mistake(
    "A part of the model takes no part in the result: a layer that `forward` leaves out, or something (detach, no_grad, requires_grad=False) that stops the gradient.",
    symptom=lambda value, side: bool(value.get("without_gradient")),
)
def layer_left_out(side):
    class Net(nn.Sequential):
        def forward(self, x):
            *maps, dense = self
            return dense(nn.Sequential(*maps)(x).detach())

    return Net(*build_cnn.reference(side))


@build_cnn.mistake(
    "Dropout stays on in evaluation. F.dropout does that unless you pass training=self.training; nn.Dropout knows by itself.",
    symptom=lambda value, side: value.get("repeatable") is False,
)
def dropout_never_off(side):
    class Net(nn.Sequential):
        def forward(self, x):
            *maps, dense = self
            return dense(F.dropout(nn.Sequential(*maps)(x), 0.5))

    return Net(*build_cnn.reference(side))


@build_cnn.mistake(
    "In evaluation an image is normalised with the batch that it happens to be in. Let nn.BatchNorm2d keep its running statistics, and leave its mode alone.",
    symptom=lambda value, side: value.get("independent") is False,
)
def normalised_by_its_batch(side):
    whole = list(build_cnn.reference(side))
    return nn.Sequential(whole[0], nn.BatchNorm2d(8, track_running_stats=False), *whole[1:])


# --- a model that keeps a diary -----------------------------------------------------------------------------------


class Watched(nn.Module):
    """One dense layer (classes, pixels) without bias, after dropout. Notes in which mode it was asked."""

    def __init__(self, weight: Tensor, dropout: float = 0.0):
        super().__init__()
        self.weight, self.dropout = nn.Parameter(weight.clone()), dropout
        self.modes: list[bool] = []

    def forward(self, images: Tensor) -> Tensor:
        self.modes.append(self.training)
        return F.dropout(images.flatten(1), self.dropout, self.training) @ self.weight.T


# --- 2.2 one training step ----------------------------------------------------------------------------------------


@exercise(
    lesson="02",
    points=2,
    hint="Training mode, clear the gradients, forward, loss, backward, step. Then hand the loss out as a plain number.",
)
def training_step(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


@training_step.cases
def _(rng):
    sgd = {"SGD with learning rate": 1.0}
    yield {"weight": torch.zeros(2, 1)}, sgd, torch.ones(1, 1, 1, 1), torch.tensor([1])
    for _ in range(6):
        classes, count, height, width = (int(rng.integers(2, 5)) for _ in range(4))
        labels = torch.from_numpy(rng.integers(0, classes, count))
        yield {"weight": normal(rng, classes, height * width)}, sgd, uniform(rng, count, 1, height, width), labels


@training_step.ask
def _(answer, model, optimizer, images, labels):
    """Two steps on the same batch, with the model put into evaluation mode between them, as a validation would."""
    watched, order = Watched(model["weight"]), []
    sgd = torch.optim.SGD(watched.parameters(), lr=optimizer["SGD with learning rate"])
    watched.weight.register_hook(lambda gradient: order.append("backward"))
    sgd.register_step_pre_hook(lambda *_: order.append("step"))
    losses = []
    for _ in range(2):
        losses.append(answer(watched, sgd, images, labels))
        watched.eval()
    if losses[0] is None:
        return None
    return {
        "loss before each step": losses,
        "weight after two steps": watched.weight,
        "called": order,
        "in training mode": all(watched.modes),
        "graph kept": any(isinstance(loss, Tensor) and loss.requires_grad for loss in losses),
    }


@training_step.mistake(
    "The gradients were not cleared, so the second step went along the sum of both gradients. Call optimizer.zero_grad() before backward."
)
def no_zero_grad(model, optimizer, images, labels):
    model.train()
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


def _step(model, optimizer, loss: Tensor) -> float:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@training_step.mistake(
    "You took a softmax before F.cross_entropy, which takes one itself. Hand it the raw scores; with both, the loss can never come near 0."
)
def softmax_before_cross_entropy(model, optimizer, images, labels):
    return _step(model.train(), optimizer, F.cross_entropy(model(images).softmax(1), labels))


@training_step.mistake(
    "F.nll_loss expects log-probabilities, and you gave it raw scores. F.cross_entropy does both: log-softmax, then that."
)
def nll_of_raw_scores(model, optimizer, images, labels):
    return _step(model.train(), optimizer, F.nll_loss(model(images), labels))


@training_step.mistake(
    "The losses of the images were summed. Take their mean, as F.cross_entropy does by default, so that the step does not grow with the batch."
)
def summed_loss(model, optimizer, images, labels):
    return _step(model.train(), optimizer, F.cross_entropy(model(images), labels, reduction="sum"))


@training_step.mistake(
    "This is the squared error to one-hot labels. The exercise asks for the cross-entropy of the raw scores."
)
def squared_error(model, optimizer, images, labels):
    scores = model.train()(images)
    return _step(model, optimizer, F.mse_loss(scores, F.one_hot(labels, scores.shape[1]).float()))


@training_step.mistake("The gradients were computed and never used: optimizer.step() is missing.")
def no_optimizer_step(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    return loss.item()


@training_step.mistake("No gradient was computed: loss.backward() is missing, so the step had nothing to go along.")
def no_backward(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images), labels)
    optimizer.step()
    return loss.item()


@training_step.mistake(
    "You cleared the gradients between backward and step, so the step had nothing to go along. Clear them before backward."
)
def cleared_before_the_step(model, optimizer, images, labels):
    model.train()
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


@training_step.mistake(
    "optimizer.step() came before loss.backward(). First compute the gradients, then go along them.",
    symptom=lambda value, *case: value["called"][:1] == ["step"] and "backward" in value["called"],
)
def step_before_backward(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images), labels)
    optimizer.step()
    loss.backward()
    return loss.item()


@training_step.mistake(
    "The weights moved, and not by the optimizer that you were given. One made anew in each step forgets what it knew (momentum, for example).",
    symptom=lambda value, model, *case: (
        "step" not in value["called"] and not torch.equal(value["weight after two steps"], model["weight"])
    ),
)
def optimizer_of_its_own(model, optimizer, images, labels):
    return _step(model.train(), torch.optim.AdamW(model.parameters()), F.cross_entropy(model(images), labels))


@training_step.mistake(
    "The model was left in evaluation mode, where an earlier cell had put it: dropout is off and normalisation learns nothing. Begin with model.train().",
    symptom=lambda value, *case: not value["in training mode"],
)
def left_in_evaluation_mode(model, optimizer, images, labels):
    return _step(model, optimizer, F.cross_entropy(model(images), labels))


@training_step.mistake(
    "You returned the loss as a tensor that still holds the graph behind it. A list of those fills the memory: return loss.item().",
    symptom=lambda value, *case: value["graph kept"],
)
def graph_returned(model, optimizer, images, labels):
    loss = F.cross_entropy(model.train()(images), labels)
    _step(model, optimizer, loss)
    return loss


@training_step.mistake("You returned the loss after the step. Return the one that you computed before it: it is free.")
def loss_after_the_step(model, optimizer, images, labels):
    training_step.reference(model, optimizer, images, labels)
    return F.cross_entropy(model(images), labels).item()


# --- 2.3 accuracy ---------------------------------------------------------------------------------------------------


@exercise(
    lesson="02",
    points=2,
    hint="Evaluation mode first. Count the images that are right and the images that there are, over all batches; divide once, at the end.",
)
def accuracy(model, batches):
    right, count = _count(model.eval(), batches)
    return right / count


@torch.no_grad()
def _count(model, batches) -> tuple[int, int]:
    right = sum(int((model(images).argmax(1) == labels).sum()) for images, labels in batches)
    return right, sum(len(labels) for _, labels in batches)


@accuracy.cases
def _(rng):
    model = {"weight": torch.tensor([[1.0], [-1.0]])}  # reads every bright pixel as class 0
    yield model, [_batch([2.0, 1.0], [0, 1])]
    yield model, [_batch([2.0, 1.0], [0, 0]), _batch([3.0], [1])]
    for _ in range(8):
        classes, height, width = (int(rng.integers(2, 5)) for _ in range(3))
        model = {"weight": normal(rng, classes, height * width)}
        size = int(rng.integers(4, 8))
        batches = [_labelled(rng, model, n, (1, height, width)) for n in (size, size, int(rng.integers(1, 3)))]
        yield model, batches


def _batch(pixels: list[float], labels: list[int]) -> dict[str, Tensor]:
    """Images of one pixel each."""
    return {"images": torch.tensor(pixels).reshape(-1, 1, 1, 1), "labels": torch.tensor(labels)}


def _labelled(rng, model: dict, count: int, shape: tuple) -> dict[str, Tensor]:
    """A batch of which this model has about two thirds right."""
    images = normal(rng, count, *shape)
    best, classes = (images.flatten(1) @ model["weight"].T).argmax(1), len(model["weight"])
    wrong = torch.from_numpy(rng.random(count) < 1 / 3)
    return {"images": images, "labels": torch.where(wrong, (best + 1) % classes, best)}


@accuracy.ask
def _(answer, model, batches):
    """The model comes in training mode, with dropout in it, as it is after a training step."""
    watched = Watched(model["weight"], dropout=0.5)
    value = answer(watched, [(batch["images"], batch["labels"]) for batch in batches])
    return None if value is None else {"accuracy": value, "in evaluation mode": not any(watched.modes)}


@accuracy.mistake(
    "You took the mean over the batches. The last one is smaller, so its images counted for more: add up the right ones and divide once."
)
def mean_over_batches(model, batches):
    rights = [_count(model.eval(), [batch]) for batch in batches]
    return sum(right / count for right, count in rights) / len(rights)


@accuracy.mistake(
    "Dropout was on while you measured: the model was in training mode. Call model.eval() before the first batch.",
    symptom=lambda value, *case: not value["in evaluation mode"],
)
def dropout_live_in_evaluation(model, batches):
    right, count = _count(model, batches)
    return right / count


@accuracy.mistake(
    "argmax went over the images (dim 0). The scores have the shape (N, classes); the largest of each row counts: argmax(1)."
)
def argmax_over_the_images(model, batches):
    model.eval()
    rights = [(model(images).argmax(0) == labels).float().sum().item() for images, labels in batches]
    return sum(rights) / sum(len(labels) for _, labels in batches)


@accuracy.mistake("You returned the number of right images. Divide it by the number of all images.")
def count_in_place_of_a_share(model, batches):
    return _count(model.eval(), batches)[0]


@accuracy.mistake("You returned percent. Return a share between 0 and 1.")
def percent(model, batches):
    return 100 * accuracy.reference(model, batches)


@accuracy.mistake("You returned the share of wrong images, the error. Accuracy is the share of right ones.")
def error_in_place_of_accuracy(model, batches):
    return 1 - accuracy.reference(model, batches)


@accuracy.mistake("Only the last batch counted. Add up over all batches: the sums begin before the loop.")
def last_batch_only(model, batches):
    return accuracy.reference(model, batches[-1:])


@accuracy.mistake("Only the first batch counted: a `return` inside the loop ends it there.")
def first_batch_only(model, batches):
    return accuracy.reference(model, batches[:1])


@accuracy.mistake(
    "You took every batch to be as large as the first. The last one is smaller: count the labels of each."
)
def batches_taken_as_equal(model, batches):
    right, _ = _count(model.eval(), batches)
    return right / (len(batches) * len(batches[0][1]))


@accuracy.mistake("You divided by the number of batches. Divide by the number of images.")
def divided_by_batches(model, batches):
    return _count(model.eval(), batches)[0] / len(batches)


@accuracy.mistake("You rounded the share down to a whole number. Divide with /, not with //.")
def divided_to_a_whole_number(model, batches):
    right, count = _count(model.eval(), batches)
    return right // count


@accuracy.mistake(
    "You compared the largest score with the label. Compare *where* it stands: argmax(1), or the second value of max(1)."
)
def score_compared_with_label(model, batches):
    model.eval()
    right = sum(int((model(images).amax(1) == labels).sum()) for images, labels in batches)
    return right / sum(len(labels) for _, labels in batches)


# --- 2.4 overfit 64 images ------------------------------------------------------------------------------------------

BY_HEART = 0.05  # mean loss in nats


@exercise(
    lesson="02",
    points=2,
    hint="One optimizer, made once. Repeat the training step on the same batch, keep each loss, stop when it is below 0.05.",
)
def overfit(model, images, labels):
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    losses = []
    while not losses or losses[-1] > BY_HEART / 5 and len(losses) < 500:
        losses.append(training_step.reference(model, optimizer, images, labels))
    return losses


@overfit.cases
def _(rng):
    """Images of noise with random labels: nothing helps here but learning them by heart."""
    for count in (8, 64):
        model = {"hidden units": 128, "weights": _start(rng, 64, 128)}
        yield model, normal(rng, count, 1, 8, 8), torch.from_numpy(rng.integers(0, 10, count))


def _net(pixels: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(pixels, hidden), nn.ReLU(), nn.Linear(hidden, 10))


def _start(rng, pixels: int, hidden: int) -> Tensor:
    """Weights as torch would draw them, in one row."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int(rng.integers(2**31)))
        return parameters_to_vector(_net(pixels, hidden).parameters()).detach()


@overfit.ask
def _(answer, model, images, labels):
    net = _net(images[0].numel(), model["hidden units"])
    vector_to_parameters(model["weights"].clone(), net.parameters())
    losses = answer(net, images, labels)
    return None if losses is None else {"weights": parameters_to_vector(net.parameters())} | _reported(losses)


def _reported(losses) -> dict:
    """The returned losses, none if they come in no list, and what they came in."""
    if isinstance(losses, Tensor | np.ndarray) and losses.ndim == 1:
        losses = list(losses)
    if not isinstance(losses, list | tuple):
        return {"losses": torch.zeros(0), "kind": type_name(losses)}
    graphs = any(isinstance(loss, Tensor) and loss.requires_grad for loss in losses)
    kind = "losses with their graphs" if graphs else f"a list of {len(losses)}"
    values = [float(loss.detach() if isinstance(loss, Tensor) else loss) for loss in losses]
    return {"losses": torch.tensor(values, dtype=torch.float64), "kind": kind}


@overfit.measure
@torch.no_grad()
def _(sent, model, images, labels):
    """The losses before and after, of the weights that came back."""
    net, weights = _net(images[0].numel(), model["hidden units"]), sent["weights"].to(model["weights"])
    vector_to_parameters(model["weights"], net.parameters())
    before = F.cross_entropy(net(images), labels)
    vector_to_parameters(weights, net.parameters())
    scores = net(images)
    return {
        "before": before,
        "after": F.cross_entropy(scores, labels),
        "softmax twice": F.cross_entropy(scores.softmax(1), labels),
        "changed": not torch.equal(weights, model["weights"]),
        "last": sent["losses"][-1:].tolist(),
        "highest": max(sent["losses"].tolist(), default=0.0),
        "kind": sent["kind"],
    }


@overfit.expect
def _(value, model, images, labels):
    if not value["changed"]:
        return "The model's weights are what they were before."
    if not _known(value):
        return (
            f"The mean loss of these {len(images)} images went from {number(float(value['before']))} "
            f"to {number(float(value['after']))}. Expected less than {BY_HEART}."
        )
    if value["kind"] == "losses with their graphs":
        return "The list holds tensors that require a gradient. Expected numbers."
    if not value["last"] or value["kind"] == "a list of 1":
        return f"Expected a list with the loss of each step, got {value['kind']}."
    if not value["last"][0] < 2 * BY_HEART:
        return (
            f"The last loss in your list is {number(value['last'][0])}, "
            f"and the true one of these images is {number(float(value['after']))}."
        )
    return None


def _descend(model, images, labels, steps: int = 200, lr: float = 0.01, loss=F.cross_entropy) -> list[float]:
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    return [_step(model, optimizer, loss(model(images), labels)) for _ in range(steps)]


def _looks_learned(value: dict) -> bool:
    """Whether the list ends with a loss so small that one would think the images are known."""
    return bool(value["last"]) and 0 <= value["last"][0] < BY_HEART


def _known(value: dict) -> bool:
    return bool(value["after"] < BY_HEART)


@overfit.mistake(
    "The weights of the model that you were given did not move. Either you trained a copy or a new model, or backward or step is missing.",
    symptom=lambda value, *case: not value["changed"],
)
def another_model_trained(model, images, labels):
    copy = nn.Sequential(nn.Flatten(), nn.Linear(images[0].numel(), 128), nn.ReLU(), nn.Linear(128, 10))
    return _descend(copy, images, labels)


@overfit.mistake(
    "The loss in your list is small and the true one is not: images and labels did not belong together. Shuffle both with the same indices, or none.",
    symptom=lambda value, *case: _looks_learned(value) and bool(value["after"] > value["before"]),
)
def pairs_torn_apart(model, images, labels):
    return _descend(model, images, labels.roll(1))


@overfit.mistake(
    "You learned a part of the images by heart and left others out. Every step, or every pass, takes all of them.",
    symptom=lambda value, *case: _looks_learned(value) and not _known(value),
)
def part_of_the_images(model, images, labels):
    most = len(images) * 3 // 4
    return _descend(model, images[:most], labels[:most], steps=40)


@overfit.mistake(
    "You took a softmax before F.cross_entropy: the loss in your list cannot fall below 1.46, however well the images are known.",
    symptom=lambda value, *case: (
        bool(value["last"])
        and abs(value["last"][0] - value["softmax twice"]) < 0.05
        and abs(value["last"][0] - value["after"]) > 0.3
    ),
)
def softmax_while_overfitting(model, images, labels):
    return _descend(model, images, labels, steps=300, loss=lambda scores, y: F.cross_entropy(scores.softmax(1), y))


@overfit.mistake(
    "The loss went up, or is no number any more. Either the learning rate is far too large, or the step goes uphill.",
    symptom=lambda value, *case: not value["after"] <= value["before"] or value["highest"] > 2 * value["before"],
)
def diverged(model, images, labels):
    return _descend(model, images, labels, steps=20, loss=lambda scores, y: -F.cross_entropy(scores, y))


@overfit.mistake(
    "The loss has hardly moved. Make the learning rate larger (AdamW: try 0.01), then take more steps.",
    symptom=lambda value, *case: bool(value["after"] >= 0.8 * value["before"]),
)
def steps_too_small(model, images, labels):
    return _descend(model, images, labels, steps=20, lr=1e-5)


@overfit.mistake(
    "The loss was falling when you stopped. Take more steps: end the loop when the loss is small, not after a few rounds.",
    symptom=lambda value, *case: not _known(value),
)
def stopped_too_early(model, images, labels):
    return _descend(model, images, labels, steps=8)


@overfit.mistake(
    "Keep the loss of each step: `losses.append(loss.item())`, and return the list. You will plot it.",
    symptom=lambda value, *case: (
        _known(value) and value["kind"] in ("a number", "a tensor", "a list of 0", "a list of 1")
    ),
)
def last_loss_only(model, images, labels):
    return _descend(model, images, labels)[-1]


@overfit.mistake(
    "Your list holds tensors, and each keeps its whole graph in memory. Append loss.item().",
    symptom=lambda value, *case: _known(value) and value["kind"] == "losses with their graphs",
)
def losses_with_graphs(model, images, labels):
    losses = _descend(model, images, labels)
    return [*losses[:-1], F.cross_entropy(model(images), labels)]


# --- 2.5 a dense baseline of the same size --------------------------------------------------------------------------


@exercise(
    lesson="02",
    points=1,
    hint="What does one more hidden unit cost? Its weights from the pixels, two numbers of normalisation, its weights to the classes. The classes' biases are paid once.",
)
def hidden_units(budget, side, classes=10):
    return (budget - classes) // (side**2 + 2 + classes)


@hidden_units.cases
def _(rng):
    yield 20, 2, 2
    yield 35, 3, 1
    yield 27_418, 28, 10
    yield 9_114, 8, 10
    for _ in range(20):
        side, classes = int(rng.integers(2, 33)), int(rng.integers(2, 101))
        hidden, spare = int(rng.integers(1, 300)), rng.random()
        unit = side**2 + 2 + classes
        yield hidden * unit + classes + int(spare * unit), side, classes


@hidden_units.mistake("You gave each hidden unit a bias as well. The normalisation's shift stands in for it.")
def bias_counted_too(budget, side, classes=10):
    return (budget - classes) // (side**2 + 3 + classes)


@hidden_units.mistake("You left the normalisation out. It has two numbers for each hidden unit: a scale and a shift.")
def normalisation_left_out(budget, side, classes=10):
    return (budget - classes) // (side**2 + classes)


@hidden_units.mistake("You counted one number of normalisation for each hidden unit. It has two: a scale and a shift.")
def one_bias_in_place_of_two(budget, side, classes=10):
    return (budget - classes) // (side**2 + 1 + classes)


@hidden_units.mistake("You left out the weights from a hidden unit to the classes, one for each class.")
def outgoing_weights_left_out(budget, side, classes=10):
    return (budget - classes) // (side**2 + 2)


@hidden_units.mistake("You left out the classes' biases. They are paid once, before anything is left for hidden units.")
def class_biases_left_out(budget, side, classes=10):
    return budget // (side**2 + 2 + classes)


@hidden_units.mistake("An image of side `side` has side² pixels, and a hidden unit has a weight for each.")
def side_not_squared(budget, side, classes=10):
    return (budget - classes) // (side + 2 + classes)


@hidden_units.mistake("A fraction of a unit cannot be built. Round down: // in place of /.")
def fraction_of_a_unit(budget, side, classes=10):
    return (budget - classes) / (side**2 + 2 + classes)


@hidden_units.mistake("You rounded up, and the model is larger than the budget. Round down.")
def over_the_budget(budget, side, classes=10):
    return math.ceil((budget - classes) / (side**2 + 2 + classes))


@hidden_units.mistake(
    "You rounded to the nearest whole number, which is at times one unit over the budget. Round down."
)
def rounded_to_the_nearest(budget, side, classes=10):
    return round((budget - classes) / (side**2 + 2 + classes))


@hidden_units.mistake("You counted ten classes, whatever `classes` says.")
def ten_classes_always(budget, side, classes=10):
    return hidden_units.reference(budget, side, 10)
