// One recorded stream as it is played: its times, and how much of each part had come when.

const EVEN_PACE = 40; // ms a piece, where the tape knows no times

class Take {
  constructor(one) {
    this.one = one;
    this.count = one.times.length;
    const timed = this.count > 0 && one.times.at(-1) > 0;
    // A hand-written tape has no times: then the pieces come evenly, and the page says so.
    this.even = !timed && this.count > 1;
    this.times = this.even ? one.times.map((_, place) => (place + 1) * EVEN_PACE) : one.times;
    this.length = this.count ? this.times.at(-1) : 0;
    this.weights = this.weigh();
  }

  // What each piece added: code units and the kind of most of them, or bytes where nobody knows.
  weigh() {
    const weights = this.times.map((_, place) => ({
      added: 0,
      kind: "other",
      bytes: this.one.sizes[place],
      text: "",
    }));
    const before = this.one.parts.map(() => 0);
    for (const [piece, part, length] of this.one.steps) {
      const added = length - before[part];
      const [kind, , text] = this.one.parts[part];
      const weight = weights[piece];
      if (added >= weight.added) weight.kind = kind;
      weight.added += added;
      weight.text += text.slice(before[part], length);
      before[part] = length;
    }
    if (!this.one.parts.length) for (const weight of weights) weight.added = weight.bytes;
    return weights;
  }

  // How many pieces have come at `time`, in ms since the request.
  piecesAt(time) {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.times[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // How long each part is after so many pieces; null where it has not begun.
  lengthsAfter(pieces) {
    const lengths = this.one.parts.map(() => null);
    for (const [piece, part, length] of this.one.steps) {
      if (piece >= pieces) break;
      lengths[part] = length;
    }
    return lengths;
  }

  // When the first words, thoughts or calls came.
  get firstChunk() {
    const place = this.weights.findIndex((weight) => weight.text && weight.kind !== "error");
    return place < 0 ? null : this.times[place];
  }

  // The pauses between two pieces, the longest first.
  get gaps() {
    return this.times
      .slice(1)
      .map((time, place) => ({
        from: this.times[place],
        to: time,
        length: time - this.times[place],
      }))
      .sort((one, other) => other.length - one.length);
  }
}
