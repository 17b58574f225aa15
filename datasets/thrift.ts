import { FormatError } from './files.ts'

/**
 * A struct in Thrift's compact protocol, as far as parquet files use it. It holds numbers and
 * structs by field. Texts and lists are skipped, and a list that is longer than the rest of the
 * file is refused.
 */
export interface Struct {
  readonly numbers: ReadonlyMap<number, number>
  readonly structs: ReadonlyMap<number, Struct>
  /** The position after the struct. */
  readonly end: number
}

const DEEPEST = 32

/** Reads the struct at `begin`. Throws a FormatError. */
export function readStruct(bytes: Uint8Array, begin: number): Struct {
  return structAt(new Cursor(bytes, begin), 0)
}

class Cursor {
  readonly bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes
    this.at = at
  }

  byte(): number {
    const byte = this.bytes[this.at++]
    if (byte === undefined) throw broken('it ends early')
    return byte
  }

  skip(count: number): void {
    if (count < 0 || count > this.bytes.length - this.at) throw broken('a length goes beyond its end')
    this.at += count
  }

  varint(): number {
    let value = 0
    for (let i = 0; i < 10; i++) {
      const byte = this.byte()
      value += (byte & 127) * 2 ** (7 * i)
      if (byte < 128) return value
    }
    throw broken('a number has more than 64 bits')
  }

  zigzag(): number {
    const value = this.varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}

function structAt(cursor: Cursor, depth: number): Struct {
  if (depth > DEEPEST) throw broken(`structs are nested more than ${DEEPEST} deep`)
  const numbers = new Map<number, number>()
  const structs = new Map<number, Struct>()
  let field = 0
  for (;;) {
    const head = cursor.byte()
    const type = head & 15
    if (type === 0) return { numbers, structs, end: cursor.at }
    field = head >> 4 ? field + (head >> 4) : cursor.zigzag()
    const value = valueAt(cursor, type, depth)
    if (typeof value === 'number') numbers.set(field, value)
    else if (value) structs.set(field, value)
  }
}

function valueAt(cursor: Cursor, type: number, depth: number): number | Struct | undefined {
  switch (type) {
    case 1:
      return 1
    case 2:
      return 0
    case 3:
      return cursor.byte()
    case 4:
    case 5:
    case 6:
      return cursor.zigzag()
    case 7:
      cursor.skip(8)
      return undefined
    case 8:
      cursor.skip(cursor.varint())
      return undefined
    case 9: {
      const head = cursor.byte()
      const size = head >> 4 === 15 ? cursor.varint() : head >> 4
      // Every element takes at least one byte.
      if (size > cursor.bytes.length - cursor.at) throw broken('a list is longer than the rest of it')
      const type = head & 15
      for (let i = 0; i < size; i++) valueAt(cursor, type === 1 || type === 2 ? 3 : type, depth + 1)
      return undefined
    }
    case 12:
      return structAt(cursor, depth + 1)
    default:
      throw broken(`it has a value of the unknown type ${type}`)
  }
}

const broken = (why: string) => new FormatError(`has a header that cannot be read: ${why}`)
