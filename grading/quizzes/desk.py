"""What the page for quizzes shows and does: questions, answers as they stand, points, rubrics."""

import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from grading.assignment import Assignment
from grading.classroom import Classroom
from grading.gradebook.book import Book
from grading.gradebook.by_hand import Given, Outdated, Standing, give, last_changes, standings, waiting
from grading.gradebook.changes import Change
from grading.problems import GradingError
from grading.quizzes.answers import Notebooks, folded
from grading.quizzes.questions import Question, questions_of
from grading.quizzes.rubric import Item, alone, changed, read_rubric, write_rubric

BY_HAND = "by hand, on the page for quizzes"
TAKEN_BACK = "taken back by hand, on the page for quizzes"
RUBRIC = "the rubric was changed, on the page for quizzes"


@dataclass(frozen=True)
class Answer:
    """What one student wrote, and what it was given so far."""

    text: str
    standing: Standing

    @property
    def version(self) -> str:
        """Of the text and of what it was given. Whoever saves says which one they have seen."""
        given = [self.standing.score, self.standing.comment, self.standing.waits]
        return f"{_digest(self.text)}.{_digest(given)}"

    def is_other_text(self, version: str) -> bool:
        return version.partition(".")[0] != _digest(self.text)


@dataclass(frozen=True)
class Group:
    """Equal answers that were given the same, to be graded as one.

    `given_before` is what the latest of the same answers in another group has; None where nobody graded one.
    """

    answers: list[Answer]
    given_before: Standing | None = None

    @property
    def standing(self) -> Standing:
        return self.answers[0].standing

    @property
    def text(self) -> str:
        return self.answers[0].text

    @property
    def wordings(self) -> list[str]:
        """The other ways in which it is written."""
        return list(dict.fromkeys(answer.text for answer in self.answers if answer.text != self.text))


class Desk:
    """The quizzes of some assignments of a class, and who grades them.

    Args:
        classroom: the class's folder.
        assignments: whose quizzes; they are in the gradebook.
        book: the class's gradebook.
        anonymous: groups hold nobody's name or id, and each question has its own order of the answers.
        grader: the name for the log of changes; this account, if empty.
    """

    def __init__(
        self,
        classroom: Classroom,
        assignments: Iterable[Assignment],
        book: Book,
        anonymous: bool = False,
        grader: str = "",
    ):
        self.classroom, self.anonymous, self.grader = classroom, anonymous, grader
        self._book, self._notebooks = book, Notebooks(classroom)
        questions = itertools.chain.from_iterable(map(questions_of, assignments))
        self.questions = {(question.assignment, question.cell): question for question in questions}

    def overview(self) -> list[tuple[Question, int, int]]:
        """(question, answers that wait for a person, all answers) of each."""
        found = []
        for assignment, questions in itertools.groupby(self.questions.values(), lambda one: one.assignment):
            counts = waiting(self._book, assignment, without=self.not_read(assignment))
            found += [(question, *counts.get(question.cell, (0, 0))) for question in questions]
        return found

    def not_read(self, assignment: str) -> set[str]:
        """Whose file could not be read: it has no answers, and nobody can give them points here."""
        return self._notebooks.not_read(assignment)

    def groups(self, question: Question, together: bool = True) -> list[Group]:
        """All answers, those that wait first, and the largest groups first among them.

        Args:
            question: one of `questions`.
            together: equal answers form a group if they were given the same; otherwise each answer stands alone.
        """
        answers, same, graded = self._answers(question), {}, {}
        for answer in answers:
            essence, given = folded(answer.text), answer.standing
            alone = "" if together else given.key
            same.setdefault((essence, given.points, given.comment, given.waits, alone), []).append(answer)
            if given.score is not None:
                graded[essence] = given
        groups = [Group(found, graded.get(key[0]) if found[0].standing.waits else None) for key, found in same.items()]
        return sorted(groups, key=lambda group: (not group.standing.waits, bool(group.text), -len(group.answers)))

    def save(self, question: Question, given: Sequence[Given], seen: Mapping[str, str], undone: bool) -> list[Answer]:
        """Write points and comments, all or none, and return the answers as they are now.

        Args:
            question: whose answers they are.
            given: points and comments.
            seen: {key: version of the answer that whoever grades has seen}.
            undone: it takes back what was given before; for the log.

        Raises Outdated if an answer is another one by now, or somebody else has graded it.
        """
        why = TAKEN_BACK if undone else BY_HAND
        return self._give(question, given, seen, why)

    def conflicts(self, question: Question, outdated: Outdated) -> list[tuple[Answer, Change | None]]:
        """The answers that have changed, as they are now, with the change of their score that the log knows."""
        log = last_changes(self._book, question.assignment, outdated.standings)
        answers = [self.answer(question, standing) for standing in outdated.standings]
        return [(answer, log.get(answer.standing.key)) for answer in answers]

    def answer(self, question: Question, standing: Standing) -> Answer:
        return Answer(self._notebooks.answer(standing.student, question), standing)

    def rubric(self, question: Question) -> list[Item]:
        return read_rubric(self.classroom.rubric(question.assignment)).get(question.cell, [])

    def change_rubric(self, question: Question, version: str, old: Item | None, new: Item | None) -> None:
        """Add an item (no `old`), change one, or take one out (no `new`).

        Who was given the old sentence gets the new one, and its points where the points were those of the rubric. An
        item that is taken out leaves what was given.

        Args:
            question: whose rubric it is.
            version: `version_of` the items that whoever changes them has seen.
            old: the item to change or take out.
            new: the item that takes its place.

        Raises GradingError if the rubric is another one by now, or somebody grades at the same moment. Nothing is
        changed then.
        """
        path = self.classroom.rubric(question.assignment)
        with alone(path):
            rubric = read_rubric(path)
            before = rubric.get(question.cell, [])
            if version != version_of(before) or (old and old not in before):
                raise GradingError(
                    "Somebody else has changed the rubric. Load the page again, and look at theirs first."
                )
            after = changed(before, old, new)
            write_rubric(path, rubric | {question.cell: after})
            try:
                self._follow(question, before, after, old, new)
            except Outdated:
                write_rubric(path, rubric)
                raise GradingError(
                    "Somebody was grading at this very moment. Nothing was changed: try again."
                ) from None
            except BaseException:
                write_rubric(path, rubric)
                raise

    def _follow(
        self, question: Question, before: list[Item], after: list[Item], old: Item | None, new: Item | None
    ) -> None:
        """Give the new item to all who were given the old one."""
        if not old or not new:
            return
        given, seen = [], {}
        for answer in self._answers(question):
            standing, lines = answer.standing, answer.standing.comment.split("\n")
            if old.says in lines:
                comment = "\n".join(new.says if line == old.says else line for line in lines)
                by_rubric = standing.score == points_of(before, standing.comment, question.points)
                score = points_of(after, comment, question.points) if by_rubric else standing.score
                given.append(Given(standing.key, score, comment, seen=False))
                seen[standing.key] = answer.version
        if given:
            self._give(question, given, seen, RUBRIC)

    def _give(self, question: Question, given: Sequence[Given], seen: Mapping[str, str], why: str) -> list[Answer]:
        def is_as_seen(standing: Standing) -> bool:
            if self._notebooks.could_not_be_read(standing.student, question.assignment):
                raise GradingError(
                    "Another file has come in for one of these answers, and it could not be read. Nothing was saved: "
                    "load the page again."
                )
            return standing.cell == question.cell and self.answer(question, standing).version == seen[standing.key]

        return [self.answer(question, one) for one in give(self._book, given, is_as_seen, why, self.grader)]

    def _answers(self, question: Question) -> list[Answer]:
        without = self.not_read(question.assignment)
        all_of_them = standings(self._book, question.assignment, question.cell)
        found = [self.answer(question, one) for one in all_of_them if one.student not in without]
        if not self.anonymous:
            return found
        nameless = [
            replace(one, standing=replace(one.standing, student="", first_name="", last_name="")) for one in found
        ]
        return sorted(nameless, key=lambda answer: _digest([question.cell, answer.standing.key]))


def points_of(items: Iterable[Item], comment: str, most: float) -> float:
    """What the rubric gives for the items whose sentences stand in a comment: between nothing and the most."""
    lines = comment.split("\n")
    return round(min(max(sum(item.points for item in items if item.says in lines), 0.0), most), 6)


def version_of(items: Sequence[Item]) -> str:
    return _digest([[item.points, item.says] for item in items])


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]
