"""Answers the quiz in Markdown, HTML and LaTeX that should not run on an instructor's screen."""

import json

ANSWER = """<script>document.title = 'hacked'</script> <iframe src="https://evil.example"></iframe> <style>* {display: none}</style>
[link](javascript:alert(1)) [data](data:text/html;base64,PHNjcmlwdD4=) ![picture](https://evil.example/x.png) ![p](file:///etc/passwd)
<svg/onload=alert(1)> <a href="  java\tscript:alert(1)">x</a> <math href="javascript:alert(1)">x</math> <base href="https://evil.example">
$\\href{javascript:alert(1)}{x} \\input{/etc/passwd} \\def\\a{\\a\\a}\\a$ $$\\class{x" onmouseover="alert(1)}{y}$$ {{ 7 * 7 }} {% include "/etc/passwd" %}
<meta http-equiv="refresh" content="0; url=https://evil.example"> <form action="https://evil.example"><input autofocus onfocus=alert(1)>
"""


def hand_in(path, released):
    for cell in released["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = (
                "".join(cell["source"]) + ANSWER + "[" * 20_000 + "*_" * 20_000 + "$" * 20_001 + "`" * 20_000
            )
    path.write_text(json.dumps(released))
