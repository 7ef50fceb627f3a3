// "Raise an event here" in the editor: the run itself, the code actions and the lenses that offer it. All of them ask the
// worker, which has explored the entry paths; the server explores none.
import { CodeActionKind, CodeActionTriggerKind } from 'vscode-languageserver';
import type { CancellationToken, CodeAction, CodeActionParams, CodeLens } from 'vscode-languageserver/node';
import { contextLine, eventsText } from '../core/render/events.ts';
import type { EventRow, EventRun, RunReport, SymbolEntry } from '../core/review-types.ts';
import type { Answer, Question } from '../worker/messages.ts';
import type { WorkerOwner } from '../worker/owner.ts';
import { offsetOf, positionOf } from './documents.ts';
import type { OpenDocument } from './documents.ts';
import { commands } from './protocol.ts';
import type { RaiseParams, RunResult } from './protocol.ts';
import { locateIn, progressText } from './runs.ts';
import type { Report, RunParts } from './runs.ts';
import { viewOfReport } from './views.ts';

/** Where the worker does not answer in that time the editor is told that it explores; milliseconds. */
const patience = 1500;
/** The same for what is only offered. */
const shortPatience = 300;
/** Offered while nothing is known yet of a place in a kernel tree. */
const usual: readonly string[] = ['NMI', '#MC', '#DB'];
/** Lenses of one symbol. */
const mostLenses = 4;

/** An answer of the worker; null where it takes longer. */
export async function ask<K extends Question['kind']>(owner: WorkerOwner, question: Question & { readonly kind: K }, milliseconds: number): Promise<(Answer & { readonly kind: K }) | null> {
  const handle = owner.submit(question, false, { progress: () => undefined, partial: () => undefined });
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), milliseconds);
  });
  const outcome = await Promise.race([handle.outcome, late]);
  if (timer !== null) clearTimeout(timer);
  if (outcome === null) handle.cancel();
  const isAnswer = (answer: Answer): answer is Answer & { readonly kind: K } => answer.kind === question.kind;
  return outcome?.kind === 'answer' && isAnswer(outcome.answer) ? outcome.answer : null;
}

export async function raiseEvents({ session, owner, folders }: RunParts, document: OpenDocument, params: RaiseParams, report: Report, token: CancellationToken): Promise<RunResult> {
  const offset = offsetOf(document.lines, params);
  const names: string[] = [];
  const none = (problem: string | null, stopped: string | null = null): RunResult => ({ problem, design: '', runs: [], stopped });
  for (const word of params.events) {
    const { name, names: known } = session.review.eventNamed(word);
    if (name === null) return none(`no event '${word}': one of ${known.join(', ')}, or a vector's number`);
    names.push(name);
  }
  if (names.length === 0) return none('no event was named');
  const handle = owner.submit({ kind: 'raise', folder: '', file: document.file, offset, events: names }, false, { progress: (progress, perSecond) => report(progressText(progress, perSecond)), partial: () => undefined });
  const listener = token.onCancellationRequested(handle.cancel);
  const outcome = await handle.outcome;
  listener.dispose();
  if (outcome.kind === 'cancelled') return none(null, 'cancelled');
  if (outcome.kind === 'failed') return none(`the run failed: ${outcome.message.split('\n', 1)[0] ?? ''}`);
  const run = outcome.kind === 'answer' && outcome.answer.kind === 'raise' ? outcome.answer.run : null;
  if (run === null) return none('no instruction of an entry path is on this line');
  if (run.rows.length === 0) return none(`${run.symbol}: ${run.text}: ${run.silence ?? 'no context is known'}`);
  const locate = locateIn(session, folders);
  const { line, file } = locate(run.place);
  const title = `${eventsText(run.events)} at ${file.slice(file.lastIndexOf('/') + 1)}:${line}`;
  return { problem: null, design: run.configuration, runs: run.rows.map((row) => viewOfReport(reportOf(run, row, title), session.locator, locate)), stopped: null };
}

/** A context as a run of its own: an event that cannot arrive proves nothing. */
function reportOf(run: EventRun, row: EventRow, title: string): RunReport {
  return {
    scenario: title,
    design: run.configuration,
    start: row.context.path,
    verdict: row.answer === 'cannot' ? 'vacuous' : row.answer,
    states: row.steps,
    transitions: row.steps,
    depth: row.trace?.steps.reduce((sum, step) => sum + step.steps, 0) ?? 0,
    bounds: [],
    boundsHit: row.answer === 'inconclusive' && row.reason !== null ? [row.reason] : [],
    assumptions: [],
    findings: row.findings,
    remarks: [...(row.answer === 'cannot' ? [`cannot arrive here: ${row.reason ?? ''}`] : []), contextLine(row.context), ...(row.cpus === null ? [] : [`on ${row.cpus}`]), ...row.notes],
    trace: row.trace,
  };
}

/** Only where somebody asks: a light bulb on every line of entry code would say nothing. */
export async function raiseActions({ owner, session }: RunParts, document: OpenDocument, { context, range }: CodeActionParams): Promise<readonly CodeAction[]> {
  if (context.triggerKind === CodeActionTriggerKind.Automatic || !isAssembler(document) || (context.only !== undefined && !context.only.some((kind) => raiseKind.startsWith(kind)))) return [];
  if (session.review.unitOf(document.file) === null) return [];
  const text = document.text.slice(document.lines.starts[range.start.line] ?? 0, document.lines.starts[range.start.line + 1]).trim();
  if (text === '' || /^(#|\/\*|\*|\/\/|\.(?!L))/.test(text)) return [];
  const column = /\S/.exec(document.text.slice(document.lines.starts[range.start.line] ?? 0))?.index ?? 0;
  const at = { line: range.start.line, character: column };
  const known = await ask(owner, { kind: 'events', folder: '', file: document.file, offset: offsetOf(document.lines, at) }, shortPatience);
  const events = known?.events ?? (session.review.inKernelTree(document.file) ? usual : []);
  return events.map((event) => ({ title: `raise ${event} here`, kind: raiseKind, command: { title: `raise ${event} here`, command: commands.raiseHere, arguments: [document.uri, at.line, at.character, [event]] } }));
}

const raiseKind = `${CodeActionKind.Refactor}.raise`;

function isAssembler({ file }: OpenDocument): boolean {
  return /\.[sS]$/.test(file);
}

export interface Lenses {
  readonly of: (parts: RunParts, document: OpenDocument) => Promise<readonly CodeLens[]>;
}

/** Lenses at the first instruction of each symbol. What was known before an edit stays until it is known anew. */
export function createLenses(): Lenses {
  const before = new Map<string, ReadonlyMap<string, readonly string[]>>();
  return {
    of: async ({ owner, session }, document) => {
      if (!isAssembler(document) || document.refusal !== null || session.review.unitOf(document.file) === null) return [];
      const symbols = flat(session.review.symbols(document.file)).filter(({ kind }) => kind === 'entry' || kind === 'function' || kind === 'handler');
      const answer = await ask(owner, { kind: 'entries', folder: '', file: document.file, spans: symbols.map(({ span }) => span) }, patience);
      const events = new Map<string, readonly string[]>();
      const lenses = symbols.flatMap((symbol, index): CodeLens[] => {
        const entry = answer?.entries[index] ?? null;
        const raised = entry?.events ?? before.get(document.uri)?.get(symbol.name) ?? [];
        events.set(symbol.name, raised);
        const name = positionOf(document.lines, symbol.nameSpan.start);
        const at = entry === null ? { line: name.line + 1, character: 1 } : positionOf(document.lines, entry.offset);
        return raised.slice(0, mostLenses).map((event) => ({
          range: { start: name, end: positionOf(document.lines, symbol.nameSpan.end) },
          command: { title: `raise ${event} here`, command: commands.raiseHere, arguments: [document.uri, at.line, at.character, [event]] },
        }));
      });
      before.set(document.uri, events);
      return lenses;
    },
  };
}

function flat(symbols: readonly SymbolEntry[]): readonly SymbolEntry[] {
  return symbols.flatMap((symbol) => [symbol, ...flat(symbol.children)]);
}
