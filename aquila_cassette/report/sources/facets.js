// The filters: chips with counts. Several of one kind widen a search, of several kinds narrow it.

function facetCounts(name) {
  const counts = new Map();
  for (const tape of tapes) {
    for (const one of tape.interactions) {
      const value = FACETS[name].of(tape, one);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
  }
  const unreadable = tapes.filter((tape) => tape.error).length;
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

// Leave only what a part of the overview stands for.
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
