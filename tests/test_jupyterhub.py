"""The course on a JupyterHub: nbgitpuller's own pull, from an author's repository into a learner's folder.

docs/jupyterhub.md promises what is tried here.
"""

import json
import random
import re
import shlex
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgitpuller.pull import GitPuller

from tests.browser import served
from tools import repository
from utils.paths import COURSE

LESSON = "03_receptive_field"
FILE = f"notebooks/{LESSON}.ipynb"
LANGUAGE = {"name": "python", "version": "3.12.1", "mimetype": "text/x-python", "file_extension": ".py"}


def git(*command: str, cwd: Path) -> None:
    author = ["-c", "user.name=author", "-c", "user.email=author@example.org"]
    subprocess.run(["git", *author, *command], cwd=cwd, check=True, capture_output=True)


class Hub:
    """An author's repository, which begins with one lesson, and a learner's folder on the hub."""

    def __init__(self, folder: Path):
        self.upstream, self.home = folder / "upstream", folder / "home" / "reach"
        (self.upstream / "notebooks").mkdir(parents=True)
        for file in (FILE, ".gitignore"):
            shutil.copy(COURSE / file, self.upstream / file)
        git("init", "--quiet", "--initial-branch=main", cwd=self.upstream)
        self.publish()

    def publish(self) -> None:
        """The author commits."""
        git("add", "--all", cwd=self.upstream)
        git("commit", "--quiet", "--message", "An update", cwd=self.upstream)

    def edit(self, change: Callable, file: str = FILE) -> nbformat.NotebookNode:
        """The author changes a notebook and publishes it; what it is then."""
        notebook = nbformat.read(self.upstream / file, as_version=4)
        change(notebook)
        nbformat.write(notebook, self.upstream / file)
        self.publish()
        return notebook

    def follow_the_link(self) -> str:
        """What nbgitpuller does, and says."""
        puller = GitPuller(self.upstream.as_uri(), str(self.home), branch="main")
        return "".join(puller.pull())

    def opened(self, file: str = FILE) -> nbformat.NotebookNode:
        """The learner's notebook, as Jupyter opens it."""
        notebook = nbformat.read(self.home / file, as_version=4)
        nbformat.validate(notebook)
        return notebook

    def work(self, file: str = FILE) -> dict[str, str]:
        """The learner answers everything, runs every cell and saves; {id of the cell: answer}."""
        notebook, answers = self.opened(file), {}
        solved = {cell.id: cell for cell in nbformat.read(COURSE / "solutions" / f"{LESSON}.ipynb", as_version=4).cells}
        for count, cell in enumerate(code_of(notebook), start=1):
            if is_answer(cell):
                answers[cell.id] = cell.source = solved[cell.id].source.replace("### BEGIN SOLUTION", "# I wrote this.")
            cell.execution_count, cell.outputs = count, solved[cell.id].outputs
        notebook.metadata.language_info = LANGUAGE
        nbformat.write(notebook, self.home / file)  # as Jupyter's server writes it
        return answers


def code_of(notebook: nbformat.NotebookNode) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def is_answer(cell: nbformat.NotebookNode) -> bool:
    return cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution", False)


def given(notebook: nbformat.NotebookNode) -> list:
    """The cells that hold no answer, without the title."""
    return [cell for cell in notebook.cells[1:] if not is_answer(cell)]


def source(notebook: nbformat.NotebookNode, identity: str) -> str:
    [found] = [cell.source for cell in notebook.cells if cell.id == identity]
    return found


@pytest.fixture
def hub(tmp_path) -> Hub:
    made = Hub(tmp_path)
    made.follow_the_link()
    return made


@pytest.mark.parametrize("file", sorted((COURSE / "notebooks").glob("*.ipynb")), ids=lambda file: file.stem)
def test_a_notebook_that_jupyter_saves_unchanged_differs_in_no_line(file):
    """Else each save would be a change of every line, and no update could be merged with it."""
    text = file.read_text(encoding="utf-8")
    assert nbformat.writes(nbformat.reads(text, as_version=4)).rstrip("\n") == text.rstrip("\n")


def test_an_update_arrives_and_the_answers_stay(hub):
    answers = hub.work()
    before = hub.opened()
    text = given(before)[0].id

    def change(notebook):
        [cell] = [cell for cell in notebook.cells if cell.id == text]
        cell.source += "\n\nA sentence that the author added."

    hub.edit(change)
    (hub.upstream / "notebooks" / "15_new.ipynb").write_text("{}", encoding="utf-8")
    hub.publish()
    hub.follow_the_link()

    after = hub.opened()
    assert source(after, text).endswith("A sentence that the author added.")
    assert {identity: source(after, identity) for identity in answers} == answers
    assert [cell.get("outputs") for cell in after.cells] == [cell.get("outputs") for cell in before.cells]
    assert (hub.home / "notebooks" / "15_new.ipynb").is_file()


def test_a_learner_who_has_nothing_new_gets_nothing_changed(hub):
    hub.work()
    before = (hub.home / FILE).read_bytes()
    hub.follow_the_link()
    hub.follow_the_link()
    assert (hub.home / FILE).read_bytes() == before


def test_progress_data_and_files_of_the_learners_own_stay(hub):
    kept = {".reach/progress.json": "{}", "data/mnist/train-labels-idx1-ubyte": "digits", "notebooks/mine.ipynb": "{}"}
    for file, text in kept.items():
        (hub.home / file).parent.mkdir(parents=True, exist_ok=True)
        (hub.home / file).write_text(text, encoding="utf-8")
    (hub.upstream / "notebooks" / "mine.ipynb").write_text("the author's", encoding="utf-8")
    hub.publish()
    hub.follow_the_link()
    for file in list(kept)[:2]:
        assert (hub.home / file).read_text(encoding="utf-8") == kept[file]
    [renamed] = (hub.home / "notebooks").glob("mine__*.ipynb")  # with the time, where the author has now the same name
    assert renamed.read_text(encoding="utf-8") == "{}"
    assert (hub.home / "notebooks" / "mine.ipynb").read_text(encoding="utf-8") == "the author's"


def test_a_notebook_that_was_deleted_comes_back_as_the_author_has_it_now(hub):
    hub.work()
    (hub.home / FILE).rename(hub.home / "notebooks" / "my first try.ipynb")
    latest = hub.edit(lambda notebook: notebook.cells.insert(1, new_markdown_cell("New.", id="new")))
    hub.follow_the_link()
    assert hub.opened() == latest
    assert "# I wrote this." in (hub.home / "notebooks" / "my first try.ipynb").read_text(encoding="utf-8")


def test_a_stub_that_the_author_changes_keeps_every_line_of_the_answer(hub):
    stub = next(cell for cell in hub.opened().cells if is_answer(cell))
    answers = hub.work()

    def change(notebook):
        [cell] = [cell for cell in notebook.cells if cell.id == stub.id]
        cell.source = cell.source.replace('"""', '"""Read the card first. ', 1).replace(
            "raise NotImplementedError", "..."
        )

    hub.edit(change)
    hub.follow_the_link()
    written = set(answers[stub.id].splitlines()) - set(stub.source.splitlines())
    assert written and written <= set(source(hub.opened(), stub.id).splitlines())
    assert "Read the card first." in source(hub.opened(), stub.id)  # a line that the learner had not touched


def test_of_one_line_that_both_changed_the_learners_stays(hub):
    cell = next(cell for cell in code_of(hub.opened())[1:] if not is_answer(cell))

    def write(line):
        def change(notebook):
            [same] = [one for one in notebook.cells if one.id == cell.id]
            same.source = "\n".join([f"{line}", *same.source.splitlines()[1:]])

        return change

    mine = hub.opened()
    write("mine = 1")(mine)
    nbformat.write(mine, hub.home / FILE)
    hub.edit(write("theirs = 2"))
    hub.follow_the_link()
    assert source(hub.opened(), cell.id).startswith("mine = 1")


def test_a_notebook_that_the_author_renames_takes_the_answers_with_it(hub):
    answers = hub.work()
    git("mv", FILE, "notebooks/03_how_far.ipynb", cwd=hub.upstream)
    hub.publish()
    hub.follow_the_link()
    assert not (hub.home / FILE).exists()
    after = hub.opened("notebooks/03_how_far.ipynb")
    assert {identity: source(after, identity) for identity in answers} == answers


def test_a_notebook_that_the_author_deletes_stays_where_a_learner_has_worked(hub):
    answers = hub.work()
    (hub.upstream / FILE).unlink()
    hub.publish()
    hub.follow_the_link()
    assert {identity: source(hub.opened(), identity) for identity in answers} == answers


def change_text(notebook, chance):
    cell = chance.choice([cell for cell in notebook.cells if cell.cell_type == "markdown"])
    cell.source += "\nAdded."


def change_code(notebook, chance):
    cell = chance.choice([cell for cell in given(notebook) if cell.cell_type == "code"])
    lines = cell.source.splitlines()
    lines.insert(chance.randrange(len(lines) + 1), "# Added.")
    cell.source = "\n".join(lines)


def add(notebook, chance):
    new = chance.choice([new_markdown_cell, new_code_cell])("added = 1")
    notebook.cells.insert(chance.randrange(1, len(notebook.cells) + 1), new)


def delete(notebook, chance):
    notebook.cells.remove(chance.choice(given(notebook)))


def move(notebook, chance):
    cell = chance.choice(given(notebook))
    notebook.cells.remove(cell)
    notebook.cells.insert(chance.randrange(1, len(notebook.cells) + 1), cell)


@pytest.mark.parametrize("change", [change_text, change_code, add, delete, move], ids=lambda change: change.__name__)
@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_author_changes_the_notebook_opens_with_all_answers(hub, change, seed):
    chance = random.Random(seed)
    answers = hub.work()
    latest = hub.edit(lambda notebook: change(notebook, chance))
    hub.follow_the_link()
    after = hub.opened()
    assert {identity: source(after, identity) for identity in answers} == answers
    if change in (change_text, change_code):
        assert [cell.source for cell in given(after)] == [cell.source for cell in given(latest)]


# --- the links ---


def links() -> dict[str, dict[str, list[str]]]:
    """{link of docs/jupyterhub.md: its query}"""
    page = (COURSE / "docs" / "jupyterhub.md").read_text(encoding="utf-8")
    found = re.findall(r"^/hub/user-redirect/git-pull\?(\S+)$", page, re.MULTILINE)
    return {link: urllib.parse.parse_qs(link, strict_parsing=True) for link in found}


def test_there_is_a_link_for_every_lesson_and_it_opens_the_learners_copy():
    address = repository.find(COURSE)
    opened = set()
    for query in links().values():
        assert query["repo"] == [address.address] and query["branch"] == ["main"]
        [path] = query["urlpath"]
        prefix, _, file = path.partition(f"/{address.name}/")  # nbgitpuller names the folder after the repository
        assert prefix == "lab/tree" and (COURSE / file).is_file()
        opened.add(Path(file).stem)
    assert opened == {file.stem for file in (COURSE / "lessons").glob("*.py")}


def test_jupyters_server_follows_a_link_as_it_is_installed(tmp_path):
    """nbgitpuller switches itself on, and puts the course where the link then opens it."""
    hub = Hub(tmp_path)
    home = hub.home.parent
    home.mkdir()
    command = [sys.executable, "-m", "jupyter_server", "--allow-root", f"--ServerApp.root_dir={home}"]
    with served(command, home, tmp_path) as (address, token):
        query = urllib.parse.urlencode(
            {"repo": hub.upstream.as_uri(), "branch": "main", "targetpath": "reach", "token": token}
        )
        with urllib.request.urlopen(f"{address}/git-pull/api?{query}", timeout=60) as events:
            said = [json.loads(line.removeprefix(b"data: ")) for line in events if line.startswith(b"data: ")]
    assert said[-1] == {"phase": "finished"}, said
    assert hub.opened()


# --- the image of a cluster ---


def test_on_a_cluster_learners_begin_in_the_home_that_is_kept_and_not_in_the_image():
    page = (COURSE / "docs" / "jupyterhub.md").read_text(encoding="utf-8")
    [chart] = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)]
    build = shlex.split(page.partition("jupyter-repo2docker")[2].partition("\ndocker push")[0])
    options = dict(zip(build, build[1:], strict=False))
    home = f"/home/{options['--user-name']}"
    assert chart["hub"]["config"]["KubeSpawner"]["working_dir"] == home
    assert not options["--target-repo-dir"].startswith(home)
    image = chart["singleuser"]["image"]
    assert f"{image['name']}:{image['tag']}" == options["--image-name"]
