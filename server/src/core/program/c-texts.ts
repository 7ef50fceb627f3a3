// A C file with the headers it follows, as text: directives taken, macros collected, each text parsed when somebody asks
// for what is in it. Knows nothing of what the text means.
import type { Place, Problem } from '../base/span.ts';
import type { Configuration, FileSource } from '../preprocess/stream.ts';
import { activeText } from '../syntax/c-directives.ts';
import type { MacroTable } from '../syntax/c-directives.ts';
import type { CTranslationUnit } from '../syntax/c-syntax.ts';

export type ParseC = (text: string) => CTranslationUnit;

/** Following a kernel's headers further than this says more about the kernel than about the file. */
const mostHeaders = 1000;

export interface FileText {
  readonly file: string;
  readonly text: string;
  /** Directives and inactive parts blanked. */
  readonly active: string;
  /** Parsed on first use. */
  readonly unit: CTranslationUnit;
}

export interface Reading {
  readonly source: FileSource;
  readonly parse: ParseC;
  readonly configuration: Configuration;
  readonly macros: MacroTable;
  readonly files: FileText[];
  readonly visited: Set<string>;
  readonly includes: { readonly place: Place; readonly name: string; readonly resolved: string | null }[];
  readonly problems: Problem[];
  limited: boolean;
}

/** What the compiler defines without being asked, as far as entry code tests it. */
const predefined: readonly (readonly [string, string])[] = [
  ['__KERNEL__', '1'], ['__x86_64__', '1'], ['__LP64__', '1'], ['__GNUC__', '12'], ['__GNUC_MINOR__', '0'], ['__STDC__', '1'],
  ['CONFIG_X86', '1'], ['CONFIG_X86_64', '1'], ['CONFIG_64BIT', '1'], ['BITS_PER_LONG', '64'], ['__BITS_PER_LONG', '64'],
];

/** Reads a file and follows its headers. */
export function readTexts(file: string, source: FileSource, parse: ParseC, configuration: Configuration): Reading {
  const macros: MacroTable = new Map();
  for (const [name, body] of [...predefined, ...configuration.defines]) macros.set(name, { name, parameters: null, body });
  const reading: Reading = { source, parse, configuration, macros, files: [], visited: new Set(), includes: [], problems: [], limited: false };
  const text = source.read(file);
  if (text === null) reading.problems.push({ place: { file, span: { start: 0, end: 0 } }, message: 'cannot read this file' });
  else readFile(reading, file, text);
  return reading;
}

function readFile(reading: Reading, file: string, text: string): void {
  const { problems } = reading;
  const main = reading.visited.size === 0;
  reading.visited.add(file);
  const active = activeText(text, reading.macros, {
    include: (include) => {
      const resolved = resolveInclude(reading, file, include.name, include.quoted);
      if (main) reading.includes.push({ place: { file, span: include.span }, name: include.name, resolved: resolved?.path ?? null });
      if (resolved === null || resolved.text === null) return;
      if (reading.visited.size >= mostHeaders) {
        if (!reading.limited) problems.push({ place: { file, span: include.span }, message: `stops following headers at ${mostHeaders} files` });
        reading.limited = true;
        return;
      }
      readFile(reading, resolved.path, resolved.text);
    },
    problem: (span, message) => {
      if (main) problems.push({ place: { file, span }, message });
    },
  });
  let unit: CTranslationUnit | null = null;
  reading.files.push({
    file,
    text,
    active,
    get unit() {
      return (unit ??= reading.parse(active));
    },
  });
}

/** The folder of the including file first where the name is quoted, then the include paths. */
function resolveInclude(reading: Reading, from: string, name: string, quoted: boolean): { readonly path: string; readonly text: string | null } | null {
  const folders = [...(quoted ? [from.slice(0, from.lastIndexOf('/') + 1)] : []), ...reading.configuration.includePaths];
  for (const folder of folders) {
    const path = joined(folder, name);
    if (reading.visited.has(path)) return { path, text: null };
    const text = reading.source.read(path);
    if (text !== null) return { path, text };
  }
  return null;
}

function joined(folder: string, name: string): string {
  const [, scheme = '', rest = ''] = /^([a-z][\w+.-]*:\/\/)?(.*)$/i.exec(folder === '' || folder.endsWith('/') ? folder + name : `${folder}/${name}`) ?? [];
  const steps: string[] = [];
  for (const step of rest.split('/')) {
    if (step === '..' && steps.length > 0 && steps.at(-1) !== '..' && steps.at(-1) !== '') steps.pop();
    else if (step !== '.') steps.push(step);
  }
  return scheme + steps.join('/');
}
