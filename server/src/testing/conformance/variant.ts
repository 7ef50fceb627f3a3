// A sequence becomes variants: as it is, and with each arriving event at each boundary. A variant is what the image and
// the machine both run.
import type { Line, Sequence } from './sequence.ts';
import { pointName } from './names.ts';

export interface Block {
  /** `code`, or the name of the entry point that the block handles. */
  readonly name: string;
  readonly point: number | null;
  readonly lines: readonly Line[];
}

export interface Variant {
  readonly sequence: Sequence;
  /** `plain`, `self_nmi at code+2`, `timer NMI at code+1`. */
  readonly name: string;
  readonly blocks: readonly Block[];
  /** Boundary of the code at which the timer raises the vector. */
  readonly timer: { readonly vector: number; readonly boundary: number } | null;
}

/** Instructions of the test's own, one node and one boundary each; the image has them as macros. */
export const PSEUDO: ReadonlySet<string> = new Set(['log', 'note', 'exit', 'self_nmi', 'self_ipi', 'machine_check', 'eoi']);

export function variantsOf(sequence: Sequence): readonly Variant[] {
  const blocks = blocksOf(sequence);
  const variants: Variant[] = [{ sequence, name: 'plain', blocks, timer: null }];
  for (const text of sequence.insert) {
    for (const block of blocks) {
      // What comes before the log of a handler would be logged before the event that it came with.
      for (let boundary = block.lines.findIndex(({ text: line }) => line === 'log') + 1; boundary < block.lines.length; boundary += 1) {
        const changed = blocks.map((each) => (each === block ? { ...block, lines: inserted(block.lines, boundary, text) } : each));
        variants.push({ sequence, name: `${text} at ${block.name}+${boundary}`, blocks: changed, timer: null });
      }
    }
  }
  for (const [vector, count] of sequence.timer) {
    const boundaries = Math.min(count, blocks[0]?.lines.length ?? 0);
    for (let boundary = 0; boundary < boundaries; boundary += 1) {
      variants.push({ sequence, name: `timer ${pointName(vector)} at code+${boundary}`, blocks, timer: { vector, boundary } });
    }
  }
  return variants;
}

function blocksOf(sequence: Sequence): readonly Block[] {
  const code: Block = { name: 'code', point: null, lines: [...sequence.code, { labels: [], text: 'exit' }] };
  const handlers = [...sequence.handlers].map(([point, lines]): Block => ({ name: pointName(point), point, lines: lines.some(({ text }) => text === 'log') ? lines : [{ labels: [], text: 'log' }, ...lines] }));
  return [code, ...handlers];
}

/** Before the instruction at the boundary; its labels move to what was put in, so that a jump meets it. */
function inserted(lines: readonly Line[], boundary: number, text: string): readonly Line[] {
  const at = lines[boundary];
  if (at === undefined) return lines;
  return [...lines.slice(0, boundary), { labels: at.labels, text }, { labels: [], text: at.text }, ...lines.slice(boundary + 1)];
}
