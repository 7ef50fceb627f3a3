// Findings of the C entry code that a file belongs to: a kernel tree in the configurations of its release, or the C
// files of a design's folder. Kept for as long as every text that was read stays the same. A design is judged at once, a
// tree in steps.
import { isCurrent, noted } from '../base/reads.ts';
import type { Read } from '../base/reads.ts';
import { is32, presetConfiguration } from '../preprocess/configurations.ts';
import type { Configuration, FileSource } from '../preprocess/stream.ts';
import type { Exploration, Workspace } from '../review-types.ts';
import { RULES } from '../rules/index.ts';
import type { Finding } from '../rules/finding.ts';
import type { CTranslationUnit } from '../syntax/c-syntax.ts';
import { createTreeReader } from '../tree/build.ts';
import { isEntryFile } from '../tree/files.ts';
import type { Tree, TreeCoverage, TreeSource } from '../tree/tree.ts';
import type { Streams } from './streams.ts';
import { createTreeJudging } from './tree.ts';
import type { TreeJudging, TreeSubject, TreeVerdict } from './tree.ts';

export interface TreeFindings {
  /** Findings in one C or assembler file of a design; none in a kernel tree, whose files `exploration` is about. */
  readonly inDesign: (file: string) => readonly Finding[];
  /** Judges the tree that files belong to; null where no rule examines them. */
  readonly exploration: (files: readonly string[]) => Exploration | null;
  /** Findings in files of a kernel tree and in its headers, from what `exploration` judged to its end. */
  readonly inTree: (files: readonly string[]) => readonly Finding[];
  /** The C entry code that a file belongs to in each configuration that it is judged in, the chosen one first. */
  readonly trees: (file: string) => readonly Tree[];
  /** What was judged of it so far, by configuration. */
  readonly coverage: (file: string) => readonly TreeCoverage[];
}

/** What the steps of an exploration are called. */
export const C_ENTRY_CODE = 'C entry code';

/** Assembler files and headers whose stubs call the C entry code. */
const stubs = /^arch\/x86\/entry\/[^/]+\.[Sh]$/;

/** Where a tree has no configuration of its own: with what it is by default, with every entry there is, and with least; judged for 32 bits too. */
const matrix = ['pti', 'xenpv+sev+tdx+fred', 'minimal', '32-bit'];

const besideRuns: ReadonlySet<string> = new Set(RULES.filter((rule) => rule.besideRuns === true).map(({ name }) => name));

type Subject = Omit<TreeSubject, 'source'>;
type Judging = Read<TreeJudging>;

export function createTreeFindings(workspace: Workspace, source: FileSource, streams: Streams, parse: (text: string) => CTranslationUnit): TreeFindings {
  const reader = createTreeReader(parse, (file, configuration) => (streams.chosen(file).configuration === configuration ? streams.assembler(file) : null));
  const kept = new Map<string, Read<TreeVerdict>>();
  const running = new Map<string, Judging>();
  const keptTrees = new Map<string, Read<readonly Tree[]>>();

  /** A design that declares its handlers is run: what is wrong with it shows with a trace, and is said once, but for what no run shows. */
  function simulated(root: string): boolean {
    return workspace.list(root === '' ? '' : root.slice(0, -1)).some((name) => /\.[chS]$/.test(name) && /xctx: (?:handler|guard|defers-to|clears)\b/.test(source.read(root + name) ?? ''));
  }

  function keyOf(subject: Subject, configurations: readonly Configuration[]): string {
    return `${subject.root}|${configurations.map(({ name }) => name).join('|')}`;
  }

  /** The tree below a root, every text noted that is read of it. */
  function below(root: string): { readonly from: TreeSource; readonly reads: ReadonlyMap<string, string | null> } {
    const { read, reads } = noted(source);
    return { reads, from: { read: (path) => read(root + path), list: (folder) => workspace.list(folder === '' && root !== '/' ? root.slice(0, -1) : root + folder) } };
  }

  function begin(subject: Subject, configurations: readonly Configuration[]): Judging {
    const { from, reads } = below(subject.root);
    return { value: createTreeJudging({ ...subject, source: from }, configurations, reader, RULES), reads };
  }

  function treesAt(file: string): readonly Tree[] {
    const about = subjectAt(file);
    if (about === null) return [];
    const { subject, configurations } = about;
    const key = keyOf(subject, configurations);
    const before = keptTrees.get(key);
    if (before !== undefined && isCurrent(before, source)) return before.value;
    const { from, reads } = below(subject.root);
    const value = configurations.filter((configuration) => !is32(configuration) || configurations.length === 1).map((configuration) => reader(from, subject.root, subject.design, configuration));
    keptTrees.set(key, { value, reads });
    return value;
  }

  /** The code that a file of it, its stubs included, belongs to. */
  function subjectAt(file: string): { readonly subject: Subject; readonly configurations: readonly Configuration[] } | null {
    const { root, configuration } = streams.chosen(file);
    if (root === null) return /\.[chS]$/.test(file) ? { subject: { root: file.slice(0, file.lastIndexOf('/') + 1), design: true }, configurations: [configuration] } : null;
    return treeOf(stubs.test(file.slice(root.length)) ? [file, `${root}arch/x86/mm/fault.c`] : [file]);
  }

  function current(key: string): TreeVerdict | null {
    const known = kept.get(key);
    return known !== undefined && isCurrent(known, source) ? known.value : null;
  }

  /** Goes on for a step; the verdict when that was the last. */
  function advance(subject: Subject, configurations: readonly Configuration[]): TreeVerdict | null {
    const key = keyOf(subject, configurations);
    const before = current(key);
    if (before !== null) return before;
    const under = running.get(key);
    const judging = under !== undefined && isCurrent(under, source) ? under : begin(subject, configurations);
    running.set(key, judging);
    if (!judging.value.advance()) return null;
    const value = judging.value.verdict();
    running.delete(key);
    kept.set(key, { value, reads: judging.reads });
    return value;
  }

  function inDesign(file: string): readonly Finding[] {
    const { root: tree, configuration } = streams.chosen(file);
    if (tree !== null || !/\.[chS]$/.test(file)) return [];
    const root = file.slice(0, file.lastIndexOf('/') + 1);
    const shown = simulated(root) ? (finding: Finding) => besideRuns.has(finding.rule) : () => true;
    let verdict: TreeVerdict | null = null;
    while (verdict === null) verdict = advance({ root, design: true }, [configuration]);
    return verdict.findings.filter((finding) => finding.place.file === file && shown(finding));
  }

  /** The tree of files and the configurations to judge it in. */
  function treeOf(files: readonly string[]): { readonly subject: Subject; readonly configurations: readonly Configuration[] } | null {
    const [first] = files;
    if (first === undefined) return null;
    const { root, configuration } = streams.chosen(first);
    if (root === null || !files.some((file) => isEntryFile(file.slice(root.length)))) return null;
    const release = /^(.*):pti$/.exec(configuration.name)?.[1];
    return { subject: { root, design: false }, configurations: release === undefined ? [configuration] : matrix.flatMap((variant) => presetConfiguration(`${release}:${variant}`) ?? []) };
  }

  return {
    inDesign,
    trees: treesAt,
    coverage: (file) => {
      const about = subjectAt(file);
      return (about === null ? null : current(keyOf(about.subject, about.configurations)))?.coverage ?? [];
    },
    exploration: (files) => {
      const tree = treeOf(files);
      if (tree === null) return null;
      const { subject, configurations } = tree;
      return {
        run: () => {
          const done = advance(subject, configurations) !== null;
          return { scenario: C_ENTRY_CODE, start: 'every entry', states: 0, depth: 0, done };
        },
        reports: () => [],
      };
    },
    inTree: (files) => {
      const tree = treeOf(files);
      const verdict = tree === null ? null : current(keyOf(tree.subject, tree.configurations));
      return (verdict?.findings ?? []).filter(({ place }) => files.includes(place.file) || place.file.endsWith('.h'));
    },
  };
}
