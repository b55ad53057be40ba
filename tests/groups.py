"""Which tests are slow by nature, told by their folder and fixtures, so that `make quick` can leave them out."""

import pytest

GROUPS = {
    "attack": "grades a hostile submission",
    "browser": "drives JupyterLab in a browser",
    "sandbox": "starts the sandbox",
    "slow": "takes more than 20 seconds",
}
BY_FIXTURE = {"chromium": "browser", "lab": "browser", "sandbox": "sandbox"}


def mark(item: pytest.Item) -> None:
    """Give a test the marks of the groups that it belongs to."""
    if "attacks" in item.path.parts:
        item.add_marker("attack")
    for fixture, group in BY_FIXTURE.items():
        if fixture in getattr(item, "fixturenames", ()):
            item.add_marker(group)
