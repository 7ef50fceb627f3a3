// Rows of objects by number: rows of the same objects in the same places are one, and a row that differs in one place from
// another is found without a look at the rest. Knows nothing of the objects but a number that each has of its own.

export interface Numbered {
  readonly id: number;
}

export type Row<T> = readonly (T | undefined)[];

export interface Rows<T> {
  readonly idOf: (row: Row<T>) => number;
  /** The row with another object at a place, which may lie behind its end. */
  readonly with: (id: number, place: number, value: T) => number;
  readonly at: (id: number) => Row<T>;
  readonly size: () => number;
}

const FIRST = 1 << 10;

function mixed(place: number, number: number): number {
  let hash = Math.imul(place + 1, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca77);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae3d);
  return hash ^ (hash >>> 13);
}

/** The hash of a row is the sum over its places, so that one place more or less is one sum; rows are compared in full. */
export function createRows<T extends Numbered>(): Rows<T> {
  const rows: Row<T>[] = [];
  let hashes = new Int32Array(FIRST);
  let table = new Int32Array(FIRST * 2);

  function hashOf(row: Row<T>): number {
    let hash = Math.imul(row.length, 0x27d4eb2f);
    for (let place = 0; place < row.length; place += 1) {
      const value = row[place];
      if (value !== undefined) hash = (hash + mixed(place, value.id)) | 0;
    }
    return hash;
  }

  function grow(): void {
    const more = new Int32Array(hashes.length * 2);
    more.set(hashes);
    hashes = more;
    table = new Int32Array(hashes.length * 2);
    const wrap = table.length - 1;
    for (let id = 0; id < rows.length; id += 1) {
      let slot = (hashes[id] ?? 0) & wrap;
      while (table[slot] !== 0) slot = (slot + 1) & wrap;
      table[slot] = id + 1;
    }
  }

  function add(row: Row<T>, hash: number): number {
    if (rows.length === hashes.length) grow();
    const wrap = table.length - 1;
    let slot = hash & wrap;
    while (table[slot] !== 0) slot = (slot + 1) & wrap;
    hashes[rows.length] = hash;
    table[slot] = rows.push(row);
    return rows.length - 1;
  }

  function at(id: number): Row<T> {
    const row = rows[id];
    if (row === undefined) throw new Error(`no row has the number ${id}`);
    return row;
  }

  return {
    at,
    size: () => rows.length,
    idOf: (row) => {
      const hash = hashOf(row);
      const wrap = table.length - 1;
      for (let slot = hash & wrap; table[slot] !== 0; slot = (slot + 1) & wrap) {
        const id = (table[slot] ?? 0) - 1;
        if (hashes[id] === hash && isSame(at(id), row)) return id;
      }
      return add(row, hash);
    },
    with: (id, place, value) => {
      const row = at(id);
      const before = row[place];
      if (before === value) return id;
      const length = Math.max(row.length, place + 1);
      let hash = ((hashes[id] ?? 0) + mixed(place, value.id)) | 0;
      if (before !== undefined) hash = (hash - mixed(place, before.id)) | 0;
      if (length !== row.length) hash = (hash + Math.imul(length, 0x27d4eb2f) - Math.imul(row.length, 0x27d4eb2f)) | 0;
      const wrap = table.length - 1;
      for (let slot = hash & wrap; table[slot] !== 0; slot = (slot + 1) & wrap) {
        const other = (table[slot] ?? 0) - 1;
        if (hashes[other] === hash && differsOnlyAt(at(other), row, place, value, length)) return other;
      }
      const after: (T | undefined)[] = row.slice();
      while (after.length < place) after.push(undefined);
      after[place] = value;
      return add(after, hash);
    },
  };
}

function isSame<T>(left: Row<T>, right: Row<T>): boolean {
  if (left.length !== right.length) return false;
  for (let place = 0; place < left.length; place += 1) if (left[place] !== right[place]) return false;
  return true;
}

function differsOnlyAt<T>(row: Row<T>, from: Row<T>, place: number, value: T, length: number): boolean {
  if (row.length !== length || row[place] !== value) return false;
  for (let at = 0; at < length; at += 1) if (at !== place && row[at] !== from[at]) return false;
  return true;
}
