"""`python -m tools.release_tag v0.1.0`: fail where a tag is not the version that pyproject.toml names. "" is no tag."""

import sys
import tomllib

from utils.paths import COURSE


def main(tag: str) -> int:
    project = tomllib.loads((COURSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    expected = f"v{project['version']}"
    if tag and tag != expected:
        print(f"The tag is {tag}, and the version in pyproject.toml wants {expected}: change one.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
