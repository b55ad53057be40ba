"""Lesson 02: look through the images that a model takes for another digit."""

from matplotlib.figure import Figure
from torch import Tensor

from utils.widgets.book import Book, Page, menu, slider

FIRST, FIRST_OF_A_DIGIT = 12, 4  # mistakes in the book: of all, and of each true digit


def find_mistakes(labels: Tensor, probabilities: Tensor) -> Tensor:
    """Indices of the images that are taken for another digit, the most confident mistake first.

    Args:
        labels: (N,), the true digits.
        probabilities: (N, 10), what the model says.
    """
    confidence, predictions = probabilities.max(1)
    wrong = (predictions != labels).nonzero().flatten()
    return wrong[confidence[wrong].argsort(descending=True)]


def describe(label: int, probabilities: Tensor) -> str:
    """A mistake in words: the true digit, the predicted one, and the probability of each."""
    predicted = int(probabilities.argmax())
    return (
        f"true digit {label} (probability {probabilities[label]:.2f}), "
        f"predicted {predicted} (probability {probabilities[predicted]:.2f})"
    )


def draw(image: Tensor, label: int, probabilities: Tensor) -> Figure:
    """The image, and the model's ten probabilities with the true and the predicted digit marked."""
    import matplotlib.pyplot as plt

    from utils.plotting.images import plot_image
    from utils.plotting.style import COLORS

    predicted = int(probabilities.argmax())
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.5, 2.6), layout="constrained", width_ratios=[1, 2])
    plot_image(image, f"is a {label}, taken for a {predicted}", ax=left)
    bars = right.bar(range(10), probabilities.tolist(), color="#c9ced4")
    for digit, color, word in [(label, COLORS[2], "true"), (predicted, COLORS[5], "predicted")]:
        bars[digit].set_color(color)
        text = f"{word}\n{probabilities[digit]:.2f}"
        right.annotate(text, (digit, probabilities[digit]), ha="center", va="bottom", fontsize=9)
    right.set(xticks=range(10), ylim=(0, 1.3), yticks=[0, 0.5, 1], xlabel="digit", ylabel="probability")
    return figure


def mistake_browser(images: Tensor, labels: Tensor, probabilities: Tensor) -> None:
    """Show the browser: a menu of true digits and a slider through their mistakes, the most confident first.

    Args:
        images: (N, 1, H, W).
        labels: (N,).
        probabilities: (N, 10).
    """
    import ipywidgets as widgets

    from utils.widgets.still import follow, selected, show

    mistakes = find_mistakes(labels, probabilities)
    if len(mistakes) == 0:
        print(f"There is nothing to look through: all {len(labels)} images are right.")
        return
    choices = [("all digits", -1), *((str(digit), digit) for digit in labels[mistakes].unique().tolist())]
    digit = widgets.Dropdown(options=choices, description="true digit:")
    along = widgets.IntSlider(min=1, max=len(mistakes), description="mistake:", continuous_update=False)
    caption, canvas = widgets.HTML(), widgets.HTML()

    def of(true: int) -> Tensor:
        return mistakes if true < 0 else mistakes[labels[mistakes] == true]

    def page(true: int, number: int) -> Page:
        index = of(true)[number - 1]
        label = int(labels[index])
        said = f"{number} of {len(of(true))}: {describe(label, probabilities[index])}"
        alt = "The image, and the probability that the model gives to each of the ten digits."
        return Page(said, draw(images[index], label, probabilities[index]), alt)

    def first_pages(true: int, number: int) -> Page | None:
        most = min(FIRST if true < 0 else FIRST_OF_A_DIGIT, len(of(true)))
        return page(true, number) if number <= most else None

    def redraw() -> None:
        caption.value, canvas.value = page(selected(digit), along.value).as_html()

    def choose(_) -> None:
        along.value, along.max = 1, len(of(selected(digit)))
        redraw()

    digit.observe(choose, "value")
    follow([along], redraw)
    browser = widgets.VBox([widgets.HBox([digit, along]), caption, canvas])
    browser.add_class("mistake-browser")
    first = mistakes[0]
    text = describe(int(labels[first]), probabilities[first])
    alt = f"A mistake browser at its first image: {text}. Run the cell to look through all {len(mistakes)}."
    numbers = range(1, min(FIRST, len(mistakes)) + 1)
    book = Book([menu("true digit", dict(choices)), slider("mistake", numbers)], first_pages)
    show(browser, draw(images[first], int(labels[first]), probabilities[first]), alt, book)
