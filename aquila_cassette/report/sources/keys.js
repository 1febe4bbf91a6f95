// The keyboard.

const KEYS = [
  ["/", "search", () => document.getElementById("query").select()],
  ["f", "filters", toggleFacets],
  ["j", "next", () => nextRow(1)],
  ["k", "previous", () => nextRow(-1)],
  ["h", "overview", () => go("#")],
  [" ", "play or pause", () => deck.player?.toggle()],
  ["ArrowLeft", "a piece back", () => deck.player?.step(-1)],
  ["ArrowRight", "a piece on", () => deck.player?.step(1)],
  ["0", "to the start", () => deck.player?.seek(0)],
  ["End", "to the end", () => deck.player?.seek(Infinity)],
  ["-", "slower", () => otherSpeed(-1)],
  ["+", "faster", () => otherSpeed(1)],
  ["c", "copy the link", copyLink],
  ["t", "light, dark, as the system", nextTheme],
  ["?", "these keys", () => document.getElementById("help").showModal()],
];
const KEY_NAMES = { " ": "space", ArrowLeft: "←", ArrowRight: "→", End: "end" };
const OWN_KEYS = "input, textarea, select, [contenteditable]"; // what types for itself
const PRESSED_BY_SPACE = "button, summary";

function onKey(event) {
  if (event.ctrlKey && event.key === "k") {
    event.preventDefault();
    document.getElementById("query").select();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || document.getElementById("help").open)
    return;
  const { target, key } = event;
  if (key === "Escape") {
    escape(target);
    return;
  }
  const scrubbing = target.matches(".scrub");
  if (target.matches(OWN_KEYS) && !scrubbing && target.type !== "radio") {
    if (target.id === "query" && (key === "ArrowDown" || key === "Enter")) {
      event.preventDefault();
      target.blur();
      nextRow(1);
    }
    return;
  }
  if (key === " " && target.matches(PRESSED_BY_SPACE)) return;
  if (key.startsWith("Arrow") && target.type === "radio") return;
  const found = KEYS.find(([name]) => name === key);
  if (!found) return;
  event.preventDefault();
  found[2]();
}

function escape(target) {
  if (target.id === "query" && target.value) forgetSearch();
  else if (target.id === "query") target.blur();
  else if (document.getElementById("app").classList.contains("listing")) toggleSide();
  else deck.player?.pause();
}

function startKeys() {
  document.addEventListener("keydown", onKey);
  const help = document.getElementById("help");
  help.append(
    make("h2", {}, "Keyboard"),
    make(
      "dl",
      {},
      KEYS.map(([key, what]) =>
        make(
          "div",
          {},
          make("dt", {}, make("kbd", {}, KEY_NAMES[key] ?? key)),
          make("dd", {}, what),
        ),
      ),
    ),
    make("form", { method: "dialog" }, make("button", { class: "plain" }, "Close")),
  );
  help.addEventListener("click", (event) => {
    if (event.target === help) help.close();
  });
  document.getElementById("keys").addEventListener("click", () => help.showModal());
}
