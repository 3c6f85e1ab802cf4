/** What fits: a recording, as decoded and at the model's rate, and its stems are 32-bit floats. */

import { InputError } from "./errors.js";
import { duration, gigabytes } from "./words.js";

export const TOO_LARGE =
  "This device has too little memory for that recording: choose a shorter one, or close other pages.";

/**
 * Refuse a recording that needs more than half of the device's memory.
 *
 * @param {number} seconds of the recording
 * @param {number} channels of it
 * @param {number} rate at which it is decoded, in Hz
 * @param {object} metadata of the model
 * @param {number} device its memory in GB; browsers that do not tell count as 4
 */
export function checkMemory(seconds, channels, rate, metadata, device = navigator.deviceMemory ?? 4) {
  const samples = rate + metadata.sample_rate * (1 + metadata.sources.length); // in a second
  const needed = 4 * seconds * channels * samples;
  const limit = (device / 2) * 1e9;
  if (needed > limit) {
    throw new InputError(
      `${duration(seconds)} of audio would take ${gigabytes(needed)} of memory, ` +
        `more than the ${gigabytes(limit)} available: cut it into shorter parts.`,
    );
  }
}
