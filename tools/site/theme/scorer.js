// Who searches wants the lesson first, and then what else has the word in its name.
var Scorer = {
  score: ([page, title, anchor, description, score]) => score + (page.startsWith("lessons/") ? 12 : 0),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
