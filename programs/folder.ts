/**
 * The content of a folder: a tar file as `packFolder` writes it, or the bytes of each file by its
 * path in the folder, with slashes.
 */
export type FolderContent = Uint8Array | Readonly<Record<string, Uint8Array>>

export interface PackOptions {
  /** The most bytes of all files together. */
  readonly mostBytes: number
  /** The only direct child of the folder that is packed. All are packed unless given. */
  readonly only?: string
}

/**
 * Packs the files and folders in a folder into a POSIX tar file, sorted by path, without times,
 * owners and modes, so that equal files give equal bytes on every machine. Throws a ProgramError
 * for a link, a device or another file that is not regular, and if there are more than `mostBytes`.
 */
export function packFolder(folder: string, options: PackOptions): Promise<Uint8Array> {
  throw new Error(`not written yet: ${folder} ${options.mostBytes}`)
}

/** Writes the files of `packed` into a folder, which is created if it is missing. */
export function unpackFolder(packed: Uint8Array, folder: string): Promise<void> {
  throw new Error(`not written yet: ${folder} ${packed.length}`)
}

/** Writes content of either kind into a folder, which is created if it is missing. */
export function fillFolder(content: FolderContent, folder: string): Promise<void> {
  throw new Error(`not written yet: ${folder} ${Object.keys(content).length}`)
}
