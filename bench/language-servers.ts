// Section (a): language servers driven by one client: ours on entry code, clangd on C entry code of the same length,
// bash-language-server on a script of the same length.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { initializeParams, startClient } from './language-client.ts';
import { interleaved, samples } from './measure.ts';
import type { Samples } from './measure.ts';
import { atMost, number, ratio, time } from './report.ts';
import type { Budget, Section } from './report.ts';
import { AGAIN, subjectsOf } from './server-subjects.ts';
import type { ServersOptions, Subject } from './server-subjects.ts';

interface Session {
  readonly initialize: number;
  /** To the first diagnostics, and to all that is found without exploration. */
  readonly opened: number;
  readonly whole: number;
  /** Of a comment, and of code. */
  readonly edits: readonly number[];
  readonly codeEdits: readonly number[];
  readonly hovers: readonly number[];
  readonly editedHovers: readonly number[];
  readonly codeEditedHovers: readonly number[];
  readonly definitions: readonly number[];
  readonly memory: number;
}

const EDITS = 40;
const HOVERS = 20;
/** Milliseconds in which the worker is through with a kernel tree, at rest and behind edits. */
const EXPLORED = 30_000;
const SETTLED = 15_000;

export async function languageServers(options: ServersOptions): Promise<Section> {
  const notRun: string[] = [];
  const subjects = subjectsOf(options, notRun);
  for (const { server, root, name } of subjects) if (name === 'clangd') spawnSync(server.command, ['--version'], { cwd: root });
  const runs = await interleaved<Session>(options.rounds, Object.fromEntries(subjects.map((subject) => [subject.name, () => session(subject)])));
  const of = (name: string, figure: (one: Session) => readonly number[]): Samples => samples((runs.get(name) ?? []).flatMap(figure));
  const rows = subjects.map(({ name, file }) => {
    const edits = of(name, (one) => one.edits);
    const codeEdits = of(name, (one) => one.codeEdits);
    return [
      name,
      number(readFileSync(file, 'utf8').split('\n').length),
      time(of(name, (one) => [one.initialize]).median),
      time(of(name, (one) => [one.opened]).median),
      time(of(name, (one) => [one.whole]).median),
      time(edits.median),
      time(edits.p95),
      time(codeEdits.median),
      time(codeEdits.p95),
      time(of(name, (one) => one.hovers).median),
      time(of(name, (one) => one.editedHovers).median),
      time(of(name, (one) => one.codeEditedHovers).median),
      time(of(name, (one) => one.definitions).median),
      `${number(of(name, (one) => [one.memory]).median)} MiB`,
    ];
  });
  return {
    name: 'servers',
    title: 'Language server beside clangd and bash-language-server',
    commands: subjects.map(({ server, name }) => `${name}: ${[server.command, ...server.args].map((one) => one.replace(resolve('.'), '.').replace(options.scratch, '.cache/bench')).join(' ').replace(process.execPath, 'node')}`),
    tables: [{ title: 'Same client, same run; an edit is one character in the middle of the file, to its diagnostics: of a comment, and of code', columns: ['server', 'lines', 'spawn to initialized', 'spawn to first diagnostics', 'to all of typing', 'comment edit', 'p95', 'code edit', 'p95', 'hover', 'comment edit, hover', 'code edit, hover', 'definition', 'peak'], rows }],
    budgets: budgets((name, figure) => of(name, figure)),
    notRun,
    figures: Object.fromEntries(runs),
  };
}

function budgets(of: (name: string, figure: (one: Session) => readonly number[]) => Samples): readonly Budget[] {
  const entry = 'entrycheck on entry_64.S';
  const against = (what: string, peer: string, figure: (one: Session) => readonly number[], limit: number, subject = entry): Budget => atMost(`${what} at most ${limit} of ${peer}'s`, of(subject, figure).median / of(peer, figure).median, limit, ratio);
  return [
    against('spawn to first diagnostics', 'clangd', (one) => [one.opened], 0.5),
    against('spawn to first diagnostics', 'bash-language-server', (one) => [one.opened], 0.6),
    against('spawn to all that typing finds', 'clangd', (one) => [one.whole], 0.5),
    against('spawn to all that typing finds', 'bash-language-server', (one) => [one.whole], 0.6),
    against('spawn to first diagnostics, opened before,', 'clangd', (one) => [one.opened], 0.5, entry + AGAIN),
    against('spawn to first diagnostics, opened before,', 'bash-language-server', (one) => [one.opened], 0.6, entry + AGAIN),
    against('edit of a comment to diagnostics', 'clangd', (one) => one.edits, 0.2),
    against('edit of a comment to diagnostics', 'bash-language-server', (one) => one.edits, 1),
    atMost('edit of a comment to diagnostics, p95 under 50 ms', of(entry, (one) => one.edits).p95, 50, time),
    against('edit of code to diagnostics', 'clangd', (one) => one.codeEdits, 0.2),
    against('edit of code to diagnostics', 'bash-language-server', (one) => one.codeEdits, 1),
    atMost('edit of code to diagnostics, p95 under 50 ms', of(entry, (one) => one.codeEdits).p95, 50, time),
    atMost('hover under 2 ms', of(entry, (one) => one.hovers).median, 2, time),
    against('hover right after an edit of a comment', 'clangd', (one) => one.editedHovers, 0.15),
    against('hover right after an edit of code', 'clangd', (one) => one.codeEditedHovers, 0.15),
    against('peak memory', 'clangd', (one) => [one.memory], 0.7),
    atMost('start to ready under 300 ms', of(entry, (one) => [one.initialize]).median, 300, time),
  ];
}

async function session(subject: Subject): Promise<Session> {
  if (subject.kept !== null) rmSync(join(subject.server.env?.['ENTRYCHECK_CACHE'] ?? '', 'results'), { recursive: true, force: true });
  if (subject.kept === 'the file') await openOnce(subject);
  const text = readFileSync(subject.file, 'utf8');
  const uri = pathToFileURL(subject.file).href;
  const lines = text.split('\n');
  const began = performance.now();
  const client = startClient(subject.server, subject.root);
  await client.request('initialize', initializeParams(subject.root, subject.server.initializationOptions));
  const initialize = performance.now() - began;
  client.notify('initialized', {});
  const first = client.diagnostics(uri);
  client.notify('textDocument/didOpen', { textDocument: { uri, languageId: subject.language, version: 1, text } });
  await first;
  const opened = performance.now() - began;
  if (subject.inTwo) await client.diagnostics(uri);
  const whole = performance.now() - began;
  await pause(1500);

  let version = 1;
  /** A character in, the next time out again. */
  const editAt = (place: Position): (() => void) => {
    let inserting = false;
    return () => {
      version += 1;
      inserting = !inserting;
      const range = { start: place, end: inserting ? place : { ...place, character: place.character + 1 } };
      client.notify('textDocument/didChange', { textDocument: { uri, version }, contentChanges: [{ range, text: inserting ? 'x' : '' }] });
    };
  };
  const [comment, code] = [editAt(commentNear(lines)), editAt(codeNear(lines))];
  const places = subject.words.flatMap((word) => placeOf(lines, word));
  const hover = (at: number): Promise<unknown> => client.request('textDocument/hover', { textDocument: { uri }, position: places[at % places.length] });

  const hovers: number[] = [];
  for (let at = 0; at < HOVERS; at += 1) hovers.push(await timed(() => hover(at)));
  const definitions: number[] = [];
  for (let at = 0; at < HOVERS; at += 1) definitions.push(await timed(() => client.request('textDocument/definition', { textDocument: { uri }, position: places[at % places.length] })));
  const edited = async (edit: () => void): Promise<readonly number[]> => {
    const times: number[] = [];
    for (let at = 0; at < EDITS; at += 1) {
      times.push(
        await timed(async () => {
          const published = client.diagnostics(uri);
          edit();
          await published;
        }),
      );
      await pause(150);
    }
    return times;
  };
  const hoveredAfter = async (edit: () => void): Promise<readonly number[]> => {
    const times: number[] = [];
    for (let at = 0; at < HOVERS; at += 1) {
      times.push(
        await timed(() => {
          edit();
          return hover(at);
        }),
      );
      await pause(150);
    }
    return times;
  };
  const [edits, editedHovers] = [await edited(comment), await hoveredAfter(comment)];
  const [codeEdits, codeEditedHovers] = [await edited(code), await hoveredAfter(code)];
  await pause(SETTLED);
  const memory = client.memory();
  await client.stop();
  return { initialize, opened, whole, edits, codeEdits, hovers, editedHovers, codeEditedHovers, definitions, memory };
}

/** An editor that opens the file, leaves it as it is until all is found, and ends. */
async function openOnce({ server, root, file, language }: Subject): Promise<void> {
  const uri = pathToFileURL(file).href;
  const client = startClient(server, root);
  await client.request('initialize', initializeParams(root, server.initializationOptions));
  client.notify('initialized', {});
  const first = client.diagnostics(uri);
  client.notify('textDocument/didOpen', { textDocument: { uri, languageId: language, version: 1, text: readFileSync(file, 'utf8') } });
  await first;
  await pause(EXPLORED);
  await client.stop();
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

const pause = (wait: number): Promise<void> => new Promise((resolved) => setTimeout(resolved, wait));

interface Position {
  readonly line: number;
  readonly character: number;
}

/** The end of the first word of a line of code near the middle: every server gets a new complaint, or a new command. */
function codeNear(lines: readonly string[]): Position {
  for (let line = Math.floor(lines.length / 2); line < lines.length; line += 1) {
    const word = /^\s+[a-z]\w*(?=[ \t(])/.exec(lines[line] ?? '');
    if (word !== null) return { line, character: word[0].length };
  }
  return { line: Math.floor(lines.length / 2), character: 0 };
}

/** The end of a comment line near the middle: any server reads on behind it, and none gets a new complaint. */
function commentNear(lines: readonly string[]): Position {
  const middle = Math.floor(lines.length / 2);
  for (let distance = 0; distance < middle; distance += 1) {
    for (const line of [middle + distance, middle - distance]) if (/^\s*(?:\*[^/]*|#\s.*|\/\/.*)$/.test(lines[line] ?? '') && (lines[line] ?? '').length > 8) return { line, character: (lines[line] ?? '').length };
  }
  return { line: middle, character: 0 };
}

function placeOf(lines: readonly string[], word: string): readonly Position[] {
  const pattern = new RegExp(`\\b${word}\\b`);
  const line = lines.findIndex((one) => pattern.test(one) && !/^\s*(?:\*|#\s|\/[/*])/.test(one));
  return line === -1 ? [] : [{ line, character: (lines[line] ?? '').search(pattern) + 1 }];
}
