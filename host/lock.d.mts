/**
 * Does some work while no other process does work with the same name, which is a path. The lock is
 * the file `name`.lock.
 */
export function exclusively<T>(name: string, work: () => Promise<T>): Promise<T>
