"""Formulas become MathML while the site is built, so that a browser draws them without any script."""

from latex2mathml.converter import convert
from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", inline_renderers=(inline, None), block_renderers=(block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def inline(translator, node) -> None:
    _write(translator, node, display="inline")


def block(translator, node) -> None:
    _write(translator, node, display="block")


def _write(translator, node, display: str) -> None:
    from docutils import nodes

    translator.body.append(convert(node.astext(), display=display))
    raise nodes.SkipNode
