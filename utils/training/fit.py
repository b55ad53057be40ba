"""One loop that trains every model of the course, and one that measures them.

AdamW (Loshchilov and Hutter 2019), or Muon for the hidden matrices and AdamW for the rest, follows a one-cycle
learning rate (Smith and Topin 2018), which rises for the first 30 % of the steps and falls to almost nothing by
the last. A few times on the way the validation data is measured, and the model ends up with the weights that did
best there.
"""

import math
import random
from collections.abc import Iterator
from itertools import chain, islice, repeat
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR

from utils.modes import evaluation_mode
from utils.training.bar import Bar
from utils.training.batches import BatchSource
from utils.training.device import on_fastest_device
from utils.training.history import History
from utils.training.metrics import METRICS, Loss, cross_entropy
from utils.training.muon import Muon, hidden_matrices
from utils.training.rehearsal import rehearsed
from utils.training.stopwatch import Stopwatch


def seed_everything(seed: int) -> None:
    """Fix every source of randomness. Call it before you build the model: same seed, same result on one CPU."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def count_parameters(model: nn.Module) -> int:
    """How many numbers training can change."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


class Output(NamedTuple):
    """What a model makes of one batch."""

    logits: Tensor
    targets: Tensor
    loss: Tensor  # a single number, in nats
    state: Any  # of a model with a memory, detached; of another one None


def forward(model: nn.Module, batch: tuple, loss: Loss, device: torch.device, state: Any = None) -> Output:
    """One batch through the model and the loss; in mixed precision on a GPU that has bfloat16.

    A model with a memory takes (inputs, state) and gives (logits, next state).
    """
    inputs, targets = (tensor.to(device) for tensor in batch)
    half = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    with torch.autocast(device.type, torch.bfloat16, enabled=half):
        output = model(inputs) if state is None else model(inputs, state)
        logits, state = output if isinstance(output, tuple) else (output, None)
        return Output(logits, targets, loss(logits, targets), detached(state))


def detached(state: Any) -> Any:
    """The same numbers without their history: here backpropagation through time is cut."""
    if isinstance(state, tuple | list):
        return tuple(detached(part) for part in state)
    return None if state is None else state.detach()


def one_pass(batches: BatchSource) -> Iterator[tuple[tuple, bool]]:
    """Each batch, and whether it continues the one before."""
    if not isinstance(batches, BatchSource):
        raise TypeError(
            f"the data is a {type(batches).__name__}; expected batches, as Batches(…) or Streams(…) cut them."
        )
    for number, batch in enumerate(batches):
        yield batch, batches.contiguous and number > 0


@torch.no_grad()
def evaluate(model: nn.Module, batches: BatchSource, metric: str = "accuracy", loss: Loss = cross_entropy) -> float:
    """The metric's mean over all targets (not over batches: the last may be smaller), in evaluation mode.

    Afterwards the model is exactly as it was: its device, its memory format, the mode of each of its parts.
    """
    total, count, state = 0.0, 0, None
    with evaluation_mode(model), on_fastest_device(model) as device:
        for batch, continues in one_pass(batches):
            output = forward(model, batch, loss, device, state if continues else None)
            total += METRICS[metric].total(output.logits, output.targets, output.loss)
            count += output.targets.numel()
            state = output.state
    return total / count


def fit(
    model: nn.Module,
    train: BatchSource,
    validation: BatchSource,
    *,
    epochs: float = 1.0,
    lr: float = 0.01,
    weight_decay: float = 0.05,
    betas: tuple[float, float] = (0.9, 0.95),
    muon: float | None = None,
    fall: Literal["cos", "linear"] = "cos",
    clip: float | None = None,
    metric: str = "accuracy",
    loss: Loss = cross_entropy,
    validations: int = 4,
    label: str = "training",
) -> History:
    """Train `model` in place for `epochs` passes; leave it in evaluation mode, with its best weights.

    `train` and `validation` are `Batches` or `Streams`. From one batch of `Streams` to the next, a model that gives
    (logits, state) gets its state back, detached: truncated backpropagation through time. It starts each pass
    without one.
    Validation takes place `validations` times, evenly spread. `lr` is the peak of the learning rate, `clip`
    the limit for the norm of the gradient, `loss` a mean in nats; an empty `label` hides the progress bar.
    `betas` say how much AdamW keeps of the mean gradient and of the mean square. With `muon`, a peak of its own,
    Muon learns the hidden matrices (`hidden_matrices`) and AdamW the rest. `fall` is the shape of the rate's way up
    and down.
    Interrupt it (Ctrl-C, or ■ in Jupyter) whenever you like: you keep the best weights so far. Raises
    FloatingPointError, and restores them too, where the loss is no finite number; ValueError where there is
    nothing to do; TypeError for other data. Device and memory format of the model are afterwards what they were.
    Under REACH_TRAINING=short it takes a twentieth of its steps, and at least one for each validation.
    """
    if metric not in METRICS:
        raise ValueError(f"metric={metric!r} is unknown. Choose one of: {', '.join(METRICS)}.")
    steps = round(epochs * len(train))
    if steps < 1 or validations < 1:
        raise ValueError(f"Got {steps} steps and {validations} validations; each must be at least 1.")
    steps = rehearsed(steps, validations)
    stops = {math.ceil(steps * i / validations) for i in range(1, validations + 1)}
    history = History(metric)

    with on_fastest_device(model) as device, Bar(steps, label, METRICS[metric]) as bar:
        optimizers = optimizers_of(model, lr, betas, weight_decay, muon)
        schedules = [one_cycle(optimizer, steps, fall) for optimizer in optimizers]
        best, watch, state = snapshot(model.train()), Stopwatch(), None
        try:
            batches = chain.from_iterable(map(one_pass, repeat(train)))
            for step, (batch, continues) in enumerate(islice(batches, steps), start=1):
                output = forward(model, batch, loss, device, state if continues else None)
                state = output.state
                history.losses.append(output.loss.item())
                if not math.isfinite(output.loss.item()):
                    raise FloatingPointError(NOT_FINITE.format(step, output.loss.item(), schedules[0].get_last_lr()[0]))
                descend(model, optimizers, output.loss, clip)
                for schedule in schedules:
                    schedule.step()
                bar.stepped(output.logits, output.targets, output.loss)

                if step in stops:
                    seconds = watch.seconds
                    with watch.paused():
                        value = evaluate(model, validation, metric, loss)
                        history.validated(step, seconds, value)
                        bar.validated(value)
                        if value == history.best:
                            best = snapshot(model)
        except KeyboardInterrupt:
            history.interrupted = True
            bar.interrupted()
            if not history.validation:  # nothing to compare yet, so what has been learned is kept
                best = snapshot(model)
        finally:
            model.load_state_dict(best)
            model.eval()
    return history


def optimizers_of(
    model: nn.Module, lr: float, betas: tuple[float, float], weight_decay: float, muon: float | None
) -> list[torch.optim.Optimizer]:
    """AdamW for the whole model; or, with a rate for it, Muon for the hidden matrices and AdamW for the rest."""
    matrices = [] if muon is None else hidden_matrices(model)
    theirs = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in theirs]
    adamw = torch.optim.AdamW(rest, lr, betas, weight_decay=weight_decay, fused=True)
    return [adamw, Muon(matrices, muon)] if muon is not None and matrices else [adamw]


def one_cycle(optimizer: torch.optim.Optimizer, steps: int, fall: Literal["cos", "linear"] = "cos") -> OneCycleLR:
    """From a 25th of the optimizer's rate up to it and down to almost nothing, in so many steps."""
    peaks = [group["lr"] for group in optimizer.param_groups]
    return OneCycleLR(optimizer, peaks, total_steps=steps, anneal_strategy=fall, cycle_momentum=False)


def descend(model: nn.Module, optimizers: list[torch.optim.Optimizer], loss: Tensor, clip: float | None) -> None:
    """One step of training: gradients of this loss, shortened to norm `clip` if it is given, and new weights."""
    model.zero_grad()
    loss.backward()
    if clip is not None:
        nn.utils.clip_grad_norm_(model.parameters(), clip)
    for optimizer in optimizers:
        optimizer.step()


def snapshot(model: nn.Module) -> dict[str, Tensor]:
    """A copy of all weights and statistics, to go back to."""
    return {name: value.clone() for name, value in model.state_dict().items()}


NOT_FINITE = (
    "Step {}: the loss is {} at learning rate {:.3g}. The model is back at its best weights so far. "
    "Try a tenth of `lr`, or clip=1.0. Look for nan in the inputs, and for log(0) and 0/0 in the model."
)
