"""CSV files are read as Python's csv reads them, and written back with nothing changed but what was filled in."""

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grading.exchange.tables import read_table
from grading.problems import GradingError

ANYTHING = st.text(st.sampled_from('ab1é,;\t"\r\n #+') | st.characters(codec="utf-8", exclude_characters="\0"))
ROWS = st.lists(st.lists(ANYTHING, min_size=2, max_size=5), min_size=1, max_size=5)
SAME_FILE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(rows: list[list[str]], separator: str, quoting: int) -> str:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=separator, quoting=quoting).writerows(rows)
    return stream.getvalue()


@SAME_FILE
@given(rows=ROWS, separator=st.sampled_from(",;\t"), quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_cells_are_those_of_pythons_csv(tmp_path, rows, separator, quoting):
    """With the line `sep=`, so that the separator is known for rows that say nothing."""
    text = written(rows, separator, quoting)
    path = tmp_path / "table.csv"
    path.write_bytes(f"sep={separator}\r\n{text}".encode())
    read = [[cell.value for cell in row] for row in read_table(path, lambda header: False).cells]
    assert read == rows


@SAME_FILE
@given(rows=ROWS, value=ANYTHING, data=st.data())
def test_one_cell_changes_and_no_other(tmp_path, rows, value, data):
    place = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.integers(0, len(rows[place]) + 2))
    path = tmp_path / "table.csv"
    path.write_bytes(f"sep=,\r\n{written(rows, ',', csv.QUOTE_MINIMAL)}".encode())
    path.write_bytes(read_table(path, lambda header: False).filled({(place, column): value}))
    expected = [list(row) for row in rows]
    expected[place] += [""] * (column + 1 - len(rows[place]))
    expected[place][column] = value
    assert [[cell.value for cell in row] for row in read_table(path, lambda header: False).cells] == expected


@given(content=st.binary(max_size=200) | ANYTHING.map(str.encode) | ANYTHING.map(lambda text: text.encode("utf-16")))
@SAME_FILE
def test_whatever_can_be_read_comes_back_byte_for_byte(tmp_path, content):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    try:
        table = read_table(path, lambda header: header == "id")
    except GradingError:
        return
    assert table.filled({}) == content


@pytest.mark.parametrize("before", ["", "\n\n", "Class list, autumn\n", "Course;DL 101\nDate;2026-11-01\n;\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_the_header_is_found_below_other_lines(tmp_path, before, end, encoding):
    path = tmp_path / "table.csv"
    path.write_bytes(f"{before}id;name\n1;Zoë\n\n2;Özil; more\n".replace("\n", end).encode(encoding))
    table = read_table(path, lambda header: header in ("id", "name"))
    assert table.headers == ["id", "name"]
    assert [row.values for row in table.rows.values()] == [("1", "Zoë"), ("2", "Özil")]
    assert [table.line(row.start) for row in table.rows.values()] == [before.count("\n") + 2, before.count("\n") + 4]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"PK\x03\x04rest", "is an Excel or OpenDocument workbook.*as CSV"),
        (b"\xd0\xcf\x11\xe0", "is an Excel workbook"),
        (b"\n<!DOCTYPE html>", "is a web page"),
        (b"id,name\n1,\x00\n", "no text"),
        (b'id,name\n1,"Zo\n2,Ann\n', "line 2 and never closes it"),
    ],
)
def test_what_is_no_table_is_said(tmp_path, content, problem):
    (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(GradingError, match=problem):
        read_table(tmp_path / "table.csv", lambda header: header == "id")
