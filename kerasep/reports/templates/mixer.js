"use strict";
const mixers = [...document.querySelectorAll(".mixer")].map(startMixer);

function startMixer(mixer) {
  const play = mixer.querySelector(".play");
  const place = mixer.querySelector(".place");
  const time = mixer.querySelector(".time");
  const notice = mixer.querySelector(".notice");
  const modes = [...mixer.querySelectorAll("fieldset input")];
  const rows = [...mixer.querySelectorAll(".stem")];
  const takes = [...mixer.querySelectorAll("audio")].map((audio) => ({
    audio, row: audio.closest(".stem"), mode: audio.dataset.mode,
  }));
  const duration = Number(mixer.dataset.seconds);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let context = null, ready = null, playing = false, began = 0, offset = 0, timer = 0;

  const pressed = (button) => button.getAttribute("aria-pressed") === "true";
  const press = (button, value) => button.setAttribute("aria-pressed", String(value));
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  const position = () => playing ? Math.min(Math.max(context.currentTime - began, 0), duration) : offset;

  // One context decodes all stems, so that they share a clock.
  async function prepare() {
    context = new AudioContext();
    await Promise.all(takes.map(async (take) => {
      const bytes = Uint8Array.from(atob(take.audio.src.split(",")[1]), (c) => c.charCodeAt(0));
      take.buffer = await context.decodeAudioData(bytes.buffer);
      take.gain = new GainNode(context, { gain: 0 });
      take.gain.connect(context.destination);
    }));
  }

  function mix() {
    const mode = modes.find((input) => input.checked).value;
    const present = (row) => takes.some((take) => take.row === row && take.mode === mode);
    const soloed = rows.some((row) => present(row) && pressed(row.querySelector(".solo")));
    for (const row of rows) {
      row.hidden = !present(row);
      const heard = soloed ? pressed(row.querySelector(".solo")) : !pressed(row.querySelector(".mute"));
      row.classList.toggle("unheard", !heard);
      for (const picture of row.querySelectorAll("img")) picture.hidden = picture.dataset.mode !== mode;
      for (const take of takes.filter((take) => take.row === row && take.gain)) {
        const level = heard && take.mode === mode ? Number(row.querySelector(".volume").value) : 0;
        take.gain.gain.setTargetAtTime(level, context.currentTime, 0.012);
      }
    }
  }

  function show() {
    const at = position();
    place.value = at;
    place.setAttribute("aria-valuetext", `${at.toFixed(1)} of ${duration.toFixed(1)} seconds`);
    mixer.style.setProperty("--at", at / duration);
    time.textContent = `${clock(at)} / ${clock(duration)}`;
  }

  function follow() {
    clearTimeout(timer);
    if (playing && position() >= duration) { pause(); offset = 0; }
    show();
    if (playing) timer = setTimeout(() => requestAnimationFrame(follow), calm.matches ? 500 : 30);
  }

  function stop() {
    for (const take of takes) {
      take.source?.stop();
      take.source = null;
    }
  }

  function pause() {
    if (!playing) return;
    offset = position();
    playing = false;
    stop();
    press(play, false);
    show();
  }

  function start() {
    stop();
    const when = context.currentTime + 0.05;
    for (const take of takes) {
      take.source = new AudioBufferSourceNode(context, { buffer: take.buffer });
      take.source.connect(take.gain);
      take.source.start(when, offset);
    }
    began = when - offset;
    playing = true;
    press(play, true);
    mix();
    follow();
  }

  async function toggle() {
    if (playing) return pause();
    for (const other of mixers) other.pause();
    try {
      await (ready ??= prepare());
      await context.resume();
    } catch {
      ready = null;
      notice.hidden = false;
      return;
    }
    if (!playing) start();
  }

  function seek(seconds) {
    offset = Math.min(Math.max(seconds, 0), duration - 0.01);
    if (playing) start(); else show();
  }

  play.addEventListener("click", toggle);
  place.addEventListener("input", () => seek(Number(place.value)));
  for (const input of modes) input.addEventListener("change", mix);
  for (const row of rows) {
    for (const button of row.querySelectorAll("button")) {
      button.addEventListener("click", () => { press(button, !pressed(button)); mix(); });
    }
    row.querySelector(".volume").addEventListener("input", mix);
    const picture = row.querySelector(".picture");
    picture.addEventListener("click", (event) => {
      const box = picture.getBoundingClientRect();
      seek((event.clientX - box.left) / box.width * duration);
    });
  }
  mixer.classList.add("ready");
  mix();
  show();
  return { pause };
}
