// Who calls whom in a program, and which nodes clear a guard or arm its deferral. Read from the code as it stands,
// without running it; the answer is cached by program.
import type { CodeNode } from '../machine/code.ts';
import type { Guard, Handler, Program } from '../program/program.ts';

interface Calls {
  readonly nodes: ReadonlyMap<string, readonly CodeNode[]>;
  readonly callees: ReadonlyMap<string, ReadonlySet<string>>;
}

const known = new WeakMap<Program, Calls>();

function callsOf(program: Program): Calls {
  const found = known.get(program);
  if (found !== undefined) return found;
  const nodes = new Map<string, CodeNode[]>();
  const callees = new Map<string, Set<string>>();
  for (const node of program.code.nodes) {
    if (node.symbol === '') continue;
    const own = nodes.get(node.symbol);
    if (own === undefined) nodes.set(node.symbol, [node]);
    else own.push(node);
    for (const target of targetsOf(node)) {
      const callee = program.code.nodes[target]?.symbol;
      if (callee === undefined || callee === node.symbol) continue;
      callees.set(node.symbol, (callees.get(node.symbol) ?? new Set()).add(callee));
    }
  }
  const calls = { nodes, callees };
  known.set(program, calls);
  return calls;
}

/** Nodes that a node continues at besides the one behind it: calls, jumps and what falls into the next symbol. */
function targetsOf(node: CodeNode): readonly number[] {
  switch (node.kind) {
    case 'instruction':
      return [node.target, node.next].filter((target) => target !== null);
    case 'operation':
      return node.operation.kind === 'call' ? [node.operation.callee] : [];
    case 'feature':
      return [node.present, node.absent];
    case 'interrupted':
      return [];
  }
}

/** Symbols that run when `from` does, `from` included; `stop` names those not to enter. */
export function reachedFrom(program: Program, from: string, stop: (symbol: string) => boolean = () => false): ReadonlySet<string> {
  const { callees } = callsOf(program);
  const found = new Set([from]);
  for (const symbol of found) for (const callee of callees.get(symbol) ?? []) if (!stop(callee)) found.add(callee);
  return found;
}

export function nodesOf(program: Program, symbol: string): readonly CodeNode[] {
  return callsOf(program).nodes.get(symbol) ?? [];
}

/** What runs for a vector: its stub and everything called from there. */
export function handlerTree(program: Program, handler: Handler, stop: (symbol: string) => boolean = () => false): ReadonlySet<string> {
  const stub = program.code.nodes[handler.stub]?.symbol ?? handler.stubName;
  const tree = new Set(reachedFrom(program, stub, stop));
  if (handler.function !== null) for (const symbol of reachedFrom(program, handler.function, stop)) tree.add(symbol);
  return tree;
}

/** Functions that fixup_exception() calls by the type of an exception-table entry. */
export function isExtableHandler(symbol: string): boolean {
  return symbol.startsWith('ex_handler');
}

/** Functions of the exception-table handlers in view and what they call. */
export function extableTree(program: Program): ReadonlySet<string> {
  const found = new Set<string>();
  for (const symbol of callsOf(program).nodes.keys()) if (isExtableHandler(symbol)) for (const one of reachedFrom(program, symbol)) found.add(one);
  return found;
}

/** Whether a node clears the guard, as far as its text and operands tell. */
export function clears(node: CodeNode, guard: Guard): boolean {
  if (node.kind === 'instruction') {
    const [value, place] = node.operands;
    if (guard.address === null || !node.mnemonic.startsWith('mov') || value?.kind !== 'immediate' || value.value !== 0n || place?.kind !== 'memory') return false;
    return place.base === null && BigInt.asUintN(32, place.displacement) === BigInt.asUintN(32, guard.address);
  }
  if (node.kind !== 'operation') return false;
  const { operation } = node;
  if (operation.kind === 'primitive') return guard.machineBit === 'mcip' && /wrmsr/.test(operation.name);
  if (operation.kind !== 'store' || operation.value.kind !== 'constant' || operation.value.value !== 0n) return false;
  if (operation.address.kind === 'constant') return operation.address.value === guard.address;
  return lastWord(operation.target) === lastWord(guard.name);
}

function lastWord(text: string): string {
  return /\w+$/.exec(text.replace(/[)\s]+$/, ''))?.[0] ?? text;
}

const ARMING = /^(irq_work_queue|arch_irq_work_raise|task_work_add|\w*self_ipi|apic_send_IPI_self|__apic_send_IPI_self)$/;

/** Whether a node arms a deferral: a self-IPI, irq_work or task work. */
export function armsDeferral(node: CodeNode): boolean {
  return node.kind === 'operation' && node.operation.kind === 'primitive' && ARMING.test(node.operation.name);
}
