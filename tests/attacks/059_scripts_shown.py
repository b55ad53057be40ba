"""Shows HTML, scripts, SVG, frames and widgets, and prints them."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
from IPython.display import HTML, SVG, IFrame, Javascript, display

script = "</pre></textarea></title></style><script>document.title = 'hacked'</script><img src=//evil.example onerror=alert(1)>"
display(HTML(script), Javascript("document.title = 'hacked'"), IFrame("https://evil.example", 9, 9))
display(SVG("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"))
display(
    {"text/plain": script, "text/markdown": script, "text/latex": script, "application/javascript": script}, raw=True
)
print(script, "\x1b]8;;https://evil.example\x07link\x1b]8;;\x07 \x1b[2J\x9b31m \u202e\u2066 \ud800 \x00")


# %% output_size
def output_size(*case):
    script = "<script>document.title = 'hacked'</script>"
    print(script)
    error = type(script, (Exception,), {})
    raise error(f"{script} ]]> &lt; {{{{ 7 * 7 }}}} {{% raw %}} $\\href{{javascript:alert(1)}}{{x}}$")
