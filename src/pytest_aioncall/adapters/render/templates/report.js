"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const cases = data.cases;
  const page = 200;
  const list = document.getElementById("list");
  const more = document.getElementById("more");
  const shown = document.getElementById("shown");
  const filters = document.querySelector(".filters");
  const text = document.getElementById("filter-text");
  const selects = {
    status: document.getElementById("filter-status"),
    slice: document.getElementById("filter-slice"),
    set: document.getElementById("filter-set"),
  };

  // Text reaches the page through textContent only: nothing here ever parses markup.
  const node = (name, cls, content) => {
    const made = document.createElement(name);
    if (cls) made.className = cls;
    if (content !== undefined) made.textContent = content;
    return made;
  };
  const add = (parent, ...children) => { for (const child of children) if (child) parent.append(child); return parent; };
  const shapes = { bad: "M0-7.5L7.5 0L0 7.5L-7.5 0Z", doubt: "M0-7L7 6H-7Z", good: "M-5.5 0A5.5 5.5 0 1 0 5.5 0A5.5 5.5 0 1 0-5.5 0Z", none: "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0-5 0Z" };
  const glyph = (tone) => {
    const ns = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(ns, "svg");
    for (const [k, v] of [["class", "glyph mark tone-" + tone], ["viewBox", "-9 -9 18 18"], ["aria-hidden", "true"]]) svg.setAttribute(k, v);
    const path = document.createElementNS(ns, "path");
    path.setAttribute("d", shapes[tone]);
    if (tone === "none") path.setAttribute("class", "open");
    svg.append(path);
    return svg;
  };

  const summary = (one) => {
    const line = node("summary");
    const status = add(node("span", "status tone-" + data.tones[one.status]), glyph(data.tones[one.status]));
    status.append(data.words[one.status]);
    const moves = node("span", "moves");
    one.moves.forEach(([scorer, was, now], i) => {
      if (i) moves.append(", ");
      moves.append(scorer + " ");
      moves.append(node("b", "", was && now && was !== now ? was + " \u2192 " + now : now || was));
    });
    const parts = (data.sets.length > 1 ? [one.set] : []).concat(one.slices).join(", ");
    return add(line, status, node("span", "id", one.id), moves, node("span", "parts", parts));
  };
  const cutNote = (cut) => cut ? node("small", "", cut.toLocaleString() + " more characters are not in this page; the run folder has them.") : null;
  const block = (title, value) => {
    const box = node("div");
    const pre = node("pre", "", value.text);
    pre.tabIndex = 0;
    return add(box, node("h4", "", title), pre, cutNote(value.cut));
  };
  const runs = (title, parts, mark) => {
    const box = node("div");
    const pre = node("pre");
    pre.tabIndex = 0;
    for (const [changed, content] of parts) pre.append(changed ? node(mark, "", content) : content);
    if (!parts.length) pre.append(node("span", "soft", "(empty)"));
    return add(box, node("h4", "", title), pre);
  };
  const scores = (found) => {
    const items = node("ul", "scores");
    for (const score of found) {
      const why = [score.label ? "label " + score.label : "", score.reason || "", score.error ? "error: " + score.error : ""];
      add(items, add(node("li"), node("span", "", score.scorer), node("b", "tone-" + score.tone, score.word), node("span", "soft", why.filter(Boolean).join(". "))));
    }
    return items;
  };
  const epoch = (group) => {
    const box = node("div", "epoch");
    const names = group.n.length > 1 ? "Epochs " + group.n.join(", ") + " (all alike)" : "Epoch " + group.n[0];
    const title = node("h4", "", names + " ");
    const took = group.took.filter(Boolean).join("; ");
    add(title, took ? node("span", "soft", took) : null, group.replayed ? node("span", "soft", " replayed from a recording of " + group.replayed) : null);
    add(box, title);
    if (group.error) add(box, node("div", "error-box", group.kind + " error: " + group.error));
    if (group.was || group.now) {
      const pair = node("div", "pair");
      const alike = group.same ? "Answer, the same as in the baseline" : "";
      if (alike || !group.was) add(pair, runs(alike || "Answer", group.now || [], "ins")).firstChild.className = "only";
      else if (!group.now) add(pair, runs("Answer of the baseline", group.was, "del")).firstChild.className = "only";
      else add(pair, runs("Answer of the baseline", group.was, "del"), runs(group.rewritten ? "Answer now, rewritten" : "Answer now", group.now, "ins"));
      add(box, pair, cutNote(group.cut));
    }
    if (group.scores.length) add(box, scores(group.scores));
    if (group.data) add(box, block("Data", group.data));
    if (group.retrieved) add(box, node("h4", "", "Retrieved"), node("p", "kv", group.retrieved.join(", ")));
    return box;
  };
  const body = (one) => {
    const box = node("div", "tone-" + data.tones[one.status]);
    if (one.why) add(box, node("p", "why", one.why));
    const facts = node("p", "kv");
    for (const [name, value] of one.facts) { const fact = node("span", "", name + " "); add(facts, add(fact, node("code", "", value))); }
    const pair = add(node("div", "pair"), block("Input", one.input), one.expected ? block("Expected", one.expected) : null);
    if (!one.expected) pair.firstChild.className = "only";
    return add(box, facts, pair, ...one.epochs.map(epoch));
  };
  const entry = (one) => {
    const box = node("details", "case");
    add(box, summary(one));
    box.addEventListener("toggle", () => { if (box.open && box.childElementCount === 1) add(box, body(one)); });
    return box;
  };

  const haystacks = new Map();
  const haystack = (one) => {
    if (!haystacks.has(one)) {
      const parts = [one.id, one.why, one.input.text, one.expected && one.expected.text, ...one.slices, ...one.facts.flat()];
      for (const group of one.epochs) {
        for (const side of [group.was, group.now]) if (side) parts.push(side.map((run) => run[1]).join(""));
        parts.push(group.error, ...group.scores.flatMap((score) => [score.label, score.reason, score.error]));
      }
      haystacks.set(one, parts.filter(Boolean).join("\n").toLowerCase());
    }
    return haystacks.get(one);
  };
  let found = cases;
  let count = 0;
  const showMore = () => {
    const next = found.slice(count, count + page);
    add(list, ...next.map(entry));
    count += next.length;
    more.hidden = count >= found.length;
    more.textContent = "Show " + Math.min(page, found.length - count) + " more";
    const of = found.length === cases.length ? "" : ", filtered from " + cases.length.toLocaleString();
    shown.textContent = found.length ? count.toLocaleString() + " of " + found.length.toLocaleString() + " cases" + of : "No case fits the filter.";
  };
  const apply = () => {
    const wanted = text.value.trim().toLowerCase();
    found = cases.filter((one) =>
      (!selects.status.value || one.status === selects.status.value)
      && (!selects.slice.value || one.slices.includes(selects.slice.value))
      && (!selects.set || !selects.set.value || one.set === selects.set.value)
      && (!wanted || haystack(one).includes(wanted)));
    list.replaceChildren();
    count = 0;
    showMore();
  };
  const fill = (select, values, words) => {
    for (const value of values) { const option = node("option", "", words ? words[value] : value); option.value = value; add(select, option); }
  };
  const statuses = new Set(cases.map((one) => one.status));
  fill(selects.status, Object.keys(data.words).filter((word) => statuses.has(word)), data.words);
  fill(selects.slice, [...new Set(cases.flatMap((one) => one.slices))].sort());
  if (selects.set) fill(selects.set, data.sets);
  let waiting = 0;
  text.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(apply, 120); });
  for (const select of Object.values(selects)) if (select) select.addEventListener("change", apply);
  more.addEventListener("click", () => {
    const first = count;
    showMore();
    const target = list.children[first];
    if (target) target.firstElementChild.focus();
  });

  const zone = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const time of document.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const minutes = -at.getTimezoneOffset();
    const sign = minutes < 0 ? "-" : "+";
    const two = (n) => String(Math.trunc(n)).padStart(2, "0");
    time.textContent = zone.format(at) + " UTC" + sign + two(Math.abs(minutes) / 60) + ":" + two(Math.abs(minutes) % 60);
    time.title = time.dateTime;
  }
  filters.hidden = cases.length === 0;
  showMore();

  // report.html#case=ID opens one case; otherwise the worst one lies open when something went wrong.
  const openCase = () => {
    if (!location.hash.startsWith("#case=")) return false;
    let id = location.hash.slice(6);
    try { id = decodeURIComponent(id); } catch { return false; }
    const at = found.findIndex((one) => one.id === id);
    if (at < 0) return false;
    while (count <= at) showMore();
    list.children[at].open = true;
    list.children[at].scrollIntoView();
    list.children[at].firstElementChild.focus();
    return true;
  };
  addEventListener("hashchange", openCase);
  if (!openCase() && found.length && data.tones[found[0].status] === "bad") list.children[0].open = true;
})();
