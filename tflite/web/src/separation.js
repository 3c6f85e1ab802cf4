/** The page's side of a worker. */

import { InputError } from "./errors.js";
import { TOO_LARGE } from "./memory.js";

const FOLDER = new URL("wasm/", document.baseURI).href;

let spare = null; // a worker that loads LiteRT while there is no model

/** Load what every model needs, for the first of them. */
export function prepare() {
  spare = startWorker("worker.js");
  spare.onerror = () => (spare = null); // the model's own worker says why
  spare.postMessage({ folder: FOLDER });
}

/** A model in a worker, which is ready for one recording after the other. */
export class LoadedModel {
  /** @param {{content: ArrayBuffer, name: string, metadata: object}} model */
  constructor(model) {
    this.metadata = model.metadata;
    this.worker = spare ?? startWorker("worker.js");
    spare = null;
    this.asked = new Map(); // what waits for an answer, by its number
    this.last = 0;
    this.worker.onmessage = ({ data }) => this.receive(data);
    this.worker.onerror = (event) => {
      const error = new InputError(`The page cannot start its worker (${event.message || "no answer"}): reload it.`);
      this.asked.forEach(({ reject }) => reject(error));
    };
    this.ready = this.ask({ ...model, folder: FOLDER });
    this.ready.catch(() => {}); // so that who waits later hears of it too
  }

  /** A recording is being decoded for this model, which need not run for nothing meanwhile. */
  expect() {
    this.worker.postMessage({ expect: true });
  }

  /**
   * Separate a recording.
   *
   * @param {Float32Array[]} recording one array a channel; given away
   * @param {number} rate its sample rate in Hz
   * @param {{signal: AbortSignal, progress: (step: {share, until, seconds}) => void}} options
   * @returns {Promise<{stems: Float32Array[][], pictures: object[]}>} [source][channel], at `rate`
   */
  async separate(recording, rate, { signal, progress }) {
    const stop = () => this.worker.postMessage({});
    signal.addEventListener("abort", stop);
    try {
      const buffers = recording.map((channel) => channel.buffer);
      const [, result] = await Promise.all([this.ready, this.ask({ recording, rate }, buffers, progress)]);
      return result;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  close() {
    this.worker.terminate();
    const error = new DOMException("another model is used", "AbortError");
    this.asked.forEach(({ reject }) => reject(error));
  }

  ask(message, buffers = [], progress = () => {}) {
    const number = ++this.last;
    return new Promise((resolve, reject) => {
      this.asked.set(number, { resolve, reject, progress });
      this.worker.postMessage({ ...message, number }, buffers);
    });
  }

  receive({ number, share, until, seconds, result, error }) {
    const { resolve, reject, progress } = this.asked.get(number);
    if (share !== undefined) return progress({ share, until, seconds });
    this.asked.delete(number);
    if (error) reject(raised(error));
    else resolve(result);
  }
}

/**
 * Start a script of the page's in a worker.
 *
 * A worker in memory is bound by this page's security policy; one from an address of its own is
 * bound by what the server sends with it, which on most is nothing.
 */
export function startWorker(name) {
  const script = new URL(name, document.baseURI).href;
  const source = new Blob([`importScripts(${JSON.stringify(script)})`], { type: "text/javascript" });
  const address = URL.createObjectURL(source);
  const worker = new Worker(address);
  // Until it runs, the worker may not have read the address yet.
  worker.addEventListener("message", () => URL.revokeObjectURL(address), { once: true });
  return worker;
}

/** The error that a worker describes. */
export function raised({ name, message }) {
  if (name === "InputError") return new InputError(message);
  if (name === "AbortError") return new DOMException(message, name);
  const memory = name === "RangeError" || /memory|OOM/i.test(message);
  return memory ? new InputError(TOO_LARGE) : new Error(message);
}
