"""The set-up cell of a notebook alone: in bare environments, outside the repository, with a local clone as the address.

The cell is that of the notebooks themselves. What a service brings is faked: its variables, its packages, its network.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import nbformat
import pytest

from reach_course.packages import name_of
from reach_course.trouble import OLDEST
from tests.bare import WINDOWS, Machine
from utils.cells import SETUP_ID

COURSE = Path(__file__).parents[1]
PROJECT = tomllib.loads((COURSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LESSON = "00_start_here"
CELLS = json.loads((COURSE / "notebooks" / f"{LESSON}.ipynb").read_text(encoding="utf-8"))["cells"]
[CELL] = ["".join(cell["source"]) for cell in CELLS if cell["id"] == SETUP_ID]
ADDRESS, VERSION = PROJECT["urls"]["Repository"], PROJECT["version"]

services = pytest.mark.skipif(WINDOWS, reason="services that run notebooks are Linux machines")
KAGGLE = {"KAGGLE_KERNEL_RUN_TYPE": "Interactive"}
HOSTS = [KAGGLE, {"DEEPNOTE_PROJECT_ID": "1"}, {"PAPERSPACE_NOTEBOOK_REPO_ID": "1"}]
COLAB = "import sys, types; sys.modules['google.colab'] = types.ModuleType('google.colab')\n"

RUN = "cell = open('cell.py', encoding='utf-8').read(); exec(cell)\n"
SHOW = "import utils.strict; print(utils.__file__)\n"


def git(folder: Path, *command: str) -> None:
    author = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *author, *command], cwd=folder, check=True, capture_output=True)


def copy_course(folder: Path) -> Path:
    """What the set-up needs of the course, in a folder of its own."""
    for name in ("reach_course", "utils"):
        shutil.copytree(COURSE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(COURSE / "pyproject.toml", folder)
    return folder


def commit(folder: Path) -> None:
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "course")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A git repository with the course as it stands here."""
    folder = copy_course(tmp_path_factory.mktemp("address"))
    commit(folder)
    return folder


@pytest.fixture
def bare(tmp_path):
    """A machine without any package."""
    return Machine(tmp_path)


@pytest.fixture
def machine(bare):
    """A machine that says it has all that the course needs; its pip only remembers what it is asked for."""
    for requirement in PROJECT["dependencies"]:
        bare.claim(name_of(requirement), "99.0")
    bare.give_pip()
    return bare


def put_cell(folder: Path, address: Path | str) -> None:
    where = address.as_uri() if isinstance(address, Path) else address
    (folder / "cell.py").write_text(CELL.replace(ADDRESS, where), encoding="utf-8")


def last_line(done: subprocess.CompletedProcess) -> str:
    assert done.returncode == 1, done.stdout
    return done.stderr.splitlines()[-1]


# --- a service fetches the course --------------------------------------------------------------------------------


@services
@pytest.mark.parametrize("variables", HOSTS, ids=lambda variables: next(iter(variables)))
def test_a_service_that_runs_notebooks_alone_fetches_the_course(machine, address, variables):
    put_cell(machine.folder, address)
    done = machine.run("-c", RUN + SHOW, **variables)
    assert done.stdout.strip() == str(machine.folder / "reach" / "utils" / "__init__.py"), done.stderr
    assert sorted(path.name for path in machine.folder.iterdir()) == ["cell.py", "reach"]


@services
def test_colab_fetches_the_course_and_keeps_what_it_runs_on(machine, address):
    put_cell(machine.folder, address)
    done = machine.run("-c", COLAB + RUN + SHOW)
    assert done.stdout.strip() == str(machine.folder / "reach" / "utils" / "__init__.py"), done.stderr
    constraints, asked = json.loads(machine.asked_of_pip())
    assert {"torch==99.0", "numpy==99.0", "ipython==99.0", "ipywidgets==99.0"} == set(constraints)
    assert "rich>=13" in asked and not [text for text in asked if text.startswith(("torch", "numpy", "ipy"))]


@services
def test_a_second_run_of_the_cell_changes_nothing(machine, address):
    put_cell(machine.folder, address)
    again = "import sys, utils.strict; before = dict(sys.modules), list(sys.path)\nexec(cell)\n"
    same = "print({*sys.modules} == {*before[0]}, utils is before[0]['utils'], sys.path == before[1])"
    done = machine.run("-c", RUN + again + same, **KAGGLE)
    assert done.stdout == "True True True\n", done.stderr


@services
def test_a_notebook_gets_the_course_of_its_own_version(machine, tmp_path):
    address = copy_course(tmp_path / "address")
    commit(address)
    git(address, "tag", f"v{VERSION}")
    (address / "utils" / "checks" / "start_here.py").unlink()  # a later course has another first lesson
    git(address, "commit", "--quiet", "--all", "--message", "later")
    put_cell(machine.folder, address)
    assert machine.run("-c", RUN + SHOW, **KAGGLE).returncode == 0


@services
def test_what_an_interrupted_fetch_has_left_does_not_matter(machine, address):
    left = machine.folder / ".reach-new" / "utils"
    left.mkdir(parents=True)
    (left / "half.py").touch()
    put_cell(machine.folder, address)
    assert machine.run("-c", RUN + SHOW, **KAGGLE).returncode == 0
    assert not left.exists() and not (machine.folder / "reach" / "utils" / "half.py").exists()


def without_git(tmp_path: Path) -> dict[str, str]:
    """A path with the programs that the cell calls, but for git."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("sh", "rm", "mv"):
        (programs / name).symlink_to(shutil.which(name))
    return {"PATH": str(programs)}


@services
def test_without_git_it_says_so(machine, address, tmp_path):
    put_cell(machine.folder, address)
    said = last_line(machine.run("-c", RUN, **KAGGLE, **without_git(tmp_path)))
    assert re.search(r"The course is not here. It could not be fetched \(.*git: (command )?not found\)\.", said)


@services
def test_a_clone_that_fails_says_why_and_leaves_nothing(machine, tmp_path):
    put_cell(machine.folder, tmp_path / "nowhere")
    done = machine.run("-c", RUN, **KAGGLE)
    assert done.returncode == 1
    assert (
        f"could not be fetched (fatal: '{tmp_path / 'nowhere'}' does not appear to be a git repository" in done.stderr
    )
    assert "On Kaggle, turn on Internet in the settings. Then run this cell again.\n" in done.stderr
    assert [path.name for path in machine.folder.iterdir()] == ["cell.py"]


@services
@pytest.mark.parametrize("by_hand", [False, True], ids=["the cell", "a clone by hand"])
def test_after_a_fetch_that_failed_the_same_kernel_can_go_on(machine, address, tmp_path, by_hand):
    """Python remembers that a folder of its path is missing."""
    there = tmp_path / "there"
    shutil.copytree(address, there)
    put_cell(machine.folder, tmp_path / "nowhere")
    repaired = f"cell = cell.replace('nowhere', '{there.name}')\n"
    if by_hand:
        repaired = f"import subprocess; subprocess.run(['git', 'clone', '-q', {str(there)!r}, 'reach'], check=True)\n"
    program = "cell = open('cell.py').read()\ntry:\n    exec(cell)\nexcept ImportError:\n    print('failed')\n"
    done = machine.run("-c", program + repaired + "exec(cell)\n" + SHOW, **KAGGLE)
    assert done.stdout.split() == ["failed", str(machine.folder / "reach" / "utils" / "__init__.py")], done.stderr


@services
def test_without_internet_it_says_so(machine):
    put_cell(machine.folder, "https://course.invalid/someone/course")
    said = last_line(machine.run("-c", RUN, **KAGGLE))
    assert "Could not resolve host: course.invalid" in said and "turn on Internet" in said


@services
def test_a_folder_that_cannot_be_written_is_named(machine, address):
    put_cell(machine.folder, address)
    machine.folder.chmod(0o555)
    try:
        if os.access(machine.folder, os.W_OK):
            pytest.skip("no folder is read-only for this user (root?)")
        said = last_line(machine.run("-c", RUN, **KAGGLE))
    finally:
        machine.folder.chmod(0o755)
    assert "could not be fetched (fatal: could not create work tree dir '.reach-new': Permission denied" in said


@services
def test_a_folder_of_the_learners_with_the_same_name_is_left_alone(machine, address):
    (machine.folder / "reach").mkdir()
    (machine.folder / "reach" / "mine.txt").write_text("mine")
    put_cell(machine.folder, address)
    assert "could not be fetched (mv: " in last_line(machine.run("-c", RUN, **KAGGLE))
    assert [path.name for path in (machine.folder / "reach").iterdir()] == ["mine.txt"]


@services
def test_a_pip_that_fails_says_why(machine, address):
    machine.break_pip()
    put_cell(machine.folder, address)
    said = last_line(machine.run("-c", RUN, **KAGGLE))
    assert "pip could not install what the course needs (ERROR: Could not find a version" in said
    assert "turn it on, then run this cell again" in said


@services
def test_an_old_copy_that_lacks_the_lesson_says_what_to_do(machine, address):
    copy_course(machine.folder / "reach")
    (machine.folder / "reach" / "utils" / "checks" / "start_here.py").unlink()
    put_cell(machine.folder, address)
    said = last_line(machine.run("-c", RUN, **KAGGLE))
    assert f"The course in {machine.folder / 'reach'} (version {VERSION}) has no lesson {LESSON}." in said
    assert "rename that folder, restart the kernel and run this cell again" in said
    (machine.folder / "reach").rename(machine.folder / "old")
    assert machine.run("-c", RUN + SHOW, **KAGGLE).returncode == 0


# --- at home -----------------------------------------------------------------------------------------------------


def places(machine: Machine) -> dict[str, tuple[Path, dict[str, str]]]:
    """{where the course lies: (its folder, the variables that say so)}."""
    elsewhere = machine.folder.parents[1] / "a course elsewhere"
    return {
        "the folder above": (machine.folder.parent, {}),
        "REACH_HOME": (elsewhere, {"REACH_HOME": str(elsewhere)}),
        "the folder of the notebook": (machine.folder, {}),
        "beside the notebook": (machine.folder / "reach", {}),
    }


@pytest.mark.parametrize(
    "place", ["the folder above", "REACH_HOME", "the folder of the notebook", "beside the notebook"]
)
def test_the_course_is_found_and_nothing_is_fetched_or_installed(machine, place):
    folder, variables = places(machine)[place]
    copy_course(folder)
    put_cell(machine.folder, "nowhere")
    done = machine.run("-c", RUN + SHOW, **variables)
    assert done.stdout.strip() == str(folder / "utils" / "__init__.py"), done.stderr
    assert machine.asked_of_pip() == ""


def test_the_folder_above_comes_before_all_others(machine):
    for folder, _ in places(machine).values():
        copy_course(folder)
    put_cell(machine.folder, "nowhere")
    done = machine.run("-c", RUN + SHOW, REACH_HOME=str(places(machine)["REACH_HOME"][0]))
    assert done.stdout.strip() == str(machine.folder.parent / "utils" / "__init__.py"), done.stderr


def test_a_course_among_the_packages_is_found(machine):
    copy_course(machine.packages)
    (machine.packages / "pyproject.toml").unlink()  # a wheel has none
    machine.claim("reach-course", VERSION)
    put_cell(machine.folder, "nowhere")
    (machine.folder / "utils.py").write_text("mine = True\n")
    done = machine.run("-c", RUN + SHOW)
    assert done.stdout.strip() == str(machine.packages / "utils" / "__init__.py"), done.stderr


UNRELATED = {
    "a module beside the notebook": ("utils.py", ""),
    "a package beside the notebook": ("utils/__init__.py", ""),
    "a folder without __init__.py": ("utils/other.py", ""),
    "a module that is imported": ("utils.py", "from utils import mine\nimport utils as theirs\n"),
    "a package with parts that are imported": ("utils/checks.py", "from utils.checks import mine\n"),
    "a module without a file": ("other.py", "import sys, types; sys.modules['utils'] = types.ModuleType('utils')\n"),
}


@pytest.mark.parametrize("kind", UNRELATED)
def test_an_unrelated_utils_is_no_trouble(machine, kind):
    file, before = UNRELATED[kind]
    copy_course(machine.folder / "reach")
    (machine.folder / file).parent.mkdir(exist_ok=True)
    (machine.folder / file).write_text("def mine():\n    return 'mine'\n")
    put_cell(machine.folder, "nowhere")
    after = "print(mine())\n" if "mine" in before else ""
    done = machine.run("-c", before + RUN + SHOW + after)
    assert done.stdout.splitlines()[0] == str(machine.folder / "reach" / "utils" / "__init__.py"), done.stderr
    assert done.stdout.splitlines()[1:] == (["mine"] if after else [])


SPAWN = """
from multiprocessing import get_context
child = get_context("spawn").Process(target=__import__, args=("utils.strict",))
child.start(), child.join()
print(child.exitcode)
"""


def test_a_process_that_is_spawned_has_our_utils_too(machine):
    copy_course(machine.folder / "reach")
    (machine.folder / "utils.py").write_text("mine = True\n")
    put_cell(machine.folder, "nowhere")
    assert machine.run("-c", RUN + SPAWN).stdout == "0\n"


@pytest.mark.parametrize("variables", [{}, {"SOME_SERVICE": "1"}, {"REACH_HOME": "no such folder"}], ids=str)
def test_a_notebook_alone_says_what_to_type(machine, variables):
    put_cell(machine.folder, "address-of-the-course")
    said = last_line(machine.run("-c", RUN, **variables))
    assert said.endswith(
        "The course is not here. Type !git clone address-of-the-course reach in a new cell and run it "
        "(or, without git, %pip install address-of-the-course/archive/HEAD.zip). Then run this cell again."
    )


@pytest.mark.parametrize("name", ["reach_course", "reach_course/reach_course"])
def test_a_mere_folder_of_the_courses_name_is_not_the_course(machine, name):
    (machine.folder / name).mkdir(parents=True)
    put_cell(machine.folder, "nowhere")
    assert "The course is not here. Type" in last_line(machine.run("-c", RUN))


def test_an_old_python_is_told_so(machine):
    """Before anything is imported that an old Python lacks."""
    copy_course(machine.folder.parent)
    put_cell(machine.folder, "nowhere")
    old = "import sys; sys.version_info = (3, 10, 4, 'final', 0); sys.modules['tomllib'] = None\n"
    said = last_line(machine.run("-c", old + RUN))
    assert "Reach needs Python 3.11 or newer, and this kernel runs Python 3.10." in said
    assert PROJECT["requires-python"] == ">=" + ".".join(map(str, OLDEST))


def test_what_an_old_python_reads_first_is_written_for_it():
    for name in ("__init__.py", "trouble.py"):
        ast.parse((COURSE / "reach_course" / name).read_text(encoding="utf-8"), feature_version=(3, 7))


def test_what_it_says_to_type_works(machine, address):
    put_cell(machine.folder, address)
    said = last_line(machine.run("-c", RUN))
    command = re.search(r"!(git clone \S+ reach) in a new cell", said)[1]
    subprocess.run(command.split(), cwd=machine.folder, check=True, capture_output=True)
    assert machine.run("-c", RUN + SHOW).returncode == 0


@pytest.mark.parametrize(
    ("version", "remedy"), [("99.1", "take the notebook in"), ("0.0.9", "put the latest one in its place")]
)
def test_a_course_of_another_version_is_named(machine, version, remedy):
    course = copy_course(machine.folder.parent)
    project = course / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    project.write_text(text.replace(f'version = "{VERSION}"', f'version = "{version}"'), encoding="utf-8")
    put_cell(machine.folder, "nowhere")
    said = (
        f"This notebook is made for version {VERSION} of the course; the one in {course} is version {version}. "
        f"If a cell does not run because of that, {remedy}"
    )
    assert machine.run("-c", RUN).stdout.startswith(said)


def test_an_old_course_says_how_to_bring_it_up_to_date(machine):
    course = copy_course(machine.folder.parent)
    (course / "utils" / "checks" / "start_here.py").unlink()
    put_cell(machine.folder, "nowhere")
    assert "To get a newer one, put the latest one in its place" in last_line(machine.run("-c", RUN))
    (course / ".git").mkdir()
    assert f'type !git -C "{course}" pull in a new cell' in last_line(machine.run("-c", RUN))


def test_an_old_package_says_how_to_bring_it_up_to_date(machine):
    copy_course(machine.packages)
    (machine.packages / "pyproject.toml").unlink()
    (machine.packages / "utils" / "checks" / "start_here.py").unlink()
    machine.claim(
        "reach-course", "0.0.9", f"Project-URL: Documentation, elsewhere\nProject-URL: Repository, {ADDRESS}\n"
    )
    put_cell(machine.folder, "nowhere")
    said = last_line(machine.run("-c", RUN))
    assert f"(version 0.0.9) has no lesson {LESSON}" in said
    assert f"type %pip install --upgrade {ADDRESS}/archive/HEAD.zip in a new cell" in said


@pytest.mark.parametrize("variables", [{}, pytest.param(KAGGLE, marks=services)], ids=["at home", "a service"])
def test_a_machine_without_torch_is_told_so(bare, variables):
    bare.give_pip()
    copy_course(bare.folder.parent)
    put_cell(bare.folder, "nowhere")
    said = last_line(bare.run("-c", RUN, **variables))
    assert 'Type %pip install "torch>=' in said and "pytorch.org has other builds" in said
    assert bare.asked_of_pip() == ""


def test_a_package_whose_own_packages_are_gone_says_so(bare):
    copy_course(bare.packages)
    (bare.packages / "pyproject.toml").unlink()
    needs = "Requires-Dist: torch>=2.4\nRequires-Dist: rich>=13\nRequires-Dist: dask>=1; extra == 'grade'\n"
    bare.claim("reach-course", VERSION, needs)
    bare.claim("rich", "99.0")
    put_cell(bare.folder, "nowhere")
    assert 'Type %pip install "torch>=2.4" in a new cell, then restart' in last_line(bare.run("-c", RUN))


def test_packages_that_are_missing_are_named_with_what_to_type(bare):
    there = ("torch", "numpy", "matplotlib", "pillow", "ipython", "tqdm", "requests", "scikit-learn", "safetensors")
    for name in there:
        bare.claim(name, "99.0")
    copy_course(bare.folder.parent)
    put_cell(bare.folder, "nowhere")
    said = last_line(bare.run("-c", RUN))
    assert 'Packages are missing here. Type %pip install "ipywidgets>=7.7" "rich>=13" in a new cell' in said


# --- a whole session, with what Colab brings ---------------------------------------------------------------------

# Most of what the course needs, as Colab brings it; safetensors, for one, is missing there.
GIVEN = ("torch", "numpy", "matplotlib", "ipython", "ipywidgets", "scikit-learn", "tqdm", "rich")
NO_TORCH = "torch>=999"  # what the course asks for in this test: a pip that looks for it finds nothing

SESSION = """
exec(cell)
import torch, utils
from utils.checks import exercises
exercise = exercises()[0]
print("utils:", utils.__file__)
print("torch:", torch.__version__, torch.__file__)
print(exercise.judge(exercise.reference).text())
from utils import models
print("weights:", models.card("mnist_cnn")["architecture"]["parameters"], not models.pretrained("mnist_cnn").training)
"""


@pytest.fixture
def colab(bare):
    """A machine with pip and with what Colab brings."""
    subprocess.run([bare.python, "-m", "ensurepip"], check=True, capture_output=True)
    bare.link(*GIVEN)
    return bare


def no_package_index(output: str) -> None:
    """Skip where pip reaches no index, except in CI, where that is a failure."""
    unreachable = ("Could not find a version", "No matching distribution", "Failed to establish a new connection")
    offline = any(text in output for text in unreachable) and NO_TORCH not in output
    if offline and os.environ.get("REACH_CI") != "1":
        pytest.skip("pip reaches no package index here")


@services
def test_the_course_works_on_colab_and_torch_is_left_alone(colab, tmp_path):
    address = copy_course(tmp_path / "address")
    for name in ("lessons", "data/weights"):
        shutil.copytree(COURSE / name, address / name)
    project = (address / "pyproject.toml").read_text(encoding="utf-8")
    (address / "pyproject.toml").write_text(re.sub(r'"torch>=[^"]+"', f'"{NO_TORCH}"', project), encoding="utf-8")
    commit(address)
    put_cell(colab.folder, address)
    record = Path(str(metadata.distribution("torch").locate_file("torch"))) / "version.py"
    before = (record.read_bytes(), record.stat().st_mtime_ns)

    done = colab.run("-c", COLAB + RUN + SESSION)

    no_package_index(done.stderr)
    assert done.returncode == 0, done.stderr
    first, again, *lines = done.stdout.splitlines()  # the cell was run twice
    assert first == again and first.startswith(f"torch {metadata.version('torch')} is older than 999, ")
    said = dict(line.split(": ", 1) for line in lines[:2])
    assert Path(said["utils"]) == colab.folder / "reach" / "utils" / "__init__.py"
    version, place = said["torch"].split(" ", 1)
    assert version.partition("+")[0] == metadata.version("torch").partition("+")[0]  # "2.6.0+cu124", or without it
    assert Path(place) == colab.packages.parent / "given" / "torch" / "__init__.py"
    assert ": passed" in lines[2]
    assert "weights: 27418 True" in lines
    assert (record.read_bytes(), record.stat().st_mtime_ns) == before
    assert not list(colab.packages.glob("torch*"))
    assert list(colab.packages.glob("safetensors*"))  # pip had something to do


# --- a whole notebook, by a kernel -------------------------------------------------------------------------------


def errors(notebook: nbformat.NotebookNode) -> list[str]:
    """What a reader sees of the cells that failed."""
    shown = [output for cell in notebook.cells for output in cell.get("outputs", []) if output.output_type == "error"]
    return ["\n".join(output.traceback) for output in shown]


def alone(address: Path | str) -> nbformat.NotebookNode:
    where = address.as_uri() if isinstance(address, Path) else address
    text = (COURSE / "notebooks" / f"{LESSON}.ipynb").read_text(encoding="utf-8")
    return nbformat.reads(text.replace(ADDRESS, where), as_version=4)


@services
def test_a_whole_lesson_runs_alone_beside_an_unrelated_utils(bare, tmp_path):
    """On a service that fetches the course, and on a system whose terminals write cp1252."""
    bare.link(*(name_of(requirement) for requirement in PROJECT["dependencies"]), "ipykernel")
    bare.give_pip()
    address = copy_course(tmp_path / "address")
    shutil.copytree(COURSE / "lessons", address / "lessons")
    commit(address)
    (bare.folder / "utils.py").write_text("mine = True\n")
    done = bare.run_notebook(alone(address), **KAGGLE, PYTHONIOENCODING="cp1252")
    assert errors(done) == []
    assert (bare.folder / "reach" / "utils").is_dir() and bare.asked_of_pip()
    printed = "".join(output.get("text", "") for cell in done.cells for output in cell.get("outputs", []))
    assert "waits for your" in printed and "√" in printed


@services  # and Windows makes no links
def test_a_notebook_shows_the_sentence_and_no_traceback(bare):
    bare.link("ipykernel")
    copy_course(bare.folder.parent)
    notebook = alone("nowhere")
    notebook.cells = [cell for cell in notebook.cells if cell.id == SETUP_ID]
    [shown] = errors(bare.run_notebook(notebook))
    assert shown.startswith("Packages are missing here. Type %pip install") and "\n" not in shown


@services
@pytest.mark.parametrize("variables", [{}, KAGGLE], ids=["at home", "a service"])
def test_where_there_is_no_course_a_notebook_shows_the_sentence_alone(bare, tmp_path, variables):
    bare.link("ipykernel")
    notebook = alone("https://course.invalid/someone/course")
    notebook.cells = [cell for cell in notebook.cells if cell.id == SETUP_ID]
    [shown] = errors(bare.run_notebook(notebook, **variables))
    assert shown.startswith("The course is not here. ") and "\n" not in shown
