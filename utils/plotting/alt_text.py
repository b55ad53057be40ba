"""Alternative text for every figure, for those who do not see it, made of what the figure itself says."""

from matplotlib.figure import Figure


def alt_text(figure: Figure) -> str:
    """The titles and axis labels of a figure in one sentence each; the course's titles say what to see."""
    parts = [figure.get_suptitle()]
    for ax in figure.axes:
        titles = [ax.get_title(loc) for loc in ("left", "center", "right")]
        parts += [title for title in titles if title]
        labels = [("x axis", ax.get_xlabel()), ("y axis", ax.get_ylabel())]
        parts += [f"{axis}: {label}" for axis, label in labels if label]
    said = dict.fromkeys(" ".join(part.split()) for part in parts if part)  # once each, in order
    return f"Figure. {'. '.join(said)}." if said else "Figure without a title."


def describe_figures() -> None:
    """From here on, figures that this notebook shows carry their alternative text. Nothing happens in a terminal."""
    import matplotlib.pyplot as plt
    from IPython import get_ipython

    shell = get_ipython()
    if getattr(shell, "kernel", None) is None:
        return
    plt.switch_backend(plt.get_backend())  # the backend sets a printer of its own when it is loaded: load it first
    pictures = shell.display_formatter.formatters["image/png"]
    draw = pictures.for_type(Figure)
    if draw is not None and not hasattr(draw, "with_alt_text"):

        def draw_with_alt_text(figure: Figure) -> tuple:
            return draw(figure), {"alt": alt_text(figure)}

        draw_with_alt_text.with_alt_text = True  # so that running the set-up cell twice changes nothing
        pictures.for_type(Figure, draw_with_alt_text)
