// One edit of the tree, reviewed: what is found, and how near to the edit.
import { configurations, createTree, placesOf, reviewProgram, traceLength } from './core.mjs';
import { changedLines, nearEdits } from './regions.mjs';

const NESTED = 'nested-nmi-breaks-frame';

/** The programs of a review, the ones that most edits show in first. */
function programNames(core, root, disk) {
  const all = configurations(core, root, disk);
  return [all[0], ...all.filter(({ name }) => name.endsWith('fred'))];
}

/**
 * Reviews the tree with `edited` in place of its files, program by program until one shows what `wanted` asks for, and that
 * no further (null: all of them). `nested` also explores nested NMIs.
 */
export function reviewEdited(core, root, disk, edited, { wanted, nested }) {
  const tree = createTree(core, root, disk, edited);
  const edits = [...edited].map(([file, text]) => ({ file, ...changedLines(disk(`${tree.root}${file}`) ?? '', text) }));
  const rules = nested ? core.RULES : core.RULES.filter((rule) => rule.name !== NESTED);
  const findings = [];
  const problems = [];
  let steps = 0;
  let seconds = 0;
  for (const { name, delivery } of programNames(core, root, disk)) {
    const kernel = tree.program(name, delivery);
    let distance = null;
    const located = (finding) => {
      distance ??= nearEdits(tree, kernel.program, core.pathPlace, edits);
      const places = placesOf(tree, finding).map((place) => ({ ...place, near: distance(place.file, place.line) }));
      return { rule: finding.rule, places, message: finding.message, length: traceLength(finding), configuration: kernel.configuration };
    };
    const review = reviewProgram(core, tree, kernel, rules, wanted === null ? null : (found) => found.map(located).some(wanted));
    steps += review.run.steps();
    seconds += review.seconds;
    problems.push(...review.inconclusive.flatMap((report) => report.boundsHit));
    findings.push(...review.findings.map(located));
    if (wanted !== null && findings.some(wanted)) break;
  }
  return { findings, steps, seconds, problems, edits };
}

export const isNear = (finding) => finding.places.some(({ near }) => near !== null);

const shown = ({ file, line, near }) => `${file.split('/').at(-1)}:${line}${near === null ? '?' : ''}`;

/** `rule place, place (steps)` of the findings, nearest first. */
export function rowOf(findings) {
  return [...findings]
    .sort((a, b) => a.length - b.length)
    .slice(0, 4)
    .map(({ rule, places, length }) => `${rule} ${shown(places.find(({ near }) => near !== null) ?? places[0])} (${length})`)
    .join('; ');
}
