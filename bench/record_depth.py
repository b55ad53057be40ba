"""`python -m bench.record_depth`: what lesson 04 shows and has no time to train. Writes docs/recorded/.

A small network of each family of CNNs, and a small vision transformer behind patches and behind a convolutional stem,
all of about 30,000 parameters: each gets the learning rate that does best on the validation images in a run of half
the length with a seed of its own, and is trained with it for the same steps, three seeds. Then networks of equal 3×3
layers, plain and with skips, at two depths, for twice as many steps: their training error. About ten minutes of one
core; the file is written again after each network.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn

from bench.machine import prepare
from bench.recording import record
from utils import data
from utils.models.deep import DeepCNN
from utils.models.families import FAMILIES, convnext
from utils.models.vision import SmallViT, patches, stem
from utils.paths import RECORDED
from utils.training import Batches, evaluate, fit, seed_everything

RECORD = RECORDED / "depth_and_families.json"
DEPTHS = (8, 32)
RATES = (0.01, 0.03)
WIDTH = 32  # of the transformers

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    **FAMILIES,
    "ConvNeXt, branches at a tenth": partial(convnext, 0.1),
    "ViT, patches": lambda: SmallViT(patches(WIDTH), WIDTH),
    "ViT, convolutional stem": lambda: SmallViT(stem(WIDTH), WIDTH),
}


class Budget:
    """The same images in the same number of steps for every network; nothing is chosen by looking at the end."""

    def __init__(self, images: int, passes: float, size: int):
        self.dataset = data.mnist()
        (inputs, labels), validation = self.dataset.split()
        self.train = partial(Batches, inputs[:images], labels[:images], size, shuffle=True)
        self.seen = Batches(inputs[:images], labels[:images], 500)
        self.validation = Batches(*validation, 500)
        self.passes = passes

    def run(self, build: Callable[[], nn.Module], seed: int, lr: float, share: float = 1.0) -> dict[str, float]:
        """Train one network from start to finish: its accuracies on validation images and on those of the training."""
        seed_everything(seed)
        model = build()
        history = fit(
            model, self.train(), self.validation, epochs=share * self.passes, lr=lr, validations=1, label=""
        )  # fmt: skip
        accuracies = {"validation": history.best, "training": evaluate(model, self.seen)}
        return {name: round(value, 5) for name, value in accuracies.items()}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=6_000)
    parser.add_argument("--passes", type=float, default=2.0, help="through the images")
    parser.add_argument("--size", type=int, default=48, help="images of a step")
    parser.add_argument("--seeds", type=int, default=3)
    wanted = parser.parse_args(arguments)
    prepare()
    budget, seeds = Budget(wanted.images, wanted.passes, wanted.size), range(wanted.seeds)
    content: dict[str, Any] = {"data": budget.dataset.name, **vars(wanted), "depth": {}, "tuning": {}, "networks": {}}
    for name, build in NETWORKS.items():
        tried = {lr: budget.run(build, wanted.seeds, lr, share=0.5)["validation"] for lr in RATES}
        best = max(tried, key=lambda lr: tried[lr])
        content["tuning"][name] = {f"{lr:g}": reached for lr, reached in tried.items()}
        content["networks"][name] = [budget.run(build, seed, best) for seed in seeds]
        record(RECORD, "record_depth", **content)
    for layers in DEPTHS:
        for skips in (False, True):
            name = f"{'residual' if skips else 'plain'}, {layers} layers"
            runs = [budget.run(partial(DeepCNN, layers, skips=skips), seed, lr=0.01, share=2.0) for seed in seeds]
            content["depth"][name] = runs
            record(RECORD, "record_depth", **content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
