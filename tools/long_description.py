"""What a package index shows of the course: README.md, with links and pictures that work away from the repository."""

import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

RELATIVE = re.compile(r"(!?)(\[[^\]]*\])\((?!https?://|#)([^)\s]+)\)")


class LongDescription(MetadataHookInterface):
    """hatchling calls it for each build, an editable one too."""

    def update(self, metadata: dict) -> None:
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        text = with_addresses(text, metadata["urls"]["Repository"])
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def with_addresses(text: str, repository: str) -> str:
    """`text` in Markdown with its relative links and pictures at home in a repository of GitHub's."""

    def absolute(found: re.Match) -> str:
        picture, label, path = found.groups()
        return f"{picture}{label}({repository}/{'raw' if picture else 'blob'}/HEAD/{path})"

    return RELATIVE.sub(absolute, text)
