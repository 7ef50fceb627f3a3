// Section (e): the size of the package and of its parts, and how soon the server answers.
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { initializeParams, startClient } from './language-client.ts';
import { samples } from './measure.ts';
import { atMost, number, time } from './report.ts';
import type { Section } from './report.ts';

export interface PackageOptions {
  readonly rounds: number;
  readonly scratch: string;
}

export async function packageSize(options: PackageOptions): Promise<Section> {
  const file = join(options.scratch, 'entrycheck.vsix');
  rmSync(file, { force: true });
  const notRun = ['activation inside the editor: the end-to-end tests do that'];
  let size = Number.NaN;
  try {
    execFileSync('npx', ['vsce', 'package', '--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links', '--out', file], { stdio: 'ignore' });
    size = statSync(file).size;
  } catch {
    notRun.push('the package: vsce failed');
  }
  const parts = readdirSync('dist').map((name) => [name, statSync(join('dist', name)).size] as const);
  const starts: number[] = [];
  for (let round = 0; round < options.rounds * 2; round += 1) {
    const began = performance.now();
    const client = startClient({ command: process.execPath, args: [resolve('dist/server.js'), '--stdio'] }, '.');
    await client.request('initialize', initializeParams(resolve('.'), { client: 'bench' }));
    starts.push(performance.now() - began);
    await client.stop();
  }
  const start = samples(starts);
  return {
    name: 'package',
    title: 'Package',
    commands: ['npm run package', 'node dist/server.js --stdio'],
    tables: [
      { title: 'Sizes', columns: ['file', 'kB'], rows: [['entrycheck.vsix', number(size / 1000)], ...parts.filter(([name]) => !name.endsWith('.map')).map(([name, bytes]) => [`dist/${name}`, number(bytes / 1000)])] },
      { title: 'Start of the server to its answer to initialize', columns: ['', 'median', 'p95'], rows: [['server', time(start.median), time(start.p95)]] },
    ],
    budgets: [atMost('.vsix under 3 MB', size / 1e6, 3, (value) => `${number(value, 2)} MB`), atMost('start to ready under 300 ms', start.median, 300, time)],
    notRun,
    figures: { size, parts: Object.fromEntries(parts), starts },
  };
}
