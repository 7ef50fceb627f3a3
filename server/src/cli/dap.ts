// `entrycheck dap --stdio`: the debug adapter for editors that start it by a command. Each launch reads the files afresh.
import type { Readable, Writable } from 'node:stream';
import { resolve } from 'node:path';
import { createReview } from '../core/review.ts';
import type { Review } from '../core/review-types.ts';
import type { DebugHost } from '../dap/host.ts';
import { loadGrammars } from '../shell/grammars.ts';
import { createNodeWorkspace } from '../shell/workspace.ts';
import { parseArguments } from './arguments.ts';
import { clean, refuse } from './io.ts';
import type { Command, Io } from './io.ts';
import { kindOf, tidy } from './paths.ts';

export const usage = `usage: entrycheck dap --stdio

The debug adapter on the standard streams: replays the trace of a scenario or of a
finding, for Neovim, Emacs, Helix and others. What a launch takes is in
docs/guide.md.
`;

export const dap: Command = async (argv, io) => {
  const parsed = parseArguments('dap', argv, [{ name: 'stdio', kind: 'flag', words: null }]);
  if (parsed.kind === 'wrong') return refuse(io, parsed.message);
  if (parsed.arguments.flag('help')) {
    io.out(usage);
    return clean;
  }
  if (!parsed.arguments.flag('stdio')) return refuse(io, 'dap: the adapter speaks over the standard streams only; start it as: entrycheck dap --stdio');
  if (parsed.arguments.positionals.length > 0) return refuse(io, `dap: '${parsed.arguments.positionals.join(' ')}' is not for the command line: the launch request names the design`);
  return serveDap(io, process.stdin, process.stdout);
};

/** Until the client disconnects or its stream ends. */
export async function serveDap(io: Io, input: Readable, output: Writable): Promise<number> {
  io.working('a debug session');
  const { ReplaySession } = await import('../dap/session.ts');
  const grammars = loadGrammars(io.home);
  // Names of invariants need a review, and no file.
  let review: Review = await createReview(grammars, createNodeWorkspace(io.cwd), null);

  const host: DebugHost = {
    find: async (wanted, looking) => {
      const { findIn } = await import('../dap/find.ts');
      const absolute = (path: string): string => tidy(resolve(io.cwd, path));
      const named = wanted.kind === 'finding' ? { ...wanted, file: absolute(wanted.file) } : { ...wanted, program: absolute(wanted.program) };
      const path = named.kind === 'finding' ? named.file : named.program;
      const kind = kindOf(path);
      if (kind !== 'file' && kind !== 'folder') return { kind: 'refused', message: `${path}: ${kind}` };
      review.release();
      review = await createReview(grammars, createNodeWorkspace(io.cwd), null);
      return findIn(review, named, looking, () => new Promise((next) => void setImmediate(next)));
    },
    invariants: () => review.invariants(),
    text: (file) => review.text(file),
    pathOf: (file) => resolve(io.cwd, file),
    fileOf: (path) => tidy(resolve(io.cwd, path)),
  };

  const session = new ReplaySession(host);
  return new Promise((done) => {
    const end = (): void => {
      session.end();
      input.destroy();
      done(clean);
    };
    session.once('end', end);
    input.once('end', end);
    input.once('close', end);
    session.start(input, output);
  });
}
