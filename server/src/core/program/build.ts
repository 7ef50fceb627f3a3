// Links the assembler streams, the C sources and the annotations of a unit into one program.
import type { Origin } from '../base/span.ts';
import type { CodeNode, ExtableEntry, NodeId } from '../machine/code.ts';
import { CODE_REGION, createRegion, GLOBAL_REGION, PERCPU_REGION, regionBase, top } from '../machine/layout.ts';
import type { Layout, Region, RegionKind } from '../machine/layout.ts';
import { PER_CPU_SIZES } from '../kernel/offsets.ts';
import { SKETCH_CONSTANTS } from '../kernel/sketch-names.ts';
import type { Directive } from '../syntax/annotation-types.ts';
import type { AssemblerStream } from '../preprocess/stream.ts';
import type { CSource } from './c-source.ts';
import { conventionOf } from './conventional-gates.ts';
import { sketchedVectors, taskWorkOf } from './deferrals.ts';
import { extableOf } from './extable.ts';
import { gatesOf } from './gates.ts';
import type { GateRow } from './gates.ts';
import { guardsOf } from './guards.ts';
import { isFunctionLabel, linkStream, place } from './link-assembler.ts';
import type { Names, Placed } from './link-assembler.ts';
import { linkFunction, placeFunction } from './link-c.ts';
import type { PlacedFunction } from './link-c.ts';
import type { FunctionInfo, Guard, Handler, Program } from './program.ts';
import { createVariables } from './variables.ts';
import type { Variables } from './variables.ts';
import { fixupException, plainStub } from './synthesize.ts';
import { fredOf, sketchedFred } from './fred.ts';
import { NOTHING_TAKEN, sketchSource, takenIn } from './sketch.ts';
import { gapBehind, syscallExitOf } from './syscall-entry.ts';
import { distinct } from './unknown.ts';
import type { ProgramUnknown } from './unknown.ts';
import { abstractHandlers, NESTING_SAFE_NMI_STACK } from './abstract.ts';
import type { AbstractDesign } from './abstract.ts';

export interface Parts {
  readonly streams: readonly AssemblerStream[];
  readonly sources: readonly CSource[];
  readonly directives: readonly Directive[];
  /** Handlers and guards that a scenario gives as data. */
  readonly design: AbstractDesign | null;
  /** Code outside a kernel tree: what nothing declares is taken from names. */
  readonly sketch: boolean;
}

const STACK_BYTES = 0x4000;
const CONTEXTS = ['user', 'kernel', 'kernel-irqs-off', 'gap'] as const;

export function buildProgram(parts: Parts): Program {
  const unknown: ProgramUnknown[] = [];
  const functions = new Map<string, FunctionInfo>();
  const contexts = new Map<string, NodeId>(CONTEXTS.map((name, index) => [name, index]));
  let next: NodeId = CONTEXTS.length;

  const placed: Placed[] = [];
  for (const stream of parts.streams) {
    const one = place(stream, next);
    placed.push(one);
    next = one.end + 1;
  }
  const defined = new Map<string, PlacedFunction>();
  for (const source of parts.sources) {
    for (const one of source.functions) {
      if (defined.has(one.name) || one.operations.length === 0) continue;
      const position = placeFunction(one, next);
      defined.set(one.name, position);
      next = position.end;
    }
  }
  const labels = new Map<string, NodeId>();
  for (const one of placed) for (const [name, node] of one.labels) if (isFunctionLabel(name) && !labels.has(name)) labels.set(name, node);

  const synthetic = new Map<string, NodeId>();
  const variables = parts.sketch ? createVariables([sketchSource(parts.directives, parts.sources), ...parts.sources], PER_CPU_SIZES) : createVariables(parts.sources);
  const vectorOf = parts.sketch ? sketchedVectors(parts) : null;
  const names: Names = {
    label: (name) => labels.get(name) ?? null,
    function: (name) => defined.get(name)?.first ?? synthetic.get(name) ?? null,
    constant: (name) => constantNamed(parts.sources, name) ?? (vectorOf === null ? null : (SKETCH_CONSTANTS.get(name) ?? vectorOf(name))),
    variable: variables.addressOf,
  };
  // What keeps an NMI from its own frame is in its stub: of a handler alone nothing is said of that.
  const rows = gatesOf(parts, names, parts.sketch).map((row) => (row.byName === true && row.stub === null && row.vector === 2 ? { ...row, ist: { ...row.ist, value: NESTING_SAFE_NMI_STACK } } : row));
  const fixupAt = next;
  if (!defined.has('fixup_exception')) synthetic.set('fixup_exception', fixupAt);

  const nodes: CodeNode[] = CONTEXTS.map((context, id) => ({ kind: 'interrupted', id, symbol: context, text: contextTitle(context), origin: nowhere(), context }));
  const put = (more: readonly CodeNode[]): void => {
    for (const node of more) nodes[node.id] = node;
  };
  for (const one of placed) put(linkStream(one, names, unknown));
  const extable: ExtableEntry[] = placed.flatMap((one) => extableOf(one));
  for (const one of defined.values()) {
    const linked = linkFunction(one, names, regionBase(PERCPU_REGION), unknown);
    put(linked.nodes);
    extable.push(...linked.extable);
  }
  if (synthetic.has('fixup_exception')) {
    const made = fixupException(fixupAt, extable, names);
    put(made);
    next = fixupAt + made.length;
  }
  const abstract = parts.design === null ? null : abstractHandlers(parts.design, next, variables.addressOf);
  if (abstract !== null) {
    put(abstract.nodes);
    extable.push(...abstract.extable);
    next = abstract.end;
    for (const [name, node] of abstract.functions) synthetic.set(name, node);
  }

  const sketched = parts.sketch ? sketchedFred(parts.sources, names, next) : null;
  put(sketched?.nodes ?? []);
  next += sketched?.nodes.length ?? 0;
  const fred = sketched?.setup ?? fredOf(parts.sources, names);
  const stacks = stackNames([...rows, ...(abstract?.rows ?? [])], fred !== null);
  const layout = layoutOf(next, stacks, variables, keepers(placed, rows));
  const taskTop = stackTop(layout, 'task');
  const handlers: Handler[] = [];
  for (const row of [...rows, ...(abstract?.rows ?? [])]) {
    const stub = row.stub === null ? null : names.label(row.stub);
    const callee = row.function === null ? null : names.function(row.function);
    if (row.entry !== undefined) {
      handlers.push({ vector: row.vector, name: row.name, stub: row.entry, stubName: row.name, synthesized: false, byName: row.byName === true, function: null, ist: row.ist, dpl: row.dpl, place: row.place });
    } else if (stub !== null) {
      handlers.push({ vector: row.vector, name: row.name, stub, stubName: row.stub ?? '', synthesized: false, byName: row.byName === true, function: row.function ?? calledBy(nodes, stub, defined), ist: row.ist, dpl: row.dpl, place: row.place });
    } else if (callee !== null && row.function !== null) {
      const made = plainStub(next, `stub of ${row.function}`, callee, row.function, row.errorCode, taskTop, row.place);
      put(made);
      handlers.push({ vector: row.vector, name: row.name, stub: next, stubName: `stub of ${row.function}`, synthesized: true, byName: row.byName === true, function: row.function, ist: row.ist, dpl: row.dpl, place: row.place });
      next += made.length;
    }
  }
  if (sketched !== null && handlers.length === 0) handlers.push(...sketched.handlers);
  for (const one of defined.values()) {
    const { source } = one;
    functions.set(source.name, { name: source.name, entry: one.first, first: one.first, end: one.end, language: 'c', place: { file: source.file, span: source.nameSpan }, source });
  }
  for (const one of placed) addAssemblerFunctions(one, functions);
  const guards: readonly Guard[] = [...guardsOf(parts, variables, handlers), ...(abstract?.guards ?? [])];
  const named = labels.get('entry_SYSCALL_64');
  const gapEnd = labels.get('entry_SYSCALL_64_safe_stack');
  const taken = parts.sketch ? takenIn({ nodes, layout, variables, functions, stubs: new Set(handlers.map((handler) => handler.stub)), namesSyscall: named !== undefined }) : NOTHING_TAKEN;
  const gapFirst = named ?? labels.get(taken.syscallEntries[0] ?? '');
  const gap = gapFirst === undefined ? null : gapEnd === undefined ? (parts.sketch ? gapBehind(nodes, gapFirst) : null) : { first: gapFirst, end: gapEnd };
  unknown.push(...taken.told, ...rows.filter((row) => row.byName === true).map(conventionOf));
  const syscallExit = parts.sketch && gapFirst === undefined && handlers.length === 0 ? syscallExitOf(nodes) : null;
  if (syscallExit !== null) unknown.push({ kind: 'syscall-exit', name: syscallExit.name });
  const taskWork = taskWorkOf(parts);
  return {
    code: { nodes: dense(nodes), symbols: new Map([...labels, ...[...defined].map(([name, one]) => [name, one.first] as const)]), extable },
    layout,
    functions,
    handlers,
    guards: withImplicit(guards, handlers),
    contexts: gap === null ? contexts : new Map([...contexts, ['gap', gap.first]]),
    gap,
    assumedWords: taken.assumedWords,
    stackWrites: taken.stackWrites,
    syscallEntries: taken.syscallEntries,
    syscallExit,
    delivery: fred === null ? 'idt' : 'fred',
    fred,
    sketch: parts.sketch,
    taskWorkEntry: taskWork === null ? null : names.function(taskWork),
    taskWork,
    directives: parts.directives,
    streams: parts.streams,
    sources: parts.sources,
    assumptions: assumptionsOf(parts.directives, handlers),
    unknown: distinct(unknown),
  };
}

export function nowhere(): Origin {
  return { file: '', span: { start: 0, end: 0 }, uses: [] };
}

function contextTitle(context: string): string {
  switch (context) {
    case 'user':
      return 'user mode';
    case 'kernel':
      return 'kernel mode with IF=1';
    case 'kernel-irqs-off':
      return 'kernel mode with IF=0';
    default:
      return 'the SYSCALL gap: CPL 0 on the user RSP';
  }
}

/** Fills holes between functions, so that a node's index is its id. */
export function dense(nodes: readonly (CodeNode | undefined)[]): readonly CodeNode[] {
  return Array.from(nodes, (node, id) => node ?? { kind: 'interrupted', id, symbol: '', text: '', origin: nowhere(), context: 'nowhere' });
}

function constantNamed(sources: readonly CSource[], name: string): bigint | null {
  for (const source of sources) {
    const value = source.constants.get(name);
    if (value !== undefined) return value;
  }
  return null;
}

function layoutOf(nodes: number, stacks: readonly { readonly name: string; readonly rewinding: boolean }[], variables: Variables, keep: ReadonlySet<string>): Layout {
  const make = (index: number, name: string, kind: RegionKind, rewinding: boolean, size: number): Region => createRegion(index, name, kind, size, { rewinding, keepsStale: keep.has(name) });
  const regions: Region[] = [
    make(CODE_REGION, 'code', 'code', false, (nodes + 4096) * 16),
    make(PERCPU_REGION, 'per-CPU', 'percpu', false, Math.max(variables.percpuBytes(), 8)),
    make(GLOBAL_REGION, 'global', 'global', false, Math.max(variables.globalBytes(), 8)),
  ];
  for (const stack of stacks) regions.push(make(regions.length, stack.name, 'stack', stack.rewinding, STACK_BYTES));
  return { regions, percpu: variables.percpu, globals: variables.globals };
}

export function stackTop(layout: Layout, name: string): bigint {
  const region = layout.regions.find((one) => one.kind === 'stack' && one.name === name);
  return region === undefined ? 0n : top(region);
}

function stackNames(rows: readonly GateRow[], fred: boolean): readonly { readonly name: string; readonly rewinding: boolean }[] {
  const names = new Set(rows.map((row) => row.ist.value).filter((name): name is string => name !== null));
  const levels = fred ? ['FRED level 1', 'FRED level 2', 'FRED level 3'] : [];
  return [{ name: 'task', rewinding: false }, { name: 'entry', rewinding: true }, { name: 'fallback', rewinding: false }, ...[...names].sort().map((name) => ({ name, rewinding: !fred && name !== NESTING_SAFE_NMI_STACK })), ...levels.map((name) => ({ name, rewinding: false }))];
}

/** IST stacks whose stub looks below the pushed frame: it keeps a marker word there between two events. */
function keepers(placed: readonly Placed[], rows: readonly GateRow[]): ReadonlySet<string> {
  const keep = new Set<string>();
  for (const row of rows) {
    if (row.ist.value === null || row.stub === null) continue;
    for (const one of placed) if (looksBelow(one, row.stub)) keep.add(row.ist.value);
  }
  return keep;
}

function looksBelow(placed: Placed, stub: string): boolean {
  let inside = false;
  for (const item of placed.stream.items) {
    if (item.kind === 'label' && isFunctionLabel(item.name)) inside = item.name === stub;
    if (!inside || item.kind !== 'instruction') continue;
    const [first, second] = item.operands;
    if (item.mnemonic.startsWith('sub') && second?.kind === 'register' && second.name === 'rsp') return true;
    for (const operand of [first, second]) {
      if (operand?.kind !== 'memory' || operand.base !== 'rsp' || operand.displacement === null) continue;
      if (operand.displacement.kind === 'number' && operand.displacement.value < 0n) return true;
      if (operand.displacement.kind === 'unary' && operand.displacement.operator === '-') return true;
    }
  }
  return false;
}

export function addAssemblerFunctions(placed: Placed, functions: Map<string, FunctionInfo>): void {
  const starts = placed.stream.items.flatMap((item, index) => {
    const node = placed.nodeOf[index];
    return item.kind === 'label' && isFunctionLabel(item.name) && node !== null && node !== undefined ? [{ item, node }] : [];
  });
  starts.forEach(({ item, node }, index) => {
    if (functions.has(item.name)) return;
    const end = starts.slice(index + 1).find((later) => later.node > node)?.node ?? placed.end;
    functions.set(item.name, { name: item.name, entry: node, first: node, end, language: 'asm', place: item.origin, source: null });
  });
}

/** The first C function that a stub's own code calls. */
function calledBy(nodes: readonly (CodeNode | undefined)[], stub: NodeId, defined: ReadonlyMap<string, PlacedFunction>): string | null {
  const symbol = nodes[stub]?.symbol;
  for (let id = stub; nodes[id]?.symbol === symbol; id += 1) {
    const node = nodes[id];
    if (node?.kind === 'instruction' && node.mnemonic.startsWith('call') && node.targetName !== null && defined.has(node.targetName)) return node.targetName;
  }
  return null;
}

/** #VE has its word whether the unit declares it or not (semantics.md §8.1). */
function withImplicit(guards: readonly Guard[], handlers: readonly Handler[]): readonly Guard[] {
  const out = [...guards];
  const handles = (vector: number): boolean => handlers.some((handler) => handler.vector === vector);
  if (handles(18) && !out.some((guard) => guard.machineBit === 'mcip')) {
    out.push({ ...IMPLICIT, name: 'MCIP', vector: 18, address: null, size: 8, machineBit: 'mcip', fallback: 'shutdown' });
  }
  return out;
}

const IMPLICIT = { info: { start: 0n, end: 0n }, setBy: 'hw', clears: null, protects: ['stack'], place: null, implicit: true } as const;

function assumptionsOf(directives: readonly Directive[], handlers: readonly Handler[]): readonly string[] {
  const out = ['stacks, per-CPU data and entry text are pinned: no #VE on an access to them'];
  for (const directive of directives) {
    if (directive.kind === 'never-in') out.push(`never in ${directive.where}: ${directive.vectors.join(', ')} (${directive.annotation.reason?.text ?? 'no reason given'})`);
    if (directive.kind === 'assume') out.push(`${directive.subject}: ${directive.annotation.reason?.text ?? ''}`);
  }
  for (const handler of handlers) if (handler.synthesized) out.push(`${handler.function ?? handler.name}() is entered by a plain stub: none is in view`);
  return out;
}

