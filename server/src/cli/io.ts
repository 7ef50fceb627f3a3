// What a sub-command may touch of the process: its two streams, its folder and its terminal. Knows no command.

export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** All of the standard input. */
  readonly input: () => Uint8Array;
  /** Paths on the command line are relative to it. */
  readonly cwd: string;
  /** Folder of the running bundle; the grammars and the server lie in it. */
  readonly home: string;
  /** The bundle itself; null where commands run as part of another program. */
  readonly bundle: string | null;
  /** Folder for what is found again the next time; null where nothing is kept. */
  readonly cache: string | null;
  readonly color: boolean;
  /** Width of the terminal in columns; 100 where the output is no terminal. */
  readonly columns: number;
  /** Whether progress may be shown on the error stream. */
  readonly progress: boolean;
  /** Told before each piece of work, so that a crash can name it. */
  readonly working: (on: string) => void;
}

/** A sub-command: its arguments without its own name in, the exit status out. */
export type Command = (argv: readonly string[], io: Io) => Promise<number>;

/** Exit statuses: nothing found, something found, could not run. */
export const clean = 0;
export const found = 1;
export const couldNotRun = 2;

/** One line on the error stream, and the status of a run that could not be made. */
export function refuse(io: Io, message: string): number {
  io.err(`entrycheck: ${message}\n`);
  return couldNotRun;
}
