// Answers of texts that had the same code as they have now, in places of the texts as they are: what was made of them is
// not made again because a comment was edited.
import type { Place } from '../base/span.ts';
import type { ContextInfo } from '../context-types.ts';
import type { HoverText } from '../editor-types.ts';
import { alignmentOf, sameCode } from './edit-effect.ts';
import { hoverOf } from './editor.ts';
import type { Scope } from './editor-scope.ts';
import type { LinkedUnit } from './unit.ts';

type Read = (file: string) => string | null;

/** Every text is still the same, or has the same code. */
export function sameCodeAs(reads: ReadonlyMap<string, string | null>, read: Read): boolean {
  for (const [path, then] of reads) {
    const now = read(path);
    if (then !== now && (then === null || now === null || !sameCode(path, then, now))) return false;
  }
  return true;
}

/** The contexts at an offset of a text as it is; undefined where the place, or one on the way there, is in what was edited. */
export function contextAsBefore(reads: ReadonlyMap<string, string | null>, read: Read, file: string, offset: number, at: (offset: number) => ContextInfo | null): ContextInfo | null | undefined {
  let lost = false;
  const moved = ({ file: other, span }: Place): Place => {
    const [then, now] = [reads.get(other) ?? '', read(other) ?? ''];
    if (then === now) return { file: other, span };
    const { after } = alignmentOf(then, now);
    const [start, end] = [after(span.start), after(span.end)];
    lost ||= start === null || end === null;
    return { file: other, span: { start: start ?? 0, end: end ?? 0 } };
  };
  const [then, now] = [reads.get(file) ?? '', read(file) ?? ''];
  const before = then === now ? offset : alignmentOf(then, now).before(offset);
  if (before === null) return undefined;
  const info = at(before);
  if (info === null) return null;
  const out = { ...info, place: moved(info.place), rows: info.rows.map((row) => ({ ...row, way: row.way.map((step) => ({ ...step, place: moved(step.place) })) })) };
  return lost ? undefined : out;
}

/** What a word means, by a scope and a unit that were read of the same text; null where it is in what was edited, or means nothing. */
export function hoverAsBefore(scope: Scope, linked: LinkedUnit | null, text: string, offset: number): HoverText | null {
  const { before, after } = alignmentOf(scope.text, text);
  const at = before(offset);
  const hover = at === null ? null : hoverOf(linked, scope, at);
  const [start, end] = hover === null ? [null, null] : [after(hover.span.start), after(hover.span.end)];
  return hover === null || start === null || end === null ? null : { markdown: hover.markdown, span: { start, end } };
}
