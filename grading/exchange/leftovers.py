"""Files that nobody hands in: what tools leave beside a notebook, and what a file that is no notebook may be."""

import re
from pathlib import PurePosixPath

# And all that begins with a full stop: checkpoints, `._…` of macOS, .git, .Trash, .virtual_documents, .venv
OF_TOOLS = {"__macosx", "thumbs.db", "desktop.ini", "__pycache__", "venv", "site-packages", "node_modules"}
OF_TOOLS |= {"$recycle.bin", "@eadir", "lost+found", "icon\r", "conda-meta"}
CHECKPOINT = re.compile(r"-checkpoint\.ipynb$", re.IGNORECASE)

WHAT_IT_IS = {
    "a RAR, 7z or tar archive, which is not opened: unpack it, or ask for a zip": "rar 7z tar gz tgz bz2 xz zst",
    "a PDF: ask for the notebook file itself (.ipynb)": "pdf",
    "a web page: ask for the notebook file itself (.ipynb)": "html htm mhtml",
    "a Python file: ask for the notebook file itself (.ipynb)": "py",
    "a text document: ask for the notebook file itself (.ipynb)": "doc docx odt rtf pages md",
    "a shortcut to a file elsewhere: ask for the notebook file itself (.ipynb)": "gdoc url webloc lnk desktop gdrive",
    "a picture: ask for the notebook file itself (.ipynb)": "png jpg jpeg heic gif webp",
}
BY_ENDING = {ending: what for what, endings in WHAT_IT_IS.items() for ending in endings.split()}


def is_left_by_a_tool(name: PurePosixPath) -> bool:
    """Whether a path is that of a file which a tool made for itself, not of a student's work."""
    hidden = any(part.startswith(".") and part.strip(".") for part in name.parts)
    return (
        hidden or not OF_TOOLS.isdisjoint(part.casefold() for part in name.parts) or bool(CHECKPOINT.search(name.name))
    )


def what_it_is(name: PurePosixPath) -> str:
    """A sentence on a file that is no notebook: what it is, as its ending says, and what to do."""
    what = BY_ENDING.get(name.suffix[1:].lower(), "not a notebook: ask for the notebook file itself (.ipynb)")
    return f"It is {what}."
