// Emphasis of the text renderers, so that they need not know terminals: each shell says what emphasis looks like.

export interface Paint {
  readonly strong: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly doubtful: (text: string) => string;
  readonly good: (text: string) => string;
  readonly quiet: (text: string) => string;
}

const same = (text: string): string => text;

export const plain: Paint = { strong: same, bad: same, doubtful: same, good: same, quiet: same };

const escape = (code: number) => (text: string): string => `\u001b[${code}m${text}\u001b[0m`;

/** For terminals: ECMA-48 select graphic rendition. */
export const coloured: Paint = { strong: escape(1), bad: escape(31), doubtful: escape(33), good: escape(32), quiet: escape(2) };
