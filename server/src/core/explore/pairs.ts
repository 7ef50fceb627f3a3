// Pairs of numbers by number: equal pairs are one, so that a tree of pairs over the components of a list is one number
// too, and a list that differs in one place shares all else.

export interface Pairs {
  readonly idOf: (left: number, right: number) => number;
  readonly left: (id: number) => number;
  readonly right: (id: number) => number;
  readonly size: () => number;
}

const FIRST = 1 << 10;

/** Open addressing over typed arrays that grow by doubling, all parallel arrays together. */
export function createPairs(): Pairs {
  let limit = FIRST;
  let lefts = new Int32Array(limit);
  let rights = new Int32Array(limit);
  let table = new Int32Array(limit * 2);
  let size = 0;

  function slotFor(left: number, right: number): number {
    const wrap = table.length - 1;
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca77);
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae3d);
    let slot = (hash ^ (hash >>> 13)) & wrap;
    for (let entry = table[slot] ?? 0; entry !== 0; entry = table[slot] ?? 0) {
      if (lefts[entry - 1] === left && rights[entry - 1] === right) return slot;
      slot = (slot + 1) & wrap;
    }
    return slot;
  }

  function grow(): void {
    limit *= 2;
    const moreLefts = new Int32Array(limit);
    moreLefts.set(lefts);
    lefts = moreLefts;
    const moreRights = new Int32Array(limit);
    moreRights.set(rights);
    rights = moreRights;
    table = new Int32Array(limit * 2);
    for (let id = 0; id < size; id += 1) table[slotFor(lefts[id] ?? 0, rights[id] ?? 0)] = id + 1;
  }

  return {
    idOf: (left, right) => {
      let slot = slotFor(left, right);
      const found = table[slot] ?? 0;
      if (found !== 0) return found - 1;
      if (size === limit) {
        grow();
        slot = slotFor(left, right);
      }
      lefts[size] = left;
      rights[size] = right;
      size += 1;
      table[slot] = size;
      return size - 1;
    },
    left: (id) => lefts[id] ?? 0,
    right: (id) => rights[id] ?? 0,
    size: () => size,
  };
}

/** Lists of so many numbers as trees of pairs. */
export interface Lists {
  /** Pairs that the lists are made of. */
  readonly size: () => number;
  readonly idOf: (values: readonly number[]) => number;
  readonly at: (list: number, place: number) => number;
  /** The list with another number at a place. */
  readonly with: (list: number, place: number, value: number) => number;
}

export function createLists(length: number): Lists {
  const pairs = createPairs();
  const depth = Math.max(1, Math.ceil(Math.log2(Math.max(2, length))));

  function build(values: readonly number[], from: number, level: number): number {
    if (level === 0) return values[from] ?? 0;
    const half = 1 << (level - 1);
    return pairs.idOf(build(values, from, level - 1), build(values, from + half, level - 1));
  }

  function replaced(node: number, place: number, level: number, value: number): number {
    if (level === 0) return value;
    const half = 1 << (level - 1);
    const left = pairs.left(node);
    const right = pairs.right(node);
    if (place < half) {
      const now = replaced(left, place, level - 1, value);
      return now === left ? node : pairs.idOf(now, right);
    }
    const now = replaced(right, place - half, level - 1, value);
    return now === right ? node : pairs.idOf(left, now);
  }

  return {
    size: pairs.size,
    idOf: (values) => build(values, 0, depth),
    at: (list, place) => {
      let node = list;
      for (let half = 1 << (depth - 1); half > 0; half >>= 1) node = (place & half) === 0 ? pairs.left(node) : pairs.right(node);
      return node;
    },
    with: (list, place, value) => replaced(list, place, depth, value),
  };
}
