// System calls, the ways back to user mode and the faults they are taken with, GS bases and page tables, by the facts
// of the semantics document.
import assert from 'node:assert/strict';
import { delivered, given, machineOf, memory, step, steps, withSetup } from '../../testing/machine.ts';
import type { Machine } from '../../testing/machine.ts';
import { faultsAt } from './faults.ts';
import { draftOf, finish, store } from './draft.ts';
import { addressOfNode, PERCPU_REGION, regionBase, stackNamed, top } from './layout.ts';
import { raiseFault } from './machine.ts';
import { AMD, INTEL, LINUX_DESCRIPTORS } from './processor.ts';
import type { Descriptor } from './processor.ts';
import { AC, DF, IF, NT, RF, TF, USER_CS, USER_SS } from './state.ts';
import type { Frame, State } from './state.ts';
import { constant, isConstant, opaque, SIGN, word } from './word.ts';
import type { Word } from './word.ts';

let machine: Machine;

const code = `	nop
SYM_INNER_LABEL(syscall_code)
	syscall
	nop
SYM_INNER_LABEL(entry)
	nop
SYM_INNER_LABEL(sysret_code)
	sysretq
SYM_INNER_LABEL(sysret32_code)
	sysretl
SYM_INNER_LABEL(sysenter_code)
	sysenter
	nop
SYM_INNER_LABEL(sysexit_code)
	sysexit
SYM_INNER_LABEL(iret_code)
	iretq
SYM_INNER_LABEL(int80_code)
	int	$0xf3
	nop
SYM_INNER_LABEL(swapgs_code)
	swapgs
	nop
SYM_INNER_LABEL(wrgsbase_code)
	wrgsbase %rax
	rdgsbase %rbx
	nop
SYM_INNER_LABEL(wrmsr_code)
	wrmsr
	nop
SYM_INNER_LABEL(gs_code)
	movl	%eax, %gs
	nop
SYM_INNER_LABEL(ds_code)
	movl	%eax, %ds
	nop
SYM_INNER_LABEL(lsl_code)
	lsl	%rax, %rax
	nop
SYM_INNER_LABEL(rdpid_code)
	rdpid	%rax
	nop
SYM_INNER_LABEL(cr3_code)
	movq	%rax, %cr3
	movq	%cr3, %rbx
	nop
SYM_INNER_LABEL(percpu_code)
	movq	PER_CPU_VAR(word), %rax
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
const cpu = (state: State, change: Partial<State['cpu']>): State => ({ ...state, cpu: { ...state.cpu, ...change } });
const word64 = (one: Word): unknown => (isConstant(one) ? one.value : one.name);
const errorCode = (state: State): unknown => word64(memory(machine, state, frame(state).base - 8n));
const entered = (): Machine =>
  withSetup(machine, { systemCalls: { syscall: machine.node('entry'), flagMask: 0x47_700n, sysenter: machine.node('entry'), sysenterStack: machine.setup.rsp0, vmExit: null } });
const amd = (): Machine => withSetup(machine, { processor: AMD });
const NON_CANONICAL = 0x8000_0000_0000n;

facts('system calls', () => {
  it('SYS-01: RCX and R11 keep RIP and RFLAGS, IA32_FMASK clears flags; RSP, the GS bases and CR3 stay, and nothing is pushed', () => {
    const start = given(machine.at('user', 'syscall_code'), { DF: 1n, AC: 1n, NT: 1n, IF: 1n, RF: 1n, TF: 0n });
    const { state } = step(entered(), start);
    assert.deepEqual([word64(state.registers[1] ?? assert.fail()), state.node, state.cpu.cpl], [addressOfNode(machine.node('syscall_code') + 1, true), machine.node('entry'), 0]);
    assert.equal((state.registers[11]?.value ?? 0n) & (DF | AC | NT | IF | RF), DF | AC | NT | IF);
    assert.equal(state.flags.value & (DF | NT | IF | TF | RF), 0n);
    assert.equal(state.flags.value & AC, 0n, 'bit 18 is in the mask');
    assert.deepEqual([state.registers[4], state.cpu.gsBase, state.cpu.cr3, state.memory, state.frames.length], [start.registers[4], start.cpu.gsBase, start.cpu.cr3, start.memory, 0]);
    assert.deepEqual([state.cpu.cs, state.cpu.ss], [constant(0x10n), constant(0x18n)]);
  });

  it('SYS-02: flags outside the mask stay', () => {
    const kept = withSetup(entered(), { systemCalls: { ...(entered().setup.systemCalls ?? assert.fail()), flagMask: IF } });
    assert.equal(step(kept, given(machine.at('user', 'syscall_code'), { DF: 1n, TF: 0n })).state.flags.value & DF, DF);
  });

  it('SYS-04: SYSRET takes RIP from RCX and RFLAGS from R11 without RF and VM; RSP, the GS bases and CR3 stay', () => {
    const start = given(machine.at('kernel', 'sysret_code'), { rcx: addressOfNode(machine.node('entry'), true), r11: 0x3_ffff_ffffn });
    const { state } = step(machine, start);
    assert.deepEqual([state.node, state.cpu.cpl, state.cpu.cs, state.cpu.ss], [machine.node('entry'), 3, constant(USER_CS), constant(USER_SS)]);
    assert.equal(state.flags, constant(0x3c_7fd7n));
    assert.deepEqual([state.registers[4], state.cpu.gsBase, state.cpu.cr3], [start.registers[4], start.cpu.gsBase, start.cpu.cr3]);
  });

  it('SYS-04: where user space chose RCX, user space goes on somewhere', () => {
    const start = given(machine.at('kernel', 'sysret_code'), { r11: 0x202n });
    const registers = start.registers.map((one, index) => (index === 1 ? opaque('some user RIP', ~0x7fff_ffff_ffffn & 0xffff_ffff_ffff_ffffn, 0n) : one));
    assert.equal(step(machine, { ...start, registers }).state.node, machine.setup.contexts.get('user'));
  });

  it('SYS-07: a RCX that is not canonical is a #GP at CPL 0 with the user RSP on Intel, and in user mode on AMD', () => {
    const start = given(machine.at('kernel', 'sysret_code'), { rcx: NON_CANONICAL, r11: 0x202n, rsp: top(stackNamed(machine.setup.layout, 'task') ?? assert.fail()) - 64n });
    const intel = step(machine, start).state;
    assert.deepEqual([frame(intel).vector, frame(intel).cpl, frame(intel).interrupted, errorCode(intel)], [13, 0, machine.node('sysret_code'), 0n]);
    assert.equal(frame(intel).rsp, start.registers[4]);
    const other = step(amd(), start).state;
    assert.deepEqual([frame(other).vector, frame(other).cpl, word64(memory(machine, other, frame(other).base))], [13, 3, NON_CANONICAL]);
    const unknown = { ...start, registers: start.registers.map((one, index) => (index === 1 ? opaque('any RCX') : one)) };
    assert.deepEqual(faultsAt(machine.setup, unknown).map((one) => [one.vector, one.certain]), [[13, false]]);
    assert.deepEqual(faultsAt(amd().setup, unknown), []);
  });

  it('SYS-07: with the user’s own RSP the frame of the #GP goes where user space points', () => {
    const start = cpu(given(machine.at('user', 'sysret_code'), { rcx: NON_CANONICAL, r11: 0x202n }), { cpl: 0 });
    assert.equal(step(machine, start).state.ended, 'frame-on-user-stack');
  });

  it('SYS-08: SYSENTER loads RSP and RIP, saves nothing, clears IF and keeps TF, NT, AC and DF; on AMD it is #UD', () => {
    const start = given(machine.at('user', 'sysenter_code'), { NT: 1n, AC: 1n, DF: 1n, IF: 1n, TF: 0n, RF: 0n });
    const { state } = step(entered(), start);
    assert.deepEqual([state.node, state.cpu.cpl, word64(state.registers[4] ?? assert.fail()), state.registers[1]], [machine.node('entry'), 0, machine.setup.rsp0, start.registers[1]]);
    assert.equal(state.flags.value & (NT | AC | DF | IF), NT | AC | DF);
    assert.equal(frame(step(amd(), machine.at('user', 'sysenter_code')).state).vector, 6);
  });

  it('SYSEXIT goes to RDX with RCX as RSP and leaves RFLAGS', () => {
    const start = given(machine.at('kernel', 'sysexit_code'), { rdx: addressOfNode(machine.node('entry'), true), rcx: 0x7000n, DF: 1n });
    const { state } = step(machine, start);
    assert.deepEqual([state.node, state.cpu.cpl, word64(state.registers[4] ?? assert.fail()), state.flags], [machine.node('entry'), 3, 0x7000n, start.flags]);
  });

  it('SYS-09: INT n takes the gate of its vector, as an external interrupt of that vector does', () => {
    const open = withSetup(machine, { gates: new Map([...machine.setup.gates].map(([vector, gate]) => [vector, vector === 0xf3 ? { ...gate, dpl: 3 } : gate])) });
    const byInstruction = step(open, machine.at('user', 'int80_code')).state;
    const spoofed = delivered(open, machine.at('user', 'int80_code'), 0xf3).state;
    assert.deepEqual([byInstruction.node, frame(byInstruction).interrupted], [spoofed.node, machine.node('int80_code') + 1]);
    assert.equal(frame(spoofed).interrupted, machine.node('int80_code'));
  });
});

/** About to run IRETQ over an image on the task stack. */
function returning(image: { readonly rip?: Word; readonly cs?: bigint; readonly ss?: bigint; readonly flags?: bigint; readonly rsp?: bigint }, flags: Readonly<Record<string, bigint>> = { NT: 0n }): State {
  const base = top(stackNamed(machine.setup.layout, 'task') ?? assert.fail()) - 0x80n;
  const draft = draftOf(given(machine.at('kernel', 'iret_code'), { rsp: base, ...flags }));
  const words = [image.rip ?? constant(addressOfNode(machine.node('entry'), true)), constant(image.cs ?? USER_CS), constant(image.flags ?? 0x202n), constant(image.rsp ?? 0x7000n), constant(image.ss ?? USER_SS)];
  words.forEach((value, slot) => store(draft, machine.setup, base + BigInt(slot * 8), 8, value));
  return finish(draft);
}

/** Another descriptor at a selector, in a table that names nothing else. */
const descriptors = (selector: bigint, change: Partial<Descriptor>): Machine => {
  const entry = LINUX_DESCRIPTORS.entries.get(selector & ~7n) ?? assert.fail('no such descriptor');
  return withSetup(machine, { descriptors: { entries: new Map([...LINUX_DESCRIPTORS.entries, [selector & ~7n, { ...entry, ...change }]]), complete: true } });
};

facts('IRET', () => {
  const outcome = (one: Machine, state: State): unknown => {
    const after = step(one, state).state;
    const live = after.frames.at(-1);
    return live === undefined ? after.cpu.cpl : [live.vector, errorCode(after)];
  };

  it('IRET-01: returns to user mode and to the kernel, and with NT set is a #GP', () => {
    assert.equal(outcome(machine, returning({})), 3);
    assert.equal(outcome(machine, returning({ cs: 0x10n, ss: 0x18n, rsp: top(stackNamed(machine.setup.layout, 'task') ?? assert.fail()) - 0x40n, rip: constant(addressOfNode(machine.node('entry'), false)) })), 0);
    assert.equal(outcome(machine, returning({ cs: 0x10n, ss: 0n, rsp: top(stackNamed(machine.setup.layout, 'task') ?? assert.fail()) - 0x40n, rip: constant(addressOfNode(machine.node('entry'), false)) })), 0, 'a null SS is one of CPL 0');
    assert.deepEqual(outcome(machine, returning({}, { NT: 1n })), [13, 0n]);
  });

  it('IRET-02: loads TF, DF, NT, RF, AC, IF and IOPL', () => {
    const all = TF | DF | NT | RF | AC | IF | (3n << 12n);
    const { state } = step(machine, returning({ flags: all | (1n << 17n) | 2n }));
    assert.equal(state.flags.value, all | 2n);
  });

  it('IRET-03: faults before anything is changed', () => {
    const start = returning({ cs: 0x7bn });
    const { state } = step(descriptors(0x78n, {}), start);
    assert.deepEqual([frame(state).vector, errorCode(state), frame(state).interrupted, frame(state).rsp, frame(state).cpl], [13, 0x78n, machine.node('iret_code'), start.registers[4], 0]);
    assert.deepEqual([state.cpu.gsBase, state.cpu.cr3, frame(state).saved.registers], [start.cpu.gsBase, start.cpu.cr3, start.registers]);
  });

  it('IRET-04: a saved RIP that is not canonical is a #GP(0) at the IRET', () => {
    const { state } = step(machine, returning({ rip: constant(NON_CANONICAL) }));
    assert.deepEqual([frame(state).vector, errorCode(state), frame(state).interrupted, frame(state).cpl], [13, 0n, machine.node('iret_code'), 0]);
  });

  it('IRET-05: what CS and SS name decides between #GP, #NP and #SS', () => {
    assert.deepEqual(outcome(descriptors(0x30n, { present: false }), returning({})), [11, 0x30n]);
    assert.deepEqual(outcome(descriptors(0x28n, { present: false }), returning({})), [12, 0x28n]);
    assert.deepEqual(outcome(descriptors(0x28n, { writable: false }), returning({})), [13, 0x28n]);
    assert.deepEqual(outcome(descriptors(0x28n, {}), returning({ ss: 0x2an })), [13, 0x28n], 'RPL differs from that of CS');
    assert.deepEqual(outcome(descriptors(0x28n, {}), returning({ ss: 3n })), [13, 0n], 'a null SS in user mode');
    assert.deepEqual(outcome(descriptors(0x28n, {}), returning({ cs: 3n })), [13, 0n]);
    assert.deepEqual(outcome(descriptors(0x28n, {}), returning({ cs: 0x2bn })), [13, 0x28n], 'data is no code');
    assert.deepEqual(outcome(descriptors(0x28n, {}), returning({ cs: 0x53n })), [13, 0x50n], 'there is no such descriptor');
    assert.deepEqual(outcome(descriptors(0x20n, {}), returning({ cs: 0x23n, rip: constant(0x1_0000_0000n) })), [13, 0n], '32-bit code has a limit');
  });

  it('IRET-05: an LDT selector may raise all three, and the standard ones nothing', () => {
    const listed = (state: State): unknown => faultsAt(machine.setup, state).map((one) => `${one.vector}${one.certain ? '!' : '?'}`).sort();
    assert.deepEqual(listed(returning({ cs: 7n, ss: 7n })), ['11?', '12?', '13?', '13?']);
    assert.deepEqual(listed(returning({})), []);
    assert.deepEqual(listed(returning({ rip: opaque('a saved RIP') })), ['13?']);
  });

  it('IRET-05: each of them is raised at the IRET with the image above it', () => {
    for (const vector of [11, 12, 13]) {
      const start = returning({ cs: 7n, ss: 7n });
      const { state } = raiseFault(machine.setup, start, vector);
      assert.deepEqual([frame(state).vector, errorCode(state), frame(state).rsp, frame(state).interrupted], [vector, 4n, start.registers[4], start.node]);
      assert.equal(memory(machine, state, (start.registers[4]?.value ?? 0n) + 8n).value, 7n);
    }
  });

  it('IRET-06: a 16-bit stack takes only SP, the rest of RSP is the kernel’s', () => {
    const start = returning({ rsp: 0x1234n });
    const { state } = step(descriptors(0x28n, { wide: false }), start);
    assert.equal(state.registers[4]?.value, ((start.registers[4]?.value ?? 0n) & ~0xffffn) | 0x1234n);
  });

  it('IRET-03: an image that is not mapped is a #PF, or a #SS where RSP is not canonical', () => {
    const paged = withSetup(machine, { pageTables: { userBit: 0n, user: new Set(), readOnly: new Set() } });
    const ends = (rsp: bigint): unknown => faultsAt(paged.setup, given(machine.at('kernel', 'iret_code'), { rsp, NT: 0n })).map((one) => [one.vector, one.certain])[0];
    assert.deepEqual([ends(0xffff_ffff_0000_0000n), ends(0x9000_0000_0000_0000n)], [[14, true], [12, true]]);
  });
});

facts('GS base and CPU number', () => {
  it('GS-01: SWAPGS is privileged', () => {
    assert.equal(frame(step(machine, machine.at('user', 'swapgs_code')).state).vector, 13);
  });

  it('GS-03: WRGSBASE and RDGSBASE work in user mode with CR4.FSGSBASE, are #UD without, and take canonical values', () => {
    const start = given(machine.at('user', 'wrgsbase_code'), { rax: 0xffff_8000_1234_0000n });
    const after = steps(machine, start, 2);
    assert.deepEqual([after.cpu.gsBase, after.registers[3]], [constant(0xffff_8000_1234_0000n), constant(0xffff_8000_1234_0000n)]);
    assert.equal(frame(step(withSetup(machine, { processor: { ...INTEL, fsgsbase: false } }), start).state).vector, 6);
    assert.equal(frame(step(machine, given(start, { rax: NON_CANONICAL })).state).vector, 13);
  });

  it('GS-03: RDPID tells what a guest may have set, the segment limit does not', () => {
    const limit = step(machine, given(machine.at('kernel', 'lsl_code'), { rax: 0x7bn })).state;
    assert.deepEqual([limit.registers[0], faultsAt(machine.setup, machine.at('kernel', 'lsl_code'))], [constant(0n), []]);
    assert.equal(step(machine, machine.at('kernel', 'rdpid_code')).state.registers[0]?.name, 'IA32_TSC_AUX');
  });

  it('GS-05: LSL of a selector that names nothing clears ZF and does not fault', () => {
    const { state } = step(machine, given(machine.at('kernel', 'lsl_code'), { rax: 0n, ZF: 1n }));
    assert.deepEqual([state.frames.length, state.registers[0], state.flags.known & 64n, state.flags.value & 64n], [0, constant(0n), 64n, 0n]);
  });

  it('a load of GS checks the selector; its base is 32 bits of the descriptor', () => {
    const load = (rax: bigint, label = 'gs_code'): State => given(machine.at('kernel', label), { rax });
    assert.equal(step(descriptors(0x28n, {}), load(0x53n)).state.frames.at(-1)?.vector, 13);
    assert.equal(step(descriptors(0x28n, { present: false }), load(0x2bn)).state.frames.at(-1)?.vector, 11);
    assert.deepEqual(faultsAt(machine.setup, load(7n)).map((one) => [one.vector, one.certain]), [[13, false], [11, false]]);
    assert.deepEqual(faultsAt(machine.setup, load(0n)), []);
    assert.equal(step(machine, load(0n)).state.cpu.gsBase, constant(0n));
    assert.equal(step(machine, load(7n)).state.cpu.gsBase.known & SIGN, SIGN);
    assert.equal(step(machine, load(0x2bn, 'ds_code')).state.frames.length, 0);
  });

  it('WRMSR of a GS base takes canonical values', () => {
    const write = (rdx: bigint): State => given(machine.at('kernel', 'wrmsr_code'), { rcx: 0xc000_0101n, rax: 0n, rdx });
    assert.equal(step(machine, write(0x8000n)).state.frames.at(-1)?.vector, 13);
    assert.equal(step(machine, write(0xffff_8000n)).state.cpu.gsBase, constant(0xffff_8000_0000_0000n));
    assert.equal(step(machine, cpu(write(0xffff_8000n), { cpl: 3 })).state.frames.at(-1)?.vector, 13);
  });
});

facts('CR3', () => {
  it('CR3-01: the no-flush bit needs CR4.PCIDE and is never read back', () => {
    const start = given(machine.at('kernel', 'cr3_code'), { rax: SIGN | 0x1000n });
    assert.deepEqual(steps(machine, start, 2).registers[3], constant(0x1000n));
    assert.equal(step(withSetup(machine, { processor: { ...INTEL, pcid: false } }), start).state.frames.at(-1)?.vector, 13);
  });

  it('CR3-02: on the user page table a per-CPU access is a #PF, and on a stack that is not mapped a #DF', () => {
    const stacks = (names: readonly string[]): ReadonlySet<number> => new Set([0, ...names.map((name) => stackNamed(machine.setup.layout, name)?.index ?? -1)]);
    const paged = (names: readonly string[]): Machine => withSetup(machine, { pageTables: { userBit: 1n << 12n, user: stacks(names), readOnly: new Set() } });
    const on = (bit: bigint | null): State => cpu(machine.at('kernel', 'percpu_code'), { cr3: bit === null ? opaque('any CR3') : word(1n << 12n, bit, 'a CR3') });
    assert.equal(step(paged(['task']), on(0n)).state.frames.length, 0);
    const fault = step(paged(['task']), on(1n << 12n)).state;
    assert.deepEqual([frame(fault).vector, word64(fault.cpu.cr2)], [14, regionBase(PERCPU_REGION) + BigInt(machine.setup.layout.percpu.get('word') ?? -1)]);
    assert.equal(frame(step(paged(['DF']), on(1n << 12n)).state).vector, 8);
    assert.deepEqual(faultsAt(paged(['task']).setup, on(null)).map((one) => [one.vector, one.certain]), [[14, false]]);
  });

  it('CR2-01: a page fault writes CR2, other events do not', () => {
    const start = machine.at('kernel', 'percpu_code');
    assert.equal(raiseFault(machine.setup, start, 14, { address: constant(0x5000n) }).state.cpu.cr2, constant(0x5000n));
    assert.equal(raiseFault(machine.setup, start, 13).state.cpu.cr2, start.cpu.cr2);
  });
});
