// Where the C code of a tree is entered: by events through their gates and stubs, by system calls, and by what else the
// stubs call, with the context that the entry gives it.
import type { EntryAnalysis } from '../contexts/entry-analysis.ts';
import { project } from '../contexts/projection.ts';
import type { CContext, Root } from '../hierarchy/contexts.ts';
import { vectorByName, vectorTitle } from '../machine/vectors.ts';
import type { Program } from '../program/program.ts';
import { entriesOf, isNmiLike } from '../rules/tree-entries.ts';
import type { Entry } from '../rules/tree-entries.ts';
import type { Sided } from './hierarchy-events.ts';
import type { Tree, TreeFunction } from '../tree/tree.ts';

/** NMI, #MC, #DB: no flag holds them off (rules.md, `NMI-like`). */
const NMI = 2;
const NMI_LIKE: ReadonlySet<number> = new Set([NMI, 18, 1]);

/** Roots of a tree in the order of its functions; `sides` are the programs of its stubs. */
export function rootsOf(tree: Tree, sides: readonly Sided[]): readonly Root[] {
  const programs = sides.map(({ kernel }) => kernel.program);
  const roots: Root[] = [];
  const known = new Set<TreeFunction>();
  // What a design's own tables, annotations and stubs say of a handler goes before what its macros say.
  for (const { kernel, run } of sides) {
    for (const handler of kernel.program.handlers) {
      const one = handler.function === null ? null : tree.resolve(handler.function, '');
      if (one === null || known.has(one)) continue;
      known.add(one);
      const entry = vectorTitle(handler.vector);
      const contexts = run === null ? [] : contextsIn(kernel.program, run.analysis, one.name);
      const stack = handler.ist.value === null ? 'interrupted' : `${handler.ist.value} IST`;
      const assumed: CContext = { interrupted: 'either', stack, irqs: 'off', nmiLike: false };
      for (const context of contexts.length > 0 ? contexts : [assumed]) {
        roots.push({ function: one, entry, context: { ...context, nmiLike: NMI_LIKE.has(handler.vector) && (context.interrupted !== 'user' || handler.vector === NMI) } });
      }
    }
  }
  for (const entry of entriesOf(tree)) {
    if (known.has(entry.function)) continue;
    roots.push(...rootsOfEntry(tree, entry));
  }
  for (const root of roots) known.add(root.function);
  for (const [name, stubs] of calledByStubs(programs)) {
    const one = tree.resolve(name, '');
    if (one === null || known.has(one)) continue;
    known.add(one);
    roots.push(...[...stubs].slice(0, 3).map((stub) => ({ function: one, ...enteredBy(stub) })));
  }
  return roots;
}

/** What a stub gives to a C function that is the handler of no gate; interrupts are off in stubs (SEM IDT-03, SYS-02). */
function enteredBy(stub: string): Omit<Root, 'function'> {
  const base = { irqs: 'off', nmiLike: false } as const;
  if (stub === 'asm_fred_entrypoint_user') return { entry: 'FRED', context: { ...base, interrupted: 'user', stack: 'task' } };
  if (stub === 'asm_fred_entrypoint_kernel') return { entry: 'FRED', context: { ...base, interrupted: 'kernel', stack: 'FRED level\'s' } };
  // The scheduler has ended the blocking of interrupts by then.
  if (stub.startsWith('ret_from_fork')) return { entry: 'a new task', context: { interrupted: 'user', stack: 'task', irqs: 'on', nmiLike: false } };
  return { entry: stub, context: { ...base, interrupted: 'either', stack: 'its stub\'s' } };
}

/** The contexts in which the entry paths of a design reach its function. */
function contextsIn(program: Program, analysis: EntryAnalysis, name: string): readonly CContext[] {
  const info = program.functions.get(name);
  const found = new Map<string, CContext>();
  for (const { state, start } of info === undefined ? [] : analysis.reached(info.entry)) {
    const { stack, rewinding, interruptFlag } = project(program, analysis.setup, state, start.from);
    const below = program.code.nodes[state.frames.at(-1)?.interrupted ?? -1];
    const context: CContext = {
      interrupted: below?.kind === 'interrupted' && below.context === 'user' ? 'user' : 'kernel',
      stack: rewinding && stack !== 'entry' ? `${stack} IST` : stack,
      irqs: interruptFlag === '1' ? 'on' : interruptFlag === '0' ? 'off' : 'unknown',
      nmiLike: false,
    };
    found.set(JSON.stringify(context), context);
  }
  return [...found.values()];
}

function rootsOfEntry(tree: Tree, entry: Entry): Root[] {
  const title = entryTitle(entry);
  const modes = entry.origin === 'both' ? (['user', 'kernel'] as const) : [entry.origin];
  return modes.flatMap((interrupted) => {
    const nmiLike = isNmiLike(entry) && (interrupted === 'kernel' || entry.vector === 'NMI');
    return stacksOf(tree, entry, interrupted).map((stack): Root => ({ function: entry.function, context: { interrupted, stack, irqs: 'off', nmiLike }, entry: title }));
  });
}

function entryTitle({ vector, delivery, function: one }: Entry): string {
  if (delivery === 'syscall') return one.name.includes('int80') ? 'INT 0x80' : one.name.includes('syscall_64') ? 'SYSCALL' : 'SYSCALL or SYSENTER of 32-bit programs';
  const known = vector === null ? null : vectorByName(vector);
  const event = known === null ? one.name.replace(/^sysvec_/, '').replaceAll('_', ' ') : vectorTitle(known.number);
  return delivery === 'fred' ? `${event} by FRED` : event;
}

/** Stubs of events from user mode move to the task stack, but that of #DF (SEM IDT-07; `idtentry_df`). */
function stacksOf(tree: Tree, entry: Entry, interrupted: 'user' | 'kernel'): readonly string[] {
  if (entry.delivery === 'syscall') return ['task'];
  if (entry.interrupt && entry.function.definedBy?.endsWith('_SIMPLE') !== true) return ['IRQ'];
  if (interrupted === 'user' && entry.vector !== 'DF') return ['task'];
  if (entry.delivery === 'fred') return ['FRED level\'s'];
  // #VC moves off its IST stack before C code runs (`vc_switch_off_ist`, SEM VC-02).
  if (entry.vector === 'VC') return ['interrupted', 'VC2'];
  // A handler without a gate of its own is called where another one's IST stack is not to be used (`exc_nmi_kvm_vmx`).
  const gates = tree.gates.filter((one) => one.vector.replace(/^X86_TRAP_/, '') === entry.vector && one.stub === `asm_${entry.function.name}`);
  const ist = gates.find((one) => one.ist !== null)?.ist ?? (entry.function.definedBy?.endsWith('_IST') === true ? entry.vector : null);
  return [ist === null || ist === undefined ? 'interrupted' : `${ist.replace(/^IST_INDEX_/, '')} IST`];
}

/** C functions by name with the stubs that call them. */
export function calledByStubs(programs: readonly Program[]): ReadonlyMap<string, ReadonlySet<string>> {
  const called = new Map<string, Set<string>>();
  for (const { code } of programs) {
    for (const node of code.nodes) {
      if (node.kind !== 'instruction' || node.symbol === '' || !/^(?:call|jmp)/.test(node.mnemonic)) continue;
      const target = node.target === null ? null : code.nodes[node.target];
      const name = node.targetName ?? (target?.kind === 'operation' ? target.symbol : null);
      if (name === null) continue;
      const stubs = called.get(name) ?? new Set<string>();
      called.set(name, stubs);
      stubs.add(node.symbol);
    }
  }
  return called;
}
