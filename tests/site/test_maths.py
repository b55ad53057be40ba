"""Formulas on a page: what stands side by side may break the line on a narrow screen."""

import pytest

from tools.site.maths import side_by_side


@pytest.mark.parametrize(
    ("formula", "parts"),
    [
        (r"a = b", ["a = b"]),
        (r"a = b \qquad c = d", ["a = b", "c = d"]),
        (r"a \qquad\qquad b, \qquad" + "\n" + r"\text{or} \quad c", ["a", "b,", r"\text{or} \quad c"]),
        (r"\text{one \qquad two} \qquad b", [r"\text{one \qquad two}", "b"]),
        (r"\left\{ a \qquad b \right\}", [r"\left\{ a \qquad b \right\}"]),
        (r"\begin{aligned} a &= b \qquad c \\ d &= e \end{aligned}",) * 2,
    ],
)
def test_formulas_a_qquad_apart_are_drawn_one_by_one(formula, parts):
    assert side_by_side(formula) == ([parts] if isinstance(parts, str) else parts)


def test_the_three_formulas_of_attention_stand_in_one_line_that_can_break(pages):
    formulas = [
        [math.get_text() for math in line("math")] for line in pages["lessons/10_self_attention.html"](class_="formula")
    ]
    assert any(len(parts) == 3 and "softmax" in parts[0] and "softmax" in parts[2] for parts in formulas)
