import assert from "node:assert/strict";
import { test } from "node:test";

import { InputError } from "../src/errors.js";
import { parseMetadata } from "../src/metadata.js";
import { bytes, missing } from "./support/fixtures.js";

const refusal = (content) => {
  try {
    parseMetadata(content, "model.tflite");
  } catch (error) {
    assert.ok(error instanceof InputError, error.stack);
    assert.ok(!error.message.includes("\n"));
    return error.message;
  }
  assert.fail("not refused");
};

/** A file in which a text is replaced by another of the same length. */
function replaced(name, text, other) {
  const content = Buffer.from(bytes(name));
  const at = content.indexOf(text);
  assert.ok(at > 0);
  content.write(other, at);
  return content.buffer.slice(content.byteOffset, content.byteOffset + content.length);
}

test("a file says what it takes and gives", { skip: missing }, () => {
  const metadata = parseMetadata(bytes("stereo.tflite"), "stereo.tflite");
  assert.deepEqual(metadata.sources, ["vocals", "drums", "accompaniment"]);
  assert.equal(metadata.sample_rate, 8000);
  assert.equal(metadata.channels, 2);
  assert.equal(metadata.chunk, 8000);
  assert.equal(metadata.interchangeable, false);
  assert.equal(parseMetadata(bytes("any_order.tflite"), "any_order.tflite").interchangeable, true);
});

test("other files are not TFLite", () => {
  assert.match(refusal(new ArrayBuffer(0)), /model.tflite is not a TFLite file/);
  assert.match(refusal(new TextEncoder().encode("RIFF....WAVE").buffer), /is not a TFLite file/);
});

test("a TFLite file without the metadata is not one of kerasep's", { skip: missing }, () => {
  assert.match(refusal(replaced("stereo.tflite", "kerasep\0", "another\0")), /not one of kerasep's/);
});

test("a newer format is named", { skip: missing }, () => {
  const newer = replaced("stereo.tflite", '"format": 2', '"format": 9');
  assert.match(refusal(newer), /newer format \(9, this page reads 2\)/);
});

test("a file of another mode is told how to become one of this", { skip: missing }, () => {
  const other = replaced("stereo.tflite", '"mode": "separate"', '"mode": "streamed"');
  assert.match(refusal(other), /exported in mode "streamed": export it again in mode "separate"/);
});

test("metadata that lacks what the page needs is damage", { skip: missing }, () => {
  assert.match(refusal(replaced("stereo.tflite", '"chunk"', '"chink"')), /damaged or incomplete/);
  assert.match(refusal(replaced("stereo.tflite", '{"format"', '"{format"')), /damaged or incomplete/);
});

test("a file cut short anywhere is refused", { skip: missing }, () => {
  const whole = bytes("stereo.tflite");
  for (let cut = 1; cut <= 200; cut++) {
    const length = Math.floor((whole.byteLength * (200 - cut)) / 200);
    assert.match(refusal(whole.slice(0, length)), length < 8 ? /not a TFLite/ : /damaged or incomplete/);
  }
  assert.match(refusal(whole.slice(0, whole.byteLength - 1)), /damaged or incomplete/);
});

test("bytes changed at random never raise anything else", { skip: missing }, () => {
  const whole = new Uint8Array(bytes("any_order.tflite"));
  let seed = 1;
  const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
  for (let round = 0; round < 500; round++) {
    const changed = whole.slice();
    for (let i = 0; i < 20; i++) changed[8 + random(Math.min(4000, whole.length - 8))] = random(256);
    try {
      parseMetadata(changed.buffer, "changed.tflite");
    } catch (error) {
      assert.ok(error instanceof InputError, error.stack);
    }
  }
});
