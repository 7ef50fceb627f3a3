// The version of this program.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** From the package that the bundle's folder lies in. */
export function version(home: string): string {
  const read: unknown = JSON.parse(readFileSync(join(home, '..', 'package.json'), 'utf8'));
  return typeof read === 'object' && read !== null && 'version' in read ? String(read.version) : 'of unknown version';
}
