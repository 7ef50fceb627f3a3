// Callers and callees of a stub: its gates and what comes through them, instructions that enter by themselves, the code that
// jumps there, and where it goes.
import { callsOf } from '../hierarchy/calls.ts';
import type { CodeNode, InstructionNode } from '../machine/code.ts';
import type { HierarchyCall, HierarchyItem } from '../hierarchy-types.ts';
import { pathPlace } from '../rules/path-vocabulary.ts';
import { eventOf, gateText, handlersOf, symbolPlace } from './hierarchy-events.ts';
import { functionItem, functionNamed, note, stubItem } from './hierarchy-items.ts';
import type { HierarchySide } from './hierarchy-items.ts';
import { eventCalls } from './hierarchy-raised.ts';
import { callingStubs, isTransfer, spansIn } from './hierarchy-transfers.ts';

export function callersOfStub(side: HierarchySide, name: string): readonly HierarchyCall[] {
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
  for (const { kernel } of side.sides) {
    const { fred, code } = kernel.program;
    const mode = fred === null ? null : code.nodes[fred.user]?.symbol === name ? 'user' : code.nodes[fred.kernel]?.symbol === name ? 'kernel' : null;
    if (mode !== null && own !== null) calls.push({ item: note(`FRED: every event in ${mode} mode`, mode === 'user' ? 'CPL 3; enters on the stack of level 0' : 'CPL 0; enters on the stack of the event\'s level, or stays on the interrupted one', own, 'event'), spans: [own.span] });
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

export function calleesOfStub(side: HierarchySide, name: string): readonly HierarchyCall[] {
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

/** Instructions that leave the entry. */
function returnText({ mnemonic, text }: InstructionNode): string | null {
  return /^(?:iret|sysret|sysexit|eretu|erets)/.test(mnemonic) ? text : null;
}
