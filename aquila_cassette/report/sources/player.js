// The player: a clock that runs at some speed from the start of a stream to its end.

class Player {
  constructor(timing, changed) {
    this.timing = timing;
    this.changed = changed;
    this.time = timing.length;
    this.speed = 1;
    this.playing = false;
    this.frame = 0;
  }

  get atEnd() {
    return this.time >= this.timing.length;
  }

  play() {
    if (this.playing || !this.timing.length) return;
    if (this.atEnd) this.time = 0;
    this.playing = true;
    this.last = performance.now();
    this.frame = requestAnimationFrame(() => this.tick());
    this.changed();
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    cancelAnimationFrame(this.frame);
    this.changed();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  seek(time) {
    this.time = Math.min(Math.max(time, 0), this.timing.length);
    this.last = performance.now();
    if (this.playing && this.atEnd) this.pause();
    else this.changed();
  }

  // To where the next piece comes, or the one before.
  step(by) {
    const { times } = this.timing;
    const place =
      by > 0 ? this.timing.piecesAt(this.time) : times.findLastIndex((time) => time < this.time);
    this.pause();
    this.seek(place < 0 ? 0 : (times[place] ?? this.timing.length));
  }

  tick() {
    const now = performance.now();
    this.time = Math.min(this.time + (now - this.last) * this.speed, this.timing.length);
    this.last = now;
    if (this.atEnd) {
      this.pause();
      return;
    }
    this.changed();
    this.frame = requestAnimationFrame(() => this.tick());
  }
}
// The controls below the conversation: a cassette that turns, the timeline, speed and facts.

const SPEEDS = [0.25, 0.5, 1, 2, 4, 16];
const playback = { player: null, speed: 1 };

function wheelsNode() {
  const wheel = (name, x) =>
    draw(
      "g",
      { class: `wheel ${name}`, transform: `translate(${x} 22)` },
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
    { class: "wheels", viewBox: "0 0 72 46", "aria-hidden": "true" },
    draw("rect", { class: "shell", x: 1, y: 1, width: 70, height: 44, rx: 5 }),
    draw("rect", { class: "label", x: 6, y: 6, width: 60, height: 27, rx: 3 }),
    draw("path", { class: "stripe", d: "M6 11h60" }),
    draw("rect", { class: "window", x: 12, y: 13.5, width: 48, height: 17, rx: 8.5 }),
    wheel("left", 24),
    wheel("right", 48),
    draw("path", { class: "foot", d: "M17 45l3-8h32l3 8z" }),
  );
}

function setSpeed(speed) {
  playback.speed = speed;
  if (playback.player) {
    playback.player.speed = speed;
    for (const input of document.querySelectorAll("#player input[name=speed]"))
      input.checked = Number(input.value) === speed;
  }
}

function otherSpeed(by) {
  const place = SPEEDS.indexOf(playback.speed) + by;
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
          checked: speed === playback.speed,
          on: { change: () => setSpeed(speed) },
        }),
        make("span", {}, `${speed === 0.25 ? "¼" : speed === 0.5 ? "½" : speed}×`),
      ),
    ),
  );
}

function hidePlayer() {
  playback.player?.pause();
  playback.player = null;
  document.getElementById("player").hidden = true;
}

// Load a stream; `showing` is called with how far it has come each time that changes.
function loadPlayer(timing, showing) {
  hidePlayer();
  const place = document.getElementById("player");
  place.hidden = !timing.count;
  if (!timing.count) return;
  const player = new Player(timing, changed);
  player.speed = playback.speed;
  playback.player = player;
  const wheels = wheelsNode();
  const [left, right] = wheels.querySelectorAll(".wound");
  const button = make("button", {
    class: "play",
    type: "button",
    disabled: !timing.length,
    on: { click: () => player.toggle() },
  });
  const clock = make("output", { class: "clock", hidden: !timing.length });
  const line = timing.length
    ? timelineNode(timing)
    : make("p", { class: "timeless" }, "It came in one piece, and the cassette does not say when.");
  const head = make("div", { class: "playhead" });
  const scrub = make("input", {
    class: "scrub",
    type: "range",
    min: 0,
    max: timing.length,
    step: "any",
    "aria-label": "Time",
    on: { input: () => player.seek(Number(scrub.value)) },
  });
  const hint = make("div", { class: "hint", hidden: true });
  if (timing.length) {
    line.querySelector(".plot").append(head);
    line.append(scrub, hint);
    scrub.addEventListener("pointermove", (event) => showHint(timing, hint, scrub, event));
    scrub.addEventListener("pointerleave", () => {
      hint.hidden = true;
    });
  }
  place.replaceChildren(
    make("div", { class: "about" }, factsNode(timeFacts(timing)), timing.length > 0 && speedNode()),
    make(
      "div",
      { class: "machine" },
      make("div", { class: "buttons" }, wheels, button),
      line,
      clock,
    ),
  );
  let pressed = null;

  function changed() {
    const done = timing.length ? player.time / timing.length : 1;
    const pieces = player.atEnd ? timing.count : timing.piecesAt(player.time);
    head.style.setProperty("left", `${done * 100}%`);
    place.style.setProperty("--done", `${done * 100}%`);
    scrub.value = player.time;
    scrub.setAttribute(
      "aria-valuetext",
      timing.even
        ? `piece ${pieces} of ${timing.count}`
        : `${duration(player.time)} of ${duration(timing.length)}`,
    );
    clock.replaceChildren(
      ...(timing.even
        ? [make("b", {}, String(pieces)), make("span", {}, `of ${count(timing.count, "piece")}`)]
        : [make("b", {}, duration(player.time)), make("span", {}, `of ${duration(timing.length)}`)]),
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
function showHint(timing, hint, scrub, event) {
  const box = scrub.getBoundingClientRect();
  const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
  const pieces = timing.piecesAt(share * timing.length);
  hint.hidden = false;
  hint.style.setProperty("left", `${share * 100}%`);
  hint.classList.toggle("right", share > 0.6);
  if (!pieces) {
    hint.replaceChildren(
      make("b", {}, timing.even ? "" : duration(share * timing.length)),
      make("span", {}, "nothing has come yet"),
    );
    return;
  }
  const { bytes, text, kind } = timing.weights[pieces - 1];
  hint.replaceChildren(
    make("b", {}, timing.even ? `piece ${pieces}` : duration(timing.times[pieces - 1])),
    make("span", {}, `piece ${pieces} of ${timing.count}, ${size(bytes)}`),
    text
      ? make("q", { class: kind, dir: "auto" }, text.length > 90 ? `${text.slice(0, 90)}…` : text)
      : "",
  );
}
