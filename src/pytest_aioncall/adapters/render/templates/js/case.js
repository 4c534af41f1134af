// One case, opened: what went in, what came out then and now, and what the scorers said of it.

const cutNote = (cut) => (cut ? node("small", "", counted(cut, "more character") + " " + (cut === 1 ? "is" : "are") + " not in this page; the run folder has them.") : null);
const block = (level, title, value) => add(node("div"), node(level, "", title), node("pre", "", value.text), cutNote(value.cut));

const side = (title, parts, mark, cut) => {
  const pre = node("pre");
  for (const [changed, content] of parts) pre.append(changed ? node(mark, "", content) : content);
  if (!parts.some((part) => part[1])) pre.replaceChildren(node("span", "soft", "(empty)"));
  return add(node("div"), node("h4", "", title), pre, cutNote(cut));
};
const answers = (group, detail) => {
  const pair = node("div", "pair");
  const text = (i) => detail.texts[i];
  const cut = (i) => (detail.cut ? detail.cut[i] : 0);
  if (group.now === undefined) add(pair, side("Answer of the baseline", [[false, text(group.was)]], "del", cut(group.was)));
  else if (group.was === undefined) add(pair, side("Answer", [[false, text(group.now)]], "ins", cut(group.now)));
  else {
    const found = difference(text(group.was), text(group.now));
    if (found.same) add(pair, side("Answer, the same as in the baseline", found.now, "ins", cut(group.now)));
    else add(pair, side("Answer of the baseline", found.was, "del", cut(group.was)), side(found.rewritten ? "Answer now, rewritten: too little is shared to mark words" : "Answer now", found.now, "ins", cut(group.now)));
  }
  if (pair.childElementCount === 1) pair.firstChild.className = "only";
  return pair;
};
const scoreTable = (scores, label) => {
  const compares = scores.some((score) => score.was !== undefined);
  const head = node("tr");
  for (const name of ["Scorer", ...(compares ? ["Was"] : []), "Now", "Why"]) {
    const cell = node("th", "", name);
    cell.scope = "col";
    head.append(cell);
  }
  const rows = node("tbody");
  for (const score of scores) {
    const name = node("th", "", score.scorer);
    name.scope = "row";
    const why = [score.label ? "label " + score.label : "", score.reason || "", score.error ? "error: " + score.error : ""];
    add(rows, add(node("tr"), name, compares ? node("td", "", score.was === undefined ? "-" : score.was) : null, add(node("td"), node("b", "tone-" + score.tone, score.word)), node("td", "soft", why.filter(Boolean).join(". "))));
  }
  return add(node("table", "scores"), node("caption", "hidden", label), add(node("thead"), head), rows);
};
const epochBox = (group, detail) => {
  const names = group.n.length > 1 ? "Epochs " + group.n.join(", ") + " (all alike)" : "Epoch " + group.n[0];
  const title = node("h3", "", names + " ");
  const took = group.took.filter(Boolean).join("; ");
  add(title, took ? node("span", "soft", took) : null, group.replayed ? node("span", "soft", " replayed from a recording of " + group.replayed) : null);
  const box = add(node("div", "epoch"), title);
  if (group.error) add(box, node("div", "error-box", group.kind + " error: " + group.error));
  if (group.was !== undefined || group.now !== undefined) add(box, answers(group, detail));
  if (group.scores.length) add(box, scoreTable(group.scores, "Scores, " + names.toLowerCase()));
  if (group.data) add(box, block("h4", "Data", group.data));
  if (group.retrieved) {
    const ids = node("ul", "ids");
    for (const id of group.retrieved) add(ids, add(node("li"), node("code", "", id)));
    add(box, node("h4", "", "Retrieved, in order"), ids);
  }
  return box;
};
const factLine = (facts) => {
  const line = node("p", "kv");
  for (const [name, value] of facts) add(line, add(node("span", "", name + " "), node("code", "", value)));
  return line;
};
const briefBody = (one) => add(
  node("div"),
  factLine([["node", data.files[one.set] + "::" + one.id]]),
  node("p", "soft", "This page has no answers of this case: it carries the worst cases in full. The samples.jsonl of the run folder has all of them."),
  one.detail ? block("h3", "Input", { text: one.detail }) : null,
);
const caseBody = (one) => {
  if (typeof one.detail === "string") return briefBody(one);
  const detail = detailOf(one);
  const box = node("div", "tone-" + data.tones[one.status]);
  if (detail.why) add(box, node("p", "why", detail.why));
  const pair = add(node("div", "pair"), detail.input && block("h3", "Input", detail.input), detail.expected && block("h3", "Expected", detail.expected));
  if (pair.childElementCount === 1) pair.firstChild.className = "only";
  return add(box, factLine(detail.facts), pair, ...detail.epochs.map((group) => epochBox(group, detail)));
};
// What scrolls has to be reachable by keyboard; what does not is no stop on the way.
const reachable = (box) => {
  for (const pre of box.querySelectorAll("pre")) if (pre.scrollHeight > pre.clientHeight + 1) pre.tabIndex = 0;
};
