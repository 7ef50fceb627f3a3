// Sequences of events raised at every instruction of a file, a few instructions at a time: how often what came of them, and
// each violation once.
import type { CodeNode, NodeId } from '../machine/code.ts';
import type { EventCount, EventSurvey } from '../event-types.ts';
import type { Finding } from '../review-types.ts';
import type { Rule } from '../rules/rule.ts';
import { eventsAnywhere } from './arrivals.ts';
import { benchOf, firstOfEach, tryOne } from './event-bench.ts';
import type { Bench } from './event-bench.ts';
import { findingsOf, mergeFindings, nameOf } from './event-findings.ts';
import { groupsAt } from './kernel-context.ts';
import type { KernelProgram, KernelRun } from './kernel-run.ts';

interface Site {
  readonly bench: Bench;
  readonly node: NodeId;
}

export function createSurvey(programs: readonly KernelProgram[], runs: readonly KernelRun[], rules: readonly Rule[], file: string, sequences: readonly (readonly number[])[]): EventSurvey {
  const sites: Site[] = [];
  const told = new Set<string>();
  const names: string[] = [];
  programs.forEach((kernel, index) => {
    const run = runs[index];
    if (run === undefined) return;
    const bench = benchOf(kernel, run, rules);
    const own = kernel.program.code.nodes.filter((node) => isIn(node, file) && !told.has(keyOf(node)));
    for (const node of own) {
      if (run.analysis.reached(node.id).length === 0 && index < programs.length - 1) continue;
      told.add(keyOf(node));
      sites.push({ bench, node: node.id });
    }
    if (own.length > 0) names.push(kernel.configuration);
  });
  const wanted = sequences.length > 0 ? sequences : runs.slice(0, 1).flatMap((run) => eventsAnywhere(run.analysis.setup).map((vector) => [vector]));
  const counts = wanted.map((vectors) => ({ vectors, contexts: 0, holds: 0, violated: 0, inconclusive: 0, cannot: 0, reasons: new Map<string, number>() }));
  const unreached = new Map<string, number>();
  let findings: readonly Finding[] = [];
  let at = 0;

  function visit({ bench, node }: Site): void {
    const groups = groupsAt(bench.kernel.program, bench.run.analysis, [node]);
    if (groups.length === 0) {
      const symbol = bench.kernel.program.code.nodes[node]?.symbol ?? '';
      unreached.set(symbol, (unreached.get(symbol) ?? 0) + 1);
    }
    for (const count of counts) {
      for (const group of groups) {
        for (const reached of firstOfEach(group.members)) {
          const one = tryOne(bench, reached, count.vectors);
          const answer = one.followed?.answer ?? 'cannot';
          count.contexts += 1;
          count[answer] += 1;
          const reason = one.cannot ?? one.followed?.reason ?? null;
          if (reason !== null) count.reasons.set(`${answer === 'cannot' ? 'cannot arrive' : answer}: ${reason}`, (count.reasons.get(`${answer === 'cannot' ? 'cannot arrive' : answer}: ${reason}`) ?? 0) + 1);
          if (answer === 'violated') findings = mergeFindings([...findings, ...findingsOf(bench, one, count.vectors)]);
        }
      }
    }
  }

  return {
    advance: (instructions) => {
      const stop = Math.min(sites.length, at + instructions);
      for (; at < stop; at += 1) {
        const site = sites[at];
        if (site !== undefined) visit(site);
      }
      return at >= sites.length;
    },
    result: () => ({
      configurations: names,
      instructions: sites.length,
      done: at,
      unreached: [...unreached].map(([symbol, instructions]) => ({ symbol, instructions })),
      counts: counts.map((count): EventCount => ({ ...count, events: nameOf(count.vectors), reasons: [...count.reasons].sort((a, b) => b[1] - a[1]).map(([reason, contexts]) => ({ reason, contexts })) })),
      findings,
    }),
  };
}

/** Instructions that a reader of the file sees there, or that a macro used there makes. */
export function isIn(node: CodeNode, file: string): boolean {
  if (node.kind === 'feature' || node.kind === 'interrupted') return false;
  return node.origin.file === file || node.origin.uses.some((use) => use.file === file);
}

function keyOf(node: CodeNode): string {
  return [node.origin, ...node.origin.uses].map(({ file, span }) => `${file}:${span.start}`).join(' ') + node.text + node.symbol;
}
