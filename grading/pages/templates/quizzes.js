// The page for quizzes: points and comments for answers, by mouse or by keys, each saved at once.
// Whatever comes from a student or from the server becomes text, never markup.
if (location.search.includes("token=")) history.replaceState(null, "", location.pathname); // nobody reads it off the screen
if (document.querySelector("main[data-about]")) open();

function open() {
  const about = JSON.parse(document.querySelector("main").dataset.about);
  const said = document.getElementById("said");
  const undo = document.getElementById("undo");
  const undone = []; // what `u` takes back, the latest last: [{card, answers: [{key, score, comment}]}]
  let waiting = Number(document.getElementById("waiting").textContent);
  let saving = Promise.resolve(); // one request after the other: each says which version it has seen
  let unsaved = 0;

  // --- what a comment and a score say of the rubric ---

  const points = value => `${Number(value.toFixed(2))} ${value === 1 ? "point" : "points"}`;
  const lines = comment => comment.split("\n");
  const chosen = comment => about.rubric.filter(item => lines(comment).includes(item.says));
  const sum = comment => {
    const total = chosen(comment).reduce((all, item) => all + item.points, 0);
    return Number(Math.min(Math.max(total, 0), about.most).toFixed(6));
  };
  const own = comment => lines(comment).filter(line => !about.rubric.some(item => item.says === line)).join("\n").trim();
  const comment = (items, words) => [...items.map(item => item.says), words].filter(Boolean).join("\n");

  // --- sending ---

  async function post(where, content) {
    let answer;
    try {
      answer = await fetch(location.pathname + where, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-XSRFToken": about.token },
        body: JSON.stringify(content),
      });
    } catch {
      return { problem: "The server does not answer. Nothing was saved: is the command `quizzes` still running?" };
    }
    return answer.json().catch(() => ({ problem: `The server answered ${answer.status}. Nothing was saved.` }));
  }

  function say(text) {
    said.textContent = text;
  }

  // --- one group of equal answers ---

  class Card {
    constructor(element) {
      this.element = element;
      this.answers = JSON.parse(element.dataset.answers);
      this.before = element.dataset.before ? JSON.parse(element.dataset.before) : null;
      element.append(document.getElementById("grading").content.cloneNode(true));
      [this.items, this.field, this.words, this.same, this.conflict, this.standing] = [
        ".items", ".points-field", "textarea", ".same", ".conflict", ".standing",
      ].map(name => element.querySelector(name));
      this.field.addEventListener("change", () => this.write());
      this.words.addEventListener("change", () => this.write());
      this.same.addEventListener("click", () => this.giveSame());
      element.querySelector(".none").addEventListener("click", () => this.giveNone());
      this.settle();
    }

    get waits() {
      return this.answers.some(answer => answer.waits);
    }

    settle() { // what is wanted is what the server has
      const { points, score, comment } = this.answers[0];
      this.wanted = { score, comment };
      this.points = points;
      this.show();
    }

    show() {
      const has = new Set(this.answers.map(({ points, comment }) => JSON.stringify([points, comment])));
      this.standing.textContent = has.size > 1 ? "given different points: load again"
        : this.points === null ? "waits"
        : `${this.waits ? "graded again since; had " : ""}${Number(this.points.toFixed(2))} of ${points(about.most)}`;
      this.standing.classList.toggle("waits", this.waits);
      this.field.value = this.wanted.score ?? "";
      if (document.activeElement !== this.words) this.words.value = own(this.wanted.comment);
      this.same.hidden = !this.waits || (!this.before && this.points === null);
      this.same.textContent = this.points === null && this.before ? `As equal answers: ${points(this.before.score)}` : "Keep the points";
      const now = chosen(this.wanted.comment);
      this.items.hidden = !about.rubric.length;
      about.rubric.forEach((item, place) => {
        const button = this.items.children[place] ?? this.button(place);
        button.setAttribute("aria-pressed", String(now.includes(item)));
      });
    }

    button(place) {
      const item = about.rubric[place];
      const button = document.createElement("button");
      button.type = "button";
      button.dir = "auto";
      button.textContent = `${place < 9 ? `${place + 1} · ` : ""}${item.says} (${item.points > 0 ? "+" : ""}${item.points})`;
      button.addEventListener("click", () => this.toggle(place));
      this.items.append(button);
      return button;
    }

    toggle(place) {
      const item = about.rubric[place];
      if (!item) return say(`There is no item ${place + 1} in the rubric.`);
      const now = chosen(this.wanted.comment);
      const items = now.includes(item) ? now.filter(one => one !== item) : about.rubric.filter(one => one === item || now.includes(one));
      const text = comment(items, this.words.value.trim());
      this.give({ score: items.length ? sum(text) : null, comment: text });
    }

    giveNone() {
      this.give({ score: 0, comment: this.wanted.comment });
    }

    giveSame() {
      if (this.points !== null) this.keep();
      else this.give(this.before);
    }

    keep() { // graded again since a person gave points, so it waits for that person to say that they hold
      this.give({ score: this.points, comment: this.wanted.comment });
    }

    write() {
      const score = this.field.value === "" ? null : this.field.valueAsNumber;
      if (score !== null && !(score >= 0 && score <= about.most)) {
        say(`Points for this question are from 0 to ${about.most}.`);
        this.field.value = this.wanted.score ?? "";
        return;
      }
      const text = comment(chosen(this.wanted.comment), this.words.value.trim());
      if (score !== this.wanted.score || text !== this.wanted.comment) this.give({ score, comment: text });
    }

    give(wanted) {
      this.wanted = wanted;
      this.show();
      this.save(this.answers.map(({ key }) => ({ key, ...wanted })));
    }

    // Save these, [{key, score, comment}], in their turn. What they replace can be undone.
    save(given, isUndoing = false) {
      unsaved += 1;
      saving = saving.then(async () => {
        const now = new Map(this.answers.map(answer => [answer.key, answer]));
        const sent = given.map(one => ({ ...one, version: now.get(one.key).version }));
        const answer = await post("/save", { answers: sent, undone: isUndoing });
        unsaved -= 1;
        if (answer.saved) {
          const before = given.map(({ key }) => ({ key, score: now.get(key).score, comment: now.get(key).comment }));
          if (!isUndoing) undone.push({ card: this, answers: before });
          undo.disabled = !undone.length;
          this.take(answer.saved);
          this.conflict.hidden = true;
          const { points: given_points } = this.answers[0];
          say(`${isUndoing ? "Taken back" : "Saved"}: ${given_points === null ? "no points yet" : points(given_points)}.`);
        } else if (answer.conflicts?.length) {
          this.ask(answer.conflicts, given, isUndoing);
        } else {
          this.settle();
          if (!isUndoing) this.words.value = own(given[0].comment); // what somebody wrote is not taken from them
          say(answer.problem ?? "Nothing was saved. Load the page again.");
        }
      });
    }

    take(answers) { // what the server says that these are now
      const waited = this.answers.filter(answer => answer.waits).length;
      const now = new Map(answers.map(answer => [answer.key, answer]));
      this.answers = this.answers.map(answer => now.get(answer.key) ?? answer);
      waiting += this.answers.filter(answer => answer.waits).length - waited;
      document.getElementById("waiting").textContent = waiting;
      this.settle();
    }

    // Somebody else was here: both are shown, and the person says which one stays.
    ask(theirs, mine, isUndoing) {
      const wanted = new Map(mine.map(one => [one.key, one]));
      const isAgreed = one => !one.other && !one.waits && one.score === wanted.get(one.key).score && one.comment === wanted.get(one.key).comment;
      const others = mine.filter(({ key }) => !theirs.some(one => one.key === key));
      const keepTheirs = () => {
        this.take(theirs);
        if (others.length) this.save(others, isUndoing);
        else say("Theirs is kept.");
      };
      if (theirs.every(isAgreed)) return keepTheirs();
      const line = text => {
        const paragraph = document.createElement("p");
        paragraph.textContent = text;
        return paragraph;
      };
      const choice = (text, action) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = text;
        button.addEventListener("click", () => {
          this.conflict.hidden = true;
          action();
          this.element.focus();
        });
        return button;
      };
      const given = ({ score, points: all, comment }) => {
        const value = score ?? all ?? null;
        return `${value === null ? "no points" : points(value)}${comment ? `, “${comment}”` : ""}`;
      };
      const title = document.createElement("strong");
      const tools = document.createElement("div");
      tools.className = "tools";
      if (theirs.some(one => one.other)) {
        title.textContent = "There is another answer here now.";
        this.conflict.replaceChildren(title, line("It was handed in anew, or graded again. Nothing was saved."), tools);
        tools.append(choice("Load the page again", () => location.reload()));
      } else {
        title.textContent = `Somebody else has graded ${theirs.length === 1 ? "this answer" : `${theirs.length} of these answers`} meanwhile.`;
        const { who, when } = theirs[0];
        const by = who ? ` (${who}, ${when})` : "";
        this.conflict.replaceChildren(title, line(`Theirs${by}: ${given(theirs[0])}`), line(`Yours: ${given(mine[0])}`), tools);
        tools.append(
          choice("Keep theirs", keepTheirs),
          choice("Save mine", () => {
            this.take(theirs);
            this.save(mine, isUndoing);
          }),
        );
      }
      this.conflict.hidden = false;
      tools.firstChild.focus();
      say("Not saved: somebody else was here.");
    }
  }

  const cards = [...document.querySelectorAll("article")].map(element => new Card(element));

  // --- the rubric ---

  async function change(old, wanted) {
    await saving;
    const answer = await post("/rubric", { version: about.version, old, new: wanted });
    if (answer.problem) document.getElementById("rubric-problem").textContent = answer.problem;
    else location.reload();
  }

  function itemForm(item, place) {
    const form = document.createElement("form");
    const field = (type, label, value) => {
      const input = document.createElement("input");
      input.type = type;
      input.setAttribute("aria-label", item ? `${label} of item ${place + 1}` : `${label} of a new item`);
      input.value = value;
      input.required = true;
      return input;
    };
    const button = (text, label) => {
      const made = document.createElement("button");
      made.textContent = text;
      made.setAttribute("aria-label", item ? `${text} item ${place + 1}` : label);
      return made;
    };
    const worth = field("number", "Points", item ? item.points : about.most);
    worth.step = "any";
    const says = field("text", "Sentence", item ? item.says : "");
    says.maxLength = 500;
    says.dir = "auto";
    if (!item) says.placeholder = "A new item: what a student reads";
    form.append(worth, says, button(item ? "Change" : "Add", "Add the item"));
    if (item) {
      const remove = button("Take out");
      remove.type = "button";
      remove.addEventListener("click", () => change(item, null));
      form.append(remove);
    }
    form.addEventListener("submit", event => {
      event.preventDefault();
      void change(item, { points: worth.valueAsNumber, says: says.value });
    });
    const line = document.createElement("li");
    line.append(form);
    return line;
  }

  document.querySelector(".rubric").append(...[...about.rubric, null].map(itemForm));

  // --- all answers ---

  let here = cards[0];

  function go(card) {
    if (!card) return;
    card.element.focus();
    card.element.scrollIntoView({ block: "nearest" });
  }

  function takeBack() {
    const last = undone.pop();
    undo.disabled = !undone.length;
    if (!last) return say("There is nothing to undo.");
    go(last.card);
    last.card.save(last.answers, true);
  }

  undo.addEventListener("click", takeBack);
  document.getElementById("empty")?.addEventListener("click", ({ target }) => {
    target.disabled = true;
    for (const card of cards) if ("empty" in card.element.dataset && card.waits) card.giveNone();
  });
  document.getElementById("again")?.addEventListener("click", ({ target }) => {
    target.disabled = true;
    for (const card of cards) if (card.waits && card.points !== null) card.keep();
  });
  document.addEventListener("focusin", ({ target }) => {
    const card = cards.find(({ element }) => element.contains(target));
    if (!card) return;
    here?.element.classList.remove("here");
    here = card;
    card.element.classList.add("here");
  });
  addEventListener("beforeunload", event => {
    document.activeElement?.blur(); // a comment that is being written is saved first
    if (unsaved) event.preventDefault();
  });

  // What a key does to an answer, it does to the one that has the focus: another may be out of sight.
  const onTheAnswer = act => () => {
    if (focused()) return act(here);
    go(here);
    say("Look at this answer first; then press the key again.");
  };
  const goOn = () => {
    const waiting = [...cards.slice(cards.indexOf(here) + 1), ...cards].find(card => card.waits);
    if (!waiting) return say("Nothing waits any more.");
    go(waiting);
  };
  const keys = {
    j: () => go(focused() ? cards[cards.indexOf(here) + 1] : here),
    k: () => go(focused() ? cards[cards.indexOf(here) - 1] : here),
    n: goOn,
    c: onTheAnswer(card => card.words.focus()),
    p: onTheAnswer(card => card.field.focus()),
    s: onTheAnswer(card => card.same.hidden || card.giveSame()),
    u: takeBack,
    0: onTheAnswer(card => card.giveNone()),
    "?": () => { document.getElementById("help").open = true; document.getElementById("keys").focus(); },
  };
  for (let place = 0; place < 9; place += 1) keys[place + 1] = onTheAnswer(card => card.toggle(place));

  const focused = () => here?.element.contains(document.activeElement);

  document.addEventListener("keydown", event => {
    const isWriting = event.target.matches("textarea, input:not([type=checkbox])");
    if (isWriting && event.key === "Escape" && here?.element.contains(event.target)) return here.element.focus();
    if (isWriting || event.ctrlKey || event.metaKey || event.altKey || event.repeat && /[^jkn]/.test(event.key)) return;
    if (!document.getElementById("keys").checked || !Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });
}
