import type { ObjectStore } from '../store/object-store.ts'

/** The paths of all objects below a folder. */
export const pathsBelow = async (store: ObjectStore, folder: string) =>
  (await store.list(folder)).map(({ path }) => path)

/** The names of the folders in a folder that contain this file, or any file if it is empty text. */
export async function idsBelow(store: ObjectStore, folder: string, file: string): Promise<readonly string[]> {
  const paths = (await store.list(`${folder}/`)).map(({ path }) => path.split('/'))
  const ids = paths.flatMap(([, id, name]) =>
    id !== undefined && name !== undefined && (file === '' || name === file) ? [id] : [],
  )
  return [...new Set(ids)]
}
