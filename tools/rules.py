"""What a well-formed lesson keeps to. Each rule is a generator of (line, what is wrong)."""

import ast
import re
import symtable
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from tools import inventory, measured, nbgrader_cells
from tools.lesson import CARD, KINDS, TITLE, Cell, Lesson
from tools.outline import NEXT
from utils.checking import Exercise

Found = Iterator[tuple[int, str]]

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")  # with a prefix it is still a cell id, which has at most 64 characters
OPTIONS = ("points", "figure", "stored", "same_output", "unclaimed", "covers")
INTRODUCTION = ("question", "write", "minutes")
COLUMNS = 100  # of code, on a laptop's screen


def problems(lesson: Lesson, exercises: Mapping[str, Exercise]) -> list[str]:
    """All that is wrong with a lesson, line by line. `exercises` are those that utils.checks has for it.

    Where a marker cannot be read, that is all: what the cell is then taken for would only mislead.
    """
    unread = set(options_are_known(lesson, exercises))
    found = unread or {problem for rule in RULES for problem in rule(lesson, exercises)}
    return [lesson.problem(line, text) for line, text in sorted(found)]


def options_are_known(lesson: Lesson, exercises: Mapping[str, Exercise]) -> Found:
    for cell in lesson.cells:
        known = [*KINDS, *OPTIONS, *(INTRODUCTION if cell is lesson.cells[0] else ())]
        for key, value in cell.options.items():
            if key in ("title", "incorrectly_encoded_metadata"):
                yield cell.line, f'cannot read {value!r} on the cell\'s marker: write key=value, as answer="conv2d"'
            elif key not in known:
                close = get_close_matches(key, known, 1)
                meant = f": did you mean {close[0]!r}?" if close else f". There are {', '.join(known)}"
                yield cell.line, f"{key!r} is not something that a cell can be{meant}"


def cells_are_one_thing(lesson: Lesson, exercises: Mapping[str, Exercise]) -> Found:
    for cell in lesson.cells:
        kinds = [kind for kind in KINDS if kind in cell.options]
        if len(kinds) > 1:
            yield cell.line, f"a cell is one thing, not {' and '.join(kinds)}"
        allowed = (KINDS[cell.kind],) if cell.kind else ("code", "markdown")
        if cell.type not in allowed:
            yield cell.line, f"{cell.kind or 'this cell'} is {cell.type}; it must be {' or '.join(allowed)}"
        if cell.kind == "setup" and cell.options["setup"] is not True:
            yield cell.line, f"write setup=true, not setup={cell.options['setup']!r}"
        if cell.kind not in ("", "setup") and not NAME.fullmatch(cell.name):
            yield cell.line, f"{cell.name!r} is no name: use at most 50 small letters, digits and underscores"


def figures_have_names(lesson: Lesson, exercises: Mapping[str, Exercise]) -> Found:
    lines: dict[str, int] = {}
    for cell in lesson.cells:
        if "figure" not in cell.options:
            continue
        if cell.type != "code":
            yield cell.line, "a figure comes from a code cell"
        if not NAME.fullmatch(cell.figure):
            yield cell.line, f"{cell.figure!r} is no name: use at most 50 small letters, digits and underscores"
        if cell.figure in lines:
            yield cell.line, f"figure {cell.figure!r} stands at line {lines[cell.figure]} already"
        lines[cell.figure] = cell.line


def quizzes_have_points(lesson: Lesson, exercises: Mapping[str, Exercise]) -> Found:
    for cell in lesson.cells:
        points = cell.options.get("points")
        if cell.kind == "quiz" and (type(points) is not int or points < 1):
            yield cell.line, "a quiz says what it is worth: points=1"
        if cell.kind != "quiz" and points is not None:
            yield cell.line, "points stand on a quiz only; those of a check come from utils.checks"


def outputs_are_kept_back_by_a_word(lesson: Lesson, exercises: Mapping[str, Exercise]) -> Found:
    for cell in lesson.cells:
        if "stored" in cell.options and (cell.type != "code" or cell.options["stored"] is not False):
            yield cell.line, "write stored=false, on a code cell whose outputs depend on other lessons"


def the_same_output_is_said_by_a_word(lesson: Lesson, exercises: Mapping[str, Exercise]) -> Found:
    for cell in lesson.cells:
        if "same_output" in cell.options and (cell.type != "code" or not cell.same_output):
            yield cell.line, "write same_output=true, on a code cell that prints the same in every run"
        for number, line in enumerate(cell.source.split("\n"), start=cell.first_line):
            if cell.type == "code" and line.startswith("# NBVAL_"):
                yield number, "say it on the cell's marker: same_output=true"


def what_is_measured_is_claimed(lesson: Lesson, exercises: Mapping[str, Exercise]) -> Found:
    for cell in lesson.cells:
        reason = cell.options.get("unclaimed", "none needed")
        if cell.type != "markdown" and "unclaimed" in cell.options or not isinstance(reason, str) or not reason.strip():
            yield cell.line, 'say why, on a text cell: unclaimed="a figure of the paper\'s"'
    for section in measured.sections(lesson):
        if not any(measured.has_claim(cell) for cell in section):
            for cell in section:
                if "unclaimed" not in cell.options:
                    yield from measured.numbers(cell)


def what_is_covered_is_in_the_plan(lesson: Lesson, exercises: Mapping[str, Exercise]) -> Found:
    planned = sorted(inventory.planned(lesson.number))
    for cell in lesson.cells:
        try:
            marked = inventory.numbers(cell)
        except ValueError:
            yield (
                cell.line,
                f'lines of the inventory are numbers, covers="3 5", not {cell.options["covers"]!r}',
            )
            continue
        for number in sorted(set(marked) - set(planned)):
            yield (
                cell.line,
                f"line {number} of the inventory is not lesson {lesson.number}'s, which are "
                f"{', '.join(map(str, planned)) or 'none'} (tools/inventory.py)",
            )


def title_and_setup_come_first(lesson: Lesson, exercises: Mapping[str, Exercise]) -> Found:
    first, setups = lesson.cells[0], [cell for cell in lesson.cells if cell.kind == "setup"]
    title = TITLE.match(first.source)
    if first.type != "markdown" or title is None or title["number"] != lesson.number:
        yield first.line, f"a lesson begins with a text cell whose first line is '# {lesson.number} · Title'"
    if not setups:
        yield first.line, "the set-up cell is missing: '# %% setup=true', directly after the first text cell"
    for cell in setups:
        if cell is not lesson.cells[1]:
            yield cell.line, "there is one set-up cell, directly after the first text cell"


def the_first_cell_introduces_the_lesson(lesson: Lesson, exercises: Mapping[str, Exercise]) -> Found:
    first = lesson.cells[0]
    if missing := [key for key in INTRODUCTION if not first.options.get(key)]:
        example = 'question="what does one kernel buy?" write="conv2d, sizes" minutes=75'
        yield first.line, f"README's table needs {', '.join(missing)} on this marker, as in {example}"
    minutes = first.options.get("minutes", 0)
    if type(minutes) is not int:
        yield first.line, f"write minutes as a number, not {minutes!r}"
    elif said := [int(found) for found in re.findall(r"\b(\d+) minutes", first.source) if int(found) != minutes]:
        yield first.line, f"the text says {said[0]} minutes, the marker {minutes}"


def the_way_on_is_shown_once(lesson: Lesson, exercises: Mapping[str, Exercise]) -> Found:
    places = [cell.line for cell in lesson.cells for _ in range(cell.source.count(NEXT)) if cell.type == "markdown"]
    if len(places) != 1:
        yield (
            (places or [lesson.cells[-1].line])[-1],
            f"one text of a lesson, near its end, holds {NEXT}: there are {len(places)}",
        )


def names_are_unique(lesson: Lesson, exercises: Mapping[str, Exercise]) -> Found:
    lines: dict[str, int] = {}
    for cell in lesson.cells:
        if cell.grade_id in lines:
            yield cell.line, f"{cell.kind} {cell.name!r} stands at line {lines[cell.grade_id]} already"
        elif cell.grade_id:
            lines[cell.grade_id] = cell.line


def markers_are_paired(lesson: Lesson, exercises: Mapping[str, Exercise]) -> Found:
    for cell in lesson.cells:
        opened = None
        has_answer = False
        for number, line in enumerate(cell.written, start=cell.line):
            marker = _marker(cell, line)
            if marker is None:
                continue
            has_answer = True
            if cell.kind not in ("answer", "quiz"):
                yield number, "a solution stands in an answer or a quiz; learners would read this one"
            if marker not in (BEGIN, END):
                yield number, f"this is no marker: the line must be {BEGIN} or {END}, and nothing else"
            elif marker == BEGIN and opened:
                yield number, f"a solution begins inside the one that begins at line {opened}"
            elif marker == END and not opened:
                yield number, "a solution ends that never began"
            opened = number if marker == BEGIN else None if marker == END else opened
        if opened:
            yield opened, f"this solution has no {END}"
        if cell.kind in ("answer", "quiz") and not has_answer:
            yield cell.line, f"{cell.kind} {cell.name!r} has no {BEGIN} … {END}"


def _marker(cell: Cell, line: str) -> str | None:
    """The marker that this line holds, or the whole line where it is a marker misspelt."""
    if not re.search(r"(BEGIN|END)\s+SOLUTION", line, re.IGNORECASE):
        return None
    text = line.strip()
    return text.removeprefix("# ") if cell.type == "markdown" else text


def answers_are_checked(lesson: Lesson, exercises: Mapping[str, Exercise]) -> Found:
    code = [cell for cell in lesson.cells if cell.type == "code"]
    answers = {cell.name for cell in code if cell.kind == "answer"}
    checks = {cell.name for cell in code if cell.kind == "check"}
    for before, cell in zip([None, *code], code, strict=False):
        if cell.kind == "answer" and cell.name not in checks:
            yield cell.line, f"answer {cell.name!r} has no check"
        if cell.kind == "check" and cell.name not in answers:
            yield cell.line, f"check {cell.name!r} has no answer of that name"
        elif cell.kind == "check" and (before is None or (before.kind, before.name) != ("answer", cell.name)):
            yield cell.line, f"check {cell.name!r} must follow its answer; only text may come between"


def checks_are_one_line(lesson: Lesson, exercises: Mapping[str, Exercise]) -> Found:
    for cell in lesson.cells:
        call = f"check.{cell.name}("
        if cell.kind == "check" and (not cell.source.startswith(call) or "\n" in cell.source):
            yield cell.line, f"a check is one line: {call}…)"


def exercises_are_those_of_the_checks(lesson: Lesson, exercises: Mapping[str, Exercise]) -> Found:
    checks = {cell.name: cell.line for cell in lesson.cells if cell.kind == "check"}
    if checks and not exercises:
        module = f"utils/checks/{lesson.topic}.py"
        yield min(checks.values()), f"utils.checks has no exercise for lesson {lesson.number}: declare it in {module}"
        return
    for name in checks.keys() - exercises.keys():
        close = get_close_matches(name, exercises, 1)
        meant = f" Did you mean {close[0]!r}?" if close else ""
        yield checks[name], f"utils.checks has no exercise {name!r} for lesson {lesson.number}.{meant}"
    for name in exercises.keys() - checks.keys():
        yield 1, f"utils.checks has the exercise {name!r} for lesson {lesson.number}; the lesson does not"


def cards_say_the_points(lesson: Lesson, exercises: Mapping[str, Exercise]) -> Found:
    card = None
    for cell in lesson.cells:
        if cell.type == "markdown" and (found := CARD.search(cell.source)):
            card = cell.first_line + cell.source[: found.start()].count("\n"), int(found[1])
        if cell.kind != "answer":
            continue
        points = exercises[cell.name].points if cell.name in exercises else None
        if card is None:
            yield (
                cell.line,
                f"answer {cell.name!r} has no card above it, such as ●●○ · about 15 minutes · {points or 2} points",
            )
        elif points not in (None, card[1]):
            yield card[0], f"the card says {card[1]}, and {cell.name!r} is worth {points} in utils.checks"
        card = None


def code_fits_the_screen(lesson: Lesson, exercises: Mapping[str, Exercise]) -> Found:
    for cell in lesson.cells:
        for number, line in enumerate(cell.source.split("\n"), start=cell.first_line):
            if cell.type == "code" and len(line) > COLUMNS:
                yield number, f"this line of code has {len(line)} columns, and {COLUMNS} are the most"


def stubs_are_not_used(lesson: Lesson, exercises: Mapping[str, Exercise]) -> Found:
    code = [cell for cell in lesson.cells if cell.type == "code" and not _syntax_error(cell.source)]
    stubs = {name for cell in code if cell.kind == "answer" for name in _defined(cell)}
    for cell in code:
        if cell.kind in ("", "setup"):
            for name in sorted(_taken_from_elsewhere(symtable.symtable(cell.source, "cell", "exec")) & stubs):
                yield _line_of(cell, name), f'{name!r} is a stub in the learner\'s copy: use it in a payoff="{name}"'


def _defined(cell: Cell) -> list[str]:
    return [node.name for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def _taken_from_elsewhere(table: symtable.SymbolTable) -> set[str]:
    """The names that a cell reads and does not bind itself at its top level."""
    if table.get_type() == "module":
        own = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
        free = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
        return free.union(*map(_taken_from_elsewhere, table.get_children())) - own
    free = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global() and symbol.is_referenced()}
    return free.union(*map(_taken_from_elsewhere, table.get_children()))


def _line_of(cell: Cell, name: str) -> int:
    nodes = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name) and node.id == name]
    return cell.first_line + min(node.lineno for node in nodes) - 1


def code_is_python(lesson: Lesson, exercises: Mapping[str, Exercise]) -> Found:
    for cell in lesson.cells:
        if cell.type == "code" and (error := _syntax_error(cell.source)):
            yield cell.first_line + (error.lineno or 1) - 1, f"this is not Python: {error.msg}"


def stubs_are_python(lesson: Lesson, exercises: Mapping[str, Exercise]) -> Found:
    for cell in lesson.cells:
        if cell.kind != "answer" or BEGIN not in cell.source or END not in cell.source:
            continue
        if any(line.startswith(BEGIN) for line in cell.source.splitlines()):
            yield cell.line, "the solution stands in no function, so its stub would stop 'Run all'; indent it"
        stub = re.sub(f"{BEGIN}.*?{END}", nbgrader_cells.CODE_STUB, cell.source, flags=re.DOTALL)
        if error := _syntax_error(stub):
            yield cell.line, f"what is left without the solution is not Python: {error.msg}"


def payoffs_wait_for_an_answer(lesson: Lesson, exercises: Mapping[str, Exercise]) -> Found:
    answers: set[str] = set()
    for cell in lesson.cells:
        if cell.kind == "answer":
            answers.add(cell.name)
        if cell.kind != "payoff":
            continue
        if cell.name not in answers:
            yield cell.line, f"payoff {cell.name!r} has no answer of that name above it"
        if not _syntax_error(cell.source) and not _stands_in_payoff(cell):
            yield cell.line, f'the whole cell must stand in: with payoff("{cell.name}"):'


def _stands_in_payoff(cell: Cell) -> bool:
    match ast.parse(cell.source).body:
        case [ast.With(items=[ast.withitem(context_expr=call)])]:
            return ast.unparse(call).removeprefix("notebook.") == f"payoff({cell.name!r})"
    return False


def _syntax_error(source: str) -> SyntaxError | None:
    try:
        ast.parse(source)
    except SyntaxError as error:
        return error
    return None


RULES = [
    cells_are_one_thing,
    figures_have_names,
    outputs_are_kept_back_by_a_word,
    the_same_output_is_said_by_a_word,
    what_is_measured_is_claimed,
    what_is_covered_is_in_the_plan,
    quizzes_have_points,
    title_and_setup_come_first,
    the_first_cell_introduces_the_lesson,
    the_way_on_is_shown_once,
    names_are_unique,
    markers_are_paired,
    answers_are_checked,
    checks_are_one_line,
    exercises_are_those_of_the_checks,
    cards_say_the_points,
    code_is_python,
    code_fits_the_screen,
    stubs_are_python,
    stubs_are_not_used,
    payoffs_wait_for_an_answer,
]
