"""Formulas become MathML while the site is built, so that a browser draws them without any script."""

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

CONVERTER = LatexToMathML(fancy_error=False)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", inline_renderers=(inline, None), block_renderers=(block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def inline(translator: HTML5Translator, node: nodes.math) -> None:
    _write(translator, node, "{}", displaystyle=False)


def block(translator: HTML5Translator, node: nodes.math_block) -> None:
    _write(translator, node, '<div class="formula">{}</div>', displaystyle=True)


def _write(translator: HTML5Translator, node: nodes.Element, around: str, displaystyle: bool) -> None:
    try:
        formula = CONVERTER.convert_with_local_state(node.astext(), displaystyle=displaystyle)
    except LatexError as error:
        logging.getLogger(__name__).warning("a formula that cannot be drawn: %s", error, location=node)
        raise nodes.SkipNode from None
    translator.body.append(around.format(formula))
    raise nodes.SkipNode
