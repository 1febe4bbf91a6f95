// The list at the side: only the rows in sight are on the page, so that 500 tapes are as light as 5.

const ROW = { folder: 32, tape: 58, withSnippet: 80, inner: 34, innerWithSnippet: 54 };
const BEYOND = 400; // px above and below what is in sight

const list = { found: [], rows: [], tops: [], height: 0, nodes: new Map(), here: {} };

function findAgain() {
  list.found = results();
  layRows();
  const { tapes: all } = shelf;
  const shown = list.found.length;
  const found = document.getElementById("found");
  const asked = wanted.query.trim() || filtering();
  const hits = list.found.reduce((sum, one) => sum + one.hits.length, 0);
  found.hidden = !all.length;
  found.textContent = asked
    ? `${count(hits, "interaction")} in ${shown} of ${count(all.length, "cassette")}`
    : `${count(all.length, "cassette")}, ${count(hits, "interaction")}`;
}

// Lay the rows out: each tape, and beneath an open one its interactions.
function layRows() {
  const searching = terms(wanted.query).length > 0;
  list.rows = [];
  let folder = "";
  for (const { tape, hits } of list.found) {
    if (folderOf(tape) !== folder) {
      folder = folderOf(tape);
      list.rows.push({ key: `folder ${tape.place}`, folder: folder || "./", height: ROW.folder });
    }
    const several = tape.interactions.length > 1;
    const snippets = searching && hits.length > 0;
    list.rows.push({
      key: `${tape.place}`,
      tape,
      number: hits[0] ?? 0,
      height: snippets && !several ? ROW.withSnippet : ROW.tape,
      snippet: snippets && !several ? hits[0] : null,
    });
    const open = tape === list.here.tape || (searching && hits.length < tape.interactions.length);
    if (!several || !(open || (searching && list.found.length < 30))) continue;
    for (const number of hits) {
      list.rows.push({
        key: `${tape.place}/${number}`,
        tape,
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
  if (!list.rows.length && tapes.length) box.firstChild.append(nothingFound());
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
  const { tape, number, inner } = row;
  const style = { top: `${top}px`, height: `${row.height}px` };
  if (row.folder) return make("h3", { class: "folder", style, dir: "auto" }, row.folder);
  const here = tape === list.here.tape && (inner ? number === list.here.number : true);
  return make(
    "a",
    {
      class: `row ${inner ? "inner" : ""} ${here ? "here" : ""} ${tape.error ? "broken" : ""}`,
      href: linkTo(tape, number),
      style,
      "aria-current": here && (inner || tape.interactions.length < 2) ? "page" : null,
    },
    inner ? innerRow(tape, number) : tapeRow(tape),
    row.snippet !== null &&
      row.snippet !== undefined &&
      make("span", { class: "snippet", dir: "auto" }, snippet(tape, row.snippet)),
  );
}

function tapeRow(tape) {
  const providers = firstOf(tape.interactions.map((one) => one.provider));
  const models = firstOf(tape.interactions.map((one) => one.model));
  const facts = tape.error ? ["cannot be read"] : distinct([models, providers]);
  const one = tape.interactions.find((each) => each.spark.length);
  return [
    make("i", { class: `dot ${worst(tape)}` }),
    make(
      "span",
      { class: "name", dir: "auto", title: tape.name },
      tape.name.slice(folderOf(tape).length),
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
      tape.interactions.length > 1 ? `${tape.interactions.length}×` : "",
    ),
  ];
}

function innerRow(tape, number) {
  const one = tape.interactions[number];
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

// The row that is open now comes into sight.
function showHere(here) {
  const box = document.getElementById("rows");
  const focused = box.contains(document.activeElement);
  list.here = here;
  layRows();
  const key =
    here.tape &&
    (here.tape.interactions.length > 1
      ? `${here.tape.place}/${here.number}`
      : `${here.tape.place}`);
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

// To the next or the last row but those that only head others.
function nextRow(by) {
  const targets = list.rows.filter(
    (row, place) => !row.folder && (!list.rows[place + 1]?.inner || row.inner),
  );
  const place = targets.findIndex(
    (row) =>
      row.tape === list.here.tape &&
      (row.tape.interactions.length < 2 || !row.inner || row.number === list.here.number),
  );
  const next = place < 0 ? (by > 0 ? 0 : targets.length - 1) : place + by;
  const target = targets[next];
  if (target)
    go(
      linkTo(
        target.tape,
        by < 0 && !target.inner && target.tape !== list.here.tape
          ? lastHit(target.tape)
          : target.number,
      ),
    );
}

function lastHit(tape) {
  return list.found.find((one) => one.tape === tape)?.hits.at(-1) ?? 0;
}

function startRows() {
  const box = document.getElementById("rows");
  box.addEventListener("scroll", showRows, { passive: true });
  new ResizeObserver(showRows).observe(box);
}
