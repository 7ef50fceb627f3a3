// SPIN on a Promela model: generate, compile, run; what pan says of states, transitions, memory and depth.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GuardedModel } from '../server/src/core/explore/guarded.ts';
import { flatPromela, promela } from './promela.ts';

export interface Verifier {
  /** Milliseconds of `spin -a` and of gcc. */
  readonly compile: number;
  /** Milliseconds of one run, states and transitions stored, memory in MiB, steps of the error trace or null. */
  readonly run: () => PanRun;
}

export interface PanRun {
  readonly milliseconds: number;
  readonly states: number;
  readonly transitions: number;
  readonly memory: number;
  readonly errors: number;
  readonly depth: number;
}

export type Order = 'breadth-first' | 'depth-first';

/** `located` runs faster and takes long to compile; `flat` is the other way round. */
export type Form = 'located' | 'flat';

export const panFlags = (order: Order): readonly string[] => ['-O2', '-DSAFETY', '-DNOREDUCE', '-DMEMLIM=16000', ...(order === 'breadth-first' ? ['-DBFS'] : [])];

export function prepareSpin(model: GuardedModel, control: string, order: Order, form: Form, scratch: string, hashBits: number): Verifier {
  return verifierOf(`${model.name}-${order}-${form}`, new Map([['model.pml', form === 'flat' ? flatPromela(model) : promela(model, control)]]), order, scratch, hashBits);
}

/** `files`: `model.pml`, and what it includes. */
export function verifierOf(name: string, files: ReadonlyMap<string, string>, order: Order, scratch: string, hashBits: number): Verifier {
  const folder = join(scratch, name.replace(/\W+/g, '-'));
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of files) writeFileSync(join(folder, file), text);
  const began = performance.now();
  must('spin', ['-a', 'model.pml'], folder);
  must('gcc', [...panFlags(order), '-o', 'pan', 'pan.c'], folder);
  const compile = performance.now() - began;
  return {
    compile,
    run: () => {
      const start = performance.now();
      const output = must('./pan', order === 'breadth-first' ? [`-w${hashBits}`] : [`-w${hashBits}`, '-m100000'], folder);
      return { milliseconds: performance.now() - start, ...read(output) };
    },
  };
}

function must(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, [...args], { cwd, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stdout}${stderr}`.slice(0, 2000));
  return stdout;
}

function read(output: string): Omit<PanRun, 'milliseconds'> {
  const figure = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? Number.NaN);
  if (/max search depth too small|out of memory|aborting/.test(output)) throw new Error(`pan did not search everything: ${output.slice(0, 500)}`);
  return {
    states: figure(/^\s*(\d+(?:\.\d+)?(?:e\+\d+)?) states, stored/m),
    transitions: figure(/^\s*(\d+(?:\.\d+)?(?:e\+\d+)?) transitions/m),
    memory: figure(/^\s*([\d.]+)\s+total actual memory usage/m),
    errors: figure(/errors: (\d+)/),
    depth: figure(/depth reached (\d+)/),
  };
}
