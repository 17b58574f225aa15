import { usePageState } from '../shell/page-state.tsx'
import { download, fileName } from './download.ts'
import { Popover } from './popover.tsx'

/** The menu that exports a chart. */
export function ChartMenu({
  name,
  svg,
  png,
}: {
  readonly name: string
  readonly svg: () => Promise<string>
  readonly png: () => Promise<HTMLCanvasElement>
}) {
  const { setNotice } = usePageState()
  const save = async (kind: 'svg' | 'png') => {
    try {
      if (kind === 'svg') download(`${fileName(name)}.svg`, await svg(), 'image/svg+xml')
      else download(`${fileName(name)}.png`, await blobOf(await png()))
    } catch (error) {
      setNotice({ tone: 'failed', text: `The chart cannot be exported: ${String(error)}` })
    }
  }
  return (
    <div class="chart-menu">
      <Popover label="Export" title={`Export the chart ${name}`}>
        {(close) => (
          <ul class="menu">
            {(['svg', 'png'] as const).map((kind) => (
              <li key={kind}>
                <button
                  type="button"
                  onClick={() => {
                    close()
                    void save(kind)
                  }}
                >
                  {kind.toUpperCase()}
                </button>
              </li>
            ))}
          </ul>
        )}
      </Popover>
    </div>
  )
}

function blobOf(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob) resolve(blob)
      else reject(new Error('the browser made no image'))
    }, 'image/png')
  })
}
