#!/usr/bin/env node
// What dist/cli.js, dist/server.js and dist/worker.js are: each runs the bundle of its own name. The command line loads
// nothing but the server where that is asked for. V8's flags are set here and nowhere else: it takes no code that was kept
// under others.
import { basename, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { isMainThread } from 'node:worker_threads';
import { runBundle } from './code-cache.ts';

// An editor runs many servers: garbage is collected when heaps have grown by that much, of the server's thread and the worker's.
const SERVER_FLAGS = '--heap-growing-percent=30';
// A command is over before most of what V8 compiles for long runs pays for itself: this often a function must have run.
const COMMAND_FLAGS = '--interrupt-budget=400000';

const own = basename(__filename, '.js');
const [command, ...options] = process.argv.slice(2);
const serves = own === 'cli' && command === 'lsp' && options.includes('--stdio') && options.every((option) => option === '--stdio' || option.startsWith('--clientProcessId'));
const name = serves ? 'server' : own;
// Flags are the process's: threads have them already.
if (isMainThread) setFlagsFromString(name === 'cli' ? COMMAND_FLAGS : SERVER_FLAGS);
runBundle(join(__dirname, `${name}.bundle.js`), name === 'cli', name === 'cli' ? partOf(command) : '');

/** What is kept is what the first run came by: long commands have their own, and the threads of one. */
function partOf(command = ''): string {
  if (!isMainThread) return '.thread';
  return ['check', 'run', 'compare', 'context'].includes(command) ? `.${command}` : '';
}
