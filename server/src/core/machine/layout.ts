// The address space of the machine: a few regions with concrete addresses, so that pushes, `lea`, frame copies and
// comparisons against a stack's bounds run as written. Each region starts at a multiple of 16 MiB.
import type { NodeId } from './code.ts';

export type RegionKind = 'code' | 'stack' | 'percpu' | 'global';

export interface Region {
  readonly index: number;
  readonly name: string;
  readonly kind: RegionKind;
  /** An IST stack starts over at its top at each delivery (IDT-04); a FRED stack does not (FR-03). */
  readonly rewinding: boolean;
  /** Code looks below RSP here (a nesting marker): words stay when no frame is live, and start as 0. */
  readonly keepsStale: boolean;
  readonly base: bigint;
  /** Bytes. */
  readonly size: number;
  /** The first address behind it: of a stack the one that RSP starts at. */
  readonly end: bigint;
}

export function createRegion(index: number, name: string, kind: RegionKind, size: number, { rewinding, keepsStale }: Pick<Region, 'rewinding' | 'keepsStale'>): Region {
  const base = regionBase(index);
  return { index, name, kind, rewinding, keepsStale, base, size, end: base + BigInt(size) };
}

export interface Layout {
  readonly regions: readonly Region[];
  /** Per-CPU symbols: offset from the kernel GS base. */
  readonly percpu: ReadonlyMap<string, number>;
  /** Other variables: address. */
  readonly globals: ReadonlyMap<string, bigint>;
}

export const REGION_SHIFT = 24n;
/** Kernel text and data lie in the top 2 GiB, so that 32-bit immediates reach them by sign extension (Linux, Documentation/arch/x86/x86_64/mm.rst). */
const KERNEL_BASE = 0xffff_ffff_8000_0000n;
const USER_CODE = 0x40_0000n;
const NODE_BYTES = 16n;

export const CODE_REGION = 0;
export const PERCPU_REGION = 1;
export const GLOBAL_REGION = 2;

export function regionBase(index: number): bigint {
  return KERNEL_BASE + (BigInt(index) << REGION_SHIFT);
}

/** Index of the region that holds an address, or -1: user memory, or memory outside the review. */
export function regionIndexOf(layout: Layout, address: bigint): number {
  // Nearly all accesses are to the stack of the access before.
  if (layout === lastLayout && last !== undefined && address >= last.base && address < last.end) return last.index;
  const offset = address - KERNEL_BASE;
  if (offset < 0n) return -1;
  const index = Number(offset >> REGION_SHIFT);
  const region = layout.regions[index];
  if (region === undefined) return -1;
  if (address >= region.end) return -1;
  lastLayout = layout;
  last = region;
  return index;
}

let lastLayout: Layout | null = null;
let last: Region | undefined;

/** The region below whose top an address lies; the top itself counts, as for an empty stack. */
export function stackOf(layout: Layout, rsp: bigint): Region | null {
  const index = regionIndexOf(layout, rsp - 1n);
  const region = index < 0 ? undefined : layout.regions[index];
  return region !== undefined && region.kind === 'stack' ? region : null;
}

export function stackNamed(layout: Layout, name: string): Region | null {
  return layout.regions.find((region) => region.kind === 'stack' && region.name === name) ?? null;
}

export function top(region: Region): bigint {
  return region.end;
}

/** Address of a node; nodes of user space have user addresses. */
export function addressOfNode(node: NodeId, user: boolean): bigint {
  return (user ? USER_CODE : KERNEL_BASE) + BigInt(node) * NODE_BYTES;
}

/** The node at an address, or null where the address is no node's. */
export function nodeAtAddress(address: bigint): NodeId | null {
  const base = address >= KERNEL_BASE ? KERNEL_BASE : USER_CODE;
  const offset = address - base;
  if (offset < 0n || offset % NODE_BYTES !== 0n || offset >= 1n << REGION_SHIFT) return null;
  return Number(offset / NODE_BYTES);
}

/** `NMI stack top-0x28`, `per-CPU ve_page+4`: an address as a reader names it. */
export function nameAddress(layout: Layout, address: bigint): string {
  const index = regionIndexOf(layout, address);
  const region = layout.regions[index] ?? stackOf(layout, address);
  if (region === null || region === undefined) return `0x${address.toString(16)}`;
  if (region.kind === 'stack') {
    const below = top(region) - address;
    return below === 0n ? `${region.name} stack top` : `${region.name} stack top-0x${below.toString(16)}`;
  }
  const offset = Number(address - region.base);
  const symbols = region.kind === 'percpu' ? layout.percpu : new Map([...layout.globals].map(([name, at]) => [name, Number(at - region.base)]));
  let best: { name: string; at: number } | null = null;
  for (const [name, at] of symbols) if (at <= offset && (best === null || at > best.at)) best = { name, at };
  if (region.kind === 'code' || best === null) return `0x${address.toString(16)}`;
  return best.at === offset ? best.name : `${best.name}+${offset - best.at}`;
}
