import { basename } from 'node:path'
import { Header, Pax } from 'tar'

/** The parts of POSIX tar files. */

export const BLOCK = 512

/** The number of zero bytes that follow a member of this size. */
export const padding = (bytes: number) => (BLOCK - (bytes % BLOCK)) % BLOCK

/** The header of a regular file, without times, owners and modes of its own. */
export function headerOf(path: string, size: number): Buffer {
  const { block, isWhole } = blockOf(path, size)
  if (isWhole) return block
  // A long name or a large size needs an extended header. A prefix in the block itself would be put
  // before that name.
  return Buffer.concat([new Pax({ path, size }).encode(), blockOf(basename(path), size).block])
}

function blockOf(path: string, size: number): { readonly block: Buffer; readonly isWhole: boolean } {
  const header = new Header({
    ...{ path, size, type: 'File', mode: 0o644, uid: 0, gid: 0, mtime: new Date(0) },
    ...{ uname: '', gname: '' },
  })
  const block = Buffer.alloc(BLOCK)
  return { block, isWhole: !header.encode(block) }
}
