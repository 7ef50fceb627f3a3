// What a review asked of its workspace, and what it was told. The core asks nothing else: as long as the answers are these,
// what it says is the same. Knows nothing of what it says.
import { createHash } from 'node:crypto';
import type { NodeWorkspace, Refusal } from './workspace.ts';

export interface Seen {
  /** Digest of a file's text, or why it was refused; by path. */
  readonly files: ReadonlyMap<string, string>;
  /** Digest of the names in a folder; by path. */
  readonly folders: ReadonlyMap<string, string>;
  /** The date, where it was asked for. */
  readonly day: string | null;
}

/** 96 bits: texts that differ have the same one by no accident. */
function digestOf(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('base64').slice(0, 16);
}

function answer(text: string | null, refusal: Refusal): string {
  return text === null ? `refused: ${refusal}` : digestOf(text);
}

export function seenOf(files: readonly (readonly [path: string, text: string | null, refusal: Refusal])[], folders: ReadonlyMap<string, readonly string[]>, day: string | null): Seen {
  return {
    files: new Map(files.map(([path, text, refusal]) => [path, answer(text, refusal)])),
    folders: new Map([...folders].map(([folder, names]) => [folder, digestOf(names.join('/'))])),
    day,
  };
}

/** Whether a workspace gives the same answers now. */
export function answersAs(seen: Seen, workspace: NodeWorkspace): boolean {
  return (
    (seen.day === null || seen.day === workspace.today?.()) &&
    [...seen.files].every(([path, told]) => answer(workspace.read(path), workspace.refusal(path) ?? '') === told) &&
    [...seen.folders].every(([folder, told]) => digestOf(workspace.list(folder).join('/')) === told)
  );
}

/** What several saw together; null where they did not see the same: a file changed between them. */
export function together(parts: readonly Seen[]): Seen | null {
  const files = new Map<string, string>();
  const folders = new Map<string, string>();
  let day: string | null = null;
  for (const part of parts) {
    if (!addTo(files, part.files) || !addTo(folders, part.folders)) return null;
    if (day !== null && part.day !== null && day !== part.day) return null;
    day ??= part.day;
  }
  return { files, folders, day };
}

function addTo(all: Map<string, string>, part: ReadonlyMap<string, string>): boolean {
  for (const [path, told] of part) {
    if ((all.get(path) ?? told) !== told) return false;
    all.set(path, told);
  }
  return true;
}

/** Of a virtual workspace, or not saved anywhere yet. */
function isOnNoDisk(path: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/i.test(path) && !path.startsWith('file:');
}

/** Whether the texts of open files, which win over the disk, are those of the disk; these are what is seen of them then. */
export function areOnDisk(open: Iterable<string>, workspace: NodeWorkspace, textOf: (file: string) => string | null): boolean {
  return [...open].every((file) => {
    if (isOnNoDisk(file)) return false;
    workspace.forget(file);
    return workspace.read(file) === textOf(file);
  });
}
