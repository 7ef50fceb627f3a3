// What was judged and what was not, so that silence is not taken for blindness.
import type { TreeCoverage } from './tree/tree.ts';

export interface Coverage {
  /** Folder of the kernel tree or of the design. */
  readonly subject: string;
  /** C code, by configuration. */
  readonly c: readonly TreeCoverage[];
  /** Assembler code, by configuration. */
  readonly paths: readonly PathCoverage[];
}

export interface PathCoverage {
  readonly configuration: string;
  readonly instructions: number;
  /** Instructions that some entry path reaches. */
  readonly reached: number;
  /** The others, by why no path reaches them; the reason is null where nobody knows. */
  readonly unreached: readonly { readonly reason: string | null; readonly instructions: number }[];
  /** Kinds of CPU that the paths were run on. */
  readonly cpus: readonly string[];
}
