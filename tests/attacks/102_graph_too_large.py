"""Sends steps that would take all memory, or for ever."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
from utils.checking import graph, models


def forged(model, images):
    side = images.shape[-1]
    return {
        "weights": {"w": torch.zeros(1)},
        "constants": [],
        "steps": [
            ["aten.zeros.default", [[10**6, 10**4]], {}],
            ["aten.repeat.default", [{"step": [0, 0]}, [99, 99, 99]], {}],
        ]
        * 1000,
        "output": {"step": [0, 0]},
    }


graph.trace = models.trace = forged
nn.Linear.forward = lambda self, images: torch.zeros(len(images), 10, requires_grad=True)


# %% build_cnn
def build_cnn(side):
    return nn.Linear(1, 1)
