"""A plugin for nbval, `-p tests.cuda`: each notebook is asked at its end whether it used the GPU, and a report says so.

A notebook that trains and left the GPU idle has failed: whatever moved its model to the CPU would go unseen, since all
else comes out the same. report/gpu.md is for people, report/gpu.json for programs.
"""

import json
import re
from collections import defaultdict
from pathlib import Path

import nbformat
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

TRAINS = re.compile(r"^[^#\n]*\bfit\(", re.MULTILINE)
"""Code that calls `utils.training.fit`, which lends every model to the GPU."""

QUESTION = """\
import json, torch
there = torch.cuda.is_available()
print(json.dumps({
    "card": torch.cuda.get_device_name() if there else None,
    "torch": torch.__version__,
    "cuda": torch.version.cuda,
    "bytes": torch.cuda.max_memory_allocated() if there else 0,
}))
"""


class Asked(IPyNbCell):
    """The last cell of a notebook, which we add: what did it hold on the GPU, at most?"""

    def runtest(self) -> None:
        super().runtest()
        used = json.loads("".join(output["text"] for output in self.test_outputs))
        trains = any(TRAINS.search(cell.source) for cell in self.parent.nb.cells if cell.cell_type == "code")
        self.user_properties.append(("gpu", used | {"trains": trains}))
        if trains and not used["bytes"]:
            self.raise_cell_error(f"The notebook trains, and left the GPU idle: {used['card'] or 'there is none'}.")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    last = {item.parent: place for place, item in enumerate(items) if isinstance(item.parent, IPyNbFile)}
    for notebook, place in sorted(last.items(), key=lambda found: found[1], reverse=True):
        cell, number = nbformat.v4.new_code_cell(QUESTION), items[place].cell_num + 1
        options = defaultdict(bool)
        asked = Asked.from_parent(notebook, name=f"Cell {number}", cell_num=number, cell=cell, options=options)
        items.insert(place + 1, asked)


class Report:
    """Collects what the notebooks said, on the side of pytest-xdist that has all reports, and writes it at the end."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.said: dict[str, dict] = defaultdict(lambda: {"seconds": 0.0, "failed": 0, "used": None})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        one = self.said[report.nodeid.partition("::")[0]]
        one["seconds"] += report.duration
        one["failed"] += report.failed
        if report.when == "call":
            one["used"] = dict(report.user_properties).get("gpu", one["used"])

    def pytest_sessionfinish(self) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "gpu.json").write_text(json.dumps(self.said, indent=2), encoding="utf-8")
        (self.folder / "gpu.md").write_text(self.as_text(), encoding="utf-8")

    def as_text(self) -> str:
        used = [one["used"] for one in self.said.values() if one["used"]]
        cards = sorted({f"{one['card'] or 'no GPU'}, torch {one['torch']}, CUDA {one['cuda']}" for one in used})
        rows = [
            f"| {name} | {one['seconds']:.0f} | {_held(one['used'])} | {_outcome(one)} |"
            for name, one in sorted(self.said.items())
        ]
        head = ["| notebook | seconds | on the GPU, at most | |", "| --- | --- | --- | --- |"]
        return "\n".join([f"Ran on: {'; '.join(cards) or 'nothing'}", "", *head, *rows, ""])


def _held(used: dict | None) -> str:
    if used is None:
        return "not known"
    return f"{used['bytes'] / 2**20:,.0f} MB" + ("" if used["trains"] else " (trains nothing itself)")


def _outcome(one: dict) -> str:
    return f"✗ {one['failed']} failed" if one["failed"] else "✓"


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # a worker of xdist
        config.pluginmanager.register(Report(config.rootpath / "report"), "reach-gpu-report")
