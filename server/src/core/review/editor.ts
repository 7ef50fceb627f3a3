// Symbols, folds, hovers and completion: what an editor asks of one file beyond findings and contexts.
import type { Span } from '../base/span.ts';
import { contains } from '../base/span.ts';
import { VECTORS } from '../machine/vectors.ts';
import { primitiveNamed } from '../kernel/primitives.ts';
import type { Handler, Program } from '../program/program.ts';
import type { CompletionEntry, HoverText, SymbolEntry } from '../editor-types.ts';
import { RULES } from '../rules/index.ts';
import { asmBlocks, asmSymbols } from '../syntax/asm-outline.ts';
import type { AsmSource } from '../syntax/asm.ts';
import { completeAnnotation, hoverAnnotation } from '../syntax/annotations.ts';
import { scanComments } from '../syntax/comments.ts';
import { completeAssembler } from './editor-complete.ts';
import { meaningAt } from './editor-hover.ts';
import type { Scope } from './editor-scope.ts';
import type { LinkedUnit } from './unit.ts';
import { hasEntries, isAssembler } from './unit.ts';

export function symbolsOf(linked: LinkedUnit | null, file: string, assembler: AsmSource | null, text: string): readonly SymbolEntry[] {
  if (assembler !== null) {
    return nested(asmSymbols(assembler, text).map((symbol): SymbolEntry => ({
      name: symbol.name,
      detail: detailOf(linked, symbol.name),
      kind: handlersOf(linked).some((handler) => handler.stubName === symbol.name) ? 'entry' : assemblerKinds[symbol.kind],
      span: symbol.span,
      nameSpan: symbol.nameSpan,
      children: [],
    })));
  }
  const source = linked?.sources.find((one) => one.file === file);
  if (source === undefined) return [];
  const functions = source.functions
    .filter((one) => one.file === file)
    .map((one): SymbolEntry => ({
      name: one.name,
      detail: detailOf(linked, one.name) || (one.definedBy ?? ''),
      kind: handlersOf(linked).some((handler) => handler.function === one.name) ? 'handler' : 'function',
      span: one.span,
      nameSpan: one.nameSpan,
      children: [],
    }));
  const variables = source.variables
    .filter((one) => one.place.file === file && !functions.some((other) => contains(other.span, one.place.span.start)))
    .map((one): SymbolEntry => ({ name: one.name, detail: `${one.area === 'percpu' ? 'per-CPU ' : ''}${one.type}`, kind: 'variable', span: one.place.span, nameSpan: one.place.span, children: [] }));
  return [...functions, ...variables].sort((a, b) => a.span.start - b.span.start);
}

const assemblerKinds = { code: 'function', data: 'variable', label: 'label', macro: 'macro', constant: 'macro' } as const;

/** Labels inside a symbol's code are its children. */
function nested(symbols: readonly SymbolEntry[]): readonly SymbolEntry[] {
  const out: { entry: SymbolEntry; children: SymbolEntry[] }[] = [];
  for (const entry of symbols) {
    const last = out.at(-1);
    if (last !== undefined && last.entry.span.end >= entry.span.end && last.entry.span.start < entry.span.start) last.children.push(entry);
    else out.push({ entry, children: [] });
  }
  return out.map(({ entry, children }) => ({ ...entry, children }));
}

/** The rest of a kernel tree has no handlers, and its program is not built for an outline. */
function programOf(linked: LinkedUnit | null): Program | null {
  return linked === null || !hasEntries(linked) ? null : linked.program;
}

function handlersOf(linked: LinkedUnit | null): readonly Handler[] {
  return programOf(linked)?.handlers ?? [];
}

function detailOf(linked: LinkedUnit | null, name: string): string {
  const handler = handlersOf(linked).find((one) => one.stubName === name || one.function === name);
  if (handler === undefined) return '';
  return `${handler.name}${handler.ist.value === null ? '' : `, IST stack ${handler.ist.value}`}`;
}

export function foldsOf(assembler: AsmSource | null): readonly Span[] {
  return assembler === null ? [] : asmBlocks(assembler).map((block) => block.span);
}

/** The word around an offset, as both languages spell names. */
export function wordAt(text: string, offset: number): { readonly word: string; readonly span: Span } | null {
  const isWord = (character: string | undefined): boolean => character !== undefined && /[\w.$#]/.test(character);
  let start = offset;
  while (start > 0 && isWord(text[start - 1])) start -= 1;
  let end = offset;
  while (end < text.length && isWord(text[end])) end += 1;
  return start === end ? null : { word: text.slice(start, end), span: { start, end } };
}

/** Annotations, then names of the text, then what the tool knows of C functions that are not in view. */
export function hoverOf(linked: LinkedUnit | null, scope: Scope, offset: number): HoverText | null {
  const { file, text, root } = scope;
  const set = linked?.annotations.get(file);
  if (set !== undefined) {
    const inAnnotation = hoverAnnotation(set, offset);
    if (inAnnotation !== null) return withRule(inAnnotation, text, offset);
  }
  if (inComment(file, text, offset)) return null;
  const found = wordAt(text, offset);
  const primitive = found === null || linked === null || root !== null || linked.program.functions.has(found.word) ? null : primitiveNamed(found.word);
  if (found !== null && primitive !== null) return { markdown: `**${found.word}()**: ${primitive.summary}\n\n*${primitive.source}*`, span: found.span };
  return meaningAt(scope, offset);
}

/** Of the text that was hovered last. */
let scanned: { readonly file: string; readonly text: string; readonly spans: readonly Span[] } = { file: '', text: '', spans: [] };

function inComment(file: string, text: string, offset: number): boolean {
  if (scanned.file !== file || scanned.text !== text) scanned = { file, text, spans: scanComments(text, isAssembler(file) ? 'gas' : 'c').map(({ span }) => span) };
  return scanned.spans.some((span) => span.start < offset && offset < span.end);
}

function withRule(hover: HoverText, text: string, offset: number): HoverText {
  const word = wordAt(text, offset)?.word ?? '';
  const rule = RULES.find((one) => one.id === word || one.name === word);
  return rule === undefined ? hover : { markdown: `**${rule.name}** (${rule.id}): ${rule.summary}`, span: hover.span };
}

export function completionsOf(linked: LinkedUnit | null, scope: Scope, offset: number): readonly CompletionEntry[] {
  const inAnnotation = completeAnnotation(scope.text, offset, {
    guards: programOf(linked)?.guards.filter((guard) => !guard.implicit).map((guard) => guard.name) ?? [],
    functions: [...(programOf(linked)?.functions.keys() ?? [])],
    rules: RULES.map((rule) => rule.name),
    vectors: VECTORS.map((vector) => vector.name),
  });
  return inAnnotation.length > 0 || !isAssembler(scope.file) ? inAnnotation : completeAssembler(scope, offset);
}
