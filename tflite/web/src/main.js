/** The page: a recording and a model in, a mixer out. */

import { decode } from "./audio_file.js";
import { Mixer } from "./mixer.js";
import * as models from "./models.js";
import { record } from "./recorder.js";
import { separate } from "./separation.js";
import { clock, describe, duration, listed } from "./words.js";
import { announce, hideError, hideWork, progressOf, showError, showStep } from "./work.js";

const element = (id) => document.getElementById(id);
const page = { model: null, song: null, mixer: null, running: null, recording: null };

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

async function useModel(file) {
  cancel();
  page.model = null;
  element("about").textContent = "";
  page.model = await models.read(file);
  element("about").textContent = describe(page.model.metadata, file.size);
  element("again").hidden = !page.mixer;
}

async function openModel(file) {
  const select = element("model");
  await useModel(file);
  select.querySelector("[data-own]")?.remove();
  const option = new Option(file.name, "", true, true);
  option.dataset.own = "";
  select.add(option);
  select.disabled = false;
  page.own = file;
}

async function chooseModel() {
  const option = element("model").selectedOptions[0];
  await useModel("own" in option.dataset ? page.own : await models.fetched(option.value));
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
  else element("about").textContent = "No model lies beside this page: open one of kerasep's.";
}

// Recordings

async function useSong(file) {
  page.song = file;
  await separateSong();
}

async function separateSong() {
  cancel();
  const { song } = page;
  const controller = new AbortController();
  page.running = controller;
  closeMixer();
  try {
    await ready;
    if (!page.model) return element("model-file").focus();
    const { model } = page;
    const { metadata } = model;
    showStep(`Reading ${song.name}`);
    element("work").scrollIntoView({ block: "nearest" });
    const recording = await decode(song, metadata);
    controller.signal.throwIfAborted();
    const length = recording[0].length / metadata.sample_rate;
    const title = `Separating ${song.name}, ${clock(length)}`;
    showStep(title);
    const begun = performance.now();
    const { stems, pictures } = await separate(model, recording, {
      signal: controller.signal,
      progress: progressOf("Separating"),
    });
    showMixer(song, metadata, stems, pictures, length, (performance.now() - begun) / 1000);
  } finally {
    if (page.running === controller) {
      page.running = null;
      hideWork();
    }
  }
}

function showMixer(song, metadata, stems, pictures, length, seconds) {
  const { sources, sample_rate: rate } = metadata;
  const name = song.name.replace(/\.[^.]+$/, "");
  element("mixer").hidden = false;
  element("mixer-title").textContent = name;
  element("facts").textContent =
    `${clock(length)} at ${rate / 1000} kHz · separated in ${duration(seconds)}`;
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
  const button = element("record");
  if (page.recording) {
    const { stop, timer } = page.recording;
    page.recording = null;
    clearInterval(timer);
    button.textContent = "Record";
    button.classList.remove("recording");
    return useSong(await stop());
  }
  cancel();
  page.mixer?.player.pause();
  const stop = await record();
  const begun = performance.now();
  const show = () => (button.textContent = `Stop · ${clock((performance.now() - begun) / 1000)}`);
  page.recording = { stop, timer: setInterval(show, 250) };
  button.classList.add("recording");
  show();
  announce("Recording. Press the button again to stop.");
}

// What the user does

/** A file input, which takes the same file twice. */
function onFile(id, action) {
  element(id).onchange = ({ target }) => {
    const [file] = target.files;
    target.value = "";
    if (file) attempt(() => action(file));
  };
}

onFile("song", useSong);
onFile("model-file", openModel);
element("model").onchange = () => attempt(chooseModel);
element("again").onclick = () => attempt(separateSong);
element("record").onclick = () => attempt(toggleRecording);
element("cancel").onclick = () => {
  cancel();
  announce("Cancelled.");
  document.querySelector("label[for=song]").previousElementSibling.focus();
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
  if (file) attempt(() => (file.name.endsWith(".tflite") ? openModel(file) : useSong(file)));
});

const ready = attempt(start);
