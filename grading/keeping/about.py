"""What an archive says of itself: to a program, and to a person who opens it in two years."""

import json
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from grading.classroom import Classroom
from utils.paths import COURSE

README, ABOUT, CHECKSUMS = "ARCHIVE.txt", "archive.json", "archive.sha256"
OURS = (README, ABOUT, CHECKSUMS)
FORMAT = 1

TEXT = """\
A class of the course Reach, graded with `reach-grade`: {title}

{assignments}
The newest file in here is of {newest}. This is the folder of the class as it was, unpacked by any unzip:

release/       the notebooks that were handed out, against which submissions are graded
submitted/     what each student handed in, with a receipt: when it came in, from which file
results/       the marks of each submission with the diagnosis of each check, and the seed of the random cases
autograded/    the submissions as they were run, with the verdicts
feedback/      the pages that students got
report/        the pages of the class
gradebook.db   all scores and comments, those given by hand too: SQLite, in nbgrader's tables{database}
roster.json, due.csv, nbgrader_config.py   who was in the class, when what was due, the late policy
private_checks/                            the instructor's own checks, if they were given to the command `archive`
pages.key      the secret of the names of published pages: who has it can open every student's page that is still served
mail.csv       whose published page is where: the links, and the files by their paths on the machine that published them

Is it whole?  In the unpacked folder:  sha256sum -c archive.sha256
To ask it:    reach-grade restore THIS.zip --class there   and then any command of the course's guide, docs/grading.md
              Restore only what you have made yourself: nbgrader_config.py is a program, and is run.

A complaint:  feedback/STUDENT/... is what the student was told, submitted/STUDENT/... what they gave, and
              results/ASSIGNMENT/STUDENT.json why. To grade it again by the same cases, install the course and the
              packages of the versions below; the seed in results/ASSIGNMENT.batch.json is taken by itself.

Versions, when this was archived (all packages are in archive.json):
{versions}
It holds names and grades: keep it safe, and no longer than your school's rules say.
"""


@dataclass(frozen=True)
class Database:
    """Where the gradebook was: SQLAlchemy's URL, and the file if it is one of SQLite."""

    url: str
    file: Path | None

    @classmethod
    def of(cls, url: str) -> "Database":
        parsed = make_url(url)
        is_file = parsed.get_backend_name() == "sqlite" and parsed.database
        return cls(url, Path(parsed.database) if is_file and parsed.database else None)

    def passwords(self) -> list[str]:
        """Those that the URL has."""
        parsed = make_url(self.url)
        return [one for one in (parsed.password, parsed.query.get("password")) if isinstance(one, str)]


def about(classroom: Classroom, database: Database, left_out: list[str]) -> dict[str, Any]:
    """What `archive.json` says, besides the times of the files. No path of this machine is in it, and no password."""
    names = sorted(path.stem for path in classroom.root.glob("release/*/*.ipynb") if path.stem == path.parent.name)
    return {
        "format": FORMAT,
        "class": classroom.root.resolve().name,
        "database": make_url(database.url).get_backend_name(),
        "assignments": {name: _of_assignment(classroom, name) for name in names},
        "left_out": left_out,
        "course": {"version": version("reach-course"), "commit": _commit()},
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": _packages(),
    }


def readme(facts: dict[str, Any], newest: int) -> str:
    """The text for a person. `newest` is when the newest file was changed, in seconds since 1970."""
    rows = [
        f"{name}: {of['submissions']} submissions, {of['results']} graded, seed {of['batch'].get('seed', 'none')}\n"
        for name, of in facts["assignments"].items()
    ]
    course, packages = facts["course"], facts["packages"]
    versions = {
        "reach-course": f"{course['version']}, commit {course['commit'] or 'not known'}",
        "Python": facts["python"],
    } | {name: packages[name] for name in ("torch", "numpy", "nbgrader") if name in packages}
    was = f"\n               (copied from a database of {facts['database']})" if facts["database"] != "sqlite" else ""
    return TEXT.format(
        title=facts["class"],
        assignments="".join(rows),
        newest=f"{datetime.fromtimestamp(newest, UTC):%Y-%m-%d %H:%M} UTC",
        database=was,
        versions="".join(f"  {name} {one}\n" for name, one in versions.items()),
    )


def _of_assignment(classroom: Classroom, name: str) -> dict[str, Any]:
    """The seed is text in here: it has 128 bits, and what JavaScript reads and writes again keeps 53."""
    results = classroom.result("anyone", name).parent
    batch = classroom.batch(name)
    kept = json.loads(batch.read_text(encoding="utf-8")) if batch.is_file() else {}
    return {
        "submissions": len(classroom.students(name)),
        "results": sum(1 for _ in results.glob("[!.]*.json")),
        "batch": {key: str(value) if key == "seed" else value for key, value in kept.items()},
    }


def _packages() -> dict[str, str]:
    found = {one.metadata["Name"]: one.version for one in distributions()}
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def _commit() -> str:
    """Of the course's repository, with a mark if files differ from it; empty where it is not one."""
    try:
        command = ["git", "-C", str(COURSE), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
