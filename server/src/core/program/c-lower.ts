// A C file with the headers it follows, lowered: functions as operations, and the declarations, tables and constants
// that the linker needs, each made when it is first asked for. The one entry of the C front end to the program layer.
import type { Place, Problem, Span } from '../base/span.ts';
import type { Configuration, FileSource } from '../preprocess/stream.ts';
import { evaluateConstantText } from '../syntax/c-constant.ts';
import type { CMacroDefinition, ConstantScope } from '../syntax/c-constant.ts';
import type { MacroTable } from '../syntax/c-directives.ts';
import type { CFunctionDefinition, CParameter, CSyntaxType, CTerm } from '../syntax/c-syntax.ts';
import { normalised } from '../syntax/c-text.ts';
import type { GlobalVariable, LoweringScope } from './c-lower-builder.ts';
import { lowerFunction } from './c-lower-function.ts';
import type { LoweredFunction } from './c-lower-function.ts';
import { deferredWork } from './c-deferred.ts';
import type { CSource, CStruct, CVariable, DeclaredEntry, IdtRow } from './c-source.ts';
import { readTexts } from './c-texts.ts';
import type { FileText, ParseC, Reading } from './c-texts.ts';
import { constantOf, createTypeTable, layoutOf, sizeOfType, unsignedLong } from './c-types.ts';
import type { CRecordType } from './c-types.ts';

/** Error numbers where no header gives them (`include/uapi/asm-generic/errno-base.h`). */
const errorNumbers: ReadonlyMap<string, bigint> = new Map(
  Object.entries({ EPERM: 1n, ENOENT: 2n, EIO: 5n, ENXIO: 6n, EAGAIN: 11n, ENOMEM: 12n, EFAULT: 14n, EBUSY: 16n, ENODEV: 19n, EINVAL: 22n, ENOSYS: 38n, EOPNOTSUPP: 95n }),
);

/** Macros of the rows of IDT tables: a text without them has none. */
const rowMacro = /\b(?:INTG|SYSG|ISTG|G)\s*\(/;

/**
 * Reads a file and follows its headers. What is in them is parsed and lowered when a field of the result asks for it:
 * of most files of a kernel nobody does. Broken text gives problems, never an exception.
 */
export function cSource(file: string, source: FileSource, parse: ParseC, configuration: Configuration): CSource {
  const reading = readTexts(file, source, parse, configuration);
  const hasRows = reading.files.some(({ active }) => rowMacro.test(active));
  let gathering: Gathered | null = null;
  let lowering: Lowered | null = null;
  const gathered = (): Gathered => (gathering ??= gather(reading, file));
  const lowered = (): Lowered => (lowering ??= lowerAll(gathered(), file));
  let variables: readonly CVariable[] | null = null;
  let constants: ReadonlyMap<string, bigint> | null = null;
  let structs: readonly CStruct[] | null = null;
  let deferred: CSource['deferred'] | null = null;
  let problems: readonly Problem[] | null = null;
  return {
    file,
    includes: reading.includes,
    get functions() {
      return lowered().functions;
    },
    get variables() {
      // Only a function with a static variable adds any.
      return (variables ??= variablesOf(gathered(), gathered().hasStatics ? lowered().statics : []));
    },
    get structs() {
      return (structs ??= gathered().structs.flatMap(({ type, place }) => structOf(gathered().scope.types, type, place)));
    },
    get idtRows() {
      return hasRows ? gathered().idtRows : [];
    },
    get declaredEntries() {
      return gathered().declaredEntries;
    },
    get deferred() {
      return (deferred ??= reading.files.flatMap(deferredWork));
    },
    get parameterTypes() {
      return gathered().parameterTypes;
    },
    get constants() {
      return (constants ??= constantsOf(reading.macros, gathered().enumerators, gathered().constants));
    },
    get problems() {
      return (problems ??= [...reading.problems, ...unreadableIn(reading, file), ...lowered().problems]);
    },
  };
}

/** Places of the file itself that the parser could not read. */
function unreadableIn({ files }: Reading, file: string): readonly Problem[] {
  const unreadable = files.filter((one) => one.file === file).flatMap(({ unit }) => unit.unreadable);
  return [...new Map(unreadable.map((span) => [`${span.start} ${span.end}`, span])).values()].map((span) => ({ place: { file, span }, message: 'cannot read this statement' }));
}

interface Definition {
  readonly definition: CFunctionDefinition;
  readonly from: FileText;
}

type Declared = Omit<CVariable, 'size'> & { readonly syntax: CSyntaxType };

/** Declarations of all texts, before any function is lowered. */
interface Gathered {
  readonly scope: LoweringScope;
  readonly constants: ConstantScope;
  readonly enumerators: ReadonlyMap<string, bigint>;
  readonly definitions: ReadonlyMap<string, Definition>;
  readonly declared: readonly Declared[];
  readonly structs: readonly { readonly type: CRecordType; readonly place: Place }[];
  readonly idtRows: readonly IdtRow[];
  readonly declaredEntries: readonly DeclaredEntry[];
  readonly parameterTypes: ReadonlyMap<string, readonly string[]>;
  /** Whether the body of a function may hold a static variable. */
  readonly hasStatics: boolean;
}

interface Lowered {
  readonly functions: CSource['functions'];
  readonly statics: readonly Declared[];
  readonly problems: readonly Problem[];
}

const PER_CPU_USE = /\b(?:(?:raw_|__)?(?:this_cpu|raw_cpu)_\w+|per_cpu(?:_ptr)?|get_cpu_(?:ptr|var))\s*\(\s*&?\s*([A-Za-z_]\w*)\s*[.,)[-]/g;

function gather(reading: Reading, file: string): Gathered {
  const enumerators = new Map<string, bigint>();
  const macro = (name: string): CMacroDefinition | null => reading.macros.get(name) ?? null;
  const constants: ConstantScope = { macro, value: (name) => enumerators.get(name) ?? errorNumbers.get(name) ?? null };
  const types = createTypeTable(constants);
  const variables = new Map<string, GlobalVariable>();
  const functions = new Map<string, CSyntaxType>();
  const declared: Declared[] = [];
  const structs: { readonly type: CRecordType; readonly place: Place }[] = [];
  const idtRows: IdtRow[] = [];
  const declaredEntries: DeclaredEntry[] = [];
  const parameterTypes = new Map<string, readonly string[]>();
  const typesOf = (parameters: readonly CParameter[]): readonly string[] => parameters.map((one) => one.typeText);
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
          parameterTypes.set(item.function.name.text, typesOf(item.function.parameters));
          if (!definitions.has(item.function.name.text) || from.file === file) definitions.set(item.function.name.text, { definition: item.function, from });
          break;
        case 'declaration':
          for (const one of item.declarations) {
            const place = { file: from.file, span: one.name.span };
            if (one.kind === 'typedef') types.typedefs.set(one.name.text, one.type);
            else if (one.kind === 'prototype') {
              functions.set(one.name.text, one.type.kind === 'function' ? one.type.returns : one.type);
              parameterTypes.set(one.name.text, typesOf(one.parameters));
            } else {
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
          else idtRows.push(...rowsOf(item.call, '', from));
          break;
        }
        case 'type':
          break;
      }
    }
  }

  // Of what nothing declares the way it is used tells that it is per-CPU.
  for (const from of reading.files) {
    for (const match of from.text.matchAll(PER_CPU_USE)) {
      const name = match[1] ?? '';
      if (!variables.has(name) && !functions.has(name)) variables.set(name, { type: unsignedLong, area: 'percpu' });
    }
  }

  // Sizes asked for while types were still being read may rest on too few of them.
  types.layouts.clear();
  const hasStatics = [...definitions.values()].some(({ definition, from }) => /\bstatic\b/.test(from.text.slice(definition.bodySpan.start, definition.bodySpan.end)));
  return { scope: { types, variables, functions, parse: reading.parse }, constants, enumerators, definitions, declared, structs, idtRows, declaredEntries, parameterTypes, hasStatics };
}

function lowerAll({ scope, definitions }: Gathered, file: string): Lowered {
  const problems: Problem[] = [];
  const lowered = lowerReachable(scope, definitions, file, problems);
  const statics = lowered.flatMap((one) =>
    one.statics.map((local): Declared => ({ name: local.name, area: 'global', type: local.typeText, syntax: local.type, place: { file: one.function.file, span: local.span } })),
  );
  return { functions: lowered.map((one) => one.function), statics, problems };
}

function variablesOf({ scope, declared }: Gathered, statics: readonly Declared[]): readonly CVariable[] {
  return withoutRepeats([...declared, ...statics].map(({ syntax, ...one }) => ({ ...one, size: sizeOfType(scope.types, syntax) ?? 8 })));
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
