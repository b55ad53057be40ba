"""The documents outside the notebooks in which the build writes: README.md, CITATION.cff, three of docs/."""

import re
from pathlib import Path

from tools import exercise_in_docs, inventory, lesson
from tools.lesson import BuildError
from tools.outline import Outline
from tools.repository import Repository


def documents(root: Path, repository: Repository, outline: Outline) -> dict[Path, str]:
    """{file: what it must say}, for those documents that the course at `root` has."""
    found = {}
    if (readme := root / "README.md").exists():
        blocks = {
            "badges": repository.render("readme_badges.md"),
            "site": repository.render("readme_site.md"),
            "clone": repository.render("readme_clone.md"),
            "lessons": outline.table(),
        }
        found[readme] = _with_blocks(readme, blocks)
    if (citation := root / "CITATION.cff").exists():
        line = f"repository-code: {repository.address}"
        found[citation] = re.sub(
            r"^repository-code: .*$", line, citation.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
    if (coverage := root / "docs/coverage.md").exists() and (table := _coverage(root, outline)):
        found[coverage] = _with_blocks(coverage, {"coverage": table})
    if (hub := root / "docs/jupyterhub.md").exists():
        blocks = {
            "links": _hub_links(repository, outline),
            "install": repository.render("hub_install.md"),
            "image": repository.render("hub_image.md"),
        }
        found[hub] = _with_blocks(hub, blocks)
    if (checks := root / "docs/checks.md").exists():
        found[checks] = _with_blocks(checks, exercise_in_docs.blocks(root))
    return found


def _hub_links(repository: Repository, outline: Outline) -> str:
    """One link a lesson, to be put behind the address of a hub."""
    return "\n".join(["```text", *(repository.hub_link(entry.stem) for entry in outline.entries), "```"])


def _coverage(root: Path, outline: Outline) -> str:
    """The table of docs/coverage.md; "" while a lesson cannot be read, which its own build tells."""
    marks = []
    for entry in outline.entries:
        try:
            read = lesson.read(root / "lessons" / f"{entry.stem}.py")
            marks += inventory.covered(read)
        except (BuildError, ValueError):
            return ""
    return inventory.table(marks, [entry.number for entry in outline.entries])


def _with_blocks(file: Path, blocks: dict[str, str]) -> str:
    """A file that holds `<!-- badges -->` … `<!-- /badges -->`, with what stands between generated."""
    text = file.read_text(encoding="utf-8")
    for block, content in blocks.items():
        begin, end = f"<!-- {block} -->", f"<!-- /{block} -->"
        if (text.count(begin), text.count(end)) not in ((0, 0), (1, 1)):
            raise BuildError([f"{file.name}: {begin} and {end} must each stand there once, or not at all"])
        new = f"{begin}\n{content}\n{end}"
        text = re.sub(f"{begin}.*?{end}", lambda _, new=new: new, text, flags=re.DOTALL)
    return text
