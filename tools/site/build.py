"""From the course to a folder of web pages: sources for Sphinx, Sphinx, and the old site replaced in one step."""

import shutil
import tempfile
from pathlib import Path

from sphinx.cmd.build import build_main

from tools.lesson import BuildError
from tools.site.course import Course
from tools.site.sections import write_sources

SETTINGS = Path(__file__).parent


def build(course: Course, folder: Path) -> None:
    """Write the site of `course` to `folder`, in place of what stands there.

    Raises BuildError at the first warning, after all of them have been shown; `folder` is then left as it was.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
        sources, doctrees, pages = (Path(temporary) / name for name in ("sources", "doctrees", "pages"))
        write_sources(course, sources)
        options = ["-q", "-W", "--keep-going", "-c", str(SETTINGS), "-d", str(doctrees)]
        if build_main(["-b", "html", *options, str(sources), str(pages)]):
            raise BuildError([f"the site was not built, and {folder} is as it was: see the warnings above"])
        (pages / ".nojekyll").touch()  # GitHub Pages would leave out the folders that begin with an underscore
        shutil.rmtree(pages / "_sources", ignore_errors=True)  # empty: the sources are in the repository
        (pages / ".buildinfo").unlink(missing_ok=True)  # it tells a next build what to keep, and each is whole
        shutil.rmtree(folder, ignore_errors=True)
        pages.rename(folder)
