// One program from its files to its verdict, in a process of its own. Prints one line of JSON.
// Usage: node program-one.js design NAME | nmi TREE, [--again N] [--graph FILE] [--beyond]
import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AnyNumber } from '../server/src/core/rules/finding.ts';
import { designSubject, nmiSubject, parserOf } from './programs.ts';
import type { Reached } from './programs.ts';

export interface ProgramRun extends Reached {
  readonly what: string;
  /** Milliseconds of the last time, model preparation included. */
  readonly milliseconds: number;
}

/** What is said of any number of events. */
export interface BeyondRun extends AnyNumber {
  readonly milliseconds: number;
}

async function main(argv: readonly string[]): Promise<void> {
  const [kind, name = ''] = argv;
  const value = (flag: string): string | null => (argv.includes(flag) ? (argv[argv.indexOf(flag) + 1] ?? '') : null);
  const parse = await parserOf(dirname(process.argv[1] ?? ''));
  const subject = kind === 'nmi' ? nmiSubject(name, parse) : designSubject(name, parse);
  const graph = value('--graph');
  if (graph !== null) {
    writeFileSync(graph, JSON.stringify(subject.graph()));
    return;
  }
  const { beyond } = subject;
  if (argv.includes('--beyond') && beyond !== null) {
    for (let left = Number(value('--again') ?? 0); left > 0; left -= 1) beyond();
    const began = performance.now();
    const said = beyond();
    const run: BeyondRun = { ...said, milliseconds: performance.now() - began };
    console.log(JSON.stringify(run));
    return;
  }
  for (let left = Number(value('--again') ?? 0); left > 0; left -= 1) subject.verdict();
  const began = performance.now();
  const reached = subject.verdict();
  const run: ProgramRun = { ...reached, what: subject.what, milliseconds: performance.now() - began };
  console.log(JSON.stringify(run));
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exitCode = 1;
});
