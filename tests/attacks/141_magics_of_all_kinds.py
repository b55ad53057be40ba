"""Asks IPython's magics for what Python would not do: shells, other kernels, files, profiles, extensions."""

import json

MAGICS = [
    "%%bash\ntouch /tmp/left_by_magic; cat /etc/shadow; env",
    "!touch /tmp/left_by_magic\n!!id",
    "%%script --bg --proc left sleep 1000",
    "%%python\nprint(1)",
    "%load_ext utils.checks\n%reload_ext grading",
    "%run /proc/self/environ\n%run ../../honest/01_convolution/01_convolution.ipynb",
    "%load ~/.ssh/id_rsa\n%pycat /etc/passwd\n%pfile torch",
    "%%javascript\nalert(1)",
    "%%html\n<script>alert(1)</script>",
    "%reset -f\n%xdel torch",
    "%cd /\n%pushd /work\n%env PATH=/tmp\n%set_env PYTHONPATH /tmp",
    "%autoreload 2\n%aimport utils.checks",
    "%config InlineBackend.figure_formats = {'svg', 'pdf'}\n%config Application.log_level = 0",
    "%pip install left\n%conda install left\n%system id",
    "%store -r\n%logstart /tmp/left_by_magic append\n%notebook /tmp/left_by_magic.ipynb\n%save -f /tmp/left_by_magic 1-9",
    "%%capture out\n%%time\n%%prun\nprint(1)",
    "%alias_magic check cd\n%macro left 1-9\n%bookmark left /",
    "%%" + "time " * 3000 + "\n1",
    "get_ipython().run_line_magic('run', '/etc/passwd')\nget_ipython().system('touch /tmp/left_by_magic')",
    "%debug\n%pdb on\nimport pdb; pdb.set_trace()\ninput()",
]


def hand_in(path, released):
    released["cells"][2:2] = [
        {
            "cell_type": "code",
            "id": f"m{number}",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": magic,
        }
        for number, magic in enumerate(MAGICS)
    ]
    for cell in released["cells"]:
        if "def output_size" in "".join(cell["source"]):
            cell["source"] = "%%bash --out output_size\necho 3\ndef output_size():"
        elif "def conv2d(" in "".join(cell["source"]):
            cell["source"] = "!def conv2d(x): pass\nconv2d = !echo 1\n%timeit -o conv2d"
    path.write_text(json.dumps(released))
