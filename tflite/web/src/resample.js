/**
 * Resampling by a windowed sinc, as steep as soxr's high quality in Python: what browsers do while
 * they decode is made for speed.
 */

const PASS = 0.913; // of the lower Nyquist frequency; 1 is stopped
const STOPPED_DB = 120;
const BETA = 0.1102 * (STOPPED_DB - 8.7); // Kaiser's window
const HALF = Math.ceil((STOPPED_DB - 7.95) / (14.36 * (1 - PASS))); // in samples at the lower rate

/**
 * Resample one channel.
 *
 * @param {Float32Array} samples
 * @param {number} rate theirs, in Hz
 * @param {number} newRate the one wanted
 * @returns {Float32Array} as long in seconds, and at least one sample
 */
export function resample(samples, rate, newRate) {
  if (rate === newRate) return samples;
  const divisor = greatestCommon(rate, newRate);
  const [up, down] = [newRate / divisor, rate / divisor];
  const scale = Math.min(1, newRate / rate);
  const half = Math.ceil(HALF / scale);
  const kernels = kernel(up, half, scale);
  const result = new Float32Array(Math.max(1, Math.round((samples.length * newRate) / rate)));
  for (let i = 0; i < result.length; i++) {
    const phase = (i * down) % up;
    const first = Math.floor((i * down) / up) - half + 1;
    const offset = phase * 2 * half - first;
    const last = Math.min(samples.length, first + 2 * half);
    let sum = 0;
    for (let j = Math.max(0, first); j < last; j++) sum += samples[j] * kernels[offset + j];
    result[i] = sum;
  }
  return result;
}

/** Weights of 2 * half samples around each of `phases` places between two. */
function kernel(phases, half, scale) {
  const weights = new Float32Array(phases * 2 * half);
  const cutoff = (1 + PASS) / 2;
  const highest = bessel(BETA);
  for (let phase = 0; phase < phases; phase++) {
    for (let tap = 0; tap < 2 * half; tap++) {
      const at = (tap - half + 1 - phase / phases) * scale;
      const within = 1 - (at / HALF) ** 2;
      const window = within > 0 ? bessel(BETA * Math.sqrt(within)) / highest : 0;
      const angle = Math.PI * cutoff * at;
      const sinc = angle ? Math.sin(angle) / angle : 1;
      weights[phase * 2 * half + tap] = scale * cutoff * sinc * window;
    }
  }
  return weights;
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

function greatestCommon(a, b) {
  return b ? greatestCommon(b, a % b) : a;
}
