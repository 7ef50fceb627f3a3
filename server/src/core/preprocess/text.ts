// Text that remembers where each stretch of it was written: what flows from the C preprocessor through the macro
// language to the statements. Knows nothing of either language.
import type { Origin, Place } from '../base/span.ts';

/** A macro use that text came through; `outer` is the use in whose expansion this one was written. */
export interface Use {
  readonly place: Place;
  readonly outer: Use | null;
}

/** `text[at, at + length)` was written at `file[start, end)`; the lengths differ where the text was made (`#x`, `a ## b`). */
export interface Segment {
  readonly at: number;
  readonly length: number;
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly use: Use | null;
}

/** Segments are in order and do not overlap; blanks between tokens may belong to none. */
export interface MappedText {
  readonly text: string;
  readonly segments: readonly Segment[];
}

/** Collects stretches; neighbours that were neighbours in the source become one segment. */
export interface TextBuilder {
  text: string;
  readonly segments: Segment[];
}

export function newBuilder(): TextBuilder {
  return { text: '', segments: [] };
}

export function addPlain(builder: TextBuilder, text: string): void {
  builder.text += text;
}

export function addSegment(builder: TextBuilder, text: string, file: string, start: number, end: number, use: Use | null): void {
  const last = builder.segments.at(-1);
  const at = builder.text.length;
  builder.text += text;
  if (
    last !== undefined && last.file === file && last.use === use && last.end - last.start === last.length &&
    end - start === text.length && at - (last.at + last.length) === start - last.end && start >= last.end
  ) {
    builder.segments[builder.segments.length - 1] = { ...last, length: at + text.length - last.at, end };
  } else {
    builder.segments.push({ at, length: text.length, file, start, end, use });
  }
}

/** Appends `from[start, end)`; `reuse` maps the macro use of each segment to the one it has from now on. */
export function addSlice(builder: TextBuilder, from: MappedText, start: number, end: number, reuse: ((use: Use | null) => Use | null) | null): void {
  const shift = builder.text.length - start;
  for (let i = firstSegment(from.segments, start); i < from.segments.length; i++) {
    const segment = from.segments[i]!;
    if (segment.at >= end) break;
    const cut = cutSegment(segment, start, end);
    if (cut.length <= 0) continue;
    builder.segments.push({ ...cut, at: cut.at + shift, use: reuse === null ? cut.use : reuse(cut.use) });
  }
  builder.text += from.text.slice(start, end);
}

export function sliceMapped(from: MappedText, start: number, end: number): MappedText {
  if (start === 0 && end >= from.text.length) return from;
  const builder = newBuilder();
  addSlice(builder, from, start, end, null);
  return builder;
}

function firstSegment(segments: readonly Segment[], offset: number): number {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const segment = segments[middle]!;
    if (segment.at + segment.length <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function cutSegment(segment: Segment, start: number, end: number): Segment {
  const from = Math.max(segment.at, start);
  const to = Math.min(segment.at + segment.length, end);
  if (from === segment.at && to === segment.at + segment.length) return segment;
  const verbatim = segment.end - segment.start === segment.length;
  return {
    ...segment,
    at: from,
    length: to - from,
    start: verbatim ? segment.start + (from - segment.at) : segment.start,
    end: verbatim ? segment.start + (to - segment.at) : segment.end,
  };
}

export function usesOf(use: Use | null): Place[] {
  const places: Place[] = [];
  for (let at = use; at !== null; at = at.outer) places.push(at.place);
  return places;
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

export interface Traced {
  readonly place: Place;
  readonly use: Use | null;
}

/** Where `text[start, end)` was written: from its first token to its last one, lifted out of macros that begin inside it. */
export function trace(text: MappedText, start: number, end: number, fallback: Place): Traced {
  const first = text.segments[firstSegment(text.segments, start)];
  if (first === undefined || first.at >= end) return { place: fallback, use: null };
  const head = cutSegment(first, start, end);
  let to = head.end;
  let index = firstSegment(text.segments, end - 1);
  if (index >= text.segments.length || (text.segments[index]!.at >= end && index > 0)) index--;
  const last = text.segments[index];
  if (last !== undefined && last !== first) {
    const tail = cutSegment(last, start, end);
    const lifted = liftEnd(tail, head);
    if (lifted !== null && lifted > to) to = lifted;
  }
  return { place: { file: head.file, span: { start: head.start, end: to } }, use: head.use };
}

function liftEnd(tail: Segment, head: Segment): number | null {
  let place: Place = { file: tail.file, span: { start: tail.start, end: tail.end } };
  let use = tail.use;
  for (;;) {
    if (use === head.use) return place.file === head.file && place.span.start >= head.start ? place.span.end : null;
    if (use === null) return null;
    place = use.place;
    use = use.outer;
  }
}

export function originOf(traced: Traced): Origin {
  return { file: traced.place.file, span: traced.place.span, uses: usesOf(traced.use) };
}
