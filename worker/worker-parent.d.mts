/**
 * To be awaited by a worker before it works: from then on, all that its process writes to standard
 * error is its log.
 */
export function logBegins(): Promise<void>
