// The paths of a command line that are texts with code in them: the standard input, mails, Markdown pages, patches. Their
// code becomes files that exist for this run only.
import { existsSync, readFileSync } from 'node:fs';
import { largestFile, onDisk, reason } from '../shell/workspace.ts';
import type { Io } from './io.ts';
import { asPage, asSeries, patchMails } from './mails.ts';
import { isEncoded, readMails } from './mime.ts';
import { isPatch, parsePatches } from './patch.ts';
import type { Patch } from './patch.ts';
import { pastedFiles } from './pasted.ts';

/** Files named so are read as texts that have code in them. */
const text = /\.(?:md|markdown|txt|eml|mbox|mbx|patch|diff)$/i;

export interface Given {
  /** The paths with those of texts replaced by the files that they hold. */
  readonly paths: readonly string[];
  /** Files of this run only, by path. */
  readonly files: ReadonlyMap<string, string>;
  /** What these and their folders are shown as. */
  readonly names: ReadonlyMap<string, string>;
  readonly patches: readonly { readonly name: string; readonly patch: Patch }[];
  /** What of mails with patches was left out. */
  readonly notes: readonly string[];
}

export type GivenOrRefused = { readonly kind: 'given'; readonly given: Given } | { readonly kind: 'refused'; readonly message: string };

export function readGiven(paths: readonly string[], { cwd, input }: Pick<Io, 'cwd' | 'input'>): GivenOrRefused {
  const out: string[] = [];
  const files = new Map<string, string>();
  const names = new Map<string, string>();
  const patches: { name: string; patch: Patch }[] = [];
  const notes: string[] = [];
  for (const path of paths) {
    if (path !== '-' && (!text.test(path) || !existsSync(onDisk(cwd, path)))) {
      out.push(path);
      continue;
    }
    const name = path === '-' ? '<stdin>' : path;
    const read = contentOf(path, cwd, input);
    if (read.kind === 'refused') return { kind: 'refused', message: `${name}: ${read.message}` };
    const mails = readMails(read.bytes);
    const chosen = mails === null ? null : patchMails(mails);
    if (chosen !== null && chosen.mails.length > 0) notes.push(...chosen.notes.map((note) => `${name}: ${note}`));
    const series = chosen !== null && chosen.mails.length > 0 ? asSeries(chosen.mails) : isPatch(read.text) ? { text: read.text, at: [] } : null;
    if (series !== null) {
      const parsed = parsePatches(series.text, series.at);
      if (typeof parsed === 'string') return { kind: 'refused', message: `${name}: ${parsed}` };
      patches.push(...parsed.map((patch) => ({ name, patch })));
      continue;
    }
    const pasted = pastedFiles(mails !== null && isEncoded(read.text) ? asPage(mails) : read.text);
    if (pasted.length === 0) return { kind: 'refused', message: `${name}: ${read.text.trim() === '' ? 'nothing is in it' : 'no assembler or C code was recognised in it; put it between lines of ``` (```asm, ```c)'}` };
    for (const { sketch, language, text: code } of pasted) {
      const folder = sketch === 0 ? name : `${name} (${sketch + 1})`;
      // In no folder that there is: whoever pastes code in a kernel tree does not paste it into the tree.
      const home = `/<pasted>/${paths.indexOf(path)}/${folder.slice(folder.lastIndexOf('/') + 1)}`;
      const file = `${home}/sketch.${language}`;
      files.set(file, code);
      names.set(file, name).set(home, folder);
      out.push(file);
    }
  }
  return { kind: 'given', given: { paths: out, files, names, patches, notes } };
}

function contentOf(path: string, cwd: string, input: Io['input']): { readonly kind: 'text'; readonly text: string; readonly bytes: Uint8Array } | { readonly kind: 'refused'; readonly message: string } {
  try {
    const bytes = path === '-' ? input() : readFileSync(onDisk(cwd, path));
    if (bytes.length > largestFile) return { kind: 'refused', message: `not analysed: larger than ${largestFile / 1024 / 1024} MB` };
    if (bytes.subarray(0, 8000).includes(0)) return { kind: 'refused', message: 'not analysed: binary file' };
    return { kind: 'text', text: new TextDecoder('utf-8').decode(bytes), bytes };
  } catch (error) {
    return { kind: 'refused', message: reason(error) };
  }
}
