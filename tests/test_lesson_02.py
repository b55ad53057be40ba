"""Lesson 02: right answers of other styles, wrong ones that have no name, the figures, the widget."""

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
    """Parameters of its own, and functions in place of layers."""

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


MODELS = {
    "functions": Functional,
    "residual": Residual,
    "the course's": lambda side: models.cnn(kernel=3, padding=1, side=side),
    "two kernels": lambda side: models.cnn(**({} if side == 28 else {"kernel": 3, "padding": 1}), side=side),
    "a class": Classic,
    "an object with __call__": Builder(),
    "few parameters": lambda size: models.cnn((1, 1), 3, 1, size),
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


def with_sgd(model, images, labels):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return torch.tensor([training_step(model, optimizer, images, labels) for _ in range(400)])


def in_small_batches(model, images, labels):
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=3e-3), []
    for _ in range(150):
        for rows in torch.randperm(len(images)).split(16):
            losses.append(training_step(model, optimizer, images[rows], labels[rows]))
    return np.array(losses)


training_step = check.training_step.reference


def by_search(budget, side, classes=10):
    h = 0
    while (h + 1) * (side * side) + 2 * (h + 1) + classes * (h + 1) + classes <= budget:
        h += 1
    return np.int64(h)


RIGHT = {
    "build_cnn": MODELS,
    "training_step": {"cleared by hand": cleared_by_hand, "cleared afterwards": cleared_afterwards},
    "accuracy": {"all at once": all_at_once, "image by image": image_by_image, "weighted mean": weighted_mean},
    "overfit": {"SGD, a tensor": with_sgd, "small batches, an array": in_small_batches},
    "hidden_units": {"search": by_search, "a lambda": lambda b, n, k: divmod(b - k, n * n + k + 2)[0]},
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


def spoilt(wrap):
    """A builder of a right model with `wrap` around it."""
    return lambda side: wrap(models.cnn(kernel=3, padding=1, side=side))


class Blind(Classic):
    def forward(self, x):
        return super().forward(x * 0)


class Pair(Classic):
    def forward(self, x):
        return super().forward(x), x


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


def eval_only_after_first_batch(model, batches):
    right = count = 0
    for images, labels in batches:
        right += int((model(images).argmax(1) == labels).sum())
        count += len(labels)
        model.eval()
    return right / count


def far_too_large_a_rate(model, images, labels):
    optimizer = torch.optim.AdamW(model.parameters(), lr=30.0)
    return [training_step(model, optimizer, images, labels) for _ in range(20)]


WRONG = {
    "build_cnn": {
        "a model, not its builder": (models.cnn(), None, "finished model"),
        "squeezed": (spoilt(lambda model: nn.Sequential(model, nn.Tanh())), "squeezed_scores"),
        "frozen": (spoilt(lambda model: model.requires_grad_(False)), "layer_left_out"),
        "too large": (
            spoilt(lambda model: nn.Sequential(model, nn.Linear(10, 5000), nn.Linear(5000, 10))),
            "too_many_parameters",
        ),
        "cut off": (spoilt(lambda model: nn.Sequential(*list(model)[:-2])), None),
        "a number": (spoilt(lambda model: 3), None),
        "another input": (spoilt(lambda model: nn.Linear(5, 5)), None),
        "blind": (Blind, None, "same scores"),
        "a pair": (Pair, None, "a tuple"),
    },
    "training_step": {
        "step first": (stops_between, "step_before_backward"),
        "two mistakes": (leaves_evaluation_mode_and_gradients, None),
    },
    "accuracy": {
        "eval after the first batch": (eval_only_after_first_batch, "dropout_live_in_evaluation"),
        "rounded": lambda model, batches: round(check.accuracy.reference(model, batches), 1),
    },
    "overfit": {
        "far too large a rate": (far_too_large_a_rate, "diverged"),
        "success only reported": (lambda model, images, labels: [2.3, 0.01], "another_model_trained"),
    },
    "hidden_units": {"four a unit": lambda budget, side, classes: (budget - classes) // (side**2 + classes + 4)},
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
    ax = scaling.plot_against_parameters({"a": [(100, [0.9, 0.92]), (10, [0.8])]}, goal=0.99)
    (line,) = [line for line in ax.lines if line.get_label() == "a"]
    assert list(line.get_xdata()) == [10, 100]
    heights = ax.transData.transform(np.column_stack([line.get_xdata(), line.get_ydata()]))[:, 1]
    assert heights[1] > heights[0]


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
    monkeypatch.setattr("utils.widgets.still.show", lambda widget, still, alt: shown.append((widget, alt)))
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
