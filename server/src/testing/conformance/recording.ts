// The committed recordings: what the image saw, by sequence and variant, with the QEMU that ran it and a hash of what it
// was built from.
import { createHash } from 'node:crypto';
import type { Observation } from './observation.ts';

export interface Recording {
  /** First line of `qemu-system-x86_64 --version`. */
  readonly qemu: string;
  /** SHA-256 over the sources of the image and the sequences. */
  readonly sources: string;
  readonly sequences: Readonly<Record<string, Readonly<Record<string, readonly Observation[]>>>>;
}

/** Fields that are left out of the file where they have these values: the kernel's own selectors. */
const USUAL: Readonly<Record<string, string>> = { saved_cs: '0x10', saved_ss: '0x18', cs: '0x10', ss: '0x18' };

/** One observation a line, so that a change of the recording reads as one. */
export function formatRecording(recording: Recording): string {
  const sequences = Object.entries(recording.sequences).map(([name, variants]) => {
    const rows = Object.entries(variants).map(([variant, seen]) => `      ${JSON.stringify(variant)}: [\n${seen.map((one) => `        ${JSON.stringify(shortened(one))}`).join(',\n')}\n      ]`);
    return `    ${JSON.stringify(name)}: {\n${rows.join(',\n')}\n    }`;
  });
  return `{\n  "qemu": ${JSON.stringify(recording.qemu)},\n  "sources": ${JSON.stringify(recording.sources)},\n  "sequences": {\n${sequences.join(',\n')}\n  }\n}\n`;
}

function shortened(seen: Observation): Observation {
  return Object.fromEntries(Object.entries(seen).filter(([field, value]) => USUAL[field] !== value));
}

export function parseRecording(text: string): Recording {
  const file = JSON.parse(text) as Recording;
  const sequences = Object.entries(file.sequences).map(([name, variants]) => [name, Object.fromEntries(Object.entries(variants).map(([variant, seen]) => [variant, seen.map(completed)]))] as const);
  return { ...file, sequences: Object.fromEntries(sequences) };
}

function completed(seen: Observation): Observation {
  if (seen['rsp'] === undefined) return seen;
  const fields = seen['saved_rip'] === undefined ? ['cs', 'ss'] : Object.keys(USUAL);
  return { ...Object.fromEntries(fields.map((field) => [field, USUAL[field] ?? ''])), ...seen };
}

export function hashOf(files: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256');
  for (const [name, text] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) hash.update(`${name}\0${text}\0`);
  return hash.digest('hex');
}
