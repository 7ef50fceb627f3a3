// What one step of a replay changed, as rows of what was and what is.
import { top } from '../machine/layout.ts';
import type { Row } from '../playback-types.ts';
import { controlRows, registerRows, wordRows } from './playback-rows.ts';
import type { Moment } from './playback-rows.ts';
import { slotNames, slotRow, valueIn } from './playback-stacks.ts';

/** What differs between two moments that follow each other, with what it was: what was overwritten comes first. */
export function changedRows(before: Moment, after: Moment): readonly Row[] {
  const rows: Row[] = [];
  const compare = (old: readonly Row[], now: readonly Row[], missing: string): void => {
    const values = new Map(old.map((row) => [row.name, row.value]));
    for (const row of now) {
      const was = values.get(row.name) ?? missing;
      if (was !== row.value) rows.push({ name: row.name, value: `${was} -> ${row.value}`, watch: row.watch });
    }
  };
  const names = slotNames(after);
  const namesBefore = slotNames(before);
  for (const region of after.setup.layout.regions) {
    const old = before.state.memory[region.index] ?? [];
    const now = after.state.memory[region.index] ?? [];
    if (region.kind !== 'stack' || old === now) continue;
    for (let index = 0; index < Math.max(old.length, now.length); index += 1) {
      if (old[index] === now[index]) continue;
      const address = top(region) - BigInt((index + 1) * 8);
      const role = names.get(address);
      const lost = namesBefore.get(address);
      const row = slotRow(after, region, index, now[index], role === undefined && lost !== undefined ? namesBefore : names);
      const was = old[index] === undefined ? 'never written' : valueIn(before, old[index], lost);
      rows.push({ ...row, name: `${region.name} ${row.name.replace(/ \(.*\)$/, '')}`, value: `${was}${lost !== undefined && lost !== role ? ` (${lost})` : ''} -> ${row.value}` });
    }
  }
  compare(wordRows(before), wordRows(after), 'never written');
  compare(registerRows(before), registerRows(after), 'unknown');
  compare(controlRows(before), controlRows(after).filter(({ name }) => name !== 'rip'), 'none');
  return rows;
}
