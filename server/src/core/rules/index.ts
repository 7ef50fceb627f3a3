// The list of rules, in the order of the catalogue.
import { guardClearedInHandler } from './guard-cleared-in-handler.ts';
import { guardClearedOnRewindingStack } from './guard-cleared-on-rewinding-stack.ts';
import { guardNeverRearmed } from './guard-never-rearmed.ts';
import { infoReadAfterRearm } from './info-read-after-rearm.ts';
import { raisableAccessInsideWindow } from './raisable-access-inside-window.ts';
import { rearmLandsOnLiveFrame } from './rearm-lands-on-live-frame.ts';
import { extableRearmOnRewindingStack } from './extable-rearm-on-rewinding-stack.ts';
import { extableRecoveryWithoutRearm } from './extable-recovery-without-rearm.ts';
import { extableTypeGap } from './extable-type-gap.ts';
import { istRequired } from './ist-required.ts';
import { istStackShared } from './ist-stack-shared.ts';
import { unsafeSwitchOffIst } from './unsafe-switch-off-ist.ts';
import { deferralCannotRun } from './deferral-cannot-run.ts';
import { iretInNmiNeedsNesting } from './iret-in-nmi-needs-nesting.ts';
import { missingMotivation } from './missing-motivation.ts';
import { userOriginStaysOnIst } from './user-origin-stays-on-ist.ts';
import { wordConsumedByNested } from './word-consumed-by-nested.ts';
import { contradictoryAnnotation } from './contradictory-annotation.ts';
import { malformedAnnotation } from './malformed-annotation.ts';
import { staleAssumption } from './stale-assumption.ts';
import { undeclaredHandler } from './undeclared-handler.ts';
import { unusedSuppression } from './unused-suppression.ts';
import { cr2NotPreserved } from './cr2-not-preserved.ts';
import { dr7LiveInNmiLike } from './dr7-live-in-nmi-like.ts';
import { fmaskMissingBits } from './fmask-missing-bits.ts';
import { cpuStateRestoredAfterMigration } from './cpu-state-restored-after-migration.ts';
import { sysretUnchecked } from './sysret-unchecked.ts';
import { enterExitMismatch } from './enter-exit-mismatch.ts';
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
  iretInNmiNeedsNesting,
  cr2NotPreserved,
  dr7LiveInNmiLike,
  cpuStateRestoredAfterMigration,
  sysretUnchecked,
  fmaskMissingBits,
  enterExitMismatch,
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
