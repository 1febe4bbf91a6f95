// Deep links: #name of a cassette/number of an interaction, from 1.

function linkTo(tape, number = 0) {
  return `#${tape.name.split("/").map(encodeURIComponent).join("/")}/${number + 1}`;
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

// What the address asks for: nothing, a tape and a number, or a name that is not there.
function route() {
  const hash = location.hash.slice(1);
  if (!hash) return {};
  const parts = hash.split("/").map(decoded);
  const named = (name) => tapes.find((tape) => tape.name === name);
  const number = /^[1-9]\d*$/.test(parts.at(-1)) ? Number(parts.at(-1)) : 0;
  const inside = number ? named(parts.slice(0, -1).join("/")) : undefined;
  if (inside)
    return { tape: inside, number: Math.min(number, Math.max(inside.interactions.length, 1)) - 1 };
  const whole = named(parts.join("/"));
  return whole ? { tape: whole, number: 0 } : { missing: parts.join("/") };
}

// The event of a new hash comes later; a second key must not find the page as it was.
function go(link) {
  location.hash = link;
  show();
}

function followLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
      return;
    event.preventDefault();
    if (link.matches(".skip")) document.getElementById("main").focus();
    else go(link.getAttribute("href"));
  });
}
