"""Widgets on the site: a picture book answers to its controls, with the keyboard and without a kernel."""

import pytest

PICTURE_AND_WORDS = "book => [book.querySelector('img')?.src, book.querySelector('[role=status]')?.textContent].join()"


@pytest.fixture(scope="session")
def with_books(pages) -> list[str]:
    found = [address for address, html in pages.items() if html.select_one(".picture-book")]
    assert found
    return found


def test_a_slider_moves_its_picture(page, served, with_books):
    for address in with_books:
        page.goto(served + address)
        for book in page.locator(".picture-book").all():
            for slider in book.locator("input[type=range]").all():
                before = book.evaluate(PICTURE_AND_WORDS)
                slider.press("Home" if slider.input_value() == slider.get_attribute("max") else "End")
                assert book.evaluate(PICTURE_AND_WORDS) != before, address


def test_a_book_shows_its_cover_where_no_script_runs(pages, with_books):
    for address in with_books:
        for book in pages[address].select(".picture-book"):
            assert book.select_one("img[alt]") or book.get_text(strip=True), address
