// The folders of the disk.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { Folders } from './folders.ts';

/** Larger files were made by a program. */
const largest = 1_000_000;

export const diskFolders: Folders = {
  entries: async (folder) => {
    try {
      const entries = readdirSync(folder, { withFileTypes: true });
      return { names: entries.filter((entry) => entry.isFile()).map(({ name }) => name), below: entries.filter((entry) => entry.isDirectory()).map(({ name }) => name) };
    } catch {
      return { names: [], below: [] };
    }
  },
  text: async (file) => {
    try {
      return statSync(file).size > largest ? null : readFileSync(file, 'utf8');
    } catch {
      return null;
    }
  },
  isSlow: () => false,
};
