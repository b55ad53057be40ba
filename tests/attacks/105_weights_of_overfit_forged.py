"""Sends weights of other sizes, of NaN and of infinities, and losses that are no numbers."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
from grading.worker import student

pack = student._pack_outcome


def forged(outcome):
    weights = torch.full((2_410,), float("nan")) if forged.asked % 2 else torch.full((2_410,), float("inf"))
    forged.asked += 1
    sent = {
        "weights": weights,
        "steps": [[2.3, 64], [float("nan"), 64]],
        "losses": [float("nan")],
        "kind": "list",
        "after": 0.0,
    }
    return pack(type(outcome)(value=sent))


forged.asked = 0
student._pack_outcome = forged


# %% overfit
def overfit(model, images, labels):
    return [0.0]
