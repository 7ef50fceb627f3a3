// Reads the user's scenario files, YAML or JSON, into the same type as the built-in scenarios. Strict: a file with any
// problem yields no scenario, because a misspelt expectation would pass by never being looked at.
import { quoted } from '../base/quoted.ts';
import type { Place } from '../base/span.ts';
import { headOf, readInteger, readList, readMap, readOpenMap, readPattern, readText, readTree, readWord, reportUnknown } from '../base/yaml-tree.ts';
import type { TreeNode, TreeProblem, TreeReport } from '../base/yaml-tree.ts';
import { eventNames } from './event-names.ts';
import { never, reachable, readExpectations } from './expectations.ts';
import { defaultGuard, readEvent, readGuards, readHandlers, readName } from './handlers.ts';
import { reportDangling } from './scenario-names.ts';
import type { AbstractHandler, Budget, EventName, Expectation, FailableMemory, Scenario, ScenarioGuard, ScenarioInitial, ScenarioMachine, ScenarioStep, StartContext } from './scenario.ts';

export interface ScenarioProblem {
  readonly place: Place;
  readonly message: string;
  readonly suggestion: string | null;
}

export interface ScenarioFile {
  readonly scenarios: readonly Scenario[];
  readonly problems: readonly ScenarioProblem[];
}

const scenarioFileName = /\.xctx-scenario\.(?:ya?ml|json)$/;
const topKeys = ['xctx-scenario', 'name', 'title', 'why', 'machine', 'handlers', 'guards', 'memory', 'initial', 'steps', 'explore', 'expect', 'verdict'];
const defaultStarts: readonly StartContext[] = ['user', 'kernel', 'kernel-irqs-off'];
const startContexts: readonly StartContext[] = ['user', 'kernel', 'kernel-irqs-off', 'gap'];
const defaultDepth = 6;
const defaultStates = 500_000;

export function isScenarioFile(path: string): boolean {
  return scenarioFileName.test(path);
}

/** Reads every document of the file. */
export function parseScenarios(file: string, text: string): ScenarioFile {
  const tree = readTree(text);
  const problems: TreeProblem[] = [...tree.problems];
  const scenarios: Scenario[] = [];
  if (tree.documents.length === 0 && problems.length === 0) {
    problems.push({ span: { start: 0, end: Math.min(1, text.length) }, message: 'the file holds no scenario, write at least `name` and `handlers`', suggestion: null });
  }
  for (const document of tree.documents) {
    const found: TreeProblem[] = [];
    const scenario = readScenario(file, document, (span, message, suggestion = null) => found.push({ span, message, suggestion }));
    if (scenario !== null && found.length === 0 && tree.problems.length === 0) scenarios.push(scenario);
    problems.push(...found);
  }
  return { scenarios, problems: problems.map(({ span, message, suggestion }) => ({ place: { file, span }, message, suggestion })) };
}

function readScenario(file: string, node: TreeNode, report: TreeReport): Scenario | null {
  const map = readMap(node, 'a scenario', topKeys, ['name', 'handlers'], report);
  if (map === null) return null;
  const read = <T>(key: string, reader: (value: TreeNode) => T | null): T | null => {
    const entry = map.get(key);
    return entry === undefined ? null : reader(entry.value);
  };
  read('xctx-scenario', (value) => readInteger(value, '`xctx-scenario`', 1, 1, report));
  const name = read('name', (value) => readPattern(value, '`name`', /^[A-Za-z0-9][\w.-]*$/, 'letters, digits, - and _', report));
  const handlers = read('handlers', (value) => readHandlers(file, value, report)) ?? [];
  const machine = read('machine', (value) => readMachine(value, report));
  const guards = read('guards', (value) => readGuards(value, handlers, report)) ?? impliedGuards(handlers);
  const memory = read('memory', (value) => readMemories(value, handlers, report)) ?? [{ name: 'user_frame', raises: raisedBy(handlers), resolves: 'never', mapped: 'user' }];
  const initial = read('initial', (value) => readInitial(value, report));
  const steps = read('steps', (value) => readSteps(file, value, report)) ?? [];
  const explore = readExplore(map.get('explore')?.value ?? null, memory, report);
  const expect = read('expect', (value) => readExpectations(value, report)) ?? defaultExpectations(handlers, guards);
  const firstStep = steps[0];
  const scenario: Scenario = {
    name: name ?? '',
    title: read('title', (value) => readText(value, '`title`', report)) ?? name ?? '',
    why: read('why', (value) => readText(value, '`why`', report)) ?? '',
    delivery: machine?.delivery ?? 'idt',
    machine: machine?.machine ?? { vendor: null, guest: null, features: [] },
    needs: [],
    start: initial?.start ?? defaultStarts,
    first: firstStep?.kind === 'event' ? firstStep.event : null,
    initial: initial?.initial ?? { interruptFlag: null, gs: null, cr3: null, registers: new Map() },
    steps,
    ...explore,
    memory,
    guards,
    handlers,
    expect,
    awaited: read('verdict', (value) => readWord(value, '`verdict`', ['holds', 'violated'], report)) ?? 'holds',
    place: { file, span: map.get('name')?.value.span ?? headOf(node) },
  };
  reportDangling(scenario, node, report);
  return scenario;
}

function readMachine(node: TreeNode, report: TreeReport): { readonly machine: ScenarioMachine; readonly delivery: 'idt' | 'fred' } {
  const map = readMap(node, '`machine`', ['vendor', 'delivery', 'guest', 'cpus', 'features'], [], report);
  const vendor = map?.get('vendor');
  const delivery = map?.get('delivery');
  const guest = map?.get('guest');
  const cpus = map?.get('cpus');
  const features = map?.get('features');
  if (cpus !== undefined) readInteger(cpus.value, '`cpus`', 1, 1, report);
  return {
    machine: {
      vendor: vendor === undefined ? null : readWord(vendor.value, '`vendor`', ['intel', 'amd'], report),
      guest: guest === undefined ? null : readWord(guest.value, '`guest`', ['none', 'vmx', 'svm', 'tdx', 'sev-es'], report),
      features: features === undefined ? [] : readList(features.value, '`features`', report).flatMap((item) => readPattern(item, 'a feature', /^[a-z0-9_-]+$/, 'a name in lower case such as fsgsbase', report) ?? []),
    },
    delivery: (delivery === undefined ? null : readWord(delivery.value, '`delivery`', ['idt', 'fred'], report)) ?? 'idt',
  };
}

/** Guards that the operations name, for a file that describes none. */
function impliedGuards(handlers: readonly AbstractHandler[]): readonly ScenarioGuard[] {
  const names = new Set(handlers.flatMap((handler) => handler.ops.flatMap(({ op }) => (op.kind === 'clear' ? [op.guard] : op.kind === 'defer' ? [op.clears] : []))));
  return [...names].map((name) => defaultGuard(name, handlers));
}

/** What failing memory raises where the file does not say: the memory faults that it has handlers for. */
function raisedBy(handlers: readonly AbstractHandler[]): readonly EventName[] {
  const found = ['VE', 'MC', 'PF'].filter((event) => handlers.some((handler) => handler.vector === event));
  return found.length === 0 ? ['PF'] : found;
}

function readMemories(node: TreeNode, handlers: readonly AbstractHandler[], report: TreeReport): readonly FailableMemory[] {
  return (readOpenMap(node, '`memory`', report) ?? []).map((entry) => {
    const owner = `memory ${quoted(entry.key)}`;
    readName({ kind: 'scalar', value: entry.key, span: entry.keySpan }, '`memory`', report);
    const map = readMap(entry.value, owner, ['mapped', 'ept', 'raises', 'resolves'], [], report);
    const mapped = map?.get('mapped');
    const ept = map?.get('ept');
    const raises = map?.get('raises');
    const resolves = map?.get('resolves');
    const violation = ept === undefined ? null : readWord(ept.value, `\`ept\` of ${owner}`, ['ok', 'violation', 'violation-convertible'], report);
    const events = raises === undefined ? null : readList(raises.value, `\`raises\` of ${owner}`, report).flatMap((item) => readEvent(item, `\`raises\` of ${owner}`, report) ?? []);
    return {
      name: entry.key,
      raises: events ?? (violation === null ? raisedBy(handlers) : violation === 'violation-convertible' ? ['VE'] : []),
      resolves: (resolves === undefined ? null : readWord(resolves.value, `\`resolves\` of ${owner}`, ['never', 'on-retry'], report)) ?? 'never',
      mapped: (mapped === undefined ? null : readWord(mapped.value, `\`mapped\` of ${owner}`, ['user', 'kernel'], report)) ?? 'user',
    };
  });
}

function readInitial(node: TreeNode, report: TreeReport): { readonly start: readonly StartContext[]; readonly initial: ScenarioInitial } {
  const map = readMap(node, '`initial`', ['context', 'if', 'gs', 'cr3', 'regs'], [], report);
  const context = map?.get('context');
  const flag = map?.get('if');
  const gs = map?.get('gs');
  const cr3 = map?.get('cr3');
  const regs = map?.get('regs');
  const registers = new Map<string, string>();
  for (const entry of regs === undefined ? [] : (readOpenMap(regs.value, '`regs`', report) ?? [])) {
    if (!/^r(?:[abcd]x|[sd]i|[sb]p|[89]|1[0-5])$/.test(entry.key)) report(entry.keySpan, `\`regs\` has no register ${quoted(entry.key)}, write rax to r15`);
    const value = readName(entry.value, quoted(entry.key), report);
    if (value !== null) registers.set(entry.key, value);
  }
  const contexts = context === undefined ? [] : context.value.kind === 'list' ? context.value.items : [context.value];
  if (context !== undefined && contexts.length === 0) report(headOf(context.value), `\`context\` is empty, write one of ${startContexts.join(', ')}`);
  const start = contexts.flatMap((item) => readWord(item, '`context`', startContexts, report) ?? []);
  const interruptFlag = flag === undefined ? null : readInteger(flag.value, '`if`', 0, 1, report);
  const side = ['user', 'kernel'] as const;
  return {
    start: start.length === 0 ? defaultStarts : [...new Set(start)],
    initial: {
      interruptFlag: interruptFlag === null ? null : interruptFlag === 1 ? 1 : 0,
      gs: gs === undefined ? null : readWord(gs.value, '`gs`', side, report),
      cr3: cr3 === undefined ? null : readWord(cr3.value, '`cr3`', side, report),
      registers,
    },
  };
}

function readSteps(file: string, node: TreeNode, report: TreeReport): readonly ScenarioStep[] {
  return readList(node, '`steps`', report).flatMap((item) => readStep(file, item, report) ?? []);
}

function readStep(file: string, node: TreeNode, report: TreeReport): ScenarioStep | null {
  const entries = readOpenMap(node, 'a step', report);
  if (entries === null) return null;
  const kinds = ['event', 'access', 'run'].filter((kind) => entries.some((entry) => entry.key === kind));
  if (kinds.length !== 1) {
    const misspelt = entries.filter((entry) => !['event', 'access', 'run', 'label', 'note', 'accessor', 'expect-event', 'until'].includes(entry.key));
    for (const entry of misspelt) reportUnknown(entry, 'a step', ['event', 'access', 'run', 'label', 'note'], report);
    if (misspelt.length === 0) report(headOf(node), 'a step has exactly one of event, access, run');
    return null;
  }
  const own = kinds[0] === 'access' ? ['access', 'accessor', 'expect-event'] : kinds[0] === 'run' ? ['run', 'until'] : ['event'];
  const map = readMap(node, `a step \`${kinds[0] ?? ''}\``, [...own, 'label', 'note'], [], report);
  const label = map?.get('label');
  const note = map?.get('note');
  const base = {
    label: label === undefined ? null : readPattern(label.value, '`label`', /^[A-Za-z][\w-]*$/, 'a name of letters, digits, - and _', report),
    note: note === undefined ? null : readText(note.value, '`note`', report),
    place: { file, span: node.span },
  };
  const event = map?.get('event');
  if (event !== undefined) {
    const name = readEvent(event.value, '`event`', report);
    return name === null ? null : { ...base, kind: 'event', event: name };
  }
  const access = map?.get('access');
  if (access !== undefined) {
    const memory = readName(access.value, '`access`', report);
    const accessor = map?.get('accessor');
    const expected = map?.get('expect-event');
    const by = accessor === undefined ? null : readText(accessor.value, '`accessor`', report);
    const expectEvent = expected === undefined ? null : readEvent(expected.value, '`expect-event`', report);
    return memory === null ? null : { ...base, kind: 'access', memory, accessor: by, expectEvent };
  }
  const run = map?.get('run');
  const until = map?.get('until');
  const handler = run === undefined ? null : readName(run.value, '`run`', report);
  const end = until === undefined ? 'return' : readWord(until.value, '`until`', ['return', 'clear', 'defer'], report);
  return handler === null || end === null ? null : { ...base, kind: 'run', handler, until: end };
}

interface Explore {
  readonly budgets: readonly Budget[];
  readonly depth: number;
  readonly maxStates: number;
  readonly where: readonly string[];
}

/** `faults` is the budget of every event that failing memory raises and that has no budget of its own. */
function readExplore(node: TreeNode | null, memory: readonly FailableMemory[], report: TreeReport): Explore {
  const events = eventNames.map((event) => event.toLowerCase());
  const map = node === null ? null : readMap(node, '`explore`', [...events, 'faults', 'depth', 'states', 'where'], [], report);
  const count = (key: string, most: number, otherwise: number): number => {
    const entry = map?.get(key);
    return (entry === undefined ? null : readInteger(entry.value, quoted(key), key === 'depth' || key === 'states' ? 1 : 0, most, report)) ?? otherwise;
  };
  const budgets = new Map<EventName, number>([['NMI', 1]]);
  const faults = count('faults', 16, 3);
  for (const { raises } of memory) for (const event of raises) budgets.set(event, faults);
  for (const event of events) if (map?.has(event) === true) budgets.set(event.toUpperCase(), count(event, 16, 1));
  const where = map?.get('where');
  return {
    budgets: [...budgets].map(([event, times]) => ({ event, count: times })),
    depth: count('depth', 64, defaultDepth),
    maxStates: count('states', 100_000_000, defaultStates),
    where: where === undefined ? [] : readList(where.value, '`where`', report).flatMap((item) => readPattern(item, '`where`', /^(?:\*|[A-Za-z_]\w*\.(?:\*|[a-z-]+))$/, 'a handler and a step such as ve.*', report) ?? []),
  };
}

/** What every design must keep, and that each of its handlers was seen to run. */
function defaultExpectations(handlers: readonly AbstractHandler[], guards: readonly ScenarioGuard[]): readonly Expectation[] {
  const vectors = [...new Set(handlers.map((handler) => handler.vector))];
  return [
    never('live-frame-overwritten', 'XR-VE01'),
    ...(guards.length === 0 ? [] : [never('guard-busy-at-quiescence', 'XR-VE03')]),
    never('shutdown', null),
    ...vectors.filter((vector) => eventNames.includes(vector) && vector !== 'IRQ').map((vector) => reachable(`event(${vector})`, `handler of ${vector} is part of the design`)),
  ];
}
