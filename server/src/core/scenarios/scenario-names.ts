// Checks that the names a scenario uses are names it declares. The published schema cannot say this; the rest of the
// format it can.
import { quoted } from '../base/quoted.ts';
import { nearest } from '../base/nearest.ts';
import { headOf } from '../base/yaml-tree.ts';
import type { TreeNode, TreeReport } from '../base/yaml-tree.ts';
import type { Span } from '../base/span.ts';
import type { Scenario } from './scenario.ts';

export function reportDangling(scenario: Scenario, root: TreeNode, report: TreeReport): void {
  const guards = scenario.guards.map((guard) => guard.name);
  const memory = scenario.memory.map((area) => area.name);
  const handlers = scenario.handlers.map((handler) => handler.name);
  const labels = ['quiescence', 'gap', ...scenario.steps.flatMap((step) => step.label ?? [])];
  // `text` is what stands at the span: the name itself, or a longer text that holds it.
  const check = (sort: string, name: string, known: readonly string[], span: Span, text: string | null = name): void => {
    if (known.includes(name)) return;
    const near = nearest(name, known);
    const offer = known.length === 0 ? `declare it under \`${sort === 'guard' ? 'guards' : sort}\`` : `write ${near === null ? `one of ${known.join(', ')}` : `\`${near}\``}`;
    report(span, `no ${sort} ${quoted(name)} is declared, ${offer}`, near === null || text === null ? null : text.replace(name, near));
  };
  for (const { ops } of scenario.handlers) {
    for (const { op, place } of ops) {
      if (op.kind === 'clear') check('guard', op.guard, guards, spanOfWord(root, op.guard, place.span));
      if (op.kind === 'defer') check('guard', op.clears, guards, spanOfWord(root, op.clears, place.span));
      if (op.kind === 'access') check('memory', op.memory, memory, spanOfWord(root, op.memory, place.span));
    }
  }
  for (const step of scenario.steps) {
    const span = step.place?.span ?? headOf(root);
    if (step.kind === 'access') check('memory', step.memory, memory, spanOfWord(root, step.memory, span));
    if (step.kind === 'run') check('handler', step.handler, handlers, spanOfWord(root, step.handler, span));
  }
  const whole = root.span;
  for (const expectation of scenario.expect) {
    if (expectation.kind === 'at-end') {
      for (const guard of expectation.guards.keys()) check('guard', guard, guards, spanOfKey(root, 'expect', guard) ?? headOf(root));
      continue;
    }
    const { property } = expectation;
    const span = findScalar(root, expectation.what, whole);
    // Expectations that the file leaves out name only what it declares.
    if (span === null) continue;
    if (property.kind === 'guard') check('guard', property.guard, guards, span, expectation.what);
    if (property.kind !== 'named' && property.at !== null) check('step', property.at, labels, span, null);
  }
  for (const pattern of scenario.where) {
    const handler = pattern.split('.')[0] ?? '';
    if (handler !== '*') check('handler', handler, handlers, spanOfWord(root, pattern, whole), pattern);
  }
}

/** The scalar with this text inside a span, or the span itself. */
function spanOfWord(node: TreeNode, text: string, within: Span): Span {
  return findScalar(node, text, within) ?? within;
}

function findScalar(node: TreeNode, text: string, within: Span): Span | null {
  if (node.span.end < within.start || node.span.start > within.end) return null;
  if (node.kind === 'scalar') return node.value === text && node.span.start >= within.start && node.span.end <= within.end ? node.span : null;
  for (const child of node.kind === 'map' ? node.entries.map((entry) => entry.value) : node.items) {
    const found = findScalar(child, text, within);
    if (found !== null) return found;
  }
  return null;
}

/** A key anywhere under the given top key. */
function spanOfKey(root: TreeNode, top: string, key: string): Span | null {
  const start = root.kind === 'map' ? root.entries.find((entry) => entry.key === top)?.value : undefined;
  const pending = start === undefined ? [] : [start];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.kind === 'map') {
      const found = node.entries.find((entry) => entry.key === key);
      if (found !== undefined) return found.keySpan;
      pending.push(...node.entries.map((entry) => entry.value));
    } else if (node.kind === 'list') pending.push(...node.items);
  }
  return null;
}
