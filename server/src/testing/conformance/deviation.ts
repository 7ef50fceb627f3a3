// The known deviations of QEMU as data: what it shows, what the architecture has, and where. Knows no machine.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { hexadecimal } from './observation.ts';
import type { Observation } from './observation.ts';
import type { Variant } from './variant.ts';

interface Place {
  readonly id: string;
  readonly fact: string;
  readonly says: string;
  /** Names of sequences and variants, `*` for any rest; all where empty. */
  readonly sequences: readonly string[];
  readonly variants: readonly string[];
  /** Sequences that are left out of those, and the mode that they start in; any where null. */
  readonly except: readonly string[];
  readonly mode: string | null;
}

/** One field of single observations. */
export interface FieldDeviation extends Place {
  readonly kind: 'field';
  readonly field: string;
  readonly at: readonly string[];
  readonly bit: bigint | null;
  readonly hardware: string | null;
  readonly qemu: string | null;
  /** Beginnings of other fields of the same observation. */
  readonly where: ReadonlyMap<string, string>;
}

/** The whole course of a variant: entry points in order, each with the fields that matter. */
export interface CourseDeviation extends Place {
  readonly kind: 'course';
  readonly hardware: readonly Observation[];
  readonly qemu: readonly Observation[];
}

export type Deviation = FieldDeviation | CourseDeviation;

const file = 'test-fixtures/conformance/deviations.yaml';

export function readDeviations(root = '.'): readonly Deviation[] {
  const rows: unknown = parse(readFileSync(join(root, file), 'utf8'), { schema: 'failsafe' });
  if (!Array.isArray(rows)) throw new Error(`${file} is no list`);
  return rows.map((row: unknown) => deviationOf(new Map(Object.entries(row as Record<string, unknown>))));
}

function deviationOf(row: ReadonlyMap<string, unknown>): Deviation {
  const text = (key: string): string | null => (row.has(key) ? String(row.get(key)) : null);
  const texts = (key: string): readonly string[] => {
    const value = row.get(key);
    return Array.isArray(value) ? value.map(String) : [];
  };
  const place = { id: text('id') ?? '', fact: text('fact') ?? '', says: text('says') ?? '', sequences: texts('sequences'), variants: texts('variants'), except: texts('except'), mode: text('mode') };
  const field = text('field');
  if (field === null) return { ...place, kind: 'course', hardware: texts('hardware').map(courseStep), qemu: texts('qemu').map(courseStep) };
  const where = new Map(Object.entries((row.get('where') ?? {}) as Record<string, unknown>).map(([key, value]) => [key, String(value)]));
  const bit = text('bit');
  return { ...place, kind: 'field', field, at: texts('at'), bit: bit === null ? null : BigInt(bit), hardware: text('hardware'), qemu: text('qemu'), where };
}

/** `DB saved_rip=code+3 dr6=0xffff0ff1`. */
function courseStep(line: string): Observation {
  const [at = '', ...rest] = line.split(' ');
  const pairs = rest.map((pair) => pair.split('='));
  return { at, ...Object.fromEntries(pairs.map(([key = '', value = '']) => [key, value])) };
}

export function concerns(deviation: Deviation, variant: Variant): boolean {
  const any = (patterns: readonly string[], name: string): boolean => patterns.length === 0 || patterns.some((pattern) => matches(pattern, name));
  const { name, mode } = variant.sequence;
  if (deviation.mode !== null && deviation.mode !== mode) return false;
  return any(deviation.sequences, name) && any(deviation.variants, variant.name) && (deviation.except.length === 0 || !any(deviation.except, name));
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/**
 * What the architecture has where a row says that the recorded value of a field is QEMU's own: null where the row says
 * nothing of this place.
 */
export function corrected(deviation: FieldDeviation, variant: Variant, seen: Observation, field: string, recorded: string): string | null {
  if (deviation.field !== field || !concerns(deviation, variant)) return null;
  if (deviation.at.length > 0 && !deviation.at.includes(seen['at'] ?? '')) return null;
  for (const [other, start] of deviation.where) if (!(seen[other] ?? '').startsWith(start)) return null;
  if (deviation.bit === null) return recorded === deviation.qemu ? deviation.hardware : null;
  const value = BigInt(recorded);
  return (value & deviation.bit) === deviation.bit ? null : hexadecimal(value | deviation.bit);
}
