import { zipSync, type Zippable } from 'fflate'
import type { ExportedFiles } from './export-folder.ts'

/** The date of every file in an archive: the first that the format has. */
const DATE = new Date(1980, 0, 1)

/** An export as one zip file, below one folder. The same files give the same bytes. */
export function zippedExport(files: ExportedFiles, folder: string): Uint8Array {
  const names = [...files.keys()].sort()
  const entries: Zippable = Object.fromEntries(
    names.map((name) => [`${folder}/${name}`, [files.get(name) ?? new Uint8Array(), { mtime: DATE }]]),
  )
  return zipSync(entries)
}
