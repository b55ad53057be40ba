"""A folder that others write into while it is read."""

import os
from pathlib import PurePosixPath

import pytest

from grading.exchange.collecting import collect
from grading.exchange.folders import MOST_FOLDERS, entries_below, read_as_seen
from grading.exchange.versions import MOST_VERSIONS
from grading.submission.kinds import Unreadable
from grading.watching import Incoming
from tests.grading.exports import FILE, NAME, Class


def nested(folder, times: int, name: str = "d") -> None:
    """Folders in folders, made from inside, since the whole path may be longer than the system takes."""
    here = os.open(folder, os.O_DIRECTORY)
    for _ in range(times):
        os.mkdir(name, dir_fd=here)
        inner = os.open(name, os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(os.open("deep.ipynb", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


@pytest.mark.parametrize("times, name, most", [(300, "d", MOST_FOLDERS + 1), (40, "d" * 200, 1)])  # too long a path
def test_folders_without_end_stop_nobody(tmp_path, times, name, most):
    nested(tmp_path, times, name)
    (tmp_path / "good.ipynb").write_text("here")
    found = [path.relative_to(tmp_path) for path, _ in entries_below(tmp_path)]
    assert {len(path.parts) for path in found} == {1, most}
    incoming = Incoming(tmp_path)
    assert not incoming.look() and incoming.look()


def test_of_a_folder_in_too_many_others_the_reason_is_said(tmp_path):
    class_ = Class(tmp_path)
    source = tmp_path / "in"
    (source / "s0001").mkdir(parents=True)
    (source / "s0001" / FILE).write_text("{}")
    nested(source / "s0001", MOST_FOLDERS + 2)
    collected = collect(source, class_.classroom, NAME)
    assert [placed.student for placed in collected.placed] == ["s0001"]
    assert "in more than 20 others" in str(collected)


def test_what_has_gone_meanwhile_is_left_out(tmp_path):
    for name in "abc":
        (tmp_path / name).write_text(name)
    found = entries_below(tmp_path)
    first, _ = next(found)
    for name in {"a", "b", "c"} - {first.name}:
        (tmp_path / name).unlink()
    assert list(found) == []


@pytest.fixture
def seen(tmp_path):
    """The file mei/01.ipynb, and its status when it was looked at; a secret of somebody else's has the same name."""
    for folder, content in (("mei", "hers"), ("other", "secret")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "01.ipynb").write_text(content)
    return (tmp_path / "mei" / "01.ipynb").lstat()


def test_a_file_is_read_as_it_was_seen(tmp_path, seen):
    assert read_as_seen(tmp_path, PurePosixPath("mei/01.ipynb"), seen) == b"hers"


def swapped_file(folder) -> None:
    (folder / "other" / "01.ipynb").replace(folder / "mei" / "01.ipynb")


def swapped_folder(folder) -> None:
    (folder / "mei").rename(folder / "before")
    (folder / "mei").symlink_to(folder / "other")


def linked(folder) -> None:
    (folder / "mei" / "01.ipynb").unlink()
    (folder / "mei" / "01.ipynb").symlink_to(folder / "other" / "01.ipynb")


def piped(folder) -> None:
    (folder / "mei" / "01.ipynb").unlink()
    os.mkfifo(folder / "mei" / "01.ipynb")


def written_on(folder) -> None:
    with (folder / "mei" / "01.ipynb").open("a") as file:
        file.write("!")


@pytest.mark.parametrize("change", [swapped_file, swapped_folder, linked, piped, written_on])
def test_what_took_its_place_since_is_not_read(tmp_path, seen, change):
    change(tmp_path)
    with pytest.raises(Unreadable):
        read_as_seen(tmp_path, PurePosixPath("mei/01.ipynb"), seen)


def test_a_name_does_nothing_to_a_terminal(tmp_path):
    name = "\x1b[2J\nMei: 8 of 8 points_\udcff.ipynb"
    (tmp_path / name).write_text("one")
    seen = (tmp_path / name).lstat()
    (tmp_path / name).write_text("another")
    with pytest.raises(Unreadable) as refused:
        read_as_seen(tmp_path, PurePosixPath(name), seen)
    assert str(refused.value).isprintable()


def test_of_a_flood_of_notebooks_none_is_read(tmp_path):
    names = [f"s0001_{number}_01_convolution.ipynb" for number in range(MOST_VERSIONS + 1)]
    collected = Class(tmp_path).collect(*names)
    assert not collected.placed and "more than 20 notebooks of one student" in str(collected)
