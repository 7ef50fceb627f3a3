// A C file with the headers it follows, lowered: functions as operations, and the declarations, tables and constants
// that the linker needs. The one entry of the C front end to the program layer.
import type { Place, Problem, Span } from '../base/span.ts';
import type { Configuration, FileSource } from '../preprocess/stream.ts';
import { evaluateConstantText } from '../syntax/c-constant.ts';
import type { CMacroDefinition, ConstantScope } from '../syntax/c-constant.ts';
import { activeText } from '../syntax/c-directives.ts';
import type { MacroTable } from '../syntax/c-directives.ts';
import type { CFunctionDefinition, CSyntaxType, CTerm, CTranslationUnit } from '../syntax/c-syntax.ts';
import { normalised } from '../syntax/c-text.ts';
import type { GlobalVariable, LoweringScope } from './c-lower-builder.ts';
import { lowerFunction } from './c-lower-function.ts';
import type { LoweredFunction } from './c-lower-function.ts';
import type { CSource, CStruct, CVariable, DeclaredEntry, IdtRow } from './c-source.ts';
import { constantOf, createTypeTable, layoutOf, sizeOfType } from './c-types.ts';
import type { CRecordType } from './c-types.ts';

export type ParseC = (text: string) => CTranslationUnit;

/** Following a kernel's headers further than this says more about the kernel than about the file. */
const mostHeaders = 1000;

interface FileText {
  readonly file: string;
  readonly text: string;
  readonly unit: CTranslationUnit;
}

interface Reading {
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

/** Error numbers where no header gives them (`include/uapi/asm-generic/errno-base.h`). */
const errorNumbers: ReadonlyMap<string, bigint> = new Map(
  Object.entries({ EPERM: 1n, ENOENT: 2n, EIO: 5n, ENXIO: 6n, EAGAIN: 11n, ENOMEM: 12n, EFAULT: 14n, EBUSY: 16n, ENODEV: 19n, EINVAL: 22n, ENOSYS: 38n, EOPNOTSUPP: 95n }),
);

/** Reads a file, follows its headers and lowers its functions. Broken text gives problems, never an exception. */
export function cSource(file: string, source: FileSource, parse: ParseC, configuration: Configuration): CSource {
  const macros: MacroTable = new Map();
  for (const [name, body] of [...predefined, ...configuration.defines]) macros.set(name, { name, parameters: null, body });
  const reading: Reading = { source, parse, configuration, macros, files: [], visited: new Set(), includes: [], problems: [], limited: false };
  const text = source.read(file);
  if (text === null) reading.problems.push({ place: { file, span: { start: 0, end: 0 } }, message: 'cannot read this file' });
  else readFile(reading, file, text);
  return gathered(reading, file);
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
  const unit = reading.parse(active);
  const unreadable = new Map(unit.unreadable.map((span) => [`${span.start} ${span.end}`, span]));
  if (main) for (const span of unreadable.values()) problems.push({ place: { file, span }, message: 'cannot read this statement' });
  reading.files.push({ file, text, unit });
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

interface Definition {
  readonly definition: CFunctionDefinition;
  readonly from: FileText;
}

function gathered(reading: Reading, file: string): CSource {
  const enumerators = new Map<string, bigint>();
  const macro = (name: string): CMacroDefinition | null => reading.macros.get(name) ?? null;
  const constants: ConstantScope = { macro, value: (name) => enumerators.get(name) ?? errorNumbers.get(name) ?? null };
  const types = createTypeTable(constants);
  const variables = new Map<string, GlobalVariable>();
  const functions = new Map<string, CSyntaxType>();
  const declared: (Omit<CVariable, 'size'> & { readonly syntax: CSyntaxType })[] = [];
  const structs: { readonly type: CRecordType; readonly place: Place }[] = [];
  const idtRows: IdtRow[] = [];
  const declaredEntries: DeclaredEntry[] = [];
  const definitions = new Map<string, Definition>();

  for (const from of reading.files) {
    for (const type of from.unit.types) {
      if (type.kind === 'record' && type.name !== null && type.members !== null) {
        types.records.set(type.name, type);
        structs.push({ type, place: { file: from.file, span: type.nameSpan } });
      } else if (type.kind === 'enum') {
        let next = 0n;
        for (const one of type.enumerators ?? []) {
          const value = one.value === null ? next : constantOf(types, one.value);
          if (value === null) break;
          enumerators.set(one.name.text, value);
          next = value + 1n;
        }
      }
    }
    for (const item of from.unit.items) {
      switch (item.kind) {
        case 'function':
          functions.set(item.function.name.text, item.function.returns);
          if (!definitions.has(item.function.name.text) || from.file === file) definitions.set(item.function.name.text, { definition: item.function, from });
          break;
        case 'declaration':
          for (const one of item.declarations) {
            const place = { file: from.file, span: one.name.span };
            if (one.kind === 'typedef') types.typedefs.set(one.name.text, one.type);
            else if (one.kind === 'prototype') functions.set(one.name.text, one.type.kind === 'function' ? one.type.returns : one.type);
            else {
              const area = one.storage.some((word) => /_PER_CPU/.test(word)) ? 'percpu' : 'global';
              variables.set(one.name.text, { type: one.type, area });
              if (one.initialiser !== null) idtRows.push(...rowsOf(one.initialiser, one.name.text, from));
              declared.push({ name: one.name.text, area, type: one.typeText, syntax: one.type, place });
            }
          }
          break;
        case 'call': {
          const entry = entryOf(item.call, from);
          if (entry !== null) declaredEntries.push(entry);
          break;
        }
        case 'type':
          break;
      }
    }
  }

  // Sizes asked for while types were still being read may rest on too few of them.
  types.layouts.clear();
  const scope: LoweringScope = { types, variables, functions, parse: reading.parse };
  const lowered = lowerReachable(scope, definitions, file, reading.problems);
  for (const one of lowered) {
    for (const local of one.statics) {
      declared.push({ name: local.name, area: 'global', type: local.typeText, syntax: local.type, place: { file: one.function.file, span: local.span } });
    }
  }
  return {
    file,
    functions: lowered.map((one) => one.function),
    variables: withoutRepeats(declared.map(({ syntax, ...one }) => ({ ...one, size: sizeOfType(types, syntax) ?? 8 }))),
    structs: structs.flatMap(({ type, place }) => structOf(types, type, place)),
    idtRows,
    declaredEntries,
    constants: constantsOf(reading.macros, enumerators, constants),
    includes: reading.includes,
    problems: reading.problems,
  };
}

/**
 * The functions of the file itself and those that its headers define for others to call (entry stubs among them), with
 * the inline functions that they call, directly or through others.
 */
function lowerReachable(scope: LoweringScope, definitions: ReadonlyMap<string, Definition>, file: string, problems: Problem[]): readonly LoweredFunction[] {
  const lowered = new Map<string, LoweredFunction>();
  const open = [...definitions.values()].filter((one) => one.from.file === file || !one.definition.attributes.some((word) => /^(static|inline|__inline\w*|__always_inline)$/.test(word)));
  for (let at = 0; at < open.length; at++) {
    const one = open[at];
    if (one === undefined || lowered.has(one.definition.name.text)) continue;
    const result = lowerFunction(scope, one.from.file, one.from.text, one.definition);
    lowered.set(one.definition.name.text, result);
    if (one.from.file === file) problems.push(...result.problems);
    for (const { operation } of result.function.operations) {
      const called = operation.kind === 'call' ? definitions.get(operation.name) : undefined;
      if (called !== undefined) open.push(called);
    }
  }
  return [...lowered.values()];
}

/** A definition counts more than the declarations of the same name. */
function withoutRepeats(variables: readonly CVariable[]): readonly CVariable[] {
  const byName = new Map<string, CVariable>();
  for (const one of variables) {
    const known = byName.get(one.name);
    if (known === undefined || one.area === 'percpu' || known.area === 'global') byName.set(one.name, one);
  }
  return [...byName.values()];
}

function structOf(types: LoweringScope['types'], type: CRecordType, place: Place): readonly CStruct[] {
  const layout = layoutOf(types, type);
  if (layout === null || type.name === null) return [];
  const fields = layout.fields.map((field) => ({ name: field.name, offset: field.offset, size: field.size, type: typeText(field.type) }));
  return [{ name: type.name, size: layout.size, fields, place }];
}

function typeText(type: CSyntaxType): string {
  switch (type.kind) {
    case 'named':
      return type.name;
    case 'record':
      return `${type.tag} ${type.name ?? '{}'}`;
    case 'enum':
      return `enum ${type.name ?? '{}'}`;
    case 'pointer':
      return `${typeText(type.to)} *`;
    case 'array':
      return `${typeText(type.of)}[]`;
    case 'function':
      return `${typeText(type.returns)}()`;
  }
}

function textIn(from: FileText, span: Span | undefined): string {
  return span === undefined ? '' : normalised(from.text.slice(span.start, span.end));
}

/** INTG, SYSG, ISTG and G rows in the initialiser of a table; `G` takes the field of the gate, which counts from 1. */
function rowsOf(term: CTerm, table: string, from: FileText): readonly IdtRow[] {
  if (term.kind === 'list') return term.items.flatMap((item) => rowsOf(item.value, table, from));
  if (term.kind !== 'call' || term.callee.kind !== 'name') return [];
  const macro = term.callee.name;
  if (macro !== 'INTG' && macro !== 'SYSG' && macro !== 'ISTG' && macro !== 'G') return [];
  const [vector, stub, third, , level] = term.arguments.map((argument) => textIn(from, argument.span));
  const ist = macro === 'G' ? (/^(\w+) ?\+ ?1$/.exec(third ?? '')?.[1] ?? null) : (third ?? null);
  const dpl = macro === 'SYSG' || (macro === 'G' && level === 'DPL3') ? 3 : 0;
  return [{ macro, vector: vector ?? '', stub: stub ?? '', ist, dpl, table, place: { file: from.file, span: term.span } }];
}

function entryOf(term: CTerm, from: FileText): DeclaredEntry | null {
  if (term.kind !== 'call' || term.callee.kind !== 'name' || !term.callee.name.startsWith('DECLARE_IDTENTRY')) return null;
  const [vector, name] = term.arguments.map((argument) => textIn(from, argument.span));
  return { macro: term.callee.name, vector: vector ?? '', function: name ?? '', place: { file: from.file, span: term.span } };
}

function constantsOf(macros: MacroTable, enumerators: ReadonlyMap<string, bigint>, scope: ConstantScope): ReadonlyMap<string, bigint> {
  const constants = new Map(enumerators);
  for (const macro of macros.values()) {
    const value = macro.parameters === null && macro.body !== '' ? evaluateConstantText(macro.body, scope) : null;
    if (value !== null) constants.set(macro.name, value);
  }
  return constants;
}
