// Reads the handlers, abstract operations and guards of a scenario file. Says nothing of what an operation does.
import { quoted } from '../base/quoted.ts';
import { headOf, readList, readMap, readOpenMap, readPattern, readText, readWord, describeNode } from '../base/yaml-tree.ts';
import type { TreeEntry, TreeNode, TreeReport } from '../base/yaml-tree.ts';
import { nearest } from '../base/nearest.ts';
import { eventNamed, eventNames, fallbackNames } from './event-names.ts';
import { nameForm } from './expectations.ts';
import type { AbstractHandler, AbstractOp, EventName, ScenarioGuard } from './scenario.ts';

/** Operations written as one word. */
const plainOps = ['read-info', 'fixup', 'enable-irqs', 'disable-irqs', 'panic', 'iret'] as const;

/** Keys of the operations written as a map, by the key that names the operation. */
const keyedOps: Readonly<Record<'clear' | 'defer' | 'access' | 'switch-stack' | 'work', readonly string[]>> = {
  clear: ['clear', 'at'],
  defer: ['defer', 'clears'],
  access: ['access'],
  'switch-stack': ['switch-stack'],
  work: ['work'],
};

const deferrals = ['self-ipi', 'irq-work', 'task-work', 'landing-pad', 'hypercall'] as const;
const protectedParts = ['stack', 'info'] as const;
const clearPlaces = ['here', 'landing-pad', 'extable-handler'] as const;

/** A vector as number or mnemonic. */
export function readVector(node: TreeNode, owner: string, report: TreeReport): EventName | null {
  if (node.kind === 'scalar' && (typeof node.value === 'string' || typeof node.value === 'number')) {
    const event = eventNamed(node.value);
    if (event !== null) return event;
    const near = nearest(String(node.value), eventNames);
    report(node.span, `${owner} cannot be ${quoted(String(node.value))}, write ${near === null ? 'a number from 0 to 255 or a name such as VE, NMI, MC, PF' : `\`${near}\``}`, near);
    return null;
  }
  report(headOf(node), `${owner} is a vector's number or name, not ${describeNode(node)}`);
  return null;
}

/** An event by name only. */
export function readEvent(node: TreeNode, owner: string, report: TreeReport): EventName | null {
  if (node.kind === 'scalar' && typeof node.value === 'number') {
    report(node.span, `${owner} is an event's name, not \`${node.value}\``);
    return null;
  }
  return readVector(node, owner, report);
}

export function readHandlers(file: string, node: TreeNode, report: TreeReport): readonly AbstractHandler[] {
  const entries = readOpenMap(node, '`handlers`', report) ?? [];
  if (node.kind === 'map' && entries.length === 0) report(headOf(node), '`handlers` is empty, write at least one handler');
  return entries.flatMap((entry) => {
    const handler = readHandler(file, entry, report);
    return handler === null ? [] : [handler];
  });
}

function readHandler(file: string, entry: TreeEntry, report: TreeReport): AbstractHandler | null {
  const owner = `handler ${quoted(entry.key)}`;
  if (!nameForm.test(entry.key)) report(entry.keySpan, `${owner} is no name, write letters, digits and _`);
  const map = readMap(entry.value, owner, ['vector', 'ist', 'from', 'ops'], [], report);
  if (map === null) return null;
  const written = map.get('vector');
  const vector = written === undefined ? eventNamed(entry.key) : readVector(written.value, `\`vector\` of ${owner}`, report);
  if (vector === null && written === undefined) report(entry.keySpan, `${owner} needs \`vector\`, because its name is no event's`);
  const stack = map.get('ist');
  const ist = stack === undefined ? 'none' : readPattern(stack.value, `\`ist\` of ${owner}`, /^[A-Za-z_]\w*$/, 'a stack such as VE, or none', report);
  const from = map.get('from');
  const ops = map.get('ops');
  if (from === undefined && ops === undefined) report(entry.keySpan, `${owner} needs \`ops\` or \`from\``);
  if (from !== undefined && ops !== undefined) report(from.keySpan, `${owner} has both \`ops\` and \`from\`, remove one`);
  const code = from === undefined ? null : readPattern(from.value, `\`from\` of ${owner}`, /^[^#\s]+#[A-Za-z_]\w*$/, 'file#function', report);
  const steps = ops === undefined ? [] : readOps(file, ops.value, owner, report);
  if (vector === null || ist === null) return null;
  return { name: entry.key, vector, ist: ist === 'none' ? null : ist, ops: steps, from: code, place: { file, span: entry.keySpan } };
}

function readOps(file: string, node: TreeNode, owner: string, report: TreeReport): AbstractHandler['ops'] {
  const items = readList(node, `\`ops\` of ${owner}`, report);
  if (node.kind === 'list' && items.length === 0) report(headOf(node), `\`ops\` of ${owner} is empty, write at least iret`);
  return items.flatMap((item) => {
    const op = readOp(item, report);
    return op === null ? [] : [{ op, place: { file, span: item.span }, text: opText(op) }];
  });
}

function readOp(node: TreeNode, report: TreeReport): AbstractOp | null {
  const words = [...plainOps, ...Object.keys(keyedOps)];
  if (node.kind === 'scalar') {
    const plain = plainOps.find((word) => word === node.value);
    if (plain !== undefined) return { kind: plain };
    if (words.some((word) => word === node.value)) {
      report(node.span, `operation ${quoted(String(node.value))} needs a value, write \`{${String(node.value)}: ...}\``);
      return null;
    }
    const near = typeof node.value === 'string' ? nearest(node.value, words) : null;
    report(node.span, `unknown operation ${describeNode(node)}, write ${near === null ? `one of ${words.join(', ')}` : `\`${near}\``}`, near);
    return null;
  }
  if (node.kind === 'list') {
    report(headOf(node), 'an operation is a word or a map, not a list');
    return null;
  }
  const named = node.entries.find((entry) => Object.hasOwn(keyedOps, entry.key));
  if (named === undefined) {
    const first = node.entries[0];
    const near = first === undefined ? null : nearest(first.key, words);
    const mend = near === null ? `one of ${words.join(', ')}` : `\`${near}\``;
    report(first?.keySpan ?? headOf(node), `unknown operation ${quoted(first?.key ?? '{}')}, write ${mend}`, near);
    return null;
  }
  return readKeyedOp(named, node, report);
}

function readKeyedOp(named: TreeEntry, node: TreeNode, report: TreeReport): AbstractOp | null {
  const owner = `operation \`${named.key}\``;
  switch (named.key) {
    case 'clear': {
      const map = readMap(node, owner, keyedOps.clear, [], report);
      const guard = readName(named.value, `\`clear\``, report);
      const at = map?.get('at');
      const where = at === undefined ? 'here' : readWord(at.value, '`at`', clearPlaces, report);
      return guard === null || where === null ? null : { kind: 'clear', guard, at: where };
    }
    case 'defer': {
      const map = readMap(node, owner, keyedOps.defer, ['clears'], report);
      const via = readWord(named.value, '`defer`', deferrals, report);
      const target = map?.get('clears');
      const clears = target === undefined ? null : readName(target.value, '`clears`', report);
      return via === null || clears === null ? null : { kind: 'defer', via, clears };
    }
    case 'access': {
      readMap(node, owner, keyedOps.access, [], report);
      const memory = readName(named.value, '`access`', report);
      return memory === null ? null : { kind: 'access', memory };
    }
    case 'switch-stack': {
      readMap(node, owner, keyedOps['switch-stack'], [], report);
      const to = readWord(named.value, '`switch-stack`', ['interrupted', 'task', 'checked'], report);
      return to === null ? null : { kind: 'switch-stack', to };
    }
    default: {
      readMap(node, owner, keyedOps.work, [], report);
      const text = readText(named.value, '`work`', report);
      return text === null ? null : { kind: 'work', text };
    }
  }
}

/** A guard, memory or handler by name. */
export function readName(node: TreeNode, owner: string, report: TreeReport): string | null {
  return readPattern(node, owner, nameForm, 'a name of letters, digits, _ and .', report);
}

/** The operation as a reader of the trace sees it. */
function opText(op: AbstractOp): string {
  switch (op.kind) {
    case 'clear':
      return op.at === 'here' ? `clear ${op.guard}` : `clear ${op.guard} at ${op.at}`;
    case 'defer':
      return `defer by ${op.via}, clears ${op.clears}`;
    case 'access':
      return `access ${op.memory}`;
    case 'switch-stack':
      return `switch-stack ${op.to}`;
    case 'work':
      return op.text;
    default:
      return op.kind;
  }
}

/** The guard of a sketch that does not describe it: as the #VE word (SDM vol. 3, "Virtualization Exceptions"). */
export function defaultGuard(name: string, handlers: readonly AbstractHandler[]): ScenarioGuard {
  return { name, set: 'hw', clear: 'store 0', fallback: 'vmexit', protects: ['stack', 'info'], vector: vectorOf(name, handlers), address: null, initial: 'armed' };
}

/** `ve.busy` is set for the vector of handler `ve`. */
function vectorOf(name: string, handlers: readonly AbstractHandler[]): EventName | null {
  return handlers.find((handler) => name.startsWith(`${handler.name}.`))?.vector ?? null;
}

export function readGuards(node: TreeNode, handlers: readonly AbstractHandler[], report: TreeReport): readonly ScenarioGuard[] {
  return (readOpenMap(node, '`guards`', report) ?? []).map((entry) => readGuard(entry, handlers, report));
}

function readGuard(entry: TreeEntry, handlers: readonly AbstractHandler[], report: TreeReport): ScenarioGuard {
  const owner = `guard ${quoted(entry.key)}`;
  if (!nameForm.test(entry.key)) report(entry.keySpan, `${owner} is no name, write letters, digits, _ and .`);
  const base = defaultGuard(entry.key, handlers);
  // `ve.busy:` without anything behind it has all defaults.
  if (entry.value.kind === 'scalar' && entry.value.value === null) return base;
  const map = readMap(entry.value, owner, ['set', 'address', 'clear', 'fallback', 'protects', 'initial', 'vector'], [], report);
  const read = <T>(key: string, reader: (node: TreeNode, name: string) => T | null): T | null => {
    const found = map?.get(key);
    return found === undefined ? null : reader(found.value, `${quoted(key)} of ${owner}`);
  };
  return {
    name: entry.key,
    set: read('set', (node, name) => readWord(node, name, ['hw', 'host', 'module', 'sw'], report)) ?? base.set,
    address: read('address', (node, name) => readText(node, name, report)),
    clear: read('clear', (node, name) => readText(node, name, report)) ?? base.clear,
    fallback: read('fallback', (node, name) => readWord(node, name, fallbackNames, report)) ?? base.fallback,
    protects: read('protects', (node, name) => readList(node, name, report).flatMap((item) => readWord(item, name, protectedParts, report) ?? [])) ?? base.protects,
    initial: read('initial', (node, name) => readWord(node, name, ['armed', 'busy'], report)) ?? base.initial,
    vector: read('vector', (node, name) => readVector(node, name, report)) ?? base.vector,
  };
}
