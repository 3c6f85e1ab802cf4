/** All stems at once, sample by sample in step, each with its own gain. */

const AHEAD = 0.05; // seconds from asking to sounding, so that all are ready
const GLIDE = 0.01; // seconds in which a gain changes, so that it does not click
const SHORTEST_LOOP = 0.05; // seconds

/** Connect buffers to a context's output, each through a gain. */
export function connect(context, buffers, gains) {
  return buffers.map((buffer, index) => {
    const source = new AudioBufferSourceNode(context, { buffer });
    const gain = new GainNode(context, { gain: gains[index] });
    source.connect(gain).connect(context.destination);
    return { source, gain };
  });
}

/** Mix buffers without playing them. */
export async function mixed(buffers, gains) {
  const { numberOfChannels, length, sampleRate } = buffers[0];
  const context = new OfflineAudioContext(numberOfChannels, length, sampleRate);
  connect(context, buffers, gains).forEach(({ source }) => source.start());
  const mix = await context.startRendering();
  return Array.from({ length: numberOfChannels }, (_, channel) => mix.getChannelData(channel));
}

export class Player {
  /** @param {AudioBuffer[]} buffers of one length @param {() => void} changed called at every start and stop */
  constructor(buffers, changed) {
    this.buffers = buffers;
    this.changed = changed;
    this.duration = buffers[0].duration;
    this.gains = buffers.map(() => 1);
    this.nodes = null;
    this.position = 0;
    this.loop = null; // {start, end} in seconds
  }

  get playing() {
    return this.nodes !== null;
  }

  /** Seconds from the beginning. */
  get time() {
    if (!this.playing) return this.position;
    const time = this.position + Math.max(0, this.context.currentTime - this.startedAt);
    if (this.loop) return looped(time, this.loop);
    return Math.min(this.duration, time);
  }

  play() {
    this.context ??= new AudioContext();
    this.context.resume();
    if (this.time >= this.duration) this.position = 0;
    const { loop } = this;
    if (loop && !(this.position >= loop.start && this.position < loop.end)) this.position = loop.start;
    const nodes = connect(this.context, this.buffers, this.gains);
    this.startedAt = this.context.currentTime + AHEAD;
    for (const { source } of nodes) {
      if (loop) Object.assign(source, { loop: true, loopStart: loop.start, loopEnd: loop.end });
      source.start(this.startedAt, this.position);
    }
    nodes[0].source.onended = () => this.nodes === nodes && this.pause();
    this.nodes = nodes;
    this.changed();
  }

  pause() {
    this.position = this.time;
    this.silence();
    this.changed();
  }

  seek(seconds) {
    const playing = this.playing;
    this.silence();
    this.position = Math.max(0, Math.min(this.duration, seconds));
    if (playing && this.position < this.duration) this.play();
    else this.changed();
  }

  /** Repeat what lies between two points, in either order, or nothing. */
  setLoop(one, other) {
    const time = this.time;
    const [start, end] = [Math.min(one, other), Math.max(one, other)];
    this.loop = end - start >= SHORTEST_LOOP ? { start, end } : null;
    this.seek(time);
  }

  clearLoop() {
    const time = this.time;
    this.loop = null;
    this.seek(time);
  }

  setGains(gains) {
    this.gains = gains;
    this.nodes?.forEach(({ gain }, index) => {
      gain.gain.setTargetAtTime(gains[index], this.context.currentTime, GLIDE);
    });
  }

  close() {
    this.silence();
    this.context?.close();
  }

  silence() {
    this.nodes?.forEach(({ source }) => source.stop());
    this.nodes = null;
  }
}

/** Where a time lies if everything behind the loop's end is in the loop again. */
export function looped(time, { start, end }) {
  return time < end ? time : start + ((time - start) % (end - start));
}
