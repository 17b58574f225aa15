/**
 * The format of a worker's log, for the worker and for the process that passes its log on. This is
 * JavaScript, so that the latter process stays small.
 */

export const levels = /** @type {const} */ (['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'])

/** @typedef {typeof levels[number]} Level */

export const formats = /** @type {const} */ (['text', 'json'])

/**
 * Returns the level that ZEROSHIFT_LOG names in any case, or WARN. worker/log-settings.ts refuses
 * unknown values.
 * @param {NodeJS.ProcessEnv} [environment]
 * @returns {Level}
 */
export function levelOf(environment = process.env) {
  const named = environment.ZEROSHIFT_LOG?.toUpperCase()
  return levels.find((level) => level === named) ?? 'WARN'
}

/**
 * Whether each line of the log is a JSON object.
 * @param {NodeJS.ProcessEnv} environment
 * @param {boolean} isTerminal whether the log goes to a terminal
 * @returns {boolean}
 */
export function isJsonLog({ ZEROSHIFT_LOG_FORMAT: format }, isTerminal) {
  return format === 'json' || (format !== 'text' && !isTerminal)
}

/**
 * Calls a function for each line of a stream, the last one included when the stream ends.
 * @param {NodeJS.ReadableStream} output
 * @param {(line: string) => void} use is given a line without its end
 * @returns {void}
 */
export function eachLine(output, use) {
  let rest = ''
  output.setEncoding('utf8')
  output.on('data', (text) => {
    const lines = `${rest}${text}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) use(line)
  })
  output.on('end', () => {
    if (rest !== '') use(rest)
  })
  // A worker that is killed may break the pipe.
  output.on('error', () => undefined)
}

/**
 * Converts a line of a worker's output to JSON. A line of the worker's log is returned unchanged. A
 * line of a native library becomes an object of the same form. Returns empty text for a line below
 * the level of the log.
 * @param {string} line
 * @param {{ readonly pid?: number, readonly environment?: NodeJS.ProcessEnv }} worker
 * @returns {string} with its end
 */
export function jsonLine(line, { pid, environment }) {
  if (isJsonObject(line)) return `${line}\n`
  const level = levelIn(line)
  // A line that names no level may say why the process died.
  const isWanted = !level || levels.indexOf(level) >= levels.indexOf(levelOf(environment))
  return isWanted && line.trim() !== '' ? `${wrapped(line, level ?? 'WARN', pid)}\n` : ''
}

/** @param {string} line */
function isJsonObject(line) {
  if (!line.startsWith('{')) return false
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}

/** Writes a line as an object in the form of worker/telemetry/log.ts. */
function wrapped(line, level, pid) {
  return JSON.stringify({
    level: level.toLowerCase(),
    time: new Date().toISOString(),
    ...(pid !== undefined && { pid }),
    source: 'stderr',
    msg: line.trimEnd(),
  })
}

/** @type {Readonly<Record<string, Level>>} */
const abseilLevels = { I: 'INFO', W: 'WARN', E: 'ERROR', F: 'ERROR' }

/**
 * Returns the level of a line of TensorFlow, which begins with the level's letter, as in `I0000 …`.
 * @param {string} line
 * @returns {Level | undefined}
 */
function levelIn(line) {
  // TensorFlow writes this note at its start, whatever its settings.
  if (line.startsWith('WARNING: All log messages before absl::InitializeLog()')) return 'INFO'
  const [, letter = ''] = /^(?:[\d-]+ [\d:.]+: )?([IWEF])(?:\d{4}| )/.exec(line) ?? []
  return abseilLevels[letter]
}
