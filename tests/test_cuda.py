"""`make test-gpu` on machines without a GPU: notebooks that pretend to have one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from utils.paths import COURSE

CARD = """\
import torch
torch.cuda.is_available, torch.cuda.get_device_name = lambda: True, lambda: "A made-up card"
torch.cuda.max_memory_allocated = lambda: {bytes}
"""
TRAINING = "def fit(model):\n    return model\n\nfit(torch.nn.Linear(1, 1))"


@pytest.fixture
def run(tmp_path):
    """A function that runs notebooks, {name: cells}, as `make test-gpu` does; the exit status and what was printed."""

    def test(**notebooks: list[str]) -> tuple[int, str]:
        for name, cells in notebooks.items():
            made = new_notebook(cells=[new_code_cell(cell) for cell in cells])
            made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
            nbformat.write(made, tmp_path / f"{name}.ipynb")
        command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.cuda", "--nbval-lax", "--color=no"]
        command += ["--dist", "loadscope", "-n", "1", "--rootdir", str(tmp_path), "."]
        environment = os.environ | {"PYTHONPATH": str(COURSE)}
        done = subprocess.run([sys.executable, *command], cwd=tmp_path, env=environment, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    return test


def report(folder: Path) -> str:
    return (folder / "report" / "gpu.md").read_text(encoding="utf-8")


def test_a_notebook_that_trains_on_the_cpu_in_spite_of_a_card_fails(run, tmp_path):
    status, said = run(
        idle=[CARD.format(bytes=0), TRAINING],
        busy=[CARD.format(bytes=5 * 2**20), TRAINING],
        reading=[CARD.format(bytes=0), "1 + 1  # trains nothing: no fit(model)"],
    )
    assert status == 1 and "The notebook trains, and left the GPU idle: A made-up card." in said, said
    assert "1 failed, 8 passed" in said
    text = report(tmp_path)
    assert "A made-up card, torch" in text
    rows = {line.split(" | ")[0]: line for line in text.splitlines()}
    assert "0 MB | ✗ 1 failed" in rows["| idle.ipynb"]
    assert "5 MB | ✓" in rows["| busy.ipynb"]
    assert "0 MB (trains nothing itself) | ✓" in rows["| reading.ipynb"]
    kept = json.loads((tmp_path / "report" / "gpu.json").read_text(encoding="utf-8"))
    assert kept["busy.ipynb"]["used"]["bytes"] == 5 * 2**20 and kept["busy.ipynb"]["seconds"] > 0


def test_a_machine_without_a_card_fails_too_and_a_notebook_that_breaks_is_in_the_report(run, tmp_path):
    status, said = run(alone=["import torch", TRAINING], broken=["1 / 0"])
    assert status == 1 and "left the GPU idle" in said
    assert "✗ 1 failed" in report(tmp_path).split("broken.ipynb")[1]
