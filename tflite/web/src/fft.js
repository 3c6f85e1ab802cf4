/** The fast Fourier transform. */

const tables = new Map(); // of cosines and sines, by length

/** Transform in place; the length is a power of two. */
export function fft(real, imaginary) {
  const length = real.length;
  const { cosines, sines } = table(length);
  for (let i = 1, j = 0; i < length; i++) {
    let bit = length >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      const [re, im] = [real[i], imaginary[i]];
      real[i] = real[j];
      imaginary[i] = imaginary[j];
      real[j] = re;
      imaginary[j] = im;
    }
  }
  for (let half = 1; half < length; half *= 2) {
    const stride = length / 2 / half;
    for (let start = 0; start < length; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const [i, j] = [start + k, start + k + half];
        const [cosine, sine] = [cosines[k * stride], sines[k * stride]];
        const re = real[j] * cosine - imaginary[j] * sine;
        const im = real[j] * sine + imaginary[j] * cosine;
        real[j] = real[i] - re;
        imaginary[j] = imaginary[i] - im;
        real[i] += re;
        imaginary[i] += im;
      }
    }
  }
}

function table(length) {
  if (!tables.has(length)) {
    const angles = Float64Array.from({ length: length / 2 }, (_, k) => (-2 * Math.PI * k) / length);
    tables.set(length, { cosines: angles.map(Math.cos), sines: angles.map(Math.sin) });
  }
  return tables.get(length);
}
