// Places of variables in the machine's address space: declared ones by their size, unknown ones one slot each. Per-CPU
// places count from the GS base.
import { GLOBAL_REGION, regionBase } from '../machine/layout.ts';
import type { CSource } from './c-source.ts';

export interface Variables {
  /** Per-CPU offsets by name. */
  readonly percpu: ReadonlyMap<string, number>;
  /** Addresses of all other variables by name. */
  readonly globals: ReadonlyMap<string, bigint>;
  /** Per-CPU offset, or address of a global; the first use places it. */
  readonly addressOf: (name: string, perCpu: boolean) => bigint;
  readonly percpuBytes: () => number;
  readonly globalBytes: () => number;
}

/** A variable takes at least a slot, and at most a page: what lies behind that nobody here asks for. */
const SMALLEST = 8;
const LARGEST = 4096;

/** `known` are bytes of variables that no source declares. */
export function createVariables(sources: readonly CSource[], known: ReadonlyMap<string, number> = new Map()): Variables {
  const percpu = new Map<string, number>();
  const globals = new Map<string, bigint>();
  const sizes = new Map<string, number>();
  let percpuEnd = 0;
  let globalEnd = 0;

  const bytesOf = (name: string): number => (Math.min(Math.max(sizes.get(name) ?? known.get(name) ?? SMALLEST, SMALLEST), LARGEST) + 7) & ~7;

  function percpuPlace(name: string): number {
    const found = percpu.get(name);
    if (found !== undefined) return found;
    const at = percpuEnd;
    percpu.set(name, at);
    percpuEnd += bytesOf(name);
    return at;
  }

  for (const variable of sources.flatMap((source) => source.variables)) {
    sizes.set(variable.name, Math.max(sizes.get(variable.name) ?? 0, variable.size));
    if (variable.area === 'percpu') percpuPlace(variable.name);
  }

  return {
    percpu,
    globals,
    addressOf: (name, perCpu) => {
      if (perCpu || percpu.has(name)) return BigInt(percpuPlace(name));
      const found = globals.get(name);
      if (found !== undefined) return found;
      const address = regionBase(GLOBAL_REGION) + BigInt(globalEnd);
      globals.set(name, address);
      globalEnd += bytesOf(name);
      return address;
    },
    percpuBytes: () => percpuEnd,
    globalBytes: () => globalEnd,
  };
}
