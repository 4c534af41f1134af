// What moves the page: controls, keys, times in the reader's zone, the button that copies a command.

let waiting = 0;
const choose = () => { apply(); writeAddress(); };
controls.text.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(choose, 120); });
for (const [name, control] of Object.entries(controls)) if (control && name !== "text") control.addEventListener("change", choose);
at("clear").addEventListener("click", () => {
  for (const control of Object.values(controls)) if (control) control.value = "";
  choose();
  controls.text.focus();
});
more.addEventListener("click", () => {
  const first = count;
  showMore();
  const target = list.children[first];
  if (target) target.firstElementChild.firstElementChild.focus();
});

const heads = () => [...list.querySelectorAll("details.case > summary")];
const step = (by) => {
  const all = heads();
  const here = all.findIndex((head) => head.parentElement.contains(document.activeElement));
  const next = here < 0 ? 0 : here + by;
  if (next >= all.length && !more.hidden) { showMore(); return step(by); }
  const target = all[Math.max(0, Math.min(all.length - 1, next))];
  if (target) { target.focus(); target.scrollIntoView({ block: "nearest" }); }
  return undefined;
};
const escape = (active) => {
  if (active === controls.text) {
    if (controls.text.value) { controls.text.value = ""; choose(); } else step(0);
    return true;
  }
  const open = active && active.closest("details.case[open]");
  if (!open) return false;
  open.open = false;
  open.firstElementChild.focus();
  return true;
};
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const active = document.activeElement;
  const typing = active && active.matches("input:not([type=checkbox]), select, textarea");
  let done = false;
  if (event.key === "Escape") done = escape(active);
  else if (typing) return;
  else if (/^Arrow(Up|Down)$/.test(event.key) && active && active.matches("details.case > summary")) { step(event.key === "ArrowDown" ? 1 : -1); done = true; }
  else if (!at("single-keys").checked) return;
  else if (event.key === "/") { controls.text.focus(); controls.text.select(); done = true; }
  else if (event.key === "j" || event.key === "k") { step(event.key === "j" ? 1 : -1); done = true; }
  if (done) event.preventDefault();
});

const copied = async (code) => {
  try { await navigator.clipboard.writeText(code.textContent); return true; } catch { /* then as it was done before */ }
  getSelection().selectAllChildren(code);
  return document.execCommand("copy");
};
for (const code of document.querySelectorAll(".next code")) {
  const button = node("button", "copy", "Copy");
  button.type = "button";
  button.addEventListener("click", async () => {
    const word = (await copied(code)) ? "Copied" : "Press Ctrl+C";
    button.textContent = at("said").textContent = word;
    setTimeout(() => { button.textContent = "Copy"; at("said").textContent = ""; }, 2500);
  });
  code.after(button);
}

const zone = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
for (const time of document.querySelectorAll("time")) {
  const when = new Date(time.dateTime);
  if (Number.isNaN(when.getTime())) continue;
  const minutes = -when.getTimezoneOffset();
  const two = (n) => String(Math.trunc(n)).padStart(2, "0");
  time.textContent = zone.format(when) + " UTC" + (minutes < 0 ? "-" : "+") + two(Math.abs(minutes) / 60) + ":" + two(Math.abs(minutes) % 60);
  time.title = time.dateTime;
}

// What need not scroll is no stop on the way through the page.
const stops = () => {
  for (const box of document.querySelectorAll(".scroll[role]")) {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
};
addEventListener("resize", stops);
for (const fold of document.querySelectorAll(".fold")) fold.addEventListener("toggle", stops);
stops();

// On paper nothing can be opened, so what is folded is printed open. Cases are printed as they stand.
let unfolded = [];
addEventListener("beforeprint", () => {
  unfolded = [...document.querySelectorAll("main details:not(.case, .keys):not([open])")];
  for (const fold of unfolded) fold.open = true;
});
addEventListener("afterprint", () => { for (const fold of unfolded) fold.open = false; unfolded = []; });

for (const hidden of document.querySelectorAll(".filters, .keys")) hidden.hidden = cases.length === 0;
// report.html#case=ID opens that case; otherwise the worst one lies open when something went wrong.
addEventListener("hashchange", readAddress);
showMore();
if (!readAddress() && found.length && data.tones[found[0].status] === "bad") list.children[0].firstElementChild.open = true;
for (const kind of ["click", "keydown"]) addEventListener(kind, () => { quiet = false; }, { capture: true, once: true });
