"""Lesson 07: right answers in other styles, wrong ones that are on no list, gated cells against torch's, the widget."""

RIGHT: dict = {}
WRONG: dict = {}
