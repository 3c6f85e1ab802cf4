/** What the page says while it works, and when something is wrong. */

import { InputError } from "./errors.js";
import { duration } from "./words.js";

const element = (id) => document.getElementById(id);
const SPOKEN = 0.25; // progress is read aloud at every quarter, not at every chunk

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

/** Show one step, before anything is known of how far it is. */
export function showStep(title) {
  element("work").hidden = false;
  element("work-title").textContent = title;
  element("progress").removeAttribute("value");
  element("left").textContent = "";
  announce(title);
}

/** Give a function of the share that is done, which shows it and estimates the time left. */
export function progressOf(title) {
  let [begun, spoken] = [null, 0];
  return (share) => {
    // The first chunk takes the loading with it.
    begun ??= { at: performance.now(), share };
    element("progress").value = share;
    const percent = `${Math.floor(100 * share)}\u00a0%`;
    const rate = (share - begun.share) / (performance.now() - begun.at);
    const left = rate > 0 && share < 1 ? ` · about ${duration(Math.ceil((1 - share) / rate / 1000))} left` : "";
    element("left").textContent = percent + left;
    if (share >= spoken + SPOKEN) {
      spoken = share;
      announce(`${title}: ${percent}`);
    }
  };
}

export function hideWork() {
  element("work").hidden = true;
}
