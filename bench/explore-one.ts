// One exploration in a process of its own, so that its time and memory are its own. Prints one line of JSON.
// Usage: node explore-one.js LIST INDEX [--reduced] [--first] [--javascript] [--again N]
import { readFileSync } from 'node:fs';
import { javaScriptExplorer } from '../server/src/core/explore/component-explorer-js.ts';
import { compileExplorer, wasmExplorer } from '../server/src/core/explore/component-explorer-wasm.ts';
import type { ComponentExplorer } from '../server/src/core/explore/components.ts';
import { guardedComponents } from '../server/src/core/explore/guarded-components.ts';
import { atVisibleBoundaries, withoutDeadWords } from '../server/src/core/explore/guarded-transforms.ts';
import { peakMemory } from './measure.ts';
import { sized, unbounded, verdicts } from './models/index.ts';

export interface Explored {
  readonly milliseconds: number;
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** Steps to the first violation, or null. */
  readonly violatedAfter: number | null;
  readonly bytesPerState: number;
  /** Peak of the process, in MiB. */
  readonly memory: number;
  /** Milliseconds of the longest slices. */
  readonly sliceP99: number;
  readonly sliceMost: number;
  /** States expanded in a slice. */
  readonly slice: number;
}

const SLICE = 5000;

function explore(argv: readonly string[]): Explored {
  const flags = new Set(argv.filter((one) => one.startsWith('--')));
  const lists = { sized, verdicts, unbounded };
  const [list = '', index = ''] = argv;
  const chosen = lists[list as keyof typeof lists]?.[Number(index)];
  if (chosen === undefined) throw new Error(`no model ${list} ${index}`);
  const module = compileExplorer(readFileSync('server/src/core/explore/wasm/explorer.wasm'));
  const run = (): Explored => {
    const began = performance.now();
    const model = flags.has('--reduced') ? atVisibleBoundaries(withoutDeadWords(chosen.model())) : chosen.model();
    const components = guardedComponents(model);
    const explorer: ComponentExplorer = flags.has('--javascript') ? javaScriptExplorer(components, 100_000_000) : wasmExplorer(module, components, 100_000_000);
    const slices: number[] = [];
    const violations = model.properties.flatMap(({ kind }, at) => (kind === 'never' ? [components.ruleOfProperty(at)] : []));
    const first = (): number => violations.map(explorer.firstSeen).filter((at) => at >= 0).reduce((least, at) => Math.min(least, at), Infinity);
    for (let progress = explorer.run(0); ; ) {
      if (progress.done || (flags.has('--first') && first() < Infinity)) {
        if (progress.boundHit !== null) throw new Error(`the bound of ${progress.boundHit} was hit`);
        const violation = first();
        const violatedAfter = violation === Infinity ? null : explorer.pathTo(violation).rules.length;
        const milliseconds = performance.now() - began;
        slices.sort((a, b) => a - b);
        return {
          milliseconds,
          states: progress.states,
          transitions: progress.transitions,
          depth: progress.depth,
          violatedAfter,
          bytesPerState: explorer.bytes() / progress.states,
          memory: peakMemory(process.pid),
          sliceP99: slices[Math.floor(slices.length * 0.99)] ?? 0,
          sliceMost: slices.at(-1) ?? 0,
          slice: SLICE,
        };
      }
      const start = performance.now();
      progress = explorer.run(SLICE);
      slices.push(performance.now() - start);
    }
  };
  const times = argv.includes('--again') ? Number(argv[argv.indexOf('--again') + 1]) : 0;
  for (let time = 0; time < times; time += 1) run();
  return run();
}

console.log(JSON.stringify(explore(process.argv.slice(2))));
