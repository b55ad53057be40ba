"""Names its cells with paths, scripts, formulas, and the names of other cells."""

import json


def hand_in(path, released):
    names = [
        "../../../gradebook.db",
        "<script>alert(1)</script>",
        "=1+1",
        "\u202e",
        "x" * 100_000,
        "",
        "check_conv2d",
        "\ud800",
    ]
    for number, cell in enumerate(released["cells"]):
        cell["id"] = names[number % len(names)]
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"]["grade_id"] = names[number % len(names)]
    path.write_text(json.dumps(released))
