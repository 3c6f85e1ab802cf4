import assert from "node:assert/strict";
import { test } from "node:test";

import { NoModel, Songs } from "../src/songs.js";

const file = (name) => ({ name });

/** Songs whose separation ends when it is told to. */
function queue() {
  const calls = [];
  const separate = (song, signal) =>
    new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      calls.push({ name: song.file.name, resolve, reject });
    });
  return { songs: new Songs(separate, () => {}), calls };
}

const states = (songs) => songs.list.map(({ file: { name }, state }) => `${name} ${state}`);
const turn = () => new Promise((resolve) => setTimeout(resolve));

test("songs are separated in turn; one that fails does not stop the others", async () => {
  const { songs, calls } = queue();
  songs.add([file("a"), file("b")]);
  songs.add([file("c")]);
  assert.deepEqual(songs.list.map(({ opens }) => opens), [true, false, true]);
  calls[0].resolve({});
  await turn();
  calls[1].reject(new Error("damaged"));
  await turn();
  assert.deepEqual(states(songs), ["a ready", "b failed", "c working"]);
  // What failed makes room for what comes.
  songs.add([file("d")]);
  assert.deepEqual(states(songs), ["a ready", "c working", "d waiting"]);
});

test("another model begins the song at work again, and no other", async () => {
  const { songs, calls } = queue();
  songs.add([file("a"), file("b")]);
  songs.restart();
  await turn();
  assert.deepEqual(calls.map(({ name }) => name), ["a", "a"]);
  assert.deepEqual(states(songs), ["a working", "b waiting"]);
});

test("a song without a model waits until there is one", async () => {
  const { songs, calls } = queue();
  songs.add([file("a")]);
  calls[0].reject(new NoModel());
  await turn();
  assert.deepEqual(states(songs), ["a waiting"]);
  songs.restart();
  await turn();
  assert.deepEqual(calls.map(({ name }) => name), ["a", "a"]);
});

test("a cancelled song is gone, but one that was ready keeps what it has", async () => {
  const { songs, calls } = queue();
  songs.add([file("a"), file("b")]);
  calls[0].resolve({ stems: "old" });
  await turn();
  songs.cancel(songs.list[1]);
  await turn();
  assert.deepEqual(states(songs), ["a ready"]);
  songs.again(songs.list[0]);
  songs.cancel(songs.list[0]);
  await turn();
  assert.deepEqual(states(songs), ["a ready"]);
  assert.equal(songs.list[0].result.stems, "old");
});
