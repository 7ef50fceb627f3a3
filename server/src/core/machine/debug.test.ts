// Breakpoints, single step and what DR6 and DR7 say, by the facts of the semantics document.
import assert from 'node:assert/strict';
import { delivered, event, events, given, machineOf, step, steps, withSetup } from '../../testing/machine.ts';
import type { Machine } from '../../testing/machine.ts';
import { draftOf, finish, store } from './draft.ts';
import { faultsAt } from './faults.ts';
import { addressOfNode, PERCPU_REGION, regionBase } from './layout.ts';
import { successors } from './machine.ts';
import { IF, RF, TF } from './state.ts';
import type { Frame, State } from './state.ts';
import { constant } from './word.ts';

let machine: Machine;

const code = `	nop
SYM_INNER_LABEL(nops)
	nop
	nop
	nop
SYM_INNER_LABEL(popf_code)
	pushq	$0x302
	popfq
	nop
	nop
SYM_INNER_LABEL(load_code)
	movq	(%rbx), %rax
	nop
SYM_INNER_LABEL(store_code)
	movq	%rax, (%rbx)
	nop
SYM_INNER_LABEL(movss_int3)
	movl	(%rbx), %ss
	int3
	nop
SYM_INNER_LABEL(movss_syscall)
	movl	(%rbx), %ss
	syscall
	nop
SYM_INNER_LABEL(movss_ud2)
	movl	(%rbx), %ss
	ud2
SYM_INNER_LABEL(movss_int1)
	movl	(%rbx), %ss
	int1
	nop
SYM_INNER_LABEL(movss_nop)
	movl	(%rbx), %ss
	nop
	nop
SYM_INNER_LABEL(int_code)
	int	$3
	nop
	nop
SYM_INNER_LABEL(syscall_code)
	syscall
	nop
SYM_INNER_LABEL(sysret_code)
	sysretq
SYM_INNER_LABEL(sysenter_code)
	sysenter
	nop
SYM_INNER_LABEL(entry)
	nop
	nop
SYM_INNER_LABEL(dr7_code)
	movq	%dr7, %rax
	movq	%rax, %dr6
	movq	%rax, %dr7
	nop`;

const SYSCALLS = (flagMask: bigint): Machine =>
  withSetup(machine, { systemCalls: { syscall: machine.node('entry'), flagMask, sysenter: machine.node('entry'), sysenterStack: machine.setup.rsp0, vmExit: null } });

function facts(title: string, tests: () => void): void {
  describe(title, () => {
    before(async () => {
      machine ??= await machineOf(code);
    });
    tests();
  });
}

const frame = (state: State): Frame => state.frames.at(-1) ?? assert.fail('no frame is live');
const labels = (one: Machine, state: State): readonly string[] => successors(one.setup, state).steps.map(({ label }) => label);
const BS = 1n << 14n;
const cpu = (state: State, change: Partial<State['cpu']>): State => ({ ...state, cpu: { ...state.cpu, ...change } });
/** The next thing that happens is the debug trap. */
function trapped(one: Machine, state: State): State {
  assert.ok(!labels(one, state).includes('step'), 'the trap is due');
  return event(one, state, '#DB').state;
}
const dr6 = (state: State): bigint => state.cpu.dr6.value & 0xe00fn;
/** A breakpoint of 8 bytes: condition 0 for execution (of length 1), 1 for writes, 3 for both. */
function watching(state: State, address: bigint, condition: 0 | 1 | 3): State {
  const control = 0x401n | (BigInt(condition) << 16n) | (condition === 0 ? 0n : 2n << 18n);
  return cpu(state, { dr7: constant(control), breakpoints: [constant(address), ...state.cpu.breakpoints.slice(1)] });
}
const WORD = regionBase(PERCPU_REGION) + 0x800n;
const at = (label: string): State => given(machine.at('kernel', label), { rbx: WORD, TF: 0n, RF: 0n });

facts('breakpoints', () => {
  it('DB-01: a code breakpoint is a fault before the instruction', () => {
    const start = watching(at('nops'), addressOfNode(machine.node('nops'), false), 0);
    const { state } = step(machine, start);
    assert.deepEqual([frame(state).vector, frame(state).interrupted, dr6(state)], [1, machine.node('nops'), 1n]);
    assert.deepEqual(faultsAt(machine.setup, start).map((one) => [one.vector, one.certain]), [[1, true]]);
  });

  it('SHD-02: behind MOV SS a code breakpoint does not come', () => {
    const start = watching(at('movss_nop'), addressOfNode(machine.node('movss_nop') + 1, false), 0);
    const behind = step(machine, start).state;
    assert.deepEqual([behind.cpu.shadow, step(machine, behind).state.node], ['movss', machine.node('movss_nop') + 2]);
    assert.equal(frame(step(machine, cpu(behind, { shadow: 'none' })).state).vector, 1);
  });

  it('DB-01: RF suppresses it for one instruction, and is clear behind it', () => {
    const start = given(watching(at('nops'), addressOfNode(machine.node('nops'), false), 0), { RF: 1n });
    const { state } = step(machine, start);
    assert.deepEqual([state.frames.length, state.node, state.flags.value & RF], [0, machine.node('nops') + 1, 0n]);
  });

  it('DB-01: a data breakpoint is a trap behind the access, on writes or on both', () => {
    for (const [label, condition, hits] of [['load_code', 1, false], ['load_code', 3, true], ['store_code', 1, true], ['store_code', 3, true]] as const) {
      const after = step(machine, watching(at(label), WORD, condition)).state;
      assert.equal(after.cpu.pendingDebug, hits ? 1 : 0, `${label} ${condition}`);
      if (!hits) continue;
      const inside = trapped(machine, after);
      assert.deepEqual([frame(inside).vector, frame(inside).interrupted, dr6(inside)], [1, machine.node(label) + 1, 1n]);
    }
  });

  it('DB-01: an access elsewhere, or with the breakpoint off, does not hit', () => {
    assert.equal(step(machine, given(watching(at('load_code'), WORD, 3), { rbx: WORD + 8n })).state.cpu.pendingDebug, 0);
    assert.equal(step(machine, cpu(watching(at('load_code'), WORD, 3), { dr7: constant(0x400n) })).state.cpu.pendingDebug, 0);
  });

  it('DB-07: delivery clears DR7.GD and adds to DR6, and leaves the breakpoints armed', () => {
    const start = cpu(watching(at('nops'), WORD, 1), { dr6: constant(0xffff_4ff0n | 2n), pendingDebug: 1 });
    const armed = cpu(start, { dr7: constant(start.cpu.dr7.value | (1n << 13n)) });
    const inside = trapped(machine, armed);
    assert.deepEqual([inside.cpu.dr7, dr6(inside)], [start.cpu.dr7, 0x4001n]);
  });

  it('DB-07: with DR7.GD a move to or from a debug register is a #DB before it', () => {
    const start = cpu(at('dr7_code'), { dr7: constant(0x2400n) });
    const { state } = step(machine, start);
    assert.deepEqual([frame(state).vector, frame(state).interrupted, dr6(state)], [1, machine.node('dr7_code'), 0x2000n]);
    const free = steps(machine, at('dr7_code'), 3);
    assert.deepEqual([free.cpu.dr7, free.cpu.dr6], [constant(0x400n), constant(0xffff_0ff0n)], 'reserved bits read as fixed');
  });

  it('DB-07: an event of unknown cause leaves the cause open in DR6', () => {
    assert.equal(delivered(machine, at('nops'), 1).state.cpu.dr6.known & 0xfn, 0n);
  });
});

facts('single step', () => {
  it('DB-02: the trap comes behind an instruction that began with TF=1, with TF clear in the handler', () => {
    const after = step(machine, given(at('nops'), { TF: 1n })).state;
    const inside = trapped(machine, after);
    assert.deepEqual([frame(inside).interrupted, dr6(inside), inside.flags.value & TF], [machine.node('nops') + 1, BS, 0n]);
  });

  it('DB-02: POPF that sets TF traps behind the following instruction', () => {
    const set = steps(machine, at('popf_code'), 2);
    assert.deepEqual([set.flags.value & TF, set.cpu.pendingDebug], [TF, 0]);
    assert.equal(frame(trapped(machine, step(machine, set).state)).interrupted, machine.node('popf_code') + 3);
  });

  it('DB-02: IRET that sets TF traps behind the following instruction', () => {
    const handler = delivered(machine, given(at('nops'), { TF: 1n }), 6).state;
    const back = steps(machine, handler, 2);
    assert.deepEqual([back.node, back.flags.value & TF, back.cpu.pendingDebug], [machine.node('nops'), TF, 0]);
    assert.equal(frame(trapped(machine, step(machine, back).state)).interrupted, machine.node('nops') + 1);
  });

  it('DB-03: INT n with TF=1 traps neither on entry nor at its return address, but behind the instruction there', () => {
    const inside = step(machine, given(at('int_code'), { TF: 1n })).state;
    assert.deepEqual([frame(inside).vector, inside.cpu.pendingDebug, inside.flags.value & TF], [3, 0, 0n]);
    const back = steps(machine, inside, 2);
    assert.deepEqual([back.node, back.cpu.pendingDebug], [machine.node('int_code') + 1, 0]);
    assert.equal(frame(trapped(machine, step(machine, back).state)).interrupted, machine.node('int_code') + 2);
  });

  it('DB-04: SYSCALL traps where IA32_FMASK leaves TF, at the first kernel instruction on the user stack', () => {
    const start = given(machine.at('user', 'syscall_code'), { TF: 1n, RF: 0n });
    const masked = step(SYSCALLS(TF | IF), start).state;
    assert.deepEqual([masked.node, masked.cpu.pendingDebug], [machine.node('entry'), 0]);
    const kept = step(SYSCALLS(IF), start).state;
    assert.deepEqual([kept.cpu.cpl, kept.registers[4], kept.cpu.gsBase], [0, start.registers[4], start.cpu.gsBase]);
    assert.equal(kept.cpu.pendingDebug, Number(BS));
    assert.ok(!labels(SYSCALLS(IF), kept).includes('step'));
  });

  it('DB-04: SYSRET that loads TF traps before the next user instruction', () => {
    const after = step(machine, given(at('sysret_code'), { rcx: addressOfNode(machine.node('nops'), true), r11: 0x302n })).state;
    assert.deepEqual([after.cpu.cpl, after.cpu.pendingDebug], [3, Number(BS)]);
    assert.equal(frame(trapped(machine, after)).cpl, 3);
  });

  it('DB-05: SYSENTER keeps TF: the kernel is stepped from its first instruction', () => {
    const after = step(SYSCALLS(0n), given(machine.at('user', 'sysenter_code'), { TF: 1n, RF: 0n })).state;
    assert.deepEqual([after.node, after.flags.value & TF, after.cpu.pendingDebug], [machine.node('entry'), TF, Number(BS)]);
  });

  it('SHD-02: MOV SS itself does not trap, the instruction behind it does', () => {
    const start = given(at('movss_nop'), { TF: 1n });
    const after = step(machine, start).state;
    assert.deepEqual([after.cpu.pendingDebug, labels(machine, after).includes('step')], [0, true]);
    assert.equal(frame(trapped(machine, step(machine, after).state)).interrupted, machine.node('movss_nop') + 2);
  });
});

facts('MOV SS on a watched word', () => {
  const behindMovss = (label: string): State => {
    const after = step(SYSCALLS(IF | TF), watching(at(label), WORD, 3)).state;
    assert.deepEqual([after.cpu.pendingDebug, after.cpu.shadow], [1, 'movss']);
    assert.ok(labels(SYSCALLS(IF | TF), after).includes('step'), 'the trap waits');
    return after;
  };

  it('DB-06: the trap comes behind an ordinary instruction', () => {
    const inside = trapped(machine, step(machine, behindMovss('movss_nop')).state);
    assert.deepEqual([frame(inside).interrupted, dr6(inside)], [machine.node('movss_nop') + 2, 1n]);
  });

  it('DB-06: INT3 enters its handler first, and the trap comes before the handler’s first instruction', () => {
    const entered = step(machine, behindMovss('movss_int3')).state;
    assert.equal(frame(entered).vector, 3);
    const inside = trapped(machine, entered);
    assert.deepEqual([inside.frames.map((one) => one.vector), frame(inside).interrupted], [[3, 1], machine.setup.gates.get(3)?.stub]);
  });

  it('DB-06, CVE-2018-8897: SYSCALL too, with the user’s RSP and GS base', () => {
    const one = SYSCALLS(IF | TF);
    const user = machine.at('user', 'movss_syscall');
    const draft = draftOf(given(user, { rbx: WORD, TF: 0n, RF: 0n }));
    store(draft, machine.setup, WORD, 8, constant(0x2bn));
    const loaded = step(one, watching(finish(draft), WORD, 3)).state;
    const entered = step(one, loaded).state;
    assert.deepEqual([entered.node, entered.cpu.cpl, entered.registers[4], entered.cpu.gsBase, entered.cpu.pendingDebug], [machine.node('entry'), 0, user.registers[4], user.cpu.gsBase, 1]);
    const gates = new Map([...machine.setup.gates].map(([vector, gate]) => [vector, vector === 1 ? { ...gate, ist: machine.setup.gates.get(2)?.ist ?? null } : gate]));
    const inside = trapped(withSetup(one, { gates }), entered);
    assert.deepEqual([frame(inside).vector, frame(inside).cpl, frame(inside).interrupted], [1, 0, machine.node('entry')]);
  });

  it('DB-06: a fault of the next instruction drops it, and INT1 enters without it', () => {
    for (const [label, vector] of [['movss_ud2', 6], ['movss_int1', 1]] as const) {
      const entered = step(machine, behindMovss(label)).state;
      assert.deepEqual([frame(entered).vector, entered.cpu.pendingDebug, entered.frames.length], [vector, 0, 1]);
      assert.ok(events(machine, entered).includes('NMI'));
    }
  });

  it('DB-06: several causes are one #DB', () => {
    const after = step(machine, given(behindMovss('movss_nop'), { TF: 1n })).state;
    const inside = trapped(machine, after);
    assert.deepEqual([inside.frames.length, dr6(inside)], [1, 1n | BS]);
  });
});
