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
