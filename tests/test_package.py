"""The package as `make dist` builds it and pip installs it: in a folder of its own, away from the clone."""

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import build
import nbformat
import pytest

from reach_course import programs
from utils.cells import SETUP_ID
from utils.models.pretrained import NAMES
from utils.paths import COURSE, NOTEBOOKS

PROJECT = tomllib.loads((COURSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
VERSION = PROJECT["version"]


def run(*command: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess:
    settings = os.environ | {"REACH_PROGRESS": "", "PYTHONIOENCODING": "utf-8"} | environment
    return subprocess.run(
        [sys.executable, *map(str, command)], cwd=cwd, env=settings, capture_output=True, text=True, encoding="utf-8"
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The folder with the source archive, and with the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    done = run("-m", build.__name__, "--no-isolation", "--outdir", folder, COURSE, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built) -> Path:
    return built / f"reach_course-{VERSION}-py3-none-any.whl"


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A function that runs Python where pip has put the wheel, outside the clone and with a home of its own."""
    target, home = tmp_path_factory.mktemp("packages"), tmp_path_factory.mktemp("home")
    done = run(
        *("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", target, wheel), cwd=target.parent
    )
    assert done.returncode == 0, done.stderr

    def python(*command: object, cwd: Path = home) -> subprocess.CompletedProcess:
        return run(*command, cwd=cwd, PYTHONPATH=str(target), HOME=str(home), USERPROFILE=str(home), REACH_DATA="")

    python.target, python.home = target, home
    return python


def said(done: subprocess.CompletedProcess) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_index_would_take_both_files(built, wheel):
    files = sorted(built.iterdir())
    assert files == sorted([wheel, built / f"reach_course-{VERSION}.tar.gz"])
    done = run("-m", "twine", "check", "--strict", *files, cwd=built)
    assert done.returncode == 0, done.stdout


def test_what_an_index_shows_has_links_and_pictures_that_work_there(wheel):
    shown = zipfile.ZipFile(wheel).read(f"reach_course-{VERSION}.dist-info/METADATA").decode()
    targets = re.findall(r"\]\(([^)\s]+)\)", shown)
    assert targets and [target for target in targets if not target.startswith("https://")] == []
    address = PROJECT["urls"]["Repository"]
    paths = [re.fullmatch(rf"{address}/(?:raw|blob)/HEAD/(.+)", target) for target in targets]
    assert all((COURSE / found[1]).exists() for found in paths if found)
    assert f"]({address}/raw/HEAD/docs/figures/00_three_flows.png)" in shown
    assert f"]({address}/blob/HEAD/docs/jupyterhub.md)" in shown


def test_the_wheel_brings_one_name_and_no_module_called_utils(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"reach_course", f"reach_course-{VERSION}.dist-info"}


def test_the_wheel_holds_all_that_the_course_needs_and_nothing_that_a_machine_kept(wheel):
    held = {name.removeprefix("reach_course/") for name in zipfile.ZipFile(wheel).namelist()}
    for folder, kind in {
        "utils": "*.py",
        "grading": "*.*",
        "notebooks": "*.ipynb",
        "solutions": "*.ipynb",
        "data/weights": "*",
        "docs/recorded": "*.json",
    }.items():
        files = {file for file in (COURSE / folder).rglob(kind) if file.is_file()}
        files = {file for file in files if not {"__pycache__", ".ipynb_checkpoints"} & set(file.parts)}
        assert files and {file.relative_to(COURSE).as_posix() for file in files} <= held, folder
    kept = [name for name in held if "__pycache__" in name or name.startswith(("data/mnist", ".reach", "tests"))]
    assert not kept


def test_the_source_archive_can_be_tested(built):
    with tarfile.open(built / f"reach_course-{VERSION}.tar.gz") as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "pyproject.toml",
        "requirements.lock",
        "Makefile",
        "lessons/01_convolution.py",
        "tests/conftest.py",
    } <= names
    assert not [name for name in names if name.startswith((".venv", "data/mnist", ".reach", "report"))]


def test_the_ruler_and_the_trained_models_work_where_pip_put_them(installed):
    program = f"""
import reach_course.on_path
from utils import models, paths, reach
print(reach.receptive_field([(3, 1)] * 3).size, paths.COURSE, paths.KEPT, paths.DATA, *paths.RECORDED.glob("*.json"))
for name in {NAMES}:
    models.pretrained(name)
"""
    size, course, kept, data, *recorded = said(installed("-c", program)).split()
    assert size == "7" and Path(course) == (installed.target / "reach_course").resolve()
    assert Path(kept) == installed.home / ".reach" and Path(data) == installed.home / ".reach" / "data"
    assert len(recorded) == len([*(COURSE / "docs/recorded").glob("*.json")])


def test_another_utils_is_left_alone_until_the_course_is_asked_for(installed, tmp_path):
    (tmp_path / "utils.py").write_text("mine = 1", encoding="utf-8")
    assert said(installed("-c", "import utils; print(utils.mine)", cwd=tmp_path)) == "1\n"
    assert "utils.reach" in said(
        installed("-c", "import reach_course.on_path, utils.reach as r; print(r)", cwd=tmp_path)
    )
    done = installed("-c", "import utils, reach_course.on_path", cwd=tmp_path)
    assert done.returncode != 0 and "Another `utils` is imported already" in done.stderr


def test_the_graders_program_runs(installed):
    grade = "import sys; from reach_course.programs import grade; sys.argv[0] = 'reach-grade'; grade()"
    assert "release" in said(installed("-c", grade, "--help"))
    said(installed("-c", grade, "release", "00_start_here", "--class", "autumn"))
    assert (installed.home / "autumn/release/00_start_here/00_start_here.ipynb").is_file()


COPY = "import sys; from reach_course.programs import copy_notebooks; sys.exit(copy_notebooks())"


def test_a_learner_copies_the_notebooks_and_works_in_them(installed, tmp_path):
    folder = tmp_path / "my course"
    assert str(folder / "00_start_here.ipynb") in said(installed("-c", COPY, folder))
    assert [file.name for file in tmp_path.iterdir()] == ["my course"]
    assert {file.name for file in folder.iterdir()} == {file.name for file in NOTEBOOKS.glob("*.ipynb")}

    notebook = folder / "03_receptive_field.ipynb"
    setup = next(cell.source for cell in nbformat.read(notebook, as_version=4).cells if cell.id == SETUP_ID)
    program = f"{setup}\nfrom utils import models, paths; models.pretrained('mnist_cnn'); print(paths.KEPT)"
    assert Path(said(installed("-c", program, cwd=folder)).strip()) == installed.home / ".reach"

    notebook.write_text("my answers", encoding="utf-8")
    again = installed("-c", COPY, folder)
    assert again.returncode == 1 and "may hold your answers" in again.stderr
    assert notebook.read_text(encoding="utf-8") == "my answers"


@pytest.mark.parametrize("there", [True, False])
def test_a_learner_without_jupyterlab_is_told_how_to_get_it(tmp_path, monkeypatch, capsys, there):
    monkeypatch.setattr(programs, "find_spec", lambda name: there)
    assert programs.copy_notebooks([str(tmp_path / "course")]) == 0
    assert ("python -m pip install jupyterlab\n  jupyter lab" in capsys.readouterr().out) is not there


def test_notebooks_that_cannot_be_written_leave_nothing(installed, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = installed("-c", COPY, tmp_path / "file" / "course")
    assert done.returncode == 1 and "could not be written" in done.stderr and "Traceback" not in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("tag, status", [(f"v{VERSION}", 0), ("", 0), ("v99.0", 1), (VERSION, 1)])
def test_a_tag_is_held_against_the_version(tag, status, tmp_path):
    done = run("-m", "tools.release_tag", tag, cwd=COURSE)
    assert done.returncode == status
    assert not status or (tag in done.stderr and f"v{VERSION}" in done.stderr)
