"""`python -m bench.record_few_labels`: what pre-training buys, and how many images a transformer needs.

Writes docs/recorded/few_labels.json. Two experiments, in both of which each model gets the same effort: three learning
rates at each amount of data, one run of each, measured on data to choose by; then three seeds with the best rate,
measured on other data. One core, about ten minutes.

1. Letters at which a word begins (`utils.word_starts`): a body that looks back and one that looks both ways, from
   scratch, pre-trained on text alone, and pre-trained with all but the head frozen. Both kinds of pre-training ask for
   as many letters.
2. MNIST: the CNN of lesson 02 and a vision transformer of its size, from few and from many images, as many steps each;
   and the transformer again, with four times the steps.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
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
from utils.tasks.word_starts import LENGTH, word_starts
from utils.training import Batches, count_parameters, fit, seed_everything

RECORD = RECORDED / "few_labels.json"
WINDOWS = (2, 8, 32, 128)
PARTS = ("scratch", "next", "masked", "images", "longer")
PRETRAINED = {"next": "looks back, next letters (GPT)", "masked": "looks both ways, hidden letters (BERT)"}
AS_MANY = 4  # times the steps for hidden letters, of which there are a quarter: as many letters are asked for
RATES = (0.003, 0.01, 0.03)
IMAGES = (100, 1_000, 10_000)
VISION: dict[str, Callable[[], nn.Module]] = {"CNN": cnn, "ViT": lambda: SmallViT(patches(32))}
BATCH = 64
LONGER = 4


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


def record_words(kind: str, content: dict[str, Any], seeds: Sequence[int], pretraining: int, tuning: int) -> None:
    """A part of the first experiment, into `content`: "scratch", or pre-training by "next" or "masked"."""
    task = word_starts(data.corpus("tiny_shakespeare").train)
    starts: dict[str, tuple[Transformer, bool]] = {}
    if kind == "scratch":
        content["letters_of_a_window"] = LENGTH
        content["never"] = 1 - task.windows("report", 400, seed=0)[1].float().mean().item()
        for name, causal in (("looks back, from scratch", True), ("looks both ways, from scratch", False)):
            starts[name] = body(task, causal), False
    else:
        steps = pretraining * (1 if kind == "next" else AS_MANY)
        model, history = pretrain(task, kind, steps, label=kind)
        content["pretraining"] = {kind: {"steps": steps, "bits": [round(bits, 4) for bits in history.validation]}}
        starts = {PRETRAINED[kind]: (model, False), f"{PRETRAINED[kind]}, body frozen": (model, True)}
    content |= dict(words={}, rates_of_words={})
    for name, (start, frozen) in starts.items():
        content["words"][name], content["rates_of_words"][name] = {}, {}
        for windows in WINDOWS:

            def run(rate: float, seed: int, choose: bool) -> float:
                model = tagger(start, frozen)  # noqa: B023
                part = "choose" if choose else "report"
                return fine_tune(model, task, windows, seed, rate, tuning, part)  # noqa: B023

            tried, shares = chosen_and_measured(run, seeds)
            content["rates_of_words"][name][str(windows)], content["words"][name][str(windows)] = tried, shares
            print(f"{name}, {windows} windows: {shares} {tried}", flush=True)


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


def record_longer(content: dict[str, Any], seeds: Sequence[int], steps: int) -> None:
    """The transformer with more steps, at the rates that were best with few, into `content`."""
    digits, rates = data.mnist(), json.loads(RECORD.read_text())["rates_of_images"]["ViT"]
    name = f"ViT, {LONGER} times the steps"
    content |= dict(images={name: {}}, times=LONGER)
    for count in IMAGES:
        run, tried = seen(VISION["ViT"], digits, count, LONGER * steps), rates[str(count)]
        best = float(max(tried, key=lambda rate: tried[rate]))
        content["images"][name][str(count)] = [round(run(best, seed, False), 4) for seed in seeds]
        print(f"{name}, {count} images: {content['images'][name][str(count)]}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pretraining", type=int, default=600, help="steps, by next letters")
    parser.add_argument("--tuning", type=int, default=60, help="steps of fine-tuning")
    parser.add_argument("--steps", type=int, default=250, help="of each image model")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", choices=PARTS, help="one part; the others stay as they are recorded")
    wanted = parser.parse_args(arguments)
    prepare()
    seeds = range(wanted.seeds)
    for part in PARTS if wanted.only is None else (wanted.only,):
        found: dict[str, Any] = {}
        if part == "images":
            record_images(found, seeds, wanted.steps)
            found["steps_of_images"] = wanted.steps
        elif part == "longer":
            record_longer(found, seeds, wanted.steps)
        else:
            record_words(part, found, seeds, wanted.pretraining, wanted.tuning)
            found["steps_of_words"] = wanted.tuning
        record(RECORD, "record_few_labels", **joined(RECORD, found))
    return 0


def joined(path: Path, found: dict[str, Any]) -> dict[str, Any]:
    """What is recorded already with what is new: in its place, or beside it in a table of several parts."""
    content = json.loads(path.read_text()) if path.exists() else {}
    for name in ("command", "machine"):
        content.pop(name, None)
    for name, value in found.items():
        beside = isinstance(value, dict) and isinstance(content.get(name), dict)
        content[name] = content[name] | value if beside else value
    return content


if __name__ == "__main__":
    sys.exit(main())
