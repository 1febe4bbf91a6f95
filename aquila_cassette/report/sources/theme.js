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
