// One assembler file to its stream of statements: the C preprocessor, then the macro language, then the tables read
// back from what they put out. Knows files only by the source it is given.
import type { Place, Problem } from '../base/span.ts';
import { assemblerDefines } from './configurations.ts';
import type { Definition, Definitions } from './cpp-macros.ts';
import { startCpp } from './cpp.ts';
import type { CppRun } from './cpp.ts';
import { startAssembler } from './gas.ts';
import type { Assembler } from './gas.ts';
import { includeResolver } from './includes.ts';
import { newJournal } from './journal.ts';
import type { Journal } from './journal.ts';
import type { Limits } from './limits.ts';
import { defaultLimits } from './limits.ts';
import { readTables } from './records.ts';
import type { AssemblerStream, CMacro, Configuration, FileSource } from './stream.ts';

const PRELUDE = ['include/linux/kconfig.h'];
/** What the source gives to be read first in code of no kernel tree, where it gives something. */
export const SKETCH_PRELUDE = '<names of Linux>';

/** A file being read: its two stages, what they reported, and what they changed. */
export interface Reading {
  readonly cpp: CppRun;
  readonly gas: Assembler;
  /** As reported, doubles included. */
  readonly reported: Problem[];
  readonly journal: Journal;
}

/** Broken text gives problems at their places, never an exception. */
export function preprocess(file: string, source: FileSource, configuration: Configuration, limits: Limits = defaultLimits): AssemblerStream {
  const reading = startReading(file, source, configuration, assemblerDefines, limits);
  while (reading.gas.step());
  reading.gas.end();
  return streamOf(file, reading, limits);
}

/** What a reading that came to its end makes of the file. Nothing in it changes when the reading is resumed. */
export function streamOf(file: string, { cpp, gas, reported }: Reading, limits: Limits): AssemblerStream {
  const problems = [...reported];
  const tables = readTables(gas.assembly.items, cpp.defined, (place, message) => void problems.push({ place, message }));
  return {
    file,
    items: tables.items,
    alternatives: tables.alternatives,
    extable: tables.extable,
    symbols: new Map(gas.assembly.symbols),
    macros: gas.defined.map((macro) => ({ name: macro.name, definition: macro.definition, nameSpan: macro.nameSpan, parameters: macro.parameters.map((each) => each.name) })),
    cMacros: cMacrosOf(cpp.defined),
    includes: [...cpp.includes],
    inactive: [...cpp.inactive],
    problems: withoutDoubles(problems, limits),
  };
}

function withoutDoubles(reported: readonly Problem[], limits: Limits): Problem[] {
  const said = new Set<string>();
  const problems: Problem[] = [];
  for (const problem of reported) {
    const key = `${problem.place.file}:${problem.place.span.start}:${problem.message}`;
    if (problems.length >= limits.problems || said.has(key)) continue;
    said.add(key);
    problems.push(problem);
  }
  return problems;
}

const cDefines: ReadonlyMap<string, string> = new Map([...assemblerDefines].filter(([name]) => !name.startsWith('__ASSEMBL')));

/** Macros, includes and inactive text of a C file or header: a stream without items. */
export function preprocessC(file: string, source: FileSource, configuration: Configuration, limits: Limits = defaultLimits): AssemblerStream {
  const { cpp, reported } = startReading(file, source, configuration, cDefines, limits);
  cpp.directivesOnly();
  return {
    file, items: [], alternatives: [], extable: [], symbols: new Map(), macros: [],
    cMacros: cMacrosOf(cpp.defined), includes: cpp.includes, inactive: cpp.inactive, problems: withoutDoubles(reported, limits),
  };
}

export function startReading(file: string, source: FileSource, configuration: Configuration, predefined: ReadonlyMap<string, string>, limits: Limits): Reading {
  const reported: Problem[] = [];
  const report = (place: Place, message: string): void => {
    // Hostile text reports one thing over and over.
    if (reported.length < limits.problems * MOST_DOUBLES) reported.push({ place, message });
  };
  const journal = newJournal();
  const text = source.read(file);
  if (text === null) report({ file, span: { start: 0, end: 0 } }, 'cannot read the file');
  const resolver = includeResolver(file, configuration.includePaths, source);
  const prelude = resolver.root === null ? [SKETCH_PRELUDE] : PRELUDE.map((each) => resolver.root + each);
  const cpp = startCpp(file, text ?? '', prelude, { source, resolver, limits, predefined: [predefined, configuration.defines], report, journal });
  const gas = startAssembler(cpp.nextLine, file, limits, report, journal);
  return { cpp, gas, reported, journal };
}

/** Reports kept for every problem that may be shown. */
const MOST_DOUBLES = 100;

const shown = new WeakMap<Definition, CMacro>();

function cMacrosOf(definitions: Definitions): CMacro[] {
  const macros: CMacro[] = [];
  for (const each of definitions.values()) {
    let macro = shown.get(each);
    if (macro === undefined) {
      macro = { name: each.name, definition: each.place, nameSpan: each.nameSpan, parameters: shownParameters(each), body: bodyOf(each) };
      shown.set(each, macro);
    }
    macros.push(macro);
  }
  return macros;
}

function bodyOf(definition: Definition): string {
  return definition.body.map((token, i) => (i > 0 && token.space ? ` ${token.text}` : token.text)).join('');
}

function shownParameters(definition: Definition): readonly string[] | null {
  if (definition.parameters === null || !definition.variadic) return definition.parameters;
  return definition.parameters.map((name, i, all) => (i < all.length - 1 ? name : name === '__VA_ARGS__' ? '...' : `${name}...`));
}
