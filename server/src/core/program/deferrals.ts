// What handlers leave to later in a sketch, and which function does it, where annotations say it or it can be one alone.
import type { Place } from '../base/span.ts';
import { IRQ_WORK_VECTOR } from '../kernel/primitives.ts';
import type { Directive } from '../syntax/annotation-types.ts';
import type { CSource } from './c-source.ts';

interface Parts {
  readonly sources: readonly CSource[];
  readonly directives: readonly Directive[];
  readonly sketch: boolean;
}

/** Vector that a sketch means by a constant whose definition is not in view (arch/x86/include/asm/irq_vectors.h). */
export const SKETCH_VECTOR = 0xf3;

/** What a sketch defers to without an annotation, where that can be one function alone. */
export function deferralsInView(parts: Pick<Parts, 'sources' | 'directives'>): readonly { readonly vector: number; readonly function: string; readonly place: Place }[] {
  const work = parts.sources.flatMap((source) => source.deferred).filter(({ via }) => via === 'irq-work');
  const said = parts.directives.flatMap((one) => (one.kind === 'defers-to' && one.via === 'self-ipi' ? [{ function: one.function, place: one.place }] : []));
  const system = parts.sources.flatMap((source) => source.functions.filter((one) => one.definedBy?.startsWith('DEFINE_IDTENTRY_SYSVEC') === true).map((one) => ({ function: one.name, place: { file: source.file, span: one.nameSpan } })));
  const own = said.length > 0 ? said : system;
  return [...onlyOne(work, IRQ_WORK_VECTOR), ...onlyOne(own, SKETCH_VECTOR)];
}

function onlyOne(found: readonly { readonly function: string; readonly place: Place }[], vector: number): readonly { readonly vector: number; readonly function: string; readonly place: Place }[] {
  const [first] = found;
  return first !== undefined && found.every((one) => one.function === first.function) ? [{ vector, ...first }] : [];
}

/** The function that task work runs: as declared, or the only one that a sketch gives it. */
export function taskWorkOf({ directives, sources, sketch }: Parts): string | null {
  for (const directive of directives) if (directive.kind === 'defers-to' && directive.via === 'task-work') return directive.function;
  const given = new Set(sketch ? sources.flatMap((source) => source.deferred).flatMap(({ function: name, via }) => (via === 'task-work' ? [name] : [])) : []);
  return given.size === 1 ? ([...given][0] ?? null) : null;
}
