"""IPython's own lines in a cell, such as `%time f()`, `!ls` and `help?`: what they leave for Python.

Source: https://ipython.readthedocs.io/en/stable/interactive/magics.html. Nothing here runs IPython's own translation,
which takes quadratic time on text that was made for it.
"""

import re

# Magics that make no difference to what the code of a notebook computes: they choose how something is shown, measure,
# or install packages, for which grading has no network.
_QUIET = (
    r"autoreload|autosave|colors|conda|config|history|load_ext|lsmagic|mamba|matplotlib|pdb|pip|pprint|precision"
    r"|reload_ext|timeit|who|whos|xmode"
)
_QUIET_LINE = re.compile(
    rf"^[ \t]*+(?:%(?:{_QUIET})\b.*|!(?:python3? -m )?(?:pip3?|conda|mamba)\b.*|(?:pip|conda) install\b.*|\?+\w.*"
    r"|[\w.]++\?+)$\n?",
    re.MULTILINE,
)
_TIMED_LINE = re.compile(r"^([ \t]*+)%(?:time|prun)[ \t]++(?=[^-\s])", re.MULTILINE)
_OTHER_LINE = re.compile(r"^([ \t]*+)(?:[%!?].*|(?:pip|conda) install\b.*|.*\?)$", re.MULTILINE)
_VALUE = re.compile(r"=[ \t]*+[%!].*$", re.MULTILINE)

# Of these the cell's code runs as it would without them; %%capture with a name makes that name, too.
_QUIET_HEADS = re.compile(r"\A(?:\s*+%%(?:time|prun|capture(?:[ \t]+--[\w-]+)*+)[ \t]*+(?:\n|\Z))++")
_RUNNING_HEADS = re.compile(r"\A(?:\s*+%%(?:time|prun|capture)\b.*(?:\n|\Z))++")
_HEAD = re.compile(r"\s*+%%(\w+)")
_WRITING = re.compile(r"\s*+%%(?:writefile|file)[ \t]++(.*)")
_RUN = re.compile(r"^[ \t]*+%run[ \t]++(?:-\w+[ \t]++)*+[\"']?(?:\./)?([\w./-]+)", re.MULTILINE)


def without_quiet_magics(source: str) -> str:
    """The cell without the magics that make no difference to what its code computes; other magics stay."""
    code = _QUIET_HEADS.sub("", source)
    return _TIMED_LINE.sub(r"\1", _QUIET_LINE.sub("", code))


def as_python(source: str) -> str:
    """The cell as Python alone, with `pass` or None where a magic stands; "" for a cell in another language."""
    code = _RUNNING_HEADS.sub("", source)
    if _HEAD.match(code):
        return ""
    return _VALUE.sub("= None", _OTHER_LINE.sub(r"\1pass", _TIMED_LINE.sub(r"\1", code)))


def file_written(source: str) -> str:
    """The file that the cell writes by `%%writefile`, such as "conv.py"; "" if it writes none."""
    found = _WRITING.match(source)
    words = found[1].split() if found else []  # options such as -a come before the name
    return words[-1].strip("\"'").removeprefix("./") if words else ""


def text_written(source: str) -> str:
    """What the cell writes into that file."""
    return source[found.end() :] if (found := _WRITING.match(source)) else ""


def files_run(source: str) -> set[str]:
    """The files that the cell runs by `%run`, such as "conv.py"."""
    return {name if name.endswith((".py", ".ipynb")) else f"{name}.py" for name in _RUN.findall(source)}
