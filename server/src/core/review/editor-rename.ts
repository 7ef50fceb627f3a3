// Renaming of labels that only their file sees: `.Lname` and numeric ones. What other files may name is refused, since
// no more than a few files are in view.
import type { Span } from '../base/span.ts';
import type { Renaming } from '../editor-types.ts';
import type { AsmSource } from '../syntax/asm.ts';
import { numericLabel, numericUses, numericWords } from './editor-navigate.ts';
import { indexOf } from './editor-scope.ts';
import type { Scope } from './editor-scope.ts';
import { nameAt, occurrences } from './editor-words.ts';

export function renamingAt(scope: Scope, offset: number, newName: string | null, parse: (text: string) => AsmSource | null): Renaming {
  const { file, text } = scope;
  const items = scope.items(file);
  const name = nameAt(file, text, offset);
  if (items === null || name === null) return refused('there is no label here');
  const { word, span } = name;
  const numeric = numericLabel(items, text, span);
  if (numeric !== null) return renamedNumber(scope, items, span, numeric, newName, parse);
  if (!word.startsWith('.L')) return refused(whyNot(scope, word));
  const labels = items.items.filter((item) => item.kind === 'label').map((item) => item.name);
  const own = scope.own.find((reading) => reading.file === file)?.stream ?? null;
  if (!labels.includes(word) && (own === null || !indexOf(own).labels.has(word))) return refused(`${word} is no label of this file`);
  if (newName !== null && newName !== word) {
    if (!/^\.L[\w.$]+$/.test(newName)) return refused(`${newName} is no name for a local label: it begins with .L`);
    if (occurrences(file, text, newName).length > 0) return refused(`${newName} is used already`);
  }
  return { kind: 'edits', span, name: word, edits: occurrences(file, text, word).map((each) => ({ place: { file, span: each }, newText: newName ?? word })) };
}

function renamedNumber(scope: Scope, items: AsmSource, span: Span, label: { readonly name: string; readonly nameSpan: Span }, newName: string | null, parse: (text: string) => AsmSource | null): Renaming {
  const { file, text } = scope;
  const found = numericLabel(items, text, label.nameSpan);
  if (found === null) return refused('there is no label here');
  const digits: Span = { start: span.start, end: span.start + label.name.length };
  if (newName !== null && !/^\d{1,9}$/.test(newName)) return refused(`${newName} is no name for a numeric label: it is a number`);
  const name = newName ?? label.name;
  const spans = [label.nameSpan, ...numericUses(items, text, found).map((use) => ({ start: use.start, end: use.start + label.name.length }))].sort((a, b) => a.start - b.start);
  if (name !== label.name) {
    const after = spans.reduceRight((now, each) => now.slice(0, each.start) + name + now.slice(each.end), text);
    const moved = parse(after);
    if (moved === null || meantLabels(moved, after).join() !== meantLabels(items, text).join()) return refused(`another label ${name} lies in between: uses would mean a different one`);
  }
  return { kind: 'edits', span: digits, name: label.name, edits: spans.map((each) => ({ place: { file, span: each }, newText: name })) };
}

/** For each use of a numeric label which label of the file it means, counted in text order. */
function meantLabels(items: AsmSource, text: string): readonly number[] {
  const starts = items.items.filter((item) => item.kind === 'label' && item.scope === 'numeric').map((item) => item.span.start);
  return numericWords(items, text).map(({ span }) => starts.indexOf(numericLabel(items, text, span)?.span.start ?? -1));
}

function whyNot(scope: Scope, word: string): string {
  for (const { stream } of scope.readings) {
    if (stream === null) continue;
    const { macros, cMacros, labels } = indexOf(stream);
    if (macros.has(word.toLowerCase()) || cMacros.has(word)) return `${word} is a macro: only local labels are renamed`;
    if (labels.has(word)) return `${word} may be named in other files: only local labels (.Lname and numbers) are renamed`;
  }
  return `${word} is no label`;
}

function refused(reason: string): Renaming {
  return { kind: 'refused', reason };
}
