// Links the entry stubs of a kernel tree into one program: Linux's stacks, the offsets that only a build knows, the gates
// of its IDT tables. C code is not linked: stubs call it by name.
import { ASM_OFFSETS, PER_CPU_SIZES } from '../kernel/offsets.ts';
import { PARAVIRT_OFFSETS, PARAVIRT_OPERATIONS, PARAVIRT_TABLE } from '../kernel/paravirt.ts';
import { istStack, KERNEL_STACKS } from '../kernel/stacks.ts';
import { thunkNamed } from '../kernel/thunks.ts';
import type { CodeNode, ExtableEntry, InstructionNode, NodeId } from '../machine/code.ts';
import { createRegion, PERCPU_REGION, regionBase } from '../machine/layout.ts';
import type { Layout, Region, RegionKind } from '../machine/layout.ts';
import { registerOperand } from '../machine/registers.ts';
import { vectorByNumber } from '../machine/vectors.ts';
import type { AssemblerStream } from '../preprocess/stream.ts';
import type { Directive } from '../syntax/annotation-types.ts';
import { addAssemblerFunctions, dense, nowhere } from './build.ts';
import { extableOf } from './extable.ts';
import type { CSource, CVariable } from './c-source.ts';
import { fredOf } from './fred.ts';
import { gatesOf } from './gates.ts';
import type { GateRow } from './gates.ts';
import { isFunctionLabel, linkStream, place } from './link-assembler.ts';
import type { Names, Placed } from './link-assembler.ts';
import type { FunctionInfo, Handler, Program } from './program.ts';
import { distinct } from './unknown.ts';
import type { ProgramUnknown } from './unknown.ts';
import { createVariables } from './variables.ts';
import type { Variables } from './variables.ts';

export interface KernelParts {
  readonly streams: readonly AssemblerStream[];
  /** The file of the IDT tables, and others whose constants count. */
  readonly sources: readonly CSource[];
  readonly directives: readonly Directive[];
  readonly delivery: 'idt' | 'fred';
  /** A kernel for one CPU has its per-CPU variables at plain addresses. */
  readonly uniprocessor: boolean;
}

/** `inside C`: code that a stub called and that is not in view. */
const CONTEXTS = ['user', 'kernel', 'kernel-irqs-off', 'inside C'] as const;

export function buildKernelProgram(parts: KernelParts): Program {
  const unknown: ProgramUnknown[] = [];
  const contexts = new Map<string, NodeId>(CONTEXTS.map((name, index) => [name, index]));
  let next: NodeId = CONTEXTS.length;
  const placed: Placed[] = [];
  for (const stream of parts.streams) {
    const one = place(stream, next);
    placed.push(one);
    next = one.end + 1;
  }
  const labels = new Map<string, NodeId>();
  for (const one of placed) for (const [name, node] of one.labels) if (isFunctionLabel(name) && !labels.has(name)) labels.set(name, node);
  const variables = createVariables([sizedVariables(), ...parts.sources]);
  const names: Names = {
    label: (name) => labels.get(name) ?? null,
    function: () => null,
    constant: (name) => ASM_OFFSETS.get(name) ?? PARAVIRT_OFFSETS.get(name) ?? null,
    variable: (name, perCpu) => (!perCpu && parts.uniprocessor && variables.percpu.has(name) ? regionBase(PERCPU_REGION) : 0n) + variables.addressOf(name, perCpu),
  };
  const rows = gatesOf(parts, names, false);
  const nodes: CodeNode[] = CONTEXTS.map((context, id) => ({ kind: 'interrupted', id, symbol: context, text: titleOf(context), origin: nowhere(), context }));
  for (const one of placed) for (const node of linkStream(one, names, unknown)) nodes[node.id] = asPatched(throughThunk(node), names);
  const extable: ExtableEntry[] = placed.flatMap((one) => extableOf(one));
  const layout = kernelLayout(next, rows, variables);
  const functions = new Map<string, FunctionInfo>();
  for (const one of placed) addAssemblerFunctions(one, functions);
  const fred = parts.delivery === 'fred' ? fredOf(parts.sources, names) : null;
  const gapFirst = labels.get('entry_SYSCALL_64');
  const gapEnd = labels.get('entry_SYSCALL_64_safe_stack');
  return {
    code: { nodes: dense(nodes), symbols: labels, extable },
    layout,
    functions,
    handlers: withInterrupts(handlersOf(rows, names), nodes, labels),
    guards: [],
    contexts,
    gap: gapFirst === undefined || gapEnd === undefined ? null : { first: gapFirst, end: gapEnd },
    assumedWords: [],
    stackWrites: [],
    syscallEntries: [],
    syscallExit: null,
    delivery: fred === null ? 'idt' : 'fred',
    fred,
    sketch: false,
    taskWorkEntry: null,
    taskWork: null,
    directives: parts.directives,
    streams: parts.streams,
    sources: parts.sources,
    assumptions: [],
    unknown: distinct(unknown),
  };
}

function titleOf(context: string): string {
  switch (context) {
    case 'user':
      return 'user mode';
    case 'kernel':
      return 'kernel mode with IF=1';
    case 'kernel-irqs-off':
      return 'kernel mode with IF=0';
    default:
      return 'C code that a stub called';
  }
}

/** Exceptions of which the machine does not know whether they push an error code; 9 and 15, below, push none. */
const isUnknown = (vector: number): boolean => vector > 21 && vector < 32 && vectorByNumber(vector) === null;

function handlersOf(rows: readonly GateRow[], names: Names): readonly Handler[] {
  return rows.flatMap((row): Handler[] => {
    if (isUnknown(row.vector)) return [];
    const stub = row.stub === null ? null : names.label(row.stub);
    if (stub === null) return [];
    return [{ vector: row.vector, name: row.name, stub, stubName: row.stub ?? '', synthesized: false, byName: false, function: null, ist: row.ist, dpl: row.dpl, place: row.place }];
  });
}

/**
 * The IDT is filled with the rows of `irq_entries_start` and, where no device has a vector, of `spurious_entries_start`:
 * one push of the vector and one jump each (arch/x86/include/asm/idtentry.h).
 */
function withInterrupts(handlers: readonly Handler[], nodes: readonly (CodeNode | undefined)[], labels: ReadonlyMap<string, NodeId>): readonly Handler[] {
  const rows: Handler[] = [];
  const gated = new Set(handlers.map((handler) => handler.vector));
  for (const table of ['irq_entries_start', 'spurious_entries_start']) {
    const first = labels.get(table);
    if (first === undefined) continue;
    let stub = first;
    for (let id = first; nodes[id] !== undefined && nodes[id]?.symbol === table; id += 1) {
      const node = nodes[id];
      if (node?.kind !== 'instruction') continue;
      const pushed = node.operands[0];
      // Rows are filled up behind their jump.
      const padding = id === stub && /^(?:nop|int3)/.test(node.mnemonic);
      if (node.mnemonic.startsWith('jmp') || padding) stub = id + 1;
      if (!node.mnemonic.startsWith('push') || pushed?.kind !== 'immediate') continue;
      // The push sign-extends a byte.
      const vector = Number(BigInt.asUintN(8, pushed.value));
      if (gated.has(vector)) continue;
      gated.add(vector);
      rows.push({ vector, name: `IRQ ${vector}`, stub, stubName: table, synthesized: false, byName: false, function: null, ist: { value: null, place: null, from: 'code' }, dpl: 0, place: null });
    }
  }
  return [...handlers, ...rows];
}

function sizedVariables(): CSource {
  const variables = [...PER_CPU_SIZES].map(([name, size]): CVariable => ({ name, area: 'percpu', size, type: '', place: { file: '', span: { start: 0, end: 0 } } }));
  return { file: '', functions: [], variables, structs: [], idtRows: [], declaredEntries: [], deferred: [], parameterTypes: new Map(), constants: new Map(), includes: [], problems: [] };
}

/** Lowest first (arch/x86/include/asm/cpu_entry_area.h): code compares RSP with the bounds of its own stack. */
const IST_ORDER: readonly string[] = ['DF', 'NMI', 'DB', 'MCE', 'VC'];

function orderOfIst(name: string): number {
  const at = IST_ORDER.indexOf(name);
  return at < 0 ? IST_ORDER.length : at;
}

function kernelLayout(nodes: number, rows: readonly GateRow[], variables: Variables): Layout {
  const regions: Region[] = [];
  const add = (name: string, kind: RegionKind, rewinding: boolean, size: number, keepsStale: boolean): void => {
    regions.push(createRegion(regions.length, name, kind, size, { rewinding, keepsStale }));
  };
  add('code', 'code', false, (nodes + 4096) * 16, false);
  add('per-CPU', 'percpu', false, Math.max(variables.percpuBytes(), 8), false);
  add('global', 'global', false, Math.max(variables.globalBytes(), 8), false);
  for (const stack of KERNEL_STACKS) add(stack.name, 'stack', stack.rewinding, stack.bytes, false);
  const ists = new Set(rows.map((row) => row.ist.value).filter((name): name is string => name !== null));
  for (const name of [...ists].sort((a, b) => orderOfIst(a) - orderOfIst(b))) add(name, 'stack', true, istStack(name).bytes, name === 'NMI');
  for (const level of [1, 2, 3]) add(`FRED level ${level}`, 'stack', false, istStack('').bytes, false);
  return { regions, percpu: variables.percpu, globals: variables.globals };
}

/** A call or jump through the table of paravirt operations is what boot makes of it. */
function asPatched(node: CodeNode, names: Names): CodeNode {
  if (node.kind !== 'instruction' || node.target !== null || node.targetName !== null || !/^(?:call|jmp)/.test(node.mnemonic) || !node.text.includes(PARAVIRT_TABLE)) return node;
  const [operand] = node.operands;
  if (operand?.kind !== 'memory' || operand.base !== null || operand.index !== null) return node;
  const offset = operand.displacement - names.variable(PARAVIRT_TABLE, false);
  const becomes = PARAVIRT_OPERATIONS.find(({ symbol }) => PARAVIRT_OFFSETS.get(symbol) === offset)?.becomes;
  if (becomes === undefined) return node;
  if (becomes.kind === 'instruction') return { ...node, mnemonic: becomes.mnemonic, operands: [] };
  const target = names.label(becomes.name);
  return { ...node, operands: [], target, targetName: becomes.name };
}

/** A jump to a return thunk is a RET, one to an indirect thunk a jump through its register (arch/x86/lib/retpoline.S). */
function throughThunk(node: CodeNode): CodeNode {
  if (node.kind !== 'instruction' || node.target !== null || node.targetName === null) return node;
  const thunk = thunkNamed(node.targetName);
  if (thunk === null) return node;
  if (thunk.kind === 'return') return { ...node, mnemonic: 'ret', operands: [], targetName: null, next: null };
  const operand = registerOperand(thunk.register);
  return operand === null ? node : ({ ...node, operands: [operand], targetName: null } satisfies InstructionNode);
}
