// Section (d): the command line cold; definitions of the entry code's folders beside ctags and clangd's index, and their
// check, which does more.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compileDatabase } from './kernel-build.ts';
import { initializeParams, startClient } from './language-client.ts';
import { installed, interleaved, runCommand, samples } from './measure.ts';
import { atMost, budget, number, ratio, time } from './report.ts';
import type { Budget, Section } from './report.ts';

export interface CommandLineOptions {
  readonly rounds: number;
  readonly scratch: string;
  readonly kernel: string;
}

const folders = ['entry', 'kernel', 'mm', 'coco', 'include'].map((name) => `arch/x86/${name}`);
/** Configurations that the entry code is checked under. */
const variants = ['pti', 'nopti', 'xenpv+sev+tdx+fred', 'minimal'];

export async function commandLine(options: CommandLineOptions): Promise<Section> {
  const cli = resolve('dist/cli.js');
  const { kernel } = options;
  const notRun: string[] = [];
  const cache = resolve(options.scratch, 'cache');
  /** Of the cache only compiled code counts as cold. */
  const cold = <Result>(run: () => Result): Result => {
    rmSync(join(cache, 'results'), { recursive: true, force: true });
    return run();
  };
  const ours = (cwd: string, ...args: readonly string[]): number => {
    const run = runCommand(process.execPath, [cli, ...args], cwd, { ENTRYCHECK_CACHE: cache });
    if (run.status === 2 || run.status === null) throw new Error(run.output.slice(-2000));
    return run.milliseconds;
  };
  const candidates: Record<string, () => number> = {
    'entrycheck --version': () => ours('.', '--version'),
    'entrycheck check (largest fixture)': () => cold(() => ours('.', 'check', 'test-fixtures/designs/frame-duplication')),
  };
  const budgets: Budget[] = [];
  if (existsSync(join(kernel, folders[0] ?? ''))) {
    candidates['entrycheck check arch/x86/entry'] = () => cold(() => ours(kernel, 'check', 'arch/x86/entry'));
    candidates['entrycheck check arch/x86/entry, again'] = () => cold(() => ours(kernel, 'check', 'arch/x86/entry') && ours(kernel, 'check', 'arch/x86/entry'));
    candidates['entrycheck check arch/x86/entry, all variants'] = () => cold(() => variants.reduce((sum, variant) => sum + ours(kernel, 'check', '--config', `6.12:${variant}`, 'arch/x86/entry'), 0));
    candidates['entrycheck stats --definitions, the five folders'] = () => ours(kernel, 'stats', '--definitions', ...folders);
    candidates['entrycheck check, the five folders'] = () => cold(() => ours(kernel, 'check', ...folders.filter((folder) => holdsSources(join(kernel, folder)))));
    if (installed('ctags')) candidates['ctags, the five folders'] = () => runCommand('ctags', ['-R', '-f', '/dev/null', ...folders], kernel).milliseconds;
    else notRun.push('ctags: not installed');
  } else notRun.push('the kernel: there is no tree');
  ours('.', '--version');
  const runs = await interleaved(options.rounds, candidates);
  const median = (name: string): number => samples(runs.get(name) ?? []).median;
  const index = existsSync(kernel) ? await clangdIndex(options, notRun) : Number.NaN;
  const rows = [...runs.keys()].map((name) => [name, time(median(name)), time(samples(runs.get(name) ?? []).p95)]);
  if (Number.isFinite(index)) rows.push(['clangd, cold index of the five folders', time(index), '-']);
  const scan = median('entrycheck stats --definitions, the five folders');
  const judged = median('entrycheck check, the five folders');
  budgets.push(
    atMost('check arch/x86/entry cold under a second', median('entrycheck check arch/x86/entry'), 1000, time),
    atMost('the same again, of the same texts, under a second', median('entrycheck check arch/x86/entry, again'), 1000, time),
    atMost('all configuration variants under five seconds', median('entrycheck check arch/x86/entry, all variants'), 5000, time),
    ...[['index of definitions', scan], ['check of the five folders', judged]].flatMap(([what, spent]): Budget[] => [
      atMost(`${what} at most ten times ctags`, Number(spent) / median('ctags, the five folders'), 10, ratio),
      Number.isFinite(index) ? atMost(`${what} at most a twentieth of clangd's cold index`, Number(spent) / index, 0.05, ratio) : budget(`${what} at most a twentieth of clangd's cold index`, '-', null),
    ]),
  );
  return {
    name: 'command-line',
    title: 'Command line',
    commands: ['node dist/cli.js check arch/x86/entry', ...variants.map((variant) => `node dist/cli.js check --config 6.12:${variant} arch/x86/entry`), `node dist/cli.js stats --definitions ${folders.join(' ')}`, `ctags -R -f /dev/null ${folders.join(' ')}`, 'clangd-19 --background-index --compile-commands-dir=.cache/bench/commands-N'],
    tables: [{ title: 'Fresh processes', columns: ['command', 'median', 'p95'], rows }],
    budgets,
    notRun,
    figures: { runs: Object.fromEntries(runs), index, folders: number(folders.length) },
  };
}

function holdsSources(folder: string): boolean {
  return readdirSync(folder, { recursive: true }).some((name) => /\.[cS]$/.test(String(name)));
}

/** Milliseconds from the start of clangd to the end of its background index of all C files of the folders. */
async function clangdIndex(options: CommandLineOptions, notRun: string[]): Promise<number> {
  if (!installed('clangd-19')) {
    notRun.push('clangd: clangd-19 is not installed');
    return Number.NaN;
  }
  const files = folders.flatMap((folder) => readdirSync(join(options.kernel, folder), { recursive: true }).map((name) => `${folder}/${String(name)}`).filter((name) => name.endsWith('.c')));
  const database = compileDatabase(options.kernel, options.scratch, files);
  if (typeof database === 'string') {
    notRun.push(`clangd: ${database}`);
    return Number.NaN;
  }
  rmSync(join(database.folder, '.cache'), { recursive: true, force: true });
  const began = performance.now();
  const client = startClient({ command: 'clangd-19', args: ['--background-index', '--background-index-priority=normal', `--compile-commands-dir=${database.folder}`, '--log=error'] }, options.kernel);
  await client.request('initialize', initializeParams(options.kernel, {}));
  client.notify('initialized', {});
  const file = join(options.kernel, files.find((one) => one.endsWith('/traps.c')) ?? files[0] ?? '');
  const ended = client.notification('$/progress', (params) => {
    const { token, value } = params as { readonly token: string; readonly value: { readonly kind: string } };
    return token === 'backgroundIndexProgress' && value.kind === 'end';
  });
  client.notify('textDocument/didOpen', { textDocument: { uri: pathToFileURL(file).href, languageId: 'c', version: 1, text: '' } });
  await ended;
  const spent = performance.now() - began;
  await client.stop();
  return spent;
}
