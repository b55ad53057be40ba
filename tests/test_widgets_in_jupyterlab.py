"""The widgets as a learner meets them: in JupyterLab, with a kernel, in a browser. One test for each widget.

Every action goes through `repeat`: JupyterLab on a busy machine swallows one now and then.
"""

import re

from tests.browser import repeat


def test_layer_builder(lab):
    from playwright.sync_api import expect

    cell = "from utils.widgets.layer_builder import layer_builder\nlayer_builder([(3, 1, 0, 1)] * 3, image=28)"
    with lab.run("layer_builder", cell) as page:
        said = page.get_by_role("status").filter(has_text="One unit of the last layer sees")
        rows = page.get_by_role("row").filter(has=page.get_by_role("rowheader"))

        def shows(text, patience=None):
            expect(said).to_contain_text(text, timeout=patience)

        def last_layer(*numbers, patience=None):  # size, jump, start, side of the output, parameters
            expect(rows.last.get_by_role("cell")).to_have_text([*map(str, numbers), "2,320"], timeout=patience)

        def enter(name, layer, value, shown):
            def fill():
                page.get_by_label(name, exact=True).nth(layer).fill(str(value))
                page.keyboard.press("Enter")

            repeat(fill, shown if callable(shown) else lambda patience: shows(shown, patience))

        def layers(count, button):  # a click that came through late is not given twice
            repeat(
                lambda: rows.count() == count or button.click(),
                lambda patience: expect(rows).to_have_count(count, timeout=patience),
            )

        shows("7 × 7 pixels")
        last_layer(7, 1, 0, 22)
        before = page.get_by_alt_text("Pyramid").get_attribute("src")
        enter("stride", 0, 2, "11 × 11 pixels")
        enter("stride", 1, 2, "15 × 15 pixels")
        enter("stride", 2, 2, lambda patience: last_layer(15, 8, 0, 2, patience=patience))
        shows("15 × 15 pixels")
        assert page.get_by_alt_text("Pyramid").get_attribute("src") != before

        enter("dilation", 0, 2, "17 × 17 pixels")
        layers(2, page.get_by_role("button", name="Remove").nth(1))
        shows("9 × 9 pixels")
        layers(3, page.get_by_role("button", name="Add a layer"))
        shows("17 × 17 pixels")
        expect(rows).to_have_count(3)

        def misfit(patience):
            expect(page.get_by_text("This does not fit")).to_be_visible(timeout=patience)

        enter("kernel", 1, 11, misfit)
        enter("padding", 1, 5, "33 × 33 pixels")
        enter("stride", 1, 4, "41 × 41 pixels")
        shows("larger than the image")
        enter("image side", 0, 5, misfit)


def type_into(field, text):
    """Type over what stands there. It is emptied first: a browser reports no change where the text is the same."""
    field.fill("")
    field.fill(text)
    field.blur()


def press(slider, key):
    slider.focus()
    slider.press(key)


def test_kernel_painter(lab):
    from playwright.sync_api import expect

    with lab.run("kernel_painter", "from utils.widgets.kernel_painter import kernel_painter\nkernel_painter()") as page:
        total = page.get_by_role("status").filter(has_text="sum of the weights")
        picture = page.get_by_alt_text("The image, the kernel and the map")
        expect(total).to_have_text("sum of the weights: 0")
        before = picture.get_attribute("src")

        repeat(
            lambda: page.get_by_label("kernel:").select_option("sharpen"),
            lambda patience: expect(total).to_have_text("sum of the weights: 1", timeout=patience),
        )
        expect(page.get_by_label("W₂₂")).to_have_value("5")
        expect(picture).not_to_have_attribute("src", before)
        sharpened = picture.get_attribute("src")

        repeat(
            lambda: type_into(page.get_by_label("W₂₂"), "2.5"),
            lambda patience: expect(total).to_have_text("sum of the weights: -1.5", timeout=patience),
        )
        expect(picture).not_to_have_attribute("src", sharpened)

        drawn = picture.get_attribute("src")
        repeat(
            lambda: page.get_by_label("image:").select_option("photograph"),
            lambda patience: expect(picture).not_to_have_attribute("src", drawn or "", timeout=patience),
        )


def test_char_sampler(lab):
    from playwright.sync_api import expect

    cell = (
        "import torch\nfrom utils.models import CharLSTM\nfrom utils.widgets.char_sampler import char_sampler\n"
        "torch.manual_seed(0)\nalphabet = 'abcdefgh \\n'\n"
        "char_sampler(CharLSTM(len(alphabet), 16), alphabet, 'ab', temperature=1.0)"
    )
    with lab.run("char_sampler", cell) as page:
        said = page.locator(".char-sampler").get_by_role("status")
        picture = page.get_by_alt_text("The probabilities of the next character")
        expect(said).to_have_text(re.compile("^ab"))
        first, before = said.text_content(), picture.get_attribute("src")

        repeat(
            page.get_by_role("button", name="Draw again").click,
            lambda patience: expect(said).not_to_have_text(first, timeout=patience),
        )
        assert picture.get_attribute("src") == before  # the same prompt, the same probabilities

        repeat(
            lambda: press(page.get_by_role("slider"), "Home"),
            lambda patience: expect(picture).not_to_have_attribute("src", before, timeout=patience),
        )

        prompt = page.get_by_label("prompt:")
        repeat(
            lambda: type_into(prompt, "hag"),
            lambda patience: expect(said).to_have_text(re.compile("^hag"), timeout=patience),
        )
        repeat(
            lambda: type_into(prompt, "xyz"),
            lambda patience: expect(said).to_contain_text("has no 'x', 'y', 'z'", timeout=patience),
        )
        expect(picture).to_have_count(0)


def test_attention_viewer(lab):
    from playwright.sync_api import expect

    cell = (
        "import torch\nfrom utils.widgets.attention_viewer import attention_viewer\n"
        "weights = torch.eye(3).repeat(2, 2, 1, 1)\nweights[1, 0, 2] = torch.tensor([0.7, 0.1, 0.2])\n"
        "attention_viewer(weights, 'a b')"
    )
    with lab.run("attention_viewer", cell) as page:
        viewer = page.locator(".attention-viewer")
        said = viewer.get_by_role("status")
        picture = viewer.get_by_role("img")
        expect(said).to_have_text("Position 2, “b”, looks at “b” itself (100%).")
        before = picture.get_attribute("src")

        def says(text):
            return lambda patience: expect(said).to_contain_text(text, timeout=patience)

        repeat(viewer.get_by_role("button", name="2", exact=True).first.click, says("“a” 2 back (70%)"))
        expect(picture).not_to_have_attribute("src", before)
        repeat(viewer.get_by_role("button", name="2", exact=True).last.click, says("“b” itself (100%)"))
        repeat(lambda: press(viewer.get_by_role("slider"), "Home"), says("Position 0, “a”"))


def test_side_by_side(lab):
    from playwright.sync_api import expect

    cell = (
        "from utils.widgets.side_by_side import side_by_side\n"
        "def echo(prompt, count, temperature, seed):\n"
        "    return f' <{count} at {temperature:.1f}, seed {seed}>'\n"
        "side_by_side({'one': echo, 'two': echo}, 'to be', 'to be', count=5)"
    )
    with lab.run("side_by_side", cell) as page:
        box = page.locator(".side-by-side")
        one, said = box.get_by_label("one"), box.get_by_role("status")
        expect(one).to_contain_text("to be <5 at 0.8, seed 0>")
        expect(box.get_by_label("two")).to_contain_text("to be <5 at 0.8, seed 0>")

        def shows(place, text):
            return lambda patience: expect(place).to_contain_text(text, timeout=patience)

        def continue_from(prompt):
            type_into(box.get_by_label("prompt:"), prompt)
            box.get_by_role("button", name="Continue").click()

        repeat(lambda: press(box.get_by_role("slider"), "Home"), shows(one, "5 at 0.0"))
        repeat(lambda: continue_from("beet"), shows(one, "beet <5 at 0.0"))
        repeat(lambda: continue_from("x"), shows(said, "has no 'x'"))


def test_flow_stepper(lab):
    from playwright.sync_api import expect

    cell = "from utils.widgets.flow_stepper import flow_stepper\nflow_stepper('the cat sat'.split(), 0, 2)"
    with lab.run("flow_stepper", cell) as page:
        output = page.locator(".jp-OutputArea-output").last
        picture, slider = output.get_by_role("img"), output.get_by_role("slider")
        expect(output).to_contain_text("when does “sat” hear of “the”?")
        before = picture.get_attribute("src")

        def says(text):
            return lambda patience: expect(output).to_contain_text(text, timeout=patience)

        repeat(lambda: press(slider, "End"), says("“sat” has heard of “the”."))
        expect(picture).not_to_have_attribute("src", before)
        # Another workflow begins at its first step.
        repeat(output.get_by_role("button").last.click, says("when does “sat” hear of “the”?"))


def test_mistake_browser(lab):
    from playwright.sync_api import expect

    cell = (
        "import torch\nfrom utils.widgets.mistake_browser import mistake_browser\n"
        "wrong = torch.eye(10)[[7, 7, 3]] * 0.8 + 0.02\n"
        "mistake_browser(torch.rand(3, 1, 8, 8), torch.tensor([1, 1, 5]), wrong)"
    )
    with lab.run("mistake_browser", cell) as page:
        browser = page.locator(".mistake-browser")
        picture, slider = browser.get_by_role("img"), browser.get_by_role("slider")
        expect(browser).to_contain_text("1 of 3")
        before = picture.get_attribute("src")

        def says(text):
            return lambda patience: expect(browser).to_contain_text(text, timeout=patience)

        repeat(lambda: press(slider, "End"), says("3 of 3"))
        expect(picture).not_to_have_attribute("src", before)
        repeat(lambda: browser.get_by_label("true digit:").select_option("5"), says("1 of 1"))


def test_digit_canvas(lab):
    from playwright.sync_api import expect

    # A model that reads a 1 where there is ink in the left half, and a 2 where there is ink in the right one.
    cell = (
        "import torch\nfrom torch import nn\nfrom utils.widgets.digit_canvas import digit_canvas\n"
        "halves = nn.Sequential(nn.AdaptiveAvgPool2d((1, 2)), nn.Flatten(), nn.Linear(2, 10))\n"
        "nn.init.zeros_(halves[2].bias); nn.init.zeros_(halves[2].weight)\n"
        "halves[2].weight.data[1, 0] = halves[2].weight.data[2, 1] = 100\n"
        "digit_canvas(halves, path='20,6 20,22')"
    )
    with lab.run("digit_canvas", cell) as page:
        box = page.locator(".digit-canvas")
        said, square, field = box.get_by_role("status"), box.locator("svg"), box.get_by_label("points:")
        picture = box.get_by_alt_text("Your digit as the model sees it")

        def says(text):
            return lambda patience: expect(said).to_contain_text(text, timeout=patience)

        repeat(box.get_by_label("scale and centre it").uncheck, says("reads a 2"))
        expect(square.locator("polyline")).to_have_count(2)  # one is empty, to be copied

        def clear():
            repeat(box.get_by_role("button", name="Clear").click, says("Draw a digit."))
            expect(picture).to_have_count(0)

        def draw(column, top, bottom):
            at = square.bounding_box()
            unit = at["width"] / 28
            page.mouse.move(at["x"] + column * unit, at["y"] + top * unit)
            page.mouse.down()
            page.mouse.move(at["x"] + column * unit, at["y"] + bottom * unit, steps=5)
            page.mouse.up()

        def draw_all(*strokes):
            clear()
            square.scroll_into_view_if_needed()
            for stroke in strokes:
                draw(*stroke)

        repeat(lambda: draw_all((7, 6, 22)), says("reads a 1"))
        expect(field).to_have_value(re.compile(r"^7\.0,6\.0 .*7\.0,22\.0 $"))
        before = picture.get_attribute("src")
        repeat(lambda: draw_all((7, 6, 22), (18, 2, 26), (21, 2, 26)), says("reads a 2"))
        expect(field).to_have_value(re.compile(r"^7\.0.*; 18\.0.*; 21\.0"))
        expect(picture).not_to_have_attribute("src", before)

        repeat(lambda: type_into(field, "7,6 7,22"), says("reads a 1"))
        expect(square.locator("polyline")).to_have_count(2)  # what was typed is drawn, and nothing else
        repeat(lambda: type_into(field, "7,6 7,99"), says("“7,99” is not a point"))
