// Which interactions are wanted: those that hold every word asked for, and pass the filters.

const UNREADABLE = "unreadable";
const REFUSED = "HTTP error";
const FACETS = {
  provider: { title: "Provider", of: (tape, one) => one.provider },
  model: { title: "Model", of: (tape, one) => one.model || "no model" },
  end: { title: "End", of: (tape, one) => (one.status >= 400 ? REFUSED : one.ended) },
  status: {
    title: "Status",
    of: (tape, one) => (one.status === null ? "no answer" : String(one.status)),
  },
};
const SPECIAL = /[\\^$.*+?()[\]{}|/]/g;

const wanted = {
  query: "",
  filters: Object.fromEntries(Object.keys(FACETS).map((name) => [name, new Set()])),
};
const texts = new Map();

// Words apart are each looked for; "words in quotes" together.
function terms(query) {
  return [...query.matchAll(/"([^"]+)"?|[^\s"]+/g)].map((found) => found[1] ?? found[0]);
}

function pattern(words, flags = "iu") {
  return new RegExp(words.map((word) => word.replace(SPECIAL, "\\$&")).join("|"), flags);
}

function textOf(tape, number) {
  if (!texts.has(tape)) {
    texts.set(
      tape,
      onTape(tape).map((one) =>
        [
          // What is new stands first, so that a snippet shows it before what was said long ago.
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
  return texts.get(tape)[number];
}

function passes(tape, one) {
  return Object.entries(wanted.filters).every(
    ([name, chosen]) => !chosen.size || chosen.has(FACETS[name].of(tape, one)),
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

// The tapes wanted, each with the numbers of its interactions that are.
function results() {
  const words = terms(wanted.query).map((word) => pattern([word]));
  const holds = (text) => words.every((word) => word.test(text));
  const found = [];
  for (const tape of tapes) {
    if (tape.error) {
      if (unreadablePasses() && holds(`${tape.name}\n${tape.path}\n${tape.error}`))
        found.push({ tape, hits: [] });
      continue;
    }
    const hits = tape.interactions.flatMap((one, number) => {
      const fits =
        passes(tape, one) &&
        (!words.length ||
          holds(`${tape.name}\n${tape.path}\n${one.provider}\n${textOf(tape, number)}`));
      return fits ? [number] : [];
    });
    const empty = !tape.interactions.length && !filtering() && holds(`${tape.name}\n${tape.path}`);
    if (hits.length || empty) found.push({ tape, hits });
  }
  return found;
}

// Where the words stand first, with a little of what is around them; null where only a name fits.
function snippet(tape, number) {
  const words = terms(wanted.query);
  if (!words.length) return null;
  const text = textOf(tape, number);
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
