// The list of rules, in the order of the catalogue.
import { guardClearedOnRewindingStack } from './guard-cleared-on-rewinding-stack.ts';
import { guardClearedInHandler } from './guard-cleared-in-handler.ts';
import { guardNeverRearmed } from './guard-never-rearmed.ts';
import { rearmLandsOnLiveFrame } from './rearm-lands-on-live-frame.ts';
import { raisableAccessInsideWindow } from './raisable-access-inside-window.ts';
import { infoReadAfterRearm } from './info-read-after-rearm.ts';
import { unsafeSwitchOffIst } from './unsafe-switch-off-ist.ts';
import { extableRecoveryWithoutRearm } from './extable-recovery-without-rearm.ts';
import { extableRearmOnRewindingStack } from './extable-rearm-on-rewinding-stack.ts';
import { istRequired } from './ist-required.ts';
import { istStackShared } from './ist-stack-shared.ts';
import { extableTypeGap } from './extable-type-gap.ts';
import { userOriginStaysOnIst } from './user-origin-stays-on-ist.ts';
import { deferralCannotRun } from './deferral-cannot-run.ts';
import { wordConsumedByNested } from './word-consumed-by-nested.ts';
import { missingMotivation } from './missing-motivation.ts';
import { handOverWordNotCleared } from './hand-over-word-not-cleared.ts';
import { mmioEmulationUnchecked } from './mmio-emulation-unchecked.ts';
import { sharedPageNotGuarded } from './shared-page-not-guarded.ts';
import { iretInNmiNeedsNesting } from './iret-in-nmi-needs-nesting.ts';
import { cr2NotPreserved } from './cr2-not-preserved.ts';
import { nmiUserAccessNotNofault } from './nmi-user-access-not-nofault.ts';
import { edgeCoalescingIgnored } from './edge-coalescing-ignored.ts';
import { nmiCompleteMissing } from './nmi-complete-missing.ts';
import { workAfterMcipClear } from './work-after-mcip-clear.ts';
import { recoveryWithoutRipvEipv } from './recovery-without-ripv-eipv.ts';
import { unboundedMcRetry } from './unbounded-mc-retry.ts';
import { assumesBroadcast } from './assumes-broadcast.ts';
import { taskWorkQueuedTwice } from './task-work-queued-twice.ts';
import { msrFaultInMachineCheck } from './msr-fault-in-machine-check.ts';
import { dr7LiveInNmiLike } from './dr7-live-in-nmi-like.ts';
import { dr6ReadLate } from './dr6-read-late.ts';
import { cpuStateRestoredAfterMigration } from './cpu-state-restored-after-migration.ts';
import { watchableEntryWord } from './watchable-entry-word.ts';
import { sysenterStepNotRecognised } from './sysenter-step-not-recognised.ts';
import { dr7AccessReordered } from './dr7-access-reordered.ts';
import { cr4BitAfterEvents } from './cr4-bit-after-events.ts';
import { istShiftNotUnwound } from './ist-shift-not-unwound.ts';
import { istGateUnfit } from './ist-gate-unfit.ts';
import { userRspTrusted } from './user-rsp-trusted.ts';
import { sysretUnchecked } from './sysret-unchecked.ts';
import { fmaskMissingBits } from './fmask-missing-bits.ts';
import { syscallGapIncomplete } from './syscall-gap-incomplete.ts';
import { softwareEventUnverified } from './software-event-unverified.ts';
import { irqsOnInEntry } from './irqs-on-in-entry.ts';
import { instrumentableBeforeState } from './instrumentable-before-state.ts';
import { wrongStateHelper } from './wrong-state-helper.ts';
import { enterExitMismatch } from './enter-exit-mismatch.ts';
import { cr2ReadLate } from './cr2-read-late.ts';
import { interruptedStateSampledLate } from './interrupted-state-sampled-late.ts';
import { sleepingInAtomicException } from './sleeping-in-atomic-exception.ts';
import { lockInNmiLike } from './lock-in-nmi-like.ts';
import { scheduleOnRewindingStack } from './schedule-on-rewinding-stack.ts';
import { wrongDeferralMode } from './wrong-deferral-mode.ts';
import { istAssumptionUnderFred } from './ist-assumption-under-fred.ts';
import { fredReturnStateLost } from './fred-return-state-lost.ts';
import { undeclaredHandler } from './undeclared-handler.ts';
import { contradictoryAnnotation } from './contradictory-annotation.ts';
import { unusedSuppression } from './unused-suppression.ts';
import { malformedAnnotation } from './malformed-annotation.ts';
import { staleAssumption } from './stale-assumption.ts';
import type { Rule } from './rule.ts';

export const RULES: readonly Rule[] = [
  guardClearedOnRewindingStack,
  guardClearedInHandler,
  guardNeverRearmed,
  rearmLandsOnLiveFrame,
  raisableAccessInsideWindow,
  infoReadAfterRearm,
  unsafeSwitchOffIst,
  extableRecoveryWithoutRearm,
  extableRearmOnRewindingStack,
  istRequired,
  istStackShared,
  extableTypeGap,
  userOriginStaysOnIst,
  deferralCannotRun,
  wordConsumedByNested,
  missingMotivation,
  handOverWordNotCleared,
  mmioEmulationUnchecked,
  sharedPageNotGuarded,
  iretInNmiNeedsNesting,
  cr2NotPreserved,
  nmiUserAccessNotNofault,
  edgeCoalescingIgnored,
  nmiCompleteMissing,
  workAfterMcipClear,
  recoveryWithoutRipvEipv,
  unboundedMcRetry,
  assumesBroadcast,
  taskWorkQueuedTwice,
  msrFaultInMachineCheck,
  dr7LiveInNmiLike,
  dr6ReadLate,
  cpuStateRestoredAfterMigration,
  watchableEntryWord,
  sysenterStepNotRecognised,
  dr7AccessReordered,
  cr4BitAfterEvents,
  istShiftNotUnwound,
  istGateUnfit,
  userRspTrusted,
  sysretUnchecked,
  fmaskMissingBits,
  syscallGapIncomplete,
  softwareEventUnverified,
  irqsOnInEntry,
  instrumentableBeforeState,
  wrongStateHelper,
  enterExitMismatch,
  cr2ReadLate,
  interruptedStateSampledLate,
  sleepingInAtomicException,
  lockInNmiLike,
  scheduleOnRewindingStack,
  wrongDeferralMode,
  istAssumptionUnderFred,
  fredReturnStateLost,
  undeclaredHandler,
  contradictoryAnnotation,
  unusedSuppression,
  malformedAnnotation,
  staleAssumption,
];

const byName = new Map(RULES.flatMap((rule) => [[rule.name, rule] as const, [rule.id, rule] as const]));

/** By name or by catalogue id. */
export function ruleNamed(name: string): Rule | null {
  return byName.get(name) ?? byName.get(name.toUpperCase()) ?? null;
}
