// Code actions of a finding: its verified fix, its rule, its trace, and a suppression that asks for a reason.
import { CodeActionKind } from 'vscode-languageserver';
import type { CodeAction, CodeActionParams, Diagnostic, TextEdit } from 'vscode-languageserver/node';
import type { Finding, Fix, Review } from '../core/review-types.ts';
import { findingKeys, source } from './diagnostics.ts';
import { spanOfRange } from './documents.ts';
import type { OpenDocument } from './documents.ts';
import type { Locator } from './locate.ts';
import { commands } from './protocol.ts';
import type { ReplayKey } from './protocol.ts';
import { commentDraft, plainEdit, sidecarDraft } from './suppress.ts';

export interface ActionAbilities {
  /** The client is ours and knows the commands that actions may name. */
  readonly commands: boolean;
}

export function actionsAt(review: Review, findings: readonly Finding[], locator: Locator, document: OpenDocument, params: CodeActionParams, abilities: ActionAbilities): readonly CodeAction[] {
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
      const replay: ReplayKey = { file: document.uri, line: locator.viewRange(finding.place).startLine + 1, rule: finding.rule, key };
      actions.push({ title: 'Replay in debugger', kind: CodeActionKind.QuickFix, ...about, command: { title: 'Replay in debugger', command: commands.debugTrace, arguments: [replay] } });
    }
    if (abilities.commands) {
      actions.push({ title: `Explain rule ${finding.rule}`, kind: CodeActionKind.QuickFix, ...about, command: { title: 'Explain rule', command: commands.explainRule, arguments: [finding.rule] } });
    }
    const comment = commentDraft(finding, document);
    const title = `Suppress ${finding.rule} with a reason`;
    if (comment !== null && !abilities.commands) {
      actions.push({ title, kind: CodeActionKind.QuickFix, ...about, edit: { changes: { [document.uri]: [plainEdit(comment)] } } });
    }
    if (!abilities.commands) continue;
    const beside = sidecarDraft(finding, review);
    for (const [draft, where] of [[comment, ''], [beside, ', in .xctx.yaml']] as const) {
      if (draft !== null) actions.push({ title: `${title}${where}`, kind: CodeActionKind.QuickFix, ...about, command: { title, command: commands.suppress, arguments: [draft] } });
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
