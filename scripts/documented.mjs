// The findings on unmodified trees that docs/findings.md documents.
import { existsSync, readFileSync } from 'node:fs';

/** The rows `| 6.1 | rule | file | function() |` of the page's tables; a name without brackets is a stub's. */
export function documented() {
  const page = existsSync('docs/findings.md') ? readFileSync('docs/findings.md', 'utf8') : '';
  return [...page.matchAll(/^\| (\d+\.\d+) \| \[?([a-z0-9-]+)[^|]* \| `([^`]+)` \| `(\w+)(\(\))?` \|/gm)].map(([, version, rule, file, name, brackets]) => ({ version, rule, file, name, stub: brackets === undefined }));
}
