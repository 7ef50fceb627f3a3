// What the review answers of call hierarchies: gathers the C code, the stubs and the entry paths that a file belongs to.
import type { HierarchyReview } from '../hierarchy-types.ts';
import type { Tree } from '../tree/tree.ts';
import { incoming, itemAt, needsPaths, outgoing } from './hierarchy.ts';
import type { HierarchySide } from './hierarchy-items.ts';
import type { KernelReview } from './kernel-review.ts';
import { hasEntries } from './unit.ts';
import type { LinkedUnit } from './unit.ts';

export interface HierarchySources {
  /** C code that a file belongs to, in its configurations. */
  readonly trees: (file: string) => readonly Tree[];
  /** Root of the kernel tree of a file, or null. */
  readonly root: (file: string) => string | null;
  /** The entry paths of a file's tree or unit. */
  readonly paths: (file: string) => KernelReview | null;
  readonly unit: (file: string) => LinkedUnit | null;
  readonly word: (file: string, offset: number) => string | null;
}

const STEPS_AT_ONCE = 10_000;

export function createHierarchyReview(sources: HierarchySources): HierarchyReview {
  /** The entry paths of the whole tree, whichever of its files is asked about. */
  function pathsOf(file: string): KernelReview | null {
    const root = sources.root(file);
    return sources.paths(root === null ? file : `${root}arch/x86/entry/entry_64.S`);
  }

  /** What the hierarchy of a file's code is made of, as far as it was explored. */
  function sideOf(file: string): HierarchySide {
    const trees = sources.trees(file);
    const paths = pathsOf(file);
    // Those of a design are soon run, and what its functions run in rests on them.
    if (paths !== null && sources.root(file) === null) while (!paths.advancePaths(STEPS_AT_ONCE));
    if (paths !== null) return { trees, sides: paths.programs.map((kernel, index) => ({ kernel, run: paths.runs[index] ?? null })), explored: paths.advancePaths(0) };
    const linked = sources.unit(file);
    if (linked === null || linked.root !== null || !hasEntries(linked)) return { trees, sides: [], explored: true };
    return { trees, sides: [{ kernel: { program: linked.program, configuration: linked.unit.name, variants: [], beside: false }, run: null }], explored: false };
  }

  return {
    hierarchyAt: (file, offset) => {
      const word = sources.word(file, offset);
      return word === null ? null : itemAt(sideOf(file), word, file);
    },
    incoming: (file, key) => incoming(sideOf(file), key),
    outgoing: (file, key) => outgoing(sideOf(file), key),
    prepareHierarchy: (file, key, steps) => !needsPaths(key) || (pathsOf(file)?.advancePaths(steps) ?? true),
  };
}
