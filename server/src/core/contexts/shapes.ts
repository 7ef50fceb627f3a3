// Stubs that one macro made differ in the C function they call and in nothing else: of each such shape one is run.
import type { CodeNode, NodeId } from '../machine/code.ts';
import { vectorByNumber } from '../machine/vectors.ts';
import type { Handler, Program } from '../program/program.ts';

export interface Shapes {
  /** One handler a shape, in the order of their vectors. */
  readonly representatives: readonly Handler[];
  /** The handler that is run for a vector, or null where no gate names a stub for it. */
  readonly representative: (vector: number) => Handler | null;
  /** The node of the representative that stands for a node of another stub of its shape. */
  readonly counterpart: (node: NodeId) => NodeId | null;
}

/** The first vector of a shape stands for it: of the faults, those that readers expect. */
const FIRST: readonly number[] = [13, 6, 14, 32];

function orderOf(vector: number): number {
  const at = FIRST.indexOf(vector);
  return at < 0 ? vector + FIRST.length : at;
}

export function shapesOf(program: Program): Shapes {
  const byShape = new Map<string, Handler>();
  const byVector = new Map<number, Handler>();
  const counterparts = new Map<NodeId, NodeId>();
  const stubs = new Set(program.handlers.map((handler) => handler.stub));
  for (const handler of [...program.handlers].sort((a, b) => orderOf(a.vector) - orderOf(b.vector))) {
    if (handler.synthesized) continue;
    const body = bodyFrom(program, handler.stub, stubs);
    const key = keyOf(program, body, handler.stub, handler.ist.value, vectorByNumber(handler.vector)?.errorCode === true);
    const first = byShape.get(key);
    if (first === undefined) byShape.set(key, handler);
    else pair(program, body, bodyFrom(program, first.stub, stubs), counterparts);
    byVector.set(handler.vector, first ?? handler);
  }
  for (const info of program.functions.values()) {
    if (info.language !== 'asm' || stubs.has(info.entry) || !info.name.startsWith('asm_') || program.code.nodes[info.entry]?.symbol !== info.name) continue;
    const body = bodyFrom(program, info.entry, stubs);
    const first = byShape.get(keyOf(program, body, info.entry, null, false)) ?? byShape.get(keyOf(program, body, info.entry, null, true));
    if (first !== undefined) pair(program, body, bodyFrom(program, first.stub, stubs), counterparts);
  }
  return {
    representatives: [...byShape.values()],
    representative: (vector) => byVector.get(vector) ?? null,
    counterpart: (node) => counterparts.get(node) ?? null,
  };
}

/** Each node of a stub with the one that stands for it, those of its replacements included. */
function pair(program: Program, own: readonly CodeNode[], first: readonly CodeNode[], counterparts: Map<NodeId, NodeId>): void {
  first.forEach((node, index) => {
    const mine = own[index];
    if (mine === undefined) return;
    counterparts.set(mine.id, node.id);
    if (mine.kind !== 'feature' || node.kind !== 'feature') return;
    pairArms(program, mine.present, node.present, counterparts);
    pairArms(program, mine.absent, node.absent, counterparts);
  });
}

function pairArms(program: Program, own: NodeId, first: NodeId, counterparts: Map<NodeId, NodeId>): void {
  let mine: NodeId | null = own;
  let its: NodeId | null = first;
  for (let count = 0; count < LONGEST_ARM && mine !== null && its !== null && !counterparts.has(mine) && mine !== its; count += 1) {
    const one: CodeNode | undefined = program.code.nodes[mine];
    const other: CodeNode | undefined = program.code.nodes[its];
    if (one?.kind !== 'instruction' || other?.kind !== 'instruction' || one.mnemonic !== other.mnemonic) return;
    counterparts.set(mine, its);
    mine = one.next;
    its = other.next;
  }
}

const LONGEST_ARM = 16;

function keyOf(program: Program, body: readonly CodeNode[], stub: NodeId, ist: string | null, errorCode: boolean): string {
  return `${ist ?? ''}|${errorCode}|${body.map((node) => textOf(program, node, stub)).join('\n')}`;
}

/** The nodes of the stub's own symbol, up to where another stub starts. */
function bodyFrom(program: Program, stub: NodeId, stubs: ReadonlySet<NodeId>): readonly CodeNode[] {
  const symbol = program.code.nodes[stub]?.symbol;
  const body: CodeNode[] = [];
  for (let id = stub; program.code.nodes[id] !== undefined && program.code.nodes[id]?.symbol === symbol; id += 1) {
    if (id !== stub && stubs.has(id)) break;
    const node = program.code.nodes[id];
    if (node !== undefined) body.push(node);
  }
  return body;
}

/** The node without what differs between uses of one macro: the name of the C function, and where local labels lie. */
function textOf(program: Program, node: CodeNode, stub: NodeId): string {
  if (node.kind === 'feature') return `${node.feature} ${armText(program, node.present, stub)} ${armText(program, node.absent, stub)}`;
  if (node.kind !== 'instruction') return node.kind;
  if (node.target === null && node.targetName !== null) return `${node.mnemonic} outside`;
  if (node.target !== null) return `${node.mnemonic} ${isOwn(program, node.target, stub) ? node.target - stub : node.target}`;
  return node.mnemonic.startsWith('push') && isFirst(program, node.id, stub) ? node.mnemonic : node.text;
}

/** The first instruction of the stub that does anything. */
function isFirst(program: Program, node: NodeId, stub: NodeId): boolean {
  const first = program.code.nodes[stub];
  return node === stub || (node === stub + 1 && first?.kind === 'instruction' && first.mnemonic.startsWith('endbr'));
}

function isOwn(program: Program, node: NodeId, stub: NodeId): boolean {
  return program.code.nodes[node]?.symbol === program.code.nodes[stub]?.symbol;
}

/** A place in the stub by its distance, a replacement by what it says up to where it comes back. */
function armText(program: Program, arm: NodeId, stub: NodeId): string {
  const words: string[] = [];
  let at: NodeId | null = arm;
  for (let count = 0; count < LONGEST_ARM && at !== null; count += 1) {
    if (isOwn(program, at, stub)) return `${words.join(';')} ${at - stub}`;
    const node: CodeNode | undefined = program.code.nodes[at];
    if (node?.kind !== 'instruction') return words.join(';');
    words.push(node.target === null && node.targetName === null ? node.text : node.mnemonic);
    at = node.next;
  }
  return words.join(';');
}
