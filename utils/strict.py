"""REACH_STRICT: what must be an error for a program may be a notice for a learner."""

import os

KINDS = ("data", "checks", "claims")


def strict(what: str) -> bool:
    """Whether the environment variable REACH_STRICT asks for errors about `what`, one of KINDS.

    REACH_STRICT is a comma list of these words; "1" means all; unset, empty or "0" means none.
    Raises ValueError for any other word, so that a misspelt REACH_STRICT is not taken for a lenient one.
    """
    if what not in KINDS:
        raise ValueError(f"strict() knows {', '.join(KINDS)}, not {what!r}")
    value = os.environ.get("REACH_STRICT", "")
    words = {word.strip().lower() for word in value.split(",")} - {"", "0"}
    if unknown := words - {"1", *KINDS}:
        raise ValueError(
            f"REACH_STRICT is {value!r}, and {', '.join(sorted(unknown))} is not a word it knows. "
            f"Set it to 1 (all), to a comma list of {', '.join(KINDS)}, or to nothing."
        )
    return "1" in words or what in words
