// What a reader sees on an annotation word: the keyword's page, a key's meaning, a value's owner. Knows nothing of the
// program that is annotated.
import { touches } from '../base/span.ts';
import type { Span } from '../base/span.ts';
import type { AnnotationSet } from './annotation-types.ts';
import { annotationKeyword, keywordPage, valueList } from './annotation-keywords.ts';

/** Markdown and the hovered word's span, or null where the offset is on no annotation word. */
export function hoverAnnotation(set: AnnotationSet, offset: number): { readonly markdown: string; readonly span: Span } | null {
  const annotation = set.annotations.find((candidate) => touches(candidate.span, offset));
  const row = annotation === undefined ? null : annotationKeyword(annotation.keyword.text);
  if (annotation === undefined || row === null) return null;
  for (const { key, value } of annotation.arguments) {
    const spec = key === null ? null : row.keys.find((known) => known.name === key.text);
    if (key !== null && spec !== undefined && spec !== null && (touches(key.span, offset) || touches(value.span, offset))) {
      return { markdown: `\`${key.text}\` of \`${row.name}\`: ${spec.summary}${valueList(spec.values)}`, span: touches(value.span, offset) ? value.span : key.span };
    }
    if (key === null && row.word !== null && touches(value.span, offset)) {
      return { markdown: `\`${row.name}\`: ${row.summary}${valueList(row.word.values)}`, span: value.span };
    }
  }
  if (annotation.reason !== null && touches(annotation.reason.span, offset)) {
    return { markdown: `Reason of \`${row.name}\`, shown with every verdict that rests on it.`, span: annotation.reason.span };
  }
  if (offset > annotation.keyword.span.end) return null;
  return { markdown: keywordPage(row), span: annotation.keyword.span };
}
