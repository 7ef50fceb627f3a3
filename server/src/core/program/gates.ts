// Which vector enters which stub, on which stack: from IDT tables, DECLARE_IDTENTRY lines and handler annotations.
import { deferralsInView } from './deferrals.ts';
import type { Place } from '../base/span.ts';
import type { NodeId } from '../machine/code.ts';
import { vectorByName, vectorByNumber } from '../machine/vectors.ts';
import type { Directive } from '../syntax/annotation-types.ts';
import { IRQ_WORK_VECTOR } from '../kernel/primitives.ts';
import type { CFunction, CSource } from './c-source.ts';
import { addConventional } from './conventional-gates.ts';
import { isFunctionLabel } from './link-assembler.ts';
import type { Names } from './link-assembler.ts';
import type { Known } from './program.ts';
import type { AssemblerStream } from '../preprocess/stream.ts';

export interface GateRow {
  readonly vector: number;
  readonly name: string;
  /** Symbol of the stub, or null where only a C function is known. */
  readonly stub: string | null;
  readonly function: string | null;
  readonly ist: Known<string | null>;
  readonly dpl: 0 | 3;
  readonly errorCode: boolean;
  readonly place: Place | null;
  /** First node of a stub that no file shows: the one of a scenario's own handler. */
  readonly entry?: NodeId;
  /** Nothing but the name of the stub or handler says which vector it is. */
  readonly byName?: boolean;
}

interface Sources {
  readonly streams: readonly AssemblerStream[];
  readonly sources: readonly CSource[];
  readonly directives: readonly Directive[];
}

/**
 * Rows of later tables override earlier ones (IDT-06); annotations fill in what no table says, and in a sketch, whose
 * table is somewhere else, the names do what neither says.
 */
export function gatesOf(parts: Sources, names: Names, sketch: boolean): readonly GateRow[] {
  const rows = new Map<number, GateRow>();
  for (const source of parts.sources) {
    for (const row of source.idtRows) {
      const vector = vectorNumber(row.vector, parts.sources);
      if (vector === null) continue;
      const ist = row.ist === null ? null : row.ist.replace(/^IST_INDEX_/, '');
      rows.set(vector, {
        vector,
        name: vectorByNumber(vector)?.name ?? row.vector,
        stub: row.stub,
        function: null,
        ist: { value: ist, place: row.place, from: 'code' },
        dpl: row.dpl,
        errorCode: vectorByNumber(vector)?.errorCode === true,
        place: row.place,
      });
    }
  }
  for (const directive of parts.directives) {
    if (directive.kind === 'handler') addDeclared(rows, directive, parts, names);
    if (directive.kind === 'defers-to' && directive.via === 'irq-work' && !rows.has(IRQ_WORK_VECTOR)) {
      rows.set(IRQ_WORK_VECTOR, plain(IRQ_WORK_VECTOR, 'IRQ_WORK', directive.function, directive.place));
    }
  }
  if (sketch) {
    for (const { vector, function: name, place } of deferralsInView(parts)) if (names.function(name) !== null && !rows.has(vector)) rows.set(vector, plain(vector, vector === IRQ_WORK_VECTOR ? 'IRQ_WORK' : name, name, place));
    addConventional(rows, parts, names);
  }
  return [...rows.values()];
}

function plain(vector: number, name: string, handler: string, place: Place): GateRow {
  return { vector, name, stub: null, function: handler, ist: { value: null, place: null, from: 'assumption' }, dpl: 0, errorCode: false, place };
}

function addDeclared(rows: Map<number, GateRow>, directive: Directive & { kind: 'handler' }, parts: Sources, names: Names): void {
  const subject = subjectOf(directive, parts);
  const vector = directive.vector === null ? null : vectorNumber(directive.vector, parts.sources);
  if (vector === null || subject === null) return;
  const before = rows.get(vector);
  const ist: Known<string | null> = directive.ist === null ? { value: null, place: null, from: 'assumption' } : { value: directive.ist === 'none' ? null : directive.ist, place: directive.place, from: 'annotation' };
  if (before !== undefined) {
    rows.set(vector, { ...before, function: subject.language === 'c' ? subject.name : before.function });
    return;
  }
  const stub = subject.language === 'asm' ? subject.name : [`asm_${subject.name}`, `${subject.name}_stub`, `entry_${subject.name}`].find((name) => names.label(name) !== null);
  rows.set(vector, {
    vector,
    name: vectorByNumber(vector)?.name ?? directive.vector ?? '',
    stub: stub ?? null,
    function: subject.language === 'c' ? subject.name : null,
    ist,
    dpl: directive.dpl ?? 0,
    errorCode: directive.errorCode ?? vectorByNumber(vector)?.errorCode === true,
    place: directive.place,
  });
}

export interface Subject {
  readonly name: string;
  readonly language: 'c' | 'asm';
  readonly function: CFunction | null;
}

/** The function or stub that an annotation is about: the one it stands in, or the first behind it. */
export function subjectOf(directive: Directive, parts: Sources): Subject | null {
  const { file, subjectOffset } = directive.annotation;
  let best: { readonly start: number; readonly subject: Subject } | null = null;
  for (const source of parts.sources) {
    for (const one of source.functions) {
      if (one.file !== file || one.span.end <= subjectOffset) continue;
      if (best === null || one.span.start < best.start) best = { start: one.span.start, subject: { name: one.name, language: 'c', function: one } };
    }
  }
  if (best !== null) return best.subject;
  let last: string | null = null;
  for (const stream of parts.streams) {
    for (const item of stream.items) {
      if (item.kind !== 'label' || !isFunctionLabel(item.name)) continue;
      const outer = item.origin.uses.at(-1) ?? item.origin;
      if (outer.file !== file) continue;
      if (outer.span.end > subjectOffset) return { name: item.name, language: 'asm', function: null };
      last = item.name;
    }
  }
  return last === null ? null : { name: last, language: 'asm', function: null };
}

/** `VE`, `X86_TRAP_VE`, `20`, `0xf3` or a constant of the sources. */
export function vectorNumber(text: string, sources: readonly CSource[]): number | null {
  const known = vectorByName(text);
  if (known !== null) return known.number;
  if (/^(0x[0-9a-f]+|\d+)$/i.test(text)) return Number(text);
  for (const source of sources) {
    const value = source.constants.get(text);
    if (value !== undefined) return Number(value);
  }
  // `vector=nmi`, as one types it.
  return vectorByName(text.toUpperCase())?.number ?? null;
}
