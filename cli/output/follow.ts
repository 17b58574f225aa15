import { setTimeout as sleep } from 'node:timers/promises'
import { visible } from '../../common/terminal-text.ts'
import { printTo } from './print.ts'
import { RetryWatch, retryLines, type Retry } from './retry-lines.ts'

/** Progress that may include work which is retried after failures. */
type Retrying = object & { readonly retries?: readonly Retry[] }

/** Shows progress on a stream. */
export interface Display<P> {
  show(progress: P): void
  /** Ends the display. The last progress stays visible. */
  end(): void
}

/** Converts progress to text. Pure: the time, in milliseconds since 1970, is an argument. */
export interface Writer<P> {
  /** Returns the text for a terminal with `width` columns. */
  readonly render: (progress: P, width: number, now: number, colour: boolean) => string
  /**
   * Returns lines for a log: what changed between two moments and, if `report` is true, what is
   * running.
   */
  readonly changedLines: (before: P | undefined, after: P, now: number, report: boolean) => readonly string[]
}

const LINE_EVERY_MS = 10_000
/**
 * A query without an answer must not delay the next one. There may be no worker yet, or it may be
 * in a long step.
 */
const QUERY_MS = 5_000

/** Returns a display that updates in place on a terminal and writes lines elsewhere. */
export async function displayOn<P extends Retrying>(
  stream: NodeJS.WriteStream,
  writer: Writer<P>,
): Promise<Display<P>> {
  return stream.isTTY ? liveView(stream, writer) : lineView(stream, writer)
}

async function liveView<P extends Retrying>(
  stream: NodeJS.WriteStream,
  { render }: Writer<P>,
): Promise<Display<P>> {
  const { createLogUpdate } = await import('log-update')
  const draw = createLogUpdate(stream)
  const colour = process.env.NO_COLOR === undefined
  const watch = new RetryWatch()
  return {
    show(progress) {
      const now = Date.now()
      const width = stream.columns || 80
      const retried = retryLines(watch.lasting(progress.retries ?? [], now), width, now)
      draw(visible([render(progress, width, now, colour), ...retried].join('\n'), { colour }))
    },
    end() {
      draw.done()
    },
  }
}

function lineView<P extends Retrying>(stream: NodeJS.WriteStream, { changedLines }: Writer<P>): Display<P> {
  const watch = new RetryWatch()
  let before: P | undefined
  let reported = Date.now()
  return {
    show(progress) {
      const now = Date.now()
      const report = now - reported >= LINE_EVERY_MS
      if (report) reported = now
      const retried = watch.newLines(watch.lasting(progress.retries ?? [], now), now)
      for (const line of [...changedLines(before, progress, now, report), ...retried]) printTo(stream, line)
      before = progress
    },
    end: () => undefined,
  }
}

/** Shows the progress until the result is known. Returns the result or throws its error. */
export async function follow<T, P>(
  readProgress: () => Promise<P>,
  result: Promise<T>,
  view: Display<P>,
  everyMs: number,
): Promise<T> {
  const over = new AbortController()
  const ended = result.then(
    () => {
      over.abort()
    },
    () => {
      over.abort()
    },
  )
  const show = async () => {
    const progress = await Promise.race([
      readProgress().catch(() => undefined),
      sleep(QUERY_MS, undefined, { ref: false }),
    ])
    if (progress) view.show(progress)
  }
  try {
    while (!over.signal.aborted) {
      await Promise.race([show(), ended])
      await sleep(everyMs, undefined, { signal: over.signal }).catch(() => undefined)
    }
    // Shows the last changes.
    await show()
    return await result
  } finally {
    view.end()
  }
}
