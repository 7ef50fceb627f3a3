// Values of sequences, which are sums of numbers and names, evaluated with somebody's addresses for the names.
import type { Value } from './sequence.ts';

const term = /\s*([+-]?)\s*(0x[0-9a-f]+|\d+|@?[a-z_]\w*)/iy;

export function evaluate(value: Value, resolve: (name: string) => bigint | null): bigint {
  let sum = 0n;
  term.lastIndex = 0;
  let at = 0;
  while (at < value.trimEnd().length) {
    const [all, sign, word] = term.exec(value) ?? [];
    if (all === undefined || word === undefined || (at > 0 && sign === '')) throw new Error(`${value} is no value`);
    const number = /^\d/.test(word) ? BigInt(word) : resolve(word);
    if (number === null) throw new Error(`${value}: there is no ${word}`);
    sum += sign === '-' ? -number : number;
    at = term.lastIndex;
  }
  return BigInt.asUintN(64, sum);
}
