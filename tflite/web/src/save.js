/** Downloads. */

import { Zip, ZipPassThrough } from "fflate";

import { wav } from "./wav.js";

/** Hand over samples as a WAV file, with the bits that are chosen on the page. */
export function save(channels, sampleRate, name) {
  hand(new Blob([encoded(channels, sampleRate)], { type: "audio/wav" }), `${name}.wav`);
}

/**
 * Hand over several as WAV files in one ZIP file.
 *
 * @param {{name: string, channels: Float32Array[]}[]} stems
 * @param {number} sampleRate in Hz
 * @param {string} name of the ZIP file
 */
export function saveAll(stems, sampleRate, name) {
  const parts = [];
  const zip = new Zip((error, part) => {
    if (error) throw error;
    parts.push(part);
  });
  for (const { name: stem, channels } of stems) {
    // Samples hardly become smaller.
    const entry = new ZipPassThrough(`${stem}.wav`);
    zip.add(entry);
    entry.push(new Uint8Array(encoded(channels, sampleRate)), true);
  }
  zip.end();
  hand(new Blob(parts, { type: "application/zip" }), `${name}.zip`);
}

function encoded(channels, sampleRate) {
  return wav(channels, sampleRate, Number(document.getElementById("bits").value));
}

function hand(file, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // Some browsers read the address only after the click is over.
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
