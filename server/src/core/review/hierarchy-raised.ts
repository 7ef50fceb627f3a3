// What raises an event, as callers of its stub or handler: user mode, instructions of entry code, and C functions.
import type { Place } from '../base/span.ts';
import { faultingFunctions } from '../hierarchy/faulting.ts';
import { VECTORS } from '../machine/vectors.ts';
import type { HierarchyCall } from '../hierarchy-types.ts';
import { comesAnywhere, eventTitle } from './arrivals.ts';
import { sourcesOf, userText } from './hierarchy-events.ts';
import type { EventSource } from './hierarchy-events.ts';
import { NO_ENTRY, capped, functionItem, note } from './hierarchy-items.ts';
import type { HierarchySide } from './hierarchy-items.ts';

/** Functions that one item names. */
const MOST_NAMED = 8;
const DOUBLE_FAULT = 8;

/** The instructions of stubs that raise an event, user mode, and C code that is there to raise it. */
export function eventCalls(side: HierarchySide, vector: number, gate: Place): readonly HierarchyCall[] {
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

function sourceCall({ symbol, text, place, spans, context }: EventSource, explored: boolean): HierarchyCall {
  const detail = context ?? (explored ? 'no entry path reaches it' : 'contexts are not explored yet');
  const name = text === null ? `${symbol}: any instruction` : `${symbol}: ${text}`;
  return { item: { key: `at ${symbol}`, kind: 'instruction', name, detail, place, nameSpan: spans[0] ?? place.span }, spans: spans.length === 0 ? [place.span] : spans };
}
