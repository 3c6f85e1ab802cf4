/** WAV files: 16-bit integers, or 32-bit floats as they are. */

/**
 * Write a WAV file.
 *
 * @param {Float32Array[]} channels full scale at 1
 * @param {number} sampleRate in Hz
 * @param {16 | 32} bits 16: integers, clipped at full scale; 32: floats
 * @returns {ArrayBuffer}
 */
export function wav(channels, sampleRate, bits) {
  const samples = channels[0].length;
  const frame = (channels.length * bits) / 8;
  const float = bits === 32;
  // Formats other than integers have an extension's size, and say how many samples there are.
  const header = float ? 58 : 44;
  const view = new DataView(new ArrayBuffer(header + samples * frame));
  let at = 0;
  const text = (value) => [...value].forEach((letter) => view.setUint8(at++, letter.charCodeAt(0)));
  const word = (value) => (view.setUint32(at, value, true), (at += 4));
  const half = (value) => (view.setUint16(at, value, true), (at += 2));
  text("RIFF"), word(view.byteLength - 8), text("WAVE");
  text("fmt "), word(float ? 18 : 16), half(float ? 3 : 1), half(channels.length);
  word(sampleRate), word(sampleRate * frame), half(frame), half(bits);
  if (float) half(0), text("fact"), word(4), word(samples);
  text("data"), word(samples * frame);
  for (let i = 0; i < samples; i++) {
    for (const channel of channels) {
      if (float) view.setFloat32(at, channel[i], true);
      else view.setInt16(at, Math.max(-32768, Math.min(32767, Math.round(channel[i] * 32768))), true);
      at += bits / 8;
    }
  }
  return view.buffer;
}
