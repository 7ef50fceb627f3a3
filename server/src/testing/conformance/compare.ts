// Holds two runs of the same variants against each other, field by field, with the known deviations of one of them.
import { concerns, corrected } from './deviation.ts';
import type { CourseDeviation, Deviation, FieldDeviation } from './deviation.ts';
import type { Observation } from './observation.ts';
import type { Recording } from './recording.ts';
import type { Variant } from './variant.ts';

export interface Difference {
  readonly sequence: string;
  readonly variant: string;
  readonly text: string;
}

export interface Comparison {
  /** Compared fields. */
  readonly count: number;
  readonly differences: readonly Difference[];
  /** Compared fields by fact. */
  readonly byFact: ReadonlyMap<string, number>;
  /** How often each deviation was seen. */
  readonly deviations: ReadonlyMap<Deviation, number>;
}

/** A recording against our machine: `run` gives what the machine shows of a variant. */
export function compare(recording: Recording, variants: readonly Variant[], deviations: readonly Deviation[], run: (variant: Variant) => readonly Observation[]): Comparison {
  let count = 0;
  const differences: Difference[] = [];
  const byFact = new Map<string, number>();
  const seen = new Map<Deviation, number>(deviations.map((one) => [one, 0]));
  for (const variant of variants) {
    const recorded = recording.sequences[variant.sequence.name]?.[variant.name];
    const differ = (text: string): void => void differences.push({ sequence: variant.sequence.name, variant: variant.name, text });
    if (recorded === undefined) {
      differ('nothing is recorded');
      continue;
    }
    const before = count;
    const expected = run(variant);
    const course = deviations.find((one): one is CourseDeviation => one.kind === 'course' && concerns(one, variant));
    if (course !== undefined) {
      seen.set(course, (seen.get(course) ?? 0) + 1);
      count += compareCourse(course.qemu, recorded, (text) => differ(`${course.id}, QEMU: ${text}`));
      count += compareCourse(course.hardware, expected, (text) => differ(`${course.id}, our machine: ${text}`));
    } else count += compareAll(variant, recorded, expected, deviations, seen, differ);
    for (const fact of variant.sequence.facts) byFact.set(fact, (byFact.get(fact) ?? 0) + count - before);
    if (course !== undefined && !variant.sequence.facts.includes(course.fact)) differ(`${course.id} is a deviation of ${course.fact}, which the sequence does not name`);
  }
  return { count, differences, byFact, deviations: seen };
}

/** How a field reads that is only there where it changed. */
const START = 'as at the start';

/** The row of which the recorded value is one, and what the architecture has instead. */
function knownDeviation(deviations: readonly Deviation[], variant: Variant, seen: Observation, field: string, recorded: string): { readonly row: FieldDeviation; readonly value: string } | null {
  for (const row of deviations) {
    const value = row.kind === 'field' ? corrected(row, variant, seen, field, recorded) : null;
    if (row.kind === 'field' && value !== null) return { row, value };
  }
  return null;
}

function compareAll(variant: Variant, recording: readonly Observation[], expected: readonly Observation[], deviations: readonly Deviation[], seen: Map<Deviation, number>, differ: (text: string) => void): number {
  let count = 0;
  for (let index = 0; index < Math.max(recording.length, expected.length); index += 1) {
    const [theirs, our] = [recording[index] ?? {}, expected[index] ?? {}];
    for (const field of new Set([...Object.keys(theirs), ...Object.keys(our)])) {
      count += 1;
      const recorded = theirs[field];
      const ours = our[field] ?? START;
      const known = recorded === undefined ? null : knownDeviation(deviations, variant, theirs, field, recorded);
      if (known !== null) seen.set(known.row, (seen.get(known.row) ?? 0) + 1);
      const wanted = known?.value ?? recorded ?? START;
      if (ours !== wanted) differ(`${index + 1}. ${theirs['at'] ?? 'nothing'}: ${field} is recorded as ${recorded ?? START}${known === null ? '' : ` and should be ${wanted} by ${known.row.id}`}, our machine has ${ours}`);
    }
  }
  return count;
}

/** Every listed field, and no entry point more; a list that ends before `exit` leaves open what follows. */
function compareCourse(listed: readonly Observation[], shown: readonly Observation[], differ: (text: string) => void): number {
  let count = 0;
  const closed = listed.at(-1)?.['at'] === 'exit' || listed.at(-1)?.['at'] === 'shutdown';
  if (closed && shown.length !== listed.length) differ(`${shown.map((one) => one['at']).join(', ')} instead of ${listed.map((one) => one['at']).join(', ')}`);
  listed.forEach((step, index) => {
    for (const [field, value] of Object.entries(step)) {
      count += 1;
      const found = shown[index]?.[field] ?? START;
      if (found !== value) differ(`${index + 1}. ${step['at'] ?? ''}: ${field} is ${found} instead of ${value}`);
    }
  });
  return count;
}

/** A fresh recording against the committed one: everything must be as it was. */
export function compareRecordings(committed: Recording, fresh: Recording): Pick<Comparison, 'count' | 'differences'> {
  let count = 0;
  const differences: Difference[] = [];
  const names = new Set([...Object.keys(committed.sequences), ...Object.keys(fresh.sequences)]);
  for (const sequence of names) {
    const [before, now] = [committed.sequences[sequence] ?? {}, fresh.sequences[sequence] ?? {}];
    for (const variant of new Set([...Object.keys(before), ...Object.keys(now)])) {
      const [left, right] = [before[variant] ?? [], now[variant] ?? []];
      for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
        const [old, recent] = [left[index] ?? {}, right[index] ?? {}];
        for (const field of new Set([...Object.keys(old), ...Object.keys(recent)])) {
          count += 1;
          if (old[field] !== recent[field]) differences.push({ sequence, variant, text: `${index + 1}. ${recent['at'] ?? old['at'] ?? ''}: ${field} was ${old[field] ?? 'absent'}, is ${recent[field] ?? 'absent'}` });
        }
      }
    }
  }
  return { count, differences };
}
