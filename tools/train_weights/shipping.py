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
from utils.training import count_parameters


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
    card = {
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
        card["alphabet"] = training.alphabet
    write_whole(folder / f"{name}.safetensors", content)
    write_whole(folder / f"{name}.json", json.dumps(card, indent=1) + "\n")
    return card


def halved(model: nn.Module) -> dict[str, Tensor]:
    """The model's state with each float in half precision; integers stay as they are."""
    state = {name: value.detach().contiguous() for name, value in model.state_dict().items()}
    return {name: value.half() if value.is_floating_point() else value for name, value in state.items()}
