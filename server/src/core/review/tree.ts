// The review of a kernel tree's C entry code: every rule that examines it, for each configuration, one finding a root
// cause. Pure: the tree is read through `TreeSource`.
import type { Configuration } from '../preprocess/stream.ts';
import type { Finding } from '../rules/finding.ts';
import type { Rule } from '../rules/rule.ts';
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

/** Judges the tree in each of the configurations. A rule that throws becomes one finding that names it. */
export function judgeTree({ source, root, design }: TreeSubject, configurations: readonly Configuration[], read: TreeReader, rules: readonly Rule[]): TreeVerdict {
  const found = new Map<string, Finding>();
  const coverage: TreeCoverage[] = [];
  for (const configuration of configurations) {
    const tree = read(source, root, design, configuration);
    for (const rule of rules) {
      if (rule.examine === undefined || (rule.designsOnly === true && !design)) continue;
      for (const finding of examined(rule, tree)) {
        const key = `${finding.rule}|${finding.place.file}|${finding.place.span.start}`;
        const before = found.get(key);
        found.set(key, before === undefined ? finding : { ...before, variants: [...before.variants, tree.configuration] });
      }
    }
    coverage.push(tree.coverage);
  }
  return { findings: [...found.values()].sort(inOrder), coverage };
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
