// The address space that our machine runs the sequences in: the image's stacks, words and pages at addresses of its own.
import { CODE_REGION, createRegion, GLOBAL_REGION, PERCPU_REGION, regionBase, REGION_SHIFT, stackOf, top } from '../../core/machine/layout.ts';
import type { Layout, Region } from '../../core/machine/layout.ts';
import { hexadecimal, nameCell } from './observation.ts';

const STACK_BYTES = 0x1000;
const STACKS = ['thread', 'user', 'rsp0', 'ist1', 'ist2', 'ist3', 'ist4', 'ist5', 'ist6', 'edge'] as const;
const CELL_BYTES = 64;
/** Nothing is mapped in the 2 MiB below the stack `edge`, as in the image. */
const UNMAPPED_BYTES = 0x20_0000n;
const NONCANONICAL = 0x8000_0000_0000n;
const PAGE_TABLES = 0x206_0000n;

function region(index: number, name: string, kind: Region['kind'], size: number): Region {
  // Words below RSP stay, as they do in memory.
  return createRegion(index, name, kind, size, { rewinding: name.startsWith('ist'), keepsStale: true });
}

const FIRST_STACK = 3;

export const LAYOUT: Layout = {
  regions: [
    region(CODE_REGION, 'code', 'code', Number(1n << REGION_SHIFT)),
    region(PERCPU_REGION, 'task state', 'percpu', 128),
    region(GLOBAL_REGION, 'words', 'global', CELL_BYTES),
    ...STACKS.map((name, index) => region(FIRST_STACK + index, name, 'stack', STACK_BYTES)),
  ],
  percpu: new Map(),
  globals: new Map(),
};

export function stackRegion(name: string): Region | null {
  return LAYOUT.regions.find((one) => one.kind === 'stack' && one.name === name) ?? null;
}

function edge(): Region {
  const found = stackRegion('edge');
  if (found === null) throw new Error('there is no stack edge');
  return found;
}

/** Address of a name of the sequences, or null. */
export function resolveName(name: string): bigint | null {
  const stack = name.startsWith('stack_') ? stackRegion(name.slice('stack_'.length)) : null;
  if (stack !== null) return top(stack);
  const cell = /^cell([0-7])$/.exec(name)?.[1];
  if (cell !== undefined) return regionBase(GLOBAL_REGION) + BigInt(cell) * 8n;
  if (name === 'unmapped') return edge().base - UNMAPPED_BYTES;
  if (name === 'noncanonical') return NONCANONICAL;
  return name === 'page_tables' ? PAGE_TABLES : null;
}

/** How the recordings name an address, code apart. */
export function nameAddress(value: bigint): string | null {
  if (value === edge().base) return `stack_edge-${hexadecimal(BigInt(STACK_BYTES))}`;
  const stack = stackOf(LAYOUT, value);
  if (stack !== null) return value === top(stack) ? `stack_${stack.name}` : `stack_${stack.name}-${hexadecimal(top(stack) - value)}`;
  const unmapped = edge().base - UNMAPPED_BYTES;
  if (value >= unmapped && value < edge().base) return value === unmapped ? 'unmapped' : `unmapped+${hexadecimal(value - unmapped)}`;
  if (value === PAGE_TABLES || value === PAGE_TABLES + 0x1000n) return value === PAGE_TABLES ? 'page_tables' : 'page_tables+0x1000';
  const offset = value - regionBase(GLOBAL_REGION);
  return offset >= 0n && offset < BigInt(CELL_BYTES) ? nameCell(offset) : null;
}
