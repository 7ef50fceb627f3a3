// The call hierarchy in the shapes of the protocol. The worker answers, which has explored the entry paths; an item carries
// the key that its callers and callees are asked for with.
import { SymbolKind } from 'vscode-languageserver';
import type { CallHierarchyIncomingCall, CallHierarchyItem, CallHierarchyOutgoingCall } from 'vscode-languageserver/node';
import { unreachable } from '../core/base/unreachable.ts';
import type { HierarchyCall, HierarchyItem } from '../core/review-types.ts';
import type { WorkerOwner } from '../worker/owner.ts';
import { rangeOf } from './documents.ts';
import type { OpenDocument } from './documents.ts';
import { ask } from './events.ts';
import type { Locator } from './locate.ts';

/** Reading the C code of a tree takes seconds, following all entry paths some more; milliseconds. */
const patience = 60_000;

/** What a hover waits for a function that nothing is known of. */
const hoverPatience = 250;
const MOST_FUNCTIONS = 500;

/** What an item of ours carries. */
interface Carried {
  /** A file of the code that it was found from. */
  readonly from: string;
  readonly key: string;
}

export async function prepareHierarchy(owner: WorkerOwner, locator: Locator, document: OpenDocument, offset: number): Promise<CallHierarchyItem[] | null> {
  const answer = await ask(owner, { kind: 'hierarchy', folder: '', file: document.file, offset }, patience);
  return answer === null || answer.item === null ? null : [itemOf(answer.item, document.file, locator)];
}

export interface FunctionContexts {
  /** The contexts of the C function that a call or a definition at an offset names, for its hover; null where nothing is known soon. */
  readonly at: (owner: WorkerOwner, document: OpenDocument, offset: number) => Promise<string | null>;
}

/** Told at once where the worker told it before, and asked for again meanwhile, as exploration goes on; `revision` counts the texts. */
export function createFunctionContexts(revision: () => number): FunctionContexts {
  const known = new Map<string, { readonly text: string | null; readonly revision: number }>();
  let waiting = 0;

  async function learn(owner: WorkerOwner, file: string, offset: number, word: string): Promise<void> {
    const asked = revision();
    waiting += 1;
    const answer = await ask(owner, { kind: 'hierarchy', folder: '', file, offset }, patience);
    waiting -= 1;
    if (answer === null) return;
    const { item } = answer;
    const named = item !== null && item.name === word && (item.kind === 'function' || item.kind === 'handler');
    known.delete(`${file} ${word}`);
    known.set(`${file} ${word}`, { text: named ? `**Contexts of ${item.name}():** ${item.detail}`.replaceAll('_', '\\_') : null, revision: asked });
    if (known.size > MOST_FUNCTIONS) for (const oldest of known.keys()) {
      known.delete(oldest);
      break;
    }
  }

  return {
    at: async (owner, { file, text }, offset) => {
      const word = functionAt(file, text, offset);
      if (word === null) return null;
      const key = `${file} ${word}`;
      const before = known.get(key);
      const busy = waiting > 0;
      const learned = busy && before !== undefined ? Promise.resolve() : learn(owner, file, offset, word);
      if (before === undefined && !busy) await Promise.race([learned, new Promise((resolve) => setTimeout(resolve, hoverPatience))]);
      const now = known.get(key);
      return now === undefined || now.text === null || now.revision === revision() ? (now?.text ?? null) : `${now.text} *(as before the last edit)*`;
    },
  };
}

/** The name of the function that is called or defined there. */
function functionAt(file: string, text: string, offset: number): string | null {
  if (!/\.[ch]$/.test(file)) return null;
  const behind = /^\w*\s*[()]/.exec(text.slice(offset, offset + 100));
  const word = `${/\w*$/.exec(text.slice(Math.max(0, offset - 100), offset))?.[0] ?? ''}${/^\w*/.exec(text.slice(offset, offset + 100))?.[0] ?? ''}`;
  return behind === null || !/^[A-Za-z_]\w+$/.test(word) ? null : word;
}

export async function incomingCalls(owner: WorkerOwner, locator: Locator, item: CallHierarchyItem): Promise<CallHierarchyIncomingCall[]> {
  const { calls, from } = await callsOf(owner, item, 'incoming');
  return calls.map((call) => ({ from: itemOf(call.item, from, locator), fromRanges: rangesOf(call, call.item.place.file, locator) }));
}

export async function outgoingCalls(owner: WorkerOwner, locator: Locator, item: CallHierarchyItem, file: string): Promise<CallHierarchyOutgoingCall[]> {
  const { calls, from } = await callsOf(owner, item, 'outgoing');
  return calls.map((call) => ({ to: itemOf(call.item, from, locator), fromRanges: rangesOf(call, file, locator) }));
}

async function callsOf(owner: WorkerOwner, { data }: CallHierarchyItem, direction: 'incoming' | 'outgoing'): Promise<{ readonly calls: readonly HierarchyCall[]; readonly from: string }> {
  if (!isCarried(data)) return { calls: [], from: '' };
  const answer = await ask(owner, { kind: 'calls', folder: '', file: data.from, key: data.key, direction }, patience);
  return { calls: answer?.calls ?? [], from: data.from };
}

function isCarried(value: unknown): value is Carried {
  return typeof value === 'object' && value !== null && 'from' in value && 'key' in value && typeof value.from === 'string' && typeof value.key === 'string';
}

function itemOf(item: HierarchyItem, from: string, locator: Locator): CallHierarchyItem {
  const { file, span } = item.place;
  const lines = locator.lines(file);
  // The protocol wants the name inside the whole.
  const whole = { start: Math.min(span.start, item.nameSpan.start), end: Math.max(span.end, item.nameSpan.end) };
  const data: Carried = { from, key: item.key };
  return { name: item.name, kind: kindOf(item.kind), detail: item.kind === 'instruction' ? `${placeText(file, rangeOf(lines, item.nameSpan).start.line)}: ${item.detail}` : item.detail, uri: locator.uri(file), range: rangeOf(lines, whole), selectionRange: rangeOf(lines, item.nameSpan), data };
}

/** Instructions of one symbol look alike: the line tells them apart. */
function placeText(file: string, line: number): string {
  return `${file.slice(file.lastIndexOf('/') + 1)}:${line + 1}`;
}

function rangesOf({ spans }: HierarchyCall, file: string, locator: Locator): ReturnType<typeof rangeOf>[] {
  const lines = locator.lines(file);
  return spans.map((span) => rangeOf(lines, span));
}

function kindOf(kind: HierarchyItem['kind']): SymbolKind {
  switch (kind) {
    case 'function':
      return SymbolKind.Function;
    case 'handler':
      return SymbolKind.Interface;
    case 'stub':
      return SymbolKind.Event;
    case 'event':
      return SymbolKind.Constant;
    case 'instruction':
      return SymbolKind.Operator;
    case 'context':
      return SymbolKind.Namespace;
    case 'unresolved':
      return SymbolKind.Null;
    default:
      return unreachable(kind);
  }
}
