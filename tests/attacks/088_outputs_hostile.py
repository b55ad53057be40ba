"""Hands in outputs, attachments and widgets that carry scripts, and claims that its checks were passed."""

import json

SCRIPT = "<script>document.title = 'hacked'</script><img src=x onerror=alert(1)>"


def hand_in(path, released):
    data = {"text/html": SCRIPT, "application/javascript": "alert(1)", "image/svg+xml": SCRIPT, "text/plain": "passed"}
    for cell in released["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "display_data", "data": data, "metadata": {"isolated": False}}] * 3
        cell["attachments"] = {"x.svg": {"image/svg+xml": SCRIPT}}
        if "nbgrader" in cell["metadata"]:
            cell["metadata"] |= {"trusted": True, "score": 100, "comment": SCRIPT}
    released["metadata"] |= {
        "widgets": {"application/vnd.jupyter.widget-state+json": {"state": SCRIPT}},
        "title": SCRIPT,
    }
    released["metadata"]["kernelspec"] = {"name": "../../evil", "argv": ["touch", "/tmp/LEFT-BY-AN-ATTACK"]}
    path.write_text(json.dumps(released))
