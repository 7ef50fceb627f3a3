// npm run bench: measures Entrycheck beside what one would otherwise run, and says which budgets are kept.
// Options: --only SECTION (servers, explorer, front-end, command-line, package; may be repeated), --rounds N,
// --most STATES, --kernel TREE, --json FILE, --write (the sections of docs/performance.md that were measured).
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, homedir, release, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { commandLine } from './command-line.ts';
import { explorers } from './explorers.ts';
import { frontEnd } from './front-end.ts';
import { languageServers } from './language-servers.ts';
import { version } from './measure.ts';
import { packageSize } from './package-size.ts';
import { rewritten, text } from './report.ts';
import type { MachineClass, Section } from './report.ts';

interface Options {
  readonly only: readonly string[];
  readonly rounds: number;
  readonly most: number;
  readonly kernel: string;
  readonly json: string;
  readonly write: boolean;
}

const sectionNames = ['servers', 'explorer', 'front-end', 'command-line', 'package'];

/** Throws on what it does not know. */
function optionsOf(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string', default: '5' },
      most: { type: 'string', default: '30000000' },
      kernel: { type: 'string', default: process.env['ENTRYCHECK_KERNEL'] ?? join(homedir(), '.cache/entrycheck/kernels/linux-source-6.12') },
      json: { type: 'string', default: 'bench/results/bench.json' },
      write: { type: 'boolean', default: false },
    },
  });
  const unknown = values.only.find((name) => !sectionNames.includes(name));
  if (unknown !== undefined) throw new Error(`there is no section ${unknown}: there are ${sectionNames.join(', ')}`);
  return { only: values.only, rounds: Number(values.rounds), most: Number(values.most), kernel: resolve(values.kernel), json: values.json, write: values.write };
}

/** The class of the machine: nothing that names it. */
function machineClass(): MachineClass {
  const versions: Record<string, string | null> = {
    node: process.version,
    gcc: version('gcc'),
    spin: version('spin', '-V'),
    clangd: version('clangd-19'),
    ctags: version('ctags'),
  };
  return {
    processor: (cpus()[0]?.model ?? 'unknown').trim(),
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `Linux ${release().split(/[-+]/)[0]}`,
    versions: Object.fromEntries(Object.entries(versions).flatMap(([name, one]) => (one === null ? [] : [[name, /\d+(?:\.\d+)+/.exec(one)?.[0] ?? one]]))),
  };
}

const usage = `usage: npm run bench -- [--only SECTION]... [--rounds N] [--most STATES] [--kernel TREE] [--json FILE] [--write]

Measures Entrycheck beside what one would otherwise run, and says which budgets are kept.
SECTION is servers, explorer, front-end, command-line or package; all of them take half an hour.
--write puts what was measured into docs/performance.md and leaves its other sections as they are.
`;

async function main(argv: readonly string[]): Promise<void> {
  if (argv.includes('--help')) {
    console.log(usage);
    return;
  }
  const options = optionsOf(argv);
  const scratch = resolve('.cache/bench');
  const bundles = resolve('.cache/bench/bundles');
  mkdirSync(scratch, { recursive: true });
  const parts: readonly (readonly [string, () => Promise<Section>])[] = [
    ['servers', () => languageServers({ rounds: options.rounds, scratch, kernel: options.kernel })],
    ['explorer', () => explorers({ rounds: options.rounds, scratch, bundles, kernel: options.kernel, most: options.most })],
    ['front-end', () => frontEnd({ rounds: options.rounds, kernel: options.kernel, bundles })],
    ['command-line', () => commandLine({ rounds: options.rounds, scratch, kernel: options.kernel })],
    ['package', () => packageSize({ rounds: options.rounds, scratch })],
  ];
  const sections: Section[] = [];
  for (const [name, run] of parts) {
    if (options.only.length > 0 && !options.only.includes(name)) continue;
    const section = await run();
    sections.push(section);
    console.log(text(section));
  }
  const machine = machineClass();
  mkdirSync(dirname(options.json), { recursive: true });
  writeFileSync(options.json, `${JSON.stringify({ machine, sections }, null, 1)}\n`);
  if (options.write) writeFileSync('docs/performance.md', rewritten(readFileSync('docs/performance.md', 'utf8'), sections, machine));
  const missed = sections.flatMap(({ budgets }) => budgets).filter(({ holds }) => holds === false);
  console.log(missed.length === 0 ? 'all budgets that were measured are kept' : `${missed.length} budgets are missed`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exitCode = 1;
});
