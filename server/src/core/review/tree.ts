// The review of a kernel tree's C entry code: every rule that examines it, for each configuration, one finding a root
// cause. Pure: the tree is read through `TreeSource`.
import type { Configuration } from '../preprocess/stream.ts';
import type { Finding } from '../rules/finding.ts';
import type { Rule } from '../rules/rule.ts';
import { X86_32 } from '../tree/kernel-32.ts';
import type { Tree, TreeCoverage, TreeSource } from '../tree/tree.ts';
import { plainFinding, severityOf } from './findings.ts';

export type TreeReader = (source: TreeSource, root: string, design: boolean, configuration: Configuration) => Tree;

export interface TreeVerdict {
  /** In the order of files and places; `variants` names the configurations in which each shows. */
  readonly findings: readonly Finding[];
  /** What was judged, by configuration. */
  readonly coverage: readonly TreeCoverage[];
}

export interface TreeSubject {
  readonly source: TreeSource;
  /** Put before the paths of the source in the places of findings: empty or with its final `/`. */
  readonly root: string;
  /** The C files of one folder outside a kernel tree. */
  readonly design: boolean;
}

/** A judgement under way: each step reads the tree for a configuration, or examines it with one rule. */
export interface TreeJudging {
  /** True when all was judged. */
  readonly advance: () => boolean;
  /** Steps taken. */
  readonly steps: () => number;
  /** What was found so far. */
  readonly verdict: () => TreeVerdict;
}

/** Judges the tree in each of the configurations. A rule that throws becomes one finding that names it. */
export function createTreeJudging({ source, root, design }: TreeSubject, configurations: readonly Configuration[], read: TreeReader, rules: readonly Rule[]): TreeJudging {
  const judges = rules.filter((rule) => rule.examine !== undefined && (rule.designsOnly !== true || design));
  const found = new Map<string, Finding>();
  const coverage: TreeCoverage[] = [];
  const waiting = [...configurations];
  let tree: Tree | null = null;
  let next = 0;
  let steps = 0;

  function examine(here: Tree, rule: Rule): void {
    for (const finding of examined(rule, here)) {
      const key = `${finding.rule}|${finding.place.file}|${finding.place.span.start}`;
      const before = found.get(key);
      found.set(key, before === undefined ? finding : { ...before, variants: [...before.variants, here.configuration] });
    }
  }

  return {
    advance: () => {
      steps++;
      if (tree === null) {
        const configuration = waiting.shift();
        if (configuration === undefined) return true;
        tree = read(source, root, design, configuration);
        next = 0;
        return false;
      }
      const rule = judges[next++];
      if (rule !== undefined) {
        if (rule.only64 !== true || !tree.option(X86_32)) examine(tree, rule);
        return false;
      }
      coverage.push(tree.coverage);
      tree = null;
      return waiting.length === 0;
    },
    steps: () => steps,
    verdict: () => ({ findings: [...found.values()].sort(inOrder), coverage }),
  };
}

/** The same, all at once. */
export function judgeTree(subject: TreeSubject, configurations: readonly Configuration[], read: TreeReader, rules: readonly Rule[]): TreeVerdict {
  const judging = createTreeJudging(subject, configurations, read, rules);
  while (!judging.advance());
  return judging.verdict();
}

function examined(rule: Rule, tree: Tree): readonly Finding[] {
  try {
    return (rule.examine?.(tree) ?? []).map((judgement) => ({
      rule: rule.name,
      severity: severityOf(rule, judgement),
      place: judgement.place,
      message: judgement.message,
      premises: judgement.premises,
      trace: null,
      related: judgement.related ?? [],
      fix: null,
      variants: [tree.configuration],
    }));
  } catch (error) {
    const file = tree.functions[0]?.file ?? '';
    return [plainFinding(rule.name, 'info', { file: tree.root + file, span: { start: 0, end: 0 } }, `the rule ${rule.name} failed on this tree and was left out: ${String(error)}`)];
  }
}

function inOrder(a: Finding, b: Finding): number {
  if (a.place.file !== b.place.file) return a.place.file < b.place.file ? -1 : 1;
  return a.place.span.start - b.place.span.start || (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0);
}
