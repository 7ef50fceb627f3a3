// The end of every switch over a union.

/** Throws: a value outside its declared union reached a switch, which is a bug in the caller's types. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
