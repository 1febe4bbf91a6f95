// The time line: how much had come when (the curve), each piece (the ticks), and the long pauses.

const HEIGHT = 100;
const WIDTH = 1000;
const KINDS = ["other", "thought", "words", "refusal", "call", "error"];
const MOST_GAPS = 4;
const STEPS = [1, 2, 5];

// The pauses worth a mark: much longer than is usual on this tape, and visible.
function longGaps(take) {
  const { gaps } = take;
  if (gaps.length < 3 || take.even) return [];
  const usual = gaps[gaps.length >> 1].length;
  const least = Math.max(usual * 4, take.length * 0.05, 30);
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
function curves(take) {
  const total = take.weights.reduce((sum, weight) => sum + weight.added, 0) || 1;
  const x = (time) => ((time / take.length) * WIDTH).toFixed(2);
  const areas = new Map();
  let line = `M0 ${HEIGHT}`;
  let sum = 0;
  let kind = "other";
  take.weights.forEach((weight, place) => {
    sum += weight.added;
    if (weight.added) kind = weight.kind; // what adds nothing leaves the curve as it was
    const y = (HEIGHT - (sum / total) * (HEIGHT - 6)).toFixed(2);
    const from = take.times[place];
    const to = take.times[place + 1] ?? take.length;
    line += `H${x(from)}V${y}`;
    if (to > from)
      areas.set(kind, `${areas.get(kind) ?? ""}M${x(from)} ${HEIGHT}V${y}H${x(to)}V${HEIGHT}Z`);
  });
  return { areas, line: `${line}H${WIDTH}` };
}

function ticks(take) {
  const paths = new Map();
  take.weights.forEach((weight, place) => {
    const x = ((take.times[place] / take.length) * WIDTH).toFixed(2);
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

function timelineNode(take) {
  const percent = (time) => `${(time / take.length) * 100}%`;
  const span = (name, from, to, label) =>
    make(
      "div",
      {
        class: `span ${name}`,
        style: { left: percent(from), width: percent(to - from) },
        title: label,
      },
      (to - from) / take.length > 0.07 && make("span", {}, duration(to - from)),
    );
  const { areas, line } = curves(take);
  const byKind = (paths, name) =>
    KINDS.filter((kind) => paths.has(kind)).map((kind) =>
      draw("path", { class: `${name} ${kind}`, d: paths.get(kind) }),
    );
  const first = take.times[0];
  const marks = [
    !take.even &&
      first > take.length * 0.02 &&
      span("wait", 0, first, `first piece after ${duration(first)}`),
    longGaps(take).map((gap) =>
      span("gap", gap.from, gap.to, `nothing for ${duration(gap.length)}`),
    ),
  ];
  const { one } = take;
  const end = one.status >= 400 ? "failed" : one.ended;
  return make(
    "div",
    { class: `timeline ${take.even ? "even" : ""}` },
    make(
      "div",
      { class: "plot" },
      marks,
      canvas("curve", byKind(areas, "area"), draw("path", { class: "edge", d: line })),
    ),
    canvas("ticks", byKind(ticks(take), "tick")),
    make("div", { class: `stop ${end}`, title: endWords(one) }, icon(end)),
    make(
      "div",
      { class: "axis", "aria-hidden": "true" },
      take.even
        ? make("span", { class: "none" }, "no times on this tape: an even pace")
        : axis(take.length)
            .filter((time) => time / take.length < 0.95)
            .map((time) =>
              make("span", { style: { left: percent(time) } }, axisLabel(time, take.length)),
            ),
    ),
  );
}

// What there is to say of the times, as pairs of a name and a value.
function timeFacts(take) {
  const { one } = take;
  const facts = [];
  if (!take.even && take.length) {
    const first = take.firstChunk;
    if (one.headersAfter !== null) facts.push(["headers", duration(one.headersAfter)]);
    facts.push(["first piece", duration(take.times[0])]);
    if (first !== null && one.events !== null) facts.push(["first token", duration(first)]);
    if (take.count > 2) facts.push(["longest gap", duration(take.gaps[0].length)]);
  }
  const came = `${count(take.count, "piece")}, ${size(one.sizes.reduce((sum, piece) => sum + piece, 0))}`;
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
