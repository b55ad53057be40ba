"""The judge's side of the sandbox: start bubblewrap around the warm process, ask it for a child a submission."""

from grading.sandbox.bubblewrap import NoSandbox, check_available, in_sight
from grading.sandbox.process import (
    Ended,
    MachineAtFault,
    SandboxLost,
    StudentProcess,
    TooMuchMemory,
    TooMuchTime,
    was_starved,
)
from grading.sandbox.sandbox import Sandbox

__all__ = [
    "Ended",
    "MachineAtFault",
    "NoSandbox",
    "Sandbox",
    "SandboxLost",
    "StudentProcess",
    "TooMuchMemory",
    "TooMuchTime",
    "check_available",
    "in_sight",
    "was_starved",
]
