// The definitions of a workspace's files, each file scanned once for as long as its text stays the same. Reads no file:
// whoever holds the texts tells of them.
import type { Place } from '../base/span.ts';
import { definitionsOf } from './definitions.ts';
import type { Definition, DefinitionKind } from './definitions.ts';

export interface FoundDefinition {
  readonly name: string;
  readonly kind: DefinitionKind;
  readonly place: Place;
}

export interface DefinitionIndex {
  /** The file's text as it is now: scanned if it is another than before. */
  readonly update: (file: string, text: string) => void;
  readonly remove: (file: string) => void;
  /** Definitions whose names hold the characters in this order, whole names and beginnings of names first; at most `most`. */
  readonly query: (characters: string, most: number) => readonly FoundDefinition[];
  readonly named: (name: string) => readonly FoundDefinition[];
  /** Files that are known, texts that were scanned so far, and the definitions in all files, also by kind. */
  readonly counts: () => { readonly files: number; readonly scanned: number; readonly definitions: number; readonly kinds: Readonly<Partial<Record<DefinitionKind, number>>> };
}

export function createDefinitionIndex(): DefinitionIndex {
  const files = new Map<string, { readonly mark: string; readonly definitions: readonly Definition[] }>();
  let scanned = 0;

  const found = (file: string, { name, kind, nameSpan }: Definition): FoundDefinition => ({ name, kind, place: { file, span: nameSpan } });

  return {
    update: (file, text) => {
      const mark = markOf(text);
      if (files.get(file)?.mark === mark) return;
      scanned += 1;
      files.set(file, { mark, definitions: definitionsOf(file, text) });
    },
    remove: (file) => void files.delete(file),
    query: (characters, most) => {
      const wanted = characters.toLowerCase();
      const ranked: FoundDefinition[][] = [[], [], []];
      for (const [file, { definitions }] of files) {
        for (const one of definitions) {
          const rank = rankOf(one.name.toLowerCase(), wanted);
          const list = rank === null ? undefined : ranked[rank];
          if (list !== undefined && list.length < most) list.push(found(file, one));
        }
      }
      return ranked.flat().slice(0, most);
    },
    named: (name) => [...files].flatMap(([file, { definitions }]) => definitions.filter((one) => one.name === name).map((one) => found(file, one))),
    counts: () => {
      const kinds: Partial<Record<DefinitionKind, number>> = {};
      let all = 0;
      for (const { definitions } of files.values()) for (const { kind } of definitions) {
        kinds[kind] = (kinds[kind] ?? 0) + 1;
        all += 1;
      }
      return { files: files.size, scanned, definitions: all, kinds };
    },
  };
}

/** What tells a text from the one before: the texts of a workspace are too many to be kept. */
function markOf(text: string): string {
  let [one, other] = [0x811c9dc5, 0x9e3779b9];
  for (let at = 0; at < text.length; at += 1) {
    one = Math.imul(one ^ text.charCodeAt(at), 0x01000193);
    other = Math.imul(other + text.charCodeAt(at), 0x85ebca77) ^ (other >>> 13);
  }
  return `${text.length} ${one} ${other}`;
}

/** 0 for the name itself, 1 for its beginning, 2 for characters in this order, null for none of these. */
function rankOf(name: string, wanted: string): 0 | 1 | 2 | null {
  if (name.startsWith(wanted)) return name.length === wanted.length ? 0 : 1;
  let at = 0;
  for (const character of wanted) {
    at = name.indexOf(character, at) + 1;
    if (at === 0) return null;
  }
  return 2;
}
