"""Which submissions are alike: a list to look at, never a verdict."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grading.classroom import Classroom
from grading.commands.of_class import assignments_of, load
from grading.commands.options import AssignmentName, ClassFolder, console

if TYPE_CHECKING:
    from grading.similarity.comparing import Similarity
    from grading.similarity.works import Work


def similar(
    folder: ClassFolder = Path(),
    assignment: AssignmentName = "",
    against: Annotated[
        Path | None, typer.Option(help="an earlier year: a class's folder, its archive, or a folder of notebooks")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="open it in the browser")] = False,
) -> None:
    """List submissions that are alike after renaming and layout, with both texts side by side."""
    console.print("comparing the submissions …")
    from grading.exchange.archives import files_in
    from grading.pages.publish_similar import publish_similar

    classroom = Classroom(folder)
    with files_in(against) if against else nullcontext([]) as earlier:
        for name in assignments_of(classroom, assignment):
            found, page = publish_similar(classroom, load(classroom, name), earlier, bar=_bar(name))
            console.print(f"{name}: {_summary(found)}", markup=False)
            console.print(f"to look at: {page}", markup=False)
            if show:
                webbrowser.open(page.resolve().as_uri())


def _bar(name: str) -> Callable[[list[Work]], Iterable[Work]]:
    from grading.console import with_bar

    return lambda works: with_bar(console, f"reading {name}", works, len(works))


def _summary(found: Similarity) -> str:
    against = f" and {found.earlier} of earlier years" if found.earlier else ""
    same = f", {len(found.same_files)} handed in more than once" if found.same_files else ""
    pairs = f"{len(found.alike)} {'pair is' if len(found.alike) == 1 else 'pairs are'} alike"
    return f"{found.works} different files{against}; {pairs}{same}"
