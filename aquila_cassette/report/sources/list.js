// The list at the side: only the rows in sight are on the page, so that 500 cassettes are as light as 5.

const ROW = { folder: 32, cassette: 58, withSnippet: 80, inner: 34, innerWithSnippet: 54 };
const BEYOND = 400; // px above and below what is in sight

const list = { found: [], rows: [], tops: [], height: 0, nodes: new Map(), here: {} };

function findAgain() {
  list.found = results();
  layRows();
  const { cassettes: all } = report;
  const shown = list.found.length;
  const found = document.getElementById("found");
  const asked = wanted.query.trim() || filtering();
  const hits = list.found.reduce((sum, one) => sum + one.hits.length, 0);
  found.hidden = !all.length;
  found.textContent = asked
    ? `${count(hits, "interaction")} in ${shown} of ${count(all.length, "cassette")}`
    : `${count(all.length, "cassette")}, ${count(hits, "interaction")}`;
}

// Lay the rows out: each cassette, and beneath an open one its interactions.
function layRows() {
  const searching = terms(wanted.query).length > 0;
  list.rows = [];
  let folder = "";
  for (const { cassette, hits } of list.found) {
    if (folderOf(cassette) !== folder) {
      folder = folderOf(cassette);
      list.rows.push({ key: `folder ${cassette.place}`, folder: folder || "./", height: ROW.folder });
    }
    const several = cassette.interactions.length > 1;
    const snippets = searching && hits.length > 0;
    list.rows.push({
      key: `${cassette.place}`,
      cassette,
      number: hits[0] ?? 0,
      height: snippets && !several ? ROW.withSnippet : ROW.cassette,
      snippet: snippets && !several ? hits[0] : null,
    });
    const open = cassette === list.here.cassette || (searching && hits.length < cassette.interactions.length);
    if (!several || !(open || (searching && list.found.length < 30))) continue;
    for (const number of hits) {
      list.rows.push({
        key: `${cassette.place}/${number}`,
        cassette,
        number,
        inner: true,
        height: searching ? ROW.innerWithSnippet : ROW.inner,
        snippet: searching ? number : null,
      });
    }
  }
  let top = 0;
  list.tops = list.rows.map((row) => {
    top += row.height;
    return top - row.height;
  });
  list.height = top;
  list.nodes.clear();
  const box = document.getElementById("rows");
  box.replaceChildren(make("div", { class: "all", style: { height: `${top}px` } }));
  if (!list.rows.length && cassettes.length) box.firstChild.append(nothingFound());
  showRows();
}

function nothingFound() {
  return make(
    "div",
    { class: "nothing small" },
    make(
      "p",
      {},
      "Nothing matches",
      wanted.query.trim() && [" ", make("q", {}, wanted.query.trim())],
      ".",
    ),
    make(
      "button",
      { type: "button", class: "plain", on: { click: forgetSearch } },
      "Clear search and filters",
    ),
  );
}

function firstRowAt(y) {
  let low = 0;
  let high = list.tops.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list.tops[middle] + list.rows[middle].height <= y) low = middle + 1;
    else high = middle;
  }
  return low;
}

function showRows() {
  const box = document.getElementById("rows");
  const all = box.firstChild;
  const bottom = box.scrollTop + box.clientHeight + BEYOND;
  const wantedRows = new Set();
  for (
    let place = firstRowAt(box.scrollTop - BEYOND);
    place < list.rows.length && list.tops[place] < bottom;
    place += 1
  ) {
    const row = list.rows[place];
    wantedRows.add(row.key);
    if (!list.nodes.has(row.key)) {
      const node = rowNode(row, list.tops[place]);
      list.nodes.set(row.key, node);
      all.append(node);
    }
  }
  for (const [key, node] of list.nodes) {
    if (!wantedRows.has(key) && !node.contains(document.activeElement)) {
      node.remove();
      list.nodes.delete(key);
    }
  }
}

function rowNode(row, top) {
  const { cassette, number, inner } = row;
  const style = { top: `${top}px`, height: `${row.height}px` };
  if (row.folder) return make("h3", { class: "folder", style, dir: "auto" }, row.folder);
  const here = cassette === list.here.cassette && (inner ? number === list.here.number : true);
  return make(
    "a",
    {
      class: `row ${inner ? "inner" : ""} ${here ? "here" : ""} ${cassette.error ? "broken" : ""}`,
      href: linkTo(cassette, number),
      style,
      "aria-current": here && (inner || cassette.interactions.length < 2) ? "page" : null,
    },
    inner ? innerRow(cassette, number) : cassetteRow(cassette),
    row.snippet !== null &&
      row.snippet !== undefined &&
      make("span", { class: "snippet", dir: "auto" }, snippet(cassette, row.snippet)),
  );
}

function cassetteRow(cassette) {
  const providers = firstOf(cassette.interactions.map((one) => one.provider));
  const models = firstOf(cassette.interactions.map((one) => one.model));
  const facts = cassette.error ? ["cannot be read"] : distinct([models, providers]);
  const one = cassette.interactions.find((each) => each.spark.length);
  return [
    make("i", { class: `dot ${worst(cassette)}` }),
    make(
      "span",
      { class: "name", dir: "auto", title: cassette.name },
      cassette.name.slice(folderOf(cassette).length),
    ),
    one ? sparkNode(one.spark) : make("span"),
    make(
      "span",
      { class: "facts" },
      facts.map((fact) => make("span", { dir: "auto" }, fact)),
    ),
    make(
      "span",
      { class: "number" },
      cassette.interactions.length > 1 ? `${cassette.interactions.length}×` : "",
    ),
  ];
}

function innerRow(cassette, number) {
  const one = cassette.interactions[number];
  return [
    make("i", { class: `dot ${health(one)}` }),
    make("span", { class: "place" }, String(number + 1)),
    make("span", { class: "name", dir: "auto" }, one.title),
  ];
}

// When the pieces came, as small bars: the first moment at the left.
function sparkNode(bars) {
  const most = Math.max(...bars, 1);
  const path = bars
    .map((bar, place) =>
      bar ? `M${place * 2 + 1} 16V${(16 - 2 - (bar / most) * 13).toFixed(1)}` : "",
    )
    .join("");
  return draw(
    "svg",
    { class: "spark", viewBox: "0 0 48 17", "aria-hidden": "true" },
    draw("path", { class: "floor", d: "M0 16.5H48" }),
    draw("path", { class: "bars", d: path }),
  );
}

// Scroll the row that is open now into sight.
function showHere(here) {
  const box = document.getElementById("rows");
  const focused = box.contains(document.activeElement);
  list.here = here;
  layRows();
  const key =
    here.cassette &&
    (here.cassette.interactions.length > 1
      ? `${here.cassette.place}/${here.number}`
      : `${here.cassette.place}`);
  const place = list.rows.findIndex((row) => row.key === key);
  if (place < 0) return;
  const top = list.tops[place] - 60;
  const bottom = list.tops[place] + list.rows[place].height + 60;
  if (top < box.scrollTop) box.scrollTop = Math.max(top, 0);
  else if (bottom > box.scrollTop + box.clientHeight) box.scrollTop = bottom - box.clientHeight;
  showRows();
  // The rows are new ones: who walks through them by Tab goes on from there.
  if (focused) list.nodes.get(key).focus({ preventScroll: true });
}

// Go to the next or the last row, past those that are only headings.
function nextRow(by) {
  const targets = list.rows.filter(
    (row, place) => !row.folder && (!list.rows[place + 1]?.inner || row.inner),
  );
  const place = targets.findIndex(
    (row) =>
      row.cassette === list.here.cassette &&
      (row.cassette.interactions.length < 2 || !row.inner || row.number === list.here.number),
  );
  const next = place < 0 ? (by > 0 ? 0 : targets.length - 1) : place + by;
  const target = targets[next];
  if (target)
    go(
      linkTo(
        target.cassette,
        by < 0 && !target.inner && target.cassette !== list.here.cassette
          ? lastHit(target.cassette)
          : target.number,
      ),
    );
}

function lastHit(cassette) {
  return list.found.find((one) => one.cassette === cassette)?.hits.at(-1) ?? 0;
}

function startRows() {
  const box = document.getElementById("rows");
  box.addEventListener("scroll", showRows, { passive: true });
  new ResizeObserver(showRows).observe(box);
}
// The filters: chips with counts. Several of one kind widen a search, of several kinds narrow it.

function facetCounts(name) {
  const counts = new Map();
  for (const cassette of cassettes) {
    for (const one of cassette.interactions) {
      const value = FACETS[name].of(cassette, one);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
  }
  const unreadable = cassettes.filter((cassette) => cassette.error).length;
  if (name === "end" && unreadable) counts.set(UNREADABLE, unreadable);
  return [...counts].sort(([one, more], [other, less]) => less - more || one.localeCompare(other));
}

function chip(name, value, number) {
  const chosen = wanted.filters[name];
  const button = make(
    "button",
    { type: "button", class: "chip", "aria-pressed": String(chosen.has(value)) },
    make("span", { dir: "auto" }, value),
    make("small", {}, String(number)),
  );
  button.addEventListener("click", () => {
    if (!chosen.delete(value)) chosen.add(value);
    button.setAttribute("aria-pressed", String(chosen.has(value)));
    filtersChanged();
  });
  return button;
}

function showFacets() {
  const box = document.getElementById("facets");
  box.replaceChildren(
    ...Object.entries(FACETS).map(([name, { title }]) =>
      make(
        "div",
        { class: "facet", role: "group", "aria-label": title },
        make("h4", {}, title),
        make(
          "div",
          { class: "chips" },
          facetCounts(name).map(([value, number]) => chip(name, value, number)),
        ),
      ),
    ),
  );
}

function filtersChanged() {
  document.getElementById("filter").classList.toggle("on", filtering());
  findAgain();
}

function toggleFacets() {
  const box = document.getElementById("facets");
  box.hidden = !box.hidden;
  document.getElementById("filter").setAttribute("aria-expanded", String(!box.hidden));
  showRows();
}

// Filter the list by a part of the overview.
function only(name, value) {
  for (const chosen of Object.values(wanted.filters)) chosen.clear();
  wanted.filters[name].add(value);
  showFacets();
  if (document.getElementById("facets").hidden) toggleFacets();
  filtersChanged();
}

function forgetSearch() {
  document.getElementById("query").value = wanted.query = "";
  for (const chosen of Object.values(wanted.filters)) chosen.clear();
  showFacets();
  filtersChanged();
  highlight();
}

function startFacets() {
  const query = document.getElementById("query");
  query.addEventListener("input", () => {
    wanted.query = query.value;
    findAgain();
    highlight();
  });
  document.getElementById("filter").addEventListener("click", toggleFacets);
  showFacets();
}
// Marks the search words in the conversation, with the CSS highlight API: the page stays as it is.

// What is off a cassette, not the words of the page itself.
function isFromCassette(node) {
  return node.parentElement.closest("[dir]") ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP;
}

function highlight() {
  if (!globalThis.CSS?.highlights) return;
  CSS.highlights.delete("found");
  const words = terms(wanted.query);
  const main = document.getElementById("main");
  if (!words.length) return;
  const looked = pattern(words, "giu");
  const ranges = [];
  const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT, isFromCassette);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    for (const found of node.data.matchAll(looked)) {
      const range = new Range();
      range.setStart(node, found.index);
      range.setEnd(node, found.index + found[0].length);
      ranges.push(range);
    }
  }
  for (const range of ranges) {
    range.startContainer.parentElement.closest(".folded")?.classList.add("open");
    const details = range.startContainer.parentElement.closest(".earlier");
    if (details) details.open = true;
  }
  if (ranges.length) CSS.highlights.set("found", new Highlight(...ranges));
}
