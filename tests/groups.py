"""Which tests are slow by nature, told by their folder and fixtures, so that `make quick` can leave them out."""

import pytest

GROUPS = {
    "attack": "grades a hostile submission",
    "browser": "drives JupyterLab in a browser",
    "sandbox": "starts the sandbox",
    "slow": "is of a file that takes more than 15 seconds, most of them to start processes",
}
SLOW = {
    "another_process",
    "any_system",
    "authoring",
    "batch",
    "build",
    "cli",
    "course",
    "cuda",
    "demo",
    "forged_answers",
    "formulas",
    "gradebook",
    "nbgrader_tools",
    "network",
    "outputs_of_commands",
    "package",
    "postgresql",
    "sandbox",
    "scale",
    "setup_cell",
}
BY_FIXTURE = {"chromium": "browser", "lab": "browser", "sandbox": "sandbox"}


def mark(item: pytest.Item) -> None:
    """Give a test the marks of the groups that it belongs to."""
    if "attacks" in item.path.parts:
        item.add_marker("attack")
    if item.path.stem.removeprefix("test_") in SLOW:
        item.add_marker("slow")
    for fixture, group in BY_FIXTURE.items():
        if fixture in getattr(item, "fixturenames", ()):
            item.add_marker(group)
