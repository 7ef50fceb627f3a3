// Names of files: the review knows paths for what lies on a disk and URIs for everything else. The only place that
// converts between the two.
import { URI } from 'vscode-uri';

/** `/`-separated path of a `file:` URI, any other URI as it is. */
export function pathOfUri(uri: string): string {
  if (!uri.startsWith('file:')) return uri;
  return URI.parse(uri).fsPath.replaceAll('\\', '/');
}

/** Inverse of `pathOfUri`, with the escapes that VS Code writes. */
export function uriOfPath(path: string): string {
  return hasScheme(path) ? path : URI.file(path).toString();
}

/** Two letters at least: `c:/x` is a disk, not a scheme. */
export function hasScheme(path: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/i.test(path);
}

export function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? path.slice(0, slash + 1) : path.slice(0, slash);
}
