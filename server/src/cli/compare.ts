// `entrycheck compare`: a design before and after a change. The same scenarios run on both; where a counterexample of the
// one is followed in the other, the first step at which they part.
import { changeOf, pairsOf } from '../core/review/compared.ts';
import type { ComparedRun } from '../core/review/compared.ts';
import { comparedJson, comparedText, summaryText } from '../core/render/compare.ts';
import { coloured, plain } from '../core/render/paint.ts';
import type { RunReport, Unit } from '../core/review-types.ts';
import { parseArguments } from './arguments.ts';
import { compareTrees } from './compare-trees.ts';
import { openDesigns } from './designs.ts';
import { clean, found, refuse } from './io.ts';
import type { Command, Io } from './io.ts';
import { isBelow } from './judge.ts';
import { tidy } from './paths.ts';
import { explore, sayRefused } from './session.ts';
import type { Session } from './session.ts';

export const usage = `usage: entrycheck compare [--format gcc|json] BASE NEW

Runs every scenario of two designs on both and tells, start by start, what the change
of one into the other has fixed, what is still broken, and what is newly broken; and
of each counterexample the first step at which the other design goes another way.
BASE and NEW are folders, or files, of one design each.

Of two kernel trees, for example linux.old/arch/x86/entry linux/arch/x86/entry, the
findings are compared, and their traces followed in the other tree.

  --format gcc     as compilers print (default)
  --format json    one object, docs/schema/compare.schema.json

exit status: 0 nothing is newly broken, 1 something is, 2 could not run
`;

export const compare: Command = async (argv, io) => {
  const parsed = parseArguments('compare', argv, [{ name: 'format', kind: 'word', words: ['gcc', 'json'] }]);
  if (parsed.kind === 'wrong') return refuse(io, parsed.message);
  const { positionals, flag, word } = parsed.arguments;
  if (flag('help')) {
    io.out(usage);
    return clean;
  }
  const [base, other, ...more] = positionals;
  if (base === undefined || other === undefined || more.length > 0) return refuse(io, 'compare: give two designs, for example: entrycheck compare design-v1 design-v2');
  const opened = await openDesigns([base, other], io);
  if (opened.kind === 'refused') return refuse(io, `compare: ${opened.message}`);
  const { session, units } = opened;
  const sides: Unit[] = [];
  let trees = 0;
  for (const path of [base, other]) {
    const own = units.filter(({ folder, files }) => files.includes(tidy(path)) || isBelow(folder, tidy(path)));
    const [one] = own;
    if (one === undefined) return refuse(io, `compare: ${path}: no design`);
    if (session.review.inKernelTree(one.files[0] ?? '')) {
      trees += 1;
      continue;
    }
    if (own.length > 1) return refuse(io, `compare: ${path}: ${own.length} designs (${own.map(({ name }) => name).slice(0, 3).join(', ')}${own.length > 3 ? ' ...' : ''}): name one of them`);
    sides.push(one);
  }
  if (trees === 1) return refuse(io, `compare: ${base} and ${other}: one is in a kernel tree and the other a design`);
  if (trees === 2) {
    session.review.release();
    if (tidy(base) === tidy(other)) return refuse(io, `compare: ${base} and ${other} are the same tree`);
    return compareTrees(base, other, word('format') === 'json' ? 'json' : 'gcc', io);
  }
  const [first, second] = sides;
  if (first === undefined || second === undefined || first.folder === second.folder) return refuse(io, `compare: ${base} and ${other} are the same design`);

  const shared = session.review.scenarios(first.folder).map(({ name }) => name).filter((name) => session.review.scenarios(second.folder).some((scenario) => scenario.name === name));
  const runs = shared.flatMap((scenario) => comparedRuns(session, first, second, scenario, io));
  if (runs.length === 0) return refuse(io, `compare: no scenario applies to both ${base} and ${other}`);
  const names = first.name === second.name ? { base: tidy(base), other: tidy(other) } : { base: first.name, other: second.name };
  if (word('format') === 'json') io.out(`${JSON.stringify(comparedJson(runs, names, session.locate), null, 2)}\n`);
  else {
    for (const scenario of shared) {
      const own = runs.filter(({ base: { scenario: name } }) => name === scenario);
      for (const line of comparedText(own, names, session.locate, io.color ? coloured : plain)) io.out(`${line}\n`);
    }
    io.out(`${names.base} -> ${names.other}: ${summaryText(runs)}\n`);
  }
  for (const [own, lacking] of [[first, second], [second, first]] as const) {
    const alone = session.review.scenarios(own.folder).filter(({ name }) => !session.review.scenarios(lacking.folder).some((scenario) => scenario.name === name));
    if (alone.length > 0) io.err(`entrycheck: scenarios of ${own.name} alone, which are not compared: ${alone.map(({ name }) => name).join(', ')}\n`);
  }
  sayRefused(session, sides.flatMap(({ files }) => files), io);
  return runs.some(({ change }) => change === 'newly broken') ? found : clean;
};

function comparedRuns({ review }: Session, first: Unit, second: Unit, scenario: string, io: Io): readonly ComparedRun[] {
  const reportsOf = ({ folder, name }: Unit): readonly RunReport[] => {
    io.working(`running ${scenario} on ${folder}`);
    const exploration = review.test(folder, scenario);
    return exploration === null ? [] : explore(exploration, name, null, io);
  };
  return pairsOf(reportsOf(first), reportsOf(second)).map(({ base, other }): ComparedRun => {
    const change = changeOf(base.verdict, other.verdict);
    const [led, follower, run] = change === 'newly broken' ? [second, first, other] : [first, second, base];
    const choices = (run.trace ?? run.findings[0]?.trace)?.choices ?? null;
    const followed = change === 'fixed' || change === 'still broken' || change === 'newly broken';
    return { base, other, change, divergence: followed && choices !== null ? review.divergence(led.folder, follower.folder, scenario, run.start, choices) : null };
  });
}
