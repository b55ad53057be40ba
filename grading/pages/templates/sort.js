// A table with the class "sortable" is sorted by a click on a header. One with `data-find` gets a field above it: its rows
// are found by what is typed there. This reads text and attributes alone, and sets targets: nothing on the page becomes code or markup.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const value = (row, place) => {
    const text = row.cells[place].textContent.trim().replace(/^… /, ""); // a number that is not final is one, too
    return row.cells[place].dataset.value ?? (text && text !== "–" && text !== "…" ? text : -1);
  };
  const words = new Intl.Collator(undefined, { numeric: true }); // one for all: 20,000 rows are compared 300,000 times
  const compare = (one, other) => one - other || words.compare(one, other);

  for (const header of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const descending = header.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const place = header.cellIndex;
      const keyed = [...body.rows].map((row) => [value(row, place), row]);
      const sorted = keyed.sort(([one], [other]) => compare(one, other)).map(([, row]) => row);
      body.append(...(descending ? sorted.reverse() : sorted));
    });
  }

  const { target } = table.dataset; // said once for the links of 20,000 rows
  if (target) {
    body.addEventListener("click", (event) => {
      const link = event.target.closest("a");
      if (link) link.target = target;
    });
  }

  if (!table.dataset.find) continue;
  const find = document.createElement("input");
  find.type = "search";
  find.className = "find";
  find.placeholder = table.dataset.find;
  find.setAttribute("aria-label", table.dataset.find);
  const found = document.createElement("span");
  found.className = "found";
  found.setAttribute("role", "status");
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase(); // "lucia" finds Lucía
  find.addEventListener("input", () => {
    const wanted = plain(find.value).split(/[\s,]+/).filter(Boolean); // platforms write "last, first"
    const hasAll = (text) => wanted.every((word) => text.includes(word));
    for (const row of body.rows) row.hidden = !hasAll(plain(row.cells[0].textContent));
    const shown = [...body.rows].filter((row) => !row.hidden).length;
    found.textContent = wanted.length ? `${shown} of ${body.rows.length}` : "";
  });
  table.parentElement.before(find, found);
}
