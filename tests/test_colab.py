"""The set-up cell on Colab: in a bare environment, outside the repository, with a local clone as the address."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from tools import install_missing
from tools.repository import Repository

COURSE = Path(__file__).parents[1]

# Most of what the course needs, as Colab brings it; pooch, for one, is missing there.
GIVEN = ("torch", "numpy", "matplotlib", "ipython", "ipywidgets", "scikit-learn", "tqdm", "rich")
NO_TORCH = "torch>=999"  # what the course asks for in these tests: a pip that looks for it finds nothing

# What a learner's kernel on Colab does: the cell (twice, as learners do), then the course.
SESSION = """
import sys, types
sys.modules["google.colab"] = types.ModuleType("google.colab")
cell = open("cell.py", encoding="utf-8").read()
exec(cell)
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


def run(command: list[str | Path], folder: Path) -> subprocess.CompletedProcess:
    """Run a command as on a machine that knows nothing of this one's Python."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "REACH_", "VIRTUAL"))
    }
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)


def with_dependencies(name: str) -> set[str]:
    """The installed distributions that `name` needs to run, itself among them."""
    needed, left = set(), [name]
    while left:
        one = left.pop()
        try:
            requires = metadata.requires(one) or []
        except metadata.PackageNotFoundError:
            continue
        if one not in needed:
            needed.add(one)
            left += [install_missing.name_of(text) for text in requires if "extra ==" not in text]
    return needed


def link_distribution(name: str, target: Path) -> None:
    """Make an installed distribution importable, and known to pip, from the folder `target`."""
    found = metadata.distribution(name)
    for top in {file.parts[0] for file in found.files} - {"..", "__pycache__"}:
        if not (target / top).exists():
            (target / top).symlink_to(found.locate_file(top))


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A git repository with the course as it stands here, but for a torch that no machine has."""
    folder = tmp_path_factory.mktemp("address")
    for name in ("utils", "tools", "lessons", "data/weights"):
        shutil.copytree(COURSE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    project = (COURSE / "pyproject.toml").read_text(encoding="utf-8")
    (folder / "pyproject.toml").write_text(re.sub(r'"torch>=[^"]+"', f'"{NO_TORCH}"', project), encoding="utf-8")
    author = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
    for command in (["init", "--quiet"], ["add", "."], [*author, "commit", "--quiet", "--message", "course"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def set_up_cell(folder: Path, address: Path | str) -> None:
    there = Repository("someone", "course")
    (folder / "cell.py").write_text(there.setup_cell().replace(there.address, str(address)), encoding="utf-8")


@pytest.fixture
def bare(tmp_path):
    """The Python of an environment that has nothing else."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    return tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"


@pytest.fixture
def with_torch(bare, tmp_path):
    """The same with pip and with what Colab brings: this machine's own, linked, so that nobody fetches it."""
    subprocess.run([bare, "-m", "ensurepip"], check=True, capture_output=True)
    here = tmp_path / "given"
    here.mkdir()
    for name in set().union(*map(with_dependencies, GIVEN)):
        link_distribution(name, here)
    [packages] = (tmp_path / "venv").rglob("site-packages")
    (packages / "given.pth").write_text(f"{here}\n")
    return bare


def no_package_index(output: str) -> None:
    """Skip where pip reaches no index, except in CI, where that is a failure."""
    unreachable = ("Could not find a version", "No matching distribution", "Failed to establish a new connection")
    offline = any(text in output for text in unreachable) and NO_TORCH not in output
    if offline and os.environ.get("REACH_CI") != "1":
        pytest.skip("pip reaches no package index here")


@pytest.mark.slow
def test_the_setup_cell_fetches_the_course_and_leaves_torch_alone(with_torch, address, tmp_path):
    content = tmp_path / "content"  # where a notebook on Colab runs
    content.mkdir()
    set_up_cell(content, address)
    (content / "session.py").write_text(SESSION)
    record = Path(metadata.distribution("torch").locate_file("torch")) / "version.py"
    before = (record.read_bytes(), record.stat().st_mtime_ns)

    done = run([with_torch, "session.py"], content)

    no_package_index(done.stderr)
    assert done.returncode == 0, done.stderr
    said = dict(line.split(": ", 1) for line in done.stdout.splitlines()[:2])
    assert Path(said["utils"]) == content / "reach" / "utils" / "__init__.py"
    version, place = said["torch"].split(" ", 1)
    assert version == metadata.version("torch")
    assert Path(place) == tmp_path / "given" / "torch" / "__init__.py"
    assert ": passed" in done.stdout.splitlines()[2]
    assert "weights: 27418 True" in done.stdout.splitlines()
    assert (record.read_bytes(), record.stat().st_mtime_ns) == before
    [packages] = (tmp_path / "venv").rglob("site-packages")
    assert not list(packages.glob("torch*"))
    assert list(packages.glob("requests*"))  # pip had something to do


def test_a_clone_that_fails_says_why(bare, tmp_path):
    set_up_cell(tmp_path, tmp_path / "nowhere")
    (tmp_path / "session.py").write_text(SESSION)
    done = run([bare, "session.py"], tmp_path)
    assert done.returncode != 0
    assert "The course could not be set up" in done.stderr
    assert f"repository '{tmp_path / 'nowhere'}' does not exist" in done.stderr


def test_a_machine_without_torch_is_told_so(bare, address, tmp_path):
    set_up_cell(tmp_path, address)
    (tmp_path / "session.py").write_text(SESSION)
    done = run([bare, "session.py"], tmp_path)
    assert done.returncode != 0
    assert "PyTorch is not installed here" in done.stderr


def test_at_home_the_setup_cell_installs_nothing_and_finds_the_course_beside_it(bare, address, tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "utils").mkdir()
    (tmp_path / "utils" / "__init__.py").write_text("here = True\n")
    (tmp_path / "utils" / "paths.py").touch()
    set_up_cell(tmp_path / "notebooks", address)
    session = "exec(open('cell.py').read()); import utils; print(utils.here)"
    done = run([bare, "-c", session], tmp_path / "notebooks")
    assert done.stdout == "True\n", done.stderr
    assert not (tmp_path / "notebooks" / "reach").exists()


# --- what pip is asked for ---------------------------------------------------------------------------------------


@pytest.fixture
def machine(monkeypatch):
    """A machine where only these are installed, IPython in an old version, as on Colab."""
    versions = {"torch": "2.6.0+cu124", "numpy": "2.0.2", "ipython": "7.34.0"}
    monkeypatch.setattr(install_missing, "installed", versions.get)


def test_what_the_kernel_runs_on_is_pinned_as_it_is(machine):
    assert sorted(install_missing.pins()) == ["ipython==7.34.0", "numpy==2.0.2", "torch==2.6.0+cu124"]


def test_the_other_requirements_of_the_course_are_asked_for(machine):
    asked = {install_missing.name_of(text) for text in install_missing.needed(COURSE / "pyproject.toml")}
    project = tomllib.loads((COURSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    every = {install_missing.name_of(text) for text in project["dependencies"]}
    assert asked == every - {"torch", "numpy", "ipython"}
    assert "ipywidgets" in asked  # one of those that are kept where they are, and it is missing here


ALONE = """
import sys, types
{before}
exec(open("cell.py", encoding="utf-8").read())
"""


@pytest.mark.parametrize(
    "before",
    ["", "sys.modules['utils'] = types.ModuleType('utils')", "import os; os.environ['SOME_SERVICE'] = '1'"],
    ids=["alone", "beside another utils", "on an unknown service"],
)
def test_a_notebook_alone_says_how_to_get_the_course(bare, tmp_path, before):
    folder = tmp_path / "downloads" / "lesson"
    folder.mkdir(parents=True)
    set_up_cell(folder, "address-of-the-course")
    (folder / "session.py").write_text(ALONE.format(before=before))
    done = run([bare, "session.py"], folder)
    assert done.returncode == 1
    assert "not beside this notebook" in done.stderr.splitlines()[-1]
    assert "git clone address-of-the-course" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("service", ["KAGGLE_KERNEL_RUN_TYPE", "DEEPNOTE_PROJECT_ID"])
def test_a_service_that_runs_notebooks_alone_fetches_the_course(bare, address, tmp_path, service):
    folder = tmp_path / "working"
    folder.mkdir()
    set_up_cell(folder, address)
    (folder / "session.py").write_text(ALONE.format(before=f"import os; os.environ[{service!r}] = 'x'"))
    done = run([bare, "session.py"], folder)
    assert (folder / "reach" / "utils").is_dir()
    assert "PyTorch is not installed here" in done.stderr  # what is missing is the last thing that stops it


def test_within_the_course_nothing_is_fetched(bare, address, tmp_path):
    notebooks = tmp_path / "course" / "notebooks"
    notebooks.mkdir(parents=True)
    shutil.copytree(address / "utils", notebooks.parent / "utils")
    set_up_cell(notebooks, "nowhere")
    before = "import os; os.environ['KAGGLE_KERNEL_RUN_TYPE'] = 'x'"
    (notebooks / "session.py").write_text(ALONE.format(before=before) + "import utils; print(utils.__file__)")
    done = run([bare, "session.py"], notebooks)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == notebooks.parent / "utils" / "__init__.py"
