// Parses the `xctx:` annotations of a file from its comments: broken ones are problems, the rest are directives. Whether
// a directive is true of the code is judged elsewhere.
import type { Span } from '../base/span.ts';
import { quoted } from '../base/quoted.ts';
import { nearest } from '../base/nearest.ts';
import type { Annotation, AnnotationArgument, AnnotationProblem, AnnotationSet, AnnotationWord, Directive } from './annotation-types.ts';
import { buildDirective } from './annotation-directives.ts';
import type { WordsOf } from './annotation-directives.ts';
import { annotationKeyword, annotationKeywords } from './annotation-keywords.ts';
import type { AnnotationKey, AnnotationKeyword, AnnotationValues } from './annotation-keywords.ts';
import { annotationLines } from './annotation-lines.ts';
import type { AnnotationLine, Comment } from './annotation-lines.ts';

export { completeAnnotation } from './annotation-completion.ts';
export type { AnnotationNames } from './annotation-completion.ts';
export { hoverAnnotation } from './annotation-hover.ts';

/** Reads every annotation of a file. `comments` are in ascending order; their spans are spans in `text`. */
export function parseAnnotations(file: string, text: string, comments: readonly Comment[]): AnnotationSet {
  const directives: Directive[] = [];
  const annotations: Annotation[] = [];
  const problems: AnnotationProblem[] = [];
  for (const line of annotationLines(text, comments)) {
    const judged = judgeLine(file, line);
    problems.push(...judged.problems);
    if (judged.annotation !== null) annotations.push(judged.annotation);
    if (judged.directive !== null) directives.push(judged.directive);
  }
  return { directives, annotations, problems };
}

interface Judged {
  readonly annotation: Annotation | null;
  readonly directive: Directive | null;
  readonly problems: readonly AnnotationProblem[];
}

/** One directive: what is optional and broken is dropped with a problem, what is required and broken drops the whole. */
export function judgeLine(file: string, line: AnnotationLine): Judged {
  const problems: AnnotationProblem[] = [];
  const report = (span: Span, message: string, suggestion: string | null = null): void => {
    problems.push({ place: { file, span }, message, suggestion });
  };
  if (line.marker.text !== 'xctx:') {
    report(line.marker.span, `\`${line.marker.text}\` opens no annotation, write \`xctx:\``, 'xctx:');
    return { annotation: null, directive: null, problems };
  }
  const [keyword, ...rest] = line.words;
  if (keyword === undefined) {
    report(line.span, `\`xctx:\` stands alone, write one of ${wordList(annotationKeywords.map((row) => row.name))} behind it`);
    return { annotation: null, directive: null, problems };
  }
  const annotation: Annotation = {
    keyword,
    arguments: rest.map(cutArgument),
    reason: line.reason,
    file,
    span: line.span,
    subjectOffset: line.subjectOffset,
  };
  const row = annotationKeyword(keyword.text);
  if (row === null) {
    const names = annotationKeywords.map((known) => known.name);
    const near = nearest(keyword.text.replace(/:$/, ''), names);
    report(keyword.span, `unknown annotation ${quoted(keyword.text)}, write ${near === null ? `one of ${wordList(names)}` : `\`${near}\``}`, near);
    return { annotation, directive: null, problems };
  }
  const words = judgeArguments(row, annotation, report);
  const reasonFits = judgeReason(row, line, report);
  const directive = words === null || !reasonFits ? null : buildDirective(annotation, words);
  return { annotation, directive, problems };
}

type Report = (span: Span, message: string, suggestion?: string | null) => void;

function judgeArguments(row: AnnotationKeyword, annotation: Annotation, report: Report): WordsOf | null {
  let word: readonly string[] | null = null;
  let whole = true;
  const keys = new Map<string, readonly string[]>();
  const seen = new Set<string>();
  for (const { key, value } of annotation.arguments) {
    if (key === null) {
      if (row.word !== null && word === null) {
        word = judgeValue(row.word.values, `\`${row.name}\``, value, report);
        if (word.length === 0) whole = false;
        continue;
      }
      reportSurplus(row, value, report);
      continue;
    }
    const spec = row.keys.find((known) => known.name === key.text);
    if (spec === undefined) {
      reportUnknownKey(row, key, report);
      continue;
    }
    if (seen.has(spec.name)) {
      report(key.span, `\`${spec.name}\` is given twice, remove one of them`);
      continue;
    }
    seen.add(spec.name);
    const values = judgeValue(spec.values, `\`${spec.name}\``, value, report);
    if (values.length > 0) keys.set(spec.name, values);
    else if (spec.required) whole = false;
  }
  if (row.word !== null && word === null) {
    report(annotation.keyword.span, `\`${row.name}\` names nothing, write \`${row.syntax}\``);
    whole = false;
  }
  for (const key of row.keys) {
    if (!key.required || seen.has(key.name)) continue;
    report(annotation.keyword.span, `\`${row.name}\` needs \`${keySyntax(key)}\``);
    whole = false;
  }
  return whole ? { word: word ?? [], keys } : null;
}

function reportSurplus(row: AnnotationKeyword, value: AnnotationWord, report: Report): void {
  if (value.text === 'xctx:') return report(value.span, 'a second directive stands on this line, write one on each');
  const key = row.keys.find((known) => known.name === value.text);
  if (key !== undefined) return report(value.span, `\`${key.name}\` has no value, write \`${keySyntax(key)}\``);
  report(value.span, `${quoted(value.text)} is one word too many in \`${row.name}\`, remove it or write \`--\` before a reason`);
}

function reportUnknownKey(row: AnnotationKeyword, key: AnnotationWord, report: Report): void {
  const names = row.keys.map((known) => known.name);
  const near = nearest(key.text, names);
  const mend = near !== null ? `write \`${near}\`` : names.length === 0 ? 'remove it' : `write one of ${wordList(names)}`;
  report(key.span, `\`${row.name}\` has no key ${quoted(key.text)}, ${mend}`, near);
}

function judgeReason(row: AnnotationKeyword, line: AnnotationLine, report: Report): boolean {
  if (line.dashes !== null && line.dashes.text !== '--') {
    const { span, text } = line.dashes;
    const width = text.startsWith('--') ? 2 : 1;
    const glued = text.length > width && text !== '---';
    report(span, `a reason follows \`--\` and a blank, not ${quoted(text)}`, glued ? `-- ${text.slice(width)}` : '--');
    return line.reason !== null;
  }
  if (line.dashes !== null && line.reason === null) {
    report(line.dashes.span, '`--` has no reason behind it, write one sentence or remove it');
    return row.reason === 'optional';
  }
  if (row.reason === 'required' && line.reason === null) {
    report(line.span, `\`${row.name}\` needs a reason, write \`--\` and one sentence behind it`);
    return false;
  }
  return true;
}

/** The parts of a value that are allowed; each other part is reported. */
function judgeValue(values: AnnotationValues, owner: string, value: AnnotationWord, report: Report): readonly string[] {
  const good: string[] = [];
  for (const part of values.list ? cutList(value) : [value]) {
    if (part.text === '') report(part.span, `${owner} has an empty value, write ${describe(values)}`);
    else if (values.words.includes(part.text) || values.prefixes.some((prefix) => part.text.startsWith(prefix) && part.text.length > prefix.length)) good.push(part.text);
    else if (values.open) {
      if (values.names === 'vector' && /^(0x[0-9a-f]+|\d+)$/i.test(part.text) && Number(part.text) > 255) report(part.span, `vector ${part.text} does not exist, vectors are 0 to 255`);
      else good.push(part.text);
    } else {
      const near = nearest(part.text, [...values.words, ...values.prefixes]);
      report(part.span, `${owner} cannot be ${quoted(part.text)}, write ${near === null ? describe(values) : `\`${near}\``}`, near);
    }
  }
  return good;
}

function describe(values: AnnotationValues): string {
  const words = [...values.words, ...values.prefixes.map((prefix) => `${prefix}NAME`)];
  if (words.length === 0) return 'a name';
  const list = words.length === 1 ? `\`${words[0] ?? ''}\`` : `one of ${wordList(words)}`;
  return values.open ? `a name such as ${wordList(words)}` : list;
}

function keySyntax(key: AnnotationKey): string {
  const words = [...key.values.words, ...key.values.prefixes.map((prefix) => `${prefix}NAME`)];
  return `${key.name}=${words.length === 0 || key.values.open ? 'NAME' : words.join('|')}`;
}

function wordList(words: readonly string[]): string {
  return words.join(', ');
}

function cutArgument(word: AnnotationWord): AnnotationArgument {
  const equals = word.text.indexOf('=');
  // A URL may hold `=` and is one word; a key is a plain name.
  if (equals === -1 || !/^[\w-]*$/.test(word.text.slice(0, equals))) return { key: null, value: word };
  const middle = word.span.start + equals;
  return {
    key: { text: word.text.slice(0, equals), span: { start: word.span.start, end: middle } },
    value: { text: word.text.slice(equals + 1), span: { start: middle + 1, end: word.span.end } },
  };
}

function cutList(word: AnnotationWord): readonly AnnotationWord[] {
  let at = word.span.start;
  return word.text.split(',').map((text) => {
    const part = { text, span: { start: at, end: at + text.length } };
    at += text.length + 1;
    return part;
  });
}
