// A cassette: its name, its interactions as tabs, and one of them in full.

const BELOW = 24; // px under an answer that grows

function badge(name, text, title) {
  return make("span", { class: `badge ${name}`, title, dir: "auto" }, text);
}

function tapeHead(tape) {
  const facts = [
    make("span", { class: "path", dir: "auto" }, tape.path),
    !tape.error && make("span", {}, count(tape.interactions.length, "interaction")),
    make("span", {}, size(tape.bytes)),
    tape.with && make("span", { dir: "auto" }, tape.with),
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
    make(
      "button",
      {
        class: "quiet menu",
        type: "button",
        "aria-label": "Show the list",
        on: { click: toggleSide },
      },
      icon("menu"),
    ),
    make(
      "div",
      { class: "title" },
      make("h1", { dir: "auto" }, nameNodes(tape)),
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

function tabsNode(tape, number) {
  if (tape.interactions.length < 2) return null;
  return make(
    "nav",
    { class: "tabs", "aria-label": "Interactions" },
    tape.interactions.map((one, place) =>
      make(
        "a",
        {
          href: linkTo(tape, place),
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

// The URL, its scheme pale and its path strong; secrets in it are [redacted] on the tape already.
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

function interactionNode(tape, number, answer) {
  const one = onTape(tape)[number];
  const asked = askedNode(one);
  return make(
    "article",
    { class: "interaction" },
    tape.interactions.length > 1 &&
      make("h2", { class: "ordinal" }, `Interaction ${number + 1} of ${tape.interactions.length}`),
    requestNode(one, tape.interactions[number]),
    make("div", { class: "talk" }, asked, answer.node),
    detailsNode(one),
  );
}

function wholeAnswer(one, take) {
  const answer = new Answer(one);
  answer.show(take.lengthsAfter(take.count), take.count, false);
  return answer;
}

function unreadableNode(tape) {
  const lines = tape.error.split("\n");
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

function showCassette({ tape, number }) {
  const main = document.getElementById("main");
  noDeck();
  const label = tape.interactions.length > 1 ? `${tape.name}/${number + 1}` : tape.name;
  document.title = `${label} · aquila cassette`;
  if (tape.error || !tape.interactions.length) {
    const inside = tape.error
      ? unreadableNode(tape)
      : nothing("This cassette holds no interactions.", "Its test has recorded nothing yet.");
    main.replaceChildren(tapeHead(tape), inside);
    return;
  }
  const one = onTape(tape)[number];
  const take = new Take(one);
  const answer = new Answer(one);
  main.replaceChildren(
    tapeHead(tape),
    tabsNode(tape, number) ?? "",
    interactionNode(tape, number, answer),
  );
  main.querySelector(".tab.here")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  main.scrollTop = 0;
  if (!take.count) answer.show(take.lengthsAfter(0), 0, false);
  const below = () =>
    answer.node.getBoundingClientRect().bottom - main.getBoundingClientRect().bottom;
  let played = false;
  layIn(take, (pieces, playing) => {
    // What grows is brought into sight and stays there, unless somebody scrolls away from it.
    const follow = playing && (!played || below() < 30);
    answer.show(take.lengthsAfter(pieces), pieces, playing);
    if (follow && below() > -BELOW) main.scrollTop += below() + BELOW;
    played = playing;
  });
}
