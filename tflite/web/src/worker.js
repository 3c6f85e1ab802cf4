/** Where separating happens: one worker for a model, which separates one recording after another. */

import { atOwnRate } from "./bands.js";
import { plan, separate } from "./chunks.js";
import { load, loadRuntime } from "./engine.js";
import { peaks } from "./peaks.js";
import { resample } from "./resample.js";

const COLUMNS = 1024;
const WARM_UPS = 4;
// Seconds for a second of one channel, and for a chunk while none has been timed, to foretell the time.
const [RESAMPLING, CHUNK] = [0.01, 0.3];

let loaded = null; // a promise: how to run the model, its metadata, the seconds that a chunk takes
let turn = Promise.resolve();
let wanted = null; // the number of the recording that has not been cancelled
let idle = true; // no recording has been chosen yet

self.onmessage = ({ data }) => {
  if (data.content) {
    loaded = prepare(data);
    turn = loaded.then(warmUp).catch(() => {}); // answered below
    answer(data.number, () => loaded.then(() => null));
  } else if (data.expect) idle = false;
  else if (data.recording) {
    wanted = data.number;
    turn = turn.then(() => answer(data.number, () => separateAll(data)));
  } else if (data.folder) loadRuntime(data.folder).catch(() => {}); // said when a model is loaded
  else wanted = null;
};

/** Do something and post what it returns, or why it failed. */
async function answer(number, action) {
  try {
    const result = await action();
    const buffers = result?.stems.flat().map((channel) => channel.buffer) ?? [];
    postMessage({ number, result }, buffers);
  } catch (error) {
    postMessage({ number, error: { name: error.name, message: String(error.message ?? error) } });
  }
}

async function prepare({ content, name, metadata, folder }) {
  return { run: await load(new Uint8Array(content), metadata, name, folder), metadata, seconds: CHUNK };
}

/**
 * Run the model a few times until a recording is chosen.
 *
 * The first time takes several times as long as later ones, while the browser optimises the code.
 */
async function warmUp(model) {
  const { chunk, channels } = model.metadata;
  const noise = Float32Array.from({ length: chunk * channels }, () => Math.random() - 0.5);
  for (let n = 0; n < WARM_UPS; n++) {
    await new Promise((resolve) => setTimeout(resolve)); // messages that came meanwhile
    if (!idle) return;
    const begun = performance.now();
    await model.run(noise);
    model.seconds = (performance.now() - begun) / 1000;
  }
}

async function separateAll({ number, recording, rate }) {
  const model = await loaded;
  checkWanted(number);
  const { run, metadata } = model;
  const progress = progressOf(number, steps(recording, rate, model));
  const mixture = [];
  for (const channel of recording) {
    mixture.push(resample(channel, rate, metadata.sample_rate));
    if (rate !== metadata.sample_rate) await progress();
  }
  let stems = await separate(mixture, metadata, run, async (_, seconds) => {
    model.seconds = seconds;
    await progress();
  });
  if (rate !== metadata.sample_rate) {
    stems = await atOwnRate(stems, metadata, mixture, recording, rate, progress);
  }
  const pictures = stems.map((channels) => ({ columns: COLUMNS, peaks: peaks(channels, COLUMNS) }));
  return { stems, pictures };
}

/** The seconds that each step of a separation is expected to take. */
function steps(recording, rate, { metadata, seconds }) {
  const samples = Math.round((recording[0].length * metadata.sample_rate) / rate);
  const groups = Math.ceil(recording.length / metadata.channels);
  const chunks = plan(samples, metadata).map(() => groups * seconds);
  if (rate === metadata.sample_rate) return chunks;
  const resampling = (RESAMPLING * recording[0].length) / rate;
  const down = recording.map(() => resampling);
  return [...down, ...chunks, ...metadata.sources.flatMap(() => down)];
}

/** Post which share is done, and the share and the seconds of the step to come. */
function progressOf(number, expected) {
  const whole = expected.reduce((sum, seconds) => sum + seconds, 0);
  let [done, next] = [0, 0];
  const post = () => {
    const seconds = expected[next] ?? 0;
    postMessage({ number, share: done / whole, until: (done + seconds) / whole, seconds });
  };
  post();
  return async () => {
    done += expected[next];
    next += 1;
    post();
    // Whether it has been cancelled is only known after a turn of the worker's loop.
    await new Promise((resolve) => setTimeout(resolve));
    checkWanted(number);
  };
}

function checkWanted(number) {
  if (wanted !== number) throw new DOMException("cancelled", "AbortError");
}
