"""Random arguments for an exercise's cases. All of them are drawn from one generator, so a seed fixes a check."""

import numpy as np
import torch
from torch import Tensor


def normal(rng: np.random.Generator, *shape: int) -> Tensor:
    """Standard normal float32 tensor of this shape."""
    return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))


def uniform(rng: np.random.Generator, *shape: int) -> Tensor:
    """Float32 tensor of this shape, uniform in [0, 1), like the pixels of an image."""
    return torch.from_numpy(rng.random(shape, dtype=np.float32))
