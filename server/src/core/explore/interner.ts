// Components of states by number: equal components get the same 32-bit id.

export interface Interner {
  readonly idOf: (key: string) => number;
  readonly size: () => number;
}

export function createInterner(): Interner {
  const ids = new Map<string, number>();
  return {
    idOf: (key) => {
      const found = ids.get(key);
      if (found !== undefined) return found;
      const id = ids.size;
      ids.set(key, id);
      return id;
    },
    size: () => ids.size,
  };
}
