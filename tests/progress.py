"""A pytest plugin, `-p tests.progress`: failures are shown when they happen, and a line a minute says where it stands.

It works with pytest-xdist too, on the side that collects the reports.
"""

import time

import pytest

EVERY_S = 60


class Progress:
    """Counts reports, and writes to the terminal between them: while a test runs, its output is captured."""

    def __init__(self, config: pytest.Config):
        self.config = config
        self.started = self.spoken = time.monotonic()
        self.total = self.done = self.failed = 0

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.total = max(self.total, len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: list[str]) -> None:
        self.total = max(self.total, len(ids))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.done += report.when == "teardown"
        if report.failed:
            self.failed += 1
            self.write(f"FAILED {report.nodeid} ({report.when})\n{report.longreprtext}")
        if time.monotonic() - self.spoken >= EVERY_S:
            self.spoken = time.monotonic()
            self.write(self.where_it_stands(report.location[0]))

    def where_it_stands(self, file: str) -> str:
        """ "12:30  840 of 2100 (40%), 1 failed, in tests/test_reach.py" """
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{minutes}:{seconds:02}  {self.done} of {self.total} ({self.done / self.total:.0%}){failed}, in {file}"

    def write(self, text: str) -> None:
        self.config.pluginmanager.get_plugin("terminalreporter").write(f"\n{text}\n")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # a worker of xdist has no terminal
        config.pluginmanager.register(Progress(config), "reach-progress")
