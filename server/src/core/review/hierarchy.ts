// The call hierarchy of entry code with its exception edges: C callers and callees, the stubs between an event and its
// handler, the gates, and the instructions that can raise the event, each with the contexts that are known of it.
import type { HierarchyCall, HierarchyItem } from '../hierarchy-types.ts';
import { handlersOf } from './hierarchy-events.ts';
import { calleesOfFunction, callersOfFunction } from './hierarchy-functions.ts';
import { functionItem, functionNamed, stubItem } from './hierarchy-items.ts';
import type { HierarchySide } from './hierarchy-items.ts';
import { calleesOfStub, callersOfStub } from './hierarchy-stubs.ts';

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
