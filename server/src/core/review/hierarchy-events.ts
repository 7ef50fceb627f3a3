// What can enter a stub: its gates, the instructions that may raise the event with the contexts in which they do, user
// mode and C code. Contexts are those of the entry paths that were run.
import { outermost } from '../base/span.ts';
import type { Place, Span } from '../base/span.ts';
import type { EntryAnalysis } from '../contexts/entry-analysis.ts';
import { project } from '../contexts/projection.ts';
import type { Projection } from '../contexts/projection.ts';
import { listed } from '../hierarchy/contexts.ts';
import type { CodeNode } from '../machine/code.ts';
import { VECTORS, vectorTitle } from '../machine/vectors.ts';
import type { Handler } from '../program/program.ts';
import { pathPlace } from '../rules/path-vocabulary.ts';
import { labelPlace } from '../rules/vocabulary.ts';
import { arrivalOf, comesAnywhere, eventTitle, isRaisedBy } from './arrivals.ts';
import type { KernelProgram, KernelRun } from './kernel-run.ts';

export interface Sided {
  readonly kernel: KernelProgram;
  /** null where its paths are not run: then nothing is known of contexts. */
  readonly run: KernelRun | null;
}

/** Instructions of one symbol, or one instruction, that an event may come at. */
export interface EventSource {
  readonly symbol: string;
  /** The instruction; null for any of the symbol. */
  readonly text: string | null;
  readonly place: Place;
  readonly spans: readonly Span[];
  /** `CPL 0, NMI IST stack, IF=0`; null where it was not run. */
  readonly context: string | null;
}

/** States looked at for one line of contexts. */
const MOST_STATES = 400;
const DOUBLE_FAULT = 8;

/** The handlers of a stub, one a vector, with the program that they are of. */
export function handlersOf(sides: readonly Sided[], stub: string): readonly { readonly handler: Handler; readonly sided: Sided }[] {
  const found = new Map<string, { readonly handler: Handler; readonly sided: Sided }>();
  for (const sided of sides) {
    for (const handler of sided.kernel.program.handlers) {
      const key = `${handler.vector < 32 ? handler.vector : 'interrupt'}|${handler.place?.file ?? ''}|${handler.place?.span.start ?? 0}`;
      if (handler.stubName === stub && !found.has(key)) found.set(key, { handler, sided });
    }
  }
  return [...found.values()];
}

/** `#PF`, `INT 0x80`, `vector 9`. */
export function eventOf({ vector, dpl }: Handler): string {
  if (vector >= 32) return dpl === 3 ? `INT 0x${vector.toString(16)}` : eventTitle(vector);
  return VECTORS.some((one) => one.number === vector) ? vectorTitle(vector) : `vector ${vector}`;
}

/** `#PF: vector 14, interrupt gate, no IST, DPL 0`. */
export function gateText(handler: Handler): string {
  const vector = VECTORS.find((one) => one.number === handler.vector);
  const ist = handler.ist.value === null ? 'no IST: on the interrupted stack, or from user mode on the entry stack' : `IST stack ${handler.ist.value}`;
  return `vector ${handler.vector}${vector === undefined ? '' : `, ${vector.title}`}; ${ist}; DPL ${handler.dpl}${handler.dpl === 3 ? ': also by INT n in user mode' : ''}`;
}

/** `explored` says whether all paths were run: then an instruction that none of them reaches cannot be interrupted. */
export function sourcesOf(sides: readonly Sided[], vector: number, explored: boolean): readonly EventSource[] {
  const groups = new Map<string, { readonly node: CodeNode; readonly place: Place; readonly spans: Map<string, Span>; readonly contexts: Projection[]; run: boolean }>();
  const anywhere = comesAnywhere(vector);
  if (vector === DOUBLE_FAULT) return [];
  for (const { kernel, run } of sides) {
    const { program } = kernel;
    if (!program.handlers.some((handler) => handler.vector === vector) && program.fred === null) continue;
    for (const node of program.code.nodes) {
      if (!(node.kind === 'instruction' || (anywhere && node.kind === 'operation')) || node.symbol === '' || /xen/i.test(node.symbol) || (!anywhere && !isRaisedBy(program, node, vector))) continue;
      const states = run === null ? [] : statesAt(run.analysis, node, vector);
      if (states.length === 0 && explored && run !== null) continue;
      const whole = anywhere && node.kind === 'instruction' ? symbolPlace(sides, node.symbol) : null;
      const place = whole === null ? pathPlace(node) : outermostIn(node, whole);
      const key = anywhere ? node.symbol : `${node.symbol}|${node.text}|${place.file}:${place.span.start}`;
      const group = groups.get(key) ?? { node, place, spans: new Map<string, Span>(), contexts: [], run: false };
      groups.set(key, group);
      if (run !== null && states.length > 0) group.run = true;
      if (place.file === group.place.file) group.spans.set(`${place.span.start}`, place.span);
      if (group.contexts.length < MOST_STATES) group.contexts.push(...states);
    }
  }
  return [...groups.values()].map(({ node, place, spans, contexts, run }) => ({
    symbol: node.symbol,
    text: anywhere ? null : node.text,
    place,
    spans: [...spans.values()].sort((a, b) => a.start - b.start),
    context: run ? machineText(contexts) : null,
  }));
}

/** Where a node shows in the file that its symbol is written in. */
function outermostIn({ origin }: CodeNode, whole: Place): Place {
  return [{ file: origin.file, span: origin.span }, ...origin.uses].find((place) => place.file === whole.file) ?? whole;
}

function statesAt(analysis: EntryAnalysis, node: CodeNode, vector: number): readonly Projection[] {
  const { program, setup } = analysis;
  const may = analysis.reached(node.id).filter(({ state }) => arrivalOf(program, setup, state, vector).can === 'yes');
  return may.slice(0, MOST_STATES).map(({ state, start }) => project(program, setup, state, start.from));
}

/** What contexts have in common, and the values of what they have not. */
export function machineText(contexts: readonly Projection[]): string {
  const values = (of: (one: Projection) => string): string => listed([...new Set(contexts.map(of))].sort(), 'or');
  const ends = [...new Set(contexts.map((one) => one.frames.length))];
  return [
    `CPL ${values((one) => String(one.cpl))}`,
    `${values((one) => one.stack)} stack`,
    `IF=${values((one) => one.interruptFlag)}`,
    `${values((one) => (/^(?:kernel|user)$/.test(one.gs) ? one.gs : 'loaded'))} GS base`,
    ...(contexts.some((one) => one.nmiBlocked === 'yes') ? [contexts.every((one) => one.nmiBlocked === 'yes') ? 'NMIs blocked' : 'NMIs blocked in some'] : []),
    ...(ends.every((count) => count < 2) ? [] : ['other events live in some']),
  ].join(', ');
}

/** The instruction of user mode that the event needs, if any. */
export function userText(handler: Handler): string | null {
  if (handler.vector === DOUBLE_FAULT) return null;
  if (handler.dpl === 3) return handler.vector < 32 ? `INT ${handler.vector}, or what raises ${eventOf(handler)}` : eventOf(handler);
  return comesAnywhere(handler.vector) ? 'any instruction' : `any instruction that raises ${vectorTitle(handler.vector)}`;
}

/** Where a symbol of assembler code is: its first instruction as a reader finds it. */
export function symbolPlace(sides: readonly Sided[], name: string): Place | null {
  for (const { kernel } of sides) {
    const info = kernel.program.functions.get(name);
    if (info !== undefined && info.language === 'asm') return labelPlace(info.place);
    const node = kernel.program.code.nodes.find((one) => one.symbol === name && one.kind === 'instruction');
    if (node !== undefined) return outermost(node.origin);
  }
  return null;
}
