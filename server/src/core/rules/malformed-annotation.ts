// XR-ANN04: an annotation that does not parse. The parser finds these; this file says what it means.
import { VECTORS } from '../machine/vectors.ts';
import { nearest } from '../base/nearest.ts';
import { subjectOf, vectorNumber } from '../program/gates.ts';
import type { Inspection, Judgement, Rule } from './rule.ts';

/** What only the code in view tells: a vector that has no such name, a handler with nothing behind it. */
function inspect({ program }: Inspection): readonly Judgement[] {
  return program.directives.flatMap((directive): readonly Judgement[] => {
    if (directive.kind !== 'handler') return [];
    if (directive.vector !== null && vectorNumber(directive.vector, program.sources) === null) {
      const value = directive.annotation.arguments.find((one) => one.key?.text === 'vector')?.value;
      const near = nearest(directive.vector.toUpperCase(), VECTORS.map(({ name }) => name));
      return [{ place: value === undefined ? directive.place : { file: directive.place.file, span: value.span }, message: `no vector is named \`${directive.vector}\`${near === null ? '' : `, write \`${near}\``}: a mnemonic, a number, or a constant in view`, premises: [] }];
    }
    // A row of a table that is in view may stand behind it as well.
    const vector = directive.vector === null ? null : vectorNumber(directive.vector, program.sources);
    const handled = program.handlers.some((handler) => handler.vector === vector);
    return !handled && subjectOf(directive, program) === null ? [{ place: directive.place, message: 'no function and no stub is behind this annotation: write it above the one that it is about', premises: [] }] : [];
  });
}

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
  inspect,
  fix: null,
};
