// JSON laid out and coloured token by token, so that each number and string stays as it was written.

const TOKEN = /("(?:[^"\\]|\\[^])*"?)|(-?\d[\d.eE+-]*|[a-zA-Z]+)|([{}[\]])|([,:])|(\s+)|([^])/g;

function isJson(text) {
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

// Lays out the beginning of a JSON text as well as the whole, so that it can grow.
function codeLines(text) {
  const nodes = [];
  const open = []; // the brackets that are open
  let fresh = false; // a bracket was opened, and nothing has come since
  let key = true;
  const newline = () => nodes.push(`\n${"  ".repeat(open.length)}`);
  for (const [token, string, literal, bracket, separator, space] of text.matchAll(TOKEN)) {
    if (space) continue;
    if (bracket && "}]".includes(token)) {
      open.pop();
      if (!fresh) newline();
      fresh = false;
      nodes.push(token);
      continue;
    }
    if (fresh) newline();
    fresh = false;
    if (bracket) {
      open.push(token);
      fresh = true;
      key = token === "{";
      nodes.push(token);
    } else if (separator) {
      nodes.push(token === ":" ? ": " : token);
      if (token === ",") newline();
      key = token === "," && open.at(-1) === "{";
    } else if (string) {
      nodes.push(make("span", { class: key ? "key" : "string" }, token));
    } else {
      nodes.push(literal ? make("span", { class: "literal" }, token) : token);
    }
  }
  return nodes;
}

function code(text) {
  const shown = make("pre", { class: "code", dir: "auto" });
  shown.append(...(isJson(text) ? codeLines(text) : [text]));
  return shown;
}
