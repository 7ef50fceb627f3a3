// What an editor looks things up in for one file: the file as the front end reads it, the open files, what they include,
// and the file's unit. Never the whole tree. Knows no question of the editor.
import type { AssemblerStream, CMacro, GasMacro, InstructionItem, StreamItem } from '../preprocess/stream.ts';
import type { CSource } from '../program/c-source.ts';
import type { Unit } from '../review-types.ts';
import type { AsmSource } from '../syntax/asm.ts';
import type { Streams } from './streams.ts';
import { isAssembler, isC, isHeader, isLeftOut } from './unit.ts';

export interface Reading {
  /** The file that is read as a whole; a header is part of those that include it. */
  readonly file: string;
  /** null for a C file of which only functions are read. */
  readonly stream: AssemblerStream | null;
  readonly source: CSource | null;
  readonly reads: ReadonlyMap<string, string | null>;
}

export interface Scope {
  readonly file: string;
  readonly text: string;
  /** Folder of the kernel tree, or null. */
  readonly root: string | null;
  readonly configuration: string;
  /** Those that the file is part of: of a source file its own. */
  readonly own: readonly Reading[];
  /** Those that the file is part of come first, the file's own before all. The unit is read when this is first asked for. */
  readonly readings: readonly Reading[];
  /** Text of a file that was read, or that is open. */
  readonly read: (file: string) => string | null;
  /** Items of an assembler file or of the assembler's half of a header. */
  readonly items: (file: string) => AsmSource | null;
}

export interface ScopeParts {
  readonly streams: Streams;
  readonly read: (file: string) => string | null;
  readonly items: (file: string) => AsmSource | null;
  readonly opened: () => readonly string[];
}

export function scopeOf(file: string, text: string, unit: Unit | null, parts: ScopeParts): Scope {
  const { streams } = parts;
  const { root, configuration } = streams.chosen(file);
  const isOpen = new Set(parts.opened());
  let all: readonly Reading[] | null = null;
  let own: readonly Reading[] | null = null;

  function readingOf(each: string): Reading | null {
    if (isLeftOut(each, root, configuration) || parts.read(each) === null) return null;
    if (isAssembler(each)) {
      const { value, reads } = streams.assembler(each);
      return { file: each, stream: value, source: null, reads };
    }
    const { value: source, reads } = streams.c(each);
    const directives = isOpen.has(each) ? streams.directives(each) : null;
    return { file: each, stream: directives?.value ?? null, source, reads: directives === null ? reads : new Map([...reads, ...directives.reads]) };
  }

  function readAll(): readonly Reading[] {
    const wanted = [...new Set([file, ...isOpen, ...(unit?.files ?? [])])].filter((each) => isAssembler(each) || isC(each));
    const readings = wanted.flatMap((each) => readingOf(each) ?? []);
    // A header that nobody in view includes is read alone, by both languages.
    if (isHeader(file) && !readings.some((reading) => reading.reads.has(file))) {
      for (const { value, reads } of [streams.assembler(file), streams.directives(file)]) readings.push({ file, stream: value, source: null, reads });
    }
    const rank = (reading: Reading): number => (reading.file === file ? 0 : reading.reads.has(file) ? (reading.stream === null ? 2 : 1) : 3);
    return readings.sort((a, b) => rank(a) - rank(b));
  }

  const scope: Scope = {
    file,
    text,
    root,
    configuration: configuration.name,
    get readings() {
      return (all ??= readAll());
    },
    get own() {
      return (own ??= isAssembler(file) || isC(file) ? [readingOf(file) ?? []].flat() : scope.readings.filter((reading) => reading.file === file || reading.reads.has(file)));
    },
    read: parts.read,
    items: parts.items,
  };
  return scope;
}

/** The readings of the file itself, then the others, which are not read before they are asked for. */
export function* nearestFirst(scope: Scope): Generator<Reading> {
  const { own } = scope;
  yield* own;
  const files = new Set(own.map((reading) => reading.file));
  for (const reading of scope.readings) if (!files.has(reading.file)) yield reading;
}

/** Made as far as it is asked for: behind an edit, an answer about one name waits for no list of all. */
export interface StreamIndex {
  /** By lower-case name: the assembler does not tell case. */
  readonly macros: ReadonlyMap<string, GasMacro>;
  readonly cMacros: ReadonlyMap<string, CMacro>;
  /** Items of labels by name; numeric ones without their number of definition. */
  readonly labels: ReadonlyMap<string, readonly number[]>;
  /** Items that came through the macro use at an offset of a file. */
  readonly through: (file: string, offset: number) => readonly number[];
  /** The macro of the assembler, and of the preprocessor, that a word names. */
  readonly named: (word: string) => { readonly gas: GasMacro | undefined; readonly c: CMacro | undefined };
}

/** Questions that are answered by looking through all there is, before lists are made for the next. */
const ONE_BY_ONE = 4;

const indices = new WeakMap<AssemblerStream, StreamIndex>();

export function indexOf(stream: AssemblerStream): StreamIndex {
  const known = indices.get(stream);
  if (known !== undefined) return known;
  let macros: ReadonlyMap<string, GasMacro> | null = null;
  let cMacros: ReadonlyMap<string, CMacro> | null = null;
  let labels: ReadonlyMap<string, readonly number[]> | null = null;
  let uses: ReadonlyMap<string, ReadonlyMap<number, readonly number[]>> | null = null;
  let asked = 0;
  const made: StreamIndex = {
    get macros() {
      return (macros ??= new Map(stream.macros.map((macro) => [macro.name.toLowerCase(), macro])));
    },
    get cMacros() {
      return (cMacros ??= new Map(stream.cMacros.map((macro) => [macro.name, macro])));
    },
    get labels() {
      return (labels ??= labelsOf(stream.items));
    },
    through: (file, offset) => {
      asked += 1;
      if (uses === null && asked > ONE_BY_ONE) uses = usesOf(stream.items);
      if (uses !== null) return uses.get(file)?.get(offset) ?? [];
      const found: number[] = [];
      stream.items.forEach(({ origin }, at) => {
        if (origin.uses.some((use) => use.span.start === offset && use.file === file)) found.push(at);
      });
      return found;
    },
    named: (word) => {
      asked += 1;
      if (asked > ONE_BY_ONE) return { gas: made.macros.get(word.toLowerCase()), c: made.cMacros.get(word) };
      const lower = word.toLowerCase();
      return {
        gas: macros === null ? lastOf(stream.macros, ({ name }) => name.length === lower.length && name.toLowerCase() === lower) : macros.get(lower),
        c: cMacros === null ? lastOf(stream.cMacros, ({ name }) => name === word) : cMacros.get(word),
      };
    },
  };
  indices.set(stream, made);
  return made;
}

/** Of several definitions the last counts. */
function lastOf<T>(all: readonly T[], is: (one: T) => boolean): T | undefined {
  for (let at = all.length - 1; at >= 0; at -= 1) {
    const one = all[at];
    if (one !== undefined && is(one)) return one;
  }
  return undefined;
}

function labelsOf(items: AssemblerStream['items']): ReadonlyMap<string, readonly number[]> {
  const labels = new Map<string, number[]>();
  items.forEach((item, at) => {
    if (item.kind !== 'label') return;
    const name = item.name.replace(/#\d+$/, '');
    const known = labels.get(name);
    if (known === undefined) labels.set(name, [at]);
    else known.push(at);
  });
  return labels;
}

/** Items by file and offset of the uses that they came through. */
function usesOf(items: AssemblerStream['items']): ReadonlyMap<string, ReadonlyMap<number, readonly number[]>> {
  const byFile = new Map<string, Map<number, number[]>>();
  items.forEach(({ origin }, at) => {
    for (const { file, span } of origin.uses) {
      const byOffset = byFile.get(file) ?? new Map<number, number[]>();
      byFile.set(file, byOffset);
      const known = byOffset.get(span.start);
      if (known === undefined) byOffset.set(span.start, [at]);
      else if (known.at(-1) !== at) known.push(at);
    }
  });
  return byFile;
}

export function instructionOf(item: StreamItem): InstructionItem | null {
  return item.kind === 'instruction' ? item : item.kind === 'data' ? item.decoded : null;
}

/** Neither local to the file nor numeric. */
export function isSymbol(label: string): boolean {
  return !/^\.L|^\d|#/.test(label);
}
