// What one sees first: how much there is, how it ended, what needs a look, what is new.

const LATEST = 8;

function nothing(title, ...more) {
  return make(
    "div",
    { class: "nothing" },
    icon("cassette"),
    make("h2", {}, title),
    more.map((text) => make("p", {}, text)),
  );
}

function tile(value, name, note) {
  return make(
    "div",
    { class: "tile" },
    make("b", {}, value),
    make("span", {}, name),
    note && make("small", {}, note),
  );
}

// One bar cut by counts; each part filters the list.
function barNode(title, name, counts) {
  const all = counts.reduce((sum, [, number]) => sum + number, 0);
  const colours =
    name === "end"
      ? (value) => (value === REFUSED ? "refused" : value)
      : (_, place) => `hue${Math.min(place, 5)}`;
  const part = ([value, number], place) =>
    make("button", {
      type: "button",
      class: `share ${colours(value, place)}`,
      style: { "flex-grow": number },
      title: `${value}: ${number}`,
      "aria-label": `Show ${value}`,
      on: { click: () => only(name, value) },
    });
  const key = ([value, number], place) =>
    make(
      "button",
      { type: "button", class: "key", on: { click: () => only(name, value) } },
      make("i", { class: colours(value, place) }),
      make("span", { dir: "auto" }, value),
      make("small", {}, `${number}`),
    );
  return make(
    "section",
    { class: "panel" },
    make("h2", {}, title),
    make("div", { class: "bar" }, counts.map(part)),
    make("div", { class: "keys" }, counts.slice(0, 8).map(key)),
    counts.length > 8 && make("p", { class: "left" }, `and ${counts.length - 8} more`),
    all === 0 && make("p", { class: "left" }, "none yet"),
  );
}

function lineNode(cassette, number) {
  const one = cassette.interactions[number];
  if (cassette.error) {
    return make(
      "a",
      { class: "entry", href: linkTo(cassette) },
      make("i", { class: "dot failed" }),
      make("b", { dir: "auto", title: cassette.name }, nameNodes(cassette)),
      make("span", { class: "title", dir: "auto" }, cassette.error.split("\n")[0]),
      make("span"),
      make("span", { class: "badge failed" }, UNREADABLE),
    );
  }
  return make(
    "a",
    { class: "entry", href: linkTo(cassette, number) },
    make("i", { class: `dot ${health(one)}` }),
    make(
      "b",
      { dir: "auto", title: cassette.name },
      nameNodes(cassette),
      cassette.interactions.length > 1 && make("small", {}, String(number + 1)),
    ),
    make("span", { class: "title", dir: "auto" }, one.title),
    one.spark.length ? sparkNode(one.spark) : make("span"),
    health(one) === "complete"
      ? make("span", { class: "when" }, age(one.at))
      : make("span", { class: `badge ${health(one)}` }, one.outcome),
  );
}

function middle(numbers) {
  const sorted = [...numbers].sort((one, other) => one - other);
  return sorted.length ? sorted[sorted.length >> 1] : null;
}

function overviewNodes() {
  const all = cassettes.flatMap((cassette) =>
    cassette.interactions.map((one, number) => ({ cassette, one, number })),
  );
  const streams = all.filter(({ one }) => one.stream && one.last);
  const first = middle(streams.map(({ one }) => one.first));
  const length = middle(streams.map(({ one }) => one.last));
  const troubled = [
    ...cassettes.filter((cassette) => cassette.error).map((cassette) => ({ cassette, number: 0 })),
    ...all.filter(({ one }) => health(one) !== "complete"),
  ];
  const newest = all
    .filter(({ one }) => one.at !== null)
    .sort((one, other) => other.one.at - one.one.at);
  const octets = cassettes.reduce((sum, cassette) => sum + cassette.bytes, 0);
  const panel = (title, entries) =>
    entries.length > 0 &&
    make(
      "section",
      { class: "panel" },
      make(
        "h2",
        {},
        title,
        entries.length > LATEST &&
          make("small", {}, `${LATEST} of ${count(entries.length, "interaction")}`),
      ),
      make(
        "div",
        { class: "entries" },
        entries.slice(0, LATEST).map(({ cassette, number }) => lineNode(cassette, number)),
      ),
    );
  return [
    make(
      "div",
      { class: "tiles" },
      tile(String(cassettes.length), cassettes.length === 1 ? "cassette" : "cassettes", size(octets)),
      tile(
        String(all.length),
        all.length === 1 ? "interaction" : "interactions",
        `${streams.length} streamed`,
      ),
      tile(first === null ? "–" : duration(first), "to the first piece", "median"),
      tile(length === null ? "–" : duration(length), "a stream", "median"),
    ),
    make(
      "div",
      { class: "pair" },
      barNode("How they ended", "end", facetCounts("end")),
      barNode("Who answered", "provider", facetCounts("provider")),
    ),
    panel("Cut short, failed, refused or unreadable", troubled),
    panel("Latest interactions", newest),
  ];
}

function showOverview(missing) {
  const main = document.getElementById("main");
  hidePlayer();
  document.title = `${report.place} · aquila cassette`;
  const head = make(
    "header",
    { class: "top" },
    menuButton(),
    make(
      "div",
      { class: "title" },
      make("h1", { dir: "auto" }, missing === undefined ? report.place : missing),
      make(
        "p",
        { class: "facts" },
        make("span", {}, `as of ${date(report.made)}`),
        make("span", {}, report.by),
      ),
    ),
  );
  if (missing !== undefined) {
    main.replaceChildren(
      head,
      nothing(
        "There is no such cassette in this report.",
        "It may have been renamed, or recorded after this page was made.",
      ),
    );
  } else if (!cassettes.length) {
    main.replaceChildren(
      head,
      make(
        "div",
        { class: "nothing" },
        icon("cassette"),
        make("h2", {}, "No cassettes here yet"),
        make("p", {}, "A test that opens one records it:"),
        make(
          "pre",
          { class: "code" },
          "def test_reply(cassette):\n    reply = client.chat.completions.create(..., stream=True)",
        ),
        make("p", {}, "Run pytest, then make this page again."),
      ),
    );
  } else {
    main.replaceChildren(head, make("div", { class: "overview" }, overviewNodes()));
  }
  main.scrollTop = 0;
}
