// A debug session that finds the trace to replay and moves in it, both ways, in the words of the Debug Adapter Protocol.
// Speaks over whatever carries the messages; finds traces by its host alone. What it shows where it stands is not known here.
import { BreakpointEvent, DebugSession, ErrorDestination, Event, InitializedEvent, OutputEvent, ProgressEndEvent, ProgressStartEvent, ProgressUpdateEvent, StoppedEvent } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { CodePoint } from '../core/review-types.ts';
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
export const THREAD = 1;
const FAILED = 1;

export abstract class MovingSession extends DebugSession {
  protected readonly host: DebugHost;
  protected replaying: Replaying | null = null;
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
  protected of(response: DebugProtocol.Response): Replaying | null {
    if (this.replaying === null) this.fail(response, 'no trace is replayed: launch one first');
    return this.replaying;
  }

  protected fail(response: DebugProtocol.Response, message: string): void {
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

  protected source(file: string): DebugProtocol.Source {
    return { name: file.slice(file.lastIndexOf('/') + 1), path: this.convertDebuggerPathToClient(this.host.pathOf(file)) };
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

  protected told({ id, verified, line, message }: Verified): DebugProtocol.Breakpoint {
    return { id, verified, ...(line === null ? {} : { line: this.convertDebuggerLineToClient(line) }), ...(message === null ? {} : { message, reason: 'failed' }) };
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
