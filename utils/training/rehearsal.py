"""REACH_TRAINING=short: a rehearsal, for who asks whether a notebook runs and not what its models learn."""

import os

SHORT = 20
"""A rehearsed training takes one step where the whole one takes so many."""


def rehearsed(steps: int, validations: int) -> int:
    """The steps that a training really takes: all of them, or in a rehearsal few, and one for each validation.

    Raises ValueError where the environment variable REACH_TRAINING says something else than "short" or nothing.
    """
    asked = os.environ.get("REACH_TRAINING", "")
    if asked not in ("", "short"):
        raise ValueError(f"REACH_TRAINING is {asked!r}. Set it to short, for a rehearsal, or to nothing.")
    return min(steps, max(steps // SHORT, validations)) if asked else steps
