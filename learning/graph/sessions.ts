import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Binding } from './binding.ts'
import { TAG } from './saved-model.ts'

/** A graph that TensorFlow has loaded. */
export interface Session {
  readonly id: number
  readonly digest: string
}

/** The number of unused sessions that are kept. The next training often has the same graph. */
const IDLE = 16

/** The process's sessions, by the SHA-256 of their graph. */
export class Sessions {
  private readonly users = new Map<string, { readonly session: Session; count: number }>()
  private readonly binding: Binding

  constructor(binding: Binding) {
    this.binding = binding
  }

  /**
   * Returns the session of this graph (the bytes of `saved_model.pb`). The caller must release it.
   */
  acquire(graph: Uint8Array): Session {
    const digest = createHash('sha256').update(graph).digest('hex')
    const found = this.users.get(digest)
    const entry = found ?? { session: { id: this.load(graph), digest }, count: 0 }
    entry.count++
    // The entries are ordered by their last use.
    this.users.delete(digest)
    this.users.set(digest, entry)
    return entry.session
  }

  release({ digest }: Session): void {
    const entry = this.users.get(digest)
    if (entry) entry.count--
    const idle = [...this.users].filter(([, { count }]) => count === 0)
    for (const [name, { session }] of idle.slice(0, Math.max(0, idle.length - IDLE))) {
      this.binding.deleteSavedModel(session.id)
      this.users.delete(name)
    }
  }

  private load(graph: Uint8Array): number {
    const directory = mkdtempSync(join(tmpdir(), 'zeroshift-graph-'))
    try {
      writeFileSync(join(directory, 'saved_model.pb'), graph)
      return this.binding.loadSavedModel(directory, TAG)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }
}
