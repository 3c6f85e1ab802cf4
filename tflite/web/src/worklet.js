/** Sound in, blocks of it to the worker; sources from the worker, their mix out. */

const REPORTS = 4; // a second
const GLIDE = 0.005; // of the difference, that a gain changes with every sample

class Live extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    Object.assign(this, processorOptions); // step, channels, sources
    this.block = new Float32Array(this.step * this.channels);
    this.filled = 0;
    this.queue = []; // blocks of sources
    this.at = 0; // in the first of them
    [this.taken, this.played, this.gaps, this.busy] = [0, 0, 0, 0];
    this.gains = new Float32Array(this.sources).fill(1);
    this.wanted = this.gains.slice();
    this.peaks = new Float32Array(this.sources);
    this.port.onmessage = ({ data }) => {
      if (data.gains) this.wanted.set(data.gains);
      else this.connect(data.worker);
    };
  }

  connect(worker) {
    this.worker = worker;
    worker.onmessage = ({ data }) => {
      this.queue.push(data.sources);
      this.busy += data.seconds;
    };
  }

  process([input], [output]) {
    if (!this.worker) return true;
    const frames = output[0].length;
    for (let i = 0; i < frames; i++) {
      this.take(input, i);
      this.play(output, i);
    }
    this.report(frames);
    return true;
  }

  take(input, i) {
    for (let channel = 0; channel < this.channels; channel++) {
      this.block[this.filled * this.channels + channel] = input[channel]?.[i] ?? 0;
    }
    this.taken += 1;
    this.filled += 1;
    if (this.filled < this.step) return;
    this.worker.postMessage(this.block, [this.block.buffer]);
    this.block = new Float32Array(this.step * this.channels);
    this.filled = 0;
  }

  play(output, i) {
    const [block] = this.queue;
    if (!block) {
      // The sound before has stopped for want of samples; before the first, it has not begun.
      if (this.played && !this.waiting) this.gaps += 1;
      this.waiting = true;
      return;
    }
    this.waiting = false;
    for (let source = 0; source < this.sources; source++) {
      this.gains[source] += GLIDE * (this.wanted[source] - this.gains[source]);
      for (let channel = 0; channel < this.channels; channel++) {
        const value = block[(this.at * this.channels + channel) * this.sources + source];
        output[channel][i] += this.gains[source] * value;
        this.peaks[source] = Math.max(this.peaks[source], Math.abs(value));
      }
    }
    this.played += 1;
    this.at += 1;
    if (this.at < this.step) return;
    this.at = 0;
    this.queue.shift();
    // What has gathered behind a pause of the worker's would be late for ever.
    while (this.queue.length > 2) {
      this.queue.shift();
      this.played += this.step;
    }
  }

  report(frames) {
    this.since = (this.since ?? 0) + frames;
    if (this.since < sampleRate / REPORTS) return;
    const { taken, played, gaps, peaks, busy } = this;
    this.port.postMessage({ behind: taken - played, gaps, peaks, load: (busy * sampleRate) / this.since, played });
    this.peaks = new Float32Array(this.sources);
    [this.since, this.busy] = [0, 0];
  }
}

registerProcessor("live", Live);
