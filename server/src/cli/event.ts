// `entrycheck run --at` and `--everywhere`: events raised at an instruction of entry code, or at all of a file.
import { indexLines, offsetAt } from '../core/base/line-index.ts';
import { eventRunText, surveyText } from '../core/render/events.ts';
import { eventRunJson, surveyJson } from '../core/render/event-json.ts';
import { coloured, plain } from '../core/render/paint.ts';
import type { EventSurveyResult, Review } from '../core/review-types.ts';
import { createNodeWorkspace } from '../shell/workspace.ts';
import { clean, found, refuse } from './io.ts';
import type { Io } from './io.ts';
import { didYouMean } from './nearest.ts';
import { answered, openSession, prepare, showProgress } from './session.ts';
import type { Session } from './session.ts';
import { tidy } from './paths.ts';
import { treePaths } from './tree-path.ts';

const instructionsAtOnce = 4;

export interface EventArguments {
  readonly at: string | null;
  readonly everywhere: string | null;
  readonly event: string | null;
  readonly format: string;
  readonly config: string | null;
  readonly scenario: string | undefined;
}

export async function raiseEvents(given: EventArguments, io: Io): Promise<number> {
  if (given.scenario !== undefined) return refuse(io, `run: ${given.at === null ? '--everywhere' : '--at'} takes no scenario, so '${given.scenario}' is one word too many`);
  if (given.at !== null && given.everywhere !== null) return refuse(io, 'run: give either --at FILE:LINE or --everywhere FILE');
  if (given.format !== 'gcc' && given.format !== 'json') return refuse(io, 'run: --at and --everywhere print --format gcc or json');
  return given.at === null ? everywhere(given.everywhere ?? '', given, io) : here(given.at, given, io);
}

async function here(where: string, given: EventArguments, io: Io): Promise<number> {
  const point = /^(.+?):(\d+)(?::(\d+))?:?$/.exec(where);
  if (point === null) return refuse(io, `run: --at takes FILE:LINE or FILE:LINE:COLUMN, not '${where}'`);
  if (given.event === null) return refuse(io, 'run: --at needs the events to raise there, as --event NMI or --event NMI,VE');
  const name = tidy(point[1] ?? '');
  const file = treePaths(io.cwd).inside(name);
  const line = Number(point[2]);
  const workspace = createNodeWorkspace(io.cwd);
  const text = workspace.read(file);
  if (text === null) return refuse(io, `${name}: ${workspace.refusal(file) ?? 'not readable'}`);
  const index = indexLines(text);
  if (line < 1 || line > index.starts.length) return refuse(io, `${name}:${line}: no such line: the file has ${index.starts.length} lines`);
  const start = offsetAt(index, { line: line - 1, column: 0 });
  const lineText = text.slice(start, offsetAt(index, { line: line - 1, column: Number.MAX_SAFE_INTEGER }));
  const column = point[3] === undefined ? Math.max(0, lineText.search(/\S/)) : Number(point[3]) - 1;
  const offset = start + Math.max(0, Math.min(column, lineText.length));

  const session = await openSession(io, workspace, given.config);
  const events = namesOf(session.review, given.event);
  if (typeof events === 'string') return refuse(io, events);
  io.working(`raising ${events.join(', ')} at ${where}`);
  const run = answered(['raise', given.config, file, offset, ...events], session, io, () => {
    prepare(session, file, offset, events, io);
    return session.review.raise(file, offset, events);
  });
  if (run === null) return refuse(io, `${name}:${line}: no instruction of an entry path on this line: ${lineText.trim() === '' ? 'it is blank' : lineText.trim()}`);
  io.out(`${given.format === 'json' ? JSON.stringify(eventRunJson(run, session.locate), null, 2) : eventRunText(run, session.locate, io.columns, io.color ? coloured : plain).join('\n')}\n`);
  if (run.rows.length === 0) return refuse(io, `run: nothing was raised: ${run.silence ?? 'no context is known'}`);
  return run.rows.some(({ answer }) => answer === 'violated' || answer === 'inconclusive') ? found : clean;
}

async function everywhere(path: string, given: EventArguments, io: Io): Promise<number> {
  const name = tidy(path);
  const file = treePaths(io.cwd).inside(name);
  const workspace = createNodeWorkspace(io.cwd);
  if (workspace.read(file) === null) return refuse(io, `${path}: ${workspace.refusal(file) ?? 'not readable'}`);
  const session = await openSession(io, workspace, given.config);
  const events = given.event === null ? [] : namesOf(session.review, given.event);
  if (typeof events === 'string') return refuse(io, events);
  io.working(`raising events everywhere in ${file}`);
  const result = answered(['survey', given.config, file, ...events], session, io, () => surveyOf(session, file, events, io));
  if (result === null) return refuse(io, `${name}: no instruction of an entry path in this file`);
  io.out(`${given.format === 'json' ? JSON.stringify(surveyJson(name, result, session.locate), null, 2) : surveyText(name, result, session.locate, io.columns, io.color ? coloured : plain).join('\n')}\n`);
  return result.counts.some(({ violated, inconclusive }) => violated + inconclusive > 0) ? found : clean;
}

function surveyOf(session: Session, file: string, events: readonly string[], io: Io): EventSurveyResult | null {
  prepare(session, file, null, [], io);
  const survey = session.review.survey(file, events.map((name) => [name]));
  if (survey === null || survey.result().instructions === 0) return null;
  while (!survey.advance(instructionsAtOnce)) {
    const { done, instructions, counts } = survey.result();
    showProgress(io, `${file}: ${done} of ${instructions} instructions, ${counts.reduce((sum, one) => sum + one.violated, 0)} violated`);
  }
  showProgress(io, '');
  return survey.result();
}

/** The events of a list as they are called here, or why one is none. */
function namesOf(review: Review, list: string): readonly string[] | string {
  const names: string[] = [];
  for (const word of list.split(',')) {
    const { name, names: known } = review.eventNamed(word);
    if (name === null) return `run: no event '${word.trim()}'${didYouMean(word.trim().toUpperCase(), known)} (one of ${known.join(', ')}, or a vector's number)`;
    names.push(name);
  }
  return names;
}
