// What stands under a conversation: tools, settings, counts, headers, and the pieces as they came.

const WIRE_AT_ONCE = 300;

function section(title, note, content) {
  const box = make(
    "details",
    { class: "section" },
    make("summary", {}, icon("fold"), make("span", {}, title), note && make("small", {}, note)),
  );
  // Made when it is opened: a stream may have thousands of pieces.
  const open = () => {
    if (box.children.length < 2) box.append(make("div", { class: "inside" }, content()));
  };
  box.addEventListener("toggle", open);
  box.fill = open;
  return box;
}

function headersNode(headers) {
  return make(
    "dl",
    { class: "headers" },
    headers.map(([name, value]) => [
      make("dt", { dir: "auto" }, name),
      make("dd", { dir: "auto" }, value),
    ]),
  );
}

function toolNode(signature) {
  const [, name, more] = /^([^(\s]*)([^]*)$/.exec(signature);
  return make("li", { dir: "auto" }, make("b", {}, name), more);
}

function wireNode(one) {
  const rows = make("ol", { class: "wire" });
  const more = make("button", { type: "button", class: "more" });
  const left = one.times.length - one.wire.length;
  const add = () => {
    const from = rows.children.length;
    const next = one.wire
      .slice(from, from + WIRE_AT_ONCE)
      .map((text, place) =>
        make(
          "li",
          {},
          make("span", { class: "at" }, `${one.times[from + place]} ms`),
          make("span", { class: "size" }, size(one.sizes[from + place])),
          make("pre", { dir: "auto" }, text),
        ),
      );
    rows.append(...next);
    const rest = one.wire.length - rows.children.length;
    more.hidden = rest <= 0;
    more.textContent = `Show ${count(Math.min(rest, WIRE_AT_ONCE), "more piece")} of ${rest}`;
  };
  more.addEventListener("click", add);
  add();
  return [
    rows,
    more,
    left > 0 && make("p", { class: "left" }, `${count(left, "more piece")} in the file`),
  ];
}

function detailsNode(one) {
  const sections = [
    one.tools.length &&
      section("Tools", count(one.tools.length, "tool"), () =>
        make("ul", { class: "signatures" }, one.tools.map(toolNode)),
      ),
    one.rest &&
      section("Settings", "what else was sent", () =>
        make("pre", { class: "code", dir: "auto" }, one.rest),
      ),
    one.other &&
      section("Request body", null, () => make("pre", { class: "code", dir: "auto" }, one.other)),
    (one.sent.length || one.got.length) &&
      section("Headers", `${one.sent.length} sent, ${one.got.length} received`, () => [
        one.sent.length > 0 && [make("h4", {}, "sent"), headersNode(one.sent)],
        one.got.length > 0 && [make("h4", {}, "received"), headersNode(one.got)],
      ]),
    one.wire?.length && section("Wire", count(one.times.length, "piece"), () => wireNode(one)),
  ].filter(Boolean);
  return sections.length ? make("div", { class: "sections" }, sections) : null;
}
