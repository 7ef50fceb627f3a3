// `entrycheck check`: the findings of files and folders in the form of compilers, as JSON, or for a mail.
import { nothingChecked } from '../core/render/json.ts';
import { inOrder } from '../core/render/places.ts';
import type { Locate } from '../core/render/places.ts';
import type { Finding, Severity } from '../core/review-types.ts';
import { createNodeWorkspace } from '../shell/workspace.ts';
import { parseArguments } from './arguments.ts';
import { compare, pathIn, readBaseline, writeBaseline } from './baseline.ts';
import type { Baseline } from './baseline.ts';
import { checkPatches } from './check-patches.ts';
import { findSources } from './paths.ts';
import type { Sources } from './paths.ts';
import { readGiven } from './given.ts';
import { clean, couldNotRun, found, refuse } from './io.ts';
import type { Command } from './io.ts';
import { isBelow, judge } from './judge.ts';
import type { Wanted } from './judge.ts';
import { formats, printCheck, printJson, remarksOf } from './print-check.ts';
import type { Format } from './print-check.ts';
import { printSarifRefusal } from './print-sarif.ts';
import { allRefused, keptBy, openSession, refusedTexts } from './session.ts';
import { createShares } from './shares.ts';
import { chooseConfiguration } from './sources.ts';

export const usage = `usage: entrycheck check [--format gcc|json|mail|sarif|checkpatch] [--severity LEVEL]
                        [--config FILE|PRESET] [--coverage]
                        [--baseline FILE | --write-baseline FILE] PATH...

Reviews every folder with assembler, C or scenario files (.S, .s, .c,
*.xctx-scenario.yaml) among PATH and below.
A file is reviewed together with its folder, a header with what uses it; findings
in it, or whose trace runs through it, are shown. PATH may be a mail, a Markdown page
or - for the standard input: the code in it is reviewed. Of patches, one or a series,
what they bring to the files of the disk is shown.

  --format gcc     file:line:col: error: message [rule], trace as indented notes (default)
  --format json    one object, docs/schema/check.schema.json
  --format mail    at most 72 columns, quotable
  --format sarif   SARIF 2.1.0, for code scanning
  --format checkpatch
                   file:line: ERROR: message [rule], one line a finding, as checkpatch --terse
  --severity LEVEL lowest severity shown: error, warning, info (default) or hint
  --config FILE|PRESET
                   a .config or a built-in configuration (7.3, 6.12:minimal)
                   for kernel files; otherwise that of their tree
  --coverage       what was judged: functions, calls, instructions (in JSON always)
  --baseline FILE  findings that FILE has are counted and not shown
  --write-baseline FILE
                   writes the findings to FILE instead of showing them

exit status: 0 nothing found, 1 findings, 2 could not run
`;

const severities: readonly Severity[] = ['error', 'warning', 'info', 'hint'];

export const check: Command = async (argv, io) => {
  const parsed = parseArguments('check', argv, [
    { name: 'format', kind: 'word', words: formats },
    { name: 'severity', kind: 'word', words: severities },
    { name: 'config', kind: 'word', words: null },
    { name: 'coverage', kind: 'flag', words: null },
    { name: 'baseline', kind: 'word', words: null },
    { name: 'write-baseline', kind: 'word', words: null },
  ]);
  if (parsed.kind === 'wrong') return refuse(io, parsed.message);
  const { positionals, flag, word } = parsed.arguments;
  if (flag('help')) {
    io.out(usage);
    return clean;
  }
  if (positionals.length === 0) return refuse(io, 'check: no PATH given; name files or folders, for example: entrycheck check .');
  const write = word('write-baseline');
  const format = (word('format') as Format | null) ?? 'gcc';
  /** Whoever reads JSON gets an object, whatever happens. */
  const refuseRun = (message: string): number => {
    if (format === 'json') printJson(nothingChecked([message]), nowhere, io);
    if (format === 'sarif') printSarifRefusal(message, io);
    return refuse(io, message);
  };
  if (word('baseline') !== null && write !== null) return refuseRun('check: --baseline shows what is new, --write-baseline writes all there is: give one of them');
  const baseline = word('baseline') === null ? null : readBaseline(word('baseline') ?? '', io.cwd);
  if (typeof baseline === 'string') return refuseRun(`check: ${baseline}`);

  const input = readGiven(positionals, io);
  if (input.kind === 'refused') return refuseRun(input.message);
  const { given } = input;
  const workspace = createNodeWorkspace(io.cwd, given.files);
  const configuration = word('config');
  const chosen = configuration === null ? null : chooseConfiguration('', workspace, { config: configuration, variant: null, defines: [] });
  if (typeof chosen === 'string') return refuseRun(`check: ${chosen}`);
  const lowest = severities.indexOf((word('severity') as Severity | null) ?? 'info');
  const counts = ({ severity }: Finding): boolean => severities.indexOf(severity) <= lowest;
  const wanted: Wanted = { coverage: flag('coverage') || format === 'json', accepted: format === 'sarif' };
  const remarks = remarksOf(format, io);
  if (given.patches.length > 0) {
    if (given.paths.length > 0) return refuseRun(`check: patches are checked by themselves: leave out ${given.paths.join(', ')}`);
    if (write !== null) return refuseRun('check: --write-baseline writes what is on the disk: leave out the patches');
    return onPatches(baseline);
  }
  const sources = findSources(given.paths, io.cwd, workspace, new Set(given.files.keys()));
  if (sources.kind === 'refused') return refuseRun(sources.message);
  const session = await openSession(io, workspace, configuration, given.names);
  const kept = keptBy(io);
  const judged = await judge(session, configuration, sources.sources, createShares(session, configuration, given.files, kept, io), kept, wanted, io);
  const all = inOrder(judged.findings, session.locate);
  if (write !== null) {
    const problem = writeBaseline(write, io.cwd, all.filter(counts), session.review);
    if (problem !== null) return refuseRun(`check: ${problem}`);
    const written = all.filter(counts).length;
    io.err(`entrycheck: ${written === 1 ? '1 finding' : `${written} findings`} written to ${write}\n`);
    for (const sentence of refusedTexts(session, sources.sources.files)) remarks.worthLess(sentence);
    return allRefused(session, sources.sources.files) ? couldNotRun : clean;
  }
  const compared = baseline === null ? null : compare(baseline, all, io.cwd, session.review, reviewedIn(baseline.file, sources.sources, io.cwd));
  const shown = (compared?.fresh ?? all).filter(counts);
  printCheck({ ...judged, accepted: judged.accepted.filter(({ finding }) => counts(finding)), findings: shown, baseline: compared === null || baseline === null ? null : { file: baseline.file, known: compared.known, stale: compared.stale }, patches: null }, format, flag('coverage'), session, io);
  const gates = [...given.files.values()].some((text) => /\b(?:INTG|ISTG|SYSG)\(/.test(text));
  if (given.files.size > 0 && !gates && all.length === 0 && judged.unknown.every(({ kind }) => kind === 'unfinished')) remarks.worthLess('nothing is judged: no stub that returns from an event and no handler was recognised; /* xctx: handler vector=GP */ above one says which it is');
  for (const note of sources.sources.notes) remarks.worthLess(note);
  for (const sentence of refusedTexts(session, sources.sources.files)) remarks.worthLess(sentence);
  if (allRefused(session, sources.sources.files)) return couldNotRun;
  return shown.length === 0 ? clean : found;

  async function onPatches(known: Baseline | null): Promise<number> {
    for (const note of given.notes) remarks.aside(note);
    const result = await checkPatches(given, configuration, wanted.coverage, counts, io);
    if (typeof result === 'string') return refuseRun(`check: ${result}`);
    for (const { kind, text } of result.notes) (kind === 'partial' ? remarks.worthLess : remarks.aside)(text);
    if (result.kind === 'untouched') {
      remarks.aside('no patch touches assembler, C or scenario files that are reviewed');
      if (format === 'json') printJson(nothingChecked([]), nowhere, io);
      if (format === 'sarif') printSarifRefusal(null, io);
      return clean;
    }
    const brought = result.judged.findings;
    const compared = known === null ? null : compare(known, brought, io.cwd, result.session.review, () => false);
    const left = compared?.fresh ?? brought;
    const patches = { subjects: given.patches.map(({ patch }) => patch.subject), known: result.known, changes: result.changes.map(({ entry: { rule, path, symbol, line, message }, broughtBy, takenAwayBy }) => ({ rule, path, symbol, line, message, broughtBy, takenAwayBy })) };
    printCheck({ ...result.judged, findings: left, baseline: compared === null || known === null ? null : { file: known.file, known: compared.known, stale: [] }, patches }, format, flag('coverage'), result.session, io);
    for (const note of result.sources.notes) remarks.worthLess(note);
    for (const sentence of refusedTexts(result.session, result.sources.files)) remarks.worthLess(sentence);
    return left.length === 0 ? clean : found;
  }
};

const nowhere: Locate = ({ file }) => ({ file, line: 1, column: 1, endLine: 1, endColumn: 1 });

/** Whether an entry's file was judged: it was named, or lies in or below a folder that was. */
function reviewedIn(baseline: string, sources: Sources, cwd: string): (path: string) => boolean {
  const named = new Set([...sources.named].map((file) => pathIn(baseline, cwd, file)));
  const folders = sources.folders.map((folder) => pathIn(baseline, cwd, folder));
  return (path) => named.has(path) || folders.some((folder) => folder === '' || isBelow(path, folder));
}
