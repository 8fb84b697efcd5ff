// Keyboard shortcuts: j and k move in a list, Enter opens, c claims, / searches, ? lists them.
const rows = () => [...document.querySelectorAll("[data-row]")];
const inField = (target) => target.closest("input, textarea, select, [contenteditable=true], dialog, .djs-container, .fjs-container");

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step))];
  next.querySelector("[data-row-link]")?.focus();
  next.scrollIntoView({ block: "nearest" });
}

function claim() {
  const row = document.activeElement?.closest("[data-row]") ?? document;
  row.querySelector("[data-claim]")?.click();
}

const ACTIONS = {
  j: () => move(1),
  k: () => move(-1),
  c: claim,
  "/": () => document.querySelector("[data-search]")?.focus(),
  "?": () => document.getElementById("shortcuts")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || inField(event.target)) return;
  const action = ACTIONS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});
