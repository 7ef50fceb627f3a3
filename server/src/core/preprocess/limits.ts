// Bounds of one preprocessing run, so that hostile text ends in a problem at its place and not in a hang.

export interface Limits {
  /** Tokens that C macros may produce. */
  readonly tokens: number;
  readonly includeDepth: number;
  /** Statements that the assembler's macro language may read, expansions included. */
  readonly statements: number;
  readonly items: number;
  /** Characters of one line, before and after expansion. */
  readonly lineLength: number;
  /** Macros and blocks of the assembler being expanded at one time. */
  readonly macroDepth: number;
  readonly problems: number;
  /** Characters that expanded macros may add up to. */
  readonly expandedLength: number;
}

export const defaultLimits: Limits = {
  tokens: 2_000_000,
  includeDepth: 100,
  statements: 600_000,
  items: 300_000,
  lineLength: 1 << 20,
  macroDepth: 200,
  problems: 500,
  expandedLength: 100_000_000,
};
