/** Numbers as people read them. */

/** 75.4 -> "1:15", 3675 -> "1:01:15" */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (value) => String(value).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** 75.4 -> "1 min 15 s" */
export function duration(seconds) {
  if (seconds < 10 && !Number.isInteger(seconds)) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min`;
}

export function gigabytes(bytes) {
  return `${(bytes / 1e9).toFixed(1)}\u00a0GB`;
}

export function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)}\u00a0MB`;
}

/** -6 -> "−6 dB" */
export function decibels(db) {
  return `${db > 0 ? "+" : ""}${db}`.replace("-", "\u2212") + "\u00a0dB";
}

/** What a model does: "vocals and drums · 16 kHz mono · 4.3 MB · weights: research use only" */
export function describe(metadata, bytes) {
  const { sources, sample_rate: rate, channels, licence } = metadata;
  const count = { 1: "mono", 2: "stereo" }[channels] ?? `${channels} channels`;
  const facts = [listed(sources), `${rate / 1000}\u00a0kHz ${count}`, megabytes(bytes)];
  if (licence) facts.push(`weights: ${licence}`);
  return facts.join(" · ");
}

/** ["a", "b", "c"] -> "a, b and c" */
export function listed(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
