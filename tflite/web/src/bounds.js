/** The bounds of a file's metadata, as kerasep/tflite/format/bounds.py has them: what one reader refuses, all do. */

const MOST_SOURCES = 64;
const MOST_NAME = 200; // bytes of UTF-8
const MOST_ORDERED = 8; // sources in any order: all orders are tried
const MOST_SAMPLES = 2 ** 30;
const MOST_FRAME = 2 ** 20;
const ENDS = ["mirror", "fill", "drop"];

const NUMBERS = {
  sample_rate: [1000, 768000],
  channels: [1, 64],
  hop: [1, MOST_SAMPLES],
  chunk: [1, MOST_SAMPLES],
  overlap: [0, MOST_SAMPLES],
};
// These may be null.
const LENGTHS = { latency: 0, frames: 1, state: 2 };
const TEXTS = ["kerasep", "created_by", "weights_sha256", "preset", "licence", "quantization"];
const TIMING = { hop: 1, frame: 1, grain: 1, step: 1, lag: 0, silence: 0 };
const STFT = { n_fft: 1, hop: 1 };

const absent = (value) => value === undefined || value === null;
const object = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const whole = (value, least, most) => Number.isInteger(value) && value >= least && value <= most;
// eslint-disable-next-line no-control-regex
const text = (value) => typeof value === "string" && !/[\u0000-\u001f\u007f-\u009f]/.test(value);
const frames = (values, least) => Object.entries(least).every(([key, n]) => whole(values[key], n, MOST_FRAME));

/**
 * Find what is out of bounds in the metadata of a file.
 *
 * @param {object} metadata
 * @param {boolean} live whether the file separates streams, not recordings
 * @returns {string | null} its key
 */
export function outOfBounds(metadata, live = false) {
  const { sources, model, interchangeable, residual, stft, timing, latency, chunk, overlap, hop } = metadata;
  if (!named(sources)) return "sources";
  for (const [key, [least, most]] of Object.entries(NUMBERS)) {
    if (live && ["chunk", "overlap"].includes(key)) continue;
    if (!whole(metadata[key], least, most)) return key;
  }
  for (const [key, least] of Object.entries(LENGTHS)) {
    if (!absent(metadata[key]) && !whole(metadata[key], least, MOST_SAMPLES)) return key;
  }
  for (const key of TEXTS) if (!absent(metadata[key]) && !text(metadata[key])) return key;
  if (!text(model)) return "model";
  if (interchangeable !== undefined && typeof interchangeable !== "boolean") return "interchangeable";
  if (interchangeable && sources.length > MOST_ORDERED) return "interchangeable";
  if (!absent(residual) && !sources.includes(residual)) return "residual";
  if (live && absent(latency)) return "latency";
  if (live && absent(timing)) return "timing";
  if (!live && (chunk % hop || roundedOverlap(overlap, hop) > Math.floor(chunk / 2))) return "overlap";
  if (!absent(stft) && !(object(stft) && text(stft.window) && frames(stft, STFT))) return "stft";
  return !absent(timing) && !timed(timing, latency) ? "timing" : null;
}

/** Chunks start at multiples of the hop, so neighbours share a multiple too. */
export function roundedOverlap(overlap, hop) {
  return Math.ceil(overlap / hop) * hop;
}

/** Whether these can be names of files, each another. */
function named(sources) {
  return (
    Array.isArray(sources) &&
    whole(sources.length, 1, MOST_SOURCES) &&
    new Set(sources).size === sources.length &&
    sources.every(
      (name) =>
        typeof name === "string" &&
        /^[\p{L}\p{N}_]+$/u.test(name) &&
        /[^_]/.test(name) &&
        new TextEncoder().encode(name).length <= MOST_NAME,
    )
  );
}

function timed(timing, latency) {
  if (!object(timing) || !ENDS.includes(timing.ends) || !frames(timing, TIMING)) return false;
  const { hop, grain, step, lag } = timing;
  return !(grain % hop) && !(step % grain) && (latency === undefined || latency === lag + grain);
}
