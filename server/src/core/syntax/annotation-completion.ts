// Completion inside an annotation that is being typed: keywords, keys, values and the program's names. Works on the text
// of the line alone, because a comment under construction often has no end yet.
import { spanOf } from '../base/span.ts';
import type { Span } from '../base/span.ts';
import { annotationKeyword, annotationKeywords, keywordPage, valueList } from './annotation-keywords.ts';
import type { AnnotationKeyword, AnnotationValues, NameSort } from './annotation-keywords.ts';

/** Names of the program that annotations can refer to. */
export interface AnnotationNames {
  readonly guards: readonly string[];
  readonly functions: readonly string[];
  readonly rules: readonly string[];
  readonly vectors: readonly string[];
}

export interface AnnotationCompletion {
  readonly label: string;
  readonly detail: string;
  readonly documentation: string;
  readonly insert: string;
  /** Text to be replaced. */
  readonly span: Span;
}

/** Entries for the word at `offset`; empty where the line holds no `xctx:` in a comment before it. */
export function completeAnnotation(text: string, offset: number, names: AnnotationNames): readonly AnnotationCompletion[] {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const line = text.slice(lineStart, offset);
  const opening = /(?:^[ \t]*\*?|\/\*+|\/\/+|#+|;+)[ \t]*xctx:(?!.*\*\/)/.exec(line);
  if (opening === null) return [];
  const behind = line.slice(opening.index + opening[0].length);
  if (/(^|\s)--(\s|$)/.test(behind)) return [];
  const words = behind.split(/[ \t]+/).filter((word, index, all) => word !== '' || index === all.length - 1);
  const typed = words.at(-1) ?? '';
  const end = offset + (/^[\w.:-]*/.exec(text.slice(offset))?.[0].length ?? 0);
  const glue = behind === '' ? ' ' : '';
  if (words.length <= 1) {
    const span = spanOf(offset - typed.length, end);
    return annotationKeywords.map((row) => ({ label: row.name, detail: row.syntax, documentation: keywordPage(row), insert: `${glue}${row.name}`, span }));
  }
  const row = annotationKeyword(words[0] ?? '');
  return row === null ? [] : completeArgument(row, words.slice(1), offset, end, names);
}

function completeArgument(row: AnnotationKeyword, words: readonly string[], offset: number, end: number, names: AnnotationNames): readonly AnnotationCompletion[] {
  const typed = words.at(-1) ?? '';
  const equals = typed.indexOf('=');
  const before = words.slice(0, -1);
  if (equals !== -1) {
    const key = row.keys.find((known) => known.name === typed.slice(0, equals));
    return key === undefined ? [] : completeValues(key.values, key.summary, typed.slice(equals + 1), offset, end, names);
  }
  if (row.word !== null && !before.some((word) => !word.includes('='))) {
    return completeValues(row.word.values, row.summary, typed, offset, end, names);
  }
  const used = new Set(before.map((word) => word.split('=')[0]));
  const span = spanOf(offset - typed.length, end);
  const keys = row.keys
    .filter((key) => !used.has(key.name))
    .map((key) => ({ label: `${key.name}=`, detail: key.required ? 'required' : 'optional', documentation: `${key.summary}${valueList(key.values)}`, insert: `${key.name}=`, span }));
  const missing = row.keys.some((key) => key.required && !used.has(key.name));
  const reason = { label: '--', detail: 'reason', documentation: 'One sentence that says why, shown with every verdict that rests on it.', insert: '-- ', span };
  return missing ? keys : [...keys, reason];
}

function completeValues(values: AnnotationValues, documentation: string, typed: string, offset: number, end: number, names: AnnotationNames): readonly AnnotationCompletion[] {
  const parts = values.list ? typed.split(',') : [typed];
  const part = parts.at(-1) ?? '';
  const used = new Set(parts.slice(0, -1));
  const span = spanOf(offset - part.length, end);
  const entry = (label: string, detail: string, insert: string): AnnotationCompletion => ({ label, detail, documentation, insert, span });
  const named = values.names === null ? [] : namesOf(values.names, names);
  // `call:` carries the function's name behind it, so both become one word.
  const prefixed = values.prefixes.flatMap((prefix) => named.map((name) => entry(`${prefix}${name}`, 'function', `${prefix}${name}`)));
  const offered = values.prefixes.length > 0 ? prefixed : named.map((name) => entry(name, values.names ?? '', name));
  const own = values.words.map((word) => entry(word, 'value', word));
  const all = values.names !== null && values.open ? [...offered, ...own] : [...own, ...offered];
  return all.filter((candidate, index) => !used.has(candidate.label) && all.findIndex((other) => other.label === candidate.label) === index);
}

function namesOf(sort: NameSort, names: AnnotationNames): readonly string[] {
  const bySort: Readonly<Record<NameSort, readonly string[]>> = { guard: names.guards, function: names.functions, rule: names.rules, vector: names.vectors };
  return bySort[sort];
}
