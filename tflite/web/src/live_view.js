/** The part of the page that separates live sound. */

import { gains, SILENT_DB } from "./gains.js";
import { listen, sound } from "./live.js";
import * as models from "./models.js";
import { decibels } from "./words.js";
import { announce } from "./work.js";

const element = (id) => document.getElementById(id);

export class LiveView {
  /**
   * @param {(action: () => Promise<void>) => Promise<void>} attempt does something that may fail
   * @param {() => void} begun called when sound is about to be heard
   */
  constructor(attempt, begun) {
    Object.assign(this, { attempt, begun, running: null, files: new Map() });
    element("live-microphone").onclick = () => attempt(() => this.start("microphone"));
    element("live-tab").onclick = () => attempt(() => this.start("tab"));
    element("live-stop").onclick = () => this.stop();
    element("live-tab").hidden = !navigator.mediaDevices?.getDisplayMedia;
  }

  /** Offer models that lie beside the page. */
  offer(list) {
    list.forEach(({ file, name }) => element("live-model").add(new Option(name, file)));
    element("live").hidden = !element("live-model").options.length;
  }

  /** Offer a file of the user's. */
  open(file) {
    this.files.set(file.name, file);
    element("live-model").add(new Option(file.name, file.name, true, true));
    element("live").hidden = false;
    element("live").scrollIntoView({ block: "nearest" });
    announce(`${file.name} separates live sound.`);
  }

  async start(from) {
    this.stop();
    const stream = await sound(from);
    this.begun();
    const { value } = element("live-model");
    element("live-state").textContent = "Loading the model\u2026";
    try {
      const model = await models.read(this.files.get(value) ?? (await models.fetched(value)));
      const fail = (error) => {
        this.stop();
        this.attempt(() => Promise.reject(error));
      };
      this.running = await listen(model, stream, (state) => this.show(state), fail);
      stream.getAudioTracks()[0].onended = () => this.stop();
      this.showStrips(model.metadata.sources);
    } catch (error) {
      stream.getTracks().forEach((track) => track.stop());
      element("live-state").textContent = "";
      throw error;
    }
    element("live-running").hidden = false;
    element("live-state").textContent = "Listening\u2026";
    element("live-stop").focus();
    announce("Separating live sound.");
  }

  stop() {
    if (!this.running) return;
    this.running.stop();
    this.running = null;
    element("live-running").hidden = true;
    element("live-state").textContent = "";
    element("live-strips").replaceChildren();
    element("live-microphone").focus();
    announce("Stopped.");
  }

  show({ latency, gaps, load, peaks }) {
    if (!this.running) return;
    const late = `${Math.round(1000 * latency)}\u00a0ms behind`;
    const missed = gaps ? ` · ${gaps} ${gaps === 1 ? "gap" : "gaps"}` : "";
    element("live-state").textContent = `${late} · ${Math.round(100 * load)}\u00a0% of the time used${missed}`;
    this.strips.forEach(({ meter }, index) => meter.style.setProperty("--level", Math.min(1, Math.sqrt(peaks[index]))));
  }

  showStrips(sources) {
    this.strips = sources.map((source, number) => this.strip(source, number));
    element("live-strips").replaceChildren(...this.strips.map(({ row }) => row));
  }

  strip(source, number) {
    const row = element("live-strip").content.firstElementChild.cloneNode(true);
    const find = (selector) => row.querySelector(selector);
    const strip = { row, meter: find(".meter"), db: 0, muted: false, solo: false };
    row.dataset.number = number % 6;
    find("h3").textContent = source;
    const [mute, solo, fader] = [find(".mute"), find(".solo"), find("input")];
    const set = (values) => {
      Object.assign(strip, values);
      mute.setAttribute("aria-pressed", strip.muted);
      solo.setAttribute("aria-pressed", strip.solo);
      const level = strip.db <= SILENT_DB ? "off" : decibels(strip.db);
      fader.setAttribute("aria-valuetext", level);
      find(".level").textContent = level;
      this.running?.setGains(gains(this.strips));
    };
    mute.setAttribute("aria-label", `Mute live ${source}`);
    solo.setAttribute("aria-label", `Solo live ${source}`);
    fader.setAttribute("aria-label", `Level of live ${source}`);
    mute.onclick = () => set({ muted: !strip.muted });
    solo.onclick = () => set({ solo: !strip.solo });
    fader.oninput = () => set({ db: Number(fader.value) });
    fader.setAttribute("aria-valuetext", decibels(0));
    find(".level").textContent = decibels(0);
    return strip;
  }
}
