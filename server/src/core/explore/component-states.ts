// The set of states of the plain JavaScript explorer: packed words in chunks that never move, found by open addressing
// in a table that grows by doubling, in slices. Which bits of a word hold which component it decides by the ids there are.

const CHUNK_BITS = 15;
const CHUNK = 1 << CHUNK_BITS;
const FIRST_TABLE = 1 << 12;
/** States moved to a larger table that cost about as much as one expanded. */
const MOVES_PER_UNIT = 2;

export interface ComponentStates {
  readonly count: () => number;
  /** False where the table must grow first: nothing was added then. */
  readonly add: (ids: ArrayLike<number>, parent: number, maxStates: number) => 'added' | 'known' | 'bounded' | 'full';
  readonly read: (index: number, into: Uint32Array) => void;
  readonly parentOf: (index: number) => number;
  /** Widens the layout for the ids there are now. */
  readonly widen: (sizes: readonly number[]) => void;
  readonly fits: (component: number, id: number) => boolean;
  /** Goes on growing for about `units`; the units left. */
  readonly maintain: (units: number) => number;
  readonly maintaining: () => boolean;
  readonly bytes: () => number;
}

interface Layout {
  readonly words: number;
  readonly word: Uint8Array;
  readonly shift: Uint8Array;
  readonly mask: Uint32Array;
}

function layoutFor(sizes: readonly number[], least: number): Layout {
  const widths = sizes.map((size) => Math.min(32, Math.max(1, 32 - Math.clz32(Math.max(0, size - 1))) + 2));
  const order = widths.map((_, at) => at).sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0));
  for (let words = least; ; words += 1) {
    const left = Array.from({ length: words }, () => 32);
    const word = new Uint8Array(sizes.length);
    const placed = order.every((component) => {
      const width = widths[component] ?? 0;
      const best = left.reduce((found, room, at) => (room >= width && (found < 0 || room > (left[found] ?? 0)) ? at : found), -1);
      if (best < 0) return false;
      word[component] = best;
      left[best] = (left[best] ?? 0) - width;
      return true;
    });
    if (placed) return spread(widths, word, left);
  }
}

/** Shares what is left over of each word among its components. */
function spread(widths: number[], word: Uint8Array, left: number[]): Layout {
  const sharing = left.map((_, at) => word.filter((one) => one === at).length);
  const used = left.map(() => 0);
  const shift = new Uint8Array(widths.length);
  const mask = new Uint32Array(widths.length);
  widths.forEach((width, component) => {
    const at = word[component] ?? 0;
    const share = Math.floor((left[at] ?? 0) / (sharing[at] ?? 1));
    left[at] = (left[at] ?? 0) - share;
    sharing[at] = (sharing[at] ?? 1) - 1;
    shift[component] = used[at] ?? 0;
    used[at] = (used[at] ?? 0) + width + share;
    mask[component] = width + share >= 32 ? 0xffff_ffff : (1 << (width + share)) - 1;
  });
  return { words: left.length, word, shift, mask };
}

export function createComponentStates(sizes: readonly number[]): ComponentStates {
  let layout = layoutFor(sizes, 1);
  const chunks: Uint32Array[] = [];
  const parents: Int32Array[] = [];
  let count = 0;
  let table = new Int32Array(FIRST_TABLE);
  let growing: Int32Array<ArrayBuffer> | null = null;
  let moved = 0;
  /** The layout that chunks are being rewritten from. */
  let from: Layout | null = null;
  let packed = new Uint32Array(layout.words);

  function hash(words: Uint32Array, offset: number): number {
    let value = 0x811c9dc5;
    for (let at = 0; at < layout.words; at += 1) {
      value = Math.imul(value ^ (words[offset + at] ?? 0), 0x9e3779b1);
      value ^= value >>> 15;
    }
    return Math.imul(value, 0x85ebca77) >>> 0;
  }

  /** The high bits of the hash; a table has at most 2^31 slots. */
  const slotIn = (of: Int32Array, value: number): number => value >>> Math.clz32(of.length - 1);

  function pack(ids: ArrayLike<number>, by: Layout, into: Uint32Array, offset: number): void {
    for (let at = 0; at < by.words; at += 1) into[offset + at] = 0;
    for (let component = 0; component < by.word.length; component += 1) {
      const at = offset + (by.word[component] ?? 0);
      into[at] = (into[at] ?? 0) | ((ids[component] ?? 0) << (by.shift[component] ?? 0));
    }
  }

  function unpack(words: Uint32Array, offset: number, by: Layout, into: Uint32Array): void {
    for (let component = 0; component < by.word.length; component += 1) into[component] = ((words[offset + (by.word[component] ?? 0)] ?? 0) >>> (by.shift[component] ?? 0)) & (by.mask[component] ?? 0);
  }

  function same(index: number): boolean {
    const chunk = chunks[index >>> CHUNK_BITS];
    const offset = (index & (CHUNK - 1)) * layout.words;
    for (let at = 0; at < layout.words; at += 1) if (chunk?.[offset + at] !== packed[at]) return false;
    return true;
  }

  function append(parent: number): void {
    const chunk = count >>> CHUNK_BITS;
    const at = count & (CHUNK - 1);
    if (at === 0) {
      chunks[chunk] = new Uint32Array(CHUNK * layout.words);
      parents[chunk] = new Int32Array(CHUNK);
    }
    chunks[chunk]?.set(packed, at * layout.words);
    const column = parents[chunk];
    if (column !== undefined) column[at] = parent;
    count += 1;
  }

  function rewrite(chunk: number, by: Layout): void {
    const old = chunks[chunk];
    if (old === undefined) return;
    const rewritten = new Uint32Array(CHUNK * layout.words);
    const ids = new Uint32Array(layout.word.length);
    const states = Math.min(CHUNK, count - chunk * CHUNK);
    for (let at = 0; at < states; at += 1) {
      unpack(old, at * by.words, by, ids);
      pack(ids, layout, rewritten, at * layout.words);
    }
    chunks[chunk] = rewritten;
  }

  function move(into: Int32Array, end: number): void {
    const wrap = into.length - 1;
    for (; moved < end; moved += 1) {
      const chunk = chunks[moved >>> CHUNK_BITS];
      if (chunk === undefined) continue;
      let slot = slotIn(into, hash(chunk, (moved & (CHUNK - 1)) * layout.words));
      while (into[slot] !== 0) slot = (slot + 1) & wrap;
      into[slot] = moved + 1;
    }
  }

  return {
    count: () => count,
    add: (ids, parent, maxStates) => {
      if (count >= (table.length / 4) * 3) {
        growing ??= new Int32Array(table.length * 2);
        moved = 0;
        return 'full';
      }
      pack(ids, layout, packed, 0);
      const wrap = table.length - 1;
      let slot = slotIn(table, hash(packed, 0));
      for (let entry = table[slot]; entry !== undefined && entry !== 0; entry = table[slot]) {
        if (same(entry - 1)) return 'known';
        slot = (slot + 1) & wrap;
      }
      if (count >= maxStates) return 'bounded';
      append(parent);
      table[slot] = count;
      return 'added';
    },
    read: (index, into) => unpack(chunks[index >>> CHUNK_BITS] ?? packed, (index & (CHUNK - 1)) * layout.words, layout, into),
    parentOf: (index) => parents[index >>> CHUNK_BITS]?.[index & (CHUNK - 1)] ?? -1,
    widen: (more) => {
      from = layout;
      layout = layoutFor(more, layout.words);
      packed = new Uint32Array(layout.words);
      moved = 0;
    },
    fits: (component, id) => id <= (layout.mask[component] ?? 0),
    maintain: (units) => {
      let left = units;
      if (from !== null) {
        for (; left > 0 && moved < chunks.length; moved += 1) {
          rewrite(moved, from);
          left = Math.max(0, left - CHUNK / MOVES_PER_UNIT);
        }
        if (moved < chunks.length) return 0;
        from = null;
        growing = new Int32Array(table.length);
        moved = 0;
      }
      if (growing !== null) {
        const end = Math.min(count, moved + left * MOVES_PER_UNIT);
        left -= Math.ceil((end - moved) / MOVES_PER_UNIT);
        move(growing, end);
        if (moved < count) return 0;
        table = growing;
        growing = null;
      }
      return left;
    },
    maintaining: () => growing !== null || from !== null,
    bytes: () => table.byteLength + (growing?.byteLength ?? 0) + chunks.length * CHUNK * 4 * (layout.words + 1),
  };
}
