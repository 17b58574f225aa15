import { download, fileName } from './download.ts'
import { Popover } from './popover.tsx'

const kinds = {
  csv: { label: 'CSV', type: 'text/csv' },
  tex: { label: 'LaTeX', type: 'application/x-tex' },
} as const

/** The menu that exports a table. */
export function ExportMenu({
  name,
  files,
}: {
  readonly name: string
  /** The texts of the files by their endings. */
  readonly files: Readonly<Record<keyof typeof kinds, () => string>>
}) {
  return (
    <Popover label="Export" title={`Export ${name}`}>
      {(close) => (
        <ul class="menu">
          {(['csv', 'tex'] as const).map((ending) => (
            <li key={ending}>
              <button
                type="button"
                onClick={() => {
                  download(`${fileName(name)}.${ending}`, files[ending](), kinds[ending].type)
                  close()
                }}
              >
                {kinds[ending].label}
              </button>
            </li>
          ))}
        </ul>
      )}
    </Popover>
  )
}
