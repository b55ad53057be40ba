// What scrolls in a box of its own can be reached with the keyboard, and only that.
const BOXES = "pre, .formula, .pst-scrollable-table-container";

function reachable() {
  for (const box of document.querySelectorAll(BOXES)) {
    if (box.scrollWidth > box.clientWidth) {
      box.tabIndex = 0;
    } else {
      box.removeAttribute("tabindex");
    }
  }
}

addEventListener("load", reachable);
addEventListener("resize", reachable);
addEventListener("toggle", reachable, { capture: true }); // what was folded has had no width

// Paper is white, whatever the screen is.
const page = document.documentElement;
let onScreen = page.dataset.theme;

addEventListener("beforeprint", () => {
  onScreen = page.dataset.theme;
  page.dataset.theme = "light";
});
addEventListener("afterprint", () => { page.dataset.theme = onScreen; });
