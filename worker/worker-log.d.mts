export declare const levels: readonly ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR']
export type Level = (typeof levels)[number]

/** Warnings and errors only unless ZEROSHIFT_LOG names another level. */
export function levelOf(environment?: NodeJS.ProcessEnv): Level

/** Whether each line is a JSON object; `isTerminal`: whether the log goes to a terminal. */
export function isJsonLog(environment: NodeJS.ProcessEnv, isTerminal: boolean): boolean

/** Hands on whole lines of an output, without their ends. All are handed on when it closes. */
export function eachLine(output: NodeJS.ReadableStream, use: (line: string) => void): void

/**
 * A line of a worker's output as JSON, with its end: one of the worker's own as it is, and one that a
 * native library wrote in an object of the same form. Empty where it is of a level that the log leaves out.
 */
export function jsonLine(
  line: string,
  worker: { readonly pid?: number | undefined; readonly environment?: NodeJS.ProcessEnv },
): string
