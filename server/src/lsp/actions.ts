// Code actions of a finding: its verified fix, its rule, its trace, and a suppression that asks for a reason.
import { CodeActionKind } from 'vscode-languageserver/node';
import type { CodeAction, CodeActionParams, Diagnostic, TextEdit } from 'vscode-languageserver/node';
import type { Finding, Fix } from '../core/review-types.ts';
import { findingKeys, source } from './diagnostics.ts';
import { rangeOf, spanOfRange } from './documents.ts';
import type { OpenDocument } from './documents.ts';
import type { Locator } from './locate.ts';
import { commands } from './protocol.ts';

export interface ActionAbilities {
  /** The client is ours and knows the commands that actions may name. */
  readonly commands: boolean;
}

export function actionsAt(findings: readonly Finding[], locator: Locator, document: OpenDocument, params: CodeActionParams, abilities: ActionAbilities): readonly CodeAction[] {
  const keys = findingKeys(findings);
  const wanted = spanOfRange(document.lines, params.range);
  const actions: CodeAction[] = [];
  for (const finding of findings) {
    if (finding.place.file !== document.file) continue;
    const key = keys.get(finding) ?? finding.rule;
    const diagnostic = params.context.diagnostics.find((candidate) => belongsTo(candidate, finding, key));
    const near = finding.place.span.start <= wanted.end && wanted.start <= finding.place.span.end;
    if (diagnostic === undefined && !near) continue;
    const about = diagnostic === undefined ? {} : { diagnostics: [diagnostic] };
    if (finding.fix !== null) actions.push(fixAction(finding.fix, locator, about));
    if (abilities.commands && finding.trace !== null) {
      actions.push({ title: 'Show trace', kind: CodeActionKind.QuickFix, ...about, command: { title: 'Show trace', command: commands.showTrace, arguments: [document.uri, key] } });
    }
    if (abilities.commands) {
      actions.push({ title: `Explain rule ${finding.rule}`, kind: CodeActionKind.QuickFix, ...about, command: { title: 'Explain rule', command: commands.explainRule, arguments: [finding.rule] } });
    }
    const edit = suppression(finding, document);
    if (edit !== null) {
      actions.push({ title: `Suppress ${finding.rule} with a reason`, kind: CodeActionKind.QuickFix, ...about, edit: { changes: { [document.uri]: [edit] } } });
    }
  }
  return actions;
}

function belongsTo(diagnostic: Diagnostic, finding: Finding, key: string): boolean {
  if (diagnostic.source !== source || diagnostic.code !== finding.rule) return false;
  const given: unknown = diagnostic.data;
  return typeof given === 'object' && given !== null && 'key' in given && given.key === key;
}

function fixAction(fix: Fix, locator: Locator, about: { readonly diagnostics?: Diagnostic[] }): CodeAction {
  const changes: Record<string, TextEdit[]> = {};
  for (const { place, newText } of fix.edits) {
    const { uri, range } = locator.location(place);
    (changes[uri] ??= []).push({ range, newText });
  }
  return { title: fix.title, kind: CodeActionKind.QuickFix, isPreferred: true, ...about, edit: { changes } };
}

/** An `allow` line above the statement, indented like it. The reason is left to the writer: the word `reason` asks for it. */
function suppression(finding: Finding, document: OpenDocument): TextEdit | null {
  const { start } = rangeOf(document.lines, finding.place.span);
  const lineStart = document.lines.starts[start.line] ?? 0;
  const indent = /^[ \t]*/.exec(document.text.slice(lineStart))?.[0] ?? '';
  const above = document.text.slice(document.lines.starts[start.line - 1] ?? 0, lineStart).trimEnd();
  if (above.endsWith('\\')) return null;
  const comment = allowComment(document.file, `xctx: allow ${finding.rule} -- reason`);
  if (comment === null) return null;
  const at = { line: start.line, character: 0 };
  return { range: { start: at, end: at }, newText: `${indent}${comment}\n` };
}

/** Block comments also survive the C preprocessor, where `#` at the start of a line is a directive. */
function allowComment(file: string, text: string): string | null {
  if (/\.(S|c|h|inc|lds)$/.test(file)) return `/* ${text} */`;
  if (/\.(s|asm)$/.test(file)) return `# ${text}`;
  return null;
}
