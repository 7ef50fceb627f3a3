// Callers and callees of a C function of entry code.
import type { Place } from '../base/span.ts';
import { callsOf } from '../hierarchy/calls.ts';
import type { CallEdge } from '../hierarchy/calls.ts';
import { primitiveNamed } from '../kernel/primitives.ts';
import type { HierarchyCall } from '../hierarchy-types.ts';
import { placeIn } from '../tree/tree.ts';
import type { Tree, TreeFunction } from '../tree/tree.ts';
import { eventTitle } from './arrivals.ts';
import { gateText } from './hierarchy-events.ts';
import type { Sided } from './hierarchy-events.ts';
import { capped, functionItem, note, stubItem } from './hierarchy-items.ts';
import type { HierarchySide } from './hierarchy-items.ts';
import { eventCalls } from './hierarchy-raised.ts';
import { callingStubs, spansIn } from './hierarchy-transfers.ts';

export function callersOfFunction(side: HierarchySide, tree: Tree, one: TreeFunction): readonly HierarchyCall[] {
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

export function calleesOfFunction(side: HierarchySide, tree: Tree, one: TreeFunction): readonly HierarchyCall[] {
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
