"""`python -m bench.record_class_page`: pictures of what an instructor sees, for docs/grading.md. Writes docs/figures/.

An invented class of 60 is made, graded and reported in a folder that is thrown away, which takes a minute or two;
Chromium then photographs the pages. Run it when the pages look different, and look at what it wrote.
"""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from utils.files import write_whole
from utils.paths import COURSE

FIGURES = COURSE / "docs/figures"
WIDTH, SHARPNESS = 1200, 1.5  # CSS pixels, and real ones for each of them
COLOURS = 128
LARGEST = 150_000  # bytes of one picture
ASSIGNMENT = "01_convolution"
MISTAKEN = "s0002"  # of the demo: the first student whose conv2d is a named mistake
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu"]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        school = Path(folder, "class")
        for command in ("demo", "grade --cell-seconds 10", "feedback", "report"):
            subprocess.run(reach_grade(school, command), check=True, cwd=COURSE)
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_page(device_scale_factor=SHARPNESS, color_scheme="light")
        report, feedback = school / "report", school / "feedback" / MISTAKEN / ASSIGNMENT
        page.goto((report / f"{ASSIGNMENT}.html").as_uri())
        photograph(page, "class_students", "body", 965)
        photograph(page, "class_mistakes", "section[aria-labelledby=exercises]", 935)
        page.goto((feedback / f"{ASSIGNMENT}.html").as_uri())
        photograph(page, "class_feedback", "section[aria-labelledby=task-2]", 640)
        with quizzes(school) as address:
            page.goto(address)
            page.get_by_role("link", name="holes in the kernel").click()
            photograph(page, "class_quizzes", "section[aria-labelledby=rubric]", 900)
        browser.close()


def chromium() -> str:
    """Where Chromium is. Raises FileNotFoundError if it is not installed."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise FileNotFoundError("Chromium is not installed: `make system-tools` installs it on Debian and Ubuntu.")
    return found


def reach_grade(school: Path, command: str) -> list[str]:
    return [sys.executable, "-m", "grading.cli", *command.split(), "--class", str(school)]


@contextlib.contextmanager
def quizzes(school: Path) -> Iterator[str]:
    """The address of the page for quizzes, while its server runs."""
    command = reach_grade(school, "quizzes --no-browser")
    server = subprocess.Popen(
        command, cwd=COURSE, stdout=subprocess.PIPE, text=True, env=os.environ | {"COLUMNS": "300"}
    )
    try:
        assert server.stdout is not None
        said = next((line for line in server.stdout if line.startswith("quizzes: ")), "")
        if not said:
            raise RuntimeError("The server for quizzes has ended before it said its address.")
        yield said.removeprefix("quizzes: ").strip()
    finally:
        server.terminate()
        server.wait()


def photograph(page: Page, name: str, part: str, height: int) -> None:
    """Store so many CSS pixels of the page, from where this part of it begins, in few colours."""
    page.set_viewport_size({"width": WIDTH, "height": height})
    place = page.locator(part).first.bounding_box()
    assert place is not None
    clip: Any = {"x": 0, "y": place["y"], "width": WIDTH, "height": height}
    shot = Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip)))
    stream = io.BytesIO()
    shot.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(stream, "png", optimize=True)
    path, content = FIGURES / f"{name}.png", stream.getvalue()
    if len(content) > LARGEST:
        raise ValueError(f"{path.name} has {len(content):,} bytes, more than {LARGEST:,}: photograph less of the page.")
    write_whole(path, content)
    print(f"Written: {path} ({len(content):,} bytes)")


if __name__ == "__main__":
    main()
