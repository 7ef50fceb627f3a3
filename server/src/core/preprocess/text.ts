// Text that remembers where each stretch of it was written: what flows from the C preprocessor through the macro
// language to the statements. Knows nothing of either language.
import { firstWhere } from '../base/first.ts';
import type { Origin, Place } from '../base/span.ts';

/** A macro use that text came through; `outer` is the use in whose expansion this one was written. */
export interface Use {
  readonly place: Place;
  readonly outer: Use | null;
}

export interface Traced {
  readonly place: Place;
  readonly use: Use | null;
}

/** `locate` tells where `text[start, end)` was written; it is asked for few of the texts that a macro's body becomes. */
export interface MappedText {
  readonly text: string;
  readonly locate: (start: number, end: number) => Traced | null;
}

/** `text[at, at + length)` was written at `file[start, end)`; the lengths differ where the text was made (`#x`, `a ## b`). */
interface Segment {
  readonly at: number;
  length: number;
  readonly file: string;
  readonly start: number;
  end: number;
  readonly use: Use | null;
}

/** Collects tokens; neighbours that were neighbours in the source become one segment. */
export interface TextBuilder {
  text: string;
  readonly segments: Segment[];
}

export function newBuilder(): TextBuilder {
  return { text: '', segments: [] };
}

export function addSegment(builder: TextBuilder, text: string, file: string, start: number, end: number, use: Use | null): void {
  const last = builder.segments.at(-1);
  const at = builder.text.length;
  builder.text += text;
  const verbatim = end - start === text.length;
  if (last !== undefined && verbatim && last.file === file && last.use === use && last.end - last.start === last.length && start >= last.end && at - (last.at + last.length) === start - last.end) {
    last.length = at + text.length - last.at;
    last.end = end;
  } else builder.segments.push({ at, length: text.length, file, start, end, use });
}

export function built(builder: TextBuilder): MappedText {
  const { text, segments } = builder;
  return { text, locate: (start, end) => locateIn(segments, start, end) };
}

/** Text that nobody wrote. */
export function plainText(text: string): MappedText {
  return { text, locate: () => null };
}

export function sliceMapped(from: MappedText, start: number, end: number): MappedText {
  if (start === 0 && end >= from.text.length) return from;
  return { text: from.text.slice(start, end), locate: (first, last) => from.locate(start + first, start + last) };
}

/** `text` is `from` with stretches left out: `offsets` are pairs of an offset in it and the offset in `from` that it stands for. */
export function thinned(text: string, from: MappedText, offsets: readonly number[]): MappedText {
  const back = (offset: number): number => {
    let i = 0;
    while (i + 2 < offsets.length && offsets[i + 2]! <= offset) i += 2;
    return (offsets[i + 1] ?? 0) + offset - (offsets[i] ?? 0);
  };
  return { text, locate: (start, end) => (end <= start ? null : from.locate(back(start), back(end - 1) + 1)) };
}

function firstSegment(segments: readonly Segment[], offset: number): number {
  return firstWhere(segments, ({ at, length }) => at + length > offset);
}

/** From the first token to the last one, lifted out of macros that begin inside the text. */
function locateIn(segments: readonly Segment[], start: number, end: number): Traced | null {
  let index = firstSegment(segments, start);
  const head = segments[index];
  if (head === undefined || head.at >= end) return null;
  const first = sourceRange(head, start, end);
  let to = first.end;
  index = Math.min(firstSegment(segments, end - 1), segments.length - 1);
  if (segments[index]!.at >= end) index--;
  const tail = segments[index]!;
  if (tail !== head) {
    const lifted = liftEnd(tail, sourceRange(tail, start, end), head, first.start);
    if (lifted !== null && lifted > to) to = lifted;
  }
  return { place: { file: head.file, span: { start: first.start, end: to } }, use: head.use };
}

function sourceRange(segment: Segment, start: number, end: number): { readonly start: number; readonly end: number } {
  if (segment.end - segment.start !== segment.length) return segment;
  const from = Math.max(segment.at, start);
  const to = Math.min(segment.at + segment.length, end);
  return { start: segment.start + (from - segment.at), end: segment.start + (to - segment.at) };
}

function liftEnd(tail: Segment, range: { readonly start: number; readonly end: number }, head: Segment, headStart: number): number | null {
  let place: Place = { file: tail.file, span: range };
  let use = tail.use;
  for (;;) {
    if (use === head.use) return place.file === head.file && place.span.start >= headStart ? place.span.end : null;
    if (use === null) return null;
    place = use.place;
    use = use.outer;
  }
}

/** `inner`, with `outer` as the use around its outermost one. */
export function nestUse(inner: Use | null, outer: Use | null): Use | null {
  if (inner === null) return outer;
  if (outer === null) return inner;
  const chain: Use[] = [];
  for (let at: Use | null = inner; at !== null; at = at.outer) chain.push(at);
  let nested: Use = outer;
  for (let i = chain.length - 1; i >= 0; i--) nested = { place: chain[i]!.place, outer: nested };
  return nested;
}

export function sameUse(left: Use | null, right: Use | null): boolean {
  let a = left;
  let b = right;
  while (a !== b) {
    if (a === null || b === null || a.place.file !== b.place.file || a.place.span.start !== b.place.span.start) return false;
    a = a.outer;
    b = b.outer;
  }
  return true;
}

export function trace(text: MappedText, start: number, end: number, fallback: Place): Traced {
  return text.locate(start, end) ?? { place: fallback, use: null };
}

export function originOf(traced: Traced): Origin {
  const uses: Place[] = [];
  for (let at = traced.use; at !== null; at = at.outer) uses.push(at.place);
  return { file: traced.place.file, span: traced.place.span, uses };
}
