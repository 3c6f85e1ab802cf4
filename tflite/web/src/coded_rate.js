/** The sample rate that compressed audio states: MP3, AAC in MP4, Vorbis, Opus and FLAC in Ogg. */

const MP3_RATES = [44100, 48000, 32000]; // of MPEG-1; versions 2 and 2.5 have a half and a quarter
const OPUS_RATE = 48000; // at which all of it is decoded
const ENDS = 2 ** 20; // bytes at both ends of a file, in one of which MP4 describes its tracks

/**
 * Read the rate of a compressed file.
 *
 * @param {ArrayBuffer} content
 * @returns {number | null} in Hz; null for what is not known
 */
export function codedRate(content) {
  const bytes = new Uint8Array(content);
  const text = (start, length) => String.fromCharCode(...bytes.subarray(start, start + length));
  if (text(0, 4) === "OggS") return oggRate(new DataView(content), find(bytes, "OpusHead", 0, 512) >= 0);
  if (text(4, 4) === "ftyp") return mp4Rate(bytes);
  if (find(bytes, "OpusHead", 0, 8192) >= 0) return OPUS_RATE; // in WebM
  return mp3Rate(bytes, text(0, 3) === "ID3" ? id3Size(bytes) : 0);
}

function oggRate(view, opus) {
  if (opus) return OPUS_RATE;
  const bytes = new Uint8Array(view.buffer);
  const vorbis = find(bytes, "\x01vorbis", 0, 512);
  if (vorbis >= 0 && vorbis + 16 <= bytes.length) return view.getUint32(vorbis + 12, true);
  const flac = find(bytes, "fLaC", 0, 512);
  return flac >= 0 && flac + 22 <= bytes.length ? view.getUint32(flac + 18) >>> 12 : null;
}

/** Of the first sample entry "mp4a", whose rate is a fixed-point number of 16 and 16 bits. */
function mp4Rate(bytes) {
  for (const [from, to] of [[0, ENDS], [Math.max(0, bytes.length - ENDS), bytes.length]]) {
    for (let at = from; (at = find(bytes, "mp4a", at, to)) >= 0; at++) {
      const rate = (bytes[at + 28] << 8) | bytes[at + 29];
      if (rate) return rate;
    }
  }
  return null;
}

/** Of the first two headers of frames that are one frame apart. */
function mp3Rate(bytes, start) {
  for (let at = start; at < Math.min(bytes.length, start + ENDS) - 4; at++) {
    const frame = mp3Frame(bytes, at);
    if (frame && mp3Frame(bytes, at + frame.length)?.rate === frame.rate) return frame.rate;
  }
  return null;
}

function mp3Frame(bytes, at) {
  if (bytes[at] !== 0xff || (bytes[at + 1] & 0xe6) !== 0xe2) return null; // synchronised, layer 3
  const version = (bytes[at + 1] >> 3) & 3; // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
  const [bitrate, rate] = [bytes[at + 2] >> 4, MP3_RATES[(bytes[at + 2] >> 2) & 3]];
  if (version === 1 || !rate || bitrate === 0 || bitrate === 15) return null;
  const kilobits =
    version === 3
      ? [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320][bitrate - 1]
      : [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160][bitrate - 1];
  const own = rate / { 3: 1, 2: 2, 0: 4 }[version];
  const padding = (bytes[at + 2] >> 1) & 1;
  return { rate: own, length: Math.floor(((version === 3 ? 144000 : 72000) * kilobits) / own) + padding };
}

function id3Size(bytes) {
  return 10 + bytes.subarray(6, 10).reduce((size, byte) => size * 128 + byte, 0);
}

/** Where a text of single bytes occurs first, or -1. */
function find(bytes, text, from, to) {
  const codes = [...text].map((letter) => letter.charCodeAt(0));
  const last = Math.min(bytes.length, to) - codes.length;
  for (let at = from; at <= last; at++) {
    if (codes.every((code, index) => bytes[at + index] === code)) return at;
  }
  return -1;
}
