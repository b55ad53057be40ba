"""Draw a digit, with the mouse or by typing points, and see what a model reads.

The drawing is a text: points as column,row on a square of 28 × 28, a space between points, a semicolon where the pen is
lifted, as in "8,6 20,6 12,22". The mouse writes it; so can the keyboard. Nothing but ipywidgets is needed.
"""

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor, nn

from utils.modes import evaluation_mode
from utils.widgets.book import Book, Page, menu

SIDE = 28  # of the square that is drawn on
PEN = 1.1  # half the width of a stroke: MNIST's are two to three pixels wide
BOX = 20  # MNIST scales every digit to fit a box of this side (LeCun et al. 1998)
SEVEN = "8,6 20,6 12,22"

Stroke = Sequence[tuple[float, float]]


def strokes(path: str) -> list[Stroke]:
    """The strokes of a text such as "8,6 20,6; 4,4": two strokes, the second of a single point (column, row).

    Raises ValueError, with what was wrong, where something is not a point of the square.
    """
    return [[_point(word) for word in stroke.split()] for stroke in path.split(";") if stroke.strip()]


def _point(word: str) -> tuple[float, float]:
    try:
        column, row = map(float, word.split(","))
    except ValueError:
        column = row = float("nan")
    if not (0 <= column <= SIDE and 0 <= row <= SIDE):
        raise ValueError(f"“{word}” is not a point. Write column,row, both from 0 to {SIDE}, as in {SEVEN}")
    return column, row


def centred(drawn: Sequence[Stroke]) -> list[Stroke]:
    """The strokes as MNIST would have them: scaled to a box of 20 × 20, their centre of mass in the middle."""
    points = torch.tensor([point for stroke in drawn for point in stroke])
    extent = (points.amax(0) - points.amin(0)).max().clamp(min=1).item()
    scale = (BOX - 2 * PEN) / extent
    scaled = _moved(drawn, scale, SIDE / 2 - scale * (points.amax(0) + points.amin(0)) / 2)
    ink = picture(scaled)[0, 0]
    middle = torch.arange(SIDE) + 0.5
    mass = torch.stack([(ink.sum(0) * middle).sum(), (ink.sum(1) * middle).sum()]) / ink.sum()
    return _moved(scaled, 1.0, SIDE / 2 - mass)


def _moved(drawn: Sequence[Stroke], scale: float, by: Tensor) -> list[Stroke]:
    right, down = by.tolist()
    return [[(scale * column + right, scale * row + down) for column, row in stroke] for stroke in drawn]


def picture(drawn: Sequence[Stroke], side: int = SIDE) -> Tensor:
    """The strokes as an image (1, 1, side, side), 0 (paper) to 1 (ink).

    A smaller side is what scikit-learn's digits have: the box of 20 × 20 fills the whole image.
    """
    middle = torch.arange(SIDE) + 0.5
    pixels = torch.stack(torch.meshgrid(middle, middle, indexing="xy"), -1)  # (28, 28, 2): column, row
    ink = torch.zeros(1, 1, SIDE, SIDE)
    for stroke in drawn:
        for start, end in zip(stroke, [*stroke[1:], stroke[-1]], strict=True):
            distance = _distance(pixels, torch.tensor(start), torch.tensor(end))
            ink = ink.maximum((PEN + 0.5 - distance).clamp(0, 1))
    edge = (SIDE - BOX) // 2
    return ink if side == SIDE else F.adaptive_avg_pool2d(ink[..., edge:-edge, edge:-edge], side)


def _distance(pixels: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """From each pixel (…, 2) to the nearest point of a straight line."""
    along = end - start
    share = ((pixels - start) @ along / along.square().sum().clamp(min=1e-9)).clamp(0, 1)
    return (pixels - start - share[..., None] * along).norm(dim=-1)


@torch.no_grad()
def read(model: nn.Module, image: Tensor) -> Tensor:
    """The model's probabilities (10,) for one image (1, 1, side, side)."""
    with evaluation_mode(model):
        return model(image)[0].softmax(0)


def describe(probabilities: Tensor) -> str:
    """What the model reads, in words: the two most probable digits."""
    (first, second), (one, other) = probabilities.topk(2).values.tolist(), probabilities.topk(2).indices.tolist()
    return f"The model reads a {one} (probability {first:.2f}). Its second choice is a {other} ({second:.2f})."


def draw(image: Tensor, probabilities: Tensor) -> Figure:
    """The image as the model gets it, and its ten probabilities."""
    import matplotlib.pyplot as plt

    from utils.plotting.images import plot_image
    from utils.plotting.style import COLORS

    figure, (left, right) = plt.subplots(1, 2, figsize=(6.2, 2.6), layout="constrained", width_ratios=[1, 1.8])
    plot_image(image, "what the model sees", ax=left, limits=(0, 1))
    bars = right.bar(range(10), probabilities.tolist(), color="#c9ced4")
    bars[int(probabilities.argmax())].set_color(COLORS[0])
    right.set(xticks=range(10), ylim=(0, 1.05), yticks=[0, 0.5, 1], xlabel="digit", ylabel="probability")
    return figure


def page(model: nn.Module, side: int, path: str, fit: bool) -> Page:
    """What the canvas shows of a drawing; `fit` scales and centres it."""
    drawn = strokes(path)
    image = picture(centred(drawn) if fit else drawn, side)
    probabilities = read(model, image)
    alt = "Your digit as the model sees it, and its probabilities."
    return Page(describe(probabilities), draw(image, probabilities), alt)


DRAWINGS = {
    "a 7": SEVEN,
    "a 7 with a bar": "8,6 20,6 12,22; 11,14 19,14",
    "a 1": "14,5 14,23",
    "a 1 with a foot": "10,9 14,5 14,23; 9,23 19,23",
    "a 4, open": "10,5 9,15 20,15; 17,6 17,23",
    "a 4, closed": "20,16 8,16 16,5 16,23",
    "a 3": "9,6 17,6 19,9 14,13 19,17 17,22 9,22",
    "a small 3 in a corner": "2,2 5,2 6,3.2 4,5 6,6.8 5,8.5 2,8.5",
    "an 8": "14,13 9,9 14,5 19,9 14,13 9,18 14,23 19,18 14,13",
    "no digit: a house": "7,23 7,13 14,5 21,13 21,23 7,23",
}
"""What the book shows: digits in two ways each, one that is out of place, and one that is none."""


PENCIL = """
const square = this.getBoundingClientRect(), at = (x, from, size) => (28 * (x - from) / size).toFixed(1);
const point = at(event.clientX, square.left, square.width) + ',' + at(event.clientY, square.top, square.height);
if (event.type === 'pointerdown') {
  this.setPointerCapture(event.pointerId);
  this.stroke = this.querySelector('polyline').cloneNode();
  this.stroke.setAttribute('points', point + ' ' + point);
  this.append(this.stroke);
} else if (this.stroke && event.type === 'pointermove') {
  this.stroke.setAttribute('points', this.stroke.getAttribute('points') + ' ' + point);
} else if (this.stroke) {
  const field = this.closest('.digit-canvas').querySelector('input[type=text]');
  const parts = [field.value.trim(), this.stroke.getAttribute('points')].filter(part => part);
  field.value = parts.join('; ') + ' ';
  this.stroke = null;
  for (const name of ['input', 'change']) field.dispatchEvent(new Event(name, {bubbles: true}));
}
"""
"""What the square does with the mouse: draw the stroke at once and, when the button is released, write its points into
the field, as if they had been typed, with a space at the end: that says that the square shows them already."""


def square(path: str, version: int) -> str:
    """The square to draw on, with these strokes on it. Another version is another text, so that it is shown anew."""
    events = "".join(f' on{name}="{PENCIL}"' for name in ("pointerdown", "pointermove", "pointerup", "pointercancel"))
    shapes = (f"<polyline points='{stroke}'/>" for stroke in ["", *path.split(";")])
    return (
        f"<svg viewBox='0 0 {SIDE} {SIDE}' width='230' height='230' data-version='{version}' role='img' "
        "aria-label='The square to draw on. The field below takes the same drawing as points.' "
        "style='background:black;touch-action:none;cursor:crosshair' fill='none' stroke='white' "
        f"stroke-width='{2 * PEN}' stroke-linecap='round' stroke-linejoin='round'{events}>{''.join(shapes)}</svg>"
    )


def digit_canvas(model: nn.Module, side: int = SIDE, path: str = SEVEN) -> None:
    """Show the canvas: a square to draw on, the same drawing as text, and what the model reads.

    Args:
        model: images (N, 1, side, side) in, logits (N, 10) out.
        side: of the images that the model takes.
        path: the drawing at the start.
    """
    import ipywidgets as widgets

    from utils.widgets.still import show, status

    area, said, canvas = widgets.HTML(), widgets.HTML(), widgets.HTML()
    wide = widgets.Layout(width="26em")
    field = widgets.Text(path, description="points:", continuous_update=False, layout=wide)
    fit = widgets.Checkbox(True, description="scale and centre it, as MNIST does", indent=False)
    clear = widgets.Button(description="Clear")
    versions = iter(range(1_000_000))

    def redraw() -> None:
        if not field.value.strip():
            said.value, canvas.value = status("Draw a digit."), ""
            return
        try:
            said.value, canvas.value = page(model, side, field.value, fit.value).as_html()
        except ValueError as error:
            said.value, canvas.value = status(str(error)), ""

    def changed(_=None) -> None:
        if not field.value.endswith(" "):  # typed: the square has to follow
            try:
                strokes(field.value)
            except ValueError:
                pass
            else:
                area.value = square(field.value, next(versions))
        redraw()

    field.observe(changed, "value")
    fit.observe(lambda _: redraw(), "value")
    clear.on_click(lambda _: setattr(field, "value", ""))
    changed()
    how = widgets.HTML(
        f"<small>Draw with the mouse or a finger. Or type points as column,row: <code>{SEVEN}</code> is a seven. "
        "A semicolon lifts the pen.</small>"
    )
    right = widgets.VBox([said, canvas])
    box = widgets.VBox([widgets.HBox([area, right]), field, widgets.HBox([clear, fit]), how])
    box.add_class("digit-canvas")
    start = page(model, side, path, fit=True)
    assert start.picture is not None
    alt = f"A square with a drawn digit. {start.said} Run the cell to draw your own."
    controls = [menu("drawing", DRAWINGS), menu("scaled and centred", {"yes": True, "no": False})]
    show(box, start.picture, alt, Book(controls, partial(page, model, side), lambda: start))
