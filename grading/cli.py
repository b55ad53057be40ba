"""`reach-grade`: hand out, collect, grade, give feedback, see what the class got wrong."""

import sys

import typer
from rich.console import Console

from grading.commands.by_hand import open_, quizzes
from grading.commands.collect import collect, roster
from grading.commands.export import export
from grading.commands.grade import grade
from grading.commands.hand_back import pack, publish
from grading.commands.hand_out import demo, release
from grading.commands.keep import archive, restore
from grading.commands.pages import feedback, report
from grading.commands.similar import similar
from grading.commands.watch import attempts, watch
from grading.commands.why import changes, why
from grading.problems import GradingError

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
for command in (
    release,
    collect,
    roster,
    grade,
    watch,
    attempts,
    report,
    quizzes,
    open_,
    why,
    changes,
    similar,
    feedback,
    pack,
    publish,
    export,
    archive,
    restore,
    demo,
):  # as the help lists them
    app.command(command.__name__.rstrip("_"))(command)


def main() -> None:
    """The command. What an instructor can put right is said in one paragraph, without a traceback."""
    try:
        app()
    except GradingError as error:
        stderr = Console(stderr=True, soft_wrap=True, emoji=False)
        stderr.print(f"reach-grade: {error}", style="red", markup=False, highlight=False)
        sys.exit(2)


if __name__ == "__main__":
    main()
