// Words and look-ups that several rules share.
import { outermost } from '../base/span.ts';
import type { Origin, Place } from '../base/span.ts';
import type { CodeNode } from '../machine/code.ts';
import type { Frame } from '../machine/state.ts';
import { vectorTitle } from '../machine/vectors.ts';
import { subjectOf, vectorNumber } from '../program/gates.ts';
import type { Guard, Handler, Program } from '../program/program.ts';
import type { Directive } from '../syntax/annotation-types.ts';
import type { Premise } from './finding.ts';

/** Where a reader sees a node: its own text, or the outermost macro use that made it. */
export function placeOf(node: CodeNode): Place {
  return node.kind === 'operation' ? { file: node.origin.file, span: node.origin.span } : outermost(node.origin);
}

export function nodeAt(program: Program, id: number | null): CodeNode | null {
  return id === null ? null : (program.code.nodes[id] ?? null);
}

export function handlerOf(program: Program, vector: number): Handler | null {
  return program.handlers.find((handler) => handler.vector === vector) ?? null;
}

export function stackName(program: Program, frame: Frame): string {
  return program.layout.regions[frame.region]?.name ?? 'unknown';
}

/** The facts about a guard and its vector's gate that most rules of group VE rest on. */
export function guardPremises(program: Program, guard: Guard): readonly Premise[] {
  const handler = handlerOf(program, guard.vector);
  const out: Premise[] = [{ fact: `${guard.name} guards ${vectorTitle(guard.vector)}, fallback ${guard.fallback}`, place: guard.place, assumed: guard.implicit }];
  if (handler !== null) {
    out.push({
      fact: handler.ist.value === null ? `${vectorTitle(guard.vector)} has no IST stack` : `${vectorTitle(guard.vector)} uses the IST stack ${handler.ist.value}`,
      place: handler.ist.place,
      assumed: handler.ist.from === 'assumption',
    });
  }
  return out;
}

/** Where a reader looks for a handler: its C function's name, else its stub's label, else the row that names it. */
export function handlerPlace(program: Program, handler: Handler): Place | null {
  const named = handler.function === null ? null : (program.functions.get(handler.function)?.place ?? null);
  return named ?? stubPlace(program, handler);
}

/** A label of the text itself, or the macro use that made it. */
export function labelPlace(place: Place): Place {
  return 'uses' in place ? outermost(place as Origin) : place;
}

export function stubPlace(program: Program, handler: Handler): Place | null {
  const stub = program.code.nodes[handler.stub];
  const info = stub === undefined ? undefined : program.functions.get(stub.symbol);
  if (info?.language === 'asm') return labelPlace(info.place);
  return handler.synthesized && handler.function !== null ? (program.functions.get(handler.function)?.place ?? handler.place) : handler.place;
}

/** `exc_ve()`, or the stub where no C function is known. */
export function handlerName(handler: Handler): string {
  return handler.function === null ? handler.stubName : `${handler.function}()`;
}

/** The row or annotation that gives a vector its stack. */
export function gatePlace(program: Program, handler: Handler): Place | null {
  return handler.ist.place ?? handler.place ?? handlerPlace(program, handler);
}

/** Whether something of a program lies at a place: code, a label or function, a gate, a declaration. */
export function isIn(program: Program, { file, span }: Place): boolean {
  const touches = (place: Place | null): boolean => place !== null && place.file === file && place.span.start < span.end && span.start < place.span.end;
  return (
    program.code.nodes.some((node) => touches(placeOf(node))) ||
    [...program.functions.values()].some(({ place }) => touches(labelPlace(place))) ||
    program.handlers.some(({ place, ist }) => touches(place) || touches(ist.place)) ||
    [...program.guards, ...program.directives].some(({ place }) => touches(place))
  );
}

/** `fallback-ok vmexit -- ...` anywhere in the unit. */
export function fallbackAccepted(program: Program, fallback: string): boolean {
  return program.directives.some((directive) => directive.kind === 'fallback-ok' && directive.fallback === fallback);
}

/** Whether an annotation keeps the vector out of the SYSCALL gap and the entry code. */
export function neverInGap(program: Program, handler: Handler): boolean {
  return program.directives.some((directive) => {
    if (directive.kind !== 'never-in' || (directive.where !== 'gap' && directive.where !== 'entry')) return false;
    if (directive.vectors.length === 0) return isAbout(program, directive, handler);
    return directive.vectors.some((name) => vectorNumber(name, program.sources) === handler.vector);
  });
}

/** Whether an annotation stands at a handler's function or stub. */
export function isAbout(program: Program, directive: Directive, handler: Handler): boolean {
  const subject = subjectOf(directive, program);
  return subject !== null && (subject.name === handler.function || subject.name === handler.stubName);
}

/** How code is spoken of: `exc_ve()` for a C function, `asm_exc_ve` for a stub, `re-arm of ve.busy` as it stands. */
export function spokenName({ kind, symbol }: CodeNode): string {
  return kind === 'instruction' || /\s/.test(symbol) ? symbol : `${symbol}()`;
}
