// A cassette: its name, its interactions as tabs, and one of them in full.

const BELOW = 24; // px under an answer that grows

function badge(name, text, title) {
  return make("span", { class: `badge ${name}`, title, dir: "auto" }, text);
}

// Shows the list on a narrow screen, where it is hidden.
function menuButton() {
  return make(
    "button",
    {
      class: "quiet menu",
      type: "button",
      "aria-label": "Show the list",
      on: { click: toggleSide },
    },
    icon("menu"),
  );
}

function cassetteHead(cassette) {
  const facts = [
    make("span", { class: "path", dir: "auto" }, cassette.path),
    !cassette.error && make("span", {}, count(cassette.interactions.length, "interaction")),
    make("span", {}, size(cassette.bytes)),
    cassette.with && make("span", { dir: "auto" }, cassette.with),
  ];
  const copy = make(
    "button",
    {
      class: "quiet",
      type: "button",
      title: "Copy the link (c)",
      "aria-label": "Copy the link",
      id: "copy",
      on: { click: copyLink },
    },
    icon("link"),
  );
  return make(
    "header",
    { class: "top" },
    menuButton(),
    make(
      "div",
      { class: "title" },
      make("h1", { dir: "auto" }, nameNodes(cassette)),
      make("p", { class: "facts" }, facts),
    ),
    copy,
  );
}

async function copyLink() {
  const button = document.getElementById("copy");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(location.href);
    button.replaceChildren(icon("complete"));
    button.title = "Copied";
  } catch {
    button.title = location.href; // no clipboard for this page: the address bar has it
  }
}

function tabsNode(cassette, number) {
  if (cassette.interactions.length < 2) return null;
  return make(
    "nav",
    { class: "tabs", "aria-label": "Interactions" },
    cassette.interactions.map((one, place) =>
      make(
        "a",
        {
          href: linkTo(cassette, place),
          class: place === number ? "tab here" : "tab",
          "aria-current": place === number ? "page" : null,
          title: one.title,
        },
        make("i", { class: `dot ${health(one)}` }),
        make("b", {}, String(place + 1)),
        make("span", { dir: "auto" }, one.title),
      ),
    ),
  );
}

// The URL, its scheme pale and its path strong; secrets in it are [redacted] in the cassette already.
function urlNode(url) {
  const found = /^(\w+:\/\/)([^/?#]*)([^?#]*)([^]*)$/.exec(url);
  if (!found) return make("span", { class: "url", dir: "auto" }, url);
  const [, scheme, host, path, query] = found;
  return make(
    "span",
    { class: "url", title: url },
    make("span", { class: "pale" }, scheme + host),
    path,
    make("span", { class: "pale" }, query),
  );
}

function requestNode(one, short) {
  const when = short.at === null ? one.recorded : `${age(short.at)}`;
  return make(
    "div",
    { class: "request" },
    make("div", { class: "line" }, badge("method", one.method), urlNode(one.url)),
    make(
      "div",
      { class: "badges" },
      one.model && badge("model", one.model, "The model"),
      one.speaks && badge("", one.speaks, "What was spoken"),
      one.status === null
        ? badge("failed", "no answer")
        : badge(one.status >= 400 ? "failed" : "complete", statusWords(one), "HTTP status"),
      one.ended !== "complete" && badge(one.ended, one.ended, endWords(one)),
      when &&
        make(
          "span",
          { class: "when", title: short.at === null ? null : date(short.at) },
          `recorded ${when}`,
        ),
      one.by &&
        make(
          "span",
          { class: "when by", title: one.by },
          "by ",
          make("code", { dir: "auto" }, one.by),
        ),
    ),
  );
}

function interactionNode(cassette, number, answer) {
  const one = interactionsOf(cassette)[number];
  const asked = askedNode(one);
  return make(
    "article",
    { class: "interaction" },
    cassette.interactions.length > 1 &&
      make("h2", { class: "ordinal" }, `Interaction ${number + 1} of ${cassette.interactions.length}`),
    requestNode(one, cassette.interactions[number]),
    make("div", { class: "talk" }, asked, answer.node),
    detailsNode(one),
  );
}

function wholeAnswer(one, timing) {
  const answer = new Answer(one);
  answer.show(timing.lengthsAfter(timing.count), timing.count, false);
  return answer;
}

function unreadableNode(cassette) {
  const lines = cassette.error.split("\n");
  return make(
    "div",
    { class: "damaged" },
    make(
      "div",
      { class: "card failed" },
      make("div", { class: "head" }, icon("failed"), "This file cannot be read"),
      make("p", { class: "what", dir: "auto" }, lines[0]),
      lines.length > 1 && make("pre", { dir: "auto" }, lines.slice(1).join("\n")),
    ),
    make("p", { class: "left" }, "The other cassettes are not touched by it."),
  );
}

function showCassette({ cassette, number }) {
  const main = document.getElementById("main");
  hidePlayer();
  const label = cassette.interactions.length > 1 ? `${cassette.name}/${number + 1}` : cassette.name;
  document.title = `${label} · aquila cassette`;
  if (cassette.error || !cassette.interactions.length) {
    const inside = cassette.error
      ? unreadableNode(cassette)
      : nothing("This cassette holds no interactions.", "Its test has recorded nothing yet.");
    main.replaceChildren(cassetteHead(cassette), inside);
    return;
  }
  const one = interactionsOf(cassette)[number];
  const timing = new Timing(one);
  const answer = new Answer(one);
  main.replaceChildren(
    cassetteHead(cassette),
    tabsNode(cassette, number) ?? "",
    interactionNode(cassette, number, answer),
  );
  main.querySelector(".tab.here")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  main.scrollTop = 0;
  if (!timing.count) answer.show(timing.lengthsAfter(0), 0, false);
  const below = () =>
    answer.node.getBoundingClientRect().bottom - main.getBoundingClientRect().bottom;
  let played = false;
  loadPlayer(timing, (pieces, playing) => {
    // What grows is brought into sight and stays there, unless somebody scrolls away from it.
    const follow = playing && (!played || below() < 30);
    answer.show(timing.lengthsAfter(pieces), pieces, playing);
    if (follow && below() > -BELOW) main.scrollTop += below() + BELOW;
    played = playing;
  });
}
// Below a conversation: tools, settings, counts, headers, and the pieces as they came.

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
