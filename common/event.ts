import { channel } from 'node:diagnostics_channel'

/** A typed event in this process. Publishing without subscribers does nothing. */
export interface Event<T> {
  readonly publish: (message: T) => void
  /** If a listener throws, the process ends. */
  readonly subscribe: (listener: (message: T) => void) => void
  readonly hasSubscribers: () => boolean
}

export function event<T>(name: string): Event<T> {
  const subscribers = channel(`zeroshift:${name}`)
  return {
    publish: (message) => {
      subscribers.publish(message)
    },
    subscribe: (listener) => {
      subscribers.subscribe((message) => {
        listener(message as T)
      })
    },
    hasSubscribers: () => subscribers.hasSubscribers,
  }
}
