"""Formulas become MathML while the site is built, so that a browser draws them without any script."""

import re

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

CONVERTER = LatexToMathML(fancy_error=False)
COMMAND = re.compile(r"\\[A-Za-z]+|\\.|[{}]", re.DOTALL)
OPENS, CLOSES, APART = ("{", r"\left", r"\begin"), ("}", r"\right", r"\end"), r"\qquad"


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", inline_renderers=(inline, None), block_renderers=(block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def inline(translator: HTML5Translator, node: nodes.math) -> None:
    translator.body.append(_drawn(node, node.astext(), displaystyle=False))
    raise nodes.SkipNode


def block(translator: HTML5Translator, node: nodes.math_block) -> None:
    parts = "".join(_drawn(node, part, displaystyle=True) for part in side_by_side(node.astext()))
    translator.body.append(f'<div class="formula">{parts}</div>')
    raise nodes.SkipNode


def side_by_side(formula: str) -> list[str]:
    r"""The formulas of one line, \qquad apart. Each is drawn alone, so that a narrow screen can break the line.

    >>> side_by_side(r"a = \text{one \qquad here} \qquad\qquad b = 2")
    ['a = \\text{one \\qquad here}', 'b = 2']
    """
    parts, begin, depth = [], 0, 0
    for found in COMMAND.finditer(formula):
        depth += (found[0] in OPENS) - (found[0] in CLOSES)
        if found[0] == APART and depth == 0:
            parts.append(formula[begin : found.start()])
            begin = found.end()
    return [part.strip() for part in (*parts, formula[begin:]) if part.strip()]


def _drawn(node: nodes.Element, formula: str, displaystyle: bool) -> str:
    try:
        return CONVERTER.convert_with_local_state(formula, displaystyle=displaystyle)
    except LatexError as error:
        logging.getLogger(__name__).warning("a formula that cannot be drawn: %s", error, location=node)
        raise nodes.SkipNode from None
