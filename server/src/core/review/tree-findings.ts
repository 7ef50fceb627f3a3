// Findings of the C entry code that a file belongs to: a kernel tree in the configurations of its release, or the C
// files of a design's folder. Kept for as long as every text that was read stays the same.
import { presetConfiguration } from '../preprocess/configurations.ts';
import type { Configuration, FileSource } from '../preprocess/stream.ts';
import type { Workspace } from '../review-types.ts';
import { RULES } from '../rules/index.ts';
import type { Finding } from '../rules/finding.ts';
import type { CTranslationUnit } from '../syntax/c-syntax.ts';
import { createTreeReader } from '../tree/build.ts';
import { isEntryFile } from '../tree/files.ts';
import type { TreeSource } from '../tree/tree.ts';
import { isCurrent } from './streams.ts';
import type { Read, Streams } from './streams.ts';
import { judgeTree } from './tree.ts';
import type { TreeSubject, TreeVerdict } from './tree.ts';

/** Where a tree has no configuration of its own: with what it is by default, with every entry there is, and with least. */
const matrix = ['pti', 'xenpv+sev+tdx+fred', 'minimal'];

/** Gives the findings in one file; empty where no rule examines it. */
export function createTreeFindings(workspace: Workspace, source: FileSource, streams: Streams, parse: (text: string) => CTranslationUnit): (file: string) => readonly Finding[] {
  const reader = createTreeReader(parse);
  const kept = new Map<string, Read<TreeVerdict>>();

  function subjectOf(file: string): { readonly root: string; readonly design: boolean } | null {
    const { root } = streams.chosen(file);
    if (root !== null) return isEntryFile(file.slice(root.length)) ? { root, design: false } : null;
    return /\.[ch]$/.test(file) ? { root: file.slice(0, file.lastIndexOf('/') + 1), design: true } : null;
  }

  /** A design that declares its handlers is run: what is wrong with it shows with a trace, and is said once. */
  function simulated(root: string): boolean {
    return workspace.list(root === '' ? '' : root.slice(0, -1)).some((name) => /\.[chS]$/.test(name) && /xctx: (?:handler|guard|defers-to|clears)\b/.test(source.read(root + name) ?? ''));
  }

  function judged(subject: Omit<TreeSubject, 'source'>, configurations: readonly Configuration[]): TreeVerdict {
    const key = `${subject.root}|${configurations.map(({ name }) => name).join('|')}`;
    const before = kept.get(key);
    if (before !== undefined && isCurrent(before, source)) return before.value;
    const reads = new Map<string, string | null>();
    const from: TreeSource = {
      read: (path) => {
        const whole = subject.root + path;
        const known = reads.get(whole);
        if (known !== undefined) return known;
        const text = source.read(whole);
        reads.set(whole, text);
        return text;
      },
      list: (folder) => workspace.list(folder === '' && subject.root !== '/' ? subject.root.slice(0, -1) : subject.root + folder),
    };
    const value = judgeTree({ ...subject, source: from }, configurations, reader, RULES);
    kept.set(key, { value, reads });
    return value;
  }

  return (file) => {
    const subject = subjectOf(file);
    if (subject === null) return [];
    if (subject.design && simulated(subject.root)) return [];
    const { configuration } = streams.chosen(file);
    const release = /^(.*):pti$/.exec(configuration.name)?.[1];
    const configurations = subject.design || release === undefined ? [configuration] : matrix.flatMap((variant) => presetConfiguration(`${release}:${variant}`) ?? []);
    return judged(subject, configurations).findings.filter((finding) => finding.place.file === file);
  };
}
