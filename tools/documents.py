"""The places outside the notebooks where the repository's address is shown: rendered, never written by hand."""

import re
from pathlib import Path

from tools.problems import BuildError
from tools.repository import Repository

BLOCKS = {"badges": "readme_badges.md", "clone": "readme_clone.md"}
"""README.md holds `<!-- badges -->` … `<!-- /badges -->`; what stands between comes from the template."""


def rendered(root: Path, repository: Repository) -> dict[Path, str]:
    """{file: what it must say}, for those files that the course at `root` has."""
    renderers = {root / "README.md": _readme, root / "CITATION.cff": _citation}
    return {
        file: render(file.read_text(encoding="utf-8"), repository)
        for file, render in renderers.items()
        if file.exists()
    }


def _readme(text: str, repository: Repository) -> str:
    for block, template in BLOCKS.items():
        begin, end = f"<!-- {block} -->", f"<!-- /{block} -->"
        if (text.count(begin), text.count(end)) not in ((0, 0), (1, 1)):
            raise BuildError([f"README.md: {begin} and {end} must each stand there once, or not at all"])
        new = f"{begin}\n{repository.render(template)}\n{end}"
        text = re.sub(f"{begin}.*?{end}", lambda _, new=new: new, text, flags=re.DOTALL)
    return text


def _citation(text: str, repository: Repository) -> str:
    return re.sub(r"^repository-code: .*$", f"repository-code: {repository.address}", text, flags=re.MULTILINE)
