// Opens every picture book of the page that is not open: puts its controls on top, and shows the page that they say.
(() => {
  const make = (name, properties, ...inside) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...inside);
    return element;
  };

  const height = matchMedia("(pointer: coarse)").matches ? "min-height:44px" : "min-height:24px"; // a finger is wide

  const asMenu = ({ stops, start }) => make("select", { style: `font:inherit;min-width:0;${height}` },
    ...stops.map((stop, place) => new Option(stop, place, place === start, place === start)));

  const asSlider = ({ stops, start }) => {
    const slider = make("input", { type: "range", style: `width:14em;min-width:5em;${height}` });
    slider.max = stops.length - 1;
    slider.value = start;
    return slider;
  };

  const open = (figure) => {
    const { controls, at, pages, pictures } =
      JSON.parse(figure.querySelector("script[type='application/json']").textContent);
    const image = figure.querySelector("img");
    const said = figure.querySelector("[role=status]"), text = figure.querySelector(".text");
    const inputs = controls.map((control) => (control.kind === "menu" ? asMenu : asSlider)(control));
    for (const input of inputs) input.dataset.lmSuppressShortcuts = ""; // JupyterLab has the arrows go to the next cell
    const values = controls.map(({ stops }) => make("span", { ariaHidden: "true",
      style: `white-space:nowrap;min-width:${Math.max(...stops.map((stop) => stop.length))}ch` }));

    const keepHeight = () => { // a page that is less high would move what stands below the book
      figure.style.minHeight = `${figure.getBoundingClientRect().height}px`;
    };

    const turn = () => {
      const count = controls.at(-1).stops.length;
      const from = count * inputs.slice(0, -1).reduce(
        (place, input, i) => place * controls[i].stops.length + Number(input.value), 0);
      const offered = at.slice(from, from + count).filter((page) => page !== null).length;
      if (inputs.at(-1).type === "range") inputs.at(-1).max = offered - 1; // the browser moves it back if it must
      const [picture, alt, sentence, below] = pages[at[from + Number(inputs.at(-1).value)]];
      if (image) {
        image.src = `data:image/webp;base64,${pictures[picture]}`;
        image.alt = alt;
      }
      said.textContent = sentence;
      text.innerHTML = below;
      if (image) image.decode().then(keepHeight, () => {}); // another page was asked for before this one was there
      else keepHeight();
      controls.forEach(({ kind, stops }, i) => {
        if (kind === "menu") return;
        values[i].textContent = inputs[i].ariaValueText = stops[inputs[i].value];
      });
    };

    const row = "display:flex;align-items:center;gap:0 .5em;min-width:0;max-width:100%";
    const labelled = controls.map(({ name, kind }, i) => make("div", { style: row },
      make("label", { style: row }, name, inputs[i]), ...(kind === "menu" ? [] : [values[i]])));
    const choices = labelled.filter((_, i) => controls[i].stops.length > 1);
    figure.prepend(make("div", { style: "display:flex;flex-wrap:wrap;gap:.4em 1.5em;margin-bottom:.6em" }, ...choices));
    figure.addEventListener("input", turn);
    let width;
    new ResizeObserver(([{ contentRect }]) => {
      if (contentRect.width === width) return;
      width = contentRect.width;
      figure.style.minHeight = "";
      keepHeight();
    }).observe(figure);
    turn();
  };

  for (const figure of document.querySelectorAll(".picture-book:not(.open)")) {
    figure.classList.add("open");
    open(figure);
  }
})();
