// The user's own cache folder: files that are written whole or not at all, and read only where nobody else can have put
// them there. Knows nothing of what is in them.
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';

type Environment = Readonly<Record<string, string | undefined>>;

/** The cache folder of the program; null where there is none, or where ENTRYCHECK_CACHE is `off`. */
export function cacheFolder(environment: Environment, platform: string, home: string): string | null {
  const chosen = environment['ENTRYCHECK_CACHE'] ?? '';
  if (chosen === 'off') return null;
  if (chosen !== '') return chosen;
  const general = environment['XDG_CACHE_HOME'] ?? '';
  if (general !== '') return join(general, 'entrycheck');
  if (platform === 'win32') return (environment['LOCALAPPDATA'] ?? '') === '' ? null : join(environment['LOCALAPPDATA'] ?? '', 'entrycheck');
  if (home === '' || home === '/') return null;
  return platform === 'darwin' ? join(home, 'Library/Caches/entrycheck') : join(home, '.cache/entrycheck');
}

/** Nobody else may have put code or verdicts there. */
function isOwn(path: string): boolean {
  const { uid, mode } = statSync(path);
  return process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
}

/** null where there is no such file, or others may write it. */
export function readOwn(file: string): Buffer | null {
  try {
    return isOwn(dirname(file)) && isOwn(file) ? readFileSync(file) : null;
  } catch {
    return null;
  }
}

/**
 * Whole or not at all; other processes and threads may write at the same time. Of the files of the folder whose names begin with
 * `prefix` the `kept` youngest stay. A cache that cannot be written is none: failures are silent.
 */
export function writeOwn(file: string, bytes: Uint8Array, prefix: string, kept: number): void {
  try {
    const folder = dirname(file);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!isOwn(folder)) return;
    const made = `${file}.${process.pid}.${threadId}`;
    writeFileSync(made, bytes, { mode: 0o600 });
    renameSync(made, file);
    const old = readdirSync(folder).filter((name) => name.startsWith(prefix)).map((name) => ({ name, time: statSync(join(folder, name)).mtimeMs })).sort((a, b) => b.time - a.time);
    for (const { name } of old.slice(kept)) rmSync(join(folder, name), { force: true });
  } catch {
    // As documented.
  }
}
