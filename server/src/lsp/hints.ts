// Inlay hints where the exception context changes: `GS kernel` behind the statement from which on it is so. The worker
// knows; while it does not know yet, those of before the edit stay where their lines went.
import type { InlayHint, Range } from 'vscode-languageserver/node';
import type { ContextChange } from '../core/review-types.ts';
import { offsetOf, positionOf } from './documents.ts';
import type { OpenDocument } from './documents.ts';
import { ask } from './events.ts';
import type { RunParts } from './runs.ts';

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
      const changes = told ?? (last === undefined ? [] : carried(last, document.text));
      if (told !== null) before.set(document.uri, { text: document.text, changes: [...(last === undefined ? [] : carried(last, document.text)).filter(({ offset }) => offset < span.start || offset > span.end), ...told] });
      return changes.filter(({ offset }) => span.start <= offset && offset <= span.end).map(({ offset, text, tip }): InlayHint => ({ position: positionOf(document.lines, offset), label: text, tooltip: { kind: 'markdown', value: tip.split('\n').join('  \n') }, paddingLeft: true }));
    },
  };
}

/** Over one edit: those in front of it stay, those behind it move, those in it go. */
function carried({ text, changes }: Before, now: string): readonly ContextChange[] {
  if (text === now) return changes;
  let same = 0;
  while (same < text.length && text[same] === now[same]) same += 1;
  let rest = 0;
  while (rest < text.length - same && rest < now.length - same && text[text.length - 1 - rest] === now[now.length - 1 - rest]) rest += 1;
  return changes.flatMap((change) => (change.offset <= same ? [change] : change.offset >= text.length - rest ? [{ ...change, offset: change.offset + now.length - text.length }] : []));
}
