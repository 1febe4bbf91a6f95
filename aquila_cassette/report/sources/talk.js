// What was asked, as chat.

const SPEAKERS = { model: "assistant", developer: "system", function: "tool" };
const LONG = { characters: 1600, lines: 24 };
const EARLIER = 12; // turns of a longer history than that are folded away

function speaker(role) {
  return SPEAKERS[role] ?? role;
}

function isLong(text) {
  return text.length > LONG.characters || text.split("\n").length > LONG.lines;
}

// Folds a long text away but for its beginning; all of it is on the page, for search and print.
function folded(text, content) {
  if (!isLong(text)) return content;
  const lines = text.split("\n").length;
  const box = make("div", { class: "folded" }, content);
  const more = `Show all ${lines > LONG.lines ? count(lines, "line") : count(text.length, "character")}`;
  const button = make(
    "button",
    {
      type: "button",
      class: "more",
      on: {
        click: () => {
          const open = box.classList.toggle("open");
          button.textContent = open ? "Show less" : more;
        },
      },
    },
    more,
  );
  return [box, button];
}

function words(text) {
  return make("div", { class: "words", dir: "auto" }, text);
}

function card(kind, title, ...body) {
  return make(
    "div",
    { class: `card ${kind}` },
    make("div", { class: "head" }, icon(kind), make("span", { dir: "auto" }, title)),
    body,
  );
}

// One turn of what was sent, in its own look.
function turnNode([role, kind, text]) {
  switch (kind) {
    case "thought":
      return make(
        "div",
        { class: "thought" },
        make("div", { class: "head" }, "thought"),
        folded(text, words(text)),
      );
    case "call": {
      const [, name, given] = /^(\S*)\s?([^]*)$/.exec(text);
      return card("call", name, given && given !== "{}" && folded(given, code(given)));
    }
    case "result":
      return card("result", "result", folded(text, code(text)));
    case "part":
      return make(
        "div",
        { class: "part" },
        icon("part"),
        make("span", { dir: "auto" }, text.replace(/^\[([^]*)\]$/, "$1")),
      );
    default:
      return folded(text, words(text));
  }
}

function messageNode(role, children) {
  const who = speaker(role);
  const known = ["system", "user", "assistant", "tool"].includes(who) ? who : "other";
  return make(
    "section",
    { class: `message ${known}`, "aria-label": who },
    make("h3", { class: "who", dir: "auto" }, role),
    children,
  );
}

function askedNode(one) {
  const messages = [];
  for (const turn of one.turns) {
    const who = turn[1] === "result" ? "tool" : turn[0];
    const last = messages.at(-1);
    if (last && last.who === who) last.nodes.push(turnNode(turn));
    else messages.push({ who, nodes: [turnNode(turn)] });
  }
  const nodes = messages.map(({ who, nodes: parts }) => messageNode(who, parts));
  if (nodes.length <= EARLIER) return nodes;
  const hidden = nodes.length - EARLIER + 2;
  const earlier = make(
    "details",
    { class: "earlier" },
    make("summary", {}, icon("fold"), `${hidden} earlier messages`),
    nodes.slice(0, hidden),
  );
  return [earlier, nodes.slice(hidden)];
}
