"""What each bench measures, in words, and what it has to reach. `make bench` and the site say it from here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A promise about speed.

    Attributes:
        what: what is timed.
        against: what it is compared with; "" where the result is no ratio.
        at_least: what the result has to reach.
        unit: of the result and of `at_least`.
    """

    what: str
    against: str
    at_least: float
    unit: str = "times"


TARGETS = {
    "cnn_speedup": Target("Training the CNN of lesson 02 to 99.0 % on MNIST", "PyTorch's basic example", 40),
    "lstm_speedup": Target("Training the LSTM of lesson 08 to 1.886 nats a character", "nanoGPT's recipe", 45),
    "transformer_speedup": Target(
        "Training the transformer of lesson 11 to 1.886 nats a character", "nanoGPT's recipe", 12
    ),
    "scan_speedup": Target("4,096 steps of a linear recurrence, there and back, by a scan", "a loop", 8),
    "grading_per_minute_one_core": Target("Grading on one core", "", 200, "submissions a minute"),
    "grading_speedup": Target("Grading a submission on one core", "nbgrader's autograde", 30),
    "grading_first_mark": Target("The first mark of a whole lesson, on two cores", "nbgrader's autograde", 2),
    "grading_two_cores": Target("Grading 1,000 submissions on two cores", "one core", 1.8),
}
