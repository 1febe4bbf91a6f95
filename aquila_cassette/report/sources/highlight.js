// The words searched for, marked where they stand; by the browser, without a change to the page.

// What is off a tape, not the words of the page itself.
function ofTape(node) {
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
  const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT, ofTape);
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
