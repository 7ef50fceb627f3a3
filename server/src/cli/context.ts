// `entrycheck context`: the exception contexts at a line, with who can interrupt there and why not.
import { indexLines, offsetAt } from '../core/base/line-index.ts';
import { contextText } from '../core/render/context.ts';
import { contextJson } from '../core/render/json.ts';
import { coloured, plain } from '../core/render/paint.ts';
import { createNodeWorkspace } from '../shell/workspace.ts';
import { parseArguments } from './arguments.ts';
import { clean, refuse } from './io.ts';
import type { Command } from './io.ts';
import { answered, openSession, prepare } from './session.ts';
import { tidy } from './paths.ts';
import { treePaths } from './tree-path.ts';

export const usage = `usage: entrycheck context [--format text|json] FILE:LINE[:COLUMN]

The contexts in which the machine can be at the instruction or statement of that
line: stack, GS base, CR3, IF, blocking by NMI, live frames, guards, which events
can arrive here and why the others cannot, and the way here.

  --format text    a table (default)
  --format json    one object, docs/schema/context.schema.json

exit status: 0, or 2 could not run
`;

export const context: Command = async (argv, io) => {
  const parsed = parseArguments('context', argv, [{ name: 'format', kind: 'word', words: ['text', 'gcc', 'json'] }]);
  if (parsed.kind === 'wrong') return refuse(io, parsed.message);
  const { positionals, flag, word } = parsed.arguments;
  if (flag('help')) {
    io.out(usage);
    return clean;
  }
  const [where, ...others] = positionals;
  const point = /^(.+?):(\d+)(?::(\d+))?:?$/.exec(where ?? '');
  if (where === undefined || point === null || others.length > 0) {
    return refuse(io, `context: give one place as FILE:LINE or FILE:LINE:COLUMN${where === undefined || point !== null ? '' : `, not '${where}'`}`);
  }
  const name = tidy(point[1] ?? '');
  const file = treePaths(io.cwd).inside(name);
  const line = Number(point[2]);

  const workspace = createNodeWorkspace(io.cwd);
  const text = workspace.read(file);
  if (text === null) return refuse(io, `${name}: ${workspace.refusal(file) ?? 'not readable'}`);
  const index = indexLines(text);
  if (line < 1 || line > index.starts.length) return refuse(io, `${name}:${line}: the file has ${index.starts.length} lines`);
  const start = offsetAt(index, { line: line - 1, column: 0 });
  const lineText = text.slice(start, offsetAt(index, { line: line - 1, column: Number.MAX_SAFE_INTEGER }));
  const column = point[3] === undefined ? Math.max(0, lineText.search(/\S/)) : Number(point[3]) - 1;

  const session = await openSession(io, workspace);
  io.working(`finding the contexts at ${where}`);
  const offset = start + Math.max(0, Math.min(column, lineText.length));
  const info = answered(['context', file, offset], session, io, () => {
    prepare(session, file, offset, [], io);
    return session.review.contextAt(file, offset);
  });
  if (info === null) return refuse(io, `${name}:${line}: no instruction or statement of an entry path on this line: ${lineText.trim() === '' ? 'it is blank' : lineText.trim()}`);
  const out =
    word('format') === 'json'
      ? JSON.stringify(contextJson(info, session.locate), null, 2)
      : contextText(info, session.locate, io.columns, io.color ? coloured : plain).join('\n');
  io.out(`${out}\n`);
  return clean;
};
