/** Sound from a microphone or a tab, separated while it sounds. */

import { InputError } from "./errors.js";
import { raised, startWorker } from "./separation.js";

/**
 * Ask for sound.
 *
 * @param {"microphone" | "tab"} from
 * @returns {Promise<MediaStream>}
 */
export async function sound(from) {
  // What makes calls clearer takes music apart the wrong way.
  const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const devices = navigator.mediaDevices;
  if (from === "microphone") {
    if (!devices) throw new InputError("This browser gives no microphone here: open the page by HTTPS.");
    const denied = "This page may not use the microphone: allow it in the settings of the browser.";
    return asked(() => devices.getUserMedia({ audio: plain }), denied);
  }
  if (!devices?.getDisplayMedia) throw new InputError("This browser cannot share a tab's sound: use the microphone.");
  const options = { video: true, audio: { ...plain, suppressLocalAudioPlayback: true } };
  const stream = await asked(() => devices.getDisplayMedia(options), "No tab was shared: choose one.");
  stream.getVideoTracks().forEach((track) => stream.removeTrack(track));
  if (stream.getAudioTracks().length) return stream;
  throw new InputError("The tab was shared without its sound: share it again, with its sound.");
}

async function asked(request, denied) {
  try {
    return await request();
  } catch (error) {
    if (error.name === "NotAllowedError") throw new InputError(denied);
    throw new InputError("No sound is available: connect a microphone, or choose a file instead.");
  }
}

/**
 * Separate a stream until it is stopped.
 *
 * @param {{content: ArrayBuffer, name: string, metadata: object}} model of mode "streaming"
 * @param {MediaStream} stream
 * @param {(state: {latency: number, gaps: number, load: number, peaks: Float32Array}) => void} report
 *   called several times a second; latency in seconds from sound to sound, as far as the browser knows it
 * @param {(error: Error) => void} fail called where it cannot go on
 * @returns {Promise<{setGains: (gains: number[]) => void, stop: () => void}>}
 */
export async function listen(model, stream, report, fail) {
  const { metadata } = model;
  const { sample_rate: sampleRate, channels, sources, timing } = metadata;
  const context = new AudioContext({ sampleRate, latencyHint: "interactive" });
  const worker = startWorker("live_worker.js");
  const stop = () => {
    stream.getTracks().forEach((track) => track.stop());
    worker.terminate();
    if (context.state !== "closed") context.close();
  };
  try {
    const channel = new MessageChannel();
    await loaded(worker, model, channel.port1, fail);
    await context.audioWorklet.addModule("worklet.js");
    const node = new AudioWorkletNode(context, "live", {
      channelCount: channels,
      channelCountMode: "explicit",
      outputChannelCount: [channels],
      processorOptions: { step: timing.step, channels, sources: sources.length },
    });
    node.port.postMessage({ worker: channel.port2 }, [channel.port2]);
    const behind = metadata.skip - metadata.lead;
    node.port.onmessage = ({ data }) => {
      if (!data.played) return;
      const device = (context.baseLatency || 0) + (context.outputLatency || 0);
      report({ ...data, latency: (data.behind + behind) / sampleRate + device });
    };
    sourceOf(context, stream).connect(node).connect(context.destination);
    await context.resume();
    return { setGains: (gains) => node.port.postMessage({ gains }), stop };
  } catch (error) {
    stop();
    throw error;
  }
}

function loaded(worker, { content, name, metadata }, port, fail) {
  return new Promise((resolve, reject) => {
    worker.onerror = () => reject(new InputError("The page cannot start its worker: reload it."));
    worker.onmessage = ({ data }) => {
      if (data.ready) {
        worker.onmessage = ({ data: later }) => fail(raised(later.error));
        resolve();
      } else reject(raised(data.error));
    };
    const folder = new URL("wasm/", document.baseURI).href;
    worker.postMessage({ content, name, metadata, folder, port }, [port]);
  });
}

/** Some browsers take streams only into contexts at the device's rate. */
function sourceOf(context, stream) {
  try {
    return new MediaStreamAudioSourceNode(context, { mediaStream: stream });
  } catch {
    throw new InputError(
      `This browser cannot bring the sound to the model's ${context.sampleRate} Hz: use Chrome, Edge or Safari.`,
    );
  }
}
