// Which file an `#include` means: the includer's folder, the configured folders, then a kernel tree found by walking up
// from the file, and the folders above the file in it. Knows files only by the source it is given.
import type { FileSource } from './stream.ts';

export interface IncludeResolver {
  /** Root of the kernel tree that the file belongs to, or null. */
  readonly root: string | null;
  readonly resolve: (name: string, quoted: boolean, includer: string) => string | null;
}

const KERNEL_FOLDERS = ['arch/x86/include', 'arch/x86/include/generated', 'include', 'arch/x86/include/uapi', 'arch/x86/include/generated/uapi', 'include/uapi', 'include/generated/uapi'];
/** A file that every kernel tree of the last decade has, and that assembles with everything. */
const KERNEL_MARK = 'include/linux/kconfig.h';

export function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '' : path.slice(0, slash + 1);
}

/** `a/./b/../c` as `a/c`; a leading `..` stays. */
export function normalisePath(path: string): string {
  if (!path.includes('./') && !path.includes('//')) return path;
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(path)?.[0] ?? '';
  const parts: string[] = [];
  path.slice(scheme.length).split('/').forEach((part, i) => {
    if (part === '.' || (part === '' && i > 0)) return;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..' && parts.at(-1) !== '') parts.pop();
    else parts.push(part);
  });
  return scheme + parts.join('/');
}

export function findKernelRoot(file: string, source: FileSource): string | null {
  let folder = folderOf(file);
  for (let i = 0; i < 64; i++) {
    if (source.read(folder + KERNEL_MARK) !== null) return folder;
    if (folder === '' || folder === '/') return null;
    folder = folderOf(folder.slice(0, -1));
  }
  return null;
}

/** Folders above a file's own in its tree, nearest first: `arch/x86/kvm` for `vmx/vmenter.S`, `entry/vdso` for `vdso64/vsgx.S`. */
function foldersAbove(file: string, root: string): string[] {
  const above: string[] = [];
  for (let folder = folderOf(folderOf(file).slice(0, -1)); folder.length > root.length && folder.startsWith(root); folder = folderOf(folder.slice(0, -1))) above.push(folder);
  return above;
}

export function includeResolver(file: string, includePaths: readonly string[], source: FileSource): IncludeResolver {
  const root = findKernelRoot(file, source);
  // Makefiles add with -I, behind the tree's own folders, what lies above a file: what they add does not have to be read.
  const folders = [...includePaths, ...(root === null ? [] : [...KERNEL_FOLDERS.map((each) => root + each), ...foldersAbove(file, root)])].map((each) => (each === '' || each.endsWith('/') ? each : `${each}/`));
  const found = new Map<string, string | null>();
  const search = (name: string): string | null => {
    for (const folder of folders) {
      const path = normalisePath(folder + name);
      if (source.read(path) !== null) return path;
    }
    // The build makes one-line wrappers for these, in a folder that an unbuilt tree does not have.
    if (root !== null && name.startsWith('asm/')) {
      const generic = `${root}include/asm-generic/${name.slice(4)}`;
      if (source.read(generic) !== null) return generic;
      const uapi = `${root}include/uapi/asm-generic/${name.slice(4)}`;
      if (source.read(uapi) !== null) return uapi;
    }
    return null;
  };
  return {
    root,
    resolve: (name, quoted, includer) => {
      if (name.startsWith('/')) return source.read(name) === null ? null : name;
      if (quoted) {
        const path = normalisePath(folderOf(includer) + name);
        if (source.read(path) !== null) return path;
      }
      const known = found.get(name);
      if (known !== undefined) return known;
      const path = search(name);
      found.set(name, path);
      return path;
    },
  };
}
