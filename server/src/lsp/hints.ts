// Inlay hints where the exception context changes: `GS kernel` behind the statement from which on it is so. The worker
// knows; while it does not know yet, those of before the edit stay where their lines went.
import type { InlayHint, Range } from 'vscode-languageserver/node';
import { difference } from '../core/base/difference.ts';
import type { ContextChange } from '../core/review-types.ts';
import { offsetOf, positionOf } from './documents.ts';
import type { OpenDocument } from './documents.ts';
import { ask } from './events.ts';
import type { RunParts } from './runs.ts';
import { shiftSpan } from './shift.ts';

/** Milliseconds; the client is told to ask again when there is more. */
const patience = 1000;

interface Before {
  readonly text: string;
  readonly changes: readonly ContextChange[];
}

export interface Hints {
  readonly of: (parts: RunParts, document: OpenDocument, range: Range) => Promise<readonly InlayHint[]>;
}

export function createHints(): Hints {
  /** By document: what was shown last, of the text that it was of. */
  const before = new Map<string, Before>();
  return {
    of: async ({ owner, session }, document, range) => {
      if (session.review.unitOf(document.file) === null) return [];
      const span = { start: offsetOf(document.lines, range.start), end: offsetOf(document.lines, range.end) };
      const answer = await ask(owner, { kind: 'changes', folder: '', file: document.file, span }, patience);
      const told = answer?.changes ?? null;
      const last = before.get(document.uri);
      const left = last === undefined ? [] : carried(last, document.text);
      const isIn = ({ offset }: ContextChange): boolean => span.start <= offset && offset <= span.end;
      if (told !== null) before.set(document.uri, { text: document.text, changes: [...left.filter((change) => !isIn(change)), ...told] });
      return (told ?? left).filter(isIn).map(({ offset, text, tip }): InlayHint => ({ position: positionOf(document.lines, offset), label: text, tooltip: { kind: 'markdown', value: tip.split('\n').join('  \n') }, paddingLeft: true }));
    },
  };
}

/** Those of the text that was edited go, the others stay with theirs. */
function carried({ text, changes }: Before, now: string): readonly ContextChange[] {
  const { start, oldEnd, newEnd } = difference(text, now);
  const edits = [{ span: { start, end: oldEnd }, newText: now.slice(start, newEnd) }];
  return changes.flatMap((change) => {
    // A hint belongs to the character that it stands behind.
    const span = shiftSpan({ start: change.offset - 1, end: change.offset }, edits);
    return span === null ? [] : [{ ...change, offset: span.end }];
  });
}
