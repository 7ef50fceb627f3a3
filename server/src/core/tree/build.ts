// A kernel tree's C entry code for one configuration: files read and parsed once, functions by name, tables, and what is
// handed over to be called later. Files are re-parsed only where their text changed.
import { isCurrent, noting } from '../base/reads.ts';
import type { Read } from '../base/reads.ts';
import { parseAnnotations } from '../syntax/annotations.ts';
import { scanComments } from '../syntax/comments.ts';
import { activeText } from '../syntax/c-directives.ts';
import type { MacroTable } from '../syntax/c-directives.ts';
import type { CFunctionDefinition, CTerm, CTranslationUnit } from '../syntax/c-syntax.ts';
import type { Configuration } from '../preprocess/stream.ts';
import { assemblerFacts } from './assembler.ts';
import type { Expanded } from './assembler.ts';
import { designFiles, entryFiles } from './files.ts';
import { asksForOptions, plain } from './conditions.ts';
import { graphOf } from './graph.ts';
import { is32 } from '../preprocess/configurations.ts';
import { X86_32 } from './kernel-32.ts';
import { isKnown } from './primitives.ts';
import type { AssemblerFacts, EntryMacro, GateMacro, Graph, MacroText, Registration, Tree, TreeEntry, TreeFunction, TreeGate, TreeSource } from './tree.ts';
import { returns32, walks32 } from './returns-32.ts';
import type { Returns32 } from './returns-32.ts';
import type { Walk32 } from './walk-32.ts';
import { targetsOf } from './watch.ts';

/** One file as parsed for one configuration. */
interface ReadFile {
  readonly text: string;
  readonly active: string;
  readonly functions: readonly TreeFunction[];
  readonly unit: CTranslationUnit;
}

/** Reads a tree for a configuration; keeps what it read for the next time. */
export function createTreeReader(parse: (text: string) => CTranslationUnit, expanded: Expanded = () => null): (source: TreeSource, root: string, design: boolean, configuration: Configuration) => Tree {
  const kept = new Map<string, Map<string, ReadFile>>();
  /** Of functions in which no configuration decides anything. */
  const graphs = new WeakMap<CFunctionDefinition, Graph>();
  const stubs = new Map<string, Read<AssemblerFacts>>();
  // One configuration stands for all 32-bit kernels.
  const returns = new Map<string, Read<Returns32>>();
  const walks = new Map<string, Read<readonly Walk32[]>>();
  function readOnce<T>(held: Map<string, Read<T>>, key: string, source: TreeSource, make: (from: TreeSource) => T): T {
    const before = held.get(key);
    const now = before !== undefined && isCurrent(before, source) ? before : noting(source, (read) => make({ read, list: source.list }));
    held.set(key, now);
    return now.value;
  }
  return (source, root, design, configuration) => {
    const key = `${root}|${configuration.name}|${configuration.defines.size}`;
    const files = kept.get(key) ?? new Map<string, ReadFile>();
    kept.set(key, files);
    return build(source, root, design, configuration, { parse, graphs }, files, {
      assembler: () => readOnce(stubs, key, source, (from) => assemblerFacts(from, root, configuration, design, expanded)),
      returns32: () => readOnce(returns, root, source, (from) => returns32(from, root, design)),
      walks32: () => readOnce(walks, root, source, (from) => walks32(from, root, design)),
    });
  };
}

/** What the readings of one tree have in common. */
interface Shared {
  readonly parse: (text: string) => CTranslationUnit;
  readonly graphs: WeakMap<CFunctionDefinition, Graph>;
}

interface FactMakers {
  readonly assembler: () => AssemblerFacts;
  readonly returns32: () => Returns32;
  readonly walks32: () => readonly Walk32[];
}

function build(source: TreeSource, root: string, design: boolean, configuration: Configuration, shared: Shared, kept: Map<string, ReadFile>, facts: FactMakers): Tree {
  const { defines } = configuration;
  const macros = macrosOf(defines);
  const option = (name: string): boolean => defines.get(name) === '1';
  const chosen = design ? designFiles(source) : entryFiles(source, is32(configuration) ? 32 : 64);
  const files = new Map<string, ReadFile>();
  for (const path of chosen.paths) {
    const text = source.read(path);
    if (text === null) continue;
    const before = kept.get(path);
    const read = before?.text === text ? before : readFile(path, text, new Map(macros), option, shared);
    kept.set(path, read);
    files.set(path, read);
  }
  const functions = [...files.values()].flatMap((file) => file.functions);
  const byName = new Map<string, TreeFunction[]>();
  for (const one of functions) byName.set(one.name, [...(byName.get(one.name) ?? []), one]);
  const registrations = [...files].flatMap(([path, file]) => registrationsOf(path, file, root));
  const resolve = (name: string, from: string): TreeFunction | null => {
    const candidates = byName.get(name);
    if (candidates === undefined) return null;
    if (candidates.length === 1) return candidates[0] ?? null;
    return candidates.find((one) => one.file === from) ?? candidates.find((one) => !one.attributes.includes('static')) ?? candidates[0] ?? null;
  };
  const pointers = new Set([...files.values()].flatMap((file) => pointersOf(file.unit)));
  const pointees = (member: string): readonly TreeFunction[] => {
    const kind = member === 'handler' ? 'nmi' : member === 'notifier_call' ? 'notifier' : null;
    if (kind === null) return pointers.has(member) ? givenTo(member, [...files.values()], functions) : [];
    return registrations.flatMap((one) => (one.kind === kind ? (resolve(one.function, one.place.file.slice(root.length)) ?? []) : []));
  };
  const tables = [...files].map(([path, file]) => tablesOf(path, file, root));
  let assembler: AssemblerFacts | null = null;
  const tree: Omit<Tree, 'coverage'> = {
    root,
    configuration: configuration.name,
    option,
    design,
    functions,
    resolve,
    pointees,
    gates: tables.flatMap((one) => one.gates),
    gateMacros: tables.some((one) => one.gates.length > 0) ? [...files].flatMap(([path, file]) => gateMacrosOf(path, file.text, root)) : [],
    entries: tables.flatMap((one) => one.entries),
    entryMacros: [...files].flatMap(([path, file]) => (path.endsWith('/idtentry.h') ? entryMacrosOf(path, file.text) : [])),
    declared: design ? declaredIn(files) : new Map(),
    registrations,
    get assembler() {
      assembler ??= facts.assembler();
      return assembler;
    },
    get returns32() {
      return facts.returns32();
    },
    get walks32() {
      return facts.walks32();
    },
    defined: (name) => definitionOf(name, files),
    active: (path) => files.get(path)?.active ?? null,
  };
  let coverage: Tree['coverage'] | null = null;
  return Object.defineProperty(tree, 'coverage', {
    get: () => (coverage ??= coverageOf(tree, files.size, chosen.left)),
  }) as Tree;
}

/** Definitions without `CONFIG_` that the sources of a 64-bit kernel see. */
const compilerDefines = ['__x86_64__', '__KERNEL__', '__GNUC__', '__LP64__'];

/** The same of a 32-bit one. */
const compilerDefines32 = ['__i386__', '__KERNEL__', '__GNUC__'];

function macrosOf(defines: ReadonlyMap<string, string>): MacroTable {
  const macros: MacroTable = new Map();
  for (const [name, body] of defines) macros.set(name, { name, parameters: null, body });
  for (const name of defines.has(X86_32) ? compilerDefines32 : compilerDefines) macros.set(name, { name, parameters: null, body: '1' });
  return macros;
}

/** The macros are the file's own to change. */
function readFile(path: string, text: string, macros: MacroTable, option: (name: string) => boolean, shared: Shared): ReadFile {
  const active = activeText(text, macros, { include: () => undefined, problem: () => undefined });
  const unit = shared.parse(active);
  const functions = unit.items.flatMap((item) => (item.kind === 'function' ? [functionOf(path, active, item.function, unit, option, shared)] : []));
  return { text, active, functions, unit };
}

function functionOf(file: string, text: string, one: CFunctionDefinition, unit: CTranslationUnit, option: (name: string) => boolean, { graphs }: Shared): TreeFunction {
  const returns = one.returns.kind === 'named' ? one.returns.name : one.returns.kind;
  let graph: Graph | null = null;
  return {
    name: one.name.text,
    file,
    nameSpan: one.name.span,
    span: one.span,
    definedBy: one.definedBy,
    attributes: one.attributes,
    returns,
    parameters: one.parameters.map((parameter) => parameter.name),
    graph: () => {
      graph ??= graphs.get(one) ?? null;
      if (graph !== null) return graph;
      graph = graphOf(one.body, one.bodySpan, { text, option, returnsBool: /\bbool\b/.test(returns) });
      if (!asksForOptions(text.slice(one.bodySpan.start, one.bodySpan.end))) graphs.set(one, graph);
      return graph;
    },
    whole: !unit.unreadable.some((span) => span.start < one.span.end && one.span.start < span.end),
  };
}

/** What `handler` annotations say of the functions behind them. */
function declaredIn(files: ReadonlyMap<string, ReadFile>): ReadonlyMap<string, string> {
  const declared = new Map<string, string>();
  for (const [path, { text, functions }] of files) {
    if (!text.includes('xctx:')) continue;
    for (const directive of parseAnnotations(path, text, scanComments(text, 'c')).directives) {
      if (directive.kind !== 'handler' || directive.vector === null) continue;
      const subject = functions.find((one) => one.span.end > directive.annotation.subjectOffset);
      if (subject !== undefined) declared.set(subject.name, directive.vector);
    }
  }
  return declared;
}

function tablesOf(path: string, file: ReadFile, root: string): { readonly gates: readonly TreeGate[]; readonly entries: readonly TreeEntry[] } {
  const gates: TreeGate[] = [];
  const entries: TreeEntry[] = [];
  const text = (term: CTerm | undefined): string => (term === undefined ? '' : plain(file.active.slice(term.span.start, term.span.end)));
  for (const item of file.unit.items) {
    if (item.kind === 'call' && item.call.kind === 'call' && item.call.callee.kind === 'name' && item.call.callee.name.startsWith('DECLARE_IDTENTRY')) {
      const [vector, handler] = item.call.arguments;
      entries.push({ macro: item.call.callee.name, vector: text(vector), function: text(handler), place: { file: root + path, span: item.span } });
    }
    if (item.kind === 'call') gates.push(...gateOf(item.call, '', text, root + path));
    if (item.kind !== 'declaration') continue;
    for (const one of item.declarations) {
      if (one.kind !== 'variable' || one.initialiser?.kind !== 'list') continue;
      for (const row of one.initialiser.items) gates.push(...gateOf(row.value, one.name.text, text, root + path));
    }
  }
  return { gates, entries };
}

function gateOf(row: CTerm, table: string, text: (term: CTerm | undefined) => string, file: string): readonly TreeGate[] {
  if (row.kind !== 'call' || row.callee.kind !== 'name' || !/^(?:INTG|SYSG|ISTG|TSKG|G)$/.test(row.callee.name)) return [];
  const macro = row.callee.name;
  const [vector, stub, third, type, level] = row.arguments;
  if (macro === 'TSKG') return [{ macro, vector: text(vector), stub: '', ist: null, dpl3: false, trap: false, table, place: { file, span: row.span } }];
  // `G` takes the field of the gate, which counts from 1; `ISTG` the index.
  const field = text(third);
  const ist = macro === 'ISTG' ? field : macro === 'G' ? (/^(\w+) \+ 1$/.exec(field)?.[1] ?? null) : null;
  const dpl3 = macro === 'SYSG' || (macro === 'G' && text(level) === 'DPL3');
  const trap = macro === 'G' && text(type) === 'GATE_TRAP';
  return [{ macro, vector: text(vector), stub: text(stub), ist, dpl3, trap, table, place: { file, span: row.span } }];
}

/** The macros for rows that a file defines by `G`. */
function gateMacrosOf(path: string, text: string, root: string): readonly GateMacro[] {
  return [...text.matchAll(/^#[ \t]*define[ \t]+(INTG|SYSG|ISTG)\([^)\n]*\)[ \t]*(?:\\\n)?[ \t]*(G\(([^)\n]*)\))/gm)].map((match) => {
    const start = match.index + match[0].length - (match[2] ?? '').length;
    return { name: match[1] ?? '', arguments: (match[3] ?? '').split(',').map((one) => one.trim()), place: { file: root + path, span: { start, end: match.index + match[0].length } } };
  });
}

/** `#define DEFINE_IDTENTRY(func) ... __visible noinstr void func(struct pt_regs *regs) { ... } ...`. */
function entryMacrosOf(path: string, text: string): readonly EntryMacro[] {
  return [...text.matchAll(/^#define (DEFINE_\w+)\(func\)(?:[^\n]*\\\n)+[^\n]*/gm)].flatMap((match) => {
    const part = /noinstr void func\([^)]*\)[\s\\]*\{[^]*?\n\}/.exec(match[0]);
    return part === null ? [] : [{ name: match[1] ?? '', file: path, body: part[0], start: match.index + part.index }];
  });
}

/** `#define NAME(arguments)` and its lines, continued by backslashes. */
function definitionOf(name: string, files: ReadonlyMap<string, ReadFile>): MacroText | null {
  for (const [file, { text }] of files) {
    if (!text.includes(name)) continue;
    const match = new RegExp(`^#[ \\t]*define[ \\t]+${name}\\([^)]*\\)(?:[^\\n]*\\\\\\n)*[^\\n]*`, 'm').exec(text);
    if (match !== null) return { file, body: match[0], start: match.index };
  }
  return null;
}

function registrationsOf(path: string, file: ReadFile, root: string): readonly Registration[] {
  const found: Registration[] = [];
  const add = (kind: Registration['kind'], match: RegExpMatchArray): void => {
    const name = match[1] ?? '';
    const start = (match.index ?? 0) + match[0].lastIndexOf(name);
    found.push({ kind, function: name, place: { file: root + path, span: { start, end: start + name.length } } });
  };
  for (const match of file.active.matchAll(/\bregister_nmi_handler\(\s*\w+\s*,\s*(\w+)/g)) add('nmi', match);
  for (const match of file.active.matchAll(/\.notifier_call\s*=\s*(\w+)/g)) add('notifier', match);
  for (const match of file.active.matchAll(/\binit_task_work\([^,;]+,\s*(\w+)\)/g)) add('task-work', match);
  return found;
}

/** Names of global variables that are pointers to functions. */
function pointersOf(unit: CTranslationUnit): readonly string[] {
  return unit.items.flatMap((item) => (item.kind === 'declaration' ? item.declarations.flatMap((one) => (one.kind === 'variable' && one.type.kind === 'pointer' && one.type.to.kind === 'function' ? [one.name.text] : [])) : []));
}

/** The functions that a global pointer begins with or is given somewhere by their names. */
function givenTo(pointer: string, files: readonly ReadFile[], functions: readonly TreeFunction[]): readonly TreeFunction[] {
  const names = new Set<string>();
  for (const { unit } of files) {
    for (const item of unit.items) {
      if (item.kind !== 'declaration') continue;
      for (const one of item.declarations) if (one.kind === 'variable' && one.name.text === pointer && one.initialiser?.kind === 'name') names.add(one.initialiser.name);
    }
  }
  for (const one of functions) for (const step of one.graph().steps) if (step.kind === 'store' && step.target === pointer && step.operator === '=') names.add(step.value);
  return functions.filter((one) => names.has(one.name));
}

function coverageOf(tree: Omit<Tree, 'coverage'>, files: number, left: number): Tree['coverage'] {
  const calls = { inView: 0, known: 0, unresolved: 0 };
  for (const one of tree.functions) {
    for (const step of one.graph().steps) {
      if (step.kind !== 'call') continue;
      if (targetsOf(tree as Tree, step, one).length > 0) calls.inView++;
      else if (!step.indirect && isKnown(step.name)) calls.known++;
      else calls.unresolved++;
    }
  }
  return {
    configuration: tree.configuration,
    files,
    functions: tree.functions.length,
    unreadable: tree.functions.filter((one) => !one.whole).map((one) => `${one.file}:${one.name}`),
    calls,
    cap: left > 0 ? `${left} files beyond the bound were not read` : tree.walks32.some(({ cut }) => cut) ? 'the paths of 32-bit entry code are more than are followed' : null,
  };
}

