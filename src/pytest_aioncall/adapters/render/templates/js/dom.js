// Building blocks. Text reaches the page through textContent only: nothing here ever parses markup.
const node = (name, cls, content) => {
  const made = document.createElement(name);
  if (cls) made.className = cls;
  if (content !== undefined) made.textContent = content;
  return made;
};
const add = (parent, ...children) => {
  for (const child of children) if (child) parent.append(child);
  return parent;
};
const at = (id) => document.getElementById(id);
const counted = (n, noun) => n.toLocaleString("en") + " " + noun + (n === 1 ? "" : "s");

const SHAPES = {
  bad: "M0-7.5L7.5 0L0 7.5L-7.5 0Z",
  doubt: "M0-7L7 6H-7Z",
  good: "M-5.5 0A5.5 5.5 0 1 0 5.5 0A5.5 5.5 0 1 0-5.5 0Z",
  none: "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0-5 0Z",
};
const glyph = (tone) => {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const names = { class: "glyph mark tone-" + tone, viewBox: "-9 -9 18 18", "aria-hidden": "true" };
  for (const [name, value] of Object.entries(names)) svg.setAttribute(name, value);
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", SHAPES[tone]);
  if (tone === "none") path.setAttribute("class", "open");
  svg.append(path);
  return svg;
};
