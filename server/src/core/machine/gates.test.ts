// Gates, error codes, saved RIP and RFLAGS, faults of delivery itself, by the facts of the semantics document. The
// programs are a few instructions; what happens is what the explorer would see.
import assert from 'node:assert/strict';
import { delivered, given, kinds, machineOf, memory, rsp, step, withSetup } from '../../testing/machine.ts';
import type { Machine } from '../../testing/machine.ts';
import type { Gate } from './config.ts';
import { faultsAt } from './faults.ts';
import { stackNamed, top } from './layout.ts';
import { raiseFault } from './machine.ts';
import { IF, KERNEL_SS, NT, RF, TF, USER32_CS } from './state.ts';
import type { Frame, State } from './state.ts';
import { constant, isConstant, opaque, SIGN } from './word.ts';

let machine: Machine;

const code = `	nop
SYM_INNER_LABEL(int3_code)
	int3
	nop
SYM_INNER_LABEL(int_code)
	int	$3
	nop
SYM_INNER_LABEL(int1_code)
	int1
	nop
SYM_INNER_LABEL(ud2_code)
	ud2
SYM_INNER_LABEL(load_code)
	movq	(%rbx), %rax
	nop
SYM_INNER_LABEL(store_code)
	movq	%rax, (%rbx)
	nop
SYM_INNER_LABEL(string_code)
	rep movsq
	nop
SYM_INNER_LABEL(push_code)
	pushq	%rax
	nop`;

function facts(title: string, tests: () => void): void {
  describe(title, () => {
    before(async () => {
      machine ??= await machineOf(code);
    });
    tests();
  });
}

const frame = (state: State): Frame => state.frames.at(-1) ?? assert.fail('no frame is live');
const word = (state: State, offset: bigint): bigint => {
  const found = memory(machine, state, frame(state).base + offset);
  return isConstant(found) ? found.value : assert.fail('the word is not known');
};
/** Below the saved RIP. */
const errorCode = (state: State): bigint => word(state, -8n);
const savedFlag = (state: State, bit: bigint): boolean => (memory(machine, state, frame(state).base + 16n).value & bit) !== 0n;
const changed = (vector: number, change: Partial<Gate>): Machine =>
  withSetup(machine, { gates: new Map([...machine.setup.gates].map(([number, gate]) => [number, number === vector ? { ...gate, ...change } : gate])) });
/** The address of the stack's top, and of its guard page. */
const stack = (name: string): bigint => top(stackNamed(machine.setup.layout, name) ?? assert.fail(name));
const bottom = (name: string): bigint => (stackNamed(machine.setup.layout, name) ?? assert.fail(name)).base;
const withRsp = (state: State, value: bigint): State => given(state, { rsp: value });

facts('gates', () => {
  it('IDT-01: a gate of any other type than interrupt and trap is a #GP that names the vector', () => {
    const { state } = delivered(changed(6, { type: 'invalid' }), machine.at('kernel'), 6);
    assert.deepEqual([frame(state).vector, errorCode(state)], [13, 6n * 8n + 3n]);
  });

  it('IDT-02: INT n and INT3 from user mode need DPL 3, hardware events and INT1 do not', () => {
    const user = (label: string): State => machine.at('user', label);
    const closed = changed(3, { dpl: 0 });
    for (const label of ['int3_code', 'int_code']) {
      const { state } = step(closed, user(label));
      assert.deepEqual([frame(state).vector, errorCode(state), frame(state).interrupted], [13, 3n * 8n + 2n, machine.node(label)], label);
      assert.equal(frame(step(changed(3, { dpl: 3 }), user(label)).state).vector, 3);
    }
    assert.equal(frame(delivered(closed, user('code'), 3).state).vector, 3, 'a #BP that is no INT3');
    assert.equal(frame(step(changed(1, { dpl: 0 }), user('int1_code')).state).vector, 1);
    assert.equal(frame(step(closed, machine.at('kernel', 'int3_code')).state).vector, 3, 'CPL 0 may call every gate');
  });

  it('IDT-03: a target that is no 64-bit code, or not canonical, is a #GP that names the segment', () => {
    const outcomes = ([{ selector: KERNEL_SS }, { selector: USER32_CS }, { selector: 0n }, { canonical: false }] satisfies Partial<Gate>[]).map((change) => delivered(changed(6, change), machine.at('kernel'), 6).state);
    assert.deepEqual(outcomes.map((state) => [frame(state).vector, errorCode(state)]), [[13, 0x19n], [13, 0x21n], [13, 1n], [13, 1n]]);
  });

  it('DEL-04: a trap gate leaves IF, an interrupt gate clears it', () => {
    const flags = (setup: Machine): boolean => (delivered(setup, given(machine.at('kernel'), { IF: 1n }), 6).state.flags.value & IF) !== 0n;
    assert.deepEqual([flags(changed(6, { type: 'trap' })), flags(machine)], [true, false]);
  });

  it('DEL-06: EXT is 1 where the failed delivery was of hardware or INT1, 0 for INT n and INT3', () => {
    const absent = (vector: number): Machine => changed(vector, { present: false });
    const code = (state: State): bigint => {
      assert.equal(frame(state).vector, 11);
      return errorCode(state);
    };
    assert.equal(code(delivered(absent(6), machine.at('kernel'), 6).state), 6n * 8n + 3n);
    assert.equal(code(delivered(absent(0xf3), machine.at('kernel'), 0xf3).state), 0xf3n * 8n + 3n);
    assert.equal(code(step(absent(3), machine.at('kernel', 'int3_code')).state), 3n * 8n + 2n);
    assert.equal(code(step(absent(3), machine.at('kernel', 'int_code')).state), 3n * 8n + 2n);
    assert.equal(code(step(absent(1), machine.at('kernel', 'int1_code')).state), 1n * 8n + 3n);
  });

  it('DEL-07: INT n to a vector with an error code pushes none', () => {
    const { state } = delivered(machine, machine.at('kernel'), 13, { kind: 'software-interrupt' });
    assert.equal(rsp(state), frame(state).base);
  });

  it('DEL-09: all but faults push RF as it is, an instruction breakpoint too', () => {
    for (const RFbefore of [0n, 1n]) {
      const start = given(machine.at('kernel'), { RF: RFbefore });
      assert.equal(savedFlag(delivered(machine, start, 6).state, RF), true);
      assert.equal(savedFlag(delivered(machine, start, 2).state, RF), RFbefore === 1n);
      assert.equal(savedFlag(delivered(machine, start, 1, { debug: 1, instructionBreakpoint: true }).state, RF), RFbefore === 1n);
    }
  });

  it('DEL-10: the saved RIP is that of a faulting instruction, and the next one of INT3, INT n and INT1', () => {
    assert.equal(frame(step(machine, machine.at('kernel', 'ud2_code')).state).interrupted, machine.node('ud2_code'));
    for (const label of ['int3_code', 'int_code', 'int1_code']) assert.equal(frame(step(machine, machine.at('kernel', label)).state).interrupted, machine.node(label) + 1);
  });

  it('DEL-10: software interrupts return behind themselves', () => {
    const inside = step(machine, machine.at('kernel', 'int3_code')).state;
    const back = step(machine, step(machine, inside).state).state;
    assert.deepEqual([back.node, back.frames.length], [machine.node('int3_code') + 1, 0]);
  });
});

/** The kernel runs with RSP so low on its stack that nothing fits below. */
const overflown = (): State => withRsp(machine.at('kernel'), bottom('task') + 16n);

facts('faults of delivery', () => {
  const outcome = (vector: number, fault: Partial<Gate>, start = machine.at('kernel')): readonly unknown[] => {
    const { state, effects } = delivered(changed(vector, fault), start, vector);
    const found = effects.find((effect) => effect.kind === 'delivery-fault');
    return [state.frames.map((live) => live.vector), found?.kind === 'delivery-fault' ? found.lost : null];
  };

  it('DF-01: benign and anything is serial, two contributory ones and a page fault with another are #DF', () => {
    assert.deepEqual(outcome(6, { present: false }), [[11], false]);
    assert.deepEqual(outcome(13, { present: false }), [[8], false]);
    assert.deepEqual(outcome(0, { present: false }), [[8], false]);
    assert.deepEqual(outcome(14, { present: false }), [[8], false]);
    assert.deepEqual(outcome(20, { present: false }), [[8], false], '#VE is of the page-fault class (VEC-01)');
    assert.deepEqual(outcome(3, { present: false }), [[11], false]);
  });

  it('DF-01: a contributory one and a page fault are serial', () => {
    const { state } = delivered(machine, withRsp(machine.at('kernel'), bottom('VE') + 16n), 13);
    assert.deepEqual(state.frames.map((live) => live.vector), [8], 'the page fault pushes on the same stack');
    const gates = new Map([...machine.setup.gates, [14, { ...(machine.setup.gates.get(14) ?? assert.fail()), ist: stackNamed(machine.setup.layout, 'MCE')?.index ?? null }]]);
    const serial = delivered(withSetup(machine, { gates }), withRsp(machine.at('kernel'), bottom('VE') + 16n), 13);
    assert.deepEqual(serial.state.frames.map((live) => live.vector), [14]);
  });

  it('DF-01: a fault while #DF is delivered is a shutdown', () => {
    const gates = new Map([...machine.setup.gates].map(([vector, gate]) => [vector, [8, 13].includes(vector) ? { ...gate, present: false } : gate]));
    const { state, effects } = delivered(withSetup(machine, { gates }), machine.at('kernel'), 13);
    assert.equal(state.ended, 'shutdown');
    assert.deepEqual(effects.flatMap((effect) => (effect.kind === 'delivery-fault' ? [effect.becomes] : [])), [8, 'shutdown']);
  });

  it('DF-02: once the first instruction is reached, a second one only nests', () => {
    const first = delivered(machine, machine.at('kernel'), 13).state;
    assert.deepEqual(delivered(machine, first, 13).state.frames.map((live) => live.vector), [13, 13]);
  });

  it('DF-03: an interrupt or NMI whose delivery faults is lost, the fault comes with EXT, at the interrupted instruction', () => {
    for (const vector of [2, 0xf3]) {
      const { state, effects } = delivered(changed(vector, { present: false }), machine.at('kernel'), vector);
      assert.ok(effects.some((effect) => effect.kind === 'delivery-fault' && effect.lost));
      assert.deepEqual([frame(state).vector, errorCode(state) & 1n, frame(state).interrupted], [11, 1n, machine.at('kernel').node]);
    }
  });

  it('DF-04, CR2-01: on a stack that has run into its guard page a fault is #DF, and CR2 is where the second one pushed', () => {
    const { state, effects } = delivered(machine, overflown(), 14, { address: constant(0x6000_0000n) });
    assert.deepEqual(state.frames.map((live) => live.vector), [8]);
    assert.equal(state.cpu.cr2, constant(bottom('task') - 8n));
    assert.equal(frame(state).base, stack('DF') - 40n);
    assert.equal(errorCode(state), 0n);
    assert.ok(kinds(effects).includes('delivery-fault'));
    assert.equal(word(state, 24n), bottom('task') + 16n, 'RSP was not changed by the pushes that failed');
  });

  it('DF-04: a stack that the user page table does not map faults the same way', () => {
    const pageTables = { userBit: 1n << 12n, user: new Set([0, stackNamed(machine.setup.layout, 'DF')?.index ?? -1]), readOnly: new Set<number>() };
    const paged = withSetup(machine, { pageTables });
    const on = (user: boolean): State => {
      const start = machine.at('kernel');
      return { ...start, cpu: { ...start.cpu, cr3: opaque(user ? 'user CR3 image' : 'kernel CR3 image', SIGN | (1n << 12n), user ? 1n << 12n : 0n) } };
    };
    assert.deepEqual(delivered(paged, on(true), 13).state.frames.map((live) => live.vector), [8]);
    assert.deepEqual(delivered(paged, on(false), 13).state.frames.map((live) => live.vector), [13]);
  });

  it('DF-05, IRET-06: a fault on a read-only alias stack becomes #DF', () => {
    const readOnly = new Set([stackNamed(machine.setup.layout, 'fallback')?.index ?? -1]);
    const alias = withSetup(machine, { pageTables: { userBit: 0n, user: new Set(), readOnly } });
    const { state, effects } = delivered(alias, withRsp(machine.at('kernel'), stack('fallback') - 64n), 13);
    assert.deepEqual(state.frames.map((live) => live.vector), [8]);
    assert.deepEqual(effects.flatMap((effect) => (effect.kind === 'delivery-fault' ? [[effect.vector, effect.fault, effect.becomes]] : [])), [[13, 14, 14], [14, 14, 8]]);
  });

  it('DF-06: a fault while #VE is delivered is #DF, and #VE is never the second one', () => {
    assert.deepEqual(outcome(20, { canonical: false }), [[8], false]);
  });

  it('IDT-04: an IST slot that is not canonical is a #SS', () => {
    const taskState = { address: bottom('task'), ist: new Map([[stackNamed(machine.setup.layout, 'NMI')?.index ?? -1, 1]]) };
    const start = machine.at('kernel');
    const slots = [...(start.memory[stackNamed(machine.setup.layout, 'task')?.index ?? -1] ?? [])];
    const size = Number(stack('task') - bottom('task')) / 8;
    // IST1 lies at 36: in two slots.
    slots[size - 1 - 4] = constant(0xdead_0000_0000_0000n);
    slots[size - 1 - 5] = constant(0xbeef_0000n);
    const memoryWith = start.memory.map((region, at) => (at === stackNamed(machine.setup.layout, 'task')?.index ? slots : region));
    const { state } = delivered(withSetup(machine, { taskState }), { ...start, memory: memoryWith }, 2);
    assert.deepEqual([frame(state).vector, errorCode(state)], [12, 1n]);
  });
});

facts('faults of an instruction', () => {
  const vectors = (label: string, state = machine.at('kernel', label), setup = machine.setup): readonly unknown[] => faultsAt(setup, { ...state, node: machine.node(label) }).map((one) => `${one.vector}${one.certain ? '!' : '?'}`);

  it('are listed by the class of an address', () => {
    const at = (rbx: bigint): State => given(machine.at('kernel'), { rbx, AC: 0n });
    assert.deepEqual(vectors('load_code', at(0x8000_0000_0000_0000n)), ['13!'], 'not canonical');
    assert.deepEqual(vectors('load_code', at(stack('task') - 8n)), [], 'a stack is mapped');
    assert.deepEqual(vectors('load_code', at(0xffff_ffff_0000_0000n)), ['14!'], 'nothing is mapped there');
    assert.deepEqual(vectors('load_code', at(0x40_0000n)), ['14!'], 'SMAP while AC is 0');
    assert.deepEqual(vectors('load_code', given(at(0x40_0000n), { AC: 1n })), ['14?']);
    assert.deepEqual(vectors('load_code', machine.at('kernel')), ['13?', '14?'], 'an address nobody knows');
    const copy = given(machine.at('kernel'), { rsi: stack('task') - 8n, rdi: 0xffff_ffff_0000_0000n, rcx: 1n, DF: 0n });
    assert.deepEqual([vectors('string_code', copy), faultsAt(machine.setup, { ...copy, node: machine.node('string_code') })[0]?.errorCode.value], [['14!'], 2n], 'a copy writes where RDI points');
    assert.deepEqual(vectors('push_code', withRsp(machine.at('kernel'), 0x8000_0000_0000_0000n)), ['12!'], 'the stack is #SS');
  });

  it('DEL-06: the page-fault error code tells a write, and user mode', () => {
    const found = (label: string, state: State): unknown => faultsAt(machine.setup, { ...given(state, { rbx: 0xffff_ffff_0000_0000n }), node: machine.node(label) })[0]?.errorCode.value;
    assert.deepEqual([found('load_code', machine.at('kernel')), found('store_code', machine.at('kernel')), found('store_code', machine.at('user'))], [0n, 2n, 6n]);
  });

  it('are taken in the step where page tables are configured, with nothing changed', () => {
    const paged = withSetup(machine, { pageTables: { userBit: 0n, user: new Set(), readOnly: new Set() } });
    const start = given(machine.at('kernel', 'load_code'), { rbx: 0xffff_ffff_0000_0000n });
    const { state } = step(paged, start);
    assert.deepEqual([frame(state).vector, frame(state).interrupted, state.registers[0], state.cpu.cr2.value], [14, start.node, start.registers[0], 0xffff_ffff_0000_0000n]);
    assert.equal(savedFlag(state, RF), true);
  });

  it('raiseFault delivers one at the instruction, and INT3 as a trap', () => {
    const start = machine.at('kernel', 'load_code');
    const { state } = raiseFault(machine.setup, start, 14, { errorCode: constant(0n), address: constant(0x40_0000n) });
    assert.deepEqual([frame(state).vector, errorCode(state), state.cpu.cr2.value, frame(state).interrupted], [14, 0n, 0x40_0000n, start.node]);
    const trap = raiseFault(machine.setup, machine.at('kernel', 'int3_code'), 3).state;
    assert.deepEqual([frame(trap).interrupted, savedFlag(trap, RF)], [machine.node('int3_code') + 1, false]);
    assert.deepEqual(vectors('int3_code'), ['3!']);
    assert.deepEqual(vectors('ud2_code'), ['6!']);
  });

  it('clear TF and NT on the way in like every delivery', () => {
    const { state } = raiseFault(machine.setup, given(machine.at('kernel', 'ud2_code'), { TF: 1n, NT: 1n }), 6);
    assert.equal(state.flags.value & (TF | NT), 0n);
    assert.equal(savedFlag(state, TF), true);
  });
});
