// Cut and mutated kernel files: nothing throws, an incremental parse equals a fresh one, and so does an expansion that
// remembers what it read before. Usage: node scripts/fuzz-kernels.mjs [--seed N] [--rounds N] TREE...
import { buildSync } from 'esbuild';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadPreprocessor } from './expansion/load.mjs';

const { values, positionals: trees } = parseArgs({ allowPositionals: true, options: { seed: { type: 'string', default: '1' }, rounds: { type: 'string', default: '30' } } });
if (trees.length === 0) {
  console.error('usage: fuzz-kernels.mjs [--seed N] [--rounds N] TREE...');
  process.exit(2);
}
const seed = Number(values.seed);
const rounds = Number(values.rounds);

const FILES = ['entry/entry_64.S', 'entry/entry_64_compat.S', 'entry/entry_64_fred.S', 'entry/entry.S', 'kernel/head_64.S', 'kernel/ftrace_64.S', 'lib/copy_user_64.S', 'lib/getuser.S', 'kvm/vmx/vmenter.S'];

const scratch = mkdtempSync(join(tmpdir(), 'fuzz-'));
const { preprocess, presetConfiguration } = loadPreprocessor(scratch);
const outfile = join(scratch, 'syntax.cjs');
buildSync({
  stdin: { contents: "export * from './parser.ts'; export * from './asm.ts';", resolveDir: 'server/src/core/syntax', loader: 'ts' },
  bundle: true, platform: 'node', format: 'cjs', outfile, logLevel: 'warning', alias: { 'web-tree-sitter': './node_modules/web-tree-sitter/web-tree-sitter.cjs' },
});
const { createParsers, asmItems } = createRequire(import.meta.url)(outfile);
rmSync(scratch, { recursive: true });
const parsers = await createParsers({
  core: readFileSync('node_modules/web-tree-sitter/web-tree-sitter.wasm'),
  gas: readFileSync('grammars/tree-sitter-gas.wasm'),
  c: readFileSync('node_modules/tree-sitter-c/tree-sitter-c.wasm'),
});

/** A small generator with a seed, so that a failure can be had again (mulberry32). */
function randomFrom(start) {
  let state = start >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const INSERTED = ['(', ')', '"', '\\', '\n', '#', '/*', '*/', '.macro x\n', '.endm\n', '#if 1\n', '#endif\n', '.rept 3\n', '\\@', '%rax', ',', ':', '$', ';', '\0'];

function mutated(text, random) {
  const at = random(text.length + 1);
  switch (random(4)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + text.slice(Math.min(text.length, at + 1 + random(200)));
    case 2:
      return text.slice(0, at) + INSERTED[random(INSERTED.length)] + text.slice(at);
    default:
      return text.slice(0, at) + text.slice(at, at + random(120)) + text.slice(at);
  }
}

const shown = (value) => JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}n` : each instanceof Map ? [...each] : each));
let checked = 0;
const failures = [];

for (const tree of trees) {
  const release = /(\d+\.\d+)\/?$/.exec(tree)?.[1] ?? '6.12';
  const kept = new Map();
  const disk = (path) => {
    if (path.includes('\0')) return null;
    if (!kept.has(path)) kept.set(path, statSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path, 'utf8') : null);
    return kept.get(path);
  };
  for (const name of FILES) {
    const file = join(tree, 'arch/x86', name);
    const original = disk(file);
    if (original === null) continue;
    const random = randomFrom(seed + checked);
    let text = original;
    let parsed = parsers.parse('gas', text);
    for (let round = 0; round < rounds; round++) {
      text = round % 5 === 0 ? original : text;
      text = mutated(text, random);
      const what = `${name} of ${release}, seed ${seed}, round ${round}`;
      try {
        parsed = parsers.reparse(parsed, text);
        const fresh = parsers.parse('gas', text);
        if (shown(asmItems(parsed)) !== shown(asmItems(fresh))) failures.push(`${what}: the incremental parse differs from a fresh one`);
        parsers.release(fresh);
        const read = (path) => (path === file ? text : disk(path));
        const configuration = presetConfiguration(release);
        const again = preprocess(file, { read }, configuration);
        const alone = preprocess(file, { read: (path) => (path === file ? `${text}` : disk(path)) }, { ...configuration });
        if (shown(again.items) !== shown(alone.items)) failures.push(`${what}: the expansion differs from a fresh one`);
      } catch (error) {
        failures.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
        parsed = parsers.parse('gas', text);
      }
      checked++;
    }
    parsers.release(parsed);
  }
}
for (const failure of failures.slice(0, 20)) console.error(failure);
console.log(`${checked} mutated files, seed ${seed}: ${failures.length} failures`);
process.exit(failures.length === 0 && checked > 0 ? 0 : 1);
