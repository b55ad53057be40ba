"""The convolutional network of lesson 02, trained for longer."""

from typing import Any

import torch
from torch import Tensor, nn

from tools.train_weights.trainer import Training
from utils.data import MNIST, Images
from utils.models import cnn
from utils.modes import evaluation_mode


class CNNTraining(Training[nn.Sequential]):
    """`cnn()` on MNIST as lesson 02 trains it, with label smoothing (Szegedy et al. 2016), in a new order each pass."""

    unit = "accuracy"
    counted = "images"
    method = "AdamW (betas 0.9 and 0.95), label smoothing 0.1, no augmentation; the images in a new order each pass"
    how = "The share of the 5,000 validation images, the last of the training set, that are told right."
    clip = None

    def __init__(
        self,
        images: Images,
        *,
        epochs: int = 8,
        lr: float = 0.01,
        weight_decay: float = 0.05,
        batch: int = 128,
        seed: int = 0,
    ):
        self.recipe = dict(epochs=epochs, lr=lr, weight_decay=weight_decay, batch=batch, seed=seed)
        (self.images, self.labels), self.validation = images.split()
        self.tests = images.test_images, images.test_labels
        self.data = {
            "name": images.name,
            "sha256": {file.places[0]: file.sha256 for file in MNIST},
            "trained_on": len(self.images),
            "validation": len(self.validation[0]),
        }
        self.look_every, self.reads, self.seed = len(self.images) // batch, batch, seed
        self.steps = epochs * self.look_every
        torch.manual_seed(seed)
        arguments: dict[str, Any] = dict(channels=[16, 48], kernel=5, padding=0, side=28)
        self.architecture = {"class": "cnn", "arguments": arguments}
        self.model = cnn(**arguments)
        self.model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]; faster on most processors
        self.smoothed = nn.CrossEntropyLoss(label_smoothing=0.1)
        parameters = self.model.parameters()
        self.optimizers = [torch.optim.AdamW(parameters, lr, (0.9, 0.95), weight_decay=weight_decay, fused=True)]

    def loss(self, step: int) -> Tensor:
        epoch, place = divmod(step, self.look_every)
        order = torch.randperm(len(self.images), generator=torch.Generator().manual_seed(1000 * self.seed + epoch))
        rows = order[place * self.reads : (place + 1) * self.reads]
        return self.smoothed(self.model(self.images[rows]), self.labels[rows])

    def measure(self) -> float:
        return accuracy(self.model, *self.validation)

    def test(self) -> float:
        return accuracy(self.model, *self.tests)


@torch.no_grad()
def accuracy(model: nn.Module, images: Tensor, labels: Tensor, batch: int = 500) -> float:
    """The share of the images (N, 1, H, W) that are told right. Unlike `evaluate` it leaves memory formats alone."""
    pairs = zip(images.split(batch), labels.split(batch), strict=True)
    with evaluation_mode(model):
        return sum(int((model(inputs).argmax(-1) == wanted).sum()) for inputs, wanted in pairs) / len(labels)
