"""The files of a source by their right names: zips of Windows and macOS, zips in zips, endings that browsers add."""

import io
import zipfile
from datetime import UTC, datetime

import pytest

from grading.receipt import Receipt
from tests.grading.exports import FILE, NAME, Class, placed, why, zipped


@pytest.fixture
def a_class(tmp_path) -> Class:
    return Class(tmp_path)


def unmarked(names: dict[str, str]) -> bytes:
    """A zip whose names are bytes of an encoding, without the flag that says UTF-8: {name: encoding}."""
    as_written = {name: name.encode(encoding) for name, encoding in names.items()}
    ascii_names = {name: f"{number:0{len(raw)}d}".encode() for number, (name, raw) in enumerate(as_written.items())}
    content = zipped({ascii_names[name].decode(): name for name in names})
    for name, raw in as_written.items():
        content = content.replace(ascii_names[name], raw)
    return content


@pytest.mark.parametrize("encoding", ["utf-8", "cp437", "cp850"])
def test_names_of_macos_and_windows_are_read(a_class, encoding):
    content = unmarked({f"Zoë Müller_{FILE}": encoding})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert not archive.infolist()[0].flag_bits & 0x800
    assert placed(a_class.collect(contents={"Zoë Müller.zip": content})) == {
        "s0004": f"Zoë Müller.zip/Zoë Müller_{FILE}"
    }


def test_a_letter_that_code_page_437_lacks_is_one_of_850(a_class):
    collected = a_class.collect(contents={"mei@example.org.zip": unmarked({f"João_{FILE}": "cp850"})})
    assert placed(collected) == {"s0001": f"mei@example.org.zip/João_{FILE}"}


def test_backslashes_part_folders(a_class):
    assert placed(a_class.collect(f"spring\\s0001\\{FILE}")) == {"s0001": f"spring/s0001/{FILE}"}


def test_zips_in_zips_are_read(a_class):
    content = zipped({FILE: "mine"})
    for depth in range(3):
        collected = a_class.collect(contents={"s0001.zip": content})
        assert placed(collected) == {"s0001": f"s0001.zip/{'inner.zip/' * depth}{FILE}"}
        assert a_class.content("s0001") == "mine"
        content = zipped({"inner.zip": content})
    assert "a zip in 3 others" in why(a_class.collect(contents={"s0001.zip": content}))


@pytest.mark.parametrize("name", ["submissions.zip", f"{NAME}.zip", f"Moodle-{NAME}-2024.zip"])
def test_an_export_that_was_packed_twice_is_that_export(a_class, name):
    export = zipped({f"nowakmei_1000_5_{FILE}": "1", f"haddadgrete_1001_6_{FILE}": "2"})
    collected = a_class.collect(contents={name: export})
    assert collected.reader == "canvas" and sorted(placed(collected)) == ["s0001", "s0002"]


@pytest.mark.parametrize("name", ["jo.zip", "jo_submissions.zip", f"jo_{NAME}.zip", "jo_9_8_submission.zip"])
def test_a_students_zip_is_no_export_that_was_packed_twice(a_class, name):
    export = zipped({f"nowakmei_1000_5_{FILE}": "1", f"haddadgrete_1001_6_{FILE}": "2"})
    assert placed(a_class.collect(contents={name: export})) == {}
    assert set(placed(a_class.collect(contents={name.replace("jo", "s0001"): export}))) <= {"s0001"}


def test_the_time_is_that_of_the_outer_file_not_of_dates_in_a_students_zip(a_class):
    def dated(name, year, content="x"):
        return {zipfile.ZipInfo(name, date_time=(year, 10, 1, 12, 0, 0)): content}

    inner = zipped({zipfile.ZipInfo("deep.zip", (2001, 1, 1, 0, 0, 0)): zipped(dated(FILE, 2000))})
    contents = dated("s0001.zip", 2026, inner) | dated(f"s0002_{FILE}", 2025)
    a_class.collect(contents=contents)
    for student, year in (("s0001", 2026), ("s0002", 2025)):
        submitted = datetime.fromisoformat(Receipt.read(a_class.classroom.receipt(student, NAME)).submitted)
        assert submitted == datetime(year, 10, 1, 12).astimezone()
        stamp = a_class.classroom.submitted(student, NAME).with_name("timestamp.txt").read_text()
        assert stamp == f"{submitted.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


NOTEBOOK = '{"cells": [{"cell_type": "code", "source": "x = 1"}]}'
NOTEBOOKS = {
    f"s0001_{NAME}.ipynb.txt": "not looked into",
    f"s0002_{NAME}.IPYNB.json": "not looked into",
    f"s0003_{NAME}.ipynb.zip": zipped({FILE: "x"}),
    f"s0004_{NAME}.txt": NOTEBOOK,
    f"s0005/{NAME}.json": NOTEBOOK,
}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_by_another_ending_is_one(a_class, name):
    collected = a_class.collect(contents={name: NOTEBOOKS[name]})
    assert list(placed(collected)) == [name[:5]] and collected.not_placed == []


NO_NOTEBOOKS = {
    f"s0001_{NAME}.txt": "not a notebook",
    f"s0001_{NAME}.json": "not a notebook",
    f"s0001_{NAME}.pdf": "a PDF",
    f"s0001_{NAME}.html": "a web page",
    f"s0001_{NAME}.py": "a Python file",
    f"s0001_{NAME}.docx": "a text document",
    f"s0001_{NAME}.7z": "not opened: unpack it",
    f"s0001_{NAME}.tar.gz": "not opened: unpack it",
    f"s0001_{NAME}.gdoc": "a shortcut",
    f"s0001_{NAME}": "not a notebook",
}


@pytest.mark.parametrize(("name", "said"), NO_NOTEBOOKS.items())
def test_a_file_that_is_no_notebook_is_told_what_it_is(a_class, name, said):
    collected = a_class.collect(contents={name: '{"a": 1}'})
    assert placed(collected) == {} and said in why(collected)


def test_what_lies_beside_a_notebook_is_counted_and_not_listed(a_class):
    beside = [f"s0001/{name}" for name in ("data/a.csv", "report.pdf", "02_cnn_on_mnist.ipynb")]
    collected = a_class.collect(f"s0001/{FILE}", *beside, "s0002/report.pdf", "class.pdf")
    assert list(placed(collected)) == ["s0001"] and collected.beside == 3
    assert [name for name, _ in collected.not_placed] == ["class.pdf", "s0002/report.pdf"]
