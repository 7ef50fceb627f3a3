// What the conversions of a C tree share: the texts, what rewriting took out, and what they collect on the way.
import { firstWhere } from '../base/first.ts';
import type { Span } from '../base/span.ts';
import type { Rewritten } from './c-rewrite.ts';
import type { CSyntaxType, CWord } from './c-syntax.ts';
import { normalised } from './c-text.ts';
import type { SyntaxNode } from './parser.ts';

export interface Conversion {
  /** Before rewriting: what a reader sees. */
  readonly source: string;
  readonly rewritten: Rewritten;
  readonly types: CSyntaxType[];
  readonly unreadable: Span[];
}

export function spanOfNode(node: SyntaxNode): Span {
  return { start: node.start, end: node.end };
}

/** Text as the grammar saw it. */
export function textOf(conversion: Conversion, node: SyntaxNode): string {
  return rewrittenText(conversion, node.start, node.end);
}

/** Text between offsets of the source, as the grammar saw it. */
export function rewrittenText({ rewritten: { text, offset } }: Conversion, start: number, end: number): string {
  return text.slice(start - offset, end - offset);
}

export function sourceOf(conversion: Conversion, span: Span): string {
  return normalised(conversion.source.slice(span.start, span.end));
}

export function wordOf(conversion: Conversion, node: SyntaxNode): CWord {
  return { text: textOf(conversion, node), span: spanOfNode(node) };
}

/** Named children without comments; what cannot be read is noted. */
export function parts(conversion: Conversion, node: SyntaxNode): readonly SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (const child of node.children()) {
    if (child.type === 'ERROR') conversion.unreadable.push(spanOfNode(child));
    else if (child.named && child.type !== 'comment') found.push(child);
  }
  return found;
}

/** Attributes that were blanked between two offsets. */
export function attributesBetween(conversion: Conversion, start: number, end: number): readonly string[] {
  const { attributes } = conversion.rewritten;
  const found: string[] = [];
  for (let at = firstWhere(attributes, ({ span }) => span.start >= start); at < attributes.length; at++) {
    const attribute = attributes[at];
    if (attribute === undefined || attribute.span.start >= end) break;
    found.push(attribute.text);
  }
  return found;
}
