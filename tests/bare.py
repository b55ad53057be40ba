"""Machines that know nothing of this one's Python: what a notebook alone meets on Colab, on Kaggle or at home."""

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

from reach_course.packages import name_of

WINDOWS = os.name == "nt"

FAKE_PIP = """
import json, pathlib, sys
constraints = pathlib.Path(sys.argv[sys.argv.index("--constraint") + 1]).read_text().split()
pathlib.Path({record!r}).write_text(json.dumps([constraints, sys.argv]))
if pathlib.Path({broken!r}).exists():
    sys.exit("ERROR: Could not find a version that satisfies the requirement rich>=13")
"""


class Machine:
    """A virtual environment with nothing in it, and a folder where the notebook lies."""

    def __init__(self, home: Path):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", home / "venv"], check=True)
        self.python = home / "venv" / ("Scripts/python.exe" if WINDOWS else "bin/python")
        [self.packages] = (home / "venv").rglob("site-packages")
        self.folder = home / "downloads" / "lesson"
        self.folder.mkdir(parents=True)
        self._record, self._broken = home / "pip.json", home / "pip is broken"

    def run(self, *command: str, folder: Path | None = None, **variables: str) -> subprocess.CompletedProcess:
        """Run its Python with this command, in the notebook's folder or another, with these variables besides."""
        return subprocess.run(
            [self.python, *command],
            cwd=folder or self.folder,
            env=self._environment({"PYTHONUTF8": "1"} | variables),
            capture_output=True,
            encoding="utf-8",
            timeout=600,
        )

    def _environment(self, variables: dict[str, str]) -> dict[str, str]:
        own = ("PYTHON", "REACH_", "VIRTUAL", "KAGGLE_", "DEEPNOTE_", "PAPERSPACE_", "GIT_")
        return {name: value for name, value in os.environ.items() if not name.startswith(own)} | variables

    def claim(self, name: str, version: str, more: str = "") -> None:
        """Have this distribution be installed, as far as its metadata say; `more`: further lines of them."""
        folder = self.packages / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{more}"
        (folder / "METADATA").write_text(text, encoding="utf-8")

    def give_pip(self) -> None:
        """A pip that installs nothing, and remembers what it was asked for."""
        (self.packages / "pip").mkdir()
        (self.packages / "pip" / "__init__.py").touch()
        program = FAKE_PIP.format(record=str(self._record), broken=str(self._broken))
        (self.packages / "pip" / "__main__.py").write_text(program, encoding="utf-8")

    def break_pip(self) -> None:
        self._broken.touch()

    def asked_of_pip(self) -> str:
        """What pip was last asked for, constraints included; "" if it was never run."""
        return self._record.read_text(encoding="utf-8") if self._record.exists() else ""

    def link(self, *names: str) -> None:
        """Give it these distributions as this machine has them, and what they need, so that nobody fetches them."""
        here = self.packages.parent / "given"
        here.mkdir(exist_ok=True)
        for name in set().union(*map(with_dependencies, names)):
            link_distribution(name, here)
        (self.packages / "given.pth").write_text(f"{here}\n", encoding="utf-8")

    def run_notebook(self, notebook: NotebookNode, **variables: str) -> NotebookNode:
        """The notebook with its outputs, run in its folder by a kernel of this machine; errors are outputs, too."""
        specs = self.packages.parent / "kernels"
        (specs / "alone").mkdir(parents=True, exist_ok=True)
        command = [str(self.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": command, "display_name": "alone", "language": "python"}
        (specs / "alone" / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
        found = KernelSpecManager(kernel_dirs=[str(specs)], ensure_native_kernel=False)
        manager = AsyncKernelManager(kernel_spec_manager=found, kernel_name="alone")
        client = NotebookClient(notebook, km=manager, timeout=600, allow_errors=True)
        client.owns_km = True  # we have made it for this run, so the client shuts it down
        return client.execute(cwd=str(self.folder), env=self._environment(variables))


def with_dependencies(name: str) -> set[str]:
    """The installed distributions that `name` needs to run, itself among them."""
    needed, left = set(), [name]
    while left:
        one = left.pop()
        try:
            requires = metadata.requires(one) or []
        except metadata.PackageNotFoundError:
            continue
        if one not in needed:
            needed.add(one)
            left += [name_of(text) for text in requires if "extra ==" not in text]
    return needed


def link_distribution(name: str, target: Path) -> None:
    """Make an installed distribution importable, and known to pip, from the folder `target`."""
    found = metadata.distribution(name)
    for top in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
        if not (target / top).exists():
            (target / top).symlink_to(found.locate_file(top))
