/** What fits: a recording and all its stems are held as 32-bit floats. */

import { InputError } from "./errors.js";
import { duration, gigabytes } from "./words.js";

export const TOO_LARGE =
  "This device has too little memory for that recording: choose a shorter one, or close other pages.";

/**
 * Refuse a recording that needs more than half of the device's memory.
 *
 * @param {number} samples at the model's rate
 * @param {number} channels of the recording
 * @param {object} metadata of the model
 * @param {number} device its memory in GB; browsers that do not tell count as 4
 */
export function checkMemory(samples, channels, metadata, device = navigator.deviceMemory ?? 4) {
  const needed = samples * channels * (1 + metadata.sources.length) * 4;
  const limit = (device / 2) * 1e9;
  if (needed > limit) {
    throw new InputError(
      `${duration(samples / metadata.sample_rate)} of audio would take ${gigabytes(needed)} of memory, ` +
        `more than the ${gigabytes(limit)} that there may be: cut it into shorter parts.`,
    );
  }
}
