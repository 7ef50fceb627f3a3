// Stubs that one macro made differ in the C function they call and in nothing else: of each such shape one is run. Gates
// that no event goes through have none.
import type { CodeNode, NodeId } from '../machine/code.ts';
import { vectorByNumber } from '../machine/vectors.ts';
import type { Handler, Program } from '../program/program.ts';
import { isSystemCallGate } from './entry-doors.ts';

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
    if (handler.synthesized || isSystemCallGate(program, handler)) continue;
    const body = bodyFrom(program, handler.stub);
    const key = keyOf(program, body, handler.stub, handler.ist.value, vectorByNumber(handler.vector)?.errorCode === true);
    const first = byShape.get(key);
    if (first === undefined) byShape.set(key, handler);
    else pair(program, body, bodyFrom(program, first.stub), counterparts);
    byVector.set(handler.vector, first ?? handler);
  }
  for (const info of program.functions.values()) {
    if (info.language !== 'asm' || stubs.has(info.entry) || !info.name.startsWith('asm_') || program.code.nodes[info.entry]?.symbol !== info.name) continue;
    const body = bodyFrom(program, info.entry);
    const first = byShape.get(keyOf(program, body, info.entry, null, false)) ?? byShape.get(keyOf(program, body, info.entry, null, true));
    if (first !== undefined) pair(program, body, bodyFrom(program, first.stub), counterparts);
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
    if (mine === undefined || mine.id === node.id) return;
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
  const places = new Map(body.map((node, index) => [node.id, index]));
  return `${ist ?? ''}|${errorCode}|${body.map((node) => textOf(program, node, stub, places)).join('\n')}`;
}

/** A stub with fewer instructions that jumps elsewhere is as it were the start of the code there. */
const SHORTEST_OWN = 4;

/** What a path can reach in the stub's own symbol, and in that to which a short stub jumps. */
function bodyFrom(program: Program, stub: NodeId): readonly CodeNode[] {
  const body = reachedIn(program, stub);
  const last = body.at(-1);
  if (body.length >= SHORTEST_OWN || last?.kind !== 'instruction' || last.mnemonic !== 'jmp' || last.target === null || program.code.nodes[last.target]?.symbol === last.symbol) return body;
  return [...body, ...reachedIn(program, last.target)];
}

function reachedIn(program: Program, entry: NodeId): readonly CodeNode[] {
  const symbol = program.code.nodes[entry]?.symbol;
  const found = new Map<NodeId, CodeNode>();
  const waiting: { readonly id: NodeId; readonly arm: number }[] = [{ id: entry, arm: 0 }];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const node = program.code.nodes[at.id];
    const own = node?.symbol === symbol;
    if (node === undefined || found.has(node.id) || (!own && (at.arm === 0 || at.arm > LONGEST_ARM))) continue;
    if (own) found.set(node.id, node);
    if (node.kind === 'feature') waiting.push({ id: node.present, arm: 1 }, { id: node.absent, arm: 1 });
    if (node.kind !== 'instruction') continue;
    if (node.next !== null) waiting.push({ id: node.next, arm: own ? 0 : at.arm + 1 });
    if (own && node.target !== null) waiting.push({ id: node.target, arm: 0 });
  }
  return [...found.values()].sort((a, b) => a.id - b.id);
}

/** The node without what differs between uses of one macro: the name of the C function, and where local labels lie. */
function textOf(program: Program, node: CodeNode, stub: NodeId, places: ReadonlyMap<NodeId, number>): string {
  if (node.kind === 'feature') return `${node.feature} ${armText(program, node.present, places)} ${armText(program, node.absent, places)}`;
  if (node.kind !== 'instruction') return node.kind;
  if (node.target === null && node.targetName !== null) return `${node.mnemonic} outside`;
  if (node.target !== null) return `${node.mnemonic} ${placeText(node.target, places)}`;
  return node.mnemonic.startsWith('push') && isFirst(program, node.id, stub) ? node.mnemonic : node.text;
}

const placeText = (id: NodeId, places: ReadonlyMap<NodeId, number>): string => (places.has(id) ? `#${places.get(id) ?? ''}` : `${id}`);

/** The first instruction of the stub that does anything. */
function isFirst(program: Program, node: NodeId, stub: NodeId): boolean {
  const first = program.code.nodes[stub];
  return node === stub || (node === stub + 1 && first?.kind === 'instruction' && first.mnemonic.startsWith('endbr'));
}

/** A place in the stub by its number, a replacement by what it says up to where it comes back. */
function armText(program: Program, arm: NodeId, places: ReadonlyMap<NodeId, number>): string {
  const words: string[] = [];
  let at: NodeId | null = arm;
  for (let count = 0; count < LONGEST_ARM && at !== null; count += 1) {
    if (places.has(at)) return `${words.join(';')} ${placeText(at, places)}`;
    const node: CodeNode | undefined = program.code.nodes[at];
    if (node?.kind !== 'instruction') return words.join(';');
    words.push(node.target === null && node.targetName === null ? node.text : node.mnemonic);
    at = node.next;
  }
  return words.join(';');
}
