"""Exports of platforms made up for tests: a class of five, a zip of any members, and what `collect` makes of it."""

import io
import zipfile
from pathlib import Path

from grading.classroom import Classroom
from grading.exchange.collecting import Collected, collect

NAME = "01_convolution"
FILE = f"{NAME}.ipynb"
ROSTER = """\
id,first_name,last_name,email,canvas_id,login,github,group,Identifier
s0001,Mei,Nowak,mei@example.org,1000,mnowak,mei-codes,Group A,Participant 7000
s0002,Grete,Haddad,grete@example.org,1001,ghaddad,grete-h,Group A,Participant 7001
s0003,Omar,de la Cruz,omar@example.org,1002,ocruz,omar,Group B,Participant 7002
s0004,Zoë,Müller,zoe@example.org,1003,zmueller,zoe,,Participant 7003
s0005,Lena,Meyer,lena@example.org,1004,lmeyer,lena,,Participant 7004
"""


def zipped(members: dict) -> bytes:
    """A zip, as bytes, of names (or ZipInfo) and contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


class Class:
    """A class in `root` in which two lessons were released, by the contents given."""

    def __init__(self, root: Path, released: bytes = b"{}"):
        self.root, self.classroom = root, Classroom(root / "class")
        for name in (NAME, "11_tiny_transformer"):
            path = self.classroom.released(name)
            path.parent.mkdir(parents=True)
            path.write_bytes(released)

    def collect(
        self, *names, contents: dict | None = None, roster: str = ROSTER, assignment=NAME, reader=""
    ) -> Collected:
        """What becomes of a zip of files, each of which holds its own name. An empty roster is none."""
        (self.root / "export.zip").write_bytes(zipped({name: name for name in names} | (contents or {})))
        if roster:
            (self.root / "roster.csv").write_text(roster, encoding="utf-8")
        listed = self.root / "roster.csv" if roster else None
        return collect(self.root / "export.zip", self.classroom, assignment, listed, reader)

    def content(self, student: str) -> str:
        return self.classroom.submitted(student, NAME).read_text(encoding="utf-8")


def placed(collected: Collected) -> dict[str, str]:
    """{student: the file's name}."""
    return {one.student: one.file for one in collected.placed}


def why(collected: Collected) -> str:
    return " ".join(reason for _, reason in collected.not_placed)
