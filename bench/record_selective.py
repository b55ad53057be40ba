"""`python -m bench.record_selective`: who copies selectively, who looks up pairs, and with how many bytes of state.

Writes docs/recorded/selective.json. Two tasks of `utils.tasks.languages`, three seeds, 32 fresh sequences a step,
and 512 unseen ones to test:

- `copying`: two layers of a kind, 16 channels; 3 symbols among 40 tokens, 600 steps;
- `associations`: a short convolution and one layer of a kind, 32 channels; 8 pairs, 400 steps. The convolution lets
  each place see the three before it, so that a value knows its key; it is the same for all.

The learning rates are the better of two that were tried with the selective layer, and the same for all kinds. One core,
about five minutes. `--only copying` measures one task and leaves the other as recorded.
"""

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from bench.machine import prepare
from bench.recording import record
from utils.models.rwkv import TimeMix
from utils.models.state_space import SelectiveSSM
from utils.models.stateful import LSTM, CausalAttention, ShortConvolution, Stack, Stateful, state_bytes
from utils.models.xlstm import MLSTM
from utils.paths import RECORDED
from utils.tasks.languages import associations, selective_copying
from utils.training import Batches, fit, seed_everything

RECORD = RECORDED / "selective.json"
BATCH, LENGTH, COPIED, PAIRS = 32, 40, 3, 8

Make = Callable[[int], list[Stateful]]


def ssm(width: int, state: int, selective: bool = True) -> SelectiveSSM:
    return SelectiveSSM(width, state, selective)


KINDS: dict[str, Callable[[int], Stateful]] = {
    "LSTM": LSTM,
    "fixed SSM, N = 1": partial(ssm, state=1, selective=False),
    "fixed SSM, N = 4": partial(ssm, state=4, selective=False),
    "selective SSM, N = 1": partial(ssm, state=1),
    "selective SSM, N = 4": partial(ssm, state=4),
    "selective SSM, N = 16": partial(ssm, state=16),
    "RWKV": TimeMix,
    "mLSTM, 8 heads": partial(MLSTM, heads=8),
    "mLSTM, 2 heads": partial(MLSTM, heads=2),
    "mLSTM, 1 head": partial(MLSTM, heads=1),
    "attention": CausalAttention,
}


def twice(kind: str) -> Make:
    return lambda width: [KINDS[kind](width), KINDS[kind](width)]


def after_a_convolution(*kinds: str) -> Make:
    return lambda width: [ShortConvolution(width), *(KINDS[kind](width) for kind in kinds)]


COPYING = ("selective SSM, N = 4", "fixed SSM, N = 4", "attention", "LSTM", "RWKV", "mLSTM, 2 heads",
           "selective SSM, N = 1", "fixed SSM, N = 1")  # fmt: skip
LOOKING_UP = ("attention", "mLSTM, 1 head", "mLSTM, 2 heads", "mLSTM, 8 heads", "LSTM", "RWKV", "selective SSM, N = 1",
              "selective SSM, N = 4", "selective SSM, N = 16", "fixed SSM, N = 4")  # fmt: skip
TASKS: dict[str, dict[str, Any]] = {
    "copying": dict(
        data=lambda count, seed: selective_copying(count, LENGTH, COPIED, seed),
        tokens=10, width=16, steps=600, lr=0.02, asked=slice(LENGTH, None),
        models={kind: twice(kind) for kind in COPYING},
    ),
    "associations": dict(
        data=lambda count, seed: associations(count, PAIRS, seed),
        tokens=24, width=32, steps=400, lr=0.01, asked=slice(2 * PAIRS, None, 2),
        models={kind: after_a_convolution(kind) for kind in LOOKING_UP}
        | {"selective SSM + attention": after_a_convolution("selective SSM, N = 4", "attention")},
    ),
}  # fmt: skip


def build(task: str, name: str) -> Stack:
    """The model of this name for this task, untrained."""
    wanted = TASKS[task]
    return Stack(wanted["tokens"], wanted["width"], wanted["models"][name](wanted["width"]), wanted["asked"])


def train(task: str, name: str, seed: int, steps: int | None = None) -> tuple[Stack, float]:
    """One model from start to finish, and its accuracy on unseen sequences."""
    wanted = TASKS[task]
    sequences = BATCH * (wanted["steps"] if steps is None else steps)
    seed_everything(seed)
    model = build(task, name)
    fresh, unseen = Batches(*wanted["data"](sequences, seed), size=BATCH), Batches(*wanted["data"](512, 999))
    history = fit(model, fresh, unseen, lr=wanted["lr"], weight_decay=0, clip=1.0, validations=1, label="")
    return model, round(history.best, 4)


def kept(task: str, name: str) -> int:
    """Bytes that the model keeps after a whole sequence."""
    tokens, _ = TASKS[task]["data"](1, 0)
    model, states = build(task, name), None
    for token in tokens.unbind(1):
        _, states = model.step(token, states)
    return state_bytes(states or ())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(TASKS))
    parser.add_argument("--steps", type=int, help="fewer, to try it")
    parser.add_argument("--seeds", type=int, default=3)
    wanted = parser.parse_args(arguments)
    prepare()
    for task in [wanted.only] if wanted.only else list(TASKS):
        results: dict[str, Any] = {}
        for name in TASKS[task]["models"]:
            shares = [train(task, name, seed, wanted.steps)[1] for seed in range(wanted.seeds)]
            results[name] = {"accuracy": shares, "bytes": kept(task, name)}
            print(f"{task}, {name}: {results[name]}", flush=True)
            before = json.loads(RECORD.read_text()) if RECORD.exists() else {}
            others = {key: before[key] for key in TASKS if key in before}
            record(RECORD, "record_selective", **(others | {task: results}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
