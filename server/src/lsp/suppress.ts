// Suppressions as quick fixes write them: a comment above the statement, or a line of a sidecar file. The reason is the
// writer's: our client asks for it, other clients get the word to replace.
import type { TextEdit } from 'vscode-languageserver/node';
import type { Finding, Review } from '../core/review-types.ts';
import { rangeOf } from './documents.ts';
import type { OpenDocument } from './documents.ts';
import { uriOfPath } from './paths.ts';
import type { SuppressionDraft } from './protocol.ts';

/** What the tool says of a text that it cannot read, or of a suppression, is not to be suppressed. */
const lasting: ReadonlySet<string> = new Set(['syntax', 'not-analysed', 'malformed-annotation', 'malformed-scenario', 'unused-suppression', 'generated-headers']);

/** An `allow` line above the statement, indented like it; null where none can stand there. */
export function commentDraft({ rule, place }: Finding, document: OpenDocument): SuppressionDraft | null {
  if (lasting.has(rule)) return null;
  const { start } = rangeOf(document.lines, place.span);
  const lineStart = document.lines.starts[start.line] ?? 0;
  const indent = /^[ \t]*/.exec(document.text.slice(lineStart))?.[0] ?? '';
  const above = document.text.slice(document.lines.starts[start.line - 1] ?? 0, lineStart).trimEnd();
  const marks = above.endsWith('\\') ? null : commentMarks(document.file);
  if (marks === null) return null;
  return { rule, uri: document.uri, create: false, line: start.line, before: `${indent}${marks[0]} xctx: allow ${rule} -- `, after: `${marks[1]}\n`, form: 'comment' };
}

/** Block comments also survive the C preprocessor, where `#` at the start of a line is a directive. */
function commentMarks(file: string): readonly [string, string] | null {
  if (/\.(S|c|h|inc|lds)$/.test(file)) return ['/*', ' */'];
  if (/\.(s|asm)$/.test(file)) return ['#', ''];
  return null;
}

/** A line under `known:` of the sidecar file at the root of the tree, or of the design; null outside of all symbols. */
export function sidecarDraft({ rule, place }: Finding, review: Review): SuppressionDraft | null {
  if (lasting.has(rule)) return null;
  const symbol = review.symbolAt(place.file, place.span.start);
  const folder = review.sidecarFolder(place.file);
  const path = place.file.startsWith(`${folder}/`) ? place.file.slice(folder.length + 1) : null;
  if (path === null || /[\s#]/.test(path)) return null;
  const file = `${folder}/.xctx.yaml`;
  const text = review.text(file);
  const item = `  - {rule: ${rule}, at: ${path}#${symbol ?? '*'}, reason: `;
  const lines = (text ?? '').split('\n');
  const section = lines.findIndex((line) => /^known:\s*(?:#.*)?$/.test(line));
  if (section >= 0) {
    const indent = /^(\s*)- /.exec(lines[section + 1] ?? '')?.[1] ?? '  ';
    return { rule, uri: uriOfPath(file), create: false, line: section + 1, before: `${indent}${item.trimStart()}`, after: '}\n', form: 'yaml' };
  }
  // A section that is written in one line is not taken apart.
  if (lines.some((line) => line.startsWith('known:'))) return null;
  const last = lines.length - 1;
  return { rule, uri: uriOfPath(file), create: text === null, line: last, before: `${(lines[last] ?? '') === '' ? '' : '\n'}known:\n${item}`, after: '}\n', form: 'yaml' };
}

/** The edit without a client that asks: the word `reason` is to be replaced. */
export function plainEdit({ line, before, after }: SuppressionDraft): TextEdit {
  const at = { line, character: 0 };
  return { range: { start: at, end: at }, newText: `${before}reason${after}` };
}
