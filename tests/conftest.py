"""What every test shares: no test writes a learner's record, and none fights for the cores."""

import os
import sys

import matplotlib
import pytest
import torch
from hypothesis import settings

from tests import groups
from tests.axe import accessible  # noqa: F401
from tests.browser import chromium, lab  # noqa: F401  (fixtures, one of each for a whole run)

os.environ["REACH_PROGRESS"] = "off"
matplotlib.use("Agg")
torch.set_num_threads(1)

settings.register_profile("reach", deadline=None)  # no test depends on how fast or how busy a machine is
settings.load_profile("reach")


@pytest.fixture(autouse=True)
def no_modes_from_outside(monkeypatch):
    """Tests choose strictness and rehearsal themselves; whoever runs them may have chosen otherwise."""
    for name in ("REACH_STRICT", "REACH_TRAINING", "NBGRADER_EXECUTION"):
        monkeypatch.setenv(name, "")  # set and deleted: so it is as before afterwards, whatever a test does to it
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def no_submission_waits_for_a_processor(monkeypatch):
    """To the grader, whose verdict a busy machine would change; tests of that verdict say themselves who waits.

    The learner's tests have no grader, and run where there can be none.
    """
    if "grading" in sys.modules:
        monkeypatch.setattr("grading.sandbox.process.queue_seconds", lambda processes: {})


@pytest.fixture(autouse=True)
def no_figures_left():
    """A figure that a test leaves open is none of the next one's."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


def pytest_configure(config):
    for name, meaning in groups.GROUPS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


def pytest_collection_modifyitems(items):
    for item in items:
        groups.mark(item)
