// What is answered to questions about the step where a replay stands: values by name, names that can be asked for, what can
// be watched, and what went wrong.
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Replaying } from './replaying.ts';
import { dataIdOf, watchOf } from './values.ts';

export function valueOf({ playback, footprints }: Replaying, expression: string, frame: number): DebugProtocol.EvaluateResponse['body'] | null {
  const row = playback.find(footprints.position(), frame, expression);
  return row === null ? null : { result: row.value, variablesReference: 0, presentationHint: { attributes: ['readOnly'] } };
}

/** Names that begin with what is typed. */
export function namesFrom({ playback, footprints }: Replaying, typed: string, frame: number): readonly string[] {
  const position = footprints.position();
  const rows = [...playback.locals(position, frame), ...playback.registers(position), ...playback.control(position), ...playback.words(position)];
  const start = typed.replace(/^%/, '').toLowerCase();
  return [...new Set(rows.map(({ name }) => name))].filter((name) => name.toLowerCase().startsWith(start));
}

/** Of a row that is shown, or of a name. */
export function watchable({ values, playback, footprints }: Replaying, { variablesReference, name, frameId = 0 }: DebugProtocol.DataBreakpointInfoArguments): DebugProtocol.DataBreakpointInfoResponse['body'] {
  const row = variablesReference === undefined || variablesReference === 0 ? playback.find(footprints.position(), frameId, name) : values.rowOf(variablesReference, name);
  const watch = row?.watch ?? null;
  if (watch === null) return { dataId: null, description: row === null ? `${name} names nothing here` : `${name} is nothing that a step writes` };
  return { dataId: dataIdOf(watch), description: name, accessTypes: ['write'], canPersist: false };
}

export function watchedBy({ playback }: Replaying, breakpoints: readonly DebugProtocol.DataBreakpoint[]): Parameters<Replaying['breakpoints']['setWatched']>[0] {
  return breakpoints.map(({ dataId }) => {
    const watch = watchOf(dataId);
    return { watch, name: watch === null ? dataId : playback.nameOf(watch) };
  });
}

/** null where nothing went wrong at this step. */
export function exceptionAt({ stop, playback, footprints, found }: Replaying): DebugProtocol.ExceptionInfoResponse['body'] | null {
  if (stop?.reason !== 'exception') return null;
  const ends = footprints.position() === playback.steps;
  return {
    exceptionId: stop.exception,
    description: stop.text,
    breakMode: 'always',
    details: { typeName: stop.exception, message: stop.text, ...(ends ? { stackTrace: found.notes.join('\n') } : {}) },
  };
}
