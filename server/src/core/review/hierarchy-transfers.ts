// Where assembler code calls or jumps, and where that is written.
import type { Span } from '../base/span.ts';
import type { CodeNode, InstructionNode } from '../machine/code.ts';
import type { Sided } from './hierarchy-events.ts';

export function isTransfer(node: InstructionNode): boolean {
  return /^(?:call|j[a-z]+)/.test(node.mnemonic);
}

/** Symbols of assembler code with their instructions that call or jump to a name. */
export function callingStubs(sides: readonly Sided[], name: string): ReadonlyMap<string, readonly CodeNode[]> {
  const found = new Map<string, CodeNode[]>();
  for (const { kernel } of sides) {
    const { nodes } = kernel.program.code;
    for (const node of nodes) {
      if (node.kind !== 'instruction' || node.symbol === '' || node.symbol === name || !isTransfer(node)) continue;
      const target = node.target === null ? undefined : nodes[node.target];
      if ((target?.symbol ?? node.targetName) !== name) continue;
      const known = found.get(node.symbol);
      if (known === undefined) found.set(node.symbol, [node]);
      else known.push(node);
    }
  }
  return found;
}

/** Where the nodes are written in a file: their own text, or the macro use there that made them. */
export function spansIn(file: string, nodes: readonly CodeNode[], otherwise: Span): readonly Span[] {
  const spans = new Map<number, Span>();
  for (const { origin } of nodes) {
    const place = [{ file: origin.file, span: origin.span }, ...origin.uses].find((one) => one.file === file);
    if (place !== undefined) spans.set(place.span.start, place.span);
  }
  return spans.size === 0 ? [otherwise] : [...spans.values()].sort((a, b) => a.start - b.start);
}
