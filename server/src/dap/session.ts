// One debug session over one trace, in the words of the Debug Adapter Protocol: the CPU is its thread, nested events are
// its call stack. Answers what is to be seen where the replay stands, and takes breakpoints; how it gets there is not known
// here.
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { CodePoint } from '../core/review-types.ts';
import { exceptionAt, namesFrom, valueOf, watchable, watchedBy } from './answers.ts';
import { MovingSession, THREAD } from './moving.ts';
import type { Places } from './places.ts';

/** Stands for the text of what has none. */
const OUT_OF_VIEW = 1;

export class ReplaySession extends MovingSession {
  protected override threadsRequest(response: DebugProtocol.ThreadsResponse): void {
    response.body = { threads: this.replaying === null ? [] : [{ id: THREAD, name: 'CPU' }] };
    this.sendResponse(response);
  }

  protected override stackTraceRequest(response: DebugProtocol.StackTraceResponse, { startFrame = 0, levels = 0 }: DebugProtocol.StackTraceArguments): void {
    const replaying = this.of(response);
    if (replaying === null) return;
    const { playback, places, footprints } = replaying;
    const position = footprints.position();
    const callers = playback.callers(position);
    const last = startFrame + (levels === 0 ? callers.length + 1 : levels);
    const names = [nameOf(playback.codeAt(position)), ...callers.map(({ event, code }) => (event === '' ? nameOf(code) : `${event} interrupted ${nameOf(code)}`))];
    const codes = [playback.codeAt(position), ...callers.map(({ code }) => code)];
    response.body = {
      totalFrames: names.length,
      stackFrames: names.slice(startFrame, last).map((name, index) => this.frame(startFrame + index, name, codes[startFrame + index], places)),
    };
    this.sendResponse(response);
  }

  /** An expansion is shown where it is written; its use is in the name. */
  private frame(id: number, name: string, code: CodePoint | undefined, places: Places): DebugProtocol.StackFrame {
    const written = code?.written ?? null;
    if (code === undefined || written === null) return { id, name, source: { name: 'not in view', sourceReference: OUT_OF_VIEW, presentationHint: 'deemphasize' }, line: this.convertDebuggerLineToClient(0), column: this.convertDebuggerColumnToClient(0), presentationHint: 'subtle' };
    const at = places.linesOf(written);
    const use = code.use === null ? null : places.linesOf(code.use);
    return {
      id,
      name: use === null ? name : `${name} (in the macro at ${places.short(use.file, use.line)})`,
      source: this.source(at.file),
      line: this.convertDebuggerLineToClient(at.line),
      column: this.convertDebuggerColumnToClient(at.column),
      endLine: this.convertDebuggerLineToClient(at.endLine),
      endColumn: this.convertDebuggerColumnToClient(at.endColumn),
    };
  }

  protected override sourceRequest(response: DebugProtocol.SourceResponse): void {
    response.body = { content: 'User mode, or kernel code that is not in view: the trace has no text of it.\n', mimeType: 'text/plain' };
    this.sendResponse(response);
  }

  protected override scopesRequest(response: DebugProtocol.ScopesResponse, { frameId }: DebugProtocol.ScopesArguments): void {
    const replaying = this.of(response);
    if (replaying === null) return;
    response.body = { scopes: replaying.values.scopes(replaying.footprints.position(), frameId) };
    this.sendResponse(response);
  }

  protected override variablesRequest(response: DebugProtocol.VariablesResponse, { variablesReference, start, count }: DebugProtocol.VariablesArguments): void {
    const replaying = this.of(response);
    if (replaying === null) return;
    const variables = replaying.values.variables(variablesReference);
    if (variables === null) return this.fail(response, `no values have the reference ${variablesReference}: the replay has moved since`);
    const from = start ?? 0;
    response.body = { variables: count === undefined || count === 0 ? variables.slice(from) : variables.slice(from, from + count) };
    this.sendResponse(response);
  }

  protected override evaluateRequest(response: DebugProtocol.EvaluateResponse, { expression, frameId = 0 }: DebugProtocol.EvaluateArguments): void {
    const replaying = this.of(response);
    if (replaying === null) return;
    const body = valueOf(replaying, expression, frameId);
    if (body === null) return this.fail(response, `${expression} names nothing here: registers (%rsp), flags (IF), control state (cr3, GS base), locals, guards, variables and slots (NMI stack top-0x28) can be asked for`);
    response.body = body;
    this.sendResponse(response);
  }

  protected override completionsRequest(response: DebugProtocol.CompletionsResponse, { text, column, frameId = 0 }: DebugProtocol.CompletionsArguments): void {
    const replaying = this.of(response);
    if (replaying === null) return;
    const typed = /[%\w.]*$/.exec(text.slice(0, this.convertClientColumnToDebugger(column)))?.[0] ?? '';
    const fitting = namesFrom(replaying, typed, frameId);
    response.body = { targets: fitting.map((label) => ({ label, start: this.convertDebuggerColumnToClient(this.convertClientColumnToDebugger(column) - typed.length), length: typed.length })) };
    this.sendResponse(response);
  }

  protected override setBreakPointsRequest(response: DebugProtocol.SetBreakpointsResponse, { source, breakpoints, lines }: DebugProtocol.SetBreakpointsArguments): void {
    const replaying = this.of(response);
    if (replaying === null) return;
    const wanted = (breakpoints?.map(({ line }) => line) ?? lines ?? []).map((line) => this.convertClientLineToDebugger(line));
    const all = source.path === undefined ? [] : replaying.breakpoints.setLines(this.host.fileOf(this.convertClientPathToDebugger(source.path)), wanted);
    response.body = { breakpoints: all.map((one) => ({ ...this.told(one), source })) };
    this.sendResponse(response);
  }

  protected override setFunctionBreakPointsRequest(response: DebugProtocol.SetFunctionBreakpointsResponse, { breakpoints }: DebugProtocol.SetFunctionBreakpointsArguments): void {
    const replaying = this.of(response);
    if (replaying === null) return;
    response.body = { breakpoints: replaying.breakpoints.setFunctions(breakpoints.map(({ name }) => name)).map((one) => this.told(one)) };
    this.sendResponse(response);
  }

  protected override setExceptionBreakPointsRequest(response: DebugProtocol.SetExceptionBreakpointsResponse, { filters, filterOptions }: DebugProtocol.SetExceptionBreakpointsArguments): void {
    const replaying = this.of(response);
    if (replaying === null) return;
    replaying.breakpoints.setExceptions([...filters.map((filter) => ({ filter, condition: '' })), ...(filterOptions ?? []).map(({ filterId, condition = '' }) => ({ filter: filterId, condition }))]);
    this.sendResponse(response);
  }

  protected override dataBreakpointInfoRequest(response: DebugProtocol.DataBreakpointInfoResponse, args: DebugProtocol.DataBreakpointInfoArguments): void {
    const replaying = this.of(response);
    if (replaying === null) return;
    response.body = watchable(replaying, args);
    this.sendResponse(response);
  }

  protected override setDataBreakpointsRequest(response: DebugProtocol.SetDataBreakpointsResponse, { breakpoints }: DebugProtocol.SetDataBreakpointsArguments): void {
    const replaying = this.of(response);
    if (replaying === null) return;
    response.body = { breakpoints: replaying.breakpoints.setWatched(watchedBy(replaying, breakpoints)).map((one) => this.told(one)) };
    this.sendResponse(response);
  }

  protected override exceptionInfoRequest(response: DebugProtocol.ExceptionInfoResponse): void {
    const replaying = this.of(response);
    if (replaying === null) return;
    const body = exceptionAt(replaying);
    if (body === null) return this.fail(response, 'nothing went wrong at this step');
    response.body = body;
    this.sendResponse(response);
  }

  protected override loadedSourcesRequest(response: DebugProtocol.LoadedSourcesResponse): void {
    response.body = { sources: (this.replaying?.playback.files() ?? []).map((file) => this.source(file)) };
    this.sendResponse(response);
  }
}

function nameOf({ symbol, text }: CodePoint): string {
  return symbol === '' ? text : `${symbol}: ${text}`;
}
