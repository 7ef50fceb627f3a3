/// <reference lib="dom" />
// A long list of which only the rows near the view are in the document. Rows lie in blocks; a block that is far away is an
// empty element as high as it was, or as its rows may be. Knows nothing of what a row shows.

export interface LazyList<T> {
  /** Replaces all rows. */
  readonly show: (rows: readonly T[]) => void;
  /** The element of a row, which stays in the document until another row is held; null where there is none. */
  readonly hold: (at: number) => Element | null;
}

interface Block<T> {
  readonly element: HTMLElement;
  readonly first: number;
  readonly rows: readonly T[];
  near: boolean;
}

/** Rows of a block: more than fit into the view of most, so that few blocks are drawn at a time. */
export const BLOCK_ROWS = 50;
/** Height of a row that was never drawn, in units of the font. */
const ROW_HEIGHT = 3.6;
/** Blocks closer to the view than its own height are drawn, so that scrolling finds them there. */
const MARGIN = '100% 0px';

export function lazyList<T>(list: HTMLElement, drawRow: (row: T, at: number) => HTMLElement): LazyList<T> {
  let blocks: readonly Block<T>[] = [];
  let held: Block<T> | null = null;
  const byElement = new Map<Element, Block<T>>();
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const block = byElement.get(target);
      if (block === undefined) continue;
      block.near = isIntersecting;
      if (isIntersecting) draw(block);
      else empty(block);
    }
  }, { root: list, rootMargin: MARGIN });

  function draw(block: Block<T>): void {
    if (block.element.firstChild !== null) return;
    block.element.style.height = '';
    block.element.append(...block.rows.map((row, at) => drawRow(row, block.first + at)));
  }

  function empty(block: Block<T>): void {
    if (block.near || block === held || block.element.firstChild === null) return;
    block.element.style.height = `${block.element.offsetHeight}px`;
    block.element.replaceChildren();
  }

  function blockOf(rows: readonly T[], first: number): Block<T> {
    const element = document.createElement('div');
    element.setAttribute('role', 'presentation');
    element.style.height = `${rows.length * ROW_HEIGHT}em`;
    return { element, first, rows, near: false };
  }

  return {
    show: (rows) => {
      observer.disconnect();
      byElement.clear();
      held = null;
      blocks = Array.from({ length: Math.ceil(rows.length / BLOCK_ROWS) }, (_, at) => blockOf(rows.slice(at * BLOCK_ROWS, (at + 1) * BLOCK_ROWS), at * BLOCK_ROWS));
      // What is seen first is there at once; the observer tells of blocks later.
      const [top] = blocks;
      if (top !== undefined) draw(top);
      list.replaceChildren(...blocks.map((block) => block.element));
      for (const block of blocks) {
        byElement.set(block.element, block);
        observer.observe(block.element);
      }
    },
    hold: (at) => {
      const before = held;
      held = blocks[Math.floor(at / BLOCK_ROWS)] ?? null;
      if (before !== null && before !== held) empty(before);
      if (held === null) return null;
      draw(held);
      return held.element.children[at - held.first] ?? null;
    },
  };
}
