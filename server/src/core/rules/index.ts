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
import { oneSlotWordConsumedByNested } from './one-slot-word-consumed-by-nested.ts';
import { missingMotivation } from './missing-motivation.ts';
import { handOverWordNotCleared } from './hand-over-word-not-cleared.ts';
import { mmioEmulationUnchecked } from './mmio-emulation-unchecked.ts';
import { eventEmulationUnfit } from './event-emulation-unfit.ts';
import { sharedPageNotGuarded } from './shared-page-not-guarded.ts';
import { faultInNmiPrologue } from './fault-in-nmi-prologue.ts';
import { iretInNmiNeedsNesting } from './iret-in-nmi-needs-nesting.ts';
import { irqsEnabledWhileNmiBlocked } from './irqs-enabled-while-nmi-blocked.ts';
import { nestedTestTrustsRsp } from './nested-test-trusts-rsp.ts';
import { cr2NotPreserved } from './cr2-not-preserved.ts';
import { nmiUserAccessNotNofault } from './nmi-user-access-not-nofault.ts';
import { edgeCoalescingIgnored } from './edge-coalescing-ignored.ts';
import { nmiCompleteMissing } from './nmi-complete-missing.ts';
import { nestedNmiBreaksFrame } from './nested-nmi-breaks-frame.ts';
import { istStubCalled } from './ist-stub-called.ts';
import { workAfterMcipClear } from './work-after-mcip-clear.ts';
import { recoveryWithoutRipvEipv } from './recovery-without-ripv-eipv.ts';
import { unboundedMcRetry } from './unbounded-mc-retry.ts';
import { assumesBroadcast } from './assumes-broadcast.ts';
import { taskWorkQueuedTwice } from './task-work-queued-twice.ts';
import { msrFaultInMachineCheck } from './msr-fault-in-machine-check.ts';
import { dr7LiveInNmiLike } from './dr7-live-in-nmi-like.ts';
import { istOnUserReachableTrap } from './ist-on-user-reachable-trap.ts';
import { blockStepLost } from './block-step-lost.ts';
import { dr6ReadLate } from './dr6-read-late.ts';
import { cpuStateRestoredAfterMigration } from './cpu-state-restored-after-migration.ts';
import { watchableEntryWord } from './watchable-entry-word.ts';
import { sysenterStepNotRecognised } from './sysenter-step-not-recognised.ts';
import { dr7AccessReordered } from './dr7-access-reordered.ts';
import { swapgsImbalance } from './swapgs-imbalance.ts';
import { csTestInSuperAtomic } from './cs-test-in-super-atomic.ts';
import { percpuBeforeGs } from './percpu-before-gs.ts';
import { gsSignTestWithFsgsbase } from './gs-sign-test-with-fsgsbase.ts';
import { cr4BitAfterEvents } from './cr4-bit-after-events.ts';
import { cpuNumberFromRdpid } from './cpu-number-from-rdpid.ts';
import { gsSwappedInC } from './gs-swapped-in-c.ts';
import { accessOnUserCr3 } from './access-on-user-cr3.ts';
import { paranoidCr3NotVerbatim } from './paranoid-cr3-not-verbatim.ts';
import { cr3GsOrder } from './cr3-gs-order.ts';
import { entryMemoryUnmapped } from './entry-memory-unmapped.ts';
import { pendingFlushSkipped } from './pending-flush-skipped.ts';
import { pcidOfOtherHalf } from './pcid-of-other-half.ts';
import { errorCodeFrameMismatch } from './error-code-frame-mismatch.ts';
import { frameUnbalancedAtReturn } from './frame-unbalanced-at-return.ts';
import { frameBelowRsp } from './frame-below-rsp.ts';
import { istShiftNotUnwound } from './ist-shift-not-unwound.ts';
import { copyThenSwitchAtomicity } from './copy-then-switch-atomicity.ts';
import { istGateUnfit } from './ist-gate-unfit.ts';
import { userRspTrusted } from './user-rsp-trusted.ts';
import { cOnEntryStack } from './c-on-entry-stack.ts';
import { cOnReusableIst } from './c-on-reusable-ist.ts';
import { frameOutsideStack } from './frame-outside-stack.ts';
import { irqStackReused } from './irq-stack-reused.ts';
import { gateRowUnfit } from './gate-row-unfit.ts';
import { stackUseInSyscallGap } from './stack-use-in-syscall-gap.ts';
import { sysretUnchecked } from './sysret-unchecked.ts';
import { iretFaultUnhandled } from './iret-fault-unhandled.ts';
import { fmaskMissingBits } from './fmask-missing-bits.ts';
import { syscallGapIncomplete } from './syscall-gap-incomplete.ts';
import { softwareEventUnverified } from './software-event-unverified.ts';
import { entryRegisterUnfit } from './entry-register-unfit.ts';
import { pushedNumberMisread } from './pushed-number-misread.ts';
import { entryPointUnfit } from './entry-point-unfit.ts';
import { missingCld } from './missing-cld.ts';
import { missingClac } from './missing-clac.ts';
import { sysenterFlagsNotSanitised } from './sysenter-flags-not-sanitised.ts';
import { irqsOnBeforeState } from './irqs-on-before-state.ts';
import { irqsOnInEntry } from './irqs-on-in-entry.ts';
import { wakeupLostAtHalt } from './wakeup-lost-at-halt.ts';
import { swapgsWithoutFence } from './swapgs-without-fence.ts';
import { bufferClearSpoiltOn32Bit } from './buffer-clear-spoilt-on-32-bit.ts';
import { exitWithoutBufferClear } from './exit-without-buffer-clear.ts';
import { returnBeforeUntrain } from './return-before-untrain.ts';
import { saferetFixupWithoutFence } from './saferet-fixup-without-fence.ts';
import { interruptedSaferetNotRepaired } from './interrupted-saferet-not-repaired.ts';
import { branchHistoryNotCleared } from './branch-history-not-cleared.ts';
import { indexNotMasked } from './index-not-masked.ts';
import { userRegisterLiveInC } from './user-register-live-in-c.ts';
import { syscallNumberNotExtended } from './syscall-number-not-extended.ts';
import { entryStateOn32Bit } from './entry-state-on-32-bit.ts';
import { doubleFaultTaskUnfit } from './double-fault-task-unfit.ts';
import { returnStateOn32Bit } from './return-state-on-32-bit.ts';
import { registersNotRestored } from './registers-not-restored.ts';
import { savedWordWrong } from './saved-word-wrong.ts';
import { instrumentableBeforeState } from './instrumentable-before-state.ts';
import { wrongStateHelper } from './wrong-state-helper.ts';
import { enterExitMismatch } from './enter-exit-mismatch.ts';
import { instrumentableCall } from './instrumentable-call.ts';
import { exitWorkLeftOut } from './exit-work-left-out.ts';
import { cr2ReadLate } from './cr2-read-late.ts';
import { interruptedStateSampledLate } from './interrupted-state-sampled-late.ts';
import { sleepingInAtomicException } from './sleeping-in-atomic-exception.ts';
import { lockInNmiLike } from './lock-in-nmi-like.ts';
import { scheduleOnRewindingStack } from './schedule-on-rewinding-stack.ts';
import { wrongDeferralMode } from './wrong-deferral-mode.ts';
import { interruptNotAcknowledged } from './interrupt-not-acknowledged.ts';
import { kernelFaultUnasked } from './kernel-fault-unasked.ts';
import { handlerOfOtherOrigin } from './handler-of-other-origin.ts';
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
  oneSlotWordConsumedByNested,
  missingMotivation,
  handOverWordNotCleared,
  mmioEmulationUnchecked,
  sharedPageNotGuarded,
  eventEmulationUnfit,
  faultInNmiPrologue,
  iretInNmiNeedsNesting,
  irqsEnabledWhileNmiBlocked,
  nestedTestTrustsRsp,
  cr2NotPreserved,
  nmiUserAccessNotNofault,
  edgeCoalescingIgnored,
  nmiCompleteMissing,
  nestedNmiBreaksFrame,
  istStubCalled,
  workAfterMcipClear,
  recoveryWithoutRipvEipv,
  unboundedMcRetry,
  assumesBroadcast,
  taskWorkQueuedTwice,
  msrFaultInMachineCheck,
  dr7LiveInNmiLike,
  istOnUserReachableTrap,
  dr6ReadLate,
  cpuStateRestoredAfterMigration,
  watchableEntryWord,
  sysenterStepNotRecognised,
  dr7AccessReordered,
  blockStepLost,
  swapgsImbalance,
  csTestInSuperAtomic,
  percpuBeforeGs,
  gsSignTestWithFsgsbase,
  cr4BitAfterEvents,
  cpuNumberFromRdpid,
  gsSwappedInC,
  accessOnUserCr3,
  paranoidCr3NotVerbatim,
  cr3GsOrder,
  entryMemoryUnmapped,
  pendingFlushSkipped,
  pcidOfOtherHalf,
  errorCodeFrameMismatch,
  frameUnbalancedAtReturn,
  frameBelowRsp,
  istShiftNotUnwound,
  copyThenSwitchAtomicity,
  istGateUnfit,
  userRspTrusted,
  cOnEntryStack,
  cOnReusableIst,
  frameOutsideStack,
  irqStackReused,
  gateRowUnfit,
  stackUseInSyscallGap,
  sysretUnchecked,
  iretFaultUnhandled,
  fmaskMissingBits,
  syscallGapIncomplete,
  softwareEventUnverified,
  entryRegisterUnfit,
  pushedNumberMisread,
  entryPointUnfit,
  missingCld,
  missingClac,
  sysenterFlagsNotSanitised,
  irqsOnBeforeState,
  irqsOnInEntry,
  wakeupLostAtHalt,
  swapgsWithoutFence,
  exitWithoutBufferClear,
  returnBeforeUntrain,
  saferetFixupWithoutFence,
  bufferClearSpoiltOn32Bit,
  interruptedSaferetNotRepaired,
  branchHistoryNotCleared,
  indexNotMasked,
  userRegisterLiveInC,
  syscallNumberNotExtended,
  registersNotRestored,
  savedWordWrong,
  entryStateOn32Bit,
  returnStateOn32Bit,
  doubleFaultTaskUnfit,
  instrumentableBeforeState,
  wrongStateHelper,
  enterExitMismatch,
  cr2ReadLate,
  interruptedStateSampledLate,
  exitWorkLeftOut,
  instrumentableCall,
  sleepingInAtomicException,
  lockInNmiLike,
  scheduleOnRewindingStack,
  wrongDeferralMode,
  interruptNotAcknowledged,
  kernelFaultUnasked,
  handlerOfOtherOrigin,
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
