// The debugger on real designs, message by message: what a reader who opens a counterexample sees and does.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Playback } from '../core/review-types.ts';
import { createNodeWorkspace } from '../shell/workspace.ts';
import { debugClient } from '../testing/debug-client.ts';
import type { DebugClient } from '../testing/debug-client.ts';

const folder = 'test-fixtures/designs/clear-on-ist-early';
const design = `${folder}/design.c`;
const launch = { program: folder, scenario: 've-in-task', start: 'user' };
/** Here the handler runs on the stack of its event. */
const onIst = { ...launch, start: 'kernel' };
const lineOf = (text: string, file = design): number => readFileSync(file, 'utf8').split('\n').findIndex((line) => line.includes(text)) + 1;
type Breakpoints = DebugProtocol.SetBreakpointsResponse['body'];

async function top(client: DebugClient): Promise<DebugProtocol.StackFrame> {
  const [frame] = await client.stack();
  assert.ok(frame);
  return frame;
}

async function breakAt(client: DebugClient, path: string, ...lines: readonly number[]): Promise<Breakpoints['breakpoints']> {
  return (await client.ask<Breakpoints>('setBreakpoints', { source: { path }, breakpoints: lines.map((line) => ({ line })) })).breakpoints;
}

describe('a replay in the debugger', () => {
  it('begins at the first instruction of the first event, with the CPU as its thread', async () => {
    const client = await debugClient();
    assert.equal((await client.begin(launch)).reason, 'entry');
    const { threads } = await client.ask<DebugProtocol.ThreadsResponse['body']>('threads');
    assert.deepEqual(threads.map(({ name }) => name), ['CPU']);
    const [first, second] = await client.stack();
    assert.match(first?.name ?? '', /^asm_exc_ve: /);
    assert.match(second?.name ?? '', /^#VE interrupted user mode$/);
    assert.match(client.output(), /clear-on-ist-early: ve-in-task from user: \d+ machine steps/);
    assert.match(client.output(), /1: #VE arrives at user mode/);
  });

  it('code of a macro is shown where it is written, with its use in the name', async () => {
    const client = await debugClient();
    await client.begin(launch);
    const frame = await top(client);
    assert.match(frame.source?.path ?? '', /minikernel-entry\.h$/);
    assert.match(frame.name, /in the macro at entry\.S:\d+/);
    const written = readFileSync(frame.source?.path ?? '', 'utf8').split('\n')[frame.line - 1] ?? '';
    assert.ok(written.includes(/: (\w+)/.exec(frame.name)?.[1] ?? '?'), `${frame.name} is on the line ${written}`);
  });

  it('stops at breakpoints, from both sides', async () => {
    const client = await debugClient();
    await client.begin(launch);
    const line = lineOf('WRITE_ONCE(ve->busy, 0)');
    assert.deepEqual((await breakAt(client, design, line)).map(({ verified, line: at }) => ({ verified, at })), [{ verified: true, at: line }]);
    assert.equal((await client.move('continue')).reason, 'breakpoint');
    assert.equal((await top(client)).line, line);
    await client.move('stepIn');
    assert.equal((await client.move('reverseContinue')).reason, 'breakpoint');
    assert.equal((await top(client)).line, line);
    assert.equal((await client.move('reverseContinue')).reason, 'entry');
    assert.equal((await top(client)).name, 'user mode');
  });

  it('breakpoints where the trace does not come say so', async () => {
    const client = await debugClient();
    await client.begin(launch);
    const [onNmi, behind] = await breakAt(client, design, lineOf('nmi_run(regs)'), 4000);
    assert.deepEqual([onNmi?.verified, onNmi?.message], [false, 'the trace does not come to this line']);
    assert.equal(behind?.verified, false);
    const [other] = await breakAt(client, 'no/such/file.c', 1);
    assert.equal(other?.message, 'no code of this trace is in this file');
    const { breakpoints } = await client.ask<Breakpoints>('setFunctionBreakpoints', { breakpoints: [{ name: 'exc_ve' }, { name: 'exc_nothing' }] });
    assert.deepEqual(breakpoints.map(({ verified }) => verified), [true, false]);
    assert.equal((await client.move('continue')).reason, 'function breakpoint');
    assert.match((await top(client)).name, /^exc_ve: /);
  });

  it('the call stack is the calls and the events that wait, each at its own line', async () => {
    const client = await debugClient();
    await client.begin(onIst);
    await client.move('continue');
    const frames = await client.stack();
    assert.deepEqual(frames.map(({ name }) => name.replace(/:.*$/, '')), ['asm_exc_ve', '#VE interrupted exc_ve', 'asm_exc_ve', '#VE interrupted kernel mode with IF=1']);
    assert.equal(frames[1]?.line, lineOf('WRITE_ONCE(ve_count'));
    assert.equal(frames[1]?.source?.path, design);
    const { stackFrames, totalFrames } = await client.ask<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: 1, startFrame: 1, levels: 1 });
    assert.deepEqual([totalFrames, stackFrames.map(({ name }) => name)], [4, [frames[1]?.name]]);
  });

  it('ends with the finding as an exception, and steps back from there', async () => {
    const client = await debugClient();
    await client.begin(onIst);
    const stop = await client.move('continue');
    assert.equal(stop.reason, 'exception');
    const told = await client.ask<DebugProtocol.ExceptionInfoResponse['body']>('exceptionInfo', { threadId: 1 });
    assert.equal(told.exceptionId, 'guard-cleared-on-rewinding-stack');
    assert.match(told.description ?? '', /^reentrancy word cleared on IST stack/);
    assert.equal((await client.move('next')).reason, 'exception');
    const changed = await client.scope('Changed by the last step');
    assert.match(changed.get('live frames')?.value ?? '', /-> #VE at VE stack top-0x28, #VE at VE stack top-0x28$/);
    assert.match(changed.get('VE top-0x28 saved RIP')?.value ?? '', /^kernel mode with IF=1 \(saved RIP.* -> exc_ve: WRITE_ONCE|^kernel mode with IF=1 -> exc_ve: WRITE_ONCE/);
    assert.equal((await client.move('stepBack')).reason, 'step');
    assert.match((await top(client)).name, /^exc_ve: WRITE_ONCE\(ve_count/);
  });

  it('shows registers, stacks with names for their slots, locals, and words by what they are', async () => {
    const client = await debugClient();
    await client.begin(onIst);
    await breakAt(client, design, lineOf('WRITE_ONCE(ve->busy, 0)'));
    await client.move('continue');
    assert.match((await client.scope('Registers')).get('rsp')?.value ?? '', /^VE stack top-0x/);
    assert.equal((await client.scope('Flags and control')).get('IF')?.value, '0');
    assert.match((await client.scope('Per-CPU words and guards')).get('ve_page.busy')?.value ?? '', /^busy/);
    assert.equal((await client.scope('Locals')).get('ve')?.value, 've_page');
    const stacks = await client.scope('Stacks');
    const own = stacks.get('VE stack');
    assert.match(own?.value ?? '', /^RSP at top-0x/);
    const { variables } = await client.ask<DebugProtocol.VariablesResponse['body']>('variables', { variablesReference: own?.variablesReference });
    assert.ok(variables.some(({ name, value }) => name === 'top-0x28 saved RIP (#VE)' && value === 'kernel mode with IF=1'), variables.map(({ name, value }) => `${name}: ${value}`).join('\n'));
    assert.ok(variables.every(({ presentationHint }) => presentationHint?.attributes?.includes('readOnly')));
    const saved = await client.scope('What the return must find again', (await client.stack()).length - 1);
    assert.match(saved.get('rsp')?.value ?? '', /^task stack top-0x/);
  });

  it('evaluates what a reader points at, and says where it is nothing', async () => {
    const client = await debugClient();
    await client.begin(onIst);
    await breakAt(client, design, lineOf('WRITE_ONCE(ve->busy, 0)'));
    await client.move('continue');
    const value = async (expression: string): Promise<string> => (await client.ask<DebugProtocol.EvaluateResponse['body']>('evaluate', { expression, frameId: 0, context: 'hover' })).result;
    assert.equal(await value('%rsp'), await value('rsp'));
    assert.equal(await value('ve->busy'), '0xffffffff');
    assert.equal(await value('ve'), 've_page');
    assert.equal(await value('IF'), '0');
    assert.match(await value('ve_page.busy'), /^busy/);
    assert.equal(await value('VE stack top-0x28'), 'kernel mode with IF=1 (saved RIP (#VE))');
    assert.equal(await value('GS base'), 'kernel');
    assert.match(await client.refused('evaluate', { expression: 'nothing_of_this_name', frameId: 0 }), /^nothing_of_this_name names nothing here/);
  });

  for (const [side, busy] of [['after', /^armed/], ['before', /^busy/]] as const) {
    it(`a data breakpoint stops ${side} the step that writes the word`, async () => {
      const client = await debugClient();
      await client.begin({ ...launch, dataBreakpoints: side });
      await breakAt(client, design, lineOf('WRITE_ONCE(ve->busy, 0)'));
      await client.move('continue');
      await breakAt(client, design);
      const { dataId, accessTypes } = await client.ask<DebugProtocol.DataBreakpointInfoResponse['body']>('dataBreakpointInfo', { name: 've_page.busy', frameId: 0 });
      assert.deepEqual(accessTypes, ['write']);
      await client.move('reverseContinue');
      await client.ask('setDataBreakpoints', { breakpoints: [{ dataId }] });
      // The delivery sets it, the handler clears it.
      const stops: string[] = [];
      for (let stop = await client.move('continue'); stop.reason === 'data breakpoint'; stop = await client.move('continue')) stops.push(`${(await top(client)).name}: ${(await client.scope('Per-CPU words and guards')).get('ve_page.busy')?.value}`);
      assert.ok(stops.length >= 2, stops.join('\n'));
      assert.match(stops.find((one) => one.startsWith('exc_ve'))?.replace(/^.*\): |^.*: /, '') ?? '', busy);
    });
  }

  it('a slot of a stack can be watched from its row', async () => {
    const client = await debugClient();
    await client.begin(onIst);
    const stack = (await client.scope('Stacks')).get('VE stack');
    await client.ask('variables', { variablesReference: stack?.variablesReference });
    const known = await client.ask<DebugProtocol.DataBreakpointInfoResponse['body']>('dataBreakpointInfo', { variablesReference: stack?.variablesReference, name: 'top-0x28 saved RIP (#VE)' });
    await client.ask('setDataBreakpoints', { breakpoints: [{ dataId: known.dataId }] });
    const stop = await client.move('continue');
    assert.equal(stop.reason, 'exception', 'the word is overwritten by the last step alone');
    assert.equal((await client.move('reverseContinue')).reason, 'data breakpoint', 'the first delivery wrote it');
    assert.equal((await client.move('reverseContinue')).reason, 'entry');
  });

  it('events that arrive stop it, all or by vector, and so do invariants', async () => {
    const client = await debugClient();
    await client.begin(launch, ['arrives']);
    const stop = await client.move('continue');
    assert.equal(stop.reason, 'exception');
    assert.match((await top(client)).name, /^asm_exc_ve: /);
    await client.ask('setExceptionBreakpoints', { filters: [], filterOptions: [{ filterId: 'arrives', condition: 'NMI' }] });
    await client.move('reverseContinue');
    assert.equal((await client.move('continue')).text, 'guard-cleared-on-rewinding-stack');
    const { exceptionBreakpointFilters } = await client.ask<DebugProtocol.Capabilities>('initialize', { adapterID: 'entrycheck' });
    assert.ok((exceptionBreakpointFilters ?? []).some(({ filter }) => filter === 'live-frame-overwritten'));
  });

  it('a restart replays the text as it is now, and keeps its breakpoints', async () => {
    const client = await debugClient();
    await client.begin(launch);
    await breakAt(client, design, lineOf('WRITE_ONCE(ve->busy, 0)'));
    await client.move('continue');
    assert.equal((await client.move('restart', {})).reason, 'entry');
    assert.equal((await client.move('continue')).reason, 'breakpoint');
  });

  it('stepBack after next is the identity, wherever it is, whatever stops it', async () => {
    const client = await debugClient();
    await client.begin(launch);
    await breakAt(client, design, lineOf('WRITE_ONCE(ve->busy, 0)'));
    const { steps } = client.playback();
    const where = async (): Promise<string> => JSON.stringify([(await client.stack()).map(({ name, line }) => [name, line]), [...(await client.scope('Registers')).values()].map(({ value }) => value)]);
    for (const move of ['next', 'stepIn', 'stepOut']) {
      while ((await client.move('reverseContinue')).reason !== 'entry') assert.ok(steps > 0);
      for (let at = 0; at < steps; at += 1) {
        const before = await where();
        await client.move(move);
        await client.move('stepBack');
        assert.equal(await where(), before, `${move} from position ${at}`);
        await client.move('stepIn');
      }
    }
  });
});

describe('a launch that cannot be', () => {
  const wrong: readonly (readonly [string, object, RegExp])[] = [
    ['no scenario of that name', { program: folder, scenario: 've-in-tsk' }, /^there is no scenario 've-in-tsk' here; there is /],
    ['a scenario that holds', { program: 'test-fixtures/designs/self-ipi', scenario: 've-in-task', start: 'kernel' }, /^there is no trace to replay: no run is violated \(from kernel: holds\)$/],
    ['a start that it has not', { program: folder, scenario: 've-in-task', start: 'moon' }, /has no start 'moon' here; it has user/],
    ['no design', { program: 'docs', scenario: 've-in-task' }, /no assembler, C or scenario file is reviewed there/],
    ['nothing', {}, /^launch: nothing to replay is named/],
    ['both', { program: folder, file: design }, /give one of them$/],
    ['a line that is none', { file: design, line: 'ten' }, /^launch: 'line' is "ten"; it must be a line counted from 1$/],
    ['a line without a finding', { file: design, line: 1 }, /^no finding at line 1 of this file has a trace to replay; there is /],
    ['choices of another text', { program: folder, scenario: 've-in-task', start: 'user', choices: [99, 99] }, /cannot be replayed/],
  ];
  for (const [what, given, sentence] of wrong) {
    it(`${what} is said`, async () => {
      const client = await debugClient();
      await client.ask('initialize', { adapterID: 'entrycheck' });
      assert.match(await client.refused('launch', given), sentence);
      assert.match(await client.refused('stackTrace', { threadId: 1 }), /^no trace is replayed/);
    });
  }

  it('a finding is replayed by its file, line and rule', async () => {
    const client = await debugClient();
    await client.begin({ file: design, line: lineOf('WRITE_ONCE(ve->busy, 0)'), rule: 'guard-cleared-on-rewinding-stack' });
    assert.match(client.output(), /reentrancy word cleared on IST stack.*\[guard-cleared-on-rewinding-stack\]/);
  });
});

describe('a replay of ten thousand steps', () => {
  const length = 10_000;
  const counts = new Map<string, number>();
  let client: DebugClient;

  /** Counts what is asked of the replay. */
  const counted = (playback: Playback): Playback =>
    new Proxy(playback, {
      get: (of, name): unknown => {
        const value: unknown = Reflect.get(of, name);
        if (typeof value !== 'function') return value;
        return (...given: readonly unknown[]): unknown => {
          counts.set(String(name), (counts.get(String(name)) ?? 0) + 1);
          return Reflect.apply(value, of, given);
        };
      },
    });

  before(async function () {
    this.timeout(120_000);
    const disk = createNodeWorkspace(process.cwd());
    const texts = new Map([
      [design, (disk.read(design) ?? '').replace('\tWRITE_ONCE(ve->busy, 0);', '\tlong_way();\n\tWRITE_ONCE(ve->busy, 0);').replace('/* Not per-CPU', 'void long_way(void);\n\n/* Not per-CPU')],
      [`${folder}/entry.S`, `${disk.read(`${folder}/entry.S`) ?? ''}\nSYM_CODE_START(long_way)\n\tmovl $${length}, %ecx\n.Lagain:\n\tdecl %ecx\n\tjnz .Lagain\n\tret\nSYM_CODE_END(long_way)\n`],
    ]);
    client = await debugClient({ ...disk, read: (path) => texts.get(path) ?? disk.read(path) }, counted);
    // The first choice at each step is the code's own: the loop runs, and nothing interrupts it.
    await client.begin({ program: folder, scenario: 've-in-task', start: 'kernel', choices: Array.from({ length }, () => 0) });
  });

  it('is loaded whole, and its end is one request away', async () => {
    assert.ok(client.playback().steps >= length, `${client.playback().steps} steps`);
    assert.equal((await client.move('continue')).reason, 'exception');
    assert.deepEqual((await client.stack()).map(({ name }) => name.replace(/:.*$/, '')), ['long_way', 'exc_ve', 'asm_exc_ve', '#VE interrupted kernel mode with IF=1']);
  });

  it('a request makes the machine of one step and no more, wherever it is', async () => {
    const costly = ['registers', 'control', 'stacks', 'words', 'changed', 'callers', 'locals', 'saved', 'find'];
    for (const move of ['continue', 'stepBack', 'stepBack', 'reverseContinue', 'next', 'stepIn', 'stepOut']) {
      counts.clear();
      await client.move(move);
      await client.stack();
      await client.scope('Registers');
      await client.scope('Stacks');
      await client.ask('evaluate', { expression: '%ecx', frameId: 0 });
      for (const name of costly) assert.ok((counts.get(name) ?? 0) <= 2, `${move} asks ${counts.get(name)} times for ${name}`);
    }
  });

  it('a step looks at the steps that it takes, and a move at each of them once', async () => {
    await client.move('reverseContinue');
    counts.clear();
    await client.move('stepIn');
    assert.ok((counts.get('done') ?? 0) <= 4, `${counts.get('done')} steps looked at`);
    await client.ask('setExceptionBreakpoints', { filters: ['live-frame-overwritten', 'arrives'], filterOptions: [{ filterId: 'judged', condition: '' }] });
    const { dataId } = await client.ask<DebugProtocol.DataBreakpointInfoResponse['body']>('dataBreakpointInfo', { name: 've_count' });
    await client.ask('setDataBreakpoints', { breakpoints: [{ dataId }] });
    counts.clear();
    await client.move('continue');
    await client.move('continue');
    for (const [name, count] of counts) assert.ok(count <= 5 * client.playback().steps, `${count} times ${name}`);
  });
});
