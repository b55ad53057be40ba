"""The student's page: what stands on it, and that nothing hostile in a submission can act on it."""

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grading.gradebook.entries import Entry
from grading.pages.feedback import MAX_OUTPUTS, MAX_PAGE, feedback_page
from grading.pages.render import TEMPLATES
from grading.receipt import Receipt
from grading.results import Graded, Mark
from grading.untrusted.html import highlighted, markdown
from grading.untrusted.png import MAX_SIDE, checked_png
from grading.untrusted.text import MAX_TEXT, visible
from tests.grading.made_up import ASSIGNMENT, graded, own_cell, png, submission
from utils.checking import Status, Verdict

SCRIPT = "</pre></title></style><script>document.title = 'hacked'</script><img src=x onerror='document.title = 1'>"
QUIZ = "quiz_same_output_size"
KNOWN_TAGS = set(
    """html head meta title style body header main aside section div h1 h2 h3 p b bdi strong em ul li ol table thead
    tbody tr th td a span dl dt dd pre code img blockquote hr br del
    details summary math mfrac mi mn mo mover mrow mspace msqrt mroot mstyle msub msubsup msup mtable mtd mtext mtr
    munder munderover""".split()  # noqa: SIM905
)


class Tags(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, page: str):
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def assert_harmless(page: str) -> None:
    """No element that could run or load anything, no handler, and no address but a place on the page or a PNG."""
    for tag, attributes in Tags(page).found:
        assert tag in KNOWN_TAGS, tag
        for name, value in attributes.items():
            assert not name.startswith("on") and name not in ("style", "srcset", "action"), (tag, name)
            if name in ("src", "href"):
                assert value.startswith(("#", "data:image/png;base64,")), value


def hostile_graded() -> Graded:
    verdict = Verdict(SCRIPT, Status.FAILED, SCRIPT, SCRIPT, SCRIPT, SCRIPT, SCRIPT, SCRIPT, [SCRIPT])
    marks = [Mark(task.grade_id, 0, task.points, verdict, incident=f"is {SCRIPT}") for task in ASSIGNMENT.tasks]
    return Graded(SCRIPT, ASSIGNMENT.name, marks, notes=[f"It did {SCRIPT}"])


def hostile_notebook():
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": SCRIPT + "\x1b[31mred\x1b[0m \u202e \x00 \ud800"},
        {"output_type": "display_data", "metadata": {}, "data": {"text/html": SCRIPT, "text/plain": SCRIPT}},
        {"output_type": "display_data", "metadata": {}, "data": {"image/svg+xml": f"<svg onload='1'>{SCRIPT}</svg>"}},
        {"output_type": "display_data", "metadata": {}, "data": {"image/png": f'x" onerror="1">{SCRIPT}'}},
        {"output_type": "display_data", "metadata": {}, "data": {"application/javascript": "document.title = 1"}},
        {"output_type": "error", "ename": SCRIPT, "evalue": SCRIPT, "traceback": [SCRIPT]},
    ]
    latex = r"$\href{javascript:alert(1)}{x} \style{color:red}{y} \text{<script>alert(1)</script>}$"
    quiz = f"{SCRIPT}\n\n[x](javascript:alert(1)) ![x](file:///etc/passwd) [y](//example.org) {latex}\n\n# {SCRIPT}"
    own = [own_cell(SCRIPT, *outputs), nbformat.v4.new_markdown_cell(quiz, id="own-2")]
    return submission({"conv2d": SCRIPT, QUIZ: quiz}, own)


def test_the_page_shows_answers_verdicts_outputs_quiz_and_notes():
    answer = "def conv2d(x, weight, bias):\n    return my_own_name"
    notebook = submission({"conv2d": answer, QUIZ: "**c**, for $k^2$ taps"}, [own_cell("print(42)")])
    outputs = [{"output_type": "stream", "name": "stdout", "text": "forty-two"}]
    outputs += [{"output_type": "display_data", "metadata": {}, "data": {"image/png": png()}}]
    notebook.cells[-1].outputs = [nbformat.from_dict(output) for output in outputs]
    verdict = Verdict("conv2d", Status.FAILED, "2 of 9 cases fail.", "x = 5", "wrong", "padded_twice", "Pad `once`.")
    marks = [mark for mark in graded("s1", {}).marks if mark.grade_id != "check_conv2d"]
    one = Graded("s1", ASSIGNMENT.name, [Mark("check_conv2d", 0, 3, verdict), *marks], notes=["A cell was put back."])
    page = feedback_page(one, notebook, ASSIGNMENT, {"s1": "Ada Abe"})
    text = re.sub("<[^>]+>", "", page)
    assert "my_own_name" in text and "forty-two" in text and "A cell was put back." in text and "Ada Abe (s1)" in text
    assert "✗ conv2d: not yet. 2 of 9 cases fail." in text and "x = 5" in text and "padded twice" in text
    assert "<code>once</code>" in page and "<strong>c</strong>" in page and 'alttext="k^2"' in page
    assert f"data:image/png;base64,{png()}" in page
    assert "5 of 8" in text and "Exercise 1.2 · conv2d by loops" in text


def test_the_page_names_the_group_and_hides_the_marks_of_a_solution():
    receipt = Receipt("a.ipynb", members=("s1", "s2"), submitted="2026-11-01T23:00:00+00:00")
    answer = "def conv2d():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n"
    page = feedback_page(graded("s1", {}), submission({"conv2d": answer}), ASSIGNMENT, {"s2": "Ida"}, receipt)
    assert "Handed in together with <b><bdi>Ida (s2)</bdi></b>." in page and "Handed in 2026-11-0" in page
    assert "SOLUTION" not in page and "return" in page


def test_code_reads_from_left_to_right_whatever_letters_it_has(tmp_path, chromium):
    path = tmp_path / "page.html"
    page = feedback_page(graded("s1", {}), submission({"conv2d": 'x = "\ufdfa" * 900'}), ASSIGNMENT)
    path.write_text(page, encoding="utf-8")
    shown = chromium.new_page()
    shown.goto(path.as_uri())
    style = "getComputedStyle(document.querySelector('pre.code'))"
    assert shown.evaluate(f"[{style}.direction, {style}.unicodeBidi]") == ["ltr", "isolate-override"]


def test_a_comment_in_a_block_of_code_is_no_heading():
    notebook = submission()
    check = next(index for index, cell in enumerate(notebook.cells) if cell.id == "check_conv2d")
    notebook.cells.insert(check, nbformat.v4.new_markdown_cell("```python\n# no title\n```"))
    assignment = replace(ASSIGNMENT, notebook=notebook)
    assert assignment.exercise_titles["check_conv2d"] == "Exercise 1.2 · conv2d by loops"


def test_an_unreadable_file_gets_a_page_that_says_why():
    for in_its_place in (None, submission()):
        unreadable = Graded("s1", ASSIGNMENT.name, [], notes=["It is no JSON."])
        page = feedback_page(unreadable, in_its_place, ASSIGNMENT)
        assert "could not be graded" in page and "It is no JSON." in page
        assert "quiz" not in page.casefold()  # nobody will grade what was not answered
        assert_harmless(page)


def test_points_that_are_taken_off_stand_on_the_page():
    page = feedback_page(graded("s1", {}), submission(), ASSIGNMENT, penalty=2.5)
    assert "came in late: the gradebook takes <b>2.5</b> points off" in page
    assert "came in late" not in feedback_page(graded("s1", {}), submission(), ASSIGNMENT)


def test_a_page_graded_without_a_sandbox_says_so():
    assert "without a sandbox" in feedback_page(graded("s1", {}), submission(), ASSIGNMENT, unsafe=True)
    assert "without a sandbox" not in feedback_page(graded("s1", {}), submission(), ASSIGNMENT)


def test_nothing_hostile_becomes_markup():
    entries = {name: Entry(1.0, by_hand=True, comment=SCRIPT) for name in ("conv2d", "check_conv2d", QUIZ)}
    page = feedback_page(hostile_graded(), hostile_notebook(), ASSIGNMENT, {SCRIPT: SCRIPT}, entries=entries)
    assert_harmless(page)
    page.encode("utf-8")  # half a surrogate pair would not
    assert not set(page) & {"\x00", "\x1b", "\u202e"}
    assert "red" in page


def test_only_the_style_sheet_of_the_page_is_allowed_and_no_script_or_address():
    policy = next(
        attributes["content"]
        for tag, attributes in Tags(feedback_page(graded("s1", {}), None, ASSIGNMENT)).found
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy and "http" not in policy


def test_a_browser_runs_and_loads_nothing_of_a_hostile_page(tmp_path, chromium):
    path = tmp_path / "page.html"
    path.write_text(feedback_page(hostile_graded(), hostile_notebook(), ASSIGNMENT), encoding="utf-8")
    page = chromium.new_page()
    seen = []
    page.on("request", lambda request: seen.append(request.url))
    page.on("dialog", lambda dialog: (seen.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda message: seen.append(message.text))
    page.goto(path.as_uri())
    assert page.title().startswith("01 · Convolution")
    assert [url for url in seen if not url.startswith("data:")] == [path.as_uri()]
    style = page.evaluate("getComputedStyle(document.querySelector('.box.failed')).borderLeftStyle")
    assert style == "double"  # the page's own style sheet is allowed
    phone = chromium.new_page(viewport={"width": 390, "height": 800})
    phone.goto(path.as_uri())
    assert phone.evaluate("document.documentElement.scrollWidth") == 390


def test_a_long_output_is_cut_in_the_middle_and_many_outputs_are_cut_off():
    long = {"output_type": "stream", "name": "stdout", "text": "begin" + "A" * 1_000_000 + "end"}
    page = feedback_page(graded("s1", {}), submission(own=[own_cell("flood()", *[long] * 500)]), ASSIGNMENT)
    assert "begin" in page and "end" in page and "characters left out" in page
    assert f"{500 - MAX_OUTPUTS} more outputs are not shown" in page
    assert len(page) < 2 * MAX_OUTPUTS * MAX_TEXT


def test_pictures_end_where_the_page_is_full(monkeypatch):
    picture = {"output_type": "display_data", "metadata": {}, "data": {"image/png": png()}}
    monkeypatch.setattr("grading.pages.feedback.MAX_PAGE", 2 * len(png()))
    page = feedback_page(graded("s1", {}), submission(own=[own_cell("draw()", *[picture] * 3)]), ASSIGNMENT)
    assert page.count("<img") == 2 and "not shown" in page
    assert MAX_PAGE >= 1_000_000


@given(st.text())
@settings(max_examples=60)
def test_any_text_becomes_harmless_html(text):
    for html in (markdown(text), highlighted(text)):
        assert_harmless(html)
        html.encode("utf-8")


@given(st.text(alphabet=list("$[]()<>!`*_#|-\n \\{}^&;ab\"'")))
@settings(max_examples=200)
def test_any_markdown_becomes_harmless_html(text):
    assert_harmless(markdown(text))


@pytest.mark.parametrize("text", ["[" * 5_000, ">" * 5_000, "- " * 4_000, "*a" * 5_000, "$" * 5_000, "((" * 9_000])
def test_nesting_without_end_makes_no_error(text):
    assert_harmless(markdown(text) + highlighted(text))


def test_text_shows_what_it_holds():
    assert visible("\x1b[1;31mred\x1b[0m") == "red"
    assert visible(" 10 %\r 50 %\r100 %\n") == "100 %\n"
    assert visible("safe\u202eelbisivni") == "safe⟨U+202E⟩elbisivni"
    assert visible("a\r\nb\tc") == "a\nb\tc"
    assert visible(["no text"]) == ""


def test_a_png_is_kept_and_what_hides_in_it_is_dropped():
    plain = base64.b64decode(png())
    assert checked_png(png()) == png()
    assert checked_png(base64.encodebytes(plain).decode()) == png()  # with line breaks, as notebooks have it
    assert checked_png(base64.b64encode(plain + b"<script>").decode()) == png()
    assert checked_png(base64.b64encode(plain[:-20]).decode()) is None
    assert checked_png(base64.b64encode(plain.replace(b"IDAT", b"IDAX")).decode()) is None
    assert checked_png(base64.b64encode(b"<svg onload='1'>").decode()) is None
    assert checked_png("no base64!") is None
    assert checked_png(png(MAX_SIDE + 1, 1)) is None


@given(st.binary(max_size=60))
@settings(max_examples=60)
def test_a_damaged_png_is_none_and_no_error(noise):
    plain = base64.b64decode(png())
    damaged = plain[:20] + noise + plain[20 + len(noise) :]
    checked = checked_png(base64.b64encode(damaged).decode())
    assert checked is None or damaged == plain


def test_colours_can_be_read():
    """Contrast of at least 4.5 on both grounds, as WCAG 2 asks for text (success criterion 1.4.3)."""
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    for palette in re.findall(r":root \{(.*?)\}", style, re.DOTALL):
        colours = dict(re.findall(r"--(\w+): (#\w{6})", palette))
        assert {"paper", "panel"} < set(colours)
        for name in set(colours) - {"paper", "panel", "line", "alike"}:
            for ground in ("paper", "panel"):
                assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_persons_points_and_comments_stand_with_what_they_are_about():
    entries = {
        "check_conv2d": Entry(2.5, by_hand=True),
        "check_output_size": Entry(1.0),
        "conv2d": Entry(comment="Read `padding` again."),
        QUIZ: Entry(1.0, by_hand=True, comment="Well put."),
    }
    page = feedback_page(graded("s1", {"conv2d": "untouched"}), submission(), ASSIGNMENT, entries=entries, penalty=1.0)
    exercise, quiz = (re.split("<section", page)[place] for place in (2, 6))
    assert "Exercise 1.2" in exercise and "given <b>2.5 of 3</b> points" in exercise
    assert "Read <code>padding</code> again." in exercise
    assert "Quiz · holes in the kernel" in quiz and "<b>1 of 1</b> point" in quiz and "Well put." in quiz
    assert "<b>8.5 of 9</b> points.</p>" in page and "leaves <b>7.5</b>" in page
    assert page.count("A person has looked at this") == 1 and page.count("graded by a person") == 1


def test_a_quiz_waits_or_was_not_answered():
    waits = feedback_page(graded("s1", {}), submission(), ASSIGNMENT, entries={QUIZ: Entry(None)})
    assert "<b>8 of 8</b> points so far" in waits and "waits for a person" in waits
    empty = feedback_page(graded("s1", {}), submission(), ASSIGNMENT, entries={QUIZ: Entry(0.0)})
    assert "<b>8 of 9</b> points.</p>" in empty and "○ not attempted" in empty


def test_who_was_given_points_for_a_file_that_cannot_be_read_sees_them():
    unreadable = Graded("s1", ASSIGNMENT.name, [], notes=["It is no JSON."])
    entries = {"check_conv2d": Entry(3.0, by_hand=True), "conv2d": Entry(comment="You showed me on paper.")}
    page = feedback_page(unreadable, None, ASSIGNMENT, entries=entries)
    assert "could not be graded" in page and "given <b>3 of 3</b> points" in page and "on paper" in page


HEBREW, ARABIC = "שרה כהן", "محمد الأحمد"


LEFT_OF = """(element, [first, second]) => {
    const place = text => {
        const walk = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
        while (walk.nextNode()) {
            const at = walk.currentNode.textContent.indexOf(text);
            if (at < 0) continue;
            const range = document.createRange();
            range.setStart(walk.currentNode, at);
            range.setEnd(walk.currentNode, at + text.length);
            return range.getBoundingClientRect();
        }
    };
    const [one, other] = [place(first), place(second)];
    return one.right <= other.left + 1 && Math.abs(one.top - other.top) < 5;
}"""


def test_what_is_written_from_right_to_left_turns_nothing_around_it(tmp_path, chromium):
    names = {"s1": HEBREW, "s2": HEBREW, "s3": ARABIC}
    receipt = Receipt("a.ipynb", members=("s1", "s2", "s3"))
    verdict = Verdict("conv2d", Status.FAILED, "1 of 9 fails.", f'name = "{ARABIC}", 345 - 12', f"{HEBREW}: 12 - 345")
    one = Graded("s1", ASSIGNMENT.name, [Mark("check_conv2d", 0, 3, verdict)])
    answers = {"conv2d": f'x = "{HEBREW}" * 900', QUIZ: f"{ARABIC} `-7 * y` {HEBREW}\n\nlast, `2`"}
    path = tmp_path / "page.html"
    path.write_text(feedback_page(one, submission(answers), ASSIGNMENT, names, receipt), encoding="utf-8")
    page = chromium.new_page()
    page.goto(path.as_uri())

    def left_of(element: str, containing: str, first: str, second: str) -> bool:
        return page.locator(element, has_text=containing).evaluate(LEFT_OF, [first, second])

    assert left_of("header p", "together", HEBREW.split()[0], ARABIC.split()[0]), "a list of names has its order"
    assert left_of("header p", "together", "s2", HEBREW.split()[0]), "a name has a direction"
    for first, second in ((HEBREW[0], "900"), (HEBREW[0], HEBREW[-1])):
        assert left_of("pre.code", "900", first, second), "code reads from left to right"
    for first, second in ((ARABIC[0], "345"), ("345", "12")):
        assert left_of("pre.values", "345", first, second), "so do the values of a case"
    assert left_of("dd pre.said", "12", "12", HEBREW.split()[0]), "a message has the direction of its first word"
    assert left_of(".answer p", "* y", HEBREW.split()[1], ARABIC.split()[0]), "a paragraph has a direction"
    assert left_of(".answer p", "* y", "-", "7") and left_of(".answer p", "last", "last", "2")


def test_a_long_message_is_folded_and_printed_whole(tmp_path, chromium):
    def shown(problem: str):
        verdict = Verdict("conv2d", Status.FAILED, "It raised an error.", problem=problem)
        path = tmp_path / "page.html"
        one = Graded("s1", ASSIGNMENT.name, [Mark("check_conv2d", 0, 3, verdict)])
        path.write_text(feedback_page(one, None, ASSIGNMENT), encoding="utf-8")
        page = chromium.new_page(color_scheme="dark")
        page.goto(path.as_uri())
        return page

    long, short = shown("a line\n" * 200 + "the last line"), shown("the last line")
    assert short.get_by_text("the last line").is_visible() and not long.get_by_text("the last line").is_visible()
    on_screen = long.evaluate("getComputedStyle(document.body).color")
    long.emulate_media(media="print")
    assert long.evaluate("getComputedStyle(document.body).color") != on_screen, "paper is never dark"
    assert long.get_by_text("the last line").bounding_box()
    pages = [len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) for page in (short, long)]
    assert pages[1] >= pages[0] + 2


def test_everybody_can_read_the_page(accessible):
    entries = {"conv2d": Entry(comment=SCRIPT * 30), QUIZ: Entry(1.0, by_hand=True, comment="*Good*")}
    names, receipt = {SCRIPT: SCRIPT}, Receipt("a.ipynb", members=("s1", SCRIPT), submitted="2026-11-01T23:00:00+00:00")
    accessible(
        feedback_page(hostile_graded(), hostile_notebook(), ASSIGNMENT, names, receipt, 1.0, True, entries=entries)
    )


@pytest.mark.parametrize("marks", ["*a " * 3_300 + "b*" * 5_000, ("[" * 50 + "*" * 50) * 200, "$" + "`" * 19_000])
def test_a_text_of_marks_alone_is_shown_as_it_was_written(marks):
    """The parser would take minutes: the work grows with the square or the cube of their number."""
    assert str(markdown(marks)).startswith(f"<pre>{marks[:3]}")
    assert "<strong>c</strong>" in markdown("**c**")
