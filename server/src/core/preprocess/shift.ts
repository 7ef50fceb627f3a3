// The same things after an edit further up in their file: offsets at or behind the edit move by what it added. Knows what
// remembers a place, not what it means.
import type { Origin, Place, Problem, Span } from '../base/span.ts';
import type { Definition } from './cpp-macros.ts';
import type { BodyLine, Macro, Parameter } from './gas-macro.ts';
import type { Token } from './lex.ts';
import type { InstructionItem, StreamItem } from './stream.ts';
import type { MappedText, Traced, Use } from './text.ts';

export interface Shift {
  readonly file: string;
  /** First offset that moves, in the text before. */
  readonly from: number;
  readonly by: number;
}

export function shiftOffset(offset: number, shift: Shift): number {
  return offset >= shift.from ? offset + shift.by : offset;
}

function shiftSpan(span: Span, shift: Shift): Span {
  return { start: shiftOffset(span.start, shift), end: shiftOffset(span.end, shift) };
}

export function shiftPlace(place: Place, shift: Shift): Place {
  return place.file !== shift.file || place.span.end < shift.from ? place : { file: place.file, span: shiftSpan(place.span, shift) };
}

export function shiftProblem(problem: Problem, shift: Shift): Problem {
  const place = 'uses' in problem.place ? shiftOrigin(problem.place as Origin, shift) : shiftPlace(problem.place, shift);
  return place === problem.place ? problem : { place, message: problem.message };
}

export function shiftOrigin(origin: Origin, shift: Shift): Origin {
  const moved = origin.file === shift.file && origin.span.end >= shift.from;
  let uses = origin.uses;
  for (let at = 0; at < origin.uses.length; at += 1) {
    const before = origin.uses[at]!;
    const use = shiftPlace(before, shift);
    if (use === before) continue;
    if (uses === origin.uses) uses = [...origin.uses];
    (uses as Place[])[at] = use;
  }
  if (!moved && uses === origin.uses) return origin;
  return { file: origin.file, span: moved ? shiftSpan(origin.span, shift) : origin.span, uses };
}

export function shiftItem<T extends StreamItem>(item: T, shift: Shift): T {
  const origin = shiftOrigin(item.origin, shift);
  if (origin === item.origin) return item;
  if (item.kind === 'data' && item.decoded !== null) return { ...item, origin, decoded: shiftItem<InstructionItem>(item.decoded, shift) };
  return { ...item, origin };
}

function shiftUse(use: Use | null, shift: Shift): Use | null {
  return use === null ? null : { place: shiftPlace(use.place, shift), outer: shiftUse(use.outer, shift) };
}

/** What a text was moved from, so that many edits do not make a chain. */
const moved = new WeakMap<MappedText, { readonly base: MappedText; readonly shifts: readonly Shift[] }>();

export function shiftText(text: MappedText, shift: Shift): MappedText {
  const known = moved.get(text);
  const base = known?.base ?? text;
  const shifts = joined(known?.shifts ?? [], shift);
  const made: MappedText = { text: text.text, locate: (start, end) => shifts.reduce<Traced | null>((traced, one) => (traced === null ? null : { place: shiftPlace(traced.place, one), use: shiftUse(traced.use, one) }), base.locate(start, end)) };
  moved.set(made, { base, shifts });
  return made;
}

/** Edits of one place are one: what lay behind the first lies behind the second too. */
function joined(shifts: readonly Shift[], next: Shift): readonly Shift[] {
  const last = shifts.at(-1);
  if (last === undefined || last.by < 0 || next.from < last.from || next.from > last.from + last.by) return [...shifts, next];
  return [...shifts.slice(0, -1), { file: last.file, from: last.from, by: last.by + next.by }];
}

function shiftToken(token: Token, shift: Shift): Token {
  if (token.file !== shift.file || token.end < shift.from) return token;
  return { ...token, start: shiftOffset(token.start, shift), end: shiftOffset(token.end, shift) };
}

export function shiftDefinition(definition: Definition, shift: Shift): Definition {
  if (definition.place.file !== shift.file || definition.place.span.end < shift.from) return definition;
  return { ...definition, body: definition.body.map((token) => shiftToken(token, shift)), place: shiftPlace(definition.place, shift), nameSpan: shiftPlace(definition.nameSpan, shift) };
}

export function shiftMacro(macro: Macro, shift: Shift): Macro {
  const parameter = (one: Parameter): Parameter => (one.fallback === null ? one : { ...one, fallback: shiftText(one.fallback, shift) });
  const line = (one: BodyLine): BodyLine => ({ text: shiftText(one.text, shift), parts: one.parts });
  return { ...macro, definition: shiftPlace(macro.definition, shift), nameSpan: shiftPlace(macro.nameSpan, shift), parameters: macro.parameters.map(parameter), lines: macro.lines.map(line) };
}
