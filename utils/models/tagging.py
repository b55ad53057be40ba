"""Pre-training on text alone, and fine-tuning: the same body under another head."""

import copy
from typing import Any

from torch import nn

from utils.models.text import Transformer
from utils.tasks.masked import hidden
from utils.tasks.word_starts import WordStarts, next_letters
from utils.training import Batches, History, fit, seed_everything

WIDTH, HEADS, LAYERS, BATCH = 48, 4, 2, 16
HIDDEN = 0.25  # of the letters, for masked pre-training


def body(task: WordStarts, causal: bool, seed: int = 0) -> Transformer:
    """A small transformer over letters and the mask, untrained."""
    seed_everything(seed)
    return Transformer(task.mask + 1, WIDTH, HEADS, LAYERS, causal=causal)


def pretrain(task: WordStarts, kind: str, steps: int, seed: int = 0, label: str = "") -> tuple[Transformer, History]:
    """A body trained on text alone: "next" looks back only, "masked" looks both ways.

    A step reads as many letters in both; it asks for all of them, or for the quarter that is hidden.
    """
    model = body(task, kind == "next", seed)
    text, unseen = (task.windows("unlabelled", count, seed=s) for count, s in ((BATCH * steps, 1 + seed), (200, 0)))
    pairs = [next_letters(w) if kind == "next" else hidden(w, task.mask, HIDDEN, seed) for w, _ in (text, unseen)]
    train, validation = Batches(*pairs[0], size=BATCH), Batches(*pairs[1], size=200)
    options: dict[str, Any] = dict(lr=0.0125, muon=0.03, clip=1.0, metric="bits per character", validations=4)
    history = fit(model, train, validation, **options, label=label)
    return model, history


def tagger(start: Transformer, frozen: bool = False) -> Transformer:
    """A copy of a body under a new head, of two logits for each letter; `frozen` leaves only the head to training."""
    model = copy.deepcopy(start)
    for parameter in model.parameters():
        parameter.requires_grad_(not frozen)
    model.head = nn.Linear(WIDTH, 2, bias=False)
    return model


def fine_tune(
    model: Transformer, task: WordStarts, windows: int, seed: int, lr: float, steps: int = 120, report: str = "report"
) -> float:
    """Train a tagger on so many labelled windows; the share of right letters in unseen text."""
    seed_everything(seed)
    labelled = Batches(*task.windows("labelled", windows, seed), size=BATCH, shuffle=True, seed=seed)
    unseen = Batches(*task.windows(report, 400, seed=0), size=200)
    epochs = steps / len(labelled)
    history = fit(model, labelled, unseen, epochs=epochs, lr=lr, clip=1.0, validations=1, label="")
    return history.validation[-1]
