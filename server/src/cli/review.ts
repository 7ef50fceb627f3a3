// `entrycheck review`, what `npm start` runs: every design with its verdicts and the shortest trace of what breaks it,
// one screen a design, then a summary. With --table the Markdown table of the README.
import { join, relative } from 'node:path';
import { mailSteps, shortest } from '../core/render/mail.ts';
import { coloured, plain } from '../core/render/paint.ts';
import type { Paint } from '../core/render/paint.ts';
import { point } from '../core/render/places.ts';
import type { Locate } from '../core/render/places.ts';
import { sumUp, verdictTable } from '../core/render/table.ts';
import type { VerdictColumn } from '../core/render/table.ts';
import { traceHead, verdictPaint } from '../core/render/text.ts';
import { columns, hang } from '../core/render/wrap.ts';
import type { RunReport } from '../core/review-types.ts';
import { createNodeWorkspace } from '../shell/workspace.ts';
import { parseArguments } from './arguments.ts';
import { readGiven } from './given.ts';
import { clean, refuse } from './io.ts';
import type { Command, Io } from './io.ts';
import { explore, openSession, sayRefused, unitsOf } from './session.ts';
import { findSources } from './paths.ts';

export const usage = `usage: entrycheck review [--table] [PATH...]

Each folder with sources in PATH and below is a design. Prints its verdicts by
scenario and start, the shortest trace of what breaks it, and a summary. Without
PATH the designs that come with the source of entrycheck are reviewed.

  --table  only the Markdown table of designs and verdicts, as in the README

exit status: 0 whatever the verdicts are, 2 could not run
`;

const inTask: ReadonlySet<string> = new Set(['ve-in-task', 'mc-then-mc-in-tail', 'apf-flags-stolen-by-nmi']);
const inPerfNmi: ReadonlySet<string> = new Set(['perf-nmi-user-copy-fails-twice', 'perf-nmi-mc-twice']);
const inGap: ReadonlySet<string> = new Set(['ve-in-syscall-gap']);

/** The two starts of the argument about a design: its event in a task, and inside the NMI of a perf counter. */
export const starts: readonly VerdictColumn[] = [
  { title: 'start in a task', of: ({ scenario }) => inTask.has(scenario) },
  { title: 'start in a perf NMI', of: ({ scenario }) => inPerfNmi.has(scenario) },
  { title: 'start in the SYSCALL gap', of: ({ scenario }) => inGap.has(scenario) },
];

const PATHS = 'entry paths';
const width = 76;
const mostRemarks = 3;

/** The fixtures of the source tree, as a path from the current folder. */
function ownDesigns(io: Io): string {
  return relative(io.cwd, join(io.home, '..', 'test-fixtures', 'designs')).replaceAll('\\', '/');
}

export const review: Command = async (argv, io) => {
  const parsed = parseArguments('review', argv, [{ name: 'table', kind: 'flag', words: null }]);
  if (parsed.kind === 'wrong') return refuse(io, parsed.message);
  const { positionals, flag } = parsed.arguments;
  if (flag('help')) {
    io.out(usage);
    return clean;
  }
  const input = readGiven(positionals.length === 0 ? [ownDesigns(io)] : positionals, io);
  if (input.kind === 'refused') return refuse(io, input.message);
  const { given } = input;
  if (given.patches.length > 0) return refuse(io, 'review: patches are for entrycheck check');
  const workspace = createNodeWorkspace(io.cwd, given.files);
  const sources = findSources(given.paths, io.cwd, workspace, new Set(given.files.keys()));
  if (sources.kind === 'refused') return refuse(io, sources.message);
  const session = await openSession(io, workspace, null, given.names);
  for (const note of sources.sources.notes) io.err(`entrycheck: ${note}\n`);

  const paint = io.color ? coloured : plain;
  const designs = new Map<string, readonly RunReport[]>();
  for (const unit of unitsOf(session.review, sources.sources.files)) {
    io.working(`reviewing ${unit.folder}`);
    const reports = explore(session.review.explore(unit.folder), unit.name, null, io);
    designs.set(unit.name, reports);
    if (!flag('table')) io.out(`${[...screen(unit.name, session.shown(unit.folder), reports, session.locate, paint), ''].join('\n')}\n`);
  }
  sayRefused(session, sources.sources.files, io);
  if (flag('table')) io.out(`${verdictTable(designs, starts).join('\n')}\n`);
  else summary(designs, positionals.length === 0, paint, io);
  return clean;
};

function screen(name: string, folder: string, reports: readonly RunReport[], locate: Locate, paint: Paint): readonly string[] {
  const findings = reports.flatMap((report) => report.findings);
  const broken = shortest(findings);
  const bare = reports.find((report) => report.verdict === 'violated' && report.trace !== null)?.trace ?? null;
  const trace = broken?.trace ?? bare;
  return [
    paint.strong(`== ${name} ${'='.repeat(Math.max(0, width - name.length - 4))}`),
    folder,
    '',
    ...verdictLines(reports, paint),
    ...remarksOf(reports).slice(0, mostRemarks).flatMap((remark) => hang('  note: ', '    ', remark, width)),
    ...(broken === null
      ? []
      : ['', ...hang('', '  ', `${point(locate(broken.place))}: ${broken.severity}: ${broken.message} [${broken.rule}]`, width).map(paint.strong)]),
    ...(trace === null ? [] : ['', `shortest ${traceHead(trace)}:`, ...mailSteps(trace, locate)]),
    ...(reports.length === 0 ? ['no scenario applies to this folder: no handler is in view that an IDT table, an annotation or its name ties to an event'] : []),
  ];
}

/** What is remarked of any run, without how often it was seen in each. */
function remarksOf(reports: readonly RunReport[]): readonly string[] {
  return [...new Set(reports.flatMap(({ remarks }) => remarks.map((remark) => remark.replace(/ \(\d+ times\)$/, ''))))];
}

/** A line for each scenario, its starts beside each other. */
function verdictLines(reports: readonly RunReport[], paint: Paint): readonly string[] {
  const scenarios = [...new Set(reports.map(({ scenario }) => scenario))];
  const rows = scenarios.flatMap((scenario) =>
    reports
      .filter((report) => report.scenario === scenario)
      .map((report, at) => ({ report, cells: [`  ${at === 0 ? scenario : ''}`, report.start, report.verdict, `${report.states} states`] })),
  );
  const lines = columns(rows.map(({ cells }) => cells));
  return rows.flatMap(({ report }, at) => {
    const line = lines[at] ?? '';
    const painted = line.replace(` ${report.verdict} `, (found) => verdictPaint(report.verdict, paint)(found));
    const hit = (report.verdict === 'inconclusive' ? report.boundsHit : []).flatMap((bound) => hang('      bound hit: ', '        ', bound, width));
    return [painted, ...hit];
  });
}

/** What the summary tells besides the starts, of designs that have it. */
const besides: readonly VerdictColumn[] = [
  { title: 'other scenarios', of: (report) => report.scenario !== PATHS && !starts.some(({ of }) => of(report)) },
  { title: PATHS, of: ({ scenario }) => scenario === PATHS },
];

function summary(designs: ReadonlyMap<string, readonly RunReport[]>, own: boolean, paint: Paint, io: Io): void {
  const all = [...designs.values()].flat();
  const shown = own ? starts : [...starts, ...besides].filter(({ of }) => all.some(of));
  const rows = [...designs].map(([design, reports]) => {
    const cells = shown.map(({ of }) => {
      const sum = sumUp(reports.filter(of));
      if (sum === null) return 'not run';
      // What is only warned of rests on an assumption, and breaks no run.
      return sum.rules.length === 0 ? sum.verdict : `${sum.verdict}${sum.verdict === 'violated' ? ' ' : ', but see '}${sum.rules.join(' ')}`;
    });
    return [design, ...cells];
  });
  if (shown.length > 0) io.out(`${[...columns([['design', ...shown.map(({ title }) => title)], ...rows])].map((line, at) => (at === 0 ? paint.strong(line) : line)).join('\n')}\n\n`);
  io.out('holds, vacuous and inconclusive are within the bounds that the scenarios name (entrycheck run).\n');
  if (own) io.out('To see the same in the editor, with traces that jump to the source: npm run code\n');
}
