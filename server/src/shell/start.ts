#!/usr/bin/env node
// What dist/cli.js, dist/server.js and dist/worker.js are: each runs the bundle of its own name. The command line loads
// nothing but the server where that is asked for.
import { basename, join } from 'node:path';
import { startCommand, startServer } from './code-cache.ts';

const own = basename(__filename, '.js');
const [command = '', ...options] = process.argv.slice(2);
const serves = own === 'cli' && command === 'lsp' && options.includes('--stdio') && options.every((option) => option === '--stdio' || option.startsWith('--clientProcessId'));
// What is kept is what the first run came by: long commands have their own.
if (own === 'cli' && !serves) startCommand(join(__dirname, 'cli.bundle.js'), ['check', 'run', 'compare', 'context'].includes(command) ? `.${command}` : '');
else startServer(join(__dirname, `${serves ? 'server' : own}.bundle.js`));
