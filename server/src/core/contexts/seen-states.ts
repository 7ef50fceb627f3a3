// States that a path has been in where paths may meet: found again by what they hold. Made for few states a path, most of
// which never meet another: nothing of a state is numbered or copied.
import type { Cpu, Frame, Saved, State } from '../machine/state.ts';

export interface SeenStates {
  /** True the first time; `values` and `wrong` are what else has to be equal. */
  readonly isNew: (state: State, values: readonly number[], wrong: boolean) => boolean;
}

interface Entry {
  readonly state: State;
  readonly values: readonly number[];
  readonly wrong: boolean;
}

export function createSeenStates(): SeenStates {
  const byHash = new Map<number, Entry[]>();
  return {
    isNew: (state, values, wrong) => {
      const hash = hashOf(state);
      const entries = byHash.get(hash);
      if (entries === undefined) {
        byHash.set(hash, [{ state, values, wrong }]);
        return true;
      }
      if (entries.some((entry) => entry.wrong === wrong && same(entry.values, values) && sameState(entry.state, state))) return false;
      entries.push({ state, values, wrong });
      return true;
    },
  };
}

function hashOf({ node, registers, flags }: State): number {
  let hash = Math.imul(node, 0x9e3779b1) ^ flags.id;
  for (const { id } of registers) hash = Math.imul(hash ^ id, 0x01000193);
  return hash;
}

function same<T>(left: readonly T[], right: readonly T[]): boolean {
  if (left === right) return true;
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index += 1) if (left[index] !== right[index]) return false;
  return true;
}

/** Words are one object where they are equal. */
export function sameState(left: State, right: State): boolean {
  return (
    left.node === right.node &&
    left.flags === right.flags &&
    left.ended === right.ended &&
    same(left.registers, right.registers) &&
    sameCpu(left.cpu, right.cpu) &&
    (left.memory === right.memory || (left.memory.length === right.memory.length && left.memory.every((slots, region) => same(slots, right.memory[region] ?? [])))) &&
    sameFrames(left.frames, right.frames) &&
    same(left.features, right.features) &&
    same(left.budgets, right.budgets) &&
    sameRecords(left.pending, right.pending) &&
    sameRecords(left.ghosts, right.ghosts)
  );
}

function sameRecord(left: object, right: object, apart: string): boolean {
  if (left === right) return true;
  const keys = Object.keys(left) as (keyof typeof left)[];
  return keys.length === Object.keys(right).length && keys.every((key) => key === apart || left[key] === right[key]);
}

function sameRecords(left: readonly object[], right: readonly object[]): boolean {
  return left === right || (left.length === right.length && left.every((one, index) => sameRecord(one, right[index] ?? {}, '')));
}

function sameCpu(left: Cpu, right: Cpu): boolean {
  return sameRecord(left, right, 'breakpoints') && same(left.breakpoints, right.breakpoints);
}

function sameFrames(left: readonly Frame[], right: readonly Frame[]): boolean {
  if (left === right) return true;
  return left.length === right.length && left.every((frame, index) => {
    const other = right[index];
    return other !== undefined && (frame === other || (sameRecord(frame, other, 'saved') && sameSaved(frame.saved, other.saved)));
  });
}

function sameSaved(left: Saved, right: Saved): boolean {
  return sameRecord(left, right, 'registers') && same(left.registers, right.registers);
}
