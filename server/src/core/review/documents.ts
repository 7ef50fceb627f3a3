// Texts of the review: open documents over the workspace, with the assembler trees of those that are open, kept
// incremental. The only holder of trees; every one is released.
import { asmItems } from '../syntax/asm.ts';
import type { AsmSource } from '../syntax/asm.ts';
import { problemsOf } from '../syntax/asm-problems.ts';
import type { SyntaxProblem } from '../syntax/asm-problems.ts';
import type { ParsedTree, Parsers } from '../syntax/parser.ts';
import type { TextEdit, Workspace } from '../review-types.ts';
import { halfFor } from '../syntax/halves.ts';
import { isAssembler, isHeader, refusalOf } from './unit.ts';

export interface Documents {
  readonly set: (file: string, text: string) => void;
  readonly edit: (file: string, edits: readonly TextEdit[]) => void;
  readonly close: (file: string) => void;
  readonly read: (file: string) => string | null;
  readonly isOpen: (file: string) => boolean;
  /** Files that are open, in the order they were opened. */
  readonly opened: () => readonly string[];
  /** What the grammar cannot read in an assembler file: some of the problems of its items, which are not made for it. */
  readonly problems: (file: string) => readonly SyntaxProblem[];
  /** Items of an assembler file; null where there is no such text. */
  readonly assembler: (file: string) => AsmSource | null;
  /** Items of an assembler file, or of the assembler's half of a header; null where there is no such text. */
  readonly items: (file: string) => AsmSource | null;
  /** Items of a text that is no document. */
  readonly parse: (text: string) => AsmSource;
  readonly release: () => void;
}

interface Parsed {
  tree: ParsedTree;
  /** null as long as nobody asked for items. */
  source: AsmSource | null;
}

const KEPT_HEADERS = 20;

export function createDocuments(parsers: Parsers, workspace: Workspace): Documents {
  const open = new Map<string, string>();
  const trees = new Map<string, Parsed>();
  const headers = new Map<string, { readonly text: string; readonly source: AsmSource }>();

  function drop(file: string): void {
    const parsed = trees.get(file);
    if (parsed === undefined) return;
    trees.delete(file);
    parsers.release(parsed.tree);
  }

  function read(file: string): string | null {
    return open.get(file) ?? workspace.read(file);
  }

  function parsedOf(file: string): Parsed | null {
    const text = read(file);
    if (text === null || !isAssembler(file)) return null;
    const parsed = trees.get(file);
    if (parsed === undefined) {
      const made: Parsed = { tree: parsers.parse('gas', text), source: null };
      trees.set(file, made);
      return made;
    }
    if (parsed.tree.text !== text) {
      parsed.tree = parsers.reparse(parsed.tree, text);
      if (parsed.source !== null) parsed.source = asmItems(parsed.tree, parsed.source);
    }
    return parsed;
  }

  function assembler(file: string): AsmSource | null {
    const parsed = parsedOf(file);
    return parsed === null ? null : (parsed.source ??= asmItems(parsed.tree));
  }

  function problems(file: string): readonly SyntaxProblem[] {
    const parsed = parsedOf(file);
    return parsed === null ? [] : problemsOf(parsed.tree);
  }

  function parse(text: string): AsmSource {
    const tree = parsers.parse('gas', text);
    const source = asmItems(tree);
    parsers.release(tree);
    return source;
  }

  function items(file: string): AsmSource | null {
    if (isAssembler(file)) return assembler(file);
    const text = isHeader(file) ? read(file) : null;
    if (text === null || refusalOf(text) !== null) return null;
    const before = headers.get(file);
    if (before?.text === text) return before.source;
    const source = parse(halfFor('gas', text));
    headers.set(file, { text, source });
    if (headers.size > KEPT_HEADERS) for (const oldest of headers.keys()) {
      headers.delete(oldest);
      break;
    }
    return source;
  }

  return {
    read,
    problems,
    assembler,
    items,
    parse,
    isOpen: (file) => open.has(file),
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
    release: () => {
      for (const file of Array.from(trees.keys())) drop(file);
    },
  };
}
