// What was judged and what was not, so that silence is not taken for blindness.

/** What was judged, so that silence is not taken for blindness. */
export interface Coverage {
  /** Folder of the kernel tree or of the design. */
  readonly subject: string;
  /** C code, by configuration. */
  readonly c: readonly CCoverage[];
  /** Assembler code, by configuration. */
  readonly paths: readonly PathCoverage[];
}

export interface CCoverage {
  readonly configuration: string;
  readonly files: number;
  readonly functions: number;
  /** Functions in which the parser lost a place, as `file:name`: they are read in part. */
  readonly unreadable: readonly string[];
  /** `known` calls have a row, `unresolved` ones are of functions or through pointers that nothing is known of. */
  readonly calls: { readonly inView: number; readonly known: number; readonly unresolved: number };
  /** Which bound was hit, or null. */
  readonly cap: string | null;
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
