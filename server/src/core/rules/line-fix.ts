// The mend of an entry path that lacks one instruction: it is put in front of the one that needs it, written as the unit
// writes it elsewhere.
import type { Place } from '../base/span.ts';
import type { Fix } from './finding.ts';
import type { Inspection } from './rule.ts';
import { indentAt, linesAround } from './text-edits.ts';

/** Characters of the longest line that is copied from. */
const LONGEST = 200;

/** A statement of one word, or of a word and operands: what a line may hold and be copied. */
const STATEMENT = /^[ \t]*(?:[\w.$]+:[ \t]*)?([A-Za-z_][\w.]*(?:[ \t]+[^;#\n]*?)?)[ \t]*(?:#.*|\/\*.*)?$/;

/** As the unit writes an instruction, a macro that stands for it included; by itself where it is not written. */
function asWritten(mnemonic: string, { program, text }: Inspection): string {
  for (const node of program.code.nodes) {
    if (node.kind !== 'instruction' || node.mnemonic !== mnemonic) continue;
    const { file, span } = node.origin.uses.at(-1) ?? node.origin;
    const source = text(file);
    const line = source === null ? null : linesAround(source, span);
    const statement = source === null || line === null || line.end - line.start > LONGEST ? undefined : STATEMENT.exec(source.slice(line.start, line.end).trimEnd())?.[1];
    if (statement !== undefined) return statement.trim();
  }
  return mnemonic;
}

/** Puts the instruction in front of the statement at a place; null where that is no statement of assembler. */
export function inFrontOf(place: Place, mnemonic: string, inspection: Inspection): Fix | null {
  const text = inspection.text(place.file);
  if (text === null || !/\.(?:S|s|h|inc)$/.test(place.file)) return null;
  const statement = asWritten(mnemonic, inspection);
  const at = { start: place.span.start, end: place.span.start };
  return { title: `Put ${statement.replace(/\s+/g, ' ')} in front of it`, edits: [{ place: { file: place.file, span: at }, newText: `${statement}\n${indentAt(text, at.start) || '\t'}` }] };
}
