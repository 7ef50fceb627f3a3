// The latch of an NMI handler that may be entered again while it runs: a per-CPU word that says so, in which a nested NMI
// leaves a note, and which the first one asks before it ends.
import { stateHelpers } from '../tree/primitives.ts';
import { successorsOf } from '../tree/paths.ts';
import type { Step, TreeFunction } from '../tree/tree.ts';

export interface LatchFault {
  readonly step: Step;
  readonly message: string;
}

/** What the handler's latch gets wrong; nothing where it has none. */
export function latchFaults(one: TreeFunction, inView: (name: string) => TreeFunction | null = () => null): readonly LatchFault[] {
  const { steps, entry } = one.graph();
  const enters = new Set(steps.flatMap((step, index) => (step.kind === 'call' && stateHelpers.get(step.name)?.role === 'enter' ? [index] : [])));
  const reach = (from: number, blocked: (index: number) => boolean): ReadonlySet<number> => {
    const seen = new Set<number>();
    const waiting = [from];
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      const step = steps[at];
      if (step === undefined || seen.has(at) || blocked(at)) continue;
      seen.add(at);
      waiting.push(...successorsOf(step));
    }
    return seen;
  };
  const never = (): boolean => false;
  const [read, taken] = [asked(one, reader), asked(one, taker)];
  const reachesWork = (from: number): boolean => [...reach(from, never)].some((at) => enters.has(at));
  const writes = (word: string) => (index: number): boolean => {
    const step = steps[index];
    return step !== undefined && ((step.kind === 'call' && writer.test(step.name) && step.arguments[0] === word) || taken(step) === word || (step.kind === 'store' && taker.exec(step.value)?.[1] === word));
  };
  const out: LatchFault[] = [];
  // A word that is asked whether to go back to the work is a latch; an NMI that nests has to be told by it at the start.
  const latches = new Set(steps.flatMap((step) => {
    const word = taken(step);
    return word !== null && step.kind === 'test' && (reachesWork(step.yes) || reachesWork(step.no)) ? [word] : [];
  }));
  for (const word of latches) {
    const asks = (at: number): boolean => {
      const step = steps[at];
      return step !== undefined && (read(step) === word || taken(step) === word || asksBy(step, word, inView));
    };
    const unasked = reach(entry, asks);
    if (![...unasked].some((at) => enters.has(at))) continue;
    const step = [...unasked].filter((at) => writes(word)(at) || enters.has(at)).flatMap((at) => steps[at] ?? []).sort((a, b) => a.span.start - b.span.start)[0];
    if (step !== undefined) out.push({ step, message: `the handler begins its work without asking ${word}: an NMI that arrives in the middle of it, once an IRET has unblocked NMIs, begins it anew; send a nested one away with a note` });
  }
  for (const index of reach(entry, (at) => enters.has(at))) {
    const step = steps[index];
    const word = step === undefined ? null : read(step);
    if (step?.kind !== 'test' || word === null) continue;
    const [nested, first] = reachesWork(step.yes) ? [step.no, step.yes] : [step.yes, step.no];
    // A latch is a word that this function writes and that sends one of two NMIs away.
    if (reachesWork(nested) || !reachesWork(first) || !steps.some((_, at) => writes(word)(at))) continue;
    const leaves = [...reach(nested, writes(word))].find((at) => steps[at]?.kind === 'return');
    if (leaves !== undefined) out.push({ step, message: `a nested NMI goes away here and leaves no note in ${word}: its event is lost; store the note before the return` });
    if ([...reach(first, writes(word))].some((at) => enters.has(at))) out.push({ step, message: `the handler goes on without setting ${word}: a nested NMI does not see that one is handled and runs in the middle of it; set it before the work` });
    for (const work of enters) {
      const asks = (at: number): boolean => {
        const test = steps[at];
        return test?.kind === 'test' && (new RegExp(`\\b${word}\\b`).test(test.text) || read(test) === word || taken(test) === word) && (reachesWork(test.yes) || reachesWork(test.no));
      };
      const behind = steps[work];
      const end = behind === undefined ? undefined : successorsOf(behind).flatMap((from) => [...reach(from, asks)]).find((at) => steps[at]?.kind === 'return');
      const at = end === undefined ? undefined : steps[end];
      if (at !== undefined) out.push({ step: at, message: `the handler ends without asking ${word} again: an NMI that came meanwhile has left its note there and is lost; go back to the work where there is one` });
    }
  }
  return out;
}

/** A call of a function that asks the word and writes it. */
function asksBy(step: Step, word: string, inView: (name: string) => TreeFunction | null): boolean {
  const callee = step.kind === 'call' && !step.indirect ? inView(step.name) : null;
  if (callee === null) return false;
  const { steps } = callee.graph();
  const [read, taken] = [asked(callee, reader), asked(callee, taker)];
  return steps.some((one) => read(one) === word || taken(one) === word) && steps.some((one) => one.kind === 'call' && writer.test(one.name) && one.arguments[0] === word);
}

/** The word that a test asks by the accessor, in the condition or through a local that holds what it gave and nothing else. */
function asked(one: TreeFunction, accessor: RegExp): (step: Step) => string | null {
  const { steps } = one.graph();
  const locals = new Map<string, string>();
  for (const step of steps) {
    const word = step.kind === 'store' && step.operator === '=' ? accessor.exec(step.value)?.[1] : undefined;
    if (step.kind === 'store' && word !== undefined && steps.filter((other) => other.kind === 'store' && other.target === step.target).length === 1) locals.set(step.target, word);
  }
  return (step) => (step.kind === 'test' ? (accessor.exec(step.text)?.[1] ?? locals.get(/^\w+/.exec(step.text)?.[0] ?? '') ?? null) : null);
}

const reader = /^(?:raw_|__)*this_cpu_read\((\w+)\)/;
const writer = /^(?:raw_|__)*this_cpu_(?:write|inc|add|or)$/;
const taker = /^(?:raw_|__)*this_cpu_(?:dec_return|xchg|cmpxchg)\((\w+)/;
