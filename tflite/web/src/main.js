/** The page: a recording and a model in, a mixer out. */

import { decode } from "./audio_file.js";
import { InputError } from "./errors.js";
import { Mixer } from "./mixer.js";
import * as models from "./models.js";
import { record } from "./recorder.js";
import { separate } from "./separation.js";
import { clock, describe, duration, listed } from "./words.js";
import { announce, hideError, hideWork, progressOf, showError, showStep } from "./work.js";

const element = (id) => document.getElementById(id);
const page = {
  model: null,
  song: null,
  mixer: null,
  loaded: null, // a promise, kept once no model is on its way
  running: null, // the AbortController of a separation
  recording: null,
};

/** Do something that may fail for a reason that the user is told. */
async function attempt(action) {
  hideError();
  try {
    await action();
  } catch (error) {
    if (error.name !== "AbortError") showError(error);
  }
}

// Models

/** Take a model in use; where it cannot be read, the one before stays. */
async function useModel(file) {
  const model = await models.read(file);
  cancel();
  page.model = model;
  element("about").textContent = describe(model.metadata, file.size);
  element("again").hidden = !page.mixer;
}

async function openModel(file) {
  await useModel(file);
  const select = element("model");
  select.querySelector("[data-own]")?.remove();
  const option = new Option(file.name, "", true, true);
  option.dataset.own = "";
  select.add(option);
  select.disabled = false;
  page.own = file;
  page.option = option;
}

async function chooseModel() {
  const select = element("model");
  const [option] = select.selectedOptions;
  try {
    const file = "own" in option.dataset ? page.own : await models.fetched(option.value);
    if (option !== select.selectedOptions[0]) return; // another was chosen meanwhile
    await useModel(file);
    page.option = option;
  } catch (error) {
    if (page.option) page.option.selected = true;
    throw error;
  }
}

async function start() {
  const { models: beside, example } = await models.index();
  const select = element("model");
  beside.forEach(({ file, name }) => select.add(new Option(name, file)));
  select.disabled = !beside.length;
  if (example) {
    element("example").hidden = false;
    element("example").onclick = () => attempt(async () => useSong(await models.fetched(example)));
  }
  if (beside.length) await chooseModel();
  else element("about").textContent = "No model is included: open a .tflite file that kerasep exported.";
}

/** Load a model; recordings that are chosen meanwhile wait for it. */
function loading(action) {
  page.loaded = attempt(action);
}

// Recordings

async function useSong(file) {
  if (page.recording) endRecording();
  page.song = file;
  await separateSong();
}

async function separateSong() {
  cancel();
  const controller = new AbortController();
  page.running = controller;
  page.mixer?.player.pause();
  try {
    await separated(page.song, controller.signal);
  } finally {
    if (page.running === controller) {
      page.running = null;
      hideWork();
    }
  }
}

async function separated(song, signal) {
  showStep(`Reading ${song.name}`);
  element("work").scrollIntoView({ block: "nearest" });
  await unlessAborted(page.loaded, signal);
  const { model } = page;
  if (!model) throw new InputError("No model is loaded: open a .tflite file that kerasep exported.");
  const { recording, rate } = await unlessAborted(decode(song, model.metadata), signal);
  closeMixer();
  const length = recording[0].length / rate;
  showStep(`Separating ${song.name}, ${clock(length)}`);
  const begun = performance.now();
  const progress = progressOf("Separating");
  const { stems, pictures } = await separate(model, recording, rate, { signal, progress });
  showMixer(song, model.metadata, stems, pictures, length, (performance.now() - begun) / 1000);
}

/** Wait for what cannot be stopped, unless it is no longer wanted. */
function unlessAborted(promise, signal) {
  const aborted = new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  return Promise.race([promise, aborted]);
}

function showMixer(song, metadata, stems, pictures, length, seconds) {
  const { sources, sample_rate: rate } = metadata;
  const name = song.name.replace(/\.[^.]+$/, "");
  element("mixer").hidden = false;
  element("mixer-title").textContent = name;
  element("facts").textContent =
    `${clock(length)} at ${rate / 1000}\u00a0kHz · separated in ${duration(seconds)}`;
  page.mixer = new Mixer(sources, stems, pictures, rate, name);
  element("mixer-title").focus({ preventScroll: true });
  element("mixer").scrollIntoView({ block: "start" });
  announce(`Separated into ${listed(sources)}.`);
}

function closeMixer() {
  page.mixer?.close();
  page.mixer = null;
  element("mixer").hidden = true;
  element("again").hidden = true;
}

function cancel() {
  page.running?.abort();
}

// The microphone

async function toggleRecording() {
  if (page.recording) return useSong(await endRecording());
  cancel();
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

/** A file input, which takes the same file twice. */
function onFile(id, action) {
  element(id).onchange = ({ target }) => {
    const [file] = target.files;
    target.value = "";
    if (file) action(file);
  };
}

onFile("song", (file) => attempt(() => useSong(file)));
onFile("model-file", (file) => loading(() => openModel(file)));
element("model").onchange = () => loading(chooseModel);
element("again").onclick = () => attempt(separateSong);
element("record").onclick = () => attempt(toggleRecording);
element("cancel").onclick = () => {
  cancel();
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
  const [file] = event.dataTransfer.files;
  if (!file) return;
  if (file.name.endsWith(".tflite")) loading(() => openModel(file));
  else attempt(() => useSong(file));
});

loading(start);
