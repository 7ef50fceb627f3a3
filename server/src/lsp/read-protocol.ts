// What the server asks the client to read for it, `methods.read`: plain shapes, shared by both as those of `protocol.ts` are.

/** From the server: files and folders of a virtual workspace, which only the editor can read. */
export interface ReadParams {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/** What was asked for, and the folders that the files lie in. */
export interface ReadResult {
  /** Text null where there is none, or it is none that is analysed. */
  readonly files: readonly { readonly uri: string; readonly text: string | null }[];
  /** Names of the plain files in a folder, and of the folders in it, with the escapes of URIs. */
  readonly folders: readonly { readonly uri: string; readonly names: readonly string[]; readonly below: readonly string[] }[];
}

/** Bytes above which a file of a virtual workspace is not read. */
export const largestHostFile = 4 * 1024 * 1024;
