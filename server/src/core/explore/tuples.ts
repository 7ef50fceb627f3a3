// Combinations of small values by number: equal combinations get the same number, in the order of their first use.

export interface Tuples {
  /** The number of the combination whose value at each place `valueOf` gives. */
  readonly idOf: (valueOf: (place: number) => number) => number;
  readonly valueAt: (id: number, place: number) => number;
  readonly size: () => number;
}

/** `ranges`: how many values each place has. */
export function createTuples(ranges: readonly number[]): Tuples {
  const width = ranges.length;
  const ids = new Map<number | string, number>();
  let values = new Int32Array(64 * Math.max(1, width));
  let size = 0;
  const next = new Int32Array(width);
  /** Places in runs whose combinations fit in one exact number. */
  const runs = split(ranges);

  function keyOfRun({ first, end }: Run): number {
    let key = 0;
    for (let place = first; place < end; place += 1) key = key * (ranges[place] ?? 1) + (next[place] ?? 0);
    return key;
  }

  return {
    idOf: (valueOf) => {
      for (let place = 0; place < width; place += 1) next[place] = valueOf(place);
      const only = runs[0];
      const key = runs.length === 1 && only !== undefined ? keyOfRun(only) : runs.map(keyOfRun).join();
      const known = ids.get(key);
      if (known !== undefined) return known;
      if ((size + 1) * width > values.length) {
        const more = new Int32Array(values.length * 2);
        more.set(values);
        values = more;
      }
      values.set(next, size * width);
      ids.set(key, size);
      size += 1;
      return size - 1;
    },
    valueAt: (id, place) => values[id * width + place] ?? 0,
    size: () => size,
  };
}

interface Run {
  readonly first: number;
  readonly end: number;
}

function split(ranges: readonly number[]): readonly Run[] {
  const runs: Run[] = [];
  let first = 0;
  let product = 1;
  ranges.forEach((range, place) => {
    if (product * range > Number.MAX_SAFE_INTEGER) {
      runs.push({ first, end: place });
      first = place;
      product = 1;
    }
    product *= range;
  });
  return [...runs, { first, end: ranges.length }];
}
