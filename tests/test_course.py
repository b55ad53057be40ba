"""`make course`, and the files that say how the course is installed and cited elsewhere."""

import hashlib
import html.parser
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import course_report, execution, run_course
from utils.notebook import as_text
from utils.paths import COURSE

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]

# A picture of one pixel, so that no fixture has to import matplotlib.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def display(bundle: str, **metadata: dict) -> str:
    return f"from IPython.display import display\ndisplay({bundle}, raw=True, metadata={metadata!r})"


def draw(**metadata: dict) -> str:
    return display(repr({"image/png": PIXEL}), **metadata)


def headline(data: str | None, **results: object) -> str:
    return display(repr({course_report.HEADLINE: {"data": data, "headline": results}}))


def write_lesson(course: Path, name: str, *cells: str) -> Path:
    """A solution in the fixture course: strings that begin with # are text, the others are code."""
    made = [new_markdown_cell(cell) if cell.startswith("#") else new_code_cell(cell) for cell in cells]
    file = course / "solutions" / f"{name}.ipynb"
    file.parent.mkdir(exist_ok=True)
    nbformat.write(new_notebook(cells=made), file)
    return file


def results(course: Path) -> dict:
    return json.loads((course / "report" / "results.json").read_text(encoding="utf-8"))["lessons"]


class Page(html.parser.HTMLParser):
    """What a reader, a screen reader or a browser takes from the report."""

    def __init__(self, course: Path):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text = ""
        self.feed((course / "report" / "index.html").read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def full_run(tmp_path_factory):
    """A course of three lessons, run once: one that succeeds, one that fails, one after it."""
    course = tmp_path_factory.mktemp("course")
    measured = headline("mnist", test_accuracy=[0.99, 0.992], parameters=27418)
    write_lesson(
        course,
        "01_first",
        "# 01 · First\n## Aims",
        "## A blob",
        draw(),
        "### <Kept>",
        draw(**{"image/png": {"alt": "A <dot>"}}),
        measured,
    )
    stale = write_lesson(
        course,
        "02_broken",
        "# 02 · Broken",
        "x = 1",
        "# no text",
        "  \nassert x == 2, 'x is [bold]1'",
        draw(),
        headline("mnist", lost=1),
    )
    write_lesson(course, "03_last", "# 03 · Last", headline(None, size=7))
    notebook = nbformat.read(stale, as_version=4)
    notebook.cells[-1].outputs = [
        new_output("display_data", {course_report.HEADLINE: {"data": "mnist", "headline": {"lost": 1}}}),
        new_output("display_data", {"image/png": PIXEL}),
    ]
    nbformat.write(notebook, stale)
    before = checksums(course)
    status = run_course.main([], course)
    return course, status, before


def checksums(course: Path) -> dict[str, str]:
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in (course / "solutions").rglob("*")}


def test_the_results_for_programs(full_run):
    lessons = results(full_run[0])
    assert list(lessons) == ["01", "02", "03"]
    assert set(lessons["01"]) == {"data", "seconds", "peak_mb", "headline", "claims"}
    assert lessons["01"]["data"] == "mnist"
    assert lessons["01"]["headline"] == {"test_accuracy": [0.99, 0.992], "parameters": 27418}
    assert lessons["03"]["data"] is None
    assert lessons["01"]["seconds"] > 0
    assert 20 < lessons["01"]["peak_mb"] < 400  # a bare kernel; this process, with torch in it, is larger


CLAIMING = """
from utils.claims import claim
claim("Twice two is four", 2 * 2 == 4, product=4)
claim("MNIST is large", False, of="mnist", images=[1.0, 2.0])
"""


def test_claims_are_listed_for_programs_and_readers(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    write_lesson(tmp_path, "01_lesson", "# 01", CLAIMING)
    assert run_course.main([], tmp_path) == 0
    first, second = results(tmp_path)["01"]["claims"]
    expected = {"text": "Twice two is four", "holds": True, "measured": {"product": 4}, "unit": "", "of": None}
    assert first == expected | {"section": "01"}
    assert (second["holds"], second["of"], second["measured"]) == (False, "mnist", {"images": [1.0, 2.0]})
    text = Page(tmp_path).text
    assert "Twice two is four" in text and "✗ not here" in text and "product 4" in text


def test_a_claim_that_does_not_hold_stops_the_run(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.delenv("REACH_STRICT", raising=False)
    write_lesson(
        tmp_path, "01_lesson", "# 01", 'from utils.claims import claim\nclaim("Two is odd", 2 % 2 == 1, rest=0)'
    )
    assert run_course.main([], tmp_path) == 1
    entry = results(tmp_path)["01"]
    assert "Two is odd: rest 0" in entry["error"]["message"] and entry["claims"][0]["holds"] is False


def test_a_lesson_that_fails_is_reported_and_the_others_still_run(full_run):
    course, status, _ = full_run
    assert status == 1
    error = results(course)["02"]["error"]
    assert error == {"cell": "assert x == 2, 'x is [bold]1'", "message": "AssertionError: x is [bold]1"}
    assert results(course)["03"]["headline"] == {"size": 7}
    assert "x is [bold]1" in Page(course).text


def test_outputs_of_an_earlier_run_are_not_taken_for_this_one(full_run):
    assert results(full_run[0])["02"]["headline"] == {}
    assert len(Page(full_run[0]).all("img")) == 2


def test_the_solutions_are_left_as_they_are(full_run):
    course, _, before = full_run
    assert checksums(course) == before


def test_the_report_is_one_accessible_page_that_loads_nothing(full_run):
    page = Page(full_run[0])
    assert [image["alt"] for image in page.all("img")] == [
        "Figure 1 of lesson 01, from the section “A blob”",
        "A <dot>",
    ]
    assert all(image["src"].startswith("data:image/png;base64,") for image in page.all("img"))
    assert not page.all("script") and not page.all("link")
    links = {link["href"].removeprefix("#") for link in page.all("a")}
    assert links == {section["id"] for section in page.all("section")}
    assert "01 · First" in page.text and "Aims" not in page.text  # the lesson is named by its first heading
    assert page.all("html")[0]["lang"] == "en"
    assert all("scope" in header for header in page.all("th"))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1 and all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))


def test_the_table_shows_every_lesson(full_run, capsys):
    from rich.console import Console

    figures = course_report.LessonResult("02", "02 · CNN", 71.26, 612, "mnist", {"test_accuracy": [0.98998, 0.99]})
    failed = course_report.LessonResult("03", "03 · Size", 1, None, failure=course_report.Failure("size([1])", "no"))
    Console(width=120).print(course_report.table([figures, failed]))
    shown = capsys.readouterr().out
    for part in ("02 · CNN", "test accuracy: 0.98998, 0.99 (mean 0.98999)", "71.3", "612", "mnist", "size([1])"):
        assert part in shown


def test_some_lessons_run_alone_and_the_report_shows_this_run_only(tmp_path):
    for number in ("01", "02", "03"):
        write_lesson(tmp_path, f"{number}_lesson", f"# {number}", "1 + 1")
    assert run_course.main(["3", "01"], tmp_path) == 0
    assert list(results(tmp_path)) == ["01", "03"]


def test_an_unknown_lesson_is_named_with_those_that_exist(tmp_path, capsys):
    write_lesson(tmp_path, "02_cnn_on_mnist", "# 02")
    assert run_course.main(["02", "17"], tmp_path) == 2
    message = capsys.readouterr().err
    assert "no lesson 17" in message and "02  cnn on mnist" in message
    assert not (tmp_path / "report").exists()


def test_a_course_that_is_not_built_says_so(tmp_path, capsys):
    assert run_course.main([], tmp_path) == 2
    assert "make build" in capsys.readouterr().err


def test_the_kernel_is_of_this_interpreter_in_the_right_folder_with_strict_checks(tmp_path, monkeypatch):
    monkeypatch.delenv("REACH_STRICT", raising=False)
    monkeypatch.setenv("REACH_PROGRESS", str(tmp_path / "progress.json"))
    asked = (
        "import os, sys\nhere = [sys.executable, os.getcwd(), os.environ['REACH_STRICT'], os.environ['REACH_PROGRESS']]"
    )
    write_lesson(
        tmp_path, "01_lesson", "# 01", asked, headline(None).replace("'headline': {}", "'headline': {'here': here}")
    )
    run_course.main([], tmp_path)
    solutions = str((tmp_path / "solutions").resolve())
    assert results(tmp_path)["01"]["headline"]["here"] == [sys.executable, solutions, "checks,claims", "off"]


def test_a_choice_of_strictness_is_kept(monkeypatch):
    monkeypatch.setenv("REACH_STRICT", "data")
    assert run_course.kernel_environment() == {"REACH_STRICT": "data", "REACH_TRAINING": "", "REACH_PROGRESS": "off"}


def test_peak_memory_counts_what_was_given_back_and_the_children(tmp_path):
    hold = "memory = b'x' * ({} * 2**20)"
    write_lesson(tmp_path, "01_bare", "# 01", "1")
    write_lesson(tmp_path, "02_short", "# 02", hold.format(300), "del memory")
    program = f"import time; {hold.format(300)}; time.sleep(1.5)"
    child = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {program!r}])"
    write_lesson(tmp_path, "03_child", "# 03", child)
    run_course.main([], tmp_path)
    peak = {number: result["peak_mb"] for number, result in results(tmp_path).items()}
    assert 250 < peak["02"] - peak["01"] < 500  # kernels differ by tens of megabytes; counted twice it would be 600
    assert 250 < peak["03"] - peak["01"] < 500


def test_a_kernel_that_dies_fails_its_lesson_only(tmp_path):
    write_lesson(tmp_path, "01_dies", "# 01", "import os\nos._exit(1)")
    write_lesson(tmp_path, "02_lives", "# 02", "1")
    assert run_course.main([], tmp_path) == 1
    assert "kernel died" in results(tmp_path)["01"]["error"]["message"]
    assert "error" not in results(tmp_path)["02"]


def test_a_damaged_notebook_fails_its_lesson_only(tmp_path):
    write_lesson(tmp_path, "01_damaged", "# 01").write_text("<<<<<<< HEAD")
    write_lesson(tmp_path, "02_whole", "# 02", "1")
    assert run_course.main([], tmp_path) == 1
    assert "make build" in results(tmp_path)["01"]["error"]["message"]
    assert "error" not in results(tmp_path)["02"]


def test_a_folder_that_cannot_be_written_costs_the_files_but_not_the_table(tmp_path, capsys):
    write_lesson(tmp_path, "01_lesson", "# 01 · A lesson", "1")
    (tmp_path / "report").write_text("a file where the folder should be")
    assert run_course.main([], tmp_path) == 1
    shown = capsys.readouterr()
    assert "01 · A lesson" in shown.out
    assert "could not be written" in shown.err


def test_a_cell_that_does_not_end_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(execution, "CELL_SECONDS", 1)
    monkeypatch.setattr(run_course, "ANSWER_LIMIT_S", 1)
    write_lesson(tmp_path, "01_endless", "# 01", "while True: pass")
    assert run_course.main([], tmp_path) == 1
    assert "took longer than 1 s" in results(tmp_path)["01"]["error"]["message"]


def test_ctrl_c_leaves_a_report_on_what_has_run(tmp_path):
    write_lesson(tmp_path, "01_done", "# 01", headline(None, size=7))
    interrupt = "import os, signal, time\nos.kill(os.getppid(), signal.SIGINT)\ntime.sleep(60)"
    write_lesson(tmp_path, "02_interrupted", "# 02", interrupt)
    write_lesson(tmp_path, "03_never_begun", "# 03", "1")
    program = (
        "import signal, sys; from pathlib import Path; from tools.run_course import main\n"
        # whoever started the tests in the background had SIGINT ignored, and a child inherits that
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"sys.exit(main([], Path({str(tmp_path)!r})))"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 130, run.stderr
    assert results(tmp_path)["01"]["headline"] == {"size": 7}
    assert list(results(tmp_path)) == ["01"]
    assert "lesson 02, 03 has no result" in Page(tmp_path).text
    assert "Traceback" not in run.stderr


def test_a_mean_is_given_for_measurements_only():
    assert as_text([0.98, 0.99]) == "0.98, 0.99 (mean 0.985)"
    assert as_text([11, 9, 7]) == "11, 9, 7"
    assert as_text([0.5]) == "0.5"
    assert as_text(["mnist", 0.5]) == "mnist, 0.5"


# --- how the course is installed and cited ---

CONDA_NAMES = {"torch": "pytorch-cpu", "matplotlib": "matplotlib-base"}  # the variants without CUDA and Qt


def test_conda_installs_what_a_learner_needs_within_the_same_bounds():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    asked = {*PROJECT["dependencies"], *EXTRAS["lab"], *EXTRAS["hub"]} - {"reach-course[lab]"}
    for requirement in asked:
        name, bound = re.fullmatch(r"([\w-]+)([<>]=?.*)", requirement).groups()
        assert CONDA_NAMES.get(name, name) + bound in environment


def test_the_citation_agrees_with_the_project():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["version"]
    assert citation["repository-code"] == PROJECT["urls"]["Repository"]
    assert set(citation["license"]) == set(PROJECT["license"].split(" AND "))


# --- what every lesson has ---


@pytest.mark.parametrize("file", sorted((COURSE / "lessons").glob("[0-9][0-9]_*.py")), ids=lambda file: file.stem)
def test_every_lesson_collects_its_results_and_leaves_one_problem_open(file):
    text = file.read_text(encoding="utf-8")
    assert text.count("notebook.headline(") == 1
    assert "## If you have an hour more" in text
    assert "**Predict**" in text
