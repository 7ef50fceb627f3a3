// The whole comparison: the sequences, what they are held against, and our machine.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compare } from './compare.ts';
import type { Comparison } from './compare.ts';
import { readDeviations } from './deviation.ts';
import { readFacts } from './fact.ts';
import type { Fact } from './fact.ts';
import { imageSource } from './image-source.ts';
import { linkVariants } from './model-program.ts';
import { runOnMachine } from './model-run.ts';
import { hashOf, parseRecording } from './recording.ts';
import type { Recording } from './recording.ts';
import { readSequences } from './sequence.ts';
import type { Sequence } from './sequence.ts';
import { variantsOf } from './variant.ts';
import type { Variant } from './variant.ts';

export interface Checked {
  readonly sequences: readonly Sequence[];
  readonly variants: readonly Variant[];
  readonly facts: readonly Fact[];
  readonly comparison: Comparison;
  /** Hash that a recording of these sources has. */
  readonly sources: string;
}

export const RECORDED = 'test-fixtures/conformance/recorded/qemu-tcg.json';
export const IMAGE = 'test-fixtures/conformance/image';
/** What the image is built from, apart from the generated file. */
export const IMAGE_SOURCES: readonly string[] = ['boot.S', 'entry.S', 'tables.S', 'second.S', 'driver.c'];
export const IMAGE_HEADERS: readonly string[] = ['layout.h', 'record.h', 'pseudo.h', 'image.ld'];

export function readRecording(root: string): Recording {
  return parseRecording(readFileSync(join(root, RECORDED), 'utf8'));
}

export function allVariants(root: string): readonly Variant[] {
  return readSequences(root).flatMap(variantsOf);
}

/** Over the image's files and the file that is generated from the sequences. */
export function sourcesHash(root: string, variants: readonly Variant[]): string {
  const files = [...IMAGE_SOURCES, ...IMAGE_HEADERS].map((name) => [name, readFileSync(join(root, IMAGE, name), 'utf8')] as const);
  return hashOf(new Map([...files, ['sequences.S', imageSource(variants)]]));
}

/** `grammars` is a folder with the grammars of the parsers. */
export async function compareWithMachine(root: string, grammars: string, recording: Recording): Promise<Checked> {
  const sequences = readSequences(root);
  const variants = sequences.flatMap(variantsOf);
  const program = await linkVariants(variants, grammars);
  const numbers = new Map(variants.map((variant, number) => [variant, number]));
  const comparison = compare(recording, variants, readDeviations(root), (variant) => runOnMachine(program, variant, numbers.get(variant) ?? 0));
  return { sequences, variants, facts: readFacts(root), comparison, sources: sourcesHash(root, variants) };
}
