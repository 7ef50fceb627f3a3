// XR-ANN03: an `allow` that takes out nothing. The review finds these after all scenarios ran; this file says what it
// means and how it is mended.
import type { Place } from '../base/span.ts';
import { guardedWord } from './example-text.ts';
import type { Fix } from './finding.ts';
import type { Inspection, Rule } from './rule.ts';
import { linesAround } from './text-edits.ts';

/** The annotation's line, or the annotation alone where more stands on the line. */
export function deleteAnnotation(place: Place, inspection: Inspection): Fix | null {
  const text = inspection.text(place.file);
  if (text === null) return null;
  const lines = linesAround(text, place.span);
  const before = text.slice(lines.start, place.span.start);
  const after = text.slice(place.span.end, lines.end);
  const alone = (/^\s*\/\*+\s*$/.test(before) && /^\s*\*\/\s*$/.test(after)) || (/^\s*(\*|\/\/+|#+)\s*$/.test(before) && after.trim() === '');
  return { title: 'Delete the annotation', edits: [{ place: { file: place.file, span: alone ? lines : place.span }, newText: '' }] };
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
  summary: 'an allow annotation takes out no finding',
  why: 'An allow annotation is a promise that somebody has looked. When the code below it is mended, or the rule is misspelt, it stays behind and would hide the next finding of that rule at that place.',
  instead: 'Delete it; where the rule is misspelt, write its name.',
  falsePositives: ['A finding in one scenario is enough for the annotation to count as used.'],
  references: ['docs/annotations.md, "allow"'],
  bad: [{ title: 'The store that it allowed is gone', files: { 'design.c': design('panic("memory failure");', ' //~ unused-suppression') } }],
  good: [{ title: 'Still needed', files: { 'design.c': design('this_cpu_write(ve_page.busy, 0);', '') } }],
  judge: null,
  inspect: null,
  fix: deleteAnnotation,
};
