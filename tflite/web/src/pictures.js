/** Waveforms and spectrograms on canvases, in the colour that the stylesheet gives the canvas. */

/**
 * Draw one.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {{peaks: Float32Array, levels: Uint8Array, columns: number, rows: number}} picture
 * @param {"waveform" | "spectrogram"} kind
 * @param {number} scale what a waveform is multiplied by
 */
export function draw(canvas, picture, kind, scale) {
  const colour = getComputedStyle(canvas).color;
  if (kind === "waveform") drawWaveform(canvas, picture, colour, scale);
  else drawSpectrogram(canvas, picture, colour);
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

function drawSpectrogram(canvas, { levels, columns, rows }, colour) {
  [canvas.width, canvas.height] = [columns, rows];
  const context = canvas.getContext("2d");
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  const image = context.createImageData(columns, rows);
  levels.forEach((level, index) => {
    image.data.set([red, green, blue, 255 * (level / 255) ** 1.6], 4 * index);
  });
  context.putImageData(image, 0, 0);
}

/** Draw the loudest of all waveforms as high as there is room, and the others beside it. */
export function commonScale(pictures) {
  const loudest = pictures.reduce(
    (most, { peaks }) => peaks.reduce((peak, value) => Math.max(peak, Math.abs(value)), most),
    0,
  );
  return loudest ? 0.95 / loudest : 1;
}
