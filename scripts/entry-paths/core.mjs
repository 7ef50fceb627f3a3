// The review's own entry-path analysis as a module that node can run, and a tree of sources whose files can be edited in
// memory: nothing is ever written to the tree.
import { buildSync } from 'esbuild';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const home = join(dirname(fileURLToPath(import.meta.url)), '../..');
const modules = [
  'syntax/parser', 'syntax/c', 'review/streams', 'review/kernel', 'review/kernel-run', 'review/kernel-review', 'review/nesting-run', 'contexts/nesting', 'contexts/nesting-dead', 'contexts/nesting-exploration', 'contexts/nesting-faults', 'contexts/nesting-starts', 'contexts/unreached', 'contexts/entry-start', 'contexts/shapes', 'explore/explorer', 'kernel/variants',
  'preprocess/configurations', 'preprocess/choose-configuration', 'base/span', 'rules/path-vocabulary',
];

export async function loadCore() {
  const scratch = mkdtempSync(join(tmpdir(), 'entry-paths-'));
  const outfile = join(scratch, 'core.cjs');
  const contents = [...modules.map((name) => `export * from './${name}.ts';`), "export { RULES } from './rules/index.ts';", "export * from '../testing/mutants.ts';"].join('\n');
  buildSync({ stdin: { contents, resolveDir: join(home, 'server/src/core'), loader: 'ts' }, bundle: true, platform: 'node', format: 'cjs', outfile, logLevel: 'warning', alias: { 'web-tree-sitter': join(home, 'node_modules/web-tree-sitter/web-tree-sitter.cjs') } });
  const core = createRequire(import.meta.url)(outfile);
  rmSync(scratch, { recursive: true });
  const parsers = await core.createParsers({
    core: readFileSync(join(home, 'node_modules/web-tree-sitter/web-tree-sitter.wasm')),
    gas: readFileSync(join(home, 'grammars/tree-sitter-gas.wasm')),
    c: readFileSync(join(home, 'node_modules/tree-sitter-c/tree-sitter-c.wasm')),
  });
  return { ...core, parseC: core.createCParser(parsers) };
}

/** The texts of a tree as they lie on the disk, each read once. */
export function diskOf() {
  const texts = new Map();
  return (path) => {
    if (!texts.has(path)) texts.set(path, statSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path, 'utf8') : null);
    return texts.get(path);
  };
}

/** A tree whose files `edited` (path below the root to text) replace those on the disk. */
export function createTree(core, root, disk, edited = new Map()) {
  const below = root.endsWith('/') ? root : `${root}/`;
  const read = (path) => (path.startsWith(below) ? edited.get(path.slice(below.length)) : undefined) ?? disk(path);
  const streamsFor = (configuration) => core.createStreams({ read }, configuration, core.parseC);
  return {
    root: below,
    read,
    /** The programs that the review makes of the tree: default configuration, guests, FRED. */
    programs: () => core.createKernelTrees(streamsFor(null), streamsFor).programsOf(below),
    /** One program, of a configuration by name. */
    program: (name, delivery) => {
      const configuration = core.presetConfiguration(name);
      if (configuration === null) throw new Error(`there is no configuration ${name}`);
      const made = core.linkKernel(below, streamsFor(configuration), delivery);
      return made === null ? null : { program: made.program, configuration: delivery === 'fred' ? `${name}, FRED` : name, variants: delivery === 'fred' ? core.FRED_VARIANTS : core.IDT_VARIANTS, beside: false };
    },
    lineOf: (file, offset) => (read(file) ?? '').slice(0, offset).split('\n').length,
  };
}

/** Reviews one program to its end, or until `enough` holds of what is found so far: its findings with the steps it took. */
export function reviewProgram(core, tree, kernel, rules = core.RULES, enough = null) {
  const started = Date.now();
  const review = core.createKernelReview([kernel], rules, { text: tree.read, annotations: [] });
  const found = () => review.exploration().reports().flatMap((report) => report.findings);
  while (!review.advance(20_000) && !(enough !== null && enough(found())));
  const reports = review.exploration().reports();
  return {
    run: review.runs[0],
    reports,
    findings: reports.flatMap((report) => report.findings),
    inconclusive: reports.filter((report) => report.verdict === 'inconclusive' || report.boundsHit.length > 0),
    seconds: (Date.now() - started) / 1000,
  };
}

/** The place of a finding, and those that it says have a part in it or show the same. */
export function placesOf(tree, finding) {
  return [finding.place, ...finding.related.map((one) => one.place)].map((place) => ({ file: place.file.slice(tree.root.length), line: tree.lineOf(place.file, place.span.start) }));
}

export const traceLength = (finding) => (finding.trace === null ? 0 : finding.trace.steps.reduce((sum, step) => sum + step.steps, 0));

/** The release whose presets a tree is read with. */
export const releaseOf = (core, root, disk) => core.releaseOf(root.endsWith('/') ? root : `${root}/`, { read: disk });

export const configurations = (core, root, disk) => {
  const release = releaseOf(core, root, disk);
  const all = ['', ':nopti', ':minimal', ':xenpv+sev+tdx+fred'].map((variant) => ({ name: release + variant, delivery: 'idt' }));
  return disk(`${root}/arch/x86/entry/entry_64_fred.S`) === null ? all : [...all, { name: `${release}:xenpv+sev+tdx+fred`, delivery: 'fred' }];
};
