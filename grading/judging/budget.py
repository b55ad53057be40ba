"""The time of one submission, which all processes that work for it share."""

from utils.checking.calling import WALL_FACTOR


class Budget:
    """What is left of the seconds that a submission has: for its cells, its answers, private checks and measurements.

    Seconds are those of the processor. What sleeps uses none, so a WALL_FACTOR-th of the time by the clock counts where
    that is more. Of the clock, only the time counts in which the judge waited for the submission, less that in which
    the machine had no processor for it.

    Attributes:
        seconds: what there was at the beginning.
        processor: of these, what the processes that have ended used of the processor.
    """

    def __init__(self, seconds: float):
        self.seconds = seconds
        self.processor = 0.0
        self._clock = 0.0

    def spend(self, processor: float = 0.0, clock: float = 0.0) -> None:
        self.processor += processor
        self._clock += clock

    def left(self, running: float = 0.0) -> float:
        """Seconds that are left. `running`: what a process that has not ended has used of the processor."""
        return self.seconds - max(self.processor + running, self._clock / WALL_FACTOR)
