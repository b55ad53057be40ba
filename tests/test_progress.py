"""The learner's record: kept, shown, and never in the way."""

import json

import pytest

from utils import files, progress
from utils.checking import record
from utils.checks.convolution import output_size


@pytest.fixture
def file(tmp_path, monkeypatch):
    chosen = tmp_path / "kept" / "progress.json"
    monkeypatch.setenv("REACH_PROGRESS", str(chosen))
    return chosen


def passes(exercise: str) -> str:
    return next(day for name, _, day in progress.by_lesson()["01"] if name == exercise)


def test_a_pass_is_kept_and_a_failure_is_not(file, capsys):
    output_size(lambda *case: 0)
    assert not file.exists()
    output_size(output_size.reference)
    assert "output_size" in json.loads(file.read_text())["01"]
    assert passes("output_size") and not passes("conv2d")


def test_the_day_of_the_first_pass_stays(file):
    file.parent.mkdir()
    file.write_text('{"01": {"output_size": "2026-01-31"}}')
    record.add("01", "output_size")
    record.add("01", "conv2d")
    assert passes("output_size") == "2026-01-31"
    assert passes("conv2d")


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"01": 3}', '"text"', "\x00\xff"])
def test_a_damaged_record_costs_nothing_but_the_record(file, damage):
    file.parent.mkdir()
    file.write_text(damage, encoding="latin-1")
    assert record.load() == {}
    record.add("01", "conv2d")
    assert passes("conv2d")


def test_a_folder_that_cannot_be_written_stops_nothing(file, monkeypatch):
    file.parent.write_text("a file where the folder should be")
    record.add("01", "conv2d")
    assert record.load() == {}


def test_a_full_disk_leaves_the_old_record(file, monkeypatch):
    record.add("01", "conv2d")

    def full(*names):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", full)
    record.add("01", "output_size")
    assert list(record.load()["01"]) == ["conv2d"]
    assert [path.name for path in file.parent.iterdir()] == ["progress.json"]


def test_it_can_be_switched_off(monkeypatch):
    monkeypatch.setenv("REACH_PROGRESS", "off")
    assert record.path() is None
    record.add("01", "conv2d")
    assert record.load() == {}


def test_the_figure_and_the_table_count_what_was_passed(file, capsys):
    record.add("01", "conv2d")
    ax = progress.plot_progress()
    assert ax.get_title(loc="left").startswith("1 of ")
    assert any("✓" in text.get_text() for text in ax.texts)
    progress.main()
    printed = capsys.readouterr().out
    assert "conv2d" in printed and "not yet" in printed and file.name in printed.replace("\n", "")
