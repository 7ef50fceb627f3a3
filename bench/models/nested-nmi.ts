// NMIs on an interrupt stack that starts at its top with every delivery, and the software protocol that lets them nest: a
// word that says that a handler runs, two copies of the frame, and a nested NMI that bends the copy which the outer one
// returns by. The facts are the manual's (an IRET, whichever it is, ends blocking by NMI) and those that can be read off
// Linux's entry code; the model is written for this bench.
import { all, any, choose, constant, equal, not, set, variable } from '../../server/src/core/explore/guarded.ts';
import type { DeadWords, Expression, GuardedModel, GuardedRule, Property, Update, Variable } from '../../server/src/core/explore/guarded.ts';
import { code, frame, pushed } from './code.ts';
import type { Instruction } from './code.ts';

/** Where RSP points. The SYSCALL gap runs on what user space left in it, which may be an address of the NMI stack. */
const stack = { thread: 0, nmi: 1, machineCheck: 2, debug: 3 } as const;
/** Whose fault address CR2 holds. */
const address = { none: 0, task: 1, handler: 2 } as const;
/** What RDX holds. */
const register = { own: 0, scratch: 1 } as const;

export interface NestedNmiOptions {
  readonly machineChecks: boolean;
  readonly debugTraps: boolean;
  /** Left out by name: mutants of the protocol. */
  readonly without?: readonly string[];
}

/** A copy of one frame into another, one word an instruction. */
function copy(name: string, from: string, to: string): readonly Instruction[] {
  const [source, target] = [frame(from), frame(to)];
  return [
    { name: `${name}: RSP`, set: [set(target.rsp, source.rsp)] },
    { name: `${name}: flags`, set: [set(target.flags, source.flags)] },
    { name: `${name}: RIP`, set: [set(target.rip, source.rip)] },
  ];
}

export function nestedNmi(options: NestedNmiOptions): GuardedModel {
  const without = new Set(options.without ?? []);
  const instructions: readonly Instruction[] = [
    // What runs when nothing has happened: kernel code with DF clear and set, and the SYSCALL gap.
    { name: 'task', set: [set('df', 1)] },
    { name: 'task with DF', set: [set('df', 0)] },
    { name: 'task, to user mode and back', set: [set('rsp', stack.nmi)] },
    { name: 'SYSCALL gap', set: [set('rsp', stack.thread)], to: 'task' },

    { name: 'NMI: clear DF', set: [set('df', 0)] },
    { name: 'NMI: save RDX', set: [set('saved', 'rdx')] },
    { name: 'NMI: load RIP', set: [set('rdx', register.scratch)], invisible: true },
    { name: 'NMI: did it hit the copying?', set: [], test: { kind: 'any', of: [] }, to: 'nested: restore RDX' },
    { name: 'NMI: is one running?', set: [], test: not(equal('running', 0)), to: 'nested: bend RSP' },
    { name: 'NMI: was RSP elsewhere?', set: [], test: not(equal('hardware.rsp', stack.nmi)), to: 'first: restore RDX' },
    { name: 'NMI: was DF clear?', set: [], test: equal('hardware.flags', 0), to: 'first: restore RDX' },

    { name: 'nested: bend RSP', set: [set('return.rsp', stack.nmi)] },
    { name: 'nested: bend flags', set: [set('return.flags', 0)] },
    { name: 'nested: bend RIP', set: [] },
    { name: 'nested: restore RDX', set: [set('rdx', 'saved')] },
    { name: 'nested: IRET', set: [], to: 'hardware' },

    { name: 'first: restore RDX', set: [set('rdx', 'saved')] },
    { name: 'first: none runs', set: [set('running', 0)] },
    ...copy('first: keep', 'hardware', 'kept'),

    { name: 'again: one runs', set: [set('running', 1)] },
    ...copy('again: fill', 'kept', 'return'),

    { name: 'handler: save registers', set: [set('regs.rdx', 'rdx')] },
    { name: 'handler: enter', set: [set('rdx', register.scratch)], invisible: true },
    { name: 'handler: save CR2', set: [set('regs.cr2', 'cr2')] },
    { name: 'handler: serve', set: [set('owed', 0)] },
    { name: 'handler: user access', set: [] },
    { name: 'handler: restore CR2', set: [set('cr2', 'regs.cr2')] },
    { name: 'handler: restore registers', set: [set('rdx', 'regs.rdx')] },
    { name: 'leave: set DF', set: [set('df', 1)] },
    { name: 'leave: none runs', set: [set('running', 0)] },
    { name: 'leave: IRET', set: [], to: 'return' },

    { name: 'fault: save registers', set: [] },
    { name: 'fault: read CR2', set: [] },
    { name: 'fault: mend', set: [], invisible: true },
    { name: 'fault: IRET', set: [], to: 'fault' },

    { name: 'machine check: clear DF', set: [set('df', 0)] },
    { name: 'machine check: save RDX', set: [set('check.rdx', 'rdx'), set('rdx', register.scratch)] },
    { name: 'machine check: handle', set: [], invisible: true },
    { name: 'machine check: restore RDX', set: [set('rdx', 'check.rdx')] },
    { name: 'machine check: clear MCIP', set: [set('mcip', 0)] },
    { name: 'machine check: IRET', set: [], to: 'check' },

    { name: 'debug: clear DF', set: [set('df', 0)] },
    { name: 'debug: save RDX', set: [set('trap.rdx', 'rdx'), set('rdx', register.scratch)] },
    { name: 'debug: disarm', set: [set('armed', 0)] },
    { name: 'debug: restore RDX', set: [set('rdx', 'trap.rdx')] },
    { name: 'debug: arm', set: [set('armed', 1)] },
    { name: 'debug: IRET', set: [], to: 'trap' },
  ];
  return model(instructions.map((one) => (without.has(one.name) ? { ...one, set: [], ...(one.test === undefined ? {} : { test: constant(0) }) } : one)), options);
}

function model(written: readonly Instruction[], options: NestedNmiOptions): GuardedModel {
  const names = code(written.map(({ name }) => ({ name, set: [] })));
  const at = names.at;
  const [onThread, onNmi] = [stack.thread, stack.nmi];
  const copying = names.within(variable('hardware.rip'), 'again: one runs', 'again: fill: RIP');
  const inTask = (pc: Expression): Expression => names.within(pc, 'task', 'SYSCALL gap');
  const inFault = names.within(variable('pc'), 'fault: save registers', 'fault: IRET');

  const live = (prefix: string, value: 0 | 1): Update => set(`${prefix} live`, value);
  /** A frame is written while the one before it in the same place is still needed. */
  const overwrites = (prefix: string): Update => set('overwritten', choose(equal(`${prefix} live`, 0), variable('overwritten'), constant(1)));

  /** IRET by a frame: ends blocking by NMI, and is checked where it leads back to what was interrupted first. */
  function back(prefix: string | ((word: 'rip' | 'rsp' | 'flags') => Expression), extra: readonly Update[] = []): readonly Update[] {
    const word = typeof prefix === 'string' ? (one: 'rip' | 'rsp' | 'flags'): Expression => variable(frame(prefix)[one]) : prefix;
    const rip = word('rip');
    const faithful = all(
      equal(rip, 'truth'),
      equal(word('rsp'), choose(equal(rip, at('SYSCALL gap')), constant(onNmi), constant(onThread))),
      equal(word('flags'), equal(rip, at('task with DF'))),
      equal('rdx', register.own),
    );
    return [
      set('rsp', word('rsp')),
      set('df', word('flags')),
      set('blocked', 0),
      set('wrong', choose(all(inTask(rip), not(faithful)), constant(1), variable('wrong'))),
      set('truth', choose(inTask(rip), constant(0), variable('truth'))),
      ...extra,
    ];
  }

  const instructions = written.map((one): Instruction => {
    switch (one.name) {
      case 'NMI: did it hit the copying?':
        return one.test?.kind === 'constant' ? one : { ...one, test: copying };
      case 'first: keep: RSP':
        return { ...one, set: [...one.set, overwrites('kept'), live('kept', 1)] };
      case 'first: keep: RIP':
        return { ...one, set: [...one.set, live('hardware', 0)] };
      case 'nested: bend RIP':
        return { ...one, set: [set('return.rip', at('again: one runs'))] };
      case 'nested: IRET':
        return { ...one, to: variable('hardware.rip'), set: back('hardware', [live('hardware', 0)]) };
      case 'leave: IRET':
        return { ...one, to: variable('return.rip'), set: back('return', [set('kept live', equal('return.rip', at('again: one runs')))]) };
      case 'machine check: IRET':
        return { ...one, to: variable('check.rip'), set: back('check', [live('check', 0)]) };
      case 'debug: IRET':
        return { ...one, to: variable('trap.rip'), set: back('trap', [live('trap', 0)]) };
      case 'fault: read CR2':
        return { ...one, set: [set('mistaken', choose(equal('cr2', choose(equal('rsp', onNmi), constant(address.handler), constant(address.task))), variable('mistaken'), constant(1)))] };
      case 'fault: IRET': {
        const word = (name: 'rip' | 'rsp' | 'flags'): Expression => choose(equal('rsp', onNmi), variable(frame('inner')[name]), variable(frame('outer')[name]));
        return { ...one, to: word('rip'), set: back(word, [set('inner live', choose(equal('rsp', onNmi), constant(0), variable('inner live'))), set('outer live', choose(equal('rsp', onNmi), variable('outer live'), constant(0)))]) };
      }
      default:
        return one;
    }
  });
  const program = code(instructions);
  /** Before an NMI that waits and is not blocked, nothing else happens. */
  const ready = any(equal('latch', 0), equal('blocked', 1));

  /** What every delivery does besides its own frame. */
  const remember = set('truth', choose(inTask(variable('pc')), variable('pc'), variable('truth')));
  const nmi: readonly Update[] = [...pushed('hardware'), remember, set('pc', at('NMI: clear DF')), set('rsp', onNmi), set('blocked', 1), set('owed', 1), live('hardware', 1), overwrites('hardware')];
  const inBody = any(equal('pc', at('handler: serve')), equal('pc', at('handler: user access')));

  const events: readonly GuardedRule[] = [
    { name: 'NMI', when: [equal('blocked', 0), equal('latch', 0)], set: nmi, event: 'nmi' },
    { name: 'NMI waits', when: [equal('blocked', 1), equal('latch', 0)], set: [set('latch', 1)], event: 'nmi' },
    { name: 'NMI that waited', when: [equal('blocked', 0), equal('latch', 1)], set: [...nmi, set('latch', 0)], event: null },
    {
      name: 'fault in the task',
      when: [any(equal('pc', at('task')), equal('pc', at('task, to user mode and back'))), ready],
      set: [...pushed('outer'), live('outer', 1), overwrites('outer'), remember, set('cr2', address.task), set('pc', at('fault: save registers'))],
      event: 'fault',
    },
    {
      name: 'fault in the handler',
      when: [inBody, ready],
      set: [...pushed('inner'), live('inner', 1), overwrites('inner'), set('cr2', address.handler), set('pc', at('fault: save registers'))],
      event: 'fault',
    },
    ...(options.machineChecks
      ? [{ name: 'machine check', when: [equal('mcip', 0), ready], set: [...pushed('check'), live('check', 1), overwrites('check'), remember, set('mcip', 1), set('pc', at('machine check: clear DF')), set('rsp', stack.machineCheck)], event: 'machine check' }]
      : []),
    ...(options.debugTraps
      ? [{ name: 'debug trap', when: [equal('armed', 1), any(all(inFault, equal('rsp', onThread)), equal('pc', at('task')), equal('pc', at('task with DF'))), ready], set: [...pushed('trap'), live('trap', 1), overwrites('trap'), remember, set('pc', at('debug: clear DF')), set('rsp', stack.debug)], event: 'debug trap' }]
      : []),
  ];

  const optional = { check: options.machineChecks, trap: options.debugTraps };
  const unused = (rule: GuardedRule): boolean => (!optional.check && rule.name.startsWith('machine check')) || (!optional.trap && rule.name.startsWith('debug'));
  const locations = instructions.length;
  const one = (name: string, values: number, component: string, initial = 0): Variable => ({ name, values, initial, component });
  const words = (prefix: string, component: string): readonly Variable[] => [one(`${prefix}.rip`, locations, component), one(`${prefix}.rsp`, 4, component), one(`${prefix}.flags`, 2, component)];
  const variables: readonly Variable[] = [
    one('pc', locations, 'cpu'),
    one('rsp', 4, 'cpu'),
    one('df', 2, 'cpu'),
    one('rdx', 2, 'cpu'),
    one('blocked', 2, 'cpu'),
    one('latch', 2, 'cpu'),
    one('cr2', 3, 'cpu'),
    one('owed', 2, 'cpu'),
    one('wrong', 2, 'cpu'),
    one('mistaken', 2, 'cpu'),
    one('truth', 4, 'cpu'),
    one('overwritten', 2, 'cpu'),
    one('hardware live', 2, 'cpu'),
    one('kept live', 2, 'cpu'),
    one('running', 2, 'nmi stack'),
    one('saved', 2, 'nmi stack'),
    ...words('hardware', 'nmi stack'),
    ...words('kept', 'nmi copies'),
    ...words('return', 'nmi copies'),
    one('regs.rdx', 2, 'nmi stack'),
    one('regs.cr2', 3, 'nmi stack'),
    one('outer live', 2, 'faults'),
    ...words('outer', 'faults'),
    one('inner live', 2, 'faults'),
    ...words('inner', 'faults'),
    ...(optional.check ? [one('mcip', 2, 'other stacks'), one('check live', 2, 'other stacks'), one('check.rdx', 2, 'other stacks'), ...words('check', 'other stacks')] : []),
    ...(optional.trap ? [one('armed', 2, 'other stacks', 1), one('trap live', 2, 'other stacks'), one('trap.rdx', 2, 'other stacks'), ...words('trap', 'other stacks')] : []),
  ];
  const never = (name: string, ...when: Expression[]): Property => ({ name, kind: 'never', when });
  const ofFrame = (prefix: string): readonly string[] => Object.values(frame(prefix));
  const dead: readonly DeadWords[] = [
    { when: [equal('hardware live', 0)], variables: [...ofFrame('hardware'), 'saved'] },
    { when: [equal('kept live', 0)], variables: [...ofFrame('kept'), ...ofFrame('return'), 'regs.rdx', 'regs.cr2'] },
    { when: [equal('inner live', 0)], variables: ofFrame('inner') },
    { when: [equal('outer live', 0)], variables: ofFrame('outer') },
    ...(optional.check ? [{ when: [equal('check live', 0)], variables: [...ofFrame('check'), 'check.rdx'] }] : []),
    ...(optional.trap ? [{ when: [equal('trap live', 0)], variables: [...ofFrame('trap'), 'trap.rdx'] }] : []),
  ];
  const iret = (name: string, prefix: string, ...by: Expression[]): Property => never(`${name} by a frame that is not live`, equal('pc', at(name)), equal(`${prefix} live`, 0), ...by);
  return {
    name: 'nested-nmi',
    variables,
    rules: [...program.rules(ready), ...events].filter((rule) => !unused(rule)),
    properties: [
      never('what was interrupted goes on elsewhere or changed', equal('wrong', 1)),
      never('a fault handler sees the address of another fault', equal('mistaken', 1)),
      never('an NMI is forgotten', equal('owed', 1), equal('blocked', 0), equal('latch', 0), inTask(variable('pc'))),
      never('a live frame is overwritten', equal('overwritten', 1)),
      iret('nested: IRET', 'hardware'),
      iret('leave: IRET', 'kept'),
      iret('fault: IRET', 'inner', equal('rsp', onNmi)),
      iret('fault: IRET', 'outer', not(equal('rsp', onNmi))),
      ...(optional.check ? [iret('machine check: IRET', 'check')] : []),
      ...(optional.trap ? [iret('debug: IRET', 'trap')] : []),
      { name: 'an NMI nests', kind: 'reachable', when: [equal('pc', at('nested: bend RIP'))] },
    ],
    dead,
    visible: program.visible,
  };
}
