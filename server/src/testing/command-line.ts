// Runs sub-commands inside the test process and keeps what they print. For tests only.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { entrycheck } from '../cli/commands.ts';

export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** `entrycheck ARGV...` as if started in `cwd`, with a standard input. */
export async function runCommand(argv: readonly string[], cwd = resolve('.'), input = ''): Promise<Ran> {
  let out = '';
  let err = '';
  const status = await entrycheck(argv, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    input: () => new TextEncoder().encode(input),
    cwd,
    home: resolve('out'),
    bundle: null,
    cache: null,
    color: false,
    columns: 100,
    progress: false,
    working: () => undefined,
  });
  return { status, out, err };
}

/** Files in a folder of their own that is gone when `use` is done. */
export async function withFiles(files: { readonly [path: string]: string | Uint8Array }, use: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'entrycheck-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
