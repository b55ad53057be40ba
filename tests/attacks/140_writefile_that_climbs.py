"""Writes its answers with %%writefile to paths of the class, of the system, of pipes, and to names with orders in them."""

import json

PATHS = [
    "../../../honest/01_convolution/01_convolution.ipynb",
    "/tmp/left_by_writefile.py",
    "../submitted/honest/01_convolution/01_convolution.ipynb",
    "~/left_by_writefile.py",
    "/proc/self/mem",
    "/dev/stdout",
    "$HOME/left_by_writefile.py",
    "answers.py; touch /tmp/left_by_writefile",
    "`touch /tmp/left_by_writefile`.py",
    "utils/checks/convolution.py",
    "-a sitecustomize.py",
    "grading/__init__.py",
    "a\0b.py",
    "x" * 5000 + ".py",
    "torch.py",
]
ANSWER = "def output_size(*case):\n    return 0\n\n\ndef conv2d(*case):\n    return torch.zeros(1)\n"


def hand_in(path, released):
    own = []
    for number, name in enumerate(PATHS):
        source = f"%%writefile {name}\n{ANSWER}"
        own.append(
            {
                "cell_type": "code",
                "id": f"w{number}",
                "metadata": {},
                "outputs": [],
                "execution_count": None,
                "source": source,
            }
        )
    own.append(
        own[0]
        | {"id": "last", "source": "from answers import *\nfrom torch import output_size, conv2d\nimport sitecustomize"}
    )
    released["cells"][1:1] = own
    path.write_text(json.dumps(released))
