// #VE on an interrupt stack, guarded by the word that hardware sets and software clears, and the ways to clear it. NMIs
// copy user memory that fails; that NMIs may nest is taken as given: a nested one notes itself and goes away. The facts
// are the manual's; the designs are those of the discussion that the fixtures come from.
import { all, any, choose, constant, equal, not, set, variable } from '../../server/src/core/explore/guarded.ts';
import type { DeadWords, Expression, GuardedModel, GuardedRule, Property, Update, Variable } from '../../server/src/core/explore/guarded.ts';
import { code, frame } from './code.ts';
import type { Instruction } from './code.ts';

const stack = { thread: 0, nmi: 1, exception: 2 } as const;

export type RearmDesign = 'self-ipi' | 'self-ipi-irqs-on' | 'clear-on-ist';

export interface VirtualizationOptions {
  readonly design: RearmDesign;
  /** Every access may fail, not only the copies of user memory. */
  readonly anywhere: boolean;
  /** Instructions left out by name: mutants. */
  readonly without?: readonly string[];
}

const accesses = ['task: copy', 'task: copy, interrupts off', 'NMI: first copy', 'NMI: second copy', '#VE: look at the guest'];

export function virtualization(options: VirtualizationOptions): GuardedModel {
  const without = new Set(options.without ?? []);
  const irqsOn = options.design === 'self-ipi-irqs-on';
  const clears = options.design === 'clear-on-ist';
  const instructions: readonly Instruction[] = [
    { name: 'task: copy', set: [] },
    { name: 'task: CLI', set: [set('if', 0)] },
    { name: 'task: copy, interrupts off', set: [] },
    { name: 'task: STI', set: [set('if', 1)], to: 'task: copy' },

    { name: 'NMI: enter', set: [set('running', 1)] },
    { name: 'NMI: first copy', set: [] },
    { name: 'NMI: second copy', set: [] },
    { name: 'NMI: work', set: [], invisible: true },
    { name: 'NMI: was there another?', set: [set('noted', 0)], test: equal('noted', 1), to: 'NMI: first copy' },
    { name: 'NMI: none runs', set: [set('running', 0)] },
    { name: 'NMI: IRET', set: [], to: 'nmi' },

    { name: 'nested NMI: note', set: [set('noted', 1)] },
    { name: 'nested NMI: IRET', set: [], to: 'nested' },

    { name: '#VE: enter', set: [], invisible: true },
    ...(irqsOn ? [{ name: '#VE: STI', set: [set('if', 1)] }] : []),
    { name: '#VE: look at the guest', set: [] },
    { name: '#VE: ask the host', set: [], invisible: true },
    ...(clears ? [{ name: '#VE: clear the word', set: [set('word', 0)] }] : [{ name: '#VE: send the IPI', set: [set('sent', 1)] }]),
    ...(irqsOn ? [{ name: '#VE: CLI', set: [set('if', 0)] }] : []),
    { name: '#VE: leave', set: [], invisible: true },
    { name: '#VE: IRET', set: [], to: 've' },

    { name: 'IPI: enter', set: [], invisible: true },
    { name: 'IPI: clear the word', set: [set('word', 0)] },
    { name: 'IPI: end of interrupt', set: [], invisible: true },
    { name: 'IPI: IRET', set: [], to: 'ipi' },
  ];
  return model(instructions.map((one) => (without.has(one.name) ? { ...one, set: [] } : one)), options);
}

/** The words of a frame that matter here: where to, on which stack, with interrupts on or off. */
function pushed(prefix: string): readonly Update[] {
  const words = frame(prefix);
  return [set(words.rip, 'pc'), set(words.rsp, 'rsp'), set(words.flags, 'if')];
}

function model(written: readonly Instruction[], options: VirtualizationOptions): GuardedModel {
  const names = code(written.map(({ name }) => ({ name, set: [] })));
  const at = names.at;
  const inTask = (pc: Expression): Expression => names.within(pc, 'task: copy', 'task: STI');
  const prefixes = ['nmi', 'nested', 've', 'ipi'] as const;
  type Prefix = (typeof prefixes)[number];

  const began = (prefix: Prefix): readonly Update[] => [
    ...pushed(prefix),
    set(`${prefix} live`, 1),
    set('overwritten', choose(equal(`${prefix} live`, 0), variable('overwritten'), constant(1))),
    set('truth', choose(inTask(variable('pc')), variable('pc'), variable('truth'))),
    set('if', 0),
  ];

  function back(prefix: Prefix): readonly Update[] {
    const { rip, rsp, flags } = frame(prefix);
    const interruptsOff = any(equal(rip, at('task: copy, interrupts off')), equal(rip, at('task: STI')));
    const faithful = all(equal(rip, 'truth'), equal(rsp, stack.thread), equal(flags, not(interruptsOff)));
    return [
      set('rsp', rsp),
      set('if', flags),
      set('blocked', 0),
      set(`${prefix} live`, 0),
      set('wrong', choose(all(inTask(variable(rip)), not(faithful)), constant(1), variable('wrong'))),
      set('truth', choose(inTask(variable(rip)), constant(0), variable('truth'))),
    ];
  }

  const instructions = written.map((one): Instruction => {
    const prefix = prefixes.find((name) => name === one.to);
    return prefix === undefined ? one : { ...one, to: variable(frame(prefix).rip), set: back(prefix) };
  });
  const program = code(instructions);
  /** Before what waits and is not held off, nothing else happens. */
  const noNmi = any(equal('latch', 0), equal('blocked', 1));
  const noInterrupt = any(equal('sent', 0), equal('if', 0));
  const ready = all(noNmi, noInterrupt);
  const fails = options.anywhere ? constant(1) : any(...accesses.map((name) => equal('pc', at(name))));

  const nmi = [...began('nmi'), set('pc', at('NMI: enter')), set('rsp', stack.nmi), set('blocked', 1)];
  const nested = [...began('nested'), set('pc', at('nested NMI: note')), set('rsp', stack.nmi), set('blocked', 1)];
  const nmiLive = not(equal('nmi live', 0));
  const events: readonly GuardedRule[] = [
    { name: 'NMI', when: [equal('blocked', 0), equal('latch', 0), not(nmiLive)], set: nmi, event: 'nmi' },
    { name: 'nested NMI', when: [equal('blocked', 0), equal('latch', 0), nmiLive], set: nested, event: 'nmi' },
    { name: 'NMI waits', when: [equal('blocked', 1), equal('latch', 0)], set: [set('latch', 1)], event: 'nmi' },
    { name: 'NMI that waited', when: [equal('blocked', 0), equal('latch', 1), not(nmiLive)], set: [...nmi, set('latch', 0)], event: null },
    { name: 'nested NMI that waited', when: [equal('blocked', 0), equal('latch', 1), nmiLive], set: [...nested, set('latch', 0)], event: null },
    { name: 'IPI', when: [equal('sent', 1), equal('if', 1), noNmi], set: [...began('ipi'), set('sent', 0), set('pc', at('IPI: enter'))], event: null },
    { name: '#VE', when: [equal('word', 0), fails, ready], set: [...began('ve'), set('word', 1), set('pc', at('#VE: enter')), set('rsp', stack.exception)], event: 'violation' },
  ];

  const one = (name: string, values: number, component: string, initial = 0): Variable => ({ name, values, initial, component });
  const locations = instructions.length;
  const words = (prefix: Prefix, component: string): readonly Variable[] => [one(`${prefix} live`, 2, component), one(`${prefix}.rip`, locations, component), one(`${prefix}.rsp`, 3, component), one(`${prefix}.flags`, 2, component)];
  const dead: readonly DeadWords[] = prefixes.map((prefix) => ({ when: [equal(`${prefix} live`, 0)], variables: Object.values(frame(prefix)) }));
  const never = (name: string, ...when: Expression[]): Property => ({ name, kind: 'never', when });
  return {
    name: `virtualization-${options.design}`,
    variables: [
      one('pc', locations, 'cpu'),
      one('rsp', 3, 'cpu'),
      one('if', 2, 'cpu', 1),
      one('blocked', 2, 'cpu'),
      one('latch', 2, 'cpu'),
      one('sent', 2, 'cpu'),
      one('word', 2, 'cpu'),
      one('running', 2, 'cpu'),
      one('noted', 2, 'cpu'),
      one('truth', 4, 'cpu'),
      one('overwritten', 2, 'cpu'),
      one('wrong', 2, 'cpu'),
      ...words('nmi', 'nmi stack'),
      ...words('nested', 'nmi stack'),
      ...words('ve', 'exception stack'),
      ...words('ipi', 'interrupt frame'),
    ],
    rules: [...program.rules(ready), ...events],
    properties: [
      never('a live frame is overwritten', equal('overwritten', 1)),
      never('what was interrupted goes on elsewhere or changed', equal('wrong', 1)),
      ...prefixes.map((prefix) => never(`IRET by a frame of ${prefix} that is not live`, equal('pc', at(prefix === 'nmi' ? 'NMI: IRET' : prefix === 'nested' ? 'nested NMI: IRET' : prefix === 've' ? '#VE: IRET' : 'IPI: IRET')), equal(`${prefix} live`, 0))),
      { name: 'the word is set in an NMI', kind: 'reachable', when: [equal('word', 1), equal('rsp', stack.exception), equal('nmi live', 1)] },
    ],
    dead,
    visible: program.visible,
  };
}
