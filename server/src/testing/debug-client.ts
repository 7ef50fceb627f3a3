// A debug client for tests: speaks to a session in the same process by messages and waits for what the session sends.
import assert from 'node:assert/strict';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { createReview } from '../core/review.ts';
import type { Playback, Workspace } from '../core/review-types.ts';
import { loadGrammars } from '../shell/grammars.ts';
import { createNodeWorkspace } from '../shell/workspace.ts';
import { findIn } from '../dap/find.ts';
import type { DebugHost } from '../dap/host.ts';
import { ReplaySession } from '../dap/session.ts';

export interface DebugClient {
  /** The body of the answer; fails where the answer is an error. */
  readonly ask: <T>(command: string, given?: object) => Promise<T>;
  /** The sentence of the error that a request must end with. */
  readonly refused: (command: string, given?: object) => Promise<string>;
  /** Initializes, launches and stops at the entry. */
  readonly begin: (launch: object, filters?: readonly string[]) => Promise<DebugProtocol.StoppedEvent['body']>;
  /** A move, and where it stopped. */
  readonly move: (command: string, given?: object) => Promise<DebugProtocol.StoppedEvent['body']>;
  readonly stack: () => Promise<readonly DebugProtocol.StackFrame[]>;
  /** Rows of a scope of a frame, by name. */
  readonly scope: (name: string, frame?: number) => Promise<ReadonlyMap<string, DebugProtocol.Variable>>;
  readonly output: () => string;
  readonly playback: () => Playback;
}

type Message = DebugProtocol.ProtocolMessage & { readonly request_seq?: number; readonly event?: string; readonly body?: unknown; readonly success?: boolean; readonly message?: string };

/** A session on a workspace; `watch` may stand between the session and what is replayed. */
export async function debugClient(workspace: Workspace = createNodeWorkspace(process.cwd()), watch: (playback: Playback) => Playback = (playback) => playback): Promise<DebugClient> {
  const review = await createReview(loadGrammars('out'), workspace, null);
  let replayed: Playback | null = null;
  const host: DebugHost = {
    find: async (wanted, finding) => {
      const found = await findIn(review, wanted, finding, () => new Promise((next) => void setImmediate(next)));
      if (found.kind === 'refused') return found;
      replayed = found.playback;
      return { ...found, playback: watch(found.playback) };
    },
    invariants: () => review.invariants(),
    text: (file) => review.text(file),
    pathOf: (file) => file,
    fileOf: (path) => path,
  };
  const session = new ReplaySession(host);
  const answers = new Map<number, (answer: Message) => void>();
  let stopped: ((body: DebugProtocol.StoppedEvent['body']) => void) | null = null;
  let initialized: (() => void) | null = null;
  let output = '';
  let sequence = 0;
  session.onDidSendMessage((sent) => {
    const message = sent as Message;
    if (message.type === 'response') answers.get(message.request_seq ?? -1)?.(message);
    if (message.event === 'initialized') initialized?.();
    if (message.event === 'stopped') stopped?.(message.body as DebugProtocol.StoppedEvent['body']);
    if (message.event === 'output') output += (message.body as DebugProtocol.OutputEvent['body']).output;
  });

  function send(command: string, given: object): Promise<Message> {
    sequence += 1;
    const seq = sequence;
    const request: DebugProtocol.Request = { seq, type: 'request', command, arguments: given };
    return new Promise((resolve) => {
      answers.set(seq, resolve);
      session.handleMessage(request);
    });
  }

  async function ask<T>(command: string, given: object = {}): Promise<T> {
    const answer = await send(command, given);
    assert.ok(answer.success, `${command}: ${answer.message}`);
    return answer.body as T;
  }

  async function move(command: string, given: object = { threadId: 1 }): Promise<DebugProtocol.StoppedEvent['body']> {
    const stop = new Promise<DebugProtocol.StoppedEvent['body']>((resolve) => {
      stopped = resolve;
    });
    await ask(command, given);
    return stop;
  }

  const stack = async (): Promise<readonly DebugProtocol.StackFrame[]> => (await ask<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: 1 })).stackFrames;

  return {
    ask,
    refused: async (command, given = {}) => {
      const answer = await send(command, given);
      assert.equal(answer.success, false, `${command} is answered`);
      return answer.message ?? '';
    },
    begin: async (launch, filters = []) => {
      await ask('initialize', { adapterID: 'entrycheck', linesStartAt1: true, columnsStartAt1: true, pathFormat: 'path' });
      const ready = new Promise<void>((resolve) => {
        initialized = resolve;
      });
      await ask('launch', launch);
      await ready;
      await ask('setExceptionBreakpoints', { filters });
      return move('configurationDone', {});
    },
    move,
    stack,
    scope: async (name, frame = 0) => {
      const { scopes } = await ask<DebugProtocol.ScopesResponse['body']>('scopes', { frameId: frame });
      const scope = scopes.find((one) => one.name === name);
      assert.ok(scope, `a scope ${name} among ${scopes.map((one) => one.name).join(', ')}`);
      const { variables } = await ask<DebugProtocol.VariablesResponse['body']>('variables', { variablesReference: scope.variablesReference });
      return new Map(variables.map((variable) => [variable.name, variable]));
    },
    output: () => output,
    playback: () => {
      assert.ok(replayed);
      return replayed;
    },
  };
}
