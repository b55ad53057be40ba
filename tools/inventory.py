"""What the course has to cover, line by line, and the cells that cover it: `covers="3 5"` on a cell's marker.

docs/coverage.md is made of it by the build.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from tools.lesson import Cell, Lesson


@dataclass(frozen=True)
class Line:
    """One line of the inventory, and the lessons that cover it by plan."""

    text: str
    lessons: tuple[str, ...]


@dataclass(frozen=True)
class Mark:
    """A cell of a lesson that covers a line."""

    line: int
    lesson: str  # the stem of its file
    section: str  # the heading above the cell
    exercise: str  # its name, where the cell belongs to one


def _line(text: str, *lessons: str) -> Line:
    return Line(text, lessons)


INVENTORY = dict(
    enumerate(
        [
            _line("the formula of a convolution, its bias, and the kernel that is not turned", "01"),
            _line("translation equivariance: inside, at a border, with a stride, after pooling; and invariance", "01"),
            _line("local connectivity, seen in the support of a gradient", "01", "03"),
            _line("parameter sharing: 1,792 parameters against 201 million", "01"),
            _line("stride, padding, dilation: sizes of outputs and answers to an impulse", "01", "03"),
            _line("max, average and adaptive pooling; strided convolution instead of pooling", "01", "02"),
            _line("one block each of LeNet, AlexNet, VGG, ResNet, EfficientNet and ConvNeXt", "04"),
            _line("residual connections: gradient against depth, degradation, the Jacobian I + J", "04"),
            _line("when to use a CNN today; a convolutional stem under a transformer", "04", "13"),
            _line("building blocks of today: patches, audio front-end, U-Net, variational autoencoder", "13"),
            _line("exercise: a CNN passes 99 % on MNIST", "02"),
            _line("exercise: the field of three layers, 7 with stride 1 and 15 with stride 2", "03"),
            _line("how many layers until `it` sees `animal`: by depth, kernel and dilation", "03"),
            _line("the recurrent cell by hand, equal to torch's", "05"),
            _line("the same weights at step 1 and at step 1,000", "05"),
            _line("tanh keeps values within ±1, and its derivative is part of the trouble", "05"),
            _line("sequences of any length, by recurrence and by global pooling", "05"),
            _line("order matters: bag of words, n-grams, a hidden Markov model", "05"),
            _line("one running summary of a fixed size: a probe for the token k steps ago", "05"),
            _line("Elman's and Jordan's networks on one small grammar", "05"),
            _line("many-to-one and many-to-many", "05"),
            _line("what recurrent networks were used for: brackets, agreement, forecasts", "05", "14"),
            _line("eight numbers of state over a sentence, beside the influence of each word", "05"),
            _line("unrolling", "05"),
            _line("backpropagation through time: the product of Jacobians by hand and by autograd", "06"),
            _line("vanishing: 0.9³⁰, powers of a matrix, singular values and spectral radius", "06"),
            _line("exploding gradients, and clipping", "06"),
            _line("“forgets after 20 to 30 steps”: delayed recall against the gap", "06"),
            _line("the gradient horizon", "06"),
            _line("one step after the other: time against length", "06", "12"),
            _line("card: Hochreiter 1991, Bengio et al. 1994", "06"),
            _line("the LSTM's equations in both forms, equal to torch's", "07"),
            _line("the gates as a table; soft gates and their saturation", "07"),
            _line("the conveyor belt: direct path and total, time scales, forget gate and its bias", "07"),
            _line("the likeness of gates and residual connections", "04", "07"),
            _line("not a random-access memory: one cell taken away", "07"),
            _line("hundreds of steps, not thousands: recall up to a gap of 500", "07"),
            _line("the GRU: two gates, three quarters of the parameters", "07"),
            _line("exercise: a char-LSTM writes, and how far back it looks", "08"),
            _line("sampling with a temperature", "08"),
            _line("cells that keep track of quotes, line position and nesting", "08"),
            _line("emergent, not designed: linear probes", "08"),
            _line("bidirectional networks: a task that needs the future, and the leak", "07"),
            _line("encoder and decoder", "09"),
            _line("the bottleneck: accuracy against length for several sizes", "09"),
            _line("additive attention: score, weight, context, alignment", "09"),
            _line("query, key and value as a soft lookup", "09"),
            _line("the scaled dot product, with and without the root", "10"),
            _line("the ten symbols of attention with their shapes", "00", "10"),
            _line("“The animal did not cross the street because it was tired”: trained, shown, ablated", "10"),
            _line("position 1 and position 512 at the same distance", "10"),
            _line("positional encodings, and what a causal mask already tells", "10"),
            _line("several heads", "10"),
            _line("masks: attention sees the future unless it is told not to", "10"),
            _line("parallel in training, quadratic in length: time and memory, the crossing", "11", "12"),
            _line("scaling: two sizes, two budgets", "11"),
            _line("pre-training and fine-tuning with few labels", "13"),
            _line("one block for images, sets, sound, graphs", "13"),
            _line("exercise: a transformer of two layers against the char-LSTM, compared fairly", "11"),
            _line("causal against bidirectional: masked characters", "10"),
            _line("the three flows, what each is good for, and the choice", "00"),
            _line("the four workflows, step by step", "00"),
            _line("recurrence returns: state-space layers, RWKV, xLSTM, hybrids", "12"),
            _line("where recurrent networks stay: streams, small devices, time series", "12"),
            _line("card: speech and translation before attention", "14"),
            _line("handwriting: a mixture density output, sampled strokes", "14"),
            _line("the timeline, 1986 to 2024", "00", "14"),
            _line("remove the constraint, not the symptom: the progression", "14"),
            _line("what attention bought, in our own words", "06"),
        ],
        start=1,
    )
)

SECTION = re.compile(r"^## (.+)$", re.MULTILINE)


def numbers(cell: Cell) -> list[int]:
    """The lines that a cell covers, by its marker. Raises ValueError for what is no list of numbers."""
    return [int(number) for number in str(cell.options.get("covers", "")).split()]


def covered(lesson: Lesson) -> Iterator[Mark]:
    """Each mark of a lesson's cells."""
    section = ""
    for cell in lesson.cells:
        if cell.type == "markdown" and (headings := SECTION.findall(cell.source)):
            section = headings[-1]
        for number in numbers(cell):
            yield Mark(number, lesson.stem, section, cell.grade_id)


def planned(lesson: str) -> set[int]:
    """The lines that the plan gives to a lesson."""
    return {number for number, line in INVENTORY.items() if lesson in line.lessons}


def table(marks: Iterable[Mark], written: Collection[str]) -> str:
    """docs/coverage.md's table, of all marks and the numbers of the lessons that exist: each section once."""
    places: dict[int, dict[tuple[str, str], list[str]]] = {number: {} for number in INVENTORY}
    for mark in marks:
        exercises = places[mark.line].setdefault((mark.lesson, mark.section), [])
        exercises += [f"`{mark.exercise}`"] * (mark.exercise != "")
    rows = ["| line | what | lesson and section: exercises |", "| --: | --- | --- |"]
    for number, line in INVENTORY.items():
        found = [_place(*place, exercises) for place, exercises in places[number].items()]
        missing = [f"*lesson {lesson} is being written*" for lesson in line.lessons if lesson not in written]
        rows.append(f"| {number} | {line.text} | {'<br>'.join(found + missing)} |")
    return "\n".join(rows)


def _place(lesson: str, section: str, exercises: list[str]) -> str:
    named = f"[{lesson[:2]}](../solutions/{lesson}.ipynb), {section}"
    return f"{named}: {', '.join(dict.fromkeys(exercises))}" if exercises else named
