// What the check of a fresh recording needs of the image: its generated source, and the recording that a log makes.
import { instructionNames } from './image-source.ts';
import { imageNames, insideImage, readLog } from './observation.ts';
import type { Observation } from './observation.ts';
import type { Recording } from './recording.ts';
import { startValues } from './start.ts';
import type { Variant } from './variant.ts';

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
