// Finds the trace of a launch in a review of its own, by exploring what it needs in slices. Ends when the client goes.
import { locator } from '../core/render/places.ts';
import type { Exploration, Review, RunReport, Unit } from '../core/review-types.ts';
import { chooseChoices, chooseFinding, chooseRun } from './choose.ts';
import { refused } from './host.ts';
import type { Found, Looking, Refused } from './host.ts';
import type { Wanted } from './launch.ts';

/** States between two looks at whether the client is still there. */
const SLICE = 4000;

/** The unit that a launch names: that of a file, or of a folder. */
export function unitNamed(review: Review, path: string): Unit | null {
  const bare = path.replace(/\/+$/, '');
  const own = review.unitOf(bare);
  if (own !== null && own.files.length > 0) return own;
  const unit = review.unitOf(`${bare}/entry.S`);
  return unit === null || unit.files.length === 0 ? null : unit;
}

export function noUnit(path: string): Refused {
  return refused(`${path}: no assembler, C or scenario file is reviewed there`);
}

/** What is wrong with the scenario that a launch names, or null. */
export function scenarioProblem(review: Review, folder: string, name: string | null): Refused | null {
  if (name === null) return null;
  const names = review.scenarios(folder).map((scenario) => scenario.name);
  if (names.includes(name)) return null;
  const close = names.filter((one) => one.includes(name) || name.includes(one));
  return refused(`there is no scenario '${name}' here; there is ${(close.length > 0 ? close : names).slice(0, 8).join(', ')}${close.length === 0 && names.length > 8 ? ` and ${names.length - 8} more` : ''}`);
}

/** `pause` lets what waits run; null where the client has gone. */
export async function exploreAll(exploration: Exploration, { report, cancelled }: Looking, pause: () => Promise<void>): Promise<readonly RunReport[] | null> {
  for (;;) {
    const { done, scenario, start, states } = exploration.run(SLICE);
    if (done) return exploration.reports();
    report(`${scenario} from ${start}: ${states} states`);
    await pause();
    if (cancelled()) return null;
  }
}

export async function findIn(review: Review, wanted: Wanted, looking: Looking, pause: () => Promise<void>): Promise<Found | Refused> {
  const path = wanted.kind === 'finding' ? wanted.file : wanted.program;
  const unit = unitNamed(review, path);
  if (unit === null) return noUnit(path);
  if (wanted.kind === 'choices') return chooseChoices(review, unit.folder, wanted);
  const problem = wanted.kind === 'scenario' ? scenarioProblem(review, unit.folder, wanted.scenario) : null;
  if (problem !== null) return problem;
  const exploration = wanted.kind === 'finding' || wanted.scenario === null ? review.explore(unit.folder) : review.test(unit.folder, wanted.scenario);
  const reports = exploration === null ? [] : await exploreAll(exploration, looking, pause);
  if (reports === null) return refused('the client has gone');
  if (wanted.kind === 'scenario') return chooseRun(review, unit.folder, reports, wanted);
  const findings = review.findings(unit.folder, reports).filter(({ place }) => place.file === wanted.file);
  return chooseFinding(review, unit.folder, findings, locator(review.text), wanted, new Map());
}
