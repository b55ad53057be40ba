"""What docs/checks.md shows of a real exercise: its code, as it stands in the source, and what its check says."""

import ast
from pathlib import Path

from tools.lesson import BuildError
from utils.checking import Exercise

FILE, EXERCISE = Path("utils/checks/receptive_field.py"), "receptive_field"
SHOWN = (
    "jump_updated_before_growth",
    "kernels_multiplied",
)  # of the mistakes; the first is the one whose message is shown


def blocks(root: Path) -> dict[str, str]:
    """{block of docs/checks.md: its content}."""
    source = (root / FILE).read_text(encoding="utf-8")
    code = {part: f"```python\n{text}\n```" for part, text in parts(source, EXERCISE, SHOWN).items()}
    return code | {"message": f"```text\n{message(_exercise(), SHOWN[0])}\n```"}


def parts(source: str, exercise: str, mistakes: tuple[str, ...]) -> dict[str, str]:
    """Reference, cases, recipe and these mistakes of an exercise, as they stand in the source of its module.

    Raises BuildError where one of them is not found.
    """
    found: dict[str, list[str]] = {"reference": [], "cases": [], "recipe": [], "mistakes": []}
    for statement in ast.parse(source).body:
        if part := _part(statement, exercise, mistakes):
            found[part].append(_lines(source, statement))
    if missing := [part for part, texts in found.items() if len(texts) < (len(mistakes) if part == "mistakes" else 1)]:
        raise BuildError([f"{FILE}: docs/checks.md shows what {exercise} does not have there: {', '.join(missing)}"])
    return {part: "\n".join(texts) for part, texts in found.items()}


def message(exercise: Exercise, mistake: str) -> str:
    """What the check says of an answer that makes this mistake."""
    answer = next(one.answer for one in exercise.mistakes if one.name == mistake)
    return exercise.judge(answer).text()


def _exercise() -> Exercise:
    from utils.checks import receptive_field  # it imports torch, and few builds need it

    return receptive_field.lesson.exercises[EXERCISE]


def _part(statement: ast.stmt, exercise: str, mistakes: tuple[str, ...]) -> str:
    """Which part of the exercise a statement of its module is; "" for one that is shown nowhere."""
    if isinstance(statement, ast.FunctionDef) and statement.decorator_list:
        decorator = ast.unparse(statement.decorator_list[0])
        if statement.name == exercise and decorator.startswith("lesson.exercise("):
            return "reference"
        return {f"{exercise}.cases": "cases", f"{exercise}.recipe": "recipe"}.get(decorator, "")
    declared = (f"{exercise}.{kind}('{name}'" for kind in ("slip", "wrong") for name in mistakes)
    return "mistakes" if ast.unparse(statement).startswith(tuple(declared)) else ""


def _lines(source: str, statement: ast.stmt) -> str:
    first = min([statement.lineno, *(one.lineno for one in getattr(statement, "decorator_list", []))])
    return "\n".join(source.splitlines()[first - 1 : statement.end_lineno])
