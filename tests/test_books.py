"""Picture books: a small one, piece by piece, and those of all widgets, as the solutions store them."""

import base64
import io
import json
import re

import ipywidgets
import matplotlib
import nbformat
import pytest
import torch
from matplotlib.figure import Figure
from nbconvert import HTMLExporter
from PIL import Image

from tools import outputs
from utils import frontend
from utils.cells import WIDGET
from utils.paths import COURSE, SOLUTIONS
from utils.widgets import book as books
from utils.widgets.book import Book, Page, bound_anew, menu, slider
from utils.widgets.still import show

# --- a small book ---

COLORS = {"red": (1, 0, 0), "blue": (0, 0, 1)}


def painted(color: str | tuple, size: float = 1) -> Figure:
    return Figure(figsize=(size, size), facecolor=color)


def page(color: tuple, size: int) -> Page | None:
    """The blue one ends at size 2."""
    if color == COLORS["blue"] and size > 2:
        return None
    return Page(f"Size {size} < 9.", painted(color, size), "A square.", f"<b>{size}</b>")


@pytest.fixture(autouse=True)
def plain_figures():
    """Whatever style another test has set: figures of this file are saved as large as they are."""
    with matplotlib.rc_context({"savefig.bbox": None}):
        yield


PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}

SMALL = Book([menu("color", COLORS), slider("size", (1, 2, 3), 2)], page)


def content(html: str) -> dict:
    """What book.js reads."""
    [inside] = re.findall(r"<script type='application/json'>(.*?)</script>", html, re.DOTALL)
    return json.loads(inside)


def test_a_book_has_a_page_for_each_setting():
    inside = content(SMALL.as_html())
    assert inside["at"] == [0, 1, 2, 3, 4, None]
    assert [(one["kind"], one["name"], one["stops"], one["start"]) for one in inside["controls"]] == [
        ("menu", "color", ["red", "blue"], 0),
        ("slider", "size", ["1", "2", "3"], 1),
    ]
    number, alt, said, text = inside["pages"][4]
    assert (alt, said, text) == ("A square (color: blue, size: 2).", "Size 2 < 9.", "<b>2</b>")
    picture = Image.open(io.BytesIO(base64.b64decode(inside["pictures"][number])))
    assert picture.size == (180, 180) and picture.convert("RGB").getpixel((0, 0)) == (0, 0, 255)


def test_what_is_the_same_is_stored_once():
    same = Book([slider("number", range(4))], lambda number: Page("It stays.", painted("red"), "Red."))
    inside = content(same.as_html())
    assert len(inside["pictures"]) == 1 and len(inside["pages"]) == 4  # the alternative texts differ


def test_the_cover_is_what_is_seen_without_a_script():
    said = r"<p role='status'>Size 2 &lt; 9\.</p><div class='text'><b>2</b></div><script"
    assert re.match(rf"<figure [^>]*><img alt='A square\.' [^>]*>{said}", SMALL.as_html())
    covered = Book(SMALL.controls, page, lambda: Page("Both.", painted("green"), "A cover."))
    assert "<img alt='A cover.'" in covered.as_html() and "<p role='status'>Both.</p>" in covered.as_html()
    text = Book([slider("number", range(2))], lambda number: Page("Words.", text="<p>Words alone</p>"))
    assert "<img" not in text.as_html() and "<div class='text'><p>Words alone</p></div>" in text.as_html()


def test_what_a_page_says_cannot_end_the_script():
    said = "</script><b>"
    html = Book([slider("number", range(2))], lambda number: Page(said)).as_html()
    assert html.count("</script>") == 2 and "<b>" not in html
    assert content(html)["pages"][0][2] == said


def test_a_control_starts_where_it_can():
    assert menu("color", COLORS).start == 0 and slider("gain", (-1, 0.5, 2), 0.5).start == 1
    assert list(slider("gain", (-1, 0.5)).stops) == ["−1", "0.5"]
    with pytest.raises(ValueError, match="'color' cannot start at 'green'. It has red, blue"):
        menu("color", COLORS, "green")
    with pytest.raises(ValueError, match="no page where its controls start"):
        Book([slider("number", range(2))], lambda number: None).as_html()


def test_a_stored_book_gets_the_script_of_today_and_keeps_its_pages(monkeypatch, tmp_path):
    today = SMALL.as_html()
    older = tmp_path / "book.js"
    older.write_text("(() => {})();", encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(books, "SCRIPT", older)
        patch.setattr(books, "FIGURE", "<figure class='picture-book'>{cover}" + books.FIGURE.split("{cover}")[1])
        stored = SMALL.as_html()
    assert stored != today and bound_anew(stored) == today == bound_anew(today)
    assert bound_anew("<b>no book</b>") == "<b>no book</b>"
    output = nbformat.v4.new_output("display_data", {"text/html": stored, "image/png": "", "text/plain": "A square."})
    [built] = outputs.clean([output])
    assert built.data["text/html"] == today


def test_a_book_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(books, "MOST_BYTES", 3000)
    with pytest.raises(ValueError, match=r"in 5 pages; 3,000 are the most. Give its controls fewer stops"):
        SMALL.as_html()


def test_what_a_lesson_draws_by_chance_does_not_depend_on_its_book():
    before = torch.get_rng_state()
    Book([slider("number", range(2))], lambda number: Page(f"{torch.rand(1).item()}")).as_html()
    assert torch.equal(torch.get_rng_state(), before)


def test_pages_are_drawn_when_the_course_is_built_and_at_no_other_time(monkeypatch):
    drawn, shown = [], []
    monkeypatch.setattr(frontend, "show", lambda bundle, metadata: shown.append(bundle))
    counted = Book([slider("number", range(3))], lambda number: drawn.append(number) or Page("It is drawn."))
    show(ipywidgets.IntSlider(), painted("red"), "A slider.", counted)
    assert not drawn and set(shown[0]) == {WIDGET, "image/png", "text/plain"}
    monkeypatch.setenv("REACH_BOOKS", "on")
    show(ipywidgets.IntSlider(), painted("red"), "A slider.", counted)
    assert set(drawn) == {0, 1, 2} and set(shown[1]) == {WIDGET, "text/html", "image/png", "text/plain"}


# --- the small book in a browser ---


@pytest.fixture
def opened(chromium, tmp_path):
    """`opened(html, …)`: a page of a browser with these pieces in it; an error of a script fails the test."""
    contexts, errors = [], []

    def open_page(*pieces: str, **options):
        file = tmp_path / f"{len(contexts)}.html"
        head = "<!doctype html><html lang='en'><meta charset='utf-8'><title>Books</title>"
        file.write_text(f"{head}<main><h1>Books</h1>{''.join(pieces)}</main></html>", encoding="utf-8")
        contexts.append(chromium.new_context(**options))
        shown = contexts[-1].new_page()
        shown.on("pageerror", lambda error: errors.append(error))
        shown.goto(file.as_uri())
        return shown

    yield open_page
    for context in contexts:
        context.close()
    assert not errors


def test_the_keyboard_turns_the_pages(opened):
    from playwright.sync_api import expect

    shown = opened(SMALL.as_html())
    said, picture, size = (
        shown.get_by_role("status"),
        shown.get_by_role("img"),
        shown.get_by_role("slider", name="size"),
    )
    expect(picture).to_have_accessible_name("A square (color: red, size: 2).")
    before = picture.get_attribute("src")
    size.press("ArrowRight")
    expect(said).to_have_text("Size 3 < 9.")
    expect(size).to_have_attribute("aria-valuetext", "3")
    expect(picture).to_have_accessible_name("A square (color: red, size: 3).")
    expect(picture).not_to_have_attribute("src", before)
    expect(shown.locator(".text")).to_have_text("3")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 270

    shown.get_by_role("combobox", name="color").select_option("blue")
    expect(said).to_have_text("Size 2 < 9.")  # there is no blue one of size 3
    expect(size).to_have_value("1")
    size.press("End")
    expect(picture).to_have_accessible_name("A square (color: blue, size: 2).")
    shown.get_by_role("combobox", name="color").select_option("red")
    size.press("End")
    expect(said).to_have_text("Size 3 < 9.")


def test_books_on_one_page_do_not_disturb_one_another(opened):
    from playwright.sync_api import expect

    shown = opened(SMALL.as_html(), SMALL.as_html())
    first, second = shown.locator(".picture-book").all()
    expect(shown.get_by_role("slider")).to_have_count(2)
    first.get_by_role("slider").press("End")
    expect(first.get_by_role("status")).to_have_text("Size 3 < 9.")
    expect(second.get_by_role("status")).to_have_text("Size 2 < 9.")
    second.get_by_role("slider").press("Home")
    expect(first.get_by_role("status")).to_have_text("Size 3 < 9.")
    expect(second.get_by_role("status")).to_have_text("Size 1 < 9.")


def test_what_stands_below_a_book_stays_where_it_is(opened):
    def below() -> float:
        shown.wait_for_function("document.querySelector('.picture-book img').complete")
        shown.evaluate("document.querySelector('.picture-book img').decode()")
        return shown.locator("footer").bounding_box()["y"]

    shown = opened(SMALL.as_html(), "<footer>Below</footer>", viewport={"width": 1280, "height": 900})
    size = shown.get_by_role("slider")
    size.press("End")
    at_the_largest = below()
    size.press("Home")
    assert below() == at_the_largest
    shown.set_viewport_size({"width": 390, "height": 844})  # of another width it is another book
    shown.wait_for_function(f"document.querySelector('footer').getBoundingClientRect().y < {at_the_largest - 50}")


def test_a_finger_finds_the_controls(opened):
    for touch, least in ((True, 44), (False, 24)):
        shown = opened(SMALL.as_html(), has_touch=touch, is_mobile=touch)
        for control in shown.locator("input, select").all():
            assert least <= control.bounding_box()["height"] < 60


def test_a_script_leaves_no_names_behind(opened):
    names = "() => Object.keys(window)"
    assert opened(SMALL.as_html()).evaluate(names) == opened().evaluate(names)


def test_without_a_script_the_cover_stands_alone(opened):
    shown = opened(SMALL.as_html(), java_script_enabled=False)
    assert shown.get_by_role("img", name="A square.").is_visible()
    assert shown.get_by_role("status").inner_text() == "Size 2 < 9."
    assert shown.locator("input, select").count() == 0
    assert "Run the notebook to have the whole widget" in shown.get_by_role("figure").inner_text()


# --- where notebooks are shown ---

STORED = {"text/html": SMALL.as_html(), "image/png": "", "text/plain": "A square."}


def notebook_with_a_book() -> nbformat.NotebookNode:
    cell = nbformat.v4.new_code_cell("1", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("display_data", STORED)]
    return nbformat.v4.new_notebook(cells=[cell])


def test_jupyterlab_shows_the_cover_of_a_notebook_that_it_does_not_trust(lab):
    from playwright.sync_api import expect

    with lab.open("book", notebook_with_a_book()) as shown:
        output = shown.locator(".jp-OutputArea-output")
        expect(output.get_by_role("img", name="A square.")).to_be_visible()
        expect(output).to_contain_text("Size 2 < 9.")
        expect(output.locator("input, select")).to_have_count(0)


SMALL_IN_A_KERNEL = """
from matplotlib.figure import Figure
from utils.widgets.book import Book, Page, slider
small = Book([slider("size", range(1, 4))], lambda size: Page(f"Size {size}.", Figure((size, size)), "A square."))
"""


def test_jupyterlab_opens_a_book_that_it_trusts(lab):
    from playwright.sync_api import expect

    with lab.run("opened", f"{SMALL_IN_A_KERNEL}\nfrom IPython.display import HTML\nHTML(small.as_html())") as shown:
        output = shown.locator(".picture-book")
        expect(output.get_by_role("status")).to_have_text("Size 1.")
        for _ in range(2):
            output.get_by_role("slider").press("ArrowUp")  # for a notebook this key goes to the cell above
        expect(output.get_by_role("status")).to_have_text("Size 3.")
        expect(output.get_by_role("img")).to_have_accessible_name("A square (size: 3).")


def test_where_a_kernel_runs_the_widget_is_chosen(lab):
    from playwright.sync_api import expect

    live = (
        "import os\nos.environ['REACH_BOOKS'] = 'on'\nimport ipywidgets\nfrom utils.widgets.still import show\n"
        "show(ipywidgets.Button(description='live'), Figure((1, 1)), 'A button.', small)"
    )
    with lab.run("live", SMALL_IN_A_KERNEL + live) as shown:
        expect(shown.get_by_role("button", name="live", exact=True)).to_be_visible()
        expect(shown.locator(".picture-book")).to_have_count(0)


def test_nbconvert_keeps_the_book(chromium, tmp_path):
    from playwright.sync_api import expect

    file = tmp_path / "book.html"
    file.write_text(HTMLExporter().from_notebook_node(notebook_with_a_book())[0], encoding="utf-8")
    shown = chromium.new_page()
    try:
        shown.route("http*://**", lambda route: route.abort())  # its page asks for MathJax
        shown.goto(file.as_uri(), wait_until="domcontentloaded")
        book = shown.locator(".picture-book")
        book.get_by_role("slider").press("End")
        expect(book.get_by_role("status")).to_have_text("Size 3 < 9.")
    finally:
        shown.close()


# --- the books of the course ---


def widgets_of_the_course() -> list[str]:
    """The widgets of utils/widgets/: the modules with a function of their own name."""
    files = sorted((COURSE / "utils" / "widgets").glob("*.py"))
    return [file.stem for file in files if f"\ndef {file.stem}(" in file.read_text(encoding="utf-8")]


def stored_books() -> dict[str, str]:
    """{widget: its book}, from the outputs of the solutions."""
    found = {}
    for file in sorted(SOLUTIONS.glob("*.ipynb")):
        for cell in nbformat.read(file, 4).cells:
            for output in cell.get("outputs", []):
                html = output.get("data", {}).get("text/html", "")
                called = re.findall(r"^(\w+)\(", cell.source, re.MULTILINE)
                found |= {name: html for name in called[-1:] if html.startswith("<figure class='picture-book")}
    return found


STORED_BOOKS = stored_books()


def test_each_widget_of_the_course_has_a_book():
    assert sorted(STORED_BOOKS) == widgets_of_the_course()


@pytest.mark.parametrize("name", widgets_of_the_course())
def test_a_book_is_small_and_whole(name):
    html = STORED_BOOKS[name]
    assert len(html.encode()) <= books.MOST_BYTES == 400_000
    assert "http" not in re.sub(r"base64,[^']*|<script.*", "", html, flags=re.DOTALL)  # nothing comes from elsewhere
    inside = content(html)
    pages, pictures, controls = inside["pages"], inside["pictures"], inside["controls"]
    assert any(len(control["stops"]) > 1 for control in controls)
    assert all(control["name"] and all(control["stops"]) for control in controls)
    assert {number for number in inside["at"] if number is not None} == set(range(len(pages)))
    assert len({said + text for _, _, said, text in pages}) > 1
    if pictures:
        assert html.split(">", 1)[1].startswith("<img alt='")
        assert len(pictures) > 1 and len({alt for _, alt, _, _ in pages}) == len(pages)
        assert {number for number, *_ in pages} == set(range(len(pictures)))
    for picture in pictures:
        Image.open(io.BytesIO(base64.b64decode(picture, validate=True))).verify()


@pytest.mark.parametrize("name", widgets_of_the_course())
def test_each_control_of_a_book_turns_its_page(opened, name):
    """Each control by keyboard, with the others where they start, from one end to the other."""
    from playwright.sync_api import expect

    shown = opened(STORED_BOOKS[name])
    inside = content(STORED_BOOKS[name])
    look = "book => [book.querySelector('img')?.src, book.querySelector('.text').innerHTML, book.innerText].join()"
    book = shown.locator(".picture-book")
    for control in inside["controls"]:
        if len(control["stops"]) == 1:
            continue
        kind = "combobox" if control["kind"] == "menu" else "slider"
        field = book.get_by_role(kind, name=control["name"], exact=True)
        field.press("Home")
        expect(field).to_have_value("0")
        before = book.evaluate(look)
        field.press("End")
        expect(field).not_to_have_value("0")
        assert book.evaluate(look) != before, control["name"]


@pytest.mark.parametrize("name", widgets_of_the_course())
def test_a_book_fits_a_phone(opened, name):
    """Nothing is cut off at 390 pixels, and moving a slider moves nothing that stands above the picture or text."""
    shown = opened(f"<meta name='viewport' content='width=device-width'>{STORED_BOOKS[name]}", **PHONE)
    book = shown.locator(".picture-book")
    first = book.locator("img, [role=status]").first
    for control in [book, *book.get_by_role("slider").all()]:
        tops = {first.bounding_box()["y"]}
        for _ in range(9) if control is not book else ():
            control.press("ArrowRight")
            tops.add(first.bounding_box()["y"])
        assert len(tops) == 1, tops
        assert book.evaluate("book => book.scrollWidth <= book.clientWidth")


def test_the_books_of_the_course_have_the_script_of_today():
    older = [name for name, html in STORED_BOOKS.items() if bound_anew(html) != html]
    assert not older, "run make build, which keeps their pages"


def test_all_can_use_the_books(accessible):
    head = (
        "<!doctype html><html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        "<title>Books</title><style>:root { color-scheme: light dark } body { margin: 1em }</style>"
    )
    accessible(f"{head}<main><h1>Books</h1>{''.join(STORED_BOOKS.values())}</main></html>")
