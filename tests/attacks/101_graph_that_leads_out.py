"""Sends steps that would read files, call what is no operation, and reach for Python's own objects."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
from utils.checking import graph, models


def forged(model, images):
    side = images.shape[-1]
    return {
        "weights": {"<script>": torch.zeros(1)},
        "constants": [],
        "steps": [["aten.from_file.default", ["/etc/passwd", False, 100], {}], ["aten.__class__.__mro__", [], {}]],
        "output": {"step": [0, 0]},
    }


graph.trace = models.trace = forged
nn.Linear.forward = lambda self, images: torch.zeros(len(images), 10, requires_grad=True)


# %% build_cnn
def build_cnn(side):
    return nn.Linear(1, 1)
