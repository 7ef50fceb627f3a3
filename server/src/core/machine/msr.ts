// Model-specific registers that the machine holds (SDM vol. 4, "Architectural MSRs"), and what RDMSR and WRMSR check.
import type { MachineSetup } from './config.ts';
import { processorOf } from './config.ts';
import { changeCpu, noteGuardCleared } from './draft.ts';
import type { Draft } from './draft.ts';
import { GENERAL_PROTECTION } from './event.ts';
import { canonicalFaults, fault } from './possible-fault.ts';
import type { PossibleFault } from './possible-fault.ts';
import { constant, isConstant, UNKNOWN } from './word.ts';
import type { Word } from './word.ts';

export const MSR = { gsBase: 0xc000_0101n, kernelGsBase: 0xc000_0102n, fsBase: 0xc000_0100n, mcgStatus: 0x17an, specCtrl: 0x48n, predCmd: 0x49n, lstar: 0xc000_0082n, cstar: 0xc000_0083n, sysenterEsp: 0x175n, sysenterEip: 0x176n, selfIpi: 0x83fn } as const;

/** Bits of IA32_MCG_STATUS. */
const RIPV = 1n;
const EIPV = 2n;
const MCIP = 4n;
const LMCE_S = 8n;

/** MC-03, MC-04. */
function machineCheckStatus(draft: Draft, setup: MachineSetup): Word {
  if (!draft.cpu.mcip) return constant(0n);
  const { ripValid, errorIpValid, localMachineCheck } = processorOf(setup);
  return constant(MCIP | (ripValid ? RIPV : 0n) | (errorIpValid ? EIPV : 0n) | (localMachineCheck ? LMCE_S : 0n));
}

export function readMsr(draft: Draft, setup: MachineSetup, number: bigint): Word {
  switch (number) {
    case MSR.gsBase:
      return draft.cpu.gsBase;
    case MSR.kernelGsBase:
      return draft.cpu.kernelGsBase;
    case MSR.specCtrl:
      return draft.cpu.specCtrl;
    case MSR.mcgStatus:
      return machineCheckStatus(draft, setup);
    default:
      return UNKNOWN;
  }
}

export function writeMsr(draft: Draft, setup: MachineSetup, number: bigint, value: Word): void {
  if (number === MSR.gsBase) changeCpu(draft, { gsBase: value });
  if (number === MSR.kernelGsBase) changeCpu(draft, { kernelGsBase: value });
  if (number === MSR.specCtrl) changeCpu(draft, { specCtrl: value });
  // SDM vol. 3A, "SELF IPI Register": the vector in bits 7:0; it waits in the IRR while IF is 0 (IF-01).
  if (number === MSR.selfIpi && isConstant(value)) {
    const vector = Number(value.value & 0xffn);
    if (!draft.pending.some((pending) => pending.kind === 'irq' && pending.vector === vector)) draft.pending = [...draft.pending, { kind: 'irq', vector }];
    draft.effects.push({ kind: 'pending', vector, via: 'x2APIC SELF IPI' });
  }
  if (number === MSR.mcgStatus && isConstant(value) && (value.value & MCIP) === 0n && draft.cpu.mcip) {
    changeCpu(draft, { mcip: false });
    setup.guards.forEach((guard, index) => {
      if (guard.machineBit === 'mcip') noteGuardCleared(draft, setup, index);
    });
  }
}

const HELD: ReadonlySet<bigint> = new Set([MSR.gsBase, MSR.kernelGsBase, MSR.specCtrl, MSR.mcgStatus]);
const CANONICAL: ReadonlySet<bigint> = new Set([MSR.gsBase, MSR.kernelGsBase, MSR.fsBase, MSR.lstar, MSR.cstar, MSR.sysenterEsp, MSR.sysenterEip]);

export function msrFaults(draft: Draft, setup: MachineSetup, number: Word, value: Word | null): readonly PossibleFault[] {
  if (draft.cpu.cpl === 3) return [fault(GENERAL_PROTECTION, true, 'MSRs are privileged')];
  const index = (number.known & 0xffff_ffffn) === 0xffff_ffffn ? number.value & 0xffff_ffffn : null;
  if (index === null) return [fault(GENERAL_PROTECTION, false, 'ECX may name no MSR')];
  if (value !== null && CANONICAL.has(index)) return canonicalFaults(setup, value, 'the value');
  if (value !== null && index === MSR.specCtrl && value.value >> 32n !== 0n) return [fault(GENERAL_PROTECTION, true, 'reserved bits of IA32_SPEC_CTRL are set')];
  // Only 0 may be written (SDM vol. 3B, "IA32_MCG_STATUS MSR").
  if (value !== null && index === MSR.mcgStatus && value.value !== 0n) return [fault(GENERAL_PROTECTION, false, 'IA32_MCG_STATUS may take nothing but 0')];
  return HELD.has(index) || index === MSR.predCmd ? [] : [fault(GENERAL_PROTECTION, false, `MSR 0x${index.toString(16)} may be missing, or the value reserved`)];
}
