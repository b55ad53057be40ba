# Finds the course: in the folder above, in $$REACH_HOME, beside this notebook, or installed.
# Colab, Kaggle, Deepnote and their like fetch it first, and keep the torch that they have.
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from subprocess import getoutput

homes = ("..", os.environ.get("REACH_HOME", "."), "reach")
folders = [Path(one).expanduser().resolve() for one in homes]
sys.path[:0] = [str(one) for one in folders if (one / "reach_course/__init__.py").is_file()]
hosts = {"KAGGLE_KERNEL_RUN_TYPE", "DEEPNOTE_PROJECT_ID", "PAPERSPACE_NOTEBOOK_REPO_ID"}
hosted = "google.colab" in sys.modules or bool(hosts & os.environ.keys())
address = "$address"
without_git = f"without git, %pip install {address}/archive/HEAD.zip"
advice = f"Type !git clone {address} reach in a new cell and run it (or, {without_git})."
if hosted and not find_spec("reach_course"):
    clone = f"git clone --quiet --depth 1 {address} .reach-new"
    fetch = f"{clone} --branch v$version 2>/dev/null || {clone}"
    why = getoutput(f"rm -rf .reach-new; ({fetch}) && mv -T .reach-new reach").strip()
    advice = f"It could not be fetched ({why}). On Kaggle, turn on Internet in the settings."
    sys.path[:0] = [str(one) for one in folders[-1:] if one.is_dir()]  # Python keeps what it missed
if not getattr(find_spec("reach_course"), "origin", None):  # nor has a mere folder of that name one
    alone = {"_render_traceback_": lambda error: [str(error)]}  # the sentence, and no code
    sentence = f"The course is not here. {advice} Then run this cell again."
    raise type("NotHere", (ImportError,), alone)(sentence)
from reach_course import set_up

set_up("$lesson", "$version", install=hosted)
