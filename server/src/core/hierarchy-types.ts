// The call hierarchy as it is told: items, and the calls between them.
import type { Place, Span } from './base/span.ts';

/** A node of the call hierarchy. */
export interface HierarchyItem {
  /** What its callers and callees are asked for with; survives edits. */
  readonly key: string;
  /** `event`: a gate or an instruction that enters; `context`: code outside the entry set; `unresolved`: not in view. */
  readonly kind: 'function' | 'handler' | 'stub' | 'event' | 'instruction' | 'context' | 'unresolved';
  readonly name: string;
  /** What is known of the contexts in which it runs. */
  readonly detail: string;
  readonly place: Place;
  /** In the file of `place`. */
  readonly nameSpan: Span;
}

export interface HierarchyCall {
  /** The caller, or the callee. */
  readonly item: HierarchyItem;
  /** Where the calls are, in the file of the caller. */
  readonly spans: readonly Span[];
}

/** What the review answers of call hierarchies. */
export interface HierarchyReview {
  /** The function or stub at an offset as the root of a call hierarchy. */
  readonly hierarchyAt: (file: string, offset: number) => HierarchyItem | null;
  /** Callers of an item, exceptions included; `file` is one of the code it was found from. */
  readonly incoming: (file: string, key: string) => readonly HierarchyCall[];
  readonly outgoing: (file: string, key: string) => readonly HierarchyCall[];
  /** Runs about `steps` further steps of what callers of an item rest on; true when that is all. */
  readonly prepareHierarchy: (file: string, key: string, steps: number) => boolean;
}
