/** What fits: a recording and its stems, at both rates, are 32-bit floats. */

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
 * @param {number} held bytes that songs separated before take
 * @param {number} device its memory in GB; browsers that do not tell count as 4
 */
export function checkMemory(seconds, channels, rate, metadata, held = 0, device = navigator.deviceMemory ?? 4) {
  const needed = 4 * seconds * channels * (rate + metadata.sample_rate) * (1 + metadata.sources.length);
  const limit = (device / 2) * 1e9;
  if (needed > limit) {
    throw new InputError(
      `${duration(seconds)} of audio would take ${gigabytes(needed)} of memory, ` +
        `more than the ${gigabytes(limit)} available: cut it into shorter parts.`,
    );
  }
  if (needed + held > limit) {
    throw new InputError(
      `The songs before take ${gigabytes(held)} of the ${gigabytes(limit)} of memory available, ` +
        `and this one needs ${gigabytes(needed)}: remove songs from the list.`,
    );
  }
}
