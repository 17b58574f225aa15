import { readFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import type { Environment } from '../../experiment/records/manifest.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** The software and hardware of this process, for a manifest. */
export function environmentHere(tensorflow: Environment['tensorflow']): Environment {
  const processor = cpus()[0]?.model.trim()
  return {
    zeroshift: version,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    ...(processor && processor !== 'unknown' && { processor }),
    processors: availableParallelism(),
    ...(tensorflow && { tensorflow }),
  }
}
