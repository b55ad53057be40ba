# Makes the course importable. A notebook alone on Colab, Kaggle or Deepnote fetches it; torch stays as it is.
import os
import sys
from importlib import import_module
from pathlib import Path
from subprocess import getstatusoutput

hosted = "google.colab" in sys.modules or {"KAGGLE_KERNEL_RUN_TYPE", "DEEPNOTE_PROJECT_ID"} & os.environ.keys()
fetched = bool(hosted) and not Path("../utils/checks").is_dir()
if fetched:
    fetch = "test -e reach/tools || git clone --depth 1 '$address' reach"
    failed, output = getstatusoutput(f"({fetch}) && '{sys.executable}' reach/tools/install_missing.py")
    assert not failed, f"The course could not be set up. Run this cell again once this is solved:\n{output}"
sys.path.insert(0, str(Path("reach" if fetched else "..").resolve()))
try:
    import_module("utils.paths")
except ImportError as error:
    advice = "In a terminal: git clone $address, then make lab in its folder; open the notebook in its notebooks/"
    raise ImportError(f"The course is not beside this notebook, or another utils is. {advice}") from error
