// Reads what a scenario must and must not show. The texts are the property language of the user guide; unknown words are
// problems, so that a misspelt property cannot pass by never being seen.
import { quoted } from '../base/quoted.ts';
import { readInteger, readList, readMap, readOpenMap, readPattern, readText, readWord } from '../base/yaml-tree.ts';
import type { TreeNode, TreeReport } from '../base/yaml-tree.ts';
import { headOf } from '../base/yaml-tree.ts';
import { nearest } from '../base/nearest.ts';
import { eventNamed, fallbackNames, propertyNames } from './event-names.ts';
import type { Expectation, ScenarioProperty } from './scenario.ts';

const at = String.raw`(?: at (?<at>[A-Za-z][\w-]*))?`;
const guardForm = new RegExp(String.raw`^guard\((?<guard>[A-Za-z_][\w.]*)\)=(?<state>armed|busy)${at}$`);
const eventForm = new RegExp(String.raw`^event\((?<event>\w+)\)(?: in (?<during>\w+))?${at}$`);
const fallbackForm = new RegExp(String.raw`^fallback\((?<fallback>[a-z-]+)\)${at}$`);

export const ruleForm = /^(?:XR-[A-Z]+[0-9]+[a-z]?|[a-z][a-z0-9]*(?:-[a-z0-9]+)+)$/;
export const nameForm = /^[A-Za-z_][\w.-]*$/;

/** null where the text is no property. */
export function parseProperty(text: string): ScenarioProperty | null {
  const name = propertyNames.find((known) => known === text);
  if (name !== undefined) return { kind: 'named', name };
  const guard = guardForm.exec(text)?.groups;
  if (guard !== undefined) return { kind: 'guard', guard: guard['guard'] ?? '', state: guard['state'] === 'busy' ? 'busy' : 'armed', at: guard['at'] ?? null };
  const delivery = eventForm.exec(text)?.groups;
  if (delivery !== undefined) {
    const event = eventNamed(delivery['event'] ?? '');
    const during = delivery['during'] === undefined ? null : eventNamed(delivery['during']);
    if (event === null || (during === null && delivery['during'] !== undefined)) return null;
    return { kind: 'event', event, during, at: delivery['at'] ?? null };
  }
  const fallback = fallbackForm.exec(text)?.groups;
  const word = fallbackNames.find((known) => known === fallback?.['fallback']);
  return word === undefined ? null : { kind: 'fallback', fallback: word, at: fallback?.['at'] ?? null };
}

export function never(what: string, rule: string | null): Expectation {
  return { kind: 'never', what, property: propertyOf(what), rule };
}

export function reachable(what: string, because: string | null): Expectation {
  return { kind: 'reachable', what, property: propertyOf(what), because };
}

/** For texts of ours: a text that is no property is a bug. */
function propertyOf(what: string): ScenarioProperty {
  const property = parseProperty(what);
  if (property === null) throw new Error(`built-in expectation is no property: ${what}`);
  return property;
}

export function readExpectations(node: TreeNode, report: TreeReport): readonly Expectation[] {
  return readList(node, '`expect`', report).flatMap((item) => {
    const expectation = readExpectation(item, report);
    return expectation === null ? [] : [expectation];
  });
}

function readExpectation(node: TreeNode, report: TreeReport): Expectation | null {
  const entries = readOpenMap(node, 'an expectation', report);
  if (entries === null) return null;
  const kinds = ['never', 'reachable', 'at-end'].filter((kind) => entries.some((entry) => entry.key === kind));
  if (kinds.length > 1) {
    report(headOf(node), `an expectation says one thing, not ${kinds.join(' and ')}`);
    return null;
  }
  const keys = kinds[0] === 'never' ? ['never', 'rule'] : kinds[0] === 'reachable' ? ['reachable', 'because'] : kinds[0] === 'at-end' ? ['at-end'] : ['never', 'reachable', 'at-end'];
  const map = readMap(node, 'an expectation', keys, [], report);
  if (map === null) return null;
  const neverEntry = map.get('never');
  const reachableEntry = map.get('reachable');
  const end = map.get('at-end');
  if (neverEntry !== undefined) {
    const rule = map.get('rule');
    const name = rule === undefined ? null : readPattern(rule.value, '`rule`', ruleForm, 'a rule such as XR-VE01', report);
    const found = readProperty(neverEntry.value, '`never`', report);
    return found === null ? null : { kind: 'never', ...found, rule: name };
  }
  if (reachableEntry !== undefined) {
    const because = map.get('because');
    const sentence = because === undefined ? null : readText(because.value, '`because`', report);
    const found = readProperty(reachableEntry.value, '`reachable`', report);
    return found === null ? null : { kind: 'reachable', ...found, because: sentence };
  }
  if (end !== undefined) return readAtEnd(end.value, report);
  if (map.size === 0 && entries.length === 0) report(headOf(node), 'an expectation is empty, write one of never, reachable, at-end');
  return null;
}

function readProperty(node: TreeNode, owner: string, report: TreeReport): { readonly what: string; readonly property: ScenarioProperty } | null {
  const what = readText(node, owner, report);
  if (what === null) return null;
  const property = parseProperty(what);
  if (property !== null) return { what, property };
  const near = nearest(what, propertyNames);
  const forms = `${propertyNames.join(', ')}, event(VE) in NMI, guard(NAME)=busy at quiescence, fallback(vmexit)`;
  report(headOf(node), `${owner} cannot be ${quoted(what)}, write ${near === null ? `one of ${forms}` : `\`${near}\``}`, near);
  return null;
}

function readAtEnd(node: TreeNode, report: TreeReport): Expectation | null {
  const entries = readOpenMap(node, '`at-end`', report);
  if (entries === null) return null;
  let nmiBlocked: boolean | null = null;
  let liveFrames: number | null = null;
  const guards = new Map<string, 'armed' | 'busy'>();
  for (const { key, keySpan, value } of entries) {
    if (key === 'nmi_block') nmiBlocked = readInteger(value, '`nmi_block`', 0, 1, report) === 1;
    else if (key === 'live_frames') liveFrames = readInteger(value, '`live_frames`', 0, 64, report);
    else if (!nameForm.test(key)) report(keySpan, `\`at-end\` has no key ${quoted(key)}, write nmi_block, live_frames or a guard's name`);
    else {
      const state = readWord(value, `guard ${quoted(key)}`, ['armed', 'busy'], report);
      if (state !== null) guards.set(key, state);
    }
  }
  return { kind: 'at-end', nmiBlocked, liveFrames, guards };
}
