// `entrycheck run`: scenarios on designs, each run with its verdict, what the verdict is worth, and the shortest trace.
import { runJson } from '../core/render/json.ts';
import { itfRun } from '../core/render/itf.ts';
import { mailRun } from '../core/render/mail.ts';
import { markdownRun } from '../core/render/markdown.ts';
import { mermaidRun } from '../core/render/mermaid.ts';
import { coloured, plain } from '../core/render/paint.ts';
import { inOrder } from '../core/render/places.ts';
import { findingText, runText } from '../core/render/text.ts';
import type { RunReport, Unit } from '../core/review-types.ts';
import { parseArguments } from './arguments.ts';
import { openDesigns, openWithFile } from './designs.ts';
import { raiseEvents } from './event.ts';
import { clean, couldNotRun, found, refuse } from './io.ts';
import type { Command, Io } from './io.ts';
import { didYouMean } from './nearest.ts';
import { explore, openSession } from './session.ts';
import type { Session } from './session.ts';
import { kindOf, tidy } from './paths.ts';
import { createNodeWorkspace, onDisk } from '../shell/workspace.ts';

const formats = ['gcc', 'json', 'mail', 'markdown', 'mermaid', 'itf'] as const;

export const usage = `usage: entrycheck run [--format FORMAT] [--max-states N] SCENARIO|FILE [PATH...]
       entrycheck run --at FILE:LINE --event EVENT[,EVENT...] [--config FILE|PRESET]
       entrycheck run --everywhere FILE [--event EVENT[,EVENT...]] [--config FILE|PRESET]

Runs one scenario, or all of them, on the designs in PATH (default: the current
folder). Each folder with sources is one design. FILE is a scenario file; without
PATH it runs on its own folder. Without SCENARIO the scenarios are listed.
What holds within its bounds is explored for any number of its events as well.

With --at, raises events at one instruction of entry code, from every distinct
context that reaches it: the first event there, each other inside the C handler
of the one before it, or where that one has returned to. With --everywhere, raises
each event at every instruction of a file (default: those of no instruction's own,
NMI, #MC, #DB).

  --format gcc     verdict, findings and trace as compilers print them (default)
  --format json    one object a line and run, docs/schema/run.schema.json; for --at
                   and --everywhere one object, event.schema.json, survey.schema.json
  --format mail    at most 72 columns, quotable
  --format markdown  for an issue: verdict, bounds, the trace as a table
  --format mermaid the trace as a sequence chart, for Mermaid
  --format itf     the trace in the Informal Trace Format, one object a line
  --max-states N   explore at most N states a scenario; a run that needs more is inconclusive
  --event EVENT    NMI, MC, DB, VE, PF, GP ..., IRQ, IRQ N, or a vector's number
  --config FILE|PRESET
                   a .config or a built-in configuration for kernel files

exit status: 0 every run holds, 1 some run is violated, vacuous or inconclusive,
2 could not run
`;

/** What is run: every scenario, or the one of this name, or those of this file. */
type Wanted = { readonly kind: 'all' } | { readonly kind: 'name'; readonly name: string } | { readonly kind: 'file'; readonly file: string };

export const run: Command = async (argv, io) => {
  const parsed = parseArguments('run', argv, [
    { name: 'format', kind: 'word', words: formats },
    { name: 'max-states', kind: 'number', words: null },
    { name: 'at', kind: 'word', words: null },
    { name: 'everywhere', kind: 'word', words: null },
    { name: 'event', kind: 'word', words: null },
    { name: 'config', kind: 'word', words: null },
  ]);
  if (parsed.kind === 'wrong') return refuse(io, parsed.message);
  const { positionals, flag, word, number } = parsed.arguments;
  if (flag('help')) {
    io.out(usage);
    return clean;
  }
  const [what, ...paths] = positionals;
  const at = word('at');
  const everywhere = word('everywhere');
  if (at !== null || everywhere !== null) return raiseEvents({ at, everywhere, event: word('event'), format: word('format') ?? 'gcc', config: word('config'), scenario: what }, io);
  if (word('event') !== null || word('config') !== null) return refuse(io, 'run: --event and --config go with --at FILE:LINE or --everywhere FILE');
  if (what === undefined) return list(io);

  const isFile = /\.(?:ya?ml|json)$/.test(what) || kindOf(onDisk(io.cwd, what)) === 'file';
  const wanted: Wanted = what === 'all' ? { kind: 'all' } : isFile ? { kind: 'file', file: tidy(what) } : { kind: 'name', name: what };
  const opened = wanted.kind === 'file' ? await openWithFile(wanted.file, paths, io) : await openDesigns(paths.length === 0 ? ['.'] : paths, io);
  if (opened.kind === 'refused') return refuse(io, opened.message);
  const { session, units, homes } = opened;

  const names = scenarioNames(session, units);
  if (wanted.kind === 'name' && !names.includes(wanted.name)) {
    return refuse(io, `run: no scenario '${wanted.name}'${didYouMean(wanted.name, names)} (entrycheck run lists them)`);
  }
  const reports: RunReport[] = [];
  for (const unit of units) {
    const home = homes.get(unit.folder) ?? null;
    if (wanted.kind === 'file') {
      const problems = home === null ? [] : session.review.quickFindings(home).filter(({ place, severity }) => place.file === home && severity === 'error');
      if (problems.length > 0) {
        for (const problem of inOrder(problems, session.locate)) io.err(`${findingText(problem, session.locate, plain).join('\n')}\n`);
        return couldNotRun;
      }
    }
    for (const scenario of session.review.scenarios(unit.folder)) {
      if (wanted.kind === 'name' && scenario.name !== wanted.name) continue;
      if (wanted.kind === 'file' && scenario.place?.file !== home) continue;
      io.working(`running ${scenario.name} on ${unit.folder}`);
      const exploration = session.review.run(unit.folder, scenario.name);
      if (exploration === null) continue;
      const made = explore(exploration, unit.name, number('max-states'), io);
      for (const report of made) print(report, word('format') ?? 'gcc', session, io);
      reports.push(...made);
    }
  }
  if (reports.length === 0) return refuse(io, `run: nothing to run: ${wanted.kind === 'file' ? `${wanted.file} has no scenario` : 'no scenario applies to these designs'}`);
  const format = word('format');
  if ((format === 'mermaid' || format === 'itf') && reports.every(({ trace, findings }) => trace === null && findings.length === 0)) io.err('entrycheck: no run is violated, so there is no trace\n');
  return reports.every(({ verdict }) => verdict === 'holds') ? clean : found;
};

function scenarioNames({ review }: Session, units: readonly Unit[]): readonly string[] {
  return [...new Set(units.flatMap((unit) => review.scenarios(unit.folder).map(({ name }) => name)))];
}

async function list(io: Io): Promise<number> {
  const session = await openSession(io, createNodeWorkspace(io.cwd));
  for (const { name, title } of session.review.scenarios('.')) io.out(`${name}\n    ${title}\n`);
  return clean;
}

function print(report: RunReport, format: string, { locate }: Session, io: Io): void {
  switch (format) {
    case 'json':
      io.out(`${JSON.stringify(runJson(report, locate))}\n`);
      break;
    case 'mail':
      io.out(`${mailRun(report, locate).join('\n')}\n\n`);
      break;
    case 'markdown':
      io.out(`${markdownRun(report, locate).join('\n')}\n\n`);
      break;
    case 'mermaid': {
      const chart = mermaidRun(report, locate);
      if (chart.length > 0) io.out(`${chart.join('\n')}\n\n`);
      break;
    }
    case 'itf': {
      const trace = itfRun(report, locate);
      if (trace !== null) io.out(`${JSON.stringify(trace)}\n`);
      break;
    }
    default:
      io.out(`${runText(report, locate, io.color ? coloured : plain).join('\n')}\n`);
  }
}
