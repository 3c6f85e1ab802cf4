/** Downloads. */

import { wav } from "./wav.js";

/** Hand over samples as a WAV file, with the bits that are chosen on the page. */
export function save(channels, sampleRate, name) {
  const bits = Number(document.getElementById("bits").value);
  const file = new Blob([wav(channels, sampleRate, bits)], { type: "audio/wav" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = `${name}.wav`;
  link.click();
  // Some browsers read the address only after the click is over.
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
