// What the adapter can do, as clients are told: the moves, the kinds of breakpoints, and the invariants that can stop a replay.
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Invariant } from '../core/review-types.ts';
import { ARRIVES, JUDGED } from './breakpoints.ts';

export function capabilitiesOf(invariants: readonly Invariant[]): DebugProtocol.Capabilities {
  return {
    supportsConfigurationDoneRequest: true,
    supportsStepBack: true,
    supportsRestartRequest: true,
    supportsDataBreakpoints: true,
    supportsFunctionBreakpoints: true,
    supportsEvaluateForHovers: true,
    supportsExceptionInfoRequest: true,
    supportsExceptionFilterOptions: true,
    supportsSteppingGranularity: true,
    supportsCompletionsRequest: true,
    supportsTerminateRequest: true,
    supportsDelayedStackTraceLoading: true,
    supportsLoadedSourcesRequest: true,
    completionTriggerCharacters: ['%', '.'],
    exceptionBreakpointFilters: [
      ...invariants.map(({ name, title, why }) => ({ filter: name, label: title, description: why, default: true })),
      { filter: JUDGED, label: 'A rule speaks', description: 'A rule finds something at a step before the end of the trace', default: false, supportsCondition: true, conditionDescription: 'Rules by name: guard-cleared-on-rewinding-stack; without any, all' },
      { filter: ARRIVES, label: 'An event arrives', description: 'An event is delivered: its frame is pushed and its handler begins', default: false, supportsCondition: true, conditionDescription: 'Vectors: NMI, #VE; without any, all' },
    ],
  };
}
