"""Lesson 02: right answers of other styles, wrong ones that have no name, the figures, the widget."""

import copy
import itertools
import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from utils import models
from utils.checking import Status
from utils.checks import cnn_on_mnist as check
from utils.plotting import costs, curves, maps, runs, scaling
from utils.plotting.images import plot_maps_over
from utils.widgets import digit_canvas
from utils.widgets import mistake_browser as browser


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


# --- right answers in other styles ------------------------------------------------------------------------------


class Classic(nn.Module):
    def __init__(self, side):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3, padding="same")
        self.conv2 = nn.Conv2d(6, 16, 3, padding="same")
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(16 * (side // 4) ** 2, 10)

    def forward(self, x):
        x = F.max_pool2d(self.conv1(x).relu(), 2)
        x = F.max_pool2d(self.conv2(x).relu(), 2)
        return self.head(self.drop(x.view(len(x), -1)))


class Builder:
    def __call__(self, side):
        return nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2, padding=1),
            nn.GroupNorm(2, 8),
            nn.GELU(),
            nn.Conv2d(8, 8, 3, stride=2, padding=1),
            nn.Tanh(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(32, 10),
        )


class Functional(nn.Module):
    """Parameters of its own, and functions instead of layers."""

    def __init__(self, side):
        super().__init__()
        self.one, self.two = nn.Parameter(torch.randn(8, 1, 3, 3) / 3), nn.Parameter(torch.randn(12, 8, 3, 3) / 8)
        self.matrix = nn.Parameter(torch.randn(10, 12) / 4)

    def forward(self, x):
        batch, _, height, width = x.shape
        assert height == width
        x = torch.conv2d(2 * x - 1, self.one, padding=1).clamp(min=0)
        x = F.conv2d(F.pad(x, (1, 1, 1, 1)), self.two).relu_()
        return torch.einsum("bchw,kc->bk", x, self.matrix).reshape(batch, -1) / height


class Residual(nn.Module):
    """Batch norm, a sum in place around the second convolution, dropout of whole maps, a view."""

    def __init__(self, side):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True))
        self.second, self.drop = nn.utils.parametrizations.weight_norm(nn.Conv2d(8, 8, 3, padding=1)), nn.Dropout2d()
        self.register_buffer("mean", torch.tensor(0.13))
        self.head = nn.LazyLinear(10)
        self(torch.zeros(2, 1, side, side))

    def forward(self, x):
        x = self.first(x - self.mean)
        both = self.drop(F.leaky_relu(self.second(x), 0.1))
        both += x
        x = torch.cat([F.max_pool2d(both, 4), F.avg_pool2d(both, 4)], dim=1)
        return self.head(x.view(x.size(0), -1))


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1)


class Textbook(nn.Module):
    """Two rounds of convolution, `bend` and pooling, and a dense layer; what follows changes one thing of it."""

    def __init__(self, side, bend=torch.relu, spoil=lambda layer: layer):
        super().__init__()
        self.one, self.two, self.bend = spoil(convolution(1, 8)), spoil(convolution(8, 16)), bend
        self.dense = nn.Linear(16 * (side // 4) ** 2, 10)

    def forward(self, x):
        x = F.max_pool2d(self.bend(self.one(x)), 2)
        x = F.max_pool2d(self.bend(self.two(x)), 2)
        return self.dense(x.flatten(1))


class Resized(Textbook):
    def forward(self, x):
        return super().forward(F.interpolate(x, size=x.shape[-2:], mode="bicubic"))


class Parallel(nn.Module):
    """Both convolutions read the image."""

    def __init__(self, side):
        super().__init__()
        self.one, self.two = convolution(1, 8), nn.Conv2d(1, 8, 5, padding=2)
        self.dense = nn.Linear(16 * (side // 4) ** 2, 10)

    def forward(self, x):
        maps = torch.cat([self.one(x).relu(), self.two(x).relu()], dim=1)
        return self.dense(F.max_pool2d(maps, 4).flatten(1))


class Gated(nn.Module):
    def __init__(self, side):
        super().__init__()
        self.one, self.two = convolution(1, 8, 2), convolution(4, 16, 2)
        self.dense = nn.Linear(8 * (side // 4) ** 2, 10)

    def forward(self, x):
        return self.dense(F.glu(self.two(F.glu(self.one(x), 1)), 1).flatten(1))


class PreActivated(nn.Module):
    """A residual around norm, ReLU and the second convolution."""

    def __init__(self, side):
        super().__init__()
        self.one, self.norm, self.two = convolution(1, 8), nn.BatchNorm2d(8), convolution(8, 8)
        self.dense = nn.Linear(8 * (side // 4) ** 2, 10)

    def forward(self, x):
        x = self.one(x)
        x = x + self.two(self.norm(x).relu())
        return self.dense(F.max_pool2d(x.relu(), 4).flatten(1))


def pooled_alone(side):
    """A maximum bends too."""
    maps = convolution(1, 8), nn.MaxPool2d(2), convolution(8, 16), nn.MaxPool2d(2)
    return nn.Sequential(*maps, nn.Flatten(), nn.Linear(16 * (side // 4) ** 2, 10))


def begins_with_zeros(side):
    model = Textbook(side)
    nn.init.zeros_(model.dense.weight)
    return model


class Sized(nn.Module):
    """So many parameters in all; those that are not needed are added to the logits."""

    def __init__(self, side, parameters):
        super().__init__()
        self.model = Textbook(side)
        self.rest = nn.Parameter(torch.randn(parameters - sum(p.numel() for p in self.model.parameters())))

    def forward(self, x):
        return self.model(x) + self.rest.sum()


MODELS = {
    "functions": Functional,
    "residual": Residual,
    "the course's": lambda side: models.cnn(kernel=3, padding=1, side=side),
    "two kernels": lambda side: models.cnn(**({} if side == 28 else {"kernel": 3, "padding": 1}), side=side),
    "a class": Classic,
    "an object with __call__": Builder(),
    "few parameters": lambda size: models.cnn((1, 1), 3, 1, size),
    "as many as allowed": lambda side: Sized(side, 60_000),
    "AlexNet's normalisation": lambda side: Textbook(side, lambda x: F.local_response_norm(x, 3).relu()),
    "spectral normalisation": lambda side: Textbook(side, spoil=nn.utils.parametrizations.spectral_norm),
    "bicubic": Resized,
    "sigmoids": lambda side: Textbook(side, torch.sigmoid),
    "in parallel": Parallel,
    "gated": Gated,
    "norm first": PreActivated,
    "maxima alone": pooled_alone,
    "a last layer of zeros": begins_with_zeros,
    "by script": lambda side: torch.jit.script(models.cnn(kernel=3, padding=1, side=side)),
}


def cleared_by_hand(model, optimizer, images, labels):
    for p in model.parameters():
        p.grad = None
    model.train()
    value = -F.log_softmax(model(images), dim=-1)[range(len(labels)), labels].mean()
    value.backward()
    optimizer.step()
    return np.float32(value.item())


def cleared_afterwards(model, optimizer, images, labels):
    loss = nn.CrossEntropyLoss()(model.train()(images), labels)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=False)
    return loss.detach()


def by_a_closure(model, optimizer, images, labels):
    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        return loss

    model.train()
    return optimizer.step(closure).item()


def by_functions(model, optimizer, images, labels):
    def loss(weights):
        return F.cross_entropy(torch.func.functional_call(model, weights, (images,)), labels)

    model.train()
    gradients, value = torch.func.grad_and_value(loss)({name: p.detach() for name, p in model.named_parameters()})
    for name, p in model.named_parameters():
        p.grad = gradients[name]
    optimizer.step()
    return float(value)


def one_image_after_another(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    total = 0.0
    for image, label in zip(images, labels, strict=True):
        loss = F.cross_entropy(model(image[None]), label[None]) / len(labels)
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total


def all_at_once(model, batches):
    model.train(False)
    guesses, labels = zip(*[(model(x).max(1)[1], y) for x, y in batches], strict=True)
    return (torch.cat(guesses) == torch.cat(labels)).double().mean()


def image_by_image(model, batches):
    model.eval()
    pairs = [(int(np.argmax(model(x[None]).detach().numpy())), int(y)) for xs, ys in batches for x, y in zip(xs, ys)]  # noqa: B905
    return np.mean([guess == label for guess, label in pairs])


def weighted_mean(model, batches):
    model.eval()
    with torch.inference_mode():
        shares = [(model(x).softmax(1).argmax(1) == y).float().mean() for x, y in batches]
    return float(np.average(shares, weights=[len(y) for _, y in batches]))


def by_sklearn(model, batches):
    from sklearn.metrics import accuracy_score

    model.eval()
    return accuracy_score(torch.cat([y for _, y in batches]), torch.cat([model(x).argmax(1) for x, _ in batches]))


training_step = check.training_step.reference


def adam(model):
    return torch.optim.Adam(model.parameters(), lr=0.01)


def with_sgd(model, images, labels):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return torch.tensor([training_step(model, optimizer, images, labels) for _ in range(300)])


def in_another_order(model, images, labels):
    optimizer, losses = adam(model), []
    for _ in range(60):
        rows = torch.randperm(len(images))
        losses.append(training_step(model, optimizer, images[rows], labels[rows]))
    return np.array(losses)


def with_lbfgs(model, images, labels):
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=10)

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        return loss

    return [float(optimizer.step(closure)) for _ in range(12)]


def without_an_optimizer(model, images, labels):
    losses = []
    for _ in range(400):
        loss = F.cross_entropy(model(images), labels)
        losses.append(loss.item())
        for p, gradient in zip(model.parameters(), torch.autograd.grad(loss, [*model.parameters()]), strict=True):
            p.data -= 0.1 * gradient
    return losses


def looked_at_after_each_step(model, images, labels):
    optimizer, losses = adam(model), []
    while not losses or losses[-1] >= 0.05:
        training_step(model, optimizer, images, labels)
        with torch.no_grad():
            losses.append(F.cross_entropy(model(images), labels).item())
    return tuple(losses)


def gradients_added_up(model, images, labels):
    optimizer, losses = adam(model), []
    for _ in range(60):
        optimizer.zero_grad()
        parts = zip(images.split(16), labels.split(16), strict=True)
        values = [F.cross_entropy(model(some), theirs, reduction="sum") / len(labels) for some, theirs in parts]
        for value in values:
            value.backward()
        optimizer.step()
        losses.append(sum(value.item() for value in values))
    return losses


def layer_by_layer(model, images, labels):
    optimizer, losses = adam(model), []
    for _ in range(60):
        x = images
        for layer in model:
            x = layer(x)
        loss = F.cross_entropy(x, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def a_copy_brought_back(model, images, labels):
    trained = copy.deepcopy(model)
    losses = check.overfit.reference(trained, images, labels)
    model.load_state_dict(trained.state_dict())
    return losses


def in_double_precision(model, images, labels):
    return check.overfit.reference(model.double(), images.double(), labels)


def spent(h, side, classes, layers):
    sizes = [side * side, *[h] * layers]
    weights = sum(a * b for a, b in itertools.pairwise(sizes))
    return weights + 2 * h * layers + (h + 1) * classes


def by_search(budget, side, classes=10, layers=1):
    h = 0
    while spent(h + 1, side, classes, layers) <= budget:
        h += 1
    return np.int64(h)


def by_halving(budget, side, classes=10, layers=1):
    low, high = 0, budget
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if spent(middle, side, classes, layers) <= budget else (low, middle)
    return low


def by_building(budget, side, classes=10, layers=1):
    """Counts the parameters of real layers, on the device without memory."""
    for h in itertools.count(1):
        sizes = [side * side, *[h] * layers]
        parts = [nn.Linear(a, b, bias=False, device="meta") for a, b in itertools.pairwise(sizes)]
        parts += [nn.BatchNorm1d(h, device="meta") for _ in range(layers)] + [nn.Linear(h, classes, device="meta")]
        if sum(p.numel() for part in parts for p in part.parameters()) > budget:
            return h - 1


def by_the_root(budget, side, classes=10, layers=1):
    a, b, c = layers - 1, side**2 + 2 * layers + classes, classes - budget
    return math.floor(-c / b if a == 0 else (-b + math.sqrt(b * b - 4 * a * c)) / (2 * a))


RIGHT = {
    "build_cnn": MODELS,
    "training_step": {
        "cleared by hand": cleared_by_hand,
        "cleared afterwards": cleared_afterwards,
        "a closure": by_a_closure,
        "torch.func": by_functions,
        "one image after another": one_image_after_another,
    },
    "accuracy": {
        "all at once": all_at_once,
        "image by image": image_by_image,
        "weighted mean": weighted_mean,
        "scikit-learn": by_sklearn,
    },
    "overfit": {
        "SGD, a tensor": with_sgd,
        "another order at each step, an array": in_another_order,
        "LBFGS": with_lbfgs,
        "no optimizer": without_an_optimizer,
        "the loss after each step": looked_at_after_each_step,
        "gradients added up": gradients_added_up,
        "layer by layer": layer_by_layer,
        "a copy brought back": a_copy_brought_back,
        "float64": in_double_precision,
    },
    "hidden_units": {
        "search": by_search,
        "halving": by_halving,
        "real layers": by_building,
        "the root": by_the_root,
    },
}


# --- wrong answers that are not among the mistakes, or make one in another way ----------------------------------


def test_an_unfinished_forward_is_not_attempted():
    class Net(nn.Module):
        def __init__(self, side):
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 3)

        def forward(self, x):
            raise NotImplementedError

    assert check.build_cnn.judge(Net).status is Status.NOT_ATTEMPTED


def spoilt(*behind):
    """A builder of a right model with something behind it."""
    return lambda side: nn.Sequential(models.cnn(kernel=3, padding=1, side=side), *behind)


def halved_twice(*layers, head=lambda numbers: [nn.Linear(numbers, 10)]):
    """A builder of models with these layers, of which the last maps are 16 of a quarter of the side."""
    return lambda side: nn.Sequential(*layers, nn.Flatten(), *head(16 * (side // 4) ** 2))


class OfAConstant(Textbook):
    """The second convolution gets ones instead of the first one's maps, which go past it."""

    def forward(self, x):
        maps = F.max_pool2d(self.bend(self.one(x)), 2)
        beside = F.max_pool2d(self.bend(self.two(torch.ones_like(maps))), 2)
        return self.dense(beside.flatten(1) + maps.repeat(1, 2, 1, 1)[:, :, ::2, ::2].flatten(1))


class Blind(Classic):
    def forward(self, x):
        return super().forward(x * 0)


class Pair(Classic):
    def forward(self, x):
        return super().forward(x), x


class FirstFrozen(Textbook):
    def __init__(self, side):
        super().__init__(side)
        self.one.requires_grad_(False)


class FirstWithoutGradient(Textbook):
    def forward(self, x):
        with torch.no_grad():
            x = F.max_pool2d(self.one(x).relu(), 2)
        return self.dense(F.max_pool2d(self.two(x).relu(), 2).flatten(1))


class ViewedForOneSide(Textbook):
    def __init__(self, side):
        super().__init__(28)

    def forward(self, x):
        x = F.max_pool2d(self.two(F.max_pool2d(self.one(x).relu(), 2)).relu(), 2)
        return self.dense(x.view(-1, 16 * 7 * 7))


def flattened_whole(side):
    layers = [*check.build_cnn.reference(side)]
    layers[6] = nn.Flatten(0)
    return nn.Sequential(*layers)


BENT = "everything is linear"
LINEAR_SOMEWHERE = {
    "only pooled by the mean behind the second": halved_twice(
        convolution(1, 8), nn.ReLU(), nn.AvgPool2d(2), convolution(8, 16), nn.AvgPool2d(2)
    ),
    "one ReLU for both": halved_twice(convolution(1, 8, 2), convolution(8, 16, 2), nn.ReLU()),
    "only normalised between": halved_twice(
        convolution(1, 8, 2), nn.BatchNorm2d(8), convolution(8, 16, 2), nn.BatchNorm2d(16), nn.ReLU()
    ),
    "nothing behind the second": halved_twice(convolution(1, 8, 2), nn.ReLU(), convolution(8, 16, 2)),
    "bent behind the dense layer": halved_twice(
        *(convolution(1, 8, 2), nn.ReLU(), convolution(8, 16, 2)),
        head=lambda numbers: [nn.Linear(numbers, 20), nn.ReLU(), nn.Linear(20, 10)],
    ),
}


def stops_between(model, optimizer, images, labels):
    model.train()
    optimizer.step()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    return loss.item()


def leaves_evaluation_mode_and_gradients(model, optimizer, images, labels):
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


def training_mode_too_late(model, optimizer, images, labels):
    model.eval()
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    model.train()
    return loss.item()


def logits_detached(model, optimizer, images, labels):
    model.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images).detach(), labels).requires_grad_()
    loss.backward()
    optimizer.step()
    return loss.item()


def optimizer_made_again(model, optimizer, images, labels):
    return training_step(model, torch.optim.SGD(model.parameters(), lr=1.0), images, labels)


def stepped_with(change=lambda model: None, **options):
    """A right step, with other options of the loss, or with something done to the gradients."""

    def step(model, optimizer, images, labels):
        model.train()
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels, **options)
        loss.backward()
        change(model)
        optimizer.step()
        return loss.item()

    return step


def eval_only_after_first_batch(model, batches):
    right = count = 0
    for images, labels in batches:
        right += int((model(images).argmax(1) == labels).sum())
        count += len(labels)
        model.eval()
    return right / count


def counted_in_a_byte(model, batches):
    model.eval()
    right = torch.zeros((), dtype=torch.uint8)
    for images, labels in batches:
        right = right + (model(images).argmax(1) == labels).to(torch.uint8).sum(dtype=torch.uint8)
    return right.item() / sum(len(labels) for _, labels in batches)


accuracy = check.accuracy.reference


def in_batches_of(size):
    def train(model, images, labels):
        optimizer, losses = adam(model), []
        for _ in range(40):
            for rows in torch.randperm(len(images)).split(size):
                losses.append(training_step(model, optimizer, images[rows], labels[rows]))
        return losses

    return train


def trained_for(steps, rate=0.01, weights=nn.Module.parameters, **options):
    def train(model, images, labels):
        optimizer, losses = torch.optim.AdamW(weights(model), rate), []
        for _ in range(steps):
            loss = F.cross_entropy(model(images), labels, **options)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    return train


def given_back(keep):
    """A right training, of which another list is given back."""
    return lambda model, images, labels: keep(check.overfit.reference(model, images, labels))


def half_of_the_images(model, images, labels):
    half = len(images) // 2
    return check.overfit.reference(model, images[:half], labels[:half])


def images_alone_shuffled(model, images, labels):
    optimizer = adam(model)
    return [training_step(model, optimizer, images[torch.randperm(len(images))], labels) for _ in range(40)]


def never_steps(model, images, labels):
    return [F.cross_entropy(model(images), labels).item() for _ in range(5)]


def less_than_the_budget(budget, side, classes, layers):
    h = 0
    while spent(h + 1, side, classes, layers) < budget:
        h += 1
    return h


WRONG = {
    "build_cnn": {
        "a model, not its builder": (models.cnn(), None, "finished model"),
        "a convolution of a constant": (OfAConstant, "convolution_without_the_image"),
        "squeezed": (spoilt(nn.Tanh()), "squeezed_output"),
        "softplus": (spoilt(nn.Softplus()), "relu_at_the_end"),
        "log of a sigmoid": (spoilt(nn.LogSigmoid()), "relu_at_the_end"),
        "frozen": (lambda side: Textbook(side).requires_grad_(False), "frozen_weights"),
        "one layer frozen": (FirstFrozen, "frozen_weights"),
        "one layer under no_grad": (FirstWithoutGradient, "layer_left_out"),
        "too large": (spoilt(nn.Linear(10, 5000), nn.Linear(5000, 10)), "too_many_parameters"),
        "too large by one": (lambda side: Sized(side, 60_001), "too_many_parameters"),
        "viewed for one side": (ViewedForOneSide, "sized_for_one_side"),
        "flattened with the batch": (flattened_whole, "batch_mixed_up"),
        "dense": (lambda side: models.dense(8, side), "no_convolution"),
        "nine classes": (spoilt(nn.Linear(10, 9)), "", "expected (6, 10)"),
        "cut off": (lambda side: models.cnn(kernel=3, padding=1, side=side)[:-2], ""),
        "a number": (lambda side: 3, "", "Expected an nn.Module"),
        "another input": (lambda side: nn.Linear(5, 5), None),
        "blind": (Blind, "same_for_all"),
        "a pair": (Pair, "pair_returned"),
        **{what: (build, "one_nonlinearity", BENT) for what, build in LINEAR_SOMEWHERE.items()},
    },
    "training_step": {
        "step first": (stops_between, "step_before_backward"),
        "training mode too late": (training_mode_too_late, "left_in_evaluation_mode"),
        "logits detached": (logits_detached, "no_backward"),
        "an optimizer made again": (optimizer_made_again, "optimizer_of_its_own"),
        "nothing but the loss": (lambda model, _, images, labels: F.cross_entropy(model(images), labels), None),
        "clipped": stepped_with(lambda model: nn.utils.clip_grad_norm_(model.parameters(), 0.1)),
        "smoothed": stepped_with(label_smoothing=0.1),
        "the first image alone": lambda model, optimizer, x, y: training_step(model, optimizer, x[:1], y[:1]),
        "rounded": lambda *case: round(training_step(*case), 2),
        "in bits": lambda *case: training_step(*case) / math.log(2),
        "a string": lambda *case: str(training_step(*case)),
        "two mistakes": (leaves_evaluation_mode_and_gradients, None),
    },
    "accuracy": {
        "eval after the first batch": (eval_only_after_first_batch, "dropout_live_in_evaluation"),
        "counted in a byte": counted_in_a_byte,
        "rounded": lambda model, batches: round(accuracy(model, batches), 2),
        "the best batch": lambda model, batches: max(accuracy(model, [batch]) for batch in batches),
        "one for each batch": lambda model, batches: [accuracy(model, [batch]) for batch in batches],
        "the last batch dropped": lambda model, batches: accuracy(model, batches[:-1] or batches),
    },
    "overfit": {
        "far too large a rate": (trained_for(20, rate=30.0), "diverged"),
        "far too few steps": (trained_for(5), "stopped_too_early"),
        "the last layer alone": (trained_for(30, weights=lambda model: model[3].parameters()), "part_of_the_weights"),
        "success only reported": (lambda model, images, labels: [2.3, 0.01], "another_model_trained"),
        "no step": (never_steps, "another_model_trained"),
        "batches of 16": (in_batches_of(16), "small_batches"),
        "batches of 7": (in_batches_of(7), "small_batches"),
        "half of the images": (half_of_the_images, "part_of_the_inputs"),
        "images alone shuffled": (images_alone_shuffled, "", "Before step"),
        "smoothed labels": (trained_for(100, label_smoothing=0.1), "", "Before step"),
        "the sum": (trained_for(60, reduction="sum"), "losses_summed"),
        "some of the losses": (given_back(lambda losses: losses[::5]), "every_tenth_loss"),
        "backwards": given_back(lambda losses: losses[::-1]),
        "in bits": given_back(lambda losses: [loss / math.log(2) for loss in losses]),
        "rounded": given_back(lambda losses: [round(loss, 1) for loss in losses]),
        "too many": (given_back(lambda losses: [*losses, 0.0, 0.0]), "", "your list holds"),
        "none": (given_back(lambda losses: []), "every_tenth_loss"),
    },
    "hidden_units": {
        "half of it": lambda *case: check.hidden_units.reference(*case) // 2,
        "less than the budget": (less_than_the_budget, "exact_budget_refused"),
        "one too many": (lambda *case: check.hidden_units.reference(*case) + 1, "over_the_budget"),
        "all layers read the pixels": lambda b, side, classes, layers: by_search(b, side, classes, 1) // layers,
        "a list": lambda *case: [check.hidden_units.reference(*case)],
    },
}


def test_a_loop_without_end_is_reported():
    def endless(model, images, labels):
        while True:
            pass

    quick = check.overfit
    limit, quick.seconds = quick.seconds, 0.3
    try:
        assert "ran too long" in quick.judge(endless).summary
    finally:
        quick.seconds = limit


# --- figures ------------------------------------------------------------------------------------------------------


def test_losses_are_drawn_with_their_levels():
    ax = curves.plot_losses({"one": [3, 2], "two": [2.0, 1.0]}, {"ln 10": 2.3}, "title", log=True)
    assert ax.get_yscale() == "log"
    assert [line.get_label() for line in ax.lines][:2] == ["one", "two"]
    assert [text.get_text() for text in ax.texts] == ["ln 10"]


def test_a_model_of_nested_layers_is_taken_apart():
    model = nn.Sequential(models.dense(3, 2), nn.Sequential(nn.Linear(10, 2)))
    ax = costs.plot_parameters(model)
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "2. Linear",
        "3. BatchNorm1d",
        "5. Linear",
        "6. Linear",
    ]
    assert [bar.get_width() for bar in ax.patches] == [12, 6, 40, 22]


def test_runs_have_a_dot_for_each_seed():
    ax = runs.plot_runs({"three": [0.9, 0.8, 0.7], "one": [0.5]})
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in dots] == [3, 1]
    assert dots[0].get_xdata() == pytest.approx([90, 80, 70])
    assert [text.get_text() for text in ax.texts] == ["80.00", "50.00"]


def test_a_better_model_is_drawn_higher():
    sizes = [scaling.Size(100, [0.9, 0.92], "large"), scaling.Size(10, [0.8], "small", hollow=True)]
    ax = scaling.plot_against_parameters({"a": sizes}, goal=0.99, hollow="half a pass")
    (line,) = [line for line in ax.lines if line.get_label() == "a"]
    assert list(line.get_xdata()) == [10, 100]
    heights = ax.transData.transform(np.column_stack([line.get_xdata(), line.get_ydata()]))[:, 1]
    assert heights[1] > heights[0]
    assert {"small", "large"} <= {text.get_text() for text in ax.texts}
    assert "hollow: half a pass" in {text.get_text() for text in ax.get_legend().get_texts()}


def test_shifts_have_a_line_through_the_means_of_the_seeds():
    ax = curves.plot_by_shift({"a model": [[1.0, 0.5], [0.8, 0.3]]}, chance=0.1)
    (line,) = [line for line in ax.lines if line.get_label() == "a model"]
    assert list(line.get_ydata()) == pytest.approx([90, 40])
    assert [text.get_text() for text in ax.texts] == ["guessing"]


def test_maps_lie_over_the_pixels_that_they_see():
    """A unit of the first map sees pixels 0 and 1, so it is drawn from -0.5 to 1.5."""
    answers = torch.zeros(2, 3, 4, 4)
    panels = plot_maps_over(torch.rand(2, 1, 8, 8), answers, first=0.5, jump=2, titles=["a", "b", "c"])
    assert panels.shape == (2, 4)
    assert panels[0, 1].images[0].get_extent() == [-0.5, 7.5, 7.5, -0.5]
    assert [ax.get_title(loc="left") for ax in panels[0]] == ["the image", "a", "b", "c"]


def test_confusions_leave_right_answers_out():
    ax = maps.plot_confusion(torch.tensor([1, 1, 4, 4]), torch.tensor([1, 7, 9, 9]))
    assert {(text.get_position(), text.get_text()) for text in ax.texts} == {((7, 1), "1"), ((9, 4), "2")}


def test_digits_are_drawn_in_percent():
    ax = runs.plot_by_digit([0.5, 1.0])
    assert [bar.get_height() for bar in ax.patches] == [50, 100]


# --- the widget -------------------------------------------------------------------------------------------------------


def rows(*pairs):
    """Probabilities (N, 10) from (digit, its probability); the rest is shared by the others."""
    out = torch.zeros(len(pairs), 10)
    for row, (digit, p) in zip(out, pairs, strict=True):
        row.fill_((1 - p) / 9)[digit] = p
    return out


LABELS = torch.tensor([3, 5, 5, 7])
PROBABILITIES = rows((3, 0.9), (6, 0.6), (8, 0.8), (1, 0.7))  # the first is right


def test_the_most_confident_mistake_comes_first():
    assert browser.find_mistakes(LABELS, PROBABILITIES).tolist() == [2, 3, 1]
    assert browser.find_mistakes(LABELS[:1], PROBABILITIES[:1]).tolist() == []


def test_a_mistake_in_words():
    text = browser.describe(5, PROBABILITIES[2])
    assert text == "true digit 5 (probability 0.02), predicted 8 (probability 0.80)"


def test_a_mistake_as_a_picture():
    left, right = browser.draw(torch.rand(1, 8, 8), 5, PROBABILITIES[2]).axes
    assert left.get_title(loc="left") + left.get_title() == "is a 5, taken for a 8"
    assert {text.get_text() for text in right.texts} == {"true\n0.02", "predicted\n0.80"}
    assert [bar.get_height() for bar in right.patches] == pytest.approx(PROBABILITIES[2].tolist())


def test_the_browser_walks_through_the_mistakes(monkeypatch):
    shown = []
    monkeypatch.setattr("utils.widgets.still.show", lambda widget, still, alt, book: shown.append((widget, alt)))
    browser.mistake_browser(torch.rand(4, 1, 8, 8), LABELS, PROBABILITIES)
    ((widget, alt),) = shown
    (menu, slider), caption, canvas = widget.children[0].children, *widget.children[1:]
    assert "true digit 5" in alt and "all 3" in alt
    assert "1 of 3: true digit 5" in caption.value
    before = canvas.value
    slider.value = 2
    assert "2 of 3: true digit 7" in caption.value
    assert canvas.value != before
    menu.value = 5
    assert "1 of 2: true digit 5" in caption.value and "predicted 8" in caption.value
    slider.value = 2
    assert "2 of 2" in caption.value and "predicted 6" in caption.value
    menu.value = 7
    assert "1 of 1: true digit 7" in caption.value
    menu.value = -1
    assert "1 of 3" in caption.value


def test_no_mistakes_no_browser(capsys):
    browser.mistake_browser(torch.rand(1, 1, 8, 8), LABELS[:1], PROBABILITIES[:1])
    assert "all 1 images are right" in capsys.readouterr().out


# --- the canvas -------------------------------------------------------------------------------------------------------


def test_a_drawing_is_a_text_of_points():
    assert digit_canvas.strokes("8,6 20,6; 4.5,4 ") == [[(8, 6), (20, 6)], [(4.5, 4)]]
    assert digit_canvas.strokes("") == digit_canvas.strokes(" ; ") == []


@pytest.mark.parametrize("word", ["8", "8,x", "8,6,4", "-1,5", "5,29", "nan,3", "8,"])
def test_what_is_no_point_is_named(word):
    with pytest.raises(ValueError, match="is not a point"):
        digit_canvas.strokes(f"1,1 {word}")


def test_ink_lies_where_the_pen_was():
    image = digit_canvas.picture([[(5.5, 10.5), (20.5, 10.5)]])
    assert image.shape == (1, 1, 28, 28)
    assert image[0, 0, 10, 5:21].tolist() == [1.0] * 16
    assert image[0, 0, :7].sum() == image[0, 0, 15:].sum() == 0
    assert digit_canvas.picture([[(14.5, 14.5)]]).max() == 1  # a single point is a dot


def test_a_drawing_is_scaled_and_centred_as_in_mnist():
    """The box of 20 × 20 and the centre of mass in the middle, wherever and however small it was drawn."""
    for path in ("1,1 3,1 2,5", "20,10 27,10 22,27"):
        ink = digit_canvas.picture(digit_canvas.centred(digit_canvas.strokes(path)))[0, 0]
        rows = (ink.sum(1) > 0.3).nonzero()
        assert abs(int(rows.max() - rows.min()) + 1 - 20) <= 1
        middle = torch.arange(28) + 0.5
        assert float((ink.sum(0) * middle).sum() / ink.sum()) == pytest.approx(14, abs=0.3)
        assert float((ink.sum(1) * middle).sum() / ink.sum()) == pytest.approx(14, abs=0.3)


def test_a_small_picture_has_no_margin():
    image = digit_canvas.picture(digit_canvas.centred(digit_canvas.strokes("14,4 14,24")), side=8)
    assert image.shape == (1, 1, 8, 8)
    assert (image.sum(3) > 0.2).all()


def test_the_shipped_model_reads_digits_made_of_straight_lines():
    model = models.pretrained("mnist_cnn")
    drawn = {7: digit_canvas.SEVEN, 1: "14,5 14,23", 4: "10,5 9,15 20,15; 17,6 17,23"}
    drawn |= {3: "9,6 17,6 19,9 14,13 19,17 17,22 9,22", 8: "14,13 9,9 14,5 19,9 14,13 9,18 14,23 19,18 14,13"}
    read = {
        digit: int(
            digit_canvas.read(model, digit_canvas.picture(digit_canvas.centred(digit_canvas.strokes(path)))).argmax()
        )
        for digit, path in drawn.items()
    }
    assert read == {digit: digit for digit in drawn}


def test_what_the_model_reads_in_words():
    probabilities = rows((7, 0.91))[0]
    probabilities[2] = 0.05
    said = digit_canvas.describe(probabilities)
    assert said == "The model reads a 7 (probability 0.91). Its second choice is a 2 (0.05)."


def test_the_square_shows_what_is_typed_and_what_is_drawn_stays(monkeypatch):
    shown = []
    monkeypatch.setattr("utils.widgets.still.show", lambda widget, still, alt, book: shown.append((widget, alt)))
    digit_canvas.digit_canvas(models.cnn().eval())
    ((widget, alt),) = shown
    (area, right), field, (clear, fit), _ = (getattr(child, "children", child) for child in widget.children)
    said = right.children[0]
    assert "The model reads" in alt and "The model reads" in said.value
    assert "points='8,6 20,6 12,22'" in area.value
    before = area.value
    field.value = "5,5 9,9 "  # a space at the end: the mouse wrote it
    assert area.value == before
    field.value = "5,5 9,9; 3,3 4,4"
    assert "points='5,5 9,9'" in area.value and "points=' 3,3 4,4'" in area.value
    field.value = "5,5 x"
    assert "“x” is not a point" in said.value
    fit.value = False
    clear.click()
    assert "Draw a digit." in said.value and "9,9" not in area.value
