"""Running a notebook, from its first cell to its last, as a learner at home would: for the build and `make course`."""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode

CELL_SECONDS = 900  # by the clock: a whole lesson takes two minutes, and on a busy machine many times that
ENVIRONMENT = {
    "REACH_STRICT": "checks,claims",  # a check that does not pass stops the run, and a claim that does not hold
    "REACH_TRAINING": "",  # what is stored or reported was never rehearsed
    "REACH_PROGRESS": "off",  # these passes are not the author's own
}


class CellFailed(Exception):
    """The cell at `index` did not run to its end. `summary` says why in a line, `text` with the traceback."""

    def __init__(self, index: int, summary: str, traceback: str = ""):
        self.index, self.summary = index, summary
        self.text = f"this cell failed\n{traceback}" if traceback else summary
        super().__init__(self.text)


@contextlib.contextmanager
def kernel(
    notebook: NotebookNode, folder: Path, seconds: int = CELL_SECONDS, environment: Mapping[str, str] = ENVIRONMENT
) -> Iterator[NotebookClient]:
    """A client with a fresh kernel of this Python for `notebook`, in `folder`, while it is open.

    Args:
        notebook: its cells are given outputs when they are run.
        folder: where the kernel runs.
        seconds: that a cell may take.
        environment: beside that of this process.
    """
    # With no folder of kernels to look into, "python3" is this interpreter, whatever a user has registered.
    manager = AsyncKernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]), kernel_name="python3")
    client = NotebookClient(
        notebook,
        km=manager,
        timeout=seconds,
        record_timing=False,
        store_widget_state=False,
        shutdown_kernel="immediate",
        extra_arguments=["--log-level=ERROR"],  # a kernel warns at each start that it talks over TCP
    )
    client.owns_km = True  # we have made it for this run, so the client shuts it down
    with client.setup_kernel(cwd=str(folder), env={**os.environ, **environment}):
        yield client


def run_cells(client: NotebookClient, on_cell: Callable[[], object] = lambda: None) -> None:
    """Run the cells in order, and call `on_cell` after each.

    Raises CellFailed for the first cell that raises, takes longer than it may, or takes the kernel with it.
    """
    for index, cell in enumerate(client.nb.cells):
        try:
            client.execute_cell(cell, index)
        except CellExecutionError as error:
            raise CellFailed(index, f"{error.ename}: {error.evalue}", strip_ansi(error.traceback)) from error
        except CellTimeoutError as error:
            raise CellFailed(index, f"this cell took longer than {client.timeout} s") from error
        except DeadKernelError as error:
            raise CellFailed(index, "the kernel died in this cell (out of memory?)") from error
        on_cell()


def execute(
    notebook: NotebookNode, folder: Path, seconds: int = CELL_SECONDS, environment: Mapping[str, str] = ENVIRONMENT
) -> NotebookNode:
    """A copy of `notebook` with its outputs, after a run in `folder`. Raises CellFailed as `run_cells` does."""
    executed = deepcopy(notebook)
    with kernel(executed, folder, seconds, environment) as client:
        run_cells(client)
    return executed
