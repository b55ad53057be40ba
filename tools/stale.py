"""`python -m tools.stale`: the lessons whose modules of `utils` have changed since they were last run.

The build does not run a lesson again for that, since most changes leave its outputs as they were. When a lesson is run,
its solution records what its modules were, so that a run with the same outputs counts, and a changed text does not. So
it does for the trained weights that the lesson names.
What checks are made of is left out: a check that passed shows the same line after any change.
"""

import ast
import hashlib
import os
import sys
from modulefinder import ModuleFinder
from pathlib import Path

from nbformat import NotebookNode

from tools import files
from utils.paths import COURSE

NOT_SHOWN = ["utils.checks", "utils.checking"]


def modules(root: Path, lesson: Path) -> dict[str, str]:
    """{path: digest of its code} for all modules of `utils` that a lesson imports, directly or not; and its weights."""
    finder = ModuleFinder(path=[str(root)], excludes=NOT_SHOWN)
    finder.run_script(str(lesson))
    files_found = [vars(module)["__file__"] for module in finder.modules.values()]
    found = sorted(Path(file) for file in files_found if file)
    return {
        file.relative_to(root).as_posix(): _digest(file.read_text(encoding="utf-8"))
        for file in found
        if file.is_relative_to(root / "utils")
    } | _weights(root, lesson.read_text(encoding="utf-8"))


def _weights(root: Path, source: str) -> dict[str, str]:
    """{path: digest} of the trained weights that a lesson names."""
    paths = sorted((root / "data" / "weights").glob("*.safetensors"))
    named = [path for path in paths if f'"{path.stem}"' in source]
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in named}


def changed(root: Path, lesson: Path) -> list[str]:
    """The modules that are not what they were when the lesson's stored solution was run."""
    stored = files.read(root / "solutions" / f"{lesson.stem}.ipynb")
    before, now = recorded(stored), modules(root, lesson)
    return [name for name in sorted(before | now) if before.get(name) != now.get(name)]


def record(notebook: NotebookNode, ran_with: dict[str, str]) -> None:
    notebook.metadata[files.RAN_WITH] = ran_with


def recorded(notebook: NotebookNode | None) -> dict[str, str]:
    return dict(notebook.metadata.get(files.RAN_WITH, {})) if notebook else {}


def _digest(source: str) -> str:
    """Of the lines of code. Comments, docstrings and empty lines do not count."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines[node.lineno - 1 : node.end_lineno] = [""] * len(lines[node.lineno - 1 : node.end_lineno])
    code = [line.rstrip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return hashlib.sha256("\n".join(code).encode()).hexdigest()[:12]


def main(root: Path = COURSE) -> int:
    """Print one line for each lesson that may have to be run again. The status is always 0: it is for a person."""
    lines = {}
    for lesson in sorted((root / "lessons").glob("*.py")):
        if names := changed(root, lesson):
            lines[lesson] = f"{lesson.stem}: {', '.join(names)} changed since it was last run"
    for lesson, line in lines.items():
        print(line)
        if os.environ.get("GITHUB_ACTIONS"):
            print(f"::warning file=lessons/{lesson.name}::{line}")
    numbers = " ".join(lesson.name[:2] for lesson in lines)
    print(f"Run again: .venv/bin/python -m tools.build --force {numbers}" if lines else "No lesson is stale.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
