/** Waveforms and spectrograms on canvases, in the colour that the stylesheet gives the canvas. */

const RANGE = 190; // of a spectrogram's levels, below the loudest: 60 dB

/**
 * Draw one.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {{peaks: Float32Array, levels: Uint8Array, columns: number, rows: number}} picture
 * @param {"waveform" | "spectrogram"} kind
 * @param {number} loudest of all pictures beside each other: see `loudest`
 */
export function draw(canvas, picture, kind, loudest) {
  const colour = getComputedStyle(canvas).color;
  if (kind === "waveform") drawWaveform(canvas, picture, colour, 0.95 / loudest);
  else drawSpectrogram(canvas, picture, colour, loudest);
}

/** The largest sample of all waveforms, or the highest level of all spectrograms. */
export function loudest(pictures, kind) {
  const values = pictures.map(({ peaks, levels }) => (kind === "waveform" ? peaks : levels));
  const most = (of) => of.reduce((found, value) => Math.max(found, Math.abs(value)), 0);
  return Math.max(...values.map(most)) || 1;
}

function drawWaveform(canvas, { peaks, columns }, colour, scale) {
  const height = 192;
  [canvas.width, canvas.height] = [columns, height];
  const context = canvas.getContext("2d");
  context.fillStyle = colour;
  for (let column = 0; column < columns; column++) {
    const low = Math.max(-1, peaks[2 * column] * scale);
    const high = Math.min(1, peaks[2 * column + 1] * scale);
    const top = ((1 - high) / 2) * height;
    context.fillRect(column, Math.min(top, height / 2 - 0.75), 1, Math.max(1.5, ((high - low) / 2) * height));
  }
}

function drawSpectrogram(canvas, { levels, columns, rows }, colour, loudest) {
  [canvas.width, canvas.height] = [columns, rows];
  const context = canvas.getContext("2d");
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  const image = context.createImageData(columns, rows);
  levels.forEach((level, index) => {
    const share = Math.max(0, 1 - (loudest - level) / RANGE);
    image.data.set([red, green, blue, 255 * share ** 1.5], 4 * index);
  });
  context.putImageData(image, 0, 0);
}
