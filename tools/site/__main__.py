"""`make site`: write the course's web site into site/.

The exit status is 0 if every page was built without a warning, and 1 otherwise: then site/ stays as it was.
"""

import sys
from pathlib import Path

from tools.lesson import BuildError
from tools.site.build import build
from tools.site.sections import whole
from utils.paths import COURSE


def main() -> int:
    folder = Path(sys.argv[1]) if sys.argv[1:] else COURSE / "site"
    try:
        build(whole(), folder)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The site is in {folder}: open {folder / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
