/** Does the work while no other process does work of the same name: a path, whose lock is the file beside it. */
export function exclusively<T>(name: string, work: () => Promise<T>): Promise<T>
