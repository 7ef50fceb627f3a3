// What the review answers of contexts: in entry code from its paths, in a design from the bounded exploration of its unit.
import type { ContextInfo, ContextReview } from '../context-types.ts';
import { contextAsBefore } from './as-before.ts';
import { contextChanges } from './context-changes.ts';
import { createContexts } from './contexts.ts';
import type { EntryCode } from './entry-code.ts';
import type { FrontEnd } from './front-end.ts';
import { hasEntries } from './unit.ts';
import type { HeldUnit, Units } from './units.ts';

/** Steps of entry paths that a hover may wait for. */
const STEPS_AT_ONCE = 10_000;

export function createContextReview({ texts }: FrontEnd, units: Units, entryCode: EntryCode): ContextReview {
  function inDesign(file: string, offset: number): ContextInfo | null {
    const at = (unit: HeldUnit): ((offset: number) => ContextInfo | null) => (unit.contexts ??= createContexts(unit.linked.program)).at.bind(null, file);
    const before = units.ofCode(file);
    if (before === null || !hasEntries(before.linked)) return null;
    const info = contextAsBefore(before.linked.reads, texts.read, file, offset, at(before));
    if (info !== undefined) return info;
    const now = units.ofFile(file);
    return now === null ? null : at(now)(offset);
  }

  return {
    contextAt: (file, offset) => {
      const kernel = entryCode.ofKernel(file);
      if (kernel === null) return inDesign(file, offset);
      const finished = kernel.advanceAt(file, offset, [], STEPS_AT_ONCE);
      const info = kernel.contextAt(file, offset);
      if (info === null || finished) return info;
      return { ...info, unknown: ['more contexts are still being explored'], silence: info.rows.length > 0 ? null : 'not reached so far: the exploration is still running' };
    },
    knownContext: (file, offset) => {
      const root = entryCode.rootOf(file);
      return root === null ? null : (entryCode.kernels.soFar(root)?.knownAt(file, offset) ?? null);
    },
    contextChanges: (file, span) => {
      const root = entryCode.rootOf(file);
      const kernel = root === null ? entryCode.ofFile(file) : entryCode.kernels.soFar(root);
      const text = texts.read(file);
      return kernel === null || text === null || !kernel.advanceAt(file, null, [], 0) ? null : contextChanges(kernel.programs, kernel.runs, file, text, span);
    },
    prepareContexts: (file, states) => {
      const kernel = entryCode.ofKernel(file);
      if (kernel !== null) return kernel.advanceAt(file, null, [], states * 10);
      const unit = units.ofCode(file);
      if (unit === null || !hasEntries(unit.linked)) return true;
      unit.contexts ??= createContexts(unit.linked.program);
      return unit.contexts.advance(states);
    },
    inKernelTree: entryCode.inKernel,
  };
}
