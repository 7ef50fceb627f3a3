// Runs a bundle with the machine code that V8 made of it the last time, kept in the user's own cache folder: what is
// started often compiles once. Where the folder cannot be used or trusted the bundle is compiled as ever.
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { isMainThread } from 'node:worker_threads';
import { cacheFolder, readOwn, writeOwn } from './cache-folder.ts';

/** Files of one bundle that are kept: of several versions of the program or of Node. */
const KEPT = 4;
/** Milliseconds after which what was run is worth keeping. */
const settled = 5000;

/** V8 checks its own version and flags, and of the text the length alone: the rest is in the name. */
function cacheFile(folder: string, bundle: string, part: string): string {
  const { size, mtimeMs } = statSync(bundle);
  const key = createHash('sha256').update([bundle, size, mtimeMs, process.version, process.arch].join('\n')).digest('hex').slice(0, 16);
  return join(folder, 'code', `${basename(bundle, '.js')}${part}-${key}`);
}

/** Files of one bundle beside each other are of several versions of the program or of Node. */
export function writeCode(file: string, code: Buffer): void {
  writeOwn(file, code, basename(file).replace(/-[^-]*$/, '-'), KEPT);
}

/** V8 takes no code that was kept under other flags: they are set here, before any is loaded, and nowhere else. */
function setFlags(flags: string): void {
  // They are the process's: threads have them already.
  if (isMainThread) setFlagsFromString(flags);
}

/** Starts the bundle of a server or of its worker. An editor runs many: garbage is collected when heaps have grown by that much. */
export function startServer(bundle: string): void {
  setFlags('--heap-growing-percent=30');
  runBundle(bundle, false, '');
}

/**
 * Starts the bundle of a command. It is over before most of what V8 compiles for long runs pays for itself: so often a
 * function must have run.
 */
export function startCommand(bundle: string, part: string): void {
  setFlags('--interrupt-budget=400000');
  // What a thread of a command runs is other code than what the command itself does.
  runBundle(bundle, true, isMainThread ? part : '.thread');
}

/** `atEnd`: what runs is over soon, and its code is kept when it ends. `part` tells runs of other parts of the bundle apart. */
function runBundle(bundle: string, atEnd: boolean, part: string): void {
  const source = readFileSync(bundle, 'utf8').replace(/^#!.*/, '');
  const folder = cacheFolder(process.env, process.platform, homedir());
  const file = folder === null ? null : cacheFile(folder, bundle, part);
  const code = file === null ? null : readOwn(file);
  const script = new Script(Module.wrap(source), { filename: bundle, ...(code === null ? {} : { cachedData: code }) });
  if (file !== null && (code === null || script.cachedDataRejected === true)) {
    const keep = (): void => writeCode(file, script.createCachedData());
    if (atEnd) process.once('exit', keep);
    else setTimeout(keep, settled).unref();
  }
  const module = new Module(bundle);
  module.filename = bundle;
  const run = script.runInThisContext() as (this: unknown, exports: unknown, require: NodeJS.Require, module: Module, file: string, folder: string) => void;
  run.call(module.exports, module.exports, createRequire(bundle), module, bundle, dirname(bundle));
}
