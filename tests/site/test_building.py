"""Building the site: links as the repository says them, warnings that are errors, an old site that stays."""

from types import SimpleNamespace

import pytest

from tools.lesson import BuildError
from tools.site import links, sections
from tools.site.__main__ import main
from tools.site.build import build
from tools.site.course import Course

COURSE = Course(shown={"docs/grading.md": "instructors/guide.md", "notebooks/01_convolution.ipynb": "lessons/01.ipynb"})


@pytest.mark.parametrize(
    ("file", "written", "expected"),
    [
        ("README.md", "[guide](docs/grading.md)", "[guide](/instructors/guide.md)"),
        ("docs/threat_model.md", "[guide](grading.md#quizzes)", "[guide](/instructors/guide.md#quizzes)"),
        ("notebooks/00_start_here.ipynb", "[next](01_convolution.ipynb)", "[next](/lessons/01.ipynb)"),
        ("README.md", "![map](docs/figures/00_symbols.png)", "![map](/figures/00_symbols.png)"),
        ("README.md", "[licence](LICENSE)", f"[licence]({COURSE.repository.address}/blob/main/LICENSE)"),
        ("docs/grading.md", "[tools](../tools)", f"[tools]({COURSE.repository.address}/tree/main/tools)"),
        ("README.md", "[x](https://example.org/a)", "[x](https://example.org/a)"),
        ("README.md", "[x](#start)", "[x](#start)"),
        ("README.md", "`[x](no.md)`", "`[x](no.md)`"),
        ("README.md", "```\n[x](no.md)\n```\n", "```\n[x](no.md)\n```\n"),
    ],
)
def test_a_link_leads_to_the_page_or_to_the_repository(file, written, expected):
    assert links.for_the_site(written, file, COURSE) == expected


def test_a_link_to_nothing_is_an_error_that_names_the_file():
    with pytest.raises(BuildError, match=r"docs/grading\.md.*no\.md"):
        links.for_the_site("[x](no.md)", "docs/grading.md", COURSE)


def section(**files: str) -> SimpleNamespace:
    pages = {f"{name}.md": text for name, text in files.items()}
    return SimpleNamespace(FIRST="index.md", SHOWS={}, pages=lambda course: pages)


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("# Title\n\n[x](#no-such-heading)", "no-such-heading"),
        ("# Title\n\n[x](/nothing.md)", "nothing"),
        ("# Title\n\n![picture](/figures/nothing.png)", "nothing.png"),
        ("# Title\n\n$\\nonsense$", "nonsense"),
        ("# Title\n\n#### Too deep", "header"),
    ],
)
def test_a_warning_stops_the_build_and_leaves_the_old_site(tmp_path, monkeypatch, capfd, text, warning):
    monkeypatch.setattr(sections, "SECTIONS", [section(index=text)])
    old = tmp_path / "site" / "index.html"
    old.parent.mkdir()
    old.write_text("old")
    with pytest.raises(BuildError, match="as it was"):
        build(Course(), tmp_path / "site")
    assert warning in capfd.readouterr().err
    assert old.read_text() == "old"
    assert list(tmp_path.iterdir()) == [old.parent]


def test_a_new_site_takes_the_place_of_the_old_one(tmp_path, monkeypatch):
    monkeypatch.setattr(sections, "SECTIONS", [section(index="# Title\n\nText.\n")])
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "gone.html").write_text("old")
    build(Course(), tmp_path / "site")
    assert "Text." in (tmp_path / "site" / "index.html").read_text()
    assert not (tmp_path / "site" / "gone.html").exists()


def test_a_file_of_two_sections_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(sections, "SECTIONS", [section(index="# A"), section(index="# B")])
    with pytest.raises(BuildError, match=r"index\.md"):
        build(Course(), tmp_path / "site")


@pytest.mark.parametrize(("text", "status"), [("# Title", 0), ("# Title\n\n[x](/nothing.md)", 1)])
def test_the_command_says_where_the_site_is_or_that_it_failed(tmp_path, monkeypatch, capsys, text, status):
    monkeypatch.setattr(sections, "SECTIONS", [section(index=text)])
    monkeypatch.setattr("sys.argv", ["site", str(tmp_path / "site")])
    assert main() == status
    assert (tmp_path / "site").exists() == (status == 0)
    assert str(tmp_path / "site") in "".join(capsys.readouterr())
