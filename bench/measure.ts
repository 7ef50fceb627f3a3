// Times and sizes: medians, percentiles, runs of several candidates in turn, the memory of processes.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface Samples {
  readonly median: number;
  readonly p95: number;
  readonly least: number;
  readonly count: number;
}

export function samples(values: readonly number[]): Samples {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { median: at(0.5), p95: at(0.95), least: sorted[0] ?? Number.NaN, count: sorted.length };
}

export function milliseconds(work: () => void): number {
  const began = performance.now();
  work();
  return performance.now() - began;
}

/**
 * Runs all candidates once a round, in turn, so that what else the machine does meets them alike. What a candidate
 * returns is kept by its name.
 */
export async function interleaved<T>(rounds: number, candidates: Readonly<Record<string, () => T | Promise<T>>>): Promise<ReadonlyMap<string, readonly T[]>> {
  const kept = new Map<string, T[]>(Object.keys(candidates).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) for (const [name, run] of Object.entries(candidates)) kept.get(name)?.push(await run());
  return kept;
}

/** Peak resident memory of a process and its descendants that are alive, in MiB. */
export function peakMemory(pid: number): number {
  let total = 0;
  for (const one of [pid, ...descendants(pid)]) {
    const found = /^VmHWM:\s+(\d+) kB/m.exec(readStatus(one));
    total += Number(found?.[1] ?? 0) / 1024;
  }
  return total;
}

function readStatus(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

function descendants(pid: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(/^PPid:\s+(\d+)/m.exec(readStatus(Number(name)))?.[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const below = (one: number): readonly number[] => (children.get(one) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(pid);
}

export function installed(command: string, argument = '--version'): boolean {
  const { status, error } = spawnSync(command, [argument], { stdio: 'ignore' });
  return error === undefined && status !== null;
}

/** First line that a command prints about its version, or null where it is not there. */
export function version(command: string, argument = '--version'): string | null {
  const { stdout, error } = spawnSync(command, [argument], { encoding: 'utf8' });
  return error === undefined ? (stdout.trim().split('\n')[0] ?? '') : null;
}

/** One run of a command: milliseconds from start to end, peak memory in MiB as GNU time and the kernel count it. */
export interface Run {
  readonly milliseconds: number;
  readonly memory: number;
  readonly status: number | null;
  readonly output: string;
}

export function runCommand(command: string, args: readonly string[], cwd: string, environment: Readonly<Record<string, string>> = {}): Run {
  const began = performance.now();
  const { status, stdout, stderr, error } = spawnSync('sh', ['-c', 'exec "$@"', 'sh', command, ...args], { cwd, encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, ...environment } });
  const time = performance.now() - began;
  if (error !== undefined) throw error;
  return { milliseconds: time, memory: Number.NaN, status, output: `${stdout}${stderr}` };
}
