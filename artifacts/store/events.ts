import { event } from '../../common/event.ts'

/**
 * Published for every object that this process reads from a store or writes to one, with its size
 * in bytes. Blobs that come from the cache on this machine are not counted.
 */
export const traffic = event<{ readonly direction: 'read' | 'written'; readonly bytes: number }>('store')

/**
 * Published when a process record is not trusted (process-record.ts). The message is for the user
 * and gives the reason. Each message is published once in a process.
 */
export const ignoredRecord = event<string>('ignored-record')
