/** Audio files of any format that the browser decodes -> samples. */

import { codedRate } from "./coded_rate.js";
import { InputError } from "./errors.js";
import { checkMemory } from "./memory.js";
import { missingSeconds, statedRate } from "./stated_rate.js";

const HEADER = 65536; // bytes in which a file states its rate
const [LEAST_RATE, MOST_RATE] = [1000, 768000]; // in Hz, as for files in Python and C
const COMMON = 48000; // of files that do not state it, few have a higher one

/**
 * Decode a file, and refuse what cannot be separated.
 *
 * @param {File} file
 * @param {object} metadata of the model
 * @param {number} held bytes that earlier songs take
 * @returns {Promise<{recording: Float32Array[], rate: number}>} one array a channel, at the file's
 *   own rate where it states one; otherwise at 48 kHz
 */
export async function decode(file, metadata, held = 0) {
  if (!file.size) throw new InputError(`${file.name} is empty: choose another file.`);
  // Before decoding, which takes the memory at once.
  const seconds = await statedDuration(file);
  const header = await read(file.slice(0, HEADER), file.name);
  const stated = statedRate(header);
  checkHeader(stated, missingSeconds(header, file.size), file.name);
  if (seconds) checkMemory(seconds, 2, stated ?? COMMON, metadata, held);
  const content = await read(file, file.name);
  const context = contextAt(stated ?? codedRate(content) ?? COMMON);
  const buffer = await decoded(content, context, file.name);
  const rate = context.sampleRate;
  checkMemory(buffer.duration, buffer.numberOfChannels, rate, metadata, held);
  const recording = Array.from({ length: buffer.numberOfChannels }, (_, channel) =>
    buffer.getChannelData(channel),
  );
  checkAudible(recording, file.name);
  return { recording, rate };
}

/** Throw an InputError for an impossible sample rate, and for a truncated file. */
export function checkHeader(rate, missing, name) {
  if (rate !== null && !(rate >= LEAST_RATE && rate <= MOST_RATE)) {
    throw new InputError(
      `${name} has a sample rate of ${rate} Hz, expected ${LEAST_RATE} to ${MOST_RATE} Hz: export it again.`,
    );
  }
  if (missing) {
    throw new InputError(`${name} is cut short by ${missing.toFixed(3)} s: get a complete copy.`);
  }
}

/** Refuse samples that are not finite, and silence. */
export function checkAudible(recording, name) {
  let peak = 0;
  for (const channel of recording) {
    for (const sample of channel) {
      if (!Number.isFinite(sample)) {
        throw new InputError(`${name} has samples that are not finite numbers: export it again.`);
      }
      if (Math.abs(sample) > peak) peak = Math.abs(sample);
    }
  }
  if (!peak) throw new InputError(`${name} is silent throughout: there is nothing to separate.`);
}

/** What decodes to a rate, or to the usual one where this browser cannot. */
function contextAt(rate) {
  try {
    return new OfflineAudioContext(1, 1, rate);
  } catch {
    return new OfflineAudioContext(1, 1, COMMON);
  }
}

async function decoded(content, context, name) {
  try {
    const buffer = await context.decodeAudioData(content);
    if (buffer.length) return buffer;
  } catch {
    // Said below, as of a file with no samples.
  }
  throw new InputError(
    `${name} holds no audio that this browser can decode: try a WAV, FLAC, MP3, Ogg or M4A file.`,
  );
}

async function read(blob, name) {
  try {
    return await blob.arrayBuffer();
  } catch {
    throw new InputError(`${name} cannot be read: choose it again.`);
  }
}

/** Seconds that the file says it has, or 0 where it does not say. */
function statedDuration(file) {
  const address = URL.createObjectURL(file);
  const element = new Audio();
  element.preload = "metadata";
  return new Promise((resolve) => {
    const end = () => {
      resolve(Number.isFinite(element.duration) ? element.duration : 0);
      element.removeAttribute("src");
      URL.revokeObjectURL(address);
    };
    element.onloadedmetadata = end;
    element.onerror = end;
    setTimeout(end, 2000);
    element.src = address;
  });
}
