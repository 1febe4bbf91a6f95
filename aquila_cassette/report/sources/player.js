// Plays a take: a clock that runs at some speed from its start to its end.

class Player {
  constructor(take, changed) {
    this.take = take;
    this.changed = changed;
    this.time = take.length;
    this.speed = 1;
    this.playing = false;
    this.frame = 0;
  }

  get atEnd() {
    return this.time >= this.take.length;
  }

  play() {
    if (this.playing || !this.take.length) return;
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
    this.time = Math.min(Math.max(time, 0), this.take.length);
    this.last = performance.now();
    if (this.playing && this.atEnd) this.pause();
    else this.changed();
  }

  // To where the next piece comes, or the one before.
  step(by) {
    const { times } = this.take;
    const place =
      by > 0 ? this.take.piecesAt(this.time) : times.findLastIndex((time) => time < this.time);
    this.pause();
    this.seek(place < 0 ? 0 : (times[place] ?? this.take.length));
  }

  tick() {
    const now = performance.now();
    this.time = Math.min(this.time + (now - this.last) * this.speed, this.take.length);
    this.last = now;
    if (this.atEnd) {
      this.pause();
      return;
    }
    this.changed();
    this.frame = requestAnimationFrame(() => this.tick());
  }
}
