"""Notebooks in a real browser: JupyterLab from this environment, driven in Chromium.

Where Chromium or playwright is missing, such a test is skipped with a notice; with REACH_CI=1 it fails.
"""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest

COURSE = Path(__file__).parents[1]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 300  # seconds until a server answers or a kernel has run a cell: ample on a busy machine

LOST = 30  # seconds without a sign of a run, after which it counts as lost
GLANCE = 5  # seconds until an action that shows nothing is tried again
STARTS = 3  # of a server, each on another port: somebody may take one between our look and its start

OPEN = "path => void window.jupyterapp.commands.execute('docmanager:open', { path })"
KERNEL_IS_IDLE = """path => {
    const notebook = window.jupyterapp?.shell.currentWidget;
    const kernel = notebook?.sessionContext?.session?.kernel;
    const ready = notebook?.context?.path === path && notebook.context.isReady;
    return ready && kernel?.connectionStatus === "connected" && kernel.status === "idle";
}"""
CLOSE = """async () => {
    const notebook = window.jupyterapp.shell.currentWidget;
    await notebook.sessionContext.shutdown();
    notebook.dispose();
}"""
RUN_ALL_CELLS = """() => {
    const run = window.cellsAskedFor = (window.cellsAskedFor ?? 0) + 1;
    void window.jupyterapp.commands.execute("notebook:run-all-cells").finally(() => { window.cellsRun = run; });
}"""
ALL_CELLS_ARE_RUN = "() => window.cellsRun === window.cellsAskedFor"  # also before the first time


@pytest.fixture(scope="session")
def chromium():
    """The one browser of these tests, since playwright runs once in a process.

    Where there is none, the test is skipped, or fails under REACH_CI=1.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import expect, sync_playwright
    except ImportError:
        _missing("the Python package playwright is not installed (`pip install -e '.[test]'`)")
    if program is None:
        _missing("Chromium is not installed (no `chromium`, `chromium-browser` or `google-chrome` on the path)")
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


def _missing(what: str) -> None:
    if os.environ.get("REACH_CI") == "1":
        pytest.fail(f"The widgets cannot be tested: {what}.")
    pytest.skip(f"the widgets are not tested in a browser: {what}")


class Lab:
    """A running JupyterLab, and a browser to look at it. Its page takes seconds to load, so it stays open."""

    def __init__(self, browser, address: str, token: str, folder: Path):
        self._browser, self._address, self._token, self._folder = browser, address, token, folder
        self._page = None

    @contextlib.contextmanager
    def open(self, name: str, notebook: nbformat.NotebookNode) -> Iterator:
        """A page with this notebook, as it is stored, and a kernel that waits."""
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self._folder / f"{name}.ipynb")
        page, self._page = self._page or self._new_page(), None
        try:
            page.evaluate(OPEN, f"{name}.ipynb")
            page.wait_for_function(KERNEL_IS_IDLE, arg=f"{name}.ipynb")
            yield page
            page.evaluate(CLOSE)
            self._page = page
        finally:
            if self._page is None:  # whatever went wrong in it, the next test gets a new one
                page.close()

    @contextlib.contextmanager
    def run(self, name: str, *cells: str) -> Iterator:
        """A page with a notebook of these code cells, all of them done. What they show may still be on its way."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        with self.open(name, notebook) as page:
            _run_all_cells(page)
            yield page

    def _new_page(self):
        page = self._browser.new_page(viewport={"width": 1280, "height": 1600})
        page.set_default_timeout(PATIENCE * 1000)
        page.goto(f"{self._address}/lab?reset&token={self._token}")
        page.wait_for_function("() => window.jupyterapp?.started.then(() => true)")
        return page


def _run_all_cells(page) -> None:
    """Run every cell and wait for the last. JupyterLab can lose a cell right after it has connected: then again.

    Two runs never wait behind one another: the second would put a new widget in the place of the one that is tested.
    """
    prompt = page.locator(".jp-CodeCell .jp-InputArea-prompt").last
    asked = time.monotonic()
    deadline = asked + PATIENCE
    while not (page.evaluate(ALL_CELLS_ARE_RUN) and any(map(str.isdigit, prompt.inner_text()))):
        if time.monotonic() > deadline:
            pytest.fail(f"the notebook did not run: its last cell is marked {prompt.inner_text()!r}")
        lost = "*" not in prompt.inner_text() and time.monotonic() > asked + LOST
        if page.evaluate(ALL_CELLS_ARE_RUN) or lost:
            page.evaluate(RUN_ALL_CELLS)
            asked = time.monotonic()
        page.wait_for_timeout(500)


def repeat(action: Callable[[], None], shown: Callable[[float], None]) -> None:
    """Do `action` until `shown(milliseconds)` passes: a page that is just being drawn anew can swallow it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        action()
        try:
            return shown(GLANCE * 1000)
        except AssertionError:
            if time.monotonic() > deadline:
                raise


@pytest.fixture(scope="session")
def lab(tmp_path_factory, chromium) -> Iterator[Lab]:
    """JupyterLab behind a token, in folders of its own: the user's settings play no part."""
    home = tmp_path_factory.mktemp("lab")
    folder = home / "notebooks"
    folder.mkdir()
    command = [sys.executable, "-m", "jupyterlab", "--allow-root", "--expose-app-in-browser"]
    options = {
        "ServerApp.root_dir": folder,
        "LabApp.news_url": "",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    }
    command += [f"--{name}={value}" for name, value in options.items()]
    with served(command, folder, home) as (address, token):
        yield Lab(chromium, address, token, folder)


@contextlib.contextmanager
def served(command: list[str], folder: Path, home: Path) -> Iterator[tuple[str, str]]:
    """Address and token of a Jupyter server that `command` starts in `folder`; `home` takes its settings and log."""
    token = secrets.token_hex(16)
    for _ in range(STARTS):
        address, server = _start(command, folder, home, token)
        if _answers(f"{address}/api/status?token={token}", server):
            break
    else:
        pytest.fail(f"the Jupyter server did not start:\n{(home / 'server.log').read_text()[-3000:]}")
    try:
        yield address, token
    finally:
        _stop(server)


def _start(command: list[str], folder: Path, home: Path, token: str) -> tuple[str, subprocess.Popen]:
    port = _free_port()
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "IdentityProvider.token": token,
    }
    command = [*command, "--no-browser", *(f"--{name}={value}" for name, value in options.items())]
    with (home / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment(home), stdout=log, stderr=log)
    return f"http://127.0.0.1:{port}", server


def _stop(server: subprocess.Popen) -> None:
    server.terminate()  # on SIGTERM the server shuts its kernels down
    try:
        server.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        server.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(home: Path) -> dict[str, str]:
    """Variables for a Jupyter program that finds the course, and no settings but those in `home`."""
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    folders += ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    own = {name: str(home / name.lower()) for name in folders}
    return os.environ | own | {"PYTHONPATH": str(COURSE), "REACH_PROGRESS": "off"}


def _answers(address: str, server: subprocess.Popen) -> bool:
    """Whether the server comes to answer there. One that has not by then is ended."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return True
        time.sleep(0.3)
    _stop(server)
    return False
