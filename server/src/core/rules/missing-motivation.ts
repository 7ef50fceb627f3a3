// XR-VE16: a new guard says how it works and not why it is needed.
import type { Place } from '../base/span.ts';
import type { Annotation } from '../syntax/annotation-types.ts';
import { guardedWord } from './example-text.ts';
import type { Fix } from './finding.ts';
import type { Inspection, Judgement, Rule } from './rule.ts';
import { addDirective } from './text-edits.ts';

function unexplained(inspection: Inspection): readonly Annotation[] {
  const { annotations } = inspection;
  return annotations.filter((guard) => {
    if (guard.keyword.text !== 'guard') return false;
    return !annotations.some((why) => why.keyword.text === 'why' && why.file === guard.file && why.subjectOffset === guard.subjectOffset);
  });
}

function inspect(inspection: Inspection): readonly Judgement[] {
  return unexplained(inspection).map((guard) => ({
    place: { file: guard.file, span: guard.span },
    message: `nothing says why ${guard.arguments[0]?.value.text ?? 'this guard'} is needed: a one-slot word on an entry path is for life; add a why line with the discussion and one sentence`,
    premises: [],
  }));
}

function fix(place: Place, inspection: Inspection): Fix | null {
  const text = inspection.text(place.file);
  if (text === null) return null;
  return { title: 'Add a why line', edits: [{ place: { file: place.file, span: { start: place.span.end, end: place.span.end } }, newText: addDirective(text, place.span, 'xctx: why https://lore.kernel.org/r/MESSAGE-ID -- what cannot be done without it') }] };
}

export const missingMotivation: Rule = {
  name: 'missing-motivation',
  id: 'XR-VE16',
  group: 'Re-entrancy and #VE',
  severity: 'hint',
  summary: 'a guard is declared without a line that says why it is needed',
  why: 'Another event that can hit any instruction makes every entry path harder for good. The first question of a reviewer is why: what is it for, who asked for it, what happens without it.',
  instead: 'Add a why line with the address of the discussion and one sentence, and choose the fallback on purpose.',
  falsePositives: ['Speaks only of guards that an annotation declares.'],
  references: ['The mail that the designs are about: "I want to know *why*"'],
  bad: [
    {
      title: 'How, but not why',
      files: {
        'design.c': `/* xctx: guard ve_page.busy set=hw clear=store fallback=vmexit protects=stack,info */ //~ missing-motivation
struct ve_page { u32 reason, busy; u64 qual, gla, gpa; };
DEFINE_PER_CPU(struct ve_page, ve_page);
`,
      },
    },
  ],
  good: [{ title: 'With a reason', files: { 'design.c': guardedWord('deferred') } }],
  judge: null,
  inspect,
  fix,
};
