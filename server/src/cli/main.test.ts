import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { didYouMean } from './nearest.ts';

/** The command line as a program of its own, without grammars beside it. */
const program = 'out/bare/cli.js';

function start(command: string, environment: { readonly [name: string]: string } = {}): { readonly status: number | null; readonly out: string; readonly err: string } {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', command], { encoding: 'utf8', env: { ...process.env, ...environment } });
  return { status, out: stdout, err: stderr };
}

describe('the program entrycheck', () => {
  before(() => {
    buildSync({ entryPoints: ['server/src/cli/main.ts'], outfile: program, bundle: true, platform: 'node', format: 'cjs', external: ['web-tree-sitter'], logLevel: 'error' });
  });

  it('can be started by its name: the bundle keeps the first line', () => {
    assert.ok(readFileSync(program, 'utf8').startsWith('#!/usr/bin/env node\n'));
  });

  it('gives its status to the shell', () => {
    assert.equal(start(`node ${program} --help`).status, 0);
    assert.equal(start(`node ${program} check no-such-path`).status, 2);
  });

  it('ends quietly, as by SIGPIPE, where the reader goes away', () => {
    const { out, err } = start(`node -e 'setTimeout(() => 0, 50)' | { node ${program} --help; echo $? >&2; } | true`);
    assert.equal(out, '');
    assert.match(err, /^(?:0|141)\n$/);
  });

  it('a crash is one line that names what was done, and the stack is there on request', () => {
    const alone = mkdtempSync(join(tmpdir(), 'entrycheck-alone-'));
    copyFileSync(program, join(alone, 'cli.js'));
    const inFolder = `cd / && NODE_PATH=${process.cwd()}/node_modules node ${alone}/cli.js explain`;
    const crash = start(inFolder, { ENTRYCHECK_DEBUG: '' });
    assert.equal(crash.status, 2);
    assert.match(crash.err, /^entrycheck: internal error while loading the grammars: .*ENTRYCHECK_DEBUG=1 prints the stack\)\n$/);
    assert.match(start(inFolder, { ENTRYCHECK_DEBUG: '1' }).err, /\n\s+at /);
    rmSync(alone, { recursive: true });
  });

  it('prints no colour into a pipe', () => {
    assert.ok(!start(`node ${program} check no-such-path 2>&1; node ${program} --help`).out.includes('\u001b'));
  });
});

describe('did you mean', () => {
  const names = ['perf-nmi-ve-ve', 've-in-task', 'self-ipi-on-ist', 'guard-never-rearmed'];
  const cases: readonly (readonly [string, string | null])[] = [
    ['ve-in-tsak', 've-in-task'],
    ['VE-IN-TASK', 've-in-task'],
    ['perf-nmi', 'perf-nmi-ve-ve'],
    ['guard-never-rearm', 'guard-never-rearmed'],
    ['zzz', null],
    ['x', null],
  ];
  for (const [word, wanted] of cases) it(`${word}: ${wanted ?? 'nothing is near'}`, () => assert.equal(didYouMean(word, names), wanted === null ? '' : `; did you mean '${wanted}'?`));
});
