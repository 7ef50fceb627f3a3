// Assembler streams to machine nodes: sections in order, labels to addresses, alternatives to choices on a feature.
import { ENTRY_ROUTINES } from '../kernel/entry-calls.ts';
import type { Origin } from '../base/span.ts';
import type { CodeNode, MachineOperand, NodeId } from '../machine/code.ts';
import { registerIndex, registerOperand } from '../machine/registers.ts';
import { addressOfNode } from '../machine/layout.ts';
import type { AlternativeRecord, AssemblerStream, Expression, InstructionItem, Operand, StreamItem } from '../preprocess/stream.ts';
import type { ProgramUnknown } from './unknown.ts';

/** Names that the assembler and C share: what a symbol's address is, and whether it is a per-CPU variable. */
export interface Names {
  readonly label: (name: string) => NodeId | null;
  /** Per-CPU offset or address of a variable; unknown names get a place of their own. */
  readonly variable: (name: string, perCpu: boolean) => bigint;
  readonly constant: (name: string) => bigint | null;
  /** A function that some C file defines. */
  readonly function: (name: string) => NodeId | null;
}

export interface Placed {
  readonly stream: AssemblerStream;
  /** Node of an item, or of the first item behind it that has one. */
  readonly nodeOf: readonly (NodeId | null)[];
  readonly labels: ReadonlyMap<string, NodeId>;
  readonly features: ReadonlyMap<number, readonly AlternativeRecord[]>;
  readonly first: NodeId;
  readonly end: NodeId;
}

function executable(section: string): boolean {
  return section.includes('text') || section === '.altinstr_replacement' || section === '.fixup' || section.startsWith('.init') || section.startsWith('.head');
}

function instructionOf(item: StreamItem): InstructionItem | null {
  if (item.kind === 'instruction') return item;
  return item.kind === 'data' ? item.decoded : null;
}

/** Gives every instruction of a stream its node, section by section, and every label the node behind it. */
export function place(stream: AssemblerStream, from: NodeId): Placed {
  const order = new Map<string, number[]>();
  stream.items.forEach((item, index) => {
    if (!executable(item.section)) return;
    const list = order.get(item.section);
    if (list === undefined) order.set(item.section, [index]);
    else list.push(index);
  });
  const features = new Map<number, AlternativeRecord[]>();
  for (const record of stream.alternatives) {
    const at = record.original[0];
    const list = features.get(at);
    // Records of one site are applied in order: the last one that applies is what runs, so it is asked first.
    if (list === undefined) features.set(at, [record]);
    else list.unshift(record);
  }
  const nodeOf: (NodeId | null)[] = stream.items.map(() => null);
  let next = from;
  for (const indices of order.values()) {
    for (const index of indices) {
      const item = stream.items[index];
      if (item === undefined) continue;
      nodeOf[index] = next;
      next += features.get(index)?.length ?? 0;
      if (instructionOf(item) !== null) next += 1;
    }
  }
  const labels = new Map<string, NodeId>();
  stream.items.forEach((item, index) => {
    const node = nodeOf[index];
    if (item.kind === 'label' && node !== null && node !== undefined) labels.set(item.name, node);
  });
  const placed: Placed = { stream, nodeOf, labels, features, first: from, end: next };
  return { ...placed, labels: withReplacementEnds(placed) };
}

/** A label behind the last instruction of a replacement is where the patched code goes on. */
function withReplacementEnds(placed: Placed): ReadonlyMap<string, NodeId> {
  const { stream } = placed;
  const labels = new Map(placed.labels);
  for (const record of stream.alternatives) {
    const last = lastInstruction(placed, record.replacement);
    const behind = nodeFrom(placed, record.original[1], stream.items[record.original[0]]?.section);
    if (behind === null) continue;
    for (let index = last + 1; last >= 0 && index < record.replacement[1]; index += 1) {
      const item = stream.items[index];
      if (item?.kind === 'label') labels.set(item.name, behind);
    }
  }
  return labels;
}

/** The nodes of a placed stream, in order of their ids. */
export function linkStream(placed: Placed, names: Names, unknown: ProgramUnknown[]): readonly CodeNode[] {
  const { stream } = placed;
  const symbolAt = symbolsByItem(stream);
  const nodes: CodeNode[] = [];
  stream.items.forEach((item, index) => {
    const id = placed.nodeOf[index];
    if (id === null || id === undefined) return;
    const records = placed.features.get(index) ?? [];
    records.forEach((record, nth) => nodes.push(featureNode(placed, record, id + nth, symbolAt[index] ?? '', item.origin)));
    const instruction = instructionOf(item);
    if (instruction !== null) nodes.push(instructionNode(placed, instruction, id + records.length, nextNode(placed, index), symbolAt[index] ?? '', names, unknown));
  });
  return nodes.sort((a, b) => a.id - b.id);
}

/** The node that runs behind item `index`: the next item of its section, or behind the original for a replacement. */
function nextNode(placed: Placed, index: number): NodeId | null {
  const { stream } = placed;
  const section = stream.items[index]?.section;
  for (const record of stream.alternatives) {
    if (index >= record.replacement[0] && index < record.replacement[1] && lastInstruction(placed, record.replacement) === index) {
      return nodeFrom(placed, record.original[1], stream.items[record.original[0]]?.section);
    }
  }
  return nodeFrom(placed, behind(stream, index), section);
}

/** The item behind an instruction and those that are part of its operand. */
function behind(stream: AssemblerStream, index: number): number {
  const from = stream.items[index];
  let covered = from === undefined ? 0 : (instructionOf(from)?.covers ?? 0);
  let at = index + 1;
  for (; covered > 0 && at < stream.items.length; at += 1) {
    const item = stream.items[at];
    if (item !== undefined && item.section === from?.section && instructionOf(item) !== null) covered -= 1;
  }
  return at;
}

function lastInstruction(placed: Placed, range: readonly [number, number]): number {
  for (let index = range[1] - 1; index >= range[0]; index -= 1) {
    const item = placed.stream.items[index];
    if (item !== undefined && instructionOf(item) !== null) return index;
  }
  return -1;
}

function nodeFrom(placed: Placed, index: number, section: string | undefined): NodeId | null {
  for (let at = index; at < placed.stream.items.length; at += 1) {
    const item = placed.stream.items[at];
    const node = placed.nodeOf[at];
    if (item === undefined || item.section !== section || node === null || node === undefined) continue;
    if (instructionOf(item) !== null || (placed.features.get(at)?.length ?? 0) > 0) return node;
  }
  return null;
}

function featureNode(placed: Placed, record: AlternativeRecord, id: NodeId, symbol: string, origin: Origin): CodeNode {
  const replacement = lastInstruction(placed, record.replacement) < 0 ? nodeFrom(placed, record.original[1], placed.stream.items[record.original[0]]?.section) : nodeFrom(placed, record.replacement[0], placed.stream.items[record.replacement[0]]?.section);
  const original = id + 1;
  const taken = replacement ?? original;
  return {
    kind: 'feature',
    id,
    symbol,
    text: `ALTERNATIVE on ${record.feature}`,
    origin,
    feature: record.feature,
    present: record.negated ? original : taken,
    absent: record.negated ? taken : original,
  };
}

/** The function or stub an item belongs to: the last global or `SYM_*` label before it, not a local one. */
function symbolsByItem(stream: AssemblerStream): readonly string[] {
  const current = new Map<string, string>();
  const starts = functionLabels(stream);
  return stream.items.map((item) => {
    if (item.kind === 'label' && starts.has(item.name)) current.set(item.section, item.name);
    return current.get(item.section) ?? '';
  });
}

/** Labels at which a function or stub starts: those with a `.size`, in files that give sizes, else every global one. */
export function functionLabels(stream: AssemblerStream): ReadonlySet<string> {
  const sized = new Set<string>();
  const all = new Set<string>();
  for (const item of stream.items) {
    if (item.kind === 'label' && isFunctionLabel(item.name)) all.add(item.name);
    if (item.kind === 'directive' && item.name === '.size' && item.arguments[0] !== undefined) sized.add(item.arguments[0].trim());
  }
  return sized.size > 0 ? sized : all;
}

export function isFunctionLabel(name: string): boolean {
  return !name.startsWith('.L') && !/^\d/.test(name);
}

function outOfView(name: string, called: boolean): ProgramUnknown {
  if (!called) return { kind: 'jumps-away', name };
  return ENTRY_ROUTINES.has(name) ? { kind: 'entry-routine', name } : { kind: 'out-of-view', name };
}

function instructionNode(placed: Placed, item: InstructionItem, id: NodeId, next: NodeId | null, symbol: string, names: Names, unknown: ProgramUnknown[]): CodeNode {
  const direct = /^(j|call|loop|xbegin)/.test(item.mnemonic);
  const operand = item.operands[0];
  let target: NodeId | null = null;
  let targetName: string | null = null;
  let operands = item.operands;
  if (direct && operand?.kind === 'memory' && !operand.indirect && operand.base === null && operand.displacement !== null) {
    targetName = operand.displacement.kind === 'symbol' ? operand.displacement.name : null;
    target = targetName === null ? null : (placed.labels.get(targetName) ?? names.label(targetName) ?? names.function(targetName));
    if (target === null && targetName !== null) unknown.push(outOfView(targetName, item.mnemonic.startsWith('call')));
    operands = [];
  }
  const machine: MachineOperand[] = [];
  for (const one of operands) {
    const linked = linkOperand(one, placed, names, id);
    if (linked === null) unknown.push({ kind: 'operand', text: item.text });
    else machine.push(linked);
  }
  const ends = /^(jmp|ret|iret|eret|sysret|sysexit|ud2)/.test(item.mnemonic);
  return {
    kind: 'instruction',
    id,
    symbol,
    text: item.text,
    origin: item.origin,
    mnemonic: item.mnemonic,
    prefixes: item.prefixes,
    operands: machine,
    next: ends ? null : next,
    target,
    targetName,
  };
}

function linkOperand(operand: Operand, placed: Placed, names: Names, here: NodeId): MachineOperand | null {
  switch (operand.kind) {
    case 'register':
      return registerOperand(operand.name);
    case 'immediate': {
      const value = valueOf(operand.value, placed, names, here, false);
      return value === null ? null : { kind: 'immediate', value };
    }
    case 'memory': {
      const gs = operand.segment === 'gs';
      const displacement = operand.displacement === null ? 0n : valueOf(operand.displacement, placed, names, here, gs);
      if (displacement === null) return null;
      const base = operand.base === null || operand.base === 'rip' ? null : registerIndex(operand.base);
      const index = operand.index === null ? null : registerIndex(operand.index);
      return { kind: 'memory', segment: gs ? 'gs' : operand.segment === 'fs' ? 'fs' : null, displacement, base, index, scale: operand.scale };
    }
  }
}

/** Value of an expression with every symbol an address; null where an operator is not known. */
export function valueOf(expression: Expression, placed: Placed, names: Names, here: NodeId, perCpu: boolean): bigint | null {
  switch (expression.kind) {
    case 'number':
      return expression.value;
    case 'here':
      return addressOfNode(here, false);
    case 'symbol': {
      const label = placed.labels.get(expression.name) ?? names.label(expression.name) ?? names.function(expression.name);
      if (label !== null) return addressOfNode(label, false);
      return names.constant(expression.name) ?? names.variable(expression.name, perCpu);
    }
    case 'unary': {
      const value = valueOf(expression.operand, placed, names, here, perCpu);
      if (value === null) return null;
      return expression.operator === '-' ? -value : expression.operator === '~' ? ~value : value === 0n ? 1n : 0n;
    }
    case 'binary': {
      const left = valueOf(expression.left, placed, names, here, perCpu);
      const right = valueOf(expression.right, placed, names, here, perCpu);
      return left === null || right === null ? null : combine(expression.operator, left, right);
    }
  }
}

function combine(operator: string, a: bigint, b: bigint): bigint | null {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return b === 0n ? null : a / b;
    case '%':
      return b === 0n ? null : a % b;
    case '<<':
      return b < 0n || b > 63n ? null : a << b;
    case '>>':
      return b < 0n || b > 63n ? null : a >> b;
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    default:
      return null;
  }
}
