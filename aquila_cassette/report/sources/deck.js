// The deck under the conversation: a tape that turns, the time line to scrub on, speed and facts.

const SPEEDS = [0.25, 0.5, 1, 2, 4, 16];
const deck = { player: null, speed: 1 };

function reelsNode() {
  const reel = (name, x) =>
    draw(
      "g",
      { class: `reel ${name}`, transform: `translate(${x} 22)` },
      draw("circle", { class: "wound", r: 8 }),
      draw(
        "g",
        { class: "hub" },
        draw("circle", { r: 4.6 }),
        draw("path", { d: "M0-4.6V-2.2M4 2.3L1.9 1.1M-4 2.3L-1.9 1.1" }),
      ),
    );
  return draw(
    "svg",
    { class: "reels", viewBox: "0 0 72 46", "aria-hidden": "true" },
    draw("rect", { class: "shell", x: 1, y: 1, width: 70, height: 44, rx: 5 }),
    draw("rect", { class: "label", x: 6, y: 6, width: 60, height: 27, rx: 3 }),
    draw("path", { class: "stripe", d: "M6 11h60" }),
    draw("rect", { class: "window", x: 12, y: 13.5, width: 48, height: 17, rx: 8.5 }),
    reel("left", 24),
    reel("right", 48),
    draw("path", { class: "foot", d: "M17 45l3-8h32l3 8z" }),
  );
}

function setSpeed(speed) {
  deck.speed = speed;
  if (deck.player) {
    deck.player.speed = speed;
    for (const input of document.querySelectorAll("#deck input[name=speed]"))
      input.checked = Number(input.value) === speed;
  }
}

function otherSpeed(by) {
  const place = SPEEDS.indexOf(deck.speed) + by;
  setSpeed(SPEEDS[Math.min(Math.max(place, 0), SPEEDS.length - 1)]);
}

function speedNode() {
  return make(
    "fieldset",
    { class: "speeds" },
    make("legend", { class: "unseen" }, "Speed"),
    SPEEDS.map((speed) =>
      make(
        "label",
        { title: `${speed} times the recorded pace` },
        make("input", {
          type: "radio",
          name: "speed",
          value: speed,
          checked: speed === deck.speed,
          on: { change: () => setSpeed(speed) },
        }),
        make("span", {}, `${speed === 0.25 ? "¼" : speed === 0.5 ? "½" : speed}×`),
      ),
    ),
  );
}

function noDeck() {
  deck.player?.pause();
  deck.player = null;
  document.getElementById("deck").hidden = true;
}

// Lay a take in; `showing` is told how far it has come each time that changes.
function layIn(take, showing) {
  noDeck();
  const place = document.getElementById("deck");
  place.hidden = !take.count;
  if (!take.count) return;
  const player = new Player(take, changed);
  player.speed = deck.speed;
  deck.player = player;
  const reels = reelsNode();
  const [left, right] = reels.querySelectorAll(".wound");
  const button = make("button", {
    class: "play",
    type: "button",
    disabled: !take.length,
    on: { click: () => player.toggle() },
  });
  const clock = make("output", { class: "clock", hidden: !take.length });
  const line = take.length
    ? timelineNode(take)
    : make("p", { class: "timeless" }, "It came in one piece, and the tape does not say when.");
  const head = make("div", { class: "playhead" });
  const scrub = make("input", {
    class: "scrub",
    type: "range",
    min: 0,
    max: take.length,
    step: "any",
    "aria-label": "Time",
    on: { input: () => player.seek(Number(scrub.value)) },
  });
  const hint = make("div", { class: "hint", hidden: true });
  if (take.length) {
    line.querySelector(".plot").append(head);
    line.append(scrub, hint);
    scrub.addEventListener("pointermove", (event) => showHint(take, hint, scrub, event));
    scrub.addEventListener("pointerleave", () => {
      hint.hidden = true;
    });
  }
  place.replaceChildren(
    make("div", { class: "about" }, factsNode(timeFacts(take)), take.length > 0 && speedNode()),
    make(
      "div",
      { class: "machine" },
      make("div", { class: "buttons" }, reels, button),
      line,
      clock,
    ),
  );
  let pressed = null;

  function changed() {
    const done = take.length ? player.time / take.length : 1;
    const pieces = player.atEnd ? take.count : take.piecesAt(player.time);
    head.style.setProperty("left", `${done * 100}%`);
    place.style.setProperty("--done", `${done * 100}%`);
    scrub.value = player.time;
    scrub.setAttribute(
      "aria-valuetext",
      take.even
        ? `piece ${pieces} of ${take.count}`
        : `${duration(player.time)} of ${duration(take.length)}`,
    );
    clock.replaceChildren(
      ...(take.even
        ? [make("b", {}, String(pieces)), make("span", {}, `of ${count(take.count, "piece")}`)]
        : [make("b", {}, duration(player.time)), make("span", {}, `of ${duration(take.length)}`)]),
    );
    left.setAttribute("r", (11 - 5 * done).toFixed(2));
    right.setAttribute("r", (6 + 5 * done).toFixed(2));
    place.classList.toggle("playing", player.playing);
    place.classList.toggle("atEnd", player.atEnd);
    if (pressed !== player.playing) {
      pressed = player.playing;
      button.replaceChildren(icon(pressed ? "pause" : "play"));
      button.setAttribute("aria-label", pressed ? "Pause" : "Play");
      button.title = `${pressed ? "Pause" : "Play at the recorded pace"} (space)`;
    }
    showing(pieces, player.playing);
  }
  changed();
}

// What came last at the place that is pointed at.
function showHint(take, hint, scrub, event) {
  const box = scrub.getBoundingClientRect();
  const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
  const pieces = take.piecesAt(share * take.length);
  hint.hidden = false;
  hint.style.setProperty("left", `${share * 100}%`);
  hint.classList.toggle("right", share > 0.6);
  if (!pieces) {
    hint.replaceChildren(
      make("b", {}, take.even ? "" : duration(share * take.length)),
      make("span", {}, "nothing has come yet"),
    );
    return;
  }
  const { bytes, text, kind } = take.weights[pieces - 1];
  hint.replaceChildren(
    make("b", {}, take.even ? `piece ${pieces}` : duration(take.times[pieces - 1])),
    make("span", {}, `piece ${pieces} of ${take.count}, ${size(bytes)}`),
    text
      ? make("q", { class: kind, dir: "auto" }, text.length > 90 ? `${text.slice(0, 90)}…` : text)
      : "",
  );
}
