"""How costs grow with length. Costs are {length: cost}, in the order of the lengths."""

from collections.abc import Mapping

import numpy as np


def slope(costs: Mapping[int, float]) -> float:
    """The exponent p of the power law cost = a · length^p that fits best (least squares of the logarithms)."""
    return float(np.polyfit(np.log(list(costs)), np.log(list(costs.values())), 1)[0])


def crossing(one: Mapping[int, float], other: Mapping[int, float]) -> float:
    """The length where the first cost overtakes the second, between two measured ones; nan where it never does.

    Raises ValueError where they were not measured at the same lengths.
    """
    if list(one) != list(other):
        raise ValueError(f"one cost was measured at {list(one)} and the other at {list(other)}; expected the same.")
    ahead = np.log(np.array(list(one.values())) / np.array(list(other.values())))
    logs = np.log(list(one))
    for i in range(len(logs) - 1):
        if ahead[i] < 0 <= ahead[i + 1]:
            share = ahead[i] / (ahead[i] - ahead[i + 1])
            return float(np.exp(logs[i] + share * (logs[i + 1] - logs[i])))
    return float("nan")
