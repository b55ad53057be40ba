"""The ruler of the course: how does information move through a network, and how far?

`influence` measures it by gradient for any module or function; `receptive_field` computes its support
in closed form for stacks and graphs of convolutions and pools; `context_horizon` and `context_excess` measure by
the loss how far back a language model looks.
"""

from utils.reach.excess import Excess, context_excess, losses
from utils.reach.fields import Layer, ReceptiveField, output_sides, receptive_field
from utils.reach.horizon import Horizon, context_horizon
from utils.reach.jacobian import effective_side, influence
from utils.reach.layers import UnsupportedLayer
from utils.reach.windows import MisalignedBranches, Window

__all__ = [
    "Excess",
    "Horizon",
    "Layer",
    "MisalignedBranches",
    "ReceptiveField",
    "UnsupportedLayer",
    "Window",
    "context_excess",
    "context_horizon",
    "effective_side",
    "influence",
    "losses",
    "output_sides",
    "receptive_field",
]
