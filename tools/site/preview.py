"""What search engines and chats show of a page: its title, its first sentences, and the picture of the course."""

from html import escape
from textwrap import shorten
from urllib.parse import urljoin

from docutils import nodes
from markupsafe import Markup
from sphinx.application import Sphinx

PICTURE = "_images/00_three_flows.png"
PICTURE_SHOWS = "Three maps of influence over one sentence: a band, a fading triangle, everything"
OTHER = {"buttons", "reading"}
"""Classes of paragraphs that say what can be done with a page, and not what is on it."""
SHORTEST, LONGEST = 40, 200  # characters of a description


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", _tell)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _tell(app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None) -> None:
    if doctree is None:
        return
    said = description(doctree)
    address = app.config.html_baseurl
    named = {
        "og:type": "website",
        "og:site_name": app.config.project,
        "og:title": Markup(context["title"]).striptags(),
        "og:description": said,
        "og:url": urljoin(address, app.builder.get_target_uri(page)),
        "og:image": urljoin(address, PICTURE),
        "og:image:alt": PICTURE_SHOWS,
    }
    tags = [f'<meta property="{name}" content="{escape(value)}" />' for name, value in named.items() if value]
    if said:
        tags.append(f'<meta name="description" content="{escape(said)}" />')
    context["metatags"] += "\n".join(tags) + "\n"


def description(doctree: nodes.document) -> str:
    """The first paragraph that says what is on the page, cut at a word; "" if there is none."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = shorten(paragraph.astext(), LONGEST, placeholder=" …")
        if len(text) >= SHORTEST and not OTHER & set(paragraph["classes"]):
            return text
    return ""
