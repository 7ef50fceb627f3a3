// What a run did to its tables, so that a later run can take it back to a mark, or do it again behind an edit.
import type { Shift } from './shift.ts';

interface Change {
  readonly table: ReadonlyMap<string, unknown> | ReadonlySet<string>;
  readonly key: string;
  readonly undo: () => void;
  readonly again: (shift: Shift) => void;
  /** Null for a name without a value. */
  readonly after: unknown;
}

export interface Journal {
  /** Sets a key, or takes it away where `value` is undefined. `moved` is the value behind an edit further up. */
  readonly put: <T>(table: Map<string, T>, key: string, value: T | undefined, moved: (value: T, shift: Shift) => T) => void;
  readonly add: (table: Set<string>, key: string) => void;
  /** Changes so far, since recording began. */
  readonly length: () => number;
  readonly record: () => void;
  /** Takes back all changes behind the first `length`, and gives them. */
  readonly rewind: (length: number) => readonly Change[];
  /** Does changes again, moved. */
  readonly replay: (changes: readonly Change[], shift: Shift) => void;
  /** Whether the changes from `mine` on are those from `theirs` on. */
  readonly since: (length: number) => readonly Change[];
}

export function newJournal(): Journal {
  const changes: Change[] = [];
  let recording = false;

  function put<T>(table: Map<string, T>, key: string, value: T | undefined, moved: (value: T, shift: Shift) => T): void {
    if (recording) {
      const before = table.get(key);
      const undo = (): void => {
        if (before === undefined) table.delete(key);
        else table.set(key, before);
      };
      changes.push({ table, key, undo, again: (shift) => put(table, key, value === undefined ? value : moved(value, shift), moved), after: value });
    }
    if (value === undefined) table.delete(key);
    else table.set(key, value);
  }

  function add(table: Set<string>, key: string): void {
    if (table.has(key)) return;
    if (recording) changes.push({ table, key, undo: () => void table.delete(key), again: () => add(table, key), after: null });
    table.add(key);
  }

  return {
    put,
    add,
    length: () => changes.length,
    record: () => {
      recording = true;
    },
    rewind: (length) => {
      const back = changes.splice(length);
      for (let at = back.length - 1; at >= 0; at -= 1) back[at]!.undo();
      return back;
    },
    replay: (again, shift) => {
      for (const one of again) one.again(shift);
    },
    since: (length) => changes.slice(length),
  };
}

/** Whether two runs changed the same things to the same values. */
export function sameChanges(left: readonly Change[], right: readonly Change[]): boolean {
  return left.length === right.length && left.every((one, at) => one.table === right[at]?.table && one.key === right[at].key && one.after === right[at].after);
}

export type Changes = readonly Change[];
