// Which function or symbol of a file an offset lies in, and where one is by its name: for what is keyed by `path#symbol`.
// Reads single files as written; links nothing.
import type { Span } from '../base/span.ts';
import { contains } from '../base/span.ts';
import { asmSymbols } from '../syntax/asm-outline.ts';
import type { AsmSource } from '../syntax/asm.ts';
import { activeText } from '../syntax/c-directives.ts';
import type { MacroTable } from '../syntax/c-directives.ts';
import type { CTranslationUnit } from '../syntax/c-syntax.ts';

export interface Outlined {
  readonly name: string;
  readonly span: Span;
  readonly nameSpan: Span;
}

export interface Outline {
  /** The innermost symbol around an offset. */
  readonly at: (file: string, offset: number) => Outlined | null;
  readonly named: (file: string, name: string) => Outlined | null;
  /** Of a file, in the order in which they are written. */
  readonly all: (file: string) => readonly Outlined[];
}

interface Sources {
  readonly read: (file: string) => string | null;
  /** Assembler items of a file that has some. */
  readonly items: (file: string) => AsmSource | null;
  /** Definitions that the file is read with. */
  readonly defines: (file: string) => ReadonlyMap<string, string>;
  readonly parse: (text: string) => CTranslationUnit;
}

/** Files whose outline is kept. */
const KEPT = 60;

export function createOutline(sources: Sources): Outline {
  const kept = new Map<string, { readonly text: string; readonly all: readonly Outlined[] }>();

  function all(file: string): readonly Outlined[] {
    const text = sources.read(file);
    if (text === null) return [];
    const before = kept.get(file);
    if (before?.text === text) return before.all;
    const made = { text, all: /\.[ch]$/.test(file) ? [...inC(file, text), ...symbolsOf(file, text)] : symbolsOf(file, text) };
    kept.delete(file);
    kept.set(file, made);
    if (kept.size > KEPT) for (const oldest of kept.keys()) {
      kept.delete(oldest);
      break;
    }
    return made.all;
  }

  /** What the configuration leaves out is told where nothing else has its name. */
  function inC(file: string, text: string): readonly Outlined[] {
    const macros: MacroTable = new Map();
    for (const [name, body] of sources.defines(file)) macros.set(name, { name, parameters: null, body });
    const active = functionsOf(activeText(text, macros, { include: () => undefined, problem: () => undefined }));
    const names = new Set(active.map(({ name }) => name));
    return [...active, ...functionsOf(text).filter(({ name }) => !names.has(name))];
  }

  function functionsOf(text: string): readonly Outlined[] {
    return sources.parse(text).items.flatMap((item): Outlined[] => {
      if (item.kind === 'function') return [{ name: item.function.name.text, span: item.function.span, nameSpan: item.function.name.span }];
      if (item.kind !== 'declaration') return [];
      return item.declarations.flatMap((one) => (one.kind === 'variable' ? [{ name: one.name.text, span: item.span, nameSpan: one.name.span }] : []));
    });
  }

  function symbolsOf(file: string, text: string): readonly Outlined[] {
    const items = sources.items(file);
    return items === null ? [] : asmSymbols(items, text).map(({ name, span, nameSpan }) => ({ name, span, nameSpan }));
  }

  return {
    all,
    at: (file, offset) => {
      const around = all(file).filter((one) => contains(one.span, offset));
      return around.reduce<Outlined | null>((best, one) => (best === null || one.span.end - one.span.start < best.span.end - best.span.start ? one : best), null);
    },
    named: (file, name) => all(file).find((one) => one.name === name) ?? null,
  };
}
