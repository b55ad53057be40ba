"""A pytest plugin, `-p tests.progress`: failures are shown when they happen, and a line a minute says where it stands.

It works with pytest-xdist too, on the side that collects the reports.
"""

import threading
import time

import pytest

EVERY_S = 60


class Progress:
    """Counts reports, and writes to the terminal."""

    def __init__(self, config: pytest.Config):
        self.config = config
        self.started = time.monotonic()
        self.total = self.done = self.failed = 0
        self.file = ""
        self._over = threading.Event()
        self._clock = threading.Thread(target=self._tick, daemon=True)

    def line(self) -> str:
        """ "12:30  840 of 2100 (40 %), 1 failed, in tests/test_reach.py" """
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        share = f"{self.done / self.total:.0%}" if self.total else "?"
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{minutes}:{seconds:02}  {self.done} of {self.total} ({share}){failed}, in {self.file or '…'}"

    def write(self, text: str) -> None:
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        terminal.ensure_newline()
        terminal.write_line(text)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.total = max(self.total, len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: list[str]) -> None:
        self.total = max(self.total, len(ids))

    def pytest_runtestloop(self) -> None:
        self._clock.start()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.file = report.location[0]
        self.done += report.when == "teardown"
        if report.failed:
            self.failed += 1
            self.write(f"FAILED {report.nodeid} ({report.when})\n{report.longreprtext}")

    def pytest_sessionfinish(self) -> None:
        self._over.set()

    def _tick(self) -> None:
        while not self._over.wait(EVERY_S):
            self.write(self.line())


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # a worker of xdist has no terminal
        config.pluginmanager.register(Progress(config), "reach-progress")
