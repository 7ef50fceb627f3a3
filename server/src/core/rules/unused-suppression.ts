// XR-ANN03: a suppression that takes out nothing. The review finds these after all scenarios ran; this file says what it
// means and how it is mended.
import type { Place, Span } from '../base/span.ts';
import { guardedWord } from './example-text.ts';
import type { Fix } from './finding.ts';
import type { Rule } from './rule.ts';
import { linesAround } from './text-edits.ts';

/** Takes a suppression out: the annotation with its line where nothing else stands there, or the item of a sidecar file. */
export function deleteSuppression(place: Place, read: (file: string) => string | null): Fix | null {
  const text = read(place.file);
  if (text === null) return null;
  const span = /\.ya?ml$/.test(place.file) ? itemSpan(text, place.span) : annotationSpan(text, place.span);
  return span === null ? null : { title: 'Remove the unused suppression', edits: [{ place: { file: place.file, span }, newText: '' }] };
}

function annotationSpan(text: string, span: Span): Span {
  const lines = linesAround(text, span);
  const before = text.slice(lines.start, span.start);
  const after = text.slice(span.end, lines.end);
  const whole = /^\s*\/\*+\s*$/.test(before) && /^\s*\*\/\s*$/.test(after);
  if (whole || (/^\s*(\*|\/\/+|#+)\s*$/.test(before) && after.trim() === '')) return lines;
  const open = /[ \t]*(?:\/\*+\s*|\/\/+\s*|#+\s*)$/.exec(before);
  const close = /^\s*\*\//.exec(after);
  // A comment behind code goes as a whole.
  if (open !== null && (close !== null || after.trim() === '') && before.trim() !== '') return { start: lines.start + open.index, end: span.end + (close?.[0].length ?? 0) };
  return span;
}

/** The lines of a list item, with the key above where it is the only item; null where it is written in a line of others. */
function itemSpan(text: string, span: Span): Span | null {
  const first = linesAround(text, { start: span.start, end: span.start + 1 });
  const indent = /^(\s*)-\s/.exec(text.slice(first.start, first.end))?.[1];
  if (indent === undefined || text.slice(first.start, span.start).trim() !== '-') return null;
  const end = linesAround(text, span).end;
  const above = linesAround(text, { start: Math.max(0, first.start - 1), end: first.start });
  const onlyItem = /^[^\s#-].*:\s*$/.test(text.slice(above.start, above.end).trimEnd()) && !new RegExp(`^${indent}-\\s`).test(text.slice(end));
  return { start: onlyItem && first.start > 0 ? above.start : first.start, end };
}

function design(store: string, mark: string): string {
  return `${guardedWord('immediate')}
static u64 count;

/* xctx: handler vector=VE ist=VE */
void demo_ve(struct pt_regs *regs)
{
	/* xctx: allow XR-VE01 -- the race is accepted until the landing pad is written */${mark}
	${store}
	count++;
}
`;
}

export const unusedSuppression: Rule = {
  name: 'unused-suppression',
  id: 'XR-ANN03',
  group: 'Annotations',
  severity: 'warning',
  summary: 'a suppression takes out no finding',
  why: 'A suppression, an allow annotation or a known finding of a sidecar file, is a promise that somebody has looked. When the code below it is mended, or the rule is misspelt, it stays behind and would hide the next finding of that rule at that place.',
  instead: 'Delete it; where the rule is misspelt, write its name. Where the date or release of a known finding has come, look again.',
  falsePositives: ['A finding in one scenario is enough for the annotation to count as used.'],
  references: ['docs/annotations.md, "allow" and "Sidecar files"'],
  bad: [{ title: 'The store that it allowed is gone', files: { 'design.c': design('panic("memory failure");', ' //~ unused-suppression') } }],
  good: [{ title: 'Still needed', files: { 'design.c': design('this_cpu_write(ve_page.busy, 0);', '') } }],
  judge: null,
  inspect: null,
  fix: (place, inspection) => deleteSuppression(place, inspection.text),
};
