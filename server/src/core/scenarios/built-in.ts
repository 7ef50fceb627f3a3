// The scenarios that ship: the situations that decide between designs of handlers for failing memory. Data only; none
// names a design, and no verdict is stored.
import { never, reachable } from './expectations.ts';
import type { EventName, FailableMemory, Scenario } from './scenario.ts';

/** What the built-in scenarios share. Bounds are those of the strategy table's exhaustive search. */
const common = {
  delivery: 'idt',
  machine: { vendor: null, guest: null, features: [] },
  start: ['user', 'kernel', 'kernel-irqs-off'],
  first: null,
  initial: { interruptFlag: null, gs: null, cr3: null, registers: new Map<string, string>() },
  steps: [],
  guards: [],
  handlers: [],
  awaited: 'holds',
  where: [],
  depth: 6,
  maxStates: 2_000_000,
  place: null,
} satisfies Partial<Scenario>;

/** A user page that fails at every access: what RBP points at in the mail's corner case. */
function failingPage(...raises: readonly string[]): FailableMemory {
  return { name: 'user_frame', raises, resolves: 'never', mapped: 'user' };
}

const veInTask: Scenario = {
  ...common,
  name: 've-in-task',
  title: '#VE in a task',
  why: 'Any memory access of a task may fail, the access behind it may fail again, and an NMI may come in between',
  needs: ['VE'],
  budgets: [
    { event: 'VE', count: 3 },
    { event: 'NMI', count: 1 },
  ],
  memory: [failingPage('VE')],
  expect: [
    never('live-frame-overwritten', 'XR-VE01'),
    never('guard-busy-at-quiescence', 'XR-VE03'),
    never('double-fault', null),
    never('shutdown', null),
    reachable('event(VE)', 'without a #VE nothing is said about its handler'),
  ],
};

const perfNmiUserCopyFailsTwice: Scenario = {
  ...common,
  name: 'perf-nmi-user-copy-fails-twice',
  title: 'perf NMI whose user copy fails twice',
  why: 'A perf NMI reads user memory through a frame pointer into failing memory, recovers by the exception table, and hits the same failure again before the NMI ends',
  needs: ['NMI', 'VE'],
  first: 'NMI',
  budgets: [
    { event: 'NMI', count: 2 },
    { event: 'VE', count: 3 },
  ],
  memory: [failingPage('VE')],
  expect: [
    never('live-frame-overwritten', 'XR-VE01'),
    never('guard-busy-at-quiescence', 'XR-VE03'),
    never('double-fault', null),
    never('shutdown', null),
    reachable('event(VE) in NMI', 'the user copy of the NMI must fail at least once'),
  ],
};

const perfNmiMcTwice: Scenario = {
  ...common,
  name: 'perf-nmi-mc-twice',
  title: 'perf NMI whose user copy meets #MC twice',
  why: 'The same as with #VE, but the failing memory reports itself by a machine check, whose fallback is shutdown',
  needs: ['NMI', 'MC'],
  first: 'NMI',
  budgets: [
    { event: 'NMI', count: 2 },
    { event: 'MC', count: 3 },
  ],
  memory: [failingPage('MC')],
  expect: [never('live-frame-overwritten', 'XR-MC01'), reachable('event(MC) in NMI', 'the user copy of the NMI must meet a machine check at least once')],
};

const veInSyscallGap: Scenario = {
  ...common,
  name: 've-in-syscall-gap',
  title: '#VE between SYSCALL and the stack switch',
  why: 'Behind SYSCALL the CPU is in kernel mode on a stack pointer that user space chose; a fault there without IST writes its frame where user space wants it',
  needs: ['VE'],
  start: ['gap'],
  budgets: [
    { event: 'VE', count: 2 },
    { event: 'NMI', count: 1 },
  ],
  memory: [failingPage('VE')],
  expect: [
    never('frame-on-user-stack', 'XR-VE10'),
    never('live-frame-overwritten', 'XR-VE07'),
    never('guard-busy-at-quiescence', 'XR-VE03'),
    never('double-fault', null),
    never('shutdown', null),
    reachable('event(VE) at gap', 'the failure must hit the gap itself'),
  ],
};

const mcThenMcInTail: Scenario = {
  ...common,
  name: 'mc-then-mc-in-tail',
  title: '#MC again in the tail of the #MC handler',
  why: 'Once the handler has cleared MCIP on its IST stack, a second machine check before IRET rewinds that stack',
  needs: ['MC'],
  first: 'MC',
  budgets: [
    { event: 'MC', count: 2 },
    { event: 'NMI', count: 1 },
  ],
  memory: [failingPage('MC')],
  expect: [
    never('live-frame-overwritten', 'XR-MC01'),
    reachable('event(MC)', 'without a machine check nothing is said about its handler'),
    reachable('fallback(shutdown)', 'a second machine check must have been tried while MCIP was set'),
  ],
};

const nmiInVePrologue: Scenario = {
  ...common,
  name: 'nmi-in-ve-prologue',
  title: 'NMI in the prologue of the #VE handler',
  why: 'NMI is not masked by a #VE delivery, so its handler may touch failing memory before the #VE handler has read the information area',
  needs: ['VE', 'NMI'],
  first: 'VE',
  budgets: [
    { event: 'VE', count: 2 },
    { event: 'NMI', count: 1 },
  ],
  memory: [failingPage('VE')],
  expect: [
    never('live-frame-overwritten', 'XR-VE01'),
    never('guard-busy-at-quiescence', 'XR-VE03'),
    never('double-fault', null),
    reachable('event(NMI) in VE', 'the NMI must interrupt the handler'),
  ],
};

const selfIpiOnIst: Scenario = {
  ...common,
  name: 'self-ipi-on-ist',
  title: 'Self-IPI taken while the #VE frame is live',
  why: 'The deferred re-arm is safe only if its interrupt cannot arrive before the IST frame is dead',
  needs: ['VE', 'IRQ'],
  first: 'VE',
  budgets: [{ event: 'VE', count: 2 }],
  memory: [failingPage('VE')],
  expect: [
    never('live-frame-overwritten', 'XR-VE04'),
    never('guard-busy-at-quiescence', 'XR-VE03'),
    reachable('event(IRQ)', 'the deferral must run at least once'),
  ],
};

const apfFlagsStolenByNmi: Scenario = {
  ...common,
  name: 'apf-flags-stolen-by-nmi',
  title: "Asynchronous page fault's flags consumed by an NMI's #PF",
  why: 'The host writes one flags word and injects #PF; an NMI before the handler reads it takes a real #PF, which must leave the word alone',
  needs: ['PF', 'NMI'],
  start: ['user'],
  first: 'PF',
  budgets: [
    { event: 'PF', count: 2 },
    { event: 'NMI', count: 1 },
  ],
  memory: [failingPage('PF')],
  expect: [never('word-consumed-by-nested', 'XR-VE15'), never('double-fault', null), reachable('event(PF) in NMI', 'the user copy of the NMI must take a page fault')],
};

const pfInNmiPrologue: Scenario = {
  ...common,
  name: 'pf-in-nmi-prologue',
  title: '#PF in the prologue of the NMI handler',
  why: 'The IRET that ends a fault inside the NMI handler unblocks NMIs, before the handler may have published that it runs',
  needs: ['NMI', 'PF'],
  first: 'NMI',
  budgets: [
    { event: 'NMI', count: 2 },
    { event: 'PF', count: 1 },
  ],
  memory: [failingPage('PF')],
  expect: [never('live-frame-overwritten', 'XR-NMI01'), never('nmi-lost', 'XR-NMI02'), reachable('event(PF) in NMI', 'a fault must hit the NMI handler')],
};

const fredNmiMcSameLevel: Scenario = {
  ...common,
  name: 'fred-nmi-mc-same-level',
  title: 'NMI and #MC on one FRED stack level',
  why: 'FRED stack levels do not rewind, so two vectors may share one without overwriting each other',
  delivery: 'fred',
  needs: ['NMI', 'MC'],
  first: 'NMI',
  budgets: [
    { event: 'NMI', count: 2 },
    { event: 'MC', count: 1 },
  ],
  memory: [failingPage('MC')],
  expect: [never('live-frame-overwritten', 'XR-FRD01'), never('nmi-lost', 'XR-FRD02'), reachable('event(MC) in NMI', 'the two must nest')],
};

const nmiNested: Scenario = {
  ...common,
  name: 'nmi-nested',
  title: 'NMI inside NMI',
  why: 'A breakpoint or fault in the NMI handler ends with IRET and unblocks NMIs, so the next NMI arrives on the same IST stack',
  needs: ['NMI'],
  first: 'NMI',
  budgets: [
    { event: 'NMI', count: 3 },
    { event: 'BP', count: 1 },
    { event: 'PF', count: 1 },
    { event: 'VE', count: 1 },
    { event: 'MC', count: 1 },
  ],
  // Any of them ends with IRET; a unit has those that it handles.
  memory: [failingPage('PF', 'VE', 'MC')],
  expect: [never('live-frame-overwritten', 'XR-NMI02'), never('nmi-lost', 'XR-NMI02'), reachable('event(NMI) in NMI', 'an NMI must arrive while another is handled')],
};

const unhandledSecondFailure: Scenario = {
  ...common,
  name: 'unhandled-second-failure',
  title: 'Second failure while the word is set',
  why: 'A violation that finds the re-entrancy word set is an ordinary VM exit: not lost and no double fault, but the host must decide',
  needs: ['VE'],
  first: 'VE',
  budgets: [{ event: 'VE', count: 2 }],
  memory: [failingPage('VE')],
  expect: [
    never('fallback(df)', 'XR-VE05'),
    never('fallback(shutdown)', 'XR-VE05'),
    never('live-frame-overwritten', 'XR-VE01'),
    reachable('fallback(vmexit)', 'a second violation must meet the word set'),
  ],
};

/** What a handler does that no scenario above is about: its event comes once, and nothing else does. */
export function aloneScenario(event: EventName): Scenario {
  return {
    ...common,
    name: `${event.toLowerCase()}-alone`,
    title: `${event} alone`,
    why: 'A handler that nothing interrupts must come back as it was entered; of a design without NMI, #VE or #MC that is what there is to run',
    needs: [event],
    budgets: [{ event, count: 1 }],
    memory: [failingPage(event)],
    expect: [never('live-frame-overwritten', null), never('double-fault', null), never('shutdown', null), reachable(`event(${event})`, 'without the event nothing is said about its handler')],
  };
}

export const builtInScenarios: readonly Scenario[] = [
  veInTask,
  perfNmiUserCopyFailsTwice,
  perfNmiMcTwice,
  veInSyscallGap,
  mcThenMcInTail,
  nmiInVePrologue,
  selfIpiOnIst,
  apfFlagsStolenByNmi,
  pfInNmiPrologue,
  fredNmiMcSameLevel,
  nmiNested,
  unhandledSecondFailure,
];
