// What is taken for granted in code outside a kernel tree, whose headers, tables and variables are not in view: variables
// that guards name, entries of SYSCALL, words that only the kernel can have set. Each is told.
import { PER_CPU_STACK_TOPS } from '../kernel/stacks.ts';
import { STACK_TOP_NAMES, TOP_OF_STACK_NAMES } from '../kernel/primitives.ts';
import type { CodeNode, NodeId } from '../machine/code.ts';
import { decode } from '../machine/instructions/index.ts';
import { GLOBAL_REGION, PERCPU_REGION, regionBase } from '../machine/layout.ts';
import type { Layout } from '../machine/layout.ts';
import { isUnseenMacro } from '../machine/machine.ts';
import type { Directive } from '../syntax/annotation-types.ts';
import { assumedWords } from './assumed-words.ts';
import type { AssumedWord } from './assumed-words.ts';
import type { CSource } from './c-source.ts';
import { guardVariables } from './guards.ts';
import type { FunctionInfo } from './program.ts';
import { stackWritesOf } from './stack-writes.ts';
import { syscallEntriesOf } from './syscall-entry.ts';
import type { ProgramUnknown, StackWrite } from './unknown.ts';
import type { Variables } from './variables.ts';

export interface Taken {
  readonly assumedWords: readonly AssumedWord[];
  readonly stackWrites: readonly StackWrite[];
  readonly syscallEntries: readonly string[];
  /** What is told of it. */
  readonly told: readonly ProgramUnknown[];
}

/** Nothing is, in a kernel tree. */
export const NOTHING_TAKEN: Taken = { assumedWords: [], stackWrites: [], syscallEntries: [], told: [] };

interface Linked {
  readonly nodes: readonly (CodeNode | undefined)[];
  readonly layout: Layout;
  readonly variables: Variables;
  readonly functions: ReadonlyMap<string, FunctionInfo>;
  readonly stubs: ReadonlySet<NodeId>;
  /** Whether code has Linux's name for the entry of SYSCALL. */
  readonly namesSyscall: boolean;
}

export function takenIn({ nodes, layout, variables, functions, stubs, namesSyscall }: Linked): Taken {
  const known = ({ region, offset }: { readonly region: number; readonly offset: number }): boolean =>
    region === PERCPU_REGION ? holdsKnown(layout.percpu, offset) : holdsKnown(layout.globals, regionBase(GLOBAL_REGION) + BigInt(offset));
  const words = assumedWords(nodes, known, { percpu: variables.percpuBytes(), global: variables.globalBytes() });
  const stackWrites = stackWritesOf(nodes, layout.percpu);
  const syscallEntries = namesSyscall ? [] : syscallEntriesOf(nodes, functions, stubs);
  const told: readonly ProgramUnknown[] = [
    ...unseenMacros(nodes),
    ...stackWrites,
    ...words.map(({ text, holds }) => ({ kind: 'assumed-word', text, holds }) as const),
    ...syscallEntries.map((name) => ({ kind: 'syscall-entry', name }) as const),
  ];
  return { assumedWords: words, stackWrites, syscallEntries, told };
}

const NO_SOURCE: CSource = { file: '', functions: [], variables: [], structs: [], idtRows: [], declaredEntries: [], deferred: [], parameterTypes: new Map(), constants: new Map(), includes: [], problems: [] };

/** The variables that guards name, as if a source had them. */
export function sketchSource(directives: readonly Directive[], sources: readonly CSource[]): CSource {
  return { ...NO_SOURCE, variables: guardVariables(directives, sources) };
}

/** Statements that are no instructions, by name, with the code whose paths end there. */
function unseenMacros(nodes: readonly (CodeNode | undefined)[]): readonly ProgramUnknown[] {
  const places = new Map<string, Set<string>>();
  for (const node of nodes) {
    if (node?.kind !== 'instruction' || !isUnseenMacro(node) || decode(node).row !== null) continue;
    const name = /^\w+/.exec(node.text)?.[0] ?? node.mnemonic;
    places.set(name, (places.get(name) ?? new Set()).add(node.symbol));
  }
  return [...places].map(([name, symbols]) => ({ kind: 'macro', name, symbols: [...symbols] }));
}

/** Words whose content is known without being written in view (arch/x86/include/asm/percpu.h, kernel/stacks.ts). */
const KNOWN_WORDS: ReadonlySet<string> = new Set([...TOP_OF_STACK_NAMES, ...STACK_TOP_NAMES.keys(), ...PER_CPU_STACK_TOPS.map(({ variable }) => variable), 'this_cpu_offset', '__per_cpu_offset', 'pcpu_unit_offsets', 'espfix_waddr', 'espfix_stack']);

/** Whether an address lies in such a variable: the last one that begins at or below it. */
function holdsKnown<A extends number | bigint>(names: ReadonlyMap<string, A>, address: A): boolean {
  let best: { readonly name: string; readonly at: A } | null = null;
  for (const [name, at] of names) if (at <= address && (best === null || at > best.at)) best = { name, at };
  return best !== null && KNOWN_WORDS.has(best.name);
}
