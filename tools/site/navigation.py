"""The theme's button that unfolds a part of the navigation is a picture: a screen reader needs its name."""

from sphinx.application import Sphinx

NAMED = '<summary aria-label="Show or hide the pages of this part">'
AFTER_THE_THEME = 900


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect(
        "html-page-context", lambda app, page, template, context, doctree: _mend(context), priority=AFTER_THE_THEME
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _mend(context: dict) -> None:
    drawn = context["generate_toctree_html"]
    context["generate_toctree_html"] = lambda *what, **how: str(drawn(*what, **how)).replace("<summary>", NAMED)
