"""A pytest plugin, `-p tests.progress`: failures are shown when they happen, and a line a minute says where it stands.

It works with pytest-xdist too, on the side that collects the reports.
"""

import os
import threading
import time

import pytest

EVERY_S = 60


class Progress:
    """Counts reports. It writes to the terminal itself: what pytest would write during a test is captured."""

    def __init__(self, terminal: int):
        self.terminal = terminal
        self.started = time.monotonic()
        self.total = self.done = self.failed = 0
        self.last = "nothing yet"
        self.over = threading.Event()

    def pytest_sessionstart(self) -> None:
        threading.Thread(target=self.speak, daemon=True).start()

    def pytest_sessionfinish(self) -> None:
        self.over.set()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.total = max(self.total, len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: list[str]) -> None:
        self.total = max(self.total, len(ids))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.done += report.when == "teardown"
        self.last = report.location[0]
        if report.failed:
            self.failed += 1
            self.write(f"FAILED {report.nodeid} ({report.when})\n{report.longreprtext}")

    def speak(self) -> None:
        """Say every minute where it stands, also while one test takes longer than that."""
        while not self.over.wait(EVERY_S):
            self.write(self.where_it_stands())

    def where_it_stands(self) -> str:
        """ "12:30  840 of 2100 (40%), 1 failed, last in tests/test_reach.py" """
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        failed = f", {self.failed} failed" if self.failed else ""
        share = f"{self.done / max(self.total, 1):.0%}"
        return f"{minutes}:{seconds:02}  {self.done} of {self.total} ({share}){failed}, last in {self.last}"

    def write(self, text: str) -> None:
        os.write(self.terminal, f"\n{text}\n".encode())


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # a worker of xdist has no terminal
        config.pluginmanager.register(Progress(os.dup(1)), "reach-progress")
