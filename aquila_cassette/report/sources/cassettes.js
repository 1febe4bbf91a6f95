// The shelf: a list of all tapes is read at once, what is on a tape when it is first asked for.

const shelf = JSON.parse(document.getElementById("shelf").textContent);
const { tapes } = shelf;
const opened = new Map();

tapes.forEach((tape, place) => {
  tape.place = place;
  tape.interactions ??= [];
});

function onTape(tape) {
  if (tape.error) return [];
  if (!opened.has(tape)) {
    opened.set(tape, JSON.parse(document.getElementById(`tape-${tape.place}`).textContent));
  }
  return opened.get(tape);
}

// How well it went: what the colour of a dot or a badge says.
function health(short) {
  if (short.ended === "failed" || short.status === null || short.status >= 400) return "failed";
  return short.ended;
}

function worst(tape) {
  if (tape.error) return "failed";
  const all = tape.interactions.map(health);
  return ["failed", "closed"].find((one) => all.includes(one)) ?? "complete";
}

function latest(tape) {
  const times = tape.interactions.map((one) => one.at).filter((at) => at !== null);
  return times.length ? Math.max(...times) : null;
}

function folderOf(tape) {
  return tape.name.slice(0, tape.name.lastIndexOf("/") + 1);
}

// The name, its folder paler.
function nameNodes(tape) {
  const folder = folderOf(tape);
  return [
    folder && make("span", { class: "folder" }, folder),
    make("span", { class: "base" }, tape.name.slice(folder.length)),
  ];
}

function distinct(values) {
  return [...new Set(values.filter((value) => value !== "" && value !== null))];
}

function firstOf(values) {
  const [first, ...others] = distinct(values);
  if (first === undefined) return "";
  return others.length ? `${first} +${others.length}` : first;
}
