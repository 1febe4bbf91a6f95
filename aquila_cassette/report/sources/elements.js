// Elements, made one by one: nothing on this page is ever parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function draw(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function icon(name) {
  return draw(
    "svg",
    { class: `icon i-${name}`, "aria-hidden": "true" },
    draw("use", { href: `#icon-${name}` }),
  );
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [type, listener] of Object.entries(value)) node.addEventListener(type, listener);
    } else if (name === "style") {
      for (const [property, to] of Object.entries(value)) node.style.setProperty(property, to);
    } else {
      node.setAttribute(name, value === true ? "" : value);
    }
  }
  node.append(
    ...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return node;
}
// Durations, sizes, counts and dates as a person reads them; the same words as on the terminal.

const NUMBER = new Intl.NumberFormat("en");
const UNITS = ["B", "kB", "MB", "GB", "TB"];
const AGES = [
  [365 * 86400e3, "year"],
  [30 * 86400e3, "month"],
  [86400e3, "day"],
  [3600e3, "hour"],
  [60e3, "min"],
];

function duration(ms) {
  if (ms < 9.95) return ms ? `${ms.toFixed(1)} ms` : "0 ms";
  if (ms < 999.5) return `${ms.toFixed(0)} ms`;
  if (ms < 59995) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function size(octets) {
  let amount = octets;
  let unit = 0;
  while (amount >= 999.5 && unit < UNITS.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  return `${unit && amount < 99.95 ? amount.toFixed(1) : amount.toFixed(0)} ${UNITS[unit]}`;
}

function count(number, name, plural = `${name}s`) {
  return `${NUMBER.format(number)} ${number === 1 ? name : plural}`;
}

function age(at) {
  if (at === null) return "";
  const gone = Date.now() - at;
  for (const [step, name] of AGES) {
    if (gone >= step)
      return `${count(Math.floor(gone / step), name, name === "min" ? name : undefined)} ago`;
  }
  return "just now";
}

function date(at) {
  return new Date(at).toISOString().slice(0, 16).replace("T", " ") + " UTC";
}
