/** What a person can do something about, in one line: received, expected, what to do. */
export class InputError extends Error {
  name = "InputError";
}
