// One debug session over one trace, in the words of the Debug Adapter Protocol: the CPU is its thread, nested events are
// its call stack, and it moves both ways. Speaks over whatever carries the messages; finds traces by its host alone.
import { BreakpointEvent, DebugSession, ErrorDestination, Event, InitializedEvent, OutputEvent, ProgressEndEvent, ProgressStartEvent, ProgressUpdateEvent, StoppedEvent } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { CodePoint } from '../core/review-types.ts';
import { exceptionAt, namesFrom, valueOf, watchable, watchedBy } from './answers.ts';
import { NO_SETTINGS } from './breakpoints.ts';
import type { Stop, Verified } from './breakpoints.ts';
import { capabilitiesOf } from './capabilities.ts';
import type { DebugHost, Found } from './host.ts';
import { readLaunch } from './launch.ts';
import type { Launch } from './launch.ts';
import type { Places } from './places.ts';
import { entryOf, headingOf, replayOf, tellUpTo } from './replaying.ts';
import type { Replaying } from './replaying.ts';
import { next, nextBack, proceed, proceedBack, stepOut } from './travel.ts';

/** The CPU. */
const THREAD = 1;
const FAILED = 1;
/** Stands for the text of what has none. */
const OUT_OF_VIEW = 1;

export class ReplaySession extends DebugSession {
  private readonly host: DebugHost;
  private replaying: Replaying | null = null;
  private gone = false;
  private showsProgress = false;

  constructor(host: DebugHost) {
    super();
    this.host = host;
    this.setDebuggerLinesStartAt1(false);
    this.setDebuggerColumnsStartAt1(false);
  }

  /** Paths are native where a client does not say how it writes them. */
  protected override dispatchRequest(request: DebugProtocol.Request): void {
    const given: unknown = request.arguments;
    super.dispatchRequest(request.command === 'initialize' && typeof given === 'object' ? { ...request, arguments: { pathFormat: 'path', ...given } } : request);
  }

  /** Also of a request that asks for a trace where there is none. */
  private of(response: DebugProtocol.Response): Replaying | null {
    if (this.replaying === null) this.fail(response, 'no trace is replayed: launch one first');
    return this.replaying;
  }

  private fail(response: DebugProtocol.Response, message: string): void {
    this.sendErrorResponse(response, { id: FAILED, format: message.replaceAll('{', '(').replaceAll('}', ')'), showUser: true }, undefined, undefined, ErrorDestination.User);
  }

  protected override initializeRequest(response: DebugProtocol.InitializeResponse, args: DebugProtocol.InitializeRequestArguments): void {
    this.showsProgress = args.supportsProgressReporting === true;
    response.body = capabilitiesOf(this.host.invariants());
    this.sendResponse(response);
  }

  protected override launchRequest(response: DebugProtocol.LaunchResponse, args: DebugProtocol.LaunchRequestArguments): void {
    this.begin(response, args, () => this.sendEvent(new InitializedEvent()));
  }

  protected override attachRequest(response: DebugProtocol.AttachResponse): void {
    this.fail(response, 'there is nothing to attach to: a trace is launched');
  }

  protected override restartRequest(response: DebugProtocol.RestartResponse, args: DebugProtocol.RestartArguments): void {
    const before = this.replaying;
    const given: unknown = args.arguments ?? before?.launch.given;
    this.begin(response, given, () => {
      for (const one of this.replaying?.breakpoints.verified() ?? []) this.sendEvent(new BreakpointEvent('changed', this.told(one)));
      this.enter();
    });
  }

  private begin(response: DebugProtocol.Response, given: unknown, found: () => void): void {
    const launch = readLaunch(given);
    if (typeof launch === 'string') return this.fail(response, launch);
    this.find(launch, response).then((trace) => {
      if (trace === null) return;
      this.replaying = replayOf(this.host, launch, trace, this.replaying?.breakpoints.settings() ?? NO_SETTINGS);
      this.sendResponse(response);
      found();
    }).catch((error: unknown) => this.fail(response, `the trace could not be found: ${error instanceof Error ? error.message : String(error)}`));
  }

  private async find(launch: Launch, response: DebugProtocol.Response): Promise<Found | null> {
    const progress = 'entrycheck-launch';
    if (this.showsProgress) this.sendEvent(new ProgressStartEvent(progress, 'Entrycheck: looking for the trace'));
    try {
      const found = await this.host.find(launch.wanted, {
        report: (message) => {
          if (this.showsProgress) this.sendEvent(new ProgressUpdateEvent(progress, message));
        },
        cancelled: () => this.gone,
      });
      if (found.kind === 'found') return found;
      this.fail(response, found.message);
      return null;
    } finally {
      if (this.showsProgress) this.sendEvent(new ProgressEndEvent(progress));
    }
  }

  protected override configurationDoneRequest(response: DebugProtocol.ConfigurationDoneResponse): void {
    this.sendResponse(response);
    if (this.replaying !== null) this.enter();
  }

  private enter(): void {
    const replaying = this.replaying;
    if (replaying === null) return;
    this.print(headingOf(replaying));
    if (replaying.launch.stopOnEntry) this.arrive(entryOf(replaying), 'entry', false);
    else this.arrive(proceed(replaying.playback, 0, this.stops()), 'breakpoint', false);
  }

  private print(output: string): void {
    this.sendEvent(new OutputEvent(output, 'stdout'));
  }

  private stops(): (position: number) => boolean {
    const breakpoints = this.replaying?.breakpoints;
    return (position) => breakpoints !== undefined && breakpoints.at(position) !== null;
  }

  /** Stops at a position, whatever led there; `undone` is whether going back leads to where it was. */
  private arrive(to: number, plain: string, undone: boolean): void {
    const replaying = this.replaying;
    if (replaying === null) return;
    const { footprints, values, breakpoints } = replaying;
    if (undone) footprints.step(to);
    else footprints.jump(to);
    this.settle(replaying, to, plain, breakpoints.at(to));
    values.forget();
  }

  private settle(replaying: Replaying, to: number, plain: string, stop: Stop | null): void {
    const { playback, found } = replaying;
    for (const { text, code } of tellUpTo(replaying, to)) this.sendEvent(this.toldAt(`${text}\n`, code, replaying.places));
    const ended: Stop | null = to === playback.steps ? { reason: 'exception', text: found.message, ids: [], exception: found.rule } : null;
    replaying.stop = ended ?? stop;
    const why = replaying.stop;
    const event: DebugProtocol.StoppedEvent = new StoppedEvent(why?.reason ?? plain, THREAD);
    event.body = { ...event.body, reason: why?.reason ?? plain, allThreadsStopped: true };
    if (why !== null) event.body.text = why.reason === 'exception' ? why.exception : why.text;
    if (why?.reason === 'exception') event.body.description = to === playback.steps ? 'The trace ends here' : `Stopped: ${why.exception}`;
    if (why !== null && why.ids.length > 0) event.body.hitBreakpointIds = [...why.ids];
    this.sendEvent(event);
  }

  private toldAt(output: string, code: CodePoint | null, places: Places): OutputEvent {
    const event = new OutputEvent(output, 'stdout');
    const at = code?.use ?? code?.written ?? null;
    if (at === null) return event;
    const { file, line, column } = places.linesOf(at);
    const body: DebugProtocol.OutputEvent['body'] = { ...event.body, source: this.source(file), line: this.convertDebuggerLineToClient(line), column: this.convertDebuggerColumnToClient(column) };
    return Object.assign(event, { body });
  }

  private source(file: string): DebugProtocol.Source {
    return { name: file.slice(file.lastIndexOf('/') + 1), path: this.convertDebuggerPathToClient(this.host.pathOf(file)) };
  }

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

  /** Answers a move, then makes it. */
  private move(response: DebugProtocol.Response, plain: string, undone: boolean, to: (replaying: Replaying, from: number) => number): void {
    const replaying = this.of(response);
    if (replaying === null) return;
    this.sendResponse(response);
    this.arrive(to(replaying, replaying.footprints.position()), plain, undone);
  }

  protected override continueRequest(response: DebugProtocol.ContinueResponse): void {
    response.body = { allThreadsContinued: true };
    this.move(response, 'pause', false, ({ playback }, from) => proceed(playback, from, this.stops()));
  }

  protected override nextRequest(response: DebugProtocol.NextResponse, { granularity }: DebugProtocol.NextArguments): void {
    this.move(response, 'step', true, ({ playback }, from) => (granularity === 'instruction' ? Math.min(from + 1, playback.steps) : next(playback, from, this.stops())));
  }

  protected override stepInRequest(response: DebugProtocol.StepInResponse): void {
    this.move(response, 'step', true, ({ playback }, from) => Math.min(from + 1, playback.steps));
  }

  protected override stepOutRequest(response: DebugProtocol.StepOutResponse): void {
    this.move(response, 'step', true, ({ playback }, from) => stepOut(playback, from, this.stops()));
  }

  /** Where a step led here, back to where it began; else over whole calls and events. */
  protected override stepBackRequest(response: DebugProtocol.StepBackResponse, { granularity }: DebugProtocol.StepBackArguments): void {
    const replaying = this.of(response);
    if (replaying === null) return;
    const { footprints, playback, values, breakpoints } = replaying;
    const back = footprints.undo();
    if (back === null) {
      const from = footprints.position();
      return this.move(response, from <= 1 ? 'entry' : 'step', false, () => (granularity === 'instruction' ? Math.max(0, from - 1) : nextBack(playback, from, this.stops())));
    }
    this.sendResponse(response);
    values.forget();
    const stop = breakpoints.at(back);
    this.settle(replaying, back, back === 0 ? 'entry' : 'step', stop?.reason === 'exception' ? null : stop);
  }

  protected override reverseContinueRequest(response: DebugProtocol.ReverseContinueResponse): void {
    this.move(response, 'entry', false, (_, from) => proceedBack(from, this.stops()));
  }

  protected override pauseRequest(response: DebugProtocol.PauseResponse): void {
    this.move(response, 'pause', false, (_, from) => from);
  }

  protected override setBreakPointsRequest(response: DebugProtocol.SetBreakpointsResponse, { source, breakpoints, lines }: DebugProtocol.SetBreakpointsArguments): void {
    const replaying = this.of(response);
    if (replaying === null) return;
    const wanted = (breakpoints?.map(({ line }) => line) ?? lines ?? []).map((line) => this.convertClientLineToDebugger(line));
    const all = source.path === undefined ? [] : replaying.breakpoints.setLines(this.host.fileOf(this.convertClientPathToDebugger(source.path)), wanted);
    response.body = { breakpoints: all.map((one) => ({ ...this.told(one), source })) };
    this.sendResponse(response);
  }

  private told({ id, verified, line, message }: Verified): DebugProtocol.Breakpoint {
    return { id, verified, ...(line === null ? {} : { line: this.convertDebuggerLineToClient(line) }), ...(message === null ? {} : { message, reason: 'failed' }) };
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

  protected override terminateRequest(response: DebugProtocol.TerminateResponse): void {
    this.end();
    this.sendResponse(response);
    this.sendEvent(new Event('terminated'));
  }

  protected override disconnectRequest(response: DebugProtocol.DisconnectResponse): void {
    this.end();
    this.sendResponse(response);
    this.emit('end');
  }

  /** The stream is closed. The process is not this session's to end. */
  override shutdown(): void {
    this.end();
    this.emit('end');
  }

  /** Whatever still looks for a trace stops. */
  end(): void {
    this.gone = true;
    this.replaying = null;
  }
}

function nameOf({ symbol, text }: CodePoint): string {
  return symbol === '' ? text : `${symbol}: ${text}`;
}
