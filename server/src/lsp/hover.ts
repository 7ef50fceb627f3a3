// The hover: the exception contexts that may hold at a line as a compact table, who can interrupt there and why the
// others cannot, the way there as links, then what the word under the cursor means.
import type { Hover } from 'vscode-languageserver/node';
import type { ContextInfo, ContextRow, Interrupter, Review } from '../core/review-types.ts';
import { rangeOf } from './documents.ts';
import type { OpenDocument } from './documents.ts';
import type { Locator } from './locate.ts';

const rowsShown = 6;
const stepsShown = 8;

/** `given` is what holds there, or `exploring` where that is not known yet; `joined` the contexts of a C function named there. */
export function hoverAt(review: Review, locator: Locator, document: OpenDocument, offset: number, given: ContextInfo | 'exploring' | null, joined: string | null): Hover | null {
  if (document.refusal !== null) return null;
  const word = review.hover(document.file, offset);
  const context = given === 'exploring' ? null : given;
  const parts = [...(given === 'exploring' ? ['*contexts: the entry paths of this tree are still being explored*'] : []), ...(context === null ? [] : [contextMarkdown(context, locator)]), ...(word === null ? [] : [word.markdown]), ...(joined === null ? [] : [joined])];
  if (parts.length === 0) return null;
  const span = word?.span ?? context?.place.span;
  const inThisFile = word !== null || context?.place.file === document.file;
  return {
    contents: { kind: 'markdown', value: parts.join('\n\n---\n\n') },
    ...(span !== undefined && inThisFile ? { range: rangeOf(document.lines, span) } : {}),
  };
}

export function contextMarkdown(context: ContextInfo, locator: Locator): string {
  const parts = [`${code(context.text)} in ${code(context.symbol)}`];
  if (context.silence !== null) parts.push(context.silence);
  if (context.rows.length > 0) parts.push(table(context.rows), ...interruptions(context.rows), ...ways(context.rows, locator));
  for (const sentence of context.unknown) parts.push(`*${escape(sentence)}*`);
  return parts.join('\n\n');
}

function table(rows: readonly ContextRow[]): string {
  const guards = [...new Set(rows.flatMap((row) => row.guards.map((guard) => guard.name)))];
  const head = ['', 'running', 'stack', 'GS', 'CR3', 'IF', 'NMI', 'live frames', ...guards.map((name) => `guard ${name}`)];
  const lines = rows.slice(0, rowsShown).map((row, index) => [
    String(index + 1),
    `${row.path}, CPL ${row.cpl}`,
    row.rewinding ? `${row.stack} (rewinds)` : row.stack,
    row.gs,
    row.cr3,
    row.interruptFlag,
    row.nmiBlocked,
    row.liveFrames.length === 0 ? 'none' : row.liveFrames.join(' > '),
    ...guards.map((name) => row.guards.find((guard) => guard.name === name)?.state ?? 'unknown'),
  ]);
  const text = [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.map(escape).join(' | ')} |`).join('\n');
  const left = rows.length - rowsShown;
  return left > 0 ? `${text}\n\nand ${left} more contexts` : text;
}

/** One paragraph for all contexts that agree; the contexts are named where there are several. */
function interruptions(rows: readonly ContextRow[]): readonly string[] {
  return grouped(rows.slice(0, rowsShown).map((row) => interruptersMarkdown(row.interrupters)), (text, where) => (where === '' ? text : `**In ${where}:** ${text}`));
}

/** Equal texts once, with the numbers of their rows, or none where all are equal. */
function grouped(texts: readonly string[], write: (text: string, where: string) => string): readonly string[] {
  return [...new Set(texts)].map((text) => {
    const numbers = texts.flatMap((other, index) => (other === text ? [index + 1] : []));
    return write(text, numbers.length === texts.length ? '' : numbers.join(', '));
  });
}

function interruptersMarkdown(interrupters: readonly Interrupter[]): string {
  const can = interrupters.filter((one) => one.can === 'yes').map((one) => one.event);
  const others = interrupters.filter((one) => one.can !== 'yes');
  const head = can.length === 0 ? '**Nobody can interrupt here**' : `**Can interrupt here:** ${can.map(escape).join(', ')}`;
  const lines = others.map((one) => `- ${escape(one.event)} ${one.can === 'no' ? 'cannot' : 'unknown'}: ${escape(one.reason)}`);
  return [head, ...(lines.length === 0 ? [] : ['', ...lines])].join('\n');
}

function ways(rows: readonly ContextRow[], locator: Locator): readonly string[] {
  const texts = rows.slice(0, rowsShown).map((row) => {
    const steps = row.way.length > stepsShown ? [...row.way.slice(0, 2), null, ...row.way.slice(3 - stepsShown)] : row.way;
    return steps.map((step) => (step === null ? '...' : link(step.title, locator, step.place))).join(' -> ');
  });
  return grouped(texts, (text, where) => (text === '' ? '' : `**The way here${where === '' ? '' : ` (${where})`}:** ${text}`)).filter((text) => text !== '');
}

function link(title: string, locator: Locator, place: ContextInfo['place']): string {
  const { uri, startLine } = locator.viewRange(place);
  return `[${escape(title).replaceAll('[', '\\[').replaceAll(']', '\\]')}](${uri.replaceAll('(', '%28').replaceAll(')', '%29')}#L${startLine + 1})`;
}

function code(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.includes('`') ? `\`\` ${line} \`\`` : `\`${line}\``;
}

/** Text of the program in a table cell: no cell, emphasis or link of its own. */
function escape(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/[\\|*_<`]/g, (character) => (character === '<' ? '&lt;' : `\\${character}`));
}
