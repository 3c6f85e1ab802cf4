/** The mixer: what it shows, and what its controls do. */

import { gains, SILENT_DB } from "./gains.js";
import { listenToKeys } from "./keys.js";
import { draw, loudest } from "./pictures.js";
import { mixed, Player } from "./player.js";
import { save, saveAll } from "./save.js";
import { spectrogram } from "./spectra.js";
import { clock, decibels } from "./words.js";
import { announce } from "./work.js";

const ROWS = 96; // of a spectrogram

const element = (id) => document.getElementById(id);

export class Mixer {
  /**
   * @param {string[]} sources
   * @param {Float32Array[][]} stems [source][channel]
   * @param {object[]} pictures one a source
   * @param {number} sampleRate in Hz
   * @param {string} song name, for downloads
   */
  constructor(sources, stems, pictures, sampleRate, song) {
    this.song = song;
    this.pictures = pictures;
    this.buffers = stems.map((channels) => {
      const [length, numberOfChannels] = [channels[0].length, channels.length];
      const buffer = new AudioBuffer({ length, numberOfChannels, sampleRate });
      channels.forEach((samples, channel) => buffer.copyToChannel(samples, channel));
      return buffer;
    });
    this.player = new Player(this.buffers, () => this.showTransport());
    this.marks = {};
    this.strips = sources.map((source, number) => this.strip(source, number));
    element("strips").replaceChildren(...this.strips.map((strip) => strip.row));
    this.choose(0);
    this.position = element("position");
    this.position.max = this.player.duration;
    element("end").textContent = clock(this.player.duration);
    this.ended = new AbortController();
    this.listen();
    this.draw();
    this.showLoop();
    this.showTransport();
  }

  listen() {
    const { signal } = this.ended;
    const on = (id, event, action) => element(id).addEventListener(event, action, { signal });
    on("play", "click", () => this.toggle());
    on("position", "input", () => this.player.seek(Number(this.position.value)));
    on("loop-start", "click", () => this.mark("start"));
    on("loop-end", "click", () => this.mark("end"));
    on("loop-clear", "click", () => this.clearLoop());
    on("save-mix", "click", () => this.saveMix());
    on("save-all", "click", () => this.saveAll());
    on("mixer", "change", (event) => event.target.name === "view" && this.draw());
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", () => this.draw(), { signal });
    listenToKeys(this, signal);
  }

  toggle() {
    if (this.player.playing) this.player.pause();
    else this.player.play();
  }

  seekBy(seconds) {
    this.player.seek(this.player.time + seconds);
  }

  /** Choose the source that keys mute and solo. */
  choose(number) {
    this.chosen = Math.max(0, Math.min(this.strips.length - 1, number));
    this.strips.forEach(({ row }, index) => row.classList.toggle("chosen", index === this.chosen));
  }

  select(step) {
    this.choose(this.chosen + step);
    announce(`Keys M and S: ${this.strips[this.chosen].source}`);
  }

  mute() {
    const strip = this.strips[this.chosen];
    strip.set({ muted: !strip.muted });
    announce(`${strip.source} ${strip.muted ? "muted" : "heard"}`);
  }

  solo() {
    const strip = this.strips[this.chosen];
    strip.set({ solo: !strip.solo });
    announce(strip.solo ? `${strip.source} alone` : "No source alone");
  }

  /** Put an end of the loop where the song is now. */
  mark(end) {
    this.marks[end] = this.player.time;
    const { start, end: last } = this.marks;
    if (start !== undefined && last !== undefined) this.player.setLoop(start, last);
    this.showLoop();
  }

  clearLoop() {
    this.marks = {};
    this.player.clearLoop();
    this.showLoop();
    element("loop-start").focus();
  }

  showLoop() {
    const { loop, duration } = this.player;
    const { start, end } = this.marks;
    element("loop-start").textContent = start === undefined ? "Loop from here" : `From ${clock(loop?.start ?? start)}`;
    element("loop-end").textContent = end === undefined ? "to here" : `to ${clock(loop?.end ?? end)}`;
    element("loop-clear").hidden = start === undefined && end === undefined;
    const { style } = element("strips");
    style.setProperty("--loop-start", loop ? loop.start / duration : 0);
    style.setProperty("--loop-end", loop ? loop.end / duration : 0);
  }

  /** One source: its row, and where its controls stand. */
  strip(source, number) {
    const row = element("strip").content.firstElementChild.cloneNode(true);
    const find = (selector) => row.querySelector(selector);
    const strip = { source, row, canvas: find("canvas"), db: 0, muted: false, solo: false };
    row.dataset.number = number % 6;
    find("h3").textContent = source;
    const [mute, solo, fader] = [find(".mute"), find(".solo"), find(".fader input")];
    mute.setAttribute("aria-label", `Mute ${source}`);
    solo.setAttribute("aria-label", `Solo ${source}`);
    fader.setAttribute("aria-label", `Level of ${source}`);
    find(".download").setAttribute("aria-label", `Download ${source}`);
    strip.set = (values) => {
      Object.assign(strip, values);
      const level = strip.db <= SILENT_DB ? "off" : decibels(strip.db);
      mute.setAttribute("aria-pressed", strip.muted);
      solo.setAttribute("aria-pressed", strip.solo);
      fader.setAttribute("aria-valuetext", level);
      find(".level").textContent = level;
      if (this.strips) this.showGains();
    };
    mute.onclick = () => strip.set({ muted: !strip.muted });
    solo.onclick = () => strip.set({ solo: !strip.solo });
    fader.oninput = () => strip.set({ db: Number(fader.value) });
    find(".download").onclick = () => save(this.channels(number), this.rate, `${this.song} - ${source}`);
    find(".picture").onclick = ({ offsetX, currentTarget }) => {
      this.player.seek((offsetX / currentTarget.clientWidth) * this.player.duration);
    };
    row.onpointerdown = () => this.choose(number);
    row.addEventListener("focusin", () => this.choose(number));
    strip.set({});
    return strip;
  }

  showGains() {
    const now = gains(this.strips);
    this.player.setGains(now);
    this.strips.forEach(({ row }, index) => row.classList.toggle("unheard", now[index] === 0));
  }

  showTransport() {
    const { playing, time, duration } = this.player;
    element("play").classList.toggle("playing", playing);
    element("play-label").textContent = playing ? "Pause" : "Play";
    element("now").textContent = clock(time);
    element("strips").style.setProperty("--position", time / duration);
    if (this.position) {
      this.position.value = time;
      this.position.style.setProperty("--position", time / duration);
      const spoken = `${clock(time)} of ${clock(duration)}`;
      if (this.position.ariaValueText !== spoken) this.position.setAttribute("aria-valuetext", spoken);
    }
    if (playing) requestAnimationFrame(() => this.player.playing && this.showTransport());
  }

  draw() {
    const kind = document.querySelector("input[name=view]:checked").value;
    if (kind === "spectrogram") this.addSpectrograms();
    const most = loudest(this.pictures, kind);
    this.strips.forEach(({ canvas, source }, index) => {
      draw(canvas, this.pictures[index], kind, most);
      canvas.setAttribute("aria-label", `${kind} of ${source}`);
    });
  }

  /** Compute them when they are first looked at. */
  addSpectrograms() {
    this.pictures.forEach((picture, number) => {
      picture.rows = ROWS;
      picture.levels ??= spectrogram(this.channels(number)[0], this.rate, picture.columns, ROWS);
    });
  }

  get rate() {
    return this.buffers[0].sampleRate;
  }

  channels(number) {
    const buffer = this.buffers[number];
    return Array.from({ length: buffer.numberOfChannels }, (_, channel) => buffer.getChannelData(channel));
  }

  saveAll() {
    const stems = this.strips.map(({ source }, number) => ({ name: source, channels: this.channels(number) }));
    saveAll(stems, this.rate, `${this.song} - stems`);
  }

  async saveMix() {
    save(await mixed(this.buffers, gains(this.strips)), this.rate, `${this.song} - mix`);
  }

  close() {
    this.ended.abort();
    this.player.close();
    element("strips").replaceChildren();
  }
}
