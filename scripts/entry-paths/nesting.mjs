// The NMI stub entered again while it runs, explored exhaustively: for any number of NMIs, breakpoints and page faults in
// its C handlers, from every start. And the reductions against none.
import { configurations, createTree } from './core.mjs';

const MOST_STATES = 6_000_000;
const BREAKPOINT = 3;
const PAGE_FAULT = 14;
/** Reductions leave at most one state in so many. */
const LEAST_RATIO = 15;

/** One generated mutant of the stub in so many. */
const EVERY = 12;
/** States of a mutant's exploration without reductions; what has more is not compared. */
const MOST_OF_MUTANT = 250_000;

const bounds = (nmis) => ({ nmis, traps: new Map([[BREAKPOINT, 1], [PAGE_FAULT, 1]]) });

/** One start explored to its end by a plan: the fault that is found first, or null. */
function explore(core, program, { setup, start }, plan) {
  const began = performance.now();
  const exploration = core.exploreNesting(program, setup, start.state, { maxStates: MOST_STATES, ...plan });
  while (!exploration.advance(100_000));
  const last = exploration.last();
  const progress = exploration.progress();
  const found = last.fault();
  const fault = found === null ? null : { kind: found.what.kind, what: found.what.what, steps: found.steps };
  return { fault, bounds: last.bounds, states: progress.states, transitions: progress.transitions, depth: progress.depth, boundHit: progress.boundHit, milliseconds: performance.now() - began };
}

/** The starts of a program on each CPU of the nesting run. */
export function nestingCases(core, program) {
  return core.nestingVariants(core.IDT_VARIANTS).flatMap((variant) => {
    const setup = core.entrySetup(program);
    const outside = core.outsideContexts(program, variant);
    const state = (name) => outside.find((one) => one.name === name).state;
    return core.nestingStarts(program, state('user'), state('kernel')).map((start) => ({ variant, setup, start }));
  });
}

/** Runs every case by a plan and adds up. */
function exploreAll(core, program, plan) {
  const total = { states: 0, transitions: 0, depth: 0, faults: [], hit: [], milliseconds: 0 };
  for (const one of nestingCases(core, program)) {
    const { fault, states, transitions, depth, boundHit, milliseconds } = explore(core, program, one, plan);
    total.states += states;
    total.transitions += transitions;
    total.depth = Math.max(total.depth, depth);
    total.milliseconds += milliseconds;
    if (fault !== null) total.faults.push(`${one.variant.name}, ${one.start.title}: ${fault.what}, ${fault.steps} steps`);
    if (boundHit) total.hit.push(`${one.variant.name}, ${one.start.title}: more than ${MOST_STATES} states`);
  }
  return total;
}

export function checkNesting(core, root, disk, result) {
  const [{ name }] = configurations(core, root, disk);
  const tree = createTree(core, root, disk);
  const { program } = tree.program(name, 'idt');
  const sum = (total) => `${total.states} states, ${total.transitions} transitions, depth ${total.depth}, ${(total.milliseconds / 1000).toFixed(1)} s`;

  const kept = core.newKeptWords();
  for (const one of nestingCases(core, program)) {
    const { fault, bounds: shown, states, transitions, depth, boundHit, milliseconds } = explore(core, program, one, { kept, bounds: core.NESTING_BOUNDS, reduced: true });
    const name = `any number of NMIs on ${one.variant.name} from ${one.start.title}`;
    result.say(`  ${name}: ${fault === null ? 'holds' : fault.what}, ${states} states, ${transitions} transitions, depth ${depth}, ${milliseconds.toFixed(0)} ms`);
    result.check(`asm_exc_nmi, ${name}`, fault === null && !boundHit && shown === core.ANY_NUMBER && states > 100);
  }

  checkStubMutants(core, program, result);

  const reduced = exploreAll(core, program, { kept: null, bounds: [bounds(2)], reduced: true });
  const whole = exploreAll(core, program, { kept: null, bounds: [bounds(2)], reduced: false });
  result.say(`  2 NMIs at chosen boundaries: ${sum(reduced)}; at every boundary: ${sum(whole)}; one state in ${Math.round(whole.states / reduced.states)}`);
  result.check('the reduction of boundaries agrees with none on the unmodified stub', whole.hit.length === 0 && whole.faults.join('\n') === reduced.faults.join('\n'), [...reduced.faults, ...whole.faults, ...whole.hit]);
  result.check(`the reductions leave one state in ${LEAST_RATIO} at most`, whole.states >= LEAST_RATIO * reduced.states);
}

/** Of each mutant of the stub the verdict for any number of NMIs, with the trace behind it, against that of two without reductions. */
function checkStubMutants(core, program, result) {
  const cases = nestingCases(core, program);
  const mutants = core.sampleOf(core.mutantsOf(program, (node) => node.symbol === 'asm_exc_nmi'), EVERY);
  const count = { compared: 0, violated: 0, large: 0 };
  const differ = [];
  mutants.forEach((mutant, at) => {
    const { variant, start } = cases[at % cases.length];
    const one = { setup: core.entrySetup(mutant.program), start };
    const say = ({ fault }) => (fault === null ? 'holds' : `${fault.kind} in ${fault.steps}`);
    const whole = explore(core, mutant.program, one, { kept: null, bounds: [bounds(2)], reduced: false, maxStates: MOST_OF_MUTANT });
    if (whole.boundHit && whole.fault === null) {
      count.large += 1;
      return;
    }
    const any = explore(core, mutant.program, one, { kept: core.newKeptWords(), bounds: core.NESTING_BOUNDS, reduced: true, maxStates: MOST_OF_MUTANT });
    count.compared += 1;
    if (whole.fault !== null) count.violated += 1;
    // Four NMIs may show what two do not.
    if (say(any) !== say(whole) && !(whole.fault === null && any.bounds.nmis > 2)) differ.push(`${mutant.title} on ${variant.name} from ${start.title}: ${say(any)} with reductions, ${say(whole)} without`);
  });
  result.say(`  ${count.compared} of ${mutants.length} mutants of the stub compared, ${count.violated} of them violated, ${count.large} too large without reductions; ${differ.length} differ`);
  result.check('mutants of asm_exc_nmi have the same verdict and shortest trace with reductions', differ.length === 0 && count.violated > 0, differ);
}
