// The entry code that a file belongs to, run by its paths: that of its kernel tree, or the stubs that its unit has of its
// own.
import { RULES } from '../rules/index.ts';
import type { FrontEnd } from './front-end.ts';
import { createKernelReview, hasStubs, unitVariants } from './kernel-review.ts';
import type { KernelReview } from './kernel-review.ts';
import { belongsToKernel, createKernelTrees, entryRootOf } from './kernel.ts';
import type { KernelTrees } from './kernel.ts';
import { createKernels } from './kernels.ts';
import type { Kernels } from './kernels.ts';
import { inspectionOf } from './units.ts';
import type { HeldUnit, Units } from './units.ts';

export interface EntryCode {
  readonly trees: KernelTrees;
  readonly kernels: Kernels;
  /** Root of the tree with entry code that a file or folder belongs to, or null. */
  readonly rootOf: (path: string) => string | null;
  /** Whether contexts of a file come from the entry paths of a whole kernel tree. Links nothing. */
  readonly inKernel: (path: string) => boolean;
  /** That of the tree that a file or folder belongs to, null where it belongs to none. */
  readonly ofKernel: (path: string) => KernelReview | null;
  /** The stubs that a unit has of its own. */
  readonly ofStubs: (unit: HeldUnit) => KernelReview | null;
  /** Either, of a file. */
  readonly ofFile: (file: string) => KernelReview | null;
}

export function createEntryCode({ documents, texts, streams, streamsWith }: FrontEnd, units: Units): EntryCode {
  const trees = createKernelTrees(streams, streamsWith);
  const kernels = createKernels(trees, documents.read);

  function ofKernel(path: string): KernelReview | null {
    const root = entryRootOf(path, streams);
    return root === null ? null : kernels.of(root);
  }

  function ofStubs(unit: HeldUnit): KernelReview | null {
    if (unit.linked.root !== null || !hasStubs(unit.linked.program)) return null;
    unit.stubs ??= createKernelReview([{ program: unit.linked.program, configuration: unit.linked.unit.name, variants: unitVariants(unit.linked.program), beside: false }], RULES, inspectionOf(unit, documents.read), null);
    return unit.stubs;
  }

  return {
    trees,
    kernels,
    rootOf: (path) => entryRootOf(path, streams),
    inKernel: (path) => belongsToKernel(path, streams, texts.read),
    ofKernel,
    ofStubs,
    ofFile: (file) => {
      const kernel = ofKernel(file);
      if (kernel !== null) return kernel;
      const unit = units.ofFile(file);
      return unit === null ? null : ofStubs(unit);
    },
  };
}
