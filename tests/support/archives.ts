import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipOptions {
  /** False claims of the archive about each member. */
  readonly size?: number
  readonly crc?: number
  /** Members as they are. Readers refuse those that compress too well. */
  readonly isStored?: boolean
}

/** An archive as the zip format's description says, with one member a name. */
export function zip(
  members: Readonly<Record<string, Buffer>>,
  { isStored = false, ...claims }: ZipOptions = {},
): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const [name, content] of Object.entries(members)) {
    const packed = isStored ? content : deflateRawSync(content)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(isStored ? 0 : 8, 4)
    common.writeUInt32LE(claims.crc ?? crc32(content), 10)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(claims.size ?? content.length, 18)
    common.writeUInt16LE(name.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed])
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(at, 10)
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), common, rest, Buffer.from(name)]))
    parts.push(local)
    at += local.length
  }
  const listed = Buffer.concat(directory)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(directory.length, 4)
  end.writeUInt16LE(directory.length, 6)
  end.writeUInt32LE(listed.length, 8)
  end.writeUInt32LE(at, 12)
  return Buffer.concat([...parts, listed, Buffer.from('PK\x05\x06'), end])
}

/** As NumPy's format description says, version 1. */
export function npy(descr: string, shape: readonly number[], values: Uint8Array): Buffer {
  const sides = shape.map((side) => `${side},`).join(' ')
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.length > 1 ? sides.slice(0, -1) : sides}), }`
  const header = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`
  const length = Buffer.alloc(2)
  length.writeUInt16LE(header.length)
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, Buffer.from(header), values])
}
