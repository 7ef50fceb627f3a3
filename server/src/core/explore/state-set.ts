// An exact set of packed states in insertion order, with the parent and the choice that led to each. Open addressing
// over typed arrays that grow by doubling, all parallel arrays together.

export interface StateSet {
  readonly count: () => number;
  /**
   * Index of the state at `offset` of `words`, added when it is new; negative (-1 - index) when it was there. `depth` is
   * the length of the path that led to it.
   */
  readonly add: (words: Uint32Array, offset: number, parent: number, choice: number, depth: number) => number;
  readonly has: (words: Uint32Array, offset: number) => boolean;
  readonly depthOf: (index: number) => number;
  /** Takes a shorter path to a state that is there. */
  readonly shorten: (index: number, parent: number, choice: number, depth: number) => void;
  readonly parentOf: (index: number) => number;
  readonly choiceOf: (index: number) => number;
  /** Choices from a root to the state; the root is `rootOf`. */
  readonly pathTo: (index: number) => { readonly root: number; readonly choices: readonly number[] };
  /** Bytes held by the arrays. */
  readonly bytes: () => number;
}

const FIRST_CAPACITY = 1024;

export function createStateSet(width: number, capacity = FIRST_CAPACITY): StateSet {
  let limit = capacity;
  let words = new Uint32Array(limit * width);
  let parents = new Int32Array(limit);
  let choices = new Uint16Array(limit);
  let depths = new Uint32Array(limit);
  let table = new Int32Array(tableSize(limit)).fill(-1);
  let count = 0;

  function hash(source: Uint32Array, offset: number): number {
    let value = 0x811c9dc5;
    for (let index = 0; index < width; index += 1) {
      value = Math.imul(value ^ (source[offset + index] ?? 0), 0x01000193);
      value ^= value >>> 15;
    }
    return value >>> 0;
  }

  function same(source: Uint32Array, offset: number, index: number): boolean {
    for (let at = 0; at < width; at += 1) if (source[offset + at] !== words[index * width + at]) return false;
    return true;
  }

  function grow(): void {
    limit *= 2;
    const moreWords = new Uint32Array(limit * width);
    moreWords.set(words);
    words = moreWords;
    const moreParents = new Int32Array(limit);
    moreParents.set(parents);
    parents = moreParents;
    const moreChoices = new Uint16Array(limit);
    moreChoices.set(choices);
    choices = moreChoices;
    const moreDepths = new Uint32Array(limit);
    moreDepths.set(depths);
    depths = moreDepths;
    table = new Int32Array(tableSize(limit)).fill(-1);
    for (let index = 0; index < count; index += 1) table[freeSlot(words, index * width)] = index;
  }

  function freeSlot(source: Uint32Array, offset: number): number {
    const wrap = table.length - 1;
    let slot = hash(source, offset) & wrap;
    while (table[slot] !== -1) slot = (slot + 1) & wrap;
    return slot;
  }

  /** The slot of an equal state, or the free one where it belongs. */
  function slotFor(source: Uint32Array, offset: number): number {
    const wrap = table.length - 1;
    let slot = hash(source, offset) & wrap;
    for (let index = table[slot]; index !== undefined && index !== -1; index = table[slot]) {
      if (same(source, offset, index)) return slot;
      slot = (slot + 1) & wrap;
    }
    return slot;
  }

  return {
    count: () => count,
    has: (source, offset) => table[slotFor(source, offset)] !== -1,
    add: (source, offset, parent, choice, depth) => {
      let slot = slotFor(source, offset);
      const found = table[slot] ?? -1;
      if (found !== -1) return -1 - found;
      if (count === limit) {
        grow();
        slot = freeSlot(source, offset);
      }
      for (let at = 0; at < width; at += 1) words[count * width + at] = source[offset + at] ?? 0;
      parents[count] = parent;
      choices[count] = choice;
      depths[count] = depth;
      table[slot] = count;
      count += 1;
      return count - 1;
    },
    parentOf: (index) => parents[index] ?? -1,
    choiceOf: (index) => choices[index] ?? 0,
    depthOf: (index) => depths[index] ?? 0,
    shorten: (index, parent, choice, depth) => {
      parents[index] = parent;
      choices[index] = choice;
      depths[index] = depth;
    },
    pathTo: (index) => {
      const reversed: number[] = [];
      let at = index;
      while ((parents[at] ?? -1) >= 0) {
        reversed.push(choices[at] ?? 0);
        at = parents[at] ?? -1;
      }
      return { root: -1 - (parents[at] ?? -1), choices: reversed.reverse() };
    },
    bytes: () => words.byteLength + parents.byteLength + choices.byteLength + depths.byteLength + table.byteLength,
  };
}

/** A power of two at most half full. */
function tableSize(limit: number): number {
  let size = 16;
  while (size < limit * 2) size *= 2;
  return size;
}
