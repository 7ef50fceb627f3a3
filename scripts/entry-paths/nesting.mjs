// The NMI stub entered again while it runs, explored exhaustively: more nested NMIs than the review asks for, a
// breakpoint and a page fault in each C handler, from every start. And the reduction of boundaries against none.
import { configurations, createTree } from './core.mjs';

const MOST_STATES = 6_000_000;
const BREAKPOINT = 3;
const PAGE_FAULT = 14;

const bounds = (nmis) => ({ nmis, traps: new Map([[BREAKPOINT, 1], [PAGE_FAULT, 1]]) });

/** One start explored to its end: the fault that is found first, or null. */
function explore(core, program, setup, start, limits, reduced) {
  const model = core.nestingModel(program, setup, start, limits, reduced);
  let fault = null;
  const explorer = core.createExplorer(model, MOST_STATES, {
    onTransition: (from, _before, _choice, transition) => {
      if (fault !== null) return;
      const found = core.nestingFault(setup, transition, start);
      if (found !== null) fault = { kind: found.kind, what: found.what, steps: explorer.depthOf(from) + transition.weight };
    },
    enough: () => fault !== null,
  });
  let progress;
  do progress = explorer.run(100_000);
  while (!progress.done);
  return { fault, states: progress.states, transitions: progress.transitions, depth: progress.depth, boundHit: progress.boundHit };
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

/** Runs every case and adds up. */
export function exploreAll(core, program, nmis, reduced) {
  const started = Date.now();
  const total = { states: 0, transitions: 0, depth: 0, faults: [], hit: [], seconds: 0 };
  for (const { variant, setup, start } of nestingCases(core, program)) {
    const one = explore(core, program, setup, start.state, bounds(nmis), reduced);
    total.states += one.states;
    total.transitions += one.transitions;
    total.depth = Math.max(total.depth, one.depth);
    if (one.fault !== null) total.faults.push(`${variant.name}, ${start.title}: ${one.fault.what}, ${one.fault.steps} steps`);
    if (one.boundHit) total.hit.push(`${variant.name}, ${start.title}: more than ${MOST_STATES} states`);
  }
  total.seconds = (Date.now() - started) / 1000;
  return total;
}

export function checkNesting(core, root, disk, result) {
  const [{ name }] = configurations(root);
  const tree = createTree(core, root, disk);
  const { program } = tree.program(name, 'idt');
  const sum = (total) => `${total.states} states, ${total.transitions} transitions, depth ${total.depth}, ${total.seconds.toFixed(1)} s`;

  for (const { variant, setup, start } of nestingCases(core, program)) {
    const began = Date.now();
    const one = explore(core, program, setup, start.state, bounds(4), true);
    const name = `4 NMIs on ${variant.name} from ${start.title}`;
    result.say(`  ${name}: ${one.fault === null ? 'holds' : one.fault.what}, ${one.states} states, ${one.transitions} transitions, depth ${one.depth}, ${((Date.now() - began) / 1000).toFixed(1)} s`);
    result.check(`asm_exc_nmi, ${name}`, one.fault === null && !one.boundHit && one.states > 100);
  }

  const reduced = exploreAll(core, program, 2, true);
  const whole = exploreAll(core, program, 2, false);
  result.say(`  2 NMIs at chosen boundaries: ${sum(reduced)}; at every boundary: ${sum(whole)}`);
  result.check('the reduction of boundaries agrees with none on the unmodified stub', whole.hit.length === 0 && whole.faults.join('\n') === reduced.faults.join('\n'), [...reduced.faults, ...whole.faults, ...whole.hit]);
}
