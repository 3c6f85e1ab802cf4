/** Stems at a recording's own rate, with all that lies above the band of the model. */

import { resample } from "./resample.js";

const VOICES = ["vocals", "voice", "singing"];
const ALL_BUT_THE_VOICE = ["accompaniment", "instrumental"];
const BAND = ["vocals", "drums", "bass"];
const ALWAYS = ["noise", "background", "rest", "residual"];

/** The source that stands for the rest of the mixture, or null; files of before did not say. */
export function residualOf({ residual, sources, interchangeable }) {
  if (residual !== undefined) return residual;
  return interchangeable ? null : residualSource(sources);
}

/** The same by the names of all sources, as in kerasep/separation/residual.py. */
function residualSource(sources) {
  const has = (name) => sources.includes(name);
  const accompaniment = ALL_BUT_THE_VOICE.find(has);
  if (accompaniment) return sources.length === 2 && VOICES.some(has) ? accompaniment : null;
  if (has("other")) return BAND.every(has) ? "other" : null;
  return (sources.length > 1 && ALWAYS.find(has)) || null;
}

/**
 * Resample stems; what the model's band has not is added to the residual.
 *
 * So stems that add up to the mixture at the model's rate add up to the recording at its own.
 *
 * @param {Float32Array[][]} stems [source][channel], at the model's rate
 * @param {object} metadata of the model
 * @param {Float32Array[]} mixture the recording at the model's rate
 * @param {Float32Array[]} recording
 * @param {number} rate the recording's, in Hz
 * @param {() => Promise<void>} progress called after every channel of a source
 * @returns {Promise<Float32Array[][]>}
 */
export async function atOwnRate(stems, metadata, mixture, recording, rate, progress = () => {}) {
  const { sample_rate: own, sources } = metadata;
  const residual = residualOf(metadata);
  const result = [];
  for (const [index, channels] of stems.entries()) {
    const rest = sources[index] === residual;
    result.push([]);
    for (const [channel, stem] of channels.entries()) {
      const whole = recording[channel];
      // up(stem) + recording - up(mixture), with one resampling for two.
      if (rest) subtract(stem, mixture[channel]);
      const resampled = resample(stem, own, rate, whole.length);
      if (rest) add(resampled, whole);
      result[index].push(resampled);
      await progress();
    }
  }
  return result;
}

function subtract(samples, others) {
  for (let i = 0; i < samples.length; i++) samples[i] -= others[i];
}

function add(samples, others) {
  for (let i = 0; i < samples.length; i++) samples[i] += others[i];
}
