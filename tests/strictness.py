"""A plugin for nbval: `notebooks/` and `solutions/` in one session, where only in solutions a failed check is an error.

One session keeps both cores busy to its end; two would each wait for their longest notebook. Use it with
`-p tests.strictness`.
"""

import os

import pytest

GIVEN = os.environ.get("REACH_STRICT", "")


@pytest.hookimpl(tryfirst=True)  # a notebook's first cell starts its kernel, which inherits this
def pytest_runtest_setup(item: pytest.Item) -> None:
    os.environ["REACH_STRICT"] = f"{GIVEN},checks" if item.path.parent.name == "solutions" else GIVEN
