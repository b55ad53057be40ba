"""Step through four workflows: how what one word says gets to another word."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ipywidgets import HTML, IntSlider, ToggleButtons, VBox
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from utils.plotting.style import COLORS
from utils.widgets.book import Book, Page, menu, slider
from utils.widgets.still import selected, show

WAITING, COMPUTED, INFORMED = "#d0d7de", COLORS[0], COLORS[1]

Node = tuple[int, int]  # (level, position); level 0 holds the words


@dataclass(frozen=True)
class Arrow:
    """From one node to another. Along a dashed one nothing has been handed over yet."""

    start: Node
    end: Node
    width: float = 1.0
    dashed: bool = False


@dataclass(frozen=True)
class Step:
    caption: str
    arrows: list[Arrow]


@dataclass(frozen=True)
class Workflow:
    """`levels` names the rows of nodes, from the words upwards."""

    name: str
    levels: list[str]
    steps: list[Step]


def workflows(words: Sequence[str], source: int, target: int, weights: Sequence[float] = ()) -> list[Workflow]:
    """The four ways from `words[source]` to `words[target]`. `weights` are the target's attention weights."""
    weights = list(weights) or [1 / len(words)] * len(words)
    return [
        recurrent(words, target),
        convolutional(words, source, target),
        attentive(words, target, weights),
        attentive(words, target, weights, positions=True),
    ]


def recurrent(words: Sequence[str], target: int) -> Workflow:
    """One step for each word, up to the target."""
    steps = [Step(f"Read “{words[0]}”. The first state knows one word.", [Arrow((0, 0), (1, 0))])]
    for t in range(1, target + 1):
        caption = f"Read “{words[t]}”: the new state is made of this word and of the state before it. Nothing else."
        steps.append(Step(caption, [Arrow((0, t), (1, t)), Arrow((1, t - 1), (1, t))]))
    return Workflow("recurrent", ["x", "h"], steps)


def convolutional(words: Sequence[str], source: int, target: int, width: int = 3) -> Workflow:
    """One step for each layer, as many layers as the source needs to reach the target."""
    half, length = width // 2, len(words)
    depth = max(1, math.ceil(abs(target - source) / half))
    steps = []
    for layer in range(1, depth + 1):
        arrows = [
            Arrow((layer - 1, j), (layer, i))
            for i in range(length)
            for j in range(max(0, i - half), min(length, i + half + 1))
        ]
        seen = 2 * layer * half + 1
        caption = f"Layer {layer}: every position reads its window at the same time. It now sees up to {seen} words."
        steps.append(Step(caption, arrows))
    return Workflow("convolutional", ["x", *(f"layer {layer + 1}" for layer in range(depth))], steps)


def attentive(words: Sequence[str], target: int, weights: Sequence[float], positions: bool = False) -> Workflow:
    """Queries, keys and values; scores; softmax; the weighted sum. Drawn for the target alone."""
    base = int(positions)  # the level that queries, keys and values are made from
    every = range(len(words))
    steps = []
    if positions:
        caption = "Add a vector to each word that says at which position it stands. The rest is as before."
        steps.append(Step(caption, [Arrow((0, t), (1, t)) for t in every]))

    def links(widths: Sequence[float], dashed: bool) -> list[Arrow]:
        return [Arrow((base + 1, j), (base + 2, target), widths[j], dashed) for j in every]

    it, thick = words[target], [4 * weight / max(weights) for weight in weights]
    steps += [
        Step("Make a query, a key and a value out of each word.", [Arrow((base, t), (base + 1, t)) for t in every]),
        Step(f"Compare the query of “{it}” with all keys: one score for each word.", links([1] * len(words), True)),
        Step("Softmax: the scores become weights that sum to 1 (wider is more).", links(thick, True)),
        Step(f"Add up the values by these weights: “{it}” has heard of all words at once.", links(thick, False)),
    ]
    name = "self-attention + positions" if positions else "self-attention"
    return Workflow(name, ["x", *(["x + position"] if positions else []), "q, k, v", "z"], steps)


def informed(workflow: Workflow, source: int, done: int) -> set[Node]:
    """The nodes that depend on word `source` after the first `done` steps."""
    reached = {(0, source)}
    for step in workflow.steps[:done]:
        reached |= {arrow.end for arrow in step.arrows if not arrow.dashed and arrow.start in reached}
    return reached


def draw(workflow: Workflow, words: Sequence[str], source: int, target: int, done: int, ax: Axes) -> Axes:
    """The workflow after `done` steps, words at the bottom."""
    latest = {(arrow.start, arrow.end): arrow for step in workflow.steps[:done] for arrow in step.arrows}
    computed = {(0, t) for t in range(len(words))} | {arrow.end for arrow in latest.values() if not arrow.dashed}
    reached = informed(workflow, source, done)
    for arrow in latest.values():
        _draw_arrow(ax, arrow, arrow.start in reached)
    for level in range(len(workflow.levels)):
        for t in range(len(words)):
            node = (level, t)
            color, marker = (
                (INFORMED, "D") if node in reached else (COMPUTED, "o") if node in computed else (WAITING, "o")
            )
            ax.plot(t, level, marker, color=color, ms=8, zorder=3)
    ax.plot(target, len(workflow.levels) - 1, "o", mfc="none", mec="black", ms=15, zorder=4)
    ax.set_xticks(range(len(words)), words, rotation=35, fontsize=8, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(workflow.levels)), workflow.levels, fontsize=8)
    ax.set(title=f"{workflow.name}: step {done} of {len(workflow.steps)}", ylim=(-0.5, len(workflow.levels) - 0.5))
    ax.title.set_fontsize(10)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return ax


def _draw_arrow(ax: Axes, arrow: Arrow, carries: bool) -> None:
    (level, position), (end_level, end_position) = arrow.start, arrow.end
    style = {
        "arrowstyle": "-|>,head_width=0.12,head_length=0.25",
        "color": INFORMED if carries else "#8c959f",
        "lw": 0.4 + 0.6 * arrow.width,
        "ls": "--" if arrow.dashed else "-",
        "shrinkA": 5,
        "shrinkB": 5,
        "alpha": 0.9 if carries else 0.6,
    }
    ax.annotate("", (end_position, end_level), (position, level), arrowprops=style)


class FlowStepper:
    """Choose a workflow, move the slider; the picture and the caption follow."""

    def __init__(self, words: Sequence[str], source: int, target: int, weights: Sequence[float] = ()):
        self.words, self.source, self.target = list(words), source, target
        self.flows = {flow.name: flow for flow in workflows(words, source, target, weights)}
        self.choice = ToggleButtons(options=list(self.flows), description="workflow", style={"button_width": "auto"})
        self.slider = IntSlider(min=0, max=1, description="step", continuous_update=False)
        self.picture, self.caption = HTML(), HTML()
        self.choice.observe(self._start_over, "value")
        self.slider.observe(self._update, "value")
        self.box = VBox([self.choice, self.slider, self.picture, self.caption])
        self._start_over()

    def _start_over(self, _=None) -> None:
        self.slider.max = len(self.flows[selected(self.choice)].steps)
        self.slider.value = 0
        self._update()

    def _update(self, _=None) -> None:
        self.caption.value, self.picture.value = self.page(selected(self.choice), self.slider.value).as_html()

    def page(self, name: str, done: int) -> Page:
        """The named workflow after `done` steps."""
        flow, here, there = self.flows[name], self.words[self.target], self.words[self.source]
        first = f"Only the words are there. Move the slider: when does “{here}” hear of “{there}”?"
        said = flow.steps[done - 1].caption if done else first
        arrived = (len(flow.levels) - 1, self.target) in informed(flow, self.source, done)
        heard = f" “{here}” has heard of “{there}”." if arrived else ""
        return Page(said + heard, self.figure([name], done), f"Diagram of the {name} workflow.")

    def figure(self, names: Sequence[str], done: int | None = None) -> Figure:
        """The named workflows after `done` steps, or after their last one."""
        columns = min(2, len(names))
        rows = -(-len(names) // columns)
        figure = Figure(figsize=(7.6 if columns == 2 else 6.5, 3.0 * rows), layout="constrained")
        for ax, name in zip(figure.subplots(rows, columns, squeeze=False).flat, names, strict=True):
            flow = self.flows[name]
            draw(flow, self.words, self.source, self.target, len(flow.steps) if done is None else done, ax)
        return figure


def flow_stepper(words: Sequence[str], source: int, target: int, weights: Sequence[float] = ()) -> None:
    """Show the stepper; where no kernel runs, a picture of all four workflows after their last step."""
    stepper = FlowStepper(words, source, target, weights)
    counts = {name: len(flow.steps) for name, flow in stepper.flows.items()}
    what = f"Four diagrams of how “{words[source]}” reaches “{words[target]}”, each after its last step."
    steps = ", ".join(f"{name} {count}" for name, count in counts.items())
    said = f"Steps: {steps}. Orange diamonds mark what depends on “{words[source]}”."
    controls = [menu("workflow", list(stepper.flows)), slider("step", range(max(counts.values()) + 1))]
    book = Book(
        controls,
        lambda name, done: stepper.page(name, done) if done <= counts[name] else None,
        cover=lambda: Page(said, stepper.figure(list(stepper.flows)), what),
    )
    show(stepper.box, stepper.figure(list(stepper.flows)), f"{what} {said}", book)
