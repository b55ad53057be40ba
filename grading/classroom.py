"""The folder of a class: nbgrader's layout, and what we keep beside it.

release/ASSIGNMENT/ASSIGNMENT.ipynb               what was handed out
submitted/STUDENT/ASSIGNMENT/ASSIGNMENT.ipynb     what came in
submitted/STUDENT/ASSIGNMENT/receipt.json         how it came in, a `grading.receipt.Receipt`
submitted/STUDENT/ASSIGNMENT/attempts.json        how often and when, `grading.attempts.Attempt`s
roster.json                                       who is in the class, as far as a roster said so
due.csv                                           when what is due, for everybody and for single students
due.before.csv                                    the same, before another file took its place
autograded/STUDENT/ASSIGNMENT/ASSIGNMENT.ipynb    repaired, run in the sandbox, with our verdicts as outputs
results/ASSIGNMENT/STUDENT.json                   a `grading.results.Graded` each
feedback/STUDENT/ASSIGNMENT/ASSIGNMENT.html       one page a student
report/ASSIGNMENT.html                            the class page
report/index.html                                 the course page, on all assignments
rubrics/ASSIGNMENT.json                           what answers to its quizzes get points for
report/similar/ASSIGNMENT.html                    submissions that are alike
written.json                                      which files elsewhere `export` and `pack` wrote, and may replace
pages.key, mail.csv                               the secret of published pages' names, and whose page is where
gradebook.db, nbgrader_config.py                  nbgrader's
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

STUDENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


@dataclass(frozen=True)
class Classroom:
    """Paths in the class's folder `root`. An assignment is a lesson's file name without its ending: 01_convolution."""

    root: Path

    def command(self, name: str, *words: str) -> str:
        """The command to propose for this class, ready to be copied: `reach-grade grade --class my-class`."""
        place = () if self.root == Path() else ("--class", str(self.root))
        return shlex.join(("reach-grade", name, *words, *place))

    def released(self, assignment: str) -> Path:
        return self.root / "release" / assignment / f"{assignment}.ipynb"

    def submitted(self, student: str, assignment: str) -> Path:
        return self.root / "submitted" / student / assignment / f"{assignment}.ipynb"

    def receipt(self, student: str, assignment: str) -> Path:
        return self.submitted(student, assignment).with_name("receipt.json")

    def attempts(self, student: str, assignment: str) -> Path:
        return self.submitted(student, assignment).with_name("attempts.json")

    def autograded(self, student: str, assignment: str) -> Path:
        return self.root / "autograded" / student / assignment / f"{assignment}.ipynb"

    def result(self, student: str, assignment: str) -> Path:
        return self.root / "results" / assignment / f"{student}.json"

    def batch(self, assignment: str) -> Path:
        return self.root / "results" / f"{assignment}.batch.json"

    def has_results(self, assignment: str) -> bool:
        return any(self.result("anyone", assignment).parent.glob("[!.]*.json"))

    def feedback(self, student: str, assignment: str) -> Path:
        return self.root / "feedback" / student / assignment / f"{assignment}.html"

    def report(self, assignment: str) -> Path:
        return self.root / "report" / f"{assignment}.html"

    def similar(self, assignment: str) -> Path:
        return self.root / "report" / "similar" / f"{assignment}.html"

    def rubric(self, assignment: str) -> Path:
        return self.root / "rubrics" / f"{assignment}.json"

    @property
    def course(self) -> Path:
        return self.root / "report" / "index.html"

    @property
    def roster(self) -> Path:
        return self.root / "roster.json"

    @property
    def due(self) -> Path:
        return self.root / "due.csv"

    @property
    def due_before(self) -> Path:
        return self.root / "due.before.csv"

    @property
    def written(self) -> Path:
        return self.root / "written.json"

    @property
    def pages_key(self) -> Path:
        return self.root / "pages.key"

    @property
    def mail(self) -> Path:
        return self.root / "mail.csv"

    @property
    def gradebook(self) -> Path:
        return self.root / "gradebook.db"

    def students(self, assignment: str) -> list[str]:
        """Who has submitted this assignment. A folder whose name is no student's is left out."""
        found = sorted(self.root.glob(f"submitted/*/{assignment}/{assignment}.ipynb"))
        return [path.parts[-3] for path in found if STUDENT.fullmatch(path.parts[-3])]
