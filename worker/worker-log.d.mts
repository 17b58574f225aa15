export declare const levels: readonly ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR']
export type Level = (typeof levels)[number]
export declare const formats: readonly ['text', 'json']

/**
 * Returns the level that ZEROSHIFT_LOG names in any case, or WARN. worker/log-settings.ts refuses
 * unknown values.
 */
export function levelOf(environment?: NodeJS.ProcessEnv): Level

/** Whether each line of the log is a JSON object. `isTerminal`: the log goes to a terminal. */
export function isJsonLog(environment: NodeJS.ProcessEnv, isTerminal: boolean): boolean

/** Calls `use` for each line of a stream, without its end, the last one included. */
export function eachLine(output: NodeJS.ReadableStream, use: (line: string) => void): void

/**
 * Converts a line of a worker's output to a line of JSON. A line of the worker's log is returned
 * unchanged. A line of a native library becomes an object of the same form. Returns empty text for
 * a line below the level of the log.
 */
export function jsonLine(
  line: string,
  worker: { readonly pid?: number | undefined; readonly environment?: NodeJS.ProcessEnv },
): string
