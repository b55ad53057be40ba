"""From a finished training to the two files that the course ships: weights in half precision, and their card."""

import json
import platform
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from bench.machine import processor
from tools.train_weights.trainer import Training
from utils.files import write_whole
from utils.models import card
from utils.models.pretrained import NAMES
from utils.training import count_parameters

BEGIN, END = "<!-- models -->", "<!-- /models -->"


def ship(name: str, title: str, training: Training, run: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Write `name`.safetensors and `name`.json, each whole or not at all; returns the card.

    The model is measured twice, in float32 and as the file has it.
    """
    exact = training.final()
    content = save(halved(training.model))
    training.model.load_state_dict(halved(training.model))  # back to float32, with what rounding has done
    measured = {"unit": training.unit, "how": training.how, "float32": exact, "shipped": training.final()}
    if (test := training.test()) is not None:
        measured["test"] = test
    described = {
        "name": name,
        "title": title,
        "measured": measured,
        "architecture": training.architecture | {"parameters": count_parameters(training.model)},
        "file": {
            "name": f"{name}.safetensors",
            "bytes": len(content),
            "sha256": sha256(content).hexdigest(),
            "dtype": "float16",
        },
        "data": training.data,
        "command": f"make weights MODELS={name}",
        "recipe": {name: value for name, value in training.recipe.items() if name != "text"},
        "method": training.method,
        "schedule": (
            f"the rate rises for {training.warm_up} steps, then falls along a cosine to 0 at step {training.steps}; "
            "the weights are those of the last step, not of the best look"
        ),
        "steps": training.steps,
        "seconds": run["seconds"],
        "read": training.steps * training.reads,
        "counted": training.counted,
        "machine": {
            "processor": processor(),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        "looks": run["looks"],
    }
    if training.alphabet is not None:
        described["alphabet"] = training.alphabet
    write_whole(folder / f"{name}.safetensors", content)
    write_whole(folder / f"{name}.json", json.dumps(described, indent=1) + "\n")
    return described


def halved(model: nn.Module) -> dict[str, Tensor]:
    """The model's state with each float in half precision; integers stay as they are."""
    state = {name: value.detach().contiguous() for name, value in model.state_dict().items()}
    return {name: value.half() if value.is_floating_point() else value for name, value in state.items()}


def table(folder: Path) -> str:
    """The rows of README.md, one for each model that is there."""
    rows = [
        "| name | what it is | parameters | how good | has read | trained in |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in NAMES:
        if not (folder / f"{name}.json").exists():
            continue
        described = card(name, folder)
        measured, minutes = described["measured"], described["seconds"] / 60
        good = f"{measured['shipped']:.3f} {measured['unit']} in validation"
        if "test" in measured:
            good = f"{measured['shipped']:.1%} in validation, {measured['test']:.2%} in test"
        rows.append(
            f"| `{name}` | {described['title']} | {described['architecture']['parameters']:,} | {good} | "
            f"{described['read'] / 1e6:.1f} million {described['counted']} | {minutes:.0f} min |"
        )
    return "\n".join(rows)


def write_table(folder: Path) -> None:
    """Bring the table of the folder's README.md up to date, where there is one."""
    readme = folder / "README.md"
    if readme.exists():
        before, found, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
        _, end, after = rest.partition(END)
        if found and end:
            write_whole(readme, f"{before}{BEGIN}\n{table(folder)}\n{END}{after}")
