/** Waveforms to look at. */

/**
 * Find the lowest and the highest sample in each of `columns` parts.
 *
 * @param {Float32Array[]} channels drawn as one
 * @param {number} columns
 * @returns {Float32Array} lowest and highest of each column, in turn
 */
export function peaks(channels, columns) {
  const samples = channels[0].length;
  const found = new Float32Array(2 * columns);
  for (let column = 0; column < columns; column++) {
    const start = Math.floor((column * samples) / columns);
    const end = Math.max(start + 1, Math.floor(((column + 1) * samples) / columns));
    let [low, high] = [Infinity, -Infinity];
    for (const channel of channels) {
      for (let i = start; i < Math.min(end, samples); i++) {
        low = Math.min(low, channel[i]);
        high = Math.max(high, channel[i]);
      }
    }
    found[2 * column] = low;
    found[2 * column + 1] = high;
  }
  return found;
}
