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
  const own = [...new Map((said.length > 0 ? said : system).map((one) => [one.function, one])).values()].slice(0, MOST_VECTORS);
  return [...onlyOne(work, IRQ_WORK_VECTOR), ...own.map((one, index) => ({ vector: own.length === 1 ? SKETCH_VECTOR : SKETCH_VECTOR - 1 - index, ...one }))];
}

/** Those below are free for more of them. */
const MOST_VECTORS = 8;

/**
 * The vector that a sketch means by a constant whose definition is not in view: that of the function with its name, or of
 * the only one where no constant has the name of one. Null where it may be any.
 */
export function sketchedVectors(parts: Pick<Parts, 'sources' | 'directives'>): (constant: string) => bigint | null {
  const functions = deferralsInView(parts).filter(({ vector }) => vector !== IRQ_WORK_VECTOR);
  const named = (constant: string): number | null => {
    const word = bare(constant);
    return (functions.find((one) => bare(one.function) === word) ?? functions.find((one) => word.length > 3 && (bare(one.function).includes(word) || (bare(one.function).length > 3 && word.includes(bare(one.function))))))?.vector ?? null;
  };
  const constants = new Set(parts.sources.flatMap((source) => source.functions).flatMap((one) => one.operations.flatMap(({ text }) => text.match(/\b\w+_VECTOR\b/g) ?? [])));
  const unclear = functions.length > 1 || [...constants].some((constant) => named(constant) !== null);
  return (constant) => {
    const vector = constant.endsWith('_VECTOR') ? (named(constant) ?? (unclear ? null : SKETCH_VECTOR)) : null;
    return vector === null ? null : BigInt(vector);
  };
}

/** What a constant and its handler have in common: `VE_REARM_VECTOR`, `sysvec_ve_rearm`. */
function bare(name: string): string {
  return name.toLowerCase().replace(/^(?:asm_)?(?:sysvec_|exc_|do_|handle_|smp_)?/, '').replace(/_(?:vector|interrupt|handler|ipi)$/, '');
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
