// Reviews a design of test-fixtures with edits laid over its files in memory.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const home = 'test-fixtures/designs';

/** The files of a design by path, edited; null where a line to edit is not there exactly once. */
export function editedDesign({ design, edits }) {
  const folder = join(home, design);
  const files = new Map(readdirSync(folder).map((name) => [join(folder, name), readFileSync(join(folder, name), 'utf8')]));
  for (const { file, from, to } of edits) {
    const path = join(folder, file);
    const parts = files.get(path)?.split(from) ?? [];
    if (parts.length !== 2) return null;
    files.set(path, parts.join(to));
  }
  return files;
}

/** What the review says of the files, after the scenario if one is named: rule, file, line and text of the line. */
export async function findingsOf({ createReview, emptyConfiguration }, grammars, design, files, scenario) {
  const folder = join(home, design);
  const disk = (path) => (existsSync(path) && statSync(path).isFile() ? readFileSync(path, 'utf8') : null);
  const review = await createReview(grammars, { read: (path) => files.get(path) ?? (path.startsWith(`${folder}/`) ? null : disk(path)), list: (asked) => (asked === folder ? [...files.keys()].map((path) => path.slice(folder.length + 1)) : []) }, emptyConfiguration);
  const exploration = scenario === null ? null : review.run(folder, scenario);
  while (exploration !== null && !exploration.run(50_000).done) continue;
  const found = [...[...files.keys()].flatMap((path) => review.quickFindings(path)), ...review.findings(folder, exploration?.reports() ?? [])];
  const told = found.map(({ rule, message, place }) => {
    const text = review.text(place.file) ?? '';
    const line = text.slice(0, place.span.start).split('\n').length;
    return { rule, message, file: place.file, line, text: text.split('\n')[line - 1] ?? '' };
  });
  review.release();
  return told;
}
