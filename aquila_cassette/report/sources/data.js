// All cassettes: the list is read at once, the content of one when it is first needed.

const report = JSON.parse(document.getElementById("report").textContent);
const { cassettes } = report;
const opened = new Map();

cassettes.forEach((cassette, place) => {
  cassette.place = place;
  cassette.interactions ??= [];
});

function interactionsOf(cassette) {
  if (cassette.error) return [];
  if (!opened.has(cassette)) {
    opened.set(cassette, JSON.parse(document.getElementById(`cassette-${cassette.place}`).textContent));
  }
  return opened.get(cassette);
}

// How well it went: what the colour of a dot or a badge says.
function health(short) {
  if (short.ended === "failed" || short.status === null || short.status >= 400) return "failed";
  return short.ended;
}

function worst(cassette) {
  if (cassette.error) return "failed";
  const all = cassette.interactions.map(health);
  return ["failed", "closed"].find((one) => all.includes(one)) ?? "complete";
}

function latest(cassette) {
  const times = cassette.interactions.map((one) => one.at).filter((at) => at !== null);
  return times.length ? Math.max(...times) : null;
}

function folderOf(cassette) {
  return cassette.name.slice(0, cassette.name.lastIndexOf("/") + 1);
}

// The name, its folder paler.
function nameNodes(cassette) {
  const folder = folderOf(cassette);
  return [
    folder && make("span", { class: "folder" }, folder),
    make("span", { class: "base" }, cassette.name.slice(folder.length)),
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
// The search: interactions that hold every search word and pass the filters.

const UNREADABLE = "unreadable";
const REFUSED = "HTTP error";
const FACETS = {
  provider: { title: "Provider", of: (cassette, one) => one.provider },
  model: { title: "Model", of: (cassette, one) => one.model || "no model" },
  end: { title: "End", of: (cassette, one) => (one.status >= 400 ? REFUSED : one.ended) },
  status: {
    title: "Status",
    of: (cassette, one) => (one.status === null ? "no answer" : String(one.status)),
  },
};
const SPECIAL = /[\\^$.*+?()[\]{}|/]/g;

const wanted = {
  query: "",
  filters: Object.fromEntries(Object.keys(FACETS).map((name) => [name, new Set()])),
};
const texts = new Map();

// Words are searched one by one, "words in quotes" together.
function terms(query) {
  return [...query.matchAll(/"([^"]+)"?|[^\s"]+/g)].map((found) => found[1] ?? found[0]);
}

function pattern(words, flags = "iu") {
  return new RegExp(words.map((word) => word.replace(SPECIAL, "\\$&")).join("|"), flags);
}

function textOf(cassette, number) {
  if (!texts.has(cassette)) {
    texts.set(
      cassette,
      interactionsOf(cassette).map((one) =>
        [
          // The newest text comes first, so that a snippet shows it before older ones.
          ...one.parts.flatMap(([, name, text]) => [name, text]),
          ...one.turns.map((turn) => turn[2]).reverse(),
          one.error?.join(" "),
          one.other,
          one.body,
          one.rest,
          one.model,
          one.answered,
          one.speaks,
          one.method,
          one.url,
          one.by,
          one.finish,
          ...one.tools,
        ]
          .filter(Boolean)
          .join("\n"),
      ),
    );
  }
  return texts.get(cassette)[number];
}

function passes(cassette, one) {
  return Object.entries(wanted.filters).every(
    ([name, chosen]) => !chosen.size || chosen.has(FACETS[name].of(cassette, one)),
  );
}

function unreadablePasses() {
  const { end, ...others } = wanted.filters;
  return (
    Object.values(others).every((chosen) => !chosen.size) && (!end.size || end.has(UNREADABLE))
  );
}

function filtering() {
  return Object.values(wanted.filters).some((chosen) => chosen.size);
}

// The cassettes found, each with the numbers of its interactions found.
function results() {
  const words = terms(wanted.query).map((word) => pattern([word]));
  const holds = (text) => words.every((word) => word.test(text));
  const found = [];
  for (const cassette of cassettes) {
    if (cassette.error) {
      if (unreadablePasses() && holds(`${cassette.name}\n${cassette.path}\n${cassette.error}`))
        found.push({ cassette, hits: [] });
      continue;
    }
    const hits = cassette.interactions.flatMap((one, number) => {
      const fits =
        passes(cassette, one) &&
        (!words.length ||
          holds(`${cassette.name}\n${cassette.path}\n${one.provider}\n${textOf(cassette, number)}`));
      return fits ? [number] : [];
    });
    const empty = !cassette.interactions.length && !filtering() && holds(`${cassette.name}\n${cassette.path}`);
    if (hits.length || empty) found.push({ cassette, hits });
  }
  return found;
}

// The first match with a little of the text around it; null where only a name matches.
function snippet(cassette, number) {
  const words = terms(wanted.query);
  if (!words.length) return null;
  const text = textOf(cassette, number);
  const found = pattern(words).exec(text);
  if (!found) return null;
  const [before] = text.slice(0, found.index).split("\n").slice(-1);
  const [after] = text.slice(found.index + found[0].length, found.index + 120).split("\n", 1);
  return [
    make("span", {}, before.length > 24 ? `…${before.slice(-24)}` : before),
    make("mark", {}, found[0]),
    make("span", {}, after),
  ];
}
