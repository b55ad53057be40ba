"""Pages that everybody can read: axe-core's rules in Chromium, light and dark, on a laptop and on a phone."""

from collections.abc import Callable

import pytest

PHONE, LAPTOP = 390, 1280  # pixels wide
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
OPEN_EVERYTHING = "() => document.querySelectorAll('details').forEach(one => { one.open = true; })"


def assert_accessible(page) -> None:
    """No rule of axe-core is broken on this page of a browser, what is folded included, and a phone shows all of it.

    Source: https://github.com/dequelabs/axe-core, whose rules follow WCAG 2 and good practice.
    """
    from axe_playwright_python.sync_playwright import Axe

    page.evaluate(OPEN_EVERYTHING)
    for width in (PHONE, LAPTOP):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"it is wider than {width} pixels"
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.evaluate(DRAWN)  # a page whose script chooses the colours has heard of it by then
            found = Axe().run(page)
            assert not found.violations_count, f"{scheme}, {width} pixels wide: {found.generate_report()}"


@pytest.fixture
def accessible(tmp_path, chromium) -> Callable[[str], None]:
    """`accessible(html)` opens a page that needs nothing beside it, and asserts what `assert_accessible` does."""

    def check(html: str) -> None:
        path = tmp_path / "accessible.html"
        path.write_text(html, encoding="utf-8")
        page = chromium.new_page()
        try:
            page.goto(path.as_uri())
            assert_accessible(page)
        finally:
            page.close()

    return check
