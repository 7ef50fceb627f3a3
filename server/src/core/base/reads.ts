// Results with the texts that they were made of: kept for as long as each of those stays the same.

/** A source of texts by path; null for what is not there. */
export interface Texts {
  readonly read: (path: string) => string | null;
}

/** A result with the texts it was made of; null for a file that was looked for and not found. */
export interface Read<T> {
  readonly value: T;
  readonly reads: ReadonlyMap<string, string | null>;
}

export interface NotedTexts {
  readonly read: Texts['read'];
  /** Every text that `read` gave so far. */
  readonly reads: ReadonlyMap<string, string | null>;
}

/** Reads each text once and notes it. */
export function noted(source: Texts): NotedTexts {
  const reads = new Map<string, string | null>();
  return {
    reads,
    read: (path) => {
      const known = reads.get(path);
      if (known !== undefined) return known;
      const text = source.read(path);
      reads.set(path, text);
      return text;
    },
  };
}

/** What `make` gives, with the texts that it read. */
export function noting<T>(source: Texts, make: (read: Texts['read']) => T): Read<T> {
  const { read, reads } = noted(source);
  return { value: make(read), reads };
}

/** Whether every text is still what it was. */
export function isCurrent(made: Read<unknown>, source: Texts): boolean {
  for (const [path, text] of made.reads) if (source.read(path) !== text) return false;
  return true;
}
