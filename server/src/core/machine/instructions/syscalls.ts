// Fast system calls and the ways back from them. Nothing is pushed and RSP, the GS base and CR3 stay (SYS-01, SYS-04).
import type { Execution, InstructionRow } from './row.ts';
import { goTo } from './row.ts';
import { processorOf, selectorsOf } from '../config.ts';
import { deliver, deliverable } from '../deliver.ts';
import { changeCpu, register, setRegister } from '../draft.ts';
import type { Draft } from '../draft.ts';
import { SYSCALL_EVENT, SYSENTER_EVENT } from '../event.ts';
import { addressOfNode, nodeAtAddress } from '../layout.ts';
import { canonicalFaults, fault } from '../possible-fault.ts';
import type { PossibleFault } from '../possible-fault.ts';
import { isCanonical } from '../processor.ts';
import { RCX, RDX, RSP } from '../registers.ts';
import { IF, RF, VM } from '../state.ts';
import { and, constant, isConstant, or, truncate, UNKNOWN, ZERO } from '../word.ts';
import type { Word } from '../word.ts';

/** SYS-04: RFLAGS bits that SYSRET takes from R11. */
const SYSRET_FLAGS = 0x3c_7fd7n;
const R11 = 11;

/** SYS-01: RCX and R11 keep RIP and RFLAGS, IA32_FMASK clears flags; the stack is still user space's. */
function syscall(x: Execution): readonly Draft[] {
  const { draft, setup } = x;
  if (setup.delivery === 'fred') return byFred(x, SYSCALL_EVENT);
  const entry = setup.systemCalls?.syscall ?? null;
  if (entry === null) return goTo(draft, null, `${x.node.text}: where it enters is not configured`);
  setRegister(draft, RCX, x.node.next === null ? UNKNOWN : constant(addressOfNode(x.node.next, draft.cpu.cpl === 3)));
  setRegister(draft, R11, and(draft.flags, constant(~RF)));
  draft.flags = and(draft.flags, constant(~(setup.systemCalls?.flagMask ?? 0n) & ~RF));
  enterKernel(x);
  return goTo(draft, entry, '');
}

function enterKernel(x: Execution): void {
  const { kernelCode, kernelStack } = selectorsOf(x.setup);
  changeCpu(x.draft, { cpl: 0, cs: constant(kernelCode), ss: constant(kernelStack) });
}

/** FR-10: delivered as an event, which leaves RCX and R11 alone. */
function byFred(x: Execution, vector: number): readonly Draft[] {
  if (x.node.next === null) return goTo(x.draft, null, 'the code ends here');
  deliver(x.draft, x.setup, vector, { kind: 'system-call', returnTo: x.node.next, length: 2 });
  return [x.draft];
}

/** FR-10: the ways back are FRED's own. */
function undefinedUnderFred(x: Execution): readonly PossibleFault[] {
  return x.setup.delivery === 'fred' ? [fault(6, true, `${x.node.mnemonic} does not exist under FRED`)] : [];
}

/** SYS-07: Intel checks RCX before it leaves; on AMD the instruction completes and user mode faults. */
function checkSysret(x: Execution): readonly PossibleFault[] {
  const gone = undefinedUnderFred(x);
  if (gone.length > 0) return gone;
  if (x.draft.cpu.cpl === 3) return [fault(13, true, `${x.node.mnemonic} is privileged`)];
  if (processorOf(x.setup).vendor === 'amd' || x.node.mnemonic === 'sysretl') return [];
  return canonicalFaults(x.setup, register(x.draft, RCX), 'RCX');
}

/** SYS-08: in 64-bit mode Intel's alone. */
function checkSysenter(x: Execution): readonly PossibleFault[] {
  return processorOf(x.setup).vendor === 'amd' ? [fault(6, true, 'SYSENTER does not exist in long mode on AMD')] : [];
}

function checkSysexit(x: Execution): readonly PossibleFault[] {
  const gone = undefinedUnderFred(x);
  if (gone.length > 0) return gone;
  if (processorOf(x.setup).vendor === 'amd') return [fault(6, true, 'SYSEXIT does not exist in long mode on AMD')];
  if (x.draft.cpu.cpl === 3) return [fault(13, true, `${x.node.mnemonic} is privileged`)];
  return x.node.mnemonic === 'sysexitq' ? [...canonicalFaults(x.setup, register(x.draft, RDX), 'RDX'), ...canonicalFaults(x.setup, register(x.draft, RCX), 'RCX')] : [];
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
  if (setup.delivery === 'fred') return byFred(x, SYSENTER_EVENT);
  const entry = setup.systemCalls?.sysenter ?? null;
  if (entry === null) return goTo(draft, null, `${x.node.text}: where it enters is not configured`);
  setRegister(draft, RSP, constant(setup.systemCalls?.sysenterStack ?? 0n));
  draft.flags = and(draft.flags, constant(~(IF | VM)));
  enterKernel(x);
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
  const { userCode, userCode32, userStack } = selectorsOf(setup);
  changeCpu(draft, { cpl: 3, cs: constant(wide ? userCode : userCode32), ss: constant(userStack), shadow: 'none' });
  draft.effects.push({ kind: 'return', frame: null, toUser: true });
  if (isCanonical(processorOf(setup), rip) === false) {
    if (deliverable(setup, 13)) {
      // The saved RIP is the one that cannot be fetched; user mode has no node there.
      draft.node = setup.contexts.get('user') ?? draft.node;
      deliver(draft, setup, 13, { errorCode: ZERO, ripImage: rip });
      return [draft];
    }
    return goTo(draft, null, `${x.node.text}: RCX is not canonical`);
  }
  const target = isConstant(rip) ? nodeAtAddress(rip.value) : null;
  const known = target !== null && setup.code.nodes[target] !== undefined ? target : null;
  return goTo(draft, known ?? setup.contexts.get('user') ?? null, `${x.node.text}: where user space continues is not known`);
}

function row(mnemonic: string, summary: string, section: string, run: InstructionRow['run'], check: NonNullable<InstructionRow['check']>, examples: InstructionRow['examples']): InstructionRow {
  // DB-04: SYSCALL and SYSRET look at TF when they are done; SYSENTER and SYSEXIT load no flags.
  const singleStep = mnemonic.startsWith('sysc') || mnemonic.startsWith('sysr') ? 'by the flag behind' : 'by the flag before';
  return { mnemonic, suffixed: false, summary, section, faults: ['UD', 'GP'], check, singleStep, run, examples };
}

const BACK = { rcx: 0x40_0000n, r11: 0x202n };

export const SYSCALL_ROWS: readonly InstructionRow[] = [
  row('syscall', 'enters the kernel at IA32_LSTAR; RCX := RIP, R11 := RFLAGS, IA32_FMASK clears flags, RSP stays', 'SYSCALL - Fast System Call', syscall, () => [], [{ code: 'syscall', given: { rsp: 0x1000n, rbx: 5n }, then: { rsp: 0x1000n, rbx: 5n } }]),
  row('sysretq', 'returns to 64-bit user mode at RCX; RFLAGS := R11, RSP stays', 'SYSRET - Return From Fast System Call', sysret(true), checkSysret, [{ code: 'sysretq', given: { ...BACK, rsp: 0x1000n, IF: 0n, DF: 1n }, then: { rsp: 0x1000n, IF: 1n, DF: 0n } }]),
  row('sysretl', 'returns to 32-bit user mode at ECX; RFLAGS := R11, RSP stays', 'SYSRET - Return From Fast System Call', sysret(false), checkSysret, [{ code: 'sysretl', given: { ...BACK, rsp: 0x1000n, IF: 0n }, then: { rsp: 0x1000n, IF: 1n } }]),
  row('sysenter', 'enters the kernel at IA32_SYSENTER_EIP on the stack IA32_SYSENTER_ESP; saves nothing', 'SYSENTER - Fast System Call', sysenter, checkSysenter, [{ code: 'sysenter', given: { rcx: 5n, DF: 1n }, then: { rcx: 5n, DF: 1n } }]),
  row('sysexit', 'returns to 32-bit user mode at EDX with ECX as ESP', 'SYSEXIT - Fast Return from Fast System Call', sysexit(false), checkSysexit, [{ code: 'sysexit', given: { rdx: 0x40_0000n, rcx: 0x2000n }, then: { rsp: 0x2000n } }]),
  row('sysexitl', 'returns to 32-bit user mode at EDX with ECX as ESP', 'SYSEXIT - Fast Return from Fast System Call', sysexit(false), checkSysexit, [{ code: 'sysexitl', given: { rdx: 0x40_0000n, rcx: 0x2000n }, then: { rsp: 0x2000n } }]),
  row('sysexitq', 'returns to 64-bit user mode at RDX with RCX as RSP', 'SYSEXIT - Fast Return from Fast System Call', sysexit(true), checkSysexit, [{ code: 'sysexitq', given: { rdx: 0x40_0000n, rcx: 0x2000n }, then: { rsp: 0x2000n } }]),
];
