// The mend of a store that clears a guard too early: the deferral that the handler declares in its place, or an irq_work
// that is made for it.
import type { Place } from '../base/span.ts';
import type { CFunction } from '../program/c-source.ts';
import { subjectOf } from '../program/gates.ts';
import type { Guard, Program } from '../program/program.ts';
import type { Directive } from '../syntax/annotation-types.ts';
import { clears, handlerTree } from './call-tree.ts';
import type { Fix } from './finding.ts';
import type { Inspection } from './rule.ts';
import { aboveComment, addDirective, cut } from './text-edits.ts';
import { handlerOf, placeOf } from './vocabulary.ts';

export type DefersTo = Directive & { readonly kind: 'defers-to' };

/** The handler's function, through which the store at `place` runs. */
export interface Cleared {
  readonly guard: Guard;
  readonly handler: CFunction;
  readonly deferral: DefersTo | null;
}

/** What a store at a place clears, and in whose handler. */
export function clearedAt(place: Place, program: Program): Cleared | null {
  const node = program.code.nodes.find((one) => one.kind === 'operation' && placeOf(one).file === place.file && placeOf(one).span.start === place.span.start);
  const guard = node === undefined ? undefined : program.guards.find((one) => one.machineBit === null && clears(node, one));
  if (node === undefined || guard === undefined) return null;
  const gate = handlerOf(program, guard.vector);
  const handler = gate?.function === null || gate === null ? null : (program.functions.get(gate.function)?.source ?? null);
  if (gate === null || handler === null || !handlerTree(program, gate).has(node.symbol)) return null;
  const deferral = program.directives.find((one): one is DefersTo => one.kind === 'defers-to' && subjectOf(one, program)?.name === handler.name) ?? null;
  return { guard, handler, deferral };
}

/** How the declared deferral is armed, or null where the code in view does not say: `apic_self_ipi(VECTOR)`. */
export function armingOf(deferral: DefersTo, program: Program): string | null {
  if (deferral.via === 'irq-work') {
    const work = program.sources.flatMap((source) => source.variables).find((variable) => /\birq_work$/.test(variable.type));
    return work === undefined ? null : `irq_work_queue(${work.area === 'percpu' ? `this_cpu_ptr(&${work.name})` : `&${work.name}`})`;
  }
  if (deferral.via !== 'self-ipi') return null;
  const gate = program.handlers.find((handler) => handler.function === deferral.function);
  const row = program.sources.flatMap((source) => source.idtRows).find((one) => gate !== undefined && one.stub === gate.stubName);
  if (gate === undefined) return null;
  return `apic_self_ipi(${row?.vector ?? gate.vector})`;
}

/** Replaces the store by the deferral that the handler declares; in a sketch, by a self-IPI. */
export function deferralFor(place: Place, inspection: Inspection): Fix | null {
  const text = inspection.text(place.file);
  if (text === null) return null;
  if (/\.(ya?ml|json)$/.test(place.file)) {
    const op = cut(text, place.span);
    const guard = /clear['"]?\s*:\s*['"]?([\w.]+)/.exec(op)?.[1];
    return guard === undefined || !op.startsWith('{') ? null : { title: `Re-arm ${guard} by a self-IPI`, edits: [{ place, newText: `{defer: self-ipi, clears: ${guard}}` }] };
  }
  const found = clearedAt(place, inspection.program);
  const arming = found === null || found.deferral === null ? null : armingOf(found.deferral, inspection.program);
  if (arming === null || found === null) return null;
  return { title: `Re-arm ${found.guard.name} by ${arming}`, edits: [{ place, newText: callInPlace(text, place, arming) }] };
}

/** A call in place of a store, whose span may or may not hold the semicolon. */
export function callInPlace(text: string, place: Place, call: string): string {
  return text[place.span.end] === ';' ? call : `${call};`;
}

/** Replaces the store by an irq_work that is defined above the handler. */
export function skeletonFor(place: Place, inspection: Inspection): Fix | null {
  const { program } = inspection;
  const text = inspection.text(place.file);
  const found = clearedAt(place, program);
  if (text === null || found === null || found.deferral !== null || place.file !== found.handler.file) return null;
  const { guard, handler } = found;
  const name = `${guard.name.split('.')[0] ?? 'guard'}_rearm`;
  const skeleton = `/* xctx: clears ${guard.name} */
static void ${name}(struct irq_work *work)
{
	this_cpu_write(${guard.name}, 0);
}
static DEFINE_PER_CPU(struct irq_work, ${name}_work) = { .func = ${name} };

`;
  const above = { start: aboveComment(text, handler.span.start), end: aboveComment(text, handler.span.start) };
  const edits = [
    { place: { file: place.file, span: above }, newText: skeleton },
    { place, newText: callInPlace(text, place, `irq_work_queue(this_cpu_ptr(&${name}_work))`) },
  ];
  const deferral = `xctx: defers-to ${name} via=irq-work`;
  const own = program.directives.filter((one) => one.place.file === place.file && subjectOf(one, program)?.name === handler.name);
  const allowed = own.find((one) => one.kind === 'clears' && one.guard === guard.name);
  const declared = own.find((one) => one.kind === 'handler');
  if (allowed !== undefined) edits.push({ place: allowed.place, newText: deferral });
  else if (declared !== undefined) edits.push({ place: { file: place.file, span: { start: declared.place.span.end, end: declared.place.span.end } }, newText: addDirective(text, declared.place.span, deferral) });
  else edits.push({ place: { file: place.file, span: { start: handler.span.start, end: handler.span.start } }, newText: `/* ${deferral} */\n` });
  const early = guard.place === null ? null : inspection.annotations.find((one) => one.file === guard.place?.file && one.span.start === guard.place.span.start);
  const how = early?.arguments.find((argument) => argument.key?.text === 'clears');
  if (early !== undefined && early !== null && how !== undefined) edits.push({ place: { file: early.file, span: how.value.span }, newText: 'deferred' });
  return { title: `Re-arm ${guard.name} by irq_work`, edits };
}
