/** The page's side of the worker. */

import { InputError } from "./errors.js";
import { TOO_LARGE } from "./memory.js";

/**
 * Separate a recording in a worker.
 *
 * @param {{content: ArrayBuffer, name: string, metadata: object}} model
 * @param {Float32Array[]} recording one array a channel; given away
 * @param {number} rate its sample rate in Hz
 * @param {{signal: AbortSignal, progress: (share: number) => void}} options
 * @returns {Promise<{stems: Float32Array[][], pictures: object[]}>} [source][channel], at the
 *   model's rate
 */
export function separate(model, recording, rate, { signal, progress }) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const worker = started();
    const end = (settle, value) => {
      worker.terminate();
      signal.removeEventListener("abort", abort);
      settle(value);
    };
    const abort = () => end(reject, signal.reason);
    signal.addEventListener("abort", abort);
    worker.onerror = (event) => end(reject, new Error(event.message || "the worker did not start"));
    worker.onmessage = ({ data }) => {
      if (data.share !== undefined) progress(data.share);
      else if (data.error) end(reject, raised(data.error));
      else end(resolve, data);
    };
    const folder = new URL("wasm/", document.baseURI).href;
    worker.postMessage({ ...model, recording, rate, folder }, recording.map((channel) => channel.buffer));
  });
}

/**
 * A worker in memory is bound by this page's security policy; one from an address of its own is
 * bound by what the server sends with it, which on most is nothing.
 */
function started() {
  const script = new URL("worker.js", document.baseURI).href;
  const source = new Blob([`importScripts(${JSON.stringify(script)})`], { type: "text/javascript" });
  const address = URL.createObjectURL(source);
  const worker = new Worker(address);
  // Until it runs, the worker may not have read the address yet.
  worker.addEventListener("message", () => URL.revokeObjectURL(address), { once: true });
  return worker;
}

function raised({ name, message }) {
  if (name === "InputError") return new InputError(message);
  const memory = name === "RangeError" || /memory|OOM/i.test(message);
  return memory ? new InputError(TOO_LARGE) : new Error(message);
}
