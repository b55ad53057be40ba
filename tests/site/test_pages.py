"""Every page of the site: links, pictures, what it asks of other hosts, what it is without a script."""

import posixpath
import re
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from tests.axe import assert_accessible
from tools.site.course import Course
from tools.site.sections import SECTIONS
from utils.paths import COURSE, NOTEBOOKS

NO_PAGE = "404.html"  # stands alone, because it is served for addresses in any folder
LESSONS = [f"lessons/{file.stem}.html" for file in sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))]
FOLDERS = sorted({posixpath.dirname(section.FIRST) for section in SECTIONS})
MOST_BYTES = 2_000_000

# axe-core measures each word of a page. Of the words of code, of signatures, of measured numbers and of formulas, one
# of each kind says it all.
ONE_OF_EACH_KIND = """() => {
    const seen = new Set();
    for (const word of document.querySelectorAll(".highlight span[class], .sig span[class], .sig em, .measured")) {
        const kind = [word.parentElement?.className, word.tagName, word.className].join();
        const known = word.isConnected && seen.size === seen.add(kind).size;
        if (known) word.replaceWith(word.textContent);
    }
    for (const formula of [...document.querySelectorAll("math")].slice(1)) formula.replaceWith(formula.textContent);
    document.querySelectorAll(".highlight pre, .sig").forEach(code => code.normalize());
}"""
AT_ONCE = "* { transition: none !important }"
BOOKS_AWAY = "() => document.querySelectorAll('.picture-book').forEach(book => book.remove())"


@pytest.mark.parametrize("which", [*LESSONS, *(f"{folder}/" for folder in FOLDERS)])
def test_everybody_can_read_it(page, pages, served, which):
    """One lesson, or all other pages of a folder."""
    others = [address for address in pages if address not in LESSONS and posixpath.dirname(address) == which[:-1]]
    for address in others or [which]:
        page.goto(served + address)
        page.evaluate(ONE_OF_EACH_KIND)
        page.add_style_tag(content=AT_ONCE)
        assert_accessible(page)


def test_no_page_lies_outside_of_these_folders(pages):
    assert {posixpath.dirname(address) for address in pages} == set(FOLDERS)


def test_every_link_and_anchor_leads_somewhere(site, pages):
    anchors = {address: {tag["id"] for tag in html.find_all(id=True)} for address, html in pages.items()}
    broken = []
    for address, html in pages.items():
        for target in {tag.get("href") or tag["src"] for tag in html.select("[href], [src]")}:
            there = urlsplit(urljoin(address, target))
            if there.scheme:
                continue
            path, anchor = unquote(there.path), unquote(there.fragment)
            if not (site / path).is_file() or (anchor and path in anchors and anchor not in anchors[path]):
                broken.append(f"{address}: {target}")
    assert not broken


def test_every_picture_is_told_in_words(pages):
    silent = [(address, str(image)[:200]) for address, html in pages.items() for image in html.find_all("img")
              if not image.get("alt", "").strip()]  # fmt: skip
    assert not silent
    assert sum(len(html.find_all("img")) for html in pages.values()) > 200


def test_no_page_asks_another_host(page, pages, served):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for address in pages:
        page.goto(served + address, wait_until="load")
    assert len(asked) > len(pages)
    assert [url for url in asked if not url.startswith((served, "data:", "blob:"))] == []


def test_no_file_tells_of_the_machine_that_built_it(site):
    told = [
        file.relative_to(site).as_posix()
        for file in site.rglob("*")
        if file.is_file() and any(str(place).encode() in file.read_bytes() for place in (COURSE, site.parent))
    ]
    assert not told


@pytest.mark.parametrize("address", ["index.html", "measured.html", LESSONS[3]])
def test_what_is_printed_is_whole(page, served, address):
    """All its links are in the PDF, to the last: boxes in rows would be cut at the end of a page."""
    page.goto(served + address)
    page.emulate_media(media="print")
    links = page.locator("article a").evaluate_all(
        "links => links.filter(link => link.checkVisibility()).map(link => link.href)"
    )
    printed = page.pdf(format="A4")
    outside = [link.encode() for link in links if "#" not in link and "(" not in link]
    assert len(outside) > 5
    assert [link for link in outside if link not in printed] == []


def test_every_page_says_what_it_is_to_search_engines_and_chats(pages):
    titles = [html.title.text for html in pages.values()]
    assert len(set(titles)) == len(titles) and all(titles)
    for address, html in pages.items():
        if not html.find("meta", property="og:title"):
            assert address in (NO_PAGE, "search.html", "genindex.html")
            continue
        described = html.find("meta", attrs={"name": "description"})["content"]
        told = {tag["property"]: tag["content"] for tag in html.select("meta[property^='og:']")}
        assert 40 <= len(described) <= 200 and not described.startswith("Open"), (address, described)
        assert told["og:description"] == described and told["og:title"]
        assert told["og:url"] == Course().repository.site + address
        assert html.find("link", rel="icon")


def test_the_picture_of_a_preview_is_there(site, pages):
    picture = pages["index.html"].find("meta", property="og:image")["content"]
    assert (site / picture.removeprefix(Course().repository.site)).is_file()


def test_who_comes_to_no_page_finds_the_way_from_any_folder(site, pages):
    assert not pages[NO_PAGE].select("[src], link[href]")
    links = [link["href"] for link in pages[NO_PAGE].find_all("a")]
    assert links and all((site / link.removeprefix(Course().repository.site)).is_file() for link in links)


@pytest.mark.parametrize("width", [1024, 1280, 1440])
def test_no_code_of_the_home_page_is_cut_on_a_laptop(page, served, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(served)
    boxes = page.locator("article pre")
    assert boxes.count() >= 4
    assert boxes.evaluate_all("boxes => boxes.filter(box => box.scrollWidth > box.clientWidth).length") == 0


@pytest.mark.parametrize("which", ["index.html", "lessons/index.html", "speed.html"])
def test_a_phone_shows_the_tables_whole(page, served, which):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(served + which)
    tables = page.locator("article .pst-scrollable-table-container")
    assert tables.count()
    assert tables.evaluate_all("boxes => boxes.filter(box => box.scrollWidth > box.clientWidth).length") == 0


def test_the_search_shows_a_lesson_first(page, served):
    page.goto(served + "search.html?q=LSTM")
    first = page.locator("#search-results li a").first
    assert "/lessons/" in first.evaluate("link => link.href")


def test_a_lesson_weighs_less_than_two_megabytes(page, site, served):
    """All that this page loads and the home page does not, as it lies on the disk."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    page.goto(served, wait_until="networkidle")
    at_home = set(asked)
    for address in LESSONS:
        asked.clear()
        page.goto(served + address, wait_until="networkidle")
        own = {unquote(path).lstrip("/") for path in set(asked) - at_home if path.startswith("/")}
        assert address in own
        assert sum((site / path).stat().st_size for path in own) < MOST_BYTES, address


@pytest.mark.parametrize("which", ["index.html", *LESSONS])
def test_it_is_complete_without_a_script(chromium, served, which):
    with_script, without = (chromium.new_page(java_script_enabled=on) for on in (True, False))
    try:
        texts = []
        for one in (with_script, without):
            one.goto(served + which)
            one.evaluate(BOOKS_AWAY)  # these have sliders where there is a script, and tests of their own
            texts.append(one.locator("article").inner_text())
        assert len(texts[1]) > 1000
        assert texts[0].split() == texts[1].split()
    finally:
        with_script.close()
        without.close()


def test_the_search_finds_the_receptive_field(page, served):
    page.goto(served + "search.html?q=receptive+field")
    page.get_by_role("link", name=re.compile("03 · Receptive field")).first.click()
    page.wait_for_url("**/lessons/03_receptive_field.html*")


def test_all_sections_are_in_the_navigation_of_every_page(pages):
    firsts = [section.FIRST.rsplit(".", 1)[0] + ".html" for section in SECTIONS[1:]]
    for address, html in pages.items():
        if address == NO_PAGE:
            continue
        links = [link["href"] for link in html.select(".navbar-header-items__center a.nav-link")]
        assert [urljoin(address, link) if link != "#" else address for link in links] == firsts, address


def test_two_clicks_from_home_lead_to_a_lesson_to_colab_and_to_grading(page, served, pages):
    page.goto(served)
    page.get_by_role("link", name="03 · Receptive field").first.click()
    assert page.get_by_role("heading", level=1).inner_text().startswith("03 · Receptive field")
    colab = page.get_by_role("link", name="Open this lesson in Colab").get_attribute("href")
    assert colab.endswith("/notebooks/03_receptive_field.ipynb")

    page.goto(served)
    page.get_by_role("link", name="Grade a class").click()
    assert "reach-grade grade" in page.locator("article").inner_text()
