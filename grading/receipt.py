"""What is known of how a submission came in, kept beside it as `receipt.json`."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from utils.files import write_whole


@dataclass(frozen=True)
class Receipt:
    """Written by `collect`, read by the gradebook and the pages.

    Attributes:
        file: its name in what was collected, fit to be shown.
        reader: which reader placed it, such as "canvas".
        submitted: when it was handed in, ISO 8601 with its zone; "" where nothing says so.
        late: the platform itself calls it late.
        members: the ids of all who handed this file in together; empty for one student alone.
        notes: what an instructor should know of it, a sentence each.
        version: larger for a newer version of the same reader's; empty where only the time tells, or nothing.
        exported: the name as the platform's export has it, whole and raw, up to a student's zip; never to be shown.
    """

    file: str
    reader: str = ""
    submitted: str = ""
    late: bool = False
    members: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    version: tuple[int, ...] = ()
    exported: str = ""

    def write(self, path: Path) -> None:
        """Write as JSON, whole or not at all."""
        write_whole(path, json.dumps(asdict(self), indent=1))

    @classmethod
    def read(cls, path: Path) -> "Receipt | None":
        """What `write` wrote; None where there is none, or none that can be read."""
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            return cls(**fields | {name: tuple(fields.get(name, ())) for name in ("members", "notes", "version")})
        except (OSError, ValueError, TypeError, AttributeError):
            return None
