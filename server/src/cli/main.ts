#!/usr/bin/env node
// The command line: gives the sub-command the process's streams, and turns a crash into one line; as a
// thread of itself it explores a share. Knows nothing of reviews.
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { cacheFolder } from '../shell/cache-folder.ts';
import { entrycheck } from './commands.ts';
import { couldNotRun } from './io.ts';
import type { Io } from './io.ts';
import { serveShare } from './shares.ts';
import type { ShareRequest } from './shares.ts';

const environment = process.env;
let activity = 'starting';

const io: Io = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  input: () => readFileSync(0),
  cwd: process.cwd(),
  home: __dirname,
  bundle: __filename,
  cache: cacheFolder(environment, process.platform, homedir()),
  color: process.stdout.isTTY === true && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb',
  columns: process.stdout.isTTY === true ? Math.max(60, process.stdout.columns) : 100,
  progress: process.stderr.isTTY === true,
  working: (on) => void (activity = on),
};

if (parentPort === null) runCommand();
else void serveShare(parentPort, workerData as ShareRequest);

function runCommand(): void {
  /** A reader that went away (`| head`) ends the program as SIGPIPE would. */
  const brokenPipe = 128 + 13;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: Error & { readonly code?: string }) => process.exit(error.code === 'EPIPE' ? brokenPipe : couldNotRun));
  }

  entrycheck(process.argv.slice(2), io).then(
    (status) => {
      // Not process.exit(): what was written to a pipe may still be on its way.
      process.exitCode = status;
    },
    (error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      process.stderr.write(`entrycheck: internal error while ${activity}: ${(message.split('\n')[0] ?? '').trim()} (a bug of entrycheck, not of the code under review; ENTRYCHECK_DEBUG=1 prints the stack)\n`);
      if ((environment['ENTRYCHECK_DEBUG'] ?? '') !== '' && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
      process.exitCode = couldNotRun;
    },
  );
}
