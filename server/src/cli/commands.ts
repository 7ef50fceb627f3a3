// The sub-commands by name, and the help. Knows nothing of the process that it runs in.
import { check, usage as checkUsage } from './check.ts';
import { compare, usage as compareUsage } from './compare.ts';
import { context, usage as contextUsage } from './context.ts';
import { dap, usage as dapUsage } from './dap.ts';
import { explain, usage as explainUsage } from './explain.ts';
import { expand, expandUsage, stats, statsUsage } from './front-end.ts';
import { clean, couldNotRun, refuse } from './io.ts';
import type { Command, Io } from './io.ts';
import { lsp, usage as lspUsage } from './lsp.ts';
import { mcp, usage as mcpUsage } from './mcp.ts';
import { didYouMean } from './nearest.ts';
import { review, usage as reviewUsage } from './review.ts';
import { run, usage as runUsage } from './run.ts';
import { test, usage as testUsage } from './test.ts';
import { version } from './version.ts';

interface Entry {
  readonly command: Command;
  readonly usage: string;
}

const commands: ReadonlyMap<string, Entry> = new Map([
  ['check', { command: check, usage: checkUsage }],
  ['run', { command: run, usage: runUsage }],
  ['test', { command: test, usage: testUsage }],
  ['compare', { command: compare, usage: compareUsage }],
  ['context', { command: context, usage: contextUsage }],
  ['explain', { command: explain, usage: explainUsage }],
  ['review', { command: review, usage: reviewUsage }],
  ['expand', { command: expand, usage: expandUsage }],
  ['stats', { command: stats, usage: statsUsage }],
  ['dap', { command: dap, usage: dapUsage }],
  ['lsp', { command: lsp, usage: lspUsage }],
  ['mcp', { command: (argv, io) => mcp(argv, io, entrycheck), usage: mcpUsage }],
]);

const help = `usage: entrycheck COMMAND [ARGUMENTS]

  check PATH...               findings of files and folders
  run SCENARIO|FILE [PATH...] verdicts of scenarios on designs
  test [PATH...]              scenarios as tests, for test runners and CI
  compare BASE NEW            a design before and after a change, and where they part
  context FILE:LINE[:COLUMN]  exception contexts at a line, and who can interrupt there
  explain [RULE]              a rule's page, offline
  review [PATH...]            designs, their verdicts and shortest traces, for reading
  expand FILE                 the instruction stream after preprocessing, with origins
  stats PATH...               how much of a tree the front end understands
  dap --stdio                 replay of a trace in a debugger
  lsp --stdio                 the language server
  mcp --stdio                 these commands as tools for assistants

entrycheck COMMAND --help tells more. --version prints the version.
Exit status: 0 nothing found, 1 findings, 2 could not run.
`;

/** Gives the exit status. Throws only for a bug. */
export async function entrycheck(argv: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = argv;
  if (name === '--version' || name === '-V') {
    io.out(`entrycheck ${version(io.home)}\n`);
    return clean;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    io.out(commands.get(rest[0] ?? '')?.usage ?? help);
    return clean;
  }
  if (name === undefined) {
    io.err(help);
    return couldNotRun;
  }
  const entry = commands.get(name);
  if (entry === undefined) return refuse(io, `no command '${name}'${didYouMean(name, [...commands.keys()])} (entrycheck --help lists them)`);
  if (rest.includes('--version')) return entrycheck(['--version'], io);
  return entry.command(rest, io);
}
