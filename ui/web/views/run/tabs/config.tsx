import { download, fileName } from '../../../controls/download.ts'
import type { RunTab, RunTabProps } from '../run-tab.ts'

export const configTab: RunTab = {
  name: 'config',
  title: 'Config and files',
  isShown: () => true,
  Component: ConfigTab,
}

/** How to compute the run again, and its results as files. */
function ConfigTab({ run: { entry, command, config, digest, tables } }: RunTabProps) {
  const name = fileName(entry.id)
  const files = [
    { label: 'Results as CSV', file: `${name}.csv`, text: tables.csv, type: 'text/csv' },
    { label: 'Results as LaTeX', file: `${name}.tex`, text: tables.latex, type: 'application/x-tex' },
    { label: 'Config as YAML', file: `${name}.yaml`, text: config, type: 'application/yaml' },
  ]
  return (
    <>
      <h2>Files</h2>
      <p class="buttons">
        {files.map(({ label, file, text, type }) => (
          <button
            key={file}
            type="button"
            onClick={() => {
              download(file, text, type)
            }}
          >
            {label}
          </button>
        ))}
      </p>
      <h2>Compute it again</h2>
      <pre tabIndex={0}>
        <code>{command}</code>
      </pre>
      {digest === undefined ? (
        <p class="note">The report has a digest when all stages are finished.</p>
      ) : (
        <p>
          On the same device and number of threads, the report has this digest of what was computed:{' '}
          <code>{digest}</code>
        </p>
      )}
      <h2>Config</h2>
      <p>The whole specification, with the defaults filled in.</p>
      <pre tabIndex={0}>
        <code>{config}</code>
      </pre>
    </>
  )
}
