/** The microphone. */

import { InputError } from "./errors.js";

/**
 * Start to record.
 *
 * @returns {Promise<() => Promise<File>>} function that stops, and gives the recording
 */
export async function record() {
  const stream = await microphone();
  const recorder = new MediaRecorder(stream, { audioBitsPerSecond: 256000 });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  recorder.start();
  return () =>
    new Promise((resolve) => {
      recorder.onstop = () => {
        stream.getTracks().forEach((track) => track.stop());
        resolve(new File(parts, "recording", { type: recorder.mimeType }));
      };
      recorder.stop();
    });
}

async function microphone() {
  if (!navigator.mediaDevices || !self.MediaRecorder) {
    throw new InputError("This browser cannot record here: choose a file instead.");
  }
  try {
    // What makes calls clearer takes music apart the wrong way.
    const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    throw new InputError(
      error.name === "NotAllowedError"
        ? "This page may not use the microphone: allow it in the settings of the browser."
        : "No microphone is available: connect one, or choose a file instead.",
    );
  }
}
