"""Install what the course needs and this machine lacks, and leave alone what its notebooks already run on.

The set-up cell runs this on Colab, where torch fits the GPU and IPython fits the page: a pip that replaced either
would break the machine. So it uses the standard library only, and pip.
"""

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

KEPT = ["torch", "numpy", "ipython", "ipykernel", "ipywidgets"]
"""Where one of these is installed, its version is neither raised nor lowered, even if it is an old one."""


def pins() -> list[str]:
    """The kept distributions as pip constraints, at exactly the version that is here."""
    return [f"{name}=={found}" for name in KEPT if (found := installed(name))]


def needed(pyproject: Path) -> list[str]:
    """The course's requirements without those that are kept as they are. pip skips what is here and new enough."""
    requirements = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]["dependencies"]
    return [text for text in requirements if not (name_of(text) in KEPT and installed(name_of(text)))]


def name_of(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower()


def installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def main() -> int:
    """Run pip; its exit status, or 1 with a message where there is no torch."""
    if not installed("torch"):
        print("PyTorch is not installed here, and the course does not choose one for you: see pytorch.org.")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("\n".join(pins()) + os.linesep, encoding="utf-8")
        wanted = needed(Path(__file__).parents[1] / "pyproject.toml")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--constraint", str(constraints), *wanted]
        return subprocess.run(pip).returncode


if __name__ == "__main__":
    sys.exit(main())
