// Delivery, returns, shadows and the one-slot words by the facts of the semantics document, each named by its ID. The
// programs are a few instructions; what happens is what the explorer would see.
import assert from 'node:assert/strict';
import { design, linked, scenarioNamed } from '../../testing/review.ts';
import { prepare } from '../contexts/setup.ts';
import { delivered, event, events, given, kinds, machineOf, memory, rsp, step, steps, until } from '../../testing/machine.ts';
import type { Machine } from '../../testing/machine.ts';
import { regionBase, PERCPU_REGION, stackNamed, stackOf, top } from './layout.ts';
import { AC, DF, IF, NT, RF, TF, USER_CS } from './state.ts';
import type { State } from './state.ts';
import { VECTORS } from './vectors.ts';
import { changeCpu, draftOf, finish, store } from './draft.ts';
import { constant } from './word.ts';

let machine: Machine;

const code = `	nop
	nop
SYM_INNER_LABEL(sti_code)
	sti
	nop
SYM_INNER_LABEL(movss_code)
	movl	%eax, %ss
	nop
SYM_INNER_LABEL(swap)
	swapgs
	swapgs
SYM_INNER_LABEL(mcip)
	wrmsr
SYM_INNER_LABEL(returns)
	ret
SYM_INNER_LABEL(user_load)
	movq	(%rbp), %rax
SYM_INNER_LABEL(clear_word)
	movl	$0, PER_CPU_VAR(ve_page + 4)`;

/** Facts about the machine above, which is made once. */
function facts(title: string, tests: () => void): void {
  describe(title, () => {
    before(async () => {
      machine ??= await machineOf(code);
    });
    tests();
  });
}

const stack = (name: string): bigint => top(stackNamed(machine.setup.layout, name) ?? assert.fail(name));
const frame = (state: State): State['frames'][number] => state.frames.at(-1) ?? assert.fail('no frame is live');
const ve = (state: State): State => event(machine, { ...state, node: machine.node('user_load') }, '#VE at an access').state;
const known = (state: State, bit: bigint): boolean | null => ((state.flags.known & bit) === 0n ? null : (state.flags.value & bit) !== 0n);

facts('delivery', () => {
  it('IDT-04: IST loads RSP always, and a second delivery writes at the same address: the frame is overwritten', () => {
    const once = delivered(machine, machine.at('kernel'), 20).state;
    const twice = delivered(machine, once, 20);
    assert.equal(frame(once).base, stack('VE') - 40n);
    assert.equal(rsp(twice.state), rsp(once));
    assert.ok(kinds(twice.effects).includes('frame-overwritten'));
    assert.equal(twice.state.ended, 'frame-overwritten');
  });

  it('IDT-04: without IST the same privilege keeps RSP, and nested frames lie below each other', () => {
    const start = machine.at('kernel');
    const once = delivered(machine, start, 6).state;
    const twice = delivered(machine, once, 6).state;
    assert.deepEqual([frame(once).base, frame(twice).base], [rsp(start) - 40n, rsp(once) - 48n]);
    assert.equal(twice.frames.length, 2);
  });

  it('IDT-04: without IST an event from user mode goes to RSP0', () => {
    assert.equal(frame(delivered(machine, machine.at('user'), 6).state).base, machine.setup.rsp0 - 40n);
  });

  it('DEL-01: SS:RSP, RFLAGS, CS:RIP are pushed, also without a change of privilege', () => {
    const start = machine.at('kernel');
    const { state } = delivered(machine, start, 6);
    const { base } = frame(state);
    assert.equal(memory(machine, state, base + 24n), start.registers[4]);
    assert.equal(memory(machine, state, base + 8n), constant(0x10n));
    assert.equal(memory(machine, state, base + 32n), constant(0x18n));
    const user = delivered(machine, machine.at('user'), 6).state;
    assert.equal(memory(machine, user, frame(user).base + 8n), constant(USER_CS));
  });

  it('DEL-02: RSP is aligned down to 16 first, the saved RSP is the one before', () => {
    const start = machine.at('kernel');
    const odd = { ...start, registers: start.registers.map((word, at) => (at === 4 ? constant(rsp(start) - 3n) : word)) };
    for (const [vector, rest] of [[6, 8n], [14, 0n]] as const) {
      const { state } = delivered(machine, odd, vector);
      assert.equal(rsp(state) % 16n, rest);
      assert.equal(memory(machine, state, frame(state).base + 24n), odd.registers[4]);
    }
  });

  it('DEL-03: DF and AC survive', () => {
    const { state } = delivered(machine, given(machine.at('kernel'), { DF: 1n, AC: 1n }), 6);
    assert.deepEqual([known(state, DF), known(state, AC)], [true, true]);
  });

  it('DEL-05: TF, NT, RF and, by an interrupt gate, IF are cleared', () => {
    const { state } = delivered(machine, given(machine.at('kernel'), { TF: 1n, NT: 1n, RF: 1n, IF: 1n }), 6);
    assert.deepEqual([TF, NT, RF, IF].map((bit) => known(state, bit)), [false, false, false, false]);
  });

  it('DEL-07: error codes are pushed for 8, 10 to 14, 17, 21 and 29', () => {
    // #SX, 30, has no row.
    assert.deepEqual(VECTORS.filter(({ errorCode }) => errorCode).map(({ number }) => number), [8, 10, 11, 12, 13, 14, 17, 21, 29]);
    const [with_, without] = [14, 6].map((vector) => delivered(machine, machine.at('kernel'), vector).state);
    assert.deepEqual([with_, without].map((state) => (state === undefined ? null : frame(state).base - rsp(state))), [8n, 0n]);
  });

  it('DEL-09: the pushed RF is 1 for faults, 0 for traps and interrupts', () => {
    const rf = [6, 14, 20, 3, 2, 0xf3].map((vector) => {
      const { state } = delivered(machine, machine.at('kernel'), vector);
      return memory(machine, state, frame(state).base + 16n).value & RF;
    });
    assert.deepEqual(rf, [RF, RF, RF, 0n, 0n, 0n]);
  });

  it('DEL-11: no register but RSP changes, nor the GS base or CR3', () => {
    const start = machine.at('user');
    const { state } = delivered(machine, start, 6);
    assert.deepEqual(state.registers.filter((word, at) => word !== start.registers[at]).length, 1);
    assert.deepEqual([state.cpu.gsBase, state.cpu.kernelGsBase, state.cpu.cr3], [start.cpu.gsBase, start.cpu.kernelGsBase, start.cpu.cr3]);
  });

  it('VE-20: without a stack switch at CPL 0 on a user RSP the frame goes where user space points', () => {
    const start = machine.at('kernel');
    const gap = { ...start, registers: start.registers.map((word, at) => (at === 4 ? (machine.at('user').registers[4] ?? word) : word)) };
    assert.deepEqual(kinds(delivered(machine, gap, 6).effects), ['frame-on-user-stack']);
  });
});

facts('NMI', () => {
  it('NMI-01: delivery blocks NMIs until an IRET', () => {
    const nmi = event(machine, machine.at('kernel'), 'NMI').state;
    assert.equal(nmi.cpu.nmiBlocked, true);
    assert.ok(!events(machine, nmi).includes('NMI'));
    const back = steps(machine, nmi, 2);
    assert.equal(back.cpu.nmiBlocked, false);
    assert.deepEqual([back.frames.length, back.node], [0, machine.node('code')]);
  });

  it('NMI-02: the IRET of a fault inside the NMI handler unblocks too, RET does not', () => {
    const nmi = event(machine, machine.at('kernel'), 'NMI').state;
    const inside = steps(machine, delivered(machine, nmi, 6).state, 1);
    assert.equal(inside.cpu.nmiBlocked, true);
    const { state, effects } = step(machine, inside);
    assert.equal(state.cpu.nmiBlocked, false);
    assert.ok(effects.some((effect) => effect.kind === 'nmi-unblocked' && effect.inNmi));
    assert.ok(events(machine, state).includes('NMI'));
    assert.equal(step(machine, { ...nmi, node: machine.node('returns') }).state.cpu.nmiBlocked, true);
  });

  it('NMI-05: neither IF=0 nor a #VE or #MC handler masks NMIs', () => {
    for (const vector of [20, 18, 6]) assert.ok(events(machine, delivered(machine, given(machine.at('kernel'), { IF: 0n }), vector).state).includes('NMI'), `vector ${vector}`);
  });
});

/** A self-IPI is requested: its vector waits in the IRR. */
const requested = (state: State): State => ({ ...state, pending: [{ kind: 'irq', vector: 0xf3 }] });

facts('interrupts and shadows', () => {
  it('IF-01: a self-IPI sent with IF=0 on the IST stack is taken behind the IRET, and not on the IST stack', () => {
    const handler = requested(delivered(machine, given(machine.at('kernel'), { IF: 1n }), 20).state);
    assert.ok(!events(machine, handler).includes('IRQ 243'));
    const back = steps(machine, handler, 2);
    const taken = event(machine, back, 'IRQ 243').state;
    assert.equal(stackOf(machine.setup.layout, rsp(taken))?.name, 'task');
    assert.deepEqual(taken.pending, []);
  });

  it('IF-01: with STI in the handler its frame is pushed on the IST stack', () => {
    const handler = requested(given(delivered(machine, machine.at('kernel'), 20).state, { IF: 1n }));
    assert.equal(stackOf(machine.setup.layout, rsp(event(machine, handler, 'IRQ 243').state))?.name, 'VE');
  });

  it('IF-01: where the interrupted code had IF=0 it stays pending past the IRET', () => {
    const handler = requested(delivered(machine, given(machine.at('kernel'), { IF: 0n }), 20).state);
    assert.ok(!events(machine, steps(machine, handler, 2)).includes('IRQ 243'));
  });

  it('SHD-01: STI that sets IF delays interrupts past the next instruction; with IF=1 there is no shadow', () => {
    const start = requested(given(machine.at('kernel', 'sti_code'), { IF: 0n }));
    const [shadow, behind] = [steps(machine, start, 1), steps(machine, start, 2)];
    assert.deepEqual([shadow, behind].map((state) => events(machine, state).includes('IRQ 243')), [false, true]);
    const open = steps(machine, requested(given(machine.at('kernel', 'sti_code'), { IF: 1n })), 1);
    assert.ok(events(machine, open).includes('IRQ 243'));
  });

  it('SHD-02: MOV SS blocks interrupts and NMIs for one boundary', () => {
    const start = requested(given(machine.at('kernel', 'movss_code'), { IF: 1n }));
    const [shadow, behind] = [steps(machine, start, 1), steps(machine, start, 2)];
    assert.deepEqual([shadow, behind].map((state) => ['IRQ 243', 'NMI'].map((name) => events(machine, state).includes(name))), [[false, false], [true, true]]);
  });

  it('SHD-04: delivery clears the shadow', () => {
    const shadow = steps(machine, given(machine.at('kernel', 'sti_code'), { IF: 0n }), 1);
    assert.equal(shadow.cpu.shadow, 'sti');
    assert.equal(delivered(machine, shadow, 20).state.cpu.shadow, 'none');
  });
});

facts('#MC', () => {
  it('MC-01: a second one while MCIP is set is a shutdown', () => {
    const first = event(machine, machine.at('kernel'), '#MC').state;
    assert.equal(first.cpu.mcip, true);
    const second = event(machine, first, '#MC');
    assert.equal(second.state.ended, 'fallback-shutdown');
  });

  it('MC-02: only software clears MCIP, and one more before the IRET rewinds the stack', () => {
    const first = event(machine, machine.at('kernel'), '#MC').state;
    const returned = steps(machine, first, 2);
    assert.equal(returned.cpu.mcip, true);
    const cleared = step(machine, { ...given(first, { rcx: 0x17an, rax: 0n, rdx: 0n }), node: machine.node('mcip') }).state;
    assert.equal(cleared.cpu.mcip, false);
    assert.equal(event(machine, cleared, '#MC').state.ended, 'frame-overwritten');
  });
});

facts('#VE and its word', () => {
  const word = (state: State): unknown => memory(machine, state, (machine.setup.guards.find(({ vector }) => vector === 20)?.address ?? 0n) - 4n).value >> 32n;

  it('VE-01: delivery needs the word to be 0, and writes all ones to it', () => {
    const taken = ve(machine.at('kernel'));
    assert.equal(word(taken), 0xffff_ffffn);
    assert.equal(frame(taken).vector, 20);
  });

  it('VE-02: with the word set it is a VM exit: nothing is delivered, nothing lost', () => {
    const taken = ve(machine.at('kernel'));
    const again = event(machine, { ...taken, node: machine.node('user_load') }, '#VE at an access');
    assert.ok(again.effects.some((effect) => effect.kind === 'fallback' && effect.fallback === 'vmexit'));
    assert.deepEqual([again.state.frames.length, again.state.ended, again.state.node], [1, null, machine.node('user_load')]);
  });

  it('VE-03: hardware never writes it back to 0; any store re-arms', () => {
    const taken = ve(machine.at('kernel'));
    assert.equal(word(steps(machine, taken, 2)), 0xffff_ffffn);
    const stored = step(machine, { ...taken, node: machine.node('clear_word') });
    assert.equal(word(stored.state), 0n);
    assert.ok(stored.effects.some((effect) => effect.kind === 'guard-cleared' && effect.live && effect.rewinding));
  });

  it('VE-04, VE-09: it is raised by accesses, not by deliveries, and IF, MOV SS and blocking by NMI do not mask it', () => {
    const nmi = event(machine, given(machine.at('kernel'), { IF: 0n }), 'NMI').state;
    assert.ok(!events(machine, nmi).some((name) => name.startsWith('#VE')), 'the first instruction of the stub accesses nothing');
    const draft = draftOf({ ...nmi, node: machine.node('user_load') });
    changeCpu(draft, { shadow: 'movss' });
    assert.ok(events(machine, finish(draft)).includes('#VE at an access'));
  });

  it('VE-06: the saved RIP is that of the access, which may run again', () => {
    const taken = ve(machine.at('kernel'));
    assert.equal(frame(taken).interrupted, machine.node('user_load'));
    assert.equal(steps(machine, taken, 2).node, machine.node('user_load'));
  });

  it('VE-21: cleared on IST, a second one before the IRET overwrites the frame of the first', () => {
    const cleared = step(machine, { ...ve(machine.at('kernel')), node: machine.node('clear_word') }).state;
    assert.equal(ve(cleared).ended, 'frame-overwritten');
  });

  it('VE-22: not on IST the same only nests', () => {
    const gates = new Map([...machine.setup.gates].map(([vector, gate]) => [vector, { ...gate, ist: null }]));
    const flat = { ...machine, setup: { ...machine.setup, gates } };
    const first = event(flat, { ...flat.at('kernel'), node: flat.node('user_load') }, '#VE at an access').state;
    const cleared = step(flat, { ...first, node: flat.node('clear_word') }).state;
    const second = event(flat, { ...cleared, node: flat.node('user_load') }, '#VE at an access').state;
    assert.deepEqual([second.ended, second.frames.length], [null, 2]);
    assert.ok((second.frames[1]?.end ?? 0n) <= (second.frames[0]?.base ?? 0n));
  });
});

facts('GS base and event returns', () => {
  it('GS-01: SWAPGS exchanges the two bases and remembers nothing', () => {
    const user = machine.at('user', 'swap');
    const start: State = { ...user, cpu: { ...user.cpu, cpl: 0 } };
    const once = steps(machine, start, 1);
    assert.deepEqual([once.cpu.gsBase, once.cpu.kernelGsBase], [start.cpu.kernelGsBase, start.cpu.gsBase]);
    assert.equal(once.cpu.gsBase, constant(regionBase(PERCPU_REGION)));
    assert.equal(steps(machine, start, 2).cpu.gsBase, start.cpu.gsBase);
  });

  it('IRET-01: pops RIP, CS, RFLAGS, RSP and SS, to the same and to user privilege', () => {
    for (const origin of ['kernel', 'user'] as const) {
      const start = given(machine.at(origin), { DF: 1n });
      const back = steps(machine, delivered(machine, start, 6).state, 2);
      assert.deepEqual([back.node, back.registers[4], back.cpu.cpl, known(back, DF), known(back, IF)], [start.node, start.registers[4], origin === 'user' ? 3 : 0, true, true]);
    }
  });

  it('IRET-01: an image that is not the one pushed is told', () => {
    const draft = draftOf(delivered(machine, machine.at('kernel'), 6).state);
    const { base } = frame(finish(draft));
    store(draft, machine.setup, base + 24n, 8, constant(stack('VE') - 16n));
    const edited = finish(draft);
    const back = steps(machine, { ...edited, frames: edited.frames.map((live) => ({ ...live, rsp: constant(stack('task') - 0x100n) })) }, 1);
    assert.ok(kinds(step(machine, back).effects).includes('wrong-return'));
  });

  it('a label is reached without events', () => {
    assert.equal(until(machine, machine.at('kernel'), 'sti_code').frames.length, 0);
  });
});

describe('FRED', () => {
  let fred: Machine;

  before(async () => {
    const { program } = await linked(design('fred-stack-level'), 'fred-stack-level');
    const scenario = scenarioNamed('ve-in-task');
    fred = {
      setup: prepare(program, scenario, 'kernel', { reference: true }).setup,
      at: (start) => prepare(program, scenario, start, { reference: true }).initial,
      node: (label) => program.code.symbols.get(label) ?? assert.fail(label),
    };
  });

  const returned = (state: State, label: string): State => {
    const nodes = fred.setup.code.nodes.flatMap((node) => (node.kind === 'instruction' && node.mnemonic === label ? [node.id] : []));
    return step(fred, { ...state, node: nodes[0] ?? assert.fail(label) }).state;
  };

  it('FR-01: one entry for user mode, one for kernel mode', () => {
    assert.equal(delivered(fred, fred.at('user'), 20).state.node, fred.node('asm_fred_entrypoint_user'));
    assert.equal(delivered(fred, fred.at('kernel'), 20).state.node, fred.node('asm_fred_entrypoint_kernel'));
  });

  it('FR-03: a level rises by the vector, does not rewind, and events from user mode come on level 0', () => {
    const once = delivered(fred, fred.at('kernel'), 20).state;
    const twice = delivered(fred, once, 20).state;
    assert.deepEqual([once.cpu.level, twice.cpu.level, delivered(fred, once, 2).state.cpu.level], [1, 1, 2]);
    assert.ok(rsp(twice) < rsp(once) && rsp(twice) % 64n === 0n);
    assert.equal(twice.ended, null);
    assert.equal(delivered(fred, fred.at('user'), 20).state.cpu.level, 0);
  });

  it('FR-04: RFLAGS becomes 2', () => {
    assert.equal(delivered(fred, given(fred.at('user'), { DF: 1n, AC: 1n, IF: 1n, TF: 1n }), 20).state.flags, constant(2n));
  });

  it('FR-05: only the event return of an NMI unblocks NMIs', () => {
    const nmi = delivered(fred, fred.at('kernel'), 2).state;
    const inside = returned(delivered(fred, nmi, 20).state, 'erets');
    assert.equal(inside.cpu.nmiBlocked, true);
    assert.equal(returned(nmi, 'erets').cpu.nmiBlocked, false);
  });

  it('FR-06: ERETS restores the level of the frame', () => {
    const ve1 = delivered(fred, fred.at('kernel'), 20).state;
    const nmi = delivered(fred, ve1, 2).state;
    assert.deepEqual([returned(nmi, 'erets').cpu.level, returned(ve1, 'erets').cpu.level], [1, 0]);
  });

  it('GS-06: delivery from user mode and ERETU exchange the GS bases', () => {
    const start = fred.at('user');
    const once = delivered(fred, start, 20).state;
    assert.equal(once.cpu.gsBase, start.cpu.kernelGsBase);
    assert.equal(returned(once, 'eretu').cpu.gsBase, start.cpu.gsBase);
  });
});
