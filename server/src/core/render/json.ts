// Findings, runs and contexts as JSON values, version 1; the schemas are in docs/schema. Lines and columns are
// one-based. Pure: serialising is the caller's.
import type { ContextInfo, ContextRow } from '../context-types.ts';
import type { Coverage } from '../coverage-types.ts';
import type { AnyNumber, Finding, RunReport, Severity, Trace, Verdict } from '../rules/finding.ts';
import type { Locate } from './places.ts';

export interface JsonStep {
  readonly title: string;
  /** null where the step has no place in the source. */
  readonly file: string | null;
  readonly line: number | null;
  readonly changed: readonly { readonly field: string; readonly from: string; readonly to: string }[];
}

export interface JsonFinding {
  readonly rule: string;
  readonly severity: Severity;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly message: string;
  readonly trace: readonly JsonStep[];
}

export interface JsonCheck {
  readonly version: 1;
  readonly findings: readonly JsonFinding[];
  readonly unknown: readonly string[];
  readonly coverage: readonly Coverage[];
  /** null without a baseline. */
  readonly baseline: JsonBaseline | null;
  /** null without patches. */
  readonly patches: JsonPatches | null;
}

export interface JsonPatches {
  /** Of each patch; the first is patch 1. */
  readonly subjects: readonly string[];
  /** Findings that are there without the patches, which are not listed. */
  readonly known: number;
  /** What the patches bring and take away, those included that do not stay. */
  readonly changes: readonly {
    readonly rule: string;
    readonly path: string;
    readonly symbol: string | null;
    readonly line: string;
    readonly message: string;
    /** null where it was there before. */
    readonly broughtBy: number | null;
    /** null where it stays. */
    readonly takenAwayBy: number | null;
  }[];
}

/** What one run of `check` has to say. */
export interface Checked {
  readonly findings: readonly Finding[];
  readonly unknown: readonly string[];
  readonly coverage: readonly Coverage[];
  readonly baseline: JsonBaseline | null;
  readonly patches: JsonPatches | null;
}

/** The run that says nothing but this. */
export function nothingChecked(unknown: readonly string[]): Checked {
  return { findings: [], unknown, coverage: [], baseline: null, patches: null };
}

export interface JsonBaseline {
  readonly file: string;
  /** Findings that it has, which are not listed. */
  readonly known: number;
  /** Entries that nothing matches any more. */
  readonly stale: readonly { readonly rule: string; readonly path: string; readonly symbol: string | null; readonly line: string; readonly message: string; readonly count: number }[];
}

export interface JsonRun {
  readonly version: 1;
  readonly scenario: string;
  readonly design: string;
  readonly start: string;
  readonly verdict: Verdict;
  readonly states: number;
  readonly bounds: readonly string[];
  readonly boundsHit: readonly string[];
  /** Null where the run does not hold. */
  readonly anyNumber: { readonly verdict: AnyNumber['verdict']; readonly bound: string; readonly states: number; readonly why: string | null } | null;
  readonly assumptions: readonly string[];
  readonly remarks: readonly string[];
  readonly trace: readonly JsonStep[];
}

export interface JsonContext {
  readonly version: 1;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly symbol: string;
  readonly text: string;
  readonly contexts: readonly JsonContextRow[];
  readonly unknown: readonly string[];
  readonly silence: string | null;
}

export interface JsonContextRow {
  readonly path: string;
  readonly stack: string;
  readonly rewinding: boolean;
  readonly cpl: number;
  readonly gs: string;
  readonly cr3: string;
  readonly interruptFlag: string;
  readonly nmiBlocked: string;
  readonly liveFrames: readonly string[];
  readonly guards: readonly { readonly name: string; readonly state: string }[];
  readonly interrupters: readonly { readonly event: string; readonly can: string; readonly reason: string }[];
  readonly way: readonly { readonly title: string; readonly file: string; readonly line: number }[];
}

export function checkJson({ findings, unknown, coverage, baseline, patches }: Checked, locate: Locate): JsonCheck {
  return { version: 1, findings: findings.map((finding) => findingJson(finding, locate)), unknown, coverage, baseline, patches };
}

export function findingJson(finding: Finding, locate: Locate): JsonFinding {
  const { file, line, column, endLine, endColumn } = locate(finding.place);
  const { rule, severity, message, trace } = finding;
  return { rule, severity, file, line, column, endLine, endColumn, message, trace: traceJson(trace, locate) };
}

/** All key steps; the text forms print at most twenty. */
export function traceJson(trace: Trace | null, locate: Locate): readonly JsonStep[] {
  return (trace?.steps ?? []).map(({ title, place, changed }) => {
    const at = place === null ? null : locate(place);
    return { title, file: at?.file ?? null, line: at?.line ?? null, changed: changed.map(({ field, from, to }) => ({ field, from, to })) };
  });
}

export function runJson(report: RunReport, locate: Locate): JsonRun {
  const { scenario, design, start, verdict, states, bounds, boundsHit, anyNumber = null, assumptions, remarks, trace } = report;
  return { version: 1, scenario, design, start, verdict, states, bounds, boundsHit, anyNumber, assumptions, remarks, trace: traceJson(trace, locate) };
}

export function contextJson(context: ContextInfo, locate: Locate): JsonContext {
  const { file, line, column } = locate(context.place);
  return {
    version: 1,
    file,
    line,
    column,
    symbol: context.symbol,
    text: context.text,
    contexts: context.rows.map((row) => contextRowJson(row, locate)),
    unknown: context.unknown,
    silence: context.silence,
  };
}

export function contextRowJson(row: ContextRow, locate: Locate): JsonContextRow {
  return {
    path: row.path,
    stack: row.stack,
    rewinding: row.rewinding,
    cpl: row.cpl,
    gs: row.gs,
    cr3: row.cr3,
    interruptFlag: row.interruptFlag,
    nmiBlocked: row.nmiBlocked,
    liveFrames: row.liveFrames,
    guards: row.guards.map(({ name, state }) => ({ name, state })),
    interrupters: row.interrupters.map(({ event, can, reason }) => ({ event, can, reason })),
    way: row.way.map(({ title, place }) => ({ title, file: place.file, line: locate(place).line })),
  };
}
