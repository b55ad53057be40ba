"""The one error of the set-up."""


class NotSetUp(ImportError):
    """The course cannot be used here. The sentence says why, and what to do."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows (IPython asks for it): the sentence alone, since no line of code is at fault."""
        return [str(self)]
