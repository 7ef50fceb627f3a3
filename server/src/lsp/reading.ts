// Reads virtual workspaces by asking the editor: whatever the review or its worker looked for and was not given, in rounds
// until nothing new is looked for. Capped, and what is skipped is said. Knows no protocol: its host asks.
import type { HostAnswer, HostFile, HostPaths, HostWorkspace } from '../worker/host-files.ts';

/** Files and characters that are read in one session; 6.12 has 40 files behind entry_64.S, and 600 behind its C entry code. */
export const mostFiles = 6000;
export const mostCharacters = 128_000_000;
/** Files asked for at once, so that what is read shows soon. */
const atOnce = 64;

export interface ReadingHost {
  readonly ask: (paths: HostPaths) => Promise<HostAnswer>;
  /** Nothing outside of these folders is asked for, unless it lies on a disk. */
  readonly roots: () => readonly string[];
  readonly given: (answer: HostAnswer) => void;
  /** The review was given all that it had looked for in vain. */
  readonly whole: () => void;
  readonly log: (message: string) => void;
  /** To the user, once. */
  readonly say: (message: string) => void;
}

export interface Reading {
  /** Whether the review looked for something that is not there yet. */
  readonly isWaiting: () => boolean;
  /** Settles when nothing more is to be read. */
  readonly settled: () => Promise<void>;
  /** What the worker looked for. */
  readonly want: (paths: HostPaths) => void;
  /** Settles when the names in a folder are known. */
  readonly folder: (folder: string) => Promise<void>;
}

const nothing: HostAnswer = { files: [], folders: [] };

type ReadWorkspace = Pick<HostWorkspace, 'give' | 'wanted' | 'onWanted' | 'knowsFile' | 'knowsFolder' | 'given' | 'isVirtual'>;

export function createReading(workspace: ReadWorkspace, host: ReadingHost): Reading {
  const files = new Set<string>();
  const folders = new Set<string>();
  const sizes = new Map<string, number>();
  let characters = 0;
  let skipped = 0;
  let said = false;
  let running: Promise<void> | null = null;

  workspace.onWanted(() => void settled());

  function settled(): Promise<void> {
    running ??= Promise.resolve().then(readAll).catch((error: unknown) => host.log(`virtual workspace: ${String(error)}`));
    return running;
  }

  async function readAll(): Promise<void> {
    let own = false;
    try {
      for (let next = wantedNow(); next !== null; next = wantedNow()) {
        own ||= workspace.wanted() !== null;
        await give(next);
        for (const file of next.files) files.delete(file);
        for (const folder of next.folders) folders.delete(folder);
      }
    } finally {
      // What is wanted from here on begins another round.
      running = null;
    }
    if (!own) return;
    host.whole();
    if (workspace.wanted() !== null) await settled();
  }

  /** Of the review and of the worker; null where nothing is. */
  function wantedNow(): HostPaths | null {
    const own = workspace.wanted();
    const all = { files: [...new Set([...files, ...(own?.files ?? [])])].slice(0, atOnce), folders: [...new Set([...folders, ...(own?.folders ?? [])])] };
    return all.files.length + all.folders.length === 0 ? null : all;
  }

  async function give(paths: HostPaths): Promise<void> {
    const answer = await read(paths);
    workspace.give(answer);
    host.given(answer);
  }

  /** Every path that is asked for has an answer. */
  async function read({ files: wanted, folders: listed }: HostPaths): Promise<HostAnswer> {
    const roots = host.roots().map((root) => root.replace(/\/$/, ''));
    const allowed = (path: string): boolean => roots.some((root) => path === root || path.startsWith(`${root}/`) || isOnSameDisk(path, root));
    let room = characters < mostCharacters ? mostFiles - sizes.size : 0;
    const may = wanted.filter((file) => allowed(file) && (sizes.has(file) || room-- > 0));
    const asked = { files: may, folders: listed.filter(allowed) };
    const answer = asked.files.length + asked.folders.length === 0 ? nothing : await host.ask(asked).catch((error: unknown) => {
      host.log(`virtual workspace: ${error instanceof Error ? error.message : String(error)}`);
      return nothing;
    });
    const texts = new Map(answer.files.map(({ file, text }) => [file, text]));
    const known = new Map(answer.folders.map((folder) => [folder.folder, folder]));
    const files = wanted.map((file) => counted({ file, text: texts.get(file) ?? null }));
    skip(wanted.filter((file) => allowed(file) && !may.includes(file)));
    return {
      files,
      folders: [...new Set([...listed, ...known.keys()])].map((folder) => known.get(folder) ?? { folder, names: [], below: [] }),
    };
  }

  function counted(given: HostFile): HostFile {
    if (given.text === null) return given;
    characters += given.text.length - (sizes.get(given.file) ?? 0);
    sizes.set(given.file, given.text.length);
    return given;
  }

  function skip(paths: readonly string[]): void {
    const [first] = paths;
    if (first === undefined) return;
    skipped += paths.length;
    host.log(`virtual workspace: not read, of ${skipped} so far: ${paths.join(', ')}`);
    if (said) return;
    said = true;
    host.say(`Entrycheck has read ${sizes.size} files of this workspace and reads no more, the first that it skips is ${first}: what is said of code that needs it may be wrong`);
  }

  return {
    isWaiting: () => workspace.wanted() !== null,
    settled,
    want: (paths) => {
      const known = { files: paths.files.filter(workspace.knowsFile), folders: paths.folders.filter(workspace.knowsFolder) };
      if (known.files.length + known.folders.length > 0) host.given(among(workspace.given(), known));
      for (const file of paths.files) if (!workspace.knowsFile(file)) files.add(file);
      for (const folder of paths.folders) if (!workspace.knowsFolder(folder)) folders.add(folder);
      void settled();
    },
    folder: async (folder) => {
      if (!workspace.isVirtual(`${folder}/`) || workspace.knowsFolder(folder)) return;
      await give({ files: [], folders: [folder] });
    },
  };
}

/** A folder of a repository has no neighbours, but one on a disk, of this machine or a remote one, may include what lies beside it. */
function isOnSameDisk(path: string, root: string): boolean {
  const disk = /^(?:vscode-remote:\/\/[^/]*)?\//.exec(root)?.[0];
  return disk !== undefined && path.startsWith(disk);
}

/** Those that are asked for; what the names of a folder say is absent is so. */
function among(given: HostAnswer, { files, folders }: HostPaths): HostAnswer {
  const texts = new Map(given.files.map(({ file, text }) => [file, text]));
  return { files: files.map((file) => ({ file, text: texts.get(file) ?? null })), folders: given.folders.filter(({ folder }) => folders.includes(folder)) };
}
