// One assembler file to its stream of statements: the C preprocessor, then the macro language, then the tables read
// back from what they put out. Knows files only by the source it is given.
import type { Place, Problem } from '../base/span.ts';
import { assemblerDefines } from './configurations.ts';
import type { Definition, Definitions } from './cpp-macros.ts';
import { startCpp } from './cpp.ts';
import { assemble } from './gas.ts';
import { includeResolver } from './includes.ts';
import type { Limits } from './limits.ts';
import { defaultLimits } from './limits.ts';
import { readTables } from './records.ts';
import type { AssemblerStream, CMacro, Configuration, FileSource } from './stream.ts';

const PRELUDE = ['include/linux/kconfig.h'];

/** Broken text gives problems at their places, never an exception. */
export function preprocess(file: string, source: FileSource, configuration: Configuration, limits: Limits = defaultLimits): AssemblerStream {
  const { cpp, report, problems } = start(file, source, configuration, assemblerDefines, limits);
  const { assembly, macros } = assemble(cpp.nextLine, file, limits, report);
  const cMacros = cMacrosOf(cpp.defined);
  const tables = readTables(assembly.items, cpp.defined, report);
  return {
    file,
    items: tables.items,
    alternatives: tables.alternatives,
    extable: tables.extable,
    symbols: assembly.symbols,
    macros: macros.map((macro) => ({ name: macro.name, definition: macro.definition, nameSpan: macro.nameSpan, parameters: macro.parameters.map((each) => each.name) })),
    cMacros,
    includes: cpp.includes,
    inactive: cpp.inactive,
    problems,
  };
}

const cDefines: ReadonlyMap<string, string> = new Map([...assemblerDefines].filter(([name]) => !name.startsWith('__ASSEMBL')));

/** Macros, includes and inactive text of a C file or header: a stream without items. */
export function preprocessC(file: string, source: FileSource, configuration: Configuration, limits: Limits = defaultLimits): AssemblerStream {
  const { cpp, problems } = start(file, source, configuration, cDefines, limits);
  cpp.directivesOnly();
  return {
    file, items: [], alternatives: [], extable: [], symbols: new Map(), macros: [],
    cMacros: cMacrosOf(cpp.defined), includes: cpp.includes, inactive: cpp.inactive, problems,
  };
}

function start(file: string, source: FileSource, configuration: Configuration, predefined: ReadonlyMap<string, string>, limits: Limits) {
  const problems: Problem[] = [];
  const said = new Set<string>();
  const report = (place: Place, message: string): void => {
    const key = `${place.file}:${place.span.start}:${message}`;
    if (problems.length >= limits.problems || said.has(key)) return;
    said.add(key);
    problems.push({ place, message });
  };
  const text = source.read(file);
  if (text === null) report({ file, span: { start: 0, end: 0 } }, 'cannot read the file');
  const resolver = includeResolver(file, configuration.includePaths, source);
  const prelude = resolver.root === null ? [] : PRELUDE.map((each) => resolver.root + each);
  const cpp = startCpp(file, text ?? '', prelude, { source, resolver, limits, predefined: [predefined, configuration.defines], report });
  return { cpp, report, problems };
}

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
