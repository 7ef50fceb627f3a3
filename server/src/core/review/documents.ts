// Texts of the review: open documents over the workspace, with the assembler trees of those that are open, kept
// incremental. The only holder of trees; every one is released.
import { asmItems } from '../syntax/asm.ts';
import type { AsmSource } from '../syntax/asm.ts';
import type { ParsedTree, Parsers } from '../syntax/parser.ts';
import type { TextEdit, Workspace } from '../review-types.ts';
import { isAssembler } from './unit.ts';

export interface Documents {
  readonly set: (file: string, text: string) => void;
  readonly edit: (file: string, edits: readonly TextEdit[]) => void;
  readonly close: (file: string) => void;
  readonly read: (file: string) => string | null;
  /** Files that are open, in the order they were opened. */
  readonly opened: () => readonly string[];
  /** Items of an assembler file; null where there is no such text. */
  readonly assembler: (file: string) => AsmSource | null;
  readonly release: () => void;
}

interface Parsed {
  tree: ParsedTree;
  source: AsmSource | null;
}

export function createDocuments(parsers: Parsers, workspace: Workspace): Documents {
  const open = new Map<string, string>();
  const trees = new Map<string, Parsed>();

  function drop(file: string): void {
    const parsed = trees.get(file);
    if (parsed === undefined) return;
    trees.delete(file);
    parsers.release(parsed.tree);
  }

  function read(file: string): string | null {
    return open.get(file) ?? workspace.read(file);
  }

  return {
    read,
    opened: () => [...open.keys()],
    set: (file, text) => {
      open.set(file, text);
    },
    edit: (file, edits) => {
      let text = read(file) ?? '';
      for (const edit of edits) text = text.slice(0, edit.span.start) + edit.newText + text.slice(edit.span.end);
      open.set(file, text);
    },
    close: (file) => {
      open.delete(file);
      drop(file);
    },
    assembler: (file) => {
      const text = read(file);
      if (text === null || !isAssembler(file)) return null;
      const parsed = trees.get(file);
      if (parsed === undefined) {
        const made: Parsed = { tree: parsers.parse('gas', text), source: null };
        trees.set(file, made);
        made.source = asmItems(made.tree);
        return made.source;
      }
      if (parsed.tree.text !== text) {
        parsed.tree = parsers.reparse(parsed.tree, text);
        parsed.source = null;
      }
      parsed.source ??= asmItems(parsed.tree);
      return parsed.source;
    },
    release: () => {
      for (const file of Array.from(trees.keys())) drop(file);
    },
  };
}
