// Deep links: #name of a cassette/number of an interaction, from 1.

function linkTo(cassette, number = 0) {
  return `#${cassette.name.split("/").map(encodeURIComponent).join("/")}/${number + 1}`;
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

// What the address asks for: nothing, a cassette and a number, or a name that is not there.
function route() {
  const hash = location.hash.slice(1);
  if (!hash) return {};
  const parts = hash.split("/").map(decoded);
  const named = (name) => cassettes.find((cassette) => cassette.name === name);
  const number = /^[1-9]\d*$/.test(parts.at(-1)) ? Number(parts.at(-1)) : 0;
  const inside = number ? named(parts.slice(0, -1).join("/")) : undefined;
  if (inside)
    return { cassette: inside, number: Math.min(number, Math.max(inside.interactions.length, 1)) - 1 };
  const whole = named(parts.join("/"));
  return whole ? { cassette: whole, number: 0 } : { missing: parts.join("/") };
}

// The event of a new hash comes later; a second key must not find the page as it was.
function go(link) {
  location.hash = link;
  show();
}

function followLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
      return;
    event.preventDefault();
    if (link.matches(".skip")) document.getElementById("main").focus();
    else go(link.getAttribute("href"));
  });
}
// Light, dark, or as the system has it; the choice is kept where the browser lets a page keep one.

const THEMES = { auto: "As the system", light: "Light", dark: "Dark" };
const THEME_KEPT = "aquila-cassette-theme";

function keptTheme() {
  try {
    return localStorage.getItem(THEME_KEPT);
  } catch {
    return null;
  }
}

function setTheme(name) {
  const root = document.documentElement;
  root.dataset.theme = name;
  const button = document.getElementById("theme");
  button.replaceChildren(icon(name));
  button.title = `Theme: ${THEMES[name].toLowerCase()} (t)`;
  button.setAttribute("aria-label", button.title);
  try {
    localStorage.setItem(THEME_KEPT, name);
  } catch {
    // Then it lasts as long as the page.
  }
}

function nextTheme() {
  const names = Object.keys(THEMES);
  setTheme(names[(names.indexOf(document.documentElement.dataset.theme) + 1) % names.length]);
}

function startTheme() {
  const kept = keptTheme();
  setTheme(kept !== null && Object.hasOwn(THEMES, kept) ? kept : "auto");
  document.getElementById("theme").addEventListener("click", nextTheme);
}
// The keyboard.

const KEYS = [
  ["/", "search", () => document.getElementById("query").select()],
  ["f", "filters", toggleFacets],
  ["j", "next", () => nextRow(1)],
  ["k", "previous", () => nextRow(-1)],
  ["h", "overview", () => go("#")],
  [" ", "play or pause", () => playback.player?.toggle()],
  ["ArrowLeft", "a piece back", () => playback.player?.step(-1)],
  ["ArrowRight", "a piece on", () => playback.player?.step(1)],
  ["0", "to the start", () => playback.player?.seek(0)],
  ["End", "to the end", () => playback.player?.seek(Infinity)],
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
  else playback.player?.pause();
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
// In print: the whole cassette, one interaction after the other, each with its timeline.

function forPaper() {
  const { cassette, number } = route();
  const main = document.getElementById("main");
  for (const details of main.querySelectorAll("details.earlier")) details.open = true;
  if (!cassette || !cassette.interactions.length) return;
  playback.player?.pause();
  playback.player?.seek(Infinity);
  const printed = interactionsOf(cassette).map((one, place) => {
    const timing = new Timing(one);
    return make(
      "section",
      { class: "paper" },
      place !== number && interactionNode(cassette, place, wholeAnswer(one, timing)),
      timing.length > 0 && timelineNode(timing),
      timing.count > 0 && factsNode(timeFacts(timing)),
    );
  });
  const place = main.querySelector(".interaction");
  place.before(...printed.slice(0, number));
  place.after(...printed.slice(number));
}

function afterPaper() {
  for (const printed of document.querySelectorAll(".paper")) printed.remove();
}

function startPrint() {
  addEventListener("beforeprint", forPaper);
  addEventListener("afterprint", afterPaper);
}
// Everything begins here.

function toggleSide() {
  document.getElementById("app").classList.toggle("listing");
}

let shownLink = null;

function show() {
  document.getElementById("app").classList.remove("listing");
  if (shownLink === location.hash) return;
  shownLink = location.hash;
  const here = route();
  if (here.cassette) showCassette(here);
  else showOverview(here.missing);
  showHere(here);
  highlight();
}

startTheme();
startRows();
startFacets();
startKeys();
startPrint();
followLinks();
addEventListener("hashchange", show);
if (cassettes.length === 1 && !location.hash) history.replaceState(null, "", linkTo(cassettes[0]));
findAgain();
show();
