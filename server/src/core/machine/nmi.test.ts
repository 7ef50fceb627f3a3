// Priorities at a boundary, shadows with their choices, blocking by NMI and its latch, SMIs, by the facts of the
// semantics document.
import assert from 'node:assert/strict';
import { delivered, event, events, given, kinds, machineOf, memory, step, steps, withSetup } from '../../testing/machine.ts';
import type { Machine } from '../../testing/machine.ts';
import { top } from './layout.ts';
import { raiseFault, successors } from './machine.ts';
import { AMD, INTEL } from './processor.ts';
import type { Choices, Processor } from './processor.ts';
import type { Frame, State } from './state.ts';
import { constant, isConstant } from './word.ts';

let machine: Machine;

const code = `	nop
	nop
SYM_INNER_LABEL(sti_code)
	sti
	nop
	nop
SYM_INNER_LABEL(sti_movss)
	sti
	movl	%eax, %ss
	nop
	nop
SYM_INNER_LABEL(movss_movss)
	movl	%eax, %ss
	movl	%eax, %ss
	nop
	nop
SYM_INNER_LABEL(iret_code)
	iretq
SYM_INNER_LABEL(ret_code)
	ret
SYM_INNER_LABEL(sysret_code)
	sysretq
SYM_INNER_LABEL(int3_code)
	int3
	nop`;

function facts(title: string, tests: () => void): void {
  describe(title, () => {
    before(async () => {
      machine ??= await machineOf(code);
    });
    tests();
  });
}

const processor = (change: Partial<Processor>, choices: Partial<Choices> = {}): Machine => withSetup(machine, { processor: { ...INTEL, ...change, choices: { ...INTEL.choices, ...choices } } });
const frame = (state: State): Frame => state.frames.at(-1) ?? assert.fail('no frame is live');
const requested = (state: State): State => ({ ...state, pending: [{ kind: 'irq', vector: 0xf3 }] });
const cpu = (state: State, change: Partial<State['cpu']>): State => ({ ...state, cpu: { ...state.cpu, ...change } });
const names = (one: Machine, state: State): readonly string[] => successors(one.setup, state).steps.map(({ label }) => label);

facts('priorities', () => {
  it('PRI-01: a recorded debug trap comes before NMIs and interrupts, a machine check before it', () => {
    const start = requested(cpu(given(machine.at('kernel'), { IF: 1n }), { pendingDebug: 1 << 14 }));
    assert.deepEqual([...names(machine, start)].sort(), ['#DB', '#MC']);
    const trapped = event(machine, start, '#DB').state;
    assert.equal(frame(trapped).vector, 1);
    assert.ok(events(machine, trapped).includes('NMI'));
  });

  it('PRI-01: a latched NMI comes before interrupts and the instruction', () => {
    const start = requested(cpu(given(machine.at('kernel'), { IF: 1n }), { nmiLatched: true }));
    assert.deepEqual([...names(machine, start)].sort(), ['#MC', 'NMI']);
  });

  it('PRI-02: a fault that an interrupt preceded comes again, the interrupt stays pending meanwhile', () => {
    const start = requested(given(machine.at('kernel', 'int3_code'), { IF: 0n }));
    const faulted = raiseFault(machine.setup, start, 6).state;
    assert.equal(faulted.pending.length, 1);
    const back = steps(machine, faulted, 2);
    assert.deepEqual([back.node, back.pending.length], [start.node, 1]);
  });

  it('PRI-03: one NMI is latched while NMIs are blocked, one more is lost, and the latched one comes once, right behind the IRET', () => {
    const latching = processor({}, { latchesNmi: true });
    const first = event(latching, machine.at('kernel'), 'NMI').state;
    const second = event(latching, first, 'NMI');
    assert.deepEqual(second.effects, [{ kind: 'nmi-latched', lost: false }]);
    const third = event(latching, second.state, 'NMI');
    assert.deepEqual(third.effects, [{ kind: 'nmi-latched', lost: true }]);
    const back = steps(latching, third.state, 2);
    assert.deepEqual([back.cpu.nmiBlocked, back.cpu.nmiLatched, back.node], [false, true, machine.at('kernel').node]);
    assert.ok(!names(latching, back).includes('step'), 'not even one instruction of the interrupted code runs');
    const again = event(latching, back, 'NMI').state;
    assert.deepEqual([again.cpu.nmiBlocked, again.cpu.nmiLatched, again.frames.length], [true, false, 1]);
  });

  it('PRI-03: without the latch, arrivals while blocked are left out', () => {
    assert.ok(!events(machine, event(machine, machine.at('kernel'), 'NMI').state).includes('NMI'));
  });
});

facts('shadows', () => {
  const nmiBehind = (one: Machine, label: string, count: number): boolean => names(one, steps(one, given(machine.at('kernel', label), { IF: 0n }), count)).includes('NMI');
  const irqBehind = (one: Machine, label: string, count: number, before: bigint): boolean => names(one, steps(one, requested(given(machine.at('kernel', label), { IF: before })), count)).includes('IRQ 243');

  it('SHD-01: whether STI holds off NMIs is a choice', () => {
    assert.equal(nmiBehind(machine, 'sti_code', 1), true);
    assert.equal(nmiBehind(processor({}, { stiHoldsOffNmi: true }), 'sti_code', 1), false);
    assert.equal(nmiBehind(processor({}, { stiHoldsOffNmi: true }), 'sti_code', 2), true);
  });

  it('SHD-03: of shadows in a row the first counts, and whether the second does is a choice', () => {
    const adding = processor({}, { shadowsAddUp: true });
    assert.deepEqual([irqBehind(machine, 'sti_movss', 1, 0n), irqBehind(machine, 'sti_movss', 2, 0n)], [false, true]);
    assert.deepEqual([irqBehind(adding, 'sti_movss', 1, 0n), irqBehind(adding, 'sti_movss', 2, 0n), irqBehind(adding, 'sti_movss', 3, 0n)], [false, false, true]);
    assert.deepEqual([nmiBehind(machine, 'movss_movss', 1), nmiBehind(machine, 'movss_movss', 2)], [false, true]);
    assert.deepEqual([nmiBehind(adding, 'movss_movss', 2), nmiBehind(adding, 'movss_movss', 3)], [false, true]);
  });

  it('SHD-02: MOV SS loads the selector, and blocking by it holds off a latched NMI', () => {
    const start = cpu(given(machine.at('kernel', 'movss_movss'), { rax: 0x18n }), { nmiLatched: false });
    const loaded = step(machine, start).state;
    assert.deepEqual([loaded.cpu.ss, loaded.cpu.shadow], [constant(0x18n), 'movss']);
    assert.ok(!names(machine, cpu(loaded, { nmiLatched: true })).includes('NMI'));
  });
});

/** In an NMI handler, about to return with an image whose CS names nothing. */
function badReturn(one: Machine): State {
  const nmi = event(one, machine.at('kernel'), 'NMI').state;
  const { base, region } = frame(nmi);
  const stack = nmi.memory[region] ?? [];
  const slot = Number((top(machine.setup.layout.regions[region] ?? assert.fail()) - 1n - (base + 8n)) >> 3n);
  const memoryWith = nmi.memory.map((slots, at) => (at === region ? stack.map((value, index) => (index === slot ? constant(0x78n) : value)) : slots));
  return { ...nmi, node: machine.node('iret_code'), memory: memoryWith };
}

facts('NMI and IRET', () => {
  it('NMI-01: delivery of an NMI blocks NMIs, INT 2 does not', () => {
    assert.equal(delivered(machine, machine.at('kernel'), 2).state.cpu.nmiBlocked, true);
    assert.equal(delivered(machine, machine.at('kernel'), 2, { kind: 'software-interrupt' }).state.cpu.nmiBlocked, false);
  });

  it('NMI-02: RET and SYSRET leave NMIs blocked', () => {
    const nmi = event(machine, machine.at('kernel'), 'NMI').state;
    for (const label of ['ret_code', 'sysret_code']) assert.equal(step(machine, { ...given(nmi, { rcx: 0x40_0000n, r11: 2n }), node: machine.node(label) }).state.cpu.nmiBlocked, true, label);
  });

  it('NMI-03: an IRET that faults unblocks NMIs on Intel, and a waiting one comes at the first instruction of the fault handler', () => {
    const start = cpu(badReturn(machine), { nmiLatched: true });
    const { state, effects } = step(machine, start);
    assert.deepEqual([frame(state).vector, state.cpu.nmiBlocked], [13, false]);
    assert.ok(kinds(effects).includes('nmi-unblocked'));
    assert.deepEqual(names(machine, state).filter((name) => name !== '#MC'), ['NMI']);
  });

  it('NMI-03: on AMD, as far as is known, only an IRET that completes does', () => {
    const amd = withSetup(machine, { processor: AMD });
    const { state } = step(amd, badReturn(amd));
    assert.deepEqual([frame(state).vector, state.cpu.nmiBlocked], [13, true]);
  });

  it('IRET-03: the fault saves the RIP of the IRET and the RSP before it; the frame stays, and so does the GS base', () => {
    const start = badReturn(machine);
    const { state } = step(machine, start);
    const fault = frame(state);
    const word = (offset: bigint): unknown => {
      const found = memory(machine, state, fault.base + offset);
      return isConstant(found) ? found.value : found.name;
    };
    assert.deepEqual([fault.interrupted, word(24n), word(-8n), word(8n)], [machine.node('iret_code'), frame(start).base, 0x78n, 0x10n]);
    assert.deepEqual([state.frames.length, state.cpu.gsBase, state.cpu.kernelGsBase], [2, start.cpu.gsBase, start.cpu.kernelGsBase]);
  });

  it('NMI-04: #VE on the reads of IRET comes with NMIs unblocked, and says so in the exit qualification', () => {
    const everywhere = processor({ virtualizationExceptions: 'every access' });
    const guards = machine.setup.guards.map((guard) => (guard.vector === 20 && guard.address !== null ? { ...guard, info: { start: guard.address - 4n, end: guard.address + 60n } } : guard));
    const one = withSetup(everywhere, { guards });
    const at = guards.find((guard) => guard.vector === 20)?.address ?? assert.fail();
    const nmi = event(one, machine.at('kernel'), 'NMI').state;
    const { state } = event(one, { ...nmi, node: machine.node('iret_code') }, '#VE at an access');
    assert.equal(state.cpu.nmiBlocked, false);
    assert.equal(memory(one, state, at + 4n).value & (1n << 12n), 1n << 12n);
    const elsewhere = event(one, nmi, '#VE at an access').state;
    assert.deepEqual([elsewhere.cpu.nmiBlocked, memory(one, elsewhere, at + 4n).value & (1n << 12n)], [true, 0n]);
  });

  it('NMI-05: the handlers of #DB, #MC and #DF do not hold it off', () => {
    for (const vector of [1, 8, 18]) assert.ok(events(machine, delivered(machine, given(machine.at('kernel'), { IF: 0n }), vector).state).includes('NMI'), `vector ${vector}`);
  });
});

facts('SMI', () => {
  const withSmi = (choices: Partial<Choices>): Machine => withSetup(processor({}, choices), { events: [...machine.setup.events, { name: 'SMI', vector: -1, budget: 0, kind: 'smi' }] });

  it('SMI-02: comes at any boundary, in shadows and with IF=0 too, and changes nothing that code sees', () => {
    const one = withSmi({});
    for (const state of [given(machine.at('kernel'), { IF: 0n }), steps(machine, machine.at('kernel', 'movss_movss'), 1), event(machine, machine.at('kernel'), 'NMI').state]) {
      const after = event(one, state, 'SMI').state;
      assert.deepEqual({ ...after, budgets: state.budgets }, state);
    }
  });

  it('SMI-01: whether an SMI in an NMI handler leaves NMIs unblocked is a choice', () => {
    const nmi = event(machine, machine.at('kernel'), 'NMI').state;
    assert.equal(event(withSmi({}), nmi, 'SMI').state.cpu.nmiBlocked, true);
    assert.equal(event(withSmi({ smiUnblocksNmi: true }), nmi, 'SMI').state.cpu.nmiBlocked, false);
  });
});
