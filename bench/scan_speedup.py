"""Seconds to compute 4,096 steps of a linear recurrence there and back: by loop, and by parallel scan.

One sequence, 64 numbers side by side, forward and backward, both ways in turn in one run, on one thread. The result is
the median of the ratios of the rounds. On one core the scan wins by calling few large operations instead of thousands
of small ones; it does more arithmetic, not less. With many more numbers side by side the ratio is smaller.
"""

from statistics import median

import torch

from utils.costs import processor_seconds
from utils.models.scan import scan, scan_loop

STEPS, WIDTH, ROUNDS = 4_096, 64, 9


def scan_speedup() -> tuple[float, dict]:
    """The ratio, and what it comes from."""
    draw = torch.Generator().manual_seed(0)
    a = torch.rand(1, STEPS, WIDTH, generator=draw).requires_grad_()
    b = torch.randn(1, STEPS, WIDTH, generator=draw).requires_grad_()
    ways = {"scan": scan, "loop": scan_loop}
    taken = processor_seconds(
        {name: lambda way=way: torch.autograd.grad(way(a, b).sum(), (a, b)) for name, way in ways.items()}, ROUNDS
    )
    ratios = [loop / parallel for loop, parallel in zip(taken["loop"], taken["scan"], strict=True)]
    details = {"steps": STEPS, "width": WIDTH, "seconds": taken["scan"], "reference_seconds": taken["loop"]}
    return median(ratios), details
