/** What test/fixtures.py wrote: models, songs, and Python's results with them. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const folder = fileURLToPath(new URL("../../../../build/web-test", import.meta.url));
const list = join(folder, "fixtures.json");

/** Give as `skip` of a test that needs them. */
export const missing = existsSync(list) ? false : "no results of Python's to compare with: make web-test";
export const fixtures = missing ? { cases: [], chunks: [] } : JSON.parse(readFileSync(list, "utf8"));

export function bytes(name) {
  const content = readFileSync(join(folder, name));
  return content.buffer.slice(content.byteOffset, content.byteOffset + content.byteLength);
}

export function floats(name) {
  return new Float32Array(bytes(name));
}

/** Agreement in dB, over all samples. */
export function agreement(expected, received) {
  let [signal, error] = [0, 0];
  expected.forEach((value, index) => {
    signal += value ** 2;
    error += (value - received[index]) ** 2;
  });
  return 10 * Math.log10(signal / error);
}
