// `entrycheck mcp --stdio`: the commands as tools of the Model Context Protocol (modelcontextprotocol.io, revision
// 2025-06-18): JSON-RPC, a line each, on the standard streams.
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { parseArguments } from './arguments.ts';
import { clean, couldNotRun, refuse } from './io.ts';
import type { Command, Io } from './io.ts';
import { lineOf, schemaOf, tools } from './mcp-tools.ts';
import { didYouMean } from './nearest.ts';
import { version } from './version.ts';

export const usage = `usage: entrycheck mcp --stdio

The Model Context Protocol on the standard streams: check, context, raise, run,
compare and explain as tools that read and change nothing. Paths count from the
current folder. docs/guide.md tells how editors start it.
`;

/** The newest first. */
const revisions = ['2025-06-18', '2025-03-26', '2024-11-05'];
/** Characters of an answer: whoever reads it reads all of it. */
const longest = 60_000;

const codes = { parse: -32700, request: -32600, method: -32601, parameters: -32602, internal: -32603 };

const instructions = 'Entrycheck runs x86-64 kernel entry code on a model of event delivery. A finding is proven by its trace within the model; what is unknown is said. Lines are those of files below the current folder.';

/** `run` is the command line whose commands are the tools. */
export async function mcp(argv: readonly string[], io: Io, run: Command): Promise<number> {
  const parsed = parseArguments('mcp', argv, [{ name: 'stdio', kind: 'flag', words: null }]);
  if (parsed.kind === 'wrong') return refuse(io, parsed.message);
  if (parsed.arguments.flag('help')) {
    io.out(usage);
    return clean;
  }
  if (!parsed.arguments.flag('stdio') || parsed.arguments.positionals.length > 0) return refuse(io, 'mcp: the server speaks over the standard streams only; start it as: entrycheck mcp --stdio');
  return serveMcp(io, run, process.stdin, process.stdout);
}

interface Failure {
  readonly code: number;
  readonly message: string;
}

type Result = { readonly result: object } | { readonly error: Failure };

/** Until the input ends. Requests are answered one after the other, in their order. */
export async function serveMcp(io: Io, run: Command, input: Readable, output: Writable): Promise<number> {
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue;
    const answer = await answerTo(line, io, run);
    if (answer !== null) output.write(`${JSON.stringify({ jsonrpc: '2.0', ...answer })}\n`);
  }
  return clean;
}

/** Null for what is not to be answered. */
async function answerTo(line: string, io: Io, run: Command): Promise<(Result & { readonly id: string | number | null }) | null> {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    return { id: null, error: { code: codes.parse, message: 'a message is one line of JSON' } };
  }
  const id = field(message, 'id');
  const method = field(message, 'method');
  const known = typeof id === 'string' || typeof id === 'number' ? id : null;
  if (typeof method !== 'string') return field(message, 'result') !== undefined || field(message, 'error') !== undefined ? null : { id: known, error: { code: codes.request, message: 'a request has a method' } };
  if (known === null) return null;
  return { id: known, ...(await resultOf(method, field(message, 'params'), io, run)) };
}

async function resultOf(method: string, params: unknown, io: Io, run: Command): Promise<Result> {
  switch (method) {
    case 'initialize': {
      const asked = field(params, 'protocolVersion');
      const protocolVersion = revisions.find((one) => one === asked) ?? revisions[0];
      return { result: { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'entrycheck', title: 'Entrycheck', version: version(io.home) }, instructions } };
    }
    case 'ping':
      return { result: {} };
    case 'tools/list':
      return { result: { tools: tools.map((tool) => ({ name: tool.name, title: tool.title, description: tool.description, inputSchema: schemaOf(tool), annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false } })) } };
    case 'tools/call':
      return call(field(params, 'name'), field(params, 'arguments'), io, run);
    default:
      return { error: { code: codes.method, message: `no method '${method}'` } };
  }
}

/** A call that cannot be run is answered so that the one who made it can mend it. */
async function call(name: unknown, given: unknown, io: Io, run: Command): Promise<Result> {
  const tool = tools.find((one) => one.name === name);
  if (tool === undefined) return { error: { code: codes.parameters, message: `no tool '${String(name)}'${didYouMean(String(name), tools.map((one) => one.name))}` } };
  const line = lineOf(tool, given);
  if (typeof line === 'string') return { result: { content: [{ type: 'text', text: line }], isError: true } };
  let text = '';
  const say = (more: string): void => void (text += more);
  try {
    const status = await run(line.argv, { ...io, out: say, err: say, input: () => new TextEncoder().encode(line.input), color: false, columns: 100, progress: false });
    const told = text.trim() === '' ? 'nothing is found' : text.trimEnd();
    return { result: { content: [{ type: 'text', text: told.length <= longest ? told : cut(told) }], isError: status === couldNotRun } };
  } catch (error) {
    return { error: { code: codes.internal, message: `a bug of entrycheck: ${error instanceof Error ? error.message : String(error)}` } };
  }
}

function cut(text: string): string {
  const shown = text.slice(0, text.lastIndexOf('\n', longest));
  return `${shown}\nand ${text.slice(shown.length).split('\n').length - 1} more lines: name fewer paths, or a higher severity`;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
