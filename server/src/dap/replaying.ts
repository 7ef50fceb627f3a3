// A trace that is replayed: where the reader is in it, what stops it, and what is told of the steps that were passed. Knows
// no message of the protocol.
import type { CodePoint, Playback } from '../core/review-types.ts';
import { createBreakpoints } from './breakpoints.ts';
import type { Breakpoints, Settings, Stop } from './breakpoints.ts';
import type { DebugHost, Found } from './host.ts';
import type { Launch } from './launch.ts';
import { createPlaces } from './places.ts';
import type { Places } from './places.ts';
import { createFootprints } from './travel.ts';
import type { Footprints } from './travel.ts';
import { createValues } from './values.ts';
import type { Values } from './values.ts';

/** Lines of one move; of the others their number is told. */
const MOST_TOLD = 200;

/** A trace that was found, and where the reader is in it. */
export interface Replaying {
  readonly launch: Launch;
  readonly found: Found;
  readonly playback: Playback;
  readonly places: Places;
  readonly breakpoints: Breakpoints;
  readonly values: Values;
  readonly footprints: Footprints;
  /** Positions up to this one were told of. */
  told: number;
  /** Why it stopped where it is. */
  stop: Stop | null;
}

/** `settings` are the breakpoints of the replay before. */
export function replayOf(host: DebugHost, launch: Launch, found: Found, settings: Settings): Replaying {
  const { playback } = found;
  const places = createPlaces(playback, host.text);
  const breakpoints = createBreakpoints(playback, places, host.invariants(), launch.dataBreakpoints, settings);
  return { launch, found, playback, places, breakpoints, values: createValues(playback), footprints: createFootprints(0), told: 0, stop: null };
}

/** What is said when the session begins. */
export function headingOf({ playback, found }: Replaying): string {
  const { steps, variant } = playback;
  return `${found.title}: ${steps} machine steps${variant.length > 0 ? `, CPU features: ${variant.join(', ')}` : ''}\n${found.message} [${found.rule}]\n${found.notes.map((note) => `  ${note}\n`).join('')}`;
}

/** The first step that has a text: what ran before any event has none. */
export function entryOf({ playback }: Replaying): number {
  let at = 0;
  while (at < playback.steps && playback.codeAt(at).written === null) at += 1;
  return at;
}

/** Each event and key step up to a position once, when it is first passed, with the code that it is of. */
export function tellUpTo(replaying: Replaying, to: number): readonly { readonly text: string; readonly code: CodePoint | null }[] {
  const { playback, found } = replaying;
  const lines: { text: string; code: CodePoint | null }[] = [];
  let more = 0;
  for (let position = replaying.told + 1; position <= to; position += 1) {
    const { told } = playback.done(position);
    if (told === null) continue;
    if (lines.length < MOST_TOLD) lines.push({ text: `${position}: ${told}`, code: playback.codeAt(position - 1) });
    else more += 1;
  }
  if (more > 0) lines.push({ text: `and ${more} more`, code: null });
  if (to === playback.steps && replaying.told < to) lines.push({ text: `${to}: ${found.message} [${found.rule}]`, code: playback.codeAt(to) });
  replaying.told = Math.max(replaying.told, to);
  return lines;
}
