// Entry code of whole kernel trees, run as it is: nothing is found on unmodified trees and every instruction has a
// context; nested NMIs are survived; planted bugs, those of a corpus and our own, are found where they are, and harmless
// edits are not. Each tree is checked in a process of its own; nothing is written to it.
// Usage: node scripts/check-entry-paths.mjs TREE... [--corpus FOLDER] [--only PART[,PART]] [--match TEXT]
// Parts: clean, nesting, corpus, mutants. The folder of the corpus may also come from ENTRYCHECK_CORPUS.
import { spawn } from 'node:child_process';
import { basename, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkTree, PARTS } from './entry-paths/tree.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { corpus: { type: 'string' }, only: { type: 'string' }, match: { type: 'string' }, child: { type: 'boolean', default: false } },
});
const parts = values.only?.split(',') ?? PARTS;
if (positionals.length === 0 || parts.some((part) => !PARTS.includes(part))) {
  console.error('usage: check-entry-paths.mjs TREE... [--corpus FOLDER] [--only clean,nesting,corpus,mutants] [--match TEXT]');
  process.exit(2);
}

/** The check of one tree in a process of its own: its lines as they come, and what they count. */
function checkApart(tree) {
  const own = process.argv.slice(2).filter((each) => !positionals.includes(each));
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), tree, ...own, '--child'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let summary = null;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const count = /^(\d+) passed, (\d+) failed$/.exec(line);
    if (count === null) console.log(positionals.length > 1 ? `${basename(tree)} ${line}` : line);
    else summary = { passed: Number(count[1]), failed: Number(count[2]) };
  });
  return new Promise((settle) => child.on('close', (code) => settle({ tree, code, summary })));
}

if (values.child) {
  const corpus = values.corpus ?? process.env.ENTRYCHECK_CORPUS ?? null;
  process.exitCode = (await checkTree(resolve(positionals[0]), { parts, corpus: corpus === null ? null : resolve(corpus), match: values.match ?? '' })) ? 0 : 1;
} else {
  const ended = await Promise.all(positionals.map(checkApart));
  let passed = 0;
  let failed = 0;
  for (const { tree, summary, code } of ended) {
    passed += summary?.passed ?? 0;
    failed += summary?.failed ?? 1;
    if (summary === null) console.log(`the check of ${tree} ended with ${code} and without a result`);
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}
