/** The mixer: what it shows, and what its controls do. */

import { gains, SILENT_DB } from "./gains.js";
import { draw, loudest } from "./pictures.js";
import { mixed, Player } from "./player.js";
import { save } from "./save.js";
import { clock, decibels } from "./words.js";

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
    this.strips = sources.map((source, number) => this.strip(source, number));
    element("strips").replaceChildren(...this.strips.map((strip) => strip.row));
    this.position = element("position");
    this.position.max = this.player.duration;
    element("end").textContent = clock(this.player.duration);
    this.ended = new AbortController();
    this.listen();
    this.draw();
    this.showTransport();
  }

  listen() {
    const { signal } = this.ended;
    const on = (id, event, action) => element(id).addEventListener(event, action, { signal });
    on("play", "click", () => this.toggle());
    on("position", "input", () => this.player.seek(Number(this.position.value)));
    on("save-mix", "click", () => this.saveMix());
    on("mixer", "change", (event) => event.target.name === "view" && this.draw());
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", () => this.draw(), { signal });
    // Space plays and pauses wherever it does nothing else.
    const keys = (event) => {
      if (event.key !== " " || event.target.closest("button, input, select")) return;
      event.preventDefault();
      this.toggle();
    };
    document.addEventListener("keydown", keys, { signal });
  }

  toggle() {
    if (this.player.playing) this.player.pause();
    else this.player.play();
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
    const set = (values) => {
      Object.assign(strip, values);
      const level = strip.db <= SILENT_DB ? "off" : decibels(strip.db);
      mute.setAttribute("aria-pressed", strip.muted);
      solo.setAttribute("aria-pressed", strip.solo);
      fader.setAttribute("aria-valuetext", level);
      find(".level").textContent = level;
      if (this.strips) this.showGains();
    };
    mute.onclick = () => set({ muted: !strip.muted });
    solo.onclick = () => set({ solo: !strip.solo });
    fader.oninput = () => set({ db: Number(fader.value) });
    find(".download").onclick = () => this.saveStem(number);
    find(".picture").onclick = ({ offsetX, currentTarget }) => {
      this.player.seek((offsetX / currentTarget.clientWidth) * this.player.duration);
    };
    set({});
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
    const most = loudest(this.pictures, kind);
    this.strips.forEach(({ canvas, source }, index) => {
      draw(canvas, this.pictures[index], kind, most);
      canvas.setAttribute("aria-label", `${kind} of ${source}`);
    });
  }

  saveStem(number) {
    const buffer = this.buffers[number];
    const channels = Array.from({ length: buffer.numberOfChannels }, (_, c) => buffer.getChannelData(c));
    save(channels, buffer.sampleRate, `${this.song} - ${this.strips[number].source}`);
  }

  async saveMix() {
    const mix = await mixed(this.buffers, gains(this.strips));
    save(mix, this.buffers[0].sampleRate, `${this.song} - mix`);
  }

  close() {
    this.ended.abort();
    this.player.close();
    element("strips").replaceChildren();
  }
}
