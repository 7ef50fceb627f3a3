// The unmodified tree in each configuration: no finding but those that docs/findings.md documents, and a context or a named reason for every instruction.
import { documented } from '../documented.mjs';
import { configurations, createTree, placesOf, releaseOf, reviewProgram } from './core.mjs';

export function checkClean(core, root, disk, result) {
  const rules = core.RULES.filter((rule) => rule.name !== 'nested-nmi-breaks-frame');
  const known = documented().filter(({ version, stub }) => stub && version === releaseOf(core, root, disk));
  const met = new Set();
  for (const { name, delivery } of configurations(core, root, disk)) {
    const tree = createTree(core, root, disk);
    const kernel = tree.program(name, delivery);
    const { run, findings, inconclusive, seconds } = reviewProgram(core, tree, kernel, rules);
    result.say(`${kernel.configuration}: ${findings.length} findings, ${run.analysis.starts()} starts of ${run.analysis.doors.length} doors on ${run.analysis.variants.length} kinds of CPU, ${run.analysis.steps()} steps, ${seconds.toFixed(1)} s`);
    // A call of a routine ends in the routine.
    const surplus = findings.filter((finding) => {
      const row = known.find((one) => one.rule === finding.rule && placesOf(tree, finding)[0].file === one.file && finding.trace?.steps.slice(-2).some(({ symbol }) => symbol === one.name) === true);
      if (row !== undefined) met.add(row);
      return row === undefined;
    });
    result.check(`${kernel.configuration}: no finding${known.length === 0 ? '' : ' but those that are documented'}`, surplus.length === 0, surplus.map((finding) => `${placesOf(tree, finding).map(({ file, line }) => `${file}:${line}`)[0]}: ${finding.message} [${finding.rule}]`));
    result.check(`${kernel.configuration}: every path ends`, inconclusive.length === 0, run.analysis.unbounded());
    const { files, byReason, unexplained } = core.instructionCoverage(kernel.program, run.analysis, (node) => core.pathPlace(node).file);
    for (const [file, { reached, all }] of files) result.say(`  ${file.slice(tree.root.length)}: ${reached} of ${all} instructions have a context`);
    for (const [reason, count] of byReason) result.say(`  ${String(count).padStart(5)} without: ${reason}`);
    result.check(`${kernel.configuration}: every instruction has a context or a reason`, unexplained.length === 0, unexplained.map(({ node, facts }) => `${facts.owners.join()}: ${node.text} (${[...facts.features].join()}) at ${node.origin.file.slice(tree.root.length)}:${tree.lineOf(node.origin.file, node.origin.span.start)}`));
  }
  const missing = known.filter((row) => !met.has(row));
  if (known.length > 0) result.check('what is documented is found', missing.length === 0, missing.map(({ rule, file, name }) => `${rule} in ${file}, ${name}`));
}
