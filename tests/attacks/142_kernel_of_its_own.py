"""Names a kernel, a language and a format of its own, with attachments, widgets and text of which a page could make more."""

import base64
import json

SVG = base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>").decode()


def hand_in(path, released):
    released["metadata"] = {
        "kernelspec": {"name": "../../../../tmp/left", "display_name": "<script>alert(1)</script>", "language": "bash"},
        "language_info": {
            "name": "bash",
            "codemirror_mode": {"name": "=1+1"},
            "pygments_lexer": "../../left",
            "file_extension": ".sh",
        },
        "widgets": {
            "application/vnd.jupyter.widget-state+json": {"state": {"a": {"model_module": "http://x.example/x.js"}}}
        },
        "title": "</title><script>alert(1)</script>",
        "jupytext": {"formats": "ipynb,/tmp/left//py"},
        "celltoolbar": "Create Assignment",
        "reach": {"points": 99, "seed": 1, "lesson": "../../checks/convolution", "setup": True},
        "nbgrader": {"points": 99},
        "authors": [{"name": "honest"}],
        "student": "honest",
    }
    released["nbformat_minor"] = 10**30
    for cell in released["cells"]:
        if cell["cell_type"] == "markdown":
            cell["attachments"] = {
                "a.svg": {"image/svg+xml": SVG},
                "../b.html": {"text/html": "<script>alert(1)</script>"},
            }
            cell["source"] = [
                *cell["source"],
                "\n![a](attachment:a.svg) ![b](attachment:../b.html) <!-- {{ secret }} {% raw %} -->",
            ]
        cell["metadata"]["reach"] = {"answer": "output_size", "points": 99}
        cell["metadata"]["tags"] = [
            "setup",
            "solution",
            "hide_input",
            "raises-exception",
            "parameters",
            "injected-parameters",
        ]
        cell["metadata"]["execution"] = {"iopub.execute_input": "2020-01-01T00:00:00Z"}
    path.write_text(json.dumps(released))
