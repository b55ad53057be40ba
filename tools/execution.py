"""Running a notebook, from its first cell to its last, as a learner at home would."""

import os
from copy import deepcopy
from pathlib import Path

from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode

CELL_SECONDS = 300
ENVIRONMENT = {
    "REACH_STRICT": "checks",  # a check that does not pass stops the build
    "REACH_PROGRESS": "off",  # these passes are not the author's own
}


class CellFailed(Exception):
    """The cell at `index` did not run to its end."""

    def __init__(self, index: int, text: str):
        super().__init__(text)
        self.index, self.text = index, text


def execute(notebook: NotebookNode, folder: Path, seconds: int = CELL_SECONDS) -> NotebookNode:
    """A copy of `notebook` with its outputs, after a run in `folder`.

    Raises CellFailed for the first cell that raises, takes longer than `seconds`, or takes the kernel with it.
    """
    executed = deepcopy(notebook)
    # With no folder of kernels to look into, "python3" is this interpreter, whatever a user has registered.
    manager = AsyncKernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    client = NotebookClient(
        executed,
        manager,
        timeout=seconds,
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--log-level=ERROR"],  # a kernel warns at each start that it talks over TCP
        resources={"metadata": {"path": str(folder)}},
    )
    client.owns_km = True  # we have made it for this run, so the client shuts it down
    with client.setup_kernel(env={**os.environ, **ENVIRONMENT}):
        for index, cell in enumerate(executed.cells):
            try:
                client.execute_cell(cell, index)
            except CellExecutionError as error:
                raise CellFailed(index, f"this cell failed\n{strip_ansi(error.traceback)}") from error
            except CellTimeoutError as error:
                raise CellFailed(index, f"this cell took longer than {seconds} s") from error
            except DeadKernelError as error:
                raise CellFailed(index, "the kernel died in this cell (out of memory?)") from error
    return executed
