/** Where separating happens: one worker for each recording, ended to cancel. */

import { separate } from "./chunks.js";
import { load } from "./engine.js";
import { peaks } from "./peaks.js";
import { resample } from "./resample.js";
import { spectrogram } from "./spectra.js";

const COLUMNS = 1024;
const ROWS = 96;

self.onmessage = async ({ data }) => {
  const { content, name, metadata, recording, rate, folder } = data;
  try {
    const run = await load(new Uint8Array(content), metadata, name, folder);
    const resampled = recording.map((channel) => resample(channel, rate, metadata.sample_rate));
    const stems = await separate(resampled, metadata, run, (share) => postMessage({ share }));
    const pictures = stems.map((channels) => ({
      columns: COLUMNS,
      rows: ROWS,
      peaks: peaks(channels, COLUMNS),
      levels: spectrogram(channels[0], metadata.sample_rate, COLUMNS, ROWS),
    }));
    postMessage({ stems, pictures }, stems.flat().map((channel) => channel.buffer));
  } catch (error) {
    postMessage({ error: { name: error.name, message: String(error.message ?? error) } });
  }
};
