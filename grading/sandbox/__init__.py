"""The judge's side of the sandbox: start bubblewrap around the warm process, ask it for a child a submission."""

from grading.sandbox.bubblewrap import NoSandbox, check_available, in_sight
from grading.sandbox.sandbox import Ended, Sandbox, SandboxLost, StudentProcess, TooMuchMemory, TooMuchTime

__all__ = [
    "Ended",
    "NoSandbox",
    "Sandbox",
    "SandboxLost",
    "StudentProcess",
    "TooMuchMemory",
    "TooMuchTime",
    "check_available",
    "in_sight",
]
