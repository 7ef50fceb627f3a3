// Machine checks, and what guests are in for: #VE with its area, TDX, SEV-ES, asynchronous page faults, by the facts of
// the semantics document.
import assert from 'node:assert/strict';
import { delivered, event, events, given, kinds, machineOf, memory, rsp, step, steps, withSetup } from '../../testing/machine.ts';
import type { Machine } from '../../testing/machine.ts';
import type { GuardSetup } from './config.ts';
import { draftOf, finish, store } from './draft.ts';
import { faultsAt } from './faults.ts';
import { PERCPU_REGION, regionBase, stackNamed, top } from './layout.ts';
import { runOperation } from './operations.ts';
import { AMD, INTEL } from './processor.ts';
import type { Processor } from './processor.ts';
import type { Frame, State } from './state.ts';
import { constant, isConstant, show } from './word.ts';

let machine: Machine;

const code = `	nop
	nop
SYM_INNER_LABEL(rdmsr_code)
	rdmsr
	nop
SYM_INNER_LABEL(load_code)
	movq	(%rbp), %rax
	nop
SYM_INNER_LABEL(cpuid_code)
	cpuid
	nop
SYM_INNER_LABEL(dr7_code)
	movq	%dr7, %rax
	nop
SYM_INNER_LABEL(vmgexit_code)
	rep vmmcall
	nop
SYM_INNER_LABEL(tdcall_code)
	tdcall
	nop
SYM_INNER_LABEL(ist_code)
	movq	%rax, 4(%rbx)
	movq	4(%rbx), %rcx
	nop
SYM_INNER_LABEL(iret_code)
	iretq`;

function facts(title: string, tests: () => void): void {
  describe(title, () => {
    before(async () => {
      machine ??= await machineOf(code);
    });
    tests();
  });
}

const frame = (state: State): Frame => state.frames.at(-1) ?? assert.fail('no frame is live');
const processor = (change: Partial<Processor>): Machine => withSetup(machine, { processor: { ...INTEL, ...change } });
const named = (state: State, label: string): State => ({ ...state, node: machine.node(label) });
const stack = (name: string): bigint => top(stackNamed(machine.setup.layout, name) ?? assert.fail(name));
/** Runs one primitive of the kernel as C code would. */
function primitive(one: Machine, state: State, effect: 'tdx-get-ve-info' | 'nmi-complete'): State {
  const setup = { ...one.setup, primitives: new Map([[effect, { name: effect, effect }]]) };
  const draft = draftOf(state);
  const node = one.setup.code.nodes[state.node] ?? assert.fail();
  runOperation(draft, setup, { ...node, kind: 'operation', operation: { kind: 'primitive', name: effect, arguments: [], result: null, next: state.node, fixup: null } });
  return finish(draft);
}

facts('machine checks', () => {
  it('MC-01: with CR4.MCE=0 it is a shutdown', () => {
    const { state } = event(processor({ machineCheckEnabled: false }), machine.at('kernel'), '#MC');
    assert.deepEqual([state.ended, state.frames.length], ['fallback-shutdown', 0]);
  });

  it('MC-03, MC-04: IA32_MCG_STATUS tells whether the saved RIP is good, belongs to the error, and whether it is local', () => {
    const status = (change: Partial<Processor>): unknown => {
      const one = processor(change);
      const inside = given(event(one, machine.at('kernel'), '#MC').state, { rcx: 0x17an });
      const read = step(one, named(inside, 'rdmsr_code')).state.registers[0];
      return read !== undefined && isConstant(read) ? read.value : null;
    };
    assert.deepEqual([status({}), status({ ripValid: false }), status({ errorIpValid: false }), status({ localMachineCheck: true })], [7n, 6n, 5n, 15n]);
  });

  it('MC-04: Intel signals all processors unless it is local, AMD never does', () => {
    const broadcast = (one: Machine): boolean => kinds(event(one, machine.at('kernel'), '#MC').effects).includes('broadcast');
    assert.deepEqual([broadcast(machine), broadcast(processor({ localMachineCheck: true })), broadcast(withSetup(machine, { processor: AMD }))], [true, false, false]);
  });

  it('MC-05: it hits with IF=0, in an NMI, and comes serially with any exception', () => {
    const nmi = event(machine, given(machine.at('kernel'), { IF: 0n }), 'NMI').state;
    assert.deepEqual(event(machine, nmi, '#MC').state.frames.map((live) => live.vector), [2, 18]);
    const absent = withSetup(machine, { gates: new Map([...machine.setup.gates].map(([vector, gate]) => [vector, vector === 18 ? { ...gate, present: false } : gate])) });
    assert.deepEqual(delivered(absent, machine.at('kernel'), 18).state.frames.map((live) => live.vector), [11]);
  });
});

facts('#VE', () => {
  const guard = (): GuardSetup => machine.setup.guards.find(({ vector }) => vector === 20) ?? assert.fail();
  const area = (): bigint => (guard().address ?? assert.fail()) - 4n;
  const taken = (one = machine, label = 'load_code'): State => event(one, named(machine.at('kernel'), label), '#VE at an access').state;

  it('VE-01: the area tells exit reason 48, the qualification, both addresses and the EPTP index', () => {
    const state = taken();
    const word = (offset: bigint): string => show(memory(machine, state, area() + offset));
    assert.deepEqual([memory(machine, state, area()).value, word(8n), word(16n), word(24n), word(32n)], [0xffff_ffff_0000_0030n, 'exit qualification', 'task RBP', 'guest physical address', 'EPTP index']);
  });

  it('VE-05: the area is filled when delivery fails', () => {
    const absent = withSetup(machine, { gates: new Map([...machine.setup.gates].map(([vector, gate]) => [vector, vector === 20 ? { ...gate, present: false } : gate])) });
    const state = taken(absent);
    assert.deepEqual([state.frames.map((live) => live.vector), memory(machine, state, area()).value & 0xffff_ffffn], [[8], 48n]);
  });

  it('VE-07: any access can raise it, fetches too, where the configuration says so', () => {
    assert.ok(!events(machine, machine.at('kernel')).includes('#VE at an access'));
    const everywhere = processor({ virtualizationExceptions: 'every access' });
    assert.ok(events(everywhere, machine.at('kernel')).includes('#VE at an access'));
    const nmi = event(everywhere, machine.at('kernel'), 'NMI').state;
    assert.equal(frame(event(everywhere, nmi, '#VE at an access').state).vector, 20);
  });

  it('VE-08: neither an NMI nor its return touches the word', () => {
    const state = steps(machine, event(machine, taken(), 'NMI').state, 2);
    assert.equal(memory(machine, state, area()).value >> 32n, 0xffff_ffffn);
  });

  it('VE-10: of two faults of one instruction it is the last', () => {
    const tdx = processor({ guest: 'tdx' });
    const state = given(named(machine.at('user'), 'rdmsr_code'), { rcx: 0x10n });
    assert.deepEqual(faultsAt(tdx.setup, { ...state, cpu: { ...state.cpu, cpl: 0 } }).map((one) => one.vector), [13, 20]);
  });

  it('VE-11: AMD has none', () => {
    assert.ok(!events(withSetup(machine, { processor: AMD }), named(machine.at('kernel'), 'load_code')).includes('#VE at an access'));
  });
});

facts('TDX', () => {
  const valid: GuardSetup = { name: 've_info', vector: 20, address: null, size: 8, machineBit: 'tdx-valid', busy: 1n, setBy: 'module', fallback: 'df', protectsStack: false, protectsInfo: true, info: { start: 0n, end: 0n } };
  const tdx = (): Machine => withSetup(processor({ guest: 'tdx' }), { guards: [valid] });
  const start = (): State => ({ ...named(machine.at('kernel'), 'load_code'), ghosts: [{ owner: null, clearedAt: null, aboveFrame: false }] });

  it('TDX-01: instructions that are not native in the guest are listed, others not', () => {
    const listed = (label: string): readonly number[] => faultsAt(tdx().setup, named(machine.at('kernel'), label)).map((one) => one.vector);
    assert.deepEqual([listed('cpuid_code'), listed('code')], [[20], []]);
  });

  it('TDX-02, TDX-03: while the information is valid, interrupts and NMIs are inhibited, and another #VE is #DF', () => {
    const one = tdx();
    const first = event(one, start(), '#VE at an access').state;
    assert.equal(first.cpu.veInfoValid, true);
    const may = events(one, { ...given(first, { IF: 1n }), pending: [{ kind: 'irq', vector: 0xf3 }] });
    assert.deepEqual(['NMI', 'IRQ 243', '#MC'].map((name) => may.includes(name)), [false, false, true]);
    const second = event(one, named(first, 'load_code'), '#VE at an access');
    assert.deepEqual(second.state.frames.map((live) => live.vector), [20, 8]);
  });

  it('TDX-02, TDX-05: fetching the information re-arms, by the call or by C code; NMIs come again, and a #VE inside them', () => {
    const one = tdx();
    const first = event(one, start(), '#VE at an access').state;
    for (const armed of [step(one, named(given(first, { rax: 3n }), 'tdcall_code')).state, primitive(one, first, 'tdx-get-ve-info')]) {
      assert.equal(armed.cpu.veInfoValid, false);
      const nmi = event(one, armed, 'NMI').state;
      assert.deepEqual(event(one, named(nmi, 'load_code'), '#VE at an access').state.frames.map((live) => live.vector), [20, 2, 20]);
    }
    assert.equal(step(one, named(given(first, { rax: 0n }), 'tdcall_code')).state.cpu.veInfoValid, true);
  });

  it('TDX-04: without an IST stack the frame lies below the interrupted one', () => {
    const one = withSetup(tdx(), { gates: new Map([...machine.setup.gates].map(([vector, gate]) => [vector, vector === 20 ? { ...gate, ist: null } : gate])) });
    const state = event(one, start(), '#VE at an access').state;
    assert.ok(rsp(state) < rsp(start()) && rsp(state) > rsp(start()) - 64n);
  });
});

facts('SEV-ES', () => {
  const sev = (): Machine => withSetup(machine, { processor: { ...AMD, guest: 'sev-es' } });

  it('VC-01: intercepted instructions raise #VC with the exit code, VMGEXIT does not', () => {
    const listed = (label: string): unknown => faultsAt(sev().setup, named(machine.at('kernel'), label)).filter(({ vector }) => vector === 29).map((one) => one.errorCode.value);
    assert.deepEqual([listed('cpuid_code'), listed('dr7_code'), listed('rdmsr_code'), listed('vmgexit_code')], [[0x72n], [0x27n], [0x7cn], []]);
  });

  it('VC-02, VC-03: delivery reads the IST slot that code wrote, wherever in the task-state segment it lies', () => {
    const address = regionBase(PERCPU_REGION) + 0x400n;
    const ist = new Map([[stackNamed(machine.setup.layout, 'NMI')?.index ?? -1, 1]]);
    const one = withSetup(sev(), { taskState: { address, ist } });
    const lower = stack('NMI') - 0x400n;
    // IST1 is at 36: the slot crosses an 8-byte boundary, as each of them does.
    const written = step(one, given(named(machine.at('kernel'), 'ist_code'), { rax: lower, rbx: address + 32n })).state;
    assert.equal(step(one, written).state.registers[1], constant(lower));
    const nmi = delivered(one, written, 2).state;
    assert.equal(frame(nmi).base, lower - 40n);
    const draft = draftOf(nmi);
    store(draft, one.setup, address + 36n, 8, constant(stack('NMI') - 0x800n));
    assert.deepEqual(delivered(one, finish(draft), 2).state.frames.map((live) => live.base), [lower - 40n, stack('NMI') - 0x800n - 40n]);
  });

  it('VC-02: RSP0 is read from the task-state segment too', () => {
    const address = regionBase(PERCPU_REGION) + 0x400n;
    const one = withSetup(sev(), { taskState: { address, ist: new Map() } });
    const draft = draftOf(machine.at('user'));
    store(draft, one.setup, address + 4n, 8, constant(stack('task')));
    assert.equal(frame(delivered(one, finish(draft), 6).state).base, stack('task') - 40n);
  });

  it('VC-04: the hypervisor keeps NMIs blocked past an IRET, until it is told', () => {
    const nmi = event(sev(), machine.at('kernel'), 'NMI').state;
    assert.equal(steps(sev(), nmi, 2).cpu.nmiBlocked, true);
    const told = primitive(sev(), nmi, 'nmi-complete');
    assert.ok(events(sev(), told).includes('NMI'));
  });

  it('VEC-02: the double-fault class of #VC is a choice', () => {
    const gates = new Map([...machine.setup.gates].map(([vector, gate]) => [vector, gate]));
    gates.set(29, { vector: 29, stub: machine.node('code'), ist: null, dpl: 0, present: false });
    for (const [vcDoubleFaultClass, vector] of [['benign', 11], ['contributory', 8]] as const) {
      const one = withSetup(machine, { gates, processor: { ...AMD, choices: { ...AMD.choices, vcDoubleFaultClass } } });
      assert.equal(frame(delivered(one, machine.at('kernel'), 29).state).vector, vector);
    }
  });
});

facts('asynchronous page faults', () => {
  const flags = (): bigint => regionBase(PERCPU_REGION) + BigInt(machine.setup.layout.percpu.get('word') ?? -1);
  const host = (): GuardSetup => ({ name: 'flags', vector: 14, address: flags(), size: 4, machineBit: null, busy: 1n, setBy: 'host', fallback: 'host-queues', protectsStack: false, protectsInfo: true, info: { start: 0n, end: 0n } });
  const apf = (change: Partial<Processor> = {}): Machine => withSetup(processor(change), { guards: [host()], events: [{ name: 'PF', vector: 14, budget: 0, kind: 'host' }, { name: 'ready', vector: 0xf3, budget: 0, kind: 'host' }] });
  const user = (state: State): State => ({ ...state, node: machine.setup.contexts.get('user') ?? assert.fail(), ghosts: [{ owner: null, clearedAt: null, aboveFrame: false }] });
  const NOT_PRESENT = '#PF injected by the host';
  const READY = 'IRQ 243 injected by the host';

  it('APF-01, APF-02: the host writes the flags before it injects, and queues while they are set', () => {
    const first = event(apf(), user(machine.at('user')), NOT_PRESENT);
    assert.deepEqual([memory(machine, first.state, flags()).value & 0xffff_ffffn, frame(first.state).vector], [1n, 14]);
    const again = event(apf({ asyncPageFaultsAlways: true }), given(first.state, { IF: 1n }), NOT_PRESENT);
    assert.ok(again.effects.some((effect) => effect.kind === 'fallback' && effect.fallback === 'host-queues'));
    assert.equal(again.state.frames.length, 1);
  });

  it('APF-03: only where interrupts are open, and in kernel mode only where the guest asked for it', () => {
    const kernel = { ...given(machine.at('kernel'), { IF: 1n }), ghosts: user(machine.at('user')).ghosts };
    assert.deepEqual(events(apf(), user(machine.at('user'))).filter((name) => name === NOT_PRESENT), [NOT_PRESENT]);
    assert.ok(!events(apf(), kernel).includes(NOT_PRESENT));
    assert.ok(events(apf({ asyncPageFaultsAlways: true }), kernel).includes(NOT_PRESENT));
    assert.ok(!events(apf({ asyncPageFaultsAlways: true }), given(kernel, { IF: 0n })).includes(NOT_PRESENT));
  });

  it('APF-04: page-ready interrupts come at any boundary with interrupts open', () => {
    const kernel = { ...given(machine.at('kernel'), { IF: 1n }), ghosts: user(machine.at('user')).ghosts };
    assert.deepEqual([events(apf(), kernel).includes(READY), events(apf(), given(kernel, { IF: 0n })).includes(READY)], [true, false]);
  });
});
