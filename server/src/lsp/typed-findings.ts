// What is found while one types, kept for as long as no code is edited. Where finding takes long, the findings of before an
// edit, moved with it, stand until typing rests.
import type { Finding, Review, TextEdit } from '../core/review-types.ts';
import type { Attempt } from './attempt.ts';
import type { Clock } from './clock.ts';
import { movedFinding } from './moves.ts';
import type { Move } from './moves.ts';
import { shiftFinding } from './shift.ts';

export interface Typed {
  /** null where the review failed. */
  readonly findings: readonly Finding[] | null;
  /** The rest is told as soon as all that the file includes is read. */
  readonly partial: boolean;
}

export interface TypedFindings {
  readonly of: (file: string) => Typed;
  /** The findings for counting them, without the first look. */
  readonly counted: (file: string) => readonly Finding[];
  /** Code changed: all is looked for anew. */
  readonly outdated: () => void;
  /** The same because of edits of one file. */
  readonly edited: (file: string, edits: readonly TextEdit[]) => void;
  /** Only places changed. */
  readonly moved: (move: Move) => void;
  readonly forget: (file: string) => void;
  readonly stop: () => void;
}

/** Milliseconds: findings of typing that take longer are looked for when it rests, so that a keystroke waits for none. */
const longestFinding = 150;
const longestRest = 1000;

/** `rested` is called when findings of a file are to be looked for after all. */
export function createTypedFindings(review: Review, isOpen: (file: string) => boolean, rested: (file: string) => void, clock: Clock, attempt: Attempt): TypedFindings {
  const typed = new Map<string, readonly Finding[]>();
  /** What finding them took the last time, and what waits for typing to rest. */
  const costs = new Map<string, number>();
  const resting = new Map<string, () => void>();
  const begun = new Set<string>();

  function stopResting(file: string): void {
    resting.get(file)?.();
    resting.delete(file);
  }

  function postpone(file: string, before: readonly Finding[], edits: readonly TextEdit[], cost: number): void {
    typed.set(file, before.flatMap((finding) => shiftFinding(finding, file, edits) ?? []));
    resting.set(file, clock.after(Math.min(longestRest, cost), () => {
      resting.delete(file);
      typed.delete(file);
      rested(file);
    }));
  }

  /** The first time, what the text alone shows, and the rest behind it: reading what a file includes takes long. */
  function firstOf(file: string): Typed | null {
    if (!isOpen(file) || begun.has(file)) return null;
    begun.add(file);
    const findings = attempt<readonly Finding[] | null>(`syntax of ${file}`, () => review.syntaxFindings(file), null);
    if (findings === null) return null;
    resting.set(file, clock.after(0, () => {
      resting.delete(file);
      rested(file);
    }));
    return { findings, partial: true };
  }

  function of(file: string): Typed {
    const known = typed.get(file);
    if (known !== undefined) return { findings: known, partial: false };
    const first = firstOf(file);
    if (first !== null) return first;
    const began = clock.now();
    const found = attempt<readonly Finding[] | null>(`findings of ${file}`, () => review.quickFindings(file), null);
    if (found === null || !isOpen(file)) return { findings: found, partial: false };
    typed.set(file, found);
    // The first time everything that the file includes is read: that says nothing of an edit.
    costs.set(file, costs.has(file) ? clock.now() - began : 0);
    return { findings: found, partial: false };
  }

  return {
    of,
    counted: (file) => (costs.has(file) ? (of(file).findings ?? []) : []),
    outdated: () => typed.clear(),
    edited: (file, edits) => {
      stopResting(file);
      const before = typed.get(file);
      const cost = costs.get(file) ?? 0;
      typed.clear();
      if (before !== undefined && cost > longestFinding) postpone(file, before, edits, cost);
    },
    moved: (move) => {
      for (const [file, findings] of typed) typed.set(file, findings.map((finding) => movedFinding(finding, move)));
    },
    forget: (file) => {
      typed.delete(file);
      costs.delete(file);
      begun.delete(file);
      stopResting(file);
    },
    stop: () => {
      for (const cancel of resting.values()) cancel();
    },
  };
}
