/** Audio files of any format that the browser decodes -> samples at the model's rate. */

import { InputError } from "./errors.js";
import { checkMemory } from "./memory.js";

/**
 * Decode a file, and refuse what cannot be separated.
 *
 * @param {File} file
 * @param {object} metadata of the model, whose sample rate the result has
 * @returns {Promise<Float32Array[]>} one array a channel
 */
export async function decode(file, metadata) {
  if (!file.size) throw new InputError(`${file.name} is empty: choose another file.`);
  // Before decoding, which takes the memory at once.
  const seconds = await statedDuration(file);
  if (seconds) checkMemory(seconds * metadata.sample_rate, 2, metadata);
  const buffer = await decoded(file, metadata.sample_rate);
  checkMemory(buffer.length, buffer.numberOfChannels, metadata);
  const recording = Array.from({ length: buffer.numberOfChannels }, (_, channel) =>
    buffer.getChannelData(channel),
  );
  checkAudible(recording, file.name);
  return recording;
}

/** Refuse samples that are not finite, and silence. */
export function checkAudible(recording, name) {
  let peak = 0;
  for (const channel of recording) {
    for (const sample of channel) {
      if (!Number.isFinite(sample)) {
        throw new InputError(`${name} has samples that are no finite numbers: export it again.`);
      }
      if (Math.abs(sample) > peak) peak = Math.abs(sample);
    }
  }
  if (!peak) throw new InputError(`${name} is silent throughout: there is nothing to separate.`);
}

async function decoded(file, sampleRate) {
  let context;
  try {
    context = new OfflineAudioContext(1, 1, sampleRate);
  } catch {
    throw new InputError(`This browser does not resample to ${sampleRate} Hz: use another model.`);
  }
  try {
    const buffer = await context.decodeAudioData(await file.arrayBuffer());
    if (buffer.length) return buffer;
  } catch (error) {
    if (error.name === "NotReadableError" || error.name === "NotFoundError") {
      throw new InputError(`${file.name} cannot be read: choose it again.`);
    }
  }
  throw new InputError(
    `${file.name} holds no audio that this browser can decode: try a WAV, FLAC, MP3, Ogg or M4A file.`,
  );
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
