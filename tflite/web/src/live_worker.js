/** A stream through a model: blocks from the worklet, and their sources back to it. */

import { loadStream } from "./engine.js";

const WARM_STEPS = 8; // of silence before the first block: the first ones take longer

self.onmessage = async ({ data }) => {
  const { content, name, metadata, folder, port } = data;
  try {
    const { step, start } = await loadStream(new Uint8Array(content), metadata, name, folder);
    const silence = new Float32Array(metadata.timing.step * metadata.channels);
    let state = await start();
    for (let done = 0; done < metadata.lead + WARM_STEPS * metadata.timing.step; done += metadata.timing.step) {
      ({ state } = await step(silence, state));
    }
    let turn = Promise.resolve();
    const separate = async (input) => {
      const begun = performance.now();
      const result = await step(input, state);
      state = result.state;
      const { sources } = result;
      port.postMessage({ sources, seconds: (performance.now() - begun) / 1000 }, [sources.buffer]);
    };
    port.onmessage = (event) => {
      turn = turn.then(() => separate(event.data)).catch(fail);
    };
    postMessage({ ready: true });
  } catch (error) {
    fail(error);
  }
};

function fail(error) {
  postMessage({ error: { name: error.name, message: String(error.message ?? error) } });
}
