"""The page of similar submissions: both texts side by side, what is alike marked, and nothing hostile on it."""

import random
import re
from html.parser import HTMLParser

import nbformat
import pytest

from bench.disguises import renamed
from grading.classroom import Classroom
from grading.exchange.people import Student
from grading.exchange.roster import Roster, keep
from grading.pages.publish import publish_report
from grading.pages.publish_similar import publish_similar
from grading.pages.similar import SIDE_BY_SIDE, similar_page
from grading.receipt import Receipt
from grading.untrusted.text import visible
from tests.grading.made_up import ASSIGNMENT, graded, submission
from tests.grading.test_feedback import KNOWN_TAGS, SCRIPT, Tags
from tests.grading.test_similar import LONG_TEXT, NAME, ODD, QUIZ_ID, alike, file, plain
from utils.files import write_whole
from utils.paths import NOTEBOOKS

COPY = renamed(ODD, random.Random(0))
RTL = "הגרעין מתפרש על חמישה פיקסלים בכל צד ולכן שתי שורות של ריפוד מספיקות כדי לשמור על גודל התמונה המקורית " * 2


class Marked(HTMLParser):
    """What stands between <mark> and </mark>, line by line."""

    def __init__(self, page: str):
        super().__init__()
        self.lines: list[str] = []
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "mark":
            self.inside, self.lines = True, [*self.lines, ""]

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "mark"

    def handle_data(self, data):
        if self.inside:
            self.lines[-1] += data


def text_of(page: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", page).split())


@pytest.fixture(scope="module")
def found():
    quiz = ASSIGNMENT.notebook.cells[-1].source + RTL + LONG_TEXT
    one = file("s1", {"conv2d": ODD, QUIZ_ID: quiz})
    return alike(one, file("s2", {"conv2d": COPY, QUIZ_ID: quiz}))


def test_both_texts_stand_side_by_side_and_the_equal_lines_are_marked(found):
    page = similar_page(found, ASSIGNMENT, {"s1": "Mei Nowak"})
    marked = Marked(page).lines
    assert (
        "    taps = [(u * dilation, v * dilation) for u in range(weight.shape[2]) for v in range(weight.shape[3])]"
        in marked
    )
    theirs = [line for line in COPY.splitlines() if "tensordot" in line]
    assert theirs and set(theirs) <= set(marked) and not any("Convolution of one image" in line for line in marked)
    text = text_of(page)
    assert "22 different files of this class were compared." in text and "1 pair is alike." in text
    assert "Exercise 1.2 · conv2d by loops" in text and "Mei Nowak" in text and "2 of 22" in text
    assert "no verdict" in text and "talk to the students" in text


def test_what_is_not_alike_is_not_marked():
    different = ODD.replace(
        "    return answer\n", "    return np.sqrt(answer.numpy() ** 2).tolist().index(answer[0])\n"
    )
    page = similar_page(alike(file("s1", {"conv2d": ODD}), file("s2", {"conv2d": different})), ASSIGNMENT)
    assert not any("tolist" in line or "return" in line for line in Marked(page).lines)


def test_lines_are_those_of_the_text_that_is_shown():
    """Of a long cell an excerpt is shown; line ends and codes of terminals move no mark."""
    above = "# \x1b]0;\u2028\x07\x0c\u202e\n" * 300
    page = similar_page(alike(file("s1", {"conv2d": above + ODD}), file("s2", {"conv2d": ODD})), ASSIGNMENT)
    marked = Marked(page).lines
    assert sum(line.startswith("    tall = ") for line in marked) == 2
    assert "of 313." in text_of(page) and page.count(visible(above).split("\n")[0]) <= 3


def test_nothing_hostile_acts_on_the_page(found):
    odd = ODD.replace("answer", "answer_") + f"\n# {SCRIPT}\nlabel = {SCRIPT!r}\nother = {SCRIPT!r}.join(label)\n"
    quiz = {QUIZ_ID: f"{ASSIGNMENT.notebook.cells[-1].source}\n{SCRIPT} {LONG_TEXT}\u202e <b>x</b>"}
    files = file(SCRIPT, {"conv2d": odd} | quiz), file("earlier: ../x\u202e", {"conv2d": odd} | quiz, earlier=True)
    page = similar_page(alike(*files), ASSIGNMENT, {SCRIPT: SCRIPT})
    for tag, attributes in Tags(page).found:
        assert tag in KNOWN_TAGS | {"mark", "h4", "details", "summary"}, tag
        assert not any(name.startswith("on") or name in ("style", "src") for name in attributes)
        assert attributes.get("href", "#").startswith("#")
    assert "\u202e" not in page and "&lt;script&gt;" in page


def test_so_many_pairs_are_a_list(found):
    many = found.alike * (SIDE_BY_SIDE + 2)
    page = similar_page(type(found)(9, 0, 4, [], many), ASSIGNMENT)
    assert "2 pairs that are least alike, the texts are not shown" in text_of(page)
    assert "take this list with more care" in text_of(page)


def test_nothing_that_stands_out_is_said():
    assert "Nothing stands out." in text_of(similar_page(alike(), ASSIGNMENT))


def test_everybody_can_read_it(found, accessible):
    accessible(similar_page(found, ASSIGNMENT, {"s1": "Mei Nowak"}))


def test_names_stand_in_a_line_and_no_comma_begins_one(found, tmp_path, chromium):
    path = tmp_path / "page.html"
    path.write_text(similar_page(found, ASSIGNMENT, {"s1": "Mei Nowak", "s2": "Bo Ek"}), encoding="utf-8")
    shown = chromium.new_page()
    shown.goto(path.as_uri())
    lines = shown.evaluate("document.body.innerText").splitlines()
    assert "Mei Nowak (s1), Bo Ek (s2)" in lines and not [line for line in lines if line.startswith(",")]


@pytest.fixture
def classroom(tmp_path) -> Classroom:
    """A class of 22, of whom two have an odd answer."""
    made = Classroom(tmp_path / "class")
    write_whole(made.released(NAME), (NOTEBOOKS / f"{NAME}.ipynb").read_bytes())
    answers = {f"o{n}": plain(n) for n in range(20)} | {"s1": {"conv2d": ODD}, "s2": {"conv2d": COPY}}
    for student, own in answers.items():
        write_whole(made.submitted(student, NAME), nbformat.writes(submission(own)))
    return made


def test_names_groups_and_the_link_on_the_class_page(classroom):
    keep(Roster((Student("s1", first_name="Mei", last_name="Nowak"), Student("s2"))), classroom)
    graded("s1", {}).write(classroom.result("s1", NAME))
    report = publish_report(classroom, ASSIGNMENT)
    assert "reach-grade similar" in report.read_text()
    found, page = publish_similar(classroom, ASSIGNMENT)
    assert len(found.alike) == 1 and page == classroom.similar(NAME) and "Mei Nowak" in page.read_text()
    assert f'href="similar/{NAME}.html"' in publish_report(classroom, ASSIGNMENT).read_text()
    for student in ("s1", "s2"):
        Receipt("x.ipynb", members=("s1", "s2")).write(classroom.receipt(student, NAME))
    assert publish_similar(classroom, ASSIGNMENT)[0].alike == []


def test_the_command_compares_with_a_folder_of_last_year(classroom, reach_grade):
    last = Classroom(classroom.root.parent / "last")
    write_whole(last.submitted("z9", NAME), nbformat.writes(submission({"conv2d": renamed(ODD, random.Random(9))})))
    said = reach_grade("similar", "--class", classroom.root)
    assert "22 different files; 1 pair is alike" in said
    said = reach_grade("similar", "--class", classroom.root, "--against", last.root)
    assert "22 different files and 1 of earlier years; 3 pairs are alike" in said
    assert "earlier: z9" in classroom.similar(NAME).read_text()


def test_what_cannot_be_compared_is_said(classroom, reach_grade):
    assert "does not exist" in reach_grade("similar", "--class", classroom.root, "--against", "nowhere", fails=True)
    wrong = reach_grade("similar", "--class", classroom.root, "--assignment", "02_cnn_on_mnist", fails=True)
    assert "was not released" in wrong
    said = reach_grade("similar", "--class", classroom.root, "--against", classroom.root / "release", fails=False)
    assert "22 different files; 1 pair is alike" in said
