// Symbols, folds, definitions, hovers and completion: what an editor asks beyond findings and contexts.
import type { Place, Span } from '../base/span.ts';
import { contains, touches } from '../base/span.ts';
import { meaningOf } from '../machine/instructions/index.ts';
import { VECTORS } from '../machine/vectors.ts';
import { primitiveNamed } from '../kernel/primitives.ts';
import type { CompletionEntry, HoverText, SymbolEntry } from '../review-types.ts';
import { RULES } from '../rules/index.ts';
import { asmBlocks, asmSymbols } from '../syntax/asm-outline.ts';
import type { AsmSource } from '../syntax/asm.ts';
import { completeAnnotation, hoverAnnotation } from '../syntax/annotations.ts';
import type { LinkedUnit } from './unit.ts';
import { isAssembler } from './unit.ts';

export function symbolsOf(linked: LinkedUnit | null, file: string, assembler: AsmSource | null, text: string): readonly SymbolEntry[] {
  if (assembler !== null) {
    return asmSymbols(assembler, text).map((symbol): SymbolEntry => ({
      name: symbol.name,
      detail: detailOf(linked, symbol.name),
      kind: linked?.program.handlers.some((handler) => handler.stubName === symbol.name) === true ? 'entry' : symbol.kind === 'code' ? 'function' : 'label',
      span: symbol.span,
      nameSpan: symbol.nameSpan,
      children: [],
    }));
  }
  const source = linked?.sources.find((one) => one.file === file);
  if (source === undefined) return [];
  const functions = source.functions
    .filter((one) => one.file === file)
    .map((one): SymbolEntry => ({
      name: one.name,
      detail: detailOf(linked, one.name) || (one.definedBy ?? ''),
      kind: linked?.program.handlers.some((handler) => handler.function === one.name) === true ? 'handler' : 'function',
      span: one.span,
      nameSpan: one.nameSpan,
      children: [],
    }));
  const variables = source.variables
    .filter((one) => one.place.file === file && !functions.some((other) => contains(other.span, one.place.span.start)))
    .map((one): SymbolEntry => ({ name: one.name, detail: `${one.area === 'percpu' ? 'per-CPU ' : ''}${one.type}`, kind: 'variable', span: one.place.span, nameSpan: one.place.span, children: [] }));
  return [...functions, ...variables].sort((a, b) => a.span.start - b.span.start);
}

function detailOf(linked: LinkedUnit | null, name: string): string {
  const handler = linked?.program.handlers.find((one) => one.stubName === name || one.function === name);
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

export function definitionOf(linked: LinkedUnit, file: string, text: string, offset: number): readonly Place[] {
  for (const include of [...linked.streams.flatMap((stream) => stream.includes), ...linked.sources.flatMap((source) => source.includes)]) {
    if (include.place.file === file && touches(include.place.span, offset) && include.resolved !== null) return [{ file: include.resolved, span: { start: 0, end: 0 } }];
  }
  const found = wordAt(text, offset);
  if (found === null) return [];
  const { word } = found;
  const out: Place[] = [];
  const add = (place: Place): void => {
    if (!out.some((one) => one.file === place.file && one.span.start === place.span.start)) out.push(place);
  };
  const known = linked.program.functions.get(word);
  if (known !== undefined) add(known.place);
  for (const stream of linked.streams) {
    for (const macro of stream.macros) if (macro.name === word) add(macro.nameSpan);
    for (const macro of stream.cMacros) if (macro.name === word) add(macro.definition);
    if (known === undefined) for (const item of stream.items) if (item.kind === 'label' && item.name.replace(/#\d+$/, '') === word && item.origin.file === file) add(item.origin);
  }
  for (const source of linked.sources) {
    for (const variable of source.variables) if (variable.name === word) add(variable.place);
    for (const struct of source.structs) if (struct.name === word) add(struct.place);
  }
  return out;
}

export function hoverOf(linked: LinkedUnit | null, file: string, text: string, offset: number): HoverText | null {
  const set = linked?.annotations.get(file);
  if (set !== undefined) {
    const inAnnotation = hoverAnnotation(set, offset);
    if (inAnnotation !== null) return withRule(inAnnotation, text, offset);
  }
  const found = wordAt(text, offset);
  if (found === null) return null;
  const { word, span } = found;
  if (isAssembler(file)) {
    const macro = linked?.streams.flatMap((stream) => stream.macros).find((one) => one.name === word);
    if (macro !== undefined) return { markdown: `**${macro.name}** ${macro.parameters.join(', ')}\n\nmacro`, span };
    const meaning = meaningOf(word);
    if (meaning !== null) {
      const faults = meaning.row.faults.length === 0 ? '' : `\n\nMay raise ${meaning.row.faults.map((name) => `#${name}`).join(', ')}.`;
      return { markdown: `**${meaning.row.mnemonic}**: ${meaning.row.summary}${faults}\n\n*SDM, ${meaning.row.section}*`, span };
    }
  }
  const primitive = primitiveNamed(word);
  if (primitive !== null && linked?.program.functions.get(word) === undefined) return { markdown: `**${word}()**: ${primitive.summary}\n\n*${primitive.source}*`, span };
  return null;
}

function withRule(hover: HoverText, text: string, offset: number): HoverText {
  const word = wordAt(text, offset)?.word ?? '';
  const rule = RULES.find((one) => one.id === word || one.name === word);
  return rule === undefined ? hover : { markdown: `**${rule.name}** (${rule.id}): ${rule.summary}`, span: hover.span };
}

export function completionsOf(linked: LinkedUnit | null, text: string, offset: number): readonly CompletionEntry[] {
  return completeAnnotation(text, offset, {
    guards: linked?.program.guards.filter((guard) => !guard.implicit).map((guard) => guard.name) ?? [],
    functions: [...(linked?.program.functions.keys() ?? [])],
    rules: RULES.map((rule) => rule.name),
    vectors: VECTORS.map((vector) => vector.name),
  });
}
