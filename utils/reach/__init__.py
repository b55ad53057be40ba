"""The ruler of the course: how does information move through a network, and how far?

``influence`` measures it by gradient for any module or function; ``receptive_field`` computes its support
in closed form for stacks and graphs of convolutions and pools; ``context_horizon`` measures by the loss how
far back a language model looks.
"""

from .fields import ReceptiveField, receptive_field
from .horizon import Horizon, context_horizon
from .jacobian import effective_side, influence
from .layers import UnsupportedLayer
from .windows import MisalignedBranches, Window

__all__ = [
    "Horizon",
    "MisalignedBranches",
    "ReceptiveField",
    "UnsupportedLayer",
    "Window",
    "context_horizon",
    "effective_side",
    "influence",
    "receptive_field",
]
