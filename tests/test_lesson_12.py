"""Lesson 12: right answers in other styles, wrong ones that are on no list, the widget in a browser."""

import torch
import torch.nn.functional as F

# --- right answers in other styles: exercise → {style: answer} ---

RIGHT = {
    "weighted_sum": {
        "torch's own": lambda x, w, b: F.linear(x, w[None])[:, 0] + b,
        "loops": lambda x, w, b: torch.tensor([sum(a * c for a, c in zip(row, w, strict=True)) + b for row in x]),
    },
}

# --- wrong ones: exercise → {what is wrong: (answer, mistake that is named or "", part of the message)} ---

WRONG = {
    "weighted_sum": {"one output too many": (lambda x, w, b: (x @ w + b)[:, None], "", "shape")},
}

# --- the widget ---


def test_recurrence_returns_explorer(lab):
    from playwright.sync_api import expect

    widget = "recurrence_returns_explorer"
    with lab.run(widget, f"from utils.widgets.{widget} import {widget}\n{widget}()") as page:
        explorer = page.locator(".recurrence-returns-explorer")
        said, picture = explorer.get_by_role("status"), explorer.get_by_role("img")
        expect(said).to_have_text("The output is 2.5.")
        before = picture.get_attribute("src")
        slider = explorer.get_by_role("slider")
        slider.focus()
        slider.press("Home")
        expect(said).to_have_text("The output is -5.")
        expect(picture).not_to_have_attribute("src", before)
