// Mutants of a linked program, always the same ones: an instruction or C statement left out, taken twice or exchanged with the
// next, another operand, a vector on another stack. For tests only.
import type { CodeNode, InstructionNode, MachineOperand, Operation, OperationNode } from '../core/machine/code.ts';
import type { Program } from '../core/program/program.ts';

export interface Mutant {
  readonly title: string;
  readonly program: Program;
}

type Changed = readonly CodeNode[];

/** All mutants of the code that `chosen` says, and of the stacks of the vectors. */
export function mutantsOf(program: Program, chosen: (node: CodeNode) => boolean = () => true): readonly Mutant[] {
  const made: Mutant[] = [];
  for (const node of program.code.nodes) {
    if (!chosen(node)) continue;
    for (const [how, nodes] of editsOf(program.code.nodes, node)) made.push({ title: `${node.symbol}: ${node.text} ${how}`, program: { ...program, code: { ...program.code, nodes } } });
  }
  return [...made, ...otherStacks(program)];
}

function editsOf(nodes: Changed, node: CodeNode): readonly (readonly [string, Changed])[] {
  const behind = nodes[nextOf(node) ?? -1];
  const edits: [string, Changed][] = [];
  if (behind === undefined) return edits;
  edits.push(['left out', replaced(nodes, leftOut(node, behind.id))]);
  edits.push(['twice', twice(nodes, node, behind.id)]);
  if (behind.id === node.id + 1) {
    const exchanged = exchange(node, behind);
    if (exchanged !== null) edits.push(['exchanged with the next', replaced(nodes, ...exchanged)]);
  }
  const other = otherOperand(node);
  if (other !== null) edits.push(['with another operand', replaced(nodes, other)]);
  return edits;
}

/** Where a node that goes on to one other does so; null for all others. */
function nextOf(node: CodeNode): number | null {
  if (node.kind === 'instruction') return node.target === null && node.targetName === null ? node.next : null;
  return node.kind === 'operation' && 'next' in node.operation && node.operation.kind !== 'enter' ? node.operation.next : null;
}

function replaced(nodes: Changed, ...by: readonly CodeNode[]): Changed {
  const after = [...nodes];
  for (const one of by) after[one.id] = one;
  return after;
}

function leftOut({ id, symbol, text, origin }: CodeNode, next: number): InstructionNode {
  return { kind: 'instruction', id, symbol, text: `nop # ${text}`, origin, mnemonic: 'nop', prefixes: [], operands: [], next, target: null, targetName: null };
}

function goingOnTo(node: CodeNode, next: number): CodeNode {
  if (node.kind === 'instruction') return { ...node, next };
  return node.kind === 'operation' ? { ...node, operation: { ...node.operation, next } as Operation } : node;
}

function twice(nodes: Changed, node: CodeNode, next: number): Changed {
  const second = { ...goingOnTo(node, next), id: nodes.length };
  return [...replaced(nodes, goingOnTo(node, second.id)), second];
}

function exchange(one: CodeNode, other: CodeNode): readonly [CodeNode, CodeNode] | null {
  const behind = nextOf(other);
  if (one.kind !== other.kind || behind === null) return null;
  return [{ ...goingOnTo(other, other.id), id: one.id }, { ...goingOnTo(one, behind), id: other.id }];
}

function otherOperand(node: CodeNode): CodeNode | null {
  if (node.kind === 'instruction') {
    const at = node.operands.findIndex(({ kind }) => kind !== 'system-register');
    const operand = node.operands[at];
    return operand === undefined ? null : { ...node, operands: node.operands.map((one, index) => (index === at ? otherThan(operand) : one)) };
  }
  return node.kind === 'operation' ? otherValue(node) : null;
}

function otherThan(operand: MachineOperand): MachineOperand {
  switch (operand.kind) {
    case 'register':
      return { ...operand, register: (operand.register + 3) % 16 };
    case 'immediate':
      return { ...operand, value: operand.value + 8n };
    case 'memory':
      return { ...operand, displacement: operand.displacement + 8n };
    case 'system-register':
      return operand;
  }
}

function otherValue(node: OperationNode): OperationNode | null {
  const { operation } = node;
  if (operation.kind === 'store' && operation.value.kind === 'constant') return { ...node, operation: { ...operation, value: { kind: 'constant', value: operation.value.value === 0n ? 1n : 0n } } };
  if (operation.kind === 'assign' && operation.value.kind === 'constant') return { ...node, operation: { ...operation, value: { kind: 'constant', value: operation.value.value + 1n } } };
  return null;
}

/** Each vector without its stack, or on that of another one. */
function otherStacks(program: Program): readonly Mutant[] {
  const stacks = program.layout.regions.filter(({ kind, rewinding }) => kind === 'stack' && rewinding).map(({ name }) => name);
  return program.handlers.flatMap((handler) => {
    const other = handler.ist.value === null ? stacks[0] : (stacks.find((name) => name !== handler.ist.value) ?? null);
    if (other === undefined) return [];
    const handlers = program.handlers.map((one) => (one === handler ? { ...one, ist: { ...one.ist, value: other } } : one));
    return [{ title: `${handler.name} on ${other ?? 'no stack of its own'}`, program: { ...program, handlers } }];
  });
}

/** One in `step`, from the one with that number on. */
export function sampleOf<T>(all: readonly T[], step: number, first = 0): readonly T[] {
  return all.filter((_, index) => index % step === first % step);
}
