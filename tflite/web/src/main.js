/** The page: recordings and a model in, a mixer out. */

import { decode } from "./audio_file.js";
import { isolate } from "./isolation.js";
import { LiveView } from "./live_view.js";
import { Mixer } from "./mixer.js";
import { ModelChoice } from "./model_choice.js";
import * as models from "./models.js";
import { record } from "./recorder.js";
import { prepare } from "./separation.js";
import { showSongs } from "./song_list.js";
import { NoModel, Songs } from "./songs.js";
import { clock, duration, listed } from "./words.js";
import { announce, hideError, hideWork, Progress, showError, showStep } from "./work.js";

const element = (id) => document.getElementById(id);
const page = { mixer: null, open: null, recording: null };

/** Do something that may fail for a reason that the user is told. */
async function attempt(action) {
  hideError();
  try {
    await action();
  } catch (error) {
    if (error.name !== "AbortError") showError(error);
  }
}

// Songs

async function separated(song, signal) {
  const { name } = song.file;
  showStep(`Reading ${name}`);
  const model = await unlessAborted(choice.current(), signal);
  if (!model) throw new NoModel();
  model.expect();
  const { metadata } = model;
  const held = songs.list.reduce((sum, { result }) => sum + (result?.bytes ?? 0), 0);
  const { recording, rate } = await unlessAborted(decode(song.file, metadata, held), signal);
  const length = recording[0].length / rate;
  const bytes = 4 * recording.length * recording[0].length * metadata.sources.length;
  showStep(`Separating ${name}, ${clock(length)}`);
  const begun = performance.now();
  const progress = new Progress("Separating", (share) => showShare(song, share));
  try {
    const separating = model.separate(recording, rate, { signal, progress: (step) => progress.update(step) });
    const { stems, pictures } = await unlessAborted(separating, signal);
    const seconds = (performance.now() - begun) / 1000;
    return { metadata, stems, pictures, rate, length, seconds, bytes };
  } finally {
    progress.end();
  }
}

/** Wait for what cannot be stopped, unless it is no longer wanted. */
function unlessAborted(promise, signal) {
  const aborted = new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  return Promise.race([promise, aborted]);
}

function showShare(song, share) {
  song.share = share;
  listSongs();
}

function changed(song) {
  if (song.state === "working" || song.state === "waiting") song.share = 0;
  if (song.state !== "working" && !songs.current) hideWork();
  if (song.error) {
    if (song.state !== "working") showError(song.error);
    if (song.state === "ready") song.error = null;
  }
  if (song.state === "ready" && song.opens) {
    song.opens = false;
    openSong(song);
  }
  if (page.open && !songs.list.includes(page.open)) closeMixer();
  listSongs();
}

function listSongs() {
  showSongs(songs.list, page.open, {
    open: openSong,
    remove: (song) => {
      songs.cancel(song);
      element("song").focus();
    },
  });
}

function openSong(song) {
  const { metadata, stems, pictures, rate, length, seconds } = song.result;
  closeMixer();
  const name = song.file.name.replace(/\.[^.]+$/, "");
  element("mixer").hidden = false;
  element("mixer-title").textContent = name;
  element("facts").textContent = `${clock(length)} at ${rate / 1000}\u00a0kHz · separated in ${duration(seconds)}`;
  page.mixer = new Mixer(metadata.sources, stems, pictures, rate, name);
  page.open = song;
  offerAgain();
  element("mixer-title").focus({ preventScroll: true });
  element("mixer").scrollIntoView({ block: "start" });
  announce(`Separated into ${listed(metadata.sources)}.`);
  listSongs();
}

function closeMixer() {
  page.mixer?.close();
  page.mixer = null;
  page.open = null;
  element("mixer").hidden = true;
}

/** A song that another model has separated can be separated again. */
function offerAgain() {
  const { open } = page;
  const other = open && choice.model && open.result.metadata !== choice.model.metadata;
  element("again").hidden = !other || open.state !== "ready";
}

// The microphone

async function toggleRecording() {
  if (page.recording) return songs.add([await endRecording()]);
  page.mixer?.player.pause();
  const button = element("record");
  const stop = await record();
  const begun = performance.now();
  const show = () => (button.textContent = `Stop · ${clock((performance.now() - begun) / 1000)}`);
  page.recording = { stop, timer: setInterval(show, 250) };
  button.classList.add("recording");
  show();
  announce("Recording. Press the button again to stop.");
}

/** Stop; give the recording. */
function endRecording() {
  const { stop, timer } = page.recording;
  page.recording = null;
  clearInterval(timer);
  element("record").textContent = "Record";
  element("record").classList.remove("recording");
  return stop();
}

// What the user does

const songs = new Songs(separated, changed);
const live = new LiveView(attempt, () => page.mixer?.player.pause());
const choice = new ModelChoice(attempt, {
  used: () => {
    offerAgain();
    songs.restart();
  },
  live: (file) => live.open(file),
});

/** A file input, which takes the same files twice. */
function onFiles(id, action) {
  element(id).onchange = ({ target }) => {
    const files = [...target.files];
    target.value = "";
    if (files.length) action(files);
  };
}

const take = (files) => attempt(() => songs.add(files));
onFiles("song", take);
onFiles("model-file", ([file]) => choice.open(file));
element("again").onclick = () => {
  songs.again(page.open);
  offerAgain();
};
element("record").onclick = () => attempt(toggleRecording);
element("cancel").onclick = () => {
  const { song } = songs.current;
  songs.cancel(song);
  announce("Cancelled.");
  element("song").focus();
};

addEventListener("dragover", (event) => {
  event.preventDefault();
  element("drop").classList.add("over");
});
addEventListener("dragleave", ({ relatedTarget }) => {
  if (!relatedTarget) element("drop").classList.remove("over");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  element("drop").classList.remove("over");
  const files = [...event.dataTransfer.files];
  const [model] = files.filter(({ name }) => name.endsWith(".tflite"));
  if (model) choice.open(model);
  const recordings = files.filter(({ name }) => !name.endsWith(".tflite"));
  if (recordings.length) take(recordings);
});

choice.start(async () => {
  // A page that is not isolated yet is about to load itself again.
  if (crossOriginIsolated) prepare();
  await isolate(() => songs.list.length > 0 || Boolean(page.recording));
  if (!crossOriginIsolated) prepare();
  const { models: beside, live: streams, example } = await models.index();
  live.offer(streams);
  if (example) {
    element("example").hidden = false;
    element("example").onclick = () => attempt(async () => songs.add([await models.fetched(example)]));
  }
  return beside;
});
element("starting").hidden = true;
