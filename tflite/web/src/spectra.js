/** Spectrograms to look at. */

import { fft } from "./fft.js";

const SIZE = 1024;
const HANN = Float64Array.from({ length: SIZE }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / SIZE));
const FLOOR_DB = -80;
const LOWEST_HZ = 40;

/**
 * Compute a small spectrogram: levels in dB between FLOOR_DB and 0, as bytes.
 *
 * @param {Float32Array} samples
 * @param {number} sampleRate in Hz
 * @param {number} columns
 * @param {number} rows from high to low, evenly spaced in octaves
 * @returns {Uint8Array} `(rows, columns)`
 */
export function spectrogram(samples, sampleRate, columns, rows) {
  const levels = new Uint8Array(rows * columns);
  const bands = logBands(rows, sampleRate);
  const real = new Float64Array(SIZE);
  const imaginary = new Float64Array(SIZE);
  for (let column = 0; column < columns; column++) {
    const start = Math.round(((column + 0.5) / columns) * samples.length - SIZE / 2);
    for (let i = 0; i < SIZE; i++) {
      real[i] = (samples[start + i] ?? 0) * HANN[i];
      imaginary[i] = 0;
    }
    fft(real, imaginary);
    bands.forEach(([low, high], row) => {
      let power = 0;
      for (let bin = low; bin <= high; bin++) {
        power = Math.max(power, real[bin] ** 2 + imaginary[bin] ** 2);
      }
      // A full-scale tone has the magnitude SIZE / 4 under this window.
      const db = 10 * Math.log10(power / (SIZE / 4) ** 2 + 1e-30);
      const share = Math.max(0, Math.min(1, 1 - db / FLOOR_DB));
      levels[row * columns + column] = Math.round(255 * share);
    });
  }
  return levels;
}

/** First and last bin of each row, highest first. */
function logBands(rows, sampleRate) {
  const octaves = Math.log2(sampleRate / 2 / LOWEST_HZ);
  const bin = (row) => (LOWEST_HZ * 2 ** ((octaves * (rows - row)) / rows) * SIZE) / sampleRate;
  return Array.from({ length: rows }, (_, row) => {
    const low = Math.round(bin(row + 1));
    return [low, Math.max(low, Math.min(SIZE / 2, Math.round(bin(row)) - 1))];
  });
}
