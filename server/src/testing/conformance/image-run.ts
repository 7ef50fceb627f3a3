// What the check of a fresh recording needs of the image: its generated source, and the recording that a log makes.
import { GENERAL_REGISTERS } from './names.ts';
import { instructionNames, registerValue, systemValue } from './image-source.ts';
import { CHANGES, imageNames, insideImage, readLog } from './observation.ts';
import type { Observation } from './observation.ts';
import type { Recording } from './recording.ts';
import { evaluate } from './value.ts';
import type { Variant } from './variant.ts';

/** Values at the start of a variant by the names of CHANGES, with the addresses of whoever runs it. */
export function startValues(variant: Variant, resolve: (name: string) => bigint | null): Readonly<Record<string, bigint>> {
  const value = (name: string): bigint => {
    if (name === 'irr') return 0n;
    if (name === 'cr3') return resolve('page_tables') ?? 0n;
    return evaluate(GENERAL_REGISTERS.includes(name) ? registerValue(variant, name) : systemValue(variant, name), resolve);
  };
  return Object.fromEntries(CHANGES.map((name) => [name, value(name)]));
}

export function recordingOf(qemu: string, sources: string, variants: readonly Variant[], symbols: ReadonlyMap<string, bigint>, logs: readonly Uint8Array[]): Recording {
  const name = imageNames({ symbols, instructions: instructionNames(variants) });
  const starts = variants.map((variant, number) => startValues(variant, (word) => (word.startsWith('@') ? (symbols.get(`v${number}_l_${word.slice(1)}`) ?? null) : (symbols.get(word) ?? null))));
  const seen = new Map<number, readonly Observation[]>();
  for (const log of logs) for (const [number, list] of readLog(log, variants, (each) => starts[each] ?? {}, name)) seen.set(number, list);
  const sequences: Record<string, Record<string, readonly Observation[]>> = {};
  variants.forEach((variant, number) => {
    const found = seen.get(number);
    const odd = found?.find((one) => insideImage(one['saved_rip'], symbols));
    if (odd !== undefined) throw new Error(`${variant.sequence.name}, ${variant.name}: ${odd['at'] ?? ''} arrived inside a log, at ${odd['saved_rip'] ?? ''}`);
    if (found?.some((one) => one['at'] === 'runaway') === true) throw new Error(`${variant.sequence.name}, ${variant.name}: it does not end`);
    if (found === undefined) throw new Error(`${variant.sequence.name}, ${variant.name}: the image logged nothing`);
    (sequences[variant.sequence.name] ??= {})[variant.name] = found;
  });
  return { qemu, sources, sequences };
}
