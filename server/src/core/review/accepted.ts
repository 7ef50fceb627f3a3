// The hover "known, because ..." at places of a kernel tree that the built-in profile accepts.
import type { Span } from '../base/span.ts';
import { contains } from '../base/span.ts';
import { ACCEPTED } from '../kernel/accepted.ts';
import type { HoverText } from '../editor-types.ts';
import { ruleNamed } from '../rules/index.ts';
import type { Outline } from './outline.ts';

/** `path` counts from the root of the tree. */
export function acceptedAt(file: string, path: string, text: string, offset: number, outline: Outline): HoverText | null {
  const rows = ACCEPTED.filter((row) => row.files.includes(path));
  if (rows.length === 0) return null;
  const line = lineAround(text, offset);
  const row = rows.find((one) => one.line.test(text.slice(line.start, line.end)) && one.symbols.some((name) => {
    const symbol = outline.named(file, name);
    return symbol !== null && contains(symbol.span, line.start);
  }));
  if (row === undefined) return null;
  const start = line.start + (/\S/.exec(text.slice(line.start, line.end))?.index ?? 0);
  const rule = ruleNamed(row.rule);
  return { markdown: `**Known:** ${row.title}. **Because:** ${row.because}.\n\n*${row.source}; elsewhere the rule ${row.rule}${rule === null ? '' : ` (${rule.id})`} speaks of such code*`, span: { start, end: line.end } };
}

function lineAround(text: string, offset: number): Span {
  const end = text.indexOf('\n', offset);
  return { start: text.lastIndexOf('\n', offset - 1) + 1, end: end === -1 ? text.length : end };
}
