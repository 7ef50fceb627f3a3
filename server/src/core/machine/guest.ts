// Instructions that a confidential guest may not run by itself: #VE in a TDX guest (TDX-01), #VC in an SEV-ES guest
// (VC-01), with the exit codes of the hypervisor interface (arch/x86/include/uapi/asm/svm.h).
import type { InstructionNode } from './code.ts';
import { VIRTUALIZATION, VMM_COMMUNICATION } from './event.ts';
import { fault } from './possible-fault.ts';
import type { PossibleFault } from './possible-fault.ts';
import type { Processor } from './processor.ts';
import { constant } from './word.ts';

interface Row {
  readonly mnemonic: RegExp;
  /** Exit code that #VC pushes. */
  readonly exit: bigint;
  readonly tdx: boolean;
}

const ROWS: readonly Row[] = [
  { mnemonic: /^cpuid$/, exit: 0x72n, tdx: true },
  { mnemonic: /^(rdmsr|wrmsr)$/, exit: 0x7cn, tdx: true },
  { mnemonic: /^(in|out|ins|outs)[bwl]?$/, exit: 0x7bn, tdx: true },
  { mnemonic: /^hlt$/, exit: 0x78n, tdx: true },
  { mnemonic: /^(wbinvd|invd)$/, exit: 0x89n, tdx: true },
  { mnemonic: /^monitor$/, exit: 0x8an, tdx: false },
  { mnemonic: /^mwait$/, exit: 0x8bn, tdx: true },
  { mnemonic: /^rdtsc$/, exit: 0x6en, tdx: false },
  { mnemonic: /^rdtscp$/, exit: 0x87n, tdx: false },
  { mnemonic: /^vmcall$/, exit: 0x81n, tdx: true },
  { mnemonic: /^vmmcall$/, exit: 0x81n, tdx: false },
];

const READ_DR7 = 0x27n;
const WRITE_DR7 = 0x37n;

/** Both are up to the host, or to the module's policy: none is certain. */
export function guestFaults(processor: Processor, node: InstructionNode): readonly PossibleFault[] {
  if (processor.guest !== 'tdx' && processor.guest !== 'sev-es') return [];
  const row = ROWS.find(({ mnemonic }) => mnemonic.test(node.mnemonic));
  if (processor.guest === 'tdx') return row?.tdx === true ? [fault(VIRTUALIZATION, false, `${node.mnemonic} is not native in a TDX guest`)] : [];
  if (row !== undefined && !isGuestCall(node)) return [fault(VMM_COMMUNICATION, false, `${node.mnemonic} is intercepted in an SEV-ES guest`, constant(row.exit))];
  const [from, to] = node.operands;
  if (from?.kind === 'system-register' && from.name === 'dr7') return [fault(VMM_COMMUNICATION, false, 'reads of DR7 are intercepted in an SEV-ES guest', constant(READ_DR7))];
  if (to?.kind === 'system-register' && to.name === 'dr7') return [fault(VMM_COMMUNICATION, false, 'writes of DR7 are intercepted in an SEV-ES guest', constant(WRITE_DR7))];
  return [];
}

/** VMGEXIT is REP VMMCALL: it leaves the guest on purpose. */
function isGuestCall(node: InstructionNode): boolean {
  return node.mnemonic === 'vmmcall' && node.prefixes.some((prefix) => prefix.startsWith('rep'));
}
