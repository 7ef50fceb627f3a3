// The models that both checkers run, by size. The sizes are those of the full graphs, and pinned: a model that changes
// says so here.
import type { GuardedModel } from '../../server/src/core/explore/guarded.ts';
import { withBudgets } from '../../server/src/core/explore/guarded-transforms.ts';
import { nestedNmi } from './nested-nmi.ts';
import { virtualization } from './virtualization.ts';

export interface Sized {
  readonly name: string;
  readonly states: number;
  readonly model: () => GuardedModel;
}

/** The variable whose values are the locations of the code. */
export const control = 'pc';

export const sized: readonly Sized[] = [
  { name: 'nested NMI, 3 NMIs, 2 faults', states: 90_158, model: () => withBudgets(nestedNmi({ machineChecks: false, debugTraps: false }), { nmi: 3, fault: 2 }) },
  { name: '#VE with self-IPI, 3 NMIs, 3 violations', states: 186_652, model: () => withBudgets(virtualization({ design: 'self-ipi', anywhere: true }), { nmi: 3, violation: 3 }) },
  { name: 'nested NMI, 3 NMIs, 2 faults, 1 #DB', states: 1_101_900, model: () => withBudgets(nestedNmi({ machineChecks: false, debugTraps: true }), { nmi: 3, fault: 2, 'debug trap': 1 }) },
  { name: '#VE with self-IPI, 6 NMIs, 6 violations', states: 1_908_959, model: () => withBudgets(virtualization({ design: 'self-ipi', anywhere: true }), { nmi: 6, violation: 6 }) },
  { name: 'nested NMI, 3 NMIs, 2 faults, 2 #DB', states: 2_404_378, model: () => withBudgets(nestedNmi({ machineChecks: false, debugTraps: true }), { nmi: 3, fault: 2, 'debug trap': 2 }) },
  { name: 'nested NMI, 4 NMIs, 3 faults, 2 #DB', states: 8_961_020, model: () => withBudgets(nestedNmi({ machineChecks: false, debugTraps: true }), { nmi: 4, fault: 3, 'debug trap': 2 }) },
  { name: '#VE with self-IPI, 14 NMIs, 12 violations', states: 12_682_727, model: () => withBudgets(virtualization({ design: 'self-ipi', anywhere: true }), { nmi: 14, violation: 12 }) },
  { name: 'nested NMI, 4 NMIs, 4 faults, 4 #DB', states: 28_755_488, model: () => withBudgets(nestedNmi({ machineChecks: false, debugTraps: true }), { nmi: 4, fault: 4, 'debug trap': 4 }) },
];

export interface Verdict {
  readonly name: string;
  readonly violated: boolean;
  readonly model: () => GuardedModel;
}

/** Whole designs, small enough for a verdict while one waits. */
export const verdicts: readonly Verdict[] = [
  { name: 'nested NMI', violated: false, model: () => withBudgets(nestedNmi({ machineChecks: false, debugTraps: false }), { nmi: 3, fault: 2 }) },
  { name: 'nested NMI, one machine check', violated: true, model: () => withBudgets(nestedNmi({ machineChecks: true, debugTraps: false }), { nmi: 2, fault: 0, 'machine check': 1 }) },
  { name: '#VE with self-IPI', violated: false, model: () => withBudgets(virtualization({ design: 'self-ipi', anywhere: true }), { nmi: 3, violation: 3 }) },
  { name: '#VE with self-IPI, interrupts on', violated: true, model: () => withBudgets(virtualization({ design: 'self-ipi-irqs-on', anywhere: false }), { nmi: 2, violation: 3 }) },
  { name: '#VE, word cleared on IST', violated: true, model: () => withBudgets(virtualization({ design: 'clear-on-ist', anywhere: false }), { nmi: 2, violation: 3 }) },
];

/** For any number of events. */
export const unbounded: readonly Verdict[] = [
  { name: 'nested NMI', violated: false, model: () => nestedNmi({ machineChecks: false, debugTraps: false }) },
  { name: 'nested NMI with #DB', violated: false, model: () => nestedNmi({ machineChecks: false, debugTraps: true }) },
  { name: '#VE with self-IPI', violated: false, model: () => virtualization({ design: 'self-ipi', anywhere: true }) },
  { name: '#VE with self-IPI, interrupts on', violated: true, model: () => virtualization({ design: 'self-ipi-irqs-on', anywhere: true }) },
  { name: '#VE, word cleared on IST', violated: true, model: () => virtualization({ design: 'clear-on-ist', anywhere: true }) },
];
