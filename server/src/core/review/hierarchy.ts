// The call hierarchy of entry code with its exception edges: C callers and callees, the stubs between an event and its
// handler, the gates, and the instructions that can raise the event, each with the contexts that are known of it.
import type { Place, Span } from '../base/span.ts';
import { callsOf } from '../hierarchy/calls.ts';
import type { CallEdge, CallKind } from '../hierarchy/calls.ts';
import { contextsText, joinContexts } from '../hierarchy/contexts.ts';
import type { ContextTable } from '../hierarchy/contexts.ts';
import { faultingFunctions } from '../hierarchy/faulting.ts';
import { primitiveNamed } from '../kernel/primitives.ts';
import type { CodeNode, InstructionNode } from '../machine/code.ts';
import { VECTORS } from '../machine/vectors.ts';
import type { HierarchyCall, HierarchyItem } from '../review-types.ts';
import { pathPlace } from '../rules/path-vocabulary.ts';
import { placeIn } from '../tree/tree.ts';
import type { Tree, TreeFunction } from '../tree/tree.ts';
import { comesAnywhere, eventTitle } from './arrivals.ts';
import { eventOf, gateText, handlersOf, sourcesOf, symbolPlace, userText } from './hierarchy-events.ts';
import type { EventSource, Sided } from './hierarchy-events.ts';
import { rootsOf } from './hierarchy-roots.ts';

export interface HierarchySide {
  /** C entry code in the configurations that it is read with, the chosen one first. */
  readonly trees: readonly Tree[];
  readonly sides: readonly Sided[];
  /** Whether all entry paths were run. */
  readonly explored: boolean;
}

/** Items of one kind in one answer; how many more there are is an item of its own. */
const MOST_ITEMS = 60;
/** Functions that one item names. */
const MOST_NAMED = 8;

const tables = new WeakMap<Tree, { readonly table: ContextTable; readonly explored: boolean }>();

function contextTable({ sides, explored }: HierarchySide, tree: Tree): ContextTable {
  const known = tables.get(tree);
  // Only a design's roots rest on its entry paths.
  if (known !== undefined && (known.explored || !explored || !tree.design)) return known.table;
  const table = joinContexts(tree, rootsOf(tree, sides));
  tables.set(tree, { table, explored });
  return table;
}

/** What the C function with this name is, in the first configuration that has it. */
export function functionNamed(trees: readonly Tree[], name: string, file: string | null): { readonly tree: Tree; readonly one: TreeFunction } | null {
  for (const tree of trees) {
    const one = tree.resolve(name, file === null || !file.startsWith(tree.root) ? '' : file.slice(tree.root.length));
    if (one !== null && (file === null || tree.root + one.file === file)) return { tree, one };
  }
  return null;
}

/** The item that a name at an offset means; null where it is no function and no stub. */
export function itemAt(side: HierarchySide, word: string, file: string): HierarchyItem | null {
  const local = functionNamed(side.trees, word, file) ?? functionNamed(side.trees, word, null);
  if (local !== null) return functionItem(side, local.tree, local.one, null);
  return stubItem(side, word, null) ?? stubItem(side, `asm_${word}`, null);
}

export function incoming(side: HierarchySide, key: string): readonly HierarchyCall[] {
  const { kind, name, file } = keyOf(key);
  switch (kind) {
    case 'c': {
      const found = functionNamed(side.trees, name, file);
      return found === null ? [] : callersOfFunction(side, found.tree, found.one);
    }
    case 'asm':
      return callersOfStub(side, name);
    case 'at': {
      const stub = stubItem(side, name, null);
      return stub === null ? [] : [{ item: stub, spans: [stub.nameSpan] }];
    }
    default:
      return [];
  }
}

export function outgoing(side: HierarchySide, key: string): readonly HierarchyCall[] {
  const { kind, name, file } = keyOf(key);
  switch (kind) {
    case 'c': {
      const found = functionNamed(side.trees, name, file);
      return found === null ? [] : calleesOfFunction(side, found.tree, found.one);
    }
    case 'asm':
      return calleesOfStub(side, name);
    case 'gate': {
      const stub = stubItem(side, name, null);
      const place = handlersOf(side.sides, name)[0]?.handler.place;
      return stub === null ? [] : [{ item: stub, spans: place === undefined || place === null ? [stub.nameSpan] : [place.span] }];
    }
    default:
      return [];
  }
}

/** Whether an answer rests on the entry paths, so that it is better given when they were all run. */
export function needsPaths(key: string): boolean {
  return keyOf(key).kind === 'asm';
}

function keyOf(key: string): { readonly kind: string; readonly name: string; readonly file: string | null } {
  const match = /^(\w+) (\S*)(?: (.*))?$/.exec(key);
  return { kind: match?.[1] ?? '', name: match?.[2] ?? '', file: match?.[3] ?? null };
}

const how: Readonly<Record<CallKind, string>> = { call: '', pointer: 'through a pointer; ', handed: 'handed over to be called later; ' };

function functionItem(side: HierarchySide, tree: Tree, one: TreeFunction, edge: CallKind | null): HierarchyItem {
  const contexts = contextsText(contextTable(side, tree).of(one));
  return {
    key: `c ${one.name} ${tree.root}${one.file}`,
    kind: one.definedBy === null ? 'function' : 'handler',
    name: one.name,
    detail: `${edge === null ? '' : how[edge]}${contexts ?? NO_ENTRY}`,
    place: placeIn(tree, one.file, one.span),
    nameSpan: one.nameSpan,
  };
}

function stubItem(side: HierarchySide, name: string, detail: string | null): HierarchyItem | null {
  const place = symbolPlace(side.sides, name);
  if (place === null) return null;
  const vectors = [...new Set(handlersOf(side.sides, name).map(({ handler }) => eventOf(handler)))];
  return { key: `asm ${name}`, kind: 'stub', name, detail: detail ?? (vectors.length === 0 ? 'assembler' : `stub of ${vectors.length > 3 ? 'device interrupts' : vectors.join(', ')}`), place, nameSpan: place.span };
}

/** An item that has no hierarchy of its own: it says what is not in view, or what was left out. */
function note(name: string, detail: string, place: Place, kind: HierarchyItem['kind'] = 'unresolved'): HierarchyItem {
  return { key: 'end -', kind, name, detail, place, nameSpan: place.span };
}

function capped(calls: readonly HierarchyCall[], what: string): readonly HierarchyCall[] {
  const first = calls[0];
  if (calls.length <= MOST_ITEMS || first === undefined) return calls;
  return [...calls.slice(0, MOST_ITEMS), { item: note(`and ${calls.length - MOST_ITEMS} more`, what, first.item.place), spans: [first.item.nameSpan] }];
}

function callersOfFunction(side: HierarchySide, tree: Tree, one: TreeFunction): readonly HierarchyCall[] {
  const calls: HierarchyCall[] = [];
  for (const [symbol, nodes] of callingStubs(side.sides, one.name)) {
    const item = stubItem(side, symbol, null);
    if (item !== null) calls.push({ item, spans: spansIn(item.place.file, nodes, item.nameSpan) });
  }
  // A design without a stub of its own: the gate leads to the function.
  for (const { kernel } of side.sides) {
    for (const handler of kernel.program.handlers) {
      if (!handler.synthesized || handler.function !== one.name) continue;
      const place = handler.place ?? placeIn(tree, one.file, one.nameSpan);
      calls.push({ item: { ...note(eventTitle(handler.vector), `${gateText(handler)}; the stub is not in view`, place), kind: 'event' }, spans: [place.span] });
      calls.push(...eventCalls(side, handler.vector, place));
    }
  }
  const edges = callsOf(tree).incoming(one);
  calls.push(...capped(edges.map((edge) => edgeCall(side, tree, edge, 'from')), 'callers that are not listed'));
  for (const { kind, function: name, place } of tree.registrations) {
    if (name !== one.name || kind === 'nmi' || edges.some((edge) => edge.kind === 'pointer')) continue;
    calls.push({ item: note(kind === 'notifier' ? 'a notifier chain' : 'task work', 'calls it through a pointer; the call is not in view', place), spans: [place.span] });
  }
  return calls;
}

function edgeCall(side: HierarchySide, tree: Tree, edge: CallEdge, end: 'from' | 'to'): HierarchyCall {
  return { item: functionItem(side, tree, edge[end], edge.kind), spans: edge.steps.map((step) => step.span) };
}

function calleesOfFunction(side: HierarchySide, tree: Tree, one: TreeFunction): readonly HierarchyCall[] {
  const calls = callsOf(tree).outgoing(one).map((edge) => edgeCall(side, tree, edge, 'to'));
  for (const open of callsOf(tree).open(one)) {
    const first = open.steps[0];
    if (first === undefined) continue;
    const spans = open.steps.map((step) => step.span);
    const stub = open.indirect ? null : stubItem(side, open.name, null);
    const place = placeIn(tree, one.file, first.span);
    const header = open.indirect ? null : headerFunction(side.sides, open.name);
    if (stub !== null) calls.push({ item: stub, spans });
    else if (open.indirect) calls.push({ item: note(first.text, 'through a pointer whose functions are not in view: not resolved', place), spans });
    else if (header !== null) calls.push({ item: note(open.name, 'of a header that is read with this design', header, 'function'), spans });
    else calls.push({ item: note(open.name, notInView(open.name), place), spans });
  }
  return capped([...calls].sort((a, b) => (a.spans[0]?.start ?? 0) - (b.spans[0]?.start ?? 0)), 'callees that are not listed');
}

/** A function of a header, which the unit of a design links and its tree does not list. */
function headerFunction(sides: readonly Sided[], name: string): Place | null {
  const info = sides.flatMap(({ kernel }) => kernel.program.functions.get(name) ?? [])[0];
  return info?.source === undefined || info.source === null ? null : { file: info.source.file, span: info.source.nameSpan };
}

function notInView(name: string): string {
  const primitive = primitiveNamed(name);
  return primitive === null ? 'not in view' : `not in view; known as: ${primitive.summary}`;
}

function callersOfStub(side: HierarchySide, name: string): readonly HierarchyCall[] {
  const calls: HierarchyCall[] = [];
  const handlers = handlersOf(side.sides, name);
  for (const { handler } of handlers) {
    const place = handler.place ?? symbolPlace(side.sides, name);
    if (place === null) continue;
    calls.push({ item: { key: `gate ${name}`, kind: 'event', name: `${eventOf(handler)} gate`, detail: gateText(handler), place, nameSpan: place.span }, spans: [place.span] });
  }
  const own = symbolPlace(side.sides, name);
  for (const { run } of side.sides) {
    const door = run?.analysis.doors.find((one) => one.kind === 'instruction' && one.name === name);
    if (door?.kind !== 'instruction' || own === null || calls.some((call) => call.item.name === door.instruction)) continue;
    calls.push({ item: note(door.instruction, 'user mode, CPL 3: enters here without a stack switch', own, 'event'), spans: [own.span] });
  }
  const vectors = [...new Set(handlers.map(({ handler }) => handler.vector))].slice(0, 1);
  for (const vector of vectors) if (own !== null) calls.push(...eventCalls(side, vector, handlers[0]?.handler.place ?? own));
  for (const [symbol, nodes] of callingStubs(side.sides, name)) {
    const item = stubItem(side, symbol, null);
    if (item !== null && symbol !== name) calls.push({ item, spans: spansIn(item.place.file, nodes, item.nameSpan) });
  }
  for (const tree of side.trees.slice(0, 1)) {
    for (const one of tree.functions) {
      const steps = callsOf(tree).open(one).filter((open) => !open.indirect && open.name === name).flatMap((open) => open.steps);
      if (steps.length > 0) calls.push({ item: functionItem(side, tree, one, null), spans: steps.map((step) => step.span) });
    }
  }
  return calls;
}

/** The instructions of stubs that raise an event, user mode, and C code that is there to raise it. */
function eventCalls(side: HierarchySide, vector: number, gate: Place): readonly HierarchyCall[] {
  const calls: HierarchyCall[] = [];
  const title = eventTitle(vector);
  const handler = side.sides.flatMap(({ kernel }) => kernel.program.handlers).find((one) => one.vector === vector);
  const user = handler === undefined ? null : userText(handler);
  if (user !== null) calls.push({ item: note(`user mode: ${user}`, 'CPL 3, user stack, IF=1', gate, 'context'), spans: [gate.span] });
  const sources = sourcesOf(side.sides, vector, side.explored);
  calls.push(...capped(sources.map((source) => sourceCall(source, side.explored)), `instructions that may raise ${title}; \`run --everywhere\` raises it at all of them`));
  if (vector === DOUBLE_FAULT) calls.push({ item: note('another exception that cannot be delivered', 'its frame has no stack to go to, or its gate is not valid', gate, 'context'), spans: [gate.span] });
  if (comesAnywhere(vector)) calls.push({ item: note('C code of the kernel: any instruction', `CPL 0${vector >= 32 ? ', IF=1' : ''}`, gate, 'context'), spans: [gate.span] });
  const name = VECTORS.find((one) => one.number === vector)?.name ?? '';
  const functions = side.trees.slice(0, 1).flatMap((tree) => faultingFunctions(tree, name).map(({ function: one, steps }) => ({ item: functionItem(side, tree, one, null), spans: steps.map((step) => step.span) })));
  const entered = functions.filter(({ item }) => item.detail !== NO_ENTRY);
  calls.push(...capped(entered.map(({ item, spans }) => ({ item: { ...item, detail: `may raise ${title}; ${item.detail}` }, spans })), `C functions that may raise ${title}`));
  const others = functions.filter(({ item }) => item.detail === NO_ENTRY);
  if (others.length > 0) calls.push({ item: note(`${others.length} more C functions`, `${others.slice(0, MOST_NAMED).map(({ item }) => item.name).join(', ')}${others.length > MOST_NAMED ? ', ...' : ''}: no entry in view leads to them`, gate, 'context'), spans: [gate.span] });
  return calls;
}

const DOUBLE_FAULT = 8;
const NO_ENTRY = 'no entry in view leads here';

function sourceCall({ symbol, text, place, spans, context }: EventSource, explored: boolean): HierarchyCall {
  const detail = context ?? (explored ? 'no entry path reaches it' : 'contexts are not explored yet');
  const name = text === null ? `${symbol}: any instruction` : `${symbol}: ${text}`;
  return { item: { key: `at ${symbol}`, kind: 'instruction', name, detail, place, nameSpan: spans[0] ?? place.span }, spans: spans.length === 0 ? [place.span] : spans };
}

function calleesOfStub(side: HierarchySide, name: string): readonly HierarchyCall[] {
  const own = stubItem(side, name, null);
  if (own === null) return [];
  const found = new Map<string, { readonly item: HierarchyItem; readonly nodes: CodeNode[] }>();
  const add = (item: HierarchyItem, node: CodeNode): void => {
    const id = `${item.key} ${item.name}`;
    const known = found.get(id);
    if (known === undefined) found.set(id, { item, nodes: [node] });
    else if (!known.nodes.includes(node)) known.nodes.push(node);
  };
  for (const { kernel } of side.sides) {
    const { nodes } = kernel.program.code;
    for (const node of nodes) {
      if (node.kind !== 'instruction' || node.symbol !== name) continue;
      const end = returnText(node);
      if (end !== null) add(note(end, 'the entry ends here', pathPlace(node), 'instruction'), node);
      const target = node.target === null ? undefined : nodes[node.target];
      const called = isTransfer(node) ? (target === undefined ? node.targetName : target.symbol === name ? null : target.symbol) : null;
      const behind = node.next === null ? undefined : nodes[node.next];
      const next = behind !== undefined && behind.symbol !== name && behind.symbol !== '' && !/^(?:jmp|ret|int3|ud|iret|sysret|sysexit|eret)/.test(node.mnemonic) ? behind.symbol : null;
      for (const symbol of [called, next]) {
        if (symbol === null || symbol === '') continue;
        const c = functionNamed(side.trees, symbol, null);
        const item = c === null ? (stubItem(side, symbol, symbol === next ? 'goes on there' : null) ?? note(symbol, 'not in view', pathPlace(node))) : functionItem(side, c.tree, c.one, null);
        add(item, node);
      }
      if (isTransfer(node) && node.target === null && node.targetName === null) add(note(node.text, 'through a pointer: not resolved', pathPlace(node)), node);
    }
  }
  return [...found.values()].map(({ item, nodes }) => ({ item, spans: spansIn(own.place.file, nodes, own.nameSpan) }));
}

function isTransfer(node: InstructionNode): boolean {
  return /^(?:call|j[a-z]+)/.test(node.mnemonic);
}

/** Instructions that leave the entry. */
function returnText({ mnemonic, text }: InstructionNode): string | null {
  return /^(?:iret|sysret|sysexit|eretu|erets)/.test(mnemonic) ? text : null;
}

/** Symbols of assembler code with their instructions that call or jump to a name. */
function callingStubs(sides: readonly Sided[], name: string): ReadonlyMap<string, readonly CodeNode[]> {
  const found = new Map<string, CodeNode[]>();
  for (const { kernel } of sides) {
    const { nodes } = kernel.program.code;
    for (const node of nodes) {
      if (node.kind !== 'instruction' || node.symbol === '' || node.symbol === name || !isTransfer(node)) continue;
      const target = node.target === null ? undefined : nodes[node.target];
      if ((target?.symbol ?? node.targetName) !== name) continue;
      const known = found.get(node.symbol);
      if (known === undefined) found.set(node.symbol, [node]);
      else known.push(node);
    }
  }
  return found;
}

/** Where the nodes are written in a file: their own text, or the macro use there that made them. */
function spansIn(file: string, nodes: readonly CodeNode[], otherwise: Span): readonly Span[] {
  const spans = new Map<number, Span>();
  for (const { origin } of nodes) {
    const place = [{ file: origin.file, span: origin.span }, ...origin.uses].find((one) => one.file === file);
    if (place !== undefined) spans.set(place.span.start, place.span);
  }
  return spans.size === 0 ? [otherwise] : [...spans.values()].sort((a, b) => a.start - b.start);
}
