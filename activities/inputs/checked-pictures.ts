import type { DecodingCache } from '../../datasets/index.ts'
import { cachePath, readRecord, writeRecord } from '../../sources/host-cache.ts'

/** Records which images were checked and found complete, for all processes of this machine. */
export const checkedPictures: DecodingCache = {
  get: (key) => readRecord(fileOf(key)),
  put: (key, value) => writeRecord(fileOf(key), value),
}

const fileOf = (key: string) => cachePath('checked', `${key}.json`)
