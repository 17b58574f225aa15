import { setTimeout as sleep } from 'node:timers/promises'
import type { WorkflowHandle } from '@temporalio/client'
import type { RunProgress } from '../experiment/run.ts'
import { progressOf } from './progress.ts'
import { changedLines, renderProgress } from './render.ts'

/** Shows a run's progress somewhere. */
export interface View {
  show(progress: RunProgress): void
  /** Leaves what was shown last standing. */
  end(): void
}

const LINE_EVERY_MS = 10_000
/** A query that gets no answer (no worker yet, or one in the middle of a long step) must not hold up the next. */
const QUERY_MS = 5_000

/** A display that is drawn over on a terminal, lines elsewhere. */
export async function viewOn(stream: NodeJS.WriteStream): Promise<View> {
  return stream.isTTY ? liveView(stream) : lineView(stream)
}

async function liveView(stream: NodeJS.WriteStream): Promise<View> {
  const { createLogUpdate } = await import('log-update')
  const draw = createLogUpdate(stream)
  const colour = process.env.NO_COLOR === undefined
  return {
    show(progress) {
      draw(renderProgress(progress, stream.columns || 80, Date.now(), colour))
    },
    end() {
      draw.done()
    },
  }
}

function lineView(stream: NodeJS.WriteStream): View {
  let before: RunProgress | undefined
  let reported = Date.now()
  return {
    show(progress) {
      const now = Date.now()
      const report = now - reported >= LINE_EVERY_MS
      if (report) reported = now
      for (const line of changedLines(before, progress, now, report)) stream.write(`${line}\n`)
      before = progress
    },
    end: () => undefined,
  }
}

/** Shows a run until it ends, then answers or throws as it did. */
export async function follow<T>(
  handle: WorkflowHandle,
  result: Promise<T>,
  view: View,
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
      progressOf(handle).catch(() => undefined),
      sleep(QUERY_MS, undefined, { ref: false }),
    ])
    if (progress) view.show(progress)
  }
  try {
    while (!over.signal.aborted) {
      await Promise.race([show(), ended])
      await sleep(everyMs, undefined, { signal: over.signal }).catch(() => undefined)
    }
    // Once more: what happened since the last look.
    await show()
    return await result
  } finally {
    view.end()
  }
}
