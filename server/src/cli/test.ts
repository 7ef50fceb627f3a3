// `entrycheck test`: the scenarios of designs as tests, each against the verdict that it awaits.
import { inOrder } from '../core/render/places.ts';
import { plain } from '../core/render/paint.ts';
import { findingText } from '../core/render/text.ts';
import { junitText, TAP_HEAD, tapPlan, tapTest } from '../core/render/tests.ts';
import type { TestCase } from '../core/render/tests.ts';
import { outcomeOf } from '../core/review/tests.ts';
import type { Scenario, Unit } from '../core/review-types.ts';
import { parseArguments } from './arguments.ts';
import { openDesigns, scenarioFile } from './designs.ts';
import { clean, couldNotRun, found, refuse } from './io.ts';
import type { Command, Io } from './io.ts';
import { explore, sayRefused } from './session.ts';
import type { Session } from './session.ts';

export const usage = `usage: entrycheck test [--format tap|junit] [--own] [PATH...]

Runs the scenarios of the designs in PATH (default: the current folder) as tests: the
built-in ones that apply, and those of scenario files. A test passes where every run
of its scenario holds, or, for one that says \`verdict: violated\`, the known bug shows.
Of a scenario file that is named, its scenarios alone are run.

  --format tap     TAP version 14, with verdict and trace of what did not pass (default)
  --format junit   JUnit's XML, one suite a design
  --own            scenarios of files only, none of the built-in ones

exit status: 0 all pass, 1 some test fails or is undecided, 2 could not run
`;

export const test: Command = async (argv, io) => {
  const parsed = parseArguments('test', argv, [
    { name: 'format', kind: 'word', words: ['tap', 'junit'] },
    { name: 'own', kind: 'flag', words: null },
  ]);
  if (parsed.kind === 'wrong') return refuse(io, parsed.message);
  const { positionals, flag, word } = parsed.arguments;
  if (flag('help')) {
    io.out(usage);
    return clean;
  }
  const opened = await openDesigns(positionals.length === 0 ? ['.'] : positionals, io);
  if (opened.kind === 'refused') return refuse(io, `test: ${opened.message}`);
  const { session, units, named } = opened;
  if (sayUnreadable(session, units, io)) return couldNotRun;

  const asTap = word('format') !== 'junit';
  const tests: TestCase[] = [];
  if (asTap) io.out(`${TAP_HEAD}\n`);
  for (const unit of units) {
    for (const scenario of scenariosIn(session, unit, named, flag('own'))) {
      io.working(`running ${scenario.name} on ${unit.folder}`);
      const exploration = session.review.test(unit.folder, scenario.name);
      const reports = exploration === null ? [] : explore(exploration, unit.name, null, io);
      if (reports.length === 0) continue;
      const one: TestCase = { design: unit.name, scenario: scenario.name, awaited: scenario.awaited, outcome: outcomeOf(scenario.awaited, reports), reports };
      tests.push(one);
      if (asTap) io.out(`${tapTest(one, tests.length, session.locate).join('\n')}\n`);
    }
  }
  io.out(asTap ? `${tapPlan(tests.length)}\n` : `${junitText(tests, session.locate).join('\n')}\n`);
  sayRefused(session, units.flatMap(({ files }) => files), io);
  if (tests.length === 0) return refuse(io, `test: nothing to run: ${flag('own') ? 'no scenario file is' : 'no scenario applies to what is'} in ${positionals.length === 0 ? 'this folder' : positionals.join(', ')}`);
  return tests.every(({ outcome }) => outcome.kind === 'passed') ? clean : found;
};

/** A scenario file with an error has no scenario: a test that is not there would not fail. */
function sayUnreadable(session: Session, units: readonly Unit[], io: Io): boolean {
  const files = units.flatMap((unit) => unit.files.filter((file) => scenarioFile.test(file)));
  const problems = files.flatMap((file) => session.review.quickFindings(file).filter(({ place, severity }) => place.file === file && severity === 'error'));
  for (const problem of inOrder(problems, session.locate)) io.err(`${findingText(problem, session.locate, plain).join('\n')}\n`);
  return problems.length > 0;
}

function scenariosIn({ review }: Session, unit: Unit, named: ReadonlySet<string>, own: boolean): readonly Scenario[] {
  const inUnit = unit.files.filter((file) => named.has(file));
  const alone = inUnit.length > 0 && inUnit.every((file) => scenarioFile.test(file));
  return review.scenarios(unit.folder).filter(({ place }) => (alone ? place !== null && named.has(place.file) : !own || place !== null));
}
