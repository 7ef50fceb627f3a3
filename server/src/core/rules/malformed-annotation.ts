// XR-ANN04: an annotation that does not parse. The parser finds these; this file says what it means.
import type { Rule } from './rule.ts';

export const malformedAnnotation: Rule = {
  name: 'malformed-annotation',
  id: 'XR-ANN04',
  group: 'Annotations',
  severity: 'warning',
  summary: 'an annotation has an unknown keyword, key or value, or lacks its reason',
  why: 'An annotation that is not understood says nothing, and the tool then reports what it was meant to explain, or stays silent where it was meant to look.',
  instead: 'Write the word that is meant; the finding names the nearest. Annotations that make the tool accept something need a reason behind --.',
  falsePositives: [],
  references: ['docs/annotations.md'],
  bad: [
    { title: 'A misspelt key', files: { 'design.c': '/* xctx: handler vektor=DE */ //~ malformed-annotation\nvoid demo_ve(struct pt_regs *regs)\n{\n}\n' } },
    { title: 'No reason', files: { 'design.c': '/* xctx: allow XR-VE01 */ //~ malformed-annotation\nvoid demo_ve(struct pt_regs *regs)\n{\n}\n' } },
  ],
  good: [{ title: 'Well formed', files: { 'design.c': '/* xctx: may-raise VE,PF */\nvoid demo_read(struct pt_regs *regs)\n{\n}\n' } }],
  judge: null,
  inspect: null,
  fix: null,
};
