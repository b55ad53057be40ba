"""Seconds to 1.886 nats per character on tiny Shakespeare: lessons 08 and 11 against the well-known recipe.

All three learn from the first 90 % of the text on one thread, seed by seed in turn. Each is measured 20 times on
its way, by the same function, while the clock stands still: the mean loss over the whole of the last 10 %, cut into
windows of 64 characters that are read without what came before. An LSTM that could carry its state from one window to
the next would do better; nobody may. The result is the training time at the first of these points where the loss
is at most 1.886.

The lessons train the same architectures with what was found here, but not for the same seconds: lesson 08 with its
streams of text, lesson 11 with the learner's own transformer, which has no lookback.

What our recipes are made of (optimizer, rates, batch, activation, lookback) was chosen on the last tenth of the
training text, with seeds that are not reported. Their lengths were chosen by this loss, on three other seeds, so that
each ends soon after it gets there: the validation text is a stopwatch here, and no measure of how well they do on
unseen text. The well-known recipe ends at about 1.91 when it is measured like this, on the whole of the last 10 %.
Then its whole time counts all the same, which is in its favour.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from statistics import median
from time import process_time
from typing import Any

import torch
from torch import Tensor, nn

from bench import text_reference
from bench.text_reference import CONTEXT
from utils.data import corpus
from utils.models import CharLSTM, Transformer
from utils.models.text import SquaredReLU
from utils.text import encode
from utils.training import Batches, History, Stopwatch, cross_entropy, evaluate, fit, seed_everything

GOAL = 1.886  # nats per character
MEASUREMENTS = 20
SEEDS = 3
METRIC = "bits per character"


@dataclass(frozen=True)
class Run:
    """One training: how long it took to the goal (or to its end), and at what speed."""

    seconds: float
    loss: float  # nats per character at that time
    characters_per_second: float
    gflops: float  # 10⁹ operations in matrix products, per second


def lstm_speedup() -> tuple[float, dict]:
    """The ratio of the medians, and what it comes from. Raises DataError without tiny Shakespeare."""
    return against_reference("lesson 08")


def transformer_speedup() -> tuple[float, dict]:
    """The ratio of the medians, and what it comes from. Raises DataError without tiny Shakespeare."""
    return against_reference("lesson 11")


def against_reference(name: str) -> tuple[float, dict]:
    runs, peaks = race()
    ours, reference = runs[name], runs["reference"]
    seconds, reference_seconds = ([run.seconds for run in group] for group in (ours, reference))
    details = {
        "data": "tiny_shakespeare",
        "goal": GOAL,
        "seconds": seconds,
        "reference_seconds": reference_seconds,
        "matrix_products_gflops": peaks,
        "fraction_of_peak": median(run.gflops for run in ours) / peaks["float32"],
        "reference_fraction_of_peak": median(run.gflops for run in reference) / peaks["float32"],
        "runs": [asdict(run) for run in ours],
        "reference_runs": [asdict(run) for run in reference],
    }
    return median(reference_seconds) / median(seconds), details


@cache
def race() -> tuple[dict[str, list[Run]], dict[str, float]]:
    """All runs of the three recipes, and the speed of matrix products on this core; measured once a process."""
    text = corpus("tiny_shakespeare")
    train, validation = encode(text.train, text.alphabet), encode(text.validation, text.alphabet)
    runs = {name: [] for name in RECIPES}
    for seed in range(SEEDS):
        for name, recipe in RECIPES.items():
            seed_everything(seed)
            run = recipe(train, Batches(*windows(validation), size=128), len(text.alphabet))
            print(f"seed {seed}: {name} is at {run.loss:.3f} nats after {run.seconds:.1f} s", flush=True)
            if run.loss > GOAL and name != "reference":
                raise RuntimeError(f"{name} did not reach {GOAL}, only {run.loss:.4f} (seed {seed}).")
            runs[name].append(run)
    return runs, {str(kind).removeprefix("torch."): matrix_peak(kind) for kind in (torch.float32, torch.bfloat16)}


def lesson_08(train: Tensor, validation: Batches, vocabulary: int) -> Run:
    """Without the state that lesson 08 carries from batch to batch: nobody has one when it is measured.

    Twelve windows a step, a narrow embedding, a short memory of the mean gradient, and a rate that falls along a line.
    """
    model = CharLSTM(vocabulary, 128, embedding=32)
    options = dict(epochs=0.195, lr=0.04, betas=(0.7, 0.95), fall="linear", clip=1.0)
    return finish(model, fit_windows(model, train, validation, size=12, **options), batch=12)


def lesson_11(train: Tensor, validation: Batches, vocabulary: int) -> Run:
    """Muon, sixteen windows a step, a squared ReLU, and a look back at the three characters before each."""
    model = Transformer(vocabulary, width=48, heads=3, layers=2, activation=SquaredReLU, lookback=3)
    options = dict(epochs=0.44, lr=0.0125, muon=0.05, clip=1.0)
    return finish(model, fit_windows(model, train, validation, size=16, **options), batch=16, attention=2 * 48)


def fit_windows(model: nn.Module, train: Tensor, validation: Batches, size: int, **options: Any) -> History:
    """Small batches in a random order: both models learn more from a character than in larger or ordered ones."""
    batches = Batches(*windows(train), size=size, shuffle=True)
    return fit(model, batches, validation, metric=METRIC, validations=MEASUREMENTS, **options)


def reference(train: Tensor, validation: Batches, vocabulary: int) -> Run:
    model = text_reference.Reference(vocabulary)
    optimizer, history, watch = text_reference.optimizer_of(model), History(METRIC), Stopwatch()
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, text_reference.rate)
    for step in range(1, text_reference.STEPS + 1):
        inputs, targets = text_reference.random_windows(train)
        optimizer.zero_grad()
        cross_entropy(model(inputs), targets).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % (text_reference.STEPS // MEASUREMENTS) == 0:
            seconds = watch.seconds
            with watch.paused():
                history.validated(step, seconds, evaluate(model, validation, METRIC))
            if history.best * math.log(2) <= GOAL:
                break
    return finish(model, history, text_reference.BATCH, attention=4 * 128)


RECIPES: dict[str, Callable[[Tensor, Batches, int], Run]] = {
    "lesson 08": lesson_08,
    "lesson 11": lesson_11,
    "reference": reference,
}


def finish(model: nn.Module, history: History, batch: int, attention: int = 0) -> Run:
    """The first measurement at the goal, else the last. `attention` is layers × width."""
    losses = [bits * math.log(2) for bits in history.validation]
    at = next((i for i, loss in enumerate(losses) if loss <= GOAL), len(losses) - 1)
    seconds = history.seconds[at]
    speed = history.steps[at] * batch * CONTEXT / seconds
    return Run(seconds, losses[at], speed, speed * operations(model, attention) / 1e9)


def operations(model: nn.Module, attention: int = 0) -> int:
    """Operations in matrix products to learn from one character of a window of 64.

    For each weight two forward and four backward. Attention multiplies each query with half of the window's keys
    on average, and the weights with as many values: as many products as `attention` (layers × width) × 64 weights.
    """
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear | nn.LSTM)]
    weights = sum(p.numel() for layer in layers for p in layer.parameters() if p.dim() == 2)
    return 6 * (weights + attention * CONTEXT)


def windows(tokens: Tensor) -> tuple[Tensor, Tensor]:
    """The whole text in windows, one after the other: inputs and targets, each (N, 64)."""
    cut = tokens.unfold(0, CONTEXT + 1, CONTEXT)
    return cut[:, :-1], cut[:, 1:]


def matrix_peak(kind: torch.dtype, side: int = 1024) -> float:
    """10⁹ operations per second in the product of two square matrices, the best of 20 trials."""
    left, right = (torch.randn(side, side).to(kind) for _ in range(2))
    best = math.inf
    for _ in range(20):
        start = process_time()
        torch.matmul(left, right)
        best = min(best, process_time() - start)
    return 2 * side**3 / best / 1e9
