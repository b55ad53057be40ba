"""The one error of the set-up."""

import sys

OLDEST = (3, 11)  # as pyproject.toml says


class NotSetUp(ImportError):
    """The course cannot be used here. The sentence says why, and what to do."""

    def _render_traceback_(self):
        """What a notebook shows (IPython asks for it): the sentence alone, since no line of code is at fault."""
        return [str(self)]


def refuse_an_old_python():
    """Raises NotSetUp. An old Python reads this file before any other of ours, so it is written for one."""
    if sys.version_info < OLDEST:
        here, oldest = (".".join(map(str, version[:2])) for version in (sys.version_info, OLDEST))
        raise NotSetUp(
            f"Reach needs Python {oldest} or newer, and this kernel runs Python {here}. "
            "Choose another kernel (on a service: another environment), or install a newer Python."
        )
