// Items of the call hierarchy: C functions with the contexts that are known of them, stubs, and notes of what is not in view
// or was left out.
import type { Place } from '../base/span.ts';
import type { CallKind } from '../hierarchy/calls.ts';
import { contextsText, joinContexts } from '../hierarchy/contexts.ts';
import type { ContextTable } from '../hierarchy/contexts.ts';
import type { HierarchyCall, HierarchyItem } from '../hierarchy-types.ts';
import { placeIn } from '../tree/tree.ts';
import type { Tree, TreeFunction } from '../tree/tree.ts';
import { eventOf, handlersOf, symbolPlace } from './hierarchy-events.ts';
import type { Sided } from './hierarchy-events.ts';
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
export const NO_ENTRY = 'no entry in view leads here';

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

const how: Readonly<Record<CallKind, string>> = { call: '', pointer: 'through a pointer; ', handed: 'handed over to be called later; ' };

export function functionItem(side: HierarchySide, tree: Tree, one: TreeFunction, edge: CallKind | null): HierarchyItem {
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

export function stubItem(side: HierarchySide, name: string, detail: string | null): HierarchyItem | null {
  const place = symbolPlace(side.sides, name);
  if (place === null) return null;
  const vectors = [...new Set(handlersOf(side.sides, name).map(({ handler }) => eventOf(handler)))];
  return { key: `asm ${name}`, kind: 'stub', name, detail: detail ?? (vectors.length === 0 ? 'assembler' : `stub of ${vectors.length > 3 ? 'device interrupts' : vectors.join(', ')}`), place, nameSpan: place.span };
}

/** An item that has no hierarchy of its own: it says what is not in view, or what was left out. */
export function note(name: string, detail: string, place: Place, kind: HierarchyItem['kind'] = 'unresolved'): HierarchyItem {
  return { key: 'end -', kind, name, detail, place, nameSpan: place.span };
}

export function capped(calls: readonly HierarchyCall[], what: string): readonly HierarchyCall[] {
  const first = calls[0];
  if (calls.length <= MOST_ITEMS || first === undefined) return calls;
  return [...calls.slice(0, MOST_ITEMS), { item: note(`and ${calls.length - MOST_ITEMS} more`, what, first.item.place), spans: [first.item.nameSpan] }];
}
