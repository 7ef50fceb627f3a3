// Our own mutants: each is found by one of the rules that are about it, near the edit; harmless edits are not found.
import { join } from 'node:path';
import { documented } from '../documented.mjs';
import { releaseOf } from './core.mjs';
import { harmless, mutants } from './mutant-table.mjs';
import { isNear, reviewEdited, rowOf } from './planted.mjs';

/** Lines of a symbol or macro: from where it opens to where it closes. */
function rangeOf(lines, name) {
  if (name === undefined) return { first: 0, end: lines.length };
  const isName = (found) => (typeof name === 'string' ? found === name : name.test(found));
  const opens = (line) => /^\s*(?:SYM_(?:CODE|FUNC)_START\w*\(|\.macro\s+)([\w.]+)/.exec(line)?.[1];
  const first = lines.findIndex((line) => isName(opens(line) ?? ''));
  const macro = first >= 0 && /^\s*\.macro/.test(lines[first]);
  const end = lines.findIndex((line, at) => at > first && (macro ? /^\s*\.endm/ : /^\s*SYM_(?:CODE|FUNC)_END\(/).test(line));
  return first < 0 || end < 0 ? null : { first, end };
}

/** The text with the edit, or null where its line is not there. */
function applied(text, mutant, edit) {
  if (text === null) return null;
  const lines = text.split('\n');
  const range = rangeOf(lines, mutant.in);
  if (range === null) return null;
  const from = mutant.from === undefined ? range.first : lines.findIndex((line, at) => at >= range.first && at < range.end && mutant.from.test(line));
  if (from < 0) return null;
  if (edit.kind === 'everywhere') {
    const part = lines.slice(from, range.end).join('\n');
    const changed = part.replace(edit.pattern, edit.text);
    return changed === part ? null : [...lines.slice(0, from), ...changed.split('\n'), ...lines.slice(range.end)].join('\n');
  }
  const find = (pattern) => lines.findIndex((line, at) => at >= from && at <= range.end && pattern.test(line));
  const at = find(edit.line);
  if (at < 0) return null;
  const changed = [...lines];
  switch (edit.kind) {
    case 'drop':
      changed.splice(at, 1);
      break;
    case 'replace':
      changed[at] = typeof edit.text === 'string' ? edit.text : edit.text(lines[at]);
      break;
    case 'before':
      changed.splice(at, 0, edit.text);
      break;
    case 'after':
      changed.splice(at + 1, 0, edit.text);
      break;
    case 'swap': {
      const other = find(edit.other);
      if (other < 0) return null;
      [changed[at], changed[other]] = [lines[other], lines[at]];
      break;
    }
    default:
      throw new Error(`an edit of kind ${edit.kind}`);
  }
  const result = changed.join('\n');
  return result === text ? null : result;
}

export function mutated(root, disk, mutant) {
  const once = applied(disk(join(root, mutant.file)), mutant, mutant.edit);
  return mutant.also === undefined ? once : applied(once, mutant, mutant.also);
}

const inRelease = (release) => ({ releases }) => releases === undefined || releases.includes(release);

export function checkMutants(core, root, disk, result, { match }) {
  const release = releaseOf(core, root, disk);
  const chosen = ({ name, file }) => `${name} ${file}`.includes(match);
  let found = 0;
  let all = 0;
  /** Mutants near which a rule spoke, of those that name it. */
  const spoken = new Map();
  for (const mutant of mutants.filter(inRelease(release)).filter(chosen)) {
    const text = mutated(root, disk, mutant);
    if (text === null) {
      result.check(`${mutant.name}: the line to edit is there`, false);
      continue;
    }
    all += 1;
    const wanted = (finding) => mutant.expect.includes(finding.rule) && isNear(finding);
    const { findings, steps, seconds } = reviewEdited(core, root, disk, new Map([[mutant.file, text]]), { wanted, nested: mutant.expect.includes('nested-nmi-breaks-frame') });
    const right = findings.some(wanted);
    for (const rule of mutant.expect) spoken.set(rule, (spoken.get(rule) ?? 0) + (findings.some((finding) => finding.rule === rule && isNear(finding)) ? 1 : 0));
    if (right) found += 1;
    result.say(`  ${right ? 'found ' : 'MISSED'} ${mutant.name} (${mutant.in ?? mutant.file.split('/').at(-1)}): ${findings.length === 0 ? 'nothing' : rowOf(findings)}; ${steps} steps, ${seconds.toFixed(1)} s`);
    result.check(`${mutant.name}: found by ${mutant.expect.join(' or ')} near the edit`, right, findings.map((finding) => `${rowOf([finding])}: ${finding.message}`));
  }
  result.say(`  ${found} of ${all} mutants are found`);
  for (const [rule, count] of [...spoken].sort()) {
    result.say(`  rule | ${rule} | ${count}`);
    if (match === '') result.check(`${rule}: finds a mutant that names it`, count > 0);
  }
  let silent = 0;
  const known = documented().filter(({ version, stub }) => stub && version === release);
  const edits = harmless.filter(inRelease(release)).filter(chosen);
  for (const edit of edits) {
    const text = mutated(root, disk, edit);
    if (text === null) {
      result.check(`${edit.name}: the line to edit is there`, false);
      continue;
    }
    const { findings: all, problems, steps, seconds } = reviewEdited(core, root, disk, new Map([[edit.file, text]]), { wanted: null, nested: true });
    // What the tree has without the edit is documented.
    const findings = all.filter(({ rule, places }) => !known.some((one) => one.rule === rule && one.file === places[0].file));
    if (findings.length === 0) silent += 1;
    result.say(`  harmless: ${edit.name}: ${findings.length === 0 ? 'nothing' : rowOf(findings)}; ${steps} steps, ${seconds.toFixed(1)} s`);
    result.check(`${edit.name}: harmless, and nothing is found`, findings.length === 0 && problems.length === 0, findings.map((finding) => `${rowOf([finding])}: ${finding.message}`));
  }
  result.say(`  ${silent} of ${edits.length} harmless edits find nothing`);
}
