"""Training for every lesson: images and text, one loop. A batch is a pair (inputs, targets).

AdamW (Loshchilov and Hutter 2019) follows a one-cycle learning rate (Smith and Topin 2018), which rises for
the first 30 % of the steps and falls to almost nothing by the last. A few times on the way the validation
data is measured, and the model ends up with the weights that did best there.
"""

import math
import random
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice, repeat
from statistics import fmean
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

Loss = Callable[[Tensor, Tensor], Tensor]


def seed_everything(seed: int) -> None:
    """Fix every source of chance. Call it before you build the model: same seed, same result on one CPU."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def pick_device() -> torch.device:
    """The GPU where CUDA finds one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def on_fastest_device(model: nn.Module) -> Iterator[torch.device]:
    """Lend the model to the GPU if there is one, and bring it home, so that other cells need not care."""
    home = next((p.device for p in model.parameters()), torch.device("cpu"))
    model.to(pick_device(), memory_format=torch.channels_last)  # this layout is faster for images
    try:
        yield pick_device()
    finally:
        model.to(home)


def count_parameters(model: nn.Module) -> int:
    """How many numbers training can change."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


class Batches:
    """Walk through `inputs` (N, …) and `targets` (N, …) in batches cut out by index; the last may be smaller.

    With `shuffle`, each pass has a new order. Raises ValueError where the lengths differ or there is nothing.
    """

    def __init__(self, inputs: Tensor, targets: Tensor, size: int = 128, shuffle: bool = False):
        if len(inputs) != len(targets) or len(inputs) == 0:
            raise ValueError(f"Each input needs one target. Got {len(inputs)} inputs, {len(targets)} targets.")
        self.inputs, self.targets, self.size, self.shuffle = inputs, targets, size, shuffle

    def __len__(self) -> int:
        return math.ceil(len(self.inputs) / self.size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(self.inputs)) if self.shuffle else torch.arange(len(self.inputs))
        for rows in order.split(self.size):
            yield self.inputs[rows], self.targets[rows]


class Stopwatch:
    """Validation batches that stop the clock whenever they are walked through, and note the time of training so far.

    The clock counts the processor's seconds. With one thread on an idle core they are the seconds on the wall,
    and other programs on the same machine disturb them little.
    """

    def __init__(self, batches: Iterable):
        self.batches, self.contiguous = batches, getattr(batches, "contiguous", False)
        self.seconds, self.start = [], time.process_time()

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        stopped = time.process_time()
        self.seconds.append(stopped - self.start)
        yield from self.batches
        self.start += time.process_time() - stopped


def cross_entropy(scores: Tensor, targets: Tensor) -> Tensor:
    """Mean loss in nats. Images have scores (N, classes) and targets (N), text has (B, T, V) and (B, T)."""
    return F.cross_entropy(scores.flatten(0, -2), targets.flatten())


def count_right(scores: Tensor, targets: Tensor, loss: Tensor) -> float:
    return (scores.argmax(-1) == targets).sum().item()


def count_bits(scores: Tensor, targets: Tensor, loss: Tensor) -> float:
    return loss.item() * targets.numel() / math.log(2)  # one bit is ln 2 nats


METRICS = {  # name: (its sum over the targets of a batch, which of several values is best, how to print one)
    "accuracy": (count_right, max, "{:.2%}"),
    "bits per character": (count_bits, min, "{:.3f}"),
}


def forward(model: nn.Module, batch: tuple, loss: Loss, device: torch.device, state: Any = None) -> tuple:
    """Scores, targets, loss and state of one batch; in mixed precision on a GPU that has bfloat16.

    A model with a memory takes (inputs, state) and gives (scores, next state); of another the state is None.
    """
    inputs, targets = (tensor.to(device) for tensor in batch)
    half = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    with torch.autocast(device.type, torch.bfloat16, enabled=half):
        output = model(inputs) if state is None else model(inputs, state)
        scores, state = output if isinstance(output, tuple) else (output, None)
        return scores, targets, loss(scores, targets), detached(state)


def detached(state: Any) -> Any:
    """The same numbers without their history: here backpropagation through time is cut."""
    if isinstance(state, tuple | list):
        return tuple(detached(part) for part in state)
    return None if state is None else state.detach()


def one_pass(batches: Iterable) -> Iterator[tuple[tuple, bool]]:
    """Each batch, and whether it continues the one before, as in a text read in order (see `text.Streams`)."""
    contiguous = getattr(batches, "contiguous", False)
    for number, batch in enumerate(batches):
        yield batch, contiguous and number > 0


@torch.no_grad()
def evaluate(model: nn.Module, batches: Iterable, metric: str = "accuracy", loss: Loss = cross_entropy) -> float:
    """The metric's mean over all targets (not over batches: the last may be smaller), in evaluation mode."""
    measure, was_training, total, count, state = METRICS[metric][0], model.training, 0.0, 0, None
    with on_fastest_device(model.eval()) as device:
        for batch, continues in one_pass(batches):
            scores, targets, value, state = forward(model, batch, loss, device, state if continues else None)
            total += measure(scores, targets, value)
            count += targets.numel()
    model.train(was_training)
    return total / count


@dataclass
class History:
    """What `fit` saw: the loss of every step; the step, value and training time of each validation."""

    metric: str
    losses: list[float] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)  # since the start, validation not counted
    interrupted: bool = False

    @property
    def best(self) -> float:
        """The validation value of the weights that the model now has; nan before the first validation."""
        return METRICS[self.metric][1](self.validation, default=math.nan)


def fit(
    model: nn.Module,
    train: Iterable,
    validation: Iterable,
    *,
    epochs: float = 1.0,
    lr: float = 0.01,
    weight_decay: float = 0.05,
    clip: float | None = None,
    metric: str = "accuracy",
    loss: Loss = cross_entropy,
    validations: int = 4,
    label: str = "training",
) -> History:
    """Train `model` in place for `epochs` passes; leave it in evaluation mode, with its best weights.

    `train` and `validation` can be walked through again and again, and `train` has a length: see `Batches`.
    From one batch of `text.Streams` to the next, a model that gives (scores, state) gets its state back, detached:
    truncated backpropagation through time. It starts each pass without one.
    Validation takes place `validations` times, evenly spread. `lr` is the peak of the learning rate, `clip`
    the limit for the norm of the gradient, `loss` a mean in nats; an empty `label` hides the progress bar.
    Interrupt it (Ctrl-C, or ■ in Jupyter) whenever you like: you keep the best weights so far. Raises
    FloatingPointError, and restores them too, where the loss is no finite number; ValueError where there is
    nothing to do.
    """
    if metric not in METRICS:
        raise ValueError(f"metric={metric!r} is unknown. Choose one of: {', '.join(METRICS)}.")
    steps = round(epochs * len(train))
    if steps < 1 or validations < 1:
        raise ValueError(f"Got {steps} steps and {validations} validations; each must be at least 1.")
    measure, best_of, form = METRICS[metric]
    stops = {math.ceil(steps * i / validations) for i in range(1, validations + 1)}
    history, recent, validated, paused, state = History(metric), deque(maxlen=20), "", 0.0, None

    with on_fastest_device(model) as device, text_bar(steps, label) as bar:
        optimizer = torch.optim.AdamW(model.parameters(), lr, (0.9, 0.95), weight_decay=weight_decay, fused=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps, cycle_momentum=False)
        best, start = snapshot(model.train()), time.perf_counter()
        try:
            batches = chain.from_iterable(map(one_pass, repeat(train)))
            for step, (batch, continues) in enumerate(islice(batches, steps), start=1):
                scores, targets, value, state = forward(model, batch, loss, device, state if continues else None)
                history.losses.append(value.item())
                if not math.isfinite(value.item()):
                    raise FloatingPointError(NOT_FINITE.format(step, value.item(), *schedule.get_last_lr()))
                optimizer.zero_grad()
                value.backward()
                if clip is not None:
                    nn.utils.clip_grad_norm_(model.parameters(), clip)
                optimizer.step()
                schedule.step()

                recent.append(measure(scores, targets, value) / targets.numel())
                seen = f"loss {value.item():.3f}, {metric} {form.format(fmean(recent))}"
                bar.set_postfix_str(seen + validated, refresh=False)
                bar.update()
                if step in stops:
                    stopped = time.perf_counter()
                    score = evaluate(model, validation, metric, loss)
                    if score == best_of([*history.validation, score]):
                        best = snapshot(model)
                    history.steps.append(step)
                    history.seconds.append(stopped - start - paused)
                    history.validation.append(score)
                    validated = f", validation {form.format(score)}"
                    bar.set_postfix_str(seen + validated, refresh=False)
                    paused += time.perf_counter() - stopped
        except KeyboardInterrupt:
            history.interrupted = True
            bar.set_description(f"{label} (interrupted)")
            if not history.validation:  # nothing to compare yet, so what has been learned is kept
                best = snapshot(model)
        finally:
            model.load_state_dict(best)
            model.eval()
    return history


def snapshot(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def text_bar(steps: int, label: str) -> tqdm:
    """A bar of characters, if it has a label: unlike a widget it stays readable in a stored notebook."""
    return tqdm(total=steps, desc=label, unit=" steps", file=sys.stdout, mininterval=0.5, disable=not label)


NOT_FINITE = (
    "Step {}: the loss is {} at learning rate {:.3g}. The model is back at its best weights so far. "
    "Try a tenth of `lr`, or clip=1.0. Look for nan in the inputs, and for log(0) and 0/0 in the model."
)
