"""A plugin for nbval: `notebooks/` and `solutions/` in one session. Use it with `-p tests.notebooks`.

A solution is run as the course is meant: whole trainings, and a failed check or a claim that does not hold is an error.
A learner's copy has the same experiments, so it is rehearsed: what is tried there is that it runs to its end with its
answers missing. One session keeps both cores busy to its end; two would each wait for their longest notebook.
"""

import os

import pytest

GIVEN = os.environ.get("REACH_STRICT", "")


@pytest.hookimpl(tryfirst=True)  # a notebook's first cell starts its kernel, which inherits this
def pytest_runtest_setup(item: pytest.Item) -> None:
    solution = item.path.parent.name == "solutions"
    os.environ["REACH_STRICT"] = f"{GIVEN},checks,claims" if solution else GIVEN
    os.environ["REACH_TRAINING"] = "" if solution else "short"
