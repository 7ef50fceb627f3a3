// Words and look-ups that several rules share.
import { outermost } from '../base/span.ts';
import type { Place } from '../base/span.ts';
import type { CodeNode } from '../machine/code.ts';
import type { Frame } from '../machine/state.ts';
import { vectorTitle } from '../machine/vectors.ts';
import type { Guard, Handler, Program } from '../program/program.ts';
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

export function guardOf(program: Program, index: number | null): Guard | null {
  return index === null ? null : (program.guards[index] ?? null);
}

export function stackName(program: Program, frame: Frame): string {
  return program.layout.regions[frame.region]?.name ?? 'unknown';
}

/** `#VE on the VE stack` */
export function frameName(program: Program, frame: Frame): string {
  return `${vectorTitle(frame.vector)} on the ${stackName(program, frame)} stack`;
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
