// Findings of two kernel trees side by side: what a change fixes and breaks, and where the way of a counterexample parts.
// Pure text and values.
import type { Finding } from '../rules/finding.ts';
import type { Divergence } from '../review/divergence.ts';
import { divergenceJson, divergenceText } from './compare.ts';
import type { JsonDivergence } from './compare.ts';
import type { Locate } from './places.ts';

export interface ComparedFinding {
  readonly finding: Finding;
  readonly change: 'newly broken' | 'still broken' | 'fixed';
  /** `same`: the other tree goes the same way to its end; null where nothing is followed. */
  readonly divergence: Divergence | 'same' | null;
}

const indent = '    ';

/** `leads` is the tree that the finding is in, `follows` the other one. */
export function findingDivergenceText({ divergence }: ComparedFinding, leads: string, follows: string, locate: Locate): readonly string[] {
  if (divergence === null) return [];
  if (divergence === 'same') return [`${indent}note: the counterexample of ${leads} is a way of ${follows} too, step by step: what differs is nothing that a trace tells`];
  return [`${indent}note: the counterexample of ${leads}, followed in ${follows}, parts at step ${divergence.step}`, ...divergenceText(divergence, follows, locate)];
}

/** `1 newly broken, 0 still broken, 2 fixed`. */
export function treesSummary(compared: readonly ComparedFinding[]): string {
  return (['newly broken', 'still broken', 'fixed'] as const).map((change) => `${compared.filter((one) => one.change === change).length} ${change}`).join(', ');
}

export interface JsonComparedFinding {
  readonly change: ComparedFinding['change'];
  readonly rule: string;
  readonly severity: string;
  readonly file: string;
  readonly line: number;
  readonly message: string;
  readonly followed: 'parts' | 'same' | 'not followed';
  readonly divergence: JsonDivergence | null;
}

export function findingJson({ finding: { rule, severity, place, message }, change, divergence }: ComparedFinding, locate: Locate): JsonComparedFinding {
  const { file, line } = locate(place);
  const parted = divergence === null || divergence === 'same' ? null : divergence;
  return { change, rule, severity, file, line, message, followed: parted !== null ? 'parts' : divergence === 'same' ? 'same' : 'not followed', divergence: parted === null ? null : divergenceJson(parted, locate) };
}
