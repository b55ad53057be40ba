"""Where output goes: text that any terminal can write."""

import os
import subprocess
import sys

import pytest

from utils.checking import Status, Verdict
from utils.paths import COURSE

SHOW = f"from {Verdict.__module__} import Status, Verdict; Verdict('conv2d', Status.FAILED, 'é = ∞').show()"


@pytest.mark.parametrize(("encoding", "sign"), [("utf-8", "✗"), ("cp1252", "?"), ("ascii", "?")])
def test_a_verdict_is_written_in_whatever_encoding_the_terminal_has(encoding, sign):
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONPATH": str(COURSE)}
    done = subprocess.run([sys.executable, "-c", SHOW], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    said = done.stdout.decode(encoding).strip()
    assert said.startswith(f"{sign} conv2d: {Status.FAILED}.")
