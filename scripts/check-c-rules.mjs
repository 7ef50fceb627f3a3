// Judges the C entry code of kernel trees: a clean tree has no finding but those that docs/findings.md documents, and
// every planted bug of the corpus is found by a rule at the place of its edit. Trees are never changed: edits are laid
// over them in memory. Usage: node scripts/check-c-rules.mjs TREE... [--corpus FOLDER] [--only ID] [--verbose]
import { buildSync } from 'esbuild';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { designMutants } from './c-rules/design-mutants.mjs';
import { editedDesign, findingsOf } from './c-rules/designs.mjs';
import { isOf, mutants, mutateTree } from './c-rules/mutants.mjs';
import { mutants as assembler } from './entry-paths/mutant-table.mjs';
import { isTried, plant } from './corpus-edits.mjs';
import { documented } from './documented.mjs';

const { values, positionals: trees } = parseArgs({
  allowPositionals: true,
  options: { corpus: { type: 'string', default: process.env.ENTRYCHECK_CORPUS ?? '' }, only: { type: 'string' }, verbose: { type: 'boolean', default: false } },
});
if (trees.length === 0) {
  console.error('usage: check-c-rules.mjs TREE... [--corpus FOLDER] [--only ID] [--verbose]');
  process.exit(2);
}

/** Groups of the corpus whose bugs lie in C or in the tables, and single bugs of other groups. */
const groups = /^(?:DBG|MC|SEV|TDX|APF|ENT|EXIT|FRED|I32|CTL)-|^(?:GS-07|GS-11|NMI-07|NMI-11|STK-01|STK-05|FLG-09|FLG-11|FLG-13)$/;
/** Lines between an edit and a finding that still points at it; a finding in the same function does as well. */
const NEAR = 12;

const scratch = mkdtempSync(join(tmpdir(), 'c-rules-'));
const outfile = join(scratch, 'core.cjs');
buildSync({
  stdin: {
    contents: `export { judgeTree } from './review/tree.ts'; export { createTreeReader } from './tree/build.ts'; export { RULES } from './rules/index.ts'; export { createParsers } from './syntax/parser.ts';
      export { createCParser } from './syntax/c.ts'; export { presetConfiguration, variants } from './preprocess/configurations.ts'; export { releaseOf } from './preprocess/choose-configuration.ts';
      export { createReview } from './review.ts'; export { emptyConfiguration } from './preprocess/configurations.ts';`,
    resolveDir: 'server/src/core',
    loader: 'ts',
  },
  bundle: true, platform: 'node', format: 'cjs', outfile, logLevel: 'warning', alias: { 'web-tree-sitter': './node_modules/web-tree-sitter/web-tree-sitter.cjs' },
});
const core = createRequire(import.meta.url)(outfile);
const { judgeTree, createTreeReader, RULES, createParsers, createCParser, presetConfiguration, variants, releaseOf } = core;
rmSync(scratch, { recursive: true });
const grammars = {
  core: readFileSync('node_modules/web-tree-sitter/web-tree-sitter.wasm'),
  gas: readFileSync('grammars/tree-sitter-gas.wasm'),
  c: readFileSync('node_modules/tree-sitter-c/tree-sitter-c.wasm'),
};
const parsers = await createParsers(grammars);
const reader = createTreeReader(createCParser(parsers));

let passed = 0;
let failed = 0;
const report = (ok, text) => {
  if (ok) passed++;
  else failed++;
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${text}`);
};

/** A tree on disk, each file read once, with texts laid over it. */
const texts = new Map();
function sourceOf(tree, over = new Map()) {
  return {
    read: (path) => {
      if (over.has(path)) return over.get(path);
      const file = join(tree, path);
      if (!texts.has(file)) texts.set(file, existsSync(file) ? readFileSync(file, 'utf8') : null);
      return texts.get(file);
    },
    list: (folder) => (existsSync(join(tree, folder)) ? readdirSync(join(tree, folder)) : []),
  };
}

const lineOf = (text, offset) => text.slice(0, offset).split('\n').length;
const release = (tree) => releaseOf(`${tree}/`, { read: (path) => (existsSync(path) ? readFileSync(path, 'utf8') : null) });
const configurationsOf = (tree) => [...variants, '32-bit'].map((variant) => presetConfiguration(`${release(tree)}:${variant}`));

function judge(tree, over, rules = RULES) {
  const source = sourceOf(tree, over);
  const { findings, coverage } = judgeTree({ source, root: '', design: false }, configurationsOf(tree), reader, rules);
  return { coverage, findings: findings.map((finding) => {
    const text = source.read(finding.place.file) ?? '';
    const line = lineOf(text, finding.place.span.start);
    return { ...finding, line, name: functionAt(text, line) };
  }) };
}

/** The function or assembler macro that holds a line: from its head at the start of a line to the closing brace there. */
function functionAt(text, line) {
  const lines = text.split('\n');
  for (let at = Math.min(line, lines.length) - 1; at >= 0; at--) {
    if (at < line - 1 && lines[at].startsWith('}')) return '';
    const macro = /^\s*\.macro\s+(\w+)/.exec(lines[at]);
    if (macro !== null) return macro[1];
    const found = /^(?:[A-Za-z_][\w *]*?\b)?(\w+)\(/.exec(lines[at]);
    if (found !== null && !/;\s*$/.test(lines[at]) && !/^(?:if|for|while|switch|return)\b/.test(lines[at])) return /^(?:DEFINE|SYM)_\w+$/.test(found[1]) ? (/\((\w+)\)/.exec(lines[at])?.[1] ?? '') : found[1];
  }
  return '';
}

const expected = documented().filter(({ stub }) => !stub);
const clean = new Map();
for (const tree of trees) {
  const { findings, coverage } = judge(tree, undefined);
  const version = release(tree);
  clean.set(tree, findings);
  const source = sourceOf(tree);
  const known = expected.filter((one) => one.version === version);
  const surplus = findings.filter((finding) => !known.some((one) => one.rule === finding.rule && one.file === finding.place.file && one.name === functionAt(source.read(finding.place.file), finding.line)));
  const missing = known.filter((one) => !findings.some((finding) => one.rule === finding.rule && one.file === finding.place.file));
  for (const { configuration, files, functions, unreadable, calls, cap } of coverage) {
    console.log(`       ${configuration}: ${files} files, ${functions} functions judged, ${unreadable.length} read in part; of ${calls.inView + calls.known + calls.unresolved} calls ${calls.inView} are in view, ${calls.known} have a row, ${calls.unresolved} are unresolved${cap === null ? '' : `; ${cap}`}`);
  }
  report(surplus.length === 0 && missing.length === 0, `${basename(tree)}: ${findings.length} findings, ${known.length} documented`);
  for (const finding of surplus) console.log(`         not documented: ${finding.place.file}:${finding.line} ${finding.severity} ${finding.message} [${finding.rule}] (${finding.variants.join(', ')})`);
  for (const one of missing) console.log(`         documented and not found: ${one.rule} in ${one.file}`);
}

/** What a changed tree has that the clean one has not. */
function freshFindings(tree, over, rules = RULES) {
  // A rule for designs judges the tree as if it were one.
  const only = rules.length === 1 && rules[0].designsOnly === true ? [{ ...rules[0], designsOnly: false }] : null;
  const before = only === null ? clean.get(tree) : judge(tree, undefined, only).findings;
  return judge(tree, over, only ?? rules).findings.filter((finding) => !before.some((one) => one.rule === finding.rule && one.message === finding.message && one.place.file === finding.place.file && one.name === finding.name));
}

// Mutants: each must be found by its own rule, in the function that was changed or within a few lines of the change.
const byRule = new Map();
/** Counts a mutant of a rule, and whether the rule found it. */
function count(kind, rule, found) {
  const key = `${kind} ${rule}`;
  const { all, right } = byRule.get(key) ?? { all: 0, right: 0 };
  byRule.set(key, { all: all + 1, right: right + (found ? 1 : 0) });
}
for (const mutant of mutants) {
  if (values.only !== undefined && values.only !== mutant.rule) continue;
  for (const tree of trees) {
    if (!isOf(mutant, release(tree))) continue;
    const made = mutateTree(sourceOf(tree).read, mutant);
    if (made === null) {
      if (isOlder(release(tree))) continue;
      report(false, `mutant | ${mutant.rule} | ${basename(tree)} ${mutant.files[0]} ${mutant.name ?? 'table'}: its pattern is not there`);
      continue;
    }
    const fresh = freshFindings(tree, new Map([[made.file, made.text]]), RULES.filter(({ name }) => name === mutant.rule));
    const own = fresh.filter((finding) => finding.rule === mutant.rule && finding.place.file === made.file && (finding.name === mutant.shown || Math.abs(finding.line - made.line) <= NEAR || functionAt(made.text, made.line) === finding.name));
    count('tree', mutant.rule, own.length > 0);
    report(own.length > 0, `mutant | ${mutant.rule} | ${basename(tree)} ${made.file}:${made.line} ${mutant.name ?? 'table'} | ${own.map(({ line }) => line).join(', ') || '-'}`);
    if (own.length === 0 || values.verbose) for (const finding of fresh) console.log(`         ${finding.place.file}:${finding.line} ${finding.message} [${finding.rule}]`);
  }
}
// Mutants of the designs: each is found by its own rule, at the line that is named, and that rule is silent on the design
// as it is in the same scenario.
for (const mutant of designMutants) {
  if (values.only !== undefined && values.only !== mutant.rule) continue;
  const title = `mutant | ${mutant.rule} | design ${mutant.design}: ${mutant.name}`;
  const files = editedDesign(mutant);
  if (files === null) {
    report(false, `${title}: the line to edit is not there`);
    continue;
  }
  const before = (await findingsOf(core, grammars, mutant.design, editedDesign({ ...mutant, edits: [] }), mutant.scenario)).filter(({ rule }) => rule === mutant.rule);
  const told = await findingsOf(core, grammars, mutant.design, files, mutant.scenario);
  const own = told.filter(({ rule, text }) => rule === mutant.rule && (mutant.line === null || text.includes(mutant.line)));
  count('design', mutant.rule, own.length > 0);
  report(own.length > 0 && before.length === 0, `${title} | ${[...new Set(own.map(({ line }) => line))].join(', ') || '-'}${before.length > 0 ? ' | the design as it is has the finding too' : ''}`);
  if (own.length === 0 || values.verbose) for (const one of told) console.log(`         ${one.file}:${one.line} ${one.message} [${one.rule}]`);
}

/** Spans of the lines that an edit changes, in the text after it. */
function changedLines(text, edit) {
  let prefix = 0;
  while (prefix < edit.old.length && prefix < edit.new.length && edit.old[prefix] === edit.new[prefix]) prefix++;
  const start = lineOf(text, text.indexOf(edit.old) + prefix);
  return [start, start + edit.new.slice(prefix).split('\n').length - 1];
}

if (values.corpus === '') console.log('not run: planted bugs, for want of --corpus FOLDER or ENTRYCHECK_CORPUS');
else {
  const corpus = JSON.parse(readFileSync(join(values.corpus, 'planted.json'), 'utf8')).filter(({ id }) => groups.test(id) && (values.only === undefined || id === values.only));
  for (const bug of corpus) {
    const own = trees.filter((one) => isTried(bug, release(one)));
    if (own.length === 0) console.log(`not run: ${bug.id}, for want of a tree of ${bug.tree}`);
    for (const tree of own) tryPlanted(bug, tree);
  }
}

/** Releases before those that the mutants were written for: what they have not is not edited. */
function isOlder(version) {
  return Number(version.split('.')[0]) < 6;
}

/** A bug of the corpus in a tree: found at its edit, and nothing found where it is harmless. */
function tryPlanted(bug, tree) {
  const planted = plant(bug, sourceOf(tree).read);
  if (planted === null) {
    if (release(tree) === bug.tree) report(false, `${bug.id}: the edit does not apply to ${basename(tree)}`);
    else console.log(`not run: ${bug.id}, whose code is not in ${basename(tree)}`);
    return;
  }
  const over = planted.edited;
  const places = planted.edits.map((edit) => ({ file: edit.file, lines: changedLines(edit.before, edit) }));
  const fresh = freshFindings(tree, over);
  if (bug.kind === 'control') {
    report(fresh.length === 0, `${bug.id} | ${basename(tree)} | silent as it must be`);
    for (const finding of fresh) console.log(`         ${finding.place.file}:${finding.line} ${finding.message} [${finding.rule}]`);
    return;
  }
  const text = (file) => over.get(file) ?? sourceOf(tree).read(file);
  // What `check` does not show unless it is asked for hints is not found.
  const right = fresh.filter((finding) => finding.severity !== 'hint' && places.some(({ file, lines: [from, to] }) => file === finding.place.file && ((finding.line >= from - NEAR && finding.line <= to + NEAR) || functionAt(text(file), from) === functionAt(text(file), finding.line))));
  report(right.length > 0, `${bug.id} | ${basename(tree)} | ${[...new Set(right.map(({ rule }) => rule))].join(', ') || '-'} | ${right.map(({ place, line }) => `${place.file}:${line}`).join(', ') || '-'} (edit at ${places.map(({ file, lines }) => `${file}:${lines[0]}`).join(', ')}) | ${right.flatMap(({ premises }) => premises).length} premises | ${bug.title}`);
  for (const finding of fresh) {
    if (!values.verbose && right.includes(finding)) continue;
    console.log(`         ${right.includes(finding) ? '' : 'elsewhere: '}${finding.place.file}:${finding.line} ${finding.severity} ${finding.message} [${finding.rule}]`);
    if (values.verbose) for (const { fact } of finding.premises) console.log(`           premise: ${fact}`);
  }
}

// Every rule with its mutants: those of this check as found of tried, those of the entry stubs as listed for
// scripts/check-entry-paths.mjs, which counts what it finds. A rule without any would be a rule that nothing tests.
if (values.only === undefined && trees.some((tree) => !isOlder(release(tree)))) {
  const dash = (rule, kind) => (byRule.has(`${kind} ${rule}`) ? `${byRule.get(`${kind} ${rule}`).right} of ${byRule.get(`${kind} ${rule}`).all}` : '-');
  console.log('rule | id | C code of trees | designs | entry stubs');
  for (const { name, id } of RULES) {
    const stubs = assembler.filter(({ expect }) => expect.includes(name)).length;
    console.log(`${name} | ${id} | ${dash(name, 'tree')} | ${dash(name, 'design')} | ${stubs === 0 ? '-' : `${stubs} listed`}`);
    const right = ['tree', 'design'].reduce((sum, kind) => sum + (byRule.get(`${kind} ${name}`)?.right ?? 0), stubs);
    if (right === 0) report(false, `${name}: no mutant names it`);
  }
}

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
