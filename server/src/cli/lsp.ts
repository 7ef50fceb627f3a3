// `entrycheck lsp --stdio`: the language server for editors that start it by a command. Speaks no protocol itself: it
// loads the server's bundle, which reads the standard streams.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArguments } from './arguments.ts';
import { clean, refuse } from './io.ts';
import type { Command } from './io.ts';

export const usage = `usage: entrycheck lsp --stdio

The language server on the standard streams, for Neovim, Emacs, Helix and others.
`;

export const lsp: Command = (argv, io) => {
  const parsed = parseArguments('lsp', argv.filter((word) => !word.startsWith('--clientProcessId')), [{ name: 'stdio', kind: 'flag', words: null }]);
  if (parsed.kind === 'wrong') return Promise.resolve(refuse(io, parsed.message));
  if (parsed.arguments.flag('help')) {
    io.out(usage);
    return Promise.resolve(clean);
  }
  if (!parsed.arguments.flag('stdio')) return Promise.resolve(refuse(io, 'lsp: the server speaks over the standard streams only; start it as: entrycheck lsp --stdio'));
  const server = join(io.home, 'server.js');
  if (!existsSync(server)) return Promise.resolve(refuse(io, `lsp: ${server}: no such file; run npm run build`));
  createRequire(server)(server);
  // The server owns the process from here: it ends with the client's exit notification.
  return new Promise(() => undefined);
};
