/** The sample rate that a file's header states, for the formats without loss. */

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
    return (view.getUint32(18) >>> 12) || null;
  }
  if (text(0) !== "RIFF" || text(8) !== "WAVE") return null;
  for (let at = 12; at + 16 <= view.byteLength; ) {
    const size = view.getUint32(at + 4, true);
    if (text(at) === "fmt ") return view.getUint32(at + 12, true) || null;
    at += 8 + size + (size % 2);
  }
  return null;
}
