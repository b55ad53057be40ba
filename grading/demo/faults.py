"""Submissions of the invented class that are broken by accident, or hostile. `tests/attacks/` has many more attacks."""

import copy
import json
from collections.abc import Callable

import nbformat
from nbformat import NotebookNode

from utils.cells import role


def _edit(change: Callable[[dict], None]) -> Callable[[bytes], bytes]:
    """A breakage that changes the parsed JSON of the file."""

    def broken(written: bytes) -> bytes:
        notebook = json.loads(written)
        change(notebook)
        return json.dumps(notebook).encode()

    return broken


def _cell(notebook: dict, cell_id: str) -> dict:
    return next(cell for cell in notebook["cells"] if cell["id"] == cell_id)


def _delete_an_answer(notebook: dict) -> None:
    notebook["cells"].remove(_cell(notebook, "conv2d_unfold"))


def _duplicate_every_cell(notebook: dict) -> None:
    notebook["cells"] = [copy.deepcopy(cell) for cell in notebook["cells"] for _ in range(2)]


def _strip_metadata(notebook: dict) -> None:
    for cell in notebook["cells"]:
        cell["metadata"] = {}


def _turn_an_answer_into_text(notebook: dict) -> None:
    cell = _cell(notebook, "max_pool2d")
    cell["cell_type"] = "markdown"
    del cell["outputs"], cell["execution_count"]


BREAKAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty file": lambda written: b"",
    "upload cut short": lambda written: written[: len(written) // 2],
    "an answer deleted": _edit(_delete_an_answer),
    "every cell twice": _edit(_duplicate_every_cell),
    "metadata stripped": _edit(_strip_metadata),
    "an answer turned into text": _edit(_turn_an_answer_into_text),
}


def _answer(notebook: NotebookNode, cell_id: str, body: str) -> None:
    """Give the function of this answer cell another body."""
    cell = next(cell for cell in notebook.cells if cell.id == cell_id)
    cell.source = f"def {cell_id}(*args, **settings):\n" + "\n".join(f"    {line}" for line in body.splitlines())


def _run_first(notebook: NotebookNode, source: str) -> None:
    """Put a cell of the student's own before the first answer, and leave every answer empty."""
    place = next(index for index, cell in enumerate(notebook.cells) if cell.id == "output_size")
    notebook.cells.insert(place, nbformat.v4.new_code_cell(source, id="run-me-first"))
    for cell in notebook.cells:
        if role(cell) == "answer":
            _answer(notebook, cell.id, "return AlwaysRight()")


ALWAYS_RIGHT = """
class AlwaysRight(float):
    __eq__ = __ge__ = __le__ = lambda self, other: True
    __hash__ = float.__hash__
    shape = property(lambda self: AlwaysRight())
"""


def _patch_the_comparison(notebook: NotebookNode) -> None:
    patches = "import builtins\ntorch.allclose = torch.equal = torch.isclose = lambda *args, **settings: True\n"
    _run_first(notebook, f"{patches}builtins.abs = lambda value: 0\n{ALWAYS_RIGHT}")


def _take_the_reference(notebook: NotebookNode) -> None:
    search = "import gc\nfound = [one for one in gc.get_objects() if type(one).__name__ == 'Exercise']\n"
    use = "AlwaysRight = lambda: found[0].reference\nfrom utils.checks.convolution import conv2d as stolen"
    _run_first(notebook, search + use)


def _read_what_is_not_theirs(notebook: NotebookNode) -> None:
    source = """
import os
AlwaysRight = lambda: 0
for path in ["/etc/passwd", "/etc/shadow", "/proc/1/environ", "../../../gradebook.db", "../../../roster.csv"]:
    try:
        print(path, open(path, errors="replace").read())
    except OSError as error:
        print(error)
print(dict(os.environ))
"""
    _run_first(notebook, source.strip() + "\n")


def _never_end(notebook: NotebookNode) -> None:
    endless = "while True:\n    try:\n        while True: pass\n    except BaseException:\n        pass"
    _answer(notebook, "conv2d", endless)


def _end_the_grader(notebook: NotebookNode) -> None:
    _answer(notebook, "output_size", "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nos._exit(0)")


def _fill_the_memory(notebook: NotebookNode) -> None:
    _answer(notebook, "conv2d", "hoard = []\nwhile True:\n    hoard.append(b'x' * 64 * 2**20)")


def _leave_a_daemon(notebook: NotebookNode) -> None:
    _answer(notebook, "output_size", "import os, time\nfor _ in range(500):\n    os.fork() or time.sleep(10**6)")


def _script_in_the_page(notebook: NotebookNode) -> None:
    script = "</pre></script><script>document.title = 'hacked'</script><img src=x onerror=alert(1)>"
    _answer(notebook, "output_size", f"raise ValueError({script!r})")
    show = f"from IPython.display import HTML, display\ndisplay(HTML({script!r}))\nprint('\\x1b[2J', {script!r})"
    place = next(index for index, cell in enumerate(notebook.cells) if cell.id == "conv2d")
    notebook.cells.insert(place, nbformat.v4.new_code_cell(show, id="show-a-script"))
    quiz = next(cell for cell in notebook.cells if cell.id == "quiz_same_output_size")
    quiz.source = (
        f"{script}\n\n[c](javascript:alert(1)) ![c](file:///etc/passwd)\n\n$\\href{{javascript:alert(1)}}{{c}}$"
    )


ATTACKS: dict[str, Callable[[NotebookNode], None]] = {
    "patches the comparison": _patch_the_comparison,
    "takes the reference": _take_the_reference,
    "reads what is not theirs": _read_what_is_not_theirs,
    "never ends": _never_end,
    "ends the grader": _end_the_grader,
    "fills the memory": _fill_the_memory,
    "leaves daemons": _leave_a_daemon,
    "script in the page": _script_in_the_page,
}
