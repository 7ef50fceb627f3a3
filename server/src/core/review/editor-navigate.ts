// Where names are defined and used: across assembler, C, headers, macros of both, within the scope of a file. Knows no
// words of an editor.
import type { Origin, Place, Span } from '../base/span.ts';
import { contains, touches } from '../base/span.ts';
import type { AsmSource } from '../syntax/asm.ts';
import type { AsmItem } from '../syntax/asm-item.ts';
import type { DefinitionIndex } from '../syntax/definition-index.ts';
import type { WorkspaceSymbolEntry } from '../editor-types.ts';
import { indexOf, isSymbol, nearestFirst } from './editor-scope.ts';
import type { Reading, Scope } from './editor-scope.ts';
import { definedIn, nameAt, occurrences } from './editor-words.ts';

const MOST_REFERENCES = 2000;
const MOST_SYMBOLS = 300;

/** Where a kernel keeps the C that entry code calls: looked into by text, and only for a name that is nowhere else. */
const ENTRY_FILES = [
  'arch/x86/entry/common.c', 'arch/x86/entry/syscall_64.c', 'arch/x86/entry/entry_fred.c', 'arch/x86/mm/fault.c', 'arch/x86/kernel/traps.c', 'arch/x86/kernel/nmi.c',
  'arch/x86/kernel/irq.c', 'arch/x86/kernel/idt.c', 'arch/x86/kernel/process.c', 'arch/x86/kernel/process_64.c', 'arch/x86/kernel/cpu/mce/core.c', 'arch/x86/kernel/cpu/common.c',
  'arch/x86/kernel/apic/apic.c', 'arch/x86/kernel/smp.c', 'arch/x86/kernel/kvm.c', 'arch/x86/kernel/sev.c', 'arch/x86/coco/sev/core.c', 'arch/x86/coco/tdx/tdx.c',
  'arch/x86/xen/enlighten_pv.c', 'arch/x86/kernel/head64.c', 'arch/x86/kernel/cpu/bugs.c', 'arch/x86/kernel/fred.c', 'kernel/entry/common.c',
];

export interface Link {
  readonly span: Span;
  readonly target: string;
}

/** Those in the line at an offset: only a directive has any. */
export function linksAround(scope: Scope, offset: number): readonly Link[] {
  const { text } = scope;
  return /^\s*#/.test(text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset + 1)) ? linksOf(scope) : [];
}

export function linksOf(scope: Scope): readonly Link[] {
  const out = new Map<number, Link>();
  for (const { stream, source } of scope.own) {
    for (const { place, resolved } of [...(stream?.includes ?? []), ...(source?.includes ?? [])]) {
      if (place.file === scope.file && resolved !== null) out.set(place.span.start, { span: place.span, target: resolved });
    }
  }
  return [...out.values()];
}

export function definitionsAt(scope: Scope, offset: number): readonly Place[] {
  const link = linksAround(scope, offset).find((each) => touches(each.span, offset));
  if (link !== undefined) return [{ file: link.target, span: { start: 0, end: 0 } }];
  const { file, text } = scope;
  const name = nameAt(file, text, offset);
  if (name === null) return [];
  const items = scope.items(file);
  if (items !== null) {
    const parameter = text[name.span.start - 1] === '\\' ? parameterAt(items, name.word, offset) : null;
    if (parameter !== null) return [{ file, span: parameter }];
    const numeric = numericLabel(items, text, name.span);
    if (numeric !== null) return [{ file, span: numeric.nameSpan }];
  }
  return definitionsOf(scope, name.word);
}

export function definitionsOf(scope: Scope, word: string): readonly Place[] {
  for (const reading of nearestFirst(scope)) {
    const found = definedBy(reading, scope, word);
    if (found.length > 0) return found;
  }
  return scope.root === null ? [] : inEntryFiles(scope, scope.root, word);
}

function definedBy({ file, stream, source }: Reading, scope: Scope, word: string): readonly Place[] {
  const out: Place[] = [];
  const add = (place: Place): void => {
    if (!out.some((one) => one.file === place.file && one.span.start === place.span.start)) out.push({ file: place.file, span: place.span });
  };
  if (stream !== null) {
    const { named, labels } = indexOf(stream);
    const { gas, c } = named(word);
    if (gas !== undefined) add(gas.nameSpan);
    if (c !== undefined && !c.nameSpan.file.startsWith('<')) add(c.nameSpan);
    const isLocal = word.startsWith('.L');
    for (const at of (isLocal && file !== scope.file) || /^\d/.test(word) ? [] : (labels.get(word) ?? [])) {
      const item = stream.items[at];
      if (item !== undefined) add(labelPlace(item.origin, word, scope));
    }
  }
  for (const one of source?.functions ?? []) if (one.name === word) add({ file: one.file, span: one.nameSpan });
  for (const one of source?.variables ?? []) if (one.name === word) add(one.place);
  for (const one of source?.structs ?? []) if (one.name === word) add(one.place);
  return out;
}

/** Where a label's name is written, else the macro use that makes it. */
function labelPlace(origin: Origin, name: string, { read }: Scope): Place {
  const written = read(origin.file)?.slice(origin.span.start, origin.span.end) ?? '';
  return written !== '' && name.endsWith(written) ? origin : (origin.uses.at(-1) ?? origin);
}

function inEntryFiles({ root, read }: Scope, folder: string, word: string): readonly Place[] {
  if (!/^[a-z_]\w{3,}$/.test(word) || root === null) return [];
  const header = `${folder}arch/x86/include/asm/idtentry.h`;
  const declaring = word.startsWith('asm_') ? read(header) : null;
  const row = declaring === null ? null : new RegExp(`^DECLARE_IDTENTRY\\w*\\([^)\\n]*\\b${word.slice(4)}\\b`, 'm').exec(declaring);
  if (row !== null) return [{ file: header, span: { start: row.index + row[0].length - (word.length - 4), end: row.index + row[0].length } }];
  for (const name of ENTRY_FILES) {
    const file = folder + name;
    const text = read(file);
    const span = text === null ? null : definedIn(file, text, word);
    if (span !== null) return [{ file, span }];
  }
  return [];
}

export function referencesAt(scope: Scope, offset: number): readonly Place[] {
  const { file, text } = scope;
  const name = nameAt(file, text, offset);
  if (name === null) return [];
  const items = scope.items(file);
  const numeric = items === null ? null : numericLabel(items, text, name.span);
  if (items !== null && numeric !== null) return [numeric.nameSpan, ...numericUses(items, text, numeric)].map((span) => ({ file, span }));
  const definitions = definitionsOf(scope, name.word);
  if (definitions.length === 0) return [];
  const files = name.word.startsWith('.L') ? [file] : [...new Set([file, ...definitions.map((place) => place.file), ...scope.readings.flatMap((reading) => [...reading.reads.keys()])])];
  const out: Place[] = [...definitions];
  for (const each of files) {
    const own = scope.read(each);
    if (own === null) continue;
    for (const span of occurrences(each, own, name.word)) {
      if (out.length >= MOST_REFERENCES) return out;
      if (!definitions.some((place) => place.file === each && place.span.start === span.start)) out.push({ file: each, span });
    }
  }
  return out;
}

/** What scopes say of a file counts; the others are told as the index has them. */
export function workspaceSymbolsOf(scopes: readonly Scope[], index: DefinitionIndex, query: string): readonly WorkspaceSymbolEntry[] {
  const wanted = query.toLowerCase();
  const out = new Map<string, WorkspaceSymbolEntry>();
  const add = (name: string, kind: WorkspaceSymbolEntry['kind'], place: Place): void => {
    if (!holdsInOrder(name.toLowerCase(), wanted) || out.size >= MOST_SYMBOLS) return;
    const container = place.file.slice(place.file.lastIndexOf('/') + 1);
    out.set(`${place.file}:${place.span.start}:${name}`, { name, kind, container, place: { file: place.file, span: place.span } });
  };
  for (const scope of scopes) {
    for (const { stream, source } of scope.readings) {
      for (const item of stream?.items ?? []) if (item.kind === 'label' && isSymbol(item.name)) add(item.name, 'function', labelPlace(item.origin, item.name, scope));
      for (const macro of stream?.macros ?? []) add(macro.name, 'macro', macro.nameSpan);
      for (const one of source?.functions ?? []) add(one.name, 'function', { file: one.file, span: one.nameSpan });
    }
  }
  // Thousands of macros come with the kernel's headers: they are told only for a query that says something.
  if (query.length >= 3) for (const scope of scopes) for (const { stream } of scope.readings) for (const macro of stream?.cMacros ?? []) if (!macro.nameSpan.file.startsWith('<')) add(macro.name, 'macro', macro.nameSpan);
  const told = new Set([...out.values()].map(({ place }) => place.file));
  for (const { name, kind, place } of index.query(query, MOST_SYMBOLS)) if (!told.has(place.file)) add(name, kind, place);
  return [...out.values()];
}

function holdsInOrder(name: string, characters: string): boolean {
  let at = 0;
  for (const character of characters) {
    at = name.indexOf(character, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

type Label = Extract<AsmItem, { readonly kind: 'label' }>;

/** The numeric label that is written, or meant by `1f` or `1b`, at a span. */
export function numericLabel(items: AsmSource, text: string, span: Span): Label | null {
  const [, digits, direction] = /^(\d+)([fb]?)$/.exec(text.slice(span.start, span.end)) ?? [];
  if (digits === undefined) return null;
  const labels = items.items.filter((item): item is Label => item.kind === 'label' && item.name === digits);
  const own = labels.find((label) => label.nameSpan.start === span.start);
  if (own !== undefined || direction === '' || direction === undefined) return own ?? null;
  const around = bodyAt(items, span.start);
  const near = labels.filter((label) => bodyAt(items, label.span.start) === around);
  return (direction === 'f' ? near.find((label) => label.span.start > span.start) : near.filter((label) => label.span.start <= span.start).at(-1)) ?? null;
}

/** The uses of a numeric label, in text order. */
export function numericUses(items: AsmSource, text: string, label: Label): readonly Span[] {
  const out: Span[] = [];
  for (const { span } of numericWords(items, text)) if (numericLabel(items, text, span)?.nameSpan.start === label.nameSpan.start) out.push(span);
  return out;
}

/** Every `1f` and `1b` of the operands. */
export function numericWords(items: AsmSource, text: string): readonly { readonly span: Span }[] {
  return items.items.flatMap((item) => {
    const spans = item.kind === 'statement' || item.kind === 'directive' ? item.operands : item.kind === 'assignment' ? [item.value] : [];
    return spans.flatMap((span) => [...text.slice(span.start, span.end).matchAll(/(?<![\w.$%])\d+[fb](?![\w.$])/g)].map((found) => ({ span: { start: span.start + found.index, end: span.start + found.index + found[0].length } })));
  });
}

/** Start of the macro definition around an offset, or -1. */
function bodyAt(items: AsmSource, offset: number): number {
  return items.items.filter((item) => item.kind === 'macroDefinition' && contains(item.span, offset)).at(-1)?.span.start ?? -1;
}

function parameterAt(items: AsmSource, name: string, offset: number): Span | null {
  for (const item of [...items.items].reverse()) {
    if (item.kind !== 'macroDefinition' || !contains(item.span, offset)) continue;
    const parameter = item.parameters.find((each) => each.name === name);
    if (parameter !== undefined) return parameter.span;
  }
  return null;
}
