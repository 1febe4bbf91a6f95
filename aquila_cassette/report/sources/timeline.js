// One recorded stream as it is played: its times, and how much of each part had come when.

const EVEN_PACE = 40; // ms a piece, where the cassette knows no times

class Timing {
  constructor(one) {
    this.one = one;
    this.count = one.times.length;
    const timed = this.count > 0 && one.times.at(-1) > 0;
    // A hand-written cassette has no times: then the pieces come evenly, and the page says so.
    this.even = !timed && this.count > 1;
    this.times = this.even ? one.times.map((_, place) => (place + 1) * EVEN_PACE) : one.times;
    this.length = this.count ? this.times.at(-1) : 0;
    this.weights = this.weigh();
  }

  // What each piece added: code units and the kind of most of them, or bytes where nobody knows.
  weigh() {
    const weights = this.times.map((_, place) => ({
      added: 0,
      kind: "other",
      bytes: this.one.sizes[place],
      text: "",
    }));
    const before = this.one.parts.map(() => 0);
    for (const [piece, part, length] of this.one.steps) {
      const added = length - before[part];
      const [kind, , text] = this.one.parts[part];
      const weight = weights[piece];
      if (added >= weight.added) weight.kind = kind;
      weight.added += added;
      weight.text += text.slice(before[part], length);
      before[part] = length;
    }
    if (!this.one.parts.length) for (const weight of weights) weight.added = weight.bytes;
    return weights;
  }

  // How many pieces have come at `time`, in ms since the request.
  piecesAt(time) {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.times[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // How long each part is after so many pieces; null where it has not begun.
  lengthsAfter(pieces) {
    const lengths = this.one.parts.map(() => null);
    for (const [piece, part, length] of this.one.steps) {
      if (piece >= pieces) break;
      lengths[part] = length;
    }
    return lengths;
  }

  // When the first words, thoughts or calls came.
  get firstChunk() {
    const place = this.weights.findIndex((weight) => weight.text && weight.kind !== "error");
    return place < 0 ? null : this.times[place];
  }

  // The pauses between two pieces, the longest first.
  get gaps() {
    return this.times
      .slice(1)
      .map((time, place) => ({
        from: this.times[place],
        to: time,
        length: time - this.times[place],
      }))
      .sort((one, other) => other.length - one.length);
  }
}
// The timeline: how much had come when (the curve), each piece (the ticks), and the long pauses.

const HEIGHT = 100;
const WIDTH = 1000;
const KINDS = ["other", "thought", "words", "refusal", "call", "error"];
const MOST_GAPS = 4;
const STEPS = [1, 2, 5];

// The pauses worth a mark: much longer than is usual in this cassette, and visible.
function longGaps(timing) {
  const { gaps } = timing;
  if (gaps.length < 3 || timing.even) return [];
  const usual = gaps[gaps.length >> 1].length;
  const least = Math.max(usual * 4, timing.length * 0.05, 30);
  return gaps.slice(0, MOST_GAPS).filter((gap) => gap.length >= least);
}

// Times for the axis: round ones, about `wanted` of them.
function axis(length, wanted = 6) {
  if (!length) return [0];
  const raw = length / wanted;
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  const step = Math.max(magnitude * (STEPS.find((one) => one * magnitude >= raw) ?? 10), 1);
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, place) => place * step);
}

function axisLabel(time, length) {
  if (!time) return "0";
  return length < 2000 ? `${time} ms` : `${Number((time / 1000).toFixed(2))} s`;
}

// The area under the curve, a path for each kind of what came.
function curves(timing) {
  const total = timing.weights.reduce((sum, weight) => sum + weight.added, 0) || 1;
  const x = (time) => ((time / timing.length) * WIDTH).toFixed(2);
  const areas = new Map();
  let line = `M0 ${HEIGHT}`;
  let sum = 0;
  let kind = "other";
  timing.weights.forEach((weight, place) => {
    sum += weight.added;
    if (weight.added) kind = weight.kind; // what adds nothing leaves the curve as it was
    const y = (HEIGHT - (sum / total) * (HEIGHT - 6)).toFixed(2);
    const from = timing.times[place];
    const to = timing.times[place + 1] ?? timing.length;
    line += `H${x(from)}V${y}`;
    if (to > from)
      areas.set(kind, `${areas.get(kind) ?? ""}M${x(from)} ${HEIGHT}V${y}H${x(to)}V${HEIGHT}Z`);
  });
  return { areas, line: `${line}H${WIDTH}` };
}

function ticks(timing) {
  const paths = new Map();
  timing.weights.forEach((weight, place) => {
    const x = ((timing.times[place] / timing.length) * WIDTH).toFixed(2);
    paths.set(weight.kind, `${paths.get(weight.kind) ?? ""}M${x} 0V${HEIGHT}`);
  });
  return paths;
}

function canvas(name, ...paths) {
  return draw(
    "svg",
    {
      class: name,
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: "none",
      "aria-hidden": "true",
    },
    paths,
  );
}

function timelineNode(timing) {
  const percent = (time) => `${(time / timing.length) * 100}%`;
  const span = (name, from, to, label) =>
    make(
      "div",
      {
        class: `span ${name}`,
        style: { left: percent(from), width: percent(to - from) },
        title: label,
      },
      (to - from) / timing.length > 0.07 && make("span", {}, duration(to - from)),
    );
  const { areas, line } = curves(timing);
  const byKind = (paths, name) =>
    KINDS.filter((kind) => paths.has(kind)).map((kind) =>
      draw("path", { class: `${name} ${kind}`, d: paths.get(kind) }),
    );
  const first = timing.times[0];
  const marks = [
    !timing.even &&
      first > timing.length * 0.02 &&
      span("wait", 0, first, `first piece after ${duration(first)}`),
    longGaps(timing).map((gap) =>
      span("gap", gap.from, gap.to, `nothing for ${duration(gap.length)}`),
    ),
  ];
  const { one } = timing;
  const end = one.status >= 400 ? "failed" : one.ended;
  return make(
    "div",
    { class: `timeline ${timing.even ? "even" : ""}` },
    make(
      "div",
      { class: "plot" },
      marks,
      canvas("curve", byKind(areas, "area"), draw("path", { class: "edge", d: line })),
    ),
    canvas("ticks", byKind(ticks(timing), "tick")),
    make("div", { class: `stop ${end}`, title: endWords(one) }, icon(end)),
    make(
      "div",
      { class: "axis", "aria-hidden": "true" },
      timing.even
        ? make("span", { class: "none" }, "no times in this cassette: an even pace")
        : axis(timing.length)
            .filter((time) => time / timing.length < 0.95)
            .map((time) =>
              make("span", { style: { left: percent(time) } }, axisLabel(time, timing.length)),
            ),
    ),
  );
}

// What there is to say of the times, as pairs of a name and a value.
function timeFacts(timing) {
  const { one } = timing;
  const facts = [];
  if (!timing.even && timing.length) {
    const first = timing.firstChunk;
    if (one.headersAfter !== null) facts.push(["headers", duration(one.headersAfter)]);
    facts.push(["first piece", duration(timing.times[0])]);
    if (first !== null && one.events !== null) facts.push(["first token", duration(first)]);
    if (timing.count > 2) facts.push(["longest gap", duration(timing.gaps[0].length)]);
  }
  const came = `${count(timing.count, "piece")}, ${size(one.sizes.reduce((sum, piece) => sum + piece, 0))}`;
  facts.push(["came", one.events === null ? came : `${count(one.events, "event")} in ${came}`]);
  return facts;
}

function factsNode(facts) {
  return make(
    "dl",
    { class: "facts" },
    facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))),
  );
}
