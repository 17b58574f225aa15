/**
 * A worker must await this before it works. From then on, everything that its process writes to
 * standard error is its log.
 */
export function logBegins(): Promise<void>
