import assert from "node:assert/strict";
import { test } from "node:test";

import { plan, separate } from "../src/chunks.js";
import { fixtures, floats, missing } from "./support/fixtures.js";

test("a recording shorter than a chunk is one piece", () => {
  assert.deepEqual(plan(5, { chunk: 8, overlap: 2, hop: 1 }), [{ start: 0, length: 5, early: 0 }]);
  assert.deepEqual(plan(8, { chunk: 8, overlap: 2, hop: 1 }), [{ start: 0, length: 8, early: 0 }]);
});

test("the last piece begins early enough to be a whole one but for less than a hop", () => {
  assert.deepEqual(plan(9, { chunk: 8, overlap: 2, hop: 2 }), [
    { start: 0, length: 8, early: 0 },
    { start: 6, length: 7, early: 4 },
  ]);
});

test("progress rises to one, a step for each chunk", async () => {
  const shares = [];
  const model = { sources: ["same"], channels: 1, chunk: 40, overlap: 10, hop: 1 };
  const [[stem]] = await separate([Float32Array.from({ length: 100 }, Math.sin)], model, (x) => x, (share) =>
    shares.push(share),
  );
  assert.deepEqual(shares, [0.4, 0.7, 1]);
  assert.deepEqual(stem, Float32Array.from({ length: 100 }, Math.sin));
});

test("60 recordings are cut, faded and put in order as in Python, to the last bit", { skip: missing }, async () => {
  assert.equal(fixtures.chunks.length, 60);
  for (const [number, { samples, count, model }] of fixtures.chunks.entries()) {
    const input = floats(`chunks/${number}.in`);
    const recording = Array.from({ length: count }, (_, channel) =>
      input.subarray(channel * samples, (channel + 1) * samples),
    );
    const stems = await separate(recording, model, process(model));
    const expected = floats(`chunks/${number}.out`);
    stems.flat().forEach((stem, index) => {
      const of = expected.subarray(index * samples, (index + 1) * samples);
      assert.deepEqual(stem, of, `case ${number}: ${JSON.stringify({ samples, count, ...model })}`);
    });
  }
});

/** The same process as in fixtures.py. */
function process({ channels, interchangeable }) {
  let calls = 0;
  return async (input) => {
    const output = new Float32Array(input.length * 3);
    const turn = interchangeable ? calls : 0;
    calls += 1;
    input.forEach((x, index) => {
      const ramp = Math.floor(index / channels) / 64;
      [x, Math.fround(x * 0.5) + ramp, -x + ramp].forEach((value, source) => {
        output[index * 3 + ((source + turn) % 3)] = value;
      });
    });
    return output;
  };
}
