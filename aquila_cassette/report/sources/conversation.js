// JSON laid out and coloured token by token, so that each number and string stays as it was written.

const TOKEN = /("(?:[^"\\]|\\[^])*"?)|(-?\d[\d.eE+-]*|[a-zA-Z]+)|([{}[\]])|([,:])|(\s+)|([^])/g;

function isJson(text) {
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

// Lays out the beginning of a JSON text as well as the whole, so that it can grow.
function codeLines(text) {
  const nodes = [];
  const open = []; // the brackets that are open
  let fresh = false; // a bracket was opened, and nothing has come since
  let key = true;
  const newline = () => nodes.push(`\n${"  ".repeat(open.length)}`);
  for (const [token, string, literal, bracket, separator, space] of text.matchAll(TOKEN)) {
    if (space) continue;
    if (bracket && "}]".includes(token)) {
      open.pop();
      if (!fresh) newline();
      fresh = false;
      nodes.push(token);
      continue;
    }
    if (fresh) newline();
    fresh = false;
    if (bracket) {
      open.push(token);
      fresh = true;
      key = token === "{";
      nodes.push(token);
    } else if (separator) {
      nodes.push(token === ":" ? ": " : token);
      if (token === ",") newline();
      key = token === "," && open.at(-1) === "{";
    } else if (string) {
      nodes.push(make("span", { class: key ? "key" : "string" }, token));
    } else {
      nodes.push(literal ? make("span", { class: "literal" }, token) : token);
    }
  }
  return nodes;
}

function code(text) {
  const shown = make("pre", { class: "code", dir: "auto" });
  shown.append(...(isJson(text) ? codeLines(text) : [text]));
  return shown;
}
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
// The answer, which can grow as it once did, and how it ended.

// One part of the answer, shown as far as it had come.
class AnswerPart {
  constructor([kind, name, text]) {
    this.text = text;
    this.json = kind === "call" && isJson(text);
    this.shown = null;
    this.words = document.createTextNode("");
    const flow = make("div", { class: "words", dir: "auto" }, this.words);
    if (kind === "call") {
      this.code = make("pre", { class: "code", dir: "auto" }, this.words);
      this.node = card("call", name || "call", this.code);
    } else if (kind === "thought") {
      this.node = make(
        "div",
        { class: "thought" },
        make("div", { class: "head" }, "thought"),
        flow,
      );
    } else if (kind === "error") {
      this.node = card("failed", "the provider's error", flow);
    } else {
      this.node = make(
        "div",
        { class: kind === "refusal" ? "refusal" : "said" },
        kind === "refusal" && make("div", { class: "head" }, "refused"),
        flow,
      );
    }
  }

  // Show the first `length` code units; null hides the part.
  show(length) {
    if (length === this.shown) return;
    const before = this.shown ?? 0;
    this.shown = length;
    this.node.hidden = length === null;
    if (length === null) return;
    const half = /[\ud800-\udbff]/.test(this.text.charAt(length - 1)) && length < this.text.length;
    const end = half ? length - 1 : length;
    if (this.json) this.code.replaceChildren(...codeLines(this.text.slice(0, end)));
    else if (before < end && this.words.data === this.text.slice(0, before))
      this.words.appendData(this.text.slice(before, end));
    else this.words.data = this.text.slice(0, end);
    if (this.code) this.code.hidden = !end || this.text === "{}";
  }
}

// How an answer ended, as a badge and in words.
function endWords(one) {
  if (one.ended === "closed") return "closed by its consumer";
  if (one.ended === "failed") return ["failed", ...(one.error ?? []).filter(Boolean)].join(": ");
  return "complete";
}

function endNode(one) {
  return make(
    "div",
    { class: `end ${one.status >= 400 ? "refused" : one.ended}` },
    make(
      "span",
      { class: "how" },
      !(one.status >= 400) && icon(one.ended),
      make("span", { dir: "auto" }, endWords(one)),
    ),
    one.finish &&
      make(
        "span",
        { class: "finish", title: "Why the model stopped, in the provider's word", dir: "auto" },
        one.finish,
      ),
    one.usage.map(([name, number]) =>
      make("span", { class: "usage" }, make("b", {}, number), ` ${name.replace(/_/g, " ")}`),
    ),
  );
}

function statusWords(one) {
  return one.reason ? `${one.status} ${one.reason}` : `HTTP ${one.status}`;
}

// The answer of an interaction; `show` sets how much of it has come.
class Answer {
  constructor(one) {
    this.one = one;
    this.parts = one.parts.map((part) => new AnswerPart(part));
    this.waiting = make("div", { class: "waiting", hidden: true }, make("i"), make("i"), make("i"));
    this.end = endNode(one);
    this.body = one.body && this.bodyNode();
    this.node = make(
      "section",
      { class: "message assistant answer", "aria-label": "answer" },
      this.headNode(),
      this.waiting,
      this.parts.map((part) => part.node),
      this.body,
      this.end,
    );
  }

  headNode() {
    const { one } = this;
    if (one.status === null) return make("h3", { class: "who" }, "no answer came");
    const bad = one.status >= 400;
    return make(
      "h3",
      { class: "who" },
      bad ? make("span", { class: "badge failed" }, statusWords(one)) : "answer",
      one.answered &&
        one.answered !== one.model &&
        make("span", { class: "model", dir: "auto" }, one.answered),
      one.wait && make("span", { class: "model", dir: "auto" }, `retry after ${one.wait}`),
    );
  }

  bodyNode() {
    const { one } = this;
    const left =
      one.bodyLinesLeft > 0 &&
      make("p", { class: "left" }, `${count(one.bodyLinesLeft, "more line")} in the file`);
    return make(
      "div",
      { class: "body" },
      folded(one.body, make("pre", { class: "code", dir: "auto" }, one.body)),
      left,
    );
  }

  // `lengths`: of each part, null where it has not begun; `pieces`: how many have come, of all.
  show(lengths, pieces, playing) {
    const all = this.one.times.length;
    const over = pieces >= all;
    this.parts.forEach((part, place) => part.show(lengths[place]));
    this.node.classList.toggle("growing", playing && !over);
    const nothing = lengths.every((length) => length === null);
    this.waiting.hidden = over || !nothing;
    this.end.hidden = !over;
    if (this.body) this.body.hidden = !over;
    const last = lengths.findLastIndex((length) => length !== null);
    this.parts.forEach((part, place) => part.node.classList.toggle("last", place === last));
  }
}
