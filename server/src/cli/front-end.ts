// `entrycheck expand` and `entrycheck stats` as sub-commands: their help, and their two streams.
import { expand as expandFile } from './expand.ts';
import { clean } from './io.ts';
import type { Command, Io } from './io.ts';
import { stats as statsOf } from './stats.ts';

const options = `  --config FILE|PRESET  a .config, or a built-in configuration
  --variant V           a variant of the tree's release, for example pti or minimal
  -D NAME[=VALUE]       defines a symbol
  --format text|json    (default: text)
`;

export const expandUsage = `usage: entrycheck expand [--symbol S] [OPTIONS] FILE

The instruction stream that the assembler reads, after the C preprocessor and the
macros, a line each: symbol+index, origin <- macro uses, instruction.

  --symbol S            only the instructions under that symbol
${options}
exit status: 0, 1 the file has problems (on the standard error), 2 could not run
`;

export const statsUsage = `usage: entrycheck stats [OPTIONS] PATH...

How much of assembler files the front end understands: text outside every rule of
the grammar, unknown mnemonics, macros and includes, and the slowest file.

  --definitions         counts what C and assembler files define instead, as an
                        index of them all holds it: no grammar, no configuration
${options}
exit status: 0, or 2 could not run
`;

type FrontEnd = (argv: readonly string[], io: { readonly write: (text: string) => void; readonly error: (text: string) => void }) => Promise<number>;

const streams = (run: FrontEnd, usage: string): Command => (argv, io: Io) => {
  if (argv.includes('--help') || argv.includes('-h')) {
    io.out(usage);
    return Promise.resolve(clean);
  }
  return run(argv, { write: io.out, error: (text) => io.err(`entrycheck: ${text}`) });
};

export const expand = streams(expandFile, expandUsage);
export const stats = streams(statsOf, statsUsage);
