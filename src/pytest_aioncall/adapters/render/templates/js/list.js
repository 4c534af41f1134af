// The list of cases: an index of all, worst first; what a case says is parsed when it is first needed.

const data = JSON.parse(at("data").textContent);
const cases = data.cases.map(([id, set, status, slices, moves, detail], place) => ({ id, set, status, slices, moves, detail, place }));
const PAGE = 100;
const list = at("list");
const more = at("more");
const shown = at("shown");

const chunks = [];
const detailOf = (one) => {
  const nth = Math.floor(one.detail / data.chunk);
  if (!chunks[nth]) chunks[nth] = JSON.parse(at("cases-" + nth).textContent);
  return chunks[nth][one.detail % data.chunk];
};

const plain = (text) => text.normalize("NFC").toLowerCase();
const haystacks = [];
const haystack = (one) => {
  if (haystacks[one.place] === undefined) {
    const parts = [one.id, ...one.slices.map((slice) => data.slices[slice])];
    if (typeof one.detail === "string") parts.push(one.detail);
    else {
      const detail = detailOf(one);
      parts.push(detail.why, detail.input && detail.input.text, detail.expected && detail.expected.text, ...detail.facts.flat(), ...detail.texts);
      for (const group of detail.epochs) {
        parts.push(group.error, ...(group.retrieved || []));
        for (const score of group.scores) parts.push(score.label, score.reason, score.error);
      }
    }
    haystacks[one.place] = plain(parts.filter(Boolean).join("\n"));
  }
  return haystacks[one.place];
};

// What is asked for: one control each, and a name in the address: report.html#slice=shape%3Dlong&case=q-017.
const controls = { text: at("filter-text"), status: at("filter-status"), scorer: at("filter-scorer"), slice: at("filter-slice"), evalset: at("filter-set") };
const fill = (select, names, wanted) => {
  for (const i of wanted) {
    const option = node("option", "", names[i]);
    option.value = names[i];
    add(select, option);
  }
};
const everyOne = (names) => names.map((_, i) => i);
fill(controls.status, data.words, everyOne(data.words).filter((i) => cases.some((one) => one.status === i)));
fill(controls.scorer, data.scorers, everyOne(data.scorers));
fill(controls.slice, data.slices, everyOne(data.slices).sort((a, b) => data.slices[a].localeCompare(data.slices[b])));
if (controls.evalset) fill(controls.evalset, data.sets, everyOne(data.sets));

const summaryLine = (one, scorer) => {
  const tone = data.tones[one.status];
  const moves = node("span", "moves");
  const told = scorer < 0 ? one.moves : one.moves.filter((move) => move[0] === scorer);
  told.forEach(([name, was, now], i) => {
    if (i) moves.append(", ");
    moves.append(data.scorers[name] + " ");
    const moved = was && now && was !== now;
    moves.append(node("b", "", moved ? was + " \u2192 " + now : now || was));
  });
  const parts = (data.sets.length > 1 ? [data.sets[one.set]] : []).concat(one.slices.map((slice) => data.slices[slice]));
  const status = add(node("span", "status tone-" + tone), glyph(tone), node("span", "", data.words[one.status]));
  return add(node("summary"), status, node("span", "id", one.id), moves, node("span", "parts", parts.join(", ")));
};
const entries = new WeakMap(); // what is on screen, and the case it stands for
const entry = (one, scorer) => {
  const box = add(node("details", "case"), summaryLine(one, scorer));
  entries.set(box, one);
  box.addEventListener("toggle", () => {
    if (box.open && box.childElementCount === 1) { add(box, caseBody(one)); reachable(box); }
    remember(box.open ? one : null, one);
  });
  return add(node("li"), box);
};

let found = cases;
let count = 0;
let chosen = null; // the case that the address names
const scorerChosen = () => data.scorers.indexOf(controls.scorer.value);
const isFiltered = () => Object.values(controls).some((control) => control && control.value.trim());
const showMore = () => {
  const next = found.slice(count, count + PAGE);
  const scorer = scorerChosen();
  add(list, ...next.map((one) => entry(one, scorer)));
  count += next.length;
  more.hidden = count >= found.length;
  more.textContent = "Show " + Math.min(PAGE, found.length - count) + " more";
  const rest = isFiltered() ? ", filtered from " + cases.length.toLocaleString("en") : "";
  shown.textContent = found.length ? count.toLocaleString("en") + " of " + counted(found.length, "case") + rest : "No case fits the filter.";
};
const apply = () => {
  const wanted = plain(controls.text.value.trim());
  const status = data.words.indexOf(controls.status.value);
  const slice = data.slices.indexOf(controls.slice.value);
  const set = controls.evalset ? data.sets.indexOf(controls.evalset.value) : -1;
  const scorer = scorerChosen();
  found = cases.filter((one) =>
    (status < 0 || one.status === status)
    && (slice < 0 || one.slices.includes(slice))
    && (set < 0 || one.set === set)
    && (scorer < 0 || one.moves.some((move) => move[0] === scorer))
    && (!wanted || haystack(one).includes(wanted)));
  if (scorer >= 0) {
    // One scorer: the cases that fell furthest on it first, then the lowest.
    const rank = (one) => one.moves.find((move) => move[0] === scorer);
    found.sort((a, b) => (rank(a)[3] || 0) - (rank(b)[3] || 0) || (rank(a)[4] ?? -1) - (rank(b)[4] ?? -1));
  }
  at("clear").hidden = !isFiltered();
  list.replaceChildren();
  chosen = null;
  count = 0;
  showMore();
};

// The address follows what is chosen, so that it can be sent to somebody; going back leaves the page.
const writeAddress = () => {
  const parts = new URLSearchParams();
  for (const [name, control] of Object.entries(controls)) if (control && control.value.trim()) parts.set(name, control.value.trim());
  if (chosen) {
    parts.set("case", chosen.id);
    if (data.sets.length > 1) parts.set("in", data.sets[chosen.set]);
  }
  try { history.replaceState(null, "", "#" + (parts.toString() || "cases")); } catch { /* a viewer that has no addresses */ }
};
let quiet = true; // until the reader does something
const remember = (opened, one) => {
  if (opened) chosen = opened;
  else if (chosen === one) chosen = null;
  if (!quiet) writeAddress();
};
const reveal = (one) => {
  if (!found.includes(one)) { for (const control of Object.values(controls)) if (control) control.value = ""; apply(); }
  const place = found.indexOf(one);
  while (count <= place) showMore();
  const box = list.children[place].firstElementChild;
  box.open = true;
  return box;
};
const readAddress = () => {
  if (!location.hash.includes("=")) return null;
  const parts = new URLSearchParams(location.hash.slice(1));
  for (const [name, control] of Object.entries(controls)) if (control) control.value = parts.get(name) || "";
  apply();
  const set = parts.has("in") ? data.sets.indexOf(parts.get("in")) : -1;
  const one = parts.has("case") && cases.find((each) => each.id === parts.get("case") && (set < 0 || each.set === set));
  const box = one ? reveal(one) : null;
  (box ? box.firstElementChild : at("cases-title")).focus();
  (box || at("cases")).scrollIntoView();
  return true;
};
