/** The sample rate that a file's header states, for the formats without loss. */

const WAVES = ["RIFF", "RF64", "BW64"];
const UNKNOWN_LENGTH = 0x7ffff000;

/**
 * Read the rate of a WAV or FLAC file.
 *
 * Browsers decode to any rate that they are given, and do not tell the file's own.
 *
 * @param {ArrayBuffer} content its beginning
 * @returns {number | null} in Hz; null for other formats
 */
export function statedRate(content) {
  const view = new DataView(content);
  const text = (start) => String.fromCharCode(...new Uint8Array(content, start, 4));
  if (view.byteLength < 28) return null;
  if (text(0) === "fLaC") {
    // Behind the sizes of blocks and frames: 20 bits of rate, 3 of channels, 9 of others.
    return view.getUint32(18) >>> 12;
  }
  for (const { name, at } of chunks(view)) {
    if (name === "fmt " && at + 8 <= view.byteLength) return view.getUint32(at + 4, true);
  }
  return null;
}

/**
 * Find how many seconds a WAV file lacks of those that its header states.
 *
 * @param {ArrayBuffer} content its beginning
 * @param {number} size of the file in bytes
 * @returns {number}
 */
export function missingSeconds(content, size) {
  const view = new DataView(content);
  let perSecond = 0;
  for (const { name, at, stated } of chunks(view)) {
    if (name === "fmt " && at + 12 <= view.byteLength) perSecond = view.getUint32(at + 8, true);
    if (name !== "data") continue;
    // Programs that write into a pipe cannot know the length, and state this or more.
    const missing = stated < UNKNOWN_LENGTH ? at + stated - size : 0;
    return missing > 0 ? missing / Math.max(1, perSecond) : 0;
  }
  return 0;
}

/** The chunks of a WAV file whose heads lie within its beginning. */
function* chunks(view) {
  const text = (start) => String.fromCharCode(...new Uint8Array(view.buffer, start, 4));
  if (view.byteLength < 28 || !WAVES.includes(text(0)) || text(8) !== "WAVE") return;
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const stated = view.getUint32(at + 4, true);
    yield { name: text(at), at: at + 8, stated };
    at += 8 + stated + (stated % 2);
  }
}
