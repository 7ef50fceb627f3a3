// What the review finds: while one types, by the text and the rules that need no exploration, and in the reports of what
// was explored; both without what is accepted.
import type { Place } from '../base/span.ts';
import type { AcceptedFinding, FindingReview } from '../review-types.ts';
import type { Finding, RunReport } from '../rules/finding.ts';
import { RULES } from '../rules/index.ts';
import { isScenarioFile } from '../scenarios/scenario-file.ts';
import { allowsOf, suppress, unusedSuppressions } from '../rules/suppressions.ts';
import type { Suppression } from '../rules/suppressions.ts';
import { isIn } from '../rules/vocabulary.ts';
import { isSidecarFile } from '../syntax/annotation-sidecar.ts';
import { createCovered } from './covered.ts';
import { readingFindings, unknownOf } from './editor-problems.ts';
import type { EntryCode } from './entry-code.ts';
import { inspect, merge, plainFinding } from './findings.ts';
import type { FrontEnd } from './front-end.ts';
import type { TreeFindings } from './tree-findings.ts';
import { suppressionsFor } from './tree-suppressions.ts';
import type { SyntaxProblem } from '../syntax/asm-problems.ts';
import type { FoundSuppressions } from './tree-suppressions.ts';
import { folderOf, hasEntries, isAssembler, isLeftOut, join, refusalOf, scenariosOf } from './unit.ts';
import type { LinkedUnit } from './unit.ts';
import { inspectionOf, programOf } from './units.ts';
import { intelAt } from '../syntax/asm-intel.ts';
import type { Units } from './units.ts';
import { mends } from './verify.ts';

export function createFindingReview({ workspace, documents, texts, streams, parseC, outline }: FrontEnd, units: Units, entryCode: EntryCode, treeFindings: TreeFindings): FindingReview {
  /** What accepts findings in files of a tree, or of a design. */
  function acceptedIn(files: Iterable<string>, root: string | null): FoundSuppressions {
    return suppressionsFor(files, root, { read: documents.read, workspace, outline });
  }

  function syntaxProblems(file: string, problems: readonly SyntaxProblem[]): Finding[] {
    // In a sketch that is told once.
    if (problems.length > 0 && streams.chosen(file).root === null && intelAt(documents.read(file) ?? '') !== null) return [];
    return problems.map(({ span, message }) => plainFinding('syntax', 'warning', { file, span }, message));
  }

  function syntaxFindings(file: string): readonly Finding[] | null {
    const text = documents.read(file);
    if (text === null || !isAssembler(file) || refusalOf(text) !== null) return null;
    const { root, configuration: own } = streams.chosen(file);
    return !entryCode.inKernel(folderOf(file)) || isLeftOut(file, root, own) ? null : syntaxProblems(file, documents.problems(file));
  }

  function quickFindings(file: string): readonly Finding[] {
    const text = documents.read(file);
    if (text === null) return [];
    const refused = refusedFinding(file, text);
    if (refused !== null) return refused;
    const { root, configuration: own } = streams.chosen(file);
    if (isLeftOut(file, root, own)) return [];
    const out: Finding[] = isAssembler(file) ? syntaxProblems(file, documents.assembler(file)?.problems ?? []) : [];
    const unit = units.edited(file);
    if (unit === null) return out;
    const { linked } = unit;
    const covered = createCovered();
    for (const { place } of out) covered.add(place.span);
    for (const finding of readingFindings(linked, file, streams.chosen(file))) {
      if (covered.touches(finding.place.span)) continue;
      covered.add(finding.place.span);
      out.push(finding);
    }
    for (const problem of linked.scenarioFiles.get(file)?.problems ?? []) out.push(malformed('malformed-scenario', 'error', problem));
    for (const problem of linked.annotations.get(file)?.problems ?? []) out.push(malformed('malformed-annotation', 'warning', problem));
    if (isSidecarFile(file)) for (const { place, message } of acceptedIn([join(folderOf(file), 'x')], root).lost) if (place.file === file) out.push(plainFinding('malformed-annotation', 'warning', place, message));
    const examined = treeFindings.inDesign(file);
    if (!hasEntries(linked)) return [...out, ...examined];
    const accepted = acceptedIn([file], root).suppressions;
    const inspected = [...inspect(RULES, inspectionOf(unit, documents.read), { file, span: { start: 0, end: 0 } }).filter((finding) => finding.place.file === file), ...examined];
    return [...out, ...suppress(inspected, [...accepted, ...allowsOf(linked.program, documents.read)]).kept];
  }

  function findingsOf(folder: string, reports: readonly RunReport[]): Judged {
    const unit = units.ofFolder(folder);
    if (unit === null) return { kept: entryCode.inKernel(folder) ? merge(reports) : [], accepted: [] };
    const ofTree = treeFindings.inTree(unit.linked.unit.files);
    if (unit.linked.root !== null && (entryCode.inKernel(folder) || !hasEntries(unit.linked))) return acceptedOfTree(unit.linked, unit.linked.root, [...merge(reports), ...ofTree]);
    const inspection = inspectionOf(unit, documents.read);
    const explored = merge(reports).map((finding): Finding => {
      const rule = RULES.find((one) => one.name === finding.rule);
      if (rule === undefined) return finding;
      const fix = rule.fix === null ? null : rule.fix(finding.place, inspection);
      const assumed = finding.premises.some((premise) => premise.assumed);
      return { ...finding, fix, severity: assumed && finding.severity === 'error' ? 'warning' : finding.severity };
    });
    const inspected = inspect(RULES, inspection, { file: folder, span: { start: 0, end: 0 } });
    const examined = unit.linked.unit.files.flatMap(treeFindings.inDesign);
    const accepted = [...allowsOf(unit.linked.program, documents.read), ...acceptedIn(unit.linked.unit.files, unit.linked.root).suppressions];
    const { unused, taken } = suppress([...inspected, ...explored, ...examined, ...ofTree], accepted);
    return { kept: [...suppress([...explored, ...ofTree], accepted).kept, ...unusedSuppressions(unused, documents.read)], accepted: taken.map(acceptedFinding) };
  }

  /** In a kernel tree: findings without the accepted ones, and the suppressions for files of the unit that take out nothing. */
  function acceptedOfTree(linked: LinkedUnit, root: string, findings: readonly Finding[]): Judged {
    const files = new Set(linked.unit.files);
    const { suppressions } = acceptedIn([...files, ...findings.map(({ place }) => place.file)], root);
    const { kept, taken, unused } = suppress(findings, suppressions);
    return { kept: [...kept, ...unusedSuppressions(unused.filter((one) => files.has(one.file)), documents.read)], accepted: taken.map(acceptedFinding) };
  }

  return {
    syntaxFindings,
    quickFindings,
    findings: (folder, reports) => findingsOf(folder, reports).kept,
    accepted: (folder, reports) => findingsOf(folder, reports).accepted,
    verifiedFix: (folder, finding) => {
      const unit = units.ofFolder(folder);
      // Taking out a comment changes nothing that is judged.
      if (finding.rule === 'unused-suppression') return finding.fix;
      if (unit === null || finding.fix === null) return null;
      return mends(finding.fix, finding, unit.linked, texts, unit.configuration, parseC, RULES) ? finding.fix : null;
    },
    stands: (folder, finding) => {
      const { file, span } = finding.place;
      if (finding.rule === 'unused-suppression') return span.start < span.end;
      if (suppress([finding], acceptedIn([file], streams.chosen(file).root).suppressions).kept.length === 0) return false;
      if (entryCode.inKernel(folder)) return true;
      const unit = units.ofFolder(folder);
      if (unit === null) return false;
      // Operations of a scenario file are code of the programs that it is run on.
      const sketched = !isScenarioFile(file) ? [] : scenariosOf(unit.linked).filter((scenario) => scenario.place?.file === file).map((scenario) => programOf(unit, scenario));
      return [unit.linked.program, ...sketched].some((program) => isIn(program, finding.place));
    },
    unknown: (folder) => {
      const unit = units.ofFolder(folder);
      return unit === null ? [] : unknownOf(unit.linked);
    },
  };
}

interface Judged {
  readonly kept: readonly Finding[];
  readonly accepted: readonly AcceptedFinding[];
}

function acceptedFinding({ finding, by }: { readonly finding: Finding; readonly by: Suppression }): AcceptedFinding {
  return { finding, place: by.place, reason: by.reason };
}

function refusedFinding(file: string, text: string): readonly Finding[] | null {
  const refusal = refusalOf(text);
  return refusal === null ? null : [plainFinding('not-analysed', 'warning', { file, span: { start: 0, end: 0 } }, refusal)];
}

/** A word that was not understood, with the one that was meant for it. */
function malformed(rule: 'malformed-scenario' | 'malformed-annotation', severity: 'error' | 'warning', { place, message, suggestion }: { readonly place: Place; readonly message: string; readonly suggestion: string | null }): Finding {
  return { ...plainFinding(rule, severity, place, message), fix: suggestion === null ? null : { title: `Replace by '${suggestion}'`, edits: [{ place, newText: suggestion }] } };
}
