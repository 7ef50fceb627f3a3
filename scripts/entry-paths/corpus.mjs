// Planted bugs of a corpus of historic bugs, those whose edits lie in assembler files, macros or the table of gates: each is
// found near its edit, and the harmless ones are not.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isTried, plant } from '../corpus-edits.mjs';
import { releaseOf } from './core.mjs';
import { isNear, reviewEdited, rowOf } from './planted.mjs';

const GROUPS = /^(?:GS|NMI|STK|CR3|FLG|EXIT|REG|SPEC|SEV|FRED|CTL)-/;
const FILES = /\.S$|\/(?:calling|nospec-branch|idtentry)\.h$|\/kernel\/idt\.c$/;

export function checkCorpus(core, root, disk, result, { corpus, match }) {
  if (corpus === null || !existsSync(join(corpus, 'planted.json'))) {
    result.say('no corpus: pass --corpus FOLDER');
    return;
  }
  const planted = JSON.parse(readFileSync(join(corpus, 'planted.json'), 'utf8'));
  const own = planted.filter((one) => GROUPS.test(one.id) && isTried(one, releaseOf(core, root, disk)) && one.edits.every((edit) => FILES.test(edit.file)) && one.id.includes(match));
  for (const one of own) {
    const planted = plant(one, (file) => disk(join(root, file)));
    if (planted === null) {
      if (releaseOf(core, root, disk) === one.tree) throw new Error(`${one.id}: the edit does not apply`);
      result.say(`  ${one.id.padEnd(8)} ${one.title}: not tried, its code is not there`);
      continue;
    }
    const { edited } = planted;
    const harmless = one.kind === 'control' || one.id.startsWith('CTL');
    const { findings, steps, seconds, problems } = reviewEdited(core, root, disk, edited, { wanted: harmless ? null : isNear, nested: harmless || one.id.startsWith('NMI') || one.id.startsWith('STK') });
    result.say(`  ${one.id.padEnd(8)} ${one.title}: ${findings.length === 0 ? 'nothing' : rowOf(findings)}; ${steps} steps, ${seconds.toFixed(1)} s`);
    result.check(`${one.id} ${one.title}: ${harmless ? 'nothing is found' : 'found near the edit'}`, harmless ? findings.length === 0 && problems.length === 0 : findings.some(isNear), [...findings.map((finding) => `${rowOf([finding])}: ${finding.message}`), ...problems]);
  }
  result.say(`  ${own.length} of ${planted.length} edits of the corpus`);
}
