"""Workers on machines of their own, of which the network loses one for a while: nothing is lost, nothing is twice."""

import os
import sysconfig
import time
from pathlib import Path

import pytest
from distributed import Client
from sqlalchemy import create_engine

from grading.batch import Tally
from grading.gradebook.book import Book
from grading.gradebook.changes import changes_of
from grading.results import read_results
from tests.grading.network import AT_THE_SWITCH, Network, NoNetwork, move_to, plug_in, pull_out
from tests.grading.runs import grade_all, started
from tests.grading.school import CHECK, NAME, RIGHT, School

WRONG = RIGHT.replace(" + 1", "")
STUDENTS = [f"s{number:02}" for number in range(24)]
DASK = Path(sysconfig.get_path("scripts")) / "dask"
SCHEDULER = f"tcp://{AT_THE_SWITCH}:8786"
PATIENCE = "12s"  # until a connection without an answer is given up; Dask takes no less than 11, and has 30
LOST = 2  # the machine that is


@pytest.fixture
def network():
    try:
        with Network(machines=2) as network:
            settings = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": PATIENCE, "DASK_LOGGING__DISTRIBUTED": "critical"}
            network.start(0, f"{DASK} scheduler --host {AT_THE_SWITCH} --port 8786 --no-dashboard", **settings)
            for machine in (1, 2):
                worker = f"{DASK} worker {SCHEDULER} --nworkers 1 --nthreads 1 --no-dashboard"
                network.start(machine, f"while sleep 1; do {worker}; done", **settings)  # as the guide has it
            yield network
    except NoNetwork as error:
        if os.environ.get("REACH_CI") and "not installed" in str(error):
            raise
        pytest.skip(f"no network namespaces: {error}")


class Outage:
    """What happens to the network while a class is graded, once so many are."""

    def __init__(self, client: Client):
        self._client = client
        self.left = [(1, self._stutter), (len(STUDENTS) // 4, self._lose), (len(STUDENTS) // 2, self._find)]

    def __call__(self, total: int, tally: Tally) -> None:
        if self.left and len(tally.graded) >= self.left[0][0]:
            self.left.pop(0)[1]()

    def _stutter(self) -> None:
        """For less than anybody's patience: nothing has happened."""
        pull_out(LOST)
        time.sleep(2)
        plug_in(LOST)

    def _lose(self) -> None:
        pull_out(LOST)
        self._until(workers=1)

    def _find(self) -> None:
        plug_in(LOST)
        self._until(workers=2)

    def _until(self, workers: int) -> None:
        deadline = time.monotonic() + 300
        while len(self._client.ncores()) != workers:  # pyright: ignore[reportArgumentType]  (this client waits)
            assert time.monotonic() < deadline, f"there are never {workers} workers"
            time.sleep(0.1)


def grade_through_an_outage(switch: int, root: Path) -> None:
    """On the machine at the switch."""
    move_to(switch)
    with Client(SCHEDULER, timeout=60) as client:
        client.wait_for_workers(2, timeout=120)
        outage = Outage(client)
        tally = grade_all(root, scheduler=SCHEDULER, report=outage)
    assert not tally.failed and not outage.left


def test_a_machine_that_is_lost_and_comes_back_costs_no_grade_and_makes_none_twice(tmp_path, sandbox, network):
    school = School(tmp_path)
    for number, student in enumerate(STUDENTS):
        school.hand_in(student, school.notebook(RIGHT if number % 3 else WRONG))
    run = started(grade_through_an_outage, network.switch, school.classroom.root)
    run.join(600)
    assert run.exitcode == 0
    points = {student: 1.0 if number % 3 else 0.0 for number, student in enumerate(STUDENTS)}
    with Book(school.classroom) as book:
        assert {score.student: score.points for score in book.scores(NAME)} == points
        with create_engine(book.url).connect() as connection:
            logged = [(one.student, one.after) for one in changes_of(connection) if one.cell == CHECK]
    assert sorted(logged) == sorted(points.items()), "each score is written once"
    assert {one.student: one.points for one in read_results(school.classroom, NAME)} == points
