// Instructions of the virtual-machine extensions. What a guest does in between is not followed, and said to be.
import type { Execution, InstructionRow } from './row.ts';
import { goTo, proceed } from './row.ts';
import type { MachineSetup } from '../config.ts';
import { changeCpu, fork, noteGuardCleared, register, setRegister } from '../draft.ts';
import type { Draft } from '../draft.ts';
import { RAX, RCX, RDX, RSP } from '../registers.ts';
import { ARITHMETIC, CF, ZF } from '../state.ts';
import { isConstant, replaceBits, UNKNOWN } from '../word.ts';

function guestRan(x: Execution, draft: Draft, kept: ReadonlySet<number>): void {
  draft.effects.push({ kind: 'unknown', what: `${x.node.text}: what the guest does is not followed` });
  for (let index = 0; index < 16; index += 1) if (!kept.has(index)) setRegister(draft, index, UNKNOWN);
}

/** VM entry that fails goes on behind the instruction with CF or ZF set; a VM exit comes back at the host RIP of the VMCS. */
function enterVmx(x: Execution): readonly Draft[] {
  const failed = x.draft;
  const exit = x.setup.systemCalls?.vmExit ?? null;
  const drafts: Draft[] = [];
  if (exit !== null) {
    const left = fork(failed);
    guestRan(x, left, new Set([RSP]));
    left.flags = replaceBits(left.flags, ARITHMETIC, ARITHMETIC, 0n);
    drafts.push(...goTo(left, exit, ''));
  } else failed.effects.push({ kind: 'unknown', what: `${x.node.text}: where a VM exit continues is not configured` });
  failed.flags = replaceBits(failed.flags, ARITHMETIC, ARITHMETIC & ~(CF | ZF), 0n);
  return [...drafts, ...goTo(failed, x.node.next, 'the code ends here')];
}

/** #VMEXIT goes on behind VMRUN; RAX and RSP are the host's. */
function runSvm(x: Execution): readonly Draft[] {
  guestRan(x, x.draft, new Set([RAX, RSP]));
  return proceed(x);
}

function bases(x: Execution): readonly Draft[] {
  x.draft.effects.push({ kind: 'unknown', what: `${x.node.text}: the GS bases are assumed to be the host's` });
  return proceed(x);
}

function hypercall(x: Execution): readonly Draft[] {
  x.draft.effects.push({ kind: 'unknown', what: `${x.node.text}: what the hypervisor does is not followed` });
  setRegister(x.draft, RAX, UNKNOWN);
  return proceed(x);
}

/** TDG.VP.VEINFO.GET (TDX-02); whatever else the module is asked for stays opaque. */
const VE_INFO_GET = 3n;

function moduleCall(x: Execution): readonly Draft[] {
  const leaf = register(x.draft, RAX);
  if (isConstant(leaf) && leaf.value === VE_INFO_GET) fetchVeInformation(x.draft, x.setup);
  else x.draft.effects.push({ kind: 'unknown', what: `${x.node.text}: what the TDX module does is not followed` });
  for (const index of MODULE_OUTPUTS) setRegister(x.draft, index, UNKNOWN);
  return proceed(x);
}

const MODULE_OUTPUTS = [RAX, RCX, RDX, 8, 9, 10, 11];

/** Fetching the information re-arms #VE (TDX-02). */
export function fetchVeInformation(draft: Draft, setup: MachineSetup): void {
  setup.guards.forEach((guard, index) => {
    if (guard.machineBit !== 'tdx-valid' || !draft.cpu.veInfoValid) return;
    changeCpu(draft, { veInfoValid: false });
    noteGuardCleared(draft, setup, index);
  });
}

function row(mnemonic: string, summary: string, section: string, run: InstructionRow['run'], code = mnemonic): InstructionRow {
  return { mnemonic, suffixed: false, summary, section, faults: ['UD', 'GP'], run, examples: [{ code, given: { rsp: 0x1000n, DF: 1n }, then: { rsp: 0x1000n, DF: 1n } }] };
}

const VMX = 'SDM vol. 3C, "VMX Instruction Reference"';
const SVM = 'APM vol. 3, "System Instruction Reference"';

export const VIRTUAL_ROWS: readonly InstructionRow[] = [
  row('vmlaunch', 'enters the guest for the first time; goes on behind only where that fails', VMX, enterVmx),
  row('vmresume', 'enters the guest; goes on behind only where that fails', VMX, enterVmx),
  row('vmcall', 'calls the hypervisor', VMX, hypercall),
  row('vmrun', 'enters the guest of the control block at RAX and goes on behind when it exits', SVM, runSvm, 'vmrun %rax'),
  row('vmload', 'loads FS, GS, TR, LDTR and the system call MSRs from the control block at RAX', SVM, bases, 'vmload %rax'),
  row('vmsave', 'stores FS, GS, TR, LDTR and the system call MSRs to the control block at RAX', SVM, bases, 'vmsave %rax'),
  row('vmmcall', 'calls the hypervisor', SVM, hypercall),
  row('tdcall', 'calls the TDX module; leaf 3 fetches the #VE information', 'Intel TDX Module ABI, "TDCALL"', moduleCall),
];
