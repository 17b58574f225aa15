import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')
/** Hidden folders below these, such as `.terraform`, are left out: tools write them. */
const folders = ['.ci', 'bench', 'configs', 'infra', 'tests']
const files = folders.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(py|sh|tf|ya?ml|Dockerfile)$/.test(name) && !/(^|\/)\./.test(name))
    .map((name) => join(folder, name)),
)

test('comments of YAML, Terraform, Python and image files have at most 100 columns, as ESLint demands of others', () => {
  expect(files.length).toBeGreaterThan(30)
  const long = files.flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, i) => (/(^|\s)#/.test(line) && [...line].length > 100 ? [`${file}:${i + 1}`] : [])),
  )
  expect(long).toEqual([])
})
