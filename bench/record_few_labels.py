"""`python -m bench.record_few_labels`: what pre-training buys, and how many images a transformer needs.

Writes docs/recorded/few_labels.json. Two experiments, in both of which each model gets the same effort: three learning
rates at each amount of data, one run of each, measured on data to choose by; then three seeds with the best rate,
measured on other data. One core, about five minutes.

1. Letters at which a word begins (`utils.word_starts`): a body that looks back and one that looks both ways, from
   scratch, pre-trained on text alone, and pre-trained with all but the head frozen.
2. MNIST: the CNN of lesson 02 and a vision transformer of its size, from few and from many images, as many steps each.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from bench.machine import prepare
from bench.recording import record
from utils import data
from utils.models import cnn
from utils.models.tagging import body, fine_tune, pretrain, tagger
from utils.models.text import Transformer
from utils.models.vision import SmallViT, patches
from utils.paths import RECORDED
from utils.training import Batches, count_parameters, fit, seed_everything
from utils.word_starts import LENGTH, word_starts

RECORD = RECORDED / "few_labels.json"
WINDOWS = (2, 8, 32, 128)
RATES = (0.003, 0.01, 0.03)
IMAGES = (100, 1_000, 10_000)
VISION: dict[str, Callable[[], nn.Module]] = {"CNN": cnn, "ViT": lambda: SmallViT(patches(32))}
BATCH = 64


def chosen_and_measured(
    run: Callable[[float, int, bool], float], seeds: Sequence[int], rates: Sequence[float] = RATES
) -> tuple[dict[str, float], list[float]]:
    """What each rate gives on data to choose by, and the results of the best one on other data, one for each seed."""
    tried = {str(rate): round(run(rate, 100, True), 4) for rate in rates}
    best = float(max(tried, key=lambda rate: tried[rate]))
    return tried, [round(run(best, seed, False), 4) for seed in seeds]


def seen(build: Callable[[], nn.Module], images: data.Images, count: int, steps: int) -> Callable[..., float]:
    """A run of one image model: accuracy on validation images to choose by, on the test images to report."""
    (pictures, labels), validation = images.split()

    def run(rate: float, seed: int, choose: bool) -> float:
        seed_everything(seed)
        first = seed * count % (len(pictures) - count + 1)  # other images for another seed, where there are more
        some = slice(first, first + count)
        train = Batches(pictures[some], labels[some], size=min(BATCH, count), shuffle=True, seed=seed)
        held_out = validation if choose else (images.test_images, images.test_labels)
        options: dict[str, Any] = dict(epochs=steps / len(train), lr=rate, clip=1.0, validations=1, label="")
        return fit(build(), train, Batches(*held_out, size=500), **options).validation[-1]

    return run


def record_words(content: dict[str, Any], seeds: Sequence[int], pretraining: int, tuning: int) -> None:
    """The first experiment, into `content` and the record."""
    task = word_starts(data.corpus("tiny_shakespeare").train)
    starts: dict[str, tuple[Transformer, bool]] = {
        "looks back, from scratch": (body(task, causal=True), False),
        "looks both ways, from scratch": (body(task, causal=False), False),
    }
    content |= dict(pretraining_bits={}, letters_of_a_window=LENGTH, words={}, rates_of_words={})
    content["never"] = 1 - task.windows("report", 400, seed=0)[1].float().mean().item()
    for kind, name in (
        ("next", "looks back, next letters (GPT)"),
        ("masked", "looks both ways, hidden letters (BERT)"),
    ):
        model, history = pretrain(task, kind, pretraining)
        content["pretraining_bits"][kind] = round(history.best, 4)
        starts |= {name: (model, False), f"{name}, body frozen": (model, True)}
    for name, (start, frozen) in starts.items():
        content["words"][name], content["rates_of_words"][name] = {}, {}
        for windows in WINDOWS:

            def run(rate: float, seed: int, choose: bool) -> float:
                model = tagger(start, frozen)  # noqa: B023
                part = "choose" if choose else "report"
                return fine_tune(model, task, windows, seed, rate, tuning, part)  # noqa: B023

            tried, shares = chosen_and_measured(run, seeds)
            content["rates_of_words"][name][str(windows)], content["words"][name][str(windows)] = tried, shares
            print(f"{name}, {windows} windows: {shares}", flush=True)


def record_images(content: dict[str, Any], seeds: Sequence[int], steps: int) -> None:
    """The second experiment, into `content`."""
    digits = data.mnist()
    content |= dict(parameters={name: count_parameters(build()) for name, build in VISION.items()})
    content |= dict(images={name: {} for name in VISION}, rates_of_images={name: {} for name in VISION})
    for name, build in VISION.items():
        for count in IMAGES:
            tried, shares = chosen_and_measured(seen(build, digits, count, steps), seeds)
            content["rates_of_images"][name][str(count)], content["images"][name][str(count)] = tried, shares
            print(f"{name}, {count} images: {shares} {tried}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pretraining", type=int, default=1_200, help="steps")
    parser.add_argument("--tuning", type=int, default=60, help="steps of fine-tuning")
    parser.add_argument("--steps", type=int, default=250, help="of each image model")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", choices=["words", "images"], help="one experiment; the other stays as it is recorded")
    wanted = parser.parse_args(arguments)
    prepare()
    seeds = range(wanted.seeds)
    for part in ("words", "images"):
        if wanted.only in (None, part):
            found: dict[str, Any] = {}
            if part == "words":
                record_words(found, seeds, wanted.pretraining, wanted.tuning)
            else:
                record_images(found, seeds, wanted.steps)
            there = json.loads(RECORD.read_text()) if RECORD.exists() else {}
            steps = {"pretraining": wanted.pretraining, "tuning": wanted.tuning, "images": wanted.steps}
            kept = {key: value for key, value in there.items() if key not in ("command", "machine")}
            record(RECORD, "record_few_labels", **kept | found | {"steps": steps})
    return 0


if __name__ == "__main__":
    sys.exit(main())
