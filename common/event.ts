import { channel } from 'node:diagnostics_channel'

/** Something that happens again and again, told to whoever listens in this process; nobody need. */
export interface Event<T> {
  readonly publish: (message: T) => void
  /** A listener that throws ends the process. */
  readonly subscribe: (listener: (message: T) => void) => void
  readonly hasSubscribers: () => boolean
}

export function event<T>(name: string): Event<T> {
  const told = channel(`zeroshift:${name}`)
  return {
    publish: (message) => {
      told.publish(message)
    },
    subscribe: (listener) => {
      told.subscribe((message) => {
        listener(message as T)
      })
    },
    hasSubscribers: () => told.hasSubscribers,
  }
}

/** Bytes of objects that went between this process and a store, those that a cache had not counted. */
export const traffic = event<{ readonly direction: 'read' | 'written'; readonly bytes: number }>('store')

/** A note of a running server that is not to be trusted, with the reason, once per process and reason. */
export const ignoredNote = event<string>('ignored-note')
