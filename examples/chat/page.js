// The page of ChatLive: it shows the parts that the server sends, and sends back what is done here.

const byId = (id) => document.getElementById(id);
const scroller = byId("scroller"), form = byId("form"), prompt = byId("prompt");

// A tab keeps its view when it is loaded again; another tab gets another.
const view = sessionStorage.getItem("view") ?? document.body.dataset.view;
sessionStorage.setItem("view", view);
const live = `live/${view}`;

const source = new EventSource(live);
source.onopen = () => document.body.classList.remove("offline");
source.onerror = () => document.body.classList.add("offline");
source.addEventListener("update", ({ data }) => {
  const { parts, ids, pushed } = JSON.parse(data);
  const follows = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
  const focused = document.activeElement?.id;
  for (const part of document.querySelectorAll("[data-in]"))
    if (!ids.includes(part.id)) part.remove();
  for (const [id, html] of Object.entries(parts)) show(id, html);
  if (focused && document.activeElement.id !== focused) byId(focused)?.focus();
  if (focused && document.activeElement === document.body) prompt.focus();
  if (follows) scroller.scrollTop = scroller.scrollHeight;
  for (const [name, payload] of pushed) heard[name]?.(payload);
});

function show(id, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const fresh = template.content.firstElementChild, old = byId(id);
  if (old) old.replaceWith(fresh);
  else byId(fresh.dataset.in).append(fresh);
}

// What the view pushes besides what it shows.
const heard = {
  say: ({ text }) => { byId("told").textContent = text; },
  opened: () => { scroller.scrollTop = scroller.scrollHeight; prompt.focus(); },
};

// One event after the other, in the order in which they happened, once the server knows the view.
let sent = new Promise((resolve) => source.addEventListener("open", resolve, { once: true }));
function send(name, params = {}) {
  sent = sent.then(async () => {
    const body = JSON.stringify({ name, params });
    const headers = { "content-type": "application/json" };
    const answer = await fetch(live, { method: "POST", headers, body }).catch(() => null);
    if (answer?.status === 404) location.reload();  // The server has forgotten this view.
    else if (!answer?.ok && name === "send") prompt.value ||= params.prompt;
  });
}

const stop = () => byId("stop");

function submit() {
  const text = prompt.value.trim();
  if (!text || stop()) return;
  send("send", { prompt: text });
  prompt.value = "";
  prompt.focus();
  scroller.scrollTop = scroller.scrollHeight;
}

form.addEventListener("submit", (event) => { event.preventDefault(); submit(); });

prompt.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submit();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && stop() && !document.querySelector(":popover-open")) send("stop");
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-event]");
  if (!button) return;
  const { event: name, in: _, ...params } = button.dataset;
  send(name, params);
  prompt.focus();
});
