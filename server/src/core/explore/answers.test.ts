import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createAnswersBy } from './answers.ts';

describe('answers by what was looked at', () => {
  it('are those that would be made anew, and are made once for subjects that look alike', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1), fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2))), { minLength: 1, maxLength: 80 }), (asked) => {
        // Looks at the second number only where the first is 0, and never at the third where the question is 0.
        const make = (question: number, subject: readonly number[]): { readonly answer: string; readonly reads: readonly number[] } => {
          const reads = [0, ...(subject[0] === 0 ? [1] : []), ...(question === 1 ? [2] : [])];
          return { answer: `${question}: ${reads.map((place) => subject[place]).join()}`, reads };
        };
        const answers = createAnswersBy<string, number, readonly number[]>((place, subject) => subject[place] ?? 0);
        const different = new Set<string>();
        for (const [question, subject] of asked) {
          const { answer } = make(question, subject);
          different.add(answer);
          assert.equal(answers.of(question, subject, () => make(question, subject)), answer);
        }
        assert.equal(answers.made(), different.size);
      }),
    );
  });
});
