"""Links between files of the repository, as a page of the site says them.

A file that the site shows is linked as its page; a figure of docs/figures/ comes along; whatever else the repository
holds is linked where the repository is. A link to nothing is an error.
"""

import posixpath
import re
from collections.abc import Mapping

from tools.lesson import BuildError
from tools.site.course import Course

CODE = re.compile(
    r"(^ {0,3}(?P<fence>`{3,}|~{3,}).*?^ {0,3}(?P=fence)|(?P<ticks>`+).+?(?P=ticks))", re.DOTALL | re.MULTILINE
)
LINK = re.compile(r"(?P<before>!?\[(?:[^\[\]]|\[[^\]]*\])*\])\((?P<target>[^()\s]+)\)")
BADGE = re.compile(r"\[!\[([^]]+)]\([^)]+\)]\(([^)]+)\)")
ELSEWHERE = re.compile(r"[a-z][a-z+.-]*:|#")


def for_the_site(markdown: str, file: str, course: Course) -> str:
    """`markdown`, which stands in `file` of the repository, with the targets of its links as the site needs them.

    What is code stays as it is.
    """
    parts, done = [], 0
    for code in CODE.finditer(markdown):
        parts += [_linked(markdown[done : code.start()], file, course), code[0]]
        done = code.end()
    return "".join([*parts, _linked(markdown[done:], file, course)])


def _linked(text: str, file: str, course: Course) -> str:
    return LINK.sub(lambda link: f"{link['before']}({_target(link['target'], file, course)})", text)


def _target(target: str, file: str, course: Course) -> str:
    if ELSEWHERE.match(target):
        return target
    path, mark, anchor = target.partition("#")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(file), path))
    if path in course.shown:
        return f"/{course.shown[path]}{mark}{anchor}"
    if path.startswith("docs/figures/") and (course.root / path).is_file():
        return f"/figures/{posixpath.basename(path)}"
    if not (course.root / path).exists():
        raise BuildError([f"{file}: the link to {target} leads nowhere"])
    kind = "tree" if (course.root / path).is_dir() else "blob"
    return f"{course.repository.address}/{kind}/main/{path}{mark}{anchor}"


def of_badges(badges: str) -> list[str]:
    """The links of badges, without their pictures, which would come from other hosts."""
    return [f"[{label}]({address})" for label, address in BADGE.findall(badges)]


def of_pages(pages: Mapping[str, str], short: Mapping[str, str] | None = None) -> str:
    """A line for each page, under its own title and with what is said of it; the navigation leads to it too.

    `short`: titles for the navigation, where those of the pages are too long for it.
    """
    lines = [f"- [](/{page}): {says}" for page, says in pages.items()]
    places = {page: f"/{page.removesuffix('.md')}" for page in pages}
    listed = [f"{short[page]} <{place}>" if short else place for page, place in places.items()]
    return "\n".join([*lines, "", "```{toctree}", ":hidden:", "", *listed, "```"])


def as_buttons(links: list[str]) -> str:
    """A line of links that stand as buttons."""
    return "{.buttons}\n" + " ".join(links)
