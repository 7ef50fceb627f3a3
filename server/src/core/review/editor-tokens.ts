// What a grammar of regular expressions cannot tell in an assembler text: which names are macros, labels and parameters,
// and which text the configuration leaves out.
import type { Span } from '../base/span.ts';
import type { SemanticToken } from '../editor-types.ts';
import { indexOf } from './editor-scope.ts';
import type { Scope } from './editor-scope.ts';
import type { Streams } from './streams.ts';
import { isAssembler, isHeader, isLeftOut } from './unit.ts';

export function tokensOf(scope: Scope): readonly SemanticToken[] {
  const { file, text } = scope;
  const items = scope.items(file);
  if (items === null) return [];
  const own = scope.own.flatMap(({ stream }) => (stream === null ? [] : [indexOf(stream)]));
  const isMacro = (name: string): boolean => own.some((index) => index.macros.has(name.toLowerCase()) || index.cMacros.has(name));
  const isLabel = (name: string): boolean => own.some((index) => index.labels.has(name));
  const out: SemanticToken[] = [];
  const add = (span: Span, kind: SemanticToken['kind'], definition: boolean): void => void out.push({ span, kind, definition });
  const names = (span: Span): void => {
    for (const found of text.slice(span.start, span.end).matchAll(/(\\?)(?<![\w.$%])[A-Za-z_.][\w.$]*/g)) {
      const start = span.start + found.index;
      const name = found[0].slice(found[1]?.length ?? 0);
      if (text[start - 1] === '%' || text[start - 1] === '"') continue;
      if (found[1] === '\\') add({ start, end: start + found[0].length }, 'parameter', false);
      else if (isMacro(name)) add({ start, end: start + name.length }, 'macro', false);
      else if (name !== '.' && isLabel(name)) add({ start, end: start + name.length }, 'label', false);
    }
  };
  for (const item of items.items) {
    switch (item.kind) {
      case 'label':
        add(item.nameSpan, 'label', true);
        break;
      case 'macroDefinition':
        add(item.nameSpan, 'macro', true);
        for (const parameter of item.parameters) add(parameter.span, 'parameter', true);
        break;
      case 'statement':
        if (isMacro(item.name)) add(item.nameSpan, 'macro', false);
        item.operands.forEach(names);
        break;
      case 'assignment':
        names(item.value);
        break;
      case 'preprocessor':
        if (item.nameSpan !== null && item.directive !== 'include') add(item.nameSpan, 'macro', item.directive === 'define');
        break;
      default:
    }
  }
  return out.sort((a, b) => a.span.start - b.span.start).filter((token, index, all) => index === 0 || token.span.start >= (all[index - 1]?.span.end ?? 0));
}

/** A header belongs to both languages: only what both leave out is inactive. C files have their own tools for this. */
export function inactiveOf(file: string, text: string, streams: Streams): readonly Span[] {
  const { root, configuration } = streams.chosen(file);
  if (isLeftOut(file, root, configuration)) return [];
  if (isAssembler(file)) return streams.assembler(file).value.inactive.map((place) => place.span);
  if (!isHeader(file) || root === null) return [];
  const assembler = streams.assembler(file).value.inactive.map((place) => place.span);
  if (/^\s*\.macro\b/m.test(text) && !/__ASSEMBL(?:Y|ER)__/.test(text)) return assembler;
  const c = streams.directives(file).value.inactive.map((place) => place.span);
  return assembler.flatMap((one) => c.flatMap((other) => (Math.max(one.start, other.start) < Math.min(one.end, other.end) ? [{ start: Math.max(one.start, other.start), end: Math.min(one.end, other.end) }] : [])));
}
