"""Gradescope, "Export Submissions": `assignment_4711_export/submission_900001/…`, and who they are in a YAML file.

submission_metadata.yml names for each folder those who handed it in, with their ids, and when.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import PurePosixPath

import yaml

from grading.exchange.archives import Found
from grading.exchange.clues import Clues, Person
from grading.exchange.filenames import as_id, most, outside_of_zips
from grading.problems import GradingError
from grading.submission.parsing import Unreadable

METADATA = "submission_metadata.yml"


def recognizes(files: Sequence[Found], known: Sequence[str]) -> float:
    metadata = _metadata(files)
    if metadata is None:
        return 0.0
    around = metadata.name.parent
    folder = re.compile(rf"{'' if around == PurePosixPath() else re.escape(f'{around}/')}submission_\d+")
    return most(files, lambda path: folder.match("/".join(path)))


def clues(files: Sequence[Found], known: Sequence[str]) -> dict[PurePosixPath, Clues | None]:
    metadata = _metadata(files)
    if metadata is None:
        raise GradingError(f"This is no export of Gradescope: it holds no {METADATA}.")
    submissions = _read(metadata)
    told: dict[PurePosixPath, Clues | None] = {metadata.name: None}
    root = metadata.name.parent
    for file in files:
        if file is not metadata and file.name.is_relative_to(root):
            folder, *own = file.name.relative_to(root).parts
            told[file.name] = _clues(submissions.get(folder.removesuffix(".zip")), PurePosixPath(*own), root.parts)
    return told


def _metadata(files: Sequence[Found]) -> Found | None:
    """The outermost; one in a submission is the student's."""
    there = [file for file in files if file.name.name == METADATA and not file.problem]
    there = [file for file in there if outside_of_zips(file.name) == file.name.parts]
    return min(there, key=lambda file: len(file.name.parts), default=None)


class _Loader(yaml.SafeLoader):
    """Plain values alone. Ruby's names of classes, which some exports have, are passed over.

    Nor may a value stand for another one: a few such lines make more values than fit into memory.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it has aliases, which Gradescope does not write")
        return super().compose_node(parent, index)


_Loader.add_multi_constructor(
    "!ruby/", lambda loader, _, node: loader.construct_mapping(node) if isinstance(node, yaml.MappingNode) else None
)


def _read(metadata: Found) -> Mapping[str, Mapping]:
    try:
        content = yaml.load(metadata.read(), _Loader)
    except (yaml.YAMLError, Unreadable, ValueError, RecursionError) as error:
        raise GradingError(f"Gradescope's {METADATA} cannot be read: {error}. Download the export again.") from error
    if not isinstance(content, dict):
        raise GradingError(f"Gradescope's {METADATA} lists no submissions. Download the export again.")
    return {str(folder): about for folder, about in content.items() if isinstance(about, dict)}


def _clues(about: Mapping | None, own: PurePosixPath, above: tuple[str, ...]) -> Clues:
    submitters = (about or {}).get(":submitters")
    people = [_person(one) for one in submitters if isinstance(one, dict)] if isinstance(submitters, list) else []
    if not people:
        return Clues((), own, problem=f"{METADATA} does not say whose it is. Download the export again.")
    return Clues(tuple(people), own, above, submitted=_time((about or {}).get(":created_at")))


def _person(submitter: Mapping) -> Person:
    sid, email, name = (str(submitter.get(f":{key}") or "") for key in ("sid", "email", "name"))
    ids = tuple(filter(None, (sid, email)))
    return Person(ids=ids, names=(name,) if name else (), alone=as_id(sid) or as_id(email), key=sid or email or name)


def _time(value: object) -> datetime | None:
    if isinstance(value, str):
        with suppress(ValueError):
            value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)  # YAML's times are UTC unless they say otherwise
