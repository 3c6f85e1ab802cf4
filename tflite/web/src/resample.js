/**
 * Resampling as steep as soxr's high quality in Python: what browsers do while they decode is made
 * for speed.
 *
 * A windowed sinc is applied in the frequency domain, at the old rate or twice it. What is left has
 * so much room above it that a short kernel finds the samples at the new rate.
 */

import { fft } from "./fft.js";

const PASS = 0.913; // of the lower Nyquist frequency; 1 is stopped
const STOPPED_DB = 120;
const BETA = 0.1102 * (STOPPED_DB - 8.7); // Kaiser's window
const BLOCK = 8192;
const NEAR = 8; // samples of the short kernel at each side

/**
 * Resample one channel.
 *
 * @param {Float32Array} samples
 * @param {number} rate theirs, in Hz
 * @param {number} newRate the one wanted
 * @param {number} length of the result; by default as long in seconds, and at least one sample
 * @returns {Float32Array}
 */
export function resample(samples, rate, newRate, length = lengthAt(samples.length, rate, newRate)) {
  if (rate === newRate) return samples;
  const factor = 2 * newRate <= rate ? 1 : 2;
  const divisor = greatestCommon(factor * rate, newRate);
  const [up, down] = [newRate / divisor, (factor * rate) / divisor];
  const lower = Math.min(rate, newRate) / (factor * rate); // 1: the lower rate is that of the blocks
  const { response, half, size } = steepFilter(lower);
  const kernels = shortKernels(up);
  const valid = size - 2 * half - 2 * NEAR;
  const result = new Float32Array(length);
  const [one, other] = [new Float64Array(size), new Float64Array(size)];
  // Two blocks at once, one as the real part and one as the imaginary part.
  for (let start = 0, at = 0; at < length; start += 2 * valid) {
    fill(one, samples, start - half - NEAR, factor);
    fill(other, samples, start + valid - half - NEAR, factor);
    filter(one, other, response);
    at = interpolate(result, at, one, start, valid, half, kernels, up, down);
    at = interpolate(result, at, other, start + valid, valid, half, kernels, up, down);
  }
  return result;
}

/** Copy samples from a place on, with zeros between them for a factor of two. */
function fill(block, samples, from, factor) {
  block.fill(0);
  const first = Math.max(0, Math.ceil(from / factor));
  const last = Math.min(samples.length, Math.ceil((from + block.length) / factor));
  for (let i = first; i < last; i++) block[i * factor - from] = factor * samples[i];
}

/** Convolve two blocks with a filter that is given by its real transform. */
function filter(real, imaginary, response) {
  const size = real.length;
  fft(real, imaginary);
  for (let k = 0; k < size; k++) {
    real[k] *= response[k];
    imaginary[k] *= response[k];
  }
  // The inverse transform is the transform with both parts exchanged.
  fft(imaginary, real);
}

/** Write the samples that lie in the block that begins at `start`; return how many there are so far. */
function interpolate(result, at, block, start, valid, half, kernels, up, down) {
  for (; at < result.length; at++) {
    const place = Math.floor((at * down) / up) - start;
    if (place >= valid) break;
    const from = place + half + 1;
    const kernel = ((at * down) % up) * 2 * NEAR;
    let sum = 0;
    for (let tap = 0; tap < 2 * NEAR; tap++) sum += block[from + tap] * kernels[kernel + tap];
    result[at] = sum;
  }
  return at;
}

/** The transform of a filter that passes PASS of the band below `lower`, symmetric about sample 0. */
function steepFilter(lower) {
  const half = Math.ceil((STOPPED_DB - 7.95) / (14.36 * (1 - PASS)) / lower);
  let size = BLOCK;
  while (size < 8 * half) size *= 2;
  const [response, none] = [new Float64Array(size), new Float64Array(size)];
  const cutoff = (lower * (1 + PASS)) / 2;
  for (let at = -half; at <= half; at++) response[(at + size) % size] = windowedSinc(at, cutoff, half) / size;
  fft(response, none);
  return { response, half, size };
}

/** Weights of 2 * NEAR samples around each of `phases` places between two. */
function shortKernels(phases) {
  const weights = new Float64Array(phases * 2 * NEAR);
  for (let phase = 0; phase < phases; phase++) {
    for (let tap = 0; tap < 2 * NEAR; tap++) {
      weights[phase * 2 * NEAR + tap] = windowedSinc(tap - NEAR + 1 - phase / phases, 1, NEAR);
    }
  }
  return weights;
}

function windowedSinc(at, cutoff, half) {
  const within = 1 - (at / half) ** 2;
  const window = within > 0 ? bessel(BETA * Math.sqrt(within)) / bessel(BETA) : 0;
  const angle = Math.PI * cutoff * at;
  return cutoff * (angle ? Math.sin(angle) / angle : 1) * window;
}

/** The modified Bessel function of the first kind, of order 0. */
function bessel(x) {
  let [sum, term] = [1, 1];
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function lengthAt(samples, rate, newRate) {
  return Math.max(1, Math.round((samples * newRate) / rate));
}

function greatestCommon(a, b) {
  return b ? greatestCommon(b, a % b) : a;
}
