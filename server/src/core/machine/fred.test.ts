// FRED delivery and event returns beyond what the designs use, by the facts of the semantics document.
import assert from 'node:assert/strict';
import { delivered, event, events, given, machineOf, memory, rsp, step, withSetup } from '../../testing/machine.ts';
import type { Machine } from '../../testing/machine.ts';
import type { Happening } from './event.ts';
import { draftOf, finish, store } from './draft.ts';
import { faultsAt } from './faults.ts';
import { addressOfNode, stackNamed, stackOf, top } from './layout.ts';
import { AC, DF, IF, NT, RF, TF } from './state.ts';
import type { Frame, State } from './state.ts';
import { constant, isConstant, SIGN } from './word.ts';

let machine: Machine;

const code = `	nop
SYM_INNER_LABEL(user_entry)
	nop
	eretu
SYM_INNER_LABEL(kernel_entry)
	nop
	erets
SYM_INNER_LABEL(eretu_code)
	eretu
SYM_INNER_LABEL(erets_code)
	erets
SYM_INNER_LABEL(int_code)
	int	$0x80
	nop
SYM_INNER_LABEL(int3_code)
	int3
	nop
SYM_INNER_LABEL(syscall_code)
	syscall
	nop
SYM_INNER_LABEL(sysenter_code)
	sysenter
	nop
SYM_INNER_LABEL(swapgs_code)
	swapgs
SYM_INNER_LABEL(sysret_code)
	sysretq
SYM_INNER_LABEL(iret_code)
	iretq
SYM_INNER_LABEL(sti_code)
	sti
	nop
	nop
SYM_INNER_LABEL(user_code)
	nop
	nop`;

/** Linux's levels (FR-08), on the stacks that the machine of the tests has. */
const LEVELS = new Map([[1, 1], [2, 2], [18, 2], [8, 3]]);
const STACKS = ['task', 'VE', 'NMI', 'DF'];

function fred(change: { readonly interruptLevel?: number; readonly redZone?: number } = {}): Machine {
  const stacks = STACKS.map((name) => stackNamed(machine.setup.layout, name)?.index ?? assert.fail(name));
  return withSetup(machine, { delivery: 'fred', fred: { user: machine.node('user_entry'), kernel: machine.node('kernel_entry'), levels: LEVELS, stacks, ...change } });
}

const frame = (state: State): Frame => state.frames.at(-1) ?? assert.fail('no frame is live');
const deliverTo = (state: State, vector: number, how: Partial<Happening> = {}, one = fred()): State => delivered(one, state, vector, how).state;
const stackName = (state: State): string => stackOf(machine.setup.layout, rsp(state))?.name ?? '';
/** The n-th word of the frame: 0 is the error code, 5 the SS image, 6 the event data. */
const slot = (state: State, index: number): bigint => {
  const found = memory(machine, state, frame(state).base + BigInt(index * 8 - 8));
  return isConstant(found) ? found.value : assert.fail(`word ${index} is not known`);
};
const cpu = (state: State, change: Partial<State['cpu']>): State => ({ ...state, cpu: { ...state.cpu, ...change } });
const known = (state: State): State => given(state, { CF: 0n, PF: 0n, AF: 0n, ZF: 0n, SF: 0n, OF: 0n, DF: 0n, AC: 0n, ID: 0n });
const kernel = (label = 'code'): State => known(machine.at('kernel', label));
const user = (label = 'user_code'): State => known(machine.at('user', label));
const at = (state: State, label: string): State => ({ ...state, node: machine.node(label) });

describe('FRED events', () => {
  before(async () => {
    machine ??= await machineOf(code);
  });

  it('FR-01, FR-02: the frame tells type and vector of what came', () => {
    const told = (state: State): readonly bigint[] => [(slot(state, 5) >> 32n) & 0xffn, (slot(state, 5) >> 48n) & 15n];
    assert.deepEqual(told(deliverTo(kernel(), 0xf3)), [0xf3n, 0n]);
    assert.deepEqual(told(deliverTo(kernel(), 2)), [2n, 2n]);
    assert.deepEqual(told(deliverTo(kernel(), 14, { errorCode: constant(2n) })), [14n, 3n]);
    assert.deepEqual(told(step(fred(), user('int_code')).state), [0x80n, 4n]);
    assert.deepEqual(told(deliverTo(user(), 1, { kind: 'privileged-software-exception' })), [1n, 5n]);
    assert.deepEqual(told(step(fred(), user('int3_code')).state), [3n, 6n]);
    assert.deepEqual([told(step(fred(), user('syscall_code')).state), told(step(fred(), user('sysenter_code')).state)], [[1n, 7n], [2n, 7n]]);
  });

  it('FR-02: the frame is 64 bytes: error code, RIP, CS with the stack level, RFLAGS, RSP, SS with the rest, event data, 0', () => {
    const start = cpu(kernel(), { level: 1 });
    const state = deliverTo(start, 14, { errorCode: constant(2n), address: constant(0x6000n) });
    assert.equal(rsp(state) % 64n, 0n);
    assert.deepEqual([slot(state, 0), slot(state, 1), slot(state, 2), slot(state, 4), slot(state, 6), slot(state, 7)], [2n, addressOfNode(start.node, false), 0x1_0010n, rsp(start), 0x6000n, 0n]);
    assert.equal(slot(state, 3) & RF, RF);
  });

  it('FR-02: bits of the SS image: blocking by STI, NMI, software event, long mode, instruction length', () => {
    const information = (state: State): bigint => slot(state, 5);
    const shadowed = cpu(given(kernel('sti_code'), { IF: 1n }), { shadow: 'sti' });
    assert.equal(information(deliverTo(shadowed, 2)) & 0x7_0000n, 0x5_0000n);
    assert.equal(information(deliverTo(kernel(), 2)) & 0x7_0000n, 0x4_0000n);
    const call = information(step(fred(), user('int_code')).state);
    assert.deepEqual([call & 0x7_0000n, call >> 60n, (call >> 57n) & 1n], [0x2_0000n, 2n, 1n]);
    assert.equal((information(deliverTo(cpu(user(), { cs: constant(0x23n) }), 6)) >> 57n) & 1n, 0n);
  });

  it('FR-03: INT n and system calls raise no level, the level of interrupts is configured, and the red zone stays free', () => {
    assert.equal(deliverTo(kernel(), 1, { kind: 'software-interrupt' }).cpu.level, 0);
    assert.deepEqual([deliverTo(kernel(), 0xf3).cpu.level, deliverTo(kernel(), 0xf3, {}, fred({ interruptLevel: 1 })).cpu.level], [0, 1]);
    const start = kernel();
    assert.equal(rsp(deliverTo(start, 6, {}, fred({ redZone: 128 }))), ((rsp(start) - 128n) & ~63n) - 64n);
  });

  it('FR-03: a level that does not rise pushes below, on the stack in use; NMI and #MC share one (FR-08)', () => {
    const nmi = deliverTo(kernel(), 2);
    const mc = deliverTo(nmi, 18);
    assert.deepEqual([stackName(nmi), stackName(mc), mc.cpu.level], ['NMI', 'NMI', 2]);
    assert.ok(frame(mc).end <= frame(nmi).base - 8n);
    assert.equal(mc.ended, null);
  });

  it('FR-03: a nested fault from user mode takes the level of its vector', () => {
    const tables = { userBit: 0n, user: new Set<number>(), readOnly: new Set([stackNamed(machine.setup.layout, 'task')?.index ?? -1]) };
    const { state, effects } = delivered(withSetup(fred(), { pageTables: tables }), user(), 14);
    assert.deepEqual([state.frames.map((live) => live.vector), state.cpu.level, stackName(state)], [[8], 3, 'DF']);
    assert.equal((slot(state, 5) >> 58n) & 1n, 0n, '#DF itself does not count as nested');
    assert.ok(effects.some((effect) => effect.kind === 'delivery-fault' && effect.becomes === 8));
    const serial = delivered(withSetup(fred(), { pageTables: tables, fred: { ...(fred().setup.fred ?? assert.fail()), levels: new Map([...LEVELS, [14, 1]]) } }), user(), 6).state;
    assert.deepEqual([frame(serial).vector, serial.cpu.level, (slot(serial, 5) >> 58n) & 1n], [14, 1, 1n]);
  });

  it('FR-04: RFLAGS becomes 2: neither AC nor DF nor NT is left', () => {
    assert.equal(deliverTo(given(kernel(), { DF: 1n, AC: 1n, NT: 1n, IF: 1n, TF: 1n }), 6).flags, constant(2n));
    assert.equal(slot(deliverTo(given(kernel(), { DF: 1n, AC: 1n, NT: 1n, IF: 1n, TF: 1n }), 2), 3) & (DF | AC | NT | IF | TF), DF | AC | NT | IF | TF);
  });

  it('FR-07, CR2-03: event data is CR2 of #PF and the causes of #DB, 0 for others', () => {
    assert.equal(slot(deliverTo(kernel(), 14, { address: constant(0x1234n) }), 6), 0x1234n);
    assert.equal(slot(deliverTo(kernel(), 1, { debug: 0x4001 }), 6), 0x4001n);
    assert.equal(slot(deliverTo(kernel(), 6), 6), 0n);
  });

  it('FR-10: SYSCALL leaves RCX, R11 and GS to the event; SWAPGS, SYSRET are #UD; IRET changes no privilege (IRET-09)', () => {
    const start = user('syscall_code');
    const { state } = step(fred(), start);
    assert.deepEqual([state.registers[1], state.registers[11], frame(state).interrupted, state.cpu.gsBase], [start.registers[1], start.registers[11], start.node + 1, start.cpu.kernelGsBase]);
    for (const label of ['swapgs_code', 'sysret_code']) assert.equal(frame(step(fred(), kernel(label)).state).vector, 6, label);
    const draft = draftOf(given(kernel('iret_code'), { NT: 0n }));
    [addressOfNode(machine.node('user_code'), true), 0x33n, 0x202n, 0x7000n, 0x2bn].forEach((value, index) => store(draft, machine.setup, rsp(kernel()) + BigInt(index * 8), 8, constant(value)));
    assert.equal(frame(step(fred(), finish(draft)).state).vector, 13);
  });

  it('FR-11: #VE is an ordinary exception, its word works as before', () => {
    const one = withSetup(fred(), {});
    const taken = event(one, { ...kernel(), node: machine.setup.contexts.get('kernel') ?? assert.fail() }, '#VE at an access').state;
    assert.deepEqual([(slot(taken, 5) >> 32n) & 0xffn, (slot(taken, 5) >> 48n) & 15n, taken.cpu.level], [20n, 3n, 0]);
  });
});

/** A frame of a user event on level 0, or of a kernel one. */
const inside = (from: 'user' | 'kernel', vector: number): State => deliverTo(from === 'user' ? user() : kernel(), vector);
const edited = (state: State, index: number, value: bigint): State => {
  const draft = draftOf(state);
  store(draft, machine.setup, frame(state).base + BigInt(index * 8 - 8), 8, constant(value));
  return finish(draft);
};

describe('FRED returns', () => {
  before(async () => {
    machine ??= await machineOf(code);
  });

  it('FR-05: only a frame of an NMI unblocks NMIs, whichever return uses it', () => {
    const nested = deliverTo(deliverTo(kernel(), 2), 6);
    assert.equal(step(fred(), at(nested, 'erets_code')).state.cpu.nmiBlocked, true);
    assert.equal(step(fred(), at(inside('user', 2), 'eretu_code')).state.cpu.nmiBlocked, false);
    assert.ok(!events(fred(), nested).includes('NMI'));
  });

  it('FR-06: ERETS never raises the level', () => {
    const lowered = edited(inside('kernel', 6), 2, 0x3_0010n);
    assert.equal(step(fred(), at(lowered, 'erets_code')).state.cpu.level, 0);
  });

  it('FR-06: ERETU needs level 0, and its fault is handled there with the frame above', () => {
    const start = at(cpu(inside('user', 6), { level: 1 }), 'eretu_code');
    assert.deepEqual(faultsAt(fred().setup, start).map((one) => [one.vector, one.certain]), [[13, true]]);
    const low = at(edited(inside('user', 6), 1, SIGN), 'eretu_code');
    const { state } = step(fred(), low);
    assert.deepEqual([frame(state).vector, state.cpu.level, state.frames.length, frame(state).interrupted], [13, 0, 2, low.node]);
    assert.ok(rsp(state) < rsp(low));
    assert.equal(state.cpu.gsBase, low.cpu.gsBase);
  });

  it('FR-06: a frame that delivery did not push is a #GP', () => {
    const wrong = (index: number, value: bigint, label: string, from: 'user' | 'kernel'): unknown => faultsAt(fred().setup, at(edited(inside(from, 6), index, value), label))[0]?.certain;
    assert.equal(wrong(2, 0x33n, 'erets_code', 'kernel'), true, 'ERETS to user mode');
    assert.equal(wrong(2, 0x10n, 'eretu_code', 'user'), true, 'ERETU to kernel mode');
    assert.equal(wrong(3, 0x2_0002n, 'erets_code', 'kernel'), true, 'VM is set');
    assert.equal(wrong(2, 0x10n, 'erets_code', 'kernel'), undefined);
    assert.equal(wrong(1, addressOfNode(machine.node('user_code'), true), 'eretu_code', 'user'), undefined);
  });

  it('FR-09: a software event with TF traps right behind the return, another one does not', () => {
    const call = step(fred(), given(user('int_code'), { TF: 1n, RF: 0n })).state;
    const back = step(fred(), at(call, 'eretu_code')).state;
    assert.deepEqual([back.node, back.cpu.pendingDebug, back.cpu.cpl], [machine.node('int_code') + 1, 1 << 14, 3]);
    const plain = step(fred(), at(deliverTo(given(user(), { TF: 1n }), 6), 'eretu_code')).state;
    assert.deepEqual([plain.flags.value & TF, plain.cpu.pendingDebug], [TF, 0]);
  });

  it('FR-02: blocking by STI comes back with ERETS', () => {
    const shadowed = cpu(given(kernel(), { IF: 1n }), { shadow: 'sti' });
    const back = step(fred(), at(deliverTo(shadowed, 2), 'erets_code')).state;
    assert.equal(back.cpu.shadow, 'sti');
  });

  it('GS-06: ERETU exchanges the GS bases', () => {
    const state = inside('user', 6);
    const back = step(fred(), at(state, 'eretu_code')).state;
    assert.deepEqual([back.cpu.gsBase, back.cpu.kernelGsBase], [state.cpu.kernelGsBase, state.cpu.gsBase]);
  });

  it('FR-03: a delivery onto a guard page is a #DF on its own stack', () => {
    const low = given(kernel(), { rsp: (stackNamed(machine.setup.layout, 'task') ?? assert.fail()).base + 32n });
    const { state } = delivered(fred(), low, 14);
    assert.deepEqual([frame(state).vector, state.cpu.level, frame(state).end], [8, 3, top(stackNamed(machine.setup.layout, 'DF') ?? assert.fail()) - 16n]);
  });
});
