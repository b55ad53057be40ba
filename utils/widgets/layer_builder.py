"""The layer builder: stack convolutions and see what one unit sees."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

import ipywidgets as widgets
from matplotlib.figure import Figure

from utils.plotting.fields import plot_pyramid
from utils.reach import Layer, output_sides, receptive_field
from utils.reach.fields import full_layer
from utils.widgets.book import Book, Page, menu, slider
from utils.widgets.still import show

SETTINGS = {"kernel": (1, 11), "stride": (1, 4), "padding": (0, 10), "dilation": (1, 8)}  # least and largest
NEW_LAYER = (3, 1, 0, 1)
MOST_LAYERS = 8


@dataclass(frozen=True)
class Row:
    """What is known about the output of one layer; positions and sizes in pixels of the input."""

    size: int
    seen: int  # of these, along one axis; fewer where dilation or a large stride leaves holes
    jump: int
    start: int
    side: int  # of the output
    parameters: int  # of this layer


def describe(layers: Sequence[Layer], image: int, channels: int) -> list[Row]:
    """One row for each layer (kernel, stride, padding, dilation): grey image in, `channels` out of every layer.

    Raises ValueError where a layer has no window that fits into what the image has become.
    """
    sides = output_sides(layers, image)
    rows = []
    for number, (kernel, *_) in enumerate(layers, start=1):
        field = receptive_field(layers[:number])
        inputs = 1 if number == 1 else channels
        parameters = channels * (inputs * kernel**2 + 1)
        rows.append(Row(field.size, _seen(layers[:number]), field.jump, field.start, sides[number], parameters))
    return rows


def _seen(layers: Sequence[Layer]) -> int:
    """How many positions of the input have a path to one unit of the last layer, along one axis."""
    seen = {0}
    for kernel, stride, _, dilation in map(full_layer, reversed(layers)):
        seen = {unit * stride + tap * dilation for unit in seen for tap in range(kernel)}
    return len(seen)


def summary(rows: Sequence[Row], image: int) -> str:
    """What the stack comes to, in one or two sentences."""
    last = rows[-1]
    total = sum(row.parameters for row in rows)
    holes = f"{last.seen} × {last.seen} of " if last.seen < last.size else ""
    text = f"One unit of the last layer sees {holes}{last.size} × {last.size} pixels, with {total:,} parameters in all."
    if last.size > image:
        text += f" The field is larger than the image ({image} × {image}): every unit also reads padding."
    return text


def picture(layers: Sequence[Layer], image: int) -> Figure:
    """The pyramid of the middle unit of the last layer."""
    figure = Figure(figsize=(7, 1 + 0.45 * (len(layers) + 1)), layout="constrained")
    plot_pyramid(layers, image=image, ax=figure.subplots())
    return figure


def page(layers: Sequence[Layer], image: int, channels: int) -> Page:
    """What the builder shows of a stack. Raises ValueError as `describe` does."""
    rows = describe(layers, image, channels)
    return Page(summary(rows, image), picture(layers, image), "Pyramid of what one unit sees.", _table(rows))


# The stacks of the book: so many layers of a kernel, the side of the image kept but for the strides.
STRIDES = {"1": (), "2 in the first layer": (0,), "2 in the last layer": (-1,), "2 in the first and last": (0, -1)}
KINDS = {"3×3": (3, 1), "3×3, dilation 1, 2, 4, …": (3, 2), "5×5": (5, 1)}  # kernel, growth of the dilation


def stack(depth: int, kind: tuple[int, int], halved: Sequence[int]) -> list[Layer]:
    """`depth` layers (kernel, stride, padding, dilation) of one of KINDS, with stride 2 in the places `halved`."""
    kernel, growth = kind
    at = {place % depth for place in halved}
    dilations = [growth**number for number in range(depth)]
    return [
        (kernel, 2 if number in at else 1, dilation * (kernel - 1) // 2, dilation)
        for number, dilation in enumerate(dilations)
    ]


class LayerBuilder(widgets.VBox):
    """Controls for a stack of convolutions on top, what comes of it below.

    `layers` holds the stack as (kernel, stride, padding, dilation), input side first.
    """

    def __init__(self, layers: Sequence[Layer], image: int = 28, channels: int = 16):
        self.image = _number("image side", image, 4, 64)
        self.channels = _number("channels", channels, 1, 512)
        self._add = widgets.Button(description="Add a layer", icon="plus")
        self._rows = widgets.VBox()
        self._result = widgets.HTML()
        self._add.on_click(lambda _: self._append(NEW_LAYER))
        for control in (self.image, self.channels):
            control.observe(lambda _: self._refresh(), "value")
        super().__init__([widgets.HBox([self.image, self.channels, self._add]), self._rows, self._result])
        for layer in layers:
            self._append(layer)

    @property
    def layers(self) -> list[Layer]:
        return [tuple(control.value for control in row.children[1:-1]) for row in self._rows.children]

    def _append(self, layer: Layer) -> None:
        settings = zip(SETTINGS.items(), layer, strict=True)
        controls = [_number(name, value, *limits) for (name, limits), value in settings]
        remove = widgets.Button(description="Remove", tooltip="Remove this layer", layout={"width": "90px"})
        row = widgets.HBox([widgets.Label(layout={"width": "60px"}), *controls, remove])
        remove.on_click(lambda _: self._set_rows([other for other in self._rows.children if other is not row]))
        for control in controls:
            control.observe(lambda _: self._refresh(), "value")
        self._set_rows([*self._rows.children, row])

    def _set_rows(self, rows: list[widgets.HBox]) -> None:
        for number, row in enumerate(rows, start=1):
            row.children[0].value = f"layer {number}"
            row.children[-1].disabled = len(rows) == 1
        self._add.disabled = len(rows) == MOST_LAYERS
        self._rows.children = rows
        self._refresh()

    def _refresh(self) -> None:
        layers, image = self.layers, self.image.value
        try:
            said, below = page(layers, image, self.channels.value).as_html()
        except ValueError as error:
            said, below = f"<p role='status'><b>This does not fit:</b> {html.escape(str(error))}.</p>", ""
        self._result.value = f"{said}{below}"


def _number(name: str, value: int, least: int, most: int) -> widgets.BoundedIntText:
    layout = {"width": "125px" if name in SETTINGS else "170px"}
    return widgets.BoundedIntText(
        value=value, min=least, max=most, description=name, layout=layout, style={"description_width": "initial"}
    )


def _table(rows: Sequence[Row]) -> str:
    heads = ("layer", "sees (size)", "jump", "start", "output side", "parameters")
    lines = [
        f"<tr><th scope='row'>{number}</th><td>{row.size}</td><td>{row.jump}</td><td>{row.start}</td>"
        f"<td>{row.side}</td><td>{row.parameters:,}</td></tr>"
        for number, row in enumerate(rows, start=1)
    ]
    head = "".join(f"<th scope='col' style='padding:0 .3em'>{name}</th>" for name in heads)
    return f"<table style='text-align:right;font-size:.85em'><tr>{head}</tr>{''.join(lines)}</table>"


def layer_builder(layers: Sequence[Layer] = ((3, 1, 0, 1),) * 3, image: int = 28, channels: int = 16) -> None:
    """Show the layer builder, and a still picture of it where no kernel runs.

    Args:
        layers: (kernel, stride, padding, dilation), input side first: what it starts with.
        image: side of the input, in pixels.
        channels: of every layer; the input has one.
    """
    alt = f"The layer builder. {summary(describe(layers, image, channels), image)}"
    controls = [
        slider("layers", range(1, 5), 3),
        menu("kernel", KINDS),
        menu("stride", STRIDES, "2 in the first and last"),
    ]
    book = Book(
        controls,
        lambda *family: page(stack(*family), image, channels),
        cover=lambda: page(layers, image, channels),
    )
    show(LayerBuilder(layers, image, channels), picture(layers, image), alt, book)
