// Findings of the C entry code that a file belongs to: a kernel tree in the configurations of its release, or the C
// files of a design's folder. Kept for as long as every text that was read stays the same.
import { presetConfiguration } from '../preprocess/configurations.ts';
import type { Configuration, FileSource } from '../preprocess/stream.ts';
import type { Workspace } from '../review-types.ts';
import { RULES } from '../rules/index.ts';
import type { Finding } from '../rules/finding.ts';
import type { CTranslationUnit } from '../syntax/c-syntax.ts';
import { createTreeReader } from '../tree/build.ts';
import { entryAssembler, isEntryFile } from '../tree/files.ts';
import type { Tree, TreeCoverage, TreeSource } from '../tree/tree.ts';
import { isCurrent } from './streams.ts';
import type { Read, Streams } from './streams.ts';
import { judgeTree } from './tree.ts';
import type { TreeSubject, TreeVerdict } from './tree.ts';

/** Where a tree has no configuration of its own: with what it is by default, with every entry there is, and with least. */
const matrix = ['pti', 'xenpv+sev+tdx+fred', 'minimal'];

interface Subject extends Omit<TreeSubject, 'source'> {
  readonly configurations: readonly Configuration[];
}

/** C entry code as the review asks for it, by a file that belongs to it. */
export interface TreeReview {
  /** The findings in one file; empty where no rule examines it. */
  readonly findings: (file: string) => readonly Finding[];
  /** The code in each configuration that it is judged in, the chosen one first; empty for a file that belongs to none. */
  readonly trees: (file: string) => readonly Tree[];
  /** What was judged, by configuration. */
  readonly coverage: (file: string) => readonly TreeCoverage[];
}

export function createTreeReview(workspace: Workspace, source: FileSource, streams: Streams, parse: (text: string) => CTranslationUnit): TreeReview {
  const reader = createTreeReader(parse);
  const kept = new Map<string, Read<TreeVerdict>>();
  const keptTrees = new Map<string, Read<readonly Tree[]>>();

  function subjectOf(file: string): Subject | null {
    const { root, configuration } = streams.chosen(file);
    if (root === null) return /\.[chS]$/.test(file) ? { root: file.slice(0, file.lastIndexOf('/') + 1), design: true, configurations: [configuration] } : null;
    const below = file.slice(root.length);
    if (!isEntryFile(below) && !entryAssembler.includes(below)) return null;
    const release = /^(.*):pti$/.exec(configuration.name)?.[1];
    return { root, design: false, configurations: release === undefined ? [configuration] : matrix.flatMap((variant) => presetConfiguration(`${release}:${variant}`) ?? []) };
  }

  /** A design that declares its handlers is run: what is wrong with it shows with a trace, and is said once. */
  function simulated(root: string): boolean {
    return workspace.list(root === '' ? '' : root.slice(0, -1)).some((name) => /\.[chS]$/.test(name) && /xctx: (?:handler|guard|defers-to|clears)\b/.test(source.read(root + name) ?? ''));
  }

  /** Notes every text that `make` is given, so that what it makes is kept for as long as they are the same. */
  function noted<T>(root: string, make: (from: TreeSource) => T): Read<T> {
    const reads = new Map<string, string | null>();
    const from: TreeSource = {
      read: (path) => {
        const whole = root + path;
        const known = reads.get(whole);
        if (known !== undefined) return known;
        const text = source.read(whole);
        reads.set(whole, text);
        return text;
      },
      list: (folder) => workspace.list(folder === '' && root !== '/' ? root.slice(0, -1) : root + folder),
    };
    return { value: make(from), reads };
  }

  function once<T>(memo: Map<string, Read<T>>, subject: Subject, make: (from: TreeSource) => T): T {
    const key = `${subject.root}|${subject.configurations.map(({ name }) => name).join('|')}`;
    const before = memo.get(key);
    if (before !== undefined && isCurrent(before, source)) return before.value;
    const made = noted(subject.root, make);
    memo.set(key, made);
    return made.value;
  }

  function judgedAt(file: string): TreeVerdict | null {
    const subject = subjectOf(file);
    if (subject === null || (subject.design && simulated(subject.root))) return null;
    return once(kept, subject, (from) => judgeTree({ ...subject, source: from }, subject.configurations, reader, RULES));
  }

  return {
    findings: (file) => (/\.[ch]$/.test(file) ? judgedAt(file) : null)?.findings.filter((finding) => finding.place.file === file) ?? [],
    coverage: (file) => judgedAt(file)?.coverage ?? [],
    trees: (file) => {
      const subject = subjectOf(file);
      return subject === null ? [] : once(keptTrees, subject, (from) => subject.configurations.map((configuration) => reader(from, subject.root, subject.design, configuration)));
    },
  };
}
