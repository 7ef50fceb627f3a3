// Parses the assembler files of unpacked kernel trees and holds the grammar to its budget: no ERROR or MISSING node in
// the entry code, at most one line in a hundred inside one anywhere, an edit in entry_64.S in a part of the time that parsing it anew takes.
// Usage: node scripts/check-grammar-kernels.mjs TREE... (folders with arch/x86 below them).
import { build } from 'esbuild';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';

const trees = process.argv.slice(2);
if (trees.length === 0) {
  console.error('usage: node scripts/check-grammar-kernels.mjs TREE...');
  process.exit(2);
}
const SPOTLESS = /^(entry\/([^/]+\.S|calling\.h)|include\/asm\/idtentry\.h|kernel\/(head_64|relocate_kernel_64|ftrace_64)\.S|(lib|xen)\/.*\.S|kvm\/(vmx|svm)\/vmenter\.S)$/;
const SHARE = 0.01;
/** Most of an edit, of a parse of the whole file in the same run. */
const EDIT = 0.5;

const { createParsers, halfFor } = await loadSyntax();
const parsers = await createParsers({
  core: readFileSync('node_modules/web-tree-sitter/web-tree-sitter.wasm'),
  gas: readFileSync('grammars/tree-sitter-gas.wasm'),
  c: readFileSync('node_modules/tree-sitter-c/tree-sitter-c.wasm'),
});

let failed = false;
console.log('tree        files    lines  in ERROR   share  entry files  in ERROR  parse all  slowest file          edit');
for (const tree of trees) {
  const root = join(tree, 'arch/x86');
  if (!existsSync(root)) {
    console.error(`${tree}: no arch/x86 below it`);
    process.exit(2);
  }
  const all = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.S') && !entry.name.endsWith('.lds.S'))
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .concat(['entry/calling.h', 'include/asm/idtentry.h'])
    .toSorted();
  const total = { lines: 0, bad: 0, entry: 0, entryBad: 0, time: 0, slowest: { path: '', time: 0 } };
  for (const path of all) {
    const text = halfFor('gas', readFileSync(join(root, path), 'latin1'));
    const start = performance.now();
    const parsed = parsers.parse('gas', text);
    const time = performance.now() - start;
    const bad = linesInError(parsed.root, text);
    parsers.release(parsed);
    total.lines += text.split('\n').length;
    total.bad += bad.length;
    total.time += time;
    if (time > total.slowest.time) total.slowest = { path, time };
    const spotless = SPOTLESS.test(path);
    if (spotless) total.entry++;
    if (bad.length > 0) console.log(`  ${path}: ${bad.length} lines, first ${bad[0] + 1}`);
    if (spotless && bad.length > 0) {
      total.entryBad += bad.length;
      failed = true;
    }
  }
  const edit = medianEdit(readFileSync(join(root, 'entry/entry_64.S'), 'latin1'));
  if (total.bad > SHARE * total.lines || edit.share > EDIT) failed = true;
  const share = `${((100 * total.bad) / total.lines).toFixed(3)}%`;
  const slowest = `${basename(total.slowest.path)} ${total.slowest.time.toFixed(0)} ms`;
  console.log(
    `${basename(tree).padEnd(9)}${String(all.length).padStart(8)}${String(total.lines).padStart(9)}${String(total.bad).padStart(10)}${share.padStart(8)}` +
      `${String(total.entry).padStart(13)}${String(total.entryBad).padStart(10)}${`${total.time.toFixed(0)} ms`.padStart(11)}  ${slowest}  ${edit.time.toFixed(2)} ms, ${edit.share.toFixed(2)} of a parse`,
  );
}
if (failed) console.error('grammar: the budget is missed');
process.exit(failed ? 1 : 0);

/** The sources as they are, so that what is measured is what ships. */
async function loadSyntax() {
  const folder = mkdtempSync(join(tmpdir(), 'syntax-'));
  try {
    const outfile = join(folder, 'syntax.cjs');
    await build({
      stdin: { contents: "export * from './parser.ts'; export * from './halves.ts';", resolveDir: 'server/src/core/syntax', loader: 'ts' },
      bundle: true,
      platform: 'node',
      format: 'cjs',
      alias: { 'web-tree-sitter': './node_modules/web-tree-sitter/web-tree-sitter.cjs' },
      outfile,
      logLevel: 'warning',
    });
    return createRequire(import.meta.url)(outfile);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function linesInError(root, text) {
  const lines = new Set();
  const visit = (node) => {
    if (node.type === 'ERROR' || node.missing) {
      const first = text.slice(0, node.start).split('\n').length - 1;
      const last = first + text.slice(node.start, node.end).split('\n').length - 1;
      for (let line = first; line <= last; line++) lines.add(line);
    } else if (node.hasError()) for (const child of node.children()) visit(child);
  };
  visit(root);
  return [...lines].toSorted((a, b) => a - b);
}

/**
 * Milliseconds for one character typed into the middle of a word, at places all over the text, and the share of that in
 * the parse of the whole text just before it: the medians of each place's best of six, as other work on the machine only
 * ever adds.
 */
function medianEdit(text) {
  const words = [...text.matchAll(/\b(?:mov|call|push|pop|jmp)\w*/g)].map((match) => match.index + 3);
  const places = words.map((at) => {
    const changed = `${text.slice(0, at)}x${text.slice(at)}`;
    let whole = Infinity;
    let edit = Infinity;
    for (let round = 0; round < 6; round++) {
      const start = performance.now();
      const before = parsers.parse('gas', text);
      const between = performance.now();
      const after = parsers.reparse(before, changed);
      edit = Math.min(edit, performance.now() - between);
      whole = Math.min(whole, between - start);
      parsers.release(after);
    }
    return { time: edit, share: edit / whole };
  });
  const median = (of) => places.map(of).toSorted((a, b) => a - b)[places.length >> 1];
  return { time: median(({ time }) => time), share: median(({ share }) => share) };
}
