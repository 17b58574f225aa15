import { size } from '../../common/size.ts'
import type { CopyProgress } from '../../artifacts/copy/write-copy.ts'
import { displayOn, type Writer } from './follow.ts'
import { clip, counted } from './format.ts'
import { bar } from './render-run.ts'

const EVERY_MS = 100

/**
 * Shows the progress of a copy: a bar on a terminal, otherwise a line every few seconds. Returns
 * the functions that update and end the display.
 */
export async function showCopy(
  stream: NodeJS.WriteStream,
): Promise<{ readonly onProgress: (progress: CopyProgress) => void; readonly end: () => void }> {
  const view = await displayOn(stream, copyWriter)
  let shown = 0
  return {
    onProgress(progress) {
      const now = Date.now()
      if (now - shown < EVERY_MS && progress.objects.done < progress.objects.all) return
      shown = now
      view.show(progress)
    },
    end: () => {
      view.end()
    },
  }
}

const copyWriter: Writer<CopyProgress> = {
  render: (progress, width) => clip(`${bar(shareOf(progress))}  ${progressText(progress)}`, width),
  changedLines: (_before, progress, _now, report) => (report ? [progressText(progress)] : []),
}

/** Uses the bytes if there are any, since they show the progress more evenly than the objects. */
function shareOf({ objects, bytes }: CopyProgress): number {
  const { done, all } = bytes.all > 0 && bytes.done < bytes.all ? bytes : objects
  return done / Math.max(1, all)
}

function progressText({ objects, bytes }: CopyProgress): string {
  return `${objects.done} of ${counted(objects.all, 'object')}, ${size(bytes.done)} of ${size(bytes.all)}`
}
