// `entrycheck check`: the findings of files and folders in the form of compilers, as JSON, or for a mail.
import { coverageText } from '../core/render/coverage.ts';
import { checkJson } from '../core/render/json.ts';
import { mailFinding } from '../core/render/mail.ts';
import { coloured, plain } from '../core/render/paint.ts';
import { inOrder } from '../core/render/places.ts';
import type { Locate } from '../core/render/places.ts';
import { findingText } from '../core/render/text.ts';
import { unknownText } from '../core/render/unknown.ts';
import type { Finding, Severity } from '../core/review-types.ts';
import { createNodeWorkspace } from '../shell/workspace.ts';
import { parseArguments } from './arguments.ts';
import { checkPatches } from './check-patches.ts';
import { readGiven } from './given.ts';
import { isBelow, judge } from './judge.ts';
import type { Judged } from './judge.ts';
import { compare, pathIn, readBaseline, writeBaseline } from './baseline.ts';
import type { Baseline, BaselineEntry } from './baseline.ts';
import { clean, couldNotRun, found, refuse } from './io.ts';
import type { Command, Io } from './io.ts';
import { allRefused, openSession, sayRefused } from './session.ts';
import type { Session } from './session.ts';
import { createShares } from './shares.ts';
import { chooseConfiguration } from './sources.ts';
import { findSources } from './paths.ts';
import type { Sources } from './paths.ts';
import { tellUnknown } from './tell-unknown.ts';

export const usage = `usage: entrycheck check [--format gcc|json|mail] [--severity LEVEL] [--config FILE|PRESET]
                        [--coverage] [--baseline FILE | --write-baseline FILE] PATH...

Reviews every folder with assembler, C or scenario files (.S, .s, .c,
*.xctx-scenario.yaml) among PATH and below.
A file is reviewed together with its folder, a header with what uses it; findings
in it, or whose trace runs through it, are shown. PATH may be a mail, a Markdown page
or - for the standard input: the code in it is reviewed. Of patches, one or a series,
what they bring to the files of the disk is shown.

  --format gcc     file:line:col: error: message [rule], trace as indented notes (default)
  --format json    one object, docs/schema/check.schema.json
  --format mail    at most 72 columns, quotable
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
    { name: 'format', kind: 'word', words: ['gcc', 'json', 'mail'] },
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
  /** Whoever reads JSON gets an object, whatever happens. */
  const refuseRun = (message: string): number => {
    if (word('format') === 'json') io.out(`${JSON.stringify(checkJson([], [message], [], null, nowhere), null, 2)}\n`);
    return refuse(io, message);
  };
  if (word('baseline') !== null && write !== null) return refuseRun('check: --baseline shows what is new, --write-baseline writes all there is: give one of them');
  const baseline = word('baseline') === null ? null : readBaseline(word('baseline') ?? '', io.cwd);
  if (typeof baseline === 'string') return refuseRun(`check: ${baseline}`);

  const input = readGiven(positionals, io.cwd);
  if (input.kind === 'refused') return refuseRun(input.message);
  const { given } = input;
  const workspace = createNodeWorkspace(io.cwd, given.files);
  const configuration = word('config');
  const chosen = configuration === null ? null : chooseConfiguration('', workspace, { config: configuration, variant: null, defines: [] });
  if (typeof chosen === 'string') return refuseRun(`check: ${chosen}`);
  const lowest = severities.indexOf((word('severity') as Severity | null) ?? 'info');
  const counts = ({ severity }: Finding): boolean => severities.indexOf(severity) <= lowest;
  const told = flag('coverage') || word('format') === 'json';
  if (given.patches.length > 0) {
    if (given.paths.length > 0) return refuseRun(`check: patches are checked by themselves: leave out ${given.paths.join(', ')}`);
    if (write !== null) return refuseRun('check: --write-baseline writes what is on the disk: leave out the patches');
    return onPatches(baseline);
  }
  const sources = findSources(given.paths, io.cwd, workspace, new Set(given.files.keys()));
  if (sources.kind === 'refused') return refuseRun(sources.message);
  const session = await openSession(io, workspace, configuration, given.names);
  const judged = await judge(session, sources.sources, createShares(session, configuration, io), told, io);
  const all = inOrder(judged.findings, session.locate);
  if (write !== null) {
    const problem = writeBaseline(write, io.cwd, all.filter(counts), session.review);
    if (problem !== null) return refuseRun(`check: ${problem}`);
    const written = all.filter(counts).length;
    io.err(`entrycheck: ${written === 1 ? '1 finding' : `${written} findings`} written to ${write}\n`);
    sayRefused(session, sources.sources.files, io);
    return allRefused(session, sources.sources.files) ? couldNotRun : clean;
  }
  const compared = baseline === null ? null : compare(baseline, all, io.cwd, session.review, reviewedIn(baseline.file, sources.sources, io.cwd));
  const shown = (compared?.fresh ?? all).filter(counts);
  print({ ...judged, findings: shown }, compared === null || baseline === null ? null : { file: baseline.file, known: compared.known, stale: compared.stale }, word('format') ?? 'gcc', flag('coverage'), session, io);
  if (given.files.size > 0 && all.length === 0 && judged.unknown.every(({ kind }) => kind === 'unfinished')) io.err('entrycheck: nothing is judged: no stub that returns from an event and no handler was recognised; /* xctx: handler vector=GP */ above one says which it is\n');
  for (const note of sources.sources.notes) io.err(`entrycheck: ${note}\n`);
  sayRefused(session, sources.sources.files, io);
  if (allRefused(session, sources.sources.files)) return couldNotRun;
  return shown.length === 0 ? clean : found;

  async function onPatches(known: Baseline | null): Promise<number> {
    const result = await checkPatches(given, configuration, told, io);
    if (typeof result === 'string') return refuseRun(`check: ${result}`);
    if (result === null) {
      io.err('entrycheck: no patch touches assembler, C or scenario files that are reviewed\n');
      if (word('format') === 'json') io.out(`${JSON.stringify(checkJson([], [], [], null, nowhere), null, 2)}\n`);
      return clean;
    }
    const brought = result.judged.findings.filter(counts);
    const compared = known === null ? null : compare(known, brought, io.cwd, result.session.review, () => false);
    const left = compared?.fresh ?? brought;
    print({ ...result.judged, findings: left }, compared === null || known === null ? null : { file: known.file, known: compared.known, stale: [] }, word('format') ?? 'gcc', flag('coverage'), result.session, io);
    if (result.known > 0) io.err(`entrycheck: ${result.known === 1 ? '1 finding is' : `${result.known} findings are`} there without the patches and not shown\n`);
    for (const { rule, path, symbol, line } of result.fixed) io.err(`entrycheck: taken away by the patches: ${rule} at ${path}${symbol === null ? '' : `#${symbol}`}: ${line}\n`);
    for (const note of result.sources.notes) io.err(`entrycheck: ${note}\n`);
    sayRefused(result.session, result.sources.files, io);
    return left.length === 0 ? clean : found;
  }
};

const nowhere: Locate = ({ file }) => ({ file, line: 1, column: 1, endLine: 1, endColumn: 1 });

interface Known {
  readonly file: string;
  readonly known: number;
  readonly stale: readonly BaselineEntry[];
}

/** Whether an entry's file was judged: it was named, or lies in or below a folder that was. */
function reviewedIn(baseline: string, sources: Sources, cwd: string): (path: string) => boolean {
  const named = new Set([...sources.named].map((file) => pathIn(baseline, cwd, file)));
  const folders = sources.folders.map((folder) => pathIn(baseline, cwd, folder));
  return (path) => named.has(path) || folders.some((folder) => folder === '' || isBelow(path, folder));
}

function print({ findings, unknown, coverage }: Judged, known: Known | null, format: string, told: boolean, { locate }: Session, io: Io): void {
  if (format === 'json') {
    io.out(`${JSON.stringify(checkJson(findings, unknown.map((one) => unknownText(one, locate)), coverage, known, locate), null, 2)}\n`);
    return;
  }
  for (const finding of findings) {
    const lines = format === 'mail' ? [...mailFinding(finding, locate), ''] : findingText(finding, locate, io.color ? coloured : plain);
    io.out(`${lines.join('\n')}\n`);
  }
  if (told) for (const one of coverage) io.out(`${coverageText(one).join('\n')}\n`);
  if (told && coverage.length === 0) io.out('coverage: nothing here is judged by rules or entry paths\n');
  if (known !== null) {
    io.err(`entrycheck: ${known.known === 1 ? '1 finding is' : `${known.known} findings are`} in the baseline ${known.file} and not shown\n`);
    for (const { path, symbol, rule, line, count } of known.stale) io.err(`entrycheck: ${known.file}: found no more${count > 1 ? `, ${count} times` : ''}: ${rule} at ${path}${symbol === null ? '' : `#${symbol}`}: ${line}\n`);
  }
  for (const sentence of tellUnknown(unknown, locate)) io.err(`entrycheck: ${sentence}\n`);
}
