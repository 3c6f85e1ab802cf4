/** JSON of which every language's parser reads the same. */

const MOST_BYTES = 2 ** 20;
const MOST_DEPTH = 16;
const MOST_NUMBER = 63; // letters
const TOKENS = /"(?:[^"\\]+|\\.)*"|[{}[\]:,]|-?\d[\d.eE+-]*/g;
const UNWRITABLE = /\0|\p{Surrogate}/u; // the latter: half a pair

/**
 * Parse bytes of UTF-8, without a byte order mark.
 *
 * Throws a RangeError, SyntaxError or TypeError for what is not JSON, for more than 1 MiB, 16 levels or
 * 63 letters in a number, a key that occurs twice in one object, and texts that cannot be written.
 *
 * @param {Uint8Array} bytes
 */
export function parse(bytes) {
  if (bytes.length > MOST_BYTES) throw new RangeError("too long");
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  const value = JSON.parse(text, (key, item) => {
    if (UNWRITABLE.test(key) || (typeof item === "string" && UNWRITABLE.test(item))) {
      throw new RangeError("a text that cannot be written");
    }
    return item;
  });
  checkTokens(text);
  return value;
}

/** Of text that is JSON, which its parsers have shown. */
function checkTokens(text) {
  const open = []; // of each bracket, the keys so far
  let before = "";
  for (const [token] of text.matchAll(TOKENS)) {
    if ("{[".includes(token)) {
      open.push(new Set());
      if (open.length > MOST_DEPTH) throw new RangeError("too many levels");
    } else if ("}]".includes(token)) {
      open.pop();
    } else if (token === ":") {
      const [keys, key] = [open.at(-1), JSON.parse(before)];
      if (keys.has(key)) throw new SyntaxError("a key twice");
      keys.add(key);
    } else if (token[0] !== '"' && token.length > MOST_NUMBER) {
      throw new RangeError("too long a number");
    }
    before = token;
  }
}
