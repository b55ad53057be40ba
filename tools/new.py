"""`make new LESSON=15 TOPIC=diffusion TITLE="Diffusion: how does noise become an image?"`: a lesson's files.

Each is a small worked example that is green at once: build it, look at it, and write the lesson over it piece by piece.
"""

import argparse
import re
import sys
from pathlib import Path
from string import Template

from tools.outline import NUMBERS
from tools.repository import TEMPLATES
from utils.files import write_whole
from utils.paths import COURSE

FILES = {
    "lesson.py.template": "lessons/{number}_{topic}.py",
    "checks.py.template": "utils/checks/{topic}.py",
    "widget.py.template": "utils/widgets/{topic}_explorer.py",
    "test_lesson.py.template": "tests/test_lesson_{number}.py",
}
"""{template: the file that it becomes}. Figures go to the module of utils/plotting that has their subject."""


class Refused(ValueError):
    """This lesson cannot be begun."""


def new_files(root: Path, number: str, topic: str, title: str) -> dict[Path, str]:
    """{file: text} of a lesson that is new. Raises Refused for what exists and for names that will not do."""
    name, colon, question = title.partition(": ")
    if not re.fullmatch(r"\d\d", number):
        raise Refused(f"LESSON={number!r} must be two digits, as in {NUMBERS[5]}")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", topic):
        raise Refused(f"TOPIC={topic!r} must be small letters, digits and underscores: it names a Python module")
    if not (colon and name and question.endswith("?")) or '"' in title:
        raise Refused(f"TITLE={title!r} must be 'Name: question?', without quotation marks")
    if there := [*(root / "lessons").glob(f"{number}_*.py"), *(root / "lessons").glob(f"??_{topic}.py")]:
        raise Refused(f"{there[0].relative_to(root)} is there already")
    words = {"number": number, "topic": topic, "name": name, "question": question}
    words |= {"digit": str(int(number)), "dashed": topic.replace("_", "-")}
    made = {
        root / path.format(**words): Template((TEMPLATES / "new" / template).read_text(encoding="utf-8")).substitute(
            words
        )
        for template, path in FILES.items()
    }
    if there := [file for file in made if file.exists()]:
        raise Refused(f"{there[0].relative_to(root)} is there already")
    return made


def main(arguments: list[str] | None = None, root: Path = COURSE) -> int:
    """The command. Returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.new", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for argument in ("number", "topic", "title"):
        parser.add_argument(argument)
    asked = parser.parse_args(arguments)
    try:
        made = new_files(root, asked.number, asked.topic, asked.title)
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    for file, text in made.items():
        write_whole(file, text)
        print(file.relative_to(root))
    print(f"Next: make lesson LESSON={asked.number}, and make build for what links to it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
