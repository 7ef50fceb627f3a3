// The reductions against the plain exploration on generated mutants of all designs: the same verdict, and the same length
// of the shortest trace; and on some of them what is said of any number of events, with and without forgetting. Prints how
// many were compared; fails on a difference and where too few were.
// Usage: node scripts/check-reductions.mjs [--most STATES] [--every N] [--any N]
import { buildSync } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const home = join(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(home);
const { values } = parseArgs({ options: { most: { type: 'string', default: '6000' }, every: { type: 'string', default: '36' }, any: { type: 'string', default: '4' } } });
const most = Number(values.most);
const every = Number(values.every);
/** Of so many mutants one is asked about any number of events too. */
const any = Number(values.any);
/** Mutants that must have been compared, whatever was too large. */
const FEWEST = 450;
/** Mutants that hold, and such that do not, for any number of events, were all asked. */
const FEWEST_BEYOND = 40;

if (!existsSync('out/tree-sitter-c.wasm')) spawnSync(process.execPath, ['build.mjs', '--tests', '--quiet'], { stdio: 'inherit' });
const outfile = join(home, `.cache/reductions-${process.pid}.mjs`);
const contents = ["export * from './review.ts';", "export * from './mutants.ts';", "export * from './reductions.ts';"].join('\n');
buildSync({ stdin: { contents, resolveDir: join(home, 'server/src/testing'), loader: 'ts' }, bundle: true, platform: 'node', format: 'esm', packages: 'external', outfile, logLevel: 'warning' });
const testing = await import(pathToFileURL(outfile).href);
rmSync(outfile);

const beyond = { compared: 0, holds: 0, violated: 0 };
const count = { mutants: 0, compared: 0, violated: 0, differ: 0, large: 0, reduced: 0, plain: 0 };
const began = Date.now();
for (const name of testing.designNames) {
  const { program } = await testing.linked(testing.design(name), name);
  const runs = testing.runsToCompare(program);
  if (runs.length === 0) continue;
  const mutants = testing.sampleOf(testing.mutantsOf(program, ({ kind }) => kind === 'instruction' || kind === 'operation'), every, name.length);
  let here = 0;
  let at = 0;
  for (const mutant of mutants) {
    count.mutants += 1;
    if (count.mutants % any === 0) {
      const { scenario, start } = runs[at % runs.length];
      const said = testing.compareAnyNumber(mutant.program, scenario, start, most);
      beyond.compared += 1;
      if (said.forgetting === 'holds') beyond.holds += 1;
      if (said.remembering === 'violated') beyond.violated += 1;
      if (testing.contradicts(said)) {
        count.differ += 1;
        console.log(`DIFFERS ${name}, ${mutant.title}, ${scenario.name} from ${start}, any number of events: ${said.forgetting} where words are forgotten, ${said.remembering} where none are, ${said.plain} without reductions`);
      }
    }
    let compared = null;
    // The next run that the plain exploration comes to the end of: each mutant is compared once.
    for (let tried = 0; compared === null && tried < runs.length; tried += 1, at += 1) {
      const { scenario, start } = runs[at % runs.length];
      compared = testing.compareReductions(mutant.program, scenario, start, most);
      if (compared !== null && compared.reduced !== compared.plain) {
        count.differ += 1;
        console.log(`DIFFERS ${name}, ${mutant.title}, ${scenario.name} from ${start}: ${compared.reduced} with reductions, ${compared.plain} without`);
      }
    }
    if (compared === null) {
      count.large += 1;
      continue;
    }
    here += 1;
    count.compared += 1;
    if (compared.plain.startsWith('violated')) count.violated += 1;
    else {
      count.reduced += compared.reducedStates;
      count.plain += compared.plainStates;
    }
  }
  console.log(`  ${name}: ${here} of ${mutants.length} mutants compared`);
}
console.log(`${count.compared} of ${count.mutants} mutants compared, ${count.violated} of them violated, ${count.large} too large without reductions; of those that hold one state in ${Math.round(count.plain / count.reduced)} is left; ${((Date.now() - began) / 1000).toFixed(0)} s`);
console.log(`any number of events: ${beyond.compared} mutants compared, ${beyond.holds} hold, ${beyond.violated} are violated`);
const enough = count.compared >= FEWEST && beyond.holds * any >= FEWEST_BEYOND && beyond.violated * any >= FEWEST_BEYOND;
if (!enough) console.log(`fewer than ${FEWEST} were compared, or hardly any beyond the budgets`);
const failed = count.differ + (enough ? 0 : 1);
console.log(`${count.compared - count.differ + (enough ? 1 : 0)} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
