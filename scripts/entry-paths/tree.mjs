// All checks of one tree, and the count of what held.
import { checkClean } from './clean.mjs';
import { diskOf, loadCore } from './core.mjs';
import { checkCorpus } from './corpus.mjs';
import { checkMutants } from './mutants.mjs';
import { checkNesting } from './nesting.mjs';

const checks = { clean: checkClean, nesting: checkNesting, corpus: checkCorpus, mutants: checkMutants };

export const PARTS = Object.keys(checks);

/** Whether everything held. */
export async function checkTree(root, { parts, corpus, match }) {
  const core = await loadCore();
  const disk = diskOf();
  const failures = [];
  let passed = 0;
  const result = {
    say: (line) => console.log(line),
    check: (name, held, details = []) => {
      if (held) passed += 1;
      else failures.push([name, ...details.slice(0, 12).map((detail) => `    ${detail}`)].join('\n'));
    },
  };
  for (const part of parts) {
    console.log(`--- ${part}`);
    checks[part](core, root, disk, result, { corpus, match });
  }
  for (const failure of failures) console.log(`FAILED ${failure}`);
  console.log(`${passed} passed, ${failures.length} failed`);
  return failures.length === 0;
}
