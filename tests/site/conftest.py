"""The site, built once for all workers of a run, and served on this machine."""

import socket
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from filelock import FileLock

from tools.site.build import build
from tools.site.sections import whole


@pytest.fixture(scope="session")
def site(tmp_path_factory, worker_id) -> Path:
    """The folder of the built site. Who comes first builds it, without a network and without a kernel."""
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent  # each worker of xdist has a folder of its own inside
    folder = shared / "site"
    with FileLock(shared / "site.lock"), pytest.MonkeyPatch.context() as patch:
        if not folder.exists():
            patch.setattr(socket.socket, "connect", refused)
            patch.setattr(socket, "getaddrinfo", refused)
            patch.setattr("jupyter_client.manager.KernelManager.start_kernel", refused)
            build(whole(), folder)
    return folder


def refused(*what: object) -> None:
    raise AssertionError(f"the build of the site asked for a network or a kernel: {what}")


@pytest.fixture(scope="session")
def pages(site) -> dict[str, BeautifulSoup]:
    """{address of each page: the page}, such as "lessons/03_receptive_field.html"."""
    return {
        file.relative_to(site).as_posix(): BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")
        for file in sorted(site.rglob("*.html"))
        if "_static" not in file.parts
    }


@pytest.fixture(scope="session")
def served(site) -> str:
    """The address at which the site is served, ending in a slash."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *what: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def page(chromium):
    """A page of the browser, closed after the test."""
    opened = chromium.new_page()
    yield opened
    opened.close()
