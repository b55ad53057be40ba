"""CSV files as platforms and Excel write them: any usual encoding and separator, lines before the header.

A table remembers where in the text each cell stands, so that cells can be filled in and all else stays byte for byte.
"""

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from grading.problems import GradingError

SEPARATORS = ",;\t"
SEPARATOR_LINE = re.compile(r'"?sep=(?P<separator>[^\r\n"])"?[ \t]*(?:\r\n|\r|\n)', re.IGNORECASE)  # Excel's
MOST_LINES_BEFORE = 20  # a title, a date, empty lines
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
OTHER_FORMATS = {
    b"PK\x03\x04": "an Excel or OpenDocument workbook",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"%PDF": "a PDF",
    b"<!doctype": "a web page",
    b"<html": "a web page",
}


@dataclass(frozen=True)
class Cell:
    """A cell's value, and its place in the text, with the quotation marks around it."""

    value: str
    start: int
    end: int


@dataclass(frozen=True)
class Row:
    """The values of one row by column, with as many as the header has, and where in the text it begins."""

    values: tuple[str, ...]
    start: int


@dataclass(frozen=True)
class Table:
    """A CSV file whose columns are named by the row `header_at`; rows count from 0, as in `cells`."""

    name: str
    text: str
    mark: bytes
    encoding: str
    separator: str
    cells: list[list[Cell]]
    header_at: int

    @property
    def headers(self) -> list[str]:
        return [cell.value.strip() for cell in self.cells[self.header_at]]

    @cached_property
    def rows(self) -> dict[int, Row]:
        """{place: row} of all rows below the header that hold anything."""
        width = len(self.headers)
        found = {}
        for place, cells in enumerate(self.cells[self.header_at + 1 :], self.header_at + 1):
            values = [cell.value.strip() for cell in cells[:width]]
            if any(values):
                found[place] = Row((*values, *[""] * (width - len(values))), cells[0].start)
        return found

    def line(self, start: int) -> int:
        """The line of the file in which this place of the text is, counted from 1."""
        return 1 + len(re.findall(r"\r\n|\r|\n", self.text[:start]))

    def filled(self, values: Mapping[tuple[int, int], str]) -> bytes:
        """The file with {(row, column): value} written in; every other byte is as it was."""
        changes = sorted(self._change(row, column, value) for (row, column), value in values.items())
        parts, at = [], 0
        for start, end, written in changes:
            parts += [self.text[at:start], written]
            at = end
        return self.mark + "".join([*parts, self.text[at:]]).encode(self.encoding)

    def _change(self, row: int, column: int, value: str) -> tuple[int, int, str]:
        cells = self.cells[row]
        if column < len(cells):
            start, end = cells[column].start, cells[column].end
            before = ""
        else:
            start = end = cells[-1].end
            before = self.separator * (column - len(cells) + 1)
        quoted = self.text[start:end].startswith('"') or any(sign in value for sign in f'{self.separator}"\r\n')
        return start, end, before + ('"' + value.replace('"', '""') + '"' if quoted else value)


def read_table(path: Path, known: Callable[[str], bool]) -> Table:
    """Read a CSV file, separated by commas, semicolons or tabs, in UTF-8, UTF-16 or Windows-1252.

    Args:
        path: the file; Excel's first line `sep=;` and lines before the header may be in it.
        known: whether a header is one that is looked for. The row with most of them is the header; where there is no
            such row, the first that is not empty.

    Raises GradingError if it cannot be read, is no text, or opens a quotation mark that is never closed.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise GradingError(f"{path} cannot be read: {error.strerror}.") from error
    mark, encoding, text = _decoded(content, path)
    said = SEPARATOR_LINE.match(text)
    start = said.end() if said else 0
    separators = said["separator"] if said else sorted(SEPARATORS, key=text[start:].count, reverse=True)
    tables = [Table(str(path), text, mark, encoding, one, _parsed(text, start, one), 0) for one in separators]
    found = max((_with_header(table, known) for table in tables), key=lambda found: found[0])[1]
    last = found.cells[-1][-1]
    if _is_open(text[last.start : last.end]):
        line = found.line(last.start)
        raise GradingError(f'{path} opens a quotation mark (") in line {line} and never closes it. Correct that line.')
    return found


def _decoded(content: bytes, path: Path) -> tuple[bytes, str, str]:
    """The byte order mark, the encoding, and the text without the mark."""
    for beginning, what in OTHER_FORMATS.items():
        if content[:64].lstrip().lower().startswith(beginning.lower()):
            raise GradingError(f"{path} is {what}, not a CSV file. Open it, and save or download it as CSV.")
    mark = next((mark for mark in BYTE_ORDER_MARKS if content.startswith(mark)), b"")
    for encoding in [BYTE_ORDER_MARKS[mark]] if mark else _likely_encodings(content):
        try:
            text = content[len(mark) :].decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return mark, encoding, text
    raise GradingError(f"{path} is no text in UTF-8, UTF-16 or Windows-1252. Save or download it as CSV.")


def _likely_encodings(content: bytes) -> list[str]:
    """Without a mark, UTF-16 shows by the zeros beside the letters; latin-1 takes what is left, and changes no byte."""
    zeros = (content[0::2].count(0), content[1::2].count(0))
    if max(zeros) > len(content) / 8:
        return ["utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"]
    return ["utf-8", "cp1252", "latin-1"]


def _parsed(text: str, start: int, separator: str) -> list[list[Cell]]:
    """Rows of cells by RFC 4180, as lenient as Python's csv."""
    between = re.escape(separator)
    one = re.compile(rf'(?:"((?:[^"]|"")*+)"?)?([^{between}\r\n]*)({between}|\r\n|\r|\n|\Z)')
    rows: list[list[Cell]] = [[]]
    while start < len(text) or rows[-1]:
        found = one.match(text, start)
        assert found
        value = (found[1] or "").replace('""', '"') + found[2]
        rows[-1].append(Cell(value, start, found.start(3)))
        start = found.end()
        if found[3] != separator:
            if start >= len(text):
                break
            rows.append([])
    return rows if rows[-1] else [[Cell("", start, start)]]


def _is_open(raw: str) -> bool:
    return raw.startswith('"') and raw.count('"') % 2 == 1


def _with_header(table: Table, known: Callable[[str], bool]) -> tuple[tuple[int, int], Table]:
    """How many known headers its best row has, and how many cells; and the table with that row as header."""
    filled = [place for place, row in enumerate(table.cells) if any(cell.value.strip() for cell in row)]
    counts = {place: sum(known(cell.value) for cell in table.cells[place]) for place in filled[:MOST_LINES_BEFORE]}
    best = max(counts, key=lambda place: counts[place], default=0)
    return (counts.get(best, 0), len(table.cells[best])), replace(table, header_at=best)
