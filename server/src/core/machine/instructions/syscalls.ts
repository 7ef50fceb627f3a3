// Fast system calls and the ways back from them. Nothing is pushed and RSP, the GS base and CR3 stay (SYS-01, SYS-04).
import type { Execution, InstructionRow } from './row.ts';
import { goTo } from './row.ts';
import { changeCpu, register, setRegister } from '../draft.ts';
import type { Draft } from '../draft.ts';
import { addressOfNode, nodeAtAddress } from '../layout.ts';
import { RCX, RDX, RSP } from '../registers.ts';
import { IF, INITIAL_CPU, RF, USER32_CS, USER_CS, USER_SS, VM } from '../state.ts';
import { and, constant, isConstant, or, truncate, UNKNOWN } from '../word.ts';
import type { Word } from '../word.ts';

/** SYS-04: RFLAGS bits that SYSRET takes from R11. */
const SYSRET_FLAGS = 0x3c_7fd7n;
const R11 = 11;

/** SYS-01: RCX and R11 keep RIP and RFLAGS, IA32_FMASK clears flags; the stack is still user space's. */
function syscall(x: Execution): readonly Draft[] {
  const { draft, setup } = x;
  const entry = setup.systemCalls?.syscall ?? null;
  if (entry === null) return goTo(draft, null, `${x.node.text}: where it enters is not configured`);
  setRegister(draft, RCX, x.node.next === null ? UNKNOWN : constant(addressOfNode(x.node.next, draft.cpu.cpl === 3)));
  setRegister(draft, R11, and(draft.flags, constant(~RF)));
  draft.flags = and(draft.flags, constant(~(setup.systemCalls?.flagMask ?? 0n) & ~RF));
  changeCpu(draft, { cpl: 0, cs: INITIAL_CPU.cs, ss: INITIAL_CPU.ss });
  return goTo(draft, entry, '');
}

/** SYS-04: back to user mode at RCX with R11 as RFLAGS. RET, not IRET: blocking by NMI stays (NMI-02). */
function sysret(wide: boolean): (x: Execution) => readonly Draft[] {
  return (x) => {
    const { draft } = x;
    const flags = register(draft, R11);
    draft.flags = or(and(flags, constant(SYSRET_FLAGS)), constant(2n));
    return toUser(x, wide ? register(draft, RCX) : truncate(register(draft, RCX), 4), wide);
  };
}

/** SYS-08: CS, SS, RSP and RIP come from MSRs and nothing is saved; IF and VM are cleared, TF, NT, AC and DF are not. */
function sysenter(x: Execution): readonly Draft[] {
  const { draft, setup } = x;
  const entry = setup.systemCalls?.sysenter ?? null;
  if (entry === null) return goTo(draft, null, `${x.node.text}: where it enters is not configured`);
  setRegister(draft, RSP, constant(setup.systemCalls?.sysenterStack ?? 0n));
  draft.flags = and(draft.flags, constant(~(IF | VM)));
  changeCpu(draft, { cpl: 0, cs: INITIAL_CPU.cs, ss: INITIAL_CPU.ss });
  return goTo(draft, entry, '');
}

/** Back to user mode at RDX with RCX as RSP; RFLAGS stay as they are. */
function sysexit(wide: boolean): (x: Execution) => readonly Draft[] {
  return (x) => {
    const { draft } = x;
    const [rip, rsp] = [register(draft, RDX), register(draft, RCX)];
    setRegister(draft, RSP, wide ? rsp : truncate(rsp, 4));
    return toUser(x, wide ? rip : truncate(rip, 4), wide);
  };
}

function toUser(x: Execution, rip: Word, wide: boolean): readonly Draft[] {
  const { draft, setup } = x;
  changeCpu(draft, { cpl: 3, cs: constant(wide ? USER_CS : USER32_CS), ss: constant(USER_SS), shadow: 'none' });
  draft.effects.push({ kind: 'return', frame: null, toUser: true });
  const target = isConstant(rip) ? nodeAtAddress(rip.value) : null;
  const known = target !== null && setup.code.nodes[target] !== undefined ? target : null;
  return goTo(draft, known ?? setup.contexts.get('user') ?? null, `${x.node.text}: where user space continues is not known`);
}

function row(mnemonic: string, summary: string, section: string, run: InstructionRow['run'], faults: readonly string[], examples: InstructionRow['examples']): InstructionRow {
  return { mnemonic, suffixed: false, summary, section, faults, run, examples };
}

const BACK = { rcx: 0x40_0000n, r11: 0x202n };

export const SYSCALL_ROWS: readonly InstructionRow[] = [
  row('syscall', 'enters the kernel at IA32_LSTAR; RCX := RIP, R11 := RFLAGS, IA32_FMASK clears flags, RSP stays', 'SYSCALL - Fast System Call', syscall, ['UD'], [{ code: 'syscall', given: { rsp: 0x1000n, rbx: 5n }, then: { rsp: 0x1000n, rbx: 5n } }]),
  row('sysretq', 'returns to 64-bit user mode at RCX; RFLAGS := R11, RSP stays', 'SYSRET - Return From Fast System Call', sysret(true), ['GP', 'UD'], [{ code: 'sysretq', given: { ...BACK, rsp: 0x1000n, IF: 0n, DF: 1n }, then: { rsp: 0x1000n, IF: 1n, DF: 0n } }]),
  row('sysretl', 'returns to 32-bit user mode at ECX; RFLAGS := R11, RSP stays', 'SYSRET - Return From Fast System Call', sysret(false), ['GP', 'UD'], [{ code: 'sysretl', given: { ...BACK, rsp: 0x1000n, IF: 0n }, then: { rsp: 0x1000n, IF: 1n } }]),
  row('sysenter', 'enters the kernel at IA32_SYSENTER_EIP on the stack IA32_SYSENTER_ESP; saves nothing', 'SYSENTER - Fast System Call', sysenter, ['GP'], [{ code: 'sysenter', given: { rcx: 5n, DF: 1n }, then: { rcx: 5n, DF: 1n } }]),
  row('sysexit', 'returns to 32-bit user mode at EDX with ECX as ESP', 'SYSEXIT - Fast Return from Fast System Call', sysexit(false), ['GP'], [{ code: 'sysexit', given: { rdx: 0x40_0000n, rcx: 0x2000n }, then: { rsp: 0x2000n } }]),
  row('sysexitl', 'returns to 32-bit user mode at EDX with ECX as ESP', 'SYSEXIT - Fast Return from Fast System Call', sysexit(false), ['GP'], [{ code: 'sysexitl', given: { rdx: 0x40_0000n, rcx: 0x2000n }, then: { rsp: 0x2000n } }]),
  row('sysexitq', 'returns to 64-bit user mode at RDX with RCX as RSP', 'SYSEXIT - Fast Return from Fast System Call', sysexit(true), ['GP'], [{ code: 'sysexitq', given: { rdx: 0x40_0000n, rcx: 0x2000n }, then: { rsp: 0x2000n } }]),
];
