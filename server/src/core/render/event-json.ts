// Events raised at an instruction or everywhere in a file as JSON values, version 1; the schemas are in docs/schema.
// Pure: serialising is the caller's.
import type { EventCount, EventRun, EventSurveyResult } from '../event-types.ts';
import { contextRowJson, findingJson, traceJson } from './json.ts';
import type { JsonContextRow, JsonFinding, JsonStep } from './json.ts';
import type { Locate } from './places.ts';

export interface JsonEventRun {
  readonly version: 1;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly symbol: string;
  readonly text: string;
  readonly configuration: string;
  readonly events: readonly string[];
  readonly contexts: readonly {
    readonly context: JsonContextRow;
    readonly answer: string;
    readonly reason: string | null;
    readonly notes: readonly string[];
    readonly cpus: string | null;
    readonly steps: number;
    readonly findings: readonly JsonFinding[];
    readonly trace: readonly JsonStep[];
  }[];
  readonly silence: string | null;
}

export function eventRunJson(run: EventRun, locate: Locate): JsonEventRun {
  const { file, line, column } = locate(run.place);
  const { symbol, text, configuration, events, silence } = run;
  return {
    version: 1,
    file,
    line,
    column,
    symbol,
    text,
    configuration,
    events,
    contexts: run.rows.map(({ context, answer, reason, notes, cpus, steps, findings, trace }) => ({
      context: contextRowJson(context, locate),
      answer,
      reason,
      notes,
      cpus,
      steps,
      findings: findings.map((finding) => findingJson(finding, locate)),
      trace: traceJson(trace, locate),
    })),
    silence,
  };
}

export interface JsonEventSurvey {
  readonly version: 1;
  readonly file: string;
  readonly configurations: readonly string[];
  readonly instructions: number;
  readonly unreached: readonly { readonly symbol: string; readonly instructions: number }[];
  readonly events: readonly EventCount[];
  readonly findings: readonly JsonFinding[];
}

export function surveyJson(file: string, result: EventSurveyResult, locate: Locate): JsonEventSurvey {
  const { configurations, instructions, unreached } = result;
  return {
    version: 1,
    file,
    configurations,
    instructions,
    unreached,
    events: result.counts.map(({ events, contexts, holds, violated, inconclusive, cannot, reasons }) => ({ events, contexts, holds, violated, inconclusive, cannot, reasons })),
    findings: result.findings.map((finding) => findingJson(finding, locate)),
  };
}
