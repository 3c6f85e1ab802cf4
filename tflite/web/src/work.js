/** What the page says while it works, and when something is wrong. */

import { InputError } from "./errors.js";
import { duration } from "./words.js";

const element = (id) => document.getElementById(id);
const SPOKEN = 0.25; // progress is read aloud at every quarter, not at every chunk
const TICK = 200; // milliseconds between two looks at the clock
const AHEAD = 0.95; // of a step is shown before it is known to be done

/** Say something to those who do not see the page. */
export function announce(text) {
  element("status").textContent = text;
}

export function showError(error) {
  if (!(error instanceof InputError)) console.error(error);
  const message = error instanceof InputError ? error.message : `Something went wrong: ${error.message}`;
  element("error").hidden = false;
  element("error").textContent = message;
  element("error").scrollIntoView({ block: "nearest" });
}

export function hideError() {
  element("error").hidden = true;
  element("error").textContent = "";
}

/** Show one step, of which nothing is done yet. */
export function showStep(title) {
  if (element("work").hidden) {
    element("work").hidden = false;
    element("work").scrollIntoView({ block: "nearest" });
  }
  element("work-title").textContent = title;
  element("progress").value = 0;
  element("left").textContent = "0\u00a0%";
  announce(title);
}

export function hideWork() {
  element("work").hidden = true;
}

/** The share of a separation that is done, which also rises while a step lasts. */
export class Progress {
  /** @param {string} title @param {(share: number) => void} shown called with every share that is shown */
  constructor(title, shown) {
    Object.assign(this, { title, shown, spoken: 0, begun: performance.now() });
    this.step = { share: 0, until: 0, seconds: 1, at: this.begun };
    this.timer = setInterval(() => this.show(), TICK);
  }

  /** @param {{share: number, until: number, seconds: number}} step what is done, and what the next step is */
  update(step) {
    this.step = { ...step, at: performance.now() };
    this.show();
  }

  show() {
    const now = performance.now();
    const { share, until, seconds, at } = this.step;
    const within = seconds ? Math.min(AHEAD, (now - at) / 1000 / seconds) : 0;
    const done = share + (until - share) * within;
    const percent = `${Math.floor(100 * done)}\u00a0%`;
    const left = share > 0 && done < 1 ? ((now - this.begun) / 1000) * (1 / done - 1) : 0;
    element("progress").value = done;
    element("left").textContent = percent + (left ? ` · about ${duration(Math.ceil(left))} left` : "");
    this.shown(done);
    if (done >= this.spoken + SPOKEN) {
      this.spoken = done;
      announce(`${this.title}: ${percent}`);
    }
  }

  end() {
    clearInterval(this.timer);
  }
}
