"""What is wrong, told like a compiler: all of it at once, each line beginning with a file."""


class BuildError(Exception):
    """The build stops. `problems` holds one line (or one line and a traceback) for each thing that is wrong."""

    def __init__(self, problems: list[str]):
        super().__init__("\n".join(problems))
        self.problems = problems
